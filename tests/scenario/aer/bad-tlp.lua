-- A TLP that is corrupt on the wire is sent again: a correctable error, and nothing is lost
-- PCIe Base 6.0, 3.6.3.1 and 6.2.3.2.1
machine {timing = "link", topology = [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]}
report_errors("rp0", "ex0")
local buffer = alloc(4096)
inject {at = "ex0", kind = "MWr", action = "corrupt-lcrc", count = 1}
expect_eq(dma {dev = "ex0", addr = buffer, data = ("0123456789abcdef"):rep(64)}, "ok", "the DMA")
wait(us(100))
expect_eq(host:read(buffer, 1024), ("0123456789abcdef"):rep(64), "memory")
expect_bits("rp0", "aer.correctable", COR.BAD_TLP)
expect(link("ex0"):counters("up").replays >= 1, "a replay")
expect_reg("rp0", "aer.uncorrectable", 0)
