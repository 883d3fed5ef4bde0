/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of pcilab boot. */
#include <string.h>
#include <unistd.h>

#include "boot_options.h"
#include "cli.h"
#include "pcilab/base/bits.h"
#include "pcilab/config/units.h"
#include "pcilab/io/block.h"
#include "splat.h"

/* CHOICE: what makes the kernel talk to us and end a run that failed, and nothing that changes what
 * it does. With panic=-1 a panic resets the machine at once. */
#define DEFAULT_CMDLINE "console=ttyS0 panic=-1"
/* CHOICE: where a command is waited for, the kernel does not test its ciphers first (a third of the
 * instructions of a boot), and says what is judged, warnings and worse, and nothing else. */
#define COMMAND_CMDLINE DEFAULT_CMDLINE " cryptomgr.notests"
#define COMMAND_QUIET   " loglevel=5"

/* Options that need more than glib's own types, as they were typed. */
struct raw_options {
    char *seed, *clock, *enter, *until;
    char **limits;
    char **rest;
};

static void raw_clear(struct raw_options *raw)
{
    g_free(raw->seed);
    g_free(raw->clock);
    g_free(raw->enter);
    g_free(raw->until);
    g_strfreev(raw->limits);
    g_strfreev(raw->rest);
}

void boot_options_clear(struct boot_options *o)
{
    g_free(o->topology);
    g_free(o->kernel);
    g_free(o->initrd);
    g_free(o->guest);
    g_free(o->ktree);
    g_strfreev(o->kernel_debs);
    g_strfreev(o->modules);
    g_strfreev(o->append);
    g_strfreev(o->command);
    g_strfreev(o->rw);
    g_free(o->cmdline);
    g_free(o->cpus);
    g_free(o->cpu);
    g_free(o->memory);
    g_free(o->timing);
    g_strfreev(o->disks);
    trace_options_clear(&o->trace);
    g_free(o->log_file);
    g_free(o->out);
    g_strfreev(o->allowed_splats);
    g_free(o->gdb);
    g_free(o->vmcore);
    g_free(o->control);
    g_free(o->record);
    g_free(o->replay);
    g_strfreev(o->pokes);
    checkpoint_options_clear(&o->checkpoint);
    memset(o, 0, sizeof(*o));
}

static bool is_at_command(const struct boot_options *o)
{
    return o->checkpoint.where && strcmp(o->checkpoint.where, "command") == 0;
}

bool boot_options_wants_command(const struct boot_options *o)
{
    return o->command || o->shell || (o->checkpoint.serve && is_at_command(o));
}

char *boot_options_cmdline(const struct boot_options *o)
{
    bool command = boot_options_wants_command(o);
    const char *first = !command     ? DEFAULT_CMDLINE
                        : o->verbose ? COMMAND_CMDLINE
                                     : COMMAND_CMDLINE COMMAND_QUIET;
    GString *line = g_string_new(o->cmdline ? o->cmdline : first);

    for (unsigned i = 0; o->append && o->append[i]; i++) {
        g_string_append_printf(line, "%s%s", line->len ? " " : "", o->append[i]);
    }
    return g_string_free(line, FALSE);
}

static bool parse_choice(const char *option, const char *text, const char *off, const char *on,
                         bool *value)
{
    if (!text || strcmp(text, off) == 0) {
        *value = false;
    } else if (strcmp(text, on) == 0) {
        *value = true;
    } else {
        cli_error("%s=%s is not allowed; it is %s (the default) or %s", option, text, off, on);
        return false;
    }
    return true;
}

bool boot_limit_parse(const char *text, uint64_t *limit_ps, uint64_t *limit_wall_ps)
{
    bool wall = g_str_has_prefix(text, "wall:");
    uint64_t ps;

    if (!units_parse_time(wall ? text + 5 : text, &ps) || !ps) {
        cli_error(
            "--limit \"%s\" is not allowed; it is a virtual time like 30s or 500ms, or a wall "
            "clock time like wall:60s",
            text);
        return false;
    }
    *(wall ? limit_wall_ps : limit_ps) = ps;
    return true;
}

static bool check_kernel_options(const struct boot_options *o)
{
    static const char suite_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

    if (!!o->kernel + !!o->guest + !!o->ktree + !!o->kernel_debs > 1) {
        cli_error("only one of --kernel, --guest, --ktree and --kernel-deb can say which kernel to "
                  "boot");
        return false;
    }
    if (o->guest && (!*o->guest || o->guest[strspn(o->guest, suite_chars)])) {
        cli_error("--guest \"%s\" is not allowed; it is the name of a Debian suite, for which "
                  "scripts/guest --suite NAME was run",
                  o->guest);
        return false;
    }
    if (o->modules && !o->ktree && !o->kernel_debs && !boot_options_wants_command(o) &&
        !o->guest_commands) {
        cli_error("--module %s: it needs --ktree or --kernel-deb to come from", o->modules[0]);
        return false;
    }
    return true;
}

/* "[TOPOLOGY] -- COMMAND", --shell and what goes with them. */
static bool check_command(const struct boot_options *o)
{
    bool wanted = boot_options_wants_command(o);

    if (o->checkpoint.serve && (o->command || o->shell || o->tty)) {
        cli_error("--serve: give the command to pcilab fork %s -- COMMAND; here: --checkpoint-at "
                  "command",
                  o->checkpoint.serve);
    } else if (o->command && !o->command[0]) {
        cli_error("there is no command after \"--\"; for a shell: pcilab boot --shell");
    } else if (o->command && o->shell) {
        cli_error("--shell runs $SHELL: what is \"%s\"? For a command on a terminal: --tty",
                  o->command[0]);
    } else if (wanted && o->initrd) {
        cli_error("--initrd %s: with a command or --shell the initramfs is pcilab's own",
                  o->initrd);
    } else if (!wanted && ((o->rw && !o->guest_commands) || o->tty)) {
        cli_error("%s is for commands: pcilab boot ... -- COMMAND", o->rw ? "--rw" : "--tty");
    } else if (wanted && o->checkpoint.forks && o->tty) {
        cli_error("--tty is for one run: continuations have no terminal");
    } else if (!wanted && is_at_command(o)) {
        cli_error("--checkpoint-at command: there is none; add -- COMMAND, or --serve PATH");
    } else {
        return true;
    }
    return false;
}

/* --record, --replay, --until. */
static bool check_record(struct boot_options *o, const char *until)
{
    const char *option = o->record ? "--record" : "--replay";

    if (until && (!units_parse_time(until, &o->until_ps) || !o->until_ps)) {
        cli_error("--until \"%s\" is not allowed; it is a virtual time like 30s or 500ms", until);
        return false;
    }
    if (!o->record && !o->replay) {
        return true;
    }
    if (o->record && o->replay) {
        cli_error("--record and --replay: one or the other");
    } else if (boot_options_wants_command(o)) {
        cli_error("%s is for runs without a command: it works on this computer's files, which are "
                  "not recorded",
                  option);
    } else if (o->checkpoint.wanted) {
        cli_error("%s is for one run; with --checkpoint-at it would be more than one", option);
    } else {
        return true;
    }
    return false;
}

static bool check_control(const struct boot_options *o)
{
    if (o->control && o->checkpoint.wanted) {
        cli_error("--control is for one run; with --checkpoint-at it would be more than one");
        return false;
    }
    if (o->guest_commands &&
        (!o->control || o->record || o->initrd || boot_options_wants_command(o))) {
        cli_error("--guest-commands is for --control PATH, without --record, --initrd or a command "
                  "of its own");
        return false;
    }
    if (o->control && o->replay) {
        cli_error("--control: a replay takes its orders from the recording");
        return false;
    }
    return true;
}

static bool take_raw(struct boot_options *o, struct raw_options *raw)
{
    if (raw->seed && !units_parse_uint(raw->seed, &o->seed)) {
        cli_error("--seed \"%s\" is not allowed; it is a number of up to 64 bits", raw->seed);
        return false;
    }
    if (!parse_choice("--clock", raw->clock, "virtual", "real", &o->real_clock) ||
        !parse_choice("--enter", raw->enter, "kernel", "bzimage", &o->enter_bzimage)) {
        return false;
    }
    if (!checkpoint_options_take(&o->checkpoint, o->seed)) {
        return false;
    }
    if (!trace_options_take(&o->trace)) {
        return false;
    }
    for (unsigned i = 0; raw->limits && raw->limits[i]; i++) {
        if (!boot_limit_parse(raw->limits[i], &o->limit_ps, &o->limit_wall_ps)) {
            return false;
        }
    }
    if (o->gdb && o->checkpoint.wanted) {
        cli_error("--gdb is for one run, and a checkpoint makes several");
        return false;
    }
    if (!check_control(o) || !check_kernel_options(o) || !check_command(o) ||
        !check_record(o, raw->until)) {
        return false;
    }
    if (raw->rest && raw->rest[0]) {
        if (raw->rest[1]) {
            cli_error("one topology is enough; what is \"%s\"? See pcilab boot --help",
                      raw->rest[1]);
            return false;
        }
        o->topology = g_strdup(raw->rest[0]);
    }
    return true;
}

static const char summary[] =
    "TOPOLOGY is a topology file, or the name of one that comes with pcilab (pcilab topo --list);\n"
    "without it: default.\n"
    "The guest's serial console is on stdin and stdout; on a terminal, Ctrl-A x leaves and\n"
    "Ctrl-A h helps. With -- COMMAND or --shell these are the command's, as with ssh: it runs in\n"
    "the guest on this computer's files, which it cannot change but for --rw.";

/* Before and after the names of splats. */
static const char description_head[] =
    "Examples:\n"
    "  pcilab boot                              a shell on the default topology\n"
    "  pcilab boot deep --append quiet          another topology, more command line\n"
    "  pcilab boot my.ini --disk nvme0=disk.img\n"
    "                                           my topology, an image behind its NVMe\n"
    "  pcilab boot --kernel arch/x86/boot/bzImage --initrd initramfs.img\n"
    "                                           a kernel that I built\n"
    "  pcilab boot --ktree ~/linux peer         the kernel built there with its modules, and\n"
    "                                           the programs that scripts/guest prepared\n"
    "  echo 'lspci -tv; poweroff -f' | pcilab boot --digest\n"
    "                                           commands from a pipe; the last line is the\n"
    "                                           SHA-256 of all that happened\n"
    "  pcilab boot --limit 20s --limit wall:5m --no-reboot </dev/null\n"
    "                                           in a test: never for ever\n"
    "  pcilab boot --trace=tlp --trace-file tlps.txt\n"
    "                                           every TLP at every port\n"
    "  pcilab boot --trace=tlp:nvme0,iommu --from 2s --to 2.1s --trace-file x.pcapng\n"
    "                                           for Wireshark (docs/wireshark.md)\n"
    "\n"
    "  pcilab boot peer --ktree ~/linux --rw . -- ./test.sh 'an argument'\n"
    "                                           one command in the guest; its exit status\n"
    "  pcilab boot --shell                      a shell in the guest, among my files\n"
    "\n"
    "Default command line: " DEFAULT_CMDLINE "\n"
    "and with a command besides: cryptomgr.notests loglevel=5\n"
    "\n"
    "Input: bytes of a file, a here-document or a pipe that is complete at the start enter when\n"
    "the guest asks for them, which does not depend on the host. Bytes of a pipe that is still\n"
    "being written, and of a terminal, enter when they come. The end of input is not the end of\n"
    "the run.\n"
    "\n"
    "Splats: what a kernel prints on the console when something is wrong fails the run, and the\n"
    "first is printed at its end (with source lines, if the kernel lies in its built tree).\n"
    "--allow-splat takes a Perl regular expression, or one of these names (after an expected "
    "panic\n"
    "the guest may restart, or its crash kernel go on):\n"
    "  ";
static const char description_tail[] =
    "\n"
    "What `quiet` keeps off the console (WARN, AER, DPC) cannot be seen.\n"
    "\n"
    "Exit status:\n"
    "  0    the guest powered off, or reset itself with --no-reboot\n"
    "  1    the kernel panicked, complained (a splat), or stopped for good otherwise\n"
    "  2    bad usage or input; nothing was started\n"
    "  3    a limit was reached\n"
    "  130  left with Ctrl-A x or Ctrl-C; other signals likewise 128 and their number\n"
    "Exit status with -- COMMAND or --shell: the command's (1 for its 0 if the kernel complained\n"
    "or panicked meanwhile); 128 + N for signal N; and\n"
    "  124  a limit was reached while the command ran\n"
    "  125  the kernel never got to the command, or complained before: git bisect run skips\n"
    "  126  bad usage or input, or the command cannot be run\n"
    "  127  there is no such command\n";

/* g_free() it. */
static char *describe(void)
{
    char *names = splat_names();
    char *text = g_strconcat(description_head, names, description_tail, NULL);

    g_free(names);
    return text;
}

unsigned boot_options_take_disk_modes(char *text)
{
    static const struct {
        const char *word;
        unsigned flag;
    } modes[] = {{",ro", BLOCK_READ_ONLY}, {",overlay", BLOCK_OVERLAY}, {",direct", BLOCK_DIRECT}};
    unsigned flags = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        if (g_str_has_suffix(text, modes[i].word)) {
            flags |= modes[i].flag;
            text[strlen(text) - strlen(modes[i].word)] = '\0';
            i = (unsigned)-1; /* another one may stand before it */
        }
    }
    return flags;
}

bool boot_options_is_command(char *const *argv)
{
    for (unsigned i = 1; argv[i]; i++) { /* the first "--" in any case */
        if (strcmp(argv[i], "--") == 0 || strcmp(argv[i], "--shell") == 0) {
            return true;
        }
    }
    return false;
}

bool boot_options_default_shell(const struct boot_options *o)
{
    return (o->ktree || o->kernel_debs) && !o->command && !o->shell && !o->initrd && !o->append &&
           !o->cmdline && !o->checkpoint.wanted && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

char **boot_options_cut_command(char **words)
{
    for (unsigned i = 1; words[i]; i++) {
        if (strcmp(words[i], "--") == 0) {
            char **command = g_strdupv(words + i + 1);
            for (unsigned n = i; words[n]; n++) {
                g_clear_pointer(&words[n], g_free);
            }
            return command;
        }
    }
    return NULL;
}

bool boot_options_parse(struct boot_options *o, char **argv)
{
    struct raw_options raw = {0};
    gboolean no_reboot = FALSE, digest = FALSE, quiet = FALSE, verbose = FALSE, stats = FALSE;
    gboolean tested_with = FALSE, shell = FALSE, tty = FALSE, guest_commands = FALSE;
    const GOptionEntry entries[] = {
        {"kernel", 'k', 0, G_OPTION_ARG_FILENAME, &o->kernel,
         "bzImage or vmlinux; default: what scripts/guest prepared", "FILE"},
        {"guest", 'g', 0, G_OPTION_ARG_STRING, &o->guest,
         "What scripts/guest --suite NAME prepared, instead of what scripts/guest did", "NAME"},
        {"ktree", 't', 0, G_OPTION_ARG_FILENAME, &o->ktree,
         "The kernel built in this tree, with its modules", "DIR"},
        {"kernel-deb", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->kernel_debs,
         "The kernel of this Debian package, with its modules; may be repeated", "FILE"},
        {"module", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->modules,
         "With --ktree or --kernel-deb: also this module; may be repeated", "NAME"},
        {"rw", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->rw,
         "With a command: what it writes below this directory stays; may be repeated", "DIR"},
        {"shell", 0, 0, G_OPTION_ARG_NONE, &shell, "Instead of a command: your shell", NULL},
        {"tty", 0, 0, G_OPTION_ARG_NONE, &tty, "The command gets a terminal of its own", NULL},
        {"initrd", 'i', 0, G_OPTION_ARG_FILENAME, &o->initrd, "Initial RAM file system", "FILE"},
        {"append", 'a', 0, G_OPTION_ARG_STRING_ARRAY, &o->append,
         "Add to the kernel command line; may be repeated", "TEXT"},
        {"cmdline", 0, 0, G_OPTION_ARG_STRING, &o->cmdline, "Replace the default command line",
         "TEXT"},
        {"cpus", 0, 0, G_OPTION_ARG_STRING, &o->cpus, "Processors, 1 to 8", "N"},
        {"cpu", 0, 0, G_OPTION_ARG_STRING, &o->cpu,
         "The software processor, this computer's own, or that if it works (docs/kvm.md)",
         "soft|kvm|auto"},
        {"memory", 'm', 0, G_OPTION_ARG_STRING, &o->memory, "RAM, like 512M or 2G", "SIZE"},
        {"timing", 0, 0, G_OPTION_ARG_STRING, &o->timing,
         "How TLPs cross links; default: as the topology says", "functional|link"},
        {"disk", 'd', 0, G_OPTION_ARG_STRING_ARRAY, &o->disks,
         "Raw image behind the NVMe or virtio-blk called NAME; may be repeated. FILE,overlay: the "
         "file stays as it is; FILE,ro: write-protected; FILE,direct: past the host's page cache",
         "NAME=FILE"},
        {"seed", 0, 0, G_OPTION_ARG_STRING, &raw.seed, "Seed of all randomness; default: 0", "N"},
        {"clock", 0, 0, G_OPTION_ARG_STRING, &raw.clock,
         "Idle time is skipped (virtual, the default) or waited for (real)", "virtual|real"},
        {"limit", 0, 0, G_OPTION_ARG_STRING_ARRAY, &raw.limits,
         "End with status 3 after this virtual (30s) or wall clock time (wall:60s)", "TIME"},
        {"no-reboot", 0, 0, G_OPTION_ARG_NONE, &no_reboot, "A reset ends the run", NULL},
        {"digest", 0, 0, G_OPTION_ARG_NONE, &digest,
         "Last line: the SHA-256 of all TLPs, interrupts and console bytes", NULL},
        {"log", 0, 0, G_OPTION_ARG_FILENAME, &o->log_file,
         "The whole console to FILE, with virtual and wall time on each line", "FILE"},
        {"out", 0, 0, G_OPTION_ARG_FILENAME, &o->out,
         "Leave in DIR what pcilab report makes a page of", "DIR"},
        {"allow-splat", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->allowed_splats,
         "Splats of this name or with this in their first line do not fail the run", "PATTERN"},
        {"record", 0, 0, G_OPTION_ARG_FILENAME, &o->record,
         "Keep in FILE what comes from outside: console, networks, NMI and breaks", "FILE"},
        {"replay", 0, 0, G_OPTION_ARG_FILENAME, &o->replay,
         "What comes from outside comes from FILE: the same run again", "FILE"},
        {"until", 0, 0, G_OPTION_ARG_STRING, &raw.until,
         "End with status 0 after this virtual time", "TIME"},
        {"control", 0, 0, G_OPTION_ARG_FILENAME, &o->control,
         "A socket at PATH takes orders while the guest runs: pcilab ctl PATH", "PATH"},
        {"guest-commands", 0, 0, G_OPTION_ARG_NONE, &guest_commands,
         "With --control: the guest works on this computer's files, as with a command, and takes "
         "commands by pcilab ctl PATH guest COMMAND",
         NULL},
        {"vmcore", 0, 0, G_OPTION_ARG_FILENAME, &o->vmcore,
         "A panic, or Ctrl-A c or SIGUSR1, writes a core file of the guest", "FILE"},
        {"at", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->pokes,
         "At this virtual time: nmi, sysrq:KEY, vmcore, inspect:WHAT (as of pcilab inspect, also "
         "at the time \"end\", "
         "to stderr), or plug, unplug, press, open, close, power-fault with :NAME; may be repeated",
         "TIME:ACTION"},
        {"gdb", 0, 0, G_OPTION_ARG_STRING, &o->gdb,
         "Wait here for gdb (docs/gdb.md); ,nowait: start without it", "[HOST:]PORT"},
        {"tested-with", 0, 0, G_OPTION_ARG_NONE, &tested_with,
         "Print a trailer for a commit message: kernel, topology, seed, digest", NULL},
        {"enter", 0, 0, G_OPTION_ARG_STRING, &raw.enter,
         "Unpack a bzImage here (kernel, the default) or let it (bzimage)", "kernel|bzimage"},
        {"stats", 0, 0, G_OPTION_ARG_NONE, &stats, "Print times and counts for programs to stderr",
         NULL},
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose,
         "Say what is done, also where stderr is no terminal", NULL},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "Say nothing but errors", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw.rest, NULL, "[TOPOLOGY]"},
        {NULL}};
    GOptionContext *context =
        g_option_context_new("[-- COMMAND ARGUMENTS...] - boot a Linux kernel on a topology");
    char **words = g_strdupv(argv);

    trace_options_spell_out(words);
    g_option_context_set_summary(context, summary);
    char *text = describe();
    g_option_context_set_description(context, text);
    g_free(text);
    g_option_context_add_main_entries(context, entries, NULL);
    trace_options_add(context, &o->trace);
    g_option_context_add_group(context, checkpoint_options_group(&o->checkpoint));
    o->command = boot_options_cut_command(words);
    bool ok = cli_parse(context, "boot", &words);
    o->no_reboot = no_reboot;
    o->digest = digest;
    o->quiet = quiet;
    o->verbose = verbose;
    o->stats = stats;
    o->tested_with = tested_with;
    o->shell = shell;
    o->tty = tty;
    o->guest_commands = guest_commands;
    ok = ok && take_raw(o, &raw);
    raw_clear(&raw);
    g_strfreev(words);
    g_option_context_free(context);
    return ok;
}
