/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lspci -xxxx printed: configuration space as it was at one instant. */
#include "pcilab/base/le.h"
#include "pcilab/config/lspci.h"
#include "pcilab/conform/conform.h"

struct dump {
    struct conform_backend backend;
    GPtrArray *funcs; /* struct lspci_func */
};

static bool dump_read(struct conform_backend *backend, const struct conform_func *func,
                      unsigned offset, unsigned len, uint32_t *value)
{
    struct dump *dump = (struct dump *)backend;
    const struct lspci_func *from = dump->funcs->pdata[func - backend->funcs];

    /* Bytes that were not printed are not known: 0 would be a statement. */
    *value = offset + len > from->p.config_bytes ? 0xffffffff
                                                 : (uint32_t)le_load(from->p.config + offset, len);
    return true;
}

static void dump_free(struct conform_backend *backend)
{
    struct dump *dump = (struct dump *)backend;

    g_ptr_array_unref(dump->funcs);
    g_free(backend->funcs);
    g_free(dump);
}

static int compare(const void *a, const void *b)
{
    const struct lspci_func *x = *(struct lspci_func *const *)a;
    const struct lspci_func *y = *(struct lspci_func *const *)b;
    unsigned p = x->p.bus << 8 | x->p.devfn, q = y->p.bus << 8 | y->p.devfn;

    return x->segment != y->segment ? (x->segment < y->segment ? -1 : 1) : (int)p - (int)q;
}

struct conform_backend *conform_dump_open(const char *path, GError **error)
{
    GPtrArray *funcs = lspci_load(path, error);
    struct dump *dump;

    if (!funcs)
        return NULL;
    g_ptr_array_sort(funcs, compare);
    dump = g_new0(struct dump, 1);
    dump->funcs = funcs;
    dump->backend = (struct conform_backend){
        .name = "dump", .config_read = dump_read, .free = dump_free, .func_count = funcs->len};
    dump->backend.funcs = g_new0(struct conform_func, funcs->len);
    for (unsigned i = 0; i < funcs->len; i++) {
        const struct lspci_func *from = funcs->pdata[i];
        struct conform_func *func = &dump->backend.funcs[i];
        char *name = lspci_name(from);

        func->segment = (uint16_t)from->segment;
        func->rid = (uint16_t)(from->p.bus << 8 | from->p.devfn);
        func->config_bytes = from->p.config_bytes;
        g_strlcpy(func->name, name, sizeof(func->name));
        g_free(name);
    }
    return &dump->backend;
}
