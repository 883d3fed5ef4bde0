/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench/dma-guest DEVICE LARGE SMALL ROUNDS: runs in the guest of bench/dma. A round reads so many
 * times 1 MiB, one after another, then so many times 4 KiB anywhere, past the page cache, with a
 * line before and after each of the two.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LARGE_BYTES (1u << 20)
#define SMALL_BYTES 4096u

static void mark(const char *name)
{
    printf("dma: %s\n", name);
    fflush(stdout);
    /* Let what prints it finish. */
    usleep(20000);
}

static void read_at(int fd, void *buf, size_t len, uint64_t at)
{
    ssize_t got = pread(fd, buf, len, (off_t)at);

    if (got != (ssize_t)len) {
        fprintf(stderr, "dma: read of %zu at %" PRIu64 ": %s\n", len, at,
                got < 0 ? strerror(errno) : "short");
        exit(1);
    }
}

static void read_large(int fd, void *buf, unsigned long count, uint64_t size)
{
    for (unsigned long i = 0; i < count; i++)
        read_at(fd, buf, LARGE_BYTES, i % (size / LARGE_BYTES) * LARGE_BYTES);
}

static void read_small(int fd, void *buf, unsigned long count, uint64_t size)
{
    uint64_t state = 1;

    for (unsigned long i = 0; i < count; i++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        read_at(fd, buf, SMALL_BYTES, (state >> 33) % (size / SMALL_BYTES) * SMALL_BYTES);
    }
}

int main(int argc, char **argv)
{
    unsigned long large = argc == 5 ? strtoul(argv[2], NULL, 0) : 0;
    unsigned long small = argc == 5 ? strtoul(argv[3], NULL, 0) : 0;
    unsigned long rounds = argc == 5 ? strtoul(argv[4], NULL, 0) : 0;
    int fd = argc == 5 ? open(argv[1], O_RDONLY | O_DIRECT) : -1;
    uint64_t size;
    void *buf;

    if (fd < 0 || posix_memalign(&buf, 4096, LARGE_BYTES)) {
        fprintf(stderr, "usage: dma-guest DEVICE LARGE SMALL ROUNDS (%s)\n", strerror(errno));
        return 1;
    }
    size = (uint64_t)lseek(fd, 0, SEEK_END);
    read_at(fd, buf, LARGE_BYTES, 0);
    while (rounds--) {
        mark("begin");
        read_large(fd, buf, large, size);
        mark("large");
        mark("begin");
        read_small(fd, buf, small, size);
        mark("small");
    }
    return 0;
}
