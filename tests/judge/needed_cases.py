"""usage: needed_cases.py LIST RESULTS.json – every case of the list (those whose operation types STAR and RetinaFace
need)
must have passed."""

import json
import pathlib
import sys

needed = [
    line.strip()
    for line in pathlib.Path(sys.argv[1]).read_text().splitlines()
    if line.strip() and not line.startswith('#')
]
verdicts = {r['name']: r['verdict'] for r in json.loads(pathlib.Path(sys.argv[2]).read_text())['results']}
bad = {name: verdicts.get(name, 'not there') for name in needed if verdicts.get(name) != 'pass'}
print(f'{len(needed) - len(bad)} of {len(needed)} pass', *(f'{n}: {v}' for n, v in bad.items()), sep='\n')
sys.exit(1 if bad else 0)
