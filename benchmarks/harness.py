"""Run contenders in turn and say how many times longer each took than a named baseline.

A ratio of two programs that took turns on one core survives a busy machine; a number of seconds does not. So every round runs
each contender once (A B C, A B C, ...), and a contender's ratio is the median of its rounds' ratios to the baseline.
Contenders live in processes of their own, so that a peer can run in its own environment and no import leaks into another.
"""
from __future__ import annotations

import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sources import ROOT

HERE = Path(__file__).resolve().parent
RESULTS = HERE/'results'
FORMAT = 1               # of the results files
CLOCKS = ('wall', 'cpu')


class BenchError(Exception):
    "A lane that cannot give an honest figure: what failed, in which contender, and what mends it."


@dataclass(frozen=True)
class Contender:
    "One program in the race: a function of its lane's file, run in a process of its own."
    name: str                        # what the table calls it
    entry: str                       # import lanes: the statement to time; others: a function of the lane's file
    options: dict[str, Any] = field(default_factory=dict)  # that function's arguments
    env: str = 'ours'                # which Python runs it: 'ours' or 'peers'
    goal: float | None = None        # the ratio to the baseline that we hold ourselves to


@dataclass(frozen=True)
class Group:
    "Contenders that do the same work, and so may be compared."
    name: str
    contenders: tuple[Contender, ...]
    baseline: str                    # name of the contender whose ratio is 1
    fresh: bool = False              # a new process for every sample, for what happens only once: imports


@dataclass(frozen=True)
class Sample:
    "One turn of one contender."
    wall: float                      # seconds by the clock on the wall
    cpu: float                       # seconds of processor time, threads added up
    peak_mb: float | None = None     # the process's peak memory, in MB of 2**20 bytes
    check: float | None = None       # a figure that contenders doing the same work agree on


# --- statistics -----------------------------------------------------------------------------------------------------------

def summary(xs: Sequence[float]) -> dict[str, float]:
    "Median and quartiles of `xs`."
    xs = sorted(xs)
    q1, _, q3 = statistics.quantiles(xs, n=4, method='inclusive') if len(xs) > 1 else (xs[0],)*3
    return {'median': statistics.median(xs), 'q1': q1, 'q3': q3}


def ratios(samples: Sequence[float], baseline: Sequence[float]) -> dict[str, float]:
    "Median and quartiles of the ratios of samples taken in the same round."
    n, n_base = len(samples), len(baseline)
    if n != n_base: raise BenchError(f'{n} samples against {n_base} of the baseline: rounds are incomplete')
    return summary([s/b for s, b in zip(samples, baseline, strict=True)])


# --- processes ------------------------------------------------------------------------------------------------------------

def one_thread_env(core: int | None = None) -> dict[str, str]:
    "The environment of a contender: one thread, our package importable, bytecode cached."
    env = {k: v for k, v in os.environ.items() if k not in ('PYTHONDONTWRITEBYTECODE', 'PYTHONSTARTUP')}
    threads = {f'{lib}_NUM_THREADS': '1' for lib in ('OMP', 'MKL', 'OPENBLAS', 'NUMEXPR', 'VECLIB_MAXIMUM')}
    return env | threads | {'PYTHONPATH': str(ROOT), 'PYTHONHASHSEED': '0', 'BENCH_CORE': '' if core is None else str(core)}


def free_core() -> int | None:
    "The core that contenders take turns on, or None where a process cannot be pinned."
    return max(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else None


class Worker:
    "A contender's process. `turn()` runs it once; it stays warm between turns."
    def __init__(self, python: str, args: Sequence[str], name: str, *, timeout: float = 600., core: int | None = None):
        self.name, self.timeout, self.errors = name, timeout, tempfile.TemporaryFile('w+', encoding='utf-8', errors='replace')
        self.process = subprocess.Popen([python, str(HERE/'worker.py'), *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True, encoding='utf-8', env=one_thread_env(core))

    def turn(self) -> Sample:
        "One sample, or a `BenchError` that carries the contender's own words."
        try: self.process.stdin.write('go\n'); self.process.stdin.flush()
        except OSError: pass                       # it has died already: the answer below says how
        answer = self._answer()
        if 'error' in answer: raise BenchError(f'{self.name}: {answer["error"]}')
        return Sample(**answer)

    def _answer(self) -> dict[str, Any]:
        "The worker's next line, waited for no longer than `timeout` seconds."
        timer = threading.Timer(self.timeout, self.process.kill); timer.start()
        line = self.process.stdout.readline()
        late = not timer.is_alive(); timer.cancel()
        if line: return json.loads(line)
        if late: return {'error': f'gave no answer within {self.timeout:g} s'}
        self.errors.seek(0); tail = self.errors.read().strip().splitlines()[-1:] or ['it wrote nothing']
        return {'error': f'ended with exit status {self.process.wait()}: {tail[0]}'}

    def close(self) -> None:
        "End the process."
        self.process.kill(); self.process.communicate(); self.errors.close()

    def __enter__(self) -> Worker: return self
    def __exit__(self, *_: object) -> None: self.close()


class Fresh:
    "A contender that needs a new process for every turn: what it does can be done only once."
    def __init__(self, start: Callable[[], Worker]): self.start = start
    def close(self) -> None: "Nothing stays."
    def turn(self) -> Sample:
        "One sample from a process of its own."
        with self.start() as worker: return worker.turn()


def start(contender: Contender, lane: str, group: Group, pythons: dict[str, str]) -> Worker | Fresh:
    "A contender, ready for its turns."
    kind = 'statement' if group.fresh else f'lanes/{lane}.py'
    args = [kind, contender.entry, json.dumps(contender.options)]
    make = lambda: Worker(pythons[contender.env], args, contender.name, core=free_core())
    return Fresh(make) if group.fresh else make()


# --- the race -------------------------------------------------------------------------------------------------------------

def race(runners: dict[str, Any], # name -> what has `turn()`
         rounds: int,             # samples of each
         *, warm_up: int = 1,     # rounds whose samples are thrown away
         ) -> tuple[dict[str, list[Sample]], dict[str, str]]: # samples by name, and errors by name
    "Let all take turns, round after round; who fails drops out with its error."
    samples: dict[str, list[Sample]] = {name: [] for name in runners}
    errors: dict[str, str] = {}
    for i in range(-warm_up, rounds):
        for name, runner in runners.items():
            if name in errors: continue
            try: sample = runner.turn()
            except BenchError as e: errors[name] = str(e).removeprefix(f'{name}: ')
            else: samples[name] += [sample] if i >= 0 else []
    return {name: got for name, got in samples.items() if name not in errors}, errors


def same_work(samples: dict[str, list[Sample]], baseline: str, tol: float = 1e-3) -> None:
    "Refuse to compare contenders whose check figures differ: one of them did something else."
    want = samples[baseline][0].check
    if want is None: return
    for name, got in samples.items():
        check = got[0].check
        if check is None or not math.isclose(check, want, rel_tol=tol):
            raise BenchError(f'{name} came to {check}, {baseline} to {want}: they did different work, so a ratio would mean nothing')


def no_baseline(group: Group, errors: dict[str, str]) -> None:
    "Without its baseline a group has no ratios: say why it failed."
    base = group.baseline
    if base in errors: raise BenchError(f'{group.name}: the baseline "{base}" failed, so nothing can be compared: {errors[base]}')


def row(contender: Contender, samples: dict[str, list[Sample]], baseline: str, clock: str) -> dict[str, Any]:
    "A contender's line of the results."
    mine, base = ([getattr(s, clock) for s in samples[name]] for name in (contender.name, baseline))
    out = {'name': contender.name, 'env': contender.env, 'seconds': summary(mine), 'ratio': ratios(mine, base), 'goal': contender.goal}
    other = [getattr(s, 'cpu' if clock == 'wall' else 'wall') for s in samples[contender.name]]
    out['other_clock_seconds'] = statistics.median(other)
    peaks = [s.peak_mb for s in samples[contender.name] if s.peak_mb is not None]
    return out | ({'peak_mb': statistics.median(peaks)} if peaks else {})


def run_group(group: Group, lane: str, pythons: dict[str, str], *, rounds: int, clock: str) -> dict[str, Any]:
    "Race one group; its lines, and who could not run and why."
    chosen = [c for c in group.contenders if c.env in pythons]
    runners = {c.name: start(c, lane, group, pythons) for c in chosen}
    try: samples, errors = race(runners, rounds)
    finally:
        for runner in runners.values(): runner.close()
    no_baseline(group, errors); same_work(samples, group.baseline)
    rows = [row(c, samples, group.baseline, clock) for c in chosen if c.name in samples]
    failed = [{'name': c.name, 'env': c.env, 'why': errors[c.name]} for c in chosen if c.name in errors]
    why = 'no environment with the peers was given'
    absent = [{'name': c.name, 'env': c.env, 'why': why} for c in group.contenders if c.env not in pythons]
    return {'name': group.name, 'baseline': group.baseline, 'rows': rows, 'not_measured': failed + absent}


# --- results --------------------------------------------------------------------------------------------------------------

def cpu_model() -> str:
    "What the processor calls itself."
    try: lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
    except OSError: return platform.processor() or platform.machine()
    return next((l.split(':', 1)[1].strip() for l in lines if l.startswith('model name')), platform.machine())


def machine(device: str = 'cpu', name: str | None = None) -> dict[str, Any]:
    "What a figure was measured on, without saying whose machine it was."
    load = round(os.getloadavg()[0], 2) if hasattr(os, 'getloadavg') else None
    return {'device': device, 'device_name': name or cpu_model(), 'cpu': cpu_model(), 'cores': os.cpu_count(), 'threads': 1,
            'system': f'{platform.system()} {platform.machine()}', 'load': load}


VERSIONS = """
import json, platform, sys
from importlib.metadata import PackageNotFoundError, version
found = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try: found[name] = version(name)
    except PackageNotFoundError: pass
print(json.dumps(found))
"""


def versions(python: str, packages: Iterable[str]) -> dict[str, str]:
    "Versions of Python and of `packages` in an environment, without importing them."
    done = subprocess.run([python, '-c', VERSIONS, *packages], capture_output=True, text=True, check=True, env=one_thread_env())
    return json.loads(done.stdout)


def now() -> str:
    "This moment in UTC, to the minute."
    return datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC')


def write_json(path: Path, data: Any) -> None:
    "Write `data` whole or not at all: a killed run leaves the old file as it was."
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + '\n'
    fd, tmp = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.', suffix='.tmp')
    try:
        with os.fdopen(fd, 'w', encoding='utf-8', newline='\n') as f: f.write(text); f.flush(); os.fsync(f.fileno())
        os.chmod(tmp, 0o644); os.replace(tmp, path)
    except BaseException: Path(tmp).unlink(missing_ok=True); raise


def peer_python(folder: str | Path) -> str:
    "The interpreter of a virtual environment."
    for name in ('bin/python', 'Scripts/python.exe'):
        if (Path(folder)/name).exists(): return str(Path(folder)/name)
    raise BenchError(f'{folder} is not a virtual environment: it has neither bin/python nor Scripts/python.exe.')


def pythons(peers: str | Path | None = None) -> dict[str, str]:
    "Which interpreter runs whom."
    return {'ours': sys.executable} | ({'peers': peer_python(peers)} if peers else {})


def missing(result: dict[str, Any]) -> list[str]:
    "Our own contenders that gave no figure: a lane that has some is not saved."
    return [f'{g["name"]}: "{x["name"]}": {x["why"]}' for g in result['groups'] for x in g['not_measured'] if x['env'] == 'ours']
