/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a kernel file: either one error with a message, or a machine that is ready to run.
 * The first byte chooses: the rest as it is; entered as a bzImage; as the compressed payload of a
 * sound bzImage (so that the unpackers are reached); as an initrd of a sound kernel.
 */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pcilab/base/le.h"
#include "pcilab/platform/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { AS_IT_IS, ENTER, PAYLOAD, INITRD, WAYS };

#define SETUP_BYTES    1024
#define PAYLOAD_OFFSET 0x220

/* A bzImage around `payload` whose last four bytes are the unpacked size, as the build has it. */
static GByteArray *wrap(const uint8_t *payload, size_t size)
{
    GByteArray *file = g_byte_array_new();
    size_t total = SETUP_BYTES + PAYLOAD_OFFSET + size;

    g_byte_array_set_size(file, (guint)total);
    memset(file->data, 0, total);
    file->data[0x1f1] = 1; /* setup sectors */
    le32_store(file->data + 0x1f4, (uint32_t)((PAYLOAD_OFFSET + size + 15) / 16));
    le16_store(file->data + 0x1fe, 0xaa55);
    file->data[0x201] = 0x6a;
    memcpy(file->data + 0x202, "HdrS", 4);
    le16_store(file->data + 0x206, 0x020f);
    le32_store(file->data + 0x22c, 0x7fffffff);
    le16_store(file->data + 0x236, 1);
    le32_store(file->data + 0x238, 255);
    le32_store(file->data + 0x248, PAYLOAD_OFFSET);
    le32_store(file->data + 0x24c, (uint32_t)size);
    le64_store(file->data + 0x258, 1 << 20);
    le32_store(file->data + 0x260, 1 << 20);
    if (size)
        memcpy(file->data + SETUP_BYTES + PAYLOAD_OFFSET, payload, size);
    return file;
}

static char *memory_file(const uint8_t *data, size_t size, int *fd)
{
    *fd = memfd_create("fuzz", 0);
    g_assert(*fd >= 0 && write(*fd, data, size) == (ssize_t)size);
    return g_strdup_printf("/proc/self/fd/%d", *fd);
}

static void load(struct machine *machine, const struct machine_boot *boot)
{
    GError *error = NULL;
    bool ok = machine_load(machine, boot, &error);

    g_assert(ok == (error == NULL));
    if (error) {
        g_assert(error->domain == MACHINE_ERROR && strlen(error->message) > 10);
        g_error_free(error);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct machine *machine; /* kept: what a bad file leaves must not harm the next one */
    struct machine_boot boot = {.cmdline = "console=ttyS0"};
    int fd, kernel_fd = -1;

    if (!machine) {
        struct machine_desc *desc = machine_desc_new();
        desc->memory_bytes = 16 << 20;
        machine = machine_new(desc, &(struct machine_options){.seed = 1}, NULL);
        machine_desc_free(desc);
        g_assert(machine);
    }
    if (!size)
        return 0;
    unsigned way = data[0] % WAYS;
    GByteArray *wrapped = way == PAYLOAD ? wrap(data + 1, size - 1) : NULL;
    char *path = wrapped ? memory_file(wrapped->data, wrapped->len, &fd)
                         : memory_file(data + 1, size - 1, &fd);
    boot.kernel_path = path;
    boot.enter_bzimage = way == ENTER;
    if (way == INITRD) {
        static const uint8_t code[64] = {0xf4};
        GByteArray *kernel = wrap(code, sizeof(code));

        boot.initrd_path = path;
        boot.kernel_path = memory_file(kernel->data, kernel->len, &kernel_fd);
        boot.enter_bzimage = true;
        g_byte_array_unref(kernel);
    }
    load(machine, &boot);
    if (kernel_fd >= 0) {
        close(kernel_fd);
        g_free((char *)boot.kernel_path);
    }
    if (wrapped)
        g_byte_array_unref(wrapped);
    close(fd);
    g_free(path);
    return 0;
}
