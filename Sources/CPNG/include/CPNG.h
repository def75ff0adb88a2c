#ifndef CPNG_H
#define CPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// PNG decoding through libpng's low-level interface, whose errors jump: here they become a message.
// Gamma, colour profiles and every other chunk that does not say what the pixels are is passed over.

typedef struct {
  uint32_t width;
  uint32_t height;
  // 1 (grey) or 3 (red, green, blue).
  uint32_t channels;
  // Why a call failed; ends with a zero.
  char message[128];
} cpng_image;

// Reads the extents from the head of a PNG file of `size` bytes; false with a message if it is none.
bool cpng_read_header(const uint8_t *bytes, size_t size, cpng_image *image);

// Decodes to 8 bits a channel, rows from the top, without gaps: `capacity` bytes at `pixels`, which
// must be width * height * channels as `cpng_read_header` told them. Transparency is dropped, of 16 bits
// the upper eight are kept, fewer than 8 are stretched, a palette becomes colours. False with a message
// for damaged or cut-off data; `pixels` then holds nothing useful.
bool cpng_read_pixels(const uint8_t *bytes, size_t size, uint8_t *pixels, size_t capacity,
                      cpng_image *image);

#endif
