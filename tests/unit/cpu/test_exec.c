/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions, the budget, suspended accesses, code that changes. */
#include "guest.h"

static struct guest *g;

static void setup(void)
{
    g = guest_new(1);
    guest_long_mode(g);
}

static void teardown(void)
{
    guest_free(g);
}

/* ---- The budget ---- */

GUEST_CODE(sum_loop, "mov ecx, 100; xor eax, eax; 1: add rax, rcx; dec ecx; jnz 1b; hlt");

START_TEST(test_retired_is_exact)
{
    ck_assert_int_eq(guest_do(g, sum_loop), CPU_EXIT_HALT);
    ck_assert_uint_eq(guest_reg(g, CPU_RAX), 5050);
    ck_assert_uint_eq(g->retired, 2 + 300 + 1);
    ck_assert_uint_eq(cpu_retired_total(g->cpu), g->retired);
}
END_TEST

/* Everything whose result could depend on where a run stops. */
GUEST_CODE(mixed, "mov edi, 0x300000; mov r8d, 40\n"
                  "1: rdtsc; shl rdx, 32; or rax, rdx; add r9, rax; rol r9, 7; nop; nop\n"
                  "mov ecx, 3000; mov esi, 0x100000; cld; rep movsb\n"
                  "call 2f; cmp r8d, 20; cmovb r10, r9; push r9; pop r11; xadd [rdi - 8], r11\n"
                  "rdrand r12; add r13, r12; pushfq; popfq; sti; cli\n"
                  "dec r8d; jnz 1b; rdtsc; hlt\n"
                  "2: add r14, [rsp]; test r14b, 1; setz r15b; ret");

static struct cpu_state run_mixed(uint64_t quantum, uint64_t *retired)
{
    struct guest *m = guest_new(1);
    guest_long_mode(m);
    guest_load(m, GUEST_CODE_AT, mixed, mixed_end);
    ck_assert_int_eq(guest_run(m, quantum, 1000000), CPU_EXIT_HALT);
    struct cpu_state s = guest_state(m);
    *retired = m->retired;
    guest_free(m);
    return s;
}

START_TEST(test_quantum_is_invisible)
{
    static const unsigned quanta[] = {1, 2, 3, 5, 7, 11, 64, 997};
    uint64_t expected, retired;
    struct cpu_state a = run_mixed(1000000, &expected);
    for (unsigned i = 0; i < sizeof(quanta) / sizeof(quanta[0]); i++) {
        struct cpu_state b = run_mixed(quanta[i], &retired);
        ck_assert_uint_eq(retired, expected);
        ck_assert_mem_eq(&a, &b, sizeof(a));
    }
}
END_TEST

GUEST_CODE(read_tsc, "nop; nop; rdtsc; mov ebx, eax; nop; rdtsc; sub eax, ebx; hlt");

START_TEST(test_tsc_counts_instructions)
{
    guest_do(g, read_tsc);
    /* 500 ps per instruction at 2 GHz is one tick; three instructions later. */
    ck_assert_uint_eq(guest_reg(g, CPU_RAX), 3);
    ck_assert_uint_eq(guest_reg(g, CPU_RBX), 2);
    ck_assert_uint_eq(cpu_tsc_at(g->cpu, 10000), 20);
    ck_assert_uint_eq(cpu_tsc_to_ps(g->cpu, 20, 0), 10000);
    ck_assert_uint_eq(cpu_tsc_to_ps(g->cpu, 5, 10000), 10000);
}
END_TEST

/* ---- Suspended accesses ---- */

GUEST_CODE(mmio_rmw, "mov ebx, 0x10000010; stc; adc dword ptr [rbx], 5; setc al; hlt");

START_TEST(test_mmio_rmw)
{
    g->bus_value = 0xFFFFFFFB;
    ck_assert_int_eq(guest_do(g, mmio_rmw), CPU_EXIT_HALT);
    ck_assert_uint_eq(g->accesses, 2);
    ck_assert_int_eq(g->log[0].kind, CPU_MEM_READ);
    ck_assert_int_eq(g->log[1].kind, CPU_MEM_WRITE);
    ck_assert_uint_eq(g->log[1].addr, 0x10000010);
    ck_assert_uint_eq(g->log[1].size_bytes, 4);
    ck_assert_uint_eq(g->log[1].data[0], 1);
    ck_assert_uint_eq(guest_reg(g, CPU_RAX), 1); /* the carry was added once, and set once */
    ck_assert_uint_eq(g->retired, 5);
}
END_TEST

GUEST_CODE(mmio_cross, "mov ebx, 0x10000ffe; mov rax, [rbx]; mov [rbx + 1], eax; hlt");

START_TEST(test_accesses_do_not_cross_pages)
{
    g->bus_value = 0x1122;
    ck_assert_int_eq(guest_do(g, mmio_cross), CPU_EXIT_HALT);
    for (unsigned i = 0; i < g->accesses; i++) {
        uint64_t last = g->log[i].addr + g->log[i].size_bytes - 1;
        ck_assert_uint_eq(g->log[i].addr >> 12, last >> 12);
    }
    /* 2 | 4 + 2 bytes read, then 1 | 2 + 1 written */
    ck_assert_uint_eq(g->accesses, 6);
    ck_assert_uint_eq(guest_reg(g, CPU_RAX), 0x1124000011231122);
    ck_assert_uint_eq(g->log[3].data[0], 0x22);
    ck_assert_uint_eq(g->log[4].addr, 0x10001000);
    ck_assert_uint_eq(g->log[4].data[0], 0x11);
}
END_TEST

GUEST_CODE(mmio_string, "mov esi, 0x10000000; mov edi, 0x300000; mov ecx, 5; rep movsw; hlt");

START_TEST(test_mmio_string)
{
    g->bus_value = 0x100;
    ck_assert_int_eq(guest_do(g, mmio_string), CPU_EXIT_HALT);
    ck_assert_uint_eq(g->accesses, 5);
    ck_assert_uint_eq(guest_peek(g, GUEST_DATA), 0x0103010201010100);
    ck_assert_uint_eq(guest_reg(g, CPU_RCX), 0);
    ck_assert_uint_eq(guest_reg(g, CPU_RDI), GUEST_DATA + 10);
    ck_assert_uint_eq(g->retired, 5);
}
END_TEST

GUEST_CODE(ports, "mov edx, 0x3f8; mov al, 0x41; out dx, al; in al, 0x60; in eax, dx\n"
                  "mov edi, 0x300000; mov ecx, 2; rep insd; out 0x80, ax; hlt");

START_TEST(test_ports)
{
    g->bus_value = 0x77;
    ck_assert_int_eq(guest_do(g, ports), CPU_EXIT_HALT);
    static const struct {
        enum cpu_access_kind kind;
        uint64_t addr;
        uint32_t size;
    } want[] = {{CPU_IO_WRITE, 0x3F8, 1}, {CPU_IO_READ, 0x60, 1},  {CPU_IO_READ, 0x3F8, 4},
                {CPU_IO_READ, 0x3F8, 4},  {CPU_IO_READ, 0x3F8, 4}, {CPU_IO_WRITE, 0x80, 2}};
    ck_assert_uint_eq(g->accesses, 6);
    for (unsigned i = 0; i < 6; i++) {
        ck_assert_int_eq(g->log[i].kind, want[i].kind);
        ck_assert_uint_eq(g->log[i].addr, want[i].addr);
        ck_assert_uint_eq(g->log[i].size_bytes, want[i].size);
    }
    ck_assert_uint_eq(g->log[0].data[0], 0x41);
    ck_assert_uint_eq(guest_peek(g, GUEST_DATA), 0x0000007A00000079);
}
END_TEST

GUEST_CODE(wide, "mov ebx, 0x10000040; movdqu xmm0, [rbx]; movaps [rbx], xmm0\n"
                 "mov esi, 0x300000; movdir64b rbx, [rsi]; hlt");

START_TEST(test_wide_accesses)
{
    guest_poke(g, GUEST_DATA + 56, 0xABCD);
    ck_assert_int_eq(guest_do(g, wide), CPU_EXIT_HALT);
    ck_assert_uint_eq(g->accesses, 3);
    ck_assert_uint_eq(g->log[0].size_bytes, 16);
    ck_assert_uint_eq(g->log[1].size_bytes, 16);
    ck_assert_mem_eq(g->log[1].data + 8, "\xee\xee\xee\xee\xee\xee\xee\xee", 8);
    ck_assert_uint_eq(g->log[2].size_bytes, 64);
    ck_assert_uint_eq(g->log[2].data[56], 0xCD);
}
END_TEST

GUEST_CODE(apic_registers, "mov ecx, 0x1b; rdmsr; mov ebx, eax; mov ecx, 0x830; xor edx, edx\n"
                           "mov eax, 5; wrmsr; mov eax, 9; mov cr8, rax; mov rsi, cr8; hlt");

START_TEST(test_apic_registers_are_accesses)
{
    g->bus_value = 0xFEE00900;
    ck_assert_int_eq(guest_do(g, apic_registers), CPU_EXIT_HALT);
    ck_assert_uint_eq(g->accesses, 4);
    ck_assert_int_eq(g->log[0].kind, CPU_MSR_READ);
    ck_assert_uint_eq(g->log[0].addr, 0x1B);
    ck_assert_int_eq(g->log[1].kind, CPU_MSR_WRITE);
    ck_assert_uint_eq(g->log[1].data[0], 5);
    ck_assert_int_eq(g->log[2].kind, CPU_TPR_WRITE);
    ck_assert_uint_eq(g->log[2].data[0], 9);
    ck_assert_int_eq(g->log[3].kind, CPU_TPR_READ);
    ck_assert_uint_eq(guest_reg(g, CPU_RBX), 0xFEE00900);
    ck_assert_uint_eq(guest_reg(g, CPU_RSI), 0xFEE00901);
}
END_TEST

START_TEST(test_refused_msr_is_gp)
{
    g->bus_fault = true;
    ck_assert_int_eq(guest_do(g, apic_registers), CPU_EXIT_HALT);
    ck_assert_int_eq(guest_vector(g), 13);
    ck_assert_uint_eq(guest_frame(g, 0), 0);
    ck_assert_uint_eq(guest_frame(g, 1), GUEST_CODE_AT + 5);
}
END_TEST

/* ---- Code that changes ---- */

GUEST_CODE(patch_next, "lea rbx, [rip + 1f]; mov byte ptr [rbx], 0x42\n1: nop; xor eax, eax\n"
                       ".byte 0x83, 0xc0, 1; hlt");
GUEST_CODE(patch_loop, "mov ecx, 3; xor eax, eax; lea rbx, [rip + 2f + 2]\n"
                       "1: call 2f; inc byte ptr [rbx]; loop 1b; hlt\n"
                       "2: .byte 0x83, 0xc0, 1; ret");

START_TEST(test_store_into_running_block)
{
    /* The NOP becomes REX.X, which makes nothing of XOR; no harm, but it must be the new byte. */
    guest_load(g, GUEST_CODE_AT, patch_next, patch_next_end);
    uint64_t before = g->retired;
    ck_assert_int_eq(guest_run(g, 1000, 1000), CPU_EXIT_HALT);
    ck_assert_uint_eq(g->retired - before, 5); /* one fewer: the NOP is a prefix now */
    ck_assert_uint_eq(guest_reg(g, CPU_RAX), 1);
}
END_TEST

START_TEST(test_patched_subroutine)
{
    guest_do(g, patch_loop);
    ck_assert_uint_eq(guest_reg(g, CPU_RAX), 1 + 2 + 3);
}
END_TEST

GUEST_CODE(spin_add, "1: add rax, 1; jmp 1b");

START_TEST(test_dma_into_code)
{
    guest_load(g, GUEST_CODE_AT, spin_add, spin_add_end);
    guest_run(g, 1000, 1000);
    ck_assert_uint_eq(guest_reg(g, CPU_RAX), 500);
    g->ram[GUEST_CODE_AT + 3] = 3;
    cpu_group_ram_written(g->group, GUEST_CODE_AT + 3, 1);
    guest_run(g, 1000, 1000);
    ck_assert_uint_eq(guest_reg(g, CPU_RAX), 500 + 1500);
}
END_TEST

/* An instruction across a page border, whose second half is overwritten by the guest. */
GUEST_CODE(crossing, "mov ecx, 2; mov ebx, 0x101000; jmp 2f\n"
                     ".fill 0xff0 - (. - crossing), 1, 0x90\n"
                     "2: .fill 14, 1, 0x90\n"
                     ".byte 0xb8, 1, 0, 0, 0\n" /* mov eax, 1 at fffe: 2 bytes here, 3 beyond */
                     "add rdx, rax; inc byte ptr [rbx]; dec ecx; jnz 2b; hlt");

START_TEST(test_page_crossing_instruction)
{
    /* Bytes at 101000 are the immediate's second byte and so on. */
    guest_do(g, crossing);
    ck_assert_uint_eq(guest_reg(g, CPU_RDX), 1 + 0x101);
}
END_TEST

/* CLFLUSH says which line, by its physical address; one that faults says none. */
GUEST_CODE(flushes, "mov eax, 0x300045; clflush [rax]; mov eax, 0x40000123; clflush [rax]\n"
                    "wbinvd; clflush [rax + 0x1000]; hlt");

START_TEST(test_write_back)
{
    guest_map_window(g);
    guest_set_pte(g, 0, 0x345000 | 7);
    guest_set_pte(g, 1, 0);
    ck_assert_int_eq(guest_do(g, flushes), CPU_EXIT_HALT);
    ck_assert_int_eq(guest_vector(g), 14);
    ck_assert_uint_eq(g->lines, 2);
    ck_assert_uint_eq(g->written_back[0], 0x300045);
    ck_assert_uint_eq(g->written_back[1], 0x345123);
    ck_assert_uint_eq(g->whole_caches, 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu-exec");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_retired_is_exact);
    tcase_add_test(t, test_quantum_is_invisible);
    tcase_add_test(t, test_tsc_counts_instructions);
    tcase_add_test(t, test_mmio_rmw);
    tcase_add_test(t, test_accesses_do_not_cross_pages);
    tcase_add_test(t, test_mmio_string);
    tcase_add_test(t, test_ports);
    tcase_add_test(t, test_wide_accesses);
    tcase_add_test(t, test_apic_registers_are_accesses);
    tcase_add_test(t, test_refused_msr_is_gp);
    tcase_add_test(t, test_store_into_running_block);
    tcase_add_test(t, test_patched_subroutine);
    tcase_add_test(t, test_dma_into_code);
    tcase_add_test(t, test_page_crossing_instruction);
    tcase_add_test(t, test_write_back);
    suite_add_tcase(s, t);
    return guest_run_suite(s);
}
