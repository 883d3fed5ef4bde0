-- A device says when it is ready after a hot reset: who waits for that is never put off
-- PCIe Base 6.0, 6.22.1, 2.2.8.6.2 and 7.5.3.20
machine [[
[root-port rp0]
readiness=yes
[exerciser ex0]
at=rp0
readiness=yes
[root-port rp1]
readiness=yes
[exerciser ex1]
at=rp1
]]
local RECEIVED, RRS_US = 1 << 15, 0x6c
local function presence(port) return reg(port, "link_status_2") >> 12 & 7 end
local function is_drs(tlp) return tlp.code == 0x7f and tlp.routing == 4 end
local said = count("rp0", "Msg", {at = "to", match = is_drs})
local retries = count("ex0", "Cpl", {at = "from", match = function(tlp)
    return tlp.status == "RRS"
end})
expect_bits("rp0", "link_capabilities_2", 1 << 31)
expect_bits("rp0", "device_capabilities_2", 1 << 31)
expect_eq(presence("rp0"), 5, "present, and it has said that it is ready")
expect_eq(presence("rp1"), 4, "present, and it never says so")
cfg_write("rp0", "link_status_2", RECEIVED)
expect_clear("rp0", "link_status_2", RECEIVED)
expect_eq(presence("rp0"), 5, "the component, whatever software has cleared")

ex_write("ex0", RRS_US, 500000)
link("ex0"):reset()
expect_eq(presence("rp0"), 2, "present, and the link is down")
link("ex0"):release()
link("ex0"):wait_up()
expect_eq(presence("rp0"), 4, "the link is up, and it is not ready yet")
wait(ms(300))
expect_clear("rp0", "link_status_2", RECEIVED)
expect_soon(function() return reg("rp0", "link_status_2") & RECEIVED ~= 0 end, "it is ready", s(1))
expect_eq(said:hits(), 1, "DRS messages")
expect_eq(select(2, cfg_read("ex0", "vendor_id")), "SC", "the first read")
expect_eq(retries:hits(), 0, "reads that were put off")
expect_eq(presence("rp0"), 5, "the component")

hand("unplug", "ex0")
expect_eq(presence("rp0"), 1, "nobody is there")
expect_clear("rp0", "link_status_2", RECEIVED)
hand("plug", "ex0")
expect_soon(function() return presence("rp0") == 5 end, "it is back and ready", s(1))
link("rp0"):retrain()
wait(ms(10))
expect_eq(presence("rp0"), 5, "the component after a retraining, which is no event")
expect_eq(said:hits(), 2, "DRS messages")
