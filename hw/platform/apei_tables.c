/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI Platform Error Interfaces: HEST, BERT and EINJ (ACPI 6.5, 18.3 and 18.6). */
#include <string.h>

#include "apei.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/platform/addrmap.h"

/* Generic Address Structure, 5.2.3.2: system memory; the access sizes. */
#define GAS_BYTES 12
enum { GAS_DWORD = 3, GAS_QWORD = 4 };

static uint8_t *grow(GByteArray *body, unsigned len)
{
    guint at = body->len;

    g_byte_array_set_size(body, at + len);
    memset(body->data + at, 0, len);
    return body->data + at;
}

static void put_gas(uint8_t *gas, unsigned bytes, uint64_t address)
{
    gas[1] = (uint8_t)(bytes * 8);
    gas[3] = bytes == 8 ? GAS_QWORD : GAS_DWORD;
    le64_store(gas + 4, address);
}

/* HEST. */

#define SOURCE_GHES_V2 10
#define NO_SOURCE      0xffff
#define NOTIFY_POLLED  0
#define NOTIFY_GSIV    10

/* Generic Hardware Error Source version 2 (table 18.10). */
enum {
    GHES_ID = 2,
    GHES_RELATED = 4,
    GHES_ENABLED = 7,
    GHES_RECORDS = 8,
    GHES_SECTIONS = 12,
    GHES_ADDRESS = 20,
    GHES_NOTIFY = 32,
    GHES_BLOCK_BYTES = 60,
    GHES_ACK = 64,
    GHES_ACK_PRESERVE = 76,
    GHES_ACK_WRITE = 84,
    GHES_BYTES = 92,
};

#define NOTIFY_BYTES 28

static void add_ghes(const struct apei *apei, GByteArray *body, unsigned id)
{
    uint8_t *p = grow(body, GHES_BYTES);

    le16_store(p, SOURCE_GHES_V2);
    le16_store(p + GHES_ID, (uint16_t)id);
    le16_store(p + GHES_RELATED, NO_SOURCE);
    p[GHES_ENABLED] = 1;
    le32_store(p + GHES_RECORDS, 1);
    le32_store(p + GHES_SECTIONS, 1);
    put_gas(p + GHES_ADDRESS, 8, apei->ram + APEI_RAM_ADDRESS + id * 8);
    p[GHES_NOTIFY] = id == APEI_CORRECTED ? NOTIFY_POLLED : NOTIFY_GSIV;
    p[GHES_NOTIFY + 1] = NOTIFY_BYTES;
    if (id == APEI_CORRECTED)
        le32_store(p + GHES_NOTIFY + 4, APEI_POLL_MS);
    else
        le32_store(p + GHES_NOTIFY + 8, MAP_APEI_GSI);
    le32_store(p + GHES_BLOCK_BYTES, APEI_BLOCK_BYTES);
    put_gas(p + GHES_ACK, 4, MAP_APEI_BASE + APEI_ACK + id * 4);
    le64_store(p + GHES_ACK_WRITE, 1);
}

/* CHOICE: without the structures of Advanced Error Reporting, which say what _OSC says too. */
void apei_hest(const struct apei *apei, GByteArray *body)
{
    le32_store(grow(body, 4), APEI_SOURCES);
    for (unsigned id = 0; id < APEI_SOURCES; id++)
        add_ghes(apei, body, id);
}

void apei_bert(const struct apei *apei, GByteArray *body)
{
    uint8_t *p = grow(body, 12);

    le32_store(p, APEI_BLOCK_BYTES);
    le64_store(p + 4, apei->ram + APEI_RAM_BOOT);
}

/* EINJ: instructions over the registers. */

enum { READ_REGISTER, READ_REGISTER_VALUE, WRITE_REGISTER, WRITE_REGISTER_VALUE };

#define ACTION_TRIGGER 0xff
#define ENTRY_BYTES    32

struct instruction {
    uint8_t action, instruction, bytes;
    uint16_t reg;
    uint64_t value;
};

static const struct instruction injection[] = {
    {0, WRITE_REGISTER_VALUE, 4, APEI_EINJ_OPERATION, EINJ_BEGIN},
    {1, READ_REGISTER, 8, APEI_EINJ_TABLE, 0},
    {2, WRITE_REGISTER, 4, APEI_EINJ_TYPE, 0},
    {3, READ_REGISTER, 4, APEI_EINJ_TYPES, 0},
    {4, WRITE_REGISTER_VALUE, 4, APEI_EINJ_OPERATION, EINJ_END},
    {5, WRITE_REGISTER_VALUE, 4, APEI_EINJ_OPERATION, EINJ_EXECUTE},
    {6, READ_REGISTER_VALUE, 4, APEI_EINJ_BUSY, 1},
    {7, READ_REGISTER, 4, APEI_EINJ_STATUS, 0},
    {8, WRITE_REGISTER, 4, APEI_EINJ_PARAMS, 0},
};
static const struct instruction triggering = {ACTION_TRIGGER, WRITE_REGISTER_VALUE, 4,
                                              APEI_EINJ_OPERATION, EINJ_TRIGGER};

/* Injection Instruction Entry (table 18.30). */
static void add_instruction(GByteArray *body, const struct instruction *instruction)
{
    uint8_t *p = grow(body, ENTRY_BYTES);

    p[0] = instruction->action;
    p[1] = instruction->instruction;
    put_gas(p + 4, instruction->bytes, MAP_APEI_BASE + instruction->reg);
    le64_store(p + 16, instruction->value);
    le64_store(p + 24, low_mask(instruction->bytes * 8u));
}

void apei_einj(const struct apei *apei, GByteArray *body)
{
    uint8_t *p = grow(body, 12);

    le32_store(p, 48); /* up to the first entry */
    le32_store(p + 8, ARRAY_LEN(injection));
    for (unsigned i = 0; i < ARRAY_LEN(injection); i++)
        add_instruction(body, &injection[i]);
}

/* Table 18.35. */
void apei_trigger_table(const struct apei *apei, GByteArray *table)
{
    uint8_t *p = grow(table, 16);

    le32_store(p, 16);
    le32_store(p + 4, 1); /* revision */
    le32_store(p + 8, 16 + ENTRY_BYTES);
    le32_store(p + 12, 1);
    add_instruction(table, &triggering);
}
