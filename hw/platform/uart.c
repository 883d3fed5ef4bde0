/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The serial port. */
#include "uart.h"

#include <assert.h>

#include "pcilab/base/bits.h"
#include "pcilab/platform/addrmap.h"

/* Register space: the eight ports, then the divisor latch that LCR.DLAB puts in place of ports 0
 * and 1 (PC16550D, table II). */
enum {
    UART_DATA, /* RBR and THR */
    UART_IER,
    UART_IIR, /* read; FCR when written */
    UART_LCR,
    UART_MCR,
    UART_LSR,
    UART_MSR,
    UART_SCR,
    UART_DLL,
    UART_DLM,
    UART_SPACE = 12
};

#define IER_RX     0x01u
#define IER_TX     0x02u
#define IER_LINE   0x04u
#define IER_MODEM  0x08u
#define FCR_ENABLE 0x01u
#define FCR_CLR_RX 0x02u
#define FCR_LEVEL  0xc0u
#define IIR_NONE   0x01u
#define IIR_MODEM  0x00u
#define IIR_TX     0x02u
#define IIR_RX     0x04u
#define IIR_LINE   0x06u
#define IIR_STALE  0x0cu /* character timeout */
#define IIR_FIFOS  0xc0u
#define LCR_DLAB   0x80u
#define MCR_RTS    0x02u
#define MCR_OUT2   0x08u
#define MCR_LOOP   0x10u
#define LSR_DR     0x01u
#define LSR_OE     0x02u
#define LSR_BI     0x10u
#define LSR_FIFO   0x80u /* an error somewhere in the FIFO */
#define LSR_IDLE   0x60u /* THRE and TEMT */
#define MSR_DELTAS 0x0fu
#define MSR_ONLINE 0xb0u /* CTS, DSR, DCD: somebody is there */

#define UART_CLOCK_HZ 1843200ULL

static struct uart *uart_of(struct reg_space *space)
{
    return reg_space_owner(space);
}

static unsigned get(const struct uart *uart, unsigned reg)
{
    return (unsigned)reg_get(uart->regs, reg);
}

static bool fifos_on(const struct uart *uart)
{
    return (get(uart, UART_IIR) & FCR_ENABLE) != 0; /* the row stores what FCR was set to */
}

static unsigned capacity(const struct uart *uart)
{
    return fifos_on(uart) ? UART_FIFO_BYTES : 1;
}

/* A break is told when it is at the top of the FIFO (8.3, bit 4). */
static bool break_is_next(const struct uart *uart)
{
    return uart->count && (uart->breaks >> uart->head & 1);
}

/* The highest interrupt pending, in the order of table V. CHOICE: the character timeout takes no
 * time, so data below the trigger level is told at once. */
static unsigned pending_interrupt(const struct uart *uart)
{
    static const uint8_t levels[] = {1, 4, 8, 14};
    unsigned ier = get(uart, UART_IER);
    unsigned level = fifos_on(uart) ? levels[FIELD_GET(FCR_LEVEL, get(uart, UART_IIR))] : 1;

    if ((ier & IER_LINE) && ((get(uart, UART_LSR) & LSR_OE) || break_is_next(uart)))
        return IIR_LINE;
    if ((ier & IER_RX) && uart->count)
        return uart->count >= level ? IIR_RX : IIR_STALE;
    if ((ier & IER_TX) && uart->thre_pending)
        return IIR_TX;
    if ((ier & IER_MODEM) && (get(uart, UART_MSR) & MSR_DELTAS))
        return IIR_MODEM;
    return IIR_NONE;
}

/* On a PC, OUT2 gates the interrupt; loopback forces it inactive. */
static void update_irq(struct uart *uart)
{
    unsigned mcr = get(uart, UART_MCR);
    bool irq = pending_interrupt(uart) != IIR_NONE && (mcr & MCR_OUT2) && !(mcr & MCR_LOOP);

    if (irq == uart->irq)
        return;
    uart->irq = irq;
    uart->config.set_irq(uart->config.opaque, irq);
}

static void trace_byte(struct uart *uart, uint8_t direction, uint8_t byte)
{
    uint8_t head[2] = {direction, byte};
    struct trace_event event = {
        .kind = TRACE_CONSOLE, .where = "uart", .head = head, .head_len = sizeof(head)};

    if (trace_on(uart->config.trace, TRACE_CONSOLE))
        trace_emit(uart->config.trace, &event);
}

static void push(struct uart *uart, uint8_t byte)
{
    if (uart->count == capacity(uart)) {
        reg_update(uart->regs, UART_LSR, LSR_OE, LSR_OE);
        return;
    }
    unsigned place = (uart->head + uart->count++) % UART_FIFO_BYTES;
    uart->fifo[place] = byte;
    uart->breaks &= (uint16_t) ~(1u << place);
}

/* Ten bits at the programmed rate; the rate is the clock over 16 and the divisor. */
static uint64_t byte_time_ps(const struct uart *uart)
{
    uint64_t divisor = get(uart, UART_DLL) | get(uart, UART_DLM) << 8;

    return 160 * (divisor ? divisor : 1) * (PS_PER_S / UART_CLOCK_HZ);
}

/* CHOICE: the other end honours RTS, and waits for the receive interrupt to be enabled: a driver
 * that is still probing, or that clears the FIFOs as it starts, loses nothing. */
static bool listening(const struct uart *uart)
{
    return (get(uart, UART_IER) & IER_RX) &&
           (get(uart, UART_MCR) & (MCR_RTS | MCR_LOOP)) == MCR_RTS && uart->count < capacity(uart);
}

/* What goes first. CHOICE: a break takes the time of a byte. */
static void take_extra(struct uart *uart)
{
    unsigned what = uart->extra[uart->extra_head];

    uart->extra_head = (uart->extra_head + 1) % UART_EXTRA_MAX;
    uart->extra_count--;
    trace_byte(uart, what == UART_BREAK ? 2 : 1, (uint8_t)what);
    push(uart, (uint8_t)what);
    if (what == UART_BREAK)
        uart->breaks |= (uint16_t)(1u << (uart->head + uart->count - 1) % UART_FIFO_BYTES);
    sim_schedule_in(uart->config.sim, &uart->line, byte_time_ps(uart));
    update_irq(uart);
}

/* The line is free again, or the guest began to listen. */
static void line_free(void *opaque)
{
    struct uart *uart = opaque;

    if (!listening(uart))
        return;
    if (uart->extra_count)
        take_extra(uart);
    else
        uart->config.input_wanted(uart->config.opaque);
}

/* Something changed that may make room for input. */
static void maybe_want_input(struct uart *uart)
{
    if (listening(uart) && !sim_event_pending(&uart->line))
        sim_schedule_in(uart->config.sim, &uart->line, 0);
}

unsigned uart_input(struct uart *uart, const uint8_t *bytes, unsigned len)
{
    unsigned taken = 0;

    if (sim_event_pending(&uart->line) || uart->extra_count)
        return 0;
    while (taken < len && listening(uart)) {
        trace_byte(uart, 1, bytes[taken]);
        push(uart, bytes[taken++]);
    }
    if (taken) {
        sim_schedule_in(uart->config.sim, &uart->line, taken * byte_time_ps(uart));
        update_irq(uart);
    }
    return taken;
}

bool uart_push_in(struct uart *uart, uint16_t what)
{
    if (uart->extra_count == UART_EXTRA_MAX)
        return false;
    uart->extra[(uart->extra_head + uart->extra_count++) % UART_EXTRA_MAX] = what;
    maybe_want_input(uart);
    return true;
}

static uint64_t rbr_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    struct uart *uart = uart_of(space);
    uint8_t byte = 0;

    if (uart->count) {
        byte = uart->fifo[uart->head];
        uart->head = (uart->head + 1) % UART_FIFO_BYTES;
        uart->count--;
        update_irq(uart);
        maybe_want_input(uart);
    }
    return byte;
}

static void thr_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct uart *uart = uart_of(space);
    uint8_t byte = (uint8_t)write->written;

    if (get(uart, UART_MCR) & MCR_LOOP) {
        push(uart, byte);
    } else {
        trace_byte(uart, 0, byte);
        uart->config.output(uart->config.opaque, byte);
    }
    uart->thre_pending = true;
    update_irq(uart);
}

static void ier_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct uart *uart = uart_of(space);

    /* Enabling the transmitter's interrupt while it is empty raises it. */
    if ((write->new_value & ~write->old_value) & IER_TX)
        uart->thre_pending = true;
    update_irq(uart);
    maybe_want_input(uart);
}

static uint64_t iir_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    struct uart *uart = uart_of(space);
    unsigned pending = pending_interrupt(uart);

    if (pending == IIR_TX) { /* reading it resets this source, table V */
        uart->thre_pending = false;
        update_irq(uart);
    }
    return pending | (fifos_on(uart) ? IIR_FIFOS : 0);
}

static void fcr_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct uart *uart = uart_of(space);
    uint64_t value = write->written;

    /* Changing the enable bit clears both FIFOs; the other bits need it set (8.4). */
    if ((value & FCR_CLR_RX) || ((value ^ write->old_value) & FCR_ENABLE))
        uart->count = 0;
    reg_set(space, UART_IIR, value & FCR_ENABLE ? value & (FCR_ENABLE | FCR_LEVEL) : 0);
    update_irq(uart);
    maybe_want_input(uart);
}

/* In loopback the four outputs come back as the four inputs (8.6); a change sets its delta bit,
 * for RI only the trailing edge. */
static void mcr_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct uart *uart = uart_of(space);
    unsigned mcr = (unsigned)write->new_value, old = get(uart, UART_MSR), lines = MSR_ONLINE;

    if (mcr & MCR_LOOP) /* DTR to DSR, RTS to CTS, OUT1 to RI, OUT2 to DCD */
        lines = (mcr & 1) << 5 | (mcr & 2) << 3 | (mcr & 4) << 4 | (mcr & 8) << 4;
    unsigned changed = ((lines ^ old) & 0xb0) | (old & ~lines & 0x40);
    reg_set(space, UART_MSR, lines | (old & MSR_DELTAS) | changed >> 4);
    update_irq(uart);
    maybe_want_input(uart);
}

static bool breaks_wait(const struct uart *uart)
{
    bool any = false;

    for (unsigned i = 0; i < uart->count; i++)
        any |= uart->breaks >> (uart->head + i) % UART_FIFO_BYTES & 1;
    return any;
}

static uint64_t lsr_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    struct uart *uart = uart_of(space);

    value |= uart->count ? LSR_DR : 0;
    value |= break_is_next(uart) ? LSR_BI : 0;
    value |= fifos_on(uart) && breaks_wait(uart) ? LSR_FIFO : 0;
    reg_set(space, UART_LSR, LSR_IDLE);
    if (break_is_next(uart))
        uart->breaks &= (uint16_t) ~(1u << uart->head);
    update_irq(uart);
    return value;
}

static uint64_t msr_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    reg_set(space, UART_MSR, value & ~(uint64_t)MSR_DELTAS);
    update_irq(uart_of(space));
    return value;
}

#define SHEET "PC16550D (1995) "

static const struct reg_def uart_defs[] = {
    {.name = "rbr_thr",
     .clause = SHEET "8.0",
     .offset = UART_DATA,
     .width = 1,
     .w1t = 0xff,
     .on_write = thr_written,
     .on_read = rbr_read},
    {.name = "ier",
     .clause = SHEET "8.7",
     .offset = UART_IER,
     .width = 1,
     .rw = 0x0f,
     .on_write = ier_written},
    {.name = "iir_fcr",
     .clause = SHEET "8.4, 8.5",
     .offset = UART_IIR,
     .width = 1,
     .w1t = 0xff,
     .on_write = fcr_written,
     .on_read = iir_read},
    {.name = "lcr", .clause = SHEET "8.1", .offset = UART_LCR, .width = 1, .rw = 0xff},
    {.name = "mcr",
     .clause = SHEET "8.6",
     .offset = UART_MCR,
     .width = 1,
     .rw = 0x1f,
     .on_write = mcr_written},
    {.name = "lsr",
     .clause = SHEET "8.3",
     .offset = UART_LSR,
     .width = 1,
     .reset = LSR_IDLE,
     .on_read = lsr_read},
    {.name = "msr",
     .clause = SHEET "8.8",
     .offset = UART_MSR,
     .width = 1,
     .reset = MSR_ONLINE,
     .on_read = msr_read},
    {.name = "scr", .clause = SHEET "8.9", .offset = UART_SCR, .width = 1, .rw = 0xff},
    {.name = "dll", .clause = SHEET "8.2", .offset = UART_DLL, .width = 1, .reset = 1, .rw = 0xff},
    {.name = "dlm", .clause = SHEET "8.2", .offset = UART_DLM, .width = 1, .rw = 0xff},
};

static unsigned port_register(const struct uart *uart, uint64_t offset)
{
    bool latch = offset <= UART_IER && (get(uart, UART_LCR) & LCR_DLAB);

    return latch ? UART_DLL + (unsigned)offset : (unsigned)offset;
}

static uint64_t uart_read(void *opaque, uint64_t offset, unsigned size)
{
    struct uart *uart = opaque;

    return reg_read(uart->regs, port_register(uart, offset), 1);
}

static void uart_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct uart *uart = opaque;

    reg_write(uart->regs, port_register(uart, offset), 1, value);
}

void uart_init(struct uart *uart, const struct uart_config *config)
{
    *uart = (struct uart){.config = *config};
    uart->regs = reg_space_new(UART_SPACE, uart);
    reg_space_place(uart->regs, 0, uart_defs, ARRAY_LEN(uart_defs));
    sim_event_init(&uart->line, line_free, uart);
    uart_reset(uart);
}

void uart_fini(struct uart *uart)
{
    sim_cancel(uart->config.sim, &uart->line);
    reg_space_free(uart->regs);
}

void uart_reset(struct uart *uart)
{
    sim_cancel(uart->config.sim, &uart->line);
    reg_space_reset(uart->regs, REG_RESET_COLD);
    uart->count = uart->head = 0;
    uart->breaks = 0;
    uart->extra_count = uart->extra_head = 0;
    uart->thre_pending = false;
    update_irq(uart);
}

void uart_attach(struct uart *uart, struct bus *io)
{
    bus_add(io, &(struct bus_range){.base = MAP_UART_PORT,
                                    .size = 8,
                                    .max_size = 1,
                                    .read = uart_read,
                                    .write = uart_write,
                                    .opaque = uart});
}
