/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said about a run when it is over. */
#ifndef PCILAB_CLI_BOOT_REPORT_H
#define PCILAB_CLI_BOOT_REPORT_H

#include "splat.h"

/* How many splats there were, and the first one whole, on stderr; nothing when there was none. Its
 * addresses become source lines where `tree`, a built kernel tree or NULL, has a vmlinux and
 * scripts/decode_stacktrace.sh. */
void boot_report_splats(const struct splats *splats, const char *tree);

struct boot_tested {
    const char *topology, *kernel, *cmdline, *digest;
    unsigned cpus;
    const char *memory;
    uint64_t seed;
    const char *result;
    const struct splats *splats;
};

/* A trailer for a commit message, with its continuation lines (git-interpret-trailers). g_free()
 * it. */
char *boot_report_tested(const struct boot_tested *tested);

/* The tree that this bzImage was built in: it lies at arch/x86/boot/bzImage. NULL: it does not.
 * g_free() it. */
char *boot_report_tree_of(const char *kernel);

#endif
