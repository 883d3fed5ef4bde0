/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Splats: what a kernel says on the console when something is wrong (WARN, BUG, oops, lockdep,
 * sanitizers, stalls, IOMMU faults, PCIe errors), recognised as it passes.
 *
 * A splat is its first line and those after it that belong to it. Lines of user space are not
 * taken for the kernel's: once the kernel has shown that it stamps its lines with the time, only
 * stamped ones count.
 */
#ifndef PCILAB_CLI_SPLAT_H
#define PCILAB_CLI_SPLAT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct splats;

struct splats *splats_new(void);
void splats_free(struct splats *splats);
/* Splats of this name (splat_names()), or in whose first line this Perl-compatible regular
 * expression is found, are expected. */
bool splats_allow(struct splats *splats, const char *pattern, GError **error);
/* The console's next byte. */
void splats_byte(struct splats *splats, uint8_t byte);
/* The console has said its last, and perhaps without a newline. */
void splats_end(struct splats *splats);

/* Unexpected ones, and expected ones. */
unsigned splats_count(const struct splats *splats);
unsigned splats_allowed(const struct splats *splats);
/* Of the first unexpected one: what kind it is, its first line without the time, all its lines.
 * NULL: there is none. */
const char *splats_first_name(const struct splats *splats);
const char *splats_first_line(const struct splats *splats);
const char *splats_first_text(const struct splats *splats);
/* "2 warn, 1 aer": all unexpected ones by name. g_free() it. */
char *splats_summary(const struct splats *splats);
/* "warn, bug, ...". g_free() it. */
char *splat_names(void);

#endif
