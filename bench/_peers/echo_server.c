/* The floor for bench/peers.ts: an echo server on epoll and nothing else. Prints the port, then
 * echoes until killed. It waits for a client that takes nothing, as no server may. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[256 * 1024];

/* Writes all, waiting where it must. Gives whether the peer is still there. */
static int write_all(int fd, const char *bytes, ssize_t left) {
  while (left > 0) {
    ssize_t count = write(fd, bytes, left);
    if (count < 0) {
      struct pollfd writable = {.fd = fd, .events = POLLOUT};
      if (poll(&writable, 1, 1000) != 1 || (writable.revents & (POLLERR | POLLHUP))) return 0;
      continue;
    }
    bytes += count;
    left -= count;
  }
  return 1;
}

int main(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int one = 1;
  setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (bind(server, (struct sockaddr *)&address, length) || listen(server, 2000)) return 1;
  getsockname(server, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  int poller = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = server}, events[64];
  epoll_ctl(poller, EPOLL_CTL_ADD, server, &event);
  for (;;) {
    int count = epoll_wait(poller, events, 64, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd == server) {
        int client = accept4(server, NULL, NULL, SOCK_NONBLOCK);
        if (client < 0) continue;
        struct epoll_event wanted = {.events = EPOLLIN, .data.fd = client};
        epoll_ctl(poller, EPOLL_CTL_ADD, client, &wanted);
        continue;
      }
      ssize_t bytes = read(fd, buffer, sizeof buffer);
      if (bytes <= 0 || !write_all(fd, buffer, bytes)) close(fd);
    }
  }
}
