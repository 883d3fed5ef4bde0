-- An invalidation queue that stands still: the wait is over late, and translations last until then
-- VT-d 4.1, 6.5.2: when a descriptor is processed is the hardware's business
machine [[
[iommu iommu0]
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local unit, memory = iommu(), alloc(4096)
unit:map("ex0", 0x10000000, memory, 4096)
unit:flush()
expect_eq(dma {dev = "ex0", addr = 0x10000000, data = "a"}, "ok", "a DMA before")
unit:unmap("ex0", 0x10000000, 4096)
invalidations {stall = ms(3)}
expect(not unit:flush(), "nothing is over after 1 ms")
expect_eq(dma {dev = "ex0", addr = 0x10000000, data = "b"}, "ok", "a DMA by the stale translation")
expect_eq(host:read(memory, 1), "b", "memory")
wait(ms(3))
expect_eq(host:read32(unit.status), unit.done, "the wait is over in the end")
dma {dev = "ex0", addr = 0x10000000, data = "c", wait = false}
wait(us(10))
expect_eq(host:read(memory, 1), "b", "memory, after it")
expect(unit:fault(), "and a fault")
