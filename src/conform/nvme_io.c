/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Queues, completions, I/O commands, shutdown and reset (NVM Express Base 2.0; NVM Command Set). */
#include "nvme_lab.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

#define FLUSH 0x00
#define WRITE 0x01
#define READ  0x02

#define OTHER (NVME_DATA + 0x10000)

struct io_rule {
    struct nvme_command command;
    bool behind;   /* its first block is the namespace's last but (cdw12) */
    bool too_long; /* more than MDTS */
    unsigned status, or ;
};

NVME_PROCEDURE(io, true)
{
    const struct io_rule *rule = t->assertion->param;
    struct nvme_command command = rule->command;
    struct nvme_completion done;
    unsigned status, mdts;

    if (rule->behind) {
        uint64_t blocks;

        nlab_identify(n, 0, 1);
        blocks = nlab_ram(n, NVME_DATA, 8) - command.cdw12;
        command.cdw10 = (uint32_t)blocks;
        command.cdw11 = (uint32_t)(blocks >> 32);
    }
    if (rule->too_long) {
        nlab_identify(n, 1, 0);
        mdts = (unsigned)nlab_ram(n, NVME_DATA + 77, 1);
        if (!mdts || (0x1000ull << mdts) / nlab_block_bytes(n) >= 0x10000) {
            t_skip(t, "no command is too long");
            return;
        }
        command.cdw12 = (0x1000u << mdts) / nlab_block_bytes(n);
    }
    status = nlab_run(n, 1, &command, &done);
    t_check(t, status == rule->status || (rule->or &&status == rule->or),
            status > 0x7ff ? "nothing comes back" : "the status is %03xh, not %03xh", status,
            rule->status);
}

#define IO(i, sec, text, st, alt, ...)                                                             \
    NVME_RULE("io." i, sec, io, (&(const struct io_rule){{__VA_ARGS__}, .status = st, .or = alt}), \
              text)
#define IO_BEHIND(i, sec, text, st, ...)                                                           \
    NVME_RULE("io." i, sec, io,                                                                    \
              (&(const struct io_rule){{__VA_ARGS__}, .behind = true, .status = st}), text)

NVME_PROCEDURE(data, true)
{
    const uint64_t pattern = 0x1122334455667788;
    struct nvme_completion done;

    machine_board_write(n->lab->machine, OTHER + 504, &pattern, 8);
    t_check(t,
            nlab_run(n, 1,
                     &(struct nvme_command){.opcode = WRITE, .nsid = 1, .prp1 = OTHER, .cdw10 = 9},
                     &done) == 0,
            "the write has status %03xh", done.status);
    t_check(
        t,
        nlab_run(n, 1,
                 &(struct nvme_command){.opcode = READ, .nsid = 1, .prp1 = NVME_DATA, .cdw10 = 9},
                 &done) == 0,
        "the read has status %03xh", done.status);
    t_check(t, nlab_ram(n, NVME_DATA + 504, 8) == pattern, "it reads %016" G_GINT64_MODIFIER "x",
            nlab_ram(n, NVME_DATA + 504, 8));
}

/* Two pages that do not follow one another, the first from its middle on. */
NVME_PROCEDURE(two_pages, true)
{
    const uint64_t pattern = 0x99aabbccddeeff00;
    unsigned blocks = 0x1000 / nlab_block_bytes(n);
    struct nvme_completion done;

    if (blocks < 2) {
        t_skip(t, "a block is as large as a page");
        return;
    }
    machine_board_write(n->lab->machine, OTHER + 0x5000, &pattern, 8);
    t_check(t,
            nlab_run(n, 1,
                     &(struct nvme_command){.opcode = WRITE,
                                            .nsid = 1,
                                            .prp1 = OTHER + 0x800,
                                            .prp2 = OTHER + 0x5000,
                                            .cdw12 = blocks - 1},
                     &done) == 0,
            "the write has status %03xh", done.status);
    nlab_run(
        n, 1,
        &(struct nvme_command){.opcode = READ, .nsid = 1, .prp1 = NVME_DATA, .cdw12 = blocks - 1},
        &done);
    t_check(t, nlab_ram(n, NVME_DATA + 0x800, 8) == pattern,
            "its second half begins with %016" G_GINT64_MODIFIER "x",
            nlab_ram(n, NVME_DATA + 0x800, 8));
}

/* A list of pages behind PRP2. */
NVME_PROCEDURE(list, true)
{
    const uint64_t pattern = 0x0123456789abcdef;
    unsigned blocks = 0x3000 / nlab_block_bytes(n);
    const uint64_t pages[2] = {OTHER + 0x4000, OTHER + 0x2000};
    struct nvme_completion done;

    machine_board_write(n->lab->machine, OTHER + 0x8000, pages, sizeof(pages));
    machine_board_write(n->lab->machine, OTHER + 0x2000, &pattern, 8);
    t_check(t,
            nlab_run(n, 1,
                     &(struct nvme_command){.opcode = WRITE,
                                            .nsid = 1,
                                            .prp1 = OTHER,
                                            .prp2 = OTHER + 0x8000,
                                            .cdw12 = blocks - 1},
                     &done) == 0,
            "the write has status %03xh", done.status);
    nlab_run(n, 1,
             &(struct nvme_command){.opcode = READ,
                                    .nsid = 1,
                                    .prp1 = NVME_DATA,
                                    .cdw10 = 2 * blocks / 3,
                                    .cdw12 = blocks / 3 - 1},
             &done);
    t_check(t, nlab_ram(n, NVME_DATA, 8) == pattern,
            "its third page begins with %016" G_GINT64_MODIFIER "x", nlab_ram(n, NVME_DATA, 8));
}

NVME_PROCEDURE(out_of_range_writes_nothing, true)
{
    const uint64_t pattern = 0x5555555555555555;
    struct nvme_completion done;

    machine_board_write(n->lab->machine, OTHER, &pattern, 8);
    nlab_run(n, 1,
             &(struct nvme_command){.opcode = READ, .nsid = 1, .prp1 = OTHER, .cdw11 = 0x7fffffff},
             &done);
    t_check(t, done.status == 0x080, "the status is %03xh", done.status);
    t_check(t, nlab_ram(n, OTHER, 8) == pattern, "memory was changed");
}

/* Entries of completion queues. */

NVME_PROCEDURE(identity, true)
{
    const unsigned *queue = t->assertion->param;
    struct nvme_completion done;

    for (unsigned i = 0; i < 2; i++) {
        nlab_run(n, *queue,
                 &(struct nvme_command){.opcode = *queue ? FLUSH : 0x0a, .nsid = 1, .cdw10 = 7},
                 &done);
        t_check(t, done.cid == n->cid, "CID is %04x, not %04x", done.cid, n->cid);
        t_check(t, done.sq_id == *queue, "SQID is %u", done.sq_id);
        t_check(t, done.sq_head == n->queue[*queue].tail, "SQHD is %u, not %u", done.sq_head,
                n->queue[*queue].tail);
    }
}

/* The phase tag changes with each pass through the queue; a wrong one would be waited for. */
NVME_PROCEDURE(phase, true)
{
    struct nvme_completion done = {0};

    for (unsigned i = 0; i < 3 * NVME_ENTRIES && !t_failed(t); i++) {
        t_check(t, nlab_run(n, 1, &(struct nvme_command){.nsid = 1}, &done) == 0,
                "completion %u does not come", i);
        t_check(t, done.phase == (i / NVME_ENTRIES % 2 == 0), "its phase is %u", done.phase);
    }
}

/* A completion queue without room is not written over. */
NVME_PROCEDURE(full, true)
{
    struct nvme_queue *queue = &n->queue[1];
    struct nvme_completion done;
    unsigned found = 0;

    for (unsigned i = 0; i < NVME_ENTRIES - 1; i++)
        nlab_send(n, 1, &(struct nvme_command){.nsid = 1});
    lab_run_us(n->lab, 50000);
    /* None was taken yet: of as many again there is room for none. */
    for (unsigned i = 0; i < 4; i++)
        nlab_send(n, 1, &(struct nvme_command){.nsid = 1});
    lab_run_us(n->lab, 50000);
    t_check(t, (nlab_ram(n, queue->cq + 16 * (NVME_ENTRIES - 1) + 14, 2) & 1) == 0,
            "the last entry is used");
    while (found < NVME_ENTRIES + 3 && nlab_take(n, 1, &done))
        found++;
    t_check(t, found == NVME_ENTRIES + 3, "%u of %u completions come", found, NVME_ENTRIES + 3);
}

NVME_PROCEDURE(interrupt, true)
{
    unsigned cap = lab_func(n->lab, n->name)->cap_msix, bir, vector = 1;
    struct nvme_completion done;
    uint32_t where;
    uint64_t table;

    if (!cap || (lab_cfg(n->lab, n->name, cap + 2, 2) & 0x7ff) < 1) {
        t_skip(t, "it has no second MSI-X vector");
        return;
    }
    where = lab_cfg(n->lab, n->name, cap + 4, 4);
    bir = where & 7;
    table = lab_bar(n->lab, n->name, bir) + (where & ~7u) + 16 * vector;
    lab_write(n->lab, table, 4, (uint32_t)OTHER);
    lab_write(n->lab, table + 4, 4, 0);
    lab_write(n->lab, table + 8, 4, 0xcafe);
    lab_write(n->lab, table + 12, 4, 0);
    lab_change_cfg(n->lab, n->name, cap + 2, 2, 0x8000, 0x4000);
    n->queue[1].cq = NVME_DATA + 0x4000;
    t_check(t,
            nlab_run(n, 0,
                     &(struct nvme_command){.opcode = 5,
                                            .prp1 = NVME_DATA + 0x6000,
                                            .cdw10 = (NVME_ENTRIES - 1) << 16 | 2,
                                            .cdw11 = vector << 16 | 3},
                     &done) == 0 &&
                nlab_run(n, 0,
                         &(struct nvme_command){.opcode = 1,
                                                .prp1 = NVME_DATA + 0x8000,
                                                .cdw10 = (NVME_ENTRIES - 1) << 16 | 2,
                                                .cdw11 = 2u << 16 | 1},
                         &done) == 0,
            "the queues cannot be made: %03xh", done.status);
    /* What stands there is 0: a Flush of namespace 0, which fails and is completed. */
    nlab_doorbell(n, 2, false, 1);
    lab_run_us(n->lab, 10000);
    t_check(t, nlab_ram(n, OTHER, 4) == 0xcafe, "the address of its vector has %08x",
            (unsigned)nlab_ram(n, OTHER, 4));
}

/* Shutdown, reset, failure. */

#define CC   0x14
#define CSTS 0x1c

NVME_PROCEDURE(shutdown, true)
{
    const unsigned *kind = t->assertion->param;
    unsigned status = 0;

    t_check(t, !(nlab_get(n, CSTS, 4) & 0xc), "Shutdown Status is not 0 before");
    nlab_put(n, CC, (uint32_t)nlab_get(n, CC, 4) | *kind << 14);
    for (unsigned ms = 0; ms < 1000 && status != 2; ms++) {
        status = nlab_get(n, CSTS, 4) >> 2 & 3;
        lab_run_us(n->lab, 1000);
    }
    t_check(t, status == 2, "Shutdown Status is %u", status);
}

NVME_PROCEDURE(reset_queues, true)
{
    struct nvme_completion done;

    t_check(t, nlab_set_ready(n, false) && nlab_set_ready(n, true), "it does not become ready");
    n->queue[0].tail = n->queue[0].head = 0;
    n->queue[0].phase = true;
    for (unsigned i = 0; i < NVME_ENTRIES * 2; i++)
        machine_board_write(n->lab->machine, n->queue[0].cq + 8 * i, &(uint64_t){0}, 8);
    t_check(t, nlab_run(n, 0, &(struct nvme_command){.opcode = 0, .cdw10 = 1}, &done) == 0x101,
            "the submission queue is still there: %03xh", done.status);
    t_check(t, nlab_run(n, 0, &(struct nvme_command){.opcode = 4, .cdw10 = 1}, &done) == 0x101,
            "the completion queue is still there: %03xh", done.status);
}

NVME_PROCEDURE(reset_registers, false)
{
    t_check(t, nlab_set_ready(n, false), "it stays ready");
    t_check(t, !(nlab_get(n, CC, 4) & 1) && !(nlab_get(n, CSTS, 4) & 0x3), "CC is %08x, CSTS %08x",
            (unsigned)nlab_get(n, CC, 4), (unsigned)nlab_get(n, CSTS, 4));
    t_check(t, nlab_get(n, 0x28, 8) == n->queue[0].sq && nlab_get(n, 0x30, 8) == n->queue[0].cq,
            "ASQ or ACQ was changed");
}

NVME_PROCEDURE(not_ready, false)
{
    uint16_t before;

    nlab_set_ready(n, false);
    before = (uint16_t)nlab_ram(n, n->queue[0].cq + 14, 2);
    nlab_send(n, 0, &(struct nvme_command){.opcode = 0x0a, .cdw10 = 7});
    lab_run_us(n->lab, 10000);
    t_check(t, nlab_ram(n, n->queue[0].cq + 14, 2) == before, "a command is executed");
}

/* 9.5: what it cannot report otherwise. Nothing is where its queue should be. */
NVME_PROCEDURE(fatal, false)
{
    nlab_set_ready(n, false);
    nlab_put(n, 0x2c, 0x7000);
    nlab_set_ready(n, true);
    nlab_doorbell(n, 0, false, 1);
    lab_run_us(n->lab, 100000);
    t_check(t, nlab_get(n, CSTS, 4) & 2, "CSTS.CFS is clear");
    nlab_put(n, 0x2c, 0);
    nlab_set_ready(n, false);
    nlab_put(n, 0x2c, 0);
    t_check(t, nlab_set_ready(n, true) && !(nlab_get(n, CSTS, 4) & 2),
            "a controller reset does not help");
}

#define QUEUE(q) (&(const unsigned){q})

static const struct conform_assertion rows[] = {
    NVME_RULE("io.data", "3.3.3", data, NULL, "What was written to a block is read from it."),
    NVME_RULE(
        "io.two_pages", "4.1.1", two_pages, NULL,
        "Data of two pages are at PRP1 and PRP2, of which the first may begin in the middle."),
    NVME_RULE("io.list", "4.1.1", list, NULL,
              "Data of more than two pages are at PRP1 and where the list at PRP2 says."),
    IO("opcode", "3.3.3.2.1", "An I/O opcode that is not supported is refused.", 0x001, 0,
       .opcode = 0x6f, .nsid = 1),
    IO("nsid_zero", "3.3.3.2.1", "There is no namespace 0 to read from.", 0x00b, 0, .opcode = READ,
       .prp1 = OTHER),
    IO("nsid_high", "3.3.3.2.1", "There is no namespace FFFFFFF0h to read from.", 0x00b, 0,
       .opcode = READ, .nsid = 0xfffffff0, .prp1 = OTHER),
    IO("nsid_all", "3.3.3.2.1", "Not all namespaces at once can be read from.", 0x00b, 0,
       .opcode = READ, .nsid = 0xffffffff, .prp1 = OTHER),
    IO_BEHIND("read_behind", "3.3.3.2.1", "A read of the block behind the last is out of range.",
              0x080, .opcode = READ, .nsid = 1, .prp1 = OTHER),
    IO_BEHIND("write_behind", "3.3.3.2.1", "A write of the block behind the last is out of range.",
              0x080, .opcode = WRITE, .nsid = 1, .prp1 = OTHER),
    IO_BEHIND("read_across", "3.3.3.2.1",
              "A read that goes on behind the last block is out of range.", 0x080, .opcode = READ,
              .nsid = 1, .prp1 = OTHER, .cdw12 = 1),
    IO("read_overflow", "3.3.3.2.1", "A range that ends behind the highest block there is fails.",
       0x080, 0, .opcode = READ, .nsid = 1, .prp1 = OTHER, .cdw10 = 0xffffffff, .cdw11 = 0xffffffff,
       .cdw12 = 1),
    NVME_RULE("io.read_nothing", "3.3.3.2.1", out_of_range_writes_nothing, NULL,
              "A read that is out of range changes no memory."),
    IO("prp1_offset", "4.1.1", "PRP1 is a multiple of four.", 0x013, 0x002, .opcode = READ,
       .nsid = 1, .prp1 = OTHER + 2),
    IO("prp2_offset", "4.1.1", "PRP2, where it is the second page, has no offset.", 0x013, 0,
       .opcode = READ, .nsid = 1, .prp1 = OTHER + 0x800, .prp2 = OTHER + 0x2008, .cdw12 = 7),
    NVME_RULE("io.mdts", "5.17.2.1", io,
              (&(const struct io_rule){{.opcode = READ, .nsid = 1, .prp1 = OTHER, .prp2 = OTHER},
                                       .too_long = true,
                                       .status = 0x002}),
              "A command with more data than Maximum Data Transfer Size is refused."),
    IO("flush", "7.1", "A Flush succeeds.", 0, 0, .opcode = FLUSH, .nsid = 1),
    NVME_RULE("completion.admin", "3.3.3.2", identity, QUEUE(0),
              "A completion of an Admin command has its identifier, queue and the queue's head."),
    NVME_RULE("completion.io", "3.3.3.2", identity, QUEUE(1),
              "A completion of an I/O command has its identifier, queue and the queue's head."),
    NVME_RULE("completion.phase", "3.3.3.2", phase, NULL,
              "The Phase Tag changes with each pass through a completion queue."),
    NVME_RULE("completion.full", "3.3.1.2", full, NULL,
              "Completions wait while their queue is full, and none is lost."),
    NVME_RULE("completion.interrupt", "5.4", interrupt, NULL,
              "A completion queue with interrupts enabled uses its vector."),
    NVME_RULE("shutdown.normal", "3.6.1", shutdown, QUEUE(1),
              "A normal shutdown ends with Shutdown Status 2."),
    NVME_RULE("shutdown.abrupt", "3.6.1", shutdown, QUEUE(2),
              "An abrupt shutdown ends with Shutdown Status 2."),
    NVME_RULE("reset.queues", "3.7.2", reset_queues, NULL,
              "A controller reset takes all I/O queues away."),
    NVME_RULE("reset.registers", "3.7.2", reset_registers, NULL,
              "A controller reset clears CC.EN and CSTS, and keeps ASQ and ACQ."),
    NVME_RULE("reset.idle", "3.1.3.5", not_ready, NULL, "Without CC.EN no command is executed."),
    NVME_RULE("fatal", "9.5", fatal, NULL,
              "CSTS.CFS says that the Admin Submission Queue cannot be read, until a reset."),
};

ASSERTION_TABLE(assertions_nvme_io, rows);
