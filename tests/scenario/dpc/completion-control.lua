-- DPC Completion Control chooses what loads get meanwhile: Completer Abort or Unsupported Request
-- PCIe Base 6.0, 2.9.3 and 7.9.14.3
machine {topology = [[
[root-port rp0]
dpc=yes
[exerciser ex0]
at=rp0
]]}
local address = bar("ex0", 0)
for control, want in pairs {[0x41] = "CA", [0x45] = "UR"} do
    cfg_write("rp0", "dpc_control", control)
    local _, status = mmio_read(address, 4)
    expect_eq(status, want, "a load with control " .. control)
    wait(ms(1))
    cfg_write("rp0", "dpc_status", 0x1)
    wait(ms(200))
    expect_eq(cfg_read("ex0", 0, 2), 0x504c, "the function is back")
end
