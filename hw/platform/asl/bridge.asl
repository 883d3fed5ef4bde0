/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host bridge INDEX, called PCI<INDEX>, and the motherboard resource that claims its ECAM (PCI
 * Firmware 3.3, 4.1.2). Compiled once for each bridge that a machine may have; a machine gets the
 * tables of those that it has. The numbers come from the data region, see firmware.c.
 */
#include "numbers.h"

#define PASTE(a, b) a##b
#define NAME(a, b) PASTE (a, b)

DefinitionBlock ("", "SSDT", 2, "PCILAB", BRIDGE_TABLE, 1)
{
    External (\_SB.PRTA, PkgObj)
    External (\_SB.PRTB, PkgObj)

    Scope (\_SB)
    {
        Device (NAME (PCI, INDEX))
        {
            OperationRegion (INFO, SystemMemory, DATA_BASE + DATA_BOARD_SIZE + DATA_BRIDGE_SIZE * INDEX, DATA_BRIDGE_SIZE)
            Field (INFO, DWordAcc, NoLock, Preserve)
            {
                SEGM, 32,
                BUSF, 32,
                BUSL, 32,
                INTX, 32,
                ECAB, 64,
                ECAS, 64,
                M32B, 64,
                M32S, 64,
                M64B, 64,
                M64S, 64,
                IOBA, 32,
                IOSZ, 32,
                M64P, 32,
                GRNT, 32
            }

            Name (_HID, EisaId ("PNP0A08"))
            Name (_CID, EisaId ("PNP0A03"))
            Name (_UID, INDEX)
            Method (_SEG, 0, NotSerialized) { Return (SEGM) }
            Method (_BBN, 0, NotSerialized) { Return (BUSF) }

            Method (_CRS, 0, Serialized)
            {
                Name (RBUF, ResourceTemplate ()
                {
                    WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                        0, 0, 0, 0, 1,,, BUSN)
#if INDEX == 0
                    IO (Decode16, CFG_ADDRESS_PORT, CFG_ADDRESS_PORT, 0, 8)
#endif
                    DWordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                        0, 0, 0, 0, 1,,, IOWN)
                    DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable,
                        ReadWrite, 0, 0, 0, 0, 1,,, LOWN)
                    QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Prefetchable,
                        ReadWrite, 0, 0, 0, 0, 1,,, HIWN)
                })
                CreateWordField (RBUF, BUSN._MIN, BMIN)
                CreateWordField (RBUF, BUSN._MAX, BMAX)
                CreateWordField (RBUF, BUSN._LEN, BLEN)
                CreateDWordField (RBUF, IOWN._MIN, IMIN)
                CreateDWordField (RBUF, IOWN._MAX, IMAX)
                CreateDWordField (RBUF, IOWN._LEN, ILEN)
                CreateDWordField (RBUF, LOWN._MIN, LMIN)
                CreateDWordField (RBUF, LOWN._MAX, LMAX)
                CreateDWordField (RBUF, LOWN._LEN, LLEN)
                CreateQWordField (RBUF, HIWN._MIN, HMIN)
                CreateQWordField (RBUF, HIWN._MAX, HMAX)
                CreateQWordField (RBUF, HIWN._LEN, HLEN)
                CreateField (RBUF, HIWN._MEM, 2, HTYP)
                BMIN = BUSF
                BMAX = BUSL
                BLEN = BUSL - BUSF + 1
                IMIN = IOBA
                IMAX = IOBA + IOSZ - 1
                ILEN = IOSZ
                LMIN = M32B
                LMAX = M32B + M32S - 1
                LLEN = M32S
                HMIN = M64B
                HMAX = M64B + M64S - 1
                HLEN = M64S
                HTYP = M64P
                Return (RBUF)
            }

            Method (_PRT, 0, NotSerialized)
            {
                If (INTX == INTX_GSI_ODD) { Return (\_SB.PRTB) }
                Return (\_SB.PRTA)
            }

            /*
             * PCI Firmware 3.3, 4.5.1: what the operating system gets when it asks is in GRNT: of
             * native hot plug, SHPC, PME, AER, capability structure, LTR and Downstream Port
             * Containment.
             */
            Method (_OSC, 4, Serialized)
            {
                CreateDWordField (Arg3, 0, CDW1)
                If (Arg0 != ToUUID ("33db4d5b-1ff7-401c-9657-7441c03dd766"))
                {
                    CDW1 |= 0x04
                    Return (Arg3)
                }
                CreateDWordField (Arg3, 8, CDW3)
                Local0 = CDW3 & GRNT
                If (Arg1 != 1)
                {
                    CDW1 |= 0x08
                }
                If (CDW3 != Local0)
                {
                    CDW1 |= 0x10
                }
                CDW3 = Local0
                Return (Arg3)
            }
        }

        Device (NAME (ECA, INDEX))
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_UID, INDEX + 1)
            Method (_CRS, 0, Serialized)
            {
                Name (RBUF, ResourceTemplate ()
                {
                    QWordMemory (ResourceConsumer, PosDecode, MinFixed, MaxFixed, NonCacheable,
                        ReadWrite, 0, 0, 0, 0, 1,,, ECAM)
                })
                CreateQWordField (RBUF, ECAM._MIN, EMIN)
                CreateQWordField (RBUF, ECAM._MAX, EMAX)
                CreateQWordField (RBUF, ECAM._LEN, ELEN)
                EMIN = \_SB.NAME (PCI, INDEX).ECAB
                ELEN = \_SB.NAME (PCI, INDEX).ECAS
                EMAX = EMIN + ELEN - 1
                Return (RBUF)
            }
        }
    }
}
