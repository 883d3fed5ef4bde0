/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine of ours, as software of its host would see it: by configuration and memory requests. */
#include "pcilab/conform/machine.h"

#include "machine.h"
#include "pcilab/platform/enumerate.h"
#include "pcilab/platform/probe.h"

struct model {
    struct conform_backend backend;
    struct machine *machine;
};

static struct machine *machine_of(struct conform_backend *backend)
{
    return ((struct model *)backend)->machine;
}

struct machine *conform_machine_of(struct conform_backend *backend)
{
    return machine_of(backend);
}

static bool model_read(struct conform_backend *backend, const struct conform_func *func,
                       unsigned offset, unsigned len, uint32_t *value)
{
    uint32_t result = 0;

    /* Software is patient where it sees Request Retry Status (2.3.1): the root complex is, too. */
    conform_machine_config(machine_of(backend), false, func->segment, func->rid, offset, len,
                           &result);
    *value = result;
    return true;
}

static bool model_write(struct conform_backend *backend, const struct conform_func *func,
                        unsigned offset, unsigned len, uint32_t value)
{
    conform_machine_config(machine_of(backend), true, func->segment, func->rid, offset, len,
                           &value);
    return true;
}

static bool bar_address(struct conform_backend *backend, const struct conform_func *func,
                        unsigned bar, uint64_t *addr)
{
    uint32_t low, high = 0;

    model_read(backend, func, 0x10 + 4 * bar, 4, &low);
    if ((low & 7) == 4)
        model_read(backend, func, 0x14 + 4 * bar, 4, &high);
    *addr = (uint64_t)high << 32 | (low & ~0xfu);
    return !(low & 1) && *addr;
}

static bool model_bar_read(struct conform_backend *backend, const struct conform_func *func,
                           unsigned bar, uint64_t offset, unsigned len, uint64_t *value)
{
    uint64_t addr;

    *value = 0;
    if (!bar_address(backend, func, bar, &addr))
        return false;
    conform_machine_access(machine_of(backend), ROOT_MEM_READ, addr + offset, len, value);
    return true;
}

static bool model_bar_write(struct conform_backend *backend, const struct conform_func *func,
                            unsigned bar, uint64_t offset, unsigned len, uint64_t value)
{
    uint64_t addr;

    if (!bar_address(backend, func, bar, &addr))
        return false;
    conform_machine_access(machine_of(backend), ROOT_MEM_WRITE, addr + offset, len, &value);
    return true;
}

static void model_wait(struct conform_backend *backend, unsigned us)
{
    conform_machine_run(machine_of(backend), us * PS_PER_US);
}

static void model_free(struct conform_backend *backend)
{
    machine_free(machine_of(backend));
    g_free(backend->funcs);
    g_free(backend);
}

static void add_function(void *opaque, uint16_t segment, struct pci_rid rid,
                         const uint8_t config[4096])
{
    struct conform_func func = {
        .segment = segment, .rid = rid.v, .config_bytes = CONFORM_CONFIG_BYTES};

    g_snprintf(func.name, sizeof(func.name), "%04x:%02x:%02x.%x", segment, rid.v >> 8,
               rid.v >> 3 & 0x1f, rid.v & 7);
    g_array_append_val((GArray *)opaque, func);
}

/* Functions beyond the first of an endpoint have names, too: "ex1.1". */
static void name_functions(struct model *model)
{
    char **names = machine_names(model->machine);

    for (unsigned i = 0; names[i]; i++) {
        struct pci_func *first = machine_func(model->machine, names[i]);

        for (unsigned n = 0; first && n < 8; n++) {
            char *name = n ? g_strdup_printf("%s.%u", names[i], n) : g_strdup(names[i]);
            struct pci_func *func = machine_func(model->machine, name);

            for (unsigned j = 0; func && j < model->backend.func_count; j++) {
                struct conform_func *out = &model->backend.funcs[j];

                if (out->rid == func->rid.v &&
                    machine_root_of(model->machine, names[i]) ==
                        machine_root_at(model->machine, out->segment, out->rid >> 8))
                    g_strlcpy(out->name, name, sizeof(out->name));
            }
            g_free(name);
        }
    }
    g_strfreev(names);
}

struct conform_backend *conform_machine_open(const struct machine_desc *desc, GError **error)
{
    struct machine *machine = conform_machine_new(desc, error);
    GArray *found;
    struct model *model;

    if (!machine)
        return NULL;
    model = g_new0(struct model, 1);
    found = g_array_new(FALSE, FALSE, sizeof(struct conform_func));
    machine_visit_functions(machine, add_function, found);
    model->machine = machine;
    model->backend = (struct conform_backend){.name = "model",
                                              .config_read = model_read,
                                              .config_write = model_write,
                                              .bar_read = model_bar_read,
                                              .bar_write = model_bar_write,
                                              .wait_us = model_wait,
                                              .free = model_free,
                                              .func_count = found->len,
                                              .fresh = true,
                                              .lab = desc};
    model->backend.funcs = (struct conform_func *)(void *)g_array_free(found, FALSE);
    name_functions(model);
    return &model->backend;
}
