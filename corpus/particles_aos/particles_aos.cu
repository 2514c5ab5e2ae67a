// Array of structs updated in place through a pointer to struct.
struct Particle {
  float x, y, z;
  float vx, vy, vz;
  int alive;
  float age;
};

__device__ void bounce(float& position, float& velocity) {
  if (position < 0.0f) {
    position = -position;
    velocity = -velocity;
  } else if (position > 1.0f) {
    position = 2.0f - position;
    velocity = -velocity;
  }
}

__global__ void particles_aos(Particle* particles, int n, float dt) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  Particle p = particles[i];
  if (!(p.alive & 1)) return;
  p.vz -= 9.75f * dt;
  p.x += p.vx * dt;
  p.y += p.vy * dt;
  p.z += p.vz * dt;
  bounce(p.x, p.vx);
  bounce(p.y, p.vy);
  bounce(p.z, p.vz);
  p.age += dt;
  particles[i] = p;
}

void launch_particles(Particle* particles, int n, float dt) {
  particles_aos<<<(n + 63) / 64, 64>>>(particles, n, dt);
}
