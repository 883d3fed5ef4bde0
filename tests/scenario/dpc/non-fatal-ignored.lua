-- A port that is to contain fatal errors only lets the other kind pass
-- PCIe Base 6.0, 6.2.11
machine [[
[root-port rp0]
dpc=yes
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
cfg_write("rp0", "dpc_control", 1)
inject {at = "rp0", kind = "CplD", action = "drop", count = 1,
        match = function(tlp) return tlp.requester == bdf("ex0") end}
expect_eq(dma {dev = "ex0", op = "read", addr = alloc(4096), len = 4}, "timeout", "the DMA")
wait(us(10))
expect_clear("rp0", "dpc_status", 1)
expect(link("ex0"):status().up, "the link is up")
expect_bits("rp0", "aer.root_status", ROOT.NONFATAL_RECEIVED)
