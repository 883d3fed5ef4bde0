/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The physical layer as far as it takes time: encoding, framing, the wire (PCIe Base 6.0, 4.2.1,
 * 4.2.2), and the latencies that the data link layer counts in symbol times (3.6).
 */
#include <assert.h>

#include <glib.h>

#include "pcilab/base/bits.h"

#include "link_dir.h"

#define WIRE_FIRST_SIZE 32u
#define SPEED_8GT       3
#define L0S_IDLE_PS     (7 * PS_PER_US) /* 5.4.1.1.1 */

/*
 * CHOICE: SKP ordered sets are charged evenly instead of in their places, at the longest interval
 * that is allowed: 4 symbols in 1538 with 8b/10b (4.2.7.3), a block in 375 with 128b/130b.
 */
#define SKP_8B10B_SYMBOLS   4u
#define SKP_8B10B_INTERVAL  1538u
#define SKP_128B130B_BLOCKS 375u

/* REPLAY_TIMER (3.6.2.1, simplified limits). CHOICE: and the way there and back is added, so that
 * links of any length work. */
#define REPLAY_TIMER_SYMBOLS 24000u

/* A byte on the wire in 1/65536 ps. */
static uint64_t byte_time_fraction(unsigned speed, unsigned width)
{
    double bit_ps = 1e6 / link_speed_mts(speed), byte_ps;

    if (speed < SPEED_8GT)
        byte_ps = bit_ps * 10 * (SKP_8B10B_INTERVAL + SKP_8B10B_SYMBOLS) / SKP_8B10B_INTERVAL;
    else
        byte_ps = bit_ps * 8 * 130 / 128 * (SKP_128B130B_BLOCKS + 1) / SKP_128B130B_BLOCKS;
    return (uint64_t)(byte_ps / width * 65536 + 0.5);
}

static uint64_t symbol_ps(unsigned speed)
{
    return speed < SPEED_8GT ? 10 * 1000000ULL / link_speed_mts(speed)
                             : 8 * 1000000ULL / link_speed_mts(speed);
}

void link_wire_retimed(struct link *link)
{
    link->byte_fraction = byte_time_fraction(link->speed, link->width);
    link->replay_timeout_ps =
        REPLAY_TIMER_SYMBOLS * symbol_ps(link->speed) + 2 * link->params.propagation_ps;
}

uint64_t link_wire_take(struct link_dir *dir, unsigned bytes)
{
    struct fabric *fabric = dir->from->fabric;
    uint64_t now = fabric->sim->now_ps, fraction;

    if (dir->free_ps < now) {
        if (dir->l0s_exit_ps && now - dir->free_ps >= L0S_IDLE_PS) {
            dir->l0s_exits++;
            now += dir->l0s_exit_ps;
        }
        dir->free_ps = now;
        dir->free_frac = 0;
    }
    if (__builtin_expect(fabric->vary_ps != 0, 0))
        dir->free_ps += sim_rng_below(&fabric->chance.rng, fabric->vary_ps + 1);
    fraction = dir->free_frac + bytes * dir->link->byte_fraction;
    dir->free_ps += fraction >> 16;
    dir->free_frac = fraction & 0xffff;
    return dir->free_ps + dir->link->params.propagation_ps;
}

static void wire_grow(struct wire *wire)
{
    uint32_t size = wire->size ? wire->size * 2 : WIRE_FIRST_SIZE;
    struct wire_item *items = g_new(struct wire_item, size);

    for (uint32_t i = 0; i < wire->count; i++)
        items[i] = wire->items[(wire->first + i) & (wire->size - 1)];
    g_free(wire->items);
    wire->items = items;
    wire->size = size;
    wire->first = 0;
}

void link_wire_push(struct link_dir *dir, const struct wire_item *item)
{
    struct wire *wire = &dir->wire;

    if (wire->count == wire->size)
        wire_grow(wire);
    wire->items[(wire->first + wire->count++) & (wire->size - 1)] = *item;
    if (wire->count == 1)
        sim_schedule_at(dir->from->fabric->sim, &dir->arrive, item->arrive_ps);
}

/*
 * Framing, sequence number and LCRC: STP and END, two bytes and four with 8b/10b (3.6.1, 4.2.1.2);
 * a token of four bytes, which has the sequence number in it, and four with 128b/130b (4.2.2.3).
 */
#define TLP_OVERHEAD_BYTES 8u

unsigned link_tlp_bytes(const struct tlp *tlp)
{
    bool long_header = tlp_is_message(tlp) || (tlp_is_memory(tlp) && tlp->addr >> 32);
    unsigned dws = (long_header ? 4u : 3u) + tlp->prefix_count + tlp->td;

    if (tlp->data)
        dws += tlp->length_dw;
    return dws * 4 + TLP_OVERHEAD_BYTES;
}

/*
 * Ack Transmission Latency Limit (3.6.3.1): the time of a TLP of Max_Payload_Size with 28 bytes
 * around it, times AckFactor in tenths, over the width, and the delay inside; in symbol times.
 * CHOICE: 16.0 and 32.0 GT/s have the inside delay of 8.0 GT/s. UpdateFC wait as long (2.6.1.2).
 */
static unsigned ack_factor(unsigned payload_bytes, unsigned width)
{
    if (payload_bytes >= 2048)
        return 30;
    if (payload_bytes >= 512)
        return width >= 12 ? 20 : 10;
    if (width >= 12)
        return 30;
    return width >= 8 ? 25 : 14;
}

uint64_t link_ack_latency_ps(const struct link_dir *dir)
{
    static const uint8_t inside[] = {19, 19, 70, 115, 115, 115};
    const struct link *link = dir->link;
    unsigned payload = dir->from->func ? pcie_max_payload_bytes(dir->from->func) : 128;
    unsigned symbols = (payload + 28) * ack_factor(payload, link->width) / (10u * link->width) +
                       inside[link->speed];

    return symbols * symbol_ps(link->speed);
}
