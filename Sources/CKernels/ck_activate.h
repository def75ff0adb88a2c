// One row of "add a bias, then activate", shared by the kernels that end in an activation.
#ifndef MARTLET_CK_ACTIVATE_H
#define MARTLET_CK_ACTIVATE_H

#include "ck_elementwise.h"
#include "ck_math.h"

// assume_safety: x and y are the same array or disjoint, and the compiler's own overlap test would
// send the in-place case to a scalar loop.
#define CK_EACH(EXPRESSION)                                          \
  _Pragma("clang loop vectorize(assume_safety) interleave_count(2)") \
  for (size_t i = 0; i < count; i++) {                               \
    float v = x[i] + bias[i * bias_step];                            \
    y[i] = (EXPRESSION);                                             \
  }                                                                  \
  break
#define CK_CASE(NAME, VALUE, SLOPE, SLOPE_BY_VALUE) \
  case CK_##NAME: CK_EACH(VALUE);

CK_INLINE void ck_activate_row(
    const float *x, float *y, size_t count, const float *bias, size_t bias_step,
    ck_activation act) {
  float a = act.a, b = act.b;
  switch (act.kind) {
    CK_ACTIVATIONS(CK_CASE)
    // The identity: no other kind can be missing above.
    default: CK_EACH(v);
  }
}

#undef CK_CASE

#endif
