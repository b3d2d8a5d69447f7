#!/usr/bin/env python3
"""Faces between two detections: what is found around their last places is what a search of the whole frame finds, on
frames that are large enough for that to be worth it; and a resumed run that smooths goes on as if it had not stopped.
The detector's real weights are other people's: without ../shared all of it is skipped."""

import json
import subprocess

import numpy as np
from lib import anemone, check, data, finish, root, run, scratch, shared, skip
from pictures import read_png

retina = shared and shared / 'golden/retinaface/mobilenet0.25_Final.pth'
if not retina or not retina.exists():
    skip(23, 'tracking: the detector\'s weights are not here (../shared/golden)')
    finish()
probe, quick = scratch / 'probe_pd.pkl', data / 'face/points.mil'
run('synth', 'star', '-o', probe, '--heads', root / 'examples/probe_pd_heads')


def detect(stream, size, *more, landmarks=quick):
    words = ['detect', '-', '--raw', f'{size[0]}x{size[1]}:rgb24', '--lines', '-q', '--faces', retina]
    process = subprocess.run([anemone, *map(str, words), '--landmarks', landmarks, *more], input=stream,
                             capture_output=True)  # fmt: skip
    check(f'detect {more}', process.returncode == 0, process.stderr[-300:])
    return [json.loads(line) for line in process.stdout.splitlines()]


def distance(a, b):
    """Of two frames' faces by their names: boxes and points of a, in pixels."""
    others = {face['id']: face for face in b['faces']}
    if {face['id'] for face in a['faces']} != set(others):
        return float('inf')
    parts = [(face[key], others[face['id']][key]) for face in a['faces'] for key in ('box', 'points5', 'landmarks')]
    return max((np.abs(np.array(x) - np.array(y)).max() for x, y in parts), default=0.0)


# Faces of several sizes that move, inside of the frame and along its borders.
picture = read_png(data / 'face/astronaut.png')
small = picture[::2, ::2]
scenes = {
    'inside': [(small, 600, 300, 9, 5)],
    'left above': [(small, -60, -20, 3, 2)],
    'right below': [(small, 1340, 1010, 4, -3)],
    'two': [(small, 60, 380, 7, -4), (small, 1100, 320, -5, 6)],
    'large': [(picture, 500, 300, -11, 8)],
}
width, height, count = 1599, 1203, 6  # no multiples of the network's steps
for name, faces in scenes.items():
    frames = np.full((count, height, width, 3), 90, np.uint8)
    for i, frame in enumerate(frames):
        for part, x, y, dx, dy in faces:
            x, y = x + dx * i, y + dy * i
            left, top = max(x, 0), max(y, 0)
            piece = part[top - y : height - y, left - x : width - x]
            frame[top : top + piece.shape[0], left : left + piece.shape[1]] = piece
    landmarks = probe if name == 'two' else quick
    whole = detect(frames.tobytes(), (width, height), landmarks=landmarks)
    followed = detect(frames.tobytes(), (width, height), '--every', '10', landmarks=landmarks)
    tracked = [face['tracked'] for frame in followed[1:] for face in frame['faces']]
    good = len(tracked) == len(faces) * (count - 1) and all(tracked)
    check(f'{name}: faces are followed', good, tracked)
    off = max(distance(a, b) for a, b in zip(whole, followed))
    limit = 1e-2 if landmarks == probe else 2e-3
    check(f'{name}: they are where the whole frame has them', off <= limit, f'{off:.5f} px')
    print(f'{name}: {off:.5f} px at most from a search of each frame')

# Smoothing: the filter remembers points and speeds, and both stand in the log.
clip = shared / 'golden/retinaface/clip40_pd.avi'
words = ['detect', clip, '--faces', retina, '--landmarks', quick, '--smooth', '--every', '5']
whole, part = scratch / 'whole', scratch / 'part'
run(*words, '-o', whole)
lines = (whole / 'faces.jsonl').read_text().splitlines(keepends=True)
part.mkdir()
(part / 'faces.jsonl').write_text(''.join(lines[:13]))
run(*words, '-o', part, '--resume')
resumed = [json.loads(line) for line in (part / 'faces.jsonl').read_text().splitlines()]
wanted = [json.loads(line) for line in lines]
check('a resumed run has every frame', [f['index'] for f in resumed] == list(range(40)), len(resumed))
off = max(distance(a, b) for a, b in zip(resumed, wanted))
check('it smooths as one that did not stop', off <= 1e-4, f'{off:.6f} px')
rough = run(*words[:-3], '--every', '5')['frames']
moved = max(distance(a, b) for a, b in zip(rough, wanted))
check('smoothing does something', moved > 0.05 and 'speeds' not in rough[0]['faces'][0], f'{moved:.3f} px')
finish()
