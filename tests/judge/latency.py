#!/usr/bin/env python3
"""Published latencies: four of five that the model was not fitted to lie in a range no wider than 1.8, and the page
shows what the program says today."""

import sys

from lib import anemone, check, finish, root

sys.path.insert(0, str(root / 'scripts'))
from latency_page import page, picture, rows, summary  # noqa: E402

found = list(rows(anemone))
check('25 published latencies', len(found) >= 25, len(found))
check(
    'each half has a third of them', all(3 * sum(r['half'] == h for r in found) >= len(found) for h in ('fit', 'held'))
)
held = summary(found, 'held')
check('held out: 80 % inside', held['inside'] >= 0.8 * held['rows'], held)
check('held out: no range wider than 1.8', held['width'] <= 1.8, held)
for row in found:
    check(f"{row['network']}: the engine has it", row['ops']['ane'] >= row['ops']['total'] - 1, row['ops'])
evidence = root / 'docs/evidence'
hint = "run 'scripts/latency_page.py ANEMONE > docs/evidence/latency.md' (and --svg) and commit"
check('docs/evidence/latency.md', (evidence / 'latency.md').read_text() == page(found), hint)
check('docs/evidence/latency.svg', (evidence / 'latency.svg').read_text() == picture(found), hint)
finish()
