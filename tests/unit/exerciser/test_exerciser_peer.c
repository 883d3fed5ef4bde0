/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exercisers among each other: copies into each other's BARs, AtomicOps and Deferrable Memory
 * Writes, through a switch and through the root complex. A and B sit below one switch, next to an
 * endpoint that knows no AtomicOps; C below another root port.
 */
#include <string.h>

#include "pcilab/endpoint/devices.h"
#include "pcilab/endpoint/exerciser.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/error.h"
#include "rig.h"

#define MEM_BYTES (1u << 20)
#define RP0       RIG_CFG(0, 1, 0, 0)
#define RP1       RIG_CFG(0, 2, 0, 0)
#define UP        RIG_CFG(1, 0, 0, 0)
#define DOWN(n)   RIG_CFG(2, n, 0, 0)

enum { A, B, C, EXERCISERS };

static const struct place {
    uint64_t cfg, regs, bar2, mem, io;
} places[EXERCISERS] = {
    {RIG_CFG(3, 0, 0, 0), 0xe0000000, 0xe0010000, 0x4000000000, 0x1000},
    {RIG_CFG(4, 0, 0, 0), 0xe0100000, 0xe0110000, 0x4000100000, 0x2000},
    {RIG_CFG(8, 0, 0, 0), 0xe1000000, 0xe1010000, 0x4010000000, 0x8000},
};
#define DUMB_CFG  RIG_CFG(5, 0, 0, 0)
#define DUMB_BAR0 0xe0200000ULL

static struct rig *rig;
static struct endpoint *ep[EXERCISERS];
static struct probe *dumb;
static struct pcie_switch *sw;

static struct endpoint *plug(const char *name, struct port *port)
{
    const struct exerciser_params params = {
        .name = name,
        .functions = 1,
        .msix_vectors = 4,
        .mem_bytes = MEM_BYTES,
        .pcie = rig_pcie(PCIE_ENDPOINT),
    };
    struct endpoint *new_ep = exerciser_new(rig->fabric, &params);

    link_connect(port, endpoint_port(new_ep));
    return new_ep;
}

static void bridge(uint64_t cfg, unsigned bus, unsigned last, const struct place *first,
                   uint64_t end)
{
    rig_program_bridge(rig, cfg,
                       &(struct rig_windows){
                           .primary = (unsigned)(cfg >> 20),
                           .secondary = bus,
                           .subordinate = last,
                           .mem_base = first->regs,
                           .mem_limit = end,
                           .pref_base = first->mem,
                           .pref_limit = first->mem + (end - first->regs),
                           .io_base = 0xf000,
                       });
}

/* The place of a capability of a function, as software finds it. */
static uint64_t cap_at(uint64_t cfg, unsigned id)
{
    unsigned at = rig_cfg_read(rig, cfg + PCI_CAP_POINTER, 1);

    while (at && rig_cfg_read(rig, cfg + at, 1) != id)
        at = rig_cfg_read(rig, cfg + at + 1, 1);
    ck_assert_uint_ne(at, 0);
    return cfg + at;
}

static uint64_t ext_cap_at(uint64_t cfg, unsigned id)
{
    unsigned at = PCI_EXT_START;

    while (at && (rig_cfg_read(rig, cfg + at, 4) & 0xffff) != id)
        at = rig_cfg_read(rig, cfg + at, 4) >> 20;
    ck_assert_uint_ne(at, 0);
    return cfg + at;
}

static void control2(uint64_t cfg, unsigned value)
{
    rig_cfg_write(rig, cap_at(cfg, PCI_CAP_PCIE) + PCIE_DEVCTL2, 2, value);
}

static void control3(uint64_t cfg, unsigned value)
{
    rig_cfg_write(rig, ext_cap_at(cfg, PCI_EXT_DEV3) + PCI_DEV3_CTL, 4, value);
}

static void set_up_exerciser(const struct place *p)
{
    rig_cfg_write(rig, p->cfg + PCI_BAR(0), 4, (uint32_t)p->regs);
    rig_cfg_write(rig, p->cfg + PCI_BAR(1), 4, (uint32_t)p->io);
    rig_cfg_write(rig, p->cfg + PCI_BAR(2), 4, (uint32_t)p->bar2);
    rig_cfg_write(rig, p->cfg + PCI_BAR(3), 4, 0);
    rig_cfg_write(rig, p->cfg + PCI_BAR(4), 4, (uint32_t)p->mem);
    rig_cfg_write(rig, p->cfg + PCI_BAR(5), 4, (uint32_t)(p->mem >> 32));
    rig_cfg_write(rig, p->cfg + PCI_COMMAND, 2, 6);
    control2(p->cfg, PCIE_DEVCTL2_ATOMIC);
    control3(p->cfg, PCI_DEV3_CTL_DMWR);
}

static bool old_root, old_switch;

static void setup(void)
{
    rig = rig_new();
    rig->no_atomics_root = old_root;
    rig->no_atomics_switch = rig->no_prefixes_switch = old_switch;
    struct root_port *rp0 = rig_root_port(rig, 1, 0), *rp1 = rig_root_port(rig, 2, 0);
    const struct probe_params plain = {
        .functions = 1, .type = PCIE_ENDPOINT, .max_payload_bytes = 128};

    sw = rig_switch(rig, "sw", 3);
    link_connect(root_port_link(rp0), pcie_switch_upstream(sw));
    ep[A] = plug("a", pcie_switch_downstream(sw, 0));
    ep[B] = plug("b", pcie_switch_downstream(sw, 1));
    ep[C] = plug("c", root_port_link(rp1));
    dumb = probe_new(rig, "dumb", &plain);
    link_connect(pcie_switch_downstream(sw, 2), endpoint_port(dumb->ep));
    bridge(RP0, 1, 5, &places[A], 0xe02fffff);
    bridge(UP, 2, 5, &places[A], 0xe02fffff);
    bridge(DOWN(0), 3, 3, &places[A], 0xe00fffff);
    bridge(DOWN(1), 4, 4, &places[B], 0xe01fffff);
    bridge(DOWN(2), 5, 5, &(struct place){.regs = DUMB_BAR0, .mem = 0x4000200000}, 0xe02fffff);
    bridge(RP1, 8, 8, &places[C], 0xe10fffff);
    for (unsigned i = 0; i < EXERCISERS; i++)
        set_up_exerciser(&places[i]);
    probe_program(rig, DUMB_CFG, &(struct probe_map){.bar0 = DUMB_BAR0, .command = 2});
}

static void teardown(void)
{
    rig_settle(rig);
    for (unsigned i = 0; i < EXERCISERS; i++)
        endpoint_free(ep[i]);
    probe_free(dumb);
    pcie_switch_free(sw);
    rig_free(rig);
    old_root = old_switch = false;
}

static void setup_old_root(void)
{
    old_root = true;
    setup();
}

static void setup_old_switch(void)
{
    old_switch = true;
    setup();
}

static void set(unsigned who, unsigned offset, unsigned len, uint64_t value)
{
    rig_write(rig, ROOT_MEM_WRITE, places[who].regs + offset, len, value);
}

static uint64_t get(unsigned who, unsigned offset, unsigned len)
{
    return rig_read(rig, ROOT_MEM_READ, places[who].regs + offset, len);
}

static void ch_set(unsigned who, unsigned ch, unsigned offset, unsigned len, uint64_t value)
{
    set(who, EXERCISER_CHANNEL(ch) + offset, len, value);
}

static void start(unsigned who, unsigned ch, unsigned command, uint64_t addr, uint32_t len)
{
    ch_set(who, ch, EXERCISER_CH_ADDR, 8, addr);
    ch_set(who, ch, EXERCISER_CH_LOCAL, 8, 256 * ch);
    ch_set(who, ch, EXERCISER_CH_LEN, 4, len);
    ch_set(who, ch, EXERCISER_CH_COMMAND, 4, command);
}

static unsigned finish(unsigned who, unsigned ch)
{
    rig_run_for(rig, PS_PER_MS);
    uint64_t status = get(who, EXERCISER_CHANNEL(ch) + EXERCISER_CH_STATUS, 4);
    ck_assert_uint_eq(status & 3, EXERCISER_STATUS_DONE);
    return (unsigned)FIELD_GET(EXERCISER_STATUS_RESULT, status);
}

static unsigned run(unsigned who, unsigned command, uint64_t addr, uint32_t len)
{
    start(who, 0, command, addr, len);
    return finish(who, 0);
}

/* Everybody's memory through the host's eyes: exercisers' BAR 4, or RAM. */
static uint64_t peek(uint64_t addr, unsigned len)
{
    return addr < RIG_LOW_BYTES ? le_load(rig->low + addr, len)
                                : rig_read(rig, ROOT_MEM_READ, addr, len);
}

static void poke(uint64_t addr, unsigned len, uint64_t value)
{
    if (addr < RIG_LOW_BYTES)
        le_store(rig->low + addr, value, len);
    else
        rig_write(rig, ROOT_MEM_WRITE, addr, len, value);
}

START_TEST(copies_cross)
{
    for (unsigned from = 0; from < EXERCISERS; from++) {
        for (unsigned to = 0; to < EXERCISERS; to++) {
            uint64_t crc;

            if (from == to)
                continue;
            ch_set(from, 0, EXERCISER_CH_PATTERN, 4, 0x1000 * from + to);
            ch_set(from, 0, EXERCISER_CH_STEP, 4, 3);
            ck_assert_uint_eq(run(from, EXERCISER_FILL, 0, 20000), DMA_OK);
            crc = get(from, EXERCISER_CHANNEL(0) + EXERCISER_CH_CRC, 4);
            ck_assert_uint_eq(run(from, EXERCISER_WRITE, places[to].mem + 0x8003, 20000), DMA_OK);
            ck_assert_uint_eq(run(from, EXERCISER_FILL, 0, 40000), DMA_OK);
            ck_assert_uint_eq(run(from, EXERCISER_READ, places[to].mem + 0x8003, 20000), DMA_OK);
            ck_assert_uint_eq(get(from, EXERCISER_CHANNEL(0) + EXERCISER_CH_CRC, 4), crc);
            /* The other one finds it in its own memory. */
            ch_set(to, 1, EXERCISER_CH_LOCAL, 8, 0x8003);
            ch_set(to, 1, EXERCISER_CH_LEN, 4, 20000);
            ch_set(to, 1, EXERCISER_CH_COMMAND, 4, EXERCISER_CHECKSUM);
            ck_assert_uint_eq(finish(to, 1), DMA_OK);
            ck_assert_uint_eq(get(to, EXERCISER_CHANNEL(1) + EXERCISER_CH_CRC, 4), crc);
        }
    }
}
END_TEST

/* One random AtomicOp; what must come of it is worked out here. */
static void one_atomic(struct sim_rng *rng)
{
    static const unsigned commands[] = {EXERCISER_FETCHADD, EXERCISER_SWAP, EXERCISER_CAS};
    unsigned who = (unsigned)sim_rng_below(rng, EXERCISERS);
    unsigned target = (unsigned)sim_rng_below(rng, EXERCISERS + 1);
    unsigned command = commands[sim_rng_below(rng, 3)];
    unsigned len = 4u << sim_rng_below(rng, command == EXERCISER_CAS ? 3 : 2);
    uint64_t base = target == EXERCISERS || target == who ? 0x4000 : places[target].mem + 0x4000;
    uint64_t addr = base + len * sim_rng_below(rng, 8), mask = len == 4 ? 0xffffffff : UINT64_MAX;
    uint64_t old[2], operand[2], compare[2], want[2];
    bool hit;

    for (unsigned i = 0; i < 2; i++) {
        old[i] = len > 8 || i == 0 ? peek(addr + 8 * i, len < 8 ? len : 8) : 0;
        operand[i] = sim_rng_next(rng);
        compare[i] = sim_rng_below(rng, 2) ? old[i] : sim_rng_next(rng);
        ch_set(who, 0, EXERCISER_CH_OPERAND + 8 * i, 8, operand[i]);
        ch_set(who, 0, EXERCISER_CH_COMPARE + 8 * i, 8, compare[i]);
    }
    hit = ((compare[0] ^ old[0]) & mask) == 0 && (len < 16 || compare[1] == old[1]);
    for (unsigned i = 0; i < 2; i++) {
        want[i] = command == EXERCISER_FETCHADD ? old[i] + operand[i] : operand[i];
        if (command == EXERCISER_CAS && !hit)
            want[i] = old[i];
    }
    ck_assert_uint_eq(run(who, command, addr, len), DMA_OK);
    ck_assert_uint_eq(peek(addr, len < 8 ? len : 8), want[0] & mask);
    ck_assert(len < 16 || peek(addr + 8, 8) == want[1]);
    ck_assert_uint_eq(peek(places[who].mem, len < 8 ? len : 8), old[0] & mask);
    ck_assert(len < 16 || peek(places[who].mem + 8, 8) == old[1]);
}

START_TEST(atomics_do_what_they_say)
{
    struct sim_rng rng;

    sim_rng_init(&rng, 11, "atomics");
    for (unsigned i = 0; i < 400; i++)
        one_atomic(&rng);
}
END_TEST

/* Several at once on one counter: nothing is lost, and everybody saw another value. */
START_TEST(atomics_are_atomic)
{
    const uint64_t counters[] = {0x5000, places[B].mem + 0x5000, places[C].mem + 0x5000};
    uint32_t seen = 0;

    for (unsigned i = 0; i < ARRAY_LEN(counters); i++) {
        poke(counters[i], 8, 0);
        seen = 0;
        for (unsigned who = 0; who < EXERCISERS; who++) {
            for (unsigned ch = 0; ch < 4; ch++) {
                ch_set(who, ch, EXERCISER_CH_OPERAND, 8, 1);
                if (counters[i] - places[who].mem >= MEM_BYTES)
                    start(who, ch, EXERCISER_FETCHADD, counters[i], 8);
            }
        }
        for (unsigned who = 0; who < EXERCISERS; who++) {
            for (unsigned ch = 0; ch < 4; ch++) {
                if (counters[i] - places[who].mem < MEM_BYTES)
                    continue;
                ck_assert_uint_eq(finish(who, ch), DMA_OK);
                seen |= 1u << peek(places[who].mem + 256 * ch, 8);
            }
        }
        ck_assert_uint_eq(peek(counters[i], 8), i ? 8 : 12);
        ck_assert_uint_eq(seen, i ? 0xff : 0xfff);
    }
}
END_TEST

/* What a port's log says of one error: the bit, and an advisory one beside it. */
static void expect_blocked(uint64_t cfg, unsigned kind)
{
    uint64_t aer = ext_cap_at(cfg, PCI_EXT_AER);

    ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_UNCOR_STATUS, 4), 1u << kind);
    ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_CONTROL, 4) & PCI_AER_CONTROL_POINTER, kind);
    ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_COR_STATUS, 4), 1u << 13);
    ck_assert_uint_ne(rig_cfg_read(rig, aer + PCI_AER_HEADER_LOG, 4), 0);
    rig_cfg_write(rig, aer + PCI_AER_UNCOR_STATUS, 4, 0xffffffff);
    rig_cfg_write(rig, aer + PCI_AER_COR_STATUS, 4, 0xffffffff);
}

static void unmask_advisory(uint64_t cfg)
{
    rig_cfg_write(rig, ext_cap_at(cfg, PCI_EXT_AER) + PCI_AER_COR_MASK, 4, 0);
}

/* Egress blocking is the port's that the request would leave through (7.5.3.16). */
START_TEST(ports_block_atomics)
{
    static const struct {
        uint64_t port, addr;
        unsigned who;
        uint64_t other; /* goes out elsewhere */
    } rows[] = {
        {DOWN(1), 0x4000104000, A, 0x4010004000},
        {UP, 0x4000, A, 0x4000104000},
        {RP1, 0x4010004000, A, 0x4000104000},
        {RP0, 0x4000004000, C, 0x4000},
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned blocked_requests = rig->heard[TRACE_RULE];

        poke(rows[i].addr, 8, 7);
        poke(rows[i].other, 8, 8);
        ch_set(rows[i].who, 0, EXERCISER_CH_OPERAND, 8, 1);
        control2(rows[i].port, PCIE_DEVCTL2_ATOMIC_BLOCK);
        unmask_advisory(rows[i].port);
        ck_assert_uint_eq(run(rows[i].who, EXERCISER_FETCHADD, rows[i].addr, 8), DMA_UR);
        ck_assert_uint_eq(rig->heard[TRACE_RULE], blocked_requests + 1);
        ck_assert_ptr_nonnull(strstr(rig->last_rule, "egress blocked"));
        ck_assert_uint_eq(peek(rows[i].addr, 8), 7);
        expect_blocked(rows[i].port, PCI_ERROR_ATOMIC_EGRESS);
        ck_assert_uint_eq(run(rows[i].who, EXERCISER_FETCHADD, rows[i].other, 8), DMA_OK);
        ck_assert_uint_eq(peek(rows[i].other, 8), 9);
        control2(rows[i].port, 0);
        ck_assert_uint_eq(run(rows[i].who, EXERCISER_FETCHADD, rows[i].addr, 8), DMA_OK);
        ck_assert_uint_eq(peek(rows[i].addr, 8), 8);
    }
}
END_TEST

/* The same where the root complex finds the peer after a redirection. */
START_TEST(ports_block_redirected_atomics)
{
    rig_cfg_write(rig, ext_cap_at(RP0, PCI_EXT_ACS) + PCI_ACS_CONTROL, 2, PCI_ACS_REQUEST_REDIRECT);
    ch_set(A, 0, EXERCISER_CH_OPERAND, 8, 1);
    ck_assert_uint_eq(run(A, EXERCISER_FETCHADD, places[C].mem + 0x4000, 8), DMA_OK);
    control2(RP1, PCIE_DEVCTL2_ATOMIC_BLOCK);
    control3(RP1, PCI_DEV3_CTL_DMWR_BLOCK);
    unmask_advisory(RP1);
    ck_assert_uint_eq(run(A, EXERCISER_FETCHADD, places[C].mem + 0x4000, 8), DMA_UR);
    expect_blocked(RP1, PCI_ERROR_ATOMIC_EGRESS);
    ck_assert_uint_eq(run(A, EXERCISER_DMWR, places[C].mem + 0x4000, 8), DMA_UR);
    expect_blocked(RP1, PCI_ERROR_DMWR_EGRESS);
    ck_assert_uint_eq(run(A, EXERCISER_READ, places[C].mem + 0x4000, 8), DMA_OK);
}
END_TEST

static uint32_t capabilities2(uint64_t cfg)
{
    return rig_cfg_read(rig, cap_at(cfg, PCI_CAP_PCIE) + PCIE_DEVCAP2, 4);
}

/* Root ports that say no: memory does not complete them, and none passes between them. */
START_TEST(root_without_atomics)
{
    const uint32_t bits = PCIE_DEVCAP2_ATOMIC_ROUTE | PCIE_DEVCAP2_ATOMIC_32 |
                          PCIE_DEVCAP2_ATOMIC_64 | PCIE_DEVCAP2_ATOMIC_128 | PCIE_DEVCAP2_DMWR;

    ck_assert_uint_eq(capabilities2(RP0) & bits, 0);
    ck_assert_uint_eq(capabilities2(UP) & bits, PCIE_DEVCAP2_ATOMIC_ROUTE);
    poke(0x4000, 8, 7);
    ch_set(A, 0, EXERCISER_CH_OPERAND, 8, 1);
    ck_assert_uint_eq(run(A, EXERCISER_FETCHADD, 0x4000, 8), DMA_UR);
    ck_assert_uint_eq(run(A, EXERCISER_DMWR, 0x4000, 8), DMA_UR);
    ck_assert_uint_eq(run(C, EXERCISER_CAS, 0x4000, 16), DMA_UR);
    ck_assert_uint_eq(peek(0x4000, 8), 7);
    ck_assert_uint_eq(run(A, EXERCISER_FETCHADD, places[C].mem + 0x4000, 8), DMA_UR);
    ck_assert_ptr_nonnull(strstr(rig->last_rule, "do not route"));
    ck_assert_uint_eq(run(C, EXERCISER_DMWR, places[A].mem + 0x4000, 8), DMA_UR);
    ck_assert_uint_eq(run(A, EXERCISER_FETCHADD, places[B].mem + 0x4000, 8), DMA_OK);
}
END_TEST

/* A switch that does not know them drops them as malformed. */
START_TEST(switch_without_atomics)
{
    uint64_t aer = ext_cap_at(DOWN(0), PCI_EXT_AER);

    ck_assert_uint_eq(capabilities2(UP) & PCIE_DEVCAP2_ATOMIC_ROUTE, 0);
    ck_assert_uint_eq(capabilities2(DOWN(0)) & PCIE_DEVCAP2_ATOMIC_ROUTE, 0);
    poke(0x4000, 8, 7);
    start(A, 0, EXERCISER_SWAP, 0x4000, 8);
    rig_run_for(rig, PS_PER_MS);
    ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_UNCOR_STATUS, 4), 1u << PCI_ERROR_MALFORMED);
    rig_cfg_write(rig, aer + PCI_AER_UNCOR_STATUS, 4, 0xffffffff);
    start(C, 0, EXERCISER_DMWR, places[A].mem, 8);
    rig_run_for(rig, 100 * PS_PER_MS);
    ck_assert_uint_eq(finish(A, 0), DMA_TIMEOUT);
    ck_assert_uint_eq(finish(C, 0), DMA_TIMEOUT);
    aer = ext_cap_at(UP, PCI_EXT_AER);
    ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_UNCOR_STATUS, 4), 1u << PCI_ERROR_MALFORMED);
    ck_assert_uint_eq(peek(0x4000, 8), 7);
}
END_TEST

static unsigned run_with_prefixes(unsigned who, unsigned command, uint64_t addr, unsigned prefixes)
{
    ch_set(who, 0, EXERCISER_CH_ATTR, 4, FIELD_PREP(EXERCISER_ATTR_PREFIXES, prefixes));
    unsigned result = run(who, command, addr, 4);
    ch_set(who, 0, EXERCISER_CH_ATTR, 4, 0);
    return result;
}

/* And one that does not know end-end prefixes drops what has any. */
START_TEST(switch_without_prefixes)
{
    uint64_t aer = ext_cap_at(DOWN(0), PCI_EXT_AER);

    ck_assert_uint_eq(capabilities2(DOWN(0)) & PCIE_DEVCAP2_PREFIX, 0);
    poke(0x4000, 4, 7);
    ck_assert_uint_eq(run_with_prefixes(A, EXERCISER_WRITE, 0x4000, 1), DMA_OK);
    ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_UNCOR_STATUS, 4), 1u << PCI_ERROR_MALFORMED);
    ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_CONTROL, 4) & PCI_AER_CONTROL_PREFIX, 0);
    ck_assert_uint_eq(peek(0x4000, 4), 7);
}
END_TEST

START_TEST(prefixes_pass)
{
    const uint64_t targets[] = {0x4000, places[B].mem + 0x4000, places[C].mem + 0x4000};

    ck_assert_uint_eq(capabilities2(DOWN(0)) & (PCIE_DEVCAP2_PREFIX | PCIE_DEVCAP2_PREFIX_MAX),
                      PCIE_DEVCAP2_PREFIX);
    for (unsigned i = 0; i < ARRAY_LEN(targets); i++) {
        for (unsigned prefixes = 0; prefixes <= 4; prefixes++) {
            poke(targets[i], 4, 0);
            poke(places[A].mem, 4, 0x1000 + prefixes);
            ck_assert_uint_eq(run_with_prefixes(A, EXERCISER_WRITE, targets[i], prefixes), DMA_OK);
            ck_assert_uint_eq(peek(targets[i], 4), 0x1000 + prefixes);
            ck_assert_uint_eq(run_with_prefixes(A, EXERCISER_READ, targets[i], prefixes), DMA_OK);
        }
    }
    /* The dumb endpoint announces none. */
    uint64_t aer = ext_cap_at(DUMB_CFG, PCI_EXT_AER);
    ck_assert_uint_eq(run_with_prefixes(A, EXERCISER_WRITE, DUMB_BAR0, 1), DMA_OK);
    ck_assert_uint_eq(dumb->func[0].writes, 0);
    ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_UNCOR_STATUS, 4), 1u << PCI_ERROR_MALFORMED);
}
END_TEST

/* 2.2.10.4: egress blocking, TLP Prefix Log (7.8.4.12). */
START_TEST(ports_block_prefixes)
{
    static const struct {
        uint64_t port, addr, other;
        unsigned who;
    } rows[] = {
        {DOWN(1), 0x4000104000, 0x4010004000, A},
        {UP, 0x4000, 0x4000104000, A},
        {RP1, 0x4010004000, 0x4000, A},
        {RP0, 0x4000004000, 0x4000, C},
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t aer = ext_cap_at(rows[i].port, PCI_EXT_AER);

        poke(rows[i].addr, 4, 7);
        control2(rows[i].port, PCIE_DEVCTL2_PREFIX_BLOCK);
        unmask_advisory(rows[i].port);
        ck_assert_uint_eq(run_with_prefixes(rows[i].who, EXERCISER_READ, rows[i].addr, 3), DMA_UR);
        ck_assert(rig_cfg_read(rig, aer + PCI_AER_CONTROL, 4) & PCI_AER_CONTROL_PREFIX);
        for (unsigned n = 0; n < 4; n++)
            ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_PREFIX_LOG + 4 * n, 4),
                              n < 3 ? 0x9e000000 + n : 0);
        expect_blocked(rows[i].port, PCI_ERROR_PREFIX_BLOCKED);
        ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_CONTROL, 4) & PCI_AER_CONTROL_PREFIX, 0);
        /* A write is dropped, and no advisory error. */
        ck_assert_uint_eq(run_with_prefixes(rows[i].who, EXERCISER_WRITE, rows[i].addr, 1), DMA_OK);
        ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_COR_STATUS, 4), 0);
        ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_UNCOR_STATUS, 4), 1u << 25);
        rig_cfg_write(rig, aer + PCI_AER_UNCOR_STATUS, 4, 0xffffffff);
        ck_assert_uint_eq(peek(rows[i].addr, 4), 7);
        /* Others pass, and everything by other ways. */
        ck_assert_uint_eq(run_with_prefixes(rows[i].who, EXERCISER_READ, rows[i].addr, 0), DMA_OK);
        ck_assert_uint_eq(run_with_prefixes(rows[i].who, EXERCISER_READ, rows[i].other, 4), DMA_OK);
        control2(rows[i].port, 0);
    }
}
END_TEST

static void emit(unsigned who, unsigned what, uint64_t addr, unsigned id)
{
    ch_set(who, 0, EXERCISER_CH_PATTERN, 4, what);
    ch_set(who, 0, EXERCISER_CH_STEP, 4, id);
    ck_assert_uint_eq(run(who, EXERCISER_EMIT, addr, 0), DMA_OK);
}

START_TEST(prefixes_of_unknown_types)
{
    uint64_t down = ext_cap_at(DOWN(0), PCI_EXT_AER), b = ext_cap_at(places[B].cfg, PCI_EXT_AER);
    uint64_t root = ext_cap_at(RP0, PCI_EXT_AER);

    poke(0x4000, 4, 7);
    emit(A, EXERCISER_EMIT_LOCAL, 0x4000, 0);
    ck_assert_uint_eq(rig_cfg_read(rig, down + PCI_AER_UNCOR_STATUS, 4), 1u << PCI_ERROR_MALFORMED);
    ck_assert_uint_eq(rig_cfg_read(rig, down + PCI_AER_CONTROL, 4) & PCI_AER_CONTROL_PREFIX, 0);
    /* A PASID: neither an endpoint that has none, nor a root complex without an agent takes it. */
    emit(A, EXERCISER_EMIT_PREFIX, places[B].mem, 5);
    ck_assert_uint_eq(rig_cfg_read(rig, b + PCI_AER_UNCOR_STATUS, 4), 1u << PCI_ERROR_UNSUPPORTED);
    ck_assert_uint_eq(rig_cfg_read(rig, b + PCI_AER_PREFIX_LOG, 4), 0x91000005);
    emit(A, EXERCISER_EMIT_PREFIX, 0x4000, 5);
    ck_assert_uint_eq(rig_cfg_read(rig, root + PCI_AER_UNCOR_STATUS, 4),
                      1u << PCI_ERROR_UNSUPPORTED);
    ck_assert_uint_eq(peek(0x4000, 4), 7);
}
END_TEST

START_TEST(atomics_that_fail)
{
    const uint64_t target = places[B].mem + 0x6000;

    poke(target, 8, 1);
    poke(DUMB_BAR0, 8, 1);
    ch_set(A, 0, EXERCISER_CH_OPERAND, 8, 1);
    /* No completer: an endpoint that has no AtomicOps; nobody at all; the interrupt range. */
    ck_assert_uint_eq(run(A, EXERCISER_FETCHADD, DUMB_BAR0, 4), DMA_UR);
    ck_assert_uint_eq(dumb->func[0].bar[0][0], 1);
    ck_assert_uint_eq(run(A, EXERCISER_SWAP, 0x800000000000, 8), DMA_UR);
    ck_assert_uint_eq(run(A, EXERCISER_SWAP, 0xfee00000, 4), DMA_UR);
    ck_assert_uint_eq(rig->msis, 0);
    /* Sizes and places that there are not. */
    ck_assert_uint_eq(run(A, EXERCISER_FETCHADD, target, 16), EXERCISER_RESULT_INVALID);
    ck_assert_uint_eq(run(A, EXERCISER_FETCHADD, target + 4, 8), EXERCISER_RESULT_INVALID);
    ck_assert_uint_eq(run(A, EXERCISER_CAS, target, 0), EXERCISER_RESULT_INVALID);
    /* Poisoned. */
    ch_set(A, 0, EXERCISER_CH_ATTR, 4, EXERCISER_ATTR_POISON);
    ck_assert_uint_eq(run(A, EXERCISER_FETCHADD, target, 8), DMA_UR);
    ch_set(A, 0, EXERCISER_CH_ATTR, 4, 0);
    /* Requester Enable. */
    control2(places[A].cfg, 0);
    ck_assert_uint_eq(run(A, EXERCISER_FETCHADD, target, 8), DMA_NO_MASTER);
    ck_assert_uint_eq(peek(target, 8), 1);
    control2(places[A].cfg, PCIE_DEVCTL2_ATOMIC);
    ck_assert_uint_eq(run(A, EXERCISER_FETCHADD, target, 8), DMA_OK);
    ck_assert_uint_eq(peek(target, 8), 2);
}
END_TEST

START_TEST(deferrable_writes)
{
    const uint64_t targets[] = {0x7000, places[B].mem + 0x7000, places[C].mem + 0x7001};

    ch_set(A, 0, EXERCISER_CH_PATTERN, 4, 0x01020304);
    ck_assert_uint_eq(run(A, EXERCISER_FILL, 0, 128), DMA_OK);
    for (unsigned i = 0; i < ARRAY_LEN(targets); i++) {
        ck_assert_uint_eq(run(A, EXERCISER_DMWR, targets[i], 127), DMA_OK);
        ck_assert_uint_eq(peek(targets[i], 4), 0x01020304);
        ck_assert_uint_eq(peek(targets[i] + 124, 4), 0x00020304);
    }
    poke(targets[1], 4, 0);
    set(B, EXERCISER_DMWR_DEFER, 4, 2);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(run(A, EXERCISER_DMWR, targets[1], 4), i < 2 ? DMA_RETRY : DMA_OK);
        ck_assert_uint_eq(peek(targets[1], 4), i < 2 ? 0 : 0x01020304);
    }
    ck_assert_uint_eq(run(A, EXERCISER_DMWR, targets[1], 129), EXERCISER_RESULT_INVALID);
    ck_assert_uint_eq(run(A, EXERCISER_DMWR, targets[1] - 4, 8), EXERCISER_RESULT_INVALID);
    ck_assert_uint_eq(run(A, EXERCISER_DMWR, DUMB_BAR0, 4), DMA_UR);
    control3(DOWN(1), PCI_DEV3_CTL_DMWR_BLOCK);
    unmask_advisory(DOWN(1));
    ck_assert_uint_eq(run(A, EXERCISER_DMWR, targets[1], 4), DMA_UR);
    expect_blocked(DOWN(1), PCI_ERROR_DMWR_EGRESS);
    control3(DOWN(1), 0);
    ck_assert_uint_eq(run(A, EXERCISER_DMWR, targets[1], 4), DMA_OK);
    control3(places[A].cfg, 0);
    ck_assert_uint_eq(run(A, EXERCISER_DMWR, targets[1], 4), DMA_NO_MASTER);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exerciser-peer");
    TCase *tc = tcase_create("peer");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, copies_cross);
    tcase_add_test(tc, atomics_do_what_they_say);
    tcase_add_test(tc, atomics_are_atomic);
    tcase_add_test(tc, ports_block_atomics);
    tcase_add_test(tc, atomics_that_fail);
    tcase_add_test(tc, deferrable_writes);
    tcase_add_test(tc, ports_block_redirected_atomics);
    tcase_add_test(tc, prefixes_pass);
    tcase_add_test(tc, ports_block_prefixes);
    tcase_add_test(tc, prefixes_of_unknown_types);
    suite_add_tcase(suite, tc);
    tc = tcase_create("old-root");
    tcase_add_checked_fixture(tc, setup_old_root, teardown);
    tcase_add_test(tc, root_without_atomics);
    suite_add_tcase(suite, tc);
    tc = tcase_create("old-switch");
    tcase_add_checked_fixture(tc, setup_old_switch, teardown);
    tcase_add_test(tc, switch_without_atomics);
    tcase_add_test(tc, switch_without_prefixes);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
