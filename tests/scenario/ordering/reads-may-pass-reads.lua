-- Completions of two reads come in either order, those of one read in theirs
-- PCIe Base 6.0, 2.4.1 (D5)
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local buffer = alloc(8192)
host:write(buffer, ("0123456789abcdef"):rep(256))
host:write(buffer + 4096, "second")
inject {at = "rp0", kind = "completion", count = 1, action = "delay", delay = us(20),
        match = function(tlp) return tlp.requester == bdf("ex0") end}
dma {dev = "ex0", op = "read", addr = buffer, len = 512, channel = 0, wait = false}
dma {dev = "ex0", op = "read", addr = buffer + 4096, len = 6, at = 8192, channel = 1, wait = false}
expect_eq(dma_wait("ex0", 1), "ok", "the second read")
expect(ex_read("ex0", 0x1020) & 1 == 1, "the first one is still under way")
expect_eq(dma_wait("ex0", 0), "ok", "the first read")
expect_eq(mmio_read(bar("ex0", 4), 64), ("0123456789abcdef"):rep(4), "its data")
