/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A writer of initramfs archives: format "newc" (Linux 6.12,
 * Documentation/driver-api/early-userspace/buffer-format.rst). Owners are root, times are 0: the
 * bytes depend on names, modes and contents alone.
 */
#ifndef PCILAB_IO_CPIO_H
#define PCILAB_IO_CPIO_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct cpio;

struct cpio *cpio_new(void);
void cpio_free(struct cpio *cpio);
/* Paths have no "/" at the front; the folders above come into being by themselves, with mode 755.
 * What is added twice counts once: the first time. */
void cpio_add_dir(struct cpio *cpio, const char *path, unsigned mode);
void cpio_add_file(struct cpio *cpio, const char *path, unsigned mode, const void *data,
                   size_t len);
void cpio_add_link(struct cpio *cpio, const char *path, const char *target);
/* A character device. */
void cpio_add_device(struct cpio *cpio, const char *path, unsigned mode, unsigned major,
                     unsigned minor);
/* Writes the end; nothing may be added after it. The bytes are the archive's. */
const GByteArray *cpio_finish(struct cpio *cpio);

#endif
