/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's options: rows of what is honoured, what has no effect here, and what is refused. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pcilab/config/units.h"
#include "qemu.h"

enum effect { HONOURED, IGNORED, REFUSED };

struct qemu_option {
    const char *name;
    bool has_arg;
    enum effect effect;
    bool (*take)(struct qemu *q, const char *what, const char *arg); /* HONOURED */
    const char *form;                                                /* of the argument */
    const char *note;                                                /* REFUSED: why */
};

static bool take_kernel(struct qemu *q, const char *what, const char *arg)
{
    g_free(q->kernel);
    q->kernel = g_strdup(arg);
    return true;
}

static bool take_initrd(struct qemu *q, const char *what, const char *arg)
{
    g_free(q->initrd);
    q->initrd = g_strdup(arg);
    return true;
}

static bool take_append(struct qemu *q, const char *what, const char *arg)
{
    g_free(q->append);
    q->append = g_strdup(arg);
    return true;
}

static bool take_pidfile(struct qemu *q, const char *what, const char *arg)
{
    g_free(q->pidfile);
    q->pidfile = g_strdup(arg);
    return true;
}

static bool take_gdb(struct qemu *q, const char *what, const char *arg)
{
    g_clear_pointer(&q->gdb, g_free);
    if (strcmp(arg, "none") == 0) {
        return true;
    }
    if (!g_str_has_prefix(arg, "tcp:")) {
        return qemu_refuse(what, "only tcp:[HOST]:PORT");
    }
    char **parts = g_strsplit(arg + strlen("tcp:"), ",", 2); /* ,server=on and the like */
    q->gdb = g_strdup(parts[0]);
    g_strfreev(parts);
    return true;
}

static bool take_s(struct qemu *q, const char *what, const char *arg)
{
    return take_gdb(q, what, "tcp::1234");
}

static bool take_stopped(struct qemu *q, const char *what, const char *arg)
{
    q->stopped = true;
    return true;
}

static bool with_words(struct qemu *q, const char *option, const char *arg, const char *first,
                       bool (*read)(struct qemu *q, struct qemu_words *words))
{
    struct qemu_words *words = qemu_words_new(option, arg, first);
    bool ok = read(q, words);

    qemu_words_free(words);
    return ok;
}

static bool take_memory(struct qemu *q, const char *what, const char *arg)
{
    return with_words(q, "-m", arg, "size", qemu_read_memory);
}

static bool take_smp(struct qemu *q, const char *what, const char *arg)
{
    return with_words(q, "-smp", arg, "cpus", qemu_read_smp);
}

static bool take_machine(struct qemu *q, const char *what, const char *arg)
{
    return with_words(q, "-machine", arg, "type", qemu_read_machine);
}

static bool take_accel(struct qemu *q, const char *what, const char *arg)
{
    return with_words(q, "-accel", arg, "accel", qemu_read_accel);
}

static bool take_kvm(struct qemu *q, const char *what, const char *arg)
{
    g_free(q->accel);
    q->accel = g_strdup(what);
    return true;
}

/* There is one model of a processor; "max" and "host" mean all that it can, which is given. */
static bool take_cpu(struct qemu *q, const char *what, const char *arg)
{
    if (strchr(arg, ',')) {
        return qemu_refuse(what, "the features of the processor cannot be chosen");
    }
    if (strcmp(arg, "max") != 0 && strcmp(arg, "host") != 0) {
        qemu_warn(what, "there is one model of a processor, and it is another");
    }
    return true;
}

static bool take_seed(struct qemu *q, const char *what, const char *arg)
{
    return units_parse_uint(arg, &q->seed) || qemu_refuse(what, "it is a number of up to 64 bits");
}

static bool take_serial(struct qemu *q, const char *what, const char *arg)
{
    g_ptr_array_add(q->serials, g_strdup(arg));
    return true;
}

static bool take_chardev(struct qemu *q, const char *what, const char *arg)
{
    return qemu_take_chardev(q, arg);
}

static bool take_device(struct qemu *q, const char *what, const char *arg)
{
    if (strcmp(arg, "help") == 0 || strcmp(arg, "?") == 0) {
        qemu_device_list(stdout);
        q->done = true;
        return true;
    }
    g_ptr_array_add(q->devices, qemu_words_new("-device", arg, "driver"));
    return true;
}

static bool take_virtfs(struct qemu *q, const char *what, const char *arg)
{
    g_ptr_array_add(q->devices, qemu_words_new("-virtfs", arg, "fsdriver"));
    return true;
}

static bool take_drive(struct qemu *q, const char *what, const char *arg)
{
    g_ptr_array_add(q->drive_words, qemu_words_new("-drive", arg, NULL));
    return true;
}

static bool take_fsdev(struct qemu *q, const char *what, const char *arg)
{
    return qemu_take_backend(q, q->fsdevs, qemu_words_new("-fsdev", arg, "fsdriver"));
}

static bool take_object(struct qemu *q, const char *what, const char *arg)
{
    struct qemu_words *words = qemu_words_new("-object", arg, "qom-type");
    const char *type = qemu_words_get(words, "qom-type");

    if (!type || (strcmp(type, "rng-random") != 0 && strcmp(type, "rng-builtin") != 0)) {
        qemu_words_free(words);
        return qemu_refuse(what, "there are rng-random and rng-builtin only");
    }
    qemu_words_get(words, "filename"); /* random numbers come from the seed */
    return qemu_take_backend(q, q->objects, words) && qemu_words_end(words);
}

static bool take_mon(struct qemu *q, const char *what, const char *arg)
{
    struct qemu_words *words = qemu_words_new("-mon", arg, "chardev");
    const char *id = qemu_words_get(words, "chardev"), *mode = qemu_words_get(words, "mode");
    bool ok = id && (!mode || strcmp(mode, "readline") == 0);

    /* Two at one terminal: the keys behind Ctrl-A are ours then. */
    for (unsigned i = 0; ok && i < q->chardevs->len; i++) {
        const struct qemu_chardev *chardev = q->chardevs->pdata[i];
        if (chardev->id && strcmp(chardev->id, id) == 0 && chardev->mux) {
            qemu_words_free(words);
            return true;
        }
    }
    qemu_words_free(words);
    return qemu_refuse(what, "there is no monitor; it can only stand behind a -chardev with "
                             "mux=on, where Ctrl-A h helps");
}

static bool take_none(struct qemu *q, const char *what, const char *arg)
{
    return strcmp(arg, "none") == 0 || strcmp(arg, "null") == 0 ||
           qemu_refuse(what, "only none can be honoured");
}

static bool take_netdev(struct qemu *q, const char *what, const char *arg)
{
    return qemu_take_backend(q, q->netdevs, qemu_words_new("-netdev", arg, "type"));
}

static bool take_nic(struct qemu *q, const char *what, const char *arg)
{
    if (strcmp(arg, "none") != 0) {
        g_ptr_array_add(q->devices, qemu_words_new("-nic", arg, "type"));
    }
    return true;
}

static bool take_net(struct qemu *q, const char *what, const char *arg)
{
    return strcmp(arg, "none") == 0 ||
           qemu_refuse(what, "say it with -netdev and -device, or -nic");
}

static bool take_display(struct qemu *q, const char *what, const char *arg)
{
    q->no_display = true;
    return strcmp(arg, "none") == 0 ||
           qemu_refuse(what, "there is no display; only none can be honoured");
}

static bool take_nographic(struct qemu *q, const char *what, const char *arg)
{
    q->nographic = true;
    return true;
}

static bool take_nodefaults(struct qemu *q, const char *what, const char *arg)
{
    q->nodefaults = true;
    return true;
}

static bool take_no_reboot(struct qemu *q, const char *what, const char *arg)
{
    q->no_reboot = true;
    return true;
}

static bool take_action(struct qemu *q, const char *what, const char *arg)
{
    struct qemu_words *words = qemu_words_new("-action", arg, NULL);
    const char *reboot = qemu_words_get(words, "reboot");

    q->no_reboot |= reboot && strcmp(reboot, "shutdown") == 0;
    bool ok = (!reboot || q->no_reboot || strcmp(reboot, "reset") == 0 ||
               qemu_refuse(what, "reboot= is reset or shutdown")) &&
              qemu_words_only(words, "shutdown", "poweroff") && qemu_words_end(words);
    qemu_words_free(words);
    return ok;
}

static bool take_snapshot(struct qemu *q, const char *what, const char *arg)
{
    q->snapshot = true;
    return true;
}

static bool take_verbose(struct qemu *q, const char *what, const char *arg)
{
    q->verbose = true;
    return true;
}

static bool take_echr(struct qemu *q, const char *what, const char *arg)
{
    uint64_t key;

    return (units_parse_uint(arg, &key) && key == 1) ||
           qemu_refuse(what, "only 1, which is Ctrl-A, can be honoured");
}

static bool take_watchdog(struct qemu *q, const char *what, const char *arg)
{
    qemu_warn(what, "there is no watchdog; it is left out");
    return true;
}

static bool read_rtc(struct qemu *q, struct qemu_words *words)
{
    const char *base = qemu_words_get(words, "base");

    qemu_words_get(words, "clock");
    qemu_words_get(words, "driftfix");
    if (base && strcmp(base, "utc") != 0 && strcmp(base, "localtime") != 0) {
        return qemu_refuse(words->what, "the date cannot be chosen");
    }
    return qemu_words_end(words);
}

static bool take_rtc(struct qemu *q, const char *what, const char *arg)
{
    return with_words(q, "-rtc", arg, NULL, read_rtc);
}

static bool take_version(struct qemu *q, const char *what, const char *arg)
{
    printf("pcilab-qemu version " PCILAB_VERSION
           " (takes the arguments of QEMU 7.2 that --help names)\n");
    q->done = true;
    return true;
}

static bool take_help(struct qemu *q, const char *what, const char *arg);

#define NO_DISPLAY "there is no graphical display"

/* clang-format off */
static const struct qemu_option options[] = {
    {"kernel", true, HONOURED, take_kernel, "FILE"},
    {"initrd", true, HONOURED, take_initrd, "FILE"},
    {"append", true, HONOURED, take_append, "TEXT"},
    {"m", true, HONOURED, take_memory, "[size=]SIZE[,slots=N,maxmem=SIZE]"},
    {"smp", true, HONOURED, take_smp, "[cpus=]N[,sockets=N,cores=N,threads=N,maxcpus=N]"},
    {"machine", true, HONOURED, take_machine, "q35|pc|microvm[,accel=tcg,...]"},
    {"M", true, HONOURED, take_machine, "the same"},
    {"accel", true, HONOURED, take_accel, "tcg; several: the first that there is"},
    {"cpu", true, HONOURED, take_cpu, "max|host"},
    {"seed", true, HONOURED, take_seed, "NUMBER"},
    {"device", true, HONOURED, take_device, "NAME,PROPERTY=VALUE,...; see below"},
    {"drive", true, HONOURED, take_drive,
     "if=none|virtio,file=FILE,id=ID,format=raw,readonly=on|off,snapshot=on|off"},
    {"fsdev", true, HONOURED, take_fsdev,
     "local,id=ID,path=FOLDER,security_model=none|passthrough,readonly=on|off"},
    {"virtfs", true, HONOURED, take_virtfs, "local,path=FOLDER,mount_tag=TAG,security_model=none"},
    {"object", true, HONOURED, take_object, "rng-random|rng-builtin,id=ID"},
    {"chardev", true, HONOURED, take_chardev,
     "stdio|file|null,id=ID[,path=FILE,append=on|off,mux=on|off]"},
    {"serial", true, HONOURED, take_serial,
     "stdio|mon:stdio|file:FILE|chardev:ID|null|none"},
    {"mon", true, HONOURED, take_mon, "chardev=ID of one with mux=on"},
    {"echr", true, HONOURED, take_echr, "1"},
    {"monitor", true, HONOURED, take_none, "none"},
    {"qmp", true, HONOURED, take_none, "none"},
    {"parallel", true, HONOURED, take_none, "none"},
    {"vga", true, HONOURED, take_none, "none"},
    {"display", true, HONOURED, take_display, "none"},
    {"net", true, HONOURED, take_net, "none"},
    {"netdev", true, HONOURED, take_netdev,
     "user,id=ID,hostfwd=tcp|udp:[ADDRESS]:PORT-[ADDRESS]:PORT,restrict=on|off"},
    {"nic", true, HONOURED, take_nic, "none, or user,model=virtio-net-pci,..."},
    {"nographic", false, HONOURED, take_nographic},
    {"nodefaults", false, HONOURED, take_nodefaults},
    {"no-reboot", false, HONOURED, take_no_reboot},
    {"action", true, HONOURED, take_action, "reboot=shutdown|reset"},
    {"snapshot", false, HONOURED, take_snapshot},
    {"rtc", true, HONOURED, take_rtc, "base=utc|localtime"},
    {"pidfile", true, HONOURED, take_pidfile, "FILE"},
    {"gdb", true, HONOURED, take_gdb, "tcp:[HOST]:PORT, or none"},
    {"s", false, HONOURED, take_s, "-gdb tcp::1234, for this machine alone"},
    {"S", false, HONOURED, take_stopped, "only beside -s or -gdb: gdb lets it start"},
    {"watchdog", true, HONOURED, take_watchdog, "MODEL; left out, with a warning"},
    {"v", false, HONOURED, take_verbose, NULL},
    {"version", false, HONOURED, take_version},
    {"help", false, HONOURED, take_help},
    {"h", false, HONOURED, take_help},

    {"name", true, IGNORED},
    {"no-user-config", false, IGNORED},
    {"nodefconfig", false, IGNORED},
    {"bios", true, IGNORED},
    {"L", true, IGNORED},
    {"boot", true, IGNORED},
    {"no-hpet", false, IGNORED},
    {"no-fd-bootchk", false, IGNORED},
    {"watchdog-action", true, IGNORED},
    {"msg", true, IGNORED},
    {"overcommit", true, IGNORED},
    {"mem-prealloc", false, IGNORED},

    {"enable-kvm", false, HONOURED, take_kvm, "only beside -accel tcg"},
    {"blockdev", true, REFUSED, NULL, NULL, "say it with -drive"},
    {"hda", true, REFUSED, NULL, NULL, "there is no IDE; say -drive file=FILE,if=virtio"},
    {"hdb", true, REFUSED, NULL, NULL, "there is no IDE; say -drive file=FILE,if=virtio"},
    {"cdrom", true, REFUSED, NULL, NULL, "there is no CD-ROM drive"},
    {"numa", true, REFUSED, NULL, NULL, "memory has one node"},
    {"global", true, REFUSED, NULL, NULL, "say it at the -device"},
    {"usb", false, REFUSED, NULL, NULL, "there is no USB"},
    {"daemonize", false, REFUSED, NULL, NULL, "let the shell do it"},
    {"no-shutdown", false, REFUSED, NULL, NULL, "a machine that is off is over"},
    {"no-acpi", false, REFUSED, NULL, NULL, "there is always ACPI"},
    {"spice", true, REFUSED, NULL, NULL, NO_DISPLAY},
    {"vnc", true, REFUSED, NULL, NULL, NO_DISPLAY},
    {"incoming", true, REFUSED, NULL, NULL, "there is no migration; see pcilab boot "
     "--checkpoint-at"},
};
/* clang-format on */

static void print_options(enum effect effect)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        const struct qemu_option *o = &options[i];
        if (o->effect == effect) {
            const char *more = effect == REFUSED ? o->note : o->form ? o->form : "";
            printf("  -%-15s %s\n", o->name, more);
        }
    }
}

static bool take_help(struct qemu *q, const char *what, const char *arg)
{
    printf("Usage: pcilab-qemu OPTIONS\n"
           "\n"
           "Boots a Linux kernel on the machine that QEMU's arguments describe. What cannot be\n"
           "honoured is an error that names it. docs/qemu-words.md says more.\n"
           "\n"
           "Example:\n"
           "  pcilab-qemu -nographic -m 512 -smp 2 -kernel bzImage -initrd initramfs.img \\\n"
           "      -append 'console=ttyS0 panic=-1' -no-reboot \\\n"
           "      -device pcie-root-port,id=rp0,chassis=1 \\\n"
           "      -drive if=none,id=d0,file=disk.img,format=raw \\\n"
           "      -device nvme,bus=rp0,drive=d0,serial=1234\n"
           "\n"
           "Options:\n");
    print_options(HONOURED);
    printf("\nDevices:\n");
    qemu_device_list(stdout);
    printf("\nTaken, and without effect here:\n");
    print_options(IGNORED);
    printf("\nRefused, like all others:\n");
    print_options(REFUSED);
    printf("\nOn a terminal, Ctrl-A x leaves and Ctrl-A h helps.\n"
           "Exit status: 0 the guest powered off or, with -no-reboot, reset; 1 an error.\n");
    q->done = true;
    return true;
}

static const struct qemu_option *find_option(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        if (strcmp(options[i].name, name) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

static bool take_option(struct qemu *q, const struct qemu_option *option, const char *arg)
{
    char *what = g_strdup_printf("-%s%s%s", option->name, arg ? " " : "", arg ? arg : "");
    bool ok = true;

    if (option->effect == REFUSED) {
        ok = qemu_refuse(what, "%s", option->note);
    } else if (option->effect == HONOURED) {
        ok = option->take(q, what, arg);
    }
    g_free(what);
    return ok;
}

static bool refuse_option(const char *text)
{
    const char *names[G_N_ELEMENTS(options)];

    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        names[i] = options[i].name;
    }
    if (text[0] != '-') {
        return qemu_refuse(text, "a disk image is said with -drive file=FILE,if=virtio");
    }
    const char *near = units_nearest(text + 1 + (text[1] == '-'), names, G_N_ELEMENTS(names));
    return qemu_refuse(text, "this option cannot be honoured%s%s%s; see pcilab-qemu --help",
                       near ? "; did you mean \"-" : "", near ? near : "", near ? "\"?" : "");
}

static bool check_accel(const struct qemu *q)
{
    if (q->accel && !q->accel_tcg) {
        return qemu_refuse(q->accel, "this accelerator is not there; tcg is, which stands for the "
                                     "interpreter");
    }
    cli_note("processors are interpreted");
    return true;
}

static bool file_is_readable(const char *option, const char *path)
{
    if (!path || access(path, R_OK) == 0) {
        return true;
    }
    return qemu_refuse(option, "%s: %s", path, g_strerror(errno));
}

/* All options are known. */
static bool finish(struct qemu *q)
{
    cli_set_notes(q->verbose);
    if (q->stopped && !q->gdb) {
        return qemu_refuse("-S", "say -s or -gdb, too, or nobody lets it start");
    }
    if (!q->kernel) {
        return qemu_refuse("no -kernel", "nothing else can be booted: there is no firmware");
    }
    if (!file_is_readable("-kernel", q->kernel) || !file_is_readable("-initrd", q->initrd)) {
        return false;
    }
    for (unsigned i = 0; i < q->drive_words->len; i++) {
        if (!qemu_take_drive(q, q->drive_words->pdata[i])) {
            return false;
        }
    }
    return check_accel(q) && qemu_choose_serial(q) && qemu_add_devices(q);
}

bool qemu_parse(struct qemu *q, char **argv)
{
    for (unsigned i = 1; argv[i]; i++) {
        const char *name = argv[i] + 1 + (argv[i][0] == '-' && argv[i][1] == '-');
        const struct qemu_option *option = argv[i][0] == '-' ? find_option(name) : NULL;
        const char *arg = NULL;

        if (!option) {
            return refuse_option(argv[i]);
        }
        if (option->has_arg && !(arg = argv[++i])) {
            return qemu_refuse(argv[i - 1], "its argument is missing");
        }
        if (!take_option(q, option, arg)) {
            return false;
        }
        if (q->done) {
            return true;
        }
    }
    return finish(q);
}

struct qemu *qemu_new(void)
{
    struct qemu *q = g_new0(struct qemu, 1);

    q->serials = g_ptr_array_new_with_free_func(g_free);
    q->chardevs = g_ptr_array_new_with_free_func(qemu_chardev_free);
    q->drives = g_ptr_array_new_with_free_func(qemu_drive_free);
    q->fsdevs = g_ptr_array_new_with_free_func(qemu_backend_free);
    q->objects = g_ptr_array_new_with_free_func(qemu_backend_free);
    q->netdevs = g_ptr_array_new_with_free_func(qemu_backend_free);
    q->drive_words = g_ptr_array_new_with_free_func(qemu_words_free);
    q->devices = g_ptr_array_new_with_free_func(qemu_words_free);
    q->ids = g_ptr_array_new_with_free_func(g_free);
    q->buses = g_ptr_array_new_with_free_func(qemu_bus_free);
    q->ports = g_ptr_array_new();
    q->slots = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    q->desc = machine_desc_new();
    q->desc->memory_bytes = QEMU_MEMORY_BYTES;
    return q;
}

void qemu_free(struct qemu *q)
{
    for (unsigned i = 0; i < q->ports->len; i++) {
        g_free(((struct qemu_port *)q->ports->pdata[i])->name);
        g_free(q->ports->pdata[i]);
    }
    GPtrArray *lists[] = {q->serials, q->chardevs, q->drives, q->fsdevs,      q->objects, q->ports,
                          q->netdevs, q->devices,  q->ids,    q->drive_words, q->buses};
    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_ptr_array_unref(lists[i]);
    }
    g_array_unref(q->slots);
    machine_desc_free(q->desc);
    g_free(q->kernel);
    g_free(q->initrd);
    g_free(q->append);
    g_free(q->pidfile);
    g_free(q->gdb);
    g_free(q->accel);
    g_free(q);
}
