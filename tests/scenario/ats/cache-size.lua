-- What a small cache has displaced is asked for again, and what the topology took away is gone
-- PCIe Base 6.0, 10.1.1, 10.5.1.2 and 10.5.2.3
machine [[
[iommu iommu0]
[root-port rp0]
[root-port rp1]
[exerciser small]
at=rp0
ats-cache=4
ats-lacks=page-aligned, response-pasid
[exerciser large]
at=rp1
]]
local unit = iommu()
local memory = alloc(8 * 4096)
for _, name in ipairs {"small", "large"} do
    unit:map(name, 0x10000000, memory, 8 * 4096)
    unit:ats(name)
end
unit:flush()
for _, name in ipairs {"small", "large"} do
    for round = 1, 2 do
        for page = 0, 7 do
            dma {dev = name, addr = 0x10000000 + 4096 * page, data = name, attr = ATTR.ATS}
        end
    end
end
expect_eq(ex_read("small", 0xc0, 8), 4, "Translation Requests, of four pages each")
expect_eq(ex_read("large", 0xc0, 8), 2, "the same with room for all")
expect_clear("small", "ats_capability", 0x20)
expect_bits("large", "ats_capability", 0x20)
expect_clear("small", "page_request_status", 0x8000)
expect_bits("large", "page_request_status", 0x8000)
