// Every integer atomic, one array element for each operation; results do not depend on order.
__global__ void atomics_zoo(const int* in, int* cells, unsigned int* wrapped,
                            unsigned long long* wide, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  int v = in[i];
  atomicAdd(&cells[0], v);
  atomicSub(&cells[1], v);
  atomicMin(&cells[2], v);
  atomicMax(&cells[3], v);
  atomicAnd(&cells[4], v | 0xff);
  atomicOr(&cells[5], v & 0xff00);
  atomicXor(&cells[6], v);
  atomicCAS(&cells[7], 0, 77);
  atomicInc(&wrapped[0], 6u);
  atomicDec(&wrapped[1], 9u);
  atomicExch(&wrapped[2], 5u);
  atomicAdd(&wide[0], (unsigned long long)(v & 0xffff));
  atomicMax(&wide[1], ((unsigned long long)(unsigned int)v << 32) | (unsigned int)i);
}

void launch_atomics(const int* in, int* cells, unsigned int* wrapped, unsigned long long* wide,
                    int n) {
  atomics_zoo<<<(n + 63) / 64, 64>>>(in, cells, wrapped, wide, n);
}
