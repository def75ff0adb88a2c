#include "ck_winograd.h"
#include "ck_activate.h"
#include "ck_dispatch.h"

enum { TILE = CK_WINOGRAD_TILE, SIDE = TILE + 2, LANES = CK_WINOGRAD_LANES };

// One value of each of 16 neighbouring tiles.
typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));

void ck_winograd_weights(const float *w, size_t count, float *u) {
  static const float g[SIDE][3] = {
    {1.0f / 4, 0, 0},
    {-1.0f / 6, -1.0f / 6, -1.0f / 6},
    {-1.0f / 6, 1.0f / 6, -1.0f / 6},
    {1.0f / 24, 1.0f / 12, 1.0f / 6},
    {1.0f / 24, -1.0f / 12, 1.0f / 6},
    {0, 0, 1},
  };
  for (size_t n = 0; n < count; n++, w += 9) {
    float half[SIDE][3];
    for (int i = 0; i < SIDE; i++) {
      for (int j = 0; j < 3; j++) {
        half[i][j] = g[i][0] * w[j] + g[i][1] * w[3 + j] + g[i][2] * w[6 + j];
      }
    }
    for (int i = 0; i < SIDE; i++) {
      for (int j = 0; j < SIDE; j++) {
        u[(size_t)(i * SIDE + j) * count + n] =
            half[i][0] * g[j][0] + half[i][1] * g[j][1] + half[i][2] * g[j][2];
      }
    }
  }
}

// The input transform along one axis, in place.
#define CK_TRANSFORM_INPUT(d0, d1, d2, d3, d4, d5)            \
  do {                                                        \
    const lanes a = d4 - 4 * d2, b = d3 - 4 * d1;             \
    const lanes c = d4 - d2, e = 2 * (d3 - d1);               \
    const lanes first = 4 * d0 - 5 * d2 + d4;                 \
    const lanes last = 4 * d1 - 5 * d3 + d5;                  \
    d0 = first;                                               \
    d1 = a + b;                                               \
    d2 = a - b;                                               \
    d3 = c + e;                                               \
    d4 = c - e;                                               \
    d5 = last;                                                \
  } while (0)

// The elements from `start` on, every second one, of two vectors in a row.
#define CK_EVERY_SECOND(a, b, start)                                                             \
  __builtin_shufflevector(                                                                       \
      a, b, start, start + 2, start + 4, start + 6, start + 8, start + 10, start + 12,           \
      start + 14, start + 16, start + 18, start + 20, start + 22, start + 24, start + 26,        \
      start + 28, start + 30)
#define CK_INTERLEAVE(a, b, s)                                                                   \
  __builtin_shufflevector(                                                                       \
      a, b, s, s + 16, s + 1, s + 17, s + 2, s + 18, s + 3, s + 19, s + 4, s + 20, s + 5,        \
      s + 21, s + 6, s + 22, s + 7, s + 23)

CK_CLONES __attribute__((min_vector_width(512))) void ck_winograd_input(
    const float *x, const ck_window *window, ptrdiff_t channels, ptrdiff_t row_begin,
    ptrdiff_t row_end, float *v, ptrdiff_t ld) {
  const ck_window w = *window;
  const ptrdiff_t across = (w.out_width + TILE - 1) / TILE, point = channels * ld;
  for (ptrdiff_t c = 0; c < channels; c++, x += w.height * w.width) {
    for (ptrdiff_t row = row_begin; row < row_end; row++) {
      for (ptrdiff_t tile = 0; tile < across; tile += LANES) {
        lanes d[SIDE][SIDE];
        const ptrdiff_t left = tile * TILE - w.left;
        for (int i = 0; i < SIDE; i++) {
          float padded[TILE * LANES + 16];
          const float *source = padded;
          const ptrdiff_t y = row * TILE + i - w.top;
          if (y < 0 || y >= w.height) {
            for (int j = 0; j < SIDE; j++) d[i][j] = (lanes){0};
            continue;
          }
          const float *line = x + y * w.width;
          if (left >= 0 && left + TILE * LANES + 16 <= w.width) {
            source = line + left;
          } else {
            for (ptrdiff_t j = 0; j < TILE * LANES + 16; j++) {
              const ptrdiff_t position = left + j;
              padded[j] = position >= 0 && position < w.width ? line[position] : 0;
            }
          }
          const lanes s0 = *(const lanes *)source, s1 = *(const lanes *)(source + 16);
          const lanes s2 = *(const lanes *)(source + 32), s3 = *(const lanes *)(source + 48);
          const lanes e0 = CK_EVERY_SECOND(s0, s1, 0), e1 = CK_EVERY_SECOND(s2, s3, 0);
          const lanes o0 = CK_EVERY_SECOND(s0, s1, 1), o1 = CK_EVERY_SECOND(s2, s3, 1);
          d[i][0] = CK_EVERY_SECOND(e0, e1, 0);
          d[i][1] = CK_EVERY_SECOND(o0, o1, 0);
          d[i][2] = CK_EVERY_SECOND(e0, e1, 1);
          d[i][3] = CK_EVERY_SECOND(o0, o1, 1);
          // The next tile's first two columns.
          const lanes next = *(const lanes *)(source + 64);
          const lanes next_odd = __builtin_shufflevector(
              next, next, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
          d[i][4] = __builtin_shufflevector(
              d[i][0], next, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
          d[i][5] = __builtin_shufflevector(
              d[i][1], next_odd, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
          CK_TRANSFORM_INPUT(d[i][0], d[i][1], d[i][2], d[i][3], d[i][4], d[i][5]);
        }
        // Lanes beyond the row are overwritten by the next row of tiles.
        float *target = v + c * ld + (row - row_begin) * across + tile;
        for (int j = 0; j < SIDE; j++) {
          CK_TRANSFORM_INPUT(d[0][j], d[1][j], d[2][j], d[3][j], d[4][j], d[5][j]);
          for (int i = 0; i < SIDE; i++) *(lanes *)(target + (i * SIDE + j) * point) = d[i][j];
        }
      }
    }
  }
}

// The output transform along one axis.
#define CK_TRANSFORM_OUTPUT(m0, m1, m2, m3, m4, m5, r0, r1, r2, r3) \
  do {                                                              \
    const lanes a = m1 + m2, b = m1 - m2, c = m3 + m4, e = m3 - m4; \
    r0 = m0 + a + c;                                                \
    r1 = b + 2 * e;                                                 \
    r2 = a + 4 * c;                                                 \
    r3 = b + 8 * e + m5;                                            \
  } while (0)

CK_CLONES __attribute__((min_vector_width(512))) void ck_winograd_output(
    const float *m, const ck_window *window, ptrdiff_t channels, ptrdiff_t row_begin,
    ptrdiff_t row_end, ptrdiff_t ld, const float *bias, ck_activation act, float *y) {
  const ck_window w = *window;
  const ptrdiff_t across = (w.out_width + TILE - 1) / TILE, point = channels * ld;
  for (ptrdiff_t c = 0; c < channels; c++, y += w.out_height * w.out_width) {
    const float channel_bias = bias ? bias[c] : 0;
    for (ptrdiff_t row = row_begin; row < row_end; row++) {
      const ptrdiff_t height =
          w.out_height - row * TILE < TILE ? w.out_height - row * TILE : TILE;
      for (ptrdiff_t tile = 0; tile < across; tile += LANES) {
        const float *source = m + c * ld + (row - row_begin) * across + tile;
        lanes half[TILE][SIDE], r[TILE][TILE];
        for (int j = 0; j < SIDE; j++) {
          lanes d[SIDE];
          for (int i = 0; i < SIDE; i++) {
            d[i] = *(const lanes *)(source + (i * SIDE + j) * point);
          }
          CK_TRANSFORM_OUTPUT(
              d[0], d[1], d[2], d[3], d[4], d[5], half[0][j], half[1][j], half[2][j], half[3][j]);
        }
        const ptrdiff_t rest = w.out_width - tile * TILE;
        const size_t width = (size_t)(rest < TILE * LANES ? rest : TILE * LANES);
        for (ptrdiff_t i = 0; i < height; i++) {
          CK_TRANSFORM_OUTPUT(
              half[i][0], half[i][1], half[i][2], half[i][3], half[i][4], half[i][5], r[i][0],
              r[i][1], r[i][2], r[i][3]);
          const lanes a = CK_INTERLEAVE(r[i][0], r[i][2], 0);
          const lanes b = CK_INTERLEAVE(r[i][1], r[i][3], 0);
          const lanes e = CK_INTERLEAVE(r[i][0], r[i][2], 8);
          const lanes f = CK_INTERLEAVE(r[i][1], r[i][3], 8);
          float line[TILE * LANES];
          *(lanes *)line = CK_INTERLEAVE(a, b, 0);
          *(lanes *)(line + 16) = CK_INTERLEAVE(a, b, 8);
          *(lanes *)(line + 32) = CK_INTERLEAVE(e, f, 0);
          *(lanes *)(line + 48) = CK_INTERLEAVE(e, f, 8);
          ck_activate_row(
              line, y + (row * TILE + i) * w.out_width + tile * TILE, width, &channel_bias, 0,
              act);
        }
      }
    }
  }
}
