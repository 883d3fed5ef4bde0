-- A Function Level Reset clears registers and BARs, keeps the link and what is sticky
-- PCIe Base 6.0, 6.6.2
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
ex_write("ex0", 0x3c, 0x5555)
ex_write("ex0", 0x30, 0x1234)
local address = bar("ex0", 0)
set_bits("ex0", "device.control", CONTROL.FLR)
wait(ms(100))
expect_reg("ex0", "command", 0)
expect(link("ex0"):status().up, "the link stays up")
expect_reg("rp0", "aer.root_status", 0)
cfg_write("ex0", 0x10, address)
cfg_write("ex0", "command", 7)
expect_eq(ex_read("ex0", 0x30), 0, "a register")
expect_eq(ex_read("ex0", 0x3c), 0x5555, "a register that only a cold reset clears")
expect_eq(ex_read("ex0", 0xb8), 1, "resets that the device counted")
