// The limit: the same rings over the same shared memory in C++, called from the same forked and pinned harness.
//
// In      the address of a region laid out as mmfast/rings/layout.py says.
// Out     the loops ping, pong, produce, consume of loops.py, one set for each kind of ring and size of record.
// Source  rigtorp/SPSCQueue for the cached index; the others are mmfast's own protocols.

#include <atomic>
#include <cstdint>
#include <cstring>
#include <ctime>

using i64 = int64_t;
enum { CAPACITY = 40, HEAD = 128, TAIL_CACHE = 256, TAIL = 384, HEAD_CACHE = 640, SLOTS = 4096, CELL_HEADER = 128 };

static inline i64 now_ns() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// The record must really be in memory: nothing known about it, no copy of it left out.
#define ESCAPE(x) asm volatile("" : : "r"(&(x)) : "memory")

template <int S> struct Record { i64 w[S / 8]; };

struct Region {
    char *at;
    std::atomic<i64> &word(i64 offset) const { return *reinterpret_cast<std::atomic<i64> *>(at + offset); }
    i64 relaxed(i64 offset) const { return word(offset).load(std::memory_order_relaxed); }
    i64 acquire(i64 offset) const { return word(offset).load(std::memory_order_acquire); }
    void release(i64 offset, i64 v) const { word(offset).store(v, std::memory_order_release); }
    void relax(i64 offset, i64 v) const { word(offset).store(v, std::memory_order_relaxed); }
};

// Every kind: push copies a prepared record and writes two words in the slot; pop returns the next position.
template <int S> struct Lossless : Region {
    i64 capacity;
    i64 slot(i64 n) const { return SLOTS + (n & (capacity - 1)) * S; }
    explicit Lossless(char *a) : Region{a}, capacity(relaxed(CAPACITY)) {}
    char *claim(i64 n) const {
        while (n - relaxed(TAIL_CACHE) >= capacity) relax(TAIL_CACHE, acquire(TAIL));
        return at + slot(n);
    }
};

template <int S> struct CachedIndex : Lossless<S> {
    using L = Lossless<S>;
    using L::L;
    void push(const Record<S> &r, i64 x, i64 y) const {
        i64 n = L::relaxed(HEAD), *p = reinterpret_cast<i64 *>(L::claim(n));
        std::memcpy(p, &r, S);
        p[1] = x, p[2] = y;
        L::release(HEAD, n + 1);
    }
    i64 pop(i64 n, Record<S> &out) const {
        while (n == L::relaxed(HEAD_CACHE)) L::relax(HEAD_CACHE, L::acquire(HEAD));
        std::memcpy(&out, L::at + L::slot(n), S);
        ESCAPE(out);
        L::release(TAIL, n + 1);
        return n + 1;
    }
};

template <int S> struct NumberInSlot : Lossless<S> {
    using L = Lossless<S>;
    using L::L;
    void push(const Record<S> &r, i64 x, i64 y) const {
        i64 n = L::relaxed(HEAD), *p = reinterpret_cast<i64 *>(L::claim(n));
        std::memcpy(p + 1, r.w + 1, S - 8);
        p[1] = x, p[2] = y;
        L::release(L::slot(n), n);
        L::release(HEAD, n + 1);
    }
    i64 pop(i64 n, Record<S> &out) const {
        while (L::acquire(L::slot(n)) != n) {}
        std::memcpy(&out, L::at + L::slot(n), S);
        ESCAPE(out);
        L::release(TAIL, n + 1);
        return n + 1;
    }
};

template <int S> struct Broadcast : Lossless<S> {
    using L = Lossless<S>;
    using L::L;
    void push(const Record<S> &r, i64 x, i64 y) const {
        i64 n = L::relaxed(HEAD), *p = reinterpret_cast<i64 *>(L::at + L::slot(n));
        L::relax(L::slot(n), -(n + 2));
        std::atomic_thread_fence(std::memory_order_release);
        std::memcpy(p + 1, r.w + 1, S - 8);
        p[1] = x, p[2] = y;
        L::release(L::slot(n), n);
        L::release(HEAD, n + 1);
    }
    i64 pop(i64 n, Record<S> &out) const {
        for (;;) {
            i64 mark = L::acquire(L::slot(n));
            if (mark == n) {
                std::memcpy(&out, L::at + L::slot(n), S);
                ESCAPE(out);
                std::atomic_thread_fence(std::memory_order_acquire);
                if (L::relaxed(L::slot(n)) == n) return n + 1;
                mark = n + L::capacity;
            }
            if (mark > n || mark < -(n + 2)) {
                i64 behind = L::acquire(HEAD) - L::capacity / 2;
                n = behind > n ? behind : n + 1;
            }
        }
    }
};

template <int S> struct Cell : Region {
    explicit Cell(char *a) : Region{a + SLOTS} {}
    void push(const Record<S> &r, i64 x, i64 y) const {
        i64 version = relaxed(0) | 1, *p = reinterpret_cast<i64 *>(at + CELL_HEADER);
        relax(0, version);
        std::atomic_thread_fence(std::memory_order_release);
        std::memcpy(p + 1, r.w + 1, S - 8);
        p[1] = x, p[2] = y;
        release(0, version + 1);
    }
    i64 pop(i64 seen, Record<S> &out) const {
        for (;;) {
            i64 version = acquire(0);
            if (version == seen || version & 1) continue;
            std::memcpy(&out, at + CELL_HEADER, S);
            ESCAPE(out);
            std::atomic_thread_fence(std::memory_order_acquire);
            if (relaxed(0) == version) return version;
        }
    }
};

template <class Q, int S> struct Loops {
    static i64 ping(char *there, char *back, i64 count, i64 *stamps) {
        Q a(there), b(back);
        Record<S> prepared{}, in;
        ESCAPE(prepared);
        i64 wrong = 0, position = 0;
        for (i64 i = 0; i < count; i++) {
            a.push(prepared, i, 0);
            position = b.pop(position, in);
            wrong += in.w[1] != i;
            stamps[i] = now_ns();
        }
        return wrong;
    }
    static void pong(char *there, char *back, i64 count) {
        Q a(there), b(back);
        Record<S> in;
        i64 position = 0;
        for (i64 i = 0; i < count; i++) {
            position = a.pop(position, in);
            b.push(in, in.w[1], 0);
        }
    }
    static void produce(char *there, i64 count) {
        Q a(there);
        Record<S> prepared{};
        ESCAPE(prepared);
        for (i64 i = 0; i < count; i++) a.push(prepared, i, 0);
    }
    static i64 consume(char *there, i64 count) {
        Q a(there);
        Record<S> in;
        in.w[1] = -1;
        i64 received = 0, position = 0, before = -1;
        while (in.w[1] != count - 1) {
            position = a.pop(position, in);
            if (in.w[1] <= before) return -1;
            before = in.w[1];
            received++;
        }
        return received;
    }
};

#define EXPORT(KIND, S)                                                                                              \
    extern "C" i64 ping_##KIND##_##S(char *a, char *b, i64 n, i64 *s) { return Loops<KIND<S>, S>::ping(a, b, n, s); } \
    extern "C" void pong_##KIND##_##S(char *a, char *b, i64 n) { Loops<KIND<S>, S>::pong(a, b, n); }                  \
    extern "C" void produce_##KIND##_##S(char *a, i64 n) { Loops<KIND<S>, S>::produce(a, n); }                        \
    extern "C" i64 consume_##KIND##_##S(char *a, i64 n) { return Loops<KIND<S>, S>::consume(a, n); }
#define BOTH(KIND) EXPORT(KIND, 64) EXPORT(KIND, 896)
BOTH(CachedIndex) BOTH(NumberInSlot) BOTH(Broadcast) BOTH(Cell)

// One cache line passed to and fro: the floor of any hop, and how far the two cores are apart just now.
extern "C" i64 line_ping(std::atomic<i64> *line, i64 count) {
    i64 start = now_ns();
    for (i64 i = 0; i < count; i++) {
        line->store(2 * i + 1, std::memory_order_release);
        while (line->load(std::memory_order_acquire) != 2 * i + 2) {}
    }
    return now_ns() - start;
}
extern "C" void line_pong(std::atomic<i64> *line, i64 count) {
    for (i64 i = 0; i < count; i++) {
        while (line->load(std::memory_order_acquire) != 2 * i + 1) {}
        line->store(2 * i + 2, std::memory_order_release);
    }
}
