"""A contender's process: `python worker.py KIND ENTRY OPTIONS`. Each line on stdin asks for one turn; the answer is one JSON line.

KIND `statement`: ENTRY is timed itself, before anything else is imported. Else KIND is a lane's file below this folder, and
ENTRY one of its functions: called once with OPTIONS, it returns the function that is timed. Only what runs between the two
readings of the clocks counts. What a contender prints goes to stderr, so it cannot spoil an answer.
"""
import os
import sys
import time


def pin():
    "Keep to the core that the harness chose, where a process can be pinned."
    core = os.environ.get('BENCH_CORE')
    if core and hasattr(os, 'sched_setaffinity'): os.sched_setaffinity(0, {int(core)})


def peak_mb():
    "Peak memory of this process in MB, or None where the system does not tell."
    try:
        with open('/proc/self/status') as f: return next(int(line.split()[1]) for line in f if line.startswith('VmHWM'))/1024
    except (OSError, StopIteration): pass
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError: return None
    return getrusage(RUSAGE_SELF).ru_maxrss/(2**20 if sys.platform == 'darwin' else 1024)


def statement(source):
    "A function that runs `source` as a script would."
    code = compile(source, '<statement>', 'exec')
    return lambda: exec(code, {'__name__': '__main__'})


def prepare(kind, entry, options):
    "The function to time."
    here = os.path.dirname(os.path.abspath(__file__))
    if kind == 'statement':
        sys.path[:] = [p for p in sys.path if os.path.abspath(p or '.') != here]
        return statement(entry)
    import importlib.util
    import json
    spec = importlib.util.spec_from_file_location('lane', os.path.join(here, *kind.split('/')))
    lane = importlib.util.module_from_spec(spec)
    sys.modules['lane'] = lane; spec.loader.exec_module(lane)
    return getattr(lane, entry)(**json.loads(options))


def timed(run):
    "One turn: what the clocks say, and the check figure of the function that `run` may return, taken off the clock."
    import gc
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    check = run()
    wall, cpu = time.perf_counter()-wall, time.process_time()-cpu
    return {'wall': wall, 'cpu': cpu, 'peak_mb': peak_mb(), 'check': check() if callable(check) else None}


def main(kind, entry, options):
    "Answer turns until stdin closes."
    answers, run = os.fdopen(os.dup(1), 'w', encoding='utf-8'), None
    os.dup2(2, 1); pin()
    while sys.stdin.readline():
        try: run = run or prepare(kind, entry, options); answer = timed(run)
        except Exception as e: answer = {'error': f'{type(e).__name__}: {e}'}
        import json
        answers.write(json.dumps(answer) + '\n'); answers.flush()


if __name__ == '__main__': main(*sys.argv[1:4])
