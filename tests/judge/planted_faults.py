#!/usr/bin/env python3
"""Faults that converters make, planted in a STAR package: `verify` says no to each, and `--layers` names the operation.

The reference is the sound checkpoint; the candidate is a package of the checkpoint with a tensor changed, or converted
with wrong preprocessing. What the changed tensors do is what the fault does: a kernel transposed, a bias dropped, input
channels in reverse order, and a batch norm whose variance holds what a wrong epsilon would add."""

import json
import zipfile

import numpy as np
from lib import check, finish, run, scratch

SIZE = '128x128'
star = scratch / 'star.pkl'
run('synth', 'star', '-o', star, '--points', 29)


def tensor(key):
    """A tensor of the checkpoint, by PyTorch's zip container: stored entries, little-endian."""
    listing = run('print', star, key)
    entry = next(t for t in listing['tensors'] if t['path'] == f'net/{key}')
    with zipfile.ZipFile(star) as container:
        name = next(n for n in container.namelist() if n.endswith(f'/data/{entry["storage"]}'))
        return np.frombuffer(container.read(name), '<f4').reshape(entry['shape'])


def package(name, changes=None, *options):
    checkpoint = star
    if changes:
        heads = scratch / f'{name}-heads'
        heads.mkdir()
        for key, change in changes.items():
            np.save(heads / f'{key}.npy', np.ascontiguousarray(change(tensor(key))))
        checkpoint = scratch / f'{name}.pkl'
        run('synth', 'star', '-o', checkpoint, '--points', 29, '--heads', heads)
    out = scratch / f'{name}.mlpackage'
    run('convert', checkpoint, '-o', out, '--shapes', SIZE, *options)
    return out


def verify(candidate, expect, *options):
    return run('verify', candidate, '--against', star, '--shapes', SIZE, '--layers', *options, expect=expect)


sound = verify(package('sound'), 0)
if sound:
    check('sound: the numbers agree', sound['pass'], sound['reason'])
    check('sound: nothing jumps', sound['layers_in_all']['first'] is None, sound['layers_in_all']['first'])
    check('sound: most values have a counterpart', sound['layers_in_all']['compared'] >= 400, sound['layers_in_all'])

# What is wrong, the value that it has to be found at (the package has the name of the last operation that was fused),
# and how the fault is planted.
kernel = 'hgs.0.up1.conv2.conv.weight'
faults = [
    ('a transposed kernel', 'hgs_0_up1_bn3', {kernel: lambda w: w.transpose(0, 1, 3, 2)}),
    ('a dropped bias', 'pre_3_bn3', {'pre.3.conv2.conv.bias': lambda b: 0 * b}),
    ('channels in reverse order', 'hgs_0_low1_bn3', {'hgs.0.low1.conv2.conv.weight': lambda w: w[:, ::-1]}),
    ('a wrong epsilon', 'pre_1_bn3', {'pre.1.bn3.running_var': lambda v: v + np.float32(0.5 - 1e-5)}),
    ('RGB for BGR', 'pre_0_addcoords', {}, '--color', 'rgb'),
    ('1/255 for 2/255 - 1', 'pre_0_addcoords', {}, '--scale', '0.00392156862', '--bias', '0'),
]
for number, (name, where, changes, *options) in enumerate(faults):
    kept = scratch / f'kept{number}'
    got = verify(package(f'fault{number}', changes, *options), 1, '--save', kept)
    if not got:
        continue
    first, worst = got['layers_in_all']['first'], got['layers'][0]
    check(f'{name}: found where it is', first and first['name'] == where, first)
    check(f'{name}: and nowhere else', worst['name'] == where and not got['layers'][1]['jump'], got['layers'][:2])
    index = json.loads((kept / 'index.json').read_text())
    arrays = {(f['what'], f['side'], f['name']): np.load(kept / f['file']) for f in index['files']}
    error = np.abs(
        arrays['layer', 'local', where].astype(float) - arrays['layer', 'reference', worst['reference_name']]
    ).max()
    same = abs(error - worst['local_max_abs']) <= 1e-6 * error
    check(f'{name}: the kept arrays say the same', same, (error, worst['local_max_abs']))
finish()
