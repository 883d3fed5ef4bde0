-- A TLP for which there were no credits is lost, and the receiver says so
-- PCIe Base 6.0, 2.6.1.2 and 6.2.3
machine {timing = "link", topology = [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]}
report_errors("rp0", "ex0")
local buffer = alloc(4096)
link("ex0"):fault("overflow-tlp", {dir = "up"})
dma {dev = "ex0", addr = buffer, data = "overflow", wait = false}
wait(ms(1))
expect_bits("rp0", "aer.uncorrectable", UNCOR.OVERFLOW)
