-- A link that trains again and again: TLPs wait, and none is lost
-- PCIe Base 6.0, 4.2.6.4 (Recovery keeps the Data Link Layer's state) and 7.5.3.8
machine {timing = "link", topology = [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]}
report_errors("rp0", "ex0")
local memory, text = alloc(1 << 16), ("0123456789abcdef"):rep(4096)
local over = false
spawn(function()
    link("ex0"):retrain_loop(50, us(20))
    over = true
end)
expect_eq(dma {dev = "ex0", addr = memory, data = text}, "ok", "a DMA meanwhile")
expect_soon(function() return over end, "the loop is over", ms(10))
wait(ms(1))
expect(host:read(memory, #text) == text, "memory")
expect_bits("rp0", "link.status", LINK.MANAGEMENT)
expect_clear("rp0", "aer.uncorrectable", UNCOR.SURPRISE)
expect_clear("ex0", "aer.uncorrectable", UNCOR.TIMEOUT)
expect(link("ex0"):status().up, "the link is up")
