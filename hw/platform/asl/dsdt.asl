/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every machine has: the serial port, processors, sleep. Host bridges have a table each, see
 * bridge.asl. Numbers that differ by machine are read from a data region that firmware.c fills.
 */
#include "numbers.h"

DefinitionBlock ("", "DSDT", 2, "PCILAB", "BOARD", 1)
{
    /* ACPI 6.5, 7.4.2.5: the value goes to the sleep control register. */
    Name (\_S5, Package () { 5, 0, 0, 0 })

    Scope (\_SB)
    {
        OperationRegion (BORD, SystemMemory, DATA_BASE, DATA_BOARD_SIZE)
        Field (BORD, DWordAcc, NoLock, Preserve)
        {
            NCPU, 32
        }

        Device (COM1)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 1)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, UART_PORT, UART_PORT, 0, 8)
                Interrupt (ResourceConsumer, Level, ActiveHigh, Exclusive) { UART_GSI }
            })
        }

        /* Without an interrupt: alarms are not modelled. */
        Device (RTC0)
        {
            Name (_HID, EisaId ("PNP0B00"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, RTC_PORT, RTC_PORT, 0, 2)
            })
        }

        /* The sleep registers belong to nobody else. */
        Device (SLPR)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_UID, 0)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, SLEEP_PORT, SLEEP_PORT, 0, 2)
            })
        }

#define PROCESSOR(n)                                                                               \
        Device (CPU##n)                                                                            \
        {                                                                                          \
            Name (_HID, "ACPI0007")                                                                \
            Name (_UID, n)                                                                         \
            Method (_STA, 0, NotSerialized)                                                        \
            {                                                                                      \
                If (n < NCPU) { Return (0x0F) }                                                    \
                Return (0)                                                                         \
            }                                                                                      \
        }
        PROCESSOR (0)
        PROCESSOR (1)
        PROCESSOR (2)
        PROCESSOR (3)
        PROCESSOR (4)
        PROCESSOR (5)
        PROCESSOR (6)
        PROCESSOR (7)

/* The swizzle of a host bridge: line (device + pin) % 4, lines in a row from the first GSI. */
#define ROUTE(dev, pin, gsi) Package () { (dev << 16) | 0xFFFF, pin, 0, gsi + ((dev + pin) & 3) }
#define DEVICE(dev, gsi)                                                                           \
        ROUTE (dev, 0, gsi), ROUTE (dev, 1, gsi), ROUTE (dev, 2, gsi), ROUTE (dev, 3, gsi)
#define EIGHT(dev, gsi)                                                                            \
        DEVICE (dev, gsi), DEVICE (dev + 1, gsi), DEVICE (dev + 2, gsi), DEVICE (dev + 3, gsi),    \
        DEVICE (dev + 4, gsi), DEVICE (dev + 5, gsi), DEVICE (dev + 6, gsi), DEVICE (dev + 7, gsi)
#define ROUTES(gsi)                                                                                \
        Package () { EIGHT (0, gsi), EIGHT (8, gsi), EIGHT (16, gsi), EIGHT (24, gsi) }
        Name (PRTA, ROUTES (INTX_GSI_EVEN))
        Name (PRTB, ROUTES (INTX_GSI_ODD))
    }
}
