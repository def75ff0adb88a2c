// Derivatives of functions that fold along an axis.
#include "ck_dispatch.h"
#include "ck_gradient.h"
#include "ck_math.h"

// y = (x - mean) * factor * scale + shift. With n = (x - mean) * factor and g = dy * scale:
// dx = factor * (g - mean(g) - n * mean(g n)).
CK_CLONES void ck_layer_norm_gradient(
    const float *x, const float *scale, const float *dy, float *dx, float *dscale, float *dshift,
    size_t count, size_t inner, float epsilon, float *scratch) {
  _Pragma("clang fp reassociate(on)")
  const float share = 1.0f / (float)count;
  if (inner == 1) {
    float sum = 0, squares = 0, whole = 0, slope = 0;
    for (size_t i = 0; i < count; i++) sum += x[i];
    const float mean = sum * share;
    for (size_t i = 0; i < count; i++) squares += (x[i] - mean) * (x[i] - mean);
    const float factor = 1.0f / ck_sqrt(squares * share + epsilon);
    if (dscale) for (size_t i = 0; i < count; i++) dscale[i] += dy[i] * (x[i] - mean) * factor;
    if (dshift) for (size_t i = 0; i < count; i++) dshift[i] += dy[i];
    if (!dx) return;
    for (size_t i = 0; i < count; i++) {
      const float g = dy[i] * (scale ? scale[i] : 1);
      whole += g;
      slope += g * (x[i] - mean) * factor;
    }
    whole *= share, slope *= share;
    for (size_t i = 0; i < count; i++) {
      const float g = dy[i] * (scale ? scale[i] : 1);
      dx[i] += factor * (g - whole - (x[i] - mean) * factor * slope);
    }
    return;
  }
  float *mean = scratch, *factor = scratch + inner;
  float *whole = scratch + 2 * inner, *slope = scratch + 3 * inner;
  for (size_t i = 0; i < 4 * inner; i++) scratch[i] = 0;
  for (size_t c = 0; c < count; c++) {
    const float *row = x + c * inner;
    for (size_t i = 0; i < inner; i++) mean[i] += row[i];
  }
  for (size_t i = 0; i < inner; i++) mean[i] *= share;
  for (size_t c = 0; c < count; c++) {
    const float *row = x + c * inner;
    _Pragma("clang loop vectorize(assume_safety)")
    for (size_t i = 0; i < inner; i++) factor[i] += (row[i] - mean[i]) * (row[i] - mean[i]);
  }
  for (size_t i = 0; i < inner; i++) factor[i] = 1.0f / ck_sqrt(factor[i] * share + epsilon);
  for (size_t c = 0; c < count; c++) {
    const float *row = x + c * inner, *d = dy + c * inner;
    const float s = scale ? scale[c] : 1;
    float shift_sum = 0, scale_sum = 0;
    _Pragma("clang loop vectorize(assume_safety)")
    for (size_t i = 0; i < inner; i++) {
      const float n = (row[i] - mean[i]) * factor[i];
      shift_sum += d[i];
      scale_sum += d[i] * n;
      whole[i] += d[i] * s;
      slope[i] += d[i] * s * n;
    }
    if (dscale) dscale[c] += scale_sum;
    if (dshift) dshift[c] += shift_sum;
  }
  if (!dx) return;
  for (size_t i = 0; i < inner; i++) whole[i] *= share, slope[i] *= share;
  for (size_t c = 0; c < count; c++) {
    const float *row = x + c * inner, *d = dy + c * inner;
    float *target = dx + c * inner;
    const float s = scale ? scale[c] : 1;
    _Pragma("clang loop vectorize(assume_safety)")
    for (size_t i = 0; i < inner; i++) {
      const float n = (row[i] - mean[i]) * factor[i];
      target[i] += factor[i] * (d[i] * s - whole[i] - n * slope[i]);
    }
  }
}

CK_CLONES void ck_softmax_gradient(
    const float *y, const float *dy, float *dx, size_t count, size_t inner, int logarithmic,
    float *sums) {
  for (size_t i = 0; i < inner; i++) sums[i] = 0;
  for (size_t c = 0; c < count; c++) {
    const float *value = y + c * inner, *d = dy + c * inner;
    _Pragma("clang loop vectorize(assume_safety)")
    for (size_t i = 0; i < inner; i++) sums[i] += logarithmic ? d[i] : d[i] * value[i];
  }
  for (size_t c = 0; c < count; c++) {
    const float *value = y + c * inner, *d = dy + c * inner;
    float *target = dx + c * inner;
    if (logarithmic) {
      _Pragma("clang loop vectorize(assume_safety)")
      for (size_t i = 0; i < inner; i++) target[i] += d[i] - ck_exp(value[i]) * sums[i];
    } else {
      _Pragma("clang loop vectorize(assume_safety)")
      for (size_t i = 0; i < inner; i++) target[i] += value[i] * (d[i] - sums[i]);
    }
  }
}
