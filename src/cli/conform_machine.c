/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab conform on topologies. */
#include "pcilab/conform/machine.h"

#include "pcilab/conform/mutate.h"

#include "cli.h"
#include "conform.h"

const char *const conform_default_backend = "model";

/* Devices are judged as hardware made them, before a firmware that wants their errors. */
static struct machine_desc *load_topology(const char *name, char **path)
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

    target->desc = load_topology(name, &path);
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

struct tally {
    unsigned number, noticed;
};

static void print_mutant(void *opaque, const struct conform_mutant_result *result)
{
    struct tally *tally = opaque;

    printf("%sok %u - %s", result->noticed->len ? "" : "not ", ++tally->number,
           result->mutant->name);
    for (unsigned i = 0; i < result->noticed->len && i < 6; i++)
        printf("%s%s", i ? ", " : " # ", (const char *)result->noticed->pdata[i]);
    if (result->noticed->len > 6)
        printf(" and %u more", result->noticed->len - 6);
    putchar('\n');
    tally->noticed += result->noticed->len != 0;
}

/* 0: 95 % and more are noticed. */
int conform_mutate_topology(const char *name, const GPtrArray *assertions, unsigned wanted)
{
    struct tally tally = {0};
    GError *error = NULL;
    char *path;
    struct machine_desc *desc = load_topology(name, &path);
    bool ok;

    if (!desc)
        return CLI_USAGE;
    ok = conform_judge_mutants(desc, assertions, wanted, print_mutant, &tally, &error);
    if (ok) {
        printf("1..%u\n# %u of %u mutants are noticed\n", tally.number, tally.noticed,
               tally.number);
    } else {
        cli_error("%s: %s", path, error->message);
        g_error_free(error);
    }
    g_free(path);
    machine_desc_free(desc);
    if (!ok)
        return CLI_USAGE;
    return tally.noticed * 100 >= tally.number * 95 ? CLI_OK : CLI_FAILED;
}

int cli_conform(char **argv)
{
    g_set_prgname("pcilab conform");
    return conform_main(argv);
}
