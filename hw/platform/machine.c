/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine's life: made, loaded, restarted, gone. */
#include <assert.h>

#include "apei.h"
#include "board.h"
#include "pcilab/base/bits.h"

/* Not G_DEFINE_QUARK: it keeps the number in a writable static. */
GQuark machine_error_quark(void)
{
    return g_quark_from_static_string("pcilab-machine-error-quark");
}

static void board_eoi(void *opaque, uint8_t vector)
{
    struct machine *machine = opaque;

    ioapic_eoi(&machine->ioapic, vector);
}

static void board_kick(void *opaque)
{
    struct machine *machine = opaque;

    machine->wake = true;
}

static void board_uart_irq(void *opaque, bool level)
{
    struct machine *machine = opaque;

    ioapic_set_line(&machine->ioapic, MAP_UART_GSI, level);
}

static void board_uart_output(void *opaque, uint8_t byte)
{
    struct machine *machine = opaque;

    if (machine->console.output)
        machine->console.output(machine->console.opaque, byte);
}

static void board_uart_input_wanted(void *opaque)
{
    struct machine *machine = opaque;

    if (input_waits(machine))
        return;
    if (sim_inputs_replay(&machine->inputs))
        input_replay(machine);
    else if (machine->console.input_wanted)
        machine->console.input_wanted(machine->console.opaque);
}

static void board_power_off(void *opaque)
{
    struct machine *machine = opaque;

    machine->stop = MACHINE_POWERED_OFF;
}

static void board_reset(void *opaque)
{
    struct machine *machine = opaque;

    machine->stop = MACHINE_RESET;
}

static const struct pm_ops board_pm_ops = {.power_off = board_power_off, .reset = board_reset};

static void create_board(struct machine *machine)
{
    struct apic_bus_config apics = {
        .sim = &machine->sim,
        .trace = &machine->trace,
        .cpus = machine->cpus,
        .count = machine->cpu_count,
        .crystal_hz = BOARD_CRYSTAL_HZ,
        .eoi = board_eoi,
        .kick = board_kick,
        .forward = board_apic_forward(machine),
        .opaque = machine,
    };
    struct uart_config uart = {
        .sim = &machine->sim,
        .trace = &machine->trace,
        .output = board_uart_output,
        .input_wanted = board_uart_input_wanted,
        .set_irq = board_uart_irq,
        .opaque = machine,
    };

    apic_bus_init(&machine->apics, &apics);
    ioapic_init(&machine->ioapic, &machine->apics);
    uart_init(&machine->uart, &uart);
    pm_init(&machine->pm, &board_pm_ops, machine);
    rtc_init(&machine->rtc, &machine->sim);
    host_attach(machine);
}

struct machine *machine_new(const struct machine_desc *desc, const struct machine_options *options,
                            GError **error)
{
    struct machine *machine;

    if (desc->cpus < 1 || desc->cpus > CPU_MAX) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT, "%u processors: 1 to %u are allowed",
                    desc->cpus, CPU_MAX);
        return NULL;
    }
    machine = g_new0(struct machine, 1);
    machine->console = options->console;
    machine->seed = options->seed;
    machine->cpu_count = desc->cpus;
    machine->firmware_assigns = desc->firmware_assigns;
    sim_init(&machine->sim, options->seed);
    input_init(machine, options->log);
    machine->trace.now_ps = &machine->sim.now_ps;
    if (!ram_init(&machine->ram, desc->memory_bytes, error)) {
        input_fini(machine);
        sim_fini(&machine->sim);
        g_free(machine);
        return NULL;
    }
    if (!board_create_processors(machine, options->kvm, error)) {
        ram_fini(&machine->ram);
        input_fini(machine);
        sim_fini(&machine->sim);
        g_free(machine);
        return NULL;
    }
    create_board(machine);
    if (!wiring_create(machine, desc, options, error) || !board_check_processors(machine, error)) {
        machine_free(machine);
        return NULL;
    }
    sched_reset(machine);
    sim_inputs_start(&machine->inputs);
    return machine;
}

void machine_free(struct machine *machine)
{
    if (!machine)
        return;
    for (unsigned i = 0; i < machine->cpu_count; i++)
        sim_cancel(&machine->sim, &machine->slot[i].access);
    apei_destroy(machine);
    wiring_destroy(machine);
    rtc_fini(&machine->rtc);
    pm_fini(&machine->pm);
    uart_fini(&machine->uart);
    ioapic_fini(&machine->ioapic);
    apic_bus_fini(&machine->apics);
    cpu_group_free(machine->cpus);
    ram_fini(&machine->ram);
    input_fini(machine);
    sim_fini(&machine->sim);
    g_free(machine);
}

void machine_restart(struct machine *machine)
{
    ram_clear(&machine->ram);
    cpu_group_reset(machine->cpus);
    wiring_reset(machine);
    host_reset(machine);
    rtc_reset(&machine->rtc);
    pm_reset(&machine->pm);
    uart_reset(&machine->uart);
    ioapic_reset(&machine->ioapic);
    apic_bus_reset(&machine->apics);
    apei_reset(machine);
    sched_reset(machine);
}

void machine_pause(struct machine *machine)
{
    if (machine->stop == MACHINE_RUNNING)
        machine->stop = MACHINE_PAUSED;
}

void machine_reseed(struct machine *machine, uint64_t seed)
{
    if (seed == machine->seed)
        return;
    machine->seed = seed;
    sim_reseed(&machine->sim, seed);
    cpu_group_reseed(machine->cpus, seed);
}

void machine_nmi(struct machine *machine)
{
    trace_say(&machine->trace, TRACE_STATE, "board", "NMI button");
    if (machine->kvm)
        cpu_raise_nmi(machine->slot[0].cpu);
    else
        lapic_raise_lvt(&machine->apics.lapic[0], LAPIC_LVT_LINT1);
}

bool machine_break(struct machine *machine)
{
    return uart_push_in(&machine->uart, UART_BREAK);
}

bool machine_sysrq(struct machine *machine, uint8_t key)
{
    return machine_break(machine) && uart_push_in(&machine->uart, key);
}

struct sim *machine_sim(struct machine *machine)
{
    return &machine->sim;
}

struct trace *machine_trace(struct machine *machine)
{
    return &machine->trace;
}

uint64_t machine_retired(const struct machine *machine)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < machine->cpu_count; i++)
        total += cpu_retired_total(machine->slot[i].cpu);
    return total;
}
