#!/usr/bin/env python3
"""Tries the cases of this folder on the `anemone` binary.

usage: run.py --anemone BINARY [--timeout 60] [--json FILE] [-v] [CASE...]

CASE is a number, an id or a part of one; without any, all cases. Needs numpy only.
Every case is executed with `run MODEL --input NAME=FILE.npy ... -o DIR --json`; an ONNX model also with
`convert MODEL -o X.mlpackage --input tensor --precision fp32` and `run X.mlpackage` (cases about half precision once
more
with the default precision). Each step ends as
  pass     exit 0 with the expected outputs
  refused  exit 3 with a message
  wrong    exit 0 with other outputs, JSON or files than promised; another exit code than 0, 3 or a crash
  crash    a signal, exit 70, or a sanitizer's report
  timeout  not done in time
A case with values has passed when every step has (where meta.json says refusal_ok, a refusal is as good); a case that
expects a refusal when every command refused, left nothing behind and its message has something to do with the cause.
The last line is `N passed, N failed, N skipped`; exit status 1 when something failed, 2 on a usage error.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ORDER = ['pass', 'refused', 'wrong', 'timeout', 'crash']
ARRAY_TYPES = {65568: 'float32', 65600: 'float64', 65552: 'float16', 131104: 'int32', 131080: 'int8'}
# words that cannot be names in an ML Program
RESERVED = set(
    'any bool program func tensor list dict tuple true false string bf16 fp16 fp32 fp64 int8 int16 int32 int64 '
    'uint8 uint16 uint32 uint64 state'.split()
)


class Verdict(Exception):
    """Verdict(kind, message) ends a step."""


# --- just enough protobuf to know a package's interface and names ---


def fields(data: memoryview):
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            size = {1: 8, 5: 4}.get(key & 7)
            if size is None:
                size = varint()
            if at + size > len(data):
                raise ValueError('the message is cut short')
            yield key >> 3, data[at : at + size]
            at += size


def each(message: memoryview, *path: int) -> list:
    found = [message]
    for number in path:
        found = [value for outer in found for n, value in fields(outer) if n == number]
    return found


def text(message: memoryview, *path: int) -> str:
    return bytes((each(message, *path) or [b''])[-1]).decode()


class Package:
    """The interface and the value names of a package that the binary wrote."""

    def __init__(self, path: Path):
        manifest = json.loads((path / 'Manifest.json').read_text())
        root = path / 'Data' / manifest['itemInfoEntries'][manifest['rootModelIdentifier']]['path']
        model = memoryview(root.read_bytes())
        description, program = each(model, 2)[0], each(model, 502)[0]
        self.inputs = [(text(f, 1), self.dtype(f), self.shape(f)) for f in each(description, 1)]
        self.outputs = [text(f, 1) for f in each(description, 10)]
        self.values = [text(o, 3, 1) for function in each(program, 2, 2) for o in each(function, 3, 2, 3) if each(o, 3)]
        self.bytes = sum(f.stat().st_size for f in path.rglob('*') if f.is_file())

    @staticmethod
    def dtype(feature: memoryview) -> str:
        kinds = [v for array in each(feature, 3, 5) for n, v in fields(array) if n == 2]
        return ARRAY_TYPES.get(kinds[0] if kinds else 0, 'unknown')

    @staticmethod
    def shape(feature: memoryview) -> tuple[int, ...]:
        dims: list[int] = []
        for value in each(feature, 3, 5, 1):
            dims += [value] if isinstance(value, int) else [n for n in unpack(value)]
        return tuple(dims)


def unpack(data: memoryview) -> list[int]:
    numbers, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(value)
            value = shift = 0
    return numbers


# --- the binary ---


class Tool:
    def __init__(self, binary: Path, timeout: float):
        self.binary, self.timeout, self.seconds = binary, timeout, 0.0

    def __call__(self, folder: Path, *args: object) -> dict:
        """Runs a command; its JSON, or a Verdict."""
        command = [str(self.binary), *map(str, args), '--json']
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=self.timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the group was started here
            process.communicate()
            raise Verdict('timeout', f'not done after {self.timeout:g} s') from None
        finally:
            self.seconds += time.perf_counter() - started
        said = err.decode(errors='replace')
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        line = next((line for line in lines if 'error' in line.lower()), lines[0] if lines else '')
        code = process.returncode
        if code < 0:
            raise Verdict('crash', f'{signal.Signals(-code).name}: {line}')
        if code == 70 or re.search(r'Sanitizer|runtime error:', said):
            raise Verdict('crash', f'exit {code}: {line}')
        if code == 3:
            whole = ' '.join(lines) or out.decode(errors='replace').strip()
            raise Verdict('refused', whole) if whole else Verdict('wrong', 'exit 3 without a message')
        if code:
            raise Verdict('wrong', f'exit {code}: {line or "nothing on stderr"}')
        try:
            report = json.loads(out)
        except ValueError:
            raise Verdict('wrong', f'stdout is not JSON: {out[:60]!r}') from None
        if not isinstance(report, dict) or next(iter(report), None) != 'schema':
            raise Verdict('wrong', 'the JSON does not begin with "schema"')
        return report

    def run(self, model: Path, inputs: list[tuple[str, np.ndarray]], folder: Path) -> list[np.ndarray]:
        outdir = folder / 'out'
        outdir.mkdir(parents=True)
        args = []
        for number, (name, array) in enumerate(inputs):
            np.save(folder / f'in{number}.npy', array)
            args += ['--input', f'{name}={folder}/in{number}.npy']
        arrays = []
        for entry in self(folder, 'run', model, *args, '-o', outdir).get('outputs') or []:
            missing = {'name', 'shape', 'dtype', 'file'} - set(entry)
            if missing:
                raise Verdict('wrong', f'an output without {sorted(missing)} in the JSON')
            file = next((f for f in (folder / entry['file'], outdir / entry['file']) if f.is_file()), None)
            if not file:
                raise Verdict('wrong', f'{entry["name"]}: no file {entry["file"]}')
            if not file.resolve().is_relative_to(outdir.resolve()):
                raise Verdict('wrong', f'{entry["name"]}: written outside the folder: {file}')
            try:
                arrays.append(np.load(file, allow_pickle=False))
            except (ValueError, OSError, EOFError) as error:
                raise Verdict('wrong', f'{entry["name"]}: {file.name} cannot be read: {error}') from None
        return arrays


# --- comparing ---


def compare(
    names: list[str], got: list[np.ndarray], want: list[np.ndarray], rtol: float, atol: float, same_types: bool
) -> None:
    if len(got) != len(want):
        raise Verdict('wrong', f'{len(got)} outputs instead of {len(want)}')
    for name, g, w in zip(names, got, want):
        if g.shape != w.shape and not (g.size == w.size == 1 and g.ndim < 2 and w.ndim < 2):
            raise Verdict('wrong', f'{name}: shape {list(g.shape)} instead of {list(w.shape)}')
        if same_types and g.dtype != w.dtype:
            raise Verdict('wrong', f'{name}: type {g.dtype} instead of {w.dtype}')
        g, w = g.reshape(w.shape).astype(np.float64), w.astype(np.float64)
        with np.errstate(all='ignore'):
            same = (g == w) | (np.isnan(g) & np.isnan(w))
            bad = ~same & ~(np.abs(g - w) <= atol + rtol * np.abs(w))
        if bad.any():
            at = tuple(int(i) for i in np.argwhere(bad)[0])
            raise Verdict(
                'wrong', f'{name}{list(at)}: {g[at]:.7g} instead of {w[at]:.7g} ({int(bad.sum())} of {w.size} values)'
            )


def fit(package: Package, inputs: list[tuple[str, np.ndarray]]) -> list[tuple[str, np.ndarray]]:
    """The inputs under the names and types of a converted package, in the same order."""
    if len(package.inputs) != len(inputs):
        raise Verdict(
            'wrong',
            f'the package has {len(package.inputs)} inputs instead of {len(inputs)}: {[n for n, *_ in package.inputs]}',
        )
    fitted = []
    for (name, dtype, shape), (_, array) in zip(package.inputs, inputs):
        if dtype == 'unknown':
            raise Verdict('wrong', f'the package gives no type for its input {name}')
        if shape and shape != array.shape and not array.size == 1:
            raise Verdict(
                'wrong', f'the input {name} of the package has shape {list(shape)} instead of {list(array.shape)}'
            )
        fitted.append((name, array.astype(dtype).reshape(shape if array.size == 1 and shape else array.shape)))
    return fitted


def check_package(package: Package, wants: dict) -> None:
    if len(set(package.outputs)) != len(package.outputs) or set(package.outputs) & {n for n, *_ in package.inputs}:
        raise Verdict('wrong', f'names of inputs and outputs are not unique: {package.outputs}')
    if 'max_bytes' in wants and package.bytes > wants['max_bytes']:
        raise Verdict('wrong', f'the package has {package.bytes} bytes, more than {wants["max_bytes"]}')
    if 'inputs' in wants and len(package.inputs) != wants['inputs']:
        raise Verdict('wrong', f'{len(package.inputs)} inputs instead of {wants["inputs"]}')
    if wants.get('legal_names'):
        names = package.values + package.outputs + [n for n, *_ in package.inputs]
        bad = [n for n in names if not re.fullmatch(r'[A-Za-z_][A-Za-z0-9_@]*', n) or n in RESERVED]
        if bad:
            raise Verdict('wrong', f'illegal names in the package: {bad[:4]}')
        if len(set(package.values)) != len(package.values):
            raise Verdict('wrong', 'two values of the package have one name')


# --- one case ---


class Case:
    def __init__(self, folder: Path):
        self.folder, self.meta = folder, json.loads((folder / 'meta.json').read_text())
        self.model = folder / self.meta['model']
        if not self.model.exists():
            raise FileNotFoundError(self.model)
        self.inputs = list(zip(self.meta['inputs'], self.arrays('inputs.npz', 'in')))
        self.want = self.arrays('outputs.npz', 'out') if self.meta['expects'] == 'values' else []

    def arrays(self, file: str, prefix: str) -> list[np.ndarray]:
        with np.load(self.folder / file, allow_pickle=False) as archive:
            return [archive[f'{prefix}{i}'] for i in range(len(archive.files))]

    def judge(self, tool: Tool, scratch: Path) -> list[tuple[str, str, str]]:
        """(step, verdict, message) of each step that was reached."""
        steps: list[tuple[str, str, str]] = []

        def step(name: str, function):
            try:
                result = function()
                steps.append((name, 'pass', ''))
                return result
            except Verdict as verdict:
                kind, message = verdict.args
                steps.append((name, kind, message.replace(f'{scratch}/', '').replace(f'{self.folder}/', '')))
                return None

        onnx = self.model.suffix == '.onnx'
        if self.meta['expects'] == 'refusal':
            step(
                'run',
                lambda: self.must_refuse(
                    scratch, lambda: tool.run(self.model, self.inputs, scratch / 'run'), scratch / 'run' / 'out'
                ),
            )
            if onnx:
                target = scratch / 'x.mlpackage'
                step(
                    'convert',
                    lambda: self.must_refuse(
                        scratch,
                        lambda: tool(
                            scratch, 'convert', self.model, '-o', target, '--input', 'tensor', '--precision', 'fp32'
                        ),
                        target,
                    ),
                )
            return steps

        limits = self.meta['rtol'], self.meta['atol']
        step(
            'run',
            lambda: compare(
                self.meta['outputs'],
                tool.run(self.model, self.inputs, scratch / 'run'),
                self.want,
                *limits,
                same_types=onnx,
            ),
        )
        if onnx:
            self.converted(tool, step, scratch / 'fp32', '', ['--precision', 'fp32'], limits)
            if 'fp16' in self.meta:
                self.converted(
                    tool, step, scratch / 'fp16', ' fp16', [], (self.meta['fp16']['rtol'], self.meta['fp16']['atol'])
                )
        return steps

    def converted(
        self, tool: Tool, step, folder: Path, label: str, options: list[str], limits: tuple[float, float]
    ) -> None:
        folder.mkdir()
        target = folder / 'x.mlpackage'

        def convert() -> Package:
            tool(folder, 'convert', self.model, '-o', target, '--input', 'tensor', *options)
            try:
                package = Package(target)
            except (OSError, ValueError, KeyError, IndexError, AttributeError) as error:
                raise Verdict('wrong', f'the package cannot be read: {error!r}') from None
            check_package(package, self.meta.get('package', {}))
            return package

        def run() -> None:
            try:
                got = tool.run(target, fit(package, self.inputs), folder / 'run')
            except Verdict as verdict:
                if verdict.args[0] == 'refused':
                    raise Verdict('wrong', f'refuses the package that it wrote: {verdict.args[1]}') from None
                raise
            compare(self.meta['outputs'], got, self.want, *limits, same_types=False)

        package = step(f'convert{label}', convert)
        if package:
            step(f'package{label}', run)

    def must_refuse(self, scratch: Path, command, result: Path) -> None:
        """Passes by raising `refused`."""
        try:
            command()
        except Verdict as verdict:
            kind, message = verdict.args
            if kind != 'refused':
                raise
            left = [p for p in ([result] if result.suffix else result.rglob('*')) if p.exists()]
            if left:
                raise Verdict('wrong', f'refused, but left {left[0].name} behind') from None
            plain = message.replace(str(scratch), '').replace(str(self.folder), '').replace(self.folder.name, '')
            if not any(re.search(m, plain, re.IGNORECASE) for m in self.meta['mentions']):
                raise Verdict('wrong', f'refused, but the message does not say why: {plain}') from None
            raise
        raise Verdict('wrong', 'was not refused')

    def passed(self, steps: list[tuple[str, str, str]]) -> bool:
        if self.meta['expects'] == 'refusal':
            return all(kind == 'refused' for _, kind, _ in steps)
        good = {'pass', 'refused'} if self.meta.get('refusal_ok') else {'pass'}
        return all(kind in good for _, kind, _ in steps)


def chosen(wanted: list[str]) -> list[Path]:
    folders = sorted(f.parent for f in HERE.glob('*/meta.json'))
    if not wanted:
        return folders
    picked = []
    for want in wanted:
        hits = [
            f for f in folders if f.name == want or (want.isdigit() and int(f.name.split('-')[0]) == int(want))
        ] or [f for f in folders if want in f.name]
        if not hits:
            raise SystemExit(f'run.py: no case {want}')
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
    tool = Tool(options.anemone.resolve(), options.timeout)
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    results = []
    print(f'{"case":42} {"expects":8} {"result":7} verdict   s')
    for folder in chosen(options.cases):
        try:
            case = Case(folder)
        except (OSError, ValueError, KeyError) as error:
            counts['skipped'] += 1
            print(f'{folder.name:42} {"":5} {"":8} skipped  {error!r}')
            results.append({'id': folder.name, 'result': 'skipped', 'message': repr(error)})
            continue
        tool.seconds = 0.0
        with tempfile.TemporaryDirectory(prefix='public-') as scratch:
            steps = case.judge(tool, Path(scratch))
        good = case.passed(steps)
        worst = max(steps, key=lambda s: ORDER.index(s[1]))
        result = 'passed' if good else 'failed'
        counts[result] += 1
        where = '' if good else f' at {worst[0]}: {worst[2] if options.v else worst[2][:150]}'
        print(
            f'{folder.name:42} {case.meta["expects"]:8} {result:7} {worst[1]:8} {tool.seconds:4.1f}{where}', flush=True
        )
        if options.v:
            for name, kind, message in steps:
                print(f'    {name:14} {kind:8} {message}')
        results.append(
            {
                'id': folder.name,
                'source': case.meta['source'],
                'result': result,
                'verdict': worst[1],
                'steps': [dict(zip(('step', 'verdict', 'message'), s)) for s in steps],
                'seconds': round(tool.seconds, 2),
            }
        )
    if options.json:
        options.json.write_text(json.dumps({'counts': counts, 'results': results}, indent=1) + '\n')
    print(', '.join(f'{n} {what}' for what, n in counts.items()))
    return 1 if counts['failed'] else 0


if __name__ == '__main__':
    sys.exit(main())
