/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pcilab/base/bits.h"
#include "pcilab/pci/tlp.h"
#include "pcilab/sim/rng.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct tlp_pool *pool;

static void setup(void)
{
    pool = tlp_pool_new();
}

static void teardown(void)
{
    ck_assert_uint_eq(tlp_pool_live(pool), 0);
    tlp_pool_free(pool);
}

/* Header bytes written by hand from PCIe Base 6.0, 2.2, figures of each header. */
struct golden {
    struct tlp tlp;
    unsigned payload_dw;
    unsigned len;
    uint8_t header[16];
};

/* clang-format off */
static const struct golden goldens[] = {
    {{.type = TLP_MRD, .requester = {0x0010}, .tag = 5, .addr = 0x1000, .length_dw = 4,
      .first_be = 0xf, .last_be = 0xf}, 0, 12,
     {0x00, 0x00, 0x00, 0x04, 0x00, 0x10, 0x05, 0xff, 0x00, 0x00, 0x10, 0x00}},
    {{.type = TLP_MRD, .requester = {0x0010}, .tag = 0x3ff, .addr = 0x8000000000000ffcULL,
      .length_dw = 1, .first_be = 0x6, .attr = TLP_ATTR_NO_SNOOP, .at = 1}, 0, 16,
     {0x20, 0x88, 0x14, 0x01, 0x00, 0x10, 0xff, 0x06, 0x80, 0, 0, 0, 0x00, 0x00, 0x0f, 0xfc}},
    {{.type = TLP_MRD, .requester = {0xffff}, .tag = 1, .addr = 0, .length_dw = 1024,
      .first_be = 0xf, .last_be = 0xf, .td = true}, 0, 12,
     {0x00, 0x00, 0x80, 0x00, 0xff, 0xff, 0x01, 0xff, 0, 0, 0, 0}},
    {{.type = TLP_MRD, .requester = {0x0100}, .addr = 0x2000, .length_dw = 2, .th = true, .ph = 2,
      .st = 0xa5, .first_be = 0xf, .last_be = 0xf}, 0, 12,
     {0x00, 0x01, 0x00, 0x02, 0x01, 0x00, 0x00, 0xa5, 0x00, 0x00, 0x20, 0x02}},
    {{.type = TLP_MRDLK, .requester = {0x0000}, .tag = 2, .addr = 0xfffffffc, .length_dw = 1,
      .first_be = 0x8}, 0, 12,
     {0x01, 0x00, 0x00, 0x01, 0x00, 0x00, 0x02, 0x08, 0xff, 0xff, 0xff, 0xfc}},
    {{.type = TLP_MWR, .requester = {0x0101}, .tag = 0x123, .tc = 3,
      .attr = TLP_ATTR_RELAXED | TLP_ATTR_IDO, .addr = 0x123456788ULL, .length_dw = 1,
      .first_be = 0xf}, 1, 16,
     {0x60, 0x3c, 0x20, 0x01, 0x01, 0x01, 0x23, 0x0f, 0, 0, 0, 0x01, 0x23, 0x45, 0x67, 0x88}},
    {{.type = TLP_MWR, .requester = {0x0200}, .tag = 0xff, .ep = true, .addr = 0xfee00000,
      .length_dw = 33, .first_be = 0x8, .last_be = 0x1}, 33, 12,
     {0x40, 0x00, 0x40, 0x21, 0x02, 0x00, 0xff, 0x18, 0xfe, 0xe0, 0x00, 0x00}},
    {{.type = TLP_IORD, .requester = {0x0000}, .tag = 9, .addr = 0xc000, .length_dw = 1,
      .first_be = 0x3}, 0, 12,
     {0x02, 0x00, 0x00, 0x01, 0x00, 0x00, 0x09, 0x03, 0x00, 0x00, 0xc0, 0x00}},
    {{.type = TLP_IOWR, .requester = {0x0000}, .tag = 10, .addr = 0xc004, .length_dw = 1,
      .first_be = 0x2}, 1, 12,
     {0x42, 0x00, 0x00, 0x01, 0x00, 0x00, 0x0a, 0x02, 0x00, 0x00, 0xc0, 0x04}},
    {{.type = TLP_CFGRD0, .requester = {0x0000}, .tag = 3, .dest = {0x0100}, .reg = 0x104,
      .length_dw = 1, .first_be = 0xf}, 0, 12,
     {0x04, 0x00, 0x00, 0x01, 0x00, 0x00, 0x03, 0x0f, 0x01, 0x00, 0x01, 0x04}},
    {{.type = TLP_CFGWR0, .requester = {0x0000}, .tag = 3, .dest = {0x01ff}, .reg = 0xffc,
      .length_dw = 1, .first_be = 0x1}, 1, 12,
     {0x44, 0x00, 0x00, 0x01, 0x00, 0x00, 0x03, 0x01, 0x01, 0xff, 0x0f, 0xfc}},
    {{.type = TLP_CFGRD1, .requester = {0x0000}, .tag = 4, .dest = {0x0508}, .reg = 0,
      .length_dw = 1, .first_be = 0xf}, 0, 12,
     {0x05, 0x00, 0x00, 0x01, 0x00, 0x00, 0x04, 0x0f, 0x05, 0x08, 0x00, 0x00}},
    {{.type = TLP_CFGWR1, .requester = {0x0000}, .tag = 4, .dest = {0x0508}, .reg = 4,
      .length_dw = 1, .first_be = 0x3}, 1, 12,
     {0x45, 0x00, 0x00, 0x01, 0x00, 0x00, 0x04, 0x03, 0x05, 0x08, 0x00, 0x04}},
    {{.type = TLP_MSG, .requester = {0x0300}, .msg_code = 0x20, .msg_routing = TLP_MSG_LOCAL},
     0, 16,
     {0x34, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x20, 0, 0, 0, 0, 0, 0, 0, 0}},
    {{.type = TLP_MSG, .requester = {0x0300}, .msg_code = 0x18, .msg_routing = TLP_MSG_TO_RC},
     0, 16,
     {0x30, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x18, 0, 0, 0, 0, 0, 0, 0, 0}},
    {{.type = TLP_MSG, .requester = {0x0000}, .msg_code = 0x7f, .msg_routing = TLP_MSG_BY_ID,
      .dest = {0x0208}, .msg_bytes_8_15 = 0x02081af412345678ULL}, 0, 16,
     {0x32, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x7f, 0x02, 0x08, 0x1a, 0xf4, 0x12, 0x34, 0x56,
      0x78}},
    {{.type = TLP_MSGD, .requester = {0x0008}, .msg_code = 0x50, .msg_routing = TLP_MSG_LOCAL,
      .length_dw = 1}, 1, 16,
     {0x74, 0x00, 0x00, 0x01, 0x00, 0x08, 0x00, 0x50, 0, 0, 0, 0, 0, 0, 0, 0}},
    {{.type = TLP_CPL, .completer = {0x0200}, .status = TLP_UR, .byte_count = 4,
      .requester = {0x0010}, .tag = 7}, 0, 12,
     {0x0a, 0x00, 0x00, 0x00, 0x02, 0x00, 0x20, 0x04, 0x00, 0x10, 0x07, 0x00}},
    {{.type = TLP_CPL, .completer = {0x0200}, .status = TLP_CA, .bcm = true, .byte_count = 0x123,
      .requester = {0x0010}, .tag = 0x207, .lower_addr = 0x7f, .tc = 7}, 0, 12,
     {0x0a, 0xf0, 0x00, 0x00, 0x02, 0x00, 0x91, 0x23, 0x00, 0x10, 0x07, 0x7f}},
    {{.type = TLP_CPLD, .completer = {0x0200}, .byte_count = 4096, .requester = {0x0010}, .tag = 7,
      .lower_addr = 0x40, .length_dw = 64}, 64, 12,
     {0x4a, 0x00, 0x00, 0x40, 0x02, 0x00, 0x00, 0x00, 0x00, 0x10, 0x07, 0x40}},
};
/* clang-format on */

static void assert_same(const struct tlp *a, const struct tlp *b)
{
    ck_assert_uint_eq(a->type, b->type);
    ck_assert_uint_eq(a->tc, b->tc);
    ck_assert_uint_eq(a->attr, b->attr);
    ck_assert_uint_eq(a->at, b->at);
    ck_assert(a->ep == b->ep && a->td == b->td && a->th == b->th && a->bcm == b->bcm);
    ck_assert(a->ph == b->ph && a->st == b->st);
    ck_assert(a->first_be == b->first_be && a->last_be == b->last_be);
    ck_assert_uint_eq(a->length_dw, b->length_dw);
    ck_assert_uint_eq(a->tag, b->tag);
    ck_assert_uint_eq(a->requester.v, b->requester.v);
    ck_assert_uint_eq(a->addr, b->addr);
    ck_assert_uint_eq(a->dest.v, b->dest.v);
    ck_assert_uint_eq(a->reg, b->reg);
    ck_assert(a->msg_code == b->msg_code && a->msg_routing == b->msg_routing);
    ck_assert_uint_eq(a->msg_bytes_8_15, b->msg_bytes_8_15);
    ck_assert_uint_eq(a->completer.v, b->completer.v);
    ck_assert_uint_eq(a->status, b->status);
    ck_assert_uint_eq(a->byte_count, b->byte_count);
    ck_assert_uint_eq(a->lower_addr, b->lower_addr);
    ck_assert((a->data != NULL) == (b->data != NULL));
    if (a->data) {
        ck_assert(!memcmp(a->data, b->data, a->length_dw * 4u));
    }
}

/* Encodes, appends payload (and digest), decodes, compares. */
static void round_trip(const struct tlp *tlp)
{
    static uint8_t wire[16 + 4096 + 4];
    unsigned header = tlp_encode_header(tlp, wire);
    unsigned payload = tlp->data ? tlp->length_dw * 4u : 0;
    size_t len = header + payload + (tlp->td ? 4 : 0);
    struct tlp *back;

    if (payload) {
        memcpy(wire + header, tlp->data, payload);
    }
    back = tlp_decode(pool, wire, len);
    ck_assert_ptr_nonnull(back);
    assert_same(tlp, back);
    tlp_free(back);
    ck_assert_ptr_null(tlp_decode(pool, wire, len - 1));
    ck_assert_ptr_null(tlp_decode(pool, wire, len + 4));
}

START_TEST(test_golden_headers)
{
    const struct golden *g = &goldens[_i];
    struct tlp *tlp = tlp_new(pool, (enum tlp_type)g->tlp.type, g->payload_dw);
    uint8_t *data = tlp->data, *big = tlp->big;
    uint8_t header[TLP_HEADER_MAX];

    memcpy(tlp, &g->tlp, sizeof(*tlp));
    tlp->pool = pool;
    tlp->data = data;
    tlp->big = big;
    ck_assert_ptr_null(tlp_malformed(tlp));
    ck_assert_uint_eq(tlp_encode_header(tlp, header), g->len);
    for (unsigned i = 0; i < g->len; i++) {
        ck_assert_msg(header[i] == g->header[i], "row %d byte %u: %02x, not %02x", _i, i, header[i],
                      g->header[i]);
    }
    round_trip(tlp);
    tlp_free(tlp);
}
END_TEST

static uint64_t pick(struct sim_rng *rng, uint64_t bound)
{
    return sim_rng_below(rng, bound);
}

static void random_request(struct sim_rng *rng, struct tlp *tlp)
{
    tlp->tag = (uint16_t)pick(rng, 1024);
    tlp->requester.v = (uint16_t)pick(rng, 65536);
    if (tlp->type <= TLP_MWR) {
        unsigned len = tlp->data ? tlp->length_dw * 4u - 3 : 1 + (unsigned)pick(rng, 4096);
        uint64_t page = pick(rng, 2) ? pick(rng, 1u << 20) : pick(rng, 1ULL << 52);

        tlp_set_span(tlp, page << 12 | pick(rng, 4097 - len), len);
        /* Writes made for more doublewords than the span needs would change their length. */
        tlp->tc = (uint8_t)pick(rng, 8);
        tlp->attr = (uint8_t)pick(rng, 8);
        tlp->at = (uint8_t)pick(rng, 4);
    } else if (tlp_is_config(tlp)) {
        tlp->dest.v = (uint16_t)pick(rng, 65536);
        tlp->reg = (uint16_t)(pick(rng, 1024) * 4);
        tlp->first_be = (uint8_t)pick(rng, 16);
    } else if (tlp->type <= TLP_IOWR) {
        tlp->addr = pick(rng, 1u << 30) * 4;
        tlp->first_be = (uint8_t)pick(rng, 16);
    } else {
        tlp->msg_routing = (uint8_t)pick(rng, 6);
        tlp->msg_code = (uint8_t)pick(rng, 256);
        tlp->tc = (uint8_t)pick(rng, 8);
        tlp->attr = (uint8_t)pick(rng, 8);
        tlp->msg_bytes_8_15 = sim_rng_next(rng) & ~3ULL;
        if (tlp->msg_routing == TLP_MSG_BY_ADDRESS) {
            tlp->addr = tlp->msg_bytes_8_15;
        } else if (tlp->msg_routing == TLP_MSG_BY_ID) {
            tlp->dest.v = (uint16_t)(tlp->msg_bytes_8_15 >> 48);
        }
    }
}

START_TEST(test_random_round_trips)
{
    struct sim_rng rng;
    uint64_t allocations = 0;

    sim_rng_init(&rng, 7, "tlp");
    for (unsigned i = 0; i < 20000; i++) {
        enum tlp_type type = (enum tlp_type)pick(&rng, TLP_TYPE_COUNT);
        unsigned dw = 0;

        if ((type > TLP_MWR && type <= TLP_CAS) || type >= TLP_CPLLK) {
            continue; /* test_tlp_wire.c has these */
        }
        if (type == TLP_MWR || type == TLP_MSGD || type == TLP_CPLD) {
            dw = 1 + (unsigned)pick(&rng, TLP_MAX_PAYLOAD_DW);
        } else if (type == TLP_IOWR || type == TLP_CFGWR0 || type == TLP_CFGWR1) {
            dw = 1;
        }
        struct tlp *tlp = tlp_new(pool, type, dw);
        tlp->ep = pick(&rng, 2);
        tlp->td = pick(&rng, 2);
        if (tlp_is_completion(tlp)) {
            tlp->tag = (uint16_t)pick(&rng, 1024);
            tlp->requester.v = (uint16_t)pick(&rng, 65536);
            tlp->completer.v = (uint16_t)pick(&rng, 65536);
            tlp->status = (uint8_t)pick(&rng, 8);
            tlp->bcm = pick(&rng, 2);
            tlp->byte_count = (uint16_t)(1 + pick(&rng, 4096));
            tlp->lower_addr = (uint8_t)pick(&rng, 128);
            tlp->tc = (uint8_t)pick(&rng, 8);
            tlp->attr = (uint8_t)pick(&rng, 8);
        } else {
            random_request(&rng, tlp);
        }
        if (tlp->data) {
            sim_rng_fill(&rng, tlp->data, tlp->length_dw * 4u);
        }
        round_trip(tlp);
        tlp_free(tlp);
        if (i <= 10000) {
            allocations = tlp_pool_allocations(pool);
        }
    }
    ck_assert_uint_eq(tlp_pool_allocations(pool), allocations); /* steady traffic: none */
}
END_TEST

/* Whatever bytes arrive: no crash, and what decodes encodes to a header that decodes the same. */
START_TEST(test_random_bytes)
{
    struct sim_rng rng;
    uint8_t wire[64];
    unsigned valid = 0;

    sim_rng_init(&rng, 8, "tlp");
    for (unsigned i = 0; i < 200000; i++) {
        size_t len = 12 + pick(&rng, 13) * 4;

        sim_rng_fill(&rng, wire, sizeof(wire));
        if (pick(&rng, 2)) {
            wire[2] &= 0xfc;
            wire[3] &= 0x0f;
        }
        struct tlp *tlp = tlp_decode(pool, wire, len);
        if (tlp) {
            valid++;
            round_trip(tlp);
            char text[200];
            tlp_describe(tlp, text, sizeof(text));
            ck_assert_uint_gt(strlen(text), 3);
            tlp_free(tlp);
        }
    }
    ck_assert_uint_gt(valid, 500);
}
END_TEST

START_TEST(test_spans)
{
    struct tlp *tlp = tlp_new(pool, TLP_MRD, 0);

    for (unsigned start = 0; start < 8; start++) {
        for (unsigned len = 1; len <= 20; len++) {
            uint64_t addr;
            unsigned got;

            tlp_set_span(tlp, 0x1000 + start, len);
            ck_assert_ptr_null(tlp_malformed(tlp));
            ck_assert(tlp_span(tlp, &addr, &got));
            ck_assert_uint_eq(addr, 0x1000 + start);
            ck_assert_uint_eq(got, len);
            for (uint64_t a = 0xff0; a < 0x1030; a++) {
                ck_assert_int_eq(tlp_byte_enabled(tlp, a),
                                 a >= 0x1000 + start && a < 0x1000 + start + len);
            }
        }
    }
    tlp_set_span(tlp, 0x1000, 4096);
    ck_assert_uint_eq(tlp->length_dw, 1024);
    tlp_free(tlp);
}
END_TEST

/* 2.2.9, table of Byte Count by enables: first, last, length, count, lower address bits. */
START_TEST(test_completion_fields)
{
    static const struct {
        unsigned first, last, length_dw, count, lower;
    } rows[] = {
        {0x9, 0x0, 1, 4, 0},  {0xf, 0x0, 1, 4, 0},  {0x5, 0x0, 1, 3, 0},  {0x7, 0x0, 1, 3, 0},
        {0xa, 0x0, 1, 3, 1},  {0xe, 0x0, 1, 3, 1},  {0x3, 0x0, 1, 2, 0},  {0x6, 0x0, 1, 2, 1},
        {0xc, 0x0, 1, 2, 2},  {0x1, 0x0, 1, 1, 0},  {0x2, 0x0, 1, 1, 1},  {0x4, 0x0, 1, 1, 2},
        {0x8, 0x0, 1, 1, 3},  {0x0, 0x0, 1, 1, 0},  {0xf, 0xf, 5, 20, 0}, {0xf, 0x7, 5, 19, 0},
        {0xf, 0x3, 5, 18, 0}, {0xf, 0x1, 5, 17, 0}, {0xe, 0xf, 5, 19, 1}, {0xe, 0x1, 5, 16, 1},
        {0xc, 0x3, 5, 16, 2}, {0x8, 0xf, 5, 17, 3}, {0x8, 0x1, 5, 14, 3}, {0x9, 0x9, 2, 8, 0},
    };
    struct tlp *tlp = tlp_new(pool, TLP_MRD, 0);

    tlp->requester.v = 0x123;
    tlp->tag = 77;
    tlp->tc = 2;
    tlp->attr = TLP_ATTR_IDO | TLP_ATTR_RELAXED;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct tlp *cpl;

        tlp->addr = 0x12348;
        tlp->first_be = (uint8_t)rows[i].first;
        tlp->last_be = (uint8_t)rows[i].last;
        tlp->length_dw = (uint16_t)rows[i].length_dw;
        cpl = tlp_new_completion(tlp, (struct pci_rid){0x456}, TLP_SC, rows[i].length_dw);
        ck_assert_uint_eq(cpl->byte_count, rows[i].count);
        ck_assert_uint_eq(cpl->lower_addr, 0x48 + rows[i].lower);
        ck_assert_uint_eq(cpl->type, TLP_CPLD);
        ck_assert(cpl->requester.v == 0x123 && cpl->completer.v == 0x456 && cpl->tag == 77);
        ck_assert(cpl->tc == 2 && cpl->attr == TLP_ATTR_RELAXED);
        tlp_free(cpl);
    }
    tlp_free(tlp);
    tlp = tlp_new(pool, TLP_CFGWR0, 1);
    struct tlp *cpl = tlp_new_completion(tlp, (struct pci_rid){0}, TLP_UR, 0);
    ck_assert(cpl->type == TLP_CPL && cpl->status == TLP_UR && cpl->byte_count == 4);
    ck_assert_uint_eq(cpl->lower_addr, 0);
    tlp_free(cpl);
    tlp_free(tlp);
}
END_TEST

START_TEST(test_malformed)
{
    static const struct {
        struct tlp tlp;
        const char *why;
    } rows[] = {
        {{.type = TLP_MRD, .addr = 0xffc, .length_dw = 2, .first_be = 15, .last_be = 15}, "2.2.7"},
        {{.type = TLP_MRD, .length_dw = 1, .first_be = 15, .last_be = 1}, "2.2.5"},
        {{.type = TLP_MRD, .length_dw = 2, .first_be = 0, .last_be = 1}, "2.2.5"},
        {{.type = TLP_MRD, .length_dw = 3, .first_be = 5, .last_be = 1}, "2.2.5"},
        {{.type = TLP_MRD, .addr = 4, .length_dw = 2, .first_be = 5, .last_be = 1}, "2.2.5"},
        {{.type = TLP_MRD, .length_dw = 0}, "2.2.2"},
        {{.type = TLP_CFGRD0, .length_dw = 2, .first_be = 15}, "2.2.7"},
        {{.type = TLP_CFGRD0, .length_dw = 1, .first_be = 15, .tc = 1}, "2.2.7"},
        {{.type = TLP_IORD, .length_dw = 1, .first_be = 15, .addr = 1ULL << 32}, "2.2.7"},
        {{.type = TLP_MSG, .msg_routing = 6}, "2.2.8"},
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        const char *why = tlp_malformed(&rows[i].tlp);

        ck_assert_msg(why && !strncmp(why, rows[i].why, strlen(rows[i].why)), "row %u: %s", i,
                      why ? why : "well formed");
    }
    /* Two aligned doublewords may have gaps. */
    struct tlp gaps = {.type = TLP_MRD, .addr = 8, .length_dw = 2, .first_be = 5, .last_be = 10};
    ck_assert_ptr_null(tlp_malformed(&gaps));
}
END_TEST

START_TEST(test_describe)
{
    struct tlp *tlp = tlp_new(pool, TLP_MWR, 1);
    char text[200], tiny[8];

    tlp->requester = pci_rid_make(0, 2, 0);
    tlp->tag = 5;
    tlp->attr = TLP_ATTR_RELAXED;
    tlp_set_span(tlp, 0x1fee00001ULL, 2);
    tlp->data[1] = 0xab;
    tlp_describe(tlp, text, sizeof(text));
    ck_assert_str_eq(text, "MWr 64 00:02.0 tag 5 addr 0x1fee00001 len 2 RO data 00ab0000");
    tlp_describe(tlp, tiny, sizeof(tiny));
    ck_assert_str_eq(tiny, "MWr 64 ");
    tlp_free(tlp);

    tlp = tlp_new(pool, TLP_CPL, 0);
    tlp->completer = pci_rid_make(0xff, 31, 7);
    tlp->status = TLP_RRS;
    tlp->byte_count = 4;
    tlp_describe(tlp, text, sizeof(text));
    ck_assert_str_eq(text, "Cpl ff:1f.7 to 00:00.0 tag 0 RRS bytes 4 lower 0x00");
    tlp_free(tlp);

    tlp = tlp_new(pool, TLP_MSG, 0);
    tlp->msg_code = TLP_MSG_ASSERT_INTA + 1;
    tlp->msg_routing = TLP_MSG_LOCAL;
    tlp_describe(tlp, text, sizeof(text));
    ck_assert_str_eq(text, "Msg 00:00.0 Assert_INTB (0x21) local");
    tlp_free(tlp);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tlp");
    TCase *tc = tcase_create("tlp");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, test_golden_headers, 0, ARRAY_LEN(goldens));
    tcase_add_test(tc, test_random_round_trips);
    tcase_add_test(tc, test_random_bytes);
    tcase_add_test(tc, test_spans);
    tcase_add_test(tc, test_completion_fields);
    tcase_add_test(tc, test_malformed);
    tcase_add_test(tc, test_describe);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
