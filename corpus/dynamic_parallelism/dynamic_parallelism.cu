// A parent grid launches one child grid for each ragged segment.
__global__ void scale_segment(int* data, int count, int factor) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) data[i] *= factor;
}

__global__ void dynamic_parallelism(int* data, const int* start, int segments) {
  int s = blockIdx.x * blockDim.x + threadIdx.x;
  if (s >= segments) return;
  int count = start[s + 1] - start[s];
  if (count > 0) scale_segment<<<(count + 31) / 32, 32>>>(data + start[s], count, s + 2);
}

void launch_dynamic(int* data, const int* start, int segments) {
  dynamic_parallelism<<<(segments + 31) / 32, 32>>>(data, start, segments);
}
