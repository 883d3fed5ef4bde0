-- An ACK of what was never sent is a data link protocol error, and fatal
-- PCIe Base 6.0, 3.6.2.2 and 6.2.3
machine {timing = "link", topology = [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]}
report_errors("rp0", "ex0")
link("ex0"):fault("wrong-ack", {dir = "up"})
ex_read("ex0", 0)
wait(ms(1))
expect_bits("rp0", "aer.uncorrectable", UNCOR.DLP)
expect_bits("rp0", "aer.root_status", ROOT.FATAL_RECEIVED)
