#!/usr/bin/env python3
"""Recorded packages, exported: onnx.checker accepts them, and ONNX Runtime gives the numbers that were recorded (kind
mil), or those of our executor on seeded inputs (kind pass, which has none recorded).

usage: export_cases.py [mil|pass ...] [--only SUBSTRING] [--why]

What is refused is listed with its reason in refused_export.txt, which may only shrink.
"""

import collections
import json
import pathlib
import re
import subprocess
import sys
import tarfile

import numpy as np

from export import draw, executed, onnx, onnxruntime, session_of
from lib import anemone, check, finish, scratch, shared, skip

listed = pathlib.Path(__file__).with_name('refused_export.txt')
# Of the largest expected value. What was recorded in half differs by more than our executor's fp32, where the numbers
# that a package stores are rounded to half once.
HALF, ROUNDED, SINGLE = 5e-3, 2.0**-10, 1e-4


def export(model, path):
    """None, or why not."""
    command = [anemone, 'export', model, '-o', path, '--opset', '18', '--passes', 'none', '--json']
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120)
    if done.returncode == 0:
        return None
    if done.returncode == 3:
        return 'refused', ' '.join(re.sub(r'\(.*?\)', '', line).strip() for line in done.stderr.splitlines()[:2])
    return 'fail', f'exit {done.returncode}: {done.stderr[-300:]}'


def recorded(folder, name):
    with np.load(folder / name, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def feeds_of(session, arrays):
    """Recorded inputs under the names and types that the file asks for."""
    wanted = session.get_inputs()
    if any(spec.name not in arrays for spec in wanted):
        arrays = dict(zip((spec.name for spec in wanted), arrays.values()))
    feeds = {}
    for spec in wanted:
        dtype = {'tensor(float)': 'f4', 'tensor(float16)': 'f2', 'tensor(int32)': 'i4', 'tensor(bool)': '?'}[spec.type]
        array = arrays[spec.name].astype(dtype)
        feeds[spec.name] = array.reshape(()) if array.size == 1 and not spec.shape else array
        if array.ndim == 0 and spec.shape:
            feeds[spec.name] = array.reshape([1] * len(spec.shape))
    return feeds


def difference(got, want, relative):
    """'' or what differs."""
    if got.size != want.size:
        return f'shape {list(got.shape)} instead of {list(want.shape)}'
    a, b = got.astype(np.float64).ravel(), want.astype(np.float64).ravel()
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    finite = b[np.isfinite(b)]
    limit = relative * max(1.0, float(np.abs(finite).max(initial=0)))
    with np.errstate(all='ignore'):
        bad = ~same & ~(np.abs(a - b) <= limit)
    if not bad.any():
        return ''
    at = int(np.argmax(bad))
    return f'{bad.sum()} of {bad.size} values differ by more than {limit:.2g}: {a[at]:.7g} instead of {b[at]:.7g}'


def judge(kind, folder, package):
    path = scratch / 'case.onnx'
    path.unlink(missing_ok=True)
    problem = export(package, path)
    if problem:
        return problem
    try:
        onnx.checker.check_model(str(path), full_check=True)
        session = session_of(path)
        meta = json.loads((folder / 'meta.json').read_text())
        half = meta.get('precision') == 'fp16' or 'fp16' in package_text(package)
        if kind == 'mil':
            feeds, want = feeds_of(session, recorded(folder, 'inputs.npz')), recorded(folder, 'outputs.npz')
            relative = HALF if half else SINGLE
            names = [o.name for o in session.get_outputs()]
            want = [want[n] for n in names] if all(n in want for n in names) else list(want.values())
        else:
            relative = ROUNDED if half else SINGLE
            feeds = draw(session, 7, set())
            want = executed(package, feeds, None, ['--precision', 'fp32'], scratch / 'run', expect=(0, 3))
            if want is None:
                return 'left out', 'shapes that come as numbers, and drawn ones are none'
        got = session.run(None, feeds)
    except Exception as error:
        return 'fail', ' '.join(str(error).split())[:300]
    if len(want) != len(got):
        return 'fail', f'{len(got)} outputs instead of {len(want)}'
    problems = [d for d in (difference(g, w, relative) for g, w in zip(got, want)) if d]
    return ('fail', problems[0]) if problems else ('pass', '')


def package_text(package):
    done = subprocess.run([anemone, 'print', str(package)], capture_output=True, text=True)
    return done.stdout


def main():
    words = [w for w in sys.argv[1:] if not w.startswith('--')]
    only = sys.argv[sys.argv.index('--only') + 1] if '--only' in sys.argv else ''
    kinds = [w for w in words if w in ('mil', 'pass')] or ['mil', 'pass']
    known = dict(line.rstrip('\n').split('\t', 1) for line in listed.read_text().splitlines() if '\t' in line)
    for kind in kinds:
        with tarfile.open(shared / f'conformance/{kind}.tar.xz') as tar:
            tar.extractall(scratch / 'cases')
        verdicts, refused = collections.Counter(), collections.Counter()
        for package in sorted((scratch / 'cases' / kind).glob('**/*.mlpackage')):
            folder = package.parent
            while not (folder / 'meta.json').exists():
                folder = folder.parent
            name = f'{kind}/{package.parent.relative_to(scratch / "cases" / kind)}'
            if only not in name:
                continue
            verdict, why = judge(kind, folder, package)
            verdicts[verdict] += 1
            if verdict == 'refused':
                refused[why] += 1
                if not only:
                    check(f'{name} is listed in {listed.name}', name in known, why)
            elif verdict != 'left out':
                check(name, verdict == 'pass', why)
        print(f'{kind}: ' + ', '.join(f'{verdicts[v]} {v}' for v in ('pass', 'refused', 'left out', 'fail')))
        if '--why' in sys.argv:
            for why, count in refused.most_common():
                print(f'  {count:4} {why}')


if shared:
    main()
else:
    skip(1046, 'recorded packages: no ../shared')
finish()
