/*
 * A load of PCP MAP requests from many hosts, by one socket with the source address of each datagram: recvmmsg for what comes, and
 * UDP_SEGMENT for what goes, so that it has less work than the server that it asks. Every answer is held to its request.
 *
 * Arguments: the server's address and port, the first host's address, hosts, `map` or `echo` (whoever is asked sends back what it
 * gets). Commands by standard input, a line of JSON for each on standard output:
 *
 *   create COUNT WINDOW LIFETIME AGAIN BUDGET   mappings that were not asked for before; seconds, milliseconds, seconds
 *   forget                                      what there is belongs to no renewal any more
 *   renew SECONDS WINDOW AGAIN                  all mappings, over and over
 *
 * With at least as many hosts as WINDOW each host has one request under way at a time.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

enum { MOST = 1 << 20, REQUEST = 60, BATCH = 64, OCTETS = 256, BUCKETS = 1 << 17, HOSTS = 4096 };

/* Of each mapping by its number. */
static uint16_t host_of[MOST], slot_of[MOST], external_of[MOST];
/* Nanoseconds when it was first asked for, and when last; 0: it is not under way. */
static int64_t first_sent[MOST], last_sent[MOST];
static uint32_t histogram[BUCKETS];

static struct sockaddr_in server;
static uint32_t first_host;
static int hosts, fd, is_echo;
/* Mappings are `first` to `next - 1`. */
static int first, next;
static uint32_t lifetime = 3600;

static uint32_t under_way[BATCH * HOSTS];
static long answered, refused, wrong, again;
/* Nanoseconds of asking in vain. */
static int64_t idle, idle_before;
static int first_refusal;

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double cpu_seconds(void) {
  struct rusage use;
  getrusage(RUSAGE_SELF, &use);
  return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + 1e-6 * (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

static void put16(uint8_t *at, uint32_t value) { at[0] = (uint8_t)(value >> 8), at[1] = (uint8_t)value; }
static void put32(uint8_t *at, uint32_t value) { put16(at, value >> 16), put16(at + 2, value & 0xffff); }
static uint32_t get16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }
static uint32_t get32(const uint8_t *at) { return get16(at) << 16 | get16(at + 2); }

/* RFC 6887 figures 2 and 9: the number is in the nonce; TCP and UDP by turns, the external port suggested is the internal one. */
static void write_request(uint8_t *to, int number) {
  memset(to, 0, REQUEST);
  to[0] = 2, to[1] = 1;
  put32(to + 4, lifetime);
  put16(to + 18, 0xffff), put32(to + 20, first_host + host_of[number]);
  put32(to + 24, 0x73616c6c), put32(to + 28, 0x79706f72), put32(to + 32, (uint32_t)number + 1);
  to[36] = number % 2 == 0 ? 6 : 17;
  put16(to + 40, 1024 + ((uint32_t)number >> 1) % 64000);
  put16(to + 42, 1024 + ((uint32_t)number >> 1) % 64000);
  put16(to + 54, 0xffff);
}

/* Sends requests, those of one host that come one after the other in one call. */
static void send_all(const int *numbers, int count) {
  static uint8_t octets[BATCH][REQUEST];
  int64_t at = now_ns();
  for (int i = 0; i < count;) {
    int run = 0;
    for (; i + run < count && run < BATCH && host_of[numbers[i + run]] == host_of[numbers[i]]; run++) {
      int number = numbers[i + run];
      write_request(octets[run], number);
      if (last_sent[number] == 0) first_sent[number] = at;
      last_sent[number] = at;
    }
    union {
      char space[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
      struct cmsghdr align;
    } control;
    memset(&control, 0, sizeof control);
    struct iovec part = {octets, (size_t)run * REQUEST};
    struct msghdr message = {.msg_name = &server, .msg_namelen = sizeof server, .msg_iov = &part, .msg_iovlen = 1,
                             .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *one = CMSG_FIRSTHDR(&message);
    one->cmsg_level = IPPROTO_IP, one->cmsg_type = IP_PKTINFO, one->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    ((struct in_pktinfo *)CMSG_DATA(one))->ipi_spec_dst.s_addr = htonl(first_host + host_of[numbers[i]]);
    if (run > 1) {
      one = CMSG_NXTHDR(&message, one);
      one->cmsg_level = SOL_UDP, one->cmsg_type = UDP_SEGMENT, one->cmsg_len = CMSG_LEN(sizeof(uint16_t));
      uint16_t segment = REQUEST;
      memcpy(CMSG_DATA(one), &segment, sizeof segment);
    } else message.msg_controllen = CMSG_SPACE(sizeof(struct in_pktinfo));
    if (sendmsg(fd, &message, 0) < 0) perror("sendmsg");
    i += run;
  }
}

/* The number of the mapping that an answer is for; -1: it is for none that is under way. */
static int judge(const uint8_t *answer, int length) {
  if (length != REQUEST || get32(answer + 24) != 0x73616c6c || get32(answer + 28) != 0x79706f72) return -1;
  int number = (int)get32(answer + 32) - 1;
  if (number < 0 || number >= next || last_sent[number] == 0) return -1;
  if (answer[1] != (is_echo ? 1 : 0x81) || answer[0] != 2) wrong++;
  else if (!is_echo && answer[3] != 0) {
    if (refused++ == 0) first_refusal = answer[3];
  } else if (!is_echo) {
    uint32_t external = get16(answer + 42);
    if (external == 0 || get32(answer + 4) == 0 || (external_of[number] != 0 && external_of[number] != external)) wrong++;
    external_of[number] = (uint16_t)external;
  }
  return number;
}

/*
 * Asks for answers for 20 ms at most; gives the numbers of those that came. It never sleeps: whoever answers a load that does pays for
 * waking it, which between two cores of a virtual machine is a quarter of a request.
 */
static int hear(int *numbers) {
  static uint8_t octets[BATCH][OCTETS];
  static struct mmsghdr messages[BATCH];
  static struct iovec parts[BATCH];
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){octets[i], OCTETS};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
  }
  int heard = -1, count = 0;
  int64_t start = now_ns();
  for (int64_t instant = start; instant - start < 20000000; instant = now_ns()) {
    heard = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
    if (heard > 0) break;
    idle = idle_before + now_ns() - start;
  }
  idle_before = idle;
  int64_t at = now_ns();
  for (int i = 0; i < heard; i++) {
    int number = judge(octets[i], (int)messages[i].msg_len);
    if (number < 0) continue;
    int64_t bucket = (at - first_sent[number]) / 1000;
    histogram[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    last_sent[number] = 0;
    answered++;
    numbers[count++] = number;
  }
  return count;
}

static long quantile(double part) {
  long sum = 0;
  for (int i = 0; i < BUCKETS; i++) {
    sum += histogram[i];
    if ((double)sum >= part * (double)answered && sum > 0) return i;
  }
  return 0;
}

/* Sends again what is under way for `patience` nanoseconds; `under` has its numbers by slot, plus 1. */
static void send_again(int window, int64_t patience) {
  int64_t at = now_ns();
  for (int slot = 0; slot < window; slot++) {
    int number = (int)under_way[slot] - 1;
    if (number < 0 || at - last_sent[number] < patience) continue;
    again++;
    send_all(&number, 1);
  }
}

/* `count` requests from `from` on, each number's next one by `following`; ends after `budget` nanoseconds at the latest. */
static void run(int window, long count, int64_t patience, int64_t budget, int is_creating) {
  int numbers[BATCH * HOSTS], heard[BATCH];
  long asked = 0;
  int at = first;
  answered = refused = wrong = again = 0;
  idle = idle_before = 0;
  memset(histogram, 0, sizeof histogram);
  memset(under_way, 0, sizeof under_way);
  memset(last_sent, 0, sizeof last_sent);
  double spent = cpu_seconds();
  int64_t start = now_ns(), looked = start;
  int free_slots[BATCH * HOSTS], free_count = 0;
  for (int slot = window - 1; slot >= 0; slot--) free_slots[free_count++] = slot;
  for (;;) {
    int64_t instant = now_ns();
    int ready = 0, is_over = instant - start >= budget;
    while (free_count > 0 && asked < count && !is_over) {
      int slot = free_slots[--free_count], number;
      if (is_creating) {
        number = next++;
        // Few hosts have their requests in runs; of many each has one under way.
        host_of[number] = (uint16_t)(hosts < window ? (number / BATCH) % hosts : slot % hosts);
      } else {
        number = at++;
        if (at == next) at = first;
      }
      slot_of[number] = (uint16_t)slot;
      under_way[slot] = (uint32_t)number + 1;
      numbers[ready++] = number;
      asked++;
    }
    if (ready > 0) send_all(numbers, ready);
    if (free_count == window || (is_over && instant - start >= budget + 100000000)) break;
    int came = hear(heard);
    for (int i = came - 1; i >= 0; i--) {
      under_way[slot_of[heard[i]]] = 0;
      free_slots[free_count++] = slot_of[heard[i]];
    }
    if (instant - looked > 50000000) {
      send_again(window, patience);
      looked = instant;
    }
  }
  double seconds = 1e-9 * (double)(now_ns() - start);
  printf("{\"answered\":%ld,\"seconds\":%.6f,\"rate\":%.1f,\"p50\":%ld,\"p99\":%ld,\"refused\":%ld,\"refusal\":%d,\"wrong\":%ld,"
         "\"again\":%ld,\"busy\":%.3f,\"mappings\":%d}\n",
         answered, seconds, (double)answered / seconds, quantile(0.5), quantile(0.99), refused, first_refusal, wrong, again,
         (cpu_seconds() - spent - 1e-9 * (double)idle) / seconds, next - first);
  fflush(stdout);
}

int main(int count, char **words) {
  struct in_addr host;
  int size = 4 << 20;
  if (count != 6) return 2;
  server.sin_family = AF_INET;
  server.sin_port = htons((uint16_t)atoi(words[2]));
  if (inet_pton(AF_INET, words[1], &server.sin_addr) != 1 || inet_pton(AF_INET, words[3], &host) != 1) return 2;
  first_host = ntohl(host.s_addr);
  hosts = atoi(words[4]);
  is_echo = strcmp(words[5], "echo") == 0;
  if (hosts < 1 || hosts > HOSTS) return 2;
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  char line[256];
  while (fgets(line, sizeof line, stdin) != NULL) {
    int window, patience, most;
    double seconds;
    if (sscanf(line, "create %d %d %u %d %lf", &most, &window, &lifetime, &patience, &seconds) == 5 && window <= BATCH * HOSTS && next + most <= MOST)
      run(window, most, (int64_t)patience * 1000000, (int64_t)(seconds * 1e9), 1);
    else if (sscanf(line, "renew %lf %d %d", &seconds, &window, &patience) == 3 && window <= next - first)
      run(window, __LONG_MAX__, (int64_t)patience * 1000000, (int64_t)(seconds * 1e9), 0);
    else if (strcmp(line, "forget\n") == 0) first = next, puts("{}"), fflush(stdout);
    else return 2;
  }
  return 0;
}
