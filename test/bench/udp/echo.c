/*
 * A bare UDP echo by recvmmsg and sendmmsg, 64 datagrams a call: what a server can reach on this machine. Arguments: address, port.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 64, OCTETS = 2048 };

static char octets[BATCH][OCTETS];

int main(int count, char **words) {
  struct sockaddr_in own = {.sin_family = AF_INET};
  int size = 4 << 20;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (count != 3 || inet_pton(AF_INET, words[1], &own.sin_addr) != 1) return 2;
  own.sin_port = htons((uint16_t)atoi(words[2]));
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (bind(fd, (struct sockaddr *)&own, sizeof own) != 0) {
    perror("bind");
    return 1;
  }
  static struct mmsghdr messages[BATCH];
  static struct iovec parts[BATCH];
  static struct sockaddr_in peers[BATCH];
  puts("ready");
  fflush(stdout);
  for (;;) {
    for (int i = 0; i < BATCH; i++) {
      parts[i] = (struct iovec){octets[i], OCTETS};
      messages[i].msg_hdr = (struct msghdr){
          .msg_name = &peers[i], .msg_namelen = sizeof peers[i], .msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int heard = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
    if (heard <= 0) continue;
    for (int i = 0; i < heard; i++) parts[i].iov_len = messages[i].msg_len;
    for (int sent = 0; sent < heard;) {
      int done = sendmmsg(fd, messages + sent, (unsigned)(heard - sent), 0);
      sent += done > 0 ? done : 1;
    }
  }
}
