/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcilab-qemu: QEMU's arguments (those of 7.2, qemu-system-x86_64) become a machine of ours. Read
 * in three steps: options one by one (qemu_args.c), then back ends by their IDs, then devices in
 * the order of the command line (qemu_device.c) onto buses (qemu_bus.c).
 *
 * All functions that return bool report what is wrong themselves, with the argument.
 */
#ifndef PCILAB_CLI_QEMU_H
#define PCILAB_CLI_QEMU_H

#include "cli.h"
#include "pcilab/platform/machine.h"
#include "qemu_words.h"

/* A character device. */
enum qemu_chardev_kind { QEMU_CHARDEV_NULL, QEMU_CHARDEV_STDIO, QEMU_CHARDEV_FILE };

struct qemu_chardev {
    char *id, *what;
    enum qemu_chardev_kind kind;
    char *path; /* FILE */
    bool append, mux;
    unsigned users;
    int fd; /* FILE, while it is open; -1 */
    GByteArray *out;
};

/* A -drive. */
struct qemu_drive {
    char *id, *what;
    char *owner; /* the component that has it */
    struct block_image *image;
    bool virtio; /* if=virtio: a device comes with it */
    bool used;
};

/* Something else that a device refers to by ID: -fsdev, -object, -netdev. */
struct qemu_backend {
    char *id;
    struct qemu_words *words;
    bool used;
};

/* Where PCI Express devices and virtio ports are plugged in. */
enum qemu_bus_kind { QEMU_BUS_ROOT, QEMU_BUS_PORT, QEMU_BUS_SWITCH, QEMU_BUS_SERIAL };

struct qemu_bus {
    char *name;
    enum qemu_bus_kind kind;
    unsigned component; /* in the description: host bridge, port's owner, switch, virtio-console */
    unsigned port;      /* PORT: of a switch */
    uint8_t taken[32];  /* ROOT, SWITCH: functions of each device; PORT: [0] */
};

/* A port of a virtio-console, and the character device behind it. */
struct qemu_port {
    char *name; /* NULL: a console */
    bool console;
    unsigned component;
    struct qemu_chardev *chardev; /* NULL: nothing listens */
    /* While the machine runs. */
    struct qemu_host *host;
    struct virtio_console *device;
    unsigned index;
};

struct qemu {
    char *kernel, *initrd, *append;
    char *pidfile;
    char *gdb;    /* [HOST]:PORT; NULL: no debugger */
    bool stopped; /* until it says go */
    uint64_t seed;
    bool no_reboot, nographic, nodefaults, no_display, verbose, snapshot;
    char *accel; /* the last that was asked for; NULL: none */
    bool accel_tcg;
    bool done; /* --help and the like: there is nothing to run */

    GPtrArray *serials; /* char *: as typed */
    GPtrArray *chardevs, *drives, *fsdevs, *objects, *netdevs;
    GPtrArray *drive_words; /* struct qemu_words: -drive, before they are opened */
    GPtrArray *devices;     /* struct qemu_words: -device, -virtfs and -nic */
    GPtrArray *ids;         /* char *: of devices */

    struct machine_desc *desc;
    GPtrArray *buses, *ports;
    GArray *slots;               /* uint32_t: chassis << 16 | number */
    struct qemu_chardev *serial; /* NULL: nothing listens */
    unsigned made;               /* names for what has no ID */
};

/* qemu_args.c */
struct qemu *qemu_new(void);
void qemu_free(struct qemu *q);
bool qemu_parse(struct qemu *q, char **argv);

/* qemu_board.c */
#define QEMU_MEMORY_BYTES (128ULL << 20) /* without -m */
bool qemu_read_memory(struct qemu *q, struct qemu_words *words);
bool qemu_read_smp(struct qemu *q, struct qemu_words *words);
bool qemu_read_machine(struct qemu *q, struct qemu_words *words);
bool qemu_read_accel(struct qemu *q, struct qemu_words *words);

/* qemu_backend.c */
bool qemu_take_chardev(struct qemu *q, const char *text);
bool qemu_take_drive(struct qemu *q, struct qemu_words *words);
bool qemu_take_backend(struct qemu *q, GPtrArray *list, struct qemu_words *words);
struct qemu_chardev *qemu_find_chardev(struct qemu *q, struct qemu_words *user, const char *id);
struct qemu_drive *qemu_find_drive(struct qemu *q, struct qemu_words *user, const char *id);
struct qemu_backend *qemu_find_backend(GPtrArray *list, struct qemu_words *user, const char *option,
                                       const char *id);
bool qemu_choose_serial(struct qemu *q);
void qemu_chardev_free(void *chardev);
void qemu_drive_free(void *drive);
void qemu_backend_free(void *backend);

/* qemu_bus.c */
struct qemu_place {
    struct qemu_bus *bus;
    unsigned device, function;
};
struct qemu_bus *qemu_bus_add(struct qemu *q, const char *name, enum qemu_bus_kind kind,
                              unsigned component);
void qemu_bus_free(void *bus);
/* Takes bus= and addr= and keeps the place; `kinds` is BIT(enum qemu_bus_kind) of what it fits. A
 * `port` may share its device number with others. */
bool qemu_place(struct qemu *q, struct qemu_words *words, unsigned kinds, bool port,
                struct qemu_place *place);
/* All is plugged in: what only shows at the end. */
bool qemu_bus_finish(struct qemu *q);

/* qemu_device.c */
bool qemu_add_devices(struct qemu *q);
void qemu_device_list(FILE *out);

/* qemu_tree.c */
struct machine_component *qemu_add_component(struct qemu *q, enum machine_kind kind,
                                             const char *id);
bool qemu_add_root_port(struct qemu *q, struct qemu_words *words, const char *id);
bool qemu_add_upstream(struct qemu *q, struct qemu_words *words, const char *id);
bool qemu_add_downstream(struct qemu *q, struct qemu_words *words, const char *id);
bool qemu_add_root_bus(struct qemu *q, struct qemu_words *words, const char *id);
bool qemu_add_iommu(struct qemu *q, struct qemu_words *words, const char *id);

/* qemu_host.c: builds the machine and runs it. Returns the exit status. */
int qemu_run(struct qemu *q);

#endif
