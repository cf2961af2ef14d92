#!/usr/bin/env python3
# ===- run-page.py - Run the commands of a documentation page ---------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Runs a page of docs/ from top to bottom, as a reader would, or several pages one
after the other: a page that goes on where another one ends.

What follows the language of a fenced block says what is done with it:

    ```mlir first.mlir    written to that file
    ```console            each line after '$ ' (continued after a backslash) is
                          run, and must print the lines that follow; '...' in
                          them stands for any text, a line '...' for any lines
    ```console elsewhere  not run: needs a bare machine; tools/check does it

All other blocks are text. Commands run in one bash, in the folder given, with
the project's root as $SLUICE, the tools in PATH and this program's Python as
`python3`. Stops at the first command that fails or prints something else, and
says which line of the page that is. With --section only what stands under that
heading is run, so that a page may be several tests."""

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile


def blocks(text):
    """Yields (line number of the first line, info string, lines)."""
    info, start, lines = None, 0, []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("```"):
            lines.append(line)
        elif info is None:
            info, start, lines = line[3:].strip(), number + 1, []
        else:
            yield start, info, lines
            info = None
    if info is not None:
        sys.exit(f"error: the block at line {start} has no end")


def commands(start, lines):
    """Yields (line number, command, expected lines) of a console block."""
    command, number, expected, open_ = None, 0, [], False
    for offset, line in enumerate(lines):
        if open_:
            command += "\n" + line
        elif line.startswith("$ "):
            if command is not None:
                yield number, command, expected
            command, number, expected = line[2:], start + offset, []
        else:
            expected.append(line)
            continue
        open_ = line.endswith("\\")
    if command is not None:
        yield number, command, expected


def matches(expected, actual):
    pattern = ""
    for line in expected:
        if line.strip() == "...":
            pattern += r"(?:.*\n)*"
        else:
            pattern += ".*".join(re.escape(p) for p in line.split("...")) + r"\n"
    return re.fullmatch(pattern, actual) is not None


def run(shell, command):
    """Runs a command in the shell and returns (status, output)."""
    end = "--- end of command"
    shell.stdin.write(f"{command}\necho\necho '{end}' $?\n")
    shell.stdin.flush()
    output = []
    for line in shell.stdout:
        if line.startswith(end):
            # The `echo` makes sure that `end` stands on its own line.
            text = "".join(output)[:-1]
            whole = not text or text.endswith("\n")
            return int(line.split()[-1]), text if whole else text + "\n"
        output.append(line)
    sys.exit(f"error: the shell ended in: {command}")


def keep_sections(text, titles):
    """Empties the lines that do not stand under one of the headings; what stands
    under `# title` ends at the first `## title`."""
    lines, kept, in_block, missing = [], False, False, set(titles)
    for line in text.splitlines():
        in_block ^= line.startswith("```")
        if not in_block and (heading := re.match(r"##? +(.*\S)", line)):
            kept = heading[1] in titles
            missing.discard(heading[1])
        lines.append(line if kept else "")
    if missing:
        sys.exit(f"error: expected a section '{missing.pop()}' but found none")
    return "\n".join(lines)


def run_page(page, sections, folder, shell):
    """Runs the commands of a page and returns how many there were."""
    ran = 0
    with open(page, encoding="utf-8") as file:
        text = file.read()
    if sections:
        text = keep_sections(text, sections)
    for start, info, lines in blocks(text):
        language, _, name = info.partition(" ")
        if language == "console" and not name:
            for number, command, expected in commands(start, lines):
                status, output = run(shell, command)
                where = f"{page}:{number}: {command}"
                if status:
                    sys.exit(f"{where}\nerror: exit status {status}\n{output}")
                if not matches(expected, output):
                    sys.exit(
                        f"{where}\nerror: expected\n"
                        + "\n".join(expected)
                        + f"\nbut got\n{output}"
                    )
                ran += 1
        elif name and language != "console":
            with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
                out.write("\n".join(lines) + "\n")
    if not ran:
        sys.exit(f"error: {page} has no command")
    return ran


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="+")
    parser.add_argument("--folder", required=True, help="where commands run")
    parser.add_argument("--bin", required=True, help="folder of the tools")
    parser.add_argument("--section", action="append", help="run only this section")
    args = parser.parse_args()

    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
    os.makedirs(args.folder, exist_ok=True)
    with tempfile.TemporaryDirectory() as programs:
        # A script, since a link to it would leave a virtual environment.
        python = os.path.join(programs, "python3")
        with open(python, "w", encoding="utf-8") as out:
            out.write(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        os.chmod(python, 0o755)
        path = [os.path.abspath(args.bin), programs, os.environ["PATH"]]
        shell = subprocess.Popen(
            ["bash"],
            cwd=args.folder,
            env={**os.environ, "PATH": os.pathsep.join(path), "SLUICE": root},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        ran = sum(
            run_page(page, args.section, args.folder, shell) for page in args.pages
        )
        shell.stdin.close()
        shell.wait()
    print(f"{ran} commands ran")


if __name__ == "__main__":
    main()
