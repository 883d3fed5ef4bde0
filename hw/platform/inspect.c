/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine tells of itself: IOMMUs and links. Functions are in inspect_function.c. */
#include "pcilab/platform/inspect.h"

#include "board.h"
#include "pcilab/fabric/link.h"
#include "pcilab/iommu/core/inspect.h"
#include "pcilab/switch/switch.h"

void machine_inspect_iommus(struct machine *machine, const struct inspect *in)
{
    inspect_list(in, "iommus");
    for (unsigned i = 0; i < machine->iommu_count; i++) {
        struct board_iommu *unit = &machine->iommu[i];

        inspect_object(in, NULL);
        inspect_text(in, "face", "vtd");
        inspect_number(in, "segment", unit->segment);
        inspect_hex(in, "at", unit->base);
        vtd_inspect(unit->vtd, in);
        inspect_object_end(in);
    }
    for (unsigned i = 0; i < machine->viommu_count; i++) {
        inspect_object(in, NULL);
        inspect_text(in, "face", "virtio");
        inspect_number(in, "segment", machine->viommu[i]->segment);
        viommu_inspect(machine->viommu[i]->viommu, in);
        inspect_object_end(in);
    }
    inspect_list_end(in);
}

static struct viommu *viommu_of(const struct machine *machine, uint16_t segment, uint16_t sid)
{
    for (unsigned i = 0; i < machine->viommu_count; i++) {
        if (machine->viommu[i]->segment == segment && machine->viommu[i]->sid != sid)
            return machine->viommu[i]->viommu;
    }
    return NULL;
}

/* The host bridge whose buses hold the requester. */
static const struct board_bridge *bridge_of(const struct machine *machine, uint16_t segment,
                                            unsigned bus)
{
    for (unsigned i = 0; i < machine->bridge_count; i++) {
        const struct board_bridge *bridge = &machine->bridge[i];

        if (bridge->map.segment == segment && bus >= bridge->map.bus_first &&
            bus <= bridge->map.bus_last)
            return bridge;
    }
    return NULL;
}

bool machine_inspect_walk(struct machine *machine, const struct inspect *in,
                          const struct machine_access *access, GError **error)
{
    const struct board_bridge *bridge = bridge_of(machine, access->segment, access->requester >> 8);
    const struct iommu_access asked = {
        .addr = access->addr,
        .sid = access->requester,
        .has_pasid = access->has_pasid,
        .pasid = access->pasid,
        .want = access->write ? PT_PERM_WRITE : PT_PERM_READ,
    };
    struct board_iommu *unit = bridge ? board_iommu_of(bridge, access->requester) : NULL;

    if (!unit && bridge && viommu_of(machine, access->segment, access->requester)) {
        iommu_inspect_walk(viommu_core(viommu_of(machine, access->segment, access->requester)), in,
                           &asked);
        return true;
    }
    if (!unit) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                    bridge ? "no IOMMU translates for it" : "no host bridge has this bus");
        return false;
    }
    vtd_inspect_walk(unit->vtd, in, &asked);
    return true;
}

/* Links, by the component at their lower end. */

static const char *speed_words(unsigned speed)
{
    static const char *const words[] = {"none",   "2.5 GT/s", "5 GT/s",
                                        "8 GT/s", "16 GT/s",  "32 GT/s"};

    return speed < G_N_ELEMENTS(words) ? words[speed] : "?";
}

/* What went into the link at one end. */
static void inspect_sent(const struct inspect *in, const struct port *sender, bool down)
{
    struct link_counters counters;

    inspect_number(in, down ? "tlps-down" : "tlps-up", sender->sent.tlps);
    inspect_number(in, down ? "bytes-down" : "bytes-up", sender->sent.payload_bytes);
    if (!port_link_counters(sender, &counters))
        return;
    inspect_number(in, down ? "replays-down" : "replays-up", counters.replays);
    inspect_number(in, down ? "bad-down" : "bad-up", counters.bad_tlps);
}

static void inspect_link(const struct inspect *in, const struct board_part *part)
{
    struct link_status status;

    port_link_status(part->above, &status);
    inspect_object(in, NULL);
    inspect_text(in, "below", "%s", part->name);
    inspect_text(in, "above", "%s", part->above->name);
    inspect_text(in, "is", "%s",
                 !status.present    ? "empty"
                 : !status.powered  ? "without power"
                 : status.disabled  ? "disabled"
                 : status.hot_reset ? "in hot reset"
                 : status.training  ? "training"
                 : status.up        ? "up"
                                    : "down");
    inspect_text(in, "speed", "%s", speed_words(status.speed));
    inspect_text(in, "width", "x%u", status.width);
    inspect_text(in, "timing", "%s", part->above->tx ? "link" : "functional");
    inspect_sent(in, part->above, true);
    if (part->above->peer) /* while it is up */
        inspect_sent(in, part->above->peer, false);
    inspect_object_end(in);
}

void machine_inspect_links(struct machine *machine, const struct inspect *in)
{
    inspect_list(in, "links");
    for (unsigned i = 0; i < machine->part_count; i++) {
        if (machine->part[i].link && machine->part[i].above)
            inspect_link(in, &machine->part[i]);
    }
    inspect_list_end(in);
}
