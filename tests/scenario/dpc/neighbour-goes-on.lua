-- Containment at one port of a switch leaves the device beside it alone
-- PCIe Base 6.0, 6.2.11
machine {topology = [[
[root-port rp0]
[switch sw0]
at=rp0
downstream=2
dpc=yes
[exerciser ex0]
at=sw0.0
[exerciser ex1]
at=sw0.1
]]}
cfg_write("sw0.0", "dpc_control", 0x41)
expect_soon(function() return link("sw0.0"):status().up == false end, "the link goes down")
local buffer = alloc(4096)
expect_eq(dma {dev = "ex1", addr = buffer, data = "alive"}, "ok", "DMA of the neighbour")
expect_eq(host:read(buffer, 5), "alive", "memory")
local _, status = cfg_read("ex0", 0, 4)
expect_eq(status, "CA", "the device in containment")
