-- Links, slots, registers and devices fail by instant, by count of TLPs, by match and by chance
-- PCIe Base 6.0, 3.2.1, 6.6.1, 6.7 and 6.6.2
machine [[
[root-port rp0]
hotplug=yes
[exerciser ex0]
at=rp0
]]
local function active() return reg("rp0", "link.status") & LINK.ACTIVE ~= 0 end
local function powered() return reg("rp0", "slot.control") & SLOT.POWER_OFF == 0 end
local faults = {
    ["link down"] = {make = function() link("ex0"):down() end,
                     seen = function() return not active() end,
                     mend = function() link("ex0"):up() end},
    ["hot reset"] = {make = function() link("ex0"):reset() end,
                     seen = function() return not active() end,
                     mend = function() link("ex0"):release() end},
    ["width"] = {make = function() link("ex0"):degrade {width = 1} link("ex0"):retrain() end,
                 seen = function() return link("ex0"):status().width == 1 end,
                 mend = function() link("ex0"):restore() link("ex0"):retrain() end},
    ["flip"] = {make = function() flip("ex0", "command", CONTROL.MASTER) end,
                seen = function() return reg("ex0", "command") & CONTROL.MASTER == 0 end,
                mend = function() flip("ex0", "command", CONTROL.MASTER) end},
    ["unplugged"] = {make = function() hand("unplug", "ex0") end,
                     seen = function() return reg("rp0", "slot.status") & SLOT.PRESENT == 0 end,
                     mend = function() hand("plug", "ex0") end},
    ["power fault"] = {make = function() hand("power-fault", "rp0") end,
                       seen = function() return reg("rp0", "slot.status") & SLOT.FAULT ~= 0 end,
                       mend = function()
                           set_bits("rp0", "slot.control", SLOT.POWER_OFF)
                           wait(ms(50))
                           clear_bits("rp0", "slot.control", SLOT.POWER_OFF)
                           cfg_write("rp0", "slot.status", 0xffff)
                       end},
}

local function ready()
    expect_soon(active, "the link is up", s(2))
    expect(powered(), "with power")
    set_bits("ex0", "command", CONTROL.MASTER)
end
local function send(i)
    cfg_read("ex0", 4 * i)
    wait(us(1))
end
-- The number of the read after which it is seen, of `most`; nil: never.
local function seen_after(fault, most)
    for i = 1, most do
        send(i % 32)
        if fault.seen() then
            return i
        end
    end
end

for name, fault in pairs(faults) do
    local made = function() spawn(fault.make) end
    ready()
    after(us(10), fault.make)
    wait(us(9))
    expect(not fault.seen(), name .. ": not before its instant")
    wait(us(2))
    expect(fault.seen(), name .. ": at its instant")
    fault.mend()

    ready()
    local rule = on("ex0", "CfgRd0", made, {at = "to", after = 4, count = 1})
    expect_eq(seen_after(fault, 32), 5, name .. ": with the fifth read")
    rule:remove()
    fault.mend()

    ready()
    rule = on("ex0", "CfgRd0", made, {at = "to", count = 1, match = function(tlp)
        return tlp.register == 28
    end})
    expect_eq(seen_after(fault, 32), 7, name .. ": with the read of that register")
    rule:remove()
    fault.mend()

    ready()
    rule = on("ex0", "CfgRd0", made, {at = "to", probability = 0.25, count = 1})
    expect(seen_after(fault, 200), name .. ": with some read, by chance")
    rule:remove()
    fault.mend()
end
