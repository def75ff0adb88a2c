// Kernels over image planes (height by width, row-major).
#ifndef MARTLET_CK_IMAGE_H
#define MARTLET_CK_IMAGE_H
#include <stddef.h>
#include <stdint.h>
#include "ck_elementwise.h"

// How a window moves over a plane. All extents are at least 1; top and left are the padding.
typedef struct {
  ptrdiff_t height, width;              // input plane
  ptrdiff_t out_height, out_width;
  ptrdiff_t kernel_height, kernel_width;
  ptrdiff_t stride_height, stride_width;
  ptrdiff_t dilation_height, dilation_width;
  ptrdiff_t top, left;
} ck_window;

// Writes rows [k_begin, k_end) of the im2col matrix of `x` (channels, height, width) for output
// pixels [begin, end): row k is (channel, kernel row, kernel column), rows of `out` are ld apart.
void ck_im2col(
    const float *x, const ck_window *window, ptrdiff_t k_begin, ptrdiff_t k_end, ptrdiff_t begin,
    ptrdiff_t end, float *out, ptrdiff_t ld);

// A padded plane split by stride phase: phase (p, q) holds the padded cells (p + i * stride_height,
// q + j * stride_width) as `rows` rows of `columns`. A kernel tap is then a constant offset from
// a flat output position whatever the stride and dilation.
typedef struct {
  ptrdiff_t rows, columns;
  ptrdiff_t phase_size;   // floats from one phase to the next: rows * columns and slack
  ptrdiff_t phases_down, phases_across;
} ck_phases;

ck_phases ck_phases_for(const ck_window *window);
// The offset of a kernel tap in the split plane.
ptrdiff_t ck_tap_offset(
    const ck_window *window, const ck_phases *phases, ptrdiff_t row, ptrdiff_t column);
// Floats of scratch that ck_split_plane fills, and that ck_taps_sum or _max use for their result.
size_t ck_split_size(const ck_phases *phases);
size_t ck_taps_size(const ck_window *window, const ck_phases *phases);

void ck_split_plane(
    const float *x, const ck_window *window, const ck_phases *phases, float fill, float *out);
// y[p] = act(bias + sum over taps of weights[t] * planes[p + offsets[t]]); y is out_height by
// out_width, flat is scratch. A depthwise convolution of one plane.
void ck_taps_sum(
    const float *planes, const ck_window *window, const ck_phases *phases,
    const ptrdiff_t *offsets, const float *weights, size_t taps, float bias, ck_activation act,
    float *flat, float *y);
// y[p] = max over taps of planes[p + offsets[t]].
void ck_taps_maximum(
    const float *planes, const ck_window *window, const ck_phases *phases,
    const ptrdiff_t *offsets, size_t taps, float *flat, float *y);

#endif
