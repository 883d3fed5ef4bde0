/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What assertions there are: for a terminal, and as a page. */
#include <string.h>

#include "internal.h"

/* What the groups of this suite do not look at yet, for the page. */
static const char *const missing[] = {
    "DLLPs before DL_Active; nullified TLPs; Flit Mode; virtual channels beside VC0",
    "UpdateFC that are repeated without need, which the model does not send",
    "States of the LTSSM that software does not see; L2 and L3 Ready beyond PME_TO_Ack",
    "Ordering between traffic classes",
    "Hot-plug: PME of slots; disabling in-band presence detection, which the model has not",
    "VT-d: execute requests, protected regions, performance monitoring, memory types",
    "TPH and OBFF: nothing but registers; IDO of completions",
    "Stickiness of root ports and integrated endpoints, which nothing but power resets",
    "Lane Margining, Multicast, Resizable BAR and other capabilities that the model has not",
};

void conform_write_list(FILE *out, const GPtrArray *assertions)
{
    for (unsigned i = 0; i < assertions->len; i++) {
        const struct conform_assertion *a = assertions->pdata[i];

        fprintf(out, "%-34s %-13s %-20s %-11s %s\n", a->id, a->group,
                conform_document_name(a->document), a->section, a->requirement);
    }
}

static const char *need_words(unsigned needs)
{
    return needs & CONFORM_LAB                       ? "TLPs"
           : needs & CONFORM_RESETS                  ? "reset"
           : needs & (CONFORM_WRITES | CONFORM_BARS) ? "writes"
                                                     : "";
}

static unsigned group_size(const GPtrArray *assertions, unsigned first)
{
    const struct conform_assertion *a = assertions->pdata[first];
    unsigned n = first;

    while (n < assertions->len &&
           strcmp(((struct conform_assertion *)assertions->pdata[n])->group, a->group) == 0)
        n++;
    return n - first;
}

void conform_write_markdown(FILE *out, const GPtrArray *assertions)
{
    for (unsigned i = 0; i < assertions->len;) {
        const struct conform_assertion *a = assertions->pdata[i];
        unsigned n = group_size(assertions, i);

        fprintf(out,
                "\n## %s (%u)\n\n| Assertion | Section | Required | Needs |\n|---|---|---|---|\n",
                a->group, n);
        for (; n; n--, i++) {
            a = assertions->pdata[i];
            fprintf(out, "| `%s` | %s%s | %s | %s |\n", a->id,
                    a->document == CONFORM_PCIE ? "" : conform_document_name(a->document),
                    a->section, a->requirement, need_words(a->needs));
        }
    }
    fputs("\n## Not covered yet\n\n", out);
    for (unsigned i = 0; i < G_N_ELEMENTS(missing); i++)
        fprintf(out, "- %s.\n", missing[i]);
}
