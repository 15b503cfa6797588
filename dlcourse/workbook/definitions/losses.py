"Exercises of the lesson losses: what to write, what it is held against, what is refused."
import math

import torch
from torch import tensor
from torch.nn import functional as F

from ..contract import Case, Exercise, Wrong

# soft_shares: softmax along any axis, safe at any magnitude

def soft_shares(x, dim):
    "Shares of `x` along the axis `dim`, by softmax; safe at scores of 10,000 on either side."
    powers = (x - x.amax(dim, keepdim=True)).exp()
    return powers/powers.sum(dim, keepdim=True)

def shares_by_log(x, dim):
    top = x.max(dim, keepdim=True).values
    log_total = top + torch.log(torch.exp(x - top).sum(dim, keepdim=True))
    return torch.exp(x - log_total)

def shares_by_torch(x, dim): return torch.softmax(x, dim)

def shares_cases(g):
    return [Case((tensor([[1., 2., 4.], [3., 3., 0.]]), 1), 'two rows of three, shares along each row'),
            Case((tensor([[1., 2., 4.], [3., 3., 0.]]), 0), 'the same two rows, shares down each column'),
            Case((torch.randn(1, 5, generator=g), -1), 'a batch of one'), Case((torch.randn(2, 3, 4, generator=g), 1), 'three axes, shares along the middle one'),
            Case((torch.randn(4, generator=g).double(), 0), 'one axis, double precision')]

def shares_extremes(g): return [Case((tensor([[1e4, -1e4, 3.], [1., 1e4, 9000.]]), 1), 'scores of 10,000 on either side'), Case((tensor([[0., -1e4], [-1e4, -9000.]]), 1), 'a row that is low throughout')]

def naive_shares(x, dim): return x.exp()/x.exp().sum(dim, keepdim=True)

def shares_in_place(x, dim):
    shifted = soft_shares(x.clone(), dim)
    x.data -= x.data.amax(dim, keepdim=True)
    return shifted

SOFT_SHARES = Exercise(
    name='soft_shares', task="Softmax of x along the axis dim, without PyTorch's own: shape and dtype of x, value and gradient right at scores of 10,000 on either side.",
    reference=soft_shares, alternative=shares_by_log, spec=shares_by_torch, cases=shares_cases,
    hints=('What may you add to every score of a row without changing its shares? Which number makes the highest score harmless?',
           'Take the highest score of each row off, then exp, then divide by the sum. keepdim=True leaves an axis of length 1 where the row was, so that the division fits for any dim.',
           'powers = (x - x.amax(dim, keepdim=True)).exp(), and then powers/powers.sum(dim, keepdim=True).'),
    wrong=(Wrong(naive_shares, 'extremes', 'exp of a high score is infinite, and infinity over infinity is not a number. Take the highest score of the row off first.'),
           Wrong(lambda x, dim: (lambda e: e/e.sum(dim, keepdim=True))((x - x.max()).exp()), 'extremes', 'One shift for the whole tensor: a row that is low throughout becomes 0 over 0. Each row needs its own highest score.'),
           Wrong(lambda x, dim: soft_shares(x, dim - 1), 'value', 'The wrong axis: these add up to 1 across the items instead of within each one.'),
           Wrong(lambda x, dim: naive_shares(x, -1), 'value', 'Always along the last axis, whatever dim says.'),
           Wrong(lambda x, dim: x.exp()/x.exp().sum(), 'value', 'Divided by the sum of the whole tensor: it is all of them together that add up to 1.'),
           Wrong(lambda x, dim: x/x.sum(dim, keepdim=True), 'value', 'Scores divided by their sum. They may be negative, so these are no shares: exp has to come first.'),
           Wrong(lambda x, dim: naive_shares(naive_shares(x, dim), dim), 'value', 'Softmax twice: the shares of the shares lie much closer together.'),
           Wrong(lambda x, dim: x - x.logsumexp(dim, keepdim=True), 'value', 'These are the logarithms of the shares.'),
           Wrong(lambda x, dim: soft_shares(x, dim).amax(dim), 'shape', 'Only the largest share of each row is left. All of them are asked for.'),
           Wrong(lambda x, dim: soft_shares(x.double(), dim), 'dtype', 'The numbers are right, in another dtype than that of x.'),
           Wrong(lambda x, dim: soft_shares(x.detach(), dim), 'gradient', 'The shares are right, and no gradient comes back to the scores: detach only the highest score, if anything.'),
           Wrong(shares_in_place, 'inputs', "-= wrote the shift into the caller's scores."),
           Wrong(lambda x, dim: torch.softmax(x, dim), 'calls', "That is PyTorch's. Build it from exp.")),
    grad=True, extremes=shares_extremes, forbidden=('softmax', 'log_softmax', 'softmin'))

# pick_nll: fancy indexing, and no logarithm

def pick_nll(log_probs, targets):
    "The mean negative log-likelihood of the targets, shape ()."
    return -log_probs[range(len(targets)), targets].mean()

def nll_by_onehot(log_probs, targets): return -(log_probs*F.one_hot(targets, log_probs.shape[1])).sum(1).mean()

def nll_by_loop(log_probs, targets):
    total = log_probs.new_zeros(())
    for row, target in zip(log_probs, targets.tolist()): total = total - row[target]
    return total/len(targets)

def logged(g, bs, n_classes): return torch.log_softmax(2*torch.randn(bs, n_classes, generator=g), 1)

def nll_cases(g):
    return [Case((tensor([[.1, .2, .7], [.5, .4, .1]]).log(), tensor([2, 1])), 'log-probabilities of two items'),
            Case((logged(g, 1, 4), tensor([3])), 'a batch of one'), Case((logged(g, 7, 3), torch.randint(3, (7,), generator=g)), 'seven items'),
            Case((logged(g, 2, 5).double(), tensor([4, 0])), 'double precision')]

PICK_NLL = Exercise(
    name='pick_nll', task="The mean negative log-likelihood of targets (bs,) under log_probs (bs, n_classes), shape (), without PyTorch's own.",
    reference=pick_nll, alternative=nll_by_onehot, spec=nll_by_loop, cases=nll_cases,
    hints=('One number from each row: which columns, in which rows?',
           'Two lists of indices of one length give one number for each pair: the first list are the rows 0, 1, 2 ...',
           'log_probs[range(len(targets)), targets], then the mean with its sign turned.'),
    wrong=(Wrong(lambda lp, t: -lp[range(len(t)), t].log().mean(), 'value', 'A logarithm too many: these are log-probabilities already, and the log of a negative number is nan.'),
           Wrong(lambda lp, t: lp[range(len(t)), t].mean(), 'value', 'The sign: log-probabilities are below 0, and a loss should fall as they rise.'),
           Wrong(lambda lp, t: -lp[range(len(t)), t].exp().mean(), 'value', 'That is minus the mean probability. The logarithms are what is averaged.'),
           Wrong(lambda lp, t: -lp[:, t].mean(), 'value', '[:, targets] takes every target from every row: bs times bs numbers. Name the rows as well, by range(len(targets)).'),
           Wrong(lambda lp, t: -lp[range(len(t)), t].sum(), 'value', 'The sum. With a mean the loss does not depend on the size of the batch.'),
           Wrong(lambda lp, t: -lp.max(1).values.mean(), 'value', 'The largest of each row is what the model believes. The target says which one counts.'),
           Wrong(lambda lp, t: -(lp*F.one_hot(t, lp.shape[1])).mean(), 'value', 'The mean is over all classes, the many zeros included. Sum over the classes first.'),
           Wrong(lambda lp, t: -lp[range(len(t)), t], 'shape', 'One loss for each item. Their mean is asked for.'),
           Wrong(lambda lp, t: pick_nll(lp, t).item(), 'shape', 'A Python number has no backward. Leave the mean a tensor.'),
           Wrong(lambda lp, t: lp.new_tensor([-row[k] for row, k in zip(lp.tolist(), t.tolist())]).mean(), 'gradient', 'Python numbers carry no gradient: the way back to log_probs is cut. Stay with tensors.'),
           Wrong(lambda lp, t: F.nll_loss(lp, t), 'calls', "That is PyTorch's. A pair of square brackets will do.")),
    grad=True, forbidden=('nll_loss', 'nll_loss_nd', 'nll_loss2d', 'cross_entropy', 'cross_entropy_loss'))

# ce_from_logits: which function takes what

def ce_from_logits(logits, targets):
    "Mean cross-entropy of scores (bs, n_classes) and classes (bs,), shape ()."
    return F.nll_loss(torch.log_softmax(logits, dim=1), targets)

def ce_logged_twice(logits, targets):
    "log_softmax of a log_softmax is the same again: odd, and right."
    return pick_nll(torch.log_softmax(torch.log_softmax(logits, dim=1), dim=1), targets)

def ce_by_rows(logits, targets):
    losses = []
    for row, target in zip(logits, targets.tolist()):
        top = row.max().item()
        losses.append((row - top).exp().sum().log() - (row[target] - top))
    return torch.stack(losses).mean()

def ce_cases(g):
    return [Case((tensor([[1., 2., 4.], [3., 3., 0.]]), tensor([2, 0])), 'scores of two items'), Case((torch.randn(1, 4, generator=g), tensor([1])), 'a batch of one'),
            Case((3*torch.randn(7, 3, generator=g), torch.randint(3, (7,), generator=g)), 'seven items'), Case((torch.randn(2, 5, generator=g).double(), tensor([4, 0])), 'double precision')]

def ce_extremes(g):
    return [Case((tensor([[1000., 999., 998.], [500., 500., 501.]]), tensor([1, 0])), 'high scores, close together'),
            Case((tensor([[1e4, -1e4, 3.], [1e4, 0., 50.]]), tensor([1, 0])), 'scores of 10,000 on either side, the first item sure and wrong')]

def ce_by_big_log(logits, targets): return (logits.exp().sum(1).log() - logits[range(len(targets)), targets]).mean()

CE_FROM_LOGITS = Exercise(
    name='ce_from_logits', task="The mean cross-entropy of scores (bs, n_classes) and classes (bs,), shape (), right at scores of 10,000 on either side; without PyTorch's cross_entropy.",
    reference=ce_from_logits, alternative=ce_logged_twice, spec=ce_by_rows, cases=ce_cases,
    hints=('nll_loss takes log-probabilities. You have scores. What turns one into the other, in one safe step?',
           'torch.log_softmax. Along which axis do the probabilities of one item add up to 1?',
           'F.nll_loss(torch.log_softmax(logits, dim=1), targets).'),
    wrong=(Wrong(lambda x, t: F.nll_loss(torch.softmax(x, 1), t), 'value', 'nll_loss took probabilities here. It takes no logarithm, whatever its name says: give it log_softmax.'),
           Wrong(lambda x, t: F.nll_loss(x, t), 'value', 'nll_loss took raw scores: no softmax and no logarithm has been taken anywhere.'),
           Wrong(lambda x, t: F.nll_loss(torch.log_softmax(torch.softmax(x, 1), 1), t), 'value', 'Softmax twice: log_softmax has one in it. The shares of shares are nearly equal, and the loss cannot come near 0.'),
           Wrong(lambda x, t: F.nll_loss(torch.log_softmax(x, 0), t), 'value', 'The wrong axis: along dim 0 the items of the batch share among themselves.'),
           Wrong(lambda x, t: F.nll_loss(torch.log_softmax(x, 1), t, reduction='sum'), 'value', 'The sum over the batch. The mean is asked for.'),
           Wrong(lambda x, t: -F.nll_loss(torch.log_softmax(x, 1), t), 'value', 'Upside down: nll_loss has turned the sign already.'),
           Wrong(lambda x, t: F.nll_loss(torch.softmax(x, 1).log(), t), 'extremes', 'First softmax, then the logarithm: a small share is 0, and its log is infinite. log_softmax does both at once.'),
           Wrong(ce_by_big_log, 'extremes', 'exp of a high score is infinite. Take the highest score of each row off first, or let logsumexp do it.'),
           Wrong(lambda x, t: F.nll_loss((torch.softmax(x, 1) + 1e-9).log(), t), 'extremes', 'A tiny number keeps the logarithm finite, and puts a ceiling on the loss: a sure mistake looks mild, and its gradient is gone.'),
           Wrong(lambda x, t: F.nll_loss(torch.log_softmax(x, 1), t, reduction='none'), 'shape', 'One loss for each item. Their mean is asked for.'),
           Wrong(lambda x, t: ce_from_logits(x.double(), t), 'dtype', 'The number is right, in another dtype than that of the scores.'),
           Wrong(lambda x, t: F.cross_entropy(x, t), 'calls', "That is PyTorch's own. Put it together from its two halves.")),
    grad=True, extremes=ce_extremes, forbidden=('cross_entropy', 'cross_entropy_loss'))

# logit_slope: softmax minus one-hot, over the batch

def logit_slope(logits, targets):
    "The gradient of the mean cross-entropy at the scores, shape (bs, n_classes), by formula."
    onehot = F.one_hot(targets, logits.shape[1])
    return (torch.softmax(logits, dim=1) - onehot)/len(logits)

def slope_by_indexing(logits, targets):
    slope = torch.softmax(logits.detach(), dim=1)
    slope[range(len(targets)), targets] -= 1
    return slope/len(targets)

def slope_by_backward(logits, targets):
    with torch.enable_grad():
        x = logits.detach().clone().requires_grad_()
        return torch.autograd.grad(F.cross_entropy(x, targets), x)[0]

def slope_extremes(g): return [Case((tensor([[1e4, -1e4, 3.], [1e4, 0., 50.]]), tensor([1, 0])), 'scores of 10,000 on either side')]

LOGIT_SLOPE = Exercise(
    name='logit_slope', task='The gradient of the mean cross-entropy at scores (bs, n_classes), by formula: same shape and dtype, without backward.',
    reference=logit_slope, alternative=slope_by_indexing, spec=slope_by_backward, cases=ce_cases,
    hints=('For one item it is softmax minus one-hot. F.one_hot(targets, n_classes) makes the second.',
           'The loss is a mean over the batch, so each item has only its share of the slope.',
           '(torch.softmax(logits, dim=1) - F.one_hot(targets, logits.shape[1]))/len(logits).'),
    wrong=(Wrong(lambda x, t: torch.softmax(x, 1) - F.one_hot(t, x.shape[1]), 'value', 'Right for the sum of the losses. In the mean each item counts one part in bs.'),
           Wrong(lambda x, t: -logit_slope(x, t), 'value', 'The sign: this points downhill. A gradient points up, and the step turns it round.'),
           Wrong(lambda x, t: logit_slope(x, t)*len(x)/x.numel(), 'value', 'Divided by every number in the batch. The mean is over items, not over items and classes.'),
           Wrong(lambda x, t: (torch.softmax(x, 0) - F.one_hot(t, x.shape[1]))/len(x), 'value', 'The wrong axis: a row of the gradient adds up to 0, and these do not.'),
           Wrong(lambda x, t: torch.softmax(x, 1)/len(x), 'value', 'Every score is pushed down, the right one too. The one-hot is missing.'),
           Wrong(lambda x, t: (torch.softmax(x, 1) - 1)/len(x), 'value', '1 is taken off every class. It belongs to the right one alone.'),
           Wrong(lambda x, t: (x - F.one_hot(t, x.shape[1]))/len(x), 'value', 'Scores minus one-hot is the gradient of a squared error. Here the scores become shares first.'),
           Wrong(lambda x, t: logit_slope(x, t).sum(0), 'shape', 'Summed over the batch. Each score has its own slope.'),
           Wrong(lambda x, t: (torch.softmax(x, 1) - F.one_hot(t, x.shape[1]).double())/len(x), 'dtype', 'The one-hot in double precision has turned the result into double precision.'),
           Wrong(lambda x, t: torch.tensor(logit_slope(x, t).tolist(), dtype=x.dtype), 'device', 'Made anew from Python numbers, this lands on the default device, wherever the scores are.'),
           Wrong(lambda x, t: (x.exp()/x.exp().sum(1, keepdim=True) - F.one_hot(t, x.shape[1]))/len(x), 'extremes', 'The naive softmax: at a high score it is infinity over infinity.')),
    extremes=slope_extremes, forbidden=('backward', 'grad', 'cross_entropy', 'cross_entropy_loss'))

# yes_no_loss: binary cross-entropy of scores, exact at 0 and far from it

def yes_no_loss(x, targets):
    "Mean binary cross-entropy of scores and targets of 1 and 0 (whole numbers), same shape; safe at any score."
    zero = torch.zeros_like(x)
    yes, no = torch.logaddexp(-x, zero), torch.logaddexp(x, zero)
    return (targets*yes + (1 - targets)*no).mean()

def yes_no_by_pair(x, targets):
    "Two classes: the score itself, and 0."
    pair = torch.stack([x.flatten(), torch.zeros_like(x).flatten()], dim=1)
    return F.cross_entropy(pair, (targets.flatten() == 0).long())

def yes_no_by_torch(x, targets): return F.binary_cross_entropy_with_logits(x, targets.to(x.dtype))

def yes_no_cases(g):
    return [Case((tensor([[-2.], [.5], [3.]]), tensor([[0], [1], [1]])), 'three scores'), Case((tensor([[-1., 0., 2.]]), tensor([[1, 1, 0]])), 'a row with a score of exactly 0'),
            Case((torch.randn(4, 3, generator=g), torch.randint(2, (4, 3), generator=g)), 'four items, three questions each'),
            Case((torch.randn(1, 1, generator=g).double(), tensor([[1]])), 'a batch of one, double precision')]

def yes_no_extremes(g):
    return [Case((tensor([60., -60.]), tensor([0, 1])), 'two sure mistakes, at scores of 60'),
            Case((tensor([-1e4, 1e4, 1e4, -60., .5]), tensor([1, 0, 1, 1, 0])), 'scores far from 0, most of them wrong')]

def yes_no_by_logs(x, t): return -(t*x.sigmoid().log() + (1 - t)*(1 - x.sigmoid()).log()).mean()

def yes_no_by_corner(x, t): return (x.clamp(min=0) - x*t + torch.log1p(torch.exp(-x.abs()))).mean()

YES_NO_LOSS = Exercise(
    name='yes_no_loss', task="The mean binary cross-entropy of scores x and targets of 1 and 0 (whole numbers), same shape, without PyTorch's own. Value and gradient must hold at 10,000 on either side and at exactly 0.",
    reference=yes_no_loss, alternative=yes_no_by_pair, spec=yes_no_by_torch, cases=yes_no_cases,
    hints=('For a yes the loss is log(1 + exp(-x)), for a no log(1 + exp(x)). Which of the two breaks where?',
           '1 is exp(0), so log(1 + exp(-x)) is the log-sum-exp of 0 and -x. torch.logaddexp is that, safely.',
           'yes = torch.logaddexp(-x, zero), no = torch.logaddexp(x, zero), then the mean of targets*yes + (1 - targets)*no.'),
    wrong=(Wrong(yes_no_by_logs, 'extremes', 'First the sigmoid, then the logarithm: far from 0 the sigmoid is exactly 0 or 1, and the log of 0 is infinite. Stay with the scores.'),
           Wrong(lambda x, t: (t*torch.log1p(torch.exp(-x)) + (1 - t)*torch.log1p(torch.exp(x))).mean(), 'extremes', 'exp of 10,000 is infinite. Take the larger of the two out first, as logaddexp does.'),
           Wrong(lambda x, t: -(t*x.sigmoid().log().clamp(min=-100) + (1 - t)*(1 - x.sigmoid()).log().clamp(min=-100)).mean(), 'extremes', 'Stopped at 100: the value stays finite, but a score of -10,000 looks no worse than one of -100, and its gradient is lost.'),
           Wrong(yes_no_by_corner, 'gradient', 'Nearly. The value is right, but at a score of exactly 0 clamp passes the whole slope and abs none: 1 - t where one half minus t is due.'),
           Wrong(lambda x, t: yes_no_loss(x.sigmoid(), t), 'value', 'Squashed twice: the loss has a sigmoid in it already, so it takes scores.'),
           Wrong(lambda x, t: -(t*x + (1 - t)*(1 - x)).mean(), 'value', 'Scores are no probabilities, and no logarithm was taken.'),
           Wrong(lambda x, t: yes_no_loss(x, 1 - t), 'value', 'Yes and no are swapped: it is small when the answers are wrong.'),
           Wrong(lambda x, t: (t*torch.logaddexp(-x, torch.zeros_like(x))).mean(), 'value', 'Only the yes counts. A no must cost something as well, or every score will rise.'),
           Wrong(lambda x, t: (x.sigmoid() - t).abs().mean(), 'value', 'The mean distance, as in mnist_loss. Here a sure mistake costs without limit: a logarithm.'),
           Wrong(lambda x, t: yes_no_loss(x, t)*x.numel(), 'value', 'The sum. The mean is asked for.'),
           Wrong(lambda x, t: torch.logaddexp(x, torch.zeros_like(x)) - x*t, 'shape', 'One loss for each number. Their mean is asked for.'),
           Wrong(lambda x, t: F.binary_cross_entropy_with_logits(x, t.to(x.dtype)), 'calls', "That is PyTorch's. Write it with exp and log, or logaddexp.")),
    grad=True, extremes=yes_no_extremes, forbidden=('binary_cross_entropy_with_logits', 'binary_cross_entropy', 'soft_margin_loss'))

# fair_l1: a column and a list, never spread

def fair_l1(preds, targs):
    "Mean absolute difference of (bs,) or (bs, 1) on either side; a ValueError for any other two shapes that differ."
    if preds.shape != targs.shape:
        preds, targs = (x.squeeze(1) if x.ndim == 2 else x for x in (preds, targs))
    if preds.shape != targs.shape: raise ValueError(f'{tuple(preds.shape)} against {tuple(targs.shape)}')
    return (preds - targs).abs().mean()

def l1_by_view(preds, targs):
    flat = [x[:, 0] if x.ndim == 2 and x.shape[1] == 1 else x for x in (preds, targs)]
    if flat[0].shape != flat[1].shape: raise ValueError('two shapes')
    return F.l1_loss(*flat)

def l1_by_loop(preds, targs):
    pairs = list(zip(preds.flatten(), targs.flatten()))
    return torch.stack([(a - b).abs() for a, b in pairs]).mean()

def l1_cases(g):
    column, flat = torch.randn(4, 1, generator=g), torch.randn(4, generator=g)
    return [Case((tensor([[1.], [2.], [6.]]), tensor([1., 4., 3.])), 'a column of three predictions and a list of targets'), Case((flat, column), 'a list and a column'),
            Case((torch.randn(5, generator=g), torch.randn(5, generator=g)), 'two lists'), Case((torch.randn(3, 1, generator=g), torch.randn(3, 1, generator=g)), 'two columns'),
            Case((torch.randn(1, 1, generator=g), torch.randn(1, generator=g)), 'a batch of one'), Case((torch.randn(2, 3, generator=g), torch.randn(2, 3, generator=g)), 'three numbers for each item')]

def l1_refuses(g):
    return [Case((torch.randn(2, 3, generator=g), torch.randn(6, generator=g)), 'two items of three numbers and six items'),
            Case((torch.randn(1, 3, generator=g), torch.randn(3, generator=g)), 'one item of three numbers and three items'), Case((torch.randn(4, 2, generator=g), torch.randn(4, 1, generator=g)), 'two numbers for each item, and one'),
            Case((torch.randn(3, generator=g), torch.randn(1, generator=g)), 'three predictions and one target')]

def l1_squeezed(preds, targs):
    preds, targs = preds.squeeze(), targs.squeeze()
    if preds.shape != targs.shape: raise ValueError('two shapes')
    return (preds - targs).abs().mean()

def l1_flattened(preds, targs):
    if preds.numel() != targs.numel(): raise ValueError('two sizes')
    return (preds.flatten() - targs.flatten()).abs().mean()

def l1_strict(preds, targs):
    if preds.shape != targs.shape: raise ValueError('two shapes')
    return (preds - targs).abs().mean()

def l1_one_sided(preds, targs):
    if preds.ndim == 2 and preds.shape[1] == 1: preds = preds.squeeze(1)
    if preds.ndim > targs.ndim: raise ValueError('two shapes')
    return (preds - targs).abs().mean()

FAIR_L1 = Exercise(
    name='fair_l1', task='The mean absolute difference of predictions and targets, each (bs,) or (bs, 1). Equal shapes are welcome; any other two raise a ValueError. Nothing is spread.',
    reference=fair_l1, alternative=l1_by_view, spec=l1_by_loop, cases=l1_cases,
    hints=('If the shapes are equal there is nothing to do. If not, what may be taken off, and from which side?',
           'x.squeeze(1) takes an axis of length 1 away at place 1, and leaves a longer one alone. It needs two axes to work on.',
           'Where shapes differ: squeeze(1) each side that has two axes. Compare the shapes again, raise ValueError if they still differ, then the mean of the absolute difference.'),
    wrong=(Wrong(lambda a, b: (a - b).abs().mean(), 'value', 'A column and a list are spread over each other: every prediction is compared with every target.'),
           Wrong(l1_one_sided, 'value', 'Only the predictions lose their axis. A column of targets against a list is spread as before.'),
           Wrong(l1_strict, 'error', 'Too strict: a column and a list of the same length mean the same thing here.'),
           Wrong(l1_squeezed, 'refusal', 'A bare squeeze takes every axis of length 1, the batch axis of a single item too: one item of three numbers passes for three items.'),
           Wrong(l1_flattened, 'refusal', 'Flattened, (1, 3) and (3,) look alike. Only a last axis of length 1 may go.'),
           Wrong(lambda a, b: (fair_l1(a, b)**2), 'value', 'Squared. The absolute difference itself is asked for.'),
           Wrong(lambda a, b: fair_l1(a, b)*a.numel(), 'value', 'The sum. The mean is asked for.'),
           Wrong(lambda a, b: fair_l1(a, b).item(), 'shape', 'A Python number has no backward. Leave the mean a tensor.'),
           Wrong(lambda a, b: fair_l1(a.detach(), b.detach()), 'gradient', 'The value is right, and no gradient comes back.')),
    grad=True, refuses=l1_refuses)

# honest_loss: the bug lab, a softmax too many

def honest_loss(logits, targets):
    "Mean cross-entropy of scores (bs, n_classes) and classes (bs,), shape ()."
    return F.nll_loss(torch.log_softmax(logits, dim=1), targets)

def stuck_loss(logits, targets):
    "Mean cross-entropy of scores (bs, n_classes) and classes (bs,), shape ()."
    shares = torch.softmax(logits, dim=1)
    return F.nll_loss(torch.log_softmax(shares, dim=1), targets)

def honest_by_torch(logits, targets): return F.cross_entropy(logits, targets)

HONEST_LOSS = Exercise(
    name='honest_loss', task='Mend stuck_loss: the mean cross-entropy of scores (bs, n_classes) and classes (bs,), which comes near 0 when the scores are sure and right.',
    reference=honest_loss, alternative=honest_by_torch, spec=ce_by_rows, cases=ce_cases,
    hints=('What is the highest number that a share can have, and what is the softmax of (1, 0, 0)?',
           'log_softmax takes scores, and is given shares. How many softmaxes are there on the way?',
           'Leave the line with torch.softmax out, and give log_softmax the logits.'),
    wrong=(Wrong(lambda x, t: F.cross_entropy(torch.softmax(x, 1), t), 'value', 'Still a softmax too many: cross_entropy has one inside, so it takes the scores themselves.'),
           Wrong(lambda x, t: F.nll_loss(torch.softmax(x, 1), t), 'value', 'One softmax is left, and the logarithm went with the other. nll_loss takes log-probabilities.'),
           Wrong(lambda x, t: F.nll_loss(torch.log_softmax(x, 0), t), 'value', 'One softmax, along the wrong axis: the items of the batch share among themselves.'),
           Wrong(lambda x, t: F.nll_loss(torch.log_softmax(torch.softmax(10*x, 1), 1), t), 'value', 'Larger scores only make the shares sharper. They end at 1 as before, and so does the trouble.'),
           Wrong(lambda x, t: stuck_loss(x, t) + math.log(math.e/(math.e + x.shape[1] - 1)), 'value', 'The floor is taken off, so it reads 0 at the end. The slope is as flat as before.'),
           Wrong(lambda x, t: F.nll_loss(torch.softmax(x, 1).log(), t), 'extremes', 'Right for tame scores. At 10,000 a share is 0, and its logarithm is infinite: log_softmax does both steps at once.')),
    grad=True, extremes=ce_extremes, bug=stuck_loss)

EXERCISES = [SOFT_SHARES, PICK_NLL, CE_FROM_LOGITS, LOGIT_SLOPE, YES_NO_LOSS, FAIR_L1, HONEST_LOSS]
