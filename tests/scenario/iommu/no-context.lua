-- A device without a context entry reaches nothing
-- VT-d 4.0, 7.1.3 and 9.3
machine [[
[iommu iommu0]
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local unit = iommu()
local memory = alloc(4096)
dma {dev = "ex0", addr = memory, data = "no"}
wait(us(5))
expect_eq(host:read32(memory), 0, "memory")
expect_eq(unit:fault().reason, 1, "the root entry is not present")
