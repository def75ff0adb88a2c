// Conversion between float32 and the element types of the wire.
#ifndef MARTLET_CK_CONVERT_H
#define MARTLET_CK_CONVERT_H
#include <stddef.h>
#include <stdint.h>

// Rounds to nearest even; overflow becomes infinity, NaN stays NaN.
void ck_float_to_half(const float *in, uint16_t *out, size_t count);
void ck_half_to_float(const uint16_t *in, float *out, size_t count);

// The largest magnitude, or 0 of nothing; NaN is passed over.
float ck_largest_magnitude(const float *in, size_t count);
// Multiplies with `inverse` and rounds to the nearest of -127 to 127, ties to even; NaN becomes 0. The
// same bits on every processor.
void ck_float_to_scaled(const float *in, float inverse, int8_t *out, size_t count);
void ck_scaled_to_float(const int8_t *in, float scale, float *out, size_t count);
void ck_bytes_to_float(const uint8_t *in, float *out, size_t count);

// Whether the magnitude of each element is below the one with these bits, at most 0x7f800000; 1 if
// so. NaN is above all. The elements may lie at any address.
int ck_floats_are_below(const void *in, size_t count, uint32_t limit);
// Whether no element is an infinity or NaN; 1 if so.
int ck_halves_are_finite(const void *in, size_t count);

#endif
