/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files without the host's page cache (open(2), O_DIRECT): memory, offsets and lengths have to be
 * aligned, so everything goes through a buffer that is, whole blocks at a time.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "block_direct.h"
#include "pcilab/base/bits.h"

#define PIECE_BYTES (256u << 10)

struct block_direct {
    int fd;
    uint8_t *buf; /* PIECE_BYTES, aligned */
};

struct block_direct *block_direct_new(int fd)
{
    struct block_direct *direct = g_new0(struct block_direct, 1);

    direct->fd = fd;
    direct->buf = g_aligned_alloc(1, PIECE_BYTES, BLOCK_DIRECT_BYTES);
    return direct;
}

void block_direct_free(struct block_direct *direct)
{
    if (direct) {
        g_aligned_free(direct->buf);
        g_free(direct);
    }
}

static int piece_read(struct block_direct *direct, uint64_t start, uint64_t len)
{
    ssize_t n;

    do {
        n = pread(direct->fd, direct->buf, len, (off_t)start);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return -errno;
    }
    return (uint64_t)n == len ? 0 : -EIO; /* somebody truncated the file under us */
}

static int piece_write(struct block_direct *direct, uint64_t start, uint64_t len)
{
    ssize_t n;

    do {
        n = pwrite(direct->fd, direct->buf, len, (off_t)start);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return -errno;
    }
    return (uint64_t)n == len ? 0 : -ENOSPC;
}

/* The whole blocks around [offset, offset + *len), of which *len shrinks to what the buffer has
 * room for. */
static uint64_t whole(uint64_t offset, uint64_t *len, uint64_t *start)
{
    *start = align_down(offset, BLOCK_DIRECT_BYTES);
    *len = MIN(*len, PIECE_BYTES - (offset - *start));
    return align_up(offset + *len, BLOCK_DIRECT_BYTES) - *start;
}

int block_direct_read(struct block_direct *direct, uint64_t offset, uint8_t *to, uint64_t len)
{
    int err = 0;

    while (len && !err) {
        uint64_t start, n = len, size = whole(offset, &n, &start);
        err = piece_read(direct, start, size);
        if (!err) {
            memcpy(to, direct->buf + (offset - start), n);
        }
        to += n;
        offset += n;
        len -= n;
    }
    return err;
}

int block_direct_write(struct block_direct *direct, uint64_t offset, const uint8_t *from,
                       uint64_t len)
{
    int err = 0;

    while (len && !err) {
        uint64_t start, n = len, size = whole(offset, &n, &start);
        if (n != size) { /* a part of a block */
            err = piece_read(direct, start, size);
        }
        if (!err) {
            memcpy(direct->buf + (offset - start), from, n);
            err = piece_write(direct, start, size);
        }
        from += n;
        offset += n;
        len -= n;
    }
    return err;
}
