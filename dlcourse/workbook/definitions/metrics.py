"Exercises of the lesson metrics: what to write, what it is held against, what is refused."
import math

import torch
from torch import tensor
from torch.nn import functional as F

from ..contract import Case, Exercise, Wrong

# ---- share_right: one line and a check ----

def share_right(scores, targs):
    "Share of rows of `scores` (bs, n_classes) whose largest score is at the class in `targs` (bs,); a ValueError for other shapes."
    if scores.shape[:1] != targs.shape: raise ValueError(f'scores {tuple(scores.shape)}, classes {tuple(targs.shape)}')
    return (scores.argmax(1) == targs).float().mean()

def share_right_by_max(scores, targs):
    if targs.ndim != 1 or len(scores) != len(targs): raise ValueError('not one row for each class')
    return 1 - (scores.max(dim=1).indices != targs).sum()/len(targs)

def share_right_spec(scores, targs):
    hits = [max(range(len(row)), key=row.__getitem__) == t for row, t in zip(scores.tolist(), targs.tolist())]
    return tensor(sum(hits)/len(hits))

def share_right_cases(g):
    return [Case((tensor([[2., .1, .3], [.2, .9, 1.5], [1.1, .4, .8], [.3, .2, 2.2]]), tensor([0, 1, 2, 2])), 'four rows of three scores'),
            Case((torch.randn(7, 5, generator=g) - 3, tensor([0, 4, 1, 3, 2, 1, 1])), 'seven rows of five scores, most of them negative'),
            Case((torch.randn(1, 3, generator=g, dtype=torch.float64), tensor([1])), 'a batch of one, float64'),
            Case((torch.randn(6, 2, generator=g), tensor([0, 1, 1, 1, 0, 1])), 'six rows, two classes')]

def share_right_refuses(g):
    return [Case((torch.randn(4, 3, generator=g), tensor([1])), 'four rows, one class'),
            Case((torch.randn(1, 3, generator=g), tensor([1, 0, 2, 2])), 'one row, four classes'),
            Case((torch.randn(4, 3, generator=g), tensor([[1], [0], [2], [2]])), 'the classes in a column')]

SHARE_RIGHT = Exercise(
    name='share_right', task='The share of right answers from scores (bs, n_classes) and classes (bs,): float32, shape (). '
                             'Anything but one row of scores for each class is refused with a `ValueError`.',
    reference=share_right, alternative=share_right_by_max, spec=share_right_spec, cases=share_right_cases, refuses=share_right_refuses,
    hints=('The answer to a row is the number of its largest score: `argmax`, along which axis?', '`scores.argmax(1) == targs` is True where the answer is right.',
           '`.float().mean()` makes a share of it. Before that, compare `scores.shape[:1]` with `targs.shape`.'),
    wrong=(Wrong(lambda scores, targs: (scores.argmax(1, keepdim=True) == targs).float().mean(), 'value',
                 '`keepdim` left a column, (bs, 1) against (bs,): every answer met every target.'),
           Wrong(lambda scores, targs: ((scores[:, 1] > .5) == targs).float().mean(), 'value',
                 'One score above a half decides nothing here. The largest of all the scores in a row is the answer.'),
           Wrong(lambda scores, targs: (scores.argmax(1) != targs).float().mean(), 'value', 'That is the share of wrong answers, the error rate.'),
           Wrong(lambda scores, targs: (scores.argmin(1) == targs).float().mean(), 'value', 'You took the smallest score of each row.'),
           Wrong(lambda scores, targs: (scores.argmax(1) == targs).float().sum(), 'value', 'That is how many are right. Their share is asked for.'),
           Wrong(lambda scores, targs: (scores.argmax(0) == targs).float().mean(), 'error', '`argmax(0)` looks for the best row of each class. The classes are along axis 1.'),
           Wrong(lambda scores, targs: (scores.argmax(1) == targs).float().mean().item(), 'shape', 'A plain Python number came back; a tensor of shape () is asked for.'),
           Wrong(lambda scores, targs: (scores.argmax(1) == targs).double().mean(), 'dtype', 'The share is right, but it is float64, and float32 was asked for.'),
           Wrong(lambda scores, targs: (scores.argmax(1) == targs).float().mean(), 'refusal', 'Shapes that do not pair up were stretched until they did. Compare them first.')))


# ---- says_yes: a threshold on logits ----

def says_yes(logits, p):
    "Which of `logits` have a probability above `p`: True and False, of their shape."
    return logits > math.log(p/(1 - p))

def says_yes_by_sigmoid(logits, p): return torch.sigmoid(logits.double()) > p

def says_yes_spec(logits, p):
    def probability(x): return 1/(1 + math.exp(-x)) if x > -700 else 0.
    return tensor([probability(x) > p for x in logits.flatten().tolist()]).view(logits.shape)

def says_yes_cases(g):
    return [Case((tensor([-1.2, .3, 2., 0., .6, -.4]), .5), 'six logits, one half'),
            Case((tensor([-1.2, .3, 2., 0., -3.]), .2), 'five logits, a fifth'),
            Case((torch.randn(4, 3, generator=g)*2, .9), 'four rows of three, nine tenths'),
            Case((torch.randn(1, 1, generator=g), .3), 'a batch of one'),
            Case((tensor([-1e4, 1e4, -20.]), .7), 'logits of 10,000')]

SAYS_YES = Exercise(
    name='says_yes', task='Which logits have a probability above `p`: True and False, of the shape of the logits, for any `p` between 0 and 1, also at logits of 10,000 on either side.',
    reference=says_yes, alternative=says_yes_by_sigmoid, spec=says_yes_spec, cases=says_yes_cases,
    hints=('The sigmoid turns a logit into a probability.', 'It keeps the order. So which logit becomes exactly `p`?', 'Solve p = 1/(1 + exp(-x)) for x: it is log(p/(1 - p)).'),
    wrong=(Wrong(lambda logits, p: logits > p, 'value', 'You compared a logit with a probability. One half as a probability is 0 as a logit.'),
           Wrong(lambda logits, p: logits > 0, 'value', '0 is the border for one half only; `p` may be anything between 0 and 1.'),
           Wrong(lambda logits, p: logits.sigmoid() >= p, 'value', 'A probability of exactly `p` is not above it.'),
           Wrong(lambda logits, p: logits > math.log(p), 'value', 'That is the log of the probability. A logit is the log of the odds, p/(1 - p).'),
           Wrong(lambda logits, p: (logits > math.log(p/(1 - p))).float(), 'dtype', 'Ones and zeros are not True and False; leave the comparison as it is.'),
           Wrong(lambda logits, p: (logits > math.log(p/(1 - p))).any(), 'shape', 'One answer came back for all. One for each logit is asked for.'),
           Wrong(lambda logits, p: logits.sigmoid_() > p, 'inputs', '`sigmoid_` with an underscore overwrote the logits of whoever called you.')))


# ---- f_one: from counts ----

def f_one(says, truth):
    "F1 of two bool tensors (n,): the harmonic mean of precision and recall, float32, shape (); 0 when nothing was hit."
    hits = (says & truth).sum()
    return 2*hits/(says.sum() + truth.sum()).clamp(min=1)

def f_one_by_means(says, truth):
    hits = (says & truth).float().sum()
    if hits == 0: return hits
    precision, recall = hits/says.sum(), hits/truth.sum()
    return 2*precision*recall/(precision + recall)

def f_one_spec(says, truth):
    pairs = list(zip(says.tolist(), truth.tolist()))
    hits, false_alarms, missed = pairs.count((True, True)), pairs.count((True, False)), pairs.count((False, True))
    return tensor(2*hits/(2*hits + false_alarms + missed) if hits else 0.)

def f_one_cases(g):
    def draw(n): return torch.rand(n, generator=g) < .4
    return [Case((tensor([True, True, True, False, False, False, False]), tensor([True, False, False, True, False, False, False])), 'seven items, one hit'),
            Case((draw(40), draw(40)), 'forty items'),
            Case((tensor([True]*9), tensor([True] + [False]*8)), 'all of nine called, one there'),
            Case((tensor([False]*4), tensor([False, True, False, True])), 'nothing called'),
            Case((tensor([True, False, False]), tensor([False]*3)), 'nothing there to find'),
            Case((tensor([False]*5), tensor([False]*5)), 'nothing called, nothing there'),
            Case((tensor([True]), tensor([True])), 'a batch of one')]

def precision_recall(says, truth):
    hits = (says & truth).sum()
    return hits/says.sum().clamp(min=1), hits/truth.sum().clamp(min=1)

def f_one_unguarded(says, truth):
    hits = (says & truth).sum()
    return 2*hits/(says.sum() + truth.sum())

def f_one_filled(says, truth):
    out = torch.zeros(())
    out += f_one(says, truth)
    return out

F_ONE = Exercise(
    name='f_one', task='The harmonic mean of precision and recall from two bool tensors (n,): float32, shape (). When nothing was hit, it is 0.',
    reference=f_one, alternative=f_one_by_means, spec=f_one_spec, cases=f_one_cases,
    hints=('Precision is hits over called, recall is hits over there. What is 2/(1/p + 1/r) then?', 'It is 2*hits/(called + there).',
           'Where nothing was called and nothing is there, hits is 0 as well: divide by at least 1, with `.clamp(min=1)`.'),
    wrong=(Wrong(lambda says, truth: sum(precision_recall(says, truth))/2, 'value', 'That is the arithmetic mean. Calling everything would score above a half.'),
           Wrong(f_one_unguarded, 'value', '0/0 is nan. When nothing was called and nothing is there, the answer is to be 0.'),
           Wrong(lambda says, truth: (says == truth).float().mean(), 'value', 'That is accuracy: it counts what was rightly left alone as well.'),
           Wrong(lambda says, truth: precision_recall(says, truth)[0], 'value', 'That is precision alone. What was missed does not count in it.'),
           Wrong(lambda says, truth: precision_recall(says, truth)[1], 'value', 'That is recall alone. False alarms do not count in it.'),
           Wrong(precision_recall, 'shape', 'Precision and recall came back as a pair. Their harmonic mean is asked for.'),
           Wrong(lambda says, truth: f_one(says, truth).double(), 'dtype', 'The figure is right, but it is float64, and float32 was asked for.'),
           Wrong(f_one_filled, 'device', 'The figure was put into a tensor on the default device, not where the inputs live.')))


# ---- mean_over_batches: two sums ----

def mean_over_batches(batches):
    "The mean over all numbers in a list of 1-D tensors of unequal lengths, of their dtype, shape ()."
    total, n = 0, 0
    for batch in batches:
        total = total + batch.sum()
        n += len(batch)
    return total/n

def mean_over_batches_by_cat(batches): return torch.cat(batches).mean()

def mean_over_batches_spec(batches):
    numbers = [x for batch in batches for x in batch.tolist()]
    return tensor(sum(numbers)/len(numbers), dtype=batches[0].dtype)

def mean_over_batches_cases(g):
    return [Case(([tensor([1., 0., 0., 1.]), tensor([1., 1., 1., 1.]), tensor([1.])],), 'batches of 4, 4 and 1'),
            Case(([torch.randn(n, generator=g) for n in (5, 2, 7, 1)],), 'batches of 5, 2, 7 and 1'),
            Case(([torch.randn(n, generator=g, dtype=torch.float64) for n in (3, 1, 2)],), 'batches of 3, 1 and 2, float64'),
            Case(([tensor([2.5])],), 'one batch of one')]

def mean_by_popping(batches):
    total, n = 0, 0
    while batches:
        batch = batches.pop()
        total, n = total + batch.sum(), n + len(batch)
    return total/n

MEAN_OVER_BATCHES = Exercise(
    name='mean_over_batches', task='The mean over all the numbers in a list of 1-D float tensors of unequal lengths, of their dtype, shape ().',
    reference=mean_over_batches, alternative=mean_over_batches_by_cat, spec=mean_over_batches_spec, cases=mean_over_batches_cases,
    hints=('Every number counts once, in whatever batch it came.', 'Remember the sum of all the numbers, and how many there were.', 'Divide once, at the very end.'),
    wrong=(Wrong(lambda batches: torch.stack([b.mean() for b in batches]).mean(), 'value',
                 'A mean of means: the single number of a short batch weighs as much as four in a long one.'),
           Wrong(lambda batches: sum(b.sum() for b in batches)/len(batches), 'value', 'You divided by the number of batches. Divide by the number of numbers.'),
           Wrong(lambda batches: torch.cat(batches[:-1] or batches).mean(), 'value', 'The last batch is lost.'),
           Wrong(lambda batches: sum(b.sum() for b in batches)/(len(batches)*len(batches[0])), 'value', 'You took every batch to be as long as the first.'),
           Wrong(lambda batches: torch.stack([b.mean() for b in batches]), 'shape', 'One mean for each batch came back. One for all is asked for.'),
           Wrong(lambda batches: torch.cat(batches).mean().item(), 'shape', 'A plain Python number came back; a tensor of shape () is asked for.'),
           Wrong(lambda batches: torch.cat(batches).double().mean(), 'dtype', 'The mean is right, but it is float64 whatever went in.'),
           Wrong(mean_by_popping, 'inputs', 'You emptied the list of whoever called you. Walk through it instead.')))


# ---- share_interval: a formula ----

def share_interval(right, n):
    "The low and high end of Wilson's interval (z = 1.96) for the share behind `right` of `n`; a ValueError for what cannot be."
    if n < 1 or not 0 <= right <= n: raise ValueError(f'{right} right of {n}')
    share, z = right/n, 1.96
    centre = (share + z*z/(2*n))/(1 + z*z/n)
    half = z*math.sqrt(share*(1 - share)/n + z*z/(4*n*n))/(1 + z*z/n)
    return centre - half, centre + half

def share_interval_by_roots(right, n):
    if n <= 0 or right < 0 or right > n: raise ValueError('no share')
    a, b, c = n + 1.96**2, -(2*right + 1.96**2), right*right/n  # a p^2 + b p + c = 0
    root = (b*b - 4*a*c)**.5
    return (-b - root)/(2*a), (-b + root)/(2*a)

def halved(inside, outside, share, n):
    "Halve the way between a share that is not surprised and one that is."
    for _ in range(60):
        p = (inside + outside)/2
        if abs(share - p) <= 1.96*math.sqrt(p*(1 - p)/n): inside = p
        else: outside = p
    return inside

def share_interval_spec(right, n):
    if n < 1 or not 0 <= right <= n: raise ValueError('no share')
    return halved(right/n, 0., right/n, n), (1. if right == n else halved(right/n, 1., right/n, n))

def share_interval_cases(g):
    return [Case((9, 10), '9 of 10'), Case((900, 1000), '900 of 1,000'), Case((1, 3), '1 of 3'), Case((10, 10), '10 of 10'), Case((17, 40), '17 of 40'), Case((1, 1), 'one item, right')]

def share_interval_refuses(g): return [Case((11, 10), '11 of 10'), Case((0, 0), '0 of 0'), Case((-1, 5), '-1 of 5')]

def shortcut(right, n, z=1.96):
    share = right/n
    half = z*math.sqrt(share*(1 - share)/n)
    return share - half, share + half

def wilson(right, n, z=1.96):
    share = right/n
    centre, half = share + z*z/(2*n), z*abs(share*(1 - share)/n + z*z/(4*n*n))**.5
    return (centre - half)/(1 + z*z/n), (centre + half)/(1 + z*z/n)

def centre_and_half(right, n):
    low, high = wilson(right, n)
    return (low + high)/2, (high - low)/2

def cut_shortcut(right, n):
    low, high = shortcut(right, n)
    return max(0., low), min(1., high)

SHARE_INTERVAL = Exercise(
    name='share_interval', task='From the number right and the number of items: a pair of plain floats, the low and the high end of Wilson\'s interval with z = 1.96. '
                                'What cannot have happened is refused with a `ValueError`.',
    reference=share_interval, alternative=share_interval_by_roots, spec=share_interval_spec, cases=share_interval_cases, refuses=share_interval_refuses,
    hints=('At both ends p, the distance |share - p| is exactly 1.96 times the root of p(1-p)/n. Square both sides.',
           'In powers of p: (n + z²)p² - (2*right + z²)p + right²/n = 0.', 'The middle is (share + z²/2n)/(1 + z²/n); half the width is z*sqrt(share(1-share)/n + z²/4n²)/(1 + z²/n).'),
    wrong=(Wrong(shortcut, 'value', 'That is the short cut, with the seen share in the spread. It goes beyond 1, and is certain after 10 of 10.'),
           Wrong(cut_shortcut, 'value', 'The short cut, cut off at 0 and 1, is still too narrow: after 10 of 10 it has no width at all.'),
           Wrong(lambda right, n: wilson(right, n, 1.645), 'value', 'With 1.645 one interval in ten misses the truth. z is to be 1.96.'),
           Wrong(centre_and_half, 'value', 'That is the middle and half the width. The two ends are asked for.'),
           Wrong(lambda right, n: wilson(right, n)[::-1], 'value', 'The ends are swapped: the low one comes first.'),
           Wrong(lambda right, n: torch.tensor(wilson(right, n)), 'shape', 'A tensor came back; a pair of plain floats is asked for.'),
           Wrong(lambda right, n: wilson(right, max(n, 1)), 'refusal', 'An interval came out for something that cannot have happened.')))


# ---- accuracy_by_epoch: the bug lab ----

def smooth_accuracies(epochs):
    "The accuracy of each epoch (n_epochs,); an epoch is a list of batches (scores (bs, n_classes), classes (bs,))."
    hits, n, found = 0, 0, []
    for batches in epochs:
        for scores, targs in batches:
            hits = hits + (scores.argmax(1) == targs).sum()
            n += len(targs)
        found.append(hits/n)
    return torch.stack(found)  # type: ignore[arg-type]

def accuracy_by_epoch(epochs):
    "The accuracy of each epoch (n_epochs,); an epoch is a list of batches (scores (bs, n_classes), classes (bs,))."
    found = []
    for batches in epochs:
        hits, n = 0, 0
        for scores, targs in batches:
            hits = hits + (scores.argmax(1) == targs).sum()
            n += len(targs)
        found.append(hits/n)
    return torch.stack(found)  # type: ignore[arg-type]

def accuracy_by_epoch_joined(epochs):
    joined = [(torch.cat([s for s, _ in batches]), torch.cat([t for _, t in batches])) for batches in epochs]
    return torch.stack([(s.argmax(1) == t).float().mean() for s, t in joined])

def accuracy_by_epoch_spec(epochs):
    hits = [[max(range(len(row)), key=row.__getitem__) == t for s, ts in batches for row, t in zip(s.tolist(), ts.tolist())] for batches in epochs]
    return tensor([sum(h)/len(h) for h in hits])

def answers(sizes, n_right):
    "Batches of these sizes, the first `n_right` items answered rightly."
    truth = torch.arange(sum(sizes)) % 3
    says = torch.where(torch.arange(len(truth)) < n_right, truth, (truth + 1) % 3)
    return list(zip(F.one_hot(says, 3).float().split(sizes), truth.split(sizes)))

def accuracy_by_epoch_cases(g):
    drawn = [[(torch.randn(n, 4, generator=g), torch.randint(4, (n,), generator=g)) for n in (5, 3, 1)] for _ in range(3)]
    return [Case(([answers([4, 1], 5), answers([4, 1], 4), answers([4, 1], 0)],), 'three epochs of five items: 5, 4 and 0 right'),
            Case(([answers([4, 4, 2], n) for n in (7, 8, 9, 3)],), 'four epochs of ten items: 7, 8, 9 and 3 right'),
            Case((drawn,), 'three epochs, batches of 5, 3 and 1'),
            Case(([answers([1], 0), answers([1], 1)],), 'two epochs of one item: wrong, right')]

def each_batch_anew(epochs): return torch.stack([[(s.argmax(1) == t).float().mean() for s, t in batches][-1] for batches in epochs])

def means_of_means(epochs): return torch.stack([torch.stack([(s.argmax(1) == t).float().mean() for s, t in batches]).mean() for batches in epochs])

def only_hits_cleared(epochs):
    n, found = 0, []
    for batches in epochs:
        hits = 0
        for scores, targs in batches: hits, n = hits + (scores.argmax(1) == targs).sum(), n + len(targs)
        found.append(hits/n)
    return torch.stack(found)  # type: ignore[arg-type]

ACCURACY_BY_EPOCH = Exercise(
    name='accuracy_by_epoch', task='The accuracy of each epoch by itself, float32, shape (n_epochs,), for batches of any sizes.',
    reference=accuracy_by_epoch, alternative=accuracy_by_epoch_joined, spec=accuracy_by_epoch_spec, cases=accuracy_by_epoch_cases, bug=smooth_accuracies,
    hints=('What do `hits` and `n` hold when the second epoch begins?', 'A running figure has to be cleared: `reset`. When?', 'Move `hits, n = 0, 0` into the loop over epochs, before the loop over batches.'),
    wrong=(Wrong(only_hits_cleared, 'value', 'The hits are cleared and the count of items is not, so the figure sinks from epoch to epoch.'),
           Wrong(each_batch_anew, 'value', 'Cleared before each batch: what is left at the end is the last batch alone.'),
           Wrong(means_of_means, 'value', 'Each epoch stands by itself now, but as a mean of means: the short batch weighs too much.'),
           Wrong(lambda epochs: 1 - accuracy_by_epoch(epochs), 'value', 'That is the share of wrong answers in each epoch.'),
           Wrong(lambda epochs: accuracy_by_epoch(epochs).mean(), 'shape', 'One figure for all came back. One for each epoch is asked for.'),
           Wrong(lambda epochs: accuracy_by_epoch(epochs).tolist(), 'shape', 'A list of plain numbers came back; a tensor (n_epochs,) is asked for.'),
           Wrong(lambda epochs: accuracy_by_epoch(epochs).double(), 'dtype', 'The shares are right, but they are float64, and float32 was asked for.'),
           Wrong(accuracy_by_epoch_spec, 'device', 'The shares went through Python, and came back to the default device instead of the batches\'.')))


EXERCISES = [SHARE_RIGHT, SAYS_YES, F_ONE, MEAN_OVER_BATCHES, ACCURACY_BY_EPOCH, SHARE_INTERVAL]
