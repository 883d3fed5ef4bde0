-- A function without Bus Master Enable sends no memory requests
-- PCIe Base 6.0, 7.5.1.1.3
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
clear_bits("ex0", "command", CONTROL.MASTER)
local sent = count("ex0", "MWr", {at = "from"})
expect_eq(dma {dev = "ex0", addr = alloc(4096), data = "no"}, "no-master", "the DMA")
expect_eq(sent:hits(), 0, "writes")
set_bits("ex0", "command", CONTROL.MASTER)
expect_eq(dma {dev = "ex0", addr = alloc(4096), data = "yes"}, "ok", "the next DMA")
