/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose processors a machine has: the interpreter's, or the host's (KVM). The host's bring local
 * APICs of their own; what would go to ours goes to them.
 */
#include "board.h"
#include "pcilab/base/bits.h"
#include "pcilab/cpu/kvm.h"

/* CHOICE: the host's processors take turns on one thread; a turn costs the host some microseconds
 * besides. */
#define KVM_TURN_PS (200 * PS_PER_US)

/* As Intel SDM 3A, 11.11 has it; upper bits of the destination as KVM has them. */
#define MSI_DEST    GENMASK(19, 12)
#define MSI_HINT    BIT(3)
#define MSI_LOGICAL BIT(2)
#define MSI_LEVEL   (BIT(15) | BIT(14))

static int board_ack(void *opaque, unsigned index)
{
    struct machine *machine = opaque;

    return lapic_ack(&machine->apics.lapic[index]);
}

static void board_write_back(void *opaque, uint64_t gpa)
{
    struct machine *machine = opaque;

    ram_write_back(&machine->ram, gpa, 1);
}

static void board_write_back_all(void *opaque)
{
    struct machine *machine = opaque;

    ram_write_back_all(&machine->ram);
}

/* To the host's local APICs. */
static void board_forward(void *opaque, const struct apic_message *message)
{
    struct machine *machine = opaque;
    uint64_t addr = MAP_MSI_BASE | FIELD_PREP(MSI_DEST, message->dest & 0xff) |
                    (uint64_t)(message->dest & ~0xffu) << 32;
    uint32_t data = message->vector | (uint32_t)message->mode << 8;

    if (message->logical)
        addr |= MSI_LOGICAL;
    if (message->mode == APIC_LOWEST)
        addr |= MSI_HINT;
    if (message->level)
        data |= (uint32_t)MSI_LEVEL;
    kvm_group_msi(machine->cpus, addr, data);
}

bool board_create_processors(struct machine *machine, const struct kvm_host *kvm, GError **error)
{
    const struct cpu_group_config config = {
        .count = machine->cpu_count,
        .ps_per_insn = BOARD_PS_PER_INSN,
        .tsc_hz = BOARD_TSC_HZ,
        .seed = machine->seed,
        .ram = machine->ram.piece,
        .ram_count = machine->ram.piece_count,
        .ack = board_ack,
        .write_back = board_write_back,
        .write_back_all = board_write_back_all,
        .opaque = machine,
        .trace = &machine->trace,
    };

    machine->kvm = kvm != NULL;
    machine->cpus = kvm ? kvm_group_new(&config, kvm, MAP_IOAPIC_BASE + IOAPIC_EOI, error)
                        : cpu_group_new(&config);
    if (!machine->cpus)
        return false;
    sched_init(machine);
    if (kvm)
        machine->quantum_ps = KVM_TURN_PS;
    return true;
}

apic_forward_fn board_apic_forward(const struct machine *machine)
{
    return machine->kvm ? board_forward : NULL;
}

bool board_check_processors(const struct machine *machine, GError **error)
{
    if (!machine->kvm || !machine->ram.backing)
        return true;
    g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                "an IOMMU that does not snoop caches (coherent = no) needs processors whose caches "
                "are known, and KVM's are not; use --cpu=soft");
    return false;
}

const char *machine_processors_failed(const struct machine *machine)
{
    return machine->kvm ? kvm_group_failure(machine->cpus) : NULL;
}
