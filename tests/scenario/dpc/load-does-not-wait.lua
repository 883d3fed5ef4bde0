-- A load that is outstanding when containment begins ends at once, not with a timeout
-- PCIe Base 6.0, 2.9.3
machine {topology = [[
[root-port rp0]
dpc=yes
[exerciser ex0]
at=rp0
]]}
local address = bar("ex0", 0)
hang("ex0")
after(us(10), function() cfg_write("rp0", "dpc_control", 0x45) end)
local begin = now()
local value, status = mmio_read(address, 4)
expect_eq(value, 0xffffffff, "the load")
expect_eq(status, "UR", "its completion")
expect(now() - begin < ms(1), "the completion timeout was not waited for")
expect_reg("rp0", "aer.uncorrectable", 0)
