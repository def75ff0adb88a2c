// Derivatives of functions of one or two operands, element by element.
#include "ck_dispatch.h"
#include "ck_gradient.h"
#include "ck_math.h"

#define EACH(expression)                                         \
  _Pragma("clang loop vectorize(assume_safety)")                 \
  for (size_t i = 0; i < count; i++) { expression; }             \
  break

CK_INLINE float ck_silu_slope(float x) {
  const float s = ck_sigmoid(x);
  return s * (1 + x * (1 - s));
}

CK_INLINE float ck_gelu_slope(float x) {
  // Phi(x) + x phi(x), phi the density of the normal distribution.
  return 0.5f * (1 + ck_erf(x * 0.70710678f)) + x * 0.39894228f * ck_exp(-0.5f * x * x);
}

CK_INLINE float ck_tanh_slope(float x) {
  const float t = ck_tanh(x);
  return 1 - t * t;
}

CK_INLINE float ck_sigmoid_slope(float x) {
  const float s = ck_sigmoid(x);
  return s * (1 - s);
}

CK_INLINE float ck_hard_sigmoid_slope(float x, float a, float b) {
  const float v = a * x + b;
  return ((v > 0) & (v < 1)) ? a : 0;
}

CK_INLINE float ck_hard_swish_slope(float x) {
  return x <= -3 ? 0 : x < 3 ? x * (1.0f / 3) + 0.5f : 1;
}

CK_INLINE float ck_mish_slope(float x) {
  const float t = ck_mish_gate(x);
  return t + x * (1 - t * t) * ck_sigmoid(x);
}

// For the entries of CK_ACTIVATIONS, whose expressions are of v, y and g.
#define BY_VALUE(NAME, VALUE, SLOPE, SLOPE_BY_VALUE) \
  case CK_##NAME:                                    \
    _Pragma("clang loop vectorize(assume_safety)")   \
    for (size_t i = 0; i < count; i++) {             \
      const float y = values[i], g = dy[i];          \
      (void)y, (void)g;                              \
      dy[i] = (SLOPE_BY_VALUE);                      \
    }                                                \
    break;

CK_CLONES void ck_activation_gradient_from_result(
    const float *values, float *dy, size_t count, ck_activation act) {
  const float a = act.a, b = act.b;
  switch (act.kind) {
    CK_ACTIVATIONS(BY_VALUE)
    default: break;  // The identity.
  }
}

#define BY_OPERAND(NAME, VALUE, SLOPE, SLOPE_BY_VALUE) \
  case CK_##NAME:                                      \
    _Pragma("clang loop vectorize(assume_safety)")     \
    for (size_t i = 0; i < count; i++) {               \
      const float v = x[i], g = dy[i];                 \
      (void)v;                                         \
      dx[i] += (SLOPE);                                \
    }                                                  \
    break;

CK_CLONES void ck_activation_gradient(
    const float *x, const float *dy, float *dx, size_t count, ck_activation act) {
  const float a = act.a, b = act.b;
  switch (act.kind) {
    CK_ACTIVATIONS(BY_OPERAND)
    default: EACH(dx[i] += dy[i]);  // The identity.
  }
}

CK_CLONES void ck_unary_gradient(
    const float *x, const float *y, const float *dy, float *dx, size_t count, int32_t function) {
  switch (function) {
    case CK_NEGATE: EACH(dx[i] -= dy[i]);
    case CK_ABSOLUTE: EACH(dx[i] += x[i] > 0 ? dy[i] : x[i] < 0 ? -dy[i] : 0);
    case CK_EXPONENTIAL: EACH(dx[i] += dy[i] * y[i]);
    case CK_LOGARITHM: EACH(dx[i] += dy[i] / x[i]);
    case CK_SQUARE_ROOT: EACH(dx[i] += dy[i] * 0.5f / y[i]);
    case CK_RECIPROCAL: EACH(dx[i] -= dy[i] * y[i] * y[i]);
    case CK_ERROR_FUNCTION: EACH(dx[i] += dy[i] * 1.12837917f * ck_exp(-x[i] * x[i]));
    // Floor and ceiling are flat wherever they have a slope at all.
    default: break;
  }
}

// What one pair of operands adds.
#define BINARY(expression)                                                  \
  if (d_step) {                                                             \
    _Pragma("clang loop vectorize(assume_safety)")                          \
    for (size_t i = 0; i < count; i++) {                                    \
      const float u = a[i * a_step], v = b[i * b_step], g = dy[i];          \
      (void)u, (void)v;                                                     \
      d[i] += (expression);                                                 \
    }                                                                       \
  } else {                                                                  \
    float sum = 0;                                                          \
    for (size_t i = 0; i < count; i++) {                                    \
      const float u = a[i * a_step], v = b[i * b_step], g = dy[i];          \
      (void)u, (void)v;                                                     \
      sum += (expression);                                                  \
    }                                                                       \
    *d += sum;                                                              \
  }                                                                         \
  break

CK_CLONES void ck_binary_gradient(
    const float *a, size_t a_step, const float *b, size_t b_step, const float *dy, float *d,
    size_t d_step, size_t count, int32_t function, int second) {
  _Pragma("clang fp reassociate(on)")
  switch (function * 2 + (second ? 1 : 0)) {
    case CK_ADD * 2: BINARY(g);
    case CK_ADD * 2 + 1: BINARY(g);
    case CK_SUBTRACT * 2: BINARY(g);
    case CK_SUBTRACT * 2 + 1: BINARY(-g);
    case CK_MULTIPLY * 2: BINARY(g * v);
    case CK_MULTIPLY * 2 + 1: BINARY(g * u);
    case CK_DIVIDE * 2: BINARY(g / v);
    case CK_DIVIDE * 2 + 1: BINARY(-g * u / (v * v));
    case CK_POWER * 2: BINARY(v == 0 ? 0 : g * v * ck_pow(u, v - 1));
    // The limit at 0, where the logarithm has none.
    case CK_POWER * 2 + 1: BINARY(u == 0 && v >= 0 ? 0 : g * ck_pow(u, v) * ck_log(u));
    // Equal operands share.
    case CK_MAXIMUM * 2: BINARY(u > v ? g : u == v ? 0.5f * g : 0);
    case CK_MAXIMUM * 2 + 1: BINARY(v > u ? g : u == v ? 0.5f * g : 0);
    case CK_MINIMUM * 2: BINARY(u < v ? g : u == v ? 0.5f * g : 0);
    case CK_MINIMUM * 2 + 1: BINARY(v < u ? g : u == v ? 0.5f * g : 0);
    default: break;
  }
}

CK_CLONES void ck_axpy(float factor, const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] += factor * x[i];
}

CK_CLONES void ck_scatter_add(const float *x, float *y, ptrdiff_t step, size_t count) {
  if (step == 1) {
    for (size_t i = 0; i < count; i++) y[i] += x[i];
  } else {
    for (size_t i = 0; i < count; i++) y[(ptrdiff_t)i * step] += x[i];
  }
}

CK_CLONES void ck_multiply_add(const float *a, const float *b, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] += a[i] * b[i];
}

CK_CLONES float ck_dot(const float *a, const float *b, size_t count) {
  _Pragma("clang fp reassociate(on)")
  float sum = 0;
  for (size_t i = 0; i < count; i++) sum += a[i] * b[i];
  return sum;
}
