/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One access, and what becomes of it (struct vtd_case). */
#include "lab_vtd.h"

#define FRCD_T1 BIT(62)
#define FRCD_T2 BIT(28)

static uint64_t place(const struct vlab *v, const struct vtd_case *c)
{
    switch ((enum vtd_where)c->where) {
    case VW_NOTHING: break;
    case VW_ROOT: return vlab_root_entry(v) + c->quad * 8;
    case VW_CONTEXT: return vlab_context_entry(v) + c->quad * 8;
    case VW_DIRECTORY: return vlab_directory_entry(v);
    case VW_PASID: return vlab_pasid_entry(v) + c->quad * 8;
    case VW_SECOND: return vlab_second_entry(v, c->level ? c->level : v->levels);
    case VW_FIRST: return vlab_first_entry(v, c->level ? c->level : v->levels);
    case VW_SECOND_OF_FIRST:
        return VLAB_SECOND + ((VLAB_FIRST + (c->level - 1) * 0x1000) >> 12 & 0x1ff) * 8;
    }
    return 0;
}

static void change(struct vlab *v, const struct vtd_case *c)
{
    uint64_t at = place(v, c), value;

    if (!at)
        return;
    value = (vlab_ram(v, at) & ~c->clear) | c->set;
    if (c->flags & VF_NOWHERE)
        value = (value & ~GENMASK(51, 12)) | vlab_nowhere(v);
    if (c->flags & VF_BEYOND)
        value |= 1ull << v->host_bits;
    vlab_put(v, at, value);
}

static void go(struct vlab *v, const struct vtd_case *c)
{
    uint64_t root = c->flags & VF_ROOT_NOWHERE ? vlab_nowhere(v) : VLAB_ROOT;
    uint64_t mode = c->ttm ? c->ttm : vlab_scalable(v);

    vlab_set(v, VREG_RTADDR, 8, root | mode << 10);
    vlab_command(v, VG_SRTP, true);
    vlab_command(v, VG_TE, true);
}

static uint64_t address(const struct vlab *v, const struct vtd_case *c)
{
    bool pass = v->mode == VLAB_PASS || v->mode == VLAB_LEGACY_PASS;

    if (c->flags & VF_ABOVE)
        return pass ? 1ull << v->host_bits
                    : 1ull << (12 + 9 * v->levels - (v->mode == VLAB_FIRST_STAGE));
    return c->addr ? c->addr : v->addr;
}

/* What the record says of the access (11.4.14). */
static void check_record(struct vlab *v, const struct vtd_case *c, const struct vlab_access *access)
{
    struct conform_ctx *t = v->t;
    struct vlab_fault fault;
    uint64_t high, type = c->flags & VF_WRITE ? 0 : FRCD_T1;

    if (c->flags & VF_SILENT) {
        t_check(t, !(vlab_get(v, VREG_FSTS, 4) & (VFSTS_PPF | VFSTS_PFO)), "a fault is recorded");
        return;
    }
    if (!vlab_fault(v, &fault)) {
        t_fail(t, "no fault is recorded");
        return;
    }
    high = fault.high;
    t_check(t, fault.reason == c->reason, "the fault reason is %02xh, not %02xh", fault.reason,
            c->reason);
    t_check(t, (high & 0xffff) == v->rid, "the source is %04x, not %04x", (unsigned)(high & 0xffff),
            v->rid);
    t_check(t, fault.low == (access->addr & ~low_mask(12)),
            "the address is %" G_GINT64_MODIFIER "x, not %" G_GINT64_MODIFIER "x", fault.low,
            access->addr & ~low_mask(12));
    if (c->flags & VF_ATOMIC)
        type |= FRCD_T2;
    t_check(t, (high & (FRCD_T1 | FRCD_T2)) == type, "the type of the request is wrong");
    t_check(t, (high >> 60 & 3) == access->at, "AT is %u, not %u", (unsigned)(high >> 60 & 3),
            access->at);
    t_check(t, (high >> 31 & 1) == access->has_pasid, "PASID Present is wrong");
    if (access->has_pasid)
        t_check(t,
                (high >> 40 & 0xfffff) == access->pasid && (high >> 29 & 1) == access->privileged &&
                    (high >> 30 & 1) == access->execute,
                "the PASID and its flags are wrong");
    t_check(t, !(vlab_get(v, VREG_FSTS, 4) & VFSTS_PPF), "there is another fault");
}

static void check_blocked(struct vlab *v, const struct vtd_case *c)
{
    const uint32_t there = 0x600d600d;
    struct vlab_access access = {
        .addr = address(v, c),
        .write = c->flags & VF_WRITE,
        .atomic = c->flags & VF_ATOMIC,
        .at = c->flags & VF_TRANSLATED ? TLP_AT_TRANSLATED
              : c->flags & VF_REQUEST  ? TLP_AT_REQUEST
                                       : TLP_AT_UNTRANSLATED,
        .has_pasid = c->flags & VF_WITH_PASID,
        .privileged = c->flags & VF_PRIVILEGED,
        .execute = c->flags & VF_EXECUTE,
        .pasid = (uint32_t)(v->pasid + c->pasid),
        .data = 0xbad,
    };
    const struct tlp *cpl;

    vlab_put(v, VLAB_OUT + VLAB_OFFSET, there);
    cpl = vlab_send(v, &access);
    t_check(v->t, vlab_ram(v, VLAB_OUT + VLAB_OFFSET) == there, "it was written");
    if (!access.write && !access.atomic)
        t_check(v->t, cpl && (cpl->status == TLP_UR || cpl->status == TLP_CA),
                cpl ? "its completion has status %u" : "it has no completion",
                cpl ? cpl->status : 0);
    check_record(v, c, &access);
}

static void check_passes(struct vlab *v, const struct vtd_case *c)
{
    const uint32_t there = 0x600d600d, sent = 0xd00d;
    struct vlab_access access = {
        .addr = address(v, c),
        .write = c->flags & VF_WRITE,
        .atomic = c->flags & VF_ATOMIC,
        .has_pasid = c->flags & VF_WITH_PASID,
        .privileged = c->flags & VF_PRIVILEGED,
        .pasid = v->pasid,
        .data = sent,
    };
    uint32_t after = c->flags & VF_ATOMIC ? there + sent : c->flags & VF_WRITE ? sent : there;
    const struct tlp *cpl;
    struct vlab_fault fault;

    vlab_put(v, VLAB_OUT + VLAB_OFFSET, there);
    cpl = vlab_send(v, &access);
    if (vlab_fault(v, &fault))
        t_fail(v->t, "it faults with reason %02xh", fault.reason);
    t_check(v->t, (uint32_t)vlab_ram(v, VLAB_OUT + VLAB_OFFSET) == after,
            "memory is %08x afterwards, not %08x", (unsigned)vlab_ram(v, VLAB_OUT + VLAB_OFFSET),
            after);
    if (!(c->flags & VF_WRITE))
        t_check(v->t, cpl && cpl->type == TLP_CPLD && vlab_dword(cpl) == there,
                "it is not answered with what is there");
}

static bool prepare(struct vlab *v, const struct vtd_case *c)
{
    if (!vlab_tables(v, c->mode, c->levels, c->leaf))
        return false;
    if (c->left && !(v->ecap & VECAP_WCS)) {
        t_skip(v->t, "walks do not snoop, and so set no bits");
        return false;
    }
    if (!(c->flags & VF_TWICE)) {
        change(v, c);
        go(v, c);
        return true;
    }
    go(v, c);
    t_check(v->t, vlab_reaches(v, c->flags & VF_WRITE, VLAB_OUT), "it fails without the change");
    change(v, c);
    vlab_queue_on(v);
    t_check(v->t, vlab_forget(v), "invalidations do not finish");
    return true;
}

/* Reserved bits, one by one; after each the entry is as it was. */
static void each_bit(struct vlab *v, const struct vtd_case *c)
{
    uint64_t at, value;

    if (!vlab_tables(v, c->mode, c->levels, c->leaf))
        return;
    at = place(v, c);
    value = vlab_ram(v, at);
    go(v, c);
    vlab_queue_on(v);
    for (unsigned bit = 0; bit < 64 && !t_failed(v->t); bit++) {
        if (!(c->each >> bit & 1))
            continue;
        vlab_put(v, at, value | 1ull << bit);
        check_blocked(v, c);
        vlab_put(v, at, value);
        t_check(v->t, vlab_forget(v), "invalidations do not finish");
    }
    t_check(v->t, vlab_reaches(v, c->flags & VF_WRITE, VLAB_OUT),
            "it fails without any of the bits");
}

static void judge(struct vlab *v, const struct vtd_case *c)
{
    uint64_t left;

    if (c->reason || c->flags & VF_SILENT)
        check_blocked(v, c);
    else
        check_passes(v, c);
    left = place(v, c) ? vlab_ram(v, place(v, c)) : 0;
    t_check(v->t, (left & c->left) == c->left && !(left & c->left_clear),
            "the entry is %" G_GINT64_MODIFIER "x afterwards", left);
}

void vtd_case_run(struct conform_ctx *t)
{
    const struct vtd_case *c = t->assertion->param;
    struct vlab v;

    if (vlab_open(&v, t, &c->need)) {
        if (c->each)
            each_bit(&v, c);
        else if (prepare(&v, c))
            judge(&v, c);
    }
    vlab_close(&v);
}
