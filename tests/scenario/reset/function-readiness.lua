-- A function says when it is ready again, and why; the root port queues what was said
-- PCIe Base 6.0, 6.22.2, 6.22.3, 2.2.8.6.3 and 7.8.10
machine [[
[root-port rp0]
readiness=yes
[exerciser ex0]
at=rp0
readiness=yes
vfs=2
]]
local RRS_US, RECEIVED, OVERFLOW = 0x6c, 1, 2
local FROM_D3HOT, FLR, VFS_ENABLED, VFS_DISABLED = 2, 3, 8, 9
cfg_write("rp0", "msi_message_address", 0xfee00000)
cfg_write("rp0", "msi_message_data", 0x41)
set_bits("rp0", "msi_message_control", 1)
set_bits("rp0", "command", CONTROL.MASTER)
cfg_write("rp0", "frs_queueing_control", 1)
local interrupts = count("rp0", "MSI", {at = "from"})
local function depth() return reg("rp0", "frs_message_queue") >> 20 end
local function expect_said(who, reason, text)
    expect_soon(function() return depth() > 0 end, text, s(1))
    expect_eq(cfg_read("rp0", "frs_message_queue") & 0xfffff, reason << 16 | who, text)
    cfg_write("rp0", "frs_message_queue", 0, 1)
    cfg_write("rp0", "frs_queueing_status", RECEIVED | OVERFLOW)
end
cfg_write("rp0", "subordinate_bus_number", 2)
local me = rid("ex0")
expect_eq(depth(), 0, "messages that wait after power-on")
cfg_write("rp0", "frs_message_queue", 0)
expect_eq(depth(), 0, "messages after a write to the empty queue")

ex_write("ex0", RRS_US, 200000)
local began = now()
set_bits("ex0", "device.control", CONTROL.FLR)
expect_eq(depth(), 0, "messages while it is not ready")
expect_said(me, FLR, "its Function Level Reset is over")
expect(now() - began >= ms(200), "that took its time")
expect_eq(interrupts:hits(), 1, "interrupts")

set_bits("ex0", "pm_control_status", 3)
expect_eq(depth(), 0, "messages on the way to D3hot")
clear_bits("ex0", "pm_control_status", 3)
expect_said(me, FROM_D3HOT, "it is back from D3hot")

cfg_write("ex0", "num_vfs", 2)
set_bits("ex0", "sriov_control", 1)
expect_said(me, VFS_ENABLED, "its Virtual Functions are ready")
expect_eq(select(2, cfg_read("ex0.1", "vendor_id")), "SC", "a read of one of them")
local vf = rid("ex0.1")
set_bits("ex0.1", "device.control", CONTROL.FLR)
expect_said(vf, FLR, "a Virtual Function's reset is over")
clear_bits("ex0", "sriov_control", 1)
expect_said(me, VFS_DISABLED, "they are gone")

-- As many as there is room for, in order, and one more.
local room = reg("rp0", "frs_queueing_capability") & 0xfff
for i = 1, room + 1 do
    emit("ex0", {code = 0x7f, routing = 0, requester = 0x100 + i, header = 0x0000000109000002})
    wait(us(10))
end
expect_eq(depth(), room, "messages that wait")
expect_reg("rp0", "frs_queueing_status", RECEIVED | OVERFLOW)
local before = interrupts:hits()
expect_eq(reg("rp0", "frs_message_queue") & 0xffff, 0x101, "the oldest")
cfg_write("rp0", "frs_message_queue", 0xff, 1)
expect_eq(reg("rp0", "frs_message_queue") & 0xffff, 0x102, "the next")
cfg_write("rp0", "frs_queueing_status", OVERFLOW)
expect_reg("rp0", "frs_queueing_status", RECEIVED)
expect_eq(interrupts:hits(), before, "interrupts: software did that")
link("ex0"):down()
wait(us(10))
expect_eq(depth(), 0, "messages when the link is down")
expect_reg("rp0", "frs_queueing_status", 0)
