/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine needs to run a command: devices, and an initramfs with the agent in it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "pcilab/io/cpio.h"
#include "pcilab/io/kmod.h"

/* guest/agent, a static program; agent_blob.S. */
extern const uint8_t pcilab_agent[], pcilab_agent_end[];

#define ROOT_NAME  "pcilab.root"
#define PORTS_NAME "pcilab.ports"
#define RW_NAME    "pcilab.rw%u"

static struct machine_component *add(struct machine_desc *desc, enum machine_kind kind,
                                     const char *name)
{
    struct machine_component *c = machine_desc_add_integrated(desc, kind, name);

    if (!c) {
        cli_error("the root bus is full: no device number is free for \"%s\"", name);
    }
    return c;
}

static bool add_files(struct machine_desc *desc, const char *name, char *path, bool read_only)
{
    struct machine_component *c = add(desc, MACHINE_VIRTIO_9P, name);

    if (!c) {
        g_free(path);
        return false;
    }
    c->p9.path = path;
    c->p9.read_only = read_only;
    return true;
}

static bool check_rw(const char *path)
{
    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        cli_error("--rw %s: %s", path,
                  g_file_test(path, G_FILE_TEST_EXISTS) ? "not a folder"
                                                        : "No such file or directory");
        return false;
    }
    if (access(path, W_OK) != 0) {
        cli_error("--rw %s: %s", path, g_strerror(errno));
        return false;
    }
    return true;
}

bool command_add_devices(struct command *c, struct machine_desc *desc, char **rw)
{
    static const char *const names[COMMAND_PORTS] = {"pcilab.in", "pcilab.out", "pcilab.err",
                                                     "pcilab.ctl"};

    if (!add(desc, MACHINE_VIRTIO_CONSOLE, PORTS_NAME) ||
        !add_files(desc, ROOT_NAME, g_strdup("/"), true)) {
        return false;
    }
    for (unsigned i = 0; rw && rw[i]; i++) {
        char *name = g_strdup_printf(RW_NAME, i);
        bool ok =
            check_rw(rw[i]) && add_files(desc, name, g_canonicalize_filename(rw[i], NULL), false);
        g_free(name);
        if (!ok) {
            return false;
        }
    }
    c->control = g_byte_array_new();
    for (unsigned i = 0; i < COMMAND_PORTS; i++) {
        c->ports[i] =
            (struct virtio_console_port){.name = names[i], .ops = &command_port_ops, .opaque = c};
    }
    c->host = (struct machine_virtio_console){
        .name = PORTS_NAME, .ports = c->ports, .port_count = COMMAND_PORTS};
    return true;
}

int command_check_files(const struct machine *machine, char **rw, int status)
{
    unsigned next = 0, n;
    const char *name;
    int err;

    while ((name = machine_files_failed(machine, &next, &err))) {
        bool ours = rw && sscanf(name, RW_NAME, &n) == 1;
        cli_error("%s %s: not all that the guest wrote is there: %s", ours ? "--rw" : "virtio-9p",
                  ours ? rw[n] : name, g_strerror(-err));
        status = status ? status : CLI_FAILED;
    }
    return status;
}

static void put_record(GByteArray *text, const char *key, const char *a, const char *b)
{
    g_byte_array_append(text, (const guint8 *)key, (guint)strlen(key) + 1);
    g_byte_array_append(text, (const guint8 *)a, (guint)strlen(a) + 1);
    g_byte_array_append(text, (const guint8 *)b, (guint)strlen(b) + 1);
}

/* The agent's settings: guest/agent/setup.c. */
static void add_settings(struct cpio *cpio, const struct ktree *tree, char **rw)
{
    GByteArray *text = g_byte_array_new();

    put_record(text, "root", ROOT_NAME, "");
    if (tree->installed) {
        put_record(text, "modules", tree->installed, "");
    }
    for (unsigned i = 0; rw && rw[i]; i++) {
        char *name = g_strdup_printf(RW_NAME, i), *path = g_canonicalize_filename(rw[i], NULL);
        put_record(text, "rw", name, path);
        g_free(path);
        g_free(name);
    }
    cpio_add_file(cpio, "pcilab.conf", 0644, text->data, text->len);
    g_byte_array_unref(text);
}

/* The drivers of what is in this machine. */
static char **find_drivers(const struct machine_desc *desc)
{
    static const char *const drivers[MACHINE_KIND_COUNT] = {
        [MACHINE_NVME] = "nvme",
        [MACHINE_VIRTIO_IOMMU] = "virtio_iommu",
        [MACHINE_VIRTIO_RNG] = "virtio_rng",
        [MACHINE_VIRTIO_BLK] = "virtio_blk",
        [MACHINE_DSA] = "idxd",
    };
    GPtrArray *names = g_ptr_array_new();
    bool seen[MACHINE_KIND_COUNT] = {false};

    for (unsigned i = 0; i < desc->count; i++) {
        enum machine_kind kind = desc->components[i].kind;
        if (drivers[kind] && !seen[kind]) {
            g_ptr_array_add(names, g_strdup(drivers[kind]));
            seen[kind] = true;
        }
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

bool command_make_initrd(struct ktree *tree, const struct machine_desc *desc, char **rw,
                         char *const *more)
{
    static const char *const needed[] = {"virtio_pci", "virtio_console", "9pnet_virtio",
                                         "9p",         "overlay",        NULL};
    struct cpio *cpio = cpio_new();
    char **drivers = find_drivers(desc);

    cpio_add_file(cpio, "init", 0755, pcilab_agent, (size_t)(pcilab_agent_end - pcilab_agent));
    static const char *const folders[] = {"dev", "proc", "sys"};
    for (unsigned i = 0; i < G_N_ELEMENTS(folders); i++) {
        cpio_add_dir(cpio, folders[i], 0755);
    }
    cpio_add_device(cpio, "dev/console", 0600, 5, 1);
    bool ok = ktree_pack(tree, cpio, needed, drivers, more);
    if (ok) {
        ktree_install(tree);
        add_settings(cpio, tree, rw);
        ok = ktree_seal(tree, cpio);
    }
    g_strfreev(drivers);
    cpio_free(cpio);
    return ok;
}
