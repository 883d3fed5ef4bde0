/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error records from outside. */
#include "apei.h"
#include "board.h"
#include "pcilab/base/le.h"
#include "pcilab/pci/config.h"
#include "pcilab/platform/firmware.h"
#include "pcilab/platform/probe.h"

#define ECC_SINGLE 2
#define ECC_MULTI  3
#define PAGE_MASK  (~0xfffULL)

_Static_assert(MACHINE_SEVERITY_RECOVERABLE == (int)CPER_RECOVERABLE &&
                   MACHINE_SEVERITY_FATAL == (int)CPER_FATAL &&
                   MACHINE_SEVERITY_CORRECTED == (int)CPER_CORRECTED,
               "severities");

static uint16_t segment_of(struct machine *machine, const char *name)
{
    const struct root_complex *rc = machine_root_of(machine, name);
    uint16_t segment = 0;

    for (unsigned i = 0; i < machine->bridge_count; i++) {
        if (machine->bridge[i].rc == rc)
            segment = machine->bridge[i].map.segment;
    }
    return segment;
}

static void describe_memory(const struct machine_error_record *error, struct cper_record *record)
{
    *record = (struct cper_record){.kind = CPER_MEMORY, .where = "memory"};
    record->memory.address = error->address & PAGE_MASK;
    record->memory.mask = PAGE_MASK;
    record->memory.type = error->severity == MACHINE_SEVERITY_CORRECTED ? ECC_SINGLE : ECC_MULTI;
}

bool machine_firmware_report(struct machine *machine, const struct machine_error_record *error,
                             GError **gerror)
{
    bool corrected = error->severity == MACHINE_SEVERITY_CORRECTED;
    struct pci_func *func = error->component ? machine_func(machine, error->component) : NULL;
    struct cper_record record;

    if (!machine->apei || (error->component && !func)) {
        g_set_error(gerror, MACHINE_ERROR, MACHINE_ERROR_INPUT, "%s",
                    machine->apei ? "there is no such function"
                                  : "the firmware of this machine tells of no errors: apei=yes or "
                                    "firmware-first=yes makes one that does");
        return false;
    }
    if (func) {
        apei_describe(func, segment_of(machine, error->component), &record);
        le32_store(record.pcie.aer + (corrected ? PCI_AER_COR_STATUS : PCI_AER_UNCOR_STATUS),
                   error->status);
    } else {
        describe_memory(error, &record);
    }
    record.section = record.severity = (enum cper_severity)error->severity;
    if (func && record.section == CPER_FATAL && !machine->apei->panics)
        record.severity = CPER_RECOVERABLE;
    apei_report(machine->apei, &record);
    return true;
}

bool machine_firmware_told(struct machine *machine, bool corrected, struct machine_error_told *told)
{
    const struct apei_source *source;

    if (!machine->apei)
        return false;
    source = &machine->apei->source[corrected ? APEI_CORRECTED : APEI_UNCORRECTED];
    if (!source->busy)
        return false;
    told->where = source->queue[0].where;
    told->severity = (enum machine_severity)source->queue[0].severity;
    told->section = (enum machine_severity)source->queue[0].section;
    return true;
}

void machine_firmware_acknowledge(struct machine *machine, bool corrected)
{
    if (machine->apei)
        apei_acknowledge(machine->apei, corrected ? APEI_CORRECTED : APEI_UNCORRECTED);
}
