/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's properties. */
#include <string.h>

#include "cli.h"
#include "pcilab/config/units.h"
#include "qemu_words.h"

struct qemu_pair {
    char *key, *value;
    bool taken;
};

bool qemu_refuse(const char *what, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    cli_error("%s: %s", what, text);
    g_free(text);
    return false;
}

void qemu_warn(const char *what, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    cli_error("warning: %s: %s", what, text);
    g_free(text);
}

static void pair_clear(void *data)
{
    struct qemu_pair *pair = data;

    g_free(pair->key);
    g_free(pair->value);
}

/* Up to a comma that stands alone; moves *text behind it. */
static char *next_word(const char **text)
{
    GString *word = g_string_new(NULL);
    const char *c = *text;

    for (; *c && (*c != ',' || c[1] == ','); c++) {
        g_string_append_c(word, *c);
        c += *c == ',';
    }
    *text = *c ? c + 1 : c;
    return g_string_free(word, FALSE);
}

static void add_pair(struct qemu_words *words, char *word, const char *first)
{
    char *equals = strchr(word, '=');
    struct qemu_pair pair = {0};

    if (equals) {
        pair.key = g_strndup(word, (gsize)(equals - word));
        pair.value = g_strdup(equals + 1);
    } else if (first) {
        pair.key = g_strdup(first);
        pair.value = g_strdup(word);
    } else {
        pair.key = g_strdup(word);
        pair.value = g_strdup("on");
    }
    g_array_append_val(words->pairs, pair);
}

struct qemu_words *qemu_words_new(const char *option, const char *text, const char *first)
{
    struct qemu_words *words = g_new0(struct qemu_words, 1);

    words->what = g_strdup_printf("%s %s", option, text);
    words->pairs = g_array_new(FALSE, FALSE, sizeof(struct qemu_pair));
    words->asked = g_ptr_array_new();
    g_array_set_clear_func(words->pairs, pair_clear);
    while (*text) {
        char *word = next_word(&text);
        add_pair(words, word, first);
        g_free(word);
        first = NULL;
    }
    return words;
}

void qemu_words_free(void *data)
{
    struct qemu_words *words = data;

    if (!words) {
        return;
    }
    g_array_unref(words->pairs);
    g_ptr_array_unref(words->asked);
    g_free(words->what);
    g_free(words);
}

const char *qemu_words_get(struct qemu_words *words, const char *key)
{
    const char *value = NULL;

    if (!g_ptr_array_find_with_equal_func(words->asked, key, g_str_equal, NULL)) {
        g_ptr_array_add(words->asked, (void *)key);
    }
    for (unsigned i = 0; i < words->pairs->len; i++) {
        struct qemu_pair *pair = &g_array_index(words->pairs, struct qemu_pair, i);
        if (strcmp(pair->key, key) == 0) {
            value = pair->value; /* the last one counts */
            pair->taken = true;
        }
    }
    return value;
}

char *qemu_words_all(struct qemu_words *words, const char *key)
{
    GString *all = qemu_words_get(words, key) ? g_string_new(NULL) : NULL;

    for (unsigned i = 0; all && i < words->pairs->len; i++) {
        const struct qemu_pair *pair = &g_array_index(words->pairs, struct qemu_pair, i);
        if (strcmp(pair->key, key) == 0) {
            g_string_append_printf(all, "%s%s", all->len ? " " : "", pair->value);
        }
    }
    return all ? g_string_free(all, FALSE) : NULL;
}

bool qemu_words_flag(struct qemu_words *words, const char *key, bool *value)
{
    const char *text = qemu_words_get(words, key);

    if (!text) {
        return true;
    }
    if (strcmp(text, "on") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "true") == 0) {
        *value = true;
    } else if (strcmp(text, "off") == 0 || strcmp(text, "no") == 0 || strcmp(text, "false") == 0) {
        *value = false;
    } else {
        return qemu_refuse(words->what, "%s=%s is not allowed; it is on or off", key, text);
    }
    return true;
}

bool qemu_words_uint(struct qemu_words *words, const char *key, unsigned max, unsigned *value)
{
    const char *text = qemu_words_get(words, key);
    uint64_t number;

    if (!text) {
        return true;
    }
    if (!units_parse_uint(text, &number) || number > max) {
        return qemu_refuse(words->what, "%s=%s is not allowed; it is a number up to %u", key, text,
                           max);
    }
    *value = (unsigned)number;
    return true;
}

bool qemu_words_only(struct qemu_words *words, const char *key, const char *value)
{
    const char *text = qemu_words_get(words, key);

    return !text || strcmp(text, value) == 0 ||
           qemu_refuse(words->what, "%s=%s cannot be honoured; only %s=%s can", key, text, key,
                       value);
}

bool qemu_words_end(struct qemu_words *words)
{
    for (unsigned i = 0; i < words->pairs->len; i++) {
        const struct qemu_pair *pair = &g_array_index(words->pairs, struct qemu_pair, i);
        if (pair->taken) {
            continue;
        }
        const char **names = (const char **)words->asked->pdata;
        const char *near = units_nearest(pair->key, names, words->asked->len);
        GString *all = g_string_new(NULL);
        for (unsigned n = 0; n < words->asked->len; n++) {
            g_string_append_printf(all, "%s%s", n ? ", " : "", names[n]);
        }
        qemu_refuse(words->what, "the property \"%s\" is not known%s%s%s; there are: %s", pair->key,
                    near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "", all->str);
        g_string_free(all, TRUE);
        return false;
    }
    return true;
}
