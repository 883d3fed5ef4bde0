/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XSAVE and its family, ENQCMD, and the MSRs and CPUID leaves that belong to them. */
#include "guest.h"
#include "pcilab/base/le.h"

static struct guest *g;

#define AREA GUEST_DATA

/* CR4.OSXSAVE and XCR0 with x87 and SSE, XSS with the PASID. */
#define ENABLE                                                                                     \
    "mov rax, cr4; or eax, 0x40000; mov cr4, rax; xor ecx, ecx; xor edx, edx; mov eax, 3; "        \
    "xsetbv; mov ecx, 0xda0; mov eax, 0x400; wrmsr; "

static void setup(void)
{
    g = guest_new(1);
    guest_long_mode(g);
}

static void teardown(void)
{
    guest_free(g);
}

/* From the beginning, whatever was before. */
#define again(name) (guest_long_mode(g), guest_do(g, name))

static uint64_t area(unsigned offset)
{
    return le64_load(g->ram + AREA + offset);
}

GUEST_CODE(without, "mov edi, 0x300000; xsave [rdi]; hlt");
GUEST_CODE(wrong_xcr, ENABLE "mov eax, 7; xor ecx, ecx; xsetbv; hlt");
GUEST_CODE(wrong_xss, ENABLE "mov ecx, 0xda0; mov eax, 0x800; wrmsr; hlt");
GUEST_CODE(wrong_pasid, ENABLE "mov ecx, 0xd93; mov eax, 0x100000; wrmsr; hlt");
GUEST_CODE(odd_place, ENABLE "mov edi, 0x300020; xsave [rdi]; hlt");
GUEST_CODE(prefixed, ENABLE "mov edi, 0x300000; .byte 0x66; xsave [rdi]; hlt");

START_TEST(test_what_may_not_be)
{
    again(without);
    ck_assert_int_eq(guest_vector(g), 6);
    again(wrong_xcr);
    ck_assert_int_eq(guest_vector(g), 13);
    again(wrong_xss);
    ck_assert_int_eq(guest_vector(g), 13);
    again(wrong_pasid);
    ck_assert_int_eq(guest_vector(g), 13);
    again(odd_place);
    ck_assert_int_eq(guest_vector(g), 13);
    again(prefixed);
    ck_assert_int_eq(guest_vector(g), 6);
}
END_TEST

GUEST_CODE(leaves, "mov eax, 13; xor ecx, ecx; cpuid; mov r8, rax; mov r9, rbx\n"
                   "mov eax, 1; cpuid; mov r10, rcx\n" ENABLE "mov eax, 1; cpuid; mov r11, rcx\n"
                   "mov eax, 13; mov ecx, 1; cpuid; mov r12, rbx; mov r13, rcx\n"
                   "mov eax, 13; mov ecx, 10; cpuid; mov r14, rax; mov r15, rcx\n"
                   "xor ecx, ecx; xgetbv; hlt");

START_TEST(test_cpuid)
{
    ck_assert_int_eq(again(leaves), CPU_EXIT_HALT);
    ck_assert_uint_eq(guest_reg(g, 8), 3);
    ck_assert_uint_eq(guest_reg(g, 9), 576);
    ck_assert_uint_eq(guest_reg(g, 10) >> 26 & 3, 1);
    ck_assert_uint_eq(guest_reg(g, 11) >> 26 & 3, 3);
    ck_assert_uint_eq(guest_reg(g, 12), 584);
    ck_assert_uint_eq(guest_reg(g, 13), 0x400);
    ck_assert_uint_eq(guest_reg(g, 14), 8);
    ck_assert_uint_eq(guest_reg(g, 15), 1);
    ck_assert_uint_eq(guest_reg(g, CPU_RAX), 3);
}
END_TEST

/* Some state, saved in all forms, spoiled, and back. */
#define STATE                                                                                      \
    "fninit; fld1; fldpi; mov eax, 0x12345678; movd xmm0, eax; movd xmm15, eax; "                  \
    "mov ecx, 0xd93; mov eax, 0x80000007; xor edx, edx; wrmsr; "
#define SPOIL                                                                                      \
    "fninit; xorps xmm0, xmm0; xorps xmm15, xmm15; mov ecx, 0xd93; xor eax, eax; xor edx, edx; "   \
    "wrmsr; "
#define LOOK "movd r8d, xmm0; movd r9d, xmm15; fnstsw ax; mov r10d, eax; mov ecx, 0xd93; rdmsr; hlt"

GUEST_CODE(standard,
           ENABLE STATE "mov edi, 0x300000; mov eax, -1; mov edx, -1; xsave64 [rdi]; " SPOIL
                        "mov eax, -1; mov edx, -1; xrstor64 [rdi]; " LOOK);
GUEST_CODE(supervisor,
           ENABLE STATE "mov edi, 0x300000; mov eax, -1; mov edx, -1; xsaves64 [rdi]; " SPOIL
                        "mov eax, -1; mov edx, -1; xrstors64 [rdi]; " LOOK);

START_TEST(test_standard_form)
{
    memset(g->ram + AREA, 0, 640);
    ck_assert_int_eq(again(standard), CPU_EXIT_HALT);
    ck_assert_uint_eq(area(512), 3);
    ck_assert_uint_eq(area(520), 0);
    ck_assert_uint_eq(area(576), 0);
    ck_assert_uint_eq(guest_reg(g, 8), 0x12345678);
    ck_assert_uint_eq(guest_reg(g, 9), 0x12345678);
    ck_assert_uint_eq(guest_reg(g, 10) >> 11 & 7, 6); /* two on the stack */
    ck_assert_uint_eq(guest_reg(g, CPU_RAX), 0);      /* not of the PASID */
}
END_TEST

START_TEST(test_compact_form)
{
    ck_assert_int_eq(again(supervisor), CPU_EXIT_HALT);
    ck_assert_uint_eq(area(512), 0x403);
    ck_assert_uint_eq(area(520), 1ull << 63 | 0x403);
    ck_assert_uint_eq(area(576), 0x80000007);
    ck_assert_uint_eq(guest_reg(g, 8), 0x12345678);
    ck_assert_uint_eq(guest_reg(g, 9), 0x12345678);
    ck_assert_uint_eq(guest_reg(g, 10) >> 11 & 7, 6);
    ck_assert_uint_eq(guest_reg(g, CPU_RAX), 0x80000007);
}
END_TEST

/* What is not in the area becomes initial; what is not asked for stays. */
GUEST_CODE(initial,
           ENABLE STATE "mov edi, 0x300000; xor edx, edx; mov eax, 0x403; xrstors64 [rdi]; "
                        "fnstcw [rdi + 1024]; stmxcsr [rdi + 1028]; " LOOK);
GUEST_CODE(only_sse,
           ENABLE STATE "mov edi, 0x300000; xor edx, edx; mov eax, 2; xrstors64 [rdi]; " LOOK);
GUEST_CODE(restore, ENABLE "mov edi, 0x300000; xor edx, edx; mov eax, 3; xrstor64 [rdi]; hlt");
GUEST_CODE(restores,
           ENABLE "mov edi, 0x300000; xor edx, edx; mov eax, 0x403; xrstors64 [rdi]; hlt");

START_TEST(test_initial_states)
{
    memset(g->ram + AREA, 0, 640);
    le64_store(g->ram + AREA + 520, 1ull << 63 | 0x403);
    ck_assert_int_eq(again(initial), CPU_EXIT_HALT);
    ck_assert_uint_eq(guest_reg(g, 8), 0);
    ck_assert_uint_eq(guest_reg(g, 9), 0);
    ck_assert_uint_eq(guest_reg(g, 10) >> 11 & 7, 0);
    ck_assert_uint_eq(guest_reg(g, CPU_RAX), 0);
    ck_assert_uint_eq(area(1024), 0x37full | 0x1f80ull << 32);
    ck_assert_int_eq(again(only_sse), CPU_EXIT_HALT);
    ck_assert_uint_eq(guest_reg(g, 8), 0);
    ck_assert_uint_eq(guest_reg(g, 10) >> 11 & 7, 6);
    ck_assert_uint_eq(guest_reg(g, CPU_RAX), 0x80000007);
}
END_TEST

static int vector_with(unsigned offset, uint64_t value, bool compact, bool as_kernel)
{
    memset(g->ram + AREA, 0, 640);
    if (compact)
        le64_store(g->ram + AREA + 520, 1ull << 63 | 3);
    le64_store(g->ram + AREA + offset, value);
    if (as_kernel)
        again(restores);
    else
        again(restore);
    return guest_vector(g);
}

START_TEST(test_bad_areas)
{
    ck_assert_int_eq(vector_with(512, 4, false, false), 13);
    ck_assert_int_eq(vector_with(528, 1, false, false), 13);
    ck_assert_int_eq(vector_with(24, 0x10000, false, false), 13); /* MXCSR */
    ck_assert_int_eq(vector_with(520, 1, false, false), 13);
    ck_assert_int_eq(vector_with(520, 1ull << 63 | 0x403, true, false), 13);
    ck_assert_int_eq(vector_with(520, 1ull << 63 | 1, true, false), -1);
    ck_assert_int_eq(vector_with(568, 1, true, false), 13);
    ck_assert_int_eq(vector_with(512, 0x400, true, true), 13);
    ck_assert_int_eq(vector_with(600, 0, false, true), 13); /* not compact */
    ck_assert_int_eq(vector_with(512, 3, true, true), -1);
}
END_TEST

/* The assembler may not know these: RAX is the place, RDX the source. */
#define ENQCMD  ".byte 0xf2, 0x0f, 0x38, 0xf8, 0x02; "
#define ENQCMDS ".byte 0xf3, 0x0f, 0x38, 0xf8, 0x02; "

GUEST_CODE(no_pasid, "mov edx, 0x300000; mov eax, 0x10000000; " ENQCMD "hlt");
GUEST_CODE(user, "mov ecx, 0xd93; mov eax, 0x80000123; xor edx, edx; wrmsr; mov edx, 0x300000; "
                 "mov eax, 0x10000000; stc; " ENQCMD "pushfq; pop rbx; hlt");
GUEST_CODE(kernel, "mov edx, 0x300000; mov eax, 0x10000000; " ENQCMDS "pushfq; pop rbx; hlt");
GUEST_CODE(to_memory, "mov edx, 0x300000; mov eax, 0x310000; " ENQCMDS "pushfq; pop rbx; hlt");
GUEST_CODE(odd, "mov edx, 0x300000; mov eax, 0x10000020; " ENQCMDS "hlt");

START_TEST(test_enqueue)
{
    uint8_t *source = g->ram + GUEST_DATA;

    for (unsigned i = 0; i < 64; i++)
        source[i] = (uint8_t)(i + 0x10);
    again(no_pasid);
    ck_assert_int_eq(guest_vector(g), 13);
    again(odd);
    ck_assert_int_eq(guest_vector(g), 13);
    ck_assert_uint_eq(g->accesses, 0);
    ck_assert_int_eq(again(user), CPU_EXIT_HALT);
    ck_assert_uint_eq(g->accesses, 1);
    ck_assert_int_eq(g->log[0].kind, CPU_MEM_ENQUEUE);
    ck_assert_uint_eq(g->log[0].addr, 0x10000000);
    ck_assert_uint_eq(le32_load(g->log[0].data), 0x123);
    ck_assert_mem_eq(g->log[0].data + 4, source + 4, 60);
    ck_assert_uint_eq(guest_reg(g, CPU_RBX) & 0x8d5, 0); /* taken */
    /* The kernel says whose it is, but reserved bits are none of that. */
    again(kernel);
    ck_assert_int_eq(guest_vector(g), 13);
    le32_store(source, 0x80000456);
    g->refuse = true;
    ck_assert_int_eq(again(kernel), CPU_EXIT_HALT);
    ck_assert_uint_eq(le32_load(g->log[g->accesses - 1].data), 0x80000456);
    ck_assert_uint_eq(guest_reg(g, CPU_RBX) & 0x8d5, 0x40);
    /* Memory takes nothing, and is not written. */
    ck_assert_int_eq(again(to_memory), CPU_EXIT_HALT);
    ck_assert_uint_eq(guest_reg(g, CPU_RBX) & 0x8d5, 0x40);
    ck_assert_uint_eq(le64_load(g->ram + 0x310000), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("xsave");
    TCase *tcase = tcase_create("xsave");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_what_may_not_be);
    tcase_add_test(tcase, test_cpuid);
    tcase_add_test(tcase, test_standard_form);
    tcase_add_test(tcase, test_compact_form);
    tcase_add_test(tcase, test_initial_states);
    tcase_add_test(tcase, test_bad_areas);
    tcase_add_test(tcase, test_enqueue);
    suite_add_tcase(suite, tcase);
    return guest_run_suite(suite);
}
