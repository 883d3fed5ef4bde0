-- A completion with the tag of no request is unexpected; its request times out
-- PCIe Base 6.0, 2.3.2
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
report_advisory("ex0")
inject {at = "rp0", kind = "CplD", action = "tag", value = 0x1f, count = 1}
expect_eq(dma {dev = "ex0", op = "read", addr = alloc(4096), len = 4}, "timeout", "the DMA")
expect_bits("ex0", "aer.uncorrectable", UNCOR.UNEXPECTED | UNCOR.TIMEOUT)
expect_rule("no such tag")
