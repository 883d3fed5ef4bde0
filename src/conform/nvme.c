/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NVMe controllers by their registers alone (NVM Express Base 2.0, 3.1.3, 3.5). */
#include "tables.h"

#define CAP  0x00
#define VS   0x08
#define CC   0x14
#define CSTS 0x1c
#define AQA  0x24

/* False: it is none, or out of reach. */
static bool is_nvme(struct conform_ctx *t)
{
    uint64_t version;

    if (subject_read(t->s, 8, 4) >> 8 != 0x010802) {
        t_skip(t, "it is no NVMe controller");
        return false;
    }
    if (!(subject_read(t->s, 4, 2) & 2)) {
        t_skip(t, "Memory Space Enable is clear");
        return false;
    }
    if (!t->s->backend->bar_read(t->s->backend, t->s->func, 0, VS, 4, &version)) {
        t_skip(t, "its BAR 0 cannot be reached");
        return false;
    }
    return true;
}

static uint64_t get(struct conform_ctx *t, unsigned offset, unsigned len)
{
    uint64_t value = ~0ull;

    t->s->backend->bar_read(t->s->backend, t->s->func, 0, offset, len, &value);
    return value;
}

static void put(struct conform_ctx *t, unsigned offset, unsigned len, uint64_t value)
{
    t->s->backend->bar_write(t->s->backend, t->s->func, 0, offset, len, value);
}

static void version(struct conform_ctx *t)
{
    if (!is_nvme(t))
        return;
    unsigned vs = (unsigned)get(t, VS, 4);

    t_check(t, vs >> 16 >= 1 && vs >> 16 <= 2 && !(vs >> 16 == 1 && (vs >> 8 & 0xff) > 4),
            "VS is %08x", vs);
}

static void queue_entries(struct conform_ctx *t)
{
    if (is_nvme(t))
        t_check(t, (get(t, CAP, 8) & 0xffff) >= 1, "MQES is 0");
}

static void command_set(struct conform_ctx *t)
{
    if (is_nvme(t))
        t_check(t, get(t, CAP, 8) >> 37 & 0xff, "CSS is 0");
}

static void page_sizes(struct conform_ctx *t)
{
    if (!is_nvme(t))
        return;
    uint64_t cap = get(t, CAP, 8);

    t_check(t, (cap >> 48 & 0xf) <= (cap >> 52 & 0xf), "MPSMIN is above MPSMAX");
}

static void time_to_ready(struct conform_ctx *t)
{
    if (is_nvme(t))
        t_check(t, get(t, CAP, 8) >> 24 & 0xff, "TO is 0");
}

static void cap_fixed(struct conform_ctx *t)
{
    if (!is_nvme(t))
        return;
    uint64_t cap = get(t, CAP, 8);

    put(t, CAP, 4, ~cap & 0xffffffff);
    put(t, CAP + 4, 4, ~cap >> 32);
    t_check(t, get(t, CAP, 8) == cap, "CAP changed");
}

static void version_fixed(struct conform_ctx *t)
{
    if (!is_nvme(t))
        return;
    uint64_t vs = get(t, VS, 4);

    put(t, VS, 4, ~vs);
    t_check(t, get(t, VS, 4) == vs, "VS changed");
}

/* CC.EN as wanted, and CSTS.RDY follows within the time that CAP.TO gives. */
static bool enable(struct conform_ctx *t, bool on)
{
    uint64_t cap = get(t, CAP, 8);
    unsigned limit = ((unsigned)(cap >> 24 & 0xff) + 1) * 500;

    if (on) {
        put(t, AQA, 4, 0x000f000f);
        put(t, 0x28, 4, 0x1000000);
        put(t, 0x2c, 4, 0);
        put(t, 0x30, 4, 0x1001000);
        put(t, 0x34, 4, 0);
    }
    put(t, CC, 4, on ? 0x00460001 : get(t, CC, 4) & ~1ull);
    for (unsigned ms = 0; ms <= limit; ms++) {
        if ((get(t, CSTS, 4) & 1) == on)
            return true;
        subject_wait_us(t->s, 1000);
    }
    return false;
}

static void ready_follows(struct conform_ctx *t)
{
    if (!is_nvme(t))
        return;
    t_check(t, enable(t, false), "CSTS.RDY stays set without CC.EN");
    t_check(t, enable(t, true), "CSTS.RDY is not set with CC.EN");
    t_check(t, !(get(t, CSTS, 4) & 2), "CSTS.CFS is set");
    t_check(t, enable(t, false), "CSTS.RDY stays set without CC.EN");
}

static void admin_queue(struct conform_ctx *t)
{
    if (!is_nvme(t))
        return;
    enable(t, false);
    put(t, AQA, 4, 0x001f003f);
    t_check(t, get(t, AQA, 4) == 0x001f003f, "AQA is %08x", (unsigned)get(t, AQA, 4));
    put(t, AQA, 4, 0xffffffff);
    t_check(t, (get(t, AQA, 4) & 0xf000f000) == 0, "reserved bits of AQA are %08x",
            (unsigned)get(t, AQA, 4) & 0xf000f000);
    put(t, AQA, 4, 0);
}

static void admin_base(struct conform_ctx *t)
{
    if (!is_nvme(t))
        return;
    enable(t, false);
    for (unsigned offset = 0x28; offset <= 0x30; offset += 8) {
        put(t, offset, 4, 0xffffffff);
        put(t, offset + 4, 4, 0x12);
        t_check(t, get(t, offset, 8) == 0x12fffff000,
                "the register at %02xh is %" G_GINT64_MODIFIER "x", offset, get(t, offset, 8));
        put(t, offset, 4, 0);
        put(t, offset + 4, 4, 0);
    }
}

static void reset_clears(struct conform_ctx *t)
{
    if (!is_nvme(t))
        return;
    enable(t, false);
    t_check(t, enable(t, true), "it does not become ready");
    t_check(t, enable(t, false), "it stays ready");
    t_check(t, (get(t, AQA, 4)) == 0x000f000f, "AQA is %08x after a controller reset",
            (unsigned)get(t, AQA, 4));
    t_check(t, (get(t, CC, 4) & 1) == 0, "CC.EN is set");
}

static void mask_bits(struct conform_ctx *t)
{
    if (!is_nvme(t))
        return;
    put(t, 0x10, 4, 0xffffffff);
    t_check(t, get(t, 0x0c, 4) == 0, "INTMS is %08x after all bits of INTMC were written",
            (unsigned)get(t, 0x0c, 4));
    put(t, 0x0c, 4, 5);
    t_check(t, get(t, 0x0c, 4) == 5 && get(t, 0x10, 4) == 5, "INTMS is %08x, not 5",
            (unsigned)get(t, 0x0c, 4));
    put(t, 0x10, 4, 4);
    t_check(t, get(t, 0x0c, 4) == 1, "INTMS is %08x, not 1", (unsigned)get(t, 0x0c, 4));
    put(t, 0x10, 4, 0xffffffff);
}

static void class_code(struct conform_ctx *t)
{
    uint32_t class = subject_read(t->s, 8, 4) >> 8;

    if (class >> 8 != 0x0108)
        t_skip(t, "it is no non-volatile memory controller");
    else
        t_check(t, (class & 0xff) == 0x02, "its programming interface is %02x", class & 0xff);
}

#define ROW(i, sec, need, fn, text)                                                                \
    {                                                                                              \
        .id = "nvme." i, .group = "nvme", .document = CONFORM_NVME, .section = sec, .needs = need, \
        .procedure = fn, .requirement = text                                                       \
    }
#define READS  CONFORM_BARS
#define WRITES (CONFORM_BARS | CONFORM_WRITES)

static const struct conform_assertion rows[] = {
    ROW("class", "3.1.2", 0, class_code, "The programming interface of a controller is 02h."),
    ROW("vs", "3.1.3.2", READS, version, "VS is a version that was published."),
    ROW("cap.mqes", "3.1.3.1", READS, queue_entries, "CAP.MQES is at least 1: two entries."),
    ROW("cap.css", "3.1.3.1", READS, command_set, "CAP.CSS names a command set."),
    ROW("cap.mps", "3.1.3.1", READS, page_sizes, "CAP.MPSMIN is not above CAP.MPSMAX."),
    ROW("cap.to", "3.1.3.1", READS, time_to_ready, "CAP.TO gives time to become ready."),
    ROW("cap.ro", "3.1.3.1", WRITES, cap_fixed, "CAP is read-only."),
    ROW("vs.ro", "3.1.3.2", WRITES, version_fixed, "VS is read-only."),
    ROW("ready", "3.5.1", WRITES, ready_follows, "CSTS.RDY follows CC.EN within CAP.TO."),
    ROW("aqa", "3.1.3.8", WRITES, admin_queue,
        "AQA holds both sizes and reads its reserved bits as 0."),
    ROW("asq", "3.1.3.9", WRITES, admin_base,
        "ASQ and ACQ hold addresses of pages: their lowest twelve bits read as 0."),
    ROW("reset", "3.7.2", WRITES, reset_clears,
        "A controller reset clears CC.EN and leaves AQA as it was."),
    ROW("intms", "3.1.3.3", WRITES, mask_bits,
        "INTMS sets bits of the mask, INTMC clears them, both read as the mask."),
};

ASSERTION_TABLE(assertions_nvme, rows);
