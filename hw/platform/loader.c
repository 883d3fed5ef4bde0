/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From files to a machine about to run its first instruction: what a boot loader and firmware
 * leave in memory and in the first processor's registers (Linux 6.12,
 * Documentation/arch/x86/boot.rst "64-bit boot protocol", zero-page.rst).
 */
#include <assert.h>
#include <string.h>

#include "apei.h"
#include "board.h"
#include "kernel.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/platform/enumerate.h"
#include "pcilab/sim/rng.h"

/* Conventional memory while the kernel starts. CHOICE. */
#define ZERO_PAGE    0x10000u
#define PAGE_TABLES  0x11000u /* PML4, PDPT and four page directories */
#define GDT          0x17000u
#define COMMAND_LINE 0x18000u
#define SETUP_DATA   0x19000u
#define PAGE         0x1000u
#define IDENTITY_GIB 4u

/* boot_params beyond the setup header. */
#define BP_ACPI_RSDP     0x070
#define BP_E820_COUNT    0x1e8
#define BP_E820_TABLE    0x2d0
#define BP_E820_MAX      128
#define LOADER_UNDEFINED 0xff
#define SETUP_RNG_SEED   9
#define RNG_SEED_BYTES   32

enum { E820_RAM = 1, E820_RESERVED = 2, E820_ACPI = 3 };

#define PTE_TABLE 0x03ULL /* present, writable */
#define PTE_LARGE 0x83ULL /* and a large page */

#define BOOT_CS 0x10
#define BOOT_DS 0x18

static uint8_t *low(struct machine *machine, uint64_t gpa, uint64_t len)
{
    uint8_t *p = ram_ptr(&machine->ram, gpa, len);

    assert(p);
    return p;
}

static void e820_add(uint8_t *zero_page, uint64_t start, uint64_t end, uint32_t type)
{
    unsigned n = zero_page[BP_E820_COUNT];
    uint8_t *entry = zero_page + BP_E820_TABLE + n * 20;

    if (start >= end)
        return;
    assert(n < BP_E820_MAX);
    le64_store(entry, start);
    le64_store(entry + 8, end - start);
    le32_store(entry + 16, type);
    zero_page[BP_E820_COUNT] = (uint8_t)(n + 1);
}

static void fill_e820(struct machine *machine, uint8_t *zero_page)
{
    const struct ram *ram = &machine->ram;

    e820_add(zero_page, 0, MAP_LOW_RAM_END, E820_RAM);
    e820_add(zero_page, MAP_ACPI_BASE, MAP_ACPI_DATA_BASE + MAP_ACPI_DATA_SIZE, E820_ACPI);
    e820_add(zero_page, MAP_ANCHOR_BASE, MAP_ANCHOR_BASE + MAP_ANCHOR_SIZE, E820_RESERVED);
    e820_add(zero_page, MAP_HIGH_RAM_BASE, ram->free_end, E820_RAM);
    e820_add(zero_page, ram->free_end, ram->low_end, E820_RESERVED);
    if (machine->bridge_count && machine->bridge[0].map.ecam_base == MAP_ECAM_BASE)
        e820_add(zero_page, MAP_ECAM_BASE, MAP_ECAM_BASE + MAP_ECAM_SIZE, E820_RESERVED);
    e820_add(zero_page, MAP_RAM_ABOVE_4G, ram->high_end, E820_RAM);
}

static GBytes *read_file(const char *path, const char *what, GError **error)
{
    GError *cause = NULL;
    GMappedFile *map = g_mapped_file_new(path, FALSE, &cause);

    if (!map) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE, "cannot read the %s: %s", what,
                    cause->message);
        g_error_free(cause);
        return NULL;
    }
    GBytes *bytes = g_mapped_file_get_bytes(map);
    g_mapped_file_unref(map);
    return bytes;
}

/* As high as it may be below 4 GiB, so that it is far from the kernel. */
static bool place_initrd(struct machine *machine, const struct kernel *kernel, const char *path,
                         uint8_t *zero_page, GError **error)
{
    GBytes *file = read_file(path, "initrd", error);
    if (!file)
        return false;
    gsize len;
    const void *bytes = g_bytes_get_data(file, &len);
    uint64_t top = MIN(machine->ram.free_end, (uint64_t)kernel->initrd_max + 1);
    bool fits = len <= top && align_down(top - len, PAGE) >= align_up(kernel->end, PAGE);

    if (!fits) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_MEMORY,
                    "the initrd %s of %" G_GSIZE_FORMAT
                    " MiB does not fit above the kernel in %u MiB of memory; give the machine more "
                    "with --memory",
                    path, len >> 20, (unsigned)(machine->ram.low_end >> 20));
    } else if (len) {
        uint64_t addr = align_down(top - len, PAGE);

        memcpy(low(machine, addr, len), bytes, len);
        le32_store(zero_page + HDR_RAMDISK_IMAGE, (uint32_t)addr);
        le32_store(zero_page + HDR_RAMDISK_SIZE, (uint32_t)len);
    }
    g_bytes_unref(file);
    return fits;
}

static bool place_cmdline(struct machine *machine, const struct kernel *kernel, const char *cmdline,
                          uint8_t *zero_page, GError **error)
{
    size_t len = strlen(cmdline);

    if (len > kernel->cmdline_max) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                    "the command line has %zu characters; this kernel takes %u", len,
                    kernel->cmdline_max);
        return false;
    }
    memcpy(low(machine, COMMAND_LINE, PAGE), cmdline, len + 1);
    le32_store(zero_page + HDR_CMD_LINE_PTR, COMMAND_LINE);
    return true;
}

/* struct setup_data: next, type, length, data. */
static void place_rng_seed(struct machine *machine, uint8_t *zero_page)
{
    uint8_t *data = low(machine, SETUP_DATA, PAGE);
    struct sim_rng rng;

    sim_rng_init(&rng, machine->seed, "setup-rng-seed");
    le64_store(data, 0);
    le32_store(data + 8, SETUP_RNG_SEED);
    le32_store(data + 12, RNG_SEED_BYTES);
    sim_rng_fill(&rng, data + 16, RNG_SEED_BYTES);
    le64_store(zero_page + HDR_SETUP_DATA, SETUP_DATA);
}

static void place_page_tables(struct machine *machine)
{
    uint8_t *tables = low(machine, PAGE_TABLES, (2 + IDENTITY_GIB) * PAGE);
    uint64_t pdpt = PAGE_TABLES + PAGE, directories = PAGE_TABLES + 2 * PAGE;

    memset(tables, 0, 2 * PAGE);
    le64_store(tables, pdpt | PTE_TABLE);
    for (unsigned i = 0; i < IDENTITY_GIB; i++)
        le64_store(tables + PAGE + i * 8, (directories + i * PAGE) | PTE_TABLE);
    for (unsigned i = 0; i < IDENTITY_GIB * 512; i++)
        le64_store(tables + 2 * PAGE + i * 8, (uint64_t)i << 21 | PTE_LARGE);
}

static void place_gdt(struct machine *machine)
{
    uint8_t *gdt = low(machine, GDT, PAGE);

    le64_store(gdt + 0, 0);
    le64_store(gdt + 8, 0);
    le64_store(gdt + BOOT_CS, 0x00af9b000000ffff);
    le64_store(gdt + BOOT_DS, 0x00cf93000000ffff);
}

static void enter(struct machine *machine, const struct kernel *kernel)
{
    struct cpu *cpu = cpu_group_get(machine->cpus, 0);
    struct cpu_seg data = {.selector = BOOT_DS, .attr = 0xc93, .limit = 0xffffffff};
    struct cpu_state state;

    cpu_get_state(cpu, &state);
    memset(state.gpr, 0, sizeof(state.gpr));
    state.gpr[CPU_RSI] = ZERO_PAGE;
    state.rip = kernel->entry;
    state.rflags = 2;
    for (unsigned i = CPU_ES; i <= CPU_GS; i++)
        state.seg[i] = data;
    state.seg[CPU_CS] = (struct cpu_seg){.selector = BOOT_CS, .attr = 0xa9b, .limit = 0xffffffff};
    state.seg[CPU_LDTR] = (struct cpu_seg){.attr = 0x82};
    state.seg[CPU_TR] = (struct cpu_seg){.attr = 0x8b, .limit = 0x67};
    state.gdt_base = GDT;
    state.gdt_limit = BOOT_DS + 7;
    state.idt_base = state.idt_limit = 0;
    state.cr0 = 0x80000031; /* PG, NE, ET, PE */
    state.cr3 = PAGE_TABLES;
    state.cr4 = 0x20;   /* PAE */
    state.efer = 0x500; /* LMA, LME */
    cpu_set_state(cpu, &state);
}

/* The processors wait for it. */
static bool assign(struct machine *machine, GError **error)
{
    if (!machine_enumerate(machine, error)) {
        g_prefix_error(error, "firmware-assigns: ");
        return false;
    }
    for (unsigned i = 0; i < machine->cpu_count; i++)
        machine->slot[i].local_ps = machine->sim.now_ps;
    return true;
}

static bool load(struct machine *machine, const struct machine_boot *boot, GBytes *file,
                 GError **error)
{
    struct kernel kernel;
    uint8_t *zero_page = low(machine, ZERO_PAGE, PAGE);

    if (!kernel_load(&kernel, &machine->ram, file, boot->enter_bzimage, error)) {
        g_prefix_error(error, "%s: ", boot->kernel_path);
        return false;
    }
    memset(zero_page, 0, PAGE);
    memcpy(zero_page + HDR_SETUP_SECTS, kernel.header + HDR_SETUP_SECTS,
           kernel.header_end - HDR_SETUP_SECTS);
    zero_page[HDR_TYPE_OF_LOADER] = LOADER_UNDEFINED;
    fill_e820(machine, zero_page);
    if (!place_cmdline(machine, &kernel, boot->cmdline ? boot->cmdline : "", zero_page, error))
        return false;
    if (boot->initrd_path && !place_initrd(machine, &kernel, boot->initrd_path, zero_page, error))
        return false;
    if (machine->firmware_assigns && !assign(machine, error))
        return false;
    place_rng_seed(machine, zero_page);
    place_page_tables(machine);
    place_gdt(machine);
    apei_boot(machine);
    le64_store(zero_page + BP_ACPI_RSDP, firmware_install(machine));
    /* Whatever the processors knew of the code that was here is void. */
    for (unsigned i = 0; i < machine->ram.piece_count; i++)
        cpu_group_ram_written(machine->cpus, machine->ram.piece[i].gpa, machine->ram.piece[i].size);
    enter(machine, &kernel);
    return true;
}

bool machine_load(struct machine *machine, const struct machine_boot *boot, GError **error)
{
    GBytes *file = read_file(boot->kernel_path, "kernel", error);
    if (!file)
        return false;
    bool ok = load(machine, boot, file, error);
    g_bytes_unref(file);
    return ok;
}
