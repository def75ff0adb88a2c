/* The reference for tools/bench/wire: one publisher to several subscribers through an MQTT broker,
   with nothing but libmosquitto and its own threads.

   wire-reference ADDRESS MODE BYTES CHUNK COUNT SUBSCRIBERS
   ADDRESS  unix:/path or host:port        MODE  latency or throughput
   CHUNK    bytes of one MQTT message, 0 for the whole

   Prints one line: median and 99th percentile of the one-way time in microseconds, and megabytes per
   second published. Build: cc -O2 wire.c -lmosquitto -lpthread */
#include <mosquitto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A context of zero would be replaced by the client itself, so subscribers count from 1. */
enum { header_bytes = 16, warm_up = 20, publisher_index = 100 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int ready, subscriber_count;
static long received[16];
static double *samples;
static long sample_count, sample_capacity;

static unsigned long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (unsigned long long)time.tv_sec * 1000000000ull + (unsigned long long)time.tv_nsec;
}

static void on_connect(struct mosquitto *client, void *context, int code) {
  if (code != 0) exit(2);
  long index = (long)context;
  if (index != publisher_index) {
    mosquitto_subscribe(client, NULL, "bench/wire", 0);
  } else {
    pthread_mutex_lock(&lock);
    ready++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
  }
}

static void on_subscribe(struct mosquitto *client, void *context, int id, int n, const int *qos) {
  (void)client, (void)context, (void)id, (void)n, (void)qos;
  pthread_mutex_lock(&lock);
  ready++;
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&lock);
}

/* Payload: eight bytes of send time, eight bytes that are 1 in the last chunk of a message. */
static void on_message(struct mosquitto *client, void *context, const struct mosquitto_message *m) {
  (void)client;
  unsigned long long sent, last;
  if (m->payloadlen < header_bytes) return;
  memcpy(&sent, m->payload, 8);
  memcpy(&last, (char *)m->payload + 8, 8);
  double microseconds = (double)(now() - sent) / 1000;
  pthread_mutex_lock(&lock);
  if (last) {
    if (sample_count < sample_capacity) samples[sample_count++] = microseconds;
    received[(long)context - 1]++;
    pthread_cond_signal(&changed);
  }
  pthread_mutex_unlock(&lock);
}

static struct mosquitto *connect_client(char *address, long index) {
  struct mosquitto *client = mosquitto_new(NULL, true, (void *)index);
  if (!client) exit(2);
  mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, 5);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_connect_callback_set(client, on_connect);
  mosquitto_subscribe_callback_set(client, on_subscribe);
  mosquitto_message_callback_set(client, on_message);
  char host[200];
  snprintf(host, sizeof host, "%s", address);
  int code;
  if (strncmp(host, "unix:", 5) == 0) {
    code = mosquitto_connect(client, host + 5, 0, 30);
  } else {
    char *colon = strrchr(host, ':');
    if (!colon) exit(2);
    *colon = 0;
    code = mosquitto_connect(client, host, atoi(colon + 1), 30);
  }
  if (code != 0 || mosquitto_loop_start(client) != 0) {
    fprintf(stderr, "%s\n", mosquitto_strerror(code));
    exit(2);
  }
  return client;
}

static long slowest(void) {
  long least = received[0];
  for (int i = 1; i < subscriber_count; i++)
    if (received[i] < least) least = received[i];
  return least;
}

static void send_one(struct mosquitto *client, char *payload, long bytes, long chunk) {
  unsigned long long sent = now();
  for (long at = 0; at < bytes; at += chunk) {
    long count = bytes - at < chunk ? bytes - at : chunk;
    unsigned long long last = at + count >= bytes;
    memcpy(payload, &sent, 8);
    memcpy(payload + 8, &last, 8);
    mosquitto_publish(client, NULL, "bench/wire", (int)count, payload, 0, false);
  }
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
  if (argc != 7) return 1;
  int throughput = strcmp(argv[2], "throughput") == 0;
  long bytes = atol(argv[3]), chunk = atol(argv[4]), count = atol(argv[5]);
  subscriber_count = atoi(argv[6]);
  if (bytes < header_bytes || count < 1 || subscriber_count < 1 || subscriber_count > 16) return 1;
  if (chunk < header_bytes || chunk > bytes) chunk = bytes;
  long window = throughput ? 8388608 / bytes : 1;
  window = window < 2 ? (throughput ? 2 : 1) : window > 256 ? 256 : window;
  sample_capacity = (count + warm_up) * subscriber_count;
  samples = malloc(sizeof(double) * (size_t)sample_capacity);
  char *payload = calloc(1, (size_t)bytes);

  mosquitto_lib_init();
  struct mosquitto *clients[17];
  for (long i = 0; i < subscriber_count; i++) clients[i] = connect_client(argv[1], i + 1);
  clients[subscriber_count] = connect_client(argv[1], publisher_index);
  pthread_mutex_lock(&lock);
  while (ready < subscriber_count + 1) pthread_cond_wait(&changed, &lock);
  unsigned long long began = 0;
  for (long sent = 0; sent < count + warm_up; sent++) {
    while (sent - slowest() >= (sent < warm_up ? 1 : window)) pthread_cond_wait(&changed, &lock);
    if (sent == warm_up) {
      while (slowest() < warm_up) pthread_cond_wait(&changed, &lock);
      sample_count = 0;
      began = now();
    }
    pthread_mutex_unlock(&lock);
    send_one(clients[subscriber_count], payload, bytes, chunk);
    pthread_mutex_lock(&lock);
  }
  while (slowest() < count + warm_up) pthread_cond_wait(&changed, &lock);
  double seconds = (double)(now() - began) / 1e9;
  pthread_mutex_unlock(&lock);
  qsort(samples, (size_t)sample_count, sizeof *samples, ascending);
  printf(
      "%.2f %.2f %.2f\n", samples[sample_count / 2], samples[sample_count * 99 / 100],
      (double)bytes * (double)count / seconds / 1e6);
  for (int i = 0; i <= subscriber_count; i++) {
    mosquitto_disconnect(clients[i]);
    mosquitto_loop_stop(clients[i], false);
    mosquitto_destroy(clients[i]);
  }
  mosquitto_lib_cleanup();
  return 0;
}
