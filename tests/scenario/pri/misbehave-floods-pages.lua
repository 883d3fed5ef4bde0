-- Who floods Page Requests is refused each of them, and its own answers are unexpected to it
-- PCIe Base 6.0, 10.4.1 and 10.5.2; VT-d 4.0, 7.5
machine [[
[iommu iommu0]
[root-port rp0]
[exerciser ex0]
at=rp0
misbehave=floods-pages
]]
local unit = iommu()
unit:map("ex0", 0x10000000, alloc(4096), 4096)
unit:ats("ex0")
unit:flush()
cfg_write("ex0", "page_request_allocation", 1)
cfg_write("ex0", "page_request_control", 1)
local requests = count("ex0", "PageRequest", {at = "from"})
local answers = count("ex0", "PageResponse", {at = "to"})
local result = dma {dev = "ex0", op = "read", addr = 0x20000000, len = 4, attr = ATTR.ATS | ATTR.PRI}
wait(us(50))
expect_eq(result, "denied", "the DMA")
expect_eq(requests:hits(), 513, "Page Requests")
expect_eq(answers:hits(), 513, "responses")
expect_bits("ex0", "page_request_status", 2)
expect_eq(unit:fault().source, rid("ex0"), "the first fault's source")
