#!/usr/bin/env python3
"""How the default pipelines grow with the graph, in instructions (callgrind): 16 times the network, at most 18 times
the work. usage: bench/passes.py [BUILD_FOLDER]; exit code 1 when a pipeline breaks the limit, 4 without valgrind."""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT, BLOCKS = 18, 64


def instructions(program, pipeline, blocks):
    with tempfile.TemporaryDirectory() as folder:
        answer = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", program, pipeline, str(blocks)],
            capture_output=True, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", answer.stderr).group(1))


def main():
    if not shutil.which("valgrind"):
        print("valgrind is not installed: apt-get install valgrind", file=sys.stderr)
        return 4
    program = Path(sys.argv[1] if len(sys.argv) > 1 else "build/release") / "bench/passes_bench"
    sizes = (BLOCKS, 4 * BLOCKS, 16 * BLOCKS)
    idle = [instructions(program, "none", n) for n in sizes]  # building the network, and no passes
    good = True
    for pipeline in ("default-fp32", "default-fp16"):
        one, four, sixteen = (instructions(program, pipeline, n) - rest for n, rest in zip(sizes, idle))
        print(f"{pipeline}: {one / 1e6:.1f} M instructions, 4x {four / 1e6:.1f} M, 16x {sixteen / 1e6:.1f} M"
              f" = {sixteen / one:.2f} times")
        good = good and sixteen / one <= LIMIT
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
