/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DMA channels of the exerciser (docs/exerciser.md). */
#include "exerciser.h"

#include <assert.h>
#include <glib.h>
#include <zlib.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

/* Fill and checksum go in slices, so that one event of the simulator stays short. CHOICE: they
 * handle 16 bytes a nanosecond. */
#define SLICE_BYTES (1u << 20)
#define BYTE_PS     62
#define START_PS    (100 * PS_PER_NS)

static uint64_t channel_reg(const struct exerciser_channel *ch, unsigned offset)
{
    return reg_get(ch->owner->regs, EXERCISER_CHANNEL(ch->number) + offset);
}

static void channel_set(struct exerciser_channel *ch, unsigned offset, uint64_t value)
{
    reg_set(ch->owner->regs, EXERCISER_CHANNEL(ch->number) + offset, value);
}

static void channel_finish(struct exerciser_channel *ch)
{
    struct exerciser *ex = ch->owner;
    bool failed = ch->result != DMA_OK;

    ch->busy = false;
    channel_set(ch, EXERCISER_CH_CRC, ch->crc);
    channel_set(ch, EXERCISER_CH_ENDED, ex->sim->now_ps);
    channel_set(ch, EXERCISER_CH_COUNT, channel_reg(ch, EXERCISER_CH_COUNT) + 1);
    channel_set(ch, EXERCISER_CH_STATUS,
                EXERCISER_STATUS_DONE | FIELD_PREP(EXERCISER_STATUS_RESULT, ch->result));
    exerciser_count(ex, EXERCISER_DMA_COUNT, 1);
    if (failed)
        exerciser_count(ex, EXERCISER_DMA_ERRORS, 1);
    else if (ch->command == EXERCISER_READ || ch->command == EXERCISER_WRITE)
        exerciser_count(ex, EXERCISER_DMA_BYTES, ch->len);
    reg_update(ex->regs, EXERCISER_IRQ_STATUS, EXERCISER_IRQ_CHANNEL(ch->number),
               EXERCISER_IRQ_CHANNEL(ch->number));
    exerciser_update_intx(ex);
    if (ch->vector & EXERCISER_VECTOR_ENABLE)
        exerciser_interrupt(ex, ch->vector & EXERCISER_VECTOR_NUMBER);
}

/* Doubleword i of the filled range is PATTERN + i * STEP; a last odd piece gets its low bytes. */
static void fill_slice(struct exerciser_channel *ch, uint32_t len)
{
    uint32_t pattern = (uint32_t)channel_reg(ch, EXERCISER_CH_PATTERN);
    uint32_t step = (uint32_t)channel_reg(ch, EXERCISER_CH_STEP);
    uint8_t *to = ch->owner->mem + ch->local + ch->pos;

    for (uint32_t at = 0; at < len; at += 4)
        le_store(to + at, pattern + (ch->pos + at) / 4 * step, MIN(4, len - at));
}

/* Fills, where asked, and checks: every command ends with the CRC of its bytes. */
static void channel_work(void *opaque)
{
    struct exerciser_channel *ch = opaque;
    uint32_t len = MIN(ch->len - ch->pos, SLICE_BYTES);

    if (ch->result != DMA_OK) {
        channel_finish(ch);
        return;
    }
    if (ch->command == EXERCISER_FILL)
        fill_slice(ch, len);
    ch->crc = (uint32_t)crc32(ch->crc, ch->owner->mem + ch->local + ch->pos, len);
    ch->pos += len;
    if (ch->pos == ch->len)
        channel_finish(ch);
    else
        sim_schedule_in(ch->owner->sim, &ch->timer, (uint64_t)SLICE_BYTES * BYTE_PS);
}

static void dma_done(struct dma_op *op, enum dma_status status)
{
    struct exerciser_channel *ch = op->opaque;

    ch->result = status;
    channel_work(ch);
}

/* The commands that send requests, and what they send. */
static const struct {
    enum exerciser_command command;
    enum dma_kind kind;
} dma_commands[] = {
    {EXERCISER_READ, DMA_READ}, {EXERCISER_WRITE, DMA_WRITE}, {EXERCISER_FETCHADD, DMA_FETCHADD},
    {EXERCISER_SWAP, DMA_SWAP}, {EXERCISER_CAS, DMA_CAS},     {EXERCISER_DMWR, DMA_DMWR},
};

/* Is it one of them? */
static bool command_kind(enum exerciser_command command, enum dma_kind *kind)
{
    for (unsigned i = 0; i < ARRAY_LEN(dma_commands); i++) {
        if (dma_commands[i].command == command) {
            *kind = dma_commands[i].kind;
            return true;
        }
    }
    return false;
}

/* AtomicOps have their sizes, and like Deferrable Memory Writes are one request. */
static bool command_fits(const struct exerciser_channel *ch, enum dma_kind kind)
{
    uint64_t addr = channel_reg(ch, EXERCISER_CH_ADDR);
    uint32_t len = ch->len;

    switch (kind) {
    case DMA_READ:
    case DMA_WRITE: return true;
    case DMA_DMWR:
        return len && (addr & 3) + len <= TLP_DMWR_MAX_DW * 4 && (addr & 4095) + len <= 4096;
    default: return (len == 4 || len == 8 || (len == 16 && kind == DMA_CAS)) && !(addr & (len - 1));
    }
}

/* The operand, or what to compare with and then the operand, as CAS has them. */
static void channel_operands(struct exerciser_channel *ch)
{
    unsigned at = 0;

    for (unsigned i = 0; ch->command == EXERCISER_CAS && at < ch->len; i += 8, at += 8)
        le64_store(ch->operands + at, channel_reg(ch, EXERCISER_CH_COMPARE + i));
    at = ch->command == EXERCISER_CAS ? ch->len : 0;
    le64_store(ch->operands + at, channel_reg(ch, EXERCISER_CH_OPERAND));
    if (ch->len > 8)
        le64_store(ch->operands + at + 8, channel_reg(ch, EXERCISER_CH_OPERAND + 8));
}

static struct tlp_pasid channel_pasid(const struct exerciser_channel *ch)
{
    uint64_t pasid = channel_reg(ch, EXERCISER_CH_PASID);

    return (struct tlp_pasid){
        .pasid = (uint32_t)(pasid & EXERCISER_PASID_VALUE),
        .privileged = pasid & EXERCISER_PASID_PRIVILEGED,
        .execute = pasid & EXERCISER_PASID_EXECUTE,
    };
}

static void channel_dma(struct exerciser_channel *ch, enum dma_kind kind)
{
    uint64_t attr = channel_reg(ch, EXERCISER_CH_ATTR);
    uint64_t pasid = channel_reg(ch, EXERCISER_CH_PASID);

    ch->op = (struct dma_op){
        .kind = kind,
        .addr = channel_reg(ch, EXERCISER_CH_ADDR),
        .len = ch->len,
        .buf = ch->owner->mem + ch->local,
        .operands = ch->operands,
        .attr = attr & (TLP_ATTR_NO_SNOOP | TLP_ATTR_RELAXED | TLP_ATTR_IDO),
        .tc = (uint8_t)FIELD_GET(EXERCISER_ATTR_TC, attr),
        .at = (uint8_t)FIELD_GET(EXERCISER_ATTR_AT, attr),
        .poison = attr & EXERCISER_ATTR_POISON,
        .bad_ecrc = attr & EXERCISER_ATTR_BAD_ECRC,
        .prefixes = MIN((uint8_t)FIELD_GET(EXERCISER_ATTR_PREFIXES, attr), TLP_END_END_MAX),
        .translate = attr & EXERCISER_ATTR_ATS,
        .request_pages = attr & EXERCISER_ATTR_PRI,
        .group_pages = attr & EXERCISER_ATTR_GROUP,
        .has_pasid = pasid & EXERCISER_PASID_VALID,
        .forge = pasid & EXERCISER_PASID_FORGE,
        .pasid = channel_pasid(ch),
        .done = dma_done,
        .opaque = ch,
    };
    if (kind >= DMA_FETCHADD && kind <= DMA_CAS)
        channel_operands(ch);
    endpoint_dma(ch->owner->func, &ch->op);
}

static void channel_start(struct exerciser_channel *ch, enum exerciser_command command)
{
    struct exerciser *ex = ch->owner;
    enum dma_kind kind = DMA_READ;
    bool dma = command_kind(command, &kind);

    ch->busy = true;
    ch->command = command;
    ch->local = channel_reg(ch, EXERCISER_CH_LOCAL);
    ch->len = (uint32_t)channel_reg(ch, EXERCISER_CH_LEN);
    ch->vector = (uint32_t)channel_reg(ch, EXERCISER_CH_VECTOR);
    ch->pos = 0;
    ch->crc = 0;
    ch->result = DMA_OK;
    channel_set(ch, EXERCISER_CH_STATUS, EXERCISER_STATUS_BUSY);
    channel_set(ch, EXERCISER_CH_STARTED, ex->sim->now_ps);
    if (command == EXERCISER_EMIT) {
        ch->len = 0;
        ch->result = exerciser_emit(ex, (unsigned)channel_reg(ch, EXERCISER_CH_PATTERN),
                                    channel_reg(ch, EXERCISER_CH_ADDR),
                                    (uint16_t)channel_reg(ch, EXERCISER_CH_STEP));
    } else if (command == EXERCISER_STOP_PASID) {
        const struct tlp_pasid pasid = channel_pasid(ch);

        ch->len = 0;
        if (!endpoint_stop_pasid(ex->func, &pasid))
            ch->result = DMA_NO_MASTER;
    } else if ((!dma && command != EXERCISER_FILL && command != EXERCISER_CHECKSUM) ||
               !command_fits(ch, kind) || !range_inside(ch->local, ch->len, 0, ex->mem_bytes)) {
        ch->result = EXERCISER_RESULT_INVALID;
    } else if (dma) {
        ex->mem_used = true;
        channel_dma(ch, kind);
        return;
    }
    ex->mem_used |= command == EXERCISER_FILL;
    sim_schedule_in(ex->sim, &ch->timer, START_PS);
}

/* A command to a busy channel is ignored and counted. */
void exerciser_command_written(struct reg_space *space, unsigned offset,
                               const struct reg_write *write)
{
    struct exerciser *ex = reg_space_owner(space);
    struct exerciser_channel *ch = &ex->channel[(offset - EXERCISER_CHANNEL(0)) / 0x80];

    if (write->new_value == EXERCISER_NOP)
        return;
    if (ch->busy)
        exerciser_count(ex, EXERCISER_DMA_ERRORS, 1);
    else
        channel_start(ch, (enum exerciser_command)write->new_value);
}

void exerciser_channels_init(struct exerciser *ex)
{
    for (unsigned i = 0; i < EXERCISER_CHANNEL_COUNT; i++) {
        ex->channel[i].owner = ex;
        ex->channel[i].number = i;
        sim_event_init(&ex->channel[i].timer, channel_work, &ex->channel[i]);
    }
}

void exerciser_channels_reset(struct exerciser *ex)
{
    for (unsigned i = 0; i < EXERCISER_CHANNEL_COUNT; i++) {
        sim_cancel(ex->sim, &ex->channel[i].timer);
        ex->channel[i].busy = false;
    }
}
