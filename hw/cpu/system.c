/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control and debug registers, descriptor tables, interrupt flag, HLT. SDM volume 2 and 3. */
#include "debug.h"
#include "exec.h"
#include "segment.h"

/* ---- Control registers ---- */

#define CR4_ALLOWED                                                                                \
    (CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_PCE | CR4_OSFXSR |             \
     CR4_OSXMMEXCPT | CR4_FSGSBASE | CR4_SMEP | CR4_OSXSAVE)
#define CR0_ALLOWED                                                                                \
    (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD |     \
     CR0_PG)

static void write_cr0(struct cpu *c, uint64_t v)
{
    uint64_t old = c->cr0;
    if (v >> 32 || (v & CR0_PG && !(v & CR0_PE)) || (v & CR0_NW && !(v & CR0_CD))) {
        raise_gp(c, 0);
    }
    v = (v & CR0_ALLOWED) | CR0_ET;
    uint64_t efer = c->efer;
    if (v & CR0_PG && !(old & CR0_PG) && efer & EFER_LME) {
        if (!(c->cr4 & CR4_PAE) || c->seg[CPU_CS].attr & ATTR_L) {
            raise_gp(c, 0);
        }
        efer |= EFER_LMA;
    }
    if (!(v & CR0_PG) && old & CR0_PG) {
        if (c->mode == MODE_64) {
            raise_gp(c, 0);
        }
        efer &= ~(uint64_t)EFER_LMA;
    }
    c->cr0 = v;
    c->efer = efer;
    if ((old ^ v) & (CR0_PG | CR0_WP | CR0_PE)) {
        tlb_flush(c, true);
        cpu_update_mode(c);
    }
}

static void write_cr3(struct cpu *c, uint64_t v)
{
    if (in_long_mode(c) && v & ~c->group->phys_mask) {
        raise_gp(c, 0);
    }
    c->cr3 = v;
    tlb_flush(c, false);
}

static void write_cr4(struct cpu *c, uint64_t v)
{
    uint64_t old = c->cr4;
    if (v & ~(uint64_t)CR4_ALLOWED || (in_long_mode(c) && !(v & CR4_PAE))) {
        raise_gp(c, 0);
    }
    c->cr4 = v;
    if ((old ^ v) & (CR4_PGE | CR4_PAE | CR4_PSE | CR4_SMEP)) {
        tlb_flush(c, true);
    }
}

OP(op_mov_reg_cr)
{
    ENTER();
    require_cpl0(c);
    unsigned size = c->mode == MODE_64 ? SZ_64 : SZ_32;
    uint64_t v = 0;
    switch (op->reg) {
    case 0: v = c->cr0; break;
    case 2: v = c->cr2; break;
    case 3: v = c->cr3; break;
    case 4: v = c->cr4; break;
    case 8: bus_access(c, CPU_TPR_READ, 8, 8, &v); break;
    default: cpu_raise(c, EXC_UD);
    }
    reg_write(c, op->rm, size, v);
    NEXT();
}

OP(op_mov_cr_reg)
{
    ENTER();
    require_cpl0(c);
    uint64_t v = reg_read(c, op->rm, c->mode == MODE_64 ? SZ_64 : SZ_32);
    switch (op->reg) {
    case 0: write_cr0(c, v); break;
    case 2: c->cr2 = v; break;
    case 3: write_cr3(c, v); break;
    case 4: write_cr4(c, v); break;
    case 8:
        if (v >> 4) {
            raise_gp(c, 0);
        }
        bus_access(c, CPU_TPR_WRITE, 8, 8, &v);
        break;
    default: cpu_raise(c, EXC_UD);
    }
    END();
}

OP(op_clts)
{
    ENTER();
    require_cpl0(c);
    c->cr0 &= ~(uint64_t)CR0_TS;
    NEXT();
}

OP(op_smsw)
{
    ENTER();
    if (op->flags & OPF_MEM) {
        lin_write(c, ea_linear(c, op, 2, true), 2, c->cr0);
    } else {
        reg_write(c, op->rm, op->size, c->cr0);
    }
    NEXT();
}

/* Can set PE but not clear it. */
OP(op_lmsw)
{
    ENTER();
    require_cpl0(c);
    uint64_t v = rm_read_size(c, op, SZ_16) & 0xF;
    write_cr0(c, (c->cr0 & ~0xEULL) | v);
    END();
}

/* ---- Debug registers ---- */

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE. */
static unsigned debug_register(struct cpu *c, const struct op *op)
{
    unsigned n = op->reg;
    if (n >= 8) {
        cpu_raise(c, EXC_UD);
    }
    if (n == 4 || n == 5) {
        if (c->cr4 & CR4_DE) {
            cpu_raise(c, EXC_UD);
        }
        n += 2;
    }
    require_cpl0(c);
    if (c->dr[7] & DR7_GD) {
        c->dr[6] |= DR6_BD;
        cpu_raise(c, EXC_DB);
    }
    return n;
}

OP(op_mov_reg_dr)
{
    ENTER();
    uint64_t v = c->dr[debug_register(c, op)];
    reg_write(c, op->rm, c->mode == MODE_64 ? SZ_64 : SZ_32, v);
    NEXT();
}

OP(op_mov_dr_reg)
{
    ENTER();
    unsigned n = debug_register(c, op);
    uint64_t v = reg_read(c, op->rm, c->mode == MODE_64 ? SZ_64 : SZ_32);
    if (n >= 6) {
        if (v >> 32) {
            raise_gp(c, 0);
        }
        v = n == 6 ? (v & 0xE00F) | DR6_ONE : (v & 0xFFFF23FF) | DR7_ONE;
    }
    bool was_armed = debug_armed(c);
    c->dr[n] = v;
    if (was_armed || debug_armed(c)) {
        tlb_flush(c, true); /* watched pages must leave the fast path, or may come back */
    }
    cpu_update_slow(c);
    END();
}

/* ---- Descriptor tables ---- */

static void store_table(struct cpu *c, const struct op *op, uint64_t base, uint16_t limit)
{
    unsigned bytes = c->mode == MODE_64 ? 8 : 4;
    uint8_t image[10];
    uint64_t la = ea_linear(c, op, 2 + bytes, true);
    host_write(image, 2, limit);
    host_write(image + 2, bytes, base);
    lin_write_bytes(c, la, image, 2 + bytes);
}

OP(op_sgdt)
{
    ENTER();
    store_table(c, op, c->gdt_base, c->gdt_limit);
    NEXT();
}

OP(op_sidt)
{
    ENTER();
    store_table(c, op, c->idt_base, c->idt_limit);
    NEXT();
}

static uint64_t load_table(struct cpu *c, const struct op *op, uint16_t *limit)
{
    unsigned bytes = c->mode == MODE_64 ? 8 : 4;
    uint8_t image[10];
    require_cpl0(c);
    lin_read_bytes(c, ea_linear(c, op, 2 + bytes, false), image, 2 + bytes);
    uint64_t base = host_read(image + 2, bytes);
    *limit = (uint16_t)host_read(image, 2);
    if (c->mode == MODE_64) {
        if (!is_canonical(base)) {
            raise_gp(c, 0);
        }
    } else if (op->size == SZ_16) {
        base &= 0xFFFFFF;
    }
    return base;
}

OP(op_lgdt)
{
    ENTER();
    uint16_t limit;
    c->gdt_base = load_table(c, op, &limit);
    c->gdt_limit = limit;
    NEXT();
}

OP(op_lidt)
{
    ENTER();
    uint16_t limit;
    c->idt_base = load_table(c, op, &limit);
    c->idt_limit = limit;
    NEXT();
}

static const struct op *store_selector(struct cpu *c, const struct op *op, unsigned seg)
{
    if (!in_protected_mode(c)) {
        cpu_raise(c, EXC_UD);
    }
    if (op->flags & OPF_MEM) {
        lin_write(c, ea_linear(c, op, 2, true), 2, c->seg[seg].selector);
    } else {
        reg_write(c, op->rm, op->size, c->seg[seg].selector);
    }
    NEXT();
}

OP(op_sldt)
{
    ENTER();
    return store_selector(c, op, CPU_LDTR);
}

OP(op_str)
{
    ENTER();
    return store_selector(c, op, CPU_TR);
}

/* A system descriptor in the GDT of one of two types. */
static void system_descriptor(struct cpu *c, uint16_t selector, unsigned type, unsigned type16,
                              struct descriptor *d)
{
    uint32_t error = selector & 0xFFFC;
    if (selector & 4) {
        raise_gp(c, error);
    }
    desc_read(c, selector, EXC_GP, d);
    unsigned t = d->attr & (ATTR_TYPE | ATTR_S);
    if (t != type && (t != type16 || in_long_mode(c))) {
        raise_gp(c, error);
    }
    if (!(d->attr & ATTR_P)) {
        cpu_raise_error(c, EXC_NP, error);
    }
    if (in_long_mode(c) && !is_canonical(d->base)) {
        raise_gp(c, error);
    }
}

OP(op_lldt)
{
    ENTER();
    if (!in_protected_mode(c)) {
        cpu_raise(c, EXC_UD);
    }
    require_cpl0(c);
    uint16_t selector = (uint16_t)rm_read_size(c, op, SZ_16);
    if ((selector & 0xFFFC) == 0) {
        seg_set_null(c, CPU_LDTR, selector);
        END();
    }
    struct descriptor d;
    system_descriptor(c, selector, SYS_LDT, SYS_LDT, &d);
    seg_set(c, CPU_LDTR, selector, &d);
    END();
}

OP(op_ltr)
{
    ENTER();
    if (!in_protected_mode(c)) {
        cpu_raise(c, EXC_UD);
    }
    require_cpl0(c);
    uint16_t selector = (uint16_t)rm_read_size(c, op, SZ_16);
    if ((selector & 0xFFFC) == 0) {
        raise_gp(c, 0);
    }
    struct descriptor d;
    system_descriptor(c, selector, SYS_TSS_AVAIL, SYS_TSS_AVAIL - SYS_16BIT, &d);
    d.attr |= 2; /* busy */
    sys_write(c, d.at + 5, 1, d.attr & 0xFF);
    seg_set(c, CPU_TR, selector, &d);
    END();
}

/* ---- LAR, LSL, VERR, VERW ---- */

/* The descriptor if this CPL may know about it; no fault but those of memory. */
static bool visible_descriptor(struct cpu *c, uint16_t selector, struct descriptor *d)
{
    bool local = selector & 4;
    uint32_t limit = local ? c->seg[CPU_LDTR].limit : c->gdt_limit, off = selector & 0xFFF8;
    if (!in_protected_mode(c)) {
        cpu_raise(c, EXC_UD);
    }
    if ((selector & 0xFFFC) == 0 || off + 7 > limit ||
        (local && !(c->seg[CPU_LDTR].attr & ATTR_P))) {
        return false;
    }
    desc_parse(sys_read(c, (local ? c->seg[CPU_LDTR].base : c->gdt_base) + off, 8), d);
    unsigned dpl = attr_dpl(d->attr);
    bool conforming = (d->attr & (ATTR_S | ATTR_CODE | ATTR_DC)) == (ATTR_S | ATTR_CODE | ATTR_DC);
    return conforming || (dpl >= c->cpl && dpl >= (selector & 3));
}

/* System types that LAR and LSL accept, as bits (SDM volume 2, LAR table 3-53, LSL 3-57). */
static bool system_type_ok(const struct cpu *c, unsigned type, bool lsl)
{
    unsigned ok = in_long_mode(c) ? (lsl ? 0x0A04 : 0x1A04) : (lsl ? 0x0A0E : 0x1A3E);
    return ok >> type & 1;
}

OP(op_lar)
{
    ENTER();
    struct descriptor d;
    uint16_t selector = (uint16_t)rm_read_size(c, op, SZ_16);
    bool ok = visible_descriptor(c, selector, &d) &&
              (d.attr & ATTR_S || system_type_ok(c, d.attr & ATTR_TYPE, false));
    if (ok) {
        reg_write(c, op->reg, op->size, d.low >> 32 & 0xFFFF00);
    }
    c->fl_z = !ok;
    NEXT();
}

OP(op_lsl)
{
    ENTER();
    struct descriptor d;
    uint16_t selector = (uint16_t)rm_read_size(c, op, SZ_16);
    bool ok = visible_descriptor(c, selector, &d) &&
              (d.attr & ATTR_S || system_type_ok(c, d.attr & ATTR_TYPE, true));
    if (ok) {
        reg_write(c, op->reg, op->size, d.limit);
    }
    c->fl_z = !ok;
    NEXT();
}

OP(op_verr)
{
    ENTER();
    struct descriptor d;
    bool ok = visible_descriptor(c, (uint16_t)rm_read_size(c, op, SZ_16), &d) && d.attr & ATTR_S &&
              !(d.attr & ATTR_CODE && !(d.attr & ATTR_RW));
    c->fl_z = !ok;
    NEXT();
}

OP(op_verw)
{
    ENTER();
    struct descriptor d;
    bool ok = visible_descriptor(c, (uint16_t)rm_read_size(c, op, SZ_16), &d) && d.attr & ATTR_S &&
              !(d.attr & ATTR_CODE) && d.attr & ATTR_RW;
    c->fl_z = !ok;
    NEXT();
}

OP(op_arpl)
{
    ENTER();
    if (!in_protected_mode(c)) {
        cpu_raise(c, EXC_UD);
    }
    uint64_t a = rm_read_rmw(c, op), b = c->gpr[op->reg] & 3;
    bool lower = (a & 3) < b;
    rm_write_rmw(c, op, lower ? (a & ~3ULL) | b : a);
    c->fl_z = !lower;
    NEXT();
}

/* ---- Caches and TLB ---- */

OP(op_invlpg)
{
    ENTER();
    require_cpl0(c);
    uint64_t la =
        ea_offset(c, op) + (c->mode != MODE_64 || op->seg >= CPU_FS ? c->seg[op->seg].base : 0);
    if (c->mode != MODE_64) {
        la = (uint32_t)la;
    }
    if (c->mode != MODE_64 || is_canonical(la)) {
        tlb_flush_page(c, la);
    }
    END();
}

/* WBINVD, INVD: there is no cache. CHOICE: INVD loses nothing. */
OP(op_wbinvd)
{
    const struct cpu_group_config *config = &c->group->config;

    ENTER();
    require_cpl0(c);
    if (config->write_back_all) {
        config->write_back_all(config->opaque);
    }
    NEXT();
}

/* CLFLUSH counts as a read of the byte. (CPUID knows no CLFLUSHOPT and no CLWB.) */
OP(op_clflush)
{
    const struct cpu_group_config *config = &c->group->config;

    ENTER();
    uint64_t la = ea_linear(c, op, 1, false);
    lin_read(c, la, 1);
    if (config->write_back) {
        struct xlate x;

        page_translate(c, la, ACC_READ, c->cpl == 3, &x);
        config->write_back(config->opaque, x.pa);
    }
    NEXT();
}

/* ---- Interrupt flag and HLT ---- */

OP(op_cli)
{
    ENTER();
    if (in_protected_mode(c) && c->cpl > (c->eflags >> 12 & 3)) {
        raise_gp(c, 0);
    }
    c->eflags &= ~(uint32_t)FL_IF;
    NEXT();
}

OP(op_sti)
{
    ENTER();
    if (in_protected_mode(c) && c->cpl > (c->eflags >> 12 & 3)) {
        raise_gp(c, 0);
    }
    if (!(c->eflags & FL_IF)) {
        c->eflags |= FL_IF;
        c->shadow_at = c->retired_before + c->run_budget - (uint64_t)c->budget;
    }
    END();
}

OP(op_hlt)
{
    ENTER();
    require_cpl0(c);
    c->run_state = RUN_HALTED;
    END();
}

OP(op_pushf)
{
    ENTER();
    stack_push(c, op->size, flags_get(c) & ~(uint32_t)(FL_RF | FL_VM));
    NEXT();
}

OP(op_popf)
{
    ENTER();
    uint64_t v = stack_peek(c, op->size, 0);
    uint32_t mask = flags_pop_mask(c);
    stack_set(c, c->gpr[CPU_RSP] + (1u << op->size));
    flags_write(c, v, op->size == SZ_16 ? mask & 0xFFFF : mask);
    END();
}
