"What `pip install dlcourse` gives: built from the sdist, installed outside the checkout, run there."
import os
import re
import shutil
import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from tree import LESSONS, NBS, PACKAGE, ROOT, tracked


def run(*command, cwd, **env):
    "Run a command and return what it printed; fail with all of it if it failed."
    done = subprocess.run(command, cwd=cwd, env=os.environ | env, stdin=subprocess.DEVNULL, capture_output=True, encoding='utf-8', errors='replace')
    assert done.returncode == 0, f'{command}\n{done.stdout}{done.stderr}'
    return done.stdout


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    "A wheel built from the sdist of what git holds, without the network."
    source, dist = tmp_path_factory.mktemp('source'), tmp_path_factory.mktemp('dist')
    for path in tracked():
        to = source/path.relative_to(ROOT)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, to, follow_symlinks=False)
    run(sys.executable, '-m', 'build', '--no-isolation', '--outdir', str(dist), '.', cwd=source)
    assert len(list(dist.glob('*.tar.gz'))) == 1
    return next(dist.glob('*.whl'))


@pytest.fixture(scope='module')
def files(wheel):
    "Names of the files in the wheel."
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.fixture(scope='module')
def metadata(wheel):
    "The wheel's METADATA."
    with zipfile.ZipFile(wheel) as z: return message_from_string(z.read(next(n for n in z.namelist() if n.endswith('/METADATA'))).decode())


@pytest.fixture(scope='module')
def installed(wheel, tmp_path_factory):
    "A folder outside the checkout that the wheel is installed into, its dependencies being there already."
    site = tmp_path_factory.mktemp('site')
    run(sys.executable, '-m', 'pip', 'install', '-q', '--no-deps', '--no-index', '--target', str(site), str(wheel), cwd=site)
    return site


def test_holds_the_package_and_the_notebooks_and_nothing_else(files):
    package = {p.relative_to(ROOT).as_posix() for p in tracked() if p.is_relative_to(PACKAGE)}
    notebooks = {f'dlcourse/notebooks/{p.relative_to(NBS).as_posix()}' for p in tracked() if p.is_relative_to(NBS)}
    assert {name for name in files if not re.match(r'dlcourse-[^/]+\.dist-info/', name)} == package | notebooks


def test_metadata_is_that_of_settings(metadata):
    settings = (ROOT/'settings.ini').read_text(encoding='utf-8')
    required = re.search(r'^requirements =\n((?:    .+\n)+)', settings, re.M)[1].splitlines()
    plain = {re.sub(r'\s', '', r) for r in metadata.get_all('Requires-Dist') if 'extra ==' not in r}
    assert plain == {re.sub(r'\s', '', r) for r in required}
    assert {'lab', 'site', 'dev'} <= set(metadata.get_all('Provides-Extra'))
    assert metadata['Requires-Python'] == '>=3.10'
    assert metadata['License-Expression'] == 'Apache-2.0'
    assert metadata['Description-Content-Type'] == 'text/markdown' and len(metadata.get_payload()) > 500, 'README.md is the description'


def test_registers_its_command_and_its_index(wheel):
    with zipfile.ZipFile(wheel) as z: points = z.read(next(n for n in z.namelist() if n.endswith('entry_points.txt'))).decode()
    assert 'dlcourse = dlcourse.workbook.cli:main' in points
    assert 'dlcourse = dlcourse._modidx:d' in points


def test_runs_outside_the_checkout(installed, tmp_path):
    "The installed package is the one that answers, and it finds its lessons."
    env = {'PYTHONPATH': str(installed), 'PYTHONDONTWRITEBYTECODE': '1'}
    where = run(sys.executable, '-c', 'import dlcourse; print(dlcourse.__file__)', cwd=tmp_path, **env)
    assert Path(where.strip()).is_relative_to(installed)
    command = next((installed/'bin').glob('dlcourse*')) if (installed/'bin').exists() else next((installed/'Scripts').glob('dlcourse*'))
    version = re.search(r"__version__ = '?\"?([\d.]+)", (PACKAGE/'__init__.py').read_text())[1]
    assert version in run(str(command), '--version', cwd=tmp_path, **env)
    listed = run(str(command), 'lessons', cwd=tmp_path, **env)
    assert [p.stem for p in LESSONS if re.sub(r'^\d+_', '', p.stem) not in listed] == []
