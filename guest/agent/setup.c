/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an initramfs to the host's files: modules, ports, mounts.
 *
 * /pcilab.conf is made of strings with a zero at the end, three a record:
 *   root TAG ""        the file system below the guest's root, read-only
 *   rw TAG PATH        a directory that may be written
 *   modules PATH ""    the kernel's modules, installed, among the host's files
 * The modules to load at once are those that the initramfs holds, in the order of modules.order.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent.h"

#define PATH_BYTES   4096
#define CONFIG_BYTES (256u << 10)
/* What is not there is waited for so long, in virtual time, which costs little of the host's. */
#define PATIENCE_MS 5000
#define MSIZE       "262144"

static char config[CONFIG_BYTES];
static size_t config_len;

static const char *const port_names[PORT_COUNT] = {"pcilab.in", "pcilab.out", "pcilab.err",
                                                   "pcilab.ctl"};

static void nap(void)
{
    (void)poll(NULL, 0, 1);
}

static void do_mount(const char *type, const char *source, const char *target, unsigned long flags,
                     const char *data)
{
    if (mount(source, target, type, flags, data) != 0) {
        die("%s cannot be mounted at %s: %s", type, target, strerror(errno));
    }
}

static void read_config(void)
{
    int fd = open("/pcilab.conf", O_RDONLY | O_CLOEXEC);
    ssize_t len;

    while (fd >= 0 && config_len < CONFIG_BYTES &&
           (len = read(fd, config + config_len, CONFIG_BYTES - config_len)) > 0) {
        config_len += (size_t)len;
    }
    if (fd < 0 || !config_len || config[config_len - 1]) {
        die("/pcilab.conf is not there or damaged");
    }
    close(fd);
}

/* The next record of this key, from *at on; false: none. */
static bool next_record(const char *key, size_t *at, const char *value[2])
{
    while (*at < config_len) {
        const char *text[3];
        for (unsigned i = 0; i < 3; i++) {
            text[i] = *at < config_len ? config + *at : "";
            *at += strlen(text[i]) + 1;
        }
        if (strcmp(text[0], key) == 0) {
            value[0] = text[1];
            value[1] = text[2];
            return true;
        }
    }
    return false;
}

static void load_module(int dir, const char *path)
{
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST)) {
        /* A device may do without; what cannot fails by itself. */
        fprintf(stderr, "pcilab: module %s: %s\n", path, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* Returns the folder's descriptor, -1: the initramfs has no modules. */
static int load_modules(const char *folder)
{
    char line[PATH_BYTES];
    int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int order = dir >= 0 ? openat(dir, "modules.order", O_RDONLY | O_CLOEXEC) : -1;
    FILE *list = order >= 0 ? fdopen(order, "re") : NULL;

    while (list && fgets(line, sizeof(line), list)) {
        line[strcspn(line, "\n")] = '\0';
        load_module(dir, line);
    }
    if (list) {
        fclose(list);
    }
    return dir;
}

/* A port's device by the name that the host gave it; -1: not there yet. */
static int find_port(const char *name)
{
    DIR *dir = opendir("/sys/class/virtio-ports");
    const struct dirent *entry;
    int fd = -1;

    while (dir && fd < 0 && (entry = readdir(dir))) {
        char path[PATH_BYTES], text[64] = "";
        snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
        if (file && fgets(text, sizeof(text), file)) {
            text[strcspn(text, "\n")] = '\0';
            if (strcmp(text, name) == 0) {
                snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
                fd = open(path, O_RDWR | O_CLOEXEC);
            }
        }
        if (file) {
            fclose(file);
        }
    }
    if (dir) {
        closedir(dir);
    }
    return fd;
}

/* The host has its end open: before, reading would seem to be at an end of file. */
static bool port_connected(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    return poll(&p, 1, 0) >= 0 && !(p.revents & POLLHUP);
}

static void open_ports(int ports[PORT_COUNT])
{
    for (unsigned i = 0; i < PORT_COUNT; i++) {
        unsigned tries = 0;
        ports[i] = -1;
        while (ports[i] < 0 || !port_connected(ports[i])) {
            if (ports[i] < 0) {
                ports[i] = find_port(port_names[i]);
            } else {
                nap();
            }
            if (ports[i] < 0) {
                nap();
            }
            if (++tries > PATIENCE_MS) {
                die("there is no virtio-console port %s; the kernel needs CONFIG_VIRTIO_PCI and "
                    "CONFIG_VIRTIO_CONSOLE",
                    port_names[i]);
            }
        }
    }
}

/* Disks are there when the command starts, as after `udevadm settle`. */
static void settle_nvme(void)
{
    DIR *dir = opendir("/sys/class/nvme");
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char path[PATH_BYTES];
        snprintf(path, sizeof(path), "/dev/%sn1", entry->d_name);
        for (unsigned i = 0; entry->d_name[0] != '.' && i < 500 && access(path, F_OK) != 0; i++) {
            nap();
        }
    }
    if (dir) {
        closedir(dir);
    }
}

static void mount_9p(const char *tag, const char *target, unsigned long flags, const char *cache)
{
    char data[256];

    snprintf(data, sizeof(data),
             "trans=virtio,version=9p2000.L,access=any,msize=" MSIZE ",cache=%s", cache);
    if (mount(tag, target, "9p", flags, data) != 0) {
        die("the host's files (%s) cannot be mounted at %s: %s; the kernel needs CONFIG_9P_FS and "
            "CONFIG_NET_9P_VIRTIO",
            tag, target, strerror(errno));
    }
}

static void make_dirs(const char *path)
{
    char part[PATH_BYTES];

    for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
        if (slash > path) {
            snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
            (void)mkdir(part, 0755);
        }
    }
    (void)mkdir(path, 0755);
}

/* At /new: the host's files below, the guest's memory above. */
static void mount_root(void)
{
    const char *value[2] = {"", ""};
    size_t at = 0;

    (void)mkdir("/host", 0755);
    (void)mkdir("/mem", 0755);
    (void)mkdir("/new", 0755);
    if (!next_record("root", &at, value)) {
        die("/pcilab.conf names no root");
    }
    mount_9p(value[0], "/host", MS_RDONLY, "loose");
    do_mount("tmpfs", "tmpfs", "/mem", 0, "mode=755");
    if (mkdir("/mem/upper", 0755) != 0 || mkdir("/mem/work", 0755) != 0) {
        die("/mem: %s", strerror(errno));
    }
    if (mount("overlay", "/new", "overlay", 0,
              "lowerdir=/host,upperdir=/mem/upper,workdir=/mem/work") != 0) {
        die("an overlay cannot be mounted: %s; the kernel needs CONFIG_OVERLAY_FS",
            strerror(errno));
    }
}

static void mount_kernel(void)
{
    static const struct {
        const char *type, *path, *data;
        unsigned long flags;
    } all[] = {
        {"devtmpfs", "/dev", "mode=755", MS_NOSUID},
        {"proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
        {"sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
        {"tmpfs", "/run", "mode=755", MS_NOSUID | MS_NODEV},
        {"devpts", "/dev/pts", "gid=5,mode=620,ptmxmode=666", MS_NOSUID | MS_NOEXEC},
        {"tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV},
    };

    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        make_dirs(all[i].path);
        do_mount(all[i].type, all[i].type, all[i].path, all[i].flags, all[i].data);
    }
    /* Where the kernel has them; nothing here needs them. */
    (void)mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
    (void)mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
    (void)symlink("/proc/self/fd", "/dev/fd");
    (void)symlink("/proc/self/fd/0", "/dev/stdin");
    (void)symlink("/proc/self/fd/1", "/dev/stdout");
    (void)symlink("/proc/self/fd/2", "/dev/stderr");
}

/* Modules: the host's folder, or what the initramfs holds (`own`, a descriptor, or -1). */
static void mount_modules(const char *folder, int own)
{
    const char *value[2];
    char source[64];
    size_t at = 0;

    if (next_record("modules", &at, value)) {
        make_dirs(folder);
        do_mount("bind", value[0], folder, MS_BIND, NULL);
    } else if (own >= 0) {
        snprintf(source, sizeof(source), "/proc/self/fd/%d", own);
        make_dirs(folder);
        do_mount("bind", source, folder, MS_BIND, NULL);
    }
    if (own >= 0) {
        close(own);
    }
}

static void loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0) {
        (void)ioctl(fd, SIOCSIFFLAGS, &request);
        close(fd);
    }
}

void setup(int ports[PORT_COUNT])
{
    struct utsname name;
    char modules[PATH_BYTES];
    const char *value[2];

    do_mount("devtmpfs", "devtmpfs", "/dev", 0, NULL);
    do_mount("proc", "proc", "/proc", 0, NULL);
    do_mount("sysfs", "sysfs", "/sys", 0, NULL);
    read_config();
    uname(&name);
    snprintf(modules, sizeof(modules), "/lib/modules/%s", name.release);
    int own = load_modules(modules);
    open_ports(ports);
    mount_root();
    if (chdir("/new") != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 ||
        chdir("/") != 0) {
        die("the root cannot be changed: %s", strerror(errno));
    }
    mount_kernel();
    mount_modules(modules, own);
    for (size_t at = 0; next_record("rw", &at, value);) {
        mount_9p(value[0], value[1], 0, "mmap");
    }
    (void)sethostname("pcilab", 6);
    loopback_up();
    settle_nvme();
}
