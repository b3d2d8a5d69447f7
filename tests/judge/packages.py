#!/usr/bin/env python3
"""Every kind of package that the tool writes is loaded by coremltools with type inference: 0 errors. Counts and sizes
too."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import lib
import retinaface

judge = pathlib.Path(__file__).with_name('package_verdict.py')
python = os.environ.get('ANEMONE_PYTHON', sys.executable)

CASES = [  # points, options; every value of every option appears with others
    (98, []),
    (98, ['--outputs', 'all']),
    (98, ['--outputs', 'all', '--target', 'ios15']),
    (98, ['--target', 'ios16', '--input', 'tensor']),
    (98, ['--target', 'ios18', '--precision', 'fp32', '--outputs', 'all']),
    (98, ['--target', 'ios15', '--input', 'tensor', '--precision', 'fp32']),
    (98, ['--target', 'ios18', '--shapes', '256x256,128x128']),
    (98, ['--target', 'ios15', '--shapes', '192x192,256x256,448x448', '--outputs', 'all', '--precision', 'fp32']),
    (
        98,
        [
            '--color',
            'rgb',
            '--scale',
            '0.00392',
            '--author',
            'A',
            '--license',
            'L',
            '--description',
            'D',
            '--user',
            'k=v',
        ],
    ),
    (68, ['--outputs', 'all', '--target', 'ios16']),
    (68, ['--precision', 'fp32', '--target', 'ios15']),
    (29, ['--outputs', 'all', '--target', 'ios18']),
    (29, ['--input', 'tensor']),
    (98, ['--precision', 'auto']),
    (98, ['--calibrate', lib.root / 'examples/astronaut', '--precision', 'auto', '--input', 'tensor']),
    (98, ['--keep-fp32', 'instance_norm,matmul,landmarks']),
    (98, ['--target', 'ios18', '--shapes', '256x256,192x192', '--shape-functions']),
]
RETINA = [
    [],
    ['--target', 'ios15', '--shapes', '320x320'],
    ['--shapes', '640x640,320x320,480x640', '--target', 'ios16'],
    ['--input', 'tensor', '--precision', 'fp32', '--shapes', '361x643'],
    ['--shapes', '640x640,320x320', '--target', 'ios18', '--shape-functions'],
]


def judged(package):
    """The judge's report; it gets a copy, because Apple's library rewrites the manifest."""
    file = lib.scratch / 'verdict.json'
    subprocess.run([python, judge, '-q', '--json', file, package], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return json.loads(file.read_text())[0]


def convert(name, checkpoint, options):
    package = lib.scratch / f'{name}.mlpackage'
    report = lib.run('convert', checkpoint, '-o', package, *options)
    if report is None:
        return
    verdict = judged(package)
    lib.check(f'{name} {" ".join(map(str, options))}', verdict['verdict'] == 'VALID', verdict.get('error'))
    if verdict['verdict'] == 'VALID' and len(report['functions']) == 1:
        lib.check(
            f'{name}: ops.total',
            verdict['counts']['runtime'] == report['ops']['total'],
            f'{report["ops"]["total"]}, the judge counts {verdict["counts"]["runtime"]}',
        )
        lib.check(
            f'{name}: ops.by_type',
            report['ops']['by_type']
            == {k: v for k, v in verdict['histogram'].items() if k != 'const' and not k.startswith('constexpr_')},
            report['ops']['by_type'],
        )
    lib.check(
        f'{name}: bytes', verdict.get('bytes') == report['bytes'], f'{report["bytes"]}, on disk {verdict.get("bytes")}'
    )
    return package, report


PARAMETERS = {98: 17_177_332, 68: 17_069_572, 29: 16_925_892}
for points, count in PARAMETERS.items():
    made = lib.run('synth', 'star', '--points', points, '-o', lib.scratch / f'star{points}.pkl')
    lib.check(f'{points} points: parameters', made and made['parameters']['total'] == count, made)

for number, (points, options) in enumerate(CASES):
    made = convert(f'star{points}-{number}', lib.scratch / f'star{points}.pkl', options)
    if made and not options:
        package, report = made
        lib.check('final outputs: at most 27,750,000 bytes', report['bytes'] <= 27_750_000, report['bytes'])
        print(f'  star, final outputs: {report["bytes"]} bytes, {report["ops"]["total"]} operations')
        again = lib.scratch / 'again.mlpackage'
        lib.run('convert', lib.scratch / 'star98.pkl', '-o', again)
        same = subprocess.run(['diff', '-r', package, again], capture_output=True)
        lib.check('two conversions give identical bytes', same.returncode == 0, same.stdout[:200])
    if made:
        shutil.rmtree(made[0])

weights = lib.scratch / 'retinaface.pth'
retinaface.write_checkpoint(weights, retinaface.hash_weights())
for number, options in enumerate(RETINA):
    convert(f'retinaface-{number}', weights, options)
lib.finish()
