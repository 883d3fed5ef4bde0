-- The header of the TLP that was wrong is logged, and First Error Pointer says for which error
-- PCIe Base 6.0, 6.2.4.2 and 7.8.4.7
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
local buffer = alloc(8192)
dma {dev = "ex0", op = "emit", pattern = 2, addr = buffer}
wait(us(10))
local log = {}
for i = 0, 3 do
    log[i] = reg("rp0", "header_log_" .. i)
end
expect_eq(reg("rp0", "aer.control") & 31, 18, "First Error Pointer: Malformed TLP")
expect_eq(log[0] >> 24, 0x40, "Fmt and Type: a memory write with a header of 3 doublewords")
expect_eq(log[1] >> 16, rid("ex0"), "Requester ID")
expect_eq(log[2], buffer + 4092, "the address")
