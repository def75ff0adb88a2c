// The weights are read once and nothing else matters, as in ck_gemv.c; fewer bytes of each are fetched,
// and they become float32 in registers.
//
// Halves become floats by one instruction where the processor has it (F16C, and arm64 always), and in
// integer arithmetic elsewhere: one body for both, which gets its way to load halves as an argument.
#include "ck_activate.h"
#include "ck_dispatch.h"
#include "ck_weights.h"

// More rows at a time are more streams from memory, as far as there are registers to sum them up in.
enum { WIDTH = 16, ROWS = 4, MANY_ROWS = 8 };
typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint32_t bits __attribute__((vector_size(64)));
typedef uint16_t halves __attribute__((vector_size(32), aligned(2), may_alias));
typedef int8_t bytes __attribute__((vector_size(16), aligned(1), may_alias));

// Loads WIDTH weights from `w`.
typedef void loading(const void *w, lanes *out);

CK_INLINE void load_bytes(const void *w, lanes *out) {
  *out = __builtin_convertvector(*(const bytes *)w, lanes);
}

// See ck_half_to_float.
CK_INLINE void load_halves_portable(const void *w, lanes *out) {
  const bits h = __builtin_convertvector(*(const halves *)w, bits);
  const bits sign = (h & 0x8000u) << 16, magnitude = (h & 0x7fffu) << 13;
  const bits exponent = magnitude & 0x0f800000u;
  const bits isSmall = (bits)(exponent == 0u), isSpecial = (bits)(exponent == 0x0f800000u);
  const lanes least = (lanes)((bits){0} + 0x38800000u);
  const bits small = (bits)((lanes)(magnitude + 0x38800000u) - least);
  const bits normal = magnitude + 0x38000000u + (isSpecial & 0x38000000u);
  *out = (lanes)((small & isSmall) | (normal & ~isSmall) | sign);
}

CK_INLINE float total(const lanes *a) {
  float s[8];
  for (int i = 0; i < 8; i++) s[i] = (*a)[i] + (*a)[i + 8];
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

#define CK_UNROLL _Pragma("clang loop unroll(full)")

// `load`, `size` (the bytes of a weight) and `most` (how many rows are taken at a time, at most
// MANY_ROWS) are known to the compiler at each place of use.
CK_INLINE void gemv(
    loading *load, size_t size, size_t most, const void *weights, const float *scales,
    const float *x, const float *bias, float *y, size_t rows, size_t columns, ck_activation act) {
  const size_t whole = columns / WIDTH * WIDTH, stride = columns * size;
  // The last columns, with zeros behind them.
  lanes tail = {0};
  for (size_t k = whole; k < columns; k++) tail[k - whole] = x[k];
  for (size_t m = 0; m < rows; m += most) {
    const size_t count = rows - m < most ? rows - m : most;
    const char *r[MANY_ROWS];
    lanes sums[MANY_ROWS], w;
    CK_UNROLL for (size_t i = 0; i < most; i++) {
      // Rows that are not there are the last one again.
      r[i] = (const char *)weights + (m + (i < count ? i : count - 1)) * stride;
      sums[i] = (lanes){0};
    }
    for (size_t k = 0; k < whole; k += WIDTH) {
      const lanes v = *(const lanes *)(x + k);
      CK_UNROLL for (size_t i = 0; i < most; i++) {
        load(r[i] + k * size, &w);
        sums[i] += w * v;
      }
    }
    if (whole < columns) {
      CK_UNROLL for (size_t i = 0; i < most; i++) {
        char rest[WIDTH * 2] = {0};
        __builtin_memcpy(rest, r[i] + whole * size, stride - whole * size);
        load(rest, &w);
        sums[i] += w * tail;
      }
    }
    for (size_t i = 0; i < count; i++) {
      y[m + i] = scales ? total(&sums[i]) * scales[m + i] : total(&sums[i]);
    }
  }
  const float none = 0;
  ck_activate_row(y, y, rows, bias ? bias : &none, bias ? 1 : 0, act);
}

CK_INLINE void widen(
    loading *load, size_t size, const void *weights, size_t ld, const float *scales, size_t rows,
    size_t columns, float *out) {
  const char *w = weights;
  const size_t whole = columns / WIDTH * WIDTH;
  for (size_t m = 0; m < rows; m++) {
    const char *r = w + m * ld * size;
    const float scale = scales ? scales[m] : 1;
    float *y = out + m * columns;
    lanes v;
    for (size_t k = 0; k < whole; k += WIDTH) {
      load(r + k * size, &v);
      *(lanes *)(y + k) = scales ? v * scale : v;
    }
    if (whole < columns) {
      char rest[WIDTH * 2] = {0};
      __builtin_memcpy(rest, r + whole * size, (columns - whole) * size);
      load(rest, &v);
      if (scales) v *= scale;
      __builtin_memcpy(y + whole, &v, (columns - whole) * sizeof(float));
    }
  }
}

#define CK_WIDE __attribute__((min_vector_width(512)))

CK_CLONES CK_WIDE void ck_gemv_bytes(
    const int8_t *w, const float *scales, const float *x, const float *bias, float *y, size_t rows,
    size_t columns, ck_activation act) {
  gemv(load_bytes, 1, ROWS, w, scales, x, bias, y, rows, columns, act);
}

CK_CLONES CK_WIDE void ck_widen_bytes(
    const int8_t *w, size_t ld, const float *scales, size_t rows, size_t columns, float *out) {
  widen(load_bytes, 1, w, ld, scales, rows, columns, out);
}

CK_CLONES CK_WIDE void ck_gemv_halves_portable(
    const uint16_t *w, const float *x, const float *bias, float *y, size_t rows, size_t columns,
    ck_activation act) {
  gemv(load_halves_portable, 2, ROWS, w, 0, x, bias, y, rows, columns, act);
}

CK_CLONES CK_WIDE void ck_widen_halves_portable(
    const uint16_t *w, size_t ld, size_t rows, size_t columns, float *out) {
  widen(load_halves_portable, 2, w, ld, 0, rows, columns, out);
}

#if defined(__x86_64__) || defined(__aarch64__)

typedef _Float16 native __attribute__((vector_size(32), aligned(2), may_alias));

CK_INLINE void load_halves_native(const void *w, lanes *out) {
  *out = __builtin_convertvector(*(const native *)w, lanes);
}

#endif

#if defined(__x86_64__)

// Not CK_CLONES: its default has no such instruction, and the compiler would call a function of the
// C library that older ones lack.
#define CK_HALVES(NAME, TARGET, MOST)                                                          \
  __attribute__((target(TARGET))) CK_WIDE static void gemv_halves_##NAME(                      \
      const uint16_t *w, const float *x, const float *bias, float *y, size_t rows,             \
      size_t columns, ck_activation act) {                                                     \
    gemv(load_halves_native, 2, MOST, w, 0, x, bias, y, rows, columns, act);                   \
  }                                                                                            \
  __attribute__((target(TARGET))) CK_WIDE static void widen_halves_##NAME(                     \
      const uint16_t *w, size_t ld, size_t rows, size_t columns, float *out) {                 \
    widen(load_halves_native, 2, w, ld, 0, rows, columns, out);                                \
  }
CK_HALVES(avx512, "arch=x86-64-v4", MANY_ROWS)
CK_HALVES(avx2, "arch=x86-64-v3", ROWS)
#undef CK_HALVES

// 2 where the first can run, 1 where the second can, else 0: F16C is part of both.
static int halves_level(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return 2;
  return __builtin_cpu_supports("x86-64-v3") ? 1 : 0;
}

void ck_gemv_halves(
    const uint16_t *w, const float *x, const float *bias, float *y, size_t rows, size_t columns,
    ck_activation act) {
  switch (halves_level()) {
    case 2: return gemv_halves_avx512(w, x, bias, y, rows, columns, act);
    case 1: return gemv_halves_avx2(w, x, bias, y, rows, columns, act);
    default: return ck_gemv_halves_portable(w, x, bias, y, rows, columns, act);
  }
}

void ck_widen_halves(
    const uint16_t *w, size_t ld, size_t rows, size_t columns, float *out) {
  switch (halves_level()) {
    case 2: return widen_halves_avx512(w, ld, rows, columns, out);
    case 1: return widen_halves_avx2(w, ld, rows, columns, out);
    default: return ck_widen_halves_portable(w, ld, rows, columns, out);
  }
}

#else

#if defined(__aarch64__)
#define CK_LOAD_HALVES load_halves_native
#else
#define CK_LOAD_HALVES load_halves_portable
#endif

void ck_gemv_halves(
    const uint16_t *w, const float *x, const float *bias, float *y, size_t rows, size_t columns,
    ck_activation act) {
  gemv(CK_LOAD_HALVES, 2, ROWS, w, 0, x, bias, y, rows, columns, act);
}

void ck_widen_halves(
    const uint16_t *w, size_t ld, size_t rows, size_t columns, float *out) {
  widen(CK_LOAD_HALVES, 2, w, ld, 0, rows, columns, out);
}

#endif
