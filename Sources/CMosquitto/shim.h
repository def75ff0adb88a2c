#include <mosquitto.h>
#include <mqtt_protocol.h>
/* Wakes the network thread; the Glibc module of Swift lacks it. */
#include <sys/eventfd.h>
