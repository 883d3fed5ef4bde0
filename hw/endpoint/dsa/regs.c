/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of BAR 0 (DSA 1.0, 9.2). */
#include "dsa.h"

#define ROW(n, where, bytes) .name = n, .clause = "DSA 1.0 9.2", .offset = where, .width = bytes

/* CHOICE: the sizes of the device; 2 GiB and 1024 descriptors are what the first silicon has. */
#define TRANSFER_SHIFT 31
#define BATCH_SHIFT    10

#define GENCAP                                                                                     \
    (DSA_GENCAP_BLOCK_ON_FAULT | DSA_GENCAP_OVERLAP | DSA_GENCAP_CACHE_MEMORY |                    \
     DSA_GENCAP_CACHE_FLUSH | DSA_GENCAP_COMMANDS |                                                \
     FIELD_PREP(DSA_GENCAP_TRANSFER_SHIFT, TRANSFER_SHIFT) |                                       \
     FIELD_PREP(DSA_GENCAP_BATCH_SHIFT, BATCH_SHIFT) | DSA_GENCAP_CONFIGURABLE)
#define WQCAP                                                                                      \
    (FIELD_PREP(DSA_WQCAP_ENTRIES, DSA_ENTRIES) | DSA_WQCAP_SHARED | DSA_WQCAP_DEDICATED |         \
     DSA_WQCAP_PRIORITY | DSA_WQCAP_OCCUPANCY)
/* CHOICE: read buffers are counted and checked; they limit nothing. */
#define GRPCAP                                                                                     \
    (FIELD_PREP(DSA_GRPCAP_GROUPS, DSA_GROUPS) | FIELD_PREP(DSA_GRPCAP_BUFFERS, DSA_BUFFERS) |     \
     DSA_GRPCAP_CONTROL | DSA_GRPCAP_LIMIT)
#define OFFSETS                                                                                    \
    ((uint64_t)(DSA_GRPCFG >> 8) | (uint64_t)(DSA_WQCFG >> 8) << 16 |                              \
     (uint64_t)(DSA_MSIXPERM >> 8) << 32)
#define CMDCAP        GENMASK(DSA_COMMANDS - 1, DSA_ENABLE_DEVICE)
#define CAUSES        (DSA_CAUSE_SWERR | DSA_CAUSE_COMMAND | DSA_CAUSE_HALT)
#define PERM_WRITABLE (DSA_PERM_IGNORE | DSA_PERM_HAS_PASID | DSA_PERM_PASID)
#define GRP_WRITABLE                                                                               \
    (DSA_GRP_TC_A | DSA_GRP_TC_B | DSA_GRP_LIMITED | DSA_GRP_RESERVED | DSA_GRP_ALLOWED)
#define GRP_RESET (FIELD_PREP(DSA_GRP_TC_B, 1) | FIELD_PREP(DSA_GRP_ALLOWED, DSA_BUFFERS))
#define MODE_WRITABLE                                                                              \
    (DSA_WQ_DEDICATED | DSA_WQ_BLOCK_ON_FAULT | DSA_WQ_NO_ATS | DSA_WQ_PRIORITY | DSA_WQ_PASID |   \
     DSA_WQ_HAS_PASID | DSA_WQ_PRIVILEGED)

static void put_back(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct dsa *dev = reg_space_owner(space);

    reg_set(space, offset, write->old_value);
    if (write->old_value != write->new_value)
        dsa_rule(dev, "configuration is written that is read-only while enabled");
}

/* What is configured while the device is disabled. */
static void device_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    if (dsa_state(reg_space_owner(space)) != DSA_STATE_DISABLED)
        put_back(space, offset, write);
}

/* What is configured while the queue is disabled. */
static void queue_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct dsa *dev = reg_space_owner(space);

    if (dev->wq[(offset - DSA_WQCFG) / DSA_WQCFG_STRIDE].state != DSA_WQ_OFF)
        put_back(space, offset, write);
}

static uint64_t queue_state_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    struct dsa *dev = reg_space_owner(space);
    const struct dsa_wq *wq = &dev->wq[(offset - DSA_WQCFG) / DSA_WQCFG_STRIDE];

    return wq->count | (wq->state != DSA_WQ_OFF ? DSA_WQ_ENABLED : 0);
}

static const struct reg_def device_regs[] = {
    {ROW("version", DSA_VERSION, 4), .reset = DSA_VERSION_1},
    {ROW("gencap", DSA_GENCAP, 8), .reset = GENCAP},
    {ROW("wqcap", DSA_WQCAP, 8)},
    {ROW("grpcap", DSA_GRPCAP, 8), .reset = GRPCAP},
    {ROW("engcap", DSA_ENGCAP, 8)},
    {ROW("opcap_0", DSA_OPCAP, 8)},
    {ROW("opcap_1", DSA_OPCAP + 8, 8)},
    {ROW("opcap_2", DSA_OPCAP + 16, 8)},
    {ROW("opcap_3", DSA_OPCAP + 24, 8)},
    {ROW("offsets", DSA_OFFSETS, 8), .reset = OFFSETS},
    {ROW("offsets_high", DSA_OFFSETS + 8, 8)},
    {ROW("gencfg", DSA_GENCFG, 4), .rw = DSA_GENCFG_LIMIT | DSA_GENCFG_USER_INTS},
    {ROW("genctrl", DSA_GENCTRL, 4), .rw = DSA_GENCTRL_SWERR | DSA_GENCTRL_HALT},
    {ROW("gensts", DSA_GENSTS, 4)},
    {ROW("intcause", DSA_INTCAUSE, 4), .rw1c = CAUSES},
    {ROW("cmd", DSA_CMD, 4), .rw = 0xffffffff, .on_write = dsa_command_written},
    {ROW("cmdsts", DSA_CMDSTS, 4)},
    {ROW("cmdcap", DSA_CMDCAP, 4), .reset = CMDCAP},
    {ROW("swerr_0", DSA_SWERR, 8), .rw1c = DSA_SWERR_VALID | DSA_SWERR_OVERFLOW},
    {ROW("swerr_1", DSA_SWERR + 8, 8)},
    {ROW("swerr_2", DSA_SWERR + 16, 8)},
    {ROW("swerr_3", DSA_SWERR + 24, 8)},
};

static const struct reg_def group_regs[] = {
    {ROW("grpwqcfg_0", DSA_GRP_QUEUES, 8), .on_write = device_written},
    {ROW("grpwqcfg_1", DSA_GRP_QUEUES + 8, 8)},
    {ROW("grpwqcfg_2", DSA_GRP_QUEUES + 16, 8)},
    {ROW("grpwqcfg_3", DSA_GRP_QUEUES + 24, 8)},
    {ROW("grpengcfg", DSA_GRP_ENGINES, 8), .on_write = device_written},
    {ROW("grpflags", DSA_GRP_FLAGS, 8), .rw = GRP_WRITABLE, .reset = GRP_RESET,
     .on_write = device_written},
};

static const struct reg_def wq_regs[] = {
    {ROW("wq_size", DSA_WQ_SIZE, 4), .rw = 0xffff, .on_write = device_written},
    {ROW("wq_threshold", DSA_WQ_THRESHOLD, 4), .rw = 0xffff},
    {ROW("wq_mode", DSA_WQ_MODE, 4), .rw = MODE_WRITABLE, .on_write = queue_written},
    {ROW("wq_limits", DSA_WQ_LIMITS, 4), .rw = DSA_WQ_TRANSFER_SHIFT | DSA_WQ_BATCH_SHIFT,
     .on_write = queue_written},
    {ROW("wq_occupancy_handle", 16, 4)},
    {ROW("wq_occupancy_limit", 20, 4)},
    {ROW("wq_state", DSA_WQ_STATE, 4), .on_read = queue_state_read},
    {ROW("wq_reserved", 28, 4)},
};

static const struct reg_def perm_regs[] = {
    {ROW("msixperm", 0, 8), .rw = PERM_WRITABLE},
};

const struct reg_def *dsa_registers(unsigned *count)
{
    *count = ARRAY_LEN(device_regs);
    return device_regs;
}

const struct reg_def *dsa_wq_registers(unsigned *count)
{
    *count = ARRAY_LEN(wq_regs);
    return wq_regs;
}

const struct reg_def *dsa_group_registers(unsigned *count)
{
    *count = ARRAY_LEN(group_regs);
    return group_regs;
}

void dsa_regs_place(struct dsa *dev)
{
    uint64_t wqcap = WQCAP | FIELD_PREP(DSA_WQCAP_QUEUES, dev->queues);

    dev->regs = reg_space_new(DSA_REGS_BYTES, dev);
    reg_space_place(dev->regs, 0, device_regs, ARRAY_LEN(device_regs));
    for (unsigned i = 0; i < DSA_GROUPS; i++) {
        unsigned at = DSA_GRPCFG + i * DSA_GRPCFG_STRIDE;

        reg_space_place(dev->regs, at, group_regs, ARRAY_LEN(group_regs));
        reg_set_rw_mask(dev->regs, at + DSA_GRP_QUEUES, low_mask(dev->queues));
        reg_set_rw_mask(dev->regs, at + DSA_GRP_ENGINES, low_mask(dev->engines));
    }
    for (unsigned i = 0; i < dev->queues; i++)
        reg_space_place(dev->regs, DSA_WQCFG + i * DSA_WQCFG_STRIDE, wq_regs, ARRAY_LEN(wq_regs));
    for (unsigned i = 0; i <= dev->queues; i++)
        reg_space_place(dev->regs, DSA_MSIXPERM + i * DSA_PERM_STRIDE, perm_regs,
                        ARRAY_LEN(perm_regs));
    reg_hwinit(dev->regs, DSA_WQCAP, wqcap | (dev->ats ? DSA_WQCAP_ATS : 0));
    reg_hwinit(dev->regs, DSA_ENGCAP, dev->engines);
    reg_hwinit(dev->regs, DSA_OPCAP, dsa_operation_bits());
    reg_space_reset(dev->regs, REG_RESET_COLD);
}

void dsa_regs_reset(struct dsa *dev)
{
    uint64_t causes = reg_get(dev->regs, DSA_INTCAUSE);
    uint64_t command = reg_get(dev->regs, DSA_CMD), status = reg_get(dev->regs, DSA_CMDSTS);

    reg_space_reset(dev->regs, REG_RESET_COLD);
    reg_set(dev->regs, DSA_INTCAUSE, causes);
    reg_set(dev->regs, DSA_CMD, command);
    reg_set(dev->regs, DSA_CMDSTS, status);
}

/* CHOICE: the size stays, since it can only be set while the device is disabled. */
void dsa_wq_regs_reset(struct dsa_wq *wq)
{
    unsigned at = DSA_WQCFG + wq->number * DSA_WQCFG_STRIDE;

    reg_set(wq->dev->regs, at + DSA_WQ_THRESHOLD, 0);
    reg_set(wq->dev->regs, at + DSA_WQ_MODE, 0);
    reg_set(wq->dev->regs, at + DSA_WQ_LIMITS, 0);
}

int dsa_group_of(const struct dsa *dev, unsigned reg, unsigned number)
{
    for (unsigned i = 0; i < DSA_GROUPS; i++) {
        if (dsa_group_get(dev, i, reg) >> number & 1)
            return (int)i;
    }
    return -1;
}

/* One interrupt for each cause that comes up (9.2, INTCAUSE). */
void dsa_cause(struct dsa *dev, uint32_t cause, bool interrupt)
{
    bool was = reg_get(dev->regs, DSA_INTCAUSE) & cause;

    reg_update(dev->regs, DSA_INTCAUSE, cause, cause);
    if (interrupt && !was)
        endpoint_interrupt(dev->func, 0);
}

void dsa_rule(struct dsa *dev, const char *text)
{
    trace_say(endpoint_trace(dev->func), TRACE_RULE, "dsa", "%s", text);
}
