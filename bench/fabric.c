/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench/fabric [SECONDS]: how fast TLPs move with functional and with link timing, through a root
 * port, a switch and an endpoint. Processor time; medians of several runs, with the spread; heap
 * allocations are counted per TLP, the C library's own calls included. A TLP counts once per link
 * that it crosses.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/endpoint/endpoint.h"
#include "pcilab/root/root.h"
#include "pcilab/switch/switch.h"

#define RUNS      7
#define RAM_BYTES (4u << 20)
#define BAR_BYTES 0x10000u
#define BAR       0xe0000000ULL
#define DMA_BYTES 4096u
#define DMA_OPS   8

/* Every heap allocation of the process. */
static atomic_uint_fast64_t allocations;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *ptr, size_t size);

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *ptr, size_t size)
{
    allocations++;
    return __libc_realloc(ptr, size);
}

struct bench {
    struct sim sim;
    struct trace trace;
    struct fabric *fabric;
    struct root_complex *rc;
    struct pcie_switch *sw;
    struct endpoint *ep;
    struct endpoint_func *func;
    uint8_t *ram;
    uint8_t bar[BAR_BYTES];
    uint8_t buf[DMA_OPS][DMA_BYTES];
    struct dma_op op[DMA_OPS];
    enum dma_kind kind;
    uint64_t ops_left, ops_done;
    bool done;
};

static bool ram_read(void *opaque, uint64_t gpa, void *data, unsigned len)
{
    struct bench *bench = opaque;

    if (!range_inside(gpa, len, 0, RAM_BYTES))
        return false;
    memcpy(data, bench->ram + gpa, len);
    return true;
}

static bool ram_write(void *opaque, uint64_t gpa, const void *data, unsigned len)
{
    struct bench *bench = opaque;

    if (!range_inside(gpa, len, 0, RAM_BYTES))
        return false;
    memcpy(bench->ram + gpa, data, len);
    return true;
}

static void no_msi(void *opaque, uint64_t addr, uint32_t data)
{
}

static void no_intx(void *opaque, unsigned line, bool level)
{
}

static const struct root_host_ops host_ops = {ram_read, ram_write, no_msi, no_intx};

static enum tlp_status bar_read(void *owner, unsigned bar, uint64_t offset, void *data,
                                unsigned len)
{
    memcpy(data, ((struct bench *)owner)->bar + offset, len);
    return TLP_SC;
}

static enum tlp_status bar_write(void *owner, unsigned bar, uint64_t offset, const void *data,
                                 unsigned len)
{
    memcpy(((struct bench *)owner)->bar + offset, data, len);
    return TLP_SC;
}

static void no_reset(void *owner, enum endpoint_reset kind)
{
}

static void no_destroy(void *owner)
{
}

static const struct endpoint_func_ops func_ops = {
    .bar_read = bar_read, .bar_write = bar_write, .reset = no_reset, .destroy = no_destroy};

static void host_done(struct root_request *request, enum tlp_status status)
{
    struct bench *bench = request->opaque;

    bench->done = true;
    if (status != TLP_SC) {
        fprintf(stderr, "a host request failed: %d\n", status);
        exit(1);
    }
}

static uint64_t access_host(struct bench *bench, enum root_request_kind kind, uint64_t addr,
                            unsigned size, uint64_t value)
{
    struct root_request request = {
        .kind = kind, .size_bytes = size, .addr = addr, .done = host_done, .opaque = bench};

    le_store(request.data, value, size);
    bench->done = false;
    root_submit(bench->rc, &request);
    while (!bench->done && sim_run_one(&bench->sim, SIM_NEVER))
        ;
    /* A processor takes time between two accesses. */
    sim_run_until(&bench->sim, bench->sim.now_ps + PS_PER_NS);
    return le_load(request.data, size);
}

static void config_write(struct bench *bench, unsigned bus, unsigned reg, unsigned size,
                         uint32_t value)
{
    unsigned device = bus == 0; /* 00:01.0, then device 0 of every bus */

    access_host(bench, ROOT_CFG_WRITE, (uint64_t)bus << 20 | device << 15 | reg, size, value);
}

static struct pcie_params pcie(enum pcie_port_type type)
{
    return (struct pcie_params){
        .type = type, .max_speed = 4, .max_width = 4, .max_payload_bytes = 512};
}

static void bench_make(struct bench *bench, enum link_timing timing)
{
    struct link_params link = link_default_params;
    const struct root_params root = {
        .name = "rc", .bus_last = 255, .host = &host_ops, .opaque = bench};
    struct root_port_params rp = {.name = "rp", .device = 1, .pcie = pcie(PCIE_ROOT_PORT)};
    const struct switch_port_params down[4] = {{.pcie = pcie(PCIE_DOWNSTREAM_PORT)},
                                               {.pcie = pcie(PCIE_DOWNSTREAM_PORT)},
                                               {.pcie = pcie(PCIE_DOWNSTREAM_PORT)},
                                               {.pcie = pcie(PCIE_DOWNSTREAM_PORT)}};
    const struct switch_params sw = {
        .name = "sw", .up = {.pcie = pcie(PCIE_UPSTREAM_PORT)}, .down_count = 4, .down = down};
    const struct endpoint_func_desc desc = {
        .name = "ep",
        .ids = {.vendor = 0x1556, .device = 0x1112, .class_code = 0xff0000},
        .ops = &func_ops,
        .owner = bench};
    const struct pcie_params endpoint = pcie(PCIE_ENDPOINT);

    sim_init(&bench->sim, 1);
    bench->trace.now_ps = &bench->sim.now_ps;
    bench->fabric = fabric_new(&bench->sim, &bench->trace);
    bench->rc = root_complex_new(bench->fabric, &root);
    bench->sw = pcie_switch_new(bench->fabric, &sw);
    bench->ep = endpoint_new(bench->fabric, "ep");
    bench->func = endpoint_add_func(bench->ep, &desc);
    pci_func_set_bar(endpoint_func_pci(bench->func), 0, PCI_BAR_MEM32, BAR_BYTES);
    pci_cap_pcie_add(endpoint_func_pci(bench->func), &endpoint);
    endpoint_ready(bench->ep);
    link.timing = timing;
    link_new(root_port_link(root_port_add(bench->rc, &rp)), pcie_switch_upstream(bench->sw), &link);
    link_new(pcie_switch_downstream(bench->sw, 0), endpoint_port(bench->ep), &link);
    /* Bus 0: the root port, 1: upstream, 2: downstream, 3: the endpoint. */
    for (unsigned bus = 0; bus < 3; bus++) {
        config_write(bench, bus, 0x18, 4, 3u << 16 | (bus + 1) << 8 | bus);
        config_write(bench, bus, 0x20, 4, (BAR & 0xfff00000) | BAR >> 16);
        config_write(bench, bus, 0x24, 4, 0x0000fff0);
        config_write(bench, bus, 0x04, 2, 6);
    }
    config_write(bench, 3, 0x10, 4, BAR);
    config_write(bench, 3, 0x04, 2, 6);
}

static void bench_unmake(struct bench *bench)
{
    sim_run_until(&bench->sim, bench->sim.now_ps);
    endpoint_free(bench->ep);
    pcie_switch_free(bench->sw);
    root_complex_free(bench->rc);
    fabric_free(bench->fabric);
    sim_fini(&bench->sim);
}

/* Max_Payload_Size and Max_Read_Request_Size of every function: 128 << code bytes. */
static void set_payload(struct bench *bench, unsigned code)
{
    struct pci_func *funcs[] = {endpoint_func_pci(bench->func), pcie_switch_func(bench->sw, -1),
                                pcie_switch_func(bench->sw, 0)};
    unsigned bus[] = {3, 1, 2};

    for (unsigned i = 0; i < ARRAY_LEN(funcs); i++)
        config_write(bench, bus[i], funcs[i]->cap_pcie + 8u, 2, code << 5 | 5u << 12 | 1u << 8);
    /* The root port's capability is where the downstream port's is. */
    config_write(bench, 0, pcie_switch_func(bench->sw, 0)->cap_pcie + 8u, 2, code << 5);
}

static double now_s(void)
{
    struct timespec ts;

    /* Of this process: other load on the machine should not show. */
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static uint64_t work_mmio_read(struct bench *bench, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        access_host(bench, ROOT_MEM_READ, BAR + (i * 4 & (BAR_BYTES - 1)), 4, 0);
    return count;
}

static uint64_t work_mmio_write(struct bench *bench, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        access_host(bench, ROOT_MEM_WRITE, BAR + (i * 4 & (BAR_BYTES - 1)), 4, i);
    sim_run_until(&bench->sim, bench->sim.now_ps);
    return count;
}

static void op_start(struct bench *bench, struct dma_op *op)
{
    bench->ops_left--;
    op->addr = (bench->ops_left * DMA_BYTES) & (RAM_BYTES - 1);
    endpoint_dma(bench->func, op);
}

static void op_done(struct dma_op *op, enum dma_status status)
{
    struct bench *bench = op->opaque;

    if (status != DMA_OK) {
        fprintf(stderr, "a DMA operation failed: %d\n", status);
        exit(1);
    }
    bench->ops_done++;
    if (bench->ops_left)
        op_start(bench, op);
}

static uint64_t work_dma(struct bench *bench, uint64_t count)
{
    bench->ops_left = count;
    bench->ops_done = 0;
    for (unsigned i = 0; i < DMA_OPS && bench->ops_left; i++) {
        bench->op[i] = (struct dma_op){.kind = bench->kind,
                                       .len = DMA_BYTES,
                                       .buf = bench->buf[i],
                                       .done = op_done,
                                       .opaque = bench};
        op_start(bench, &bench->op[i]);
    }
    while (bench->ops_done < count && sim_run_one(&bench->sim, SIM_NEVER))
        ;
    sim_run_until(&bench->sim, bench->sim.now_ps);
    return count;
}

struct figure {
    const char *name;
    uint64_t (*work)(struct bench *bench, uint64_t count);
    enum dma_kind kind;
    unsigned payload; /* code; 0: 128 bytes */
    unsigned bytes;   /* of data each, 0: not told */
};

static const struct figure figures[] = {
    {"MMIO read 4 B, round trip", work_mmio_read, DMA_READ, 0, 0},
    {"MMIO write 4 B, posted", work_mmio_write, DMA_READ, 0, 0},
    {"DMA write 4 KiB, payload 128", work_dma, DMA_WRITE, 0, DMA_BYTES},
    {"DMA write 4 KiB, payload 512", work_dma, DMA_WRITE, 2, DMA_BYTES},
    {"DMA read 4 KiB, payload 128", work_dma, DMA_READ, 0, DMA_BYTES},
    {"DMA read 4 KiB, payload 512", work_dma, DMA_READ, 2, DMA_BYTES},
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double measure(const struct figure *figure, enum link_timing timing, double seconds)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    double tlps[RUNS], ops[RUNS], start, took;
    uint64_t count = 2000, heap = 0, crossings = 0, virtual_ps = 0;

    bench->ram = calloc(1, RAM_BYTES);
    bench_make(bench, timing);
    set_payload(bench, figure->payload);
    bench->kind = figure->kind;
    /* Warm up, and find how much fills a run. */
    do {
        count *= 2;
        start = now_s();
        figure->work(bench, count);
        took = now_s() - start;
    } while (took < seconds / 4);
    count = (uint64_t)((double)count * seconds / took);
    for (unsigned i = 0; i < RUNS; i++) {
        uint64_t heap_before = allocations, before = bench->fabric->tlps;
        uint64_t began_ps = bench->sim.now_ps;

        start = now_s();
        figure->work(bench, count);
        took = now_s() - start;
        heap += allocations - heap_before;
        crossings += bench->fabric->tlps - before;
        virtual_ps += bench->sim.now_ps - began_ps;
        tlps[i] = (double)(bench->fabric->tlps - before) / took;
        ops[i] = (double)count / took;
    }
    qsort(tlps, RUNS, sizeof(tlps[0]), by_value);
    qsort(ops, RUNS, sizeof(ops[0]), by_value);
    printf("%-10s %-28s %6.2f M TLP/s (%.2f to %.2f) %6.1f ns/TLP %7.0f k/s",
           timing == LINK_TIMED ? "link" : "functional", figure->name, tlps[RUNS / 2] / 1e6,
           tlps[0] / 1e6, tlps[RUNS - 1] / 1e6, 1e9 / tlps[RUNS / 2], ops[RUNS / 2] / 1e3);
    printf(" %.6f allocations/TLP", (double)heap / (double)crossings);
    if (figure->bytes)
        printf(" %5.2f GB/s", ops[RUNS / 2] * figure->bytes / 1e9);
    if (timing == LINK_TIMED)
        printf(" %6.0f ns each by the guest's clock",
               (double)virtual_ps / RUNS / (double)count / 1e3);
    printf("\n");
    bench_unmake(bench);
    free(bench->ram);
    free(bench);
    return tlps[RUNS / 2];
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 0.3;

    printf(
        "root port, 4-port switch, endpoint, links of 16 GT/s x4; %d runs of %.2f s of processor "
        "time, medians\n",
        RUNS, seconds);
    for (unsigned i = 0; i < ARRAY_LEN(figures); i++) {
        double functional = measure(&figures[i], LINK_FUNCTIONAL, seconds);
        double timed = measure(&figures[i], LINK_TIMED, seconds);

        printf("%-10s %-28s %6.2f times as fast as with functional timing\n", "link",
               figures[i].name, timed / functional);
    }
    return 0;
}
