/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IOMMUs by their face: which keys mean something, and what goes together. */
#include "parser.h"

static const char *const vtd_keys[] = {
    "scalable",   "first-stage",    "second-stage",
    "nested",     "pass-through",   "interrupt-remapping",
    "x2apic",     "snoop",          "caching-mode",
    "coherent",   "latency",        "scope",
    "ats-ports",  "ats-integrated", "ats-required",
    "device-tlb", "page-requests",  "invalidation-timeout",
};

static const char *const virtio_keys[] = {"bypass",   "bypass-config", "domains",
                                          "mappings", "packed",        "device"};

static bool refuse_keys(struct topo_parser *parser, const struct topo_item *item,
                        const char *const *keys, unsigned count, const char *face, GError **error)
{
    for (unsigned i = 0; i < count; i++) {
        if (topo_item_has(item, keys[i])) {
            item_fail(parser, item, keys[i], error, "only an IOMMU with face=%s has it", face);
            return false;
        }
    }
    return true;
}

bool topo_check_face(struct topo_parser *parser, struct topo_item *item, GError **error)
{
    if (item->kind != TOPO_IOMMU) {
        return true;
    }
    for (unsigned i = 0; parser->items->pdata[i] != item; i++) {
        const struct topo_item *other = parser->items->pdata[i];
        if (other->kind == TOPO_IOMMU && other->v.face != item->v.face) {
            item_fail(parser, item, "face", error, "%s (line %u) has another face", other->name,
                      other->group->line);
            return false;
        }
        if (other->kind == TOPO_IOMMU && item->v.face == TOPO_FACE_VIRTIO &&
            other->parent->v.segment == item->parent->v.segment) {
            item_fail(parser, item, "bridge", error, "segment %u has its IOMMU, %s (line %u)",
                      (unsigned)item->parent->v.segment, other->name, other->group->line);
            return false;
        }
    }
    item->integrated = item->v.face == TOPO_FACE_VIRTIO;
    if (item->integrated) {
        return refuse_keys(parser, item, vtd_keys, G_N_ELEMENTS(vtd_keys), "vtd", error);
    }
    return refuse_keys(parser, item, virtio_keys, G_N_ELEMENTS(virtio_keys), "virtio", error);
}
