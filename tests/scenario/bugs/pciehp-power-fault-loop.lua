-- pciehp never left its interrupt handler upon a power fault, which only power off clears
-- Linux 23584c1ed3e1 "PCI: pciehp: Fix infinite loop in IRQ handler upon power fault"; PCIe Base 6.0, 6.7.1.8
machine "hotplug"
local EVENTS = SLOT.BUTTON | SLOT.FAULT | SLOT.PRESENCE_CHANGED | SLOT.LINK_CHANGED
local known, rounds = false, 0
-- pciehp_isr(): the fixed one does not look at a fault that it knows.
local function pciehp_isr()
    for _ = 1, 100 do
        local events = cfg_read("rp1", "slot.status") & EVENTS
        if known and not broken() then
            events = events & ~SLOT.FAULT
        end
        if events == 0 then
            return
        end
        rounds = rounds + 1
        known = known or events & SLOT.FAULT ~= 0
        cfg_write("rp1", "slot.status", events)
    end
end
cfg_write("rp1", "slot.status", EVENTS)
hand("power-fault", "nvme1")
pciehp_isr()
expect(rounds < 100, "the interrupt handler comes to an end")
expect_bits("rp1", "slot.status", SLOT.FAULT)
set_bits("rp1", "slot.control", SLOT.POWER_OFF)
cfg_write("rp1", "slot.status", SLOT.FAULT)
expect_clear("rp1", "slot.status", SLOT.FAULT)
clear_bits("rp1", "slot.control", SLOT.POWER_OFF)
link("nvme1"):wait_up()
