/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A debugger's stops: where they are met, and that the guest's run is the same with them. */
#include "guest.h"
#include "pcilab/base/bits.h"
#include "pcilab/cpu/debug.h"

#define QUANTUM 7
#define LONG    100000

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

/* Offsets: inc at 7, dec at 10, jnz at 12, hlt at 14. */
GUEST_CODE(loop, "xor eax, eax; mov ecx, 10; 1: inc rax; dec ecx; jnz 1b; hlt");
#define LOOP_INC   7
#define LOOP_TOTAL (2 + 3 * 10 + 1)

static void add(enum cpu_stop_kind kind, uint64_t la, uint64_t len)
{
    ck_assert(cpu_group_stop_add(g->group, &(struct cpu_stop){.kind = kind, .la = la, .len = len}));
}

static enum cpu_exit go(void)
{
    return guest_run(g, QUANTUM, LONG);
}

static uint64_t rip(void)
{
    return guest_state(g).rip - GUEST_CODE_AT;
}

START_TEST(test_exec)
{
    guest_load(g, GUEST_CODE_AT, loop, loop_end);
    add(CPU_STOP_EXEC, GUEST_CODE_AT + LOOP_INC, 0);
    for (unsigned i = 0; i < 10; i++) {
        ck_assert_int_eq(go(), CPU_EXIT_STOP);
        ck_assert_int_eq(cpu_stopped(g->cpu).kind, CPU_STOP_EXEC);
        ck_assert_uint_eq(rip(), LOOP_INC);
        ck_assert_uint_eq(guest_reg(g, CPU_RAX), i);
        cpu_resume(g->cpu, false);
        ck_assert_int_eq(cpu_stopped(g->cpu).kind, CPU_STOP_NONE);
    }
    ck_assert_int_eq(go(), CPU_EXIT_HALT);
    ck_assert_uint_eq(guest_reg(g, CPU_RAX), 10);
    ck_assert_uint_eq(cpu_retired_total(g->cpu), LOOP_TOTAL);
}
END_TEST

START_TEST(test_exec_elsewhere)
{
    /* The same offset of another page. */
    add(CPU_STOP_EXEC, GUEST_CODE_AT + 0x5000 + LOOP_INC, 0);
    ck_assert_int_eq(guest_do(g, loop), CPU_EXIT_HALT);
    ck_assert_uint_eq(cpu_retired_total(g->cpu), LOOP_TOTAL);
}
END_TEST

START_TEST(test_exec_added_while_running)
{
    /* Where it stands without having stopped: the next time round counts. */
    guest_load(g, GUEST_CODE_AT, loop, loop_end);
    ck_assert_int_eq(guest_run(g, 2, 2), CPU_EXIT_BUDGET);
    ck_assert_uint_eq(rip(), LOOP_INC);
    cpu_resume(g->cpu, false);
    ck_assert_int_eq(guest_run(g, 1, 1), CPU_EXIT_BUDGET);
    add(CPU_STOP_EXEC, GUEST_CODE_AT + LOOP_INC, 0);
    ck_assert_int_eq(go(), CPU_EXIT_STOP);
    ck_assert_uint_eq(guest_reg(g, CPU_RAX), 1);
    ck_assert(cpu_group_stop_remove(
        g->group, &(struct cpu_stop){.kind = CPU_STOP_EXEC, .la = GUEST_CODE_AT + LOOP_INC}));
    cpu_resume(g->cpu, false);
    ck_assert_int_eq(go(), CPU_EXIT_HALT);
    ck_assert_uint_eq(cpu_retired_total(g->cpu), LOOP_TOTAL);
}
END_TEST

GUEST_CODE(mmio, "mov ecx, 0x10000000; mov edx, [rcx]; mov [rcx + 8], edx; "
                 "mov eax, 0x300000; mov [rax], edx; hlt");

START_TEST(test_steps)
{
    unsigned steps = 0;

    guest_load(g, GUEST_CODE_AT, mmio, mmio_end);
    for (;;) {
        cpu_resume(g->cpu, true);
        enum cpu_exit why = go();
        if (why == CPU_EXIT_HALT) {
            break;
        }
        ck_assert_int_eq(why, CPU_EXIT_STOP);
        ck_assert_int_eq(cpu_stopped(g->cpu).kind, CPU_STOP_STEP);
        ck_assert_uint_eq(cpu_retired_total(g->cpu), ++steps);
        ck_assert(cpu_at_boundary(g->cpu));
    }
    ck_assert_uint_eq(steps, 6);
    ck_assert_uint_eq(g->accesses, 2);
}
END_TEST

GUEST_CODE(faults, "nop; ud2");

START_TEST(test_step_into_exception)
{
    guest_load(g, GUEST_CODE_AT, faults, faults_end);
    cpu_resume(g->cpu, true);
    ck_assert_int_eq(go(), CPU_EXIT_STOP);
    ck_assert_uint_eq(rip(), 1);
    cpu_resume(g->cpu, true);
    ck_assert_int_eq(go(), CPU_EXIT_STOP);
    ck_assert_uint_eq(guest_state(g).rip, GUEST_STUBS + 16 * 6);
}
END_TEST

/* The stores end at 8 and 16, the load at 20. */
GUEST_CODE(data, "mov ebx, 0x300000; mov [rbx + 4], eax; nop; nop; nop; nop; "
                 "mov [rbx + 64], ax; nop; mov ecx, [rbx + 4]; hlt");

static const struct {
    enum cpu_stop_kind kind;
    uint64_t at, len;
    unsigned rips[4]; /* where it stops, 0 ends */
} watches[] = {
    {CPU_STOP_WRITE, 4, 4, {8}},
    {CPU_STOP_WRITE, 0, 4, {0}},
    {CPU_STOP_WRITE, 7, 1, {8}},
    {CPU_STOP_WRITE, 65, 1, {16}},
    {CPU_STOP_WRITE, 66, 8, {0}},
    {CPU_STOP_READ, 4, 4, {20}},
    {CPU_STOP_ACCESS, 0, 128, {8, 16, 20}},
};

START_TEST(test_data)
{
    unsigned n = 0;
    enum cpu_exit why;

    guest_load(g, GUEST_CODE_AT, data, data_end);
    add(watches[_i].kind, GUEST_DATA + watches[_i].at, watches[_i].len);
    while ((why = go()) == CPU_EXIT_STOP) {
        ck_assert_int_eq(cpu_stopped(g->cpu).kind, watches[_i].kind);
        ck_assert_uint_eq(rip(), watches[_i].rips[n++]);
        cpu_resume(g->cpu, false);
    }
    ck_assert_int_eq(why, CPU_EXIT_HALT);
    ck_assert(n == 4 || watches[_i].rips[n] == 0);
    ck_assert_uint_eq(cpu_retired_total(g->cpu), 10);
}
END_TEST

/* A read of RAM that is watched and a write to a device in one instruction. */
GUEST_CODE(both, "mov esi, 0x300000; mov edi, 0x10000000; movsd; hlt");

START_TEST(test_data_with_access)
{
    guest_load(g, GUEST_CODE_AT, both, both_end);
    add(CPU_STOP_READ, GUEST_DATA, 4);
    ck_assert_int_eq(go(), CPU_EXIT_STOP);
    ck_assert(cpu_at_boundary(g->cpu));
    ck_assert_uint_eq(guest_reg(g, CPU_RSI), GUEST_DATA + 4);
    cpu_resume(g->cpu, false);
    ck_assert_int_eq(go(), CPU_EXIT_HALT);
    ck_assert_uint_eq(g->accesses, 1);
}
END_TEST

START_TEST(test_limits)
{
    struct cpu_stop s = {.kind = CPU_STOP_EXEC};

    for (unsigned i = 0; i < CPU_STOPS_MAX; i++) {
        ck_assert(cpu_group_stop_add(g->group, &s));
    }
    ck_assert(!cpu_group_stop_add(g->group, &s));
    ck_assert(cpu_group_stop_remove(g->group, &s));
    s.la = 5;
    ck_assert(!cpu_group_stop_remove(g->group, &s));
    cpu_group_stops_clear(g->group);
    s.la = 0;
    ck_assert(!cpu_group_stop_remove(g->group, &s));
    /* To the end of memory, and around it. */
    add(CPU_STOP_ACCESS, UINT64_MAX - 4, 100);
    ck_assert_int_eq(guest_do(g, loop), CPU_EXIT_HALT);
}
END_TEST

START_TEST(test_translate)
{
    uint64_t gpa;

    guest_map_window(g);
    guest_set_pte(g, 3, GUEST_DATA | 3);
    guest_do(g, loop);
    ck_assert(cpu_debug_translate(g->cpu, GUEST_CODE_AT + 5, &gpa) && gpa == GUEST_CODE_AT + 5);
    ck_assert(cpu_debug_translate(g->cpu, GUEST_WINDOW + 0x3123, &gpa) &&
              gpa == GUEST_DATA + 0x123);
    ck_assert(!(guest_peek(g, GUEST_PT + 3 * 8) & 0x20)); /* no accessed bit */
    ck_assert(!cpu_debug_translate(g->cpu, GUEST_WINDOW + 0x4000, &gpa));
    ck_assert(!cpu_debug_translate(g->cpu, 1ULL << 47, &gpa));
    ck_assert(!cpu_debug_translate(g->cpu, 1ULL << 40, &gpa));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu-stops");
    TCase *t = tcase_create("all");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_exec);
    tcase_add_test(t, test_exec_elsewhere);
    tcase_add_test(t, test_exec_added_while_running);
    tcase_add_test(t, test_steps);
    tcase_add_test(t, test_step_into_exception);
    tcase_add_loop_test(t, test_data, 0, ARRAY_LEN(watches));
    tcase_add_test(t, test_data_with_access);
    tcase_add_test(t, test_limits);
    tcase_add_test(t, test_translate);
    suite_add_tcase(s, t);
    return guest_run_suite(s);
}
