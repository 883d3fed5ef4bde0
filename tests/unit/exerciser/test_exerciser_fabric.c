/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exerciser behind a root port, driven by the host as software would: TLPs all the way. */
#include <string.h>
#include <zlib.h>

#include "pcilab/endpoint/devices.h"
#include "pcilab/endpoint/exerciser.h"
#include "pcilab/pci/config.h"
#include "rig.h"

#define FUNCTIONS 3
#define MEM_BYTES (1u << 20)
#define RP        RIG_CFG(0, 1, 0, 0)
#define EP(fn)    RIG_CFG(1, 0, fn, 0)
#define REGS(fn)  (0xe0000000ULL + (fn)*0x100000)
#define BAR2(fn)  (REGS(fn) + 0x10000)
#define IO(fn)    (0x1000ULL + (fn)*0x100)
#define MEM(fn)   (0x4000000000ULL + (fn)*MEM_BYTES)

static struct rig *rig;
static struct endpoint *ep;
static struct pci_func *port;

static void set_bars(void)
{
    for (unsigned fn = 0; fn < FUNCTIONS; fn++) {
        rig_cfg_write(rig, EP(fn) + PCI_BAR(0), 4, (uint32_t)REGS(fn));
        rig_cfg_write(rig, EP(fn) + PCI_BAR(1), 4, (uint32_t)IO(fn));
        rig_cfg_write(rig, EP(fn) + PCI_BAR(2), 4, (uint32_t)BAR2(fn));
        rig_cfg_write(rig, EP(fn) + PCI_BAR(3), 4, 0);
        rig_cfg_write(rig, EP(fn) + PCI_BAR(4), 4, (uint32_t)MEM(fn));
        rig_cfg_write(rig, EP(fn) + PCI_BAR(5), 4, (uint32_t)(MEM(fn) >> 32));
        rig_cfg_write(rig, EP(fn) + PCI_COMMAND, 2, 7);
    }
}

static void setup(void)
{
    const struct exerciser_params params = {
        .name = "ex0",
        .functions = FUNCTIONS,
        .msix_vectors = 64,
        .msi_vectors = 4,
        .mem_bytes = MEM_BYTES,
        .pcie = rig_pcie(PCIE_ENDPOINT),
    };
    const struct rig_windows windows = {
        .secondary = 1,
        .subordinate = 1,
        .mem_base = REGS(0),
        .mem_limit = REGS(FUNCTIONS) - 1,
        .pref_base = MEM(0),
        .pref_limit = MEM(FUNCTIONS) - 1,
        .io_base = IO(0),
        .io_limit = IO(0) + 0xfff,
    };

    rig = rig_new();
    struct root_port *rp = rig_root_port(rig, 1, 0);
    port = root_port_func(rp);
    ep = exerciser_new(rig->fabric, &params);
    link_connect(root_port_link(rp), endpoint_port(ep));
    rig_program_bridge(rig, RP, &windows);
    set_bars();
}

static void teardown(void)
{
    rig_settle(rig);
    endpoint_free(ep);
    rig_free(rig);
}

static uint64_t get(unsigned fn, unsigned offset, unsigned len)
{
    return rig_read(rig, ROOT_MEM_READ, REGS(fn) + offset, len);
}

static void set(unsigned fn, unsigned offset, unsigned len, uint64_t value)
{
    rig_write(rig, ROOT_MEM_WRITE, REGS(fn) + offset, len, value);
}

static void start(unsigned fn, unsigned command, uint64_t addr, uint64_t local, uint32_t len)
{
    set(fn, EXERCISER_CHANNEL(0) + EXERCISER_CH_ADDR, 8, addr);
    set(fn, EXERCISER_CHANNEL(0) + EXERCISER_CH_LOCAL, 8, local);
    set(fn, EXERCISER_CHANNEL(0) + EXERCISER_CH_LEN, 4, len);
    set(fn, EXERCISER_CHANNEL(0) + EXERCISER_CH_COMMAND, 4, command);
}

static unsigned finish(unsigned fn)
{
    rig_run_for(rig, PS_PER_MS);
    uint64_t status = get(fn, EXERCISER_CHANNEL(0) + EXERCISER_CH_STATUS, 4);
    ck_assert_uint_eq(status & 3, EXERCISER_STATUS_DONE);
    return (unsigned)FIELD_GET(EXERCISER_STATUS_RESULT, status);
}

static unsigned run(unsigned fn, unsigned command, uint64_t addr, uint64_t local, uint32_t len)
{
    start(fn, command, addr, local, len);
    return finish(fn);
}

static unsigned find_cap(unsigned fn, unsigned id)
{
    unsigned at = rig_cfg_read(rig, EP(fn) + PCI_CAP_POINTER, 1);

    while (at && rig_cfg_read(rig, EP(fn) + at, 1) != id)
        at = rig_cfg_read(rig, EP(fn) + at + 1, 1);
    ck_assert_uint_ne(at, 0);
    return at;
}

static void flr(unsigned fn)
{
    rig_cfg_write(rig, EP(fn) + find_cap(fn, PCI_CAP_PCIE) + PCIE_DEVCTL, 2, PCIE_DEVCTL_FLR);
}

START_TEST(every_bar_decodes)
{
    for (unsigned fn = 0; fn < FUNCTIONS; fn++) {
        ck_assert_uint_eq(get(fn, EXERCISER_MAGIC, 4), EXERCISER_MAGIC_VALUE);
        ck_assert_uint_eq(get(fn, EXERCISER_FUNCTION, 4), FUNCTIONS << 8 | fn);
        ck_assert_uint_eq(rig_read(rig, ROOT_IO_READ, IO(fn) + EXERCISER_MAGIC, 4),
                          EXERCISER_MAGIC_VALUE);
        rig_write(rig, ROOT_IO_WRITE, IO(fn) + EXERCISER_SCRATCH0, 4, 0x1000 + fn);
        rig_write(rig, ROOT_MEM_WRITE, BAR2(fn) + EXERCISER_BAR2_MEMORY + 3, 2, 0x2000 + fn);
        rig_write(rig, ROOT_MEM_WRITE, MEM(fn) + MEM_BYTES - 8, 8, 0x3000 + fn);
    }
    for (unsigned fn = 0; fn < FUNCTIONS; fn++) {
        ck_assert_uint_eq(get(fn, EXERCISER_SCRATCH0, 4), 0x1000 + fn);
        ck_assert_uint_eq(rig_read(rig, ROOT_MEM_READ, BAR2(fn) + EXERCISER_BAR2_MEMORY + 3, 2),
                          0x2000 + fn);
        ck_assert_uint_eq(rig_read(rig, ROOT_MEM_READ, MEM(fn) + MEM_BYTES - 8, 8), 0x3000 + fn);
    }
}
END_TEST

START_TEST(dma_of_any_shape_arrives)
{
    struct sim_rng rng;
    uint8_t *const spaces[] = {rig->low, rig->high};
    static const uint64_t bases[] = {0, RIG_HIGH_BASE};

    sim_rng_init(&rng, 5, "exerciser");
    for (unsigned i = 0; i < 120; i++) {
        unsigned fn = (unsigned)sim_rng_below(&rng, FUNCTIONS);
        unsigned space = (unsigned)sim_rng_below(&rng, 2);
        uint32_t len = (uint32_t)sim_rng_below(&rng, i % 4 ? 600 : 65536 + 17);
        uint32_t at = (uint32_t)sim_rng_below(&rng, RIG_HIGH_BYTES - len + 1);
        uint32_t local = (uint32_t)sim_rng_below(&rng, MEM_BYTES - len + 1);
        uint8_t *there = spaces[space] + at;

        sim_rng_fill(&rng, there, len);
        uint32_t crc = (uint32_t)crc32(0, there, len);
        ck_assert_uint_eq(run(fn, EXERCISER_READ, bases[space] + at, local, len), DMA_OK);
        ck_assert_uint_eq(get(fn, EXERCISER_CHANNEL(0) + EXERCISER_CH_CRC, 4), crc);
        memset(there, 0, len);
        ck_assert_uint_eq(run(fn, EXERCISER_WRITE, bases[space] + at, local, len), DMA_OK);
        ck_assert_uint_eq(crc32(0, there, len), crc);
    }
}
END_TEST

/* What one function fills and writes to memory, another reads. */
START_TEST(functions_share_memory)
{
    set(0, EXERCISER_CHANNEL(0) + EXERCISER_CH_PATTERN, 4, 77);
    set(0, EXERCISER_CHANNEL(0) + EXERCISER_CH_STEP, 4, 5);
    ck_assert_uint_eq(run(0, EXERCISER_FILL, 0, 0, 8192), DMA_OK);
    uint64_t crc = get(0, EXERCISER_CHANNEL(0) + EXERCISER_CH_CRC, 4);
    ck_assert_uint_eq(run(0, EXERCISER_WRITE, 0x3001, 0, 8192), DMA_OK);
    ck_assert_uint_eq(run(1, EXERCISER_READ, 0x3001, 64, 8192), DMA_OK);
    ck_assert_uint_eq(get(1, EXERCISER_CHANNEL(0) + EXERCISER_CH_CRC, 4), crc);
}
END_TEST

START_TEST(errors_come_back)
{
    ck_assert_uint_eq(run(0, EXERCISER_READ, 0x800000000000ULL, 0, 64), DMA_UR);
    ck_assert_uint_eq(run(0, EXERCISER_WRITE, 0x800000000000ULL, 0, 64), DMA_OK); /* posted */
    rig_cfg_write(rig, EP(0) + PCI_COMMAND, 2, 3);
    ck_assert_uint_eq(run(0, EXERCISER_READ, 0x1000, 0, 64), DMA_NO_MASTER);
    ck_assert_uint_eq(run(0, EXERCISER_WRITE, 0x1000, 0, 64), DMA_NO_MASTER);
    rig_cfg_write(rig, EP(0) + PCI_COMMAND, 2, 7);
    ck_assert_uint_eq(run(0, EXERCISER_READ, 0x1000, 0, 64), DMA_OK);
    ck_assert_uint_eq(get(0, EXERCISER_DMA_ERRORS, 8), 3);
}
END_TEST

static void msix_entry(unsigned fn, unsigned vector, uint32_t data, uint32_t control)
{
    uint64_t at = BAR2(fn) + EXERCISER_BAR2_MSIX_TABLE + vector * 16;

    rig_write(rig, ROOT_MEM_WRITE, at, 8, 0xfee00000);
    rig_write(rig, ROOT_MEM_WRITE, at + 8, 4, data);
    rig_write(rig, ROOT_MEM_WRITE, at + 12, 4, control);
}

START_TEST(msix_vectors_arrive)
{
    unsigned cap = find_cap(1, PCI_CAP_MSIX);

    rig_cfg_write(rig, EP(1) + cap + 2, 2, 0x8000);
    ck_assert_uint_eq(rig_cfg_read(rig, EP(1) + cap + 2, 2), 0x8000 | 63);
    msix_entry(1, 0, 0x40, 0);
    msix_entry(1, 63, 0x7f, 0);
    msix_entry(1, 5, 0x45, 1);
    set(1, EXERCISER_IRQ_TRIGGER, 4, 63);
    ck_assert_uint_eq(rig->msis, 1);
    ck_assert_uint_eq(rig->msi[0].data, 0x7f);
    set(1, EXERCISER_IRQ_TRIGGER, 4, 5); /* masked: pending */
    ck_assert_uint_eq(rig->msis, 1);
    ck_assert_uint_eq(rig_read(rig, ROOT_MEM_READ, BAR2(1) + EXERCISER_BAR2_MSIX_PBA, 8), BIT(5));
    msix_entry(1, 5, 0x45, 0);
    ck_assert_uint_eq(rig->msis, 2);
    ck_assert_uint_eq(rig->msi[1].data, 0x45);
    set(1, EXERCISER_IRQ_TRIGGER, 4, 64);
    ck_assert_uint_eq(get(1, EXERCISER_IRQ_LOST, 8), 1);
    set(1, EXERCISER_CHANNEL(0) + EXERCISER_CH_VECTOR, 4, EXERCISER_VECTOR_ENABLE);
    run(1, EXERCISER_READ, 0x1000, 0, 4096);
    ck_assert_uint_eq(rig->msis, 3);
    ck_assert_uint_eq(rig->msi[2].data, 0x40);
}
END_TEST

START_TEST(msi_vectors_arrive)
{
    unsigned cap = find_cap(0, PCI_CAP_MSI);

    rig_cfg_write(rig, EP(0) + cap + 4, 4, 0xfee01000);
    rig_cfg_write(rig, EP(0) + cap + 12, 2, 0x4060);
    rig_cfg_write(rig, EP(0) + cap + 2, 2, 1 | 1 << 4); /* two of four */
    set(0, EXERCISER_IRQ_TRIGGER, 4, 1);
    set(0, EXERCISER_IRQ_TRIGGER, 4, 2);
    ck_assert_uint_eq(rig->msis, 1);
    ck_assert_uint_eq(rig->msi[0].addr, 0xfee01000);
    ck_assert_uint_eq(rig->msi[0].data, 0x4061);
    ck_assert_uint_eq(get(0, EXERCISER_IRQ_LOST, 8), 1);
}
END_TEST

START_TEST(pins_arrive)
{
    /* Function n has pin n; device 1 of bus 0 swizzles by one. */
    for (unsigned fn = 0; fn < FUNCTIONS; fn++) {
        set(fn, EXERCISER_INTX, 4, 1);
        unsigned raised = 0;
        for (unsigned line = 0; line < 4; line++)
            raised += rig->intx[line];
        ck_assert_uint_eq(raised, 1);
        ck_assert(rig->intx[(fn + 1) % 4]);
        ck_assert(rig_cfg_read(rig, EP(fn) + PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
        set(fn, EXERCISER_INTX, 4, 0);
        ck_assert(!rig->intx[(fn + 1) % 4]);
    }
    set(0, EXERCISER_INTX, 4, 1);
    flr(0);
    rig_settle(rig);
    ck_assert(!rig->intx[1]);
}
END_TEST

START_TEST(flr_leaves_nothing_and_spares_others)
{
    for (unsigned fn = 0; fn < 2; fn++) {
        rig_write(rig, ROOT_MEM_WRITE, MEM(fn) + 4096, 8, 0x5ec4e7);
        set(fn, EXERCISER_SCRATCH0, 4, 1);
    }
    start(0, EXERCISER_READ, 0, 0, 65536); /* under way */
    flr(0);
    rig_run_for(rig, PS_PER_MS);
    ck_assert_uint_eq(get(0, EXERCISER_MAGIC, 4), 0xffffffff); /* its BARs are gone */
    set_bars();
    ck_assert_uint_eq(get(0, EXERCISER_SCRATCH0, 4), 0);
    ck_assert_uint_eq(get(0, EXERCISER_RESET_COUNT, 8), 1);
    ck_assert_uint_eq(get(0, EXERCISER_CHANNEL(0) + EXERCISER_CH_STATUS, 4), 0);
    ck_assert_uint_eq(rig_read(rig, ROOT_MEM_READ, MEM(0) + 4096, 8), 0);
    ck_assert_uint_eq(get(1, EXERCISER_SCRATCH0, 4), 1);
    ck_assert_uint_eq(rig_read(rig, ROOT_MEM_READ, MEM(1) + 4096, 8), 0x5ec4e7);
    ck_assert_uint_eq(run(0, EXERCISER_READ, 0, 0, 65536), DMA_OK);
}
END_TEST

START_TEST(hot_reset_clears_all_functions)
{
    for (unsigned fn = 0; fn < FUNCTIONS; fn++)
        rig_write(rig, ROOT_MEM_WRITE, MEM(fn), 8, 0x5ec4e7);
    start(2, EXERCISER_WRITE, 0, 0, 65536);
    rig_cfg_write(rig, RP + PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_SECONDARY_RESET);
    rig_run_for(rig, PS_PER_MS);
    rig_cfg_write(rig, RP + PCI_BRIDGE_CONTROL, 2, 0);
    rig_run_for(rig, 200 * PS_PER_MS);
    set_bars();
    for (unsigned fn = 0; fn < FUNCTIONS; fn++) {
        ck_assert_uint_eq(rig_read(rig, ROOT_MEM_READ, MEM(fn), 8), 0);
        ck_assert_uint_eq(get(fn, EXERCISER_RESET_COUNT, 8), 1);
        ck_assert_uint_eq(run(fn, EXERCISER_READ, 0, 0, 4096), DMA_OK);
    }
}
END_TEST

START_TEST(sleeping_function_sends_nothing)
{
    unsigned pm = find_cap(0, PCI_CAP_PM);

    start(0, EXERCISER_FILL, 0, 0, 64);
    finish(0);
    rig_cfg_write(rig, EP(0) + pm + 4, 2, 3); /* D3hot */
    ck_assert_uint_eq(get(0, EXERCISER_MAGIC, 4), 0xffffffff);
    rig_cfg_write(rig, EP(0) + pm + 4, 2, 0);
    rig_run_for(rig, 20 * PS_PER_MS);
    ck_assert_uint_eq(get(0, EXERCISER_MAGIC, 4), EXERCISER_MAGIC_VALUE);
    ck_assert_uint_eq(run(0, EXERCISER_CHECKSUM, 0, 0, 64), DMA_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exerciser-fabric");
    TCase *tc = tcase_create("exerciser");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, every_bar_decodes);
    tcase_add_test(tc, dma_of_any_shape_arrives);
    tcase_add_test(tc, functions_share_memory);
    tcase_add_test(tc, errors_come_back);
    tcase_add_test(tc, msix_vectors_arrive);
    tcase_add_test(tc, msi_vectors_arrive);
    tcase_add_test(tc, pins_arrive);
    tcase_add_test(tc, flr_leaves_nothing_and_spares_others);
    tcase_add_test(tc, hot_reset_clears_all_functions);
    tcase_add_test(tc, sleeping_function_sends_nothing);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
