-- DMA to what is not mapped is blocked and recorded; a read gets UR
-- VT-d 4.0, 7.1.2 and 11.4.14
machine [[
[iommu iommu0]
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local unit = iommu()
unit:map("ex0", 0x10000000, alloc(4096), 4096)
expect_eq(dma {dev = "ex0", op = "read", addr = 0x20000000, len = 4}, "UR", "a read")
local fault = unit:fault()
expect(fault, "a fault is recorded")
expect_eq(fault.source, rid("ex0"), "who asked")
expect_eq(fault.address, 0x20000000, "for what")
expect_eq(fault.reason, 6, "no read permission")
expect_eq(dma {dev = "ex0", addr = 0x20000000, data = "no"}, "ok", "a write, which nobody answers")
wait(us(5))
expect_eq(unit:fault().reason, 5, "no write permission")
