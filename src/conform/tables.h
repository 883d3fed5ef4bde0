/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of all groups, for registry.c; one line a file. */
#ifndef PCILAB_SRC_CONFORM_TABLES_H
#define PCILAB_SRC_CONFORM_TABLES_H

#include "internal.h"

extern const struct field_table fields_header, fields_header0, fields_header1;
extern const struct field_table fields_pcie;
extern const struct field_table fields_pm, fields_msi, fields_msix;
extern const struct field_table fields_aer;
extern const struct field_table fields_acs, fields_ari, fields_dsn, fields_ats, fields_pri,
    fields_pasid, fields_dpc, fields_ltr, fields_l1ss, fields_ptm, fields_secondary, fields_dlf,
    fields_phy16, fields_phy32, fields_sriov, fields_rcec, fields_dev3, fields_ssvid, fields_frs;

extern const struct assertion_table assertions_config_space, assertions_nvme;
/* Of the laboratory, which pcilab-conform has not. */
extern const struct assertion_table assertions_receiver, assertions_rules, assertions_device,
    assertions_flow, assertions_order, assertions_dll, assertions_dll_errors, assertions_ats,
    assertions_ats_invalidate, assertions_pri, assertions_sriov, assertions_pasid,
    assertions_nvme_admin, assertions_nvme_io, assertions_ari, assertions_prefix,
    assertions_atomics, assertions_ltssm, assertions_ltssm_power, assertions_hotplug,
    assertions_ptm, assertions_vtd_legacy, assertions_vtd_scalable, assertions_vtd_stages,
    assertions_vtd_formats, assertions_vtd_asked, assertions_vtd_registers, assertions_vtd_records,
    assertions_vtd_queue, assertions_vtd_interrupts, assertions_vtd_devices, assertions_viommu,
    assertions_viommu_device, assertions_access, assertions_request, assertions_report,
    assertions_event;

#endif
