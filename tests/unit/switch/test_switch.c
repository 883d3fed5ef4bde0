/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Switches: internal bus, forwarding, peer-to-peer, resets, INTx swizzling, interrupts. */
#include <string.h>

#include "pcilab/fabric/inject.h"
#include "pcilab/fabric/message.h"
#include "pcilab/pci/config.h"
#include "rig.h"

/*
 * rp 00:01.0 -- switch a (bus 1, internal 2): port 0 -- probe0 (bus 3)
 *                                            port 1 -- switch b (bus 4, internal 5)
 *                                                        port 0 -- probe1 (bus 6)
 *                                                        port 1 -- nothing (bus 7)
 *                                            port 2 -- probe2 (bus 8)
 */
#define RP      RIG_CFG(0, 1, 0, 0)
#define A_UP    RIG_CFG(1, 0, 0, 0)
#define A_DN(i) RIG_CFG(2, i, 0, 0)
#define B_UP    RIG_CFG(4, 0, 0, 0)
#define B_DN(i) RIG_CFG(5, i, 0, 0)
#define PROBES  3

static const unsigned probe_bus[PROBES] = {3, 6, 8};
static const uint64_t probe_mem[PROBES] = {0xe0000000, 0xe0200000, 0xe0500000};
static const uint64_t probe_pref[PROBES] = {0x4000000000, 0x4000200000, 0x4000500000};
static const uint64_t probe_io[PROBES] = {0x1000, 0x3000, 0x5000};

struct machine {
    struct rig *rig;
    struct root_port *rp;
    struct pcie_switch *a, *b;
    struct probe *probe[PROBES];
};

/* Windows of probes first..last. */
static void bridge(struct machine *m, uint64_t cfg, const unsigned buses[3], int first, int last)
{
    struct rig_windows w = {
        .primary = buses[0],
        .secondary = buses[1],
        .subordinate = buses[2],
        .mem_base = 0xfff00000,
        .pref_base = 0xfff00000,
        .io_base = 0xf000,
    };

    if (first >= 0) {
        w.mem_base = probe_mem[first];
        w.mem_limit = probe_mem[last];
        w.pref_base = probe_pref[first];
        w.pref_limit = probe_pref[last];
        w.io_base = probe_io[first];
        w.io_limit = probe_io[last];
    }
    rig_program_bridge(m->rig, cfg, &w);
}

static void bring_up(struct machine *m)
{
    bridge(m, RP, (unsigned[]){0, 1, 8}, 0, 2);
    bridge(m, A_UP, (unsigned[]){1, 2, 8}, 0, 2);
    bridge(m, A_DN(0), (unsigned[]){2, 3, 3}, 0, 0);
    bridge(m, A_DN(1), (unsigned[]){2, 4, 7}, 1, 1);
    bridge(m, A_DN(2), (unsigned[]){2, 8, 8}, 2, 2);
    bridge(m, B_UP, (unsigned[]){4, 5, 7}, 1, 1);
    bridge(m, B_DN(0), (unsigned[]){5, 6, 6}, 1, 1);
    bridge(m, B_DN(1), (unsigned[]){5, 7, 7}, -1, -1);
    for (unsigned i = 0; i < PROBES; i++) {
        const struct probe_map map = {
            .bar0 = probe_mem[i],
            .io = probe_io[i],
            .bar2 = probe_pref[i],
            .bar4 = probe_mem[i] + 0x10000,
            .command = 7,
        };

        probe_program(m->rig, RIG_CFG(probe_bus[i], 0, 0, 0), &map);
    }
}

static void machine_init(struct machine *m)
{
    const struct probe_params params = {.functions = 1, .type = PCIE_ENDPOINT};

    m->rig = rig_new();
    m->rp = rig_root_port(m->rig, 1, 0);
    m->a = rig_switch(m->rig, "a", 3);
    m->b = rig_switch(m->rig, "b", 2);
    for (unsigned i = 0; i < PROBES; i++)
        m->probe[i] = probe_new(m->rig, i == 0 ? "p0" : i == 1 ? "p1" : "p2", &params);
    link_connect(root_port_link(m->rp), pcie_switch_upstream(m->a));
    link_connect(pcie_switch_downstream(m->a, 0), endpoint_port(m->probe[0]->ep));
    link_connect(pcie_switch_downstream(m->a, 1), pcie_switch_upstream(m->b));
    link_connect(pcie_switch_downstream(m->b, 0), endpoint_port(m->probe[1]->ep));
    link_connect(pcie_switch_downstream(m->a, 2), endpoint_port(m->probe[2]->ep));
    bring_up(m);
}

static void machine_fini(struct machine *m)
{
    rig_settle(m->rig);
    for (unsigned i = 0; i < PROBES; i++)
        probe_free(m->probe[i]);
    pcie_switch_free(m->b);
    pcie_switch_free(m->a);
    rig_free(m->rig);
}

static enum dma_status dma(struct machine *m, unsigned which, enum dma_kind kind, uint64_t addr,
                           void *buf, unsigned len)
{
    struct probe_dma dma = {.op = {.kind = kind, .addr = addr, .len = len, .buf = buf}};

    return probe_dma(m->rig, &m->probe[which]->func[0], &dma);
}

START_TEST(test_configuration)
{
    struct machine m;
    uint16_t flags;

    machine_init(&m);
    ck_assert_uint_eq(rig_cfg_read(m.rig, A_UP + 8, 4) >> 8, 0x060400);
    flags = (uint16_t)rig_cfg_read(m.rig, A_UP + pcie_switch_func(m.a, -1)->cap_pcie + 2, 2);
    ck_assert_uint_eq(FIELD_GET(PCIE_FLAGS_TYPE, flags), PCIE_UPSTREAM_PORT);
    for (unsigned i = 0; i < 3; i++) {
        flags =
            (uint16_t)rig_cfg_read(m.rig, A_DN(i) + pcie_switch_func(m.a, (int)i)->cap_pcie + 2, 2);
        ck_assert_uint_eq(FIELD_GET(PCIE_FLAGS_TYPE, flags), PCIE_DOWNSTREAM_PORT);
        ck_assert_uint_eq(pcie_switch_func(m.a, (int)i)->rid.v, 0x0200 | i << 3);
    }
    ck_assert_uint_eq(pcie_switch_func(m.a, -1)->rid.v, 0x0100);
    ck_assert_uint_eq(pcie_switch_func(m.b, -1)->rid.v, 0x0400);
    /* Absent devices and functions on the internal bus; absent functions of the upstream port; a
     * port with nothing behind it; other device numbers on a link. */
    ck_assert_uint_eq(rig_cfg_read(m.rig, A_DN(3), 4), 0xffffffff);
    ck_assert_uint_eq(rig_cfg_read(m.rig, RIG_CFG(2, 0, 1, 0), 4), 0xffffffff);
    ck_assert_uint_eq(rig_cfg_read(m.rig, RIG_CFG(1, 0, 1, 0), 4), 0xffffffff);
    ck_assert_uint_eq(rig_cfg_read(m.rig, RIG_CFG(7, 0, 0, 0), 4), 0xffffffff);
    ck_assert_uint_eq(rig_cfg_read(m.rig, RIG_CFG(3, 4, 0, 0), 4), 0xffffffff);
    ck_assert_uint_eq(rig_cfg_read(m.rig, RIG_CFG(6, 0, 0, 0), 4), 0x11121556);
    ck_assert_uint_eq(m.probe[1]->func[0].pci->rid.v, 0x0600);
    machine_fini(&m);
}
END_TEST

START_TEST(test_config_type_conversion_on_the_way)
{
    struct machine m;
    unsigned before;

    machine_init(&m);
    before = m.rig->heard[TRACE_TLP];
    rig_cfg_read(m.rig, RIG_CFG(6, 0, 0, 0), 4);
    /* Three links down, three up. */
    ck_assert_uint_eq(m.rig->heard[TRACE_TLP] - before, 6);
    machine_fini(&m);
}
END_TEST

START_TEST(test_memory_and_io)
{
    struct machine m;
    uint8_t data[3000], back[3000];

    machine_init(&m);
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i ^ i >> 8);
    for (unsigned i = 0; i < PROBES; i++) {
        rig_write(m.rig, ROOT_MEM_WRITE, probe_mem[i] + 8, 4, 0xa0000000 + i);
        ck_assert_uint_eq(le32_load(m.probe[i]->func[0].bar[0] + 8), 0xa0000000 + i);
        rig_write(m.rig, ROOT_MEM_WRITE, probe_pref[i] + 0xffff8, 8, 0xb0000000 + i);
        ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, probe_pref[i] + 0xffff8, 8),
                          0xb0000000 + i);
        rig_write(m.rig, ROOT_IO_WRITE, probe_io[i] + 3, 1, 0xc0 + i);
        ck_assert_uint_eq(rig_read(m.rig, ROOT_IO_READ, probe_io[i] + 3, 1), 0xc0 + i);
        ck_assert_int_eq(dma(&m, i, DMA_WRITE, 0x3001 + i * 4096, data, sizeof(data)), DMA_OK);
        ck_assert_mem_eq(m.rig->low + 0x3001 + i * 4096, data, sizeof(data));
        ck_assert_int_eq(dma(&m, i, DMA_READ, 0x3001 + i * 4096, back, sizeof(back)), DMA_OK);
        ck_assert_mem_eq(back, data, sizeof(data));
    }
    /* In the upstream port's windows, in no downstream port's. */
    ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, 0xe0100000, 4), 0xffffffff);
    ck_assert_int_eq(dma(&m, 0, DMA_READ, 0xe0100000, back, 4), DMA_UR);
    machine_fini(&m);
}
END_TEST

START_TEST(test_peer_to_peer)
{
    struct machine m;
    uint8_t data[256], back[256];
    unsigned before;

    machine_init(&m);
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 3);
    for (unsigned from = 0; from < PROBES; from++) {
        for (unsigned to = 0; to < PROBES; to++) {
            enum dma_status want = from == to ? DMA_UR : DMA_OK;

            before = m.rig->heard[TRACE_TLP];
            ck_assert_int_eq(dma(&m, from, DMA_WRITE, probe_mem[to] + from * 256, data, 256),
                             DMA_OK);
            /* Two writes, across the switch, not through the root complex. */
            if (from + to == 2 && from != to)
                ck_assert_uint_eq(m.rig->heard[TRACE_TLP] - before, 4);
            ck_assert_int_eq(dma(&m, from, DMA_READ, probe_mem[to] + from * 256, back, 256), want);
            if (want == DMA_OK) {
                ck_assert_mem_eq(back, data, 256);
                ck_assert_mem_eq(m.probe[to]->func[0].bar[0] + from * 256, data, 256);
            }
        }
    }
    /* Bus Master Enable of the port it comes in by, Memory Space Enable of the one it leaves by. */
    rig_cfg_write(m.rig, A_DN(0) + 4, 2, 3);
    ck_assert_int_eq(dma(&m, 0, DMA_READ, probe_mem[2], back, 4), DMA_UR);
    ck_assert_int_eq(dma(&m, 2, DMA_READ, probe_mem[0], back, 4), DMA_OK);
    rig_cfg_write(m.rig, A_DN(0) + 4, 2, 5);
    ck_assert_int_eq(dma(&m, 2, DMA_READ, probe_mem[0], back, 4), DMA_UR);
    /* The upstream port's Bus Master Enable rules the way to the host, not between peers. */
    rig_cfg_write(m.rig, A_DN(0) + 4, 2, 7);
    rig_cfg_write(m.rig, A_UP + 4, 2, 3);
    ck_assert_int_eq(dma(&m, 2, DMA_READ, probe_mem[0], back, 4), DMA_OK);
    ck_assert_int_eq(dma(&m, 2, DMA_READ, 0x1000, back, 4), DMA_UR);
    ck_assert(rig_cfg_read(m.rig, A_UP + pcie_switch_func(m.a, -1)->cap_pcie + PCIE_DEVSTA, 2) &
              PCIE_DEVSTA_UR);
    machine_fini(&m);
}
END_TEST

START_TEST(test_secondary_bus_resets)
{
    struct machine m;
    struct {
        uint64_t at;
        bool hits[PROBES];
        bool resets_a, resets_b;
    } cases[] = {
        {RP, {true, true, true}, true, true},
        {A_UP, {true, true, true}, false, true},
        {A_DN(0), {true, false, false}, false, false},
        {A_DN(1), {false, true, false}, false, true},
        {B_UP, {false, true, false}, false, false},
        {B_DN(0), {false, true, false}, false, false},
    };
    unsigned resets[PROBES] = {0};

    machine_init(&m);
    for (unsigned c = 0; c < ARRAY_LEN(cases); c++) {
        rig_cfg_write(m.rig, cases[c].at + 0x3e, 2, 0x40);
        ck_assert_uint_eq(tlp_pool_live(m.rig->fabric->pool), 0);
        for (unsigned i = 0; i < PROBES; i++) {
            uint32_t want = cases[c].hits[i] ? 0xffffffff : 0x11121556;

            resets[i] += cases[c].hits[i];
            ck_assert_uint_eq(m.probe[i]->func[0].resets[ENDPOINT_RESET_HOT], resets[i]);
            ck_assert_uint_eq(rig_cfg_read(m.rig, RIG_CFG(probe_bus[i], 0, 0, 0), 4), want);
        }
        rig_cfg_write(m.rig, cases[c].at + 0x3e, 2, 0);
        if (cases[c].resets_a)
            ck_assert_uint_eq(pcie_switch_func(m.a, -1)->windows.secondary, 0);
        ck_assert_int_eq(pcie_switch_func(m.b, -1)->windows.secondary == 0, cases[c].resets_b);
        bring_up(&m);
        for (unsigned i = 0; i < PROBES; i++) {
            ck_assert_uint_eq(rig_cfg_read(m.rig, RIG_CFG(probe_bus[i], 0, 0, 0), 4), 0x11121556);
            rig_write(m.rig, ROOT_MEM_WRITE, probe_mem[i] + 4, 4, c + i);
            ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, probe_mem[i] + 4, 4), c + i);
        }
    }
    machine_fini(&m);
}
END_TEST

START_TEST(test_reset_while_traffic_flows)
{
    struct machine m;
    static uint8_t buf[PROBES][65536];
    struct probe_dma ops[PROBES];

    machine_init(&m);
    for (unsigned round = 0; round < 40; round++) {
        for (unsigned i = 0; i < PROBES; i++) {
            ops[i] = (struct probe_dma){.op = {.kind = (round + i) & 1 ? DMA_READ : DMA_WRITE,
                                               .addr = 0x10000,
                                               .len = sizeof(buf[i]),
                                               .buf = buf[i]}};
            probe_dma_start(&m.probe[i]->func[0], &ops[i]);
        }
        /* Host request and reset are under way together with them. */
        rig_cfg_write(m.rig, round & 1 ? RP + 0x3e : A_DN(1) + 0x3e, 2, 0x40);
        rig_cfg_write(m.rig, round & 1 ? RP + 0x3e : A_DN(1) + 0x3e, 2, 0);
        rig_settle(m.rig);
        ck_assert_uint_eq(tlp_pool_live(m.rig->fabric->pool), 0);
        bring_up(&m);
        for (unsigned i = 0; i < PROBES; i++) {
            ops[i].op.kind = DMA_READ;
            ck_assert_int_eq(probe_dma(m.rig, &m.probe[i]->func[0], &ops[i]), DMA_OK);
            ck_assert_mem_eq(buf[i], m.rig->low + 0x10000, sizeof(buf[i]));
        }
    }
    machine_fini(&m);
}
END_TEST

START_TEST(test_intx_swizzle)
{
    struct machine m;
    struct endpoint_func *func[PROBES];
    unsigned changes;

    machine_init(&m);
    for (unsigned i = 0; i < PROBES; i++)
        func[i] = m.probe[i]->func[0].func;
    /* INTA through port 0 of a: pin A at device 1 of the root bus: line 1. */
    endpoint_set_intx(func[0], true);
    rig_settle(m.rig);
    ck_assert(m.rig->intx[1]);
    /* Through port 0 of b, then port 1 of a: pin B there: line 2. */
    endpoint_set_intx(func[1], true);
    rig_settle(m.rig);
    ck_assert(m.rig->intx[2]);
    /* Through port 2 of a: pin C: line 3. */
    endpoint_set_intx(func[2], true);
    rig_settle(m.rig);
    ck_assert(m.rig->intx[3]);
    /* Port 1 of b would be pin B there, C in a: shares line 3 with probe 2; the port's own. */
    changes = m.rig->intx_changes;
    pci_func_set_intx(pcie_switch_func(m.b, 1), true);
    rig_settle(m.rig);
    ck_assert_uint_eq(m.rig->intx_changes, changes);
    endpoint_set_intx(func[2], false);
    rig_settle(m.rig);
    ck_assert(m.rig->intx[3]);
    pci_func_set_intx(pcie_switch_func(m.b, 1), false);
    rig_settle(m.rig);
    ck_assert(!m.rig->intx[3]);
    /* A link that goes down lets go of what came over it, here and above. */
    rig_cfg_write(m.rig, A_DN(1) + 0x3e, 2, 0x40);
    ck_assert(!m.rig->intx[2] && m.rig->intx[1]);
    rig_cfg_write(m.rig, RP + 0x3e, 2, 0x40);
    ck_assert(!m.rig->intx[1]);
    machine_fini(&m);
}
END_TEST

START_TEST(test_port_msi)
{
    struct machine m;
    struct {
        uint64_t cfg;
        struct pci_func *func;
    } ports[3];

    machine_init(&m);
    ports[0].cfg = A_UP;
    ports[0].func = pcie_switch_func(m.a, -1);
    ports[1].cfg = A_DN(2);
    ports[1].func = pcie_switch_func(m.a, 2);
    ports[2].cfg = B_DN(0);
    ports[2].func = pcie_switch_func(m.b, 0);
    for (unsigned i = 0; i < ARRAY_LEN(ports); i++) {
        rig_cfg_write(m.rig, ports[i].cfg + ports[i].func->cap_msi + 4, 4, 0xfee00000);
        rig_cfg_write(m.rig, ports[i].cfg + ports[i].func->cap_msi + 0xc, 2, 0x30 + i);
        rig_cfg_write(m.rig, ports[i].cfg + ports[i].func->cap_msi + 2, 2, 1);
        pci_func_msi_raise(ports[i].func, 0);
        rig_settle(m.rig);
        ck_assert_uint_eq(m.rig->msis, i + 1);
        ck_assert_uint_eq(m.rig->msi[i].data, 0x30 + i);
    }
    machine_fini(&m);
}
END_TEST

START_TEST(test_slot_power_and_broadcast)
{
    struct machine m;
    struct tlp *tlp;
    unsigned rules;

    machine_init(&m);
    ck_assert_uint_eq(
        rig_cfg_read(m.rig, A_UP + pcie_switch_func(m.a, -1)->cap_pcie + 4, 4) >> 18 & 0x3ff, 25);
    /* A broadcast reaches all three endpoints, which do not know it and say so. */
    rules = m.rig->heard[TRACE_RULE];
    tlp = tlp_new(m.rig->fabric->pool, TLP_MSG, 0);
    tlp->msg_code = 0x00; /* Unlock */
    tlp->msg_routing = TLP_MSG_BROADCAST;
    port_send(root_port_link(m.rp), tlp);
    rig_settle(m.rig);
    ck_assert_uint_eq(m.rig->heard[TRACE_RULE] - rules, PROBES);
    machine_fini(&m);
}
END_TEST

static void count_ack(void *opaque, const struct port *sender, const struct tlp *tlp)
{
    ck_assert_uint_eq(tlp->msg_routing, TLP_MSG_GATHERED);
    ++*(unsigned *)opaque;
}

static void send_turn_off(struct machine *m)
{
    struct port *port = root_port_link(m->rp);

    port_send(port, tlp_new_message(m->rig->fabric->pool, (struct pci_rid){0}, TLP_MSG_PME_TURN_OFF,
                                    TLP_MSG_BROADCAST));
    rig_settle(m->rig);
}

/* 5.3.3.2.1: everything below acknowledges, a switch once for all of it. */
START_TEST(test_turn_off)
{
    struct inject_rule all = {.action = INJECT_OBSERVE, .seen = count_ack}, first = all;
    struct inject_rule lost = {.action = INJECT_DROP, .count = 1};
    unsigned acks = 0, up = 0;
    struct inject *inject;
    struct machine m;

    machine_init(&m);
    inject = inject_new(m.rig->fabric);
    all.name = "all", first.name = "first", lost.name = "lost";
    all.match = (struct inject_match){.types = (uint32_t)BIT(TLP_MSG),
                                      .by_message = true,
                                      .msg_first = TLP_MSG_PME_TO_ACK,
                                      .msg_last = TLP_MSG_PME_TO_ACK};
    first.match = lost.match = all.match;
    first.match.sender = pcie_switch_upstream(m.a);
    lost.match.sender = endpoint_port(m.probe[1]->ep);
    all.opaque = &acks;
    first.opaque = &up;
    inject_add(inject, &all);
    inject_add(inject, &first);
    send_turn_off(&m);
    ck_assert_uint_eq(acks, 5); /* three devices, two switches */
    ck_assert_uint_eq(up, 1);
    /* One that is lost holds up the switches above it. */
    inject_add(inject, &lost);
    send_turn_off(&m);
    ck_assert_uint_eq(acks, 8);
    ck_assert_uint_eq(up, 1);
    send_turn_off(&m);
    ck_assert_uint_eq(up, 2);
    ck_assert_uint_eq(m.rig->heard[TRACE_RULE], 0);
    inject_free(inject);
    machine_fini(&m);
}
END_TEST

START_TEST(test_cold_reset)
{
    struct machine m;

    machine_init(&m);
    for (unsigned order = 0; order < 2; order++) {
        if (order)
            root_complex_reset(m.rig->rc);
        for (unsigned i = 0; i < PROBES; i++)
            endpoint_reset(m.probe[i]->ep);
        pcie_switch_reset(order ? m.a : m.b);
        pcie_switch_reset(order ? m.b : m.a);
        if (!order)
            root_complex_reset(m.rig->rc);
        rig_settle(m.rig);
        ck_assert_uint_eq(rig_cfg_read(m.rig, A_UP, 4), 0xffffffff);
        bring_up(&m);
        for (unsigned i = 0; i < PROBES; i++)
            ck_assert_uint_eq(rig_cfg_read(m.rig, RIG_CFG(probe_bus[i], 0, 0, 0), 4), 0x11121556);
        ck_assert_uint_eq(
            rig_cfg_read(m.rig, A_UP + pcie_switch_func(m.a, -1)->cap_pcie + 4, 4) >> 18 & 0x3ff,
            25);
    }
    machine_fini(&m);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("switch");
    TCase *tc = tcase_create("switch");

    tcase_add_test(tc, test_configuration);
    tcase_add_test(tc, test_config_type_conversion_on_the_way);
    tcase_add_test(tc, test_memory_and_io);
    tcase_add_test(tc, test_peer_to_peer);
    tcase_add_test(tc, test_secondary_bus_resets);
    tcase_add_test(tc, test_reset_while_traffic_flows);
    tcase_add_test(tc, test_intx_swizzle);
    tcase_add_test(tc, test_port_msi);
    tcase_add_test(tc, test_slot_power_and_broadcast);
    tcase_add_test(tc, test_turn_off);
    tcase_add_test(tc, test_cold_reset);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
