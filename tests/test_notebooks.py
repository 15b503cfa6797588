"""Every notebook runs from top to bottom, each in a process of its own with a hard time limit, an empty cache and no network.

Lessons run twice: on the real sets of a mirror, and on the stand-ins that need none. A learner's copy runs with its stubs. The figures that a lesson asserts say
which set they came from, so a run on the wrong one fails.
"""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import MIRROR
from tree import LESSONS, NOTEBOOKS, ROOT, cells, has
from tree import notebook_name as name

from dlcourse.workbook.lessons import describe
from dlcourse.workbook.practice import exercises_of, learner_version
from dlcourse.workbook.progress import standing
from dlcourse.workbook.runs import run_notebook

LIMIT = 600  # seconds for one notebook
RUNNER = Path(__file__).with_name('run_notebook.py')

needs_mirror = pytest.mark.skipif(not MIRROR, reason='no real sets: DLCOURSE_MIRROR is not set')


def run(path, home, mirror, flags=()):
    "Run one notebook's cells; fail with what it printed. Returns the figures that it asserted."
    figures = home/'figures.jsonl'
    env = os.environ | {'DLCOURSE_HOME': str(home), 'DLCOURSE_MIRROR': mirror, 'DLCOURSE_OFFLINE': '1',
                        'DLCOURSE_FIGURES': str(figures), 'PYTHONDONTWRITEBYTECODE': '1'}
    try: done = subprocess.run([sys.executable, RUNNER, path, *flags], env=env, cwd=ROOT, stdin=subprocess.DEVNULL,
                               capture_output=True, encoding='utf-8', errors='replace', timeout=LIMIT)
    except subprocess.TimeoutExpired: pytest.fail(f'{name(path)} did not finish in {LIMIT} s', pytrace=False)
    if done.returncode: pytest.fail(f'{name(path)}\n{(done.stdout + done.stderr)[-6000:]}', pytrace=False)
    return [json.loads(line) for line in figures.read_text(encoding='utf-8').splitlines()] if figures.exists() else []


def banded(path, kind):
    "The kinds of set that a notebook's figures must come from: `kind` where it asserts a band, none elsewhere."
    return {kind} if 'assert_band(' in path.read_text(encoding='utf-8') else set()


@pytest.mark.alone
@pytest.mark.parametrize('path', NOTEBOOKS, ids=name)
def test_notebook_runs_on_stand_ins(path, tmp_path):
    figures = run(path, tmp_path, mirror='')
    if path in LESSONS: assert {f['set'] for f in figures} == banded(path, 'standin'), figures


@pytest.mark.alone
@pytest.mark.parametrize('path', LESSONS, ids=name)
def test_a_learners_copy_runs_with_nothing_done(path, tmp_path, monkeypatch):
    "Stubs stop nothing, change no figure, and every check says that nothing is begun."
    monkeypatch.setenv('DLCOURSE_MIRROR', '')
    (mine := tmp_path/path.name).write_bytes(learner_version(describe(path)))
    done = run_notebook(mine, env={'DLCOURSE_OFFLINE': '1'}, timeout=LIMIT, at=tmp_path, watch=lambda moment: None)
    assert done.failure is None, done.failure
    assert {f['set'] for f in done.figures} == banded(path, 'standin') and all(f['ok'] for f in done.figures)
    assert {item: found.last for (_, item), found in standing().items()} == {task.name: 'not started' for task in exercises_of(mine)}


@needs_mirror
@pytest.mark.alone
@pytest.mark.parametrize('path', LESSONS, ids=name)
def test_lesson_runs_on_real_sets(path, tmp_path):
    figures = run(path, tmp_path, mirror=MIRROR)
    assert {f['set'] for f in figures} == banded(path, 'real'), figures


@pytest.mark.gpu
@pytest.mark.parametrize('path', [p for p in NOTEBOOKS if any(has(cell, 'gpu') for cell in cells(p))], ids=name)
def test_gpu_cells(path, tmp_path):
    run(path, tmp_path, mirror=MIRROR, flags=['gpu'])
