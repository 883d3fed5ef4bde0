-- A Page Request with nobody to take it is an unsupported request
-- PCIe Base 6.0, 10.4.1
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
dma {dev = "ex0", op = "emit", pattern = 11, addr = 0x10000000, step = 0x201}
wait(us(10))
expect_bits("rp0", "aer.uncorrectable", UNCOR.UNSUPPORTED)
