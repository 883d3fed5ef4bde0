/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a scenario, under small limits: it passes, fails or is wrong, with a message, and
 * does so again with the same digest; never a crash, a leak or an endless loop.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "pcilab/config/topology.h"
#include "pcilab/scenario/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char small[] = "[root-port rp0]\n[switch sw0]\nat=rp0\ndownstream=2\nhotplug=yes\n"
                            "[exerciser ex0]\nat=sw0.0\nmemory=64K\nvfs=2\n"
                            "[exerciser ex1]\nat=sw0.1\nmemory=64K\n";

static struct machine_desc *find_topology(void *opaque, const char *name, GError **error)
{
    return topology_parse("fuzz.ini", small, strlen(small), error);
}

/* Also what the scenario may not choose: it could ask for all of the host's memory. */
static void run(const uint8_t *data, size_t size, struct scenario_report *report)
{
    static const char head[] = "machine \"small\"\nlocal machine\n";
    const struct scenario_host host = {.topology = find_topology};
    char *text = g_malloc(sizeof(head) + size);
    struct scenario_params params = {.name = "fuzz.lua",
                                     .text = text,
                                     .len = sizeof(head) - 1 + size,
                                     .seed = 1,
                                     .limit_ps = 5 * PS_PER_MS,
                                     .instructions = 500000,
                                     .memory_bytes = 4 << 20,
                                     .digest = true,
                                     .host = &host};

    memcpy(text, head, sizeof(head) - 1);
    memcpy(text + sizeof(head) - 1, data, size);
    scenario_run(&params, report);
    g_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scenario_report first, second;

    run(data, size, &first);
    g_assert((first.result == SCENARIO_PASSED) == (first.message == NULL));
    run(data, size, &second);
    g_assert(first.result == second.result && g_strcmp0(first.message, second.message) == 0);
    g_assert(strcmp(first.digest, second.digest) == 0);
    scenario_report_clear(&first);
    scenario_report_clear(&second);
    return 0;
}
