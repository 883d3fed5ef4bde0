/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes of a file that was opened with O_DIRECT. Results: 0 or a negative errno. */
#ifndef PCILAB_IO_BLOCK_DIRECT_H
#define PCILAB_IO_BLOCK_DIRECT_H

#include <glib.h>
#include <stdint.h>

/* CHOICE: what every host's disks take; the size of the file is a multiple of it. */
#define BLOCK_DIRECT_BYTES 4096

struct block_direct;

/* Does not own the descriptor. */
struct block_direct *block_direct_new(int fd);
void block_direct_free(struct block_direct *direct);
int block_direct_read(struct block_direct *direct, uint64_t offset, uint8_t *to, uint64_t len);
int block_direct_write(struct block_direct *direct, uint64_t offset, const uint8_t *from,
                       uint64_t len);

#endif
