// Elementary functions without branches or calls, so that loops over them vectorise.
#ifndef MARTLET_CK_MATH_H
#define MARTLET_CK_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define CK_INLINE static inline __attribute__((always_inline))

// The same as sqrtf, logf and powf, except that errno is left alone: calls that may set it keep a loop
// from being vectorised, and the option -fno-math-errno is not for packages that others depend on.
CK_INLINE float ck_sqrt(float x) { return __builtin_elementwise_sqrt(x); }
CK_INLINE float ck_log(float x) { return __builtin_elementwise_log(x); }
CK_INLINE float ck_pow(float x, float y) { return __builtin_elementwise_pow(x, y); }

// NaN stays NaN in all four, or a device that computes it would answer with plausible numbers. A
// bound is no NaN, so one comparison (one instruction: maxps gives its second operand) is enough.
CK_INLINE float ck_at_least(float v, float bound) { return bound > v ? bound : v; }
CK_INLINE float ck_at_most(float v, float bound) { return bound < v ? bound : v; }
CK_INLINE float ck_max(float a, float b) { return a != a ? a : a > b ? a : b; }
CK_INLINE float ck_min(float a, float b) { return a != a ? a : a < b ? a : b; }

// exp(x) by x = n ln 2 + r, |r| <= ln 2 / 2: the Taylor polynomial of degree 7 (its remainder is
// below 6e-9) times 2^n. ln 2 is split in two so that n ln 2 is exact. Beyond 88.72 the last product
// is infinite, as it should be; below -87.3 the result is 0, where IEEE has subnormal numbers, which
// processors are slow at and masked attention would make many of.
CK_INLINE float ck_exp(float v) {
  // NaN must not reach the conversion to an integer below: its comparisons are false, so the clamp
  // written this way makes it a number, and the last line puts it back.
  float x = v > -87.3f ? v : -87.3f;
  x = ck_at_most(x, 89.0f);
  const float shift = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  float n = (x * 1.44269504f + shift) - shift;
  float r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  // In two factors, because n may be 128.
  int32_t whole = (int32_t)n, half = whole >> 1;
  int32_t first = (half + 127) << 23, second = (whole - half + 127) << 23;
  float a, b;
  memcpy(&a, &first, 4);
  memcpy(&b, &second, 4);
  float y = v < -87.3f ? 0.0f : p * a * b;
  return v != v ? v : y;
}

CK_INLINE float ck_sigmoid(float x) { return 1.0f / (1.0f + ck_exp(-x)); }

// tanh(x) = (1 - e) / (1 + e), e = exp(-2 |x|), with the sign of x. Near 0, where 1 - e cancels, the
// absolute error stays below 1e-7; there the odd Taylor polynomial keeps it relative too.
CK_INLINE float ck_tanh(float x) {
  float m = fabsf(x), e = ck_exp(-2.0f * m), s = x * x;
  float large = copysignf((1.0f - e) / (1.0f + e), x);
  float small = x * (1.0f + s * (-1.0f / 3 + s * (2.0f / 15 + s * (-17.0f / 315))));
  return m < 0.2f ? small : large;
}

// erf(x) = x P(u), u = 2 x^2 / L^2 - 1, |x| <= L = 3.92 (beyond it erf is 1 to 3e-8). P is a
// Chebyshev least-squares fit of erf(x) / x over x^2 of degree 15, weighted by max(x, 0.2) and
// written in powers of u; evaluated in float32 its error is below 1.8e-7 everywhere.
CK_INLINE float ck_erf(float x) {
  float c = ck_at_most(ck_at_least(x, -3.92f), 3.92f);
  float u = c * c * (2.0f / (3.92f * 3.92f)) - 1.0f;
  float p = -0.0007549181f;
  p = p * u + 0.0020415871f;
  p = p * u - 0.0016962411f;
  p = p * u + 0.0021033902f;
  p = p * u - 0.0072558294f;
  p = p * u + 0.0139808413f;
  p = p * u - 0.0202680342f;
  p = p * u + 0.0298379902f;
  p = p * u - 0.0433396883f;
  p = p * u + 0.0583523624f;
  p = p * u - 0.0740372614f;
  p = p * u + 0.0906033292f;
  p = p * u - 0.1091778725f;
  p = p * u + 0.1340842098f;
  p = p * u - 0.1801086515f;
  p = p * u + 0.3607368171f;
  return ck_at_most(ck_at_least(p * c, -1.0f), 1.0f);
}

// log(1 + e) for 0 <= e <= 1: twice the area tangent of s = e / (2 + e), which is at most 1 / 3, by
// its Taylor polynomial of degree 15 (its remainder is below 2e-9).
CK_INLINE float ck_log_above_one(float e) {
  float s = e / (2.0f + e), q = s * s;
  float p = 1.0f / 15;
  p = p * q + 1.0f / 13;
  p = p * q + 1.0f / 11;
  p = p * q + 1.0f / 9;
  p = p * q + 1.0f / 7;
  p = p * q + 0.2f;
  p = p * q + 1.0f / 3;
  p = p * q + 1.0f;
  return 2.0f * s * p;
}

// log(1 + exp(x)), without an overflow.
CK_INLINE float ck_softplus(float x) {
  return ck_at_least(x, 0.0f) + ck_log_above_one(ck_exp(-fabsf(x)));
}

// tanh(log(1 + e)) for e = exp(x): ((1 + e)^2 - 1) / ((1 + e)^2 + 1), which is 1 from x = 20 on.
CK_INLINE float ck_mish_gate(float x) {
  float e = ck_exp(ck_at_most(x, 20.0f)), n = e * (e + 2.0f);
  return n / (n + 2.0f);
}

CK_INLINE float ck_mish(float x) { return x * ck_mish_gate(x); }

CK_INLINE float ck_gelu(float x) { return 0.5f * x * (1.0f + ck_erf(x * 0.70710678f)); }

#endif
