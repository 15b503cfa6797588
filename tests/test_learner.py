"The Learner's loop under strain: order of events, cancelling, errors, looking without touching, and the weights of a bare loop."
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.data.loader import DataLoader, DataLoaders
from dlcourse.foundations.metrics import accuracy, rmse
from dlcourse.foundations.optimizer import SGD, Adam
from dlcourse.training.callbacks import (
    EVENTS,
    Callback,
    CancelBatchException,
    CancelEpochException,
    CancelFitException,
    CancelTrainException,
    CancelValidException,
    GradientAccumulation,
)
from dlcourse.training.learner import Learner

SEEN = ['before_batch', 'after_pred', 'after_loss']
TRAINED = [*SEEN, 'before_backward', 'after_backward', 'before_step', 'after_step', 'after_batch']


class EventLog(Callback):
    "Every event, in order."
    order = -100
    def __init__(self): self.log = []


for event in EVENTS: setattr(EventLog, event, lambda self, event=event: self.log.append(event))


class Raises(Callback):
    "Raises `error` at an event of one pass's batch."
    def __init__(self, error, event, training=True, at=1):
        def act():
            if self.learn.training == training and self.learn.iter == at: raise error
        setattr(self, event, act)


def model():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(.2), nn.ReLU(), nn.Linear(6, 3))


def batches(n, bs, seed):
    g = torch.Generator().manual_seed(seed)
    x, y = torch.randn(n, 4, generator=g), torch.randint(3, (n,), generator=g)
    return list(zip(x.split(bs), y.split(bs)))


def learner(opt_func=SGD, **options):
    options = {'loss_func': F.cross_entropy, 'lr': .1, 'metrics': accuracy, **options}
    learn = Learner(DataLoaders(batches(22, 8, 0), batches(9, 4, 1)), model(), opt_func=opt_func, **options)
    learn.cbs = learn.cbs[:1] + learn.cbs[2:]  # no progress
    return learn


def weights(model): return torch.cat([t.detach().flatten().float() for t in model.state_dict().values()])


def test_events_come_in_exact_order():
    log = EventLog()
    learner().fit(2, cbs=log)
    epoch = ['before_epoch', 'before_train', *3*TRAINED, 'after_train', 'before_validate', *3*[*SEEN, 'after_batch'], 'after_validate', 'after_epoch']
    assert log.log == ['before_fit', *2*epoch, 'after_fit']


@pytest.mark.parametrize('error, training, event, after', [
    (CancelBatchException, True, 'before_step', ['after_cancel_batch', 'after_batch', 'before_batch']),
    (CancelBatchException, False, 'after_pred', ['after_cancel_batch', 'after_batch', 'before_batch']),
    (CancelTrainException, True, 'after_loss', ['after_cancel_train', 'after_train', 'before_validate']),
    (CancelValidException, False, 'after_batch', ['after_cancel_validate', 'after_validate', 'after_epoch']),
    (CancelEpochException, True, 'after_batch', ['after_cancel_epoch', 'after_epoch', 'before_epoch']),
    (CancelFitException, False, 'before_batch', ['after_cancel_fit', 'after_fit']),
])
def test_cancelling_goes_as_far_as_its_name_says(error, training, event, after):
    log = EventLog()
    learner().fit(2, cbs=[log, Raises(error, event, training)])
    start = log.log.index(after[0])
    assert log.log[start:start + len(after)] == after and log.log[start - 1] == event
    assert log.log[-1] == 'after_fit' and log.log.count('before_fit') == log.log.count('after_fit') == 1


@pytest.mark.parametrize('error', [KeyboardInterrupt, ValueError('odd'), RuntimeError('torn')])
def test_after_fit_always_comes(error):
    log, learn = EventLog(), learner()
    before = list(learn.cbs)
    with pytest.raises(type(error) if isinstance(error, Exception) else error): learn.fit(3, cbs=[log, Raises(error, 'after_pred')])
    assert log.log[-1] == 'after_fit' and learn.cbs == before
    learn.fit(1)
    assert len(learn.recorder.values) == 1, 'and it can be fitted again'


def test_after_fit_comes_to_all_even_if_one_fails():
    class Fails(Callback):
        order = -200
        def after_fit(self): raise OSError('disk')
    log = EventLog()
    with pytest.raises(OSError, match='disk'): learner().fit(1, cbs=[Fails(), log])
    assert log.log[-1] == 'after_fit'


def test_errors_keep_their_type_and_name_epoch_and_batch():
    learn = learner()
    with pytest.raises(KeyError) as caught: learn.fit(2, cbs=Raises(KeyError('colour'), 'after_loss', at=2))
    assert 'epoch 0, training batch 2 of 3' in str(caught.value) and '(6, 4) float32' in str(caught.value)
    with pytest.raises(ValueError, match=r'epoch 0, validation batch 1 of 3'): learn.fit(1, cbs=Raises(ValueError('odd'), 'after_pred', training=False))


def test_an_error_of_the_loader_names_the_batch_it_was_making():
    def torn():
        yield from batches(16, 8, 0)
        raise OSError('the disk is gone')
    learn = Learner(SimpleNamespace(train=torn(), valid=None), model(), F.cross_entropy)
    learn.cbs = learn.cbs[:1]
    with pytest.raises(OSError, match='loading epoch 0, training batch 2'): learn.fit(1)


def test_too_little_memory_says_what_to_change():
    for error in (RuntimeError('CUDA out of memory. Tried to allocate 1 GiB'), torch.OutOfMemoryError('CUDA out of memory.'), MemoryError('no')):
        with pytest.raises(type(error), match=r'bs=4 in place of 8.*GradientAccumulation\(8\)'): learner().fit(1, cbs=Raises(error, 'after_backward'))


@pytest.mark.parametrize('opt_func', [SGD, Adam, torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop, torch.optim.Adagrad])
def test_weights_are_those_of_a_bare_loop_bit_for_bit(opt_func):
    learn, bare = learner(opt_func), model()
    opt = opt_func(bare.parameters(), lr=.1)
    torch.manual_seed(3)
    learn.fit(1)
    learn.fit(2)
    torch.manual_seed(3)
    for _ in range(3):
        for xb, yb in batches(22, 8, 0):
            F.cross_entropy(bare(xb), yb).backward()
            opt.step()
            opt.zero_grad()
    assert torch.equal(weights(learn.model), weights(bare))


def test_fit_again_goes_on():
    once, twice = learner(Adam), learner(Adam)
    torch.manual_seed(3)
    once.fit(4)
    torch.manual_seed(3)
    twice.fit(2)
    twice.fit(2)
    assert torch.equal(weights(once.model), weights(twice.model))


def test_an_optimizer_follows_a_new_model_and_reset_opt_forgets():
    learn = learner(Adam)
    learn.fit(1)
    first = learn.opt
    learn.fit(1, .2, wd=.01)
    assert learn.opt is first and first.param_groups[0]['lr'] == .2 and first.param_groups[0]['weight_decay'] == .01
    learn.fit(1, reset_opt=True)
    assert learn.opt is not first
    learn.model = model()
    start = weights(learn.model)
    learn.fit(1)
    assert not torch.equal(weights(learn.model), start), 'the new model has learned'


def states(): return torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()


def test_validate_touches_nothing():
    learn = learner()
    items = torch.utils.data.TensorDataset(torch.randn(9, 4), torch.randint(3, (9,)))
    learn.dls = DataLoaders(learn.dls.train, torch.utils.data.DataLoader(items, 4, shuffle=True))
    learn.fit(1)
    learn.model.train()
    learn.model[1].eval()
    for p in learn.model.parameters(): p.grad = torch.ones_like(p)
    modes, before, chance = [layer.training for layer in learn.model.modules()], weights(learn.model), states()
    for look in (learn.validate, learn.get_preds, learn.summary, lambda: learn.predict(torch.randn(4, generator=torch.Generator()))):
        look()
        assert [layer.training for layer in learn.model.modules()] == modes and states() == chance
        assert torch.equal(weights(learn.model), before) and all((p.grad == 1).all() for p in learn.model.parameters())


def test_looking_between_epochs_does_not_change_the_weights():
    def trained(valid):
        learn = learner()
        learn.dls = DataLoaders(DataLoader((torch.arange(80.).view(20, 4)/80, torch.arange(20) % 3), bs=6, shuffle=True), valid)
        torch.manual_seed(5)
        learn.fit(3)
        return weights(learn.model)
    shuffled = torch.utils.data.DataLoader([(torch.ones(4), 1)]*7, 2, shuffle=True)
    assert torch.equal(trained(None), trained(shuffled))


def test_metrics_and_losses_are_exact_over_unequal_batches():
    learn = learner()
    learn.fit(1)
    x, y = (torch.cat(part) for part in zip(*learn.dls.valid))
    loss, acc = learn.validate()
    preds = learn.model(x).detach()
    assert abs(loss - F.cross_entropy(preds, y).item()) < 1e-6 and abs(acc - (preds.argmax(1) == y).float().mean().item()) < 1e-7
    assert learn.recorder.values[-1][1:] == [loss, acc]


def test_get_preds_keeps_the_order_and_predict_agrees():
    learn = learner()
    x, y = (torch.cat(part) for part in zip(*learn.dls.valid))
    probs, targs, losses = learn.get_preds(with_loss=True)
    learn.model.eval()
    torch.testing.assert_close(probs, learn.model(x).softmax(1).detach())
    assert torch.equal(targs, y)
    torch.testing.assert_close(losses, F.cross_entropy(learn.model(x), y, reduction='none').detach())
    for i in (0, 8):
        _, index, prob = learn.predict(x[i])
        torch.testing.assert_close(prob, probs[i])
        assert index == probs[i].argmax()


def test_several_inputs_and_several_targets():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2)
        def forward(self, a, b): return self.layer(torch.cat([a, b], 1))
    def loss(pred, first, second): return F.mse_loss(pred[:, 0], first) + F.mse_loss(pred[:, 1], second)
    g = torch.Generator().manual_seed(0)
    data = [(torch.randn(5, 1, generator=g), torch.randn(5, 2, generator=g), torch.randn(5), torch.randn(5))]
    learn = Learner(SimpleNamespace(train=data, valid=data, n_inp=2), Two(), loss)
    learn.cbs = learn.cbs[:1]
    learn.fit(2)
    preds, targs = learn.get_preds()
    assert preds.shape == (5, 2) and torch.equal(targs[1], data[0][3])
    assert learn.predict((data[0][0][0], data[0][1][0]))[2].shape == (2,)


def points(**options):
    "A model of two points in a picture, whose answers lie flat."
    data = DataLoader((torch.randn(12, 3), torch.randn(12, 2, 2)), 4)
    return Learner(DataLoaders(data, data), nn.Linear(3, 4), lambda preds, targs: F.mse_loss(preds, targs.flatten(1)), **options)


def test_metrics_see_points_laid_out_flat():
    learn = points(metrics=rmse)
    learn.fit(1)
    loss, error = learn.validate()
    assert error == pytest.approx(loss**.5, rel=1e-5)


def test_a_metric_that_cannot_work_fails_at_the_first_batch():
    log = EventLog()
    with pytest.raises(ValueError) as caught: points(metrics=accuracy, cbs=log).fit(1)
    assert 'The metric accuracy got outputs (4, 4) and targets (4, 2, 2).' in str(caught.value) and 'training batch 0 of 3' in str(caught.value)
    assert 'before_backward' not in log.log
    learn = points(metrics=accuracy)
    learn.dls.valid = []
    learn.fit(1)  # no validation, no metric


def test_the_first_look_of_a_metric_leaves_no_trace():
    seen = []
    def noise(preds, targs):
        seen.append(preds.requires_grad)
        return torch.rand(())
    def trained(metrics):
        torch.manual_seed(0)
        learn = learner(metrics=metrics)
        learn.fit(2)
        return weights(learn.model), learn.recorder.values[-1][-1]
    (with_noise, _), (without, _) = trained([noise]), trained([])
    assert torch.equal(with_noise, without) and not any(seen)
    class Soft(Callback):
        def before_batch(self):
            if self.learn.training: self.learn.yb = (F.one_hot(self.learn.yb[0], 3).float(),)
    learner(metrics=accuracy, cbs=Soft()).fit(1)  # whose targets are of another kind while it trains


def test_without_targets_there_is_nothing_to_compare_with():
    learn = points()
    learn.dls.show_results = lambda *args, **options: 'shown'
    assert learn.show_results() == 'shown'
    for look in (learn.validate, learn.show_results):
        with pytest.raises(ValueError, match='compares with targets, and these batches have none'): look(DataLoader((torch.randn(6, 3),), 4))
    assert len(learn.get_preds(DataLoader((torch.randn(6, 3),), 4))[0]) == 6 and learn.validate()


def test_get_preds_where_batches_are_padded_to_different_counts():
    data = [(torch.randn(2, 3), torch.zeros(2, 3, 4)), (torch.randn(1, 3), torch.ones(1, 5, 4))]
    learn = Learner(DataLoaders(data, data), nn.Linear(3, 4), lambda preds, targs: (preds - targs.mean(1)).square().mean())
    preds, boxes = learn.get_preds()
    assert preds.shape == (3, 4) and [tuple(b.shape) for b in boxes] == [(3, 4), (3, 4), (5, 4)] and boxes[2].all()


def test_accumulation_is_one_step_on_the_whole():
    def trained(bs, cbs):
        learn = Learner(DataLoaders(batches(16, bs, 0), []), nn.Linear(4, 3), F.cross_entropy, SGD, .1)
        learn.cbs = learn.cbs[:1]
        with torch.no_grad(): [p.fill_(.1) for p in learn.model.parameters()]
        learn.fit(2, cbs=cbs)
        return weights(learn.model)
    torch.testing.assert_close(trained(4, GradientAccumulation(16)), trained(16, ()))


def test_a_fit_without_validation_and_one_without_epochs():
    learn = learner()
    learn.dls = DataLoaders(learn.dls.train, [])
    learn.fit(1)
    assert np.isnan(learn.recorder.values[0][1])
    learn.fit(0)
    assert learn.recorder.values == []
    with pytest.raises(ValueError, match='no validation batches'): learn.validate()


def test_saved_weights_come_back(tmp_path):
    learn, other = learner(Adam, path=tmp_path), learner(Adam, path=tmp_path)
    torch.manual_seed(3)
    learn.fit(1)
    file = learn.save('one')
    assert file == tmp_path/'models'/'one.safetensors' and file.exists()
    other.load('one')
    for each in (learn, other):
        torch.manual_seed(4)
        each.fit(1)
    assert torch.equal(weights(learn.model), weights(other.model))
    with pytest.raises(FileNotFoundError): learn.load('two')


@pytest.mark.gpu
def test_model_and_batches_go_to_the_gpu():
    learn = learner()
    learn.dls.to('cuda')
    learn.fit(2)
    assert next(learn.model.parameters()).is_cuda and learn.xb[0].is_cuda and not learn.get_preds()[0].is_cuda
