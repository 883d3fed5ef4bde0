/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flow control (PCIe Base 6.0, 2.6.1), in non-Flit Mode without scaling. */
#include "bench.h"
#include "lab.h"
#include "pcilab/pci/link_caps.h"
#include "pcilab/platform/probe.h"
#include "pcilab/reg/reg.h"
#include "tables.h"

#define LONG_US 200u

/* So many TLPs of a kind are sent to a receiver with these buffers that lets nothing go; `expect`
 * of them arrive. */
struct gate {
    enum link_flow flow;
    enum tlp_type type;
    unsigned dw;
    uint16_t header, data; /* credits; 0: infinite */
    unsigned expect;
};
#define GATE_SENT 40u

static struct bench *gated(struct conform_ctx *t, const struct gate *gate)
{
    struct link_params params = link_default_params;
    struct bench *b;

    params.rx[0][gate->flow] = (struct link_credits){gate->header, gate->data};
    b = bench_new(t, &params);
    if (!b)
        return NULL;
    b->upper.keep[gate->flow] = true;
    for (unsigned i = 0; i < GATE_SENT; i++)
        bench_send(&b->lower, bench_tlp(b, gate->type, gate->dw, i));
    bench_run_us(b, LONG_US);
    return b;
}

static void held_back(struct conform_ctx *t)
{
    const struct gate *gate = t->assertion->param;
    struct bench *b = gated(t, gate);

    if (!b)
        return;
    t_check(t, b->upper.seen->len == gate->expect, "%u TLPs arrived, not %u", b->upper.seen->len,
            gate->expect);
    bench_let_go(&b->upper);
    bench_run_us(b, LONG_US);
    bench_check_exact(&b->upper, GATE_SENT);
    bench_free(b);
}

/* One is let go: one more comes, and the DLLP that allows it is scheduled at once. */
static void given_back(struct conform_ctx *t)
{
    const struct gate *gate = t->assertion->param;
    struct bench *b = gated(t, gate);
    const struct bench_dllp *update;

    if (!b)
        return;
    t_check(t, b->upper.seen->len == gate->expect, "%u TLPs arrived, not %u", b->upper.seen->len,
            gate->expect);
    bench_forget(b);
    bench_let_one_go(&b->upper);
    bench_run_us(b, 1);
    update = bench_first(b, &b->upper, TRACE_DLLP_FC);
    t_check(t, update && update->arg[0] == gate->flow, "no UpdateFC of this kind within 1 us");
    if (update && gate->header)
        t_check(t, update->arg[1] == gate->header + 1u, "UpdateFC says %u headers, not %u",
                (unsigned)update->arg[1], gate->header + 1u);
    bench_run_us(b, 10);
    t_check(t, b->upper.seen->len == gate->expect + 1, "%u TLPs arrived in all, not %u",
            b->upper.seen->len, gate->expect + 1);
    bench_free(b);
}

/* 2.6.1.1: modulo 2^8 and 2^12. */
BENCH_PROCEDURE(counters_wrap)
{
    const struct bench_dllp *update;
    unsigned sent = 800, units = 8; /* beyond 2^8 and 2^12, not beyond 2^9 and 2^13 */

    bench_write(&b->lower, sent, 32, 0);
    bench_run_us(b, 2000);
    bench_check_exact(&b->upper, sent);
    update = bench_last(b, &b->upper, TRACE_DLLP_FC);
    t_check(t, update != NULL, "there was no UpdateFC");
    if (!update)
        return;
    t_check(t, update->arg[1] == (64 + sent) % 256, "the header credits are %u, not %u",
            (unsigned)update->arg[1], (64 + sent) % 256);
    t_check(t, update->arg[2] == (1024 + sent * units) % 4096, "the data credits are %u, not %u",
            (unsigned)update->arg[2], (1024 + sent * units) % 4096);
}

BENCH_PROCEDURE(infinite_quiet)
{
    for (unsigned i = 0; i < 300; i++)
        bench_send(&b->lower, bench_tlp(b, TLP_CPLD, 32, i));
    bench_run_us(b, 1000);
    bench_check_exact(&b->upper, 300);
    for (unsigned i = 0; i < b->dllps->len; i++) {
        const struct bench_dllp *dllp = &g_array_index(b->dllps, struct bench_dllp, i);

        t_check(t,
                dllp->point != TRACE_DLLP_FC || dllp->arg[0] != LINK_COMPLETION ||
                    (!dllp->arg[1] && !dllp->arg[2]),
                "an UpdateFC says %u headers", (unsigned)dllp->arg[1]);
    }
}

static struct bench *narrow(struct conform_ctx *t)
{
    struct link_params params = link_default_params;

    params.rx[0][LINK_POSTED] = (struct link_credits){2, 32};
    return bench_new(t, &params);
}

/* The only UpdateFC that there is gets lost; 30 us, up to half as much more. */
static void update_again(struct conform_ctx *t)
{
    struct bench *b = narrow(t);

    if (!b)
        return;
    b->upper.keep[LINK_POSTED] = true;
    bench_write(&b->lower, 3, 1, 0);
    bench_run_us(b, LONG_US);
    bench_fault(&b->upper, LINK_FAULT_CORRUPT_DLLP, 0, 1);
    bench_let_go(&b->upper);
    bench_run_us(b, 5);
    t_check(t, b->upper.seen->len == 2, "it was not lost: %u TLPs arrived", b->upper.seen->len);
    bench_run_us(b, 46);
    t_check(t, b->upper.seen->len == 3, "credits did not come back within 45 us");
    bench_free(b);
}

/* A replay is no new transmission: it takes no credits. */
static void replay_free(struct conform_ctx *t)
{
    struct bench *b = narrow(t);

    if (!b)
        return;
    b->upper.keep[LINK_POSTED] = true;
    bench_fault(&b->lower, LINK_FAULT_CORRUPT_TLP, 0, 2);
    bench_write(&b->lower, 5, 1, 0);
    bench_run_us(b, LONG_US);
    t_check(t, b->upper.seen->len == 2, "%u TLPs arrived, not 2", b->upper.seen->len);
    bench_let_go(&b->upper);
    bench_run_us(b, LONG_US);
    bench_check_exact(&b->upper, 5);
    t_check(t, port_credits_whole(&b->upper.port), "credits are missing in the end");
    bench_free(b);
}

static void duplicate_free(struct conform_ctx *t)
{
    struct bench *b = narrow(t);

    if (!b)
        return;
    bench_fault(&b->lower, LINK_FAULT_DUPLICATE_TLP, 0, 4);
    bench_write(&b->lower, 30, 1, 0);
    bench_run_us(b, LONG_US);
    bench_check_exact(&b->upper, 30);
    t_check(t, port_credits_whole(&b->upper.port), "duplicates were counted");
    bench_free(b);
}

static void anew(struct conform_ctx *t)
{
    struct bench *b = narrow(t);

    if (!b)
        return;
    b->upper.keep[LINK_POSTED] = true;
    bench_write(&b->lower, 2, 1, 0);
    bench_run_us(b, LONG_US);
    port_hot_reset(&b->upper.port, true);
    bench_run_us(b, 2000);
    port_hot_reset(&b->upper.port, false);
    bench_run_us(b, 100000);
    bench_write(&b->lower, 3, 1, 2);
    bench_run_us(b, LONG_US);
    t_check(t, b->upper.seen->len == 4, "%u TLPs arrived, not 2 before and 2 after the reset",
            b->upper.seen->len);
    bench_free(b);
}

/* Credits of one kind are no use for another. */
static void kinds_apart(struct conform_ctx *t)
{
    struct link_params params = link_default_params;
    struct bench *b;

    params.rx[0][LINK_NON_POSTED] = (struct link_credits){1, 8};
    b = bench_new(t, &params);
    if (!b)
        return;
    b->upper.keep[LINK_NON_POSTED] = true;
    for (unsigned i = 0; i < 4; i++)
        bench_send(&b->lower, bench_tlp(b, TLP_MRD, 0, i));
    bench_write(&b->lower, 4, 1, 10);
    bench_run_us(b, LONG_US);
    t_check(t, b->upper.seen->len == 5, "%u TLPs arrived, not one read and four writes",
            b->upper.seen->len);
    bench_free(b);
}

struct minimum {
    enum link_flow flow;
    bool data;
};

/* The data of a non-posted request that the function must have room for, in credits (table 2-50).
 * Its registers are read past the links, which may have no credits left. */
static unsigned non_posted_data(const struct pci_func *func)
{
    uint64_t caps = reg_get(func->cfg, func->cap_pcie + PCIE_DEVCAP2);

    if (func->ext_dev3 &&
        reg_get(func->cfg, func->ext_dev3 + PCI_DEV3_CAP) & PCI_DEV3_CAP_DMWR_ROUTE)
        return 8;
    if (caps & PCIE_DEVCAP2_DMWR)
        return caps & PCIE_DEVCAP2_DMWR_LENGTHS ? 8 : 4;
    return caps & (PCIE_DEVCAP2_ATOMIC_ROUTE | PCIE_DEVCAP2_ATOMIC_128) ? 2 : 1;
}

static void check_minimum(struct conform_ctx *t, struct lab *lab, const char *name)
{
    const struct minimum *minimum = t->assertion->param;
    struct pci_func *func = lab_func(lab, name);
    bool infinite = minimum->flow == LINK_COMPLETION &&
                    (func->pcie_type == PCIE_ENDPOINT || func->pcie_type == PCIE_LEGACY_ENDPOINT);
    struct link_credits have = lab_take_credits(machine_port(lab->machine, name), minimum->flow);
    unsigned value = minimum->data ? have.data : have.header, least = 1;

    if (minimum->data && minimum->flow == LINK_NON_POSTED)
        least = non_posted_data(func);
    else if (minimum->data)
        least = 8u << (reg_get(func->cfg, func->cap_pcie + PCIE_DEVCAP) & 7);
    if (infinite)
        t_check(t, !value, "%s advertises %u, not infinitely many", name, value);
    else
        t_check(t, !value || value >= least, "%s advertises %u, not at least %u", name, value,
                least);
    t_check(t, value <= (minimum->data ? LINK_DATA_CREDITS_MAX : LINK_HEADER_CREDITS_MAX),
            "%s advertises %u at once", name, value);
}

/* The least that a topology can ask for. Completions stay as they are. */
static void small_buffers(struct machine_desc *desc)
{
    for (unsigned i = 0; i < desc->count; i++) {
        struct machine_component *c = &desc->components[i];

        for (unsigned flow = LINK_POSTED; flow <= LINK_NON_POSTED; flow++)
            c->port.rx[flow] = (struct link_credits){1, 1};
    }
}

static void minimum(struct conform_ctx *t)
{
    struct lab *lab = lab_new_timed(t, small_buffers);
    char **names = lab->machine ? machine_names(lab->machine) : NULL;

    if (lab->machine)
        lab_run_us(lab, LONG_US);
    for (unsigned i = 0; names && names[i]; i++) {
        struct port *port = machine_port(lab->machine, names[i]);
        struct link_counters counters;

        if (port && lab_func(lab, names[i]) && port_link_counters(port, &counters) &&
            port_link_up(port))
            check_minimum(t, lab, names[i]);
    }
    g_strfreev(names);
    lab_free(lab);
}

/* After traffic both ways nobody misses credits. */
LAB_WITH(conserved, lab_new_timed(t, NULL))
{
    struct lab_dma dma = {.command = EXERCISER_WRITE, .addr = LAB_RAM, .len = 4096};
    struct port *ports[2] = {machine_port(lab->machine, lab->ex),
                             machine_port_above(lab->machine, lab->ex)};

    t_check(t, lab_dma(lab, lab->ex, &dma) == 0, "the write failed");
    dma.command = EXERCISER_READ;
    t_check(t, lab_dma(lab, lab->ex, &dma) == 0, "the read failed");
    lab_run_us(lab, LONG_US);
    for (unsigned i = 0; i < 2; i++)
        t_check(t, port_credits_whole(ports[i]), "credits of %s are missing", ports[i]->name);
}

#define GATE(...)                 (&(const struct gate){__VA_ARGS__})
#define MINIMUM(...)              (&(const struct minimum){__VA_ARGS__})
#define FLOW(i, sec, fn, p, text) BEHAVIOUR("flow." i, "flow", sec, fn, p, text)
#define P                         LINK_POSTED
#define NP                        LINK_NON_POSTED
#define C                         LINK_COMPLETION

static const struct conform_assertion rows[] = {
    FLOW("init.ph", "2.6.1", minimum, MINIMUM(P, false),
         "Every receiver advertises at least one posted header, and no more than 127."),
    FLOW("init.pd", "2.6.1", minimum, MINIMUM(P, true),
         "Every receiver advertises posted data credits for one TLP of the largest payload that it "
         "supports, and no more than 2047."),
    FLOW("init.nph", "2.6.1", minimum, MINIMUM(NP, false),
         "Every receiver advertises at least one non-posted header, and no more than 127."),
    FLOW("init.npd", "2.6.1", minimum, MINIMUM(NP, true),
         "Every receiver advertises non-posted data credits for the largest AtomicOp or Deferrable "
         "Memory Write that it takes."),
    FLOW("init.cplh", "2.6.1", minimum, MINIMUM(C, false),
         "Endpoints advertise infinite completion headers, ports one at least."),
    FLOW("init.cpld", "2.6.1", minimum, MINIMUM(C, true),
         "Endpoints advertise infinite completion data, ports enough for the largest payload."),
    FLOW("gate.ph", "2.6.1.1", held_back, GATE(P, TLP_MSG, 0, 4, 64, 4),
         "A posted request waits until there is a posted header credit for it."),
    FLOW("gate.pd", "2.6.1.1", held_back, GATE(P, TLP_MWR, 32, 64, 20, 2),
         "A posted request waits until there are posted data credits for all of its payload."),
    FLOW("gate.nph", "2.6.1.1", held_back, GATE(NP, TLP_MRD, 0, 3, 8, 3),
         "A non-posted request waits until there is a non-posted header credit for it."),
    FLOW("gate.npd", "2.6.1.1", held_back, GATE(NP, TLP_DMWR, 16, 64, 9, 2),
         "A non-posted request waits until there are non-posted data credits for its payload."),
    FLOW("gate.cplh", "2.6.1.1", held_back, GATE(C, TLP_CPL, 0, 5, 8, 5),
         "A completion waits until there is a completion header credit for it."),
    FLOW("gate.cpld", "2.6.1.1", held_back, GATE(C, TLP_CPLD, 32, 64, 20, 2),
         "A completion waits until there are completion data credits for its payload."),
    FLOW("unit", "2.6.1", held_back, GATE(P, TLP_MWR, 5, 64, 7, 3),
         "A data credit is 16 bytes, of which the last of a TLP may be used in part."),
    FLOW("unit.own", "2.6.1.1", held_back, GATE(P, TLP_MWR, 1, 64, 3, 3),
         "Data of several TLPs do not share a credit."),
    FLOW("no_data.np", "2.6.1", held_back, GATE(NP, TLP_MRD, 0, 30, 2, 30),
         "A read request takes no data credits."),
    FLOW("no_data.cpl", "2.6.1", held_back, GATE(C, TLP_CPL, 0, 30, 2, 30),
         "A completion without data takes no data credits."),
    FLOW("infinite.p", "2.6.1.1", held_back, GATE(P, TLP_MWR, 32, 0, 0, GATE_SENT),
         "Where infinite posted credits were advertised no posted request waits for credits."),
    FLOW("infinite.np", "2.6.1.1", held_back, GATE(NP, TLP_DMWR, 32, 0, 0, GATE_SENT),
         "Where infinite non-posted credits were advertised no such request waits for credits."),
    FLOW("infinite.cpl", "2.6.1.1", held_back, GATE(C, TLP_CPLD, 32, 0, 0, GATE_SENT),
         "Where infinite completion credits were advertised no completion waits for credits."),
    FLOW("infinite.header", "2.6.1.1", held_back, GATE(P, TLP_MWR, 4, 0, 6, 6),
         "Infinite header credits leave the limit of data credits in force."),
    FLOW("infinite.update", "2.6.1", infinite_quiet, NULL,
         "No UpdateFC of a kind with infinite credits says anything but 0."),
    FLOW("update.ph", "2.6.1.2", given_back, GATE(P, TLP_MSG, 0, 2, 64, 2),
         "With no posted header credit left, one that is freed is told at once and admits one."),
    FLOW("update.pd", "2.6.1.2", given_back, GATE(P, TLP_MWR, 32, 64, 16, 2),
         "With too few posted data credits, those that are freed are told at once."),
    FLOW("update.nph", "2.6.1.2", given_back, GATE(NP, TLP_MRD, 0, 2, 8, 2),
         "With no non-posted header credit left, one that is freed is told at once."),
    FLOW("update.npd", "2.6.1.2", given_back, GATE(NP, TLP_FETCHADD, 2, 64, 2, 2),
         "With no non-posted data credit left, those that are freed are told at once."),
    FLOW("update.cplh", "2.6.1.2", given_back, GATE(C, TLP_CPL, 0, 2, 8, 2),
         "With no completion header credit left, one that is freed is told at once."),
    FLOW("update.again", "2.6.1.2", update_again, NULL,
         "An UpdateFC that got lost is made good by another after 30 us, or half as much more."),
    FLOW("modulo", "2.6.1.1", counters_wrap, NULL,
         "Credits are counted modulo 256 for headers and modulo 4096 for data."),
    FLOW("replay", "2.6.1.1", replay_free, NULL, "A TLP that is sent again takes no more credits."),
    FLOW("duplicate", "2.6.1.2", duplicate_free, NULL,
         "A duplicate, which the data link layer discards, counts for no credits."),
    FLOW("kinds", "2.6.1", kinds_apart, NULL,
         "Posted, non-posted and completion credits are counted apart."),
    FLOW("anew", "2.6.1.1", anew, NULL, "Credits begin anew when the link has been down."),
    FLOW("conserved", "2.6.1.2", conserved, NULL,
         "When all is received and processed all credits have been given back."),
};

ASSERTION_TABLE(assertions_flow, rows);
