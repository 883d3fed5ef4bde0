-- A pin is two messages, and software can switch it off
-- PCIe Base 6.0, 2.2.8.1 and 7.5.1.1.3
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local up = count("ex0", "Assert_INTx", {at = "from"})
local down = count("ex0", "Deassert_INTx", {at = "from"})
ex_write("ex0", 0x50, 1)
wait(us(1))
expect_eq(up:hits(), 1, "Assert_INTx")
expect_bits("ex0", "status", 1 << 3)
set_bits("ex0", "command", 1 << 10)
wait(us(1))
expect_eq(down:hits(), 1, "Deassert_INTx when Interrupt Disable is set")
clear_bits("ex0", "command", 1 << 10)
wait(us(1))
expect_eq(up:hits(), 2, "Assert_INTx again")
ex_write("ex0", 0x50, 0)
wait(us(1))
expect_eq(down:hits(), 2, "Deassert_INTx in the end")
