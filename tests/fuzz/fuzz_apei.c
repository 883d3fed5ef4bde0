/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of the firmware's errors, and the reserved memory, in the hands of a hostile
 * kernel, while functions have errors and ports contain, and over resets. Whatever it does: what it
 * acknowledges drains, and the next error after a reset is told.
 *
 * Each action is a byte (which), and what it takes: a register write (offset, size, value), a
 * function's error, its configuration (offset, value), time, memory, a reset.
 */
#include <glib.h>
#include <string.h>

#include "hw/platform/apei.h"
#include "hw/platform/board.h"
#include "pcilab/base/le.h"
#include "pcilab/config/topology.h"
#include "pcilab/pci/error.h"
#include "pcilab/platform/enumerate.h"
#include "pcilab/platform/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_ACTIONS 256
#define MAX_RESETS  4

static const char board[] =
    "[machine]\nmemory=64M\nfirmware-panics=yes\n[host-bridge hb0]\nfirmware-first=yes\n"
    "event-collector=auto\n[root-port rp0]\ndpc=yes\n[exerciser ex0]\nat=rp0\nfunctions=2\n"
    "[root-port rp1]\n[switch sw0]\nat=rp1\ndownstream=2\ndpc=yes\n[exerciser ex1]\nat=sw0.0\n"
    "[exerciser ex2]\nat=hb0\n";

static const char *const names[] = {"rp0",   "ex0", "ex0.1", "rp1", "sw0",
                                    "sw0.0", "ex1", "ex2",   "hb0"};

struct world {
    struct machine *machine;
    const uint8_t *at;
    size_t left;
    unsigned resets;
};

/* Bytes past the end of the input are zeroes. */
static uint64_t take(struct world *w, unsigned bytes)
{
    uint8_t value[8] = {0};
    unsigned n = bytes < w->left ? bytes : (unsigned)w->left;

    memcpy(value, w->at, n);
    w->at += n;
    w->left -= n;
    return le64_load(value);
}

static void run_us(struct world *w, uint64_t us)
{
    sim_run_until(&w->machine->sim, w->machine->sim.now_ps + us * PS_PER_US);
}

static void boot(struct world *w)
{
    bool ok = machine_enumerate(w->machine, NULL);

    g_assert(ok);
    apei_boot(w->machine);
}

static struct pci_func *pick(struct world *w)
{
    return machine_func(w->machine, names[take(w, 1) % G_N_ELEMENTS(names)]);
}

static void act_register(struct world *w)
{
    unsigned offset = (unsigned)take(w, 1) % APEI_SPACE, size = 1u << take(w, 1) % 4;

    reg_write(w->machine->apei->regs, offset / size * size, size, take(w, 8));
    reg_read(w->machine->apei->regs, offset / size * size, size);
}

/* As the driver does it, all numbers from outside. */
static void act_inject(struct world *w)
{
    struct reg_space *regs = w->machine->apei->regs;
    struct pci_func *func = pick(w);
    uint32_t sbdf = func ? (uint32_t)func->rid.v << 8 : (uint32_t)take(w, 4);

    reg_write(regs, APEI_EINJ_OPERATION, 4, EINJ_BEGIN);
    reg_write(regs, APEI_EINJ_PARAMS, 4, 1u << take(w, 1) % 12);
    reg_write(regs, APEI_EINJ_PARAMS + 8, 4, take(w, 1));
    reg_write(regs, APEI_EINJ_PARAMS + 0x10, 8, take(w, 8));
    reg_write(regs, APEI_EINJ_PARAMS + 0x18, 8, ~take(w, 2));
    reg_write(regs, APEI_EINJ_PARAMS + 0x20, 4, sbdf);
    reg_write(regs, APEI_EINJ_OPERATION, 4, EINJ_EXECUTE);
    reg_write(regs, APEI_EINJ_OPERATION, 4, EINJ_TRIGGER);
}

static void act_error(struct world *w)
{
    static const enum pci_error kinds[] = {
        PCI_ERROR_RECEIVER,  PCI_ERROR_ADVISORY,    PCI_ERROR_TIMEOUT,
        PCI_ERROR_MALFORMED, PCI_ERROR_DL_PROTOCOL, PCI_ERROR_UNSUPPORTED,
    };
    struct pci_func *func = pick(w);
    enum pci_error kind = kinds[take(w, 1) % G_N_ELEMENTS(kinds)];

    if (func)
        pci_error_report(func, kind, NULL);
}

static void act_config(struct world *w)
{
    struct pci_func *func = pick(w);
    unsigned offset = (unsigned)take(w, 2) & 0xffc;
    uint32_t value = (uint32_t)take(w, 4);

    if (func)
        pci_func_config_write(func, offset, 4, value);
}

static void act_dpc(struct world *w)
{
    struct pci_func *func = pick(w);
    uint64_t how = take(w, 1);

    if (func && func->ext_dpc)
        pci_func_config_write(func, func->ext_dpc + (how & 1 ? 8 : 6), 2,
                              how & 1 ? 0xffff : 0x50 | (how >> 1 & 3));
}

static void act_memory(struct world *w)
{
    uint64_t offset = take(w, 2) % (APEI_RAM_BYTES - 8);

    le64_store(ram_ptr(&w->machine->ram, w->machine->apei->ram + offset, 8), take(w, 8));
}

static void act_reset(struct world *w)
{
    if (w->resets++ >= MAX_RESETS)
        return;
    machine_restart(w->machine);
    boot(w);
}

static void act_time(struct world *w)
{
    run_us(w, take(w, 2));
}

static void (*const actions[])(struct world *) = {
    act_register, act_inject, act_error, act_config, act_dpc, act_memory, act_reset, act_time,
};

static void drain(struct world *w)
{
    struct apei *apei = w->machine->apei;

    for (unsigned i = 0; i < APEI_QUEUE_MAX; i++) {
        for (unsigned id = 0; id < APEI_SOURCES; id++)
            reg_write(apei->regs, APEI_ACK + 4 * id, 4, 1);
    }
    for (unsigned id = 0; id < APEI_SOURCES; id++)
        g_assert(!apei->source[id].count && !apei->source[id].busy);
}

static void still_works(struct world *w)
{
    struct apei *apei = w->machine->apei;

    machine_restart(w->machine);
    boot(w);
    pci_error_report(machine_func(w->machine, "ex0"), PCI_ERROR_TIMEOUT, NULL);
    run_us(w, 100);
    g_assert(apei->source[APEI_UNCORRECTED].busy);
    g_assert(w->machine->ioapic.lines >> MAP_APEI_GSI & 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct machine_desc *desc = topology_parse("t.ini", board, strlen(board), NULL);
    struct world w = {.at = data, .left = size};

    g_assert(desc);
    w.machine = machine_new(desc, &(struct machine_options){.seed = 1}, NULL);
    machine_desc_free(desc);
    boot(&w);
    for (unsigned i = 0; i < MAX_ACTIONS && w.left; i++)
        actions[take(&w, 1) % G_N_ELEMENTS(actions)](&w);
    run_us(&w, 1000);
    drain(&w);
    still_works(&w);
    machine_free(w.machine);
    return 0;
}
