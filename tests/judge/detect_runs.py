#!/usr/bin/env python3
"""How runs of `detect` begin, stop and go on: earlier results, options of a run that is resumed, pipes that stall or
that nobody reads, full disks, copies beside their originals, containers that do not count their frames. No weights."""

import resource
import shutil
import signal
import subprocess
import time

import numpy as np
from lib import anemone, check, data, finish, scratch, skip
from pictures import png

blind = scratch / 'blind.mil'  # a detector that never finds a face
text = (data / 'face/detector.mil').read_text()
mind = 'conf = softmax(x = some, axis = 2);'
blind.write_text(text.replace(mind, f'{mind.replace("conf", "mind")} conf = mul(x = mind, y = 0.0);'))
networks = ('--faces', blind, '--landmarks', data / 'face/points.mil')
raw = ('-', '--raw', '64x48')
frame = bytes(64 * 48 * 3)


def detect(*words, expect=0, **how):
    told = subprocess.run([anemone, 'detect', *map(str, (*words, *networks))], capture_output=True, timeout=60, **how)
    name = ' '.join(map(str, words))
    check(f'{name}: exit {expect}', told.returncode == expect, (told.returncode, told.stderr[-300:]))
    return told.stderr.decode()


def lines(folder):
    return (folder / 'faces.jsonl').read_text().count('\n')


photo = scratch / 'photo.png'
photo.write_bytes(png(np.random.default_rng(3).integers(0, 256, (48, 64, 3), np.uint8)))
letter = scratch / 'letter.txt'
letter.write_text('This is a letter, not a picture.\n' * 40)

# What an earlier run left goes when there is something new, not before.
kept = scratch / 'kept'
detect(photo, photo, '-o', kept, '--csv')
check('what is named twice is read once', lines(kept) == 1, lines(kept))
before = {path.name: path.read_bytes() for path in kept.iterdir()}
detect(photo, '-o', kept, '--csv', '--heatmaps', expect=2)
detect('camera:93', '-o', kept, '--csv', expect=3)
told = detect(letter, '-o', kept, '-q', expect=3)
check('text is no video, quiet or not', 'E0317' in told and 'letter.txt' in told, told)
check('runs that come to nothing leave all', before == {path.name: path.read_bytes() for path in kept.iterdir()})

# Resuming.
told = detect(photo, '-o', kept, '--resume', '--csv', '--points', 'pyfaceau', expect=2)
check('another convention is named', "'--points star'" in told and "'--points pyfaceau'" in told, told)
detect(photo, '-o', kept, '--resume', '--csv')
check('nothing was left to do', lines(kept) == 1, lines(kept))
detect(*raw, '-o', scratch / 'pipe', '--resume', input=frame, expect=2)
detect(*raw, '-o', scratch / 'pipe', input=3 * frame)
check('a pipe is read', lines(scratch / 'pipe') == 3, lines(scratch / 'pipe'))
detect(photo, '--fps', '5', expect=2)

# Pipes: one in which nothing comes, one that nobody reads at the other end.
pipe = subprocess.PIPE
words = [anemone, 'detect', *map(str, (*raw, *networks)), '--lines', '-q']
stalled = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe)
stalled.stdin.write(frame)
stalled.stdin.flush()
stalled.stdout.readline()
stalled.send_signal(signal.SIGTERM)
began = time.monotonic()
code = stalled.wait(timeout=60)
check('SIGTERM ends a run that waits', code == 128 + signal.SIGTERM and time.monotonic() - began < 10, code)
with open('/dev/zero', 'rb') as endless:
    unread = subprocess.Popen(words, stdin=endless, stdout=pipe)
    unread.stdout.readline()
    unread.stdout.close()
    check('a reader that goes ends the run', unread.wait(timeout=60) == 0, unread.returncode)

# Copies: a full disk is noticed; an original is never replaced; AVI knows no less than a frame a second.
noise = np.random.default_rng(4).integers(0, 256, 40 * 64 * 48 * 3, np.uint8).tobytes()
small = (30_000, 30_000)


def limit_files():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, small)


told = detect(*raw, '-o', scratch / 'full', '--draw', input=noise, expect=4, preexec_fn=limit_files)
check('a full disk', 'E0319' in told or 'File too large' in told, told)
own = scratch / 'own'
own.mkdir()
for name in ('a.png', 'a-faces.png'):
    shutil.copy(photo, own / name)
detect(own, '-o', own, '--draw')
check('an original stays', (own / 'a-faces.png').read_bytes() == photo.read_bytes())
check('its copy has another name', (own / 'a-faces-1.png').exists(), sorted(path.name for path in own.iterdir()))
detect(*raw, '--fps', '0.5', '-o', scratch / 'slow', '--draw', input=3 * frame)

# Containers that tell a duration alone, which may be that of the sound.
ffmpeg = shutil.which('ffmpeg')
movie = scratch / 'long.mkv'
picture, sound = '-f rawvideo -pix_fmt bgr24 -s 64x48 -r 10 -i -', '-f lavfi -i sine=d=5'
words = [ffmpeg, *f'-v error {picture} {sound} -c:v mpeg4 -c:a pcm_s16le'.split(), movie]
if not ffmpeg or subprocess.run(words, input=noise[: 10 * len(frame)], capture_output=True).returncode:
    skip(3, 'Matroska: no FFmpeg that writes it')
else:
    detect(movie)
    cut = scratch / 'cut.mkv'
    cut.write_bytes(movie.read_bytes()[:-100_000])
    told = detect(cut, expect=3)
    check('Matroska that is cut off', 'E0318' in told, told)
finish()
