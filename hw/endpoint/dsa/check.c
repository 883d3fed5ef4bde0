/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors: whose they are, and whether they may be done (DSA 1.0, chapters 5 and 8). */
#include <string.h>

#include "dsa.h"

/* Whatever the operation. */
#define FLAGS_OF_ALL                                                                               \
    (DSA_FLAG_BLOCK | DSA_FLAG_RECORD_VALID | DSA_FLAG_RECORD | DSA_FLAG_INTERRUPT |               \
     DSA_FLAG_TC_RECORD)

void dsa_desc_parse(struct dsa_desc *desc, const uint8_t *raw)
{
    uint32_t who = le32_load(raw + DSA_DESC_PASID);

    memcpy(desc->raw, raw, DSA_DESC_BYTES);
    desc->flags = le32_load(raw + DSA_DESC_FLAGS) & 0xffffff;
    desc->opcode = raw[DSA_DESC_OPCODE];
    desc->size = le32_load(raw + DSA_DESC_SIZE);
    desc->record = le64_load(raw + DSA_DESC_COMPLETION);
    desc->has_pasid = false;
    desc->pasid = (struct tlp_pasid){.pasid = who & 0xfffff, .privileged = who >> 31};
}

void dsa_desc_own(const struct dsa_wq *wq, struct dsa_desc *desc)
{
    uint32_t mode = dsa_wq_get(wq, DSA_WQ_MODE);

    desc->has_pasid = mode & DSA_WQ_HAS_PASID;
    if (mode & DSA_WQ_DEDICATED)
        desc->pasid = (struct tlp_pasid){
            .pasid = (uint32_t)FIELD_GET(DSA_WQ_PASID, mode),
            .privileged = mode & DSA_WQ_PRIVILEGED,
        };
}

static bool nonzero(const uint8_t *bytes, unsigned len)
{
    while (len--) {
        if (*bytes++)
            return true;
    }
    return false;
}

/* Reserved fields, and those that the operation has no use for. CHOICE: the PASID field counts as
 * used in dedicated queues, too, where it is ignored. */
static bool reserved_used(const struct dsa_desc *desc, const struct dsa_operation *operation)
{
    const uint8_t *raw = desc->raw;

    if (le32_load(raw + DSA_DESC_PASID) & 0x7ff00000 || nonzero(raw + DSA_DESC_HANDLE + 2, 2))
        return true;
    if ((operation->no_addr1 && nonzero(raw + DSA_DESC_ADDR1, 8)) ||
        (operation->no_addr2 && nonzero(raw + DSA_DESC_ADDR2, 8)) ||
        (operation->no_size && desc->size))
        return true;
    for (unsigned i = DSA_DESC_RESULT; i < DSA_DESC_BYTES; i++) {
        if (raw[i] && !(operation->used >> (i - DSA_DESC_RESULT) & 1))
            return true;
    }
    return false;
}

static uint32_t bad_flags(const struct dsa_engine *engine)
{
    const struct dsa_desc *desc = &engine->desc;
    const struct dsa_operation *operation = engine->operation;
    uint32_t allowed = FLAGS_OF_ALL | operation->flags;
    bool user = desc->has_pasid && !desc->pasid.privileged;
    bool user_ints = reg_get(engine->dev->regs, DSA_GENCFG) & DSA_GENCFG_USER_INTS;
    uint32_t bad, required = operation->required;

    if (engine->in_batch)
        allowed |= DSA_FLAG_FENCE;
    if (user && !user_ints)
        allowed &= ~(uint32_t)DSA_FLAG_INTERRUPT;
    if (!(dsa_wq_get(engine->wq, DSA_WQ_MODE) & DSA_WQ_BLOCK_ON_FAULT))
        allowed &= ~(uint32_t)DSA_FLAG_BLOCK;
    bad = desc->flags & ~allowed;
    if (desc->flags & DSA_FLAG_RECORD)
        required |= DSA_FLAG_RECORD_VALID;
    return bad | (required & ~desc->flags);
}

/* Is the interrupt the descriptor's to ask for? */
static bool handle_allowed(const struct dsa_engine *engine)
{
    const struct dsa_desc *desc = &engine->desc;
    unsigned handle = le16_load(desc->raw + DSA_DESC_HANDLE);
    uint64_t perm;

    if (!(desc->flags & DSA_FLAG_INTERRUPT))
        return true;
    if (engine->ims || handle > engine->dev->queues)
        return false;
    perm = reg_get(engine->dev->regs, DSA_MSIXPERM + handle * DSA_PERM_STRIDE);
    if (perm & DSA_PERM_IGNORE)
        return true;
    if (!(perm & DSA_PERM_HAS_PASID))
        return !desc->has_pasid;
    return desc->has_pasid && FIELD_GET(DSA_PERM_PASID, perm) == desc->pasid.pasid;
}

bool dsa_desc_interrupts(const struct dsa_engine *engine)
{
    return engine->desc.flags & DSA_FLAG_INTERRUPT && handle_allowed(engine) &&
           (engine->out.status != DSA_BAD_FLAGS || !(bad_flags(engine) & DSA_FLAG_INTERRUPT));
}

/* No operand goes beyond the end of the address space. */
static bool wraps(const struct dsa_engine *engine)
{
    const struct dsa_operation *operation = engine->operation;

    for (unsigned i = 0; i < operation->steps; i++) {
        if (le64_load(engine->desc.raw + operation->step[i].addr) > UINT64_MAX - engine->desc.size)
            return true;
    }
    return false;
}

static enum dsa_status check_size(const struct dsa_engine *engine)
{
    uint32_t limits = dsa_wq_get(engine->wq, DSA_WQ_LIMITS), size = engine->desc.size;

    if (engine->desc.opcode == DSA_BATCH)
        return size < 2 || size > 1u << FIELD_GET(DSA_WQ_BATCH_SHIFT, limits) ? DSA_BAD_COUNT
                                                                              : DSA_SUCCESS;
    if (engine->operation->no_size)
        return DSA_SUCCESS;
    return !size || size > 1u << FIELD_GET(DSA_WQ_TRANSFER_SHIFT, limits) || wraps(engine)
               ? DSA_BAD_SIZE
               : DSA_SUCCESS;
}

enum dsa_status dsa_desc_check(struct dsa_engine *engine, uint32_t *flags)
{
    const struct dsa_desc *desc = &engine->desc;
    const struct dsa_operation *operation = dsa_operation_find(desc->opcode);
    enum dsa_status status;

    *flags = 0;
    engine->operation = operation;
    if (!operation ||
        (engine->in_batch && (desc->opcode == DSA_BATCH || desc->opcode == DSA_DRAIN)))
        return DSA_BAD_OPCODE;
    if (desc->flags & DSA_FLAG_RECORD_VALID && desc->record % DSA_RECORD_BYTES)
        return DSA_RECORD_ALIGN;
    if (desc->has_pasid && desc->pasid.privileged &&
        !pci_pasid_allowed(engine->dev->pci, &desc->pasid))
        return DSA_BAD_PRIVILEGE;
    *flags = bad_flags(engine);
    if (*flags)
        return DSA_BAD_FLAGS;
    if (reserved_used(desc, operation))
        return DSA_BAD_RESERVED;
    status = check_size(engine);
    if (status != DSA_SUCCESS)
        return status;
    if (!handle_allowed(engine))
        return DSA_BAD_HANDLE;
    return operation->check ? operation->check(desc) : DSA_SUCCESS;
}
