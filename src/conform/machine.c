/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accesses to a machine without a guest. */
#include "machine.h"

#include <assert.h>

#include "pcilab/base/le.h"
#include "pcilab/platform/enumerate.h"
#include "pcilab/platform/probe.h"

struct waiting {
    struct root_request request;
    enum tlp_status status;
    bool done;
};

static void ignore_output(void *opaque, uint8_t byte)
{
}

struct machine *conform_machine_new(const struct machine_desc *desc, GError **error)
{
    struct machine_options options = {.console = {.output = ignore_output}};
    struct machine *machine = machine_new(desc, &options, error);

    if (machine && !machine_enumerate(machine, error)) {
        machine_free(machine);
        return NULL;
    }
    return machine;
}

void conform_machine_run(struct machine *machine, uint64_t ps)
{
    struct sim *sim = machine_sim(machine);

    sim_run_until(sim, sim->now_ps + ps);
}

static void request_done(struct root_request *request, enum tlp_status status)
{
    struct waiting *waiting = request->opaque;

    waiting->status = status;
    waiting->done = true;
}

static enum tlp_status submit(struct machine *machine, struct root_complex *rc,
                              struct waiting *waiting)
{
    waiting->request.done = request_done;
    waiting->request.opaque = waiting;
    root_submit(rc, &waiting->request);
    while (!waiting->done) {
        bool ran = sim_run_one(machine_sim(machine), SIM_NEVER);

        assert(ran && "a request of the host is answered or times out");
    }
    return waiting->status;
}

enum tlp_status conform_machine_config(struct machine *machine, bool write, uint16_t segment,
                                       uint16_t rid, unsigned offset, unsigned len, uint32_t *value)
{
    struct root_complex *rc = machine_root_at(machine, segment, rid >> 8);
    struct waiting waiting = {.request = {.kind = write ? ROOT_CFG_WRITE : ROOT_CFG_READ,
                                          .size_bytes = len,
                                          .addr = (uint64_t)rid << 12 | offset}};
    enum tlp_status status;

    if (!rc) {
        *value = 0xffffffff;
        return TLP_UR;
    }
    le32_store(waiting.request.data, *value);
    status = submit(machine, rc, &waiting);
    if (!write)
        *value = (uint32_t)le_load(waiting.request.data, len);
    return status;
}

enum tlp_status conform_machine_access(struct machine *machine, enum root_request_kind kind,
                                       uint64_t addr, unsigned len, uint64_t *value)
{
    struct root_complex *rc = machine_route(machine, kind, addr);
    struct waiting waiting = {.request = {.kind = kind, .size_bytes = len, .addr = addr}};
    enum tlp_status status;

    if (!rc) {
        *value = ~0ull;
        return TLP_UR;
    }
    le64_store(waiting.request.data, *value);
    status = submit(machine, rc, &waiting);
    *value = le_load(waiting.request.data, len);
    return status;
}
