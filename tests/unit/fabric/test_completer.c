/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completers: splitting, byte enables, refusals; every case against a plain model of bytes. */
#include <string.h>

#include "pcilab/fabric/completer.h"
#include "pcilab/fabric/requester.h"
#include "rig.h"

#define MEMORY_BYTES 0x4000u

struct bench {
    struct sim sim;
    struct trace trace;
    struct tlp_pool *pool;
    uint8_t memory[MEMORY_BYTES];
    bool touched[MEMORY_BYTES];
    uint64_t fail_at; /* reads and writes from here on get CA */
    struct tlp_queue sent;
    struct completer completer;
};

static enum tlp_status bench_read(void *context, uint64_t addr, void *data, unsigned len)
{
    struct bench *bench = context;

    ck_assert(range_inside(addr, len, 0, MEMORY_BYTES));
    for (unsigned i = 0; i < len; i++) {
        if (bench->touched[addr + i])
            ck_abort_msg("byte touched twice");
        bench->touched[addr + i] = true;
    }
    memcpy(data, bench->memory + addr, len);
    return addr >= bench->fail_at ? TLP_CA : TLP_SC;
}

static enum tlp_status bench_write(void *context, uint64_t addr, const void *data, unsigned len)
{
    struct bench *bench = context;

    ck_assert(range_inside(addr, len, 0, MEMORY_BYTES));
    if (addr >= bench->fail_at)
        return TLP_CA;
    memset(bench->touched + addr, 1, len);
    memcpy(bench->memory + addr, data, len);
    return TLP_SC;
}

static void bench_send(void *owner, struct tlp *cpl)
{
    struct bench *bench = owner;

    tlp_queue_push(&bench->sent, cpl);
}

static void bench_init(struct bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    sim_init(&bench->sim, 1);
    bench->trace.now_ps = &bench->sim.now_ps;
    bench->pool = tlp_pool_new();
    bench->fail_at = SIM_NEVER;
    for (unsigned i = 0; i < MEMORY_BYTES; i++)
        bench->memory[i] = (uint8_t)(i * 7 + (i >> 8));
    bench->completer = (struct completer){
        .name = "completer",
        .trace = &bench->trace,
        .send = bench_send,
        .owner = bench,
        .id = {0x1234},
        .max_payload_bytes = 128,
        .boundary_bytes = 64,
        .read = bench_read,
        .write = bench_write,
        .context = bench,
    };
}

static void bench_fini(struct bench *bench)
{
    tlp_queue_clear(&bench->sent);
    ck_assert_uint_eq(tlp_pool_live(bench->pool), 0);
    tlp_pool_free(bench->pool);
    sim_fini(&bench->sim);
}

static struct tlp *make_read(struct bench *bench, uint64_t addr, unsigned len)
{
    struct tlp *tlp = tlp_new(bench->pool, TLP_MRD, 0);

    tlp_set_span(tlp, addr, len);
    tlp->requester.v = 0x0408;
    tlp->tag = 77;
    tlp->tc = 2;
    tlp->attr = TLP_ATTR_RELAXED;
    return tlp;
}

/* The completions of a read by the rules of 2.3.1.1, checked without the code under test. */
static void check_read(struct bench *bench, uint64_t addr, unsigned len)
{
    unsigned mps = bench->completer.max_payload_bytes, rcb = bench->completer.boundary_bytes;
    unsigned got = 0;
    struct tlp *cpl;

    while ((cpl = tlp_queue_pop(&bench->sent))) {
        uint64_t at = addr + got;
        unsigned carried;

        ck_assert_uint_eq(cpl->type, TLP_CPLD);
        ck_assert_uint_eq(cpl->status, TLP_SC);
        ck_assert_uint_eq(cpl->requester.v, 0x0408);
        ck_assert_uint_eq(cpl->completer.v, 0x1234);
        ck_assert_uint_eq(cpl->tag, 77);
        ck_assert_uint_eq(cpl->tc, 2);
        ck_assert_uint_eq(cpl->attr, TLP_ATTR_RELAXED);
        ck_assert_uint_eq(cpl->byte_count, len - got);
        ck_assert_uint_eq(cpl->lower_addr, at & 0x7f);
        ck_assert_uint_le(cpl->length_dw * 4u, mps);
        carried = cpl->length_dw * 4u - (at & 3);
        if (carried > len - got)
            carried = len - got;
        ck_assert_mem_eq(cpl->data + (at & 3), bench->memory + at, carried);
        got += carried;
        if (got < len)
            ck_assert_uint_eq((addr + got) % rcb, 0);
        tlp_free(cpl);
    }
    ck_assert_uint_eq(got, len);
}

START_TEST(test_reads_of_every_kind)
{
    static const unsigned mps[] = {128, 256, 512, 4096}, rcb[] = {64, 128};
    struct bench bench;
    struct sim_rng rng;

    bench_init(&bench);
    sim_rng_init(&rng, 5, "reads");
    for (unsigned i = 0; i < 4000; i++) {
        unsigned len = (unsigned)sim_rng_below(&rng, i % 4 ? 200 : 4096) + 1;
        uint64_t addr = sim_rng_below(&rng, 4096 - len + 1) + 0x1000;

        bench.completer.max_payload_bytes = mps[sim_rng_below(&rng, 4)];
        bench.completer.boundary_bytes = rcb[sim_rng_below(&rng, 2)];
        memset(bench.touched, 0, sizeof(bench.touched));
        completer_access(&bench.completer, make_read(&bench, addr, len));
        check_read(&bench, addr, len);
        for (uint64_t at = 0; at < MEMORY_BYTES; at++) {
            if (bench.touched[at] != (at >= addr && at < addr + len))
                ck_abort_msg("byte %u", (unsigned)at);
        }
    }
    bench_fini(&bench);
}
END_TEST

START_TEST(test_byte_enables)
{
    struct bench bench;

    bench_init(&bench);
    /* All sixteen patterns of one doubleword, all pairs of two; length 1 and 2. */
    for (unsigned dws = 1; dws <= 2; dws++) {
        for (unsigned be = 0; be < (dws == 1 ? 16u : 256u); be++) {
            struct tlp *read, *cpl;
            unsigned first = 0, last = 0;
            bool any = false;

            if (dws == 2 && (!(be & 0xf) || !(be >> 4)))
                continue;
            read = tlp_new(bench.pool, TLP_MRD, 0);
            read->addr = 0x2000;
            read->length_dw = (uint16_t)dws;
            read->first_be = be & 0xf;
            read->last_be = (uint8_t)(be >> 4);
            memset(bench.touched, 0, sizeof(bench.touched));
            completer_access(&bench.completer, read);
            for (unsigned i = 0; i < dws * 4; i++) {
                if (be >> i & 1) {
                    first = any ? first : i;
                    last = i;
                    any = true;
                }
                ck_assert_int_eq(bench.touched[0x2000 + i], be >> i & 1);
            }
            cpl = tlp_queue_pop(&bench.sent);
            ck_assert_ptr_nonnull(cpl);
            ck_assert_ptr_null(bench.sent.first);
            ck_assert_uint_eq(cpl->type, TLP_CPLD);
            ck_assert_uint_eq(cpl->byte_count, any ? last - first + 1 : 1);
            ck_assert_uint_eq(cpl->lower_addr, first);
            for (unsigned i = first; any && i <= last; i++)
                ck_assert_uint_eq(cpl->data[i - first / 4 * 4],
                                  be >> i & 1 ? bench.memory[0x2000 + i] : 0);
            tlp_free(cpl);
        }
    }
    bench_fini(&bench);
}
END_TEST

START_TEST(test_writes)
{
    struct bench bench;
    uint8_t want[MEMORY_BYTES];
    struct sim_rng rng;

    bench_init(&bench);
    sim_rng_init(&rng, 6, "writes");
    memcpy(want, bench.memory, sizeof(want));
    for (unsigned i = 0; i < 4000; i++) {
        bool holes = i % 3 == 0;
        unsigned len = holes ? 0 : (unsigned)sim_rng_below(&rng, 512) + 1;
        uint64_t addr = sim_rng_below(&rng, 4096 - len + 1) + 0x1000;
        unsigned dws = holes ? 2 : (unsigned)((addr & 3) + len + 3) / 4;
        struct tlp *tlp = tlp_new(bench.pool, TLP_MWR, dws);

        if (holes) {
            tlp->addr = addr & 0x3ff8;
            tlp->first_be = (uint8_t)sim_rng_below(&rng, 15) + 1;
            tlp->last_be = (uint8_t)sim_rng_below(&rng, 15) + 1;
        } else {
            tlp_set_span(tlp, addr, len);
        }
        sim_rng_fill(&rng, tlp->data, dws * 4);
        for (unsigned at = 0; at < dws * 4; at++) {
            if (tlp_byte_enabled(tlp, tlp->addr + at))
                want[tlp->addr + at] = tlp->data[at];
        }
        completer_access(&bench.completer, tlp);
        ck_assert_ptr_null(bench.sent.first);
        ck_assert_mem_eq(bench.memory, want, sizeof(want));
    }
    bench_fini(&bench);
}
END_TEST

START_TEST(test_io)
{
    struct bench bench;
    struct tlp *tlp, *cpl;

    bench_init(&bench);
    tlp = tlp_new(bench.pool, TLP_IOWR, 1);
    tlp_set_span(tlp, 0x101, 2);
    memcpy(tlp->data, "\x11\x22\x33\x44", 4);
    completer_access(&bench.completer, tlp);
    ck_assert_uint_eq(bench.memory[0x101], 0x22);
    ck_assert_uint_eq(bench.memory[0x102], 0x33);
    ck_assert_uint_ne(bench.memory[0x103], 0x44);
    cpl = tlp_queue_pop(&bench.sent);
    ck_assert_uint_eq(cpl->type, TLP_CPL);
    ck_assert_uint_eq(cpl->status, TLP_SC);
    ck_assert_uint_eq(cpl->byte_count, 4);
    tlp_free(cpl);
    tlp = tlp_new(bench.pool, TLP_IORD, 0);
    tlp_set_span(tlp, 0x102, 1);
    memset(bench.touched, 0, sizeof(bench.touched));
    completer_access(&bench.completer, tlp);
    cpl = tlp_queue_pop(&bench.sent);
    ck_assert_uint_eq(cpl->type, TLP_CPLD);
    ck_assert_uint_eq(cpl->byte_count, 4);
    ck_assert_uint_eq(cpl->lower_addr, 0);
    ck_assert_uint_eq(cpl->data[2], 0x33);
    ck_assert(!bench.touched[0x103]);
    tlp_free(cpl);
    bench_fini(&bench);
}
END_TEST

START_TEST(test_failures)
{
    struct bench bench;
    struct tlp *tlp, *cpl;
    unsigned before;

    bench_init(&bench);
    /* A read that fails in the middle: data first, then the status with what is left. */
    bench.fail_at = 0x1100;
    completer_access(&bench.completer, make_read(&bench, 0x1010, 0x200));
    for (before = 0; (cpl = tlp_queue_pop(&bench.sent))->type == TLP_CPLD; before++)
        tlp_free(cpl);
    ck_assert_uint_ge(before, 1);
    ck_assert_uint_eq(cpl->status, TLP_CA);
    ck_assert_uint_eq(cpl->byte_count, 0x110);
    ck_assert_ptr_null(bench.sent.first);
    tlp_free(cpl);
    /* A posted write that fails says nothing. */
    tlp = tlp_new(bench.pool, TLP_MWR, 1);
    tlp_set_span(tlp, 0x1100, 4);
    completer_access(&bench.completer, tlp);
    ck_assert_ptr_null(bench.sent.first);
    /* Poison modifies nothing; a locked read is not supported. */
    tlp = tlp_new(bench.pool, TLP_IOWR, 1);
    tlp_set_span(tlp, 0x20, 4);
    tlp->ep = true;
    bench.memory[0x20] = 0x5a;
    completer_access(&bench.completer, tlp);
    ck_assert_uint_eq(bench.memory[0x20], 0x5a);
    cpl = tlp_queue_pop(&bench.sent);
    ck_assert_uint_eq(cpl->status, TLP_UR);
    tlp_free(cpl);
    tlp = tlp_new(bench.pool, TLP_MRDLK, 0);
    tlp_set_span(tlp, 0x24, 8);
    completer_access(&bench.completer, tlp);
    cpl = tlp_queue_pop(&bench.sent);
    ck_assert_uint_eq(cpl->status, TLP_UR);
    ck_assert_uint_eq(cpl->byte_count, 8);
    ck_assert_uint_eq(cpl->lower_addr, 0x24);
    tlp_free(cpl);
    bench_fini(&bench);
}
END_TEST

static void join_done(void *owner, void *cookie, enum requester_result result)
{
    ck_assert_int_eq(result, REQUESTER_OK);
    ++*(unsigned *)cookie;
}

START_TEST(test_completer_and_requester_agree)
{
    struct bench bench;
    struct requester req;
    struct sim_rng rng;
    uint8_t buf[4096];
    unsigned dones = 0;

    bench_init(&bench);
    requester_init(&req, &(struct requester_params){.sim = &bench.sim,
                                                    .trace = &bench.trace,
                                                    .name = "requester",
                                                    .done = join_done,
                                                    .owner = &bench});
    sim_rng_init(&rng, 7, "join");
    for (unsigned i = 0; i < 3000; i++) {
        unsigned len = (unsigned)sim_rng_below(&rng, i % 2 ? 16 : 4096) + 1;
        uint64_t addr = sim_rng_below(&rng, 4096 - len + 1) + 0x2000;
        struct tlp *tlp = make_read(&bench, addr, len), *cpl;

        bench.completer.max_payload_bytes = 128u << sim_rng_below(&rng, 6);
        bench.completer.boundary_bytes = 64u << sim_rng_below(&rng, 2);
        memset(buf, 0, sizeof(buf));
        memset(bench.touched, 0, sizeof(bench.touched));
        ck_assert(requester_start(&req, tlp, NULL, buf, &dones));
        completer_access(&bench.completer, tlp);
        ck_assert_uint_eq(dones, i);
        while ((cpl = tlp_queue_pop(&bench.sent)))
            requester_complete(&req, cpl, NULL);
        ck_assert_uint_eq(dones, i + 1);
        ck_assert_mem_eq(buf, bench.memory + addr, len);
    }
    requester_fini(&req);
    bench_fini(&bench);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("completer");
    TCase *tc = tcase_create("completer");

    tcase_add_test(tc, test_reads_of_every_kind);
    tcase_add_test(tc, test_byte_enables);
    tcase_add_test(tc, test_writes);
    tcase_add_test(tc, test_io);
    tcase_add_test(tc, test_failures);
    tcase_add_test(tc, test_completer_and_requester_agree);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
