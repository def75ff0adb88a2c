// What the processor can do that the C library does not already choose by.
#ifndef MARTLET_CK_PROCESSOR_H
#define MARTLET_CK_PROCESSOR_H

// How wide the vector instructions are that processor and operating system both allow, on x86.
// Everything between two steps counts as the lower: kernels are written for the steps.
enum {
  CK_X86_NONE = 0,     // not an x86 processor
  CK_X86_BASELINE = 1, // SSE2 and whatever else is below AVX
  CK_X86_AVX = 2,
  CK_X86_AVX2 = 3,   // AVX2 and FMA
  CK_X86_AVX512 = 4, // F, CD, BW, DQ and VL
};

int ck_x86_level(void);

// 1 on a processor made by AMD, else 0.
int ck_x86_is_amd(void);

#endif
