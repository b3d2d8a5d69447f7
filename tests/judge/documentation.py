"""Every command in README.md and docs/ works as printed, and prints what the page shows; the examples of the help run
from the top to the bottom in one folder; every page of docs/ is in the one index.

A block without a language, or of `console`, is commands: `$ anemone …` with what it prints below, or plain lines
`anemone …` that must end with 0. `<!-- exit 1 -->` above a block is the exit code of its last command,
`<!-- not run: why -->` leaves a block out. Times and machine names are masked. ANEMONE_UPDATE=1 writes what is printed
into the pages; read it before it is committed."""

import lzma
import os
import pathlib
import re
import shutil
import subprocess

from lib import anemone, check, data, finish, root, scratch, shared, skip

update = os.environ.get('ANEMONE_UPDATE') == '1'
folder = scratch / 'documentation'
folder.mkdir()
bin_folder = scratch / 'bin'
bin_folder.mkdir()
(bin_folder / 'anemone').symlink_to(pathlib.Path(anemone).resolve())
environment = dict(os.environ, PATH=f'{bin_folder}:{os.environ["PATH"]}', COLUMNS='100')


def shell(line):
    done = subprocess.run(
        ['bash', '-c', line], cwd=folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    return done.returncode, done.stdout, done.stderr


def mask(text):
    text = re.sub(r'(?<![\w.])\d+(\.\d+)?( *)(ms|s|seconds)\b', r'_ \3', text)
    text = re.sub(r'\b(as stored|fp32|fp16) on .*? \(AVX.*?\), \d+ threads?', r'\1 on _', text)
    return [line.rstrip() for line in text.strip('\n').split('\n')]


# What the pages talk about: the demo's checkpoint by its two names, pictures, a model with other names.
for name in ('examples', 'targets', 'tests/plan', 'tests/data/ort'):
    (folder / name).parent.mkdir(exist_ok=True, parents=True)
    (folder / name).symlink_to(root / name)
crop = root / 'examples/astronaut/crop256.png'
for line in (
    'anemone synth star -o star.pkl --heads examples/probe_pd_heads -q',
    'cp star.pkl Landmark_98.pkl',
    'anemone convert star.pkl -o star.mlpackage -q',
    'cp -r star.mlpackage model.mlpackage; cp -r star.mlpackage in.mlpackage',
    'anemone convert star.pkl -o after.mlpackage -q',
    'anemone convert star.pkl -o before.mlpackage --input tensor -q',
    'cp -r before.mlpackage old.mlpackage; cp -r before.mlpackage new.mlpackage',
    f'cp {data}/face/astronaut.png .; cp astronaut.png photo.png',
    f'cp {data}/metrics/gt_98.npy truth.npy; cp {data}/metrics/pd_98.npy predicted.npy',
    f'mkdir -p faces; cp {crop} faces/one.png; cp {crop} face.png; cp {crop} face1.png; cp {crop} face2.png',
    'anemone convert star.pkl -o star.mil -q; ln -s star.mil model.mil',
):
    code, _, err = shell(line)
    check(f'set-up: {line}', code == 0, err)
(folder / 'star.onnx').write_bytes(lzma.open(data / 'ort/star_fixed.onnx.xz').read())
retinaface = shared and shared / 'golden/retinaface/mobilenet0.25_Final.pth'
if retinaface:
    for name in ('retinaface.pth', 'mobilenet0.25_Final.pth'):
        (folder / name).symlink_to(retinaface)


def runs_here(line):
    return retinaface or not re.search(r'retinaface\.pth|mobilenet0\.25_Final', line)


def judge_page(page):
    text = page.read_text()
    out = []
    lines = text.split('\n')
    at = 0
    while at < len(lines):
        out.append(lines[at])
        fence = re.match(r'```(console)?$', lines[at])
        at += 1
        if not fence:
            if lines[at - 1].startswith('```'):  # a block of another language
                while not lines[at].startswith('```'):
                    out.append(lines[at])
                    at += 1
                out.append(lines[at])
                at += 1
            continue
        end = lines.index('```', at)
        block = lines[at:end]
        remark = out[-2] if len(out) > 1 else ''
        wanted = int(re.match(r'<!-- exit (\d+) -->', remark)[1]) if remark.startswith('<!-- exit') else 0
        commands = [i for i, line in enumerate(block) if re.match(r'\$ |anemone ', line)]
        if remark.startswith('<!-- not run') or not commands:
            out += block
        elif block[commands[0]].startswith('$ '):
            out += block[: commands[0]]
            for n, i in enumerate(commands):
                shown = block[i + 1 : commands[n + 1] if n + 1 < len(commands) else len(block)]
                command = block[i][2:]
                if not runs_here(command):
                    skip(1, f'{page.name}: {command}: its checkpoint is not here')
                    out += block[i : i + 1] + shown
                    continue
                code, printed, _ = shell(command)
                last = n + 1 == len(commands)
                check(f'{page.name}: {command}', code == (wanted if last else 0), f'exit {code}')
                new = printed.rstrip('\n').split('\n') if printed else []
                if shown and shown[-1] == '' and not last:
                    new = new + ['']
                if mask('\n'.join(shown)) != mask('\n'.join(new)):
                    if update:
                        shown = new
                    else:
                        difference = [
                            f'shown {a!r}, printed {b!r}'
                            for a, b in zip(mask('\n'.join(shown)) + [''] * 99, mask('\n'.join(new)))
                            if a != b
                        ]
                        check(f'{page.name}: what {command} prints', False, difference[:2])
                else:
                    check(f'{page.name}: what {command} prints', True)
                out += [block[i]] + shown
        else:
            for n, i in enumerate(commands):
                command = block[i]
                while command.endswith('\\'):
                    i += 1
                    command = command[:-1] + block[i].strip()
                if not runs_here(command):
                    skip(1, f'{page.name}: {command}: its checkpoint is not here')
                    continue
                code, _, err = shell(command)
                good = code == (wanted if n + 1 == len(commands) else 0)
                check(f'{page.name}: {command}', good, f'exit {code}: {err[-300:]}')
            out += block
        at = end
        out.append(lines[at])
        at += 1
    if update and '\n'.join(out) != text:
        page.write_text('\n'.join(out))


pages = [root / 'README.md'] + sorted(
    page for page in (root / 'docs').rglob('*.md') if 'reference' not in page.parts and 'evidence' not in page.parts
)
for page in pages:
    judge_page(page)

# The examples of every verb, from the top to the bottom in one folder.
_, manual, _ = shell('anemone help --markdown')
examples = re.findall(r'^  (anemone .*)$', manual, re.M)
check('the help has examples', len(examples) >= 39, len(examples))
for name in ('a.npy', 'b.npy'):
    (folder / name).write_bytes((root / 'tests/data/pt2/01_cnn/input.npy').read_bytes())
skipped_examples = 0
for example in examples:
    if re.search(r'a=a\.npy|face\.npy|<verb>', example):
        skipped_examples += 1
        continue
    if not runs_here(example):
        skip(1, f'help: {example}: its checkpoint is not here')
        continue
    code, _, err = shell(example)
    check(f'help: {example}', code == 0, f'exit {code}: {err[-300:]}')
check('few examples need inputs of their own', skipped_examples <= 3, skipped_examples)

# One index: every page of docs/ is linked from docs/README.md, and every link leads somewhere.
index = (root / 'docs/README.md').read_text()
for page in sorted((root / 'docs').rglob('*.md')):
    name = str(page.relative_to(root / 'docs'))
    check(f'docs/README.md links {name}', name == 'README.md' or f']({name})' in index)
for page in [root / 'README.md', root / 'CONTRIBUTING.md'] + sorted((root / 'docs').rglob('*.md')):
    for link in re.findall(r'\]\(([^)#\s]+)', page.read_text()):
        if not re.match(r'\w+:', link):
            check(f'{page.name}: the link {link}', (page.parent / link).exists())

shutil.rmtree(folder)
finish()
