-- A TLP in another device's name is translated by that device's tables: what ACS is for
-- VT-d 4.0, 3.4.1; PCIe Base 6.0, 6.12.1.1
machine [[
[iommu iommu0]
[root-port rp0]
[exerciser ex0]
at=rp0
[root-port rp1]
[exerciser ex1]
at=rp1
]]
report_errors("rp0", "ex0")
local unit = iommu()
local before = 0x7a7a7a7a
local mine, theirs = alloc(4096), alloc(4096)
unit:map("ex0", 0x10000000, mine, 4096)
host:write32(theirs, before)
unit:map("ex1", 0x10000000, theirs, 4096)
dma {dev = "ex0", op = "emit", pattern = 8, addr = 0x10000000, step = rid("ex1")}
wait(us(5))
expect(host:read32(theirs) ~= before, "the other device's memory was written")
set_bits("rp0", "acs.control", 1)
host:write32(theirs, before)
dma {dev = "ex0", op = "emit", pattern = 8, addr = 0x10000000, step = rid("ex1")}
wait(us(5))
expect_eq(host:read32(theirs), before, "with Source Validation")
expect_bits("rp0", "aer.uncorrectable", UNCOR.ACS)
