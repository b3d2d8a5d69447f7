#!/usr/bin/env python3
"""Writes docs/reference/zoo-ort.md to stdout: what ONNX Runtime's CoreML provider takes of networks that others made.

usage: scripts/zoo_ort.py ANEMONE FOLDER > docs/reference/zoo-ort.md"""

import collections
import json
import pathlib
import subprocess
import sys

anemone, folder = sys.argv[1], pathlib.Path(sys.argv[2])
print("""<!-- Made by scripts/zoo_ort.py; a test compares. Do not edit. -->

# Foreign networks under ONNX Runtime's CoreML provider

Predictions: `anemone plan MODEL --ort TARGET`. *between*: refused nodes with supported ones before and behind them.

| network | target | nodes | supported | partitions | between | most refused |
|---|---|---|---|---|---|---|""")
for path in sorted(folder.glob('*.onnx')):
    for target in ('1.19/neuralnetwork', '1.23/mlprogram'):
        done = subprocess.run([anemone, 'plan', path, '--ort', target, '--json'], capture_output=True, text=True)
        answer = json.loads(done.stdout)
        if done.returncode:
            print(f'| {path.name} | {target} | not readable: {answer["diagnostics"][0]["code"]} | | | | |')
            continue
        refused = collections.Counter((n['op'], n['code']) for n in answer['rejected'])
        words = ', '.join(f'{n} {op} {code}' for (op, code), n in sorted(refused.items(), key=lambda x: (-x[1], x[0]))[:4])
        print(
            f"| {path.name} | {target} | {answer['nodes']['total']} | {answer['nodes']['supported']} "
            f"| {answer['partitions']} | {sum(n['separates'] for n in answer['rejected'])} | {words} |"
        )
