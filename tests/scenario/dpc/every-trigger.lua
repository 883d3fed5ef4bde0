-- Everything that triggers containment, with its reason, source, ERR_COR and interrupt
-- PCIe Base 6.0, 6.2.11, 6.2.11.1 and 7.9.14.4
machine {topology = [[
[root-port rp0]
dpc=yes
[exerciser ex0]
at=rp0
]]}
local FATAL, BOTH, UR, INTERRUPT, ERR_COR, SOFTWARE = 1, 2, 4, 8, 16, 64
local OWN, NONFATAL_BELOW, FATAL_BELOW, BY_SOFTWARE = 0, 1, 2, 3 | 1 << 4
report_errors("rp0", "ex0")
cfg_write("rp0", "aer.root_command", 0) -- no interrupts of AER
cfg_write("rp0", "msi_message_address", 0xfee00000)
cfg_write("rp0", "msi_message_data", 0x41)
set_bits("rp0", "msi_message_control", 1)
set_bits("rp0", "command", CONTROL.MASTER)
local interrupts = count("rp0", "MSI", {at = "from"})
local triggers = {
    ["ERR_FATAL"] = {enable = FATAL, make = function() emit("ex0", {code = 0x33}) end,
                     reason = FATAL_BELOW, source = rid("ex0")},
    ["ERR_FATAL, both"] = {enable = BOTH, make = function() emit("ex0", {code = 0x33}) end,
                           reason = FATAL_BELOW, source = rid("ex0")},
    ["ERR_NONFATAL, both"] = {enable = BOTH, make = function() emit("ex0", {code = 0x31}) end,
                              reason = NONFATAL_BELOW, source = rid("ex0")},
    ["ERR_NONFATAL, fatal only"] = {enable = FATAL, never = true,
                                    make = function() emit("ex0", {code = 0x31}) end},
    ["ERR_COR"] = {enable = BOTH, never = true, make = function() emit("ex0", {code = 0x30}) end},
    ["an error of the port"] = {enable = FATAL, reason = OWN, source = 0, make = function()
        emit("ex0", {code = 0x42}) -- of no message
    end},
    ["the same, masked"] = {enable = FATAL, never = true, mask = UNCOR.UNSUPPORTED,
                            make = function() emit("ex0", {code = 0x42}) end},
    ["software"] = {enable = FATAL, reason = BY_SOFTWARE, source = 0, make = function()
        set_bits("rp0", "dpc_control", SOFTWARE)
    end},
    ["software, not enabled"] = {enable = 0, never = true, make = function()
        set_bits("rp0", "dpc_control", SOFTWARE)
    end},
    ["ERR_FATAL, not enabled"] = {enable = 0, never = true,
                                  make = function() emit("ex0", {code = 0x33}) end},
}
for name, trigger in pairs(triggers) do
    cfg_write("rp0", "aer.uncorrectable_mask", 1 << 26 | (trigger.mask or 0))
    cfg_write("rp0", "dpc_control", trigger.enable | UR | INTERRUPT | ERR_COR)
    cfg_write("rp0", "aer.root_status", -1)
    local before = interrupts:hits()
    trigger.make()
    wait(us(10))
    local status = reg("rp0", "dpc_status")
    if trigger.never then
        expect_eq(status & 9, 0, name .. ": DPC Status")
        expect(link("ex0"):status().up, name .. ": the link stays up")
        expect_eq(interrupts:hits(), before, name .. ": interrupts")
    else
        expect_eq(status & 0x67, 1 | (trigger.reason & 3) << 1 | trigger.reason >> 4 << 5,
                  name .. ": DPC Status")
        expect_eq(status & 8, 8, name .. ": DPC Interrupt Status")
        expect_reg("rp0", "dpc_error_source_id", trigger.source)
        expect(not link("ex0"):status().up, name .. ": the link is down")
        expect_eq(interrupts:hits(), before + 1, name .. ": interrupts")
        expect_bits("rp0", "aer.root_status", ROOT.COR)
        expect_soon(function() return reg("rp0", "dpc_status") & 16 == 0 end, "not busy", ms(10))
        cfg_write("rp0", "dpc_status", 1 | 8)
        expect_soon(function() return link("ex0"):status().up end, "the link is back", s(1))
    end
    cfg_write("rp0", "aer.uncorrectable", -1)
    cfg_write("rp0", "device.status", 0xf)
end
