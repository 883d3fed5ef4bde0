/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A shell: functions of a real computer, known by their configuration space alone, at one device
 * number of a root bus and in the whole tree behind it. Registers are writable as their
 * capabilities say, bridges route configuration and addresses as they are programmed, BARs decode;
 * behind the BARs there is nothing (reads return all ones, writes vanish) or memory. A shell never
 * sends a request or an interrupt. Its registers come up as in the dump, as if firmware had just
 * left them; Function Level Reset, Secondary Bus Reset and power states work where the functions
 * advertise them.
 */
#ifndef PCILAB_ENDPOINT_SHELL_H
#define PCILAB_ENDPOINT_SHELL_H

#include "pcilab/fabric/fabric.h"

#define SHELL_BARS         6
#define SHELL_CONFIG_BYTES 4096

struct shell_func_params {
    uint8_t bus, devfn;                 /* in the computer that it comes from */
    uint16_t config_bytes;              /* how many of `config` are known: 64, 128, 256 or 4096 */
    uint64_t bar_bytes[SHELL_BARS + 1]; /* powers of two, 0: none; the last is the expansion ROM */
    uint8_t config[SHELL_CONFIG_BYTES];
};

struct shell_params {
    const char *name;
    uint8_t bus, device; /* the root bus, and the device on it that the tree begins with */
    /* Of these the shell takes those of its device and those behind their bridges. */
    const struct shell_func_params *funcs;
    unsigned count;
    bool memory; /* BARs are memory; ROMs are not */
};

struct shell;

struct shell *shell_new(struct fabric *fabric, const struct shell_params *params);
void shell_free(struct shell *shell);
/* Back to how it came up, memory cleared. */
void shell_reset(struct shell *shell);
struct port *shell_port(struct shell *shell);

#endif
