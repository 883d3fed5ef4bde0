/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON of strangers: the parser calls itself for each array and object in another, and has no limit
 * of its own; none may come near the end of the stack. */
#include "pcilab/base/json_line.h"

#include <string.h>

JsonNode *json_line_parse(const char *text, size_t len, GError **error)
{
    JsonNode *node = NULL;
    unsigned open = 0;

    for (size_t i = 0; i < len; i++)
        open += text[i] == '[' || text[i] == '{';
    if (open > JSON_LINE_OPEN_MAX || memchr(text, 0, len) ||
        !g_utf8_validate(text, (gssize)len, NULL)) {
        g_set_error_literal(error, JSON_PARSER_ERROR, JSON_PARSER_ERROR_PARSE,
                            open > JSON_LINE_OPEN_MAX ? "too many arrays and objects"
                                                      : "this is no UTF-8 text");
        return NULL;
    }
    JsonParser *parser = json_parser_new();

    if (json_parser_load_from_data(parser, text, (gssize)len, error)) {
        node = json_parser_steal_root(parser);
        if (!node)
            g_set_error_literal(error, JSON_PARSER_ERROR, JSON_PARSER_ERROR_PARSE,
                                "there is nothing");
    }
    g_object_unref(parser);
    return node;
}
