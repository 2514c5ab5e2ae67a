// A complex number as a struct with methods and operators.
struct Complex {
  float re, im;
  __device__ Complex(float r, float i) : re(r), im(i) {}
  __device__ float norm2() const { return re * re + im * im; }
  __device__ Complex operator*(const Complex& o) const {
    return Complex(re * o.re - im * o.im, re * o.im + im * o.re);
  }
  __device__ Complex operator+(const Complex& o) const { return Complex(re + o.re, im + o.im); }
};

__global__ void julia_complex(float* out, const float* seeds, int n, int steps) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  Complex c(-0.4f, 0.6f);
  Complex z(seeds[2 * i], seeds[2 * i + 1]);
  for (int s = 0; s < steps; ++s) {
    if (z.norm2() > 16.0f) continue;
    z = z * z + c;
  }
  out[i] = z.norm2();
}

void launch_julia(float* out, const float* seeds, int n) {
  julia_complex<<<(n + 127) / 128, 128>>>(out, seeds, n, 4);
}
