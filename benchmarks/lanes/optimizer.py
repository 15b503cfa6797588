"""Steps of our SGD and Adam against PyTorch's, with `foreach=True`: same parameters, same gradients, and nothing else on the clock.

The parameters are those of a network 784-50-10. Every contender must end at the same parameters, or the harness refuses to
compare them. The last two groups are about numbers too small for the usual form (denormal). In one, slopes as small as those of a
model that is sure of itself: their squares are denormal. In the other the slopes end at the fifth step, as for a unit that died:
the averages fade, and are denormal after some 800 steps. There our own Adam after 1,800 steps runs against itself at the beginning.
"""
from harness import Contender, Group

WHAT = 'Steps of an optimizer, the gradients made beforehand'
CLOCK, ROUNDS, QUICK_ROUNDS = 'cpu', 15, 2
SOURCES = ('dlcourse/foundations/optimizer.py',)
PACKAGES = ('torch', 'fastai')
DEVICES = ('cpu', 'cuda')
SEED, SHAPES = 42, ((50, 28*28), (50,), (10, 50), (10,))
STEPS = {'sgd': 2_000, 'momentum': 2_000, 'adam': 1_000}   # of one turn
LR = 1e-3
COUNTED, LATE, SLOPES = 200, 1_800, 5                      # steps on the clock, those before the late ones, those with slopes


def groups(device):
    "Three optimizers against their twins, then what tiny numbers cost."
    names = {'sgd': 'SGD, 784-50-10', 'momentum': 'SGD with momentum, 784-50-10', 'adam': 'Adam, 784-50-10'}
    return [*(against(kind, 1., device, name) for kind, name in names.items()),
            against('adam', 1e-20, device, 'Adam, 784-50-10, slopes of 1e-20'),
            Group('Adam over 2,000 steps, no slopes after the fifth', (
                Contender('dlcourse, first 200 steps', 'stretch', {'skip': 0, 'device': device}),
                Contender('dlcourse, last 200 steps', 'stretch', {'skip': LATE, 'device': device}, goal=1.05),
                Contender('torch.optim, first 200 steps', 'stretch', {'skip': 0, 'device': device, 'whose': 'torch'}),
                Contender('torch.optim, last 200 steps', 'stretch', {'skip': LATE, 'device': device, 'whose': 'torch'}),
            ), baseline='dlcourse, first 200 steps')]


def against(kind, scale, device, name):
    "Ours against PyTorch's."
    options = {'kind': kind, 'scale': scale, 'device': device}
    return Group(name, (
        Contender('torch.optim, foreach', 'steps', {**options, 'whose': 'torch'}),
        Contender('dlcourse', 'steps', {**options, 'whose': 'ours'}, goal=1.),
        Contender('fastai', 'steps', {**options, 'whose': 'fastai'}, env='peers'),
    ), baseline='torch.optim, foreach')


# --- what runs in a contender's process --------------------------------------------------------------------------------------

def parameters(device, scale):
    "Parameters with a gradient, normal numbers from the seed."
    import torch
    torch.set_num_threads(1)
    g = torch.Generator().manual_seed(SEED)
    params = [torch.randn(shape, generator=g).to(device).requires_grad_() for shape in SHAPES]
    for p in params: p.grad = scale*torch.randn(p.shape, generator=g).to(device)
    return params


def optimizer(whose, kind, params):
    "One optimizer of each house, with the same options."
    if whose == 'fastai':
        from fastai.optimizer import SGD, Adam
        return Adam(params, LR, mom=.9, sqr_mom=.999, eps=1e-8, wd=0.) if kind == 'adam' else SGD(params, LR, mom=.9 if kind == 'momentum' else 0., wd=0.)
    import torch

    from dlcourse.foundations import optimizer as ours
    house, also = (ours, {}) if whose == 'ours' else (torch.optim, {'foreach': True})
    return house.Adam(params, lr=LR, **also) if kind == 'adam' else house.SGD(params, lr=LR, momentum=.9 if kind == 'momentum' else 0., **also)


def finish(params, device):
    "Wait for the device; hand back the check figure: the sizes of all parameters, added up."
    import torch
    if device != 'cpu': torch.cuda.synchronize()
    return lambda: sum(p.detach().double().abs().sum().item() for p in params)


def steps(whose, kind, scale, device):
    "Many steps with the same gradients."
    params = parameters(device, scale)
    opt = optimizer(whose, kind, params)
    def turn():
        for _ in range(STEPS[kind]): opt.step()
        return finish(params, device)
    return turn


def begun(skip, device, whose):
    "Parameters and Adam after `skip` steps, the slopes 0 from the fifth on."
    params = parameters(device, 1.)
    opt = optimizer(whose, 'adam', params)
    for _ in range(SLOPES): opt.step()
    for p in params: p.grad.zero_()
    for _ in range(skip-SLOPES): opt.step()
    return params, opt


def stretch(skip, device, whose='ours'):
    "200 steps of Adam, `skip` steps after its beginning; those are taken off the clock, for the next turn when a turn is over."
    ready = [begun(skip, device, whose)]
    def turn():
        params, opt = ready.pop()
        for _ in range(COUNTED): opt.step()
        wait = finish(params, device)
        def again():
            wait()
            ready.append(begun(skip, device, whose))
            return COUNTED
        return again
    return turn
