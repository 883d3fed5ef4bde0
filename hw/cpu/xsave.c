/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The XSAVE feature set (SDM volume 1, chapter 13): x87 and SSE state under XCR0, the PASID of
 * ENQCMD under IA32_XSS.
 *
 * CHOICE: x87 and SSE state are always in use (XINUSE), the PASID while it is not 0; XSAVEOPT and
 * XSAVES do without the modified optimization. So what is saved depends on the state alone.
 */
#include <string.h>

#include "exec.h"
#include "pcilab/base/le.h"

enum { X87 = 1 << 0, SSE = 1 << 1, PASID = 1 << 10, XCR0_ALL = X87 | SSE };

/* The header, behind the legacy region (13.4.2). */
enum { BV = 0, COMP_BV = 8, HEADER_ZERO = 16 };
#define LEGACY  512u
#define HEADER  64u
#define AREA    (LEGACY + HEADER)
#define COMPACT BIT(63)

/* Of the legacy region (table 13-1). */
enum { L_MXCSR = 24, L_ST = 32, L_XMM = 160 };
#define MXCSR_INIT 0x1F80u

static uint64_t in_use(const struct cpu *c)
{
    return XCR0_ALL | (c->msr.pasid ? PASID : 0);
}

static uint64_t asked_for(const struct cpu *c)
{
    return (uint32_t)c->gpr[CPU_RAX] | c->gpr[CPU_RDX] << 32;
}

static enum fpu_fx_form form_of(const struct cpu *c, const struct op *op)
{
    return c->mode != MODE_64 ? FPU_FX_LEGACY : op->flags & OPF_W ? FPU_FX_64 : FPU_FX_32;
}

static uint64_t area_linear(struct cpu *c, const struct op *op, bool supervisor, bool write)
{
    if (!(c->cr4 & CR4_OSXSAVE)) {
        cpu_raise(c, EXC_UD);
    }
    if (supervisor) {
        require_cpl0(c);
    }
    if (c->cr0 & CR0_TS) {
        cpu_raise(c, EXC_NM);
    }
    uint64_t la = ea_linear(c, op, AREA, write);
    if (la & 63) {
        raise_gp(c, 0);
    }
    return la;
}

/* ---- Saving ---- */

/* Bytes of an area that is not written yet. */
struct image {
    uint8_t bytes[AREA];
};

/* What of the legacy region the components make. */
static void save_legacy(const struct cpu *c, const struct op *op, uint64_t what, uint8_t *out)
{
    uint8_t fx[FPU_FXSAVE_BYTES];
    enum fpu_fx_form form = form_of(c, op);

    fpu_fxsave(&c->fpu, fx, form);
    if (what & X87) {
        memcpy(out, fx, L_MXCSR);
        memcpy(out + L_ST, fx + L_ST, L_XMM - L_ST);
    }
    if (what & SSE) {
        memcpy(out + L_MXCSR, fx + L_MXCSR, 8);
        memcpy(out + L_XMM, fx + L_XMM, fpu_fxsave_bytes(form) - L_XMM);
    }
}

static void store(struct cpu *c, uint64_t la, const struct image *image, unsigned from, unsigned to)
{
    lin_write_bytes(c, la + from, image->bytes + from, to - from);
}

static void store_components(struct cpu *c, const struct op *op, uint64_t la, uint64_t what,
                             struct image *image)
{
    unsigned end = (unsigned)fpu_fxsave_bytes(form_of(c, op));

    save_legacy(c, op, what, image->bytes);
    if ((what & XCR0_ALL) == XCR0_ALL) {
        store(c, la, image, 0, end);
    } else if (what & X87) {
        store(c, la, image, 0, L_MXCSR);
        store(c, la, image, L_ST, L_XMM);
    } else if (what & SSE) {
        store(c, la, image, L_MXCSR, L_ST);
        store(c, la, image, L_XMM, end);
    }
}

/* XSAVE, XSAVEOPT: the standard form. */
OP(op_xsave)
{
    ENTER();
    uint64_t la = area_linear(c, op, false, true);
    uint64_t what = c->xcr0 & asked_for(c);
    struct image image;

    lin_probe_write(c, la, AREA);
    uint64_t bv = lin_read(c, la + LEGACY + BV, 8);
    store_components(c, op, la, what, &image);
    lin_write(c, la + LEGACY + BV, 8, (bv & ~what) | (what & in_use(c)));
    NEXT();
}

static void save_compact(struct cpu *c, const struct op *op, uint64_t la, uint64_t what)
{
    struct image image;

    lin_probe_write(c, la, AREA + (what & PASID ? 8 : 0));
    store_components(c, op, la, what, &image);
    if (what & in_use(c) & PASID) {
        lin_write(c, la + AREA, 8, c->msr.pasid);
    }
    lin_write(c, la + LEGACY + BV, 8, what & in_use(c));
    lin_write(c, la + LEGACY + COMP_BV, 8, what | COMPACT);
}

OP(op_xsavec)
{
    ENTER();
    uint64_t la = area_linear(c, op, false, true);

    save_compact(c, op, la, c->xcr0 & asked_for(c));
    NEXT();
}

OP(op_xsaves)
{
    ENTER();
    uint64_t la = area_linear(c, op, true, true);

    save_compact(c, op, la, (c->xcr0 | c->msr.xss) & asked_for(c));
    NEXT();
}

/* ---- Restoring ---- */

struct restore {
    uint64_t bv, comp_bv;
    uint8_t fx[FPU_FXSAVE_BYTES];
    uint64_t pasid;
};

static void load_header(struct cpu *c, uint64_t la, struct restore *r)
{
    uint8_t header[HEADER];

    lin_read_bytes(c, la + LEGACY, header, HEADER);
    r->bv = le64_load(header + BV);
    r->comp_bv = le64_load(header + COMP_BV);
    /* The standard form looks at the third quadword only (13.8.1). */
    for (unsigned i = HEADER_ZERO; i < (r->comp_bv & COMPACT ? HEADER : 24u); i++) {
        if (header[i]) {
            raise_gp(c, 0);
        }
    }
}

static void check_header(struct cpu *c, const struct restore *r, uint64_t enabled, bool supervisor)
{
    bool bad = r->comp_bv & COMPACT ? (r->comp_bv & ~(enabled | COMPACT)) || (r->bv & ~r->comp_bv)
                                    : supervisor || r->comp_bv || (r->bv & ~enabled);
    if (bad) {
        raise_gp(c, 0);
    }
}

/* MXCSR comes with SSE state; in the standard form also when that is to be initialized (13.8.1). */
static void build_legacy(struct cpu *c, const struct op *op, uint64_t what, struct restore *r)
{
    uint8_t now[FPU_FXSAVE_BYTES];
    enum fpu_fx_form form = form_of(c, op);

    if ((what & XCR0_ALL) != XCR0_ALL) {
        fpu_fxsave(&c->fpu, now, form);
    }
    if (!(what & X87)) {
        memcpy(r->fx, now, L_MXCSR);
        memcpy(r->fx + L_ST, now + L_ST, L_XMM - L_ST);
    } else if (!(r->bv & X87)) {
        memset(r->fx, 0, L_MXCSR);
        memset(r->fx + L_ST, 0, L_XMM - L_ST);
        le16_store(r->fx, 0x37F);
    }
    if (!(what & SSE)) {
        memcpy(r->fx + L_MXCSR, now + L_MXCSR, 8);
        memcpy(r->fx + L_XMM, now + L_XMM, fpu_fxsave_bytes(form) - L_XMM);
    } else if (!(r->bv & SSE)) {
        memset(r->fx + L_XMM, 0, sizeof(r->fx) - L_XMM);
        if (r->comp_bv & COMPACT) {
            le32_store(r->fx + L_MXCSR, MXCSR_INIT);
        }
    }
}

static const struct op *restore(struct cpu *c, const struct op *op, bool supervisor)
{
    uint64_t la = area_linear(c, op, supervisor, false);
    uint64_t enabled = c->xcr0 | (supervisor ? c->msr.xss : 0), what = enabled & asked_for(c);
    struct restore r;

    load_header(c, la, &r);
    check_header(c, &r, enabled, supervisor);
    lin_read_bytes(c, la, r.fx, LEGACY);
    r.pasid = what & r.bv & PASID ? lin_read(c, la + AREA, 8) : 0;
    if (r.pasid & ~CPU_PASID_BITS) {
        raise_gp(c, 0);
    }
    build_legacy(c, op, what, &r);
    if (what & XCR0_ALL && fpu_fxrstor(&c->fpu, r.fx, form_of(c, op))) {
        raise_gp(c, 0);
    }
    if (what & PASID) {
        c->msr.pasid = r.pasid;
    }
    NEXT();
}

OP(op_xrstor)
{
    ENTER();
    return restore(c, op, false);
}

OP(op_xrstors)
{
    ENTER();
    return restore(c, op, true);
}

/* ---- XCR0 ---- */

static void get_xcr(struct cpu *c)
{
    uint32_t number = (uint32_t)c->gpr[CPU_RCX];
    uint64_t v = c->xcr0;

    if (number > 1) {
        raise_gp(c, 0);
    }
    if (number == 1) {
        v &= in_use(c);
    }
    c->gpr[CPU_RAX] = (uint32_t)v;
    c->gpr[CPU_RDX] = v >> 32;
}

static void set_xcr(struct cpu *c)
{
    uint64_t v = asked_for(c);

    require_cpl0(c);
    if ((uint32_t)c->gpr[CPU_RCX] || !(v & X87) || v & ~(uint64_t)XCR0_ALL) {
        raise_gp(c, 0);
    }
    c->xcr0 = v;
}

/* 0F 01 with mod 3 and /2: XGETBV and XSETBV, by the low bits of ModRM. */
OP(op_xcr)
{
    ENTER();
    unsigned which = op->rm & 7;

    if (which > 1 || !(c->cr4 & CR4_OSXSAVE) || op->flags & (OPF_66 | OPF_REP | OPF_REPNE)) {
        cpu_raise(c, EXC_UD);
    }
    if (which == 0) {
        get_xcr(c);
    } else {
        set_xcr(c);
    }
    NEXT();
}
