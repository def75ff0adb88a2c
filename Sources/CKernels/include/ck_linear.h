// Matrix-vector product.
#ifndef MARTLET_CK_LINEAR_H
#define MARTLET_CK_LINEAR_H
#include <stddef.h>
#include <stdint.h>
#include "ck_elementwise.h"

// y[m] = act(sum over k of w[m][k] * x[k] + bias[m]) for `rows` rows; bias may be null.
void ck_gemv(
    const float *w, const float *x, const float *bias, float *y, size_t rows, size_t columns,
    ck_activation act);

#endif
