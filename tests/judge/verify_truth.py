#!/usr/bin/env python3
"""`verify --truth` and `--faces` beside NumPy and `detect`: the errors of both models against marked points, and the
crops that a detector's boxes give. The detector's weights are other people's: without ../shared that is skipped."""

import shutil

import numpy as np
from lib import check, data, finish, root, run, scratch, shared, skip
from pictures import png, read_png

star, package = scratch / 'star.pkl', scratch / 'star.mlpackage'
run('synth', 'star', '-o', star, '--heads', root / 'examples/probe_pd_heads')
run('convert', star, '-o', package)
OUTER_EYES = (60, 72)  # of WFLW's 98 points


def points(model, picture):
    """In pixels of the crop, (0, 0) the centre of the first one."""
    out = scratch / 'out'
    run('run', model, '--input', picture, '-o', out)
    return ((np.load(out / 'landmarks.npy').astype(float)[0] + 1) * 256 - 1) / 2


def nme(found, truth):
    between = np.linalg.norm(truth[OUTER_EYES[0]] - truth[OUTER_EYES[1]])
    return 100 * np.linalg.norm(found - truth, axis=1).mean() / between


crops = scratch / 'crops'
crops.mkdir()
for name in ('a.png', 'b.png'):
    shutil.copy(root / 'examples/astronaut/crop256.png', crops / name)
mine, theirs = points(package, crops / 'a.png'), points(star, crops / 'a.png')
noise = np.random.default_rng(1)
truth = np.stack([theirs + noise.normal(0, 2, theirs.shape) for _ in range(2)])
np.save(scratch / 'truth.npy', truth)
words = ('verify', package, '--against', star, '--images', crops, '--truth', scratch / 'truth.npy')

got = run(*words)
if got:
    said = got['landmarks']['truth']
    want = [np.mean([nme(found, t) for t in truth]) for found in (mine, theirs)]
    check('faces', (said['faces'], said['missed'], said['scheme']) == (2, 0, 'WFLW'), said)
    check('NME of the candidate', abs(said['nme_percent'] - want[0]) < 1e-3, (said, want))
    check('NME of the reference', abs(said['reference_nme_percent'] - want[1]) < 1e-3, (said, want))
    change = 100 * (want[0] / want[1] - 1)
    check('its change', abs(said['nme_change_percent'] - change) < 1e-2, (said, change))
    check('within 2 %', said['pass'] and said['limit_change_percent'] == 2 and abs(change) < 2, said)

# `gate` takes the same: then the growth of the error is known, and no bound.
row = next(
    row
    for row in run(
        'gate', package, '--targets', root / 'targets/star.toml', '--against', star, *words[4:]
    )['targets']
    if row['name'] == 'accuracy_loss_percent'
)  # fmt: skip
if got:
    check('gate knows the growth', row['got'] == said['nme_change_percent'] and not row['bound'] and row['met'], row)
run('gate', package, '--targets', root / 'targets/star.toml', '--truth', scratch / 'truth.npy', expect=2)

# The same face in pictures twice as large: the marks are in their pixels.
large = scratch / 'large'
large.mkdir()
for name in ('a.png', 'b.png'):
    (large / name).write_bytes(png(read_png(crops / name).repeat(2, axis=0).repeat(2, axis=1)))
np.save(scratch / 'large.npy', 2 * truth + 0.5)
again = run('verify', package, '--against', star, '--images', large, '--resize', '--truth', scratch / 'large.npy')
if again and got:
    said, first = again['landmarks']['truth'], got['landmarks']['truth']
    check('of any size', abs(said['nme_percent'] - first['nme_percent']) < 1e-3, (said, first))

got = run(*words, '--max-nme-change', -50, expect=1)
if got:
    check('a change beyond the limit is a no', not got['pass'] and 'ground truth' in got['reason'], got['reason'])
np.save(scratch / 'few.npy', truth[:, :68])
run('verify', package, '--against', star, '--images', crops, '--truth', scratch / 'few.npy', expect=3)
for name, wrong in (('nan', np.nan), ('eyes', truth[1, OUTER_EYES[0]])):
    bad = truth.copy()
    bad[1, OUTER_EYES[1]] = wrong
    np.save(scratch / f'{name}.npy', bad)
    run('verify', package, '--against', star, '--images', crops, '--truth', scratch / f'{name}.npy', expect=3)
run('verify', package, '--against', star, '--truth', scratch / 'truth.npy', expect=2)
run('verify', package, '--against', star, '--faces', star, expect=2)

detector = shared and shared / 'golden/retinaface/mobilenet0.25_Final.pth'
if not detector:
    skip(3, 'faces: the weights of the detector are not here')
    finish()
photos = scratch / 'photos'
photos.mkdir()
shutil.copy(data / 'face/astronaut.png', photos)
found = run('detect', photos / 'astronaut.png', '--faces', detector, '--landmarks', star)
if found:
    np.save(scratch / 'photo.npy', np.array([found['frames'][0]['faces'][0]['landmarks']]))
    # The truth is what `detect` found with the reference: its error is nothing, so that no change is within a limit.
    got = run(
        'verify', package, '--against', star, '--images', photos, '--faces', detector,
        '--truth', scratch / 'photo.npy', expect=(0, 1),
    )  # fmt: skip
    if got:
        said = got['landmarks']['truth']
        check('the crop is that of detect', said['reference_nme_percent'] < 1e-3, said)
        check('a face is an input', got['inputs'] == len(found['frames'][0]['faces']), got['inputs'])
        check('and is judged', got['landmarks']['inputs'] == got['inputs'], got['landmarks'])
finish()
