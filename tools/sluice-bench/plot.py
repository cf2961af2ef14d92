#!/usr/bin/env python3
# ===- plot.py - Draws what sluice-bench measured --------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""usage: plot.py measured.json roofline.svg

Run by `sluice-bench --plot`. Reads the object of --json whose cells have
`operations` and `bytes`, too, and draws operations per second over operations
per byte below the machine's roof.
"""

import json
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402


def get_peak(machine, cell):
    """The arithmetic in use: as the cell's floor has it."""
    if cell["type"] == cell["activations"] == "bf16" and machine["bf16_gflops"]:
        return max(machine["bf16_gflops"], machine["peak_gflops"])
    return machine["peak_gflops"]


def draw(measured):
    machine = measured["machine"]
    cells = [cell for cell in measured["cells"] if cell["operations"] and cell["bytes"]]
    figure, axes = plt.subplots(figsize=(8, 5.5))
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xlabel("operations per byte of weights read")
    axes.set_ylabel("Gop/s (a multiply-add is two)")
    axes.set_title(measured["title"], fontsize=8, wrap=True)
    axes.grid(True, which="major", alpha=0.3)

    # The machine is only interesting near the cells.
    intensities = [cell["operations"] / cell["bytes"] for cell in cells] or [1]
    left, right = min(intensities) / 2, max(intensities) * 2
    peaks = sorted({get_peak(machine, cell) for cell in cells} or {machine["peak_gflops"]})
    for peak in peaks:
        ridge = peak / machine["read_gbps"]
        xs = [left] + ([ridge] if left < ridge < right else []) + [right]
        ys = [min(peak, x * machine["read_gbps"]) for x in xs]
        axes.plot(xs, ys, color="black", linewidth=1,
                  label=f"{peak:.0f} Gop/s, {machine['read_gbps']:.0f} GB/s")

    def plot(name, marker, get_ms):
        ys = [cell["operations"] / get_ms(cell) * 1e-6 for cell in cells]
        axes.plot(intensities[: len(cells)], ys, marker, label=name, markersize=6)
        return ys

    for marker, name in zip("sDv^", sorted({n for c in cells for n in c["baselines"]})):
        plot(name, marker, lambda cell: cell["baselines"][name]["best_ms"])
    for cell, x, y in zip(cells, intensities, plot("sluice", "o", lambda c: c["best_ms"])):
        axes.annotate(str(cell["tokens"]), (x, y), textcoords="offset points",
                      xytext=(5, -9), fontsize=7)
    axes.legend(fontsize=8, loc="lower right")
    figure.text(0.01, 0.01, f"{machine['cpu']}, {machine['threads']} threads; "
                "numbers are tokens", fontsize=7)
    return figure


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.split("\n")[0])
    with open(sys.argv[1], encoding="utf-8") as file:
        measured = json.load(file)
    draw(measured).savefig(sys.argv[2], format="svg")


if __name__ == "__main__":
    main()
