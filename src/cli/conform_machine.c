/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab conform on topologies. */
#include "pcilab/conform/machine.h"

#include "cli.h"
#include "conform.h"

const char *const conform_default_backend = "model";

/* Devices are judged as hardware made them, before a firmware that wants their errors. */
struct machine_desc *conform_load_topology(const char *name, char **path)
{
    struct machine_desc *desc = cli_load_topology(name ? name : "conform", path);

    for (unsigned i = 0; desc && i < desc->count; i++) {
        if (desc->components[i].kind == MACHINE_HOST_BRIDGE)
            desc->components[i].bridge.firmware_first = false;
    }
    return desc;
}

bool conform_open_topology(const char *name, struct conform_target *target)
{
    GError *error = NULL;
    char *path;

    target->desc = conform_load_topology(name, &path);
    if (!target->desc)
        return false;
    target->backend = conform_machine_open(target->desc, &error);
    target->subject = path;
    if (!target->backend) {
        cli_error("%s: %s", path, error->message);
        g_error_free(error);
    }
    return target->backend != NULL;
}

void conform_close_topology(struct conform_target *target)
{
    if (target->desc)
        machine_desc_free(target->desc);
}

int cli_conform(char **argv)
{
    g_set_prgname("pcilab conform");
    return conform_main(argv);
}
