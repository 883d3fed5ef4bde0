/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processors of the host behind pcilab/cpu/cpu.h: Linux' KVM with a split interrupt chip. Local
 * APICs and their timers are the kernel's; the IOAPIC, interrupt remapping and everything else is
 * the machine's. Follows Documentation/virt/kvm/api.rst of Linux 6.12.
 *
 * What cpu.h promises of time does not hold: virtual time follows the host's monotonic clock while
 * such a processor runs, nothing is the same twice, and instructions are not counted. HLT and the
 * wait for SIPI never leave cpu_run(). One thread runs all processors, in turns.
 *
 * Units: as in cpu.h; the host's time in nanoseconds.
 */
#ifndef PCILAB_CPU_KVM_H
#define PCILAB_CPU_KVM_H

#include <glib.h>
#include <signal.h>

#include "pcilab/cpu/cpu.h"

#define KVM_ERROR kvm_error_quark()
GQuark kvm_error_quark(void);

enum kvm_error {
    KVM_ERROR_ABSENT, /* no /dev/kvm, or not for this user */
    KVM_ERROR_LACKS,  /* something that is needed is not offered, or fails */
};

/* The host as KVM shows it; tests bring one of their own. What is an int is negative errno when it
 * fails. */
struct kvm_host_ops {
    int (*open)(void *opaque); /* /dev/kvm */
    int (*control)(void *opaque, int fd, unsigned long request, void *arg);
    int (*map)(void *opaque, int fd, size_t size, void **memory); /* a processor's struct kvm_run */
    void (*unmap)(void *opaque, void *memory, size_t size);
    void (*close)(void *opaque, int fd);
    uint64_t (*now_ns)(void *opaque);
    void (*wait_ns)(void *opaque, uint64_t ns);
    /* KVM_RUN ends with EINTR after so long, at once when that was before it began; until heard. */
    void (*set_alarm)(void *opaque, uint64_t after_ns);
    void (*hear_alarm)(void *opaque);
};

struct kvm_host {
    const struct kvm_host_ops *ops;
    void *opaque;
    sigset_t run_mask; /* signals blocked during KVM_RUN: not the alarm */
};

/* The real one. It belongs to the calling thread, in which everything is then to happen; the alarm
 * is a real-time signal that stays blocked here meanwhile. */
struct kvm_host *kvm_host_new(GError **error);
void kvm_host_free(struct kvm_host *host);

/*
 * Processors on `host`, which outlives them, as cpu_group_new(). eoi_gpa: where the machine's
 * IOAPIC takes the vector of an EOI (CPU_MEM_WRITE of 4 bytes).
 */
struct cpu_group *kvm_group_new(const struct cpu_group_config *config, const struct kvm_host *host,
                                uint64_t eoi_gpa, GError **error);
/* An interrupt message for the local APICs, after remapping; address bits 63:40 are bits 31:8 of
 * the destination (KVM_X2APIC_API_USE_32BIT_IDS). */
void kvm_group_msi(struct cpu_group *group, uint64_t addr, uint32_t data);
/* Why a processor of such a group shut down, if the host and not the guest is to blame; or NULL. */
const char *kvm_group_failure(const struct cpu_group *group);

/* What the probe guest does, in this order. */
enum kvm_probe_step {
    KVM_PROBE_OPEN,      /* /dev/kvm, its capabilities, a machine and a processor */
    KVM_PROBE_REAL,      /* real mode, and an I/O port written */
    KVM_PROBE_LONG,      /* 64-bit mode with paging */
    KVM_PROBE_PORT,      /* an I/O port read */
    KVM_PROBE_MMIO,      /* memory that is not RAM, read and written */
    KVM_PROBE_INTERRUPT, /* an MSI to an x2APIC, and its EOI */
    KVM_PROBE_HALT,      /* HLT, and an MSI that ends it */
    KVM_PROBE_LEVEL,     /* the EOI of a level-triggered interrupt is told */
    KVM_PROBE_TIMER,     /* HLT, and the local APIC's TSC deadline */
    KVM_PROBE_BMI,       /* ANDN, where CPUID has BMI1 */
    KVM_PROBE_AVX,       /* VPADDD on YMM registers, where CPUID has AVX2 */
    KVM_PROBE_STEPS
};

struct kvm_verdict {
    enum kvm_probe_step failed; /* KVM_PROBE_STEPS: nothing did */
    char why[200];              /* a clause: "64-bit mode with paging: it shut down" */
};

/* Whether guests run here: makes a small machine and runs the probe guest; 2 s a step at most. */
bool kvm_probe(const struct kvm_host *host, struct kvm_verdict *verdict);

#endif
