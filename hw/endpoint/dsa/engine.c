/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engines: a descriptor from its queue to its completion record (DSA 1.0, 3.5 to 3.7).
 *
 * CHOICE: an engine works on one descriptor at a time, and a batch's one after the other. So a
 * fence finds everything before it complete, and blocks that wait for a page hold their engine.
 */
#include <glib.h>
#include <string.h>

#include "dsa.h"

#define START_PS (100 * PS_PER_NS) /* CHOICE: before the first request of a descriptor */

/* Whoever waited for work to end has a look. */
static void settle(struct dsa *dev)
{
    for (unsigned i = 0; i < dev->engines; i++)
        dsa_engine_look(&dev->engine[i]);
    dsa_command_look(dev);
    dsa_dispatch(dev);
}

static void idle(struct dsa_engine *engine)
{
    engine->stage = DSA_IDLE;
    engine->aborted = engine->in_batch = false;
    settle(engine->dev);
}

static unsigned traffic_class(const struct dsa_engine *engine, uint32_t selector)
{
    int group = dsa_group_of(engine->dev, DSA_GRP_ENGINES, engine->number);
    uint64_t flags = group < 0 ? 0 : dsa_group_get(engine->dev, (unsigned)group, DSA_GRP_FLAGS);

    return (unsigned)FIELD_GET(engine->desc.flags & selector ? DSA_GRP_TC_B : DSA_GRP_TC_A, flags);
}

/* Which flag selects the class of the access that a stage makes. */
static uint32_t class_selector(const struct dsa_engine *engine)
{
    switch (engine->stage) {
    case DSA_MOVING: return engine->operation->step[engine->step].tc;
    case DSA_RECORDING: return DSA_FLAG_TC_RECORD;
    case DSA_FETCHING: return DSA_FLAG_TC_ADDR1;
    default: return 0;
    }
}

static void dma_done(struct dma_op *op, enum dma_status status)
{
    struct dsa_engine *engine = op->opaque;

    if (status == DMA_NO_MASTER)
        dsa_halt(engine->dev);
    if (status == DMA_NO_MASTER || (engine->aborted && engine->stage != DSA_RECORDING)) {
        idle(engine);
        return;
    }
    switch (engine->stage) {
    case DSA_SEEDING:
    case DSA_MOVING: dsa_move_done(engine, status); break;
    case DSA_FETCHING: dsa_batch_fetched(engine, status); break;
    default: dsa_record_done(engine, status); break;
    }
}

/* CHOICE: a completion record's page is waited for whenever the queue allows it. */
void dsa_engine_dma(struct dsa_engine *engine, enum dma_kind kind, uint64_t addr, uint8_t *buf,
                    uint32_t len)
{
    const struct dsa_desc *desc = &engine->desc;
    uint32_t mode = dsa_wq_get(engine->wq, DSA_WQ_MODE);
    bool block = mode & DSA_WQ_BLOCK_ON_FAULT;

    engine->op = (struct dma_op){
        .kind = kind,
        .addr = addr,
        .len = len,
        .buf = buf,
        .tc = (uint8_t)traffic_class(engine, class_selector(engine)),
        .translate = engine->dev->ats && !(mode & DSA_WQ_NO_ATS),
        .request_pages = block && (engine->stage == DSA_RECORDING || desc->flags & DSA_FLAG_BLOCK),
        .has_pasid = desc->has_pasid,
        .pasid = desc->pasid,
        .done = dma_done,
        .opaque = engine,
    };
    endpoint_dma(engine->dev->func, &engine->op);
}

enum dsa_status dsa_engine_fault(struct dsa_engine *engine, enum dma_status status)
{
    const struct dma_op *op = &engine->op;
    bool asked = op->request_pages && pci_pri_enabled(engine->dev->pci);

    if (status != DMA_DENIED)
        return op->translate && !op->issued ? DSA_TRANSLATION : DSA_HARDWARE;
    engine->out.fault = op->addr + op->issued;
    return (asked ? DSA_PAGE_FAULT_RESPONSE : DSA_PAGE_FAULT) |
           (op->kind == DMA_WRITE ? DSA_STATUS_WRITE : 0);
}

/* A drain descriptor ends when what came before it in its queue has. */
static bool drained(const struct dsa_engine *engine)
{
    const struct dsa *dev = engine->dev;

    for (unsigned i = 0; i < dev->engines; i++) {
        const struct dsa_engine *other = &dev->engine[i];

        if (other->stage != DSA_IDLE && other->wq == engine->wq && other->seq < engine->seq)
            return false;
    }
    return true;
}

void dsa_engine_look(struct dsa_engine *engine)
{
    if (engine->stage != DSA_WAITING)
        return;
    if (engine->aborted)
        idle(engine);
    else if (drained(engine))
        dsa_engine_end(engine, DSA_SUCCESS);
}

static void begin(struct dsa_engine *engine)
{
    enum dsa_status status;
    uint32_t flags;

    memset(&engine->out, 0, sizeof(engine->out));
    engine->done = 0;
    status = dsa_desc_check(engine, &flags);
    if (status != DSA_SUCCESS) {
        le32_store(engine->out.specific, flags);
        dsa_engine_end(engine, status);
    } else if (engine->desc.opcode == DSA_BATCH) {
        dsa_batch_begin(engine);
    } else if (engine->desc.opcode == DSA_DRAIN) {
        engine->stage = DSA_WAITING;
        dsa_engine_look(engine);
    } else {
        dsa_move_begin(engine);
    }
}

void dsa_engine_end(struct dsa_engine *engine, enum dsa_status status)
{
    engine->out.status = (uint8_t)status;
    dsa_record_write(engine);
}

void dsa_engine_over(struct dsa_engine *engine)
{
    if (engine->aborted || !engine->in_batch) {
        idle(engine);
        return;
    }
    if (engine->out.status != DSA_SUCCESS)
        engine->batch_failed = true;
    dsa_batch_next(engine);
}

static void timer(void *opaque)
{
    struct dsa_engine *engine = opaque;

    if (engine->aborted || dsa_state(engine->dev) == DSA_STATE_HALTED)
        idle(engine);
    else if (engine->stage == DSA_STARTING)
        begin(engine);
    else
        dsa_move_next(engine);
}

void dsa_engine_begin_soon(struct dsa_engine *engine)
{
    engine->stage = DSA_STARTING;
    sim_schedule_in(engine->dev->sim, &engine->timer, START_PS);
}

void dsa_engine_start(struct dsa_engine *engine, struct dsa_wq *wq, const struct dsa_entry *entry)
{
    engine->wq = wq;
    engine->seq = entry->seq;
    engine->ims = entry->ims;
    dsa_desc_parse(&engine->desc, entry->raw);
    dsa_desc_own(wq, &engine->desc);
    dsa_engine_begin_soon(engine);
}

void dsa_engine_reset(struct dsa_engine *engine)
{
    sim_cancel(engine->dev->sim, &engine->timer);
    engine->stage = DSA_IDLE;
    engine->aborted = engine->in_batch = false;
}

void dsa_engine_init(struct dsa_engine *engine)
{
    sim_event_init(&engine->timer, timer, engine);
    for (unsigned i = 0; i < ARRAY_LEN(engine->buffer); i++)
        engine->buffer[i] = g_malloc(DSA_SLICE_BYTES);
}

void dsa_engine_fini(struct dsa_engine *engine)
{
    dsa_engine_reset(engine);
    for (unsigned i = 0; i < ARRAY_LEN(engine->buffer); i++)
        g_free(engine->buffer[i]);
}
