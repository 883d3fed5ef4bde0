-- A device that is pulled out in the middle of its DMA leaves nothing behind: the next one works
-- PCIe Base 6.0, 2.9.1 and 6.7.4
machine {timing = "link", topology = [[
[root-port rp0]
hotplug=surprise
[exerciser ex0]
at=rp0
]]}
local buffer = alloc(1 << 16)
local address, windows = bar("ex0", 0), {}
for i = 0x10, 0x24, 4 do
    windows[i] = cfg_read("ex0", i)
end
dma {dev = "ex0", op = "read", addr = buffer, len = 1 << 16, wait = false}
wait(us(3))
hand("unplug", "ex0")
wait(us(10))
hand("plug", "ex0")
link("ex0"):wait_up(ms(300))
wait(ms(200))
for i = 0x10, 0x24, 4 do
    cfg_write("ex0", i, windows[i])
end
cfg_write("ex0", "command", 7)
host:write(buffer, "after")
expect_eq(bar("ex0", 0), address, "BAR 0 is where it was")
local result, data = dma {dev = "ex0", op = "read", addr = buffer, len = 5}
expect_eq(result, "ok", "the DMA of the device that came back")
expect_eq(data, "after", "its data")
