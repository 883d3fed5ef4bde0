/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The target description follows gdb's manual, appendix G (features org.gnu.gdb.i386.core, .sse and
 * .segments); control registers are in a feature of their own, with the names that people know from
 * other machines. A register's number is its place in the table.
 */
#include "registers.h"

#include <stddef.h>
#include <string.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

enum place {
    AT_STATE,    /* `offset` in struct cpu_state */
    AT_FX,       /* `offset` in the FXSAVE64 image */
    AT_SELECTOR, /* segment `offset` */
    AT_BASE,     /* segment `offset` */
    AT_TAGS,     /* the x87's, in full */
};

struct gdb_register {
    const char *name, *type, *group;
    uint16_t bits;
    uint8_t place;
    uint8_t bytes; /* of them where they are, when fewer */
    uint16_t offset;
};

#define STATE(field) AT_STATE, 0, offsetof(struct cpu_state, field)
#define GPR(name, r)                                                                               \
    {                                                                                              \
        name, "int64", NULL, 64, STATE(gpr[r])                                                     \
    }
#define SEGMENT(name, s)                                                                           \
    {                                                                                              \
        name, "int32", NULL, 32, AT_SELECTOR, 0, s                                                 \
    }
#define ST(n)                                                                                      \
    {                                                                                              \
        "st" #n, "i387_ext", "float", 80, AT_FX, 0, 32 + 16 * (n)                                  \
    }
#define X87(name, bytes, at)                                                                       \
    {                                                                                              \
        name, "int32", "float", 32, AT_FX, bytes, at                                               \
    }
#define XMM(n)                                                                                     \
    {                                                                                              \
        "xmm" #n, "vec128", NULL, 128, AT_FX, 0, 160 + 16 * (n)                                    \
    }

/* clang-format off */
static const struct gdb_register core[] = {
    GPR("rax", CPU_RAX), GPR("rbx", CPU_RBX), GPR("rcx", CPU_RCX), GPR("rdx", CPU_RDX),
    GPR("rsi", CPU_RSI), GPR("rdi", CPU_RDI),
    {"rbp", "data_ptr", NULL, 64, STATE(gpr[CPU_RBP])},
    {"rsp", "data_ptr", NULL, 64, STATE(gpr[CPU_RSP])},
    GPR("r8", 8), GPR("r9", 9), GPR("r10", 10), GPR("r11", 11),
    GPR("r12", 12), GPR("r13", 13), GPR("r14", 14), GPR("r15", 15),
    {"rip", "code_ptr", NULL, 64, STATE(rip)},
    {"eflags", "x64_eflags", NULL, 32, STATE(rflags)},
    SEGMENT("cs", CPU_CS), SEGMENT("ss", CPU_SS), SEGMENT("ds", CPU_DS),
    SEGMENT("es", CPU_ES), SEGMENT("fs", CPU_FS), SEGMENT("gs", CPU_GS),
    ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7),
    X87("fctrl", 2, 0), X87("fstat", 2, 2),
    {"ftag", "int32", "float", 32, AT_TAGS, 0, 0},
    /* FXSAVE64 has the pointers as 64 bits each (SDM volume 2, FXSAVE, table 3-45). */
    X87("fiseg", 4, 12), X87("fioff", 4, 8), X87("foseg", 4, 20), X87("fooff", 4, 16),
    X87("fop", 2, 6),
};
static const struct gdb_register sse[] = {
    XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7),
    XMM(8), XMM(9), XMM(10), XMM(11), XMM(12), XMM(13), XMM(14), XMM(15),
    {"mxcsr", "x64_mxcsr", "vector", 32, AT_FX, 0, 24},
};
static const struct gdb_register segments[] = {
    {"fs_base", "int64", NULL, 64, AT_BASE, 0, CPU_FS},
    {"gs_base", "int64", NULL, 64, AT_BASE, 0, CPU_GS},
};
static const struct gdb_register control[] = {
    {"k_gs_base", "int64", "system", 64, STATE(fs_kernel_gs_base)},
    {"cr0", "int64", "system", 64, STATE(cr0)},
    {"cr2", "int64", "system", 64, STATE(cr2)},
    {"cr3", "int64", "system", 64, STATE(cr3)},
    {"cr4", "int64", "system", 64, STATE(cr4)},
    {"efer", "int64", "system", 64, STATE(efer)},
    {"gdtr_base", "int64", "system", 64, STATE(gdt_base)},
    {"idtr_base", "int64", "system", 64, STATE(idt_base)},
};
/* clang-format on */

static const char vec128[] =
    "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
    "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
    "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
    "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
    "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
    "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
    "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
    "<field name=\"v2_double\" type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/>"
    "<field name=\"v8_int16\" type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/>"
    "<field name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/></union>";

/* Names of bits, SDM volume 1, 3.4.3 and 10.2.3; empty: unnamed. */
static const char *const eflags_bits[] = {"CF", "",   "PF", "",    "AF",  "",  "ZF", "SF",
                                          "TF", "IF", "DF", "OF",  "",    "",  "NT", "",
                                          "RF", "VM", "AC", "VIF", "VIP", "ID"};
static const char *const mxcsr_bits[] = {"IE", "DE", "ZE", "OE", "UE", "PE", "DAZ", "IM",
                                         "DM", "ZM", "OM", "UM", "PM", "",   "",    "FZ"};

static const struct feature {
    const char *name;
    const struct gdb_register *registers;
    unsigned count;
} features[] = {
    {"org.gnu.gdb.i386.core", core, ARRAY_LEN(core)},
    {"org.gnu.gdb.i386.sse", sse, ARRAY_LEN(sse)},
    {"org.gnu.gdb.i386.segments", segments, ARRAY_LEN(segments)},
    {"org.pcilab.control", control, ARRAY_LEN(control)},
};

static const struct gdb_register *find(unsigned number)
{
    for (unsigned f = 0; f < ARRAY_LEN(features); f++) {
        if (number < features[f].count) {
            return &features[f].registers[number];
        }
        number -= features[f].count;
    }
    g_assert_not_reached();
}

unsigned gdb_register_count(void)
{
    unsigned count = 0;

    for (unsigned f = 0; f < ARRAY_LEN(features); f++) {
        count += features[f].count;
    }
    return count;
}

unsigned gdb_register_size(unsigned number)
{
    return find(number)->bits / 8;
}

/* FXSAVE keeps a bit for each physical register that is not empty (SDM volume 2, FXSAVE). CHOICE:
 * all others are "valid", 0, whatever their value. */
static uint16_t tags_full(uint8_t used)
{
    uint16_t tags = 0;

    for (unsigned i = 0; i < 8; i++) {
        tags |= (uint16_t)(used >> i & 1 ? 0 : 3 << (2 * i));
    }
    return tags;
}

static uint8_t tags_used(uint16_t tags)
{
    uint8_t used = 0;

    for (unsigned i = 0; i < 8; i++) {
        used |= (uint8_t)((tags >> (2 * i) & 3) == 3 ? 0 : 1 << i);
    }
    return used;
}

void gdb_register_get(const struct cpu_state *state, unsigned number, uint8_t *data)
{
    const struct gdb_register *r = find(number);
    unsigned bytes = r->bytes ? r->bytes : r->bits / 8u;

    memset(data, 0, r->bits / 8u);
    switch ((enum place)r->place) {
    case AT_STATE: memcpy(data, (const uint8_t *)state + r->offset, bytes); break;
    case AT_FX: memcpy(data, state->fxsave + r->offset, bytes); break;
    case AT_SELECTOR: le16_store(data, state->seg[r->offset].selector); break;
    case AT_BASE: le64_store(data, state->seg[r->offset].base); break;
    case AT_TAGS: le16_store(data, tags_full(state->fxsave[4])); break;
    }
}

/* CHOICE: a selector that a debugger writes loads no descriptor; what is cached stays. */
void gdb_register_set(struct cpu_state *state, unsigned number, const uint8_t *data)
{
    const struct gdb_register *r = find(number);
    unsigned bytes = r->bytes ? r->bytes : r->bits / 8u;

    switch ((enum place)r->place) {
    case AT_STATE: memcpy((uint8_t *)state + r->offset, data, bytes); break;
    case AT_FX: memcpy(state->fxsave + r->offset, data, bytes); break;
    case AT_SELECTOR: state->seg[r->offset].selector = le16_load(data); break;
    case AT_BASE: state->seg[r->offset].base = le64_load(data); break;
    case AT_TAGS: state->fxsave[4] = tags_used(le16_load(data)); break;
    }
}

static void add_flags(GString *xml, const char *id, const char *const *bits, unsigned count)
{
    g_string_append_printf(xml, "<flags id=\"%s\" size=\"4\">", id);
    for (unsigned i = 0; i < count; i++) {
        g_string_append_printf(xml, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>", bits[i], i, i);
    }
    g_string_append(xml, "</flags>");
}

char *gdb_registers_xml(void)
{
    GString *xml = g_string_new("<?xml version=\"1.0\"?>\n"
                                "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
                                "<target><architecture>i386:x86-64</architecture>\n");

    for (unsigned f = 0; f < ARRAY_LEN(features); f++) {
        g_string_append_printf(xml, "<feature name=\"%s\">\n", features[f].name);
        if (f == 0) {
            add_flags(xml, "x64_eflags", eflags_bits, ARRAY_LEN(eflags_bits));
        } else if (f == 1) {
            g_string_append(xml, vec128);
            add_flags(xml, "x64_mxcsr", mxcsr_bits, ARRAY_LEN(mxcsr_bits));
        }
        for (unsigned i = 0; i < features[f].count; i++) {
            const struct gdb_register *r = &features[f].registers[i];
            g_string_append_printf(xml, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"", r->name,
                                   r->bits, r->type);
            if (r->group) {
                g_string_append_printf(xml, " group=\"%s\"", r->group);
            }
            g_string_append(xml, "/>\n");
        }
        g_string_append(xml, "</feature>\n");
    }
    return g_string_free(g_string_append(xml, "</target>\n"), FALSE);
}
