-- Each invalidation takes its time, one after the other
-- VT-d 4.1, 6.5.2
machine [[
[iommu iommu0]
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local unit = iommu()
local before = now()
expect(unit:flush(), "two invalidations and a wait")
expect(now() - before < us(10), "are over at once")
invalidations {each = us(100)}
before = now()
expect(unit:flush(), "two invalidations and a wait")
expect(now() - before >= us(300), "take three times as long as one")
expect(now() - before < us(310), "and no longer")
invalidations {}
before = now()
unit:flush()
expect(now() - before < us(10), "as before")
