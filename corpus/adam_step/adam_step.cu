// Optimiser step over three arrays in place, with options as template parameters.
template <typename T, bool DECAY>
__global__ void adam_step(T* param, const T* grad, float* m, float* v, int n, float lr, float beta1,
                          float beta2, float eps, float decay) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    float g = grad[i];
    float p = param[i];
    if constexpr (DECAY) p -= lr * decay * p;
    float m_new = beta1 * m[i] + (1.0f - beta1) * g;
    float v_new = beta2 * v[i] + (1.0f - beta2) * g * g;
    m[i] = m_new;
    v[i] = v_new;
    param[i] = p - lr * m_new / (sqrtf(v_new) + eps);
  }
}

void launch_adam(float* param, const float* grad, float* m, float* v, int n) {
  adam_step<float, true><<<4, 128>>>(param, grad, m, v, n, 1e-3f, 0.9f, 0.999f, 1e-8f, 0.01f);
  adam_step<float, false><<<4, 128>>>(param, grad, m, v, n, 1e-3f, 0.9f, 0.999f, 1e-8f, 0.0f);
}
