-- Two devices below a switch reach each other without the root complex
-- PCIe Base 6.0, 1.3.3 and 2.3
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
local above = count("sw0", "MWr", {at = "from"})
local target = bar("ex1", 4)
expect_eq(dma {dev = "ex0", addr = target + 0x100, data = "to a peer"}, "ok", "the DMA")
wait(us(1))
expect_eq(above:hits(), 0, "writes above the switch")
expect_eq(mmio_read(target + 0x100, 16):sub(1, 9), "to a peer", "the peer's memory")
