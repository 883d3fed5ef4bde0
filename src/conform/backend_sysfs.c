/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of a Linux host: /sys/bus/pci/devices. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pcilab/base/le.h"
#include "pcilab/conform/conform.h"

struct sysfs_func {
    char *folder;
    int config;   /* file descriptor */
    void *bar[6]; /* mapped; NULL: not tried */
    size_t bar_bytes[6];
};

struct sysfs {
    struct conform_backend backend;
    struct sysfs_func *func;
};

static struct sysfs_func *func_of(struct conform_backend *backend, const struct conform_func *func)
{
    return &((struct sysfs *)backend)->func[func - backend->funcs];
}

static bool sysfs_read(struct conform_backend *backend, const struct conform_func *func,
                       unsigned offset, unsigned len, uint32_t *value)
{
    uint8_t bytes[4] = {0xff, 0xff, 0xff, 0xff};

    if (pread(func_of(backend, func)->config, bytes, len, offset) != (ssize_t)len)
        return false;
    *value = (uint32_t)le_load(bytes, len);
    return true;
}

static bool sysfs_write(struct conform_backend *backend, const struct conform_func *func,
                        unsigned offset, unsigned len, uint32_t value)
{
    uint8_t bytes[4];

    le32_store(bytes, value);
    return pwrite(func_of(backend, func)->config, bytes, len, offset) == (ssize_t)len;
}

static void sysfs_wait(struct conform_backend *backend, unsigned us)
{
    g_usleep(us);
}

static uint8_t *map_bar(struct sysfs_func *func, unsigned bar, uint64_t offset, unsigned len)
{
    if (bar >= 6)
        return NULL;
    if (!func->bar[bar]) {
        char *path = g_strdup_printf("%s/resource%u", func->folder, bar);
        int fd = open(path, O_RDWR | O_CLOEXEC);
        struct stat st;
        void *map = MAP_FAILED;

        g_free(path);
        if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0)
            map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (fd >= 0)
            close(fd);
        if (map == MAP_FAILED)
            return NULL;
        func->bar[bar] = map;
        func->bar_bytes[bar] = (size_t)st.st_size;
    }
    if (offset > func->bar_bytes[bar] || len > func->bar_bytes[bar] - offset)
        return NULL;
    return (uint8_t *)func->bar[bar] + offset;
}

/* One access of the width asked for: memcpy() would be free to make others. */
static bool sysfs_bar_read(struct conform_backend *backend, const struct conform_func *func,
                           unsigned bar, uint64_t offset, unsigned len, uint64_t *value)
{
    volatile uint8_t *at = map_bar(func_of(backend, func), bar, offset, len);

    if (!at)
        return false;
    *value = len == 1   ? *at
             : len == 2 ? le16toh(*(volatile uint16_t *)at)
             : len == 4 ? le32toh(*(volatile uint32_t *)at)
                        : le64toh(*(volatile uint64_t *)at);
    return true;
}

static bool sysfs_bar_write(struct conform_backend *backend, const struct conform_func *func,
                            unsigned bar, uint64_t offset, unsigned len, uint64_t value)
{
    volatile uint8_t *at = map_bar(func_of(backend, func), bar, offset, len);

    if (!at)
        return false;
    if (len == 1)
        *at = (uint8_t)value;
    else if (len == 2)
        *(volatile uint16_t *)at = htole16((uint16_t)value);
    else if (len == 4)
        *(volatile uint32_t *)at = htole32((uint32_t)value);
    else
        *(volatile uint64_t *)at = htole64(value);
    return true;
}

static void sysfs_free(struct conform_backend *backend)
{
    struct sysfs *sysfs = (struct sysfs *)backend;

    for (unsigned i = 0; i < backend->func_count; i++) {
        for (unsigned bar = 0; bar < 6; bar++) {
            if (sysfs->func[i].bar[bar])
                munmap(sysfs->func[i].bar[bar], sysfs->func[i].bar_bytes[bar]);
        }
        if (sysfs->func[i].config >= 0)
            close(sysfs->func[i].config);
        g_free(sysfs->func[i].folder);
    }
    g_free(sysfs->func);
    g_free(backend->funcs);
    g_free(sysfs);
}

/* "0000:00:1f.3"; the domain may be left out. */
static bool parse_place(const char *text, struct conform_func *func)
{
    unsigned segment = 0, bus, device, function;
    int end = 0;

    if ((sscanf(text, "%4x:%2x:%2x.%1x%n", &segment, &bus, &device, &function, &end) != 4 ||
         text[end]) &&
        (segment = 0,
         sscanf(text, "%2x:%2x.%1x%n", &bus, &device, &function, &end) != 3 || text[end]))
        return false;
    if (device > 31 || function > 7)
        return false;
    func->segment = (uint16_t)segment;
    func->rid = (uint16_t)(bus << 8 | device << 3 | function);
    g_snprintf(func->name, sizeof(func->name), "%04x:%02x:%02x.%x", segment, bus, device, function);
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct conform_func *x = a, *y = b;

    return x->segment != y->segment ? x->segment - y->segment : x->rid - y->rid;
}

static GArray *list_functions(const char *devices, GError **error)
{
    GDir *dir = g_dir_open(devices, 0, error);
    GArray *found = g_array_new(FALSE, TRUE, sizeof(struct conform_func));
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        struct conform_func func = {0};

        if (parse_place(name, &func))
            g_array_append_val(found, func);
    }
    if (dir)
        g_dir_close(dir);
    g_array_sort(found, compare);
    return found;
}

/* How much of configuration space there is: an unprivileged reader sees 64 bytes. */
static unsigned seen_bytes(int fd)
{
    static const unsigned sizes[] = {4096, 256};
    uint8_t byte;

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        if (pread(fd, &byte, 1, sizes[i] - 1) == 1)
            return sizes[i];
    }
    return 64;
}

static bool open_function(struct sysfs *sysfs, const char *devices, unsigned i, GError **error)
{
    struct conform_func *func = &sysfs->backend.funcs[i];
    struct sysfs_func *own = &sysfs->func[i];
    char *path;
    int fd;

    own->folder = g_build_filename(devices, func->name, NULL);
    path = g_build_filename(own->folder, "config", NULL);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && (errno == EACCES || errno == EROFS || errno == EPERM)) {
        fd = open(path, O_RDONLY | O_CLOEXEC);
        sysfs->backend.config_write = NULL;
    }
    own->config = fd;
    if (fd < 0)
        g_set_error(error, CONFORM_ERROR, 0, "%s: %s", path, g_strerror(errno));
    else
        func->config_bytes = (uint16_t)seen_bytes(fd);
    g_free(path);
    return fd >= 0;
}

/* Keeps what `bdf` names, as index in the list; UINT_MAX: not there. */
static unsigned find_named(const GArray *found, const char *bdf)
{
    struct conform_func wanted = {0};

    if (!parse_place(bdf, &wanted))
        return G_MAXUINT;
    for (unsigned i = 0; i < found->len; i++) {
        if (compare(&g_array_index(found, struct conform_func, i), &wanted) == 0)
            return i;
    }
    return G_MAXUINT;
}

struct conform_backend *conform_sysfs_open(const char *root, const char *bdf, GError **error)
{
    char *devices = g_build_filename(root, "bus/pci/devices", NULL);
    GError *failed = NULL;
    GArray *found = list_functions(devices, &failed);
    struct sysfs *sysfs = g_new0(struct sysfs, 1);

    sysfs->backend = (struct conform_backend){.name = "sysfs",
                                              .config_read = sysfs_read,
                                              .config_write = sysfs_write,
                                              .bar_read = sysfs_bar_read,
                                              .bar_write = sysfs_bar_write,
                                              .wait_us = sysfs_wait,
                                              .free = sysfs_free};
    if (!failed && bdf) {
        unsigned named = find_named(found, bdf);

        if (named == G_MAXUINT)
            g_set_error(&failed, CONFORM_ERROR, 0, "there is no PCI function %s in %s", bdf,
                        devices);
        else
            sysfs->backend.chosen = &g_array_index(found, struct conform_func, named);
    }
    if (!failed && !found->len)
        g_set_error(&failed, CONFORM_ERROR, 0, "there are no PCI functions in %s", devices);
    sysfs->backend.func_count = found->len;
    sysfs->backend.funcs = (struct conform_func *)(void *)g_array_free(found, FALSE);
    sysfs->func = g_new0(struct sysfs_func, sysfs->backend.func_count + 1);
    for (unsigned i = 0; i < sysfs->backend.func_count; i++)
        sysfs->func[i].config = -1;
    for (unsigned i = 0; i < sysfs->backend.func_count && !failed; i++)
        open_function(sysfs, devices, i, &failed);
    g_free(devices);
    if (failed) {
        g_propagate_error(error, failed);
        conform_backend_free(&sysfs->backend);
        return NULL;
    }
    return &sysfs->backend;
}
