/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trace points of the kinds that have some, and what their arguments are: a table, from which
 * every sink makes its form of them.
 */
#ifndef PCILAB_TRACE_POINTS_H
#define PCILAB_TRACE_POINTS_H

#include "pcilab/trace/trace.h"

#define TRACE_POINT(kind, n) ((unsigned)(kind) << 8 | (n))
#define TRACE_KIND_OF(point) ((enum trace_kind)((point) >> 8))
#define TRACE_NO_PASID       UINT64_MAX

enum trace_point {
    TRACE_DLLP_ACK = TRACE_POINT(TRACE_DLLP, 0),
    TRACE_DLLP_NAK,
    TRACE_DLLP_FC,
    TRACE_DLLP_PM,
    TRACE_REPLAY,
    TRACE_RESENT,
    TRACE_IOMMU_TRANSLATE = TRACE_POINT(TRACE_IOMMU, 0),
    TRACE_IOMMU_INTERRUPT,
    TRACE_IOMMU_FAULT,
    TRACE_IOMMU_INVALIDATE,
    TRACE_IOMMU_MAP,
    TRACE_IOMMU_UNMAP,
    TRACE_ATS_LOOKUP = TRACE_POINT(TRACE_ATS, 0),
    TRACE_ATS_FILL,
    TRACE_ATS_INVALIDATE,
    TRACE_ATS_PAGE_REQUEST,
    TRACE_ATS_PAGE_RESPONSE,
    TRACE_CONFIG_READ = TRACE_POINT(TRACE_CONFIG, 0),
    TRACE_CONFIG_WRITE,
    TRACE_RESET_FUNCTION = TRACE_POINT(TRACE_RESET, 0),
    TRACE_POWER_STATE,
    TRACE_CPU_EXCEPTION = TRACE_POINT(TRACE_CPU, 0),
};

enum trace_field_type {
    TRACE_DEC,
    TRACE_HEX,
    TRACE_RID,   /* requester ID, as bus:device.function */
    TRACE_PASID, /* not told when it is TRACE_NO_PASID */
    TRACE_ENUM,  /* one of `words`; not told when that is "" */
};

struct trace_field {
    const char *name; /* NULL: no more */
    enum trace_field_type type;
    const char *const *words; /* TRACE_ENUM: NULL-terminated */
};

struct trace_point_def {
    const char *name;
    struct trace_field field[TRACE_ARGS];
};

/* NULL: there is no such point. */
const struct trace_point_def *trace_point_find(unsigned point);
/* The word of an argument, or NULL when it is none of them. */
const char *trace_field_word(const struct trace_field *field, uint64_t value);
/* "NAME FIELD VALUE ...", cut short to `out_len`. */
void trace_point_words(const struct trace_event *event, char *out, size_t out_len);

#endif
