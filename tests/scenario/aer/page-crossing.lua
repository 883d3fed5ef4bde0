-- A write across a 4 KiB boundary is malformed
-- PCIe Base 6.0, 2.2.7
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
dma {dev = "ex0", op = "emit", pattern = 2, addr = alloc(8192)}
wait(us(10))
expect_bits("rp0", "aer.uncorrectable", UNCOR.MALFORMED)
