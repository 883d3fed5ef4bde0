-- A load that gets Unsupported Request contains where RP PIO Mask and Severity say so
-- PCIe Base 6.0, 6.2.11.3
machine {topology = [[
[root-port rp0]
dpc=yes
[exerciser ex0]
at=rp0
]]}
local address = bar("ex0", 4)
cfg_write("rp0", "dpc_control", 0x1)
cfg_write("rp0", "rp_pio_mask", 0x00060707)
cfg_write("rp0", "rp_pio_severity", 0x00010000)
ex_fault("ex0", 1, 1)
mmio_read(address, 4)
expect_soon(function() return reg("rp0", "dpc_status") & 1 == 1 end, "containment")
expect_eq(reg("rp0", "dpc_status") >> 8 & 0x1f, 16, "RP PIO First Error Pointer: Mem UR Cpl")
expect_reg("rp0", "rp_pio_header_log_2", address >> 32)
expect_reg("rp0", "rp_pio_header_log_3", address & 0xffffffff)
