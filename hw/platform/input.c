/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people do to a machine: keys of its console, hands at its board. */
#include "board.h"

/* CHOICE: keys that wait for a guest that does not listen. */
#define TYPED_MAX 65536u

bool input_waits(struct machine *machine)
{
    GByteArray *typed = machine->typed;

    if (!typed->len)
        return false;
    g_byte_array_remove_range(typed, 0, uart_input(&machine->uart, typed->data, typed->len));
    return true;
}

static void type(void *opaque, const uint8_t *bytes, uint32_t len)
{
    struct machine *machine = opaque;

    g_byte_array_append(machine->typed, bytes, len);
    input_waits(machine);
}

static void touch_board(void *opaque, const uint8_t *bytes, uint32_t len)
{
    struct machine *machine = opaque;

    if (len == 1 && bytes[0] == MACHINE_HAND_NMI)
        machine_nmi(machine);
    else if (len == 1 && bytes[0] == MACHINE_HAND_BREAK)
        machine_break(machine);
}

static void take_order(void *opaque, const uint8_t *bytes, uint32_t len)
{
    struct machine *machine = opaque;

    if (machine->order)
        machine->order(machine->order_opaque, bytes, len);
}

void machine_on_order(struct machine *machine, machine_order_fn fn, void *opaque)
{
    machine->order = fn;
    machine->order_opaque = opaque;
}

void machine_order(struct machine *machine, const void *bytes, uint32_t len)
{
    sim_input_post(&machine->orders, bytes, len);
}

void input_init(struct machine *machine, const struct sim_input_log *log)
{
    sim_inputs_init(&machine->inputs, &machine->sim, BOARD_QUANTUM_PS, log);
    sim_input_add(&machine->inputs, &machine->keys, "console", type, machine);
    sim_input_add(&machine->inputs, &machine->hands, "board", touch_board, machine);
    sim_input_add(&machine->inputs, &machine->orders, "control", take_order, machine);
    machine->typed = g_byte_array_new();
}

void input_fini(struct machine *machine)
{
    sim_input_remove(&machine->keys);
    sim_input_remove(&machine->hands);
    sim_input_remove(&machine->orders);
    sim_inputs_fini(&machine->inputs);
    g_byte_array_unref(machine->typed);
}

unsigned machine_console_input(struct machine *machine, const uint8_t *bytes, unsigned len)
{
    unsigned taken = uart_input(&machine->uart, bytes, len);

    sim_input_answered(&machine->keys, bytes, taken);
    return taken;
}

void input_replay(struct machine *machine)
{
    const uint8_t *bytes;
    uint32_t len;

    while ((len = sim_input_answer(&machine->keys, &bytes)))
        uart_input(&machine->uart, bytes, len);
}

unsigned machine_console_typed(struct machine *machine, const uint8_t *bytes, unsigned len)
{
    unsigned room = machine->typed->len < TYPED_MAX ? TYPED_MAX - machine->typed->len : 0;

    len = MIN(len, room);
    if (len)
        sim_input_post(&machine->keys, bytes, len);
    return len;
}

void machine_hand(struct machine *machine, enum machine_hand hand)
{
    sim_input_post(&machine->hands, &(uint8_t){(uint8_t)hand}, 1);
}

bool machine_knows_input(const struct machine *machine, const char *source)
{
    return sim_inputs_know(&machine->inputs, source);
}
