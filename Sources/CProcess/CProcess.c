#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct failure {
  int code;
  int stage;
};

static void fail(int report, int stage) {
  struct failure failure = {errno, stage};
  if (write(report, &failure, sizeof failure) < 0) {
  }
  _exit(127);
}

/* Nothing the parent has open leaks into the child, whoever opened it without O_CLOEXEC. */
static void close_others_on_exec(void) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, 3u, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */) == 0) return;
#endif
  for (int descriptor = 3; descriptor < 1024; descriptor++)
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

static void reset_signals(void) {
  for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become_child(const struct cprocess_options *o, pid_t parent, int report) {
  reset_signals();
  if (o->new_group) setpgid(0, 0);
  /* Three steps, because a source may be another's target. */
  int in = fcntl(o->standard_input, F_DUPFD, 10);
  int out = fcntl(o->standard_output, F_DUPFD, 10);
  int err = fcntl(o->standard_error, F_DUPFD, 10);
  if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) fail(report, 2);
  close_others_on_exec();
  if (o->folder && chdir(o->folder) != 0) fail(report, 2);
  if (o->drop_identity &&
      (setgroups(0, NULL) != 0 || setgid(o->group) != 0 || setuid(o->user) != 0))
    fail(report, 3);
  /* After the change of identity, which would clear it. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127); /* the parent died before that */
  execve(o->path, o->arguments, o->environment);
  fail(report, 4);
}

int cprocess_spawn(const struct cprocess_options *options, pid_t *child, int *stage) {
  int report[2];
  *stage = 1;
  if (pipe2(report, O_CLOEXEC) != 0) return errno;
  pid_t parent = getpid();
  /* No handler of the parent may run in the child before they are reset. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t id = fork();
  if (id == 0) {
    int moved = fcntl(report[1], F_DUPFD_CLOEXEC, 10);
    become_child(options, parent, moved);
  }
  int code = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(report[1]);
  if (id < 0) {
    close(report[0]);
    return code;
  }
  struct failure failure;
  ssize_t count;
  do {
    count = read(report[0], &failure, sizeof failure);
  } while (count < 0 && errno == EINTR);
  close(report[0]);
  if (count == (ssize_t)sizeof failure) {
    siginfo_t info;
    while (waitid(P_PID, (id_t)id, &info, WEXITED) != 0 && errno == EINTR) {
    }
    *stage = failure.stage;
    return failure.code ? failure.code : EIO;
  }
  *child = id;
  return 0;
}

int cprocess_pidfd(pid_t child) {
#ifdef SYS_pidfd_open
  return (int)syscall(SYS_pidfd_open, child, 0);
#else
  (void)child;
  return -1;
#endif
}

int cprocess_pipe(int *ends) { return pipe2(ends, O_CLOEXEC); }

static volatile sig_atomic_t termination_seen;
static volatile int termination_descriptor = -1;
static struct sigaction before_interrupt, before_terminate;

static void on_termination(int number) {
  int saved = errno;
  if (termination_seen) {
    cprocess_put_terminal_back();
    _exit(128 + number);
  }
  termination_seen = 1;
  unsigned char byte = (unsigned char)number;
  if (write(termination_descriptor, &byte, 1) < 0) {
  }
  errno = saved;
}

int cprocess_watch_termination(int descriptor) {
  termination_seen = 0;
  termination_descriptor = descriptor;
  struct sigaction action = {0};
  action.sa_handler = on_termination;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGINT, &action, &before_interrupt) != 0) return errno;
  if (sigaction(SIGTERM, &action, &before_terminate) != 0) return errno;
  return 0;
}

void cprocess_unwatch_termination(void) {
  sigaction(SIGINT, &before_interrupt, NULL);
  sigaction(SIGTERM, &before_terminate, NULL);
  termination_descriptor = -1;
}
