-- pciehp removed a device because containment took its link down, and brought another to life
-- Linux a97396c6eb13 "PCI: pciehp: Ignore Link Down/Up caused by DPC"; PCIe Base 6.0, 6.2.11 and 6.7.3
machine [[
[root-port rp0]
dpc=yes
hotplug=surprise
[exerciser ex0]
at=rp0
]]
local removed = false
local function link_is_up() return cfg_read("rp0", "link.status") & LINK.ACTIVE ~= 0 end
-- dpc_handler(), beside.
local function dpc_handler()
    expect_soon(function() return reg("rp0", "dpc_status") & 1 << 4 == 0 end, "not busy", ms(50))
    cfg_write("rp0", "dpc_status", 1)
    wait(ms(100))
end
-- pciehp_ist(): the fixed one waits for the other, and looks whether the link is back.
local function pciehp_ist()
    local events = cfg_read("rp0", "slot.status") & (SLOT.LINK_CHANGED | SLOT.PRESENCE_CHANGED)
    cfg_write("rp0", "slot.status", events)
    if events & SLOT.LINK_CHANGED == 0 then
        return
    end
    if not broken() and cfg_read("rp0", "dpc_status") & 1 == 1 then
        dpc_handler()
        cfg_write("rp0", "slot.status", SLOT.LINK_CHANGED)
        removed = not link_is_up()
    else
        removed = true
    end
end
cfg_write("rp0", "slot.status", SLOT.LINK_CHANGED | SLOT.PRESENCE_CHANGED)
cfg_write("rp0", "dpc_control", 1)
cfg_write("rp0", "dpc_control", 1 | 1 << 6)
wait(us(10))
pciehp_ist()
expect(not removed, "containment removes nothing")
expect(link_is_up(), "and the link is back")
hand("unplug", "ex0")
wait(us(10))
pciehp_ist()
expect(removed, "who pulls the device out does")
