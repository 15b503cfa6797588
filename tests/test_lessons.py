"Finding lessons, and a learner's copy that is never overwritten, whatever happens and whenever it is stopped."
import errno
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcourse.core.whole import write_whole
from dlcourse.workbook.lessons import UnknownName, find_lessons, fingerprint, next_lesson, notebooks_dir, pick
from dlcourse.workbook.practice import MANIFEST, copy_lessons, read_manifest

NAMES = ['1_play/01_first.ipynb', '4_under/18_descent.ipynb', '4_under/19_sgd.ipynb', '10_later/40_last.ipynb', '9_workshop/50_device.ipynb']


def notebook(*texts):
    "A small notebook as text; a text that starts with # or ** is prose."
    cells = [{'cell_type': 'markdown' if t.startswith(('# ', '**', '- **')) else 'code', 'id': str(i), 'metadata': {}, 'source': t} for i, t in enumerate(texts)]
    for cell in cells:
        if cell['cell_type'] == 'code': cell |= {'outputs': [], 'execution_count': None}
    return json.dumps({'cells': cells, 'metadata': {}, 'nbformat': 4, 'nbformat_minor': 5})


ANSWER = '#| answer: half\ndef half(x):\n    "Half of `x`."\n    return x/2\n\ncheck(half)'


def make_shelf(folder, version=1):
    "A folder of lessons, each with an exercise; each version has other texts."
    for name in NAMES:
        (folder/name).parent.mkdir(parents=True, exist_ok=True)
        (folder/name).write_text(notebook(f'# Title of {name}\n\n> About it, version {version}', f'#| default_exp wing.{name[-9:-6]}', '- **Time** about 2 minutes', ANSWER))
    return folder


@pytest.fixture
def shelf(tmp_path): return make_shelf(tmp_path/'shelf')


def test_teaching_order_is_by_number_and_the_workshop_is_asked_for(shelf):
    assert [x.name for x in find_lessons(shelf)] == ['first', 'descent', 'sgd', 'last']
    assert 'device' in [x.name for x in find_lessons(shelf, workshop=True)]


def test_a_lesson_says_what_it_holds(shelf):
    sgd = pick('sgd', find_lessons(shelf))
    assert (sgd.title, sgd.about, sgd.module, sgd.time) == ('Title of 4_under/19_sgd.ipynb', 'About it, version 1', 'dlcourse.wing.sgd', 'about 2 minutes')


def test_checkpoints_of_jupyter_are_no_lessons(shelf):
    (shelf/'4_under'/'.ipynb_checkpoints').mkdir()
    (shelf/'4_under'/'.ipynb_checkpoints'/'19_sgd-checkpoint.ipynb').write_text(notebook('# Old'))
    assert len(find_lessons(shelf)) == 4


@pytest.mark.parametrize('typed', ['sgd', 'SGD', '19', 'sg', '19_sgd', '19_sgd.ipynb', '4_under/sgd', '4_under\\sgd', '4/19', 'wing.sgd', 'dlcourse.wing.sgd'])
def test_many_names_lead_to_a_lesson(shelf, typed): assert pick(typed, find_lessons(shelf)).name == 'sgd'


@pytest.mark.parametrize('typed, says', [('sdg', 'Did you mean sgd?'), ('4_under', 'fits several'), ('zzzz', 'dlcourse lessons'), ('', 'fits several')])
def test_a_name_that_fits_nothing_or_too_much_is_answered(shelf, typed, says):
    with pytest.raises(UnknownName, match='(?s)' + says.replace('?', r'\?')): pick(typed, find_lessons(shelf))


def test_the_next_lesson_and_the_end(shelf):
    all_of_them = find_lessons(shelf)
    assert [x and x.name for x in (next_lesson(y, all_of_them) for y in all_of_them)] == ['descent', 'sgd', 'last', None]


def test_the_folder_can_be_named(shelf, monkeypatch):
    monkeypatch.setenv('DLCOURSE_NOTEBOOKS', str(shelf))
    assert notebooks_dir() == shelf


def test_the_course_itself_is_found():
    assert 'cli' in [x.name for x in find_lessons(workshop=True)]
    assert all(x.title and x.about for x in find_lessons(workshop=True))


def test_a_file_that_is_no_notebook_is_named(shelf):
    (shelf/'4_under'/'20_half.ipynb').write_text('{"cells": [')
    with pytest.raises(ValueError, match='20_half.ipynb cannot be read as a notebook'): find_lessons(shelf)


# A learner's copy

def test_unchanged_files_follow_the_package_and_changed_ones_stay(shelf, tmp_path):
    mine = tmp_path/'mine'
    copy_lessons(mine, find_lessons(shelf))
    (mine/NAMES[2]).write_text('work')
    make_shelf(shelf, version=2)
    done = copy_lessons(mine, find_lessons(shelf))
    assert [done[name] for name in NAMES[:3]] == ['updated', 'updated', 'beside']
    assert (mine/NAMES[2]).read_text() == 'work'
    assert 'version 2' in (mine/'4_under/19_sgd.new.ipynb').read_text() and 'version 2' in (mine/NAMES[0]).read_text()


def test_an_update_brings_stubs_and_never_touches_an_exercise_that_was_begun(shelf, tmp_path):
    mine = tmp_path/'mine'
    copy_lessons(mine, find_lessons(shelf))
    given = (mine/NAMES[2]).read_text()
    assert '#| exercise: half' in given and 'x/2' not in given
    (mine/NAMES[2]).write_text(given.replace('    ...', '    return .5*x'))
    assert [copy_lessons(mine, find_lessons(make_shelf(shelf, version)))[NAMES[2]] for version in (1, 2, 2)] == ['kept', 'beside', 'kept']
    assert '.5*x' in (mine/NAMES[2]).read_text()
    for path in (mine/'4_under/19_sgd.new.ipynb', mine/NAMES[0]): assert 'version 2' in path.read_text() and 'x/2' not in path.read_text()


def test_an_answer_that_moved_is_no_reason_to_touch_the_learners(shelf, tmp_path):
    "A copy made of the lesson as it is, answers and all, is replaced if it is unchanged and kept if it is not."
    mine = tmp_path/'mine'
    for name in NAMES[:2]: (mine/name).parent.mkdir(parents=True); (mine/name).write_bytes((shelf/name).read_bytes())
    (mine/MANIFEST).write_text(json.dumps({'files': {name: fingerprint((shelf/name).read_bytes()) for name in NAMES[:2]}}))
    (mine/NAMES[1]).write_text('work')
    done = copy_lessons(mine, find_lessons(shelf))
    assert (done[NAMES[0]], done[NAMES[1]]) == ('updated', 'beside') and (mine/NAMES[1]).read_text() == 'work'


def test_a_faulty_lesson_is_named_and_costs_the_learner_nothing(shelf, tmp_path):
    mine = tmp_path/'mine'
    copy_lessons(mine, find_lessons(shelf))
    (mine/NAMES[0]).write_text('work')
    (shelf/NAMES[2]).write_text(notebook('# Bad', '#| answer: half\n1/2'))
    with pytest.raises(ValueError, match='19_sgd.ipynb, cell 1, exercise half'): copy_lessons(mine, find_lessons(shelf))
    assert (mine/NAMES[0]).read_text() == 'work'


def test_work_on_the_new_version_is_work_too(shelf, tmp_path):
    mine, new = tmp_path/'mine', tmp_path/'mine/4_under/19_sgd.new.ipynb'
    copy_lessons(mine, find_lessons(shelf))
    (mine/NAMES[2]).write_text('work')
    copy_lessons(mine, find_lessons(make_shelf(shelf, 2)))
    new.write_text('more work')
    assert copy_lessons(mine, find_lessons(make_shelf(shelf, 3)))[NAMES[2]] == 'kept'
    assert new.read_text() == 'more work'


def test_a_file_of_the_same_name_that_was_never_given_is_kept(shelf, tmp_path):
    path = tmp_path/'mine'/NAMES[0]
    path.parent.mkdir(parents=True)
    path.write_text('something else')
    assert copy_lessons(tmp_path/'mine', find_lessons(shelf))[NAMES[0]] == 'beside'
    assert path.read_text() == 'something else'


@pytest.mark.parametrize('text', ['', '{', '[]', '{"files": 3}', '{"files": {"1_play/01_first.ipynb": 7}}'])
def test_a_damaged_manifest_makes_the_copy_careful(shelf, tmp_path, text):
    mine = tmp_path/'mine'
    copy_lessons(mine, find_lessons(shelf))
    (mine/NAMES[0]).write_text('work')
    (mine/MANIFEST).write_text(text)
    copy_lessons(mine, find_lessons(make_shelf(shelf, 2)))
    assert (mine/NAMES[0]).read_text() == 'work'


def test_the_lessons_themselves_are_not_a_place_for_a_copy(shelf):
    before = {p: p.read_bytes() for p in shelf.rglob('*') if p.is_file()}
    with pytest.raises(ValueError, match='dlcourse start my-lessons'): copy_lessons(shelf, find_lessons(shelf))
    assert before == {p: p.read_bytes() for p in shelf.rglob('*') if p.is_file()}


def test_a_file_in_the_way_is_told(shelf, tmp_path):
    (tmp_path/'mine').write_text('a file')
    with pytest.raises(ValueError, match='is a file'): copy_lessons(tmp_path/'mine', find_lessons(shelf))


steps = st.lists(st.one_of(st.just(('start',)), st.just(('newer',)), st.just(('forget',)), st.tuples(st.sampled_from(['edit', 'edit new', 'drop', 'drop new']), st.integers(0, 3))), max_size=14)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_no_order_of_events_loses_what_a_learner_wrote(tmp_path_factory, steps):
    shelf = make_shelf(tmp_path_factory.mktemp('shelf'))
    mine, version, written = tmp_path_factory.mktemp('copy')/'mine', 1, {}
    for n, (step, *which) in enumerate(steps):
        path = mine/NAMES[which[0]] if which else mine
        if which and step.endswith('new'): path = path.with_suffix('.new.ipynb')
        if step == 'start': copy_lessons(mine, find_lessons(shelf))
        elif step == 'newer': make_shelf(shelf, version := version + 1)
        elif step == 'forget': (mine/MANIFEST).unlink(missing_ok=True)
        elif step.startswith('edit'): path.parent.mkdir(parents=True, exist_ok=True); path.write_text(f'work {n}'); written[path] = f'work {n}'
        else: path.unlink(missing_ok=True); written.pop(path, None)
        assert {p: p.read_text() for p in written} == written
        assert not list(mine.rglob('*.part'))


# Whole or not at all

def test_a_full_disk_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path/'page.html'
    write_whole(path, b'old')
    def full(*_): raise OSError(errno.ENOSPC, 'No space left on device')
    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='No space'): write_whole(path, b'new')
    assert [p.name for p in tmp_path.iterdir()] == ['page.html'] and path.read_bytes() == b'old'


def test_what_a_killed_writer_left_is_cleared(tmp_path):
    (tmp_path/'.page.html.x.part').write_text('half')
    age(tmp_path/'.page.html.x.part')
    write_whole(tmp_path/'page.html', b'whole')
    assert [p.name for p in tmp_path.iterdir()] == ['page.html']


def age(path):
    "Make a file look two hours old."
    os.utime(path, (time.time() - 7200,) * 2)


def test_writers_of_one_file_at_once_do_not_break_each_other(tmp_path, monkeypatch):
    sync, inside = os.fsync, []
    def meet(handle):
        "Before the first writer is done, a second writes the same file."
        inside.append(1)
        if len(inside) == 1: write_whole(tmp_path/'page.html', b'second')
        sync(handle)
    monkeypatch.setattr(os, 'fsync', meet)
    write_whole(tmp_path/'page.html', b'first')
    assert (tmp_path/'page.html').read_bytes() == b'first' and [p.name for p in tmp_path.iterdir()] == ['page.html']


@pytest.mark.skipif(os.name != 'posix', reason='permissions are a POSIX matter')
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path/'plain').write_text('')
    write_whole(tmp_path/'whole', b'')
    assert (tmp_path/'whole').stat().st_mode == (tmp_path/'plain').stat().st_mode


@pytest.mark.skipif(os.name != 'posix', reason='SIGKILL is a POSIX signal')
def test_killed_at_any_moment_no_file_is_half_there(tmp_path):
    shelf, mine = make_shelf(tmp_path/'shelf'), tmp_path/'mine'
    for name in NAMES: (shelf/name).write_text(notebook('# A', 'x' * 3_000_000))
    whole = {(shelf/name).read_bytes() for name in NAMES}
    code = ('import sys; from pathlib import Path; from dlcourse.workbook.lessons import find_lessons; from dlcourse.workbook import practice\n'
            'lessons = find_lessons(Path(sys.argv[1]))\n'
            'made = {x.path: practice.learner_version(x) for x in lessons}\n'
            'practice.learner_version = lambda x: made[x.path]  # only writing takes time, so that is where it is killed\nprint("begun", flush=True)\n'
            'while True:\n    for p in Path(sys.argv[2]).rglob("*.ipynb"): p.unlink()\n    practice.copy_lessons(Path(sys.argv[2]), lessons)')
    for wait in [0.05 + 0.0371*i for i in range(12)]:
        with subprocess.Popen([sys.executable, '-c', code, str(shelf), str(mine)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout.readline() == 'begun\n'
            time.sleep(wait)
            writer.send_signal(signal.SIGKILL)
        assert all(p.read_bytes() in whole for p in mine.rglob('*.ipynb') if not p.name.startswith('.'))
        assert isinstance(read_manifest(mine), dict)
    left = [p for p in mine.rglob('*') if p.is_file()]
    assert left, 'nothing was written, so nothing was tried'
    for path in left: age(path) if path.suffix == '.part' else path.unlink()
    copy_lessons(mine, find_lessons(shelf))
    assert not list(mine.rglob('*.part'))
