/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The laboratory. */
#include "lab.h"

#include <string.h>

#include "machine.h"
#include "pcilab/conform/mutate.h"
#include "pcilab/platform/probe.h"

static void saw(void *opaque, const struct port *sender, const struct tlp *tlp)
{
    struct lab *lab = opaque;
    struct lab_seen seen = {.sender = sender, .time_ps = machine_sim(lab->machine)->now_ps};

    seen.tlp = *tlp;
    seen.tlp.data = seen.tlp.big = NULL;
    g_array_append_val(lab->seen, seen);
}

/* The root port above a component. */
static int root_of(const struct machine_desc *desc, int i)
{
    while (i >= 0 && desc->components[i].kind != MACHINE_ROOT_PORT)
        i = desc->components[i].parent;
    return i;
}

static char *port_name(const struct machine_desc *desc, const struct machine_component *c)
{
    const struct machine_component *parent = &desc->components[c->parent];

    return parent->kind == MACHINE_SWITCH ? g_strdup_printf("%s.%u", parent->name, c->parent_port)
                                          : g_strdup(parent->name);
}

static bool behind_switch(const struct machine_desc *desc, const struct machine_component *c)
{
    return c->parent >= 0 && desc->components[c->parent].kind == MACHINE_SWITCH;
}

static void choose(struct lab *lab, const struct machine_desc *desc, unsigned i)
{
    const struct machine_component *c = &desc->components[i];
    const struct machine_component *root = &desc->components[MAX(root_of(desc, (int)i), 0)];
    int own = machine_desc_find(desc, lab->ex ? lab->ex : "");

    if (!lab->ex || (behind_switch(desc, c) && !behind_switch(desc, &desc->components[own]))) {
        g_free(lab->ex);
        g_free(lab->above);
        g_free(lab->root);
        lab->ex = g_strdup(c->name);
        lab->above = port_name(desc, c);
        lab->root = g_strdup(root->name);
    } else if (!lab->peer && behind_switch(desc, c) && c->parent == desc->components[own].parent) {
        lab->peer = g_strdup(c->name);
    }
    if (!lab->vf && c->exerciser.vfs)
        lab->vf = g_strdup(c->name);
}

static void find_parts(struct lab *lab, const struct machine_desc *desc)
{
    for (unsigned i = 0; i < desc->count; i++) {
        const struct machine_component *c = &desc->components[i];

        if (c->kind == MACHINE_EXERCISER && !c->integrated && !c->unplugged)
            choose(lab, desc, i);
    }
}

static struct lab *lab_empty(struct conform_ctx *t)
{
    struct lab *lab = g_new0(struct lab, 1);

    lab->t = t;
    lab->seen = g_array_new(FALSE, FALSE, sizeof(struct lab_seen));
    return lab;
}

static struct lab *lab_of(struct conform_ctx *t, struct lab *lab, const struct machine_desc *desc)
{
    struct inject_rule observe = {.name = "lab", .action = INJECT_OBSERVE, .seen = saw};
    GError *error = NULL;

    find_parts(lab, desc);
    if (!lab->ex) {
        t_skip(t, "the topology has no exerciser with a link");
        return lab;
    }
    lab->machine = conform_machine_new(desc, &error);
    if (!lab->machine) {
        t_fail(t, "%s", error->message);
        g_error_free(error);
        return lab;
    }
    if (t->backend->mutant)
        conform_mutate(lab->machine, t->backend->mutant, &lab->inject);
    if (!lab->inject)
        lab->inject = inject_new(machine_fabric(lab->machine));
    observe.opaque = lab;
    inject_add(lab->inject, &observe);
    return lab;
}

struct lab *lab_new(struct conform_ctx *t)
{
    return lab_new_of(t, t->backend->lab);
}

struct lab *lab_new_of(struct conform_ctx *t, const struct machine_desc *desc)
{
    return lab_of(t, lab_empty(t), desc);
}

struct lab *lab_new_timed(struct conform_ctx *t, void (*change)(struct machine_desc *desc))
{
    const struct conform_mutant *mutant = t->backend->mutant;
    struct lab *lab = lab_empty(t);
    struct machine_desc *desc;

    if (mutant && !mutant->flaw) {
        t_skip(t, "of mutants flaws alone are about links");
        return lab;
    }
    /* Shallow: strings stay those of the backend. */
    lab->desc = desc = g_memdup2(t->backend->lab, sizeof(*desc));
    desc->timing = MACHINE_TIMING_LINK;
    desc->components = g_memdup2(desc->components, desc->count * sizeof(*desc->components));
    for (unsigned i = 0; i < desc->count; i++)
        desc->components[i].link.timing = MACHINE_TIMING_DEFAULT;
    if (change)
        change(desc);
    return lab_of(t, lab, desc);
}

void lab_free(struct lab *lab)
{
    if (lab->inject)
        inject_free(lab->inject);
    if (lab->machine)
        machine_free(lab->machine);
    g_array_unref(lab->seen);
    g_free(lab->ex);
    g_free(lab->above);
    g_free(lab->root);
    g_free(lab->peer);
    g_free(lab->vf);
    if (lab->desc)
        g_free(lab->desc->components);
    g_free(lab->desc);
    g_free(lab);
}

struct pci_func *lab_func(struct lab *lab, const char *name)
{
    return machine_func(lab->machine, name);
}

uint32_t lab_cfg(struct lab *lab, const char *name, unsigned offset, unsigned len)
{
    uint32_t value = 0;

    /* One segment: laboratories are small. */
    conform_machine_config(lab->machine, false, 0, lab_func(lab, name)->rid.v, offset, len, &value);
    return value;
}

void lab_set_cfg(struct lab *lab, const char *name, unsigned offset, unsigned len, uint32_t value)
{
    conform_machine_config(lab->machine, true, 0, lab_func(lab, name)->rid.v, offset, len, &value);
}

void lab_change_cfg(struct lab *lab, const char *name, unsigned offset, unsigned len, uint32_t set,
                    uint32_t clear)
{
    lab_set_cfg(lab, name, offset, len, (lab_cfg(lab, name, offset, len) & ~clear) | set);
}

unsigned lab_aer(struct lab *lab, const char *name, unsigned reg)
{
    return lab_func(lab, name)->ext_aer + reg;
}

unsigned lab_pcie(struct lab *lab, const char *name, unsigned reg)
{
    return lab_func(lab, name)->cap_pcie + reg;
}

static void report_one(struct lab *lab, const char *name)
{
    lab_change_cfg(lab, name, 0x04, 2, 0x0100, 0);
    lab_change_cfg(lab, name, lab_pcie(lab, name, 0x08), 2, 0x000f, 0);
    if (lab_func(lab, name)->header == PCI_HEADER_TYPE1)
        lab_change_cfg(lab, name, 0x3e, 2, 0x0002, 0);
    lab_set_cfg(lab, name, lab_aer(lab, name, 0x08), 4, 0);
    lab_set_cfg(lab, name, lab_aer(lab, name, 0x14), 4, 0);
    lab_set_cfg(lab, name, lab_aer(lab, name, 0x04), 4, 0xffffffff);
    lab_set_cfg(lab, name, lab_aer(lab, name, 0x10), 4, 0xffffffff);
    lab_set_cfg(lab, name, lab_pcie(lab, name, 0x0a), 2, 0x000f);
}

char *lab_upstream(const struct lab *lab)
{
    const char *dot = strrchr(lab->above, '.');

    return dot ? g_strndup(lab->above, (gsize)(dot - lab->above)) : NULL;
}

void lab_report_errors(struct lab *lab)
{
    char *upstream = lab_upstream(lab);

    report_one(lab, lab->root);
    if (upstream) {
        report_one(lab, upstream);
        report_one(lab, lab->above);
    }
    g_free(upstream);
    report_one(lab, lab->ex);
    lab_set_cfg(lab, lab->root, lab_aer(lab, lab->root, 0x30), 4, 0x7f);
    lab_forget(lab);
}

uint64_t lab_bar(struct lab *lab, const char *name, unsigned bar)
{
    return lab_func(lab, name)->bar[bar].addr;
}

enum tlp_status lab_read(struct lab *lab, uint64_t addr, unsigned len, uint64_t *value)
{
    *value = 0;
    return conform_machine_access(lab->machine, ROOT_MEM_READ, addr, len, value);
}

enum tlp_status lab_write(struct lab *lab, uint64_t addr, unsigned len, uint64_t value)
{
    enum tlp_status status =
        conform_machine_access(lab->machine, ROOT_MEM_WRITE, addr, len, &value);

    lab_run_us(lab, 1);
    return status;
}

void lab_run_us(struct lab *lab, unsigned us)
{
    conform_machine_run(lab->machine, us * PS_PER_US);
}

void lab_ex_set(struct lab *lab, const char *name, unsigned reg, unsigned len, uint64_t value)
{
    lab_write(lab, lab_bar(lab, name, 0) + reg, len, value);
}

uint64_t lab_ex_get(struct lab *lab, const char *name, unsigned reg, unsigned len)
{
    uint64_t value;

    lab_read(lab, lab_bar(lab, name, 0) + reg, len, &value);
    return value;
}

static void describe_dma(struct lab *lab, const char *name, const struct lab_dma *dma)
{
    unsigned base = EXERCISER_CHANNEL(dma->channel);

    lab_ex_set(lab, name, base + EXERCISER_CH_ADDR, 8, dma->addr);
    lab_ex_set(lab, name, base + EXERCISER_CH_LOCAL, 8, 0);
    lab_ex_set(lab, name, base + EXERCISER_CH_LEN, 4, dma->len);
    lab_ex_set(lab, name, base + EXERCISER_CH_ATTR, 4, dma->attr);
    lab_ex_set(lab, name, base + EXERCISER_CH_PASID, 4, dma->pasid);
    lab_ex_set(lab, name, base + EXERCISER_CH_PATTERN, 4, dma->pattern);
    lab_ex_set(lab, name, base + EXERCISER_CH_STEP, 4, dma->step);
    lab_ex_set(lab, name, base + EXERCISER_CH_OPERAND, 8, dma->operand);
    lab_ex_set(lab, name, base + EXERCISER_CH_COMPARE, 8, dma->compare);
}

static void command_dma(struct lab *lab, const char *name, const struct lab_dma *dma)
{
    lab_ex_set(lab, name, EXERCISER_CHANNEL(dma->channel) + EXERCISER_CH_COMMAND, 4, dma->command);
}

void lab_dma_start(struct lab *lab, const char *name, const struct lab_dma *dma)
{
    describe_dma(lab, name, dma);
    command_dma(lab, name, dma);
}

unsigned lab_dma_end(struct lab *lab, const char *name, const struct lab_dma *dma)
{
    unsigned status_reg = EXERCISER_CHANNEL(dma->channel) + EXERCISER_CH_STATUS;

    for (unsigned i = 0; i < 100; i++) {
        uint64_t status = lab_ex_get(lab, name, status_reg, 4);

        if (!(status & EXERCISER_STATUS_BUSY))
            return status & EXERCISER_STATUS_DONE
                       ? (unsigned)FIELD_GET(EXERCISER_STATUS_RESULT, status)
                       : 256;
        lab_run_us(lab, 1000);
    }
    return 256;
}

unsigned lab_dma(struct lab *lab, const char *name, const struct lab_dma *dma)
{
    describe_dma(lab, name, dma);
    lab_forget(lab);
    command_dma(lab, name, dma);
    return lab_dma_end(lab, name, dma);
}

struct tlp *lab_tlp(struct lab *lab, enum tlp_type type, unsigned payload_dw)
{
    struct tlp *tlp = tlp_new(machine_fabric(lab->machine)->pool, type, payload_dw);

    tlp->requester = lab_func(lab, lab->ex)->rid;
    return tlp;
}

void lab_send_up(struct lab *lab, struct tlp *tlp)
{
    inject_emit(machine_port(lab->machine, lab->ex), tlp);
    lab_run_us(lab, 10);
}

void lab_send_down(struct lab *lab, struct tlp *tlp)
{
    inject_emit(machine_port_above(lab->machine, lab->ex), tlp);
    lab_run_us(lab, 10);
}

void lab_forget(struct lab *lab)
{
    g_array_set_size(lab->seen, 0);
}

static bool counts(struct lab *lab, const struct lab_seen *seen, const char *from, uint32_t types)
{
    return (!from || seen->sender == machine_port(lab->machine, from)) &&
           types >> seen->tlp.type & 1;
}

unsigned lab_count(struct lab *lab, const char *from, uint32_t types)
{
    unsigned found = 0;

    for (unsigned i = 0; i < lab->seen->len; i++)
        found += counts(lab, &g_array_index(lab->seen, struct lab_seen, i), from, types);
    return found;
}

unsigned lab_count_messages(struct lab *lab, const char *from, unsigned code)
{
    unsigned found = 0;

    for (unsigned i = 0; i < lab->seen->len; i++) {
        const struct lab_seen *seen = &g_array_index(lab->seen, struct lab_seen, i);

        found +=
            counts(lab, seen, from, BIT(TLP_MSG) | BIT(TLP_MSGD)) && seen->tlp.msg_code == code;
    }
    return found;
}

const struct lab_seen *lab_last(struct lab *lab, const char *from, uint32_t types)
{
    for (unsigned i = lab->seen->len; i-- > 0;) {
        const struct lab_seen *seen = &g_array_index(lab->seen, struct lab_seen, i);

        if (counts(lab, seen, from, types))
            return seen;
    }
    return NULL;
}

struct link_credits lab_take_credits(struct port *receiver, enum link_flow flow)
{
    struct link_credits out = {0, 0};

    for (unsigned n = LINK_HEADER_CREDITS_MAX + 1; n && !out.header; n--) {
        if (inject_leak_credits(receiver, flow, (struct link_credits){(uint16_t)n, 0}))
            out.header = (uint16_t)n;
    }
    for (unsigned n = LINK_DATA_CREDITS_MAX + 1; n && !out.data; n--) {
        if (inject_leak_credits(receiver, flow, (struct link_credits){0, (uint16_t)n}))
            out.data = (uint16_t)n;
    }
    return out;
}

uint32_t lab_ram(struct lab *lab)
{
    uint32_t value = 0;

    machine_board_read(lab->machine, LAB_RAM, &value, 4);
    return value;
}

void lab_clear_ram(struct lab *lab)
{
    machine_board_write(lab->machine, LAB_RAM, &(const uint32_t){0}, 4);
}

bool lab_arm_msi(struct lab *lab, const char *name, uint32_t data)
{
    unsigned cap = lab_func(lab, name)->cap_msi, data_at;

    if (!cap)
        return false;
    data_at = lab_cfg(lab, name, cap + 2, 2) & 0x80 ? 12 : 8;
    lab_set_cfg(lab, name, cap + 4, 4, LAB_RAM);
    if (data_at == 12)
        lab_set_cfg(lab, name, cap + 8, 4, 0);
    lab_set_cfg(lab, name, cap + data_at, 2, data);
    lab_change_cfg(lab, name, cap + 2, 2, 1, 0x70);
    lab_change_cfg(lab, name, 4, 2, 4, 0);
    lab_clear_ram(lab);
    return true;
}
