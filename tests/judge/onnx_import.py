#!/usr/bin/env python3
"""ONNX files that others made become programs with the same numbers.

usage: onnx_import.py [zoo] [node] [recorded] [--list FILE.json] [--only TEXT]

zoo       small networks of others, three seeded inputs each, beside onnxruntime
node      ONNX's own backend tests (Debian: libonnx-testdata): import + execute, and written, read, executed
recorded  networks exported from PyTorch with the outputs that were recorded

Every case is pass, refused (exit 3, and listed with its reason in refused_onnx.txt, which may only shrink) or fail. A
reason that begins with "differs" names numbers beyond the limit that are known and not mended yet.
"""

import json
import pathlib
import subprocess
import sys
import tarfile

import lib
import numpy as np

try:
    import onnx
    import onnxruntime
    from onnx import numpy_helper
except ImportError:
    lib.skip(1, 'onnx or onnxruntime is not there')
    lib.finish()

NODE_DATA = pathlib.Path('/usr/lib/python3/dist-packages/onnx/backend/test/data')
LISTED = pathlib.Path(__file__).with_name('refused_onnx.txt')
SINGLE = 1e-4


def tool(folder, *args):
    """(exit code, JSON or stderr) of one command."""
    process = subprocess.run(
        [lib.anemone, *map(str, args), '--json'], cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if process.returncode == 0:
        return 0, json.loads(process.stdout)
    lines = [line.strip() for line in process.stderr.splitlines() if line.strip()]
    notes = [line for line in lines if line.startswith('= note')][:2]
    return process.returncode, ' '.join([lines[0] if lines else 'nothing on stderr', *notes])


def execute(folder, model, inputs):
    """(verdict, outputs or message)"""
    folder.mkdir(parents=True)
    args = []
    for i, (name, array) in enumerate(inputs.items()):
        np.save(folder / f'in{i}.npy', array)
        args += ['--input', f'{name}={folder}/in{i}.npy']
    code, report = tool(folder, 'run', model, *args, '-o', folder / 'out')
    if code:
        return ('refused' if code == 3 else 'fail'), report
    return 'pass', [np.load(folder / 'out' / o['file']) for o in report['outputs']]


def differs(got, want, tolerance):
    """What is wrong with an output; empty: nothing."""
    if got.shape != want.shape and not (got.size == want.size == 1):
        return f'shape {list(got.shape)} instead of {list(want.shape)}'
    g, w = got.astype(np.float64).reshape(want.shape), want.astype(np.float64)
    if want.dtype.kind in 'biu':
        tolerance = 0
    scale = max(1.0, float(np.abs(w[np.isfinite(w)]).max(initial=0)))
    with np.errstate(all='ignore'):
        same = (g == w) | (np.isnan(g) & np.isnan(w)) | (np.abs(g - w) <= tolerance * scale)
    if same.all():
        return ''
    return f'{(~same).sum()} of {same.size} numbers differ, by up to {np.abs(g - w)[~same].max():.3g}'


def compare(got, want, tolerance):
    """Outputs by their order: a graph may list one twice."""
    if len(got) != len(want):
        return f'{len(got)} outputs instead of {len(want)}'
    wrong = [
        f'{name}: {problem}'
        for (name, array), other in zip(want, got)
        if (problem := differs(other, array, tolerance))
    ]
    return '; '.join(wrong)


def of_package(folder, model, inputs, want, tolerance):
    """The same through a written package; (verdict, message)."""
    half = any(a.dtype == np.float16 for _, a in want) or any(a.dtype == np.float16 for a in inputs.values())
    precision = 'fp16' if half else 'fp32'
    code, report = tool(
        folder, 'convert', model, '-o', folder / 'm.mlpackage', '--input', 'tensor', '--precision', precision
    )
    if code:
        return ('refused' if code == 3 else 'fail'), report
    names = [i['name'] for i in tool(folder, 'analyze', folder / 'm.mlpackage')[1]['inputs']]
    renamed = {name: array if array.ndim else array.reshape(1) for name, array in zip(names, inputs.values())}
    verdict, got = execute(folder / 'package', folder / 'm.mlpackage', renamed)
    if verdict != 'pass':
        return 'fail', f'the written package: {got}'
    problem = compare(got, want, tolerance)
    return ('fail', f'the written package: {problem}') if problem else ('pass', '')


def judge(name, model, inputs, want, tolerance):
    folder = lib.scratch / name
    verdict, got = execute(folder, model, inputs)
    if verdict != 'pass':
        return verdict, got
    problem = compare(got, want, tolerance)
    return ('fail', problem) if problem else of_package(folder, model, inputs, want, tolerance)


def true_inputs(model):
    held = {t.name for t in model.graph.initializer}
    return [i for i in model.graph.input if i.name not in held]


def zoo():
    for path in sorted((lib.shared / 'zoo/onnx').glob('*.onnx')):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
        except Exception as error:  # what onnxruntime does not take has nothing to be held against
            yield path.stem, 'left out', str(error).splitlines()[0]
            continue
        verdicts = []
        for seed in range(3):
            random = np.random.default_rng(seed)
            inputs = {
                i.name: random.standard_normal([d if isinstance(d, int) else 1 for d in i.shape]).astype(
                    np.float16 if 'float16' in i.type else np.float32
                )
                for i in session.get_inputs()
            }
            want = list(zip((o.name for o in session.get_outputs()), session.run(None, inputs)))
            half = any(a.dtype == np.float16 for a in inputs.values())
            verdicts.append(judge(f'{path.stem}-{seed}', path, inputs, want, 5e-3 if half else SINGLE))
        yield path.stem, *min(verdicts, key=lambda v: v[0] == 'pass')


def tensors(folder, kind, values):
    arrays = []
    for i, value in enumerate(values):
        message = onnx.TensorProto()
        message.ParseFromString((folder / f'{kind}_{i}.pb').read_bytes())
        arrays.append((value.name, numpy_helper.to_array(message)))
    return arrays


def with_constants(model, inputs, folder):
    """Shapes, axes, sizes … given by the case become constants of the file, as networks have them."""
    kept = {name: array for i, (name, array) in enumerate(inputs.items()) if i == 0 and array.dtype.kind == 'f'}
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for name, array in inputs.items():
        if name not in kept:
            copy.graph.initializer.append(numpy_helper.from_array(np.array(array), name))
            copy.graph.input.remove(next(i for i in copy.graph.input if i.name == name))
    folder.mkdir(parents=True)
    onnx.save(copy, folder / 'model.onnx')
    return folder / 'model.onnx', kept


def node():
    for path in sorted(NODE_DATA.glob('*/test_*/model.onnx')):
        name = f'{path.parent.parent.name}/{path.parent.name}'
        model = onnx.load(path)
        plain = all(v.type.HasField('tensor_type') for v in [*true_inputs(model), *model.graph.output])
        if any(v.type.tensor_type.elem_type == 16 for v in [*true_inputs(model), *model.graph.output]):
            yield name, 'left out', 'numpy has no bfloat16'
            continue
        strings = any(v.type.tensor_type.elem_type == 8 for v in [*true_inputs(model), *model.graph.output])
        try:
            inputs = dict(tensors(path.parent / 'test_data_set_0', 'input', true_inputs(model))) if plain else {}
            want = tensors(path.parent / 'test_data_set_0', 'output', model.graph.output) if plain else []
        except Exception as error:
            yield name, 'left out', f'the data: {error}'
            continue
        if any('Random' in n.op_type or n.op_type == 'Bernoulli' for n in model.graph.node):
            yield name, 'left out', 'random numbers have no values to be held against'
            continue
        if strings:
            inputs, want = {}, []
        tolerance = 5e-3 if any(a.dtype == np.float16 for _, a in want) else 1e-3
        flat = name.replace('/', '-')
        verdict, message = judge(flat, path, inputs, want, tolerance)
        if verdict == 'refused' and 'has to be known before' in message:
            fixed, rest = with_constants(model, inputs, lib.scratch / f'{flat}-constants')
            verdict, message = judge(f'{flat}-fixed', fixed, rest, want, tolerance)
        yield name, verdict, message


def recorded():
    with tarfile.open(lib.shared / 'conformance/onnx.tar.xz') as archive:
        archive.extractall(lib.scratch / 'cases')
    for meta in sorted((lib.scratch / 'cases').rglob('meta.json')):
        told = json.loads(meta.read_text())
        inputs, outputs = (dict(np.load(meta.parent / f'{kind}.npz')) for kind in ('inputs', 'outputs'))
        want, model = list(outputs.items()), meta.parent / 'model.onnx'
        declared = [[d.dim_value for d in o.type.tensor_type.shape.dim] for o in onnx.load(model).graph.output]
        if any(all(d) and d != list(a.shape) and a.size > 1 for d, (_, a) in zip(declared, want)):
            yield meta.parent.name, 'left out', 'what was recorded has not the shape that the model declares'
            continue
        yield meta.parent.name, *judge(meta.parent.name, model, inputs, want, max(SINGLE, told.get('rtol', 0)))


def listed():
    rows = {}
    for line in LISTED.read_text().splitlines() if LISTED.exists() else []:
        if line and not line.startswith('#'):
            name, _, reason = line.partition('\t')
            rows[name] = reason
    return rows


def main(words):
    kinds = [w for w in words if w in ('zoo', 'node', 'recorded')] or ['zoo', 'node', 'recorded']
    only = words[words.index('--only') + 1] if '--only' in words else ''
    allowed, results = listed(), {}
    for kind in kinds:
        there = NODE_DATA.is_dir() if kind == 'node' else lib.shared is not None
        if not there:
            lib.skip(1, f'{kind}: ' + ('apt install libonnx-testdata' if kind == 'node' else 'the data are not there'))
            continue
        counts = {}
        for name, verdict, message in {'zoo': zoo, 'node': node, 'recorded': recorded}[kind]():
            if only not in name:
                continue
            counts[verdict] = counts.get(verdict, 0) + 1
            results[f'{kind}/{name}'] = [verdict, message]
            reason = allowed.get(f'{kind}/{name}', '')
            if verdict == 'refused':
                lib.check(f'{kind}/{name}', reason != '', f'refused and not in {LISTED.name}: {message}')
            elif verdict == 'fail' and reason.startswith('differs'):
                print(f'KNOWN {kind}/{name}: {message}')
            elif verdict != 'left out':
                lib.check(f'{kind}/{name}', verdict == 'pass', message)
            if verdict == 'pass':
                lib.check(f'{kind}/{name}', f'{kind}/{name}' not in allowed, f'passes: take it out of {LISTED.name}')
        print(f'{kind}: ' + ', '.join(f'{n} {verdict}' for verdict, n in sorted(counts.items())))
    if '--list' in words:
        pathlib.Path(words[words.index('--list') + 1]).write_text(json.dumps(results, indent=1))
    lib.finish()


main(sys.argv[1:])
