/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of all that happens is wanted: kinds, components, a span of virtual time. */
#ifndef PCILAB_TRACE_SELECT_H
#define PCILAB_TRACE_SELECT_H

#include <glib.h>

#include "pcilab/trace/trace.h"

struct trace_select;

/*
 * "tlp:sw0,irq,iommu": kinds, each of one component (its ports and functions, sw0.1, are part of
 * it) or of all; a word may come more than once. "link" are TRACE_LINK and TRACE_DLLP, "state" is
 * TRACE_STATE and TRACE_LINK, "all" is everything. NULL, with what is wrong in *error (to be
 * freed): it cannot be read.
 */
struct trace_select *trace_select_parse(const char *text, char **error);
void trace_select_free(struct trace_select *select);
/* From and before these instants. */
void trace_select_set_span(struct trace_select *select, uint64_t from_ps, uint64_t to_ps);
/* Kinds that may be wanted: BIT(enum trace_kind). */
uint32_t trace_select_kinds(const struct trace_select *select);
bool trace_select_wants(const struct trace_select *select, const struct trace_event *event);
/* The name of a component that was asked for, one after the other; NULL: no more. */
const char *trace_select_component(const struct trace_select *select, unsigned index);
/* "sw0" has "sw0" and "sw0.1", not "sw01". */
bool trace_component_has(const char *component, const char *where);

/* As in --trace and in traces. */
const char *trace_kind_name(enum trace_kind kind);

#endif
