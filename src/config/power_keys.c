/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys about the power of links. */
#include <string.h>

#include "keys.h"
#include "power_keys.h"

/* In V(aspm): Link Capabilities below, L1 PM Substates above. */
#define SUBSTATES_SHIFT 8

static bool parse_word(const char *word, uint64_t *value)
{
    static const struct {
        const char *name;
        uint64_t bits;
    } words[] = {
        {"l0s", PCIE_ASPM_L0S},
        {"l1", PCIE_ASPM_L1},
        {"l1.1", (PCI_L1SS_PCIPM_L1_1 | PCI_L1SS_ASPM_L1_1) << SUBSTATES_SHIFT},
        {"l1.2", (PCI_L1SS_PCIPM_L1_2 | PCI_L1SS_ASPM_L1_2) << SUBSTATES_SHIFT},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(word, words[i].name) == 0) {
            *value |= words[i].bits;
            return true;
        }
    }
    return false;
}

static bool parse_aspm(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = (uint64_t *)(void *)((char *)values + key->offset);
    char **words;
    bool ok = *text != '\0';

    *value = 0;
    if (strcmp(text, "none") == 0)
        return true;
    words = g_strsplit(text, " ", -1);
    for (unsigned i = 0; ok && words[i]; i++)
        ok = parse_word(words[i], value);
    g_strfreev(words);
    return ok && (*value & PCIE_ASPM_L1 || !(*value >> SUBSTATES_SHIFT));
}

static void allowed_aspm(const struct topo_key *key, GString *out)
{
    g_string_append(out, "none, or some of l0s l1 l1.1 l1.2; the last two only with l1");
}

const struct topo_type topo_type_aspm = {parse_aspm, allowed_aspm};

struct pcie_power_params topo_power(const struct topo_values *v)
{
    return (struct pcie_power_params){
        .aspm = v->aspm & (PCIE_ASPM_L0S | PCIE_ASPM_L1),
        .substates = v->aspm >> SUBSTATES_SHIFT & PCI_L1SS_ALL,
        .l0s_exit_ns = (uint16_t)v->l0s_exit_ns,
        .l1_exit_us = (uint16_t)v->l1_exit_us,
        .common_us = (uint16_t)v->common_us,
        .power_on_us = (uint16_t)v->power_on_us,
        .l0s_acceptable_ns = (uint16_t)v->l0s_acceptable_ns,
        .l1_acceptable_us = (uint16_t)v->l1_acceptable_us,
        .ltr = v->ltr,
    };
}
