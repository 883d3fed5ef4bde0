/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest that takes shell commands, one after the other. */
#include "run_guest.h"

#include <stdio.h>
#include <string.h>

#include "boot_options.h"
#include "command.h"
#include "ktree.h"

enum { PORT_IN, PORT_OUT, PORT_ERR, PORT_CTL };

#define SLICE_PS        (10 * PS_PER_MS)
#define CONSOLE_MAX     (4u << 20)
#define TAIL_BYTES      2000
#define OUTPUT_MAX      (16u << 20)
#define MARK            '\001' /* stands on both sides of a command's exit status */
#define STATUS_NO_SHELL 127

struct run_guest {
    const struct run_options *options;
    struct boot_guest files;
    struct ktree tree;
    char *cmdline;
    struct command command; /* its devices and ports; the rest of it is not used */
    struct virtio_console *device;
    struct machine *machine;
    struct agent_link link;
    GByteArray *control, *input; /* for the guest, what it has not taken yet */
    GByteArray *output;          /* of the command */
    GString *console;
    struct scenario *waiting; /* for the end of a command */
    bool ready, started, ended;
    bool beside; /* somebody else runs the machine: the shell is started as soon as it can be */
};

struct run_guest *run_guest_new(const struct run_options *options)
{
    struct run_guest *g = g_new0(struct run_guest, 1);

    g->options = options;
    g->control = g_byte_array_new();
    g->input = g_byte_array_new();
    g->output = g_byte_array_new();
    g->console = g_string_new(NULL);
    return g;
}

void run_guest_free(struct run_guest *g)
{
    if (!g) {
        return;
    }
    command_clear(&g->command);
    boot_guest_clear(&g->files);
    ktree_clear(&g->tree);
    g_byte_array_unref(g->control);
    g_byte_array_unref(g->input);
    g_byte_array_unref(g->output);
    g_string_free(g->console, TRUE);
    g_free(g->cmdline);
    g_free(g);
}

/* Ports. */

static void push(struct run_guest *g, unsigned port, GByteArray *bytes)
{
    g_byte_array_remove_range(bytes, 0,
                              virtio_console_input(g->device, port, bytes->data, bytes->len));
}

static void has_room(void *opaque, unsigned port)
{
    struct run_guest *g = opaque;

    if (port == PORT_CTL) {
        push(g, port, g->control);
    } else if (port == PORT_IN && (g->started || !g->beside)) {
        push(g, port, g->input);
    }
}

static void is_open(void *opaque, unsigned port, bool open)
{
    if (open) {
        has_room(opaque, port);
    }
}

static void command_over(struct run_guest *g, unsigned status, size_t len)
{
    struct scenario *scenario = g_steal_pointer(&g->waiting);

    if (scenario) {
        scenario_command_done(scenario, status, (const char *)g->output->data, len);
    }
    g_byte_array_set_size(g->output, 0);
}

/* "\n\001STATUS\001\n" ends a command's output. */
static void look_for_end(struct run_guest *g)
{
    const char *bytes = (const char *)g->output->data;
    size_t len = g->output->len;
    unsigned status = 0;
    size_t at = len;

    if (len < 5 || bytes[len - 1] != '\n' || bytes[len - 2] != MARK) {
        return;
    }
    for (at = len - 2; at && bytes[at - 1] != MARK; at--)
        ;
    if (at < 2 || bytes[at - 2] != '\n' || sscanf(bytes + at, "%3u", &status) != 1) {
        return;
    }
    command_over(g, status, at - 2);
}

static void start_shell(struct run_guest *g)
{
    static const char *const shell[] = {"/bin/sh", NULL};
    GByteArray *job = command_make_plain_job(shell);

    g_byte_array_append(g->control, job->data, job->len);
    g_byte_array_unref(job);
    push(g, PORT_CTL, g->control);
}

static void hear(struct run_guest *g, const uint8_t *data, uint32_t len)
{
    while (len && !g->link.broken) {
        switch (agent_hear(&g->link, &data, &len)) {
        case AGENT_READY:
            g->ready = true;
            if (g->beside) {
                start_shell(g);
            }
            break;
        case AGENT_STARTED:
            g->started = true;
            if (g->beside) {
                push(g, PORT_IN, g->input);
            }
            break;
        case AGENT_STATUS:
            g->ended = true;
            command_over(g, STATUS_NO_SHELL, g->output->len);
            break;
        case AGENT_NONSENSE:
        case AGENT_NOTHING: break;
        }
    }
    machine_pause(g->machine);
}

static void take_output(void *opaque, unsigned port, const uint8_t *data, uint32_t len)
{
    struct run_guest *g = opaque;

    if (port == PORT_CTL) {
        hear(g, data, len);
    } else if (port != PORT_IN && g->waiting && g->output->len + len <= OUTPUT_MAX) {
        g_byte_array_append(g->output, data, len);
        look_for_end(g);
    }
}

static void take_console(void *opaque, uint8_t byte)
{
    struct run_guest *g = opaque;

    if (byte != '\r' && g->console->len < CONSOLE_MAX) {
        g_string_append_c(g->console, (char)byte);
    }
    if (g->options->verbose) {
        fputc(byte, stderr);
    }
}

/* Before the machine is made. */

static bool find_kernel(struct run_guest *g)
{
    const struct run_options *o = g->options;

    if (o->ktree) {
        return ktree_open(&g->tree, o->ktree);
    }
    if (o->kernel) {
        char *folder = boot_guest_folder(NULL);
        bool ok = ktree_open_kernel(&g->tree, o->kernel, folder);
        g_free(folder);
        return ok;
    }
    return boot_guest_find(&g->files, NULL, "kernel") &&
           ktree_open_kernel(&g->tree, g->files.kernel, g->files.folder);
}

static char *make_cmdline(const char *append)
{
    char *words[] = {(char *)append, NULL};
    /* Not quiet: what the kernel says is looked at. */
    const struct boot_options options = {.shell = true, .verbose = true, .append = words};

    return boot_options_cmdline(&options);
}

void run_guest_take_ports(struct run_guest *g, struct command *command)
{
    static const struct virtio_console_port_ops port_ops = {
        .output = take_output, .guest_open = is_open, .room = has_room};

    for (unsigned i = 0; i < COMMAND_PORTS; i++) {
        command->ports[i].ops = &port_ops;
        command->ports[i].opaque = g;
    }
}

static void join(struct run_guest *g, struct machine *machine, const struct command *command)
{
    g->machine = machine;
    g->device = machine_virtio_console(machine, command->host.name);
    for (unsigned i = 0; i < COMMAND_PORTS; i++) {
        virtio_console_set_open(g->device, i, true);
    }
}

void run_guest_join(struct run_guest *g, struct machine *machine, const struct command *command)
{
    g->beside = true;
    join(g, machine, command);
}

bool run_guest_prepare(struct run_guest *g, struct machine_desc *desc,
                       const struct scenario_guest *wanted, struct machine_options *options,
                       GError **error)
{
    if (!command_add_devices(&g->command, desc, NULL) || !find_kernel(g) ||
        !command_make_initrd(&g->tree, desc, NULL, NULL)) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE,
                    "no guest can be made: standard error says why");
        return false;
    }
    run_guest_take_ports(g, &g->command);
    g->cmdline = make_cmdline(wanted->append);
    options->virtio_consoles = &g->command.host;
    options->virtio_console_count = 1;
    options->console = (struct machine_console){.output = take_console, .opaque = g};
    return true;
}

/* The boot. */

static bool run_until(struct run_guest *g, const bool *flag, bool (*overdue)(void *), void *opaque)
{
    while (!*flag) {
        enum machine_stop stop =
            machine_run(g->machine, machine_sim(g->machine)->now_ps + SLICE_PS);
        if ((stop != MACHINE_RUNNING && stop != MACHINE_PAUSED) || overdue(opaque)) {
            return false;
        }
    }
    return true;
}

static bool fail_boot(struct run_guest *g, GError **error)
{
    size_t skip = g->console->len > TAIL_BYTES ? g->console->len - TAIL_BYTES : 0;

    g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                "the guest did not get to where it takes commands; the last that it said:\n%s",
                g->console->str + skip);
    return false;
}

bool run_guest_boot(struct run_guest *g, struct machine *machine, bool (*overdue)(void *),
                    void *opaque, GError **error)
{
    struct machine_boot load = {
        .kernel_path = g->tree.kernel, .initrd_path = g->tree.initrd, .cmdline = g->cmdline};

    join(g, machine, &g->command);
    if (!machine_load(machine, &load, error)) {
        return false;
    }
    if (!run_until(g, &g->ready, overdue, opaque)) {
        return fail_boot(g, error);
    }
    start_shell(g);
    return run_until(g, &g->started, overdue, opaque) || fail_boot(g, error);
}

/* Commands. A shell of its own for each: a mistake in one does not end the others. */
void run_guest_command(struct run_guest *g, struct scenario *scenario, const char *text)
{
    char *quoted = g_shell_quote(text);
    char *line =
        g_strdup_printf("/bin/sh -c %s </dev/null 2>&1; printf '\\n\\001%%d\\001\\n' $?\n", quoted);

    g->waiting = scenario;
    g_byte_array_set_size(g->output, 0);
    if (g->ended) {
        command_over(g, STATUS_NO_SHELL, 0);
    } else {
        g_byte_array_append(g->input, (const guint8 *)line, (guint)strlen(line));
        has_room(g, PORT_IN);
    }
    g_free(line);
    g_free(quoted);
}

const char *run_guest_console(struct run_guest *g, size_t *len)
{
    *len = g->console->len;
    return g->console->str;
}
