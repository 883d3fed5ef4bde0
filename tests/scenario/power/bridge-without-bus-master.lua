-- A port without Bus Master Enable forwards no memory requests upwards
-- PCIe Base 6.0, 7.5.1.1.3
machine [[
[root-port rp0]
[switch sw0]
at=rp0
downstream=1
[exerciser ex0]
at=sw0.0
]]
report_errors("rp0", "sw0", "sw0.0", "ex0")
clear_bits("sw0.0", "command", CONTROL.MASTER)
local above = count("sw0", "MRd", {at = "from"})
expect_eq(dma {dev = "ex0", op = "read", addr = alloc(4096), len = 4}, "UR", "the DMA")
expect_eq(above:hits(), 0, "reads above the port")
