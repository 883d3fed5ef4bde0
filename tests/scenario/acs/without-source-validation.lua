-- Without it the root complex takes it
-- PCIe Base 6.0, 6.12.1.1
machine [[
[root-port rp0]
[switch sw0]
at=rp0
downstream=2
[exerciser ex0]
at=sw0.0
]]
report_errors("rp0", "sw0", "sw0.0", "ex0")
local seen
on("sw0", "MWr", function(tlp) seen = tlp end, {at = "from"})
dma {dev = "ex0", op = "emit", pattern = 8, addr = alloc(4096), step = 0x1234}
wait(us(10))
expect(seen, "it passes the switch")
expect_eq(seen.requester, "12:06.4", "in whose name it comes")
expect_clear("sw0.0", "aer.uncorrectable", UNCOR.ACS)
