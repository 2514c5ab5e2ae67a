// Steps of the Collatz sequence, written with a goto out of a loop; printf for what cannot happen.
#include <assert.h>
#include <stdio.h>

__global__ void collatz_goto(const int* start, int* steps, int n, int limit) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  assert(start[i] > 0);
  long long value = start[i];
  int count = 0;
  for (;;) {
    if (value == 1) goto done;
    if (count >= limit) goto done;
    value = value % 2 == 0 ? value / 2 : 3 * value + 1;
    ++count;
  }
done:
  if (value < 1) printf("collatz: %d fell below one\n", i);
  steps[i] = count;
}

void launch_collatz(const int* start, int* steps, int n) {
  collatz_goto<<<(n + 63) / 64, 64>>>(start, steps, n, 500);
}
