"""Run the benchmarks: `python benchmarks/run.py [LANE ...] [--quick] [--device cpu|cuda] [--peers DIR] [--check]`.

Prints a table for each lane and writes it to benchmarks/results/. Without --peers the table shows the peers' ratios that
were measured before, and says so.
"""
from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import harness
from harness import HERE, RESULTS, BenchError
from sources import source_hash

LANES = ('imports', 'train_epoch', 'optimizer', 'loader', 'learner', 'epoch', 'augment', 'pictures', 'picture_threads')
PEERS_FILE = HERE/'peers.json'


def lane_module(name: str) -> Any:
    "A lane's file."
    return importlib.import_module(f'lanes.{name}')


def hash_of(name: str) -> str:
    "What a lane's figures depend on: the sources it measures, its own file and the two that measure."
    return source_hash((*lane_module(name).SOURCES, f'benchmarks/lanes/{name}.py', 'benchmarks/harness.py', 'benchmarks/worker.py'))


def result_file(name: str, device: str, folder: Path | None = None) -> Path:
    "Where a lane's figures for a device are kept."
    return (folder or RESULTS)/(f'{name}.json' if device == 'cpu' else f'{name}.{device}.json')


def gpu_name(device: str) -> str | None:
    "The name of a GPU that was tried and works; an error where there is none."
    if device == 'cpu': return None
    import torch

    from dlcourse.core.device import device_works
    if not device_works(device): raise BenchError(f'{device} does not work here, so nothing was measured. See `dlcourse doctor`.')
    return torch.cuda.get_device_name()


def run_lane(name: str, *, device: str = 'cpu', rounds: int | None = None, quick: bool = False, peers: str | None = None) -> dict[str, Any]:
    "Measure one lane; its figures as data."
    lane, who, before = lane_module(name), harness.pythons(peers), harness.machine(device, gpu_name(device))
    sources, rounds = hash_of(name), rounds or (lane.QUICK_ROUNDS if quick else lane.ROUNDS)
    with set_for_all(getattr(lane, 'ENV', {})):
        groups = [harness.run_group(g, name, who, rounds=rounds, clock=clock_of(lane, device)) for g in lane.groups(device)]
    return {'format': harness.FORMAT, 'lane': name, 'what': lane.WHAT, 'clock': clock_of(lane, device), 'date': harness.now(),
            'machine': before, 'versions': {env: harness.versions(py, lane.PACKAGES) for env, py in who.items()},
            'sources': sources, 'seeds': [getattr(lane, 'SEED', None)], 'rounds': rounds, 'groups': groups}


@contextmanager
def set_for_all(env: dict[str, str]) -> Iterator[None]:
    "What a lane sets in the environment of all its contenders alike."
    before = dict(os.environ)
    os.environ.update(env)
    try: yield
    finally: os.environ.clear(); os.environ.update(before)


def clock_of(lane: Any, device: str) -> str:
    "Processor time says nothing about a GPU: there the clock on the wall counts."
    return lane.CLOCK if device == 'cpu' else 'wall'


# --- the table ------------------------------------------------------------------------------------------------------------

def known_peers(lane: str, group: str, path: Path = PEERS_FILE) -> list[dict[str, Any]]:
    "The peers' figures measured before this run, for a group of a lane."
    data = json.loads(path.read_text(encoding='utf-8'))
    return [row for row in data['rows'] if (row['lane'], row['group']) == (lane, group)]


def seconds(s: float) -> str:
    "Seconds for a person to read."
    return f'{s:.2f} s' if s >= 1 else f'{s*1e3:.3g} ms'


def line(row: dict[str, Any]) -> str:
    "One contender in the table."
    r, memory = row['ratio'], f'{row["peak_mb"]:6.0f} MB' if 'peak_mb' in row else ''
    goal = '' if row['goal'] is None else f'   goal {row["goal"]}x: {"met" if r["median"] <= row["goal"] else "MISSED"}'
    return f'  {row["name"]:<42}{r["median"]:7.3f}x  [{r["q1"]:.3f}, {r["q3"]:.3f}]  {seconds(row["seconds"]["median"]):>8} {memory}{goal}'


def table(result: dict[str, Any]) -> str:
    "A lane's figures for a person to read."
    m = result['machine']
    how = f'{m["device_name"]}, {m["threads"]} thread, {result["rounds"]} rounds, {result["clock"]} time'
    out = [f'{result["lane"]}: {result["what"]} ({how})']
    for g in result['groups']:
        out += [f' {g["name"]}: x "{g["baseline"]}", median [quartiles]', *map(line, g['rows'])]
        out += [f'  {x["name"]:<42} not measured: {x["why"]}' for x in g['not_measured']]
        if not any(r['env'] == 'peers' for r in g['rows']):
            known = known_peers(result['lane'], g['name'])
            out += [f'  {p["name"]:<42}{p["ratio"]:7.2f}x  (measured before: {p["versions"]})' for p in known]
    return '\n'.join(out)


# --- the command ----------------------------------------------------------------------------------------------------------

def stale(name: str, device: str = 'cpu') -> str | None:
    "What is wrong with a lane's saved figures, or None: never a failure, only a reason to measure again."
    path = result_file(name, device)
    if not path.exists(): return f'{name} on {device}: not yet measured'
    current = json.loads(path.read_text(encoding='utf-8'))['sources'] == hash_of(name)
    return None if current else f'{name} on {device}: the sources have changed since it was measured'


def parser() -> argparse.ArgumentParser:
    "The command's options."
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('lanes', nargs='*', metavar='LANE', help=f'which lanes to run: {", ".join(LANES)} (default: all)')
    p.add_argument('--quick', action='store_true', help='two rounds, only to see that it works: prints, saves nothing')
    p.add_argument('--device', default='cpu', choices=('cpu', 'cuda'), help='what to measure on (default: cpu)')
    p.add_argument('--peers', metavar='DIR', help='a virtual environment with the peers (fastai, lightning ...), to race them as well')
    p.add_argument('--rounds', type=int, metavar='N', help='samples of each contender')
    p.add_argument('--check', action='store_true', help='measure nothing; say which saved figures are older than their sources')
    return p


def chosen_lanes(names: list[str], device: str) -> list[str]:
    "The lanes asked for that know the device."
    unknown = sorted(set(names) - set(LANES))
    if unknown: raise BenchError(f'no lane is called {", ".join(unknown)}; there are {", ".join(LANES)}.')
    return [n for n in names or LANES if device in lane_module(n).DEVICES]


def keep(result: dict[str, Any], args: argparse.Namespace) -> int:
    "Save a whole result; 1 if a contender of ours is missing from it, which is then not saved."
    lost = harness.missing(result)
    if lost: print('error: not saved, for a contender of ours gave no figure:', *lost, sep='\n  ', file=sys.stderr); return 1
    if args.quick: print('  --quick: nothing saved'); return 0
    path = result_file(result['lane'], args.device)
    harness.write_json(path, result); print(f'  saved to benchmarks/results/{path.name}')
    return 0


def main(argv: list[str] | None = None) -> int:
    "Run what was asked for; 0 if every lane gave its figures."
    args, failed = parser().parse_args(argv), 0
    try: lanes = chosen_lanes(args.lanes, args.device)
    except BenchError as e: print(f'error: {e}', file=sys.stderr); return 2
    if args.check: print('\n'.join(filter(None, (stale(n, args.device) for n in lanes))) or 'every saved figure is current'); return 0
    for name in lanes:
        try: result = run_lane(name, device=args.device, rounds=args.rounds, quick=args.quick, peers=args.peers)
        except (BenchError, FileNotFoundError) as e: print(f'{name}: error: {e}', file=sys.stderr); failed = 1; continue
        print(table(result), flush=True)
        failed |= keep(result, args)
    return failed


if __name__ == '__main__': sys.exit(main())
