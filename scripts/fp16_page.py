#!/usr/bin/env python3
"""Writes docs/evidence/fp16.md to stdout: which operations' rounding to fp16 moves STAR's landmarks, and by how much.

usage: scripts/fp16_page.py ANEMONE HEADS CROP… > docs/evidence/fp16.md   (25 minutes)

HEADS: tensors for 'synth star --heads'; CROP: pictures of faces of 256x256, for the decoder."""

import array
import ast
import json
import math
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

anemone, heads, *crops = sys.argv[1:]
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

# The decoder as exporters write it: sums, divided. The package's own is one matrix product.
WRITTEN_OUT = """func main<ios17>(tensor<fp16, [1, {points}, 64, 64]> fusion3) {{
  column = tensor<fp16, [1, 1, 64, 64]>({column});
  row = tensor<fp16, [1, 1, 64, 64]>({row});
  sum = reduce_sum(x = fusion3, axes = [2, 3], keep_dims = false);
  mass = maximum(x = sum, y = fp16(6.104e-05));
  by_column = mul(x = fusion3, y = column);
  by_row = mul(x = fusion3, y = row);
  by_columns = reduce_sum(x = by_column, axes = [2, 3], keep_dims = false);
  by_rows = reduce_sum(x = by_row, axes = [2, 3], keep_dims = false);
  x = real_div(x = by_columns, y = mass);
  y = real_div(x = by_rows, y = mass);
  landmarks = stack(values = (x, y), axis = -1);
}} -> (landmarks);
"""
PRODUCT = """func main<ios17>(tensor<fp16, [1, {points}, 64, 64]> fusion3) {{
  grid = tensor<fp16, [1, 4096, 3]>({grid});
  flat = reshape(x = fusion3, shape = [1, {points}, 4096]);
  sums = matmul(x = flat, y = grid, transpose_x = false, transpose_y = false);
  moments = slice_by_index(x = sums, begin = [0, 0, 0], end = [1, {points}, 2]);
  mass = slice_by_index(x = sums, begin = [0, 0, 2], end = [1, {points}, 3]);
  floor = maximum(x = mass, y = fp16(6.104e-05));
  landmarks = real_div(x = moments, y = floor);
}} -> (landmarks);
"""
TWO_PRODUCTS = """func main<ios17>(tensor<fp16, [1, {points}, 64, 64]> fusion3) {{
  line = tensor<fp16, [1, 1, 64, 2]>({line});
  rows = matmul(x = fusion3, y = line, transpose_x = false, transpose_y = false);
  all = matmul(x = rows, y = line, transpose_x = true, transpose_y = false);
  sums = reshape(x = all, shape = [1, {points}, 4]);
  moments = slice_by_index(x = sums, begin = [0, 0, 1], end = [1, {points}, 3]);
  mass = slice_by_index(x = sums, begin = [0, 0, 3], end = [1, {points}, 4]);
  floor = maximum(x = mass, y = fp16(6.104e-05));
  landmarks = real_div(x = moments, y = floor);
}} -> (landmarks);
"""
POINTS = 98
PLACES = [2 * i - 63 for i in range(64)]


def numbers(file):
    """What is in a .npy file of floats."""
    data = file.read_bytes()
    begin = 10 + struct.unpack_from('<H', data, 8)[0]
    kind = ast.literal_eval(data[10:begin].decode())['descr']
    if kind == '<f2':
        return list(struct.unpack(f'<{(len(data) - begin) // 2}e', data[begin:]))
    return list(array.array('f', data[begin:]))


def execute(model, given, value='landmarks', sums='fp32'):
    """The .npy file of one value."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=scratch))
    run('run', model, '--input', given, '-o', folder, '--outputs', value, '--accumulate', sums)
    return folder / f'{value}.npy'


def distances(got, want):
    return [128 * math.dist(got[i : i + 2], want[i : i + 2]) for i in range(0, len(want), 2)]


def decoders():
    row = [y / 63 for y in PLACES for _ in PLACES]
    column = [x / 63 for _ in PLACES for x in PLACES]
    grid = [n / 64 for y in PLACES for x in PLACES for n in (x, y, 63)]
    line = [n / 64 for x in PLACES for n in (x, 63)]
    texts = {
        'sums, as exporters write it': WRITTEN_OUT,
        'one matrix product': PRODUCT,
        'two, of 64 terms': TWO_PRODUCTS,
    }
    for name, text in texts.items():
        path = scratch / f'decoder{len(name)}.mil'
        path.write_text(text.format(points=POINTS, row=row, column=column, grid=grid, line=line))
        yield name, path


def print_sums():
    plain = scratch / 'plain.mlpackage'
    run('convert', star, '-o', plain, '--passes', 'add_fp16_cast,dead_code_elimination')
    run('convert', star, '-o', package)
    want = [numbers(execute(star, crop)) for crop in crops]
    exact = [execute(star, crop, 'fusion3') for crop in crops]
    forms = dict(decoders())
    kinds = ('fp32', 'fp16-reductions', 'fp16')

    def row(name, form, maps_of):
        cells = []
        for sums in kinds:
            maps = [maps_of(i, sums) for i in range(len(crops))]
            apart = [d for m, w in zip(maps, want) for d in distances(numbers(execute(forms[form], m, sums=sums)), w)]
            cells.append(f'{sum(apart) / len(apart):.3f} / {max(apart):.2f}')
        print(f'| {name} | {form} | {" | ".join(cells)} |', flush=True)

    print("""
## Where sums are in half precision too

Mean / max in pixels on three of the pictures that the heads were made for. Sums inside operations are wide; or those of
reductions are rounded after every term (`--accumulate fp16-reductions`), which is what the Neural Engine is believed to
do; or those of convolutions and matrix products are as well (`--accumulate fp16`), for which there is no evidence.

| heat maps | decoder | wide | reductions in half | all in half |
|---|---|---|---|---|""")
    for form in forms:
        row('in fp32, the same for all', form, lambda i, sums: exact[i])
    names = list(forms)
    row('of the import in fp16, no other pass', names[0], lambda i, sums: execute(plain, crops[i], 'fusion3', sums))
    row('of the package', names[1], lambda i, sums: execute(package, crops[i], 'fusion3', sums))
    print("""
The decoder is a matrix product because of the second column. Were products summed in half as well, 4096 terms would
lose as much in it as in a reduction: a sum that has reached 16 takes no term below 1/128. Two products of 64 terms each
would lose less; they are an operation more, are no better where products sum wide, and products of the Neural Engine
are known to.""")


def print_farthest():
    """Over 36 pictures: the landmark that is farthest off, and what moves it."""
    seeds = range(1, 7)

    def judged(model):
        return [run('verify', model, '--against', star, '--seed', s)['landmarks'] for s in seeds]

    whole = scratch / 'whole.mlpackage'
    run('convert', star, '-o', whole)
    marks = judged(whole)
    at = max(range(len(marks)), key=lambda i: marks[i]['max_px'])
    point, seed = marks[at]['worst_point'], seeds[at]
    saved = scratch / 'saved'
    limit = 0.99 * marks[at]['max_px']  # so that this picture fails, and is saved
    run('verify', whole, '--against', star, '--seed', seed, '--max-px', limit, '--save', saved)
    ours, theirs = saved / 'input1-candidate-image.npy', saved / 'input1-reference-image.npy'
    want = numbers(execute(star, theirs))

    def off(model):
        return distances(numbers(execute(model, ours)), want)[point]

    print(f"""
## The farthest landmark

Over 36 pictures (`verify --seed 1` to `6`), and at the landmark that is farthest off in the package: {point} of
{marks[at]['worst_input']}, seed {seed}.

| package | mean | max | that landmark |
|---|---|---|---|""")

    def row(name, model, found):
        mean = sum(m['mean_px'] for m in found) / len(found)
        print(f'| {name} | {mean:.4f} | {max(m["max_px"] for m in found):.3f} | {off(model):.3f} |', flush=True)

    row('the package', whole, marks)
    for skipped in ('compose_pointwise_convs', 'merge_summed_convs'):
        run('convert', star, '-o', package, '--skip-pass', skipped)
        row(f'`--skip-pass {skipped}`', package, judged(package))
    run('convert', twin, '-o', package, '--passes', HALF)
    row('the same graph, its constants joined before they are rounded', package, judged(package))
    parts = {p: off(halved(names[:b] + names[e:])) for (p, b), e in zip(starts.items(), ends)}
    alone = {k: off(halved([n for n, t in made if t != k])) for k in kinds}
    part, kind = max(parts, key=parts.get), max(alone, key=alone.get)
    cells = slice(point * 4096, (point + 1) * 4096)
    before, after = (numbers(execute(m, i, 'fusion3'))[cells] for m, i in ((star, theirs), (whole, ours)))
    mass = sum(before)
    centre = (
        sum(h * PLACES[c % 64] for c, h in enumerate(before)) / mass,
        sum(h * PLACES[c // 64] for c, h in enumerate(before)) / mass,
    )
    lever = [math.dist((PLACES[c % 64], PLACES[c // 64]), centre) * 128 / 63 for c in range(4096)]
    spread = math.sqrt(sum(h * far * far for h, far in zip(before, lever)) / mass)
    pulls = [abs(b - a) * far / mass for a, b, far in zip(before, after, lever)]
    live = sum(h > 0 for h in before)
    print(f"""
No part of the network alone moves it by more than {parts[part]:.2f} px ({part}), no kind of operation by more
than {alone[kind]:.2f} ({kind}). The map that it is decoded from, of the last heads, is broad: {live} of 4096 cells are
above 0, {spread:.0f} px from their centre in the mean square, with a sum of {mass:.1f}. All roundings together
make that {sum(after):.1f}; no cell pulls the centre by more than {max(pulls):.2f} px, and all in one direction would
by {sum(pulls):.2f}. Which way they add up is chance: roundings that are as good on average put this landmark
elsewhere, and another one farthest. A trained network's maps are peaks, whose cells have no such lever.""")


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
print_sums()
print_farthest()
