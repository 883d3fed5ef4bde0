-- A page that may only be read is not written
-- VT-d 4.0, 3.7 and 7.1.3
machine [[
[iommu iommu0]
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local unit = iommu()
local memory = alloc(4096)
host:write(memory, "fixed")
unit:map("ex0", 0x10000000, memory, 4096, "r")
local result, data = dma {dev = "ex0", op = "read", addr = 0x10000000, len = 5}
expect_eq(data, "fixed", "what a read gets")
dma {dev = "ex0", addr = 0x10000000, data = "other"}
wait(us(5))
expect_eq(host:read(memory, 5), "fixed", "memory")
expect_eq(unit:fault().reason, 5, "no write permission")
