-- Poisoned data that a device reads are not used, and told as an advisory error or a non-fatal one
-- PCIe Base 6.0, 2.7.2.2 and 6.2.3.2.4.3
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
report_advisory("ex0")
inject {at = "rp0", kind = "CplD", action = "poison", count = 1}
expect_eq(dma {dev = "ex0", op = "read", addr = alloc(4096), len = 4}, "poisoned", "the DMA")
expect_bits("ex0", "aer.uncorrectable", UNCOR.POISONED)
expect_bits("ex0", "device.status", STATUS.COR)
