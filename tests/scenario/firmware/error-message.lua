-- Firmware first: it finds who sent an error message, keeps a record of it and clears its status
-- PCIe Base 6.0, 6.2.6 and 7.5.3.12; ACPI 6.5, 18.4
machine [[
[host-bridge hb0]
firmware-first=yes
[root-port rp0]
[switch sw0]
at=rp0
downstream=1
[exerciser ex0]
at=sw0.0
]]
clear_bits("ex0", "command", CONTROL.MEMORY)
mmio_write(bar("ex0", 0) + 0x30, 0x1234, 4)
wait(us(10))
expect_bits("ex0", "aer.uncorrectable", UNCOR.UNSUPPORTED)
expect(not firmware:told("uncorrected"), "firmware takes its time")
wait(us(20))
local told = firmware:told("uncorrected")
expect(told, "firmware tells of it")
expect_eq(told.at, "ex0", "whose error")
expect_eq(told.section, "recoverable", "its severity")
expect_reg("ex0", "aer.uncorrectable", 0)
expect_reg("rp0", "aer.root_status", 0)
expect(not firmware:told("corrected"), "nothing else")
