#!/usr/bin/env python3
"""Programs drawn from the table of operations (Sweep in toolchain_test: every operation, every target, both precisions,
compressed weights, images and flexible arrays at the interface), as packages that coremltools must load. What it cannot
load is a reviewed list."""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys

import lib

# Its type rules read the numbers of these parameters, which compressed weights keep to themselves; and it has no way to
# load the labels of a classifier. Patterns of file names, and what it then says.
NOT_LOADED = {
    r'classify-': 'listType',
    r'(prelu|softplus_parametric)-': "'NoneType' object has no attribute 'shape'",
}

# Their examples are constants and are folded: integers at run time decide extents, which no random number does.
FOLDED = {'fill', 'one_hot', 'range_1d'}

judge = pathlib.Path(__file__).with_name('package_verdict.py')
python = os.environ.get('ANEMONE_PYTHON', sys.executable)
folder = lib.scratch / 'drawn'
folder.mkdir()
drawing = subprocess.run(
    [pathlib.Path(lib.anemone).parent / 'toolchain_test', '--gtest_filter=Sweep.*'],
    cwd=lib.root,
    env={**os.environ, 'ANEMONE_SWEEP_FOLDER': str(folder)},
    capture_output=True,
    text=True,
)
lib.check('drawing', drawing.returncode == 0, drawing.stdout[-2000:])
packages = sorted(folder.glob('*.mlpackage'))
verdicts = lib.scratch / 'verdicts.json'
command = [python, judge, '-q', '--json', verdicts, *packages]
judged = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
reports = json.loads(verdicts.read_text()) if verdicts.exists() else []
lib.check('all packages are judged', len(reports) == len(packages) > 1000, f'{len(reports)}: {judged.stderr[-600:]}')

operations, kinds, not_loaded = collections.Counter(), collections.Counter(), collections.Counter()
for report in reports:
    name = pathlib.Path(report['package']).stem
    if report['verdict'] == 'VALID':
        lib.check(name, True)
        operations.update(report['histogram'].keys())
        features = [feature for side in report['io'].values() for feature in side]
        kinds.update(f'{feature["feature"]} {feature["dtype"]}' for feature in features)
        kinds.update('flexible' for feature in features if feature['flexibility'])
        continue
    reason = next((why for pattern, why in NOT_LOADED.items() if re.match(pattern, name)), None)
    if lib.check(name, reason is not None and reason in report['error'], report['error'][:300]):
        not_loaded[reason] += 1

table = {row['name'] for row in (lib.run('ops') or {'ops': []})['ops']}
missing = table - operations.keys() - FOLDED - {'classify'}
lib.check('every operation is in a package that coremltools loaded', table and not missing, sorted(missing))
print(*(line for line in drawing.stdout.splitlines() if ' programs of ' in line), sep='\n')
print(f'{len(packages)} packages, {len(operations)} operations; {dict(not_loaded)} not loaded')
print('interfaces:', ', '.join(f'{kind} {count}' for kind, count in kinds.most_common()))
lib.finish()
