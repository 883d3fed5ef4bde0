/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a machine that tells of errors (docs/firmware-errors.md), for who acts on it from
 * outside: scenarios, control.
 */
#ifndef PCILAB_PLATFORM_FIRMWARE_H
#define PCILAB_PLATFORM_FIRMWARE_H

#include "pcilab/platform/machine.h"

/* The numbers are those of error records (UEFI 2.10, N.2.1). */
enum machine_severity {
    MACHINE_SEVERITY_RECOVERABLE,
    MACHINE_SEVERITY_FATAL,
    MACHINE_SEVERITY_CORRECTED,
};

struct machine_error_record {
    const char *component; /* as machine_func() takes it; NULL: memory */
    enum machine_severity severity;
    uint32_t status;  /* of a component: what Uncorrectable or Correctable Error Status is to say */
    uint64_t address; /* of memory */
};

/* Tells the guest of an error that nobody had. False, and why, where the machine's firmware tells
 * of none, or there is no such component. */
bool machine_firmware_report(struct machine *machine, const struct machine_error_record *record,
                             GError **error);

/* What the firmware tells of now. */
struct machine_error_told {
    const char *where; /* the component's name, or "memory"; good until it is acknowledged */
    enum machine_severity severity, section; /* of the system, of the error itself */
};
/* Of corrected errors, or of the others. False: of nothing. */
bool machine_firmware_told(struct machine *machine, bool corrected,
                           struct machine_error_told *told);
/* As the guest does it. */
void machine_firmware_acknowledge(struct machine *machine, bool corrected);

#endif
