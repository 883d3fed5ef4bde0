/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The root complex: root bus, host requests, windows, what comes up, INTx, PME, reset. */
#include <stdlib.h>
#include <string.h>

#include "pcilab/pci/config.h"
#include "rig.h"

#define RP0   RIG_CFG(0, 1, 0, 0)
#define RP1   RIG_CFG(0, 2, 0, 0)
#define EP0   RIG_CFG(1, 0, 0, 0)
#define EP1   RIG_CFG(2, 0, 0, 0)
#define BAR0  0xe0000000ULL
#define BAR4  0xe0010000ULL
#define BAR2  0x4000000000ULL
#define IOBAR 0x1000ULL
/* What lies at the other root port is this much further up. */
#define STEP    0x100000ULL
#define IO_STEP 0x1000ULL

struct machine {
    struct rig *rig;
    struct root_port *rp[2];
    struct probe *probe[2];
};

static const struct probe_params one_function = {.functions = 1, .type = PCIE_ENDPOINT};

static void machine_bring_up(struct machine *m)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct rig_windows windows = {
            .primary = 0,
            .secondary = i + 1,
            .subordinate = i + 1,
            .mem_base = BAR0 + i * STEP,
            .mem_limit = BAR0 + i * STEP,
            .pref_base = BAR2 + i * STEP,
            .pref_limit = BAR2 + i * STEP,
            .io_base = IOBAR + i * IO_STEP,
            .io_limit = IOBAR + i * IO_STEP,
        };
        const struct probe_map map = {
            .bar0 = BAR0 + i * STEP,
            .io = IOBAR + i * IO_STEP,
            .bar2 = BAR2 + i * STEP,
            .bar4 = BAR4 + i * STEP,
            .command = 7,
        };

        rig_program_bridge(m->rig, i ? RP1 : RP0, &windows);
        probe_program(m->rig, i ? EP1 : EP0, &map);
    }
}

static void machine_init(struct machine *m)
{
    m->rig = rig_new();
    for (unsigned i = 0; i < 2; i++) {
        m->rp[i] = rig_root_port(m->rig, i + 1, 0);
        m->probe[i] = probe_new(m->rig, i ? "probe1" : "probe0", &one_function);
        link_connect(root_port_link(m->rp[i]), endpoint_port(m->probe[i]->ep));
    }
    machine_bring_up(m);
}

static void machine_fini(struct machine *m)
{
    rig_settle(m->rig);
    for (unsigned i = 0; i < 2; i++)
        probe_free(m->probe[i]);
    rig_free(m->rig);
}

START_TEST(test_root_bus)
{
    struct machine m;

    machine_init(&m);
    ck_assert_uint_eq(rig_cfg_read(m.rig, RIG_CFG(0, 0, 0, 8), 4) >> 8, 0x060000);
    ck_assert_uint_eq(rig_cfg_read(m.rig, RP0 + 8, 4) >> 8, 0x060400);
    ck_assert_uint_eq(rig_cfg_read(m.rig, RP0 + 0xe, 1), 1);
    ck_assert_uint_ne(rig_cfg_read(m.rig, RP0, 2), 0xffff);
    /* Nobody there: all ones of the size asked for. */
    ck_assert_uint_eq(rig_cfg_read(m.rig, RIG_CFG(0, 3, 0, 0), 4), 0xffffffff);
    ck_assert_uint_eq(rig_cfg_read(m.rig, RIG_CFG(0, 1, 1, 0), 2), 0xffff);
    ck_assert_uint_eq(rig_cfg_read(m.rig, RIG_CFG(1, 0, 1, 0), 4), 0xffffffff);
    ck_assert_uint_eq(rig_cfg_read(m.rig, RIG_CFG(1, 1, 0, 0), 4), 0xffffffff);
    ck_assert_uint_eq(rig_cfg_read(m.rig, RIG_CFG(77, 0, 0, 0), 4), 0xffffffff);
    /* Parts of a register, at every offset. */
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(rig_cfg_read(m.rig, EP0 + i, 1),
                          rig_cfg_read(m.rig, EP0, 4) >> (8 * i) & 0xff);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP0 + 2, 2), 0x1112);
    /* Byte-wide writes touch their byte only. */
    rig_cfg_write(m.rig, EP0 + 0x3c, 1, 0x5a);
    rig_cfg_write(m.rig, EP0 + 0x0c, 1, 0x10);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP0 + 0x3c, 1), 0x5a);
    ck_assert_uint_eq(m.probe[0]->func[0].pci->rid.v, 0x0100);
    ck_assert_uint_eq(m.probe[1]->func[0].pci->rid.v, 0x0200);
    machine_fini(&m);
}
END_TEST

START_TEST(test_bus_range)
{
    static const struct root_host_ops none;
    const struct root_params params = {
        .name = "rc1", .bus_first = 0x80, .bus_last = 0x8f, .host = &none};
    struct rig *rig = rig_new();
    struct root_complex *keep = rig->rc;

    rig->rc = root_complex_new(rig->fabric, &params);
    ck_assert_uint_eq(rig_cfg_read(rig, RIG_CFG(0x80, 0, 0, 8), 4) >> 8, 0x060000);
    ck_assert_uint_eq(rig_cfg_read(rig, RIG_CFG(0, 0, 0, 8), 4), 0xffffffff);
    ck_assert_uint_eq(rig_cfg_read(rig, RIG_CFG(0x90, 0, 0, 8), 4), 0xffffffff);
    root_complex_free(rig->rc);
    rig->rc = keep;
    rig_free(rig);
}
END_TEST

START_TEST(test_mmio)
{
    struct machine m;
    struct root_request request = {.kind = ROOT_MEM_WRITE, .size_bytes = 64};
    struct sim_rng rng;

    machine_init(&m);
    sim_rng_init(&rng, 3, "mmio");
    for (unsigned i = 0; i < 300; i++) {
        unsigned which = i & 1, size = (unsigned)sim_rng_below(&rng, 64) + 1;
        uint64_t offset = sim_rng_below(&rng, 4096 - size + 1) + 4096 * (i % 16);
        bool pref = i & 2;
        uint8_t data[64];

        sim_rng_fill(&rng, data, sizeof(data));
        request = (struct root_request){.kind = ROOT_MEM_WRITE, .size_bytes = size};
        request.addr = (pref ? BAR2 : BAR0) + which * STEP + offset;
        memcpy(request.data, data, size);
        ck_assert_int_eq(rig_access(m.rig, &request), TLP_SC);
        rig_settle(m.rig);
        ck_assert_mem_eq(m.probe[which]->func[0].bar[pref ? 2 : 0] + offset, data, size);
        request.kind = ROOT_MEM_READ;
        memset(request.data, 0, sizeof(request.data));
        ck_assert_int_eq(rig_access(m.rig, &request), TLP_SC);
        ck_assert_mem_eq(request.data, data, size);
    }
    /* I/O. */
    rig_write(m.rig, ROOT_IO_WRITE, IOBAR + IO_STEP + 6, 2, 0xbeef);
    ck_assert_uint_eq(le16_load(m.probe[1]->func[0].bar[1] + 6), 0xbeef);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_IO_READ, IOBAR + IO_STEP + 7, 1), 0xbe);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_IO_READ, IOBAR + IO_STEP + 4, 4), 0xbeef0000);
    machine_fini(&m);
}
END_TEST

START_TEST(test_all_ones_where_nobody_is)
{
    struct machine m;
    struct root_request request = {.kind = ROOT_MEM_READ, .size_bytes = 8};

    machine_init(&m);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, 0xf0000000, 8), ~0ULL);
    /* In a window, in no BAR. */
    ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, BAR0 + 0x80000, 8), ~0ULL);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_IO_READ, 0x9000, 1), 0xff);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_IO_READ, IOBAR + 0x800, 2), 0xffff);
    request.addr = 0xf0000000;
    ck_assert_int_eq(rig_access(m.rig, &request), TLP_UR);
    rig_write(m.rig, ROOT_MEM_WRITE, 0xf0000000, 8, 1);
    rig_write(m.rig, ROOT_IO_WRITE, 0x9000, 1, 1);
    /* Memory Space Enable of the endpoint, then of the root port. */
    m.probe[0]->func[0].bar[0][0] = 0x77;
    rig_cfg_write(m.rig, EP0 + 4, 2, 5);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, BAR0, 1), 0xff);
    rig_cfg_write(m.rig, EP0 + 4, 2, 7);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, BAR0, 1), 0x77);
    rig_cfg_write(m.rig, RP0 + 4, 2, 5);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, BAR0, 1), 0xff);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_IO_READ, IOBAR, 1), 0);
    rig_cfg_write(m.rig, RP0 + 4, 2, 6);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, BAR0, 1), 0x77);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_IO_READ, IOBAR, 1), 0xff);
    machine_fini(&m);
}
END_TEST

static enum dma_status dma(struct machine *m, unsigned which, enum dma_kind kind, uint64_t addr,
                           void *buf, unsigned len)
{
    struct probe_dma dma = {.op = {.kind = kind, .addr = addr, .len = len, .buf = buf}};

    return probe_dma(m->rig, &m->probe[which]->func[0], &dma);
}

START_TEST(test_upstream_memory)
{
    struct machine m;
    uint8_t data[4096], back[4096];
    struct sim_rng rng;

    machine_init(&m);
    sim_rng_init(&rng, 4, "dma");
    sim_rng_fill(&rng, data, sizeof(data));
    ck_assert_int_eq(dma(&m, 0, DMA_WRITE, 0x2003, data, 3000), DMA_OK);
    ck_assert_mem_eq(m.rig->low + 0x2003, data, 3000);
    ck_assert_int_eq(dma(&m, 1, DMA_READ, 0x2003, back, 3000), DMA_OK);
    ck_assert_mem_eq(back, data, 3000);
    ck_assert_int_eq(dma(&m, 1, DMA_WRITE, RIG_HIGH_BASE + 1, data, 4096), DMA_OK);
    ck_assert_mem_eq(m.rig->high + 1, data, 4096);
    /* Zero-length: answered, and nothing changes. */
    ck_assert_int_eq(dma(&m, 0, DMA_READ, 0x2000, back, 0), DMA_OK);
    ck_assert_int_eq(dma(&m, 0, DMA_WRITE, 0x2000, data, 0), DMA_OK);
    /* Where nobody is. */
    ck_assert_int_eq(dma(&m, 0, DMA_READ, 0xd0000000, back, 64), DMA_UR);
    ck_assert_int_eq(dma(&m, 0, DMA_WRITE, 0xd0000000, data, 64), DMA_OK);
    ck_assert_int_eq(dma(&m, 0, DMA_READ, ~0ULL - 63, back, 64), DMA_UR);
    /* Bus Master Enable of the root port rules what passes it. */
    rig_cfg_write(m.rig, RP0 + 4, 2, 3);
    ck_assert_int_eq(dma(&m, 0, DMA_READ, 0x2003, back, 4), DMA_UR);
    m.rig->low[0x2003] = 0x42;
    ck_assert_int_eq(dma(&m, 0, DMA_WRITE, 0x2003, data, 4), DMA_OK);
    ck_assert_uint_eq(m.rig->low[0x2003], 0x42);
    machine_fini(&m);
}
END_TEST

START_TEST(test_peer_to_peer)
{
    struct machine m;
    uint8_t data[512], back[512];

    machine_init(&m);
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 5);
    /* Across root ports, both BARs, and back. */
    ck_assert_int_eq(dma(&m, 0, DMA_WRITE, BAR0 + STEP + 0x101, data, 400), DMA_OK);
    ck_assert_mem_eq(m.probe[1]->func[0].bar[0] + 0x101, data, 400);
    ck_assert_int_eq(dma(&m, 0, DMA_READ, BAR0 + STEP + 0x101, back, 400), DMA_OK);
    ck_assert_mem_eq(back, data, 400);
    ck_assert_int_eq(dma(&m, 1, DMA_WRITE, BAR2 + 0x20, data, 512), DMA_OK);
    ck_assert_mem_eq(m.probe[0]->func[0].bar[2] + 0x20, data, 512);
    /* Its own address does not come up through its port. */
    ck_assert_int_eq(dma(&m, 0, DMA_READ, BAR0 + 0x20, back, 4), DMA_UR);
    machine_fini(&m);
}
END_TEST

START_TEST(test_interrupt_range)
{
    struct machine m;
    uint8_t data[64] = {0x41, 0x00, 0x00, 0x00};

    machine_init(&m);
    ck_assert_int_eq(dma(&m, 0, DMA_WRITE, 0xfee01004, data, 4), DMA_OK);
    ck_assert_uint_eq(m.rig->msis, 1);
    ck_assert_uint_eq(m.rig->msi[0].addr, 0xfee01004);
    ck_assert_uint_eq(m.rig->msi[0].data, 0x41);
    /* Not messages: other sizes, reads. */
    ck_assert_int_eq(dma(&m, 0, DMA_WRITE, 0xfee01004, data, 2), DMA_OK);
    ck_assert_int_eq(dma(&m, 0, DMA_WRITE, 0xfee01000, data, 64), DMA_OK);
    ck_assert_int_eq(dma(&m, 0, DMA_READ, 0xfee01000, data, 4), DMA_UR);
    ck_assert_uint_eq(m.rig->msis, 1);
    machine_fini(&m);
}
END_TEST

START_TEST(test_many_at_once)
{
    struct machine m;
    struct root_request request[600];

    machine_init(&m);
    for (unsigned i = 0; i < PROBE_BAR0_BYTES; i++) {
        m.probe[0]->func[0].bar[0][i] = (uint8_t)(i * 11);
        m.probe[1]->func[0].bar[0][i] = (uint8_t)(i * 13);
    }
    for (unsigned round = 0; round < 2; round++) {
        /* More than there are tags, of 5 and of 8 bits. */
        uint64_t control = RP0 + root_port_func(m.rp[0])->cap_pcie + PCIE_DEVCTL;

        rig_cfg_write(m.rig, control, 2, round ? PCIE_DEVCTL_EXT_TAG : 0);
        for (unsigned i = 0; i < ARRAY_LEN(request); i++) {
            request[i] = (struct root_request){
                .kind = i % 7 == 6 ? ROOT_CFG_READ : ROOT_MEM_READ,
                .size_bytes = 4,
                .addr = i % 7 == 6 ? EP0 : BAR0 + (i & 1) * STEP + i * 4,
            };
        }
        rig_submit_all(m.rig, request, ARRAY_LEN(request));
        for (unsigned i = 0; i < ARRAY_LEN(request); i++) {
            uint32_t want =
                i % 7 == 6 ? 0x11121556 : le32_load(m.probe[i & 1]->func[0].bar[0] + i * 4);

            ck_assert_uint_eq(le32_load(request[i].data), want);
        }
    }
    machine_fini(&m);
}
END_TEST

START_TEST(test_root_port_interrupts)
{
    struct machine m;
    struct pci_func *func;
    uint64_t msi, cap;

    machine_init(&m);
    func = root_port_func(m.rp[0]);
    msi = RP0 + func->cap_msi;
    cap = RP0 + func->cap_pcie;
    /* A PME from below: status, then an interrupt once it is enabled, by INTA of device 1. */
    endpoint_send_message(m.probe[0]->func[0].func, TLP_MSG_PM_PME);
    rig_settle(m.rig);
    ck_assert_uint_eq(rig_cfg_read(m.rig, cap + 0x20, 4), 0x00010100);
    ck_assert_uint_eq(m.rig->intx_changes, 0);
    rig_cfg_write(m.rig, cap + 0x1c, 2, 8);
    ck_assert(m.rig->intx[1]);
    rig_cfg_write(m.rig, cap + 0x20, 4, 0x10000);
    ck_assert(!m.rig->intx[1]);
    /* By MSI; a second PME waits for the first to be cleared. */
    rig_cfg_write(m.rig, msi + 4, 4, 0xfee00000);
    rig_cfg_write(m.rig, msi + 0xc, 2, 0x55);
    rig_cfg_write(m.rig, msi + 2, 2, 1);
    endpoint_send_message(m.probe[0]->func[0].func, TLP_MSG_PM_PME);
    endpoint_send_message(m.probe[0]->func[0].func, TLP_MSG_PM_PME);
    rig_settle(m.rig);
    ck_assert_uint_eq(m.rig->msis, 1);
    ck_assert_uint_eq(m.rig->msi[0].data, 0x55);
    ck_assert_uint_eq(rig_cfg_read(m.rig, cap + 0x20, 4), 0x00030100);
    rig_cfg_write(m.rig, cap + 0x20, 4, 0x10000);
    ck_assert_uint_eq(m.rig->msis, 2);
    ck_assert_uint_eq(rig_cfg_read(m.rig, cap + 0x20, 4), 0x00010100);
    ck_assert(!m.rig->intx[1]);
    machine_fini(&m);
}
END_TEST

START_TEST(test_intx)
{
    struct machine m;
    struct endpoint_func *a, *b;

    machine_init(&m);
    a = m.probe[0]->func[0].func;
    b = m.probe[1]->func[0].func;
    endpoint_set_intx(a, true);
    rig_settle(m.rig);
    ck_assert(m.rig->intx[1]); /* INTA of device 1 */
    endpoint_set_intx(b, true);
    rig_settle(m.rig);
    ck_assert(m.rig->intx[2]); /* INTA of device 2 */
    endpoint_set_intx(a, false);
    rig_settle(m.rig);
    ck_assert(!m.rig->intx[1] && m.rig->intx[2]);
    /* Interrupt Disable takes it back and gives it again. */
    rig_cfg_write(m.rig, EP1 + 4, 2, 0x407);
    ck_assert(!m.rig->intx[2]);
    rig_cfg_write(m.rig, EP1 + 4, 2, 7);
    ck_assert(m.rig->intx[2]);
    /* The link goes down: nothing asserts any more. */
    rig_cfg_write(m.rig, RP1 + 0x3e, 2, 0x40);
    ck_assert(!m.rig->intx[2]);
    rig_cfg_write(m.rig, RP1 + 0x3e, 2, 0);
    ck_assert(!m.rig->intx[2]);
    machine_fini(&m);
}
END_TEST

START_TEST(test_secondary_bus_reset)
{
    struct machine m;
    struct probe_func *func;
    uint32_t lnksta;

    machine_init(&m);
    func = &m.probe[0]->func[0];
    rig_cfg_write(m.rig, RP0 + 0x3e, 2, 0x40);
    ck_assert_uint_eq(func->resets[ENDPOINT_RESET_HOT], 1);
    ck_assert_uint_eq(m.probe[1]->func[0].resets[ENDPOINT_RESET_HOT], 0);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP0, 4), 0xffffffff);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, BAR0, 4), 0xffffffff);
    lnksta = rig_cfg_read(m.rig, RP0 + root_port_func(m.rp[0])->cap_pcie + 0x12, 2);
    ck_assert_uint_eq(lnksta & PCIE_LNKSTA_DLL_ACTIVE, 0);
    rig_cfg_write(m.rig, RP0 + 0x3e, 2, 0);
    lnksta = rig_cfg_read(m.rig, RP0 + root_port_func(m.rp[0])->cap_pcie + 0x12, 2);
    ck_assert_uint_eq(lnksta & (PCIE_LNKSTA_SPEED | PCIE_LNKSTA_WIDTH), 0x44);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP0, 4), 0x11121556);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP0 + 4, 2), 0);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP0 + 0x10, 4), 0);
    machine_bring_up(&m);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, BAR0, 4), 0);
    machine_fini(&m);
}
END_TEST

START_TEST(test_link_disable_and_speed)
{
    struct machine m;
    uint64_t cap;

    machine_init(&m);
    cap = RP0 + root_port_func(m.rp[0])->cap_pcie;
    rig_cfg_write(m.rig, cap + 0x10, 2, PCIE_LNKCTL_DISABLE);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP0, 4), 0xffffffff);
    ck_assert_uint_eq(m.probe[0]->func[0].resets[ENDPOINT_RESET_HOT], 1);
    rig_cfg_write(m.rig, cap + 0x10, 2, 0);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP0, 4), 0x11121556);
    /* Target Link Speed 2 and Retrain Link: both ends tell 5 GT/s. */
    rig_cfg_write(m.rig, cap + 0x30, 2, 2);
    rig_cfg_write(m.rig, cap + 0x10, 2, PCIE_LNKCTL_RETRAIN);
    ck_assert_uint_eq(rig_cfg_read(m.rig, cap + 0x12, 2) & PCIE_LNKSTA_SPEED, 2);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP0 + m.probe[0]->func[0].pci->cap_pcie + 0x12, 2) &
                          PCIE_LNKSTA_SPEED,
                      2);
    ck_assert_uint_eq(m.probe[0]->func[0].resets[ENDPOINT_RESET_HOT], 1);
    machine_fini(&m);
}
END_TEST

START_TEST(test_slot)
{
    struct machine m;
    uint32_t devcap;

    machine_init(&m);
    ck_assert(rig_cfg_read(m.rig, RP0 + root_port_func(m.rp[0])->cap_pcie + 0x1a, 2) &
              PCIE_SLTSTA_PRESENCE);
    /* Set_Slot_Power_Limit arrived: 25 W. */
    devcap = rig_cfg_read(m.rig, EP0 + m.probe[0]->func[0].pci->cap_pcie + 4, 4);
    ck_assert_uint_eq(devcap >> 18 & 0x3ff, 25);
    machine_fini(&m);
}
END_TEST

START_TEST(test_cold_reset)
{
    struct machine m;
    struct root_request request = {.kind = ROOT_MEM_READ, .size_bytes = 4, .addr = BAR0};
    struct probe_dma lost = {.op = {.kind = DMA_READ, .addr = 0x1000, .len = 4096}};
    uint8_t buf[4096];

    machine_init(&m);
    lost.op.buf = buf;
    endpoint_set_intx(m.probe[0]->func[0].func, true);
    rig_settle(m.rig);
    /* With requests of every kind under way. */
    request.done = NULL;
    root_submit(m.rig->rc, &request);
    probe_dma_start(&m.probe[1]->func[0], &lost);
    for (unsigned order = 0; order < 2; order++) {
        if (order)
            root_complex_reset(m.rig->rc);
        endpoint_reset(m.probe[0]->ep);
        endpoint_reset(m.probe[1]->ep);
        if (!order)
            root_complex_reset(m.rig->rc);
        rig_settle(m.rig);
        ck_assert(!lost.done);
        ck_assert_uint_eq(tlp_pool_live(m.rig->fabric->pool), 0);
        ck_assert(!m.rig->intx[1]);
        ck_assert_uint_eq(rig_cfg_read(m.rig, RP0 + 0x19, 1), 0);
        ck_assert_uint_eq(rig_cfg_read(m.rig, EP0, 4), 0xffffffff);
        machine_bring_up(&m);
        ck_assert_uint_eq(rig_cfg_read(m.rig, EP0, 4), 0x11121556);
        ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, BAR0, 4), 0);
        ck_assert_uint_eq(
            rig_cfg_read(m.rig, EP0 + m.probe[0]->func[0].pci->cap_pcie + 4, 4) >> 18 & 0x3ff, 25);
    }
    ck_assert_uint_eq(m.probe[0]->func[0].resets[ENDPOINT_RESET_COLD], 2);
    machine_fini(&m);
}
END_TEST

struct translator {
    struct root_complex *rc;
    struct tlp *held;
    uint64_t offset;
    unsigned asked;
    bool refuse, hold;
};

static void translate(void *opaque, struct root_complex *rc, struct tlp *request)
{
    struct translator *translator = opaque;

    translator->rc = rc;
    translator->asked++;
    if (translator->hold) {
        translator->held = request;
        return;
    }
    request->addr += translator->offset;
    root_translated(rc, request, !translator->refuse);
}

START_TEST(test_translator)
{
    struct machine m;
    struct translator translator = {.offset = 0x1000};
    struct root_translator hook = {.translate = translate, .opaque = &translator};
    struct probe_dma op = {.op = {.kind = DMA_READ, .addr = 0x4000, .len = 4}};
    uint8_t data[4] = {1, 2, 3, 4}, back[4];
    struct pci_func *func;

    machine_init(&m);
    root_complex_set_translator(m.rig->rc, &hook);
    ck_assert_int_eq(dma(&m, 0, DMA_WRITE, 0x3000, data, 4), DMA_OK);
    ck_assert_mem_eq(m.rig->low + 0x4000, data, 4);
    ck_assert_uint_eq(translator.asked, 1);
    /* With ACS Upstream Forwarding an I/O virtual address that happens to lie in the port's window
     * is one like any other, and what it becomes may lie behind the same port. */
    ck_assert_int_eq(dma(&m, 0, DMA_READ, BAR0, back, 4), DMA_UR);
    func = root_port_func(m.rp[0]);
    pci_func_config_write(func, func->ext_acs + PCI_ACS_CONTROL, 2, PCI_ACS_UPSTREAM_FORWARD);
    translator.offset = 0x5000 - BAR0;
    memcpy(m.rig->low + 0x5000, data, 4);
    ck_assert_int_eq(dma(&m, 0, DMA_READ, BAR0, back, 4), DMA_OK);
    ck_assert_mem_eq(back, data, 4);
    translator.offset = BAR0 - 0x5000;
    ck_assert_int_eq(dma(&m, 0, DMA_WRITE, 0x5008, data, 4), DMA_OK);
    ck_assert_mem_eq(m.probe[0]->func[0].bar[0] + 8, data, 4);
    /* Refused. */
    translator.refuse = true;
    ck_assert_int_eq(dma(&m, 0, DMA_READ, 0x3000, back, 4), DMA_UR);
    translator.refuse = false;
    /* Answered later. */
    translator.hold = true;
    op.op.buf = back;
    probe_dma_start(&m.probe[0]->func[0], &op);
    rig_settle(m.rig);
    ck_assert(!op.done);
    rig_run_for(m.rig, PS_PER_MS);
    root_translated(m.rig->rc, translator.held, true);
    rig_settle(m.rig);
    ck_assert(op.done);
    ck_assert_int_eq(op.status, DMA_OK);
    root_complex_set_translator(m.rig->rc, NULL);
    machine_fini(&m);
}
END_TEST

START_TEST(test_completion_timeout)
{
    struct machine m;
    struct translator translator = {.hold = true};
    struct root_translator hook = {.translate = translate, .opaque = &translator};
    struct probe_dma op = {.op = {.kind = DMA_READ, .addr = 0x4000, .len = 4}};
    struct pci_func *func;
    uint8_t back[4];
    uint64_t cap;

    machine_init(&m);
    func = m.probe[0]->func[0].pci;
    cap = EP0 + func->cap_pcie;
    op.op.buf = back;
    root_complex_set_translator(m.rig->rc, &hook);
    /* Device Control 2: 1 ms to 10 ms; nobody answers. */
    rig_cfg_write(m.rig, cap + 0x28, 2, 2);
    ck_assert_uint_eq(rig_cfg_read(m.rig, cap + 0x28, 2) & 0xf, 2);
    probe_dma_start(&m.probe[0]->func[0], &op);
    rig_settle(m.rig);
    ck_assert(rig_cfg_read(m.rig, cap + 0xa, 2) & PCIE_DEVSTA_PENDING);
    rig_run_for(m.rig, PS_PER_MS);
    ck_assert(!op.done);
    rig_run_for(m.rig, 9 * PS_PER_MS);
    ck_assert(op.done);
    ck_assert_int_eq(op.status, DMA_TIMEOUT);
    ck_assert(!(rig_cfg_read(m.rig, cap + 0xa, 2) & PCIE_DEVSTA_PENDING));
    root_translated(m.rig->rc, translator.held, true); /* too late: unexpected */
    rig_settle(m.rig);
    /* Disabled: waits for ever. */
    rig_cfg_write(m.rig, cap + 0x28, 2, 0x12);
    probe_dma_start(&m.probe[0]->func[0], &op);
    rig_run_for(m.rig, 100 * PS_PER_S);
    ck_assert(!op.done);
    root_translated(m.rig->rc, translator.held, true);
    rig_settle(m.rig);
    ck_assert(op.done);
    ck_assert_int_eq(op.status, DMA_OK);
    root_complex_set_translator(m.rig->rc, NULL);
    machine_fini(&m);
}
END_TEST

START_TEST(test_integrated_endpoint)
{
    const struct probe_params params = {.functions = 2, .type = PCIE_RC_INTEGRATED_ENDPOINT};
    const uint64_t cfg = RIG_CFG(0, 5, 0, 0), cfg1 = RIG_CFG(0, 5, 1, 0);
    const struct probe_map map = {
        .bar0 = 0xd0000000, .io = 0x8000, .bar2 = 0x5000000000, .bar4 = 0xd0100000, .command = 7};
    struct machine m;
    struct probe *probe;
    struct probe_dma op = {.op = {.kind = DMA_WRITE, .addr = 0x6000, .len = 4}};
    uint8_t data[4] = {9, 8, 7, 6}, back[4];

    machine_init(&m);
    probe = probe_new(m.rig, "rciep", &params);
    root_integrate(m.rig->rc, endpoint_port(probe->ep), 5);
    ck_assert_uint_eq(rig_cfg_read(m.rig, cfg, 4), 0x11121556);
    ck_assert_uint_eq(rig_cfg_read(m.rig, cfg1, 4), 0x11121556);
    ck_assert_uint_eq(rig_cfg_read(m.rig, RIG_CFG(0, 5, 2, 0), 4), 0xffffffff);
    probe_program(m.rig, cfg, &map);
    ck_assert_uint_eq(probe->func[0].pci->rid.v, 0x28);
    rig_write(m.rig, ROOT_MEM_WRITE, 0xd0000010, 4, 0x12345678);
    ck_assert_uint_eq(le32_load(probe->func[0].bar[0] + 0x10), 0x12345678);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, 0xd0000010, 4), 0x12345678);
    rig_write(m.rig, ROOT_IO_WRITE, 0x8004, 1, 0x33);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_IO_READ, 0x8004, 1), 0x33);
    op.op.buf = data;
    ck_assert_int_eq(probe_dma(m.rig, &probe->func[0], &op), DMA_OK);
    ck_assert_mem_eq(m.rig->low + 0x6000, data, 4);
    op.op = (struct dma_op){.kind = DMA_READ, .addr = 0x6000, .len = 4, .buf = back};
    ck_assert_int_eq(probe_dma(m.rig, &probe->func[0], &op), DMA_OK);
    ck_assert_mem_eq(back, data, 4);
    /* Peer to peer, both ways. */
    ck_assert_int_eq(dma(&m, 0, DMA_READ, 0xd0000010, back, 4), DMA_OK);
    ck_assert_uint_eq(le32_load(back), 0x12345678);
    op.op = (struct dma_op){.kind = DMA_WRITE, .addr = BAR0 + 0x40, .len = 4, .buf = data};
    ck_assert_int_eq(probe_dma(m.rig, &probe->func[0], &op), DMA_OK);
    ck_assert_mem_eq(m.probe[0]->func[0].bar[0] + 0x40, data, 4);
    /* INTA of device 5 and INTB of the same: lines 1 and 2. */
    endpoint_set_intx(probe->func[0].func, true);
    endpoint_set_intx(probe->func[1].func, true);
    rig_settle(m.rig);
    ck_assert(m.rig->intx[1] && m.rig->intx[2]);
    endpoint_set_intx(probe->func[0].func, false);
    rig_settle(m.rig);
    ck_assert(!m.rig->intx[1] && m.rig->intx[2]);
    root_complex_reset(m.rig->rc);
    endpoint_reset(probe->ep);
    rig_settle(m.rig);
    ck_assert(!m.rig->intx[2]);
    probe_free(probe);
    machine_fini(&m);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("root");
    TCase *tc = tcase_create("root");

    tcase_add_test(tc, test_root_bus);
    tcase_add_test(tc, test_bus_range);
    tcase_add_test(tc, test_mmio);
    tcase_add_test(tc, test_all_ones_where_nobody_is);
    tcase_add_test(tc, test_upstream_memory);
    tcase_add_test(tc, test_peer_to_peer);
    tcase_add_test(tc, test_interrupt_range);
    tcase_add_test(tc, test_many_at_once);
    tcase_add_test(tc, test_root_port_interrupts);
    tcase_add_test(tc, test_intx);
    tcase_add_test(tc, test_secondary_bus_reset);
    tcase_add_test(tc, test_link_disable_and_speed);
    tcase_add_test(tc, test_slot);
    tcase_add_test(tc, test_cold_reset);
    tcase_add_test(tc, test_translator);
    tcase_add_test(tc, test_completion_timeout);
    tcase_add_test(tc, test_integrated_endpoint);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
