-- An unmap is over when the device has given its translation up
-- PCIe Base 6.0, 10.3; VT-d 4.0, 6.5.2.5
machine [[
[iommu iommu0]
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local unit = iommu()
local memory = alloc(4096)
unit:map("ex0", 0x10000000, memory, 4096)
unit:ats("ex0")
unit:flush()
dma {dev = "ex0", addr = 0x10000000, data = "before", attr = ATTR.ATS}
unit:unmap("ex0", 0x10000000, 4096)
unit:flush()
expect(unit:flush_device("ex0"), "the device answers")
expect_eq(ex_read("ex0", 0xd0, 8), 1, "Invalidate Requests")
local result = dma {dev = "ex0", addr = 0x10000000, data = "behind", attr = ATTR.ATS}
expect_eq(result, "denied", "the next DMA")
expect_eq(host:read(memory, 6), "before", "memory")
