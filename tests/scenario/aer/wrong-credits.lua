-- More credits than there can be are a flow control protocol error
-- PCIe Base 6.0, 2.6.1.2 and 6.2.3
machine {timing = "link", topology = [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]}
report_errors("rp0", "ex0")
link("ex0"):fault("wrong-credits", {dir = "up"})
for i = 1, 200 do
    ex_write("ex0", 0x30, i)
end
wait(ms(1))
expect_bits("rp0", "aer.uncorrectable", UNCOR.FLOW_CONTROL)
