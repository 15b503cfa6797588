"The doctor: each finding, and what it says when something is amiss."
import json
import sys
from importlib import metadata
from types import SimpleNamespace

import pytest

from dlcourse.core import device
from dlcourse.workbook import doctor, runs
from dlcourse.workbook.cli import main
from dlcourse.workbook.doctor import CHECKS, Check, examine, healthy, room_check, unmet


def test_this_machine_is_healthy_offline(monkeypatch, capsys):
    monkeypatch.setenv('DLCOURSE_OFFLINE', '1')
    assert main(['doctor']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(any(name in line for line in lines) for name in CHECKS)


def test_json_holds_every_finding(monkeypatch, capsys):
    monkeypatch.setattr(doctor, 'CHECKS', {'disk': lambda: Check('disk', 'note', '1 GB', 'make room')})
    assert main(['doctor', '--json']) == 0
    assert json.loads(capsys.readouterr().out) == [{'name': 'disk', 'state': 'note', 'found': '1 GB', 'mend': 'make room'}]


def test_what_is_wrong_fails_and_names_the_command(monkeypatch, capsys):
    monkeypatch.setattr(doctor, 'CHECKS', {'PyTorch': lambda: Check('PyTorch', 'wrong', 'missing', 'pip install torch')})
    assert main(['doctor']) == 1
    assert 'mend it: pip install torch' in capsys.readouterr().out


def test_an_examination_that_breaks_does_not_hide_the_others(monkeypatch):
    monkeypatch.setitem(doctor.CHECKS, 'disk', lambda: 1/0)
    found = examine('disk')
    assert found.state == 'wrong' and 'ZeroDivisionError' in found.found and found.mend


def test_a_note_is_no_failure():
    assert healthy([Check('a', 'ok', ''), Check('b', 'note', '')]) and not healthy([Check('c', 'wrong', '')])


def test_an_old_python(monkeypatch):
    monkeypatch.setattr(sys, 'version_info', (3, 8, 0))
    assert doctor.check_python().state == 'wrong'


def test_no_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, 'torch', None)
    found = doctor.check_torch()
    assert found.state == 'wrong' and 'pip install' in found.mend


@pytest.mark.parametrize('works, nvidia, state, says', [
    (set(), None, 'wrong', 'no device computes'), ({'cpu'}, None, 'ok', 'do not need one'),
    ({'cpu'}, '/usr/bin/nvidia-smi', 'note', 'cannot use the NVIDIA GPU'), ({'cpu', 'cuda'}, '/usr/bin/nvidia-smi', 'ok', 'cuda gave the right answer'),
    ({'cpu', 'mps'}, None, 'ok', 'mps gave')])
def test_devices_are_tried(monkeypatch, works, nvidia, state, says):
    monkeypatch.setattr(device, 'device_works', lambda name: name in works)
    monkeypatch.setattr(doctor.shutil, 'which', lambda name: nvidia)
    found = doctor.check_device()
    assert found.state == state and says in found.found


def test_a_kernel_that_does_not_start(monkeypatch):
    def broken(*_, **__): raise RuntimeError('no kernel')
    monkeypatch.setattr(runs, 'run_notebook', broken)
    assert doctor.check_kernel() == Check('kernel', 'wrong', 'does not start: RuntimeError: no kernel', 'pip install --force-reinstall ipykernel')


def test_widgets_of_the_wrong_version(monkeypatch):
    monkeypatch.setattr(runs, 'run_notebook', lambda *_, **__: SimpleNamespace(failure=SimpleNamespace(error='ImportError: ipywidgets')))
    found = doctor.check_kernel()
    assert found.state == 'wrong' and 'ipywidgets' in found.mend


def test_no_lab_is_a_note(monkeypatch):
    def missing(name): raise metadata.PackageNotFoundError(name)
    monkeypatch.setattr(doctor.metadata, 'version', missing)
    assert doctor.check_lab() == Check('JupyterLab', 'note', 'jupyterlab is missing', 'pip install "dlcourse[lab]"')


def test_requirements_that_are_not_met():
    versions = {'numpy': '1.20', 'torch': '2.13.0+cpu', 'tqdm': '5.0rc1'}
    def version(name):
        if name not in versions: raise metadata.PackageNotFoundError(name)
        return versions[name]
    assert unmet(['numpy>=1.26', 'torch>=2.5', 'tqdm>=4', 'requests', 'sphinx; extra == "site"'], version) == {'numpy>=1.26': '1.20', 'requests': 'nothing'}


def test_versions_say_how_to_mend(monkeypatch):
    monkeypatch.setattr(doctor.metadata, 'requires', lambda name: ['no-such-package>=3'])
    found = doctor.check_versions()
    assert found.state == 'wrong' and found.mend == 'pip install "no-such-package>=3"'


def test_a_full_disk(tmp_path):
    assert [room_check(n, tmp_path).state for n in (10**7, 10**9, 10**11)] == ['wrong', 'note', 'ok']


def test_a_cache_that_cannot_be_written_to(tmp_path, monkeypatch):
    (tmp_path/'file').write_text('')
    monkeypatch.setenv('DLCOURSE_HOME', str(tmp_path/'file'/'cache'))
    found = doctor.check_cache()
    assert found.state == 'wrong' and 'DLCOURSE_HOME' in found.mend


@pytest.mark.parametrize('name', ['disk', 'cache'])
def test_an_unknown_home_is_mended_by_a_setting(monkeypatch, name):
    monkeypatch.setenv('DLCOURSE_HOME', '~nobody-of-this-name/cache')
    found = examine(name)
    assert found.state == 'wrong' and 'set DLCOURSE_HOME to an absolute path' in found.mend


def test_mirrors(tmp_path, monkeypatch):
    monkeypatch.setenv('DLCOURSE_MIRROR', str(tmp_path))
    assert doctor.check_mirrors().state == 'ok'
    monkeypatch.setenv('DLCOURSE_MIRROR', str(tmp_path/'gone'))
    assert doctor.check_mirrors().state == 'note' and 'gone' in doctor.check_mirrors().found
    monkeypatch.delenv('DLCOURSE_MIRROR')
    assert doctor.check_mirrors().found == 'none is set, none is needed'


def test_a_source_without_an_answer_is_a_note(monkeypatch):
    monkeypatch.delenv('DLCOURSE_OFFLINE', raising=False)
    monkeypatch.setattr(doctor, 'answers', lambda place: False)
    assert doctor.check_source().state == 'note'
    monkeypatch.setenv('DLCOURSE_OFFLINE', '1')
    assert doctor.check_source().state == 'ok'
