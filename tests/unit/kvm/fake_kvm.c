/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_kvm.h"

#include <errno.h>
#include <string.h>

#include "pcilab/base/le.h"

#define IO_OFFSET 4096u
#define LVT_LINT1 0x360
#define CALL_NS   100u
#define FIRST_FD  100

static int fake_open(void *opaque)
{
    struct fake_kvm *fake = opaque;

    if (fake->absent)
        return -ENOENT;
    fake->open_fds++;
    return FIRST_FD;
}

static int fake_map(void *opaque, int fd, size_t size, void **memory)
{
    struct fake_kvm *fake = opaque;

    if (fake->no_memory)
        return -ENOMEM;
    fake->mapped++;
    *memory = fake->run;
    return 0;
}

static void fake_unmap(void *opaque, void *memory, size_t size)
{
    ((struct fake_kvm *)opaque)->mapped--;
}

static void fake_close(void *opaque, int fd)
{
    ((struct fake_kvm *)opaque)->open_fds--;
}

static uint64_t fake_now_ns(void *opaque)
{
    return ((struct fake_kvm *)opaque)->now_ns += CALL_NS;
}

static void fake_wait_ns(void *opaque, uint64_t ns)
{
    ((struct fake_kvm *)opaque)->now_ns += ns;
}

static void fake_set_alarm(void *opaque, uint64_t after_ns)
{
    struct fake_kvm *fake = opaque;

    fake->alarm_ns = fake->now_ns + after_ns;
}

static void fake_hear_alarm(void *opaque)
{
}

/* ---- Exits ---- */

static void check_last(struct fake_kvm *fake, const struct fake_exit *e)
{
    const struct kvm_run *run = (void *)fake->run;
    uint32_t size = e->size ? e->size : e->kind == FAKE_IN ? 1 : 4;

    if (e->kind == FAKE_MMIO_READ && size <= 8)
        fake->wrong_answer |= le_load(run->mmio.data, size) != e->value;
    for (uint32_t i = 0; e->kind == FAKE_IN && i < MAX(e->count, 1); i++)
        fake->wrong_answer |=
            le_load(fake->run + IO_OFFSET + (size_t)i * size, size) != e->value + i;
}

static int exit_io(struct fake_kvm *fake, const struct fake_exit *e)
{
    struct kvm_run *run = (void *)fake->run;

    run->exit_reason = KVM_EXIT_IO;
    run->io.direction = e->kind == FAKE_OUT ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN;
    run->io.size = (uint8_t)(e->size ? e->size : 1);
    run->io.port = (uint16_t)e->addr;
    run->io.count = e->count ? e->count : 1;
    run->io.data_offset = e->beyond ? FAKE_RUN_BYTES - 1 : IO_OFFSET;
    for (uint32_t i = 0; e->kind == FAKE_OUT && !e->beyond && i < run->io.count; i++)
        le_store(fake->run + IO_OFFSET + (size_t)i * run->io.size, e->value + i, run->io.size);
    return 0;
}

static int exit_mmio(struct fake_kvm *fake, const struct fake_exit *e)
{
    struct kvm_run *run = (void *)fake->run;

    run->exit_reason = KVM_EXIT_MMIO;
    run->mmio.phys_addr = e->addr;
    run->mmio.len = e->beyond ? 0 : e->size ? e->size : 4;
    run->mmio.is_write = e->kind == FAKE_MMIO_WRITE;
    if (run->mmio.is_write)
        le64_store(run->mmio.data, e->value);
    return 0;
}

static void internal_error(struct kvm_run *run, const struct fake_exit *e)
{
    run->internal.suberror = e->value;
    run->emulation_failure.ndata = e->size ? 4 : 0;
    run->emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
    run->emulation_failure.insn_size = (uint8_t)e->size;
    for (unsigned i = 0; i < sizeof(run->emulation_failure.insn_bytes); i++)
        run->emulation_failure.insn_bytes[i] = (uint8_t)(0x90 + i);
}

static int sleep_until(struct fake_kvm *fake, uint64_t ns)
{
    fake->now_ns = ns;
    return -EINTR;
}

/* What a script does not say is a guest that runs for ever. */
static int fake_run(struct fake_kvm *fake)
{
    struct kvm_run *run = (void *)fake->run;

    if (fake->next && fake->next <= fake->length)
        check_last(fake, &fake->script[fake->next - 1]);
    if (fake->next >= fake->length)
        return sleep_until(fake, fake->alarm_ns);
    const struct fake_exit *e = &fake->script[fake->next++];
    switch (e->kind) {
    case FAKE_OUT:
    case FAKE_IN: return exit_io(fake, e);
    case FAKE_MMIO_READ:
    case FAKE_MMIO_WRITE: return exit_mmio(fake, e);
    case FAKE_SLEEP: return sleep_until(fake, fake->alarm_ns);
    case FAKE_TIME: return sleep_until(fake, fake->now_ns + e->value);
    case FAKE_ERRNO: return -(int)e->value;
    case FAKE_EOI: run->eoi.vector = (uint8_t)e->value; break;
    case FAKE_INTERNAL: internal_error(run, e); break;
    case FAKE_EXIT: break;
    }
    run->exit_reason = e->kind == FAKE_EOI        ? KVM_EXIT_IOAPIC_EOI
                       : e->kind == FAKE_INTERNAL ? KVM_EXIT_INTERNAL_ERROR
                                                  : e->value;
    return 0;
}

/* ---- ioctls ---- */

static int capability(const struct fake_kvm *fake, const void *arg)
{
    return (uintptr_t)arg == fake->refused_cap ? 0 : 1;
}

static int get_cpuid(struct kvm_cpuid2 *cpuid)
{
    static const struct kvm_cpuid_entry2 entries[] = {
        {.function = 0, .eax = 0xd},
        {.function = 1, .ebx = 0xff020800, .ecx = 0x80000008, .edx = 0x10000001},
        {.function = 0xb, .ebx = 77},
        {.function = 0x1f, .index = 3},
        {.function = 0x40000000, .eax = 0x40000001},
    };

    memcpy(cpuid->entries, entries, sizeof(entries));
    cpuid->nent = G_N_ELEMENTS(entries);
    return 0;
}

static int signal_msi(struct fake_kvm *fake, const struct kvm_msi *msi)
{
    fake->signals++;
    fake->last_msi = *msi;
    return 1;
}

static int get_lapic(const struct fake_kvm *fake, struct kvm_lapic_state *lapic)
{
    memset(lapic, 0, sizeof(*lapic));
    le32_store(lapic->regs + LVT_LINT1, fake->lint1);
    return 0;
}

static int fake_control(void *opaque, int fd, unsigned long request, void *arg)
{
    struct fake_kvm *fake = opaque;

    if (fd < FIRST_FD)
        return -EBADF;
    if (request == fake->refused)
        return fake->refusal;
    switch (request) {
    case KVM_GET_API_VERSION: return KVM_API_VERSION;
    case KVM_CHECK_EXTENSION: return capability(fake, arg);
    case KVM_GET_VCPU_MMAP_SIZE: return FAKE_RUN_BYTES;
    case KVM_CREATE_VM:
    case KVM_CREATE_VCPU: return FIRST_FD + fake->open_fds++;
    case KVM_GET_TSC_KHZ: return FAKE_TSC_KHZ;
    case KVM_GET_SUPPORTED_CPUID: return get_cpuid(arg);
    case KVM_SIGNAL_MSI: return signal_msi(fake, arg);
    case KVM_SET_GSI_ROUTING: fake->routings++; return 0;
    case KVM_GET_MP_STATE: ((struct kvm_mp_state *)arg)->mp_state = fake->mp_state; return 0;
    case KVM_GET_LAPIC: return get_lapic(fake, arg);
    case KVM_NMI: fake->nmis++; return 0;
    case KVM_RUN: return fake_run(fake);
    default: return 0;
    }
}

static const struct kvm_host_ops fake_ops = {
    .open = fake_open,
    .control = fake_control,
    .map = fake_map,
    .unmap = fake_unmap,
    .close = fake_close,
    .now_ns = fake_now_ns,
    .wait_ns = fake_wait_ns,
    .set_alarm = fake_set_alarm,
    .hear_alarm = fake_hear_alarm,
};

void fake_kvm_init(struct fake_kvm *fake, const struct fake_exit *script, unsigned length)
{
    memset(fake, 0, sizeof(*fake));
    fake->host = (struct kvm_host){.ops = &fake_ops, .opaque = fake};
    fake->script = script;
    fake->length = length;
    fake->refusal = -EPERM;
    fake->mp_state = KVM_MP_STATE_HALTED;
    fake->lint1 = 0x400;
}
