/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 16550A serial port after the National Semiconductor PC16550D data sheet (June 1995), section 8.
 *
 * CHOICE: the transmitter is infinitely fast: a byte written is out at that instant. The receiver
 * takes bytes at the programmed rate while the guest has enabled its receive interrupt (so nothing
 * typed before the guest listens is lost) and the FIFO has room (so nothing overruns).
 */
#ifndef PCILAB_HW_PLATFORM_UART_H
#define PCILAB_HW_PLATFORM_UART_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "pcilab/reg/reg.h"
#include "pcilab/sim/sim.h"
#include "pcilab/trace/trace.h"

#define UART_FIFO_BYTES 16
#define UART_EXTRA_MAX  16
#define UART_BREAK      0x100u /* a break condition in place of a byte */

struct uart_config {
    struct sim *sim;
    struct trace *trace;
    void (*output)(void *opaque, uint8_t byte);
    /* There is room for input; called from an event. */
    void (*input_wanted)(void *opaque);
    void (*set_irq)(void *opaque, bool level);
    void *opaque;
};

struct uart {
    struct uart_config config;
    struct reg_space *regs;
    uint8_t fifo[UART_FIFO_BYTES];
    unsigned head, count;           /* received bytes; one at most while the FIFOs are off */
    uint16_t breaks;                /* places of the FIFO that hold the zero byte of a break */
    uint16_t extra[UART_EXTRA_MAX]; /* bytes and breaks that come before any other input */
    unsigned extra_head, extra_count;
    bool thre_pending; /* transmitter empty, not yet told */
    bool irq;
    struct sim_event line; /* the line is busy with received bytes until then */
};

void uart_init(struct uart *uart, const struct uart_config *config);
void uart_fini(struct uart *uart);
void uart_reset(struct uart *uart);
void uart_attach(struct uart *uart, struct bus *io);
/* Bytes arrive; returns how many were taken. */
unsigned uart_input(struct uart *uart, const uint8_t *bytes, unsigned len);
/* A byte, or UART_BREAK, that goes before all other input; false: too many wait. */
bool uart_push_in(struct uart *uart, uint16_t what);

#endif
