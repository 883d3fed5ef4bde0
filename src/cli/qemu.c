/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab-qemu: a machine from QEMU's arguments. */
#include <locale.h>

#include "qemu.h"

int main(int argc, char **argv)
{
    struct qemu *q = qemu_new();
    int status = CLI_FAILED;

    setlocale(LC_ALL, "");
    cli_set_program("pcilab-qemu");
    if (qemu_parse(q, argv)) {
        status = q->done ? CLI_OK : qemu_run(q);
    }
    qemu_free(q);
    return status;
}
