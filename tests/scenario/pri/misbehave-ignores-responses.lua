-- A device that hears no responses waits for ever; a reset of the interface ends it
-- PCIe Base 6.0, 10.4.2 and 10.5.2
machine [[
[iommu iommu0]
[root-port rp0]
[exerciser ex0]
at=rp0
misbehave=ignores-responses
]]
local unit = iommu()
unit:map("ex0", 0x10000000, alloc(4096), 4096)
unit:ats("ex0")
unit:flush()
cfg_write("ex0", "page_request_allocation", 8)
cfg_write("ex0", "page_request_control", 1)
local answers = count("ex0", "PageResponse", {at = "to"})
dma {dev = "ex0", op = "read", addr = 0x20000000, len = 4, attr = ATTR.ATS | ATTR.PRI, wait = false}
wait(us(20))
expect_eq(answers:hits(), 1, "responses that came")
expect_eq(ex_read("ex0", 0x1020, 4) & 3, 1, "status of the channel: busy")
cfg_write("ex0", "page_request_control", 0)
wait(us(5))
expect_clear("ex0", "page_request_status", 0x100)
cfg_write("ex0", "page_request_control", 2)
wait(us(5))
expect_bits("ex0", "page_request_status", 0x100)
expect_eq(dma_wait("ex0"), "denied", "the DMA then")
