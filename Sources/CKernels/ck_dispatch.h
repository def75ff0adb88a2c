// One function body, compiled for several instruction sets and chosen at load time.
// On arm64 (and anything else) the plain body is used: NEON is part of the baseline there.
#ifndef MARTLET_CK_DISPATCH_H
#define MARTLET_CK_DISPATCH_H

#if defined(__x86_64__) && defined(__linux__)
#define CK_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CK_CLONES
#endif

#endif
