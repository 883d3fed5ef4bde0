-- A translated address from a device whose ATS is off is blocked
-- VT-d 4.0, 4.2.4 and 7.1.3
machine [[
[iommu iommu0]
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local unit = iommu()
local memory = alloc(4096)
unit:map("ex0", 0x10000000, memory, 4096)
dma {dev = "ex0", addr = memory, data = "no", attr = ATTR.TRANSLATED}
wait(us(5))
expect_eq(host:read32(memory), 0, "memory")
expect(unit:fault(), "a fault is recorded")
