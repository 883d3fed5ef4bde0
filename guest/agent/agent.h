/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first process of a guest that runs one command for `pcilab boot -- COMMAND`. It is static and
 * alone in its initramfs, which pcilab makes in memory: it makes the host's files the guest's root,
 * runs what it is told over a virtio-console port, passes bytes, tells the status, powers off.
 *
 * The ports, by name: PORT_IN, PORT_OUT and PORT_ERR carry bytes and nothing else; PORT_CTL carries
 * frames in both directions: length of the payload (32 bits, little endian), kind (8 bits),
 * payload. The host's side is src/cli/agent.h.
 */
#ifndef PCILAB_GUEST_AGENT_H
#define PCILAB_GUEST_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEAD_BYTES 5
#define FRAME_BYTES_MAX  (16u << 20)

/* From the host. JOB: flags, rows, columns, argc, envc (32 bits each), then strings with a zero at
 * the end: directory, arguments, environment. EOF: 64 bits, how many bytes of standard input there
 * are in all. SIZE: rows, columns (32 bits each). */
enum { FRAME_JOB = 'J', FRAME_EOF = 'E', FRAME_SIZE = 'W' };
#define JOB_TTY 1u
/* To the host. STATUS: 32 bits, as a shell's $?. */
enum { FRAME_READY = 'R', FRAME_STARTED = 'S', FRAME_STATUS = 'X' };

enum port { PORT_IN, PORT_OUT, PORT_ERR, PORT_CTL, PORT_COUNT };

struct job {
    uint32_t flags, rows, columns;
    char *directory;
    char **argv, **env; /* NULL-terminated */
};

/* Says it on the console and powers off: the host sees that no command was started. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void power_off(void) __attribute__((noreturn));

/* setup.c: everything up to a root full of files. Fills the ports' descriptors. */
void setup(int ports[PORT_COUNT]);

/* job.c: waits for a job, runs it to its end. */
void run_job(const int ports[PORT_COUNT]);

#endif
