/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device scopes: what a unit serves, as DMAR says it and as requester IDs show it
 * (VT-d 4.1, 8.3.1).
 */
#ifndef PCILAB_HW_PLATFORM_IOMMU_SCOPE_H
#define PCILAB_HW_PLATFORM_IOMMU_SCOPE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct board_bridge;
struct machine;
struct machine_component;
struct machine_desc;
struct pci_func;

enum board_scope_type { SCOPE_ENDPOINT = 1, SCOPE_BRIDGE = 2, SCOPE_IOAPIC = 3 };

struct board_scope {
    uint8_t type;             /* enum board_scope_type */
    uint16_t segment;         /* everything else is unused for the IOAPIC */
    uint8_t bus;              /* the root bus */
    uint8_t *path;            /* owned: device << 3 | function, from the root bus down */
    unsigned depth;           /* of the path */
    unsigned functions;       /* from 0 on, that are in the scope; a bridge is one */
    struct pci_func *nearest; /* a bridge: itself; an endpoint: the port above; NULL: root bus */
};

struct board_scopes {
    struct board_scope *list;
    unsigned count;
};

/* Adds a component by its name in the description (MACHINE_SCOPE_IOAPIC: the IOAPIC), whose parts
 * have been wired. False: no such thing can be in a scope. */
bool board_scopes_add(struct board_scopes *scopes, struct machine *machine,
                      const struct machine_desc *desc, const char *name);
void board_scopes_clear(struct board_scopes *scopes);
bool board_scopes_have_ioapic(const struct board_scopes *scopes);
/* Is this requester in one of them, by the bus numbers that the bridges have now? */
bool board_scopes_match(const struct board_scopes *scopes, uint16_t segment, uint16_t sid);
/* As device scope structures. */
void board_scopes_describe(const struct board_scopes *scopes, GByteArray *out);

#endif
