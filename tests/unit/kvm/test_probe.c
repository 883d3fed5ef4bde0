/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every verdict of the probe, on a KVM that does what a script says. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_kvm.h"
#include "pcilab/base/bits.h"

#define DONE(n)                                                                                    \
    {                                                                                              \
        .kind = FAKE_OUT, .addr = 0xe0, .value = (n)                                               \
    }
#define WANT(n)                                                                                    \
    {                                                                                              \
        .kind = FAKE_OUT, .addr = 0xe1, .value = (n)                                               \
    }
#define WRONG                                                                                      \
    {                                                                                              \
        .kind = FAKE_OUT, .addr = 0xe2                                                             \
    }
#define EOI_GPA      0xfec00040
#define LEVEL_VECTOR 0x41

/* A host on which everything works. */
static const struct fake_exit good[] = {
    DONE(KVM_PROBE_REAL),
    DONE(KVM_PROBE_LONG),
    {.kind = FAKE_IN, .addr = 0xe3, .value = 0x5a},
    DONE(KVM_PROBE_PORT),
    {.kind = FAKE_MMIO_READ, .addr = 0x300000, .value = 0x12345678},
    {.kind = FAKE_MMIO_WRITE, .addr = 0x300008, .value = 0xedcba987},
    DONE(KVM_PROBE_MMIO),
    WANT(KVM_PROBE_INTERRUPT),
    DONE(KVM_PROBE_INTERRUPT),
    WANT(KVM_PROBE_HALT),
    {.kind = FAKE_SLEEP},
    DONE(KVM_PROBE_HALT),
    WANT(KVM_PROBE_LEVEL),
    {.kind = FAKE_EOI, .value = LEVEL_VECTOR},
    DONE(KVM_PROBE_LEVEL),
    DONE(KVM_PROBE_TIMER),
    DONE(KVM_PROBE_BMI),
    DONE(KVM_PROBE_AVX),
};

enum { AT_LONG = 1, AT_PORT = 3, AT_READ = 4, AT_WRITE = 5, AT_INTERRUPT = 8, AT_SLEEP = 10 };
enum { AT_HALT = 11, AT_EOI = 13, AT_LEVEL = 14, AT_TIMER = 15, AT_BMI = 16, AT_AVX = 17 };

static struct fake_kvm fake;

static void expect_failure(enum kvm_probe_step step, const char *why)
{
    struct kvm_verdict v;

    ck_assert(!kvm_probe(&fake.host, &v));
    ck_assert_msg(v.failed == step && strstr(v.why, why), "step %d, not %d: %s", v.failed, step,
                  v.why);
    ck_assert_int_eq(fake.open_fds, 0);
    ck_assert_uint_eq(fake.mapped, 0);
}

START_TEST(test_good)
{
    struct kvm_verdict v;

    fake_kvm_init(&fake, good, ARRAY_LEN(good));
    bool ok = kvm_probe(&fake.host, &v);
    ck_assert_msg(ok, "%s", v.why);
    ck_assert_int_eq(v.failed, KVM_PROBE_STEPS);
    ck_assert(!fake.wrong_answer);
    ck_assert_uint_eq(fake.signals, 3);
    ck_assert_uint_eq(fake.routings, 1);
    ck_assert_int_eq(fake.open_fds, 0);
    ck_assert_uint_eq(fake.mapped, 0);
}
END_TEST

/* The EOI may be told when the guest is further on, but not never. */
START_TEST(test_late_eoi)
{
    struct fake_exit script[ARRAY_LEN(good)];
    struct kvm_verdict v;

    memcpy(script, good, sizeof(good));
    script[AT_EOI] = good[AT_LEVEL];
    script[AT_LEVEL] = good[AT_EOI];
    fake_kvm_init(&fake, script, ARRAY_LEN(script));
    ck_assert(kvm_probe(&fake.host, &v));
}
END_TEST

static const struct {
    unsigned at;
    struct fake_exit instead;
    enum kvm_probe_step step;
    const char *why;
} failures[] = {
    {0, {.kind = FAKE_EXIT, .value = KVM_EXIT_FAIL_ENTRY}, KVM_PROBE_REAL, "cannot be entered"},
    {0, {.kind = FAKE_ERRNO, .value = EFAULT}, KVM_PROBE_REAL, "KVM_RUN: Bad address"},
    {0, {.kind = FAKE_EXIT, .value = KVM_EXIT_HLT}, KVM_PROBE_REAL, "came back with exit 5"},
    {AT_LONG, {.kind = FAKE_EXIT, .value = KVM_EXIT_SHUTDOWN}, KVM_PROBE_LONG, "triple fault"},
    {AT_LONG, {.kind = FAKE_SLEEP}, KVM_PROBE_LONG, "nothing happens within 2 s"},
    {AT_LONG, WRONG, KVM_PROBE_LONG, "finds another result"},
    {AT_LONG, DONE(KVM_PROBE_PORT), KVM_PROBE_LONG, "something else than it should"},
    {AT_LONG, {.kind = FAKE_OUT, .addr = 0x80}, KVM_PROBE_LONG, "something else"},
    {AT_PORT, {.kind = FAKE_IN, .addr = 0xe4, .size = 4}, KVM_PROBE_PORT, "something else"},
    {AT_PORT,
     {.kind = FAKE_IN, .addr = 0xe3, .count = 9, .size = 4, .beyond = true},
     KVM_PROBE_PORT,
     "impossible I/O"},
    {AT_READ, {.kind = FAKE_MMIO_READ, .beyond = true}, KVM_PROBE_MMIO, "impossible memory"},
    {AT_READ, {.kind = FAKE_MMIO_READ, .size = 9}, KVM_PROBE_MMIO, "impossible memory"},
    {AT_READ, {.kind = FAKE_MMIO_READ, .addr = 0xffe}, KVM_PROBE_MMIO, "impossible memory"},
    {AT_WRITE,
     {.kind = FAKE_MMIO_WRITE, .addr = 0x300008, .value = 1},
     KVM_PROBE_MMIO,
     "something else"},
    {AT_INTERRUPT, {.kind = FAKE_SLEEP}, KVM_PROBE_INTERRUPT, "nothing happens"},
    {AT_SLEEP, DONE(KVM_PROBE_LEVEL), KVM_PROBE_HALT, "something else"},
    {AT_HALT, {.kind = FAKE_SLEEP}, KVM_PROBE_HALT, "nothing happens"},
    {AT_EOI, {.kind = FAKE_EOI, .value = 0x40}, KVM_PROBE_LEVEL, "does not tell of it"},
    {AT_TIMER, {.kind = FAKE_SLEEP}, KVM_PROBE_TIMER, "nothing happens"},
    {AT_BMI,
     {.kind = FAKE_INTERNAL, .value = KVM_INTERNAL_ERROR_EMULATION},
     KVM_PROBE_BMI,
     "cannot run the instruction"},
    {AT_AVX, {.kind = FAKE_INTERNAL, .value = 3}, KVM_PROBE_AVX, "internal error 3"},
};

START_TEST(test_failures)
{
    struct fake_exit script[ARRAY_LEN(good)];

    memcpy(script, good, sizeof(good));
    script[failures[_i].at] = failures[_i].instead;
    fake_kvm_init(&fake, script, ARRAY_LEN(script));
    expect_failure(failures[_i].step, failures[_i].why);
}
END_TEST

/* A HLT that the kernel does not keep to itself. */
START_TEST(test_no_halt)
{
    fake_kvm_init(&fake, good, ARRAY_LEN(good));
    fake.mp_state = KVM_MP_STATE_RUNNABLE;
    expect_failure(KVM_PROBE_HALT, "it does not halt");
}
END_TEST

/* A signal that has nothing to do with it. */
START_TEST(test_interrupted)
{
    struct fake_exit script[ARRAY_LEN(good) + 1] = {{.kind = FAKE_TIME, .value = 1000}};
    struct kvm_verdict v;

    memcpy(script + 1, good, sizeof(good));
    fake_kvm_init(&fake, script, ARRAY_LEN(script));
    ck_assert(kvm_probe(&fake.host, &v));
}
END_TEST

START_TEST(test_absent)
{
    fake_kvm_init(&fake, good, ARRAY_LEN(good));
    fake.absent = true;
    expect_failure(KVM_PROBE_OPEN, "/dev/kvm: No such file or directory");
    fake_kvm_init(&fake, good, ARRAY_LEN(good));
    fake.no_memory = true;
    expect_failure(KVM_PROBE_OPEN, "mmap of a processor: Cannot allocate memory");
}
END_TEST

static const struct {
    unsigned long request;
    int refusal;
    const char *why;
} refusals[] = {
    {KVM_GET_API_VERSION, 11, "its version is 11, not 12"},
    {KVM_GET_VCPU_MMAP_SIZE, -EIO, "KVM_GET_VCPU_MMAP_SIZE: Input/output error"},
    {KVM_GET_VCPU_MMAP_SIZE, 64, "KVM_GET_VCPU_MMAP_SIZE: Invalid argument"},
    {KVM_CREATE_VM, -EPERM, "KVM_CREATE_VM: Operation not permitted"},
    {KVM_ENABLE_CAP, -EINVAL, "KVM_CAP_SPLIT_IRQCHIP: Invalid argument"},
    {KVM_SET_USER_MEMORY_REGION, -EEXIST, "KVM_SET_USER_MEMORY_REGION: File exists"},
    {KVM_CREATE_VCPU, -ENOMEM, "KVM_CREATE_VCPU: Cannot allocate memory"},
    {KVM_SET_SIGNAL_MASK, -EINVAL, "KVM_SET_SIGNAL_MASK: Invalid argument"},
    {KVM_GET_TSC_KHZ, 0, "KVM_GET_TSC_KHZ: Invalid argument"},
    {KVM_GET_SUPPORTED_CPUID, -E2BIG, "KVM_GET_SUPPORTED_CPUID: Argument list too long"},
    {KVM_SET_CPUID2, -EINVAL, "KVM_SET_CPUID2: Invalid argument"},
};

START_TEST(test_refusals)
{
    fake_kvm_init(&fake, good, ARRAY_LEN(good));
    fake.refused = refusals[_i].request;
    fake.refusal = refusals[_i].refusal;
    expect_failure(KVM_PROBE_OPEN, refusals[_i].why);
}
END_TEST

START_TEST(test_capabilities)
{
    static const unsigned caps[] = {KVM_CAP_USER_MEMORY, KVM_CAP_SPLIT_IRQCHIP,
                                    KVM_CAP_X2APIC_API,  KVM_CAP_SIGNAL_MSI,
                                    KVM_CAP_IRQ_ROUTING, KVM_CAP_TSC_DEADLINE_TIMER};

    for (unsigned i = 0; i < ARRAY_LEN(caps); i++) {
        fake_kvm_init(&fake, good, ARRAY_LEN(good));
        fake.refused_cap = caps[i];
        expect_failure(KVM_PROBE_OPEN, "/dev/kvm has no KVM_CAP_");
    }
}
END_TEST

/* On this host, whatever it is: a verdict, and in time. */
START_TEST(test_here)
{
    struct kvm_verdict v = {0};
    GError *error = NULL;
    struct kvm_host *host = kvm_host_new(&error);

    ck_assert_ptr_nonnull(host);
    uint64_t from = host->ops->now_ns(host->opaque);
    bool ok = kvm_probe(host, &v);
    ck_assert_uint_lt(host->ops->now_ns(host->opaque) - from, 60000000000ULL);
    ck_assert_int_eq(ok, v.failed == KVM_PROBE_STEPS);
    ck_assert_int_eq(ok, !v.why[0]);
    printf("# this host's KVM: %s\n", ok ? "runs the whole probe" : v.why);
    kvm_host_free(host);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("kvm-probe");
    TCase *t = tcase_create("all");

    tcase_add_test(t, test_good);
    tcase_add_test(t, test_late_eoi);
    tcase_add_loop_test(t, test_failures, 0, ARRAY_LEN(failures));
    tcase_add_test(t, test_no_halt);
    tcase_add_test(t, test_interrupted);
    tcase_add_test(t, test_absent);
    tcase_add_loop_test(t, test_refusals, 0, ARRAY_LEN(refusals));
    tcase_add_test(t, test_capabilities);
    tcase_add_test(t, test_here);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_set_tap(r, "-");
    srunner_run_all(r, CK_SILENT);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
