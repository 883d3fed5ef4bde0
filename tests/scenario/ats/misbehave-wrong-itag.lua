-- An answer with another ITag is unexpected, and the right one never comes
-- PCIe Base 6.0, 10.3.2 and 10.3.4; VT-d 4.0, 11.4.9.9
machine [[
[iommu iommu0]
invalidation-timeout=100
[root-port rp0]
[exerciser ex0]
at=rp0
misbehave=wrong-itag
]]
local FSTS, IQERCD, ICE, ITE = 0xfed90034, 0xfed900b0, 0x20, 0x40
local unit = iommu()
local memory = alloc(4096)
unit:map("ex0", 0x10000000, memory, 4096)
unit:ats("ex0")
unit:flush()
expect(not unit:flush_device("ex0", us(50)), "the invalidation is not over")
expect_eq(host:read32(FSTS) & (ICE | ITE), ICE, "the fault status")
wait(us(100))
expect_eq(host:read32(FSTS) & (ICE | ITE), ICE | ITE, "the fault status when time is over")
