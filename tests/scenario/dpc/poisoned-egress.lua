-- A port with Poisoned TLP Egress Blocking lets no poisoned write of a peer out, and contains
-- PCIe Base 6.0, 2.7.2.1
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
local address = bar("ex1", 2)
cfg_write("sw0.1", "dpc_control", 0x21)
clear_bits("sw0.1", "aer.uncorrectable_mask", 1 << 26)
clear_bits("sw0.0", "acs_control", 0xffff)
inject {at = "ex0", kind = "MWr", action = "poison", count = 1}
dma {dev = "ex0", addr = address, data = "poison!!"}
expect_soon(function() return reg("sw0.1", "dpc_status") & 1 == 1 end, "containment")
expect_bits("sw0.1", "aer.uncorrectable", 1 << 26)
