-- A Bus Master Enable that flips by itself stops a device's DMA, and nothing else
-- PCIe Base 6.0, 7.5.1.1.3
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
flip("ex0", "command", CONTROL.MASTER)
expect_eq(dma {dev = "ex0", addr = alloc(4096), data = "no"}, "no-master", "the DMA")
expect_eq(mmio_read(bar("ex0", 0), 4), 0x58454c50, "a load")
flip("ex0", "command", CONTROL.MASTER)
expect_eq(dma {dev = "ex0", addr = alloc(4096), data = "yes"}, "ok", "the DMA after it flipped back")
