/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `pcilab boot -- COMMAND`: one command in the guest, with the caller's streams, directory,
 * arguments and environment. See docs/commands.md.
 *
 * The machine gets an agent as its only program (guest/agent), the host's files by 9P and a
 * virtio-console with four ports. Up to AGENT_READY nothing depends on the command: a checkpoint
 * there serves any.
 */
#ifndef PCILAB_CLI_COMMAND_H
#define PCILAB_CLI_COMMAND_H

#include "agent.h"
#include "boot.h"
#include "ktree.h"
#include "pcilab/platform/machine.h"

/* Exit statuses of this form, besides the command's own. */
enum command_status {
    COMMAND_LIMIT = 124,   /* the time limit was reached while the command ran */
    COMMAND_SKIP = 125,    /* the kernel never reached the command: git bisect run skips */
    COMMAND_USAGE = 126,   /* a bad option or file; or COMMAND cannot be run */
    COMMAND_UNKNOWN = 127, /* COMMAND is not there */
};

#define COMMAND_PORTS      4
#define COMMAND_TAIL_BYTES 4096

struct command {
    const char *const *argv; /* NULL: no command is wanted */
    bool tty;                /* on a terminal of its own */
    bool verbose;            /* the kernel's console goes to stderr at once */
    bool no_modules;         /* none are with the kernel */

    struct boot_run *run;
    struct virtio_console *device;
    struct virtio_console_port ports[COMMAND_PORTS];
    struct machine_virtio_console host; /* for struct machine_options */
    char *shell[2];                     /* argv of a shell */

    struct agent_link link;
    GByteArray *job;     /* one that was made elsewhere; NULL: argv counts */
    GByteArray *control; /* for the guest, what it has not taken yet */
    uint64_t stdin_bytes;
    bool eof_told, ready, sent, started, ended;
    bool sick; /* the kernel had complained before the command was started */
    bool told; /* what the exit status is was told already, by each continuation */
    bool stop; /* nothing more is to be learnt: the run is over */
    uint8_t status;
    unsigned rows, columns;

    char tail[COMMAND_TAIL_BYTES]; /* the kernel's console, round and round */
    uint64_t tail_bytes;
};

/* What --shell runs, in `argv`. */
void command_set_shell(struct command *c);
/* A command that command_take_job() will bring. */
void command_set_any(struct command *c);
/* What is to run, here and now, as the agent takes it. */
GByteArray *command_make_job(const char *const *argv, bool tty);
/* In /, with an environment that is the same everywhere: what the caller has shall not be seen. */
GByteArray *command_make_plain_job(const char *const *argv);
/* In a continuation: a job that somebody else made; the bytes are copied. */
void command_take_job(struct command *c, const uint8_t *frame, size_t len, bool tty);
/* Adds the devices to the description: files, `rw` directories (NULL: none), ports. Reports errors
 * itself. */
bool command_add_devices(struct command *c, struct machine_desc *desc, char **rw);
/* Says which files' writes this host has refused; the status is then 1 at least. `rw` as above. */
int command_check_files(const struct machine *machine, char **rw, int status);
/* The initramfs in memory: agent, settings, modules, of which `more` (NULL: none) as well. */
bool command_make_initrd(struct ktree *tree, const struct machine_desc *desc, char **rw,
                         char *const *more);
/* What the four ports do; their opaque is the struct command. */
extern const struct virtio_console_port_ops command_port_ops;
/* After machine_new(): joins the ports and the caller's streams. */
void command_attach(struct command *c, struct boot_run *run);
/* After a checkpoint: starts the command if the agent is ready. Otherwise it is started then. */
void command_go_on(struct command *c);
/* What the exit status is, that boot_run()'s would be `status`; says why unless all is well. */
int command_result(const struct command *c, int status);
void command_clear(struct command *c);

#endif
