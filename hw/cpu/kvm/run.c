/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In and out of the guest. What KVM_RUN comes back with becomes an access of pcilab/cpu/cpu.h or
 * the end of the processor; references are sections of Documentation/virt/kvm/api.rst of
 * Linux 6.12.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "group.h"
#include "pcilab/base/le.h"

#define PAGE_BYTES 4096u

static struct kvm_cpu *of(const struct cpu *cpu)
{
    return (struct kvm_cpu *)(void *)cpu;
}

static void fail(struct kvm_cpu *cpu, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void fail(struct kvm_cpu *cpu, const char *format, ...)
{
    struct kvm_group *g = cpu->group;
    struct kvm_regs regs = {0};
    va_list args;

    cpu->down = true;
    if (g->failure)
        return;
    va_start(args, format);
    char *what = g_strdup_vprintf(format, args);
    va_end(args);
    (void)kvm_control(g, cpu->fd, KVM_GET_REGS, &regs);
    g->failure = g_strdup_printf("%s at RIP 0x%llx of processor %u", what, regs.rip, cpu->index);
    g_free(what);
}

/* ---- Accesses ---- */

static void *io_element(const struct kvm_cpu *cpu)
{
    const struct kvm_run *run = cpu->run;

    return (uint8_t *)run + run->io.data_offset + (size_t)cpu->io_done * run->io.size;
}

static void show_io(struct kvm_cpu *cpu)
{
    const struct kvm_run *run = cpu->run;
    bool out = run->io.direction == KVM_EXIT_IO_OUT;

    cpu->access = (struct cpu_access){
        .kind = out ? CPU_IO_WRITE : CPU_IO_READ, .size_bytes = run->io.size, .addr = run->io.port};
    if (out)
        memcpy(cpu->access.data, io_element(cpu), run->io.size);
    cpu->outstanding = true;
}

/* String I/O comes as many elements at a time as the kernel likes; each is an access. */
static bool start_io(struct kvm_cpu *cpu)
{
    const struct kvm_run *run = cpu->run;
    uint64_t end = run->io.data_offset + (uint64_t)run->io.count * run->io.size;

    if (!run->io.count || run->io.size > 4 || end > cpu->group->run_bytes) {
        fail(cpu, "KVM reports an impossible I/O access");
        return false;
    }
    cpu->io_done = 0;
    show_io(cpu);
    return true;
}

static bool start_mmio(struct kvm_cpu *cpu)
{
    const struct kvm_run *run = cpu->run;

    if (run->mmio.len < 1 || run->mmio.len > sizeof(run->mmio.data) ||
        run->mmio.phys_addr % PAGE_BYTES + run->mmio.len > PAGE_BYTES) {
        fail(cpu, "KVM reports an impossible memory access");
        return false;
    }
    cpu->access = (struct cpu_access){.kind = run->mmio.is_write ? CPU_MEM_WRITE : CPU_MEM_READ,
                                      .size_bytes = run->mmio.len,
                                      .addr = run->mmio.phys_addr};
    if (run->mmio.is_write)
        memcpy(cpu->access.data, run->mmio.data, run->mmio.len);
    cpu->outstanding = true;
    return true;
}

/* The IOAPIC hears of it as by a write to its EOI register. */
static bool start_eoi(struct kvm_cpu *cpu)
{
    cpu->access =
        (struct cpu_access){.kind = CPU_MEM_WRITE, .size_bytes = 4, .addr = cpu->group->eoi_gpa};
    le32_store(cpu->access.data, cpu->run->eoi.vector);
    cpu->outstanding = true;
    return true;
}

const struct cpu_access *kvm_access(const struct cpu *cpu)
{
    assert(of(cpu)->outstanding);
    return &of(cpu)->access;
}

void kvm_complete(struct cpu *c, const void *data, bool fault)
{
    struct kvm_cpu *cpu = of(c);
    struct kvm_run *run = cpu->run;

    (void)fault; /* only of registers that never come here */
    assert(cpu->outstanding);
    cpu->outstanding = false;
    if (run->exit_reason == KVM_EXIT_MMIO && cpu->access.kind == CPU_MEM_READ)
        memcpy(run->mmio.data, data, cpu->access.size_bytes);
    if (run->exit_reason != KVM_EXIT_IO)
        return;
    if (cpu->access.kind == CPU_IO_READ)
        memcpy(io_element(cpu), data, cpu->access.size_bytes);
    cpu->io_goes_on = ++cpu->io_done < run->io.count;
}

/* ---- The stay ---- */

/* What KVM lets us know of the instruction: its bytes, or more of them; g_free() it. */
static char *instruction(const struct kvm_run *run)
{
    GString *text = g_string_new(NULL);
    bool known = run->emulation_failure.ndata >= 2 &&
                 run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
    unsigned count = known ? run->emulation_failure.insn_size : 0;

    for (unsigned i = 0; i < count && i < sizeof(run->emulation_failure.insn_bytes); i++)
        g_string_append_printf(text, " %02x", run->emulation_failure.insn_bytes[i]);
    return g_string_free(text, FALSE);
}

static void internal_error(struct kvm_cpu *cpu)
{
    const struct kvm_run *run = cpu->run;
    char *bytes = instruction(run);

    if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION)
        fail(cpu, "KVM cannot run the instruction%s%s", *bytes ? ":" : "", bytes);
    else
        fail(cpu, "KVM failed (internal error %u)", run->internal.suberror);
    g_free(bytes);
}

/* False: the guest goes on. */
static bool take_exit(struct kvm_cpu *cpu, enum kvm_stay *how)
{
    const struct kvm_run *run = cpu->run;
    bool access = false;

    switch (run->exit_reason) {
    case KVM_EXIT_IO: access = start_io(cpu); break;
    case KVM_EXIT_MMIO: access = start_mmio(cpu); break;
    case KVM_EXIT_IOAPIC_EOI: access = start_eoi(cpu); break;
    case KVM_EXIT_SHUTDOWN: cpu->down = true; break;
    case KVM_EXIT_INTR:
    case KVM_EXIT_UNKNOWN: return false;
    case KVM_EXIT_INTERNAL_ERROR: internal_error(cpu); break;
    case KVM_EXIT_FAIL_ENTRY:
        fail(cpu, "the guest cannot be entered (reason 0x%llx)",
             run->fail_entry.hardware_entry_failure_reason);
        break;
    default: fail(cpu, "KVM came back with exit %u", run->exit_reason); break;
    }
    *how = access ? KVM_STAY_ACCESS : KVM_STAY_DOWN;
    return true;
}

enum kvm_stay kvm_stay(struct kvm_cpu *cpu, uint64_t until_ns)
{
    struct kvm_group *g = cpu->group;
    const struct kvm_host_ops *ops = g->host->ops;
    enum kvm_stay how = KVM_STAY_TIME;

    if (cpu->io_goes_on) {
        cpu->io_goes_on = false;
        show_io(cpu);
        return KVM_STAY_ACCESS;
    }
    for (uint64_t now; (now = kvm_now_ns(g)) < until_ns;) {
        ops->set_alarm(g->host->opaque, until_ns - now);
        int rc = kvm_control(g, cpu->fd, KVM_RUN, NULL);
        if (rc == -EINTR || rc == -EAGAIN) {
            ops->hear_alarm(g->host->opaque);
        } else if (rc < 0) {
            fail(cpu, "KVM_RUN: %s", g_strerror(-rc));
            return KVM_STAY_DOWN;
        } else if (take_exit(cpu, &how)) {
            return how;
        }
    }
    return KVM_STAY_TIME;
}
