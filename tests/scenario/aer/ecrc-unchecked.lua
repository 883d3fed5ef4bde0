-- A digest that nobody checks is ignored
-- PCIe Base 6.0, 2.7.1
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
inject {at = "rp0", kind = "CplD", action = "corrupt-ecrc", count = 1}
local buffer = alloc(4096)
host:write(buffer, "data")
local result, data = dma {dev = "ex0", op = "read", addr = buffer, len = 4}
expect_eq(result, "ok", "the DMA")
expect_eq(data, "data", "its data")
expect_clear("ex0", "aer.uncorrectable", UNCOR.ECRC)
