-- And across two root ports through the root complex
-- PCIe Base 6.0, 1.3.1
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
[root-port rp1]
[exerciser ex1]
at=rp1
]]
local target = bar("ex1", 4)
expect_eq(dma {dev = "ex0", addr = target, data = "across"}, "ok", "the write")
expect_eq(mmio_read(target, 16):sub(1, 6), "across", "the peer's memory")
local result, data = dma {dev = "ex0", op = "read", addr = target, len = 6}
expect_eq(result, "ok", "the read")
expect_eq(data, "across", "what it read")
