/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's side of a virtio-console that nobody attached to: port 0 is a console whose output
 * goes nowhere, port 1 ("pcilab.echo") gives back what it is given.
 */
#ifndef PCILAB_HW_PLATFORM_ECHO_H
#define PCILAB_HW_PLATFORM_ECHO_H

#include "pcilab/endpoint/virtio_devices.h"

#define ECHO_PORTS 2

struct echo;

/* Fills in the ports to create the console with. */
struct echo *echo_new(struct virtio_console_port ports[ECHO_PORTS]);
void echo_attach(struct echo *echo, struct virtio_console *console);
void echo_free(struct echo *echo);

#endif
