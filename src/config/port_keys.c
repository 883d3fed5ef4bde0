/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of values of ports and slots. */
#include <string.h>

#include "keys.h"
#include "pcilab/config/topology.h"
#include "pcilab/config/units.h"

static const char *const speed_texts[] = {NULL, "2.5", "5", "8", "16", "32"};

const char *topology_speed_text(unsigned code)
{
    return code >= 1 && code < G_N_ELEMENTS(speed_texts) ? speed_texts[code] : "?";
}

/* "8", and as lspci writes it "8GT/s" and "8.0GT/s". */
static bool parse_speed(const struct topo_key *key, const char *text, struct topo_values *values)
{
    char *word = g_strndup(text, 16);

    if (g_str_has_suffix(word, "GT/s")) {
        word[strlen(word) - 4] = '\0';
        g_strchomp(word);
    }
    if (g_str_has_suffix(word, ".0")) {
        word[strlen(word) - 2] = '\0';
    }
    bool found = false;
    for (unsigned i = 1; i < G_N_ELEMENTS(speed_texts); i++) {
        if (strcmp(word, speed_texts[i]) == 0) {
            *topo_value_of(key, values) = i;
            found = true;
        }
    }
    g_free(word);
    return found;
}

static void allowed_speed(const struct topo_key *key, GString *out)
{
    g_string_append(out, "2.5, 5, 8, 16 or 32 (GT/s)");
}

/* x12 and x32 went with PCIe Base 6.0 (7.5.3.6). */
static bool parse_width(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = topo_value_of(key, values);

    return units_parse_uint(*text == 'x' ? text + 1 : text, value) && *value >= 1 && *value <= 16 &&
           (*value & (*value - 1)) == 0;
}

static void allowed_width(const struct topo_key *key, GString *out)
{
    g_string_append(out, "1, 2, 4, 8 or 16 (lanes)");
}

static bool parse_slot(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = topo_value_of(key, values);

    if (strcmp(text, "auto") == 0) {
        *value = TOPO_AUTO;
        return true;
    }
    if (strcmp(text, "none") == 0) {
        *value = 0;
        return true;
    }
    return topo_type_uint.parse(key, text, values);
}

static void allowed_slot(const struct topo_key *key, GString *out)
{
    topo_type_uint.allowed(key, out);
    g_string_append(out, ", auto or none");
}

static const char *const hotplug_words[] = {
    [PCIE_HOTPLUG_NONE] = "no",
    [PCIE_HOTPLUG_FULL] = "yes",
    [PCIE_HOTPLUG_SURPRISE] = "surprise",
};

static bool parse_hotplug(const struct topo_key *key, const char *text, struct topo_values *values)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(hotplug_words); i++) {
        if (strcmp(text, hotplug_words[i]) == 0) {
            *topo_value_of(key, values) = i;
            return true;
        }
    }
    return false;
}

static void allowed_hotplug(const struct topo_key *key, GString *out)
{
    g_string_append(out, "no, yes or surprise");
}

const struct topo_type topo_type_speed = {parse_speed, allowed_speed};
const struct topo_type topo_type_width = {parse_width, allowed_width};
const struct topo_type topo_type_slot = {parse_slot, allowed_slot};
const struct topo_type topo_type_hotplug = {parse_hotplug, allowed_hotplug};
