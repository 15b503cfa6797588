"Downloads from a server that misbehaves: gone on with, begun again, or given up in words."
import errno
import os
import threading
import time
from types import SimpleNamespace

import pytest
from badserver import PORTAL, bad_server

from dlcourse.core import archives
from dlcourse.core import download as module
from dlcourse.core.archives import CannotWrite, Damaged, Unreachable
from dlcourse.core.download import download

DATA = os.urandom(300_000)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(module, 'TIMEOUT', (1, 0.5))
    monkeypatch.setattr(module, 'PAUSE', 0.005)
    monkeypatch.setattr(module, '_silent_until', {})
    monkeypatch.setenv('NO_PROXY', '127.0.0.1')
    with bad_server() as server:
        server.files['a/set.bin'] = DATA
        yield server


@pytest.fixture
def fetch(server, tmp_path):
    "Download the file, with the manners given, and say what the server was asked."
    def fetch(*manners, size=None):
        server.manners[:] = manners
        server.asked.clear()
        assert download(f'{server.url}/a/set.bin', tmp_path/'in'/'set.bin', size=size) == tmp_path/'in'/'set.bin'
        assert [p.name for p in (tmp_path/'in').iterdir()] == ['set.bin'], 'something was left beside the file'
        return (tmp_path/'in'/'set.bin').read_bytes()
    return fetch


def spans(server): return [span for _, span in server.asked]
def part(tmp_path): return tmp_path/'in'/'set.bin.part'


@pytest.mark.parametrize('manner', ['good', 'no_length'])
def test_a_good_server(fetch, server, manner):
    assert fetch(manner) == DATA
    assert spans(server) == [None]


def test_a_broken_download_goes_on_where_it_stopped(fetch, server):
    assert fetch('cut', 'cut') == DATA
    assert spans(server) == [None, 'bytes=150000-', 'bytes=225000-']


def test_as_long_as_bytes_come_no_try_is_in_vain(fetch, server):
    assert fetch(*['cut']*3*module.TRIES) == DATA
    assert len(server.asked) == 3*module.TRIES + 1


def test_a_silent_server_is_left_and_asked_again(fetch, server):
    assert fetch('stall') == DATA
    assert spans(server)[1].startswith('bytes=')


def test_a_file_that_changes_half_way_is_begun_again(fetch, server, monkeypatch):
    new, ask = os.urandom(200_000), module._ask

    def ask_and_change(url, headers):
        if headers: server.files['a/set.bin'] = new
        return ask(url, headers)

    monkeypatch.setattr(module, '_ask', ask_and_change)
    assert fetch('cut') == new
    assert spans(server) == [None, 'bytes=150000-']


def test_a_file_that_shrinks_half_way_is_begun_again(fetch, server, monkeypatch):
    "The server of this test ignores If-Range and answers 416."
    ask = module._ask

    def ask_and_change(url, headers):
        if headers: server.files['a/set.bin'] = b'short'
        return ask(url, {k: v for k, v in headers.items() if k != 'If-Range'})

    monkeypatch.setattr(module, '_ask', ask_and_change)
    assert fetch('cut') == b'short'


@pytest.mark.parametrize('manner', ['liar', 'no_range'])
def test_a_server_that_sends_something_else_than_the_rest(fetch, server, manner):
    assert fetch('cut', manner) == DATA


@pytest.mark.parametrize('manner', ['weak', 'no_mark'])
def test_without_a_mark_nothing_is_patched_together(fetch, server, manner):
    assert fetch(manner) == DATA
    assert spans(server) == [None, None]


@pytest.mark.parametrize('manner', ['500', '502', '503', '429', 'hang', 'drop'])
def test_a_busy_server_is_asked_again(fetch, server, manner):
    assert fetch(manner, manner) == DATA
    assert len(server.asked) == 3


@pytest.mark.parametrize(('manner', 'words', 'times'), [
    ('404', '127.0.0.1.* answered 404', 1), ('403', 'answered 403', 1), ('410', 'answered 410', 1), ('503', 'answered 503', module.TRIES),
    ('hang', 'fell silent', module.TRIES), ('drop', 'refused or broke off', module.TRIES), ('cut', 'broke off', None)])
def test_a_server_that_stays_bad_is_named(fetch, server, manner, words, times):
    with pytest.raises(Unreachable, match=words): fetch(*[manner]*40)
    assert times is None or len(server.asked) == times


def test_a_later_call_goes_on_with_the_part(fetch, server, tmp_path):
    with pytest.raises(Unreachable): fetch('cut', '404')
    assert part(tmp_path).stat().st_size == 150_000
    assert fetch() == DATA
    assert spans(server) == ['bytes=150000-']


def test_a_part_that_is_whole_is_not_fetched_again(fetch, server, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(module.os, 'replace', lambda a, b: (_ for _ in ()).throw(KeyboardInterrupt) if b.name == 'set.bin' else os.rename(a, b))
        with pytest.raises(KeyboardInterrupt): fetch()
    assert fetch() == DATA
    assert server.asked == []


@pytest.mark.parametrize('note', ['', 'rubbish', '[]', '{}', '{"url": "http://other/set.bin", "mark": "x", "total": 5}'])
def test_a_part_of_unknown_origin_is_not_trusted(fetch, server, tmp_path, note):
    part(tmp_path).parent.mkdir()
    part(tmp_path).write_bytes(b'something else')
    if note: part(tmp_path).with_name('set.bin.part.json').write_text(note)
    assert fetch() == DATA
    assert spans(server) == [None]


def test_a_wrong_size_is_found_before_the_bytes_come(fetch, server, tmp_path):
    with pytest.raises(Damaged, match='300,000 bytes and the published file 1,000'): fetch(size=1000)
    assert not part(tmp_path).exists() or not part(tmp_path).stat().st_size
    with pytest.raises(Damaged, match='sends more than the 1,000'): fetch('no_length', size=1000)
    assert fetch(size=len(DATA)) == DATA


def test_a_log_in_page_in_between_is_found_by_its_size(fetch, server):
    with pytest.raises(Damaged, match=f'has {len(PORTAL)} bytes'): fetch('portal', size=len(DATA))


def test_a_full_disk_is_found_before_the_first_byte(fetch, server, tmp_path, monkeypatch):
    monkeypatch.setattr(archives.shutil, 'disk_usage', lambda path: SimpleNamespace(free=1000))
    with pytest.raises(CannotWrite, match='needs 0.3 MB.*DLCOURSE_HOME'): fetch()
    assert part(tmp_path).stat().st_size == 0


@pytest.mark.parametrize(('number', 'words'), [(errno.ENOSPC, 'no space left'), (errno.EROFS, 'read-only')])
def test_a_disk_that_fails_half_way_keeps_what_it_has(fetch, server, tmp_path, monkeypatch, number, words):
    class FailingFile:
        def __init__(self, path, mode): self.file, self.size = open(path, mode), 0
        def __enter__(self): return self
        def __exit__(self, *error): self.file.close()

        def write(self, data):
            if self.file.tell() > 100_000: raise OSError(number, os.strerror(number))
            self.file.write(data)

    with monkeypatch.context() as patch:
        patch.setattr(module, 'open', FailingFile, raising=False)
        with pytest.raises(CannotWrite, match=words): fetch()
    have = part(tmp_path).stat().st_size
    assert have > 100_000 and fetch() == DATA and spans(server) == [f'bytes={have}-']


def test_a_folder_that_cannot_be_made_is_named(server, tmp_path):
    (tmp_path/'file').write_text('')
    with pytest.raises(CannotWrite, match='DLCOURSE_HOME'): download(f'{server.url}/a/set.bin', tmp_path/'file'/'set.bin')


def test_a_host_that_does_not_answer_is_not_asked_again_at_once(server, tmp_path):
    server.shutdown(); server.server_close()
    for words in ('refused or broke off', 'a moment ago'):
        with pytest.raises(Unreachable, match=words): download(f'{server.url}/a/set.bin', tmp_path/'set.bin')
    module._silent_until.clear()
    with pytest.raises(Unreachable, match='no such host|broke off'): download('http://no-such-host.invalid/set.bin', tmp_path/'set.bin')


def test_the_bar_shows_and_leaves_nothing(server, tmp_path, monkeypatch):
    class Terminal:
        text, encoding = '', 'utf-8'
        def write(self, text): self.text += text
        def flush(self): pass
        def isatty(self): return True

    terminal = Terminal()
    monkeypatch.setattr(module.sys, 'stderr', terminal)
    monkeypatch.delitem(module.sys.modules, 'ipykernel', raising=False)
    server.pause, server.manners[:] = 0.05, ['cut']
    download(f'{server.url}/a/set.bin', tmp_path/'set.bin')
    assert 'set.bin' in terminal.text and '%' in terminal.text and 'trying again' in terminal.text
    assert terminal.text.endswith('\r') and not terminal.text.split('\r')[-2].strip() and '\n' not in terminal.text


def test_no_bar_in_a_log(server, tmp_path, capfd, monkeypatch):
    monkeypatch.delitem(module.sys.modules, 'ipykernel', raising=False)
    server.pause = 0.05
    download(f'{server.url}/a/set.bin', tmp_path/'set.bin')
    assert capfd.readouterr() == ('', '')


def test_in_a_notebook_the_bar_is_one_output_and_empty_at_the_end(monkeypatch):
    import IPython.display
    shown = []
    handle = SimpleNamespace(update=lambda data, raw: shown.append(data))
    monkeypatch.setattr(IPython.display, 'display', lambda data, raw, display_id: shown.append(data) or handle)
    monkeypatch.setitem(module.sys.modules, 'ipykernel', SimpleNamespace())
    with module.progress('set.bin', 100) as show:
        time.sleep(0.6)
        show(50)
        time.sleep(0.2)
        show(90)
    assert '50%' in shown[0]['text/plain'] and shown[-1] == {}


def test_two_threads_and_two_files(server, tmp_path):
    server.files['b.bin'] = DATA[::-1]
    threads = [threading.Thread(target=download, args=(f'{server.url}/{name}', tmp_path/str(i))) for i, name in enumerate(('a/set.bin', 'b.bin'))]
    for t in threads: t.start()
    for t in threads: t.join()
    assert (tmp_path/'0').read_bytes() == DATA and (tmp_path/'1').read_bytes() == DATA[::-1]
