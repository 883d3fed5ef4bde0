-- A flag that is written after the data is seen after the data, however late the data are
-- PCIe Base 6.0, 2.4.1 (A2a)
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local data, flag = alloc(4096), alloc(4096)
vary {writes = us(5)}
inject {at = "ex0", kind = "MWr", first = data, last = data + 4095, action = "delay",
        delay = us(20)}
dma {dev = "ex0", addr = data, data = "payload", channel = 0, wait = false}
dma {dev = "ex0", addr = flag, data = "flag", at = 4096, channel = 1, wait = false}
expect_soon(function() return host:read(flag, 4) == "flag" end, "the flag comes", us(200))
expect_eq(host:read(data, 7), "payload", "the data when the flag is there")
