/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Administrative commands (DSA 1.0, 9.2, CMD). A command checks, begins by closing queues or
 * throwing away what they hold, waits until no engine works on what it concerns, and then takes
 * effect. One is under way at a time.
 */
#include "dsa.h"

#define COMMAND_PS PS_PER_US /* CHOICE: the least that a command takes */

enum operand { NOTHING, A_QUEUE, QUEUES, A_PASID };

struct command {
    enum operand operand;
    enum dsa_command_error (*check)(struct dsa *dev, uint32_t operand);
    bool close; /* queues take nothing more */
    bool abort; /* what waits and what is at work is dropped */
    bool waits; /* for descriptors that came before */
    void (*effect)(struct dsa *dev);
};

/* Checks. */

static enum dsa_command_error check_sizes(const struct dsa *dev)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < dev->queues; i++)
        sum += dsa_wq_get(&dev->wq[i], DSA_WQ_SIZE);
    return sum > DSA_ENTRIES ? DSA_CMD_SIZES : DSA_CMD_OK;
}

/* Everything is in at most one group, queues with a size in exactly one. */
static enum dsa_command_error check_groups(const struct dsa *dev)
{
    uint64_t queues = 0, engines = 0, reserved = 0;

    for (unsigned i = 0; i < DSA_GROUPS; i++) {
        uint64_t q = dsa_group_get(dev, i, DSA_GRP_QUEUES);
        uint64_t e = dsa_group_get(dev, i, DSA_GRP_ENGINES);
        uint64_t flags = dsa_group_get(dev, i, DSA_GRP_FLAGS);

        if (!q != !e)
            return DSA_CMD_GROUP_LACKS;
        if (q & queues)
            return DSA_CMD_GROUP_WQ;
        if (e & engines)
            return DSA_CMD_GROUP_ENGINE;
        if (FIELD_GET(DSA_GRP_ALLOWED, flags) > DSA_BUFFERS ||
            FIELD_GET(DSA_GRP_RESERVED, flags) > FIELD_GET(DSA_GRP_ALLOWED, flags))
            return DSA_CMD_GROUP_BUFFERS;
        queues |= q;
        engines |= e;
        reserved += FIELD_GET(DSA_GRP_RESERVED, flags);
    }
    for (unsigned i = 0; i < dev->queues; i++) {
        if (!(queues >> i & 1) != !dsa_wq_get(&dev->wq[i], DSA_WQ_SIZE))
            return DSA_CMD_GROUP_WQ;
    }
    return reserved > DSA_BUFFERS ? DSA_CMD_GROUP_BUFFERS : DSA_CMD_OK;
}

static enum dsa_command_error check_enable_device(struct dsa *dev, uint32_t operand)
{
    enum dsa_command_error error;

    if (dsa_state(dev) != DSA_STATE_DISABLED)
        return DSA_CMD_NOT_DISABLED;
    if (!pci_func_bus_master(dev->pci))
        return DSA_CMD_NO_MASTER;
    error = check_sizes(dev);
    return error ? error : check_groups(dev);
}

static enum dsa_command_error check_device_on(struct dsa *dev, uint32_t operand)
{
    return dsa_state(dev) == DSA_STATE_ENABLED ? DSA_CMD_OK : DSA_CMD_NOT_ENABLED;
}

static enum dsa_command_error check_queue_pasid(const struct dsa *dev, uint32_t mode)
{
    const struct tlp_pasid plain = {0}, privileged = {.privileged = true};

    if (!(mode & DSA_WQ_HAS_PASID))
        return DSA_CMD_OK;
    if (!pci_pasid_allowed(dev->pci, &plain))
        return DSA_CMD_WQ_PASID;
    if ((mode & DSA_WQ_DEDICATED) && (mode & DSA_WQ_PRIVILEGED) &&
        !pci_pasid_allowed(dev->pci, &privileged))
        return DSA_CMD_WQ_PRIVILEGE;
    return DSA_CMD_OK;
}

static enum dsa_command_error check_enable_queue(struct dsa *dev, uint32_t operand)
{
    const struct dsa_wq *wq = &dev->wq[operand];
    uint32_t mode = dsa_wq_get(wq, DSA_WQ_MODE), limits = dsa_wq_get(wq, DSA_WQ_LIMITS);
    uint64_t gencap = reg_get(dev->regs, DSA_GENCAP);

    if (dsa_state(dev) != DSA_STATE_ENABLED)
        return DSA_CMD_DEVICE_OFF;
    if (wq->state != DSA_WQ_OFF)
        return DSA_CMD_WQ_NOT_DISABLED;
    if (!dsa_wq_get(wq, DSA_WQ_SIZE))
        return DSA_CMD_WQ_SIZE;
    if (!FIELD_GET(DSA_WQ_PRIORITY, mode))
        return DSA_CMD_WQ_PRIORITY;
    if (FIELD_GET(DSA_WQ_BATCH_SHIFT, limits) > FIELD_GET(DSA_GENCAP_BATCH_SHIFT, gencap))
        return DSA_CMD_WQ_BATCH;
    if (FIELD_GET(DSA_WQ_TRANSFER_SHIFT, limits) > FIELD_GET(DSA_GENCAP_TRANSFER_SHIFT, gencap))
        return DSA_CMD_WQ_TRANSFER;
    return check_queue_pasid(dev, mode);
}

static enum dsa_command_error check_queues_on(struct dsa *dev, uint32_t operand)
{
    for (unsigned i = 0; i < dev->queues; i++) {
        if (operand >> i & 1 && dev->wq[i].state == DSA_WQ_OFF)
            return DSA_CMD_WQ_NOT_ENABLED;
    }
    return DSA_CMD_OK;
}

/* Effects; the queues concerned are dev->scope.queues. */

static void set_state(struct dsa *dev, unsigned state)
{
    reg_set(dev->regs, DSA_GENSTS, FIELD_PREP(DSA_GENSTS_STATE, state));
}

static void effect_enable_device(struct dsa *dev)
{
    set_state(dev, DSA_STATE_ENABLED);
}

static void set_queues(struct dsa *dev, enum dsa_wq_state state)
{
    for (unsigned i = 0; i < dev->queues; i++) {
        if (dev->scope.queues >> i & 1)
            dev->wq[i].state = state;
    }
}

static void effect_disable_queues(struct dsa *dev)
{
    set_queues(dev, DSA_WQ_OFF);
}

static void effect_disable_device(struct dsa *dev)
{
    set_queues(dev, DSA_WQ_OFF);
    set_state(dev, DSA_STATE_DISABLED);
}

static void effect_reset_device(struct dsa *dev)
{
    set_queues(dev, DSA_WQ_OFF);
    dsa_regs_reset(dev);
}

static void effect_enable_queue(struct dsa *dev)
{
    set_queues(dev, DSA_WQ_ON);
}

static void effect_reset_queues(struct dsa *dev)
{
    set_queues(dev, DSA_WQ_OFF);
    for (unsigned i = 0; i < dev->queues; i++) {
        if (dev->scope.queues >> i & 1)
            dsa_wq_regs_reset(&dev->wq[i]);
    }
}

static const struct command commands[DSA_COMMANDS] = {
    [DSA_ENABLE_DEVICE] = {.check = check_enable_device, .effect = effect_enable_device},
    [DSA_DISABLE_DEVICE] = {.check = check_device_on,
                            .close = true,
                            .waits = true,
                            .effect = effect_disable_device},
    [DSA_DRAIN_ALL] = {.check = check_device_on, .waits = true},
    [DSA_ABORT_ALL] = {.check = check_device_on, .abort = true, .waits = true},
    [DSA_RESET_DEVICE] = {.close = true,
                          .abort = true,
                          .waits = true,
                          .effect = effect_reset_device},
    [DSA_ENABLE_WQ] = {A_QUEUE, check_enable_queue, .effect = effect_enable_queue},
    [DSA_DISABLE_WQ] = {QUEUES, check_queues_on, .close = true, .waits = true,
                        .effect = effect_disable_queues},
    [DSA_DRAIN_WQ] = {QUEUES, check_queues_on, .waits = true},
    [DSA_ABORT_WQ] = {QUEUES, check_queues_on, .abort = true, .waits = true},
    [DSA_RESET_WQ] = {QUEUES, check_queues_on, .close = true, .abort = true, .waits = true,
                      .effect = effect_reset_queues},
    [DSA_DRAIN_PASID] = {A_PASID, check_device_on, .waits = true},
    [DSA_ABORT_PASID] = {A_PASID, check_device_on, .abort = true, .waits = true},
};

bool dsa_scope_has(const struct dsa_scope *scope, const struct dsa_wq *wq, uint64_t seq,
                   uint32_t pasid)
{
    return scope->queues >> wq->number & 1 && seq < scope->before &&
           (!scope->by_pasid || scope->pasid == pasid);
}

static bool engine_concerned(const struct dsa_engine *engine, const struct dsa_scope *scope)
{
    const struct dsa_desc *desc = engine->in_batch ? &engine->batch : &engine->desc;

    return engine->stage != DSA_IDLE &&
           dsa_scope_has(scope, engine->wq, engine->seq,
                         desc->has_pasid ? desc->pasid.pasid : UINT32_MAX);
}

static bool still_busy(const struct dsa *dev)
{
    for (unsigned i = 0; i < dev->engines; i++) {
        if (engine_concerned(&dev->engine[i], &dev->scope))
            return true;
    }
    for (unsigned i = 0; i < dev->queues; i++) {
        if (dsa_wq_has(&dev->wq[i], &dev->scope))
            return true;
    }
    return false;
}

static const struct command *command_now(const struct dsa *dev)
{
    return &commands[FIELD_GET(DSA_CMD_CODE, reg_get(dev->regs, DSA_CMD))];
}

static bool command_active(const struct dsa *dev)
{
    return reg_get(dev->regs, DSA_CMDSTS) & DSA_CMDSTS_ACTIVE;
}

static void command_end(struct dsa *dev, enum dsa_command_error error)
{
    bool interrupt = reg_get(dev->regs, DSA_CMD) & DSA_CMD_INTERRUPT;

    reg_set(dev->regs, DSA_CMDSTS, error);
    if (interrupt)
        dsa_cause(dev, DSA_CAUSE_COMMAND, true);
}

void dsa_command_look(struct dsa *dev)
{
    if (!command_active(dev) || sim_event_pending(&dev->command))
        return;
    if (command_now(dev)->waits && still_busy(dev))
        return;
    if (command_now(dev)->effect)
        command_now(dev)->effect(dev);
    command_end(dev, DSA_CMD_OK);
}

static void command_timer(void *opaque)
{
    dsa_command_look(opaque);
}

/* What is at work ends at its next step, without a record. */
static void abort_work(struct dsa *dev)
{
    for (unsigned i = 0; i < dev->queues; i++)
        dsa_wq_forget(&dev->wq[i], &dev->scope);
    for (unsigned i = 0; i < dev->engines; i++) {
        if (engine_concerned(&dev->engine[i], &dev->scope)) {
            dev->engine[i].aborted = true;
            dsa_engine_look(&dev->engine[i]);
        }
    }
}

static void command_begin(struct dsa *dev, const struct command *command)
{
    if (command->close)
        set_queues(dev, DSA_WQ_STOPPING);
    if (command->abort)
        abort_work(dev);
    sim_schedule_in(dev->sim, &dev->command, COMMAND_PS);
}

/* What the operand means; an error if nothing. */
static enum dsa_command_error read_operand(struct dsa *dev, enum operand kind, uint32_t *operand)
{
    dev->scope = (struct dsa_scope){.queues = (uint32_t)low_mask(dev->queues), .before = dev->seq};
    switch (kind) {
    case NOTHING: break;
    case A_QUEUE:
        if (*operand >= dev->queues)
            return DSA_CMD_BAD_WQ;
        dev->scope.queues = 1u << *operand;
        break;
    case QUEUES: /* a mask of sixteen, and which sixteen */
        if (*operand >> dev->queues)
            return DSA_CMD_BAD_WQ;
        dev->scope.queues = *operand;
        break;
    case A_PASID:
        dev->scope.by_pasid = true;
        dev->scope.pasid = *operand;
        break;
    }
    return DSA_CMD_OK;
}

static bool reserved_bits(uint64_t command)
{
    return command & ~(DSA_CMD_OPERAND | DSA_CMD_CODE | DSA_CMD_INTERRUPT);
}

void dsa_command_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct dsa *dev = reg_space_owner(space);
    unsigned code = (unsigned)FIELD_GET(DSA_CMD_CODE, write->new_value);
    uint32_t operand = (uint32_t)FIELD_GET(DSA_CMD_OPERAND, write->new_value);
    enum dsa_command_error error = DSA_CMD_BAD_CODE;

    if (command_active(dev)) {
        reg_set(space, offset, write->old_value);
        dsa_rule(dev, "a command while one is under way");
        return;
    }
    if (code >= DSA_ENABLE_DEVICE && code < DSA_COMMANDS && !reserved_bits(write->new_value)) {
        error = dsa_state(dev) == DSA_STATE_HALTED
                    ? DSA_CMD_HARDWARE
                    : read_operand(dev, commands[code].operand, &operand);
        if (!error && commands[code].check)
            error = commands[code].check(dev, operand);
    }
    if (error) {
        command_end(dev, error);
        return;
    }
    reg_set(space, DSA_CMDSTS, DSA_CMDSTS_ACTIVE);
    command_begin(dev, &commands[code]);
}

void dsa_command_init(struct dsa *dev)
{
    sim_event_init(&dev->command, command_timer, dev);
}

/* CHOICE: the device halts when it may not reach memory although it was enabled, and then wants a
 * Function Level Reset. */
void dsa_halt(struct dsa *dev)
{
    static const struct dsa_scope all = {.queues = UINT32_MAX, .before = UINT64_MAX};

    if (dsa_state(dev) == DSA_STATE_HALTED)
        return;
    dsa_rule(dev, "halted: no way to memory");
    reg_set(dev->regs, DSA_GENSTS,
            FIELD_PREP(DSA_GENSTS_STATE, DSA_STATE_HALTED) |
                FIELD_PREP(DSA_GENSTS_RESET, DSA_NEEDS_FLR));
    for (unsigned i = 0; i < dev->queues; i++) {
        dev->wq[i].state = DSA_WQ_OFF;
        dsa_wq_forget(&dev->wq[i], &all);
    }
    sim_cancel(dev->sim, &dev->command);
    if (command_active(dev))
        command_end(dev, DSA_CMD_HARDWARE);
    dsa_cause(dev, DSA_CAUSE_HALT, reg_get(dev->regs, DSA_GENCTRL) & DSA_GENCTRL_HALT);
}
