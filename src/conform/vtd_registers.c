/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers of a VT-d unit, field by field (VT-d 4.1, 11.4). */
#include "lab_vtd.h"
#include "tables.h"

enum vfield_kind { VK_RO, VK_RSVD, VK_RW };

struct vfield {
    uint16_t offset;
    uint8_t width; /* bytes */
    uint8_t kind;
    uint64_t mask;
    uint64_t reset;
    bool any_reset; /* its value after power-on is the unit's business */
    bool at_iro;    /* the offset is from ECAP.IRO */
    bool at_fro;    /* ... from CAP.FRO */
    bool pointer;   /* bits beyond the host's addresses may be missing */
    struct vlab_need need;
};

static unsigned field_at(const struct vlab *v, const struct vfield *f)
{
    unsigned iro = (unsigned)(v->ecap >> 8 & 0x3ff) * 16;
    unsigned fro = (unsigned)(v->cap >> 24 & 0x3ff) * 16;

    return f->offset + (f->at_iro ? iro : 0) + (f->at_fro ? fro : 0);
}

/* Writes the field, leaves its neighbours as they read, and reads it. */
static uint64_t write_field(struct vlab *v, const struct vfield *f, uint64_t value)
{
    unsigned at = field_at(v, f);

    vlab_set(v, at, f->width, (vlab_get(v, at, f->width) & ~f->mask) | (value & f->mask));
    return vlab_get(v, at, f->width) & f->mask;
}

static void judge_field(struct vlab *v, const struct vfield *f)
{
    struct conform_ctx *t = v->t;
    uint64_t first = vlab_get(v, field_at(v, f), f->width) & f->mask, got;
    uint64_t mask = f->mask & (f->pointer ? low_mask(v->host_bits) : ~0ull);

    t_check(t, f->any_reset || first == f->reset,
            "it is %" G_GINT64_MODIFIER "x after power-on, not %" G_GINT64_MODIFIER "x", first,
            f->reset);
    got = write_field(v, f, f->kind == VK_RW ? mask : ~first);
    if (f->kind == VK_RW)
        t_check(t, (got & mask) == mask, "all ones read back as %" G_GINT64_MODIFIER "x", got);
    else
        t_check(t, got == first, "it changed to %" G_GINT64_MODIFIER "x", got);
    got = write_field(v, f, f->kind == VK_RW ? 0 : first);
    t_check(t, got == (f->kind == VK_RW ? 0 : first), "0 reads back as %" G_GINT64_MODIFIER "x",
            got);
}

static void field(struct conform_ctx *t)
{
    const struct vfield *f = t->assertion->param;
    struct vlab v;

    if (vlab_open(&v, t, &f->need))
        judge_field(&v, f);
    vlab_close(&v);
}

/* What capabilities may say. */
enum claim { SAGAW, FRO, IRO, MGAW, ND, PAGES, NESTING, FIRST_5, EXTENDED, POSTED, DEVICE };

static bool claim_holds(const struct vlab *v, enum claim claim)
{
    uint64_t cap = v->cap, ecap = v->ecap;
    unsigned widths = (unsigned)(cap >> 8 & 0x1f), sslps = (unsigned)(cap >> 34 & 0xf);
    unsigned fro = (unsigned)(cap >> 24 & 0x3ff), records = (unsigned)(cap >> 40 & 0xff) + 1;

    switch (claim) {
    case SAGAW: return (widths & 0x0e) && !(widths & 0x11);
    case FRO: return fro * 16 >= 0x100 && fro * 16 + records * 16 <= 4096;
    case IRO: return (ecap >> 8 & 0x3ff) * 16 >= 0xf0 && (ecap >> 8 & 0x3ff) * 16 + 16 <= 4096;
    case MGAW: return (cap >> 16 & 0x3f) + 1 <= (widths & 8 ? 57 : widths & 4 ? 48 : 39);
    case ND: return (cap & 7) <= 6;
    case PAGES: return !(sslps & ~3u) && (sslps & 1 || !(sslps & 2));
    case NESTING: return !(ecap & VECAP_NEST) || ((ecap & VECAP_FSTS) && (ecap & VECAP_SSTS));
    case FIRST_5: return !(cap & (VCAP_FS5L | VCAP_FS1G)) || (ecap & VECAP_FSTS);
    case EXTENDED: return !(ecap & (VECAP_IR | VECAP_EIM)) || (ecap & VECAP_QI);
    case POSTED: return !(cap & VCAP_PI) || (ecap & VECAP_IR);
    case DEVICE: return !(ecap & (VECAP_DT | VECAP_PRS)) || (ecap & VECAP_QI);
    }
    return false;
}

static void claims(struct conform_ctx *t)
{
    const enum claim *claim = t->assertion->param;
    struct vlab v;

    if (vlab_open(&v, t, NULL))
        t_check(t, claim_holds(&v, *claim),
                "CAP is %016" G_GINT64_MODIFIER "x and ECAP %016" G_GINT64_MODIFIER "x", v.cap,
                v.ecap);
    vlab_close(&v);
}

/* 11.4.8: a base or limit of a protected region: its lowest bits are 0, as many as the region is
 * aligned to, and the rest can be written. */
static void region(struct conform_ctx *t)
{
    const struct vfield *f = t->assertion->param;
    struct vlab v;

    if (vlab_open(&v, t, &f->need)) {
        uint64_t mask = f->width == 4 ? 0xffffffff : low_mask(v.host_bits), got;

        t_check(t, !vlab_get(&v, f->offset, f->width), "it is not 0 after power-on");
        vlab_set(&v, f->offset, f->width, mask);
        got = vlab_get(&v, f->offset, f->width);
        t_check(t, got && !((got + (got & -got)) & mask), "its bits are %" G_GINT64_MODIFIER "x",
                got);
        vlab_set(&v, f->offset, f->width, 0);
        t_check(t, !vlab_get(&v, f->offset, f->width), "it cannot be cleared");
    }
    vlab_close(&v);
}

#define FIELD(name, sec, text, ...)                                                                \
    VTD_ROW("reg." name, sec, text, field, &(const struct vfield){__VA_ARGS__})
#define CLAIM(name, sec, text, what)                                                               \
    VTD_ROW("reg." name, sec, text, claims, &(const enum claim){what})
#define IS_RO(what)   what " is read-only."
#define IS_0_RO(what) what " is read-only, and 0 after power-on."
#define IS_RW(what)   what " reads back what was written, and is 0 after power-on."
#define IS_RSVD(what) what " are reserved: 0, whatever is written."
#define PAGE_BITS     GENMASK(63, 12)
/* An event's four registers (11.4.7.2 to 11.4.7.5). */
#define EVENT(prefix, words, sec, base, ...)                                                       \
    VTD_ROW("reg." prefix "ctl.im", sec,                                                           \
            "IM of " words " control reads back what was written, and is 1 after power-on.",       \
            field, &(const struct vfield){base, 4, VK_RW, BIT(31), BIT(31), __VA_ARGS__}),         \
        FIELD(prefix "ctl.ip", sec, IS_0_RO("IP of " words " control"), base, 4, VK_RO, BIT(30),   \
              0, __VA_ARGS__),                                                                     \
        FIELD(prefix "ctl.reserved", sec, IS_RSVD("Bits 29:0 of " words " control"), base, 4,      \
              VK_RSVD, GENMASK(29, 0), 0, __VA_ARGS__),                                            \
        FIELD(prefix "data", sec, IS_RW("The message data of " words), base + 4, 4, VK_RW, 0xffff, \
              0, __VA_ARGS__),                                                                     \
        FIELD(prefix "addr", sec, IS_RW("The message address of " words), base + 8, 4, VK_RW,      \
              0xfffffffc, 0, __VA_ARGS__),                                                         \
        FIELD(prefix "addr.reserved", sec, IS_RSVD("Bits 1:0 of the message address of " words),   \
              base + 8, 4, VK_RSVD, 3, 0, __VA_ARGS__),                                            \
        FIELD(prefix "uaddr", sec, IS_RW("The upper message address of " words), base + 12, 4,     \
              VK_RW, 0xffffffff, 0, __VA_ARGS__)

#define QUEUED .need = {.ecap = VECAP_QI}
#define REMAPS .need = {.ecap = VECAP_IR}
#define PAGED  .need = {.ecap = VECAP_PRS}

/* clang-format off */
static const struct conform_assertion rows[] = {
    FIELD("ver", "11.4.1", IS_RO("The version"), VREG_VER, 4, VK_RO, 0xff, .any_reset = true),
    FIELD("ver.reserved", "11.4.1", IS_RSVD("Bits 31:8 of the version"), VREG_VER, 4, VK_RSVD,
          0xffffff00),
    FIELD("cap", "11.4.2", IS_RO("CAP"), VREG_CAP, 8, VK_RO, ~0ull, .any_reset = true),
    FIELD("ecap", "11.4.3", IS_RO("ECAP"), VREG_ECAP, 8, VK_RO, ~0ull, .any_reset = true),
    CLAIM("cap.nd", "11.4.2", "ND is not its reserved value.", ND),
    CLAIM("cap.sagaw", "11.4.2", "SAGAW has a width that there is, and no other.", SAGAW),
    CLAIM("cap.mgaw", "11.4.2", "MGAW is not wider than the widest tables.", MGAW),
    CLAIM("cap.fro", "11.4.2", "All fault records lie behind the registers, in their page.", FRO),
    CLAIM("cap.sslps", "11.4.2", "SSLPS has 1 GiB pages only with 2 MiB pages.", PAGES),
    CLAIM("cap.first", "11.4.2", "FS1GP and FS5LP are of units with a first stage.", FIRST_5),
    CLAIM("cap.pi", "11.4.2", "PI is of units that remap interrupts.", POSTED),
    CLAIM("ecap.iro", "11.4.3", "The IOTLB's registers lie behind the others, in their page.", IRO),
    CLAIM("ecap.nest", "11.4.3", "NEST is of units with both stages.", NESTING),
    CLAIM("ecap.ir", "11.4.3", "IR and EIM are of units with queued invalidation.", EXTENDED),
    CLAIM("ecap.dt", "11.4.3", "DT and PRS are of units with queued invalidation.", DEVICE),
    FIELD("gsts", "11.4.4.2", IS_0_RO("The status of commands"), VREG_GSTS, 4, VK_RO, 0xff800000),
    FIELD("gsts.reserved", "11.4.4.2", IS_RSVD("Bits 22:0 of the status of commands"), VREG_GSTS,
          4, VK_RSVD, GENMASK(22, 0)),
    FIELD("rtaddr.rta", "11.4.5", IS_RW("The root table's address"), VREG_RTADDR, 8, VK_RW,
          PAGE_BITS, .pointer = true),
    FIELD("rtaddr.ttm", "11.4.5", IS_RW("The root table's mode"), VREG_RTADDR, 8, VK_RW,
          GENMASK(11, 10), .need = {.ecap = VECAP_SMTS}),
    FIELD("rtaddr.reserved", "11.4.5", IS_RSVD("Bits 9:0 of RTADDR"), VREG_RTADDR, 8, VK_RSVD,
          GENMASK(9, 0)),
    FIELD("ccmd.did", "11.4.6.1", IS_RW("DID of the context command"), VREG_CCMD, 8, VK_RW, 0xffff),
    FIELD("ccmd.cirg", "11.4.6.1", IS_RW("CIRG of the context command"), VREG_CCMD, 8, VK_RW,
          GENMASK(62, 61)),
    FIELD("ccmd.caig", "11.4.6.1", IS_0_RO("CAIG of the context command"), VREG_CCMD, 8, VK_RO,
          GENMASK(60, 59)),
    FIELD("ccmd.reserved", "11.4.6.1", IS_RSVD("Bits 58:34 of the context command"), VREG_CCMD, 8,
          VK_RSVD, GENMASK(58, 34)),
    FIELD("iotlb.did", "11.4.6.2", IS_RW("DID of the IOTLB invalidate register"), 8, 8, VK_RW,
          GENMASK(47, 32), .at_iro = true),
    FIELD("iotlb.iirg", "11.4.6.2", IS_RW("IIRG of the IOTLB invalidate register"), 8, 8, VK_RW,
          GENMASK(61, 60), .at_iro = true),
    FIELD("iotlb.iaig", "11.4.6.2", IS_0_RO("IAIG of the IOTLB invalidate register"), 8, 8, VK_RO,
          GENMASK(58, 57), .at_iro = true),
    FIELD("iotlb.reserved", "11.4.6.2", IS_RSVD("Bits 31:0 of the IOTLB invalidate register"), 8, 8,
          VK_RSVD, GENMASK(31, 0), .at_iro = true),
    FIELD("fsts.fri", "11.4.7.1", IS_0_RO("FRI of the fault status"), VREG_FSTS, 4, VK_RO, 0xff00),
    FIELD("fsts.ppf", "11.4.7.1", IS_0_RO("PPF of the fault status"), VREG_FSTS, 4, VK_RO, 0x2),
    FIELD("fsts.errors", "11.4.7.1",
          "PFO, IQE, ICE and ITE of the fault status are 0 after power-on, and not set by writing.",
          VREG_FSTS, 4, VK_RO, 0x71),
    FIELD("fsts.reserved", "11.4.7.1", IS_RSVD("Bits 31:16 of the fault status"), VREG_FSTS, 4,
          VK_RSVD, 0xffff0000),
    EVENT("fe", "the fault event", "11.4.7", VREG_FECTL),
    FIELD("frcd.f", "11.4.14", "F of a fault record is 0 after power-on, and not set by writing.",
          12, 4, VK_RO, BIT(31), .at_fro = true),
    FIELD("frcd.high", "11.4.14", IS_RO("The upper half of a fault record, but for F,"), 8, 8,
          VK_RO, GENMASK(62, 0), .any_reset = true, .at_fro = true),
    FIELD("frcd.low", "11.4.14", IS_RO("The lower half of a fault record"), 0, 8, VK_RO, ~0ull,
          .any_reset = true, .at_fro = true),
    FIELD("pmen.reserved", "11.4.8.1", IS_RSVD("Bits 30:1 of PMEN"), VREG_PMEN, 4, VK_RSVD,
          GENMASK(30, 1), .need = {.cap = VCAP_PLMR}),
    FIELD("pmen.epm", "11.4.8.1", IS_RW("EPM of PMEN"), VREG_PMEN, 4, VK_RW, BIT(31),
          .need = {.cap = VCAP_PLMR}),
    FIELD("pmen.prs", "11.4.8.1", IS_0_RO("PRS of PMEN"), VREG_PMEN, 4, VK_RO, BIT(0),
          .need = {.cap = VCAP_PLMR}),
    FIELD("pmen.none", "11.4.8.1", "Without protected regions PMEN is 0, whatever is written.",
          VREG_PMEN, 4, VK_RSVD, 0xffffffff, .need = {.without_cap = VCAP_PLMR | VCAP_PHMR}),
    VTD_ROW("reg.plmbase", "11.4.8.2", "The low base is aligned as the unit has it.", region,
            &(const struct vfield){0x68, 4, .need = {.cap = VCAP_PLMR}}),
    VTD_ROW("reg.plmlimit", "11.4.8.3", "The low limit is aligned as the unit has it.", region,
            &(const struct vfield){0x6c, 4, .need = {.cap = VCAP_PLMR}}),
    VTD_ROW("reg.phmbase", "11.4.8.4", "The high base is aligned as the unit has it.", region,
            &(const struct vfield){0x70, 8, .need = {.cap = VCAP_PHMR}}),
    VTD_ROW("reg.phmlimit", "11.4.8.5", "The high limit is aligned as the unit has it.", region,
            &(const struct vfield){0x78, 8, .need = {.cap = VCAP_PHMR}}),
    FIELD("iqh.qh", "11.4.9.1", IS_0_RO("The queue's head"), VREG_IQH, 8, VK_RO, GENMASK(18, 4),
          QUEUED),
    FIELD("iqh.reserved", "11.4.9.1", IS_RSVD("Bits 63:19 and 3:0 of the queue's head"), VREG_IQH,
          8, VK_RSVD, ~GENMASK(18, 4), QUEUED),
    FIELD("iqt.qt", "11.4.9.2", IS_RW("The queue's tail"), VREG_IQT, 8, VK_RW, GENMASK(18, 5),
          QUEUED),
    FIELD("iqt.reserved", "11.4.9.2", IS_RSVD("Bits 63:19 and 3:0 of the queue's tail"), VREG_IQT,
          8, VK_RSVD, ~GENMASK(18, 4), QUEUED),
    FIELD("iqa.iqa", "11.4.9.3", IS_RW("The queue's address"), VREG_IQA, 8, VK_RW, PAGE_BITS,
          .pointer = true, QUEUED),
    FIELD("iqa.qs", "11.4.9.3", IS_RW("The queue's size"), VREG_IQA, 8, VK_RW, 7, QUEUED),
    FIELD("iqa.dw", "11.4.9.3", IS_RW("The width of descriptors"), VREG_IQA, 8, VK_RW, BIT(11),
          .need = {.ecap = VECAP_SMTS}),
    FIELD("iqa.dw_none", "11.4.9.3", "Without scalable mode the width of descriptors stays 0.",
          VREG_IQA, 8, VK_RSVD, BIT(11), .need = {.without_ecap = VECAP_SMTS}),
    FIELD("iqa.reserved", "11.4.9.3", IS_RSVD("Bits 10:3 of IQA"), VREG_IQA, 8, VK_RSVD,
          GENMASK(10, 3), QUEUED),
    FIELD("ics.iwc", "11.4.9.4", "IWC is 0 after power-on, and not set by writing.", VREG_ICS, 4,
          VK_RO, 1, QUEUED),
    FIELD("ics.reserved", "11.4.9.4", IS_RSVD("Bits 31:1 of the completion status"), VREG_ICS, 4,
          VK_RSVD, 0xfffffffe, QUEUED),
    EVENT("ie", "the invalidation event", "11.4.9", VREG_IECTL, QUEUED),
    FIELD("iqercd", "11.4.9.9", IS_0_RO("The queue's error record"), VREG_IQERCD, 8, VK_RO, ~0ull,
          QUEUED),
    FIELD("irta.irta", "11.4.10", IS_RW("The interrupt table's address"), VREG_IRTA, 8, VK_RW,
          PAGE_BITS, .pointer = true, REMAPS),
    FIELD("irta.s", "11.4.10", IS_RW("The interrupt table's size"), VREG_IRTA, 8, VK_RW, 0xf,
          REMAPS),
    FIELD("irta.eime", "11.4.10", IS_RW("EIME"), VREG_IRTA, 8, VK_RW, BIT(11),
          .need = {.ecap = VECAP_IR | VECAP_EIM}),
    FIELD("irta.eime_none", "11.4.10", "Without extended interrupt mode EIME stays 0.", VREG_IRTA,
          8, VK_RSVD, BIT(11), .need = {.ecap = VECAP_IR, .without_ecap = VECAP_EIM}),
    FIELD("irta.reserved", "11.4.10", IS_RSVD("Bits 10:4 of IRTA"), VREG_IRTA, 8, VK_RSVD,
          GENMASK(10, 4), REMAPS),
    FIELD("pqh", "11.4.11", IS_RW("The page queue's head"), VREG_PQH, 8, VK_RW, GENMASK(18, 5),
          PAGED),
    FIELD("pqh.reserved", "11.4.11", IS_RSVD("Bits 63:19 and 4:0 of the page queue's head"),
          VREG_PQH, 8, VK_RSVD, ~GENMASK(18, 5), PAGED),
    FIELD("pqt", "11.4.11", IS_RW("The page queue's tail"), VREG_PQT, 8, VK_RW, GENMASK(18, 5),
          PAGED),
    FIELD("pqt.reserved", "11.4.11", IS_RSVD("Bits 63:19 and 4:0 of the page queue's tail"),
          VREG_PQT, 8, VK_RSVD, ~GENMASK(18, 5), PAGED),
    FIELD("pqa", "11.4.11", IS_RW("The page queue's address"), VREG_PQA, 8, VK_RW, PAGE_BITS,
          .pointer = true, PAGED),
    FIELD("pqa.pqs", "11.4.11", IS_RW("The page queue's size"), VREG_PQA, 8, VK_RW, 7, PAGED),
    FIELD("pqa.reserved", "11.4.11", IS_RSVD("Bits 11:5 of PQA"), VREG_PQA, 8, VK_RSVD,
          GENMASK(11, 5), PAGED),
    FIELD("prs", "11.4.11", "PPR and PRO are 0 after power-on, and not set by writing.", VREG_PRS,
          4, VK_RO, 3, PAGED),
    FIELD("prs.reserved", "11.4.11", IS_RSVD("Bits 31:2 of the page request status"), VREG_PRS, 4,
          VK_RSVD, 0xfffffffc, PAGED),
    EVENT("pe", "the page request event", "11.4.11", VREG_PECTL, PAGED),
};
/* clang-format on */

ASSERTION_TABLE(assertions_vtd_registers, rows);
