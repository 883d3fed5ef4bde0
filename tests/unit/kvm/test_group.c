/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KVM's processors behind the processor interface, on a KVM that does what a script says. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_kvm.h"
#include "hw/cpu/kvm/group.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/sim/sim.h"

#define PS_PER_INSN 2000u
#define EOI_GPA     0xfec00040ULL
#define US_INSNS    500u /* instructions of a microsecond */

static struct fake_kvm fake;
static struct cpu_group *group;
static uint8_t ram[4096] __attribute__((aligned(4096)));

static GError *make(const struct fake_exit *script, unsigned length, unsigned cpus)
{
    const struct cpu_ram piece = {.size = sizeof(ram), .host = ram};
    const struct cpu_group_config config = {
        .count = cpus, .ps_per_insn = PS_PER_INSN, .ram = &piece, .ram_count = 1};
    GError *error = NULL;

    fake_kvm_init(&fake, script, length);
    group = kvm_group_new(&config, &fake.host, EOI_GPA, &error);
    return error;
}

#define MAKE(script, cpus) ck_assert_ptr_null(make(script, ARRAY_LEN(script), cpus))

static void teardown(void)
{
    cpu_group_free(group);
    group = NULL;
    ck_assert_int_eq(fake.open_fds, 0);
    ck_assert_uint_eq(fake.mapped, 0);
}

static enum cpu_exit run(unsigned index, uint64_t now_ps, uint64_t *retired)
{
    return cpu_run(cpu_group_get(group, index), now_ps, 100 * US_INSNS, retired);
}

/* Three elements of a string are three accesses, and the guest gets all three answers. */
START_TEST(test_string_io)
{
    static const struct fake_exit script[] = {
        {.kind = FAKE_IN, .addr = 0x60, .value = 0x100, .size = 2, .count = 3},
        {.kind = FAKE_OUT, .addr = 0x61, .value = 7, .size = 4, .count = 2},
        {.kind = FAKE_EXIT, .value = KVM_EXIT_SHUTDOWN},
    };
    uint64_t now_ps = 0, retired;
    uint8_t data[2];

    MAKE(script, 1);
    struct cpu *cpu = cpu_group_get(group, 0);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(run(0, now_ps, &retired), CPU_EXIT_ACCESS);
        ck_assert_int_eq(run(0, now_ps, &retired), CPU_EXIT_ACCESS); /* still */
        const struct cpu_access *a = cpu_access(cpu);
        ck_assert(a->kind == CPU_IO_READ && a->addr == 0x60 && a->size_bytes == 2);
        le16_store(data, (uint16_t)(0x100 + i));
        cpu_complete(cpu, data, false);
    }
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(run(0, now_ps, &retired), CPU_EXIT_ACCESS);
        const struct cpu_access *a = cpu_access(cpu);
        ck_assert(a->kind == CPU_IO_WRITE && a->addr == 0x61 && a->size_bytes == 4);
        ck_assert_uint_eq(le32_load(a->data), 7 + i);
        cpu_complete(cpu, NULL, false);
    }
    ck_assert_int_eq(run(0, now_ps, &retired), CPU_EXIT_SHUTDOWN);
    ck_assert_int_eq(run(0, now_ps, &retired), CPU_EXIT_SHUTDOWN);
    ck_assert_ptr_null(kvm_group_failure(group)); /* the guest's own doing */
    ck_assert(!fake.wrong_answer);
}
END_TEST

START_TEST(test_eoi)
{
    static const struct fake_exit script[] = {{.kind = FAKE_EOI, .value = 0x77}};
    uint64_t retired;

    MAKE(script, 1);
    ck_assert_int_eq(run(0, 0, &retired), CPU_EXIT_ACCESS);
    const struct cpu_access *a = cpu_access(cpu_group_get(group, 0));
    ck_assert(a->kind == CPU_MEM_WRITE && a->addr == EOI_GPA && a->size_bytes == 4);
    ck_assert_uint_eq(le32_load(a->data), 0x77);
    cpu_complete(cpu_group_get(group, 0), NULL, false);
}
END_TEST

/* What the host does and the guest has not asked for. */
START_TEST(test_host_fails)
{
    static const struct fake_exit script[] = {{.kind = FAKE_INTERNAL, .value = 1}};
    uint64_t retired;

    MAKE(script, 1);
    ck_assert_int_eq(run(0, 0, &retired), CPU_EXIT_SHUTDOWN);
    ck_assert_ptr_nonnull(strstr(kvm_group_failure(group), "cannot run the instruction at RIP"));
    fake.length = 0;
    cpu_group_reset(group);
    ck_assert_ptr_null(kvm_group_failure(group));
    ck_assert_int_eq(run(0, 0, &retired), CPU_EXIT_BUDGET);
}
END_TEST

/* The bytes of it are named; never more of them than there are. */
START_TEST(test_instruction)
{
    static const struct {
        struct fake_exit exit;
        const char *text;
    } cases[] = {
        {{.kind = FAKE_INTERNAL, .value = 1, .size = 3}, "instruction: 90 91 92 at RIP"},
        {{.kind = FAKE_INTERNAL, .value = 1, .size = 255}, "9c 9d 9e at RIP"},
    };
    uint64_t retired;

    ck_assert_ptr_null(make(&cases[_i].exit, 1, 1));
    ck_assert_int_eq(run(0, 0, &retired), CPU_EXIT_SHUTDOWN);
    ck_assert_ptr_nonnull(strstr(kvm_group_failure(group), cases[_i].text));
}
END_TEST

/* Time is the host's; a budget is a time. */
START_TEST(test_time)
{
    static const struct fake_exit script[] = {
        {.kind = FAKE_TIME, .value = 30000},
        {.kind = FAKE_MMIO_WRITE, .addr = 0x5000},
    };
    const uint64_t start_ps = 5 * PS_PER_MS;
    uint64_t retired;

    MAKE(script, 1);
    struct cpu *cpu = cpu_group_get(group, 0);
    ck_assert_int_eq(run(0, start_ps, &retired), CPU_EXIT_ACCESS);
    ck_assert_uint_ge(retired, 30 * US_INSNS);
    ck_assert_uint_lt(retired, 50 * US_INSNS);
    ck_assert_uint_eq(cpu_now_ps(cpu), start_ps + retired * PS_PER_INSN);
    cpu_complete(cpu, NULL, false);
    uint64_t now_ps = cpu_now_ps(cpu);
    ck_assert_int_eq(run(0, now_ps, &retired), CPU_EXIT_BUDGET);
    ck_assert_uint_ge(retired, 100 * US_INSNS);
    /* A device has pushed virtual time on by 5 ms: 4 of them are waited for. */
    uint64_t before_ns = fake.now_ns;
    ck_assert_int_eq(run(0, cpu_now_ps(cpu) + 5 * PS_PER_MS, &retired), CPU_EXIT_BUDGET);
    ck_assert_uint_ge(fake.now_ns - before_ns, 5000000);
    ck_assert_uint_eq(cpu_tsc_at(cpu, PS_PER_S), FAKE_TSC_KHZ * 1000ULL);
}
END_TEST

/* Of several, one that has halted does not use up its turn. */
START_TEST(test_halted_turns)
{
    static const struct fake_exit script[] = {{.kind = FAKE_SLEEP}};
    uint64_t retired;

    MAKE(script, 2);
    ck_assert_int_eq(run(0, 0, &retired), CPU_EXIT_BUDGET);
    ck_assert_uint_ge(retired, 100 * US_INSNS);
    uint64_t before_ns = fake.now_ns;
    ck_assert_int_eq(run(0, retired * PS_PER_INSN, &retired), CPU_EXIT_BUDGET);
    ck_assert_uint_lt(fake.now_ns - before_ns, 50000);
    ck_assert_uint_ge(fake.now_ns - before_ns, 15000);
    fake.mp_state = KVM_MP_STATE_RUNNABLE;
    run(0, retired * PS_PER_INSN, &retired);
    before_ns = fake.now_ns;
    run(0, cpu_now_ps(cpu_group_get(group, 0)), &retired);
    ck_assert_uint_ge(fake.now_ns - before_ns, 90000);
}
END_TEST

START_TEST(test_messages)
{
    static const struct fake_exit none[] = {{.kind = FAKE_SLEEP}};

    MAKE(none, 1);
    kvm_group_msi(group, 0xfee01000, 0x41);
    ck_assert_uint_eq(fake.last_msi.data, 0x41);
    ck_assert_uint_eq(fake.routings, 0);
    for (unsigned i = 0; i < 3; i++)
        kvm_group_msi(group, 0xfee00000, 0xc050);
    ck_assert_uint_eq(fake.routings, 1); /* the same level-triggered message */
    for (unsigned i = 0; i < 100; i++)
        kvm_group_msi(group, 0x1200fee00000ULL, 0xc000 + i);
    ck_assert_uint_eq(fake.routings, 101);
    ck_assert_uint_eq(fake.last_msi.address_lo, 0xfee00000);
    ck_assert_uint_eq(fake.last_msi.address_hi, 0x1200);
}
END_TEST

/* The button is at LINT1. */
START_TEST(test_nmi)
{
    static const struct fake_exit none[] = {{.kind = FAKE_SLEEP}};

    MAKE(none, 1);
    cpu_raise_nmi(cpu_group_get(group, 0));
    ck_assert_uint_eq(fake.nmis, 1);
    fake.lint1 = 0x10400; /* masked */
    cpu_raise_nmi(cpu_group_get(group, 0));
    fake.lint1 = 0x700; /* ExtINT */
    cpu_raise_nmi(cpu_group_get(group, 0));
    ck_assert_uint_eq(fake.nmis, 1);
}
END_TEST

/* A reset is a new machine; where there is none, nothing runs, and it is said why. */
START_TEST(test_reset_fails)
{
    static const struct fake_exit none[] = {{.kind = FAKE_SLEEP}};
    struct cpu_state state;
    uint64_t retired;

    MAKE(none, 2);
    fake.refused = KVM_CREATE_VM;
    cpu_group_reset(group);
    ck_assert_int_eq(run(0, 0, &retired), CPU_EXIT_SHUTDOWN);
    ck_assert_int_eq(run(1, 0, &retired), CPU_EXIT_SHUTDOWN);
    ck_assert_ptr_nonnull(strstr(kvm_group_failure(group), "KVM_CREATE_VM"));
    cpu_get_state(cpu_group_get(group, 1), &state);
    cpu_set_state(cpu_group_get(group, 1), &state);
    kvm_group_msi(group, 0xfee00000, 0xc050);
    cpu_raise_nmi(cpu_group_get(group, 1));
}
END_TEST

START_TEST(test_refused)
{
    GError *error;

    fake_kvm_init(&fake, NULL, 0);
    const struct cpu_ram piece = {.size = sizeof(ram), .host = ram};
    const struct cpu_group_config config = {
        .count = 2, .ps_per_insn = PS_PER_INSN, .ram = &piece, .ram_count = 1};
    error = NULL;
    fake.absent = true;
    group = kvm_group_new(&config, &fake.host, EOI_GPA, &error);
    ck_assert_ptr_null(group);
    ck_assert(g_error_matches(error, KVM_ERROR, KVM_ERROR_ABSENT));
    g_error_free(error);
}
END_TEST

/* ---- CPUID ---- */

static struct kvm_leaves leaves;

static const struct kvm_cpuid_entry2 *leaf(uint32_t function, uint32_t index)
{
    const struct kvm_cpuid_entry2 *found = NULL;

    for (unsigned i = 0; i < leaves.nent; i++) {
        if (leaves.entry[i].function == function && leaves.entry[i].index == index) {
            ck_assert_ptr_null(found);
            found = &leaves.entry[i];
        }
    }
    return found;
}

static void shape_of(bool intel, unsigned index, unsigned count, unsigned tsc_khz)
{
    const struct kvm_cpuid_entry2 host[] = {
        {.function = 0,
         .eax = 0xd,
         .ebx = intel ? 0x756e6547 : 0x68747541,
         .ecx = intel ? 0x6c65746e : 0x444d4163,
         .edx = intel ? 0x49656e69 : 0x69746e65},
        {.function = 1, .ebx = 0xff7f0800, .ecx = 0x80000008, .edx = 0x10000001},
        {.function = 0xb, .ebx = 77},
        {.function = 0x40000000, .eax = 0x40000001},
        {.function = 0x40000001, .eax = 0xffffffff},
        {.function = 0x40000010, .eax = 1},
    };

    memset(&leaves, 0, sizeof(leaves));
    memcpy(leaves.entry, host, sizeof(host));
    leaves.nent = ARRAY_LEN(host);
    ck_assert(kvm_cpuid_shape(&leaves, index, count, tsc_khz));
}

static void shape(unsigned index, unsigned count, unsigned tsc_khz)
{
    shape_of(true, index, count, tsc_khz);
}

START_TEST(test_cpuid)
{
    shape(3, 4, 2300000);
    ck_assert_uint_ge(leaf(0, 0)->eax, 0x16);
    ck_assert_uint_eq(leaf(1, 0)->ebx, 0x03040800);
    ck_assert_uint_eq(leaf(1, 0)->ecx, BIT(21) | BIT(24)); /* no hypervisor, no MONITOR */
    ck_assert_uint_eq(leaf(1, 0)->edx, 0x10000001);
    ck_assert_uint_eq(leaf(0xb, 1)->ebx, 4);
    ck_assert_uint_eq(leaf(0xb, 1)->edx, 3);
    ck_assert_ptr_null(leaf(0x40000000, 0));
    shape(0, 1, 2300000);
    ck_assert_uint_eq(leaf(1, 0)->edx, 1); /* one thread */
    for (leaves.nent = 0; leaves.nent < ARRAY_LEN(leaves.entry); leaves.nent++)
        leaves.entry[leaves.nent].function = 2;
    ck_assert(!kvm_cpuid_shape(&leaves, 0, 1, 2300000));
}
END_TEST

/* Without a leaf of the TSC's rate the guest needs KVM's clock, and gets no more of KVM. */
START_TEST(test_cpuid_of_others)
{
    shape_of(false, 1, 2, 3000000);
    ck_assert_uint_eq(leaf(1, 0)->ecx, BIT(21) | BIT(24) | BIT(31));
    ck_assert_uint_eq(leaf(0x40000001, 0)->eax, BIT(3) | BIT(24));
    ck_assert_ptr_nonnull(leaf(0x40000000, 0));
    ck_assert_ptr_null(leaf(0x40000010, 0));
}
END_TEST

/* As Linux computes it, in 32 bits. */
START_TEST(test_clock)
{
    static const unsigned rates_khz[] = {800000, 1000000, 2299998, 2300000, 2894561, 4700000};

    for (unsigned i = 0; i < ARRAY_LEN(rates_khz); i++) {
        shape(0, 1, rates_khz[i]);
        const struct kvm_cpuid_entry2 *clock = leaf(0x15, 0);
        uint32_t khz = clock->ecx / 1000 * clock->ebx / clock->eax;
        ck_assert_uint_eq(clock->ecx, 1000000000);
        ck_assert_uint_le(khz > rates_khz[i] ? khz - rates_khz[i] : rates_khz[i] - khz,
                          rates_khz[i] / 100000);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("kvm-group");
    TCase *t = tcase_create("processors");
    TCase *cpuid = tcase_create("cpuid");

    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_test(t, test_string_io);
    tcase_add_test(t, test_eoi);
    tcase_add_test(t, test_host_fails);
    tcase_add_loop_test(t, test_instruction, 0, 2);
    tcase_add_test(t, test_time);
    tcase_add_test(t, test_halted_turns);
    tcase_add_test(t, test_messages);
    tcase_add_test(t, test_nmi);
    tcase_add_test(t, test_reset_fails);
    tcase_add_test(t, test_refused);
    tcase_add_test(cpuid, test_cpuid);
    tcase_add_test(cpuid, test_cpuid_of_others);
    tcase_add_test(cpuid, test_clock);
    suite_add_tcase(s, t);
    suite_add_tcase(s, cpuid);
    SRunner *r = srunner_create(s);
    srunner_set_tap(r, "-");
    srunner_run_all(r, CK_SILENT);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
