"Exercises of the lesson sgd: what to write, what it is held against, what is refused."
import math

import torch
from torch import tensor
from torch.nn import functional as F

from ...foundations.sgd import mnist_loss
from ..contract import Case, Exercise, Wrong

# steps_in_epoch: one line of arithmetic, and the short last batch

def steps_in_epoch(n, batch_size):
    "How many batches hold `n` items, the short last one included."
    return math.ceil(n/batch_size)

def steps_by_floor(n, batch_size): return (n + batch_size - 1)//batch_size

def steps_by_counting(n, batch_size): return len(range(0, n, batch_size))

def steps_cases(g):
    sizes = [(11, 4), (12, 4), (10, 4), (12, 12), (1, 256), (9, 4), (12396, 256), (512, 256), (1001, 1000), (100001, 100000)]
    return [Case(pair, '{} items in batches of {}'.format(*pair)) for pair in sizes]

STEPS_IN_EPOCH = Exercise(
    name='steps_in_epoch', task='How many batches hold n items, the short last one included? A whole number.',
    reference=steps_in_epoch, alternative=steps_by_floor, spec=steps_by_counting, cases=steps_cases,
    hints=('Draw 10 items in batches of 4. How long is the last batch?',
           'Division gives 2.5 batches. The half is a batch too.',
           'Round up: math.ceil(n/batch_size).'),
    wrong=(Wrong(lambda n, bs: n//bs, 'value', '// rounds down: the items of the short last batch are never seen.'),
           Wrong(lambda n, bs: n//bs + 1, 'value', 'One batch too many when nothing is left over: it would be empty.'),
           Wrong(lambda n, bs: round(n/bs), 'value', 'round goes to the nearer side: a last batch that is less than half full is lost.'),
           Wrong(lambda n, bs: int(n/bs + .999), 'value', 'Almost: a last batch that is filled by less than a thousandth is lost. Whatever is left over makes a batch.'),
           Wrong(lambda n, bs: float(math.ceil(n/bs)), 'shape', 'A number of batches is an int, so that range() can take it. This is a float.')))

# stable_sigmoid: right in value is not enough

def stable_sigmoid(x):
    "The sigmoid of any score, without PyTorch's own; value and gradient hold at 0 and at 10,000 on either side."
    zero = torch.zeros_like(x)
    up, down = torch.exp(torch.minimum(x, zero)), torch.exp(-torch.maximum(x, zero))
    return up/(up + down)

def sigmoid_by_tanh(x): return (torch.tanh(x/2) + 1)/2

def sigmoid_one_by_one(x):
    "Each score by the form that is safe on its side."
    return torch.stack([1/(1 + torch.exp(-v)) if v > 0 else torch.exp(v)/(1 + torch.exp(v)) for v in x.flatten()]).view(x.shape)

def sigmoid_cases(g):
    return [Case((tensor([-1., .5, 2.]),), 'three scores'), Case((tensor([[-2., 0., 1.]]),), 'a row with a score of exactly 0'),
            Case((3*torch.randn(2, 3, generator=g),), 'two rows'), Case((tensor(-4.),), 'a single number'),
            Case((torch.randn(4, 1, generator=g).double(),), 'double precision')]

def sigmoid_extremes(g):
    return [Case((tensor([-1e4, -90., 1., 90., 1e4]),), 'scores far from 0, and a tame one'), Case((tensor([-6., -12., -20.]),), 'where the sigmoid is small and not yet 0')]

def sigmoid_by_branches(x): return torch.where(x < 0, torch.exp(x)/(1 + torch.exp(x)), 1/(1 + torch.exp(-x)))

def sigmoid_by_abs(x):
    small = torch.exp(-x.abs())
    return torch.where(x < 0, small, 1)/(1 + small)

def sigmoid_by_clamp(x): return torch.exp(x.clamp(max=0))/(torch.exp(x.clamp(max=0)) + torch.exp(-x.clamp(min=0)))

STABLE_SIGMOID = Exercise(
    name='stable_sigmoid', task="The sigmoid without PyTorch's own: same shape and dtype as x, and where x is. Value and gradient must hold for every score: 0, 10,000 on either side, and in between where it is small and not yet 0, as at -12.",
    reference=stable_sigmoid, alternative=sigmoid_by_tanh, spec=sigmoid_one_by_one, cases=sigmoid_cases,
    hints=('exp of a large number is infinite; exp of a negative one never is. Which of the two does each form need?',
           'Multiply 1/(1 + exp(-x)) by exp(x) above and below. You get a form that is safe where the first is not. Now make sure that neither ever sees the wrong scores.',
           'With low = min(x, 0) and high = max(x, 0) both forms are exp(low)/(exp(low) + exp(-high)). torch.minimum and torch.maximum also get the slope at 0 right.'),
    wrong=(Wrong(lambda x: 1/(1 + torch.exp(-x)), 'extremes', 'Far to the left exp(-x) is infinite. The value survives, its gradient does not.'),
           Wrong(lambda x: torch.exp(x)/(1 + torch.exp(x)), 'extremes', 'Far to the right this is infinity over infinity. You moved the trouble to the other side.'),
           Wrong(lambda x: 1/(1 + torch.exp(-x.clamp(-10, 10))), 'extremes', 'The clamp at 10 comes too early: a score of -12 gets the value of -10, seven times too large, and no gradient.'),
           Wrong(sigmoid_by_branches, 'extremes', 'where picks the value, but the gradient goes back through both branches. The one not picked is infinite there, and 0 times infinity is nan: keep large numbers out of exp itself.'),
           Wrong(sigmoid_by_abs, 'gradient', 'Nearly. abs has a corner at 0 and calls its slope there 0, so a score of exactly 0 gets no gradient. The sigmoid is steepest there: a quarter.'),
           Wrong(sigmoid_by_clamp, 'gradient', 'Nearly. At exactly 0 both clamps pass the whole slope, so it counts twice: a half, where the sigmoid has a quarter.'),
           Wrong(lambda x: x.new_tensor([1/(1 + math.exp(-min(max(v, -700), 700))) for v in x.flatten().tolist()]).view(x.shape), 'gradient',
                 'Python numbers carry no gradient: the way back to x is cut. Stay with tensors.'),
           Wrong(lambda x: stable_sigmoid(x.double()), 'dtype', 'The numbers are right, in another dtype than that of x. The next product of the two would fail.'),
           Wrong(lambda x: torch.sigmoid(x), 'calls', "That is PyTorch's. Build it from exp."),
           Wrong(lambda x: (x > 0).to(x.dtype), 'value', 'A step, not a slope: it says which side of 0 a score is on, and nothing about how far.')),
    grad=True, extremes=sigmoid_extremes, forbidden=('sigmoid', 'sigmoid_', 'logsigmoid', 'expit'))

# digit_loss: squash, measure the distance, refuse what would be spread

def digit_loss(predictions, targets):
    "Mean distance of the squashed scores from targets of 1 and 0; a ValueError unless both have one shape."
    if predictions.shape != targets.shape: raise ValueError(f'predictions {tuple(predictions.shape)}, targets {tuple(targets.shape)}')
    predictions = predictions.sigmoid()
    return torch.where(targets == 1, 1 - predictions, predictions).mean()

def loss_by_difference(predictions, targets):
    if predictions.shape != targets.shape: raise ValueError('two shapes')
    return (predictions.sigmoid() - targets.to(predictions.dtype)).abs().mean()

def loss_by_side(predictions, targets):
    "The chance given to the wrong answer: the sigmoid of the score, turned round for a three."
    if predictions.shape != targets.shape: raise ValueError('two shapes')
    return torch.cat([torch.sigmoid(-p if t else p).view(1) for p, t in zip(predictions.flatten(), targets.flatten())]).mean()

def loss_cases(g):
    return [Case((tensor([[-2.], [.5], [3.]]), tensor([[1], [0], [1]])), 'three pictures'), Case((tensor([[.7]]), tensor([[0]])), 'a batch of one'),
            Case((torch.randn(5, 1, generator=g), tensor([[0], [1], [0], [0], [1]])), 'five pictures')]

def loss_extremes(g): return [Case((tensor([[-1e4], [1e4], [5.], [1e4]]), tensor([[1], [0], [1], [1]])), 'scores far from 0')]

def loss_refuses(g):
    scores = torch.randn(3, 1, generator=g)
    return [Case((scores, tensor([1, 0, 1])), 'a column and a flat list of labels'), Case((scores, tensor([[1, 0, 1]])), 'a column and a row'),
            Case((scores, tensor([[1]])), 'three scores and one label'), Case((torch.randn(3, 2, generator=g), tensor([[1], [0], [1]])), 'two columns of scores and one of labels')]

def loss_spread(predictions, targets):
    squashed = predictions.sigmoid()
    return torch.where(targets == 1, 1 - squashed, squashed).mean()

def loss_by_rank(predictions, targets):
    if predictions.ndim != targets.ndim: raise ValueError('another number of axes')
    return loss_spread(predictions, targets)

def loss_asserted(predictions, targets):
    assert predictions.shape == targets.shape
    return loss_spread(predictions, targets)

DIGIT_LOSS = Exercise(
    name='digit_loss', task='The mean distance of the scores, squashed by the sigmoid, from targets of 1 and 0: a tensor of shape (), of the dtype of the scores and where they are. A ValueError unless scores and targets have one shape.',
    reference=digit_loss, alternative=loss_by_difference, spec=loss_by_side, cases=loss_cases,
    hints=('Three lines: refuse, squash, measure. You have met each of them.',
           'Compare predictions.shape with targets.shape first, and raise ValueError where they differ. After the sigmoid the toy from above fits.',
           'torch.where(targets == 1, 1 - squashed, squashed).mean(), where squashed is predictions.sigmoid().'),
    wrong=(Wrong(lambda p, t: torch.where(t == 1, 1 - p, p).mean(), 'value', 'The sigmoid is missing: the higher a score, the lower this loss, without end.'),
           Wrong(lambda p, t: loss_spread(-p, t), 'value', 'Upside down: this is small when the answers are wrong. A model trained on it learns to call every three a seven.'),
           Wrong(lambda p, t: loss_spread(p, t)*len(p), 'value', 'The sum. With a mean the step does not depend on how many pictures are in the batch.'),
           Wrong(lambda p, t: (p.sigmoid() - t).square().mean(), 'value', 'The squared distance. Here every distance counts as it is.'),
           Wrong(lambda p, t: loss_spread(p.sigmoid(), t), 'value', 'Squashed twice: what was between 0 and 1 is now between one half and 0.73.'),
           Wrong(lambda p, t: ((p > 0) != (t == 1)).float().mean(), 'value', 'The share of wrong answers. It does not move when an answer gets slightly better.'),
           Wrong(lambda p, t: loss_spread(p, t).item(), 'shape', 'A Python number has no backward. Leave the mean a tensor.'),
           Wrong(lambda p, t: digit_loss(p.detach(), t), 'gradient', 'The value is right, and no gradient comes back: detach, .data and no_grad cut the way to the weights.'),
           Wrong(lambda p, t: torch.where(t == 1, 1 - 1/(1 + torch.exp(-p)), 1/(1 + torch.exp(-p))).mean(), 'extremes',
                 'The textbook sigmoid again: one score of -10,000 and the gradient is not a number. Use predictions.sigmoid().'),
           Wrong(loss_spread, 'refusal', 'A column and a flat list are spread over each other: three scores and three labels become nine distances, and nothing is said.'),
           Wrong(loss_by_rank, 'refusal', 'As many axes are not the same shape: a column and a row are still spread over each other. Compare the shapes, with all their sizes.'),
           Wrong(loss_asserted, 'refusal', 'Refused, but with AssertionError, which python -O leaves out. The contract asks for ValueError.')),
    grad=True, extremes=loss_extremes, refuses=loss_refuses)

# accuracy_of: one line that a person looks at

def accuracy_of(predictions, targets):
    "Share of right answers, shape (), float32: a score above 0 says 1, any other says 0."
    return ((predictions > 0) == (targets == 1)).float().mean()

def accuracy_by_product(predictions, targets):
    sides = torch.where(predictions > 0, 1, -1)*torch.where(targets == 1, 1, -1)
    return (sides.sum()/sides.numel() + 1)/2

def accuracy_by_counting(predictions, targets):
    pairs = list(zip(predictions.flatten().tolist(), targets.flatten().tolist()))
    return predictions.new_tensor(sum((1 if p > 0 else 0) == t for p, t in pairs)/len(pairs))

def accuracy_cases(g):
    return [Case((tensor([[.3], [.2], [.4], [-2.], [-1.], [-3.]]), tensor([[0], [0], [0], [0], [0], [1]])), 'six pictures'), Case((tensor([[0.], [-1.]]), tensor([[0], [0]])), 'a score of exactly 0'),
            Case((tensor([[.2]]), tensor([[1]])), 'a batch of one'), Case((torch.randn(7, 1, generator=g), tensor([[0], [1], [0], [0], [1], [1], [1]])), 'seven pictures')]

def accuracy_on_the_input(predictions, targets):
    predictions[predictions <= 0] = 0
    predictions[predictions > 0] = 1
    return (predictions == targets).float().mean()

ACCURACY_OF = Exercise(
    name='accuracy_of', task='The share of right answers as a float32 tensor of shape (), where the scores are: a score above 0 says 1, any other says 0. Predictions and targets have one shape.',
    reference=accuracy_of, alternative=accuracy_by_product, spec=accuracy_by_counting, cases=accuracy_cases,
    hints=('Which answers are threes? Which labels? Where do the two agree?', 'Agreement is a tensor of True and False. Turned into 1. and 0. its mean is a share.',
           '((predictions > 0) == (targets == 1)), with both pairs of brackets, then .float().mean().'),
    wrong=(Wrong(lambda p, t: ((p > .5) == (t == 1)).float().mean(), 'value', 'One half is the border for probabilities. These are scores: their border is 0.'),
           Wrong(lambda p, t: ((p.sigmoid() > 0) == (t == 1)).float().mean(), 'value', 'A sigmoid is never below 0, so this calls everything a three.'),
           Wrong(lambda p, t: ((p >= 0) == (t == 1)).float().mean(), 'value', 'A score of exactly 0 is not above 0: it says 0.'),
           Wrong(lambda p, t: (p > 0).float().mean(), 'value', 'The share that is called a three, right or wrong. The labels are not looked at.'),
           Wrong(lambda p, t: (p > 0 == t).float().mean(), 'error', 'Python reads a > 0 == b as a chain, (a > 0) and (0 == b). Put brackets around p > 0.'),
           Wrong(lambda p, t: ((p > 0) == t).mean(), 'error', 'True and False have no mean until .float() makes them 1. and 0.'),
           Wrong(lambda p, t: (p == t).float().mean(), 'value', 'A score is hardly ever equal to a label. First say which answer a score gives, then compare.'),
           Wrong(lambda p, t: ((p > 0) == (t == 1)).float(), 'shape', 'One verdict for each picture. The share of the right ones is their mean.'),
           Wrong(lambda p, t: accuracy_of(p, t).item(), 'shape', 'A Python number; the contract asks for a tensor of shape ().'),
           Wrong(lambda p, t: ((p > 0) == (t == 1)).double().mean(), 'dtype', 'The number is right, its dtype is not: the contract asks for float32.'),
           Wrong(lambda p, t: tensor(((p > 0) == (t == 1)).tolist()).float().mean(), 'device', 'A new tensor is made on the default device, wherever the scores are.'),
           Wrong(accuracy_on_the_input, 'inputs', "The share is right, but the scores are gone: you wrote over the caller's tensor.")))

# one_epoch: every item once, each step by its own gradient

def one_epoch(model, lr, params, dl):
    "One step for each batch of `dl` on its `mnist_loss`. Returns the mean loss over all items, each taken before its step: a float."
    params, total, n = list(params), 0., 0
    for xb, yb in dl:
        loss = mnist_loss(model(xb), yb)
        loss.backward()
        with torch.no_grad():
            for p in params:
                p -= lr*p.grad
                p.grad = None
        total, n = total + loss.item()*len(yb), n + len(yb)
    return total/n

def epoch_by_optimizer(model, lr, params, dl):
    optimizer, losses = torch.optim.SGD(params, lr), []
    for xb, yb in dl:
        optimizer.zero_grad()
        loss = mnist_loss(model(xb), yb)
        loss.backward()
        optimizer.step()
        losses += [loss.item()]*len(yb)
    return sum(losses)/len(losses)

def epoch_by_formula(model, lr, params, dl):
    params, distances = list(params), []
    for xb, yb in dl:
        distance = (model(xb).sigmoid() - yb).abs()
        for p, slope in zip(params, torch.autograd.grad(distance.mean(), params)): p.data = p.data - lr*slope
        distances += distance.flatten().tolist()
    return sum(distances)/len(distances)

def two_epochs(f, show, batch_size, lr, w, b, x, y):
    "What a linear model's first two epochs leave: the loss that `f` reports of the second one, or the weights and the bias."
    w, b = w.clone().requires_grad_(), b.clone().requires_grad_()
    batches = list(zip(x.split(batch_size), y.split(batch_size)))
    with torch.device(x.device):  # a float comes back: where it was added up does not matter
        losses = [f(lambda xb: xb@w + b, lr, iter([w, b]), batches) for _ in range(2)]
    return losses[1] if show == 'loss' else torch.cat([w.detach().flatten(), b.detach()])

def epoch_case(g, n, batch_size, lr):
    x, y = torch.randn(n, 3, generator=g), torch.randint(2, (n, 1), generator=g)
    args, title = (batch_size, lr, torch.randn(3, 1, generator=g), torch.randn(1, generator=g), x, y), f'{n} items in batches of {batch_size}'
    return [Case(('loss', *args), f'{title}, two epochs: the loss of the second'), Case(('parameters', *args), f'{title}, two epochs: the three weights and the bias that they leave')]

def epoch_cases(g): return [*epoch_case(g, 7, 3, .5), *epoch_case(g, 4, 4, 1.), *epoch_case(g, 9, 5, 2.), *epoch_case(g, 1, 2, 1.)]

def epoch_uncleared(model, lr, params, dl):
    params, losses = list(params), []
    for xb, yb in dl:
        loss = mnist_loss(model(xb), yb)
        loss.backward()
        with torch.no_grad():
            for p in params: p -= lr*p.grad
        losses += [loss.item()]*len(yb)
    return sum(losses)/len(losses)

def epoch_walked_once(model, lr, params, dl):
    losses = []
    for xb, yb in dl:
        loss = mnist_loss(model(xb), yb)
        loss.backward()
        with torch.no_grad():
            for p in params:  # after the first batch nothing is left in `params`
                p -= lr*p.grad
                p.grad = None
        losses += [loss.item()]*len(yb)
    return sum(losses)/len(losses)

def epoch_walked_twice(model, lr, params, dl):
    losses = []
    for xb, yb in dl:
        loss = mnist_loss(model(xb), yb)
        loss.backward()
        with torch.no_grad():
            for p in params: p -= lr*p.grad
        for p in params: p.grad = None  # nothing is left to clear
        losses += [loss.item()]*len(yb)
    return sum(losses)/len(losses)

def epoch_recorded(model, lr, params, dl):
    params = list(params)
    for xb, yb in dl:
        mnist_loss(model(xb), yb).backward()
        for p in params: p -= lr*p.grad

def epoch_mean_of_means(model, lr, params, dl):
    params = list(params)
    losses = [one_epoch(model, lr, params, [batch]) for batch in dl]
    return sum(losses)/len(losses)

def epoch_seeded(model, lr, params, dl):
    torch.manual_seed(42)
    return one_epoch(model, lr, params, dl)

def without_tail(dl): return [batch for batch in dl if len(batch[1]) == len(dl[0][1])]

def in_one(dl): return [tuple(torch.cat(column) for column in zip(*dl))]

ONE_EPOCH = Exercise(
    name='one_epoch', task='For each batch (xb, yb) of dl one step of all params, in place, down mnist_loss(model(xb), yb), each by its own gradient alone. params can be walked through only once. '
                           'Returns a float: the mean loss over all items, each taken before its step.',
    reference=one_epoch, alternative=epoch_by_optimizer, spec=epoch_by_formula, cases=epoch_cases, observe=two_epochs,
    hints=('For each batch: answer, loss, backward, step, clear. The cell above has the last two. Keep the loss as you go.',
           'params may be walked through only once, so make it a list first. And a batch of 3 counts three times as much as a batch of 1: add loss.item()*len(yb), and divide by the items at the end.',
           'params = list(params); for each batch: loss = mnist_loss(model(xb), yb); loss.backward(); inside torch.no_grad() for each p: p -= lr*p.grad, then p.grad = None.'),
    wrong=(Wrong(epoch_uncleared, 'value', 'The gradients are not cleared: each step repeats all the earlier ones.'),
           Wrong(lambda model, lr, params, dl: one_epoch(model, lr, params, without_tail(dl)), 'value', 'The short last batch is lost: its items neither teach nor count.'),
           Wrong(lambda model, lr, params, dl: one_epoch(model, lr, params, dl[:1]), 'value', 'It ends after the first batch. Is the return inside the loop?'),
           Wrong(lambda model, lr, params, dl: one_epoch(model, lr, params, in_one(dl)), 'value', 'One step for the whole epoch. Here every batch makes a step of its own.'),
           Wrong(epoch_mean_of_means, 'value', 'The weights are right. The loss is a mean of means: an item of a short batch counts more than one of a long batch.'),
           Wrong(epoch_walked_once, 'value', 'Only the first batch made a step: params, like model.parameters(), can be walked through once. Make it a list.'),
           Wrong(epoch_walked_twice, 'value', 'You walk through params twice, to step and then to clear. It can be walked through only once, so nothing is cleared and later batches do not step. Make it a list.'),
           Wrong(lambda model, lr, params, dl: one_epoch(model, -lr, params, dl), 'value', 'Uphill: the step goes along the gradient, and the loss grows.'),
           Wrong(lambda model, lr, params, dl: one_epoch(model, 0, params, dl), 'value', 'The parameters are where they were. p = p - ... makes a new tensor and leaves the old one; p -= ... moves it.'),
           Wrong(epoch_seeded, 'random', 'The epoch is right, but it draws nothing by chance, and yet the random state is another one afterwards, and with it whatever the caller draws next.'),
           Wrong(epoch_recorded, 'error', 'A step is no part of the model: take it inside torch.no_grad().'),
           Wrong(lambda model, lr, params, dl: tensor(one_epoch(model, lr, params, dl)), 'shape', 'The mean loss is a tensor; the contract asks for a float. loss.item() gives one, and lets go of the graph.')))

# merged: two lines make a line, and the first bias travels

def merged(w1, b1, w2, b2):
    "The weights and the bias of the one linear layer that does what two in a row do."
    return w1@w2, b1@w2 + b2

def merged_as_one(w1, b1, w2, b2):
    "The bias as one more row of weights, whose input is always 1."
    both = torch.cat([w1, b1[None]])@w2
    return both[:-1], both[-1] + b2

def merged_by_asking(w1, b1, w2, b2):
    "What the pair says to nothing at all is the bias; what each input adds to that is its row of weights."
    bias = (torch.zeros(len(w1), dtype=w1.dtype)@w1 + b1)@w2 + b2
    return (torch.eye(len(w1), dtype=w1.dtype)@w1 + b1)@w2 + b2 - bias, bias

def merged_case(g, n_in, n_hidden, n_out):
    sizes = [(n_in, n_hidden), (n_hidden,), (n_hidden, n_out), (n_out,)]
    return Case(tuple(torch.randn(size, generator=g) for size in sizes), f'{n_in} inputs, {n_hidden} between, {n_out} out')

def merged_cases(g):
    by_hand = tensor([[1., 2.]]), tensor([.5, -1.]), tensor([[3.], [1.]]), tensor([10.])
    return [Case(by_hand, 'one input, two between, one out'), merged_case(g, 3, 4, 1), merged_case(g, 2, 3, 3), merged_case(g, 4, 1, 2)]

MERGED = Exercise(
    name='merged', task='A pair (weights, bias): the one linear layer that does what (x@w1 + b1)@w2 + b2 does. Both of the dtype of what is given, and where it is.',
    reference=merged, alternative=merged_as_one, spec=merged_by_asking, cases=merged_cases,
    hints=('Write out (x@w1 + b1)@w2 + b2 and multiply out the brackets.', 'Two terms have no x in them. Together they are the bias.', 'x@(w1@w2) + (b1@w2 + b2).'),
    wrong=(Wrong(lambda w1, b1, w2, b2: (w1@w2, b2), 'value', 'The first bias is lost. An input of zeros gives b1 after the first layer, and that goes through the second.'),
           Wrong(lambda w1, b1, w2, b2: (w1@w2, b1@w2), 'value', 'The second bias is lost.'),
           Wrong(lambda w1, b1, w2, b2: (w1@w2, b1 + b2), 'shape', 'The first bias has one number for each hidden unit. It goes through the second layer before it meets the second bias.'),
           Wrong(lambda w1, b1, w2, b2: (b1@w2 + b2, w1@w2), 'shape', 'Both are right, in the other order: the weights first.'),
           Wrong(lambda w1, b1, w2, b2: w1@w2, 'shape', 'These are the weights. The layer needs its bias too.')))

# raw_scores: the bug lab

def polite_scores(xb, w1, b1, w2, b2):
    "Scores of a batch, linear, ReLU, linear: above 0 means a three."
    hidden = F.relu(xb@w1 + b1)
    return torch.sigmoid(hidden@w2 + b2)

def raw_scores(xb, w1, b1, w2, b2):
    "Scores of a batch, linear, ReLU, linear: above 0 means a three."
    hidden = F.relu(xb@w1 + b1)
    return hidden@w2 + b2

def scores_by_layers(xb, w1, b1, w2, b2): return F.linear(F.linear(xb, w1.T, b1).clamp(min=0), w2.T, b2)

def scores_by_items(xb, w1, b1, w2, b2):
    rows = [sum(max(x@w + b, torch.zeros_like(b))*out for w, b, out in zip(w1.T, b1, w2)) + b2 for x in xb]
    return torch.stack(rows)

def scores_case(g, n, scale=1):
    sizes = [(n, 3), (3, 4), (4,), (4, 1), (1,)]
    return Case(tuple(scale*torch.randn(size, generator=g) for size in sizes), f'{n} items of 3 numbers, 4 hidden units')

def scores_cases(g):
    by_hand = tensor([[1., 2.], [3., 1.]]), tensor([[1., -1.], [-1., 1.]]), tensor([0., .5]), tensor([[.5], [-1.]]), tensor([.25])
    return [Case(by_hand, 'two items of two numbers, two hidden units'), scores_case(g, 5), scores_case(g, 1)]

def scores_extremes(g): return [scores_case(g, 3, scale=20)]

RAW_SCORES = Exercise(
    name='raw_scores', task='Mend polite_scores: scores of a batch, as mnist_loss and batch_accuracy expect them, from the same linear, ReLU, linear. A score above 0 means a three, below 0 a seven.',
    reference=raw_scores, alternative=scores_by_layers, spec=scores_by_items, cases=scores_cases, bug=polite_scores,
    hints=('Which answers can this network give? Look at the smallest and the largest.', 'Who squashes the scores already? Read mnist_loss once more.', 'The last line gives hidden@w2 + b2, and nothing is done to it.'),
    wrong=(Wrong(lambda *args: polite_scores(*args), 'value', 'Every answer is above 0, so every picture is a three, and mnist_loss squashes a second time.'),
           Wrong(lambda *args: polite_scores(*args) - .5, 'value', 'Accuracy is mended, the loss is not: it squashes numbers between -0.5 and 0.5, so it can never fall below 0.37.'),
           Wrong(lambda *args: 2*polite_scores(*args) - 1, 'value', 'Accuracy is mended, the loss is not: it squashes numbers between -1 and 1, so it can never fall below 0.26.'),
           Wrong(lambda xb, w1, b1, w2, b2: (xb@w1 + b1)@w2 + b2, 'value', 'The bend is gone as well: two linear layers in a row are one.'),
           Wrong(lambda xb, w1, b1, w2, b2: torch.sigmoid((xb@w1 + b1)@w2 + b2), 'value', 'You took out the bend and kept the squashing. Which of the two makes every answer positive?'),
           Wrong(lambda *args: F.relu(raw_scores(*args)), 'value', 'A ReLU after the last layer forbids scores below 0: no picture can be called a seven with conviction.'),
           Wrong(lambda *args: torch.logit(polite_scores(*args)), 'extremes', 'Squashed, then stretched again. For large scores the sigmoid has already rounded to 0 or 1, and nothing brings the number back.')),
    grad=True, extremes=scores_extremes)

EXERCISES = [STEPS_IN_EPOCH, STABLE_SIGMOID, DIGIT_LOSS, ACCURACY_OF, ONE_EPOCH, MERGED, RAW_SCORES]
