/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of values of IOMMUs. */
#include <string.h>

#include "keys.h"

static const char *const face_words[] = {"vtd", "virtio"};

static const char *const iotlb_words[] = {"normal", "strict"};

static const char *const address_words[] = {"39", "48", "57"};

static bool parse_face(const struct topo_key *key, const char *text, struct topo_values *values)
{
    return topo_parse_word(face_words, G_N_ELEMENTS(face_words), text, topo_value_of(key, values));
}

static void allowed_face(const struct topo_key *key, GString *out)
{
    g_string_append(out, "vtd or virtio");
}

static bool parse_iotlb(const struct topo_key *key, const char *text, struct topo_values *values)
{
    return topo_parse_word(iotlb_words, G_N_ELEMENTS(iotlb_words), text,
                           topo_value_of(key, values));
}

static void allowed_iotlb(const struct topo_key *key, GString *out)
{
    g_string_append(out, "normal or strict");
}

static bool parse_address(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = topo_value_of(key, values);

    if (!topo_parse_word(address_words, G_N_ELEMENTS(address_words), text, value)) {
        return false;
    }
    *value = 39 + 9 * *value;
    return true;
}

static void allowed_address(const struct topo_key *key, GString *out)
{
    g_string_append(out, "39, 48 or 57 (bits)");
}

const struct topo_type topo_type_face = {parse_face, allowed_face};
const struct topo_type topo_type_iotlb = {parse_iotlb, allowed_iotlb};
const struct topo_type topo_type_address = {parse_address, allowed_address};
