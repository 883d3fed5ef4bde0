-- Interrupts of the root complex's own functions can get lost, come twice, late, or out of nothing
-- PCIe Base 6.0, 6.1.4 and 6.2.4.1.2: an event collector and a root port send MSIs
machine [[
[host-bridge hb0]
event-collector=auto
[root-port rp0]
[exerciser ex0]
at=rp0
[exerciser ex1]
at=hb0
]]
local data = {rp0 = 0x41, hb0 = 0x42}
for name, vector in pairs(data) do
    cfg_write(name, "msi_message_address", 0xfee00000)
    cfg_write(name, "msi_message_data", vector)
    set_bits(name, "msi_message_control", 1)
    set_bits(name, "command", CONTROL.MASTER)
    set_bits(name, "aer.root_command", 7)
end
report_errors("hb0", "rp0", "ex0", "ex1")
local function error_of(dev) emit(dev, {code = 0x31}) end -- ERR_NONFATAL
local function clear()
    for name in pairs(data) do
        cfg_write(name, "aer.root_status", -1)
    end
end

local lost = inject {kind = "MSI", action = "drop", requester = "hb0"}
local of_port = count("rp0", "MSI", {at = "from"})
local all = inject {kind = "MSI", action = "observe"}
error_of "ex1"
wait(us(10))
expect_bits("hb0", "aer.root_status", ROOT.NONFATAL_RECEIVED)
expect_eq(lost:hits(), 1, "interrupts of the event collector, lost")
expect_eq(all:hits(), 0, "interrupts that arrive")
lost:remove()
clear()
error_of "ex1"
wait(us(10))
expect_eq(all:hits(), 1, "the collector's next")

all:remove()
clear()
local twice = inject {at = "rp0", kind = "MSI", action = "duplicate", count = 1}
local late = inject {at = "rp0", kind = "MSI", action = "delay", delay = us(30), after = 1, count = 1}
error_of "ex0"
wait(us(10))
expect_bits("rp0", "aer.root_status", ROOT.NONFATAL_RECEIVED)
expect_eq(of_port:hits(), 1, "interrupts that the root port sends")
expect_eq(twice:hits(), 1, "those that arrive twice")
clear()
error_of "ex0"
wait(us(10))
expect_eq(late:hits(), 1, "those that come late")
wait(us(30))
expect_eq(of_port:hits(), 2, "interrupts that the root port has sent")
emit("rp0", {inside = true, address = 0xfee00000, data = string.pack("<I4", 0x41)})
