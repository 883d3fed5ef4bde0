/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench/net-guest INTERFACE PORT BYTES: runs in the guest of bench/net. Makes the interface
 * 10.0.2.15, reads from that port of 10.0.2.2 all there is, and sends so many bytes to the next
 * port, 128 KiB at a time as iperf does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static char data[128 << 10];

static int fail(const char *what)
{
    fprintf(stderr, "net-guest: %s: %s\n", what, strerror(errno));
    exit(1);
}

static struct sockaddr_in address(const char *text, int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    inet_pton(AF_INET, text, &a.sin_addr);
    return a;
}

static void set_up(const char *name)
{
    const struct sockaddr_in own = address("10.0.2.15", 0), mask = address("255.255.255.0", 0);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq request = {0};

    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    memcpy(&request.ifr_addr, &own, sizeof(own));
    for (int i = 0; ioctl(fd, SIOCSIFADDR, &request) && i < 100; i++)
        usleep(100000); /* its driver is still coming */
    memcpy(&request.ifr_netmask, &mask, sizeof(mask));
    if (ioctl(fd, SIOCSIFNETMASK, &request) || ioctl(fd, SIOCGIFFLAGS, &request))
        fail(name);
    request.ifr_flags |= IFF_UP;
    if (ioctl(fd, SIOCSIFFLAGS, &request))
        fail(name);
    for (int i = 0; !(request.ifr_flags & IFF_RUNNING) && i < 200; i++) {
        usleep(100000); /* the link comes up */
        ioctl(fd, SIOCGIFFLAGS, &request);
    }
    close(fd);
}

static int call(int port)
{
    const struct sockaddr_in to = address("10.0.2.2", port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)))
        fail("connect");
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: net-guest INTERFACE PORT BYTES\n", stderr);
        return 2;
    }
    int port = atoi(argv[2]);
    set_up(argv[1]);
    int fd = call(port);
    while (read(fd, data, sizeof(data)) > 0) {
    }
    close(fd);
    fd = call(port + 1);
    for (long left = atol(argv[3]); left > 0;) {
        ssize_t done = write(fd, data, left < (long)sizeof(data) ? (size_t)left : sizeof(data));

        if (done < 0)
            fail("write");
        left -= done;
    }
    close(fd);
    return 0;
}
