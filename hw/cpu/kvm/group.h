/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of this folder: the processors of one machine as KVM has them. */
#ifndef HW_CPU_KVM_GROUP_H
#define HW_CPU_KVM_GROUP_H

#include <linux/kvm.h>

#include "pcilab/cpu/back_end.h"
#include "pcilab/cpu/kvm.h"

#define KVM_PINS 24 /* of the IOAPIC: routes for level-triggered messages */

struct kvm_group;

struct kvm_cpu {
    struct cpu_head head;
    struct kvm_group *group;
    unsigned index;
    int fd;
    struct kvm_run *run;
    struct cpu_access access;
    bool outstanding;
    uint32_t io_done;  /* elements of a string I/O that are through */
    bool io_goes_on;   /* more of them follow before the processor runs again */
    bool down, halted; /* `halted` is looked at only among several */
    uint64_t now_ps;   /* when it last came back */
};

struct kvm_group {
    struct cpu_head head;
    struct cpu_group_config config;
    struct cpu_ram *ram;
    const struct kvm_host *host;
    uint64_t eoi_gpa;
    int sys_fd, vm_fd;
    unsigned count; /* of cpu[] that exist */
    struct kvm_cpu cpu[CPU_MAX];
    size_t run_bytes;
    unsigned tsc_khz;
    struct kvm_msi route[KVM_PINS]; /* level-triggered messages whose EOI is to be told */
    unsigned route_count, route_next;
    bool clock_runs;
    uint64_t clock_ns; /* the host's time at virtual time 0 */
    char *failure;
};

/* How a stay in the guest ended. */
enum kvm_stay { KVM_STAY_TIME, KVM_STAY_ACCESS, KVM_STAY_DOWN };

static inline int kvm_control(const struct kvm_group *g, int fd, unsigned long request, void *arg)
{
    return g->host->ops->control(g->host->opaque, fd, request, arg);
}

static inline uint64_t kvm_now_ns(const struct kvm_group *g)
{
    return g->host->ops->now_ns(g->host->opaque);
}

/* machine.c: everything that KVM has of a machine, at power-on. */
bool kvm_machine_open(struct kvm_group *g, GError **error);
void kvm_machine_close(struct kvm_group *g);
/* False, with the name of what failed. */
bool kvm_failed(GError **error, const char *what, int rc);

/* cpuid.c: what the guest is told of its processor. */
struct kvm_leaves { /* as struct kvm_cpuid2 */
    uint32_t nent, padding;
    struct kvm_cpuid_entry2 entry[256];
};
bool kvm_cpuid_set(struct kvm_group *g, struct kvm_cpu *cpu, GError **error);
/* Of the host's answer makes a processor of `count`, the `index`th; false: no room. */
bool kvm_cpuid_shape(struct kvm_leaves *cpuid, unsigned index, unsigned count, unsigned tsc_khz);

/* run.c: runs until the host's time until_ns at most. An access of a string I/O that goes on comes
 * at once. */
enum kvm_stay kvm_stay(struct kvm_cpu *cpu, uint64_t until_ns);
const struct cpu_access *kvm_access(const struct cpu *cpu);
void kvm_complete(struct cpu *cpu, const void *data, bool fault);

/* state.c */
void kvm_get_state(const struct cpu *cpu, struct cpu_state *state);
void kvm_set_state(struct cpu *cpu, const struct cpu_state *state);
void kvm_raise_nmi(struct cpu *cpu);

#endif
