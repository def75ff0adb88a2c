// Depthwise convolution and pooling as sums and maxima over shifted flat planes.
#include "ck_activate.h"
#include "ck_dispatch.h"
#include "ck_image.h"

#include <float.h>
#include <string.h>

// Positions are computed in blocks of this many, held in registers across all taps.
enum { BLOCK = 128 };

static inline ptrdiff_t greater(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }

ck_phases ck_phases_for(const ck_window *w) {
  ck_phases p;
  const ptrdiff_t reach_down = (w->kernel_height - 1) * w->dilation_height;
  const ptrdiff_t reach_across = (w->kernel_width - 1) * w->dilation_width;
  p.phases_down = w->stride_height < reach_down + 1 ? w->stride_height : reach_down + 1;
  p.phases_across = w->stride_width < reach_across + 1 ? w->stride_width : reach_across + 1;
  p.rows = w->out_height + reach_down / w->stride_height;
  p.columns = w->out_width + reach_across / w->stride_width;
  if (w->stride_width == 1) {
    // The padding left of a row serves as the padding right of the row above.
    p.columns = greater(greater(p.columns - w->left, w->left + w->width), w->out_width);
  }
  p.phase_size = p.rows * p.columns + reach_across + BLOCK;
  p.phase_size += -p.phase_size & 15;
  return p;
}

ptrdiff_t ck_tap_offset(
    const ck_window *w, const ck_phases *p, ptrdiff_t row, ptrdiff_t column) {
  const ptrdiff_t y = row * w->dilation_height, x = column * w->dilation_width;
  const ptrdiff_t phase = y % w->stride_height * p->phases_across + x % w->stride_width;
  return phase * p->phase_size + y / w->stride_height * p->columns + x / w->stride_width;
}

size_t ck_split_size(const ck_phases *p) {
  return (size_t)(p->phases_down * p->phases_across * p->phase_size);
}

size_t ck_taps_size(const ck_window *w, const ck_phases *p) {
  return (size_t)(w->out_height * p->columns + BLOCK);
}

// A row of any length; short ones, which the compiler's loops are slow at, in two overlapping pieces.
static inline __attribute__((always_inline)) void copy_row(
    const float *x, float *y, ptrdiff_t count) {
  if (count >= 16) {
    for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i];
  } else if (count >= 8) {
    memcpy(y, x, 32);
    memcpy(y + count - 8, x + count - 8, 32);
  } else if (count >= 4) {
    memcpy(y, x, 16);
    memcpy(y + count - 4, x + count - 4, 16);
  } else {
    for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i];
  }
}

// Short rows at stride 1: all of it is padding first, then the rows are laid over.
static inline __attribute__((always_inline)) void split_small(
    const float *x, ck_window w, ck_phases p, float fill, float *out) {
  for (ptrdiff_t i = 0; i < p.phase_size; i++) out[i] = fill;
  ptrdiff_t width = w.width;
  if (width > p.columns - w.left) width = p.columns - w.left;
  if (width <= 0) return;
  for (ptrdiff_t y = 0; y < w.height && y + w.top < p.rows; y++) {
    copy_row(x + y * w.width, out + (y + w.top) * p.columns + w.left, width);
  }
}

CK_CLONES void ck_split_plane(
    const float *x, const ck_window *window, const ck_phases *phases, float fill, float *out) {
  const ck_window w = *window;
  const ck_phases p = *phases;
  if (w.width < 32 && p.phases_down == 1 && p.phases_across == 1 && w.stride_height == 1
      && w.stride_width == 1) {
    split_small(x, w, p, fill, out);
    return;
  }
  for (ptrdiff_t down = 0; down < p.phases_down; down++) {
    for (ptrdiff_t across = 0; across < p.phases_across; across++) {
      const ptrdiff_t step = w.stride_width;
      // Columns [first, last) of a row come from the plane; the rest is padding.
      ptrdiff_t first = w.left > across ? (w.left - across + step - 1) / step : 0;
      if (first > p.columns) first = p.columns;
      ptrdiff_t last = w.width + w.left > across
          ? (w.width + w.left - across + step - 1) / step : 0;
      if (last > p.columns) last = p.columns;
      if (last < first) last = first;
      for (ptrdiff_t r = 0; r < p.rows; r++) {
        float *row = out + r * p.columns;
        const ptrdiff_t iy = r * w.stride_height + down - w.top;
        if (iy < 0 || iy >= w.height) {
          for (ptrdiff_t i = 0; i < p.columns; i++) row[i] = fill;
          continue;
        }
        const float *source = x + iy * w.width + across - w.left;
        for (ptrdiff_t i = 0; i < first; i++) row[i] = fill;
        if (step == 1) {
          for (ptrdiff_t i = first; i < last; i++) row[i] = source[i];
        } else if (step == 2) {
          for (ptrdiff_t i = first; i < last; i++) row[i] = source[i * 2];
        } else {
          for (ptrdiff_t i = first; i < last; i++) row[i] = source[i * step];
        }
        for (ptrdiff_t i = last; i < p.columns; i++) row[i] = fill;
      }
      for (ptrdiff_t i = p.rows * p.columns; i < p.phase_size; i++) out[i] = fill;
      out += p.phase_size;
    }
  }
}

typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));

CK_CLONES __attribute__((min_vector_width(512))) void ck_taps_sum(
    const float *planes, const ck_window *window, const ck_phases *phases,
    const ptrdiff_t *offsets, const float *weights, size_t taps, float bias, ck_activation act,
    float *flat, float *y) {
  const ptrdiff_t columns = phases->columns, width = window->out_width;
  const ptrdiff_t count = (window->out_height - 1) * columns + width;
  ptrdiff_t start = 0;
  for (; count - start > BLOCK / 2; start += BLOCK) {
    lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0};
    const float *base = planes + start;
    for (size_t t = 0; t < taps; t++) {
      const lanes *source = (const lanes *)(base + offsets[t]);
      const float weight = weights[t];
      s0 += weight * source[0];
      s1 += weight * source[1];
      s2 += weight * source[2];
      s3 += weight * source[3];
      s4 += weight * source[4];
      s5 += weight * source[5];
      s6 += weight * source[6];
      s7 += weight * source[7];
    }
    lanes *target = (lanes *)(flat + start);
    target[0] = s0; target[1] = s1; target[2] = s2; target[3] = s3;
    target[4] = s4; target[5] = s5; target[6] = s6; target[7] = s7;
  }
  if (start < count) {
    lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    const float *base = planes + start;
    for (size_t t = 0; t < taps; t++) {
      const lanes *source = (const lanes *)(base + offsets[t]);
      const float weight = weights[t];
      s0 += weight * source[0];
      s1 += weight * source[1];
      s2 += weight * source[2];
      s3 += weight * source[3];
    }
    lanes *target = (lanes *)(flat + start);
    target[0] = s0; target[1] = s1; target[2] = s2; target[3] = s3;
  }
  if (width < 16) {
    // Short rows are activated together, with what lies between them.
    ck_activate_row(flat, flat, (size_t)count, &bias, 0, act);
    for (ptrdiff_t r = 0; r < window->out_height; r++) {
      copy_row(flat + r * columns, y + r * width, width);
    }
    return;
  }
  for (ptrdiff_t r = 0; r < window->out_height; r++) {
    ck_activate_row(flat + r * columns, y + r * width, (size_t)width, &bias, 0, act);
  }
}

CK_CLONES void ck_taps_maximum(
    const float *planes, const ck_window *window, const ck_phases *phases,
    const ptrdiff_t *offsets, size_t taps, float *flat, float *y) {
  const ptrdiff_t columns = phases->columns, width = window->out_width;
  const ptrdiff_t count = (window->out_height - 1) * columns + width;
  for (ptrdiff_t start = 0; start < count; start += BLOCK) {
    float best[BLOCK];
    for (int i = 0; i < BLOCK; i++) best[i] = -INFINITY;
    for (size_t t = 0; t < taps; t++) {
      const float *source = planes + start + offsets[t];
      for (int i = 0; i < BLOCK; i++) best[i] = ck_max(source[i], best[i]);
    }
    for (int i = 0; i < BLOCK; i++) flat[start + i] = best[i];
  }
  for (ptrdiff_t r = 0; r < window->out_height; r++) {
    const float *source = flat + r * columns;
    float *target = y + r * width;
    for (ptrdiff_t i = 0; i < width; i++) target[i] = source[i];
  }
}
