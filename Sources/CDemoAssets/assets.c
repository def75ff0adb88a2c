#include "CDemoAssets.h"

// Defined in embed.S.
extern const unsigned char martlet_demo_model_start[], martlet_demo_model_end[];
extern const unsigned char martlet_demo_digits_start[], martlet_demo_digits_end[];
extern const unsigned char martlet_demo_about_start[], martlet_demo_about_end[];

#define BYTES(name)                                                                              \
  struct martlet_bytes martlet_demo_##name(void) {                                               \
    size_t count = (size_t)(martlet_demo_##name##_end - martlet_demo_##name##_start);            \
    return (struct martlet_bytes){martlet_demo_##name##_start, count};                           \
  }

BYTES(model)
BYTES(digits)
BYTES(about)
