#include "ck_dispatch.h"
#include "ck_image.h"

#include <string.h>

static inline ptrdiff_t lesser(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
static inline ptrdiff_t greater(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }
// The smallest n with n * step >= a.
static inline ptrdiff_t ceiling_divide(ptrdiff_t a, ptrdiff_t step) {
  return a <= 0 ? 0 : (a + step - 1) / step;
}

CK_CLONES void ck_im2col(
    const float *x, const ck_window *window, ptrdiff_t k_begin, ptrdiff_t k_end, ptrdiff_t begin,
    ptrdiff_t end, float *out, ptrdiff_t ld) {
  const ck_window w = *window;
  const ptrdiff_t area = w.kernel_height * w.kernel_width, stride = w.stride_width;
  for (ptrdiff_t k = k_begin; k < k_end; k++, out += ld) {
    const ptrdiff_t tap = k % area;
    const float *plane = x + k / area * w.height * w.width;
    const ptrdiff_t dy = tap / w.kernel_width * w.dilation_height - w.top;
    const ptrdiff_t dx = tap % w.kernel_width * w.dilation_width - w.left;
    // Output columns whose input column lies inside the plane.
    const ptrdiff_t first = lesser(ceiling_divide(-dx, stride), w.out_width);
    const ptrdiff_t last = greater(lesser(ceiling_divide(w.width - dx, stride), w.out_width), first);
    ptrdiff_t pixel = begin;
    while (pixel < end) {
      const ptrdiff_t oy = pixel / w.out_width, from = pixel % w.out_width;
      const ptrdiff_t to = lesser(w.out_width, from + end - pixel);
      const ptrdiff_t iy = oy * w.stride_height + dy;
      float *row = out + (pixel - begin) - from;
      pixel += to - from;
      if (iy < 0 || iy >= w.height) {
        memset(row + from, 0, (size_t)(to - from) * sizeof(float));
        continue;
      }
      const float *source = plane + iy * w.width + dx;
      const ptrdiff_t a = lesser(greater(first, from), to), b = greater(lesser(last, to), a);
      for (ptrdiff_t i = from; i < a; i++) row[i] = 0;
      if (stride == 1) {
        memcpy(row + a, source + a, (size_t)(b - a) * sizeof(float));
      } else {
        for (ptrdiff_t i = a; i < b; i++) row[i] = source[i * stride];
      }
      for (ptrdiff_t i = b; i < to; i++) row[i] = 0;
    }
  }
}
