#!/usr/bin/env python3
"""Good checkpoints read exactly as recorded, bad ones refused with exit 3, each with its own reason and place."""

import json
import subprocess
import lib

folder = lib.data / 'pickle'
expected = json.loads((folder / 'expected.json').read_text())

for name, want in expected['good'].items():
    report = lib.run('print', folder / name)
    if report is None:
        continue
    keys = ('path', 'dtype', 'shape', 'stride', 'offset', 'storage', 'sha256')
    got = [{k: t[k] for k in keys} for t in report['tensors']]
    lib.check(
        name,
        got == [{k: t[k] for k in keys} for t in want['tensors']] and report['container'] == want['container'],
        next(
            (f'{g} instead of {w}' for g, w in zip(got, want['tensors']) if any(g[k] != w[k] for k in keys)),
            'count or container',
        ),
    )

seen = {}
for file in sorted(folder.glob('bad_*')):
    process = subprocess.run([lib.anemone, 'print', str(file)], capture_output=True, text=True)
    message = process.stderr.replace(file.name, 'FILE')
    first = message.splitlines()[0] if message else ''
    lib.check(
        file.name,
        process.returncode == 3
        and first.startswith('error[E05')
        or process.returncode == 3
        and first.startswith('error['),
        f'exit {process.returncode}: {process.stderr[:300]}',
    )
    lib.check(f'{file.name} says where', '-->' in message, message)
    lib.check(f'{file.name} has its own reason', message not in seen, f'the same as {seen.get(message)}: {message}')
    seen[message] = file.name
lib.finish()
