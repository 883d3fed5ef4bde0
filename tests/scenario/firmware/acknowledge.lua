-- An error record waits until the one before it is acknowledged
-- ACPI 6.5, 18.3.2.8
machine [[
[machine]
apei=yes
[root-port rp0]
[exerciser ex0]
at=rp0
]]
firmware:report {severity = "fatal", at = "ex0", status = UNCOR.MALFORMED}
firmware:report {severity = "recoverable", memory = 0x123000}
firmware:report {severity = "corrected", at = "rp0", status = COR.RECEIVER}
expect_eq(firmware:told("uncorrected").at, "ex0", "first")
expect_eq(firmware:told("uncorrected").section, "fatal", "its severity")
expect_eq(firmware:told("uncorrected").severity, "recoverable", "the kernel may go on")
expect_eq(firmware:told("corrected").at, "rp0", "the other source")
firmware:acknowledge("uncorrected")
expect_eq(firmware:told("uncorrected").at, "memory", "second")
firmware:acknowledge("uncorrected")
expect(not firmware:told("uncorrected"), "that was all")
