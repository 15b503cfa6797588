"The record of progress: several writers, kills, files that are damaged or somebody else's, and moving it about."
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from dlcourse.workbook import progress
from dlcourse.workbook.cli import main
from dlcourse.workbook.progress import (
    ANSWERED,
    CHECKED,
    HELPED,
    BadRecord,
    DamagedRecord,
    Event,
    as_json,
    from_json,
    import_progress,
    new_event,
    opened,
    progress_file,
    read_events,
    record,
    reset_progress,
    set_aside,
    standing,
    standings,
)

posix = pytest.mark.skipif(os.name != 'posix', reason='signals of POSIX')
STORM = '''
import sys
from dlcourse.workbook.progress import record
sys.stdin.readline()
n = 0
while n < {most}:
    assert record('storm', '{name}', 'hint')
    n += 1
    print(n, flush=True)
'''


@pytest.fixture(autouse=True)
def fresh():
    "What was said in an earlier test may be said again."
    progress._told.clear()


def storm(name, most):
    "A process that records as fast as it can, once it is told to begin; it prints how often it has."
    return subprocess.Popen([sys.executable, '-c', STORM.format(name=name, most=most)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def begin(*processes):
    for process in processes: process.stdin.write('\n'); process.stdin.flush()


def whole(path):
    "Is nothing in the file damaged?"
    with closing(sqlite3.connect(path)) as db: return db.execute('PRAGMA integrity_check').fetchone() == ('ok',)


def hints(name): return standing()['storm', name].hints


# ---- several at once, and kills ----

@pytest.mark.parametrize('number', [2, 8])
def test_several_processes_lose_nothing(number):
    "They begin together on a file that is not there yet, so its making is part of the race."
    writers = [storm(f'w{n}', 40) for n in range(number)]
    begin(*writers)
    for writer in writers: assert writer.communicate(timeout=120)[1] == '' and writer.returncode == 0
    assert [hints(f'w{n}') for n in range(number)] == [40]*number and whole(progress_file())


def test_several_threads_lose_nothing():
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(8) as pool: assert all(pool.map(lambda n: record('storm', str(n % 8), 'hint'), range(80)))
    assert len(read_events(progress_file())) == 80


@posix
@pytest.mark.parametrize('seed', range(4))
def test_killed_in_the_middle_nothing_is_lost_or_damaged(seed):
    "What a writer had said was kept is there; another one goes on meanwhile; the next finds no lock."
    victim, other = storm('victim', 10**6), storm('other', 150)
    begin(victim, other)
    victim.stdout.readline()
    time.sleep(random.Random(seed).uniform(0, 0.3))
    victim.kill()
    kept = 1 + len(victim.communicate(timeout=60)[0].splitlines())
    assert other.communicate(timeout=60)[1] == '' and other.returncode == 0
    assert hints('victim') in (kept, kept + 1) and hints('other') == 150  # one row may have been kept and not yet told
    assert whole(progress_file()) and record('storm', 'after', 'hint') and hints('after') == 1


@posix
def test_killed_while_the_file_is_made():
    "A process that holds the lock on a new file and is killed leaves a file that the next one can use."
    code = 'import os, signal, sys\nfrom dlcourse.workbook.progress import opened, progress_file\nwith opened(progress_file()) as db: os.kill(os.getpid(), signal.SIGKILL)'
    assert subprocess.run([sys.executable, '-c', code]).returncode == -signal.SIGKILL
    assert progress_file().exists() and standing() == {}
    assert record('a', 'b', 'done') and standing()['a', 'b'].best == 'done' and whole(progress_file())


@posix
def test_a_forked_child_that_is_killed_holds_nothing():
    record('a', 'b', 'wrong shape')
    child = os.fork()
    if not child:
        with opened(progress_file()): os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert record('a', 'b', 'done')


def test_a_writer_that_holds_the_file_is_waited_for_then_named(monkeypatch, capsys):
    record('a', 'b', 'done')
    monkeypatch.setattr(progress, 'PATIENCE', 0.2)
    with closing(sqlite3.connect(progress_file(), isolation_level=None)) as db:
        assert db.execute('PRAGMA journal_mode').fetchone() == ('wal',)
        db.execute('BEGIN IMMEDIATE')
        assert not record('a', 'b', 'done') and standing()['a', 'b'].tries == 1  # readers need not wait
        db.execute('ROLLBACK')
    assert 'held by another program' in capsys.readouterr().err
    assert record('a', 'b', 'done')


# ---- files that cannot be used ----

def only_line(capsys):
    "The one line on standard error."
    [line] = capsys.readouterr().err.splitlines()
    return line


def test_a_file_of_rubbish_stays_and_is_told_once(capsys):
    progress_file().write_bytes(junk := b'not a database, and long enough to be one' * 100)
    assert not record('a', 'b', 'done') and not record('a', 'b', 'done') and standing() == {}
    assert 'damaged' in (line := only_line(capsys)) and 'dlcourse progress reset' in line
    assert progress_file().read_bytes() == junk
    with pytest.raises(DamagedRecord): read_events(progress_file())


def damage(path, at=0.5):
    "Write noise over a page in the middle of a record. Returns how many rows it had."
    with opened(path) as db: db.executemany('INSERT INTO events VALUES (?, ?, ?, ?, ?)', [new_event('a', f'item-{n}', 'done') for n in range(500)])
    with closing(sqlite3.connect(path)) as db: db.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    data = bytearray(path.read_bytes())
    place = int(len(data)*at)//4096*4096
    data[place:place + 4096] = random.Random(0).randbytes(4096)
    path.write_bytes(data)
    return 500


@pytest.mark.parametrize('at', [0.3, 0.5, 0.8])
def test_a_damaged_page_costs_few_rows_and_no_file(at):
    damage(path := progress_file(), at)
    before = path.read_bytes()
    number, backup, aside = set_aside(path)
    assert 250 < number <= 500 and aside.read_bytes() == before and not path.exists()
    assert import_progress(backup.read_text()) == number and len(standing()) == number


@pytest.mark.parametrize('words, wrong', [('CREATE TABLE photos (name)', 'another program'), ('PRAGMA application_id=7', 'another program'),
                                          (f'PRAGMA application_id={progress.MARK}; CREATE TABLE events (x); PRAGMA user_version=2', 'pip install --upgrade'),
                                          (f'PRAGMA application_id={progress.MARK}; CREATE TABLE events (x)', 'Export it')])
def test_a_file_of_another_program_or_version_is_left_alone(words, wrong, capsys):
    with closing(sqlite3.connect(progress_file())) as db: db.executescript(words)
    before = progress_file().read_bytes()
    assert not record('a', 'b', 'done') and wrong in only_line(capsys)
    assert main(['progress', 'reset', '--yes']) == 1 and wrong in capsys.readouterr().err
    assert progress_file().read_bytes() == before


@pytest.mark.parametrize('place', ['folder', 'under a file', 'no name'])
def test_a_place_that_is_no_file_is_told(place, tmp_path, monkeypatch, capsys):
    (tmp_path/'folder').mkdir()
    (tmp_path/'file').write_text('x')
    monkeypatch.setenv('DLCOURSE_PROGRESS', str({'folder': tmp_path/'folder', 'under a file': tmp_path/'file'/'progress.sqlite', 'no name': tmp_path/('x'*300)}[place]))
    assert not record('a', 'b', 'done')
    assert 'DLCOURSE_PROGRESS=FILE' in only_line(capsys)


def as_nobody():
    "Give up the administrator's rights, for whom no folder is read-only."
    if os.geteuid() == 0: os.setgid(65534), os.setuid(65534)


@posix
def test_a_read_only_folder_is_read_and_not_written(tmp_path_factory):
    record('a', 'b', 'done')
    with closing(sqlite3.connect(progress_file())) as db: db.execute('PRAGMA journal_mode'), db.execute('SELECT * FROM events').fetchall()
    folder = progress_file().parent
    told = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.chmod(progress_file(), 0o444), os.chmod(folder, 0o555)
            for parent in folder.parents:
                if parent.stat().st_uid == os.geteuid() and parent != Path(parent.anchor): os.chmod(parent, parent.stat().st_mode | 0o055)
            as_nobody()
            os.write(told[1], json.dumps([standing()['a', 'b'].best, record('a', 'b', 'wrong shape'), len(read_events(progress_file()))]).encode())
        finally: os._exit(0)
    os.waitpid(child, 0)
    os.chmod(folder, 0o755)
    os.close(told[1])
    assert json.loads(os.read(told[0], 1000)) == ['done', False, 1]


def test_nothing_is_recorded_where_that_is_asked_for(monkeypatch, capsys):
    monkeypatch.setenv('DLCOURSE_PROGRESS', '')
    assert not record('a', 'b', 'done') and standing() == {} and capsys.readouterr() == ('', '')
    with pytest.raises(BadRecord, match='DLCOURSE_PROGRESS is empty'): import_progress(as_json([new_event('a', 'b', 'done')]))


def test_reading_makes_no_file():
    assert standing() == {} and not progress_file().exists()


# ---- what the rows say ----

def test_done_stays_done_and_a_stub_is_no_try():
    for outcome in (*CHECKED, 'wrong value', 'hint', 'not started', 'solution'): record('a', 'b', outcome)
    now = standing()['a', 'b']
    assert (now.best, now.last, now.tries, now.hints) == ('done', 'not started', 4, 1)
    for outcome in ANSWERED[::-1]: record('a', 'c', outcome)
    assert standing()['a', 'c'].best == 'right' and standing()['a', 'c'].last == 'wrong'
    record('a', 'd', HELPED[0])
    assert standing()['a', 'd'].best == ''


# ---- export, import, reset ----

def filled(*rows):
    "Record some rows; by default of two lessons."
    for row in rows or [('tensors', 'rank', 'wrong value'), ('tensors', 'rank', 'done'), ('sgd', 'one_epoch', 'hint'), ('sgd', 'q', 'right')]: record(*row)
    return read_events(progress_file())


def test_export_and_import_are_each_others_opposite(tmp_path, monkeypatch):
    rows = filled()
    monkeypatch.setenv('DLCOURSE_PROGRESS', str(tmp_path/'new'/'other.sqlite'))
    mine = filled(('sgd', 'one_epoch', 'done'))
    assert import_progress(as_json(rows)) == 4 and import_progress(as_json(rows)) == 0
    assert read_events(progress_file()) == sorted([*rows, *mine], key=lambda row: row.at)
    assert standing()['sgd', 'one_epoch'].best == 'done' and standing()['sgd', 'one_epoch'].hints == 1


GOOD = Event('0'*32, '2026-01-01T00:00:00+00:00', 'a', 'b', 'done')


@pytest.mark.parametrize('change', [dict(id='x'), dict(id=3), dict(at='soon'), dict(at=None), dict(lesson=''), dict(item=['b']), dict(outcome='perfect'), dict(more=1)], ids=str)
def test_one_bad_row_and_nothing_is_imported(change):
    data = {'dlcourse': 'progress', 'version': 1, 'events': [GOOD._asdict(), {**GOOD._asdict(), **change}]}
    with pytest.raises(BadRecord, match='Nothing was imported'): import_progress(json.dumps(data))
    assert not progress_file().exists()


@pytest.mark.parametrize('text', ['', '{', 'null', '3', '[]', '{}', '{"cells": []}', '{"dlcourse": "progress", "version": 1, "events": 3}', '['*100000, '{"dlcourse": "progress", "version": 1}'], ids=lambda text: text[:30])
def test_a_foreign_file_is_refused(text):
    with pytest.raises(BadRecord, match='not what `dlcourse progress export` writes'): from_json(text)


def test_an_export_of_another_version_is_refused():
    with pytest.raises(BadRecord, match='another version'): from_json('{"dlcourse": "progress", "version": 2, "events": []}')


@pytest.mark.parametrize('lesson, gone, left', [(None, 4, 0), ('tensors', 2, 2), ('descent', 0, 4)])
def test_reset_keeps_a_backup_that_import_takes(lesson, gone, left):
    rows = filled()
    number, backup = reset_progress(progress_file(), lesson)
    assert number == gone and len(read_events(progress_file())) == left and (backup is None) == (not gone)
    if backup: import_progress(backup.read_text())
    assert sorted(read_events(progress_file())) == sorted(rows)


def test_two_resets_in_one_second_keep_two_backups():
    for _ in range(3): filled(('a', 'b', 'done')); reset_progress(progress_file())
    assert len(list(progress_file().parent.glob('*.json'))) == 3


def test_a_backup_that_cannot_be_written_undoes_the_reset(monkeypatch):
    rows = filled()
    def full(*_): raise OSError(28, 'No space left on device')
    monkeypatch.setattr('dlcourse.core.whole.write_whole', full)
    with pytest.raises(BadRecord, match='No space left'): reset_progress(progress_file())
    assert read_events(progress_file()) == rows


def test_standings_of_rows_need_no_file(): assert standings([GOOD])['a', 'b'].best == 'done'


# ---- light ----

def test_recording_imports_little_and_takes_milliseconds():
    code = ('import sys; from dlcourse.workbook.progress import record; record("a", "b", "done")\n'
            'print(sorted({"torch", "numpy", "pandas", "IPython", "nbformat"} & set(sys.modules)))')
    assert subprocess.run([sys.executable, '-c', code], capture_output=True, text=True).stdout == '[]\n'
    began = time.perf_counter()
    for _ in range(20): record('a', 'b', 'done')
    assert time.perf_counter() - began < 4
