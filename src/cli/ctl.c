/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab ctl: one call at the control socket of a boot, for people and shell scripts. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli.h"
#include "pcilab/base/json_line.h"
#include "pcilab/config/units.h"
#include "pcilab/control/control.h"
#include "pcilab/sim/sim.h"

static const char description[] =
    "Without VERB: what can be asked for. Words are texts, numbers (0x hexadecimal), times (5us),\n"
    "JSON ({...}, [...]), or KEY=VALUE, which are one object.\n"
    "\n"
    "Examples, with pcilab boot peer --control /tmp/p in another terminal:\n"
    "  pcilab ctl /tmp/p                         what there is\n"
    "  pcilab ctl /tmp/p pause                   it stands\n"
    "  pcilab ctl /tmp/p step 10us               for so long\n"
    "  pcilab ctl /tmp/p step_tlp nvme0 MWr      to the next write of nvme0\n"
    "  pcilab ctl /tmp/p reg rp0 aer.uncorrectable\n"
    "  pcilab ctl /tmp/p inspect function 01:00.0\n"
    "  pcilab ctl /tmp/p resume\n"
    "  pcilab ctl /tmp/p link nvme0 down         also: link.down nvme0\n"
    "  pcilab ctl /tmp/p inject at=nvme0 kind=MWr action=drop count=1\n"
    "  pcilab ctl /tmp/p lua 'link(\"nvme0\"):down() wait(ms(1)) link(\"nvme0\"):up()'\n"
    "  pcilab ctl /tmp/p events rule state       events as they come, for ever\n"
    "  pcilab ctl /tmp/p shutdown                the run ends\n"
    "\n"
    "Exit status: 0 it is done, 1 it was refused or failed, 2 bad usage, or nobody listens "
    "there.\n";

/* A connection, and what was read beyond the last line. */
struct link {
    int fd;
    GString *input;
};

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;

    if (strlen(path) >= sizeof(address.sun_path)) {
        cli_error("%s: the path of a socket is at most %zu bytes", path,
                  sizeof(address.sun_path) - 1);
        return -1;
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
        return fd;
    }
    int error = errno;
    if (error == ECONNREFUSED && stat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        cli_error("%s: the run there is over; start one with: pcilab boot --control %s", path,
                  path);
    } else if (error == ECONNREFUSED || error == EPROTOTYPE) {
        cli_error("%s: this is not the socket of a pcilab boot --control", path);
    } else {
        cli_error("%s: %s", path, g_strerror(error));
    }
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

/* One line, without its end; NULL: there is no more. g_free() it. */
static char *next_line(struct link *link)
{
    char *newline, piece[65536];

    while (!(newline = strchr(link->input->str, '\n'))) {
        ssize_t len = read(link->fd, piece, sizeof(piece));

        if (len < 0 && errno == EINTR) {
            continue;
        }
        if (len <= 0) {
            return NULL;
        }
        g_string_append_len(link->input, piece, len);
    }
    char *line = g_strndup(link->input->str, (gsize)(newline - link->input->str));

    g_string_erase(link->input, 0, newline - link->input->str + 1);
    return line;
}

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0) {
            cli_error("the run there has ended: %s", g_strerror(errno));
            return false;
        }
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* Parameters as people type them. */

static JsonNode *text_of(const char *word)
{
    char *valid = g_utf8_make_valid(word, -1);
    JsonNode *node = json_node_init_string(json_node_alloc(), valid);

    g_free(valid);
    return node;
}

static JsonNode *value_of(const char *word)
{
    uint64_t number;
    bool negative = word[0] == '-' && g_ascii_isdigit(word[1]);
    JsonNode *node = NULL;

    if (word[0] == '{' || word[0] == '[' || word[0] == '"') {
        node = json_line_parse(word, strlen(word), NULL);
    } else if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0) {
        node = json_node_init_boolean(json_node_alloc(), word[0] == 't');
    } else if (units_parse_uint(word + negative, &number)) {
        node = json_node_init_int(json_node_alloc(), negative ? -(gint64)number : (gint64)number);
    } else if (g_ascii_isdigit(word[0]) && g_ascii_isalpha(word[strlen(word) - 1]) &&
               units_parse_time(word, &number)) {
        node = json_node_init_int(json_node_alloc(), (gint64)number);
    }
    return node ? node : text_of(word);
}

/* A key is a name: "at=nvme0" is one, "echo a=b" is a text. */
static bool is_pair(const char *word)
{
    size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyz_");

    return len && word[len] == '=';
}

/* For these, words are texts whatever they look like. */
static bool takes_text(const char *verb)
{
    static const char *const verbs[] = {"lua", "guest",     "type",    "sysrq", "saw",
                                        "bdf", "subscribe", "inspect", NULL};

    return g_strv_contains(verbs, verb);
}

static JsonNode *params_of(const char *verb, char *const *words)
{
    JsonArray *array = json_array_new();
    JsonObject *pairs = NULL;
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);
    bool text = takes_text(verb);

    for (; *words; words++) {
        if (!text && is_pair(*words)) {
            const char *equals = strchr(*words, '=');
            char *key = g_strndup(*words, (gsize)(equals - *words));

            pairs = pairs ? pairs : json_object_new();
            json_object_set_member(pairs, key, value_of(equals + 1));
            g_free(key);
        } else {
            json_array_add_element(array, text ? text_of(*words) : value_of(*words));
        }
    }
    if (pairs) {
        json_array_add_object_element(array, pairs);
    }
    json_node_take_array(node, array);
    return node;
}

static bool send_call(int fd, const char *verb, JsonNode *params)
{
    JsonObject *object = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_object_set_string_member(object, "jsonrpc", "2.0");
    json_object_set_int_member(object, "id", 1);
    json_object_set_string_member(object, "method", verb);
    json_object_set_member(object, "params", params);
    json_node_take_object(node, object);
    char *text = json_to_string(node, FALSE);
    char *line = g_strconcat(text, "\n", NULL);
    bool ok = strlen(line) <= CONTROL_LINE_MAX;

    if (ok) {
        ok = send_all(fd, line, strlen(line));
    } else {
        cli_error("that is too long: a call has at most %u bytes", CONTROL_LINE_MAX);
    }
    g_free(line);
    g_free(text);
    json_node_unref(node);
    return ok;
}

/* Results. */

static void print_json(JsonNode *node)
{
    char *text = json_to_string(node, TRUE);

    puts(text);
    g_free(text);
}

static void print_help(JsonNode *node)
{
    JsonArray *array = json_node_get_array(node);

    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *verb = json_array_get_object_element(array, i);
        const char *params = json_object_get_string_member(verb, "params");
        char *head = g_strdup_printf("%s%s%s", json_object_get_string_member(verb, "name"),
                                     *params ? " " : "", params);
        const char *help = json_object_get_string_member(verb, "help");

        printf(strlen(head) > 38 && *help ? "  %s\n  %-38s  %s\n" : "  %-38s%s  %s\n", head, "",
               help);
        g_free(head);
    }
}

/* Registers as a table, as pcilab inspect has them. */
static void print_registers(JsonNode *node)
{
    JsonArray *array = json_node_get_array(node);

    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *row = json_array_get_object_element(array, i);
        int digits = 2 * (int)json_object_get_int_member(row, "width");

        printf("%03" G_GINT64_MODIFIER "x  %-40s  %0*" G_GINT64_MODIFIER "x\n",
               json_object_get_int_member(row, "offset"),
               json_object_get_string_member(row, "name"), MIN(digits, 16),
               json_object_get_int_member(row, "value"));
    }
}

/* What a guest's command said, and its exit status. */
static int print_guest(JsonNode *node)
{
    JsonArray *array = json_node_get_array(node);

    fputs(json_array_get_string_element(array, 0), stdout);
    return (int)json_array_get_int_element(array, 1);
}

static void print_value(JsonNode *node)
{
    if (JSON_NODE_HOLDS_NULL(node)) {
        return;
    }
    if (!JSON_NODE_HOLDS_VALUE(node)) {
        print_json(node);
    } else if (json_node_get_value_type(node) == G_TYPE_STRING) {
        const char *text = json_node_get_string(node);
        printf("%s%s", text, g_str_has_suffix(text, "\n") ? "" : "\n");
    } else if (json_node_get_value_type(node) == G_TYPE_INT64) {
        printf("%" G_GINT64_FORMAT "\n", json_node_get_int(node));
    } else {
        print_json(node);
    }
}

static void print_lua(JsonNode *node)
{
    JsonObject *object = json_node_get_object(node);
    JsonArray *lines = json_object_get_array_member(object, "printed");

    for (guint i = 0; i < json_array_get_length(lines); i++) {
        puts(json_array_get_string_element(lines, i));
    }
    print_value(json_object_get_member(object, "value"));
}

static int print_result(const char *verb, JsonNode *node, bool json)
{
    if (json) {
        print_json(node);
    } else if (strcmp(verb, "help") == 0 && JSON_NODE_HOLDS_ARRAY(node)) {
        print_help(node);
    } else if (strcmp(verb, "registers") == 0 && JSON_NODE_HOLDS_ARRAY(node)) {
        print_registers(node);
    } else if (strcmp(verb, "guest") == 0 && JSON_NODE_HOLDS_ARRAY(node)) {
        return print_guest(node);
    } else if (strcmp(verb, "lua") == 0 && JSON_NODE_HOLDS_OBJECT(node)) {
        print_lua(node);
    } else {
        print_value(node);
    }
    return CLI_OK;
}

/* The answer to the call; -1: it was an event. */
static int take_answer(const char *verb, const char *line, bool json)
{
    JsonNode *node = json_line_parse(line, strlen(line), NULL);
    JsonObject *object = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    JsonNode *error = object ? json_object_get_member(object, "error") : NULL;
    int status = CLI_FAILED;

    if (object && json_object_has_member(object, "result")) {
        status = print_result(verb, json_object_get_member(object, "result"), json);
    } else if (error && JSON_NODE_HOLDS_OBJECT(error)) {
        cli_error("%s: %s", verb,
                  json_object_get_string_member_with_default(json_node_get_object(error), "message",
                                                             "refused"));
    } else if (object && json_object_has_member(object, "method")) {
        status = -1;
    } else {
        cli_error("what answers there is no pcilab boot --control");
        status = CLI_USAGE;
    }
    if (node) {
        json_node_unref(node);
    }
    return status;
}

static void print_event(const char *line, bool json)
{
    JsonNode *node = json_line_parse(line, strlen(line), NULL);
    JsonObject *object = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    JsonNode *params = object ? json_object_get_member(object, "params") : NULL;

    if (json || !params || !JSON_NODE_HOLDS_OBJECT(params)) {
        puts(line);
    } else {
        JsonObject *event = json_node_get_object(params);

        printf("%16.6f us  %-6s %-8s %s\n",
               (double)json_object_get_int_member_with_default(event, "time-ps", 0) / PS_PER_US,
               json_object_get_string_member_with_default(event, "kind", ""),
               json_object_get_string_member_with_default(event, "where", ""),
               json_object_get_string_member_with_default(event, "text", ""));
    }
    fflush(stdout);
    if (node) {
        json_node_unref(node);
    }
}

static int converse(int fd, const char *verb, char *const *words, bool json)
{
    struct link link = {.fd = fd, .input = g_string_new(NULL)};
    bool events = strcmp(verb, "events") == 0;
    int status =
        send_call(fd, events ? "subscribe" : verb, params_of(events ? "subscribe" : verb, words))
            ? -1
            : CLI_USAGE;
    char *line;

    while (status == -1 && (line = next_line(&link))) {
        status = take_answer(verb, line, json);
        g_free(line);
    }
    if (status == -1) {
        cli_error("%s: the run there has ended without an answer", verb);
        status = CLI_FAILED;
    }
    while (events && status == CLI_OK && (line = next_line(&link))) {
        print_event(line, json);
        g_free(line);
    }
    g_string_free(link.input, TRUE);
    return fflush(stdout) == 0 ? status : CLI_FAILED;
}

/* "link nvme0 down 1 2" is link.down nvme0 1 2; the views of inspect are for people. g_strfreev()
 * it; the first word is the verb. */
static char **spell(char *const *words, bool json)
{
    GPtrArray *out = g_ptr_array_new();
    const char *verb = words[0] ? words[0] : "help";
    bool dotted = (strcmp(verb, "link") == 0 || strcmp(verb, "rule") == 0) && words[1];
    unsigned skip = words[0] ? 1 : 0;

    if (dotted && (strcmp(verb, "rule") == 0 || words[2])) {
        unsigned word = strcmp(verb, "rule") == 0 ? 1 : 2;

        g_ptr_array_add(out, g_strdup_printf("%s.%s", verb, words[word]));
        if (word == 2) {
            g_ptr_array_add(out, g_strdup(words[1]));
        }
        skip = word + 1;
    } else {
        g_ptr_array_add(out, g_strdup(verb));
    }
    for (unsigned i = skip; words[i]; i++) {
        g_ptr_array_add(out, g_strdup(words[i]));
    }
    if (strcmp(verb, "inspect") == 0 && !json) {
        g_ptr_array_add(out, g_strdup("--text"));
    }
    g_ptr_array_add(out, NULL);
    return (char **)g_ptr_array_free(out, FALSE);
}

int cli_ctl(char **argv)
{
    gboolean json = FALSE;
    char **rest = NULL;
    const GOptionEntry entries[] = {
        {"json", 'j', 0, G_OPTION_ARG_NONE, &json, "The result as JSON, whatever it is", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL,
         "PATH [VERB WORDS...]"},
        {NULL}};
    GOptionContext *context = g_option_context_new("- give orders to a boot with --control PATH");
    char **words = g_strdupv(argv);
    int status = CLI_USAGE;

    g_set_prgname("pcilab ctl");
    g_option_context_set_strict_posix(context, TRUE); /* a verb's words are its own */
    g_option_context_set_description(context, description);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!cli_parse(context, "ctl", &words)) {
        /* It was said. */
    } else if (!rest) {
        cli_error("which run? pcilab ctl PATH VERB, PATH as given to pcilab boot --control; see "
                  "pcilab ctl --help");
    } else {
        int fd = connect_to(rest[0]);
        bool later = rest[1] && strcmp(rest[1], "--json") == 0; /* behind PATH, too */

        json |= later;
        if (fd >= 0) {
            char **spelt = spell(rest + 1 + later, json);
            status = converse(fd, spelt[0], spelt + 1, json);
            g_strfreev(spelt);
            close(fd);
        }
    }
    g_strfreev(rest);
    g_strfreev(words);
    g_option_context_free(context);
    return status;
}
