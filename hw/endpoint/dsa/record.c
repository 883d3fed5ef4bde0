/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a descriptor ends: completion record, interrupt, or the register for software errors (DSA
 * 1.0, 3.7, 5.4, 8.2). */
#include <string.h>

#include "dsa.h"

static void interrupt(struct dsa_engine *engine)
{
    if (dsa_desc_interrupts(engine))
        endpoint_interrupt(engine->dev->func, le16_load(engine->desc.raw + DSA_DESC_HANDLE));
    dsa_engine_over(engine);
}

/* What no record tells. */
static void software_error(struct dsa_engine *engine, uint8_t code)
{
    struct dsa *dev = engine->dev;
    const struct dsa_desc *desc = &engine->desc;
    uint64_t first = DSA_SWERR_VALID | DSA_SWERR_DESC | DSA_SWERR_WQ_VALID, second;

    if (reg_get(dev->regs, DSA_SWERR) & DSA_SWERR_VALID) {
        reg_update(dev->regs, DSA_SWERR, DSA_SWERR_OVERFLOW, DSA_SWERR_OVERFLOW);
        return;
    }
    first |= (engine->in_batch ? DSA_SWERR_BATCH : 0) |
             (code & DSA_STATUS_WRITE ? DSA_SWERR_WRITE : 0) |
             (desc->pasid.privileged ? DSA_SWERR_PRIV : 0);
    first |= FIELD_PREP(DSA_SWERR_CODE, code & ~DSA_STATUS_WRITE) |
             FIELD_PREP(DSA_SWERR_WQ, engine->wq->number) |
             FIELD_PREP(DSA_SWERR_OPCODE, desc->opcode);
    if (desc->has_pasid)
        first |= FIELD_PREP(DSA_SWERR_PASID, desc->pasid.pasid);
    reg_set(dev->regs, DSA_SWERR, first);
    second = engine->in_batch ? engine->at - 1 : 0;
    if (code == DSA_BAD_FLAGS)
        second |= (uint64_t)le32_load(engine->out.specific) << 32;
    reg_set(dev->regs, DSA_SWERR + 8, second);
    reg_set(dev->regs, DSA_SWERR + 16, engine->out.fault);
    dsa_cause(dev, DSA_CAUSE_SWERR, reg_get(dev->regs, DSA_GENCTRL) & DSA_GENCTRL_SWERR);
}

void dsa_record_write(struct dsa_engine *engine)
{
    const struct dsa_desc *desc = &engine->desc;
    const struct dsa_outcome *out = &engine->out;
    bool usable = desc->flags & DSA_FLAG_RECORD_VALID && desc->record % DSA_RECORD_BYTES == 0;
    uint8_t *record = engine->record;

    if (!usable || (out->status == DSA_SUCCESS && !(desc->flags & DSA_FLAG_RECORD))) {
        if (out->status != DSA_SUCCESS)
            software_error(engine, out->status);
        interrupt(engine);
        return;
    }
    memset(record, 0, DSA_RECORD_BYTES);
    record[DSA_RECORD_STATUS] = out->status;
    record[DSA_RECORD_RESULT] = out->result;
    le32_store(record + DSA_RECORD_COUNT, out->count);
    le64_store(record + DSA_RECORD_FAULT, out->fault);
    memcpy(record + DSA_RECORD_SPECIFIC, out->specific, sizeof(out->specific));
    engine->stage = DSA_RECORDING;
    dsa_engine_dma(engine, DMA_WRITE, desc->record, record, DSA_RECORD_BYTES);
}

void dsa_record_done(struct dsa_engine *engine, enum dma_status status)
{
    if (status != DMA_OK) {
        engine->out.fault = engine->desc.record;
        software_error(engine, DSA_RECORD_FAULTED | DSA_STATUS_WRITE);
    }
    interrupt(engine);
}
