#!/usr/bin/env python3
"""`plan` of many packages: under 50 ms of processor time each (user and system, of the whole process, the least of
several runs, of more where a neighbour disturbs them), and the same answer each time to the byte. The project's own
packages, and those that the program makes, always; those of others where they are."""

import resource
import subprocess

from lib import anemone, check, data, finish, scratch, shared, skip

LIMIT_MS, RUNS, MOST_RUNS = 50, 5, 60

packages = []
for archive in sorted((data / 'ane').glob('*.mlpackage.tar.xz')):
    subprocess.run(['tar', '-xf', archive, '-C', scratch], check=True)
    packages.append(scratch / archive.name.removesuffix('.tar.xz'))
checkpoint = scratch / 'star.pkl'
subprocess.run([anemone, 'synth', 'star', '-o', checkpoint, '-q'], check=True, stdout=subprocess.DEVNULL)
for precision in ('fp16', 'fp32'):
    package = scratch / f'star-{precision}.mlpackage'
    subprocess.run([anemone, 'convert', checkpoint, '-o', package, '--precision', precision, '-q'],
                   check=True, stdout=subprocess.DEVNULL)
    packages.append(package)
if shared:
    packages += sorted(p for p in (shared / 'zoo/coreml').iterdir() if p.suffix in ('.mlpackage', '.mlmodelc'))
    packages += sorted(p for p in (shared / 'public-cases').rglob('*.mlpackage'))[:12]
    check('20 packages', len(packages) >= 20, len(packages))
else:
    skip(1, "other people's packages: they are not there")


def busy_ms(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.run(command, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime), process


for package in packages:
    command = [anemone, 'plan', package]
    times, answers = [], set()
    while len(times) < RUNS or (min(times) > LIMIT_MS and len(times) < MOST_RUNS):
        ms, process = busy_ms(command)
        times.append(ms)
        answers.add((process.returncode, process.stdout, process.stderr))
    check(f'{package.name}: the same answer', len(answers) == 1, [a[1][:200] for a in answers])
    check(f'{package.name}: planned, or refused as damaged', {a[0] for a in answers} <= {0, 3}, answers)
    check(f'{package.name}: {LIMIT_MS} ms', min(times) <= LIMIT_MS, f'{min(times):.1f} ms')
    print(f'{package.name:<48} {min(times):6.1f} ms')
finish()
