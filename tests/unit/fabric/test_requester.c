/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requesters: tags, matching of completions, timeouts. */
#include <string.h>

#include "pcilab/fabric/requester.h"
#include "pcilab/pci/config.h"
#include "rig.h"

#define NOTED_MAX 512

struct bench {
    struct sim sim;
    struct trace trace;
    struct trace_sink sink;
    unsigned rules;
    struct tlp_pool *pool;
    struct requester req;
    struct {
        void *cookie;
        enum requester_result result;
    } noted[NOTED_MAX];
    unsigned count;
};

static void bench_done(void *owner, void *cookie, enum requester_result result)
{
    struct bench *bench = owner;

    ck_assert_uint_lt(bench->count, NOTED_MAX);
    bench->noted[bench->count].cookie = cookie;
    bench->noted[bench->count++].result = result;
}

static void bench_hear(struct trace_sink *sink, const struct trace_event *event)
{
    CONTAINER_OF(sink, struct bench, sink)->rules++;
}

static void bench_init(struct bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    sim_init(&bench->sim, 1);
    bench->trace.now_ps = &bench->sim.now_ps;
    bench->sink = (struct trace_sink){.emit = bench_hear, .kinds = BIT(TRACE_RULE)};
    trace_add_sink(&bench->trace, &bench->sink);
    bench->pool = tlp_pool_new();
    requester_init(&bench->req, &(struct requester_params){.sim = &bench->sim,
                                                           .trace = &bench->trace,
                                                           .name = "requester",
                                                           .done = bench_done,
                                                           .owner = bench});
}

static void bench_fini(struct bench *bench)
{
    requester_fini(&bench->req);
    ck_assert_uint_eq(tlp_pool_live(bench->pool), 0);
    tlp_pool_free(bench->pool);
    trace_remove_sink(&bench->trace, &bench->sink);
    sim_fini(&bench->sim);
}

/* A request that was sent; the caller frees it. */
static struct tlp *start_read(struct bench *bench, uint64_t addr, unsigned len, uint8_t *buf)
{
    struct tlp *tlp = tlp_new(bench->pool, TLP_MRD, 0);

    tlp_set_span(tlp, addr, len);
    ck_assert(requester_start(&bench->req, tlp, NULL, buf, buf));
    return tlp;
}

static struct tlp *answer(struct bench *bench, const struct tlp *request, unsigned from,
                          unsigned len)
{
    uint64_t addr;
    unsigned total;
    struct tlp *cpl;

    ck_assert(tlp_span(request, &addr, &total));
    cpl = tlp_new_completion(request, (struct pci_rid){0x100}, TLP_SC,
                             (unsigned)(((addr + from) & 3) + len + 3) / 4);
    cpl->byte_count = (uint16_t)(total - from);
    cpl->lower_addr = (addr + from) & 0x7f;
    for (unsigned i = 0; i < len; i++)
        cpl->data[((addr + from) & 3) + i] = (uint8_t)(from + i);
    return cpl;
}

START_TEST(test_split_read)
{
    struct bench bench;
    struct tlp *request;
    uint8_t buf[300] = {0};

    bench_init(&bench);
    request = start_read(&bench, 0x1003, 300, buf);
    requester_complete(&bench.req, answer(&bench, request, 0, 0x7d), NULL);
    ck_assert_uint_eq(bench.count, 0);
    requester_complete(&bench.req, answer(&bench, request, 0x7d, 0x80), NULL);
    requester_complete(&bench.req, answer(&bench, request, 0xfd, 300 - 0xfd), NULL);
    ck_assert_uint_eq(bench.count, 1);
    ck_assert_int_eq(bench.noted[0].result, REQUESTER_OK);
    ck_assert_ptr_eq(bench.noted[0].cookie, buf);
    for (unsigned i = 0; i < 300; i++)
        ck_assert_uint_eq(buf[i], (uint8_t)i);
    ck_assert_uint_eq(bench.rules, 0);
    /* What comes on top is unexpected. */
    requester_complete(&bench.req, answer(&bench, request, 0, 4), NULL);
    ck_assert_uint_eq(bench.count, 1);
    ck_assert_uint_eq(bench.rules, 1);
    tlp_free(request);
    bench_fini(&bench);
}
END_TEST

START_TEST(test_wrong_completions_are_not_taken)
{
    struct bench bench;
    struct tlp *request, *cpl;
    uint8_t buf[64] = {0};

    bench_init(&bench);
    request = start_read(&bench, 0x1000, 64, buf);
    cpl = answer(&bench, request, 0, 64);
    cpl->byte_count = 60;
    requester_complete(&bench.req, cpl, NULL);
    cpl = answer(&bench, request, 0, 64);
    cpl->lower_addr = 4;
    requester_complete(&bench.req, cpl, NULL);
    cpl = answer(&bench, request, 0, 64);
    cpl->tc = 3;
    requester_complete(&bench.req, cpl, NULL);
    cpl = answer(&bench, request, 0, 64);
    cpl->tag = 200;
    requester_complete(&bench.req, cpl, NULL);
    cpl = tlp_new_completion(request, (struct pci_rid){0x100}, TLP_SC, 0); /* no data */
    requester_complete(&bench.req, cpl, NULL);
    cpl = tlp_new_completion(request, (struct pci_rid){0x100}, TLP_RRS, 0);
    requester_complete(&bench.req, cpl, NULL);
    cpl = answer(&bench, request, 0, 64);
    tlp_free(cpl);
    cpl = tlp_new_completion(request, (struct pci_rid){0x100}, TLP_SC, 20); /* too long */
    requester_complete(&bench.req, cpl, NULL);
    ck_assert_uint_eq(bench.count, 0);
    ck_assert_uint_eq(bench.rules, 7);
    for (unsigned i = 0; i < 64; i++)
        ck_assert_uint_eq(buf[i], 0);
    requester_complete(&bench.req, answer(&bench, request, 0, 64), NULL);
    ck_assert_int_eq(bench.noted[0].result, REQUESTER_OK);
    tlp_free(request);
    bench_fini(&bench);
}
END_TEST

START_TEST(test_statuses)
{
    static const struct {
        enum tlp_status status;
        enum requester_result result;
    } cases[] = {{TLP_UR, REQUESTER_UR}, {TLP_CA, REQUESTER_CA}, {3, REQUESTER_UR}};
    struct bench bench;
    uint8_t buf[8];

    bench_init(&bench);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct tlp *request = start_read(&bench, 0x1000, 8, buf);

        requester_complete(
            &bench.req, tlp_new_completion(request, (struct pci_rid){0}, cases[i].status, 0), NULL);
        ck_assert_uint_eq(bench.count, i + 1);
        ck_assert_int_eq(bench.noted[i].result, cases[i].result);
        tlp_free(request);
    }
    ck_assert_uint_eq(bench.req.outstanding, 0);
    bench_fini(&bench);
}
END_TEST

START_TEST(test_poison_waits_for_the_rest)
{
    struct bench bench;
    struct tlp *request, *cpl;
    uint8_t buf[256];

    memset(buf, 0xee, sizeof(buf));
    bench_init(&bench);
    request = start_read(&bench, 0x1000, 256, buf);
    cpl = answer(&bench, request, 0, 128);
    cpl->ep = true;
    requester_complete(&bench.req, cpl, NULL);
    ck_assert_uint_eq(bench.count, 0);
    requester_complete(&bench.req, answer(&bench, request, 128, 128), NULL);
    ck_assert_int_eq(bench.noted[0].result, REQUESTER_POISONED);
    ck_assert_uint_eq(buf[0], 0xee); /* poison is not used */
    tlp_free(request);
    bench_fini(&bench);
}
END_TEST

START_TEST(test_tags_run_out_and_go_round)
{
    struct bench bench;
    struct tlp *request[REQUESTER_TAGS_8BIT], *more;
    bool seen[REQUESTER_TAGS_8BIT] = {false};
    uint8_t buf[4];

    bench_init(&bench);
    for (unsigned i = 0; i < REQUESTER_TAGS_8BIT; i++) {
        request[i] = start_read(&bench, 0x1000, 4, buf);
        ck_assert_uint_lt(request[i]->tag, REQUESTER_TAGS_8BIT);
        ck_assert(!seen[request[i]->tag]);
        seen[request[i]->tag] = true;
    }
    ck_assert(!requester_has_tag(&bench.req, NULL));
    more = tlp_new(bench.pool, TLP_MRD, 0);
    tlp_set_span(more, 0, 4);
    ck_assert(!requester_start(&bench.req, more, NULL, buf, NULL));
    /* Any of them free again is found, wherever the search starts. */
    for (unsigned i = 0; i < REQUESTER_TAGS_8BIT; i += 37) {
        requester_complete(&bench.req, answer(&bench, request[i], 0, 4), NULL);
        ck_assert(requester_start(&bench.req, more, NULL, buf, NULL));
        ck_assert_uint_eq(more->tag, request[i]->tag);
    }
    requester_forget_all(&bench.req);
    /* A tag is not used again at once. */
    ck_assert(requester_start(&bench.req, more, NULL, buf, NULL));
    request[0]->tag = more->tag;
    requester_complete(&bench.req, answer(&bench, request[0], 0, 4), NULL);
    ck_assert(requester_start(&bench.req, more, NULL, buf, NULL));
    ck_assert_uint_ne(more->tag, request[0]->tag);
    requester_forget_all(&bench.req);
    for (unsigned i = 0; i < REQUESTER_TAGS_8BIT; i++)
        tlp_free(request[i]);
    tlp_free(more);
    bench_fini(&bench);
}
END_TEST

/* 2.2.6.2: 768 tags, none of which an 8-bit completer could have. */
START_TEST(test_ten_bit_tags)
{
    const struct pci_ids ids = {.vendor = 0x1556, .device = 0x1112, .class_code = 0xff0000};
    const struct pcie_params pcie = {
        .type = PCIE_ENDPOINT, .max_speed = 4, .max_width = 4, .max_payload_bytes = 128};
    struct pci_func *func =
        pci_func_new("ep", PCI_HEADER_TYPE0, &ids, &(struct pci_func_ops){0}, NULL);
    struct tlp *request[REQUESTER_TAGS - REQUESTER_TAGS_8BIT];
    bool seen[REQUESTER_TAGS] = {false};
    struct bench bench;
    uint8_t buf[4];

    bench_init(&bench);
    pci_cap_pcie_add(func, &pcie);
    ck_assert_uint_ne(reg_get(func->cfg, func->cap_pcie + PCIE_DEVCAP2) & PCIE_DEVCAP2_10BIT_REQ,
                      0);
    pci_func_config_write(func, func->cap_pcie + PCIE_DEVCTL2, 2, PCIE_DEVCTL2_10BIT_REQ);
    for (unsigned i = 0; i < ARRAY_LEN(request); i++) {
        request[i] = tlp_new(bench.pool, TLP_MRD, 0);
        tlp_set_span(request[i], 0x1000, 4);
        ck_assert(requester_start(&bench.req, request[i], func, buf, buf));
        ck_assert_uint_ge(request[i]->tag, REQUESTER_TAGS_8BIT);
        ck_assert_uint_lt(request[i]->tag, REQUESTER_TAGS);
        ck_assert(!seen[request[i]->tag]);
        seen[request[i]->tag] = true;
    }
    ck_assert(!requester_has_tag(&bench.req, func));
    requester_complete(&bench.req, answer(&bench, request[700], 0, 4), func);
    ck_assert_uint_eq(bench.count, 1);
    ck_assert(requester_has_tag(&bench.req, func));
    /* Others have theirs all the same. */
    pci_func_config_write(func, func->cap_pcie + PCIE_DEVCTL2, 2, 0);
    pci_func_config_write(func, func->cap_pcie + PCIE_DEVCTL, 2, 0);
    ck_assert(requester_start(&bench.req, request[700], func, buf, buf));
    ck_assert_uint_lt(request[700]->tag, 32);
    requester_forget_all(&bench.req);
    for (unsigned i = 0; i < ARRAY_LEN(request); i++)
        tlp_free(request[i]);
    pci_func_free(func);
    bench_fini(&bench);
}
END_TEST

START_TEST(test_timeout)
{
    struct bench bench;
    struct tlp *first, *second, *third;
    uint8_t buf[3][4];

    bench_init(&bench);
    ck_assert_uint_eq(requester_timeout_ps(NULL), 50 * PS_PER_MS);
    first = start_read(&bench, 0x1000, 4, buf[0]);
    sim_run_until(&bench.sim, 10 * PS_PER_MS);
    second = start_read(&bench, 0x2000, 4, buf[1]);
    third = start_read(&bench, 0x3000, 4, buf[2]);
    sim_run_until(&bench.sim, 50 * PS_PER_MS - 1);
    ck_assert_uint_eq(bench.count, 0);
    sim_run_until(&bench.sim, 50 * PS_PER_MS);
    ck_assert_uint_eq(bench.count, 1);
    ck_assert_int_eq(bench.noted[0].result, REQUESTER_TIMEOUT);
    ck_assert_ptr_eq(bench.noted[0].cookie, buf[0]);
    requester_complete(&bench.req, answer(&bench, second, 0, 4), NULL);
    ck_assert_uint_eq(bench.count, 2);
    sim_run_until(&bench.sim, 60 * PS_PER_MS);
    ck_assert_uint_eq(bench.count, 3);
    ck_assert_ptr_eq(bench.noted[2].cookie, buf[2]);
    ck_assert_int_eq(bench.noted[2].result, REQUESTER_TIMEOUT);
    /* Too late. */
    requester_complete(&bench.req, answer(&bench, third, 0, 4), NULL);
    ck_assert_uint_eq(bench.count, 3);
    ck_assert_uint_eq(sim_next_ps(&bench.sim), SIM_NEVER);
    tlp_free(first);
    tlp_free(second);
    tlp_free(third);
    bench_fini(&bench);
}
END_TEST

START_TEST(test_zero_length_read)
{
    struct bench bench;
    struct tlp *request = NULL, *cpl;
    uint8_t buf[4] = {0x11, 0x22, 0x33, 0x44};

    bench_init(&bench);
    request = tlp_new(bench.pool, TLP_MRD, 0);
    request->addr = 0x1004;
    request->length_dw = 1;
    ck_assert(requester_start(&bench.req, request, NULL, buf, buf));
    cpl = tlp_new_completion(request, (struct pci_rid){0}, TLP_SC, 1);
    ck_assert_uint_eq(cpl->byte_count, 1);
    requester_complete(&bench.req, cpl, NULL);
    ck_assert_uint_eq(bench.count, 1);
    ck_assert_int_eq(bench.noted[0].result, REQUESTER_OK);
    ck_assert_uint_eq(buf[0], 0x11);
    tlp_free(request);
    bench_fini(&bench);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("requester");
    TCase *tc = tcase_create("requester");

    tcase_add_test(tc, test_split_read);
    tcase_add_test(tc, test_wrong_completions_are_not_taken);
    tcase_add_test(tc, test_statuses);
    tcase_add_test(tc, test_poison_waits_for_the_rest);
    tcase_add_test(tc, test_tags_run_out_and_go_round);
    tcase_add_test(tc, test_ten_bit_tags);
    tcase_add_test(tc, test_timeout);
    tcase_add_test(tc, test_zero_length_read);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
