"""The code that the pages show: Python runs as far as Linux goes, names in Swift are those of the package, shell and
YAML are well formed and their commands run. (The C++ of docs/how-to/library.md is compiled by tests/CMakeLists.txt.
Nothing here can compile Swift.)"""

import ast
import os
import pathlib
import re
import subprocess
import sys
import types

import coremltools
import numpy as np
from lib import anemone, check, finish, root, run, scratch, shared, skip

star, package = scratch / 'Landmark_98.pkl', scratch / 'star.mlpackage'
run('synth', 'star', '-o', star, '--heads', root / 'examples/probe_pd_heads')
run('convert', star, '-o', package)
run('export', star, '-o', scratch / 'star.onnx')
faces = scratch / 'faces'
faces.mkdir()
for name in ('faces/one.png', 'face.png'):
    (scratch / name).write_bytes((root / 'examples/astronaut/crop256.png').read_bytes())
(scratch / 'targets').symlink_to(root / 'targets')  # as in the reader's own project
bin_folder = scratch / 'bin'
bin_folder.mkdir()
(bin_folder / 'anemone').symlink_to(pathlib.Path(anemone).resolve())
environment = dict(os.environ, PATH=f'{bin_folder}:{os.environ["PATH"]}')

# Pillow is not among the test packages: a picture is whatever coremltools does not look at here.
picture = types.SimpleNamespace(open=lambda _: picture, convert=lambda _: picture, resize=lambda _: picture)
sys.modules.setdefault('PIL', types.SimpleNamespace(Image=picture))

blocks = []
for page in [root / 'README.md', *sorted((root / 'docs').rglob('*.md'))]:
    for language, code in re.findall(r'^```(\w+)\n(.*?)^```$', page.read_text(), re.M | re.S):
        blocks.append((page, language, code))
count = {}
specification = coremltools.models.MLModel(str(package), skip_model_load=True).get_spec()
inputs = {each.name for each in specification.description.input}
outputs = {each.name for each in specification.description.output}
metadata = set(specification.description.metadata.userDefined)


def attribute(node):
    """'ct.models.MLModel' of an expression, or nothing."""
    if isinstance(node, ast.Attribute):
        inner = attribute(node.value)
        return inner and f'{inner}.{node.attr}'
    return node.id if isinstance(node, ast.Name) else None


def python(page, code):
    tree = ast.parse(code)
    used = {attribute(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)} - {None}
    for name in sorted(name for name in used if name.startswith('ct.')):
        at = coremltools
        for part in name.split('.')[1:]:
            at = getattr(at, part, None)
        check(f'{page.name}: coremltools has {name}', at is not None)
    if 'traced' in code:
        return  # needs a network of the reader's
    # Line by line until the Core ML framework is needed, which is where Linux ends.
    space, os_folder = {}, os.getcwd()
    os.chdir(scratch)
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.value) == '...':  # the reader's picture
            space[statement.targets[0].id] = np.zeros((256, 256, 3), np.uint8)
            continue
        try:
            exec(compile(ast.Module([statement], []), page.name, 'exec'), space)
            check(f'{page.name}: {ast.unparse(statement)[:60]}', True)
        except Exception as error:
            line = ast.unparse(statement)
            needs_mac = '.predict(' in line and 'macOS' in str(error) and sys.platform != 'darwin'
            if check(f'{page.name}: {line[:60]}', needs_mac, f'{type(error).__name__}: {error}'):
                skip(1, f'{page.name}: predict needs a Mac')
    os.chdir(os_folder)
    for literal in (node for node in ast.walk(tree) if isinstance(node, ast.Dict)):
        for key in literal.keys:
            check(f'{page.name}: the input {key.value!r}', key.value in inputs, inputs)


for page, language, code in blocks:
    count[language] = count.get(language, 0) + 1
    if language == 'python':
        python(page, code)
    elif language == 'swift':
        for label in re.findall(r'prediction\((\w+):', code):
            check(f'{page.name}: Swift, the input {label!r}', label in inputs, inputs)
        for name in re.findall(r'\boutput\.(\w+)', code):
            check(f'{page.name}: Swift, the output {name!r}', name in outputs, outputs)
    elif language == 'sh':
        done = subprocess.run(['bash', '-n'], input=code.replace('…', ''), capture_output=True, text=True)
        check(f'{page.name}: shell', done.returncode == 0, done.stderr)
        for command, keys in re.findall(r"^(anemone .*?) \| jq '(.*)'$", code, re.M):
            document = run(*command.split()[1:-1]) if os.chdir(scratch) is None else None
            for key in keys.split(','):
                at = document
                for part in key.strip().lstrip('.').split('.'):
                    at = at.get(part) if isinstance(at, dict) else None
                check(f'{page.name}: {command}: {key.strip()}', at is not None)
    elif language == 'yaml':
        for command in re.findall(r'^ *-? *run: (anemone .*)$', code, re.M):
            done = subprocess.run(
                ['bash', '-c', command], cwd=scratch, env=environment, capture_output=True, text=True
            )
            check(f'{page.name}: {command}', done.returncode == 0, done.stderr[-300:])

for language in ('python', 'swift', 'sh', 'yaml', 'cpp'):
    check(f'there is {language} to check', count.get(language, 0) > 0)
# The program of README.md is an example that is built, and takes a network of any number of points.
shown = next(code for page, language, code in blocks if page.name == 'README.md' and language == 'cpp')
check('README.md shows examples/faces.cpp', (root / 'examples/faces.cpp').read_text().split('\n', 1)[1] == shown)
example = pathlib.Path(anemone).with_name('faces_example')
if shared and example.exists():
    run('synth', 'star', '-o', scratch / 'star68.pkl', '--points', 68)
    words = ('golden/retinaface/mobilenet0.25_Final.pth', scratch / 'star68.pkl', 'golden/images/astronaut.png')
    done = subprocess.run([example, *(shared / word for word in words)], capture_output=True, text=True)
    pairs = re.findall(r'^ +\S+ \S+$', done.stdout, re.M)
    check('examples/faces.cpp with 68 points', done.returncode == 0 and len(pairs) == 68, done.stdout + done.stderr)
else:
    skip(1, 'examples/faces.cpp with 68 points: it is not built, or the detector is not here')
text = (root / 'docs/how-to/load.md').read_text()
for key in re.findall(r'`(org\.anemone\.\w+)`', text):
    check(f'load.md: metadata {key}', key in metadata, metadata)
finish()
