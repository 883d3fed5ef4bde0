/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run of `pcilab boot`: slices of virtual time, and between them what the outside world wants.
 *
 * How time is sliced is not seen by the guest. Input of which all bytes are known before the start
 * enters only when the UART asks (boot_input_wanted); other input also between slices.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "boot.h"
#include "boot_control.h"
#include "checkpoint.h"
#include "command.h"
#include "core_file.h"
#include "pcilab/config/units.h"
#include "poke.h"

#define SLICE_PS       (10 * PS_PER_MS)
#define PACED_SLICE_PS PS_PER_MS
#define LONG_WAIT_MS   100 /* when nothing but input can happen */

enum run_end {
    END_NOT_YET,
    END_CHECKPOINT,
    END_POWERED_OFF,
    END_RESET,
    END_DEAD,
    END_HUNG,
    END_LIMIT,
    END_WALL_LIMIT,
    END_UNTIL,
    END_RECORD, /* what came from outside ends there */
    END_LEFT,
    END_SIGNAL,
    END_OUTPUT,
    END_CONTROL, /* somebody said so */
    END_COMMAND, /* there is nothing more to be learnt of it */
    END_LOAD,
};

static bool listens(const struct boot_run *run)
{
    return run->control && run->control_ops->listens(run->control);
}

static bool stands(const struct boot_run *run)
{
    return run->control && run->control_ops->stands(run->control);
}

static bool tail_is(const struct boot_run *run, const char *text)
{
    size_t len = strlen(text);

    return memcmp(run->tail + BOOT_TAIL_BYTES - len, text, len) == 0;
}

/* Linux writes "Kernel panic - not syncing" and, when it stays where it is for ever (panic=0),
 * last of all "---[ end Kernel panic - not syncing: ... ]---" (kernel/panic.c). */
static void watch_console(struct boot_run *run, uint8_t byte)
{
    memmove(run->tail, run->tail + 1, BOOT_TAIL_BYTES - 1);
    run->tail[BOOT_TAIL_BYTES - 1] = (char)byte;
    if (byte == 'c' && tail_is(run, "Kernel panic")) {
        if (!run->panicked && run->vmcore) {
            run->core_due = true;
            machine_pause(run->machine);
        }
        run->panicked = true;
        run->hung |= tail_is(run, "end Kernel panic");
    }
}

void boot_output(void *opaque, uint8_t byte)
{
    struct boot_run *run = opaque;

    if (run->past_here) {
        return;
    }
    if (!run->console_bytes++) {
        run->first_byte_us = g_get_monotonic_time();
    }
    run->last_byte = byte;
    watch_console(run, byte);
    if (run->control) {
        run->control_ops->byte(run->control, byte);
    }
    if (run->splats) {
        splats_byte(run->splats, byte);
    }
    if (run->log) {
        boot_log_byte(run->log, byte, run->behind_ps + machine_sim(run->machine)->now_ps,
                      g_get_monotonic_time() - run->started_us);
    }
    if (run->serial_put) {
        run->serial_put(run->host, byte);
    } else {
        console_put(run->console, byte);
    }
    if (run->checkpoint && checkpoint_saw(run->checkpoint, byte)) {
        machine_pause(run->machine);
    }
}

/* CHOICE: what the guest has taken before a reset is gone, as on a board; a guest that reads ahead
 * loses what was meant for its next boot. */
void boot_input_wanted(void *opaque)
{
    struct boot_run *run = opaque;
    const uint8_t *bytes;
    bool known = !run->serial_put && console_source(run->console) == CONSOLE_WHOLE;
    unsigned len = known ? console_peek(run->console, &bytes) : 0;

    if (len) {
        console_consume(run->console, machine_console_input(run->machine, bytes, len));
    }
}

/* What has come meanwhile from a terminal or a pipe. */
static void type_input(struct boot_run *run)
{
    const uint8_t *bytes;
    unsigned len;

    if (!run->serial_put && (len = console_peek(run->console, &bytes)) > 0) {
        console_consume(run->console, machine_console_typed(run->machine, bytes, len));
    }
}

static void print_help(void)
{
    fputs("\npcilab: Ctrl-A x  leave; the machine is switched off, disks stay as they are\n"
          "pcilab: Ctrl-A s  how far it has come\n"
          "pcilab: Ctrl-A n  NMI\n"
          "pcilab: Ctrl-A b  a break on the serial line; the next key is SysRq's, like b t or b w\n"
          "pcilab: Ctrl-A c  write a core file of the guest (--vmcore FILE; \"vmcore\")\n"
          "pcilab: Ctrl-A a  send Ctrl-A to the guest\n"
          "pcilab: Ctrl-A h  this help\n",
          stderr);
}

static void print_status(const struct boot_run *run)
{
    char *virtual = units_format_time(run->virtual_ps);

    fprintf(stderr,
            "\npcilab: %s of virtual time in %.1f s; %.1f million instructions; %u reset%s\n",
            virtual, (double)(g_get_monotonic_time() - run->started_us) / 1e6,
            (double)machine_retired(run->machine) / 1e6, run->resets, run->resets == 1 ? "" : "s");
    g_free(virtual);
}

static void write_core(struct boot_run *run)
{
    run->core_failed |= !core_file_write(run->machine, run->vmcore ? run->vmcore : "vmcore");
    run->core_due = false;
}

/* What --at asks for, at its instant. */
static void poke(struct boot_run *run, uint64_t now_ps)
{
    const struct poke *poke;

    while (run->pokes && (poke = pokes_due(run->pokes, now_ps))) {
        if (run->past_here && (poke->what == POKE_VMCORE || poke->what == POKE_INSPECT)) {
            continue;
        }
        switch (poke->what) {
        case POKE_NMI: machine_nmi(run->machine); break;
        case POKE_SYSRQ: machine_sysrq(run->machine, poke->key); break;
        case POKE_TOUCH: machine_touch(run->machine, poke->touch, poke->name); break;
        case POKE_VMCORE: write_core(run); break;
        case POKE_INSPECT:
            console_flush(run->console);
            run->inspect(run->machine, poke->name);
            break;
        }
    }
}

/* Takes what comes from outside, waiting for it up to so long. */
static void wait_world(struct boot_run *run, unsigned timeout_ms)
{
    uint32_t timeout = timeout_ms;

    if (!run->network && !listens(run)) {
        console_wait(run->console, timeout_ms);
        return;
    }
    g_array_set_size(run->net_fds, 0);
    if (run->network) {
        machine_net_fill(run->machine, run->net_fds, &timeout);
        run->net_live = run->net_fds->len > 0;
    }
    if (run->control) { /* behind those, which know their places */
        run->control_ops->fill(run->control, run->net_fds);
    }
    console_wait_with(run->console, run->net_fds, MIN(timeout, timeout_ms));
    if (run->network) {
        machine_net_polled(run->machine, run->net_fds);
    }
}

/* What came from outside since the last slice. */
static enum run_end serve_user(struct boot_run *run)
{
    enum console_command command;

    if (run->past_here) {
        return END_NOT_YET;
    }
    if (console_source(run->console) != CONSOLE_WHOLE || run->network) {
        wait_world(run, 0);
    }
    if (console_source(run->console) != CONSOLE_WHOLE) {
        type_input(run);
    }
    if (run->serve) {
        run->serve(run->host);
    }
    if (run->control) {
        run->control_ops->serve(run->control);
    }
    while ((command = console_command(run->console)) != CONSOLE_NOTHING) {
        switch (command) {
        case CONSOLE_LEAVE: return END_LEFT;
        case CONSOLE_HELP: print_help(); break;
        case CONSOLE_STATUS: print_status(run); break;
        case CONSOLE_NMI: machine_hand(run->machine, MACHINE_HAND_NMI); break;
        case CONSOLE_BREAK: machine_hand(run->machine, MACHINE_HAND_BREAK); break;
        case CONSOLE_CORE: write_core(run); break;
        case CONSOLE_NOTHING: break;
        }
    }
    if (console_flush(run->console) != 0) {
        return END_OUTPUT;
    }
    return console_signal() ? END_SIGNAL : END_NOT_YET;
}

/* As long as a debugger keeps the machine still, only the user is served; no clock runs. */
static enum run_end serve_debugger(struct boot_run *run)
{
    int64_t since_us = g_get_monotonic_time();
    enum run_end end = END_NOT_YET;

    while (end == END_NOT_YET && boot_gdb_holds(run->gdb)) {
        end = serve_user(run);
    }
    int64_t held_us = g_get_monotonic_time() - since_us;
    run->started_us += held_us;
    run->pace_wall_us += held_us;
    return boot_gdb_killed(run->gdb) ? END_LEFT : end;
}

/* A recording says itself when it is over. */
static bool input_may_come(const struct boot_run *run)
{
    return run->net_live || boot_record_replays(run->record) || listens(run) ||
           (console_source(run->console) != CONSOLE_WHOLE && !console_ended(run->console));
}

static bool is_paced(const struct boot_run *run)
{
    if (boot_record_replays(run->record) || run->past_here) {
        return false;
    }
    return run->real_clock || run->net_live || console_source(run->console) == CONSOLE_TERMINAL;
}

/* Idle time does not outrun the wall clock for a person at a terminal: time that was lost while the
 * guest was busy is not made up for. With a real clock it is, and being busy does not run ahead. */
static void keep_pace(struct boot_run *run)
{
    int64_t now_us = g_get_monotonic_time();
    uint64_t idle_until = machine_idle_until(run->machine);
    bool idle = idle_until > machine_sim(run->machine)->now_ps;

    if (!is_paced(run)) {
        if (idle_until == SIM_NEVER && input_may_come(run) && !run->past_here &&
            !boot_record_replays(run->record)) {
            wait_world(run, LONG_WAIT_MS);
        }
        run->pace_virtual_ps = run->virtual_ps;
        run->pace_wall_us = now_us;
        return;
    }
    int64_t ahead_us = (int64_t)((run->virtual_ps - run->pace_virtual_ps) / PS_PER_US) -
                       (now_us - run->pace_wall_us);
    if (!run->real_clock && (ahead_us < 0 || !idle)) {
        run->pace_virtual_ps = run->virtual_ps;
        run->pace_wall_us = now_us;
    } else if (ahead_us >= 1000) {
        wait_world(run, (unsigned)MIN(ahead_us / 1000, LONG_WAIT_MS));
    }
}

static enum run_end check_limits(const struct boot_run *run)
{
    if (run->limit_ps && run->virtual_ps >= run->limit_ps) {
        return END_LIMIT;
    }
    if (run->until_ps && run->virtual_ps >= run->until_ps) {
        return END_UNTIL;
    }
    if (run->limit_wall_us &&
        g_get_monotonic_time() - run->started_us >= (int64_t)run->limit_wall_us) {
        return END_WALL_LIMIT;
    }
    return END_NOT_YET;
}

/* After a panic that nobody expected a restart would only meet it again: the run is as it was. */
static enum run_end restart(struct boot_run *run)
{
    GError *error = NULL;

    if (run->past_here || run->no_reboot || (run->panicked && !run->panic_expected)) {
        return END_RESET;
    }
    if (run->gdb) {
        boot_gdb_restarts(run->gdb);
    }
    run->resets++;
    cli_note("the guest reset the machine");
    if (run->log) {
        boot_log_note(run->log, "the guest reset the machine");
    }
    machine_restart(run->machine);
    if (!machine_load(run->machine, run->boot, &error)) {
        cli_error("%s", error->message);
        g_error_free(error);
        return END_LOAD;
    }
    return END_NOT_YET;
}

static enum run_end run_slice(struct boot_run *run)
{
    struct sim *sim = machine_sim(run->machine);
    uint64_t before = sim->now_ps, slice = is_paced(run) ? PACED_SLICE_PS : SLICE_PS;

    if (run->limit_ps) {
        slice = MIN(slice, run->limit_ps - run->virtual_ps);
    }
    if (run->until_ps) {
        slice = MIN(slice, run->until_ps - run->virtual_ps);
    }
    slice = boot_record_slice_ps(run->record, before, slice);
    if (run->control) {
        slice = run->control_ops->slice_ps(run->control, slice);
    }
    if (run->checkpoint) {
        slice = checkpoint_slice_ps(run->checkpoint, run->virtual_ps, slice);
    }
    if (run->pokes) {
        slice = pokes_slice_ps(run->pokes, run->virtual_ps, slice);
    }
    if (run->gdb) {
        slice = boot_gdb_slice_ps(run->gdb, slice);
    }
    run->behind_ps = run->virtual_ps - before;
    enum machine_stop stop = machine_run(run->machine, before + slice);
    run->virtual_ps += sim->now_ps - before;
    if (run->gdb) {
        boot_gdb_slice(run->gdb);
    }
    if (run->core_due) {
        write_core(run);
    }
    poke(run, run->virtual_ps);
    bool leave = run->control && run->control_ops->slice(run->control);
    switch (stop) {
    case MACHINE_POWERED_OFF: return END_POWERED_OFF;
    case MACHINE_RESET: return restart(run);
    case MACHINE_DEAD: return END_DEAD;
    case MACHINE_PAUSED:
        if (run->checkpoint && checkpoint_take(run->checkpoint)) {
            return END_CHECKPOINT;
        }
        break;
    case MACHINE_RUNNING: break;
    }
    if (run->command && run->command->stop) {
        return END_COMMAND;
    }
    if (leave) {
        return END_CONTROL;
    }
    if (run->checkpoint && checkpoint_is_due(run->checkpoint, run->virtual_ps)) {
        return END_CHECKPOINT;
    }
    if (machine_idle_until(run->machine) == SIM_NEVER && !input_may_come(run) && !run->past_here) {
        return END_DEAD;
    }
    /* An instant at which somebody wanted to look is none that a replay comes by. */
    if (stop == MACHINE_PAUSED && run->control && !boot_record_replays(run->record)) {
        return END_NOT_YET;
    }
    if (!boot_record_slice(run->record, run->machine)) {
        return END_RECORD;
    }
    /* A person may still want to look at it. */
    bool stays =
        console_source(run->console) == CONSOLE_TERMINAL || boot_record_replays(run->record);
    return run->hung && !stays ? END_HUNG : END_NOT_YET;
}

static int explain(const struct boot_run *run, enum run_end end)
{
    char *limit =
        units_format_time(end == END_LIMIT ? run->limit_ps : run->limit_wall_us * PS_PER_US);
    bool failed = (run->panicked && (!run->panic_expected || end == END_HUNG)) ||
                  (run->splats && splats_count(run->splats));
    int status = failed ? CLI_FAILED : CLI_OK;

    switch (end) {
    case END_POWERED_OFF:
    case END_RESET:
    case END_COMMAND:
    case END_UNTIL:
    case END_CONTROL:
    case END_HUNG: break;
    case END_RECORD: status = boot_record_status(run->record); break;
    case END_DEAD:
        if (machine_processors_failed(run->machine)) {
            cli_error("%s", machine_processors_failed(run->machine));
        }
        cli_error("all processors have halted for good, without powering off");
        status = CLI_FAILED;
        break;
    case END_LIMIT:
    case END_WALL_LIMIT:
        cli_error("the limit of %s of %s time is reached", limit,
                  end == END_LIMIT ? "virtual" : "wall clock");
        status = failed ? CLI_FAILED : CLI_LIMIT;
        break;
    case END_LEFT: status = CLI_INTERRUPTED; break;
    case END_SIGNAL:
        cli_error("ended by %s", g_strsignal(console_signal()));
        status = 128 + console_signal();
        break;
    case END_OUTPUT:
        if (console_flush(run->console) == EPIPE) {
            status = 128 + SIGPIPE;
        } else {
            cli_error("%s cannot be written: %s",
                      run->command ? "standard output" : "the guest's console",
                      g_strerror(console_flush(run->console)));
            status = CLI_USAGE;
        }
        break;
    case END_LOAD: status = CLI_USAGE; break;
    case END_CHECKPOINT:
    case END_NOT_YET: g_assert_not_reached();
    }
    if (run->panicked && status != CLI_OK) {
        cli_error("the guest's kernel panicked");
    }
    g_free(limit);
    return status;
}

int boot_run(struct boot_run *run)
{
    enum run_end end = END_NOT_YET;
    uint32_t timeout = 0;

    run->pace_wall_us = g_get_monotonic_time();
    run->pace_virtual_ps = run->virtual_ps;
    if (!run->started_us) {
        run->started_us = run->pace_wall_us;
    }
    run->net_fds = g_array_new(FALSE, FALSE, sizeof(struct pollfd));
    run->network = machine_net_fill(run->machine, run->net_fds, &timeout);
    while (end == END_NOT_YET) {
        if (run->gdb && (end = serve_debugger(run)) != END_NOT_YET) {
            break;
        }
        if (run->gdb && boot_gdb_leaves(run->gdb, run)) {
            continue;
        }
        if (stands(run)) {
            wait_world(run, LONG_WAIT_MS);
        } else {
            end = run_slice(run);
        }
        enum run_end user = serve_user(run);
        if (end == END_NOT_YET) {
            end = user;
        }
        if (end == END_NOT_YET) {
            end = check_limits(run);
        }
        if (end == END_NOT_YET && !stands(run)) {
            keep_pace(run);
        }
    }
    if (run->past_here) {
        boot_gdb_past_ends(run->gdb);
    }
    g_clear_pointer(&run->net_fds, g_array_unref);
    run->ended_us = g_get_monotonic_time();
    if (end == END_CHECKPOINT) {
        return BOOT_AT_CHECKPOINT;
    }
    if (run->splats) {
        splats_end(run->splats);
    }
    pokes_skip_to_end(run->pokes);
    poke(run, POKE_END);
    int status = explain(run, end);
    if (run->gdb) {
        boot_gdb_end(run->gdb, status);
    }
    boot_record_end(run->record, run->machine, status,
                    end != END_POWERED_OFF && end != END_RESET && end != END_CONTROL);
    return status;
}
