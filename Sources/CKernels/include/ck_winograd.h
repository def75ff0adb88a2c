// Winograd convolution F(4x4, 3x3): the 3x3 kernel at stride 1 with 36 products for 16 outputs
// instead of 144. Transforms from A. Lavin and S. Gray, "Fast algorithms for convolutional neural
// networks" (2015), section 4.3.
#ifndef MARTLET_CK_WINOGRAD_H
#define MARTLET_CK_WINOGRAD_H
#include <stddef.h>
#include <stdint.h>
#include "ck_image.h"

enum {
  CK_WINOGRAD_TILE = 4,    // outputs of a tile along each axis
  CK_WINOGRAD_POINTS = 36, // products of a tile
  CK_WINOGRAD_LANES = 16,  // tiles transformed together: slack needed after the last tile
};

// u (36, count) from w (count, 3, 3).
void ck_winograd_weights(const float *w, size_t count, float *u);
// v (36, channels, ld) from x (channels, height, width), for the tiles of tile rows
// [row_begin, row_end), row-major. ld is at least their number; up to CK_WINOGRAD_LANES - 1 floats
// after the last tile of the last channel of each point are overwritten.
void ck_winograd_input(
    const float *x, const ck_window *window, ptrdiff_t channels, ptrdiff_t row_begin,
    ptrdiff_t row_end, float *v, ptrdiff_t ld);
// y (channels, out_height, out_width) from m (36, channels, ld), for the same tiles; bias may be
// null.
void ck_winograd_output(
    const float *m, const ck_window *window, ptrdiff_t channels, ptrdiff_t row_begin,
    ptrdiff_t row_end, ptrdiff_t ld, const float *bias, ck_activation act, float *y);

#endif
