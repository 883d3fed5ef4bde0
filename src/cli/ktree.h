/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel with its modules: from the tree that it was built in, or from Debian packages. */
#ifndef PCILAB_CLI_KTREE_H
#define PCILAB_CLI_KTREE_H

#include <glib.h>
#include <stdbool.h>

#include "pcilab/io/cpio.h"

struct ktree {
    char *kernel;    /* the bzImage */
    char *modules;   /* folder with modules.order; NULL: there are no modules */
    char *release;   /* NULL: the kernel does not say */
    char *installed; /* folder with modules.dep and what else modprobe needs; NULL: none */
    char *initrd;    /* what ktree_initrd() made, as a path; NULL: nothing yet */
    int initrd_fd;
};

/* A built kernel tree, the O= folder of one, or a folder that holds arch/x86/boot/bzImage and what
 * modules_install put into lib/modules. These report errors themselves. */
bool ktree_open(struct ktree *tree, const char *folder);
/* Packages (linux-image-*.deb and the like), unpacked once into the user's cache. */
bool ktree_open_debs(struct ktree *tree, char *const *files);
/* A kernel alone: its modules are those of the tree that it lies in, of this computer, or of the
 * `guest` folder that scripts/guest prepared, whichever is its own; or none. */
bool ktree_open_kernel(struct ktree *tree, const char *kernel, const char *guest);
/* Adds modules to an archive: `needed` ones, or it is an error that says so, then those of `wanted`
 * that there are, then `more` (NULL: none). All but `more` may be built in; without any modules all
 * are taken to be. */
bool ktree_pack(struct ktree *tree, struct cpio *cpio, const char *const *needed,
                char *const *wanted, char *const *more);
/* Makes tree->installed for modules that were only built, in the user's cache; what does not work
 * is left out. Uses the two after it. */
void ktree_install(struct ktree *tree);
/* The lists that modprobe needs, for the one release in FOLDER/lib/modules, where the host has
 * depmod: a package leaves that to its installation. */
void ktree_depmod(const char *folder);
/* rm -rf */
void ktree_remove(const char *folder);
/* The archive becomes tree->initrd. */
bool ktree_seal(struct ktree *tree, struct cpio *cpio);
/* The initramfs in memory: `base`, with the kernel's modules after it: those that the devices here
 * can use, and those that are named in `more` (NULL: none). */
bool ktree_initrd(struct ktree *tree, const char *base, char *const *more);
void ktree_clear(struct ktree *tree);

#endif
