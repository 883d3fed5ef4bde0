-- A device that is not ready yet answers with Request Retry Status, and the load comes in the end
-- PCIe Base 6.0, 2.3.1 and 6.6.2
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
ex_write("ex0", 0x6c, 2000)
local retries = count("ex0", "Cpl", {at = "from", match = function(tlp)
    return tlp.status == "RRS"
end})
set_bits("ex0", "device.control", CONTROL.FLR)
local began = now()
local value, status = cfg_read("ex0", "vendor_id")
expect_eq(status, "SC", "the read's status")
expect_eq(value, 0x504c, "the vendor")
expect(retries:hits() > 0, "it was put off")
expect(now() - began >= ms(1), "until the device was ready")
