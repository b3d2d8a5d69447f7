#!/usr/bin/env python3
"""Writes docs/evidence/passes.md to stdout: what each pass of the default pipeline does to real networks.

usage: scripts/passes_page.py ANEMONE TEST_DATA [ZOO] > docs/evidence/passes.md"""

import collections
import json
import lzma
import pathlib
import subprocess
import sys
import tarfile
import tempfile

anemone, data = sys.argv[1], pathlib.Path(sys.argv[2])
zoo = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
scratch = pathlib.Path(tempfile.mkdtemp(prefix='passes-'))
PLAIN = 'dead_code_elimination,const_elimination,add_fp16_cast,cast_optimization,noop_elimination,dead_code_elimination'


def run(*words):
    done = subprocess.run([anemone, *map(str, words), '--json'], capture_output=True, text=True)
    answer = json.loads(done.stdout)
    return answer if done.returncode == 0 else None


def package(name):
    with tarfile.open(data / 'ane' / f'{name}.mlpackage.tar.xz') as archive:
        archive.extractall(scratch)
    return scratch / f'{name}.mlpackage'


def onnx(name):
    path = scratch / f'{name}.onnx'
    path.write_bytes(lzma.open(data / 'ort' / f'{name}.onnx.xz').read())
    return path


run('synth', 'star', '-o', scratch / 'star.pkl')
own = {
    'STAR': scratch / 'star.pkl',
    'STAR, by coremltools': package('star_landmarks'),
    'STAR, by PyTorch as ONNX': onnx('star_fixed'),
    'RetinaFace, by coremltools': package('retinaface_640'),
    'RetinaFace, by PyTorch as ONNX': onnx('retinaface_fixed_640'),
    'ResNet-50': package('resnet50'),
    'MobileNetV2': package('mobilenet_v2'),
    'DenseNet-121': package('densenet121'),
}
others = sorted(p for folder in ('onnx', 'coreml') for p in (zoo / folder).iterdir() if p.suffix != '.pb') if zoo else []
done, before, refused = {}, {}, []
for name, path in [*own.items(), *((p.name, p) for p in others)]:
    plain, best = scratch / 'plain.mlpackage', scratch / 'best.mlpackage'
    first = run('convert', path, '-o', plain, '--passes', PLAIN)
    report = run('convert', path, '-o', best)
    if not first or not report:
        refused.append(name)
        continue
    plans = [run('plan', p) for p in (plain, best)]
    before[name] = [(r['ops']['total'], p['ops']['ane'], p['planner_ms']) for r, p in zip((first, report), plans)]
    done[name] = report['passes']

print("""<!-- Made by scripts/passes_page.py; a test compares. Do not edit. -->

# What the passes do to real networks

Before: folded, without dead code, in fp16, nothing else. After: the default pipeline. Milliseconds are the estimate of
the system's planner for an M1, by which passes decide what pays: predictions, not measurements. Each pass is executed
before and after on seeded inputs (`--check-passes`; `tests/judge/passes.py`).

| network | operations | on the engine | planner ms |
|---|---|---|---|""")
for name, (old, new) in before.items():
    print(f'| {name} | {old[0]} → {new[0]} | {old[1]} → {new[1]} | {old[2]:.2f} → {new[2]:.2f} |')
if refused:
    print(f'\nNot convertible to a package of one size, for reasons that `anemone convert` gives: {", ".join(refused)}.')

classes = {p['name']: p['numerics'] for p in run('passes')['passes']}
foreign = [p.name for p in others if p.name in done]
print(f"""
## By pass

*Others*: {len(foreign)} networks of other people; the sum, and in how many of them.

| pass | numerics | STAR | STAR, by coremltools | RetinaFace, by coremltools | DenseNet-121 | others |
|---|---|---|---|---|---|---|""")


def words(counts):
    return ', '.join(f'{n} {what}' for what, n in sorted(counts.items()))


def work(name, wanted):
    counts = collections.Counter()
    for report in done.get(name, []):
        if report['name'] == wanted:
            counts.update(report.get('counts', {}))
    return counts


for name in dict.fromkeys(report['name'] for report in done['STAR']):
    cells = [words(work(n, name)) for n in ('STAR', 'STAR, by coremltools', 'RetinaFace, by coremltools', 'DenseNet-121')]
    total, networks = collections.Counter(), 0
    for n in foreign:
        counts = work(n, name)
        total.update(counts)
        networks += bool(counts)
    cells.append(f'{words(total)} (in {networks})' if networks else '')
    print(f'| {name} | {classes[name]} | {" | ".join(cells)} |')
