/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Error injection (ACPI 6.5, 18.6). Errors of PCI Express are made at a function, which logs and
 * reports them as its own, so that whoever is in charge of them learns of them in the usual way.
 * Errors of memory are told by the firmware.
 *
 * CHOICE: of each severity the first error is made that the function can have, that its masks let
 * through and to which its Severity register gives that severity. Memory keeps its content, as
 * though scrubbing had found the error before anybody read it. UNIMPL: machine checks.
 */
#include "apei.h"
#include "board.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/error.h"

/* Types (table 18.34). */
#define MEMORY_CORRECTABLE 0x008u
#define MEMORY_FATAL       0x020u
#define MEMORY_ANY         0x038u
#define PCIE_CORRECTABLE   0x040u
#define PCIE_NONFATAL      0x080u
#define PCIE_FATAL         0x100u
#define PCIE_ANY           0x1c0u

/* Flags of the parameters (table 18.33). */
#define FLAG_MEMORY 0x2u
#define FLAG_SBDF   0x4u

/* Command Status (table 18.36). */
enum { STATUS_SUCCESS, STATUS_FAILURE, STATUS_INVALID };

#define ECC_SINGLE 2
#define ECC_MULTI  3

/* In order of preference: what asks for least from who deals with it. */
static const enum pci_error correctable[] = {
    PCI_ERROR_RECEIVER,       PCI_ERROR_BAD_TLP,  PCI_ERROR_BAD_DLLP,
    PCI_ERROR_REPLAY_TIMEOUT, PCI_ERROR_ADVISORY,
};
static const enum pci_error uncorrectable[] = {
    PCI_ERROR_TIMEOUT,   PCI_ERROR_ABORT,       PCI_ERROR_POISONED, PCI_ERROR_UNSUPPORTED,
    PCI_ERROR_MALFORMED, PCI_ERROR_DL_PROTOCOL, PCI_ERROR_OVERFLOW,
};

static uint64_t get(const struct apei *apei, unsigned reg)
{
    return reg_get(apei->regs, reg);
}

static uint64_t param(const struct apei *apei, unsigned offset)
{
    return get(apei, APEI_EINJ_PARAMS + offset);
}

static bool pick(const struct pci_func *func, uint32_t type, unsigned *kind)
{
    /* A VF's masks and severities are its PF's. */
    const struct pci_func *pf = func->pf ? func->pf : func;
    uint64_t cor_mask = reg_get(pf->cfg, pf->ext_aer + PCI_AER_COR_MASK);
    uint64_t mask = reg_get(pf->cfg, pf->ext_aer + PCI_AER_UNCOR_MASK);
    uint64_t severity = reg_get(pf->cfg, pf->ext_aer + PCI_AER_UNCOR_SEVERITY);
    uint64_t possible = reg_rw_mask(pf->cfg, pf->ext_aer + PCI_AER_UNCOR_MASK);
    uint64_t cor_possible = reg_rw_mask(pf->cfg, pf->ext_aer + PCI_AER_COR_MASK);

    for (unsigned i = 0; type == PCIE_CORRECTABLE && i < ARRAY_LEN(correctable); i++) {
        *kind = correctable[i];
        if (BIT(*kind - PCI_ERROR_CORRECTABLE) & cor_possible & ~cor_mask)
            return true;
    }
    for (unsigned i = 0; type != PCIE_CORRECTABLE && i < ARRAY_LEN(uncorrectable); i++) {
        *kind = uncorrectable[i];
        if (BIT(*kind) & possible & ~mask && (type == PCIE_FATAL) == !!(BIT(*kind) & severity))
            return true;
    }
    return false;
}

static bool arm_pcie(struct apei *apei, uint32_t type)
{
    uint32_t sbdf = (uint32_t)param(apei, 0x20);
    struct pci_rid rid = {(uint16_t)(sbdf >> 8)};
    struct pci_func *func;

    if (!(param(apei, 0x08) & FLAG_SBDF))
        return false;
    func = apei_find(apei->machine, (uint16_t)(sbdf >> 24), rid);
    if (!func || !func->ext_aer || !pick(func, type, &apei->armed.kind))
        return false;
    apei->armed.func = func;
    return true;
}

static bool arm_memory(struct apei *apei)
{
    uint64_t mask = param(apei, 0x18), address = param(apei, 0x10) & mask;

    if (!(param(apei, 0x08) & FLAG_MEMORY) || !ram_ptr(&apei->machine->ram, address, 1))
        return false;
    apei->armed.address = address;
    apei->armed.mask = mask;
    return true;
}

static unsigned execute(struct apei *apei)
{
    uint32_t type = (uint32_t)param(apei, 0x00);
    bool armed;

    if (!type)
        type = (uint32_t)get(apei, APEI_EINJ_TYPE);
    apei->armed = (struct apei_injection){0};
    if (type & ~EINJ_TYPES || !type || type & (type - 1))
        return STATUS_INVALID;
    armed = type & PCIE_ANY ? arm_pcie(apei, type) : arm_memory(apei);
    if (!armed)
        return STATUS_INVALID;
    apei->armed.type = type;
    return STATUS_SUCCESS;
}

static void trigger_memory(struct apei *apei, const struct apei_injection *armed)
{
    struct cper_record record = {.kind = CPER_MEMORY, .where = "memory"};

    record.severity = armed->type == MEMORY_CORRECTABLE ? CPER_CORRECTED
                      : armed->type == MEMORY_FATAL     ? CPER_FATAL
                                                        : CPER_RECOVERABLE;
    record.section = record.severity;
    record.memory.address = armed->address;
    record.memory.mask = armed->mask;
    record.memory.type = record.severity == CPER_CORRECTED ? ECC_SINGLE : ECC_MULTI;
    apei_report(apei, &record);
}

static void trigger(struct apei *apei)
{
    struct apei_injection armed = apei->armed;

    apei->armed = (struct apei_injection){0};
    if (!armed.type)
        return;
    trace_say(&apei->machine->trace, TRACE_STATE, "firmware", "injects error type %03x at %s",
              armed.type, armed.func ? armed.func->name : "memory");
    if (armed.func)
        pci_error_report(armed.func, armed.kind, NULL);
    else
        trigger_memory(apei, &armed);
}

void apei_inject(struct apei *apei, unsigned operation)
{
    switch (operation) {
    case EINJ_BEGIN:
        reg_set(apei->regs, APEI_EINJ_TYPE, 0);
        reg_set(apei->regs, APEI_EINJ_PARAMS, 0);
        reg_set(apei->regs, APEI_EINJ_PARAMS + 0x08, 0);
        reg_set(apei->regs, APEI_EINJ_STATUS, STATUS_SUCCESS);
        apei->armed = (struct apei_injection){0};
        break;
    case EINJ_EXECUTE: reg_set(apei->regs, APEI_EINJ_STATUS, execute(apei)); break;
    case EINJ_TRIGGER: trigger(apei); break;
    case EINJ_END: apei->armed = (struct apei_injection){0}; break;
    default: break;
    }
}
