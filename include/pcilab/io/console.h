/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user's side of the serial console: a terminal in raw mode, or a pipe or file.
 *
 * What a guest gets from standard input must not depend on the host's timing where it need not.
 * CHOICE, three kinds of source:
 * - CONSOLE_WHOLE: a file, a device like /dev/null, or a pipe whose writer is done before the
 *   machine starts (a here-document, `printf ... |`). All its bytes are known, and they enter when
 *   the guest's UART asks for them: at instants of virtual time that only the guest decides.
 * - CONSOLE_LIVE: a pipe or socket whose writer is still there. Bytes enter when they come.
 * - CONSOLE_TERMINAL: a person.
 *
 * There is at most one console in a process: it owns the signal handlers that restore the terminal
 * on every way out, crashes included.
 */
#ifndef PCILAB_IO_CONSOLE_H
#define PCILAB_IO_CONSOLE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum console_source {
    CONSOLE_TERMINAL,
    CONSOLE_WHOLE,
    CONSOLE_LIVE,
};

/* What a person asked for with Ctrl-A and a key. */
enum console_command {
    CONSOLE_NOTHING,
    CONSOLE_LEAVE,  /* x */
    CONSOLE_HELP,   /* h or ? */
    CONSOLE_STATUS, /* s */
    CONSOLE_NMI,    /* n */
    CONSOLE_BREAK,  /* b */
    CONSOLE_CORE,   /* c, or the signal SIGUSR1 */
};

struct console;

/* Takes over the two descriptors, which stay the caller's to close: raw mode on a terminal, else
 * reads a pipe until its writer is done or has been silent for `patience_ms`. */
struct console *console_open(int in_fd, int out_fd, unsigned patience_ms);
/* Leaves a terminal as it is: lines come when they are complete, keys and signals are the
 * terminal's; its source is CONSOLE_LIVE. */
struct console *console_open_cooked(int in_fd, int out_fd, unsigned patience_ms);
/* For output that comes from a terminal in the guest, which has made its newlines already: a
 * terminal here that is in raw mode passes it on as it is. */
void console_pass_output(struct console *console);
/* Writes what is left, restores the terminal and the signal handlers. */
void console_close(struct console *console);
enum console_source console_source(const struct console *console);

/* Input that waits for the guest; `len` bytes of it at *bytes until the next call. May read the
 * next piece of a file. */
unsigned console_peek(struct console *console, const uint8_t **bytes);
void console_consume(struct console *console, unsigned len);
/* Reads all that will ever come, so that forked processes have it each: false when it is not known
 * yet, or too much. */
bool console_take_all(struct console *console);
/* More input, before (prepend) or after all that is there and has been read. */
void console_prepend(struct console *console, const uint8_t *bytes, unsigned len);
void console_append(struct console *console, const uint8_t *bytes, unsigned len);
/* What was put is written, and the rest goes to another descriptor, the caller's. */
void console_redirect(struct console *console, int out_fd);
/* True when nothing more will ever come. */
bool console_ended(const struct console *console);

/* Takes what a terminal or a live pipe has to say; waits up to timeout_ms for it, or for a signal.
 * Only sleeps with other sources. */
void console_wait(struct console *console, unsigned timeout_ms);
/* The same together with other descriptors, struct pollfd, whose revents are filled in. */
void console_wait_with(struct console *console, GArray *fds, unsigned timeout_ms);
/* The oldest command not yet reported. */
enum console_command console_command(struct console *console);

/* A byte for the user; kept until console_flush() or until there are many. */
void console_put(struct console *console, uint8_t byte);
/* 0, or the errno with which output failed for good (EPIPE: nobody reads it any more). */
int console_flush(struct console *console);

/* The first of SIGINT, SIGTERM, SIGHUP that arrived since console_open(), or 0. A second one ends
 * the process at once, the terminal restored. */
int console_signal(void);

#endif
