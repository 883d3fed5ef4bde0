-- Without credits for writes a device waits; with them again it goes on and loses nothing
-- PCIe Base 6.0, 2.6.1
machine {timing = "link", topology = [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]}
local buffer = alloc(1 << 14)
link("ex0"):leak {dir = "up", flow = "posted", headers = 62}
expect_eq(dma {dev = "ex0", op = "fill", len = 1 << 14, pattern = 5, step = 3}, "ok", "the fill")
expect_eq(dma {dev = "ex0", addr = buffer, len = 1 << 14}, "ok", "the DMA")
wait(ms(1))
expect_eq(host:read32(buffer + (1 << 14) - 4), 5 + 3 * 4095, "the last doubleword")
