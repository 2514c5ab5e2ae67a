// Containers, strings, smart pointers and algorithms: declarations that let host code resolve.
// Iterators are pointers; nothing here has a body that anyone would run.
#pragma once

namespace std {
struct input_iterator_tag {};
struct output_iterator_tag {};
struct forward_iterator_tag : input_iterator_tag {};
struct bidirectional_iterator_tag : forward_iterator_tag {};
struct random_access_iterator_tag : bidirectional_iterator_tag {};
template <class I> struct iterator_traits {
    typedef typename I::value_type value_type;
    typedef typename I::difference_type difference_type;
    typedef typename I::reference reference;
    typedef typename I::pointer pointer;
    typedef random_access_iterator_tag iterator_category;
};
template <class T> struct iterator_traits<T*> {
    typedef remove_cv_t<T> value_type;
    typedef ptrdiff_t difference_type;
    typedef T& reference;
    typedef T* pointer;
    typedef random_access_iterator_tag iterator_category;
};
template <class C, class T, class D = ptrdiff_t, class P = T*, class R = T&> struct iterator {
    typedef T value_type;
    typedef D difference_type;
    typedef P pointer;
    typedef R reference;
    typedef C iterator_category;
};
template <class T> struct allocator {
    typedef T value_type;
    allocator();
    template <class U> allocator(const allocator<U>&);
    T* allocate(size_t);
    void deallocate(T*, size_t);
};

// What sequences share.
template <class T> struct __shim_sequence {
    typedef T value_type;
    typedef T& reference;
    typedef const T& const_reference;
    typedef T* pointer;
    typedef T* iterator;
    typedef const T* const_iterator;
    typedef T* reverse_iterator;
    typedef const T* const_reverse_iterator;
    typedef size_t size_type;
    typedef ptrdiff_t difference_type;
    T& operator[](size_t);
    const T& operator[](size_t) const;
    T& at(size_t);
    const T& at(size_t) const;
    T& front();
    const T& front() const;
    T& back();
    const T& back() const;
    T& top();
    T* data();
    const T* data() const;
    T* begin();
    const T* begin() const;
    const T* cbegin() const;
    T* end();
    const T* end() const;
    const T* cend() const;
    T* rbegin();
    const T* rbegin() const;
    T* rend();
    const T* rend() const;
    size_t size() const;
    size_t max_size() const;
    size_t capacity() const;
    bool empty() const;
    void clear();
    void reserve(size_t);
    void resize(size_t);
    void resize(size_t, const T&);
    void shrink_to_fit();
    void push_back(const T&);
    void push_front(const T&);
    void push(const T&);
    void pop();
    void pop_back();
    void pop_front();
    template <class... A> T& emplace_back(A&&...);
    template <class... A> T& emplace_front(A&&...);
    template <class... A> T& emplace(A&&...);
    template <class... A> T* insert(A&&...);
    template <class... A> T* erase(A...);
    template <class... A> void assign(A...);
    void assign(initializer_list<T>);
    void fill(const T&);
    template <class... A> void sort(A...);
    template <class... A> void remove(A...);
    template <class... A> void splice(A&&...);
    void unique();
    void reverse();
};
#define SHIM_SEQUENCE(name)                                              \
    template <class T, class A = allocator<T>> struct name : __shim_sequence<T> { \
        name();                                                          \
        explicit name(size_t);                                           \
        name(size_t, const T&);                                          \
        name(initializer_list<T>);                                       \
        template <class I, class = enable_if_t<!__is_arithmetic(I)>> name(I, I);  \
        name(const name&);                                               \
        name(name&&);                                                    \
        name& operator=(const name&);                                    \
        name& operator=(name&&);                                         \
        name& operator=(initializer_list<T>);                            \
        void swap(name&);                                                \
    };                                                                   \
    template <class T> bool operator==(const name<T>&, const name<T>&);  \
    template <class T> bool operator!=(const name<T>&, const name<T>&);  \
    template <class T> bool operator<(const name<T>&, const name<T>&);   \
    template <class I, class = enable_if_t<!__is_arithmetic(I)>>         \
    name(I, I) -> name<typename iterator_traits<I>::value_type>;
SHIM_SEQUENCE(vector)
SHIM_SEQUENCE(deque)
SHIM_SEQUENCE(list)
SHIM_SEQUENCE(forward_list)
SHIM_SEQUENCE(valarray)
#undef SHIM_SEQUENCE
template <class T, class C = deque<T>> struct stack : C {};
template <class T, class C = deque<T>> struct queue : C {};
template <class T, class C = vector<T>, class L = less<T>> struct priority_queue : C {
    priority_queue();
    template <class... A> priority_queue(A&&...);
    const T& top() const;
};

template <class T, size_t N> struct array {
    typedef T value_type;
    typedef T* iterator;
    typedef const T* const_iterator;
    typedef size_t size_type;
    T __data[N ? N : 1];
    constexpr T& operator[](size_t i) { return __data[i]; }
    constexpr const T& operator[](size_t i) const { return __data[i]; }
    constexpr T& at(size_t i) { return __data[i]; }
    constexpr const T& at(size_t i) const { return __data[i]; }
    constexpr T* data() { return __data; }
    constexpr const T* data() const { return __data; }
    constexpr T* begin() { return __data; }
    constexpr const T* begin() const { return __data; }
    constexpr T* end() { return __data + N; }
    constexpr const T* end() const { return __data + N; }
    constexpr T& front() { return __data[0]; }
    constexpr T& back() { return __data[N - 1]; }
    constexpr const T& front() const { return __data[0]; }
    constexpr const T& back() const { return __data[N - 1]; }
    constexpr size_t size() const { return N; }
    constexpr bool empty() const { return N == 0; }
    constexpr void fill(const T& v) { for (size_t i = 0; i < N; i++) __data[i] = v; }
};
template <class T, class... U> array(T, U...) -> array<T, 1 + sizeof...(U)>;
template <size_t I, class T, size_t N> constexpr T& get(array<T, N>& a) { return a[I]; }
template <class T, size_t N> struct tuple_size<array<T, N>> : integral_constant<size_t, N> {};
template <class T, size_t N> bool operator==(const array<T, N>&, const array<T, N>&);
template <size_t N> struct bitset {
    bitset(unsigned long long = 0);
    bool operator[](size_t) const;
    bool test(size_t) const;
    size_t count() const;
    bitset& set();
    bitset& set(size_t, bool = true);
    bitset& reset();
    bitset& flip();
    unsigned long to_ulong() const;
    unsigned long long to_ullong() const;
};

template <class V> struct __shim_node_iterator {
    typedef V value_type;
    typedef ptrdiff_t difference_type;
    typedef V& reference;
    typedef V* pointer;
    V& operator*() const;
    V* operator->() const;
    __shim_node_iterator& operator++();
    __shim_node_iterator operator++(int);
    __shim_node_iterator& operator--();
    bool operator==(const __shim_node_iterator&) const;
    bool operator!=(const __shim_node_iterator&) const;
};
template <class K, class V> struct __shim_associative {
    typedef K key_type;
    typedef V value_type;
    typedef __shim_node_iterator<V> iterator;
    typedef __shim_node_iterator<const V> const_iterator;
    typedef size_t size_type;
    iterator begin();
    const_iterator begin() const;
    const_iterator cbegin() const;
    iterator end();
    const_iterator end() const;
    const_iterator cend() const;
    iterator rbegin();
    iterator rend();
    iterator find(const K&);
    const_iterator find(const K&) const;
    iterator lower_bound(const K&);
    iterator upper_bound(const K&);
    pair<iterator, iterator> equal_range(const K&);
    size_t count(const K&) const;
    bool contains(const K&) const;
    size_t size() const;
    bool empty() const;
    void clear();
    void reserve(size_t);
    pair<iterator, bool> insert(const V&);
    template <class I> void insert(I, I);
    template <class... A> pair<iterator, bool> emplace(A&&...);
    template <class... A> pair<iterator, bool> try_emplace(A&&...);
    iterator erase(iterator);
    size_t erase(const K&);
};
#define SHIM_MAP(name, extra)                                                            \
    template <class K, class V, class... X> struct name : __shim_associative<K, pair<const K, V>> { \
        typedef V mapped_type;                                                           \
        name();                                                                          \
        name(initializer_list<pair<const K, V>>);                                        \
        template <class... A> name(const A&...);                                         \
        V& operator[](const K&);                                                         \
        V& at(const K&);                                                                 \
        const V& at(const K&) const;                                                     \
    };
#define SHIM_SET(name)                                                       \
    template <class K, class... X> struct name : __shim_associative<K, K> {  \
        name();                                                              \
        name(initializer_list<K>);                                           \
        template <class... A> name(const A&...);                             \
    };
SHIM_MAP(map, ) SHIM_MAP(multimap, ) SHIM_MAP(unordered_map, ) SHIM_MAP(unordered_multimap, )
SHIM_SET(set) SHIM_SET(multiset) SHIM_SET(unordered_set) SHIM_SET(unordered_multiset)
#undef SHIM_MAP
#undef SHIM_SET

template <class C, class... X> struct basic_string : __shim_sequence<C> {
    static constexpr size_t npos = size_t(-1);
    basic_string();
    basic_string(const C*);
    basic_string(const C*, size_t);
    basic_string(size_t, C);
    basic_string(const basic_string&);
    basic_string(const basic_string&, size_t, size_t = npos);
    template <class I, class = enable_if_t<!__is_arithmetic(I)>> basic_string(I, I);
    basic_string(initializer_list<C>);
    basic_string& operator=(const basic_string&);
    basic_string& operator=(const C*);
    basic_string& operator=(C);
    basic_string& operator+=(const basic_string&);
    basic_string& operator+=(const C*);
    basic_string& operator+=(C);
    template <class... A> basic_string& append(A...);
    template <class... A> basic_string& replace(A...);
    template <class... A> int compare(A...) const;
    template <class... A> size_t find(const A&...) const;
    template <class... A> size_t rfind(const A&...) const;
    template <class... A> size_t find_first_of(const A&...) const;
    template <class... A> size_t find_first_not_of(const A&...) const;
    template <class... A> size_t find_last_of(const A&...) const;
    template <class... A> size_t find_last_not_of(const A&...) const;
    bool starts_with(const basic_string&) const;
    bool ends_with(const basic_string&) const;
    basic_string substr(size_t = 0, size_t = npos) const;
    const C* c_str() const;
    size_t length() const;
    void swap(basic_string&);
};
typedef basic_string<char> string;
typedef basic_string<wchar_t> wstring;
#define SHIM_COMPARE(op)                          \
    bool operator op(const string&, const string&); \
    bool operator op(const string&, const char*);   \
    bool operator op(const char*, const string&);
SHIM_COMPARE(==) SHIM_COMPARE(!=) SHIM_COMPARE(<) SHIM_COMPARE(>) SHIM_COMPARE(<=) SHIM_COMPARE(>=)
#undef SHIM_COMPARE
string operator+(const string&, const string&);
string operator+(const string&, const char*);
string operator+(const char*, const string&);
string operator+(const string&, char);
string operator+(char, const string&);
template <class C, class... X> struct basic_string_view : basic_string<C> {
    basic_string_view();
    basic_string_view(const C*);
    basic_string_view(const C*, size_t);
    basic_string_view(const basic_string<C>&);
};
typedef basic_string_view<char> string_view;
template <class T> string to_string(T);
int stoi(const string&, size_t* = nullptr, int = 10);
long stol(const string&, size_t* = nullptr, int = 10);
long long stoll(const string&, size_t* = nullptr, int = 10);
unsigned long stoul(const string&, size_t* = nullptr, int = 10);
unsigned long long stoull(const string&, size_t* = nullptr, int = 10);
float stof(const string&, size_t* = nullptr);
double stod(const string&, size_t* = nullptr);
namespace literals {
namespace string_literals { string operator""s(const char*, size_t); }
namespace chrono_literals {}
}

template <class P> struct pointer_traits {
    typedef P pointer;
    typedef typename P::element_type element_type;
    typedef ptrdiff_t difference_type;
};
template <class T> struct pointer_traits<T*> {
    typedef T* pointer;
    typedef T element_type;
    typedef ptrdiff_t difference_type;
};
template <class A> struct allocator_traits {
    typedef typename A::value_type value_type;
    typedef value_type* pointer;
    typedef size_t size_type;
};
template <class T> struct default_delete { void operator()(T*) const; };
template <class T> struct default_delete<T[]> { void operator()(T*) const; };
#define SHIM_POINTER(name, parameters, arguments)             \
    template <class T parameters> struct name {               \
        typedef remove_extent_t<T> element_type;              \
        name();                                               \
        name(nullptr_t);                                      \
        explicit name(remove_extent_t<T>*);                   \
        template <class X> name(remove_extent_t<T>*, X);      \
        template <class U> name(const name<U>&);              \
        name(const name&);                                    \
        name(name&&);                                         \
        name& operator=(name&&);                              \
        name& operator=(const name&);                         \
        name& operator=(nullptr_t);                           \
        remove_extent_t<T>* get() const;                      \
        remove_extent_t<T>* release();                        \
        template <class... A> void reset(A...);               \
        remove_extent_t<T>& operator*() const;                \
        remove_extent_t<T>* operator->() const;               \
        remove_extent_t<T>& operator[](size_t) const;         \
        explicit operator bool() const;                       \
        long use_count() const;                               \
        bool operator==(const name&) const;                   \
        bool operator!=(const name&) const;                   \
    };
#define SHIM_COMMA ,
SHIM_POINTER(unique_ptr, SHIM_COMMA class D = default_delete<T>, )
SHIM_POINTER(shared_ptr, , )
SHIM_POINTER(weak_ptr, , )
#undef SHIM_COMMA
#undef SHIM_POINTER
template <class T, class... A> unique_ptr<T> make_unique(A&&...);
template <class T, class... A> shared_ptr<T> make_shared(A&&...);
template <class T, class U> shared_ptr<T> static_pointer_cast(const shared_ptr<U>&);
template <class T, class U> shared_ptr<T> dynamic_pointer_cast(const shared_ptr<U>&);
template <class T> struct enable_shared_from_this {};
struct nullopt_t {};
inline constexpr nullopt_t nullopt{};
template <class T> struct optional {
    optional();
    optional(nullopt_t);
    optional(const T&);
    T& value();
    const T& value() const;
    template <class U> T value_or(U&&) const;
    bool has_value() const;
    explicit operator bool() const;
    T& operator*();
    const T& operator*() const;
    T* operator->();
    const T* operator->() const;
    void reset();
};
template <class... T> struct variant {
    variant();
    template <class U> variant(const U&);
    size_t index() const;
};
template <class T, class... U> T& get(variant<U...>&);
template <class T, class... U> bool holds_alternative(const variant<U...>&);
template <class F, class... V> void visit(F&&, V&&...);
struct any { any(); template <class T> any(const T&); };
template <class T, size_t N = size_t(-1)> struct span : __shim_sequence<T> {
    span();
    template <class... A> span(A&&...);
};

template <class C> auto begin(C& c) -> decltype(c.begin());
template <class C> auto end(C& c) -> decltype(c.end());
template <class T, size_t N> constexpr T* begin(T (&a)[N]) { return a; }
template <class T, size_t N> constexpr T* end(T (&a)[N]) { return a + N; }
template <class C> constexpr auto size(const C& c) -> decltype(c.size()) { return c.size(); }
template <class T, size_t N> constexpr size_t size(const T (&)[N]) { return N; }
template <class C> auto data(C& c) -> decltype(c.data());
template <class I> ptrdiff_t distance(I, I);
template <class I, class N> void advance(I&, N);
template <class I> I next(I, ptrdiff_t = 1);
template <class I> I prev(I, ptrdiff_t = 1);
struct __shim_output { template <class T> __shim_output& operator=(T&&); __shim_output& operator*(); __shim_output& operator++(); };
template <class C> __shim_output back_inserter(C&);
template <class C, class... A> __shim_output inserter(C&, A...);
template <class T> struct ostream_iterator : __shim_output { template <class... A> ostream_iterator(A&&...); };
template <class T> struct istream_iterator { template <class... A> istream_iterator(A&&...); };
template <class T> struct istreambuf_iterator { template <class... A> istreambuf_iterator(A&&...); };
template <class I> I make_move_iterator(I);
template <class I> I make_reverse_iterator(I);

#define SHIM_SAME(f) template <class I, class... A> I f(I, A&&...);
#define SHIM_VOID(f) template <class I, class... A> void f(I, A&&...);
#define SHIM_BOOL(f) template <class I, class... A> bool f(I, A&&...);
SHIM_SAME(find) SHIM_SAME(find_if) SHIM_SAME(find_if_not) SHIM_SAME(lower_bound) SHIM_SAME(upper_bound)
SHIM_SAME(max_element) SHIM_SAME(min_element) SHIM_SAME(unique) SHIM_SAME(remove_if) SHIM_SAME(partition)
SHIM_SAME(stable_partition) SHIM_SAME(rotate) SHIM_SAME(search) SHIM_SAME(adjacent_find) SHIM_SAME(for_each)
SHIM_SAME(fill_n) SHIM_SAME(generate_n) SHIM_SAME(for_each_n)
SHIM_VOID(sort) SHIM_VOID(stable_sort) SHIM_VOID(partial_sort) SHIM_VOID(nth_element) SHIM_VOID(fill)
SHIM_VOID(generate) SHIM_VOID(iota) SHIM_VOID(reverse) SHIM_VOID(shuffle) SHIM_VOID(random_shuffle)
SHIM_VOID(replace) SHIM_VOID(make_heap) SHIM_VOID(push_heap) SHIM_VOID(pop_heap) SHIM_VOID(sort_heap)
SHIM_VOID(swap_ranges) SHIM_VOID(iter_swap)
SHIM_BOOL(equal) SHIM_BOOL(all_of) SHIM_BOOL(any_of) SHIM_BOOL(none_of) SHIM_BOOL(is_sorted)
SHIM_BOOL(binary_search) SHIM_BOOL(next_permutation) SHIM_BOOL(includes) SHIM_BOOL(lexicographical_compare)
#undef SHIM_SAME
#undef SHIM_VOID
#undef SHIM_BOOL
template <class I> I remove(I, I, const typename iterator_traits<I>::value_type&);
template <class I, class... A> ptrdiff_t count(I, A&&...);
template <class I, class... A> ptrdiff_t count_if(I, A&&...);
template <class I, class O> O copy(I, I, O);
template <class I, class N, class O> O copy_n(I, N, O);
template <class I, class O, class F> O copy_if(I, I, O, F);
template <class I, class O> O copy_backward(I, I, O);
template <class I, class O, class F> O transform(I, I, O, F);
template <class I, class J, class O, class F> O transform(I, I, J, O, F);
template <class I, class J, class O, class... A> O merge(I, I, J, J, O, A...);
template <class I, class J, class O, class... A> O set_intersection(I, I, J, J, O, A...);
template <class I, class J, class O, class... A> O set_union(I, I, J, J, O, A...);
template <class I, class J, class O, class... A> O set_difference(I, I, J, J, O, A...);
template <class I> pair<I, I> minmax_element(I, I);
template <class I, class T> pair<I, I> equal_range(I, I, const T&);
template <class I, class J, class... A> pair<I, J> mismatch(I, I, J, A...);
template <class I, class T> T accumulate(I, I, T);
template <class I, class T, class F> T accumulate(I, I, T, F);
template <class I> auto reduce(I, I) -> typename iterator_traits<I>::value_type;
template <class I, class T, class... A> T reduce(I, I, T, A...);
template <class I, class J, class T, class... A> T inner_product(I, I, J, T, A...);
template <class I, class O, class... A> O partial_sum(I, I, O, A...);
template <class I, class O, class... A> O exclusive_scan(I, I, O, A...);
template <class I, class O, class... A> O inclusive_scan(I, I, O, A...);
template <class I, class O, class... A> O adjacent_difference(I, I, O, A...);
template <class T> constexpr T gcd(T a, T b) { return b == 0 ? a : std::gcd(b, a % b); }
template <class T> constexpr T lcm(T a, T b) { return a / std::gcd(a, b) * b; }
}
