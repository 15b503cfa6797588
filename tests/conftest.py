"What every test shares: its own cache folder and record of progress, no window, no network, and GPU tests only where they are asked for."
import os

import pytest
from offline import forbid_network

MIRROR = os.environ.get('DLCOURSE_MIRROR', '')

forbid_network()
os.environ['MPLBACKEND'] = 'agg'
os.environ.setdefault('OMP_NUM_THREADS', '1')  # the workers share the cores; torch's threads would fight over them


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    "Each test has an empty data cache and an empty record of progress of its own and never sees the user's."
    home = tmp_path_factory.mktemp('home')
    monkeypatch.setenv('DLCOURSE_HOME', str(home))
    monkeypatch.setenv('DLCOURSE_PROGRESS', str(home/'progress.sqlite'))
    monkeypatch.delenv('DLCOURSE_FIGURES', raising=False)


def wants_gpu(config): return 'gpu' in config.option.markexpr and 'not gpu' not in config.option.markexpr


def pytest_sessionstart(session):
    "`make test-gpu` on a machine without a GPU must not look like a success."
    if not wants_gpu(session.config): return
    from dlcourse.core.device import device_works
    if not device_works('cuda'):
        pytest.exit('No NVIDIA GPU works here: a small product on "cuda" failed. '
                    'These tests are for a machine with one; `dlcourse doctor` says what is missing.', returncode=1)


def pytest_collection_modifyitems(config, items):
    "Leave GPU tests to `make test-gpu`; let a file's tests share a worker, except where they only start processes."
    if not wants_gpu(config):
        gpu = [item for item in items if item.get_closest_marker('gpu')]
        if gpu:
            config.hook.pytest_deselected(items=gpu)
            items[:] = [item for item in items if item not in gpu]
    for item in items:
        alone = item.get_closest_marker('alone')
        item.add_marker(pytest.mark.xdist_group(item.nodeid if alone else item.path.name))
