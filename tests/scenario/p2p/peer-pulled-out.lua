-- A peer that is pulled out in mid-transfer: what was under way ends, and the rest gets UR
-- PCIe Base 6.0, 2.9.1
machine {timing = "link", topology = [[
[root-port rp0]
[switch sw0]
at=rp0
downstream=2
hotplug=surprise
[exerciser ex0]
at=sw0.0
[exerciser ex1]
at=sw0.1
]]}
dma {dev = "ex0", op = "read", addr = bar("ex1", 4), len = 1 << 16, wait = false}
wait(us(3))
hand("unplug", "ex1")
expect_eq(dma_wait("ex0"), "UR", "the read")
expect_eq(dma {dev = "ex0", addr = alloc(4096), data = "alive"}, "ok", "a write to memory")
