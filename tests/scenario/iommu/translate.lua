-- DMA goes where the tables say
-- VT-d 4.0, 3.7 and 9.8
machine [[
[iommu iommu0]
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local unit = iommu()
local memory = alloc(8192)
unit:map("ex0", 0x10000000, memory, 8192)
expect_eq(dma {dev = "ex0", addr = 0x10000ffe, data = "abcdef"}, "ok", "a write across two pages")
expect_eq(host:read(memory + 0xffe, 6), "abcdef", "memory")
local result, data = dma {dev = "ex0", op = "read", addr = 0x10000ffe, len = 6}
expect_eq(result, "ok", "a read")
expect_eq(data, "abcdef", "what it read")
expect(not unit:fault(), "no fault is recorded")
