/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processors in virtual time.
 *
 * Every runnable processor has a local time at or after the machine's clock. The one that is
 * furthest behind runs (ties: lowest index) until the next event or the end of its turn. An access
 * to the world outside RAM ends the run and is performed as an event at its exact instant, so all
 * accesses of all processors and all events of devices have one global order. What processors do
 * to RAM becomes visible to each other at the granularity of turns.
 *
 * Turns end at multiples of their length, BOARD_QUANTUM_PS at first, not at whatever instant
 * machine_run() was told to stop: how a caller slices time changes nothing of what the guest sees.
 */
#include <assert.h>

#include "board.h"
#include "pcilab/base/bits.h"

static void access_due(void *opaque)
{
    host_access(opaque);
}

void machine_set_turns(struct machine *machine, uint64_t turn_ps)
{
    assert(turn_ps >= BOARD_PS_PER_INSN);
    machine->quantum_ps = turn_ps;
}

void sched_init(struct machine *machine)
{
    machine->quantum_ps = BOARD_QUANTUM_PS;
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        struct slot *slot = &machine->slot[i];

        *slot =
            (struct slot){.machine = machine, .cpu = cpu_group_get(machine->cpus, i), .index = i};
        sim_event_init(&slot->access, access_due, slot);
    }
}

void sched_reset(struct machine *machine)
{
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        struct slot *slot = &machine->slot[i];

        sim_cancel(&machine->sim, &slot->access);
        slot->state = i == 0 ? SLOT_RUNNABLE : SLOT_HALTED;
        slot->local_ps = machine->sim.now_ps;
        slot->posted_busy = 0;
    }
    machine->cut = NULL;
    machine->wake = true;
    machine->stop = MACHINE_RUNNING;
}

void sched_complete(struct slot *slot, const void *data, bool fault)
{
    assert(slot->state == SLOT_BLOCKED);
    cpu_complete(slot->cpu, data, fault);
    slot->state = SLOT_RUNNABLE;
    slot->local_ps = slot->machine->sim.now_ps;
}

static struct slot *pick(struct machine *machine)
{
    struct slot *best = NULL;

    for (unsigned i = 0; i < machine->cpu_count; i++) {
        struct slot *slot = &machine->slot[i];

        if (slot->state == SLOT_RUNNABLE && (!best || slot->local_ps < best->local_ps))
            best = slot;
    }
    return best;
}

/* Nobody else could see or cause anything before the slot's instant: no need for an event. */
static bool access_is_next(const struct slot *slot)
{
    const struct machine *machine = slot->machine;

    if (sim_next_ps(&machine->sim) <= slot->local_ps)
        return false;
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        const struct slot *other = &machine->slot[i];

        if (other->state == SLOT_RUNNABLE && other->local_ps <= slot->local_ps)
            return false;
    }
    return true;
}

static void start_access(struct slot *slot)
{
    struct machine *machine = slot->machine;

    slot->state = SLOT_BLOCKED;
    if (access_is_next(slot)) {
        sim_advance_to(&machine->sim, slot->local_ps);
        host_access(slot);
    } else {
        sim_schedule_at(&machine->sim, &slot->access, slot->local_ps);
    }
}

/* CHOICE: a shutdown (triple fault) stops the machine; a board would reset, which would hide from
 * people debugging a kernel what happened. */
static void shut_down(struct slot *slot)
{
    slot->state = SLOT_DOWN;
    slot->machine->stop = MACHINE_DEAD;
    trace_say(&slot->machine->trace, TRACE_STATE, "cpu", "processor %u shut down (triple fault)",
              slot->index);
}

static void run_slot(struct slot *slot, uint64_t limit_ps)
{
    uint64_t retired = 0;
    uint64_t budget = (limit_ps - slot->local_ps + BOARD_PS_PER_INSN - 1) / BOARD_PS_PER_INSN;
    enum cpu_exit reason = cpu_run(slot->cpu, slot->local_ps, budget, &retired);

    slot->local_ps += retired * BOARD_PS_PER_INSN;
    if (reason == CPU_EXIT_ACCESS) {
        start_access(slot);
    } else if (reason == CPU_EXIT_SHUTDOWN) {
        shut_down(slot);
    } else if (reason == CPU_EXIT_STOP) {
        slot->machine->cut = slot;
        slot->machine->cut_end_ps = limit_ps;
        machine_pause(slot->machine);
    } else if (reason == CPU_EXIT_HALT || reason == CPU_EXIT_WAIT_SIPI) {
        slot->state = SLOT_HALTED;
        slot->machine->wake = true;
    }
}

static void wake_halted(struct machine *machine)
{
    machine->wake = false;
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        struct slot *slot = &machine->slot[i];

        if (slot->state != SLOT_HALTED || !cpu_wants_to_run(slot->cpu))
            continue;
        slot->state = SLOT_RUNNABLE;
        if (slot->local_ps < machine->sim.now_ps)
            slot->local_ps = machine->sim.now_ps;
    }
}

static uint64_t next_turn_end(const struct machine *machine, uint64_t ps)
{
    return ps - ps % machine->quantum_ps + machine->quantum_ps;
}

static uint64_t round_up_to_turn(const struct machine *machine, uint64_t ps)
{
    if (ps % machine->quantum_ps == 0 || ps > SIM_NEVER - machine->quantum_ps)
        return ps;
    return next_turn_end(machine, ps);
}

static bool alone(const struct machine *machine, const struct slot *slot)
{
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        if (&machine->slot[i] != slot && machine->slot[i].state == SLOT_RUNNABLE)
            return false;
    }
    return true;
}

/* A turn that a debugger's stop interrupted is not over: nobody else has one before it is, or the
 * guest would see the stop. */
static bool turn_is_cut(const struct machine *machine)
{
    const struct slot *slot = machine->cut;

    return slot && slot->state == SLOT_RUNNABLE && slot->local_ps < machine->cut_end_ps;
}

static bool finish_turn(struct machine *machine, uint64_t until_ps)
{
    struct slot *slot = machine->cut;

    if (slot->local_ps >= until_ps)
        return false;
    machine->cut = NULL;
    run_slot(slot, machine->cut_end_ps < until_ps ? machine->cut_end_ps : until_ps);
    return true;
}

/* One event or one run of a processor; false when nothing is due before until_ps. */
static bool step(struct machine *machine, uint64_t until_ps)
{
    if (turn_is_cut(machine))
        return finish_turn(machine, until_ps);
    machine->cut = NULL;
    if (machine->wake)
        wake_halted(machine);
    struct slot *slot = pick(machine);
    uint64_t next = sim_next_ps(&machine->sim);
    if (!slot || next <= slot->local_ps)
        return next != SIM_NEVER && sim_run_one(&machine->sim, until_ps);
    if (slot->local_ps >= until_ps)
        return false;
    /* Alone, a processor needs no turns: whatever could make another one runnable is an event or
     * an access of its own, and both end the run. */
    uint64_t limit = alone(machine, slot) ? slot->local_ps + PS_PER_MS * 100
                                          : next_turn_end(machine, slot->local_ps);
    if (limit > until_ps)
        limit = until_ps;
    run_slot(slot, limit < next ? limit : next);
    return true;
}

enum machine_stop machine_run(struct machine *machine, uint64_t until_ps)
{
    uint64_t end = round_up_to_turn(machine, until_ps);

    if (machine->stop == MACHINE_PAUSED)
        machine->stop = MACHINE_RUNNING;
    while (machine->stop == MACHINE_RUNNING && step(machine, end))
        ;
    if (machine->stop == MACHINE_RUNNING && end != SIM_NEVER && end > machine->sim.now_ps)
        sim_advance_to(&machine->sim, end);
    return machine->stop;
}

uint64_t machine_idle_until(const struct machine *machine)
{
    if (machine->wake)
        return machine->sim.now_ps;
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        enum slot_state state = machine->slot[i].state;

        if (state == SLOT_RUNNABLE || state == SLOT_BLOCKED)
            return machine->sim.now_ps;
    }
    return sim_next_ps(&machine->sim);
}
