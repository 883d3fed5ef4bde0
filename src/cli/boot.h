/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab boot: the run itself, apart from options and files. */
#ifndef PCILAB_CLI_BOOT_H
#define PCILAB_CLI_BOOT_H

#include "boot_gdb.h"
#include "boot_log.h"
#include "boot_record.h"
#include "cli.h"
#include "pcilab/io/console.h"
#include "splat.h"

#define BOOT_TAIL_BYTES 16
/* CHOICE: a pipe whose writer has been silent this long before the start is a live one. */
#define BOOT_PIPE_PATIENCE_MS 250
/* What boot_run() returns instead of an exit status. */
#define BOOT_AT_CHECKPOINT (-1)

struct checkpoint; /* checkpoint.h */
struct command;    /* command.h */
struct boot_control;
struct pokes; /* poke.h */

struct boot_run {
    /* The machine, loaded, and how to load it again. */
    struct machine *machine;
    struct console *console;
    const struct machine_boot *boot;

    struct splats *splats; /* NULL: nobody looks for them */
    struct boot_log *log;  /* NULL: none */

    struct checkpoint *checkpoint; /* NULL: none */
    struct command *command;       /* NULL: none; else it has the caller's streams */
    struct pokes *pokes;           /* NULL: none */
    struct boot_record *record;    /* NULL: neither kept nor replayed */
    struct boot_gdb *gdb;          /* NULL: no debugger */
    struct boot_control *control;  /* NULL: none */
    const struct boot_control_ops *control_ops;
    bool past_here;     /* this is a process of the past: nothing of it reaches the outside */
    bool core_failed;   /* one could not be written */
    const char *vmcore; /* where a panic, or a wish for a core file, writes it; NULL */

    /* Shows what these words ask for; may be NULL where no poke asks. */
    void (*inspect)(struct machine *machine, const char *words);

    /* For runs with more than a serial port: where its output goes instead of the console (it then
     * gets no input), and what is done between slices. Both may be NULL. */
    void (*serial_put)(void *host, uint8_t byte);
    void (*serve)(void *host);
    void *host;

    /* Networks of the machine: is there one, and has the host anything to do with them now? */
    bool network, net_live;
    GArray *net_fds; /* struct pollfd */

    bool real_clock; /* virtual time keeps to the wall clock, also when busy */
    bool no_reboot;
    uint64_t limit_ps;      /* of virtual time; 0: none */
    uint64_t until_ps;      /* likewise, and all is well then */
    uint64_t limit_wall_us; /* 0: none */

    /* What was seen. */
    bool panic_expected; /* a panic does not fail the run, and the guest may restart after it */
    bool core_due;       /* a panic was seen that has no core file yet */
    bool panicked;       /* "Kernel panic" on the console */
    bool hung;           /* the panic said its last line: the guest will never do anything again */
    char tail[BOOT_TAIL_BYTES]; /* the console's last bytes */
    uint64_t console_bytes;
    uint8_t last_byte;
    unsigned resets;
    uint64_t virtual_ps; /* over all resets */
    uint64_t behind_ps;  /* what of it the machine's own clock does not know */
    int64_t started_us, first_byte_us, ended_us;

    uint64_t pace_virtual_ps; /* where both clocks were said to agree */
    int64_t pace_wall_us;
};

/* The machine's side of the console; opaque is the struct boot_run. */
void boot_output(void *opaque, uint8_t byte);
void boot_input_wanted(void *opaque);

/* Runs until the guest, the user or a limit ends it; says why unless all is well, and returns the
 * exit status. The console is left open. BOOT_AT_CHECKPOINT, once, when the checkpoint is reached:
 * calling it again goes on. */
int boot_run(struct boot_run *run);

/* Where scripts/guest put its kernel, initramfs and version; g_free() them. */
struct boot_guest {
    char *folder, *kernel, *initrd, *version;
};
/* Of the suite called `name`, NULL for the default one; there or not. g_free() it. */
char *boot_guest_folder(const char *name);
/* `name`: that of a suite, NULL for the default one. Reports itself what to do when there is none;
 * `need` is what it is for: "kernel" or "initrd". */
bool boot_guest_find(struct boot_guest *guest, const char *name, const char *need);
void boot_guest_clear(struct boot_guest *guest);

#endif
