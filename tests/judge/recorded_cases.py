#!/usr/bin/env python3
"""Judge the `anemone` binary with recorded cases: models, inputs and the outputs that other software computed.

usage: recorded_cases.py --anemone BINARY [--kind mil|onnx|pass|ort] [--jobs 2] [--timeout 60] [--list FILE.json]
                      [--only SUBSTRING] [--expect-refused FILE] CASES

CASES is an archive (.tar.xz) or the folder it unpacks to; for kind ort the folder that holds expected.json.
Every result is one of
  pass     exit 0, and shapes, types and numbers are as expected
  refused  exit 3 with a message on stderr
  wrong    exit 0, but an output is missing or differs, or the JSON is not what the command line contract says
  crash    killed by a signal, or any other exit code
  timeout  not done after --timeout seconds (per command)
Exit status: 0 when nothing is wrong, crashed or timed out and, with --expect-refused, when every refused result is
listed in FILE (lines `name<TAB>reason`; `#` starts a comment); 1 otherwise; 2 on a usage error.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import dataclasses
import json
import lzma
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

VERDICTS = ('pass', 'refused', 'wrong', 'crash', 'timeout')
MODEL_FILE = {'mil': 'model.mlpackage', 'onnx': 'model.onnx', 'pass': 'before.mlpackage'}
# Tolerance when half precision is involved, relative to the largest expected value. One operation that rounds its
# inputs and its output to half is off by up to 0.0009 on the recorded cases.
HALF = 5e-3
SINGLE = 1e-4  # the same for single precision, where meta.json gives no tolerance
SHOWN = 30  # lines of each list that are printed; the JSON report has all


class Stop(Exception):
    """Ends a result early: Stop(verdict, message). Verdict 'left out' means that the case itself is unusable."""


@dataclasses.dataclass
class Case:
    name: str
    kind: str
    folder: Path
    meta: dict


@dataclasses.dataclass
class Result:
    name: str
    kind: str  # mil, onnx, package (an onnx case after convert), pass, ort
    rows: list[str]  # the lines of the table that it counts in
    verdict: str = 'pass'
    message: str = ''
    max_abs: float = 0.0
    ops: int | None = None  # run-time operations of the package that the binary wrote
    peer: int | None = None  # what they are compared with
    claimed: int | None = None  # ops.total in the binary's JSON
    seconds: float = 0.0  # time spent in the binary

    @contextlib.contextmanager
    def settle(self) -> Iterator[None]:
        try:
            yield
        except Stop as stop:
            self.verdict, self.message = stop.args
        except (TypeError, AttributeError, KeyError) as error:
            self.verdict, self.message = 'wrong', f'unexpected form of the JSON: {error!r}'


# --- protobuf, as far as it is needed to know the interface and the operations of a model ---


def varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """(number, value) of each field; integers as int, everything else as its bytes."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        if key & 7 == 0:
            value, at = varint(message, at)
        else:
            size, at = varint(message, at) if key & 7 == 2 else ({1: 8, 5: 4}[key & 7], at)
            if at + size > len(message):
                raise ValueError('truncated')
            value, at = message[at : at + size], at + size
        yield key >> 3, value


def each(message: memoryview, *path: int) -> list:
    """All values at a path of field numbers."""
    values = [message]
    for number in path:
        values = [value for outer in values for n, value in fields(outer) if n == number]
    return values


def text(message: memoryview, *path: int) -> str:
    return bytes((each(message, *path) or [b''])[-1]).decode()


def integers(message: memoryview, number: int) -> list[int]:
    """A repeated integer field, packed or not."""
    found = []
    for value in each(message, number):
        if isinstance(value, int):
            found.append(value)
            continue
        at = 0
        while at < len(value):
            item, at = varint(value, at)
            found.append(item)
    return found


ARRAY_TYPE = {65568: 'float32', 65600: 'float64', 65552: 'float16', 131104: 'int32', 131080: 'int8'}
MIL_FLOAT16 = 10


@dataclasses.dataclass
class Feature:
    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclasses.dataclass
class Package:
    inputs: list[Feature]
    outputs: list[Feature]
    ops: collections.Counter  # of the main function's own block, without const
    half: bool  # some value is float16
    target: str


def feature(message: memoryview) -> Feature:
    name = text(message, 1)
    array = each(message, 3, 5)
    if not array:
        raise Stop('left out', f'{name} is not a multi-array')
    dtype = ARRAY_TYPE.get((integers(array[0], 2) or [0])[0], 'unset')
    return Feature(name, dtype, tuple(integers(array[0], 1)))


def read_package(package: Path) -> Package:
    manifest = json.loads((package / 'Manifest.json').read_text())
    item = manifest['itemInfoEntries'][manifest['rootModelIdentifier']]
    model = memoryview((package / 'Data' / item['path']).read_bytes())
    description, program = each(model, 2)[0], each(model, 502)[0]
    name, ins, outs = 'main', each(description, 1), each(description, 10)
    described = {text(f, 1): f for f in each(description, 20)}  # several functions: the default one counts
    if described:
        name = text(description, 21) or name
        ins, outs = each(described[name], 2), each(described[name], 3)
    function = next(each(entry, 2)[0] for entry in each(program, 2) if text(entry, 1) == name)
    block = next(each(entry, 2)[0] for entry in each(function, 3) if text(entry, 1) == text(function, 2))
    operations = each(block, 3)
    tensors = each(function, 1, 2, 1) + [t for operation in operations for t in each(operation, 3, 2, 1)]
    return Package(
        [feature(f) for f in ins],
        [feature(f) for f in outs],
        collections.Counter(t for t in (text(o, 1) for o in operations) if t != 'const'),
        any(MIL_FLOAT16 in integers(t, 1) for t in tensors),
        f'ios{9 + integers(model, 1)[0]}',
    )  # specification version 6 is iOS 15


def case_package(path: Path) -> Package:
    """A package that belongs to the case."""
    try:
        return read_package(path)
    except (OSError, ValueError, KeyError, IndexError, StopIteration) as error:
        raise Stop('left out', f'{path.name} cannot be read: {error!r}') from None


def written_package(path: Path) -> Package:
    """A package that the binary wrote."""
    try:
        return read_package(path)
    except Stop as stop:
        raise Stop('wrong', f'{path.name}: {stop.args[1]}') from None
    except (OSError, ValueError, KeyError, IndexError, StopIteration) as error:
        raise Stop('wrong', f'{path.name} cannot be read: {error!r}') from None


def onnx_opset(model: memoryview) -> int:
    return max(integers(entry, 2)[0] for entry in each(model, 8) if text(entry, 1) in ('', 'ai.onnx'))


def onnx_output_shapes(model: memoryview) -> dict[str, tuple[int, ...]]:
    """Shapes of the graph's outputs that the file gives in full."""
    shapes = {}
    for output in each(model, 7, 12):
        for shape in each(output, 2, 1, 2):
            dims = [integers(dim, 1) for dim in each(shape, 1)]
            if all(dims):
                shapes[text(output, 1)] = tuple(dim[0] for dim in dims)
    return shapes


# --- the binary ---


class Tool:
    def __init__(self, binary: Path, timeout: float):
        self.binary, self.timeout = binary, timeout

    def __call__(self, result: Result, folder: Path, *args: object) -> dict:
        """Runs the binary in a folder; its JSON, or Stop."""
        started = time.perf_counter()
        command = [str(self.binary), *map(str, args), '--json']
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
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise Stop('timeout', f'{args[0]}: not done after {self.timeout:g} s') from None
        finally:
            result.seconds += time.perf_counter() - started
        lines = [line.strip() for line in err.decode(errors='replace').splitlines() if line.strip()]
        line = next((line for line in lines if 'error' in line.lower()), lines[0] if lines else '')
        code = process.returncode
        if code == 3 and line:
            raise Stop('refused', f'{args[0]}: {line}')
        if code:
            how = signal.Signals(-code).name if code < 0 else f'exit {code}'
            raise Stop('crash', f'{args[0]}: {how}: {line or "nothing on stderr"}')
        try:
            report = json.loads(out)
        except ValueError:
            raise Stop('wrong', f'{args[0]}: stdout is not JSON: {out[:80]!r}') from None
        if not isinstance(report, dict) or next(iter(report), None) != 'schema':
            raise Stop('wrong', f'{args[0]}: the JSON does not begin with "schema"')
        return report

    def run(self, result: Result, model: Path, inputs: dict[str, np.ndarray], folder: Path) -> dict[str, np.ndarray]:
        """The outputs of a model by name, in the order of the JSON."""
        outdir = folder / 'out'
        outdir.mkdir(parents=True)
        args = []
        for number, (name, array) in enumerate(inputs.items()):
            np.save(folder / f'in{number}.npy', array)
            args += ['--input', f'{name}={folder}/in{number}.npy']
        outputs = {}
        for entry in value(self(result, folder, 'run', model, *args, '-o', outdir), 'outputs'):
            missing = {'name', 'shape', 'dtype', 'file'} - set(entry)
            if missing:
                raise Stop('wrong', f'run: an output without {sorted(missing)} in the JSON')
            file = next((f for f in (folder / entry['file'], outdir / entry['file']) if f.is_file()), None)
            if not file:
                raise Stop('wrong', f'run: {entry["name"]}: no file {entry["file"]}')
            try:
                array = np.load(file, allow_pickle=False)
            except (ValueError, OSError, EOFError) as error:
                raise Stop('wrong', f'run: {entry["name"]}: {entry["file"]} cannot be read: {error}') from None
            if list(array.shape) != entry['shape']:
                raise Stop(
                    'wrong', f'run: {entry["name"]}: {entry["shape"]} in the JSON, {list(array.shape)} in the file'
                )
            outputs[entry['name']] = array
        return outputs

    def run_own(
        self, result: Result, model: Path, inputs: dict[str, np.ndarray], folder: Path
    ) -> dict[str, np.ndarray]:
        """Runs a package that the binary itself wrote: refusing that is wrong."""
        try:
            return self.run(result, model, inputs, folder)
        except Stop as stop:
            if stop.args[0] == 'refused':
                raise Stop('wrong', f'refuses the package that it wrote: {stop.args[1]}') from None
            raise


def value(report: dict, *path: str):
    """report[a][b]..., or Stop: these keys are promised."""
    for key in path:
        if not isinstance(report, dict) or key not in report:
            raise Stop('wrong', f'the JSON has no {".".join(path)}')
        report = report[key]
    return report


# --- comparing ---


def tolerance(meta: dict, want: np.ndarray, half: bool) -> tuple[float, float]:
    numbers = np.abs(want[np.isfinite(want)].astype(np.float64))
    scale = max(1.0, float(numbers.max(initial=0)))
    default = HALF if half else SINGLE
    atol, rtol = meta.get('atol', default * scale), meta.get('rtol', default)
    return (max(atol, HALF * scale), max(rtol, HALF)) if half else (atol, rtol)


def compare(name: str, got: np.ndarray, want: np.ndarray, atol: float, rtol: float) -> tuple[float, str]:
    """The largest absolute error, and what is wrong ('' when within tolerance). A scalar may have shape [] or [1]."""
    scalars = got.size == want.size == 1 and got.ndim < 2 and want.ndim < 2
    if got.shape != want.shape and not scalars:
        return 0.0, f'{name}: shape {list(got.shape)} instead of {list(want.shape)}'
    g, w = (a.astype(np.float64).reshape(want.shape) for a in (got, want))
    if got.dtype.kind != 'f' and want.dtype.kind != 'f':
        atol = rtol = 0
    with np.errstate(all='ignore'):
        same = (g == w) | (np.isnan(g) & np.isnan(w))
        error = np.where(same, 0, np.abs(g - w))
        bad = ~same & ~(np.isfinite(w) & (error <= atol + rtol * np.abs(w)))
    error[np.isnan(error)] = np.inf
    largest = float(error.max(initial=0))
    if not bad.any():
        return largest, ''
    at = np.unravel_index(np.argmax(np.where(bad, error, -1)), w.shape)
    return largest, (
        f'{name}: max abs error {largest:.4g} at {[int(i) for i in at]}: {g[at]:.8g} instead of {w[at]:.8g}; '
        f'{bad.sum()} of {bad.size} values outside {atol:.3g} + {rtol:.3g}|x|'
    )


def check_outputs(
    result: Result,
    got: dict[str, np.ndarray],
    want: dict[str, np.ndarray],
    dtypes: dict[str, str],
    meta: dict,
    half: bool,
    declared: dict[str, tuple[int, ...]],
) -> None:
    """Compares by name, or by order where the names differ."""
    if len(got) != len(want):
        raise Stop('wrong', f'{len(got)} outputs instead of {len(want)}: {list(got)}, expected {list(want)}')
    wrong = []
    for (name, expected), array in zip(want.items(), list(got.values())):
        array = got.get(name, array)
        if array.shape == declared.get(name) != expected.shape and max(array.size, expected.size) > 1:
            raise Stop(
                'left out', f'{name}: expected {list(expected.shape)}, but the model itself says {list(array.shape)}'
            )
        if name in dtypes and array.dtype.name != dtypes[name]:
            wrong.append(f'{name}: type {array.dtype} instead of {dtypes[name]}')
            continue
        error, message = compare(name, array, expected, *tolerance(meta, expected, half))
        result.max_abs = max(result.max_abs, min(error, sys.float_info.max))
        wrong += [message] if message else []
    if wrong:
        raise Stop('wrong', '; '.join(wrong))


def fit(features: list[Feature], arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Recorded inputs in the names, types and (for scalars) shapes that a package declares."""
    fitted = {}
    if any(f.name not in arrays for f in features) and len(features) == len(arrays):
        arrays = dict(zip((f.name for f in features), arrays.values()))
    for f in features:
        if f.name not in arrays:
            raise Stop('wrong', f'the package wants an input {f.name}, the model has {list(arrays)}')
        if f.dtype == 'unset':
            raise Stop('wrong', f'the package gives no type for the input {f.name}')
        array = arrays[f.name].astype(f.dtype)
        fitted[f.name] = array.reshape(f.shape) if array.ndim == 0 and set(f.shape) <= {1} else array
    return fitted


def types_of(package: Package) -> dict[str, str]:
    return {f.name: f.dtype for f in package.outputs}


# --- one case of each kind ---


def recorded(case: Case) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    both = []
    for file in ('inputs.npz', 'outputs.npz'):
        try:
            with np.load(case.folder / file, allow_pickle=False) as archive:
                both.append({key: archive[key] for key in archive.files})
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise Stop('left out', f'{file} cannot be read: {error!r}') from None
    return both[0], both[1]


def op_types(histogram: dict, filler: str) -> list[str]:
    return sorted(set(histogram) - {filler}) or sorted(histogram) or ['(none)']


def judge_mil(case: Case, tool: Tool, scratch: Path) -> list[Result]:
    result = Result(case.name, 'mil', op_types(case.meta.get('ops') or {}, 'cast'))
    with result.settle():
        model = case.folder / 'model.mlpackage'
        package = case_package(model)
        inputs, want = recorded(case)
        got = tool.run(result, model, fit(package.inputs, inputs), scratch / 'run')
        half = package.half or case.meta.get('precision') == 'fp16'
        check_outputs(result, got, want, types_of(package), case.meta, half, {})
    return [result]


def judge_onnx(case: Case, tool: Tool, scratch: Path) -> list[Result]:
    result = Result(case.name, 'onnx', op_types(case.meta.get('onnx_ops') or {}, 'Constant'))
    written = Result(f'{case.name}/package', 'package', result.rows)
    model = case.folder / 'model.onnx'
    with result.settle():
        inputs, want = recorded(case)
        got = tool.run(result, model, inputs, scratch / 'run')
        half = any(a.dtype == np.float16 for a in want.values())
        check_outputs(
            result,
            got,
            want,
            {name: a.dtype.name for name, a in want.items()},
            case.meta,
            half,
            onnx_output_shapes(memoryview(model.read_bytes())),
        )
    if result.verdict != 'pass':
        return [result]
    with written.settle():
        target = scratch / 'out.mlpackage'
        report = tool(written, scratch, 'convert', model, '-o', target, '--input', 'tensor', '--precision', 'fp32')
        written.claimed = value(report, 'ops', 'total')
        package = written_package(target)
        got = tool.run_own(written, target, fit(package.inputs, inputs), scratch / 'package')
        check_outputs(written, got, want, types_of(package), case.meta, half or package.half, {})
        written.ops = sum(n for op, n in package.ops.items() if op != 'cast')
        written.claimed -= package.ops['cast']
        if case.meta.get('peer_ops') is not None:
            written.peer = sum(n for op, n in case.meta['peer_ops'].items() if op not in ('cast', 'const'))
    return [result, written]


def judge_pass(case: Case, tool: Tool, scratch: Path) -> list[Result]:
    result = Result(case.name, 'pass', [case.meta.get('pass', '(none)')])
    with result.settle():
        before, after = case.folder / 'before.mlpackage', scratch / 'after.mlpackage'
        old = case_package(before)
        random = np.random.default_rng(zlib.crc32(case.name.encode()))
        # integers 0 and 1 are valid as indices almost everywhere; odd multiples of 1/128 are exact in half precision
        # and not at the edge of rounding to an integer
        inputs = {
            f.name: (
                random.integers(0, 2, f.shape)
                if 'int' in f.dtype
                else (2 * random.integers(-128, 128, f.shape) + 1) / 128
            ).astype(f.dtype)
            for f in old.inputs
        }
        report = tool(
            result,
            scratch,
            'optimize',
            before,
            '-o',
            after,
            '--target',
            old.target,
            '--precision',
            'fp16' if old.half else 'fp32',
        )
        result.claimed = value(report, 'ops', 'total')
        new = written_package(after)
        want = tool.run(result, before, inputs, scratch / 'before')
        got = tool.run_own(result, after, fit(new.inputs, inputs), scratch / 'after')
        check_outputs(result, got, want, types_of(new), {}, old.half or new.half, {})
        result.ops = sum(new.ops.values())
        if 'after' in case.meta:  # the saved package may have more casts at its interface than meta.json's `before`
            saved = sum(old.ops.values()) - sum(case.meta['before'].values())
            result.peer = sum(case.meta['after'].values()) + max(0, saved)
    return [result]


def judge_ort(case: Case, tool: Tool, scratch: Path) -> list[Result]:
    result = Result(case.name, 'ort', [case.meta['version']])
    with result.settle():
        row = case.meta['row']
        opset = onnx_opset(memoryview(case.folder.read_bytes()))
        for entry in row['rejected']:
            limit = re.search(r'opset<(\d+)', entry['reason'])
            if limit and opset >= int(limit[1]):
                raise Stop(
                    'left out', f'{entry["op"]} rejected for "{entry["reason"]}", but the model has opset {opset}'
                )
        report = tool(result, scratch, 'plan', case.folder, '--ort', case.meta['version'])
        want, got = collections.Counter(), collections.Counter()
        for entry in row['rejected']:
            want[entry['op']] += entry['count']
        for entry in value(report, 'rejected'):
            got[value(entry, 'op')] += 1
        # long tables give only the first sizes
        sizes = value(report, 'partition_sizes')
        pairs = [
            ('nodes.total', value(report, 'nodes', 'total'), row['nodes']),
            ('nodes.supported', value(report, 'nodes', 'supported'), row['supported']),
            ('partitions', value(report, 'partitions'), row['partitions']),
            ('number of partition_sizes', len(sizes), row['partitions']),
            ('partition_sizes', sizes[: len(row['partition_sizes'])], row['partition_sizes']),
        ]
        pairs += [(f'rejected {op}', got[op], want[op]) for op in sorted(want | got)]
        wrong = [f'{what} {g} instead of {w}' for what, g, w in pairs if g != w]
        if wrong:
            raise Stop('wrong', '; '.join(wrong))
    return [result]


JUDGES: dict[str, Callable[[Case, Tool, Path], list[Result]]] = {
    'mil': judge_mil,
    'onnx': judge_onnx,
    'pass': judge_pass,
    'ort': judge_ort,
}


# --- finding cases ---


def recorded_cases(root: Path, left_out: list[tuple[str, str]]) -> list[Case]:
    """Every folder below root with a meta.json; some are one level deeper than the others."""
    cases = []
    for file in sorted(root.rglob('meta.json')):
        parts = file.parent.relative_to(root).parts or (root.name,)
        name = '/'.join(parts[1:] if parts[0] in MODEL_FILE and len(parts) > 1 else parts)
        kind = next((k for k, model in MODEL_FILE.items() if (file.parent / model).exists()), None)
        try:
            if not kind:
                raise ValueError('no model file')
            cases.append(Case(name, kind, file.parent, json.loads(file.read_text())))
        except ValueError as error:
            left_out.append((name, f'{error}'))
    return cases


def ort_cases(root: Path, scratch: Path, left_out: list[tuple[str, str]]) -> list[Case]:
    """One case per row of expected.json. Models are beside it (.onnx or .onnx.xz) or in the folder next to it."""
    cases = []
    for name, rows in json.loads((root / 'expected.json').read_text())['models'].items():
        other = name.replace('_fixed', '')
        folders = [root, root.parent / name.split('_')[0]]
        model = next(
            (
                f / (stem + end)
                for f in folders
                for stem in (name, other)
                for end in ('.onnx', '.onnx.xz')
                if (f / (stem + end)).is_file()
            ),
            None,
        )
        if not model:
            left_out.append((name, 'no model file'))
            continue
        if model.suffix == '.xz':
            plain = scratch / model.stem
            plain.write_bytes(lzma.decompress(model.read_bytes()))
            model = plain
        cases += [
            Case(f'{name}/{version}', 'ort', model, {'version': version, 'row': row})
            for version, row in rows.items()
            if '/' in version
        ]
    return cases


def refused_list(path: Path) -> dict[str, str]:
    listed = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith('#'):
            continue
        name, _, reason = line.partition('\t')
        if not reason.strip():
            raise ValueError(f'{path}:{number}: no reason for {name}')
        listed[name.strip()] = reason.strip()
    return listed


# --- reporting ---


def print_table(kind: str, results: list[Result]) -> None:
    counts: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    for result in results:
        for row in result.rows:
            counts[row][result.verdict] += 1
    width = max(map(len, [*counts, 'each result counts once']))
    print(f'{kind:{width}} {"all":>6}' + ''.join(f'{v:>9}' for v in VERDICTS))
    counts = dict(sorted(counts.items()))
    counts['each result counts once'] = collections.Counter(result.verdict for result in results)
    for row, count in counts.items():
        print(f'{row:{width}} {count.total():6}' + ''.join(f'{count[v] or ".":>9}' for v in VERDICTS))
    print()


def print_list(title: str, lines: list[str]) -> None:
    if lines:
        print(f'{title}: {len(lines)}' + (f', the first {SHOWN}' if len(lines) > SHOWN else ''))
        print(*(f'  {line}' for line in lines[:SHOWN]), '', sep='\n')


def print_ops(kind: str, results: list[Result]) -> None:
    counted = [r for r in results if r.ops is not None and r.peer is not None]
    if not counted:
        return
    more = sorted((r for r in counted if r.ops > r.peer), key=lambda r: r.peer - r.ops)
    print(
        f'{kind}: run-time operations{" without casts" * (kind == "package")} in {len(counted)} packages: '
        f'{sum(r.ops for r in counted)}, the incumbent {sum(r.peer for r in counted)}; '
        f'fewer in {sum(r.ops < r.peer for r in counted)}, more in {len(more)}'
    )
    print_list('more than the incumbent', [f'{r.name}: {r.ops}, incumbent {r.peer}' for r in more])
    print_list(
        'ops.total is not the number of operations in the package',
        [
            (
                f'{r.name}: {r.claimed} (casts aside) in the JSON, {r.ops} in the package'
                if kind == 'package'
                else f'{r.name}: {r.claimed} in the JSON, {r.ops} in the package'
            )
            for r in counted
            if r.claimed != r.ops
        ],
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--anemone', type=Path, required=True, metavar='BINARY')
    parser.add_argument('--kind', choices=JUDGES, help='only cases of this kind (default: all that CASES holds)')
    parser.add_argument('--jobs', type=int, default=2, help='commands at a time (2)')
    parser.add_argument('--timeout', type=float, default=60, help='seconds per command (60)')
    parser.add_argument('--list', type=Path, metavar='FILE.json', help='write all results as JSON')
    parser.add_argument('--only', default='', metavar='SUBSTRING', help='only cases with this in their name')
    parser.add_argument('--expect-refused', type=Path, metavar='FILE', help='the results that may be refused')
    parser.add_argument('cases', type=Path, metavar='CASES')
    options = parser.parse_args()
    if not os.access(options.anemone, os.X_OK):
        parser.error(f'cannot execute {options.anemone}')
    try:
        allowed = refused_list(options.expect_refused) if options.expect_refused else None
    except (OSError, ValueError) as error:
        parser.error(str(error))

    started = time.perf_counter()
    results: list[Result] = []
    left_out: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(prefix='conformance-') as name:
        scratch, root = Path(name), options.cases.resolve()
        if root.is_file():
            root = scratch / 'cases'
            try:
                with tarfile.open(options.cases) as archive:
                    archive.extractall(
                        root, **({'filter': 'data'} if hasattr(tarfile, 'data_filter') else {})
                    )  # Debian's 3.11.2 lacks it
            except (tarfile.TarError, OSError, lzma.LZMAError):
                parser.error(f'cannot unpack {options.cases}')
        if (root / 'expected.json').is_file():
            cases = ort_cases(root, scratch, left_out)
        else:
            cases = recorded_cases(root, left_out)
        cases = [c for c in cases if options.kind in (None, c.kind) and options.only in c.name]
        if not cases:
            parser.error(f'no such cases in {options.cases}')
        tool = Tool(options.anemone.resolve(), options.timeout)

        def judge(case: Case) -> list[Result]:
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                found = JUDGES[case.kind](case, tool, Path(folder))
                for result in found:
                    result.message = result.message.replace(f'{folder}/', '').replace(f'{case.folder}/', '')
                return found

        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for found in pool.map(judge, cases):
                results += found

    left_out += [(r.name, r.message) for r in results if r.verdict == 'left out']
    results = [r for r in results if r.verdict != 'left out']
    elapsed = time.perf_counter() - started
    by_kind: dict[str, list[Result]] = {}
    for result in results:
        by_kind.setdefault(result.kind, []).append(result)
    for kind, some in by_kind.items():
        print_table(kind, some)
    for kind, some in by_kind.items():
        print_ops(kind, some)
    count = collections.Counter(r.verdict for r in results)
    failed = count['wrong'] + count['crash'] + count['timeout']
    reasons = collections.Counter(r.message for r in results if r.verdict == 'refused')
    print_list('refusals by message', [f'{n:4} {message}' for message, n in reasons.most_common()])
    unexpected = []
    if allowed is not None:
        refused = [r.name for r in results if r.verdict == 'refused']
        unexpected = [name for name in refused if name not in allowed]
        judged = {r.name for r in results}
        print_list('refused, but not in the list', unexpected)
        print_list('in the list, but not refused any more', [n for n in allowed if n in judged and n not in refused])
    print_list('left out, because the case is unusable', [f'{name}: {why}' for name, why in left_out])
    print_list(
        'failures',
        [f'{r.name} [{r.kind} {r.verdict}] {r.message}' for r in results if r.verdict not in ('pass', 'refused')],
    )
    spent = sum(r.seconds for r in results)
    print(f'{len(cases)} cases in {elapsed:.1f} s, {spent:.1f} s of them in the binary ({options.jobs} at a time)')
    if options.list:
        report = {
            'binary': str(options.anemone),
            'cases': str(options.cases),
            'seconds': elapsed,
            'counts': {kind: dict(collections.Counter(r.verdict for r in some)) for kind, some in by_kind.items()},
            'refused_unexpectedly': unexpected,
            'left_out': dict(left_out),
            'results': [dataclasses.asdict(r) for r in results],
        }
        options.list.write_text(json.dumps(report, indent=1))
    print(f'{count["pass"]} passed, {failed} failed, {count["refused"]} skipped')
    return 1 if failed or unexpected or not results else 0


if __name__ == '__main__':
    sys.exit(main())
