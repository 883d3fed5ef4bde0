-- A device that never answers: Invalidation Time-out Error, and who it was
-- PCIe Base 6.0, 10.3.4; VT-d 4.0, 6.5.2.11 and 11.4.9.9
machine [[
[iommu iommu0]
invalidation-timeout=100
[root-port rp0]
[exerciser ex0]
at=rp0
misbehave=never-answers
]]
local FSTS, IQERCD, ICE, ITE = 0xfed90034, 0xfed900b0, 0x20, 0x40
local unit = iommu()
local memory = alloc(4096)
unit:map("ex0", 0x10000000, memory, 4096)
unit:ats("ex0")
unit:flush()
expect(not unit:flush_device("ex0"), "the invalidation is not over")
expect_eq(host:read32(FSTS) & (ICE | ITE), ITE, "the fault status")
expect_eq(host:read32(IQERCD + 4) & 0xffff, rid("ex0"), "whose time is over")
expect(not unit:flush(), "the queue stands")
host:write32(FSTS, ITE)
expect(unit:flush(), "software lets it go on")
