/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people read of a tree of values. */
#include <check.h>
#include <stdlib.h>

#include "inspect.h"

static void check_text(const char *json, const char *want)
{
    JsonNode *node = json_from_string(json, NULL);
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    ck_assert_ptr_nonnull(node);
    inspect_text_print(node, out);
    fclose(out);
    ck_assert_str_eq(text, want);
    free(text);
    json_node_unref(node);
}

START_TEST(test_values)
{
    check_text("{\"time-ps\": 1000002999999, \"a\": 5, \"longer\": \"0x10\", \"yes\": true}",
               "at 1.000002 s of virtual time\n"
               "a       5\n"
               "longer  0x10\n"
               "yes     yes\n");
}
END_TEST

START_TEST(test_table)
{
    check_text("{\"time-ps\": 0, \"empty\": [], \"rows\": [{\"a\": 1, \"b\": \"long\"},"
               "{\"b\": \"x\", \"c\": false}]}",
               "at 0.000000 s of virtual time\n"
               "empty: none\n"
               "rows:\n"
               "  a  b     c\n"
               "  1  long  -\n"
               "  -  x     no\n");
}
END_TEST

START_TEST(test_nested)
{
    check_text("{\"time-ps\": 0, \"units\": [{\"name\": \"u\", \"in\": {\"x\": 1}, \"l\": []},"
               "{\"name\": \"v\", \"l\": []}]}",
               "at 0.000000 s of virtual time\n"
               "name  u\n"
               "in:\n"
               "  x  1\n"
               "l: none\n"
               "\n"
               "name  v\n"
               "l: none\n");
}
END_TEST

START_TEST(test_query)
{
    char *walk[] = {"walk", "0001:02:1f.7,5", "0Xabc0", "write", NULL};
    char *iommu[] = {"iommu", "queue", "u1", NULL};
    struct inspect_query query = {0};

    ck_assert(inspect_query_parse(&query, walk));
    ck_assert_int_eq(query.what, INSPECT_WALK);
    ck_assert_uint_eq(query.access.segment, 1);
    ck_assert_uint_eq(query.access.requester, 0x02ff);
    ck_assert(query.access.has_pasid && query.access.write);
    ck_assert_uint_eq(query.access.pasid, 5);
    ck_assert_uint_eq(query.access.addr, 0xabc0);
    query = (struct inspect_query){0};
    ck_assert(inspect_query_parse(&query, iommu));
    ck_assert_str_eq(query.section, "queue");
    ck_assert_str_eq(query.unit, "u1");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inspect");
    TCase *tcase = tcase_create("text");
    SRunner *runner = srunner_create(suite);

    tcase_add_test(tcase, test_values);
    tcase_add_test(tcase, test_table);
    tcase_add_test(tcase, test_nested);
    tcase_add_test(tcase, test_query);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
