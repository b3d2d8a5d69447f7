#!/usr/bin/env python3
"""ONNX networks by anemone and by ONNX Runtime (CPU provider), in turn in one run, with the same number of threads.

usage: bench/onnx_peer.py [--rounds 5] [--runs 5] [--threads 2] [--build build/release] MODEL.onnx|FOLDER …

Each network is converted once (`anemone convert --input tensor --precision fp32`); anemone runs the package, ONNX
Runtime the ONNX file. A round is --runs warm runs of the one and then of the other. Times are the least of all rounds,
the ratio is the median of the rounds' own ratios. Operations that anemone runs by their definition are named: a network
without any is fast throughout. Models that either side refuses are listed with the reason. Needs onnxruntime and numpy.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy as np
import onnxruntime as ort

root = pathlib.Path(__file__).resolve().parents[1]
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('models', nargs='+', type=pathlib.Path)
parser.add_argument('--rounds', type=int, default=5)
parser.add_argument('--runs', type=int, default=5)
parser.add_argument('--threads', type=int, default=2)
parser.add_argument('--build', type=pathlib.Path, default=root / 'build/release')
options = parser.parse_args()
TYPES = {'tensor(float)': np.float32, 'tensor(float16)': np.float16, 'tensor(double)': np.float64}


def runtime_session(model):
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    return ort.InferenceSession(model, settings, providers=['CPUExecutionProvider'])


def inputs_of(session):
    random = np.random.default_rng(1)
    feeds = {}
    for given in session.get_inputs():
        shape = [extent if isinstance(extent, int) and extent > 0 else 1 for extent in given.shape]
        feeds[given.name] = random.uniform(-1, 1, shape).astype(TYPES.get(given.type, np.int64))
    return feeds


def runtime_ms(session, feeds):
    times = []
    for _ in range(options.runs):
        start = time.perf_counter()
        session.run(None, feeds)
        times.append(1e3 * (time.perf_counter() - start))
    return times


def convert(model, folder):
    package = pathlib.Path(folder) / f'{model.stem}.mlpackage'
    command = [options.build / 'anemone', 'convert', model, '-o', package, '--input', 'tensor', '--precision', 'fp32']
    done = subprocess.run([str(word) for word in [*command, '-q']], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[0] if done.stderr else f'exit {done.returncode}')
    return package


def anemone_report(model):
    command = [options.build / 'anemone', 'bench', model, '--json', '--warm-up', '2']
    command += ['--runs', str(options.runs), '--threads', str(options.threads)]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[0] if done.stderr else f'exit {done.returncode}')
    return json.loads(done.stdout)


def compare(model, folder):
    package = convert(model, folder)
    session = runtime_session(model)
    feeds = inputs_of(session)
    session.run(None, feeds)
    ours, theirs, ratios, report = [], [], [], {}
    for _ in range(options.rounds):
        report = anemone_report(package)
        ours.append(report['model']['min_ms'])
        theirs.append(min(runtime_ms(session, feeds)))
        ratios.append(ours[-1] / theirs[-1])
    slow = sorted(
        row['type'].removesuffix(' (reference)') for row in report['model']['by_type'] if '(reference)' in row['type']
    )
    return {
        'anemone_ms': min(ours),
        'onnxruntime_ms': min(theirs),
        'ratio': statistics.median(ratios),
        'mmac': report['model']['macs'] / 1e6,
        'peak_mb': report['peak_rss_bytes'] / 1e6,
        'by_definition': slow,
    }


def main():
    files = [f for given in options.models for f in (sorted(given.glob('*.onnx')) if given.is_dir() else [given])]
    print(f'onnxruntime {ort.__version__}, {options.threads} threads, {options.rounds} rounds of {options.runs} runs')
    print(f'{"network":36} {"MMAC":>8} {"anemone":>10} {"runtime":>10} {"ratio":>6}  by definition')
    rows = {}
    for file in files:
        try:
            with tempfile.TemporaryDirectory() as folder:
                row = rows[file.name] = compare(file, folder)
        except Exception as problem:  # noqa: BLE001 - either side may refuse a model in its own way
            print(f'{file.stem:36} {str(problem).splitlines()[0][:110]}')
            continue
        print(
            f'{file.stem:36} {row["mmac"]:8.1f} {row["anemone_ms"]:7.2f} ms {row["onnxruntime_ms"]:7.2f} ms '
            f'{row["ratio"]:6.2f}  {" ".join(row["by_definition"])}'
        )
    if rows:
        mean = statistics.geometric_mean(row['ratio'] for row in rows.values())
        print(f'{len(rows)} networks, geometric mean of the ratios {mean:.2f}')
    print(json.dumps({'schema': 'anemone.bench-onnx-peer/1', 'networks': rows}))


main()
