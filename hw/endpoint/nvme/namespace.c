/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Namespaces (Base 2.0, 3.2.1): their place in the storage, and which controllers have them.
 *
 * CHOICE: how namespaces are laid out is not stored with the data. At power-on of the model they
 * are as the topology says, one behind the other from the beginning of the storage; what the guest
 * changes lasts until the model ends, over every reset.
 */
#include "nvme.h"

/* CHOICE: the granularity of namespaces. */
#define GRANULE_SHIFT_MIN 16
#define GRANULES_MAX      65536

uint8_t nvme_format_shift(unsigned format)
{
    return format ? 12 : 9;
}

bool nvme_attached(const struct nvme_namespace *ns, unsigned cntlid)
{
    return ns->attached[cntlid / 64] >> cntlid % 64 & 1;
}

void nvme_attach(struct nvme_namespace *ns, unsigned cntlid, bool attach)
{
    uint64_t *word = &ns->attached[cntlid / 64];

    *word = attach ? *word | BIT(cntlid % 64) : *word & ~BIT(cntlid % 64);
}

struct nvme_namespace *nvme_find_namespace(struct nvme *ctrl, uint32_t nsid)
{
    struct nvme_namespace *ns;

    if (nsid < 1 || nsid > NVME_NAMESPACES) {
        return NULL;
    }
    ns = &ctrl->subsys->ns[nsid - 1];
    return ns->exists && nvme_attached(ns, ctrl->cntlid) ? ns : NULL;
}

uint16_t nvme_namespace_status(struct nvme *ctrl, uint32_t nsid)
{
    if (nsid < 1 || nsid > NVME_NAMESPACES) {
        return NVME_INVALID_NAMESPACE | NVME_STATUS_DNR;
    }
    /* A valid identifier of nothing that is attached is inactive. */
    return nvme_find_namespace(ctrl, nsid) ? NVME_OK : NVME_INVALID_FIELD | NVME_STATUS_DNR;
}

/* The last granule may be smaller than the others. */
static uint64_t granule_bytes(const struct nvme_subsys *subsys, unsigned granule)
{
    uint64_t start = (uint64_t)granule << subsys->granule_shift;

    return MIN(subsys->storage.size_bytes - start, BIT(subsys->granule_shift));
}

uint64_t nvme_capacity_left(const struct nvme_subsys *subsys)
{
    uint64_t left = 0;

    for (unsigned i = 0; i < subsys->granules; i++) {
        left += subsys->granule_used[i] ? 0 : granule_bytes(subsys, i);
    }
    return left;
}

/* Granules ascend in a namespace, so that a smaller last one is its end. */
bool nvme_namespace_allocate(struct nvme_namespace *ns, uint64_t bytes)
{
    struct nvme_subsys *subsys = ns->subsys;
    uint64_t got = 0;

    if (!bytes || bytes > nvme_capacity_left(subsys)) {
        return false;
    }
    ns->granules = 0;
    ns->granule = g_new(uint32_t, (bytes >> subsys->granule_shift) + 1);
    for (unsigned i = 0; got < bytes; i++) {
        assert(i < subsys->granules);
        if (!subsys->granule_used[i]) {
            subsys->granule_used[i] = true;
            ns->granule[ns->granules++] = i;
            got += granule_bytes(subsys, i);
        }
    }
    ns->bytes = bytes;
    ns->exists = true;
    ns->shared = ns->formatting = false;
    ns->write_protected = subsys->storage.read_only;
    ns->generation++;
    memset(ns->attached, 0, sizeof(ns->attached));
    nvme_make_uuid(ns->uuid, subsys->serial, ++subsys->uuids);
    return true;
}

void nvme_namespace_delete(struct nvme_namespace *ns)
{
    nvme_namespace_changed(ns);
    for (unsigned i = 0; i < ns->granules; i++) {
        ns->subsys->granule_used[ns->granule[i]] = false;
    }
    g_clear_pointer(&ns->granule, g_free);
    ns->granules = 0;
    ns->exists = false;
    ns->generation++;
}

void nvme_namespace_set_format(struct nvme_namespace *ns, unsigned format)
{
    ns->format = (uint8_t)format;
    ns->lba_shift = nvme_format_shift(format);
    ns->blocks = ns->bytes >> ns->lba_shift;
    ns->generation++;
}

void nvme_namespace_changed(struct nvme_namespace *ns)
{
    struct nvme_subsys *subsys = ns->subsys;

    for (unsigned i = 0; i < subsys->ctrls; i++) {
        if (nvme_attached(ns, i)) {
            nvme_event_namespace(subsys->ctrl[i], ns->nsid);
        }
    }
}

/* How much of [offset, offset + len) lies together, and where. */
static uint64_t piece(const struct nvme_namespace *ns, uint64_t offset, uint64_t len, uint64_t *at)
{
    unsigned shift = ns->subsys->granule_shift;
    uint64_t index = offset >> shift, inside = offset & (BIT(shift) - 1);
    uint64_t together = BIT(shift) - inside;

    assert(range_inside(offset, len, 0, ns->bytes));
    *at = ((uint64_t)ns->granule[index] << shift) + inside;
    while (together < len && ns->granule[index + 1] == ns->granule[index] + 1) {
        together += BIT(shift);
        index++;
    }
    return MIN(together, len);
}

int nvme_namespace_read(struct nvme_namespace *ns, uint64_t offset, void *data, uint64_t len)
{
    struct nvme_storage *storage = &ns->subsys->storage;
    uint8_t *to = data;
    int err = 0;

    while (len && !err) {
        uint64_t at, n = piece(ns, offset, len, &at);
        err = storage->read(storage->opaque, at, to, n);
        to += n;
        offset += n;
        len -= n;
    }
    return err;
}

int nvme_namespace_write(struct nvme_namespace *ns, uint64_t offset, const void *data, uint64_t len)
{
    struct nvme_storage *storage = &ns->subsys->storage;
    const uint8_t *from = data;
    int err = 0;

    while (len && !err) {
        uint64_t at, n = piece(ns, offset, len, &at);
        err = storage->write(storage->opaque, at, from, n);
        from += n;
        offset += n;
        len -= n;
    }
    return err;
}

int nvme_namespace_zero(struct nvme_namespace *ns, uint64_t offset, uint64_t len)
{
    struct nvme_storage *storage = &ns->subsys->storage;
    int err = 0;

    while (len && !err) {
        uint64_t at, n = piece(ns, offset, len, &at);
        err = storage->zero(storage->opaque, at, n);
        offset += n;
        len -= n;
    }
    return err;
}

int nvme_subsys_flush(struct nvme_subsys *subsys)
{
    return subsys->storage.flush(subsys->storage.opaque);
}

static void make_nqn(struct nvme_subsys *subsys)
{
    GString *nqn = g_string_new("nqn.2014-08.org.nvmexpress:uuid:");
    uint8_t uuid[16];

    nvme_make_uuid(uuid, subsys->serial, 0);
    for (unsigned i = 0; i < sizeof(uuid); i++) {
        g_string_append_printf(nqn, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                               uuid[i]);
    }
    g_strlcpy(subsys->nqn, nqn->str, sizeof(subsys->nqn));
    g_string_free(nqn, TRUE);
}

/* Those that the topology asks for: equal shares, or of the size that it says. All are attached
 * to the primary controller. */
static void make_namespaces(struct nvme_subsys *subsys, const struct nvme_params *params)
{
    unsigned count = MAX(params->namespaces, 1);
    uint64_t share = subsys->storage.size_bytes / count;

    if (count > 1) {
        share = MAX(share >> subsys->granule_shift, 1) << subsys->granule_shift;
    }
    for (unsigned i = 0; i < count; i++) {
        struct nvme_namespace *ns = &subsys->ns[i];
        uint64_t bytes = params->namespace_bytes ? params->namespace_bytes : share;

        if (!nvme_namespace_allocate(ns, MIN(bytes, nvme_capacity_left(subsys)))) {
            return;
        }
        nvme_namespace_set_format(ns, params->block_bytes == 4096);
        nvme_attach(ns, 0, true);
    }
}

struct nvme_subsys *nvme_subsys_new(const struct nvme_params *params)
{
    struct nvme_subsys *subsys = g_new0(struct nvme_subsys, 1);
    uint64_t size = params->storage.size_bytes;

    subsys->serial = g_strdup(params->serial && *params->serial ? params->serial : params->name);
    subsys->storage = params->storage;
    subsys->private_count = params->io_queues + 1;
    subsys->flexible = params->vfs * (params->vf_queues + 1);
    subsys->granule_shift = GRANULE_SHIFT_MIN;
    while ((size - 1) >> subsys->granule_shift >= GRANULES_MAX) {
        subsys->granule_shift++;
    }
    subsys->granules = (unsigned)((size - 1) >> subsys->granule_shift) + 1;
    subsys->granule_used = g_new0(bool, subsys->granules);
    for (unsigned i = 0; i < NVME_NAMESPACES; i++) {
        subsys->ns[i].subsys = subsys;
        subsys->ns[i].nsid = i + 1;
    }
    make_nqn(subsys);
    make_namespaces(subsys, params);
    return subsys;
}

void nvme_subsys_free(struct nvme_subsys *subsys)
{
    for (unsigned i = 0; i < NVME_NAMESPACES; i++) {
        g_free(subsys->ns[i].granule);
    }
    g_free(subsys->granule_used);
    g_free(subsys->serial);
    g_free(subsys);
}
