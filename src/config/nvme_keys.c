/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of values that keys of an NVMe have. */
#include <string.h>

#include "keys.h"
#include "pcilab/config/units.h"

static bool parse_block(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = (uint64_t *)(void *)((char *)values + key->offset);

    *value = g_ascii_strtoull(text, NULL, 10);
    return strcmp(text, "512") == 0 || strcmp(text, "4096") == 0;
}

static void allowed_block(const struct topo_key *key, GString *out)
{
    g_string_append(out, "512 or 4096");
}

/* A power of two, or none. */
static bool parse_buffer(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = (uint64_t *)(void *)((char *)values + key->offset);

    if (strcmp(text, "0") == 0) {
        *value = 0;
        return true;
    }
    return units_parse_size(text, value) && *value >= key->min && *value <= key->max &&
           (*value & (*value - 1)) == 0;
}

static void allowed_buffer(const struct topo_key *key, GString *out)
{
    g_string_append(out, "0, or a power of two from 64K to 64M");
}

const struct topo_type topo_type_buffer = {parse_buffer, allowed_buffer};
const struct topo_type topo_type_block = {parse_block, allowed_block};
