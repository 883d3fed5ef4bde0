/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What arrives at a shell: configuration requests, which its bridges route as they are programmed
 * (PCI-to-PCI Bridge 1.2, 3.1.2), and memory and I/O requests for its BARs.
 *
 * CHOICE: a shell's bridges have no ports and links of the fabric; its link registers tell what the
 * dump tells. So a tree of conventional buses, or one that no PCI Express topology could be, works
 * as well.
 * UNIMPL: interrupts, bus mastering and virtual functions of shells; D3cold and PME.
 */
#include <assert.h>
#include <glib.h>
#include <string.h>

#include "pcilab/base/bits.h"
#include "pcilab/fabric/completer.h"
#include "shell.h"

#define DEPTH_MAX 256 /* a bus number each */

struct shell {
    struct fabric *fabric;
    char *name;
    struct port port;
    struct shell_func **funcs; /* all, owned */
    unsigned count;
    struct shell_func **root; /* those of the device on the root bus */
    unsigned root_count;
    struct shell_memory *memory; /* NULL: all ones */
};

static void shell_send(void *owner, struct tlp *cpl)
{
    struct shell *shell = owner;

    port_send(&shell->port, cpl);
}

static struct completer shell_completer(struct shell *shell, struct shell_func *func)
{
    return (struct completer){
        .name = func->pci.name,
        .trace = shell->fabric->trace,
        .send = shell_send,
        .owner = shell,
        .id = func->pci.rid,
        .max_payload_bytes = 128,
        .boundary_bytes = 128,
    };
}

static void shell_refuse(struct shell *shell, struct tlp *tlp, const char *why)
{
    struct completer completer = shell_completer(shell, shell->root[0]);

    completer_refuse(&completer, tlp, TLP_UR, why);
}

static struct shell_func *func_at(struct shell_func *const *funcs, unsigned count, unsigned devfn)
{
    for (unsigned i = 0; i < count; i++) {
        if (funcs[i]->devfn == devfn)
            return funcs[i];
    }
    return NULL;
}

/* The bridge among them that leads to the bus. */
static struct shell_func *bridge_to(struct shell_func *const *funcs, unsigned count, unsigned bus)
{
    unsigned first, last;

    for (unsigned i = 0; i < count; i++) {
        if (shell_buses(funcs[i], &first, &last) && bus >= first && bus <= last)
            return funcs[i];
    }
    return NULL;
}

static struct shell_func *find_func(const struct shell *shell, struct pci_rid id)
{
    struct shell_func *const *funcs = shell->root;
    unsigned count = shell->root_count, bus = pci_rid_bus(id), first, last;

    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
        struct shell_func *bridge = bridge_to(funcs, count, bus);

        if (!bridge || !shell_passes(bridge))
            return NULL;
        funcs = bridge->below;
        count = bridge->below_count;
        if (shell_buses(bridge, &first, &last) && bus == first)
            return func_at(funcs, count, pci_rid_devfn(id));
    }
    return NULL;
}

static void shell_config(struct shell *shell, struct tlp *tlp)
{
    bool type0 = tlp->type == TLP_CFGRD0 || tlp->type == TLP_CFGWR0;
    struct shell_func *func =
        type0 ? func_at(shell->root, shell->root_count, pci_rid_devfn(tlp->dest))
              : find_func(shell, tlp->dest);
    struct completer completer = shell_completer(shell, func ? func : shell->root[0]);

    tlp->type = tlp->type == TLP_CFGRD0 || tlp->type == TLP_CFGRD1 ? TLP_CFGRD0 : TLP_CFGWR0;
    completer_config(&completer, tlp, func ? &func->pci : NULL);
}

/* The function whose BAR decodes an address, on its way through the bridges' windows. */
static struct shell_func *find_target(const struct shell *shell, bool io, uint64_t addr,
                                      struct shell_place *place)
{
    struct shell_func *const *funcs = shell->root;
    unsigned count = shell->root_count;

    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
        struct shell_func *next = NULL;

        for (unsigned i = 0; i < count; i++) {
            int bar = shell_find_bar(funcs[i], io, addr, &place->offset);

            if (bar >= 0) {
                place->func = funcs[i]->index;
                place->bar = (unsigned)bar;
                return funcs[i];
            }
            if (!next && shell_forwards(funcs[i], io, addr))
                next = funcs[i];
        }
        if (!next)
            return NULL;
        funcs = next->below;
        count = next->below_count;
    }
    return NULL;
}

/* An access under way: what completer_access() calls back for. */
struct shell_touch {
    struct shell_memory *memory; /* NULL: all ones */
    struct shell_place place;    /* of `addr` */
    uint64_t addr;
};

static enum tlp_status touch_read(void *context, uint64_t addr, void *data, unsigned len)
{
    const struct shell_touch *touch = context;
    struct shell_place place = touch->place;

    place.offset += addr - touch->addr;
    if (touch->memory)
        shell_memory_read(touch->memory, &place, data, len);
    else
        memset(data, 0xff, len);
    return TLP_SC;
}

static enum tlp_status touch_write(void *context, uint64_t addr, const void *data, unsigned len)
{
    const struct shell_touch *touch = context;
    struct shell_place place = touch->place;

    place.offset += addr - touch->addr;
    if (touch->memory)
        shell_memory_write(touch->memory, &place, data, len);
    return TLP_SC;
}

static void shell_access(struct shell *shell, struct tlp *tlp)
{
    bool io = tlp->type == TLP_IORD || tlp->type == TLP_IOWR;
    struct shell_touch touch = {.addr = tlp->addr};
    struct shell_func *func = find_target(shell, io, tlp->addr, &touch.place);
    struct completer completer;

    if (!func || tlp->type == TLP_MRDLK) {
        shell_refuse(shell, tlp, "no BAR decodes the address (2.3.1)");
        return;
    }
    completer = shell_completer(shell, func);
    touch.memory = touch.place.bar == SHELL_BARS ? NULL : shell->memory;
    completer.read = touch_read;
    completer.write = touch_write;
    completer.context = &touch;
    completer_access(&completer, tlp);
}

static void shell_receive(struct port *port, struct tlp *tlp)
{
    struct shell *shell = port->owner;

    switch (tlp->type) {
    case TLP_CFGRD0:
    case TLP_CFGWR0:
    case TLP_CFGRD1:
    case TLP_CFGWR1: shell_config(shell, tlp); break;
    case TLP_CPL:
    case TLP_CPLD:
    case TLP_CPLLK:
    case TLP_CPLDLK: shell_refuse(shell, tlp, "unexpected completion (2.3.2)"); break;
    case TLP_MSG:
    case TLP_MSGD: tlp_free(tlp); break;
    default: shell_access(shell, tlp); break;
    }
}

static void shell_link_changed(struct port *port, bool up)
{
    (void)port;
    (void)up;
}

static bool shell_claims(struct port *port, bool io, uint64_t addr)
{
    const struct shell *shell = port->owner;

    uint64_t offset;

    for (unsigned i = 0; i < shell->root_count; i++) {
        if (shell_find_bar(shell->root[i], io, addr, &offset) >= 0 ||
            shell_forwards(shell->root[i], io, addr))
            return true;
    }
    return false;
}

static bool shell_claims_bus(struct port *port, unsigned bus)
{
    const struct shell *shell = port->owner;

    return bridge_to(shell->root, shell->root_count, bus) != NULL;
}

static const struct port_ops shell_port_ops = {
    .receive = shell_receive,
    .link_changed = shell_link_changed,
    .claims = shell_claims,
    .claims_bus = shell_claims_bus,
};

static const struct pci_func_ops shell_pci_ops = {0};

static struct shell_func *shell_add(struct shell *shell, const struct shell_func_params *params)
{
    struct shell_func *func = g_new0(struct shell_func, 1);

    func->bus = params->bus;
    func->devfn = params->devfn;
    func->index = shell->count;
    memcpy(func->bar_bytes, params->bar_bytes, sizeof(func->bar_bytes));
    func->pci.name = g_strdup_printf("%s/%02x:%02x.%x", shell->name, params->bus,
                                     params->devfn >> 3, params->devfn & 7u);
    func->pci.ops = &shell_pci_ops;
    func->pci.rid.v = (uint16_t)(params->bus << 8 | params->devfn);
    shell_regs_create(func, params);
    shell->funcs = g_renew(struct shell_func *, shell->funcs, shell->count + 1);
    shell->funcs[shell->count++] = func;
    return func;
}

static void append(struct shell_func ***list, unsigned *count, struct shell_func *func)
{
    *list = g_renew(struct shell_func *, *list, *count + 1);
    (*list)[(*count)++] = func;
}

/* Everything on the secondary buses of the functions from `first` on; what is found is looked at in
 * turn. A bus is taken once, so this ends. */
static void shell_add_below(struct shell *shell, const struct shell_params *params)
{
    bool taken[256] = {false};

    taken[params->bus] = true;
    for (unsigned at = 0; at < shell->count; at++) {
        unsigned secondary, last;

        if (!shell_buses(shell->funcs[at], &secondary, &last) || taken[secondary])
            continue;
        taken[secondary] = true;
        for (unsigned i = 0; i < params->count; i++) {
            if (params->funcs[i].bus == secondary) {
                struct shell_func *func = shell_add(shell, &params->funcs[i]);
                struct shell_func *bridge = shell->funcs[at];

                append(&bridge->below, &bridge->below_count, func);
            }
        }
    }
}

struct shell *shell_new(struct fabric *fabric, const struct shell_params *params)
{
    struct shell *shell = g_new0(struct shell, 1);

    shell->fabric = fabric;
    shell->name = g_strdup(params->name);
    shell->memory = params->memory ? shell_memory_new() : NULL;
    port_init(&shell->port, fabric, shell->name, &shell_port_ops, shell);
    for (unsigned i = 0; i < params->count; i++) {
        const struct shell_func_params *func = &params->funcs[i];

        if (func->bus == params->bus && func->devfn >> 3 == params->device)
            append(&shell->root, &shell->root_count, shell_add(shell, func));
    }
    assert(shell->root_count && "a shell has a function");
    shell->port.func = &shell->root[0]->pci;
    shell_add_below(shell, params);
    return shell;
}

void shell_free(struct shell *shell)
{
    if (!shell)
        return;
    link_free(shell->port.link);
    port_fini(&shell->port);
    for (unsigned i = 0; i < shell->count; i++) {
        reg_space_free(shell->funcs[i]->pci.cfg);
        g_free(shell->funcs[i]->pci.name);
        g_free(shell->funcs[i]->below);
        g_free(shell->funcs[i]);
    }
    shell_memory_free(shell->memory);
    g_free(shell->funcs);
    g_free(shell->root);
    g_free(shell->name);
    g_free(shell);
}

void shell_reset(struct shell *shell)
{
    for (unsigned i = 0; i < shell->count; i++) {
        reg_space_reset(shell->funcs[i]->pci.cfg, REG_RESET_COLD);
        shell_note_power(shell->funcs[i]);
    }
    if (shell->memory)
        shell_memory_clear(shell->memory);
    port_cold_reset(&shell->port);
}

struct port *shell_port(struct shell *shell)
{
    return &shell->port;
}
