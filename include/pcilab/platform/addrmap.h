/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address map: the one place where the platform's addresses are decided (all CHOICE: no
 * document prescribes them beyond the PC's own 0xCF8, 0xFEC00000 and 0xFEE00000).
 *
 *   memory                                    I/O ports
 *   0000_0000  RAM, 640 KiB                   0070-0071  real-time clock
 *   000A_0000  hole                           03F8-03FF  UART
 *   000E_0000  RAM: ACPI tables               0600-0601  sleep control and status
 *   000F_0000  RAM: RSDP and SMBIOS anchors   0CF8-0CFF  configuration mechanism #1, and the
 *   0010_0000  RAM up to 2 GiB at most                   reset register at 0CF9
 *   8000_0000  bridges' 32-bit windows        1000-FFFF  bridges' I/O windows
 *   E000_0000  ECAM of the first segment, 256 MiB
 *   FEC0_0000  IOAPIC
 *   FED8_0000  the firmware's errors, where it has any
 *   FED9_0000  IOMMUs, 4 KiB each
 *   FEE0_0000  local APICs; for devices: interrupt messages
 *   1_0000_0000  the rest of RAM, up to 256 GiB in all
 *   80_0000_0000  ECAM of the other segments, 256 MiB each
 *   100_0000_0000  bridges' 64-bit windows, 1 TiB each
 *
 * Everything else is a hole: reads return all ones, writes vanish.
 *
 * The 32-bit and I/O windows are shared out evenly among the bridges of a machine, unless its
 * description says where they are. If they reach beyond E000_0000, the ECAM of the first segment is
 * at 80_8000_0000 instead.
 */
#ifndef PCILAB_PLATFORM_ADDRMAP_H
#define PCILAB_PLATFORM_ADDRMAP_H

#include <stdbool.h>
#include <stdint.h>

#define MAP_LOW_RAM_END    0x000a0000ULL /* conventional memory */
#define MAP_FIRMWARE_BASE  0x000e0000ULL
#define MAP_ACPI_BASE      0x000e0000ULL
#define MAP_ACPI_SIZE      0x0000f000ULL
#define MAP_ACPI_DATA_BASE 0x000ef000ULL /* data region that the AML reads */
#define MAP_ACPI_DATA_SIZE 0x00001000ULL
#define MAP_ANCHOR_BASE    0x000f0000ULL /* RSDP, SMBIOS: legacy search range */
#define MAP_ANCHOR_SIZE    0x00010000ULL
#define MAP_RESET_VECTOR   0x000ffff0ULL /* F000:FFF0 */
#define MAP_HIGH_RAM_BASE  0x00100000ULL
#define MAP_LOW_RAM_MAX    0x80000000ULL
#define MAP_MMIO32_BASE    0x80000000ULL
#define MAP_MMIO32_END     0xe0000000ULL
#define MAP_ECAM_BASE      0xe0000000ULL
#define MAP_ECAM_SIZE      0x10000000ULL /* of one segment: 256 buses of 1 MiB */
#define MAP_IOAPIC_BASE    0xfec00000ULL
#define MAP_IOAPIC_SIZE    0x00001000ULL
#define MAP_APEI_BASE      0xfed80000ULL
#define MAP_APEI_SIZE      0x00001000ULL
#define MAP_IOMMU_BASE     0xfed90000ULL /* a page of registers for each unit */
#define MAP_IOMMU_SIZE     0x00001000ULL
#define MAP_LAPIC_BASE     0xfee00000ULL
#define MAP_MSI_BASE       0xfee00000ULL
#define MAP_MSI_SIZE       0x00100000ULL
#define MAP_RAM_ABOVE_4G   0x100000000ULL
#define MAP_RAM_MAX_BYTES  (256ULL << 30)
#define MAP_ECAM_HIGH_BASE 0x8000000000ULL
#define MAP_ECAM_HIGH_END  (MAP_ECAM_HIGH_BASE + (MAP_BRIDGES_MAX + 1) * MAP_ECAM_SIZE)
#define MAP_PHYS_END       0x400000000000ULL /* of what processors can address */
#define MAP_MMIO64_BASE    0x10000000000ULL
#define MAP_MMIO64_SIZE    0x10000000000ULL /* of one bridge */

#define MAP_RTC_PORT         0x0070
#define MAP_UART_PORT        0x03f8
#define MAP_UART_GSI         4
#define MAP_APEI_GSI         9
#define MAP_NMI_PORT         0x0061 /* NMI status and control */
#define MAP_SLEEP_PORT       0x0600 /* sleep control; sleep status follows */
#define MAP_CFG_ADDRESS_PORT 0x0cf8
#define MAP_CFG_DATA_PORT    0x0cfc
#define MAP_RESET_PORT       0x0cf9
#define MAP_BRIDGE_IO_BASE   0x1000
#define MAP_BRIDGE_IO_END    0x10000

#define MAP_IOAPIC_RID 0xfff0 /* requester ID of the IOAPIC's interrupts: ff:1e.0 of segment 0 */
#define MAP_HOST_BITS  46     /* all of the map fits */

#define MAP_BRIDGES_MAX   8
#define MAP_IOMMUS_MAX    16
#define MAP_INTX_GSI_EVEN 16 /* IOAPIC pins of the four INTx lines of bridges 0, 2, ... */
#define MAP_INTX_GSI_ODD  20 /* and of bridges 1, 3, ... */

/* What one host bridge got. */
struct map_bridge {
    uint16_t segment;
    uint8_t bus_first, bus_last;
    uint64_t ecam_base; /* of bus 0 of its segment */
    uint64_t mem32_base, mem32_size;
    uint64_t mem64_base, mem64_size;
    bool mem64_all; /* for memory that is not prefetchable as well */
    uint32_t io_base, io_size;
    unsigned intx_gsi; /* of line 0 */
};

#endif
