/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory, processors and board: -m, -smp, -machine, -accel. */
#include <stdlib.h>
#include <string.h>

#include "qemu.h"

#define MEMORY_MIN_BYTES (64ULL << 20)
#define MEMORY_MAX_BYTES (256ULL << 30)

/* "512", "1G", "1.5G": MiB without a suffix. */
static bool parse_memory(const char *text, uint64_t *bytes)
{
    static const char letters[] = "BKMGT";
    char *end;
    double number = g_ascii_strtod(text, &end);
    const char *letter = *end ? strchr(letters, g_ascii_toupper(*end)) : letters + 2;

    if (end == text || !letter || (*end && end[1]) || !(number >= 0) || number > 1e12) {
        return false;
    }
    number *= (double)(1ULL << 10 * (letter - letters));
    if (number > 1e15) {
        return false;
    }
    *bytes = (uint64_t)number;
    return true;
}

bool qemu_read_memory(struct qemu *q, struct qemu_words *words)
{
    const char *size = qemu_words_get(words, "size"), *max = qemu_words_get(words, "maxmem");
    uint64_t bytes = QEMU_MEMORY_BYTES, max_bytes;

    qemu_words_get(words, "slots"); /* to plug memory in later, which nobody can */
    if (size && !parse_memory(size, &bytes)) {
        return qemu_refuse(words->what, "\"%s\" is no size; it is like 512 (MiB), 512M or 2G",
                           size);
    }
    if (bytes < MEMORY_MIN_BYTES || bytes > MEMORY_MAX_BYTES || bytes % (1 << 20)) {
        return qemu_refuse(words->what, "memory can be 64M to 256G in steps of 1M");
    }
    if (max && (!parse_memory(max, &max_bytes) || max_bytes < bytes)) {
        return qemu_refuse(words->what, "maxmem=%s is less than the memory", max);
    }
    q->desc->memory_bytes = bytes;
    return qemu_words_end(words);
}

bool qemu_read_smp(struct qemu *q, struct qemu_words *words)
{
    static const char *const levels[] = {"sockets", "dies", "clusters", "cores", "threads"};
    unsigned cpus = 0, most = 0, product = 1, n;

    if (!qemu_words_uint(words, "cpus", 65535, &cpus) ||
        !qemu_words_uint(words, "maxcpus", 65535, &most)) {
        return false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(levels); i++) {
        n = 1;
        if (!qemu_words_uint(words, levels[i], 65535, &n)) {
            return false;
        }
        product *= MIN(MAX(n, 1), CPU_MAX + 1);
        product = MIN(product, CPU_MAX + 1);
    }
    cpus = cpus ? cpus : product;
    if (cpus < 1 || cpus > CPU_MAX) {
        return qemu_refuse(words->what, "there can be 1 to %u processors", CPU_MAX);
    }
    if ((most && most != cpus) || (product != 1 && product != cpus)) {
        return qemu_refuse(words->what,
                           "processors cannot be added later: cpus=%u has to be all "
                           "of them",
                           cpus);
    }
    q->desc->cpus = cpus;
    return qemu_words_end(words);
}

/* Properties of the board that describe what is not there, or say nothing to a guest. */
bool qemu_read_machine(struct qemu *q, struct qemu_words *words)
{
    static const char *const no_effect[] = {"graphics",
                                            "vmport",
                                            "smm",
                                            "hpet",
                                            "kernel-irqchip",
                                            "mem-merge",
                                            "dump-guest-core",
                                            "kernel_irqchip",
                                            "pit",
                                            "pic",
                                            "rtc",
                                            "pcie",
                                            "isa-serial",
                                            "acpi",
                                            "x-option-roms",
                                            "auto-kernel-cmdline",
                                            "sata",
                                            "smbus",
                                            "i8042",
                                            "usb",
                                            "nvdimm",
                                            "suppress-vmdesc",
                                            "ioapic2"};
    const char *type = qemu_words_get(words, "type"), *accel = qemu_words_get(words, "accel");

    if (type && strcmp(type, "q35") != 0 && strcmp(type, "pc") != 0 &&
        strcmp(type, "microvm") != 0 && !g_str_has_prefix(type, "pc-q35-") &&
        !g_str_has_prefix(type, "pc-i440fx-")) {
        return qemu_refuse(words->what, "there is no such machine; there are q35, pc and microvm, "
                                        "which are all the same here");
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(no_effect); i++) {
        qemu_words_get(words, no_effect[i]);
    }
    if (accel) {
        g_free(q->accel);
        q->accel = g_strdup_printf("%s (accel=%s)", words->what, accel);
        char **all = g_strsplit(accel, ":", -1);
        q->accel_tcg |= g_strv_contains((const char *const *)all, "tcg");
        g_strfreev(all);
    }
    return qemu_words_end(words);
}

bool qemu_read_accel(struct qemu *q, struct qemu_words *words)
{
    const char *accel = qemu_words_get(words, "accel");

    qemu_words_get(words, "thread");
    qemu_words_get(words, "tb-size");
    qemu_words_get(words, "split-wx");
    qemu_words_get(words, "one-insn-per-tb");
    g_free(q->accel);
    q->accel = g_strdup(words->what);
    q->accel_tcg |= accel && strcmp(accel, "tcg") == 0;
    return qemu_words_end(words);
}
