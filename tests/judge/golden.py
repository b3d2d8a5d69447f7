#!/usr/bin/env python3
"""Layers and results of both networks against the recorded reference tensors, through the command line only."""

import numpy as np
import lib
import retinaface as hashed

crop = lib.root / 'examples/astronaut/crop256.png'


def compare(name, got, want, limit):
    error = float(np.abs(got.astype(np.float64) - want).max())
    scale = float(np.abs(want).max())
    good = got.shape == want.shape and error <= limit * scale
    lib.check(name, good, f'shape {got.shape}, max error {error:.3g} of {scale:.4g} (limit {limit:g} relative)')
    print(f'  {name:40} max error {error:.3e}  relative {error / scale:.2e}')


def star():
    """hash weights, fp32, layer by layer: 2e-5 of the largest value."""
    folder = lib.data / 'star/hash'
    checkpoint = lib.scratch / 'star.pkl'
    if lib.run('synth', 'star', '-o', checkpoint) is None:
        return
    recorded = {p.stem.removesuffix('_every8th_channel'): p for p in folder.glob('*.npy')}
    names = [n for n in recorded if not n.startswith('landmarks_')]
    out = lib.scratch / 'layers'
    report = lib.run('run', checkpoint, '--input', crop, '-o', out, '--outputs', ','.join([*names, 'landmarks']))
    if report is None:
        return
    files = dict(zip([*names, 'landmarks'], (o['file'] for o in report['outputs'])))
    for name in names:
        want, got = np.load(recorded[name]), np.load(out / files[name])
        want = want.reshape((1,) * (got.ndim - want.ndim) + want.shape)
        if want.shape[1] != got.shape[1]:
            got = got[:, ::8]  # every 8th channel was recorded
        compare(f'star {name}', got, want, 2e-5)
    stacks = np.load(folder / 'landmarks_norm_4stacks.npy')
    compare('star landmarks', np.load(out / files['landmarks'])[0], stacks[3], 2e-5)


def retinaface():
    """hash weights against NumPy in double precision, at a size whose maps double and at one whose maps do not."""
    tensors = hashed.hash_weights()
    checkpoint = lib.scratch / 'retinaface.pth'
    hashed.write_checkpoint(checkpoint, tensors)
    for height, width in ((128, 160), (97, 123)):
        image = np.sin(np.arange(3 * height * width) * 0.37).reshape(1, 3, height, width).astype(np.float32)
        np.save(lib.scratch / 'image.npy', image)
        package, out = lib.scratch / f'retina{height}.mlpackage', lib.scratch / f'retina{height}'
        options = ('--input', 'tensor', '--precision', 'fp32', '--shapes', f'{height}x{width}')
        if lib.run('convert', checkpoint, '-o', package, *options) is None:
            continue
        report = lib.run('run', package, '--input', lib.scratch / 'image.npy', '-o', out)
        if report is None:
            continue
        for name, want in zip(('loc', 'conf', 'landms'), hashed.forward(tensors, image[0])):
            compare(f'retinaface {height}x{width} {name}', np.load(out / f'{name}.npy')[0], want, 2e-5)


def trained_retinaface():
    if not lib.shared:
        return lib.skip(18, "RetinaFace with trained weights: other people's files are not there")
    golden = lib.shared / 'golden'
    weights = golden / 'retinaface/mobilenet0.25_Final.pth'
    for image in sorted(p.parent for p in (golden / 'retinaface').glob('*/lb640.png')):
        out = lib.scratch / f'retina-{image.name}'
        report = lib.run('run', weights, '--input', image / 'lb640.png', '-o', out)
        if report is None:
            continue
        for name in ('loc', 'conf', 'landms'):
            got, want = np.load(out / f'{name}.npy'), np.load(image / f'lb640_{name}.npy').reshape(
                np.load(out / f'{name}.npy').shape
            )
            error = float(np.abs(got.astype(np.float64) - want).max())
            lib.check(f'retinaface {image.name} {name}', error <= 1e-4, f'max error {error:.3g} (limit 1e-4)')
            print(f'  retinaface {image.name:12} {name:7} max error {error:.2e}')


def half():
    """The package as stored (fp16) against the fp32 source: mean <= 0.15 px, max <= 1 px of the 256 crop."""
    heads = {lib.root / 'examples/probe_pd_heads': [crop]}
    if lib.shared:
        heads[lib.shared / 'golden/star/probe_heads'] = sorted((lib.shared / 'golden/star').glob('*/crop256.png'))
    else:
        lib.skip(3, 'faces of other people: they are not there')
    for folder, crops in heads.items():
        checkpoint, package = lib.scratch / f'{folder.name}.pkl', lib.scratch / f'{folder.name}.mlpackage'
        if lib.run('synth', 'star', '--heads', folder, '-o', checkpoint) is None:
            continue
        if lib.run('convert', checkpoint, '-o', package) is None:
            continue
        for image in crops:
            report = lib.run('verify', package, '--against', checkpoint, '--input', image, expect=(0, 1))
            if report is None:
                continue
            marks, name = report['landmarks'], f'fp16 {folder.name:15} {image.parent.name:12}'
            lib.check(name, marks['mean_px'] <= 0.15 and marks['max_px'] <= 1.0, marks)
            print(
                f'  {name} mean {marks["mean_px"]:.4f} px, max {marks["max_px"]:.4f}, NME {marks["nme_percent"]:.4f} %'
            )


star()
retinaface()
trained_retinaface()
half()
lib.finish()
