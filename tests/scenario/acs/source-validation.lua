-- A TLP in somebody else's name does not pass a port with ACS Source Validation
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
set_bits("sw0.0", "acs.control", 1)
local buffer = alloc(4096)
dma {dev = "ex0", op = "emit", pattern = 8, addr = buffer, step = 0x1234}
wait(us(10))
expect_bits("sw0.0", "aer.uncorrectable", UNCOR.ACS)
expect_eq(host:read32(buffer), 0, "memory")
