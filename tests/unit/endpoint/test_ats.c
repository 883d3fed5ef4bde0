/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A function with Address Translation Services and Page Requests, and a Translation Agent that does
 * what a test wants. */
#include <glib.h>
#include <string.h>

#include "pcilab/pci/config.h"
#include "rig.h"

#define RP       RIG_CFG(0, 1, 0, 0)
#define EP       RIG_CFG(1, 0, 0, 0)
#define PAGES    16 /* the untranslated addresses IOVA to IOVA + PAGES * 4 KiB */
#define IOVA     0x7f0000000000ULL
#define PAGE     4096u
#define KEPT_MAX 16
#define READ     1
#define WRITE    2
#define UNTRANS  4
#define EXECUTE  8

struct bench {
    struct rig *rig;
    struct root_port *rp;
    struct probe *probe;
    struct endpoint_func *func;
    /* The tables: where a page is and what is allowed. */
    struct {
        uint64_t addr;
        unsigned shift, rights;
    } page[PAGES];
    uint32_t pasid;          /* that they are of; 0: of requests without one */
    enum tlp_status refusal; /* of Translation Requests, if not TLP_SC */
    bool hold;               /* keep Translation Requests, and reads */
    struct tlp *kept[KEPT_MAX];
    unsigned kept_count;
    /* What was seen. */
    unsigned requests, last_pages, translated, untranslated, page_requests;
    uint64_t last_untranslated;
    bool last_nw;
    uint32_t done_itags[8];
    unsigned dones, done_count, done_tc[8];
    struct ats_page_request page_request[KEPT_MAX];
    struct tlp_pasid page_pasid;
};

static bool is_ours(const struct bench *b, const struct tlp *tlp)
{
    struct tlp_pasid pasid;

    return (tlp_get_pasid(tlp, &pasid) ? pasid.pasid : 0) == b->pasid;
}

static void give_translations(struct bench *b, struct tlp *request)
{
    unsigned wanted = request->length_dw / 2, count = 0;
    uint64_t addr = request->addr;
    uint8_t data[64];
    struct tlp *cpl;

    if (b->refusal) {
        root_answer(b->rig->rc, request,
                    tlp_new_completion(request, (struct pci_rid){0}, b->refusal, 0));
        return;
    }
    while (count < wanted) {
        uint64_t page = (addr - IOVA) / PAGE;
        struct ats_translation to = {.shift = 12};

        if (page < PAGES && is_ours(b, request) && b->page[page].rights) {
            to.shift = (uint8_t)b->page[page].shift;
            to.addr = b->page[page].addr;
            to.read = b->page[page].rights & READ;
            to.write = (b->page[page].rights & WRITE) != 0;
            to.untranslated = (b->page[page].rights & UNTRANS) != 0;
            to.execute = (b->page[page].rights & EXECUTE) != 0;
        } else if (count) {
            break; /* fewer than asked for */
        }
        ats_encode_translation(&to, data + 8 * count++);
        addr = (addr | low_mask(to.shift)) + 1;
    }
    cpl = tlp_new_completion(request, (struct pci_rid){0}, TLP_SC, 2 * count);
    cpl->byte_count = (uint16_t)(8 * count);
    cpl->lower_addr = 0;
    memcpy(cpl->data, data, 8 * count);
    root_answer(b->rig->rc, request, cpl);
}

static void translate(void *opaque, struct root_complex *rc, struct tlp *tlp)
{
    struct bench *b = opaque;
    bool hold = b->hold && !tlp_is_posted(tlp);

    if (tlp_is_translation_request(tlp)) {
        b->requests++;
        b->last_pages = tlp->length_dw / 2;
        b->last_nw = tlp->nw;
        ck_assert_uint_eq(tlp->addr % PAGE, 0);
    } else if (tlp->at == TLP_AT_TRANSLATED) {
        b->translated++;
    } else {
        b->untranslated++;
        b->last_untranslated = tlp->addr;
    }
    if (hold) {
        ck_assert_uint_lt(b->kept_count, KEPT_MAX);
        b->kept[b->kept_count++] = tlp;
    } else if (tlp_is_translation_request(tlp)) {
        give_translations(b, tlp);
    } else {
        if (tlp->at == TLP_AT_UNTRANSLATED && tlp->addr >= IOVA)
            tlp->addr = b->page[(tlp->addr - IOVA) / PAGE].addr + tlp->addr % PAGE;
        root_translated(rc, tlp, true);
    }
}

static void let_go(struct bench *b)
{
    unsigned count = b->kept_count;

    b->kept_count = 0;
    b->hold = false;
    for (unsigned i = 0; i < count; i++) {
        if (tlp_is_translation_request(b->kept[i]))
            give_translations(b, b->kept[i]);
        else
            root_translated(b->rig->rc, b->kept[i], true);
    }
    rig_settle(b->rig);
}

static bool hear(void *opaque, struct root_complex *rc, const struct tlp *tlp)
{
    struct bench *b = opaque;

    (void)rc;
    if (tlp->msg_code == TLP_MSG_INVALIDATE_DONE) {
        ck_assert_uint_lt(b->dones, 8);
        b->done_itags[b->dones] = ats_done_itags(tlp);
        b->done_tc[b->dones++] = tlp->tc;
        b->done_count = ats_done_count(tlp);
    } else {
        ck_assert_uint_lt(b->page_requests, KEPT_MAX);
        b->page_pasid = (struct tlp_pasid){0};
        (void)tlp_get_pasid(tlp, &b->page_pasid);
        ats_decode_page_request(tlp, &b->page_request[b->page_requests++]);
    }
    return true;
}

static uint64_t cap(const struct bench *b, unsigned offset)
{
    (void)b;
    return EP + offset;
}

static void set_ats(struct bench *b, bool on)
{
    rig_cfg_write(b->rig, cap(b, b->probe->func[0].pci->ext_ats + PCI_ATS_CONTROL), 2,
                  on ? PCI_ATS_CONTROL_ENABLE : 0);
}

static void set_pri(struct bench *b, unsigned control, unsigned allocation)
{
    unsigned pri = b->probe->func[0].pci->ext_pri;

    rig_cfg_write(b->rig, cap(b, pri + PCI_PRI_ALLOCATION), 4, allocation);
    rig_cfg_write(b->rig, cap(b, pri + PCI_PRI_CONTROL), 2, control);
}

static void set_pasid(struct bench *b, unsigned control)
{
    rig_cfg_write(b->rig, cap(b, b->probe->func[0].pci->ext_pasid + PCI_PASID_CONTROL), 2, control);
}

static unsigned pri_status(struct bench *b)
{
    return rig_cfg_read(b->rig, cap(b, b->probe->func[0].pci->ext_pri + PCI_PRI_STATUS), 2);
}

static struct bench *bench_new(unsigned entries, unsigned pages)
{
    static const struct rig_windows windows = {.secondary = 1,
                                               .subordinate = 1,
                                               .mem_base = 0xe0000000,
                                               .mem_limit = 0xe00fffff,
                                               .pref_base = 0x100000,
                                               .pref_limit = 0,
                                               .io_base = 0x1000,
                                               .io_limit = 0};
    const struct probe_map map = {.bar0 = 0xe0000000, .bar4 = 0xe0010000, .command = 6};
    const struct endpoint_ats_params ats = {
        .entries = entries, .pages = pages, .cap = {.queue_depth = 32, .global = true}};
    const struct probe_params params = {
        .functions = 1, .type = PCIE_ENDPOINT, .ats = &ats, .page_requests = 4};
    struct bench *b = g_new0(struct bench, 1);
    const struct root_translator translator = {
        .translate = translate, .message = hear, .opaque = b};

    b->rig = rig_new();
    b->rp = rig_root_port(b->rig, 1, 0);
    b->probe = probe_new(b->rig, "probe", &params);
    b->func = b->probe->func[0].func;
    link_connect(root_port_link(b->rp), endpoint_port(b->probe->ep));
    rig_program_bridge(b->rig, RP, &windows);
    probe_program(b->rig, EP, &map);
    root_complex_set_translator(b->rig->rc, &translator);
    for (unsigned i = 0; i < PAGES; i++) {
        b->page[i].addr = 0x10000 + i * PAGE;
        b->page[i].shift = 12;
        b->page[i].rights = READ | WRITE;
    }
    set_ats(b, true);
    return b;
}

static void bench_free(struct bench *b)
{
    rig_settle(b->rig);
    probe_free(b->probe);
    rig_free(b->rig);
    g_free(b);
}

static struct probe_dma op(enum dma_kind kind, unsigned page, void *buf, unsigned len)
{
    return (struct probe_dma){
        .op = {
            .kind = kind, .addr = IOVA + page * PAGE, .len = len, .buf = buf, .translate = true}};
}

static enum dma_status run(struct bench *b, struct probe_dma dma)
{
    return probe_dma(b->rig, &b->probe->func[0], &dma);
}

static void invalidate(struct bench *b, unsigned itag, uint64_t addr, unsigned shift,
                       const struct tlp_pasid *pasid, bool global)
{
    const struct ats_invalidation what = {
        .addr = addr, .shift = (uint8_t)shift, .itag = (uint8_t)itag, .global = global};
    struct tlp *tlp = ats_new_invalidate(b->rig->fabric->pool, b->probe->func[0].pci->rid, &what);

    if (pasid)
        tlp_set_pasid(tlp, pasid);
    root_send_message(b->rig->rc, tlp);
    rig_settle(b->rig);
}

static void respond(struct bench *b, unsigned group, unsigned code)
{
    root_send_message(b->rig->rc,
                      ats_new_page_response(b->rig->fabric->pool, b->probe->func[0].pci->rid,
                                            (uint16_t)group, (uint8_t)code));
    rig_settle(b->rig);
}

START_TEST(dma_goes_by_translated_addresses)
{
    struct bench *b = bench_new(64, 4);
    uint8_t out[12 * PAGE], in[12 * PAGE]; /* more TLPs than may wait at the other end */

    for (unsigned i = 0; i < sizeof(out); i++)
        out[i] = (uint8_t)(i * 7);
    b->page[1].addr = 0x40000; /* not behind one another */
    ck_assert_int_eq(run(b, op(DMA_WRITE, 0, out, sizeof(out))), DMA_OK);
    ck_assert_mem_eq(b->rig->low + 0x10000, out, PAGE);
    ck_assert_mem_eq(b->rig->low + 0x40000, out + PAGE, PAGE);
    ck_assert_mem_eq(b->rig->low + 0x12000, out + 2 * PAGE, PAGE);
    ck_assert_uint_eq(b->requests, 3);
    ck_assert(!b->last_nw);
    ck_assert_uint_eq(b->untranslated, 0);
    ck_assert_int_eq(run(b, op(DMA_READ, 0, in, sizeof(in))), DMA_OK);
    ck_assert_mem_eq(in, out, sizeof(in));
    ck_assert_uint_eq(b->requests, 3); /* all from the cache */
    ck_assert_uint_eq(endpoint_ats_counts(b->func)->translated, b->translated);

    set_ats(b, false);
    ck_assert_int_eq(run(b, op(DMA_READ, 0, in, 64)), DMA_OK);
    ck_assert_uint_gt(b->untranslated, 0);
    set_ats(b, true); /* and nothing was kept */
    ck_assert_int_eq(run(b, op(DMA_READ, 0, in, 64)), DMA_OK);
    ck_assert_uint_eq(b->requests, 4);
    ck_assert(b->last_nw);
    bench_free(b);
}
END_TEST

START_TEST(several_pages_at_once)
{
    struct bench *b = bench_new(64, 4);
    uint8_t buf[6 * PAGE];

    b->page[5].rights = 0;
    ck_assert_int_eq(run(b, op(DMA_READ, 0, buf, 5 * PAGE)), DMA_OK);
    ck_assert_uint_eq(b->last_pages, 4);
    ck_assert_uint_eq(b->requests, 2); /* pages 0 to 3, then 4, which comes alone */
    ck_assert_int_eq(run(b, op(DMA_READ, 4, buf, 2 * PAGE)), DMA_DENIED);
    /* A large page is one entry. */
    b->page[8].addr = 0x80000;
    b->page[8].shift = 14;
    b->requests = 0;
    ck_assert_int_eq(run(b, op(DMA_READ, 8, buf, 4 * PAGE)), DMA_OK);
    ck_assert_uint_le(b->requests, 4);
    bench_free(b);
}
END_TEST

START_TEST(rights)
{
    struct bench *b = bench_new(64, 1);
    uint8_t buf[64] = {1};

    b->page[0].rights = READ;
    ck_assert_int_eq(run(b, op(DMA_READ, 0, buf, 64)), DMA_OK);
    ck_assert_int_eq(run(b, op(DMA_WRITE, 0, buf, 64)), DMA_DENIED);
    ck_assert_uint_eq(b->requests, 2);
    b->page[0].rights = READ | WRITE; /* more rights need no invalidation */
    ck_assert_int_eq(run(b, op(DMA_WRITE, 0, buf, 64)), DMA_OK);
    b->page[1].rights = WRITE;
    ck_assert_int_eq(run(b, op(DMA_WRITE, 1, buf, 64)), DMA_OK);
    ck_assert_int_eq(run(b, op(DMA_READ, 1, buf, 64)), DMA_DENIED);
    b->page[2].rights = READ | UNTRANS;
    b->untranslated = 0;
    ck_assert_int_eq(run(b, op(DMA_READ, 2, buf, 64)), DMA_OK);
    ck_assert(b->untranslated == 1 && b->last_untranslated == IOVA + 2 * PAGE); /* 10.2.3.4 */
    b->refusal = TLP_UR;
    ck_assert_int_eq(run(b, op(DMA_READ, 3, buf, 64)), DMA_UR);
    b->refusal = TLP_CA;
    ck_assert_int_eq(run(b, op(DMA_WRITE, 3, buf, 64)), DMA_CA);
    bench_free(b);
}
END_TEST

START_TEST(invalidation)
{
    struct bench *b = bench_new(64, 1);
    uint8_t buf[64];

    ck_assert_int_eq(run(b, op(DMA_READ, 0, buf, 64)), DMA_OK);
    ck_assert_int_eq(run(b, op(DMA_READ, 1, buf, 64)), DMA_OK);
    b->page[0].rights = b->page[1].rights = 0;
    ck_assert_int_eq(run(b, op(DMA_READ, 0, buf, 64)), DMA_OK); /* stale, and so it is to be */
    invalidate(b, 5, IOVA, 12, NULL, false);
    ck_assert_uint_eq(b->dones, 1);
    ck_assert_uint_eq(b->done_itags[0], 1u << 5);
    ck_assert_uint_eq(b->done_count, 1);
    ck_assert_int_eq(run(b, op(DMA_READ, 0, buf, 64)), DMA_DENIED);
    ck_assert_int_eq(run(b, op(DMA_READ, 1, buf, 64)), DMA_OK);
    invalidate(b, 0, 0, 64, NULL, false); /* everything */
    ck_assert_int_eq(run(b, op(DMA_READ, 1, buf, 64)), DMA_DENIED);
    ck_assert_uint_eq(endpoint_ats_counts(b->func)->invalidations, 2);
    bench_free(b);
}
END_TEST

START_TEST(an_answer_on_every_traffic_class)
{
    struct bench *b = bench_new(64, 1);
    uint8_t buf[64] = {0};

    for (unsigned tc = 0; tc < 3; tc++) {
        struct probe_dma dma = op(DMA_WRITE, tc, buf, 64);

        dma.op.tc = (uint8_t)(tc * 3);
        ck_assert_int_eq(run(b, dma), DMA_OK);
    }
    invalidate(b, 31, 0, 64, NULL, false);
    ck_assert_uint_eq(b->dones, 3);
    ck_assert_uint_eq(b->done_count, 3);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(b->done_tc[i], 3 * i);
        ck_assert_uint_eq(b->done_itags[i], 1u << 31);
    }
    bench_free(b);
}
END_TEST

START_TEST(an_answer_waits_for_reads_under_way)
{
    struct bench *b = bench_new(64, 1);
    uint8_t buf[64], other[64];
    struct probe_dma dma = op(DMA_READ, 0, buf, 64), later = op(DMA_READ, 1, other, 64);

    ck_assert_int_eq(run(b, op(DMA_READ, 0, buf, 64)), DMA_OK);
    ck_assert_int_eq(run(b, op(DMA_READ, 1, buf, 64)), DMA_OK);
    b->hold = true;
    probe_dma_start(&b->probe->func[0], &dma);
    rig_settle(b->rig);
    ck_assert_uint_eq(b->kept_count, 1);
    invalidate(b, 1, IOVA, 12, NULL, false);
    ck_assert_uint_eq(b->dones, 0);
    probe_dma_start(&b->probe->func[0], &later); /* begins later: nothing to wait for */
    rig_settle(b->rig);
    ck_assert_uint_eq(b->kept_count, 2);
    struct tlp *second = b->kept[1];
    b->kept_count = 1;
    let_go(b);
    ck_assert(dma.done);
    ck_assert(!later.done);
    ck_assert_uint_eq(b->dones, 1);
    root_translated(b->rig->rc, second, true);
    rig_settle(b->rig);
    ck_assert(later.done);
    bench_free(b);
}
END_TEST

START_TEST(a_translation_that_is_invalidated_under_way_is_not_used)
{
    struct bench *b = bench_new(64, 1);
    uint8_t buf[64];
    struct probe_dma dma = op(DMA_READ, 0, buf, 64);

    b->hold = true;
    probe_dma_start(&b->probe->func[0], &dma);
    rig_settle(b->rig);
    ck_assert_uint_eq(b->requests, 1);
    invalidate(b, 2, IOVA, 12, NULL, false);
    let_go(b);
    ck_assert(dma.done);
    ck_assert_int_eq(dma.status, DMA_OK);
    ck_assert_uint_eq(b->requests, 2); /* asked again */
    ck_assert_uint_eq(b->dones, 1);
    bench_free(b);
}
END_TEST

START_TEST(pasids_are_apart)
{
    struct bench *b = bench_new(64, 1);
    const struct tlp_pasid mine = {.pasid = 0x1234}, other = {.pasid = 0x1235};
    uint8_t buf[64];
    struct probe_dma dma = op(DMA_READ, 0, buf, 64);

    dma.op.has_pasid = true;
    dma.op.pasid = mine;
    b->pasid = mine.pasid;
    ck_assert_int_eq(run(b, dma), DMA_NO_MASTER); /* not enabled */
    ck_assert_uint_eq(b->requests, 0);
    set_ats(b, false);
    set_pasid(b, PCI_PASID_CONTROL_ENABLE);
    set_ats(b, true);
    ck_assert_int_eq(run(b, dma), DMA_OK);
    ck_assert_int_eq(run(b, op(DMA_READ, 0, buf, 64)), DMA_DENIED); /* the function's own */
    b->page[0].rights = 0;
    invalidate(b, 0, IOVA, 12, NULL, false);
    invalidate(b, 1, IOVA, 12, &other, false);
    ck_assert_int_eq(run(b, dma), DMA_OK);
    invalidate(b, 2, IOVA, 12, &other, true);
    ck_assert_int_eq(run(b, dma), DMA_DENIED);

    dma.op.pasid.privileged = true; /* not enabled either */
    ck_assert_int_eq(run(b, dma), DMA_NO_MASTER);
    dma.op.pasid = (struct tlp_pasid){.pasid = 0x10000}; /* 17 bits */
    ck_assert_int_eq(run(b, dma), DMA_NO_MASTER);
    dma.op.forge = true;
    b->requests = 0;
    ck_assert_int_eq(run(b, dma), DMA_DENIED);
    ck_assert_uint_eq(b->requests, 1);
    bench_free(b);
}
END_TEST

START_TEST(execute)
{
    struct bench *b = bench_new(64, 1);
    uint8_t buf[64];
    struct probe_dma dma = op(DMA_READ, 0, buf, 64);

    set_pasid(b, PCI_PASID_CONTROL_ENABLE | PCI_PASID_CAPS_EXECUTE);
    b->pasid = 7;
    dma.op.has_pasid = true;
    dma.op.pasid = (struct tlp_pasid){.pasid = 7, .execute = true};
    ck_assert_int_eq(run(b, dma), DMA_DENIED);
    b->page[0].rights |= EXECUTE;
    ck_assert_int_eq(run(b, dma), DMA_OK);
    bench_free(b);
}
END_TEST

START_TEST(pages_are_asked_for)
{
    struct bench *b = bench_new(64, 1);
    uint8_t buf[64] = {9};
    struct probe_dma dma = op(DMA_WRITE, 3, buf, 64);

    dma.op.request_pages = true;
    b->page[3].rights = 0;
    ck_assert_int_eq(run(b, dma), DMA_DENIED); /* not enabled */
    ck_assert_uint_eq(pri_status(b), PCI_PRI_STATUS_STOPPED | PCI_PRI_STATUS_PASID);
    set_pri(b, PCI_PRI_CONTROL_ENABLE, 2);
    ck_assert_uint_eq(pri_status(b), PCI_PRI_STATUS_PASID);
    probe_dma_start(&b->probe->func[0], &dma);
    rig_settle(b->rig);
    ck_assert_uint_eq(b->page_requests, 1);
    ck_assert_uint_eq(b->page_request[0].addr, IOVA + 3 * PAGE);
    ck_assert(b->page_request[0].write && !b->page_request[0].read && b->page_request[0].last);
    ck_assert(!dma.done);
    b->page[3].rights = READ | WRITE;
    respond(b, b->page_request[0].group, ATS_RESPONSE_SUCCESS);
    ck_assert(dma.done);
    ck_assert_int_eq(dma.status, DMA_OK);
    ck_assert_mem_eq(b->rig->low + b->page[3].addr, buf, 64);
    ck_assert_uint_eq(endpoint_ats_counts(b->func)->page_responses, 1);

    /* Success without a page is asked again, but not for ever. */
    b->page[4].rights = 0;
    dma.op.addr = IOVA + 4 * PAGE;
    b->page_requests = 0;
    probe_dma_start(&b->probe->func[0], &dma);
    rig_settle(b->rig);
    for (unsigned i = 0; i < 12 && !dma.done; i++)
        respond(b, b->page_request[b->page_requests - 1].group, ATS_RESPONSE_SUCCESS);
    ck_assert(dma.done);
    ck_assert_int_eq(dma.status, DMA_DENIED);
    bench_free(b);
}
END_TEST

START_TEST(page_responses_that_say_no)
{
    struct bench *b = bench_new(64, 1);
    uint8_t buf[64], other[64];
    struct probe_dma dma = op(DMA_READ, 3, buf, 64), more = op(DMA_READ, 4, other, 64);

    dma.op.request_pages = more.op.request_pages = true;
    b->page[3].rights = b->page[4].rights = 0;
    set_pri(b, PCI_PRI_CONTROL_ENABLE, 2);
    probe_dma_start(&b->probe->func[0], &dma);
    rig_settle(b->rig);
    respond(b, b->page_request[0].group, ATS_RESPONSE_INVALID);
    ck_assert(dma.done);
    ck_assert_int_eq(dma.status, DMA_DENIED);
    ck_assert_uint_eq(pri_status(b), PCI_PRI_STATUS_PASID);
    respond(b, 99, ATS_RESPONSE_SUCCESS);
    ck_assert_uint_eq(pri_status(b), PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_UNEXPECTED);

    /* A failure ends all that is outstanding, and the interface. */
    probe_dma_start(&b->probe->func[0], &dma);
    probe_dma_start(&b->probe->func[0], &more);
    rig_settle(b->rig);
    ck_assert_uint_eq(b->page_requests, 3);
    respond(b, b->page_request[1].group, ATS_RESPONSE_FAILURE);
    ck_assert(dma.done && more.done);
    ck_assert_int_eq(more.status, DMA_DENIED);
    ck_assert_uint_eq(pri_status(b), PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_UNEXPECTED |
                                         PCI_PRI_STATUS_FAILURE | PCI_PRI_STATUS_STOPPED);
    ck_assert_uint_eq(rig_cfg_read(b->rig, cap(b, b->probe->func[0].pci->ext_pri + 4), 2), 0);
    bench_free(b);
}
END_TEST

START_TEST(no_more_page_requests_than_allocated)
{
    struct bench *b = bench_new(64, 1);
    uint8_t buf[4][64];
    struct probe_dma dma[4];

    set_pri(b, PCI_PRI_CONTROL_ENABLE, 2);
    for (unsigned i = 0; i < 4; i++) {
        b->page[i].rights = 0;
        dma[i] = op(DMA_READ, i, buf[i], 64);
        dma[i].op.request_pages = true;
        probe_dma_start(&b->probe->func[0], &dma[i]);
    }
    rig_settle(b->rig);
    ck_assert_uint_eq(b->page_requests, 2);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_uint_lt(i, b->page_requests);
        b->page[i].rights = READ;
        respond(b, b->page_request[i].group, ATS_RESPONSE_SUCCESS);
    }
    for (unsigned i = 0; i < 4; i++)
        ck_assert(dma[i].done && dma[i].status == DMA_OK);
    ck_assert_uint_eq(b->page_requests, 4);

    /* Disabled while busy it is not stopped yet; a reset forgets what is outstanding. */
    b->page[5].rights = 0;
    dma[0] = op(DMA_READ, 5, buf[0], 64);
    dma[0].op.request_pages = true;
    probe_dma_start(&b->probe->func[0], &dma[0]);
    rig_settle(b->rig);
    set_pri(b, 0, 2);
    ck_assert(!(pri_status(b) & PCI_PRI_STATUS_STOPPED));
    set_pri(b, PCI_PRI_CONTROL_RESET, 2);
    ck_assert(pri_status(b) & PCI_PRI_STATUS_STOPPED);
    rig_settle(b->rig);
    ck_assert(dma[0].done);
    ck_assert_int_eq(dma[0].status, DMA_DENIED);
    bench_free(b);
}
END_TEST

START_TEST(a_stop_marker)
{
    struct bench *b = bench_new(64, 1);
    const struct tlp_pasid pasid = {.pasid = 9};

    ck_assert(!endpoint_stop_pasid(b->func, &pasid));
    set_pri(b, PCI_PRI_CONTROL_ENABLE, 2);
    ck_assert(endpoint_stop_pasid(b->func, &pasid));
    rig_settle(b->rig);
    ck_assert_uint_eq(b->page_requests, 1);
    ck_assert(b->page_request[0].last && !b->page_request[0].read && !b->page_request[0].write);
    ck_assert_uint_eq(b->page_pasid.pasid, 9);
    bench_free(b);
}
END_TEST

START_TEST(resets_and_bus_mastering)
{
    struct bench *b = bench_new(64, 1);
    uint8_t buf[64];
    struct probe_dma dma = op(DMA_READ, 3, buf, 64), write = op(DMA_WRITE, 4, buf, 64);

    dma.op.request_pages = write.op.request_pages = true;
    b->page[3].rights = b->page[4].rights = 0;
    set_pri(b, PCI_PRI_CONTROL_ENABLE, 4);
    probe_dma_start(&b->probe->func[0], &dma);
    probe_dma_start(&b->probe->func[0], &write);
    rig_settle(b->rig);
    ck_assert_uint_eq(b->page_requests, 2);
    rig_cfg_write(b->rig, EP + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    rig_settle(b->rig);
    ck_assert(dma.done && write.done);
    ck_assert_int_eq(dma.status, DMA_NO_MASTER);
    /* Their responses find nobody, which is not unexpected. */
    respond(b, b->page_request[0].group, ATS_RESPONSE_SUCCESS);
    ck_assert_uint_eq(pri_status(b) & PCI_PRI_STATUS_UNEXPECTED, 0);
    rig_cfg_write(b->rig, EP + PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);

    b->hold = true;
    dma.op.addr = IOVA;
    probe_dma_start(&b->probe->func[0], &dma);
    rig_settle(b->rig);
    endpoint_reset(b->probe->ep);
    rig_settle(b->rig);
    b->hold = false;
    for (unsigned i = 0; i < b->kept_count; i++)
        tlp_free(b->kept[i]);
    ck_assert(!dma.done); /* dropped */
    ck_assert_uint_eq(pri_status(b) & ~0x8000u, PCI_PRI_STATUS_STOPPED);
    bench_free(b);
}
END_TEST

START_TEST(broken_ones)
{
    struct bench *b = bench_new(64, 1);
    uint8_t buf[64];

    ck_assert_int_eq(run(b, op(DMA_READ, 0, buf, 64)), DMA_OK);
    endpoint_set_ats_faults(b->func, &(struct endpoint_ats_faults){.silent = true});
    invalidate(b, 1, IOVA, 12, NULL, false);
    ck_assert_uint_eq(b->dones, 0);
    endpoint_set_ats_faults(b->func, &(struct endpoint_ats_faults){.duplicate = true});
    invalidate(b, 1, IOVA, 12, NULL, false);
    ck_assert_uint_eq(b->dones, 2);
    endpoint_set_ats_faults(b->func, &(struct endpoint_ats_faults){.wrong_itag = true});
    invalidate(b, 1, IOVA, 12, NULL, false);
    ck_assert_uint_eq(b->done_itags[2], 4);
    endpoint_set_ats_faults(b->func, &(struct endpoint_ats_faults){.keeps = true});
    ck_assert_int_eq(run(b, op(DMA_READ, 0, buf, 64)), DMA_OK);
    b->page[0].rights = 0;
    invalidate(b, 1, IOVA, 12, NULL, false);
    ck_assert_uint_eq(b->dones, 4);
    ck_assert_int_eq(run(b, op(DMA_READ, 0, buf, 64)), DMA_OK);
    endpoint_set_ats_faults(b->func, &(struct endpoint_ats_faults){.answer_ps = 5000});
    invalidate(b, 1, IOVA, 12, NULL, false);
    ck_assert_uint_eq(b->dones, 4);
    rig_run_for(b->rig, 6000);
    ck_assert_uint_eq(b->dones, 5);
    bench_free(b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ats");
    TCase *tc = tcase_create("ats");

    suite_add_tcase(suite, tc);
    tcase_add_test(tc, dma_goes_by_translated_addresses);
    tcase_add_test(tc, several_pages_at_once);
    tcase_add_test(tc, rights);
    tcase_add_test(tc, invalidation);
    tcase_add_test(tc, an_answer_on_every_traffic_class);
    tcase_add_test(tc, an_answer_waits_for_reads_under_way);
    tcase_add_test(tc, a_translation_that_is_invalidated_under_way_is_not_used);
    tcase_add_test(tc, pasids_are_apart);
    tcase_add_test(tc, execute);
    tcase_add_test(tc, pages_are_asked_for);
    tcase_add_test(tc, page_responses_that_say_no);
    tcase_add_test(tc, no_more_page_requests_than_allocated);
    tcase_add_test(tc, a_stop_marker);
    tcase_add_test(tc, resets_and_bus_mastering);
    tcase_add_test(tc, broken_ones);
    return rig_run_suite(suite);
}
