/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What devices refer to by ID: character devices, drives, and the rest. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "pcilab/config/units.h"
#include "pcilab/io/block.h"
#include "qemu.h"

#define MAGIC_BYTES 8

/* Character devices. */

void qemu_chardev_free(void *data)
{
    struct qemu_chardev *chardev = data;

    if (chardev->fd >= 0) {
        close(chardev->fd);
    }
    g_byte_array_unref(chardev->out);
    g_free(chardev->id);
    g_free(chardev->what);
    g_free(chardev->path);
    g_free(chardev);
}

static struct qemu_chardev *chardev_new(struct qemu *q, const char *what, const char *id,
                                        enum qemu_chardev_kind kind)
{
    struct qemu_chardev *chardev = g_new0(struct qemu_chardev, 1);

    chardev->what = g_strdup(what);
    chardev->id = g_strdup(id);
    chardev->kind = kind;
    chardev->fd = -1;
    chardev->out = g_byte_array_new();
    g_ptr_array_add(q->chardevs, chardev);
    return chardev;
}

static struct qemu_chardev *lookup_chardev(const struct qemu *q, const char *id)
{
    for (unsigned i = 0; i < q->chardevs->len; i++) {
        struct qemu_chardev *chardev = q->chardevs->pdata[i];
        if (chardev->id && strcmp(chardev->id, id) == 0) {
            return chardev;
        }
    }
    return NULL;
}

static bool stdio_is_free(const struct qemu *q, const char *what)
{
    for (unsigned i = 0; i < q->chardevs->len; i++) {
        const struct qemu_chardev *chardev = q->chardevs->pdata[i];
        if (chardev->kind == QEMU_CHARDEV_STDIO) {
            return qemu_refuse(what, "standard input and output belong to %s already",
                               chardev->what);
        }
    }
    return true;
}

static bool fill_chardev(struct qemu_chardev *chardev, struct qemu_words *words)
{
    bool signals = true;

    if (!qemu_words_flag(words, "mux", &chardev->mux)) {
        return false;
    }
    if (chardev->kind == QEMU_CHARDEV_STDIO) {
        return qemu_words_flag(words, "signal", &signals);
    }
    if (chardev->kind == QEMU_CHARDEV_FILE) {
        chardev->path = g_strdup(qemu_words_get(words, "path"));
        if (!chardev->path) {
            return qemu_refuse(words->what, "path=FILE is missing");
        }
        return qemu_words_flag(words, "append", &chardev->append);
    }
    return true;
}

static bool read_chardev(struct qemu *q, struct qemu_words *words)
{
    static const char *const kinds[] = {
        [QEMU_CHARDEV_NULL] = "null", [QEMU_CHARDEV_STDIO] = "stdio", [QEMU_CHARDEV_FILE] = "file"};
    const char *kind = qemu_words_get(words, "backend"), *id = qemu_words_get(words, "id");
    unsigned found = 0;

    while (found < G_N_ELEMENTS(kinds) && (!kind || strcmp(kind, kinds[found]) != 0)) {
        found++;
    }
    if (found == G_N_ELEMENTS(kinds)) {
        return qemu_refuse(words->what, "there are stdio, file and null only");
    }
    if (!id) {
        return qemu_refuse(words->what, "id=ID is missing");
    }
    if (lookup_chardev(q, id)) {
        return qemu_refuse(words->what, "there is a -chardev with id=%s already", id);
    }
    if (found == QEMU_CHARDEV_STDIO && !stdio_is_free(q, words->what)) {
        return false;
    }
    return fill_chardev(chardev_new(q, words->what, id, found), words) && qemu_words_end(words);
}

bool qemu_take_chardev(struct qemu *q, const char *text)
{
    struct qemu_words *words = qemu_words_new("-chardev", text, "backend");
    bool ok = read_chardev(q, words);

    qemu_words_free(words);
    return ok;
}

static struct qemu_chardev *use_chardev(struct qemu *q, const char *what, const char *id)
{
    struct qemu_chardev *chardev = lookup_chardev(q, id);

    if (!chardev) {
        qemu_refuse(what, "there is no -chardev with id=%s", id);
    } else if (chardev->users++ && !chardev->mux) {
        qemu_refuse(what, "%s is in use already; mux=on lets several write to it", chardev->what);
        return NULL;
    }
    return chardev;
}

struct qemu_chardev *qemu_find_chardev(struct qemu *q, struct qemu_words *user, const char *id)
{
    return use_chardev(q, user->what, id);
}

static bool choose_serial(struct qemu *q, const char *text)
{
    char *what = g_strdup_printf("-serial %s", text);
    bool ok = true;

    if (strcmp(text, "stdio") == 0 || strcmp(text, "mon:stdio") == 0) {
        ok = stdio_is_free(q, what);
        q->serial = ok ? chardev_new(q, what, NULL, QEMU_CHARDEV_STDIO) : NULL;
    } else if (g_str_has_prefix(text, "file:") && text[5]) {
        q->serial = chardev_new(q, what, NULL, QEMU_CHARDEV_FILE);
        q->serial->path = g_strdup(text + 5);
    } else if (g_str_has_prefix(text, "chardev:")) {
        q->serial = use_chardev(q, what, text + 8);
        ok = q->serial != NULL;
    } else if (strcmp(text, "none") != 0 && strcmp(text, "null") != 0) {
        ok = qemu_refuse(what, "it can be stdio, mon:stdio, file:FILE, chardev:ID, null or none");
    }
    g_free(what);
    return ok;
}

bool qemu_choose_serial(struct qemu *q)
{
    if (!q->serials->len) {
        if (!q->nographic && !q->no_display) {
            return qemu_refuse("no -nographic", "there is no graphical display; give -nographic, "
                                                "or -display none and -serial");
        }
        return !q->nographic || q->nodefaults || choose_serial(q, "mon:stdio");
    }
    for (unsigned i = 1; i < q->serials->len; i++) {
        const char *text = q->serials->pdata[i];
        if (strcmp(text, "none") != 0 && strcmp(text, "null") != 0) {
            char *what = g_strdup_printf("-serial %s", text);
            qemu_refuse(what, "there is one serial port only");
            g_free(what);
            return false;
        }
    }
    return choose_serial(q, q->serials->pdata[0]);
}

/* Drives. */

void qemu_drive_free(void *data)
{
    struct qemu_drive *drive = data;

    block_free(drive->image);
    g_free(drive->id);
    g_free(drive->owner);
    g_free(drive->what);
    g_free(drive);
}

static struct qemu_drive *lookup_drive(const struct qemu *q, const char *id)
{
    for (unsigned i = 0; i < q->drives->len; i++) {
        struct qemu_drive *drive = q->drives->pdata[i];
        if (drive->id && strcmp(drive->id, id) == 0) {
            return drive;
        }
    }
    return NULL;
}

/* Without format=, QEMU looks into the file; all that we read is raw. */
static bool check_format(struct qemu_words *words, const char *file)
{
    static const struct {
        const char *magic;
        const char *name;
    } formats[] = {{"QFI\xfb", "qcow2"}, {"KDMV", "vmdk"}, {"vhdxfile", "vhdx"}, {"QED", "qed"}};
    const char *format = qemu_words_get(words, "format");
    uint8_t head[MAGIC_BYTES] = {0};

    if (format) {
        return strcmp(format, "raw") == 0 ||
               qemu_refuse(words->what,
                           "format=%s cannot be read; convert it: qemu-img convert "
                           "-O raw",
                           format);
    }
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t len = fd >= 0 ? pread(fd, head, sizeof(head), 0) : 0;
    if (fd >= 0) {
        close(fd);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
        size_t n = strlen(formats[i].magic);
        if (len >= (ssize_t)n && memcmp(head, formats[i].magic, n) == 0) {
            return qemu_refuse(words->what,
                               "%s is a %s image; only raw ones can be read: "
                               "qemu-img convert -O raw",
                               file, formats[i].name);
        }
    }
    return true;
}

static bool open_drive(const struct qemu *q, struct qemu_drive *drive, struct qemu_words *words,
                       const char *file)
{
    bool read_only = false, snapshot = q->snapshot;
    GError *error = NULL;

    if (!qemu_words_flag(words, "readonly", &read_only) ||
        !qemu_words_flag(words, "read-only", &read_only) ||
        !qemu_words_flag(words, "snapshot", &snapshot)) {
        return false;
    }
    drive->image = block_open_raw(file, read_only || snapshot, &error);
    if (drive->image && snapshot && !block_overlay(drive->image, &error)) {
        g_clear_pointer(&drive->image, block_free);
    }
    if (!drive->image) {
        qemu_refuse(words->what, "%s", error->message);
        g_error_free(error);
        return false;
    }
    if (read_only) {
        block_set_read_only(drive->image);
    }
    return true;
}

static bool read_drive(struct qemu *q, struct qemu_words *words, struct qemu_drive *drive)
{
    /* How the host does it: nothing that a guest or a file would show. */
    static const char *const no_effect[] = {"cache", "aio",    "discard", "detect-zeroes",
                                            "index", "werror", "rerror",  "file.locking"};
    const char *kind = qemu_words_get(words, "if"), *file = qemu_words_get(words, "file");
    const char *id = qemu_words_get(words, "id");

    drive->id = g_strdup(id);
    drive->virtio = kind && strcmp(kind, "virtio") == 0;
    if (!drive->virtio && (!kind || strcmp(kind, "none") != 0)) {
        return qemu_refuse(words->what,
                           "if=%s cannot be honoured; it can be virtio, or none with "
                           "a -device that uses it",
                           kind ? kind : "ide");
    }
    if (!file) {
        return qemu_refuse(words->what, "file=FILE is missing");
    }
    if (!drive->virtio && !id) {
        return qemu_refuse(words->what, "id=ID is missing");
    }
    if (id && lookup_drive(q, id) != drive) {
        return qemu_refuse(words->what, "there is a -drive with id=%s already", id);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(no_effect); i++) {
        qemu_words_get(words, no_effect[i]);
    }
    return qemu_words_only(words, "media", "disk") && check_format(words, file) &&
           open_drive(q, drive, words, file) && qemu_words_end(words);
}

bool qemu_take_drive(struct qemu *q, struct qemu_words *words)
{
    struct qemu_drive *drive = g_new0(struct qemu_drive, 1);

    drive->what = g_strdup(words->what);
    g_ptr_array_add(q->drives, drive);
    return read_drive(q, words, drive);
}

struct qemu_drive *qemu_find_drive(struct qemu *q, struct qemu_words *user, const char *id)
{
    struct qemu_drive *drive = lookup_drive(q, id);

    if (!drive) {
        qemu_refuse(user->what, "there is no -drive with id=%s", id);
    } else if (drive->used) {
        qemu_refuse(user->what, "%s is in use already", drive->what);
        drive = NULL;
    } else {
        drive->used = true;
    }
    return drive;
}

/* The rest. */

void qemu_backend_free(void *data)
{
    struct qemu_backend *backend = data;

    qemu_words_free(backend->words);
    g_free(backend->id);
    g_free(backend);
}

static struct qemu_backend *lookup_backend(GPtrArray *list, const char *id)
{
    for (unsigned i = 0; i < list->len; i++) {
        struct qemu_backend *backend = list->pdata[i];
        if (strcmp(backend->id, id) == 0) {
            return backend;
        }
    }
    return NULL;
}

bool qemu_take_backend(struct qemu *q, GPtrArray *list, struct qemu_words *words)
{
    const char *id = qemu_words_get(words, "id");

    if (!id || lookup_backend(list, id)) {
        if (id) {
            qemu_refuse(words->what, "the ID %s is taken", id);
        } else {
            qemu_refuse(words->what, "id=ID is missing");
        }
        qemu_words_free(words);
        return false;
    }
    struct qemu_backend *backend = g_new0(struct qemu_backend, 1);
    backend->id = g_strdup(id);
    backend->words = words;
    g_ptr_array_add(list, backend);
    return true;
}

struct qemu_backend *qemu_find_backend(GPtrArray *list, struct qemu_words *user, const char *option,
                                       const char *id)
{
    struct qemu_backend *backend = lookup_backend(list, id);

    if (!backend) {
        qemu_refuse(user->what, "there is no %s with id=%s", option, id);
    } else if (backend->used) {
        qemu_refuse(user->what, "%s is in use already", backend->words->what);
        backend = NULL;
    } else {
        backend->used = true;
    }
    return backend;
}
