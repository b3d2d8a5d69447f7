#!/usr/bin/env python3
"""Layers and results of both networks against the recorded reference tensors, through the command line only."""
import numpy as np
import lib

if not lib.shared:
    lib.skip(40, 'golden layers: the shared data are not there')
    lib.finish()
golden = lib.shared / 'golden'


def compare(name, got, want, limit):
    error = float(np.abs(got.astype(np.float64) - want).max())
    scale = float(np.abs(want).max())
    good = got.shape == want.shape and error <= limit * scale
    lib.check(name, good, f'shape {got.shape}, max error {error:.3g} of {scale:.4g} (limit {limit:g} relative)')
    print(f'  {name:40} max error {error:.3e}  relative {error / scale:.2e}')


def star():
    """hash weights, fp32, layer by layer: 2e-5 of the largest value."""
    folder = golden / 'star/astronaut/hash'
    checkpoint = lib.scratch / 'star.pkl'
    if lib.run('synth', 'star', '-o', checkpoint) is None:
        return
    recorded = {p.stem.removesuffix('_every8th_channel'): p for p in folder.glob('*.npy')}
    names = [n for n in recorded if not n.startswith('landmarks_')]
    out = lib.scratch / 'layers'
    image = golden / 'star/astronaut/crop256.png'
    report = lib.run('run', checkpoint, '--input', image, '-o', out, '--outputs', ','.join([*names, 'landmarks']))
    if report is None:
        return
    files = dict(zip([*names, 'landmarks'], (o['file'] for o in report['outputs'])))
    for name in names:
        want, got = np.load(recorded[name]), np.load(out / files[name])
        want = want.reshape((1,) * (got.ndim - want.ndim) + want.shape)
        if want.shape[1] != got.shape[1]:
            got = got[:, ::8]                       # every 8th channel was recorded
        compare(f'star {name}', got, want, 2e-5)
    stacks = np.load(folder / 'landmarks_norm_4stacks.npy')
    compare('star landmarks', np.load(out / files['landmarks'])[0], stacks[3], 2e-5)


def retinaface():
    weights = golden / 'retinaface/mobilenet0.25_Final.pth'
    if not weights.exists():
        lib.skip(18, 'RetinaFace weights are not there')
        return
    for image in sorted(p.parent for p in (golden / 'retinaface').glob('*/lb640.png')):
        out = lib.scratch / f'retina-{image.name}'
        report = lib.run('run', weights, '--input', image / 'lb640.png', '-o', out)
        if report is None:
            continue
        for name in ('loc', 'conf', 'landms'):
            got, want = np.load(out / f'{name}.npy'), np.load(image / f'lb640_{name}.npy').reshape(np.load(out / f'{name}.npy').shape)
            error = float(np.abs(got.astype(np.float64) - want).max())
            lib.check(f'retinaface {image.name} {name}', error <= 1e-4, f'max error {error:.3g} (limit 1e-4)')
            print(f'  retinaface {image.name:12} {name:7} max error {error:.2e}')


def half():
    """The package as stored (fp16) against the fp32 source: mean <= 0.15 px, max <= 1 px of the 256 crop."""
    for heads in ('probe_heads', 'probe_pd_heads'):
        folder = golden / 'star' / heads
        if not folder.is_dir():
            lib.skip(1, f'{heads} are not there')
            continue
        checkpoint, package = lib.scratch / f'{heads}.pkl', lib.scratch / f'{heads}.mlpackage'
        if lib.run('synth', 'star', '--heads', folder, '-o', checkpoint) is None or lib.run('convert', checkpoint, '-o', package) is None:
            continue
        crops = sorted((golden / 'star').glob('*/crop256.png')) if heads == 'probe_heads' else [golden / 'star/astronaut/crop256.png']
        for crop in crops:
            report = lib.run('verify', package, '--against', checkpoint, '--input', crop, expect=(0, 1))
            if report is None:
                continue
            marks = report['landmarks']
            lib.check(f'fp16 {heads} {crop.parent.name}', marks['mean_px'] <= 0.15 and marks['max_px'] <= 1.0, marks)
            print(f'  fp16 {heads:15} {crop.parent.name:12} mean {marks["mean_px"]:.4f} px, max {marks["max_px"]:.4f} px, NME {marks["nme_percent"]:.4f} %')


star()
retinaface()
half()
lib.finish()
