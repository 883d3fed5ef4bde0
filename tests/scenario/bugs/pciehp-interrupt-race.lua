-- pciehp went deaf when a slot had another event while the interrupt handler cleared the first
-- Linux 8edf5332c393 "PCI: pciehp: Fix MSI interrupt race"; PCIe Base 6.0, 6.7.3.4
machine "hotplug"
local EVENTS = SLOT.BUTTON | SLOT.PRESENCE_CHANGED | SLOT.LINK_CHANGED | SLOT.COMPLETED
local seen, meanwhile, handled = 0, nil, 0
-- pciehp_isr(): the fixed one reads again until nothing is left.
local function pciehp_isr()
    handled = handled + 1
    repeat
        local events = cfg_read("rp1", "slot.status") & EVENTS
        if events == 0 then
            return
        end
        if meanwhile then
            meanwhile()
            meanwhile = nil
        end
        cfg_write("rp1", "slot.status", events)
        seen = seen | events
    until broken()
end
cfg_write("rp1", "slot.status", EVENTS)
cfg_write("rp1", "msi_message_address", 0xfee00000)
set_bits("rp1", "msi_message_control", 1)
set_bits("rp1", "command", CONTROL.MASTER)
on("rp1", "MSI", pciehp_isr, {at = "from"})
set_bits("rp1", "slot.control", 1 | 1 << 3 | 1 << 5 | 1 << 12)
wait(ms(10))
cfg_write("rp1", "slot.status", EVENTS)
seen = 0

meanwhile = function() hand("unplug", "nvme1") end
hand("press", "nvme1")
wait(ms(5))
expect(seen & SLOT.BUTTON ~= 0, "the button is seen")
expect(seen & SLOT.PRESENCE_CHANGED ~= 0, "so is that the device has gone meanwhile")
seen = 0
hand("press", "nvme1")
wait(ms(5))
expect(seen & SLOT.BUTTON ~= 0, "and the next time somebody presses the button")
