"Sets from the cache, mirrors, a source and stand-ins: whole or not at all, whatever happens on the way."
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from badserver import bad_server
from conftest import MIRROR
from makearchives import make_tar, make_zip, many

from dlcourse.core import archives, cache, files, sources
from dlcourse.core import download as downloads
from dlcourse.core.files import (
    CannotWrite,
    Damaged,
    DataError,
    Unreachable,
    Unsafe,
    URLs,
    cache_dir,
    cached_sets,
    datasets,
    is_standin,
    mirrors,
    set_in_use,
    untar_data,
    verify_data,
)

SAMPLE = 'fast-ai-sample/human_numbers.tgz'


def sha256(path): return hashlib.sha256(path.read_bytes()).hexdigest()
def write_sums(root): (root/'SHA256SUMS').write_text(''.join(f'{sha256(p)}  {p.relative_to(root).as_posix()}\n' for p in archives_in(root)))
def archives_in(root): return sorted(p for p in root.rglob('*') if p.is_file() and p.name != 'SHA256SUMS')
def in_cache(): return sorted(p.relative_to(cache_dir()).as_posix() for p in cache_dir().rglob('*') if 'locks' not in p.parts)
def faults(): return [f for _, found in verify_data() for f in found]


@pytest.fixture(autouse=True)
def calm(monkeypatch):
    "No mirror, a short patience, and nothing handed out so far."
    monkeypatch.setenv('DLCOURSE_MIRROR', '')
    monkeypatch.setenv('NO_PROXY', '127.0.0.1')
    monkeypatch.delenv('DLCOURSE_OFFLINE', raising=False)
    monkeypatch.setattr(downloads, 'TIMEOUT', (1, 0.5))
    monkeypatch.setattr(downloads, 'PAUSE', 0.005)
    monkeypatch.setattr(downloads, '_silent_until', {})
    monkeypatch.setattr(files, '_handed_out', {})


@pytest.fixture
def server():
    with bad_server() as server: yield server


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    "A mirror folder of one set, in use."
    root = tmp_path/'mirror'
    (root/SAMPLE).parent.mkdir(parents=True)
    make_tar(root/SAMPLE, 'human_numbers/train.txt', 'human_numbers/valid.txt')
    write_sums(root)
    monkeypatch.setenv('DLCOURSE_MIRROR', str(root))
    return root


@pytest.fixture
def source(server, monkeypatch, tmp_path):
    "The source of HUMAN_NUMBERS, with its published size and sum, is a server of ours."
    data = make_tar(tmp_path/'source.tgz', 'human_numbers/train.txt').read_bytes()
    server.files[SAMPLE] = data
    monkeypatch.setattr(URLs, 'HUMAN_NUMBERS', f'{server.url}/{SAMPLE}')
    monkeypatch.setitem(sources.FACTS, 'HUMAN_NUMBERS', ('numbers', len(data), hashlib.md5(data[:2**20]).hexdigest()))
    return server


# --- the order: cache, mirrors, source, stand-in -------------------------------------------------------------------------------------------

def test_a_mirror_serves_and_then_the_cache(mirror, capsys):
    path = untar_data(URLs.HUMAN_NUMBERS)
    assert path == cache_dir()/'sets/human_numbers/human_numbers' and sorted(os.listdir(path)) == ['train.txt', 'valid.txt']
    shutil.rmtree(mirror)
    assert untar_data(URLs.HUMAN_NUMBERS) == path
    assert not is_standin(path/'train.txt') and set_in_use() == 'real' and capsys.readouterr().out == ''


def test_a_mirror_may_be_a_server(mirror, server, monkeypatch):
    for p in [*archives_in(mirror), mirror/'SHA256SUMS']: server.files['some/where/' + p.relative_to(mirror).as_posix()] = p.read_bytes()
    monkeypatch.setenv('DLCOURSE_MIRROR', f'{server.url}/some/where/')
    assert (untar_data(URLs.HUMAN_NUMBERS)/'train.txt').is_file()
    assert [path for path, _ in server.asked] == ['some/where/SHA256SUMS', f'some/where/{SAMPLE}']
    assert not list((cache_dir()/'downloads').iterdir())


def test_the_next_mirror_is_asked(mirror, tmp_path, monkeypatch):
    empty = tmp_path/'empty'
    empty.mkdir()
    write_sums(empty)
    monkeypatch.setenv('DLCOURSE_MIRROR', os.pathsep.join([str(tmp_path/'none'), str(empty), mirror.as_uri()]))
    assert untar_data(URLs.HUMAN_NUMBERS).parts[-3] == 'sets'


def test_the_source_serves_where_no_mirror_does(source):
    assert sorted(os.listdir(untar_data(URLs.HUMAN_NUMBERS))) == ['train.txt']
    assert source.asked == [(SAMPLE, None)]


def test_a_damaged_mirror_does_not_hide_a_good_source(mirror, source):
    (mirror/SAMPLE).write_bytes(b'rubbish')
    assert sorted(os.listdir(untar_data(URLs.HUMAN_NUMBERS))) == ['train.txt']


def test_a_stand_in_says_so_in_one_line_and_gives_way_to_the_real_set(mirror, monkeypatch, capsys):
    monkeypatch.setenv('DLCOURSE_MIRROR', '')
    path = untar_data(URLs.HUMAN_NUMBERS)
    said = capsys.readouterr().out
    assert said.count('\n') == 1 and 'STAND-IN' in said and 'HUMAN_NUMBERS' in said and 'DLCOURSE_MIRROR' in said
    assert is_standin(path) and is_standin(path/'train.txt') and set_in_use() == 'standin'
    made = (path/'train.txt').stat().st_mtime_ns
    assert untar_data(URLs.HUMAN_NUMBERS) == path and (path/'train.txt').stat().st_mtime_ns == made
    assert 'STAND-IN' in capsys.readouterr().out, 'it must say so each time'
    monkeypatch.setenv('DLCOURSE_MIRROR', str(mirror))
    real = untar_data(URLs.HUMAN_NUMBERS)
    assert not is_standin(real) and real != path and set_in_use() == 'real'


def test_a_stand_in_from_other_code_is_made_anew(capsys):
    path = untar_data(URLs.HUMAN_NUMBERS)
    note = path.parent/'manifest.json'
    note.write_text(json.dumps(json.loads(note.read_text()) | {'stamp': 'of last year'}))
    (path/'train.txt').write_text('of last year')
    assert (untar_data(URLs.HUMAN_NUMBERS)/'train.txt').read_text().startswith('one')


def test_no_network_and_no_stand_in(monkeypatch):
    with pytest.raises(Unreachable) as e: untar_data(URLs.IMAGENETTE_160)
    assert all(words in str(e.value) for words in ('IMAGENETTE_160', 's3.amazonaws.com', 'What to do', 'DLCOURSE_MIRROR', 'No stand-in'))
    with pytest.raises(Unreachable): untar_data(URLs.HUMAN_NUMBERS, standin=False)
    with pytest.raises(Unreachable, match='only a mirror'): untar_data(URLs.ML_100k_LAYOUT)
    assert not (cache_dir()/'sets').exists()


def test_offline_asks_nobody(source, monkeypatch, capsys):
    monkeypatch.setenv('DLCOURSE_OFFLINE', '1')
    monkeypatch.setenv('DLCOURSE_MIRROR', source.url)
    assert is_standin(untar_data(URLs.HUMAN_NUMBERS)) and 'unset DLCOURSE_OFFLINE' in capsys.readouterr().out
    assert source.asked == []


def test_the_kind_in_use(mirror):
    with pytest.raises(DataError, match='untar_data first'): set_in_use()
    untar_data(URLs.HUMAN_NUMBERS)
    assert set_in_use() == 'real'
    untar_data(URLs.ML_SAMPLE)
    with pytest.raises(DataError, match='on=path'): set_in_use()


# --- what is damaged or hostile ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('damage', ['cut', 'flip', 'gone', 'empty'])
def test_a_damaged_mirror_is_an_error_and_no_stand_in(mirror, damage):
    data = bytearray((mirror/SAMPLE).read_bytes())
    data[len(data)//2] ^= 1
    if damage == 'gone': (mirror/SAMPLE).unlink()
    else: (mirror/SAMPLE).write_bytes({'cut': data[:50], 'flip': data, 'empty': b''}[damage])
    with pytest.raises(Damaged) as e: untar_data(URLs.HUMAN_NUMBERS)
    assert all(words in str(e.value) for words in (str(mirror), 'sha256' if damage != 'gone' else 'not there', 'What to do'))
    assert not (cache_dir()/'sets/human_numbers').exists() and not (cache_dir()/'standins').exists()


@pytest.mark.parametrize('sums', [None, b'', b'\xff\xfe\0', b'not a list', b'abc  fast-ai-sample/human_numbers.tgz\n',
                                  b'0'*64 + b'  fast-ai-sample/human_numbers.tgz\n', b'0'*64 + b'  other.tgz\n'])
def test_a_mirror_is_believed_no_further_than_its_list(mirror, sums):
    if sums is None: (mirror/'SHA256SUMS').unlink()
    else: (mirror/'SHA256SUMS').write_bytes(sums)
    unlisted = sums in (b'', b'0'*64 + b'  other.tgz\n')
    with pytest.raises(Unreachable if unlisted else Damaged, match='does not list' if unlisted else 'SHA256SUMS|should have'):
        untar_data(URLs.HUMAN_NUMBERS, standin=False)
    assert in_cache() == [] or not (cache_dir()/'sets/human_numbers').exists()


@pytest.mark.parametrize('line', ['{sum}  {path}', '{sum} *{path}', '{sum}  ./{path}', '{SUM}  {path}\r', '\n{sum}  {path}\n'])
def test_the_usual_forms_of_a_list_are_read(mirror, line):
    total = sha256(mirror/SAMPLE)
    (mirror/'SHA256SUMS').write_bytes(line.format(sum=total, SUM=total.upper(), path=SAMPLE).encode())
    assert not is_standin(untar_data(URLs.HUMAN_NUMBERS))


def test_a_mirror_that_is_not_there_is_no_damage(tmp_path, monkeypatch):
    monkeypatch.setenv('DLCOURSE_MIRROR', str(tmp_path/'unplugged'))
    assert is_standin(untar_data(URLs.HUMAN_NUMBERS))


@pytest.mark.parametrize('entry', ['../../escaped', '/tmp/escaped'])
def test_a_hostile_archive_is_refused_and_the_old_set_stays(mirror, entry, tmp_path):
    path = untar_data(URLs.HUMAN_NUMBERS)
    make_tar(mirror/SAMPLE, 'human_numbers/train.txt', entry)
    write_sums(mirror)
    with pytest.raises(Unsafe, match='leads out'): untar_data(URLs.HUMAN_NUMBERS, force_download=True)
    assert untar_data(URLs.HUMAN_NUMBERS) == path and faults() == []
    assert not list(tmp_path.rglob('escaped')) and not list(cache_dir().rglob('escaped')) and not Path('/tmp/escaped').exists()
    assert sorted(os.listdir(cache_dir()/'sets')) == ['human_numbers']


@pytest.mark.parametrize(('manners', 'error', 'words'), [
    (['wrong'], Damaged, 'has the md5'), (['portal'], Damaged, 'the published file'), (['404'], Unreachable, '404'),
    (['cut', '404'], Unreachable, '404'), (['500']*9, Unreachable, '500'), (['hang']*9, Unreachable, 'fell silent'), (['drop']*9, Unreachable, 'broke off')])
def test_a_bad_source_is_named_and_a_second_run_is_good(source, manners, error, words):
    source.manners[:] = manners
    with pytest.raises(error, match=words): untar_data(URLs.HUMAN_NUMBERS, standin=False)
    assert not (cache_dir()/'sets').exists()
    source.manners.clear()
    assert not is_standin(untar_data(URLs.HUMAN_NUMBERS)) and faults() == []
    assert not list((cache_dir()/'downloads').iterdir())


@pytest.mark.parametrize('manners', [['cut'], ['cut', 'cut', 'cut'], ['stall'], ['weak'], ['no_mark'], ['cut', 'liar'], ['cut', 'no_range'], ['no_length'],
                                     ['503', 'cut', '503', 'drop']])
def test_a_source_with_bad_manners_serves_in_the_end(source, manners):
    source.manners[:] = manners
    assert not is_standin(untar_data(URLs.HUMAN_NUMBERS)) and faults() == []


def test_a_changed_source_is_not_the_published_file(source):
    source.files[SAMPLE] += b'more'
    with pytest.raises(Damaged, match='published file'): untar_data(URLs.HUMAN_NUMBERS)


def test_a_broken_download_goes_on_in_the_next_run(source):
    source.manners[:] = ['cut', '404']
    with pytest.raises(Unreachable): untar_data(URLs.HUMAN_NUMBERS, standin=False)
    untar_data(URLs.HUMAN_NUMBERS)
    assert source.asked[-1][1] == f'bytes={len(source.files[SAMPLE])//2}-'


# --- any other archive ---------------------------------------------------------------------------------------------------------------------

def test_another_address_with_and_without_a_sum(server, tmp_path):
    server.files['x/data.zip'] = make_zip(tmp_path/'x.zip', 'digits/a.txt').read_bytes()
    server.files['y/data.zip'] = make_zip(tmp_path/'y.zip', 'a.csv', 'b.csv').read_bytes()
    x, y = untar_data(f'{server.url}/x/data.zip'), untar_data(f'{server.url}/y/data.zip')
    assert (x.name, sorted(os.listdir(x))) == ('digits', ['a.txt']) and (y.name, sorted(os.listdir(y))) == ('data', ['a.csv', 'b.csv'])
    assert untar_data(f'{server.url}/x/data.zip#sha256={sha256(tmp_path/"x.zip")}') != x
    with pytest.raises(Damaged, match='has the sha256'): untar_data(f'{server.url}/x/data.zip#sha256={"0"*64}')
    assert faults() == []


def test_an_archive_of_ones_own_is_unpacked_again_when_it_changes(tmp_path):
    archive = make_tar(tmp_path/'mine.tar.gz', 'set/a.txt')
    path = untar_data(archive)
    assert untar_data(str(archive)) == untar_data(archive.as_uri()) == path and os.listdir(path) == ['a.txt']
    make_tar(archive, 'set/b.txt', 'set/c.txt')
    assert sorted(os.listdir(untar_data(archive))) == ['b.txt', 'c.txt'] and archive.is_file()


@pytest.mark.parametrize('wish', ['MNIST_SIMPLE', '/no/such/set.tgz', '.', ''])
def test_a_wrong_name_says_what_there_is(wish):
    with pytest.raises(Unreachable, match='MNIST_SAMPLE'): untar_data(wish)


@pytest.mark.parametrize('path', ['..', '.', '', '..%2f..%2fevil', '.hidden', 'a:b', 'x'*300])
def test_no_address_leads_out_of_the_cache(server, path, tmp_path):
    server.files[f'd/{path}'] = make_tar(tmp_path/'s.tgz', 'set/a.txt').read_bytes()
    try: found = untar_data(f'{server.url}/d/{path}')
    except Unreachable: return # the client itself has made the path plain
    assert found.parent.parent == cache_dir()/'sets' and [s.path for s in cached_sets()] == [found]


def test_a_set_may_be_called_like_the_manifest(tmp_path):
    archive = make_tar(tmp_path/'x.tgz', 'manifest.json/a.txt')
    with pytest.raises(CannotWrite): untar_data(archive)
    assert cached_sets() == []


@pytest.mark.parametrize('form', ['{}', '{}#sha256={}', 'file://{}#sha256={}'])
def test_a_sum_is_checked_for_an_archive_of_ones_own(tmp_path, form):
    archive = make_tar(tmp_path/'mine.tgz', 'set/a.txt')
    good = untar_data(form.format(archive, sha256(archive)))
    assert untar_data(form.format(archive, sha256(archive).upper())) == good
    if form == '{}': return
    with pytest.raises(Damaged, match='has the sha256'): untar_data(form.format(archive, '0'*64))


def test_a_sum_is_checked_for_what_a_mirror_gives(mirror):
    url = f'https://example.org/{SAMPLE}'
    path = untar_data(f'{url}#sha256={sha256(mirror/SAMPLE)}')
    assert untar_data(f'{url}#sha256={sha256(mirror/SAMPLE).upper()}') == path and sources.stem(path.parent.name).startswith('human_numbers-')
    with pytest.raises(Damaged, match='was asked for'): untar_data(f'{url}#sha256={"0"*64}')
    with pytest.raises(Damaged, match='was asked for'): untar_data(f'{URLs.HUMAN_NUMBERS}#sha256={"0"*64}')


@pytest.mark.parametrize('end', ['#sha256=', '#sha256=0123', f'#sha256={"g"*64}', f'#sha256={"0"*65}', f'#md5={"0"*32}', '#top', f'#SHA256={"0"*64}'])
def test_another_end_of_an_address_is_refused(mirror, tmp_path, end):
    for url in (f'https://example.org/{SAMPLE}', make_tar(tmp_path/'mine.tgz', 'set/a.txt').as_uri(), URLs.HUMAN_NUMBERS):
        with pytest.raises(DataError, match='64 hex digits'): untar_data(url + end)
    assert in_cache() == []


def test_a_hash_sign_in_a_path_is_a_hash_sign(tmp_path):
    assert os.listdir(untar_data(make_tar(tmp_path/'c#1.tgz', 'set/a.txt'))) == ['a.txt']


# --- disks ---------------------------------------------------------------------------------------------------------------------------------

def test_a_full_disk(mirror, monkeypatch):
    monkeypatch.setattr(archives.shutil, 'disk_usage', lambda path: type('', (), {'free': 10}))
    with pytest.raises(CannotWrite, match='DLCOURSE_HOME'): untar_data(URLs.HUMAN_NUMBERS)
    assert os.listdir(cache_dir()/'sets') == []


def test_a_disk_that_fills_while_unpacking_keeps_the_download(source, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(archives, '_write', lambda e, target: (_ for _ in ()).throw(OSError(28, 'No space left on device')))
        with pytest.raises(CannotWrite, match='no space left'): untar_data(URLs.HUMAN_NUMBERS)
    assert os.listdir(cache_dir()/'sets') == []
    untar_data(URLs.HUMAN_NUMBERS)
    assert len(source.asked) == 1 and not list((cache_dir()/'downloads').iterdir())


def read_only(monkeypatch):
    "As a read-only disk does: nothing can be made, opened for writing or renamed (for root, a mode of 0555 is none)."
    def refuse(*args, **kwargs): raise OSError(30, 'Read-only file system')
    for name in ('mkdir', 'replace', 'unlink', 'rename'): monkeypatch.setattr(os, name, refuse)


def test_a_read_only_cache_serves_what_it_has(mirror, monkeypatch):
    path = untar_data(URLs.HUMAN_NUMBERS)
    made = untar_data(URLs.ML_SAMPLE)
    monkeypatch.setenv('DLCOURSE_OFFLINE', '1')
    read_only(monkeypatch)
    assert untar_data(URLs.HUMAN_NUMBERS) == path and untar_data(URLs.ML_SAMPLE) == made and faults() == []


def test_a_read_only_cache_without_the_set(mirror, monkeypatch):
    read_only(monkeypatch)
    with pytest.raises(CannotWrite, match='read-only.*DLCOURSE_HOME'): untar_data(URLs.HUMAN_NUMBERS)
    with pytest.raises(CannotWrite, match='read-only.*DLCOURSE_HOME'): untar_data(URLs.ML_SAMPLE)


def test_a_cache_that_is_a_file(mirror, tmp_path, monkeypatch):
    (tmp_path/'file').write_text('')
    monkeypatch.setenv('DLCOURSE_HOME', str(tmp_path/'file'))
    with pytest.raises(CannotWrite, match='DLCOURSE_HOME'): untar_data(URLs.HUMAN_NUMBERS)


# --- whole or not at all -------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('noted', ['[]', 'null', '3', '"x"', '{}', '{"folder": "human_numbers", "stamp": "", "files": []}',
                                   '{"folder": 3, "stamp": "", "files": {}}', '{"stamp": "", "files": {}}', '{"folder": "human_numbers", "stamp": ""}',
                                   '{"folder": "human_numbers", "stamp": "", "files": {"a": 3}}',
                                   '{"folder": "human_numbers", "stamp": "", "name": [], "files": {}}'])
def test_a_manifest_that_is_none_spoils_no_other_set(mirror, noted, tmp_path):
    path, other = untar_data(URLs.HUMAN_NUMBERS), untar_data(make_tar(tmp_path/'mine.tgz', 'set/a.txt'))
    (path.parent/'manifest.json').write_text(noted)
    assert len(cached_sets()) == 2 and faults() == ['its manifest.json is missing or damaged']
    assert untar_data(tmp_path/'mine.tgz') == other and untar_data(URLs.HUMAN_NUMBERS) == path and faults() == []


@pytest.mark.parametrize('half', ['no manifest', 'a broken manifest', 'no folder', 'only a temporary folder'])
def test_what_was_not_placed_whole_is_not_trusted(mirror, half):
    place = cache_dir()/'sets/human_numbers'
    (place/'human_numbers').mkdir(parents=True)
    if half == 'a broken manifest': (place/'manifest.json').write_text('{"folder": "human_num')
    if half == 'no folder':
        (place/'manifest.json').write_text('{"folder": "human_numbers", "stamp": "", "files": {}}')
        (place/'human_numbers').rmdir()
    if half == 'only a temporary folder':
        place.rename(place.with_name('.human_numbers.new'))
        assert cached_sets() == []
    assert sorted(os.listdir(untar_data(URLs.HUMAN_NUMBERS))) == ['train.txt', 'valid.txt'] and faults() == []
    assert os.listdir(cache_dir()/'sets') == ['human_numbers']


def run(code, **more):
    "Start a Python with the cache and the mirrors of this test."
    prelude = 'import sys, time; from dlcourse.core import download; from dlcourse.core.files import *; '
    return subprocess.Popen([sys.executable, '-c', prelude + code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def test_four_processes_at_once_fetch_once(server, tmp_path):
    server.files['set.tgz'], server.pause = make_tar(tmp_path/'set.tgz', *many(800)).read_bytes(), 0.3
    running = [run(f'p = untar_data("{server.url}/set.tgz"); print(p, len(list(p.rglob("*.txt"))))') for _ in range(4)]
    answers = [p.communicate(timeout=100) for p in running]
    assert {out.splitlines()[-1].split()[1] for out, _ in answers} == {'800'} and [p.returncode for p in running] == [0]*4
    assert len(server.asked) == 1 and faults() == []


def test_a_second_process_says_that_it_waits(mirror, capsys, monkeypatch):
    holder = run('from dlcourse.core.cache import locked\nwith locked("human_numbers"): print("held", flush=True); time.sleep(1.7)')
    assert holder.stdout.readline() == 'held\n'
    assert untar_data(URLs.HUMAN_NUMBERS).is_dir() and 'another process' in capsys.readouterr().out
    holder.communicate()


def kill_at(moment, code):
    "Start, wait for `moment` seconds after it has begun, kill -9. Returns whether it was still running."
    p = run('print("begun", flush=True)\n' + code)
    p.stdout.readline()
    time.sleep(moment)
    running = p.poll() is None
    p.kill()
    p.communicate()
    return running


def never_half(n, key):
    "Either there is no set, or it is whole. Returns whether there is one."
    there = cache.placed(cache_dir()/'sets'/key)
    if there: assert len(list(there.rglob('*.txt'))) == n and faults() == []
    return bool(there)


def test_killed_while_it_downloads(server, tmp_path):
    "Six kills at random moments: each run goes on where the last one was killed, until one comes through."
    archive = make_zip(tmp_path/'set.zip', *many(30), ('set/big.bin', 0, os.urandom(900_000)))
    server.files['set.tgz'], server.pause = archive.read_bytes(), 0.05
    key, rng = sources.wanted(f'{server.url}/set.tgz').key, random.Random(0)
    killed = [kill_at(rng.uniform(0.02, 0.7), f'untar_data("{server.url}/set.tgz")') and not never_half(30, key) for _ in range(6)]
    assert sum(killed) >= 3, 'the kills came too late to mean anything'
    server.pause = 0
    untar_data(f'{server.url}/set.tgz')
    assert never_half(30, key) and any(span for _, span in server.asked), 'no download was gone on with'
    assert sorted(p.name for p in cache_dir().iterdir()) == ['downloads', 'locks', 'sets'] and not os.listdir(cache_dir()/'downloads')


SLOWLY = """
from dlcourse.core import archives
real = archives._write
def slow(*args): time.sleep(.003); return real(*args)
archives._write = slow
"""


def test_killed_while_it_unpacks(tmp_path):
    "Six kills at random moments of a run that takes a second at least, each upon what the one before has left."
    archive = make_tar(tmp_path/'set.tgz', *many(300))
    want, rng = sources.wanted(str(archive)), random.Random(0)
    place = cache_dir()/'sets'/want.key
    for _ in range(6):
        assert kill_at(rng.uniform(0, 0.8), f'{SLOWLY}untar_data({str(archive)!r})'), 'the kill came too late to mean anything'
        assert not cache.placed(place, want.stamp) and not place.exists()
    assert len(list(untar_data(archive).rglob('*.txt'))) == 300 and faults() == []
    assert os.listdir(cache_dir()/'sets') == [want.key], 'a half set was left for ever'


@pytest.mark.parametrize('step', ['os.replace', 'Path.write_text', 'shutil.rmtree'])
def test_killed_at_each_step_of_the_placing(mirror, step):
    "The process dies right before, and right after, each call that changes the disk."
    untar_data(URLs.HUMAN_NUMBERS)
    ended, place = [], cache_dir()/'sets/human_numbers'
    for when in ('before', 'after'):
        for nth in range(1, 5):
            do = ('os.kill(os.getpid(), 9)', 'real(*a, **k)') if when == 'before' else ('real(*a, **k)', 'os.kill(os.getpid(), 9)')
            code = (f'import os, shutil; from pathlib import Path; real, n = {step}, 0\ndef dying(*a, **k):\n'
                    f'    global n\n    n += 1\n    if n != {nth}: return real(*a, **k)\n    {do[0]}; {do[1]}\n'
                    f'{step} = dying\nuntar_data(URLs.HUMAN_NUMBERS, force_download=True)')
            p = run(code)
            said = p.communicate(timeout=60)
            ended.append(p.returncode)
            assert p.returncode in (0, -9), said
            cache.settle(place)
            assert sorted(os.listdir(cache.placed(place))) == ['train.txt', 'valid.txt'] and faults() == []
    assert -9 in ended, 'nothing was killed'
    assert untar_data(URLs.HUMAN_NUMBERS).is_dir() and faults() == [] and os.listdir(cache_dir()/'sets') == ['human_numbers']


def dying_between(monkeypatch, error):
    "Let the second rename of a placing fail: the old set has been taken away, the new one is not there yet."
    real, done = os.replace, []

    def replace(a, b):
        if done and Path(b).name == 'human_numbers' and Path(a).name == '.human_numbers.new':
            done.clear()
            raise error
        if str(b).endswith('.old'): done.append(b)
        real(a, b)

    monkeypatch.setattr(os, 'replace', replace)


@pytest.mark.parametrize('error', [KeyboardInterrupt(), PermissionError(13, 'Permission denied')])
def test_stopped_between_the_two_renames(mirror, monkeypatch, error):
    path = untar_data(URLs.HUMAN_NUMBERS)
    dying_between(monkeypatch, error)
    with pytest.raises((KeyboardInterrupt, CannotWrite)): untar_data(URLs.HUMAN_NUMBERS, force_download=True)
    assert sorted(os.listdir(path)) == ['train.txt', 'valid.txt'] and os.listdir(cache_dir()/'sets') == ['human_numbers']


@pytest.mark.parametrize('then', ['use', 'verify', 'fetch', 'another'])
def test_killed_between_the_two_renames(mirror, monkeypatch, then):
    path = untar_data(URLs.HUMAN_NUMBERS)
    place = path.parent
    place.rename(old := place.with_name('.human_numbers.old'))
    (place.with_name('.human_numbers.new')/'half').mkdir(parents=True)
    monkeypatch.setenv('DLCOURSE_MIRROR', str(mirror) if then == 'fetch' else '')
    if then == 'fetch': untar_data(URLs.HUMAN_NUMBERS, force_download=True)
    if then == 'verify': assert [s.path for s, _ in verify_data()] == [path]
    if then == 'another':
        with pytest.raises(KeyboardInterrupt): cache.install(place, lambda new: (_ for _ in ()).throw(KeyboardInterrupt))
    if then == 'use': assert untar_data(URLs.HUMAN_NUMBERS, standin=False) == path
    assert sorted(os.listdir(path)) == ['train.txt', 'valid.txt'] and faults() == [] and not old.exists()
    assert os.listdir(place.parent) == ['human_numbers']


# --- verify, list, and the real mirror -----------------------------------------------------------------------------------------------------

def test_later_damage_is_found_and_mended(mirror):
    path = untar_data(URLs.HUMAN_NUMBERS)
    assert [(s.name, found) for s, found in verify_data()] == [('HUMAN_NUMBERS', [])]
    (path/'train.txt').write_bytes(b'hallo'); (path/'valid.txt').unlink(); (path/'models').mkdir(); (path/'models'/'mine.pth').touch()
    assert faults() == ['changed: train.txt', 'missing: valid.txt']
    assert verify_data('PETS') == []
    untar_data(URLs.HUMAN_NUMBERS, force_download=True)
    assert faults() == []
    (path.parent/'manifest.json').write_text('rubbish')
    assert faults() == ['its manifest.json is missing or damaged']


def mends(): return {s.mend for s, found in verify_data() if found}


def test_a_damaged_stand_in_is_mended(mirror, monkeypatch):
    monkeypatch.setenv('DLCOURSE_MIRROR', '')
    path = untar_data(URLs.HUMAN_NUMBERS)
    (path/'train.txt').write_text('rubbish')
    assert faults() == ['changed: train.txt'] and mends() == {'dlcourse data get HUMAN_NUMBERS --again'}
    assert untar_data(URLs.HUMAN_NUMBERS, force_download=True) == path and faults() == []
    (path/'train.txt').write_text('rubbish')
    monkeypatch.setenv('DLCOURSE_MIRROR', str(mirror))
    assert not is_standin(untar_data(URLs.HUMAN_NUMBERS, force_download=True)) and faults() == []


def test_each_set_says_how_it_is_mended(mirror, tmp_path, monkeypatch):
    monkeypatch.setattr(URLs, 'PETS', 'https://example.org/' + SAMPLE.replace('human_numbers', 'oxford-iiit-pet'))
    make_tar(mirror/sources.urlsplit(URLs.PETS).path[1:], 'pets/a.txt')
    write_sums(mirror)
    pets, url = untar_data(URLs.PETS), f'https://example.org/{SAMPLE}#sha256={sha256(mirror/SAMPLE)}'
    (pets.parent/'manifest.json').write_text('rubbish')
    assert [(s.name, s.mend) for s, _ in verify_data('PETS')] == [('PETS', 'dlcourse data get PETS --again')]
    untar_data(URLs.PETS, force_download=True)
    for asked in (url, str(make_tar(tmp_path/'mine.tgz', 'set/a.txt'))):
        path = untar_data(asked)
        next(path.rglob('*.txt')).unlink()
        assert mends() == {f'untar_data({asked!r}, force_download=True)'}
        eval(*mends())
        assert faults() == []
    (path.parent/'manifest.json').unlink()
    assert all(words in str(mends()) for words in ('delete', str(path.parent)))


def test_a_forced_fetch_that_fails_keeps_the_set(mirror, monkeypatch):
    path = untar_data(URLs.HUMAN_NUMBERS)
    monkeypatch.setenv('DLCOURSE_MIRROR', '')
    with pytest.raises(Unreachable): untar_data(URLs.HUMAN_NUMBERS, force_download=True)
    assert untar_data(URLs.HUMAN_NUMBERS) == path and faults() == []


def test_the_list_of_sets():
    known = {s.name: s for s in datasets()}
    assert all(s.url == getattr(URLs, s.name) and s.what for s in known.values())
    assert known['MNIST_SAMPLE'].has_standin and not known['IMDB'].has_standin
    assert [s.name for s in datasets() if not (s.sha256 or s.md5_start or s.name in sources.FILES)] == ['ML_100k_LAYOUT']
    assert all(len(s.sha256) in (0, 64) and len(s.md5_start) in (0, 32) for s in datasets())
    assert len({sources.stem(s.url) for s in datasets()}) == len(known), 'two sets would share a place'


@pytest.mark.parametrize(('words', 'expected'), [
    ('', []), ('/a', ['/a']), ('/a:/b', ['/a', '/b']), ('http://h:80/m:/b', ['http://h:80/m', '/b']), ('/a:https://h/m', ['/a', 'https://h/m']),
    ('http://h:8080:http://h:8081/', ['http://h:8080', 'http://h:8081']), (' /a : ', ['/a']), ('file:///a:/b', ['/a', '/b']),
    ('http://[::1]:8000/m', ['http://[::1]:8000/m']), ('/a:http://[::1]:8000/m:/b', ['/a', 'http://[::1]:8000/m', '/b']),
    ('http://u:p@h/m:https://u:9@h/', ['http://u:p@h/m', 'https://u:9@h']), ('/a:2024/m', ['/a:2024/m']), ('/a::/b:', ['/a', '/b']),
    ('./a:../b', [os.path.abspath('a'), str(Path.cwd()/'../b')]), ('a', [os.path.abspath('a')]), ('~:~/b', [str(Path.home()), str(Path.home()/'b')])])
@pytest.mark.skipif(os.pathsep != ':', reason='on Windows the words are split at a semicolon')
def test_the_mirrors_variable(monkeypatch, words, expected):
    monkeypatch.setenv('DLCOURSE_MIRROR', words)
    assert [str(m) for m in mirrors()] == expected


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv('DLCOURSE_HOME', '~/x')
    assert cache_dir() == Path.home()/'x'
    monkeypatch.setenv('DLCOURSE_HOME', 'here')
    assert cache_dir() == Path.cwd()/'here'
    monkeypatch.delenv('DLCOURSE_HOME')
    assert 'dlcourse' in cache_dir().parts


# ---- a set of several files, in no archive ----

@pytest.fixture
def loose(server, monkeypatch):
    "FASHION_MNIST as two small files, at a server that stands for the source."
    server.files |= {'a.gz': bytes(range(250))*100, 'b.gz': b'b'*999}
    monkeypatch.setattr(URLs, 'FASHION_MNIST', f'{server.url}/')
    sums = tuple((name, len(data), hashlib.sha256(data).hexdigest()) for name, data in server.files.items())
    monkeypatch.setitem(sources.FILES, 'FASHION_MNIST', sums)
    return server


def test_loose_files_make_one_set(loose):
    path = untar_data(URLs.FASHION_MNIST)
    assert {p.name: p.read_bytes() for p in path.iterdir()} == loose.files and not faults() and not is_standin(path)
    untar_data(URLs.FASHION_MNIST)
    assert [name for name, _ in loose.asked] == ['a.gz', 'b.gz'], 'the second call asks nobody'
    assert not list((cache_dir()/'downloads').glob('*'))
    (path/'b.gz').write_bytes(b'')
    assert faults() == ['changed: b.gz']
    untar_data(URLs.FASHION_MNIST, force_download=True)
    assert not faults()


@pytest.mark.parametrize('manners, error', [(['good', '404'], Unreachable), (['good', 'wrong'], Damaged)])
def test_loose_files_come_all_or_none(loose, manners, error, monkeypatch):
    loose.manners[:] = manners + manners[1:]*20
    with pytest.raises(error): untar_data(URLs.FASHION_MNIST, standin=False)
    assert not [name for name in in_cache() if name.startswith('sets') and name.endswith('.gz')]
    loose.manners.clear()
    assert len(list(untar_data(URLs.FASHION_MNIST).iterdir())) == 2


def test_a_file_that_came_is_not_fetched_again_after_the_next_one_failed(loose):
    loose.manners[:] = ['good'] + ['404']*20
    with pytest.raises(Unreachable): untar_data(URLs.FASHION_MNIST, standin=False)
    loose.manners.clear()
    loose.asked.clear()
    untar_data(URLs.FASHION_MNIST)
    assert [name for name, _ in loose.asked] == ['b.gz']


def test_a_mirror_that_lists_half_of_the_files_is_passed_over(loose, tmp_path, monkeypatch):
    (tmp_path/'m/fashion_mnist').mkdir(parents=True)
    (tmp_path/'m/fashion_mnist/a.gz').write_bytes(loose.files['a.gz'])
    write_sums(tmp_path/'m')
    monkeypatch.setenv('DLCOURSE_MIRROR', str(tmp_path/'m'))
    monkeypatch.setattr(sources, 'stem', lambda url: 'fashion_mnist')
    assert manifest_origin(untar_data(URLs.FASHION_MNIST)) == f'{loose.url}/'
    (tmp_path/'m/fashion_mnist/b.gz').write_bytes(loose.files['b.gz'])
    write_sums(tmp_path/'m')
    assert manifest_origin(untar_data(URLs.FASHION_MNIST, force_download=True)) == str(tmp_path/'m/fashion_mnist')


def manifest_origin(path): return cache.manifest(path.parent)['origin']


@pytest.mark.parametrize('name', ['DLCOURSE_HOME', 'DLCOURSE_MIRROR'])
def test_no_home_folder_is_known(monkeypatch, name):
    monkeypatch.setenv(name, '~no-such-user/x')
    with pytest.raises(DataError, match=f'set {name} to an absolute path'): untar_data(URLs.HUMAN_NUMBERS)


def test_nobody_has_a_home_folder(monkeypatch):
    monkeypatch.setattr(os.path, 'expanduser', lambda path: path)
    for home in ('~/x', ''):
        monkeypatch.setenv('DLCOURSE_HOME', home)
        with pytest.raises(DataError, match='set DLCOURSE_HOME to an absolute path'): cache_dir()


def test_a_stand_in_is_known_by_its_place_through_a_link(tmp_path, monkeypatch):
    (tmp_path/'real').mkdir()
    (tmp_path/'link').symlink_to(tmp_path/'real')
    monkeypatch.setenv('DLCOURSE_HOME', str(tmp_path/'link'))
    path = untar_data(URLs.HUMAN_NUMBERS)
    assert is_standin(path) and is_standin(path.resolve()) and not is_standin(tmp_path)


def test_every_small_set_of_a_real_mirror(monkeypatch, tmp_path):
    "The mirror that the checks were started with; where there is none, a small one of ours."
    root = next((p for p in map(Path, MIRROR.split(os.pathsep)) if MIRROR and (p/SAMPLE).is_file()), tmp_path/'mirror')
    if root.parent == tmp_path:
        for name in ('ML_SAMPLE', 'ADULT_SAMPLE'):
            archive = root/getattr(URLs, name).removeprefix('https://s3.amazonaws.com/')
            archive.parent.mkdir(parents=True, exist_ok=True)
            make_tar(archive, f'{archive.stem}/a.csv')
        write_sums(root)
    monkeypatch.setenv('DLCOURSE_MIRROR', str(root))
    small = {p.relative_to(root).as_posix() for p in archives_in(root) if p.stat().st_size < 1_200_000}
    wanted = [s for s in datasets() if s.url.partition('//')[2].partition('/')[2] in small]
    assert len(wanted) >= 2
    for s in wanted: assert not is_standin(untar_data(s.url)) and any(untar_data(s.url).iterdir())
    assert faults() == [] and set_in_use() == 'real' and len(cached_sets()) == len(wanted)


def test_the_import_is_light():
    code = "import dlcourse.core.files, sys; print([m for m in ('torch', 'requests', 'tqdm', 'filelock', 'numpy', 'pandas') if m in sys.modules])"
    assert subprocess.run([sys.executable, '-c', code], capture_output=True, text=True).stdout == '[]\n'
