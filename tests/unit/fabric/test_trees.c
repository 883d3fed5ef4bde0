/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random trees, up to five levels of switches deep, with windows that an enumeration of the test's
 * own leaves here and there closed, too small, or shifted. What every request of the host and of
 * every endpoint meets is compared with a brute-force oracle that walks the tree by the raw bytes
 * of configuration space; every request gets exactly one answer; data arrive whole.
 */
#include <string.h>

#include "pcilab/pci/config.h"
#include "rig.h"

#define NODES_MAX  96 /* a tree stops growing well before */
#define NODES_FULL 60
#define LEVELS_MAX 5

enum node_kind { NODE_BRIDGE, NODE_ENDPOINT };

/* A bridge (root port, upstream or downstream port) or an endpoint; parents come first. */
struct node {
    enum node_kind kind;
    int parent;
    unsigned device; /* on the parent's secondary bus */
    unsigned level;
    struct pci_func *func;
    struct probe *probe;
    bool down_side; /* root or downstream port: has a link below */
};

struct tree {
    struct rig *rig;
    struct sim_rng rng;
    struct node node[NODES_MAX];
    unsigned count;
    struct pcie_switch *sw[NODES_MAX];
    unsigned switches;
    unsigned next_bus;
    uint64_t next_mem, next_pref, next_io;
};

static unsigned add_node(struct tree *t, struct node node)
{
    ck_assert_uint_lt(t->count, NODES_MAX);
    t->node[t->count] = node;
    return t->count++;
}

/* Hangs something random below a root or downstream port. */
static void grow(struct tree *t, unsigned parent, struct port *port)
{
    const struct probe_params params = {.functions = 1, .type = PCIE_ENDPOINT};
    unsigned level = t->node[parent].level + 1, kind = (unsigned)sim_rng_below(&t->rng, 8);
    unsigned downs = (unsigned)sim_rng_below(&t->rng, 3) + 1, upper;
    struct pcie_switch *sw;

    if (kind == 0)
        return; /* an empty port */
    if (level > LEVELS_MAX || kind < 4 || t->count >= NODES_FULL) {
        if (t->count < NODES_MAX) {
            struct probe *probe = probe_new(t->rig, "probe", &params);

            link_connect(port, endpoint_port(probe->ep));
            add_node(t, (struct node){.kind = NODE_ENDPOINT,
                                      .parent = (int)parent,
                                      .level = level,
                                      .func = probe->func[0].pci,
                                      .probe = probe});
        }
        return;
    }
    sw = rig_switch(t->rig, "sw", downs);
    t->sw[t->switches++] = sw;
    link_connect(port, pcie_switch_upstream(sw));
    upper = add_node(
        t, (struct node){.parent = (int)parent, .level = level, .func = pcie_switch_func(sw, -1)});
    for (unsigned i = 0; i < downs; i++) {
        unsigned down = add_node(t, (struct node){.parent = (int)upper,
                                                  .device = i,
                                                  .level = level,
                                                  .down_side = true,
                                                  .func = pcie_switch_func(sw, (int)i)});

        grow(t, down, pcie_switch_downstream(sw, i));
    }
}

static uint64_t node_cfg(const struct tree *t, unsigned n)
{
    const struct node *node = &t->node[n];
    unsigned bus = 0;

    if (node->parent >= 0)
        bus = t->node[node->parent].func->windows.secondary;
    return RIG_CFG(bus, node->device, 0, 0);
}

static void place_endpoint(struct tree *t, unsigned n)
{
    const struct probe_map map = {
        .bar0 = t->next_mem,
        .bar4 = t->next_mem + 0x10000,
        .io = t->next_io,
        .bar2 = t->next_pref,
        .command = 7,
    };

    probe_program(t->rig, node_cfg(t, n), &map);
    t->next_mem += 0x100000;
    t->next_pref += 0x100000;
    t->next_io += 0x1000;
}

static bool chance(struct tree *t, unsigned one_in)
{
    return one_in && sim_rng_below(&t->rng, one_in) == 0;
}

/* Depth first, as firmware does; `harm`: one bridge in so many is then programmed badly. */
static void enumerate(struct tree *t, unsigned n, unsigned harm)
{
    struct node *node = &t->node[n];
    struct rig_windows w = {.mem_base = t->next_mem, .pref_base = t->next_pref};
    uint64_t cfg = node_cfg(t, n);

    if (node->kind == NODE_ENDPOINT) {
        place_endpoint(t, n);
        return;
    }
    w.io_base = t->next_io;
    w.primary = (unsigned)(cfg >> 20);
    w.secondary = t->next_bus++;
    w.subordinate = 0xff;
    rig_program_bridge(t->rig, cfg, &w);
    for (unsigned i = 0; i < t->count; i++) {
        if (t->node[i].parent == (int)n)
            enumerate(t, i, harm);
    }
    w.subordinate = t->next_bus - 1;
    w.mem_limit = t->next_mem - 1;
    w.pref_limit = t->next_pref - 1;
    w.io_limit = t->next_io - 1;
    if (t->next_mem == w.mem_base) { /* nothing below: closed */
        w.mem_base = w.pref_base = 0xfff00000;
        w.mem_limit = w.pref_limit = 0;
        w.io_base = 0xf000;
        w.io_limit = 0;
    }
    if (chance(t, harm))
        w.mem_limit = w.mem_base;
    if (chance(t, harm))
        w.pref_base += 0x100000;
    if (chance(t, harm))
        w.io_limit += 0x1000;
    rig_program_bridge(t->rig, cfg, &w);
    if (chance(t, harm))
        rig_cfg_write(t->rig, cfg + 4, 2, (uint32_t)sim_rng_below(&t->rng, 8));
}

static void tree_init(struct tree *t, uint64_t seed, unsigned harm)
{
    unsigned roots;

    memset(t, 0, sizeof(*t));
    sim_rng_init(&t->rng, seed, "tree");
    t->rig = rig_new();
    t->next_bus = 1;
    t->next_mem = 0xa0000000;
    t->next_pref = 0x4000000000;
    t->next_io = 0x1000;
    roots = (unsigned)sim_rng_below(&t->rng, 3) + 1;
    for (unsigned i = 0; i < roots; i++) {
        struct root_port *rp = rig_root_port(t->rig, i + 1, 0);
        unsigned n = add_node(
            t, (struct node){
                   .parent = -1, .device = i + 1, .down_side = true, .func = root_port_func(rp)});

        grow(t, n, root_port_link(rp));
    }
    for (unsigned i = 0; i < t->count; i++) {
        if (t->node[i].parent < 0)
            enumerate(t, i, harm);
    }
}

static void tree_fini(struct tree *t)
{
    rig_settle(t->rig);
    ck_assert_uint_eq(tlp_pool_live(t->rig->fabric->pool), 0);
    for (unsigned i = 0; i < t->count; i++) {
        if (t->node[i].probe)
            probe_free(t->node[i].probe);
    }
    for (unsigned i = 0; i < t->switches; i++)
        pcie_switch_free(t->sw[i]);
    rig_free(t->rig);
}

/* The oracle. It recomputes windows from the bytes, and walks from node to node. */

static uint64_t get(struct pci_func *func, unsigned offset, unsigned len)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < len; i++)
        value |= (uint64_t)pci_func_config_read(func, offset + i, 1) << (8 * i);
    return value;
}

static bool window(struct tree *t, unsigned n, bool io, uint64_t addr)
{
    struct pci_func *func = t->node[n].func;
    uint64_t command = get(func, 4, 2);

    if (io)
        return command & 1 && addr >> 12 >= (get(func, 0x1c, 1) >> 4 | get(func, 0x30, 2) << 4) &&
               addr >> 12 <= (get(func, 0x1d, 1) >> 4 | get(func, 0x32, 2) << 4);
    return command & 2 &&
           ((addr >> 20 >= get(func, 0x20, 2) >> 4 && addr >> 20 <= get(func, 0x22, 2) >> 4) ||
            (addr >> 20 >= (get(func, 0x24, 2) >> 4 | get(func, 0x28, 4) << 12) &&
             addr >> 20 <= (get(func, 0x26, 2) >> 4 | get(func, 0x2c, 4) << 12)));
}

static bool endpoint_has(struct tree *t, unsigned n, bool io, uint64_t addr)
{
    struct pci_func *func = t->node[n].func;

    if (io)
        return get(func, 4, 2) & 1 && addr - (get(func, 0x14, 4) & ~3ULL) < PROBE_IO_BYTES;
    return get(func, 4, 2) & 2 && (addr - (get(func, 0x10, 4) & ~15ULL) < PROBE_BAR0_BYTES ||
                                   addr - (get(func, 0x20, 4) & ~15ULL) < PROBE_BAR4_BYTES ||
                                   addr - (get(func, 0x18, 8) & ~15ULL) < PROBE_BAR2_BYTES);
}

#define NOBODY (-1)
#define HOST   (-2)

/* Who gets a request that goes down through bridge or endpoint n. */
static int descend(struct tree *t, unsigned n, bool io, uint64_t addr)
{
    if (t->node[n].kind == NODE_ENDPOINT)
        return endpoint_has(t, n, io, addr) ? (int)n : NOBODY;
    if (!window(t, n, io, addr))
        return NOBODY;
    for (unsigned i = 0; i < t->count; i++) {
        if (t->node[i].parent != (int)n)
            continue;
        /* On an internal bus the first bridge that claims it takes it; a link has one end. */
        if (t->node[n].down_side || window(t, i, io, addr))
            return descend(t, i, io, addr);
    }
    return NOBODY;
}

static int from_root_bus(struct tree *t, bool io, uint64_t addr)
{
    for (unsigned i = 0; i < t->count; i++) {
        if (t->node[i].parent < 0 && window(t, i, io, addr))
            return descend(t, i, io, addr);
    }
    return NOBODY;
}

/* Who gets a memory request of endpoint n. */
static int ascend(struct tree *t, unsigned n, uint64_t addr)
{
    int at = t->node[n].parent;

    for (;; at = t->node[at].parent) {
        int parent = t->node[at].parent;

        if (!(get(t->node[at].func, 4, 2) & 4) || window(t, (unsigned)at, false, addr))
            return NOBODY;
        if (parent < 0)
            break;
        if (!t->node[at].down_side)
            continue; /* an upstream port: the next thing up is a downstream or root port */
        for (unsigned i = 0; i < t->count; i++) {
            if (t->node[i].parent == parent && window(t, i, false, addr))
                return descend(t, i, false, addr);
        }
    }
    if (addr < RIG_LOW_BYTES || addr - RIG_HIGH_BASE < RIG_HIGH_BYTES)
        return HOST;
    return from_root_bus(t, false, addr);
}

static unsigned accesses(struct tree *t, int n)
{
    return n < 0 ? 0 : t->node[n].probe->func[0].reads;
}

static uint64_t random_addr(struct tree *t, bool io)
{
    if (io)
        return 0x1000 + sim_rng_below(&t->rng, t->next_io + 0x1000 - 0x1000);
    switch (sim_rng_below(&t->rng, 4)) {
    case 0: return 0x4000000000 + sim_rng_below(&t->rng, t->next_pref + 0x200000 - 0x4000000000);
    case 1:
        return sim_rng_below(&t->rng, 2) ? sim_rng_below(&t->rng, RIG_LOW_BYTES)
                                         : RIG_HIGH_BASE + sim_rng_below(&t->rng, RIG_HIGH_BYTES);
    default:
        return 0xa0000000 +
               (sim_rng_below(&t->rng, (t->next_mem >> 20) + 2 - (0xa0000000 >> 20)) << 20) +
               sim_rng_below(&t->rng, 0x18000);
    }
}

static void check_host(struct tree *t)
{
    bool io = sim_rng_below(&t->rng, 4) == 0;
    uint64_t addr = random_addr(t, io) & ~3ULL;
    struct root_request request = {
        .kind = io ? ROOT_IO_READ : ROOT_MEM_READ, .size_bytes = 4, .addr = addr};
    int want;
    unsigned before;
    enum tlp_status status;

    /* The platform keeps requests for memory away from root complexes. */
    want = from_root_bus(t, io, addr);
    before = accesses(t, want);
    status = rig_access(t->rig, &request);
    if ((status == TLP_SC) != (want >= 0))
        ck_abort_msg("host %s 0x%llx: status %d, want node %d", io ? "io" : "mem",
                     (unsigned long long)addr, status, want);
    /* Accesses to the MSI-X table do not reach the device. */
    if (want >= 0 && accesses(t, want) != before + 1 &&
        addr - (get(t->node[want].func, 0x20, 4) & ~15ULL) >= 0x1000)
        ck_abort_msg("host 0x%llx did not reach node %d", (unsigned long long)addr, want);
}

static void check_dma(struct tree *t, unsigned n)
{
    uint64_t addr = random_addr(t, false) & ~3ULL;
    uint8_t buf[4];
    struct probe_dma dma = {.op = {.kind = DMA_READ, .addr = addr, .len = 4, .buf = buf}};
    int want = ascend(t, n, addr);
    enum dma_status status = probe_dma(t->rig, &t->node[n].probe->func[0], &dma);

    if (status != (want == NOBODY ? DMA_UR : DMA_OK))
        ck_abort_msg("node %u dma 0x%llx: status %d, want node %d", n, (unsigned long long)addr,
                     status, want);
    if (want == HOST)
        ck_assert_mem_eq(
            buf, addr < RIG_LOW_BYTES ? t->rig->low + addr : t->rig->high + (addr - RIG_HIGH_BASE),
            4);
}

START_TEST(test_routing_against_oracle)
{
    struct sim_rng rng;
    unsigned deepest = 0, endpoints = 0;

    sim_rng_init(&rng, 77, "memory");
    for (unsigned seed = 0; seed < 60; seed++) {
        static struct tree t;

        tree_init(&t, seed, seed % 3 ? 6 : 0);
        sim_rng_fill(&rng, t.rig->low, sizeof(t.rig->low));
        for (unsigned i = 0; i < 150; i++)
            check_host(&t);
        for (unsigned n = 0; n < t.count; n++) {
            if (!t.node[n].probe)
                continue;
            deepest = t.node[n].level > deepest ? t.node[n].level : deepest;
            endpoints++;
            for (unsigned i = 0; i < 30; i++)
                check_dma(&t, n);
        }
        tree_fini(&t);
    }
    ck_assert_uint_ge(deepest, LEVELS_MAX);
    ck_assert_uint_gt(endpoints, 100);
}
END_TEST

/* Which function a configuration request meets, by bus numbers alone. */
static struct pci_func *oracle_config(struct tree *t, unsigned bus, unsigned devfn)
{
    int at = NOBODY, parent = NOBODY;

    for (;;) {
        unsigned here = parent < 0 ? 0 : (unsigned)get(t->node[parent].func, 0x19, 1);

        if (bus == here) {
            for (unsigned i = 0; i < t->count; i++) {
                if (t->node[i].parent == parent && t->node[i].device << 3 == devfn)
                    return t->node[i].func;
            }
            return NULL;
        }
        at = NOBODY;
        for (unsigned i = 0; i < t->count && at < 0; i++) {
            if (t->node[i].parent == parent && t->node[i].kind == NODE_BRIDGE &&
                get(t->node[i].func, 0x19, 1) && get(t->node[i].func, 0x19, 1) <= bus &&
                bus <= get(t->node[i].func, 0x1a, 1))
                at = (int)i;
        }
        if (at < 0)
            return NULL;
        parent = at;
    }
}

START_TEST(test_configuration_against_oracle)
{
    unsigned found = 0, absent = 0;

    for (unsigned seed = 100; seed < 115; seed++) {
        static struct tree t;

        tree_init(&t, seed, 0);
        for (unsigned bus = 0; bus <= t.next_bus; bus++) {
            for (unsigned devfn = 0; devfn < 256; devfn += devfn < 8 ? 1 : 8) {
                struct pci_func *func = oracle_config(&t, bus, devfn);
                uint64_t at = (uint64_t)bus << 20 | devfn << 12;

                if (bus == 0 && devfn == 0)
                    continue; /* the host bridge */
                /* A register that differs from function to function. */
                if (func)
                    reg_set(func->cfg, PCI_INTERRUPT_LINE, bus);
                ck_assert_uint_eq(rig_cfg_read(t.rig, at + PCI_INTERRUPT_LINE, 1),
                                  func ? bus & 0xff : 0xff);
                found += func != NULL;
                absent += func == NULL;
            }
        }
        tree_fini(&t);
    }
    ck_assert_uint_gt(found, 100);
    ck_assert_uint_gt(absent, 1000);
}
END_TEST

START_TEST(test_everybody_at_once)
{
    /* All endpoints read and write at once, host requests in between; each writes where nobody
     * else does, so what must be where is known. */
    for (unsigned seed = 200; seed < 215; seed++) {
        static struct tree t;
        static uint8_t out[NODES_MAX][12000], in[NODES_MAX][12000];
        struct probe_dma write[NODES_MAX], read[NODES_MAX];
        static struct root_request request[100];
        unsigned n, endpoints = 0;

        tree_init(&t, seed, 0);
        for (n = 0; n < t.count; n++) {
            unsigned len = (unsigned)sim_rng_below(&t.rng, sizeof(out[n])) + 1;
            uint64_t addr = endpoints * 16384 + sim_rng_below(&t.rng, 4000);

            if (!t.node[n].probe)
                continue;
            sim_rng_fill(&t.rng, out[n], len);
            write[n] = (struct probe_dma){
                .op = {.kind = DMA_WRITE, .addr = addr, .len = len, .buf = out[n]}};
            read[n] = (struct probe_dma){
                .op = {.kind = DMA_READ, .addr = RIG_HIGH_BASE + n, .len = len, .buf = in[n]}};
            probe_dma_start(&t.node[n].probe->func[0], &write[n]);
            probe_dma_start(&t.node[n].probe->func[0], &read[n]);
            endpoints++;
        }
        sim_rng_fill(&t.rng, t.rig->high, sizeof(t.rig->high));
        for (unsigned i = 0; i < ARRAY_LEN(request); i++)
            request[i] = (struct root_request){
                .kind = ROOT_MEM_READ, .size_bytes = 4, .addr = random_addr(&t, false) & ~3ULL};
        rig_submit_all(t.rig, request, ARRAY_LEN(request));
        for (n = 0; n < t.count; n++) {
            if (!t.node[n].probe)
                continue;
            ck_assert(write[n].done && read[n].done);
            ck_assert_int_eq(write[n].status, DMA_OK);
            ck_assert_int_eq(read[n].status, DMA_OK);
            ck_assert_mem_eq(t.rig->low + write[n].op.addr, out[n], write[n].op.len);
            ck_assert_mem_eq(in[n], t.rig->high + n, read[n].op.len);
        }
        tree_fini(&t);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trees");
    TCase *tc = tcase_create("trees");

    tcase_add_test(tc, test_routing_against_oracle);
    tcase_add_test(tc, test_configuration_against_oracle);
    tcase_add_test(tc, test_everybody_at_once);
    tcase_set_timeout(tc, 120);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
