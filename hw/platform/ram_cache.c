/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory behind the processors' caches, for whoever does not snoop them: as it was when each line
 * was last written back.
 *
 * CHOICE: the caches have no end. A line is written back by CLFLUSH, by WBINVD and by a device's
 * write, and never to make room, so that a flush that a driver forgets is always
 * seen. Memory types are not looked at: stores that go around the caches stay in them, too.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "pcilab/base/bits.h"
#include "pcilab/platform/machine.h"
#include "ram.h"

#define LINE_BYTES 64
#define PAGE_BYTES 4096

bool ram_add_backing(struct ram *ram, GError **error)
{
    void *host;

    if (ram->backing)
        return true;
    host = mmap(NULL, ram->size_bytes, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (host == MAP_FAILED) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_MEMORY,
                    "cannot reserve %" G_GUINT64_FORMAT " MiB for memory behind the caches: %s",
                    ram->size_bytes >> 20, g_strerror(errno));
        return false;
    }
    ram->backing = host;
    return true;
}

static uint8_t *behind(const struct ram *ram, const uint8_t *host)
{
    return ram->backing + (host - ram->host);
}

void ram_write_back(struct ram *ram, uint64_t gpa, uint64_t len)
{
    uint64_t first = align_down(gpa, LINE_BYTES);
    const uint8_t *host;

    if (!ram->backing)
        return;
    len = align_up(gpa + len, LINE_BYTES) - first;
    host = ram_ptr(ram, first, len);
    if (host)
        memcpy(behind(ram, host), host, len);
}

void ram_write_back_all(struct ram *ram)
{
    if (!ram->backing)
        return;
    /* Pages that nobody has touched stay so. */
    for (uint64_t at = 0; at < ram->size_bytes; at += PAGE_BYTES) {
        if (memcmp(ram->backing + at, ram->host + at, PAGE_BYTES) != 0)
            memcpy(ram->backing + at, ram->host + at, PAGE_BYTES);
    }
}

bool ram_backing_read(const struct ram *ram, uint64_t gpa, void *data, unsigned len)
{
    const uint8_t *host = ram_ptr(ram, gpa, len);

    assert(ram->backing);
    if (host)
        memcpy(data, behind(ram, host), len);
    return host != NULL;
}

bool ram_backing_write(struct ram *ram, uint64_t gpa, const void *data, unsigned len, bool *shared)
{
    uint8_t *host = ram_ptr(ram, gpa, len);

    assert(ram->backing);
    if (!host)
        return false;
    /* A line that a processor has changed meanwhile stays in its cache as it is. */
    *shared = memcmp(behind(ram, host), host, len) == 0;
    if (*shared)
        memcpy(host, data, len);
    memcpy(behind(ram, host), data, len);
    return true;
}
