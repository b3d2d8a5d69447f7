#!/usr/bin/env python3
"""Exported ONNX files: onnx.checker accepts them, and ONNX Runtime computes what our executor does.

usage: export.py [PART ...]   (the functions listed in PARTS; all of them by default)

Three seeded inputs each; the tolerance is 1e-4 of the largest value of an output, or of 1.
"""

import lzma
import struct
import subprocess
import sys
import tarfile
import zlib

import numpy as np

import retinaface as hashed_retinaface
from lib import anemone, check, data, finish, root, run, scratch, shared, skip

try:
    import exact_onnx
    import onnx
    import onnxruntime
except ImportError as error:
    skip(1, f'{error}; python3 with onnx and onnxruntime judges exports')
    finish()

onnxruntime.set_default_logger_severity(3)
crop = root / 'examples/astronaut/crop256.png'
DTYPES = {'tensor(float)': np.float32, 'tensor(float16)': np.float16, 'tensor(int32)': np.int32,
          'tensor(bool)': np.bool_, 'tensor(double)': np.float64}


def session_of(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])


def draw(session, seed, pixels):
    """Seeded inputs: pixels of an image, whole numbers below 3 (indices, switches), else normally distributed."""
    generator = np.random.default_rng(seed)
    feeds = {}
    for spec in session.get_inputs():
        shape = [n if isinstance(n, int) else 1 for n in spec.shape]
        dtype = DTYPES[spec.type]
        if spec.name in pixels:
            feeds[spec.name] = generator.integers(0, 256, shape).astype(dtype)
        elif np.issubdtype(dtype, np.floating):
            feeds[spec.name] = generator.standard_normal(shape).astype(np.float16).astype(dtype)
        else:
            feeds[spec.name] = generator.integers(0, 2, shape).astype(dtype)
    return feeds


def executed(model, feeds, outputs, options, folder, expect=0):
    """What our executor makes of the model the export began with."""
    folder.mkdir(exist_ok=True)
    words = ['run', model, '-o', folder, *options]
    if outputs:
        words += ['--outputs', ','.join(outputs)]
    for name, value in feeds.items():
        np.save(folder / f'in_{name}.npy', value)
        words += ['--input', f'{name}={folder}/in_{name}.npy']
    answer = run(*words, expect=expect)
    if not answer or 'outputs' not in answer:
        return None
    if 'label' in answer:  # a classifier: its tensor holds the probabilities in the order of the labels
        label = np.array([int(answer['label'])])
        return [label, *(np.load(folder / o['file']) for o in answer['outputs'])]
    return [np.load(folder / o['file']) for o in answer['outputs']]


def worst(ours, theirs, half=False):
    """The largest difference in units of the tolerance's base. `half`: the model rounds its results to half."""
    if half:
        with np.errstate(over='ignore'):
            ours, theirs = ours.astype(np.float16), theirs.astype(np.float16)
    if ours.size != theirs.size:
        return float('inf')
    a, b = ours.astype(np.float64).ravel(), theirs.astype(np.float64).ravel()
    finite = np.isfinite(a) & np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return float('inf')
    a, b = a[finite], b[finite]
    return float(np.max(np.abs(a - b)) / max(1.0, np.max(np.abs(b)))) if a.size else 0.0


def judge(name, model, *export, execute=(), limit=1e-4, outputs=False, seeds=3):
    """Exports, checks, runs both. Gives the path of the file, or None where the export was refused.

    Packages cast their results to half, exports do not: there one unit in the last place of half is the limit.
    """
    half = model.suffix == '.mlpackage' and 'fp16' in subprocess.run(
        [anemone, 'print', model], capture_output=True, text=True).stdout
    limit = max(limit, 2.0**-10) if half else limit
    path = scratch / (name.replace('/', '-').replace(' ', '_') + '.onnx')
    answer = run('export', model, '-o', path, *export)
    if answer is None:
        return None
    try:
        onnx.checker.check_model(str(path), full_check=True)
        session = session_of(path)
    except Exception as error:
        check(f'{name}: accepted', False, str(error)[-400:])
        return None
    loaded = onnx.load(str(path), load_external_data=False)
    check(f'{name}: JSON counts the nodes', answer['ops']['total'] == len(loaded.graph.node))
    prefix = 'org.anemone.pixels.'
    pixels = {p.key[len(prefix):] for p in loaded.metadata_props if p.key.startswith(prefix)}
    names = [o.name for o in session.get_outputs()]
    largest = 0.0
    for seed in range(seeds):
        feeds = draw(session, seed, pixels)
        ours = executed(model, feeds, names if outputs else None, ['--precision', 'fp32', *execute], scratch / 'run')
        if ours is None:
            return None
        theirs = session.run(None, feeds)
        check(f'{name}: outputs', len(ours) == len(theirs), f'{len(ours)} and {len(theirs)}')
        largest = max([largest, *(worst(a, b, half) for a, b in zip(theirs, ours))])
    check(f'{name}: within {limit}', largest <= limit, f'{largest:.3g}')
    print(f'{name}: {len(loaded.graph.node)} nodes, {path.stat().st_size / 1e6:.1f} MB, worst {largest:.2g}')
    return path


def star(*options, name='star.pkl'):
    path = scratch / name
    if not path.exists():
        run('synth', 'star', '-o', path, *options)
    return path


def checkpoints():
    checkpoint = star()
    landmarks = judge('star landmarks', checkpoint, outputs=True)
    judge('star all outputs', checkpoint, '--outputs', 'all', outputs=True, seeds=1)
    judge('star 128', checkpoint, '--shapes', '128x128', outputs=True, seeds=1)
    golden_landmarks('hash', landmarks, data / 'star/hash/landmarks_norm_4stacks.npy', crop)
    hashed = scratch / 'retinaface.pth'
    hashed_retinaface.write_checkpoint(hashed, hashed_retinaface.hash_weights())
    judge('retinaface hash weights', hashed, '--shapes', '256x192')
    if not shared:
        skip(12, 'RetinaFace with its real weights, STAR with fitted heads on six faces: no ../shared')
        return
    judge('retinaface', shared / 'golden/retinaface/mobilenet0.25_Final.pth', seeds=1)
    for heads, folder in (('probe_pd', 'probe_pd_heads'), ('probe', 'probe_heads')):
        fitted = star('--heads', shared / 'golden/star' / folder, name=f'{heads}.pkl')
        exported = scratch / f'{heads}.onnx'
        run('export', fitted, '-o', exported)
        for recorded in sorted((shared / 'golden/star').glob(f'*/{heads}/landmarks_norm_4stacks.npy')):
            face = recorded.parents[1]
            golden_landmarks(f'{heads} {face.name}', exported, recorded, face / 'crop256.png')


def read_png(path):
    """Pixels [height, width, 3] of a PNG of eight bits without interlacing (PNG specification, section 9)."""
    content, at, packed = path.read_bytes(), 8, b''
    while at < len(content):
        size, kind = struct.unpack('>I4s', content[at : at + 8])
        body = content[at + 8 : at + 8 + size]
        if kind == b'IHDR':
            width, height, depth, colour = struct.unpack('>IIBB', body[:10])
            assert (depth, colour) == (8, 2)
        packed += body if kind == b'IDAT' else b''
        at += size + 12
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 3 * width + 1)
    out = np.zeros((height + 1, 3 * width + 3), np.int64)  # a row above and a pixel to the left, all 0
    for y in range(height):
        for x in range(3 * width):
            a, b, c = int(out[y + 1, x]), int(out[y, x + 3]), int(out[y, x])
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            guess = (0, a, b, (a + b) // 2, paeth)[rows[y, 0]]
            out[y + 1, x + 3] = (int(rows[y, x + 1]) + guess) % 256
    return out[1:, 3:].reshape(height, width, 3)


def golden_landmarks(name, exported, recorded, image):
    """What PyTorch computed of the face crop."""
    if exported is None:
        return
    pixels = read_png(image)[:, :, ::-1].astype(np.float32)  # BGR
    tensor = (pixels * np.float32(2 / 255) - 1).transpose(2, 0, 1)[None]
    got = session_of(exported).run(['landmarks'], {'image': np.ascontiguousarray(tensor)})[0]
    error = float(np.abs(got[0] - np.load(recorded)[3]).max())
    check(f'{name}: golden landmarks', error <= 2e-5, f'{error:.3g}')
    print(f'{name}: golden landmarks within {error:.2g}')


def packages():
    folder = scratch / 'packages'
    folder.mkdir()
    found = []
    for archive in sorted((data / 'ane').glob('*.mlpackage.tar.xz')):
        with tarfile.open(archive) as tar:
            tar.extractall(folder)
        found.append(folder / archive.name[: -len('.tar.xz')])
    if shared:
        found += sorted((shared / 'zoo/coreml').glob('*.mlpackage'))
    else:
        skip(7, 'packages of ../shared/zoo/coreml')
    for package in found:
        # One has a manifest of a version that is not there yet, one its description alone: neither can be computed.
        if package.stem in ('ironmill_simple', 'yolo11n_spec_only'):
            run('export', package, '-o', scratch / 'x.onnx', expect=3)
        else:
            judge(package.stem, package)


def networks():
    """ONNX, optimised, ONNX again: the callers' names, and the numbers of the original in ONNX Runtime."""
    if not shared:
        skip(21, 'networks of ../shared/zoo/onnx')
        return
    paths = sorted((shared / 'zoo/onnx').glob('*.onnx'))
    for name in ('star_dyn', 'star_fixed'):
        path = scratch / f'{name}.onnx'
        path.write_bytes(lzma.decompress((data / f'ort/{name}.onnx.xz').read_bytes()))
        paths.append(path)
    for path in paths:
        try:
            before = session_of(path)
        except Exception:  # what ONNX Runtime does not take has nothing to be held against
            print(f'{path.stem}: left out')
            continue
        exported = scratch / 'again.onnx'
        if run('export', path, '-o', exported) is None:
            continue
        onnx.checker.check_model(str(exported), full_check=True)
        after = session_of(exported)
        ports = [[(p.name, p.type) for p in (*s.get_inputs(), *s.get_outputs())] for s in (before, after)]
        check(f'{path.stem}: names and types', ports[0] == ports[1], f'{ports[1]} instead of {ports[0]}')
        limit = 5e-3 if any('float16' in kind for _, kind in ports[0]) else 1e-4
        for seed in range(3):
            feeds = draw(before, seed, set())
            ours, theirs = after.run(None, feeds), before.run(None, feeds)
            largest, allowed = max(map(worst, ours, theirs)), limit
            if largest > limit:  # the network in double decides, and rounding in another order is a draw
                truth = exact_onnx.run(onnx.load(path), feeds)
                off = max(map(worst, theirs, truth))
                if off > 0.1:
                    print(f'NOTE {path.stem}: rounding decides its outputs, ONNX Runtime is off by {off:.2g} itself')
                    break
                largest, allowed = max(map(worst, ours, truth)), max(limit, 2 * off)
            check(f'{path.stem}: the same numbers', largest <= allowed, f'{largest:.3g}, {allowed:.3g} is allowed')
        nodes = [len(onnx.load(str(p), load_external_data=False).graph.node) for p in (path, exported)]
        print(f'{path.stem}: {nodes[0]} nodes become {nodes[1]}, worst {largest:.2g}')


def opsets():
    checkpoint = star()
    for opset in range(13, 22):
        path = judge(f'star opset {opset}', checkpoint, '--opset', opset, outputs=True, seeds=1)
        if path:
            check(f'opset {opset} is said', onnx.load(str(path)).opset_import[0].version == opset)


def half():
    checkpoint = star()
    path = judge('star fp16', checkpoint, '--precision', 'fp16', outputs=True, limit=5e-3, seeds=1)
    if path:
        kinds = {i.type.tensor_type.elem_type for i in onnx.load(str(path)).graph.input}
        check('fp16 takes float', kinds == {onnx.TensorProto.FLOAT})
    run('export', checkpoint, '-o', scratch / 'half.onnx', '--precision', 'fp16', '--fp16-interface')
    kinds = {i.type.tensor_type.elem_type for i in onnx.load(str(scratch / 'half.onnx')).graph.input}
    check('--fp16-interface takes fp16', kinds == {onnx.TensorProto.FLOAT16})


def ort_coreml():
    """The graph for ONNX Runtime's provider computes what the plain one does, and has nothing that it refuses."""
    checkpoint = star()
    plain, rewritten = scratch / 'plain.onnx', scratch / 'ort.onnx'
    run('export', checkpoint, '-o', plain, '--outputs', 'all')
    run('export', checkpoint, '-o', rewritten, '--outputs', 'all', '--for', 'ort-coreml')
    onnx.checker.check_model(str(rewritten), full_check=True)
    kinds = {node.op_type for node in onnx.load(str(rewritten)).graph.node}
    refused_kinds = {'Where', 'Greater', 'Max', 'InstanceNormalization', 'Unsqueeze', 'Squeeze', 'Identity', 'Cast'}
    check('no operation that the provider refuses', not kinds & refused_kinds, kinds & refused_kinds)
    a, b = session_of(plain), session_of(rewritten)
    for seed in range(3):
        feeds = draw(a, seed, set())
        difference = max(map(worst, b.run(None, feeds), a.run(None, feeds)))
        check('the same numbers', difference <= 1e-4, f'{difference:.3g}')
        print(f'for ort-coreml: worst {difference:.2g}')
    run('export', checkpoint, '-o', rewritten, '--for', 'ort-coreml', '--ort', '1.24/mlprogram')
    kinds = {node.op_type for node in onnx.load(str(rewritten)).graph.node}
    check('an ML Program keeps its normalisation', 'InstanceNormalization' in kinds and 'Where' not in kinds, kinds)
    run('export', checkpoint, '-o', rewritten, '--for', 'ort-coreml', '--precision', 'fp16', expect=2)


def dynamic_batch():
    """Three samples at once are three samples one by one."""
    hashed = scratch / 'retinaface.pth'
    hashed_retinaface.write_checkpoint(hashed, hashed_retinaface.hash_weights())
    for name, model, options in (('star', star(), ()), ('retinaface', hashed, ('--shapes', '128x96'))):
        one, many = scratch / 'one.onnx', scratch / 'many.onnx'
        run('export', model, '-o', one, *options)
        run('export', model, '-o', many, '--dynamic-batch', *options)
        onnx.checker.check_model(str(many), full_check=True)
        a, b = session_of(one), session_of(many)
        check(f'{name}: the batch has a name', b.get_inputs()[0].shape[0] == 'batch', b.get_inputs()[0].shape)
        singles = [draw(a, seed, set()) for seed in range(3)]
        together = {key: np.concatenate([s[key] for s in singles]) for key in singles[0]}
        want = [np.concatenate(parts) for parts in zip(*(a.run(None, s) for s in singles))]
        difference = max(map(worst, b.run(None, together), want))
        check(f'{name}: three samples', difference <= 1e-4, f'{difference:.3g}')
        print(f'{name}: dynamic batch, {len(onnx.load(str(many)).graph.node)} nodes, worst {difference:.2g}')


def refused():
    """What ONNX cannot say is an error before anything is written, and so is a wrong command line."""
    text = scratch / 'state.mil'
    text.write_text('func main<ios18>(state<tensor<fp16, [4]>> s) { y = read_state(input = s); } -> (y);\n')
    out = scratch / 'state.onnx'
    done = subprocess.run([anemone, 'export', text, '-o', out], capture_output=True, text=True)
    check('a state is refused', done.returncode == 3 and 'E0430' in done.stderr, done.stderr)
    check('nothing is written', not out.exists())
    run('export', star(), '-o', scratch / 'x.onnx', '--ort', '1.24/mlprogram', expect=2)
    run('export', star(), '-o', scratch / 'x.onnx', '--for', 'ort-coreml', '--ort', '9/mlprogram', expect=2)
    run('export', star(), '-o', scratch / 'x.onnx', '--opset', '12', expect=2)
    run('export', star(), '-o', scratch / 'x.mlpackage', expect=2)


PARTS = {f.__name__: f for f in (checkpoints, packages, networks, opsets, half, ort_coreml, dynamic_batch, refused)}
if __name__ == '__main__':
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
    finish()
