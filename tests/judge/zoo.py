#!/usr/bin/env python3
"""Every Core ML file of others, and those of tests/data, converted for every target in both precisions: what is written
is read again, verified against its source and loaded by coremltools. A refusal must be one of a reviewed list."""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys

import lib

TARGETS, PRECISIONS = ('ios15', 'ios16', 'ios17', 'ios18'), ('fp16', 'fp32')
# Pattern of "file target", the error that must come, and why.
REFUSED = {
    r'ironmill_simple ': ('E0305', 'it holds a manifest and nothing else'),
    r'yolo11n_spec_only ': ('E0807', 'it lacks its weights'),
    r'77-neural-network-model ': ('E0302', 'a NeuralNetwork, not an ML Program'),
    r'71-palettes-of-odd-bits ios15': ('E0201', 'compressed weights exist from ios16 on'),
    r'71-palettes-of-odd-bits ios1[67]': ('E0200', 'palettes of 1, 2, 4, 6 and 8 bits in uint8 only, before ios18'),
    r'silero_unified_(int8|palette_4bit|pruned_int8) ios15': ('E0201', 'compressed weights exist from ios16 on'),
}
judge = pathlib.Path(__file__).with_name('package_verdict.py')
python = os.environ.get('ANEMONE_PYTHON', sys.executable)


def models():
    own = [path for path in lib.data.rglob('*.mlpackage') if 'hostile' not in path.parts]
    own += [path for path in lib.data.rglob('*.mlmodel') if 'Data' not in path.parts and 'hostile' not in path.parts]
    for path in sorted(own):
        yield f'{path.parent.name}{"/" + path.stem if path.stem != "model" else ""}', path
    if lib.shared is None:
        lib.skip(8 * len(TARGETS) * len(PRECISIONS), 'packages that others made: they are not there')
        return
    for path in sorted((lib.shared / 'zoo/coreml').glob('*.ml*')):
        yield path.stem + (' compiled' if path.suffix == '.mlmodelc' else ''), path


def said(process):
    """The code of its error."""
    match = re.search(r'error\[(E\d+)\]', process.stderr)
    return match[1] if match else ''


def anemone(*words):
    command = [lib.anemone, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)


written, cells, names = {}, {}, []
for name, source in models():
    names.append(name)
    for target in TARGETS:
        for precision in PRECISIONS:
            cell = f'{name} {target}'
            package = lib.scratch / f'{len(cells)}.mlpackage'
            made = anemone('convert', source, '-o', package, '--target', target, '--precision', precision)
            expected = next((refusal for pattern, refusal in REFUSED.items() if re.match(pattern, cell + ' ')), None)
            key = name, target, precision
            if expected:
                good = made.returncode == 3 and said(made) == expected[0] and not package.exists()
                lib.check(f'{cell} {precision}: is refused', good, f'exit {made.returncode}: {made.stderr[:300]}')
                cells[key] = said(made)
                continue
            if not lib.check(f'{cell} {precision}: converts', made.returncode == 0, made.stderr[:400]):
                cells[key] = f'FAIL {said(made)}'
                continue
            written[package] = key
            cells[key] = 'ok'
            text = anemone('print', package)
            lib.check(f'{cell} {precision}: is read again', text.returncode == 0, text.stderr[:300])
            same = anemone('verify', package, '--against', source)
            # fp16 against a source that computes in fp32 may be out of tolerance; it must be said, not fail.
            answers = (0, 1) if precision == 'fp16' else (0,)
            lib.check(f'{cell} {precision}: verify', same.returncode in answers, (same.stdout + same.stderr)[-600:])
            if same.returncode == 1:
                cells[key] = 'ok*'

verdicts = lib.scratch / 'verdicts.json'
command = [python, judge, '-q', '--json', verdicts, *written]
subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
count = collections.Counter()
for report in json.loads(verdicts.read_text()):
    name, target, precision = written[pathlib.Path(report['package'])]
    cell = f'{name} {target}'
    verdict = report['verdict']
    lib.check(f'{cell} {precision}: coremltools loads it', verdict == 'VALID', report.get('error', '')[:400])
    count[verdict] += 1
    if verdict != 'VALID':
        cells[name, target, precision] = verdict.lower()

width = max(map(len, names))
print(' ' * width, *(f'{target} {precision}'.rjust(11) for target in TARGETS for precision in PRECISIONS))
for name in names:
    row = [cells[name, target, precision].rjust(11) for target in TARGETS for precision in PRECISIONS]
    print(name.ljust(width), *row)
print('ok: converted, read, verified, loaded by coremltools; ok*: verify says that fp16 is out of tolerance')
print(', '.join(f'{number} {verdict}' for verdict, number in count.items()), 'of', len(cells))
lib.finish()
