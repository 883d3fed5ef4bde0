-- A TLP that is lost on the wire is missed by its sender's timer and sent again
-- PCIe Base 6.0, 3.6.2.1
machine {timing = "link", topology = [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]}
report_errors("rp0", "ex0")
local buffer = alloc(4096)
link("ex0"):fault("drop-tlp", {dir = "up"})
expect_eq(dma {dev = "ex0", addr = buffer, data = "lost and found"}, "ok", "the DMA")
wait(ms(1))
expect_eq(host:read(buffer, 14), "lost and found", "memory")
expect(link("ex0"):counters("up").replays >= 1, "a replay")
