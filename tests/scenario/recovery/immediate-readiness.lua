-- The stock kernel does not wait for a device that says Immediate Readiness
-- PCIe Base 6.0, 7.5.1.1.4 and 6.6.2; Linux drivers/pci/pci.c, pcie_flr()
machine {guest = true, topology = [[
[root-port rp0]
[exerciser ex0]
at=rp0
immediate-readiness=yes
[root-port rp1]
[exerciser ex1]
at=rp1
]]}
local function reset_time(dev)
    local path = "/sys/bus/pci/devices/0000:" .. bdf(dev)
    guest_ok("echo flr >" .. path .. "/reset_method")
    local before = now()
    guest_ok("echo 1 >" .. path .. "/reset")
    return now() - before
end
local ready, not_ready = reset_time("ex0"), reset_time("ex1")
expect(not_ready - ready >= ms(80), "the difference: " .. (not_ready - ready) // 1000000000 .. " ms")
expect(not_ready >= ms(100), "a reset of the other takes 100 ms and more")
expect_healthy()
