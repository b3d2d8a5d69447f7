#!/usr/bin/env python3
"""Public bug reports rebuilt as small cases (tests/data/public-cases). All must hold but those of two reviewed lists:
`refused_public.txt`, which must be refused with a message, and `known_public.txt`, which may fail and can only shrink,
because a case that holds while it is listed fails here."""

import json
import subprocess
import sys

import lib

folder = lib.data / 'public-cases'


def listed(name):
    rows = (lib.root / 'tests/judge' / name).read_text().splitlines()
    return dict(row.split('\t') for row in rows if row and not row.startswith('#'))


known, refused = listed('known_public.txt'), listed('refused_public.txt')
results = {}
for script in ('run.py', 'run_steps.py'):
    file = lib.scratch / f'{script}.json'
    command = [sys.executable, folder / script, '--anemone', lib.anemone, '--json', file]
    done = subprocess.run(command, capture_output=True, text=True)
    if not file.exists():
        lib.check(script, False, done.stderr[-600:])
        continue
    for result in json.loads(file.read_text())['results']:
        if result['result'] != 'skipped':
            results[result['id']] = result

for case in sorted(p.parent.name for p in folder.glob('*/meta.json')):
    result = results.get(case)
    if result is None:
        lib.check(case, False, 'was not tried')
        continue
    holds, verdict = result['result'] == 'passed', result['verdict']
    bad = [f'{s.get("step") or s.get("command")}: {s["message"][:200]}' for s in result['steps'] if s['message']]
    if case in refused:
        verdicts = {step['verdict'] for step in result['steps']}
        lib.check(case, verdicts == {'refused'} or holds and verdict == 'refused', f'{verdict}: {bad}')
    elif case in known:
        lib.check(case, not holds, 'holds: take it off tests/judge/known_public.txt')
        lib.check(f'{case} does not crash', verdict not in ('crash', 'timeout'), f'{verdict}: {bad}')
    else:
        lib.check(case, holds, f'{verdict}: {bad}')
for name in sorted((known.keys() | refused.keys()) - results.keys()):
    lib.check(name, False, 'is listed, and there is no such case')
lib.finish()
