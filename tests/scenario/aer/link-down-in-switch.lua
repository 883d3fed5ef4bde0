-- What a switch cannot send as the link is down is its port's Unsupported Request
-- PCIe Base 6.0, 2.9.1 and 6.2.3.2.4.1
machine [[
[root-port rp0]
[switch sw0]
at=rp0
downstream=2
[exerciser ex0]
at=sw0.0
]]
local address = bar("ex0", 4)
report_errors("rp0", "sw0", "sw0.0", "ex0")
report_advisory("sw0.0")
local advisory, fatal = count("sw0", "ERR_COR"), count("sw0", "ERR_NONFATAL")
link("ex0"):disable()

expect_eq(select(2, mmio_read(address, 4)), "UR", "a load")
wait(us(10))
expect_eq(advisory:hits(), 1, "ERR_COR: the completion says it, so it is advisory")
expect_bits("sw0.0", "aer.correctable", COR.ADVISORY)
expect_bits("sw0.0", "aer.uncorrectable", UNCOR.UNSUPPORTED)
expect_reg("sw0.0", "header_log_3", address & 0xffffffff)
cfg_write("sw0.0", "aer.uncorrectable", -1)
cfg_write("sw0.0", "aer.correctable", -1)

mmio_write(address, 0x12345678, 4)
wait(us(10))
expect_eq(fatal:hits(), 1, "ERR_NONFATAL: nothing else tells of a write")
expect_bits("sw0.0", "aer.uncorrectable", UNCOR.UNSUPPORTED)
expect_bits("sw0.0", "device_status", STATUS.UNSUPPORTED)
expect_clear("sw0.1", "aer.uncorrectable", UNCOR.UNSUPPORTED)

cfg_write("sw0.0", "aer.uncorrectable", -1)
link("ex0"):enable()
link("ex0"):wait_up()
mmio_write(address, 0x12345678, 4)
expect_clear("sw0.0", "aer.uncorrectable", UNCOR.UNSUPPORTED)
