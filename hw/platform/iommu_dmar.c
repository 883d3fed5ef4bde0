/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DMA Remapping Reporting Structure (VT-d 4.1, chapter 8). */
#include <string.h>

#include "board.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

#define FIXED_BYTES 12 /* between the header and the structures */
#define INTR_REMAP  BIT(0)
#define X2APIC_OUT  BIT(1)

enum { DRHD = 0, RMRR = 1, ATSR = 2, SATC = 5 };
#define DRHD_ALL      BIT(0) /* every function of the segment that no other unit has */
#define ATSR_ALL      BIT(0)
#define SATC_REQUIRED BIT(0)

/* Begins a structure; returns where its length is to be written when its scopes are there. */
static guint structure_begin(GByteArray *out, unsigned type, uint64_t flags, uint16_t segment)
{
    uint8_t head[8] = {(uint8_t)type, 0, 0, 0, (uint8_t)flags};
    guint at = out->len;

    le16_store(head + 6, segment);
    g_byte_array_append(out, head, sizeof(head));
    return at;
}

static void structure_end(GByteArray *out, guint at)
{
    le16_store(out->data + at + 2, (uint16_t)(out->len - at));
}

static void put_quad(GByteArray *out, uint64_t value)
{
    uint8_t bytes[8];

    le64_store(bytes, value);
    g_byte_array_append(out, bytes, sizeof(bytes));
}

static void put_unit(GByteArray *out, const struct machine *machine, const struct board_iommu *unit)
{
    static const struct board_scope ioapic = {.type = SCOPE_IOAPIC};
    guint at = structure_begin(out, DRHD, unit->everything ? DRHD_ALL : 0, unit->segment);

    put_quad(out, unit->base);
    board_scopes_describe(&unit->scopes, out);
    if (machine->ioapic_iommu == unit && !board_scopes_have_ioapic(&unit->scopes))
        board_scopes_describe(&(struct board_scopes){(struct board_scope *)&ioapic, 1}, out);
    structure_end(out, at);
}

/* Units with a scope of their own stand before the one that has all the rest (8.4). */
static void put_units(GByteArray *out, const struct machine *machine)
{
    for (unsigned rest = 0; rest < 2; rest++) {
        for (unsigned i = 0; i < machine->iommu_count; i++) {
            if (machine->iommu[i].everything == rest)
                put_unit(out, machine, &machine->iommu[i]);
        }
    }
}

static void put_reserved(GByteArray *out, const struct machine *machine)
{
    for (unsigned i = 0; i < machine->rmrr_count; i++) {
        const struct board_rmrr *rmrr = &machine->rmrr[i];
        guint at = structure_begin(out, RMRR, 0, rmrr->segment);

        put_quad(out, rmrr->base);
        put_quad(out, rmrr->base + rmrr->size - 1);
        board_scopes_describe(&rmrr->scopes, out);
        structure_end(out, at);
    }
}

static void put_ats(GByteArray *out, const struct machine *machine)
{
    guint at;

    for (unsigned i = 0; i < machine->iommu_count; i++) {
        const struct board_iommu *unit = &machine->iommu[i];

        if (unit->ats_all || unit->ats_ports.count) {
            at = structure_begin(out, ATSR, unit->ats_all ? ATSR_ALL : 0, unit->segment);
            board_scopes_describe(&unit->ats_ports, out);
            structure_end(out, at);
        }
    }
    for (unsigned i = 0; i < machine->iommu_count; i++) {
        const struct board_iommu *unit = &machine->iommu[i];

        if (unit->ats_integrated.count) {
            at = structure_begin(out, SATC, unit->ats_required ? SATC_REQUIRED : 0, unit->segment);
            board_scopes_describe(&unit->ats_integrated, out);
            structure_end(out, at);
        }
    }
}

bool board_iommu_describe(const struct machine *machine, GByteArray *out)
{
    uint8_t fixed[FIXED_BYTES] = {MAP_HOST_BITS - 1};
    bool remapping = true, x2apic = true;

    for (unsigned i = 0; i < machine->iommu_count; i++) {
        remapping = remapping && machine->iommu[i].interrupt_remapping;
        x2apic = x2apic && machine->iommu[i].x2apic;
    }
    fixed[1] = (uint8_t)((remapping ? INTR_REMAP : 0) | (x2apic ? 0 : X2APIC_OUT));
    g_byte_array_append(out, fixed, sizeof(fixed));
    put_units(out, machine);
    put_reserved(out, machine);
    put_ats(out, machine);
    return machine->iommu_count != 0;
}
