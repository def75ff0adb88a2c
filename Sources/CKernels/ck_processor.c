#include "ck_processor.h"

#if defined(__x86_64__)

// Both ask CPUID, and XGETBV for whether the system saves the wide registers.
int ck_x86_level(void) {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx")) return CK_X86_BASELINE;
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return CK_X86_AVX;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512cd") ||
      !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512vl"))
    return CK_X86_AVX2;
  return CK_X86_AVX512;
}

int ck_x86_is_amd(void) {
  __builtin_cpu_init();
  return __builtin_cpu_is("amd") != 0;
}

#else

int ck_x86_level(void) { return CK_X86_NONE; }

int ck_x86_is_amd(void) { return 0; }

#endif
