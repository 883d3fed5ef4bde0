/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The laboratory with a VT-d unit. */
#include "lab_vtd.h"

#include <string.h>

#include "machine.h"
#include "pcilab/base/le.h"
#include "pcilab/platform/addrmap.h"
#include "pcilab/platform/probe.h"

#define ADDR_3_LEVELS 0x0000003456789000u
#define ADDR_4_LEVELS 0x0000123456789000u
#define ADDR_5_LEVELS 0x00a3123456789000u

/* The unit that has all of segment 0; the number of those before it. */
static int find_unit(const struct machine_desc *desc)
{
    int index = 0;

    for (unsigned i = 0; i < desc->count; i++) {
        const struct machine_component *c = &desc->components[i];

        if (c->kind != MACHINE_IOMMU)
            continue;
        if (!c->iommu.scope && !desc->components[c->parent].bridge.segment)
            return index;
        index++;
    }
    return -1;
}

static bool has_needed(struct vlab *v, const struct vlab_need *need)
{
    uint64_t cap = need->cap & ~v->cap, ecap = need->ecap & ~v->ecap;

    if (cap)
        t_skip(v->t, "bit %d of CAP is 0", __builtin_ctzll(cap));
    else if (ecap)
        t_skip(v->t, "bit %d of ECAP is 0", __builtin_ctzll(ecap));
    else if (need->without_cap & v->cap)
        t_skip(v->t, "bit %d of CAP is 1", __builtin_ctzll(need->without_cap & v->cap));
    else if (need->without_ecap & v->ecap)
        t_skip(v->t, "bit %d of ECAP is 1", __builtin_ctzll(need->without_ecap & v->ecap));
    else
        return true;
    return false;
}

bool vlab_open(struct vlab *v, struct conform_ctx *t, const struct vlab_need *need)
{
    int unit = find_unit(t->backend->lab);

    *v = (struct vlab){.t = t};
    if (unit < 0) {
        t_skip(t, "the topology has no VT-d unit for all of segment 0");
        return false;
    }
    v->lab = lab_new(t);
    if (!v->lab->machine)
        return false;
    v->base = MAP_IOMMU_BASE + (unsigned)unit * MAP_IOMMU_SIZE;
    v->host_bits = MAP_HOST_BITS;
    v->rid = lab_func(v->lab, v->lab->ex)->rid.v;
    v->cap = vlab_get(v, VREG_CAP, 8);
    v->ecap = vlab_get(v, VREG_ECAP, 8);
    v->pasid = v->ecap & VECAP_RPS ? 0x43 : 0;
    return !need || has_needed(v, need);
}

void vlab_close(struct vlab *v)
{
    if (v->lab)
        lab_free(v->lab);
}

uint64_t vlab_get(struct vlab *v, unsigned reg, unsigned size)
{
    uint8_t data[8] = {0};

    machine_board_read(v->lab->machine, v->base + reg, data, size);
    return le_load(data, size);
}

void vlab_set(struct vlab *v, unsigned reg, unsigned size, uint64_t value)
{
    uint8_t data[8];

    le64_store(data, value);
    machine_board_write(v->lab->machine, v->base + reg, data, size);
    lab_run_us(v->lab, 1);
}

uint64_t vlab_ram(struct vlab *v, uint64_t addr)
{
    uint8_t data[8] = {0};

    machine_board_read(v->lab->machine, addr, data, sizeof(data));
    return le64_load(data);
}

void vlab_put(struct vlab *v, uint64_t addr, uint64_t value)
{
    uint8_t data[8];

    le64_store(data, value);
    machine_board_write(v->lab->machine, addr, data, sizeof(data));
}

/* Entries. */

static uint64_t table_entry(uint64_t tables, unsigned level, uint64_t addr)
{
    return tables + (level - 1) * 0x1000 + (addr >> (3 + 9 * level) & 0x1ff) * 8;
}

uint64_t vlab_root_entry(const struct vlab *v)
{
    return VLAB_ROOT + (v->rid >> 8) * 16u + (vlab_scalable(v) ? (v->rid >> 7 & 1) * 8u : 0);
}

uint64_t vlab_context_entry(const struct vlab *v)
{
    return vlab_scalable(v) ? VLAB_CONTEXT + (v->rid & 0x7f) * 32u
                            : VLAB_LEGACY + (v->rid & 0xff) * 16u;
}

uint64_t vlab_directory_entry(const struct vlab *v)
{
    return VLAB_DIRECTORY + (v->pasid >> 6) * 8;
}

uint64_t vlab_pasid_entry(const struct vlab *v)
{
    return VLAB_PASIDS + (v->pasid & 0x3f) * 64;
}

uint64_t vlab_second_entry(const struct vlab *v, unsigned level)
{
    return table_entry(VLAB_SECOND, level, v->mode == VLAB_NESTED ? VLAB_GUEST : v->addr);
}

uint64_t vlab_first_entry(const struct vlab *v, unsigned level)
{
    return table_entry(VLAB_FIRST, level, v->addr);
}

uint64_t vlab_nowhere(const struct vlab *v)
{
    return 3ull << (v->host_bits - 2);
}

/* Tables. */

/* From `levels` down to a page at `leaf` that leads to `out`. */
static void map(struct vlab *v, uint64_t tables, uint64_t addr, uint64_t out, uint64_t bits)
{
    for (unsigned level = v->levels; level > v->leaf; level--)
        vlab_put(v, table_entry(tables, level, addr),
                 (tables + (level - 2) * 0x1000) | (bits & ~BIT(7)));
    vlab_put(v, table_entry(tables, v->leaf, addr),
             (out & ~low_mask(3 + 9 * v->leaf)) | bits | (v->leaf > 1 ? BIT(7) : 0));
}

/* A unit whose walks do not snoop sets no bits: they are there already (9.6, PWSNP). */
static uint64_t first_bits(const struct vlab *v)
{
    return 7 | (v->ecap & VECAP_WCS ? 0 : BIT(5) | BIT(6));
}

static bool choose_levels(struct vlab *v, unsigned levels)
{
    unsigned wanted = levels ? levels : 4;
    bool first = v->mode == VLAB_FIRST_STAGE;

    if (!levels && !first && !(v->cap >> 10 & 1))
        wanted = v->cap >> 9 & 1 ? 3 : 5;
    v->levels = wanted;
    if (first ? wanted == 4 || (wanted == 5 && v->cap & VCAP_FS5L) : v->cap >> (wanted + 6) & 1)
        return true;
    t_skip(v->t, "the unit has no tables of %u levels there", wanted);
    return false;
}

static bool choose_leaf(struct vlab *v, unsigned leaf)
{
    bool first = v->mode == VLAB_FIRST_STAGE || v->mode == VLAB_NESTED;
    uint64_t needed = leaf == 3 ? (first ? VCAP_FS1G : VCAP_SS1G) : VCAP_SS2M;

    v->leaf = leaf ? leaf : 1;
    if (v->leaf == 1 || (first && leaf == 2) || v->cap & needed)
        return true;
    t_skip(v->t, "the unit has no pages of level %u there", leaf);
    return false;
}

static bool choose_mode(struct vlab *v, enum vlab_mode mode)
{
    static const uint64_t needed[] = {
        [VLAB_LEGACY_PASS] = VECAP_PT,
        [VLAB_FIRST_STAGE] = VECAP_SMTS | VECAP_FSTS,
        [VLAB_SECOND_STAGE] = VECAP_SMTS | VECAP_SSTS,
        [VLAB_NESTED] = VECAP_SMTS | VECAP_NEST,
        [VLAB_PASS] = VECAP_SMTS | VECAP_PT,
    };
    const struct vlab_need need = {.ecap = mode < G_N_ELEMENTS(needed) ? needed[mode] : 0};

    v->mode = mode;
    return has_needed(v, &need);
}

static void legacy_tables(struct vlab *v)
{
    bool pass = v->mode == VLAB_LEGACY_PASS;

    vlab_put(v, vlab_root_entry(v), VLAB_LEGACY | 1);
    vlab_put(v, vlab_context_entry(v),
             pass ? 2 << 2 | 1 : VLAB_SECOND + (v->levels - 1) * 0x1000 + 1);
    vlab_put(v, vlab_context_entry(v) + 8, VLAB_DOMAIN << 8 | (v->levels - 2));
}

static void scalable_tables(struct vlab *v)
{
    static const uint8_t pgtt[] = {
        [VLAB_FIRST_STAGE] = 1, [VLAB_SECOND_STAGE] = 2, [VLAB_NESTED] = 3, [VLAB_PASS] = 4};
    uint64_t entry = vlab_pasid_entry(v), second = VLAB_SECOND + (v->levels - 1) * 0x1000;
    unsigned first_levels = v->mode == VLAB_FIRST_STAGE ? v->levels : 4;

    vlab_put(v, vlab_root_entry(v), VLAB_CONTEXT | 1);
    vlab_put(v, vlab_context_entry(v), VLAB_DIRECTORY | BIT(3) | 1);
    vlab_put(v, vlab_context_entry(v) + 8, v->pasid);
    vlab_put(v, vlab_directory_entry(v), VLAB_PASIDS | 1);
    vlab_put(v, entry, second | (uint64_t)pgtt[v->mode] << 6 | (v->levels - 2) << 2 | 1);
    vlab_put(v, entry + 8, VLAB_DOMAIN | (v->ecap & VECAP_WCS ? BIT(23) : 0));
    vlab_put(v, entry + 16,
             (VLAB_FIRST + (first_levels - 1) * 0x1000) | (first_levels == 5 ? 1 << 2 : 0));
}

/* The second stage maps what the first stage's tables and pages lie in as it is, but for the page
 * that the access goes to. */
static void nested_tables(struct vlab *v)
{
    unsigned second = v->levels;

    for (unsigned i = 0; i < 0x60; i++)
        map(v, VLAB_SECOND, LAB_RAM + i * 0x1000, LAB_RAM + i * 0x1000, 3);
    vlab_put(v, vlab_second_entry(v, 1), VLAB_OUT | 3);
    v->levels = 4;
    map(v, VLAB_FIRST, v->addr, VLAB_GUEST, first_bits(v));
    v->levels = second;
}

bool vlab_tables(struct vlab *v, enum vlab_mode mode, unsigned levels, unsigned leaf)
{
    static const uint64_t addrs[] = {[3] = ADDR_3_LEVELS, [4] = ADDR_4_LEVELS, [5] = ADDR_5_LEVELS};
    bool pass = mode == VLAB_PASS || mode == VLAB_LEGACY_PASS;

    if (!choose_mode(v, mode) || !choose_levels(v, levels) || !choose_leaf(v, leaf))
        return false;
    v->addr = pass ? VLAB_OUT : addrs[mode == VLAB_NESTED ? 4 : v->levels];
    if (v->leaf > 1)
        v->addr = (v->addr & ~low_mask(3 + 9 * v->leaf)) | (VLAB_OUT & low_mask(3 + 9 * v->leaf));
    v->addr |= VLAB_OFFSET;
    if (vlab_scalable(v))
        scalable_tables(v);
    else
        legacy_tables(v);
    if (mode == VLAB_NESTED)
        nested_tables(v);
    else if (mode == VLAB_FIRST_STAGE)
        map(v, VLAB_FIRST, v->addr, VLAB_OUT, first_bits(v));
    else if (!pass)
        map(v, VLAB_SECOND, v->addr, VLAB_OUT, 3);
    return true;
}

/* Commands. */

void vlab_command(struct vlab *v, uint64_t bit, bool on)
{
    const uint64_t once = VG_SRTP | VG_SIRTP;
    uint64_t states = vlab_get(v, VREG_GSTS, 4) & ~(once | bit);

    vlab_set(v, VREG_GCMD, 4, states | (on ? bit : 0));
    for (unsigned i = 0; i < 100; i++) {
        if (!(vlab_get(v, VREG_GSTS, 4) & bit) == !on)
            return;
        lab_run_us(v->lab, 10);
    }
    t_fail(v->t, "GSTS does not follow GCMD: %08x", (unsigned)vlab_get(v, VREG_GSTS, 4));
}

void vlab_go(struct vlab *v)
{
    vlab_set(v, VREG_RTADDR, 8, VLAB_ROOT | (vlab_scalable(v) ? BIT(10) : 0));
    vlab_command(v, VG_SRTP, true);
    vlab_command(v, VG_TE, true);
}

/* Accesses. */

const struct tlp *vlab_send(struct vlab *v, const struct vlab_access *access)
{
    enum tlp_type type = access->atomic ? TLP_FETCHADD : access->write ? TLP_MWR : TLP_MRD;
    bool ask = access->at == TLP_AT_REQUEST;
    struct tlp *tlp = lab_tlp(v->lab, type, type == TLP_MRD ? 0 : 1);
    const struct lab_seen *seen;

    tlp_set_span(tlp, ask ? access->addr & ~7ull : access->addr, ask ? 8 : 4);
    if (access->atomic)
        tlp->first_be = tlp->last_be = 0;
    if (type != TLP_MRD)
        le32_store(tlp->data, access->data);
    tlp->at = access->at;
    tlp->nw = access->no_write;
    if (access->has_pasid)
        tlp_set_pasid(tlp, &(struct tlp_pasid){.pasid = access->pasid,
                                               .privileged = access->privileged,
                                               .execute = access->execute});
    lab_forget(v->lab);
    lab_send_up(v->lab, tlp);
    if (type == TLP_MWR)
        return NULL;
    seen = lab_last(v->lab, NULL, (uint32_t)(BIT(TLP_CPL) | BIT(TLP_CPLD)));
    return seen ? &seen->tlp : NULL;
}

uint32_t vlab_dword(const struct tlp *completion)
{
    return le32_load(completion->inline_data);
}

bool vlab_reaches(struct vlab *v, bool write, uint64_t out)
{
    const uint32_t there = 0x600d0000 | (uint32_t)(out >> 12 & 0xffff), sent = 0xd00d;
    uint64_t place = out + VLAB_OFFSET;
    const struct tlp *cpl;

    vlab_put(v, place, there);
    cpl = vlab_send(v, &(struct vlab_access){.addr = v->addr, .write = write, .data = sent});
    if (write)
        return (uint32_t)vlab_ram(v, place) == sent;
    return cpl && cpl->type == TLP_CPLD && cpl->status == TLP_SC && vlab_dword(cpl) == there;
}

bool vlab_fault(struct vlab *v, struct vlab_fault *fault)
{
    uint64_t status = vlab_get(v, VREG_FSTS, 4);
    unsigned record = (unsigned)((v->cap >> 24 & 0x3ff) * 16 + (status >> 8 & 0xff) * 16);

    *fault = (struct vlab_fault){0};
    if (!(status & VFSTS_PPF))
        return false;
    fault->low = vlab_get(v, record, 8);
    fault->high = vlab_get(v, record + 8, 8);
    fault->reason = (unsigned)(fault->high >> 32 & 0xff);
    if (!(fault->high >> 63))
        t_fail(v->t, "Primary Pending Fault is set, and F of record %u is not",
               (unsigned)(status >> 8 & 0xff));
    vlab_set(v, record + 12, 4, BIT(31));
    return true;
}

/* The queue. */

void vlab_queue_on(struct vlab *v)
{
    v->wide = vlab_scalable(v);
    v->tail = 0;
    vlab_set(v, VREG_IQT, 8, 0);
    vlab_set(v, VREG_IQA, 8, VLAB_QUEUE | (v->wide ? BIT(11) : 0));
    vlab_command(v, VG_QIE, true);
}

void vlab_queue_quads(struct vlab *v, const uint64_t quad[4])
{
    unsigned bytes = v->wide ? 32 : 16;

    for (unsigned i = 0; i < bytes; i += 8)
        vlab_put(v, VLAB_QUEUE + v->tail + i, quad[i / 8]);
    v->tail = (v->tail + bytes) % 4096;
    vlab_set(v, VREG_IQT, 8, v->tail);
}

void vlab_queue(struct vlab *v, uint64_t low, uint64_t high)
{
    vlab_queue_quads(v, (const uint64_t[4]){low, high});
}

bool vlab_queue_wait(struct vlab *v)
{
    vlab_put(v, VLAB_STATUS, 0);
    vlab_queue(v, 0x25 | 0x5afeull << 32, VLAB_STATUS);
    for (unsigned i = 0; i < 100 && (uint32_t)vlab_ram(v, VLAB_STATUS) != 0x5afe; i++)
        lab_run_us(v->lab, 10);
    return (uint32_t)vlab_ram(v, VLAB_STATUS) == 0x5afe;
}

bool vlab_forget(struct vlab *v)
{
    vlab_queue(v, 1 | 1 << 4, 0);
    if (vlab_scalable(v))
        vlab_queue(v, 7 | 3 << 4, 0);
    vlab_queue(v, 2 | 1 << 4, 0);
    return vlab_queue_wait(v);
}
