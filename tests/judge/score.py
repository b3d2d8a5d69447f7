#!/usr/bin/env python3
"""`score` on every format of landmarks: the same faces as WFLW's list, 300W's .pts files, STAR's tables and detect's
lines give the digits that NumPy and SciPy's rule gave for the arrays."""

import json
import subprocess

import numpy as np
from lib import anemone, check, data, finish, run, scratch

metrics = json.loads((data / 'metrics/metrics.json').read_text())
names = [f'face{i:03}' for i in range(60)]


def numbers(points, separator):
    return separator.join(repr(float(x)) for x in np.ravel(points))


def wflw(path, faces):
    rest = ' 1 2 300 400 0 0 1 0 0 0 0--Parade/'
    path.write_text(''.join(f'{numbers(f, " ")}{rest}{n}.jpg\n' for n, f in zip(names, faces)))


def star(path, faces):
    rows = (f'a/{n}.png\t{numbers(f[:5], ",")}\t{numbers(f, ",")}\t1.05\t128\t127.5\n' for n, f in zip(names, faces))
    path.write_text('image\tpoints5\tpoints\tscale\tcenter_w\tcenter_h\n' + ''.join(rows))


def pts(path, faces):
    path.mkdir()
    for name, face in zip(names, faces):
        lines = '\n'.join(numbers(point, ' ') for point in face)
        (path / f'{name}.pts').write_text(f'version: 1\nn_points:  {len(face)}\n{{\n{lines}\n}}\n')


def log(path, faces, order=1):
    """As detect writes them; the nearest face of a picture counts, wherever it stands."""
    other = [[-900.0, -900.0]] * len(faces[0])
    rest = {'id': 0, 'score': 1, 'box': [0, 0, 1, 1], 'points5': [[0, 0]] * 5}
    lines = []
    for name, face in zip(names, faces):
        both = [{**rest, 'landmarks': f} for f in (np.asarray(face, float).tolist(), other)][::order]
        lines.append(json.dumps({'file': f'out/{name}.png', 'index': 0, 'ms': 0.0, 'faces': both}))
    path.write_text('\n'.join(lines) + '\n')


forms = {98: (wflw, star, pts, log), 68: (star, pts, log), 29: (star, pts, log)}
for points, writers in forms.items():
    predicted, truth = (np.load(data / f'metrics/{kind}_{points}.npy') for kind in ('pd', 'gt'))
    wanted = metrics[str(points)]
    for write in writers:
        files = [scratch / f'{kind}{points}-{write.__name__}' for kind in ('pd', 'gt')]
        for file, faces in zip(files, (predicted, truth)):
            write(file, faces)
        result = run('score', files[0], '--truth', files[1] if write != log else data / f'metrics/gt_{points}.npy',
                     expect=0 if write != log else 3)  # fmt: skip
        if write == log:  # an array has no names, and the log twice as many faces
            result = run('score', files[0], '--truth', scratch / f'gt{points}-star')
        first = result['normalisations'][0]
        curve, whole = first['curves'][0], wanted['curves'][str(first['curves'][0]['threshold'])]
        good = result['faces'] == 60 and result['missed'] == 0 and first['nme'] == wanted['nme_default_mean']
        good = good and (curve['fr'], curve['auc']) == (whole['fr'], whole['auc'])
        check(f'{points} points, {write.__name__}', good, {k: v for k, v in result.items() if k != 'normalisations'})

# A face that was not found has failed.
(scratch / 'few').mkdir()
for file in sorted((scratch / 'pd68-pts').iterdir())[:45]:
    (scratch / 'few' / file.name).write_bytes(file.read_bytes())
result = run('score', scratch / 'few', '--truth', scratch / 'gt68-pts')
failed = result['normalisations'][0]['curves'][0]['fr']
check('missed faces', result['missed'] == 15 and failed >= 0.25, (result['missed'], failed))


def told(content, words, code='E0832'):
    (scratch / 'bad').write_bytes(content)
    command = [anemone, 'score', data / 'metrics/pd_29.npy', '--truth', scratch / 'bad']
    process = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    check(words, process.returncode == 3 and code in process.stderr and words in process.stderr, process.stderr)


# COFW as it comes: MATLAB 7.3 (HDF5 behind MATLAB's own 512 bytes, or bare) and MATLAB 5.
told(b'MATLAB 7.3 MAT-file, Platform: GLNXA64'.ljust(512) + b'\x89HDF\r\n\x1a\n', 'MATLAB file, which is not read')
told(b'\x89HDF\r\n\x1a\n' + bytes(100), 'MATLAB file, which is not read')
told(b'MATLAB 5.0 MAT-file, Platform: PCWIN64'.ljust(128) + bytes(64), '.npy [faces,29,2]')
lines = (scratch / 'gt29-star').read_text().splitlines(keepends=True)
told(''.join([*lines[:7], lines[7].replace('\t', '\tx')]).encode(), 'bad: line 8')
told(lines[0].encode(), 'no face', 'E0833')
told(b'version: 1\nn_points: 3\n{\n1 2\n3\n}\n', 'E0832')
finish()
