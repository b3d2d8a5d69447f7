"""The command that convert prints as the next one: it says yes to sound packages of every set of weights, and no to
planted faults, with the reason."""

import os
import re
import subprocess

import numpy as np
from lib import anemone, check, finish, root, run, scratch, shared, skip


def verdict(package, checkpoint, *more, expect=0):
    return run('verify', package, '--against', checkpoint, *more, expect=expect)


# Sound packages: every set of heads, every number of points, the printed form.
sets = {
    'hash': [],
    'hash68': ['--points', 68],
    'hash29': ['--points', 29],
    'fitted on one face': ['--heads', root / 'examples/probe_pd_heads'],
}
if shared:
    sets['fitted on six faces'] = ['--heads', shared / 'golden/star/probe_heads']
else:
    skip(1, 'the heads fitted on six faces are not here')
worst = {}
for name, options in sets.items():
    star, package = scratch / 'star.pkl', scratch / 'star.mlpackage'
    run('synth', 'star', '-o', star, *options)
    run('convert', star, '-o', package)
    result = verdict(package, star)
    if result:
        points = result['landmarks']
        worst[name] = (points['mean_px'], points['max_px'])
        check(f'{name}: faces are judged', points['inputs'] == 6 and points['inputs_not_judged'] == 3, points)
        check(f'{name}: most points are determined', points['undetermined'] * 4 < points['points'] * 6, points)
for name, (mean, most) in worst.items():
    print(f'  {name}: mean {mean:.3f} px, max {most:.3f} px')
means, mosts = [m for m, _ in worst.values()], [m for _, m in worst.values()]
check('as README says', max(means) <= 0.105 and max(mosts) <= 0.725, (max(means), max(mosts)))
check('and no better', min(means) >= 0.055 and min(mosts) >= 0.245, (min(means), min(mosts)))

retinaface = shared and shared / 'golden/retinaface/mobilenet0.25_Final.pth'
if retinaface:
    run('convert', retinaface, '-o', scratch / 'faces.mlpackage')
    result = verdict(scratch / 'faces.mlpackage', retinaface)
    check('RetinaFace has no landmarks', result and 'landmarks' not in result)
else:
    skip(2, "RetinaFace's checkpoint is not here")

# Planted faults in the preprocessing.
star, package = scratch / 'star.pkl', scratch / 'wrong.mlpackage'
run('synth', 'star', '-o', star, '--heads', root / 'examples/probe_pd_heads')
for name, options, sign in (
    ('RGB', ['--color', 'rgb'], 'its image input is rgb'),
    ('1/255', ['--scale', '1/255'], 'pixel · 1/255 of a picture'),
    ('no bias', ['--bias', '0'], 'pixel · 2/255 of a picture'),
    ('RGB and 1/255', ['--color', 'rgb', '--scale', '1/255'], 'its image input is rgb; it makes pixel · 1/255'),
):
    run('convert', star, '-o', package, *options)
    result = verdict(package, star, expect=1)
    causes = ' '.join(result['causes']) if result else ''
    check(f'{name}: said why', sign in causes and 'without --color' in (result or {}).get('next', ''), causes)


# Planted faults in the weights: what the tensors of the hash set are is written in the network's own rule.
def hashed(key, shape, gain):
    seed = 0xCBF29CE484222325
    for c in key.encode():
        seed = ((seed ^ c) * 0x100000001B3) & (2**64 - 1)
    z = np.uint64(seed) + np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    u = ((z ^ (z >> np.uint64(31))) >> np.uint64(40)).astype(float) / 2**24
    return ((2 * u - 1) * gain).astype(np.float32).reshape(shape)


run('synth', 'star', '-o', star)
weight = hashed('pre.0.conv.weight', (64, 6, 7, 7), (6 / (6 * 49)) ** 0.5)
swapped = weight.copy()
swapped[:, :3] = weight[:, 2::-1]
for name, tensors, signs in (
    ('the same weights', {'pre.0.conv.weight': weight}, None),
    ('swapped channels', {'pre.0.conv.weight': swapped}, ['colour channels are reversed']),
    (
        'a dropped bias',
        {'pre.1.conv1.conv.bias': np.zeros(64, np.float32)},
        ['rounding is not the cause', "first value that differs is 'pre_1_bn2'"],
    ),
):
    heads = scratch / 'heads'
    heads.mkdir(exist_ok=True)
    for file in heads.iterdir():
        file.unlink()
    for key, tensor in tensors.items():
        np.save(heads / f'{key}.npy', tensor)
    run('synth', 'star', '-o', scratch / 'changed.pkl', '--heads', heads)
    run('convert', scratch / 'changed.pkl', '-o', package)
    result = verdict(package, star, expect=0 if signs is None else 1)
    causes = ' '.join(result['causes']) if result else ''
    check(f'{name}: said why', signs is None or all(sign in causes for sign in signs), causes)

# On any pictures of one's own, each named.
pictures = scratch / 'pictures'
pictures.mkdir()
for name in ('b.png', 'a.png'):
    os.symlink(root / 'examples/astronaut/crop256.png', pictures / name)
(pictures / 'notes.txt').write_text('no picture')
run('convert', star, '-o', package)
result = verdict(package, star, '--images', pictures)
check('two pictures of a folder', result and result['inputs'] == 2 and result['landmarks']['inputs'] == 2)
empty = scratch / 'empty'
empty.mkdir()
verdict(package, star, '--images', empty, expect=2)
# Whatever analyze and plan find, explain knows; and what analyze advises does what it says.
for model in (star, package, *([retinaface] if retinaface else [])):
    analysis = run('analyze', model)
    for code in {finding['code'] for finding in (analysis or {'findings': []})['findings']}:
        check(f'explain {code}', run('explain', code) is not None)
    for advice in (analysis or {'advice': []})['advice']:
        if not advice['alternative']:
            continue
        command = advice['command'].split()[1:]
        command[command.index('-o') + 1] = scratch / 'advised.mlpackage'
        run(*command)
        before, after = re.search(r'([\d.]+) -> ([\d.]+) ms by the planner', advice['effect']).groups()
        planned = run('plan', scratch / 'advised.mlpackage')['planner_ms']
        check(f'advised: {command[3:]}', float(after) < float(before) and abs(planned - float(after)) < 0.02, planned)
# An array of another shape is bad input, whoever takes it; a picture of another size is a word that is missing.
run('convert', star, '-o', scratch / 'tensor.mlpackage', '--input', 'tensor')
for shape in ((1, 256, 256, 3), (256, 256, 3), (3, 256, 256), (1, 3, 224, 224), (2, 3, 256, 256)):
    np.save(scratch / 'x.npy', np.zeros(shape, np.float32))
    for model in (star, scratch / 'tensor.mlpackage'):
        run('run', model, '--input', scratch / 'x.npy', '-o', scratch / 'out', expect=3)
# A folder is taken for what lies in it only with a word about it.
stray = scratch / 'stray'
stray.mkdir()
(stray / 'model.mil').write_bytes((root / 'tests/plan/ANE001.mil').read_bytes())
done = subprocess.run([anemone, 'convert', '.', '-o', '../x.mlpackage'], cwd=stray, capture_output=True, text=True)
check('a stray model.mil is named', done.returncode == 0 and 'model.mil' in done.stderr, done.stderr)
# Without the module that reads pictures nothing is called wrong, and the lack is said.
bare = scratch / 'bare'
bare.mkdir()
(bare / 'anemone').write_bytes(open(anemone, 'rb').read())
(bare / 'anemone').chmod(0o755)
done = subprocess.run([bare / 'anemone', 'verify', package, '--against', star], capture_output=True, text=True)
good = done.returncode == 0 and 'on no face' in done.stdout
check('without the media module', good, done.stdout[-400:] + done.stderr)
finish()
