/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a function's translation cache holds, beside what the tables say now, and what it waits
 * for. */
#include "pcilab/endpoint/ats_inspect.h"
#include "ats_state.h"
#include "pcilab/base/bits.h"

#define STEPS_MAX 4096 /* pieces of one translation that are compared */

static void tell_place(const struct inspect *in, const struct atc_space *space, uint64_t addr)
{
    inspect_hex(in, "address", addr);
    if (space->has_pasid)
        inspect_text(in, "pasid", "%u%s", space->pasid, space->privileged ? " privileged" : "");
    else
        inspect_text(in, "pasid", "-");
}

static void tell_age(const struct inspect *in, const struct endpoint_func *func, uint64_t since_ps)
{
    uint64_t age_ns = (func->ep->fabric->sim->now_ps - since_ps) / PS_PER_NS;

    inspect_text(in, "age", "%llu.%03llu us", (unsigned long long)(age_ns / 1000),
                 (unsigned long long)(age_ns % 1000));
}

static void tell_rights(const struct inspect *in, const char *name, bool read, bool write,
                        bool execute)
{
    inspect_text(in, name, "%c%c%c", read ? 'r' : '-', write ? 'w' : '-', execute ? 'x' : '-');
}

/* NULL: as the cache says. */
static const char *difference(const struct atc_entry *entry, uint64_t offset,
                              const struct ats_translation *now)
{
    if (!now->read && !now->write)
        return "not mapped any more";
    if (now->addr != entry->to.addr + offset)
        return "leads elsewhere";
    if ((entry->to.read && !now->read) || (entry->to.write && !now->write))
        return "fewer rights";
    return NULL;
}

/* The first piece that differs, *at; NULL: none. */
static const char *compare(const struct atc_entry *entry, const struct endpoint_ats_tables *tables,
                           uint64_t *at)
{
    uint64_t offset = 0;

    for (unsigned i = 0; i < STEPS_MAX && offset <= low_mask(entry->shift); i++) {
        const struct endpoint_ats_question question = {
            .addr = entry->first + offset,
            .has_pasid = entry->space.has_pasid,
            .privileged = entry->space.privileged,
            .pasid = entry->space.pasid,
        };
        struct ats_translation now = {.shift = 12};
        const char *why;

        tables->look(tables->opaque, &question, &now);
        why = difference(entry, offset, &now);
        *at = question.addr;
        if (why)
            return why;
        offset = (offset | low_mask(now.shift)) + 1;
    }
    return NULL;
}

struct telling {
    const struct inspect *in;
    const struct endpoint_ats_tables *tables;
    unsigned rows, differ;
};

static void tell_entry(void *opaque, const struct atc_entry *entry)
{
    struct telling *t = opaque;
    uint64_t at;
    const char *why = t->tables ? compare(entry, t->tables, &at) : NULL;

    t->differ += why != NULL;
    if (t->rows++ >= INSPECT_ROWS_MAX)
        return;
    inspect_object(t->in, NULL);
    tell_place(t->in, &entry->space, entry->first);
    inspect_hex(t->in, "bytes", low_mask(entry->shift) + 1);
    inspect_hex(t->in, "leads-to", entry->to.addr);
    tell_rights(t->in, "rights", entry->to.read, entry->to.write, entry->to.execute);
    if (!t->tables)
        inspect_text(t->in, "tables", "unknown");
    else if (why)
        inspect_text(t->in, "tables", "0x%llx: %s", (unsigned long long)at, why);
    else
        inspect_text(t->in, "tables", "agree");
    inspect_object_end(t->in);
}

static void tell_cache(const struct ats *ats, const struct inspect *in,
                       const struct endpoint_ats_tables *tables)
{
    struct telling t = {.in = in, .tables = tables};

    inspect_list(in, "cached");
    if (ats->work)
        atc_visit(ats->work->atc, tell_entry, &t);
    inspect_list_end(in);
    inspect_more(in, t.rows > INSPECT_ROWS_MAX ? t.rows - INSPECT_ROWS_MAX : 0);
    inspect_number(in, "disagreements", t.differ);
}

static void tell_waits(const struct endpoint_func *func, const struct inspect *in)
{
    const struct work *work = func->ats->work;

    inspect_list(in, "translation-requests");
    for (unsigned i = 0; work && i < LOOKUPS; i++) {
        if (!work->lookup[i].busy)
            continue;
        inspect_object(in, NULL);
        tell_place(in, &work->lookup[i].space, work->lookup[i].addr);
        inspect_flag(in, "spoiled", work->lookup[i].spoiled);
        tell_age(in, func, work->lookup[i].since_ps);
        inspect_object_end(in);
    }
    inspect_list_end(in);
    inspect_list(in, "invalidations");
    for (unsigned i = 0; work && i < ITAGS; i++) {
        if (!work->pending[i].busy)
            continue;
        inspect_object(in, NULL);
        inspect_number(in, "itag", i);
        tell_age(in, func, work->pending[i].since_ps);
        inspect_object_end(in);
    }
    inspect_list_end(in);
}

static void tell_pages(const struct endpoint_func *func, const struct inspect *in)
{
    const struct endpoint_func *owner =
        func->pci->pf ? func->pci->pf->owner : (const struct endpoint_func *)func->pci->owner;

    inspect_list(in, "page-requests");
    for (unsigned i = 0; owner->pri && owner->pri->group && i < ATS_GROUPS; i++) {
        const struct group *group = &owner->pri->group[i];
        const struct atc_space space = {.has_pasid = group->has_pasid, .pasid = group->pasid};

        if (group->func != func)
            continue;
        inspect_object(in, NULL);
        tell_place(in, &space, group->addr);
        inspect_number(in, "group", i);
        inspect_number(in, "pages", group->pages);
        inspect_text(in, "wants", "%s", group->write ? "write" : "read");
        tell_age(in, func, group->since_ps);
        inspect_object_end(in);
    }
    inspect_list_end(in);
}

bool endpoint_has_ats(const struct pci_func *pci)
{
    const struct endpoint_func *func = pci->owner;

    return pci->ext_ats && func->ats;
}

void endpoint_inspect_ats(const struct pci_func *pci, const struct inspect *in,
                          const struct endpoint_ats_tables *tables)
{
    const struct endpoint_func *func = pci->owner;
    const struct endpoint_ats_counts *counts = &func->ats->counts;

    inspect_flag(in, "enabled", pci_ats_enabled(pci));
    if (pci_pri_present(pci))
        inspect_flag(in, "pages-enabled", pci_pri_enabled(pci));
    inspect_number(in, "requests", counts->requests);
    inspect_number(in, "translated", counts->translated);
    inspect_number(in, "invalidated", counts->invalidations);
    tell_cache(func->ats, in, tables);
    tell_waits(func, in);
    tell_pages(func, in);
}
