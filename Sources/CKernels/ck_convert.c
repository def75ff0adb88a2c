// Half precision in integer arithmetic, so that it vectorises without F16C, and scaled bytes without
// fused multiply-adds: the same bits on every machine.
#include "ck_convert.h"
#include "ck_dispatch.h"

#include <string.h>

static inline uint32_t bits_of(float x) { uint32_t b; memcpy(&b, &x, 4); return b; }
static inline float float_of(uint32_t b) { float x; memcpy(&x, &b, 4); return x; }

CK_CLONES void ck_float_to_half(const float *in, uint16_t *out, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint32_t b = bits_of(in[i]);
    uint32_t sign = (b >> 16) & 0x8000u;
    uint32_t magnitude = b & 0x7fffffffu;
    // Subnormal halves: adding 0.5 lines the 10 fraction bits up and rounds to nearest even.
    uint32_t small = bits_of(float_of(magnitude) + 0.5f) - 0x3f000000u;
    uint32_t odd = (magnitude >> 13) & 1u;
    uint32_t normal = (magnitude + 0xc8000fffu + odd) >> 13;
    uint32_t special = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
    uint32_t half = magnitude < 0x38800000u ? small : normal;
    half = magnitude >= 0x47800000u ? special : half;
    out[i] = (uint16_t)(half | sign);
  }
}

CK_CLONES void ck_half_to_float(const uint16_t *in, float *out, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint32_t h = in[i];
    uint32_t sign = (h & 0x8000u) << 16;
    uint32_t magnitude = (h & 0x7fffu) << 13;
    uint32_t exponent = magnitude & 0x0f800000u;
    uint32_t normal = magnitude + 0x38000000u;
    uint32_t special = magnitude + 0x70000000u;
    uint32_t small = bits_of(float_of(magnitude + 0x38800000u) - float_of(0x38800000u));
    uint32_t result = exponent == 0x0f800000u ? special : normal;
    result = exponent == 0 ? small : result;
    out[i] = float_of(result | sign);
  }
}

// Magnitudes order as their bits do, and all are positive as signed integers, which every instruction
// set compares.
CK_CLONES float ck_largest_magnitude(const float *in, size_t count) {
  int32_t largest = 0;
  for (size_t i = 0; i < count; i++) {
    int32_t magnitude = (int32_t)(bits_of(in[i]) & 0x7fffffffu);
    magnitude = magnitude > 0x7f800000 ? 0 : magnitude;
    largest = magnitude > largest ? magnitude : largest;
  }
  return float_of((uint32_t)largest);
}

CK_CLONES void ck_float_to_scaled(const float *in, float inverse, int8_t *out, size_t count) {
  // Adding 1.5 * 2^23 rounds to an integer, ties to even, and leaves it in the low bits of the
  // mantissa: what rintf does in the default rounding mode, without a call where there is no
  // instruction for it, and without a conversion that means something else on each processor.
  const float magic = 12582912.0f;
  for (size_t i = 0; i < count; i++) {
    float scaled = in[i] * inverse;
    scaled = scaled == scaled ? scaled : 0;
    scaled = scaled < -127 ? -127 : scaled;
    scaled = scaled > 127 ? 127 : scaled;
    // The product is rounded before it is clamped, so it cannot be fused with this sum.
    out[i] = (int8_t)(uint8_t)bits_of(scaled + magic);
  }
}

CK_CLONES void ck_scaled_to_float(const int8_t *in, float scale, float *out, size_t count) {
  for (size_t i = 0; i < count; i++) out[i] = (float)in[i] * scale;
}

CK_CLONES void ck_bytes_to_float(const uint8_t *in, float *out, size_t count) {
  for (size_t i = 0; i < count; i++) out[i] = (float)in[i];
}

// What is not below the limit carries into the sign bit. No early exit, so that the loops vectorise:
// nearly all that comes is finite.
CK_CLONES int ck_floats_are_below(const void *in, size_t count, uint32_t limit) {
  const unsigned char *bytes = in;
  const uint32_t step = 0x80000000u - limit;
  uint32_t found = 0;
  for (size_t i = 0; i < count; i++) {
    uint32_t b;
    memcpy(&b, bytes + 4 * i, 4);
    found |= (b & 0x7fffffffu) + step;
  }
  return (found & 0x80000000u) == 0;
}

CK_CLONES int ck_halves_are_finite(const void *in, size_t count) {
  const unsigned char *bytes = in;
  uint16_t found = 0;
  for (size_t i = 0; i < count; i++) {
    uint16_t h;
    memcpy(&h, bytes + 2 * i, 2);
    found |= (uint16_t)((h & 0x7fffu) + 0x0400u);
  }
  return (found & 0x8000u) == 0;
}
