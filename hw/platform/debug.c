/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a debugger sees of a machine. */
#include "pcilab/platform/debug.h"

#include <string.h>

#include "board.h"

unsigned machine_debug_cpus(const struct machine *machine)
{
    return machine->cpu_count;
}

struct cpu *machine_debug_cpu(struct machine *machine, unsigned index)
{
    return machine->slot[index].cpu;
}

struct cpu_group *machine_debug_group(struct machine *machine)
{
    return machine->cpus;
}

const char *machine_debug_cpu_doing(const struct machine *machine, unsigned index)
{
    static const char *const names[] = {
        [SLOT_RUNNABLE] = "running",
        [SLOT_BLOCKED] = "waits for a device",
        [SLOT_HALTED] = "halted",
        [SLOT_DOWN] = "shut down",
    };

    return names[machine->slot[index].state];
}

int machine_debug_stopped(const struct machine *machine)
{
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        if (cpu_stopped(machine->slot[i].cpu).kind != CPU_STOP_NONE)
            return (int)i;
    }
    return -1;
}

int machine_debug_waiting(const struct machine *machine)
{
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        if (machine->slot[i].state == SLOT_BLOCKED)
            return (int)i;
    }
    return -1;
}

void machine_debug_resume(struct machine *machine, int step)
{
    for (unsigned i = 0; i < machine->cpu_count; i++)
        cpu_resume(machine->slot[i].cpu, step == (int)i);
}

struct machine_place machine_debug_place(const struct machine *machine)
{
    const struct slot *cut = machine->cut;

    return (struct machine_place){.retired = machine_retired(machine),
                                  .at_ps = cut ? cut->local_ps : machine->sim.now_ps,
                                  .stopped = cut != NULL};
}

int machine_place_compare(const struct machine_place *a, const struct machine_place *b)
{
    if (a->retired != b->retired)
        return a->retired < b->retired ? -1 : 1;
    if (a->at_ps != b->at_ps)
        return a->at_ps < b->at_ps ? -1 : 1;
    return (int)a->stopped - (int)b->stopped;
}

void machine_debug_be_past(struct machine *machine, const struct sim_input_log *log)
{
    machine->trace.sinks = NULL;
    machine->trace.kinds = 0;
    if (log)
        sim_inputs_replace(&machine->inputs, log);
}

/* The host's bytes from `addr` to the end of its page at most. */
static uint8_t *host_at(struct machine *machine, const struct cpu *cpu, uint64_t addr,
                        uint64_t *gpa, uint64_t *room)
{
    *gpa = addr;
    if (cpu && !cpu_debug_translate(cpu, addr, gpa))
        return NULL;
    *room = 4096 - (addr & 4095);
    return ram_ptr(&machine->ram, *gpa, *room);
}

uint64_t machine_debug_read(struct machine *machine, const struct cpu *cpu, uint64_t addr,
                            void *data, uint64_t len)
{
    uint64_t done = 0, gpa, room;

    while (done < len) {
        const uint8_t *host = host_at(machine, cpu, addr + done, &gpa, &room);
        if (!host)
            break;
        uint64_t piece = MIN(room, len - done);
        memcpy((uint8_t *)data + done, host, piece);
        done += piece;
    }
    return done;
}

uint64_t machine_debug_write(struct machine *machine, const struct cpu *cpu, uint64_t addr,
                             const void *data, uint64_t len)
{
    uint64_t done = 0, gpa, room;

    while (done < len) {
        uint8_t *host = host_at(machine, cpu, addr + done, &gpa, &room);
        if (!host)
            break;
        uint64_t piece = MIN(room, len - done);
        memcpy(host, (const uint8_t *)data + done, piece);
        cpu_group_ram_written(machine->cpus, gpa, piece);
        done += piece;
    }
    return done;
}
