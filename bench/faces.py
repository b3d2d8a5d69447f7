#!/usr/bin/python3
"""Frames a second of `anemone detect` beside the same pipeline in Python, in one run and in turn.

usage: bench/faces.py --detector mobilenet0.25_Final.pth [--frames 12] [--rounds 3] [--threads 2] [--build
build/release] [--batch]

Two videos of 640x360 are made of the astronaut (NASA, public domain): one face and three, moving. The peer is
PyTorch and OpenCV as Debian has them: the networks of tests/data/{star,retinaface}, decoding, suppression and crops
in NumPy and cv2, JPEG by the same decoder. Each round runs the one and then the other; ratios are of the same round.
Both load their networks before the clock starts. Landmarks must agree, or there is nothing to compare. --batch asks
another question: whether three faces cost less in one batch than one by one. Needs Debian's python3-torch and
python3-opencv.
"""

import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import cv2
import numpy as np
import torch

root = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(root / 'tests/data/star'), str(root / 'tests/data/retinaface')]
import retinaface_net  # noqa: E402
import star_net  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('--detector', type=pathlib.Path, required=True)
parser.add_argument('--frames', type=int, default=12)
parser.add_argument('--rounds', type=int, default=3)
parser.add_argument('--threads', type=int, default=2)
parser.add_argument('--build', type=pathlib.Path, default=root / 'build/release')
parser.add_argument('--batch', action='store_true')
options = parser.parse_args()
torch.set_grad_enabled(False)
torch.set_num_threads(options.threads)
cv2.setNumThreads(options.threads)
scratch = pathlib.Path(tempfile.mkdtemp(prefix='bench-faces-'))
checkpoint = scratch / 'star.pkl'
heads = root / 'examples/probe_pd_heads'
subprocess.run(
    [options.build / 'anemone', 'synth', 'star', '-o', checkpoint, '--heads', heads, '-q'],
    check=True,
    stdout=subprocess.DEVNULL,
)
detector = retinaface_net.load(str(options.detector))
landmarker = star_net.Star().eval()
state = star_net.hash_state(landmarker)
state.update({file.name[: -len('.npy')]: torch.from_numpy(np.load(file)) for file in heads.glob('*.npy')})
landmarker.load_state_dict(state, strict=True)


def make_video(faces):
    """The astronaut's head and shoulders, once or three times, in a slow motion."""
    picture = cv2.imread(str(root / 'tests/data/face/astronaut.png'))[:360, 60:420]
    path = scratch / f'faces{faces}.avi'
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, cv2.VideoWriter_fourcc(*'MJPG'), 25, (640, 360))
    scale = 0.95 if faces == 1 else 0.58
    for frame in range(options.frames):
        image = np.full((360, 640, 3), 90, np.uint8)
        for face in range(faces):
            x = (150 if faces == 1 else 5 + 212 * face) + 1.5 * frame
            y = 8 + 4 * np.sin(frame / 5 + face)
            move = np.array([[scale, 0, x], [0, scale, y]], np.float32)
            cv2.warpAffine(picture, move, (640, 360), image, cv2.INTER_AREA, cv2.BORDER_TRANSPARENT)
        writer.write(image)
    writer.release()
    return path


def in_python(video):
    """Seconds, milliseconds a frame of each stage, landmarks of each frame."""
    capture = cv2.VideoCapture(str(video), cv2.CAP_OPENCV_MJPEG)
    stages = {'read': 0.0, 'detect': 0.0, 'landmarks': 0.0}
    found, begun = [], time.perf_counter()
    while True:
        at = time.perf_counter()
        good, image = capture.read()
        stages['read'] += time.perf_counter() - at
        if not good:
            break
        at = time.perf_counter()
        height, width = image.shape[:2]
        loc, conf, points = (t.numpy()[0] for t in detector(retinaface_net.to_input(image)))
        priors = retinaface_net.priors(height, width)
        rows, _ = retinaface_net.postprocess(loc, conf, points, priors, width, height)
        stages['detect'] += time.perf_counter() - at
        at = time.perf_counter()
        faces = []
        for row in rows[rows[:, 4] >= 0.5]:
            matrix, _ = star_net.crop_matrix(row)
            crop = cv2.warpPerspective(image, matrix, (256, 256), flags=cv2.INTER_LINEAR, borderValue=0)
            numbers = landmarker(star_net.to_tensor(crop))[2][0].numpy()
            faces.append(star_net.to_image(numbers, matrix)[1])
        stages['landmarks'] += time.perf_counter() - at
        found.append(faces)
    seconds = time.perf_counter() - begun
    return seconds, {name: 1e3 * s / len(found) for name, s in stages.items()}, found


def in_anemone(video):
    words = [options.build / 'anemone', 'detect', video, '--faces', options.detector, '--landmarks', checkpoint]
    done = subprocess.run([*words, '--json', '--threads', str(options.threads)], capture_output=True, check=True)
    result = json.loads(done.stdout)
    found = [[np.array(face['landmarks'], np.float32) for face in frame['faces']] for frame in result['frames']]
    return result['seconds'], result['stages_ms'], found


def batch_cost():
    """User time a face, in a batch of three and alone. Loading is in the difference of two runs no more."""
    network = scratch / 'star.onnx'
    words = [options.build / 'anemone', 'export', checkpoint, '-o', network, '--precision', 'fp32', '--dynamic-batch']
    subprocess.run([*words, '-q'], check=True, stdout=subprocess.DEVNULL)

    def seconds(batch, runs):
        words = [options.build / 'anemone', 'bench', network, '--batch', str(batch), '--runs', str(runs)]
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run([*words, '--warm-up', '1', '--threads', str(options.threads), '--json'], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before

    for _ in range(options.rounds):
        alone, together = (seconds(1, 12) - seconds(1, 3)) / 9, (seconds(3, 4) - seconds(3, 1)) / 9
        print(f'  alone {alone:.3f} s a face, in a batch of three {together:.3f} s: {together / alone:.2f} of the time')


def told(stages):
    return ', '.join(f'{name} {ms:.1f}' for name, ms in stages.items())


if options.batch:
    batch_cost()
    sys.exit()
failed = False
for faces in (1, 3):
    video = make_video(faces)
    in_python(video) if faces == 1 else None  # torch's first run prepares its kernels
    ours, theirs, ratios = [], [], []
    for _ in range(options.rounds):
        mine, peer = in_anemone(video), in_python(video)
        ours.append(mine)
        theirs.append(peer)
        ratios.append(peer[0] / mine[0])
    same = [len(a) == len(b) == faces for a, b in zip(ours[0][2], theirs[0][2])]
    off = max(np.abs(a - b).max() for x, y in zip(ours[0][2], theirs[0][2]) for a, b in zip(x, y))
    best, other = min(ours, key=lambda r: r[0]), min(theirs, key=lambda r: r[0])
    ratio, fps = statistics.median(ratios), options.frames / best[0]
    failed = failed or not all(same) or off > 0.01 or ratio < 3.5 or (faces == 1 and fps <= 5)
    print(f'{faces} face{"s" if faces > 1 else ""}, 640x360, {options.threads} threads, {options.frames} frames:')
    print(f'  anemone  {fps:6.2f} FPS   ms a frame (overlapping): {told(best[1])}')
    print(f'  python   {options.frames / other[0]:6.2f} FPS   ms a frame: {told(other[1])}')
    each = ', '.join(f'{r:.2f}' for r in ratios)
    print(f'  {ratio:.2f} times as fast (median of {each}), landmarks {off:.4f} px apart')
sys.exit(1 if failed else 0)
