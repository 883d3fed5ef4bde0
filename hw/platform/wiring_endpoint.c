/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Endpoints, and the disks behind them. */
#include <string.h>

#include "pcilab/endpoint/devices.h"
#include "pcilab/endpoint/dsa.h"
#include "pcilab/io/block.h"
#include "wiring.h"

static int storage_read(void *opaque, uint64_t offset, void *data, uint64_t len)
{
    return block_read(opaque, offset, data, len);
}

static int storage_write(void *opaque, uint64_t offset, const void *data, uint64_t len)
{
    return block_write(opaque, offset, data, len);
}

static int storage_zero(void *opaque, uint64_t offset, uint64_t len)
{
    return block_zero(opaque, offset, len);
}

static int storage_flush(void *opaque)
{
    return block_flush(opaque);
}

static struct block_image *find_disk(const struct machine_options *options, const char *name)
{
    for (unsigned i = 0; i < options->disk_count; i++) {
        if (strcmp(options->disks[i].name, name) == 0)
            return options->disks[i].image;
    }
    return NULL;
}

bool wiring_no_room(const struct machine_component *c, uint64_t bytes, GError **error)
{
    char *size = g_format_size_full(bytes, G_FORMAT_SIZE_IEC_UNITS);

    g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_MEMORY,
                "%s: this host has no room for %s of memory; make it smaller", c->name, size);
    g_free(size);
    return false;
}

/* The disk that was given, or a scratch image. */
bool wiring_open_storage(struct wiring *w, const struct machine_component *c,
                         uint64_t scratch_bytes, struct nvme_storage *storage, GError **error)
{
    struct board_part *part = wiring_part(w, c);

    part->image = find_disk(w->options, c->name);
    part->image_owned = !part->image;
    if (!part->image)
        part->image = block_new_memory(scratch_bytes);
    if (!part->image)
        return wiring_no_room(c, scratch_bytes, error);
    *storage = (struct nvme_storage){
        .size_bytes = block_size_bytes(part->image),
        .read_only = block_read_only(part->image),
        .read = storage_read,
        .write = storage_write,
        .zero = storage_zero,
        .flush = storage_flush,
        .opaque = part->image,
    };
    return true;
}

bool wire_nvme(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct board_part *part = wiring_part(w, c);
    struct nvme_params params = {
        .name = c->name,
        .serial = c->nvme.serial,
        .io_queues = c->nvme.queues,
        .namespaces = c->nvme.namespaces,
        .namespace_bytes = c->nvme.namespace_bytes,
        .block_bytes = c->nvme.block_bytes,
        .vfs = c->nvme.vfs,
        .vf_queues = c->nvme.vf_queues,
        .memory_bytes = c->nvme.memory_bytes,
        .shadow_doorbells = c->nvme.shadow_doorbells,
        .ats = c->nvme.ats,
        .pcie = wiring_endpoint_params(c),
    };

    if (!wiring_open_storage(w, c, c->nvme.size_bytes, &params.storage, error))
        return false;
    if (params.namespace_bytes * params.namespaces > params.storage.size_bytes) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                    "%s: the disk is too small for its namespaces (namespaces, namespace-size)",
                    c->name);
        return false;
    }
    part->object = nvme_new(w->machine->fabric, &params);
    wiring_connect_endpoint(w, c);
    return true;
}

bool wire_exerciser(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct exerciser_params params = {
        .name = c->name,
        .functions = c->exerciser.functions,
        .msix_vectors = c->exerciser.msix_vectors,
        .msi_vectors = c->exerciser.msi_vectors,
        .mem_bytes = c->exerciser.mem_bytes,
        .no_io = c->exerciser.no_io,
        .ats = c->exerciser.ats,
        .vfs = c->exerciser.vfs,
        .vf_mem_bytes = c->exerciser.vf_mem_bytes,
        .pcie = wiring_endpoint_params(c),
    };

    wiring_part(w, c)->object = exerciser_new(w->machine->fabric, &params);
    if (!wiring_part(w, c)->object)
        return wiring_no_room(c, params.functions * params.mem_bytes, error);
    wiring_connect_endpoint(w, c);
    return true;
}

bool wire_dsa(struct wiring *w, const struct machine_component *c, GError **error)
{
    const struct dsa_params params = {
        .name = c->name,
        .queues = c->dsa.queues,
        .engines = c->dsa.engines,
        .ats = c->dsa.ats,
        .pcie = wiring_endpoint_params(c),
    };

    wiring_part(w, c)->object = dsa_new(w->machine->fabric, &params);
    wiring_connect_endpoint(w, c);
    return true;
}
