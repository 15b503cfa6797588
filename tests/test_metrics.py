"""Metrics against figures worked out elsewhere: in whole numbers, by the statistics module, by scikit-learn and SciPy.

However the items fall into batches, a running figure is the same; for shares, to the last bit.
"""
import math
import statistics
from fractions import Fraction
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcourse.core.device import device_works
from dlcourse.core.testing import assert_tensor
from dlcourse.foundations.losses import mse
from dlcourse.foundations.metrics import (
    AvgMetric,
    ItemMetric,
    accuracy,
    as_metric,
    confidence_interval,
    error_rate,
    interval_of,
    mean_interval,
    rmse,
)

sizes = st.lists(st.integers(1, 9), min_size=1, max_size=8)  # of the batches
seeds = st.integers(0, 2**31)
few = settings(max_examples=60, deadline=None)


def draw(n, n_classes, seed):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(n, n_classes, generator=g), torch.randint(n_classes, (n,), generator=g)


def run(metric, preds, targs, batches):
    metric.reset()
    for x, y in zip(preds.split(batches), targs.split(batches)): metric.update(x, y)
    return metric


def by_hand(preds, targs): return sum(row.index(max(row)) == t for row, t in zip(preds.tolist(), targs.tolist()))


# ---- one batch ----

@few
@given(st.integers(1, 40), st.integers(2, 6), seeds)
def test_accuracy_is_the_share_counted_by_hand(n, n_classes, seed):
    preds, targs = draw(n, n_classes, seed)
    assert_tensor(accuracy(preds, targs), torch.tensor(by_hand(preds, targs)/n))
    assert_tensor(error_rate(preds, targs), torch.tensor(1 - by_hand(preds, targs)/n))
    assert_tensor(accuracy(preds.double(), targs.int()), accuracy(preds, targs))
    assert_tensor(accuracy(preds.T, targs, axis=0), accuracy(preds, targs))


def test_scikit_learn_agrees():
    metrics = pytest.importorskip('sklearn.metrics')
    preds, targs = draw(113, 7, 0)
    assert accuracy(preds, targs).item() == pytest.approx(metrics.accuracy_score(targs, preds.argmax(1)), abs=1e-7)
    guess, real = torch.randn(57, 3, dtype=torch.float64), torch.randn(57, 3, dtype=torch.float64)
    assert rmse(guess, real).item() == pytest.approx(math.sqrt(metrics.mean_squared_error(real, guess)), rel=1e-12)


@pytest.mark.parametrize('preds, targs, error, words', [
    (torch.randn(4, 1), torch.tensor([0, 1, 1, 0]), ValueError, 'batch_accuracy'),
    (torch.randn(4, 3), torch.tensor([[0], [1], [1], [0]]), ValueError, 'squeeze'),
    (torch.randn(4, 3), torch.tensor([0]), ValueError, 'need targs of shape (4,)'),
    (torch.randn(4, 3), torch.zeros(4, 3).long(), ValueError, 'argmax'),
    (torch.randn(4, 3), torch.zeros(4, 3), ValueError, '((preds > 0) == (targs > .5)).float().mean()'),
    (torch.randn(4, 3), torch.zeros(4, 3).bool(), ValueError, 'Several labels at once?'),
    (torch.randn(4, 3, 8, 9), torch.zeros(4, 8, 9).long(), ValueError, 'partial(accuracy, axis=1)'),
    (torch.randn(4, 3), torch.tensor([0, 1, 3, 0]), ValueError, 'run from 0 to 3'),
    (torch.randn(4, 3), torch.tensor([0, 1, -1, 0]), ValueError, 'run from -1 to 1'),
    (torch.randn(0, 3), torch.zeros(0).long(), ValueError, 'empty'),
    (torch.randn(4, 2), torch.tensor([False, True, True, False]), TypeError, 'long()'),
    (torch.randn(4, 3), torch.tensor([0., 1., 1., 0.]), TypeError, 'long()'),
    (torch.randn(4, 3) > 0, torch.tensor([0, 1, 1, 0]), TypeError, 'scores'),
    (torch.tensor([0, 1, 1, 0]), torch.tensor([0, 1, 1, 0]), TypeError, 'scores')])
def test_what_would_be_counted_wrongly_is_refused(preds, targs, error, words):
    for f in (accuracy, error_rate, as_metric(accuracy).update):
        with pytest.raises(error) as e: f(preds, targs)
        assert words in str(e.value)


@few
@given(st.integers(1, 30), seeds)
def test_rmse_is_the_root_of_the_mean_square(n, seed):
    g = torch.Generator().manual_seed(seed)
    guess, real = torch.randn(n, 1, generator=g, dtype=torch.float64), torch.randn(n, generator=g, dtype=torch.float64)
    expected = math.sqrt(statistics.fmean((a - b)**2 for a, b in zip(guess.flatten().tolist(), real.tolist())))
    for a, b in [(guess, real), (guess.squeeze(1), real), (guess, real.unsqueeze(1)), (guess.squeeze(1), real.unsqueeze(1))]:
        assert rmse(a, b).item() == pytest.approx(expected, rel=1e-12)


def test_rmse_never_broadcasts_and_survives_half_precision():
    for a, b in [((4, 2), (4,)), ((4,), (1,)), ((1, 1), (4,)), ((4, 4), (4, 3, 2)), ((4, 4), (2, 2)), ((2, 2), (4,))]:
        with pytest.raises(ValueError, match='do not pair up'): rmse(torch.ones(a), torch.zeros(b))
    for bad in (torch.ones(3).long(), torch.ones(3, dtype=torch.complex64)):
        with pytest.raises(TypeError): rmse(bad, torch.zeros(3))
    for dtype in (torch.float16, torch.bfloat16): assert_tensor(rmse(torch.full((3,), 1000., dtype=dtype), torch.zeros(3, dtype=dtype)), torch.tensor(1000.))
    assert rmse(torch.ones(2), torch.tensor([1, 4])).item() == pytest.approx(math.sqrt(4.5))


def test_errors_of_items_laid_out_flat():
    points, said = torch.randn(5, 2, 2), torch.randn(5, 4)
    wanted = (said - points.flatten(1)).square().mean()
    assert_tensor(rmse(said, points), wanted.sqrt())
    for f, value in [(rmse, wanted.sqrt()), (mse, wanted)]:
        metric = run(as_metric(f), said, points, [3, 2])
        assert metric.value.item() == pytest.approx(value.item(), rel=1e-6) and metric.name == f.__name__ and interval_of(metric)
    assert_tensor(rmse(torch.ones(4, 1, 2), torch.zeros(4, 2)), torch.tensor(1.))
    assert_tensor(rmse(torch.tensor(3.), torch.tensor(1.)), torch.tensor(2.))


def test_inputs_stay_as_they_are():
    preds, targs = draw(5, 3, 1)
    copies = preds.clone(), targs.clone()
    for f in (accuracy, error_rate, as_metric(accuracy).update): f(preds, targs)
    assert torch.equal(preds, copies[0]) and torch.equal(targs, copies[1])


# ---- many batches ----

@few
@given(sizes, st.integers(2, 5), seeds)
def test_any_split_gives_the_same_share_to_the_last_bit(batches, n_classes, seed):
    n = sum(batches)
    preds, targs = draw(n, n_classes, seed)
    right = by_hand(preds, targs)
    assert run(as_metric(accuracy), preds, targs, batches).value.item() == right/n
    assert run(as_metric(error_rate), preds, targs, batches).value.item() == (n - right)/n
    assert Fraction(int(run(as_metric(accuracy), preds, targs, batches).total), n) == Fraction(right, n)


@few
@given(sizes, seeds)
def test_any_split_gives_the_same_root_and_interval(batches, seed):
    g = torch.Generator().manual_seed(seed)
    n = sum(batches)
    guess, real = torch.randn(n, 1, generator=g, dtype=torch.float64), torch.randn(n, generator=g, dtype=torch.float64)
    metric, whole = run(as_metric(rmse), guess, real, batches), run(as_metric(rmse), guess, real, [n])
    assert metric.value.item() == pytest.approx(rmse(guess, real).item(), rel=1e-12)
    if n > 1: assert interval_of(metric) == pytest.approx(interval_of(whole), rel=1e-6, abs=1e-9)


@few
@given(sizes, seeds)
def test_a_mean_of_batches_is_weighed(batches, seed):
    g = torch.Generator().manual_seed(seed)
    n = sum(batches)
    guess, real = torch.randn(n, generator=g, dtype=torch.float64), torch.randn(n, generator=g, dtype=torch.float64)
    for f in (torch.nn.functional.l1_loss, lambda p, t: float((p - t).abs().mean())):
        assert run(AvgMetric(f), guess, real, batches).value.item() == pytest.approx((guess - real).abs().mean().item(), rel=1e-12)


def test_reset_forgets_and_before_the_first_item_there_is_no_figure():
    preds, targs = draw(6, 3, 2)
    for metric in (as_metric(accuracy), as_metric(rmse), AvgMetric(torch.nn.functional.mse_loss)):
        assert math.isnan(metric.value)
        with pytest.raises((TypeError, ValueError)): interval_of(metric)
    metric = as_metric(accuracy)
    for x, y in zip(preds, targs):
        metric.reset()
        metric.update(x[None], y[None])
        assert metric.n == 1 and metric.value.item() == (x.argmax() == y).item()


def test_nothing_is_read_and_no_graph_is_kept():
    "A tensor on the device meta holds no values: whatever reads one, fails."
    on_meta = torch.zeros(4, 3, device='meta'), torch.zeros(4, dtype=torch.int64, device='meta')
    for metric in (as_metric(accuracy), as_metric(error_rate), AvgMetric(lambda p, t: p.mean())):
        for _ in range(3): metric.update(*on_meta)
        assert metric.n == 12 and metric.value.is_meta
    metric = as_metric(rmse)
    metric.update(torch.ones(3, requires_grad=True), torch.zeros(3))
    assert not metric.value.requires_grad


@pytest.mark.parametrize('device', [*filter(device_works, ['cpu', 'mps']), pytest.param('cuda', marks=pytest.mark.gpu)])
def test_sums_stay_where_the_batches_are(device):
    preds, targs = draw(50, 4, 3)
    there = preds.to(device), targs.to(device)
    for f in (accuracy, error_rate):
        if device == 'cuda': torch.cuda.set_sync_debug_mode('error')
        try: metric = run(as_metric(f), *there, [20, 30])
        finally:
            if device == 'cuda': torch.cuda.set_sync_debug_mode('default')
        assert metric.value.device.type == device
        assert metric.value.item() == pytest.approx(f(preds, targs).item(), abs=1e-7)
    assert run(as_metric(rmse), preds.to(device), preds.flip(1).to(device), [20, 30]).value.device.type == device


def test_functions_become_running_ones():
    assert isinstance(as_metric(partial(accuracy, axis=1)), ItemMetric) and as_metric(partial(accuracy, axis=1)).name == 'accuracy'
    words, targs = torch.randn(4, 5, 3), torch.randint(3, (4, 3))
    assert run(as_metric(partial(accuracy, axis=1)), words, targs, [3, 1]).value.item() == pytest.approx(accuracy(words, targs, axis=1).item())
    assert isinstance(as_metric(torch.nn.MSELoss()), AvgMetric) and as_metric(torch.nn.MSELoss()).name == 'MSELoss'
    for bad in ('accuracy', None, AvgMetric, 3):
        with pytest.raises(TypeError, match='A metric is a function'): as_metric(bad)
    with pytest.raises(ValueError, match='one number'): AvgMetric(lambda p, t: p).update(torch.ones(3), torch.ones(3))
    tuple_of_targets = AvgMetric(lambda p, t: p.mean())
    tuple_of_targets.update(torch.ones(3), (torch.ones(3), torch.ones(1)))
    assert tuple_of_targets.n == 3


# ---- intervals ----

@few
@given(st.integers(1, 5000), st.data(), st.sampled_from([.5, .9, .95, .99]))
def test_wilsons_ends_are_just_not_surprised(n, data, level):
    right = data.draw(st.integers(0, n))
    z = statistics.NormalDist().inv_cdf((1 + level)/2)
    low, high = confidence_interval(right/n, n, level)
    assert 0 <= low <= right/n + 1e-12 and right/n - 1e-12 <= high <= 1
    for p in (low, high): assert (right/n - p)**2 == pytest.approx(z*z*p*(1 - p)/n, rel=1e-6, abs=1e-12)


def test_scipy_agrees():
    stats = pytest.importorskip('scipy.stats')
    for right, n, level in [(9, 10, .95), (900, 1000, .95), (0, 7, .99), (7, 7, .9), (1, 1, .95), (30, 97, .8)]:
        theirs = stats.binomtest(right, n).proportion_ci(level, method='wilson')
        assert confidence_interval(right/n, n, level) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    x = torch.randn(200, dtype=torch.float64)
    theirs = stats.norm.interval(.9, loc=x.mean().item(), scale=stats.sem(x))
    assert mean_interval(x.mean(), x.std(), 200, .9) == pytest.approx(theirs, rel=1e-12)


def test_no_end_leaves_the_shares():
    for n in range(1, 400):
        assert confidence_interval(0, n)[0] == pytest.approx(0, abs=1e-12) and confidence_interval(0, n)[0] >= 0
        assert confidence_interval(1, n)[1] == pytest.approx(1, abs=1e-12) and confidence_interval(1, n)[1] <= 1


def test_the_interval_beside_a_share():
    preds, targs = draw(90, 4, 5)
    for f, right in [(accuracy, by_hand(preds, targs)), (error_rate, 90 - by_hand(preds, targs))]:
        assert interval_of(run(as_metric(f), preds, targs, [40, 40, 10]), .9) == confidence_interval(right/90, 90, .9)


def test_the_interval_beside_a_root():
    errors = torch.randn(300, dtype=torch.float64)
    metric = run(as_metric(rmse), errors, torch.zeros(300), [128, 128, 44])
    low, high = mean_interval(statistics.fmean((errors**2).tolist()), statistics.stdev((errors**2).tolist()), 300)
    assert interval_of(metric) == pytest.approx((math.sqrt(low), math.sqrt(high)), rel=1e-9)
    wild = run(as_metric(rmse), torch.tensor([0., 0., 9.]), torch.zeros(3), [2, 1])
    assert interval_of(wild)[0] == 0, 'the low end of a mean square may fall below 0; a root is never nan'


@pytest.mark.parametrize('bad', [(.5, 0), (1.1, 5), (-.1, 5), (math.nan, 5), (90, 100), (.5, 5, 95), (.5, 5, 0)])
def test_what_is_no_share_is_refused(bad):
    with pytest.raises(ValueError): confidence_interval(*bad)
