// Structs, unions, bit-fields, constructors, methods, operators, lambdas, templates, function pointers.
struct Point {
    float x, y;
    int tag;
    __device__ float dot(const Point& o) const { return x * o.x + y * o.y; }
    __device__ Point& scale(float f) { x *= f; y *= f; return *this; }
};
struct Counter {
    int n = 5;
    int step;
    __device__ Counter(int s = 2) : step(s) { n += step; }
    __device__ Counter operator+(const Counter& o) const { Counter r(step + o.step); r.n = n + o.n; return r; }
    __device__ Counter& operator+=(int k) { n += k; return *this; }
    __device__ Counter operator++(int) { Counter old = *this; n += step; return old; }
    __device__ operator int() const { return n; }
    __device__ int operator()(int a) const { return n * a; }
    __device__ int& operator[](int i) { return i ? step : n; }
    static const int limit = 70;
};
struct Base {
    int a = 1;
    __device__ int sum() const { return a + extra(); }
    __device__ int extra() const { return 100; }
};
struct Derived : Base {
    int b;
    Counter inner;
    __device__ Derived(int b_) : b(b_), inner(3) { a = b * 2; }
    __device__ int all() { return sum() + b + inner.n; }
};
union Bits { unsigned u; float f; unsigned char c[4]; };
struct Packed { unsigned a : 3, b : 7; int c : 9; unsigned char d; unsigned long long e : 40; };
struct Mixed { char c; double d; short s[3]; union { int i; float f; }; struct { int in; } named; };
enum Color { RED, GREEN = 5, BLUE };
enum class Size : unsigned char { SMALL = 250, LARGE };
template <class T, int N> struct Stack {
    T data[N];
    int top = 0;
    __device__ void push(T v) { if (top < N) data[top++] = v; }
    __device__ T pop() { return data[--top]; }
};
template <class T> __device__ T biggest(T a, T b) { return a > b ? a : b; }
template <class F> __device__ int apply(F f, int n) { int r = 0; for (int i = 0; i < n; ++i) r += f(i); return r; }
template <int N> __device__ int unrolled() { if constexpr (N == 0) return 0; else return N + unrolled<N - 1>(); }
template <class... A> __device__ int total(A... a) { return (0 + ... + a); }
__device__ int plus1(int x) { return x + 1; }
__device__ int square(int x) { return x * x; }
__device__ int defaults(int a, int b = 3, int c = 4) { return a * 100 + b * 10 + c; }
__device__ void swap_refs(int& a, int& b) { int t = a; a = b; b = t; }
__device__ Point make(float x) { return {x, x + 1, 9}; }
__device__ const int& pick_ref(const int& a, const int& b, bool first) { return first ? a : b; }
__constant__ int weights[4] = {1, 2, 4, 8};
__device__ Point origin = {0.5f, 1.5f, 3};
constexpr int cube(int x) { return x * x * x; }
constexpr float LUT[3] = {0.25f, 0.5f};

__global__ void structs(long long* out, double* real) {
    Point p = {1, 2}, q = {.x = 3, .tag = 8};
    real[0] = p.dot(q);
    real[1] = p.scale(2).scale(1.5f).y;
    out[0] = p.tag + q.tag;
    Point r = p;
    r.x = 100;
    real[2] = p.x + r.x;
    Point* pp = &r;
    pp->y += 1;
    (*pp).tag = 77;
    real[3] = r.y;
    out[1] = r.tag;
    real[4] = make(4).y + make(5).x;
    Point list[2] = {1, 2, 3, 4, 5};
    real[5] = list[0].y + list[1].x;
    out[2] = list[1].tag;
    list[1] = list[0];
    out[3] = list[1].tag;
    auto [a, b, c] = list[0];
    a += 10;
    real[6] = a + b + list[0].x;
    auto& [ra, rb, rc] = list[1];
    rc = 55;
    out[4] = list[1].tag + c;
    real[7] = origin.x + origin.y;
    origin.tag += weights[threadIdx.x + 2];
    out[5] = origin.tag;
    Bits bits;
    bits.f = 1.0f;
    out[6] = bits.u;
    out[7] = bits.c[3];
    bits.c[0] = 1;
    out[8] = bits.u;
    Bits other = {0x40490fdb};
    real[8] = other.f;
    Packed k = {5, 100, -200, 7, 0x123456789aull};
    out[9] = k.a; out[10] = k.b; out[11] = k.c; out[12] = k.d; out[13] = k.e;
    k.a += 6;
    k.c -= 100;
    k.b = 300;
    k.e <<= 1;
    out[14] = k.a; out[15] = k.b; out[16] = k.c; out[17] = k.e;
    out[18] = sizeof(Packed) * 100 + sizeof(Mixed);
    Mixed m = {};
    m.f = 2.0f;
    m.s[2] = -3;
    m.named.in = 6;
    out[19] = m.i + m.s[2] + m.named.in;
    Mixed copy = m;
    copy.d = 0.1;
    real[9] = copy.d + m.d + copy.f;
    out[20] = GREEN + BLUE;
    out[21] = (int)Size::LARGE;
    Color color = (Color)(RED + 6);
    out[22] = color == BLUE;
    out[23] = cube(3) + sizeof(Point);
    real[10] = LUT[1] + LUT[2];
    int arr[3][4] = {1, 2, 3, 4, 5};
    out[24] = arr[1][0] + arr[2][3];
    char text[] = "hey";
    out[25] = text[1] + sizeof(text);
    struct Local { int v; __device__ int get() { return v + 1; } } local = {41};
    out[26] = local.get();
    reinterpret_cast<int&>(real[11]) = 0;
    unsigned char* bytes = reinterpret_cast<unsigned char*>(&r.tag);
    bytes[1] = 2;
    out[27] = r.tag;
    const Point& alias = list[0];
    list[0].x = 31;
    real[12] = alias.x;
}

__global__ void classes(long long* out, double* real) {
    Counter a, b(7), c{1};
    out[0] = a.n; out[1] = b.n; out[2] = c.n;
    Counter d = a + b;
    out[3] = d.n; out[4] = d.step;
    d += 5;
    out[5] = (int)d++;
    out[6] = d;
    out[7] = d(3);
    d[0] = 1; d[1] += 4;
    out[8] = d.n * 100 + d.step;
    out[9] = Counter::limit + Counter(4).n;
    Derived e(6);
    out[10] = e.all();
    Base* base = &e;
    base->a = 9;
    out[11] = e.sum() + base->a;
    Base sliced = e;
    sliced.a++;
    out[12] = e.a * 10 + sliced.a;
    Stack<int, 3> s;
    s.push(4); s.push(5); s.push(6); s.push(7);
    out[13] = s.pop() * 10 + s.pop();
    out[14] = biggest(3, 9) + biggest<long long>(1, 2);
    real[0] = biggest(0.5f, 0.25f);
    out[15] = unrolled<5>();
    out[16] = total(1, 2, 3) + total();
    int (*f)(int) = plus1;
    out[17] = f(5);
    f = threadIdx.x == 0 ? square : plus1;
    out[18] = f(5);
    int (*table[2])(int) = {plus1, square};
    out[19] = table[1](9) + (*table[0])(1);
    out[20] = defaults(1) + defaults(1, 2) + defaults(1, 2, 3);
    int x = 1, y = 2;
    swap_refs(x, y);
    out[21] = x * 10 + y;
    out[22] = pick_ref(x, y, false) + pick_ref(3, 4, true);
    Counter many[2];
    many[1] += 1;
    out[23] = many[0].n + many[1].n * 10;
    Counter* heap = &many[0];
    heap[1].n = 3;
    out[24] = (heap + 1)->n;
}

__global__ void lambdas(long long* out, double* real) {
    int base = 10, calls = 0;
    auto by_value = [=](int i) { return base + i; };
    base = 20;
    out[0] = by_value(1);
    auto by_reference = [&](int i) { calls++; return base + i; };
    base = 30;
    out[1] = by_reference(1);
    out[2] = apply(by_reference, 4);
    out[3] = calls;
    auto counter = [n = base * 2]() mutable { return ++n; };
    out[4] = counter() + counter();
    auto mixed = [&calls, base](auto a, auto b) { calls += 100; return a + b + base; };
    out[5] = mixed(1, 2);
    real[0] = mixed(0.5f, 2);
    out[6] = calls;
    out[7] = apply([](int i) { return i * i; }, 4);
    auto outer = [&](int k) { auto inner = [&, k](int j) { calls += j; return k * j + base; }; return inner(3); };
    out[8] = outer(7);
    out[9] = calls;
    int* p = &calls;
    auto pointer = [p](int v) { *p = v; };
    pointer(5);
    out[10] = calls;
    int (*plain)(int) = [](int v) { return v - 1; };
    out[11] = plain(9);
}

struct Four { int a, b, c, d; };
#define AS_FOUR(v) reinterpret_cast<Four&>(v)
__device__ int& choose(int which, int& one, int& two) { return which ? one : two; }
// Casts to references, also in macros and parentheses; conditionals that are written to.
__global__ void seen_as(long long* out, double* real) {
    int list[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    Four& low = (Four&)(list[0]);
    const Four& high = AS_FOUR(list[4]);
    low.b = 20;
    AS_FOUR(list[4]).d += high.a;
    out[0] = list[1];
    out[1] = list[7];
    float f = 1.5f;
    out[2] = (int&)f;
    (unsigned&)(f) ^= 0x80000000u;
    real[0] = f;
    out[3] = (int)f;
    int x = 1, y = 2, i = 0;
    (x > y ? x : y) = 50;
    out[4] = x * 100 + y;
    (i++ ? x : list[i++]) = 7;
    out[5] = list[1] * 10 + i;
    (true ? choose(1, x, y) : choose(0, x, y)) += 3;
    out[6] = x * 1000 + y;
    int bound = 3;
    int& r = bound > 2 ? choose(0, x, y) : x;
    r = 9;
    out[7] = y;
    (x = 4) += 2;
    out[8] = x;
    (x += 1, y) = 77;
    out[9] = x * 100 + y;
    ++(++x);
    out[10] = x;
    short s = -3;
    out[11] = (unsigned short&)s;
    out[12] = reinterpret_cast<const unsigned char&>(s);
    Four copy = (Four&)list[4];
    list[4] = 0;
    out[13] = copy.a;
    int* p = list;
    (i ? *p++ : list[3]) = -1;
    out[14] = list[0] * 10 + (p - list);
}

struct WithDefaults {
    float a, b;
    __device__ WithDefaults(const float& x = 1.5f, const float& y = float()) : a(x), b(y) {}
};
template <class T> __device__ T plus(const T& a, const T& b = T(3)) { return a + b; }
__device__ int bump(int a, const int& by = 7, const int* more = nullptr) { return a + by + (more ? *more : 0); }

__global__ void reference_defaults(long long* out, double* real) {
    int t = threadIdx.x, more = 100;
    if (t) return;
    WithDefaults none, one(2.5f), both(3.5f, 4.5f);
    real[0] = none.a; real[1] = none.b; real[2] = one.a; real[3] = one.b; real[4] = both.a; real[5] = both.b;
    real[6] = plus(2.25); real[7] = plus(2.25, 0.5);
    out[0] = plus(4); out[1] = bump(1); out[2] = bump(1, 2); out[3] = bump(1, 2, &more);
    out[4] = plus<long long>(1LL << 40);
}
