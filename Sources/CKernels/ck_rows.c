#include "ck_rows.h"
#include "ck_dispatch.h"
#include "ck_math.h"

#include <string.h>

#define CK_REASSOCIATE _Pragma("clang fp reassociate(on)")

CK_INLINE int has_nan(const float *x, size_t count) {
  int found = 0;
  for (size_t i = 0; i < count; i++) found |= x[i] != x[i];
  return found;
}

CK_CLONES float ck_reduce(const float *x, size_t count, int32_t fold) {
  CK_REASSOCIATE
  float r;
  switch (fold) {
    case CK_SUM:
      r = 0;
      for (size_t i = 0; i < count; i++) r += x[i];
      return r;
    case CK_LARGEST:
      r = -INFINITY;
      for (size_t i = 0; i < count; i++) r = x[i] > r ? x[i] : r;
      return has_nan(x, count) ? NAN : r;
    case CK_PRODUCT:
      r = 1;
      for (size_t i = 0; i < count; i++) r *= x[i];
      return r;
    default:
      r = INFINITY;
      for (size_t i = 0; i < count; i++) r = x[i] < r ? x[i] : r;
      return has_nan(x, count) ? NAN : r;
  }
}

CK_CLONES void ck_accumulate(const float *x, float *y, size_t count, int32_t fold) {
  switch (fold) {
    case CK_SUM:
      for (size_t i = 0; i < count; i++) y[i] += x[i];
      break;
    case CK_LARGEST:
      for (size_t i = 0; i < count; i++) y[i] = ck_max(x[i], y[i]);
      break;
    case CK_PRODUCT:
      for (size_t i = 0; i < count; i++) y[i] *= x[i];
      break;
    default:
      for (size_t i = 0; i < count; i++) y[i] = ck_min(x[i], y[i]);
  }
}

CK_CLONES void ck_copy_rows(
    const float *x, size_t x_step, float *y, size_t y_step, size_t rows, size_t count) {
  for (size_t r = 0; r < rows; r++, x += x_step, y += y_step) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) memcpy(y + i, x + i, 64);
    for (; i < count; i++) y[i] = x[i];
  }
}

CK_CLONES void ck_fill(float *y, size_t count, float value) {
  for (size_t i = 0; i < count; i++) y[i] = value;
}

CK_CLONES void ck_scale(float *y, size_t count, float factor) {
  for (size_t i = 0; i < count; i++) y[i] *= factor;
}

CK_CLONES void ck_gather(const float *x, ptrdiff_t step, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = x[(ptrdiff_t)i * step];
}

CK_CLONES void ck_layer_norm_rows(
    const float *x, const float *scale, const float *shift, float *y, size_t rows, size_t count,
    float epsilon) {
  CK_REASSOCIATE
  for (size_t r = 0; r < rows; r++, x += count, y += count) {
    float sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) sum += x[i];
    const float mean = sum / (float)count;
    for (size_t i = 0; i < count; i++) squares += (x[i] - mean) * (x[i] - mean);
    const float factor = 1.0f / ck_sqrt(squares / (float)count + epsilon);
    if (scale && shift) {
      _Pragma("clang loop vectorize(assume_safety)")
      for (size_t i = 0; i < count; i++) y[i] = (x[i] - mean) * factor * scale[i] + shift[i];
    } else if (scale) {
      _Pragma("clang loop vectorize(assume_safety)")
      for (size_t i = 0; i < count; i++) y[i] = (x[i] - mean) * factor * scale[i];
    } else {
      _Pragma("clang loop vectorize(assume_safety)")
      for (size_t i = 0; i < count; i++) y[i] = (x[i] - mean) * factor;
    }
  }
}

// Pixels handled together by the kernels that fold over rows of a matrix.
enum { STRIP = 64 };

CK_CLONES void ck_layer_norm_channels(
    const float *x, const float *scale, const float *shift, float *y, size_t channels,
    size_t pixels, float epsilon) {
  for (size_t start = 0; start < pixels; start += STRIP) {
    const size_t n = pixels - start < STRIP ? pixels - start : STRIP;
    float mean[STRIP], factor[STRIP];
    for (size_t i = 0; i < STRIP; i++) mean[i] = factor[i] = 0;
    for (size_t c = 0; c < channels; c++) {
      const float *row = x + c * pixels + start;
      for (size_t i = 0; i < n; i++) mean[i] += row[i];
    }
    for (size_t i = 0; i < n; i++) mean[i] /= (float)channels;
    for (size_t c = 0; c < channels; c++) {
      const float *row = x + c * pixels + start;
      for (size_t i = 0; i < n; i++) factor[i] += (row[i] - mean[i]) * (row[i] - mean[i]);
    }
    for (size_t i = 0; i < n; i++) {
      factor[i] = 1.0f / ck_sqrt(factor[i] / (float)channels + epsilon);
    }
    for (size_t c = 0; c < channels; c++) {
      const float *row = x + c * pixels + start;
      float *target = y + c * pixels + start;
      const float s = scale ? scale[c] : 1, b = shift ? shift[c] : 0;
      _Pragma("clang loop vectorize(assume_safety)")
      for (size_t i = 0; i < n; i++) target[i] = (row[i] - mean[i]) * factor[i] * s + b;
    }
  }
}

CK_INLINE void softmax_row(const float *x, float *y, size_t count, int logarithmic) {
  CK_REASSOCIATE
  float top = -INFINITY, sum = 0;
  for (size_t i = 0; i < count; i++) top = x[i] > top ? x[i] : top;
  for (size_t i = 0; i < count; i++) sum += ck_exp(x[i] - top);
  if (logarithmic) {
    const float log_sum = ck_log(sum);
    _Pragma("clang loop vectorize(assume_safety)")
    for (size_t i = 0; i < count; i++) y[i] = x[i] - top - log_sum;
  } else {
    const float factor = 1.0f / sum;
    _Pragma("clang loop vectorize(assume_safety)")
    for (size_t i = 0; i < count; i++) y[i] = ck_exp(x[i] - top) * factor;
  }
}

CK_CLONES void ck_softmax(const float *x, float *y, size_t count, size_t inner, int logarithmic) {
  if (inner == 1) {
    softmax_row(x, y, count, logarithmic);
    return;
  }
  for (size_t start = 0; start < inner; start += STRIP) {
    const size_t n = inner - start < STRIP ? inner - start : STRIP;
    float top[STRIP], sum[STRIP];
    for (size_t i = 0; i < STRIP; i++) top[i] = -INFINITY, sum[i] = 0;
    for (size_t c = 0; c < count; c++) {
      const float *row = x + c * inner + start;
      for (size_t i = 0; i < n; i++) top[i] = ck_max(row[i], top[i]);
    }
    for (size_t c = 0; c < count; c++) {
      const float *row = x + c * inner + start;
      for (size_t i = 0; i < n; i++) sum[i] += ck_exp(row[i] - top[i]);
    }
    if (logarithmic) {
      for (size_t i = 0; i < n; i++) sum[i] = ck_log(sum[i]);
    } else {
      for (size_t i = 0; i < n; i++) sum[i] = 1.0f / sum[i];
    }
    for (size_t c = 0; c < count; c++) {
      const float *row = x + c * inner + start;
      float *target = y + c * inner + start;
      if (logarithmic) {
        _Pragma("clang loop vectorize(assume_safety)")
        for (size_t i = 0; i < n; i++) target[i] = row[i] - top[i] - sum[i];
      } else {
        _Pragma("clang loop vectorize(assume_safety)")
        for (size_t i = 0; i < n; i++) target[i] = ck_exp(row[i] - top[i]) * sum[i];
      }
    }
  }
}

CK_CLONES void ck_extremum_position(
    const float *x, float *y, size_t count, size_t inner, int smallest, int last) {
  const float sign = smallest ? -1.0f : 1.0f;
  for (size_t start = 0; start < inner; start += STRIP) {
    const size_t n = inner - start < STRIP ? inner - start : STRIP;
    float best[STRIP], place[STRIP];
    for (size_t i = 0; i < STRIP; i++) best[i] = -INFINITY, place[i] = 0;
    for (size_t c = 0; c < count; c++) {
      const float *row = x + c * inner + start;
      for (size_t i = 0; i < n; i++) {
        const float v = sign * row[i];
        const int better = last ? v >= best[i] : v > best[i];
        // What is not a number stays: nothing compares with it, and the place keeps it.
        place[i] = v != v ? v : better ? (place[i] != place[i] ? place[i] : (float)c) : place[i];
        best[i] = better ? v : best[i];
      }
    }
    for (size_t i = 0; i < n; i++) y[start + i] = place[i];
  }
}

CK_CLONES void ck_transpose(const float *x, float *y, size_t rows, size_t columns) {
  enum { TILE = 16 };
  for (size_t r = 0; r < rows; r += TILE) {
    const size_t height = rows - r < TILE ? rows - r : TILE;
    for (size_t c = 0; c < columns; c += TILE) {
      const size_t width = columns - c < TILE ? columns - c : TILE;
      if (height == TILE && width == TILE) {
        for (size_t j = 0; j < TILE; j++) {
          for (size_t i = 0; i < TILE; i++) {
            y[(c + j) * rows + r + i] = x[(r + i) * columns + c + j];
          }
        }
      } else {
        for (size_t j = 0; j < width; j++) {
          for (size_t i = 0; i < height; i++) {
            y[(c + j) * rows + r + i] = x[(r + i) * columns + c + j];
          }
        }
      }
    }
  }
}
