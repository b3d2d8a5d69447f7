#!/usr/bin/env python3
"""Operations of ONNX in the forms in which exporters write them, with random numbers, beside onnxruntime.

usage: onnx_features.py [TEXT]     (only the cases whose names contain it)

ONNX's own tests give every gate of a recurrent network the same weights, and leave out forms that came later: a wrong
order shows only where all numbers differ. Each case is a graph of a few nodes. It is executed as it is, executed from
the package that is written of it, and exported again and run by onnxruntime; all within 1e-4 of what onnxruntime makes
of the case itself.
"""

import itertools
import json
import subprocess
import sys
import typing

import lib
import numpy as np

try:
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
except ImportError:
    lib.skip(1, 'onnx or onnxruntime is not there')
    lib.finish()

onnxruntime.set_default_logger_severity(4)
random = np.random.default_rng(7)
node = helper.make_node
MICROSOFT = 'com.microsoft'


class Case(typing.NamedTuple):
    nodes: list
    feeds: dict
    constants: dict
    outputs: list
    opset: int
    tolerance: float


cases = {}


def normal(*dims):
    return random.standard_normal(dims).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def case(name, nodes, feeds, constants=None, outputs=('y',), opset=17, tolerance=1e-4):
    """Inputs get the types and extents of their feeds."""
    nodes = nodes if isinstance(nodes, list) else [nodes]
    cases[name] = Case(nodes, feeds, constants or {}, list(outputs), opset, tolerance)


def resizes():
    x = {'x': normal(1, 3, 7, 9)}

    def resize(name, sizes, feeds=None, opset=17, roi='', constants=None, **attributes):
        held = {'s': ints(*sizes), **(constants or {})}
        case(f'resize {name}', node('Resize', ['x', roi, '', 's'], ['y'], **attributes), feeds or x, held, opset=opset)

    ways = ('half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric')
    for way, sizes in itertools.product(ways, ((1, 3, 13, 11), (1, 3, 4, 5))):
        for mode in ('linear', 'cubic'):
            resize(f'{mode} {way} {sizes[2]}', sizes, mode=mode, coordinate_transformation_mode=way)
        for nearest in ('round_prefer_floor', 'floor', 'ceil', 'round_prefer_ceil'):
            words = {'coordinate_transformation_mode': way, 'nearest_mode': nearest}
            resize(f'nearest {way} {nearest} {sizes[2]}', sizes, mode='nearest', **words)
    large = {'x': normal(1, 3, 12, 16)}
    for mode, outside in itertools.product(('linear', 'cubic'), (0, 1)):
        words = {'mode': mode, 'antialias': 1, 'exclude_outside': outside}
        resize(f'antialias {mode} {outside}', (1, 3, 5, 6), large, 18, **words)
    words = {'mode': 'linear', 'axes': [2, 3], 'keep_aspect_ratio_policy': 'not_larger'}
    resize('aspect', (7, 7), large, 18, **words)
    resize('cubic a', (1, 3, 12, 5), mode='cubic', exclude_outside=1, cubic_coeff_a=-0.5)
    region = {'r': np.array([0, 0, 0.2, 0.1, 1, 1, 0.9, 1.2], np.float32)}
    words = {'coordinate_transformation_mode': 'tf_crop_and_resize', 'extrapolation_value': 3.0}
    resize('crop', (1, 3, 12, 5), roi='r', constants=region, mode='linear', **words)
    double = {'k': np.array([1, 1, 2, 2], np.float32)}
    case('resize of opset 10', node('Resize', ['x', 'k'], ['y'], mode='nearest'), x, double, opset=10)
    case('upsample of opset 9', node('Upsample', ['x', 'k'], ['y'], mode='linear'), x, double, opset=9)
    case('upsample of opset 7', node('Upsample', ['x'], ['y'], mode='nearest', scales=[1.0, 1.0, 2.0, 3.0]), x, opset=7)


def windows():
    x, small = {'x': normal(1, 4, 13, 10)}, {'x': normal(1, 4, 7, 6)}
    for pad, stride in itertools.product(('SAME_UPPER', 'SAME_LOWER', 'VALID'), (1, 2, 3)):
        words = {'auto_pad': pad, 'strides': [stride, stride]}
        held = {'w': normal(6, 4, 3, 4), 'b': normal(6)}
        case(f'conv {pad} {stride}', node('Conv', ['x', 'w', 'b'], ['y'], **words), x, held)
        back = {'w': normal(4, 3, 3, 3)}
        case(f'transposed {pad} {stride}', node('ConvTranspose', ['x', 'w'], ['y'], **words), small, back)
        for op in ('MaxPool', 'AveragePool'):
            case(f'{op} {pad} {stride}', node(op, ['x'], ['y'], kernel_shape=[3, 2], **words), x)
    shapes = {
        'grouped': ((2, 4, 13, 10), (6, 2, 3, 4), {'pads': [0, 1, 2, 3], 'dilations': [2, 1], 'group': 2}),
        '1d': ((2, 4, 30), (6, 4, 3), {'pads': [2, 0], 'dilations': [3]}),
        '3d': ((1, 2, 6, 7, 8), (3, 2, 3, 3, 3), {'pads': [1] * 6, 'strides': [2, 1, 1]}),
    }
    for name, (dims, weight, words) in shapes.items():
        case(f'conv {name}', node('Conv', ['x', 'w'], ['y'], **words), {'x': normal(*dims)}, {'w': normal(*weight)})
    case('conv computed', node('Conv', ['x', 'w'], ['y']), {'x': normal(1, 2, 6, 7), 'w': normal(3, 2, 3, 3)})
    fused = [node('Transpose', ['v'], ['w'], perm=[1, 0, 2, 3]), node('Conv', ['x', 'w'], ['y'], dilations=[2, 2])]
    case('conv of a transposed constant', fused, {'x': normal(1, 2, 8, 7)}, {'v': normal(2, 3, 3, 3)})
    backwards = {
        'padding': {'strides': [2, 2], 'output_padding': [1, 1], 'pads': [1, 1, 1, 1], 'group': 2},
        'shape': {'strides': [2, 2], 'output_shape': [15, 13]},
        'dilated': {'strides': [1, 2], 'dilations': [2, 1]},
    }
    for name, words in backwards.items():
        case(f'transposed {name}', node('ConvTranspose', ['x', 'w'], ['y'], **words), small, {'w': normal(4, 3, 3, 3)})
    pooled = {'x': normal(2, 4, 14, 11)}
    common = {'kernel_shape': [3, 3], 'strides': [2, 2], 'pads': [1, 0, 1, 1]}
    for ceil, inside in itertools.product((0, 1), (0, 1)):
        words = {**common, 'ceil_mode': ceil, 'count_include_pad': inside}
        case(f'average {ceil} {inside}', node('AveragePool', ['x'], ['y'], **words), pooled)
        dilated = {**words, 'dilations': [2, 1]}
        case(f'average dilated {ceil} {inside}', node('AveragePool', ['x'], ['y'], **dilated), pooled, opset=19)
        words = {**common, 'ceil_mode': ceil, 'dilations': [1, 1 + inside]}
        case(f'max {ceil} {inside}', node('MaxPool', ['x'], ['y'], **words), pooled)
        words['storage_order'] = inside
        both = ('y', 'i')
        case(f'max and indices {ceil} {inside}', node('MaxPool', ['x'], both, **words), pooled, outputs=both)
    case('LpPool', node('LpPool', ['x'], ['y'], kernel_shape=[2, 2], p=3), pooled)
    case('GlobalLpPool', node('GlobalLpPool', ['x'], ['y'], p=3), pooled)


def reductions():
    x, axes = {'x': np.abs(normal(2, 3, 4, 5)) + np.float32(0.1)}, {'a': ints(1, -1)}
    for kind in ('Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'LogSumExp', 'SumSquare', 'LogSum'):
        op = f'Reduce{kind}'
        case(f'{op} by attribute', node(op, ['x'], ['y'], axes=[1, -1], keepdims=0), x, opset=11)
        case(f'{op} by input', node(op, ['x', 'a'], ['y']), x, axes, opset=18)
        case(f'{op} of all', node(op, ['x'], ['y'], keepdims=0), x, opset=18)
    case('ReduceSum of none', node('ReduceSum', ['x', 'a'], ['y'], noop_with_empty_axes=1), x, {'a': ints()}, opset=18)
    case('ArgMax, the last', node('ArgMax', ['x'], ['y'], axis=1, select_last_index=1), x)
    both = ('v', 'i')
    case('TopK', node('TopK', ['x', 'k'], both, axis=1, largest=0), x, {'k': ints(2)}, outputs=both)
    case('TopK of opset 9', node('TopK', ['x'], both, k=3), x, outputs=both, opset=9)
    case('CumSum', node('CumSum', ['x', 'a'], ['y'], reverse=1, exclusive=1), x, {'a': np.int64(1)})


def recurrent():
    x, hidden = {'x': normal(6, 2, 3)}, 5
    for op, gates in (('LSTM', 4), ('GRU', 3), ('RNN', 1)):

        def held(directions, wanted='wrb'):
            size = gates * hidden
            shapes = {'w': (size, 3), 'r': (size, hidden), 'b': (2 * size,), 'h': (2, hidden), 'c': (2, hidden)}
            shapes['p'] = (3 * hidden,)
            return {name: normal(directions, *shapes[name]) for name in wanted}

        outputs = ['y', 'yh', 'yc'] if op == 'LSTM' else ['y', 'yh']
        for way in ('forward', 'reverse', 'bidirectional'):
            for after in (0, 1) if op == 'GRU' else (0,):
                words = {'hidden_size': hidden, 'direction': way, **({'linear_before_reset': 1} if after else {})}
                made = node(op, ['x', 'w', 'r', 'b'], outputs, **words)
                case(f'{op} {way} {after}', made, x, held(1 + (way == 'bidirectional')), outputs)
        lengths = {**held(1), 'l': np.array([4, 6], np.int32)}
        ended = node(op, ['x', 'w', 'r', 'b', 'l'], outputs, hidden_size=hidden)
        case(f'{op} of sequences', ended, x, lengths, outputs)
        clipped = node(op, ['x', 'w', 'r', 'b'], outputs, hidden_size=hidden, clip=0.7)
        case(f'{op} clipped', clipped, x, held(1), outputs)
        if op == 'LSTM':
            peep = node(op, ['x', 'w', 'r', 'b', '', 'h', 'c', 'p'], outputs, hidden_size=hidden)
            case('LSTM peephole', peep, x, held(1, 'wrbhcp'), outputs)
            begun = node(op, ['x', 'w', 'r', 'b', '', 'h', 'c'], outputs, hidden_size=hidden)
            state = {'h': normal(1, 2, hidden), 'c': normal(1, 2, hidden)}
            case('LSTM from a state', begun, {**x, **state}, held(1), outputs)
            other = node(op, ['x', 'w', 'r'], ['y'], hidden_size=hidden, activations=['HardSigmoid', 'Relu', 'Tanh'])
            case('LSTM activations', other, x, held(1, 'wr'))


def movement():
    x = {'x': normal(4, 9, 7)}
    case('Slice', node('Slice', ['x', 'a', 'e', 'd', 's'], ['y']), x,
         {'a': ints(-1, 0), 'e': ints(-100, 9), 'd': ints(1, -1), 's': ints(-2, 3)})
    case('Gather', node('Gather', ['x', 'i'], ['y'], axis=1), x, {'i': np.array([[-1, 0], [2, -9]])})
    case('Gather computed', node('Gather', ['x', 'i'], ['y'], axis=1), {**x, 'i': ints(-1, 2, -9)})
    case('GatherND', node('GatherND', ['x', 'i'], ['y'], batch_dims=1), {'x': normal(2, 3, 4)}, {'i': ints([1], [-1])})
    flat = {'x': normal(4, 3)}
    case('GatherElements', node('GatherElements', ['x', 'i'], ['y'], axis=1), flat, {'i': ints([1, -1], [0, 2])})
    added = node('ScatterElements', ['x', 'i', 'u'], ['y'], axis=1, reduction='add')
    case('ScatterElements', added, flat, {'i': ints([1, -1], [0, 0]), 'u': normal(2, 2)}, opset=18)
    times = node('ScatterND', ['x', 'i', 'u'], ['y'], reduction='mul')
    case('ScatterND', times, flat, {'i': ints([1], [0], [1]), 'u': normal(3, 3)}, opset=18)
    both = ('a', 'b')
    case('Split', node('Split', ['x', 's'], both, axis=1), x, {'s': ints(3, 6)}, both)
    case('Split in parts', node('Split', ['x'], both, axis=1, num_outputs=2), x, outputs=both, opset=18)
    for mode, pads in (('reflect', (2, 1, 1, 3)), ('edge', (2, 1, 1, 3)), ('constant', (-1, 1, 1, -2))):
        plane, amounts = {'x': normal(1, 2, 5, 6)}, ints(0, 0, *pads[:2], 0, 0, *pads[2:])
        case(f'Pad {mode}', node('Pad', ['x', 'p'], ['y'], mode=mode), plane, {'p': amounts})
    wrapped = node('Pad', ['x', 'p', '', 'd'], ['y'], mode='wrap')
    case('Pad wrap', wrapped, flat, {'p': ints(2, 1), 'd': ints(-1)}, opset=19)
    for mode in ('DCR', 'CRD'):
        depth = node('DepthToSpace', ['x'], ['y'], blocksize=2, mode=mode)
        case(f'DepthToSpace {mode}', depth, {'x': normal(1, 12, 3, 4)})
    case('SpaceToDepth', node('SpaceToDepth', ['x'], ['y'], blocksize=2), {'x': normal(1, 3, 6, 4)})
    for mode, outside, corners in itertools.product(('bilinear', 'nearest'), ('zeros', 'border', 'reflection'), (0, 1)):
        words = {'mode': mode, 'padding_mode': outside, 'align_corners': corners}
        places = {'x': normal(1, 3, 8, 9), 'g': normal(1, 5, 6, 2)}
        case(f'GridSample {mode} {outside} {corners}', node('GridSample', ['x', 'g'], ['y'], **words), places)
    spread = [node('Expand', ['x', 's'], ['e']), node('Tile', ['e', 'r'], ['t']), node('Greater', ['t', 'z'], ['g']),
              node('Where', ['g', 't', 'z'], ['y'])]
    case('Expand, Tile, Where', spread, {'x': normal(3, 1)},
         {'s': ints(2, 1, 4), 'r': ints(1, 2, 3), 'z': np.float32(0.1)})
    case('Trilu', node('Trilu', ['x', 'k'], ['y'], upper=0), flat, {'k': np.int64(-1)})


def attention():
    q, kv = normal(2, 4, 5, 8), {'k': normal(2, 2, 7, 8), 'v': normal(2, 2, 7, 6)}
    case('Attention', node('Attention', ['q', 'k', 'v'], ['y']), {'q': q, **kv}, opset=23)
    masked = node('Attention', ['q', 'k', 'v', 'm'], ['y'], scale=0.3, softcap=2.0)
    case('Attention masked', masked, {'q': q, **kv}, {'m': normal(5, 7)}, opset=23)
    allowed = {'m': np.tri(5, 7, 1, dtype=bool)}
    case('Attention allowed', masked, {'q': q, **kv}, allowed, opset=23)
    flat = {'q': normal(2, 5, 32), 'k': normal(2, 5, 16), 'v': normal(2, 5, 16)}
    words = {'q_num_heads': 4, 'kv_num_heads': 2, 'is_causal': 1}
    case('Attention of flat heads', node('Attention', ['q', 'k', 'v'], ['y'], **words), flat, opset=23)
    past = {'pk': normal(2, 2, 3, 8), 'pv': normal(2, 2, 3, 6)}
    given = ('y', 'nk', 'nv')
    cached = node('Attention', ['q', 'k', 'v', '', 'pk', 'pv'], given)
    case('Attention with a past', cached, {'q': q, **kv, **past}, outputs=given, opset=23)
    angles = {'c': normal(2, 5, 3), 's': normal(2, 5, 3)}
    for beside in (0, 1):
        words = {'interleaved': beside, 'rotary_embedding_dim': 6}
        case(f'RotaryEmbedding {beside}', node('RotaryEmbedding', ['q', 'c', 's'], ['y'], **words), {'q': q}, angles,
             opset=23)
    tables = {'c': normal(9, 4), 's': normal(9, 4), 'i': ints([0, 3, 1, 2, 8], [1, 1, 7, 0, 2])}
    turned = node('RotaryEmbedding', ['q', 'c', 's', 'i'], ['y'], num_heads=4)
    case('RotaryEmbedding at places', turned, {'q': flat['q']}, tables, opset=23)


def products():
    forms = {'bij,bjk->bik': ((2, 3, 4), (2, 4, 5)), 'bhid,bhjd->bhij': ((1, 2, 3, 4), (1, 2, 5, 4)),
             'ij->ji': ((3, 4),), 'ii->i': ((4, 4),), '...ij,...jk': ((2, 3, 4), (2, 4, 5)), 'i,j->ij': ((3,), (4,)),
             'bij,j->bi': ((2, 3, 4), (4,)), 'bhwc,hkc->bhwk': ((1, 3, 5, 4), (3, 6, 4)), 'abc->': ((2, 3, 4),)}
    for equation, shapes in forms.items():
        feeds = {name: normal(*dims) for name, dims in zip('ab', shapes)}
        case(f'Einsum {equation}', node('Einsum', list(feeds), ['y'], equation=equation), feeds)
    held = {'w': normal(3, 4), 'c': normal(3)}
    scaled = node('Gemm', ['x', 'w', 'c'], ['y'], transB=1, alpha=0.5, beta=2.0)
    case('Gemm of opset 7', scaled, {'x': normal(2, 4)}, held, opset=7)
    x, norm = {'x': normal(2, 4, 5, 6)}, {'s': normal(4), 'b': normal(4)}
    case('InstanceNorm', node('InstanceNormalization', ['x', 's', 'b'], ['y'], epsilon=1e-3), x, norm)
    case('LayerNorm', node('LayerNormalization', ['x', 's'], ['y'], axis=2), x, {'s': normal(5, 6)})
    case('GroupNorm', node('GroupNormalization', ['x', 's', 'b'], ['y'], num_groups=2), x, norm, opset=21)
    case('RMSNorm', node('RMSNormalization', ['x', 's'], ['y']), x, {'s': normal(6)}, opset=23)
    attention()
    case('Gelu', node('Gelu', ['x'], ['y'], approximate='tanh'), x, opset=20)
    case('LRN', node('LRN', ['x'], ['y'], size=11, alpha=0.1), x)
    case('Softmax of opset 11', node('Softmax', ['x'], ['y'], axis=1), x, opset=11)
    weight = {'w': normal(6, 4, 3, 3), 'b': normal(6)}
    words = {'domain': MICROSOFT, 'activation': 'LeakyRelu', 'activation_params': [0.1], 'pads': [1, 1, 1, 1]}
    fused = node('FusedConv', ['x', 'w', 'b', 'z'], ['y'], **words)
    case('FusedConv', fused, {**x, 'z': normal(2, 6, 5, 6)}, weight)
    case('FusedGemm', node('FusedGemm', ['x', 'w', 'c'], ['y'], domain=MICROSOFT, activation='Tanh', transB=1),
         {'x': normal(2, 4)}, held)
    case('half', node('Conv', ['x', 'w'], ['y']), {'x': x['x'].astype(np.float16)},
         {'w': weight['w'].astype(np.float16)}, tolerance=5e-3)
    case('double', node('Mul', ['x', 'w'], ['y']), {'x': x['x'].astype(np.float64)}, {'w': np.float64(1.7)})
    wide = [node('Cast', ['v'], ['w'], to=TensorProto.FLOAT), node('Conv', ['x', 'w'], ['y'])]
    case('constants in double', wide, x, {'v': weight['w'].astype(np.float64)})
    short = TensorProto(name='v', data_type=TensorProto.BFLOAT16, dims=[6, 4, 3, 3])
    short.raw_data = (weight['w'].view(np.uint32) >> 16).astype(np.uint16).tobytes()
    case('constants in bfloat16', wide, x, {'v': short})


def quantised():
    """Results in steps of 0.1: where a sum lies between two steps, either is right."""
    x = {'x': normal(1, 4, 8, 8)}
    held = {'sx': np.float32(0.05), 'zx': np.uint8(128), 'w': random.integers(-127, 128, (6, 4, 3, 3), np.int8)}
    held |= {'sw': np.full(6, 0.02, np.float32), 'zw': np.zeros(6, np.int8)}
    held |= {'b': random.integers(-99, 99, 6, np.int32), 'sb': np.full(6, 0.001, np.float32)}
    held |= {'sy': np.float32(0.1), 'zy': np.uint8(120)}
    first, last = node('QuantizeLinear', ['x', 'sx', 'zx'], ['q']), node('DequantizeLinear', ['r', 'sy', 'zy'], ['y'])
    inside = [node('DequantizeLinear', ['q', 'sx', 'zx'], ['f']),
              node('DequantizeLinear', ['w', 'sw', 'zw'], ['v'], axis=0),
              node('DequantizeLinear', ['b', 'sb'], ['c'], axis=0), node('Conv', ['f', 'v', 'c'], ['g']),
              node('QuantizeLinear', ['g', 'sy', 'zy'], ['r'])]
    case('QDQ', [first, *inside, last], x, held, opset=13, tolerance=1e-2)
    whole = node('QLinearConv', ['q', 'sx', 'zx', 'w', 'sw', 'zw', 'sy', 'zy', 'b'], ['r'])
    case('QLinearConv', [first, whole, last], x, {k: v for k, v in held.items() if k != 'sb'}, opset=13,
         tolerance=1e-2)
    blocks = {'w': random.integers(-8, 8, (6, 4), np.int8), 's': normal(2, 4)}
    wide = [node('DequantizeLinear', ['w', 's'], ['v'], axis=0, block_size=3), node('MatMul', ['x', 'v'], ['y'])]
    case('weights in blocks', wide, {'x': normal(3, 6)}, blocks, opset=21)


def saved(it, path):
    """Types and extents of the outputs are onnx's to infer."""
    tensors = [v if isinstance(v, TensorProto) else numpy_helper.from_array(np.asarray(v), k)
               for k, v in it.constants.items()]
    inputs = [helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
              for k, v in it.feeds.items()]
    outputs = [onnx.ValueInfoProto(name=name) for name in it.outputs]
    graph = helper.make_graph(it.nodes, 'g', inputs, outputs, tensors)
    opsets = [helper.make_opsetid('', it.opset), helper.make_opsetid(MICROSOFT, 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10 if it.opset > 13 else 7), path)


def by_onnxruntime(path, feeds):
    return onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider']).run(None, feeds)


def distance(got, want):
    """The largest difference, in units of the largest number, or of 1."""
    if len(got) != len(want) or any(g.size != w.size for g, w in zip(got, want)):
        return float('inf')
    return max(
        float(np.abs(g.reshape(w.shape).astype(np.float64) - w).max() / max(1, np.abs(w).max()))
        for g, w in zip(got, want)
    )


def judge(name, it):
    folder = lib.scratch / name.replace(' ', '_').replace('>', '')
    folder.mkdir()
    model, package, exported = (folder / name for name in ('m.onnx', 'm.mlpackage', 'exported.onnx'))
    saved(it, model)
    want = by_onnxruntime(model, it.feeds)

    def tool(*words):
        """The JSON that it answers with; None: it failed, which is said."""
        process = subprocess.run([lib.anemone, *map(str, words), '--json'], capture_output=True, text=True)
        if not lib.check(f'{name}: {words[0]}', process.returncode == 0, process.stderr[-400:]):
            return None
        return json.loads(process.stdout)

    def executed(what):
        words = []
        for key, value in it.feeds.items():
            np.save(folder / f'{key}.npy', value)
            words += ['--input', f'{key}={folder / key}.npy']
        answer = tool('run', what, *words, '-o', folder / 'out')
        return [np.load(folder / 'out' / o['file']) for o in answer['outputs']] if answer else []

    def compare(way, got):
        far = distance(got, want) if got else 0  # what failed was said
        lib.check(f'{name}: {way}', far <= it.tolerance, f'{far:.2e} from onnxruntime')

    half = any(value.dtype == np.float16 for value in it.feeds.values())
    precision = ('--precision', 'fp16' if half else 'fp32')
    compare('executed', executed(model))
    if tool('convert', model, '-o', package, '--input', 'tensor', *precision):
        compare('its package', executed(package))
    if tool('export', model, '-o', exported, *precision):
        onnx.checker.check_model(str(exported), full_check=True)
        compare('exported again', by_onnxruntime(exported, it.feeds))


for family in (resizes, windows, reductions, recurrent, movement, products, quantised):
    family()
for name, it in cases.items():
    if not sys.argv[1:] or sys.argv[1] in name:
        try:
            judge(name, it)
        except Exception as error:  # of onnx or onnxruntime: a file that they do not take
            lib.check(name, False, str(error)[:300])
print(f'{len(cases)} cases')
lib.finish()
