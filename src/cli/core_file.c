/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A core file of the guest on the host's disk. */
#include "core_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli.h"
#include "pcilab/platform/vmcore.h"

static int write_at(void *opaque, uint64_t offset, const void *data, uint64_t len)
{
    const int *fd = opaque;
    const char *from = data;

    while (len) {
        ssize_t n = pwrite(*fd, from, len, (off_t)offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? -errno : -EIO;
        }
        from += n;
        offset += (uint64_t)n;
        len -= (uint64_t)n;
    }
    return 0;
}

bool core_file_write(const struct machine *machine, const char *path)
{
    struct vmcore_facts facts;
    /* It may hold what only the guest's owner should see. */
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct vmcore_out out = {write_at, &fd};

    if (fd < 0) {
        cli_error("--vmcore %s: %s", path, g_strerror(errno));
        return false;
    }
    int err = vmcore_write(machine, &out, &facts);
    if (!err && ftruncate(fd, (off_t)facts.size_bytes) != 0) {
        err = -errno;
    }
    if (close(fd) != 0 && !err) {
        err = -errno;
    }
    if (err) {
        cli_error("--vmcore %s: %s", path, g_strerror(-err));
        unlink(path);
        return false;
    }
    cli_error("vmcore: %s%s", path,
              facts.has_vmcoreinfo
                  ? ""
                  : " (without VMCOREINFO: the guest's kernel has not published one)");
    return true;
}
