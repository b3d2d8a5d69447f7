#!/usr/bin/env python3
"""Tries the cases of this folder whose meta.json has `steps` on the `anemone` binary (run.py does the others).

usage: run_steps.py --anemone BINARY [--timeout 60] [--json FILE] [-v] [CASE...]

CASE is a number, an id or a part of one; without any, all cases. Needs numpy only.
Every case is copied to a scratch folder and its steps run there, one after the other. A step is
  args      the command line after the binary
  why       what a person wants of it
  any       what may hold: a list of alternatives, one of which must hold entirely
  unless    a command; when it succeeds, the step holds without being judged
An alternative has some of
  exit      exit status, or a list of them (always checked; default 0)
  says      regular expressions, each found in stdout or stderr (any case)
  never     regular expressions, none of which is found there
  tensors   {path: {dtype, shape, sha256}} of `print --json`; the listing may hold more
  count     number of tensors in that listing
  json      {dotted path: value}: members of the JSON on stdout; null means that the member must be absent
  codes     codes that the JSON's findings must have
  values    [{file, want, atol, rtol}]: the .npy files that the command wrote, against arrays of want.npz
  left      files that the command must not leave behind
The verdict of a step is pass, refused (exit 3 where that was not asked for), wrong, timeout or crash (signal, exit 70,
sanitizer). The last line is `N passed, N failed, N skipped`; exit status 1 when something failed, 2 on a usage error.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ORDER = ['pass', 'refused', 'wrong', 'timeout', 'crash']


def member(report, path: str):
    for key in path.split('.'):
        if isinstance(report, list) and key.isdigit() and int(key) < len(report):
            report = report[int(key)]
        elif isinstance(report, dict) and key in report:
            report = report[key]
        else:
            return None
    return report


class Ran:
    """What one command did."""

    def __init__(self, binary: Path, args: list[str], folder: Path, timeout: float):
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(binary), *args],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.folder, self.timed_out = folder, False
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the group was started here
            out, err = process.communicate()
            self.timed_out = True
        self.seconds = time.perf_counter() - started
        self.out, self.err, self.code = out.decode(errors='replace'), err.decode(errors='replace'), process.returncode

    def crashed(self) -> bool:
        return self.code < 0 or self.code == 70 or bool(re.search(r'Sanitizer|runtime error:', self.err))

    def report(self):
        try:
            return json.loads(self.out)
        except ValueError:
            return None

    def shortly(self) -> str:
        lines = [line.strip() for line in (self.err.strip() or self.out.strip()).splitlines() if line.strip()]
        text = f'exit {self.code}: ' + ' | '.join(lines[:4])
        return ''.join(c if c.isprintable() else ascii(c)[1:-1] for c in text)

    def lacks(self, want: dict) -> str:
        """Why an alternative does not hold; nothing when it does."""
        codes = want.get('exit', 0)
        codes = codes if isinstance(codes, list) else [codes]
        if self.code not in codes:
            return f'exit {self.code} instead of {codes}'
        text = self.out + '\n' + self.err
        for pattern in want.get('says', []):
            if not re.search(pattern, text, re.IGNORECASE):
                return f'does not say /{pattern}/'
        for pattern in want.get('never', []):
            found = re.search(pattern, text, re.IGNORECASE)
            if found:
                return f'says {found.group(0)!r}'
        for name in want.get('left', []):
            if (self.folder / name).exists():
                return f'left {name} behind'
        if {'tensors', 'count', 'json', 'codes'} & set(want):
            report = self.report()
            if not isinstance(report, dict) or next(iter(report), None) != 'schema':
                return 'stdout is not the JSON that was promised'
            return self.lacks_in(report, want) or self.lacks_values(want)
        return self.lacks_values(want)

    @staticmethod
    def lacks_in(report: dict, want: dict) -> str:
        listed = {t.get('path'): t for t in report.get('tensors', [])}
        if 'count' in want and len(report.get('tensors', [])) != want['count']:
            return f'{len(report.get("tensors", []))} tensors instead of {want["count"]}'
        for path, facts in want.get('tensors', {}).items():
            if path not in listed:
                return f'tensor {path} is not listed (but {list(listed)[:4]})'
            for key, value in facts.items():
                if listed[path].get(key) != value:
                    return f'{path}: {key} {listed[path].get(key)} instead of {value}'
        for path, value in want.get('json', {}).items():
            if member(report, path) != value:
                return f'JSON {path}: {json.dumps(member(report, path))[:60]} instead of {json.dumps(value)[:60]}'
        found = {f.get('code') for f in report.get('findings', [])}
        missing = [c for c in want.get('codes', []) if c not in found]
        return f'no finding {missing[0]} (but {sorted(map(str, found))})' if missing else ''

    def lacks_values(self, want: dict) -> str:
        for value in want.get('values', []):
            file = self.folder / value['file']
            if not file.is_file():
                return f'no file {value["file"]}'
            got = np.load(file, allow_pickle=False)
            with np.load(self.folder / 'want.npz') as archive:
                expected = archive[value['want']]
            if got.shape != expected.shape:
                return f'{value["file"]}: shape {list(got.shape)} instead of {list(expected.shape)}'
            g, e = got.astype(np.float64), expected.astype(np.float64)
            bad = ~(np.abs(g - e) <= value.get('atol', 1e-5) + value.get('rtol', 1e-4) * np.abs(e))
            if bad.any():
                at = tuple(int(i) for i in np.argwhere(bad)[0])
                count = f'{int(bad.sum())} of {e.size} values'
                return f'{value["file"]}{list(at)}: {g[at]:.7g} instead of {e[at]:.7g} ({count})'
        return ''


def judge(step: dict, binary: Path, folder: Path, timeout: float) -> tuple[str, str, float]:
    if 'unless' in step and Ran(binary, step['unless'], folder, timeout).code == 0:
        return 'pass', 'does not apply', 0.0
    ran = Ran(binary, step['args'], folder, timeout)
    if ran.timed_out:
        return 'timeout', f'not done after {timeout:g} s', ran.seconds
    if ran.crashed():
        return 'crash', ran.shortly(), ran.seconds
    reasons = [ran.lacks(want) for want in step['any']]
    if '' in reasons:
        return 'pass', ran.shortly() if ran.code else '', ran.seconds
    kind = (
        'refused'
        if ran.code == 3
        and not any(3 in (c if isinstance(c, list) else [c]) for c in (w.get('exit', 0) for w in step['any']))
        else 'wrong'
    )
    return kind, '; or '.join(dict.fromkeys(reasons)) + ' <- ' + ran.shortly(), ran.seconds


def chosen(wanted: list[str]) -> list[Path]:
    folders = [f.parent for f in sorted(HERE.glob('*/meta.json')) if 'steps' in json.loads(f.read_text())]
    if not wanted:
        return folders
    picked = []
    for want in wanted:
        hits = [
            f for f in folders if f.name == want or (want.isdigit() and int(f.name.split('-')[0]) == int(want))
        ] or [f for f in folders if want in f.name]
        if not hits:
            raise SystemExit(f'run_steps.py: no case {want}')
        picked += hits
    return sorted(set(picked))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--anemone', type=Path, required=True, metavar='BINARY')
    parser.add_argument('--timeout', type=float, default=60, help='seconds per command (60)')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write all results')
    parser.add_argument('-v', action='store_true', help='show every step and whole messages')
    parser.add_argument('cases', nargs='*', metavar='CASE')
    options = parser.parse_args()
    if not os.access(options.anemone, os.X_OK):
        parser.error(f'cannot execute {options.anemone}')
    binary = options.anemone.resolve()
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    results = []
    for folder in chosen(options.cases):
        meta = json.loads((folder / 'meta.json').read_text())
        steps = []
        with tempfile.TemporaryDirectory(prefix='public-') as scratch:
            work = Path(scratch) / 'case'
            shutil.copytree(folder, work)
            (work / 'meta.json').unlink()
            for step in meta['steps']:
                kind, message, seconds = judge(step, binary, work, options.timeout)
                steps.append(
                    {
                        'command': ' '.join(step['args']),
                        'verdict': kind,
                        'message': message.replace(f'{work}/', ''),
                        'seconds': round(seconds, 2),
                    }
                )
        worst = max(steps, key=lambda s: ORDER.index(s['verdict']))
        result = 'passed' if worst['verdict'] == 'pass' else 'failed'
        counts[result] += 1
        where = (
            ''
            if result == 'passed'
            else f'  {worst["command"]}: {worst["message"] if options.v else worst["message"][:170]}'
        )
        print(f'{folder.name:38} {result:7} {worst["verdict"]:8}{where}', flush=True)
        if options.v:
            for s in steps:
                print(f'    {s["verdict"]:8} {s["command"]}  {s["message"]}')
        results.append(
            {'id': folder.name, 'source': meta['source'], 'result': result, 'verdict': worst['verdict'], 'steps': steps}
        )
    if options.json:
        options.json.write_text(json.dumps({'counts': counts, 'results': results}, indent=1) + '\n')
    print(', '.join(f'{n} {what}' for what, n in counts.items()))
    return 1 if counts['failed'] else 0


if __name__ == '__main__':
    sys.exit(main())
