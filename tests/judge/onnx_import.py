#!/usr/bin/env python3
"""ONNX files that others made become programs with the same numbers.

usage: onnx_import.py [zoo] [node] [recorded] [options] [--list FILE.json] [--only TEXT]

zoo       small networks of others, three seeded inputs each, beside onnxruntime; coremltools loads the packages
node      ONNX's own backend tests (Debian: libonnx-testdata): import + execute, and written, read, executed
recorded  networks exported from PyTorch with the outputs that were recorded
options   what the command line says about an ONNX graph: open shapes of any rank, and where it ends

Every case is pass, refused (exit 3, and listed with its reason in refused_onnx.txt, which may only shrink) or fail. Of
the node cases whose operations are understood and whose shapes are given, 95 % must pass by either way.
"""

import json
import os
import pathlib
import subprocess
import sys
import tarfile
import typing

import lib
import numpy as np

try:
    import exact_onnx
    import onnx
    import onnxruntime
    from onnx import numpy_helper
except ImportError:
    lib.skip(1, 'onnx or onnxruntime is not there')
    lib.finish()

NODE_DATA = pathlib.Path('/usr/share/libonnx-testdata/data')
LISTED = pathlib.Path(__file__).with_name('refused_onnx.txt')
SINGLE = 1e-4
EXPRESSIBLE = 0.95


class Outcome(typing.NamedTuple):
    verdict: str  # pass, refused, fail, left out
    message: str
    graph: bool = False  # the ONNX file itself gave the numbers
    expressible: bool = False  # its operations are understood, its shapes given


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


def judge(name, model, inputs, want, tolerance, arbiter=None):
    """The Outcome. `arbiter` may give other outputs and another tolerance where the numbers differ."""
    folder = lib.scratch / name
    verdict, got = execute(folder, model, inputs)
    if verdict != 'pass':
        return Outcome(verdict, got)
    problem = compare(got, want, tolerance)
    if problem and arbiter:
        want, tolerance = arbiter(got)
        problem = compare(got, want, tolerance)
    if problem:
        return Outcome('fail', problem)
    return Outcome(*of_package(folder, model, inputs, want, tolerance), graph=True)


def exact(name, path, inputs, want):
    """Where the two differ, the network in double decides: anemone is right when it is within the limit of that, or
    nearer than onnxruntime itself."""

    def arbiter(got):
        truth = exact_onnx.run(onnx.load(path), inputs)
        theirs, ours = (
            max(float(np.abs(o - t).max()) / max(1.0, float(np.abs(t).max())) for t, o in zip(truth, outputs))
            for outputs in ([array for _, array in want], got)
        )
        print(f'NOTE zoo/{name}: onnxruntime is {theirs:.1e} from the exact numbers, which decide; anemone {ours:.1e}')
        return [(o, t.astype(w.dtype)) for t, (o, w) in zip(truth, want)], max(SINGLE, theirs)

    return arbiter


def loaded_by_coremltools(packages):
    python = os.environ.get('ANEMONE_PYTHON', sys.executable)
    reports = lib.scratch / 'verdicts.json'
    script = pathlib.Path(__file__).with_name('package_verdict.py')
    command = [python, script, '-q', '--json', reports, *packages]
    if not packages or subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 2:
        return lib.skip(len(packages), 'the written packages: coremltools is not there')
    for report in json.loads(reports.read_text()):
        name = f'zoo/{pathlib.Path(report["package"]).parent.name}: coremltools loads what is written'
        lib.check(name, report['verdict'] == 'VALID', report.get('error', '')[:400])


def true_inputs(model):
    held = {t.name for t in model.graph.initializer}
    return [i for i in model.graph.input if i.name not in held]


def zoo(only):
    for path in sorted(file for file in (lib.shared / 'zoo/onnx').glob('*.onnx') if only in file.name):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
        except Exception as error:  # what onnxruntime does not take has nothing to be held against
            yield path.stem, Outcome('left out', str(error).splitlines()[0])
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
            arbiter = None if half else exact(f'{path.stem}-{seed}', path, inputs, want)
            verdicts.append(judge(f'{path.stem}-{seed}', path, inputs, want, 5e-3 if half else SINGLE, arbiter))
        yield path.stem, min(verdicts, key=lambda outcome: outcome.verdict == 'pass')
    loaded_by_coremltools(sorted(lib.scratch.glob('*-0/m.mlpackage')))


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


def operations(graph):
    for node in graph.node:
        yield '' if node.domain == 'ai.onnx' else node.domain, node.op_type
        for attribute in node.attribute:
            for body in [attribute.g, *attribute.graphs]:
                yield from operations(body)


def is_expressible(model, understood):
    """Every operation is in the table of what is understood; tensors of numbers go in and out, of given shapes and of
    at most five dimensions."""
    values = [v.type for v in [*true_inputs(model), *model.graph.output]]
    if not all(t.HasField('tensor_type') and t.tensor_type.elem_type != onnx.TensorProto.STRING for t in values):
        return False
    dims = [t.tensor_type.shape.dim for t in values]
    given = all(len(d) <= 5 and all(extent.HasField('dim_value') for extent in d) for d in dims)
    own = {(f.domain, f.name) for f in model.functions}
    nodes = set(operations(model.graph)).union(*(operations(f) for f in model.functions))
    return given and nodes - own <= understood


def node():
    understood = {(row['domain'], row['op']) for row in lib.run('ops', '--onnx')['import']}
    for path in sorted(NODE_DATA.glob('*/test_*/model.onnx')):
        name = f'{path.parent.parent.name}/{path.parent.name}'
        model = onnx.load(path)
        plain = all(v.type.HasField('tensor_type') for v in [*true_inputs(model), *model.graph.output])
        if any(v.type.tensor_type.elem_type == 16 for v in [*true_inputs(model), *model.graph.output]):
            yield name, Outcome('left out', 'numpy has no bfloat16')
            continue
        strings = any(v.type.tensor_type.elem_type == 8 for v in [*true_inputs(model), *model.graph.output])
        try:
            inputs = dict(tensors(path.parent / 'test_data_set_0', 'input', true_inputs(model))) if plain else {}
            want = tensors(path.parent / 'test_data_set_0', 'output', model.graph.output) if plain else []
        except Exception as error:
            yield name, Outcome('left out', f'the data: {error}')
            continue
        if any('Random' in n.op_type or n.op_type == 'Bernoulli' for n in model.graph.node):
            yield name, Outcome('left out', 'random numbers have no values to be held against')
            continue
        if strings:
            inputs, want = {}, []
        tolerance = 5e-3 if any(a.dtype == np.float16 for _, a in want) else 1e-3
        flat = name.replace('/', '-')
        outcome = judge(flat, path, inputs, want, tolerance)
        if outcome.verdict == 'refused' and 'has to be known before' in outcome.message:
            fixed, rest = with_constants(model, inputs, lib.scratch / f'{flat}-constants')
            outcome = judge(f'{flat}-fixed', fixed, rest, want, tolerance)
        yield name, outcome._replace(expressible=is_expressible(model, understood))


def recorded():
    with tarfile.open(lib.shared / 'conformance/onnx.tar.xz') as archive:
        archive.extractall(lib.scratch / 'cases')
    for meta in sorted((lib.scratch / 'cases').rglob('meta.json')):
        told = json.loads(meta.read_text())
        inputs, outputs = (dict(np.load(meta.parent / f'{kind}.npz')) for kind in ('inputs', 'outputs'))
        want, model = list(outputs.items()), meta.parent / 'model.onnx'
        declared = [[d.dim_value for d in o.type.tensor_type.shape.dim] for o in onnx.load(model).graph.output]
        if any(all(d) and d != list(a.shape) and a.size > 1 for d, (_, a) in zip(declared, want)):
            yield meta.parent.name, Outcome('left out', 'what was recorded has not the shape that the model declares')
            continue
        yield meta.parent.name, judge(meta.parent.name, model, inputs, want, max(SINGLE, told.get('rtol', 0)))


def options():
    """A volume of open extents through a pool, and behind that an operation that nobody knows."""
    helper, single = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [
            helper.make_node('MaxPool', ['x'], ['middle'], kernel_shape=[1, 2, 2], strides=[1, 2, 2]),
            helper.make_node('Unheard', ['middle'], ['y'], domain='nobody'),
        ],
        'g',
        [helper.make_tensor_value_info('x', single, ['batch', 3, 'depth', 'height', 'width'])],
        [helper.make_tensor_value_info('y', single, None)],
    )
    model, package = lib.scratch / 'volume.onnx', lib.scratch / 'volume.mlpackage'
    imports = [helper.make_opsetid('', 17), helper.make_opsetid('nobody', 1)]
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=8), model)

    def expect(name, code, says, *words):
        got, report = tool(lib.scratch, *words)
        lib.check(f'options: {name}', got == code and says in str(report), f'exit {got}: {report}')

    end, shape = ('--outputs', 'middle'), ('--shapes', 'x=2x3x4x6x8')
    eight_bits = onnx.TensorProto.FLOAT8E4M3FN
    held = [helper.make_tensor('s', single, [], [0.1]), helper.make_tensor('z', eight_bits, [], [0.0])]
    nodes, ends = [], []
    for i in range(2):
        nodes.append(helper.make_node('QuantizeLinear', ['x', 's', 'z'], [f'q{i}']))
        nodes.append(helper.make_node('DequantizeLinear', [f'q{i}', 's', 'z'], [f'y{i}']))
        ends.append(helper.make_tensor_value_info(f'y{i}', single, None))
    graph = helper.make_graph(nodes, 'g', [helper.make_tensor_value_info('x', single, [3])], ends, held)
    rounded = lib.scratch / 'rounded.onnx'
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 19)], ir_version=9), rounded)

    expect('open extents are asked for', 3, 'E0440', 'convert', model, '-o', package, *end)
    expect('what cannot be said is refused', 3, 'Unheard', 'convert', model, '-o', package, *shape)
    both = "QuantizeLinear 'q0', 'q1': to float8e4m3fn"
    expect('rounding to float8 is refused once', 3, both, 'convert', rounded, '-o', package)
    expect('it ends before', 0, "'middle'", 'convert', model, '-o', package, *end, *shape)
    convert = ('convert', model, '-o', package, *end, '--shapes')
    expect("the shape is the only input's", 0, 'middle', *convert, '2x3x4x6x8')
    expect('an input that is not there', 2, "no input 'z'", *convert, 'z=1x2x3')
    expect('a shape that it does not take', 3, 'E0441', *convert, '2x4x4x6x8')
    expect('a package has its own shape', 2, 'ONNX', 'analyze', package, '--shapes', '2x3x4x6x8')
    np.save(lib.scratch / 'volume.npy', np.arange(2 * 3 * 4 * 6 * 8, dtype=np.float32).reshape(2, 3, 4, 6, 8))
    words = ('run', model, '--input', lib.scratch / 'volume.npy', '-o', lib.scratch / 'ends', *end)
    expect('run ends before', 0, 'middle', *words)
    got = np.load(lib.scratch / 'ends/middle.npy')
    lib.check('options: the numbers', got.shape == (2, 3, 4, 3, 4) and got[0, 0, 0, 0, 0] == 9, f'{got.shape}')


def listed():
    rows = {}
    for line in LISTED.read_text().splitlines() if LISTED.exists() else []:
        if line and not line.startswith('#'):
            name, _, reason = line.partition('\t')
            rows[name] = reason
    return rows


def check_share(outcomes):
    """Of the cases that can be said in MIL, how many pass by either way."""
    those = [outcome for outcome in outcomes if outcome.expressible and outcome.verdict != 'left out']
    by_graph = sum(outcome.graph for outcome in those)
    by_package = sum(outcome.verdict == 'pass' for outcome in those)
    for way, passed in (('imported and executed', by_graph), ('written, read and executed', by_package)):
        share = passed / max(1, len(those))
        print(f'node: {passed} of {len(those)} that MIL can say ({100 * share:.1f} %) pass {way}')
        lib.check(f'node: {way}', share >= EXPRESSIBLE, f'{100 * share:.1f} %')


def main(words):
    kinds = [w for w in words if w in ('zoo', 'node', 'recorded', 'options')] or ['zoo', 'node', 'recorded', 'options']
    only = words[words.index('--only') + 1] if '--only' in words else ''
    allowed, results = listed(), {}
    if 'options' in kinds:
        options()
        kinds.remove('options')
    for kind in kinds:
        there = NODE_DATA.is_dir() if kind == 'node' else lib.shared is not None
        if not there:
            lib.skip(1, f'{kind}: ' + ('apt install libonnx-testdata' if kind == 'node' else 'the data are not there'))
            continue
        counts = {}
        outcomes = []
        for name, outcome in {'zoo': lambda: zoo(only), 'node': node, 'recorded': recorded}[kind]():
            if only not in name:
                continue
            outcomes.append(outcome)
            verdict, message = outcome.verdict, outcome.message
            counts[verdict] = counts.get(verdict, 0) + 1
            results[f'{kind}/{name}'] = [verdict, message]
            reason = allowed.get(f'{kind}/{name}', '')
            if verdict == 'refused':
                lib.check(f'{kind}/{name}', reason != '', f'refused and not in {LISTED.name}: {message}')
            elif verdict != 'left out':
                lib.check(f'{kind}/{name}', verdict == 'pass', message)
            if verdict == 'pass':
                lib.check(f'{kind}/{name}', f'{kind}/{name}' not in allowed, f'passes: take it out of {LISTED.name}')
        if kind == 'node' and not only:
            check_share(outcomes)
        print(f'{kind}: ' + ', '.join(f'{n} {verdict}' for verdict, n in sorted(counts.items())))
    if '--list' in words:
        pathlib.Path(words[words.index('--list') + 1]).write_text(json.dumps(results, indent=1))
    lib.finish()


main(sys.argv[1:])
