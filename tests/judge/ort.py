#!/usr/bin/env python3
"""What `plan --ort` says of ONNX exports, against recorded node counts, partitions and refusals of ONNX Runtime's
CoreML provider (tests/data/ort), row by row; and its node counts against the ONNX Runtime that is installed."""

import collections
import json
import lzma
import re
import resource
import subprocess
import sys

import lib

folder = lib.data / 'ort'


def unpacked(name):
    plain = lib.scratch / f'{name}.onnx'
    if not plain.exists():
        plain.write_bytes(lzma.decompress((folder / f'{name}.onnx.xz').read_bytes()))
    return plain


def judge_row(name, target, row):
    got = lib.run('plan', unpacked(name), '--ort', target)
    if got is None:
        return
    want = collections.Counter()
    for entry in row['rejected']:
        want[entry['op']] += entry['count']
    sizes = row['partition_sizes']  # of long lists, the first 40
    pairs = {
        'nodes': (got['nodes']['total'], row['nodes']),
        'supported': (got['nodes']['supported'], row['supported']),
        'partitions': (got['partitions'], row['partitions']),
        'sizes': (got['partition_sizes'][: len(sizes)], sizes),
        'all sizes': (sum(got['partition_sizes']), row['supported']),
        'refused': (collections.Counter(entry['op'] for entry in got['rejected']), want),
    }
    wrong = {what: pair for what, pair in pairs.items() if pair[0] != pair[1]}
    lib.check(f'{name} {target}', not wrong, f'is, should be: {wrong}')


def judge_counts():
    """The installed ONNX Runtime, optimising at level "basic": its nodes, without the casts that its CPU provider adds
    after partitioning."""
    try:
        import onnx
        import onnxruntime
    except ImportError:
        lib.skip(4, 'onnxruntime is not installed')
        return
    onnxruntime.set_default_logger_severity(4)
    version = min(int(re.match(r'1\.(\d+)', onnxruntime.__version__)[1]), 24)
    for model in sorted(folder.glob('*.onnx.xz')):
        name = model.name.removesuffix('.onnx.xz')
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(lib.scratch / 'optimized.onnx')
        onnxruntime.InferenceSession(str(unpacked(name)), options, providers=['CPUExecutionProvider'])
        nodes = onnx.load(options.optimized_model_filepath).graph.node
        want = sum(n.op_type != 'Constant' and not n.name.startswith('InsertedPrecisionFreeCast') for n in nodes)
        got = lib.run('plan', unpacked(name), '--ort', f'1.{version}/mlprogram')
        if got:
            lib.check(f'{name}: nodes by {onnxruntime.__version__}', got['nodes']['total'] == want,
                      f'{got["nodes"]["total"]}, should be {want}')


def judge_zoo():
    """The table of foreign networks is what the program makes."""
    if not lib.shared:
        lib.skip(1, "other people's networks: they are not there")
        return
    script = [sys.executable, lib.root / 'scripts/zoo_ort.py', lib.anemone, lib.shared / 'zoo/onnx']
    made = subprocess.run(script, capture_output=True, text=True)
    page = (lib.root / 'docs/reference/zoo-ort.md').read_text()
    good = made.returncode == 0 and made.stdout == page
    lib.check('docs/reference/zoo-ort.md', good, made.stderr or "run 'scripts/zoo_ort.py' and commit")


def in_a_row(count):
    """STAR so many times, each reading what the one before it makes."""
    import onnx

    star = onnx.load(unpacked('star_dyn'))
    big = onnx.ModelProto()
    big.CopyFrom(star)
    for field in ('node', 'initializer', 'output', 'value_info'):
        del getattr(big.graph, field)[:]
    taken = star.graph.input[0].name
    for i in range(count):
        names = {star.graph.input[0].name: taken, '': ''}
        for tensor in star.graph.initializer:
            names[tensor.name] = tensor.name  # weights are shared
            if i == 0:
                big.graph.initializer.append(tensor)
        for node in star.graph.node:
            copy = big.graph.node.add()
            copy.CopyFrom(node)
            for output in node.output:
                names[output] = output and f'{i}.{output}'
            copy.input[:] = [names[x] for x in node.input]
            copy.output[:] = [names[x] for x in node.output]
        last = names[star.graph.output[-1].name]
        operands = [star.graph.input[0].name, f'{i}.scalar']
        back = big.graph.node.add(op_type='Add', input=operands, output=[f'{i}.next'])
        reduce = onnx.helper.make_node('ReduceMax', [last], [f'{i}.scalar'], keepdims=0)
        big.graph.node.insert(len(big.graph.node) - 1, reduce)
        taken = back.output[0]
    big.graph.output.append(onnx.helper.make_empty_tensor_value_info(taken))
    path = lib.scratch / f'row{count}.onnx'
    onnx.save(big, path)
    return path


def processor_seconds(*paths):
    """Of each, the least of five, taken in turns, and its nodes."""
    took, nodes = [[] for _ in paths], [0 for _ in paths]
    for _ in range(5):
        for i, path in enumerate(paths):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            nodes[i] = lib.run('plan', path, '--ort', '1.19/neuralnetwork')['nodes']['total']
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            took[i].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return [(min(times), count) for times, count in zip(took, nodes, strict=True)]


def judge_speed():
    """By processor time: 50 ms for 855 nodes, 1.5 s for 20,000, and no more than in proportion to the nodes."""
    try:
        import onnx  # noqa: F401
    except ImportError:
        lib.skip(3, 'onnx is not installed')
        return
    ((small, nodes),) = processor_seconds(unpacked('star_dyn'))
    lib.check(f'{nodes} nodes in 50 ms', small <= 0.05, f'{1e3 * small:.1f} ms')
    (half, nodes_half), (whole, nodes_whole) = processor_seconds(in_a_row(12), in_a_row(24))
    lib.check(f'{nodes_whole} nodes in 1.5 s', whole <= 1.5 and nodes_whole >= 20000, f'{whole:.2f} s')
    growth = (whole / half) / (nodes_whole / nodes_half)
    lib.check('growth', growth <= 1.4, f'{growth:.2f} times what the nodes grow')
    print(f'{nodes} nodes {1e3 * small:.0f} ms, {nodes_half} {1e3 * half:.0f} ms, {nodes_whole} {1e3 * whole:.0f} ms')


def judge_export():
    """A checkpoint is planned as its export; rewritten for the provider, STAR is one partition where a release can."""
    checkpoint, plain, whole = (lib.scratch / name for name in ('star.pkl', 'plain.onnx', 'whole.onnx'))
    lib.run('synth', 'star', '-o', checkpoint)
    lib.run('export', checkpoint, '-o', plain)
    lib.run('export', checkpoint, '-o', whole, '--for', 'ort-coreml')
    for target in (lib.run('plan', whole, '--ort', 'all') or {'targets': []})['targets']:
        if target['format'] == 'mlprogram' and target['version'] in ('1.19', '1.20'):
            continue
        good = target['partitions'] == 1 and target['nodes']['supported'] == target['nodes']['total']
        lib.check(f'STAR rewritten, {target["target"]}', good, target)
    for target in ('1.19/neuralnetwork', '1.22/mlprogram'):
        direct, of_plain = lib.run('plan', checkpoint, '--ort', target), lib.run('plan', plain, '--ort', target)
        if direct and of_plain:
            same = all(direct[key] == of_plain[key] for key in ('nodes', 'partition_sizes', 'rejected'))
            lib.check(f'a checkpoint as its export, {target}', same, direct['nodes'])
            lib.check(f'a checkpoint rewritten, {target}', direct['rewritten']['partitions'] == 1, direct['rewritten'])


for name, rows in json.loads((folder / 'expected.json').read_text())['models'].items():
    table = lib.run('plan', unpacked(name), '--ort', 'all')
    counts = {target['target']: target for target in (table or {'targets': []})['targets']}
    for target, row in rows.items():
        if '/' not in target:
            continue
        judge_row(name, target, row)
        short = counts.get(target, {'nodes': {}, 'partitions': None})
        pair = (short['nodes'].get('supported'), short['partitions'])
        lib.check(f'{name} {target} in the table', pair == (row['supported'], row['partitions']), pair)
judge_counts()
judge_zoo()
judge_speed()
judge_export()
lib.run('plan', unpacked('star_dyn'), '--ort', '1.18/neuralnetwork', expect=2)
lib.finish()
