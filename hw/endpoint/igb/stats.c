/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Statistics of the 82576 (datasheet 2.63, 8.18): reading clears. Octets are counted in pairs of
 * registers, cleared by reading the high one. Lengths include the four bytes of the checksum.
 *
 * What cannot happen on this cable (CRC errors, collisions, pause frames ...) stays 0.
 */
#include "igb.h"

#define DS  "82576 datasheet 2.63, "
#define FCS 4
#define STEP_OF(len)                                                                               \
    ((len) <= 64 ? 0 : (len) < 128 ? 1 : (len) < 256 ? 2 : (len) < 512 ? 3 : (len) < 1024 ? 4 : 5)

static uint64_t counter_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    reg_set(space, offset, 0);
    return value;
}

static uint64_t high_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    reg_set(space, offset - 4, 0);
    reg_set(space, offset, 0);
    return value;
}

static const struct reg_def counter[] = {
    {.name = "counter", .clause = DS "8.18", .offset = 0, .width = 4, .on_read = counter_read}};
static const struct reg_def octets[] = {
    {.name = "octets_low", .clause = DS "8.18", .offset = 0, .width = 4},
    {.name = "octets_high", .clause = DS "8.18", .offset = 4, .width = 4, .on_read = high_read}};

static const uint16_t pairs[] = {IGB_GORC, IGB_GOTC, IGB_TOR, IGB_TOT, IGB_HGORC, IGB_HGOTC};

static bool is_pair(unsigned offset)
{
    for (unsigned i = 0; i < ARRAY_LEN(pairs); i++) {
        if (offset == pairs[i])
            return true;
    }
    return false;
}

void igb_stats_place(struct igb *nic)
{
    for (unsigned offset = IGB_STATS_FIRST; offset <= IGB_STATS_LAST; offset += 4) {
        if (is_pair(offset)) {
            reg_space_place(nic->regs, offset, octets, ARRAY_LEN(octets));
            offset += 4;
        } else {
            reg_space_place(nic->regs, offset, counter, ARRAY_LEN(counter));
        }
    }
}

/* Counters stop at their end (8.18). */
void igb_count(struct igb *nic, unsigned reg)
{
    uint32_t value = igb_get(nic, reg);

    if (value != UINT32_MAX)
        igb_set(nic, reg, value + 1);
}

static void add_octets(struct igb *nic, unsigned reg, uint32_t len)
{
    uint64_t sum = igb_get(nic, reg) | (uint64_t)igb_get(nic, reg + 4) << 32;

    sum += len + FCS;
    igb_set(nic, reg, (uint32_t)sum);
    igb_set(nic, reg + 4, (uint32_t)(sum >> 32));
}

static bool is_broadcast(const uint8_t *frame)
{
    return (frame[0] & frame[1] & frame[2] & frame[3] & frame[4] & frame[5]) == 0xff;
}

/* A frame that passed the filters; one of the internal switch is not a good packet of the cable. */
void igb_count_received(struct igb *nic, const struct igb_frame *frame)
{
    igb_count(nic, IGB_RPTHC);
    add_octets(nic, IGB_HGORC, frame->len);
    if (frame->looped)
        return;
    igb_count(nic, IGB_GPRC);
    igb_count(nic, IGB_PRC64 + 4 * STEP_OF(frame->len + FCS));
    add_octets(nic, IGB_GORC, frame->len);
    if (is_broadcast(frame->data))
        igb_count(nic, IGB_BPRC);
    else if (frame->data[0] & 1)
        igb_count(nic, IGB_MPRC);
}

void igb_count_sent(struct igb *nic, const uint8_t *frame, uint32_t len)
{
    igb_count(nic, IGB_TPT);
    igb_count(nic, IGB_GPTC);
    igb_count(nic, IGB_PTC64 + 4 * STEP_OF(len + FCS));
    add_octets(nic, IGB_TOT, len);
    add_octets(nic, IGB_GOTC, len);
    if (is_broadcast(frame))
        igb_count(nic, IGB_BPTC);
    else if (frame[0] & 1)
        igb_count(nic, IGB_MPTC);
}
