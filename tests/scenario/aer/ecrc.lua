-- A digest that does not fit is found by the receiver that checks it, and the data are not used
-- PCIe Base 6.0, 2.7.1 and 6.2.3.2
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
set_bits("ex0", "aer.control", 1 << 8)
inject {at = "rp0", kind = "CplD", action = "corrupt-ecrc", count = 1}
local buffer = alloc(4096)
host:write(buffer, "data")
local result = dma {dev = "ex0", op = "read", addr = buffer, len = 4}
expect(result ~= "ok", "the DMA does not succeed")
expect_bits("ex0", "aer.uncorrectable", UNCOR.ECRC)
