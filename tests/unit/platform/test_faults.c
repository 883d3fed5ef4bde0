/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions that do Address Translation Services wrong, what that comes to, and who may send what
 * with which address type. The test is the driver. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "ats_bench.h"
#include "pcilab/platform/inspect.h"

#define IOVA   0x7f0000000000ULL
#define PASID  5u
#define MINE   (PASID | EXERCISER_PASID_VALID)
#define FSTS   0x34
#define IQERCD 0xb0
#define PRS    0xdc
#define ICE    BIT(5)
#define ITE    BIT(6)
#define SECRET 0x5ec7e75ec7e75ec7ULL
#define AT(n)  ((n) << 8)

static struct ats_bench *b;
static uint64_t root;

static void setup(void)
{
    b = ats_bench_new(&(struct ats_bench_params){0});
    root = ats_bench_process(b, EX0, PASID, 1);
    ats_bench_enable_pri(b, EX0, 32);
    ats_bench_map(b, root, IOVA, ATS_BENCH_DATA, ATS_BENCH_WRITE);
}

static void teardown(void)
{
    ats_bench_free(b);
}

static unsigned move(enum exerciser_command command, uint64_t addr, uint32_t attr, uint32_t pasid)
{
    return ats_bench_dma(
        b,
        &(struct ats_bench_dma){
            .ex = EX0, .command = command, .addr = addr, .len = 64, .attr = attr, .pasid = pasid});
}

/* The translation is in the function's cache from now on. */
static void touch(void)
{
    ck_assert_uint_eq(move(EXERCISER_WRITE, IOVA, EXERCISER_ATTR_ATS, MINE), DMA_OK);
}

static void broken(unsigned how, unsigned delay_us)
{
    ats_bench_write(b, EX0, EXERCISER_ATS_DELAY, 4, delay_us);
    ats_bench_write(b, EX0, EXERCISER_ATS_FAULT, 4, how);
}

static unsigned fault(void)
{
    uint64_t high;

    return ats_bench_fault(b, &high);
}

static uint64_t status(void)
{
    return vtd_read(b->vtd, FSTS, 4) & (ICE | ITE);
}

START_TEST(a_sound_one)
{
    touch();
    ats_bench_map(b, root, IOVA, 0, 0);
    ats_bench_flush(b, EX0, PASID);
    ck_assert(ats_bench_wait(b));
    ck_assert_uint_eq(move(EXERCISER_WRITE, IOVA, EXERCISER_ATTR_ATS, MINE), DMA_DENIED);
    ck_assert_uint_eq(status(), 0);
    ck_assert_uint_eq(fault(), 0);
}
END_TEST

START_TEST(no_answer)
{
    touch();
    broken(EXERCISER_ATS_SILENT, 0);
    ats_bench_flush(b, EX0, PASID);
    ck_assert(!ats_bench_wait(b));
    ck_assert_uint_eq(status(), 0);
    sim_run_until(&b->machine->sim, b->machine->sim.now_ps + ATS_BENCH_TIMEOUT_PS);
    ck_assert_uint_eq(status(), ITE);
    ck_assert_uint_eq(vtd_read(b->vtd, IQERCD, 8) >> 32 & 0xffff, ats_bench_sid(EX0));
    ck_assert(!ats_bench_wait(b)); /* the queue stands */
    vtd_write(b->vtd, FSTS, 4, ITE);
    ck_assert(ats_bench_wait(b));
    /* Others are not concerned, and it is sound again once it answers. */
    broken(0, 0);
    ats_bench_flush(b, EX0, PASID);
    ats_bench_flush(b, EX1, ATS_BENCH_RID_PASID);
    ck_assert(ats_bench_wait(b));
}
END_TEST

START_TEST(late_answers)
{
    uint64_t begin_ps;

    touch();
    broken(0, 15);
    begin_ps = b->machine->sim.now_ps;
    ats_bench_flush(b, EX0, PASID);
    ck_assert(ats_bench_wait(b));
    ck_assert_uint_ge(b->machine->sim.now_ps - begin_ps, 15 * PS_PER_US);
    ck_assert_uint_eq(status(), 0);
    /* Too late: a timeout, and then an answer that nobody waits for. */
    broken(0, 150);
    ats_bench_flush(b, EX0, PASID);
    ck_assert(!ats_bench_wait(b));
    b->settle_ps = 200 * PS_PER_US;
    ats_bench_run(b);
    ck_assert_uint_eq(status(), ITE | ICE);
    ck_assert_uint_eq(vtd_read(b->vtd, IQERCD, 8) >> 48, ats_bench_sid(EX0));
}
END_TEST

START_TEST(duplicates)
{
    broken(EXERCISER_ATS_DUPLICATE, 0);
    ats_bench_flush(b, EX0, PASID);
    ck_assert(ats_bench_wait(b));
    ck_assert_uint_eq(status(), ICE);
    ck_assert_uint_eq(vtd_read(b->vtd, IQERCD, 8) >> 48, ats_bench_sid(EX0));
}
END_TEST

START_TEST(wrong_itags)
{
    broken(EXERCISER_ATS_WRONG_ITAG, 0);
    ats_bench_flush(b, EX0, PASID);
    ck_assert(!ats_bench_wait(b));
    ck_assert_uint_eq(status(), ICE);
    sim_run_until(&b->machine->sim, b->machine->sim.now_ps + ATS_BENCH_TIMEOUT_PS);
    ck_assert_uint_eq(status(), ICE | ITE);
}
END_TEST

/* It says that it forgot, and did not: translated requests are trusted, the data gets there. */
START_TEST(stale_translations)
{
    touch();
    broken(EXERCISER_ATS_KEEPS, 0);
    ats_bench_map(b, root, IOVA, 0, 0);
    ats_bench_flush(b, EX0, PASID);
    ck_assert(ats_bench_wait(b));
    ats_bench_mem(b, ROOT_MEM_WRITE, ats_bench_memory(EX0), 8, SECRET);
    ck_assert_uint_eq(move(EXERCISER_WRITE, IOVA, EXERCISER_ATTR_ATS, MINE), DMA_OK);
    ck_assert_uint_eq(ats_bench_get(b, ATS_BENCH_DATA), SECRET);
    ck_assert_uint_eq(fault(), 0);
    /* What ends it: the function's device TLB is taken away in its context entry. */
    uint64_t context = ats_bench_context(b, EX0);
    ats_bench_put(b, context, ats_bench_get(b, context) & ~(BIT(2) | BIT(4)));
    ats_bench_queue(b, 1 | 3 << 4 | (uint64_t)ats_bench_sid(EX0) << 32, 0);
    ck_assert(ats_bench_wait(b));
    ats_bench_put(b, ATS_BENCH_DATA, 0);
    (void)move(EXERCISER_WRITE, IOVA, EXERCISER_ATTR_ATS, MINE);
    ck_assert_uint_eq(ats_bench_get(b, ATS_BENCH_DATA), 0);
    ck_assert_uint_eq(fault(), 0x44);
}
END_TEST

/* More Page Requests than allocated: the queue overflows, others are told to try again. */
START_TEST(floods)
{
    const struct ats_bench_dma other = {.ex = EX1,
                                        .command = EXERCISER_READ,
                                        .addr = IOVA,
                                        .len = 64,
                                        .attr = EXERCISER_ATTR_ATS | EXERCISER_ATTR_PRI,
                                        .pasid = MINE};
    uint64_t others_root = ats_bench_process(b, EX1, PASID, 1);
    struct vtd_page_request page;
    unsigned taken = 0;

    ats_bench_enable_pri(b, EX1, 8);
    broken(EXERCISER_ATS_FLOODS, 0);
    ats_bench_start(b, &(struct ats_bench_dma){.command = EXERCISER_READ,
                                               .addr = IOVA + 0x10000,
                                               .len = 64,
                                               .attr = EXERCISER_ATTR_ATS | EXERCISER_ATTR_PRI,
                                               .pasid = MINE});
    ats_bench_run(b);
    ck_assert_uint_eq(vtd_read(b->vtd, PRS, 4), 3);
    ck_assert_uint_eq(ats_bench_dma(b, &other), DMA_DENIED); /* it has tried */
    ck_assert_uint_gt(ats_bench_read(b, EX1, EXERCISER_PAGE_RESPONSES, 8), 1);
    ck_assert_uint_eq(ats_bench_pri_status(b, EX1), PCI_PRI_STATUS_PASID);
    /* The answers to what it did not ask for properly are unexpected to itself. */
    ck_assert(ats_bench_pri_status(b, EX0) & PCI_PRI_STATUS_UNEXPECTED);
    while (ats_bench_take_page(b, &page)) {
        ck_assert_uint_eq(page.sid, ats_bench_sid(EX0));
        taken++;
    }
    ck_assert_uint_eq(taken, 127);
    vtd_write(b->vtd, PRS, 4, 3);
    ats_bench_start(b, &other);
    ats_bench_run(b);
    ck_assert(ats_bench_take_page(b, &page));
    ats_bench_map(b, others_root, page.addr, ATS_BENCH_DATA, ATS_BENCH_READ);
    ats_bench_respond(b, &page, ATS_RESPONSE_SUCCESS);
    ck_assert_uint_eq(ats_bench_result(b, EX1, 0), DMA_OK);
}
END_TEST

START_TEST(deaf)
{
    unsigned pri = ats_bench_cap(b, EX0, PCI_EXT_PRI);
    struct vtd_page_request page;

    broken(EXERCISER_ATS_DEAF, 0);
    ats_bench_start(b, &(struct ats_bench_dma){.command = EXERCISER_READ,
                                               .addr = IOVA + 0x10000,
                                               .len = 64,
                                               .attr = EXERCISER_ATTR_ATS | EXERCISER_ATTR_PRI,
                                               .pasid = MINE});
    ats_bench_run(b);
    ck_assert(ats_bench_take_page(b, &page));
    ats_bench_map(b, root, page.addr, ATS_BENCH_DATA, ATS_BENCH_READ);
    ats_bench_respond(b, &page, ATS_RESPONSE_SUCCESS);
    ck_assert(!ats_bench_done(b, EX0, 0));
    /* It never comes to a stop by itself; a reset of the interface ends it. */
    ats_bench_cfg_write(b, EX0, pri + PCI_PRI_CONTROL, 2, 0);
    ats_bench_run(b);
    ck_assert_uint_eq(ats_bench_pri_status(b, EX0), PCI_PRI_STATUS_PASID);
    ats_bench_cfg_write(b, EX0, pri + PCI_PRI_CONTROL, 2, PCI_PRI_CONTROL_RESET);
    ats_bench_run(b);
    ck_assert(ats_bench_pri_status(b, EX0) & PCI_PRI_STATUS_STOPPED);
    ck_assert(ats_bench_done(b, EX0, 0));
}
END_TEST

/* PASIDs of nobody, or not the function's: nothing is read, a fault says who. */
START_TEST(forged_pasids)
{
    const uint32_t forged = EXERCISER_PASID_VALID | EXERCISER_PASID_FORGE;
    uint64_t context = ats_bench_context(b, EX0), high;

    ck_assert_uint_eq(move(EXERCISER_READ, IOVA, 0, 7 | forged), DMA_UR);
    ck_assert_uint_eq(ats_bench_fault(b, &high), 0x59);
    ck_assert_uint_eq(high >> 40 & 0xfffff, 7);
    ck_assert_uint_eq(move(EXERCISER_READ, IOVA, 0, 0x12345 | forged), DMA_UR);
    ck_assert_uint_eq(fault(), 0x46);
    ck_assert_uint_eq(move(EXERCISER_READ, IOVA, 0, 100 | forged), DMA_UR);
    ck_assert_uint_eq(fault(), 0x51);                               /* no such directory entry */
    ats_bench_put(b, context, ats_bench_get(b, context) & ~BIT(3)); /* PASIDE */
    ats_bench_queue(b, 1 | 3 << 4 | (uint64_t)ats_bench_sid(EX0) << 32, 0);
    ck_assert(ats_bench_wait(b));
    ck_assert_uint_eq(move(EXERCISER_READ, IOVA, 0, PASID | forged), DMA_UR);
    ck_assert_uint_eq(fault(), 0x45);
}
END_TEST

/* What the topology says is there from the start, and again after a reset. */
START_TEST(born_broken)
{
    const struct endpoint_ats_faults faults = {.silent = true, .forges = true};
    unsigned exp;

    ats_bench_free(b);
    b = ats_bench_new(&(struct ats_bench_params){.misbehave = faults});
    root = ats_bench_process(b, EX0, PASID, 1);
    ats_bench_map(b, root, IOVA, ATS_BENCH_DATA, ATS_BENCH_WRITE);
    ck_assert_uint_eq(move(EXERCISER_READ, IOVA, 0, MINE), DMA_UR);
    ck_assert_uint_ne(fault(), 0);
    broken(0, 0); /* registers go first */
    ck_assert_uint_eq(move(EXERCISER_READ, IOVA, 0, MINE), DMA_OK);
    ats_bench_flush(b, EX0, PASID);
    ck_assert(ats_bench_wait(b));
    for (exp = 0x40; (ats_bench_cfg_read(b, EX0, exp) & 0xff) != PCI_CAP_PCIE;)
        exp = ats_bench_cfg_read(b, EX0, exp) >> 8 & 0xff;
    ats_bench_cfg_write(b, EX0, exp + PCIE_DEVCTL, 2, PCIE_DEVCTL_FLR);
    sim_run_until(&b->machine->sim, b->machine->sim.now_ps + 100 * PS_PER_MS);
    ats_bench_flush(b, EX0, PASID);
    ck_assert(!ats_bench_wait(b));
    sim_run_until(&b->machine->sim, b->machine->sim.now_ps + ATS_BENCH_TIMEOUT_PS);
    ck_assert_uint_eq(status(), ITE);
}
END_TEST

/* Address types. */

static void untouched(void)
{
    ck_assert_uint_eq(ats_bench_get(b, ATS_BENCH_DATA), 0);
    ck_assert_uint_eq(ats_bench_get(b, 0), 0);
}

START_TEST(address_types)
{
    uint64_t context = ats_bench_context(b, EX0);

    (void)ats_bench_process(b, EX0, ATS_BENCH_RID_PASID, 1);
    ats_bench_mem(b, ROOT_MEM_WRITE, ats_bench_memory(EX0), 8, SECRET);
    /* 01b is of reads, 11b of nothing. */
    ck_assert_uint_eq(move(EXERCISER_WRITE, IOVA, AT(1), MINE), DMA_OK); /* posted */
    ck_assert_uint_eq(move(EXERCISER_WRITE, IOVA + 0x40000, AT(1), MINE), DMA_OK);
    untouched();
    ck_assert_uint_eq(move(EXERCISER_WRITE, IOVA, AT(3), MINE), DMA_OK);
    ck_assert_uint_eq(move(EXERCISER_READ, IOVA, AT(3), MINE), DMA_UR);
    ck_assert_uint_eq(move(EXERCISER_WRITE, ATS_BENCH_DATA, AT(3), 0), DMA_OK);
    untouched();
    ck_assert_uint_eq(fault(), 0);
    /* 10b: trusted, until the context entry says no. */
    ats_bench_put(b, context, ats_bench_get(b, context) & ~(BIT(2) | BIT(4)));
    ats_bench_queue(b, 1 | 3 << 4 | (uint64_t)ats_bench_sid(EX0) << 32, 0);
    ck_assert(ats_bench_wait(b));
    ck_assert_uint_eq(move(EXERCISER_WRITE, ATS_BENCH_DATA, AT(2), 0), DMA_OK);
    untouched();
    ck_assert_uint_eq(fault(), 0x44);
    ck_assert_uint_eq(move(EXERCISER_READ, ATS_BENCH_DATA, AT(2), 0), DMA_UR);
    ck_assert_uint_eq(fault(), 0x44);
    ck_assert_uint_eq(move(EXERCISER_READ, IOVA, AT(1), 0), DMA_UR);
    ck_assert_uint_eq(fault(), 0x44);
    ats_bench_put(b, context, ats_bench_get(b, context) | BIT(2));
    ats_bench_queue(b, 1 | 3 << 4 | (uint64_t)ats_bench_sid(EX0) << 32, 0);
    ck_assert(ats_bench_wait(b));
    ck_assert_uint_eq(move(EXERCISER_WRITE, ATS_BENCH_DATA, AT(2), 0), DMA_OK);
    ck_assert_uint_eq(ats_bench_get(b, ATS_BENCH_DATA), SECRET);
}
END_TEST

static uint64_t acs_of(uint64_t cfg)
{
    unsigned at = PCI_EXT_START;

    while (at && (ats_bench_cfg(b, cfg + at, 4, false, 0) & 0xffff) != PCI_EXT_ACS)
        at = ats_bench_cfg(b, cfg + at, 4, false, 0) >> 20;
    ck_assert_uint_ne(at, 0);
    return cfg + at + PCI_ACS_CONTROL;
}

START_TEST(translation_blocking)
{
    uint64_t acs = acs_of(1u << 15);

    ats_bench_mem(b, ROOT_MEM_WRITE, ats_bench_memory(EX0), 8, SECRET);
    ats_bench_cfg(b, acs, 2, true, PCI_ACS_TRANSLATION_BLOCK);
    ck_assert_uint_eq(move(EXERCISER_WRITE, ATS_BENCH_DATA, AT(2), 0), DMA_OK);
    untouched();
    ck_assert_uint_eq(move(EXERCISER_READ, ATS_BENCH_DATA, AT(2), 0), DMA_CA);
    /* Translation Requests as well. */
    ck_assert_uint_eq(move(EXERCISER_READ, IOVA, EXERCISER_ATTR_ATS, MINE), DMA_CA);
    ck_assert_uint_eq(fault(), 0); /* the unit never saw them */
    ats_bench_cfg(b, acs, 2, true, 0);
    touch();
}
END_TEST

/* EX1 to EX2, below one switch: with Direct Translated P2P what is translated goes straight, though
 * requests are redirected; without, it passes the unit, which does not trust EX1. */
START_TEST(direct_translated)
{
    uint64_t acs = acs_of(3u << 20), context = ats_bench_context(b, EX1);
    struct ats_bench_dma write = {.ex = EX1,
                                  .command = EXERCISER_WRITE,
                                  .addr = ats_bench_memory(EX2),
                                  .len = 64,
                                  .attr = AT(2)};

    ats_bench_put(b, context, ats_bench_get(b, context) & ~(BIT(2) | BIT(4)));
    ats_bench_mem(b, ROOT_MEM_WRITE, ats_bench_memory(EX1), 8, SECRET);
    /* The root port sends up as well what is for its own side. */
    ats_bench_cfg(b, acs_of(2u << 15), 2, true,
                  PCI_ACS_REQUEST_REDIRECT | PCI_ACS_UPSTREAM_FORWARD);
    ats_bench_cfg(b, acs, 2, true, PCI_ACS_REQUEST_REDIRECT | PCI_ACS_UPSTREAM_FORWARD);
    ck_assert_uint_eq(ats_bench_dma(b, &write), DMA_OK);
    ck_assert_uint_eq(ats_bench_mem(b, ROOT_MEM_READ, ats_bench_memory(EX2), 8, 0), 0);
    ck_assert_uint_eq(fault(), 0x44);
    ats_bench_cfg(b, acs, 2, true,
                  PCI_ACS_REQUEST_REDIRECT | PCI_ACS_UPSTREAM_FORWARD | PCI_ACS_DIRECT_TRANSLATED);
    ck_assert_uint_eq(ats_bench_dma(b, &write), DMA_OK);
    ck_assert_uint_eq(ats_bench_mem(b, ROOT_MEM_READ, ats_bench_memory(EX2), 8, 0), SECRET);
    ck_assert_uint_eq(fault(), 0);
    write.attr = 0; /* untranslated: redirected still, and there is nothing mapped */
    write.addr += 64;
    ck_assert_uint_eq(ats_bench_dma(b, &write), DMA_OK);
    ck_assert_uint_eq(ats_bench_mem(b, ROOT_MEM_READ, ats_bench_memory(EX2) + 64, 8, 0), 0);
    ck_assert_uint_ne(fault(), 0);
}
END_TEST

/* DMA with PASIDs through every kind of table, by translated addresses and without. */
START_TEST(all_kinds_of_tables)
{
    static const unsigned kinds[] = {1, 2, 3, 4};

    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        uint32_t pasid = 10 + i;
        uint64_t to = ATS_BENCH_DATA + (1 + i) * ATS_BENCH_PAGE, addr = kinds[i] == 4 ? to : IOVA;

        if (kinds[i] == 2)
            addr = IOVA & low_mask(47);
        root = ats_bench_process(b, EX0, pasid, kinds[i]);
        if (root)
            ats_bench_map(b, root, addr, to, kinds[i] == 2 ? 3 : ATS_BENCH_WRITE);
        for (unsigned ats = 0; ats < 2; ats++) {
            ats_bench_mem(b, ROOT_MEM_WRITE, ats_bench_memory(EX0), 8, SECRET + ats);
            ck_assert_uint_eq(move(EXERCISER_WRITE, addr, ats ? EXERCISER_ATTR_ATS : 0,
                                   pasid | EXERCISER_PASID_VALID),
                              DMA_OK);
            ck_assert_uint_eq(ats_bench_get(b, to), SECRET + ats);
        }
        ck_assert_uint_eq(fault(), 0);
    }
}
END_TEST

/* What is told, as "name=value" one behind the other. */

static void told_open(void *opaque, const char *name, bool list)
{
    g_string_append_printf(opaque, "%s%c ", name ? name : "", list ? '[' : '{');
}

static void told_close(void *opaque, bool list)
{
    g_string_append(opaque, list ? "] " : "} ");
}

static void told_number(void *opaque, const char *name, uint64_t value)
{
    g_string_append_printf(opaque, "%s=%" G_GUINT64_FORMAT " ", name, value);
}

static void told_flag(void *opaque, const char *name, bool value)
{
    g_string_append_printf(opaque, "%s=%d ", name, value);
}

static void told_text(void *opaque, const char *name, const char *text)
{
    g_string_append_printf(opaque, "%s=%s ", name, text);
}

static const struct inspect_ops told_ops = {told_open, told_close, told_number, told_flag,
                                            told_text};

static void tells(const char *what)
{
    GString *told = g_string_new("");

    machine_inspect_ats(b->machine, &(struct inspect){&told_ops, told});
    machine_inspect_iommus(b->machine, &(struct inspect){&told_ops, told});
    ck_assert_msg(strstr(told->str, what), "%s\nis not in\n%s", what, told->str);
    g_string_free(told, TRUE);
}

START_TEST(disagreements)
{
    const char *row = "{ address=0x7f0000000000 pasid=5 bytes=0x1000 leads-to=0x2000000 "
                      "rights=rw- tables=";

    touch();
    tells("tables=agree ");
    tells("disagreements=0");
    ats_bench_map(b, root, IOVA, ATS_BENCH_DATA, ATS_BENCH_READ);
    tells("tables=0x7f0000000000: fewer rights ");
    ats_bench_map(b, root, IOVA, ATS_BENCH_DATA + ATS_BENCH_PAGE, ATS_BENCH_WRITE);
    tells("tables=0x7f0000000000: leads elsewhere ");
    ats_bench_map(b, root, IOVA, 0, 0);
    tells("tables=0x7f0000000000: not mapped any more ");
    tells("disagreements=1");
    tells(row);
    ats_bench_flush(b, EX0, PASID);
    ck_assert(ats_bench_wait(b));
    tells("enabled=1 pages-enabled=1 requests=1 translated=1 invalidated=1 cached[ ] "
          "disagreements=0");
}
END_TEST

START_TEST(what_is_outstanding)
{
    broken(0, 50);
    ats_bench_flush(b, EX0, PASID);
    ck_assert(!ats_bench_wait(b));
    tells("invalidations[ { itag=0 age=20.");
    tells("invalidations[ { itag=0 requester=01:00.0 answers=0 age-ns=20");
    broken(0, 0);
    ats_bench_start(b, &(struct ats_bench_dma){.command = EXERCISER_WRITE,
                                               .addr = IOVA + 0x3000,
                                               .len = 64,
                                               .attr = EXERCISER_ATTR_ATS | EXERCISER_ATTR_PRI,
                                               .pasid = MINE});
    ats_bench_run(b);
    tells("page-requests[ { address=0x7f0000003000 pasid=5 group=0 pages=1 wants=write age=");
    tells("queued[ { requester=01:00.0 address=0x7f0000003000 pasid=5 group=0 wants=w last=1 } ]");
}
END_TEST

/* A Translation Request while the unit walks its tables. */
START_TEST(translations_under_way)
{
    teardown();
    b = ats_bench_new(&(struct ats_bench_params){.read_latency_ps = 10 * PS_PER_US});
    root = ats_bench_process(b, EX0, PASID, 1);
    ats_bench_map(b, root, IOVA, ATS_BENCH_DATA, ATS_BENCH_WRITE);
    ats_bench_start(b, &(struct ats_bench_dma){.command = EXERCISER_WRITE,
                                               .addr = IOVA + 0x40,
                                               .len = 64,
                                               .attr = EXERCISER_ATTR_ATS,
                                               .pasid = MINE});
    sim_run_until(&b->machine->sim, b->machine->sim.now_ps + 15 * PS_PER_US);
    tells("translation-requests[ { address=0x7f0000000000 pasid=5 spoiled=0 age=15.000 us } ]");
    for (unsigned i = 0; i < 10; i++)
        ats_bench_run(b);
    tells("translation-requests[ ]");
    tells("tables=agree ");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("faults");
    TCase *tc = tcase_create("faults");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, a_sound_one);
    tcase_add_test(tc, no_answer);
    tcase_add_test(tc, late_answers);
    tcase_add_test(tc, duplicates);
    tcase_add_test(tc, wrong_itags);
    tcase_add_test(tc, stale_translations);
    tcase_add_test(tc, floods);
    tcase_add_test(tc, deaf);
    tcase_add_test(tc, forged_pasids);
    tcase_add_test(tc, born_broken);
    tcase_add_test(tc, address_types);
    tcase_add_test(tc, translation_blocking);
    tcase_add_test(tc, direct_translated);
    tcase_add_test(tc, all_kinds_of_tables);
    tcase_add_test(tc, disagreements);
    tcase_add_test(tc, what_is_outstanding);
    tcase_add_test(tc, translations_under_way);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
