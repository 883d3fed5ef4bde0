-- A completion that comes after the timeout is unexpected, and harms nobody
-- PCIe Base 6.0, 2.8 and 2.3.2
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
report_advisory("ex0")
inject {at = "rp0", kind = "completion", action = "delay", delay = ms(80), count = 1}
local buffer = alloc(4096)
host:write(buffer, "late")
expect_eq(dma {dev = "ex0", op = "read", addr = buffer, len = 4}, "timeout", "the DMA")
expect_clear("ex0", "aer.uncorrectable", UNCOR.UNEXPECTED)
wait(ms(100))
expect_bits("ex0", "aer.correctable", COR.ADVISORY)
expect_bits("ex0", "aer.uncorrectable", UNCOR.UNEXPECTED)
local result, data = dma {dev = "ex0", op = "read", addr = buffer, len = 4}
expect_eq(result, "ok", "the next DMA")
expect_eq(data, "late", "its data")
