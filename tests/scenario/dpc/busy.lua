-- DPC RP Busy holds software up; the link trains when Trigger Status is cleared after it
-- PCIe Base 6.0, 6.2.11
machine {timing = "link", topology = [[
[root-port rp0]
dpc=yes
dpc-busy-us=500
[exerciser ex0]
at=rp0
]]}
cfg_write("rp0", "dpc_control", 0x41)
wait(us(400))
expect_bits("rp0", "dpc_status", 0x11)
wait(us(200))
expect_eq(reg("rp0", "dpc_status") & 0x11, 0x1, "busy no more")
cfg_write("rp0", "dpc_status", 0x1)
expect_soon(function() return link("rp0"):status().up end, "the link trains", ms(100))
