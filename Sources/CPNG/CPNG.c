#include "CPNG.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const uint8_t *next;
  size_t left;
} source;

static void copy(png_structp png, png_bytep target, size_t count) {
  source *from = png_get_io_ptr(png);
  if (count > from->left) png_error(png, "it ends early");
  memcpy(target, from->next, count);
  from->next += count;
  from->left -= count;
}

static void fail(png_structp png, png_const_charp text) {
  cpng_image *image = png_get_error_ptr(png);
  strncpy(image->message, text, sizeof image->message - 1);
  image->message[sizeof image->message - 1] = 0;
  longjmp(png_jmpbuf(png), 1);
}

// libpng's warnings leave the pixels as they were meant.
static void pass_over(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

// A reader that has read the header and will yield rows as the caller of `cpng_read_pixels` wants them.
// What happens in here may jump.
static void begin(png_structp png, png_infop info, cpng_image *image) {
  // Known chunks that do not say what the pixels are: they cost time, and their flaws are nobody's.
  static const png_byte passed_over[] =
      "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0tEXt\0"
      "tIME\0zTXt";
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, passed_over,
                              (int)(sizeof passed_over / 5));
  png_read_info(png, info);
  image->width = png_get_image_width(png, info);
  image->height = png_get_image_height(png, info);
  image->channels = png_get_color_type(png, info) & PNG_COLOR_MASK_COLOR ? 3 : 1;
  png_set_palette_to_rgb(png);
  png_set_expand_gray_1_2_4_to_8(png);
  png_set_strip_16(png);
  png_set_strip_alpha(png);
}

// One call of either function: `pixels` is NULL for the header alone.
static bool read(const uint8_t *bytes, size_t size, uint8_t *pixels, size_t capacity,
                 cpng_image *image) {
  source from = {bytes, size};
  image->message[0] = 0;
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, image, fail, pass_over);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  // Set before the jump is armed and not changed afterwards but through the pointer.
  png_bytep **const rows = calloc(1, sizeof *rows);
  if (!info || !rows) {
    strcpy(image->message, "no memory for a PNG decoder");
    png_destroy_read_struct(&png, &info, NULL);
    free(rows);
    return false;
  }
  bool is_read = false;
  if (!setjmp(png_jmpbuf(png))) {
    png_set_read_fn(png, &from, copy);
    begin(png, info, image);
    if (pixels) {
      png_set_interlace_handling(png);
      png_read_update_info(png, info);
      const size_t stride = png_get_rowbytes(png, info);
      if (stride != (size_t)image->width * image->channels ||
          stride * image->height != capacity)
        png_error(png, "its extents have changed");
      *rows = malloc(image->height * sizeof **rows);
      if (!*rows) png_error(png, "no memory for its rows");
      for (uint32_t row = 0; row < image->height; row++) (*rows)[row] = pixels + row * stride;
      png_read_image(png, *rows);
    }
    is_read = true;
  } else {
    is_read = false;
  }
  png_destroy_read_struct(&png, &info, NULL);
  free(*rows);
  free(rows);
  return is_read;
}

bool cpng_read_header(const uint8_t *bytes, size_t size, cpng_image *image) {
  return read(bytes, size, NULL, 0, image);
}

bool cpng_read_pixels(const uint8_t *bytes, size_t size, uint8_t *pixels, size_t capacity,
                      cpng_image *image) {
  return read(bytes, size, pixels, capacity, image);
}
