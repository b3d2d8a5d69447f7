#!/usr/bin/env python3
"""Writes docs/reference/zoo-plans.md to stdout: the plans of packages that others made.

usage: scripts/zoo_plans.py ANEMONE FOLDER > docs/reference/zoo-plans.md"""

import json
import pathlib
import subprocess
import sys

anemone, folder = sys.argv[1], pathlib.Path(sys.argv[2])
print("""<!-- Made by scripts/zoo_plans.py; a test compares. Do not edit. -->

# Plans of foreign packages

Predictions, not measurements: `anemone plan MODEL --device DEVICE`. *on engine*: where the planner puts them;
*could be*: what the engine would take; segments: on the engine + elsewhere; planner: its own estimate.

| package | device | operations | on engine | could be | segments | planner ms | latency ms | most expensive findings |
|---|---|---|---|---|---|---|---|---|""")
for path in sorted(p for p in folder.iterdir() if p.is_dir()):
    for device in ('m1', 'm4'):
        done = subprocess.run([anemone, 'plan', path, '--device', device, '--json'], capture_output=True, text=True)
        answer = json.loads(done.stdout)
        if done.returncode:
            print(f'| {path.name} | {device} | not readable: {answer["diagnostics"][0]["code"]} | | | | | | |')
            continue
        elsewhere = len(answer['segments']) - answer['partitions']
        findings = ', '.join(dict.fromkeys(f['code'] for f in answer['findings'] if f['checked']))
        print(
            f"| {path.name} | {device} | {answer['ops']['total']} | {answer['ops']['ane']} "
            f"| {answer['ops']['supported']} "
            f"| {answer['partitions']} + {elsewhere} | {answer['planner_ms']:.2f} "
            f"| {answer['latency_ms']['low']:.2g} to {answer['latency_ms']['high']:.2g} | {findings} |"
        )
