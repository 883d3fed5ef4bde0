/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run with a checkpoint: up to it, and on from it in this process or in others. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "boot_report.h"
#include "checkpoint.h"
#include "command.h"
#include "fork.h"
#include "fork_server.h"
#include "fork_socket.h"
#include "inspect.h"
#include "pcilab/io/block.h"
#include "pcilab/trace/trace.h"

int checkpoint_open_log(struct checkpoint_run *c)
{
    const char *logs = c->options->logs;
    char *path = NULL;

    if (logs && g_mkdir_with_parents(logs, 0777) != 0) {
        cli_error("--logs %s: %s", logs, g_strerror(errno));
        return -1;
    }
    if (logs) {
        path = g_build_filename(logs, "boot.log", NULL);
        c->log_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    } else {
        c->log_fd = memfd_create("boot.log", MFD_CLOEXEC);
    }
    if (c->log_fd < 0) {
        cli_error("%s: %s", path ? path : "the console's log", g_strerror(errno));
    }
    g_free(path);
    return c->log_fd;
}

void checkpoint_run_clear(struct checkpoint_run *c)
{
    if (c->log_fd >= 0) {
        close(c->log_fd);
    }
    c->log_fd = -1;
    g_clear_pointer(&c->input, g_free);
    checkpoint_clear(&c->checkpoint);
}

bool checkpoint_run_open(struct checkpoint_run *c)
{
    const struct checkpoint_options *o = c->options;
    GError *error = NULL;

    if (o->input && !g_file_get_contents(o->input, &c->input, &c->input_len, &error)) {
        cli_error("--input: %s", error->message);
        g_error_free(error);
        return false;
    }
    return !o->serve || fork_socket_check(o->serve);
}

/* Disks become overlays: no continuation sees what another one writes. */
static bool separate_disks(const struct checkpoint_run *c)
{
    GError *error = NULL;

    for (unsigned i = 0; c->disks && i < c->disks->len; i++) {
        const struct machine_disk *disk = &g_array_index(c->disks, struct machine_disk, i);
        if (!block_overlay(disk->image, &error)) {
            cli_error("--disk %s: %s", disk->name, error->message);
            g_error_free(error);
            return false;
        }
    }
    return true;
}

static int check_disks(const struct checkpoint_run *c, int status)
{
    for (unsigned i = 0; c->disks && i < c->disks->len; i++) {
        const struct machine_disk *disk = &g_array_index(c->disks, struct machine_disk, i);
        if (block_host_error(disk->image)) {
            cli_error("--disk %s: not all that the guest read worked on this host: %s", disk->name,
                      g_strerror(-block_host_error(disk->image)));
            status = status ? status : CLI_FAILED;
        }
    }
    return status;
}

/* In the child, its console in place. */
static int finish(const struct checkpoint_run *c, uint64_t seed)
{
    struct boot_run *run = c->run;

    machine_reseed(run->machine, seed);
    run->started_us = 0;
    /* The guest may have asked already, and in vain. */
    boot_input_wanted(run);
    if (run->command) {
        command_go_on(run->command);
    }
    int status = command_check_files(run->machine, NULL, check_disks(c, boot_run(run)));
    console_flush(run->console);
    if (run->command) {
        status = command_result(run->command, status);
    }
    if (run->splats) {
        boot_report_splats(run->splats, NULL);
    }
    return status;
}

/* In the child. */
static int go_on(void *opaque, uint64_t seed, int log_fd, struct fork_result *result)
{
    const struct checkpoint_run *c = opaque;

    if (dup2(log_fd, STDERR_FILENO) < 0 || !separate_disks(c)) {
        return CLI_USAGE;
    }
    console_redirect(c->run->console, log_fd);
    int status = finish(c, seed);
    result->virtual_ps = c->run->virtual_ps;
    if (c->digest) {
        trace_digest_hex(c->digest, result->digest);
    }
    return status;
}

/* The client's streams in the place of those of the boot, whose input comes first. */
static void take_streams(const struct checkpoint_run *c, bool tty)
{
    struct boot_run *run = c->run;

    if (run->command && !tty) {
        run->console = console_open_cooked(STDIN_FILENO, STDOUT_FILENO, BOOT_PIPE_PATIENCE_MS);
    } else {
        run->console = console_open(STDIN_FILENO, STDOUT_FILENO, BOOT_PIPE_PATIENCE_MS);
    }
    if (run->command && tty) {
        console_pass_output(run->console);
    }
    if (!run->command) {
        console_prepend(run->console, (const uint8_t *)c->input, (unsigned)c->input_len);
    }
}

/* A client's command; false: what came is none. */
static bool take_job(const struct checkpoint_run *c, const struct fork_message *go, int fd)
{
    struct stat st;

    if (!c->run->command != !(go->flags & FORK_COMMAND)) {
        return false;
    }
    if (!c->run->command) {
        return true;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < AGENT_HEAD_BYTES ||
        st.st_size > AGENT_HEAD_BYTES + AGENT_JOB_BYTES_MAX) {
        return false;
    }
    uint8_t *frame = g_malloc((size_t)st.st_size);
    bool whole = pread(fd, frame, (size_t)st.st_size, 0) == st.st_size;
    if (whole) {
        command_take_job(c->run->command, frame, (size_t)st.st_size, go->flags & FORK_TTY);
    }
    g_free(frame);
    close(fd);
    return whole;
}

/* In the child of the server; the standard streams are the client's. */
static int go_on_served(void *opaque, const struct fork_message *go, const int fds[FORK_FDS_MAX],
                        struct fork_message *result)
{
    struct checkpoint_run *c = opaque;
    struct boot_run *run = c->run;

    if (go->flags & FORK_INSPECT)
        return inspect_serve(run->machine, STDIN_FILENO, go->flags & FORK_JSON);
    cli_set_notes(go->flags & FORK_NOTES);
    if (!take_job(c, go, fds[FORK_FD_JOB]) || !separate_disks(c)) {
        return run->command ? (int)COMMAND_USAGE : (int)CLI_USAGE;
    }
    take_streams(c, go->flags & FORK_TTY);
    if (fds[FORK_FD_LOG] >= 0) {
        run->log = boot_log_new_fd(fds[FORK_FD_LOG]);
    }
    run->limit_ps = go->limit_ps ? run->virtual_ps + go->limit_ps : run->limit_ps;
    run->limit_wall_us = go->limit_wall_us ? go->limit_wall_us : run->limit_wall_us;
    int status = finish(c, go->flags & FORK_RESEEDS ? go->seed : c->seed);
    int log_error = boot_log_free(run->log);
    if (log_error) {
        cli_error("--log: not complete: %s", g_strerror(log_error));
        status = status ? status : CLI_FAILED;
    }
    result->virtual_ps = run->virtual_ps;
    if (!run->command && run->console_bytes && run->last_byte != '\n') {
        result->flags |= FORK_MID_LINE;
    }
    trace_digest_hex(c->digest, result->digest);
    console_close(run->console);
    return status;
}

static bool stopped(void *opaque)
{
    return console_signal() != 0;
}

/* The console so far, when the checkpoint was not reached: there is nothing else to see. */
static void show_log(const struct checkpoint_run *c)
{
    char bytes[4096];
    ssize_t len;

    lseek(c->log_fd, 0, SEEK_SET);
    while ((len = read(c->log_fd, bytes, sizeof(bytes))) > 0) {
        fwrite(bytes, 1, (size_t)len, stdout);
    }
    printf("%sBail out! the checkpoint was not reached\n",
           c->run->console_bytes && c->run->last_byte != '\n' ? "\n" : "");
    fflush(stdout);
}

static int fork_there(struct checkpoint_run *c)
{
    const struct checkpoint_options *o = c->options;
    struct fork_plan plan = {
        .run = go_on,
        .stopped = stopped,
        .opaque = c,
        .seed_first = o->seed_first,
        .seed_count = o->seed_count,
        .repeat = o->repeat,
        .parallel = o->parallel,
        .logs = o->logs,
        .commands = c->run->command != NULL,
        .booted_us = g_get_monotonic_time() - c->run->started_us,
    };

    console_flush(c->run->console);
    for (unsigned i = 0; c->disks && i < c->disks->len; i++) {
        block_flush(g_array_index(c->disks, struct machine_disk, i).image);
    }
    c->run->ended_us = g_get_monotonic_time();
    if (c->run->command) {
        c->run->command->told = true;
    }
    int status = fork_many(&plan);
    return console_signal() ? 128 + console_signal() : status;
}

/* Who sees the server's END may open the images: the end of this process would come too late. */
static void release_disks(void *opaque)
{
    const struct checkpoint_run *c = opaque;

    for (unsigned i = 0; c->disks && i < c->disks->len; i++) {
        block_free(g_array_index(c->disks, struct machine_disk, i).image);
    }
}

static G_GNUC_NORETURN void be_server(struct checkpoint_run *c, int fd)
{
    struct fork_server_config config = {
        .path = c->options->serve,
        .listen_fd = fd,
        .run = go_on_served,
        .release = release_disks,
        .opaque = c,
    };
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    setsid();
    for (int i = STDIN_FILENO; null >= 0 && i <= STDERR_FILENO; i++) {
        (void)dup2(null, i);
    }
    fork_message_init(&config.hello, FORK_HELLO);
    config.hello.seed = c->seed;
    config.hello.flags = c->run->command ? FORK_COMMAND : 0;
    config.hello.booted_us = c->run->ended_us - c->run->started_us;
    fork_server_serve(&config);
    _exit(CLI_OK);
}

/* What is left of the boot's input comes before that of a client. */
static void keep_input(struct checkpoint_run *c)
{
    const uint8_t *left;

    if (c->run->command) { /* nothing of it is a command's */
        return;
    }
    (void)console_take_all(c->run->console);
    c->input_len = console_peek(c->run->console, &left);
    c->input = g_memdup2(left, c->input_len);
}

/* The server is a child that stays behind when this process ends. */
static int serve_there(struct checkpoint_run *c)
{
    struct boot_run *run = c->run;

    keep_input(c);
    console_close(run->console);
    run->console = NULL;
    for (unsigned i = 0; c->disks && i < c->disks->len; i++) {
        block_flush(g_array_index(c->disks, struct machine_disk, i).image);
    }
    int fd = fork_socket_listen(c->options->serve);
    if (fd < 0) {
        return CLI_USAGE;
    }
    pid_t pid = fork();
    if (pid == 0) {
        be_server(c, fd);
    }
    close(fd);
    if (pid < 0) {
        cli_error("no process for the server: %s", g_strerror(errno));
        (void)unlink(c->options->serve);
        return CLI_USAGE;
    }
    if (run->command) {
        run->command->told = true;
    }
    cli_note("process %d serves at %s; to continue: pcilab fork %s; to end it: pcilab fork %s "
             "--stop",
             (int)pid, c->options->serve, c->options->serve, c->options->serve);
    return CLI_OK;
}

/* Input for after the checkpoint. */
static void add_input(struct checkpoint_run *c)
{
    if (c->input) {
        (void)console_take_all(c->run->console);
        console_append(c->run->console, (const uint8_t *)c->input, (unsigned)c->input_len);
    }
}

int checkpoint_boot(struct checkpoint_run *c)
{
    const struct checkpoint_options *o = c->options;

    if (o->forks && !console_take_all(c->run->console)) {
        cli_error("all continuations get the same input: it must be a file, or a pipe that is "
                  "complete at the start; for none, add </dev/null");
        return CLI_USAGE;
    }
    c->run->checkpoint = &c->checkpoint;
    int status = boot_run(c->run);
    if (status != BOOT_AT_CHECKPOINT) {
        cli_error("the checkpoint \"%s\" was not reached", o->where);
        if (o->forks) {
            show_log(c);
        }
        return status == CLI_OK ? CLI_FAILED : status;
    }
    if (o->serve) {
        return serve_there(c);
    }
    add_input(c);
    if (o->forks) {
        return fork_there(c);
    }
    machine_reseed(c->run->machine, o->reseed ? o->reseed_to : c->seed);
    if (c->run->command) {
        command_go_on(c->run->command);
    }
    boot_input_wanted(c->run);
    return boot_run(c->run);
}
