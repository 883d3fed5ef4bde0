/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the points are called, and their arguments. */
#include "pcilab/trace/points.h"

#include "pcilab/base/bits.h"

#include <glib.h>
#include <inttypes.h>
#include <stdarg.h>

static const char *const fates[] = {"", "corrupted", "lost", "overflow", "wrong", NULL};
static const char *const flows[] = {"P", "NP", "Cpl", NULL};
/* PCIe Base 6.0, 3.5, table 3-1 */
static const char *const pm_dllps[] = {"", "PM_Enter_L1", "PM_Active_State_Request_L1",
                                       "PM_Request_Ack", NULL};
static const char *const accesses[] = {"untranslated", "translation request", "translated",
                                       "page request", NULL};
/* Bits as of page tables: read, write, execute. */
static const char *const permissions[] = {"none", "r", "w", "rw", "x", "rx", "wx", "rwx", NULL};
/* enum iommu_place */
static const char *const places[] = {"tables",
                                     "first stage",
                                     "second stage",
                                     "entry",
                                     "entry bits",
                                     "input address",
                                     "output",
                                     "protected",
                                     "first stage bits",
                                     "second stage bits",
                                     NULL};
static const char *const invalidations[] = {
    "unknown", "context-cache", "IOTLB",       "device-TLB",       "interrupt-entry",
    "wait",    "PASID-IOTLB",   "PASID-cache", "PASID-device-TLB", "page-group-response",
    NULL};
static const char *const resets[] = {"cold", "hot", "FLR", NULL};
static const char *const states[] = {"D0", "D1", "D2", "D3hot", NULL};
/* SDM volume 3, table 6-1 */
static const char *const exceptions[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
                                         "#DF", "9",   "#TS", "#NP", "#SS", "#GP", "#PF", "15",
                                         "#MF", "#AC", "#MC", "#XM", "#VE", "#CP", NULL};

/* clang-format off */
#define PASID   {"pasid", TRACE_PASID, NULL}
#define FATE    {"fate", TRACE_ENUM, fates}

static const struct trace_point_def dllp[] = {
    {"Ack", {{"seq", TRACE_DEC, NULL}, FATE}},
    {"Nak", {{"seq", TRACE_DEC, NULL}, FATE}},
    {"UpdateFC", {{"flow", TRACE_ENUM, flows}, {"header", TRACE_DEC, NULL},
                  {"data", TRACE_DEC, NULL}, FATE}},
    {"PM", {{"dllp", TRACE_ENUM, pm_dllps}, FATE}},
    {"replay", {{"from_seq", TRACE_DEC, NULL}, {"tlps", TRACE_DEC, NULL},
                {"replay_num", TRACE_DEC, NULL}}},
    {"resent", {{"seq", TRACE_DEC, NULL}, {"bytes", TRACE_DEC, NULL}, FATE}},
};

static const struct trace_point_def iommu[] = {
    {"translate", {{"rid", TRACE_RID, NULL}, PASID, {"iova", TRACE_HEX, NULL},
                   {"address", TRACE_HEX, NULL}, {"access", TRACE_ENUM, accesses}}},
    {"interrupt", {{"rid", TRACE_RID, NULL}, {"message", TRACE_HEX, NULL},
                   {"dest", TRACE_HEX, NULL}, {"vector", TRACE_HEX, NULL}}},
    {"fault", {{"rid", TRACE_RID, NULL}, PASID, {"iova", TRACE_HEX, NULL},
               {"wanted", TRACE_ENUM, permissions}, {"in", TRACE_ENUM, places}}},
    {"invalidate", {{"type", TRACE_ENUM, invalidations}, {"low", TRACE_HEX, NULL},
                    {"high", TRACE_HEX, NULL}}},
    {"map", {{"domain", TRACE_DEC, NULL}, {"first", TRACE_HEX, NULL}, {"last", TRACE_HEX, NULL},
             {"address", TRACE_HEX, NULL}, {"granted", TRACE_ENUM, permissions}}},
    {"unmap", {{"domain", TRACE_DEC, NULL}, {"first", TRACE_HEX, NULL},
               {"last", TRACE_HEX, NULL}}},
};

static const struct trace_point_def ats[] = {
    {"lookup", {{"rid", TRACE_RID, NULL}, PASID, {"iova", TRACE_HEX, NULL},
                {"wanted", TRACE_ENUM, permissions}}},
    {"fill", {{"rid", TRACE_RID, NULL}, PASID, {"iova", TRACE_HEX, NULL},
              {"address", TRACE_HEX, NULL}, {"granted", TRACE_ENUM, permissions}}},
    {"invalidate", {{"rid", TRACE_RID, NULL}, PASID, {"iova", TRACE_HEX, NULL},
                    {"bytes", TRACE_HEX, NULL}, {"itag", TRACE_DEC, NULL}}},
    {"page request", {{"rid", TRACE_RID, NULL}, PASID, {"iova", TRACE_HEX, NULL},
                      {"wanted", TRACE_ENUM, permissions}, {"group", TRACE_DEC, NULL}}},
    {"page response", {{"rid", TRACE_RID, NULL}, {"group", TRACE_DEC, NULL},
                       {"code", TRACE_HEX, NULL}}},
};

static const struct trace_point_def config[] = {
    {"read", {{"rid", TRACE_RID, NULL}, {"reg", TRACE_HEX, NULL}, {"bytes", TRACE_DEC, NULL},
              {"value", TRACE_HEX, NULL}}},
    {"write", {{"rid", TRACE_RID, NULL}, {"reg", TRACE_HEX, NULL}, {"bytes", TRACE_DEC, NULL},
               {"value", TRACE_HEX, NULL}}},
};

static const struct trace_point_def reset[] = {
    {"reset", {{"rid", TRACE_RID, NULL}, {"kind", TRACE_ENUM, resets}}},
    {"power", {{"rid", TRACE_RID, NULL}, {"state", TRACE_ENUM, states}}},
};

static const struct trace_point_def cpu[] = {
    {"exception", {{"vector", TRACE_ENUM, exceptions}, {"error", TRACE_HEX, NULL},
                   {"rip", TRACE_HEX, NULL}, {"cr2", TRACE_HEX, NULL}, {"cpl", TRACE_DEC, NULL}}},
};

#define TABLE(name) {name, ARRAY_LEN(name)}
static const struct {
    const struct trace_point_def *points;
    unsigned count;
} tables[TRACE_KIND_COUNT] = {
    [TRACE_DLLP] = TABLE(dllp),     [TRACE_IOMMU] = TABLE(iommu), [TRACE_ATS] = TABLE(ats),
    [TRACE_CONFIG] = TABLE(config), [TRACE_RESET] = TABLE(reset), [TRACE_CPU] = TABLE(cpu),
};
/* clang-format on */

const struct trace_point_def *trace_point_find(unsigned point)
{
    unsigned kind = point >> 8, n = point & 0xff;

    return kind < TRACE_KIND_COUNT && n < tables[kind].count ? &tables[kind].points[n] : NULL;
}

const char *trace_field_word(const struct trace_field *field, uint64_t value)
{
    for (uint64_t i = 0; field->words[i]; i++) {
        if (i == value) {
            return field->words[i];
        }
    }
    return NULL;
}

static size_t add(char *out, size_t at, size_t out_len, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static size_t add(char *out, size_t at, size_t out_len, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(out + at, out_len - at, format, args);
    va_end(args);
    return MIN(at + (size_t)MAX(n, 0), out_len - 1);
}

static size_t add_field(char *out, size_t at, size_t out_len, const struct trace_field *field,
                        uint64_t value)
{
    const char *word;

    switch (field->type) {
    case TRACE_PASID:
        if (value == TRACE_NO_PASID) {
            return at;
        }
        return add(out, at, out_len, " %s 0x%" PRIx64, field->name, value);
    case TRACE_HEX: return add(out, at, out_len, " %s 0x%" PRIx64, field->name, value);
    case TRACE_RID:
        return add(out, at, out_len, " %02x:%02x.%x", (unsigned)(value >> 8 & 0xff),
                   (unsigned)(value >> 3 & 0x1f), (unsigned)(value & 7));
    case TRACE_ENUM:
        word = trace_field_word(field, value);
        if (word) {
            return *word ? add(out, at, out_len, " %s", word) : at;
        }
        break;
    case TRACE_DEC: break;
    }
    return add(out, at, out_len, " %s %" PRIu64, field->name, value);
}

void trace_point_words(const struct trace_event *event, char *out, size_t out_len)
{
    const struct trace_point_def *def = trace_point_find(event->point);
    size_t at = 0;

    if (!out_len) {
        return;
    }
    at = add(out, at, out_len, "%s", def ? def->name : "unknown");
    for (unsigned i = 0; def && i < TRACE_ARGS && def->field[i].name; i++) {
        at = add_field(out, at, out_len, &def->field[i], event->arg[i]);
    }
}
