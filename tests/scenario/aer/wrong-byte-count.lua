-- A completion whose Byte Count does not fit its request is not taken
-- PCIe Base 6.0, 2.3.1.1 and 2.3.2
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
report_advisory("ex0")
inject {at = "rp0", kind = "CplD", action = "byte-count", value = 8, count = 1}
expect_eq(dma {dev = "ex0", op = "read", addr = alloc(4096), len = 4}, "timeout", "the DMA")
expect_bits("ex0", "aer.uncorrectable", UNCOR.UNEXPECTED)
expect_rule("unexpected Byte Count")
