/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ats_bench.h"

#include <string.h>

#define ROOT     0x1000000ULL
#define QUEUE    0x1001000ULL
#define STATUS   0x1002000ULL /* that waits write */
#define PAGES    0x1100000ULL /* the Page Request queue */
#define TABLES   0x1200000ULL
#define RP(n)    ((uint64_t)((n) + 1) << 15)
#define BUS(n)   ((uint64_t)(n) << 20)
#define CHANNEL  EXERCISER_CHANNEL
#define REGS(ex) (MAP_MMIO32_BASE + (ex)*0x200000ULL)
#define MEM(ex)  (MAP_MMIO64_BASE + (ex)*0x200000ULL)

static const uint8_t bus_of[ATS_BENCH_EXERCISERS] = {[EX0] = 1, [EX1] = 4, [EX2] = 5};

uint16_t ats_bench_sid(unsigned ex)
{
    return (uint16_t)(bus_of[ex] << 8);
}

uint64_t ats_bench_memory(unsigned ex)
{
    return MEM(ex);
}

/* Memory. */

uint64_t ats_bench_get(const struct ats_bench *b, uint64_t addr)
{
    return le64_load(ram_ptr(&b->machine->ram, addr, 8));
}

void ats_bench_put(struct ats_bench *b, uint64_t addr, uint64_t value)
{
    le64_store(ram_ptr(&b->machine->ram, addr, 8), value);
}

static uint64_t new_page(struct ats_bench *b)
{
    b->next += ATS_BENCH_PAGE;
    g_assert(b->next <= ATS_BENCH_DATA);
    return b->next - ATS_BENCH_PAGE;
}

void ats_bench_run(struct ats_bench *b)
{
    sim_run_until(&b->machine->sim, b->machine->sim.now_ps + b->settle_ps);
}

/* Accesses of the host. */

struct wait {
    bool done;
};

static void access_done(struct root_request *request, enum tlp_status status)
{
    struct wait *wait = request->opaque;

    wait->done = true;
}

uint64_t ats_bench_mem(struct ats_bench *b, enum root_request_kind kind, uint64_t addr,
                       unsigned size, uint64_t value)
{
    struct wait wait = {0};
    struct root_request request = {
        .kind = kind, .size_bytes = size, .addr = addr, .done = access_done, .opaque = &wait};

    le_store(request.data, value, size);
    root_submit(b->rc, &request);
    while (!wait.done)
        g_assert(sim_run_one(&b->machine->sim, SIM_NEVER));
    return le_load(request.data, size);
}

uint32_t ats_bench_cfg(struct ats_bench *b, uint64_t addr, unsigned size, bool write,
                       uint32_t value)
{
    return (uint32_t)ats_bench_mem(b, write ? ROOT_CFG_WRITE : ROOT_CFG_READ, addr, size, value);
}

uint32_t ats_bench_cfg_read(struct ats_bench *b, unsigned ex, unsigned offset)
{
    return ats_bench_cfg(b, BUS(bus_of[ex]) + offset, 4, false, 0);
}

void ats_bench_cfg_write(struct ats_bench *b, unsigned ex, unsigned offset, unsigned size,
                         uint32_t value)
{
    ats_bench_cfg(b, BUS(bus_of[ex]) + offset, size, true, value);
}

uint64_t ats_bench_read(struct ats_bench *b, unsigned ex, unsigned reg, unsigned size)
{
    return ats_bench_mem(b, ROOT_MEM_READ, REGS(ex) + reg, size, 0);
}

void ats_bench_write(struct ats_bench *b, unsigned ex, unsigned reg, unsigned size, uint64_t value)
{
    ats_bench_mem(b, ROOT_MEM_WRITE, REGS(ex) + reg, size, value);
}

unsigned ats_bench_cap(struct ats_bench *b, unsigned ex, unsigned id)
{
    unsigned at = PCI_EXT_START;

    while (at && (ats_bench_cfg_read(b, ex, at) & 0xffff) != id)
        at = ats_bench_cfg_read(b, ex, at) >> 20;
    return at;
}

/* The fabric. */

static void bridge(struct ats_bench *b, uint64_t cfg, unsigned second, unsigned last, unsigned ex)
{
    unsigned last_ex = last == bus_of[EX2] ? EX2 : ex;
    uint64_t regs_end = REGS(last_ex) + 0x1fffff, mem_end = MEM(last_ex) + 0x1fffff;

    ats_bench_cfg(b, cfg + 0x18, 1, true, (uint32_t)(cfg >> 20));
    ats_bench_cfg(b, cfg + 0x19, 1, true, second);
    ats_bench_cfg(b, cfg + 0x1a, 1, true, last);
    ats_bench_cfg(b, cfg + 0x20, 2, true, REGS(ex) >> 16 & 0xfff0);
    ats_bench_cfg(b, cfg + 0x22, 2, true, regs_end >> 16 & 0xfff0);
    ats_bench_cfg(b, cfg + 0x24, 2, true, MEM(ex) >> 16 & 0xfff0);
    ats_bench_cfg(b, cfg + 0x26, 2, true, mem_end >> 16 & 0xfff0);
    ats_bench_cfg(b, cfg + 0x28, 4, true, (uint32_t)(MEM(ex) >> 32));
    ats_bench_cfg(b, cfg + 0x2c, 4, true, (uint32_t)(mem_end >> 32));
    ats_bench_cfg(b, cfg + PCI_COMMAND, 2, true, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void exerciser(struct ats_bench *b, unsigned ex)
{
    unsigned pasid = ats_bench_cap(b, ex, PCI_EXT_PASID), ats = ats_bench_cap(b, ex, PCI_EXT_ATS);

    ats_bench_cfg_write(b, ex, PCI_BAR(0), 4, (uint32_t)REGS(ex));
    ats_bench_cfg_write(b, ex, PCI_BAR(2), 4, (uint32_t)REGS(ex) + 0x10000);
    ats_bench_cfg_write(b, ex, PCI_BAR(3), 4, 0);
    ats_bench_cfg_write(b, ex, PCI_BAR(4), 4, (uint32_t)MEM(ex));
    ats_bench_cfg_write(b, ex, PCI_BAR(5), 4, (uint32_t)(MEM(ex) >> 32));
    ats_bench_cfg_write(b, ex, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    ats_bench_cfg_write(b, ex, pasid + PCI_PASID_CONTROL, 2,
                        PCI_PASID_CONTROL_ENABLE | PCI_PASID_CAPS_EXECUTE |
                            PCI_PASID_CAPS_PRIVILEGED);
    ats_bench_cfg_write(b, ex, ats + PCI_ATS_CONTROL, 2, PCI_ATS_CONTROL_ENABLE);
    g_assert(ats_bench_read(b, ex, EXERCISER_MAGIC, 4) == EXERCISER_MAGIC_VALUE);
}

void ats_bench_enable_pri(struct ats_bench *b, unsigned ex, unsigned allocation)
{
    unsigned pri = ats_bench_cap(b, ex, PCI_EXT_PRI);

    ats_bench_cfg_write(b, ex, pri + PCI_PRI_ALLOCATION, 4, allocation);
    ats_bench_cfg_write(b, ex, pri + PCI_PRI_CONTROL, 2, PCI_PRI_CONTROL_ENABLE);
}

unsigned ats_bench_pri_status(struct ats_bench *b, unsigned ex)
{
    return ats_bench_cfg_read(b, ex, ats_bench_cap(b, ex, PCI_EXT_PRI) + PCI_PRI_CONTROL) >> 16;
}

/* The unit. */

static void unit_on(struct ats_bench *b, unsigned page_order)
{
    uint64_t lower;

    for (unsigned ex = 0; ex < ATS_BENCH_EXERCISERS; ex++) {
        lower = new_page(b);
        ats_bench_put(b, ROOT + bus_of[ex] * 16u, lower | 1);
        b->table[ex] = new_page(b);
        ats_bench_put(b, lower + 32, 0);
        /* Device TLB, PASIDs, Page Requests; a PASID directory. */
        ats_bench_put(b, lower, new_page(b) | BIT(2) | BIT(3) | BIT(4) | 1);
        ats_bench_put(b, ats_bench_get(b, lower) & ~0xfffULL, b->table[ex] | 1);
    }
    vtd_write(b->vtd, 0x20, 8, ROOT | BIT(10));
    vtd_write(b->vtd, 0x18, 4, BIT(30));
    vtd_write(b->vtd, 0x90, 8, QUEUE | BIT(11));
    vtd_write(b->vtd, 0xd0, 8, PAGES | page_order);
    vtd_write(b->vtd, 0x18, 4, BIT(31) | BIT(26));
    ats_bench_run(b);
    g_assert((vtd_read(b->vtd, 0x1c, 4) & (BIT(31) | BIT(26))) == (BIT(31) | BIT(26)));
}

uint64_t ats_bench_context(const struct ats_bench *b, unsigned ex)
{
    return ats_bench_get(b, ROOT + bus_of[ex] * 16u) & ~0xfffULL;
}

uint64_t ats_bench_pasid_entry(const struct ats_bench *b, unsigned ex, uint32_t pasid)
{
    g_assert(pasid < 64);
    return b->table[ex] + pasid * 64;
}

static struct machine_component *add(struct machine_desc *desc, enum machine_kind kind,
                                     const char *name, int parent,
                                     const struct ats_bench_params *params)
{
    struct machine_component *c = machine_desc_add(desc, kind, name);

    c->parent = parent;
    if (params->speed) {
        c->port.speed = params->speed;
        c->port.width = params->width;
        for (unsigned i = 0; kind == MACHINE_SWITCH && i < 2; i++) {
            c->sw.down[i].speed = params->speed;
            c->sw.down[i].width = params->width;
        }
    }
    c->exerciser.no_io = kind == MACHINE_EXERCISER;
    return c;
}

static struct machine *machine_of(const struct ats_bench_params *params)
{
    struct machine_desc *desc = machine_desc_new();
    struct machine *machine;

    desc->cpus = params->cpus ? params->cpus : 1;
    desc->memory_bytes = ATS_BENCH_RAM;
    desc->timing = params->timing;
    machine_desc_add(desc, MACHINE_HOST_BRIDGE, "hb0");
    add(desc, MACHINE_ROOT_PORT, "rp0", 0, params);
    add(desc, MACHINE_ROOT_PORT, "rp1", 0, params)->device = 2;
    add(desc, MACHINE_SWITCH, "sw0", 2, params)->sw.down_count = 2;
    add(desc, MACHINE_EXERCISER, "ex0", 1, params)->misbehave = params->misbehave;
    add(desc, MACHINE_EXERCISER, "ex1", 3, params);
    add(desc, MACHINE_EXERCISER, "ex2", 3, params)->parent_port = 1;
    struct machine_component *c = add(desc, MACHINE_IOMMU, "iommu0", 0, params);
    c->iommu.ats_all = true;
    c->iommu.read_latency_ps = params->read_latency_ps;
    c->iommu.invalidation_timeout_ps = ATS_BENCH_TIMEOUT_PS;
    machine = machine_new(desc, &(struct machine_options){.seed = 1, .kvm = params->kvm}, NULL);
    machine_desc_free(desc);
    g_assert(machine);
    machine_restart(machine);
    return machine;
}

struct ats_bench *ats_bench_new(const struct ats_bench_params *params)
{
    struct ats_bench *b = g_new0(struct ats_bench, 1);

    b->machine = machine_of(params);
    b->vtd = b->machine->iommu[0].vtd;
    b->rc = b->machine->bridge[0].rc;
    b->next = TABLES;
    b->settle_ps = 20 * PS_PER_US;
    sim_run_until(&b->machine->sim, PS_PER_MS); /* links train */
    bridge(b, RP(0), 1, 1, EX0);
    bridge(b, RP(1), 2, 5, EX1);
    bridge(b, BUS(2), 3, 5, EX1);
    bridge(b, BUS(3), 4, 4, EX1);
    bridge(b, BUS(3) + (1u << 15), 5, 5, EX2);
    for (unsigned ex = 0; ex < ATS_BENCH_EXERCISERS; ex++)
        exerciser(b, ex);
    unit_on(b, params->page_order);
    return b;
}

void ats_bench_free(struct ats_bench *b)
{
    machine_free(b->machine);
    g_free(b);
}

/* Tables. */

static uint64_t walk(struct ats_bench *b, uint64_t root, uint64_t addr, unsigned link)
{
    uint64_t table = root;

    for (unsigned shift = 39; shift > 12; shift -= 9) {
        uint64_t entry = table + (addr >> shift & 511) * 8;

        if (!ats_bench_get(b, entry))
            ats_bench_put(b, entry, new_page(b) | link);
        table = ats_bench_get(b, entry) & ~0xfffULL;
    }
    return table + (addr >> 12 & 511) * 8;
}

void ats_bench_map(struct ats_bench *b, uint64_t root, uint64_t addr, uint64_t to, unsigned rights)
{
    ats_bench_put(b, walk(b, root, addr, 7), rights ? to | rights : 0);
}

/* All of memory where it is, in pages of 1 GiB. */
static uint64_t identity(struct ats_bench *b)
{
    uint64_t root = new_page(b), next = new_page(b);

    ats_bench_put(b, root, next | 3);
    for (unsigned i = 0; i < 4; i++)
        ats_bench_put(b, next + i * 8u, (uint64_t)i << 30 | BIT(7) | 3);
    return root;
}

uint64_t ats_bench_process(struct ats_bench *b, unsigned ex, uint32_t pasid, unsigned pgtt)
{
    uint64_t entry = ats_bench_pasid_entry(b, ex, pasid), root = pgtt == 4 ? 0 : new_page(b);
    uint64_t second = pgtt == 2 ? root : pgtt == 3 ? identity(b) : 0;

    /* 4 levels; snooped walks. */
    ats_bench_put(b, entry + 8, (ex * 64 + pasid + 1) | BIT(23));
    ats_bench_put(b, entry + 16, pgtt == 1 || pgtt == 3 ? root : 0);
    ats_bench_put(b, entry, second | 2 << 2 | pgtt << 6 | 1);
    return root;
}

/* Queues. */

void ats_bench_queue(struct ats_bench *b, uint64_t low, uint64_t high)
{
    ats_bench_put(b, QUEUE + b->tail, low);
    ats_bench_put(b, QUEUE + b->tail + 8, high);
    ats_bench_put(b, QUEUE + b->tail + 16, 0);
    ats_bench_put(b, QUEUE + b->tail + 24, 0);
    b->tail = (b->tail + 32) % ATS_BENCH_PAGE;
    vtd_write(b->vtd, 0x88, 8, b->tail);
}

bool ats_bench_wait(struct ats_bench *b)
{
    uint64_t end_ps = b->machine->sim.now_ps + b->settle_ps;

    b->waits++;
    ats_bench_queue(b, 0x25 | BIT(7) | (uint64_t)b->waits << 32, STATUS);
    while ((uint32_t)ats_bench_get(b, STATUS) != b->waits &&
           sim_run_one(&b->machine->sim, end_ps)) {
    }
    if ((uint32_t)ats_bench_get(b, STATUS) == b->waits)
        return true;
    sim_run_until(&b->machine->sim, end_ps);
    return false;
}

void ats_bench_flush(struct ats_bench *b, unsigned ex, uint32_t pasid)
{
    uint64_t domain = ex * 64 + pasid + 1;
    uint64_t everything = low_mask(63) & ~0xfffULL;

    ats_bench_queue(b, 7 | 1 << 4 | domain << 16 | (uint64_t)pasid << 32, 0);
    ats_bench_queue(b, 6 | 2 << 4 | domain << 16 | (uint64_t)pasid << 32, 0);
    if (pasid == ATS_BENCH_RID_PASID) /* of requests without one; those with are others */
        ats_bench_queue(b, 3 | 31 << 16 | (uint64_t)ats_bench_sid(ex) << 32, everything | 1);
    ats_bench_queue(b, 8 | 31 << 4 | (uint64_t)ats_bench_sid(ex) << 16 | (uint64_t)pasid << 32,
                    everything | BIT(11));
}

bool ats_bench_take_page(struct ats_bench *b, struct vtd_page_request *page)
{
    uint64_t head = vtd_read(b->vtd, 0xc0, 8), low, high;
    uint64_t bytes = 4096ULL << (vtd_read(b->vtd, 0xd0, 8) & 7);

    if (head == vtd_read(b->vtd, 0xc8, 8))
        return false;
    low = ats_bench_get(b, PAGES + head);
    high = ats_bench_get(b, PAGES + head + 8);
    *page = (struct vtd_page_request){
        .sid = (uint16_t)(low >> 16),
        .has_pasid = low >> 8 & 1,
        .execute = low >> 52 & 1,
        .privileged = low >> 53 & 1,
        .pasid = low >> 32 & 0xfffff,
        .read = high & 1,
        .write = high >> 1 & 1,
        .last = high >> 2 & 1,
        .group = high >> 3 & 0x1ff,
        .addr = high & ~0xfffULL,
    };
    vtd_write(b->vtd, 0xc0, 8, (head + 32) & (bytes - 1));
    vtd_write(b->vtd, 0xdc, 4, 1);
    return true;
}

void ats_bench_respond(struct ats_bench *b, const struct vtd_page_request *page, unsigned code)
{
    ats_bench_queue(b,
                    9 | (page->has_pasid ? BIT(4) : 0) | code << 12 | (uint64_t)page->sid << 16 |
                        (uint64_t)page->pasid << 32,
                    (uint64_t)page->group << 3 | 4);
    ats_bench_run(b);
}

unsigned ats_bench_fault(struct ats_bench *b, uint64_t *high)
{
    unsigned status = (unsigned)vtd_read(b->vtd, 0x34, 4), record = 0x200 + (status >> 8) * 16;

    if (!(status & 2))
        return 0;
    *high = vtd_read(b->vtd, record + 8, 8);
    vtd_write(b->vtd, record + 12, 4, BIT(31));
    return *high >> 32 & 0xff;
}

/* DMA. */

void ats_bench_start(struct ats_bench *b, const struct ats_bench_dma *dma)
{
    unsigned ch = CHANNEL(dma->channel);

    ats_bench_write(b, dma->ex, ch + EXERCISER_CH_ADDR, 8, dma->addr);
    ats_bench_write(b, dma->ex, ch + EXERCISER_CH_LOCAL, 8, dma->local);
    ats_bench_write(b, dma->ex, ch + EXERCISER_CH_LEN, 4, dma->len);
    ats_bench_write(b, dma->ex, ch + EXERCISER_CH_ATTR, 4, dma->attr);
    ats_bench_write(b, dma->ex, ch + EXERCISER_CH_PASID, 4, dma->pasid);
    ats_bench_write(b, dma->ex, ch + EXERCISER_CH_STATUS, 4, EXERCISER_STATUS_DONE);
    ats_bench_write(b, dma->ex, ch + EXERCISER_CH_COMMAND, 4, dma->command);
}

static unsigned status_of(struct ats_bench *b, unsigned ex, unsigned channel)
{
    return (unsigned)ats_bench_read(b, ex, CHANNEL(channel) + EXERCISER_CH_STATUS, 4);
}

bool ats_bench_done(struct ats_bench *b, unsigned ex, unsigned channel)
{
    return status_of(b, ex, channel) & EXERCISER_STATUS_DONE;
}

unsigned ats_bench_result(struct ats_bench *b, unsigned ex, unsigned channel)
{
    return status_of(b, ex, channel) >> 8 & 0xff;
}

unsigned ats_bench_dma(struct ats_bench *b, const struct ats_bench_dma *dma)
{
    ats_bench_start(b, dma);
    ats_bench_run(b);
    g_assert(ats_bench_done(b, dma->ex, dma->channel));
    return ats_bench_result(b, dma->ex, dma->channel);
}
