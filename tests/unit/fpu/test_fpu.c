/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x87, MMX, SSE and SSE2: that every instruction is known, that random ones do what the host's
 * processor does, and what single random instructions do not reach.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../hw/cpu/fpu.h"
#include "../../cpu/diff.h"
#include "../../cpu/direct.h"

/* ---- The tables ---- */

/* First and last opcodes of runs: SDM volume 2, appendix A, tables A-3; up to SSE2. */
struct run {
    uint8_t first, last;
};

static const struct run runs_none[] = {
    {0x10, 0x17}, {0x28, 0x2F}, {0x50, 0x5F}, {0x60, 0x6B}, {0x6E, 0x70},
    {0x74, 0x77}, {0x7E, 0x7F}, {0xC2, 0xC2}, {0xC4, 0xC6}, {0xD1, 0xD5},
    {0xD7, 0xE5}, {0xE7, 0xEF}, {0xF1, 0xFE}, {0, 0},
};
static const struct run runs_66[] = {
    {0x10, 0x17}, {0x28, 0x2F}, {0x50, 0x51}, {0x54, 0x70}, {0x74, 0x76}, {0x7E, 0x7F},
    {0xC2, 0xC2}, {0xC4, 0xC6}, {0xD1, 0xEF}, {0xF1, 0xFE}, {0, 0},
};
static const struct run runs_f3[] = {
    {0x10, 0x11}, {0x2A, 0x2A}, {0x2C, 0x2D}, {0x51, 0x53}, {0x58, 0x5F}, {0x6F, 0x70},
    {0x7E, 0x7F}, {0xC2, 0xC2}, {0xD6, 0xD6}, {0xE6, 0xE6}, {0, 0},
};
static const struct run runs_f2[] = {
    {0x10, 0x11}, {0x2A, 0x2A}, {0x2C, 0x2D}, {0x51, 0x51}, {0x58, 0x5A}, {0x5C, 0x5F},
    {0x70, 0x70}, {0xC2, 0xC2}, {0xD6, 0xD6}, {0xE6, 0xE6}, {0, 0},
};

static bool in_runs(const struct run *run, unsigned opcode)
{
    for (; run->first; run++) {
        if (opcode >= run->first && opcode <= run->last)
            return true;
    }
    return false;
}

/* Either form, with or without REX.W. */
static bool known(unsigned prefix, unsigned opcode, unsigned reg)
{
    for (unsigned w = 0; w < 2; w++) {
        for (unsigned mod = 0; mod < 2; mod++) {
            uint8_t modrm = (uint8_t)((mod ? 0xC0 : 0) | reg << 3);
            const struct fpu_simd_op *op = fpu_simd_lookup(prefix, (uint8_t)opcode, modrm, w);
            if (op && (mod ? op->fn_reg : op->fn_mem))
                return true;
        }
    }
    return false;
}

START_TEST(test_simd_complete)
{
    static const struct run *const runs[4] = {runs_none, runs_66, runs_f3, runs_f2};

    for (unsigned prefix = 0; prefix < 4; prefix++) {
        for (unsigned opcode = 0; opcode < 256; opcode++) {
            if ((opcode >= 0x71 && opcode <= 0x73) || opcode == 0xAE)
                continue; /* groups: below */
            ck_assert_msg(known(prefix, opcode, 0) == in_runs(runs[prefix], opcode),
                          "prefix %u opcode %02x", prefix, opcode);
        }
    }
}
END_TEST

START_TEST(test_simd_groups)
{
    /* Shifts by an immediate: bit n is ModRM.reg n. */
    static const uint8_t none[3] = {0x54, 0x54, 0x44}, p66[3] = {0x54, 0x54, 0xCC};

    for (unsigned i = 0; i < 3; i++) {
        for (unsigned reg = 0; reg < 8; reg++) {
            ck_assert_int_eq(known(FPU_PFX_NONE, 0x71 + i, reg), none[i] >> reg & 1);
            ck_assert_int_eq(known(FPU_PFX_66, 0x71 + i, reg), p66[i] >> reg & 1);
        }
    }
    for (unsigned reg = 0; reg < 8; reg++)
        ck_assert_int_eq(known(FPU_PFX_NONE, 0xAE, reg), reg == 2 || reg == 3);
}
END_TEST

/* What a descriptor says must fit together. */
START_TEST(test_simd_descriptors)
{
    for (unsigned prefix = 0; prefix < 4; prefix++) {
        for (unsigned at = 0; at < 256 * 256; at++) {
            const struct fpu_simd_op *op =
                fpu_simd_lookup(prefix, (uint8_t)(at >> 8), (uint8_t)at, false);
            if (!op)
                continue;
            if (op->fn_mem)
                ck_assert(op->mem_bytes >= 2 && op->mem_bytes <= 16);
            if (op->flags & FPU_SIMD_ALIGN16)
                ck_assert_int_eq(op->mem_bytes, 16);
            if (op->reg_kind == FPU_MM || (op->rm_kind == FPU_MM && op->fn_reg))
                ck_assert(op->flags & FPU_SIMD_MMX);
        }
    }
}
END_TEST

START_TEST(test_x87_complete)
{
    unsigned count[8] = {0};

    for (unsigned opcode = 0xD8; opcode <= 0xDF; opcode++) {
        for (unsigned modrm = 0xC0; modrm < 0x100; modrm++)
            count[opcode - 0xD8] += fpu_x87_lookup((uint8_t)opcode, (uint8_t)modrm, 0) != NULL;
    }
    ck_assert_uint_eq(count[0], 64);
    ck_assert_uint_eq(count[1], 8 + 8 + 1 + 8 + 4 + 7 + 16);
    ck_assert_uint_eq(count[2], 32 + 1);
    ck_assert_uint_eq(count[3], 32 + 5 + 16);
    ck_assert_uint_eq(count[4], 64);
    ck_assert_uint_eq(count[5], 48);
    ck_assert_uint_eq(count[6], 24 + 1 + 32);
    ck_assert_uint_eq(count[7], 32 + 1 + 16);
    /* FISTTP came with SSE3. */
    ck_assert_ptr_null(fpu_x87_lookup(0xDB, 0x08, 0));
    ck_assert_ptr_null(fpu_x87_lookup(0xDD, 0x08, 0));
    ck_assert_ptr_null(fpu_x87_lookup(0xDF, 0x08, 0));
    ck_assert_uint_eq(fpu_x87_lookup(0xDD, 0x30, FPU_ENV_PROT32)->mem_bytes, 108);
    ck_assert_uint_eq(fpu_x87_lookup(0xDD, 0x30, FPU_ENV_REAL16)->mem_bytes, 94);
    ck_assert_uint_eq(fpu_x87_lookup(0xD9, 0x30, FPU_ENV_PROT16)->mem_bytes, 14);
    ck_assert_uint_eq(fpu_x87_lookup(0xD9, 0x20, FPU_ENV_REAL32)->mem_bytes, 28);
}
END_TEST

/* ---- Against the host ---- */

static void against_host(const char *group)
{
    static struct diff_case c;
    static struct diff_result host, ours;
    static bool ready;
    struct direct *direct = direct_new();
    unsigned compared = 0;

    if (!ready && !native_init()) {
        direct_free(direct);
        return; /* the addresses are taken: tests/cpu says so */
    }
    ready = true;
    for (uint64_t i = 0; i < 60000; i++) {
        diff_generate(2, i, group, &c);
        direct_run(direct, &c, &ours);
        if (ours.vector == DIRECT_SKIPPED)
            continue;
        native_run(&c, &host);
        compared++;
        if (!diff_compare(&c, &host, native_data(), &ours, direct_data(direct), NULL)) {
            diff_print_case(&c, stdout);
            diff_compare(&c, &host, native_data(), &ours, direct_data(direct), stdout);
            ck_abort_msg("case %lu of %s differs", i, group);
        }
    }
    ck_assert_uint_gt(compared, 50000);
    direct_free(direct);
}

START_TEST(test_mmx_against_host)
{
    against_host("mmx");
}
END_TEST

START_TEST(test_sse_against_host)
{
    against_host("sse");
}
END_TEST

START_TEST(test_x87_against_host)
{
    against_host("x87");
}
END_TEST

/* ---- Sequences ---- */

static uint32_t x87(struct fpu *fpu, unsigned opcode, unsigned modrm, void *mem)
{
    const struct fpu_x87_op *op = fpu_x87_lookup((uint8_t)opcode, (uint8_t)modrm, FPU_ENV_PROT32);

    ck_assert_ptr_nonnull(op);
    return fpu_x87_execute(fpu, op, mem, (opcode & 7) << 8 | modrm);
}

/* A division by zero, unmasked: nothing is stored; the environment tells where it was. */
START_TEST(test_environment_after_fault)
{
    struct fpu fpu;
    uint16_t fcw = 0x037B;
    double zero = 0.0;
    uint32_t env[7];

    fpu_reset(&fpu);
    x87(&fpu, 0xDB, 0xE3, NULL); /* FNINIT */
    x87(&fpu, 0xD9, 0x28, &fcw); /* FLDCW */
    fpu.insn_ip = 0x1000;
    x87(&fpu, 0xD9, 0xE8, NULL); /* FLD1 */
    ck_assert_uint_eq(fpu.ctl.fip, 0x1000);
    fpu.insn_ip = 0x1234;
    fpu.insn_dp = 0x5678;
    ck_assert(!fpu_mf_pending(&fpu));
    ck_assert_uint_eq(x87(&fpu, 0xDC, 0x30, &zero), FPU_OK); /* FDIV m64 */
    ck_assert(fpu_mf_pending(&fpu));
    ck_assert_uint_eq(fpu.st[7].mantissa, 0x8000000000000000);
    ck_assert_uint_eq(fpu.st[7].sign_exp, 0x3FFF);

    x87(&fpu, 0xD9, 0x30, env); /* FNSTENV */
    ck_assert_uint_eq(env[0], 0xFFFF037B);
    ck_assert_uint_eq(env[1], 0xFFFFB884); /* B, TOP 7, ES, ZE */
    ck_assert_uint_eq(env[2], 0xFFFF3FFF);
    ck_assert_uint_eq(env[3], 0x1234);
    ck_assert_uint_eq(env[4], 0x04300000);
    ck_assert_uint_eq(env[5], 0x5678);
    /* It masks everything, and so nothing is pending until the environment comes back. */
    ck_assert(!fpu_mf_pending(&fpu));
    ck_assert_uint_eq(fpu.ctl.fcw, 0x037F);
    x87(&fpu, 0xD9, 0x20, env); /* FLDENV */
    ck_assert(fpu_mf_pending(&fpu));
    x87(&fpu, 0xDB, 0xE2, NULL); /* FNCLEX */
    ck_assert(!fpu_mf_pending(&fpu));
}
END_TEST

/* Real-mode images hold linear addresses in two parts. */
START_TEST(test_environment_real_mode)
{
    struct fpu fpu;
    uint8_t image[28];

    fpu_reset(&fpu);
    x87(&fpu, 0xDB, 0xE3, NULL);
    fpu.ctl.fip = 0x54321;
    fpu.ctl.fdp = 0x98765;
    fpu.ctl.fop = 0x123;
    for (int wide = 0; wide < 2; wide++) {
        enum fpu_env env = wide ? FPU_ENV_REAL32 : FPU_ENV_REAL16;
        struct fpu back;
        fpu_reset(&back);
        memset(image, 0, sizeof(image));
        struct fpu copy = fpu;
        fpu_x87_execute(&copy, fpu_x87_lookup(0xD9, 0x30, env), image, 0x130);
        fpu_x87_execute(&back, fpu_x87_lookup(0xD9, 0x20, env), image, 0x120);
        ck_assert_uint_eq(back.ctl.fip, 0x54321);
        ck_assert_uint_eq(back.ctl.fdp, 0x98765);
        ck_assert_uint_eq(back.ctl.fop, 0x123);
    }
}
END_TEST

START_TEST(test_fnsave_frstor)
{
    struct fpu fpu, before;
    uint8_t image[108];

    fpu_reset(&fpu);
    x87(&fpu, 0xDB, 0xE3, NULL);
    for (unsigned i = 0; i < 5; i++)
        x87(&fpu, 0xD9, 0xE8 + i, NULL);
    before = fpu;
    x87(&fpu, 0xDD, 0x30, image);
    ck_assert_uint_eq(fpu.ctl.fsw, 0);
    ck_assert_uint_eq(fpu.ctl.ftw, 0);
    memset(fpu.st, 0xEE, sizeof(fpu.st));
    for (unsigned i = 0; i < 8; i++)
        memset(fpu.st[i].pad, 0, sizeof(fpu.st[i].pad));
    x87(&fpu, 0xDD, 0x20, image);
    ck_assert_mem_eq(&fpu.ctl, &before.ctl, sizeof(fpu.ctl));
    ck_assert_mem_eq(fpu.st, before.st, sizeof(fpu.st));
}
END_TEST

START_TEST(test_fxsave_forms)
{
    struct fpu fpu, back;
    uint8_t image[512] __attribute__((aligned(16)));

    fpu_reset(&fpu);
    x87(&fpu, 0xDB, 0xE3, NULL);
    x87(&fpu, 0xD9, 0xEB, NULL);
    fpu.ctl.fip = 0x123456789ABC;
    fpu.xmm[9].q[1] = 0x1122334455667788;
    fpu.mxcsr = 0x1FA0;
    memset(image, 0xCC, sizeof(image));
    fpu_fxsave(&fpu, image, FPU_FX_64);
    for (unsigned i = 416; i < 512; i++)
        ck_assert_uint_eq(image[i], 0xCC);
    fpu_reset(&back);
    ck_assert_uint_eq(fpu_fxrstor(&back, image, FPU_FX_64), FPU_OK);
    ck_assert_mem_eq(&back, &fpu, offsetof(struct fpu, eflags));

    /* The short form: 32-bit pointers, eight registers. */
    memset(image, 0xCC, sizeof(image));
    fpu_fxsave(&fpu, image, FPU_FX_LEGACY);
    for (unsigned i = 288; i < 512; i++)
        ck_assert_uint_eq(image[i], 0xCC);
    fpu_fxrstor(&back, image, FPU_FX_LEGACY);
    ck_assert_uint_eq(back.ctl.fip, 0x56789ABC);
    ck_assert_uint_eq(back.xmm[9].q[1], 0x1122334455667788);

    image[27] = 1; /* a reserved bit of MXCSR */
    struct fpu unchanged = back;
    ck_assert_uint_eq(fpu_fxrstor(&back, image, FPU_FX_64), FPU_GP);
    ck_assert_mem_eq(&back, &unchanged, sizeof(back));
}
END_TEST

/* Transcendental functions at values whose results are known to the last bit. */
START_TEST(test_transcendentals)
{
    struct fpu fpu;
    double half = 0.5, three = 3.0;

    fpu_reset(&fpu);
    x87(&fpu, 0xDB, 0xE3, NULL);
    x87(&fpu, 0xD9, 0xE8, NULL);
    x87(&fpu, 0xD9, 0xE8, NULL);
    x87(&fpu, 0xD9, 0xF3, NULL); /* FPATAN(1, 1): pi / 4 */
    ck_assert_uint_eq(fpu.st[7].mantissa, 0xC90FDAA22168C235);
    ck_assert_uint_eq(fpu.st[7].sign_exp, 0x3FFE);

    x87(&fpu, 0xDB, 0xE3, NULL);
    x87(&fpu, 0xDD, 0x00, &half);
    x87(&fpu, 0xD9, 0xF0, NULL); /* F2XM1: sqrt(2) - 1 = 0.41421356237309504880 */
    ck_assert_uint_eq(fpu.st[7].mantissa, 0xD413CCCFE7799211);
    ck_assert_uint_eq(fpu.st[7].sign_exp, 0x3FFD);

    x87(&fpu, 0xDB, 0xE3, NULL);
    x87(&fpu, 0xD9, 0xE8, NULL);
    x87(&fpu, 0xDD, 0x00, &three);
    x87(&fpu, 0xD9, 0xF1, NULL); /* FYL2X: log2(3) = 1.5849625007211561815 */
    ck_assert_uint_eq(fpu.st[7].mantissa, 0xCAE00D1CFDEB43D0);
    ck_assert_uint_eq(fpu.st[7].sign_exp, 0x3FFF);
}
END_TEST

/* The remainder of a huge number, in several steps, as programs do it. */
START_TEST(test_remainder_loop)
{
    struct fpu fpu;
    double seven = 7.0, huge = 0x1.4p500;
    unsigned steps = 0;

    fpu_reset(&fpu);
    x87(&fpu, 0xDB, 0xE3, NULL);
    x87(&fpu, 0xDD, 0x00, &seven);
    x87(&fpu, 0xDD, 0x00, &huge);
    do {
        x87(&fpu, 0xD9, 0xF8, NULL);
        ck_assert_uint_lt(steps++, 20);
    } while (fpu.ctl.fsw & 0x0400);
    /* 5 * 2^498 = 5 modulo 7 */
    ck_assert_uint_eq(fpu.st[6].mantissa, 0xA000000000000000);
    ck_assert_uint_eq(fpu.st[6].sign_exp, 0x4001);
    ck_assert_uint_gt(steps, 7);
}
END_TEST

/* A store that an unmasked exception stops leaves the stack alone. */
START_TEST(test_store_stopped)
{
    struct fpu fpu;
    uint16_t fcw = 0x0377; /* overflow unmasked */
    double huge = 0x1p1000;
    float target = 42;

    fpu_reset(&fpu);
    x87(&fpu, 0xDB, 0xE3, NULL);
    x87(&fpu, 0xD9, 0x28, &fcw);
    x87(&fpu, 0xDD, 0x00, &huge);
    ck_assert_uint_eq(x87(&fpu, 0xD9, 0x18, &target), FPU_NO_STORE);
    ck_assert(fpu_mf_pending(&fpu));
    ck_assert_uint_eq(fpu.ctl.ftw, 0x80);
    ck_assert_uint_eq(fpu.ctl.fsw & 0x3800, 0x3800);
}
END_TEST

START_TEST(test_mxcsr_reserved)
{
    struct fpu fpu;
    uint32_t value = 0x00011F80;
    const struct fpu_simd_op *op = fpu_simd_lookup(FPU_PFX_NONE, 0xAE, 0x10, false);

    fpu_reset(&fpu);
    ck_assert_uint_eq(op->fn_mem(&fpu, NULL, &value, 0), FPU_GP);
    ck_assert_uint_eq(fpu.mxcsr, 0x1F80);
    value = 0xFFFF;
    ck_assert_uint_eq(op->fn_mem(&fpu, NULL, &value, 0), FPU_OK);
    ck_assert_uint_eq(fpu.mxcsr, 0xFFFF);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fpu");
    TCase *tables = tcase_create("tables"), *host = tcase_create("host"),
          *sequences = tcase_create("sequences");

    tcase_add_test(tables, test_simd_complete);
    tcase_add_test(tables, test_simd_groups);
    tcase_add_test(tables, test_simd_descriptors);
    tcase_add_test(tables, test_x87_complete);
    tcase_add_test(host, test_mmx_against_host);
    tcase_add_test(host, test_sse_against_host);
    tcase_add_test(host, test_x87_against_host);
    tcase_set_timeout(host, 120);
    tcase_add_test(sequences, test_environment_after_fault);
    tcase_add_test(sequences, test_environment_real_mode);
    tcase_add_test(sequences, test_fnsave_frstor);
    tcase_add_test(sequences, test_fxsave_forms);
    tcase_add_test(sequences, test_transcendentals);
    tcase_add_test(sequences, test_remainder_loop);
    tcase_add_test(sequences, test_store_stopped);
    tcase_add_test(sequences, test_mxcsr_reserved);
    suite_add_tcase(suite, tables);
    suite_add_tcase(suite, host);
    suite_add_tcase(suite, sequences);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
