// Kernels that fold along an axis: normalisation, softmax, reductions; and transposition.
#ifndef MARTLET_CK_ROWS_H
#define MARTLET_CK_ROWS_H
#include <stddef.h>
#include <stdint.h>

// Normalises each of `rows` rows of `count`; scale and shift (`count` each) may be null.
void ck_layer_norm_rows(
    const float *x, const float *scale, const float *shift, float *y, size_t rows, size_t count,
    float epsilon);
// Normalises each of `pixels` columns of a (channels, pixels) matrix.
void ck_layer_norm_channels(
    const float *x, const float *scale, const float *shift, float *y, size_t channels,
    size_t pixels, float epsilon);
// Softmax of each column of a (count, inner) matrix; inner is 1 for rows.
void ck_softmax(const float *x, float *y, size_t count, size_t inner, int logarithmic);

enum { CK_SUM = 0, CK_LARGEST, CK_SMALLEST, CK_PRODUCT };
// The fold of `count` values.
float ck_reduce(const float *x, size_t count, int32_t fold);
// Of each column of a (count, inner) matrix, the number of the row of the largest element or, if
// `smallest`, of the smallest; of equal ones the first or, if `last`, the last. A column with an
// element that is not a number has the result NaN.
void ck_extremum_position(
    const float *x, float *y, size_t count, size_t inner, int smallest, int last);
// y[i] = fold(y[i], x[i])
void ck_accumulate(const float *x, float *y, size_t count, int32_t fold);
// `rows` rows of `count`, x_step and y_step apart.
void ck_copy_rows(
    const float *x, size_t x_step, float *y, size_t y_step, size_t rows, size_t count);
void ck_fill(float *y, size_t count, float value);
void ck_scale(float *y, size_t count, float factor);
// y (columns, rows) = transpose of x (rows, columns).
void ck_transpose(const float *x, float *y, size_t rows, size_t columns);
// y[i] = x[i * step]
void ck_gather(const float *x, ptrdiff_t step, float *y, size_t count);

#endif
