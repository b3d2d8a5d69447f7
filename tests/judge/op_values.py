#!/usr/bin/env python3
"""What every operation computes, by NumPy: the values that the golden files tests/ops/*.mil show must be these. The
test of the golden files makes sure that the program still prints them.

usage: op_values.py            compares
       op_values.py --write    writes the golden files whose values agree; answers are filled in by the program"""

import os
import re
import subprocess
import sys

import numpy as np

import lib
from op_cases import CASES, DTYPES, FOLDED, REFUSED

folder = lib.root / 'tests/ops'
LIMIT = {'fp16': 2e-3, 'fp32': 3e-6}


def text(value):
    """MIL text of a constant."""
    value = np.asarray(value)
    kind = DTYPES[value.dtype.name]
    words = [str(v).lower() if kind == 'bool' else repr(v) for v in value.reshape(-1).tolist()]
    if value.ndim == 0:
        return f'{kind}({words[0]})'
    return f'tensor<{kind}, [{", ".join(map(str, value.shape))}]>([{", ".join(words)}])'


FOLD = (
    '// RUN: optimize %s -o %t/out.mil --passes const_elimination,dead_code_elimination >/dev/null\n'
    "// RUN: print %t/out.mil | grep ' = '\n"
)
RUN = "// RUN: run %s -o %t/out -q | grep '[.]npy'\n"
PRINT = '// RUN: print %s\n'


def program(name, case):
    """Folded where the passes fold it, so that the file shows its values; else run; printed where nothing runs."""
    lines = [f'{key} = {text(value)};' for key, value in case.given.items()]
    lines += [line if line.endswith((';', '{')) else line + ';' for line in case.body.split('\n')]
    how = FOLD if name in FOLDED else RUN if any(v is not None for v in case.want.values()) else PRINT
    note = 'types only' if how == PRINT else 'NumPy agrees with the values, tests/judge/op_values.py'
    return (
        f'{how}// {name}: {note}.\n'
        f'func main<{case.target}>({case.inputs}) {{\n'
        + '\n'.join('  ' + line for line in lines)
        + f'\n}} -> ({", ".join(case.want)});\n'
    )


def refusals(name, target, inputs, statements):
    lines = [f'  {statement};  // ({label})' for label, statement in statements]
    return (
        '// RUN: print %s\n'
        f'// What {name} refuses, by the labels of its type rule in src/anemone/ops.\n'
        f'func main<{target}>({inputs}) {{\n' + '\n'.join(lines) + '\n} -> (x);\n'
    )


def filled(path):
    """The file with its answers, as the test of golden files writes them."""
    tester = os.environ.get('FILETEST') or lib.root / 'build/release/tests/filetest'
    command = ['env', 'ANEMONE_UPDATE=1', tester, lib.anemone, path]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode == 0 or print(done.stdout)


def shown(answer, name):
    """The constant that the answer gives this value, or None."""
    match = re.search(
        rf'(?m)^\s*(?:\S.*> )?{name} = (?:tensor<(\w+), \[([\d, ]*)\]>|(bool|u?int\d+|fp\d+))\((.*)\);$', answer
    )
    if not match:
        return None
    kind, dims, scalar, words = match.groups()
    numbers = [{'true': 1, 'false': 0}.get(w, w) for w in re.findall(r'[-+.\w]+', words)]
    numbers = [float.fromhex(n) if isinstance(n, str) and '0x' in n else float(n) for n in numbers]
    shape = [int(d) for d in (dims or '').replace(' ', '').split(',') if d] if kind else []
    return kind or scalar, np.array(numbers).reshape(shape) if np.prod(shape) == len(numbers) else np.array(numbers)


def computed(path, names):
    """What `run` writes."""
    out = lib.scratch / path.stem
    report = lib.run('run', path, '-o', out)
    arrays = {each['name']: np.load(out / each['file']) for each in report['outputs']} if report else {}
    return {name: (DTYPES.get(a.dtype.name), a.astype(np.float64)) for name, a in arrays.items() if name in names}


def agrees(name, case, path):
    """Why the values differ, or None: those that the file shows, and those that the engine computes."""
    wanted = {key: np.asarray(want) for key, want in case.want.items() if want is not None}
    if not wanted:
        return None
    answer = path.read_text().partition('// ----\n')[2]
    sources = {'run': computed(path, wanted)}
    if name in FOLDED:
        sources['the file'] = {key: shown(answer, key) for key in wanted}
    for source, values in sources.items():
        for key, want in wanted.items():
            kind, got = values.get(key) or (None, None)
            if kind is None:
                return f'{source} does not give {key}'
            if kind != DTYPES[want.dtype.name] or got.shape != want.shape:
                return f'{source}: {key}: {kind} {got.shape} instead of {DTYPES[want.dtype.name]} {want.shape}'
            wide = want.astype(np.float64)
            close = (got == wide) | (
                np.abs(got - wide) <= LIMIT.get(kind, 0) * case.slack * np.maximum(1, np.abs(wide))
            )
            if not close.all():
                return f'{source}: {key}: {got[~close][:4]} instead of {wide[~close][:4]}'
    return None


def write():
    only = sys.argv[2:]
    for name, case in CASES.items():
        if only and name not in only:
            continue
        path = folder / f'{name}.mil'
        path.write_text(program(name, case))
        reason = None if filled(path) else 'no answer'
        reason = reason or agrees(name, case, path)
        if reason:
            print(f'{name}: {reason}')
            path.rename(f'/tmp/{name}.mil')
    for name, (target, inputs, statements) in REFUSED.items():
        if only and name not in only:
            continue
        path = folder / f'{name}-refused.mil'
        path.write_text(refusals(name, target, inputs, statements))
        filled(path)
        count = path.read_text().count('\nerror[')
        if count != len(statements):
            print(f'{name}: {count} of {len(statements)} statements are refused')


if sys.argv[1:2] == ['--write']:
    write()
    sys.exit()
for name, case in CASES.items():
    path = folder / f'{name}.mil'
    if not path.exists():
        lib.check(name, False, f'there is no {path}: see --write')
        continue
    head = path.read_text().partition('// ----\n')[0]
    lib.check(f'{name}: the program', head == program(name, case), 'differs from what this file says')
    reason = agrees(name, case, path)
    lib.check(name, reason is None, reason)
for name, (_, _, statements) in REFUSED.items():
    count = (folder / f'{name}-refused.mil').read_text().count('\nerror[')
    lib.check(f'{name}: refusals', count == len(statements), f'{count} of {len(statements)} statements are refused')
lib.finish()
