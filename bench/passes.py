#!/usr/bin/env python3
"""How the default pipelines grow with the graph, in instructions (callgrind): 16 times the network, at most 18 times
the work. And the passes on STAR, in user time: at most 150 ms.
usage: bench/passes.py [BUILD_FOLDER]; exit code 1 when a limit is broken, 4 without valgrind."""
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT, BLOCKS = 18, 64
STAR_MS, RUNS = 150, 15


def instructions(program, pipeline, blocks):
    with tempfile.TemporaryDirectory() as folder:
        answer = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", program, pipeline, str(blocks)],
            capture_output=True, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", answer.stderr).group(1))


def user_ms(*words):
    """The least of several runs: what disturbs a measurement only ever adds to it."""
    least = float("inf")
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        least = min(least, 1e3 * (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before))
    return least


def passes_on_star(anemone):
    with tempfile.TemporaryDirectory() as folder:
        star, words = f"{folder}/star.pkl", ("-o", f"{folder}/star.mlpackage", "--dry-run", "-q")
        subprocess.run([anemone, "synth", "star", "-o", star, "-q"], check=True, stdout=subprocess.DEVNULL)
        return user_ms(anemone, "convert", star, *words) - user_ms(anemone, "convert", star, *words, "--passes", "none")


def main():
    if not shutil.which("valgrind"):
        print("valgrind is not installed: apt-get install valgrind", file=sys.stderr)
        return 4
    build = Path(sys.argv[1] if len(sys.argv) > 1 else "build/release")
    program = build / "bench/passes_bench"
    sizes = (BLOCKS, 4 * BLOCKS, 16 * BLOCKS)
    idle = [instructions(program, "none", n) for n in sizes]  # building the network, and no passes
    good = True
    for pipeline in ("default-fp32", "default-fp16"):
        one, four, sixteen = (instructions(program, pipeline, n) - rest for n, rest in zip(sizes, idle))
        print(f"{pipeline}: {one / 1e6:.1f} M instructions, 4x {four / 1e6:.1f} M, 16x {sixteen / 1e6:.1f} M"
              f" = {sixteen / one:.2f} times")
        good = good and sixteen / one <= LIMIT
    star = passes_on_star(build / "anemone")
    print(f"STAR, default-fp16: {star:.0f} ms of user time")
    return 0 if good and star <= STAR_MS else 1


if __name__ == "__main__":
    sys.exit(main())
