/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as what lspci printed, followed, behind a NUL, by any bytes as /proc/iomem: either one
 * error that names file and line, or two files of which the second can be imported again.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "pcilab/config/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(GError *error)
{
    g_assert(g_str_has_prefix(error->message, "dump:") ||
             g_str_has_prefix(error->message, "iomem:") ||
             g_str_has_prefix(error->message, "acpi:"));
    g_assert(!strchr(error->message, '\n'));
    g_assert(g_utf8_validate(error->message, -1, NULL));
    g_error_free(error);
}

static void check_import(const struct topo_import *import)
{
    g_assert(import->topology && import->config && import->notes);
    g_assert(import->functions >= 1 && import->host_bridges >= 1);
    g_assert(import->guessed <= import->bars);
}

/* What was written holds as many functions as it says. */
static void check_again(const struct topo_import *first)
{
    struct topo_import_params params = {.dump_file = "dump",
                                        .dump = first->config,
                                        .dump_len = strlen(first->config),
                                        .config_name = "fuzz.cfg"};
    struct topo_import again;
    GError *error = NULL;
    bool ok = topo_import(&params, &again, &error);

    g_assert_no_error(error);
    g_assert(ok && again.functions == first->functions);
    topo_import_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    struct topo_import_params params = {.dump_file = "dump",
                                        .dump = (const char *)data,
                                        .dump_len = end ? (size_t)(end - data) : size,
                                        .config_name = "fuzz.cfg"};
    struct topo_import import;
    GError *error = NULL;

    if (end) {
        params.iomem_file = "iomem";
        params.iomem = (const char *)end + 1;
        params.iomem_len = size - params.dump_len - 1;
        end = memchr(params.iomem, 0, params.iomem_len);
    }
    if (end) { /* another one: tables */
        params.iomem_len = (size_t)((const char *)end - params.iomem);
        params.acpi_file = "acpi";
        params.acpi = (const char *)end + 1;
        params.acpi_len = size - params.dump_len - params.iomem_len - 2;
        params.iomem_file = params.iomem_len ? "iomem" : NULL;
    }
    if (!topo_import(&params, &import, &error)) {
        g_assert(error);
        check_error(error);
        return 0;
    }
    g_assert_no_error(error);
    check_import(&import);
    check_again(&import);
    topo_import_clear(&import);
    return 0;
}
