/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The common core of endpoints: BAR accesses, DMA, interrupts, resets, power states. */
#include <string.h>

#include "pcilab/pci/config.h"
#include "rig.h"

#define RP        RIG_CFG(0, 1, 0, 0)
#define EP(fn)    (RIG_CFG(1, 0, 0, 0) + (uint64_t)(fn)*4096)
#define FUNCTIONS 5 /* room is for PROBE_FUNCTIONS_MAX */
/* Function n's BARs are n steps further. */
#define BAR0    0xe0000000ULL
#define BAR4    0xe0010000ULL
#define BAR2    0x4000000000ULL
#define IOBAR   0x1000ULL
#define STEP    0x100000ULL
#define IO_STEP 0x100ULL

struct machine {
    struct rig *rig;
    struct root_port *rp;
    struct probe *probe;
    struct trace_sink sink;
    /* Memory requests and completions that left the endpoint or arrived there. */
    struct {
        uint8_t type; /* enum tlp_type, decoded from the header */
        uint64_t addr;
        unsigned bytes;
        uint16_t tag;
        uint8_t attr;
    } seen[8192];
    unsigned count;
};

static void machine_hear(struct trace_sink *sink, const struct trace_event *event)
{
    struct machine *m = CONTAINER_OF(sink, struct machine, sink);
    uint8_t bytes[TLP_HEADER_MAX + TLP_MAX_PAYLOAD_DW * 4];
    struct tlp_pool *pool;
    struct tlp *tlp;
    uint64_t addr;
    unsigned len;

    if (strcmp(event->where, "probe") != 0)
        return;
    pool = tlp_pool_new();
    memcpy(bytes, event->head, event->head_len);
    memcpy(bytes + event->head_len, event->body ? event->body : bytes, event->body_len);
    tlp = tlp_decode(pool, bytes, event->head_len + event->body_len);
    ck_assert_ptr_nonnull(tlp);
    ck_assert_uint_lt(m->count, ARRAY_LEN(m->seen));
    m->seen[m->count].type = tlp->type;
    m->seen[m->count].tag = tlp->tag;
    m->seen[m->count].attr = tlp->attr;
    m->seen[m->count].bytes = tlp_span(tlp, &addr, &len) ? len : 0;
    m->seen[m->count++].addr = addr;
    tlp_free(tlp);
    tlp_pool_free(pool);
}

static void bring_up(struct machine *m)
{
    const struct rig_windows windows = {
        .secondary = 1,
        .subordinate = 1,
        .mem_base = BAR0,
        .mem_limit = BAR0 + PROBE_FUNCTIONS_MAX * STEP - 1,
        .pref_base = BAR2,
        .pref_limit = BAR2 + PROBE_FUNCTIONS_MAX * STEP - 1,
        .io_base = IOBAR,
        .io_limit = IOBAR + 0x1000,
    };

    rig_program_bridge(m->rig, RP, &windows);
    for (unsigned i = 0; i < m->probe->functions; i++) {
        const struct probe_map map = {
            .bar0 = BAR0 + i * STEP,
            .io = IOBAR + i * IO_STEP,
            .bar2 = BAR2 + i * STEP,
            .bar4 = BAR4 + i * STEP,
            .command = 7,
        };

        probe_program(m->rig, EP(i), &map);
    }
}

static void machine_init(struct machine *m, unsigned functions)
{
    const struct probe_params params = {.functions = functions, .type = PCIE_ENDPOINT};

    memset(m, 0, sizeof(*m));
    m->rig = rig_new();
    m->rp = rig_root_port(m->rig, 1, 0);
    m->probe = probe_new(m->rig, "probe", &params);
    link_connect(root_port_link(m->rp), endpoint_port(m->probe->ep));
    bring_up(m);
}

static void machine_watch(struct machine *m)
{
    m->sink = (struct trace_sink){.emit = machine_hear, .kinds = BIT(TRACE_TLP)};
    trace_add_sink(&m->rig->trace, &m->sink);
    m->count = 0;
}

static void machine_fini(struct machine *m)
{
    rig_settle(m->rig);
    if (m->sink.emit)
        trace_remove_sink(&m->rig->trace, &m->sink);
    probe_free(m->probe);
    rig_free(m->rig);
}

static enum dma_status dma(struct machine *m, unsigned fn, enum dma_kind kind, uint64_t addr,
                           void *buf, unsigned len)
{
    struct probe_dma dma = {.op = {.kind = kind, .addr = addr, .len = len, .buf = buf}};

    return probe_dma(m->rig, &m->probe->func[fn], &dma);
}

static uint64_t devctl(struct machine *m, unsigned fn)
{
    return EP(fn) + m->probe->func[fn].pci->cap_pcie + PCIE_DEVCTL;
}

/* Both ends of a link have to have the same Max_Payload_Size. */
static void set_mps(struct machine *m, unsigned mps)
{
    unsigned cap = root_port_func(m->rp)->cap_pcie;

    rig_cfg_write(m->rig, RP + cap + PCIE_DEVCTL, 2, mps << 5);
    for (unsigned fn = 0; fn < m->probe->functions; fn++)
        rig_cfg_write(m->rig, devctl(m, fn), 2, mps << 5);
}

START_TEST(test_multi_function)
{
    struct machine m;

    machine_init(&m, FUNCTIONS);
    for (unsigned i = 0; i < 8; i++)
        ck_assert_uint_eq(rig_cfg_read(m.rig, EP(i), 4), i < FUNCTIONS ? 0x11121556 : 0xffffffff);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP(0) + 0xe, 1), 0x80);
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        ck_assert_uint_eq(m.probe->func[i].pci->rid.v, 0x100 | i);
        rig_write(m.rig, ROOT_MEM_WRITE, BAR0 + i * STEP + 4, 4, 0x100 + i);
        rig_write(m.rig, ROOT_MEM_WRITE, BAR2 + i * STEP + 8, 8, 0x200 + i);
        rig_write(m.rig, ROOT_IO_WRITE, IOBAR + i * IO_STEP + 1, 1, 0x30 + i);
    }
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        uint8_t data[2] = {(uint8_t)i, 0x99};

        ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, BAR0 + i * STEP + 4, 4), 0x100 + i);
        ck_assert_uint_eq(le64_load(m.probe->func[i].bar[2] + 8), 0x200 + i);
        ck_assert_uint_eq(rig_read(m.rig, ROOT_IO_READ, IOBAR + i * IO_STEP + 1, 1), 0x30 + i);
        ck_assert_int_eq(dma(&m, i, DMA_WRITE, 0x1001 + 2 * i, data, 2), DMA_OK);
        ck_assert_mem_eq(m.rig->low + 0x1001 + 2 * i, data, 2);
    }
    machine_fini(&m);
}
END_TEST

START_TEST(test_ari)
{
    struct machine m;
    uint64_t control2;

    machine_init(&m, PROBE_FUNCTIONS_MAX);
    /* Until the port forwards ARI only device 0 exists, and so eight functions. */
    control2 = RP + root_port_func(m.rp)->cap_pcie + PCIE_DEVCTL2;
    for (unsigned i = 0; i < 32; i++)
        ck_assert_uint_eq(rig_cfg_read(m.rig, EP(0) + i * 4096, 4),
                          i < 8 ? 0x11121556 : 0xffffffff);
    rig_cfg_write(m.rig, control2, 2, PCIE_DEVCTL2_ARI);
    bring_up(&m);
    for (unsigned i = 0; i < 32; i++)
        ck_assert_uint_eq(rig_cfg_read(m.rig, EP(0) + i * 4096, 4),
                          i < PROBE_FUNCTIONS_MAX ? 0x11121556 : 0xffffffff);
    for (unsigned i = 0; i < PROBE_FUNCTIONS_MAX; i++) {
        uint8_t data[2] = {(uint8_t)i, 0x77}, back[2];

        ck_assert_uint_eq(m.probe->func[i].pci->rid.v, 0x100 | i);
        rig_write(m.rig, ROOT_MEM_WRITE, BAR0 + i * STEP + 4, 4, 0x300 + i);
        ck_assert_uint_eq(le32_load(m.probe->func[i].bar[0] + 4), 0x300 + i);
        ck_assert_int_eq(dma(&m, i, DMA_WRITE, 0x1001 + 2 * i, data, 2), DMA_OK);
        ck_assert_int_eq(dma(&m, i, DMA_READ, 0x1001 + 2 * i, back, 2), DMA_OK);
        ck_assert_mem_eq(back, data, 2);
    }
    machine_fini(&m);
}
END_TEST

START_TEST(test_bar_statuses)
{
    struct machine m;
    struct root_request request = {.kind = ROOT_MEM_READ, .size_bytes = 4, .addr = BAR0};
    struct probe_func *func;

    machine_init(&m, 1);
    func = &m.probe->func[0];
    func->answer = TLP_CA;
    ck_assert_int_eq(rig_access(m.rig, &request), TLP_CA);
    ck_assert_uint_eq(le32_load(request.data), 0xffffffff);
    ck_assert(rig_cfg_read(m.rig, EP(0) + 6, 2) & PCI_STATUS_SENT_CA);
    func->answer = TLP_UR;
    ck_assert_int_eq(rig_access(m.rig, &request), TLP_UR);
    func->answer = TLP_SC;
    ck_assert_int_eq(rig_access(m.rig, &request), TLP_SC);
    /* A request that is not inside one BAR is nobody's. */
    request.addr = BAR0 + PROBE_BAR0_BYTES - 4;
    ck_assert_int_eq(rig_access(m.rig, &request), TLP_SC);
    request.addr = BAR4 + PROBE_BAR4_BYTES;
    ck_assert_int_eq(rig_access(m.rig, &request), TLP_UR);
    ck_assert(rig_cfg_read(m.rig, devctl(&m, 0) + 2, 2) & PCIE_DEVSTA_UR);
    machine_fini(&m);
}
END_TEST

START_TEST(test_dma_any_length_and_alignment)
{
    static const unsigned payloads[] = {0, 1, 2}, reads[] = {0, 1, 2, 3, 5};
    struct machine m;
    struct sim_rng rng;
    static uint8_t data[40000], back[40000], want[RIG_LOW_BYTES];

    machine_init(&m, 2);
    sim_rng_init(&rng, 9, "dma");
    sim_rng_fill(&rng, m.rig->low, RIG_LOW_BYTES);
    for (unsigned i = 0; i < 300; i++) {
        unsigned len = (unsigned)sim_rng_below(&rng, i % 3 ? 600 : sizeof(data)) + 1;
        uint64_t addr = sim_rng_below(&rng, RIG_LOW_BYTES - len + 1);
        unsigned fn = i & 1, mps = payloads[sim_rng_below(&rng, 3)];

        set_mps(&m, mps);
        rig_cfg_write(m.rig, devctl(&m, fn), 2,
                      mps << 5 | reads[sim_rng_below(&rng, 5)] << 12 |
                          (i & 4 ? PCIE_DEVCTL_EXT_TAG : 0));
        sim_rng_fill(&rng, data, len);
        memcpy(want, m.rig->low, sizeof(want));
        memcpy(want + addr, data, len);
        ck_assert_int_eq(dma(&m, fn, DMA_WRITE, addr, data, len), DMA_OK);
        ck_assert_mem_eq(m.rig->low, want, sizeof(want));
        memset(back, 0xcc, sizeof(back));
        ck_assert_int_eq(dma(&m, fn, DMA_READ, addr, back, len), DMA_OK);
        ck_assert_mem_eq(back, data, len);
        if (len < sizeof(back))
            ck_assert_uint_eq(back[len], 0xcc);
    }
    machine_fini(&m);
}
END_TEST

START_TEST(test_dma_requests_keep_the_limits)
{
    static uint8_t buf[20000];
    struct machine m;
    uint64_t at;

    machine_init(&m, 1);
    for (unsigned mps = 0; mps <= 2; mps++) {
        for (unsigned mrrs = 0; mrrs <= 5; mrrs++) {
            set_mps(&m, mps);
            rig_cfg_write(m.rig, devctl(&m, 0), 2, mps << 5 | mrrs << 12);
            machine_watch(&m);
            ck_assert_int_eq(dma(&m, 0, DMA_WRITE, 0x1037, buf, sizeof(buf)), DMA_OK);
            ck_assert_int_eq(dma(&m, 0, DMA_READ, 0x1037, buf, sizeof(buf)), DMA_OK);
            trace_remove_sink(&m.rig->trace, &m.sink);
            at = 0x1037;
            for (unsigned i = 0; i < m.count; i++) {
                unsigned limit = m.seen[i].type == TLP_MWR ? 128u << mps : 128u << mrrs;

                if (i && m.seen[i].type != m.seen[i - 1].type)
                    at = 0x1037;
                ck_assert_uint_eq(m.seen[i].addr, at);
                ck_assert_uint_le(m.seen[i].bytes, limit);
                ck_assert_uint_le((at & 3) + m.seen[i].bytes, limit);
                ck_assert_uint_eq(at >> 12, (at + m.seen[i].bytes - 1) >> 12);
                at += m.seen[i].bytes;
            }
            ck_assert_uint_eq(at, 0x1037 + sizeof(buf));
            m.sink.emit = NULL;
        }
    }
    machine_fini(&m);
}
END_TEST

START_TEST(test_dma_attributes)
{
    struct machine m;
    uint8_t buf[4];
    struct probe_dma op = {.op = {.kind = DMA_READ,
                                  .addr = 0x1000,
                                  .len = 4,
                                  .buf = buf,
                                  .attr = TLP_ATTR_NO_SNOOP | TLP_ATTR_RELAXED | TLP_ATTR_IDO}};

    machine_init(&m, 1);
    machine_watch(&m);
    rig_cfg_write(m.rig, devctl(&m, 0), 2, 0);
    m.count = 0;
    probe_dma(m.rig, &m.probe->func[0], &op);
    ck_assert_uint_eq(m.seen[0].attr & (TLP_ATTR_NO_SNOOP | TLP_ATTR_RELAXED), 0);
    rig_cfg_write(m.rig, devctl(&m, 0), 2, PCIE_DEVCTL_RELAXED);
    m.count = 0;
    probe_dma(m.rig, &m.probe->func[0], &op);
    ck_assert_uint_eq(m.seen[0].attr & (TLP_ATTR_NO_SNOOP | TLP_ATTR_RELAXED), TLP_ATTR_RELAXED);
    machine_fini(&m);
}
END_TEST

START_TEST(test_reads_take_turns)
{
    static uint8_t big[200000], small[64];
    struct machine m;
    struct probe_dma a = {.op = {.kind = DMA_READ, .addr = 0, .len = sizeof(big), .buf = big}};
    struct probe_dma b = {.op = {.kind = DMA_READ, .addr = 0x100, .len = 64, .buf = small}};
    unsigned first_small = 0;

    machine_init(&m, 1);
    machine_watch(&m);
    probe_dma_start(&m.probe->func[0], &a);
    probe_dma_start(&m.probe->func[0], &b);
    rig_settle(m.rig);
    ck_assert(a.done && b.done);
    ck_assert_int_eq(a.status, DMA_OK);
    while (first_small < m.count && m.seen[first_small].bytes != 64)
        first_small++;
    ck_assert_uint_le(first_small, 2);
    /* Tags of 5 bits unless Extended Tag is enabled. */
    rig_cfg_write(m.rig, devctl(&m, 0), 2, 0);
    m.count = 0;
    probe_dma(m.rig, &m.probe->func[0], &a);
    for (unsigned i = 0; i < m.count; i++)
        ck_assert(m.seen[i].type != TLP_MRD || m.seen[i].tag < 32);
    machine_fini(&m);
}
END_TEST

START_TEST(test_functions_share_the_link)
{
    static uint8_t buf[2][400000];
    struct machine m;
    struct probe_dma op[2];
    unsigned switches = 0;

    machine_init(&m, 2);
    for (unsigned i = 0; i < 2; i++) {
        op[i] = (struct probe_dma){.op = {.kind = DMA_WRITE, .addr = i * 0x80000, .len = 400000}};
        op[i].op.buf = buf[i];
        memset(buf[i], i + 1, sizeof(buf[i]));
        probe_dma_start(&m.probe->func[i], &op[i]);
    }
    machine_watch(&m);
    rig_settle(m.rig);
    ck_assert(op[0].done && op[1].done);
    ck_assert_mem_eq(m.rig->low + 0x80000, buf[1], sizeof(buf[1]));
    for (unsigned i = 1; i < m.count; i++)
        switches += (m.seen[i].addr < 0x80000) != (m.seen[i - 1].addr < 0x80000);
    ck_assert_uint_gt(switches, 20);
    /* What is on its way stays bounded. */
    ck_assert_uint_lt(tlp_pool_allocations(m.rig->fabric->pool), 400);
    machine_fini(&m);
}
END_TEST

START_TEST(test_bus_master_and_power)
{
    struct machine m;
    uint8_t buf[64] = {1};
    uint64_t pm;
    static uint8_t big[1 << 20];
    struct probe_dma op = {.op = {.kind = DMA_WRITE, .addr = 0, .len = sizeof(big), .buf = big}};

    machine_init(&m, 1);
    pm = EP(0) + m.probe->func[0].pci->cap_pm + 4;
    rig_cfg_write(m.rig, EP(0) + 4, 2, 3);
    ck_assert_int_eq(dma(&m, 0, DMA_WRITE, 0x1000, buf, 64), DMA_NO_MASTER);
    ck_assert_int_eq(dma(&m, 0, DMA_READ, 0x1000, buf, 64), DMA_NO_MASTER);
    ck_assert_uint_eq(m.rig->low[0x1000], 0);
    /* Cleared while an operation is under way: the rest is not sent. */
    rig_cfg_write(m.rig, EP(0) + 4, 2, 7);
    probe_dma_start(&m.probe->func[0], &op);
    pci_func_config_write(m.probe->func[0].pci, 4, 2, 3);
    rig_settle(m.rig);
    ck_assert(op.done);
    ck_assert_int_eq(op.status, DMA_NO_MASTER);
    /* D3hot: configuration only. */
    rig_cfg_write(m.rig, EP(0) + 4, 2, 7);
    rig_cfg_write(m.rig, pm, 2, 3);
    ck_assert_int_eq(dma(&m, 0, DMA_READ, 0x1000, buf, 64), DMA_NO_MASTER);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, BAR0, 4), 0xffffffff);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP(0), 4), 0x11121556);
    rig_cfg_write(m.rig, pm, 2, 0);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, BAR0, 4), 0);
    ck_assert_int_eq(dma(&m, 0, DMA_READ, 0x1000, buf, 64), DMA_OK);
    ck_assert_uint_gt(m.probe->func[0].config_changes, 0);
    machine_fini(&m);
}
END_TEST

static void enable_msix(struct machine *m, unsigned fn, unsigned vector, uint32_t data)
{
    uint64_t entry = BAR4 + fn * STEP + vector * 16;

    rig_write(m->rig, ROOT_MEM_WRITE, entry, 4, 0xfee00000);
    rig_write(m->rig, ROOT_MEM_WRITE, entry + 4, 4, 0);
    rig_write(m->rig, ROOT_MEM_WRITE, entry + 8, 4, data);
    rig_write(m->rig, ROOT_MEM_WRITE, entry + 12, 4, 0);
    rig_cfg_write(m->rig, EP(fn) + m->probe->func[fn].pci->cap_msix + 2, 2, 0x8000);
}

START_TEST(test_msix_and_msi)
{
    struct machine m;
    struct probe_func *func;

    machine_init(&m, 2);
    func = &m.probe->func[1];
    endpoint_interrupt(func->func, 3); /* nothing is enabled */
    enable_msix(&m, 1, 3, 0x4033);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, BAR4 + STEP + 3 * 16 + 8, 4), 0x4033);
    endpoint_interrupt(func->func, 3);
    rig_settle(m.rig);
    ck_assert_uint_eq(m.rig->msis, 1);
    ck_assert_uint_eq(m.rig->msi[0].data, 0x4033);
    ck_assert_uint_eq(func->writes, 0); /* the device did not see its table */
    /* Masked by its entry: pending, sent at unmask. */
    rig_write(m.rig, ROOT_MEM_WRITE, BAR4 + STEP + 3 * 16 + 12, 4, 1);
    endpoint_interrupt(func->func, 3);
    rig_settle(m.rig);
    ck_assert_uint_eq(m.rig->msis, 1);
    ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, BAR4 + STEP + 0x800, 4), 8);
    rig_write(m.rig, ROOT_MEM_WRITE, BAR4 + STEP + 3 * 16 + 12, 4, 0);
    ck_assert_uint_eq(m.rig->msis, 2);
    /* The rest of the BAR is the device's. */
    rig_write(m.rig, ROOT_MEM_WRITE, BAR4 + STEP + 0x1000, 4, 5);
    ck_assert_uint_eq(func->writes, 1);
    /* MSI of the other function: vector 2 of 4. */
    rig_cfg_write(m.rig, EP(0) + m.probe->func[0].pci->cap_msi + 4, 4, 0xfee00000);
    rig_cfg_write(m.rig, EP(0) + m.probe->func[0].pci->cap_msi + 0xc, 2, 0x60);
    rig_cfg_write(m.rig, EP(0) + m.probe->func[0].pci->cap_msi + 2, 2, 0x21);
    endpoint_interrupt(m.probe->func[0].func, 2);
    rig_settle(m.rig);
    ck_assert_uint_eq(m.rig->msis, 3);
    ck_assert_uint_eq(m.rig->msi[2].data, 0x62);
    machine_fini(&m);
}
END_TEST

START_TEST(test_interrupt_does_not_pass_writes)
{
    static uint8_t buf[100000];
    struct machine m;
    struct probe_dma op = {.op = {.kind = DMA_WRITE, .addr = 0, .len = sizeof(buf), .buf = buf}};

    machine_init(&m, 1);
    enable_msix(&m, 0, 0, 0x41);
    memset(buf, 0xaa, sizeof(buf));
    machine_watch(&m);
    probe_dma_start(&m.probe->func[0], &op);
    endpoint_interrupt(m.probe->func[0].func, 0);
    endpoint_send_message(m.probe->func[0].func, TLP_MSG_PM_PME);
    rig_settle(m.rig);
    ck_assert(op.done);
    ck_assert_uint_eq(m.rig->msis, 1);
    ck_assert_uint_eq(m.seen[m.count - 1].type, TLP_MSG);
    ck_assert_uint_eq(m.seen[m.count - 2].addr, 0xfee00000);
    for (unsigned i = 0; i < m.count - 2; i++)
        ck_assert_uint_lt(m.seen[i].addr, sizeof(buf));
    machine_fini(&m);
}
END_TEST

START_TEST(test_intx_shared_pin)
{
    struct machine m;
    unsigned changes;

    /* Functions 0 and 4 both have INTA; device 1 of the root bus makes it line 1. */
    machine_init(&m, FUNCTIONS);
    endpoint_set_intx(m.probe->func[0].func, true);
    endpoint_set_intx(m.probe->func[4].func, true);
    rig_settle(m.rig);
    ck_assert(m.rig->intx[1]);
    changes = m.rig->intx_changes;
    endpoint_set_intx(m.probe->func[0].func, false);
    rig_settle(m.rig);
    ck_assert_uint_eq(m.rig->intx_changes, changes);
    /* MSI takes a function's wire away. */
    rig_cfg_write(m.rig, EP(4) + m.probe->func[4].pci->cap_msi + 2, 2, 1);
    ck_assert(!m.rig->intx[1]);
    rig_cfg_write(m.rig, EP(4) + m.probe->func[4].pci->cap_msi + 2, 2, 0);
    ck_assert(m.rig->intx[1]);
    endpoint_set_intx(m.probe->func[4].func, false);
    rig_settle(m.rig);
    ck_assert(!m.rig->intx[1]);
    /* INTB, INTC, INTD of the others. */
    for (unsigned i = 1; i < 4; i++) {
        endpoint_set_intx(m.probe->func[i].func, true);
        rig_settle(m.rig);
        ck_assert(m.rig->intx[(1 + i) % 4]);
    }
    machine_fini(&m);
}
END_TEST

START_TEST(test_function_level_reset)
{
    static uint8_t buf[300000];
    struct machine m;
    struct probe_dma mine = {.op = {.kind = DMA_WRITE, .addr = 0, .len = sizeof(buf), .buf = buf}};
    struct probe_dma read = {.op = {.kind = DMA_READ, .addr = 0, .len = 100, .buf = buf}};
    struct probe_dma other = {.op = {.kind = DMA_READ, .addr = 0, .len = 4096, .buf = buf}};

    machine_init(&m, 2);
    endpoint_set_intx(m.probe->func[0].func, true);
    endpoint_set_intx(m.probe->func[1].func, true);
    rig_settle(m.rig);
    probe_dma_start(&m.probe->func[0], &mine);
    probe_dma_start(&m.probe->func[0], &read);
    probe_dma_start(&m.probe->func[1], &other);
    pci_func_config_write(m.probe->func[0].pci, m.probe->func[0].pci->cap_pcie + PCIE_DEVCTL, 2,
                          PCIE_DEVCTL_FLR);
    rig_settle(m.rig);
    ck_assert_uint_eq(m.probe->func[0].resets[ENDPOINT_RESET_FLR], 1);
    ck_assert_uint_eq(m.probe->func[1].resets[ENDPOINT_RESET_FLR], 0);
    ck_assert(!mine.done && !read.done && other.done);
    ck_assert(!m.rig->intx[1] && m.rig->intx[2]);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP(0) + 4, 2), 0);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP(1) + 4, 2), 7);
    bring_up(&m);
    ck_assert_int_eq(probe_dma(m.rig, &m.probe->func[0], &mine), DMA_OK);
    /* And through configuration, with its completion coming back. */
    rig_cfg_write(m.rig, devctl(&m, 0), 2, PCIE_DEVCTL_FLR);
    ck_assert_uint_eq(m.probe->func[0].resets[ENDPOINT_RESET_FLR], 2);
    machine_fini(&m);
}
END_TEST

START_TEST(test_resets_drop_dma)
{
    static uint8_t buf[300000];
    struct machine m;
    struct probe_dma op = {.op = {.kind = DMA_READ, .addr = 0, .len = sizeof(buf), .buf = buf}};
    struct probe_dma write = {.op = {.kind = DMA_WRITE, .addr = 0, .len = sizeof(buf), .buf = buf}};

    machine_init(&m, 1);
    enable_msix(&m, 0, 0, 0x41);
    for (unsigned i = 0; i < 20; i++) {
        probe_dma_start(&m.probe->func[0], &op);
        probe_dma_start(&m.probe->func[0], &write);
        endpoint_interrupt(m.probe->func[0].func, 0);
        /* With requests at different stages. */
        for (unsigned n = 0; n < i / 4; n++)
            sim_run_one(&m.rig->sim, m.rig->sim.now_ps);
        port_hot_reset(root_port_link(m.rp), true);
        port_hot_reset(root_port_link(m.rp), false);
        rig_settle(m.rig);
        ck_assert_uint_eq(tlp_pool_live(m.rig->fabric->pool), 0);
        ck_assert_uint_eq(m.probe->func[0].resets[ENDPOINT_RESET_HOT], i + 1);
        bring_up(&m);
        enable_msix(&m, 0, 0, 0x41);
        if (!op.done)
            ck_assert_int_eq(probe_dma(m.rig, &m.probe->func[0], &op), DMA_OK);
    }
    machine_fini(&m);
}
END_TEST

START_TEST(test_dma_refused_and_poisoned)
{
    struct machine m;
    uint8_t buf[8192];
    struct probe_dma op = {.op = {.kind = DMA_WRITE, .addr = 0x1000, .len = 4, .buf = buf}};

    memset(buf, 0x77, sizeof(buf));
    machine_init(&m, 1);
    /* Half of it is memory: the first failure ends it, once. */
    ck_assert_int_eq(dma(&m, 0, DMA_READ, RIG_LOW_BYTES - 4096, buf, 8192), DMA_UR);
    ck_assert(rig_cfg_read(m.rig, EP(0) + 6, 2) & PCI_STATUS_RECEIVED_UR);
    op.op.poison = true;
    memset(buf, 0x78, sizeof(buf));
    ck_assert_int_eq(probe_dma(m.rig, &m.probe->func[0], &op), DMA_OK);
    ck_assert_uint_eq(m.rig->low[0x1000], 0);
    machine_fini(&m);
}
END_TEST

START_TEST(test_hostile_tlps)
{
    struct machine m;
    struct sim_rng rng;
    struct tlp *tlp;

    machine_init(&m, FUNCTIONS);
    sim_rng_init(&rng, 21, "hostile");
    /* Whatever comes over the link in either direction is survived and accounted for. */
    for (unsigned i = 0; i < 30000; i++) {
        static uint8_t bytes[TLP_HEADER_MAX + TLP_MAX_PAYLOAD_DW * 4];
        struct port *port = i & 1 ? root_port_link(m.rp) : endpoint_port(m.probe->ep);

        sim_rng_fill(&rng, bytes, sizeof(bytes));
        bytes[2] &= ~0x40; /* not poisoned too often, and short */
        bytes[2] &= 0xfc;
        bytes[3] &= 0x1f;
        tlp = tlp_decode(m.rig->fabric->pool, bytes,
                         12 + (bytes[0] & 0x20 ? 4 : 0) +
                             (bytes[0] & 0x40 ? (bytes[3] ? bytes[3] : 1024) * 4u : 0));
        if (!tlp)
            continue;
        if (i % 5 == 0)
            tlp->addr = BAR0 + (sim_rng_below(&rng, STEP * FUNCTIONS) & ~3ULL);
        if (i % 7 == 0)
            tlp->requester.v = 0x100 | (uint16_t)sim_rng_below(&rng, 8);
        port_send(port, tlp);
        rig_settle(m.rig);
    }
    ck_assert_uint_eq(tlp_pool_live(m.rig->fabric->pool), 0);
    machine_fini(&m);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("endpoint");
    TCase *tc = tcase_create("endpoint");

    tcase_add_test(tc, test_multi_function);
    tcase_add_test(tc, test_ari);
    tcase_add_test(tc, test_bar_statuses);
    tcase_add_test(tc, test_dma_any_length_and_alignment);
    tcase_add_test(tc, test_dma_requests_keep_the_limits);
    tcase_add_test(tc, test_dma_attributes);
    tcase_add_test(tc, test_reads_take_turns);
    tcase_add_test(tc, test_functions_share_the_link);
    tcase_add_test(tc, test_bus_master_and_power);
    tcase_add_test(tc, test_msix_and_msi);
    tcase_add_test(tc, test_interrupt_does_not_pass_writes);
    tcase_add_test(tc, test_intx_shared_pin);
    tcase_add_test(tc, test_function_level_reset);
    tcase_add_test(tc, test_resets_drop_dma);
    tcase_add_test(tc, test_dma_refused_and_poisoned);
    tcase_add_test(tc, test_hostile_tlps);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
