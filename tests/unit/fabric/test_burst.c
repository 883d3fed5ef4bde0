/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bursts change nothing: the same DMA, by several functions at once and to the same addresses, with
 * somebody who looks at every TLP (there are no bursts then) and with nobody.
 */
#include <string.h>

#include <glib.h>

#include "pcilab/pci/config.h"
#include "rig.h"

/*
 * rp 00:01.0 -- switch (bus 1, internal 2): port 0 -- probe0 (bus 3, Max_Payload_Size 128)
 *                                           port 1 -- probe1 (bus 4)
 * rp 00:02.0 -- probe2 (bus 5)
 * 00:05.0       probe3
 */
#define PROBES   4
#define OPS      400
#define AT_ONCE  12
#define LEN_MAX  9000
#define BAR0(i)  (0xe0000000u + (i)*0x100000u)
#define PAGE(a)  ((a) >> 12)
#define FOLD(a)  ((a) ^ 0x3000) /* what the translator does to addresses of RAM */
#define HOLE     0x80000000u    /* nothing is there */
#define RAM_MASK 0xfffffu

struct machine {
    struct rig *rig;
    struct root_port *rp[2];
    struct pcie_switch *sw;
    struct probe *probe[PROBES];
    unsigned bursts, refused;
    uint64_t known; /* the page that was translated last */
};

static const unsigned probe_bus[PROBES] = {3, 4, 5, 0};

static bool translated(struct machine *m, struct tlp *tlp)
{
    if (tlp->addr < RIG_LOW_BYTES)
        tlp->addr = FOLD(tlp->addr);
    m->known = PAGE(tlp->addr);
    return PAGE(tlp->addr) % 11 != 10;
}

static void translate(void *opaque, struct root_complex *rc, struct tlp *request)
{
    struct machine *m = opaque;
    bool ok = translated(m, request);

    m->refused += !ok;
    root_translated(rc, request, ok);
}

/* Knows the page that was asked for last. */
static bool translate_burst(void *opaque, struct tlp *burst)
{
    struct machine *m = opaque;
    uint64_t to = burst->addr < RIG_LOW_BYTES ? FOLD(burst->addr) : burst->addr;

    if (PAGE(to) != m->known || PAGE(to) % 11 == 10)
        return false;
    m->bursts++;
    return translated(m, burst);
}

static void listen(struct rig *rig, bool to_tlps)
{
    trace_remove_sink(&rig->trace, &rig->sink);
    rig->sink.kinds = BIT(TRACE_RULE) | BIT(TRACE_STATE) | (to_tlps ? BIT(TRACE_TLP) : 0);
    trace_add_sink(&rig->trace, &rig->sink);
    memset(rig->heard, 0, sizeof(rig->heard));
}

static void bridge(struct machine *m, uint64_t cfg, const unsigned buses[3], unsigned first,
                   unsigned last)
{
    const struct rig_windows w = {
        .primary = buses[0],
        .secondary = buses[1],
        .subordinate = buses[2],
        .mem_base = BAR0(first),
        .mem_limit = BAR0(last),
        .pref_base = 0xfff00000,
        .io_base = 0xf000,
    };

    rig_program_bridge(m->rig, cfg, &w);
}

static void make_probe(struct machine *m, unsigned i)
{
    const struct probe_params params = {
        .functions = 1,
        .type = i == 3 ? PCIE_RC_INTEGRATED_ENDPOINT : PCIE_ENDPOINT,
        .max_payload_bytes = 512,
    };
    static const char *const names[PROBES] = {"probe0", "probe1", "probe2", "probe3"};

    m->probe[i] = probe_new(m->rig, names[i], &params);
    if (i == 3)
        root_integrate(m->rig->rc, endpoint_port(m->probe[i]->ep), 5);
    else
        link_connect(i == 2 ? root_port_link(m->rp[1]) : pcie_switch_downstream(m->sw, i),
                     endpoint_port(m->probe[i]->ep));
}

static void set_payload(struct machine *m, uint64_t cfg, const struct pci_func *func, unsigned code)
{
    uint64_t at = cfg + func->cap_pcie + PCIE_DEVCTL;

    rig_cfg_write(m->rig, at, 2, (rig_cfg_read(m->rig, at, 2) & ~0xe0u) | code << 5);
}

static void machine_init(struct machine *m, bool to_tlps)
{
    const struct root_translator translator = {
        .translate = translate, .translate_burst = translate_burst, .opaque = m};

    *m = (struct machine){.rig = rig_new(), .known = UINT64_MAX};
    m->rp[0] = rig_root_port(m->rig, 1, 0);
    m->rp[1] = rig_root_port(m->rig, 2, 0);
    m->sw = rig_switch(m->rig, "sw", 2);
    link_connect(root_port_link(m->rp[0]), pcie_switch_upstream(m->sw));
    for (unsigned i = 0; i < PROBES; i++)
        make_probe(m, i);
    bridge(m, RIG_CFG(0, 1, 0, 0), (unsigned[]){0, 1, 4}, 0, 1);
    bridge(m, RIG_CFG(1, 0, 0, 0), (unsigned[]){1, 2, 4}, 0, 1);
    bridge(m, RIG_CFG(2, 0, 0, 0), (unsigned[]){2, 3, 3}, 0, 0);
    bridge(m, RIG_CFG(2, 1, 0, 0), (unsigned[]){2, 4, 4}, 1, 1);
    bridge(m, RIG_CFG(0, 2, 0, 0), (unsigned[]){0, 5, 5}, 2, 2);
    for (unsigned i = 0; i < PROBES; i++) {
        const struct probe_map map = {.bar0 = BAR0(i), .bar4 = BAR0(i) + 0x10000, .command = 6};
        uint64_t cfg = i == 3 ? RIG_CFG(0, 5, 0, 0) : RIG_CFG(probe_bus[i], 0, 0, 0);

        probe_program(m->rig, cfg, &map);
        /* More than the root port takes, and as much as all take. */
        set_payload(m, cfg, m->probe[i]->func[0].pci, i == 1 ? 2 : i ? 1 : 0);
    }
    set_payload(m, RIG_CFG(0, 2, 0, 0), root_port_func(m->rp[1]), 1);
    root_complex_set_translator(m->rig->rc, &translator);
    listen(m->rig, to_tlps);
}

static void machine_fini(struct machine *m)
{
    rig_settle(m->rig);
    root_complex_set_translator(m->rig->rc, NULL);
    for (unsigned i = 0; i < PROBES; i++)
        probe_free(m->probe[i]);
    pcie_switch_free(m->sw);
    rig_free(m->rig);
}

/* Mostly memory, some of it shared; ends of memory, holes, interrupts and peers too. */
static uint64_t any_address(struct sim_rng *rng)
{
    switch (sim_rng_below(rng, 12)) {
    case 0: return RIG_LOW_BYTES - sim_rng_below(rng, 2 * LEN_MAX);
    case 1: return HOLE + sim_rng_below(rng, 0x10000);
    case 2: return 0xfee00000 - sim_rng_below(rng, 0x1000);
    case 3: return BAR0(sim_rng_below(rng, PROBES)) + sim_rng_below(rng, 0x4000);
    case 4: return RIG_HIGH_BASE + sim_rng_below(rng, RIG_HIGH_BYTES);
    case 5: return sim_rng_below(rng, RAM_MASK);
    default: return 0x8000 + sim_rng_below(rng, 0x6000);
    }
}

static void run_dma(struct machine *m, uint8_t *memory, struct probe_dma *ops)
{
    struct sim_rng rng;

    sim_rng_init(&rng, 7, "burst");
    for (unsigned i = 0; i < OPS; i++) {
        struct probe_dma *dma = &ops[i];
        unsigned probe = (unsigned)sim_rng_below(&rng, PROBES);

        dma->op = (struct dma_op){.kind = sim_rng_below(&rng, 4) ? DMA_WRITE : DMA_READ,
                                  .addr = any_address(&rng),
                                  .len = (uint32_t)sim_rng_below(&rng, LEN_MAX),
                                  .buf = memory + (size_t)i * LEN_MAX,
                                  .poison = !sim_rng_below(&rng, 30)};
        for (unsigned j = 0; dma->op.kind == DMA_WRITE && j < dma->op.len; j++)
            dma->op.buf[j] = (uint8_t)(i + j / 5);
        probe_dma_start(&m->probe[probe]->func[0], dma);
        if (i % AT_ONCE == AT_ONCE - 1)
            rig_settle(m->rig);
    }
    rig_run_for(m->rig, 100 * PS_PER_MS);
}

START_TEST(bursts_change_nothing)
{
    struct machine alone, seen;
    uint8_t *memory[2] = {g_malloc0(OPS * LEN_MAX), g_malloc0(OPS * LEN_MAX)};
    struct probe_dma *ops[2] = {g_new0(struct probe_dma, OPS), g_new0(struct probe_dma, OPS)};

    machine_init(&seen, true);
    machine_init(&alone, false);
    run_dma(&seen, memory[0], ops[0]);
    run_dma(&alone, memory[1], ops[1]);
    /* They were there ... */
    ck_assert_uint_eq(seen.bursts, 0);
    ck_assert_uint_gt(alone.bursts, 100);
    ck_assert_uint_gt(seen.rig->heard[TRACE_TLP], 5000);
    ck_assert_uint_eq(alone.rig->heard[TRACE_TLP], 0);
    ck_assert_uint_gt(seen.refused, 20);
    ck_assert_uint_gt(seen.rig->heard[TRACE_RULE], 100);
    /* ... and nobody can tell. */
    ck_assert_mem_eq(seen.rig->low, alone.rig->low, RIG_LOW_BYTES);
    ck_assert_mem_eq(seen.rig->high, alone.rig->high, RIG_HIGH_BYTES);
    ck_assert_mem_eq(memory[0], memory[1], OPS * LEN_MAX);
    ck_assert_uint_eq(seen.rig->fabric->tlps, alone.rig->fabric->tlps);
    ck_assert_uint_eq(seen.refused, alone.refused);
    ck_assert_uint_eq(seen.rig->heard[TRACE_RULE], alone.rig->heard[TRACE_RULE]);
    ck_assert_str_eq(seen.rig->last_rule, alone.rig->last_rule);
    for (unsigned i = 0; i < OPS; i++) {
        ck_assert(ops[0][i].done && ops[1][i].done);
        ck_assert_int_eq(ops[0][i].status, ops[1][i].status);
    }
    for (unsigned i = 0; i < PROBES; i++) {
        const struct probe_func *a = &seen.probe[i]->func[0], *b = &alone.probe[i]->func[0];

        ck_assert_uint_eq(a->writes, b->writes);
        ck_assert_uint_eq(a->reads, b->reads);
        ck_assert_mem_eq(a->bar[0], b->bar[0], PROBE_BAR0_BYTES);
    }
    machine_fini(&seen);
    machine_fini(&alone);
    for (unsigned i = 0; i < 2; i++) {
        g_free(memory[i]);
        g_free(ops[i]);
    }
}
END_TEST

/* Somebody begins to look while a burst is on its way: what is left of its way, it goes as TLPs. */
START_TEST(burst_is_taken_apart)
{
    struct machine m;
    struct probe_dma dma = {.op = {.kind = DMA_WRITE, .addr = 0x20010, .len = 0x2000}};
    uint8_t data[0x2000];
    uint64_t before;

    machine_init(&m, false);
    root_complex_set_translator(m.rig->rc, NULL);
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7 / 3);
    dma.op.buf = data;
    probe_dma_start(&m.probe[0]->func[0], &dma);
    before = m.rig->fabric->tlps;
    /* Everything happens in one instant; this is the end of the event that sends. */
    while (m.rig->fabric->tlps == before)
        ck_assert(sim_run_one(&m.rig->sim, m.rig->sim.now_ps));
    listen(m.rig, true);
    rig_settle(m.rig);
    ck_assert(dma.done);
    ck_assert_mem_eq(m.rig->low + 0x20010, data, sizeof(data));
    /* Over two links, 128 bytes each; those on the first link before somebody looked are not
     * heard. */
    ck_assert_uint_ge(m.rig->heard[TRACE_TLP], 65);
    ck_assert_uint_lt(m.rig->heard[TRACE_TLP], 130);
    machine_fini(&m);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("burst");
    TCase *tc = tcase_create("burst");

    tcase_add_test(tc, bursts_change_nothing);
    tcase_add_test(tc, burst_is_taken_apart);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
