/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host was told is durable survives SIGKILL: a child writes and flushes through the
 * controller to an image, and tells each completion to its parent, which kills it after so many of
 * them, wherever the child is by then. The file must hold all that was told, in any mode.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "pcilab/base/le.h"
#include "pcilab/io/block.h"

#define IMAGE_BYTES (4u << 20)
#define SLOT_BYTES  8192u
#define SLOTS       (IMAGE_BYTES / SLOT_BYTES)
#define KILLS       50

static int image_read(void *opaque, uint64_t offset, void *data, uint64_t len)
{
    return block_read(opaque, offset, data, len);
}

static int image_write(void *opaque, uint64_t offset, const void *data, uint64_t len)
{
    return block_write(opaque, offset, data, len);
}

static int image_zero(void *opaque, uint64_t offset, uint64_t len)
{
    return block_zero(opaque, offset, len);
}

static int image_flush(void *opaque)
{
    return block_flush(opaque);
}

/* Each slot's every quadword says which write it was. Every third is flushed by FUA, the others by
 * a Flush. */
static void write_slot(struct host *host, uint64_t number)
{
    bool fua = number % 3 == 0;
    struct host_cmd write = {.opcode = NVME_IO_WRITE,
                             .nsid = 1,
                             .prp1 = HOST_DATA,
                             .prp2 = HOST_DATA + 4096,
                             .cdw10 = (uint32_t)(number % SLOTS) * (SLOT_BYTES / 512),
                             .cdw12 = (SLOT_BYTES / 512 - 1) | (fua ? 1u << 30 : 0)};

    for (unsigned i = 0; i < SLOT_BYTES; i += 8)
        le64_store(host->mock->ram + HOST_DATA + i, number);
    if (host_status(host, 1, &write) ||
        (!fua && host_status(host, 1, &(struct host_cmd){.opcode = NVME_IO_FLUSH, .nsid = 1})))
        _exit(1);
}

static void child(const char *path, unsigned flags, int tell)
{
    struct block_image *image = block_open(path, flags, NULL);
    struct host *host;

    if (!image)
        _exit(2);
    host = host_ready_with(&(struct nvme_params){.storage = {.size_bytes = IMAGE_BYTES,
                                                             .read = image_read,
                                                             .write = image_write,
                                                             .zero = image_zero,
                                                             .flush = image_flush,
                                                             .opaque = image}});
    for (uint64_t number = 1;; number++) {
        write_slot(host, number);
        if (write(tell, &number, sizeof(number)) != sizeof(number))
            _exit(3);
    }
}

static uint64_t next_told(int from)
{
    uint64_t number = 0;

    return read(from, &number, sizeof(number)) == sizeof(number) ? number : 0;
}

/* The last number told. */
static uint64_t run_and_kill(const char *path, unsigned flags, unsigned after)
{
    uint64_t told = 0, number;
    int pipes[2], status;

    ck_assert_int_eq(pipe(pipes), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(pipes[0]);
        child(path, flags, pipes[1]);
    }
    close(pipes[1]);
    while (told < after && (number = next_told(pipes[0])))
        told = number;
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    ck_assert_msg(WIFSIGNALED(status), "the child ended by itself: %d", WEXITSTATUS(status));
    while ((number = next_told(pipes[0]))) /* what it told until it died */
        told = number;
    close(pipes[0]);
    return told;
}

/* A slot holds the last write that was told, or the one that was under way, in part. */
static void check_file(const char *path, uint64_t told)
{
    g_autofree char *file = NULL;
    gsize len;

    ck_assert(g_file_get_contents(path, &file, &len, NULL));
    ck_assert_uint_eq(len, IMAGE_BYTES);
    for (uint64_t n = told > SLOTS ? told - SLOTS + 1 : 1; n <= told; n++) {
        for (unsigned i = 0; i < SLOT_BYTES; i += 8) {
            uint64_t found = le64_load((uint8_t *)file + n % SLOTS * SLOT_BYTES + i);
            ck_assert_msg(found == n || found == n + SLOTS, "write %u: found %u", (unsigned)n,
                          (unsigned)found);
        }
    }
}

START_TEST(what_was_told_survives_a_kill)
{
    char path[] = "/tmp/pcilab-durable-XXXXXX";
    g_autoptr(GRand) rnd = g_rand_new_with_seed(99);
    unsigned flags = _i ? BLOCK_DIRECT : 0;
    int fd = mkstemp(path);
    GError *error = NULL;

    ck_assert_int_ge(fd, 0);
    for (unsigned i = 0; i < KILLS; i++) {
        ck_assert_int_eq(ftruncate(fd, 0), 0);
        ck_assert_int_eq(ftruncate(fd, IMAGE_BYTES), 0);
        struct block_image *image = block_open(path, flags, &error);
        if (!image && flags) { /* a file system without O_DIRECT */
            g_clear_error(&error);
            flags = 0;
        }
        block_free(image);
        unsigned after = (unsigned)g_rand_int_range(rnd, 0, 30);
        check_file(path, run_and_kill(path, flags, after));
    }
    close(fd);
    unlink(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nvme-durable");
    TCase *tc = tcase_create("durable");

    tcase_set_timeout(tc, 100);
    tcase_add_loop_test(tc, what_was_told_survives_a_kill, 0, 2);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
