/*
 * Sends MAP requests of 16 loopback hosts, 127.1.N.1 to .16, as fast as it can and waits for nothing: until it is ended.
 * Arguments: the server's port, N.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { HOSTS = 16, BATCH = 64, LENGTH = 60 };

static unsigned char requests[BATCH][LENGTH];
static struct iovec parts[BATCH];
static struct mmsghdr messages[BATCH];

int main(int count, char **words) {
  if (count != 3) return 1;
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1]))};
  inet_pton(AF_INET, "127.0.0.1", &server.sin_addr);
  int sockets[HOSTS];
  struct sockaddr_in hosts[HOSTS];
  for (int i = 0; i < HOSTS; i++) {
    hosts[i] = (struct sockaddr_in){.sin_family = AF_INET};
    hosts[i].sin_addr.s_addr = htonl(0x7f010000 | atoi(words[2]) << 8 | (i + 1));
    sockets[i] = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(sockets[i], (struct sockaddr *)&hosts[i], sizeof hosts[i]) != 0) {
      perror("bind");
      return 1;
    }
  }
  for (int i = 0; i < BATCH; i++) {
    unsigned char *request = requests[i];
    request[0] = 2; /* version */
    request[1] = 1; /* MAP */
    request[6] = 0x0e; /* lifetime 3600 */
    request[7] = 0x10;
    request[18] = request[19] = 0xff; /* ::ffff:0:0/96 */
    memset(request + 24, 7, 12); /* nonce */
    request[36] = 17; /* UDP */
    request[54] = request[55] = 0xff; /* any external address */
    parts[i] = (struct iovec){.iov_base = request, .iov_len = LENGTH};
    messages[i].msg_hdr = (struct msghdr){
        .msg_name = &server, .msg_namelen = sizeof server, .msg_iov = &parts[i], .msg_iovlen = 1};
  }
  char answer[2048];
  for (unsigned turn = 0;; turn++) {
    int host = turn % HOSTS;
    for (int i = 0; i < BATCH; i++) {
      unsigned port = 1024 + (turn / HOSTS * BATCH + i) % 4096;
      memcpy(requests[i] + 20, &hosts[host].sin_addr, 4);
      requests[i][40] = port >> 8;
      requests[i][41] = port;
    }
    sendmmsg(sockets[host], messages, BATCH, 0);
    while (recv(sockets[host], answer, sizeof answer, MSG_DONTWAIT) > 0) {
    }
  }
}
