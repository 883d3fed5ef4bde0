/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a kernel image says of itself (Linux 6.12, Documentation/arch/x86/boot.rst). */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "boot_kernel.h"
#include "pcilab/base/le.h"

#define SETUP_BYTES    0x8000 /* boot sector and set-up code: where the version string is */
#define HEADER_MAGIC   0x202
#define KERNEL_VERSION 0x20e
#define VERSION_BYTES  256

char *boot_kernel_release(const char *path, char **full)
{
    uint8_t *setup = g_malloc0(SETUP_BYTES + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? pread(fd, setup, SETUP_BYTES, 0) : -1;
    char *release = NULL;

    if (fd >= 0) {
        close(fd);
    }
    if (len > 0x260 && memcmp(setup + HEADER_MAGIC, "HdrS", 4) == 0) {
        size_t at = (size_t)le16_load(setup + KERNEL_VERSION) + 0x200;
        if (at > 0x200 && at < (size_t)len) {
            char *text = g_strndup((const char *)setup + at, MIN(VERSION_BYTES, (size_t)len - at));
            for (char *c = text; *c; c++) { /* it goes to terminals and commit messages */
                *c = g_ascii_isprint(*c) ? *c : '?';
            }
            release = g_strndup(text, strcspn(text, " "));
            if (full) {
                *full = g_strdup(text);
            }
            g_free(text);
        }
    }
    g_free(setup);
    return release;
}
