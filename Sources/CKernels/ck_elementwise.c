#include "ck_elementwise.h"
#include "ck_activate.h"
#include "ck_dispatch.h"

static const float zero = 0;

CK_CLONES void ck_activate(const float *x, float *y, size_t count, ck_activation act) {
  const float none = 0;
  ck_activate_row(x, y, count, &none, 0, act);
}

CK_CLONES void ck_bias_activate_rows(
    float *c, size_t rows, size_t columns, size_t ld, const float *bias, ck_activation act) {
  if (!bias && act.kind == CK_IDENTITY) return;
  for (size_t r = 0; r < rows; r++) {
    const float row_bias = bias ? bias[r] : 0;
    ck_activate_row(c + r * ld, c + r * ld, columns, &row_bias, 0, act);
  }
}

CK_CLONES void ck_bias_activate_copy(
    const float *c, size_t ld, size_t rows, size_t columns, const float *bias, ck_activation act,
    float *y) {
  for (size_t r = 0; r < rows; r++) {
    const float row_bias = bias ? bias[r] : 0;
    ck_activate_row(c + r * ld, y + r * columns, columns, &row_bias, 0, act);
  }
}

CK_CLONES void ck_bias_activate_columns(
    float *c, size_t rows, size_t columns, size_t ld, const float *bias, ck_activation act) {
  if (!bias && act.kind == CK_IDENTITY) return;
  for (size_t r = 0; r < rows; r++) {
    float *row = c + r * ld;
    if (bias) {
      ck_activate_row(row, row, columns, bias, 1, act);
    } else {
      ck_activate_row(row, row, columns, &zero, 0, act);
    }
  }
}

#undef CK_EACH
#define CK_EACH(expression)                       \
  _Pragma("clang loop vectorize(assume_safety)")  \
  for (size_t i = 0; i < count; i++) {            \
    float v = x[i];                               \
    y[i] = (expression);                          \
  }                                               \
  break

CK_CLONES void ck_unary(const float *x, float *y, size_t count, int32_t function) {
  switch (function) {
    case CK_NEGATE: CK_EACH(-v);
    case CK_ABSOLUTE: CK_EACH(fabsf(v));
    case CK_EXPONENTIAL: CK_EACH(ck_exp(v));
    case CK_LOGARITHM:
      for (size_t i = 0; i < count; i++) y[i] = ck_log(x[i]);
      break;
    case CK_SQUARE_ROOT: CK_EACH(ck_sqrt(v));
    case CK_RECIPROCAL: CK_EACH(1.0f / v);
    case CK_ERROR_FUNCTION: CK_EACH(ck_erf(v));
    case CK_FLOOR: CK_EACH(floorf(v));
    case CK_CEILING: CK_EACH(ceilf(v));
    default: break;
  }
}

#define CK_PAIRS(expression)                            \
  if (a_step && b_step) {                               \
    _Pragma("clang loop vectorize(assume_safety)")      \
    for (size_t i = 0; i < count; i++) {                \
      float u = a[i], v = b[i];                         \
      y[i] = (expression);                              \
    }                                                   \
  } else if (a_step) {                                  \
    float v = count ? b[0] : 0;                         \
    _Pragma("clang loop vectorize(assume_safety)")      \
    for (size_t i = 0; i < count; i++) {                \
      float u = a[i];                                   \
      y[i] = (expression);                              \
    }                                                   \
  } else {                                              \
    float u = count ? a[0] : 0;                         \
    _Pragma("clang loop vectorize(assume_safety)")      \
    for (size_t i = 0; i < count; i++) {                \
      float v = b[i * b_step];                          \
      y[i] = (expression);                              \
    }                                                   \
  }                                                     \
  break

CK_CLONES void ck_binary(
    const float *a, size_t a_step, const float *b, size_t b_step, float *y, size_t count,
    int32_t function) {
  switch (function) {
    case CK_ADD: CK_PAIRS(u + v);
    case CK_SUBTRACT: CK_PAIRS(u - v);
    case CK_MULTIPLY: CK_PAIRS(u * v);
    case CK_DIVIDE: CK_PAIRS(u / v);
    case CK_MAXIMUM: CK_PAIRS(ck_max(u, v));
    case CK_MINIMUM: CK_PAIRS(ck_min(u, v));
    case CK_EQUAL: CK_PAIRS(u == v ? 1.0f : 0.0f);
    case CK_LESS: CK_PAIRS(u < v ? 1.0f : 0.0f);
    case CK_LESS_OR_EQUAL: CK_PAIRS(u <= v ? 1.0f : 0.0f);
    case CK_GREATER: CK_PAIRS(u > v ? 1.0f : 0.0f);
    case CK_GREATER_OR_EQUAL: CK_PAIRS(u >= v ? 1.0f : 0.0f);
    case CK_POWER:
      if (!b_step && count && (b[0] == 2.0f || b[0] == 0.5f)) {
        int square = b[0] == 2.0f;
        _Pragma("clang loop vectorize(assume_safety)")
        for (size_t i = 0; i < count; i++) {
          float u = a[i * a_step];
          y[i] = square ? u * u : ck_sqrt(u);
        }
      } else {
        for (size_t i = 0; i < count; i++) y[i] = ck_pow(a[i * a_step], b[i * b_step]);
      }
      break;
    default: break;
  }
}

CK_CLONES void ck_choose(
    const float *c, size_t c_step, const float *a, size_t a_step, const float *b, size_t b_step,
    float *y, size_t count) {
  if (c_step && a_step && b_step) {
    _Pragma("clang loop vectorize(assume_safety)")
    for (size_t i = 0; i < count; i++) {
      const float u = a[i], v = b[i];
      y[i] = c[i] != 0 ? u : v;
    }
  } else {
    for (size_t i = 0; i < count; i++) {
      y[i] = c[i * c_step] != 0 ? a[i * a_step] : b[i * b_step];
    }
  }
}

CK_CLONES void ck_affine(const float *x, float scale, float shift, float *y, size_t count) {
  _Pragma("clang loop vectorize(assume_safety)")
  for (size_t i = 0; i < count; i++) y[i] = x[i] * scale + shift;
}
