/* The terminal as one page, and how it is put back whatever happens. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "CProcess.h"

static volatile sig_atomic_t screen_is_on;
static int screen_input, screen_output;
static volatile int resize_descriptor = -1;
static struct termios before_screen;
static struct sigaction before_resize;

/* What a crash or the terminal's end would leave in disorder. */
static const int fatal_signals[] = {SIGHUP,  SIGQUIT, SIGILL, SIGTRAP,
                                    SIGABRT, SIGBUS,  SIGFPE, SIGSEGV};
#define FATAL_COUNT (sizeof fatal_signals / sizeof *fatal_signals)
static struct sigaction before_fatal[FATAL_COUNT];

/* Another page without cursor and line wrapping, so that the user's own page stays as it is. */
static const char enter_page[] = "\033[?1049h\033[?25l\033[?7l\033[2J";
static const char leave_page[] = "\033[0m\033[?7h\033[?25h\033[?1049l";

void cprocess_put_terminal_back(void) {
  if (!screen_is_on) return;
  screen_is_on = 0;
  if (write(screen_output, leave_page, sizeof leave_page - 1) < 0) {
  }
  tcsetattr(screen_input, TCSADRAIN, &before_screen);
}

static void on_fatal(int number) {
  cprocess_put_terminal_back();
  for (size_t index = 0; index < FATAL_COUNT; index++)
    if (fatal_signals[index] == number) sigaction(number, &before_fatal[index], NULL);
  /* Handled as before, perhaps with a report of the crash, when this handler has returned. */
  raise(number);
}

static void on_resize(int number) {
  (void)number;
  int saved = errno;
  unsigned char byte = 0;
  if (write(resize_descriptor, &byte, 1) < 0) {
  }
  errno = saved;
}

int cprocess_enter_screen(int input, int output, int descriptor) {
  if (tcgetattr(input, &before_screen) != 0) return errno;
  screen_input = input;
  screen_output = output;
  resize_descriptor = descriptor;
  fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  struct sigaction action = {0};
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  action.sa_handler = on_resize;
  sigaction(SIGWINCH, &action, &before_resize);
  action.sa_handler = on_fatal;
  for (size_t index = 0; index < FATAL_COUNT; index++)
    sigaction(fatal_signals[index], &action, &before_fatal[index]);
  struct termios raw = before_screen;
  raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
  raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
  raw.c_oflag &= ~(tcflag_t)OPOST;
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  screen_is_on = 1;
  if (tcsetattr(input, TCSADRAIN, &raw) != 0) {
    int code = errno;
    cprocess_leave_screen();
    return code;
  }
  if (write(output, enter_page, sizeof enter_page - 1) < 0) {
  }
  return 0;
}

void cprocess_leave_screen(void) {
  cprocess_put_terminal_back();
  for (size_t index = 0; index < FATAL_COUNT; index++)
    sigaction(fatal_signals[index], &before_fatal[index], NULL);
  sigaction(SIGWINCH, &before_resize, NULL);
  resize_descriptor = -1;
}
