/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-iommus in the machine: what is under the queues of the function, which root complexes ask
 * it, and the VIOT that tells the guest of both.
 */
#include "viommu.h"

#include "board.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/endpoint/virtio_devices.h"
#include "wiring.h"

/* The face and its function. */

static uint32_t device_request(void *opaque, const uint8_t *in, uint32_t in_len, uint8_t *out,
                               uint32_t out_len)
{
    struct board_viommu *unit = opaque;

    return viommu_request(unit->viommu, in, in_len, out, out_len);
}

static void device_driver_ok(void *opaque, uint64_t features)
{
    struct board_viommu *unit = opaque;

    viommu_negotiated(unit->viommu, features);
}

static void device_reset(void *opaque)
{
    struct board_viommu *unit = opaque;

    viommu_reset(unit->viommu);
}

static void update_config(struct board_viommu *unit)
{
    uint8_t config[VIOMMU_CONFIG_BYTES];

    viommu_get_config(unit->viommu, config);
    virtio_iommu_set_config(unit->device, config);
}

static void device_config_written(void *opaque, unsigned offset, const uint8_t *data, unsigned len)
{
    struct board_viommu *unit = opaque;

    if (viommu_config_written(unit->viommu, offset, data, len))
        update_config(unit);
}

static const struct virtio_iommu_ops device_ops = {
    .request = device_request,
    .driver_ok = device_driver_ok,
    .reset = device_reset,
    .config_written = device_config_written,
};

static bool face_event(void *opaque, const uint8_t event[VIOMMU_EVENT_BYTES])
{
    struct board_viommu *unit = opaque;

    return virtio_iommu_event(unit->device, event);
}

/* Requests from below. */

struct answer {
    struct iommu_request request;
    bool ok;
};

static void answered(struct iommu_request *request, enum iommu_status status)
{
    struct answer *answer = request->opaque;

    answer->ok = status == IOMMU_TRANSLATED_OK;
}

static void translate(void *opaque, struct root_complex *rc, struct tlp *tlp)
{
    struct board_viommu *unit = opaque;
    struct answer answer = {.request = {.access = board_iommu_access(tlp), .done = answered}};

    answer.request.opaque = &answer;
    viommu_submit(unit->viommu, &answer.request);
    if (answer.ok && !answer.request.access.interrupt)
        tlp->addr = answer.request.addr;
    root_translated(rc, tlp, answer.ok);
}

static bool translate_burst(void *opaque, struct tlp *tlp)
{
    struct board_viommu *unit = opaque;
    struct iommu_request request = {.access = board_iommu_access(tlp)};

    if (request.access.sid == unit->sid)
        return true;
    if (!iommu_submit_hits(viommu_core(unit->viommu), &request, tlp_count(tlp)))
        return false;
    tlp->addr = request.addr;
    return true;
}

/* In the machine. */

bool wire_viommu(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct machine *machine = w->machine;
    const struct map_bridge *map = &wiring_bridge(w, c)->map;
    struct board_viommu *unit = g_new0(struct board_viommu, 1);
    uint8_t config[VIOMMU_CONFIG_BYTES];

    unit->segment = map->segment;
    unit->sid = (uint16_t)(map->bus_first << 8 | c->device << 3);
    unit->viommu = viommu_new(&(struct viommu_params){
        .name = c->name,
        .sim = &machine->sim,
        .trace = &machine->trace,
        .features = c->viommu.features,
        .own_sid = unit->sid,
        .msi_first = MAP_MSI_BASE,
        .msi_last = MAP_MSI_BASE + MAP_MSI_SIZE - 1,
        .event = face_event,
        .opaque = unit,
        .find_stale = c->viommu.find_stale,
    });
    viommu_get_config(unit->viommu, config);
    unit->device = virtio_iommu_new(machine->fabric, &(struct virtio_iommu_params){
                                                         .name = c->name,
                                                         .features = viommu_offered(unit->viommu),
                                                         .request_bytes = VIOMMU_REQUEST_BYTES,
                                                         .answer_bytes = VIOMMU_ANSWER_BYTES,
                                                         .event_bytes = VIOMMU_EVENT_BYTES,
                                                         .config = config,
                                                         .config_bytes = sizeof(config),
                                                         .ops = &device_ops,
                                                         .opaque = unit,
                                                         .packed = c->virtio.packed,
                                                         .pcie = wiring_endpoint_params(c),
                                                     });
    wiring_part(w, c)->object = unit;
    root_integrate(wiring_bridge(w, c)->rc, endpoint_port(virtio_iommu_endpoint(unit->device)),
                   c->device);
    machine->viommu[machine->viommu_count++] = unit;
    for (unsigned i = 0; i + 1 < machine->viommu_count; i++) {
        if (machine->viommu[i]->segment == unit->segment) {
            g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT, "%s: segment %u has an IOMMU",
                        c->name, unit->segment);
            return false;
        }
    }
    return true;
}

void board_viommu_connect(struct machine *machine)
{
    for (unsigned i = 0; i < machine->bridge_count; i++) {
        struct board_bridge *bridge = &machine->bridge[i];

        for (unsigned j = 0; j < machine->viommu_count; j++) {
            const struct root_translator translator = {.translate = translate,
                                                       .translate_burst = translate_burst,
                                                       .opaque = machine->viommu[j]};

            if (machine->viommu[j]->segment == bridge->map.segment)
                root_complex_set_translator(bridge->rc, &translator);
        }
    }
}

void board_viommu_reset(void *object)
{
    struct board_viommu *unit = object;

    endpoint_reset(virtio_iommu_endpoint(unit->device));
    viommu_power_on(unit->viommu);
    update_config(unit);
}

void board_viommu_free(void *object)
{
    struct board_viommu *unit = object;

    endpoint_free(virtio_iommu_endpoint(unit->device));
    viommu_free(unit->viommu);
    g_free(unit);
}

/* VIOT, ACPI 6.5, 5.2.33. */

enum { VIOT_PCI_RANGE = 1, VIOT_VIRTIO_PCI = 3 };

#define SDT_HEADER       36
#define VIOT_NODE_OFFSET 48 /* of the first node, from the table's beginning */
#define VIOT_HEAD_BYTES  (VIOT_NODE_OFFSET - SDT_HEADER)
#define VIOT_RANGE_BYTES 24
#define VIOT_PCI_BYTES   16
#define RID_LAST         0xffffu

static uint16_t put_node(GByteArray *out, uint8_t type, const uint8_t *node, unsigned len)
{
    uint16_t offset = (uint16_t)(SDT_HEADER + out->len);
    uint8_t head[4] = {type};

    le16_store(head + 2, (uint16_t)len);
    g_byte_array_append(out, head, sizeof(head));
    g_byte_array_append(out, node + sizeof(head), len - (unsigned)sizeof(head));
    return offset;
}

/* The endpoint's ID is its requester ID, whatever its bus. */
static void put_range(GByteArray *out, const struct board_viommu *unit, uint16_t at, unsigned first,
                      unsigned last)
{
    uint8_t node[VIOT_RANGE_BYTES] = {0};

    le32_store(node + 4, first);
    le16_store(node + 8, unit->segment);
    le16_store(node + 10, unit->segment);
    le16_store(node + 12, (uint16_t)first);
    le16_store(node + 14, (uint16_t)last);
    le16_store(node + 16, at);
    put_node(out, VIOT_PCI_RANGE, node, sizeof(node));
}

bool board_viommu_describe(const struct machine *machine, GByteArray *out)
{
    uint8_t head[VIOT_HEAD_BYTES] = {0};

    if (!machine->viommu_count)
        return false;
    le16_store(head, (uint16_t)(machine->viommu_count * 3)); /* nodes */
    le16_store(head + 2, VIOT_NODE_OFFSET);
    g_byte_array_append(out, head, sizeof(head));
    for (unsigned i = 0; i < machine->viommu_count; i++) {
        const struct board_viommu *unit = machine->viommu[i];
        uint8_t node[VIOT_PCI_BYTES] = {0};
        uint16_t at;

        le16_store(node + 4, unit->segment);
        le16_store(node + 6, unit->sid);
        at = put_node(out, VIOT_VIRTIO_PCI, node, sizeof(node));
        /* All but itself; its device number is not 0 and not the last of all buses. */
        put_range(out, unit, at, 0, unit->sid - 1u);
        put_range(out, unit, at, unit->sid + 1u, RID_LAST);
    }
    return true;
}
