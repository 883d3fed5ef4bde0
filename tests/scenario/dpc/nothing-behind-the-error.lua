-- What the device sent behind the TLP in error does not reach memory
-- PCIe Base 6.0, 2.9.3
machine {timing = "link", topology = [[
[root-port rp0]
dpc=yes
[exerciser ex0]
at=rp0
]]}
report_errors("rp0", "ex0")
cfg_write("rp0", "dpc_control", 0x1)
local buffer = alloc(4096)
emit("ex0", {code = 0x33, routing = 0})
emit("ex0", {address = buffer, data = "late"})
expect_soon(function() return reg("rp0", "dpc_status") & 1 == 1 end, "containment")
wait(ms(1))
expect_eq(host:read(buffer, 4), "\0\0\0\0", "memory")
