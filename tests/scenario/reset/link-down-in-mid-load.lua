-- A load that is under way when the link goes down ends with a timeout, the next one with UR at once
-- PCIe Base 6.0, 2.8, 2.9.1 and 2.9.2
machine {timing = "link", topology = [[
[root-port rp0]
[exerciser ex0]
at=rp0
propagation-ns=1000
]]}
local address = bar("ex0", 0)
local value, over
spawn(function()
    value = mmio_read(address, 4)
    over = now()
end)
wait(ns(1500))
link("ex0"):down()
local down = now()
expect_eq(select(2, mmio_read(address, 4)), "UR", "a load with the link down")
expect(now() - down < us(1), "it does not wait for a timeout")
expect(not over, "the load before it still waits")
wait(ms(60))
expect_eq(value, 0xffffffff, "what it reads in the end")
expect(over - down >= us(40), "after a timeout")
