/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions that do Address Translation Services and Page Requests at random, right and wrong,
 * against a VT-d unit whose driver does what the input says. At no time is a byte read or written
 * that the tables do not allow, or did when its translation was given, before it was taken back.
 *
 * Each process of each function has pages of its own, each word of them a pattern; what appears in
 * a function's memory tells what it has read. A page that may not be read any more gets another
 * pattern: so it tells, too, whether that was before or after.
 */
#include <glib.h>
#include <string.h>

#include "ats_bench.h"
#include "hw/endpoint/exerciser.h"
#include "hw/endpoint/internal.h"

#define MAX_ACTIONS 256
#define PASIDS      4 /* one of each kind of tables; 4 is nobody's */
#define PAGES       4 /* of each */
#define IOVA        0x7f0000000000ULL
#define IOVA_PAGES  8
#define LOCAL_BYTES 0x4000u
#define SECRET      0x5ec0ULL
#define CANARIES    16
#define OWNED       (ATS_BENCH_EXERCISERS * PASIDS * PAGES)
#define READS       1
#define WRITES      2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct process {
    uint64_t root;
    bool present;
    bool was; /* present, and the unit may not know better yet */
    struct {
        uint8_t page, rights; /* which of its pages */
    } now[IOVA_PAGES];
    uint8_t allowed[PAGES]; /* by now, or by translations that are out */
    uint8_t late[PAGES];    /* reads that were allowed; their data may be on its way */
    uint8_t pattern[PAGES]; /* which of its patterns is in the page */
};

struct world {
    struct ats_bench *b;
    const uint8_t *at;
    size_t left;
    bool sound;
    struct process process[ATS_BENCH_EXERCISERS][PASIDS];
    bool untrusted[ATS_BENCH_EXERCISERS]; /* its answers to invalidations mean nothing */
    uint8_t *local[ATS_BENCH_EXERCISERS];
};

static unsigned take(struct world *w)
{
    if (!w->left)
        return 0;
    w->left--;
    return *w->at++;
}

static uint64_t page_addr(unsigned owned)
{
    return ATS_BENCH_DATA + (uint64_t)owned * ATS_BENCH_PAGE;
}

static unsigned owned_page(unsigned ex, unsigned pasid, unsigned page)
{
    return (ex * PASIDS + pasid) * PAGES + page;
}

static struct process *process_of(struct world *w, unsigned owned)
{
    return &w->process[owned / (PASIDS * PAGES)][owned / PAGES % PASIDS];
}

static uint64_t secret(struct world *w, unsigned owned, unsigned word)
{
    uint64_t pattern = owned < OWNED ? process_of(w, owned)->pattern[owned % PAGES] : 0;

    return SECRET << 48 | pattern << 40 | (uint64_t)owned << 16 | word;
}

static void fill_page(struct world *w, unsigned owned)
{
    for (unsigned i = 0; i < ATS_BENCH_PAGE / 8; i++)
        ats_bench_put(w->b, page_addr(owned) + i * 8, secret(w, owned, i));
}

static bool page_is_whole(struct world *w, unsigned owned)
{
    const uint8_t *page = ram_ptr(&w->b->machine->ram, page_addr(owned), ATS_BENCH_PAGE);

    for (unsigned i = 0; i < ATS_BENCH_PAGE / 8; i++) {
        if (le64_load(page + i * 8) != secret(w, owned, i))
            return false;
    }
    return true;
}

/* Everything that was done since the last time. */
static void check(struct world *w)
{
    for (unsigned owned = 0; owned < OWNED + CANARIES; owned++) {
        if (page_is_whole(w, owned))
            continue;
        g_assert(owned < OWNED);
        g_assert(process_of(w, owned)->allowed[owned % PAGES] & WRITES);
        fill_page(w, owned);
    }
    for (unsigned ex = 0; ex < ATS_BENCH_EXERCISERS; ex++) {
        for (unsigned at = 0; at < LOCAL_BYTES; at += 8) {
            uint64_t word = le64_load(w->local[ex] + at);
            unsigned owned = (unsigned)(word >> 16) & 0xffffff, page = owned % PAGES;
            uint8_t pattern = (uint8_t)(word >> 40);
            const struct process *p;

            if (word >> 48 != SECRET)
                continue;
            g_assert(owned < OWNED && owned / (PASIDS * PAGES) == ex);
            p = process_of(w, owned);
            if (pattern == p->pattern[page])
                g_assert(p->allowed[page] & READS);
            else
                g_assert(pattern + 1 == p->pattern[page] && p->late[page] & READS);
        }
        memset(w->local[ex], 0xee, LOCAL_BYTES);
    }
    for (unsigned i = 0; i < OWNED; i++)
        process_of(w, i)->late[i % PAGES] = 0;
}

/* The driver. */

static void allow(struct process *p)
{
    for (unsigned i = 0; (p->present || p->was) && i < IOVA_PAGES; i++)
        p->allowed[p->now[i].page] |= p->now[i].rights;
}

static uint64_t iova(unsigned pasid, unsigned page)
{
    return (pasid == 2 ? IOVA & low_mask(47) : IOVA) + page * ATS_BENCH_PAGE;
}

static void map(struct world *w, unsigned ex, unsigned pasid, unsigned at, unsigned how)
{
    static const struct {
        uint8_t first, second, rights;
    } kinds[] = {
        {0, 0, 0},
        {ATS_BENCH_READ, 1, READS},
        {ATS_BENCH_WRITE, 3, READS | WRITES},
        {3, 3, 0}, /* a supervisor's; nothing such in a second stage */
    };
    struct process *p = &w->process[ex][pasid];
    unsigned kind = how % 4, page = how >> 2 & (PAGES - 1);
    bool second = pasid == 2;

    p->now[at].page = (uint8_t)page;
    p->now[at].rights = second && kind == 3 ? READS | WRITES : kinds[kind].rights;
    ats_bench_map(w->b, p->root, iova(pasid, at), page_addr(owned_page(ex, pasid, page)),
                  second ? kinds[kind].second : kinds[kind].first);
    allow(p);
}

static void act_map(struct world *w)
{
    unsigned who = take(w), how = take(w);

    map(w, who % ATS_BENCH_EXERCISERS, who >> 2 & 3, who >> 4 & 7, how);
}

static void act_present(struct world *w)
{
    unsigned who = take(w), ex = who % ATS_BENCH_EXERCISERS, pasid = who >> 2 & 3;
    uint64_t entry = ats_bench_pasid_entry(w->b, ex, pasid);

    w->process[ex][pasid].was |= w->process[ex][pasid].present;
    ats_bench_put(w->b, entry, ats_bench_get(w->b, entry) ^ 1);
    w->process[ex][pasid].present = ats_bench_get(w->b, entry) & 1;
    allow(&w->process[ex][pasid]);
}

static void act_flush(struct world *w)
{
    unsigned who = take(w), ex = who % ATS_BENCH_EXERCISERS, pasid = who >> 2 & 3;
    struct process *p = &w->process[ex][pasid];
    bool done;

    vtd_write(w->b->vtd, 0x34, 4, who & 0x80 ? 0x70 : 0);
    ats_bench_queue(w->b, 2 | 2 << 4 | (uint64_t)(ex * 64 + pasid + 1) << 16, 0);
    ats_bench_flush(w->b, ex, pasid);
    done = ats_bench_wait(w->b);
    check(w);
    if (!done || w->untrusted[ex])
        return;
    for (unsigned i = 0; i < PAGES; i++)
        p->late[i] = p->allowed[i] & READS;
    memset(p->allowed, 0, sizeof(p->allowed));
    p->was = false;
    allow(p);
    for (unsigned i = 0; i < PAGES; i++) {
        if (!(p->late[i] & ~p->allowed[i]) || p->pattern[i] == UINT8_MAX) {
            p->late[i] = 0;
            continue;
        }
        p->pattern[i]++;
        fill_page(w, owned_page(ex, pasid, i));
    }
}

static void act_pages(struct world *w)
{
    struct vtd_page_request page;
    unsigned how = take(w);

    for (unsigned i = 0; i < 8 && ats_bench_take_page(w->b, &page); i++) {
        unsigned ex = page.sid == ats_bench_sid(EX0)   ? EX0
                      : page.sid == ats_bench_sid(EX1) ? EX1
                                                       : EX2;
        static const uint8_t codes[] = {0, 0, 0, 0, 0, 1, 15, 7};
        unsigned code = codes[how & 7];

        if (how & 8 && page.has_pasid && page.pasid < PASIDS && page.addr >= iova(page.pasid, 0) &&
            page.addr < iova(page.pasid, IOVA_PAGES))
            map(w, ex, page.pasid, page.addr >> 12 & 7, take(w));
        page.group ^= how >> 4 == 15;
        page.pasid ^= how >> 4 == 14;
        if (page.last)
            ats_bench_respond(w->b, &page, code);
    }
    vtd_write(w->b->vtd, 0xdc, 4, how & 0x80 ? 3 : 1);
}

static void act_context(struct world *w)
{
    unsigned how = take(w);
    uint64_t entry = ats_bench_context(w->b, how % ATS_BENCH_EXERCISERS);

    ats_bench_put(w->b, entry, ats_bench_get(w->b, entry) ^ (how >> 2 & 7) << 2);
    if (how & 0x20)
        ats_bench_queue(w->b, 1 | 1 << 4, 0);
}

/* The functions. */

static void act_dma(struct world *w)
{
    static const enum exerciser_command commands[] = {
        EXERCISER_READ,     EXERCISER_WRITE, EXERCISER_READ, EXERCISER_WRITE,
        EXERCISER_FETCHADD, EXERCISER_DMWR,  EXERCISER_SWAP, EXERCISER_STOP_PASID};
    unsigned who = take(w), what = take(w), how = take(w), size = take(w);
    static const uint16_t at[8] = {[6] = 1 << 8, [7] = 3 << 8};
    unsigned pasid = what >> 3 & 7;
    struct ats_bench_dma dma = {
        .ex = who % ATS_BENCH_EXERCISERS,
        .channel = who >> 2 & 3,
        .command = commands[what & 7],
        .addr = iova(pasid, who >> 4 & 7) + (size & 15) * 0x100,
        .local = (how & 3) * 0x400u,
        .len = commands[what & 7] > EXERCISER_WRITE ? 8 : 8 + size * 40,
        .attr = (how & 4 ? EXERCISER_ATTR_ATS : 0) | (how & 8 ? EXERCISER_ATTR_PRI : 0) |
                at[how >> 4 & 7] | (how >> 7) << 4,
        .pasid = (pasid % 5) | (what & 0x40 && pasid == 0 ? 0 : EXERCISER_PASID_VALID) |
                 (what & 0x80 ? EXERCISER_PASID_FORGE : 0),
    };

    ats_bench_start(w->b, &dma);
}

static void act_emit(struct world *w)
{
    unsigned who = take(w), what = take(w), ex = who % ATS_BENCH_EXERCISERS;
    struct ats_bench_dma dma = {.ex = ex,
                                .channel = who >> 2 & 3,
                                .command = EXERCISER_EMIT,
                                .addr = iova(who >> 4 & 3, what & 7)};

    w->untrusted[ex] = true;
    ats_bench_write(w->b, ex, EXERCISER_CHANNEL(dma.channel) + EXERCISER_CH_PATTERN, 4,
                    what & 0x80 ? EXERCISER_EMIT_PAGE_REQUEST : EXERCISER_EMIT_INVALIDATE_DONE);
    ats_bench_write(w->b, ex, EXERCISER_CHANNEL(dma.channel) + EXERCISER_CH_STEP, 4,
                    (what & 0x70) << 5 | (what & 0xf));
    ats_bench_start(w->b, &dma);
}

static void act_break(struct world *w)
{
    unsigned who = take(w), how = take(w), ex = who % ATS_BENCH_EXERCISERS;

    if (how & (EXERCISER_ATS_DUPLICATE | EXERCISER_ATS_WRONG_ITAG | EXERCISER_ATS_KEEPS))
        w->untrusted[ex] = true;
    ats_bench_write(w->b, ex, EXERCISER_ATS_DELAY, 4, who >> 2);
    ats_bench_write(w->b, ex, EXERCISER_ATS_FAULT, 4, how & 0x7f);
}

static void act_config(struct world *w)
{
    unsigned who = take(w), how = take(w), ex = who % ATS_BENCH_EXERCISERS;
    unsigned ats = w->b->machine ? ats_bench_cap(w->b, ex, PCI_EXT_ATS) : 0;
    unsigned pri = ats_bench_cap(w->b, ex, PCI_EXT_PRI);

    switch (how & 3) {
    case 0:
        ats_bench_cfg_write(w->b, ex, ats + PCI_ATS_CONTROL, 2,
                            how & 0x80 ? PCI_ATS_CONTROL_ENABLE : 0);
        break;
    case 1: ats_bench_enable_pri(w->b, ex, how >> 2); break;
    case 2: ats_bench_cfg_write(w->b, ex, pri + PCI_PRI_CONTROL, 2, how >> 2); break;
    default:
        ats_bench_cfg_write(w->b, ex, PCI_COMMAND, 2,
                            PCI_COMMAND_MEMORY | (how & 0x80 ? PCI_COMMAND_MASTER : 0));
    }
}

static void act(struct world *w)
{
    static void (*const actions[])(struct world *) = {
        act_dma,   act_dma,   act_dma,     act_dma,   act_dma,     act_dma,    act_map,   act_map,
        act_flush, act_flush, act_present, act_pages, act_context, act_config, act_break, act_emit,
    };
    unsigned what = take(w);

    /* Sound functions alone show more of the rest. */
    actions[w->sound && (what & 15) > 12 ? what & 7 : what & 15](w);
    sim_run_until(&w->b->machine->sim, w->b->machine->sim.now_ps + (what >> 4) * 100 * PS_PER_NS);
    if (what & 0x80)
        ats_bench_run(w->b);
    check(w);
}

static void find_local(void *opaque, struct pci_func *func)
{
    struct world *w = opaque;
    const struct exerciser *exerciser = ((const struct endpoint_func *)func->owner)->owner;

    for (unsigned ex = 0; ex < ATS_BENCH_EXERCISERS; ex++) {
        if (func->rid.v == ats_bench_sid(ex))
            w->local[ex] = exerciser->mem;
    }
}

static void open_world(struct world *w)
{
    unsigned how = take(w);
    const struct ats_bench_params params = {
        .read_latency_ps = how & 1 ? 70 * PS_PER_NS : 0,
        .timing = how & 2 ? MACHINE_TIMING_LINK : MACHINE_TIMING_FUNCTIONAL,
    };

    w->sound = how & 0xc;
    w->b = ats_bench_new(&params);
    for (unsigned i = 0; i < w->b->machine->part_count; i++) {
        if (w->b->machine->part[i].kind == MACHINE_EXERCISER)
            endpoint_visit(w->b->machine->part[i].object, find_local, w);
    }
    for (unsigned ex = 0; ex < ATS_BENCH_EXERCISERS; ex++) {
        for (unsigned pasid = 0; pasid < PASIDS; pasid++) {
            w->process[ex][pasid].root = ats_bench_process(w->b, ex, pasid,
                                                           pasid == 2   ? 2
                                                           : pasid == 3 ? 3
                                                                        : 1);
            w->process[ex][pasid].present = true;
            for (unsigned at = 0; at < IOVA_PAGES / 2; at++)
                map(w, ex, pasid, at, at << 2 | (how >> 4 & 3));
        }
        ats_bench_enable_pri(w->b, ex, 4);
        memset(w->local[ex], 0xee, LOCAL_BYTES);
    }
    for (unsigned owned = 0; owned < OWNED + CANARIES; owned++)
        fill_page(w, owned);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *w = g_new0(struct world, 1);

    w->at = data;
    w->left = size;
    open_world(w);
    for (unsigned i = 0; i < MAX_ACTIONS && w->left; i++)
        act(w);
    ats_bench_free(w->b);
    g_free(w);
    return 0;
}
