/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The laboratory with a virtio-iommu: VIRTIO 1.3, 4.1 (over PCI), 2.7 (split queues). */
#include "lab_viommu.h"

#include <string.h>

#include "machine.h"
#include "pcilab/base/le.h"
#include "pcilab/platform/probe.h"

/* struct virtio_pci_cap, 4.1.4 */
enum { CAP_ID = 0, CAP_NEXT = 1, CAP_TYPE = 3, CAP_BAR = 4, CAP_OFFSET = 8, CAP_MULTIPLIER = 16 };
enum { TYPE_COMMON = 1, TYPE_NOTIFY = 2, TYPE_DEVICE = 4 };

/* struct virtio_pci_common_cfg, 4.1.4.3 */
enum {
    DEVICE_FEATURE_SELECT = 0x00,
    DEVICE_FEATURE = 0x04,
    DRIVER_FEATURE_SELECT = 0x08,
    DRIVER_FEATURE = 0x0c,
    DEVICE_STATUS = 0x14,
    QUEUE_SELECT = 0x16,
    QUEUE_SIZE = 0x18,
    QUEUE_ENABLE = 0x1c,
    QUEUE_NOTIFY_OFF = 0x1e,
    QUEUE_DESC = 0x20,
    QUEUE_DRIVER = 0x28,
    QUEUE_DEVICE = 0x30,
};

#define ENTRIES       16u
#define QUEUE(n)      (LAB_RAM + 0x1000u + (n)*0x3000u)
#define DESC(n)       (QUEUE(n) + 0x0000u)
#define AVAIL(n)      (QUEUE(n) + 0x1000u)
#define USED(n)       (QUEUE(n) + 0x2000u)
#define REQUEST_IN    (LAB_RAM + 0x10000u)
#define REQUEST_OUT   (LAB_RAM + 0x11000u)
#define EVENT_BUFFERS (LAB_RAM + 0x12000u)
#define EVENT_BYTES   24u

#define DESC_F_NEXT  1u
#define DESC_F_WRITE 2u

/* Its requester ID: it is on the root bus. */
static void place(struct vilab *v, unsigned index)
{
    const struct machine_component *c = &v->desc.components[index];

    v->own = (uint16_t)(v->desc.components[c->parent].bridge.bus_first << 8 | c->device << 3);
}

static bool taken(const struct machine_desc *desc, int bridge, unsigned device)
{
    if (desc->components[bridge].bridge.event_collector == device)
        return true;
    for (unsigned i = 0; i < desc->count; i++) {
        const struct machine_component *c = &desc->components[i];

        if (c->parent == bridge && (c->integrated || c->kind == MACHINE_ROOT_PORT) &&
            c->device == device)
            return true;
    }
    return false;
}

/* The unit, in the place of another one. False: there is none at all. */
static bool take_unit(struct vilab *v, const struct machine_desc *desc)
{
    struct machine_desc *fresh;
    struct machine_component *c;
    int other = -1;

    v->desc = *desc;
    v->desc.components =
        g_memdup2(desc->components, desc->count * sizeof(struct machine_component));
    for (unsigned i = 0; i < desc->count; i++) {
        if (desc->components[i].kind == MACHINE_VIRTIO_IOMMU) {
            place(v, i);
            return true;
        }
        if (desc->components[i].kind == MACHINE_IOMMU)
            other = (int)i;
    }
    if (other < 0)
        return false;
    fresh = machine_desc_new();
    c = &v->desc.components[other];
    c->kind = MACHINE_VIRTIO_IOMMU;
    c->viommu = machine_desc_add(fresh, MACHINE_VIRTIO_IOMMU, "unit")->viommu;
    c->device = 31;
    while (c->device > 1 && taken(desc, c->parent, c->device))
        c->device--;
    c->integrated = true;
    c->function = 0;
    machine_desc_free(fresh);
    place(v, (unsigned)other);
    return true;
}

uint32_t vilab_cfg(struct vilab *v, unsigned offset, unsigned len)
{
    uint32_t value = 0;

    conform_machine_config(v->lab->machine, false, 0, v->own, offset, len, &value);
    return value;
}

static uint64_t bar_address(struct vilab *v, unsigned bar)
{
    uint32_t low = bar < 6 ? vilab_cfg(v, 0x10 + 4 * bar, 4) : 1;
    uint64_t high = (low & 7) == 4 ? vilab_cfg(v, 0x14 + 4 * bar, 4) : 0;

    return low & 1 ? 0 : high << 32 | (low & ~0xfu);
}

static void find_structures(struct vilab *v)
{
    unsigned cap = vilab_cfg(v, 0x34, 1) & 0xfc;

    for (unsigned i = 0; cap && i < 48; i++) {
        uint64_t bar = bar_address(v, vilab_cfg(v, cap + CAP_BAR, 1));
        uint64_t at = bar + vilab_cfg(v, cap + CAP_OFFSET, 4);

        if (vilab_cfg(v, cap + CAP_ID, 1) == 0x09 && bar) {
            switch (vilab_cfg(v, cap + CAP_TYPE, 1)) {
            case TYPE_COMMON: v->common = at; break;
            case TYPE_DEVICE: v->device = at; break;
            case TYPE_NOTIFY:
                v->notify = at;
                v->multiplier = vilab_cfg(v, cap + CAP_MULTIPLIER, 4);
                break;
            default: break;
            }
        }
        cap = vilab_cfg(v, cap + CAP_NEXT, 1) & 0xfc;
    }
}

bool vilab_open(struct vilab *v, struct conform_ctx *t)
{
    *v = (struct vilab){.t = t};
    if (!take_unit(v, t->backend->lab)) {
        t_skip(t, "the topology has no IOMMU");
        return false;
    }
    v->lab = lab_new_of(t, &v->desc);
    if (!v->lab->machine)
        return false;
    v->rid = lab_func(v->lab, v->lab->ex)->rid.v;
    conform_machine_config(v->lab->machine, true, 0, v->own, 4, 2, &(uint32_t){6});
    find_structures(v);
    if (!v->common || !v->notify || !v->device) {
        t_fail(t, "the function lacks a structure of virtio");
        return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        vilab_set_common(v, DEVICE_FEATURE_SELECT, 4, i);
        v->offered |= vilab_common(v, DEVICE_FEATURE, 4) << 32 * i;
    }
    return true;
}

void vilab_close(struct vilab *v)
{
    if (v->lab)
        lab_free(v->lab);
    g_free(v->desc.components);
}

uint64_t vilab_common(struct vilab *v, unsigned offset, unsigned len)
{
    uint64_t value;

    lab_read(v->lab, v->common + offset, len, &value);
    return value;
}

void vilab_set_common(struct vilab *v, unsigned offset, unsigned len, uint64_t value)
{
    lab_write(v->lab, v->common + offset, len, value);
}

uint64_t vilab_config(struct vilab *v, unsigned offset, unsigned len)
{
    uint64_t low, high = 0;

    lab_read(v->lab, v->device + offset, MIN(len, 4), &low);
    if (len == 8)
        lab_read(v->lab, v->device + offset + 4, 4, &high);
    return low | high << 32;
}

void vilab_set_config(struct vilab *v, unsigned offset, unsigned len, uint64_t value)
{
    lab_write(v->lab, v->device + offset, len, value);
}

/* Memory. */

static void put(struct vilab *v, uint64_t addr, uint64_t value, unsigned len)
{
    uint8_t data[8];

    le64_store(data, value);
    machine_board_write(v->lab->machine, addr, data, len);
}

static uint64_t get(struct vilab *v, uint64_t addr, unsigned len)
{
    uint8_t data[8] = {0};

    machine_board_read(v->lab->machine, addr, data, len);
    return le_load(data, len);
}

static void put_desc(struct vilab *v, unsigned queue, unsigned i, uint64_t addr, uint64_t rest)
{
    put(v, DESC(queue) + i * 16, addr, 8);
    put(v, DESC(queue) + i * 16 + 8, rest, 8);
}

/* Length, flags, next. */
static uint64_t desc_rest(unsigned len, unsigned flags, unsigned next)
{
    return len | (uint64_t)flags << 32 | (uint64_t)next << 48;
}

static void offer(struct vilab *v, unsigned queue, unsigned head, unsigned count)
{
    put(v, AVAIL(queue) + 4 + count % ENTRIES * 2, head, 2);
    put(v, AVAIL(queue) + 2, (count + 1) & 0xffff, 2);
    vilab_set_common(v, QUEUE_SELECT, 2, queue);
    lab_write(v->lab, v->notify + vilab_common(v, QUEUE_NOTIFY_OFF, 2) * v->multiplier, 2, queue);
    lab_run_us(v->lab, 10);
}

static void setup_queue(struct vilab *v, unsigned queue)
{
    vilab_set_common(v, QUEUE_SELECT, 2, queue);
    vilab_set_common(v, QUEUE_SIZE, 2, ENTRIES);
    for (unsigned i = 0; i < 2; i++) {
        vilab_set_common(v, QUEUE_DESC + 4 * i, 4, i ? 0 : DESC(queue));
        vilab_set_common(v, QUEUE_DRIVER + 4 * i, 4, i ? 0 : AVAIL(queue));
        vilab_set_common(v, QUEUE_DEVICE + 4 * i, 4, i ? 0 : USED(queue));
    }
    for (unsigned at = 0; at < 0x3000; at += 8)
        put(v, QUEUE(queue) + at, 0, 8);
    vilab_set_common(v, QUEUE_ENABLE, 2, 1);
}

void vilab_reset(struct vilab *v)
{
    vilab_set_common(v, DEVICE_STATUS, 1, 0);
    for (unsigned i = 0; i < 100 && vilab_common(v, DEVICE_STATUS, 1); i++)
        lab_run_us(v->lab, 10);
    v->sent = v->events = 0;
}

bool vilab_drive(struct vilab *v, uint64_t features)
{
    vilab_reset(v);
    v->features = (features | VI_F_VERSION_1) & v->offered;
    vilab_set_common(v, DEVICE_STATUS, 1, 3);
    for (unsigned i = 0; i < 2; i++) {
        vilab_set_common(v, DRIVER_FEATURE_SELECT, 4, i);
        vilab_set_common(v, DRIVER_FEATURE, 4, v->features >> 32 * i & 0xffffffff);
    }
    vilab_set_common(v, DEVICE_STATUS, 1, 0x0b);
    if (!(vilab_common(v, DEVICE_STATUS, 1) & 8)) {
        t_fail(v->t, "FEATURES_OK is not taken");
        return false;
    }
    setup_queue(v, 0);
    setup_queue(v, 1);
    vilab_set_common(v, DEVICE_STATUS, 1, 0x0f);
    for (unsigned i = 0; i < ENTRIES; i++) {
        put_desc(v, 1, i, EVENT_BUFFERS + i * EVENT_BYTES, desc_rest(EVENT_BYTES, DESC_F_WRITE, 0));
        offer(v, 1, i, i);
    }
    return true;
}

unsigned vilab_send(struct vilab *v, const struct vilab_request *request, unsigned *used)
{
    unsigned before = v->sent & 0xffff, tail = request->out_bytes - 4;

    machine_board_write(v->lab->machine, REQUEST_IN, request->in, request->in_bytes);
    for (unsigned i = 0; i < request->out_bytes; i += 4)
        put(v, REQUEST_OUT + i, 0xffffffff, 4);
    put_desc(v, 0, 0, REQUEST_IN, desc_rest(request->in_bytes, DESC_F_NEXT, 1));
    put_desc(v, 0, 1, REQUEST_OUT, desc_rest(request->out_bytes, DESC_F_WRITE, 0));
    offer(v, 0, 0, v->sent++);
    for (unsigned i = 0; i < 100 && get(v, USED(0) + 2, 2) == before; i++)
        lab_run_us(v->lab, 10);
    if (get(v, USED(0) + 2, 2) == before) {
        t_fail(v->t, "a request is not answered");
        return VI_NO_STATUS;
    }
    *used = (unsigned)get(v, USED(0) + 4 + before % ENTRIES * 8 + 4, 4);
    return (unsigned)get(v, REQUEST_OUT + tail, 1);
}

void vilab_answer(struct vilab *v, void *data, unsigned len)
{
    machine_board_read(v->lab->machine, REQUEST_OUT, data, len);
}

bool vilab_event(struct vilab *v, uint8_t event[24])
{
    unsigned i = v->events;

    if (get(v, USED(1) + 2, 2) == i)
        return false;
    v->events++;
    memset(event, 0, EVENT_BYTES);
    machine_board_read(v->lab->machine,
                       EVENT_BUFFERS + get(v, USED(1) + 4 + i % ENTRIES * 8, 4) * EVENT_BYTES,
                       event, EVENT_BYTES);
    return true;
}

bool vilab_reaches(struct vilab *v, uint64_t addr, bool write, uint64_t out)
{
    const uint32_t there = 0x600d600d, sent = 0xd00d;
    struct tlp *tlp = lab_tlp(v->lab, write ? TLP_MWR : TLP_MRD, write);
    const struct lab_seen *seen;

    put(v, out, there, 4);
    tlp_set_span(tlp, addr, 4);
    if (write)
        le32_store(tlp->data, sent);
    lab_forget(v->lab);
    lab_send_up(v->lab, tlp);
    if (write)
        return get(v, out, 4) == sent;
    seen = lab_last(v->lab, NULL, (uint32_t)(BIT(TLP_CPL) | BIT(TLP_CPLD)));
    return seen && seen->tlp.type == TLP_CPLD && seen->tlp.status == TLP_SC &&
           le32_load(seen->tlp.inline_data) == there;
}
