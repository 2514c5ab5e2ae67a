// Jumps: back, forward, out of nested loops and switches, past declarations, with breaks around.

__global__ void jumps_everywhere(long long* out, double* real) {
  int i = threadIdx.x;
  int v = i * 37 + 5, steps = 0;
again:
  if (v <= 1) goto done;
  for (int k = 0; k < 4; ++k) {
    while (true) {
      steps++;
      if (v % 3 == 0) { v = v / 3; goto again; }
      if (v % 2 == 0) break;
      switch (v % 5) {
        case 1: v -= 1; goto next;
        case 2: v -= 2; break;
        default: v -= 1; break;
      }
      if (steps > 12) goto fail;
    }
    v = v / 2;
  next:
    steps += 100;
    if (v == 0) goto done;
  }
  goto again;
fail:
  steps = -1;
done:
  out[i] = steps * 1000 + v;
}

__global__ void jumps_in_a_loop(long long* out, double* real) {
  int i = threadIdx.x;
  int s = 0;
  for (int k = 0; k < 10; ++k) {
    int v = i * 13 + k;
    if (v % 7 == 0) goto skip;
    if (v % 11 == 0) break;
    if (v % 5 == 0) continue;
    { if (v % 3 == 0) goto skip; s += v; }
  skip:
    s += 1;
    if (s > 100) { s -= 90; if (s < 60) goto skip; }
  }
  out[i] = s;
}

__global__ void jump_out_of_three_loops(long long* out, double* real) {
  int i = threadIdx.x, count = 0;
  for (int a = 0; a < 5; ++a)
    for (int b = 0; b < 5; ++b)
      for (int c = 0; c < 5; ++c) {
        if (a * b * c == i) goto found;
        ++count;
      }
  count = -count;
found:
  out[i] = count;
}
