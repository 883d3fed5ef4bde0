#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pcilab inspect: what is refused before anybody is asked.
. "$SOURCE/tests/cli/lib.sh"
inspect=("$PCILAB" inspect "$work/lab")

run "$PCILAB" inspect --help
expect 0 'inspect --help' out 'Examples:' out 'walk FUNCTION' out '--json' out 'Exit status:'
run "$PCILAB" inspect
error 'no path' 'the path of a pcilab boot --serve PATH is needed'
run "${inspect[@]}"
error 'nothing to look at' 'there is iommu, walk, function, functions, ats and links'
run "${inspect[@]}" iomu
error 'something that is not there' '"iomu" cannot be looked at'
run "${inspect[@]}" iommu queue faults
error 'two sections' '"iommu" takes the name of one unit and one of: registers, queue'
run "${inspect[@]}" walk 01:00.0
error 'a walk without an address' '"walk" needs a function and an address'
for place in 01:00 01:00.8 01:20.0 100:00.0 0:0:01:00.0 01:00.0x 10000:01:00.0 '01:00.0,' \
    01:00.0,x 01:00.0,1048576 ''; do
    run "${inspect[@]}" walk "$place" 0x1000
    error "a walk of \"$place\"" 'is no function with or without a PASID'
done
for address in 0x +1 x 0x10000000000000000 1000z ''; do
    run "${inspect[@]}" walk 01:00.0 "$address"
    error "a walk to \"$address\"" 'is no address'
done
run "${inspect[@]}" walk 01:00.0 0x1000 execute
error 'a third kind of access' 'the access is read or write'
run "${inspect[@]}" function
error 'no function' '"function" needs one'
run "${inspect[@]}" function 01:00.0,5
error 'a function with a PASID' 'is no function'
run "${inspect[@]}" links x
error 'a word too many' 'too many words after "links"'
run "${inspect[@]}" iommu "$(printf 'x%.0s' $(seq 5000))"
error 'a very long word' 'this is longer than anything'
run "${inspect[@]}" ats x
error "a word too many after ats" 'too many words after "ats"'
run "${inspect[@]}" links
error 'no server' "$work/lab"
finish
