/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab topo --lspci: the configuration space of every function, as firmware would leave it. */
#include <stdio.h>

#include "cli.h"
#include "pcilab/base/le.h"
#include "pcilab/pci/dump.h"
#include "pcilab/platform/enumerate.h"

struct dump {
    FILE *out;
    unsigned functions;
};

static void dump_function(void *opaque, uint16_t segment, struct pci_rid rid,
                          const uint8_t config[PCI_CONFIG_BYTES])
{
    struct dump *dump = opaque;
    char what[32];

    /* As `lspci -n` names a function: class, vendor, device. */
    g_snprintf(what, sizeof(what), "%04x: %04x:%04x", le16_load(config + 0x0a), le16_load(config),
               le16_load(config + 2));
    pci_dump_config(dump->out, segment, rid, config, what);
    dump->functions++;
}

static void ignore_output(void *opaque, uint8_t byte)
{
}

bool cli_print_lspci(const struct machine_desc *desc, FILE *out, GError **error)
{
    struct machine_options options = {.console = {.output = ignore_output}};
    struct machine *machine = machine_new(desc, &options, error);
    struct dump dump = {.out = out};

    if (!machine) {
        return false;
    }
    bool ok = machine_enumerate(machine, error);
    if (ok) {
        machine_visit_functions(machine, dump_function, &dump);
    }
    machine_free(machine);
    return ok;
}
