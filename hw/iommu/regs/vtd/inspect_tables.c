/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables in memory as lists: which requester and PASID leads where, domains and who is in them,
 * interrupt entries. What a guest makes of its tables has no bounds; this has.
 */
#include <glib.h>

#include "pcilab/base/le.h"
#include "pcilab/iommu/core/inspect.h"
#include "vtd.h"

#define ENTRIES_MAX 200000u /* of process tables, looked at */

/* As the unit sees it: without coherency, what was flushed. */
static const struct iommu_memory *table_memory(const struct vtd *vtd)
{
    return vtd->params.features.coherent ? &vtd->params.memory : &vtd->params.tables;
}

struct domain {
    struct iommu_context context; /* of the first that was seen */
    unsigned users;
    GString *names;
};

struct tables {
    struct vtd *vtd;
    const struct inspect *in;
    GHashTable *domains; /* by number */
    unsigned rows, entries;
    bool cut;
};

static void domain_free(void *data)
{
    struct domain *domain = data;

    g_string_free(domain->names, TRUE);
    g_free(domain);
}

#define NAMES_BYTES 400

static void domain_add(struct tables *t, uint16_t sid, const struct iommu_context *context)
{
    void *key = GUINT_TO_POINTER(context->domain + 1u);
    struct domain *domain = g_hash_table_lookup(t->domains, key);

    if (!domain) {
        domain = g_new0(struct domain, 1);
        domain->context = *context;
        domain->names = g_string_new(NULL);
        g_hash_table_insert(t->domains, key, domain);
    }
    domain->users++;
    if (domain->names->len < NAMES_BYTES)
        g_string_append_printf(domain->names, "%s%02x:%02x.%x", domain->names->len ? " " : "",
                               sid >> 8, sid >> 3 & 0x1f, sid & 7);
}

/* One row; the lookup has been made. */
static void row(struct tables *t, const struct iommu_lookup *lookup, bool process, bool ok)
{
    const struct iommu_context *context = process ? &lookup->context : &lookup->device.context;
    uint16_t sid = lookup->access->sid;

    if (t->rows++ >= INSPECT_ROWS_MAX) {
        t->cut = true;
        return;
    }
    inspect_object(t->in, NULL);
    iommu_inspect_requester(t->in, "requester", sid);
    if (process)
        inspect_number(t->in, "pasid", lookup->pasid);
    if (ok) {
        iommu_inspect_context(t->in, context);
        domain_add(t, sid, context);
    } else {
        inspect_text(t->in, "fault", "0x%02x, %s", lookup->code, vtd_reason(lookup->code));
    }
    inspect_object_end(t->in);
}

static bool directory_present(struct tables *t, const struct iommu_device *device, uint32_t pasid)
{
    const struct iommu_memory *memory = table_memory(t->vtd);
    uint8_t data[8];

    return memory->read(memory->opaque, device->process_table + (pasid >> 6) * 8u, data, 8) &&
           (le64_load(data) & 1);
}

static void list_processes(struct tables *t, struct iommu_lookup *lookup)
{
    const struct iommu_device device = lookup->device;

    for (uint32_t pasid = 0; pasid < device.pasid_end && !t->cut; pasid++) {
        if (t->entries++ > ENTRIES_MAX) {
            t->cut = true;
            return;
        }
        if (!(pasid & 63) && !directory_present(t, &device, pasid)) {
            pasid |= 63;
            continue;
        }
        lookup->device = device;
        lookup->fault_disabled = false;
        if (iommu_peek_process(t->vtd->core, pasid, lookup))
            row(t, lookup, true, true);
        else if (lookup->code != VTD_FR_SM_PASID_ABSENT)
            row(t, lookup, true, false);
    }
}

static void list_requesters(struct tables *t)
{
    struct iommu_access access = {.want = PT_PERM_READ};
    struct iommu_lookup lookup;

    for (unsigned sid = 0; sid <= 0xffff && !t->cut; sid++) {
        access.sid = (uint16_t)sid;
        if (!iommu_peek_device(t->vtd->core, &access, &lookup)) {
            if (lookup.code == VTD_FR_ROOT_ABSENT || lookup.code == VTD_FR_SM_ROOT_ABSENT ||
                lookup.code == VTD_FR_SM_ROOT_TABLE)
                sid |= 0x7f;
            else if (lookup.code != VTD_FR_CONTEXT_ABSENT &&
                     lookup.code != VTD_FR_SM_CONTEXT_ABSENT)
                row(t, &lookup, false, false);
        } else if (lookup.device.has_context) {
            row(t, &lookup, false, true);
        } else {
            list_processes(t, &lookup);
        }
    }
}

static gint compare(gconstpointer a, gconstpointer b)
{
    return GPOINTER_TO_INT(a) - GPOINTER_TO_INT(b);
}

static void list_domains(struct tables *t)
{
    GList *keys = g_list_sort(g_hash_table_get_keys(t->domains), compare);

    inspect_list(t->in, "domains");
    for (GList *key = keys; key; key = key->next) {
        const struct domain *domain = g_hash_table_lookup(t->domains, key->data);

        inspect_object(t->in, NULL);
        iommu_inspect_context(t->in, &domain->context);
        inspect_number(t->in, "users", domain->users);
        inspect_text(t->in, "requesters", "%s", domain->names->str);
        inspect_object_end(t->in);
    }
    inspect_list_end(t->in);
    g_list_free(keys);
}

void vtd_inspect_tables(struct vtd *vtd, const struct inspect *in)
{
    struct tables t = {.vtd = vtd, .in = in};

    t.domains = g_hash_table_new_full(NULL, NULL, NULL, domain_free);
    inspect_list(in, "contexts");
    if (vtd_is(vtd, VTD_G_TE))
        list_requesters(&t);
    inspect_list_end(in);
    if (t.cut)
        inspect_flag(in, "contexts-cut-short", true);
    list_domains(&t);
    g_hash_table_unref(t.domains);
}

/* Interrupt entries, 9.9; the message that a device would write for one is its index. */

static void interrupt_row(const struct vtd *vtd, const struct inspect *in, unsigned index,
                          const uint8_t data[16])
{
    uint64_t low = le64_load(data), high = le64_load(data + 8);
    const struct irte_slot *slot = &vtd->irte[index % IRTE_SLOTS];
    uint32_t dest = (uint32_t)(low >> 32);

    inspect_object(in, NULL);
    inspect_number(in, "index", index);
    if (low & BIT(15))
        inspect_flag(in, "posted", true);
    else
        inspect_hex(in, "destination", vtd->irt_extended ? dest : dest >> 8 & 0xff);
    inspect_hex(in, "vector", low >> 16 & 0xff);
    if (high >> 18 & 3)
        iommu_inspect_requester(in, "source", (uint16_t)high);
    if (slot->valid && slot->index == index)
        inspect_text(in, "cached", "%s", slot->low == low && slot->high == high ? "yes" : "stale");
    inspect_object_end(in);
}

void vtd_inspect_interrupts(struct vtd *vtd, const struct inspect *in)
{
    const struct iommu_memory *memory = table_memory(vtd);
    unsigned rows = 0, left_out = 0;
    uint8_t data[16];

    inspect_list(in, "interrupts");
    for (unsigned i = 0; vtd_is(vtd, VTD_G_IRE) && i < vtd->irt_entries; i++) {
        if (!memory->read(memory->opaque, vtd->irt + i * 16ULL, data, 16) || !(data[0] & 1))
            continue;
        if (rows++ < INSPECT_ROWS_MAX)
            interrupt_row(vtd, in, i, data);
        else
            left_out++;
    }
    inspect_list_end(in);
    inspect_more(in, left_out);
}
