"`dlcourse next, progress, quiz, hint, watch` as a person or a script meets them."
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_lessons import notebook

from dlcourse.workbook import progress, questions
from dlcourse.workbook.agenda import agenda, lesson_progress, next_text, own_copies
from dlcourse.workbook.cli import main
from dlcourse.workbook.lessons import find_lessons
from dlcourse.workbook.progress import Standing, progress_file, read_events, record
from dlcourse.workbook.study import desk
from dlcourse.workbook.terminal import Screen

posix = pytest.mark.skipif(os.name != 'posix', reason='signals of POSIX')
RANK = '#| answer: rank\ndef rank(t):\n    "The number of axes."\n    return len(t.shape)\n\ncheck(rank)'
PICK = '#| answer: pick\ndef pick(t):\n    "One."\n    return t[0]\n\ncheck(pick)'
QUESTIONS = ('[[question]]\nid = "axes"\ncell = "x"\nask = "How many?"\nright = ["one", "Yes, one."]\nwrong = [["two", "Two is the size."]]\n'
             '[[question]]\nid = "guess"\ncell = "x"\nlab = true\nask = "What comes?"\nright = ["a", "Yes."]\nwrong = [["b", "No."]]\n')


@pytest.fixture(autouse=True)
def shelf(tmp_path, monkeypatch):
    "Two small lessons, one with questions, and a folder to study in."
    folder, asked = tmp_path/'shelf'/'4_under', tmp_path/'tensors.toml'
    folder.mkdir(parents=True)
    (folder/'17_tensors.ipynb').write_text(notebook('# Tensors', '# Your turn: `rank`', RANK, '# The lab', "ask('guess')", '# Your turn: `pick`', PICK, "quiz('tensors')"))
    (folder/'18_descent.ipynb').write_text(notebook('# Descent', '# Your turn', RANK.replace('rank', 'slope_at')))
    asked.write_text(QUESTIONS)
    monkeypatch.setattr(questions, 'question_files', lambda: {'tensors': asked})
    monkeypatch.setenv('DLCOURSE_NOTEBOOKS', str(tmp_path/'shelf'))
    (tmp_path/'here').mkdir()
    monkeypatch.chdir(tmp_path/'here')
    progress._told.clear()
    return tmp_path/'shelf'


ORDER = ['rank', 'guess', 'pick', 'axes', 'slope_at']


def test_the_order_is_the_lessons_then_its_quiz():
    assert [todo.item for todo in desk().todos] == ORDER
    assert [todo.kind for todo in desk().todos] == ['exercise', 'question', 'exercise', 'quiz', 'exercise']
    assert [todo.section for todo in agenda(find_lessons()[0])] == ['Your turn: rank', 'The lab', 'Your turn: pick', '']


def test_next_goes_through_the_course_and_ends(capsys):
    for todo in desk().todos:
        assert main(['next']) == 0
        said = capsys.readouterr().out
        assert (f'next  the quiz of {todo.lesson}\ntype  dlcourse quiz tensors\n' == said) if todo.kind == 'quiz' else said.startswith(f'next  {todo.kind} {todo.item} of {todo.lesson}\n')
        record(todo.lesson, todo.item, 'done' if todo.kind == 'exercise' else 'right')
    main(['next'])
    assert capsys.readouterr().out == 'All is done: every exercise, every question.\n'
    record('tensors', 'pick', 'wrong shape')
    main(['next'])
    assert 'All is done' in capsys.readouterr().out, 'done stays done'


def test_next_names_the_file_in_the_readers_own_copy(capsys, monkeypatch):
    main(['next'])
    assert 'in    17_tensors.ipynb, under "Your turn: rank"\ntype  dlcourse start\n' in capsys.readouterr().out
    main(['start', 'my-own', '--no-open'])
    capsys.readouterr()
    for place, file, how in (('.', 'my-own/4_under/17_tensors.ipynb', 'my-own'), ('my-own', '4_under/17_tensors.ipynb', '.'), ('my-own/4_under', '17_tensors.ipynb', str(Path('my-own').absolute()))):
        with monkeypatch.context() as here:
            here.chdir(place)
            main(['next'])
            assert capsys.readouterr().out.endswith(f'in    {file}, under "Your turn: rank"\ntype  dlcourse start {how}\n')
    main(['start', '--no-open'])
    assert [folder.name for folder in own_copies(Path())] == ['dlcourse-lessons', 'my-own']
    capsys.readouterr(), main(['next'])
    assert capsys.readouterr().out.endswith('dlcourse-lessons/4_under/17_tensors.ipynb, under "Your turn: rank"\ntype  dlcourse start\n')


def test_progress_says_what_is_done_and_what_is_not(capsys):
    record('tensors', 'rank', 'done'), record('tensors', 'pick', 'wrong value'), record('tensors', 'axes', 'right'), record('old', 'gone', 'done')
    assert main(['progress']) == 0
    assert capsys.readouterr().out == ('tensors    1 of 2 exercises \u00b7 1 of 2 questions\n           done: rank\n           wrong value: pick\n'
                                       'descent    0 of 1 exercises\n\nnext  question guess of tensors\nin    17_tensors.ipynb, under "The lab"\ntype  dlcourse start\n')


def test_progress_as_json(capsys):
    record('tensors', 'rank', 'wrong shape'), record('tensors', 'rank', 'hint')
    assert main(['progress', '--json']) == 0
    said = json.loads(capsys.readouterr().out)
    assert [todo['item'] for todo in said['todo']] == ORDER and said['file'] == str(progress_file())
    assert {key: said['todo'][0][key] for key in ('state', 'best', 'tries', 'hints')} == {'state': 'wrong shape', 'best': 'wrong shape', 'tries': 1, 'hints': 1}


@pytest.mark.parametrize('width', [0, 30, 40, 100])
def test_all_fits_the_window(width):
    here = desk()
    some = {('tensors', 'rank'): Standing(best='done'), ('tensors', 'pick'): Standing(best='wrong value')}
    text = lesson_progress('tensors', [todo for todo in here.todos if todo.lesson == 'tensors']*3, some, Screen(width)) + '\n' + next_text(here.todos, here.lessons, some, Screen(width))
    assert not width or max(map(len, text.splitlines())) < width
    assert '\x1b' not in text and '\x1b' in next_text(here.todos, here.lessons, {}, Screen(width, True))


def test_a_record_that_cannot_be_read_stops_the_question_and_says_what_mends_it(capsys):
    progress_file().write_text('rubbish '*100)
    for words in (['next'], ['progress'], ['progress', 'export']):
        assert main(words) == 1
        assert 'dlcourse progress reset' in capsys.readouterr().err
    assert main(['progress', 'reset', '--yes']) == 0
    assert '.damaged' in capsys.readouterr().out and main(['next']) == 0
    assert [path.read_text() for path in progress_file().parent.glob('*.damaged')] == ['rubbish '*100]


def test_nothing_is_recorded_and_that_is_said(capsys, monkeypatch):
    monkeypatch.setenv('DLCOURSE_PROGRESS', '')
    assert main(['progress']) == 0 and 'DLCOURSE_PROGRESS is empty' in capsys.readouterr().out
    assert main(['progress', 'reset', '--yes']) == 0 and 'nothing to reset' in capsys.readouterr().out


# ---- export, import, reset ----

def test_there_and_back(capsys, monkeypatch):
    record('tensors', 'rank', 'done'), record('descent', 'slope_at', 'hint')
    rows = read_events(progress_file())
    assert main(['progress', 'export', 'mine.json']) == 0 and main(['progress', 'export']) == 0
    assert json.loads(capsys.readouterr().out.partition('\n')[2]) == json.loads(Path('mine.json').read_text())
    assert main(['progress', 'reset', 'tensors', '--yes']) == 0
    told = capsys.readouterr().out
    backup = re.search(r'dlcourse progress import (.+)', told)[1]
    assert '1 rows moved' in told and [row.lesson for row in read_events(progress_file())] == ['descent']
    assert main(['progress', 'import', backup]) == 0 and read_events(progress_file()) == rows
    monkeypatch.setattr(sys, 'stdin', io.StringIO(Path('mine.json').read_text()))
    capsys.readouterr()
    assert main(['progress', 'import', '-']) == 0 and capsys.readouterr().out == '0 new rows, 2 were here already\n'


@pytest.mark.parametrize('words, code, says', [(['import', 'none.json'], 1, 'is not here'), (['import', 'photo.png'], 1, 'Nothing was imported'), (['import', 'lesson.ipynb'], 1, 'Nothing was imported'),
                                               (['export', 'lesson.ipynb'], 2, 'not overwritten'), (['reset'], 1, '--yes'), (['reset', 'tensor_s', '--yes'], 2, 'no lesson'), (['sing'], 2, 'invalid choice')])
def test_what_cannot_be_done_is_said_and_changes_nothing(words, code, says, capsys):
    record('tensors', 'rank', 'done')
    Path('photo.png').write_bytes(bytes(range(256)))
    Path('lesson.ipynb').write_text(lesson := notebook('# Mine'))
    try: assert main(['progress', *words]) == code
    except SystemExit as e: assert e.code == code
    assert says in capsys.readouterr().err and len(read_events(progress_file())) == 1 and Path('lesson.ipynb').read_text() == lesson


@pytest.mark.parametrize('answer, left', [('y\n', 0), ('Yes\n', 0), ('n\n', 1), ('\n', 1), ('', 1)])
def test_reset_asks(answer, left, monkeypatch, capsys):
    class Person(io.StringIO):
        def isatty(self): return True
    record('tensors', 'rank', 'done')
    monkeypatch.setattr(sys, 'stdin', Person(answer))
    assert main(['progress', 'reset']) == left and len(read_events(progress_file())) == left
    assert ('Nothing was reset' in capsys.readouterr().out) == bool(left)


# ---- quiz and hint ----

def answer(monkeypatch, capsys, typed, *words):
    monkeypatch.setattr(sys, 'stdin', io.StringIO(typed))
    assert main(['quiz', *words]) == 0
    return capsys.readouterr().out


def test_the_quiz_is_taken_from_a_pipe_and_kept(monkeypatch, capsys):
    [question] = questions.questions('tensors')
    right = next(letter for letter, x in question.lettered.items() if x.right)
    said = answer(monkeypatch, capsys, f'{"ab".replace(right, "")}\n')
    assert 'How many?' in said and 'Two is the size.' in said and main(['next']) == 0
    assert 'Yes, one.' in answer(monkeypatch, capsys, f'{right}\n', 'tensors')
    assert 'How many?' not in answer(monkeypatch, capsys, '') and 'How many?' in answer(monkeypatch, capsys, 'q\n', '17', '--again')
    assert [row.outcome for row in read_events(progress_file())] == ['wrong', 'right']


@pytest.mark.parametrize('words', [['quiz', 'nothing'], ['quiz', 'descent'], ['hint', 'ranq']])
def test_a_name_that_fits_nothing(words, capsys):
    assert main(words) == 2 and 'There ' in capsys.readouterr().err


def test_hints_climb_from_one_call_to_the_next(capsys):
    record('tensors', 'rank', 'done')
    said = [(main(words), capsys.readouterr().out)[1] for words in (['hint'], ['hint'], ['hint'], ['hint', 'pick'], ['hint', 'rank'])]
    assert [line.partition(':')[0] for line in said] == ['Hint 1 of 3 for pick', 'Hint 2 of 3 for pick', 'Hint 3 of 3 for pick', 'Hint 3 of 3 for pick', 'Hint 1 of 3 for rank']
    assert 'solution(pick)' in said[2] and progress.standing()['tensors', 'pick'].hints == 4


# ---- light ----

@pytest.mark.parametrize('words', [['next'], ['progress'], ['progress', '--json'], ['progress', 'export'], ['progress', 'reset', '--yes'], ['quiz', 'tensors']], ids=' '.join)
def test_studying_imports_nothing_heavy(words, monkeypatch):
    monkeypatch.delenv('DLCOURSE_NOTEBOOKS')
    heavy = {'torch', 'numpy', 'matplotlib', 'pandas', 'nbformat', 'IPython', 'ipywidgets', 'requests', 'zmq'}
    code = f'import sys; from dlcourse.workbook.cli import main\nassert not main({words!r})\nprint("HEAVY", sorted({heavy!r} & set(sys.modules)))'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.stdout.splitlines()[-1] == 'HEAVY []', done


# ---- watch ----

@pytest.mark.parametrize('words, says', [(['nowhere'], 'dlcourse start'), (['file.txt'], 'no notebook')])
def test_watch_wants_a_place(words, says, capsys):
    Path('file.txt').write_text('x')
    assert main(['watch', *words]) == 1 and says in capsys.readouterr().err


@posix
def test_a_saved_answer_is_checked_recorded_and_the_next_thing_named():
    "The real thing, with PyTorch: the stub, a wrong answer, a right one; Ctrl-C at the end."
    os.environ.pop('DLCOURSE_NOTEBOOKS')
    main(['start', '--no-open'])
    file = next(Path('dlcourse-lessons').rglob('17_tensors.ipynb'))
    said = open('said.txt', 'w+')
    process = subprocess.Popen([sys.executable, '-m', 'dlcourse', 'watch'], stdout=said, stderr=subprocess.STDOUT)
    try:
        wait_for('Ctrl-C ends this')
        time.sleep(1)
        for body, verdict in (('t.numel()', 'rank: wrong value'), ('len(t.shape)', 'rank: done')):
            data = json.loads(file.read_text(encoding='utf-8'))
            for cell in data['cells']:
                if 'check(rank)' in ''.join(cell['source']): cell['source'] = f'def rank(t): return {body}\n\ncheck(rank)'
            file.with_suffix('.tmp').write_text(json.dumps(data))
            os.replace(file.with_suffix('.tmp'), file)
            wait_for(verdict)
        wait_for('next  exercise brighten')
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally: process.kill()
    now = progress.standing()['tensors', 'rank']
    assert (now.best, now.tries) == ('done', 2) and 'Traceback' not in Path('said.txt').read_text()


def wait_for(words, seconds=90):
    "Wait until the command has said so."
    end = time.monotonic() + seconds
    while words not in (said := Path('said.txt').read_text()):
        assert time.monotonic() < end, said
        time.sleep(0.1)
