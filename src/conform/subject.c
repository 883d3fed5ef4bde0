/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A function under judgement: its registers, its capabilities, its reset. */
#include <string.h>

#include "internal.h"
#include "pcilab/base/le.h"

#define CAPS_MAX 48 /* that fit between 40h and ffh */
#define EXTS_MAX 960

uint32_t subject_read(struct subject *s, unsigned offset, unsigned len)
{
    uint32_t value = 0xffffffff;

    if (offset + len > s->func->config_bytes ||
        !s->backend->config_read(s->backend, s->func, offset, len, &value)) {
        s->broken = true;
        value = 0xffffffff;
    }
    return len == 4 ? value : value & ((1u << 8 * len) - 1);
}

void subject_write(struct subject *s, unsigned offset, unsigned len, uint32_t value)
{
    if (!s->backend->config_write ||
        !s->backend->config_write(s->backend, s->func, offset, len, value))
        s->broken = true;
}

void subject_wait_us(struct subject *s, unsigned us)
{
    if (s->backend->wait_us)
        s->backend->wait_us(s->backend, us);
}

static void walk_caps(struct subject *s)
{
    bool seen[256] = {false};
    unsigned at;

    if (s->func->config_bytes <= 0x40)
        return;
    if (!(subject_read(s, 0x06, 2) & 0x0010)) {
        s->list_bad = "Status says that there is no list";
        return;
    }
    at = subject_read(s, s->header == 2 ? 0x14 : 0x34, 1) & 0xfc;
    for (unsigned i = 0; at; i++) {
        unsigned word = subject_read(s, at, 2);

        if (at < 0x40 || seen[at] || i == CAPS_MAX || word == 0xffff) {
            s->list_bad = at < 0x40        ? "it leads into the header"
                          : word == 0xffff ? "it leads to where nothing answers"
                                           : "it has a loop";
            return;
        }
        seen[at] = true;
        if (!s->cap[word & 0xff])
            s->cap[word & 0xff] = (uint16_t)at;
        at = word >> 8 & 0xfc;
    }
}

static void walk_exts(struct subject *s)
{
    bool seen[CONFORM_CONFIG_BYTES / 4] = {false};
    unsigned at = 0x100;

    if (s->func->config_bytes <= 0x100 || !s->cap[0x10])
        return;
    while (at) {
        uint32_t dword = subject_read(s, at, 4);
        struct ext_cap ext = {(uint16_t)dword, (uint16_t)at, dword >> 16 & 0xf};

        if (dword == 0 && at == 0x100)
            return;
        if (dword == 0xffffffff || at < 0x100 || seen[at / 4] || s->exts->len == EXTS_MAX) {
            s->ext_list_bad = dword == 0xffffffff ? "it leads to where nothing answers"
                              : at < 0x100        ? "it leads below 100h"
                                                  : "it has a loop";
            return;
        }
        seen[at / 4] = true;
        if ((dword & 0xffff) || (dword >> 20))
            g_array_append_val(s->exts, ext);
        at = dword >> 20 & 0xffc;
    }
}

uint16_t subject_ext(const struct subject *s, uint16_t id)
{
    for (unsigned i = 0; i < s->exts->len; i++) {
        if (g_array_index(s->exts, struct ext_cap, i).id == id)
            return g_array_index(s->exts, struct ext_cap, i).offset;
    }
    return 0;
}

bool subject_begin(struct subject *s, struct conform_backend *backend,
                   const struct conform_func *func)
{
    *s = (struct subject){.backend = backend, .func = func, .type = TYPE_PCI};
    s->exts = g_array_new(FALSE, FALSE, sizeof(struct ext_cap));
    s->identity = subject_read(s, 0, 4);
    s->header = subject_read(s, 0x0e, 1) & 0x7f;
    /* A Virtual Function answers ffffh for both; something else then says that it is there. */
    if (s->broken || (s->identity == 0xffffffff && s->header == 0x7f))
        return false;
    walk_caps(s);
    walk_exts(s);
    if (s->identity == 0xffffffff)
        s->type = TYPE_VF;
    else if (s->cap[0x10])
        s->type = 1u << (subject_read(s, s->cap[0x10] + 2u, 2) >> 4 & 0xf);
    return !s->broken;
}

void subject_end(struct subject *s)
{
    g_array_unref(s->exts);
    g_free(s->after_reset);
    g_free(s->programmed);
}

/* What is below a bridge, headers as they were: parents come first. */
struct kept {
    const struct conform_func *func;
    uint8_t header[0x40];
};

static bool is_bridge_to(struct conform_backend *backend, const struct conform_func *bridge,
                         const struct subject *s, struct subject *out)
{
    *out = (struct subject){.backend = backend, .func = bridge};
    return bridge->segment == s->func->segment && (subject_read(out, 0x0e, 1) & 0x7f) == 1 &&
           subject_read(out, 0x19, 1) == (unsigned)s->func->rid >> 8;
}

static GArray *keep_headers(struct subject *bridge)
{
    unsigned first = subject_read(bridge, 0x19, 1), last = subject_read(bridge, 0x1a, 1);
    GArray *all = g_array_new(FALSE, FALSE, sizeof(struct kept));

    for (unsigned i = 0; i < bridge->backend->func_count; i++) {
        struct kept kept = {.func = &bridge->backend->funcs[i]};
        struct subject other = {.backend = bridge->backend, .func = kept.func};
        unsigned bus = kept.func->rid >> 8;

        if (kept.func->segment != bridge->func->segment || bus < first || bus > last)
            continue;
        for (unsigned at = 0; at < sizeof(kept.header); at += 4)
            le32_store(kept.header + at, subject_read(&other, at, 4));
        g_array_append_val(all, kept);
    }
    return all;
}

static void put_headers_back(struct conform_backend *backend, GArray *all)
{
    /* Windows and BARs before Command; Secondary Status (1eh) and what lies below is RO or RW1C. */
    static const uint8_t order[] = {0x10, 0x14, 0x18, 0x1c, 0x20, 0x24,
                                    0x28, 0x2c, 0x30, 0x38, 0x3c, 0x0c};

    for (unsigned i = 0; i < all->len; i++) {
        struct kept *kept = &g_array_index(all, struct kept, i);
        struct subject s = {.backend = backend, .func = kept->func};

        for (unsigned j = 0; j < G_N_ELEMENTS(order); j++) {
            unsigned at = order[j];

            if (at == 0x1c && (kept->header[0x0e] & 0x7f) == 1)
                subject_write(&s, at, 2, le16_load(kept->header + at));
            else
                subject_write(&s, at, 4, le32_load(kept->header + at));
        }
        subject_write(&s, 0x04, 2, le16_load(kept->header + 4));
    }
}

/* Every field that software may write is moved away from what a reset makes of it. */
static void program_all(struct conform_ctx *t)
{
    struct conform_ctx quiet = *t;

    for (unsigned i = 0; i < conform_field_table_count; i++) {
        const struct field_table *table = conform_field_tables[i];

        for (unsigned j = 0; j < table->count; j++) {
            const struct conform_field *f = &table->fields[j];
            uint32_t value, old;
            unsigned at;

            if ((f->kind != F_RW && f->kind != F_RW_OR_0) || !(f->flags & (F_RESET | F_STICKY)))
                continue;
            quiet.outcome = CONFORM_PASS;
            at = field_offset(&quiet, table, f);
            g_clear_pointer(&quiet.note, g_free);
            if (at == 0xffff)
                continue;
            old = subject_read(t->s, at, f->width);
            value = f->flags & F_COUNTS
                        ? ((f->flags & F_RESET ? f->reset : old & f->mask) == f->a ? f->b : f->a)
                    : f->flags & F_RESET ? ~f->reset
                                         : ~old;
            subject_write(t->s, at, f->width, (old & ~f->mask) | (value & f->mask));
        }
    }
}

static uint8_t *read_all(struct subject *s)
{
    uint8_t *all = g_malloc0(CONFORM_CONFIG_BYTES);

    for (unsigned at = 0; at < s->func->config_bytes; at += 4)
        le32_store(all + at, subject_read(s, at, 4));
    return all;
}

static void reset_below(struct subject *bridge)
{
    uint32_t control = subject_read(bridge, 0x3e, 2);

    /* 6.6.1: Trst is 1 ms; software waits 100 ms before the first request. */
    subject_write(bridge, 0x3e, 2, control | 0x0040);
    subject_wait_us(bridge, 2000);
    subject_write(bridge, 0x3e, 2, control & ~0x0040u);
    subject_wait_us(bridge, 200000);
}

/* 7.3: an answer of Request Retry Status looks like all ones or like vendor 0001h. */
static bool comes_back(struct subject *s)
{
    for (unsigned i = 0; i < 100; i++) {
        uint32_t id = subject_read(s, 0, 4);

        if (id == s->identity)
            return true;
        subject_wait_us(s, 10000);
    }
    return false;
}

bool subject_hot_reset(struct conform_ctx *t)
{
    struct subject *s = t->s, bridge;
    GArray *kept;
    bool found = false;

    if (s->reset_tried)
        return s->after_reset != NULL;
    s->reset_tried = true;
    for (unsigned i = 0; i < s->backend->func_count && !found; i++)
        found = is_bridge_to(s->backend, &s->backend->funcs[i], s, &bridge);
    if (!found) {
        s->reset_why = "there is no bridge above it that could reset it";
        return false;
    }
    kept = keep_headers(&bridge);
    program_all(t);
    s->programmed = read_all(s);
    reset_below(&bridge);
    if (comes_back(s))
        s->after_reset = read_all(s);
    else
        s->reset_why = "it does not answer after a hot reset";
    put_headers_back(s->backend, kept);
    g_array_unref(kept);
    return s->after_reset != NULL;
}
