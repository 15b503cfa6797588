"Exercises of the lesson descent: what to write, what it is held against, what is refused."
import torch

from ...foundations.descent import descend, gradient_step, slope
from ..contract import Case, Exercise, Wrong

# ---- losses for the cases ----

def bowl(w): return (w**2).sum()

def cube(w): return (w**3).sum()

def tilted(w): return (w**4).sum()/4 - w.sum()


# ---- safe_mse ----

def safe_mse(pred, targ):
    "Mean squared error of two tensors of one shape; a ValueError for any other pair."
    if pred.shape != targ.shape: raise ValueError(f'pred has shape {tuple(pred.shape)}, targ {tuple(targ.shape)}')
    return ((pred - targ)**2).mean()

def mse_by_norm(pred, targ):
    if list(pred.shape) == list(targ.shape): return torch.linalg.vector_norm(pred - targ).square()/pred.numel()
    raise ValueError('unequal shapes')

def mse_spec(pred, targ):
    if pred.shape != targ.shape: raise ValueError('unequal shapes')
    return sum((p - t)*(p - t) for p, t in zip(pred.flatten(), targ.flatten()))/pred.numel()

def mse_asserted(pred, targ):
    assert pred.shape == targ.shape
    return ((pred - targ)**2).mean()

def mse_by_count(pred, targ):
    if pred.numel() != targ.numel(): raise ValueError('unequal lengths')
    return ((pred - targ)**2).mean()

def mse_by_rank(pred, targ):
    if pred.ndim != targ.ndim: raise ValueError('another number of axes')
    return ((pred - targ)**2).mean()

def mse_of_torch(pred, targ):
    if pred.shape != targ.shape: raise ValueError('unequal shapes')
    return torch.nn.functional.mse_loss(pred, targ)

def mse_cases(g):
    return [Case((torch.tensor([1., 2., 5.]), torch.tensor([1., 4., 2.])), 'three numbers'),
            Case((torch.randn(2, 3, generator=g), torch.randn(2, 3, generator=g)), 'two rows of three'),
            Case((torch.randn(1, 1, generator=g), torch.randn(1, 1, generator=g)), 'a batch of one'),
            Case((torch.randn(4, 1, generator=g).double(), torch.randn(4, 1, generator=g).double()), 'a column in float64')]

def mse_extremes(g):
    return [Case((torch.tensor([10000., -10000.]), torch.tensor([10001., -10002.])), 'large numbers close together'),
            Case((torch.tensor([10000., -10000.]), torch.tensor([-10000., 0.])), 'large numbers far apart')]

def mse_refuses(g):
    return [Case((torch.tensor([[1.], [2.]]), torch.tensor([1., 2., 3.])), 'a column against a row'),
            Case((torch.tensor([[1.], [2.]]), torch.tensor([1., 2.])), 'a column against a row as long'),
            Case((torch.tensor([1., 2.]), torch.tensor(2.)), 'two numbers against a single one'),
            Case((torch.randn(2, 3, generator=g), torch.randn(1, 3, generator=g)), 'two rows of three against a table of one row'),
            Case((torch.randn(2, 3, generator=g), torch.randn(2, 1, generator=g)), 'two rows of three against a column of two')]

SAFE_MSE = Exercise(
    name='safe_mse', reference=safe_mse, alternative=mse_by_norm, spec=mse_spec, cases=mse_cases,
    grad=True, extremes=mse_extremes, refuses=mse_refuses, forbidden=('mse_loss',),
    task='The mean squared error of two tensors of one shape, as a tensor of one number, of their dtype and where they are; and a `ValueError` for any other pair. '
         'Gradients must pass. It must stay exact where large numbers lie close together, such as 10,000 and 10,001: do not square them before you subtract. Do it without `mse_loss`.',
    hints=('Two things, in this order: compare the shapes, then do the arithmetic.',
           '`pred.shape != targ.shape` is the question, `raise ValueError(...)` the answer. The arithmetic is that of `my_mse`.',
           'After the check: `return ((pred - targ)**2).mean()`.'),
    wrong=(
        Wrong(lambda pred, targ: ((pred - targ)**2).sum(), 'value',
              'This is the sum of the squares. It grows with the number of items; a mean does not.'),
        Wrong(lambda pred, targ: (pred - targ).abs().mean(), 'value', 'This averages the distances themselves, which is L1. Square them first.'),
        Wrong(lambda pred, targ: (pred - targ).mean()**2, 'value',
              'This squares the mean. Errors up and down have cancelled by then: square each, then average.'),
        Wrong(lambda pred, targ: ((pred - targ)**2).mean().item(), 'shape',
              '`item` makes a Python number, which remembers nothing. Without a tensor there is no slope.'),
        Wrong(lambda pred, targ: ((pred - targ).double()**2).mean(), 'dtype',
              'The error should have the dtype of what it compares: float32 in, float32 out.'),
        Wrong(lambda pred, targ: ((pred - targ)**2).mean().detach(), 'gradient',
              'The number is right, but cut off from what it was made of: nothing can be learned from it.'),
        Wrong(lambda pred, targ: (pred**2 - 2*pred*targ + targ**2).mean(), 'extremes',
              'Right on paper. But the squares of large numbers use up all seven digits, and nothing of a small difference is left: subtract first.'),
        Wrong(lambda pred, targ: ((pred - targ)**2).mean(), 'refusal',
              'A column against a row was stretched to a table of all pairs. Compare the shapes first.'),
        Wrong(mse_by_count, 'refusal', 'As many numbers are not the same shape: a column of two and a row of two have two each. Compare the shapes.'),
        Wrong(mse_by_rank, 'refusal', 'As many axes are not the same shape: a size of 1 was stretched. Compare the shapes, with all their sizes.'),
        Wrong(mse_asserted, 'refusal', '`assert` raises an `AssertionError`; a caller waits for a `ValueError`. (And `python -O` skips asserts.)'),
        Wrong(mse_of_torch, 'calls', 'That is PyTorch\'s own. What it does inside is one line; write that line.'),
    ))


# ---- nudge_slope ----

def nudge_slope(f, w, h):
    "The slope of `f` at `w` by two moves, `h` up and `h` down: the rise between them for each unit of `w`."
    return (f(w + h) - f(w - h))/(2*h)

def mean_of_two_nudges(f, w, h):
    here = f(w)
    right, left = (f(w + h) - here)/h, (here - f(w - h))/h
    return (right + left)/2

def rise_over_run(f, w, h):
    here, there = w.clone() - h, w.clone() + h
    rise, run = f(there) - f(here), there - here
    return rise/run

def nudged_in_place(f, w, h):
    w += h
    up = f(w)
    w -= 2*h
    return (up - f(w))/(2*h)

def nudge_cases(g):
    return [Case((cube, torch.tensor(2.), 3.), 'a cube at 2, moves of 3'),
            Case((bowl, torch.tensor(-2.5), .5), 'a bowl, half a unit'),
            Case((tilted, torch.tensor(1.5, dtype=torch.float64), .25), 'a tilted bowl, float64')]

NUDGE = Exercise(
    name='nudge_slope', reference=nudge_slope, alternative=mean_of_two_nudges, spec=rise_over_run, cases=nudge_cases,
    task='The slope of `f` at one number `w`, by one move of `h` up and one of `h` down: how much `f` rises between the two, for each unit of `w`. A tensor, of the dtype of `w` and where it is.',
    hints=('Where do the two moves end, and how far apart are these places?',
           'They end at `w + h` and `w - h`, a distance of `2*h`. The slope is the rise over the distance.',
           '`(f(w + h) - f(w - h))/(2*h)`'),
    wrong=(
        Wrong(lambda f, w, h: (f(w + h) - f(w))/h, 'value',
              'This moves up only. Where `f` bends, a single move is off by much more: move down as well.'),
        Wrong(lambda f, w, h: (f(w) - f(w - h))/h, 'value', 'This moves down only. Move up as well.'),
        Wrong(lambda f, w, h: (f(w + h) - f(w - h))/h, 'value', 'The two places are twice `h` apart, so the rise between them is shared by `2*h`.'),
        Wrong(lambda f, w, h: (f(w + h) - f(w - h))/2*h, 'value', '`/2*h` divides by 2 and then multiplies by `h`. Set brackets: `/(2*h)`.'),
        Wrong(lambda f, w, h: (f(w - h) - f(w + h))/(2*h), 'value',
              'The sign is turned round: later minus earlier, so the place higher up comes first.'),
        Wrong(lambda f, w, h: slope(f, w), 'value', 'This is the exact slope. The task is what two moves of `h` say.'),
        Wrong(lambda f, w, h: ((f(w + h) - f(w - h))/(2*h)).item(), 'shape', 'The number is right; leave it a tensor, as `f` gives one.'),
        Wrong(lambda f, w, h: (f(w.double() + h) - f(w.double() - h))/(2*h), 'dtype',
              'More digits than asked for: the slope should have the dtype of `w`.'),
        Wrong(nudged_in_place, 'inputs', '`w += h` moves the caller\'s own tensor, and it stays moved. `w + h` makes a new one.'),
    ))


# ---- slope_at ----

def slope_at(f, w):
    "The gradient of `f` at `w`, worked out afresh at each call, whatever `w.grad` held before."
    w = w.detach().clone().requires_grad_()
    f(w).backward()
    return w.grad

def slope_by_autograd(f, w):
    w = w.detach().requires_grad_()
    return torch.autograd.grad(f(w), [w])[0]

def ask_at_three_places(f, loss, w):
    "What it says at `w`, a parameter with an old gradient of 1, once it was also asked a step further, and at a plain tensor."
    parameter, old = w.clone().requires_grad_(), torch.ones_like(w)
    parameter.grad = old.clone()
    here = f(loss, parameter)
    kept = parameter.grad is not None and torch.equal(parameter.grad, old) and torch.equal(parameter, w)
    with torch.no_grad(): parameter += 1
    f(loss, parameter)
    plain = parameter.detach().clone()
    f(loss, plain)
    if plain.requires_grad or not kept: w.add_(1)  # so that the judge sees a change of what was lent
    return here

def accumulated(f, w):
    w.requires_grad_()
    f(w).backward()
    return w.grad

def cleared_too_late(f, w):
    w.requires_grad_()
    f(w).backward()
    gradient = w.grad
    gradient.zero_()
    return gradient

def cleared_in_place(f, w):
    w.requires_grad_()
    if w.grad is not None: w.grad.zero_()
    f(w).backward()
    return w.grad

def cleared_for_the_caller(f, w):
    w.requires_grad_()
    w.grad = None
    f(w).backward()
    return w.grad

def unmarked(f, w):
    f(w).backward()
    return w.grad

def copy_of_a_parameter(f, w):
    w = w.clone().requires_grad_()
    f(w).backward()
    return w.grad

def slope_cases(g):
    return [Case((bowl, torch.tensor(3.)), 'a bowl at 3, a parameter whose grad holds a 1 from before'),
            Case((cube, torch.tensor([1., -2., .5])), 'three parameters'),
            Case((tilted, torch.randn(2, 3, generator=g)), 'two rows of three'),
            Case((cube, torch.tensor([-1.5], dtype=torch.float64)), 'one parameter in float64')]

SLOPE_AT = Exercise(
    name='slope_at', reference=slope_at, alternative=slope_by_autograd, spec=slope, cases=slope_cases, observe=ask_at_three_places,
    task='The gradient of `f` at `w`: a tensor of its shape and dtype, where it is. It is worked out afresh, whatever `w.grad` held before, and later calls do not change it. '
         '`w` may be a parameter already, or a plain tensor, and stays what it was: its `grad` keeps what it held, and a plain tensor stays plain.',
    hints=('What `backward` adds to is the `grad` of one particular tensor. Does it have to be the caller\'s?',
           'Work on a copy that knows nothing: `w.detach().clone()`. Mark it, calculate, go backward.',
           '`w = w.detach().clone().requires_grad_()`, then `f(w).backward()`, then return `w.grad`.'),
    wrong=(
        Wrong(accumulated, 'value', '`backward` added to what `grad` held already. Here that was 1 from before, and slopes of other calls follow.'),
        Wrong(cleared_too_late, 'value', 'You cleared the very tensor that you return: `gradient` is another name for `w.grad`, no copy of it.'),
        Wrong(cleared_in_place, 'value', 'You return `w.grad` itself. The next call clears it and writes there again, and your first answer changes. Return a copy, or calculate on one.'),
        Wrong(unmarked, 'error', 'A plain tensor records nothing, so there is no way back to it. Mark it with `requires_grad_`, and to leave the caller\'s as it was, mark a copy.'),
        Wrong(cleared_for_the_caller, 'inputs', 'The gradient is right, but the one that the caller kept in `w.grad` is gone, or the plain tensor has become a parameter. Work on a copy.'),
        Wrong(copy_of_a_parameter, 'shape',
              'A clone of a parameter is the result of a calculation: `backward` leaves no `grad` there. Use `detach`, and mark the copy.'),
        Wrong(lambda f, w: slope_at(f, w).sum(), 'shape', 'One number for several parameters. Each has a slope of its own: the gradient has the shape of `w`.'),
        Wrong(lambda f, w: slope_at(f, w).float(), 'dtype', 'A parameter in float64 has a gradient in float64.'),
    ))


# ---- escape_rate ----

def escape_rate(a):
    "The learning rate above which the ball leaves the bowl `a*w**2`, for each steepness in `a`."
    return 1/a

def from_the_curvature(a): return torch.full_like(a, 2.).div(a + a)

def found_by_trying(a):
    "Halve the doubt fifty times: a rate is too large if one step from 1 lands farther out."
    low, high = torch.zeros_like(a).double(), torch.full_like(a, 1000.).double()
    for _ in range(50):
        lr = (low + high)/2
        out = (1 - lr*2*a.double()).abs() > 1
        low, high = torch.where(out, low, lr), torch.where(out, lr, high)
    return low.to(a.dtype)

def escape_cases(g):
    return [Case((torch.tensor([1., 5.]),), 'the bowl of the lesson and a steeper one'),
            Case((torch.rand(3, generator=g) + .1,), 'three bowls'),
            Case((torch.tensor(.25, dtype=torch.float64),), 'one shallow bowl in float64')]

ESCAPE = Exercise(
    name='escape_rate', reference=escape_rate, alternative=from_the_curvature, spec=found_by_trying, cases=escape_cases,
    task='The border of the learning rate for the bowl `a*w**2`: at a rate below it each step brings the ball nearer to the bottom, at a rate above it each step takes it farther away. '
         'A formula in `a`, a tensor of positive numbers, one steepness for each bowl; the answer has its shape and dtype, and is where `a` is.',
    hints=('The slope of `a*w**2` is `2*a*w`. By what is `w` multiplied in one step?',
           'By `1 - 2*a*lr`. At the border the ball jumps from one wall to the other: this factor is -1.',
           '`1 - 2*a*lr = -1`. Solve it for `lr`.'),
    wrong=(
        Wrong(lambda a: 1/(2*a), 'value',
              'At this rate `1 - 2*a*lr` is 0, and the ball lands on the bottom in one step. It escapes at a larger one.'),
        Wrong(lambda a: 2/a, 'value', 'Too far out: here the factor is already -3. The slope of `a*w**2` is `2*a*w`, not `a*w`.'),
        Wrong(torch.clone, 'value', 'This lets steeper bowls have larger rates. In a steep bowl the slope is large, and so is each step.'),
        Wrong(torch.ones_like, 'value', '1 is the border for `w**2` alone. How does it move with `a`?'),
        Wrong(lambda a: (1/a).min(), 'shape', 'This is the border of the steepest bowl only. Each bowl has its own.'),
        Wrong(lambda a: 1/a.double(), 'dtype', 'More digits than asked for: the answer should have the dtype of `a`.'),
        Wrong(lambda a: (1/a).tolist(), 'shape', 'A list does no arithmetic. Leave it a tensor.'),
    ))


# ---- step ----

def step(params, lr):
    "Move each parameter against its gradient, in place, and clear the gradient. One without a gradient stays."
    for p in params:
        if p.grad is None: continue
        with torch.no_grad(): p -= lr*p.grad
        p.grad = None

def step_by_sgd(params, lr):
    sgd = torch.optim.SGD(params, lr=lr)
    sgd.step()
    sgd.zero_grad()

def two_rounds(step, params, lr):
    "Where the parameters are after each of two rounds on the sum of their squares; the second one has no part in the loss."
    params = [p.clone().requires_grad_() for p in params]
    path = []
    for _ in range(2):
        sum(bowl(p) for i, p in enumerate(params) if i != 1).backward()
        step([*params], lr)  # a list of its own: what it puts in there moves no parameter
        path.append(torch.cat([p.detach().flatten() for p in params]))
    return torch.stack(path)

def having_gradients(params): return [p for p in params if p.grad is not None]

def step_uphill(params, lr):
    for p in having_gradients(params): p.data, p.grad = p.data + lr*p.grad, None

def step_uncleared(params, lr):
    for p in having_gradients(params): p.data -= lr*p.grad

def step_of_one_length(params, lr):
    for p in having_gradients(params): p.data, p.grad = p.data - lr*p.grad.sign(), None

def step_on_new_tensors(params, lr):
    for p in having_gradients(params):
        moved = p - lr*p.grad
        moved.grad = p.grad = None

def step_recorded(params, lr):
    for p in having_gradients(params):
        p -= lr*p.grad
        p.grad = None

def step_to_the_first_gap(params, lr):
    for p in params:
        if p.grad is None: break
        with torch.no_grad(): p -= lr*p.grad
        p.grad = None

def step_for_all(params, lr):
    for p in params:
        with torch.no_grad(): p -= lr*p.grad
        p.grad = None

def step_cases(g):
    idle = torch.tensor([7.])
    return [Case(([torch.tensor([3.]), idle, torch.tensor([-5.])], .1), 'parameters at 3, 7 and -5, of which 7 took no part in the loss: where they are after one step, and after two'),
            Case(([torch.randn(2, 3, generator=g), idle, torch.randn(1, generator=g)], .3), 'six parameters and one more, and 7 between them, which took no part; two steps'),
            Case(([torch.tensor([[1.], [-2.]], dtype=torch.float64), idle.double()], .25), 'a column in float64, and 7, which took no part; two steps')]

STEP = Exercise(
    name='step', reference=step, alternative=step_by_sgd, spec=gradient_step, cases=step_cases, observe=two_rounds,
    task='Move each parameter of the list against its gradient by `lr` times that gradient, in place, and clear the gradient. A parameter without one stays where it is. '
         '(The check goes two rounds on the sum of squares, in which one of several parameters takes no part, and looks where they all are after each.)',
    hints=('For each parameter two things: move it, then clear. Which of the two may not be recorded?',
           'Inside `with torch.no_grad():` write `p -= lr*p.grad`; `p = p - ...` would make a new tensor and leave the parameter. Skip those whose `grad` is None.',
           'After the move: `p.grad = None`.'),
    wrong=(
        Wrong(step_uphill, 'value', 'This climbs. The gradient points uphill: subtract it.'),
        Wrong(step_uncleared, 'value',
              'The first round is right, the second goes too far: the old gradient was still there, and `backward` added to it.'),
        Wrong(step_on_new_tensors, 'value', 'The parameters have not moved. `p - lr*p.grad` is a new tensor: change `p` itself with `-=`. (Or was the gradient cleared before it was used?)'),
        Wrong(step_of_one_length, 'value', 'All steps are equally long. A step is `lr` times the gradient, so that it shrinks near the bottom.'),
        Wrong(step_to_the_first_gap, 'value', 'It stops at the first parameter without a gradient, and those behind it do not move. Skip it with `continue`, and go on.'),
        Wrong(step_recorded, 'error',
              'PyTorch refuses to change a marked tensor in place while it records. The step is no part of the loss: `with torch.no_grad():`.'),
        Wrong(step_for_all, 'error', 'One parameter had no part in the loss, so its `grad` is None. Leave it where it is.'),
    ))


# ---- fit_line ----

def fit_line(x, y, lr, steps):
    "Fit `y = m*x + b` by descent on the mean squared error, from zero. The tensor `[m, b]`, in `x`'s dtype and on its device."
    params = x.new_zeros(2).requires_grad_()
    for _ in range(steps):
        m, b = params
        loss = ((m*x + b - y)**2).mean()
        loss.backward()
        gradient_step([params], lr)
    return params.detach()

def line_by_descend(x, y, lr, steps):
    table = torch.stack([x, torch.ones_like(x)], dim=1)
    return descend(lambda p: (table@p - y).square().mean(), x.new_zeros(2), lr, steps)[-1]

def line_on_paper(x, y, lr, steps):
    m, b, points = 0., 0., list(zip(x.tolist(), y.tolist()))
    for _ in range(steps):
        down = [sum(2*(m*s + b - t)*s for s, t in points)/len(points), sum(2*(m*s + b - t) for s, t in points)/len(points)]
        m, b = m - lr*down[0], b - lr*down[1]
    return x.new_tensor([m, b])

def fit_from(params, x, y, lr, steps, *, mean=True, clear=True):
    "The loop of `fit_line` with its habits to choose."
    params = params.requires_grad_()
    for _ in range(steps):
        errors = (params[0]*x + params[1] - y)**2
        (errors.mean() if mean else errors.sum()).backward()
        with torch.no_grad(): params -= lr*params.grad
        if clear: params.grad = None
    return params.detach()

def fit_seeded(x, y, lr, steps):
    torch.manual_seed(42)
    return fit_line(x, y, lr, steps)

def fit_exactly(x, y, lr, steps): return torch.linalg.lstsq(torch.stack([x, torch.ones_like(x)], dim=1), y[:, None]).solution[:, 0]

def line_cases(g):
    x = torch.linspace(-1, 2, 7)
    return [Case((torch.tensor([0., 1., 2.]), torch.tensor([1., 3., 5.]), .1, 2), 'three points on a line, two steps'),
            Case((x, 2*x - 1 + .3*torch.randn(7, generator=g), .2, 10), 'seven shaky points'),
            Case((torch.tensor([3.]), torch.tensor([-2.]), .05, 4), 'a single point'),
            Case((x.double(), x.double()**2, .1, 5), 'a curve, float64')]

FIT_LINE = Exercise(
    name='fit_line', reference=fit_line, alternative=line_by_descend, spec=line_on_paper, cases=line_cases,
    task='Fit the line `m*x + b` to points `x`, `y` by descent: start with both at zero, take `steps` steps at rate `lr` down the mean squared error, and return the tensor `[m, b]`, '
         'in the dtype of `x` and on its device.',
    hints=('It is the loop for the chain with two parameters in place of three: start, answer, loss, slope, step, again.',
           '`params = x.new_zeros(2).requires_grad_()` starts in the right dtype and place; `m, b = params` takes it apart afresh in each round.',
           'In the loop: `loss = ((m*x + b - y)**2).mean()`, `loss.backward()`, `gradient_step([params], lr)`. After it: `return params.detach()`.'),
    wrong=(
        Wrong(lambda x, y, lr, steps: fit_from(x.new_zeros(2), x, y, lr, steps, clear=False), 'value',
              'The gradients were never cleared: from the second step on, the old ones push as well.'),
        Wrong(lambda x, y, lr, steps: fit_from(x.new_zeros(2), x, y, lr, steps, mean=False), 'value',
              'The sum of the errors has a slope that grows with the number of points. Take the mean.'),
        Wrong(lambda x, y, lr, steps: fit_from(x.new_ones(2), x, y, lr, steps), 'value', 'You started from one. Start with both at zero.'),
        Wrong(lambda x, y, lr, steps: fit_line(x, y, lr, steps - 1), 'value', 'One step is missing.'),
        Wrong(lambda x, y, lr, steps: fit_line(x, y, lr, steps).flip(0), 'value', 'The two numbers have changed places: first `m`, then `b`.'),
        Wrong(fit_exactly, 'value', 'This is the best line there is. The task is where descent stands after so many steps.'),
        Wrong(lambda x, y, lr, steps: tuple(fit_line(x, y, lr, steps).tolist()), 'shape', 'Two Python numbers; one tensor of two was due.'),
        Wrong(lambda x, y, lr, steps: fit_from(torch.zeros(2, device=x.device), x, y, lr, steps), 'dtype',
              '`torch.zeros` makes float32 whatever `x` is. `x.new_zeros(2)` follows `x`.'),
        Wrong(lambda x, y, lr, steps: torch.tensor(line_on_paper(x, y, lr, steps).tolist(), dtype=x.dtype), 'device',
              'The answer is a tensor that was made on the default device, wherever `x` is. `x.new_zeros(2)` and `x.new_tensor(...)` follow `x`.'),
        Wrong(fit_seeded, 'random',
              'The fit begins at zero and draws nothing by chance, yet the random state is another one afterwards, and with it every number that the caller draws later.'),
    ))


# ---- the bug lab ----

def forgetful_walk(f, start, lr, steps):
    "Walk downhill from `start`: every position, the start first."
    w = start.clone().requires_grad_()
    path = [start]
    for _ in range(steps):
        f(w).backward()
        with torch.no_grad(): w -= lr*w.grad
        path.append(w.detach().clone())
    return torch.stack(path)

def steady_walk(f, start, lr, steps):
    "Walk downhill from `start`: every position, the start first."
    w = start.clone().requires_grad_()
    path = [start]
    for _ in range(steps):
        f(w).backward()
        with torch.no_grad(): w -= lr*w.grad
        w.grad = None
        path.append(w.detach().clone())
    return torch.stack(path)

def walk_without_memory(f, start, lr, steps):
    w, path = start, [start]
    for _ in range(steps):
        w = w.detach().requires_grad_()
        w = (w - lr*torch.autograd.grad(f(w), w)[0]).detach()
        path += [w]
    return torch.stack(path)

def walk_from(w, f, lr, steps, *, before=False, between=False, copy=True):
    "The loop of `steady_walk` from a parameter `w`, with places to clear at: before the loop only, or between backward and step."
    path = [w.detach().clone()]
    if before: w.grad = None
    for _ in range(steps):
        f(w).backward()
        if between: w.grad.zero_()
        with torch.no_grad(): w -= lr*w.grad
        if not before: w.grad = None
        path.append(w.detach().clone() if copy else w.detach())
    return torch.stack(path)

def walk_without_gradient(f, start, lr, steps):
    w = start.clone().requires_grad_()
    for _ in range(steps):
        f(w).backward()
        w.grad = None
        with torch.no_grad(): w -= lr*w.grad
    return w

def walk_cases(g):
    return [Case((bowl, torch.tensor(3.), .1, 3), 'a bowl, three steps'),
            Case((tilted, torch.tensor([1.5, -.5]), .2, 6), 'a tilted bowl, two parameters'),
            Case((bowl, torch.randn(2, 3, generator=g).double(), .4, 4), 'two rows of three in float64'),
            Case((bowl, torch.tensor([2.]), .1, 0), 'no step at all')]

STEADY_WALK = Exercise(
    name='steady_walk', bug=forgetful_walk, reference=steady_walk, alternative=walk_without_memory, spec=descend, cases=walk_cases,
    task='Mend the loop: every position of the walk downhill, the start first, each step by the slope at that position alone. One tensor, of the dtype of `start` and where it is; `start` stays as it was.',
    hints=('Print `w.grad` after each `backward`. Compare it with `2*w`.',
           'It grows: each `backward` adds to the slopes of all earlier places. When is a slope used up?',
           'After the step, still inside the loop: `w.grad = None`.'),
    wrong=(
        Wrong(lambda f, start, lr, steps: forgetful_walk(f, start, lr/10, steps), 'value',
              'A smaller rate makes the swing slower and as wide. The rate is not the fault.'),
        Wrong(lambda f, start, lr, steps: walk_from(start.clone().requires_grad_(), f, lr, steps, before=True), 'value',
              'Nothing is cleared within the loop. Each round leaves a gradient behind, so each round must clear.'),
        Wrong(lambda f, start, lr, steps: walk_from(start.clone().requires_grad_(), f, lr, steps, between=True), 'value',
              'Nothing moves: the gradient is cleared after `backward` and before the step that should use it.'),
        Wrong(walk_without_gradient, 'error', 'The gradient is cleared after `backward` and before the step that should use it, so the step finds None. First the step, then clear.'),
        Wrong(lambda f, start, lr, steps: walk_from(start.clone().requires_grad_(), f, lr, steps, copy=False), 'value',
              'All later rows are one and the same tensor, changed in place. Keep a `clone` of each position.'),
        Wrong(lambda f, start, lr, steps: descend(f, start, lr, steps)[1:], 'shape',
              'The start is missing: there is one position more than there are steps.'),
        Wrong(lambda f, start, lr, steps: list(descend(f, start, lr, steps)), 'shape', 'A list of positions; one tensor was due: `torch.stack`.'),
        Wrong(lambda f, start, lr, steps: walk_from(start.requires_grad_(), f, lr, steps), 'inputs',
              'The walk moves the caller\'s own `start`. Keep the `clone`.'),
    ))


EXERCISES = [SAFE_MSE, NUDGE, SLOPE_AT, ESCAPE, STEP, FIT_LINE, STEADY_WALK]
