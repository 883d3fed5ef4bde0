-- An answer that comes too late is an error, and unexpected then
-- PCIe Base 6.0, 10.3.4; VT-d 4.0, 6.5.2.10 and 11.4.9.9
machine [[
[iommu iommu0]
invalidation-timeout=100
[root-port rp0]
[exerciser ex0]
at=rp0
misbehave=answers-late:200
]]
local FSTS, IQERCD, ICE, ITE = 0xfed90034, 0xfed900b0, 0x20, 0x40
local unit = iommu()
local memory = alloc(4096)
unit:map("ex0", 0x10000000, memory, 4096)
unit:ats("ex0")
unit:flush()
expect(not unit:flush_device("ex0", us(150)), "the invalidation is not over")
expect_eq(host:read32(FSTS) & (ICE | ITE), ITE, "the fault status at first")
wait(us(100))
expect_eq(host:read32(FSTS) & (ICE | ITE), ICE | ITE, "the fault status when the answer has come")
expect_eq(host:read32(IQERCD + 4) >> 16, rid("ex0"), "whose answer it was")
