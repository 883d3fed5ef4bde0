-- A device with ATS asks once and then sends translated addresses
-- PCIe Base 6.0, 10.2 and 10.3
machine [[
[iommu iommu0]
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local unit = iommu()
local memory = alloc(4096)
unit:map("ex0", 0x10000000, memory, 4096)
unit:ats("ex0")
unit:flush()
local translated = count("ex0", "MWr", {at = "from", match = function(tlp) return tlp.at == 2 end})
for i = 1, 4 do
    local result = dma {dev = "ex0", addr = 0x10000000, data = "by ATS", attr = ATTR.ATS}
    expect_eq(result, "ok", "DMA " .. i)
end
wait(us(5))
expect_eq(host:read(memory, 6), "by ATS", "memory")
expect_eq(translated:hits(), 4, "writes with a translated address")
expect_eq(ex_read("ex0", 0xc0, 8), 1, "Translation Requests")
