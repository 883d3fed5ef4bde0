/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration space as a whole: headers, lists of capabilities, BARs (PCIe Base 6.0, 7.5, 7.6).
 */
#include "tables.h"

static void identity(struct conform_ctx *t)
{
    unsigned vendor = subject_read(t->s, 0, 2);

    if (t->s->type == TYPE_VF)
        t_skip(t, "a Virtual Function has none of its own");
    else
        t_check(t, vendor != 0 && vendor != 0xffff && vendor != 1, "Vendor ID is %04x", vendor);
}

static void vf_identity(struct conform_ctx *t)
{
    if (t->s->type != TYPE_VF)
        t_skip(t, "it is no Virtual Function");
    else
        t_check(t, t->s->identity == 0xffffffff, "it reads as %08x", t->s->identity);
}

static void header_layout(struct conform_ctx *t)
{
    bool port = t->s->type & TYPE_PORTS;

    if (t->s->type == TYPE_PCI)
        t_skip(t, "it has no PCI Express capability");
    else
        t_check(t, t->s->header == (port ? 1 : 0), "a header of type %u", t->s->header);
}

static void multi_function(struct conform_ctx *t)
{
    const struct conform_func *func = t->s->func;
    struct conform_backend *backend = t->s->backend;

    if (func->rid & 7 || t->s->type == TYPE_VF) {
        t_skip(t, "it is not function 0 of a device");
        return;
    }
    for (unsigned i = 0; i < backend->func_count; i++) {
        const struct conform_func *other = &backend->funcs[i];

        if (other->segment == func->segment && (other->rid & ~7) == func->rid &&
            other->rid != func->rid && !subject_ext(t->s, 0x10))
            t_check(t, subject_read(t->s, 0x0e, 1) & 0x80, "function %u is there and bit 7 clear",
                    other->rid & 7);
    }
}

static void bridge_class(struct conform_ctx *t)
{
    uint32_t class = subject_read(t->s, 8, 4) >> 16;

    if (t->s->header != 1)
        t_skip(t, "it is no bridge");
    else
        t_check(t, class == 0x0604, "its class is %04x", class);
}

static void pin_and_msi(struct conform_ctx *t)
{
    unsigned pin = subject_read(t->s, 0x3d, 1);

    if (!pin || t->s->type == TYPE_PCI)
        t_skip(t, "it has no interrupt pin");
    else
        t_check(t, t->s->cap[0x05] || t->s->cap[0x11], "it has neither");
}

static void pin_range(struct conform_ctx *t)
{
    unsigned pin = subject_read(t->s, 0x3d, 1);

    t_check(t, pin <= 4, "Interrupt Pin is %u", pin);
}

static void list_ends(struct conform_ctx *t)
{
    if (t->s->type == TYPE_PCI && !(subject_read(t->s, 6, 2) & 0x10))
        t_skip(t, "it has none");
    else if (t->s->func->config_bytes <= 0x40)
        t_skip(t, "configuration space beyond 64 bytes is not seen here");
    else
        t_check(t, !t->s->list_bad, "%s", t->s->list_bad);
}

static void list_aligned(struct conform_ctx *t)
{
    for (unsigned id = 0; id < 256; id++) {
        if (t->s->cap[id])
            t_check(t, !(subject_read(t->s, t->s->cap[id] + 1u, 1) & 3),
                    "the pointer at %02xh has bits 1:0 set", t->s->cap[id] + 1);
    }
}

/* Counts how often an ID stands in the list, which ends. */
static unsigned count_of(struct subject *s, unsigned id)
{
    unsigned found = 0, at = subject_read(s, 0x34, 1) & 0xfc;

    for (unsigned i = 0; at >= 0x40 && i < 48; i++) {
        unsigned word = subject_read(s, at, 2);

        found += (word & 0xff) == id;
        at = word >> 8 & 0xfc;
    }
    return found;
}

static void list_unique(struct conform_ctx *t)
{
    static const uint8_t ids[] = {0x01, 0x05, 0x10, 0x11};

    for (unsigned i = 0; i < sizeof(ids) && !t->s->list_bad; i++)
        t_check(t, count_of(t->s, ids[i]) <= 1, "capability %02xh stands there more than once",
                ids[i]);
}

/* ID and pointer of a capability, at `at`: what is written is lost. */
static void check_head(struct conform_ctx *t, unsigned at, unsigned len)
{
    uint32_t old = subject_read(t->s, at, len), now;

    subject_write(t->s, at, len, ~old);
    now = subject_read(t->s, at, len);
    t_check(t, now == old, "the header at %03xh is %08x, before %08x", at, now, old);
    if (now != old)
        subject_write(t->s, at, len, old);
}

static void list_fixed(struct conform_ctx *t)
{
    for (unsigned id = 0; id < 256; id++) {
        if (t->s->cap[id])
            check_head(t, t->s->cap[id], 2);
    }
}

static void ext_list_fixed(struct conform_ctx *t)
{
    for (unsigned i = 0; i < t->s->exts->len; i++)
        check_head(t, g_array_index(t->s->exts, struct ext_cap, i).offset, 4);
}

/* Mask and severity of an uncorrectable error come together (7.8.4.3, 7.8.4.4). */
static void aer_pairs(struct conform_ctx *t)
{
    unsigned aer = subject_ext(t->s, 0x0001);
    uint32_t writable[2];

    if (!aer) {
        t_skip(t, "it has no such capability");
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        unsigned at = aer + 8 + 4 * i;
        uint32_t old = subject_read(t->s, at, 4), ones;

        subject_write(t->s, at, 4, 0xffffffff);
        ones = subject_read(t->s, at, 4);
        subject_write(t->s, at, 4, 0);
        writable[i] = ones & ~subject_read(t->s, at, 4);
        subject_write(t->s, at, 4, old);
    }
    t_check(t, writable[0] == writable[1], "%08x can be masked, of %08x the severity be written",
            writable[0], writable[1]);
}

/* The log of prefixes is there with End-End TLP Prefix Supported (7.8.4.12). */
static void prefix_log(struct conform_ctx *t)
{
    unsigned aer = subject_ext(t->s, 0x0001), cap = t->s->cap[0x10];

    if (!aer || !(subject_read(t->s, cap + 0x24, 4) & 0x00200000)) {
        t_skip(t, "it has no TLP Prefix Log");
        return;
    }
    for (unsigned i = 0; i < 4; i++)
        check_head(t, aer + 0x38 + 4 * i, 4);
}

/* A bit for each port number, of those that the size counts (7.7.11.4); its own may be fixed. */
static void acs_vector(struct conform_ctx *t)
{
    unsigned acs = subject_ext(t->s, 0x000d), bits;
    uint32_t caps = acs ? subject_read(t->s, acs + 4, 2) : 0, old, now;
    unsigned port = subject_read(t->s, t->s->cap[0x10] + 0x0c, 4) >> 24;

    if (!(caps & 0x20)) {
        t_skip(t, "it has no P2P Egress Control");
        return;
    }
    bits = caps >> 8 ? caps >> 8 : 256;
    for (unsigned i = 0; i < bits; i += 32) {
        uint32_t there = bits - i >= 32 ? 0xffffffff : (1u << (bits - i)) - 1;
        uint32_t own = i == (port & ~31u) ? 1u << (port & 31) : 0;

        old = subject_read(t->s, acs + 8 + i / 8, 4);
        subject_write(t->s, acs + 8 + i / 8, 4, 0xffffffff);
        now = subject_read(t->s, acs + 8 + i / 8, 4);
        t_check(t, (now | own) == (there | own), "of %u bits %08x can be set", bits, now);
        subject_write(t->s, acs + 8 + i / 8, 4, 0);
        t_check(t, !subject_read(t->s, acs + 8 + i / 8, 4), "its bits cannot be cleared");
        subject_write(t->s, acs + 8 + i / 8, 4, old);
    }
}

/* There and back; without No_Soft_Reset what is configured would be lost (5.3.1.4). */
static void power_state(struct conform_ctx *t)
{
    unsigned pm = t->s->cap[0x01] + 4u, old;

    if (pm == 4 || !((old = subject_read(t->s, pm, 2)) & 8)) {
        t_skip(t, "it has no No_Soft_Reset");
        return;
    }
    old &= ~0x8000u; /* PME_Status */
    subject_write(t->s, pm, 2, (old & ~3u) | 3);
    subject_wait_us(t->s, 10000);
    t_check(t, (subject_read(t->s, pm, 2) & 3) == 3, "PowerState is %u after 3 was written",
            subject_read(t->s, pm, 2) & 3);
    subject_write(t->s, pm, 2, old & ~3u);
    subject_wait_us(t->s, 10000);
    t_check(t, (subject_read(t->s, pm, 2) & 3) == 0, "PowerState is %u after 0 was written",
            subject_read(t->s, pm, 2) & 3);
}

static void has_pm(struct conform_ctx *t)
{
    if (t->s->type & (TYPE_PCI | TYPE_VF | TYPE_RCIE | TYPE_RCEC))
        t_skip(t, "it need not have any");
    else
        t_check(t, t->s->cap[0x01], "there is none");
}

static bool has_list(struct conform_ctx *t)
{
    if (t->s->func->config_bytes <= 0x100)
        t_skip(t, "configuration space beyond 256 bytes is not seen here");
    else if (!t->s->cap[0x10])
        t_skip(t, "it has no PCI Express capability");
    else
        return true;
    return false;
}

static void ext_list_ends(struct conform_ctx *t)
{
    if (has_list(t))
        t_check(t, !t->s->ext_list_bad, "%s", t->s->ext_list_bad);
}

static void ext_list_first(struct conform_ctx *t)
{
    if (!has_list(t))
        return;
    uint32_t first = subject_read(t->s, 0x100, 4);

    t_check(t, (first & 0xffff) || !(first & 0xffff) == !(first & 0xf0000) || first >> 20,
            "the header at 100h is %08x", first);
    if (!t->s->exts->len)
        t_check(t, first == 0, "the header at 100h is %08x", first);
}

static void ext_list_aligned(struct conform_ctx *t)
{
    if (!has_list(t))
        return;
    for (unsigned i = 0; i < t->s->exts->len; i++) {
        unsigned at = g_array_index(t->s->exts, struct ext_cap, i).offset;
        uint32_t dword = subject_read(t->s, at, 4);

        t_check(t, !(dword >> 20 & 3), "the header at %03xh is %08x", at, dword);
    }
}

static const struct {
    uint16_t id;
    uint8_t first, last;
} versions[] = {
    {0x0001, 1, 3}, {0x0003, 1, 1}, {0x0007, 1, 2}, {0x000d, 1, 1}, {0x000e, 1, 1},
    {0x000f, 1, 1}, {0x0010, 1, 1}, {0x0013, 1, 1}, {0x0018, 1, 1}, {0x0019, 1, 1},
    {0x001b, 1, 1}, {0x001d, 1, 1}, {0x001e, 1, 2}, {0x001f, 1, 1}, {0x0025, 1, 1},
    {0x0026, 1, 1}, {0x0027, 1, 1}, {0x002a, 1, 1}, {0x002f, 1, 1},
};

static void ext_versions(struct conform_ctx *t)
{
    if (!has_list(t))
        return;
    for (unsigned i = 0; i < t->s->exts->len; i++) {
        const struct ext_cap *ext = &g_array_index(t->s->exts, struct ext_cap, i);

        for (unsigned j = 0; j < G_N_ELEMENTS(versions); j++) {
            if (versions[j].id == ext->id)
                t_check(t, ext->version >= versions[j].first && ext->version <= versions[j].last,
                        "capability %04xh has version %u", ext->id, ext->version);
        }
    }
}

static void ext_unique(struct conform_ctx *t)
{
    if (!has_list(t))
        return;
    for (unsigned i = 0; i < t->s->exts->len; i++) {
        const struct ext_cap *ext = &g_array_index(t->s->exts, struct ext_cap, i);

        /* Vendor-specific ones, and those of a vendor designated, may come again. */
        if (ext->id != 0x000b && ext->id != 0x0023)
            t_check(t, subject_ext(t->s, ext->id) == ext->offset,
                    "capability %04xh stands there more than once", ext->id);
    }
}

static unsigned bar_count(const struct subject *s)
{
    return s->header == 0 ? 6 : s->header == 1 ? 2 : 0;
}

static void bar_types(struct conform_ctx *t)
{
    unsigned count = bar_count(t->s);

    for (unsigned i = 0; i < count; i++) {
        uint32_t bar = subject_read(t->s, 0x10 + 4 * i, 4);

        if (bar & 1) {
            t_check(t, !(bar & 2), "BAR %u is %08x: bit 1 of an I/O BAR is reserved", i, bar);
            continue;
        }
        t_check(t, (bar & 6) == 0 || (bar & 6) == 4, "BAR %u is %08x: its type is reserved", i,
                bar);
        if ((bar & 6) == 4) {
            t_check(t, i + 1 < count, "BAR %u has 64 bits and is the last one", i);
            i++;
        }
    }
}

/* The size of a BAR, as its writable bits tell it: all ones are written, then what was there. */
static uint64_t size_of(struct subject *s, unsigned i, bool *wide, bool *holes)
{
    unsigned at = 0x10 + 4 * i;
    uint32_t low = subject_read(s, at, 4), high = 0;
    bool io = low & 1;
    uint64_t bits;

    *wide = !io && (low & 6) == 4;
    if (*wide)
        high = subject_read(s, at + 4, 4);
    subject_write(s, at, 4, 0xffffffff);
    bits = subject_read(s, at, 4) & (io ? ~3u : ~0xfu);
    subject_write(s, at, 4, low);
    if (*wide) {
        subject_write(s, at + 4, 4, 0xffffffff);
        bits |= (uint64_t)subject_read(s, at + 4, 4) << 32;
        subject_write(s, at + 4, 4, high);
    } else if (bits) {
        bits |= io && !(bits >> 16) ? ~0xffffull : ~0xffffffffull;
    }
    *holes = bits && (~bits & (~bits + 1)) != 0;
    return bits & -bits;
}

static void each_bar(struct conform_ctx *t,
                     void (*check)(struct conform_ctx *t, unsigned bar, uint64_t size, bool holes))
{
    unsigned command = subject_read(t->s, 4, 2), checked = 0;

    if (t->s->type == TYPE_VF) {
        t_skip(t, "BARs of a Virtual Function are in the SR-IOV capability");
        return;
    }
    subject_write(t->s, 4, 2, command & ~3u);
    for (unsigned i = 0; i < bar_count(t->s); i++) {
        bool wide, holes, io = subject_read(t->s, 0x10 + 4 * i, 4) & 1;
        uint64_t size = size_of(t->s, i, &wide, &holes);

        if (size) {
            check(t, i | (io ? 0x100 : 0), size, holes);
            checked++;
        }
        i += wide;
    }
    subject_write(t->s, 4, 2, command);
    if (!checked && t->outcome == CONFORM_PASS)
        t_skip(t, "it has no BARs");
}

static void bar_contiguous(struct conform_ctx *t, unsigned bar, uint64_t size, bool holes)
{
    t_check(t, !holes, "BAR %u: the bits that can be written are not one run up to the top",
            bar & 0xff);
}

static void bar_size(struct conform_ctx *t, unsigned bar, uint64_t size, bool holes)
{
    if (bar & 0x100)
        t_check(t, size <= 256, "BAR %u asks for %" G_GUINT64_FORMAT " bytes of I/O", bar & 0xff,
                size);
    else if (t->s->type != TYPE_PCI)
        t_check(t, size >= 128, "BAR %u asks for %" G_GUINT64_FORMAT " bytes", bar, size);
}

static void bars_contiguous(struct conform_ctx *t)
{
    each_bar(t, bar_contiguous);
}

static void bars_sized(struct conform_ctx *t)
{
    each_bar(t, bar_size);
}

static void byte_enables(struct conform_ctx *t)
{
    uint32_t old = subject_read(t->s, 0x0c, 1), other = subject_read(t->s, 0x0d, 1);

    if (!(t->s->type & TYPE_LINKED)) {
        t_skip(t, "its Cache Line Size need not be writable");
        return;
    }
    subject_write(t->s, 0x0c, 1, ~old & 0xff);
    t_check(t, subject_read(t->s, 0x0d, 1) == other, "the byte beside the one written changed");
    t_check(t, subject_read(t->s, 0x0c, 1) == (~old & 0xff), "the byte written did not change");
    subject_write(t->s, 0x0c, 1, old);
}

static void widths_agree(struct conform_ctx *t)
{
    for (unsigned at = 0; at < 0x40; at += 4) {
        uint32_t whole = subject_read(t->s, at, 4), halves, bytes = 0;

        if (at == 4) /* Status may move */
            continue;
        halves = subject_read(t->s, at, 2) | subject_read(t->s, at + 2, 2) << 16;
        for (unsigned i = 0; i < 4; i++)
            bytes |= subject_read(t->s, at + i, 1) << 8 * i;
        t_check(t, whole == halves && whole == bytes, "at %02xh: %08x, in halves %08x, bytes %08x",
                at, whole, halves, bytes);
    }
}

static void bus_order(struct conform_ctx *t)
{
    unsigned primary = subject_read(t->s, 0x18, 1), secondary = subject_read(t->s, 0x19, 1),
             subordinate = subject_read(t->s, 0x1a, 1);

    if (t->s->header != 1 || !secondary)
        t_skip(t, t->s->header != 1 ? "it is no bridge" : "it has no bus numbers");
    else
        t_check(t,
                primary == (unsigned)t->s->func->rid >> 8 && secondary > primary &&
                    subordinate >= secondary,
                "on bus %02x: primary %02x, secondary %02x, subordinate %02x", t->s->func->rid >> 8,
                primary, secondary, subordinate);
}

#define ROW(i, sec, need, proc, text)                                                              \
    {                                                                                              \
        .id = i, .group = "config-space", .document = CONFORM_PCIE, .section = sec, .needs = need, \
        .procedure = proc, .requirement = text                                                     \
    }

static const struct conform_assertion rows[] = {
    ROW("header.identity", "7.5.1.1.1", 0, identity,
        "Vendor ID is that of a vendor: neither 0, 0001h nor ffffh."),
    ROW("header.identity_vf", "9.3.4.1.1", 0, vf_identity,
        "Vendor ID and Device ID of a Virtual Function read as ffffh."),
    ROW("header.layout", "7.5.1.1.9", 0, header_layout,
        "Root and switch ports have a header of type 1, endpoints one of type 0."),
    ROW("header.multi_function", "7.5.1.1.9", 0, multi_function,
        "Function 0 of a device with several functions has bit 7 of Header Type set."),
    ROW("header.class_bridge", "7.5.1.1.6", 0, bridge_class,
        "What has a header of type 1 has the class of a PCI-PCI bridge."),
    ROW("header.pin_msi", "7.7", 0, pin_and_msi,
        "A function that can interrupt has an MSI or an MSI-X capability."),
    ROW("header.pin_range", "7.5.1.1.13", 0, pin_range, "Interrupt Pin is 0 to 4."),
    ROW("header.bar_types", "7.5.1.2.1", 0, bar_types,
        "BARs have no reserved type, and one of 64 bits is not the last."),
    ROW("header.bar_bits", "7.5.1.2.1", CONFORM_WRITES, bars_contiguous,
        "The writable address bits of a BAR are all those from its size upwards."),
    ROW("header.bar_sizes", "7.5.1.2.1", CONFORM_WRITES, bars_sized,
        "A memory BAR is at least 128 bytes large, one of I/O at most 256."),
    ROW("header.byte_enables", "2.2.5", CONFORM_WRITES, byte_enables,
        "A configuration write changes the bytes that are enabled and no other."),
    ROW("header.widths", "2.2.5", 0, widths_agree,
        "The header reads the same by bytes, words and doublewords."),
    ROW("header.buses", "7.5.1.3.2", 0, bus_order,
        "A bridge in use has its own bus as primary, a higher secondary and no lower subordinate."),
    ROW("list.ends", "7.5.1.1.11", 0, list_ends,
        "The list of capabilities lies between 40h and ffh and ends."),
    ROW("list.aligned", "7.5.1.1.11", 0, list_aligned,
        "The lowest two bits of a pointer to the next capability are 0."),
    ROW("list.unique", "7.5", 0, list_unique,
        "Power Management, MSI, MSI-X and PCI Express capabilities are there at most once."),
    ROW("list.fixed", "7.5", CONFORM_WRITES, list_fixed,
        "ID and pointer of a capability are read-only."),
    ROW("list.ext_fixed", "7.6.3", CONFORM_WRITES | CONFORM_EXTENDED, ext_list_fixed,
        "The header of an extended capability is read-only."),
    ROW("list.aer_pairs", "7.8.4.4", CONFORM_WRITES | CONFORM_EXTENDED, aer_pairs,
        "The uncorrectable errors that can be masked are those whose severity can be written."),
    ROW("list.prefix_log", "7.8.4.12", CONFORM_WRITES | CONFORM_EXTENDED, prefix_log,
        "The TLP Prefix Log is read-only."),
    ROW("list.acs_vector", "7.7.11.4", CONFORM_WRITES | CONFORM_EXTENDED, acs_vector,
        "The Egress Control Vector has as many writable bits as Egress Control Vector Size says."),
    ROW("list.power_state", "7.5.2.2", CONFORM_WRITES, power_state,
        "D3hot and D0 are entered as written to PowerState."),
    ROW("list.power", "7.5.2", 0, has_pm, "A function has a Power Management capability."),
    ROW("list.ext_ends", "7.6.2", CONFORM_EXTENDED, ext_list_ends,
        "The list of extended capabilities lies between 100h and fffh and ends."),
    ROW("list.ext_first", "7.6.2.1", CONFORM_EXTENDED, ext_list_first,
        "Without extended capabilities the doubleword at 100h is 0."),
    ROW("list.ext_aligned", "7.6.3", CONFORM_EXTENDED, ext_list_aligned,
        "The lowest two bits of Next Capability Offset are 0."),
    ROW("list.ext_versions", "7.6.3", CONFORM_EXTENDED, ext_versions,
        "Extended capabilities have a version that the specification defines."),
    ROW("list.ext_unique", "7.6", CONFORM_EXTENDED, ext_unique,
        "An extended capability that is not a vendor's is there at most once."),
};

ASSERTION_TABLE(assertions_config_space, rows);
