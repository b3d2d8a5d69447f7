#!/usr/bin/env python3
"""`bench` against clocks of others: the time of whole processes (by hyperfine, where it is installed), a product whose
operations are known, and Python's onnxruntime.

Times of a loaded machine say nothing. Every comparison is tried several times and the best try counts; where the load
is more than six times the cores, the timed checks are skipped, loudly."""

import csv
import io
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import time

import numpy as np
from lib import anemone, check, finish, run, scratch, skip

TRIES = 6
cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()


def too_busy():
    return os.getloadavg()[0] > 6 * cores


def best(name, limit, attempt):
    """The least deviation of some tries, which has to be within the limit."""
    least = None
    for _ in range(TRIES):
        deviation = abs(attempt())
        least = deviation if least is None else min(least, deviation)
        if least <= limit:
            break
    check(f'{name}: within {100 * limit:.0f} %', least <= limit, f'{100 * least:.1f} %')


side = 384
values = np.random.default_rng(1).standard_normal((side, side)).astype('<f4')
product = scratch / 'product.mil'
weight = ', '.join(f'{v:.4f}' for v in values.ravel())
product.write_text(
    f'func main<ios17>(tensor<fp32, [{side}, {side}]> x) {{\n'
    f'  y = linear(x = x, weight = tensor<fp32, [{side}, {side}]>([{weight}]));\n  z = tanh(x = y);\n}} -> (z);\n'
)
macs = side**3

# What the columns say of each other, and of a product whose operations are known.
got = run('bench', product, '--runs', 30, '--per-op', '--threads', 1)
if got:
    times = got['model']['runs_ms']
    check('runs', got['runs'] == len(times) == 30, got['runs'])
    check('median', abs(got['median_ms'] - statistics.median(times)) < 1e-9, got['median_ms'])
    check('p90', abs(got['p90_ms'] - np.quantile(times, 0.9)) < 1e-9, got['p90_ms'])
    check('min and max', (got['min_ms'], got['max_ms']) == (min(times), max(times)), (got['min_ms'], got['max_ms']))
    low, high = np.quantile(times, [0.25, 0.75])
    outliers = sum(t > high + 1.5 * (high - low) for t in times)
    check('outliers', got['outliers'] == outliers, (got['outliers'], outliers))
    op = next(o for o in got['model']['ops'] if 'linear' in o['type'])
    check('the operations of the product', op['macs'] == macs, op)
    check('GFLOP/s', abs(op['gflops'] - 2 * macs / op['ms'] / 1e6) <= 1e-6 * op['gflops'], op)
    check('of the peak', abs(op['of_peak'] - op['gflops'] / got['peak_gflops']) <= 1e-9, op)
    said = [*got['peak_measured'].values(), *(o['gflops'] for o in got['model']['ops'] if not o['fewer_products'])]
    check('the peak is the largest that was seen', got['peak_gflops'] == max(said), (got['peak_gflops'], said))
    check('parts make a whole', abs(sum(o['share'] for o in got['model']['ops']) - 1) < 1e-6)
    if too_busy():
        skip(2, f'load {os.getloadavg()[0]:.1f} on {cores} cores: shares of the peak mean nothing')
    else:
        shares = [op['of_peak']]
        for _ in range(TRIES):
            again = run('bench', product, '--runs', 30, '--per-op', '--threads', 1)
            shares.append(next(o for o in again['model']['ops'] if 'linear' in o['type'])['of_peak'])
        check('a large product is near the peak', max(shares) > 0.4, shares)
        check('and the middle one not above it', statistics.median(shares) < 1.05, shares)

# Winograd's products are fewer than those of the definition, and the table says so; others are never above the peak.
maps = scratch / 'maps.mil'
kernel = ', '.join(f'{v:.3f}' for v in np.random.default_rng(2).standard_normal(64 * 64 * 9))
maps.write_text(
    'func main<ios17>(tensor<fp32, [1, 64, 64, 64]> x) {\n  y = conv(x = x, weight = tensor<fp32, [64, 64, 3, 3]>(['
    f'{kernel}]), strides = [1, 1], pad_type = "same", pad = [0, 0, 0, 0], dilations = [1, 1], groups = 1);\n'
    '} -> (y);\n'
)
got = run('bench', maps, '--runs', 5, '--per-op')
if got:
    op = next(o for o in got['model']['ops'] if o['macs'])
    check('Winograd is marked', op['algorithm'] == 'winograd' and op['fewer_products'], op)
    lines = subprocess.run([anemone, 'bench', maps, '--runs', '5', '--per-op'], capture_output=True, text=True).stdout
    check('and explained', "* Winograd's algorithm multiplies less" in ' '.join(lines.split()), lines)

# Several samples a call: of a checkpoint, as one after the other; a package says that it cannot.
star, package = scratch / 'star.pkl', scratch / 'star.mlpackage'
run('synth', 'star', '-o', star)
run('convert', star, '-o', package)
pictures = np.random.default_rng(3).uniform(-1, 1, (2, 3, 256, 256)).astype('<f4')
for name, batch in (('both', pictures), ('first', pictures[:1]), ('second', pictures[1:])):
    np.save(scratch / f'{name}.npy', batch)
    run('run', star, '--batch', len(batch), '--input', scratch / f'{name}.npy', '-o', scratch / name)
both, *alone = (np.load(scratch / name / 'landmarks.npy') for name in ('both', 'first', 'second'))
check('samples at a time are samples one by one', np.abs(both - np.concatenate(alone)).max() < 1e-5, both.shape)
got = run('bench', star, '--batch', 2, '--runs', 3)
rate = got and got['samples_per_second'] / got['calls_per_second']
check('bench --batch of a checkpoint', got and got['batch'] == 2 and abs(rate - 2) < 1e-9, rate)
for words in ((package,), (star, '--against', package)):
    refused = subprocess.run([anemone, 'bench', *words, '--batch', '2'], capture_output=True, text=True)
    check('a package takes what it takes', refused.returncode == 2 and '--streams' in refused.stderr, refused.stderr)

# A table for a spreadsheet.
rows = list(csv.DictReader(io.StringIO(
    subprocess.run([anemone, 'bench', product, '--runs', '5', '--csv'], capture_output=True, text=True).stdout
)))  # fmt: skip
check('--csv', len(rows) == 1 and rows[0]['runs'] == '5' and float(rows[0]['median_ms']) > 0, rows)

# A row for each model; what neither table nor listing would hold is refused before anything is read.
rows = list(csv.DictReader(io.StringIO(
    subprocess.run([anemone, 'bench', product, '--against', product, '--runs', '5', '--csv'],
                   capture_output=True, text=True).stdout
)))  # fmt: skip
check('--csv --against', [row['model'] for row in rows] == [str(product)] * 2, rows)
for words in (
    '--peer ort --outputs z',
    '--csv --streams 2',
    '--csv --per-op --against nowhere.mil',
    '--csv --per-op --peer ort',
    '--plan --csv',
    '--plan --runs 5',
    '--plan --seconds 1',
    '--plan --streams 2',
    '--plan --per-op',
    '--plan --against nowhere.mil',
    '--plan --peer ort',
    '--accumulate fp16 --precision fp32',
):
    refused = subprocess.run([anemone, 'bench', 'nowhere.mil', *words.split()], capture_output=True, text=True)
    named = [word for word in words.split() if word.startswith('--')]
    both = refused.returncode == 2 and not refused.stdout and all(word in refused.stderr for word in named)
    check(f'{words}: refused, both named', both, refused.stderr)

# The document says what was run: values asked for, sizes, sums.
got = run('bench', product, '--runs', 2, '--outputs', 'y', '--precision', 'fp16', '--accumulate', 'fp16-reductions')
if got:
    said = {key: got.get(key) for key in ('outputs', 'accumulate', 'input_shapes')}
    shapes = [{'name': 'x', 'shape': [side, side]}]
    check('what was run', said == {'outputs': ['y'], 'accumulate': 'fp16-reductions', 'input_shapes': shapes}, said)
got = run('bench', star, '--runs', 1, '--shapes', '128x128')
if got:
    shapes = [each['shape'] for each in got.get('input_shapes', [])]
    check('the size', shapes == [[1, 3, 128, 128]] and not {'outputs', 'accumulate'} & set(got), shapes)

# Time instead of runs; streams.
got = run('bench', product, '--seconds', 0.3, '--threads', 1, '--streams', 2)
if got:
    spent = sum(got['model']['runs_ms']) / 1000
    check('--seconds', 0.15 < spent < 1.5 or too_busy(), spent)
    check('--streams', got['streams']['count'] == 2 and got['streams']['calls_per_second'] > 0, got['streams'])
pair = run('bench', product, '--against', product, '--runs', 41, '--threads', 1)
if pair:
    spread = pair['ratio_spread']
    check('a spread around the ratio', spread['low'] <= pair['ratio'] <= spread['high'], spread)
    ratios = [a / b for a, b in zip(pair['model']['runs_ms'], pair['against']['runs_ms'])]
    check('the ratio is of the rounds', abs(pair['ratio'] - statistics.median(ratios)) < 1e-9, pair['ratio'])
    check('equals are equal', 0.8 < pair['ratio'] < 1.25 or too_busy(), pair['ratio'])


# The whole process with few and with many runs: the slope is what one run takes.
clock = shutil.which('hyperfine')
if not clock:
    skip(1, 'the time of processes by hyperfine: it is not installed, so Python takes it; apt-get install hyperfine')


def process_seconds(runs):
    """Of a whole process, and what it said of its runs."""
    command = [anemone, 'bench', str(product), '--runs', str(runs), '--threads', '1', '--json']
    if not clock:
        start = time.perf_counter()
        process = subprocess.run(command, capture_output=True, text=True)
        return time.perf_counter() - start, json.loads(process.stdout)
    times, said = scratch / 'hyperfine.json', scratch / 'said.json'
    subprocess.run(
        [clock, '--shell', 'none', '--runs', '1', '--export-json', times, '--output', said, shlex.join(command)],
        check=True,
        capture_output=True,
    )
    return json.loads(times.read_text())['results'][0]['times'][0], json.loads(said.read_text())


def slope():
    few, many = 20, 420
    short, _ = process_seconds(few)
    long, said = process_seconds(many)
    return statistics.mean(said['model']['runs_ms']) / (1000 * (long - short) / (many - few)) - 1


if too_busy():
    skip(1, f'load {os.getloadavg()[0]:.1f} on {cores} cores: the time of processes says nothing')
else:
    best(f'bench against whole processes, timed by {"hyperfine" if clock else "Python"}', 0.05, slope)

# ONNX Runtime by its C interface, against the same library called from Python.
environment = {k: v for k, v in os.environ.items() if k not in ('ANEMONE_ONNXRUNTIME', 'VIRTUAL_ENV')}
missing = subprocess.run(
    [anemone, 'bench', product, '--peer', 'ort'],
    capture_output=True,
    text=True,
    env={**environment, 'ANEMONE_ONNXRUNTIME': '/nowhere/libonnxruntime.so'},
)
check('no library: exit 4', missing.returncode == 4 and 'ANEMONE_ONNXRUNTIME' in missing.stderr, missing.stderr)
try:
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
except ImportError:
    onnxruntime = None
    skip(3, 'onnxruntime is not installed for this Python')
if onnxruntime:
    model = scratch / 'product.onnx'
    run('export', product, '-o', model, '--precision', 'fp32')
    environment['VIRTUAL_ENV'] = sys.prefix

    def peer(*options):
        process = subprocess.run(
            [anemone, 'bench', *options, '--peer', 'ort', '--runs', '60', '--threads', '1', '--json'],
            capture_output=True,
            text=True,
            env=environment,
        )
        check(f'--peer of {options[0].suffix}', process.returncode == 0, process.stderr)
        return json.loads(process.stdout)['peer'] if process.returncode == 0 else None

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=['CPUExecutionProvider'])
    given = {session.get_inputs()[0].name: values}

    def python_ms():
        for _ in range(3):
            session.run(None, given)
        spent = []
        for _ in range(60):
            start = time.perf_counter()
            session.run(None, given)
            spent.append(1000 * (time.perf_counter() - start))
        return min(spent)

    got = peer(model)
    if got:
        check('its version', got['version'] == onnxruntime.__version__, got['version'])
        if too_busy():
            skip(1, 'the machine is too busy to compare two timings of ONNX Runtime')
        else:
            best('the C interface against Python', 0.15, lambda: peer(model)['side']['min_ms'] / python_ms() - 1)
    peer(product)
finish()
