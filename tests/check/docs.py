#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Links between the documents lead somewhere, and what they name exists."""
import re
import common

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
# Paths in back quotes that start with one of our folders; NAME stands for any.
NAMED = re.compile(r"`((?!\S*NAME)(?:src|hw|include|tests|scripts|docs|configs|guest)/[\w./*-]+)`")
WAIT = re.compile(r"<!-- (transcript|todo)", re.I)


def main():
    tap = common.Tap()
    pages = common.files(".md")
    links = named = 0
    broken, missing = [], []
    for page in pages:
        text, folder = common.read(page), (common.ROOT / page).parent
        for target in LINK.findall(text):
            if "://" not in target:
                links += 1
                if not (folder / target).exists():
                    broken.append(f"{page}: {target} does not exist")
        for target in NAMED.findall(text):
            named += 1
            if not list(common.ROOT.glob(target.rstrip("."))):
                missing.append(f"{page}: {target} does not exist")
    tap.result("links lead somewhere", broken, links)
    tap.result("files that the documents name exist", missing, named)
    tap.result("no document waits for its contents",
               [f"{p}: {m.group(0)}" for p in pages if (m := WAIT.search(common.read(p)))],
               len(pages))
    tap.done()


main()
