/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The description of a machine: a list of components, parents before children. */
#include <string.h>

#include "pcilab/platform/machine.h"

static const char *const kind_names[MACHINE_KIND_COUNT] = {
    [MACHINE_SHELL] = "shell",
    [MACHINE_IOMMU] = "iommu",
    [MACHINE_VIRTIO_IOMMU] = "virtio-iommu",
    [MACHINE_HOST_BRIDGE] = "host-bridge",
    [MACHINE_ROOT_PORT] = "root-port",
    [MACHINE_SWITCH] = "switch",
    [MACHINE_NVME] = "nvme",
    [MACHINE_EXERCISER] = "exerciser",
    [MACHINE_VIRTIO_RNG] = "virtio-rng",
    [MACHINE_VIRTIO_BLK] = "virtio-blk",
    [MACHINE_VIRTIO_CONSOLE] = "virtio-console",
    [MACHINE_VIRTIO_9P] = "virtio-9p",
    [MACHINE_VIRTIO_NET] = "virtio-net",
    [MACHINE_IGB] = "igb",
    [MACHINE_DSA] = "dsa",
};

const char *machine_kind_name(enum machine_kind kind)
{
    g_assert(kind < MACHINE_KIND_COUNT);
    return kind_names[kind];
}

bool machine_kind_is_card(enum machine_kind kind)
{
    return kind == MACHINE_VIRTIO_NET || kind == MACHINE_IGB;
}

struct machine_desc *machine_desc_new(void)
{
    struct machine_desc *desc = g_new0(struct machine_desc, 1);

    desc->cpus = 1;
    desc->memory_bytes = 512ULL << 20;
    return desc;
}

void machine_desc_free(struct machine_desc *desc)
{
    if (!desc) {
        return;
    }
    for (unsigned i = 0; i < desc->count; i++) {
        g_free(desc->components[i].name);
        g_free(desc->components[i].nvme.serial);
        g_free(desc->components[i].shell.funcs);
        g_free(desc->components[i].virtio.serial);
        g_free(desc->components[i].p9.tag);
        g_free(desc->components[i].p9.path);
        g_free(desc->components[i].net.forward);
        g_free(desc->components[i].net.wire);
        g_strfreev(desc->components[i].p9.rw);
        g_strfreev(desc->components[i].iommu.scope);
        g_strfreev(desc->components[i].iommu.ats_ports);
        g_strfreev(desc->components[i].iommu.ats_integrated);
    }
    g_free(desc->components);
    g_free(desc);
}

/* What a component is when nothing is said about it; the topology file's defaults agree. */
static void component_set_defaults(struct machine_component *c)
{
    c->parent = -1;
    c->port = MACHINE_PORT_DEFAULT;
    c->link.propagation_ps = link_default_params.propagation_ps;
    c->link.training_ps = link_default_params.training_ps;
    switch (c->kind) {
    case MACHINE_HOST_BRIDGE: c->bridge.bus_last = 0xff; break;
    case MACHINE_ROOT_PORT: c->device = 1; break;
    case MACHINE_SWITCH:
        c->sw.down_count = 1;
        for (unsigned i = 0; i < MACHINE_SWITCH_PORTS_MAX; i++) {
            c->sw.down[i] = MACHINE_PORT_DEFAULT;
        }
        break;
    case MACHINE_NVME:
        c->nvme.size_bytes = 256ULL << 20;
        c->nvme.queues = 8;
        c->nvme.serial = g_strndup(c->name, 20);
        break;
    case MACHINE_EXERCISER:
        c->exerciser.functions = 1;
        c->exerciser.msix_vectors = 8;
        c->exerciser.msi_vectors = 4;
        c->exerciser.mem_bytes = 1ULL << 20;
        c->exerciser.ats = true;
        c->exerciser.vf_mem_bytes = 1ULL << 16;
        break;
    case MACHINE_IGB: c->igb.vfs = MACHINE_IGB_VFS_MAX; break;
    case MACHINE_DSA:
        c->dsa.queues = 8;
        c->dsa.engines = 4;
        c->dsa.ats = true;
        break;
    case MACHINE_VIRTIO_BLK:
        c->virtio.size_bytes = 256ULL << 20;
        c->virtio.queues = 1;
        c->virtio.serial = g_strndup(c->name, 20);
        break;
    case MACHINE_VIRTIO_9P:
        c->p9.tag = g_strdup(c->name);
        c->p9.read_only = true;
        break;
    case MACHINE_IOMMU:
        c->iommu.vtd = (struct vtd_features){
            .address_bits = 48,
            .scalable = true,
            .first_stage = true,
            .second_stage = true,
            .nested = true,
            .pass_through = true,
            .interrupt_remapping = true,
            .x2apic = true,
            .snoop = true,
            .large_pages = true,
            .coherent = true,
            .device_tlb = true,
            .page_requests = true,
            .protected_memory = true,
            .posted = true,
        };
        c->iommu.invalidation_timeout_ps = 60 * PS_PER_S;
        break;
    case MACHINE_VIRTIO_IOMMU:
        c->viommu.features = (struct viommu_features){
            .address_bits = 48,
            .domains = VIOMMU_DOMAINS_MAX,
            .mappings = 1u << 20,
            .large_pages = true,
            .bypass = true,
            .bypass_config = true,
        };
        break;
    case MACHINE_VIRTIO_RNG:
    case MACHINE_VIRTIO_CONSOLE:
    case MACHINE_VIRTIO_NET:
    case MACHINE_SHELL:
    case MACHINE_KIND_COUNT: break;
    }
}

struct machine_component *machine_desc_add(struct machine_desc *desc, enum machine_kind kind,
                                           const char *name)
{
    g_assert(kind < MACHINE_KIND_COUNT);
    g_assert(machine_desc_find(desc, name) < 0);

    desc->components = g_renew(struct machine_component, desc->components, desc->count + 1);
    struct machine_component *c = &desc->components[desc->count++];
    memset(c, 0, sizeof(*c));
    c->kind = kind;
    c->name = g_strdup(name);
    component_set_defaults(c);
    return c;
}

static bool device_is_free(const struct machine_desc *desc, int bridge, unsigned device)
{
    for (unsigned i = 0; i < desc->count; i++) {
        const struct machine_component *c = &desc->components[i];
        if (c->parent == bridge && c->device == device && c->kind != MACHINE_IOMMU) {
            return false;
        }
    }
    return desc->components[bridge].bridge.event_collector != device;
}

struct machine_component *machine_desc_add_integrated(struct machine_desc *desc,
                                                      enum machine_kind kind, const char *name)
{
    int bridge = -1;

    for (unsigned i = desc->count; i-- > 0;) {
        bridge = desc->components[i].kind == MACHINE_HOST_BRIDGE ? (int)i : bridge;
    }
    g_assert(bridge >= 0);
    for (unsigned device = 31; device >= 1; device--) {
        if (device_is_free(desc, bridge, device)) {
            struct machine_component *c = machine_desc_add(desc, kind, name);
            c->parent = bridge;
            c->integrated = true;
            c->collected = desc->components[bridge].bridge.event_collector;
            c->device = (uint8_t)device;
            return c;
        }
    }
    return NULL;
}

bool machine_kind_has_disk(enum machine_kind kind)
{
    return kind == MACHINE_NVME || kind == MACHINE_VIRTIO_BLK;
}

int machine_desc_find(const struct machine_desc *desc, const char *name)
{
    for (unsigned i = 0; i < desc->count; i++) {
        if (strcmp(desc->components[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}
