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

#endif
