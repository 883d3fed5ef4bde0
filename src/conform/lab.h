/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The laboratory: a new machine for each assertion, an exerciser that does as it is told, and every
 * TLP on record as it leaves a port. Parts are found by what they are, so that it works on any
 * topology that has them.
 */
#ifndef PCILAB_SRC_CONFORM_LAB_H
#define PCILAB_SRC_CONFORM_LAB_H

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/endpoint/exerciser.h"
#include "pcilab/fabric/inject.h"
#include "pcilab/pci/config.h"
#include "pcilab/platform/machine.h"

#define LAB_RAM 0x1000000u /* of the host, free */

/* A TLP that left a port. */
struct lab_seen {
    const struct port *sender;
    uint64_t time_ps;
    struct tlp tlp; /* without its payload beyond what is inline */
};

struct lab {
    struct conform_ctx *t;
    struct machine *machine;
    struct inject *inject;
    GArray *seen; /* struct lab_seen */
    /* Names of components; NULL: the topology has none. */
    char *ex;    /* an exerciser with a link */
    char *above; /* the port that it hangs at */
    char *root;  /* the root port above that */
    char *peer;  /* another exerciser below the same switch as ex */
    char *vf;    /* an exerciser with Virtual Functions */

    struct machine_desc *desc; /* where the topology was changed; NULL: it was not */
};

/* NULL: it cannot be made, t says so. Free it in any case. */
struct lab *lab_new(struct conform_ctx *t);
/* The same with link timing, and changed further; `change` may be NULL. Where a mutant is judged
 * that is no flaw there is none, and t says so: those are about something else. */
struct lab *lab_new_timed(struct conform_ctx *t, void (*change)(struct machine_desc *desc));
/* Of another description, which must outlive it. */
struct lab *lab_new_of(struct conform_ctx *t, const struct machine_desc *desc);
void lab_free(struct lab *lab);

/* A procedure that is a body with what `make` gives. */
#define LAB_WITH(name, make)                                                                       \
    static void name##_body(struct conform_ctx *t, struct lab *lab);                               \
    static void name(struct conform_ctx *t)                                                        \
    {                                                                                              \
        struct lab *lab = make;                                                                    \
                                                                                                   \
        if (lab->machine)                                                                          \
            name##_body(t, lab);                                                                   \
        lab_free(lab);                                                                             \
    }                                                                                              \
    static void name##_body(struct conform_ctx *t, struct lab *lab)

struct pci_func *lab_func(struct lab *lab, const char *name);
uint32_t lab_cfg(struct lab *lab, const char *name, unsigned offset, unsigned len);
void lab_set_cfg(struct lab *lab, const char *name, unsigned offset, unsigned len, uint32_t value);
/* Sets and clears bits. */
void lab_change_cfg(struct lab *lab, const char *name, unsigned offset, unsigned len, uint32_t set,
                    uint32_t clear);
unsigned lab_aer(struct lab *lab, const char *name, unsigned reg); /* offsets in the function */
unsigned lab_pcie(struct lab *lab, const char *name, unsigned reg);
/* All reports of errors of the path from ex to its root port, nothing masked; and none shown. */
void lab_report_errors(struct lab *lab);

uint64_t lab_bar(struct lab *lab, const char *name, unsigned bar);
enum tlp_status lab_read(struct lab *lab, uint64_t addr, unsigned len, uint64_t *value);
enum tlp_status lab_write(struct lab *lab, uint64_t addr, unsigned len, uint64_t value);
void lab_run_us(struct lab *lab, unsigned us);

/* A register of the exerciser's BAR 0. */
void lab_ex_set(struct lab *lab, const char *name, unsigned reg, unsigned len, uint64_t value);
uint64_t lab_ex_get(struct lab *lab, const char *name, unsigned reg, unsigned len);
struct lab_dma {
    unsigned command; /* enum exerciser_command */
    uint64_t addr;
    unsigned len;
    uint32_t attr, pattern, step;
    uint64_t operand, compare;
    uint32_t pasid;   /* as the channel's register has it */
    unsigned channel; /* 0 or 1 */
};
/* Begins it; nothing of what was seen is forgotten. */
void lab_dma_start(struct lab *lab, const char *name, const struct lab_dma *dma);
/* The result of what was begun. */
unsigned lab_dma_end(struct lab *lab, const char *name, const struct lab_dma *dma);
/* Its result as in docs/exerciser.md; 256: it is not over within 100 ms. */
unsigned lab_dma(struct lab *lab, const char *name, const struct lab_dma *dma);

/* So many Virtual Functions of lab->vf, with BARs 0 and 2 in the window above them, decoding and
 * allowed to send. The offset of the capability; 0: there are none, t says so. (sriov.c) */
unsigned lab_enable_vfs(struct lab *lab, unsigned count);
/* The name of a Virtual Function, to be freed; NULL: it is not enabled. */
char *lab_vf_name(struct lab *lab, unsigned index);

/* A new TLP in the name of ex, and its way up from ex or down to it. */
struct tlp *lab_tlp(struct lab *lab, enum tlp_type type, unsigned payload_dw);
void lab_send_up(struct lab *lab, struct tlp *tlp);
void lab_send_down(struct lab *lab, struct tlp *tlp);
void lab_forget(struct lab *lab); /* what was seen */
/* How many of these types left a port; `from` is a component whose end of its link it is, or NULL.
 */
unsigned lab_count(struct lab *lab, const char *from, uint32_t types);
unsigned lab_count_messages(struct lab *lab, const char *from, unsigned code);
const struct lab_seen *lab_last(struct lab *lab, const char *from, uint32_t types);

/* The switch that ex is below, g_free() it; NULL: none. */
char *lab_upstream(const struct lab *lab);

/* The MSI of a function becomes a write of `data` to LAB_RAM, where what stands now is forgotten.
 * False: it has none. */
bool lab_arm_msi(struct lab *lab, const char *name, uint32_t data);
uint32_t lab_ram(struct lab *lab); /* the doubleword at LAB_RAM */
void lab_clear_ram(struct lab *lab);

/* Takes away, for good, all credits of a kind that the sender to this port has left, and says how
 * many those were: on an idle link what the port has advertised. Infinite ones, as 0, stay. */
struct link_credits lab_take_credits(struct port *receiver, enum link_flow flow);

/* A procedure that begins with a laboratory; its body follows. */
#define LAB_PROCEDURE(name) LAB_WITH(name, lab_new(t))

/* An assertion that has one, of the PCI Express specification. */
#define LAB_RULE(i, grp, sec, fn, text)                                                            \
    {                                                                                              \
        .id = grp "." i, .group = grp, .document = CONFORM_PCIE, .section = sec,                   \
        .needs = CONFORM_LAB, .procedure = fn, .requirement = text                                 \
    }

#endif
