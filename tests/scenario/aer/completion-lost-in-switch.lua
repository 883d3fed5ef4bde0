-- A completion that a switch sends to nobody's ID is lost with its request
-- PCIe Base 6.0, 2.2.9 and 2.3.2
machine [[
[root-port rp0]
[switch sw0]
at=rp0
downstream=2
[exerciser ex0]
at=sw0.1
]]
report_errors("rp0", "sw0", "sw0.0", "sw0.1", "ex0")
report_advisory("sw0", "sw0.0", "sw0.1")
inject {at = "rp0", kind = "CplD", action = "retarget", value = rid("ex0") + 0x800, count = 1}
expect_eq(dma {dev = "ex0", op = "read", addr = alloc(4096), len = 4}, "timeout", "the DMA")
expect(reg("sw0", "aer.uncorrectable") ~= 0 or reg("sw0.1", "aer.uncorrectable") ~= 0,
       "a port of the switch tells of it")
