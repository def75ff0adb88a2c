// One row of "add a bias, then activate", shared by the kernels that end in an activation.
#ifndef MARTLET_CK_ACTIVATE_H
#define MARTLET_CK_ACTIVATE_H

#include "ck_elementwise.h"
#include "ck_math.h"

// assume_safety: x and y are the same array or disjoint, and the compiler's own overlap test would
// send the in-place case to a scalar loop.
#define CK_EACH(expression)                                          \
  _Pragma("clang loop vectorize(assume_safety) interleave_count(2)") \
  for (size_t i = 0; i < count; i++) {                               \
    float v = x[i] + bias[i * bias_step];                            \
    y[i] = (expression);                                             \
  }                                                                  \
  break

CK_INLINE void ck_activate_row(
    const float *x, float *y, size_t count, const float *bias, size_t bias_step,
    ck_activation act) {
  float a = act.a, b = act.b;
  switch (act.kind) {
    case CK_RELU: CK_EACH(ck_at_least(v, 0.0f));
    case CK_CLIP: CK_EACH(ck_at_most(ck_at_least(v, a), b));
    case CK_LEAKY_RELU: CK_EACH(v > 0 ? v : a * v);
    case CK_SIGMOID: CK_EACH(ck_sigmoid(v));
    case CK_TANH: CK_EACH(ck_tanh(v));
    case CK_SILU: CK_EACH(v * ck_sigmoid(v));
    case CK_GELU: CK_EACH(ck_gelu(v));
    case CK_HARD_SIGMOID: CK_EACH(ck_at_most(ck_at_least(a * v + b, 0.0f), 1.0f));
    case CK_HARD_SWISH: CK_EACH(v * ck_at_most(ck_at_least(v * (1.0f / 6) + 0.5f, 0.0f), 1.0f));
    default: CK_EACH(v);
  }
}

#endif
