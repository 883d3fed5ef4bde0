/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations on ranges of memory, a slice at a time: its reads, the work, its writes. A page fault
 * cuts the slice to what could be reached; with that the descriptor completes in part (DSA 1.0,
 * 3.11).
 */
#include <glib.h>

#include "dsa.h"

#define BYTE_PS   62 /* CHOICE: what a byte takes beside the link: 16 GB/s */
#define SEED_SIZE 4
#define PAGE      4096u

static void advance(struct dsa_engine *engine);

static uint64_t operand(const struct dsa_engine *engine, unsigned at)
{
    return le64_load(engine->desc.raw + at);
}

/* Where in the range the slice is. */
static uint64_t slice_offset(const struct dsa_engine *engine)
{
    return engine->backward ? engine->desc.size - engine->done - engine->slice : engine->done;
}

/* Of overlapping ranges the later is written from its end (8.3.4, memory move). */
static bool goes_backward(const struct dsa_engine *engine)
{
    uint64_t from = operand(engine, DSA_DESC_ADDR1), to = operand(engine, DSA_DESC_ADDR2);

    return engine->desc.opcode == DSA_MEMMOVE && to > from && to - from < engine->desc.size;
}

/* Bytes to the end of the page, or backwards to its beginning. */
static uint32_t page_room(const struct dsa_engine *engine, unsigned at)
{
    uint64_t addr = operand(engine, at);

    if (!engine->backward)
        return PAGE - (uint32_t)((addr + engine->done) % PAGE);
    return (uint32_t)((addr + engine->desc.size - engine->done - 1) % PAGE) + 1;
}

static uint32_t slice_size(const struct dsa_engine *engine)
{
    const struct dsa_operation *operation = engine->operation;
    uint32_t size = MIN(engine->desc.size - engine->done, DSA_SLICE_BYTES);

    for (unsigned i = 0; i < operation->steps && (engine->backward || operation->touch); i++)
        size = MIN(size, page_room(engine, operation->step[i].addr));
    return size;
}

static void end(struct dsa_engine *engine)
{
    const struct dsa_operation *operation = engine->operation;
    enum dsa_status status = engine->out.status ? engine->out.status : DSA_SUCCESS;

    engine->out.count = engine->done;
    if (engine->out.status)
        engine->out.result |= engine->backward;
    if (operation->finish) {
        enum dsa_status finished = operation->finish(engine);

        status = engine->out.status ? status : finished;
    }
    dsa_engine_end(engine, status);
}

void dsa_move_next(struct dsa_engine *engine)
{
    engine->stage = DSA_MOVING;
    if (engine->stopped || engine->done == engine->desc.size || !engine->operation->steps) {
        end(engine);
        return;
    }
    engine->slice = slice_size(engine);
    engine->step = 0;
    advance(engine);
}

void dsa_move_begin(struct dsa_engine *engine)
{
    engine->stopped = false;
    engine->backward = goes_backward(engine);
    if (engine->operation->prepare)
        engine->operation->prepare(engine);
    if (engine->operation->seeded && engine->desc.flags & DSA_FLAG_READ_SEED) {
        engine->stage = DSA_SEEDING;
        dsa_engine_dma(engine, DMA_READ, operand(engine, DSA_DESC_SEED_ADDR), engine->buffer[0],
                       SEED_SIZE);
        return;
    }
    dsa_move_next(engine);
}

/* The next access of the slice, or the next slice when its time has passed. */
static void advance(struct dsa_engine *engine)
{
    const struct dsa_operation *operation = engine->operation;
    const struct dsa_step *step = &operation->step[engine->step];

    if (engine->step == operation->reads && engine->slice && operation->work)
        operation->work(engine);
    if (engine->slice && engine->step < operation->steps) {
        dsa_engine_dma(engine, step->write ? DMA_WRITE : DMA_READ,
                       operand(engine, step->addr) + slice_offset(engine),
                       engine->buffer[step->buffer], operation->touch ? 0 : engine->slice);
        return;
    }
    engine->done += engine->slice;
    sim_schedule_in(engine->dev->sim, &engine->timer, (uint64_t)engine->slice * BYTE_PS);
}

static void failed(struct dsa_engine *engine, enum dma_status status)
{
    uint32_t reached = status == DMA_DENIED && !engine->backward ? engine->op.issued : 0;

    engine->out.status = (uint8_t)dsa_engine_fault(engine, status);
    engine->slice = MIN(engine->slice, reached);
    engine->stopped = true;
}

void dsa_move_done(struct dsa_engine *engine, enum dma_status status)
{
    if (engine->stage == DSA_SEEDING) {
        if (status != DMA_OK) {
            dsa_engine_end(engine, dsa_engine_fault(engine, status));
            return;
        }
        le32_store(engine->desc.raw + DSA_DESC_RESULT, le32_load(engine->buffer[0]));
        engine->operation->prepare(engine);
        dsa_move_next(engine);
        return;
    }
    if (status != DMA_OK)
        failed(engine, status);
    engine->step++;
    advance(engine);
}
