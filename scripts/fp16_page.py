#!/usr/bin/env python3
"""Writes docs/evidence/fp16.md to stdout: which operations' rounding to fp16 moves STAR's landmarks, and by how much.

usage: scripts/fp16_page.py ANEMONE HEADS > docs/evidence/fp16.md   (HEADS: tensors for 'synth star --heads'; 15 minutes)"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

anemone, heads = sys.argv[1:]
scratch = pathlib.Path(tempfile.mkdtemp(prefix='fp16-'))
star, twin, package = scratch / 'star.pkl', scratch / 'twin.mlpackage', scratch / 'package.mlpackage'
SEEDS = (1, 2)
HALF = 'round_conv_weights,add_fp16_cast'


def run(*words):
    done = subprocess.run([anemone, *map(str, words), '--json'], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def error(model, *options):
    marks = [run('verify', model, '--against', star, '--seed', s, *options)['landmarks'] for s in SEEDS]
    return sum(m['mean_px'] for m in marks) / len(marks), max(m['max_px'] for m in marks)


def words(pair):
    return f'{pair[0]:.4f} | {pair[1]:.3f}'


def halved(keep):
    """The fp32 twin with these values in fp32, and all else in fp16."""
    run('convert', twin, '-o', package, '--passes', HALF, '--keep-fp32', ','.join(keep))
    return package


def values(model):
    """Names and types of what computes in fp32, in program order."""
    text = subprocess.run([anemone, 'print', model], capture_output=True, text=True).stdout
    made = re.findall(r'^ *tensor<fp32, \[[^]]*\]> (\w+) = (\w+)\(', text, re.M)
    return [(name, type) for name, type in made if type != 'const']


run('synth', 'star', '-o', star, '--heads', heads)
run('convert', star, '-o', twin, '--passes', 'ane', '--skip-pass', HALF)
made = values(twin)
names, kinds = [n for n, _ in made], sorted({t for _, t in made})
starts = {'stem': 0}
for i in range(4):
    for part, pattern in (('hourglass', f'hgs_{i}_'), ('features', f'features_{i}_'), ('heads', f'out_heatmaps_{i}_')):
        starts[f'{part} {i}'] = next(at for at, name in enumerate(names) if name.startswith(pattern))
ends = [*list(starts.values())[1:], len(names)]

print("""<!-- Made by scripts/fp16_page.py. Do not edit. -->

# What fp16 does to STAR's landmarks

Pixels of the 256 crop against the fp32 source; hash weights with heads fitted on six faces, which are far more
sensitive than trained ones. Over 12 changed pictures of the built-in face (`verify --seed 1` and `2`).

| | mean | max |
|---|---|---|""")
run('convert', star, '-o', package)
print(f'| the package, executed as stored | {words(error(package))} |')
print(f"| its weights alone: executed in fp32 | {words(error(package, '--precision', 'fp32'))} |")
run('convert', star, '-o', package, '--skip-pass', 'round_conv_weights')
print(f'| each weight rounded to its nearest instead (`--skip-pass round_conv_weights`) | {words(error(package))} |')
print(f"| its weights alone | {words(error(package, '--precision', 'fp32'))} |")
run('convert', star, '-o', package, '--skip-pass', 'merge_summed_convs')
print(f'| without merged convolutions (`--skip-pass merge_summed_convs`) | {words(error(package))} |', flush=True)
print("""
One kind of operation alone in fp16, all else in fp32: its weights, its results and what it is given are rounded.
Errors are independent: their squares add up to that of the whole.

| operations | mean | max |
|---|---|---|""", flush=True)
for kind in kinds:
    count = sum(t == kind for _, t in made)
    print(f"| {count} {kind} | {words(error(halved([n for n, t in made if t != kind])))} |", flush=True)
print("""
One part of the network alone in fp16:

| part | operations | mean | max |
|---|---|---|---|""")
for (part, begin), end in zip(starts.items(), ends):
    print(f'| {part} | {end - begin} | {words(error(halved(names[:begin] + names[end:])))} |', flush=True)
