"A run that is killed again and again ends with the weights, to the last bit, of one that nobody touched."
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

torch = pytest.importorskip('torch')

from torch import nn  # noqa: E402

from dlcourse.core.device import seed_everything  # noqa: E402
from dlcourse.data.loader import DataLoader, DataLoaders  # noqa: E402
from dlcourse.training.callbacks import (  # noqa: E402
    Callback,
    CancelEpochException,
    CancelFitException,
    CancelTrainException,
    EarlyStoppingCallback,
    GradientAccumulation,
)
from dlcourse.training.checkpoint import (  # noqa: E402
    CheckpointCallback,
    DamagedCheckpoint,
    SaveModelCallback,
    load_state,
    save_next,
    save_state,
)
from dlcourse.training.learner import Learner  # noqa: E402

CHILD = '''
import sys, time
import torch
from torch import nn
from dlcourse.core.device import seed_everything
from dlcourse.data.loader import DataLoader, DataLoaders
from dlcourse.training.callbacks import Callback, GradientAccumulation, GradientClip
from dlcourse.training.checkpoint import CheckpointCallback, save_state
from dlcourse.training.learner import Learner

class Slowly(Callback):
    def after_batch(self): time.sleep(.004)

path, end, opt, n_acc = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
seed_everything(3)
x = torch.randn(200, 6)
y = x[:, :1]*2 + torch.randn(200, 1)/5
dls = DataLoaders(DataLoader((x, y), batch_size=8, shuffle=True), DataLoader((x[:40], y[:40]), batch_size=16))
model = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(.3), nn.Linear(16, 1))
module = torch.optim if opt.startswith('torch') else __import__('dlcourse.foundations.optimizer', fromlist=['Adam'])
learn = Learner(dls, model, nn.functional.mse_loss, getattr(module, opt.split('.')[-1]), lr=.01)
cbs = [Slowly(), GradientClip(1.)] + [GradientAccumulation(n_acc)]*(n_acc > 0) + [CheckpointCallback(path, every=3)]*(path != '-')
with learn.no_bar(): learn.fit(4, cbs=cbs)
save_state(end, {'model': dict(model.state_dict()), 'opt': learn.opt.state_dict(), 'losses': learn.recorder.losses, 'values': learn.recorder.values})
'''


def start(*args): return subprocess.Popen([sys.executable, '-c', CHILD, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(child):
    said, _ = child.communicate(timeout=120)
    assert child.returncode == 0, said
    return said


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.skipif(os.name != 'posix', reason='kill -9 is a POSIX matter')
@pytest.mark.parametrize('opt, n_acc', [('Adam', 0), ('torch.AdamW', 20)])
def test_killed_at_random_moments_it_ends_with_the_same_bits(tmp_path, opt, n_acc):
    pytest.importorskip('dlcourse.training.learner')
    untouched = start('-', tmp_path/'untouched', opt, n_acc)
    finish(untouched)
    chance, path, places = random.Random(f'{opt}'), tmp_path/'run.safetensors', []
    for _ in range(12):
        child = start(path, tmp_path/'end', opt, n_acc)
        before = path.stat().st_mtime_ns if path.exists() else 0
        while child.poll() is None and (path.stat().st_mtime_ns if path.exists() else 0) == before: time.sleep(.001)
        time.sleep(chance.uniform(0, .12))
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        if (tmp_path/'end').exists(): break
        state = load_state(path) if path.exists() else load_state(path.with_name('run.previous.safetensors'))
        places.append((state['epoch'], state['batches']))
        if len(places) == 5: break
    assert len(set(places)) >= 3 and any(batches for _, batches in places), 'the kills came at different places, some within an epoch'
    finish(start(path, tmp_path/'end', opt, n_acc))
    a, b = load_state(tmp_path/'end'), load_state(tmp_path/'untouched')
    assert same(a, b), (places, [name for name in a if not same(a[name], b[name])])


def same(a, b):
    "Equal to the last bit."
    if isinstance(a, torch.Tensor): return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, dict): return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)): return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return a == b


@pytest.mark.alone
@pytest.mark.skipif(os.name != 'posix', reason='kill -9 is a POSIX matter')
def test_whoever_kills_a_writer_finds_a_whole_file(tmp_path):
    path = tmp_path/'run.safetensors'
    code = ('import sys, torch; from pathlib import Path; from dlcourse.training.checkpoint import save_next\n'
            'for i in range(10**6): save_next(Path(sys.argv[1]), {"i": i, "w": torch.full((300, 300), float(i))})')
    chance = random.Random(1)
    for _ in range(3):
        child = subprocess.Popen([sys.executable, '-c', code, str(path)])
        path.unlink(missing_ok=True)
        while not path.exists() and child.poll() is None: time.sleep(.001)
        time.sleep(chance.uniform(0, .1))
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        found = [load_state(p) for p in (path, path.with_name('run.previous.safetensors')) if p.exists()]
        assert found and all((state['w'] == state['i']).all() for state in found)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.bool, torch.uint8])
def test_every_dtype_comes_back(tmp_path, dtype):
    x = torch.tensor([[0, 1, 0], [1, 1, 0]]).to(dtype)
    shared = {'t': x.T, 'scalar': x[0, 1], 'empty': x[:0], 'again': x, 'row': x[0]}
    save_state(tmp_path/'a', shared)
    assert same(load_state(tmp_path/'a'), shared)


@pytest.mark.parametrize('make', [lambda p: torch.optim.SGD(p, .1, momentum=.9, nesterov=True), lambda p: torch.optim.Adam(p, amsgrad=True),
                                  lambda p: torch.optim.RMSprop(p, centered=True), lambda p: torch.optim.Adagrad(p), lambda p: torch.optim.Adamax(p),
                                  lambda p: torch.optim.AdamW([{'params': p[:1], 'lr': .1}, {'params': p[1:]}])])
def test_any_optimizer_of_pytorch_goes_on(tmp_path, make):
    def stepped(opt, params, times):
        for _ in range(times):
            opt.zero_grad()
            sum((p**2).sum() for p in params).backward()
            opt.step()
    params = [torch.ones(2, 3, requires_grad=True), torch.full((4,), 2., requires_grad=True)]
    opt = make(params)
    stepped(opt, params, 3)
    save_state(tmp_path/'a', {'w': [p.detach() for p in params], 'opt': opt.state_dict()})
    state = load_state(tmp_path/'a')
    others = [w.clone().requires_grad_() for w in state['w']]
    new = make(others)
    new.load_state_dict(state['opt'])
    stepped(opt, params, 3)
    stepped(new, others, 3)
    assert same([p.detach() for p in params], [p.detach() for p in others])


def test_nothing_in_the_file_is_run(tmp_path):
    "Another program's file, a pickle say, is called damaged, and not loaded."
    class Bad:
        def __reduce__(self): return Path.touch, (tmp_path/'ran',)
    torch.save({'model': Bad()}, tmp_path/'a.pt')
    with pytest.raises(DamagedCheckpoint, match='a.pt'): load_state(tmp_path/'a.pt')
    assert not (tmp_path/'ran').exists()


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    save_next(tmp_path/'a', 1)
    def full(*_): raise OSError(28, 'No space left on device')
    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='No space'): save_next(tmp_path/'a', 2)
    assert load_state(tmp_path/'a') == 1 and [p.name for p in tmp_path.iterdir()] == ['a']


class Leave(Callback):
    "Cancels something at one event of one epoch and batch."
    def __init__(self, event, cancels, epoch=1, batch=5):
        self.at, self.cancels = (epoch, batch), cancels
        setattr(self, event, self.look)

    def look(self):
        if self.learn.training and (self.learn.epoch, self.learn.iter) == self.at: raise self.cancels


def learner(*cbs, n_epoch=4):
    "A fit with all that a resumed one could get wrong: shuffled batches, dropout, batch norm, Adam's memory."
    seed_everything(3)
    x = torch.randn(90, 6)
    y = x[:, :1]*2 + torch.randn(90, 1)/5
    dls = DataLoaders(DataLoader((x, y), batch_size=8, shuffle=True), DataLoader((x[:40], y[:40]), batch_size=16))
    model = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(.3), nn.Linear(16, 1))
    learn = Learner(dls, model, nn.functional.mse_loss, lr=.01)
    with learn.no_bar(), suppress(KeyboardInterrupt): learn.fit(n_epoch, cbs=cbs)
    return learn


def state(learn):
    return {'model': dict(learn.model.state_dict()), 'opt': learn.opt.state_dict(), 'losses': learn.recorder.losses,
            'sizes': learn.recorder.sizes, 'values': [[None if v != v else v for v in row] for row in learn.recorder.values]}


@pytest.mark.parametrize('every', [None, 2, 3])
@pytest.mark.parametrize('cancels', [CancelEpochException, CancelTrainException])
@pytest.mark.parametrize('event', ['after_loss', 'after_backward', 'after_step', 'after_batch'])
@pytest.mark.parametrize('crash', [(1, 3), (2, 0), (2, 7), (3, 11)], ids=str)
def test_a_cancelled_epoch_is_over_for_the_resumed_run_too(tmp_path, event, cancels, every, crash):
    def cbs(): return [GradientAccumulation(24), Leave(event, cancels)]
    whole = learner(*cbs())
    learner(*cbs(), CheckpointCallback(tmp_path/'run.safetensors', every), Leave('before_batch', KeyboardInterrupt, *crash))
    torch.rand(3)
    again = learner(*cbs(), CheckpointCallback(tmp_path/'run.safetensors', every))
    assert same(state(again), state(whole)) and again.train_iter == whole.train_iter
    assert again.dls.train.epoch == whole.dls.train.epoch


def test_a_fit_that_was_stopped_early_stops_there_again(tmp_path):
    def cbs(): return [EarlyStoppingCallback('valid_loss', patience=2, min_delta=.5), SaveModelCallback(fname=str(tmp_path/'best'))]
    whole = learner(*cbs(), n_epoch=30)
    for every in (None, 3):
        path = tmp_path/f'run{every}.safetensors'
        first = learner(*cbs(), CheckpointCallback(path, every), n_epoch=30)
        assert 3 <= len(first.recorder.values) < 20
        for _ in range(2):
            again = learner(*cbs(), CheckpointCallback(path, every), n_epoch=30)
            assert same(state(again), state(whole)) and again.epoch == whole.epoch
    with again.no_bar(): again.fit(30, cbs=[*cbs(), CheckpointCallback(path, 3)])
    assert same(state(again), state(whole)), 'in the same process too'


def test_a_fit_that_was_stopped_within_an_epoch_goes_on(tmp_path):
    whole, path = learner(), tmp_path/'run.safetensors'
    for batch in (1, 4, 9): learner(CheckpointCallback(path, 2), Leave('after_batch', CancelFitException, 2, batch))
    assert same(state(learner(CheckpointCallback(path, 2))), state(whole))
