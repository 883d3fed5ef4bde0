-- A device in pass-through sees memory as it is, its neighbour does not
-- VT-d 4.0, 9.3
machine [[
[iommu iommu0]
[root-port rp0]
[exerciser ex0]
at=rp0
[root-port rp1]
[exerciser ex1]
at=rp1
]]
local unit = iommu()
local memory = alloc(4096)
unit:pass("ex0")
unit:map("ex1", 0x10000000, alloc(4096), 4096)
expect_eq(dma {dev = "ex0", addr = memory, data = "direct"}, "ok", "the DMA")
wait(us(5))
expect_eq(host:read(memory, 6), "direct", "memory")
expect_eq(dma {dev = "ex1", op = "read", addr = memory, len = 4}, "UR", "the neighbour's")
