/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host whose KVM comes back with what a script says, and refuses what a test wants refused. */
#ifndef PCILAB_TESTS_FAKE_KVM_H
#define PCILAB_TESTS_FAKE_KVM_H

#include <linux/kvm.h>

#include "pcilab/cpu/kvm.h"

#define FAKE_RUN_BYTES 12288u
#define FAKE_TSC_KHZ   2000000u

enum fake_kind {
    FAKE_OUT,       /* addr: port, value, size 1 unless given */
    FAKE_IN,        /* value: what the guest must get */
    FAKE_MMIO_READ, /* value: what it must get; 4 bytes unless given */
    FAKE_MMIO_WRITE,
    FAKE_EOI,      /* value: vector */
    FAKE_SLEEP,    /* until the alarm */
    FAKE_EXIT,     /* value: the exit's number */
    FAKE_INTERNAL, /* value: suberror; size: of the instruction, bytes 90h, 91h, ...; 0: unknown */
    FAKE_ERRNO,    /* value: what KVM_RUN fails with */
    FAKE_TIME,     /* value: ns that pass, then EINTR */
};

struct fake_exit {
    enum fake_kind kind;
    uint64_t addr;
    uint32_t value;
    uint32_t size;
    uint32_t count; /* of a string I/O: elements; 0: 1. Each has the value plus its number */
    bool beyond;    /* the data lies behind the page */
};

struct fake_kvm {
    struct kvm_host host;
    const struct fake_exit *script;
    unsigned length, next;
    uint64_t now_ns, alarm_ns; /* of the clock */
    unsigned long refused;     /* an ioctl that fails, or 0 */
    unsigned refused_cap;      /* a capability that is not there, or 0 */
    int refusal;               /* what it returns */
    bool absent, no_memory;
    uint32_t mp_state;
    uint8_t run[FAKE_RUN_BYTES];
    /* What was seen. */
    int open_fds;
    unsigned mapped, routings, signals;
    struct kvm_msi last_msi;
    bool wrong_answer; /* a read got something else than it must */
    unsigned nmis;
    uint32_t lint1;
};

void fake_kvm_init(struct fake_kvm *fake, const struct fake_exit *script, unsigned length);

#endif
