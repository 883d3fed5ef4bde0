/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is: every assertion says who it is, where its requirement stands and what it is. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static GPtrArray *all;

static void setup(void)
{
    all = conform_assertions();
}

static void teardown(void)
{
    g_ptr_array_unref(all);
}

static const struct conform_assertion *at(unsigned i)
{
    return all->pdata[i];
}

START_TEST(test_ids)
{
    GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);

    ck_assert_uint_gt(all->len, 400);
    for (unsigned i = 0; i < all->len; i++) {
        const char *id = at(i)->id;

        ck_assert_msg(g_hash_table_add(seen, (char *)id), "%s is there twice", id);
        ck_assert_msg(strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(id) &&
                          strchr(id, '.') && !strstr(id, "..") && id[strlen(id) - 1] != '.',
                      "%s is no id", id);
    }
    g_hash_table_unref(seen);
}
END_TEST

/* "7.5.3.4", "10.4.2.1"; of appendices "A.1". */
static bool is_section(const char *section)
{
    bool digit = false;

    if (!section || !(g_ascii_isdigit(*section) || g_ascii_isupper(*section)))
        return false;
    for (const char *p = section; *p; p++) {
        if (*p == '.' ? !digit && p != section + 1 : !g_ascii_isalnum(*p))
            return false;
        digit = *p != '.';
    }
    return digit;
}

START_TEST(test_complete)
{
    for (unsigned i = 0; i < all->len; i++) {
        const struct conform_assertion *a = at(i);
        size_t len = strlen(a->requirement);

        ck_assert_msg(a->group && *a->group, "%s has no group", a->id);
        ck_assert_msg(a->document < CONFORM_DOCUMENTS && *conform_document_name(a->document),
                      "%s has no document", a->id);
        ck_assert_msg(strpbrk(conform_document_name(a->document), "0123456789") != NULL,
                      "the document of %s has no version", a->id);
        ck_assert_msg(is_section(a->section), "%s: %s is no section", a->id, a->section);
        ck_assert_msg(len > 10 && a->requirement[len - 1] == '.' && strchr(a->requirement, ' '),
                      "%s: \"%s\" is no sentence", a->id, a->requirement);
        ck_assert_msg(!strstr(a->requirement, "\n") && !strstr(a->requirement, "|"),
                      "%s: a row of a table cannot hold \"%s\"", a->id, a->requirement);
        ck_assert_msg(a->procedure != NULL, "%s has no procedure", a->id);
        ck_assert_msg(!(a->needs & CONFORM_RESETS) || a->needs & CONFORM_WRITES,
                      "%s resets and does not write", a->id);
    }
}
END_TEST

START_TEST(test_order)
{
    for (unsigned i = 1; i < all->len; i++) {
        int order = strcmp(at(i - 1)->group, at(i)->group);

        ck_assert_int_le(order, 0);
        ck_assert(order < 0 || strcmp(at(i - 1)->id, at(i)->id) < 0);
    }
}
END_TEST

static unsigned count(const struct conform_filter *filter)
{
    unsigned found = 0;

    for (unsigned i = 0; i < all->len; i++)
        found += conform_filter_accepts(filter, at(i));
    return found;
}

START_TEST(test_filter)
{
    const struct conform_assertion own = {
        .id = "pcie.devctl.mps", .group = "pcie", .section = "7.5.3.4"};
    const struct {
        struct conform_filter filter;
        bool accepts;
    } rows[] = {
        {{0}, true},
        {{.group = "pcie"}, true},
        {{.group = "pci"}, false},
        {{.section = "7.5"}, true},
        {{.section = "7.5.3.4"}, true},
        {{.section = "7.5.3.40"}, false},
        {{.section = "7.5.3.4.1"}, false},
        {{.id = "pcie.devctl"}, true},
        {{.id = "pcie.devct"}, false},
        {{.id = "pcie.devctl.mps"}, true},
        {{.id = "pcie.devctl", .group = "aer"}, false},
        {{.group = "pcie", .section = "7.5.3"}, true},
        {{.section = "7.5", .id = "aer"}, false},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        ck_assert_msg(conform_filter_accepts(&rows[i].filter, &own) == rows[i].accepts, "row %u",
                      i);
    ck_assert_uint_eq(count(&(struct conform_filter){0}), all->len);
    ck_assert_uint_eq(count(&(struct conform_filter){.group = "there is none"}), 0);
}
END_TEST

/* Every assertion of the tables is a line of the list and a row of the page. */
START_TEST(test_lists)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    conform_write_markdown(out, all);
    fclose(out);
    for (unsigned i = 0; i < all->len; i++) {
        char *row = g_strdup_printf("| `%s` | ", at(i)->id);

        ck_assert_msg(strstr(text, row) != NULL, "%s is not on the page", at(i)->id);
        g_free(row);
    }
    free(text);
    out = open_memstream(&text, &len);
    conform_write_list(out, all);
    fclose(out);
    char **lines = g_strsplit(text, "\n", -1);
    ck_assert_uint_eq(g_strv_length(lines), all->len + 1);
    for (unsigned i = 0; i < all->len; i++)
        ck_assert(g_str_has_prefix(lines[i], at(i)->id));
    g_strfreev(lines);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conform-registry");
    TCase *tcase = tcase_create("registry");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_ids);
    tcase_add_test(tcase, test_complete);
    tcase_add_test(tcase, test_order);
    tcase_add_test(tcase, test_filter);
    tcase_add_test(tcase, test_lists);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
