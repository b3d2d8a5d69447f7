#!/usr/bin/env python3
"""Writes docs/evidence/rewrites.md to stdout: rewrites that passes could make and do not, priced side by side.

usage: scripts/rewrites_page.py ANEMONE > docs/evidence/rewrites.md"""

import json
import pathlib
import subprocess
import sys
import tempfile

anemone = sys.argv[1]
scratch = pathlib.Path(tempfile.mkdtemp(prefix='rewrites-'))
MAP = 64  # STAR's maps
LEVELS = {'a': 80, 'b': 40, 'c': 20}  # RetinaFace's maps at 640x640
HEADS = {'box': 8, 'score': 4, 'point': 20}  # channels of each


def program(inputs, lines, outputs):
    given = ', '.join(f'tensor<fp16, [1, {c}, {n}, {n}]> {name}' for name, c, n in inputs)
    return f'func main<ios17>({given}) {{\n' + ''.join(f'  {line};\n' for line in lines) + f'}} -> ({outputs});\n'


def conv(name, x, channels, out):
    weight = f'tensor<fp16, [{out}, {channels}, 1, 1]>(splat(0.01))'
    return f'{name} = conv(x = {x}, weight = {weight}, bias = tensor<fp16, [{out}]>(splat(0.5)), pad_type = "valid")'


def concat(name, values):
    return f'{name} = concat(values = ({", ".join(values)}), axis = 1, interleave = false)'


def split(names, x, sizes, axis=1):
    return f'{", ".join(names)} = split(x = {x}, split_sizes = {list(sizes)}, axis = {axis})'


def star_heads(kind):
    """From a stack's features to the sum that the next stack gets."""
    apart = [conv('heat', 'f', 256, 98), conv('point', 'f', 256, 98), conv('edge', 'f', 256, 9)]
    maps = ['points = sigmoid(x = point)', 'edges = sigmoid(x = edge)']
    lines = {
        'apart': apart + maps,
        'one': [conv('all', 'f', 256, 205), split(['heat', 'point', 'edge'], 'all', (98, 98, 9))] + maps,
        'two': [apart[0], conv('rest', 'f', 256, 107), 'both = sigmoid(x = rest)'],
    }[kind]
    lines += ['norm = instance_norm(x = heat, epsilon = fp32(0.00016))', 'heats = relu(x = norm)']
    lines += [concat('c', ['f', 'heats'] + (['both'] if kind == 'two' else ['points', 'edges']))]
    lines += [conv('merged', 'c', 461, 256), 'y = add(x = merged, y = pre)']
    return program([('f', 256, MAP), ('pre', 256, MAP)], lines, 'y')


def retinaface_heads(kind):
    """From the three levels to boxes, scores and points."""
    lines = []
    for level, n in LEVELS.items():
        parts = {head: f'{level}_{head}' for head in HEADS}
        if kind == 'apart':
            lines += [conv(parts[h], level, 64, c) for h, c in HEADS.items()]
        else:
            lines += [conv(f'{level}_all', level, 64, sum(HEADS.values()))]
            lines += [split(parts.values(), f'{level}_all', HEADS.values())]
        for h, c in HEADS.items():
            lines += [f'{parts[h]}_last = transpose(x = {parts[h]}, perm = [0, 2, 3, 1])']
            lines += [f'{parts[h]}_rows = reshape(x = {parts[h]}_last, shape = [1, {2 * n * n}, {c // 2}])']
    lines += [concat(h, [f'{level}_{h}_rows' for level in LEVELS]) for h in HEADS]
    return program([(level, 64, n) for level, n in LEVELS.items()], lines, ', '.join(HEADS))


def star_coordinates(kind):
    """The first convolution of an hourglass: coordinates as channels, or what they add to each result."""
    line = f'tensor<fp16, [1, 1, {MAP}, {MAP}]>(splat(0.5))'
    planes, added = line.replace('1, 1, 64', '1, 3, 64'), line.replace('1, 1, 64', '1, 256, 64')
    lines = ['above = greater(x = edge, y = fp16(0.05))']
    if kind == 'channels':
        zero = line.replace('0.5', '0.0')
        lines += [f'{name} = select(cond = above, a = {line}, b = {zero})' for name in ('row', 'column')]
        lines += [concat('c', ['x', planes, 'row', 'column']), conv('y', 'c', 261, 256)]
    else:
        lines += ['mask = cast(x = above, dtype = "fp16")', conv('own', 'x', 256, 256)]
        lines += [f'everywhere = add(x = own, y = {added})', f'masked = mul(x = mask, y = {added})']
        lines += ['y = add(x = everywhere, y = masked)']
    return program([('x', 256, MAP), ('edge', 1, MAP)], lines, 'y')


def price(text):
    """Operations, and milliseconds on the engine by the planner's estimate for an M1."""
    path = scratch / 'part.mil'
    path.write_text(text)
    done = subprocess.run([anemone, 'plan', path, '--device', 'm1', '--json'], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    plan = json.loads(done.stdout)
    return plan['ops']['total'], sum(v['estimates_us']['ane'] for v in plan['verdicts']) / 1e3


def rows(what, written, others):
    operations, ms = price(written)
    print(f'| {what} as written | {operations} | {ms:.3f} |  |')
    for name, text in others:
        n, cost = price(text)
        print(f'| {name} | {n} | {cost:.3f} | {round(cost - ms, 3) + 0.0:+.3f} |')


print("""<!-- Made by scripts/rewrites_page.py; a test compares. Do not edit. -->

# Rewrites that were weighed and left out

Each is possible, exact up to rounding, and has no pass, because the system's planner, whose estimate for an M1 decides
what passes do, finds no gain in it. Milliseconds are of these operations alone, all on the engine.
`scripts/rewrites_page.py build/release/anemone` makes the programs and this page.

## 1x1 convolutions of one input as one
Arithmetic stays the same, and the planner prices convolutions by their arithmetic; what comes new is the copy that
takes the result apart. Two of STAR's heads need not be taken apart, for both go through the same activation into
neighbouring places of one concat: that saves operations and no time, and a lower count alone is not wanted.

| | operations | ms | against the first |
|---|---|---|---|""")
others = [('one convolution and a split', star_heads('one')), ('points and edges as one, no split', star_heads('two'))]
rows('STAR, a stack: three heads', star_heads('apart'), others)
others = [('one convolution and a split a level', retinaface_heads('one'))]
rows('RetinaFace 640x640: nine heads', retinaface_heads('apart'), others)
print("""
## Coordinates as what they add
A convolution of constant channels is a constant map, and of masked ones a map times the mask. Each map is as large as
the result, so that three passes over it replace the narrow part of a concat.

| | operations | ms | against the first |
|---|---|---|---|""")
others = [('maps that are added', star_coordinates('maps'))]
rows('STAR, an hourglass: coordinates', star_coordinates('channels'), others)
