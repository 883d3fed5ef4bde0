-- A device that answers no invalidation holds the queue up
-- PCIe Base 6.0, 10.3.4; VT-d 4.0, 6.5.2.11
machine [[
[iommu iommu0]
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local unit = iommu()
unit:map("ex0", 0x10000000, alloc(4096), 4096)
unit:ats("ex0")
unit:flush()
dma {dev = "ex0", addr = 0x10000000, data = "x", attr = ATTR.ATS}
ex_write("ex0", 0x70, 1)
expect(not unit:flush_device("ex0", ms(5)), "the invalidation is not over")
