"The step before everything else: finding a Python, and an environment that is never half made."
import importlib.util
import os
import subprocess
import sys

import pytest
from tree import ROOT


def venv(folder):
    "In place of a virtual environment: an interpreter where one would be."
    python = folder/('Scripts/python.exe' if os.name == 'nt' else 'bin/python')
    python.parent.mkdir(parents=True, exist_ok=True)
    python.touch()


def answer(command): return subprocess.CompletedProcess(command, 0)


@pytest.fixture
def install(tmp_path, monkeypatch):
    "tools/install.py, working on an empty folder whose name has a space; nothing is really installed, and there is no GPU."
    spec = importlib.util.spec_from_file_location('install', ROOT/'tools'/'install.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    root = tmp_path/'a checkout'
    (root/'constraints').mkdir(parents=True)
    for name in ('settings.ini', 'setup.py', 'pyproject.toml', 'constraints/cpu.txt'): (root/name).write_text(name)
    for name, path in {'ROOT': root, 'VENV': root/'.venv', 'LOCK': root/'.cache'/'lock', 'LOG': root/'.cache'/'log',
                       'UNFINISHED': root/'.venv'/'.unfinished', 'MADE_FOR': root/'.venv'/'.made-for'}.items():
        monkeypatch.setattr(module, name, path)
    monkeypatch.setattr(module, 'gpu_answers', lambda: False)
    monkeypatch.setattr(module.subprocess, 'run', lambda command, **_: venv(command[-1]) if 'venv' in command else answer(command))
    module.calls = []
    monkeypatch.setattr(module, 'pip_install', lambda *what: module.calls.append(what))
    return module


def test_second_run_does_nothing(install, capsys):
    install.install('lab')
    capsys.readouterr()
    install.install('lab')
    assert install.calls == [('lab', False)] and capsys.readouterr().out == ''


def test_dev_holds_every_extra(install):
    install.install('dev')
    install.install('lab')
    assert install.calls == [('dev', False)]


def test_changed_metadata_installs_again_into_the_same_venv(install):
    install.install('lab')
    (install.VENV/'kept').touch()
    (install.ROOT/'settings.ini').write_text('another requirement')
    install.install('lab')
    assert len(install.calls) == 2 and (install.VENV/'kept').exists()


def test_an_interrupted_install_is_made_anew(install, monkeypatch, capsys):
    def killed(*what): raise KeyboardInterrupt
    with monkeypatch.context() as m:
        m.setattr(install, 'pip_install', killed)
        with pytest.raises(KeyboardInterrupt): install.install('lab')
    (install.VENV/'half').touch()
    install.install('lab')
    assert not (install.VENV/'half').exists() and 'did not finish' in capsys.readouterr().out
    assert not install.UNFINISHED.exists()


def test_a_gpu_that_appears_asks_for_another_torch(install, monkeypatch):
    install.install('lab')
    (install.VENV/'cpu torch').touch()
    monkeypatch.setattr(install, 'gpu_answers', lambda: True)
    install.install('lab')
    assert install.calls[-1] == ('lab', True) and not (install.VENV/'cpu torch').exists()


def test_a_venv_without_a_python_is_made_anew(install, capsys):
    install.install('lab')
    install.python().unlink()
    install.install('lab')
    assert 'does not start' in capsys.readouterr().out and install.python().exists()


@pytest.mark.skipif(os.name == 'nt', reason='the finder is a shell script')
@pytest.mark.parametrize('knows, says', [('', 'No Python 3.10 or newer'), ('version_info', 'python3-venv')])
def test_says_what_is_missing(tmp_path, knows, says):
    "A Python that is too old, and one without its venv module."
    fake = tmp_path/'python'
    fake.write_text(f'#!/bin/sh\ncase "$2" in *{knows or "never"}*) exit 0;; esac\nexit 1\n')
    fake.chmod(0o755)
    done = subprocess.run(['sh', ROOT/'tools'/'setup.sh', 'lab'], env={**os.environ, 'PYTHON': str(fake)}, capture_output=True, text=True)
    assert done.returncode == 1 and says in done.stderr


@pytest.mark.skipif(os.name == 'nt', reason='the finder is a shell script')
def test_takes_the_first_python_that_will_do(tmp_path):
    "python3 is broken here, so python3.12 is taken."
    for name, body in {'python3': 'exit 1', 'python3.12': 'case "$1" in -c) exit 0;; *) echo "took $0 for $2";; esac'}.items():
        (tmp_path/name).write_text(f'#!/bin/sh\n{body}\n')
        (tmp_path/name).chmod(0o755)
    env = {k: v for k, v in os.environ.items() if k != 'PYTHON'} | {'PATH': f'{tmp_path}{os.pathsep}{os.environ["PATH"]}'}
    done = subprocess.run(['sh', ROOT/'tools'/'setup.sh', 'lab'], env=env, capture_output=True, text=True)
    assert done.stdout.strip() == f'took {tmp_path/"python3.12"} for lab', done.stderr


def test_runs_on_nothing_but_the_standard_library():
    code = f'import runpy; runpy.run_path({str(ROOT/"tools"/"install.py")!r}, run_name="tools")'
    assert subprocess.run([sys.executable, '-I', '-S', '-c', code], capture_output=True).returncode == 0
