-- A device that keeps a translation gets there until it may have none
-- PCIe Base 6.0, 10.3; VT-d 4.0, 4.2.4 and 9.3
machine [[
[iommu iommu0]
invalidation-timeout=100
[root-port rp0]
[exerciser ex0]
at=rp0
misbehave=keeps-stale
]]
local FSTS, IQERCD, ICE, ITE = 0xfed90034, 0xfed900b0, 0x20, 0x40
local unit = iommu()
local memory = alloc(4096)
unit:map("ex0", 0x10000000, memory, 4096)
unit:ats("ex0")
unit:flush()
dma {dev = "ex0", addr = 0x10000000, data = "before", attr = ATTR.ATS}
unit:unmap("ex0", 0x10000000, 4096)
unit:flush()
expect(unit:flush_device("ex0"), "it says that it has given the translation up")
local result = dma {dev = "ex0", addr = 0x10000000, data = "behind", attr = ATTR.ATS}
expect_eq(result, "ok", "the next DMA")
wait(us(5))
expect_eq(host:read(memory, 6), "behind", "memory")
expect_eq(unit:fault(), nil, "faults: translated requests are trusted")
-- Its context entry without a device TLB.
unit:set_context("ex0", 0)
unit:flush()
dma {dev = "ex0", addr = 0x10000000, data = "blocks", attr = ATTR.ATS}
wait(us(5))
expect_eq(host:read(memory, 6), "behind", "memory from then on")
local fault = unit:fault()
expect(fault, "a fault is recorded")
expect_eq(fault.reason, 0x0d, "its reason")
expect_eq(fault.source, rid("ex0"), "its source")
