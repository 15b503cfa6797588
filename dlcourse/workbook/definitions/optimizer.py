"Exercises of the lesson optimizer: what to write, what it is held against, what is refused."
import torch

from ...foundations.optimizer import SGD, Adam, AdamW, RMSProp
from ..contract import Case, Exercise, Wrong


def walk(f, p, memory, options):
    "Where the parameter is after each step of `f`, downhill on a bowl; what came out instead, if that is no step."
    path = []
    for rest in options:
        given = f(p, 2*p + 1, *memory, *rest)
        if not isinstance(given, (tuple, list)) or len(given) != 1 + len(memory): return given
        p, *memory = given
        path.append(p.clone())
    return torch.stack(path)

def one_number_at_a_time(f, tensors, rest):
    "`f` for each number of the tensors by itself; its results put together again."
    found = [f(*numbers, *rest) for numbers in zip(*(x.flatten().tolist() for x in tensors))]
    return tuple(tensors[0].new_tensor(column).view_as(tensors[0]) for column in zip(*found))

def by_optimizer(make, p, grad, memory):
    "A step of an optimizer that remembers the given tensors."
    p = p.clone()
    p.grad, opt = grad, make([p])
    opt.state[p] = {name: x.clone() if isinstance(x, torch.Tensor) else x for name, x in memory.items()}
    opt.step()
    return p, opt.state[p]


# ---- final_stride ----

def final_stride(grad, lr, beta):
    "The length of a momentum step once the memory has settled, for a gradient that stays the same."
    return lr*grad/(1 - beta)

def stride_by_rest(grad, lr, beta):
    share = 1 - beta
    return (grad/share).mul(lr)

def stride_by_walking(grad, lr, beta):
    buf = torch.zeros_like(grad)
    for _ in range(2000): buf = beta*buf + grad
    return lr*buf

def stride_cases(g):
    return [Case((torch.tensor(1.), .1, .9), 'a slope of 1, a rate of 0.1, beta 0.9'),
            Case((torch.tensor([2., -3., .5]), .3, .5), 'three slopes, beta 0.5'),
            Case((torch.randn(2, 3, generator=g).double(), .01, .95), 'two rows of three, float64'),
            Case((torch.tensor([4.]), .25, 0.), 'no memory at all')]

FINAL_STRIDE = Exercise(
    name='final_stride', reference=final_stride, alternative=stride_by_rest, spec=stride_by_walking, cases=stride_cases,
    task='The length of a momentum step, `lr` times the memory, once the memory no longer changes, for a gradient that stays the same at every step.',
    hints=('The memory has settled when `beta*buf + grad` is `buf` again. Solve that for `buf`.',
           '`buf = grad/(1 - beta)`. And the step is `lr` times that.',
           '`lr*grad/(1 - beta)`'),
    wrong=(
        Wrong(lambda grad, lr, beta: lr*grad, 'value', 'This is the first step, when nothing is remembered yet.'),
        Wrong(lambda grad, lr, beta: lr*(beta*grad + grad), 'value', 'This is the second step. The memory goes on growing.'),
        Wrong(lambda grad, lr, beta: lr*grad*(1 - beta), 'value', 'Fading slopes that agree make the step longer, not shorter: divide.'),
        Wrong(lambda grad, lr, beta: lr*grad/beta, 'value', 'With beta 0.5 the memory settles where half of it fades and as much is added: what is *lost* at each step counts, `1 - beta`.'),
        Wrong(lambda grad, lr, beta: grad/(1 - beta), 'value', 'This is the memory. The step is the rate times that.'),
        Wrong(lambda grad, lr, beta: (lr*grad/(1 - beta)).double(), 'dtype', 'Keep the dtype of the gradient.'),
        Wrong(lambda grad, lr, beta: (lr*grad/(1 - beta)).tolist(), 'shape', 'Python numbers; a tensor like `grad` was due.'),
    ))


# ---- momentum_step ----

def momentum_step(p, grad, buf, lr, beta):
    "One step with momentum: the parameter and its memory afterwards, as new tensors."
    buf = beta*buf + grad
    return p - lr*buf, buf

def momentum_by_sgd(p, grad, buf, lr, beta):
    p, memory = by_optimizer(lambda ps: SGD(ps, lr, beta), p, grad, {'step': 0, 'momentum_buffer': buf})
    return p, memory['momentum_buffer']

def momentum_in_numbers(p, grad, buf, lr, beta):
    return one_number_at_a_time(lambda p, grad, buf: (p - lr*(beta*buf + grad), beta*buf + grad), (p, grad, buf), ())

def momentum_in_place(p, grad, buf, lr, beta):
    buf = beta*buf + grad
    p -= lr*buf
    return p, buf

def momentum_with_rate_inside(p, grad, buf, lr, beta):
    buf = beta*buf + lr*grad
    return p - buf, buf

def momentum_one_late(p, grad, buf, lr, beta): return p - lr*buf, beta*buf + grad

def momentum_forgotten(p, grad, buf, lr, beta): return p - lr*(beta*buf + grad), grad

def momentum_of_nesterov(p, grad, buf, lr, beta):
    buf = beta*buf + grad
    return p - lr*(grad + beta*buf), buf

def momentum_averaged(p, grad, buf, lr, beta):
    buf = beta*buf + (1 - beta)*grad
    return p - lr*buf, buf

def go_with_momentum(f, p, rates, beta): return walk(f, p, [torch.zeros_like(p)], [(lr, beta) for lr in rates])

def momentum_cases(g):
    return [Case((torch.tensor([1., -2.]), (.1,), .9), 'a single step, from an empty memory'),
            Case((torch.tensor([1., -2., 4.]), (.1, .1, .1), .9), 'three steps'),
            Case((torch.randn(2, 3, generator=g), (.1, .02, .3), .5), 'three steps, the rate changes'),
            Case((torch.randn(1, generator=g).double(), (.1, .05), .8), 'one parameter in float64')]

MOMENTUM = Exercise(
    name='momentum_step', reference=momentum_step, alternative=momentum_by_sgd, spec=momentum_in_numbers, cases=momentum_cases, observe=go_with_momentum,
    task='One step with momentum, as PyTorch does it: the memory `buf` fades by `beta` and takes the gradient; then `p` moves against the new memory at the rate `lr`. '
         'Return the new `p` and the new `buf`. (The check goes several steps and looks where `p` is after each.)',
    hints=('Two lines: first the memory, then the parameter.',
           'The memory: `buf = beta*buf + grad`. The rate has no place in it, or a later rate could not change what is remembered.',
           'Then `return p - lr*buf, buf`.'),
    wrong=(
        Wrong(momentum_with_rate_inside, 'value',
              'The rate is inside the memory. As long as it stays the same nobody notices; when it changes, the old steps still go at the old rate.'),
        Wrong(momentum_averaged, 'value', 'This takes only `1 - beta` of the gradient, an average. PyTorch\'s momentum takes all of it.'),
        Wrong(momentum_one_late, 'value', 'The parameter moves by the memory as it was before. Renew the memory first.'),
        Wrong(momentum_forgotten, 'value', 'The step is right, but the memory that you return holds only the last gradient.'),
        Wrong(momentum_of_nesterov, 'value', 'This is Nesterov\'s variant, which looks one step ahead. The plain one moves by the memory itself.'),
        Wrong(lambda p, grad, buf, lr, beta: (p + lr*(beta*buf + grad), beta*buf + grad), 'value', 'This climbs. Subtract.'),
        Wrong(momentum_in_place, 'inputs', '`p -= ...` moves the caller\'s own tensor. Here a new one was due: `p - ...`.'),
        Wrong(lambda p, grad, buf, lr, beta: p - lr*(beta*buf + grad), 'shape', 'Only the parameter comes back. Without the new memory the next step has none.'),
    ))


# ---- spare_biases ----

def spare_biases(params, wd):
    "Two groups: parameters with two axes or more decay by `wd`, the rest not at all."
    weights, rest = [p for p in params if p.ndim >= 2], [p for p in params if p.ndim < 2]
    return [{'params': weights, 'weight_decay': wd}, {'params': rest, 'weight_decay': 0.}]

def spare_by_loop(params, wd):
    groups = {True: {'params': [], 'weight_decay': wd}, False: {'params': [], 'weight_decay': 0}}
    for p in params: groups[len(p.shape) > 1]['params'].append(p)
    return list(groups.values())

def spare_one_by_one(params, wd): return [{'params': [p], 'weight_decay': wd if p.ndim > 1 else 0.} for p in params]

def step_with_groups(f, params, wd):
    "Where copies of the parameters are after a step with these groups; the optimizer itself would decay by 0.25."
    own = [p.clone() for p in params]
    groups = f(own, wd)
    if not isinstance(groups, (list, tuple)) or not all(isinstance(group, dict) for group in groups): return groups
    for p in own: p.grad = torch.ones_like(p)
    SGD(groups, .5, weight_decay=.25).step()
    return own

def spare_cases(g):
    return [Case(([torch.tensor([[1., 2., 3.]]), torch.tensor([4.])], .1), 'a weight of shape (1, 3) and a bias of shape (1,)'),
            Case(([torch.randn(s, generator=g) for s in ((2, 3), (2,), (4, 2, 3, 3), (4,))], .5), 'a linear layer and a convolution'),
            Case(([torch.randn(2, generator=g), torch.randn(2, generator=g), torch.tensor(3.)], .3), 'nothing to decay, and a single number')]

SPARE = Exercise(
    name='spare_biases', reference=spare_biases, alternative=spare_by_loop, spec=spare_one_by_one, cases=spare_cases, observe=step_with_groups,
    task='Two groups, dicts with `\'params\'` and `\'weight_decay\'`: the parameters with two axes or more decay by `wd`, all others by 0. Every parameter is in one of them. '
         '(The check hands the groups to an SGD whose own weight decay is 0.25, and looks where the parameters go.)',
    hints=('`p.ndim` is the number of axes. Sort the parameters into two lists by it.',
           'A group without `weight_decay` takes what the optimizer was given for all. So say 0 where you mean 0.',
           "`[{'params': weights, 'weight_decay': wd}, {'params': rest, 'weight_decay': 0.}]`"),
    wrong=(
        Wrong(lambda params, wd: [{'params': params, 'weight_decay': wd}], 'value', 'Here everything decays, biases too.'),
        Wrong(lambda params, wd: [{'params': [p for p in params if p.ndim >= 2], 'weight_decay': wd}, {'params': [p for p in params if p.ndim < 2]}], 'value',
              'The second group says nothing about decay, so it gets the optimizer\'s own. Say 0.'),
        Wrong(lambda params, wd: [{'params': [p for p in params if p.ndim >= 2] or params[:1], 'weight_decay': wd if params[0].ndim > 1 else 0}], 'value',
              'Some parameters are in no group. They do not decay, but they do not learn either.'),
        Wrong(lambda params, wd: [{'params': [p for p in params if p.ndim < 2], 'weight_decay': wd},
                                  {'params': [p for p in params if p.ndim >= 2], 'weight_decay': 0.}], 'value', 'The two have changed places: now the biases decay.'),
        Wrong(lambda params, wd: [{'params': [p for p in params if p.ndim == 2], 'weight_decay': wd},
                                  {'params': [p for p in params if p.ndim != 2], 'weight_decay': 0.}], 'value',
              'A convolution\'s weight has four axes. Two *or more* decay.'),
        Wrong(lambda params, wd: [{'params': [p for p in params if p.ndim >= 2], 'weight_decay': wd}, {'params': params, 'weight_decay': 0.}], 'error',
              'The second group holds everything, so the weights are in both. They would move twice.'),
        Wrong(lambda params, wd: ([p for p in params if p.ndim >= 2], [p for p in params if p.ndim < 2]), 'shape',
              'These are lists of tensors. A group is a dict: `{\'params\': ..., \'weight_decay\': ...}`.'),
    ))


# ---- rms_step ----

def rms_step(p, grad, avg, lr, alpha, eps):
    "One step of RMSProp: the parameter and the average of squared gradients afterwards, as new tensors."
    avg = alpha*avg + (1 - alpha)*grad**2
    return p - lr*grad/(avg.sqrt() + eps), avg

def rms_by_class(p, grad, avg, lr, alpha, eps):
    p, memory = by_optimizer(lambda ps: RMSProp(ps, lr, alpha, eps), p, grad, {'step': 0, 'square_avg': avg})
    return p, memory['square_avg']

def rms_in_numbers(p, grad, avg, lr, alpha, eps):
    def one(p, grad, avg):
        avg = alpha*avg + (1 - alpha)*grad*grad
        return p - lr*grad/(avg**.5 + eps), avg
    return one_number_at_a_time(one, (p, grad, avg), ())

def rms_otherwise(*args, square=torch.square, share=None, divide=None):
    "`rms_step` with one part replaced."
    p, grad, avg, lr, alpha, eps = args
    avg = alpha*avg + (1 - alpha if share is None else share)*square(grad)
    return p - lr*grad/(divide or (lambda x: x.sqrt() + eps))(avg), avg

def rms_by_old_average(p, grad, avg, lr, alpha, eps): return p - lr*grad/(avg.sqrt() + eps), alpha*avg + (1 - alpha)*grad**2

def rms_in_place(p, grad, avg, lr, alpha, eps):
    avg = alpha*avg + (1 - alpha)*grad**2
    p -= lr*grad/(avg.sqrt() + eps)
    return p, avg

def go_with_rms(f, p, lr, eps, steps): return walk(f, p, [torch.zeros_like(p)], [(lr, .9, eps)]*steps)

def rms_cases(g):
    return [Case((torch.tensor([1., -2.]), .1, 1e-8, 1), 'a single step, from an empty memory'),
            Case((torch.tensor([1., -2., 4.]), .1, .5, 3), 'three steps with a large eps'),
            Case((torch.randn(2, 3, generator=g).double(), .02, 1e-3, 4), 'two rows of three in float64')]

RMS = Exercise(
    name='rms_step', reference=rms_step, alternative=rms_by_class, spec=rms_in_numbers, cases=rms_cases, observe=go_with_rms,
    task='One step of RMSProp: `avg` keeps the share `alpha` and takes `1 - alpha` of the squared gradient; then `p` moves against the gradient by `lr`, divided by the root of the new `avg` plus `eps`. '
         'Return the new `p` and the new `avg`. (The check goes several steps and looks where `p` is after each.)',
    hints=('As with momentum: first the memory, then the parameter.',
           'The memory: `avg = alpha*avg + (1 - alpha)*grad**2`. Below the fraction: `avg.sqrt() + eps`.',
           'Then `return p - lr*grad/(avg.sqrt() + eps), avg`.'),
    wrong=(
        Wrong(lambda p, grad, avg, lr, alpha, eps: rms_otherwise(p, grad, avg, lr, alpha, eps, divide=lambda x: (x + eps).sqrt()), 'value',
              '`eps` is inside the root. There a large one counts for less, a tiny one for more: add it to the root.'),
        Wrong(lambda p, grad, avg, lr, alpha, eps: rms_otherwise(p, grad, avg, lr, alpha, eps, divide=lambda x: x + eps), 'value',
              'Divided by the square. Without the root the units do not cancel, and small slopes make huge steps.'),
        Wrong(lambda p, grad, avg, lr, alpha, eps: rms_otherwise(p, grad, avg, lr, alpha, eps, share=1.), 'value',
              'The average takes the whole square. Then it is a sum, ten times too large in the end: take `1 - alpha` of it.'),
        Wrong(lambda p, grad, avg, lr, alpha, eps: rms_otherwise(p, grad, avg, lr, alpha, eps, square=lambda x: x.square().mean()), 'value',
              'All parameters share one average here. The idea is that each has units of its own.'),
        Wrong(rms_by_old_average, 'value', 'The step uses the average as it was before. At the first step that is 0.'),
        Wrong(rms_in_place, 'inputs', '`p -= ...` moves the caller\'s own tensor; a new one was due.'),
        Wrong(lambda p, grad, avg, lr, alpha, eps: rms_step(p, grad, avg, lr, alpha, eps)[0], 'shape', 'The new average has to come back as well.'),
        Wrong(lambda p, grad, avg, lr, alpha, eps: rms_step(p.double(), grad, avg, lr, alpha, eps), 'dtype', 'A float32 parameter should stay one.'),
    ))


# ---- unbiased ----

def unbiased(average, beta, t):
    "A fading average that began at zero, corrected for that after `t` steps."
    return average/(1 - beta**t)

def unbiased_by_shares(average, beta, t): return average/sum((1 - beta)*beta**k for k in range(t))

def unbiased_by_loop(average, beta, t):
    zeros = 1.
    for _ in range(t): zeros *= beta
    return average/(1 - zeros)

def unbiased_cases(g):
    return [Case((torch.tensor(.1), .9, 1), 'after one step'),
            Case((torch.tensor([.271, -.5]), .9, 3), 'after three steps'),
            Case((torch.randn(2, 3, generator=g).double(), .99, 40), 'after forty, float64')]

UNBIASED = Exercise(
    name='unbiased', reference=unbiased, alternative=unbiased_by_shares, spec=unbiased_by_loop, cases=unbiased_cases,
    task='The correction of a fading average, `average = beta*average + (1 - beta)*new`, that began at zero and has taken `t` numbers: what share of it is real, and not the zero from the start?',
    hints=('How much of the first zero is left after one step? After two?',
           '`beta**t` of it is left. The rest, `1 - beta**t`, is made of real numbers.',
           '`average/(1 - beta**t)`'),
    wrong=(
        Wrong(lambda average, beta, t: average/(1 - beta), 'value', 'Right after the first step, and too large after every other: the zeros fade.'),
        Wrong(lambda average, beta, t: average/(1 - beta)**t, 'value', 'The power belongs to `beta` alone: `1 - beta**t`.'),
        Wrong(lambda average, beta, t: average/(1 - beta**(t + 1)), 'value', 'One step too many: `t` is 1 after the first.'),
        Wrong(lambda average, beta, t: average/beta**t, 'value', '`beta**t` is the share of the zeros. Divide by the rest.'),
        Wrong(lambda average, beta, t: average*(1 - beta**t), 'value', 'This makes a small average smaller. Divide.'),
        Wrong(lambda average, beta, t: average.div_(1 - beta**t), 'inputs', '`div_` changes the caller\'s average, which the next step still needs as it was.'),
    ))


# ---- adam_step ----

def adam_step(p, grad, m, v, t, lr):
    "Step number `t` of Adam: the parameter and both averages afterwards, as new tensors."
    m, v = .9*m + .1*grad, .999*v + .001*grad**2
    right_m, right_v = m/(1 - .9**t), v/(1 - .999**t)
    return p - lr*right_m/(right_v.sqrt() + 1e-8), m, v

def adam_by_class(p, grad, m, v, t, lr):
    p, memory = by_optimizer(lambda ps: Adam(ps, lr), p, grad, {'step': t - 1, 'exp_avg': m, 'exp_avg_sq': v})
    return p, memory['exp_avg'], memory['exp_avg_sq']

def adam_in_numbers(p, grad, m, v, t, lr, wd=0.):
    def one(p, grad, m, v):
        m, v = .9*m + .1*grad, .999*v + .001*grad*grad
        return p - lr*wd*p - lr*m/(1 - .9**t)/((v/(1 - .999**t))**.5 + 1e-8), m, v
    return one_number_at_a_time(one, (p, grad, m, v), ())

def adam_otherwise(*args, fix_m=True, fix_v=True, shift=0, divide=lambda v: v.sqrt() + 1e-8):
    "`adam_step` with some parts left out or replaced."
    p, grad, m, v, t, lr = args
    m, v = .9*m + .1*grad, .999*v + .001*grad**2
    right_m, right_v = (x/(1 - beta**(t + shift)) if fix else x for x, beta, fix in ((m, .9, fix_m), (v, .999, fix_v)))
    return p - lr*right_m/divide(right_v), m, v

def adam_with_fixed_memory(p, grad, m, v, t, lr):
    m, v = (.9*m + .1*grad)/(1 - .9**t), (.999*v + .001*grad**2)/(1 - .999**t)
    return p - lr*m/(v.sqrt() + 1e-8), m, v

def adam_in_place(p, grad, m, v, t, lr):
    moved, m, v = adam_step(p, grad, m, v, t, lr)
    return p.copy_(moved), m, v

def go_with_adam(f, p, scale, rates):
    "Where `p` is after steps of Adam, the slopes of a bowl made `scale` times as large."
    def scaled(p, grad, *rest): return f(p, scale*grad, *rest)
    return walk(scaled, p, [torch.zeros_like(p), torch.zeros_like(p)], [(t, lr) for t, lr in enumerate(rates, 1)])

def adam_cases(g):
    return [Case((torch.tensor([1., -2.]), 1., (.1,)), 'the first step'),
            Case((torch.tensor([1., -2., 4.]), 1., (.1, .1, .1)), 'three steps'),
            Case((torch.randn(2, 3, generator=g), 1e-8, (.1, .02, .05)), 'tiny slopes, and a rate that changes'),
            Case((torch.randn(1, generator=g).double(), 1., (.1,)*5), 'one parameter in float64')]

ADAM = Exercise(
    name='adam_step', reference=adam_step, alternative=adam_by_class, spec=adam_in_numbers, cases=adam_cases, observe=go_with_adam,
    task='Step number `t` (1 is the first) of Adam, with betas of 0.9 and 0.999: renew the averages `m` of gradients and `v` of their squares, correct both for their start at zero, '
         'and move `p` by `lr` times the first, divided by the root of the second plus 1e-8. Return the new `p`, and `m` and `v` uncorrected.',
    hints=('Three lines: the averages; their corrections, under other names; the step.',
           '`m/(1 - .9**t)` and `v/(1 - .999**t)` are the corrected ones. Return `m` and `v` themselves, or the next step corrects twice.',
           'The step: `p - lr*right_m/(right_v.sqrt() + 1e-8)`.'),
    wrong=(
        Wrong(lambda *args: adam_otherwise(*args, fix_m=False, fix_v=False), 'value',
              'Nothing is corrected. The first step is about three times too long, since the root is too small by even more than the average.'),
        Wrong(lambda *args: adam_otherwise(*args, fix_v=False), 'value', 'Only the first average is corrected. The second one began at zero, too, and forgets it far more slowly.'),
        Wrong(lambda *args: adam_otherwise(*args, fix_m=False), 'value', 'Only the second average is corrected: the first step is a tenth of what it should be.'),
        Wrong(lambda *args: adam_otherwise(*args, shift=1), 'value', '`t` is 1 at the first step; you count one more.'),
        Wrong(lambda *args: adam_otherwise(*args, divide=lambda v: (v + 1e-8).sqrt()), 'value',
              '`eps` is inside the root, where 1e-8 becomes 1e-4. For tiny slopes the step is then far too short.'),
        Wrong(lambda *args: adam_otherwise(*args, divide=lambda v: v + 1e-8), 'value', 'Divided by the square: the root is missing.'),
        Wrong(adam_with_fixed_memory, 'value', 'The corrected averages were kept as memory, so the next step corrects them again. Correct copies.'),
        Wrong(adam_in_place, 'inputs', 'The caller\'s own parameter was moved; a new tensor was due.'),
        Wrong(lambda *args: adam_step(*args)[0], 'shape', 'Both averages have to come back, or the next step has no memory.'),
    ))


# ---- the bug lab ----

def entangled_step(p, grad, m, v, t, lr, wd):
    "Step number `t` of Adam with weight decay: the parameter and both averages afterwards."
    grad = grad + wd*p
    m, v = .9*m + .1*grad, .999*v + .001*grad**2
    step = m/(1 - .9**t)/((v/(1 - .999**t)).sqrt() + 1e-8)
    return p - lr*step, m, v

def adamw_step(p, grad, m, v, t, lr, wd):
    "Step number `t` of Adam with weight decay: the parameter and both averages afterwards."
    p = p*(1 - lr*wd)
    m, v = .9*m + .1*grad, .999*v + .001*grad**2
    step = m/(1 - .9**t)/((v/(1 - .999**t)).sqrt() + 1e-8)
    return p - lr*step, m, v

def adamw_by_class(p, grad, m, v, t, lr, wd):
    p, memory = by_optimizer(lambda ps: AdamW(ps, lr, weight_decay=wd), p, grad, {'step': t - 1, 'exp_avg': m, 'exp_avg_sq': v})
    return p, memory['exp_avg'], memory['exp_avg_sq']

def decayed_after(p, grad, m, v, t, lr, wd):
    p, m, v = adam_step(p, grad, m, v, t, lr)
    return p*(1 - lr*wd), m, v

def decayed_in_direction(p, grad, m, v, t, lr, wd):
    m, v = .9*m + .1*(grad + wd*p), .999*v + .001*grad**2
    return p - lr*m/(1 - .9**t)/((v/(1 - .999**t)).sqrt() + 1e-8), m, v

def decayed_in_place(p, grad, m, v, t, lr, wd):
    p *= 1 - lr*wd
    return adam_step(p, grad, m, v, t, lr)

def go_with_decay(f, p, rates, wd):
    "Where `p` is after steps with decay; each slope is ten times that of the parameter before."
    def scaled(p, grad, *rest): return f(p, grad*10**torch.ones_like(p).cumsum(-1), *rest)
    return walk(scaled, p, [torch.zeros_like(p), torch.zeros_like(p)], [(t, lr, wd) for t, lr in enumerate(rates, 1)])

def adamw_cases(g):
    return [Case((torch.tensor([1., -2.]), (.1,), .5), 'the first step'),
            Case((torch.tensor([1., -2., 4.]), (.1, .02, .05), .3), 'three steps, the rate changes'),
            Case((torch.randn(2, 3, generator=g), (.1,)*3, 0.), 'no decay at all'),
            Case((torch.randn(1, 2, generator=g).double(), (.1,)*5, 2.), 'five steps in float64')]

ADAMW = Exercise(
    name='adamw_step', bug=entangled_step, reference=adamw_step, alternative=adamw_by_class, spec=adam_in_numbers, cases=adamw_cases, observe=go_with_decay,
    task='Mend the step: before it moves, every weight loses the share `lr*wd` of itself, whatever its slopes are. The averages know nothing of decay.',
    hints=('Follow `wd` through the function. By what is it divided in the end?',
           'By the root, like every slope: where slopes are strong, decay is weak. Take it out of `grad`, so that neither average sees it.',
           'In place of the first line: `p = p*(1 - lr*wd)`.'),
    wrong=(
        Wrong(lambda p, grad, m, v, t, lr, wd: adam_step(p*(1 - wd), grad, m, v, t, lr), 'value', 'The decay is not times the rate. It would go on at full strength when the rate sinks.'),
        Wrong(decayed_after, 'value', 'Here the decay also shrinks the step that was just taken. Shrink first, then move.'),
        Wrong(decayed_in_direction, 'value', 'The second average is rid of the decay, the first is not: it is still divided by the root.'),
        Wrong(lambda p, grad, m, v, t, lr, wd: adam_step(p, grad, m, v, t, lr), 'value', 'Now nothing decays at all.'),
        Wrong(lambda p, grad, m, v, t, lr, wd: adam_step(p - lr*wd*p.sign(), grad, m, v, t, lr), 'value', 'Every weight loses the same amount. A *share* was due, more from a large weight.'),
        Wrong(decayed_in_place, 'inputs', '`p *= ...` changes the caller\'s own parameter; a new tensor was due.'),
        Wrong(lambda *args: adamw_step(*args)[:2], 'shape', 'Three things come back: the parameter and both averages.'),
    ))


EXERCISES = [FINAL_STRIDE, MOMENTUM, SPARE, RMS, UNBIASED, ADAM, ADAMW]
