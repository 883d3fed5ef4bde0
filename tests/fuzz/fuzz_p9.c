/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 9P server against a hostile client: sequences of messages of every type, mostly with fields
 * that mean something, some cut, some with lengths that lie. What lies beside the exported tree
 * must stay as it was, and after a reset the server must serve.
 */
#include <glib.h>
#include <string.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/io/p9.h"
#include "tree.h"

#define MESSAGES_MAX 300
#define BUFFER_BYTES 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at;
    size_t left;
};

/*
 * Fields: f a fid, s a name, t any text, l flags of open(2), m a mode, c a count, o an offset,
 * n bytes of data with their length; 1, 2, 4 and 8 anything of so many bytes.
 */
static const struct {
    uint8_t type;
    const char *fields;
} messages[] = {
    {8, "f"},
    {12, "fl"},
    {14, "fslm4"},
    {16, "fst4"},
    {18, "fsm444"},
    {20, "ffs"},
    {22, "f"},
    {24, "f8"},
    {26, "f4m44o8888"},
    {30, "fft"},
    {32, "ftc4"},
    {40, "foc"},
    {50, "f4"},
    {52, "f14884t"},
    {54, "f1884t"},
    {70, "ffs"},
    {72, "fsm4"},
    {74, "fsfs"},
    {76, "fsl"},
    {100, "4t"},
    {102, "ftt4"},
    {104, "ff"
          "tt4"},
    {108, "2"},
    {110, "ff"},
    {110, "ffw"},
    {110, "ffw"},
    {116, "foc"},
    {118, "fon"},
    {120, "f"},
    {122, "f"},
};

static uint64_t take(struct input *in, unsigned bytes)
{
    uint8_t value[8] = {0};
    unsigned n = bytes < in->left ? bytes : (unsigned)in->left;

    memcpy(value, in->at, n);
    in->at += n;
    in->left -= n;
    return le64_load(value);
}

static void put(GByteArray *out, uint64_t value, unsigned bytes)
{
    uint8_t raw[8];

    le64_store(raw, value);
    g_byte_array_append(out, raw, bytes);
}

static void put_text(GByteArray *out, const char *text)
{
    put(out, strlen(text), 2);
    g_byte_array_append(out, (const uint8_t *)text, (guint)strlen(text));
}

static void put_name(GByteArray *out, struct input *in, bool any)
{
    static const char *const names[] = {"file", "dir", "sub",    "rw", "a",      "b",
                                        "c",    "..",  "secret", ".",  "user.x", "big"};
    unsigned which = (unsigned)take(in, 1);

    if (which < 240 && !any) {
        put_text(out, names[which % ARRAY_LEN(names)]);
        return;
    }
    unsigned len = which & 15;
    put(out, which == 255 ? 0xffff : len, 2);
    for (unsigned i = 0; i < len; i++)
        put(out, take(in, 1), 1);
}

static void put_walk(GByteArray *out, struct input *in)
{
    unsigned count = take(in, 1) & 3;

    put(out, count, 2);
    for (unsigned i = 0; i < count; i++)
        put_name(out, in, false);
}

static void put_data(GByteArray *out, struct input *in)
{
    unsigned len = (unsigned)take(in, 1);

    put(out, len == 255 ? 0xffffffff : len, 4);
    for (unsigned i = 0; i < (len & 31); i++)
        put(out, take(in, 1), 1);
    for (unsigned i = len & 31; i < len; i++)
        put(out, i, 1);
}

static void put_field(GByteArray *out, struct input *in, char field)
{
    switch (field) {
    case 'f': put(out, take(in, 1) & 7, 4); break;
    case 's': put_name(out, in, false); break;
    case 't': put_name(out, in, take(in, 1) & 1); break;
    case 'l': put(out, take(in, 2) & 03003, 4); break;
    case 'm': put(out, take(in, 2), 4); break;
    case 'c': put(out, take(in, 1) * take(in, 1), 4); break;
    case 'o': put(out, take(in, 1) < 250 ? take(in, 1) : take(in, 8), 8); break;
    case 'n': put_data(out, in); break;
    case 'w': put_walk(out, in); break;
    default: put(out, take(in, field - '0' > 2 ? 2 : 1), (unsigned)(field - '0'));
    }
}

/* A request in a block of its own size, so that reading past it is seen. */
static void send(struct p9_server *server, const GByteArray *message, uint32_t capacity)
{
    uint8_t *request = g_memdup2(message->data, message->len), *reply = g_malloc(capacity + 1);
    uint32_t len = p9_server_handle(server, request, message->len, reply, capacity);

    g_assert(len <= capacity);
    g_assert(len == 0 || (len >= 7 && le32_load(reply) == len));
    g_free(request);
    g_free(reply);
}

static void act(struct p9_server *server, struct input *in)
{
    unsigned shape = (unsigned)take(in, 1), which = (unsigned)take(in, 1);
    GByteArray *message = g_byte_array_new();

    put(message, 0, 4);
    put(message, messages[which % ARRAY_LEN(messages)].type, 1);
    put(message, 1, 2);
    for (const char *field = messages[which % ARRAY_LEN(messages)].fields; *field; field++)
        put_field(message, in, *field);
    le32_store(message->data, message->len);
    if (shape >= 250) /* cut, or with a length that lies */
        le32_store(message->data, message->len - 1 + (shape & 3));
    if (shape == 249)
        g_byte_array_set_size(message, message->len - 1);
    send(server, message, shape >= 240 ? (uint32_t)take(in, 1) : BUFFER_BYTES);
    g_byte_array_free(message, TRUE);
}

static void begin(struct p9_server *server)
{
    GByteArray *message = g_byte_array_new();

    put(message, 21, 4);
    put(message, 100, 1);
    put(message, 0xffff, 2);
    put(message, BUFFER_BYTES, 4);
    put_text(message, "9P2000.L");
    send(server, message, BUFFER_BYTES);
    g_byte_array_set_size(message, 0);
    put(message, 23, 4);
    put(message, 104, 1);
    put(message, 1, 2);
    put(message, 0, 4);
    put(message, 0xffffffff, 4);
    put(message, 0, 8);
    send(server, message, BUFFER_BYTES);
    g_byte_array_free(message, TRUE);
}

static void expect_service(struct p9_server *server)
{
    static const uint8_t getattr[] = {19, 0, 0, 0, 24, 1, 0, 0, 0, 0, 0, 0xff, 7};
    uint8_t request[19] = {0}, reply[200];

    p9_server_reset(server);
    begin(server);
    memcpy(request, getattr, sizeof(getattr));
    uint32_t len = p9_server_handle(server, request, sizeof(request), reply, sizeof(reply));
    g_assert(len == 160 && reply[4] == 25);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    g_autofree char *secret = NULL;
    GError *error = NULL;
    unsigned shape = (unsigned)take(&in, 1);

    tree_make();
    const char *rw[] = {tree_file("rw"), NULL};
    struct p9_server *server = p9_server_new(
        &(struct p9_config){.path = tree_path(), .writable = shape & 1, .rw = rw}, &error);
    g_assert_no_error(error);
    begin(server);
    for (unsigned i = 0; i < MESSAGES_MAX && in.left; i++)
        act(server, &in);
    expect_service(server);
    p9_server_free(server);
    gboolean ok = g_file_get_contents(tree_file("../secret"), &secret, NULL, NULL);
    g_assert(ok && strcmp(secret, "secret") == 0);
    tree_remove();
    return 0;
}
