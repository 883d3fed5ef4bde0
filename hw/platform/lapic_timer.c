/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The local APIC's timer (SDM 11.5.4): one-shot, periodic, TSC deadline. Counts are computed from
 * the clock when they are read; an event exists only while an interrupt can come of it.
 */
#include <assert.h>

#include "lapic.h"
#include "pcilab/base/bits.h"

#define LVT_TIMER_MODE 0x00060000u

enum { TIMER_ONE_SHOT, TIMER_PERIODIC, TIMER_TSC_DEADLINE };

static unsigned timer_mode(uint32_t lvt)
{
    return (unsigned)FIELD_GET(LVT_TIMER_MODE, lvt);
}

/* Divide configuration: bits 3, 1, 0 select 2, 4, ..., 128, 1 (SDM figure 11-10). */
static uint64_t tick_ps(const struct lapic *lapic, uint32_t divide)
{
    unsigned code = (divide >> 1 & 4) | (divide & 3);

    return (PS_PER_S / lapic->bus->config.crystal_hz) << ((code + 1) & 7);
}

static uint64_t now(const struct lapic *lapic)
{
    return lapic->bus->config.sim->now_ps;
}

static uint32_t count_at(const struct lapic *lapic, uint32_t divide)
{
    uint32_t lvt = (uint32_t)reg_get(lapic->regs, LAPIC_LVT_TIMER);
    uint32_t initial = (uint32_t)reg_get(lapic->regs, LAPIC_INITIAL_COUNT);

    if (lapic->timer_start_ps == SIM_NEVER || timer_mode(lvt) == TIMER_TSC_DEADLINE)
        return 0;
    uint64_t ticks = (now(lapic) - lapic->timer_start_ps) / tick_ps(lapic, divide);
    if (ticks < lapic->timer_first)
        return lapic->timer_first - (uint32_t)ticks;
    if (timer_mode(lvt) != TIMER_PERIODIC)
        return 0;
    return initial - (uint32_t)((ticks - lapic->timer_first) % initial);
}

uint32_t lapic_timer_current(const struct lapic *lapic)
{
    return count_at(lapic, (uint32_t)reg_get(lapic->regs, LAPIC_DIVIDE));
}

/* Schedules the next moment at which the count reaches 0, later than now. */
static void arm_count(struct lapic *lapic)
{
    struct sim *sim = lapic->bus->config.sim;
    uint32_t lvt = (uint32_t)reg_get(lapic->regs, LAPIC_LVT_TIMER);
    uint64_t initial = reg_get(lapic->regs, LAPIC_INITIAL_COUNT);
    uint64_t tick = tick_ps(lapic, (uint32_t)reg_get(lapic->regs, LAPIC_DIVIDE));

    sim_cancel(sim, &lapic->timer);
    if (lapic->timer_start_ps == SIM_NEVER || lvt & LAPIC_LVT_MASKED)
        return;
    uint64_t ticks = (now(lapic) - lapic->timer_start_ps) / tick;
    uint64_t target = lapic->timer_first;
    if (ticks >= target) {
        if (timer_mode(lvt) != TIMER_PERIODIC)
            return;
        target += ((ticks - target) / initial + 1) * initial;
    }
    sim_schedule_at(sim, &lapic->timer, lapic->timer_start_ps + target * tick);
}

/* UNIMPL: software that moves the TSC while a deadline is armed does not move the deadline. */
static void arm_deadline(struct lapic *lapic)
{
    struct sim *sim = lapic->bus->config.sim;

    sim_cancel(sim, &lapic->timer);
    if (!lapic->tsc_deadline)
        return;
    uint64_t at = cpu_tsc_to_ps(lapic->cpu, lapic->tsc_deadline, now(lapic));
    if (at != SIM_NEVER)
        sim_schedule_at(sim, &lapic->timer, at > now(lapic) ? at : now(lapic));
}

static void timer_fired(void *opaque)
{
    struct lapic *lapic = opaque;
    uint32_t lvt = (uint32_t)reg_get(lapic->regs, LAPIC_LVT_TIMER);

    if (timer_mode(lvt) == TIMER_TSC_DEADLINE)
        lapic->tsc_deadline = 0; /* disarmed by firing, SDM 11.5.4.1 */
    else
        arm_count(lapic);
    lapic_raise_lvt(lapic, LAPIC_LVT_TIMER);
}

void lapic_timer_init(struct lapic *lapic)
{
    sim_event_init(&lapic->timer, timer_fired, lapic);
    lapic->timer_start_ps = SIM_NEVER;
}

void lapic_timer_reset(struct lapic *lapic)
{
    sim_cancel(lapic->bus->config.sim, &lapic->timer);
    lapic->timer_start_ps = SIM_NEVER;
    lapic->timer_first = 0;
    lapic->tsc_deadline = 0;
}

/* The initial count was written. 0 stops the timer; in deadline mode the write does nothing. */
void lapic_timer_start(struct lapic *lapic)
{
    uint32_t lvt = (uint32_t)reg_get(lapic->regs, LAPIC_LVT_TIMER);
    uint32_t initial = (uint32_t)reg_get(lapic->regs, LAPIC_INITIAL_COUNT);

    if (timer_mode(lvt) == TIMER_TSC_DEADLINE)
        return;
    lapic->timer_first = initial;
    lapic->timer_start_ps = initial ? now(lapic) : SIM_NEVER;
    arm_count(lapic);
}

/* Going into or out of deadline mode disarms the timer (SDM 11.5.4.1). */
void lapic_timer_mode_changed(struct lapic *lapic, uint32_t old_lvt)
{
    uint32_t lvt = (uint32_t)reg_get(lapic->regs, LAPIC_LVT_TIMER);
    bool was_deadline = timer_mode(old_lvt) == TIMER_TSC_DEADLINE;
    bool is_deadline = timer_mode(lvt) == TIMER_TSC_DEADLINE;

    if (was_deadline != is_deadline) {
        lapic_timer_reset(lapic);
        reg_set(lapic->regs, LAPIC_INITIAL_COUNT, 0);
    } else if (is_deadline) {
        return; /* a masked deadline still passes */
    } else {
        arm_count(lapic);
    }
}

/* What was left to count goes on at the new rate. */
void lapic_timer_divide_changed(struct lapic *lapic, uint32_t old_divide)
{
    uint32_t lvt = (uint32_t)reg_get(lapic->regs, LAPIC_LVT_TIMER);
    uint32_t left = count_at(lapic, old_divide);

    if (timer_mode(lvt) == TIMER_TSC_DEADLINE)
        return;
    lapic->timer_first = left;
    lapic->timer_start_ps = left ? now(lapic) : SIM_NEVER;
    arm_count(lapic);
}

uint64_t lapic_tsc_deadline_read(const struct lapic *lapic)
{
    return lapic->tsc_deadline;
}

/* Outside of deadline mode the MSR reads 0 and ignores writes (SDM 11.5.4.1). */
void lapic_tsc_deadline_write(struct lapic *lapic, uint64_t value)
{
    uint32_t lvt = (uint32_t)reg_get(lapic->regs, LAPIC_LVT_TIMER);

    if (timer_mode(lvt) != TIMER_TSC_DEADLINE)
        return;
    lapic->tsc_deadline = value;
    arm_deadline(lapic);
}
