-- Containment that the firmware has: Error Disconnect Recover, located, taken and over
-- PCI Firmware 3.3, 4.6.12 and 4.6.13; PCIe Base 6.0, 6.2.11.2
machine [[
[host-bridge hb0]
firmware-first=yes
[root-port rp0]
[switch sw0]
at=rp0
downstream=1
dpc=yes
[exerciser ex0]
at=sw0.0
]]
-- What the AML does with the registers of the firmware's errors.
local at = 0xfed80000
local EVENTS, PORT, TAKE, ENABLE, SELECT, LOCATE, OST_PORT, OST = 0, 4, 8, 12, 16, 20, 24, 28
local function get(register) return host:read32(at + register) end
local function put(register, value) host:write32(at + register, value) end
put(ENABLE, 0x10000) -- _DSM 0Ch of root port 0
expect_bits("sw0.0", "dpc_control", 0x11)
expect_eq(get(PORT), 0x80000000, "no root port yet")
set_bits("ex0", "aer.severity", UNCOR.UNSUPPORTED)
clear_bits("ex0", "command", CONTROL.MEMORY)
local fatal = count("ex0", "ERR_FATAL")
mmio_write(bar("ex0", 0) + 0x30, 0x1234, 4)
wait(us(50))
expect_eq(fatal:hits(), 1, "ERR_FATAL messages")
expect(not link("ex0"):status().up, "the link is down")
expect_eq(get(EVENTS), 2, "the interrupt is for EDR")
expect_eq(get(PORT), 0, "root port 0")
put(TAKE, 0)
expect_eq(get(EVENTS), 0, "no interrupt any more")
put(SELECT, 0)
expect_eq(get(LOCATE), rid("sw0.0"), "_DSM 0Dh: who contains")
cfg_write("sw0.0", "dpc_status", 1)
expect_soon(function() return link("ex0"):status().up end, "the link trains", ms(200))
put(OST_PORT, 0)
put(OST, rid("sw0.0") << 16 | 0x80) -- _OST: recovered
expect_rule("recovered")
expect_eq(get(LOCATE), 0x80000000, "nobody contains")
