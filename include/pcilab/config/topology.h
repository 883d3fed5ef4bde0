/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topology files: a glib key file, one group a component, becomes a struct machine_desc.
 * The keys are listed by topology_keys_text() and described in docs/topology.md.
 *
 * Whatever is wrong with a file is one error, "file:line: [group] key: what, and what is allowed",
 * before anything is built.
 */
#ifndef PCILAB_CONFIG_TOPOLOGY_H
#define PCILAB_CONFIG_TOPOLOGY_H

#include <glib.h>

#include "pcilab/platform/machine.h"

enum topology_error {
    TOPOLOGY_ERROR_FILE,  /* cannot be read */
    TOPOLOGY_ERROR_INPUT, /* what is in it is wrong */
};
GQuark topology_error_quark(void);

/* Reads a file. The caller frees the description with machine_desc_free(). */
struct machine_desc *topology_load(const char *path, GError **error);
/* The same for text in memory (any bytes); `file` is for messages. */
struct machine_desc *topology_parse(const char *file, const char *text, size_t len, GError **error);

/* Sets a key of [machine] ("memory", "cpus") from an option's text; `what` names it in errors. */
bool topology_override(struct machine_desc *desc, const char *key, const char *text,
                       const char *what, GError **error);

/* Reference of all groups and keys, as plain text or as Markdown tables. g_free() it. */
char *topology_keys_text(bool markdown);

/* "2.5", "5", "8", "16", "32": GT/s of a speed code (PCIe Base 6.0, 7.5.3.18). */
const char *topology_speed_text(unsigned code);

#endif
