-- The VT-d driver told a device that had gone to forget translations, and the queue stood still
-- Linux 42662d19839f "iommu/vt-d: Skip dev-iotlb flush for inaccessible PCIe device without scalable mode"; VT-d 4.1, 6.5.2.10
machine [[
[iommu iommu0]
[root-port rp0]
hotplug=surprise
[exerciser ex0]
at=rp0
]]
local unit, memory = iommu(), alloc(4096)
unit:map("ex0", 0x10000000, memory, 4096)
unit:ats("ex0")
unit:flush()
expect_eq(dma {dev = "ex0", addr = 0x10000000, data = "x", attr = ATTR.ATS}, "ok", "a DMA")
hand("unplug", "ex0")
wait(us(10))
-- qi_flush_dev_iotlb() when the domain goes: the fixed driver asks for the Vendor ID first.
unit:unmap("ex0", 0x10000000, 4096)
local there = cfg_read("ex0", "vendor_id") ~= 0xffff
if broken() or there then
    unit:flush_device("ex0", ms(1))
end
expect(unit:flush(), "an invalidation for all others is answered within a millisecond")
expect_eq(host:read32(unit.at + 0x34) & 1 << 6, 0, "Invalidation Time-out Error")
