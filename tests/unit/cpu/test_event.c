/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions, interrupts, NMI, INIT and SIPI, debug traps, privilege changes. */
#include "guest.h"

static struct guest *g;

static void setup(void)
{
    g = guest_new(2);
    guest_long_mode(g);
}

static void teardown(void)
{
    guest_free(g);
}

/* ---- Exceptions ---- */

GUEST_CODE(divide, "xor ecx, ecx; mov eax, 7; div ecx; hlt");
GUEST_CODE(undefined, "nop; ud2");
GUEST_CODE(lock_misuse, "nop; .byte 0xf0; mov eax, ebx");
GUEST_CODE(too_long, "nop; .fill 15, 1, 0x66; nop");
GUEST_CODE(bad_selector, "mov eax, 0x77; mov ds, ax");
GUEST_CODE(breakpoint, "nop; int3");
GUEST_CODE(soft_interrupt, "int 0x81");
GUEST_CODE(bad_msr, "mov ecx, 0x12345; rdmsr");
GUEST_CODE(bad_cr4, "mov eax, 0x1000; mov cr4, rax");

static const struct {
    const uint8_t *code, *end;
    int vector;
    int64_t error; /* -1: none */
    unsigned rip;
} faults[] = {
    {divide, divide_end, 0, -1, 7},
    {undefined, undefined_end, 6, -1, 1},
    {lock_misuse, lock_misuse_end, 6, -1, 1},
    {too_long, too_long_end, 13, 0, 1},
    {bad_selector, bad_selector_end, 13, 0x74, 5},
    {breakpoint, breakpoint_end, 3, -1, 2},
    {soft_interrupt, soft_interrupt_end, 0x81, -1, 2},
    {bad_msr, bad_msr_end, 13, 0, 5},
    {bad_cr4, bad_cr4_end, 13, 0, 5},
};

START_TEST(test_fault_frames)
{
    unsigned w = 0;
    guest_execute(g, faults[_i].code, faults[_i].end);
    ck_assert_int_eq(guest_vector(g), faults[_i].vector);
    if (faults[_i].error >= 0) {
        ck_assert_uint_eq(guest_frame(g, w++), (uint64_t)faults[_i].error);
    }
    ck_assert_uint_eq(guest_frame(g, w++), GUEST_CODE_AT + faults[_i].rip);
    ck_assert_uint_eq(guest_frame(g, w++), SEL_CODE);
    w++;
    ck_assert_uint_eq(guest_frame(g, w++), GUEST_STACK);
    ck_assert_uint_eq(guest_frame(g, w), SEL_DATA);
}
END_TEST

START_TEST(test_ist)
{
    guest_set_gate(g, 6, 1, 0, GUEST_STUBS + 16 * 6);
    guest_do(g, undefined);
    ck_assert_int_eq(guest_vector(g), 6);
    ck_assert_uint_eq(guest_reg(g, CPU_RSP), GUEST_IST1 - 40);
}
END_TEST

START_TEST(test_double_fault)
{
    /* #GP's gate is not present: #GP, then #NP is contributory, hence #DF. */
    guest_poke(g, GUEST_IDT + 13 * 16, 0);
    guest_do(g, bad_msr);
    ck_assert_int_eq(guest_vector(g), 8);
    ck_assert_uint_eq(guest_frame(g, 0), 0);
    ck_assert_uint_eq(guest_frame(g, 1), GUEST_CODE_AT + 5);
}
END_TEST

START_TEST(test_triple_fault)
{
    guest_poke(g, GUEST_IDT + 13 * 16, 0);
    guest_poke(g, GUEST_IDT + 8 * 16, 0);
    ck_assert_int_eq(guest_do(g, bad_msr), CPU_EXIT_SHUTDOWN);
    uint64_t retired;
    ck_assert_int_eq(cpu_run(g->cpu, g->now_ps, 10, &retired), CPU_EXIT_SHUTDOWN);
    ck_assert_uint_eq(retired, 0);
}
END_TEST

/* A handler that faults at once for ever must use up the budget. */
START_TEST(test_fault_loop_ends)
{
    guest_set_gate(g, 13, 1, 0, 0x30000000); /* mapped, but no RAM there */
    guest_load(g, GUEST_CODE_AT, bad_msr, bad_msr_end);
    ck_assert_int_eq(guest_run(g, 1000, 5000), CPU_EXIT_BUDGET);
}
END_TEST

/* ---- Privilege ---- */

GUEST_CODE(enter_user, "push 0x1b; push 0x280000; push 0x202; push 0x23; lea rax, [rip + 1f]\n"
                       "push rax; iretq\n1: mov ebx, 0x77; cli; hlt");

START_TEST(test_user_fault_switches_stack)
{
    guest_do(g, enter_user);
    ck_assert_int_eq(guest_vector(g), 13); /* CLI at IOPL 0 */
    ck_assert_uint_eq(guest_reg(g, CPU_RBX), 0x77);
    ck_assert_uint_eq(guest_reg(g, CPU_RSP), GUEST_STACK0 - 48);
    ck_assert_uint_eq(guest_frame(g, 2), SEL_USER_CODE);
    ck_assert_uint_eq(guest_frame(g, 4), 0x280000);
    ck_assert_uint_eq(guest_frame(g, 5), SEL_USER_DATA);
    ck_assert_uint_eq(guest_state(g).seg[CPU_SS].selector, 0);
}
END_TEST

/* STAR: SYSCALL to 8/10h, SYSRET to 23h/1Bh. Two round trips. */
GUEST_CODE(syscalls, "mov ecx, 0xc0000081; xor eax, eax; mov edx, 0x00130008; wrmsr\n"
                     "inc ecx; lea rax, [rip + 3f]; xor edx, edx; wrmsr\n"
                     "mov ecx, 0xc0000084; mov eax, 0x200; wrmsr\n"
                     "xor ebx, ebx; lea rcx, [rip + 2f]; mov r11d, 0x202; sysretq\n"
                     "2: syscall; inc ebx; syscall; inc ebx; syscall\n"
                     "3: inc ebp; cmp ebp, 3; je 4f; pushfq; pop r15; sysretq\n"
                     "4: mov eax, cs; hlt");

START_TEST(test_syscall_round_trip)
{
    guest_do(g, syscalls);
    ck_assert_int_eq(guest_vector(g), -1);
    ck_assert_uint_eq(guest_reg(g, CPU_RBX), 2);
    ck_assert_uint_eq(guest_reg(g, CPU_RBP), 3);
    ck_assert_uint_eq(guest_reg(g, 15) & 0x200, 0); /* FMASK took IF */
    ck_assert_uint_eq(guest_reg(g, 11) & 0x200, 0x200);
    ck_assert_uint_eq(guest_reg(g, CPU_RAX), SEL_CODE);
}
END_TEST

/* User mode may use a port only if the TSS's map says so. */
GUEST_CODE(user_port, "push 0x1b; push 0x280000; push 2; push 0x23; lea rax, [rip + 1f]\n"
                      "push rax; iretq\n1: in al, 0x61; in al, 0x60; hlt");

START_TEST(test_io_permission_map)
{
    struct cpu_state s = guest_state(g);
    s.seg[CPU_TR].limit = 0x100;
    cpu_set_state(g->cpu, &s);
    guest_poke(g, GUEST_TSS + 0x60, 0x68ULL << 48);
    guest_poke(g, GUEST_TSS + 0x68 + 8, 1ULL << 32); /* port 60h */
    guest_do(g, user_port);
    ck_assert_uint_eq(g->accesses, 1);
    ck_assert_uint_eq(g->log[0].addr, 0x61);
    ck_assert_int_eq(guest_vector(g), 13);
    ck_assert_uint_eq(guest_frame(g, 1), GUEST_CODE_AT + (user_port_end - user_port) - 3);
}
END_TEST

/* ---- Interrupts ---- */

GUEST_CODE(spin, "1: inc ebx; jmp 1b");
GUEST_CODE(sti_shadow, "sti; inc ebx; inc ebx; inc ebx; hlt");
GUEST_CODE(sti_hlt, "sti; hlt; mov ecx, 5; hlt");

START_TEST(test_interrupt_needs_if)
{
    guest_load(g, GUEST_CODE_AT, spin, spin_end);
    g->vector = 0x55;
    cpu_set_intr(g->cpu, true);
    ck_assert_int_eq(guest_run(g, 100, 1000), CPU_EXIT_BUDGET);
    ck_assert_uint_eq(g->acks, 0);
    struct cpu_state s = guest_state(g);
    s.rflags |= 0x200;
    cpu_set_state(g->cpu, &s);
    ck_assert_int_eq(guest_run(g, 100, 1000), CPU_EXIT_HALT);
    ck_assert_uint_eq(g->acks, 1);
    ck_assert_int_eq(guest_vector(g), 0x55);
    ck_assert_uint_eq(guest_state(g).rflags & 0x200, 0);
    ck_assert_uint_eq(guest_frame(g, 2) & 0x200, 0x200);
}
END_TEST

START_TEST(test_sti_shadow)
{
    /* Whatever the quantum: one instruction runs after STI. */
    for (unsigned quantum = 1; quantum < 6; quantum++) {
        guest_long_mode(g);
        guest_load(g, GUEST_CODE_AT, sti_shadow, sti_shadow_end);
        g->vector = 0x40;
        cpu_set_intr(g->cpu, true);
        ck_assert_int_eq(guest_run(g, quantum, 100), CPU_EXIT_HALT);
        ck_assert_int_eq(guest_vector(g), 0x40);
        ck_assert_uint_eq(guest_reg(g, CPU_RBX), 1);
    }
}
END_TEST

START_TEST(test_halt_wakes)
{
    uint64_t retired;
    guest_load(g, GUEST_CODE_AT, sti_hlt, sti_hlt_end);
    ck_assert_int_eq(guest_run(g, 100, 100), CPU_EXIT_HALT);
    ck_assert(!cpu_wants_to_run(g->cpu));
    ck_assert_int_eq(cpu_run(g->cpu, 0, 10, &retired), CPU_EXIT_HALT);
    ck_assert_uint_eq(retired, 0);
    static const uint8_t iret[] = {0x48, 0xCF};
    guest_load(g, GUEST_STUBS + 16 * 0x40, iret, iret + 2);
    g->vector = 0x40;
    cpu_set_intr(g->cpu, true);
    ck_assert(cpu_wants_to_run(g->cpu));
    ck_assert_int_eq(guest_run(g, 100, 100), CPU_EXIT_HALT);
    ck_assert_uint_eq(guest_reg(g, CPU_RCX), 5);
}
END_TEST

START_TEST(test_spurious_ack)
{
    guest_load(g, GUEST_CODE_AT, sti_hlt, sti_hlt_end);
    g->vector = -1;
    cpu_set_intr(g->cpu, true);
    ck_assert_int_eq(guest_run(g, 100, 100), CPU_EXIT_HALT);
    ck_assert_int_eq(guest_vector(g), -1);
}
END_TEST

GUEST_CODE(count_nmis, "inc r9d; cmp r9d, 2; jae 1f; iretq\n1: hlt");

START_TEST(test_nmi_blocks_itself)
{
    uint64_t retired;
    guest_load(g, GUEST_CODE_AT, spin, spin_end);
    guest_set_gate(g, 2, 0, 0, 0x110000);
    guest_load(g, 0x110000, count_nmis, count_nmis_end);
    cpu_raise_nmi(g->cpu);
    cpu_run(g->cpu, 0, 2, &retired); /* delivery, INC */
    ck_assert_uint_eq(guest_reg(g, 9), 1);
    cpu_raise_nmi(g->cpu);
    cpu_run(g->cpu, 0, 1, &retired);
    ck_assert_uint_eq(guest_state(g).rip, 0x110000 + 7); /* after CMP: it was held back */
    ck_assert_int_eq(guest_run(g, 100, 100), CPU_EXIT_HALT);
    ck_assert_uint_eq(guest_reg(g, 9), 2);
}
END_TEST

/* ---- Debug ---- */

GUEST_CODE(single_step, "pushfq; or qword ptr [rsp], 0x100; popfq; nop; inc ebx; hlt");

START_TEST(test_trap_flag)
{
    guest_do(g, single_step);
    ck_assert_int_eq(guest_vector(g), 1);
    ck_assert_uint_eq(guest_frame(g, 0), GUEST_CODE_AT + 11); /* after NOP, which follows POPFQ */
    ck_assert_uint_eq(guest_state(g).dr[6] & 0x4000, 0x4000);
    ck_assert_uint_eq(guest_frame(g, 2) & 0x100, 0x100);
    ck_assert_uint_eq(guest_state(g).rflags & 0x100, 0);
}
END_TEST

/* The branches have been taken before, so that all are linked. */
GUEST_CODE(steps, "call 1f; call 1f; pushfq; or qword ptr [rsp], 0x100; popfq\n"
                  "call 1f; call 1f; pushfq; and qword ptr [rsp], -0x101; popfq; nop; hlt\n"
                  "1: inc ebx; ret");
GUEST_CODE(count_steps, "inc r9d; iretq");

START_TEST(test_trap_after_every_instruction)
{
    guest_set_gate(g, 1, 0, 0, 0x110000);
    guest_load(g, 0x110000, count_steps, count_steps_end);
    guest_do(g, steps);
    ck_assert_uint_eq(guest_reg(g, CPU_RBX), 4);
    ck_assert_uint_eq(guest_reg(g, 9), 2 * 3 + 3);
}
END_TEST

GUEST_CODE(execute_breakpoint, "lea rax, [rip + 1f]; mov dr0, rax; mov eax, 0x402; mov dr7, rax\n"
                               "inc ebx; inc ebx\n1: inc ebx; hlt");

START_TEST(test_execution_breakpoint)
{
    guest_do(g, execute_breakpoint);
    ck_assert_int_eq(guest_vector(g), 1);
    ck_assert_uint_eq(guest_reg(g, CPU_RBX), 2);
    ck_assert_uint_eq(guest_state(g).dr[6] & 0xF, 1);
    /* SDM volume 3, 18.3.1.1: RF is the debugger's business. */
    ck_assert_uint_eq(guest_frame(g, 2) & 0x10000, 0);
}
END_TEST

GUEST_CODE(data_breakpoint, "mov eax, 0x300004; mov dr1, rax; mov eax, 0xd00408; mov dr7, rax\n"
                            "mov [0x300000], eax; mov ecx, [0x300004]; mov [0x300006], ax\n"
                            "inc ebx; hlt");

START_TEST(test_data_breakpoint)
{
    guest_do(g, data_breakpoint);
    ck_assert_int_eq(guest_vector(g), 1);
    ck_assert_uint_eq(guest_reg(g, CPU_RBX), 0);
    ck_assert_uint_eq(guest_state(g).dr[6] & 0xF, 2);
    ck_assert_uint_ne(guest_peek(g, GUEST_DATA) >> 48, 0); /* a trap: the store happened */
}
END_TEST

/* ---- INIT and SIPI: real mode to long mode, as an operating system starts a processor ---- */

GUEST_CODE_BITS(ap_start, 16,
                "cli; mov ax, cs; mov ds, ax; xor ebx, ebx; mov bx, ax; shl ebx, 4\n"
                "add dword ptr [0x82], ebx; lgdt [0x80]\n"
                "mov eax, cr0; or al, 1; mov cr0, eax\n"
                ".byte 0x66, 0xea; .long 0x9000 + 3f - ap_start; .word 0x18\n"
                ".fill 0x80 - (. - ap_start), 1, 0\n"
                "2: .word 0x2f; .long 4f - ap_start\n"
                "4: .quad 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00CF9B000000FFFF\n"
                ".code32\n"
                "3: mov eax, 0x10; mov ds, eax; mov ss, eax; mov eax, 0xa0; mov cr4, eax\n"
                "mov eax, 0x1000; mov cr3, eax; mov ecx, 0xc0000080; rdmsr; or eax, 0x100; wrmsr\n"
                "mov eax, 0x80000001; mov cr0, eax\n"
                ".byte 0xea; .long 0x9000 + 5f - ap_start; .word 8\n"
                ".code64\n"
                "5: mov rax, 0x123456789abcdef; mov [0x300000], rax; rdmsr; hlt");

START_TEST(test_init_sipi)
{
    struct cpu *ap = cpu_group_get(g->group, 1);
    uint64_t retired;
    ck_assert(!cpu_wants_to_run(ap));
    ck_assert_int_eq(cpu_run(ap, 0, 100, &retired), CPU_EXIT_WAIT_SIPI);
    ck_assert_uint_eq(retired, 0);
    guest_load(g, 0x9000, ap_start, ap_start_end);
    cpu_init_signal(ap);
    cpu_sipi(ap, 0x09);
    ck_assert(cpu_wants_to_run(ap));
    ck_assert_int_eq(cpu_run(ap, 0, 1000, &retired), CPU_EXIT_HALT);
    struct cpu_state s;
    cpu_get_state(ap, &s);
    ck_assert_uint_eq(guest_peek(g, GUEST_DATA), 0x123456789ABCDEF);
    ck_assert_uint_eq(s.gpr[CPU_RAX], 0x500); /* EFER: LME and LMA */
    cpu_sipi(ap, 0x20);                       /* no longer waited for */
    ck_assert(!cpu_wants_to_run(ap));
    cpu_init_signal(ap);
    ck_assert_int_eq(cpu_run(ap, 0, 100, &retired), CPU_EXIT_WAIT_SIPI);
}
END_TEST

GUEST_CODE_BITS(real_int, 16, "mov sp, 0x7000; xor ax, ax; mov ss, ax; int 0x20; hlt");

START_TEST(test_real_mode_interrupt)
{
    struct cpu *ap = cpu_group_get(g->group, 1);
    uint64_t retired;
    static const uint8_t handler[] = {0xB3, 0x5A, 0xCF}; /* mov bl, 5ah; iret */
    guest_load(g, 0x9000, real_int, real_int_end);
    guest_load(g, 0xA010, handler, handler + 3);
    guest_poke(g, 0x80, 0x0A000010);
    cpu_sipi(ap, 0x09);
    ck_assert_int_eq(cpu_run(ap, 0, 1000, &retired), CPU_EXIT_HALT);
    struct cpu_state s;
    cpu_get_state(ap, &s);
    ck_assert_uint_eq(s.gpr[CPU_RBX], 0x5A);
    ck_assert_uint_eq(s.gpr[CPU_RSP], 0x7000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu-event");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_fault_frames, 0, sizeof(faults) / sizeof(faults[0]));
    tcase_add_test(t, test_ist);
    tcase_add_test(t, test_double_fault);
    tcase_add_test(t, test_triple_fault);
    tcase_add_test(t, test_fault_loop_ends);
    tcase_add_test(t, test_user_fault_switches_stack);
    tcase_add_test(t, test_syscall_round_trip);
    tcase_add_test(t, test_io_permission_map);
    tcase_add_test(t, test_interrupt_needs_if);
    tcase_add_test(t, test_sti_shadow);
    tcase_add_test(t, test_halt_wakes);
    tcase_add_test(t, test_spurious_ack);
    tcase_add_test(t, test_nmi_blocks_itself);
    tcase_add_test(t, test_trap_flag);
    tcase_add_test(t, test_trap_after_every_instruction);
    tcase_add_test(t, test_execution_breakpoint);
    tcase_add_test(t, test_data_breakpoint);
    tcase_add_test(t, test_init_sipi);
    tcase_add_test(t, test_real_mode_interrupt);
    suite_add_tcase(s, t);
    return guest_run_suite(s);
}
