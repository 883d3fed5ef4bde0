/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Batches: a list of descriptors in memory, done in order, and a record for all (DSA 1.0, 3.8). */
#include <glib.h>

#include "dsa.h"

static void fetch(struct dsa_engine *engine)
{
    uint64_t list = le64_load(engine->batch.raw + DSA_DESC_ADDR1);
    uint32_t count = MIN(engine->batch.size - engine->at, (uint32_t)DSA_FETCH);

    engine->desc = engine->batch;
    engine->stage = DSA_FETCHING;
    engine->list_first = engine->at;
    dsa_engine_dma(engine, DMA_READ, list + (uint64_t)engine->at * DSA_DESC_BYTES, engine->list,
                   count * DSA_DESC_BYTES);
}

void dsa_batch_begin(struct dsa_engine *engine)
{
    engine->batch = engine->desc;
    engine->in_batch = true;
    engine->batch_failed = false;
    engine->at = engine->list_first = engine->list_count = 0;
    fetch(engine);
}

/* The batch itself completes; it is `desc` again, and out is its own. */
static void end(struct dsa_engine *engine, enum dsa_status status)
{
    engine->desc = engine->batch;
    engine->in_batch = false;
    engine->out = (struct dsa_outcome){.count = engine->at, .fault = engine->out.fault};
    dsa_engine_end(engine, status);
}

void dsa_batch_fetched(struct dsa_engine *engine, enum dma_status status)
{
    enum dsa_status fault;

    engine->list_count = engine->op.len / DSA_DESC_BYTES;
    if (status == DMA_DENIED)
        engine->list_count = engine->op.issued / DSA_DESC_BYTES;
    if (status == DMA_OK || (status == DMA_DENIED && engine->list_count)) {
        dsa_batch_next(engine);
        return;
    }
    engine->out.fault = 0;
    fault = dsa_engine_fault(engine, status);
    end(engine, status == DMA_DENIED ? DSA_BATCH_FAULT : fault);
}

void dsa_batch_next(struct dsa_engine *engine)
{
    struct dsa_desc *desc = &engine->desc;
    uint32_t index = engine->at - engine->list_first;

    if (engine->at < engine->batch.size && index == engine->list_count) {
        fetch(engine);
        return;
    }
    if (engine->at < engine->batch.size)
        dsa_desc_parse(desc, engine->list + (size_t)index * DSA_DESC_BYTES);
    /* What follows a fence is not done after a failure. */
    if (engine->at == engine->batch.size ||
        (engine->batch_failed && desc->flags & DSA_FLAG_FENCE)) {
        engine->out.fault = 0;
        end(engine, engine->batch_failed ? DSA_BATCH_FAILED : DSA_SUCCESS);
        return;
    }
    desc->has_pasid = engine->batch.has_pasid;
    desc->pasid = engine->batch.pasid;
    engine->at++;
    dsa_engine_begin_soon(engine);
}
