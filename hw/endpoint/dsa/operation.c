/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operations (DSA 1.0, 8.3): what their descriptors may say, and what is done to the bytes. */
#include <string.h>

#include "dsa.h"

#define CRC_POLYNOMIAL 0x1edc6f41u /* CRC-32C */

/* Bits of dsa_operation.used. */
#define USED(first, bytes) GENMASK((first)-DSA_DESC_RESULT + (bytes)-1, (first)-DSA_DESC_RESULT)

#define FLAGS_WRITE  (DSA_FLAG_CACHE | DSA_FLAG_STRICT)
#define FLAGS_CRC    (DSA_FLAG_READ_SEED | DSA_FLAG_NO_INVERSION | DSA_FLAG_NO_REFLECTION)
#define FLAGS_RECORD (DSA_FLAG_RECORD_VALID | DSA_FLAG_RECORD)

static bool overlap(uint64_t a, uint64_t b, uint32_t size)
{
    return a < b ? b - a < size : a - b < size;
}

static uint64_t operand(const struct dsa_desc *desc, unsigned at)
{
    return le64_load(desc->raw + at);
}

/* Fill, compare with pattern. */

static void prepare_fill(struct dsa_engine *engine)
{
    for (unsigned i = 0; i < DSA_SLICE_BYTES; i += 8)
        memcpy(engine->buffer[0] + i, engine->desc.raw + DSA_DESC_ADDR1, 8);
}

static void prepare_pattern(struct dsa_engine *engine)
{
    for (unsigned i = 0; i < DSA_SLICE_BYTES; i += 8)
        memcpy(engine->buffer[1] + i, engine->desc.raw + DSA_DESC_ADDR2, 8);
}

/* Compare. */

static void work_compare(struct dsa_engine *engine)
{
    const uint8_t *a = engine->buffer[0], *b = engine->buffer[1];
    uint32_t at = 0;

    if (memcmp(a, b, engine->slice) == 0)
        return;
    while (a[at] == b[at])
        at++;
    engine->slice = at;
    engine->stopped = true;
    engine->out.status = 0; /* the difference came before a fault */
    engine->out.fault = 0;
    engine->out.result = 1;
}

static enum dsa_status finish_compare(struct dsa_engine *engine)
{
    const struct dsa_desc *desc = &engine->desc;
    bool expected = desc->raw[DSA_DESC_RESULT] & 1;

    return desc->flags & DSA_FLAG_CHECK_RESULT && expected != engine->out.result
               ? DSA_FALSE_PREDICATE
               : DSA_SUCCESS;
}

/* Cyclic redundancy check. */

static uint32_t reversed(uint32_t value)
{
    uint32_t result = 0;

    for (unsigned i = 0; i < 32; i++)
        result |= (value >> i & 1) << (31 - i);
    return result;
}

static uint8_t reversed_byte(uint8_t value)
{
    return (uint8_t)(reversed(value) >> 24);
}

void dsa_crc_init(struct dsa *dev)
{
    for (unsigned i = 0; i < 256; i++) {
        uint32_t crc = i << 24;

        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc << 1 ^ (crc >> 31 ? CRC_POLYNOMIAL : 0);
        dev->crc_table[i] = crc;
    }
}

static void prepare_crc(struct dsa_engine *engine)
{
    uint32_t seed = le32_load(engine->desc.raw + DSA_DESC_RESULT);

    engine->crc = engine->desc.flags & DSA_FLAG_NO_INVERSION ? seed : reversed(~seed);
}

static void work_crc(struct dsa_engine *engine)
{
    bool reflect = !(engine->desc.flags & DSA_FLAG_NO_REFLECTION);
    const uint8_t *data = engine->buffer[0];
    uint32_t crc = engine->crc;

    for (uint32_t i = 0; i < engine->slice; i++) {
        uint8_t byte = reflect ? reversed_byte(data[i]) : data[i];

        crc = crc << 8 ^ engine->dev->crc_table[crc >> 24 ^ byte];
    }
    engine->crc = crc;
}

static enum dsa_status finish_crc(struct dsa_engine *engine)
{
    uint32_t crc = engine->crc;

    if (!(engine->desc.flags & DSA_FLAG_NO_INVERSION))
        crc = ~reversed(crc);
    le64_store(engine->out.specific, crc);
    return DSA_SUCCESS;
}

/* Checks of operands. */

static enum dsa_status check_copy_crc(const struct dsa_desc *desc)
{
    return overlap(operand(desc, DSA_DESC_ADDR1), operand(desc, DSA_DESC_ADDR2), desc->size)
               ? DSA_OVERLAP
               : DSA_SUCCESS;
}

static enum dsa_status check_dualcast(const struct dsa_desc *desc)
{
    uint64_t from = operand(desc, DSA_DESC_ADDR1), first = operand(desc, DSA_DESC_ADDR2);
    uint64_t second = operand(desc, DSA_DESC_RESULT);

    if ((first ^ second) & 0xfff)
        return DSA_DUALCAST_ALIGN;
    return overlap(from, first, desc->size) || overlap(from, second, desc->size) ||
                   overlap(first, second, desc->size)
               ? DSA_OVERLAP
               : DSA_SUCCESS;
}

static enum dsa_status check_batch(const struct dsa_desc *desc)
{
    return operand(desc, DSA_DESC_ADDR1) % DSA_DESC_BYTES ? DSA_LIST_ALIGN : DSA_SUCCESS;
}

#define READ_1                                                                                     \
    {                                                                                              \
        false, DSA_DESC_ADDR1, 0, DSA_FLAG_TC_ADDR1                                                \
    }
#define READ_2(b)                                                                                  \
    {                                                                                              \
        false, DSA_DESC_ADDR2, b, DSA_FLAG_TC_ADDR2                                                \
    }
#define WRITE_2                                                                                    \
    {                                                                                              \
        true, DSA_DESC_ADDR2, 0, DSA_FLAG_TC_ADDR2                                                 \
    }
#define WRITE_3                                                                                    \
    {                                                                                              \
        true, DSA_DESC_RESULT, 0, DSA_FLAG_TC_ADDR3                                                \
    }

const struct dsa_operation dsa_operations[] = {
    {.opcode = DSA_NOOP, .no_addr1 = true, .no_addr2 = true, .no_size = true},
    {.opcode = DSA_BATCH, .flags = DSA_FLAG_TC_ADDR1, .no_addr2 = true, .check = check_batch},
    {.opcode = DSA_DRAIN, .no_addr1 = true, .no_addr2 = true, .no_size = true},
    {.opcode = DSA_MEMMOVE,
     .flags = FLAGS_WRITE | DSA_FLAG_TC_ADDR1 | DSA_FLAG_TC_ADDR2,
     .step = {READ_1, WRITE_2},
     .steps = 2,
     .reads = 1},
    {.opcode = DSA_FILL,
     .flags = FLAGS_WRITE | DSA_FLAG_TC_ADDR2,
     .step = {WRITE_2},
     .steps = 1,
     .prepare = prepare_fill},
    {.opcode = DSA_COMPARE,
     .flags = DSA_FLAG_CHECK_RESULT | DSA_FLAG_TC_ADDR1 | DSA_FLAG_TC_ADDR2,
     .required = FLAGS_RECORD,
     .used = USED(DSA_DESC_RESULT, 1),
     .step = {READ_1, READ_2(1)},
     .steps = 2,
     .reads = 2,
     .work = work_compare,
     .finish = finish_compare},
    {.opcode = DSA_COMPARE_PATTERN,
     .flags = DSA_FLAG_CHECK_RESULT | DSA_FLAG_TC_ADDR1,
     .required = FLAGS_RECORD,
     .used = USED(DSA_DESC_RESULT, 1),
     .step = {READ_1},
     .steps = 1,
     .reads = 1,
     .prepare = prepare_pattern,
     .work = work_compare,
     .finish = finish_compare},
    {.opcode = DSA_DUALCAST,
     .flags = FLAGS_WRITE | DSA_FLAG_TC_ADDR1 | DSA_FLAG_TC_ADDR2 | DSA_FLAG_TC_ADDR3,
     .used = USED(DSA_DESC_RESULT, 8),
     .step = {READ_1, WRITE_2, WRITE_3},
     .steps = 3,
     .reads = 1,
     .check = check_dualcast},
    {.opcode = DSA_CRC,
     .flags = FLAGS_CRC | DSA_FLAG_TC_ADDR1,
     .required = FLAGS_RECORD,
     .used = USED(DSA_DESC_RESULT, 4) | USED(DSA_DESC_SEED_ADDR, 8),
     .no_addr2 = true,
     .step = {READ_1},
     .steps = 1,
     .reads = 1,
     .seeded = true,
     .prepare = prepare_crc,
     .work = work_crc,
     .finish = finish_crc},
    {.opcode = DSA_COPY_CRC,
     .flags = FLAGS_CRC | FLAGS_WRITE | DSA_FLAG_TC_ADDR1 | DSA_FLAG_TC_ADDR2,
     .required = FLAGS_RECORD,
     .used = USED(DSA_DESC_RESULT, 4) | USED(DSA_DESC_SEED_ADDR, 8),
     .step = {READ_1, WRITE_2},
     .steps = 2,
     .reads = 1,
     .seeded = true,
     .check = check_copy_crc,
     .prepare = prepare_crc,
     .work = work_crc,
     .finish = finish_crc},
    /* CHOICE: memory has no caches below; the pages are asked for, and writes pushed ahead. */
    {.opcode = DSA_CACHE_FLUSH,
     .flags = DSA_FLAG_CACHE | DSA_FLAG_TC_ADDR2,
     .no_addr1 = true,
     .touch = true,
     .step = {READ_2(0)},
     .steps = 1,
     .reads = 1},
};

const struct dsa_operation *dsa_operation_find(unsigned opcode)
{
    for (unsigned i = 0; i < ARRAY_LEN(dsa_operations); i++) {
        if (dsa_operations[i].opcode == opcode)
            return &dsa_operations[i];
    }
    return NULL;
}

uint64_t dsa_operation_bits(void)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < ARRAY_LEN(dsa_operations); i++)
        bits |= BIT(dsa_operations[i].opcode);
    return bits;
}
