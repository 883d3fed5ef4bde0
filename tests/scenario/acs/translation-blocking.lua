-- Translation Blocking lets no request with a translated address in
-- PCIe Base 6.0, 6.12.1.1
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
set_bits("rp0", "acs.control", 1 << 1)
local buffer = alloc(4096)
dma {dev = "ex0", addr = buffer, data = "translated", attr = ATTR.TRANSLATED}
wait(us(10))
expect_bits("rp0", "aer.uncorrectable", UNCOR.ACS)
expect_eq(host:read32(buffer), 0, "memory")
