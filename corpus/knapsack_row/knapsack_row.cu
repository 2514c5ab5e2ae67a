// One dynamic-programming row of 0/1 knapsack: max over two choices of the previous row.
#include <limits.h>

__global__ void knapsack_row(const int* previous, int* next, unsigned char* taken, int capacity,
                             int weight, int value) {
  int c = blockIdx.x * blockDim.x + threadIdx.x;
  if (c > capacity) return;
  int skip = previous[c];
  int take = c >= weight ? previous[c - weight] + value : INT_MIN;
  next[c] = max(skip, take);
  taken[c] = take > skip;
}

void launch_knapsack(const int* previous, int* next, unsigned char* taken, int capacity, int weight,
                     int value) {
  knapsack_row<<<(capacity + 128) / 128, 128>>>(previous, next, taken, capacity, weight, value);
}
