#include <mosquitto.h>
#include <mqtt_protocol.h>
/* Wakes the network thread; the Glibc module of Swift lacks it. */
#include <sys/eventfd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

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
