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
from dlcourse.workbook.agenda import agenda, last_copy, lesson_progress, next_text, own_copies
from dlcourse.workbook.cli import main
from dlcourse.workbook.lessons import find_lessons
from dlcourse.workbook.progress import Standing, progress_file, read_events, record
from dlcourse.workbook.recheck import Answered
from dlcourse.workbook.study import _unchecked, _watched, desk
from dlcourse.workbook.terminal import Screen
from dlcourse.workbook.watch import Watch

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
    for place, file, how in (('.', 'my-own/4_under/17_tensors.ipynb', ' my-own'), ('my-own', '4_under/17_tensors.ipynb', ''), ('my-own/4_under', '17_tensors.ipynb', '')):
        with monkeypatch.context() as here:
            here.chdir(place)
            main(['next'])
            assert capsys.readouterr().out.endswith(f'in    {file}, under "Your turn: rank"\ntype  dlcourse start{how}\n')
    main(['start', 'dlcourse-lessons', '--no-open'])
    assert [folder.name for folder in own_copies(Path())] == ['dlcourse-lessons', 'my-own']
    capsys.readouterr(), main(['next'])
    assert capsys.readouterr().out.endswith('dlcourse-lessons/4_under/17_tensors.ipynb, under "Your turn: rank"\ntype  dlcourse start\n')


# ---- the copy, from anywhere ----

@pytest.mark.parametrize('place', ['.', '4_under', '4_under/deeper'])
def test_start_inside_a_copy_uses_that_copy_and_says_so(place, capsys, monkeypatch):
    main(['start', 'mine', '--no-open'])
    Path('mine/4_under/deeper').mkdir()
    copy = Path('mine').absolute()
    monkeypatch.chdir(copy/place)
    capsys.readouterr()
    assert main(['start', '--no-open']) == 0
    said = capsys.readouterr().out
    assert str(copy) in said and '2 unchanged' in said and not list(copy.rglob('dlcourse-lessons'))


def test_from_anywhere_the_last_copy_is_known(capsys, monkeypatch, tmp_path):
    main(['start', 'my own', '--no-open'])
    copy = Path('my own').absolute()
    (tmp_path/'elsewhere').mkdir()
    monkeypatch.chdir(tmp_path/'elsewhere')
    for words in (['next'], ['progress']):
        capsys.readouterr()
        assert main(words) == 0
        assert capsys.readouterr().out.endswith(f'in    {copy}/4_under/17_tensors.ipynb, under "Your turn: rank"\ntype  dlcourse start "{copy}"\n'.replace('/', os.sep))
    assert main(['start', '--no-open']) == 2 and not list(Path().iterdir())
    said = capsys.readouterr().err
    assert f'dlcourse start "{copy}"' in said and 'dlcourse start dlcourse-lessons' in said
    assert main(['start', 'dlcourse-lessons', '--no-open']) == 0 and last_copy() == Path('dlcourse-lessons').absolute()
    assert main(['start', '--no-open']) == 0, 'the copy right here is meant'


def test_a_copy_that_is_gone_is_forgotten(capsys, monkeypatch, tmp_path):
    main(['start', 'mine', '--no-open'])
    copy = Path('mine').absolute()
    copy.rename(tmp_path/'moved')
    capsys.readouterr(), main(['next'])
    assert capsys.readouterr().out.endswith('in    17_tensors.ipynb, under "Your turn: rank"\ntype  dlcourse start\n')
    (tmp_path/'moved').rename(copy)
    assert last_copy() is None and main(['start', 'mine', '--no-open']) == 0 and last_copy() == copy


def test_where_nothing_is_recorded_no_copy_is_remembered(monkeypatch, tmp_path):
    monkeypatch.setenv('DLCOURSE_PROGRESS', '')
    before = set(tmp_path.rglob('*'))
    assert main(['start', 'mine', '--no-open']) == 0 and last_copy() is None
    assert {path.relative_to(tmp_path).parts[:2] for path in set(tmp_path.rglob('*')) - before} == {('here', 'mine')}


@pytest.mark.parametrize('rubbish', ['', '[]', '{}', '{"copy": 3}', '{"copy": null}', '{"copy": "\\u0000"}', '\x00'])
def test_a_damaged_note_of_the_copy_is_no_trouble(rubbish, capsys):
    progress_file().with_name('copy.json').write_text(rubbish)
    assert last_copy() is None and main(['next']) == 0 and main(['start', '--no-open']) == 0 and last_copy() == Path('dlcourse-lessons').absolute()


def test_a_note_that_cannot_be_written_stops_nothing(capsys):
    progress_file().with_name('copy.json').mkdir()
    assert main(['start', '--no-open']) == 0 and main(['next']) == 0


def test_progress_says_what_is_done_and_what_is_not(capsys):
    record('tensors', 'rank', 'done'), record('tensors', 'pick', 'wrong value'), record('tensors', 'axes', 'right'), record('old', 'gone', 'done')
    assert main(['progress']) == 0
    assert capsys.readouterr().out == ('tensors    1 of 2 exercises \u00b7 1 of 1 in the quiz \u00b7 0 of 1 in the bug lab\n           done: rank\n           wrong value: pick\n'
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


def test_watch_where_no_notebook_is_says_which_folder_and_what_to_type(capsys, tmp_path, monkeypatch):
    for words in (['watch'], ['watch', '.'], ['watch', '/']):
        assert main(words) == 1
        said = capsys.readouterr().err
        assert f'no notebook in {"/" if "/" in words else tmp_path/"here"}' in said and 'dlcourse start' in said and 'dlcourse watch' in said
    def denied(path): raise PermissionError(13, 'Permission denied', str(path))
    monkeypatch.setattr(os, 'scandir', denied), monkeypatch.setattr(os, 'listdir', denied)
    assert main(['watch', '.']) == 1
    said = capsys.readouterr().err
    assert f'{tmp_path/"here"} cannot be read: Permission denied' in said and 'Errno' not in said


def test_watch_finds_the_copy_that_is_meant(capsys, tmp_path, monkeypatch):
    main(['start', 'mine', '--no-open'])
    copy = Path('mine').absolute()
    (tmp_path/'elsewhere').mkdir()
    for place, words in ((tmp_path/'here', []), (tmp_path/'here', ['.']), (copy, []), (copy/'4_under', []), (tmp_path/'elsewhere', [])):
        monkeypatch.chdir(place)
        assert _watched(*words or [None]) == copy


def watched(monkeypatch, capsys, *saves):
    "What `dlcourse watch` prints while its checks find this, one list of verdicts or notes for each save."
    def pretend(place, tell, after, **_):
        for save in saves:
            for said in save: tell(Path('mine/4_under/17_tensors.ipynb'), said)
            after()
        raise KeyboardInterrupt
    monkeypatch.setattr('dlcourse.workbook.watch.watch_notebooks', pretend)
    if not Path('mine').exists(): main(['start', 'mine', '--no-open'])
    capsys.readouterr()
    assert main(['watch']) == 0
    return capsys.readouterr().out


def test_watch_gives_advice_for_a_terminal(monkeypatch, capsys):
    texts = ('rank: wrong value\nhint(rank) is no part of it\n\nStuck? hint(rank)', 'rank: not started\n\nWrite its body, then run the cell again. Stuck? hint(rank)', 'rank: done\n\nHow we wrote it: solution(rank)')
    said = watched(monkeypatch, capsys, [Answered('rank', 'wrong value', text) for text in texts])
    assert 'hint(rank) is no part' in said and 'Stuck? dlcourse hint rank\n' in said
    assert 'Write its body, then save again. Stuck? dlcourse hint rank\n' in said and 'How we wrote it, in the notebook: solution(rank)\n' in said


def test_watch_tells_what_is_next_only_when_it_changes(monkeypatch, capsys):
    def good(): record('tensors', 'rank', 'done'); yield Answered('rank', 'done', 'rank: done')
    def wrong(): record('tensors', 'rank', 'wrong value'); yield Answered('rank', 'wrong value', 'rank: wrong value')
    bad = Answered('pick', 'wrong value', 'pick: wrong value')
    said = watched(monkeypatch, capsys, [bad], [bad], wrong(), good(), [bad])
    assert said.count('next ') == 2 and said.index('next  exercise rank') < said.index('pick: wrong value') < said.index('rank: done') < said.index('next  question guess')
    assert 'type ' not in said


def test_watch_says_of_a_save_that_nothing_changed(monkeypatch, capsys):
    assert '17_tensors.ipynb saved, no exercise changed\n' in watched(monkeypatch, capsys, ['saved, no exercise changed'])
    assert f'Watching {Path("mine").absolute()}' in watched(monkeypatch, capsys)


def waiting(place): return _unchecked(Watch(place).seen, desk())


def test_what_was_written_before_the_watch_began_is_checked(monkeypatch, capsys):
    main(['start', 'mine', '--no-open'])
    file = Path('mine/4_under/17_tensors.ipynb')
    assert waiting(Path('mine')) == {}
    data = json.loads(file.read_text())
    for cell in data['cells']: cell['source'] = ''.join(cell['source']).replace('\n    ...', '\n    return 1')
    file.write_text(json.dumps(data))
    assert waiting(Path('mine')) == waiting(file) == {file: {'rank', 'pick'}}
    record('tensors', 'rank', 'wrong value')
    assert waiting(Path('mine')) == {file: {'pick'}}, 'checked since it was saved'
    os.utime(file, (time.time() + 60,)*2)
    assert waiting(Path('mine')) == {file: {'rank', 'pick'}}
    record('tensors', 'pick', 'done')
    assert waiting(Path('mine')) == {file: {'rank'}}, 'done stays done'
    file.write_text('{')
    assert waiting(Path('mine')) == {}


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
        assert Path('said.txt').read_text().count('next  exercise random_split of splits') == 1, 'what is next has not changed'
        assert 'Stuck? dlcourse hint rank\n' in Path('said.txt').read_text() and 'hint(' not in Path('said.txt').read_text()
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
