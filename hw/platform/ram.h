/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory: one mapping of the host, seen at up to four places of the address map. Pages cost
 * nothing until touched, so a machine may be given more memory than the host has free.
 */
#ifndef PCILAB_HW_PLATFORM_RAM_H
#define PCILAB_HW_PLATFORM_RAM_H

#include <glib.h>
#include <stdbool.h>

#include "pcilab/cpu/cpu.h"

#define RAM_PIECES_MAX 4

struct ram {
    uint8_t *host;
    uint8_t *backing;    /* as `host`, behind the processors' caches; NULL: nobody looks there */
    uint64_t size_bytes; /* as configured */
    uint64_t low_end;    /* end of RAM below 4 GiB */
    uint64_t free_end;   /* of it, for kernels; what is behind is reserved by the firmware */
    uint64_t high_end;   /* end of RAM above 4 GiB; MAP_RAM_ABOVE_4G when there is none */
    struct cpu_ram piece[RAM_PIECES_MAX]; /* in order of address */
    unsigned piece_count;
};

/* size_bytes: a multiple of 1 MiB, at least 2 MiB. */
bool ram_init(struct ram *ram, uint64_t size_bytes, GError **error);
void ram_fini(struct ram *ram);
/* Zeroes everything and gives the pages back to the host. */
void ram_clear(struct ram *ram);
/* Host address of [gpa, gpa + len), or NULL unless all of it is RAM. */
void *ram_ptr(const struct ram *ram, uint64_t gpa, uint64_t len);

/* ram_cache.c: memory as somebody sees it who does not snoop the processors' caches. Without
 * ram_add_backing() nothing of this is kept and the writes back do nothing. */
bool ram_add_backing(struct ram *ram, GError **error);
void ram_write_back(struct ram *ram, uint64_t gpa, uint64_t len);
void ram_write_back_all(struct ram *ram);
bool ram_backing_read(const struct ram *ram, uint64_t gpa, void *data, unsigned len);
/* *shared: processors see the write as well; false: one has changed the line. */
bool ram_backing_write(struct ram *ram, uint64_t gpa, const void *data, unsigned len, bool *shared);

#endif
