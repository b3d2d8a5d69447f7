#!/usr/bin/env python3
"""Predictions against what real devices reported about packages that others' software made, and against the planner's
reference computation. Also that the plan of our own STAR leaves only the boundary cast off the engine, and the speed.
"""

import json
import re
import resource
import statistics
import subprocess
import sys
import time
from xml.etree import ElementTree

from lib import anemone, check, data, finish, root, run, scratch, shared, skip

golden = data / 'ane'
expected = json.loads((golden / 'expected.json').read_text())
for name in expected:
    subprocess.run(['tar', '-xf', golden / name, '-C', scratch], check=True)


def plan(name, *options):
    return run('plan', scratch / f'{name}.mlpackage', *options)


def units(result):
    ane = sum(s['unit'] == 'ane' for s in result['segments'])
    return ane, len(result['segments']) - ane


def layer_ms(result):
    return next(p['high'] for p in result['latency_ms']['parts'] if p['name'] == 'layer model')


# 1. Operations are counted as Xcode counts them.
for name, want in expected.items():
    result = plan(name.removesuffix('.mlpackage.tar.xz'))
    if result is None:
        continue
    check(f'{name}: operations', result['ops']['total'] == want['ops_total'], result['ops']['total'])
    check(f'{name}: histogram', result['ops']['by_type'] == want['histogram'], result['ops']['by_type'])
    check(
        f'{name}: says that it predicts', result['prediction'] is True and 'prediction' in result['latency_ms']['basis']
    )
    check(f'{name}: a verdict each', len(result['verdicts']) == want['ops_total'])
    check(f'{name}: segments add up', sum(s['ops'] for s in result['segments']) == want['ops_total'])

# 2. STAR on the M1 family: what Xcode reported on an M1 Pro.
for name, total, ane in (('star_17out', 659, 657), ('star_16out', 659, 657), ('star_landmarks', 623, 621)):
    for device in ('m1', 'm1pro'):
        result = plan(name, '--device', device)
        check(
            f'{name} on {device}',
            result['ops']['ane'] == ane and units(result) == (1, 1),
            (result['ops'], units(result)),
        )
        off = [v['type'] for v in result['verdicts'] if v['unit'] != 'ane']
        check(f'{name} on {device}: which', off == ['mul', 'cast'], off)
        # Nobody measured the native model; two models of ours, made from other networks, agree on about this.
        check(f'{name} on {device}: 8 to 14 ms', 8 <= layer_ms(result) <= result['planner_ms'] <= 14, layer_ms(result))

# 3. RetinaFace: the arithmetic that is exact for STAR drags 18 operations along; a report of an M1 Pro shows 123 of
# 126. The plan says both readings, and the second lies where the report does.
result = plan('retinaface_640', '--device', 'm1pro')
accept = expected['retinaface_640.mlpackage.tar.xz']['accept']
dragged = [v for v in result['verdicts'] if v['unit'] != 'ane' and v['supported']]
reported = result['ops']['ane'] + len(dragged)
check('retinaface: placed', result['ops']['ane'] == 104 and units(result) == (1, 2), (result['ops'], units(result)))
check('retinaface: placed, were nothing dragged along', accept['ane_min'] <= reported <= accept['ane_max'], reported)
check(
    'retinaface: a code and a reason for each of the 18',
    len(dragged) == 18 and all(v['code'] == 'ANE022' and v['reason'] for v in dragged),
    dragged,
)
check(
    'retinaface: both readings',
    any('two readings: 104' in n and f'or {reported}' in n for n in result['notes']),
    result['notes'],
)
refused = {v['type'] for v in result['verdicts'] if not v['supported']}
check('retinaface: no convolution or activation is refused', not refused & {'conv', 'leaky_relu', 'relu'}, refused)
check('retinaface: the note on 126', any('126' in note and '127' in note for note in result['notes']), result['notes'])
check('retinaface: names the rows', any(f['code'] == 'ANE005' and len(f['ops']) == 4 for f in result['findings']))

# 4. What-ifs: operations and segments exactly, the planner's estimate within 0.1 ms, bytes within 2 %. No device was
# seen to do these; the estimates rest on the CPU's published costs (an fp16 sum 2.26 and a product 2.87 times the
# engine's).
for off, ane, segments, ms, megabytes in (
    ('', 657, (1, 1), 13.11, 0.39),
    ('greater,select', 648, (4, 4), 14.23, 0.467),
    ('instance_norm', 653, (5, 5), 14.62, 6.82),
    ('reduce_sum,real_div,stack', 621, (4, 5), 15.18, 3.60),
    ('upsample_nearest_neighbor', 569, (9, 9), 17.34, 13.66),
):
    result = plan('star_17out', '--device', 'm1', *(('--off', off) if off else ()))
    what = off or 'nothing off'
    check(f'{what}: operations', result['ops']['ane'] == ane, result['ops']['ane'])
    check(f'{what}: segments', units(result) == segments, units(result))
    check(f'{what}: ms', abs(result['planner_ms'] - ms) <= 0.1, result['planner_ms'])
    check(f'{what}: bytes', abs(result['crossing_bytes'] / 1e6 / megabytes - 1) <= 0.02, result['crossing_bytes'])

# 5. Published latencies: wholly on the engine, within 30 %.
for name, device, measured in (
    ('resnet50', 'a16', 1.52),
    ('resnet50', 'a17pro', 1.38),
    ('mobilenet_v2', 'a16', 0.48),
    ('mobilenet_v2', 'a17pro', 0.49),
    ('densenet121', 'm1', 1.80),
    ('densenet121', 'm1max', 2.05),
):
    result = plan(name, '--device', device)
    check(
        f'{name} on {device}: all of it',
        result['ops']['ane'] == result['ops']['total'] and units(result) == (1, 0),
        result['ops'],
    )
    check(f'{name} on {device}: {measured} ms', abs(layer_ms(result) / measured - 1) <= 0.3, layer_ms(result))

    result = plan(name, '--device', device, '--compute-units', 'all')
    check(
        f'{name} on {device}, all units: all of it',
        units(result) == (1, 0) and result['partitions'] == 1,
        units(result),
    )

# 6. Our own STAR.
checkpoint = scratch / 'star.pkl'
run('synth', 'star', '-o', checkpoint)
for outputs in ('all', 'final'):
    package = scratch / f'ours-{outputs}.mlpackage'
    run('convert', checkpoint, '-o', package, '--outputs', outputs)
    for device in ('m1', 'm4'):
        result = run('plan', package, '--device', device)
        off = [v['type'] for v in result['verdicts'] if v['unit'] != 'ane']
        check(f'our STAR, {outputs}, {device}', off in ([], ['cast']), off)
        check(f'our STAR, {outputs}, {device}: one run on the engine', result['partitions'] == 1, result['partitions'])

for outputs, total in (('all', 644), ('final', 617)):
    result = run('plan', checkpoint, '--outputs', outputs, '--precision', 'fp32')
    check(f'fp32, {outputs}: 0 of {total}', (result['ops']['ane'], result['ops']['total']) == (0, total), result['ops'])
    check(f'fp32, {outputs}: one segment, 90 to 100 ms', units(result) == (0, 1) and 90 <= result['planner_ms'] <= 100)
table = run('plan', checkpoint, '--what-if', 'fp32,palettize4,shapes=128x128,outputs=all,split=nowhere')['alternatives']
check('what if: a row each', [r['possible'] for r in table] == [True] * 5 + [False], table)
check(
    'what if: fp32 leaves the engine',
    table[1]['ops']['ane'] == 0 and table[1]['planner_ms'] > 5 * table[0]['planner_ms'],
)
check('what if: a quarter of the pixels', 0.2 < table[3]['planner_ms'] / table[0]['planner_ms'] < 0.35, table[3])

result = run('plan', checkpoint, '--outputs', 'final')
check(
    'a checkpoint is planned as its package',
    result['ops'] == run('plan', scratch / 'ours-final.mlpackage')['ops'],
    result['ops'],
)

# 7. A picture, a table, a comparison; whatever form, it says that it predicts and on what evidence.
picture = scratch / 'plan.svg'
text = subprocess.run(
    [anemone, 'plan', scratch / 'star_17out.mlpackage', '--svg', picture, '--per-op'], capture_output=True, text=True
).stdout
check('text says prediction and evidence', 'a prediction' in text and 'evidence' in text)
check('a line each', sum(line.startswith(('ane ', 'cpu ')) for line in text.splitlines()) == 659)
drawing = ElementTree.parse(picture).getroot()
titles = [t.text for t in drawing.iter('{http://www.w3.org/2000/svg}title')]
words = ' '.join(t.text or '' for t in drawing.iter('{http://www.w3.org/2000/svg}text'))
check('picture: an area each', len(titles) == 659, len(titles))
check('picture: says prediction and evidence', 'prediction' in words and 'evidence' in words, words)
check('picture: names the offenders', 'input_image__scaled__' in words and 'ANE001' in words, words)
webpage = scratch / 'plan.html'
run('plan', scratch / 'star_17out.mlpackage', '--html', webpage)
text = webpage.read_text()
check('page: a row each and the heading', text.count('<tr') == 660, text.count('<tr'))
check('page: loads nothing', not re.search(r'(src|href)="(?!data:)|@import|url\(', text))
check('page: says prediction and evidence', 'A prediction' in text and 'Weakest evidence' in text)
table = run('plan', scratch / 'star_17out.mlpackage', '--device', 'all')['devices']
check(
    'all devices',
    len(table) >= 27 and all(r['ops']['ane'] in (657, 658) and r['prediction'] for r in table),
    len(table),
)
both = run('plan', scratch / 'star_17out.mlpackage', '--compare', scratch / 'star_landmarks.mlpackage')
check(
    'comparison',
    both['prediction']
    and both['planner_ms_saved'] > 0.5
    and next(r for r in both['by_type'] if r['type'] == 'reduce_sum')['after']['ops'] == 3,
    both['planner_ms_saved'],
)
check('every rule is explained', all(run('explain', r['code'])['why'] for r in run('rules')['rules']))

# 8. Speed, from start to exit. What counts is the processor's time: on a busy machine the clock on the wall says
# little.
walls, busy = [], []
for _ in range(15):
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([anemone, 'plan', scratch / 'star_17out.mlpackage'], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    walls.append(time.perf_counter() - begun)
    busy.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
print(
    f'plan of 659 operations: processor {1e3 * min(busy):.1f} ms, wall best {1e3 * min(walls):.1f}, '
    f'median {1e3 * statistics.median(walls):.1f} ms'
)
check('659 operations in 50 ms', min(busy) <= 0.05, f'{1e3 * min(busy):.1f} ms')

# 9. The table of foreign packages is what the program makes.
if shared:
    made = subprocess.run(
        [sys.executable, root / 'scripts/zoo_plans.py', anemone, shared / 'zoo/coreml'], capture_output=True, text=True
    )
    page = (root / 'docs/reference/zoo-plans.md').read_text()
    check(
        'docs/reference/zoo-plans.md',
        made.returncode == 0 and made.stdout == page,
        made.stderr or "run 'scripts/zoo_plans.py' and commit",
    )
else:
    skip(1, "plans of other people's packages: they are not there")
finish()
