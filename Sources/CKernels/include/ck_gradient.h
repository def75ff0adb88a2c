// Reverse-mode derivatives. Everything here adds to its result, because a value may have several
// readers; results never overlap operands unless it is said.
#ifndef MARTLET_CK_GRADIENT_H
#define MARTLET_CK_GRADIENT_H
#include <stddef.h>
#include <stdint.h>
#include "ck_elementwise.h"
#include "ck_image.h"

// dy[i] *= act'(x), told by y = act(x) alone; not a number where y does not tell (CK_NOT_TOLD).
void ck_activation_gradient_from_result(
    const float *y, float *dy, size_t count, ck_activation act);
// dx[i] += dy[i] * act'(x[i])
void ck_activation_gradient(
    const float *x, const float *dy, float *dx, size_t count, ck_activation act);
// dx[i] += dy[i] * f'(x[i]); y is f(x).
void ck_unary_gradient(
    const float *x, const float *y, const float *dy, float *dx, size_t count, int32_t function);
// d[i * d_step] += dy[i] * (df/da or, if `second`, df/db) at a[i * a_step], b[i * b_step]; steps are
// 0 or 1.
void ck_binary_gradient(
    const float *a, size_t a_step, const float *b, size_t b_step, const float *dy, float *d,
    size_t d_step, size_t count, int32_t function, int second);

// y[i] += factor * x[i]
void ck_axpy(float factor, const float *x, float *y, size_t count);
// y[i * step] += x[i]
void ck_scatter_add(const float *x, float *y, ptrdiff_t step, size_t count);
// y[i] += a[i] * b[i]
void ck_multiply_add(const float *a, const float *b, float *y, size_t count);
float ck_dot(const float *a, const float *b, size_t count);

// The reverse of ck_im2col: adds rows [k_begin, k_end) of the matrix to the image dx.
void ck_col2im_add(
    const float *columns, const ck_window *window, ptrdiff_t k_begin, ptrdiff_t k_end,
    ptrdiff_t begin, ptrdiff_t end, ptrdiff_t ld, float *dx);

// The planes of a depthwise convolution, as in ck_split_plane. `flat` has the rows of dy as far
// apart as those of a split plane, with zeros between.
size_t ck_flat_size(const ck_window *window, const ck_phases *phases);
void ck_flatten_rows(
    const float *dy, const ck_window *window, const ck_phases *phases, float *flat);
// dw[t] += sum over p of planes[p + offsets[t]] * flat[p]
void ck_taps_gradient(
    const float *planes, const ck_window *window, const ck_phases *phases,
    const ptrdiff_t *offsets, size_t taps, const float *flat, float *dw);
// dplanes[p + offsets[t]] = sum over t of weights[t] * flat[p]; clears dplanes first.
void ck_taps_spread(
    const float *flat, const ck_window *window, const ck_phases *phases,
    const ptrdiff_t *offsets, const float *weights, size_t taps, float *dplanes);
// The reverse of ck_split_plane: adds what belongs to the plane to dx.
void ck_unsplit_plane_add(
    const float *dplanes, const ck_window *window, const ck_phases *phases, float *dx);
// Maximum pooling of one plane; of equal elements the first has it all.
void ck_maximum_pooling_gradient(
    const float *x, const float *dy, const ck_window *window, float *dx);

// Layer normalisation of a (count, inner) block over its first axis; inner is 1 for a row. Any of
// scale, dx, dscale, dshift may be null. scratch holds 4 * inner floats.
void ck_layer_norm_gradient(
    const float *x, const float *scale, const float *dy, float *dx, float *dscale, float *dshift,
    size_t count, size_t inner, float epsilon, float *scratch);
// Softmax over the first axis of a (count, inner) block, from its result y. scratch holds inner
// floats.
void ck_softmax_gradient(
    const float *y, const float *dy, float *dx, size_t count, size_t inner, int logarithmic,
    float *scratch);

#endif
