"The dlcourse command as a person or a script meets it: words, exit codes, files, signals."
import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from browser import chromium
from test_lessons import make_shelf, notebook

from dlcourse.workbook import cli
from dlcourse.workbook.cli import COMMANDS, main
from dlcourse.workbook.lessons import find_lessons, pick
from dlcourse.workbook.reports import lessons_text, short_times
from dlcourse.workbook.terminal import Screen, column_widths, encodable, fold, table

FIGURE = dict(what='accuracy', value=0.98311, centre=0.983, halfwidth=0.004, set='real', published='0.9828, fastbook 4', seeds=[0], ok=True)
TELL = f'import json, os\nopen(os.environ["DLCOURSE_FIGURES"], "a").write(json.dumps({FIGURE!r}) + "\\n")'
PIXEL = base64.b64encode(bytes.fromhex('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082')).decode()
posix = pytest.mark.skipif(os.name != 'posix', reason='signals of POSIX')


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    "Small lessons to run, and a folder to run them from."
    folder = tmp_path/'shelf'/'4_under'
    folder.mkdir(parents=True)
    lessons = {
        '17_good': ['# Good\n\n> It works.', '- **Time** about 1 second', '#| hide\nsecret = 1', '# ## A section\n\nWith $x^2$.', TELL, 'print("so far")', '40 + 2'],
        '18_bad': ['# Bad', '**Divide**', TELL, '#| export\nx = 0\n1 / x', '"never"'],
        '19_long': ['# Long', 'import os, time, pathlib\npathlib.Path(os.environ["PID_FILE"]).write_text(str(os.getpid()))\ntime.sleep(600)']}
    for name, cells in lessons.items(): (folder/f'{name}.ipynb').write_text(notebook(*cells))
    monkeypatch.setenv('DLCOURSE_NOTEBOOKS', str(tmp_path/'shelf'))
    monkeypatch.setenv('PID_FILE', str(tmp_path/'pid'))
    (tmp_path/'here').mkdir()
    monkeypatch.chdir(tmp_path/'here')
    return tmp_path/'shelf'


def dlcourse(*words, **settings):
    "Run the command in a process of its own."
    return subprocess.run([sys.executable, '-m', 'dlcourse', *words], capture_output=True, text=True, encoding='utf-8', env={**os.environ, **settings}, timeout=120)


# Light

HEAVY = {'torch', 'numpy', 'matplotlib', 'pandas', 'nbclient', 'nbformat', 'nbconvert', 'IPython', 'ipywidgets', 'requests', 'tqdm', 'zmq'}
HELPS = [[], *([c.name, *inner] for c in COMMANDS for inner in ([[]] + [[x.name] for x in c.inner]))]


@pytest.mark.parametrize('words', [*[[*h, '--help'] for h in HELPS], ['lessons'], ['--version'], ['start', 'mine', '--no-open'], ['data', 'path']], ids=' '.join)
def test_light_commands_import_nothing_heavy(shelf, words):
    code = f'import sys; from dlcourse.workbook.cli import main\ntry: main({words!r})\nexcept SystemExit as e: assert not e.code\nprint("HEAVY", sorted({HEAVY!r} & set(sys.modules)))'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == 'HEAVY []', done


@pytest.mark.parametrize('words', HELPS, ids=lambda words: ' '.join(words) or 'dlcourse')
def test_help_has_examples_exit_codes_and_fits(words, capsys):
    with pytest.raises(SystemExit) as end: main([*words, '--help'])
    text = capsys.readouterr().out
    assert end.value.code == 0 and 'examples:\n' in text and '130 interrupted' in text
    assert max(map(len, text.splitlines())) <= 100


def test_examples_in_the_help_are_understood():
    for command in (*COMMANDS, *(inner for c in COMMANDS for inner in c.inner)):
        for line in command.examples.splitlines(): assert cli.build_parser().parse_args(line.split()[1:]).run, line


def test_version_and_python_m():
    from dlcourse import __version__
    assert dlcourse('--version').stdout == f'dlcourse {__version__}\n'


# Exit codes and errors

@pytest.mark.parametrize('words, code, says', [
    (['run', 'goof'], 2, 'Did you mean good?'), (['data', 'get', 'mnist_samples'], 2, 'Did you mean mnist_sample'), (['run'], 2, 'LESSON'),
    (['jump'], 2, 'invalid choice'), (['run', 'good', '--timeout', '-1'], 2, 'seconds above zero'), (['run', 'good', '--timeout', 'nan'], 2, 'seconds above zero'), (['data', 'path', 'pets'], 1, 'dlcourse data get PETS'),
    (['data', 'verify'], 1, 'dlcourse data get')])
def test_errors_are_one_paragraph_on_stderr(shelf, words, code, says):
    done = dlcourse(*words)
    assert (done.returncode, done.stdout) == (code, '') and says in done.stderr
    assert 'Traceback' not in done.stderr and '\n\n' not in done.stderr.strip()


def test_debug_shows_the_traceback(shelf):
    for words in (['--debug', 'run', 'goof'], ['run', 'goof', '--debug']): assert 'Traceback' in dlcourse(*words).stderr


def test_a_fault_of_ours_is_called_one(monkeypatch, capsys):
    monkeypatch.setattr(cli, 'find_lessons', lambda **_: {}[0])
    assert main(['lessons']) == 1
    assert 'fault in dlcourse' in capsys.readouterr().err


def test_a_closed_pipe_is_no_error(shelf):
    done = subprocess.run(f'"{sys.executable}" -m dlcourse lessons --json | head -n 1', shell=True, capture_output=True, text=True)
    assert done.stdout == '[\n' and done.stderr == ''


@posix
@pytest.mark.parametrize('words, code', [('lessons >&-', 0), ('--help >&-', 0), ('lessons >&- 2>&-', 0), ('run goof 2>&-', 2)])
def test_a_closed_stream_is_no_error(shelf, words, code):
    done = subprocess.run(f'"{sys.executable}" -m dlcourse {words}', shell=True, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (code, '', '')


# lessons

def test_lessons_in_a_pipe(shelf):
    lines = dlcourse('lessons').stdout.splitlines()
    assert lines[2] == 'Lesson 4 \u00b7 Under' and lines[3].split()[:3] == ['17', 'good', 'Good'] and lines[3].endswith('  1 s')
    assert '\x1b' not in ''.join(lines)


def test_lessons_as_json(shelf):
    first = json.loads(dlcourse('lessons', '--json').stdout)[0]
    assert (first['name'], first['title'], first['time'], first['module']) == ('good', 'Good', 'about 1 second', None)


def test_a_console_without_our_signs(shelf):
    done = dlcourse('lessons', PYTHONIOENCODING='ascii', PYTHONUTF8='0')
    assert done.returncode == 0 and 'Lesson 4 - Under' in done.stdout


@pytest.mark.parametrize('said, short', [
    ("about 1 minute to run on a laptop's CPU, two hours to work through with its exercises", ('1 min', '2 h')), ("under 1 minute to run on a laptop's CPU, an hour and a half to work through", ('< 1 min', '1.5 h')),
    ("less than half a minute to run on a laptop's CPU, three hours to work through", ('< 30 s', '3 h')), ("about 45 seconds to run, half an hour to work through", ('45 s', '30 min')), ('about 2 minutes on a laptop', ('2 min', '')),
    ("about 20 minutes to run on a GPU, two and a half hours to work through", ('20 min', '2.5 h')), ('', ('', '')), ('a while', ('a while', '')), ("an afternoon to run on a laptop's CPU", ('an afternoon', ''))])
def test_a_time_is_short_in_the_table(said, short): assert short_times(said) == short


def test_every_lessons_time_is_understood():
    for lesson in find_lessons(): assert all(re.fullmatch(r'(< )?[\d.]+ (s|min|h)', part) for part in short_times(lesson.time)), lesson.time


@pytest.mark.parametrize('width', [40, 60, 80, 120])
def test_the_table_of_lessons_fits_and_keeps_its_times_in_line(width):
    lessons = find_lessons()
    text = lessons_text(lessons, Screen(width))
    assert max(map(len, text.splitlines())) <= width
    rows = [line for line in text.splitlines() if re.match(r'\d+ ', line)]
    assert len(rows) == len(lessons) and all(re.search(r'(min| s)\s+[\d.]+ h\b', line) for line in rows)
    assert all(word in text for lesson in lessons for word in lesson.title.split())


@pytest.mark.parametrize('columns', [40, 60, 80])
@pytest.mark.parametrize('words', HELPS, ids=lambda words: ' '.join(words) or 'dlcourse')
def test_help_fits_a_narrow_window(words, columns, monkeypatch, capsys):
    monkeypatch.setattr(cli, 'screen', lambda stream: Screen(columns))
    with pytest.raises(SystemExit): main([*words, '--help'])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > columns and len(line.split()) > 1] == []


# start

def test_start_copies_and_never_overwrites(shelf):
    assert '3 new' in dlcourse('start', '--no-open').stdout
    work = Path('dlcourse-lessons')/'4_under'/'17_good.ipynb'
    work.write_text('work')
    (shelf/'4_under'/'17_good.ipynb').write_text(notebook('# Better'))
    text = dlcourse('start', '--no-open').stdout
    assert work.read_text() == 'work' and '17_good.new.ipynb' in text and '2 unchanged' in text


def test_start_where_nothing_can_be_written_says_what_to_do(shelf, monkeypatch, capsys):
    monkeypatch.setattr(os, 'access', lambda *_: False)
    assert main(['start', '--no-open']) == 1
    assert 'dlcourse start FOLDER' in capsys.readouterr().err and not Path('dlcourse-lessons').exists()


def test_start_with_one_file_that_may_not_be_written_says_what_to_do(shelf, monkeypatch, capsys):
    def denied(*_): raise PermissionError(13, 'Permission denied', 'dlcourse-lessons/4_under')
    monkeypatch.setattr(cli, 'copy_lessons', denied)
    assert main(['start', '--no-open']) == 1
    assert 'dlcourse start FOLDER' in capsys.readouterr().err


@pytest.mark.parametrize('words', ['note.txt', 'note.txt/inside', 'x'*300, os.path.join('x'*300, 'y')], ids=['a file', 'in a file', 'too long', 'in too long'])
def test_start_where_no_folder_can_be_says_what_to_do(shelf, words, capsys):
    Path('note.txt').write_text('mine')
    assert main(['start', words, '--no-open']) == 1
    said = capsys.readouterr().err
    assert 'Errno' not in said and 'dlcourse start FOLDER' in said and words in said and Path('note.txt').read_text() == 'mine'


@posix
def test_start_in_a_folder_that_takes_no_files_says_so(shelf, monkeypatch, capsys):
    def denied(*_): raise FileNotFoundError(2, 'No such file or directory', '/proc/mine')
    monkeypatch.setattr(cli, 'copy_lessons', denied)
    assert main(['start', 'mine', '--no-open']) == 1
    said = capsys.readouterr().err
    assert 'mine cannot be made: No such file or directory' in said and 'dlcourse start FOLDER' in said and 'Errno' not in said


def test_start_without_jupyterlab_says_how_to_get_it(shelf, monkeypatch, capsys):
    monkeypatch.setattr(cli, 'find_spec', lambda name: None)
    assert main(['start', 'mine']) == 1
    assert 'pip install "dlcourse[lab]"' in capsys.readouterr().err and Path('mine/4_under/17_good.ipynb').exists()


def test_start_opens_the_copy_and_leaves_ctrl_c_to_jupyterlab(shelf, monkeypatch):
    class Lab:
        waits = iter([KeyboardInterrupt, KeyboardInterrupt, 0])
        def __init__(self, words):
            assert words[1:3] == ['-m', 'jupyterlab'] and words[3] == f'--ServerApp.root_dir={Path("mine").resolve()}'
            assert words[4] == '--LabApp.default_url=/lab/tree/4_under/17_good.ipynb'
            assert ('--allow-root' in words) == (os.geteuid() == 0)
        def wait(self):
            if (answer := next(self.waits)) is KeyboardInterrupt: raise answer
            return answer
    monkeypatch.setattr(cli, 'find_spec', lambda name: True)
    monkeypatch.setattr(cli.subprocess, 'Popen', Lab)
    assert main(['start', 'mine']) == 0


def test_start_takes_no_lesson_for_a_folder(shelf, capsys):
    assert main(['start', 'good']) == 2 and not Path('good').exists()
    assert 'good is a lesson' in capsys.readouterr().err


# run

def test_a_run_writes_a_page_and_tells_its_figures(shelf):
    done = dlcourse('run', 'good')
    assert done.returncode == 0, done.stderr
    head, row = done.stdout.splitlines()[:2]
    assert head.split() == ['what', 'ours', 'expected', 'published', 'set', 'in', 'band']
    assert re.split(' {2,}', row) == ['accuracy', '0.9831', '0.9830 \u00b1 0.0040', '0.9828, fastbook 4', 'real', 'yes']
    assert '1 of 1 figures in their band' in done.stdout and 'dlcourse run bad' in done.stdout and 'dlcourse start' in done.stdout
    assert sorted(p.name for p in Path('runs').iterdir()) == ['17_good.html', '17_good.ipynb']
    assert nbformat.read('runs/17_good.ipynb', 4).cells[-1].outputs[0].data['text/plain'] == '42'


def test_the_page_is_whole_by_itself(shelf):
    assert main(['run', 'good', '--out', 'pages']) == 0
    html = Path('pages/17_good.html').read_text(encoding='utf-8')
    assert '<msup>' in html and '$x^2$' not in html and 'secret' not in html and '0.9831' in html
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', html) and 'cdn' not in html.lower()


def test_a_failing_cell_is_shown_and_the_page_is_still_written(shelf):
    done = dlcourse('run', '18')
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    assert 'Stopped at "Bad"' in done.stderr and '    1 / x' in done.stderr and 'ZeroDivisionError: division by zero' in done.stderr
    assert '0.9831' in done.stdout and 'page ' in done.stdout and 'next' not in done.stdout
    html = Path('runs/18_bad.html').read_text(encoding='utf-8')
    assert 'id="stopped"' in html and 'ZeroDivisionError' in html
    assert nbformat.read('runs/18_bad.ipynb', 4).cells[-1].outputs == []


def test_a_cell_that_takes_too_long(shelf):
    done = dlcourse('run', 'long', '--timeout', '1')
    assert done.returncode == 1 and 'longer than 1 seconds' in done.stderr and '--timeout 2' in done.stderr
    assert gone(int(Path(os.environ['PID_FILE']).read_text()))


def test_a_notebook_of_ones_own(shelf):
    Path('01_mine.ipynb').write_text(notebook('# Mine', 'import os\nassert os.environ["DLCOURSE_OFFLINE"] == "1"'))
    assert main(['run', '01_mine.ipynb', '--offline']) == 0
    assert Path('runs/01_mine.html').exists()


def test_a_run_never_replaces_its_own_source(shelf, capsys):
    Path('01_mine.ipynb').write_text(mine := notebook('# Mine', '40 + 2'))
    assert main(['run', '01_mine.ipynb', '--out', '.']) == 2
    assert '--out runs' in capsys.readouterr().err and Path('01_mine.ipynb').read_text() == mine and not Path('01_mine.html').exists()
    assert main(['run', '01_mine.ipynb']) == 0
    assert main(['run', 'runs/01_mine.ipynb']) == 2
    assert '--out runs-2' in capsys.readouterr().err


def test_a_run_never_replaces_a_learners_work(shelf, capsys):
    main(['start', 'copy', '--no-open'])
    for ending in ('.ipynb', '.html'):
        (work := Path('copy/4_under/17_good').with_suffix(ending)).write_text('work')
        assert main(['run', 'good', '--out', 'copy/4_under']) == 2
        assert f'17_good{ending}' in capsys.readouterr().err and work.read_text() == 'work'
        work.unlink()


def test_a_run_of_ones_own_copy_leaves_the_courses_run_alone(shelf, capsys):
    main(['start', 'copy', '--no-open'])
    assert main(['run', 'good']) == 0
    course = Path('runs/17_good.ipynb').read_bytes()
    mine = Path('copy/4_under/17_good.ipynb')
    mine.write_text(mine.read_text(encoding='utf-8').replace('40 + 2', '40 + 3'), encoding='utf-8')
    capsys.readouterr()
    assert main(['run', str(mine)]) == 0
    assert str(Path('runs/17_good-mine.html')) in capsys.readouterr().out
    assert Path('runs/17_good.ipynb').read_bytes() == course and '43' in Path('runs/17_good-mine.ipynb').read_text(encoding='utf-8')
    assert main(['run', 'runs/17_good-mine.ipynb']) == 2


def test_a_run_replaces_an_earlier_run_unless_it_was_changed(shelf, capsys):
    assert main(['run', 'good']) == main(['run', 'good']) == 0
    page = Path('runs/17_good.ipynb')
    page.write_text(page.read_text(encoding='utf-8').replace('40 + 2', '40 + 3'), encoding='utf-8')
    assert main(['run', 'good']) == 2 and '40 + 3' in page.read_text(encoding='utf-8')


def test_a_notebook_of_ones_own_works_beside_its_files(shelf):
    Path('own').mkdir()
    Path('own/table.csv').write_text('1,2')
    Path('own/01_mine.ipynb').write_text(notebook('# Mine', 'from pathlib import Path\nPath("made.txt").write_text(Path("table.csv").read_text())'))
    assert main(['run', 'own/01_mine.ipynb']) == 0
    assert sorted(p.name for p in Path('own').iterdir()) == ['01_mine.ipynb', 'made.txt', 'table.csv']


def test_a_lesson_leaves_nothing_beside_itself(shelf):
    (shelf/'4_under'/'20_writes.ipynb').write_text(notebook('# Writes', 'open("made.txt", "w").close()'))
    assert main(['run', 'writes']) == main(['run', str(shelf/'4_under'/'20_writes.ipynb'), '--out', 'again']) == 0
    assert not list(shelf.rglob('made.txt')) and not Path('made.txt').exists()


def test_places_in_settings_mean_the_same_in_a_run(shelf, monkeypatch):
    monkeypatch.setenv('DLCOURSE_MIRROR', os.pathsep.join(['sets', 'http://127.0.0.1:9/x']))
    monkeypatch.setenv('DLCOURSE_HOME', 'cache')
    (shelf/'4_under'/'20_where.ipynb').write_text(notebook('# Where', 'import os\nprint([os.environ[n] for n in ("DLCOURSE_MIRROR", "DLCOURSE_HOME")])'))
    assert main(['run', 'where']) == 0
    told = nbformat.read('runs/20_where.ipynb', 4).cells[-1].outputs[0].text
    assert eval(told) == [os.pathsep.join([str(Path('sets').absolute()), 'http://127.0.0.1:9/x']), str(Path('cache').absolute())]


@pytest.mark.parametrize('timeout, code', [('inf', 0), ('2.5', 0), ('1e300', 0), ('0.001', 0)])
def test_any_number_of_seconds_is_understood(shelf, timeout, code):
    assert main(['run', 'good', '--timeout', timeout]) == code


def test_a_figure_that_is_none_does_not_cost_the_report(shelf, capsys):
    junk = 'import os\nopen(os.environ["DLCOURSE_FIGURES"], "a").write("3\\n[1]\\nnull\\n")'
    (shelf/'4_under'/'20_junk.ipynb').write_text(notebook('# Junk', junk, TELL))
    assert main(['run', 'junk']) == 0
    assert '1 of 1 figures' in capsys.readouterr().out


def test_a_place_that_cannot_be_written_to_is_told_before_the_run(shelf):
    Path('runs').write_text('a file')
    done = dlcourse('run', 'long')
    assert done.returncode == 1 and '--out' in done.stderr and not Path(os.environ['PID_FILE']).exists()


def gone(pid, seconds=10):
    "Does this process end within so many seconds? A dead process that nobody waited for has ended too."
    for _ in range(seconds * 10):
        try: os.kill(pid, 0)
        except ProcessLookupError: return True
        stat = Path(f'/proc/{pid}/stat')
        if stat.exists() and stat.read_text().rpartition(')')[2].split()[0] == 'Z': return True
        time.sleep(0.1)
    return False


def start_long(**more):
    "Start the endless lesson and wait until its kernel runs. Returns the process and the kernel's id."
    process = subprocess.Popen([sys.executable, '-m', 'dlcourse', 'run', 'long'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    file = Path(os.environ['PID_FILE'])
    for _ in range(600):
        if file.exists() and file.read_text(): return process, int(file.read_text())
        time.sleep(0.1)
    pytest.fail(f'the kernel did not start: {process.communicate(timeout=5)}')


@posix
def test_ctrl_c_ends_the_kernel_and_writes_nothing(shelf):
    process, kernel = start_long()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130 and out == ''
    assert err.splitlines()[-1] == 'Interrupted: the kernel was stopped and nothing was written.' and 'Traceback' not in err
    assert gone(kernel, 1) and list(Path().iterdir()) == []


@posix
def test_ctrl_c_twice_in_a_hurry(shelf):
    process, kernel = start_long()
    for _ in range(3): process.send_signal(signal.SIGINT); time.sleep(0.05)
    process.communicate(timeout=30)
    assert gone(kernel) and list(Path().iterdir()) == []


@posix
@pytest.mark.parametrize('wait', [0, 0.4, 0.8])
def test_ctrl_c_while_the_kernel_starts(shelf, wait):
    process = subprocess.Popen([sys.executable, '-m', 'dlcourse', 'run', 'long'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline().startswith('Long')
    time.sleep(wait)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130 and 'Traceback' not in err and list(Path().iterdir()) == []
    file = Path(os.environ['PID_FILE'])
    assert not file.exists() or gone(int(file.read_text()))


@posix
@pytest.mark.skipif(not Path('/proc').exists(), reason='the kernel notices within a second, and how a test sees it differs')
def test_killed_outright_the_kernel_ends_by_itself(shelf):
    process, kernel = start_long()
    process.kill()
    process.communicate()
    assert gone(kernel) and list(Path().iterdir()) == []


# data

def test_data_from_list_to_verify(shelf, monkeypatch, capsys):
    monkeypatch.setenv('DLCOURSE_OFFLINE', '1')
    monkeypatch.delenv('DLCOURSE_MIRROR', raising=False)
    assert main(['data', 'list']) == 0 and 'MNIST_SAMPLE' in capsys.readouterr().out
    assert main(['data', 'get', 'human-numbers', '--standin']) == 0 and 'stand-in' in capsys.readouterr().out
    assert main(['data', 'path', 'human_numbers']) == 0
    path = Path(capsys.readouterr().out.strip())
    assert main(['data', 'verify']) == 0 and capsys.readouterr().out.startswith('ok')
    next(p for p in path.rglob('*') if p.is_file()).write_text('damaged')
    assert main(['data', 'verify', 'HUMAN_NUMBERS']) == 1
    assert 'dlcourse data get HUMAN_NUMBERS --again' in capsys.readouterr().out
    assert main(['data', 'get', 'human_numbers', '--real']) == 1
    err = capsys.readouterr().err
    assert 'could not be had' in err and 'fault in dlcourse' not in err


def test_a_stand_in_is_never_taken_for_the_set(shelf):
    for settings, mend in (({'DLCOURSE_OFFLINE': '1'}, 'unset DLCOURSE_OFFLINE'), ({'DLCOURSE_OFFLINE': '', 'https_proxy': 'http://127.0.0.1:9'}, 'connect to the network')):
        done = dlcourse('data', 'get', 'human_numbers', DLCOURSE_MIRROR='', **settings)
        assert done.returncode == 3 and 'HUMAN_NUMBERS  stand-in' in done.stdout
        assert 'only a stand-in was placed' in done.stderr and mend in done.stderr and 'dlcourse data get human_numbers' in done.stderr


def test_a_set_that_cannot_be_had_is_no_fault_of_ours(shelf, monkeypatch, capsys):
    monkeypatch.setenv('DLCOURSE_OFFLINE', '1')
    monkeypatch.setenv('DLCOURSE_MIRROR', '')
    assert main(['data', 'get', 'pascal_2007', '--real']) == 1
    err = capsys.readouterr().err
    assert 'PASCAL_2007' in err and 'fault in dlcourse' not in err


# Text for a window, a pipe and an old console

def test_tables_fit_a_window_and_are_whole_in_a_pipe():
    rows = [['what', 'ours', 'published'], ['accuracy of a small network on threes and sevens', '0.9831', '0.9828, fastbook chapter 4']]
    assert len(table(rows, Screen()).splitlines()) == 2
    for width in (40, 60, 79): assert max(map(len, table(rows, Screen(width)).splitlines())) <= width
    assert sum(column_widths(rows, 40)) + 4 <= 40


def test_folding_keeps_words_and_lines():
    assert fold('a bb ccc\ndddd', Screen(0)) == 'a bb ccc\ndddd'
    assert all(len(line) < 30 for line in fold('word ' * 40, Screen(30)).splitlines())


@pytest.mark.parametrize('encoding', ['ascii', 'cp1252', 'cp437', 'utf-8'])
def test_every_sign_we_print_has_a_spelling(encoding):
    encodable('\u00b1 \u00b7 \u2026 \u2014 \u2192 \u732b', encoding).encode(encoding)


@posix
def test_in_a_window_a_bar_moves_and_goes(shelf):
    import pty
    reader, writer = pty.openpty()
    process = subprocess.Popen([sys.executable, '-m', 'dlcourse', 'run', 'good'], stdout=writer, stderr=writer, env={**os.environ, 'TERM': 'xterm', 'COLUMNS': '90'})
    os.close(writer)
    text = b''
    while True:
        try: piece = os.read(reader, 4096)
        except OSError: break
        if not piece: break
        text += piece
    assert process.wait() == 0
    words = text.decode()
    assert '/4 [' in words and 'so far' in words and '\x1b[' in words
    assert '/4 [' not in words.replace('\r\n', '\n').split('\n')[-6]


def test_no_color_is_honoured(monkeypatch):
    from dlcourse.workbook.terminal import screen
    class Window:
        encoding = 'utf-8'
        def isatty(self): return True
    monkeypatch.setenv('TERM', 'xterm')
    monkeypatch.delenv('NO_COLOR', raising=False)
    assert screen(Window()).colour
    monkeypatch.setenv('NO_COLOR', '1')
    assert not screen(Window()).colour


# The page in a browser

def test_the_page_in_a_browser_asks_for_nothing_and_reads_in_light_and_dark(shelf):
    picture = f'import base64\nfrom IPython.display import Image, display\ndisplay(Image(base64.b64decode("{PIXEL}"), metadata=dict(alt="one pixel")))'
    tries = 'from IPython.display import HTML\nHTML("<img alt=x src=http://127.0.0.1:9/x.png><script>fetch(\'http://127.0.0.1:9/\')</script>")'
    (shelf/'4_under'/'20_page.ipynb').write_text(notebook('# About $x$\n\n$$\\frac{1}{1 + e^{-x}}$$', picture, 'print("x" * 400)', '1 / 2'))
    (shelf/'4_under'/'21_nosy.ipynb').write_text(notebook('# Nosy', tries))
    assert main(['run', 'page']) == main(['run', 'nosy']) == 0
    with chromium() as browser:
        for scheme in ('light', 'dark'):
            page, asked, said = browser.new_context(color_scheme=scheme, viewport={'width': 390, 'height': 800}).new_page(), [], []
            page.on('request', lambda r, asked=asked: asked.append(r.url))
            page.on('console', lambda m, said=said: said.append(m.text))
            page.goto(Path('runs/20_page.html').resolve().as_uri())
            ink, paper = page.evaluate('[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]')
            assert (light(ink) > light(paper)) == (scheme == 'dark') and abs(light(ink) - light(paper)) > 150
            assert page.evaluate('document.documentElement.scrollWidth') == 390
            assert page.locator('mfrac').bounding_box()['height'] > 20 and page.locator('h1 math').count() == 1
            assert page.locator('img').get_attribute('alt') == 'one pixel'
            assert said == [] and [url for url in asked if not url.startswith(('file:', 'data:'))] == []
        page.goto(Path('runs/21_nosy.html').resolve().as_uri())
        page.wait_for_timeout(200)
        assert any('Content Security Policy' in text for text in said)
        assert all(url.startswith(('file:', 'data:', 'http://127.0.0.1:9/')) for url in asked)
        browser.close()


def light(colour): return sum(map(float, re.findall(r'[\d.]+', colour)[:3])) / 3


def test_names_on_the_shelf_do_not_hide_each_other(tmp_path):
    from dlcourse.workbook.lessons import find_lessons
    lessons = find_lessons(make_shelf(tmp_path), workshop=True)
    assert len({pick(f'{x.folder}/{x.name}', lessons).path for x in lessons}) == len(lessons)


def test_a_page_that_cannot_be_made_does_not_cost_the_notebook(shelf, monkeypatch, capsys):
    from dlcourse.workbook import page
    def missing(*_): raise ValueError("No template sub-directory with name 'lab' found")
    monkeypatch.setattr(page, 'page', missing)
    assert main(['run', 'good']) == 1
    assert 'pip install --force-reinstall nbconvert' in capsys.readouterr().err
    assert [p.name for p in Path('runs').iterdir()] == ['17_good.ipynb']
