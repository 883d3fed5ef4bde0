/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes wrong on the wire: bit errors at random, seeded per direction, and faults on purpose.
 * Bit errors are drawn as the distance to the next one, so that the good case costs a subtraction.
 *
 * CHOICE: an error in a TLP or DLLP always shows as a wrong LCRC or CRC; framing is lost on
 * purpose only.
 */
#include "link_dir.h"

#include <math.h>

#include <glib.h>

static void fault_draw(struct link_dir *dir)
{
    double rate = dir->link->params.bit_error_rate, distance;

    if (rate <= 0) {
        dir->bits_to_error = UINT64_MAX;
        return;
    }
    /* Geometric, by inversion; the draw is in (0, 1]. */
    distance = log((double)((sim_rng_next(&dir->noise.rng) >> 11) + 1) * 0x1p-53) / log1p(-rate);
    dir->bits_to_error = distance < 1e18 ? (uint64_t)distance : (uint64_t)1e18;
}

void link_fault_init(struct link_dir *dir)
{
    dir->noise_name = g_strdup_printf("link %s", dir->from->name);
    sim_stream_add(dir->from->fabric->sim, &dir->noise, dir->noise_name);
    fault_draw(dir);
}

void link_fault_fini(struct link_dir *dir)
{
    sim_stream_remove(dir->from->fabric->sim, &dir->noise);
    g_free(dir->noise_name);
}

/* True when one of the bits is hit. */
static bool fault_bits(struct link_dir *dir, unsigned bytes)
{
    uint64_t bits = bytes * 8u;

    if (bits <= dir->bits_to_error) {
        if (dir->bits_to_error != UINT64_MAX)
            dir->bits_to_error -= bits;
        return false;
    }
    do {
        bits -= dir->bits_to_error + 1;
        fault_draw(dir);
    } while (bits > dir->bits_to_error);
    dir->bits_to_error -= bits;
    return true;
}

/* The planned faults of these kinds that hit the TLP or DLLP at hand: a bit a kind. */
static unsigned fault_planned(struct link_dir *dir, unsigned kinds)
{
    unsigned hit = 0;

    for (unsigned i = 0; i < dir->fault_count;) {
        const struct link_fault *fault = &dir->faults[i].fault;

        if (kinds >> fault->kind & 1) {
            uint64_t seen = dir->faults[i].seen++;

            if (seen >= fault->after && seen - fault->after < fault->count)
                hit |= 1u << fault->kind;
            if (seen >= fault->after && seen - fault->after + 1 >= fault->count) {
                dir->faults[i] = dir->faults[--dir->fault_count];
                continue;
            }
        }
        i++;
    }
    return hit;
}

#define TLP_FAULTS                                                                                 \
    (1u << LINK_FAULT_CORRUPT_TLP | 1u << LINK_FAULT_DROP_TLP | 1u << LINK_FAULT_DUPLICATE_TLP |   \
     1u << LINK_FAULT_OVERFLOW_TLP)
#define DLLP_FAULTS                                                                                \
    (1u << LINK_FAULT_CORRUPT_DLLP | 1u << LINK_FAULT_DROP_DLLP | 1u << LINK_FAULT_REORDER_DLLP)

struct link_tlp_fate link_fault_tlp(struct link_dir *dir, unsigned bytes, bool replay)
{
    /* A replay has the credits that the TLP had at first. */
    unsigned kinds = replay ? TLP_FAULTS & ~(1u << LINK_FAULT_OVERFLOW_TLP) : TLP_FAULTS;
    struct link_tlp_fate fate = {.fate = FATE_GOOD};
    unsigned hit = dir->fault_count ? fault_planned(dir, kinds) : 0;

    if (fault_bits(dir, bytes) || hit >> LINK_FAULT_CORRUPT_TLP & 1)
        fate.fate = FATE_CORRUPT;
    else if (hit >> LINK_FAULT_DROP_TLP & 1)
        fate.fate = FATE_LOST;
    else if (hit >> LINK_FAULT_OVERFLOW_TLP & 1)
        fate.fate = FATE_OVERFLOW;
    fate.twice = hit >> LINK_FAULT_DUPLICATE_TLP & 1;
    return fate;
}

#define DLLP_BYTES 8u
#define NEVER_SENT 100u /* so far ahead of what is sent */

/* Which lie a DLLP can tell, if any: the other end has to see through it. */
static unsigned lie_of(const struct link_dir *dir, const struct wire_item *item)
{
    if (item->kind == WIRE_PM)
        return 0;
    if (item->kind != WIRE_FC)
        return 1u << LINK_FAULT_WRONG_ACK;
    return dir->back->buffer[item->flow].header ? 1u << LINK_FAULT_WRONG_CREDITS : 0;
}

/* CHOICE: which impossible credits an UpdateFC claims is left open; that it does, its fate tells.
 */
static void tell_lie(struct link_dir *dir, struct wire_item *item)
{
    if (item->kind != WIRE_FC)
        item->seq = (uint16_t)((dir->back->next_transmit_seq + NEVER_SENT) % SEQ_MODULUS);
}

enum wire_fate link_fault_dllp(struct link_dir *dir, struct wire_item *item, bool *reorder)
{
    unsigned lie = dir->fault_count ? lie_of(dir, item) : 0;
    unsigned hit = dir->fault_count ? fault_planned(dir, DLLP_FAULTS | lie) : 0;

    *reorder = hit >> LINK_FAULT_REORDER_DLLP & 1;
    if (fault_bits(dir, DLLP_BYTES) || hit >> LINK_FAULT_CORRUPT_DLLP & 1)
        return FATE_CORRUPT;
    if (hit >> LINK_FAULT_DROP_DLLP & 1)
        return FATE_LOST;
    if (!(hit & lie))
        return FATE_GOOD;
    tell_lie(dir, item);
    return FATE_WRONG;
}

const char *link_fault_name(enum link_fault_kind kind)
{
    static const char *const names[LINK_FAULT_KINDS] = {
        [LINK_FAULT_CORRUPT_TLP] = "corrupt-tlp",     [LINK_FAULT_DROP_TLP] = "drop-tlp",
        [LINK_FAULT_DUPLICATE_TLP] = "duplicate-tlp", [LINK_FAULT_OVERFLOW_TLP] = "overflow-tlp",
        [LINK_FAULT_CORRUPT_DLLP] = "corrupt-dllp",   [LINK_FAULT_DROP_DLLP] = "drop-dllp",
        [LINK_FAULT_REORDER_DLLP] = "reorder-dllp",   [LINK_FAULT_WRONG_ACK] = "wrong-ack",
        [LINK_FAULT_WRONG_CREDITS] = "wrong-credits",
    };

    return names[kind];
}

bool port_add_fault(struct port *sender, const struct link_fault *fault)
{
    struct link_dir *dir = sender->tx;

    if (!dir || dir->fault_count == LINK_FAULTS_MAX || !fault->count)
        return false;
    dir->faults[dir->fault_count].fault = *fault;
    dir->faults[dir->fault_count++].seen = 0;
    return true;
}

bool port_link_counters(const struct port *sender, struct link_counters *counters)
{
    if (!sender->tx)
        return false;
    *counters = sender->tx->counters;
    return true;
}
