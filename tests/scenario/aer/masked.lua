-- A masked error is recorded in its status and told nobody
-- PCIe Base 6.0, 6.2.3.2.2
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
cfg_write("ex0", "aer.uncorrectable_mask", UNCOR.TIMEOUT)
inject {at = "rp0", kind = "completion", action = "drop", count = 1,
        match = function(tlp) return tlp.requester == bdf("ex0") end}
local errors = count("ex0", "ERR")
expect_eq(dma {dev = "ex0", op = "read", addr = alloc(4096), len = 4}, "timeout", "the DMA")
expect_bits("ex0", "aer.uncorrectable", UNCOR.TIMEOUT)
expect_eq(errors:hits(), 0, "messages")
expect_reg("rp0", "aer.root_status", 0)
