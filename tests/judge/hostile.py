#!/usr/bin/env python3
"""Small files that once crashed or exhausted the program (tests/data/hostile): what each verb must make of them, in
bounded time and memory. `known_hostile.txt` lists what does not hold yet; it can only shrink, because what holds while
it
is listed fails here."""

import os
import pathlib
import re
import resource
import shutil
import subprocess

import lib

folder = lib.data / 'hostile'
SECONDS, MEGABYTES = 20, 1000
CONTROL = re.compile(rb'[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]')


def tried(*words):
    """Exit code (128 + n for a signal, 124 in time-outs), everything that was printed, peak memory in MB."""
    output = lib.scratch / 'said'
    with open(output, 'wb') as file:
        process = subprocess.Popen(
            [lib.anemone, *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1)),
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = 0  # it was waited for here
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
    return code, output.read_bytes(), usage.ru_maxrss / 1024


known = [
    row
    for row in pathlib.Path(__file__).with_name('known_hostile.txt').read_text().splitlines()
    if row and not row.startswith('#')
]
seen = set()


def expect(name, holds, detail):
    seen.add(name)
    if name in known:
        lib.check(name, not holds, 'holds: take it off tests/judge/known_hostile.txt')
    else:
        lib.check(name, holds, detail)


def refused(file, *words):
    """Exit 3 with a message that names the file, and nothing written."""
    target = lib.scratch / 'out.mlpackage'
    command = [word if word != 'OUT' else target for word in words]
    code, said, memory = tried(command[0], folder / file, *command[1:])
    expect(
        f'{file}: {words[0]}',
        code == 3 and file.encode() in said and not target.exists() and memory < MEGABYTES,
        f'exit {code}, {memory:.0f} MB: {said[:300]}',
    )
    shutil.rmtree(target, ignore_errors=True)


def bounded(file, *words):
    """Any answer but a crash, in bounded time and memory."""
    target = lib.scratch / 'out.mlpackage'
    command = [word if word != 'OUT' else target for word in words]
    code, said, memory = tried(command[0], folder / file, *command[1:])
    expect(f'{file}: {words[0]}', code in (0, 3) and memory < MEGABYTES, f'exit {code}, {memory:.0f} MB: {said[:300]}')
    shutil.rmtree(target, ignore_errors=True)


def quiet(file, *words):
    """No byte on the terminal that moves its cursor or turns the text around."""
    target = lib.scratch / 'out.mlpackage'
    command = [word if word != 'OUT' else target for word in words]
    code, said, _ = tried(command[0], folder / file, *command[1:])
    raw = CONTROL.search(said)
    expect(f'{file}: {" ".join(words)}', code in (0, 1, 3) and raw is None, f'exit {code}, raw {raw and raw[0]}')
    shutil.rmtree(target, ignore_errors=True)


for file in ('segfault.mlpackage', 'heap_read.mlpackage', 'wrong_program.mlpackage'):
    refused(file, 'convert', '-o', 'OUT')
    refused(file, 'optimize', '-o', 'OUT')
    for verb in ('run', 'plan', 'analyze', 'bench', 'verify'):
        refused(
            file,
            verb,
            *(('-o', lib.scratch / 'out') if verb == 'run' else ()),
            *(('--against', folder / file) if verb == 'verify' else ()),
        )
for file in ('fold_hang.mil', 'fold_memory.mil'):
    bounded(file, 'convert', '-o', 'OUT')
refused('names_bomb.pth', 'print', '--json')
refused('names_bomb.pth', 'convert', '-o', 'OUT')
for file in ('escapes.pth', 'escapes.mlpackage'):
    for words in (('print',), ('print', '--json'), ('analyze',), ('plan',), ('convert', '-o', 'OUT'), ('bench',)):
        quiet(file, *words)
quiet('escapes.mlpackage', 'print', '--exact')
code, text, _ = tried('print', folder / 'escapes.mlpackage', '--exact')
(lib.scratch / 'again.mil').write_bytes(text)
again = tried('print', lib.scratch / 'again.mil', '--exact')
expect('escapes.mlpackage: exported text is read back', code == 0 and again[0] == 0, f'exit {code}, then {again[:2]}')
for name in sorted(set(known) - seen):
    lib.check(name, False, 'is listed, and nothing of that name is tried')
lib.finish()
