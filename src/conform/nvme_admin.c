/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Admin commands and their errors (NVM Express Base 2.0, chapter 5). */
#include "nvme_lab.h"
#include "tables.h"

#define SIZE ((NVME_ENTRIES - 1u) << 16)

/* A command, and the status that it must have; a second one where the document leaves a choice. */
struct command_rule {
    unsigned queue;
    struct nvme_command command;
    unsigned status, or ;
};

NVME_PROCEDURE(command, true)
{
    const struct command_rule *rule = t->assertion->param;
    struct nvme_completion done;
    unsigned status = nlab_run(n, rule->queue, &rule->command, &done);

    t_check(t, status == rule->status || (rule->or &&status == rule->or),
            status > 0x7ff ? "nothing comes back" : "the status is %03xh, not %03xh", status,
            rule->status);
    /* What follows is executed as if nothing had been. */
    t_check(t, nlab_run(n, 1, &(struct nvme_command){.opcode = 0, .nsid = 1}, &done) == 0,
            "a Flush has status %03xh then", done.status);
}

#define COMMAND(i, sec, text, q, st, alt, ...)                                                     \
    NVME_RULE(i, sec, command,                                                                     \
              (&(const struct command_rule){q, {__VA_ARGS__}, .status = st, .or = alt}), text)
#define ADMIN(i, sec, st, text, ...) COMMAND(i, sec, text, 0, st, 0, __VA_ARGS__)

/* What the capabilities decide. */

NVME_PROCEDURE(contiguous, true)
{
    const uint8_t *opcode = t->assertion->param;
    unsigned status;

    if (!(nlab_get(n, 0, 8) & 0x10000)) {
        t_skip(t, "CAP.CQR is 0");
        return;
    }
    status =
        nlab_run(n, 0,
                 &(struct nvme_command){
                     .opcode = *opcode, .prp1 = NVME_DATA, .cdw10 = SIZE | 2, .cdw11 = 1u << 16},
                 NULL);
    t_check(t, status == 0x002, "the status is %03xh", status);
}

NVME_PROCEDURE(too_large, true)
{
    const uint8_t *opcode = t->assertion->param;
    unsigned most = nlab_get(n, 0, 8) & 0xffff, status;

    if (most == 0xffff) {
        t_skip(t, "queues of all sizes are supported");
        return;
    }
    status = nlab_run(n, 0,
                      &(struct nvme_command){.opcode = *opcode,
                                             .prp1 = NVME_DATA,
                                             .cdw10 = (most + 1) << 16 | 2,
                                             .cdw11 = 1u << 16 | 1},
                      NULL);
    t_check(t, status == 0x102, "the status is %03xh", status);
}

NVME_PROCEDURE(deleted, true)
{
    struct nvme_completion done;

    t_check(t, nlab_run(n, 0, &(struct nvme_command){.opcode = 0x00, .cdw10 = 1}, &done) == 0,
            "deleting the submission queue has status %03xh", done.status);
    t_check(t, nlab_run(n, 0, &(struct nvme_command){.opcode = 0x04, .cdw10 = 1}, &done) == 0,
            "deleting the completion queue has status %03xh", done.status);
    t_check(t, nlab_run(n, 0, &(struct nvme_command){.opcode = 0x00, .cdw10 = 1}, &done) == 0x101,
            "deleting it again has status %03xh", done.status);
}

/* Identify. */

NVME_PROCEDURE(identify_controller, false)
{
    unsigned status = nlab_identify(n, 1, 0);

    t_check(t, status == 0, "the status is %03xh", status);
    t_check(t, nlab_ram(n, NVME_DATA + 80, 4) == nlab_get(n, 8, 4), "VER is %08x, VS %08x",
            (unsigned)nlab_ram(n, NVME_DATA + 80, 4), (unsigned)nlab_get(n, 8, 4));
    t_check(t, (nlab_ram(n, NVME_DATA + 512, 1) & 0xf) == 6, "SQES is %02x",
            (unsigned)nlab_ram(n, NVME_DATA + 512, 1));
    t_check(t, (nlab_ram(n, NVME_DATA + 513, 1) & 0xf) == 4, "CQES is %02x",
            (unsigned)nlab_ram(n, NVME_DATA + 513, 1));
    t_check(t, nlab_ram(n, NVME_DATA + 516, 4) >= 1, "NN is 0");
    t_check(t, nlab_ram(n, NVME_DATA, 2) == (lab_cfg(n->lab, n->name, 0, 4) & 0xffff),
            "VID is %04x", (unsigned)nlab_ram(n, NVME_DATA, 2));
}

NVME_PROCEDURE(identify_text, false)
{
    nlab_identify(n, 1, 0);
    for (unsigned i = 4; i < 72; i++) {
        unsigned c = (unsigned)nlab_ram(n, NVME_DATA + i, 1);

        t_check(t, c >= 0x20 && c < 0x7f, "byte %u is %02x", i, c);
    }
}

NVME_PROCEDURE(identify_namespace, false)
{
    uint64_t size, capacity, used;

    t_check(t, nlab_identify(n, 0, 1) == 0, "it fails");
    size = nlab_ram(n, NVME_DATA, 8);
    capacity = nlab_ram(n, NVME_DATA + 8, 8);
    used = nlab_ram(n, NVME_DATA + 16, 8);
    t_check(t, size && size >= capacity && capacity >= used,
            "NSZE, NCAP and NUSE are %" G_GINT64_MODIFIER "u, %" G_GINT64_MODIFIER
            "u and %" G_GINT64_MODIFIER "u",
            size, capacity, used);
    t_check(t, nlab_block_bytes(n) >= 512, "a block has %u bytes", nlab_block_bytes(n));
}

NVME_PROCEDURE(identify_list, false)
{
    uint32_t last = 0;

    t_check(t, nlab_identify(n, 2, 0) == 0, "it fails");
    for (unsigned i = 0; i < 1024 && !t_failed(t); i++) {
        uint32_t nsid = (uint32_t)nlab_ram(n, NVME_DATA + 4 * i, 4);

        t_check(t, !nsid || nsid > last, "%u comes behind %u", nsid, last);
        t_check(t, nsid || i, "the list is empty");
        if (!nsid)
            break;
        last = nsid;
    }
    t_check(t, nlab_identify(n, 2, last) == 0 && !nlab_ram(n, NVME_DATA, 4),
            "there is one behind the last");
}

/* Features: what is set is what is got. */

struct feature_rule {
    uint8_t fid;
    uint32_t value;
};

NVME_PROCEDURE(feature, false)
{
    const struct feature_rule *rule = t->assertion->param;
    const struct nvme_command set = {.opcode = 0x09, .cdw10 = rule->fid, .cdw11 = rule->value};
    struct nvme_completion done;

    t_check(t, nlab_run(n, 0, &set, &done) == 0, "setting it has status %03xh", done.status);
    t_check(t,
            nlab_run(n, 0, &(struct nvme_command){.opcode = 0x0a, .cdw10 = rule->fid}, &done) == 0,
            "getting it has status %03xh", done.status);
    t_check(t, done.dw0 == rule->value, "it is %08x", done.dw0);
}

NVME_PROCEDURE(queue_count, false)
{
    struct nvme_command set = {.opcode = 0x09, .cdw10 = 7, .cdw11 = 0};
    struct nvme_completion done;

    t_check(t, nlab_run(n, 0, &set, &done) == 0, "the status is %03xh", done.status);
    t_check(t, nlab_run(n, 0, &(struct nvme_command){.opcode = 0x0a, .cdw10 = 7}, &done) == 0,
            "getting it has status %03xh", done.status);
    set.cdw11 = 0x0000ffff;
    t_check(t, nlab_run(n, 0, &set, &done) == 0x002, "65536 have status %03xh", done.status);
    set.cdw11 = 0xffff0000;
    t_check(t, nlab_run(n, 0, &set, &done) == 0x002, "65536 have status %03xh", done.status);
}

NVME_PROCEDURE(queue_count_late, true)
{
    unsigned status = nlab_run(n, 0, &(struct nvme_command){.opcode = 0x09, .cdw10 = 7}, NULL);

    t_check(t, status == 0x00c, "the status is %03xh", status);
}

/* Abort, events. */

NVME_PROCEDURE(abort_none, false)
{
    struct nvme_completion done;

    t_check(t,
            nlab_run(n, 0, &(struct nvme_command){.opcode = 0x08, .cdw10 = 0x7777u << 16}, &done) ==
                0,
            "the status is %03xh", done.status);
    t_check(t, done.dw0 & 1, "it says that a command was aborted");
}

static const struct nvme_command wait_for_event = {.opcode = 0x0c};

NVME_PROCEDURE(event_waits, false)
{
    struct nvme_completion done;

    nlab_send(n, 0, &wait_for_event);
    t_check(t, !nlab_take(n, 0, &done), "it is completed although nothing happens");
    t_check(t, nlab_identify(n, 1, 0) == 0, "other commands wait for it");
}

NVME_PROCEDURE(event_limit, false)
{
    struct nvme_completion done;
    unsigned limit;

    nlab_identify(n, 1, 0);
    limit = (unsigned)nlab_ram(n, NVME_DATA + 259, 1) + 1;
    if (limit >= NVME_ENTRIES - 1) {
        t_skip(t, "more are allowed than fit the queue");
        return;
    }
    for (unsigned i = 0; i < limit; i++)
        nlab_send(n, 0, &wait_for_event);
    t_check(t, nlab_run(n, 0, &wait_for_event, &done) == 0x105, "the status is %03xh", done.status);
}

struct doorbell_rule {
    unsigned queue;
    bool head;
    uint32_t value;
    unsigned info; /* Asynchronous Event Information */
};

NVME_PROCEDURE(doorbell, true)
{
    const struct doorbell_rule *rule = t->assertion->param;
    struct nvme_completion done;

    nlab_send(n, 0, &wait_for_event);
    lab_run_us(n->lab, 1000);
    nlab_doorbell(n, rule->queue, rule->head, rule->value);
    t_check(t, nlab_take(n, 0, &done), "there is no event");
    if (t_failed(t))
        return;
    t_check(t, (done.dw0 & 7) == 0, "its type is %u", done.dw0 & 7);
    t_check(t, (done.dw0 >> 8 & 0xff) == rule->info, "its information is %02x",
            done.dw0 >> 8 & 0xff);
}

#define DOORBELL(i, text, ...)                                                                     \
    NVME_RULE(i, "5.2.1", doorbell, (&(const struct doorbell_rule){__VA_ARGS__}), text)
#define FEATURE(i, sec, f, v, text)                                                                \
    NVME_RULE(i, sec, feature, (&(const struct feature_rule){f, v}), text)
#define OPCODE(n) (&(const uint8_t){n})

static const struct conform_assertion rows[] = {
    ADMIN("cq.zero", "5.4", 0x101, "An I/O Completion Queue 0 cannot be made.", .opcode = 5,
          .prp1 = NVME_DATA, .cdw10 = SIZE, .cdw11 = 1),
    ADMIN("cq.high", "5.4", 0x101,
          "An I/O Completion Queue of a number that is not supported cannot be made.", .opcode = 5,
          .prp1 = NVME_DATA, .cdw10 = SIZE | 0xffff, .cdw11 = 1),
    ADMIN("cq.again", "5.4", 0x101, "An I/O Completion Queue that is there cannot be made.",
          .opcode = 5, .prp1 = NVME_DATA, .cdw10 = SIZE | 1, .cdw11 = 1),
    ADMIN("cq.small", "5.4", 0x102, "An I/O Completion Queue has more than one entry.", .opcode = 5,
          .prp1 = NVME_DATA, .cdw10 = 2, .cdw11 = 1),
    NVME_RULE("cq.large", "5.4", too_large, OPCODE(5),
              "An I/O Completion Queue has no more entries than CAP.MQES says."),
    NVME_RULE("cq.contiguous", "5.4", contiguous, OPCODE(5),
              "With CAP.CQR an I/O Completion Queue must be contiguous."),
    COMMAND("cq.offset", "5.4", "An I/O Completion Queue begins on a page.", 0, 0x013, 0x002,
            .opcode = 5, .prp1 = NVME_DATA + 0x10, .cdw10 = SIZE | 2, .cdw11 = 1),
    ADMIN("cq.vector", "5.4", 0x108, "An interrupt vector that is not there cannot be used.",
          .opcode = 5, .prp1 = NVME_DATA, .cdw10 = SIZE | 2, .cdw11 = 0xffff0003),
    ADMIN("sq.zero", "5.5", 0x101, "An I/O Submission Queue 0 cannot be made.", .opcode = 1,
          .prp1 = NVME_DATA, .cdw10 = SIZE, .cdw11 = 0x10001),
    ADMIN("sq.high", "5.5", 0x101,
          "An I/O Submission Queue of a number that is not supported cannot be made.", .opcode = 1,
          .prp1 = NVME_DATA, .cdw10 = SIZE | 0xffff, .cdw11 = 0x10001),
    ADMIN("sq.again", "5.5", 0x101, "An I/O Submission Queue that is there cannot be made.",
          .opcode = 1, .prp1 = NVME_DATA, .cdw10 = SIZE | 1, .cdw11 = 0x10001),
    ADMIN("sq.small", "5.5", 0x102, "An I/O Submission Queue has more than one entry.", .opcode = 1,
          .prp1 = NVME_DATA, .cdw10 = 2, .cdw11 = 0x10001),
    NVME_RULE("sq.large", "5.5", too_large, OPCODE(1),
              "An I/O Submission Queue has no more entries than CAP.MQES says."),
    NVME_RULE("sq.contiguous", "5.5", contiguous, OPCODE(1),
              "With CAP.CQR an I/O Submission Queue must be contiguous."),
    COMMAND("sq.offset", "5.5", "An I/O Submission Queue begins on a page.", 0, 0x013, 0x002,
            .opcode = 1, .prp1 = NVME_DATA + 8, .cdw10 = SIZE | 2, .cdw11 = 0x10001),
    ADMIN("sq.cq_zero", "5.5", 0x101,
          "An I/O Submission Queue cannot use the Admin Completion Queue.", .opcode = 1,
          .prp1 = NVME_DATA, .cdw10 = SIZE | 2, .cdw11 = 1),
    ADMIN("sq.cq_high", "5.5", 0x101,
          "An I/O Submission Queue cannot use a completion queue of a number that is not "
          "supported.",
          .opcode = 1, .prp1 = NVME_DATA, .cdw10 = SIZE | 2, .cdw11 = 0xffff0001),
    ADMIN("sq.cq_none", "5.5", 0x100,
          "An I/O Submission Queue cannot use a completion queue that is not there.", .opcode = 1,
          .prp1 = NVME_DATA, .cdw10 = SIZE | 2, .cdw11 = 0x20001),
    ADMIN("delete.sq_zero", "5.7", 0x101, "The Admin Submission Queue cannot be deleted.",
          .opcode = 0),
    ADMIN("delete.sq_none", "5.7", 0x101, "A submission queue that is not there cannot be deleted.",
          .opcode = 0, .cdw10 = 2),
    ADMIN("delete.cq_zero", "5.6", 0x101, "The Admin Completion Queue cannot be deleted.",
          .opcode = 4),
    ADMIN("delete.cq_none", "5.6", 0x101, "A completion queue that is not there cannot be deleted.",
          .opcode = 4, .cdw10 = 2),
    ADMIN("delete.cq_used", "5.6", 0x10c,
          "A completion queue that a submission queue uses cannot be deleted.", .opcode = 4,
          .cdw10 = 1),
    NVME_RULE("delete.both", "5.7", deleted, NULL,
              "A pair of queues is deleted submission queue first, and is gone then."),
    ADMIN("opcode", "3.3.3.2.1", 0x001, "An Admin opcode that is not supported is refused.",
          .opcode = 0x6f),
    ADMIN("identify.cns", "5.17", 0x002, "A value of CNS that is not supported is refused.",
          .opcode = 6, .prp1 = NVME_DATA, .cdw10 = 0x77),
    ADMIN("identify.nsid_zero", "5.17", 0x00b, "There is no namespace 0 to identify.", .opcode = 6,
          .prp1 = NVME_DATA, .cdw10 = 0),
    ADMIN("identify.nsid_high", "5.17", 0x00b,
          "There is no namespace above the Number of Namespaces to identify.", .opcode = 6,
          .nsid = 0xfffffff0, .prp1 = NVME_DATA, .cdw10 = 0),
    ADMIN("identify.list_end", "5.17.2.2", 0x00b,
          "A list of active namespaces cannot begin behind FFFFFFFEh.", .opcode = 6,
          .nsid = 0xfffffffe, .prp1 = NVME_DATA, .cdw10 = 2),
    NVME_RULE(
        "identify.controller", "5.17.2.1", identify_controller, NULL,
        "Identify Controller has the version of VS, the sizes of entries, a namespace and the "
        "vendor of the function."),
    NVME_RULE("identify.text", "5.17.2.1", identify_text, NULL,
              "Serial number, model and firmware revision are printable."),
    NVME_RULE(
        "identify.namespace", "5.17.2", identify_namespace, NULL,
        "A namespace has at least its capacity and that what is used, and blocks of 512 bytes "
        "or more."),
    NVME_RULE("identify.list", "5.17.2.2", identify_list, NULL,
              "The list of active namespaces ascends and ends with 0."),
    ADMIN("log.unknown", "5.16", 0x109, "A log page that is not supported is refused.", .opcode = 2,
          .prp1 = NVME_DATA, .cdw10 = 0x00ff006f),
    ADMIN("log.error", "5.16.1.2", 0, "There is an Error Information log.", .opcode = 2,
          .nsid = 0xffffffff, .prp1 = NVME_DATA, .cdw10 = 0x000f0001),
    ADMIN("log.health", "5.16.1.3", 0, "There is a SMART / Health Information log.", .opcode = 2,
          .nsid = 0xffffffff, .prp1 = NVME_DATA, .cdw10 = 0x007f0002),
    ADMIN("log.firmware", "5.16.1.4", 0, "There is a Firmware Slot Information log.", .opcode = 2,
          .nsid = 0xffffffff, .prp1 = NVME_DATA, .cdw10 = 0x007f0003),
    ADMIN("feature.get_unknown", "5.15", 0x002, "A feature that is not supported is not got.",
          .opcode = 0x0a, .cdw10 = 0x6f),
    ADMIN("feature.set_unknown", "5.27", 0x002, "A feature that is not supported is not set.",
          .opcode = 0x09, .cdw10 = 0x6f),
    FEATURE("feature.arbitration", "5.27.1.1", 1, 0x02, "Arbitration reads back what was set."),
    FEATURE("feature.temperature", "5.27.1.3", 4, 0x0150,
            "Temperature Threshold reads back what was set."),
    FEATURE("feature.events", "5.27.1.8", 0x0b, 0x03,
            "Asynchronous Event Configuration reads back what was set."),
    NVME_RULE("feature.queues", "5.27.1.5", queue_count, NULL,
              "Number of Queues can be set before there are I/O queues, but not to 65536."),
    NVME_RULE("feature.queues_late", "5.27.1.5", queue_count_late, NULL,
              "Number of Queues cannot be set once there are I/O queues."),
    NVME_RULE(
        "abort.none", "5.1", abort_none, NULL,
        "An Abort of a command that is not there succeeds and says that nothing was aborted."),
    NVME_RULE("event.waits", "5.2", event_waits, NULL,
              "An Asynchronous Event Request waits for an event, and nothing else waits for it."),
    NVME_RULE("event.limit", "5.2", event_limit, NULL,
              "One Asynchronous Event Request more than the limit is refused."),
    DOORBELL("event.doorbell_none",
             "A write to the doorbell of a queue that is not there is an error event.", 2, false, 1,
             0),
    DOORBELL("event.doorbell_cq_none",
             "A write to the head doorbell of a queue that is not there is an error event.", 2,
             true, 1, 0),
    DOORBELL("event.doorbell_value", "A tail beyond the size of its queue is an error event.", 1,
             false, NVME_ENTRIES, 1),
    DOORBELL("event.doorbell_head", "A head beyond the size of its queue is an error event.", 1,
             true, NVME_ENTRIES, 1),
};

ASSERTION_TABLE(assertions_nvme_admin, rows);
