# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots a guest in pcilab and looks at what came of it.

PCILAB names the program (default: build/pcilab). The kernel and initramfs are those of
scripts/guest; where they are absent a test skips, and says so.
"""
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PCILAB = os.environ.get("PCILAB", str(ROOT / "build/pcilab"))
TIMEOUT_S = 280


def cache_dir(variable, name):
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get(variable) or f"{cache}/pcilab/{name}")


def guest_dir():
    return cache_dir("PCILAB_GUEST_DIR", "guest")


def need_guest():
    for name in ("vmlinuz", "initramfs.img"):
        if not (guest_dir() / name).is_file():
            print(f"1..0 # SKIP no {name} in {guest_dir()}: run scripts/guest")
            sys.exit(0)


def built_kernels():
    """The trees that scripts/kernel --name tests (or tests-SUITE) has made, by name."""
    folder = cache_dir("PCILAB_KERNEL_DIR", "kernels")
    return [tree for tree in sorted(folder.glob("tests*"))
            if (tree / "arch/x86/boot/bzImage").is_file()]


def need_built_kernels():
    trees = built_kernels()
    if not trees:
        print("1..0 # SKIP no kernel with iommufd: scripts/kernel --name tests (6.12), or "
              "scripts/kernel --suite trixie-backports --name tests-trixie-backports")
        sys.exit(0)
    return trees


class Result:
    """What a run left: exit status, console text, standard error, peak resident KiB."""

    def __init__(self, command, status, out, err):
        self.command, self.status = command, status
        self.console = out.decode("utf-8", "replace").replace("\r", "")
        self.err = err.decode("utf-8", "replace")
        found = re.findall(r"^(?:digest:? *)?([0-9a-f]{64})$", self.console.rstrip(), re.M)
        self.digest = found[-1] if found else None

    def tail(self, lines=25):
        """The last lines of both streams, as TAP comments."""
        text = [f"$ {' '.join(self.command)}", f"exit status {self.status}"]
        text += self.console.splitlines()[-lines:] + self.err.splitlines()[-lines:]
        return "\n".join("# " + line for line in text)


class Boot:
    """A started run; several may run at once."""

    def __init__(self, config, *options, append="", stdin=b""):
        path = config if "/" in config else ROOT / "configs" / config
        self.command = [PCILAB, "boot", str(path), *options]
        if append:
            self.command += ["--append", append]
        self.stdin = tempfile.TemporaryFile()
        self.stdin.write(stdin)
        self.stdin.seek(0)
        self.process = subprocess.Popen(self.command, stdin=self.stdin, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)

    def wait(self):
        try:
            out, err = self.process.communicate(timeout=TIMEOUT_S)
            status = self.process.returncode
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            status = "timeout"
        self.stdin.close()
        return Result(self.command, status, out, err)


def boot(config, *options, **more):
    return Boot(config, *options, **more).wait()


def boot_both(first, second):
    """Two runs side by side, each a tuple (positional arguments, keywords)."""
    runs = [Boot(*args, **more) for args, more in (first, second)]
    return [run.wait() for run in runs]


def peak_resident_kib():
    """The largest resident set of any run that has ended."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def check(self, good, name, *results):
        self.count += 1
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
        if not good:
            self.failed += 1
            for result in results:
                text = result.tail() if isinstance(result, Result) else f"# {result}"
                print(text.replace("\n", "\n# ").replace("\n# # ", "\n# "))
        return good

    def relay(self, result, test):
        """The TAP that tests/guest/inside/TEST.sh printed in the guest becomes ours."""
        inner = re.search(rf"^PCILAB: begin {test}$(.*?)^PCILAB: end {test} (\d+)$",
                          result.console, re.M | re.S)
        if not self.check(inner is not None, f"{test} ran to its end", result):
            return
        plan = re.search(r"^1\.\.(\d+)$", inner.group(1), re.M)
        seen = 0
        for line in inner.group(1).splitlines():
            point = re.match(r"(not )?ok \d+ - (.*)", line)
            if point:
                seen += 1
                self.count += 1
                self.failed += bool(point.group(1))
                print(f"{point.group(1) or ''}ok {self.count} - {test}: {point.group(2)}")
            elif line.startswith("# "):
                print(line)
        self.check(plan is not None and seen == int(plan.group(1)) > 0,
                   f"{test} ran every point of its plan", result)

    def done(self):
        print(f"1..{self.count}", flush=True)
        sys.exit(1 if self.failed else 0)
