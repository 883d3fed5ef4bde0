/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the firmware of this machine does about errors (ACPI 6.5, chapter 18; PCI Firmware 3.3,
 * 4.6.12 and 4.6.13): it tells of them by APEI's tables (HEST, BERT), lets software make some
 * (EINJ), and, where it keeps Advanced Error Reporting and Downstream Port Containment from the
 * operating system (firmware first), it is who looks after them.
 *
 * Registers are for the AML (asl/errors.asl) and the instructions of the tables; blocks of errors
 * are in memory that the firmware has reserved.
 */
#ifndef PCILAB_HW_PLATFORM_APEI_H
#define PCILAB_HW_PLATFORM_APEI_H

#include <glib.h>

#include "cper.h"
#include "pcilab/pci/function.h"
#include "pcilab/platform/machine.h"
#include "pcilab/sim/sim.h"

struct board_part;

/* Reserved memory. */
#define APEI_RAM_BYTES   0x5000u
#define APEI_RAM_ADDRESS 0x0000u /* "error status addresses": 8 bytes for each source */
#define APEI_RAM_BLOCK   0x1000u /* a page for each source */
#define APEI_RAM_BOOT    0x3000u /* the boot error region */
#define APEI_RAM_TRIGGER 0x4000u /* the trigger error action table */
#define APEI_BLOCK_BYTES 0x1000u

/* Registers. */
enum {
    APEI_EVENTS = 0x00, /* what the interrupt is for: bits APEI_EVENT_*, written with 1 to clear */
    APEI_EDR_PORT = 0x04, /* the root port that the event is at: an index */
    APEI_EDR_TAKE = 0x08, /* the AML has told of that one */
    APEI_EDR_ENABLE = 0x0c,
    APEI_EDR_SELECT = 0x10,
    APEI_EDR_LOCATE = 0x14, /* below the selected root port: who contains */
    APEI_OST_PORT = 0x18,
    APEI_OST_STATUS = 0x1c,
    APEI_ACK = 0x20, /* 4 bytes for each source */
    APEI_EINJ_OPERATION = 0x40,
    APEI_EINJ_BUSY = 0x44,
    APEI_EINJ_STATUS = 0x48,
    APEI_EINJ_TYPES = 0x4c,
    APEI_EINJ_TABLE = 0x50,
    APEI_EINJ_TYPE = 0x58,
    APEI_EINJ_PARAMS = 0x60, /* ACPI 6.5, table 18.33 */
    APEI_SPACE = 0x90,
};

#define APEI_EVENT_RECORD 0x1u
#define APEI_EVENT_EDR    0x2u
#define APEI_EDR_NONE     0x80000000u

enum { EINJ_BEGIN = 1, EINJ_EXECUTE, EINJ_END, EINJ_TRIGGER };

/* Sources of errors in HEST. */
enum apei_source_id { APEI_CORRECTED, APEI_UNCORRECTED, APEI_SOURCES };

#define APEI_QUEUE_MAX 8
#define APEI_BOOT_MAX  8
#define APEI_PORTS_MAX 64
#define APEI_POLL_MS   500u

struct apei_source {
    struct cper_record queue[APEI_QUEUE_MAX]; /* the first is in the block, when it is busy */
    unsigned count;
    bool busy; /* not acknowledged */
    bool lost; /* the queue was full */
};

enum apei_edr { APEI_EDR_IDLE, APEI_EDR_DUE, APEI_EDR_TOLD };

/* A root port of a host bridge whose errors are the firmware's. */
struct apei_port {
    struct board_part *part;
    bool edr_enabled;
    enum apei_edr edr;
    struct pci_func *contained; /* of an event that is not over */
};

/* An injection: what is armed, and then triggered. */
struct apei_injection {
    uint32_t type; /* 0: none */
    struct pci_func *func;
    unsigned kind; /* enum pci_error */
    uint64_t address, mask;
};

struct apei {
    struct machine *machine;
    struct reg_space *regs;
    uint64_t ram; /* of the reserved memory */
    bool panics;  /* fatal errors of PCI Express are fatal to the system */
    struct apei_source source[APEI_SOURCES];
    struct cper_record boot[APEI_BOOT_MAX];
    unsigned boot_count;
    struct apei_port port[APEI_PORTS_MAX];
    unsigned port_count;
    struct sim_event look;
    struct apei_injection armed;
};

/* apei.c. Created by the wiring where the description asks for it. */
bool apei_create(struct machine *machine, const struct machine_desc *desc, GError **error);
void apei_destroy(struct machine *machine);
void apei_reset(struct machine *machine);
/* Before a kernel starts: memory, and what firmware programs into functions. */
void apei_boot(struct machine *machine);
/* Tells the operating system of an error. */
void apei_report(struct apei *apei, const struct cper_record *record);
/* The block of a source may be written again. */
void apei_acknowledge(struct apei *apei, unsigned id);
/* Sets events, and the interrupt with them. */
void apei_raise(struct apei *apei, uint32_t events);
/* Guest memory at an offset of what is reserved. */
void apei_store(struct apei *apei, uint32_t offset, const void *data, unsigned len);

/* apei_first.c: firmware first. */
void apei_first_boot(struct apei *apei);
/* A root port or an event collector asks for System Management. */
void apei_system_error(void *machine);
/* The event: firmware looks after whoever has something to say. */
void apei_look(void *opaque);
/* What a record says of a function, and what its registers say now. */
void apei_describe(struct pci_func *func, uint16_t segment, struct cper_record *record);
/* The function by its number; NULL: none, or it cannot be reached. */
struct pci_func *apei_find(struct machine *machine, uint16_t segment, struct pci_rid rid);

/* All links up to the root bus work. `root`, if not NULL, gets the component on the root bus. */
bool apei_is_reachable(const struct machine *machine, const struct board_part *part,
                       const struct board_part **root);

/* apei_edr.c: Error Disconnect Recover. */
void apei_edr_look(struct apei *apei);
void apei_edr_enable(struct apei *apei, uint32_t port, bool enable);
uint32_t apei_edr_first(const struct apei *apei);
void apei_edr_take(struct apei *apei, uint32_t port);
uint32_t apei_edr_locate(const struct apei *apei, uint32_t port);
void apei_edr_over(struct apei *apei, uint32_t port, uint32_t status);

/* apei_inject.c: EINJ. */
#define EINJ_TYPES 0x1f8u /* memory, PCI Express: correctable, uncorrectable, fatal */
void apei_inject(struct apei *apei, unsigned operation);

/* apei_tables.c: tables, behind their header. */
void apei_hest(const struct apei *apei, GByteArray *body);
void apei_bert(const struct apei *apei, GByteArray *body);
void apei_einj(const struct apei *apei, GByteArray *body);
void apei_trigger_table(const struct apei *apei, GByteArray *table);
/* apei_aml.c: the SSDT of the root ports, behind its header. */
void apei_ports_aml(const struct apei *apei, GByteArray *body);

#endif
