#ifndef CPROCESS_H
#define CPROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Starting and watching child processes, where Swift may not go: only async-signal-safe calls are
   allowed between fork and exec and inside a signal handler. */

struct cprocess_options {
  const char *path;
  char *const *arguments;   /* ends with NULL */
  char *const *environment; /* ends with NULL */
  const char *folder;       /* working folder, or NULL to keep the parent's */
  int standard_input;       /* descriptors the child gets as 0, 1 and 2 */
  int standard_output;
  int standard_error;
  int new_group;      /* 1: its own process group, so that Ctrl-C reaches only the parent */
  int drop_identity;  /* 1: become user and group before exec */
  uid_t user;
  gid_t group;
};

/* Starts a child that is killed when the calling THREAD ends (PR_SET_PDEATHSIG): call it from a
   thread that lives as long as the process. Returns 0 and the id, or an errno value; `stage` then
   tells what failed: 1 fork, 2 folder, 3 identity, 4 exec. */
int cprocess_spawn(const struct cprocess_options *options, pid_t *child, int *stage);

/* A pollable descriptor that becomes readable when the process ends, or -1 where the kernel has none. */
int cprocess_pidfd(pid_t child);

/* A pipe that children do not inherit: its read and its write end. Returns 0 or -1 with errno. */
int cprocess_pipe(int *ends);

/* Installs one handler for SIGINT and SIGTERM: the first signal writes its number as a byte to
   `descriptor`, the second ends the process at once with 128 + number. */
int cprocess_watch_termination(int descriptor);

/* Puts back what was there before. */
void cprocess_unwatch_termination(void);

/* Makes the terminal one page of its own, without echo, line editing and keys that raise signals. A
   change of its size writes a byte to `descriptor`, the write end of a pipe. A signal that kills the
   process puts the terminal back first. Not to be called again before it is left. Returns 0 or an
   errno value. */
int cprocess_enter_screen(int input, int output, int descriptor);

/* Puts the terminal and the handlers back as they were before. */
void cprocess_leave_screen(void);

/* Puts only the terminal back, if it is a page now; may be called in a signal handler. */
void cprocess_put_terminal_back(void);

/* Makes the allocator of the C library keep as little as it can, at the cost of some time: one heap for
   all threads, and blocks of a megabyte and more by themselves. Returns 1, or 0 where it has no such
   settings. */
int cprocess_keep_heap_small(void);

/* Gives free pages of the heap back to the system. Returns 1 if there were any. */
int cprocess_trim_heap(void);

#endif
