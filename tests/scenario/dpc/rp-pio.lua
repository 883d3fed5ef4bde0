-- RP PIO: each request that fails is recorded in its bit, masked or told as Mask and Severity say
-- PCIe Base 6.0, 6.2.11.3 and 7.9.14.6 to 7.9.14.11
machine {topology = [[
[root-port rp0]
dpc=yes
[exerciser ex0]
at=rp0
]]}
local ALL, NO_POINTER = 0x00070707, 0x1f
report_errors("rp0")
local address, port = bar("ex0", 4), bar("ex0", 1)
set_bits("rp0", "aer.uncorrectable_mask", UNCOR.TIMEOUT) -- which would contain by itself
local function pointer() return reg("rp0", "dpc_status") >> 8 & 0x1f end
local spaces = {
    {bit = 0, kind = "CplD", make = function() cfg_read("ex0", 0, 4) end, header = 0x04},
    {bit = 8, kind = "CplD", make = function() io_read(port, 4) end, header = 0x02},
    {bit = 16, kind = "CplD", make = function() mmio_read(address, 4) end, header = 0x20},
}
local failures = {UR = 0, CA = 1, drop = 2}
local function restore()
    cfg_write("rp0", "dpc_status", 1)
    expect_soon(function() return link("ex0"):status().up end, "the link is back", s(1))
    cfg_write("ex0", 0x20, address & 0xffffffff, 4)
    cfg_write("ex0", 0x24, address >> 32, 4)
    cfg_write("ex0", 0x14, port, 4)
    set_bits("ex0", "command", CONTROL.MEMORY | 1)
end
local function fail(space, action)
    cfg_write("rp0", "rp_pio_status", ALL)
    cfg_write("rp0", "aer.root_status", -1)
    expect_eq(pointer(), NO_POINTER, "the pointer at the beginning")
    local rule = inject {at = "ex0", kind = space.kind, action = action, count = 1}
    space.make()
    rule:remove()
    wait(us(10))
end
cfg_write("rp0", "dpc_control", 1 | 4 | 16)
for _, space in ipairs(spaces) do
    for action, offset in pairs(failures) do
        local bit, text = space.bit + offset, action .. " of bit " .. space.bit .. ": "
        cfg_write("rp0", "rp_pio_mask", ALL)
        cfg_write("rp0", "rp_pio_severity", ALL)
        fail(space, action)
        expect_reg("rp0", "rp_pio_status", 1 << bit)
        expect_eq(pointer(), NO_POINTER, text .. "masked: the pointer")
        expect(link("ex0"):status().up, text .. "masked: no containment")

        cfg_write("rp0", "rp_pio_mask", ALL & ~(1 << bit))
        cfg_write("rp0", "rp_pio_severity", 0)
        fail(space, action)
        expect_reg("rp0", "rp_pio_status", 1 << bit)
        expect_eq(pointer(), bit, text .. "advisory: the pointer")
        expect_bits("rp0", "aer.root_status", ROOT.COR)
        expect(link("ex0"):status().up, text .. "advisory: no containment")

        cfg_write("rp0", "rp_pio_severity", 1 << bit)
        fail(space, action)
        expect_reg("rp0", "rp_pio_status", 1 << bit)
        expect_eq(pointer(), bit, text .. "uncorrectable: the pointer")
        expect_eq(reg("rp0", "dpc_status") & 0x67, 0x7, text .. "uncorrectable: the reason")
        expect(not link("ex0"):status().up, text .. "uncorrectable: containment")
        local header = reg("rp0", "rp_pio_header_log_0") >> 24
        expect_eq(header, space.header, text .. "the header's format and type")
        restore()
    end
end
