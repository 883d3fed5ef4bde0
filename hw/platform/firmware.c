/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables (ACPI 6.5, chapter 5): hardware-reduced, so that no legacy device needs a model and
 * nothing is missing that a table promises. MCFG is the PCI Firmware Specification's (3.3, 4.1.2).
 *
 * Numbers of this machine reach the AML through a data region, laid out as asl/bridge.asl reads it.
 */
#include <assert.h>
#include <string.h>

#include "aml.h"
#include "apei.h"
#include "asl/numbers.h"
#include "board.h"
#include "firmware.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

_Static_assert(DATA_BASE == MAP_ACPI_DATA_BASE, "data region");
_Static_assert(DATA_BOARD_SIZE + DATA_BRIDGE_SIZE * MAP_BRIDGES_MAX <= MAP_ACPI_DATA_SIZE, "room");
_Static_assert(UART_PORT == MAP_UART_PORT && UART_GSI == MAP_UART_GSI, "serial port");
_Static_assert(SLEEP_PORT == MAP_SLEEP_PORT, "sleep registers");
_Static_assert(RTC_PORT == MAP_RTC_PORT, "real-time clock");
_Static_assert(BOARD_CRYSTAL_HZ == CPU_CRYSTAL_HZ, "CPUID 0x15 tells what the APIC timer counts");
_Static_assert(CFG_ADDRESS_PORT == MAP_CFG_ADDRESS_PORT, "configuration mechanism #1");
_Static_assert(INTX_GSI_EVEN == MAP_INTX_GSI_EVEN && INTX_GSI_ODD == MAP_INTX_GSI_ODD, "INTx");
_Static_assert(APEI_BASE == MAP_APEI_BASE && APEI_GSI == MAP_APEI_GSI, "errors");

#define SDT_HEADER   36
#define SDT_LENGTH   4
#define SDT_CHECKSUM 9
#define OEM_ID       "PCILAB"
#define CREATOR_ID   "PCLB"
#define RSDP_BYTES   36
#define FADT_BYTES   276

/* Generic Address Structure, 5.2.3.2: space 1 is system I/O, access size 1 a byte. */
#define GAS_IO   1
#define GAS_BYTE 1

/* FADT, table 5.9. */
enum {
    FADT_DSDT = 40,
    FADT_PROFILE = 45,
    FADT_LVL2_LATENCY = 96,
    FADT_LVL3_LATENCY = 98,
    FADT_CENTURY = 108,
    FADT_BOOT_ARCH = 109,
    FADT_FLAGS = 112,
    FADT_RESET_REG = 116,
    FADT_RESET_VALUE = 128,
    FADT_MINOR = 131,
    FADT_X_DSDT = 140,
    FADT_SLEEP_CONTROL = 244,
    FADT_SLEEP_STATUS = 256,
};

#define PROFILE_ENTERPRISE_SERVER 4
#define BOOT_ARCH_NO_VGA          0x04
#define FLAG_WBINVD               BIT(0)
#define FLAG_PROC_C1              BIT(2)
#define FLAG_PWR_BUTTON           BIT(4) /* no fixed-hardware button */
#define FLAG_SLP_BUTTON           BIT(5)
#define FLAG_RESET_REG            BIT(10)
#define FLAG_HW_REDUCED           BIT(20)

#define SDT_MAX (10 + MAP_BRIDGES_MAX)

/* Control that _OSC grants (PCI Firmware 3.3, table 4-5): hot plug, SHPC, PME, capability
 * structure, LTR; AER and Downstream Port Containment unless the firmware keeps them. */
#define OSC_GRANTED 0x37u
#define OSC_ERRORS  0x88u

struct builder {
    struct machine *machine;
    uint64_t next; /* free space */
    uint64_t sdt[SDT_MAX];
    unsigned sdt_count;
};

static uint8_t *claim(struct builder *b, uint64_t len, uint64_t *gpa)
{
    *gpa = align_up(b->next, 16);
    b->next = *gpa + len;
    assert(b->next <= MAP_ACPI_DATA_BASE && "ACPI tables fit");
    uint8_t *p = ram_ptr(&b->machine->ram, *gpa, len);
    memset(p, 0, len);
    return p;
}

static void finish(uint8_t *table)
{
    table[SDT_CHECKSUM] = 0;
    table[SDT_CHECKSUM] = (uint8_t)-firmware_sum(table, le32_load(table + SDT_LENGTH));
}

/* A table with its header (5.2.6), zero behind it. */
static uint8_t *begin(struct builder *b, const char *signature, uint8_t revision, uint32_t len,
                      uint64_t *gpa)
{
    uint8_t *t = claim(b, len, gpa);

    memcpy(t, signature, 4);
    le32_store(t + SDT_LENGTH, len);
    t[8] = revision;
    memcpy(t + 10, OEM_ID, 6);
    memcpy(t + 16, "BOARD   ", 8);
    le32_store(t + 24, 1);
    memcpy(t + 28, CREATOR_ID, 4);
    le32_store(t + 32, 1);
    return t;
}

static void list(struct builder *b, uint64_t gpa)
{
    assert(b->sdt_count < SDT_MAX);
    b->sdt[b->sdt_count++] = gpa;
}

static uint64_t add_aml(struct builder *b, const unsigned char *aml, unsigned len)
{
    uint64_t gpa;

    memcpy(claim(b, len, &gpa), aml, len);
    return gpa;
}

static void put_gas_io(uint8_t *gas, uint16_t port)
{
    gas[0] = GAS_IO;
    gas[1] = 8; /* bits wide */
    gas[2] = 0;
    gas[3] = GAS_BYTE;
    le64_store(gas + 4, port);
}

static void add_fadt(struct builder *b, uint64_t dsdt)
{
    uint64_t gpa;
    uint8_t *t = begin(b, "FACP", 6, FADT_BYTES, &gpa);

    le32_store(t + FADT_DSDT, (uint32_t)dsdt);
    le64_store(t + FADT_X_DSDT, dsdt);
    t[FADT_PROFILE] = PROFILE_ENTERPRISE_SERVER;
    le16_store(t + FADT_LVL2_LATENCY, 0xffff); /* no C2, no C3 */
    le16_store(t + FADT_LVL3_LATENCY, 0xffff);
    t[FADT_CENTURY] = RTC_CENTURY;
    le16_store(t + FADT_BOOT_ARCH, BOOT_ARCH_NO_VGA);
    le32_store(t + FADT_FLAGS, (uint32_t)(FLAG_WBINVD | FLAG_PROC_C1 | FLAG_PWR_BUTTON |
                                          FLAG_SLP_BUTTON | FLAG_RESET_REG | FLAG_HW_REDUCED));
    put_gas_io(t + FADT_RESET_REG, MAP_RESET_PORT);
    t[FADT_RESET_VALUE] = PM_RESET_VALUE;
    t[FADT_MINOR] = 5;
    put_gas_io(t + FADT_SLEEP_CONTROL, MAP_SLEEP_PORT);
    put_gas_io(t + FADT_SLEEP_STATUS, MAP_SLEEP_PORT + 1);
    finish(t);
    list(b, gpa);
}

/* 5.2.12: local APICs (type 0) and the I/O APIC (type 1). No 8259: PCAT_COMPAT stays clear. */
static void add_madt(struct builder *b)
{
    unsigned cpus = b->machine->cpu_count;
    uint64_t gpa;
    uint8_t *t = begin(b, "APIC", 5, SDT_HEADER + 8 + cpus * 8 + 12, &gpa);

    le32_store(t + SDT_HEADER, (uint32_t)MAP_LAPIC_BASE);
    uint8_t *p = t + SDT_HEADER + 8;
    for (unsigned i = 0; i < cpus; i++, p += 8) {
        p[1] = 8;          /* length; type is 0 */
        p[2] = (uint8_t)i; /* processor _UID */
        p[3] = (uint8_t)i; /* APIC ID */
        le32_store(p + 4, 1);
    }
    p[0] = 1;
    p[1] = 12;
    le32_store(p + 4, (uint32_t)MAP_IOAPIC_BASE);
    finish(t);
    list(b, gpa);
}

static void add_mcfg(struct builder *b)
{
    unsigned n = b->machine->bridge_count;
    uint64_t gpa;
    uint8_t *t = begin(b, "MCFG", 1, SDT_HEADER + 8 + n * 16, &gpa);

    for (unsigned i = 0; i < n; i++) {
        const struct map_bridge *map = &b->machine->bridge[i].map;
        uint8_t *p = t + SDT_HEADER + 8 + i * 16;

        le64_store(p, map->ecam_base);
        le16_store(p + 8, map->segment);
        p[10] = map->bus_first;
        p[11] = map->bus_last;
    }
    finish(t);
    list(b, gpa);
}

static void add_dmar(struct builder *b)
{
    GByteArray *body = g_byte_array_new();
    uint64_t gpa;

    if (board_iommu_describe(b->machine, body)) {
        uint8_t *t = begin(b, "DMAR", 1, SDT_HEADER + body->len, &gpa);

        memcpy(t + SDT_HEADER, body->data, body->len);
        finish(t);
        list(b, gpa);
    }
    g_byte_array_unref(body);
}

static void add_viot(struct builder *b)
{
    GByteArray *body = g_byte_array_new();
    uint64_t gpa;

    if (board_viommu_describe(b->machine, body)) {
        uint8_t *t = begin(b, "VIOT", 0, SDT_HEADER + body->len, &gpa);

        memcpy(t + SDT_HEADER, body->data, body->len);
        finish(t);
        list(b, gpa);
    }
    g_byte_array_unref(body);
}

/* A table of which somebody else makes what is behind the header. */
static void add_body(struct builder *b, const char *signature, uint8_t revision,
                     void (*make)(const struct apei *apei, GByteArray *body))
{
    GByteArray *body = g_byte_array_new();
    uint64_t gpa;

    make(b->machine->apei, body);
    uint8_t *t = begin(b, signature, revision, SDT_HEADER + body->len, &gpa);
    memcpy(t + SDT_HEADER, body->data, body->len);
    finish(t);
    list(b, gpa);
    g_byte_array_unref(body);
}

static void add_errors(struct builder *b)
{
    if (!b->machine->apei)
        return;
    list(b, add_aml(b, aml_errors, aml_errors_len));
    add_body(b, "SSDT", 2, apei_ports_aml);
    add_body(b, "HEST", 1, apei_hest);
    add_body(b, "BERT", 1, apei_bert);
    add_body(b, "EINJ", 1, apei_einj);
}

static void add_bridges(struct builder *b)
{
    static const struct {
        const unsigned char *aml;
        const unsigned *len;
    } tables[MAP_BRIDGES_MAX] = {
        {aml_bridge0, &aml_bridge0_len}, {aml_bridge1, &aml_bridge1_len},
        {aml_bridge2, &aml_bridge2_len}, {aml_bridge3, &aml_bridge3_len},
        {aml_bridge4, &aml_bridge4_len}, {aml_bridge5, &aml_bridge5_len},
        {aml_bridge6, &aml_bridge6_len}, {aml_bridge7, &aml_bridge7_len},
    };

    for (unsigned i = 0; i < b->machine->bridge_count; i++)
        list(b, add_aml(b, tables[i].aml, *tables[i].len));
}

/* Field INFO of asl/bridge.asl. */
static void fill_bridge_data(uint8_t *p, const struct board_bridge *bridge)
{
    const struct map_bridge *map = &bridge->map;
    unsigned buses = map->bus_last - map->bus_first + 1u;

    le32_store(p, map->segment);
    le32_store(p + 4, map->bus_first);
    le32_store(p + 8, map->bus_last);
    le32_store(p + 12, map->intx_gsi);
    le64_store(p + 16, map->ecam_base + ((uint64_t)map->bus_first << 20));
    le64_store(p + 24, (uint64_t)buses << 20);
    le64_store(p + 32, map->mem32_base);
    le64_store(p + 40, map->mem32_size);
    le64_store(p + 48, map->mem64_base);
    le64_store(p + 56, map->mem64_size);
    le32_store(p + 64, map->io_base);
    le32_store(p + 68, map->io_size);
    /* ACPI 6.5, 19.6.110: _MEM of an address space descriptor is 3 for prefetchable memory. */
    le32_store(p + 72, map->mem64_all ? 0 : 3);
    le32_store(p + 76, bridge->firmware_first ? OSC_GRANTED : OSC_GRANTED | OSC_ERRORS);
}

static void fill_data(struct machine *machine)
{
    uint8_t *data = ram_ptr(&machine->ram, MAP_ACPI_DATA_BASE, MAP_ACPI_DATA_SIZE);

    memset(data, 0, MAP_ACPI_DATA_SIZE);
    le32_store(data, machine->cpu_count);
    for (unsigned i = 0; i < machine->bridge_count; i++)
        fill_bridge_data(data + DATA_BOARD_SIZE + i * DATA_BRIDGE_SIZE, &machine->bridge[i]);
}

static uint64_t add_xsdt(struct builder *b)
{
    uint64_t gpa;
    uint8_t *t = begin(b, "XSDT", 1, SDT_HEADER + b->sdt_count * 8, &gpa);

    for (unsigned i = 0; i < b->sdt_count; i++)
        le64_store(t + SDT_HEADER + i * 8, b->sdt[i]);
    finish(t);
    return gpa;
}

/* 5.2.5.3 */
static void put_rsdp(struct machine *machine, uint64_t xsdt)
{
    uint8_t *p = ram_ptr(&machine->ram, MAP_ANCHOR_BASE, RSDP_BYTES);

    memset(p, 0, RSDP_BYTES);
    memcpy(p, "RSD PTR ", 8);
    memcpy(p + 9, OEM_ID, 6);
    p[15] = 2;
    le32_store(p + 20, RSDP_BYTES);
    le64_store(p + 24, xsdt);
    p[8] = (uint8_t)-firmware_sum(p, 20);
    p[32] = (uint8_t)-firmware_sum(p, RSDP_BYTES);
}

/*
 * What stands at the reset vector asks for a reset. Linux without EFI restarts a hardware-reduced
 * machine by jumping there (arch/x86/kernel/reboot.c, reboot_init() and BOOT_BIOS).
 */
static void put_reset_vector(struct machine *machine)
{
    static const uint8_t code[] = {
        0xb0,
        PM_RESET_VALUE, /* mov al, 6 */
        0xba,
        MAP_RESET_PORT & 0xff,
        MAP_RESET_PORT >> 8, /* mov dx, 0xcf9 */
        0xee,                /* out dx, al */
        0xf4,                /* hlt */
        0xeb,
        0xfd, /* jmp to the hlt */
    };

    memcpy(ram_ptr(&machine->ram, MAP_RESET_VECTOR, sizeof(code)), code, sizeof(code));
}

uint64_t firmware_install(struct machine *machine)
{
    struct builder b = {.machine = machine, .next = MAP_ACPI_BASE};

    fill_data(machine);
    put_reset_vector(machine);
    add_fadt(&b, add_aml(&b, aml_dsdt, aml_dsdt_len));
    add_madt(&b);
    add_mcfg(&b);
    add_dmar(&b);
    add_viot(&b);
    add_bridges(&b);
    add_errors(&b);
    put_rsdp(machine, add_xsdt(&b));
    smbios_install(machine, MAP_ANCHOR_BASE + 0x40, MAP_RESET_VECTOR - MAP_ANCHOR_BASE - 0x40);
    return MAP_ANCHOR_BASE;
}
