#!/usr/bin/env python3
"""Landmark networks of 98, 68 and 29 points through `detect` and `score`, as checkpoint, ONNX and package; networks
that do not fit are refused. The detector is the project's own, which sees faces where there are none: boxes are enough
here. Real detections are faces.py's."""

import csv
import subprocess

import numpy as np
from lib import anemone, check, data, finish, run, scratch

photo, detector, quick = data / 'face/astronaut.png', data / 'face/detector.mil', data / 'face/points.mil'


def detect(landmarks, *more, faces=detector, expect=0):
    return run('detect', photo, '--faces', faces, '--landmarks', landmarks, *more, expect=expect)


def told(*words):
    """What a refused command says: exit code and text."""
    words = [anemone, 'detect', photo, *words]
    process = subprocess.run([*map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return process.returncode, process.stderr


def refused(name, code, words, faces=detector, landmarks=quick):
    status, text = told('--faces', faces, '--landmarks', landmarks)
    check(f'{name} is refused', status == 3 and code in text and words in text, text)


def first(result):
    """Landmarks of the first face, in pixels of a crop of 256."""
    face = result['frames'][0]['faces'][0]
    side = min(face['box'][2] - face['box'][0], face['box'][3] - face['box'][1])
    return np.array(face['landmarks']) * 256 / (1.05 * side)


for points, scheme, edges in ((98, 'WFLW', 9), (68, '300W', 9), (29, 'COFW', 7)):
    star, onnx = scratch / f'star{points}.pkl', scratch / f'star{points}.onnx'
    package, tensor = scratch / f'star{points}.mlpackage', scratch / f'tensor{points}.mlpackage'
    run('synth', 'star', '-o', star, '--points', points)
    run('export', star, '-o', onnx, '--precision', 'fp32')
    run('convert', star, '-o', package)
    run('convert', star, '-o', tensor, '--input', 'tensor', '--precision', 'fp32')
    out = scratch / f'out{points}'
    wanted = detect(star, '--max-faces', '1', '-o', out, '--csv', '--draw', '--heatmaps')
    check(f'{points} points', first(wanted).shape == (points, 2), first(wanted).shape)
    row = next(csv.DictReader((out / 'faces.csv').open()))
    last = wanted['frames'][0]['faces'][0]['landmarks'][-1]
    good = len(row) == 6 + 2 * points and abs(float(row[f'y_{points - 1}']) - last[1]) < 1e-3
    check(f'{points} points in the table', good, len(row))
    check(f'{points} points are drawn', (out / 'astronaut-faces.png').read_bytes() != photo.read_bytes())
    for network, limit in ((onnx, 1e-3), (tensor, 1e-3), (package, 1)):  # rounding to fp16: 0.8 px of the crop
        off = np.linalg.norm(first(detect(network, '--max-faces', '1')) - first(wanted), axis=1).max()
        check(f'{network.name} is {star.name}', off <= limit, f'{off:.4f} px')
    score = run('score', out / 'faces.jsonl', '--truth', out / 'faces.jsonl')
    good = score['scheme'] == scheme and all(n['nme'] == 0 for n in score['normalisations'])
    check(f'{points} points are {scheme}', good, score)
    notes = [note for note in wanted['notes'] if 'without lines' in note]
    check(f'{points} points have lines', not notes, notes)

# Another number of points: between two runs, and against the truth.
jsonl = {points: scratch / f'out{points}/faces.jsonl' for points in (98, 68)}
words = ['--faces', detector, '--landmarks', scratch / 'star68.pkl', '-o', scratch / 'out98', '--resume']
status, text = told(*words)
check('a run is not continued with other points', status == 3 and '98 points' in text and '68' in text, text)
process = subprocess.run([anemone, 'score', jsonl[68], '--truth', jsonl[98]], capture_output=True, text=True)
good = process.returncode == 3 and 'E0833' in process.stderr
check('68 points are not held against 98', good, process.stderr)

# What a package says of itself has to fit.
star, wrong = scratch / 'star29.pkl', scratch / 'wrong.mlpackage'
for name, code, words, more in (
    ('points', 'E0631', '68 points, and its output has 29', ('--user', 'org.anemone.points=68')),
    ('unit', 'E0631', "coordinates are 'unit'", ('--user', 'org.anemone.landmark_coordinates=unit')),
    ('unknown', 'E0631', "coordinates are 'polar'", ('--user', 'org.anemone.landmark_coordinates=polar')),
    ('RGB', 'E0632', 'takes rgb', ('--color', 'rgb')),
    ('scale', 'E0632', 'scale 0.0039', ('--scale', '1/255', '--bias', '0')),
    ('bias', 'E0632', 'bias 0 0 0', ('--bias', '0')),
):
    run('convert', star, '-o', wrong, *more)
    refused(f'{name}: {more[-1]}', code, words, landmarks=wrong)

# A detector that normalises pixels itself, behind an image or an array, gets pixels; one that does so wrongly nothing.
text = detector.read_text()
mean = 'sub(x = image, y = tensor<fp32, [1, 3, 1, 1]>([104.0, 117.0, 123.0]));'


def begins_with(name, operation):
    path = scratch / name
    begun = f'pixels = {operation}\n    flat = reshape(x = pixels'
    path.write_text(text.replace('flat = reshape(x = image', begun))
    return path


def boxes(result):
    return np.array([face['box'] for face in result['frames'][0]['faces']])


wanted = boxes(detect(quick))
inside = detect(quick, faces=begins_with('mean.mil', mean))
same = boxes(inside).shape == wanted.shape and np.abs(boxes(inside) - wanted).max() < 0.01
check('an array that is normalised inside', same, inside)
image = scratch / 'image.mlpackage'
run('convert', detector, '-o', image, '--input', 'image', '--color', 'bgr', '--scale', '1', '--bias=-104,-117,-123',
    '--precision', 'fp32')  # fmt: skip
same = np.abs(boxes(detect(quick, faces=image)) - wanted).max() < 0.01
check('an image that is normalised inside', same)
run('convert', detector, '-o', image, '--input', 'image', '--color', 'rgb', '--scale', '1', '--bias=-123,-117,-104')
refused('an RGB detector', 'E0632', 'takes rgb', faces=image)
half = begins_with('half.mil', 'mul(x = image, y = 0.0039215686);')
refused('an array of another scale', 'E0632', 'the array input takes bgr, scale 0.0039', faces=half)
notes = detect(quick)['notes']
check('what cannot be checked is said', len([n for n in notes if 'does not say which numbers' in n]) == 2, notes)
finish()
