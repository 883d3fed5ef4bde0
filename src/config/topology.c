/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topology files -> struct machine_desc, in five steps: index the lines, know the groups and their
 * keys, read the values, place everything, write the description.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "parser.h"
#include "pcilab/base/bits.h"
#include "pcilab/config/topology.h"
#include "pcilab/config/units.h"
#include "power_keys.h"

#define NAME_MAX_LEN 31

static void item_free(void *data)
{
    struct topo_item *item = data;

    topo_values_clear(&item->v);
    g_free(item);
}

bool topo_item_has(const struct topo_item *item, const char *key)
{
    return topo_lines_of_key(item->group, key) != item->group->line;
}

struct topo_item *topo_find(const struct topo_parser *parser, const char *name)
{
    for (unsigned i = 0; i < parser->items->len; i++) {
        struct topo_item *item = parser->items->pdata[i];
        if (strcmp(item->name, name) == 0) {
            return item;
        }
    }
    return NULL;
}

static bool find_kind(struct topo_parser *parser, const struct topo_group_line *group,
                      enum topo_kind *kind, GError **error)
{
    const char *names[TOPO_KIND_COUNT];

    for (unsigned i = 0; i < TOPO_KIND_COUNT; i++) {
        names[i] = topo_kinds[i].name;
        if (strcmp(group->kind, names[i]) == 0) {
            *kind = i;
            return true;
        }
    }
    const char *near = units_nearest(group->kind, names, TOPO_KIND_COUNT);
    GString *all = g_string_new(NULL);
    for (unsigned i = 0; i < TOPO_KIND_COUNT; i++) {
        g_string_append_printf(all, "%s%s", i ? ", " : "", names[i]);
    }
    topo_fail(error, parser->lines.file, group->line, group->text, NULL,
              "there is no component \"%s\"%s%s%s; there are: %s", group->kind,
              near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "", all->str);
    g_string_free(all, TRUE);
    return false;
}

static bool name_is_good(const char *name)
{
    if (!g_ascii_isalpha(name[0]) || strlen(name) > NAME_MAX_LEN) {
        return false;
    }
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
           strlen(name);
}

static bool check_name(struct topo_parser *parser, struct topo_item *item, GError **error)
{
    const struct topo_group_line *group = item->group;
    const char *kind = topo_kinds[item->kind].name;

    if (!topo_kinds[item->kind].named) {
        if (*item->name) {
            item_fail(parser, item, NULL, error, "this group has no name: write [%s]", kind);
            return false;
        }
        return true;
    }
    if (!*item->name) {
        item_fail(parser, item, NULL, error, "a name is missing: write [%s NAME]", kind);
        return false;
    }
    /* The names of switch ports are checked when the switches are known. */
    if (item->kind != TOPO_SWITCH_PORT && !name_is_good(item->name)) {
        item_fail(parser, item, NULL, error,
                  "\"%s\" cannot be a name: a letter, then letters, digits, - and _, at most %u",
                  item->name, NAME_MAX_LEN);
        return false;
    }
    struct topo_item *other = topo_find(parser, item->name);
    /* [switch-port sw0] lacks its number; that is said when it is placed. */
    if (other && (item->kind != TOPO_SWITCH_PORT || other->kind == TOPO_SWITCH_PORT)) {
        topo_fail(error, parser->lines.file, group->line, group->text, NULL,
                  "the name %s is already that of the %s in line %u", item->name,
                  topo_kinds[other->kind].name, other->group->line);
        return false;
    }
    return true;
}

static bool check_keys(struct topo_parser *parser, const struct topo_item *item, GError **error)
{
    for (unsigned i = 0; i < item->group->keys->len; i++) {
        const struct topo_key_line *line =
            &g_array_index(item->group->keys, struct topo_key_line, i);
        if (topo_key_find(item->kind, line->name)) {
            continue;
        }
        const char **names = g_new0(const char *, topo_key_count);
        unsigned count = 0;
        for (unsigned k = 0; k < topo_key_count; k++) {
            if (topo_keys[k].kinds & BIT(item->kind)) {
                names[count++] = topo_keys[k].name;
            }
        }
        const char *near = units_nearest(line->name, names, count);
        GString *all = g_string_new(NULL);
        for (unsigned k = 0; k < count; k++) {
            g_string_append_printf(all, "%s%s", k ? ", " : "", names[k]);
        }
        topo_fail(error, parser->lines.file, line->line, item->group->text, line->name,
                  "unknown key%s%s%s; a %s group has: %s", near ? "; did you mean \"" : "",
                  near ? near : "", near ? "\"?" : "", item->group->kind, all->str);
        g_string_free(all, TRUE);
        g_free(names);
        return false;
    }
    return true;
}

/* The groups as items, with defaults; everything that can be said without values. */
static bool make_items(struct topo_parser *parser, GError **error)
{
    for (unsigned i = 0; i < parser->lines.groups->len; i++) {
        const struct topo_group_line *group =
            &g_array_index(parser->lines.groups, struct topo_group_line, i);
        struct topo_item *item = g_new0(struct topo_item, 1);
        item->group = group;
        item->name = group->name;
        if (!find_kind(parser, group, &item->kind, error) || !check_name(parser, item, error) ||
            !check_keys(parser, item, error)) {
            item_free(item);
            return false;
        }
        topo_values_init(&item->v, item->kind);
        g_ptr_array_add(parser->items, item);
    }
    return true;
}

static bool read_value(struct topo_parser *parser, struct topo_item *item,
                       const struct topo_key *key, const char *raw, GError **error)
{
    char *text = g_strstrip(g_strdup(raw));
    bool ok = key->type->parse(key, text, &item->v);

    if (!ok) {
        GString *allowed = g_string_new(NULL);
        key->type->allowed(key, allowed);
        const char *hash = strchr(text, '#') ? " (a comment stands in a line of its own)" : "";
        item_fail(parser, item, key->name, error, "%s%s%s is not allowed; it is %s%s",
                  *text ? "\"" : "an empty value", text, *text ? "\"" : "", allowed->str, hash);
        g_string_free(allowed, TRUE);
    }
    g_free(text);
    return ok;
}

static bool read_item(struct topo_parser *parser, GKeyFile *file, struct topo_item *item,
                      GError **error)
{
    for (unsigned i = 0; i < topo_key_count; i++) {
        const struct topo_key *key = &topo_keys[i];
        if (!(key->kinds & BIT(item->kind))) {
            continue;
        }
        char *raw = g_key_file_get_value(file, item->group->text, key->name, NULL);
        if (raw) {
            bool ok = read_value(parser, item, key, raw, error);
            g_free(raw);
            if (!ok) {
                return false;
            }
        } else if (!key->initial && !key->otherwise) {
            GString *allowed = g_string_new(NULL);
            key->type->allowed(key, allowed);
            topo_fail(error, parser->lines.file, item->group->line, item->group->text, key->name,
                      "is missing; it is %s", allowed->str);
            g_string_free(allowed, TRUE);
            return false;
        }
    }
    return true;
}

static bool read_values(struct topo_parser *parser, const char *text, size_t len, GError **error)
{
    GKeyFile *file = g_key_file_new();
    GError *inner = NULL;
    bool ok = true;

    if (len && !g_key_file_load_from_data(file, text, len, G_KEY_FILE_NONE, &inner)) {
        topo_fail(error, parser->lines.file, 0, NULL, NULL, "%s", inner->message);
        g_error_free(inner);
        ok = false;
    }
    for (unsigned i = 0; ok && i < parser->items->len; i++) {
        ok = read_item(parser, file, parser->items->pdata[i], error);
    }
    g_key_file_free(file);
    return ok;
}

/* A file without any host bridge has one. */
static bool imply_bridge(struct topo_parser *parser, GError **error)
{
    for (unsigned i = 0; i < parser->items->len; i++) {
        struct topo_item *item = parser->items->pdata[i];
        if (item->kind == TOPO_HOST_BRIDGE) {
            return true;
        }
    }
    struct topo_item *other = topo_find(parser, "hb0");
    if (other) {
        item_fail(parser, other, NULL, error,
                  "hb0 is the name of the host bridge that a file without [host-bridge] has; "
                  "choose another");
        return false;
    }
    parser->implied =
        (struct topo_group_line){.text = "host-bridge hb0",
                                 .kind = "host-bridge",
                                 .name = "hb0",
                                 .keys = g_array_new(FALSE, FALSE, sizeof(struct topo_key_line))};
    struct topo_item *item = g_new0(struct topo_item, 1);
    item->kind = TOPO_HOST_BRIDGE;
    item->group = &parser->implied;
    item->name = parser->implied.name;
    topo_values_init(&item->v, item->kind);
    g_ptr_array_insert(parser->items, 0, item);
    return true;
}

static struct machine_port_desc port_desc(const struct topo_values *v, uint64_t slot)
{
    struct machine_port_desc port = {.speed = (uint8_t)v->speed,
                                     .width = (uint8_t)v->width,
                                     .power = topo_power(v),
                                     .slot = slot != 0,
                                     .slot_number = (uint16_t)slot,
                                     .ari = v->ari,
                                     .msi = v->msi,
                                     .no_atomics = !v->atomics,
                                     .no_prefixes = !v->prefixes,
                                     .acs_basic = !v->acs_enhanced,
                                     .dpc = v->dpc,
                                     .readiness = v->readiness,
                                     .dpc_busy_ps = v->dpc_busy_us * PS_PER_US,
                                     .hotplug = (enum pcie_hotplug)v->hotplug};

    memcpy(port.rx, v->buffers, sizeof(port.rx));
    return port;
}

static enum machine_timing timing_of(const struct topo_values *v)
{
    if (!v->timing)
        return MACHINE_TIMING_DEFAULT;
    return v->timing == TOPO_TIMING_LINK ? MACHINE_TIMING_LINK : MACHINE_TIMING_FUNCTIONAL;
}

static struct machine_link_desc link_desc(const struct topo_values *v)
{
    struct machine_link_desc link = {
        .timing = timing_of(v),
        .propagation_ps = v->propagation_ns * PS_PER_NS,
        .training_ps = v->training_ms * PS_PER_MS,
        .bit_error_rate = v->bit_error_rate,
        .fault_count = v->faults.count,
    };

    for (unsigned i = 0; i < v->faults.count; i++) {
        link.faults[i].up = v->faults.list[i].up;
        link.faults[i].fault = v->faults.list[i].fault;
    }
    return link;
}

static void write_switch(struct machine_component *c, const struct topo_item *item)
{
    c->port = port_desc(&item->v, 0);
    c->sw.down_count = (unsigned)item->v.downstream;
    for (unsigned i = 0; i < c->sw.down_count; i++) {
        const struct topo_item *own = item->port[i];
        struct topo_values v = item->v;
        v.speed = own && own->v.speed ? own->v.speed : item->v.downstream_speed;
        v.width = own && own->v.width ? own->v.width : item->v.downstream_width;
        v.ari = own && topo_item_has(own, "ari") ? own->v.ari : item->v.ari;
        v.msi = own && topo_item_has(own, "msi") ? own->v.msi : item->v.msi;
        v.acs = own && topo_item_has(own, "acs") ? own->v.acs : item->v.acs;
        v.dpc = own && topo_item_has(own, "dpc") ? own->v.dpc : item->v.dpc;
        v.hotplug = own && topo_item_has(own, "hotplug") ? own->v.hotplug : item->v.hotplug;
        if (own && topo_item_has(own, "buffers"))
            memcpy(v.buffers, own->v.buffers, sizeof(v.buffers));
        c->sw.down[i] = port_desc(&v, item->port_slot[i]);
        c->sw.down[i].no_acs = !v.acs;
    }
}

static void write_net(struct machine_component *c, const struct topo_values *v)
{
    c->virtio.packed = v->packed;
    c->net.mac_given = v->mac != TOPO_AUTO;
    for (unsigned i = 0; i < sizeof(c->net.mac); i++) {
        c->net.mac[i] = (uint8_t)(v->mac >> (40 - 8 * i));
    }
    c->net.forward = g_strdup(v->forward);
    c->net.restricted = v->restricted;
    c->net.wire = g_strdup(v->wire);
    c->igb.vfs = (unsigned)v->vfs;
}

static void write_iommu(struct machine_component *c, const struct topo_values *v)
{
    c->iommu.vtd = (struct vtd_features){
        .address_bits = (uint8_t)v->address_bits,
        .scalable = v->scalable,
        .first_stage = v->first_stage,
        .second_stage = v->second_stage,
        .nested = v->nested,
        .pass_through = v->pass_through,
        .interrupt_remapping = v->intr_remapping,
        .x2apic = v->x2apic,
        .snoop = v->snoop,
        .large_pages = v->large_pages,
        .coherent = v->coherent,
        .device_tlb = v->device_tlb,
        .page_requests = v->page_requests,
        .protected_memory = v->protected_memory,
        .posted = v->posted,
        .caching = v->caching_mode,
    };
    c->iommu.read_latency_ps = v->latency_ns * PS_PER_NS;
    c->iommu.find_stale = v->strict;
    c->iommu.invalidation_timeout_ps = v->device_tlb_us * PS_PER_US;
    c->iommu.scope = topo_names(v->scope);
    c->iommu.ats_all = g_strcmp0(v->ats_ports, "all") == 0;
    c->iommu.ats_ports = c->iommu.ats_all ? NULL : topo_names(v->ats_ports);
    c->iommu.ats_integrated = topo_names(v->ats_integrated);
    c->iommu.ats_required = v->ats_required;
}

static void write_viommu(struct machine_component *c, const struct topo_values *v)
{
    c->viommu.features = (struct viommu_features){
        .address_bits = (uint8_t)v->address_bits,
        .domains = (uint32_t)v->domains,
        .mappings = (uint32_t)v->mappings,
        .large_pages = v->large_pages,
        .bypass = v->bypass,
        .bypass_config = v->bypass_config,
    };
    c->viommu.find_stale = v->strict;
    c->virtio.packed = v->packed;
}

static enum machine_kind kind_of(const struct topo_item *item)
{
    static const enum machine_kind kinds[TOPO_KIND_COUNT] = {
        [TOPO_SHELL] = MACHINE_SHELL,
        [TOPO_IOMMU] = MACHINE_IOMMU,
        [TOPO_HOST_BRIDGE] = MACHINE_HOST_BRIDGE,
        [TOPO_ROOT_PORT] = MACHINE_ROOT_PORT,
        [TOPO_SWITCH] = MACHINE_SWITCH,
        [TOPO_NVME] = MACHINE_NVME,
        [TOPO_EXERCISER] = MACHINE_EXERCISER,
        [TOPO_VIRTIO_RNG] = MACHINE_VIRTIO_RNG,
        [TOPO_VIRTIO_BLK] = MACHINE_VIRTIO_BLK,
        [TOPO_VIRTIO_CONSOLE] = MACHINE_VIRTIO_CONSOLE,
        [TOPO_VIRTIO_9P] = MACHINE_VIRTIO_9P,
        [TOPO_VIRTIO_NET] = MACHINE_VIRTIO_NET,
        [TOPO_IGB] = MACHINE_IGB,
        [TOPO_DSA] = MACHINE_DSA,
    };

    if (item->kind == TOPO_IOMMU && item->v.face == TOPO_FACE_VIRTIO) {
        return MACHINE_VIRTIO_IOMMU;
    }
    return kinds[item->kind];
}

static void write_component(struct machine_desc *desc, struct topo_item *item)
{
    const struct topo_values *v = &item->v;
    struct machine_component *c = machine_desc_add(desc, kind_of(item), item->name);

    item->index = desc->count - 1;
    c->line = item->group->line;
    c->parent = item->parent ? (int)item->parent->index : -1;
    c->parent_port = item->parent_port;
    c->integrated = item->integrated;
    c->collected = item->integrated && item->bridge->v.event_collector;
    if (item->kind == TOPO_ROOT_PORT || item->integrated) {
        c->device = (uint8_t)v->device;
        c->function = (uint8_t)v->function;
    }
    c->port = port_desc(v, item->port_slot[0]);
    c->port.no_acs = (item->kind == TOPO_ROOT_PORT || item->kind == TOPO_EXERCISER) && !v->acs;
    c->link = link_desc(v);
    c->reserved_bytes = v->reserved_bytes;
    c->misbehave = v->misbehave;
    c->ats_options = v->ats_options;
    c->ats_options.entries = (unsigned)v->ats_cache;
    c->immediate_readiness = v->immediate_readiness;
    c->unplugged = item->kind != TOPO_ROOT_PORT && item->kind != TOPO_HOST_BRIDGE &&
                   item->kind != TOPO_SHELL && !v->plugged;
    switch (item->kind) {
    case TOPO_HOST_BRIDGE:
        c->bridge.segment = (uint16_t)v->segment;
        c->bridge.bus_first = (uint8_t)v->bus_first;
        c->bridge.bus_last = (uint8_t)v->bus_last;
        c->bridge.hidden = !v->visible;
        c->bridge.firmware_first = v->firmware_first;
        c->bridge.event_collector = (uint8_t)v->event_collector;
        c->bridge.io = topo_window(v->io);
        c->bridge.mem32 = topo_window(v->mem32);
        c->bridge.mem64 = topo_window(v->mem64);
        break;
    case TOPO_SWITCH: write_switch(c, item); break;
    case TOPO_NVME:
        c->nvme.size_bytes = v->size_bytes;
        c->nvme.queues = (unsigned)v->queues;
        c->nvme.namespaces = (unsigned)v->nvme.namespaces;
        c->nvme.namespace_bytes = v->nvme.namespace_bytes;
        c->nvme.block_bytes = (unsigned)v->nvme.block_bytes;
        c->nvme.vfs = (unsigned)v->vfs;
        c->nvme.vf_queues = (unsigned)v->nvme.vf_queues;
        c->nvme.memory_bytes = v->nvme.memory_bytes;
        c->nvme.shadow_doorbells = v->nvme.shadow_doorbells;
        c->nvme.ats = v->ats;
        if (v->serial) {
            g_free(c->nvme.serial);
            c->nvme.serial = g_strdup(v->serial);
        }
        break;
    case TOPO_IOMMU:
        if (c->kind == MACHINE_VIRTIO_IOMMU) {
            write_viommu(c, v);
        } else {
            write_iommu(c, v);
        }
        break;
    case TOPO_EXERCISER:
        c->exerciser.functions = (unsigned)v->functions;
        c->exerciser.msix_vectors = (unsigned)v->msix_vectors;
        c->exerciser.msi_vectors = (unsigned)v->msi_vectors;
        c->exerciser.mem_bytes = v->mem_bytes;
        c->exerciser.no_io = !v->exerciser_io;
        c->exerciser.ats = v->ats;
        c->exerciser.vfs = (unsigned)v->vfs;
        c->exerciser.vf_mem_bytes = v->vf_mem_bytes;
        break;
    case TOPO_VIRTIO_BLK:
        c->virtio.size_bytes = v->size_bytes;
        c->virtio.queues = (unsigned)v->queues;
        if (v->serial) {
            g_free(c->virtio.serial);
            c->virtio.serial = g_strdup(v->serial);
        }
        c->virtio.packed = v->packed;
        break;
    case TOPO_VIRTIO_9P:
        if (v->tag) {
            g_free(c->p9.tag);
            c->p9.tag = g_strdup(v->tag);
        }
        c->p9.path = g_strdup(v->path);
        c->p9.read_only = v->readonly;
        c->virtio.packed = v->packed;
        break;
    case TOPO_DSA:
        c->dsa.queues = (unsigned)v->queues;
        c->dsa.engines = (unsigned)v->engines;
        c->dsa.ats = v->ats;
        break;
    case TOPO_IGB:
    case TOPO_VIRTIO_NET: write_net(c, v); break;
    case TOPO_VIRTIO_RNG:
    case TOPO_VIRTIO_CONSOLE: c->virtio.packed = v->packed; break;
    default: break;
    }
}

/* Parents before children: by depth, and in the order of the file within one depth. */
static struct machine_desc *write_desc(const struct topo_parser *parser)
{
    struct machine_desc *desc = machine_desc_new();
    unsigned left = 0;

    for (unsigned i = 0; i < parser->items->len; i++) {
        const struct topo_item *item = parser->items->pdata[i];
        if (item->kind == TOPO_MACHINE) {
            desc->cpus = (unsigned)item->v.cpus;
            desc->memory_bytes = item->v.memory_bytes;
            desc->timing = timing_of(&item->v);
            desc->firmware_assigns = item->v.firmware_assigns;
            desc->apei = item->v.apei;
            desc->firmware_panics = item->v.firmware_panics;
        }
        left += item->kind != TOPO_MACHINE && item->kind != TOPO_SWITCH_PORT;
    }
    for (unsigned depth = 0; left; depth++) {
        for (unsigned i = 0; i < parser->items->len; i++) {
            struct topo_item *item = parser->items->pdata[i];
            if (item->kind != TOPO_MACHINE && item->kind != TOPO_SWITCH_PORT &&
                item->depth == depth) {
                write_component(desc, item);
                left--;
            }
        }
    }
    return desc;
}

bool topology_override(struct machine_desc *desc, const char *name, const char *text,
                       const char *what, GError **error)
{
    const struct topo_key *key = topo_key_find(TOPO_MACHINE, name);
    struct topo_values values;

    g_assert(key);
    topo_values_init(&values, TOPO_MACHINE);
    values.memory_bytes = desc->memory_bytes;
    values.cpus = desc->cpus;
    values.timing = desc->timing == MACHINE_TIMING_LINK ? TOPO_TIMING_LINK : TOPO_TIMING_FUNCTIONAL;
    if (!key->type->parse(key, text, &values)) {
        GString *allowed = g_string_new(NULL);
        key->type->allowed(key, allowed);
        g_set_error(error, topology_error_quark(), TOPOLOGY_ERROR_INPUT,
                    "%s: \"%s\" is not allowed; it is %s", what, text, allowed->str);
        g_string_free(allowed, TRUE);
        return false;
    }
    desc->memory_bytes = values.memory_bytes;
    desc->cpus = (unsigned)values.cpus;
    desc->timing = timing_of(&values);
    return true;
}

struct machine_desc *topology_parse(const char *file, const char *text, size_t len, GError **error)
{
    struct topo_parser parser = {0};
    struct machine_desc *desc = NULL;

    if (!topo_lines_index(&parser.lines, file, text, len, error)) {
        return NULL;
    }
    parser.items = g_ptr_array_new_with_free_func(item_free);
    if (make_items(&parser, error) && read_values(&parser, text, len, error) &&
        imply_bridge(&parser, error) && topo_place_all(&parser, error) &&
        topo_number_all(&parser, error)) {
        desc = write_desc(&parser);
        if (!topo_load_shells(&parser, desc, error)) {
            g_clear_pointer(&desc, machine_desc_free);
        }
    }
    g_ptr_array_unref(parser.items);
    g_clear_pointer(&parser.implied.keys, g_array_unref);
    topo_lines_clear(&parser.lines);
    return desc;
}

char *topo_read_file(const char *path, size_t *len, GError **error)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;

    if (file) {
        text = g_malloc(TOPO_FILE_BYTES_MAX + 1);
        *len = fread(text, 1, TOPO_FILE_BYTES_MAX + 1, file);
        int error_number = errno;
        if (ferror(file)) {
            g_clear_pointer(&text, g_free);
        }
        fclose(file);
        errno = error_number;
    }
    if (!text) {
        g_set_error(error, topology_error_quark(), TOPOLOGY_ERROR_FILE, "%s: cannot be read: %s",
                    path, g_strerror(errno));
    }
    return text;
}

struct machine_desc *topology_load(const char *path, GError **error)
{
    size_t len;
    char *text = topo_read_file(path, &len, error);
    struct machine_desc *desc = text ? topology_parse(path, text, len, error) : NULL;

    g_free(text);
    return desc;
}
