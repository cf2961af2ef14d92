#===- driver.py - Runs the tables of bad inputs ---------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Runs each case of the tables in a folder of its own and checks all of it:

- the exit code is 1 (0 for what is legal), never a signal, within 20 seconds;
- the standard error is the expected message, from its first to its last line.
  Of MLIR's diagnostics the quoted source lines are left out, so that what
  remains is the error and its notes;
- the standard output is empty;
- no file appeared, vanished or changed, and nothing is left in TMPDIR. What is
  legal makes exactly the files that the case names.

Usage: driver.py --tools FOLDER --work FOLDER [--show] [--asan] [CASE ...]
With --show prints what each case did, to write a new row of a table.
"""

import argparse
import concurrent.futures
import dataclasses
import importlib
import os
import pathlib
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time

TABLES = ["ir", "compiled", "safetensors", "npy", "command_line", "run_time", "legal"]
TIMEOUT = 20
TARGETS = ("cpu", "interpreter")


@dataclasses.dataclass
class Case:
    """One row of a table.

    `command` is what a shell would be given, without its powers; with
    {target} in it, it is run once for each target. `message` is what is
    expected on the standard error, literally but for {{regular expressions}};
    a pair if the targets differ. `files` maps names to what they contain: text,
    bytes, None for a folder, or a pathlib.Path for a symbolic link.
    """

    name: str
    command: str
    message: object
    files: dict
    code: int = 1
    creates: tuple = ()
    # bytes that a file may grow to: a full disk
    file_limit: int = None
    # bytes of address space: too little memory
    memory_limit: int = None
    # what is done to the folder before the run
    prepare: object = None
    stdin: bytes = b""
    # the whole standard output, as a regular expression
    stdout: str = ""

    def runs(self):
        if "{target}" not in self.command:
            yield self.name, self.command, self.message
            return
        for i, target in enumerate(TARGETS):
            message = self.message
            if not isinstance(message, str):
                message = message[i]
            yield f"{self.name} ({target})", self.command.replace("{target}", target), message


def write_files(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir()
        elif isinstance(content, pathlib.Path):
            path.symlink_to(content)
        elif isinstance(content, str):
            path.write_text(content)
        else:
            path.write_bytes(content)


def snapshot(folder):
    """What is in a folder, down to the bytes."""
    result = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            result[name] = os.readlink(path)
        elif path.is_file() and os.access(path, os.R_OK):
            result[name] = path.read_bytes()
        else:
            result[name] = path.stat().st_mode
    return result


def without_quotes(text):
    """Leaves out the source line and the caret below it of each diagnostic."""
    lines = []
    for line in text.splitlines():
        if lines and re.fullmatch(r"[\t ~]*\^[\t ~^]*", line):
            lines.pop()
        else:
            lines.append(line)
    return "\n".join(lines)


def matches(pattern, text):
    parts = re.split(r"\{\{(.*?)\}\}", pattern.strip("\n"))
    regex = "".join(p if i % 2 else re.escape(p) for i, p in enumerate(parts))
    return re.fullmatch(regex, text) is not None


def limit(case, asan):
    def set_limits():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if case.file_limit is not None:
            # Writing then fails, as it does on a full disk.
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (case.file_limit,) * 2)
        # AddressSanitizer itself needs terabytes of addresses.
        if case.memory_limit is not None and not asan:
            resource.setrlimit(resource.RLIMIT_AS, (case.memory_limit,) * 2)

    return set_limits


def run(case, name, command, message, options):
    """Returns what is wrong, a line each."""
    folder = options.work / re.sub(r"[^\w.-]", "_", name)
    temporary = folder.with_name(folder.name + ".tmp")
    for path in (folder, temporary):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    write_files(folder, case.files)
    if case.prepare:
        case.prepare(folder)
    before = snapshot(folder)
    tool, *arguments = shlex.split(command)
    environment = dict(os.environ, TMPDIR=str(temporary), OMP_NUM_THREADS="2")
    if options.asan:
        asan = environment.get("ASAN_OPTIONS", "")
        environment["ASAN_OPTIONS"] = asan + ":allocator_may_return_null=1"
    start = time.monotonic()
    try:
        process = subprocess.run(
            [options.tools / tool, *arguments], cwd=folder, env=environment, input=case.stdin,
            capture_output=True, timeout=TIMEOUT, preexec_fn=limit(case, options.asan))
    except subprocess.TimeoutExpired:
        return [f"did not end within {TIMEOUT} s"]
    seconds = time.monotonic() - start
    stdout = process.stdout.decode(errors="replace")
    stderr = without_quotes(process.stderr.decode(errors="replace"))
    # What the sanitizer's allocator says before it returns null.
    stderr = re.sub(r"==\d+==WARNING: AddressSanitizer failed to allocate .*\n", "", stderr)
    if options.show:
        print(f"--- {name}: exit code {process.returncode}, {seconds:.1f} s\n{stderr}")

    problems = []
    if process.returncode != case.code:
        problems.append(f"expected exit code {case.code} but got {process.returncode}")
    if not matches(message, stderr):
        problems.append(f"expected the message\n{message}\nbut got\n{stderr}")
    if len(re.findall(r"\berror: ", stderr)) > 1:
        problems.append(f"expected one error but got\n{stderr}")
    if re.search(r"LLVM ERROR|Stack dump|PLEASE submit|Sanitizer|Assertion|runtime error", stderr):
        problems.append(f"expected no crash but got\n{stderr}")
    if not re.fullmatch(case.stdout, stdout, re.DOTALL):
        problems.append(f"expected the output {case.stdout!r} but got {stdout[:500]!r}")
    after = snapshot(folder)
    appeared = set(after) - set(before)
    if appeared != set(case.creates):
        problems.append(f"expected the new files {sorted(case.creates)} but got {sorted(appeared)}")
    for file in before:
        if after.get(file) != before[file]:
            problems.append(f"expected {file} to stay as it was")
    if left := [path.name for path in temporary.iterdir()]:
        problems.append(f"expected nothing in TMPDIR but got {left}")
    if not problems:
        shutil.rmtree(folder)
        shutil.rmtree(temporary)
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", type=lambda p: pathlib.Path(p).resolve(), required=True)
    parser.add_argument("--work", type=lambda p: pathlib.Path(p).resolve(), required=True)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--asan", action="store_true")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("cases", nargs="*")
    options = parser.parse_args()

    cases = []
    for table in TABLES:
        cases += importlib.import_module("tables." + table).CASES
    names = [case.name for case in cases]
    assert len(names) == len(set(names)), sorted(n for n in names if names.count(n) > 1)
    if options.cases:
        cases = [c for c in cases if any(re.search(p, c.name) for p in options.cases)]

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = [(case, *one) for case in cases for one in case.runs()]
        results = pool.map(lambda one: run(*one, options), runs)
        for (case, name, command, _), problems in zip(runs, results):
            if problems:
                failed += 1
                print(f"FAILED {name}: {command}")
                print("\n".join("  " + line for p in problems for line in p.splitlines()))
    print(f"{len(cases)} cases, {len(runs)} runs, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    # The tables are a package beside this file and name its class.
    sys.modules["driver"] = sys.modules["__main__"]
    sys.exit(main())
