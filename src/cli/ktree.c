/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel with its modules. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot_kernel.h"
#include "boot_report.h"
#include "cli.h"
#include "ktree.h"
#include "pcilab/io/cpio.h"
#include "pcilab/io/kmod.h"

#define ALIGNMENT 4 /* of archives that follow each other */

/* Drivers of the devices that a topology may have, as far as the kernel has them. */
static const char *const wanted[] = {"nvme",           "virtio_pci", "virtio_blk",
                                     "virtio_console", "virtio_rng", NULL};

void ktree_clear(struct ktree *t)
{
    if (t->initrd) {
        close(t->initrd_fd);
    }
    g_clear_pointer(&t->kernel, g_free);
    g_clear_pointer(&t->modules, g_free);
    g_clear_pointer(&t->installed, g_free);
    g_clear_pointer(&t->release, g_free);
    g_clear_pointer(&t->initrd, g_free);
}

/* "# Linux/arm64 6.12.1 Kernel Configuration" is the third line of a .config. NULL: unknown. */
static char *configured_arch(const char *folder)
{
    char *file = g_build_filename(folder, ".config", NULL), *text = NULL, *arch = NULL;
    static const char mark[] = "# Linux/";
    const char *at = g_file_get_contents(file, &text, NULL, NULL) ? strstr(text, mark) : NULL;

    if (at) {
        at += strlen(mark);
        arch = g_strndup(at, strcspn(at, " \n"));
    }
    g_free(text);
    g_free(file);
    return arch;
}

static bool explain_no_kernel(const char *folder)
{
    char *arch = configured_arch(folder);

    if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        cli_error("--ktree %s: %s", folder,
                  g_file_test(folder, G_FILE_TEST_EXISTS) ? "not a folder; --kernel takes a file"
                                                          : "No such file or directory");
    } else if (arch && strcmp(arch, "x86") != 0 && strcmp(arch, "x86_64") != 0) {
        cli_error("--ktree %s: this kernel is configured for %s; pcilab boots x86-64 kernels",
                  folder, arch);
    } else {
        cli_error("--ktree %s: there is no arch/x86/boot/bzImage; build it: make bzImage modules",
                  folder);
    }
    g_free(arch);
    return false;
}

static void note_installed(struct ktree *t, const char *path)
{
    char *dep = g_build_filename(path, "modules.dep", NULL);

    if (g_file_test(dep, G_FILE_TEST_IS_REGULAR)) {
        t->installed = g_canonicalize_filename(path, NULL);
    }
    g_free(dep);
}

/* The folder's modules, as built or installed; false: there are some, but of other kernels. */
static bool find_modules(struct ktree *t, const char *folder, const char *what)
{
    static const char *const places[] = {"lib/modules", "usr/lib/modules"};
    char *order = g_build_filename(folder, "modules.order", NULL);

    if (g_file_test(order, G_FILE_TEST_IS_REGULAR)) {
        t->modules = g_strdup(folder);
    }
    g_free(order);
    for (unsigned i = 0; !t->modules && i < G_N_ELEMENTS(places); i++) {
        char *all = g_build_filename(folder, places[i], NULL);
        GDir *dir = g_dir_open(all, 0, NULL);
        const char *other = dir ? g_dir_read_name(dir) : NULL;
        char *path = g_build_filename(all, t->release ? t->release : other, NULL);
        bool here = other && g_file_test(path, G_FILE_TEST_IS_DIR);
        if (here) {
            note_installed(t, path);
            t->modules = g_steal_pointer(&path);
        } else if (other) {
            cli_error("%s: the kernel is %s, but %s has the modules of %s", what, t->release, all,
                      other);
        }
        g_free(path);
        g_free(all);
        g_clear_pointer(&dir, g_dir_close);
        if (!here && other) {
            return false;
        }
    }
    return true;
}

bool ktree_open(struct ktree *t, const char *folder)
{
    t->kernel = g_build_filename(folder, "arch/x86/boot/bzImage", NULL);
    if (!g_file_test(t->kernel, G_FILE_TEST_IS_REGULAR)) {
        return explain_no_kernel(folder);
    }
    t->release = boot_kernel_release(t->kernel, NULL);
    char *what = g_strdup_printf("--ktree %s", folder);
    bool ok = find_modules(t, folder, what);
    g_free(what);
    return ok;
}

/* Modules of this very release in lib/modules below `folder`. */
static void find_release(struct ktree *t, const char *folder)
{
    char *path = g_build_filename(folder, "lib/modules", t->release, NULL);
    char *order = g_build_filename(path, "modules.order", NULL);

    if (!t->modules && g_file_test(order, G_FILE_TEST_IS_REGULAR)) {
        t->modules = g_strdup(path);
        note_installed(t, path);
    }
    g_free(order);
    g_free(path);
}

bool ktree_open_kernel(struct ktree *t, const char *kernel, const char *guest)
{
    char *tree = boot_report_tree_of(kernel);
    bool ok = true;

    t->kernel = g_strdup(kernel);
    t->release = boot_kernel_release(kernel, NULL);
    if (tree) {
        ok = find_modules(t, tree, kernel);
    }
    if (t->release && ok) {
        find_release(t, "/");
        find_release(t, guest);
    }
    g_free(tree);
    return ok;
}

/* Where these packages are unpacked: a name that another version of a file changes. */
static char *deb_folder(char *const *files)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    struct stat st;

    for (unsigned i = 0; files[i]; i++) {
        if (stat(files[i], &st) != 0) {
            cli_error("--kernel-deb %s: %s", files[i], g_strerror(errno));
            g_checksum_free(sum);
            return NULL;
        }
        char *full = g_canonicalize_filename(files[i], NULL);
        char *id = g_strdup_printf("%s\n%lld\n%lld.%ld\n", full, (long long)st.st_size,
                                   (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
        g_checksum_update(sum, (const guchar *)id, -1);
        g_free(id);
        g_free(full);
    }
    char *folder = g_build_filename(g_get_user_cache_dir(), "pcilab", "debs",
                                    g_checksum_get_string(sum), NULL);
    g_checksum_free(sum);
    return folder;
}

/* Runs dpkg-deb; what it says on stdout is to be g_free()d. NULL: it has failed, which is said. */
static char *dpkg_deb(const char *file, const char *action, const char *argument)
{
    bool extract = strcmp(action, "-x") == 0;
    char *argv[] = {"dpkg-deb", (char *)action, (char *)file, (char *)argument, NULL};
    char *out = NULL, *err = NULL;
    GError *error = NULL;
    int status;

    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, &status,
                      &error)) {
        cli_error("--kernel-deb needs dpkg-deb: %s", error->message);
        g_error_free(error);
    } else if (!g_spawn_check_wait_status(status, NULL)) {
        err[strcspn(err, "\n")] = '\0';
        cli_error("--kernel-deb %s: cannot be %s: %s", file, extract ? "unpacked" : "read", err);
        g_clear_pointer(&out, g_free);
    }
    g_free(err);
    return out;
}

static bool check_deb(const char *file)
{
    char *arch = dpkg_deb(file, "-f", "Architecture");
    bool ok = arch && (strcmp(g_strchomp(arch), "amd64") == 0 || strcmp(arch, "all") == 0);

    if (arch && !ok) {
        cli_error("--kernel-deb %s: this package is for %s; pcilab boots amd64 kernels", file,
                  arch);
    }
    g_free(arch);
    return ok;
}

void ktree_remove(const char *folder)
{
    char *argv[] = {"rm", "-rf", "--", (char *)folder, NULL};

    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                 NULL, NULL, NULL, NULL);
}

void ktree_depmod(const char *folder)
{
    char *all = g_build_filename(folder, "lib/modules", NULL);
    GDir *dir = g_dir_open(all, 0, NULL);
    const char *release = dir ? g_dir_read_name(dir) : NULL;
    char *env[] = {"PATH=/usr/sbin:/sbin:/usr/bin:/bin", NULL};
    char *argv[] = {"depmod", "-b", (char *)folder, (char *)release, NULL};

    if (release) {
        g_spawn_sync(NULL, argv, env, G_SPAWN_SEARCH_PATH_FROM_ENVP | G_SPAWN_STDERR_TO_DEV_NULL,
                     NULL, NULL, NULL, NULL, NULL, NULL);
    }
    g_clear_pointer(&dir, g_dir_close);
    g_free(all);
}

/* Beside the folder, and then moved there: what is there is always whole. */
static bool unpack_debs(const char *folder, char *const *files)
{
    char *temp = g_strdup_printf("%s.%d", folder, (int)getpid());
    bool ok = g_mkdir_with_parents(temp, 0755) == 0;

    if (!ok) {
        cli_error("%s: %s", temp, g_strerror(errno));
    }
    for (unsigned i = 0; ok && files[i]; i++) {
        cli_note("unpacking %s", files[i]);
        char *said = check_deb(files[i]) ? dpkg_deb(files[i], "-x", temp) : NULL;
        ok = said != NULL;
        g_free(said);
    }
    if (ok) {
        ktree_depmod(temp);
    }
    if (ok && rename(temp, folder) != 0 && !g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        cli_error("%s: %s", folder, g_strerror(errno));
        ok = false;
    }
    ktree_remove(temp);
    g_free(temp);
    return ok;
}

/* The kernel below FOLDER/PLACE: vmlinuz-* itself, or vmlinuz in a folder there. NULL: none. */
static char *find_image(const char *folder, const char *place)
{
    char *all = g_build_filename(folder, place, NULL), *found = NULL;
    GDir *dir = g_dir_open(all, 0, NULL);
    const char *name;

    while (dir && !found && (name = g_dir_read_name(dir))) {
        found = g_str_has_prefix(name, "vmlinuz") ? g_build_filename(all, name, NULL)
                                                  : g_build_filename(all, name, "vmlinuz", NULL);
        if (!g_file_test(found, G_FILE_TEST_IS_REGULAR)) {
            g_clear_pointer(&found, g_free);
        }
    }
    g_clear_pointer(&dir, g_dir_close);
    g_free(all);
    return found;
}

/* Since Debian's 6.17 the kernel lies beside its modules, in a package of its own. */
bool ktree_open_debs(struct ktree *t, char *const *files)
{
    static const char *const places[] = {"boot", "usr/lib/modules", "lib/modules"};
    char *folder = deb_folder(files);
    bool ok = folder && (g_file_test(folder, G_FILE_TEST_IS_DIR) || unpack_debs(folder, files));

    for (unsigned i = 0; ok && !t->kernel && i < G_N_ELEMENTS(places); i++) {
        t->kernel = find_image(folder, places[i]);
    }
    if (t->kernel) {
        t->release = boot_kernel_release(t->kernel, NULL);
        ok = find_modules(t, folder, "--kernel-deb");
    } else if (ok) {
        cli_error("--kernel-deb %s: there is no boot/vmlinuz-* and no lib/modules/*/vmlinuz in it; "
                  "newer kernels are in linux-binary-*, linux-modules-* and linux-base-*",
                  files[0]);
        ok = false;
    }
    g_free(folder);
    return ok;
}

static bool say(GError *error)
{
    cli_error("%s", error->message);
    g_error_free(error);
    return false;
}

/* Those of `names` that there are. */
static bool take_wanted(struct kmod *kmod, const char *const *names)
{
    GError *error = NULL;

    for (; names && *names && !error; names++) {
        (void)kmod_take(kmod, *names, &error);
    }
    return error ? say(error) : true;
}

static bool take_needed(const struct ktree *t, struct kmod *kmod, const char *const *names)
{
    GError *error = NULL;

    for (; *names && !error; names++) {
        if (kmod_take(kmod, *names, &error) == KMOD_ABSENT) {
            cli_error("kernel %s has no module %s, nor is it built in: a command needs the host's "
                      "files (CONFIG_9P_FS, CONFIG_NET_9P_VIRTIO, CONFIG_OVERLAY_FS, "
                      "CONFIG_VIRTIO_PCI, CONFIG_VIRTIO_CONSOLE)",
                      t->release ? t->release : "of unknown version", *names);
            return false;
        }
    }
    return error ? say(error) : true;
}

static bool take_more(const struct ktree *t, struct kmod *kmod, char *const *names)
{
    GError *error = NULL;

    for (; names && *names && !error; names++) {
        if (kmod_take(kmod, *names, &error) == KMOD_ABSENT) {
            cli_error("--module %s: kernel %s has no such module, nor is it built in", *names,
                      t->release ? t->release : "of unknown version");
            return false;
        }
    }
    return error ? say(error) : true;
}

/* NULL: there are none (*ok), or an error was reported. */
static struct kmod *open_modules(const struct ktree *t, char *const *more, bool *ok)
{
    GError *error = NULL;
    struct kmod *kmod = t->modules ? kmod_new(t->modules, t->release, &error) : NULL;

    *ok = true;
    if (error) {
        *ok = say(error);
    } else if (!kmod && more && more[0]) {
        cli_error("--module %s: there are no modules beside %s", more[0], t->kernel);
        *ok = false;
    }
    return kmod;
}

bool ktree_pack(struct ktree *t, struct cpio *cpio, const char *const *needed, char *const *drivers,
                char *const *more)
{
    bool ok;
    struct kmod *kmod = open_modules(t, more, &ok);

    if (kmod) {
        ok = take_needed(t, kmod, needed) && take_wanted(kmod, (const char *const *)drivers) &&
             take_more(t, kmod, more);
        if (ok) {
            kmod_pack(kmod, cpio);
            cli_note("initramfs: the agent with %u modules of %s", kmod_count(kmod), t->modules);
        }
    }
    kmod_free(kmod);
    return ok;
}

static bool write_all(int fd, const void *data, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t now = write(fd, (const char *)data + done, len - done);
        if (now < 0 && errno != EINTR) {
            return false;
        }
        done += now > 0 ? (size_t)now : 0;
    }
    return true;
}

static bool open_initrd(struct ktree *t)
{
    t->initrd_fd = memfd_create("initramfs", MFD_CLOEXEC);
    if (t->initrd_fd >= 0) {
        t->initrd = g_strdup_printf("/proc/self/fd/%d", t->initrd_fd);
    }
    return t->initrd;
}

static bool say_initrd(bool ok)
{
    if (!ok) {
        cli_error("the initramfs cannot be put together in memory: %s", g_strerror(errno));
    }
    return ok;
}

bool ktree_seal(struct ktree *t, struct cpio *cpio)
{
    const GByteArray *bytes = cpio_finish(cpio);

    return say_initrd(open_initrd(t) && write_all(t->initrd_fd, bytes->data, bytes->len));
}

/* The kernel unpacks one archive after another (Linux 6.12,
 * Documentation/driver-api/early-userspace/buffer-format.rst). */
static bool join(struct ktree *t, const char *base, const GByteArray *modules)
{
    static const char zeros[ALIGNMENT];
    GError *error = NULL;
    char *data;
    gsize len;

    if (!g_file_get_contents(base, &data, &len, &error)) {
        cli_error("initrd %s", error->message);
        g_error_free(error);
        return false;
    }
    bool ok = open_initrd(t) && write_all(t->initrd_fd, data, len) &&
              write_all(t->initrd_fd, zeros, -len % ALIGNMENT) &&
              write_all(t->initrd_fd, modules->data, modules->len);
    g_free(data);
    return say_initrd(ok);
}

bool ktree_initrd(struct ktree *t, const char *base, char *const *more)
{
    bool ok;
    struct kmod *kmod = open_modules(t, more, &ok);

    if (kmod) {
        struct cpio *cpio = cpio_new();
        ok = take_wanted(kmod, wanted) && take_more(t, kmod, more);
        if (ok) {
            kmod_pack(kmod, cpio);
            cli_note("initramfs: %s with %u modules of %s", base, kmod_count(kmod),
                     kmod_count(kmod) ? kmod_release(kmod) : t->modules);
            ok = join(t, base, cpio_finish(cpio));
        }
        cpio_free(cpio);
    }
    kmod_free(kmod);
    return ok;
}
