-- An unmap without an invalidation leaves a device its old page; the invalidation takes it away
-- VT-d 4.0, 6.5.2 and 6.6
machine [[
[iommu iommu0]
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local unit = iommu()
local memory = alloc(4096)
unit:map("ex0", 0x10000000, memory, 4096)
dma {dev = "ex0", addr = 0x10000000, data = "first"}
unit:unmap("ex0", 0x10000000, 4096)
dma {dev = "ex0", addr = 0x10000000, data = "stale"}
wait(us(5))
expect_eq(host:read(memory, 5), "stale", "memory after a write without an invalidation")
expect(unit:flush(), "the invalidation is over")
dma {dev = "ex0", addr = 0x10000000, data = "third"}
wait(us(5))
expect_eq(host:read(memory, 5), "stale", "memory after a write with one")
expect_eq(unit:fault().reason, 5, "no write permission")
