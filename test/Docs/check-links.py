#!/usr/bin/env python3
# ===- check-links.py - Links and paths in the documentation ----------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Checks that each relative link of README.md and docs/ names a file, and its
anchor a heading, as GitHub makes anchors."""

import os
import re
import sys
from functools import lru_cache


def without_code(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)


@lru_cache(maxsize=None)
def anchors(path):
    with open(path, encoding="utf-8") as file:
        text = without_code(file.read())
    names, seen = set(), {}
    for title in re.findall(r"^#+ (.+)$", text, flags=re.M):
        name = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        count = seen.get(name, 0)
        seen[name] = count + 1
        names.add(f"{name}-{count}" if count else name)
    return names


def pages(root):
    yield os.path.join(root, "README.md")
    for folder, _, files in os.walk(os.path.join(root, "docs")):
        yield from (os.path.join(folder, f) for f in files if f.endswith(".md"))


def main():
    root, errors = sys.argv[1], 0
    for page in sorted(pages(root)):
        with open(page, encoding="utf-8") as file:
            text = without_code(file.read())
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"\w+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = os.path.join(os.path.dirname(page), path) if path else page
            if not os.path.exists(target):
                print(f"{page}: expected a file at {link} but there is none")
                errors += 1
            elif anchor and anchor not in anchors(target):
                print(f"{page}: expected a heading for {link} but there is none")
                errors += 1
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
