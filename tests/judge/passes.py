#!/usr/bin/env python3
"""What the default pipeline makes of whole networks: STAR against the package of another converter, RetinaFace beyond
the engine's limits, foreign packages; every pass executed before and after on all of them.
"""

import lzma
import subprocess
import sys
import tarfile

import lib

star = lib.scratch / 'star.pkl'
lib.run('synth', 'star', '-o', star)


def package(name):
    with tarfile.open(lib.data / 'ane' / f'{name}.mlpackage.tar.xz') as archive:
        archive.extractall(lib.scratch)
    return lib.scratch / f'{name}.mlpackage'


def onnx(name):
    path = lib.scratch / f'{name}.onnx'
    path.write_bytes(lzma.open(lib.data / 'ort' / f'{name}.onnx.xz').read())
    return path


def converted(source, name, *options):
    out = lib.scratch / f'{name}.mlpackage'
    return out, lib.run('convert', source, '-o', out, *options)


def size(path):
    return sum(p.stat().st_size for p in path.rglob('*') if p.is_file())


# 1. STAR, final landmarks, against the incumbent's package of the same network: by the same planner.
incumbent = package('star_landmarks')
theirs = lib.run('plan', incumbent, '--device', 'm1')
ours, report = converted(star, 'ours')
plan = lib.run('plan', ours, '--device', 'm1')
total, off = plan['ops']['total'], [v['type'] for v in plan['verdicts'] if v['unit'] != 'ane']
lib.check('STAR: at most 560 operations', total <= 560, total)
lib.check('STAR: one run on the engine', plan['partitions'] == 1, plan['partitions'])
lib.check('STAR: the boundary cast alone is off the engine', off == ['cast'], off)
gain = theirs['planner_ms'] - plan['planner_ms']
lib.check('STAR: 1.2 ms below the other package', gain >= 1.2, gain)
lib.check('STAR: no larger than the other package', size(ours) <= size(incumbent), (size(ours), size(incumbent)))
layers = [next(p['low'] for p in x['latency_ms']['parts'] if p['name'] == 'layer model') for x in (plan, theirs)]
lib.check('STAR: the layer model agrees', layers[0] < layers[1], layers)
milliseconds = sum(p['ms'] for p in report['passes'])
print(
    f'  STAR: {total} operations, {plan["planner_ms"]:.2f} ms, {size(ours)} bytes; theirs {theirs["ops"]["total"]}, '
    f'{theirs["planner_ms"]:.2f} ms, {size(incumbent)} bytes; {milliseconds:.0f} ms of passes'
)

# The same with its gates written in arithmetic: no bool tensor, and no other number.
gates, without = converted(star, 'gates', '--passes', 'ane,write_gates_in_arithmetic')
bools = {'greater', 'select'} & set(without['ops']['by_type'])
both = {'greater', 'select'} <= set(report['ops']['by_type'])
lib.check('STAR in arithmetic: no bool tensors', both and not bools, bools)
same = lib.run('verify', gates, '--against', ours)
lib.check('STAR in arithmetic: the same numbers', same and all(o['max_abs'] == 0 for o in same['outputs']), same)

# 2. Theirs through convert, and PyTorch's export as ONNX, end where ours does.
for name, source in (('by coremltools', incumbent), ('by PyTorch as ONNX', onnx('star_fixed'))):
    outputs = ['--outputs', 'final'] if source.suffix == '.onnx' else []
    _, foreign = converted(source, 'foreign', *outputs)
    if foreign:
        near = abs(foreign['ops']['total'] - total) <= 5
        lib.check(f'STAR {name}: within five operations of ours', near, (foreign['ops'], report['ops']))

# The same network in fp32 by both routes: the same operations, but for the output that PyTorch gives twice.
onnx_file = lib.scratch / 'star_fixed.onnx'
graph = lib.run('convert', onnx_file, '--precision', 'fp32', '-o', lib.scratch / 'graph.mlpackage')
words = ('--precision', 'fp32', '--input', 'tensor', '--outputs', 'all')
network = lib.run('convert', star, *words, '-o', lib.scratch / 'network.mlpackage')
counts = [dict(r['ops']['by_type']) for r in (graph, network)]
counts[0].pop('identity', None)
lib.check('STAR by both routes: the same operations', counts[0] == counts[1], counts)

# 3. RetinaFace at 640x640: 16,800 rows.
path, retina = converted(package('retinaface_640'), 'retinaface')
plan = lib.run('plan', path, '--device', 'm1')
off = [v['type'] for v in plan['verdicts'] if v['unit'] != 'ane']
lib.check('RetinaFace: the border alone is off the engine', off == ['cast'] + 3 * ['concat'], off)
lib.check('RetinaFace: one run on the engine', plan['partitions'] == 1, plan['partitions'])
before = lib.run('plan', lib.scratch / 'retinaface_640.mlpackage', '--device', 'm1')
# The package's weights are one number a tensor, so that no output reacts to pictures: the comparison says 1 for that.
same = lib.run('verify', path, '--against', lib.scratch / 'retinaface_640.mlpackage', expect=(0, 1))
lib.check('RetinaFace: the same numbers', same and all(o['max_abs'] == 0 for o in same['outputs']), same)
print(f'  RetinaFace: {before["ops"]["ane"]} of {before["ops"]["total"]} on the engine, {before["planner_ms"]:.2f} ms; '
      f'now {plan["ops"]["ane"]} of {plan["ops"]["total"]}, {plan["planner_ms"]:.2f} ms')  # fmt: skip

# 4. Every pass on every network, verified and executed before and after.
networks = [package(n) for n in ('resnet50', 'mobilenet_v2', 'densenet121', 'retinaface_640_tensor')]
networks += [star, incumbent, onnx('retinaface_fixed_640')]
if lib.shared:
    networks += sorted(p for p in (lib.shared / 'zoo/onnx').glob('*.onnx'))
    networks += sorted(p for p in (lib.shared / 'zoo/coreml').iterdir() if p.is_dir())
else:
    lib.skip(30, 'networks of other people: they are not there')
for source in networks:
    for pipeline in ('default-fp16', 'default-fp32'):
        command = ['convert', source, '-o', lib.scratch / 'checked.mlpackage', '--passes', pipeline, '--dry-run']
        if source.suffix == '.onnx':  # some overflow in fp16: the other passes are judged
            command += ['--skip-pass', 'add_fp16_cast']
        if source.name == 'yolox_nano.onnx':  # whose worst number fp16 weights move by 2.4 of 3.4 in any rounding
            command += ['--skip-pass', 'round_conv_weights']
        plain = subprocess.run([lib.anemone, *map(str, command)], capture_output=True, text=True)
        if plain.returncode == 3:  # a file that cannot become a package, whatever the passes
            continue
        checked = subprocess.run([lib.anemone, *map(str, command), '--check-passes'], capture_output=True, text=True)
        if 'E0701' in checked.stderr:  # a classifier's last step has types and no execution
            lib.skip(1, f'{source.name}, {pipeline}: it cannot be executed')
            continue
        lib.check(f'{source.name}, {pipeline}', checked.returncode == 0, checked.stderr[-400:])

# 5. The pages.
script = [sys.executable, lib.root / 'scripts/rewrites_page.py', lib.anemone]
made = subprocess.run(script, capture_output=True, text=True)
good = made.returncode == 0 and made.stdout == (lib.root / 'docs/evidence/rewrites.md').read_text()
lib.check('docs/evidence/rewrites.md', good, made.stderr or "run 'scripts/rewrites_page.py' and commit")
if lib.shared:
    script = [sys.executable, lib.root / 'scripts/passes_page.py', lib.anemone, lib.data, lib.shared / 'zoo']
    made = subprocess.run(script, capture_output=True, text=True)
    good = made.returncode == 0 and made.stdout == (lib.root / 'docs/evidence/passes.md').read_text()
    lib.check('docs/evidence/passes.md', good, made.stderr or "run 'scripts/passes_page.py' and commit")
else:
    lib.skip(1, 'docs/evidence/passes.md: it is about networks of other people, too')
lib.finish()
