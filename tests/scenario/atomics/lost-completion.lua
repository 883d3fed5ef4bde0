-- An AtomicOp whose completion is lost has happened: who repeats it adds twice
-- PCIe Base 6.0, 2.8 and 6.15
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
set_bits("ex0", "device_control_2", 1 << 6)
local buffer = alloc(4096)
inject {at = "rp0", kind = "CplD", action = "drop", count = 1,
        match = function(tlp) return tlp.requester == bdf("ex0") end}
expect_eq(dma {dev = "ex0", op = "fetch_add", addr = buffer, len = 4, operand = 1}, "timeout",
          "the first")
expect_eq(dma {dev = "ex0", op = "fetch_add", addr = buffer, len = 4, operand = 1}, "ok",
          "the second")
expect_eq(host:read32(buffer), 2, "the counter")
