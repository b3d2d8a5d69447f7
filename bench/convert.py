#!/usr/bin/env python3
"""Cost of `anemone convert` for a STAR checkpoint beside the floor (read, round to half, write), in one interleaved
run, and, with --incumbent SCRIPT, beside another converter (a command that takes CHECKPOINT OUT).

usage: bench/convert.py [--runs 11] [--build build/release] [--incumbent 'python3 script.py']
"""

import argparse
import json
import os
import pathlib
import platform
import resource
import shlex
import statistics
import subprocess
import tempfile
import time

root = pathlib.Path(__file__).resolve().parents[1]
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('--runs', type=int, default=11)
parser.add_argument('--build', type=pathlib.Path, default=root / 'build/release')
parser.add_argument('--incumbent')
options = parser.parse_args()
LIVE = 13_476_468


def timed(command):
    """Wall milliseconds and peak kilobytes of a whole process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f'{command} exits with {process.returncode}')
    return 1e3 * (time.perf_counter() - start), usage.ru_maxrss


def cpu():
    cpuinfo = pathlib.Path('/proc/cpuinfo')
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else []:
        if line.startswith('model name'):
            return line.split(':', 1)[1].strip()
    return platform.processor()


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    checkpoint = folder / 'star.pkl'
    anemone = options.build / 'anemone'
    subprocess.run([anemone, 'synth', 'star', '-o', checkpoint], check=True, stdout=subprocess.DEVNULL)
    commands = {
        'convert': [anemone, 'convert', checkpoint, '-o', folder / 'star.mlpackage', '-q'],
        'floor': [options.build / 'bench/convert_floor', checkpoint, str(LIVE), folder / 'floor.bin'],
    }
    if options.incumbent:
        commands['incumbent'] = [*shlex.split(options.incumbent), checkpoint, folder / 'incumbent.mlpackage']
    figures = {what: [] for what in commands}
    for run in range(options.runs + 1):
        for what, command in commands.items():
            if what == 'incumbent' and run > 3:
                continue
            figure = timed([str(word) for word in command])
            if run:  # the first round warms the disk cache
                figures[what].append(figure)
    median = {what: statistics.median(ms for ms, _ in rows) for what, rows in figures.items()}
    peak = {what: max(kb for _, kb in rows) * 1.024e-3 for what, rows in figures.items()}
    print(f'{cpu()}, {os.cpu_count()} cores, checkpoint {checkpoint.stat().st_size / 1e6:.1f} MB, {options.runs} runs')
    for what in commands:
        rows = [ms for ms, _ in figures[what]]
        spread = f'min {min(rows):.1f}, max {max(rows):.1f}'
        print(f'  {what:10} median {median[what]:9.1f} ms ({spread}), peak {peak[what]:6.1f} MB')
    ratios = [a / b for (a, _), (b, _) in zip(figures['convert'], figures['floor'])]
    print(f'  convert / floor: {statistics.median(ratios):.2f} (median of pairs)')
    if options.incumbent:
        print(f'  incumbent / convert: {median["incumbent"] / median["convert"]:.0f}')
    report = {'schema': 'anemone.bench-convert/1', 'median_ms': median, 'peak_mb': peak}
    print(json.dumps({**report, 'convert_over_floor': statistics.median(ratios)}))
