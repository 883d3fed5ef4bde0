/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest memory. */
#include "ram.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

#include "pcilab/base/bits.h"
#include "pcilab/platform/addrmap.h"
#include "pcilab/platform/machine.h"

static void ram_add_piece(struct ram *ram, uint64_t gpa, uint64_t end, uint8_t *host)
{
    if (end <= gpa)
        return;
    assert(ram->piece_count < RAM_PIECES_MAX);
    ram->piece[ram->piece_count++] = (struct cpu_ram){.gpa = gpa, .size = end - gpa, .host = host};
}

bool ram_init(struct ram *ram, uint64_t size_bytes, GError **error)
{
    *ram = (struct ram){.size_bytes = size_bytes};
    if (size_bytes < (2 << 20) || size_bytes > MAP_RAM_MAX_BYTES || size_bytes % (1 << 20)) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                    "memory of %" G_GUINT64_FORMAT
                    " bytes: must be a multiple of 1 MiB from 2 MiB to %llu GiB",
                    size_bytes, MAP_RAM_MAX_BYTES >> 30);
        return false;
    }
    void *host = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (host == MAP_FAILED) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_MEMORY,
                    "cannot reserve %" G_GUINT64_FORMAT " MiB of guest memory: %s",
                    size_bytes >> 20, g_strerror(errno));
        return false;
    }
    ram->host = host;
    ram->low_end = ram->free_end = MIN(size_bytes, MAP_LOW_RAM_MAX);
    ram->high_end = MAP_RAM_ABOVE_4G + (size_bytes - ram->low_end);
    ram_add_piece(ram, 0, MAP_LOW_RAM_END, ram->host);
    ram_add_piece(ram, MAP_FIRMWARE_BASE, ram->low_end, ram->host + MAP_FIRMWARE_BASE);
    ram_add_piece(ram, MAP_RAM_ABOVE_4G, ram->high_end, ram->host + ram->low_end);
    return true;
}

void ram_fini(struct ram *ram)
{
    if (ram->host)
        munmap(ram->host, ram->size_bytes);
    if (ram->backing)
        munmap(ram->backing, ram->size_bytes);
    ram->host = ram->backing = NULL;
}

void ram_clear(struct ram *ram)
{
    /* Private anonymous pages read as zero after MADV_DONTNEED. */
    int rc = madvise(ram->host, ram->size_bytes, MADV_DONTNEED);
    assert(rc == 0);
    rc = ram->backing ? madvise(ram->backing, ram->size_bytes, MADV_DONTNEED) : 0;
    assert(rc == 0);
}

void *ram_ptr(const struct ram *ram, uint64_t gpa, uint64_t len)
{
    for (unsigned i = 0; i < ram->piece_count; i++) {
        const struct cpu_ram *p = &ram->piece[i];

        if (range_inside(gpa, len, p->gpa, p->size))
            return p->host + (gpa - p->gpa);
    }
    return NULL;
}
