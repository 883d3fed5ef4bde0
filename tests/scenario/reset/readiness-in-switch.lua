-- A port tells of a device that is ready below it: by an interrupt, or by an FRS message of its own
-- PCIe Base 6.0, 7.5.3.7 and 6.22.1
machine [[
[root-port rp0]
readiness=yes
[switch sw0]
at=rp0
downstream=2
readiness=yes
[exerciser ex0]
at=sw0.0
readiness=yes
[exerciser ex1]
at=sw0.1
readiness=yes
]]
local INTERRUPT, TO_FRS, RECEIVED = 1 << 14, 2 << 14, 1 << 15
local function again(dev)
    link(dev):reset()
    link(dev):release()
    link(dev):wait_up()
    wait(us(100))
end
local function queued() return reg("rp0", "frs_message_queue") end
expect_bits("rp0", "link_status_2", RECEIVED)
cfg_write("sw0.0", "msi_message_address", 0xfee00000)
cfg_write("sw0.0", "msi_message_data", 0x41)
set_bits("sw0.0", "msi_message_control", 1)
set_bits("sw0.0", "command", CONTROL.MASTER)
set_bits("sw0", "command", CONTROL.MASTER)
local interrupts = count("sw0", "MSI", {at = "from"})
again "ex0"
expect_bits("sw0.0", "link_status_2", RECEIVED)
expect_eq(interrupts:hits(), 0, "interrupts that nobody asked for")
expect_eq(queued(), 0, "FRS messages that nobody asked for")
set_bits("sw0.0", "link.control", INTERRUPT)
again "ex0"
expect_eq(interrupts:hits(), 1, "interrupts")
expect_eq(queued(), 0, "FRS messages in place of it")
clear_bits("sw0.0", "link.control", INTERRUPT)
set_bits("sw0.0", "link.control", TO_FRS)
again "ex0"
expect_eq(interrupts:hits(), 1, "interrupts, no more than before")
expect_eq(queued(), 1 << 20 | 1 << 16 | rid("sw0.0"), "one message of the port: DRS received")
cfg_write("rp0", "frs_message_queue", 0)
-- A port of the root complex queues its own at once; a link that comes up begins with an empty queue.
set_bits("rp0", "link.control", TO_FRS)
again "sw0"
expect_eq(queued(), 1 << 20 | 1 << 16 | rid("rp0"), "the switch is ready")
