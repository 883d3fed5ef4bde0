-- Writes by a translation that is being given up arrive before the answer
-- PCIe Base 6.0, 10.3.2 and 2.4.1
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
dma {dev = "ex0", addr = 0x10000000, data = "first", attr = ATTR.ATS}
inject {at = "ex0", kind = "MWr", action = "delay", delay = us(50)}
dma {dev = "ex0", addr = 0x10000000, data = "late!", attr = ATTR.ATS, wait = false}
unit:unmap("ex0", 0x10000000, 4096)
unit:flush()
expect(unit:flush_device("ex0"), "the device answers")
expect_eq(host:read(memory, 5), "late!", "memory when the invalidation is over")
