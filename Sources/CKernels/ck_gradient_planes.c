// Derivatives of convolution and pooling over image planes.
#include "ck_dispatch.h"
#include "ck_gradient.h"

#include <math.h>
#include <string.h>

static inline ptrdiff_t lesser(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
static inline ptrdiff_t greater(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }
static inline ptrdiff_t ceiling_divide(ptrdiff_t a, ptrdiff_t step) {
  return a <= 0 ? 0 : (a + step - 1) / step;
}

CK_CLONES void ck_col2im_add(
    const float *columns, const ck_window *window, ptrdiff_t k_begin, ptrdiff_t k_end,
    ptrdiff_t begin, ptrdiff_t end, ptrdiff_t ld, float *dx) {
  const ck_window w = *window;
  const ptrdiff_t area = w.kernel_height * w.kernel_width, stride = w.stride_width;
  for (ptrdiff_t k = k_begin; k < k_end; k++, columns += ld) {
    const ptrdiff_t tap = k % area;
    float *plane = dx + k / area * w.height * w.width;
    const ptrdiff_t down = tap / w.kernel_width * w.dilation_height - w.top;
    const ptrdiff_t across = tap % w.kernel_width * w.dilation_width - w.left;
    const ptrdiff_t first = lesser(ceiling_divide(-across, stride), w.out_width);
    const ptrdiff_t last =
        greater(lesser(ceiling_divide(w.width - across, stride), w.out_width), first);
    ptrdiff_t pixel = begin;
    while (pixel < end) {
      const ptrdiff_t oy = pixel / w.out_width, from = pixel % w.out_width;
      const ptrdiff_t to = lesser(w.out_width, from + end - pixel);
      const ptrdiff_t iy = oy * w.stride_height + down;
      const float *row = columns + (pixel - begin) - from;
      pixel += to - from;
      if (iy < 0 || iy >= w.height) continue;
      float *target = plane + iy * w.width + across;
      const ptrdiff_t a = lesser(greater(first, from), to), b = greater(lesser(last, to), a);
      if (stride == 1) {
        for (ptrdiff_t i = a; i < b; i++) target[i] += row[i];
      } else {
        for (ptrdiff_t i = a; i < b; i++) target[i * stride] += row[i];
      }
    }
  }
}

static inline ptrdiff_t flat_count(const ck_window *w, const ck_phases *p) {
  return (w->out_height - 1) * p->columns + w->out_width;
}

size_t ck_flat_size(const ck_window *window, const ck_phases *phases) {
  return (size_t)(window->out_height * phases->columns);
}

CK_CLONES void ck_flatten_rows(
    const float *dy, const ck_window *window, const ck_phases *phases, float *flat) {
  const ptrdiff_t width = window->out_width, columns = phases->columns;
  for (ptrdiff_t r = 0; r < window->out_height; r++, flat += columns, dy += width) {
    for (ptrdiff_t i = 0; i < width; i++) flat[i] = dy[i];
    for (ptrdiff_t i = width; i < columns; i++) flat[i] = 0;
  }
}

CK_CLONES void ck_taps_gradient(
    const float *planes, const ck_window *window, const ck_phases *phases,
    const ptrdiff_t *offsets, size_t taps, const float *flat, float *dw) {
  _Pragma("clang fp reassociate(on)")
  const ptrdiff_t count = flat_count(window, phases);
  for (size_t t = 0; t < taps; t++) {
    const float *source = planes + offsets[t];
    float sum = 0;
    for (ptrdiff_t i = 0; i < count; i++) sum += source[i] * flat[i];
    dw[t] += sum;
  }
}

CK_CLONES void ck_taps_spread(
    const float *flat, const ck_window *window, const ck_phases *phases,
    const ptrdiff_t *offsets, const float *weights, size_t taps, float *dplanes) {
  memset(dplanes, 0, ck_split_size(phases) * sizeof(float));
  const ptrdiff_t count = flat_count(window, phases);
  for (size_t t = 0; t < taps; t++) {
    float *target = dplanes + offsets[t];
    const float weight = weights[t];
    _Pragma("clang loop vectorize(assume_safety)")
    for (ptrdiff_t i = 0; i < count; i++) target[i] += weight * flat[i];
  }
}

CK_CLONES void ck_unsplit_plane_add(
    const float *dplanes, const ck_window *window, const ck_phases *phases, float *dx) {
  const ck_window w = *window;
  const ck_phases p = *phases;
  const ptrdiff_t step = w.stride_width;
  for (ptrdiff_t down = 0; down < p.phases_down; down++) {
    for (ptrdiff_t across = 0; across < p.phases_across; across++, dplanes += p.phase_size) {
      // Columns [first, last) of a row belong to the plane.
      const ptrdiff_t first = lesser(ceiling_divide(w.left - across, step), p.columns);
      const ptrdiff_t last =
          greater(lesser(ceiling_divide(w.width + w.left - across, step), p.columns), first);
      for (ptrdiff_t r = 0; r < p.rows; r++) {
        const ptrdiff_t iy = r * w.stride_height + down - w.top;
        if (iy < 0 || iy >= w.height) continue;
        const float *row = dplanes + r * p.columns;
        float *target = dx + iy * w.width + across - w.left;
        if (step == 1) {
          for (ptrdiff_t i = first; i < last; i++) target[i] += row[i];
        } else {
          for (ptrdiff_t i = first; i < last; i++) target[i * step] += row[i];
        }
      }
    }
  }
}

void ck_maximum_pooling_gradient(
    const float *x, const float *dy, const ck_window *window, float *dx) {
  const ck_window w = *window;
  for (ptrdiff_t oy = 0; oy < w.out_height; oy++) {
    for (ptrdiff_t ox = 0; ox < w.out_width; ox++, dy++) {
      float best = -INFINITY;
      ptrdiff_t place = -1;
      for (ptrdiff_t ky = 0; ky < w.kernel_height; ky++) {
        const ptrdiff_t iy = oy * w.stride_height + ky * w.dilation_height - w.top;
        if (iy < 0 || iy >= w.height) continue;
        for (ptrdiff_t kx = 0; kx < w.kernel_width; kx++) {
          const ptrdiff_t ix = ox * w.stride_width + kx * w.dilation_width - w.left;
          if (ix < 0 || ix >= w.width) continue;
          const float value = x[iy * w.width + ix];
          if (place < 0 || value > best) best = value, place = iy * w.width + ix;
        }
      }
      if (place >= 0) dx[place] += *dy;
    }
  }
}
