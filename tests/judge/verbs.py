"""What the verbs promise from outside: interruptions, three writers at once, folders that are not ours, one JSON object
whatever happens, sizes of the interface, classifiers, states, pipelines."""

import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import time

from lib import anemone, check, data, finish, run, scratch, shared, skip


def plain(*args, **more):
    command = [anemone, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **more)


def leftovers(folder):
    return [p.name for p in folder.iterdir() if '.anemone-' in p.name]


quiet = subprocess.DEVNULL
star = scratch / 'star.pkl'
run('synth', 'star', '-o', star)

# A kill removes the temporary and ends with 128 + n; the old package stays.
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    folder = scratch / number.name
    folder.mkdir()
    target = folder / 'out.mlpackage'
    caught = False
    for attempt in range(100):  # on a busy machine most come too late
        if caught and attempt >= 20:
            break
        process = subprocess.Popen([anemone, 'convert', star, '-o', target, '-q'], stdout=quiet, stderr=quiet)
        while process.poll() is None and not leftovers(folder):
            time.sleep(0.0005)
        process.send_signal(number)
        code = process.wait()
        if leftovers(folder):
            check(f'{number.name} leaves nothing', False, leftovers(folder))
            break
        caught = caught or code == 128 + number
        if not check(f'{number.name} ends with 128 + n, or was too late', code in (0, 128 + number), code):
            break
    check(f'{number.name} was caught while writing', caught, 'no try was in time')

# Three converts to one new target: each ends with 0, the target is one of them whole.
target = scratch / 'shared.mlpackage'
for attempt in range(3):
    shutil.rmtree(target, ignore_errors=True)
    jobs = [
        subprocess.Popen([anemone, 'convert', star, '-o', target, *more], stdout=quiet, stderr=subprocess.PIPE)
        for more in ([], ['--input', 'tensor'], ['--outputs', 'all'])
    ]
    errors = [(job.communicate()[1], job.returncode) for job in jobs]
    check('three writers end with 0', all(code == 0 for _, code in errors), errors)
    check('the target of three writers is whole', run('plan', target) is not None)
    check('three writers leave nothing', not leftovers(scratch), leftovers(scratch))

# A folder that is no package, or not only one, is never replaced.
small = scratch / 'small.mil'
small.write_text(
    'program(1.3) {\n  func main<ios17>(tensor<fp32, [1, 3, 8, 8]> x) {\n    y = relu(x = x);\n  } -> (y);\n}\n'
)
for name, files in {
    'foreign': {'Manifest.json': '{"name": "a web application"}', 'index.html': 'x'},
    'manifest': {'Manifest.json': '{"name": "a web application"}'},
    'notes': {'notes.txt': 'x'},
}.items():
    folder = scratch / f'{name}.mlpackage'
    folder.mkdir()
    for file, text in files.items():
        (folder / file).write_text(text)
    process = plain('convert', small, '-o', folder)
    check(f'a folder with {name} is refused', process.returncode == 4, process.stderr)
    check(f'a folder with {name} is kept', all((folder / f).read_text() == t for f, t in files.items()))
package = scratch / 'small.mlpackage'
run('convert', small, '-o', package)
run('convert', small, '-o', package)  # over a package
(package / 'README.md').write_text('mine')
check('a package with another file in it is refused', plain('convert', small, '-o', package).returncode == 4)
check('the other file is kept', (package / 'README.md').read_text() == 'mine')
(package / 'README.md').unlink()

# --json prints its one object also for usage errors and out of memory.
for words, code in (
    (('convert', star, '-o', 'x.mlpackage', '--precison', 'fp16'), 2),
    (('plan', small, '--device', 'm1por'), 2),
    (('plan',), 2),
    (('pln', small), 2),
    (('explain', 'ANE999'), 2),
):
    process = plain(*words, '--json')
    try:
        told = json.loads(process.stdout)
    except json.JSONDecodeError:
        told = {}
    right = told.get('schema') == 'anemone.error/1' and told.get('exit_code') == code
    check(f'{words[0]}: one object', right, process.stdout)
    check(f'{words[0]}: exit code', process.returncode == code, process.returncode)


def little_memory():
    resource.setrlimit(resource.RLIMIT_AS, (260 << 20, 260 << 20))


process = plain('bench', star, '--json', '--runs', '1', preexec_fn=little_memory)
if process.returncode == 4:
    check('out of memory: one object', json.loads(process.stdout)['exit_code'] == 4, process.stdout)
else:
    skip(1, f'out of memory: exit {process.returncode} within 260 MB')

# What would become another number is refused.
for words in (
    ('--scale', '1e39'),
    ('--scale', '1e9'),
    ('--scale', '1e-30'),
    ('--scale', '0.5', '--bias', '1e6'),
    ('--shapes', '256x256,256x256', '--target', 'ios18'),
    ('--outputs', 'landmarks,landmarks'),
):
    process = plain('convert', star, '-o', scratch / 'refused.mlpackage', *words)
    check(f'refused: {" ".join(words)}', process.returncode == 2, process.stderr or process.stdout)

# Sizes: what the interface takes is what run takes.
case = data / 'public-cases/74-size-not-enumerated'
for model, array, code in (
    ('listed', 'x12x16', 0),
    ('listed', 'x10x20', 3),
    ('range', 'x10x20', 0),
    ('range', 'x2x8', 3),
):
    process = plain('run', case / f'{model}.mlpackage', '--input', case / f'{array}.npy', '-o', scratch / 'sizes')
    check(f'{model} takes {array}: exit {code}', process.returncode == code, process.stderr)
    check(f'{model}, {array}: says what it takes', code == 0 or 'it takes' in process.stderr, process.stderr)

# States keep what is written into them.
state = scratch / 'state.mil'
state.write_text(
    'program(1.3) {\n  func main<ios18>(state<tensor<fp16, [1, 2]>> s, tensor<fp16, [1, 2]> x) {\n'
    '    r = read_state(input = s);\n    a = add(x = r, y = x);\n    write_state(input = s, data = a);\n'
    '    y = mul(x = a, y = fp16(1));\n  } -> (y);\n}\n'
)
import numpy as np

np.save(scratch / 'one.npy', np.array([[1, 2]], np.float16))
for steps in (1, 3):
    if run('run', state, '--input', f'x={scratch}/one.npy', '-o', scratch / 'steps', '--steps', steps):
        got = np.load(scratch / 'steps/y.npy')
        check(f'a state after {steps} steps', np.array_equal(got, [[steps, 2 * steps]]), got)


# Pipelines: the only ML Program, or the one that was asked for.
def field(number, payload):
    out = bytearray()
    for value in (number << 3 | 2, len(payload)):
        while value >= 128:
            out.append(value & 127 | 128)
            value >>= 7
        out.append(value)
    return bytes(out) + payload


spec = package / 'Data/com.apple.CoreML/model.mlmodel'
program = spec.read_bytes()
nms = b'\x08\x05' + field(610, b'')
for name, models, number in (('one', [program, nms], None), ('two', [nms, program, program], 3)):
    wrapped = scratch / f'pipeline_{name}.mlmodel'
    inner = b''.join(field(1, m) for m in models) + b''.join(field(2, f'part{i}'.encode()) for i in range(len(models)))
    wrapped.write_bytes(b'\x08\x08' + field(202, inner))
    if number:
        process = plain('plan', wrapped)
        asks = process.returncode == 3 and '--part' in process.stderr
        check('several programs: asks for --part', asks, process.stderr)
        process = plain('plan', wrapped, '--part', 1)
        says = process.returncode == 2 and 'nonMaximumSuppression' in process.stderr
        check('a part that is no program', says, process.stderr)
    more = ['--part', number] if number else []
    told = run('plan', wrapped, *more)
    check(f'pipeline {name} is planned', bool(told) and told['ops']['total'] > 0, told)
    named = bool(told) and any('nonMaximumSuppression' in note for note in told['notes'])
    check(f'pipeline {name}: the parts are named', named, told and told['notes'])
    check(f'pipeline {name} runs', plain('bench', wrapped, '--runs', 1, *more).returncode == 0)

# Without passes a package of ours comes out byte for byte.
first, again = scratch / 'first.mlpackage', scratch / 'again.mlpackage'
run('convert', star, '-o', first)
run('convert', first, '-o', again, '--passes', 'none')
for file in ('Data/com.apple.CoreML/model.mlmodel', 'Data/com.apple.CoreML/weights/weight.bin'):
    check(f'--passes none keeps {file}', (first / file).read_bytes() == (again / file).read_bytes())

# Classifiers give a label and probabilities.
classifier = shared / 'zoo/coreml/drawmnist.mlpackage' if shared else None
if classifier and classifier.exists():
    inputs = run('analyze', classifier)['inputs'][0]
    image = scratch / 'digit.npy'
    np.save(image, np.zeros([1, 1, *inputs['shape'][-2:]], np.float32))
    told = run('run', classifier, '--input', image, '-o', scratch / 'digits')
    check('a classifier gives its label', bool(told) and told['label'] in told['probabilities'], told)
    check('probabilities add up to one', bool(told) and abs(sum(told['probabilities'].values()) - 1) < 1e-2, told)
else:
    skip(2, 'classifiers: no zoo')

finish()
