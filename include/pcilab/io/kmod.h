/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel modules for an initramfs: found by name in an installed tree (lib/modules/RELEASE) or in
 * the tree that they were built in, with what they depend on, uncompressed, and with the lists that
 * modprobe reads.
 */
#ifndef PCILAB_IO_KMOD_H
#define PCILAB_IO_KMOD_H

#include <glib.h>
#include <stdbool.h>

#include "pcilab/io/cpio.h"

struct kmod;

enum kmod_found {
    KMOD_ABSENT,
    KMOD_BUILTIN,
    KMOD_MODULE,
    KMOD_BAD, /* and the error says why */
};

/* `folder` holds modules.order and modules.builtin. `release`: modules of another kernel are an
 * error; NULL: any will do. */
struct kmod *kmod_new(const char *folder, const char *release, GError **error);
void kmod_free(struct kmod *kmod);
/* Takes the module and, before it, what it needs. "-" and "_" are the same in names. */
enum kmod_found kmod_take(struct kmod *kmod, const char *name, GError **error);
/* How many were taken. */
unsigned kmod_count(const struct kmod *kmod);
/* The release that the modules are for; NULL as long as none was taken and none was given. */
const char *kmod_release(const struct kmod *kmod);
/* Adds them below lib/modules/RELEASE, with modules.dep, modules.alias, modules.order and
 * modules.builtin. */
void kmod_pack(const struct kmod *kmod, struct cpio *cpio);

#endif
