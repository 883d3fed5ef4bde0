-- P2P Request Redirect sends what is for a peer up to the root complex
-- PCIe Base 6.0, 6.12.1.1 and 6.12.3
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
dma {dev = "ex0", addr = target, data = "direct"}
expect_eq(above:hits(), 0, "writes above the switch without it")
set_bits("sw0.0", "acs.control", 1 << 2)
dma {dev = "ex0", addr = target, data = "redirect"}
wait(us(1))
expect(above:hits() > 0, "writes above the switch with it")
