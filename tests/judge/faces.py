#!/usr/bin/env python3
"""Faces and landmarks beside the reference: golden pictures and clips, networks as checkpoint, ONNX and package,
tracking, outputs, resuming, interruptions, bad inputs. The detector's real weights are other people's: without
../shared most of it is skipped."""

import csv
import json
import pathlib
import shutil
import signal
import subprocess
import time

import numpy as np
from lib import anemone, check, data, finish, root, run, scratch, shared, skip
from pictures import read_png

astronaut = data / 'face/astronaut.png'
star = scratch / 'star.pkl'
probe = scratch / 'probe_pd.pkl'
run('synth', 'star', '-o', star)
run('synth', 'star', '-o', probe, '--heads', root / 'examples/probe_pd_heads')


def plain(*args, **more):
    words = [anemone, *map(str, args)]
    return subprocess.run(words, capture_output=True, text=True, **{'stdin': subprocess.DEVNULL, **more})


# Wrong command lines need no weights.
for words in (
    (astronaut, '--faces', star),
    (astronaut, '--faces', star, '--landmarks', star, '--csv'),
    ('-', '--faces', star, '--landmarks', star),
    ('-', '--faces', star, '--landmarks', star, '--raw', '640'),
    (scratch / '*.nothing', '--faces', star, '--landmarks', star),
):
    code = plain('detect', *words).returncode
    check(f'detect {words[1:]}: usage', code == 2, code)

# A network that is no face detector.
told = plain('detect', astronaut, '--faces', star, '--landmarks', star)
check('STAR is no face detector', told.returncode == 3 and 'E0630' in told.stderr, told.stderr)

golden = shared and shared / 'golden'
retina = golden and golden / 'retinaface/mobilenet0.25_Final.pth'
if not retina or not retina.exists():
    skip(60, 'faces: the detector\'s weights and reference detections are not here (../shared/golden)')
    finish()


def detect(*words, faces=retina, landmarks=star, expect=0):
    return run('detect', *words, '--faces', faces, '--landmarks', landmarks, expect=expect)


def distance(face, row):
    """Largest differences of box and five points, and of the score, from a reference row."""
    got = [*face['box'], *(x for point in face['points5'] for x in point)]
    wanted = [*row[:4], *row[5:]]
    return max(abs(a - b) for a, b in zip(got, wanted)), abs(face['score'] - row[4])


def same_faces(name, faces, rows):
    """All reference rows of at least 0.05 and no others, in their order. Returns the largest differences."""
    rows = [row for row in rows if row[4] >= 0.05]
    pixels = score = 0.0
    good = len(faces) == len(rows)
    for face, row in zip(faces, rows):
        d, s = distance(face, row)
        pixels, score = max(pixels, d), max(score, s)
    check(name, good and pixels <= 0.02 and score <= 1e-5, f'{len(faces)} of {len(rows)}, {pixels:.4f} px, {score:.2e}')
    return pixels, score


def landmarks_of(face):
    return np.array(face['landmarks'], np.float64)


quick = data / 'face/points.mil'  # a landmark network of no weight, where the detector alone is judged
names = ['astronaut', 'of_0', 'of_16', 'of_89', 'wider_crowd', 'frame720']
worst = []
for name in names:
    reference = json.loads((golden / f'retinaface/{name}/orig_dets.json').read_text())
    result = detect(golden / f'images/{name}.png', '--min-score', '0.05', landmarks=quick)
    worst.append(same_faces(f'{name}: as it is', result['frames'][0]['faces'], reference['detections']))
for name in names:
    reference = json.loads((golden / f'retinaface/{name}/lb640_dets.json').read_text())
    rows = reference['detections_in_original']
    words = (golden / f'images/{name}.png', '--min-score', '0.05', '--detector-size', '640x640')
    result = detect(*words, landmarks=quick)
    worst.append(same_faces(f'{name}: fitted into 640x640', result['frames'][0]['faces'], rows))
print('pictures: {:.5f} px, {:.1e} from the reference at most'.format(*map(max, zip(*worst))))

# Landmarks of three faces with three sets of weights, both conventions.
sets = {'hash': star, 'probe_pd': probe}
made = scratch / 'probe.pkl'
run('synth', 'star', '-o', made, '--heads', golden / 'star/probe_heads')
sets['probe'] = made
farthest = 0.0
for name in ('astronaut', 'of_0', 'frame720'):
    for weights, checkpoint in sets.items():
        for convention, suffix in (('star', ''), ('pyfaceau', '_pyfaceau_variant')):
            wanted = np.load(golden / f'star/{name}/{weights}/landmarks_image{suffix}.npy')
            words = (golden / f'images/{name}.png', '--max-faces', '1', '--points', convention)
            result = detect(*words, landmarks=checkpoint)
            off = np.abs(landmarks_of(result['frames'][0]['faces'][0]) - wanted).max()
            farthest = max(farthest, off)
            check(f'{name} {weights} {convention}: landmarks', off <= 1e-3, f'{off:.2e} px')
print(f'landmarks: {farthest:.2e} px from the reference at most')

# The same networks as ONNX and as packages, mixed.
onnx, package, tensor = scratch / 'star.onnx', scratch / 'star.mlpackage', scratch / 'star-tensor.mlpackage'
run('export', probe, '-o', onnx, '--precision', 'fp32')
run('convert', probe, '-o', package)
run('convert', probe, '-o', tensor, '--input', 'tensor', '--precision', 'fp32')
faces_package = scratch / 'faces.mlpackage'
run('convert', retina, '-o', faces_package)
own, fitted = (detect(astronaut, *more, landmarks=probe) for more in ((), ('--detector-size', '640x640')))
for faces, landmarks, beside, limit in (  # fp16 moves a box by a pixel, and then the crop
    (golden / 'retinaface/retinaface_dyn.onnx', onnx, own, 1e-2),
    (golden / 'retinaface/retinaface_640.onnx', probe, fitted, 1e-2),
    (faces_package, probe, fitted, None),
    (retina, tensor, own, 1e-2),
    (retina, package, own, 0.5),
):
    result = detect(astronaut, faces=faces, landmarks=landmarks)
    both = [landmarks_of(r['frames'][0]['faces'][0]) for r in (result, beside)] if result else [0, 1e9]
    if not limit:
        both, limit = [np.array(r['frames'][0]['faces'][0]['box']) for r in (result, beside)], 1.5
    off = np.abs(both[0] - both[1]).max()
    check(f'{faces.name} with {landmarks.name}', off <= limit, f'{off:.4f} px')

# Faces go one by one, which is no other answer than a batch of them would be.
many, crops = scratch / 'many.onnx', scratch / 'crops.npy'
run('export', probe, '-o', many, '--precision', 'fp32', '--dynamic-batch')
faces = [read_png(golden / f'star/{name}/crop256.png') for name in ('astronaut', 'of_0', 'frame720')]
planes = np.stack([face[..., ::-1].transpose(2, 0, 1) for face in faces]).astype(np.float32) * np.float32(2 / 255) - 1
for at, part, batch in (('batch', planes, '3'), *((f'alone{i}', planes[i : i + 1], '1') for i in range(3))):
    np.save(crops, part)
    run('run', many, '--input', crops, '--batch', batch, '-o', scratch / at)
batch = np.load(scratch / 'batch/landmarks.npy')
off = max(np.abs(batch[i] - np.load(scratch / f'alone{i}/landmarks.npy')[0]).max() for i in range(3))
check('a batch of three is three faces', batch.shape == (3, 98, 2) and off <= 1e-6, f'{batch.shape}, {off:.2e}')

# A package whose pixels are not those of the training.
wrong = scratch / 'rgb.mlpackage'
for more in (('--color', 'rgb'), ('--scale', '0.00392156862745098', '--bias', '0')):
    run('convert', probe, '-o', wrong, *more)
    told = plain('detect', astronaut, '--faces', retina, '--landmarks', wrong)
    check(f'{more} is refused', told.returncode == 3 and 'E0632' in told.stderr, told.stderr)
told = plain('detect', astronaut, '--faces', retina, '--landmarks', retina)
check('RetinaFace is no landmark network', told.returncode == 3 and 'E0631' in told.stderr, told.stderr)

# Clips: every frame's detections are the reference's; the landmark network has little to do with it.
for clip in ('clip40_pd', 'clip40_tv'):
    reference = json.loads((golden / f'retinaface/{clip}_dets.json').read_text())
    result = detect(golden / f'retinaface/{clip}.avi', landmarks=quick)
    pixels = score = 0.0
    good = len(result['frames']) == reference['frames']
    for frame, wanted in zip(result['frames'], reference['per_frame']):
        rows = [r for r in wanted['detections'] if r[4] >= 0.5]
        good = good and len(rows) == len(frame['faces'])
        for face, row in zip(frame['faces'], rows):
            d, s = distance(face, row)
            pixels, score = max(pixels, d), max(score, s)
    check(f'{clip}: detections', good and pixels <= 0.02 and score <= 1e-5, f'{pixels:.4f} px, {score:.2e}')
    print(f'{clip}: {pixels:.5f} px, {score:.1e} from the reference; {result["fps"]:.2f} FPS, {result["stages_ms"]}')
    ids = {face['id'] for frame in result['frames'] for face in frame['faces']}
    if clip == 'clip40_pd':
        check('one face keeps its name', ids == {0}, ids)
        every_frame = detect(golden / f'retinaface/{clip}.avi', landmarks=probe)
        tracked = detect(golden / f'retinaface/{clip}.avi', '--every', '5', landmarks=probe)
        offs = [
            np.linalg.norm(landmarks_of(a['faces'][0]) - landmarks_of(b['faces'][0]), axis=1)
            for a, b in zip(every_frame['frames'], tracked['frames'])
        ]
        check('tracking stays within 1.5 px', max(o.max() for o in offs) <= 1.5, f'{max(o.max() for o in offs):.3f} px')
        print(f'--every 5: mean {np.mean(offs):.3f} px, max {np.max(offs):.3f} px from every-frame detection')
        times = [frame['ms'] for frame in tracked['frames']]
        check('times are the clip\'s', times == [40.0 * i for i in range(40)], times)
    else:
        # The cut at frame 18: who is followed there is gone in the same frame.
        tracked = detect(golden / f'retinaface/{clip}.avi', '--every', '5', landmarks=quick)
        for index in (17, 18, 19):
            rows = [r for r in reference['per_frame'][index]['detections'] if r[4] >= 0.5]
            check(f'no stale face at frame {index}', len(tracked['frames'][index]['faces']) <= len(rows))

# Files: lines, table, drawn copies.
clip = golden / 'retinaface/clip40_pd.avi'
out = scratch / 'out'
whole = detect(clip, '-o', out, '--csv', '--draw', '--every', '5')
lines = [json.loads(line) for line in (out / 'faces.jsonl').read_text().splitlines()]
check('a line a frame', lines == whole['frames'])
table = list(csv.DictReader((out / 'faces.csv').open()))
check('a row a face', len(table) == 40 and table[0]['success'] == '1' and len(table[0]) == 6 + 2 * 98, len(table))
check('the table has the landmarks', abs(float(table[3]['x_97']) - lines[3]['faces'][0]['landmarks'][97][0]) < 1e-3)
check('a drawn video', (out / 'clip40_pd-faces.avi').stat().st_size > 100000)
check('the drawn video can be read', len(detect(out / 'clip40_pd-faces.avi', landmarks=quick)['frames']) == 40)
run('detect', astronaut, '--faces', retina, '--landmarks', probe, '-o', out, '--draw', '--heatmaps')
check('a drawn picture', (out / 'astronaut-faces.png').read_bytes()[:4] == b'\x89PNG')

# An interruption keeps what was done; --resume gives what an uninterrupted run gives.
part = scratch / 'part'
words = [anemone, 'detect', clip, '--faces', retina, '--landmarks', star, '-o', part, '--every', '5', '--csv']
process = subprocess.Popen([*map(str, words), '--threads', '1'], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
log = part / 'faces.jsonl'
while process.poll() is None and not (log.exists() and log.read_text().count('\n') >= 7):
    time.sleep(0.001)
process.send_signal(signal.SIGINT)
code = process.wait()
kept = log.read_text()
check('an interrupted run ends with 128 + n', code == 128 + signal.SIGINT, code)
check('it keeps whole lines', kept.endswith('\n') and 7 <= kept.count('\n') < 40, kept.count('\n'))
log.write_text(kept + '{"file": "half a li')  # what a power cut leaves
result = run(*words[1:], '--resume')
resumed = [json.loads(line) for line in log.read_text().splitlines()]
check('a resumed run has every frame once', [f['index'] for f in resumed] == list(range(40)), len(resumed))
off = max(
    np.abs(landmarks_of(a['faces'][0]) - landmarks_of(b['faces'][0])).max() for a, b in zip(resumed, whole['frames'])
)
check('a resumed run finds the same', off < 1e-3, off)
check('its table is whole', len(list(csv.DictReader((part / 'faces.csv').open()))) == 40)
told = plain('detect', clip, '--faces', retina, '--landmarks', star, '-o', part, '--resume', '--draw')
check('--resume with --draw is refused', told.returncode == 2)

# Raw frames on standard input.
pixels = read_png(astronaut)
for form, stream in (
    ('rgb24', pixels.tobytes()),
    ('bgr24', pixels[..., ::-1].tobytes()),
    ('rgba', np.dstack([pixels, np.full(pixels.shape[:2], 7, np.uint8)]).tobytes()),
):
    words = [anemone, 'detect', '-', '--raw', f'512x512:{form}', '--lines', '-q']
    words += ['--faces', retina, '--landmarks', probe]
    process = subprocess.run([*map(str, words)], input=stream, capture_output=True)
    faces = json.loads(process.stdout)['faces'] if process.returncode == 0 else []
    wanted = np.load(golden / 'star/astronaut/probe_pd/landmarks_image.npy')
    good = len(faces) == 1 and np.abs(landmarks_of(faces[0]) - wanted).max() < 1e-3
    check(f'raw {form} frames', good, process.stderr[-300:])
process = subprocess.run([*map(str, words)], input=stream + stream[:1000], capture_output=True)
good = process.returncode == 3 and process.stdout.count(b'\n') == 1
check('raw frames that end inside one', good, process.returncode)

# Bad inputs: told, the others go on, exit 3.
bad = scratch / 'bad'
bad.mkdir()
shutil.copy(astronaut, bad / 'b.png')
jpeg = (golden / 'images/wider_crowd.jpg').read_bytes()
(bad / 'a.jpg').write_bytes(jpeg[: len(jpeg) // 2])
(bad / 'c.jpg').write_bytes(jpeg[:600] + b'\x00' * 400 + b'\xff\xd9')
result = detect(bad, '--max-faces', '1', expect=3)
check('the good picture among bad ones', [pathlib.Path(f['file']).name for f in result['frames']] == ['b.png'])
check('the bad ones are told', len(result['failures']) == 2, result['failures'])
video = clip.read_bytes()
(scratch / 'cut.avi').write_bytes(video[: len(video) // 2])
result = detect(scratch / 'cut.avi', landmarks=quick, expect=3)
good = result['failures'] and 5 < len(result['frames']) < 40
check('a truncated video keeps its beginning', good, f'{len(result["frames"])} frames, {result["failures"]}')
(scratch / 'noise.avi').write_bytes(b'RIFF' + bytes(range(256)) * 40)
result = detect(scratch / 'noise.avi', expect=3)
check('no video at all', result['failures'][0]['code'] == 'E0317', result['failures'])
told = plain('detect', scratch / 'missing.png', '--faces', retina, '--landmarks', star)
check('no such file', told.returncode == 3 and 'E0101' in told.stderr, told.stderr)


def ppm(name, width, height, value=128):
    path = scratch / name
    path.write_bytes(b'P6 %d %d 255\n' % (width, height) + bytes([value]) * (3 * width * height))
    return path


sizes = (('grey.ppm', 320, 240), ('long.ppm', 30000, 20), ('tall.ppm', 20, 30000), ('dot.ppm', 1, 1))
for name, width, height in sizes:
    result = detect(ppm(name, width, height), landmarks=quick)
    check(f'no face in {width}x{height}', result and result['frames'][0]['faces'] == [], result)
    if name != 'grey.ppm':
        continue
    detect(scratch / name, '-o', scratch / 'none', '--csv')
    row = next(csv.DictReader((scratch / 'none/faces.csv').open()))
    check('a row without a face', row['success'] == '0', row)
(scratch / 'file').write_text('x')
told = plain('detect', astronaut, '--faces', retina, '--landmarks', star, '-o', scratch / 'file/out')
check('nowhere to write', told.returncode == 4, told.stderr)
full = pathlib.Path('/dev/full')
if full.exists():
    blocked = scratch / 'blocked'
    blocked.mkdir()
    (blocked / 'faces.jsonl').symlink_to(full)
    told = plain('detect', astronaut, '--faces', retina, '--landmarks', star, '-o', blocked)
    check('a full disk', told.returncode == 4, told.stderr)

# A face at the border: its crop reaches outside.
edge = scratch / 'edge.ppm'
part = pixels[60:, 190:]
edge.write_bytes(b'P6 %d %d 255\n' % (part.shape[1], part.shape[0]) + part.tobytes())
result = detect(edge, '--min-score', '0.3', landmarks=probe)
good = result['frames'][0]['faces'] and all(len(f['landmarks']) == 98 for f in result['frames'][0]['faces'])
check('a face at the border', good, result['frames'][0]['faces'])
finish()
