/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent: how it begins and ends. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "agent.h"

void power_off(void)
{
    sync();
    reboot(RB_POWER_OFF);
    for (;;) {
        pause();
    }
}

void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("pcilab: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    power_off();
}

int main(void)
{
    int ports[PORT_COUNT];

    setup(ports);
    run_job(ports);
    power_off();
}
