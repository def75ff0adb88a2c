#include "CProcess.h"

#ifdef __GLIBC__
#include <malloc.h>

/* Set once, the threshold no longer grows with the largest block that was freed: large blocks go back to
   the system when they are freed, and do not leave holes that smaller ones then keep open. */
enum { large_block = 1 << 20, kept_at_top = 1 << 20 };

int cprocess_keep_heap_small(void) {
  return mallopt(M_ARENA_MAX, 1) && mallopt(M_MMAP_THRESHOLD, large_block) &&
         mallopt(M_TRIM_THRESHOLD, kept_at_top);
}

int cprocess_trim_heap(void) { return malloc_trim(0); }
#else
int cprocess_keep_heap_small(void) { return 0; }
int cprocess_trim_heap(void) { return 0; }
#endif
