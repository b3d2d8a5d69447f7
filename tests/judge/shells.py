"""The completion scripts do what Tab asks of them, in the shells themselves, and the manual page is one."""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import time

from lib import anemone, check, finish, run, scratch, skip

verbs = sorted(verb['name'] for verb in run('help')['verbs'])
scripts = {}
for shell in ('bash', 'zsh', 'fish'):
    scripts[shell] = run('completion', shell)['script']
bin_folder = scratch / 'bin'
bin_folder.mkdir()
(bin_folder / 'anemone').symlink_to(pathlib.Path(anemone).resolve())
(scratch / 'functions').mkdir()
(scratch / 'functions/_anemone').write_text(scripts['zsh'])
(scratch / 'anemone.fish').write_text(scripts['fish'])
(scratch / 'anemone.bash').write_text(scripts['bash'])
(scratch / 'star.mlpackage').mkdir()
environment = {
    'PATH': f'{bin_folder}:{os.environ["PATH"]}',
    'HOME': str(scratch),
    'TERM': 'dumb',
    'LANG': 'C.UTF-8',
    'XDG_CONFIG_HOME': str(scratch),
    'XDG_DATA_HOME': str(scratch),
}


def output(*command):
    done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, timeout=60)
    return done.stdout, done.stderr + (f'exit {done.returncode}' if done.returncode else '')


# What is asked by words on the line, and what must be among the answers, and what must not.
questions = (
    ('anemone ', ['convert', 'verify', 'help'], ['--json']),
    ('anemone conv', ['convert'], ['verify']),
    ('anemone help ver', ['verify', 'version'], ['convert']),
    ('anemone convert --pre', ['--precision'], ['--input']),
    ('anemone convert --precision ', ['fp16', 'fp32'], ['ios17']),
    ('anemone convert x --target ', ['ios15', 'ios18'], ['fp16']),
    ('anemone analyze st', ['star.mlpackage'], ['--json']),
)

# bash: the function is called as readline would.
for line, wanted, unwanted in questions:
    words = line.split(' ')
    quoted = ' '.join(f"'{word}'" for word in words)
    out, err = output(
        'bash',
        '-c',
        f'. ./anemone.bash; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _anemone; '
        'printf "%s\\n" "${COMPREPLY[@]}"',
    )
    found = out.split('\n')
    good = all(w in found for w in wanted) and not any(w in found for w in unwanted) and not err
    check(f'bash: {line!r}', good, f'{found[:8]} {err}')

# fish answers by itself.
if shutil.which('fish', path=environment['PATH']):
    for line, wanted, unwanted in questions:
        out, err = output('fish', '--no-config', '-c', f"source ./anemone.fish; complete -C '{line}'")
        found = [each.split('\t')[0].rstrip('/') for each in out.split('\n')]
        good = all(w in found for w in wanted) and not any(w in found for w in unwanted) and not err
        check(f'fish: {line!r}', good, f'{found[:8]} {err[-200:]}')
else:
    skip(len(questions), 'fish is not here')


def typed(line, wanted):
    """What zsh shows of its choices after Tab, in a terminal of its own; waits until all of `wanted` are there."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(scratch)
        os.execvpe('zsh', ['zsh', '-f', '-i'], environment)
    shown = b''

    def read_for(seconds, *until):
        nonlocal shown
        end = time.monotonic() + seconds
        while time.monotonic() < end and not (until and all(each in shown for each in until)):
            if select.select([terminal], [], [], 0.1)[0]:
                try:
                    shown += os.read(terminal, 65536)
                except OSError:
                    return

    setup = 'fpath=($PWD/functions $fpath); autoload -Uz compinit; compinit -u -D; zstyle ":completion:*" menu no; '
    setup += 'unsetopt auto_menu zle_bracketed_paste; setopt list_ambiguous; PS1=; print re""ady\n'
    os.write(terminal, setup.encode())
    read_for(20, b'ready\r')
    shown = b''
    os.write(terminal, line.encode() + b'\t')
    read_for(2)
    os.write(terminal, b'\t')
    read_for(20, *(each.encode() for each in wanted))
    read_for(0.3)
    os.close(terminal)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return re.sub(r'\x1b\[[\d;?]*\w|[\x00-\x09\x0b-\x1f]', ' ', shown.decode(errors='replace'))


if shutil.which('zsh', path=environment['PATH']):
    out, err = output('zsh', '-n', 'functions/_anemone')
    check('zsh: the script is well formed', not err, err)
    for line, wanted, unwanted in questions[:6]:
        shown = typed(line, wanted)
        good = all(w in shown for w in wanted) and not any(f' {w} ' in shown for w in unwanted)
        check(f'zsh: {line!r}', good, shown[-300:])
else:
    skip(7, 'zsh is not here')

# Every verb is in every script.
for shell, script in scripts.items():
    missing = [verb for verb in verbs if verb not in script]
    check(f'{shell}: every verb', not missing, missing)

# The manual page: man's own reader has nothing to complain about.
manual, _ = output('anemone', 'help', '--man')
check('the manual page names every verb', all(f'.SS {verb}' in manual for verb in verbs))
if shutil.which('groff'):
    done = subprocess.run(['groff', '-k', '-man', '-Tutf8', '-ww'], input=manual, capture_output=True, text=True)
    check('groff reads it', done.returncode == 0 and not done.stderr, done.stderr[:300])
    check('and every option is in it', '--precision' in re.sub(r'\x1b\[[\d;]*m|.\x08', '', done.stdout))
else:
    skip(2, 'groff is not here')
finish()
