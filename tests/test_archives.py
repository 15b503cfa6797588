"Archives that mean harm, are damaged, or do not fit: refused, in words, with nothing left behind."
import errno
import io
import os
import random
import resource
import stat
import subprocess
import sys
import tarfile
import zipfile
from types import SimpleNamespace

import pytest
from makearchives import PAYLOAD, entry, make_tar, make_zip, many

from dlcourse.core import archives
from dlcourse.core.archives import CannotWrite, Damaged, DataError, Unsafe, unpack

GOOD = 'set/a.txt'
TARS = {
    'climbs': (['../../evil'], 'leads out'),
    'climbs later': (['set/../../evil'], 'leads out'),
    'climbs with the other slash': (['..\\..\\evil'], 'leads out'),
    'absolute': (['/evil'], 'leads out'),
    'names a drive': (['C:\\evil'], 'leads out'),
    'names a server': (['\\\\server\\evil'], 'leads out'),
    'a folder outside': ([entry('../evil', tarfile.DIRTYPE)], 'leads out'),
    'link to a file outside': ([entry('set/l', tarfile.SYMTYPE, '../../evil')], 'leads out'),
    'link to an absolute path': ([entry('set/l', tarfile.SYMTYPE, '/etc/passwd')], 'leads out'),
    'link to a folder, then a file through it': ([entry('set/l', tarfile.SYMTYPE, '/tmp'), 'set/l/evil'], 'leads out'),
    'link to its own folder': ([entry('set/l', tarfile.SYMTYPE, '.')], 'not an earlier file'),
    'link to itself': ([entry('set/l', tarfile.SYMTYPE, 'l')], 'not an earlier file'),
    'hard link outside': ([entry('set/l', tarfile.LNKTYPE, '../evil')], 'leads out'),
    'hard link to an absolute path': ([entry('set/l', tarfile.LNKTYPE, '/etc/passwd')], 'leads out'),
    'a character device': ([entry('set/zero', tarfile.CHRTYPE)], 'neither a plain file'),
    'a block device': ([entry('set/disk', tarfile.BLKTYPE)], 'neither a plain file'),
    'a pipe': ([entry('set/pipe', tarfile.FIFOTYPE)], 'neither a plain file'),
    'the same name twice': (['set/b.txt', 'set/b.txt'], 'twice'),
    'a file and a link of one name': (['set/b.txt', entry('set/b.txt', tarfile.SYMTYPE, 'a.txt')], 'twice'),
    'names that differ by case': (['set/Cat.txt', 'set/cat.txt'], 'one file on some systems'),
    'folders that differ by case': (['set/Cat/1.txt', 'set/cat/2.txt'], 'one file on some systems'),
    'names that differ by encoding': (['set/\u00e9.txt', 'set/e\u0301.txt'], 'one file on some systems'),
    'a folder inside a file': (['set/b.txt', 'set/b.txt/c.txt'], 'a folder and a file'),
    'a file where a folder is': (['set/b/c.txt', 'set/b'], 'twice'),
}


def tree(folder): return sorted(p.relative_to(folder).as_posix() for p in folder.rglob('*'))


def refused(archive, tmp_path, error, words):
    "The archive is refused with these words, and nothing is left."
    before = tree(tmp_path)
    with pytest.raises(error, match=words) as caught: unpack(archive, tmp_path/'deep'/'er'/'out')
    assert archive.name in str(caught.value) or error is CannotWrite
    assert [p for p in tree(tmp_path) if p not in before] in ([], ['deep', 'deep/er'])


@pytest.mark.parametrize('mode', ['w', 'w:gz'])
@pytest.mark.parametrize('kind', TARS)
def test_a_hostile_tar_is_refused(tmp_path, kind, mode):
    entries, words = TARS[kind]
    refused(make_tar(tmp_path/'set.tar', GOOD, *entries, mode=mode), tmp_path, Unsafe, words)


@pytest.mark.parametrize(('entries', 'words'), [
    (['../../evil'], 'leads out'), (['/evil'], 'leads out'), (['..\\evil'], 'leads out'), (['../evil/'], 'leads out'),
    ([('set/l', stat.S_IFLNK, b'../../evil')], 'leads out'), ([('set/l', stat.S_IFLNK, b'/etc/passwd')], 'leads out'),
    ([('set/l', stat.S_IFLNK, b'x'*5000)], 'neither a plain file'), ([('set/pipe', stat.S_IFIFO, b'')], 'neither a plain file'),
    ([('set/zero', stat.S_IFCHR, b'')], 'neither a plain file'), (['set/A.TXT'], 'one file on some systems')])
def test_a_hostile_zip_is_refused(tmp_path, entries, words):
    refused(make_zip(tmp_path/'set.zip', GOOD, *entries), tmp_path, Unsafe, words)


def test_a_zip_with_one_name_twice_is_refused(tmp_path):
    with pytest.warns(UserWarning, match='Duplicate'): archive = make_zip(tmp_path/'set.zip', GOOD, GOOD)
    refused(archive, tmp_path, Unsafe, 'twice')


@pytest.mark.parametrize('make', [lambda p: make_zip(p, ('set/bomb', stat.S_IFREG, bytes(50*2**20))),
                                  lambda p: make_tar(p, entry('set/bomb', size=50*2**20)),
                                  lambda p: make_tar(p, entry('set/bomb', size=50*2**20), mode='w:xz'),
                                  lambda p: make_tar(p, *many(300), *(entry(f'set/b{i}', size=2**20) for i in range(50)))])
def test_a_bomb_is_refused(tmp_path, make):
    refused(make(tmp_path/'bomb.bin'), tmp_path, Unsafe, 'bomb')


def test_a_bomb_of_copies_is_refused(tmp_path):
    "One file and a hundred links to it: each would become a copy."
    entries = [entry('set/big', size=2**20), *(entry(f'set/{i}', tarfile.LNKTYPE, 'set/big') for i in range(100))]
    refused(make_tar(tmp_path/'set.tgz', *entries), tmp_path, Unsafe, 'bomb')


def test_a_bomb_in_a_header_is_refused(tmp_path):
    "A header of 100 MB, which Python's reader would take into memory before any file is seen."
    big = entry('set/a.txt')
    big.pax_headers = {'comment': 'x'*100*2**20}
    refused(make_tar(tmp_path/'set.tgz', big), tmp_path, Unsafe, 'bomb')


def test_a_bomb_behind_the_end_is_refused(tmp_path):
    "Zeros after the last file are read for the sake of the check sum, but not without limit."
    import gzip
    make_tar(tmp_path/'set.tar', GOOD, mode='w')
    with gzip.open(tmp_path/'set.tgz', 'wb') as f: f.write((tmp_path/'set.tar').read_bytes() + bytes(50*2**20))
    refused(tmp_path/'set.tgz', tmp_path, Unsafe, 'bomb')


def test_too_many_entries_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, 'MAX_FILES', 20)
    refused(make_tar(tmp_path/'set.tgz', *many(30)), tmp_path, Unsafe, 'more than 20 entries')


def test_a_sparse_file_is_refused(tmp_path):
    "A tar of a few hundred bytes may say that a file of a terabyte has no bytes but holes."
    e = entry('set/holes')
    e.type, e.pax_headers = tarfile.REGTYPE, {'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'set/holes',
                                              'GNU.sparse.realsize': str(2**40)}
    e.size = 512
    make_tar(tmp_path/'set.tar', GOOD, mode='w')
    with tarfile.open(tmp_path/'sparse.tar', 'w', format=tarfile.PAX_FORMAT) as tar: tar.addfile(e, io.BytesIO(b'0\n'.ljust(512, b'\0')))
    refused(tmp_path/'sparse.tar', tmp_path, Unsafe, 'neither a plain file')


@pytest.mark.parametrize('mode', ['w', 'w:gz', 'w:bz2', 'w:xz'])
def test_an_honest_tar_is_unpacked(tmp_path, mode):
    links = [entry('set/train/l.txt', tarfile.SYMTYPE, '../a.txt'), entry('set/h.txt', tarfile.LNKTYPE, 'set/a.txt')]
    archive = make_tar(tmp_path/'set.tar', entry('./set', tarfile.DIRTYPE), GOOD, './set/train/b.txt', entry('set/none', tarfile.DIRTYPE), *links, mode=mode)
    seen = []
    files = unpack(archive, tmp_path/'out', tick=seen.append)
    assert sorted(files) == ['set/a.txt', 'set/h.txt', 'set/train/b.txt', 'set/train/l.txt']
    assert {(tmp_path/'out'/name).read_bytes() for name in files} == {PAYLOAD}
    assert not [p for p in (tmp_path/'out').rglob('*') if p.is_symlink()] and (tmp_path/'out/set/none').is_dir()
    assert seen == sorted(seen) and 0 < seen[-1] <= archive.stat().st_size


def test_an_honest_zip_is_unpacked(tmp_path):
    archive = make_zip(tmp_path/'set.zip', 'set/', GOOD, '__MACOSX/set/._a.txt', 'set\\win.txt', ('set/l.txt', stat.S_IFLNK, b'a.txt'))
    assert sorted(unpack(archive, tmp_path/'out')) == ['set/a.txt', 'set/l.txt', 'set/win.txt']
    assert tree(tmp_path/'out') == ['set', 'set/a.txt', 'set/l.txt', 'set/win.txt']


def test_what_is_unpacked_can_be_read_and_not_run(tmp_path):
    e = entry('set/run.sh', size=5)
    e.mode = 0o6777
    unpack(make_tar(tmp_path/'set.tgz', e), tmp_path/'out')
    assert (tmp_path/'out/set/run.sh').stat().st_mode & 0o7111 == 0


@pytest.mark.parametrize('mode', ['w', 'w:gz', 'w:bz2', 'w:xz'])
def test_a_tar_cut_off_anywhere_is_damaged(tmp_path, mode):
    whole = make_tar(tmp_path/'whole.tar', *many(12), mode=mode).read_bytes()
    last = len(whole) if mode != 'w' else 1024*12 # a plain tar ends in zeros; some of those may go
    for length in {0, 1, 100, 512, 1024, 1536, 2048, last//2, last - 1, *random.Random(0).sample(range(last), 20)}:
        (tmp_path/'cut.tar').write_bytes(whole[:min(length, last - 1)])
        refused(tmp_path/'cut.tar', tmp_path, Damaged, 'cut.tar is damaged')


def test_a_zip_cut_off_anywhere_is_damaged(tmp_path):
    whole = make_zip(tmp_path/'whole.zip', *many(12)).read_bytes()
    for length in range(0, len(whole), 97):
        (tmp_path/'cut.zip').write_bytes(whole[:length])
        refused(tmp_path/'cut.zip', tmp_path, Damaged, 'cut.zip is damaged')


@pytest.mark.parametrize('content', [b'<!DOCTYPE html><title>Log in</title>', b'\x1f\x8b' + b'rubbish'*50, b'PK\3\4 rubbish', b'BZh9 rubbish', bytes(5000)])
def test_what_is_no_archive_is_damaged(tmp_path, content):
    (tmp_path/'set.tgz').write_bytes(content)
    refused(tmp_path/'set.tgz', tmp_path, Damaged, 'set.tgz is damaged')


def test_a_zip_with_a_password_is_damaged(tmp_path):
    data = bytearray(make_zip(tmp_path/'set.zip', GOOD).read_bytes())
    for start in (data.index(b'PK\3\4') + 6, data.index(b'PK\1\2') + 8): data[start] |= 1
    (tmp_path/'set.zip').write_bytes(data)
    refused(tmp_path/'set.zip', tmp_path, Damaged, 'password')


@pytest.mark.parametrize('make', [lambda p: make_tar(p, *many(6), mode='w'), lambda p: make_tar(p, *many(6)),
                                  lambda p: make_tar(p, *many(6), mode='w:xz'), lambda p: make_zip(p, *many(6))])
def test_flipped_bytes_give_our_errors_or_the_files(tmp_path, make):
    "Whatever is flipped, there is no other error than ours, no file outside, and no half set."
    whole, rng = make(tmp_path/'whole.bin').read_bytes(), random.Random(1)
    failed = 0
    for _ in range(80):
        data = bytearray(whole)
        for at in rng.sample(range(len(data)), rng.choice([1, 1, 3, 30])): data[at] = rng.randrange(256)
        (tmp_path/'b.bin').write_bytes(data)
        try: files = unpack(tmp_path/'b.bin', tmp_path/'deep'/'out')
        except DataError: failed += 1
        else:
            assert len(files) == 6
            subprocess.run(['rm', '-r', tmp_path/'deep'/'out'], check=True)
        assert set(tree(tmp_path)) <= {'whole.bin', 'b.bin', 'deep'}
    assert failed > 15


def test_a_full_disk_is_found_before_the_first_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(archives.shutil, 'disk_usage', lambda path: SimpleNamespace(free=100))
    archive = make_tar(tmp_path/'set.tgz', *many(50))
    refused(archive, tmp_path, CannotWrite, 'its disk has 0.0 MB left.*DLCOURSE_HOME')


@pytest.mark.parametrize(('number', 'words'), [(errno.ENOSPC, 'no space left'), (errno.EROFS, 'read-only'), (errno.EACCES, 'may not be written'),
                                               (errno.EIO, 'Input/output error')])
def test_a_disk_that_fails_half_way_is_named(tmp_path, monkeypatch, number, words):
    written = []

    def failing(e, target):
        if len(written) == 3: raise OSError(number, os.strerror(number))
        written.append(target)
        return 5, ''

    monkeypatch.setattr(archives, '_write', failing)
    refused(make_tar(tmp_path/'set.tgz', *many(9)), tmp_path, CannotWrite, f'out.*{words}.*DLCOURSE_HOME')


def test_a_limit_of_the_operating_system_is_named(tmp_path):
    "No mock: the process may not write a file of more than a megabyte."
    archive = make_zip(tmp_path/'set.zip', GOOD, ('set/big', stat.S_IFREG, os.urandom(2*2**20)))
    code = f'from pathlib import Path; from dlcourse.core.archives import unpack; unpack(Path({str(archive)!r}), Path({str(tmp_path/"out")!r}))'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20)))
    assert 'CannotWrite' in done.stderr and 'takes no file of this size' in done.stderr
    assert not (tmp_path/'out').exists()


def test_ctrl_c_leaves_nothing(tmp_path):
    def interrupt(at): raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt): unpack(make_tar(tmp_path/'set.tgz', *many(9)), tmp_path/'out', tick=interrupt)
    assert not (tmp_path/'out').exists()


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    (tmp_path/'out').mkdir()
    (tmp_path/'out'/'mine.txt').write_text('mine')
    with pytest.raises(CannotWrite): unpack(make_tar(tmp_path/'set.tgz', GOOD), tmp_path/'out')
    assert tree(tmp_path/'out') == ['mine.txt']


def test_an_archive_of_nothing_is_damaged(tmp_path):
    refused(make_tar(tmp_path/'set.tgz', entry('set', tarfile.DIRTYPE)), tmp_path, Damaged, 'no file is in it')
    with zipfile.ZipFile(tmp_path/'set.zip', 'w'): pass
    refused(tmp_path/'set.zip', tmp_path, Damaged, 'set.zip is damaged')
