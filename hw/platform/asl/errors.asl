/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware's errors: the error device, the interrupt that tells of them, and the methods of
 * root ports (their devices are in a table of their own, see apei_aml.c). Registers: apei.h.
 */
#include "numbers.h"

DefinitionBlock ("", "SSDT", 2, "PCILAB", "ERRORS", 1)
{
    External (\_SB.EDRN, MethodObj)

    Scope (\_SB)
    {
        OperationRegion (ERRO, SystemMemory, APEI_BASE, 0x20)
        Field (ERRO, DWordAcc, NoLock, Preserve)
        {
            EVNT, 32,
            EPRT, 32,
            ETAK, 32,
            EENA, 32,
            ESEL, 32,
            ELOC, 32,
            OPRT, 32,
            OSTA, 32
        }

        /* Error device: notified of records in the blocks that HEST names (ACPI 6.5, 18.4). */
        Device (HED0)
        {
            Name (_HID, EisaId ("PNP0C33"))
            Name (_UID, 0)
        }

        Device (GED0)
        {
            Name (_HID, "ACPI0013")
            Name (_UID, 0)
            Name (_CRS, ResourceTemplate ()
            {
                Interrupt (ResourceConsumer, Level, ActiveHigh, Exclusive) { APEI_GSI }
            })
            Method (_EVT, 1, Serialized)
            {
                Local0 = EVNT
                EVNT = Local0
                If (Local0 & 1) { Notify (HED0, 0x80) }
                If (Local0 & 2)
                {
                    Local1 = EPRT
                    While (Local1 < 0x80000000)
                    {
                        ETAK = Local1
                        EDRN (Local1)
                        Local1 = EPRT
                    }
                }
            }
        }

        /* PCI Firmware 3.3, 4.6: functions 0Ch (DPC enable) and 0Dh (locate) of a root port. */
        Method (EDSM, 5, Serialized)
        {
            If (Arg0 != ToUUID ("e5c937d0-3553-4d7a-9117-ea4d19c3434d"))
            {
                Return (Buffer () { 0 })
            }
            If (Arg2 == 0)
            {
                If (Arg1 >= 6) { Return (Buffer () { 0x01, 0x30 }) }
                If (Arg1 == 5) { Return (Buffer () { 0x01, 0x20 }) }
                Return (Buffer () { 0 })
            }
            If (Arg2 == 0x0C)
            {
                Local0 = DerefOf (Arg3 [0])
                EENA = Arg4 | ((Local0 & 1) << 16)
                Return (Local0 & 1)
            }
            If (Arg2 == 0x0D)
            {
                ESEL = Arg4
                Return (ELOC)
            }
            Return (Buffer () { 0 })
        }

        /* ACPI 6.5, 6.3.5 */
        Method (EOST, 3, Serialized)
        {
            If (Arg0 == 0x0F)
            {
                OPRT = Arg2
                OSTA = Arg1
            }
        }

        /* ACPI 6.5, 6.2.9.3: all kinds of errors are reported; the rest is left as it is. */
        Name (EHPX, Package ()
        {
            Package (18)
            {
                2, 1,
                0xFFFFFFFF, 0, 0xFFFFFFFF, 0,
                0xFFFFFFFF, 0, 0xFFFFFFFF, 0,
                0xFFFF, 0x000F, 0xFFFF, 0,
                0xFFFFFFFF, 0, 0xFFFFFFFF, 0
            }
        })

        /* ACPI 6.5, 6.2.12.2 and 18.5: APEI, Generic Event Device, _OST of what is plugged in. */
        Method (_OSC, 4, Serialized)
        {
            CreateDWordField (Arg3, 0, CDW1)
            If (Arg0 == ToUUID ("0811b06e-4a27-44f9-8d60-3cbbc22e7b48"))
            {
                CreateDWordField (Arg3, 4, CDW2)
                Local0 = CDW2 & 0x0818
                If (CDW2 != Local0) { CDW1 |= 0x10 }
                CDW2 = Local0
                Return (Arg3)
            }
            If (Arg0 != ToUUID ("ed855e0c-6c90-47bf-a62a-26de0fc5ad5c"))
            {
                CDW1 |= 0x04
            }
            Return (Arg3)
        }
    }
}
