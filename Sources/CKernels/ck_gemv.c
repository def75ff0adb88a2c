// The weights are read once and nothing else matters: several rows at a time give the memory system
// several streams, and two accumulators a row keep the additions off the critical path.
#include "ck_activate.h"
#include "ck_dispatch.h"
#include "ck_linear.h"

typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));
enum { WIDTH = 16, ROWS = 4 };

CK_INLINE float total(const lanes *a) {
  float s[8];
  for (int i = 0; i < 8; i++) s[i] = (*a)[i] + (*a)[i + 8];
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

CK_CLONES __attribute__((min_vector_width(512))) void ck_gemv(
    const float *w, const float *x, const float *bias, float *y, size_t rows, size_t columns,
    ck_activation act) {
  const size_t whole = columns / (2 * WIDTH) * (2 * WIDTH);
  size_t m = 0;
  for (; m + ROWS <= rows; m += ROWS) {
    const float *r0 = w + m * columns, *r1 = r0 + columns, *r2 = r1 + columns, *r3 = r2 + columns;
    lanes a0 = {0}, a1 = {0}, a2 = {0}, a3 = {0}, b0 = {0}, b1 = {0}, b2 = {0}, b3 = {0};
    for (size_t k = 0; k < whole; k += 2 * WIDTH) {
      const lanes x0 = *(const lanes *)(x + k), x1 = *(const lanes *)(x + k + WIDTH);
      a0 += *(const lanes *)(r0 + k) * x0;
      a1 += *(const lanes *)(r1 + k) * x0;
      a2 += *(const lanes *)(r2 + k) * x0;
      a3 += *(const lanes *)(r3 + k) * x0;
      b0 += *(const lanes *)(r0 + k + WIDTH) * x1;
      b1 += *(const lanes *)(r1 + k + WIDTH) * x1;
      b2 += *(const lanes *)(r2 + k + WIDTH) * x1;
      b3 += *(const lanes *)(r3 + k + WIDTH) * x1;
    }
    a0 += b0; a1 += b1; a2 += b2; a3 += b3;
    float s0 = total(&a0), s1 = total(&a1), s2 = total(&a2), s3 = total(&a3);
    for (size_t k = whole; k < columns; k++) {
      s0 += r0[k] * x[k];
      s1 += r1[k] * x[k];
      s2 += r2[k] * x[k];
      s3 += r3[k] * x[k];
    }
    y[m] = s0; y[m + 1] = s1; y[m + 2] = s2; y[m + 3] = s3;
  }
  for (; m < rows; m++) {
    const float *r = w + m * columns;
    lanes a = {0}, b = {0};
    for (size_t k = 0; k < whole; k += 2 * WIDTH) {
      a += *(const lanes *)(r + k) * *(const lanes *)(x + k);
      b += *(const lanes *)(r + k + WIDTH) * *(const lanes *)(x + k + WIDTH);
    }
    a += b;
    float s = total(&a);
    for (size_t k = whole; k < columns; k++) s += r[k] * x[k];
    y[m] = s;
  }
  const float none = 0;
  ck_activate_row(y, y, rows, bias ? bias : &none, bias ? 1 : 0, act);
}
