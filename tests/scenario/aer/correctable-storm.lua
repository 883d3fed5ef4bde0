-- One TLP in five is corrupt on the wire: a thousand writes arrive all the same, in order
-- PCIe Base 6.0, 3.6
machine {timing = "link", topology = [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]}
report_errors("rp0", "ex0")
local buffer = alloc(1 << 17)
local bad = inject {at = "ex0", kind = "MWr", action = "corrupt-lcrc", probability = 0.2}
expect_eq(dma {dev = "ex0", op = "fill", len = 1 << 17, pattern = 1, step = 7}, "ok", "the fill")
expect_eq(dma {dev = "ex0", addr = buffer, len = 1 << 17}, "ok", "the DMA")
wait(ms(2))
expect(bad:hits() > 100, "so many were hit")
for i = 0, (1 << 15) - 1, 1021 do
    if host:read32(buffer + 4 * i) ~= (1 + 7 * i) & 0xffffffff then
        expect(false, "doubleword " .. i .. " of memory")
    end
end
expect_bits("rp0", "aer.correctable", COR.BAD_TLP)
expect_clear("rp0", "aer.uncorrectable", UNCOR.DLP)
