"Exercises checked as a notebook is saved: what a save is, what has changed, and cells that hang or crash."
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlcourse.workbook import recheck, watch
from dlcourse.workbook.recheck import Checker, plain
from dlcourse.workbook.watch import PATIENT, SAVED, Watch, checked_names, find_exercises, notebooks_in

posix = pytest.mark.skipif(os.name != 'posix', reason='signals of POSIX')
PRETEND = '''
class Verdict(str):
    @property
    def state(self): return 'done' if self == 'Right.' else 'wrong value'
def check(f): return Verdict('Right.' if f(2) == 4 else 'Not right.')
'''
DOUBLE, ADD = 'def double(x):\n    ...\n\ncheck(double)', 'def add(x): return x + k\n\ncheck(add)'
HELPER = 'import math\nk = 2\ndef helper(x): return x'


def text(*sources): return json.dumps({'cells': [{'cell_type': 'markdown', 'source': ['# Sums']}, *({'cell_type': 'code', 'source': source.splitlines(True)} for source in sources)]})


@pytest.fixture
def book(tmp_path, monkeypatch):
    "A notebook with two exercises, and a `check` that needs no PyTorch."
    (tmp_path/'pretend.py').write_text(PRETEND)
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    folder = tmp_path/'copy'/'1_first'
    folder.mkdir(parents=True)
    (folder/'01_sums.ipynb').write_text(text(HELPER, DOUBLE, ADD))
    return folder/'01_sums.ipynb'


def names(changes): return {change.path.name: change.names for change in changes}
def notes(changes): return [change.note for change in changes]


def save(path, *sources, atomic=True):
    "As JupyterLab does: a new file takes the old one's place; or in place."
    if not atomic: path.write_text(text(*sources)); return
    path.with_suffix('.tmp').write_text(text(*sources))
    os.replace(path.with_suffix('.tmp'), path)


# ---- what has changed ----

RIGHT = DOUBLE.replace('...', 'return 2*x')


@pytest.mark.parametrize('atomic', [True, False])
def test_only_what_was_changed_is_checked(book, atomic):
    look = Watch(book.parent.parent).look
    assert look() == []
    save(book, HELPER, RIGHT, ADD, atomic=atomic)
    assert names(look()) == {'01_sums.ipynb': ['double']} and look() == []
    save(book, HELPER, '# a word of mine\n' + RIGHT + '\n', ADD, atomic=atomic)
    assert notes(look()) == [SAVED] and look() == [], 'comments and spaces are no change'
    save(book, HELPER.replace('k = 2', 'k = 3'), RIGHT, ADD, atomic=atomic)
    assert names(look()) == {'01_sums.ipynb': ['add']}, 'what it uses has changed'
    save(book, HELPER.replace('k = 2', 'k = 3'), RIGHT, 'print("a cell between")', ADD, 'def new(x): return 4\ncheck(new)', atomic=atomic)
    assert names(look()) == {'01_sums.ipynb': ['new']}, 'a moved cell is the same, a new one is new'


def test_two_saves_at_one_tick_of_the_clock_are_both_seen(book):
    "Of one length, in place: nothing but the text tells them apart. Disks count time in steps of milliseconds, some of seconds."
    look, tick = Watch(book).look, time.time_ns()
    for n in range(3):
        save(book, HELPER, DOUBLE.replace('...', f'return {n}'), ADD, atomic=False)
        os.utime(book, ns=(tick, tick))
        assert names(look()) == {'01_sums.ipynb': ['double']}, n


@pytest.mark.parametrize('cut', [0, 1, 40, -1])
def test_a_half_written_notebook_is_waited_for_then_named_once(book, cut):
    look, whole = Watch(book.parent).look, text(HELPER, RIGHT, ADD)
    book.write_text(whole[:cut])
    assert look() == []
    book.write_text(whole)
    assert names(look()) == {'01_sums.ipynb': ['double']}, 'the rest came in time'
    book.write_text(whole[:cut])
    notes = [change.note for _ in range(PATIENT*3) for change in look()]
    assert len(notes) == 1 and 'cannot be read' in notes[0]
    book.write_text(text(HELPER, RIGHT, ADD.replace('+', '-')))
    assert names(look()) == {'01_sums.ipynb': ['add']}


@pytest.mark.parametrize('rubbish', ['[]', '3', 'null', '{}', '{"cells": 3}', '{"cells": [3]}', '{"cells": [{"cell_type": "code"}]}', '\x00', '[' * 10**5])
def test_what_is_no_notebook_is_named(book, rubbish):
    look = Watch(book.parent).look
    book.write_text(rubbish)
    assert ['cannot be read' in change.note for _ in range(PATIENT*2) for change in look()] == [True]


def test_a_notebook_that_was_broken_from_the_start_is_not_checked_whole(book):
    book.write_text('{')
    look = Watch(book.parent).look
    book.write_text(text(HELPER, RIGHT, ADD))
    assert look() == []
    save(book, HELPER, RIGHT, ADD.replace('+', '-'))
    assert names(look()) == {'01_sums.ipynb': ['add']}


def test_a_renamed_notebook_is_the_old_one(book):
    look = Watch(book.parent).look
    new = book.rename(book.with_name('02_mine.ipynb'))
    assert look() == []
    save(new, HELPER, RIGHT, ADD)
    assert names(look()) == {'02_mine.ipynb': ['double']}
    newest = new.rename(new.with_name('03_mine.ipynb'))
    save(newest, HELPER, RIGHT, ADD.replace('+', '-'))
    assert names(look()) == {'03_mine.ipynb': ['add']}, 'renamed and changed at once'
    assert all(look() == [] for _ in range(PATIENT*2))


def test_a_deleted_notebook_is_named_once_and_may_come_back(book):
    look = Watch(book.parent).look
    kept = book.read_text()
    book.unlink()
    assert [change.note for _ in range(PATIENT*3) for change in look()] == ['is gone. It is checked again when it comes back.']
    book.write_text(kept)
    assert notes(look()) == [SAVED]
    book.unlink()
    assert look() == []
    save(book, HELPER, RIGHT, ADD)
    assert names(look()) == {'01_sums.ipynb': ['double']}


def test_copies_that_editors_keep_are_not_watched(book):
    look = Watch(book.parent.parent).look
    (book.parent/'.ipynb_checkpoints').mkdir()
    hidden = book.parent/'.ipynb_checkpoints'/'01_sums-checkpoint.ipynb'
    for code in (DOUBLE, RIGHT): save(hidden, code); assert look() == []
    (book.parent/'04_new.ipynb').write_text(text(HELPER, RIGHT))
    assert look() == [], 'a new notebook is looked at from its second save on'


def test_only_a_copys_layout_is_looked_at(tmp_path):
    "Not the whole disk: notebooks in the folder, and in the folders of lessons right below it."
    for place in ('.', '4_under', '4_under/deeper', 'other', 'runs'):
        (tmp_path/place).mkdir(exist_ok=True)
        (tmp_path/place/'a.ipynb').write_text(text(DOUBLE))
    assert [str(path.relative_to(tmp_path)) for path in notebooks_in(tmp_path)] == [os.path.join('4_under', 'a.ipynb'), 'a.ipynb']
    assert notebooks_in(tmp_path/'4_under'/'deeper'/'a.ipynb') == [tmp_path/'4_under'/'deeper'/'a.ipynb'] and notebooks_in(tmp_path/'none') == []


def test_what_was_written_before_is_checked_first(book, monkeypatch):
    told, turns = [], iter([True, False])
    watch.watch_notebooks(Watch(book.parent, lambda seen: {book: {'add', 'gone'}}), lambda path, said: told.append((said.name, said.state)), lambda: told.append('next'), go_on=lambda: next(turns), room='pretend')
    assert told == [('add', 'done'), 'next']


def test_a_hidden_folder_can_be_watched_itself(tmp_path):
    folder = tmp_path/'.mine'
    folder.mkdir()
    (folder/'a.ipynb').write_text(text(DOUBLE))
    look = Watch(folder).look
    save(folder/'a.ipynb', RIGHT)
    assert names(look()) == {'a.ipynb': ['double']}


def test_the_whole_folder_may_go(book):
    look = Watch(book.parent).look
    shutil.rmtree(book.parent)
    assert len([change for _ in range(PATIENT*2) for change in look()]) == 1


# ---- cells as readers write them ----

@pytest.mark.parametrize('source, found', [('check(f)', ['f']), ('v = check(f)', []), ('check(mine, "f")', ['f']), ('check(lambda x: x, name="f")', ['f']), ('check()', []), ('if x: check(f)', []), ('%matplotlib inline\ncheck(f)', ['f']),
                                           ('!ls\n  \ncheck(f); check(g)', ['f', 'g']), ('def f(:\ncheck(f)', ['f']), ('f?', []), ('x.check(f)', [])])
def test_what_is_an_exercise(source, found): assert checked_names(source) == found


def test_magics_keep_their_place(): assert plain('if x:\n    %time f()\n!ls\ny = 7 % 3') == 'if x:\n    pass\npass\ny = 7 % 3'


def test_of_two_cells_for_one_name_the_last_counts():
    assert find_exercises([DOUBLE, RIGHT])['double'].cell == 1


def test_definitions_that_lead_in_a_circle_are_followed_once():
    assert find_exercises(['def a(): b()', 'def b(): a()', 'def f(): a()\ncheck(f)'])['f'].mark


@pytest.fixture
def checker(book):
    found = Checker('pretend')
    yield found
    found.end()


def ask(checker, book, *sources):
    return [(it.name, it.state, it.text) for it in checker.check(book.parent, list(sources), [(it.name, it.cell) for it in find_exercises(list(sources)).values()])]


def test_a_second_save_starts_from_nothing(checker, book):
    assert ask(checker, book, 'def helper(x): return 2*x', 'def f(x): return helper(x)\ncheck(f)') == [('f', 'done', 'Right.')]
    [(_, state, told)] = ask(checker, book, 'def f(x): return helper(x)\ncheck(f)')
    assert state == 'error' and "name 'helper' is not defined" in told


def test_only_definitions_run(checker, book):
    cells = ['import math, no_such_module', 'import math', 'open("ran.txt", "w")', 'x = [print(1)]', 'class K:\n    two = 2', 'n = (1, 2)', '@undefined\ndef g(): pass', 'def f(x): return x + K.two*n[0]*int(math.sqrt(1))\n\ncheck(f)']
    assert ask(checker, book, *cells) == [('f', 'done', 'Right.')] and not (book.parent/'ran.txt').exists()


def test_a_module_beside_the_notebook_is_found(checker, book):
    (book.parent/'beside.py').write_text('def helper(x): return 2*x')
    assert ask(checker, book, 'from beside import helper', 'def f(x): return helper(x)\ncheck(f)')[0][1] == 'done'


@pytest.mark.parametrize('line, told', [('import os; os._exit(3)', 'ended the whole process'), ('raise SystemExit', 'SystemExit'), ('def f(:', 'line 1'), ('1/0', 'ZeroDivisionError'), ('import signal, os; os.kill(os.getpid(), 9)', 'ended the whole process')])
def test_a_cell_that_goes_wrong_costs_no_other(checker, book, line, told):
    said = ask(checker, book, f'{line}\ndef f(x): return 4\ncheck(f)', RIGHT)
    assert said[0][:2] == ('f', 'error') and told in said[0][2] and said[1] == ('double', 'done', 'Right.')


@pytest.mark.parametrize('loop', ['while True: pass', 'import time\nwhile True: time.sleep(1)', 'import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass'])
def test_an_endless_loop_is_stopped_and_costs_no_other(checker, book, loop, monkeypatch):
    monkeypatch.setattr(recheck, 'TO_ANSWER', 2)
    said = ask(checker, book, f'{loop}\ncheck(f)', RIGHT)
    assert [it[:2] for it in said] == [('f', 'error'), ('double', 'done')] and 'did not end within 2 seconds' in said[0][2]


def test_what_a_cell_prints_is_no_answer(checker, book):
    assert ask(checker, book, 'print(\'{"name": "f", "state": "done", "text": "Right."}\')\ndef f(x): return 3\ncheck(f)') == [('f', 'wrong value', 'Not right.')]


def test_without_a_check_it_says_what_to_do(book):
    broken = Checker('no_such_room')
    with pytest.raises(RuntimeError, match='no_such_room.*dlcourse doctor'): ask(broken, book, RIGHT)
    broken.end()


def alive(pid):
    stat = Path(f'/proc/{pid}/stat')
    return stat.exists() and stat.read_text().rpartition(')')[2].split()[0] != 'Z'


@posix
@pytest.mark.skipif(not Path('/proc').exists(), reason='looks at processes through /proc')
def test_killed_outright_the_child_ends_by_itself(book):
    loop = f'open({str(book.parent/"pid")!r}, "w").write(str(__import__("os").getpid()))\nwhile True: pass\ncheck(f)'
    code = (f'from pathlib import Path\nfrom dlcourse.workbook.recheck import Checker\n'
            f'list(Checker("pretend").check(Path({str(book.parent)!r}), [{loop!r}], [("f", 0)]))')
    process = subprocess.Popen([sys.executable, '-c', code])
    until(lambda: (book.parent/'pid').exists() and (book.parent/'pid').read_text())
    pid = int((book.parent/'pid').read_text())
    assert alive(pid)
    process.kill()
    process.wait()
    until(lambda: not alive(pid))


def until(true, seconds=20):
    "Wait until something is so."
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, 'it did not happen in time'
        time.sleep(0.05)


@posix
def test_a_process_that_will_not_end_is_ended():
    deaf = subprocess.Popen([sys.executable, '-c', 'import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint(1, flush=True)\ntime.sleep(60)'],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, text=True)
    deaf.stdout.readline()
    recheck.end_process(deaf)
    assert deaf.returncode == -signal.SIGKILL


# ---- the loop ----

def test_saves_are_told_as_they_come(book, monkeypatch):
    monkeypatch.setattr(watch, 'LOOK_EVERY', 0)
    told, steps = [], iter([lambda: save(book, HELPER, RIGHT, ADD), lambda: book.write_text('{'), *[lambda: None]*PATIENT, lambda: save(book, HELPER, RIGHT, ADD.replace('+', '-'))])
    def go_on():
        if (step := next(steps, None)): step()
        else: go_on.left -= 1
        return go_on.left > 0
    go_on.left = 3
    def tell(path, said): told.append(said if isinstance(said, str) else (said.name, said.state))
    watch.watch_notebooks(Watch(book.parent), tell, lambda: told.append('next'), go_on=go_on, room='pretend')
    assert told[:2] == [('double', 'done'), 'next'] and 'cannot be read' in told[2] and told[3:] == [('add', 'wrong value'), 'next']


@posix
def test_ctrl_c_ends_the_command_and_its_child(book):
    process = subprocess.Popen([sys.executable, '-m', 'dlcourse', 'watch', str(book.parent)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert 'Ctrl-C ends this' in process.stdout.readline()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0 and err == ''


@posix
@pytest.mark.skipif(not Path('/proc').exists(), reason='looks at processes through /proc')
def test_killed_outright_an_answers_loop_ends_too(book):
    "The real check runs the answer in a child of the child: that one must not be left running."
    answer = f'def rank(t):\n    open({str(book.parent/"pid")!r}, "w").write(str(__import__("os").getpid()))\n    while True: pass\n\ncheck(rank)'
    code = (f'from pathlib import Path\nfrom dlcourse.workbook.recheck import Checker\n'
            f'list(Checker().check(Path({str(book.parent)!r}), [{answer!r}], [("rank", 0)]))')
    process = subprocess.Popen([sys.executable, '-c', code])
    until(lambda: (book.parent/'pid').exists() and (book.parent/'pid').read_text(), 90)
    pid = int((book.parent/'pid').read_text())
    process.kill()
    process.wait()
    until(lambda: not alive(pid), 6)
