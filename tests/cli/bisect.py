#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""git bisect run finds the change that makes the guest's kernel complain.

Each commit of a repository holds a script, which runs in the guest from there: it does something
harmless, until one plants a splat. With one of them the kernel does not boot: it is skipped. PCILAB
names the program, SOURCE the source folder. Skips where scripts/guest has not been run.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

PCILAB = os.environ["PCILAB"]
CONFIG = os.environ["SOURCE"] + "/configs/minimal.ini"
COMMITS, BROKEN, PLANTED = 9, 4, 6

# As docs/testing-a-kernel-patch.md shows it, but for what is counted: the status says it all.
CHECK = r"""#!/bin/sh
echo boot >>"$LOGS/boots"
exec "$PCILAB" boot "$CONFIG" --limit wall:90s --append "$(cat cmdline)" -- sh ./feature.sh \
    </dev/null >>"$LOGS/console" 2>&1
"""


def guest_dir():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get("PCILAB_GUEST_DIR") or cache + "/pcilab/guest")


def git(folder, *args, **more):
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
           **{f"GIT_{who}_{what}": f"test@{what}" for who in ("AUTHOR", "COMMITTER")
              for what in ("NAME", "EMAIL")}, **more}
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        env.pop(name, None)
    return subprocess.run(["git", *args], cwd=folder, env=env, check=True, capture_output=True,
                          text=True).stdout


def make_history(repo):
    """Returns the hashes, the first one first."""
    git(repo, "init", "-q")
    hashes = []
    for number in range(COMMITS):
        lines = [f"echo this is change {number}"]
        if number >= PLANTED:
            lines.append("echo '<4>WARNING: CPU: 0 PID: 1 at planted.c:1 f+0x1/0x2' >/dev/kmsg")
        (repo / "feature.sh").write_text("\n".join(lines) + "\n")
        (repo / "cmdline").write_text("rdinit=/absent root=/dev/absent" if number == BROKEN else "")
        git(repo, "add", "-A")
        git(repo, "commit", "-q", "-m", f"change {number}")
        hashes.append(git(repo, "rev-parse", "HEAD").strip())
    return hashes


def main():
    if not list(guest_dir().glob("lib/modules/*/modules.dep")):
        print(f"1..0 # SKIP no modules in {guest_dir()}: run scripts/guest")
        return 0
    with tempfile.TemporaryDirectory() as name:
        repo, logs = pathlib.Path(name, "repo"), pathlib.Path(name, "logs")
        repo.mkdir()
        logs.mkdir()
        check = logs / "check.sh"
        check.write_text(CHECK)
        hashes = make_history(repo)
        git(repo, "bisect", "start", hashes[-1], hashes[0])
        try:
            said = git(repo, "bisect", "run", "sh", str(check), LOGS=str(logs), PCILAB=PCILAB,
                       CONFIG=CONFIG)
        except subprocess.CalledProcessError as failed:
            said = f"{failed.stdout}\n{failed.stderr}"
        console = (logs / "console").read_text(errors="replace") if (logs / "console").exists() \
            else ""
        boots = len((logs / "boots").read_text().splitlines()) if (logs / "boots").exists() else 0
    found = f"{hashes[PLANTED]} is the first bad commit" in said
    good = found and "complained: 1 warn" in console and \
        "was not started: the kernel failed before" in console and 2 <= boots <= 5
    print(f"{'ok' if good else 'not ok'} 1 - the planted change is found, in {boots} tries")
    if not good:
        for line in said.splitlines()[-30:] + console.splitlines()[-10:]:
            print("# " + line)
    print("1..1")
    return 0 if good else 1


sys.exit(main())
