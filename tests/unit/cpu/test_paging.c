/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paging: permissions, error codes, accessed and dirty bits, stale translations. */
#include "guest.h"

static struct guest *g;

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80 };
#define NX (1ULL << 63)

static void setup(void)
{
    g = guest_new(1);
    guest_long_mode(g);
    guest_map_window(g);
}

static void teardown(void)
{
    guest_free(g);
}

/* RBX is the address. To user mode by IRETQ if EBP says so; then read, write or execute. */
#define TO_USER                                                                                    \
    "test ebp, ebp; jz 1f; push 0x1b; push 0x280000; push 2; push 0x23; lea rax, [rip + 1f]\n"     \
    "push rax; iretq\n1: "
GUEST_CODE(do_read, TO_USER "mov rax, [rbx]; hlt");
GUEST_CODE(do_write, TO_USER "mov [rbx], rcx; hlt");
GUEST_CODE(do_exec, TO_USER "jmp rbx");
GUEST_CODE(do_rmw, TO_USER "lock inc qword ptr [rbx]; hlt");

static const struct access_kind {
    const uint8_t *code, *end;
} kinds[] = {
    {do_read, do_read_end}, {do_write, do_write_end}, {do_exec, do_exec_end}, {do_rmw, do_rmw_end}};

enum { READ, WRITE, EXEC, RMW };

static void access_window(unsigned kind, bool user, uint64_t offset)
{
    struct cpu_state s = guest_state(g);
    s.gpr[CPU_RBX] = GUEST_WINDOW + offset;
    s.gpr[CPU_RBP] = user;
    s.gpr[CPU_RCX] = 0x1234;
    cpu_set_state(g->cpu, &s);
    guest_load(g, GUEST_CODE_AT, kinds[kind].code, kinds[kind].end);
    guest_poke(g, GUEST_DATA, 0xF4); /* HLT for EXEC: #GP in user mode */
    ck_assert_int_eq(guest_run(g, 1000, 1000), CPU_EXIT_HALT);
}

/* error -1: no #PF. */
static const struct {
    uint64_t pte;
    unsigned kind;
    bool user;
    int error;
} cases[] = {
    {0, READ, false, 0},
    {0, WRITE, false, 2},
    {0, RMW, true, 6},
    {0, READ, true, 4},
    {0, EXEC, true, 0x14},
    {P | W, READ, false, -1},
    {P | W, READ, true, 5},
    {P | W, WRITE, true, 7},
    {P | W, EXEC, true, 0x15},
    {P | W | U, WRITE, true, -1},
    {P | U, WRITE, true, 7},
    {P | U, RMW, true, 7},
    {P, WRITE, false, 3}, /* CR0.WP */
    {P | NX, EXEC, false, 0x11},
    {P | U | NX, EXEC, true, 0x15},
    {P | U | NX, READ, true, -1},
    {P | W | 1ULL << 50, READ, false, 9}, /* beyond 46 bits: reserved */
    {P | W | U | 1ULL << 47, WRITE, true, 0xF},
};

START_TEST(test_error_codes)
{
    guest_set_pte(g, 0, cases[_i].pte ? cases[_i].pte | GUEST_DATA : 0);
    access_window(cases[_i].kind, cases[_i].user, 0);
    if (cases[_i].error < 0) {
        ck_assert_int_ne(guest_vector(g), 14);
        return;
    }
    ck_assert_int_eq(guest_vector(g), 14);
    ck_assert_uint_eq(guest_frame(g, 0), (unsigned)cases[_i].error);
    ck_assert_uint_eq(guest_state(g).cr2, GUEST_WINDOW);
    ck_assert_uint_eq(guest_frame(g, 2), cases[_i].user ? SEL_USER_CODE : SEL_CODE);
}
END_TEST

START_TEST(test_accessed_and_dirty)
{
    uint64_t pte = GUEST_DATA | P | W;
    guest_set_pte(g, 0, pte);
    access_window(READ, false, 0);
    ck_assert_uint_eq(guest_peek(g, GUEST_PT), pte | A);
    ck_assert_uint_ne(guest_peek(g, 0xB000) & A, 0);
    guest_long_mode(g);
    access_window(WRITE, false, 0);
    ck_assert_uint_eq(guest_peek(g, GUEST_PT), pte | A | D);
    ck_assert_uint_eq(guest_peek(g, GUEST_DATA) & 0xFFFF, 0x1234);
}
END_TEST

/* A read that is in the TLB must not let a later write skip the dirty bit. */
GUEST_CODE(read_then_write, "mov ebx, 0x40000000; mov rax, [rbx]; mov [rbx], rax; hlt");

START_TEST(test_dirty_after_read)
{
    guest_set_pte(g, 0, GUEST_DATA | P | W);
    guest_do(g, read_then_write);
    ck_assert_uint_eq(guest_peek(g, GUEST_PT), GUEST_DATA | P | W | A | D);
}
END_TEST

START_TEST(test_write_protect_off)
{
    struct cpu_state s = guest_state(g);
    s.cr0 &= ~(1ULL << 16);
    cpu_set_state(g->cpu, &s);
    guest_set_pte(g, 0, GUEST_DATA | P);
    access_window(WRITE, false, 0);
    ck_assert_int_eq(guest_vector(g), -1);
    guest_long_mode(g);
}
END_TEST

START_TEST(test_smep)
{
    struct cpu_state s = guest_state(g);
    s.cr4 |= 1 << 20;
    cpu_set_state(g->cpu, &s);
    guest_set_pte(g, 0, GUEST_DATA | P | U);
    guest_poke(g, GUEST_PD, 0x83); /* the code itself must not be the user's */
    access_window(EXEC, false, 0);
    ck_assert_int_eq(guest_vector(g), 14);
    ck_assert_uint_eq(guest_frame(g, 0), 0x11);
}
END_TEST

/* ---- Stale translations ---- */

/* Reads, changes the PTE to the next page, invalidates by what R8D says, reads again. */
GUEST_CODE(remap, "mov ebx, 0x40000000; mov rsi, [rbx]\n"
                  "add qword ptr [0x4000], 0x1000\n"
                  "cmp r8d, 1; je 1f; cmp r8d, 2; je 2f\n"
                  "invlpg [rbx]; jmp 3f\n"
                  "1: mov rax, cr3; mov cr3, rax; jmp 3f\n"
                  "2: mov rax, cr4; xor rax, 0x80; mov cr4, rax\n"
                  "3: mov rdi, [rbx]; hlt");

START_TEST(test_invalidation)
{
    struct cpu_state s = guest_state(g);
    s.gpr[8] = (unsigned)_i;
    cpu_set_state(g->cpu, &s);
    guest_poke(g, GUEST_DATA, 1);
    guest_poke(g, GUEST_DATA + 0x1000, 2);
    guest_set_pte(g, 0, GUEST_DATA | P | W | (_i == 2 ? 0x100 : 0));
    guest_do(g, remap);
    ck_assert_uint_eq(guest_reg(g, CPU_RSI), 1);
    ck_assert_uint_eq(guest_reg(g, CPU_RDI), 2);
}
END_TEST

/* A global page survives a write to CR3. */
START_TEST(test_global_page)
{
    struct cpu_state s = guest_state(g);
    s.gpr[8] = 1;
    cpu_set_state(g->cpu, &s);
    guest_poke(g, GUEST_DATA, 1);
    guest_poke(g, GUEST_DATA + 0x1000, 2);
    guest_set_pte(g, 0, GUEST_DATA | P | W | 0x100);
    guest_do(g, remap);
    ck_assert_uint_eq(guest_reg(g, CPU_RDI), 1);
}
END_TEST

/* INVLPG on one address of a large page forgets all of it. */
GUEST_CODE(remap_large, "mov ebx, 0x600000; mov rsi, [rbx + 0x5000]; mov rax, [rbx]\n"
                        "mov rcx, 0x3018; add qword ptr [rcx], 0x200000; invlpg [rbx]\n"
                        "mov rdi, [rbx + 0x5000]; hlt");

START_TEST(test_large_page_invalidation)
{
    guest_poke(g, 0x605000, 1);
    guest_poke(g, 0x805000, 2);
    guest_do(g, remap_large);
    ck_assert_uint_eq(guest_reg(g, CPU_RSI), 1);
    ck_assert_uint_eq(guest_reg(g, CPU_RDI), 2);
}
END_TEST

/* The same subroutine at one address, in two pages: calls must follow the mapping. */
GUEST_CODE(remap_code, "mov ebx, 0x40000000; xor edx, edx; call rbx; add edx, eax; call 2f\n"
                       "mov qword ptr [0x4000], 0x301001; invlpg [rbx]\n"
                       "call rbx; add edx, eax; call 2f; hlt\n"
                       "2: .byte 0xe8, 0, 0, 0, 0; add edx, eax; ret");
GUEST_CODE(return_one, "mov eax, 1; ret");
GUEST_CODE(return_ten, "mov eax, 10; ret");

START_TEST(test_code_follows_mapping)
{
    /* Aim the direct call at the window. */
    size_t call = (size_t)(remap_code_end - remap_code) - 8;
    guest_load(g, GUEST_CODE_AT, remap_code, remap_code_end);
    int32_t rel = (int32_t)(GUEST_WINDOW - (GUEST_CODE_AT + call + 5));
    ck_assert_uint_eq(g->ram[GUEST_CODE_AT + call], 0xE8);
    memcpy(g->ram + GUEST_CODE_AT + call + 1, &rel, 4);
    guest_load(g, 0x300000, return_one, return_one_end);
    guest_load(g, 0x301000, return_ten, return_ten_end);
    guest_set_pte(g, 0, 0x300000 | P);
    ck_assert_int_eq(guest_run(g, 1000, 1000), CPU_EXIT_HALT);
    ck_assert_uint_eq(guest_reg(g, CPU_RDX), 1 + 1 + 10 + 10);
}
END_TEST

/* ---- Addresses ---- */

GUEST_CODE(not_canonical, "mov rbx, 0x800000000000; mov rax, [rbx]; hlt");
GUEST_CODE(not_canonical_stack, "mov rbp, 0x800000000000; mov rax, [rbp]; hlt");
GUEST_CODE(not_canonical_jump, "mov rbx, 0x800000000000; jmp rbx");

START_TEST(test_not_canonical)
{
    guest_do(g, not_canonical);
    ck_assert_int_eq(guest_vector(g), 13);
    guest_long_mode(g);
    guest_do(g, not_canonical_stack);
    ck_assert_int_eq(guest_vector(g), 12);
    guest_long_mode(g);
    guest_do(g, not_canonical_jump);
    ck_assert_int_eq(guest_vector(g), 13);
    ck_assert_uint_eq(guest_frame(g, 1), GUEST_CODE_AT + 10);
}
END_TEST

/* A store across two pages of which the second is not writable changes neither. */
GUEST_CODE(split_store, "mov ebx, 0x40000ffc; mov rax, -1; mov [rbx], rax; hlt");

START_TEST(test_split_store_is_atomic)
{
    guest_set_pte(g, 0, GUEST_DATA | P | W);
    guest_set_pte(g, 1, (GUEST_DATA + 0x1000) | P);
    guest_do(g, split_store);
    ck_assert_int_eq(guest_vector(g), 14);
    ck_assert_uint_eq(guest_frame(g, 0), 3);
    ck_assert_uint_eq(guest_state(g).cr2, GUEST_WINDOW + 0x1000);
    ck_assert_uint_eq(guest_peek(g, GUEST_DATA + 0xFF8), 0);
}
END_TEST

/* Page tables where there is no RAM. */
START_TEST(test_tables_outside_ram)
{
    guest_poke(g, 0xB000, 0x20000000 | 7);
    access_window(READ, false, 0);
    ck_assert_int_eq(guest_vector(g), 14);
    ck_assert_uint_eq(guest_frame(g, 0), 9);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu-paging");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_error_codes, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(t, test_accessed_and_dirty);
    tcase_add_test(t, test_dirty_after_read);
    tcase_add_test(t, test_write_protect_off);
    tcase_add_test(t, test_smep);
    tcase_add_loop_test(t, test_invalidation, 0, 3);
    tcase_add_test(t, test_global_page);
    tcase_add_test(t, test_large_page_invalidation);
    tcase_add_test(t, test_code_follows_mapping);
    tcase_add_test(t, test_not_canonical);
    tcase_add_test(t, test_split_store_is_atomic);
    tcase_add_test(t, test_tables_outside_ram);
    suite_add_tcase(s, t);
    return guest_run_suite(s);
}
