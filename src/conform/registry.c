/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every group there is. */
#include <string.h>

#include "internal.h"
#include "tables.h"

const struct field_table *const conform_field_tables[] = {
    &fields_header, &fields_header0, &fields_header1,   &fields_pcie,  &fields_pm,    &fields_msi,
    &fields_msix,   &fields_aer,     &fields_acs,       &fields_ari,   &fields_dsn,   &fields_ats,
    &fields_pri,    &fields_pasid,   &fields_dpc,       &fields_ltr,   &fields_l1ss,  &fields_ptm,
    &fields_dlf,    &fields_phy16,   &fields_secondary, &fields_phy32, &fields_sriov, &fields_rcec,
    &fields_dev3,   &fields_ssvid,   &fields_frs,
};
const unsigned conform_field_table_count = G_N_ELEMENTS(conform_field_tables);

static const struct assertion_table *const tables[] = {
    &assertions_config_space, &assertions_nvme,
#ifndef CONFORM_STANDALONE
    &assertions_receiver,     &assertions_rules,        &assertions_device,
    &assertions_flow,         &assertions_order,        &assertions_dll,
    &assertions_dll_errors,   &assertions_ats,          &assertions_ats_invalidate,
    &assertions_pri,          &assertions_sriov,        &assertions_pasid,
    &assertions_nvme_admin,   &assertions_nvme_io,      &assertions_ari,
    &assertions_prefix,       &assertions_atomics,      &assertions_ltssm,
    &assertions_ltssm_power,  &assertions_hotplug,      &assertions_ptm,
    &assertions_vtd_legacy,   &assertions_vtd_scalable, &assertions_vtd_stages,
    &assertions_vtd_formats,  &assertions_vtd_asked,    &assertions_vtd_registers,
    &assertions_vtd_records,  &assertions_vtd_queue,    &assertions_vtd_interrupts,
    &assertions_vtd_devices,  &assertions_viommu,       &assertions_viommu_device,
    &assertions_access,       &assertions_request,      &assertions_report,
    &assertions_event,
#endif
};

G_DEFINE_QUARK(conform - error - quark, conform_error)

const char *conform_document_name(enum conform_document document)
{
    static const char *const names[CONFORM_DOCUMENTS] = {
        [CONFORM_PCIE] = "PCI Express Base 6.0",
        [CONFORM_VTD] = "VT-d 4.1",
        [CONFORM_VIRTIO] = "virtio 1.3",
        [CONFORM_NVME] = "NVMe Base 2.0",
    };

    return names[document];
}

static void free_expanded(void *data)
{
    struct expanded *e = data;

    g_free((char *)e->assertion.id);
    g_free((char *)e->assertion.requirement);
    g_free(e);
}

static void add_table(const struct assertion_table *table, GPtrArray *out)
{
    for (unsigned i = 0; i < table->count; i++) {
        struct expanded *e = g_new0(struct expanded, 1);

        e->assertion = table->rows[i];
        e->assertion.id = g_strdup(table->rows[i].id);
        e->assertion.requirement = g_strdup(table->rows[i].requirement);
        g_ptr_array_add(out, &e->assertion);
    }
}

static int compare(const void *a, const void *b)
{
    const struct conform_assertion *x = *(struct conform_assertion *const *)a;
    const struct conform_assertion *y = *(struct conform_assertion *const *)b;
    int order = strcmp(x->group, y->group);

    return order ? order : strcmp(x->id, y->id);
}

GPtrArray *conform_assertions(void)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(free_expanded);

    for (unsigned i = 0; i < conform_field_table_count; i++)
        fields_expand(conform_field_tables[i], all);
    for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++)
        add_table(tables[i], all);
    g_ptr_array_sort(all, compare);
    return all;
}

/* "a.b" is "a.b" itself and all that begins with "a.b." */
static bool fits(const char *wanted, const char *name)
{
    size_t len;

    if (!wanted)
        return true;
    len = strlen(wanted);
    return strncmp(wanted, name, len) == 0 && (!name[len] || name[len] == '.');
}

bool conform_filter_accepts(const struct conform_filter *filter,
                            const struct conform_assertion *assertion)
{
    return fits(filter->group, assertion->group) && fits(filter->section, assertion->section) &&
           fits(filter->id, assertion->id);
}

bool filter_accepts_func(const struct conform_filter *filter, const struct conform_func *func)
{
    return fits(filter->component, func->name);
}
