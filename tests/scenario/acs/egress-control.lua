-- Egress Control keeps two peers apart
-- PCIe Base 6.0, 6.12.3 and 7.7.11.3
machine [[
[root-port rp0]
[switch sw0]
at=rp0
downstream=2
[exerciser ex0]
at=sw0.0
[exerciser ex1]
at=sw0.1
]]
report_errors("rp0", "sw0", "sw0.0", "sw0.1", "ex0", "ex1")
set_bits("sw0.0", "acs.control", 1 << 5)
cfg_write("sw0.0", "egress_control_vector", 0xffffffff)
local result = dma {dev = "ex0", op = "read", addr = bar("ex1", 4), len = 4}
expect(result ~= "ok", "a read from the peer does not succeed")
expect_eq(dma {dev = "ex0", addr = alloc(4096), data = "up"}, "ok", "a write to memory")
