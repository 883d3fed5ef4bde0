/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab boot: options, files, and what is said before and after the run. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "boot_control.h"
#include "boot_cpu.h"
#include "boot_state.h"
#include "inspect.h"
#include "pcilab/base/bits.h"
#include "pcilab/config/topology.h"
#include "pcilab/config/units.h"
#include "pcilab/io/block.h"
#include "report.h"
#include "run_guest.h"

static void boot_clear(struct boot *boot)
{
    command_clear(&boot->command);
    pokes_clear(&boot->pokes);
    checkpoint_run_clear(&boot->checkpoint);
    (void)trace_file_close(&boot->trace);
    trace_digest_free(boot->digest);
    report_watch_free(boot->watch);
    splats_free(boot->run.splats);
    boot_log_free(boot->run.log);
    boot_gdb_clear(&boot->gdb);
    boot_control_stop(&boot->run);
    machine_free(boot->run.machine);
    kvm_host_free(boot->kvm);
    boot_control_free(&boot->run);
    run_guest_free(boot->commander);
    (void)boot_record_close(&boot->record, CLI_OK);
    for (unsigned i = 0; boot->disks && i < boot->disks->len; i++) {
        block_free(g_array_index(boot->disks, struct machine_disk, i).image);
    }
    g_clear_pointer(&boot->disks, g_array_unref);
    g_free(boot->cmdline);
    boot_guest_clear(&boot->guest);
    ktree_clear(&boot->ktree);
    machine_desc_free(boot->desc);
    g_free(boot->topology);
    boot_options_clear(&boot->options);
}

static bool fail(GError *error)
{
    cli_error("%s", error->message);
    g_error_free(error);
    return false;
}

static bool load_topology(struct boot *boot)
{
    const struct boot_options *o = &boot->options;
    GError *error = NULL;

    boot->desc = cli_load_topology(o->topology, &boot->topology);
    if (!boot->desc) {
        return false;
    }
    if ((o->memory && !topology_override(boot->desc, "memory", o->memory, "--memory", &error)) ||
        (o->cpus && !topology_override(boot->desc, "cpus", o->cpus, "--cpus", &error)) ||
        (o->timing && !topology_override(boot->desc, "timing", o->timing, "--timing", &error))) {
        return fail(error);
    }
    char *memory = units_format_size(boot->desc->memory_bytes);
    cli_note("topology: %s (%u processor%s, %s)", boot->topology, boot->desc->cpus,
             boot->desc->cpus == 1 ? "" : "s", memory);
    g_free(memory);
    return true;
}

/* A kernel with its modules, and the programs of the prepared guest or of --initrd around them. */
static bool find_tree(struct boot *boot)
{
    const struct boot_options *o = &boot->options;
    struct ktree *t = &boot->ktree;

    if (!(o->ktree ? ktree_open(t, o->ktree) : ktree_open_debs(t, o->kernel_debs))) {
        return false;
    }
    cli_note("kernel: %s: %s", t->kernel, t->release ? t->release : "of unknown version");
    boot->load.kernel_path = t->kernel;
    if (!o->initrd && !boot_guest_find(&boot->guest, NULL, "initrd")) {
        return false;
    }
    const char *base = o->initrd ? o->initrd : boot->guest.initrd;
    if (!cli_file_is_readable("initrd", base) || !ktree_initrd(t, base, o->modules)) {
        return false;
    }
    boot->load.initrd_path = t->initrd ? t->initrd : base;
    return true;
}

/* A kernel and its modules, and an initramfs made for a command. */
static bool find_command_files(struct boot *boot)
{
    const struct boot_options *o = &boot->options;
    struct ktree *t = &boot->ktree;
    bool ok;

    if (o->ktree) {
        ok = ktree_open(t, o->ktree);
    } else if (o->kernel_debs) {
        ok = ktree_open_debs(t, o->kernel_debs);
    } else if (o->kernel) {
        char *folder = boot_guest_folder(NULL);
        ok = cli_file_is_readable("kernel", o->kernel) && ktree_open_kernel(t, o->kernel, folder);
        g_free(folder);
    } else {
        ok = boot_guest_find(&boot->guest, o->guest, "kernel") &&
             ktree_open_kernel(t, boot->guest.kernel, boot->guest.folder);
        if (ok && !t->modules) {
            cli_error("there are no modules in %s/lib/modules; run scripts/guest",
                      boot->guest.folder);
            ok = false;
        }
    }
    if (!ok || !command_make_initrd(t, boot->desc, o->rw, o->modules)) {
        return false;
    }
    boot->command.no_modules = !t->modules;
    boot->load.kernel_path = t->kernel;
    boot->load.initrd_path = t->initrd;
    return true;
}

static bool find_files(struct boot *boot)
{
    const struct boot_options *o = &boot->options;

    boot->load.kernel_path = o->kernel;
    boot->load.initrd_path = o->initrd;
    if (!o->kernel) {
        if (!boot_guest_find(&boot->guest, o->guest, "kernel")) {
            return false;
        }
        boot->load.kernel_path = boot->guest.kernel;
        if (!o->initrd) {
            boot->load.initrd_path = boot->guest.initrd;
        }
        cli_note("kernel: %s, prepared by scripts/guest: %s", boot->guest.kernel,
                 boot->guest.version);
    } else {
        cli_note("kernel: %s", o->kernel);
    }
    if (boot->load.initrd_path) {
        cli_note("initrd: %s", boot->load.initrd_path);
    }
    return cli_file_is_readable("kernel", boot->load.kernel_path) &&
           (!boot->load.initrd_path || cli_file_is_readable("initrd", boot->load.initrd_path));
}

static bool find_kernel(struct boot *boot)
{
    const struct boot_options *o = &boot->options;

    boot->load.enter_bzimage = o->enter_bzimage;
    boot->cmdline = boot_options_cmdline(o);
    boot->load.cmdline = boot->cmdline;
    if (boot->command.argv || boot->commander) {
        if (!find_command_files(boot)) {
            return false;
        }
    } else if (!(o->ktree || o->kernel_debs ? find_tree(boot) : find_files(boot))) {
        return false;
    }
    cli_note("command line: %s", boot->cmdline);
    return true;
}

static bool check_disk_name(const struct boot *boot, const char *name)
{
    const char **names = g_new0(const char *, boot->desc->count + 1);
    GString *all = g_string_new(NULL);
    unsigned count = 0;
    bool found = false;

    for (unsigned i = 0; i < boot->desc->count; i++) {
        const struct machine_component *c = &boot->desc->components[i];
        if (machine_kind_has_disk(c->kind)) {
            g_string_append_printf(all, "%s%s", count ? ", " : "", c->name);
            names[count++] = c->name;
            found |= strcmp(c->name, name) == 0;
        }
    }
    if (!found && !count) {
        cli_error("--disk %s: there is no disk in %s", name, boot->topology);
    } else if (!found) {
        const char *near = units_nearest(name, names, count);
        cli_error("--disk %s: there is no such disk in %s%s%s%s; there are: %s", name,
                  boot->topology, near ? "; did you mean \"" : "", near ? near : "",
                  near ? "\"?" : "", all->str);
    }
    for (unsigned i = 0; found && i < boot->disks->len; i++) {
        if (strcmp(g_array_index(boot->disks, struct machine_disk, i).name, name) == 0) {
            cli_error("--disk %s: given twice", name);
            found = false;
        }
    }
    g_string_free(all, TRUE);
    g_free(names);
    return found;
}

/* One --disk NAME=FILE; the text is cut in two. */
static bool open_disk(struct boot *boot, char *text)
{
    char *equals = strchr(text, '=');
    GError *error = NULL;

    if (!equals || equals == text || !equals[1]) {
        cli_error("--disk \"%s\" is not allowed; it is NAME=FILE, like nvme0=disk.img", text);
        return false;
    }
    *equals = '\0';
    if (!check_disk_name(boot, text)) {
        return false;
    }
    unsigned flags =
        boot_options_take_disk_modes(equals + 1) | (boot->options.replay ? BLOCK_OVERLAY : 0);
    struct machine_disk disk = {
        .name = text, .image = block_open(equals + 1, BLOCK_READ_ONLY_OK | flags, &error)};
    if (!disk.image) {
        g_prefix_error(&error, "--disk %s: ", text);
        return fail(error);
    }
    if (block_read_only(disk.image) && !(flags & BLOCK_READ_ONLY)) {
        cli_error("--disk %s: %s cannot be written; the guest gets a write-protected disk", text,
                  equals + 1);
    }
    g_array_append_val(boot->disks, disk);
    return true;
}

/* A checkpoint's place and where its console goes. */
static bool open_checkpoint(struct boot *boot)
{
    const struct boot_options *o = &boot->options;
    struct checkpoint_run *c = &boot->checkpoint;

    c->options = &o->checkpoint;
    c->seed = o->seed;
    if (!o->checkpoint.wanted) {
        return true;
    }
    for (unsigned i = 0; i < boot->desc->count; i++) {
        if (machine_kind_is_card(boot->desc->components[i].kind) &&
            !boot->desc->components[i].net.wire) {
            cli_error("%s: no checkpoint can be taken with the network of %s, whose connections no "
                      "second process can continue",
                      boot->topology, boot->desc->components[i].name);
            return false;
        }
    }
    if ((o->checkpoint.forks || o->checkpoint.serve) &&
        (o->trace.select || o->log_file || o->tested_with || o->out)) {
        cli_error("--trace, --trace-file, --log, --out and --tested-with are for one run; with "
                  "--times or "
                  "--seeds see --logs and --digest, or look at one seed with --reseed");
        return false;
    }
    return checkpoint_run_open(c) && checkpoint_parse(&c->checkpoint, o->checkpoint.where) &&
           (!o->checkpoint.forks || checkpoint_open_log(c) >= 0);
}

/* What is done to the guest from outside. */
static bool open_pokes(struct boot *boot)
{
    const struct boot_options *o = &boot->options;

    if (!pokes_parse(&boot->pokes, o->pokes)) {
        return false;
    }
    if (pokes_need_vmcore(&boot->pokes) && !o->vmcore) {
        cli_error("--at TIME:vmcore needs --vmcore FILE");
        return false;
    }
    if ((o->checkpoint.forks || o->checkpoint.serve) && o->vmcore) {
        cli_error("--vmcore is for one run; look at one seed with --reseed");
        return false;
    }
    for (unsigned i = 0; i < boot->pokes.count; i++) {
        const struct poke *poke = &boot->pokes.all[i];
        if (poke->what == POKE_INSPECT && !inspect_now_check(poke->name)) {
            return false;
        }
    }
    boot->run.inspect = inspect_now;
    boot->run.pokes = &boot->pokes;
    boot->run.vmcore = o->vmcore;
    return true;
}

/* The log, and what is not expected on the console. */
static bool open_verdict(struct boot *boot)
{
    const struct boot_options *o = &boot->options;
    GError *error = NULL;

    boot->run.splats = splats_new();
    for (unsigned i = 0; o->allowed_splats && o->allowed_splats[i]; i++) {
        if (!splats_allow(boot->run.splats, o->allowed_splats[i], &error)) {
            g_prefix_error(&error, "--allow-splat \"%s\" is not allowed: ", o->allowed_splats[i]);
            return fail(error);
        }
        boot->run.panic_expected |= strcmp(o->allowed_splats[i], "panic") == 0;
    }
    if (o->log_file) {
        boot->run.log = boot_log_new(o->log_file, &error);
        if (!boot->run.log) {
            g_prefix_error(&error, "--log ");
            return fail(error);
        }
        boot_log_note(boot->run.log, boot->topology);
        boot_log_note(boot->run.log, boot->load.kernel_path);
        boot_log_note(boot->run.log, boot->cmdline);
        boot_log_note(boot->run.log, "virtual s   wall s  console");
    }
    return true;
}

/* Whether all that comes from outside can be kept. */
static bool open_record(struct boot *boot)
{
    const struct boot_options *o = &boot->options;
    const struct boot_identity identity = {
        .topology = boot->topology,
        .kernel = boot->load.kernel_path,
        .initrd = boot->load.initrd_path,
        .cmdline = boot->cmdline,
        .seed = o->seed,
        .memory_bytes = boot->desc->memory_bytes,
        .cpus = boot->desc->cpus,
        .timing = o->timing,
        .pokes = o->pokes,
        .disks = boot->disks,
        .enter_bzimage = o->enter_bzimage,
        .no_reboot = o->no_reboot,
        .panic_expected = boot->run.panic_expected,
    };

    if (!o->record && !o->replay) {
        return true;
    }
    for (unsigned i = 0; i < boot->desc->count; i++) {
        if (boot->desc->components[i].kind == MACHINE_VIRTIO_9P) {
            cli_error("%s: %s gives the guest this computer's files, which are not recorded",
                      o->record ? "--record" : "--replay", boot->desc->components[i].name);
            return false;
        }
    }
    boot->run.record = &boot->record;
    return boot_record_open(&boot->record, o->record, o->replay) &&
           boot_record_start(&boot->record, boot_identity_text(&identity));
}

static bool open_files(struct boot *boot)
{
    struct boot_options *o = &boot->options;

    if (o->out && !report_boot_open(o)) {
        return false;
    }
    boot->disks = g_array_new(FALSE, FALSE, sizeof(struct machine_disk));
    for (unsigned i = 0; o->disks && o->disks[i]; i++) {
        if (!open_disk(boot, o->disks[i])) {
            return false;
        }
    }
    if (!trace_options_check(&o->trace, boot->desc) || !trace_file_open(&boot->trace, &o->trace)) {
        return false;
    }
    return open_verdict(boot) && open_checkpoint(boot) && open_pokes(boot) && open_record(boot);
}

static bool build_machine(struct boot *boot)
{
    const struct boot_options *o = &boot->options;
    GError *error = NULL;

    boot->gdb.no_past = boot->command.argv || boot->commander
                            ? "commands use this computer's files"
                            : boot_past_hindrance(boot->desc, boot->disks, o->control);
    if (o->gdb && !boot->gdb.no_past) {
        boot->gdb.past = boot_past_new(&boot->record.log);
    }
    struct machine_options options = {
        .seed = o->seed,
        .disks = (const struct machine_disk *)(void *)boot->disks->data,
        .disk_count = boot->disks->len,
        .console = {boot_output, boot_input_wanted, &boot->run},
        .virtio_consoles = &boot->command.host,
        .virtio_console_count = boot->command.argv || boot->commander ? 1 : 0,
        .log = &boot->record.log,
        .kvm = boot->kvm,
    };

    boot->run.machine = machine_new(boot->desc, &options, &error);
    if (!boot->run.machine) {
        g_prefix_error(&error, "%s: ", boot->topology);
        return fail(error);
    }
    if (!pokes_check(&boot->pokes, boot->run.machine) ||
        !boot_record_check(&boot->record, boot->run.machine)) {
        return false;
    }
    if (boot->commander) {
        run_guest_join(boot->commander, boot->run.machine, &boot->command);
    }
    if ((o->control || o->replay) && !boot_control_start(&boot->run, o->control, boot->commander)) {
        return false;
    }
    if (o->digest || o->tested_with || o->checkpoint.serve) {
        boot->digest = trace_digest_new(machine_trace(boot->run.machine));
    }
    trace_file_attach(&boot->trace, boot->run.machine);
    if (o->out) {
        boot->watch = report_watch_new(boot->run.machine, boot->desc, boot->topology);
    }
    if (boot->command.argv) {
        command_attach(&boot->command, &boot->run);
    }
    boot->built_us = g_get_monotonic_time();
    if (!machine_load(boot->run.machine, &boot->load, &error)) {
        return fail(error);
    }
    boot->loaded_us = g_get_monotonic_time();
    if (o->gdb) {
        boot->gdb.query = inspect_now_text;
        boot->run.gdb = &boot->gdb;
        return boot_gdb_start(&boot->gdb, boot->run.machine, o->gdb);
    }
    return true;
}

/* Disks are durable and files complete, or it is said which are not. */
static int close_files(struct boot *boot, int status)
{
    for (unsigned i = 0; i < boot->disks->len; i++) {
        const struct machine_disk *disk = &g_array_index(boot->disks, struct machine_disk, i);
        block_flush(disk->image);
        if (block_host_error(disk->image)) {
            cli_error("--disk %s: not all that the guest read or wrote worked on this host: %s",
                      disk->name, g_strerror(-block_host_error(disk->image)));
            status = status ? status : CLI_FAILED;
        }
    }
    status = command_check_files(boot->run.machine, boot->options.rw, status);
    if (!trace_file_close(&boot->trace)) {
        status = status ? status : CLI_FAILED;
    }
    if (boot->run.core_failed) {
        status = status ? status : CLI_FAILED;
    }
    int log_error = boot_log_free(boot->run.log);
    boot->run.log = NULL;
    if (log_error) {
        cli_error("--log %s: not complete: %s", boot->options.log_file, g_strerror(log_error));
        status = status ? status : CLI_FAILED;
    }
    return status;
}

static int boot_machine(struct boot *boot)
{
    struct boot_run *run = &boot->run;

    run->boot = &boot->load;
    run->real_clock = boot->options.real_clock;
    run->no_reboot =
        boot->options.no_reboot || run->command || boot->commander; /* a job is done once */
    run->limit_ps = boot->options.limit_ps;
    run->until_ps = boot->options.until_ps;
    run->limit_wall_us = boot->options.limit_wall_ps / PS_PER_US;
    boot->checkpoint.run = run;
    boot->checkpoint.disks = boot->disks;
    boot->checkpoint.digest = boot->digest;
    bool forks = boot->options.checkpoint.forks;
    int out_fd = forks ? boot->checkpoint.log_fd : STDOUT_FILENO;
    int null_fd = boot->options.replay ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
    run->console = run->command && !boot->command.tty
                       ? console_open_cooked(STDIN_FILENO, out_fd, BOOT_PIPE_PATIENCE_MS)
                       : console_open(boot->options.replay ? null_fd : STDIN_FILENO, out_fd,
                                      BOOT_PIPE_PATIENCE_MS);
    if (run->command && boot->command.tty) {
        console_pass_output(run->console);
    }
    if (console_source(run->console) == CONSOLE_TERMINAL) {
        cli_note("Ctrl-A x leaves, Ctrl-A h helps");
    } else if (console_source(run->console) == CONSOLE_LIVE && boot->options.digest) {
        cli_note("stdin is a pipe that is still being written: when its bytes come decides the "
                 "digest");
    }
    int status =
        boot->options.checkpoint.wanted ? checkpoint_boot(&boot->checkpoint) : boot_run(run);
    status = boot_record_close(&boot->record, close_files(boot, status));
    if (!forks && !boot->options.checkpoint.serve) {
        boot_print_results(boot, status);
    }
    console_close(run->console);
    if (null_fd >= 0) {
        close(null_fd);
    }
    boot_print_end(boot);
    status = report_boot(boot->watch, run, &boot->options, status);
    if (run->command && !boot->command.told) {
        status = command_result(&boot->command, status);
    }
    return status;
}

/* The command, or what stands for it. */
static bool find_command(struct boot *boot)
{
    struct boot_options *o = &boot->options;
    struct command *c = &boot->command;

    o->shell |= boot_options_default_shell(o);
    c->tty = o->tty;
    c->verbose = o->verbose;
    c->argv = (const char *const *)o->command;
    if (o->shell) {
        command_set_shell(c);
    } else if (boot_options_wants_command(o) && !c->argv) {
        command_set_any(c);
    }
    if (o->guest_commands) {
        boot->commander = run_guest_new(NULL);
    }
    if ((c->argv || boot->commander) && !command_add_devices(c, boot->desc, o->rw)) {
        return false;
    }
    if (boot->commander) {
        run_guest_take_ports(boot->commander, c);
    }
    return true;
}

int cli_boot(char **argv)
{
    struct boot boot = {.checkpoint.log_fd = -1};
    int status = boot_options_is_command(argv) ? COMMAND_USAGE : CLI_USAGE;

    g_set_prgname("pcilab boot");
    boot.started_us = g_get_monotonic_time();
    if (boot_options_parse(&boot.options, argv)) {
        bool command = boot_options_wants_command(&boot.options);
        cli_set_notes(boot.options.verbose ||
                      (!boot.options.quiet && !command && isatty(STDERR_FILENO)));
        if (boot_cpu_open(&boot.options, &boot.kvm) && load_topology(&boot) &&
            find_command(&boot) && find_kernel(&boot) && open_files(&boot) &&
            build_machine(&boot)) {
            status = boot_machine(&boot);
        }
    }
    boot_clear(&boot);
    return status;
}
