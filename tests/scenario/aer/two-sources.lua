-- The root port names the first source and says that there was another
-- PCIe Base 6.0, 7.8.4.10 and 7.8.4.11
machine [[
[root-port rp0]
[switch sw0]
at=rp0
downstream=2
[exerciser ex0]
at=sw0.0
[exerciser ex1]
at=sw0.1
]]
report_errors("rp0", "sw0", "sw0.0", "sw0.1", "ex0", "ex1")
for _, dev in ipairs {"ex0", "ex1"} do
    inject {at = "sw0", to = true, kind = "completion", action = "drop", count = 1,
            match = function(tlp) return tlp.requester == bdf(dev) end}
    expect_eq(dma {dev = dev, op = "read", addr = alloc(4096), len = 4}, "timeout", "the DMA")
end
expect_bits("rp0", "aer.root_status", ROOT.UNCOR | 8)
expect_eq(reg("rp0", "aer.source") >> 16, rid("ex0"), "whom the root port names")
