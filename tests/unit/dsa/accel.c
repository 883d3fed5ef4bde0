/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "accel.h"

#include <string.h>

void accel_open(struct accel *a, unsigned queues, unsigned engines)
{
    struct dsa_params params = {.name = "dsa", .queues = queues, .engines = engines, .ats = true};

    params.pcie.type = PCIE_ENDPOINT;
    a->mock = mock_new(ACCEL_RAM);
    a->mock->pasid = true;
    a->ep = dsa_new(mock_fabric(a->mock), &params);
    a->func = mock_func(a->ep, 0);
    mock_set_msix(a->func, true);
}

void accel_close(struct accel *a)
{
    endpoint_free(a->ep);
    mock_free(a->mock);
}

uint64_t accel_get(struct accel *a, unsigned offset, unsigned len)
{
    return mock_read(a->func, 0, offset, len);
}

void accel_set(struct accel *a, unsigned offset, unsigned len, uint64_t value)
{
    mock_write(a->func, 0, offset, len, value);
}

unsigned accel_command(struct accel *a, enum dsa_command code, unsigned operand)
{
    accel_set(a, DSA_CMD, 4, FIELD_PREP(DSA_CMD_CODE, code) | operand);
    for (unsigned i = 0; i < 1000 && accel_get(a, DSA_CMDSTS, 4) & DSA_CMDSTS_ACTIVE; i++)
        mock_run(a->mock, PS_PER_US);
    return (unsigned)accel_get(a, DSA_CMDSTS, 4);
}

void accel_configure_queue(struct accel *a, unsigned queue, unsigned size, uint32_t mode)
{
    unsigned at = DSA_WQCFG + queue * DSA_WQCFG_STRIDE;

    accel_set(a, at + DSA_WQ_SIZE, 4, size);
    accel_set(a, at + DSA_WQ_THRESHOLD, 4, size / 2);
    accel_set(a, at + DSA_WQ_MODE, 4, mode | FIELD_PREP(DSA_WQ_PRIORITY, 10));
    accel_set(a, at + DSA_WQ_LIMITS, 4,
              FIELD_PREP(DSA_WQ_TRANSFER_SHIFT, 20) | FIELD_PREP(DSA_WQ_BATCH_SHIFT, 6));
}

void accel_start(struct accel *a)
{
    accel_configure_queue(a, 0, 16, DSA_WQ_DEDICATED);
    accel_configure_queue(a, 1, 16, 0);
    accel_set(a, DSA_GRPCFG + DSA_GRP_QUEUES, 8, 3);
    accel_set(a, DSA_GRPCFG + DSA_GRP_ENGINES, 8, 0xff);
    accel_command(a, DSA_ENABLE_DEVICE, 0);
    accel_command(a, DSA_ENABLE_WQ, 0);
    accel_command(a, DSA_ENABLE_WQ, 1);
}

struct accel_desc accel_desc(enum dsa_opcode opcode, unsigned index, uint64_t addr1, uint64_t addr2,
                             uint32_t size)
{
    struct accel_desc desc = {0};

    desc.raw[DSA_DESC_OPCODE] = (uint8_t)opcode;
    accel_set_flags(&desc, DSA_FLAG_RECORD_VALID | DSA_FLAG_RECORD);
    le64_store(desc.raw + DSA_DESC_COMPLETION, ACCEL_RECORD + index * DSA_RECORD_BYTES);
    le64_store(desc.raw + DSA_DESC_ADDR1, addr1);
    le64_store(desc.raw + DSA_DESC_ADDR2, addr2);
    le32_store(desc.raw + DSA_DESC_SIZE, size);
    return desc;
}

uint32_t accel_flags(const struct accel_desc *desc)
{
    return le32_load(desc->raw + DSA_DESC_FLAGS) & 0xffffff;
}

void accel_set_flags(struct accel_desc *desc, uint32_t flags)
{
    le32_store(desc->raw + DSA_DESC_FLAGS, flags | (uint32_t)desc->raw[DSA_DESC_OPCODE] << 24);
}

void accel_submit(struct accel *a, unsigned queue, const struct accel_desc *desc)
{
    mock_write_bytes(a->func, 2, queue * DSA_PORTALS_BYTES, desc->raw, DSA_DESC_BYTES);
}

const uint8_t *accel_record(struct accel *a, unsigned index)
{
    return a->mock->ram + ACCEL_RECORD + index * DSA_RECORD_BYTES;
}

const uint8_t *accel_do(struct accel *a, const struct accel_desc *desc, unsigned index)
{
    memset(a->mock->ram + ACCEL_RECORD + index * DSA_RECORD_BYTES, 0, DSA_RECORD_BYTES);
    accel_submit(a, 0, desc);
    mock_run(a->mock, PS_PER_MS);
    return accel_record(a, index);
}
