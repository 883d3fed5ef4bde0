/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which IOMMU has whom: lists of names in [iommu] groups, and memory reserved for endpoints. */
#include <string.h>

#include "parser.h"
#include "pcilab/base/bits.h"
#include "pcilab/config/units.h"

#define SEPARATORS " \t,"

static bool parse_names(const struct topo_key *key, const char *text, struct topo_values *values)
{
    char **to = (char **)(void *)((char *)values + key->offset);

    if (!text[strspn(text, SEPARATORS)]) {
        return false;
    }
    g_free(*to);
    *to = g_strdup(text);
    return true;
}

static void allowed_names(const struct topo_key *key, GString *out)
{
    g_string_append(out, "names of components, with spaces between them");
}

const struct topo_type topo_type_names = {parse_names, allowed_names};

char **topo_names(const char *text)
{
    GPtrArray *names;

    if (!text) {
        return NULL;
    }
    names = g_ptr_array_new();
    for (text += strspn(text, SEPARATORS); *text; text += strspn(text, SEPARATORS)) {
        size_t len = strcspn(text, SEPARATORS);

        g_ptr_array_add(names, g_strndup(text, len));
        text += len;
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

#define SCOPE_KINDS                                                                                \
    (BIT(TOPO_ROOT_PORT) | BIT(TOPO_SWITCH) | BIT(TOPO_NVME) | BIT(TOPO_EXERCISER) |               \
     BIT(TOPO_VIRTIO_RNG) | BIT(TOPO_VIRTIO_BLK) | BIT(TOPO_VIRTIO_CONSOLE) |                      \
     BIT(TOPO_VIRTIO_9P) | BIT(TOPO_VIRTIO_NET) | BIT(TOPO_IGB) | BIT(TOPO_DSA))

/* The component that a name of the list stands for: a switch for a port of its. */
static struct topo_item *find_member(struct topo_parser *parser, const struct topo_item *unit,
                                     const char *key, const char *name, GError **error)
{
    const char *dot = strchr(name, '.');
    char *bare = g_strndup(name, dot ? (gsize)(dot - name) : strlen(name));
    struct topo_item *item = topo_find(parser, bare);
    uint64_t port = 0;
    bool port_ok = !dot || (item && item->kind == TOPO_SWITCH && units_parse_uint(dot + 1, &port) &&
                            port < item->v.downstream);

    g_free(bare);
    if (!item || !port_ok) {
        item_fail(parser, unit, key, error, "there is no \"%s\"", name);
    } else if (!(SCOPE_KINDS & BIT(item->kind))) {
        item_fail(parser, unit, key, error, "%s is a %s; name ports, switches or endpoints", name,
                  topo_kinds[item->kind].name);
    } else if (item->bridge->v.segment != unit->parent->v.segment) {
        item_fail(parser, unit, key, error, "%s is on segment %u, the unit on segment %u", name,
                  (unsigned)item->bridge->v.segment, (unsigned)unit->parent->v.segment);
    } else {
        return item;
    }
    return NULL;
}

static bool check_list(struct topo_parser *parser, const struct topo_item *unit, const char *key,
                       const char *text, GError **error)
{
    char **names = topo_names(text);
    bool ok = true;

    for (unsigned i = 0; ok && names && names[i]; i++) {
        const struct topo_item *item;

        if (strcmp(key, "scope") == 0 && strcmp(names[i], MACHINE_SCOPE_IOAPIC) == 0) {
            continue;
        }
        item = find_member(parser, unit, key, names[i], error);
        if (item && strcmp(key, "ats-ports") == 0 && item->kind != TOPO_ROOT_PORT) {
            item_fail(parser, unit, key, error, "%s is no root port", names[i]);
            item = NULL;
        } else if (item && strcmp(key, "ats-integrated") == 0 && !item->integrated) {
            item_fail(parser, unit, key, error, "%s is no integrated endpoint", names[i]);
            item = NULL;
        }
        ok = item != NULL;
    }
    g_strfreev(names);
    return ok;
}

/* One name of `b` stands in the list `a` already. */
static char *common_name(const char *a, const char *b)
{
    char **ours = topo_names(a), **theirs = topo_names(b), *common = NULL;

    for (unsigned i = 0; ours && theirs && !common && theirs[i]; i++) {
        if (g_strv_contains((const char *const *)ours, theirs[i])) {
            common = g_strdup(theirs[i]);
        }
    }
    g_strfreev(ours);
    g_strfreev(theirs);
    return common;
}

static bool check_pair(struct topo_parser *parser, const struct topo_item *a,
                       const struct topo_item *b, GError **error)
{
    bool same_segment = a->parent->v.segment == b->parent->v.segment;
    char *common = common_name(a->v.scope, b->v.scope);

    if (common) {
        item_fail(parser, b, "scope", error, "%s is in the scope of %s (line %u) already", common,
                  a->name, a->group->line);
    } else if (same_segment && !a->v.scope && !b->v.scope) {
        item_fail(parser, b, "bridge", error,
                  "segment %u has its IOMMU, %s (line %u); give one of them a scope",
                  (unsigned)b->parent->v.segment, a->name, a->group->line);
    } else {
        return true;
    }
    g_free(common);
    return false;
}

static bool check_unit(struct topo_parser *parser, const struct topo_item *unit, unsigned index,
                       GError **error)
{
    for (unsigned i = 0; i < index; i++) {
        const struct topo_item *other = parser->items->pdata[i];

        if (other->kind == TOPO_IOMMU && !check_pair(parser, other, unit, error)) {
            return false;
        }
    }
    return check_list(parser, unit, "scope", unit->v.scope, error) &&
           (g_strcmp0(unit->v.ats_ports, "all") == 0 ||
            check_list(parser, unit, "ats-ports", unit->v.ats_ports, error)) &&
           check_list(parser, unit, "ats-integrated", unit->v.ats_integrated, error);
}

static bool check_reserved(struct topo_parser *parser, const struct topo_item *item, GError **error)
{
    for (unsigned i = 0; i < parser->items->len; i++) {
        const struct topo_item *unit = parser->items->pdata[i];

        if (unit->kind == TOPO_IOMMU && unit->v.face == TOPO_FACE_VTD &&
            unit->parent->v.segment == item->bridge->v.segment) {
            return true;
        }
    }
    item_fail(parser, item, "reserved-memory", error, "segment %u has no IOMMU with face=vtd",
              (unsigned)item->bridge->v.segment);
    return false;
}

bool topo_check_scopes(struct topo_parser *parser, GError **error)
{
    for (unsigned i = 0; i < parser->items->len; i++) {
        const struct topo_item *item = parser->items->pdata[i];

        if ((item->kind == TOPO_IOMMU && !check_unit(parser, item, i, error)) ||
            (item->v.reserved_bytes && !check_reserved(parser, item, error))) {
            return false;
        }
    }
    return true;
}
