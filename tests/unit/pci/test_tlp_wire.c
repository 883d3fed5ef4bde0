/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLPs on the wire, read by somebody else: wire_read() below knows the headers as bit positions of
 * the figures in PCIe Base 6.0, 2.2, and shares nothing with the codec.
 */
#include "pcilab/base/bits.h"
#include "pcilab/pci/tlp.h"
#include "pcilab/sim/rng.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
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

/* Bits `high` to `low` of the 128-bit big-endian header, numbered from its first bit. */
static uint64_t bits(const uint8_t *h, unsigned first, unsigned count)
{
    uint64_t v = 0;

    for (unsigned i = first; i < first + count; i++) {
        v = v << 1 | (h[i / 8] >> (7 - i % 8) & 1);
    }
    return v;
}

static unsigned put(char *out, size_t size, const char *name, uint64_t value)
{
    return (unsigned)snprintf(out, size, " %s=%" PRIx64, name, value);
}

/* One line of text for the bytes of prefixes and header. */
static void wire_read(const uint8_t *w, char *out, size_t size)
{
    static const struct {
        unsigned type;
        const char *name;
        char kind;
    } types[] = {
        {0x00, "mem", 'm'},  {0x01, "memlk", 'm'}, {0x02, "io", 'm'},    {0x04, "cfg0", 'c'},
        {0x05, "cfg1", 'c'}, {0x0a, "cpl", 'd'},   {0x0b, "cpllk", 'd'}, {0x0c, "fetchadd", 'a'},
        {0x0d, "swap", 'a'}, {0x0e, "cas", 'a'},   {0x1b, "dmwr", 'm'},
    };
    const char *name = "message";
    char kind = 'g';
    size_t at = 0;

    while (bits(w, 0, 3) == 4) {
        at += put(out + at, size - at, "prefix", bits(w, 0, 32));
        w += 4;
    }
    bool wide = bits(w, 2, 1), data = bits(w, 1, 1);
    for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
        if (types[i].type == bits(w, 3, 5)) {
            name = types[i].name;
            kind = types[i].kind;
        }
    }
    at += (unsigned)snprintf(out + at, size - at, " %s%s%s", name, data ? "+data" : "",
                             wide ? " 4dw" : " 3dw");
    at += put(out + at, size - at, "tc", bits(w, 9, 3));
    at += put(out + at, size - at, "attr", bits(w, 13, 1) << 2 | bits(w, 18, 2));
    at += put(out + at, size - at, "th", bits(w, 15, 1));
    at += put(out + at, size - at, "td", bits(w, 16, 1));
    at += put(out + at, size - at, "ep", bits(w, 17, 1));
    at += put(out + at, size - at, "at", bits(w, 20, 2));
    at += put(out + at, size - at, "len", bits(w, 22, 10));
    uint64_t tag_high = bits(w, 8, 1) << 1 | bits(w, 12, 1);
    if (kind == 'd') {
        at += put(out + at, size - at, "completer", bits(w, 32, 16));
        at += put(out + at, size - at, "status", bits(w, 48, 3));
        at += put(out + at, size - at, "bcm", bits(w, 51, 1));
        at += put(out + at, size - at, "count", bits(w, 52, 12));
        at += put(out + at, size - at, "requester", bits(w, 64, 16));
        at += put(out + at, size - at, "tag", tag_high << 8 | bits(w, 80, 8));
        put(out + at, size - at, "lower", bits(w, 89, 7));
        return;
    }
    at += put(out + at, size - at, "requester", bits(w, 32, 16));
    at += put(out + at, size - at, "tag", tag_high << 8 | bits(w, 48, 8));
    at += put(out + at, size - at, "byte7", bits(w, 56, 8));
    if (kind == 'g') {
        at += put(out + at, size - at, "routing", bits(w, 5, 3));
        put(out + at, size - at, "rest", bits(w, 64, 64));
    } else if (kind == 'c') {
        at += put(out + at, size - at, "dest", bits(w, 64, 16));
        put(out + at, size - at, "reg", bits(w, 84, 10) << 2);
    } else {
        unsigned width = wide ? 62 : 30;

        at += put(out + at, size - at, "addr", bits(w, 64, width) << 2);
        put(out + at, size - at, "ph", bits(w, 64 + width, 2));
    }
}

/* What the figures say must stand there, from the fields. */
static void fields_read(const struct tlp *t, char *out, size_t size)
{
    static const char *const names[TLP_TYPE_COUNT] = {
        "mem",       "memlk",    "mem+data",  "dmwr+data",  "fetchadd+data",
        "swap+data", "cas+data", "io",        "io+data",    "cfg0",
        "cfg0+data", "cfg1",     "cfg1+data", "message",    "message+data",
        "cpl",       "cpl+data", "cpllk",     "cpllk+data",
    };
    bool by_addr = tlp_is_memory(t) || t->type == TLP_IORD || t->type == TLP_IOWR;
    bool wide = tlp_is_message(t) || (tlp_is_memory(t) && t->addr >> 32);
    unsigned tag = t->tag, byte7 = (unsigned)t->last_be << 4 | t->first_be;
    size_t at = 0;

    for (unsigned i = 0; i < t->prefix_count; i++) {
        at += put(out + at, size - at, "prefix", t->prefix[i]);
    }
    at += (unsigned)snprintf(out + at, size - at, " %s%s", names[t->type], wide ? " 4dw" : " 3dw");
    at += put(out + at, size - at, "tc", t->tc);
    at += put(out + at, size - at, "attr", t->attr);
    at += put(out + at, size - at, "th", t->th);
    at += put(out + at, size - at, "td", t->td);
    at += put(out + at, size - at, "ep", t->ep);
    at += put(out + at, size - at, "at", t->at);
    at += put(out + at, size - at, "len", t->length_dw & 0x3ff);
    if (tlp_is_completion(t)) {
        at += put(out + at, size - at, "completer", t->completer.v);
        at += put(out + at, size - at, "status", t->status);
        at += put(out + at, size - at, "bcm", t->bcm);
        at += put(out + at, size - at, "count", t->byte_count & 0xfff);
        at += put(out + at, size - at, "requester", t->requester.v);
        at += put(out + at, size - at, "tag", tag);
        put(out + at, size - at, "lower", t->lower_addr);
        return;
    }
    if (tlp_is_message(t)) {
        byte7 = t->msg_code;
    } else if (t->th && t->type == TLP_MWR) {
        tag = (tag & 0x300) | t->st; /* table: a write's steering tag is in byte 6 */
    } else if (t->th) {
        byte7 = t->st;
    }
    at += put(out + at, size - at, "requester", t->requester.v);
    at += put(out + at, size - at, "tag", tag);
    at += put(out + at, size - at, "byte7", byte7);
    if (tlp_is_message(t)) {
        at += put(out + at, size - at, "routing", t->msg_routing);
        put(out + at, size - at, "rest", t->msg_bytes_8_15);
    } else if (tlp_is_config(t)) {
        at += put(out + at, size - at, "dest", t->dest.v);
        put(out + at, size - at, "reg", t->reg);
    } else if (by_addr) {
        at += put(out + at, size - at, "addr", t->addr);
        put(out + at, size - at, "ph", tlp_is_translation_request(t) ? t->nw : t->ph);
    }
}

static unsigned payload_of(enum tlp_type type, struct sim_rng *rng)
{
    switch (type) {
    case TLP_MWR:
    case TLP_MSGD:
    case TLP_CPLDLK:
    case TLP_CPLD: return 1 + (unsigned)sim_rng_below(rng, 1024);
    case TLP_DMWR: return 1 + (unsigned)sim_rng_below(rng, 32);
    case TLP_FETCHADD:
    case TLP_SWAP: return 1u << sim_rng_below(rng, 2);
    case TLP_CAS: return 2u << sim_rng_below(rng, 3);
    case TLP_IOWR:
    case TLP_CFGWR0:
    case TLP_CFGWR1: return 1;
    default: return 0;
    }
}

static void random_memory(struct sim_rng *rng, struct tlp *t)
{
    unsigned len = t->data ? t->length_dw * 4u : 4 * (1 + (unsigned)sim_rng_below(rng, 1024));
    uint64_t page =
        sim_rng_below(rng, 2) ? sim_rng_below(rng, 1u << 20) : sim_rng_below(rng, 1ULL << 52);

    t->at = (uint8_t)sim_rng_below(rng, 4);
    if (tlp_is_atomic(t)) {
        unsigned bytes = tlp_operand_bytes(t);

        t->addr = page << 12 | (sim_rng_below(rng, 4096) & ~(uint64_t)(bytes - 1));
    } else {
        tlp_set_span(t, page << 12 | (sim_rng_below(rng, 4097 - len) & ~3ULL), len);
    }
    if (tlp_is_translation_request(t)) { /* figure 10-8: NW where others have hints */
        t->nw = sim_rng_below(rng, 2);
    } else if (t->type != TLP_MRDLK && t->type != TLP_DMWR && sim_rng_below(rng, 2)) {
        t->th = true;
        t->ph = (uint8_t)sim_rng_below(rng, 4);
        t->st = (uint8_t)sim_rng_below(rng, 256);
        t->tag &= t->type == TLP_MWR ? 0x300 : 0x3ff;
    }
}

static void random_fields(struct sim_rng *rng, struct tlp *t)
{
    static const uint32_t prefixes[] = {0x80123456, 0x8e000001, 0x8fffffff, 0x90a50000,
                                        0x91300001, 0x9e777777, 0x9f000000};
    bool plain = t->type >= TLP_IORD && t->type <= TLP_CFGWR1;

    t->requester.v = (uint16_t)sim_rng_next(rng);
    t->tag = (uint16_t)sim_rng_below(rng, 1024);
    t->ep = sim_rng_below(rng, 2);
    t->td = sim_rng_below(rng, 2);
    t->tc = plain ? 0 : (uint8_t)sim_rng_below(rng, 8);
    t->attr = plain ? 0 : (uint8_t)sim_rng_below(rng, 8);
    for (unsigned n = (unsigned)sim_rng_below(rng, 6); n--;) {
        tlp_add_prefix(t, prefixes[sim_rng_below(rng, ARRAY_LEN(prefixes))]);
    }
    if (tlp_is_memory(t)) {
        random_memory(rng, t);
    } else if (tlp_is_completion(t)) {
        t->completer.v = (uint16_t)sim_rng_next(rng);
        t->status = (uint8_t)sim_rng_below(rng, 8);
        t->bcm = sim_rng_below(rng, 2);
        t->byte_count = (uint16_t)(1 + sim_rng_below(rng, 4096));
        t->lower_addr = (uint8_t)sim_rng_below(rng, 128);
    } else if (tlp_is_message(t)) {
        t->msg_code = (uint8_t)sim_rng_next(rng);
        t->msg_routing = (uint8_t)sim_rng_below(rng, 6);
        t->msg_bytes_8_15 = sim_rng_next(rng) & ~3ULL;
        t->addr = t->msg_routing == TLP_MSG_BY_ADDRESS ? t->msg_bytes_8_15 : 0;
        t->dest.v = t->msg_routing == TLP_MSG_BY_ID ? (uint16_t)(t->msg_bytes_8_15 >> 48) : 0;
    } else if (tlp_is_config(t)) {
        t->dest.v = (uint16_t)sim_rng_next(rng);
        t->reg = (uint16_t)(sim_rng_below(rng, 1024) * 4);
        t->first_be = (uint8_t)sim_rng_below(rng, 16);
    } else {
        t->addr = sim_rng_below(rng, 1u << 30) * 4;
        t->first_be = (uint8_t)sim_rng_below(rng, 16);
    }
}

START_TEST(test_random_fields)
{
    static uint8_t wire[TLP_HEAD_MAX + 4096 + 4];
    char want[600], got[600];
    struct sim_rng rng;

    sim_rng_init(&rng, 3, "wire");
    for (unsigned i = 0; i < 20000; i++) {
        enum tlp_type type = (enum tlp_type)(i % TLP_TYPE_COUNT);
        struct tlp *t = tlp_new(pool, type, payload_of(type, &rng)), *back;
        unsigned head;

        random_fields(&rng, t);
        head = tlp_encode_head(t, wire);
        fields_read(t, want, sizeof(want));
        wire_read(wire, got, sizeof(got));
        ck_assert_str_eq(got, want);
        if (t->data) {
            sim_rng_fill(&rng, t->data, t->length_dw * 4u);
            memcpy(wire + head, t->data, t->length_dw * 4u);
        }
        back = tlp_decode(pool, wire, head + (t->data ? t->length_dw * 4u : 0) + (t->td ? 4 : 0));
        ck_assert_msg(back != NULL, "does not decode: %s", want);
        fields_read(back, got, sizeof(got));
        ck_assert_str_eq(got, want);
        ck_assert(!t->data || !memcmp(t->data, back->data, t->length_dw * 4u));
        tlp_free(back);
        tlp_free(t);
    }
}
END_TEST

/* Whole TLPs by hand, from the figures; what the independent reader says of them, and the codec. */
static const struct {
    const char *bytes, *text, *words;
} goldens[] = {
    {"4c000001 00100500 00001000 01000000",
     " fetchadd+data 3dw tc=0 attr=0 th=0 td=0 ep=0 at=0 len=1 requester=10 tag=5 byte7=0 "
     "addr=1000 ph=0",
     "FetchAdd 32 00:02.0 tag 5 addr 0x1000 len 4 data 01000000"},
    {"6c000002 00100500 00000001 00000ff8 01000000 00000000",
     " fetchadd+data 4dw tc=0 attr=0 th=0 td=0 ep=0 at=0 len=2 requester=10 tag=5 byte7=0 "
     "addr=100000ff8 ph=0",
     "FetchAdd 64 00:02.0 tag 5 addr 0x100000ff8 len 8 data 01000000 00000000"},
    {"4d040002 00100500 00001008 11111111 22222222",
     " swap+data 3dw tc=0 attr=4 th=0 td=0 ep=0 at=0 len=2 requester=10 tag=5 byte7=0 addr=1008 "
     "ph=0",
     "Swap 32 00:02.0 tag 5 addr 0x1008 len 8 IDO data 11111111 22222222"},
    {"4e010008 001005a5 00001013 00000000 00000000 00000000 00000000 11111111 22222222 33333333 "
     "44444444",
     " cas+data 3dw tc=0 attr=0 th=1 td=0 ep=0 at=0 len=8 requester=10 tag=5 byte7=a5 addr=1010 "
     "ph=3",
     "CAS 32 00:02.0 tag 5 addr 0x1010 len 16 PH 3 ST 0xa5 data 00000000 00000000 00000000 "
     "00000000 ..."},
    {"9110002a 5b000002 001007ff 00002000 aaaaaaaa bbbbbbbb",
     " prefix=9110002a dmwr+data 3dw tc=0 attr=0 th=0 td=0 ep=0 at=0 len=2 requester=10 tag=7 "
     "byte7=ff addr=2000 ph=0",
     "DMWr 32 00:02.0 tag 7 addr 0x2000 len 8 PASID 0x2a execute data aaaaaaaa bbbbbbbb"},
    {"0b000000 02002004 00000300",
     " cpllk 3dw tc=0 attr=0 th=0 td=0 ep=0 at=0 len=0 completer=200 status=1 bcm=0 count=4 "
     "requester=0 tag=3 lower=0",
     "CplLk 02:00.0 to 00:00.0 tag 3 UR bytes 4 lower 0x00"},
    {"4b000001 02000004 0000037c 12345678",
     " cpllk+data 3dw tc=0 attr=0 th=0 td=0 ep=0 at=0 len=1 completer=200 status=0 bcm=0 count=4 "
     "requester=0 tag=3 lower=7c",
     "CplDLk 02:00.0 to 00:00.0 tag 3 SC bytes 4 lower 0x7c data 12345678"},
    {"80000007 90120000 40010001 0100340f 00003001 00000000",
     " prefix=80000007 prefix=90120000 mem+data 3dw tc=0 attr=0 th=1 td=0 ep=0 at=0 len=1 "
     "requester=100 tag=34 byte7=f addr=3000 ph=1",
     "MWr 32 01:00.0 tag 0 addr 0x3000 len 4 PH 1 ST 0x1234 prefix 80000007 prefix 90120000 data "
     "00000000"},
    {"33000000 00000019 00000000 00000000",
     " message 4dw tc=0 attr=0 th=0 td=0 ep=0 at=0 len=0 requester=0 tag=0 byte7=19 routing=3 "
     "rest=0",
     "Msg 00:00.0 PME_Turn_Off (0x19) broadcast"},
    {"35000000 0100001b 00000000 00000000",
     " message 4dw tc=0 attr=0 th=0 td=0 ep=0 at=0 len=0 requester=100 tag=0 byte7=1b routing=5 "
     "rest=0",
     "Msg 01:00.0 PME_TO_Ack (0x1b) gathered"},
};

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t n = 0;
    unsigned byte;

    for (; *hex; hex += *hex == ' ' ? 1 : 2) {
        if (*hex != ' ' && sscanf(hex, "%2x", &byte) == 1) {
            out[n++] = (uint8_t)byte;
        }
    }
    return n;
}

START_TEST(test_golden)
{
    uint8_t wire[128], head[TLP_HEAD_MAX];
    size_t len = from_hex(goldens[_i].bytes, wire);
    struct tlp *tlp = tlp_decode(pool, wire, len);
    char text[400];

    wire_read(wire, text, sizeof(text));
    ck_assert_str_eq(text, goldens[_i].text);
    ck_assert_ptr_nonnull(tlp);
    tlp_describe(tlp, text, sizeof(text));
    ck_assert_str_eq(text, goldens[_i].words);
    ck_assert_int_eq(memcmp(head, wire, tlp_encode_head(tlp, head)), 0);
    tlp_free(tlp);
}
END_TEST

/* Bytes that are no TLP. */
START_TEST(test_no_tlp)
{
    static const char *const rows[] = {
        "91000001",                                     /* only a prefix */
        "91000001 80000000 00000001 0010050f 00001000", /* local after end-end */
        "85000001 00000001 0010050f 00001000",          /* a reserved local prefix */
        "91000001 91000001 91000001 91000001 91000001 00000001 0010050f 00001000",
        "4c000003 00100500 00001000 00000000 00000000 00000000", /* no operand size */
        "4e000001 00100500 00001000 00000000",                   /* CAS with one operand */
        "4c000002 00100500 00001004 00000000 00000000",          /* not aligned */
        "4e000004 00100500 00001004 00000000 00000000 00000000 00000000",
        "0c000001 00100500 00001000",          /* AtomicOp without data */
        "1b000001 0010050f 00001000",          /* the former TCfgRd */
        "2b000000 02002004 00000300 00000000", /* completion of 4 DW */
        "c0000001 0010050f 00001000 00000000", /* reserved Fmt */
    };
    uint8_t wire[128];

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len = from_hex(rows[i], wire);

        ck_assert_msg(!tlp_decode(pool, wire, len), "row %u decodes", i);
    }
}
END_TEST

START_TEST(test_atomic_arithmetic)
{
    static const struct {
        enum tlp_type type;
        uint64_t old, operand, swap, result;
        unsigned bytes;
        bool changes;
    } rows[] = {
        {TLP_FETCHADD, 5, 7, 0, 12, 4, true},
        {TLP_FETCHADD, 0xffffffff, 1, 0, 0, 4, true}, /* the carry is lost */
        {TLP_FETCHADD, UINT64_MAX, 2, 0, 1, 8, true},
        {TLP_SWAP, 1, 0x1122334455667788, 0, 0x1122334455667788, 8, true},
        {TLP_CAS, 9, 9, 3, 3, 4, true},
        {TLP_CAS, 9, 8, 3, 0, 4, false},
        {TLP_CAS, 1ULL << 40, 1ULL << 40, 77, 77, 8, true},
        {TLP_CAS, 4, 4, 5, 5, 16, true},
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        bool cas = rows[i].type == TLP_CAS;
        unsigned n = rows[i].bytes;
        struct tlp *t = tlp_new(pool, rows[i].type, n / 4 * (cas ? 2 : 1));
        uint8_t old[16] = {0}, result[16] = {0}, want[16] = {0};

        memcpy(old, &rows[i].old, n > 8 ? 8 : n);
        memcpy(want, &rows[i].result, n > 8 ? 8 : n);
        memcpy(t->data, &rows[i].operand, n > 8 ? 8 : n);
        memcpy(t->data + n, &rows[i].swap, cas ? (n > 8 ? 8 : n) : 0);
        ck_assert_uint_eq(tlp_operand_bytes(t), n);
        ck_assert(tlp_atomic_result(t, old, result) == rows[i].changes);
        ck_assert_msg(!rows[i].changes || !memcmp(result, want, n), "row %u", i);
        tlp_free(t);
    }
    /* The upper half of 128 bits counts. */
    struct tlp *t = tlp_new(pool, TLP_CAS, 8);
    uint8_t old[16] = {[15] = 1}, result[16];
    ck_assert(!tlp_atomic_result(t, old, result));
    tlp_free(t);
}
END_TEST

START_TEST(test_prefixes)
{
    struct tlp *t = tlp_new(pool, TLP_MRD, 0);
    struct tlp_pasid pasid;

    ck_assert(!tlp_get_pasid(t, &pasid));
    tlp_set_pasid(t, &(struct tlp_pasid){.pasid = 0xfffff, .privileged = true});
    tlp_set_pasid(t, &(struct tlp_pasid){.pasid = 0x12345, .execute = true});
    ck_assert(tlp_get_pasid(t, &pasid));
    ck_assert(pasid.pasid == 0x12345 && pasid.execute && !pasid.privileged);
    ck_assert(t->prefix_count == 1 && t->prefix[0] == 0x91112345);
    ck_assert(tlp_add_prefix(t, 0x8e000000) && tlp_add_prefix(t, 0x80000000));
    ck_assert(t->prefix[0] == 0x8e000000 && t->prefix[1] == 0x80000000);
    ck_assert(t->prefix[2] == 0x91112345 && tlp_end_end_prefixes(t) == 1);
    for (unsigned i = 1; i < 4; i++) {
        ck_assert(tlp_add_prefix(t, 0x9e000000));
    }
    ck_assert(!tlp_add_prefix(t, 0x9e000000));
    ck_assert(tlp_add_prefix(t, 0x8f000000) && tlp_add_prefix(t, 0x8f000000));
    ck_assert(!tlp_add_prefix(t, 0x8f000000));
    tlp_free(t);
}
END_TEST

/* A locked read is answered in kind; AtomicOps with their operand, deferrable writes without. */
START_TEST(test_completion_kinds)
{
    static const struct {
        enum tlp_type request;
        unsigned dw, reply_dw;
        enum tlp_type reply;
        unsigned count;
    } rows[] = {
        {TLP_MRDLK, 0, 0, TLP_CPLLK, 4},   {TLP_MRDLK, 0, 1, TLP_CPLDLK, 4},
        {TLP_FETCHADD, 2, 2, TLP_CPLD, 8}, {TLP_CAS, 8, 4, TLP_CPLD, 16},
        {TLP_CAS, 2, 0, TLP_CPL, 4},       {TLP_DMWR, 16, 0, TLP_CPL, 4},
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct tlp *t = tlp_new(pool, rows[i].request, rows[i].dw), *cpl;

        t->addr = 0x1040;
        t->length_dw = rows[i].dw ? (uint16_t)rows[i].dw : 1;
        t->first_be = 0xf;
        cpl = tlp_new_completion(t, (struct pci_rid){1}, TLP_SC, rows[i].reply_dw);
        ck_assert_uint_eq(cpl->type, rows[i].reply);
        ck_assert_uint_eq(cpl->byte_count, rows[i].count);
        ck_assert_uint_eq(cpl->lower_addr, rows[i].request == TLP_MRDLK ? 0x40 : 0);
        ck_assert(tlp_is_completion(cpl) && !tlp_is_posted(t) && tlp_is_memory(t));
        tlp_free(cpl);
        tlp_free(t);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tlp_wire");
    TCase *tc = tcase_create("tlp_wire");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_random_fields);
    tcase_add_loop_test(tc, test_golden, 0, ARRAY_LEN(goldens));
    tcase_add_test(tc, test_no_tlp);
    tcase_add_test(tc, test_atomic_arithmetic);
    tcase_add_test(tc, test_prefixes);
    tcase_add_test(tc, test_completion_kinds);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
