/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced Error Reporting, version 2 (PCIe Base 6.0, 7.8.4), with multiple header recording and,
 * at endpoints and root ports, ECRC. When its bits are set is decided in error.c.
 */
#include <assert.h>
#include <string.h>

#include <glib.h>

#include "internal.h"
#include "pcie.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/error.h"
#include "sriov.h"

#define VERSION       2
#define RECORDS_MAX   4
#define HEADER_DWORDS 4
#define POINTER_NONE  0 /* no status bit 0 exists any more: a pointer that is not valid */
#define ROOT_SIZE     PCI_AER_SIZE_BYTES
#define OTHER_SIZE    PCI_AER_ROOT_COMMAND
#define UNCOR(kind)   (1u << (kind))
#define COR(kind)     (1u << ((kind)-PCI_ERROR_CORRECTABLE))

/* Errors by what a function does. */
#define UNCOR_ALL                                                                                  \
    (UNCOR(PCI_ERROR_POISONED) | UNCOR(PCI_ERROR_UNEXPECTED) | UNCOR(PCI_ERROR_MALFORMED) |        \
     UNCOR(PCI_ERROR_UNSUPPORTED))
#define UNCOR_LINK                                                                                 \
    (UNCOR(PCI_ERROR_DL_PROTOCOL) | UNCOR(PCI_ERROR_OVERFLOW) | UNCOR(PCI_ERROR_FLOW_CONTROL))
#define UNCOR_REQUESTER (UNCOR(PCI_ERROR_TIMEOUT) | UNCOR(PCI_ERROR_ABORT))
#define UNCOR_EVERY     0x0f3ff030u /* what is defined up to bit 27, but multicast and internal */
#define COR_ALL         (COR(PCI_ERROR_ADVISORY) | COR(PCI_ERROR_LOG_OVERFLOW))
#define COR_LINK                                                                                   \
    (COR(PCI_ERROR_RECEIVER) | COR(PCI_ERROR_BAD_TLP) | COR(PCI_ERROR_BAD_DLLP) |                  \
     COR(PCI_ERROR_REPLAY_ROLLOVER) | COR(PCI_ERROR_REPLAY_TIMEOUT))

/* Fatal as long as software does not say otherwise (tables 6-2 to 6-5). */
#define FATAL_BY_DEFAULT                                                                           \
    (UNCOR(PCI_ERROR_DL_PROTOCOL) | UNCOR(PCI_ERROR_SURPRISE_DOWN) | UNCOR(PCI_ERROR_OVERFLOW) |   \
     UNCOR(PCI_ERROR_FLOW_CONTROL) | UNCOR(PCI_ERROR_MALFORMED))

struct aer_record {
    uint8_t kind;
    uint8_t prefixes;
    uint32_t header[HEADER_DWORDS];
    uint32_t prefix[TLP_END_END_MAX];
};

/* The recorded errors, oldest first: the first is what First Error Pointer and Header Log show. */
struct pci_aer {
    unsigned count;
    struct aer_record record[RECORDS_MAX];
};

/* Whose masks, severities and ECRC enables count: a VF has none, its PF's are for it as well
 * (9.4.2.5 to 9.4.2.9). */
static uint64_t setting(const struct pci_func *func, unsigned reg)
{
    const struct pci_func *pf = func->pf ? func->pf : func;

    return reg_get(pf->cfg, pf->ext_aer + reg);
}

static void update_ecrc(struct pci_func *func)
{
    uint64_t control = setting(func, PCI_AER_CONTROL);

    func->ecrc_generate =
        control & PCI_AER_CONTROL_ECRC_GEN && !flaw_on(func->flaws, FLAW_ECRC_GENERATE);
    func->ecrc_check = control & PCI_AER_CONTROL_ECRC_CHK;
    for (unsigned i = 0; func->sriov && i < func->sriov->count; i++) {
        func->sriov->vf[i]->ecrc_generate = func->ecrc_generate;
        func->sriov->vf[i]->ecrc_check = func->ecrc_check;
    }
}

static void show_first(struct pci_func *func)
{
    const struct pci_aer *aer = func->aer;
    const struct aer_record *first = aer->count ? &aer->record[0] : NULL;

    reg_update(func->cfg, func->ext_aer + PCI_AER_CONTROL,
               PCI_AER_CONTROL_POINTER | PCI_AER_CONTROL_PREFIX,
               first ? first->kind | (first->prefixes ? PCI_AER_CONTROL_PREFIX : 0u)
                     : POINTER_NONE);
    /* What was logged stays readable until something else is. */
    for (unsigned i = 0; first && i < HEADER_DWORDS; i++)
        reg_set(func->cfg, func->ext_aer + PCI_AER_HEADER_LOG + 4 * i, first->header[i]);
    for (unsigned i = 0; first && pcie_prefixes(func) && i < TLP_END_END_MAX; i++)
        reg_set(func->cfg, func->ext_aer + PCI_AER_PREFIX_LOG + 4 * i, first->prefix[i]);
}

/*
 * 6.2.4.2: clearing the bit to which First Error Pointer points dismisses that record. A bit of
 * which another record is left stays set; clearing another bit drops what is recorded of it.
 */
static void uncor_status_written(struct reg_space *space, unsigned offset,
                                 const struct reg_write *write)
{
    struct pci_func *func = func_of_space(space);
    struct pci_aer *aer = func->aer;
    uint64_t cleared = write->old_value & ~write->new_value, again = 0;
    unsigned kept = 0;
    uint8_t first;

    if (!aer->count || !cleared || flaw_on(func->flaws, FLAW_AER_POINTER))
        return;
    first = aer->record[0].kind;
    for (unsigned i = 0; i < aer->count; i++) {
        bool same = aer->record[i].kind == first;

        if (cleared & UNCOR(aer->record[i].kind) && (i == 0 || !same))
            continue;
        if (cleared & UNCOR(aer->record[i].kind))
            again |= UNCOR(aer->record[i].kind);
        aer->record[kept++] = aer->record[i];
    }
    aer->count = kept;
    reg_update(space, offset, again, again);
    show_first(func);
}

static void control_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    update_ecrc(func_of_space(space));
}

static void root_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    pcie_port_update_events(func_of_space(space));
}

#define HEADER_ROW(n)                                                                              \
    {                                                                                              \
        .name = "header_log_" #n, .clause = "PCIe 6.0 7.8.4.8",                                    \
        .offset = PCI_AER_HEADER_LOG + 4 * (n), .width = 4, .sticky = 0xffffffff,                  \
    }

#define PREFIX_ROW(n)                                                                              \
    {                                                                                              \
        .name = "tlp_prefix_log_" #n, .clause = "PCIe 6.0 7.8.4.12",                               \
        .offset = PCI_AER_PREFIX_LOG + 4 * (n), .width = 4, .sticky = 0xffffffff,                  \
    }

/* clang-format off */
static const struct reg_def aer_rows[] = {
    {.name = "uncorrectable_error_status", .clause = "PCIe 6.0 7.8.4.2",
     .offset = PCI_AER_UNCOR_STATUS, .width = 4, .rw1c = UNCOR_EVERY, .sticky = UNCOR_EVERY,
     .on_write = uncor_status_written},
    {.name = "uncorrectable_error_mask", .clause = "PCIe 6.0 7.8.4.3",
     .offset = PCI_AER_UNCOR_MASK, .width = 4, .sticky = UNCOR_EVERY},
    {.name = "uncorrectable_error_severity", .clause = "PCIe 6.0 7.8.4.4",
     .offset = PCI_AER_UNCOR_SEVERITY, .width = 4, .sticky = UNCOR_EVERY},
    {.name = "correctable_error_status", .clause = "PCIe 6.0 7.8.4.5",
     .offset = PCI_AER_COR_STATUS, .width = 4, .rw1c = COR_ALL | COR_LINK,
     .sticky = COR_ALL | COR_LINK},
    {.name = "correctable_error_mask", .clause = "PCIe 6.0 7.8.4.6", .offset = PCI_AER_COR_MASK,
     .width = 4, .reset = COR_ALL, .sticky = COR_ALL | COR_LINK},
    {.name = "advanced_error_capabilities_control", .clause = "PCIe 6.0 7.8.4.7",
     .offset = PCI_AER_CONTROL, .width = 4,
     .sticky = PCI_AER_CONTROL_POINTER | PCI_AER_CONTROL_ECRC_GEN | PCI_AER_CONTROL_ECRC_CHK |
               PCI_AER_CONTROL_MULTI | PCI_AER_CONTROL_PREFIX,
     .on_write = control_written},
    HEADER_ROW(0), HEADER_ROW(1), HEADER_ROW(2), HEADER_ROW(3),
};

static const struct reg_def aer_prefix_rows[] = {
    PREFIX_ROW(0), PREFIX_ROW(1), PREFIX_ROW(2), PREFIX_ROW(3),
};

static const struct reg_def aer_root_rows[] = {
    {.name = "root_error_command", .clause = "PCIe 6.0 7.8.4.9", .offset = PCI_AER_ROOT_COMMAND,
     .width = 4, .rw = PCI_AER_ROOT_COMMAND_ALL, .on_write = root_written},
    {.name = "root_error_status", .clause = "PCIe 6.0 7.8.4.10", .offset = PCI_AER_ROOT_STATUS,
     .width = 4, .rw1c = PCI_AER_ROOT_STATUS_ERRORS, .sticky = PCI_AER_ROOT_STATUS_ERRORS,
     .on_write = root_written},
    {.name = "error_source_identification", .clause = "PCIe 6.0 7.8.4.11",
     .offset = PCI_AER_ROOT_SOURCE, .width = 4, .sticky = 0xffffffff},
};
/* clang-format on */

void pci_aer_allow(struct pci_func *func, uint32_t uncor)
{
    unsigned cap = func->ext_aer;
    uint64_t severity;

    if (!cap)
        return;
    reg_set_rw_mask(func->cfg, cap + PCI_AER_UNCOR_MASK,
                    reg_rw_mask(func->cfg, cap + PCI_AER_UNCOR_MASK) | uncor);
    reg_set_rw_mask(func->cfg, cap + PCI_AER_UNCOR_SEVERITY,
                    reg_rw_mask(func->cfg, cap + PCI_AER_UNCOR_SEVERITY) | uncor);
    severity = reg_get(func->cfg, cap + PCI_AER_UNCOR_SEVERITY);
    reg_hwinit(func->cfg, cap + PCI_AER_UNCOR_SEVERITY, severity | (uncor & FATAL_BY_DEFAULT));
}

void pci_cap_aer_add(struct pci_func *func)
{
    bool root = func->pcie_type == PCIE_ROOT_PORT || func->pcie_type == PCIE_RC_EVENT_COLLECTOR;
    bool port = func->pcie_type == PCIE_UPSTREAM_PORT || func->pcie_type == PCIE_DOWNSTREAM_PORT;
    bool linked = reg_has(func->cfg, func->cap_pcie + PCIE_LNKCAP);
    bool requester = !port && func->pcie_type != PCIE_RC_EVENT_COLLECTOR;
    uint64_t control = PCI_AER_CONTROL_MULTI_CAPABLE, control_rw = PCI_AER_CONTROL_MULTI;
    bool prefixes = pcie_prefixes(func);
    unsigned cap;

    assert(func->cap_pcie && !func->ext_aer);
    cap = pci_func_place_ext_cap(func, PCI_EXT_AER, VERSION, aer_rows, ARRAY_LEN(aer_rows),
                                 prefixes ? PCI_AER_PREFIX_SIZE_BYTES
                                 : root   ? ROOT_SIZE
                                          : OTHER_SIZE);
    func->ext_aer = (uint16_t)cap;
    func->aer = g_new0(struct pci_aer, 1);
    if (root)
        reg_space_place(func->cfg, cap, aer_root_rows, ARRAY_LEN(aer_root_rows));
    if (prefixes)
        reg_space_place(func->cfg, cap, aer_prefix_rows, ARRAY_LEN(aer_prefix_rows));
    if (!port && linked &&
        !func->pf) { /* what an ECRC protects from is on links and in switches (2.7.1) */
        control |= PCI_AER_CONTROL_ECRC_GEN_CAPABLE | PCI_AER_CONTROL_ECRC_CHK_CAPABLE;
        control_rw |= PCI_AER_CONTROL_ECRC_GEN | PCI_AER_CONTROL_ECRC_CHK;
    }
    reg_hwinit(func->cfg, cap + PCI_AER_CONTROL, control);
    reg_set_rw_mask(func->cfg, cap + PCI_AER_CONTROL, control_rw);
    if (func->pf) { /* Each VF has a log of its own, but nothing to set (tables 9-34 to 9-38). */
        assert(func->pf->ext_aer && "a VF has AER only where its PF has (9.4.2)");
        reg_hwinit(func->cfg, cap + PCI_AER_COR_MASK, 0);
        return;
    }
    if (linked && reg_get(func->cfg, func->cap_pcie + PCIE_LNKCAP) & PCIE_LNKCAP_SURPRISE)
        pci_aer_allow(func, UNCOR(PCI_ERROR_SURPRISE_DOWN));
    pci_aer_allow(func, UNCOR_ALL | (linked ? UNCOR_LINK : 0) |
                            (linked && !port ? UNCOR(PCI_ERROR_ECRC) : 0) |
                            (requester ? UNCOR_REQUESTER : 0));
    if (func->header == PCI_HEADER_TYPE1 &&
        reg_rw_mask(func->cfg, func->cap_pcie + PCIE_DEVCTL2) & PCIE_DEVCTL2_ATOMIC_BLOCK)
        pci_aer_allow(func, UNCOR(PCI_ERROR_ATOMIC_EGRESS) | UNCOR(PCI_ERROR_DMWR_EGRESS));
    if (func->header == PCI_HEADER_TYPE1 && prefixes)
        pci_aer_allow(func, UNCOR(PCI_ERROR_PREFIX_BLOCKED));
    reg_set_rw_mask(func->cfg, cap + PCI_AER_COR_MASK, COR_ALL | (linked ? COR_LINK : 0));
}

void pci_aer_reset(struct pci_func *func, enum reg_reset_kind kind)
{
    if (!func->aer)
        return;
    if (kind == REG_RESET_COLD)
        func->aer->count = 0;
    update_ecrc(func);
}

bool pci_aer_is_fatal(const struct pci_func *func, enum pci_error kind)
{
    uint64_t severity = func->ext_aer && !flaw_on(func->flaws, FLAW_AER_SEVERITY)
                            ? setting(func, PCI_AER_UNCOR_SEVERITY)
                            : FATAL_BY_DEFAULT;

    return severity & UNCOR(kind);
}

bool pci_aer_note_correctable(struct pci_func *func, enum pci_error kind)
{
    unsigned cap = func->ext_aer;

    reg_update(func->cfg, cap + PCI_AER_COR_STATUS, COR(kind), COR(kind));
    return setting(func, PCI_AER_COR_MASK) & COR(kind) && !flaw_on(func->flaws, FLAW_AER_COR_MASK);
}

bool pci_aer_note_uncorrectable(struct pci_func *func, enum pci_error kind)
{
    unsigned cap = func->ext_aer;

    reg_update(func->cfg, cap + PCI_AER_UNCOR_STATUS, UNCOR(kind), UNCOR(kind));
    return setting(func, PCI_AER_UNCOR_MASK) & UNCOR(kind) &&
           !flaw_on(func->flaws, FLAW_AER_UNCOR_MASK);
}

/* End-end prefixes only; local ones are of a link (6.2.4.4, 7.8.4.12). */
static void record_prefixes(struct aer_record *record, const struct tlp *tlp)
{
    unsigned count = tlp_end_end_prefixes(tlp), first = tlp->prefix_count - count;

    while (record->prefixes < count && record->prefixes < TLP_END_END_MAX) {
        record->prefix[record->prefixes] = tlp->prefix[first + record->prefixes];
        record->prefixes++;
    }
}

bool pci_aer_record(struct pci_func *func, enum pci_error kind, const struct tlp *tlp)
{
    struct pci_aer *aer = func->aer;
    uint64_t control = reg_get(func->cfg, func->ext_aer + PCI_AER_CONTROL);
    unsigned room = control & PCI_AER_CONTROL_MULTI && !flaw_on(func->flaws, FLAW_AER_MULTI_HEADER)
                        ? RECORDS_MAX
                        : 1;
    uint8_t bytes[TLP_HEADER_MAX] = {0};
    struct aer_record *record;

    /* A log that is full matters to an error that would have had a header in it (6.2.4.2). */
    if (aer->count >= room && flaw_on(func->flaws, FLAW_AER_FIRST))
        aer->count = 0;
    if (aer->count >= room)
        return !tlp;
    record = &aer->record[aer->count++];
    *record = (struct aer_record){.kind = (uint8_t)kind};
    if (tlp && !flaw_on(func->flaws, FLAW_AER_HEADER))
        tlp_encode_header(tlp, bytes);
    for (unsigned i = 0; i < HEADER_DWORDS; i++) {
        const uint8_t *dw = bytes + 4 * i;

        record->header[i] = (uint32_t)dw[0] << 24 | (uint32_t)dw[1] << 16 | dw[2] << 8 | dw[3];
    }
    if (tlp && tlp->prefix_count && pcie_prefixes(func) && !flaw_on(func->flaws, FLAW_AER_PREFIX))
        record_prefixes(record, tlp);
    show_first(func);
    return true;
}

/* Other capabilities are shorter: what lies there then belongs to the next one. */
static bool has_root_registers(const struct pci_func *func)
{
    return func->ext_aer &&
           (func->pcie_type == PCIE_ROOT_PORT || func->pcie_type == PCIE_RC_EVENT_COLLECTOR);
}

bool pci_aer_root_interrupt(const struct pci_func *func)
{
    uint64_t command, status;

    if (!has_root_registers(func) || flaw_on(func->flaws, FLAW_AER_ROOT_INTERRUPT))
        return false;
    command = flaw_on(func->flaws, FLAW_AER_ROOT_COMMAND)
                  ? PCI_AER_ROOT_COMMAND_ALL
                  : reg_get(func->cfg, func->ext_aer + PCI_AER_ROOT_COMMAND);
    status = reg_get(func->cfg, func->ext_aer + PCI_AER_ROOT_STATUS);
    return (command & PCI_ERROR_MSG_COR && status & PCI_AER_ROOT_STATUS_COR) ||
           (command & PCI_ERROR_MSG_NONFATAL && status & PCI_AER_ROOT_STATUS_NONFATAL) ||
           (command & PCI_ERROR_MSG_FATAL && status & PCI_AER_ROOT_STATUS_FATAL);
}

/* PCI_ERROR_MSG_*, which are also the bits of Root Control for a System Error (7.5.3.12). */
static unsigned message_bit(uint8_t msg_code)
{
    return msg_code == TLP_MSG_ERR_COR        ? PCI_ERROR_MSG_COR
           : msg_code == TLP_MSG_ERR_NONFATAL ? PCI_ERROR_MSG_NONFATAL
                                              : PCI_ERROR_MSG_FATAL;
}

void pci_root_error(struct pci_func *func, uint8_t msg_code, struct pci_rid source)
{
    unsigned cap = func->ext_aer;
    uint64_t old, bits;

    if (!has_root_registers(func))
        return;
    old = reg_get(func->cfg, cap + PCI_AER_ROOT_STATUS);
    if (msg_code == TLP_MSG_ERR_COR) {
        bits = PCI_AER_ROOT_STATUS_COR;
        if (old & PCI_AER_ROOT_STATUS_COR && !flaw_on(func->flaws, FLAW_AER_ROOT_MULTI_COR))
            bits |= PCI_AER_ROOT_STATUS_MULTI_COR;
        else
            reg_update(func->cfg, cap + PCI_AER_ROOT_SOURCE, 0xffff, source.v);
    } else {
        bool fatal = msg_code == TLP_MSG_ERR_FATAL;

        bits = PCI_AER_ROOT_STATUS_UNCOR |
               (fatal ? PCI_AER_ROOT_STATUS_FATAL : PCI_AER_ROOT_STATUS_NONFATAL);
        if (old & PCI_AER_ROOT_STATUS_UNCOR && !flaw_on(func->flaws, FLAW_AER_ROOT_MULTI))
            bits |= PCI_AER_ROOT_STATUS_MULTI_UNCOR;
        else
            bits |= fatal && !flaw_on(func->flaws, FLAW_AER_ROOT_FIRST_FATAL)
                        ? PCI_AER_ROOT_STATUS_FIRST_FATAL
                        : 0;
        if (!(old & PCI_AER_ROOT_STATUS_UNCOR) || flaw_on(func->flaws, FLAW_AER_ROOT_SOURCE))
            reg_update(func->cfg, cap + PCI_AER_ROOT_SOURCE, 0xffff0000u, (uint64_t)source.v << 16);
    }
    reg_update(func->cfg, cap + PCI_AER_ROOT_STATUS, bits, bits);
    pcie_port_update_events(func);
    if (func->ops->system_error &&
        reg_get(func->cfg, func->cap_pcie + PCIE_ROOTCTL) & message_bit(msg_code))
        func->ops->system_error(func);
}
