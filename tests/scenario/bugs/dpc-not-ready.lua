-- After containment the DPC driver restored a device that was not there yet
-- Linux 53b54ad074de "PCI/DPC: Await readiness of secondary bus after reset"; PCIe Base 6.0, 6.6.1
machine {timing = "link", topology = [[
[root-port rp0]
dpc=yes
[exerciser ex0]
at=rp0
]]}
local address = bar("ex0", 4)
local saved = {}
for _, offset in ipairs {0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x04} do
    saved[#saved + 1] = {offset, cfg_read("ex0", offset)}
end
cfg_write("rp0", "dpc_control", 1)
cfg_write("rp0", "dpc_control", 1 | 1 << 6)
expect_soon(function() return reg("rp0", "dpc_status") & 1 << 4 == 0 end, "RP Busy is over", ms(50))
-- dpc_reset_link()
cfg_write("rp0", "dpc_status", 1)
if not broken() then
    expect_soon(function() return reg("rp0", "link.status") & LINK.ACTIVE ~= 0 end, "link up", s(1))
    wait(ms(100))
end
-- pci_restore_state()
for _, pair in ipairs(saved) do
    cfg_write("ex0", pair[1], pair[2])
end
wait(ms(200))
local _, status = mmio_read(address, 4)
expect_eq(status, "SC", "a load of the driver after recovery")
