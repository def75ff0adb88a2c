// Conversion between float32 and the element types of the wire.
#ifndef MARTLET_CK_CONVERT_H
#define MARTLET_CK_CONVERT_H
#include <stddef.h>
#include <stdint.h>

// Rounds to nearest even; overflow becomes infinity, NaN stays NaN.
void ck_float_to_half(const float *in, uint16_t *out, size_t count);
void ck_half_to_float(const uint16_t *in, float *out, size_t count);

#endif
