#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What every file must have, and what hw/ and src/sim must not call."""
import re
import common

LICENSE = "SPDX-License-Identifier: GPL-2.0-or-later"
SOURCE = (".c", ".h", ".py", ".sh", ".asl", ".asl.in", "meson.build")
MAX_LINES = 700
COLUMNS = 100
# Wall clocks, threads and randomness that no seed governs (docs/architecture.md, "Time").
FORBIDDEN = re.compile(
    r"\b(time|clock|clock_gettime|gettimeofday|g_get_monotonic_time|g_get_real_time|"
    r"g_date_time_new_now\w*|g_timer_\w+|rand|random|srand|drand48|lrand48|g_random_\w+|"
    r"getrandom|pthread_\w+|g_thread_\w+|usleep|nanosleep|sleep)\s*\(")
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def forbidden_calls(path, text):
    code = COMMENT.sub(blank, text)
    return [f"{path}:{code.count(chr(10), 0, m.start()) + 1}: calls {m.group(1)}()"
            for m in FORBIDDEN.finditer(code)]


def is_script(path):
    return "." not in path.rsplit("/", 1)[-1] and common.read(path).startswith("#!")


def check_license(tap):
    paths = common.files(*SOURCE)
    paths += [p for p in common.files("") if is_script(p)]
    bad = [f"{p}: no licence line at the top" for p in paths
           if not any(LICENSE in line for line in common.read(p).splitlines()[:2])]
    tap.result("every source file names its licence first", bad, len(paths))


def check_shape(tap):
    paths = [p for p in common.files(".c", ".h")]
    long = [f"{p}: {n} lines, at most {MAX_LINES}" for p in paths
            if (n := common.read(p).count("\n")) > MAX_LINES]
    tap.result(f"no source file is longer than {MAX_LINES} lines", long, len(paths))
    paths += common.files(".py", ".sh", ".ini") + [p for p in common.files("") if is_script(p)]
    wide = [f"{p}:{i}: {len(line)} columns" for p in paths
            for i, line in enumerate(common.read(p).splitlines(), 1) if len(line) > COLUMNS]
    tabs = [f"{p}:{i}: a tab or trailing space" for p in paths
            for i, line in enumerate(common.read(p).splitlines(), 1)
            if "\t" in line or line != line.rstrip()]
    tap.result(f"lines of at most {COLUMNS} columns, no tabs", wide + tabs, len(paths))


def check_determinism(tap):
    probe = forbidden_calls("probe.c", "x = time(NULL); /* time(NULL) */ lifetime(3);")
    tap.result("the check finds a wall clock", [] if len(probe) == 1 else [f"found {probe}"], 1)
    paths = [p for p in common.files(".c", ".h")
             if p.startswith(("hw/", "src/sim/", "src/trace/", "include/pcilab/"))
             and not p.startswith(("hw/cpu/kvm", "include/pcilab/io/"))]
    bad = [problem for p in paths for problem in forbidden_calls(p, common.read(p))]
    tap.result("no wall clock, thread or unseeded randomness in the model", bad, len(paths))


def main():
    tap = common.Tap()
    check_license(tap)
    check_shape(tap)
    check_determinism(tap)
    tap.done()


main()
