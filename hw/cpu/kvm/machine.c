/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine in KVM: memory slots, the split interrupt chip, processors. References are sections of
 * Documentation/virt/kvm/api.rst of Linux 6.12. There is no reset in KVM: a machine is made anew.
 */
#include <errno.h>
#include <string.h>

#include "group.h"
#include "pcilab/base/bits.h"

/* CHOICE: where Intel processors without unrestricted guests keep what KVM needs for real mode
 * (4.39, 4.58): four pages that no map of ours uses. */
#define IDENTITY_MAP_GPA 0xfffbc000ULL
#define TSS_GPA          0xfffbd000ULL

static const struct {
    unsigned cap;
    const char *name;
} needed[] = {
    {KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
    {KVM_CAP_SPLIT_IRQCHIP, "KVM_CAP_SPLIT_IRQCHIP"},
    {KVM_CAP_X2APIC_API, "KVM_CAP_X2APIC_API"},
    {KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI"},
    {KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING"},
    {KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"},
    {KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE"},
    {KVM_CAP_TSC_DEADLINE_TIMER, "KVM_CAP_TSC_DEADLINE_TIMER"},
    {KVM_CAP_GET_TSC_KHZ, "KVM_CAP_GET_TSC_KHZ"},
    {KVM_CAP_USER_NMI, "KVM_CAP_USER_NMI"},
    {KVM_CAP_DEBUGREGS, "KVM_CAP_DEBUGREGS"},
};

bool kvm_failed(GError **error, const char *what, int rc)
{
    g_set_error(error, KVM_ERROR, KVM_ERROR_LACKS, "%s: %s", what, g_strerror(-rc));
    return false;
}

static bool open_kvm(struct kvm_group *g, GError **error)
{
    g->sys_fd = g->host->ops->open(g->host->opaque);
    if (g->sys_fd < 0) {
        g_set_error(error, KVM_ERROR, KVM_ERROR_ABSENT, "/dev/kvm: %s", g_strerror(-g->sys_fd));
        return false;
    }
    int version = kvm_control(g, g->sys_fd, KVM_GET_API_VERSION, NULL);
    if (version != KVM_API_VERSION) {
        g_set_error(error, KVM_ERROR, KVM_ERROR_LACKS, "/dev/kvm: its version is %d, not %d",
                    version, KVM_API_VERSION);
        return false;
    }
    for (unsigned i = 0; i < ARRAY_LEN(needed); i++) {
        void *cap = (void *)(uintptr_t)needed[i].cap;

        if (kvm_control(g, g->sys_fd, KVM_CHECK_EXTENSION, cap) <= 0) {
            g_set_error(error, KVM_ERROR, KVM_ERROR_LACKS, "/dev/kvm has no %s", needed[i].name);
            return false;
        }
    }
    int bytes = kvm_control(g, g->sys_fd, KVM_GET_VCPU_MMAP_SIZE, NULL);
    if (bytes < (int)sizeof(struct kvm_run))
        return kvm_failed(error, "KVM_GET_VCPU_MMAP_SIZE", bytes < 0 ? bytes : -EINVAL);
    g->run_bytes = (size_t)bytes;
    return true;
}

/* The kernel has the local APICs, we the IOAPIC (7.5), whose pins are the first routes;
 * destinations have 32 bits (7.7). Of the quirks of 7.7 one is wanted: an 8-bit 0xff is a broadcast
 * for x2APICs too, and no processor has that ID. */
static bool create_interrupts(struct kvm_group *g, GError **error)
{
    struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {KVM_PINS}};
    struct kvm_enable_cap wide = {.cap = KVM_CAP_X2APIC_API,
                                  .args = {KVM_X2APIC_API_USE_32BIT_IDS}};
    int rc = kvm_control(g, g->vm_fd, KVM_ENABLE_CAP, &split);

    if (rc < 0)
        return kvm_failed(error, "KVM_CAP_SPLIT_IRQCHIP", rc);
    rc = kvm_control(g, g->vm_fd, KVM_ENABLE_CAP, &wide);
    return rc < 0 ? kvm_failed(error, "KVM_CAP_X2APIC_API", rc) : true;
}

static bool create_vm(struct kvm_group *g, GError **error)
{
    uint64_t identity = IDENTITY_MAP_GPA;

    g->vm_fd = kvm_control(g, g->sys_fd, KVM_CREATE_VM, NULL);
    if (g->vm_fd < 0)
        return kvm_failed(error, "KVM_CREATE_VM", g->vm_fd);
    if (!create_interrupts(g, error))
        return false;
    /* Only some processors need them, and no others' kernels may know them. */
    (void)kvm_control(g, g->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);
    (void)kvm_control(g, g->vm_fd, KVM_SET_TSS_ADDR, (void *)(uintptr_t)TSS_GPA);
    for (unsigned i = 0; i < g->config.ram_count; i++) {
        struct kvm_userspace_memory_region region = {
            .slot = i,
            .guest_phys_addr = g->ram[i].gpa,
            .memory_size = g->ram[i].size,
            .userspace_addr = (uintptr_t)g->ram[i].host,
        };
        int rc =
            region.memory_size ? kvm_control(g, g->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) : 0;
        if (rc < 0)
            return kvm_failed(error, "KVM_SET_USER_MEMORY_REGION", rc);
    }
    return true;
}

/* The mask is one of the kernel's: 64 signals (4.24). */
static int set_run_mask(const struct kvm_group *g, int fd)
{
    struct { /* as struct kvm_signal_mask */
        uint32_t len;
        uint8_t bits[8];
    } mask = {.len = sizeof(mask.bits)};

    memcpy(mask.bits, &g->host->run_mask, sizeof(mask.bits));
    return kvm_control(g, fd, KVM_SET_SIGNAL_MASK, &mask);
}

static bool create_cpu(struct kvm_group *g, GError **error)
{
    struct kvm_cpu *cpu = &g->cpu[g->count];
    void *memory;
    int rc = kvm_control(g, g->vm_fd, KVM_CREATE_VCPU, (void *)(uintptr_t)g->count);

    if (rc < 0)
        return kvm_failed(error, "KVM_CREATE_VCPU", rc);
    cpu->fd = rc;
    g->count++;
    rc = g->host->ops->map(g->host->opaque, cpu->fd, g->run_bytes, &memory);
    if (rc < 0)
        return kvm_failed(error, "mmap of a processor", rc);
    cpu->run = memory;
    rc = set_run_mask(g, cpu->fd);
    if (rc < 0)
        return kvm_failed(error, "KVM_SET_SIGNAL_MASK", rc);
    rc = kvm_control(g, cpu->fd, KVM_GET_TSC_KHZ, NULL);
    if (rc <= 0)
        return kvm_failed(error, "KVM_GET_TSC_KHZ", rc ? rc : -EINVAL);
    g->tsc_khz = (unsigned)rc;
    return kvm_cpuid_set(g, cpu, error);
}

bool kvm_machine_open(struct kvm_group *g, GError **error)
{
    g->sys_fd = g->vm_fd = -1;
    g->count = g->route_count = g->route_next = 0;
    bool ok = open_kvm(g, error) && create_vm(g, error);

    while (ok && g->count < g->config.count)
        ok = create_cpu(g, error);
    return ok;
}

void kvm_machine_close(struct kvm_group *g)
{
    const struct kvm_host_ops *ops = g->host->ops;

    for (unsigned i = 0; i < g->count; i++) {
        if (g->cpu[i].run)
            ops->unmap(g->host->opaque, g->cpu[i].run, g->run_bytes);
        ops->close(g->host->opaque, g->cpu[i].fd);
        g->cpu[i].run = NULL;
        g->cpu[i].fd = -1;
    }
    g->count = 0;
    if (g->vm_fd >= 0)
        ops->close(g->host->opaque, g->vm_fd);
    if (g->sys_fd >= 0)
        ops->close(g->host->opaque, g->sys_fd);
    g->vm_fd = g->sys_fd = -1;
}
