-- PASIDs of nobody reach nothing, whatever is mapped
-- VT-d 4.0, 7.1.3; PCIe Base 6.0, 6.20
machine [[
[iommu iommu0]
invalidation-timeout=100
[root-port rp0]
[exerciser ex0]
at=rp0
misbehave=forges-pasids
]]
local FSTS, IQERCD, ICE, ITE = 0xfed90034, 0xfed900b0, 0x20, 0x40
local unit = iommu()
local memory = alloc(4096)
unit:map("ex0", 0x10000000, memory, 4096)
unit:ats("ex0")
unit:flush()
local result = dma {dev = "ex0", op = "read", addr = 0x10000000, len = 64}
expect_eq(result, "UR", "a read")
local fault = unit:fault()
expect(fault, "a fault is recorded")
expect_eq(fault.source, rid("ex0"), "its source")
result = dma {dev = "ex0", op = "read", addr = 0x10000000, len = 64, attr = ATTR.ATS}
expect_eq(result, "UR", "a translation")
dma {dev = "ex0", addr = 0x10000000, data = "no"}
wait(us(5))
expect_eq(host:read32(memory), 0, "memory")
