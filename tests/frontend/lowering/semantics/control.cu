// Loops, switch, recursion, statement expressions, early exits.
__device__ int pick(int n) {
    int r = 0;
    switch (n) {
        case 1:
        case 2: r += 1;
        case 3: r += 10; break;
        default: r = 1000;
        case 5: {
            int inside = n * 2;
            r += inside;
            break;
        }
        case 7: return -7;
        case 8 ... 10: r = 8;
    }
    return r;
}
__device__ int spans(int n) {
    switch (n) {
        int y;
        case 0: y = 5; return y;
        case 1: y = 6; n = y + 1; break;
        default: break;
    }
    return n;
}
__device__ int loops(int n) {
    int total = 0;
    for (int i = 0; i < n; i++) {
        if (i == 2) continue;
        if (i == 7) break;
        for (int j = 0;; ++j) {
            if (j > i) break;
            if (j % 2) continue;
            total += j * 10 + i;
            switch (j) {
                case 4: goto_like: total += 1; continue;
                default: break;
            }
        }
    }
    return total;
}
__device__ int gcd(int a, int b) { return b == 0 ? a : gcd(b, a % b); }
__device__ int odd(int n);
__device__ int even(int n) { return n == 0 ? 1 : odd(n - 1); }
__device__ int odd(int n) { return n == 0 ? 0 : even(n - 1); }
__device__ int early(int n) {
    if (n < 0) return -1;
    while (true) {
        if (n > 100) return n;
        n = n * 3 + 1;
    }
}
__device__ unsigned count = 0;

__global__ void control(long long* out, double* real) {
    for (int i = 0; i < 11; i++) out[i] = pick(i);
    out[11] = spans(0) + spans(1) * 10 + spans(2) * 100;
    out[12] = loops(10);
    out[13] = gcd(1071, 462);
    out[14] = even(10) + 2 * odd(7);
    out[15] = early(-4) + early(1) + early(500);
    int n = 5, rounds = 0;
    while (n-- > 0) rounds += n;
    out[16] = rounds;
    out[17] = n;
    do {
        n += 2;
        if (n == 3) continue;
        rounds++;
    } while (n < 8 && rounds++ < 100);
    out[18] = n;
    out[19] = rounds;
    int k = 0;
    for (int i = 0, j = 10; i < j; i++, j -= 2) k += j - i;
    out[20] = k;
    int m = ({ int t = 3; t *= 2; t + 1; });
    out[21] = m;
    do { k = 99; } while (0);
    out[22] = k;
    for (; k > 90;) k -= 2;
    out[23] = k;
    int s = 0;
    for (int i = 0; i < 5; ++i) {
        do {
            if (i == 3) break;
            s += i;
        } while (0);
        s += 100;
    }
    out[24] = s;
    const int limit = 4;
    int table[limit + 1] = {};
    for (int& v : table) v = ++s;
    for (int v : table) out[25] = v;
    out[26] = table[0] + table[limit];
    int bits = 0;
    for (unsigned u = 3; u != 0; u *= 2) bits++;
    out[27] = bits;
    bool flag = false;
    flag |= k > 3;
    flag &= !(k > 1000);
    out[28] = flag;
    if (k == 0) ; else out[29] = 12;
    count += 3;
    count++;
    out[30] = count;
    int a = 3, b = 4;
    a ^= b; b ^= a; a ^= b;
    out[31] = a * 10 + b;
    long long hash = 5381;
    for (const char* p = "lowering"; *p; ++p) hash = hash * 33 + *p;
    out[32] = hash;
    switch (a) case 4: out[33] = 44;
    int never = 0;
    if (false) never = 1;
    out[34] = never;
}

__device__ int tick(int& clock) { return ++clock; }
// A condition whose value is known still does what it does.
__global__ void known_conditions(long long* out, double* real) {
    int a = 1, b = 0, clock = 0;
    out[0] = ((a = 5), 1) ? a : -a;
    out[1] = a;
    if ((b = 3), true) out[2] = b;
    if (tick(clock) || true) out[3] = clock;
    while (tick(clock) && false) out[4] = 99;
    out[5] = clock;
    out[6] = (tick(clock), 7);
    out[7] = clock;
    for (int i = 0; (a += 2, i < 2); i++) b += a;
    out[8] = a;
    out[9] = b;
    out[10] = sizeof(clock++) + clock;
}

__device__ int first_pair(const int* list, int n, int wanted) {
    int i, j, found = -1;
    for (i = 0; i < n; i++) {
        for (j = 0; j < n; j++) {
            if (list[i] + list[j] == wanted) goto done;
            switch (list[j]) {
                case 7: goto next;
                case 9: found = -9; goto fail;
                default: break;
            }
        }
    next:;
    }
    goto fail;
done:
    found = i * 10 + j;
fail:
    return found;
}
__device__ int rounds(int n) {
    int steps = 0;
again:
    if (n == 1) goto end;
    steps++;
    if (n % 2) {
        n = 3 * n + 1;
        goto again;
    }
    n /= 2;
    if (steps < 100) goto again;
end:
    return steps;
}
// Forward and backward, out of loops and switches, with outer loops left from inside a labelled block.
__global__ void jumps(long long* out, double* real) {
    int list[6] = {3, 4, 7, 11, 9, 2};
    for (int w = 0; w < 16; w++) out[w] = first_pair(list, 6, w);
    out[16] = rounds(27);
    out[17] = rounds(6);
    int total = 0, k = 0;
    for (int i = 0; i < 8; i++) {
        int tries = 0;
    retry:
        tries++;
        if (i == 2) continue;
        if (i == 6) break;
        for (int j = 0; j < 3; j++) {
            if (tries * 3 + j < i) goto retry;
            if (j == 1 && i == 4) goto skip;
        }
        total += 100;
    skip:
        total += tries;
        while (true) {
            k++;
            if (k % 3) goto inner;
            goto leave;
        inner:
            if (k % 5 == 0) break;
        }
        total += 1000;
    leave:;
    }
    out[18] = total;
    out[19] = k;
    int n = 0;
    {
    one:
        n = n * 2 + 1;
        if (n < 10) goto two;
        goto three;
    two:
        n += 5;
        if (n & 1) goto one;
        goto two;
    }
three:
    out[20] = n;
}
