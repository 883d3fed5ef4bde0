-- The second copy of a completion is unexpected; the first did its work
-- PCIe Base 6.0, 2.3.2
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
report_advisory("ex0")
inject {at = "rp0", kind = "CplD", action = "duplicate", count = 1}
local buffer = alloc(4096)
host:write(buffer, "once")
local result, data = dma {dev = "ex0", op = "read", addr = buffer, len = 4}
expect_eq(result, "ok", "the DMA")
expect_eq(data, "once", "its data")
expect_bits("ex0", "aer.uncorrectable", UNCOR.UNEXPECTED)
expect_clear("ex0", "aer.uncorrectable", UNCOR.TIMEOUT)
