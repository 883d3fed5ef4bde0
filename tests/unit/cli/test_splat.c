/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Splats: what is one, where it ends, what is expected; the log. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "boot_log.h"
#include "pcilab/sim/sim.h"
#include "splat.h"

static void say(struct splats *s, const char *text)
{
    for (; *text; text++) {
        splats_byte(s, (uint8_t)*text);
    }
}

static struct splats *heard(const char *text)
{
    struct splats *s = splats_new();

    say(s, text);
    splats_end(s);
    return s;
}

/* One line of each kind as kernels print it. */
static const struct {
    const char *name, *line;
} lines[] = {
    {"warn", "WARNING: CPU: 1 PID: 77 at drivers/pci/msi/msi.c:415 __pci_enable_msi_range+0x1/0x2"},
    {"warn", "WARNING: drivers/pci/probe.c:12 at pci_scan+0x1/0x2, CPU#0: swapper/0/1"},
    {"lockdep", "WARNING: possible circular locking dependency detected"},
    {"lockdep", "WARNING: possible recursive locking detected"},
    {"lockdep", "WARNING: inconsistent lock state"},
    {"lockdep", "WARNING: suspicious RCU usage"},
    {"lockdep", "WARNING: bad unlock balance detected!"},
    {"lockdep", "[ BUG: Invalid wait context ]"},
    {"kasan", "BUG: KASAN: slab-out-of-bounds in nvme_probe+0x1f/0x30"},
    {"kfence", "BUG: KFENCE: use-after-free read in foo+0x1/0x2"},
    {"kcsan", "BUG: KCSAN: data-race in foo / bar"},
    {"ubsan", "UBSAN: array-index-out-of-bounds in drivers/pci/pci.c:11:12"},
    {"lockup", "watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [sh:1]"},
    {"lockup", "watchdog: Watchdog detected hard LOCKUP on cpu 1"},
    {"hung-task", "INFO: task modprobe:71 blocked for more than 120 seconds."},
    {"rcu-stall", "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:"},
    {"rcu-stall", "rcu: INFO: rcu_sched self-detected stall on CPU"},
    {"oops", "BUG: kernel NULL pointer dereference, address: 0000000000000008"},
    {"oops", "BUG: unable to handle page fault for address: ffff888000000000"},
    {"oops", "Oops: general protection fault, probably for non-canonical address 0x1: 0000 [#1]"},
    {"oops", "general protection fault, probably for non-canonical address 0x1: 0000 [#1] SMP"},
    {"bug", "kernel BUG at drivers/pci/pci.c:100!"},
    {"bug", "BUG: sleeping function called from invalid context at mm/slab.c:1"},
    {"bug", "BUG: Bad page state in process sh  pfn:00001"},
    {"bug", "BUG kmalloc-64 (Not tainted): Right Redzone overwritten"},
    {"oops", "divide error: 0000 [#1] PREEMPT SMP NOPTI"},
    {"panic", "Kernel panic - not syncing: Attempted to kill init!"},
    {"leak", "kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)"},
    {"dmar", "DMAR: DRHD: handling fault status reg 2"},
    {"dmar", "DMAR: [DMA Read NO_PASID] Request device [01:00.0] fault addr 0x1000 [fault reason "
             "0x06] PTE Read access is not set"},
    {"dmar", "DMAR: [INTR-REMAP] Request device [01:00.0] fault index 0x1 [fault reason 0x22] x"},
    {"aer", "pcieport 0000:00:01.0: AER: Correctable error message received from 0000:01:00.0"},
    {"aer", "pcieport 0000:00:01.0: AER: Multiple Uncorrectable (Fatal) error message received "
            "from 0000:01:00.0"},
    {"aer", "nvme 0000:01:00.0: PCIe Bus Error: severity=Correctable, type=Physical Layer, (R)"},
    {"dpc", "pcieport 0000:00:01.0: DPC: containment event, status:0x1f01 source:0x0000"},
};

START_TEST(kinds)
{
    static const char *const before[] = {"", "[    0.001234] ", "[ 1234.567890] [    T1] ",
                                         "[    1.000000][   C0] ", "/ # [    2.000000] "};

    for (unsigned i = 0; i < G_N_ELEMENTS(before); i++) {
        char *text = g_strconcat(before[i], lines[_i].line, "\r\n", NULL);
        struct splats *s = heard(text);
        ck_assert_msg(splats_count(s) == 1, "not recognised: %s", text);
        ck_assert_str_eq(splats_first_name(s), lines[_i].name);
        ck_assert_str_eq(splats_first_line(s), lines[_i].line);
        splats_free(s);
        g_free(text);
    }
}
END_TEST

/* What a healthy kernel says. */
START_TEST(no_splats)
{
    static const char *const healthy[] = {
        "pcieport 0000:00:01.0: AER: enabled with IRQ 24",
        "pcieport 0000:00:01.0: DPC: enabled with IRQ 24",
        "DMAR: Host address width 46",
        "DMAR: DRHD base: 0x000000fed90000 flags: 0x0",
        "AMD-Vi: Interrupt remapping enabled",
        "rcu: Hierarchical RCU implementation.",
        "rcu: INFO: rcu_preempt is fine",
        "INFO: lockdep is turned off.",
        "WARNING: a program may say this",
        "x86/bugs: BUG: is not at the start",
        "kmemleak: Kernel memory leak detector initialized",
        "Oops: not one",
    };

    struct splats *s = heard(healthy[_i]);
    ck_assert_msg(splats_count(s) == 0, "%s: %s", splats_first_name(s), healthy[_i]);
    ck_assert_ptr_null(splats_first_name(s));
    ck_assert_ptr_null(splats_first_text(s));
    splats_free(s);
}
END_TEST

START_TEST(programs_are_not_the_kernel)
{
    struct splats *s = heard("[    0.000000] Linux version 6.12\nBUG: KASAN: a program's\n"
                             "sum [ 1.5] BUG: KASAN: not a stamp either\n");

    ck_assert_uint_eq(splats_count(s), 0);
    say(s, "# [    9.000000] BUG: KASAN: the kernel's\n");
    ck_assert_uint_eq(splats_count(s), 1);
    splats_free(s);
}
END_TEST

static const char oops[] =
    "[    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000008\n"
    "[    1.000100] #PF: supervisor read access in kernel mode\n"
    "user space chatters\n"
    "[    1.000200] Oops: Oops: 0000 [#1] PREEMPT SMP\n"
    "[    1.000300] RIP: 0010:foo+0x1/0x2\n"
    "[    1.000400] ---[ end trace 0000000000000000 ]---\n";

START_TEST(one_splat_of_many_lines)
{
    struct splats *s = heard(oops);

    ck_assert_uint_eq(splats_count(s), 1);
    ck_assert_ptr_nonnull(strstr(splats_first_text(s), "RIP: 0010"));
    ck_assert_ptr_nonnull(strstr(splats_first_text(s), "end trace"));
    ck_assert_ptr_null(strstr(splats_first_text(s), "chatters"));
    say(s, "[    1.000500] after it\n");
    ck_assert_ptr_null(strstr(splats_first_text(s), "after it"));
    say(s, oops);
    ck_assert_uint_eq(splats_count(s), 2);
    char *summary = splats_summary(s);
    ck_assert_str_eq(summary, "2 oops");
    g_free(summary);
    splats_free(s);
}
END_TEST

/* A kind without a last line ends when the kernel speaks of something else, a second later. */
/* What a WARN says comes before its first line. */
START_TEST(words_of_a_warning)
{
    struct splats *s = heard("[    1.000000] ------------[ cut here ]------------\n"
                             "[    1.000001] too early for\n"
                             "[    3.000000] pci 0000:00:01.0: Adding to iommu group 0\n"
                             "[    3.100000] ------------[ cut here ]------------\n"
                             "[    3.100001] refcount_t: underflow; use-after-free.\n"
                             "[    3.100002] WARNING: CPU: 0 PID: 1 at lib/refcount.c:28\n"
                             "[    3.100003] Modules linked in:\n");

    ck_assert_uint_eq(splats_count(s), 1);
    ck_assert_str_eq(splats_first_line(s), "WARNING: CPU: 0 PID: 1 at lib/refcount.c:28");
    ck_assert_str_eq(splats_first_text(s), "[    3.100001] refcount_t: underflow; use-after-free.\n"
                                           "[    3.100002] WARNING: CPU: 0 PID: 1 at "
                                           "lib/refcount.c:28\n"
                                           "[    3.100003] Modules linked in:\n");
    splats_free(s);

    s = heard("[    1.000000] ------------[ cut here ]------------\n"
              "[    1.000001] of long ago\n"
              "[    3.000000] BUG: Bad page state\n");
    ck_assert_str_eq(splats_first_text(s), "[    3.000000] BUG: Bad page state\n");
    splats_free(s);
}
END_TEST

START_TEST(silence_ends_a_splat)
{
    struct splats *s = heard("[    5.000000] WARNING: possible recursive locking detected\n"
                             "[    5.010000] its stack\n"
                             "[    7.000000] something else\n");

    ck_assert_ptr_nonnull(strstr(splats_first_text(s), "its stack"));
    ck_assert_ptr_null(strstr(splats_first_text(s), "something else"));
    splats_free(s);
    s = heard("[    5.000000] WARNING: possible recursive locking detected\n"
              "[    0.000000] Linux version 6.12\n");
    ck_assert_ptr_null(strstr(splats_first_text(s), "Linux"));
    splats_free(s);
}
END_TEST

START_TEST(endless_splat_is_bounded)
{
    struct splats *s = heard("[    5.000000] WARNING: possible recursive locking detected\n");

    for (unsigned i = 0; i < 5000; i++) {
        say(s, "[    5.000000] on and on\n");
    }
    ck_assert_uint_lt(strlen(splats_first_text(s)), 110 * 60);
    say(s, "[    5.000000] BUG: KASAN: another\n");
    ck_assert_uint_eq(splats_count(s), 2);
    splats_free(s);
}
END_TEST

START_TEST(another_kind_ends_a_splat)
{
    struct splats *s = heard("[    5.000000] WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2\n"
                             "[    5.000001] BUG: KASAN: use-after-free in g\n"
                             "[    5.000002] DMAR: DRHD: handling fault status reg 2\n"
                             "[    5.000003] DMAR: [DMA Write NO_PASID] Request device [fault "
                             "reason 0x05]\n");
    char *summary = splats_summary(s);

    ck_assert_str_eq(summary, "1 kasan, 1 warn, 1 dmar");
    ck_assert_str_eq(splats_first_name(s), "warn");
    g_free(summary);
    splats_free(s);
}
END_TEST

START_TEST(expected_ones)
{
    struct splats *s = splats_new();
    GError *error = NULL;

    ck_assert(splats_allow(s, "aer", NULL));
    ck_assert(splats_allow(s, "at drivers/pci/.*\\bfoo\\+", NULL));
    ck_assert(!splats_allow(s, "(", &error));
    g_clear_error(&error);
    say(s, "[    1.000000] a 0000:00:01.0: AER: Correctable error message received from b\n"
           "[    2.000000] WARNING: CPU: 0 PID: 1 at drivers/pci/x.c:1 foo+0x1/0x2\n"
           "[    2.000001] ---[ end trace 0000000000000000 ]---\n");
    ck_assert_uint_eq(splats_count(s), 0);
    ck_assert_uint_eq(splats_allowed(s), 2);
    say(s, "[    3.000000] WARNING: CPU: 0 PID: 1 at drivers/pci/x.c:1 food+0x1/0x2\n");
    ck_assert_uint_eq(splats_count(s), 1);
    ck_assert_ptr_nonnull(strstr(splats_first_text(s), "food"));
    splats_free(s);
}
END_TEST

/* Anything may come from a guest. */
START_TEST(noise)
{
    struct splats *s = splats_new();
    GRand *rand = g_rand_new_with_seed(1);
    static const char pieces[] = "[]. 0123456789TC\n\r";

    for (unsigned i = 0; i < 300000; i++) {
        splats_byte(s, i % 3 ? (uint8_t)pieces[g_rand_int_range(rand, 0, sizeof(pieces) - 1)]
                             : (uint8_t)g_rand_int(rand));
    }
    say(s, "\n");
    for (unsigned i = 0; i < 100000; i++) {
        splats_byte(s, '[');
    }
    say(s, "\n[    9.000000] BUG: KASAN: after all\n");
    ck_assert_uint_eq(splats_count(s), 1);
    g_rand_free(rand);
    splats_free(s);
}
END_TEST

START_TEST(log_of_two_boots)
{
    char name[] = "/tmp/pcilab-test-XXXXXX", *text;
    int fd = mkstemp(name);
    struct boot_log *log = boot_log_new(name, NULL);

    for (const char *c = "one\r\ntwo"; *c; c++) {
        boot_log_byte(log, (uint8_t)*c, PS_PER_MS * (uint64_t)(c[0] == 't' ? 1500 : 250), 7000);
    }
    /* What is complete is in the file already. */
    ck_assert(g_file_get_contents(name, &text, NULL, NULL));
    ck_assert_ptr_nonnull(strstr(text, "  one\n"));
    g_free(text);
    boot_log_note(log, "reset");
    boot_log_byte(log, 'x', 2000 * PS_PER_MS, 9000000);
    ck_assert_int_eq(boot_log_free(log), 0);
    ck_assert(g_file_get_contents(name, &text, NULL, NULL));
    ck_assert_str_eq(text, "     0.250000     0.007  one\n"
                           "     1.500000     0.007  two\n"
                           "# reset\n"
                           "     2.000000     9.000  x\n");
    g_free(text);
    close(fd);
    unlink(name);
}
END_TEST

START_TEST(log_that_cannot_be)
{
    GError *error = NULL;

    ck_assert_ptr_null(boot_log_new("/nonexistent/log", &error));
    ck_assert_ptr_nonnull(strstr(error->message, "/nonexistent/log: No such file"));
    g_error_free(error);
    struct boot_log *log = boot_log_new("/dev/full", NULL);
    boot_log_note(log, "lost");
    ck_assert_int_eq(boot_log_free(log), ENOSPC);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("splat");
    TCase *tc = tcase_create("splat");
    SRunner *sr = srunner_create(suite);

    suite_add_tcase(suite, tc);
    tcase_add_loop_test(tc, kinds, 0, G_N_ELEMENTS(lines));
    tcase_add_loop_test(tc, no_splats, 0, 12);
    tcase_add_test(tc, programs_are_not_the_kernel);
    tcase_add_test(tc, one_splat_of_many_lines);
    tcase_add_test(tc, words_of_a_warning);
    tcase_add_test(tc, silence_ends_a_splat);
    tcase_add_test(tc, endless_splat_is_bounded);
    tcase_add_test(tc, another_kind_ends_a_splat);
    tcase_add_test(tc, expected_ones);
    tcase_add_test(tc, noise);
    tcase_add_test(tc, log_of_two_boots);
    tcase_add_test(tc, log_that_cannot_be);
    srunner_set_tap(sr, "-");
    srunner_run_all(sr, CK_SILENT);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
