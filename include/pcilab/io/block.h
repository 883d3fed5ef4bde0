/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk: raw file or memory, in blocks of 512 bytes. All calls are synchronous; the device that
 * owns the image decides when in virtual time a transfer ends.
 *
 * Errors of the host (full disk, I/O error) come back as a negative errno and never end the run.
 */
#ifndef PCILAB_IO_BLOCK_H
#define PCILAB_IO_BLOCK_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define BLOCK_SECTOR_BYTES 512

struct block_image;

enum {
    BLOCK_READ_ONLY_OK = 1, /* where the file cannot be written, block_read_only() is true then */
    BLOCK_READ_ONLY = 2,
    BLOCK_OVERLAY = 4, /* only read, and block_overlay() over it: the file never changes */
    BLOCK_DIRECT = 8,  /* past the host's page cache */
};

/* Opens a raw image. The file is locked: many may read it, or one writes. */
struct block_image *block_open(const char *path, unsigned flags, GError **error);
/* With BLOCK_READ_ONLY_OK or nothing. */
struct block_image *block_open_raw(const char *path, bool read_only_ok, GError **error);
/* Zeroed scratch memory; pages are allocated when written. */
struct block_image *block_new_memory(uint64_t size_bytes);
void block_free(struct block_image *image);

/* From now on what is written stays in memory and is lost with the image; what was written before,
 * and what is not written, is read from where it was. For processes that share a file and must not
 * see each other. */
bool block_overlay(struct block_image *image, GError **error);

uint64_t block_size_bytes(const struct block_image *image);
/* Nobody else sees what is written, or nothing is: what block_overlay() sees to. */
bool block_is_private(const struct block_image *image);
bool block_read_only(const struct block_image *image);
/* Writes fail from now on. */
void block_set_read_only(struct block_image *image);
/* offset and len are multiples of 512 inside the image. 0 or a negative errno. */
int block_read(struct block_image *image, uint64_t offset, void *data, uint64_t len);
int block_write(struct block_image *image, uint64_t offset, const void *data, uint64_t len);
int block_zero(struct block_image *image, uint64_t offset, uint64_t len);
/* All completed writes are durable on return. */
int block_flush(struct block_image *image);
/* The first error of the host (full disk, I/O error) that a call ran into: a negative errno; 0. */
int block_host_error(const struct block_image *image);

#endif
