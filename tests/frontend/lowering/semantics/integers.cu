// Promotions, conversions, wraparound, compound assignment, increments.
__device__ int twice(int x) { return 2 * x; }
__device__ int bump(int* p) { *p += 10; return *p; }

__global__ void promotions(long long* out, double* real) {
    unsigned char c = 200, d = 100;
    signed char s = -7;
    short h = -300;
    out[0] = c + d;
    out[1] = (unsigned char)(c + d);
    c += 100;
    out[2] = c;
    c <<= 1;
    out[3] = c;
    out[4] = ~d;
    out[5] = s / 2;
    out[6] = s % 3;
    out[7] = s >> 1;
    out[8] = (unsigned char)s >> 1;
    out[9] = h * h * h;
    unsigned u = 5;
    out[10] = (u - 6) > 0;
    out[11] = -1 < (int)u;
    out[12] = (long long)(-1 < u ? 1 : 2);
    out[13] = u - 6;
    out[14] = (long long)(u - 6u) + 1;
    out[15] = -7 / 2 * 2 + -7 % 2;
    long long big = 0x7fffffff;
    out[16] = big + 1;
    out[17] = (int)(unsigned)(big + 1);
    out[18] = 1u << 31;
    out[19] = 1ll << 40;
    s *= 20;
    out[20] = s;
    h += 40000;
    out[21] = h;
    out[22] = 'a' + 1;
    bool b = 7;
    out[23] = b + b;
    b += 5;
    out[24] = b;
    out[25] = sizeof(int) - 5 > 0;
    out[26] = (char)0x81;
    out[27] = 0xffffffff == -1;
    out[28] = (short)40000 + (unsigned short)40000;
    out[29] = !7 + !!9;
    u /= 2;
    out[30] = u;
    int n = -8;
    n >>= 1;
    out[31] = n;
    n /= 3u;
    out[32] = n;
    unsigned long long w = 0xdeadbeefcafef00dull;
    out[33] = (int)(w >> 7);
    out[34] = (long long)(w * 0x9e3779b97f4a7c15ull);
    c = 255;
    c++;
    out[35] = c;
    c--;
    out[36] = c--;
    out[37] = c;
    out[38] = (unsigned short)-1 * (unsigned short)1;
}

__global__ void floats(long long* out, double* real) {
    float f = 0.1f;
    real[0] = f * 3;
    real[1] = f * 3.0;
    real[2] = f + 0.2;
    float g = 1;
    g += 1e-8;
    real[3] = g;
    g += 0.1;
    real[4] = g;
    int i = 7;
    i *= 1.5;
    out[0] = i;
    i += 0.9f;
    out[1] = i;
    real[5] = i / 2;
    real[6] = i / 2.0f;
    out[2] = (int)-2.7f;
    out[3] = (unsigned char)3.9;
    real[7] = 16777217;
    real[8] = 16777217.0f;
    float h = 16777216;
    h++;
    real[9] = h;
    unsigned u = 4000000000u;
    real[10] = (float)u;
    real[11] = (float)0xffffffffffffffffull;
    real[12] = 1 / 3;
    real[13] = 1.f / 3;
    real[14] = i > 0 ? 1 : 0.5f;
    out[4] = (bool)0.5f;
    out[5] = 0.1f == 0.1;
    double d = f;
    f = d * d;
    real[15] = f;
    i = 3;
    i -= 0.5;
    out[6] = i;
    real[16] = -f;
    real[17] = 5 - f / 2 * 3;
}

__global__ void order(long long* out, double* real) {
    int i = 0;
    int a[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    a[i++] = 10;
    a[i++] += a[5];
    out[0] = i;
    out[1] = a[0];
    out[2] = a[1];
    out[3] = a[++i] + i * 100;
    int x = 5, y;
    y = x = 9;
    out[4] = x + y;
    y = (x += 3, x * 2);
    out[5] = y;
    out[6] = x++ + 100 * x;
    out[7] = x;
    int z = 1;
    int t = z + bump(&z) * 100;
    out[8] = z;
    out[9] = t > 1000;
    (x = 4) += 6;
    out[10] = x;
    ++(x *= 2);
    out[11] = x;
    int* p = a;
    *p++ = 77;
    out[12] = a[0];
    out[13] = *p;
    out[14] = *++p;
    out[15] = (*p)++;
    out[16] = *p;
    out[17] = p - a;
    p += 2;
    out[18] = p[-1];
    out[19] = 2[p];
    out[20] = &a[7] - p;
    out[21] = p > a && p < a + 8;
    a[2] = a[3] = a[4] = 42;
    out[22] = a[2] + a[3] + a[4];
    i = 0;
    out[23] = (i++ == 0) && (i++ == 1) && (i++ == 5) && (i++ == 3);
    out[24] = i;
    out[25] = (i-- > 0) || (i-- > 0);
    out[26] = i;
    out[27] = i > 1 ? i++ : i--;
    out[28] = i;
    int q[2][3] = {{1, 2, 3}, {4, 5, 6}};
    i = 0;
    q[i++][i] = 50;
    out[29] = q[0][1];
    out[30] = twice(i) + twice(i += 2) * 10;
    int* row = q[1];
    out[31] = *(row + 1) + row[2] + (*(q + 1))[0];
    i = 3;
    i = i++ + 1;
    out[32] = i;
    out[33] = (i, 7);
    a[a[0] - 76] = 5;
    out[34] = a[1];
    int k = 2;
    k <<= k;
    k ^= k << 1;
    out[35] = k;
}

__global__ void shadowing(long long* out, double* real) {
    int x = 1;
    {
        int x = 2;
        out[0] = x;
        for (int x = 5; x < 7; x++) {
            out[1] = x;
            {
                int x = 9;
                out[2] = x++ * 2 + x;
            }
        }
        x += 10;
        out[3] = x;
    }
    out[4] = x;
    for (int x = 0; x < 3; ++x) out[5] = x;
    if (int x = twice(3)) {
        out[6] = x;
    } else {
        out[7] = x;
    }
    out[8] = x;
    int x_2 = 40;
    {
        int x = 50;
        out[9] = x + x_2;
    }
    while (int y = x < 4 ? x : 0) {
        out[10 + y] = y;
        x++;
    }
    out[14] = x;
}

__global__ void names(long long* out, double* real) {
    int _t1 = 1, _tmp = 2, _t2 = 3;
    out[1] = bump(&_tmp) + bump(&_t1) * 100;
    out[2] = _t2++ + _tmp--;
    out[3] = _t1 * 100 + _t2;
    int this_ = 4, kernel = 5, let = 6, shared = 7, f32 = 8, opaque = 9;
    out[4] = this_ + kernel * let + shared * f32 - opaque;
}
