/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pcilab/io/block.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block_direct.h"
#include "pcilab/base/bits.h"

/* Zeroes are written in pieces of this size where the file system cannot punch holes. */
#define ZERO_PIECE_BYTES 65536

struct block_image {
    uint64_t size_bytes;
    bool read_only;
    int fd;       /* raw file; -1: memory */
    uint8_t *mem; /* scratch; private anonymous pages */
    /* Raw file with an overlay: sectors whose bit is set are in `over`. Both as `mem`. */
    uint8_t *over, *written;
    int host_error;
    struct block_direct *direct; /* NULL: through the page cache */
};

/* A host error: remembered for whoever reports the run, and passed on for the guest. */
static int block_host_failed(struct block_image *image, int err)
{
    if (!image->host_error) {
        image->host_error = -err;
    }
    return -err;
}

int block_host_error(const struct block_image *image)
{
    return image->host_error;
}

static bool block_fail(GError **error, const char *path, int err, const char *what)
{
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(err), "%s: %s: %s", path, what,
                g_strerror(err));
    return false;
}

static int block_open_fd(const char *path, unsigned flags, bool *read_only)
{
    int direct = flags & BLOCK_DIRECT ? O_DIRECT : 0, fd;

    *read_only = flags & (BLOCK_READ_ONLY | BLOCK_OVERLAY);
    fd = open(path, (*read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | direct);
    if (fd < 0 && !*read_only && (flags & BLOCK_READ_ONLY_OK) &&
        (errno == EACCES || errno == EROFS || errno == EPERM)) {
        fd = open(path, O_RDONLY | O_CLOEXEC | direct);
        *read_only = true;
    }
    return fd;
}

/* Open file description locks belong to the descriptor: they end with this process, however it
 * ends, and are not lost when another part of it closes the same file (fcntl(2)). */
static bool block_lock(const char *path, int fd, bool read_only, GError **error)
{
    struct flock lock = {.l_type = read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};

    if (!fcntl(fd, F_OFD_SETLK, &lock)) {
        return true;
    }
    if (errno == EAGAIN || errno == EACCES) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_AGAIN,
                    "%s: the image is in use by another process", path);
        return false;
    }
    /* Some network file systems have no locks at all; an image there is still usable. */
    if (errno == EINVAL || errno == ENOLCK || errno == EOPNOTSUPP) {
        return true;
    }
    return block_fail(error, path, errno, "cannot lock the image");
}

static bool block_find_size(const char *path, int fd, uint64_t *size, GError **error)
{
    struct stat st;

    if (fstat(fd, &st)) {
        return block_fail(error, path, errno, "cannot examine the image");
    }
    if (S_ISREG(st.st_mode)) {
        *size = (uint64_t)st.st_size;
    } else if (!S_ISBLK(st.st_mode)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "%s: neither a regular file nor a block device", path);
        return false;
    } else if (ioctl(fd, BLKGETSIZE64, size)) {
        return block_fail(error, path, errno, "cannot find the size of the device");
    }
    if (!*size || *size % BLOCK_SECTOR_BYTES) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "%s: the size of a raw image must be a positive multiple of %d bytes, not "
                    "%" G_GUINT64_FORMAT,
                    path, BLOCK_SECTOR_BYTES, *size);
        return false;
    }
    return true;
}

static bool block_check_direct(const char *path, unsigned flags, uint64_t size, GError **error)
{
    if (!(flags & BLOCK_DIRECT) || size % BLOCK_DIRECT_BYTES == 0) {
        return true;
    }
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "%s: past the page cache the size of an image must be a multiple of %d bytes", path,
                BLOCK_DIRECT_BYTES);
    return false;
}

struct block_image *block_open_raw(const char *path, bool read_only_ok, GError **error)
{
    return block_open(path, read_only_ok ? BLOCK_READ_ONLY_OK : 0, error);
}

struct block_image *block_open(const char *path, unsigned flags, GError **error)
{
    bool read_only;
    uint64_t size;
    int fd = block_open_fd(path, flags, &read_only);

    if (fd < 0) {
        block_fail(error, path, errno,
                   errno == EINVAL && (flags & BLOCK_DIRECT)
                       ? "this file system has no access past the page cache"
                       : "cannot open the image");
        return NULL;
    }
    if (!block_find_size(path, fd, &size, error) || !block_lock(path, fd, read_only, error) ||
        !block_check_direct(path, flags, size, error)) {
        close(fd);
        return NULL;
    }

    struct block_image *image = g_new0(struct block_image, 1);
    image->size_bytes = size;
    image->read_only = read_only && !(flags & BLOCK_OVERLAY);
    image->fd = fd;
    if (flags & BLOCK_DIRECT) {
        image->direct = block_direct_new(fd);
    }
    if ((flags & BLOCK_OVERLAY) && !block_overlay(image, error)) {
        block_free(image);
        return NULL;
    }
    return image;
}

/* Zeroed; pages come when written. NULL when there is no room. */
static uint8_t *block_map(uint64_t size_bytes)
{
    void *mem = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return mem == MAP_FAILED ? NULL : mem;
}

struct block_image *block_new_memory(uint64_t size_bytes)
{
    if (!size_bytes || size_bytes % BLOCK_SECTOR_BYTES || size_bytes > SIZE_MAX / 2) {
        return NULL;
    }

    uint8_t *mem = block_map(size_bytes);
    if (!mem) {
        return NULL;
    }

    struct block_image *image = g_new0(struct block_image, 1);
    image->size_bytes = size_bytes;
    image->fd = -1;
    image->mem = mem;
    return image;
}

static uint64_t block_bitmap_bytes(const struct block_image *image)
{
    return image->size_bytes / BLOCK_SECTOR_BYTES / 8 + 1;
}

bool block_overlay(struct block_image *image, GError **error)
{
    if (block_is_private(image)) {
        return true; /* nobody else sees these writes, or there are none */
    }
    image->over = block_map(image->size_bytes);
    image->written = image->over ? block_map(block_bitmap_bytes(image)) : NULL;
    if (!image->written) {
        block_fail(error, "overlay in memory", errno, "cannot reserve room for it");
        if (image->over) {
            munmap(image->over, image->size_bytes);
            image->over = NULL;
        }
        return false;
    }
    return true;
}

void block_free(struct block_image *image)
{
    if (!image) {
        return;
    }
    block_direct_free(image->direct);
    if (image->mem) {
        munmap(image->mem, image->size_bytes);
    } else {
        close(image->fd);
    }
    if (image->over) {
        munmap(image->over, image->size_bytes);
        munmap(image->written, block_bitmap_bytes(image));
    }
    g_free(image);
}

uint64_t block_size_bytes(const struct block_image *image)
{
    return image->size_bytes;
}

bool block_read_only(const struct block_image *image)
{
    return image->read_only;
}

bool block_is_private(const struct block_image *image)
{
    return image->mem || image->over || image->read_only;
}

void block_set_read_only(struct block_image *image)
{
    image->read_only = true;
}

static int block_check(const struct block_image *image, uint64_t offset, uint64_t len)
{
    if (offset % BLOCK_SECTOR_BYTES || len % BLOCK_SECTOR_BYTES ||
        !range_inside(offset, len, 0, image->size_bytes)) {
        return -EINVAL;
    }
    return 0;
}

static int block_read_file(struct block_image *image, uint64_t offset, uint8_t *to, uint64_t len)
{
    if (image->direct) {
        int err = block_direct_read(image->direct, offset, to, len);
        return err ? block_host_failed(image, -err) : 0;
    }
    while (len) {
        ssize_t n = pread(image->fd, to, len, (off_t)offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            /* End of file inside the image: somebody truncated it under us. */
            return block_host_failed(image, n < 0 ? errno : EIO);
        }
        to += n;
        offset += (uint64_t)n;
        len -= (uint64_t)n;
    }
    return 0;
}

static bool block_is_over(const struct block_image *image, uint64_t offset)
{
    uint64_t sector = offset / BLOCK_SECTOR_BYTES;

    return image->written[sector / 8] >> sector % 8 & 1;
}

static void block_mark_over(struct block_image *image, uint64_t offset, uint64_t len)
{
    for (uint64_t at = offset; at < offset + len; at += BLOCK_SECTOR_BYTES) {
        uint64_t sector = at / BLOCK_SECTOR_BYTES;
        image->written[sector / 8] |= (uint8_t)(1u << sector % 8);
    }
}

/* Runs of sectors from the one or the other. */
static int block_read_overlaid(struct block_image *image, uint64_t offset, uint8_t *to,
                               uint64_t len)
{
    int err = 0;

    while (len && !err) {
        bool over = block_is_over(image, offset);
        uint64_t n = BLOCK_SECTOR_BYTES;
        while (n < len && block_is_over(image, offset + n) == over) {
            n += BLOCK_SECTOR_BYTES;
        }
        if (over) {
            memcpy(to, image->over + offset, n);
        } else {
            err = block_read_file(image, offset, to, n);
        }
        to += n;
        offset += n;
        len -= n;
    }
    return err;
}

int block_read(struct block_image *image, uint64_t offset, void *data, uint64_t len)
{
    int err = block_check(image, offset, len);

    if (err) {
        return err;
    }
    if (image->mem) {
        memcpy(data, image->mem + offset, len);
        return 0;
    }
    return image->over ? block_read_overlaid(image, offset, data, len)
                       : block_read_file(image, offset, data, len);
}

static int block_write_file(struct block_image *image, uint64_t offset, const uint8_t *from,
                            uint64_t len)
{
    if (image->direct) {
        int err = block_direct_write(image->direct, offset, from, len);
        return err ? block_host_failed(image, -err) : 0;
    }
    while (len) {
        ssize_t n = pwrite(image->fd, from, len, (off_t)offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return block_host_failed(image, n < 0 ? errno : EIO);
        }
        from += n;
        offset += (uint64_t)n;
        len -= (uint64_t)n;
    }
    return 0;
}

int block_write(struct block_image *image, uint64_t offset, const void *data, uint64_t len)
{
    int err = image->read_only ? -EROFS : block_check(image, offset, len);

    if (err) {
        return err;
    }
    if (image->mem) {
        memcpy(image->mem + offset, data, len);
        return 0;
    }
    if (image->over) {
        memcpy(image->over + offset, data, len);
        block_mark_over(image, offset, len);
        return 0;
    }
    return block_write_file(image, offset, data, len);
}

static int block_zero_memory(uint8_t *mem, uint64_t offset, uint64_t len)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t first = MIN(align_up(offset, page), offset + len);
    uint64_t last = MAX(align_down(offset + len, page), first);

    memset(mem + offset, 0, first - offset);
    memset(mem + last, 0, offset + len - last);
    /* Private anonymous pages read as zeroes after this, and the host gets its memory back. */
    if (last > first && madvise(mem + first, last - first, MADV_DONTNEED)) {
        memset(mem + first, 0, last - first);
    }
    return 0;
}

int block_zero(struct block_image *image, uint64_t offset, uint64_t len)
{
    static const uint8_t zeroes[ZERO_PIECE_BYTES];
    int err = image->read_only ? -EROFS : block_check(image, offset, len);

    if (err || !len) {
        return err;
    }
    if (image->mem) {
        return block_zero_memory(image->mem, offset, len);
    }
    if (image->over) {
        block_mark_over(image, offset, len);
        return block_zero_memory(image->over, offset, len);
    }
    if (!fallocate(image->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                   (off_t)len)) {
        return 0;
    }
    while (len && !err) {
        uint64_t n = MIN(len, sizeof(zeroes));
        err = block_write_file(image, offset, zeroes, n);
        offset += n;
        len -= n;
    }
    return err;
}

int block_flush(struct block_image *image)
{
    if (image->mem || image->over || image->read_only) {
        return 0;
    }
    while (fdatasync(image->fd)) {
        if (errno != EINTR) {
            return block_host_failed(image, errno);
        }
    }
    return 0;
}
