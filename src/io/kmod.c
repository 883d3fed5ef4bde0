/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel modules for an initramfs. What a module says of itself is in its ELF section .modinfo:
 * strings KEY=VALUE, each with a zero at the end (Linux 6.12, include/linux/moduleparam.h). */
#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "pcilab/io/kmod.h"
#include "pcilab/io/unpack.h"

#define DEPTH_MAX 32

struct module {
    char *path; /* below the folder, without a suffix of compression */
    GByteArray *data;
    const char *info; /* .modinfo, in data */
    size_t info_len;
    GPtrArray *needs; /* struct module *, all, nearest first */
};

struct kmod {
    char *folder, *release;
    GHashTable *paths;   /* name -> path below the folder, without ".ko" and what follows it */
    GHashTable *builtin; /* names */
    GHashTable *taken;   /* name -> struct module * */
    GPtrArray *order;    /* struct module *, what is needed first */
};

static void module_free(gpointer opaque)
{
    struct module *m = opaque;

    g_free(m->path);
    g_byte_array_unref(m->data);
    g_ptr_array_unref(m->needs);
    g_free(m);
}

/* The name of the module in this file: "a/b-c.ko.xz" is b_c. g_free() it. */
static char *name_of(const char *path)
{
    char *name = g_path_get_basename(path);

    name[strcspn(name, ".")] = '\0';
    return g_strdelimit(name, "-", '_');
}

/* Lines like "kernel/drivers/nvme/host/nvme.ko" (installed, builtin) and "drivers/nvme/host/nvme.o"
 * (built; scripts/Makefile.modfinal). */
static bool read_list(const char *folder, const char *list, GHashTable *names, GError **error)
{
    char *file = g_build_filename(folder, list, NULL), *text = NULL;
    bool ok = g_file_get_contents(file, &text, NULL, error);
    char **lines = g_strsplit(ok ? text : "", "\n", -1);

    for (unsigned i = 0; lines[i]; i++) {
        char *dot = strrchr(lines[i], '.');
        if (dot && dot > lines[i]) {
            *dot = '\0';
            g_hash_table_insert(names, name_of(lines[i]), g_strdup(lines[i]));
        }
    }
    g_strfreev(lines);
    g_free(text);
    g_free(file);
    return ok;
}

struct kmod *kmod_new(const char *folder, const char *release, GError **error)
{
    struct kmod *k = g_new0(struct kmod, 1);

    k->folder = g_strdup(folder);
    k->release = g_strdup(release);
    k->paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    k->builtin = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    k->taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    k->order = g_ptr_array_new_with_free_func(module_free);
    if (!read_list(folder, "modules.order", k->paths, error) ||
        !read_list(folder, "modules.builtin", k->builtin, error)) {
        g_clear_pointer(&k, kmod_free);
    }
    return k;
}

void kmod_free(struct kmod *k)
{
    if (k) {
        g_hash_table_unref(k->paths);
        g_hash_table_unref(k->builtin);
        g_hash_table_unref(k->taken);
        g_ptr_array_unref(k->order);
        g_free(k->folder);
        g_free(k->release);
        g_free(k);
    }
}

/* Section header `index`, whole within the file; false: it is not there. */
static bool section(const GByteArray *data, const Elf64_Ehdr *head, unsigned index, Elf64_Shdr *out)
{
    uint64_t at = head->e_shoff + (uint64_t)index * sizeof(*out);

    if (index >= head->e_shnum || head->e_shoff > data->len || at > data->len ||
        data->len - at < sizeof(*out)) {
        return false;
    }
    memcpy(out, data->data + at, sizeof(*out));
    return out->sh_type == SHT_NOBITS ||
           (out->sh_offset <= data->len && out->sh_size <= data->len - out->sh_offset);
}

static bool find_info(struct module *m)
{
    Elf64_Ehdr head;
    Elf64_Shdr names, s;

    if (m->data->len < sizeof(head)) {
        return false;
    }
    memcpy(&head, m->data->data, sizeof(head));
    if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
        head.e_machine != EM_X86_64 || head.e_shentsize != sizeof(s) ||
        !section(m->data, &head, head.e_shstrndx, &names) || names.sh_type == SHT_NOBITS) {
        return false;
    }
    for (unsigned i = 0; i < head.e_shnum; i++) {
        static const char wanted[] = ".modinfo";
        if (section(m->data, &head, i, &s) && s.sh_type != SHT_NOBITS &&
            s.sh_name < names.sh_size && names.sh_size - s.sh_name >= sizeof(wanted) &&
            memcmp(m->data->data + names.sh_offset + s.sh_name, wanted, sizeof(wanted)) == 0) {
            m->info = (const char *)m->data->data + s.sh_offset;
            m->info_len = s.sh_size;
            return m->info_len && !m->info[m->info_len - 1];
        }
    }
    return false;
}

/* The next value of the key after *at, which is NULL at first. */
static const char *next_value(const struct module *m, const char *key, const char **at)
{
    size_t len = strlen(key);
    const char *end = m->info + m->info_len;
    const char *p = *at ? *at : m->info;

    for (; p < end; p += strlen(p) + 1) {
        if (strncmp(p, key, len) == 0 && p[len] == '=') {
            *at = p + strlen(p) + 1;
            return p + len + 1;
        }
    }
    *at = end;
    return NULL;
}

/* The file, as it is compressed. NULL: there is none. */
static char *find_file(const struct kmod *k, const char *path)
{
    static const char *const suffixes[] = {".ko", ".ko.xz", ".ko.zst", ".ko.gz"};

    for (unsigned i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        char *file = g_strconcat(k->folder, "/", path, suffixes[i], NULL);
        if (access(file, F_OK) == 0) {
            return file;
        }
        g_free(file);
    }
    return NULL;
}

/* The kernel that the module says it is for is ours. */
static bool check_version(struct kmod *k, const struct module *m, const char *file, GError **error)
{
    const char *at = NULL, *magic = next_value(m, "vermagic", &at);
    char *release = magic ? g_strndup(magic, strcspn(magic, " ")) : NULL;
    bool same = release && (!k->release || strcmp(release, k->release) == 0);

    if (!same) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "%s is a module of kernel %s, but the kernel is %s", file,
                    release ? release : "(unknown)", k->release ? k->release : "another");
    } else if (!k->release) {
        k->release = g_strdup(release);
    }
    g_free(release);
    return same;
}

static struct module *load(struct kmod *k, const char *path, GError **error)
{
    char *file = find_file(k, path);
    struct module *m = NULL;
    GByteArray *data = NULL;

    if (!file) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                    "%s/%s.ko is in modules.order but not there: are the modules built?", k->folder,
                    path);
    } else {
        data = unpack_file(file, error);
    }
    if (data) {
        m = g_new0(struct module, 1);
        m->data = data;
        m->needs = g_ptr_array_new();
        m->path =
            g_strconcat(g_str_has_prefix(path, "kernel/") ? "" : "kernel/", path, ".ko", NULL);
        bool elf = find_info(m);
        if (!elf) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                        "%s is not an x86-64 kernel module", file);
        }
        if (!elf || !check_version(k, m, file, error)) {
            g_clear_pointer(&m, module_free);
        }
    }
    g_free(file);
    return m;
}

static void need(struct module *m, struct module *other)
{
    if (!g_ptr_array_find(m->needs, other, NULL)) {
        g_ptr_array_add(m->needs, other);
        for (unsigned i = 0; i < other->needs->len; i++) {
            need(m, other->needs->pdata[i]);
        }
    }
}

static enum kmod_found take(struct kmod *k, const char *name, unsigned depth, GError **error);

/* "depends=a,b" are needed; "softdep=pre: c post: d" may be there. */
static bool take_needs(struct kmod *k, struct module *m, unsigned depth, GError **error)
{
    const char *at = NULL, *value;

    while ((value = next_value(m, "depends", &at))) {
        char **names = g_strsplit(value, ",", -1);
        bool ok = true;
        for (unsigned i = 0; ok && names[i]; i++) {
            char *name = name_of(names[i]);
            enum kmod_found found = *name ? take(k, name, depth + 1, error) : KMOD_BUILTIN;
            ok = found == KMOD_BUILTIN || found == KMOD_MODULE;
            if (found == KMOD_ABSENT) {
                g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                            "%s has no module %s, which %s needs", k->folder, name, m->path);
            } else if (found == KMOD_MODULE) {
                need(m, g_hash_table_lookup(k->taken, name));
            }
            g_free(name);
        }
        g_strfreev(names);
        if (!ok) {
            return false;
        }
    }
    for (at = NULL; (value = next_value(m, "softdep", &at));) {
        char **words = g_strsplit(value, " ", -1);
        for (unsigned i = 0; words[i]; i++) {
            char *name = name_of(words[i]);
            if (*name && !strchr(name, ':')) {
                (void)take(k, name, depth + 1, NULL);
            }
            g_free(name);
        }
        g_strfreev(words);
    }
    return true;
}

static enum kmod_found take(struct kmod *k, const char *name, unsigned depth, GError **error)
{
    const char *path = g_hash_table_lookup(k->paths, name);

    if (g_hash_table_contains(k->taken, name)) {
        return KMOD_MODULE;
    }
    if (!path) {
        return g_hash_table_contains(k->builtin, name) ? KMOD_BUILTIN : KMOD_ABSENT;
    }
    if (depth > DEPTH_MAX) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s: module %s needs itself",
                    k->folder, name);
        return KMOD_BAD;
    }
    struct module *m = load(k, path, error);
    if (!m || !take_needs(k, m, depth, error)) {
        g_clear_pointer(&m, module_free);
        return KMOD_BAD;
    }
    if (g_hash_table_contains(k->taken, name)) { /* by a soft dependency in a circle */
        module_free(m);
        return KMOD_MODULE;
    }
    g_hash_table_insert(k->taken, g_strdup(name), m);
    g_ptr_array_add(k->order, m);
    return KMOD_MODULE;
}

enum kmod_found kmod_take(struct kmod *k, const char *name, GError **error)
{
    char *plain = name_of(name);
    enum kmod_found found = take(k, plain, 0, error);

    g_free(plain);
    return found;
}

unsigned kmod_count(const struct kmod *k)
{
    return k->order->len;
}

const char *kmod_release(const struct kmod *k)
{
    return k->release;
}

static void pack_text(struct cpio *cpio, const char *folder, const char *name, GString *text)
{
    char *path = g_build_filename(folder, name, NULL);

    cpio_add_file(cpio, path, 0644, text->str, text->len);
    g_free(path);
    g_string_free(text, TRUE);
}

void kmod_pack(const struct kmod *k, struct cpio *cpio)
{
    GString *deps = g_string_new(NULL), *aliases = g_string_new(NULL);
    GString *order = g_string_new(NULL), *builtin = g_string_new(NULL);

    if (!k->release) {
        return;
    }
    char *folder = g_build_filename("lib/modules", k->release, NULL);
    for (unsigned i = 0; i < k->order->len; i++) {
        const struct module *m = k->order->pdata[i];
        char *path = g_build_filename(folder, m->path, NULL), *name = name_of(m->path);
        const char *at = NULL, *alias;
        cpio_add_file(cpio, path, 0644, m->data->data, m->data->len);
        g_string_append_printf(order, "%s\n", m->path);
        g_string_append_printf(deps, "%s:", m->path);
        for (unsigned n = 0; n < m->needs->len; n++) {
            g_string_append_printf(deps, " %s", ((const struct module *)m->needs->pdata[n])->path);
        }
        g_string_append_c(deps, '\n');
        while ((alias = next_value(m, "alias", &at))) {
            g_string_append_printf(aliases, "alias %s %s\n", alias, name);
        }
        g_free(name);
        g_free(path);
    }
    GList *names = g_list_sort(g_hash_table_get_values(k->builtin), (GCompareFunc)strcmp);
    for (const GList *n = names; n; n = n->next) {
        g_string_append_printf(builtin, "%s.ko\n", (const char *)n->data);
    }
    g_list_free(names);
    pack_text(cpio, folder, "modules.dep", deps);
    pack_text(cpio, folder, "modules.alias", aliases);
    pack_text(cpio, folder, "modules.order", order);
    pack_text(cpio, folder, "modules.builtin", builtin);
    g_free(folder);
}
