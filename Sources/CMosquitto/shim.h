#include <mosquitto.h>
#include <mqtt_protocol.h>
/* Wakes the network thread; the Glibc module of Swift lacks it. */
#include <sys/eventfd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Lets the kernel hold no more than some bytes that it has not sent, where the system can, so that what
   is written next does not wait behind megabytes. */
static inline void martlet_limit_unsent(int descriptor, int bytes) {
#ifdef TCP_NOTSENT_LOWAT
  setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
#else
  (void)descriptor;
  (void)bytes;
#endif
}

/* The bytes of a socket that the other side has not acknowledged yet; -1 where that is not known. */
static inline int martlet_unsent(int descriptor) {
  int bytes = -1;
  return ioctl(descriptor, TIOCOUTQ, &bytes) == 0 ? bytes : -1;
}

/* The bytes a second that a TCP socket's link has taken, from what was acknowledged and for how long it was
   busy without waiting for the other side's buffer; 0 where that is not known or was too short. The places
   are those of the kernel's struct tcp_info, of which the C library has only the beginning. */
static inline double martlet_link_rate(int descriptor) {
  unsigned char info[256];
  socklen_t length = sizeof info;
  uint64_t acknowledged, busy, stopped;
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, info, &length) != 0 || length < 184) return 0;
  memcpy(&acknowledged, info + 120, 8);
  memcpy(&busy, info + 168, 8);
  memcpy(&stopped, info + 176, 8);
  if (busy < stopped + 50000) return 0;
  return (double)acknowledged * 1e6 / (double)(busy - stopped);
}

/* Acknowledges at once what was read from a TCP socket, where the system can. Its own delay of up to
   40 ms would hold back whatever the other side's Nagle algorithm does not send before. The setting
   wears off whenever something is sent. False where there is nothing to set. */
static inline int martlet_acknowledge_now(int descriptor) {
#ifdef TCP_QUICKACK
  int on = 1;
  return setsockopt(descriptor, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on) == 0;
#else
  (void)descriptor;
  return 0;
#endif
}
