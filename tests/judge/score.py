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


def refused(words, said, code=3):
    """The exit code, and what the message has to say, wherever its lines are folded."""
    process = subprocess.run([anemone, 'score', *map(str, words)], capture_output=True, text=True)
    text = ' '.join(process.stderr.split())
    check(f'{words[0]}: {said}', process.returncode == code and all(s in text for s in said), (text, process.stdout))


def line_of(name, *faces):
    rest = {'id': 0, 'score': 1, 'box': [0, 0, 1, 1], 'points5': [[0, 0]] * 5}
    faces = [{**rest, 'landmarks': np.asarray(face, float).tolist()} for face in faces]
    return json.dumps({'file': name, 'index': 0, 'ms': 0.0, 'faces': faces})


# Numbers that are none are named in the file that has them.
place = ('face 2', 'point 5')
truth29 = np.load(data / 'metrics/gt_29.npy')
for number in (np.nan, np.inf, 1e300):
    broken = truth29.astype(np.float64)
    broken[2, 5, 1] = number
    np.save(scratch / 'broken.npy', broken)
    refused((scratch / 'broken.npy', '--truth', data / 'metrics/gt_29.npy'), ('E0832', *place, 'broken.npy'))
    refused((data / 'metrics/pd_29.npy', '--truth', scratch / 'broken.npy'), ('E0832', *place, 'broken.npy'))
flat = truth29.copy()
flat[3] = 7
np.save(scratch / 'flat.npy', flat)
refused((data / 'metrics/pd_29.npy', '--truth', scratch / 'flat.npy'), ('E0833', 'is zero', 'flat.npy'))
far = truth29.copy()
far[3] = 3e38
np.save(scratch / 'far.npy', far)
refused((scratch / 'far.npy', '--truth', data / 'metrics/gt_29.npy'), ('E0833', 'far.npy'))
lines = [line_of('a.png', truth29[0]), line_of('b.png', truth29[1]).replace(repr(float(truth29[1][4][0])), '1e39')]
(scratch / 'far.jsonl').write_text('\n'.join(lines) + '\n')
refused((scratch / 'far.jsonl', '--truth', data / 'metrics/gt_29.npy'), ('E0832', 'far.jsonl: line 2'))

# An ending is taken from a name once: "im.v0.jpg" and "im.v0.pts" are of one picture, "im.v1.jpg" is not.
truth68 = np.load(data / 'metrics/gt_68.npy')
names = ['im.v0', 'im.v1', 'plain']
pts(scratch / 'dots', truth68[:3])
(scratch / 'dots.jsonl').write_text(''.join(line_of(f'{n}.jpg', f + 1) + '\n' for n, f in zip(names[1:], truth68[1:])))
result = run('score', scratch / 'dots.jsonl', '--truth', scratch / 'dots')
errors = result and result['normalisations'][0]['errors']
check('dots in names', result and result['missed'] == 1 and errors[0] is None and max(errors[1:]) < 0.1, errors)
result = run('score', scratch / 'dots', '--truth', scratch / 'dots')
check('dots on both sides', result and result['missed'] == 0 and result['normalisations'][0]['nme'] == 0, result)

# A prediction is that of one face: of two true ones the nearer one gets it, though the other stands first.
one, two = truth68[0], truth68[0] + np.float32(300)
(scratch / 'two.jsonl').write_text(line_of('a.png', one, two) + '\n')
(scratch / 'single.jsonl').write_text(line_of('a.png', two + 1) + '\n')
result = run('score', scratch / 'single.jsonl', '--truth', scratch / 'two.jsonl')
errors = result and result['normalisations'][0]['errors']
check('one face of two is missed', result and result['missed'] == 1 and errors[0] is None and errors[1] < 0.1, errors)
# The nearest pair goes first: the first true face would like the prediction that is the second one's.
(scratch / 'both.jsonl').write_text(line_of('a.png', one - 400, one + 190) + '\n')
result = run('score', scratch / 'both.jsonl', '--truth', scratch / 'two.jsonl')
errors = result and result['normalisations'][0]['errors']
check('one to one, the nearest first', result and result['missed'] == 0 and errors[0] > errors[1], errors)

# A last line without its end counts when it is whole.
lines = [line_of(f'face{i:03}.png', truth29[i]) for i in range(2)]
(scratch / 'whole.jsonl').write_text('\n'.join(lines) + '\n')
(scratch / 'unended.jsonl').write_text('\n'.join(lines))
(scratch / 'torn.jsonl').write_text('\n'.join(lines)[:-20])
result = run('score', scratch / 'unended.jsonl', '--truth', scratch / 'whole.jsonl')
check('a last line without its end', result and (result['faces'], result['missed']) == (2, 0), result)
refused((scratch / 'torn.jsonl', '--truth', scratch / 'whole.jsonl'), ('E0832', 'torn.jsonl: line 2'))

# The number of points that is told is that of those which are there.
some = (scratch / 'dots/plain.pts').read_text()
(scratch / 'told.pts').write_text(some.replace('n_points:  68', 'n_points: 70'))
refused((scratch / 'told.pts', '--truth', scratch / 'dots'), ('E0832', '70', '68', 'told.pts: line 2'))

# A byte order mark changes nothing.
names = [f'face{i:03}' for i in range(60)]
for points, form in ((98, 'wflw'), (68, 'star'), (29, 'log')):
    marked = scratch / f'marked-{form}'
    marked.write_bytes(b'\xef\xbb\xbf' + (scratch / f'pd{points}-{form}').read_bytes())
    result = run('score', marked, '--truth', scratch / f'gt{points}-star')
    wanted = metrics[str(points)]['nme_default_mean']
    check(f'byte order mark: {form}', result and result['normalisations'][0]['nme'] == wanted, result)
(scratch / 'marked.pts').write_bytes(b'\xef\xbb\xbf' + some.encode())
check('byte order mark: pts', same := run('score', scratch / 'marked.pts', '--truth', scratch / 'marked.pts'), same)

# The curve is drawn into no file whose name says that it is something else, and before any work.
refused(('nowhere.npy', '--truth', 'nowhere.npy', '--curve', scratch / 'x.png'), ('--curve', 'x.png', '.svg'), 2)
for name in ('x.svg', 'x.SVG'):
    run('score', data / 'metrics/pd_29.npy', '--truth', data / 'metrics/gt_29.npy', '--curve', scratch / name)
    check(f'--curve {name}', (scratch / name).read_text().startswith('<svg'))

# COFW as it comes: MATLAB 7.3 (HDF5 behind MATLAB's own 512 bytes, or bare) and MATLAB 5.
told(b'MATLAB 7.3 MAT-file, Platform: GLNXA64'.ljust(512) + b'\x89HDF\r\n\x1a\n', 'MATLAB file, which is not read')
told(b'\x89HDF\r\n\x1a\n' + bytes(100), 'MATLAB file, which is not read')
told(b'MATLAB 5.0 MAT-file, Platform: PCWIN64'.ljust(128) + bytes(64), '.npy [faces,29,2]')
lines = (scratch / 'gt29-star').read_text().splitlines(keepends=True)
told(''.join([*lines[:7], lines[7].replace('\t', '\tx')]).encode(), 'bad: line 8')
told(lines[0].encode(), 'no face', 'E0833')
told(b'version: 1\nn_points: 3\n{\n1 2\n3\n}\n', 'E0832')
finish()
