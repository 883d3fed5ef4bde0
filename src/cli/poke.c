/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --at TIME:ACTION. */
#include "poke.h"

#include <string.h>

#include "cli.h"
#include "pcilab/config/units.h"

static const struct {
    const char *word;
    enum machine_touch touch;
} touches[] = {
    {"plug", MACHINE_PLUG},         {"unplug", MACHINE_UNPLUG},
    {"press", MACHINE_PRESS},       {"open", MACHINE_LATCH_OPEN},
    {"close", MACHINE_LATCH_CLOSE}, {"power-fault", MACHINE_POWER_FAULT},
};

/* "unplug:nvme0" or "inspect:iommu faults", or with a blank instead of the colon. */
static bool parse_named(const char *text, struct poke *poke)
{
    size_t len = strcspn(text, ": ");

    if (!text[len] || !text[len + 1]) {
        return false;
    }
    if (strncmp(text, "inspect", len) == 0 && len == strlen("inspect")) {
        poke->what = POKE_INSPECT;
        poke->name = g_strdup(text + len + 1);
        return true;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(touches); i++) {
        if (strncmp(text, touches[i].word, len) == 0 && !touches[i].word[len]) {
            poke->what = POKE_TOUCH;
            poke->touch = touches[i].touch;
            poke->name = g_strdup(text + len + 1);
            return true;
        }
    }
    return false;
}

static bool parse_action(const char *text, struct poke *poke)
{
    if (strcmp(text, "nmi") == 0) {
        poke->what = POKE_NMI;
    } else if (strcmp(text, "vmcore") == 0) {
        poke->what = POKE_VMCORE;
    } else if (g_str_has_prefix(text, "sysrq:") && strlen(text) == 7 && g_ascii_isgraph(text[6])) {
        poke->what = POKE_SYSRQ;
        poke->key = (uint8_t)text[6];
    } else {
        return parse_named(text, poke);
    }
    return true;
}

static bool parse_one(const char *text, struct poke *poke)
{
    const char *colon = strchr(text, ':');
    char *time = g_strndup(text, colon ? (size_t)(colon - text) : 0);
    bool end = strcmp(time, "end") == 0;
    bool ok = colon && (end || units_parse_time(time, &poke->at_ps)) &&
              parse_action(colon + 1, poke) && (!end || poke->what == POKE_INSPECT);

    if (end) {
        poke->at_ps = POKE_END;
    }

    if (!ok) {
        cli_error("--at \"%s\" is not allowed; it is TIME:nmi, TIME:sysrq:KEY, TIME:vmcore, "
                  "TIME:inspect:WHAT, end:inspect:WHAT or TIME:ACTION:NAME with plug, unplug, "
                  "press, open, close or "
                  "power-fault, like 3s:sysrq:c",
                  text);
    }
    g_free(time);
    return ok;
}

bool pokes_parse(struct pokes *pokes, char **texts)
{
    unsigned count = texts ? g_strv_length(texts) : 0;

    *pokes = (struct pokes){.all = g_new0(struct poke, count + 1)};
    for (unsigned i = 0; i < count; i++) {
        struct poke poke = {0};
        if (!parse_one(texts[i], &poke)) {
            return false;
        }
        /* Those at one time stay in the order in which they were given. */
        unsigned at = pokes->count++;
        for (; at && pokes->all[at - 1].at_ps > poke.at_ps; at--) {
            pokes->all[at] = pokes->all[at - 1];
        }
        pokes->all[at] = poke;
    }
    return true;
}

void pokes_clear(struct pokes *pokes)
{
    for (unsigned i = 0; i < pokes->count; i++) {
        g_free(pokes->all[i].name);
    }
    g_clear_pointer(&pokes->all, g_free);
    pokes->count = pokes->next = 0;
}

bool pokes_need_vmcore(const struct pokes *pokes)
{
    bool need = false;

    for (unsigned i = 0; i < pokes->count; i++) {
        need |= pokes->all[i].what == POKE_VMCORE;
    }
    return need;
}

bool pokes_check(const struct pokes *pokes, struct machine *machine)
{
    GError *error = NULL;

    for (unsigned i = 0; i < pokes->count; i++) {
        const struct poke *poke = &pokes->all[i];
        if (poke->what == POKE_TOUCH &&
            !machine_can_touch(machine, poke->touch, poke->name, &error)) {
            cli_error("--at: %s", error->message);
            g_error_free(error);
            return false;
        }
    }
    return true;
}

uint64_t pokes_slice_ps(const struct pokes *pokes, uint64_t now_ps, uint64_t slice_ps)
{
    if (pokes->next == pokes->count || pokes->all[pokes->next].at_ps <= now_ps) {
        return slice_ps;
    }
    return MIN(slice_ps, pokes->all[pokes->next].at_ps - now_ps);
}

void pokes_skip_to_end(struct pokes *pokes)
{
    while (pokes && pokes->next < pokes->count && pokes->all[pokes->next].at_ps != POKE_END) {
        pokes->next++;
    }
}

const struct poke *pokes_due(struct pokes *pokes, uint64_t now_ps)
{
    if (pokes->next == pokes->count || pokes->all[pokes->next].at_ps > now_ps) {
        return NULL;
    }
    return &pokes->all[pokes->next++];
}
