/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON of strangers, a text at a time (RFC 8259). */
#ifndef PCILAB_BASE_JSON_LINE_H
#define PCILAB_BASE_JSON_LINE_H

#include <json-glib/json-glib.h>
#include <stddef.h>

/* CHOICE: arrays and objects of one text, also as characters of strings. */
#define JSON_LINE_OPEN_MAX 2000

/* NULL, and why if wanted: it is no JSON, or too many arrays and objects. json_node_unref() it. */
JsonNode *json_line_parse(const char *text, size_t len, GError **error);

#endif
