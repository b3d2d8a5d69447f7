"""What people read fits their terminal: at 60, 80 and 120 columns no line is wider and no word is broken, in every
verb; colours change nothing but colours; and nothing says '1 tensors'."""

import os
import re
import subprocess

from lib import anemone, check, data, finish, root, run, scratch, shared

star, package, tensors = scratch / 'star.pkl', scratch / 'star.mlpackage', scratch / 'tensor.mlpackage'
run('synth', 'star', '-o', star, '--points', 29)
run('convert', star, '-o', package)
run('convert', star, '-o', tensors, '--input', 'tensor')
run('export', star, '-o', scratch / 'star.onnx')
face = root / 'examples/astronaut/crop256.png'

retinaface = shared and shared / 'golden/retinaface/mobilenet0.25_Final.pth'

# Commands by verb, run in the scratch folder. What is printed for programs (MIL text, scripts) is no page: None.
commands = {
    'analyze': [
        'star.pkl',
        'star.pkl --full',
        'star.mlpackage --full',
        'star.pkl --tree',
        'star.pkl --compare star.mlpackage',
        'star.pkl tensor.mlpackage',
    ],
    'convert': [
        'star.pkl -o a.mlpackage --stats',
        'star.pkl -o b.mlpackage --shapes 256x256,320x320 --target ios18 --shape-functions',
    ],
    'optimize': ['star.mlpackage -o c.mlpackage'],
    'export': ['star.pkl -o d.onnx --for ort-coreml --stats'],
    'plan': [
        'star.mlpackage',
        'star.mlpackage --per-op',
        'star.mlpackage --top 5',
        'star.mlpackage --group type',
        'star.mlpackage --device all',
        'star.mlpackage --what-if int8,shapes=320x320',
        'star.mlpackage --compare tensor.mlpackage',
        'star.mlpackage tensor.mlpackage',
        'star.onnx --ort all',
        'star.onnx --ort 1.19/neuralnetwork',
        'star.onnx --ort 1.19/neuralnetwork --per-op',
    ],
    'explain': ['ANE031', 'ORT040', 'E0510'],
    'run': [f'star.mlpackage --input {face} -o out'],
    'verify': [f'star.mlpackage --against star.pkl --input {face}'],
    'bench': ['tensor.mlpackage --runs 2 --against star.pkl'],
    'gate': [
        f'star.mlpackage --targets {root}/targets/star.toml',
        f'star.mlpackage --targets {root}/targets/star.toml --against star.pkl --measured {root}/examples/device.json',
    ],
    'report': ['star.mlpackage -o page.html', 'star.mlpackage --against star.pkl -o page.html'],
    'score': [f'{data}/metrics/pd_29.npy --truth {data}/metrics/gt_29.npy'],
    'detect': [f'{data}/face/astronaut.png --faces {retinaface} --landmarks star.mlpackage'] if retinaface else None,
    'print': None,
    'synth': ['star -o e.pkl --points 29'],
    'ops': ['', '--onnx'],
    'passes': [''],
    'rules': [''],
    'errors': [''],
    'doctor': [''],
    'completion': None,
    'version': [''],
}


def printed(line, columns, *more):
    environment = dict(os.environ, COLUMNS=str(columns), NO_COLOR='')
    done = subprocess.run(
        ['bash', '-c', f"'{anemone}' {line} {' '.join(more)}"],
        cwd=scratch,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    check(f'{line}', done.returncode in (0, 1), f'exit {done.returncode}: {done.stderr[-300:]}')
    return done.stdout


def words(text):
    """Without numbers, which differ from run to run where they are times."""
    return re.sub(r'[\d.]+', '0', text).split()


def is_whole(line, columns):
    """A command is there to be copied, and a word alone on its line cannot be made shorter."""
    bare = line.strip().removeprefix('$ ')
    return len(line) <= columns or bare.startswith(('anemone ', 'next: anemone ')) or ' ' not in bare


listed = [verb['name'] for verb in run('help')['verbs']]
check('every verb is here', sorted(listed) == sorted(commands), set(listed) ^ set(commands))
lines = [f'{verb} {rest}' for verb in listed for rest in commands.get(verb) or []]
lines += ['help', *(f'{verb} --help' for verb in listed), *(f'{verb} -h' for verb in listed)]
for line in lines:
    wide = printed(line, 1000)
    for columns in (60, 80, 120):
        page = printed(line, columns)
        long = [each for each in page.split('\n') if not is_whole(each, columns)]
        check(f'{line}: fits {columns} columns', not long, long[:2])
        if not line.startswith(('bench ', 'detect ')):  # how fast changes
            check(f'{line}: the same words at {columns} columns', words(page) == words(wide))
    one = re.search(r'(?<![\w.,/:x=-])1 (?!(?:is|ms|us|less|axis|its|was|has|GB/s)\b)[a-z]+s\b', wide)
    check(f'{line}: one of a thing', not one or line == 'ops ', one and wide[one.start() - 20 : one.end() + 20])
    if not line.startswith(('bench', 'help')) and '--help' not in line and ' -h' not in line:
        painted = printed(line, 80, '--color always')
        plain = re.sub(r'\x1b\[[\d;]*m', '', painted)
        check(f'{line}: colours are only colours', words(plain) == words(printed(line, 80)))
        lost = re.search(r'\x1b\[[\d;]*3[3467]m', painted)  # on white yellow, cyan and white, on black blue
        check(f'{line}: no colour that a light or a dark ground swallows', not lost)
finish()
