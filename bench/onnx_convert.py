#!/usr/bin/env python3
"""Cost of importing, optimising and writing a large ONNX file whose weights lie beside it, and the copy floor.

usage: bench/onnx_convert.py [--mb 500] [--runs 5] [--build build/release] [--folder DIR] [--precision fp32|fp16]

A network of 1x1 and 3x3 convolutions and products of about that many megabytes is made with random weights as external
data. In one interleaved run it is converted (`anemone convert`) and its weight file copied (read and written in pieces
of 1 MB, flushed to disk as the package is). Printed: wall time, their ratio, and the peak of memory as a share of what
is written; mapped pages of the file count as memory. Above 2 GB (`--mb 2500`) protobuf alone could not hold the model.
Needs numpy and onnx.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy as np
import onnx
from onnx import TensorProto, helper

root = pathlib.Path(__file__).resolve().parents[1]
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('--mb', type=int, default=500)
parser.add_argument('--runs', type=int, default=5)
parser.add_argument('--build', type=pathlib.Path, default=root / 'build/release')
parser.add_argument('--folder', type=pathlib.Path, help='where the files go (and are removed again)')
parser.add_argument('--precision', default='fp32', choices=['fp32', 'fp16'])
options = parser.parse_args()
WIDTH = 1024
PIECE = 1 << 20


def make(folder):
    """model.onnx with its weights in weights.bin."""
    random = np.random.default_rng(1)
    block = random.standard_normal(WIDTH * WIDTH * 9, np.float32)
    nodes, tensors, offset, value = [], [], 0, 'x'
    with (folder / 'weights.bin').open('wb') as weights:

        def weight(name, dims):
            nonlocal offset
            size = 4 * int(np.prod(dims))
            tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=dims)
            tensor.data_location = TensorProto.EXTERNAL
            for key, text in (('location', 'weights.bin'), ('offset', offset), ('length', size)):
                tensor.external_data.add(key=key, value=str(text))
            # No two are the same: equal weights would be stored once.
            weights.write((block[: size // 4] * np.float32(0.01 + 1e-4 * len(tensors))).tobytes())
            weights.write(bytes(-size % 4096))
            offset += size + -size % 4096
            tensors.append(tensor)
            return name

        layer = 0
        while offset < options.mb * 1_000_000:
            kernel = 3 if layer % 2 == 0 else 1
            w = weight(f'w{layer}', [WIDTH, WIDTH, kernel, kernel])
            nodes.append(helper.make_node('Conv', [value, w], [f'c{layer}'], pads=[kernel // 2] * 4))
            nodes.append(helper.make_node('Relu', [f'c{layer}'], [f'r{layer}']))
            value, layer = f'r{layer}', layer + 1
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, WIDTH, 4, 4]) for name in ('x', value)]
    graph = helper.make_graph(nodes, 'large', ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    (folder / 'model.onnx').write_bytes(model.SerializeToString())


def copy(source, target):
    with source.open('rb', buffering=0) as given, target.open('wb', buffering=0) as made:
        while piece := given.read(PIECE):
            made.write(piece)
        os.fsync(made.fileno())


def timed(command):
    """Wall seconds, processor seconds and peak bytes of a process."""
    start = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f'{command} exits with {os.waitstatus_to_exitcode(status)}')
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


with tempfile.TemporaryDirectory(dir=options.folder) as name:
    folder = pathlib.Path(name)
    make(folder)
    package = folder / 'model.mlpackage'
    command = [options.build / 'anemone', 'convert', folder / 'model.onnx', '-o', package, '--input', 'tensor', '-q']
    command += ['--precision', options.precision]
    walls, floors, ratios, peak, processor = [], [], [], 0, 0.0
    for _ in range(options.runs):
        wall, processor, rss = timed(command)
        start = time.perf_counter()
        copy(folder / 'weights.bin', folder / 'copy.bin')
        floors.append(time.perf_counter() - start)
        walls.append(wall)
        ratios.append(walls[-1] / floors[-1])
        peak = max(peak, rss)
    size = sum(file.stat().st_size for file in package.rglob('*') if file.is_file())
    given = (folder / 'weights.bin').stat().st_size
times = f'convert {statistics.median(walls):.2f} s ({processor:.2f} s of processor)'
print(f'{given / 1e6:.0f} MB of weights, {size / 1e6:.0f} MB written ({options.precision}), {options.runs} runs')
print(f'  {times}, copy {statistics.median(floors):.2f} s; ratio {statistics.median(ratios):.2f} (median of pairs)')
print(f'  peak {peak / 1e6:.0f} MB = {peak / size:.2f} of what is written')
report = {'convert_s': statistics.median(walls), 'copy_s': statistics.median(floors), 'peak_bytes': peak}
report |= {'written': size, 'convert_over_copy': statistics.median(ratios)}
print(json.dumps({'schema': 'anemone.bench-onnx-convert/1', **report}))
