-- A malformed TLP contains the port that receives it, for an error of its own
-- PCIe Base 6.0, 6.2.11
machine [[
[root-port rp0]
dpc=yes
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
cfg_write("rp0", "dpc_control", 1)
dma {dev = "ex0", op = "emit", pattern = 1, addr = alloc(4096), wait = false}
wait(us(10))
expect_bits("rp0", "dpc_status", 1)
expect_eq(reg("rp0", "dpc_status") >> 1 & 3, 0, "Trigger Reason: an unmasked uncorrectable error")
expect_bits("rp0", "aer.uncorrectable", UNCOR.MALFORMED)
