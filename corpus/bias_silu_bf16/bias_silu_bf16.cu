// bf16 activations: out = silu(in + bias[column]), computed in float.
#include <cuda_bf16.h>

__global__ void bias_silu_bf16(const __nv_bfloat16* in, const __nv_bfloat16* bias,
                               __nv_bfloat16* out, int rows, int cols) {
  int col = blockIdx.x * blockDim.x + threadIdx.x;
  int row = blockIdx.y;
  if (col >= cols) return;
  float v = __bfloat162float(in[row * cols + col]) + __bfloat162float(bias[col]);
  out[row * cols + col] = __float2bfloat16(v / (1.0f + expf(-v)));
}

void launch(const __nv_bfloat16* in, const __nv_bfloat16* bias, __nv_bfloat16* out, int rows,
            int cols) {
  bias_silu_bf16<<<dim3((cols + 63) / 64, rows), 64>>>(in, bias, out, rows, cols);
}
