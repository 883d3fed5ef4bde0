/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -device: rows of what there is, and how each becomes a component. */
#include <stdio.h>
#include <string.h>

#include "pcilab/base/bits.h"
#include "qemu.h"

#define ENDPOINT_BUSES (BIT(QEMU_BUS_ROOT) | BIT(QEMU_BUS_PORT))
#define SERIAL_LEN     20
#define PORT_NAME_LEN  63
#define QUEUES_MAX     64

struct qemu_device {
    const char *names; /* with blanks between; the first is the one that help shows */
    bool (*add)(struct qemu *q, struct qemu_words *words, const char *id);
    const char *note; /* what help says */
};

/* At its place on a root bus or behind a port. NULL: it cannot be there, and why was said. */
static struct machine_component *add_endpoint(struct qemu *q, struct qemu_words *words,
                                              enum machine_kind kind, const char *id)
{
    struct qemu_place place;

    if (!qemu_place(q, words, ENDPOINT_BUSES, false, &place)) {
        return NULL;
    }
    struct machine_component *c = qemu_add_component(q, kind, id);
    c->parent = (int)place.bus->component;
    c->parent_port = place.bus->port;
    c->integrated = place.bus->kind == QEMU_BUS_ROOT;
    c->device = (uint8_t)place.device;
    qemu_words_get(words, "bootindex"); /* there is no firmware to use these two */
    qemu_words_get(words, "romfile");
    return c;
}

static bool read_virtio(struct qemu_words *words, struct machine_component *c)
{
    qemu_words_get(words, "disable-legacy"); /* there is no legacy interface */
    return qemu_words_flag(words, "packed", &c->virtio.packed) &&
           qemu_words_only(words, "disable-modern", "off") &&
           qemu_words_only(words, "iommu_platform", "on") && qemu_words_only(words, "ats", "off") &&
           qemu_words_only(words, "event_idx", "on") &&
           qemu_words_only(words, "indirect_desc", "on");
}

static bool read_serial_number(struct qemu_words *words, char **serial)
{
    const char *text = qemu_words_get(words, "serial");

    if (!text) {
        return true;
    }
    if (strlen(text) > SERIAL_LEN) {
        return qemu_refuse(words->what, "a serial number has up to %u characters", SERIAL_LEN);
    }
    g_free(*serial);
    *serial = g_strdup(text);
    return true;
}

static bool read_drive(struct qemu *q, struct qemu_words *words, const struct machine_component *c)
{
    const char *id = qemu_words_get(words, "drive");

    if (!id) {
        return qemu_refuse(words->what, "drive=ID is missing");
    }
    struct qemu_drive *drive = qemu_find_drive(q, words, id);
    if (!drive) {
        return false;
    }
    drive->owner = g_strdup(c->name);
    return true;
}

static bool add_nvme(struct qemu *q, struct qemu_words *words, const char *id)
{
    struct machine_component *c = add_endpoint(q, words, MACHINE_NVME, id);

    if (!c || !read_drive(q, words, c) || !read_serial_number(words, &c->nvme.serial)) {
        return false;
    }
    if (!qemu_words_get(words, "serial")) {
        return qemu_refuse(words->what, "serial=TEXT is missing");
    }
    return qemu_words_uint(words, "max_ioqpairs", QUEUES_MAX, &c->nvme.queues) &&
           (c->nvme.queues || qemu_refuse(words->what, "max_ioqpairs=0 is not allowed"));
}

static bool add_blk(struct qemu *q, struct qemu_words *words, const char *id)
{
    struct machine_component *c = add_endpoint(q, words, MACHINE_VIRTIO_BLK, id);

    if (!c || !read_virtio(words, c) || !read_drive(q, words, c) ||
        !read_serial_number(words, &c->virtio.serial)) {
        return false;
    }
    if (!qemu_words_get(words, "serial")) {
        c->virtio.serial[0] = '\0';
    }
    return qemu_words_uint(words, "num-queues", QUEUES_MAX, &c->virtio.queues) &&
           (c->virtio.queues || qemu_refuse(words->what, "num-queues=0 is not allowed"));
}

static bool add_rng(struct qemu *q, struct qemu_words *words, const char *id)
{
    struct machine_component *c = add_endpoint(q, words, MACHINE_VIRTIO_RNG, id);
    const char *rng = qemu_words_get(words, "rng");

    return c && read_virtio(words, c) &&
           (!rng || qemu_find_backend(q->objects, words, "-object", rng));
}

/* Where a file system comes from: -fsdev, or a -virtfs itself. */
static bool read_export(struct qemu_words *words, struct machine_component *c)
{
    const char *driver = qemu_words_get(words, "fsdriver"), *path = qemu_words_get(words, "path");
    const char *model = qemu_words_get(words, "security_model");

    if (!driver || strcmp(driver, "local") != 0) {
        return qemu_refuse(words->what, "only local file systems can be exported");
    }
    if (!path) {
        return qemu_refuse(words->what, "path=FOLDER is missing");
    }
    if (!model || (strcmp(model, "none") != 0 && strcmp(model, "passthrough") != 0)) {
        return qemu_refuse(words->what, "security_model= has to be none or passthrough");
    }
    c->p9.path = g_strdup(path);
    c->p9.read_only = false;
    qemu_words_get(words, "multidevs");
    return qemu_words_flag(words, "readonly", &c->p9.read_only);
}

static bool read_tag(struct qemu_words *words, struct machine_component *c)
{
    const char *tag = qemu_words_get(words, "mount_tag");

    if (!tag || !*tag || strlen(tag) > VIRTIO_P9_TAG_MAX) {
        return qemu_refuse(words->what, "mount_tag= has to be 1 to %u characters",
                           VIRTIO_P9_TAG_MAX);
    }
    g_free(c->p9.tag);
    c->p9.tag = g_strdup(tag);
    return true;
}

static bool add_9p(struct qemu *q, struct qemu_words *words, const char *id)
{
    struct machine_component *c = add_endpoint(q, words, MACHINE_VIRTIO_9P, id);
    const char *fsdev = qemu_words_get(words, "fsdev");

    if (!c || !read_virtio(words, c) || !read_tag(words, c)) {
        return false;
    }
    if (!fsdev) {
        return qemu_refuse(words->what, "fsdev=ID is missing");
    }
    struct qemu_backend *backend = qemu_find_backend(q->fsdevs, words, "-fsdev", fsdev);
    return backend && read_export(backend->words, c) && qemu_words_end(backend->words);
}

static bool add_virtfs(struct qemu *q, struct qemu_words *words)
{
    struct machine_component *c = add_endpoint(q, words, MACHINE_VIRTIO_9P, NULL);

    qemu_words_get(words, "id");
    return c && read_export(words, c) && read_tag(words, c) && qemu_words_end(words);
}

static bool read_mac(struct qemu_words *words, struct machine_component *c)
{
    const char *text = qemu_words_get(words, "mac");
    unsigned byte[6];
    int used = 0;

    if (!text) {
        return true;
    }
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3], &byte[4],
               &byte[5], &used) != 6 ||
        text[used] || byte[0] & 1) {
        return qemu_refuse(words->what, "mac=%s is not the address of one station", text);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(byte); i++) {
        c->net.mac[i] = (uint8_t)byte[i];
    }
    c->net.mac_given = true;
    return true;
}

/* The network behind a card: that of -netdev, or a -nic itself. */
static bool read_network(struct qemu_words *words, struct machine_component *c)
{
    const char *type = qemu_words_get(words, "type");

    if (!type || strcmp(type, "user") != 0) {
        return qemu_refuse(words->what, "only user networks can be honoured");
    }
    g_free(c->net.forward);
    c->net.forward = qemu_words_all(words, "hostfwd");
    return qemu_words_flag(words, "restrict", &c->net.restricted) &&
           qemu_words_only(words, "ipv4", "on") && qemu_words_only(words, "ipv6", "off");
}

static bool add_net(struct qemu *q, struct qemu_words *words, const char *id)
{
    struct machine_component *c = add_endpoint(q, words, MACHINE_VIRTIO_NET, id);
    const char *netdev = qemu_words_get(words, "netdev");

    if (!c || !read_virtio(words, c) || !read_mac(words, c)) {
        return false;
    }
    if (!netdev) {
        return qemu_refuse(words->what, "netdev=ID is missing");
    }
    struct qemu_backend *backend = qemu_find_backend(q->netdevs, words, "-netdev", netdev);
    return backend && read_network(backend->words, c) && qemu_words_end(backend->words);
}

static bool add_nic(struct qemu *q, struct qemu_words *words)
{
    const char *model = qemu_words_get(words, "model");

    if (!model || !g_str_has_prefix(model, "virtio")) {
        return qemu_refuse(words->what, "model= has to be virtio-net-pci");
    }
    struct machine_component *c = add_endpoint(q, words, MACHINE_VIRTIO_NET, NULL);
    qemu_words_get(words, "id");
    return c && read_mac(words, c) && read_network(words, c) && qemu_words_end(words);
}

static bool add_serial_bus(struct qemu *q, struct qemu_words *words, const char *id)
{
    struct machine_component *c = add_endpoint(q, words, MACHINE_VIRTIO_CONSOLE, id);
    unsigned most = VIRTIO_CONSOLE_PORTS_MAX;

    if (!c || !read_virtio(words, c) || !qemu_words_uint(words, "max_ports", 31, &most)) {
        return false;
    }
    char *bus = g_strdup_printf("%s.0", c->name);
    qemu_bus_add(q, bus, QEMU_BUS_SERIAL, (unsigned)(c - q->desc->components));
    g_free(bus);
    return true;
}

static unsigned count_ports(const struct qemu *q, unsigned index)
{
    unsigned count = 0;

    for (unsigned i = 0; i < q->ports->len; i++) {
        count += ((const struct qemu_port *)q->ports->pdata[i])->component == index;
    }
    return count;
}

static struct qemu_port *new_port(struct qemu *q, unsigned index, bool console, const char *name)
{
    struct qemu_port *port = g_new0(struct qemu_port, 1);

    port->console = console;
    port->name = g_strdup(name);
    port->component = index;
    port->index = count_ports(q, index);
    g_ptr_array_add(q->ports, port);
    return port;
}

static bool add_port(struct qemu *q, struct qemu_words *words, bool console)
{
    const char *name = qemu_words_get(words, "name"), *chardev = qemu_words_get(words, "chardev");
    const char *bus_name = qemu_words_get(words, "bus");
    struct qemu_bus *bus = NULL;

    for (unsigned i = 0; i < q->buses->len; i++) {
        struct qemu_bus *other = q->buses->pdata[i];
        if (other->kind == QEMU_BUS_SERIAL && (!bus_name || !strcmp(bus_name, other->name))) {
            bus = other; /* QEMU too takes the one that came last */
        }
    }
    if (!bus) {
        return qemu_refuse(words->what, "there is no virtio-serial%s%s before it",
                           bus_name ? " " : "", bus_name ? bus_name : "");
    }
    if (count_ports(q, bus->component) == VIRTIO_CONSOLE_PORTS_MAX) {
        return qemu_refuse(words->what, "%s has %u ports already", bus->name,
                           VIRTIO_CONSOLE_PORTS_MAX);
    }
    if (name && strlen(name) > PORT_NAME_LEN) {
        return qemu_refuse(words->what, "a name has up to %u characters", PORT_NAME_LEN);
    }
    struct qemu_port *port = new_port(q, bus->component, console, name);
    if (chardev) {
        port->chardev = qemu_find_chardev(q, words, chardev);
    }
    return !chardev || port->chardev;
}

static bool add_console_port(struct qemu *q, struct qemu_words *words, const char *id)
{
    return add_port(q, words, true);
}

static bool add_serial_port(struct qemu *q, struct qemu_words *words, const char *id)
{
    return add_port(q, words, false);
}

/* A watchdog that nothing starts does nothing; virtme-ng always adds one. */
static bool leave_out_watchdog(struct qemu *q, struct qemu_words *words, const char *id)
{
    qemu_warn(words->what, "there is no watchdog; it is left out");
    return true;
}

static const struct qemu_device devices[] = {
    {"pcie-root-port ioh3420", qemu_add_root_port,
     "bus=, addr=, chassis=, slot=, x-speed=, x-width="},
    {"x3130-upstream", qemu_add_upstream, "bus= of a port"},
    {"xio3130-downstream", qemu_add_downstream,
     "bus= of an x3130-upstream, addr=, chassis=, slot="},
    {"pxb-pcie", qemu_add_root_bus, "another root bus: bus_nr="},
    {"nvme", add_nvme, "drive=, serial=, max_ioqpairs="},
    {"virtio-blk-pci virtio-blk virtio-blk-pci-non-transitional virtio-blk-device", add_blk,
     "drive=, serial=, num-queues="},
    {"virtio-9p-pci virtio-9p virtio-9p-pci-non-transitional virtio-9p-device", add_9p,
     "fsdev=, mount_tag="},
    {"virtio-rng-pci virtio-rng virtio-rng-pci-non-transitional virtio-rng-device", add_rng,
     "rng="},
    {"virtio-net-pci virtio-net virtio-net-pci-non-transitional virtio-net-device", add_net,
     "netdev=, mac="},
    {"virtio-serial-pci virtio-serial virtio-serial-pci-non-transitional virtio-serial-device",
     add_serial_bus, "max_ports="},
    {"virtconsole", add_console_port, "chardev=, name=, bus= of a virtio-serial"},
    {"virtserialport", add_serial_port, "chardev=, name=, bus= of a virtio-serial"},
    {"i6300esb", leave_out_watchdog, "left out, with a warning"},
    {"intel-iommu", qemu_add_iommu,
     "intremap=, eim=, aw-bits=, caching-mode=, x-scalable-mode=, pt=, snoop-control="},
};

static bool has_name(const char *names, const char *name)
{
    char **all = g_strsplit(names, " ", -1);
    bool found = g_strv_contains((const char *const *)all, name);

    g_strfreev(all);
    return found;
}

static char *first_name(const struct qemu_device *device)
{
    return g_strndup(device->names, strcspn(device->names, " "));
}

void qemu_device_list(FILE *out)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(devices); i++) {
        char *name = first_name(&devices[i]);
        fprintf(out, "  %-20s %s\n", name, devices[i].note);
        g_free(name);
    }
}

static bool refuse_driver(const struct qemu_words *words)
{
    GString *all = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(devices); i++) {
        char *name = first_name(&devices[i]);
        g_string_append_printf(all, "%s%s", all->len ? ", " : "", name);
        g_free(name);
    }
    qemu_refuse(words->what, "there is no such device here; there are: %s", all->str);
    g_string_free(all, TRUE);
    return false;
}

static bool check_id(struct qemu *q, const struct qemu_words *words, const char *id)
{
    if (!id) {
        return true;
    }
    for (unsigned i = 0; i < q->ids->len; i++) {
        if (strcmp(q->ids->pdata[i], id) == 0) {
            return qemu_refuse(words->what, "there is a -device with id=%s already", id);
        }
    }
    if (machine_desc_find(q->desc, id) >= 0) {
        return qemu_refuse(words->what, "id=%s is a name of ours; choose another", id);
    }
    g_ptr_array_add(q->ids, g_strdup(id));
    return true;
}

static bool add_device(struct qemu *q, struct qemu_words *words)
{
    const char *driver = qemu_words_get(words, "driver"), *id = qemu_words_get(words, "id");

    for (unsigned i = 0; driver && i < G_N_ELEMENTS(devices); i++) {
        if (!has_name(devices[i].names, driver)) {
            continue;
        }
        return check_id(q, words, id) && devices[i].add(q, words, id) && qemu_words_end(words);
    }
    return refuse_driver(words);
}

/* if=virtio: as if a -device virtio-blk-pci stood behind all others. */
static bool add_drive_devices(struct qemu *q)
{
    for (unsigned i = 0; i < q->drives->len; i++) {
        struct qemu_drive *drive = q->drives->pdata[i];
        if (!drive->virtio || drive->used) {
            continue;
        }
        if (!drive->id) {
            drive->id = g_strdup_printf("virtio%u", i);
        }
        char *text = g_strdup_printf("virtio-blk-pci,drive=%s", drive->id);
        struct qemu_words *words = qemu_words_new("-device", text, "driver");
        bool ok = add_device(q, words);
        qemu_words_free(words);
        g_free(text);
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* A virtio-serial without ports still has its first one. */
static void fill_serial_buses(struct qemu *q)
{
    for (unsigned i = 0; i < q->desc->count; i++) {
        if (q->desc->components[i].kind == MACHINE_VIRTIO_CONSOLE && !count_ports(q, i)) {
            new_port(q, i, true, NULL);
        }
    }
}

bool qemu_add_devices(struct qemu *q)
{
    machine_desc_add(q->desc, MACHINE_HOST_BRIDGE, "pcie.0");
    qemu_bus_add(q, "pcie.0", QEMU_BUS_ROOT, 0);
    for (unsigned i = 0; i < q->devices->len; i++) {
        struct qemu_words *words = q->devices->pdata[i];
        bool ok = g_str_has_prefix(words->what, "-virtfs") ? add_virtfs(q, words)
                  : g_str_has_prefix(words->what, "-nic")  ? add_nic(q, words)
                                                           : add_device(q, words);
        if (!ok) {
            return false;
        }
    }
    if (!add_drive_devices(q) || !qemu_bus_finish(q)) {
        return false;
    }
    fill_serial_buses(q);
    return true;
}
