#pragma once
#include <stddef.h>

/// Bytes that last as long as the process.
struct martlet_bytes {
  const unsigned char *start;
  size_t count;
};

/// The files that `tools/train-demo` writes, carried in the executable's read-only data. A SwiftPM
/// resource bundle would hold them too, but its accessor loads all of Foundation into every worker
/// (7 MB of resident memory), and it must be copied along with the executable. Pages that nobody
/// reads, as in a worker, take no memory.
struct martlet_bytes martlet_demo_model(void);
struct martlet_bytes martlet_demo_digits(void);
struct martlet_bytes martlet_demo_about(void);
