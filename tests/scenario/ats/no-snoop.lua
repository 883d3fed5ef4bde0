-- A translation says whether requests by it may have No Snoop; those for it are relaxed
-- PCIe Base 6.0, 10.2.3.2 and 10.5.1.2; VT-d 4.0, 9.8
machine [[
[iommu iommu0]
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local SNP = 0x800
local unit = iommu()
local memory = alloc(8192)
unit:map("ex0", 0x10000000, memory, 4096)
unit:map("ex0", 0x10001000, memory + 4096 | SNP, 4096)
unit:ats("ex0")
unit:flush()
local requests, writes = {}, {}
on("ex0", "MRd", function(tlp) requests[#requests + 1] = tlp.relaxed end, {at = "from"})
on("ex0", "MWr", function(tlp) writes[#writes + 1] = tlp.no_snoop end, {at = "from"})
for page = 0, 1 do
    dma {dev = "ex0", addr = 0x10000000 + 4096 * page, data = "x",
         attr = ATTR.ATS | ATTR.NO_SNOOP | ATTR.RELAXED}
end
wait(us(5))
expect_eq(#writes, 2, "writes")
expect(requests[1], "the Translation Request has Relaxed Ordering")
expect(writes[1], "the first write has No Snoop")
expect(not writes[2], "the second has not")
