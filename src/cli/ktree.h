/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel with its modules: from the tree that it was built in, or from Debian packages. */
#ifndef PCILAB_CLI_KTREE_H
#define PCILAB_CLI_KTREE_H

#include <glib.h>
#include <stdbool.h>

struct ktree {
    char *kernel;  /* the bzImage */
    char *modules; /* folder with modules.order; NULL: there are no modules */
    char *release; /* NULL: the kernel does not say */
    char *initrd;  /* what ktree_initrd() made, as a path; NULL: nothing yet */
    int initrd_fd;
};

/* A built kernel tree, the O= folder of one, or a folder that holds arch/x86/boot/bzImage and what
 * modules_install put into lib/modules. These report errors themselves. */
bool ktree_open(struct ktree *tree, const char *folder);
/* Packages (linux-image-*.deb and the like), unpacked once into the user's cache. */
bool ktree_open_debs(struct ktree *tree, char *const *files);
/* The initramfs in memory: `base`, with the kernel's modules after it: those that the devices here
 * can use, and those that are named in `more` (NULL: none). */
bool ktree_initrd(struct ktree *tree, const char *base, char *const *more);
void ktree_clear(struct ktree *tree);

#endif
