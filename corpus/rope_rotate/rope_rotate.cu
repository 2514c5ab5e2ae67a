// Rotary embedding of (token, head, pair): sincosf of a position-dependent angle.
__global__ void rope_rotate(float2* x, const int* position, int heads, int pairs, float log_base) {
  int pair = threadIdx.x;
  int head = blockIdx.x;
  int token = blockIdx.y;
  if (pair >= pairs) return;
  float angle = position[token] * expf(-log_base * pair / pairs);
  float s, c;
  sincosf(angle, &s, &c);
  float2* cell = &x[(token * heads + head) * pairs + pair];
  float2 v = *cell;
  *cell = make_float2(v.x * c - v.y * s, v.x * s + v.y * c);
}

void launch_rope(float2* x, const int* position, int tokens, int heads, int pairs) {
  rope_rotate<<<dim3(heads, tokens), 32>>>(x, position, heads, pairs, 9.21034f);
}
