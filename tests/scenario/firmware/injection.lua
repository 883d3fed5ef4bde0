-- EINJ makes an error at a function, which reports it as its own
-- ACPI 6.5, 18.6.1 and 18.6.5
machine [[
[machine]
apei=yes
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
-- What the driver does with the registers that the table's instructions name.
local at = 0xfed80040
local function operation(n) host:write32(at, n) end
local function inject_at(type, sbdf)
    operation(1)
    host:write32(at + 0x20, type)
    host:write32(at + 0x28, 4)
    host:write32(at + 0x40, sbdf)
    operation(2)
    local status = host:read32(at + 8)
    operation(4)
    operation(3)
    return status
end
local messages = count("ex0", "ERR_NONFATAL")
expect_eq(inject_at(0x80, 0xff0000), 2, "nobody there: invalid")
expect_eq(messages:hits(), 0, "messages")
expect_eq(inject_at(0x80, rid("ex0") << 8), 0, "command status")
wait(us(1))
expect_eq(messages:hits(), 1, "ERR_NONFATAL messages")
expect_bits("ex0", "aer.uncorrectable", UNCOR.TIMEOUT)
expect_bits("rp0", "aer.root_status", 0x24)
expect(not firmware:told("uncorrected"), "it is the kernel's business")
