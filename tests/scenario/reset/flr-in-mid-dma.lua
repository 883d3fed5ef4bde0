-- A function that is reset while it reads: completions that come later are for nobody, and no error
-- PCIe Base 6.0, 6.6.2
machine {timing = "link", topology = [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]}
report_errors("rp0", "ex0")
local writes = count("ex0", "MRd", {at = "from"})
dma {dev = "ex0", op = "read", addr = alloc(1 << 16), len = 1 << 16, wait = false}
wait(us(2))
set_bits("ex0", "device.control", CONTROL.FLR)
local sent = writes:hits()
expect(sent > 0, "reads were under way")
wait(ms(200))
expect(writes:hits() <= sent + 8, "no more reads after the reset")
expect_clear("ex0", "aer.uncorrectable", UNCOR.TIMEOUT)
