// Weights as they are stored: rows of halves, or of bytes with one scale for each row.
#ifndef MARTLET_CK_WEIGHTS_H
#define MARTLET_CK_WEIGHTS_H
#include <stddef.h>
#include <stdint.h>
#include "ck_elementwise.h"

// y[m] = act(sum over k of w[m][k] * x[k] + bias[m]) for `rows` rows that follow each other; bias may
// be null. Halves are IEEE 754 binary16, subnormal ones, infinities and NaN included.
void ck_gemv_halves(
    const uint16_t *w, const float *x, const float *bias, float *y, size_t rows, size_t columns,
    ck_activation act);
// The same with w[m][k] * scales[m].
void ck_gemv_bytes(
    const int8_t *w, const float *scales, const float *x, const float *bias, float *y, size_t rows,
    size_t columns, ck_activation act);

// out (rows, columns) as float32 from rows that are `ld` elements apart.
void ck_widen_halves(
    const uint16_t *w, size_t ld, size_t rows, size_t columns, float *out);
void ck_widen_bytes(
    const int8_t *w, size_t ld, const float *scales, size_t rows, size_t columns, float *out);

// What the functions of halves do on processors that have no instruction for it, wherever they run:
// the twins that they are tested against.
void ck_gemv_halves_portable(
    const uint16_t *w, const float *x, const float *bias, float *y, size_t rows, size_t columns,
    ck_activation act);
void ck_widen_halves_portable(
    const uint16_t *w, size_t ld, size_t rows, size_t columns, float *out);

#endif
