/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run of pcilab-qemu: the machine, and the host's side of its serial port and virtio-consoles.
 * Standard input goes to whoever has the stdio character device; the loop is that of pcilab boot.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot.h"
#include "pcilab/base/whole_file.h"
#include "pcilab/config/units.h"
#include "pcilab/io/block.h"
#include "qemu.h"

#define PIPE_PATIENCE_MS 250
#define FLUSH_BYTES      65536

struct qemu_host {
    struct qemu *q;
    struct boot_run run;
    struct boot_gdb gdb;
    struct machine_boot load;
    GArray *disks;           /* struct machine_disk */
    GArray *consoles;        /* struct machine_virtio_console; their ports are ours to free */
    struct qemu_port *input; /* who gets standard input; NULL: the serial port or nobody */
    bool input_ended;
    int null_fd;
};

/* Output. */

/* Our own standard streams by their other names: not opened anew, which would cut them to nothing,
 * write from their start, and fail for sockets. */
static int own_stream(const char *path)
{
    static const char *const names[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
    const char *fd_text = g_str_has_prefix(path, "/proc/self/fd/") ? path + 14
                          : g_str_has_prefix(path, "/dev/fd/")     ? path + 8
                                                                   : NULL;
    uint64_t fd;

    for (int i = 0; i < (int)G_N_ELEMENTS(names); i++) {
        if (strcmp(path, names[i]) == 0) {
            return i;
        }
    }
    return fd_text && units_parse_uint(fd_text, &fd) && fd < 1024 ? (int)fd : -1;
}

static bool open_chardev(struct qemu_chardev *chardev)
{
    if (chardev->kind != QEMU_CHARDEV_FILE || chardev->fd >= 0) {
        return true;
    }
    int own = own_stream(chardev->path);
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (chardev->append ? O_APPEND : O_TRUNC);
    chardev->fd = own >= 0 ? fcntl(own, F_DUPFD_CLOEXEC, 3) : open(chardev->path, flags, 0666);
    return chardev->fd >= 0 ||
           qemu_refuse(chardev->what, "%s: %s", chardev->path, g_strerror(errno));
}

/* What cannot be written is lost, as with a serial line that nobody reads. */
static void flush_chardev(struct qemu_chardev *chardev)
{
    guint done = 0;

    while (chardev->fd >= 0 && done < chardev->out->len) {
        ssize_t len = write(chardev->fd, chardev->out->data + done, chardev->out->len - done);
        if (len >= 0) {
            done += (guint)len;
        } else if (errno == EAGAIN && !console_signal()) {
            struct pollfd fd = {.fd = chardev->fd, .events = POLLOUT};
            (void)poll(&fd, 1, 100);
        } else if (errno != EINTR || console_signal()) {
            break;
        }
    }
    g_byte_array_set_size(chardev->out, 0);
}

static void put(struct qemu_host *host, struct qemu_chardev *chardev, const uint8_t *data,
                uint32_t len)
{
    if (!chardev || chardev->kind == QEMU_CHARDEV_NULL) {
        return;
    }
    if (chardev->kind == QEMU_CHARDEV_STDIO) {
        for (uint32_t i = 0; i < len; i++) {
            console_put(host->run.console, data[i]);
        }
        return;
    }
    g_byte_array_append(chardev->out, data, len);
    if (chardev->out->len >= FLUSH_BYTES) {
        flush_chardev(chardev);
    }
}

static void serial_put(void *opaque, uint8_t byte)
{
    struct qemu_host *host = opaque;

    put(host, host->q->serial, &byte, 1);
}

static void port_output(void *opaque, unsigned port, const uint8_t *data, uint32_t len)
{
    struct qemu_port *p = opaque;

    put(p->host, p->chardev, data, len);
}

/* Input. */

static void feed(struct qemu_host *host)
{
    struct qemu_port *p = host->input;
    const uint8_t *bytes;
    unsigned len;

    while (p && (len = console_peek(host->run.console, &bytes)) > 0) {
        uint32_t taken = virtio_console_input(p->device, p->index, bytes, len);
        console_consume(host->run.console, taken);
        if (taken < len) {
            return;
        }
    }
    if (p && !host->input_ended && console_ended(host->run.console)) {
        host->input_ended = true;
        virtio_console_set_open(p->device, p->index, p->console);
    }
}

static void port_room(void *opaque, unsigned port)
{
    struct qemu_port *p = opaque;

    if (p->host->input == p) {
        feed(p->host);
    }
}

static void serve(void *opaque)
{
    struct qemu_host *host = opaque;

    feed(host);
    for (unsigned i = 0; i < host->q->chardevs->len; i++) {
        flush_chardev(host->q->chardevs->pdata[i]);
    }
}

/* The first who has the stdio device gets what is typed. */
static void choose_input(struct qemu_host *host)
{
    struct qemu *q = host->q;

    if (q->serial && q->serial->kind == QEMU_CHARDEV_STDIO) {
        return;
    }
    for (unsigned i = 0; i < q->ports->len && !host->input; i++) {
        struct qemu_port *port = q->ports->pdata[i];
        if (port->chardev && port->chardev->kind == QEMU_CHARDEV_STDIO) {
            host->input = port;
        }
    }
}

/* Building. */

static void describe_console(struct qemu_host *host, unsigned index)
{
    static const struct virtio_console_port_ops ops = {.output = port_output, .room = port_room};
    struct virtio_console_port *ports =
        g_new0(struct virtio_console_port, VIRTIO_CONSOLE_PORTS_MAX);
    struct machine_virtio_console console = {.name = host->q->desc->components[index].name,
                                             .ports = ports};

    for (unsigned i = 0; i < host->q->ports->len; i++) {
        struct qemu_port *port = host->q->ports->pdata[i];
        if (port->component == index) {
            port->host = host;
            ports[console.port_count++] = (struct virtio_console_port){
                .name = port->name, .console = port->console, .ops = &ops, .opaque = port};
        }
    }
    g_array_append_val(host->consoles, console);
}

static bool open_host(struct qemu_host *host)
{
    struct qemu *q = host->q;

    for (unsigned i = 0; i < q->chardevs->len; i++) {
        if (!open_chardev(q->chardevs->pdata[i])) {
            return false;
        }
    }
    for (unsigned i = 0; i < q->drives->len; i++) {
        const struct qemu_drive *drive = q->drives->pdata[i];
        if (drive->owner) {
            struct machine_disk disk = {.name = drive->owner, .image = drive->image};
            g_array_append_val(host->disks, disk);
        }
    }
    for (unsigned i = 0; i < q->desc->count; i++) {
        if (q->desc->components[i].kind == MACHINE_VIRTIO_CONSOLE) {
            describe_console(host, i);
        }
    }
    host->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    choose_input(host);
    return true;
}

static bool start_gdb(struct qemu_host *host)
{
    const struct qemu *q = host->q;

    if (!q->gdb) {
        return true;
    }
    char *text = g_strconcat(q->gdb, q->stopped ? "" : ",nowait", NULL);
    bool ok = boot_gdb_start(&host->gdb, host->run.machine, text);
    host->run.gdb = &host->gdb;
    g_free(text);
    return ok;
}

static bool build(struct qemu_host *host)
{
    struct qemu *q = host->q;
    GError *error = NULL;
    struct machine_options options = {
        .seed = q->seed,
        .disks = (const struct machine_disk *)(void *)host->disks->data,
        .disk_count = host->disks->len,
        .console = {boot_output, boot_input_wanted, &host->run},
        .virtio_consoles = (const struct machine_virtio_console *)(void *)host->consoles->data,
        .virtio_console_count = host->consoles->len,
    };

    host->load = (struct machine_boot){
        .kernel_path = q->kernel, .initrd_path = q->initrd, .cmdline = q->append ? q->append : ""};
    host->run.machine = machine_new(q->desc, &options, &error);
    if (!host->run.machine || !machine_load(host->run.machine, &host->load, &error)) {
        cli_error("%s", error->message);
        g_error_free(error);
        return false;
    }
    for (unsigned i = 0; i < q->ports->len; i++) {
        struct qemu_port *port = q->ports->pdata[i];
        port->device =
            machine_virtio_console(host->run.machine, q->desc->components[port->component].name);
        virtio_console_set_open(port->device, port->index, port->console || port->chardev);
    }
    return start_gdb(host);
}

static int close_disks(struct qemu_host *host)
{
    int status = CLI_OK;

    for (unsigned i = 0; i < host->q->drives->len; i++) {
        const struct qemu_drive *drive = host->q->drives->pdata[i];
        block_flush(drive->image);
        if (block_host_error(drive->image)) {
            qemu_refuse(drive->what, "not all that the guest read or wrote worked on this host: %s",
                        g_strerror(-block_host_error(drive->image)));
            status = CLI_FAILED;
        }
    }
    return status;
}

/* QEMU's: 0 however the guest ended and when the user left, 1 when something is wrong here. What
 * QEMU would wait for for ever, halted processors or a panic that stays, is a 1 too. */
static int exit_status(const struct boot_run *run, int status)
{
    if (status == CLI_INTERRUPTED ||
        (status == CLI_FAILED && run->panicked && run->no_reboot && !run->hung)) {
        return CLI_OK;
    }
    return status == CLI_USAGE ? CLI_FAILED : status;
}

static int run_machine(struct qemu_host *host)
{
    struct boot_run *run = &host->run;
    bool serial_here = host->q->serial && host->q->serial->kind == QEMU_CHARDEV_STDIO;
    bool stdio = serial_here || host->input;

    run->boot = &host->load;
    run->no_reboot = host->q->no_reboot;
    run->serve = serve;
    run->host = host;
    run->serial_put = serial_here ? NULL : serial_put;
    run->console = console_open(stdio ? STDIN_FILENO : host->null_fd,
                                stdio ? STDOUT_FILENO : host->null_fd, PIPE_PATIENCE_MS);
    int status = boot_run(run);
    serve(host);
    console_close(run->console);
    status = exit_status(run, status);
    int disks = close_disks(host);
    return status ? status : disks;
}

static bool write_pid(const struct qemu *q)
{
    GError *error = NULL;
    char *text = g_strdup_printf("%d\n", (int)getpid());
    bool ok = !q->pidfile || whole_file_write(q->pidfile, text, strlen(text), &error);

    if (!ok) {
        cli_error("-pidfile %s: %s", q->pidfile, error->message);
        g_error_free(error);
    }
    g_free(text);
    return ok;
}

int qemu_run(struct qemu *q)
{
    struct qemu_host host = {
        .q = q,
        .disks = g_array_new(FALSE, FALSE, sizeof(struct machine_disk)),
        .consoles = g_array_new(FALSE, FALSE, sizeof(struct machine_virtio_console)),
        .null_fd = -1,
    };
    int status = CLI_FAILED;

    if (open_host(&host) && build(&host) && write_pid(q)) {
        status = run_machine(&host);
    }
    boot_gdb_clear(&host.gdb);
    machine_free(host.run.machine);
    for (unsigned i = 0; i < host.consoles->len; i++) {
        g_free((void *)g_array_index(host.consoles, struct machine_virtio_console, i).ports);
    }
    if (host.null_fd >= 0) {
        close(host.null_fd);
    }
    if (q->pidfile) {
        (void)unlink(q->pidfile);
    }
    g_array_unref(host.disks);
    g_array_unref(host.consoles);
    return status;
}
