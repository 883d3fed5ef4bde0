/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "driver.h"

#include <string.h>

enum {
    DEVICE_FEATURE_SELECT = 0x00,
    DEVICE_FEATURE = 0x04,
    DRIVER_FEATURE_SELECT = 0x08,
    DRIVER_FEATURE = 0x0c,
    CONFIG_VECTOR = 0x10,
    STATUS = 0x14,
    QUEUE_SELECT = 0x16,
    QUEUE_SIZE = 0x18,
    QUEUE_VECTOR = 0x1a,
    QUEUE_ENABLE = 0x1c,
    QUEUE_DESC = 0x20,
    QUEUE_DRIVER = 0x28,
    QUEUE_DEVICE = 0x30,
};

#define NEXT     1
#define WRITE    2
#define INDIRECT 4
#define AVAIL    0x80
#define USED     0x8000

uint64_t driver_get(struct driver *d, unsigned offset, unsigned len)
{
    return mock_read(d->func, 0, offset, len);
}

void driver_set(struct driver *d, unsigned offset, unsigned len, uint64_t value)
{
    mock_write(d->func, 0, offset, len, value);
}

unsigned driver_status(struct driver *d)
{
    return (unsigned)driver_get(d, STATUS, 1);
}

uint64_t driver_offered(struct driver *d)
{
    uint64_t features = 0;

    for (unsigned i = 0; i < 2; i++) {
        driver_set(d, DEVICE_FEATURE_SELECT, 4, i);
        features |= driver_get(d, DEVICE_FEATURE, 4) << 32 * i;
    }
    return features;
}

bool driver_start(struct driver *d, uint64_t features)
{
    driver_set(d, STATUS, 1, 0);
    for (unsigned i = 0; driver_status(d) && i < 100; i++)
        mock_run(d->mock, PS_PER_MS);
    memset(d->ring, 0, sizeof(d->ring));
    d->features = features;
    driver_set(d, STATUS, 1, S_ACK | S_DRIVER);
    for (unsigned i = 0; i < 2; i++) {
        driver_set(d, DRIVER_FEATURE_SELECT, 4, i);
        driver_set(d, DRIVER_FEATURE, 4, (uint32_t)(features >> 32 * i));
    }
    driver_set(d, STATUS, 1, S_ACK | S_DRIVER | S_FEATURES_OK);
    driver_set(d, CONFIG_VECTOR, 2, 0);
    return driver_status(d) & S_FEATURES_OK;
}

void driver_queue(struct driver *d, unsigned q, uint16_t size)
{
    struct driver_ring *ring = &d->ring[q];

    *ring = (struct driver_ring){.size = size, .avail_wrap = true, .used_wrap = true};
    memset(d->mock->ram + DRIVER_DESC(q), 0, 0x10000);
    driver_set(d, QUEUE_SELECT, 2, q);
    driver_set(d, QUEUE_SIZE, 2, size);
    driver_set(d, QUEUE_VECTOR, 2, q + 1);
    driver_set(d, QUEUE_DESC, 4, DRIVER_DESC(q)); /* halves, as Linux writes them */
    driver_set(d, QUEUE_DESC + 4, 4, 0);
    driver_set(d, QUEUE_DRIVER, 8, DRIVER_AVAIL(q));
    driver_set(d, QUEUE_DEVICE, 8, DRIVER_USED(q));
    driver_set(d, QUEUE_ENABLE, 2, 1);
}

void driver_ok(struct driver *d)
{
    driver_set(d, STATUS, 1, S_ACK | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
}

void driver_setup(struct driver *d, uint64_t without, unsigned queues, uint16_t size)
{
    driver_start(d, driver_offered(d) & ~without);
    for (unsigned q = 0; q < queues; q++)
        driver_queue(d, q, size);
    driver_ok(d);
}

static bool packed(const struct driver *d)
{
    return d->features & BIT(F_PACKED);
}

static void put_desc(struct driver *d, uint64_t at, const struct driver_buffer *buf, unsigned flags,
                     uint16_t next)
{
    uint8_t *desc = d->mock->ram + at;

    le64_store(desc, buf->addr);
    le32_store(desc + 8, buf->len);
    le16_store(desc + 12, (uint16_t)flags);
    le16_store(desc + 14, next);
}

static void put_packed(struct driver *d, uint64_t at, const struct driver_buffer *buf, uint16_t id,
                       unsigned flags)
{
    put_desc(d, at, buf, id, (uint16_t)flags);
}

static uint64_t make_table(struct driver *d, unsigned q, const struct driver_buffer *buf,
                           unsigned count)
{
    struct driver_ring *ring = &d->ring[q];
    uint64_t table = DRIVER_TABLES(q) + (ring->next_table++ % 16) * 0x800u;

    for (unsigned i = 0; i < count; i++) {
        unsigned write = buf[i].write ? WRITE : 0;

        if (packed(d))
            put_packed(d, table + 16 * i, &buf[i], 0, write);
        else
            put_desc(d, table + 16 * i, &buf[i], write | (i + 1 < count ? NEXT : 0),
                     (uint16_t)(i + 1));
    }
    return table;
}

static uint16_t add_split(struct driver *d, unsigned q, const struct driver_buffer *buf,
                          unsigned count, unsigned flags)
{
    struct driver_ring *ring = &d->ring[q];
    uint16_t head = ring->next_desc % ring->size;

    for (unsigned i = 0; i < count; i++) {
        uint16_t at = ring->next_desc++ % ring->size;

        put_desc(d, DRIVER_DESC(q) + 16u * at, &buf[i],
                 flags | (buf[i].write ? WRITE : 0) | (i + 1 < count ? NEXT : 0),
                 ring->next_desc % ring->size);
    }
    le16_store(d->mock->ram + DRIVER_AVAIL(q) + 4 + 2u * (ring->avail % ring->size), head);
    ring->avail++;
    le16_store(d->mock->ram + DRIVER_AVAIL(q) + 2, ring->avail);
    return head;
}

/* The first descriptor's flags last. */
static uint16_t add_packed(struct driver *d, unsigned q, const struct driver_buffer *buf,
                           unsigned count, unsigned flags)
{
    struct driver_ring *ring = &d->ring[q];
    uint16_t id = ring->avail, first = ring->avail;
    unsigned first_flags = 0;

    ring->entries[id] = (uint16_t)count;
    for (unsigned i = 0; i < count; i++) {
        unsigned f = flags | (buf[i].write ? WRITE : 0) | (i + 1 < count ? NEXT : 0) |
                     (ring->avail_wrap ? AVAIL : USED);

        if (i == 0)
            first_flags = f;
        put_packed(d, DRIVER_DESC(q) + 16u * ring->avail, &buf[i], id, i ? f : f ^ (AVAIL | USED));
        if (++ring->avail == ring->size) {
            ring->avail = 0;
            ring->avail_wrap = !ring->avail_wrap;
        }
    }
    le16_store(d->mock->ram + DRIVER_DESC(q) + 16u * first + 14, (uint16_t)first_flags);
    return id;
}

uint16_t driver_add(struct driver *d, unsigned q, const struct driver_buffer *buf, unsigned count,
                    bool indirect)
{
    struct driver_buffer table = {0};

    if (indirect) {
        table.addr = make_table(d, q, buf, count);
        table.len = 16 * count;
        buf = &table;
        count = 1;
    }
    return (packed(d) ? add_packed : add_split)(d, q, buf, count, indirect ? INDIRECT : 0);
}

void driver_kick(struct driver *d, unsigned q)
{
    driver_set(d, DRIVER_NOTIFY + 4 * q, 2, q);
}

static bool used_packed(struct driver *d, unsigned q, uint16_t *id, uint32_t *len)
{
    struct driver_ring *ring = &d->ring[q];
    const uint8_t *desc = d->mock->ram + DRIVER_DESC(q) + 16u * ring->used;
    unsigned flags = le16_load(desc + 14);

    if (!!(flags & AVAIL) != ring->used_wrap || !!(flags & USED) != ring->used_wrap)
        return false;
    *id = le16_load(desc + 12);
    *len = le32_load(desc + 8);
    ring->used = (uint16_t)(ring->used + ring->entries[*id & 1023]);
    if (ring->used >= ring->size) {
        ring->used = (uint16_t)(ring->used - ring->size);
        ring->used_wrap = !ring->used_wrap;
    }
    return true;
}

bool driver_used(struct driver *d, unsigned q, uint16_t *id, uint32_t *len)
{
    struct driver_ring *ring = &d->ring[q];
    const uint8_t *entry = d->mock->ram + DRIVER_USED(q) + 4 + 8u * (ring->used % ring->size);

    if (packed(d))
        return used_packed(d, q, id, len);
    if (le16_load(d->mock->ram + DRIVER_USED(q) + 2) == ring->used)
        return false;
    *id = (uint16_t)le32_load(entry);
    *len = le32_load(entry + 4);
    ring->used++;
    return true;
}
