"""./demo as a user runs it: alone, and with every checkpoint that one may have; it ends with 0 and a true verdict, and
what is no checkpoint ends with the exit code and the words of the program."""

import os
import re
import subprocess

from lib import check, data, finish, root, run, scratch, shared, skip

environment = dict(os.environ, COLUMNS='100', NO_COLOR='1')


def demo(*words):
    done = subprocess.run(
        [root / 'demo', *map(str, words)],
        cwd=scratch,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout + done.stderr


def proved(name, code, text):
    check(f'{name}: exit 0', code == 0, text[-600:])
    check(f'{name}: verified', 'verified: the numbers agree' in text and 'OUT OF TOLERANCE' not in text, text[-600:])


code, text = demo()
proved('no word', code, text)
check('no word: the points of the picture are written', 'outputs are in build/demo/outputs' in text, text[-300:])

heads = {
    '98 points': (98, []),
    '68 points': (68, []),
    '29 points': (29, []),
    'fitted on one face': (98, ['--heads', root / 'examples/probe_pd_heads']),
}
if shared:
    heads['fitted on six faces'] = (98, ['--heads', shared / 'golden/star/probe_heads'])
else:
    skip(2, 'the heads fitted on six faces are not here')
checkpoint = scratch / 'Landmark of mine.pkl'  # a name with spaces, in another folder
for name, (points, options) in heads.items():
    run('synth', 'star', '-o', checkpoint, '--points', points, *options)
    code, text = demo(checkpoint.name)
    proved(name, code, text)
    judged = re.search(rf'^  {points} landmarks: mean ([\d.]+) px \(limit 0.15\), max ([\d.]+) px', text, re.M)
    check(f'{name}: its points are judged', judged is not None, text[-600:])
    check(f'{name}: within', judged and float(judged[1]) <= 0.15 and float(judged[2]) <= 1, judged and judged[0])

retinaface = shared and shared / 'golden/retinaface/mobilenet0.25_Final.pth'
if retinaface:
    code, text = demo(retinaface)
    proved('RetinaFace', code, text)
    check('RetinaFace: no landmarks are claimed', ' landmarks: ' not in text, text[-600:])
else:
    skip(3, "RetinaFace's checkpoint is not here")

# What does not work says so and ends with the program's own exit code.
for name, file, wanted, words in (
    ('no file', scratch / 'nothing.pkl', 2, 'there is no file'),
    ('a picture', root / 'examples/astronaut/crop256.png', 3, 'this is a PNG image'),
    ('malicious', data / 'hostile/names_bomb.pth', 3, 'error[E0'),
    ('an unknown network', data / 'pickle/01_zip_state_dict.pt', 3, 'error[E06'),
):
    code, text = demo(file)
    check(f'{name}: exit {wanted}', code == wanted, f'exit {code}: {text[-300:]}')
    check(f'{name}: {words}', words in text, text[-400:])
for words in (['a', 'b'], ['--what']):
    code, text = demo(*words)
    check(f'./demo {" ".join(words)}', code == 2 and "'./demo -h' explains" in text, text)
finish()
