#!/usr/bin/env python3
"""`analyze` through the command line: parameters, modules and MACs that were counted elsewhere, packages by others, and
memory on a package whose weights are larger than the memory it may use."""

import json
import os
import pathlib
import struct
import subprocess
import tarfile
import lib
import retinaface as hashed

KEYS = ('network', 'format', 'layers', 'parameters', 'size_bytes', 'macs', 'ops', 'inputs', 'outputs', 'findings')


def equal(name, got, want):
    lib.check(name, got == want, f'{got}, expected {want}')
    print(f'  {name:44} {got}')


def analyze(path):
    report = lib.run('analyze', path)
    if report is None:
        return None
    lib.check(f'{path.name}: keys', next(iter(report)) == 'schema' and all(k in report for k in KEYS), list(report))
    lib.check(
        f'{path.name}: sizes',
        report['size_bytes'] == {'fp32': 4 * report['parameters']['total'], 'fp16': 2 * report['parameters']['total']},
        report['size_bytes'],
    )
    return report


def star():
    for points, parameters in ((98, 17177332), (68, 17069572), (29, 16925892)):
        path = lib.scratch / f'star{points}.pkl'
        if lib.run('synth', 'star', '--points', points, '-o', path) is None or (report := analyze(path)) is None:
            continue
        equal(f'star {points} parameters', report['parameters']['total'], parameters)
        equal(f'star {points} dead', report['parameters']['dead'], 3700864)
        if points != 98:
            continue
        equal('star 98 MACs', report['macs'], 17337155584)
        equal('star 98 modules', report['layers']['total'], 915)
        kinds = {k['kind']: k for k in report['layers']['composition']}
        equal(
            'star 98 table',
            [kinds[k]['modules'] for k in ('Convolution', 'BatchNorm', 'ReLU', 'Linear')],
            [538, 182, 64, 0],
        )
        equal('star 98 convolutions that execute', kinds['Convolution']['ops'], 212)
        equal(
            'star 98 classes',
            [report['layers']['by_type'][k] for k in ('Conv2d', 'ConvBlock', 'CoordConvTh')],
            [269, 264, 5],
        )
        equal('star 98 dead modules', len(report['dead_modules']), 57)
        lib.check(
            'star: ane is said of every kind',
            all(k['ane'] in ('compatible', 'conditional', 'incompatible') for k in kinds.values()),
            kinds,
        )
        plan = lib.run('plan', path)
        equal('star 98 same verdicts as plan', report['ane']['ops']['supported'], plan and plan['ops']['supported'])
        # The written packages: the recorded MACs, and what the decoder as a product adds (98 x 4096 x 3 a stack).
        for outputs, macs, decoders in (('all', 17351606272, 4), ('final', 17340768256, 1)):
            package = lib.scratch / f'{outputs}.mlpackage'
            if (
                lib.run('convert', path, '-o', package, '--outputs', outputs) is None
                or (written := analyze(package)) is None
            ):
                continue
            products = written['ops']['by_type'].get('matmul', 0)
            lib.check(f'package {outputs}: decoders', products in (0, decoders), products)
            equal(f'package {outputs} MACs', written['macs'], macs + products * 98 * 4096 * 3)
            equal(f'package {outputs} network', written['network'], 'star')
        page = lib.scratch / 'FINDINGS.md'
        lib.run('analyze', path, '--markdown', page)
        lib.check('markdown', page.exists() and '17,177,332' in page.read_text(), page)
        for words in ((), ('--tree',), ('--tree', '--depth', '1'), ('--compare', str(lib.scratch / 'final.mlpackage'))):
            text = subprocess.run(
                [lib.anemone, 'analyze', path.name, *words], capture_output=True, text=True, cwd=lib.scratch
            ).stdout
            wide = [line for line in text.splitlines() if len(line) > 100 and not line.startswith('  anemone ')]
            lib.check(f'text {words}: at most 100 columns', text and not wide, wide[:2])


def resnet50():
    macs, size, channels = 64 * 112 * 112 * 3 * 49, 56, 64
    for blocks, width, stride in ((3, 64, 1), (4, 128, 2), (6, 256, 2), (3, 512, 2)):
        for block in range(blocks):
            step = stride if block == 0 else 1
            macs += width * size * size * channels  # 1x1
            size //= step
            macs += width * size * size * width * 9  # 3x3, with the stride
            macs += 4 * width * size * size * width  # 1x1
            if block == 0:
                macs += 4 * width * size * size * channels  # shortcut
            channels = 4 * width
    return macs + 2048 * 1000


def mobilenet_v2():
    macs, size, channels = 32 * 112 * 112 * 27, 112, 32
    for expand, out, count, stride in (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ):
        for block in range(count):
            hidden = channels * expand
            macs += hidden * size * size * channels if expand > 1 else 0
            size //= stride if block == 0 else 1
            macs += hidden * size * size * (9 + out)  # depthwise 3x3, then 1x1
            channels = out
    return macs + 1280 * size * size * channels + 1280 * 1000


def densenet121():
    macs, size, channels = 64 * 112 * 112 * 3 * 49, 56, 64
    for index, layers in enumerate((6, 12, 24, 16)):
        for _ in range(layers):
            macs += size * size * (128 * channels + 32 * 128 * 9)
            channels += 32
        if index < 3:
            macs += size * size * channels * (channels // 2)
            channels, size = channels // 2, size // 2
    return macs + 1024 * 1000


def packages():
    """Counted by hand above, and recorded: packages by coremltools."""
    hand = {
        'resnet50': (resnet50(), 4089184256),
        'mobilenet_v2': (mobilenet_v2(), 300774272),
        'densenet121': (densenet121(), 2834161664),
    }
    macs = {
        'star_17out': 17351606272,
        'star_16out': 17351606272,
        'star_landmarks': 17340768256,
        'retinaface_640': 981145600,
        'retinaface_640_tensor': 981145600,
    }
    expected = json.loads((lib.data / 'ane/expected.json').read_text())
    for archive in sorted((lib.data / 'ane').glob('*.tar.xz')):
        name = archive.name.removesuffix('.mlpackage.tar.xz')
        with tarfile.open(archive) as tar:
            tar.extractall(lib.scratch)
        report = analyze(lib.scratch / f'{name}.mlpackage')
        if report is None:
            continue
        if name in hand:
            equal(f'{name} by hand', hand[name][0], hand[name][1])
            macs[name] = hand[name][0]
        equal(f'{name} MACs', report['macs'], macs[name])
        recorded = expected.get(archive.name, {})
        lib.check(
            f'{name}: histogram',
            report['ops']['by_type'] == recorded.get('histogram', report['ops']['by_type']),
            report['ops'],
        )
        equal(f'{name} operations', report['ops']['total'], recorded.get('ops_total', report['ops']['total']))


def zoo():
    for package in sorted((lib.shared / 'zoo/coreml').iterdir()):
        refused = package.name == 'ironmill_simple.mlpackage'
        lib.run('analyze', package, expect=3 if refused else 0)
        lib.check(f'zoo {package.name}', True)


def retinaface():
    weights = lib.scratch / 'retinaface.pth'
    hashed.write_checkpoint(weights, hashed.hash_weights())
    report = analyze(weights)
    if report is None:
        return
    equal('retinaface parameters', report['parameters']['total'], 426608)
    equal('retinaface MACs', report['macs'], 981145600)


# A package whose weight file is 2 GB, sparse on disk. The protobuf is written here: nobody's library makes such a
# thing.
def varint(n):
    out = b''
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor_type(dtype, *dims):
    sizes = b''.join(field(3, field(1, field(1, d))) for d in dims)
    return field(1, field(1, dtype) + field(2, len(dims)) + sizes)


def named(name, type_):
    return field(1, name) + field(2, type_)


def large_package(path, rows=1 << 28, columns=4):
    """y = linear(x[1,4], w[2^28,4]): 2 GiB of fp16 weights, all 0 but the first megabyte."""
    fp16, string = 10, 2

    def text(word):
        return field(2, tensor_type(string)) + field(3, field(1, field(4, field(1, word))))

    def op(kind, name, type_, inputs=b'', attributes=b''):
        return field(
            3,
            field(1, kind)
            + inputs
            + field(3, named(name, type_))
            + field(5, field(1, 'name') + field(2, text(name)))
            + attributes,
        )

    def argument(param, name):
        return field(2, field(1, param) + field(2, field(1, field(1, name))))

    weight = field(2, tensor_type(fp16, rows, columns)) + field(
        5, field(1, '@model_path/weights/weight.bin') + field(2, 64)
    )
    block = field(2, 'y') + op(
        'const', 'w', tensor_type(fp16, rows, columns), attributes=field(5, field(1, 'val') + field(2, weight))
    )
    block += op('linear', 'y', tensor_type(fp16, 1, rows), argument('x', 'x') + argument('weight', 'w'))
    function = (
        field(1, named('x', tensor_type(fp16, 1, columns)))
        + field(2, 'CoreML7')
        + field(3, field(1, 'CoreML7') + field(2, block))
    )
    program = field(1, 1) + field(2, field(1, 'main') + field(2, function))

    def feature(name, *dims):
        return field(1, name) + field(3, field(5, field(1, b''.join(map(varint, dims))) + field(2, 65552)))

    model = (
        field(1, 8)
        + field(2, field(1, feature('x', 1, columns)) + field(10, feature('y', 1, rows)))
        + field(502, program)
    )
    data = path / 'Data/com.apple.CoreML'
    (data / 'weights').mkdir(parents=True)
    (data / 'model.mlmodel').write_bytes(model)
    items = {
        'model': ('com.apple.CoreML/model.mlmodel', 'model.mlmodel'),
        'weights': ('com.apple.CoreML/weights', 'weights'),
    }
    manifest = {
        'fileFormatVersion': '1.0.0',
        'rootModelIdentifier': 'model',
        'itemInfoEntries': {
            key: {'author': 'com.apple.CoreML', 'description': key, 'name': name, 'path': place}
            for key, (place, name) in items.items()
        },
    }
    (path / 'Manifest.json').write_text(json.dumps(manifest))
    size = 2 * rows * columns
    with open(data / 'weights/weight.bin', 'wb') as file:
        file.write(struct.pack('<II56x', 1, 2))
        file.write(struct.pack('<IIQQQ32x', 0xDEADBEEF, 1, size, 128, 0))
        file.write(struct.pack('<H', 1) * (1 << 19))  # the smallest subnormal
        file.truncate(128 + size)
        file.seek(128 + size - 2)
        file.write(struct.pack('<H', 0x7C00))  # infinity, in the last place


def measured(*words):
    """JSON and peak memory in MB of one run."""
    read, write = os.pipe()
    pid = os.posix_spawn(
        lib.anemone,
        [lib.anemone, *map(str, words), '--json'],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_CLOSE, read)],
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    _, status, usage = os.wait4(pid, 0)
    return (json.loads(text) if status == 0 else None), usage.ru_maxrss / 1024


def large():
    package = lib.scratch / 'large.mlpackage'
    large_package(package)
    weights = package / 'Data/com.apple.CoreML/weights/weight.bin'
    lib.check(
        '2 GB package is sparse',
        weights.stat().st_size > 2 << 30 and weights.stat().st_blocks * 512 < 64 << 20,
        weights.stat(),
    )
    for words in ((), ('--scan-weights',)):
        report, memory = measured('analyze', package, *words)
        print(f'  2 GB package {" ".join(words):10} peak {memory:.0f} MB')
        lib.check(f'2 GB package {words}: memory', memory < 200, f'{memory:.0f} MB')
        if not lib.check(f'2 GB package {words}: analysed', report is not None):
            continue
        equal('2 GB package parameters', report['parameters']['total'], 1 << 30)
        equal('2 GB package MACs', report['macs'], 1 << 30)
        codes = [f['code'] for f in report['findings']]
        if not words:
            lib.check(
                '2 GB package: says that it did not read',
                'weights-not-read' in codes and not report['weights']['read'],
                codes,
            )
            continue
        seen = report['weights']['in_fp16']
        equal('2 GB package weights read', seen['elements'], 1 << 30)
        equal('2 GB package subnormal weights', seen['subnormal'], 1 << 19)
        equal('2 GB package infinite weights', seen['not_finite'], 1)


star()
large()
packages()
retinaface()
if lib.shared:
    zoo()
else:
    lib.skip(20, "packages that others made: they are not there")
lib.finish()
