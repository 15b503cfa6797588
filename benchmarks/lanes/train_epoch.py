"""One epoch of `dlcourse.foundations.sgd.train_epoch` against a bare PyTorch loop: same weights, same batches, same loss, plain SGD.

The batches are made beforehand (12,396 rows of 784 numbers, as many as the sample has 3s and 7s), so only the loop is timed.
A turn is several epochs; every contender must end at the same loss, or the harness refuses to compare them.
"""
from harness import Contender, Group

WHAT = 'Training for an epoch, on batches made beforehand'
CLOCK, ROUNDS, QUICK_ROUNDS = 'cpu', 15, 2
SOURCES = ('dlcourse/foundations/sgd.py',)
PACKAGES = ('torch', 'fastai', 'skorch', 'lightning')
DEVICES = ('cpu', 'cuda')
SEED, N_ITEMS, N_IN, N_HIDDEN = 42, 12_396, 28*28, 30
LR = {'linear': 1., 'net': 0.1}
EPOCHS = 5   # of one turn


def groups(device):
    "Two models, two batch sizes."
    names = {'linear': '784-1 linear', 'net': '784-30-1 simple_net'}
    return [group(kind, bs, device, f'{name}, bs {bs}') for kind, name in names.items() for bs in (64, 256)]


def group(kind, bs, device, name):
    "Who races on one model and batch size."
    options = {'kind': kind, 'bs': bs, 'device': device}
    return Group(name, (
        Contender('bare PyTorch loop', 'bare', options),
        Contender('bare loop, update by hand', 'by_hand', options),
        Contender('dlcourse train_epoch', 'ours', options, goal=1.05),
        Contender('fastai Learner', 'fastai', options, env='peers'),
    ), baseline='bare PyTorch loop')


# --- what runs in a contender's process --------------------------------------------------------------------------------------

def batches(bs, device):
    "Random items and targets of 0. or 1., as a list of (bs, 784), (bs, 1)."
    import torch
    g = torch.Generator().manual_seed(SEED)
    x, y = torch.rand(N_ITEMS, N_IN, generator=g), torch.randint(0, 2, (N_ITEMS, 1), generator=g).float()
    return list(zip(x.to(device).split(bs), y.to(device).split(bs), strict=True))


def loss_func(preds, targets):
    "Mean distance of sigmoid(preds) from targets of 0. and 1."
    import torch
    preds = preds.sigmoid()
    return torch.where(targets == 1, 1-preds, preds).mean()


def model_of(kind, device):
    "The model as modules, its weights from the seed."
    import torch
    from torch import nn
    torch.set_num_threads(1); torch.manual_seed(SEED)
    net = nn.Linear(N_IN, 1) if kind == 'linear' else nn.Sequential(nn.Linear(N_IN, N_HIDDEN), nn.ReLU(), nn.Linear(N_HIDDEN, 1))
    return net.to(device)


def finish(model, dl, device):
    "Wait for the device; hand back the check figure: the loss over all batches."
    import torch
    if device != 'cpu': torch.cuda.synchronize()
    def check():
        with torch.no_grad(): return sum(loss_func(model(x), y).item() for x, y in dl)/len(dl)
    return check


def bare(kind, bs, device):
    "The loop as PyTorch's own tutorials write it."
    import torch
    dl, net = batches(bs, device), model_of(kind, device)
    opt = torch.optim.SGD(net.parameters(), lr=LR[kind])
    def turn():
        for _ in range(EPOCHS):
            for xb, yb in dl:
                loss_func(net(xb), yb).backward()
                opt.step(); opt.zero_grad()
        return finish(net, dl, device)
    return turn


def by_hand(kind, bs, device):
    "The same loop without an optimiser object: its share of the time is what the two bare loops differ by."
    import torch
    dl, net = batches(bs, device), model_of(kind, device)
    params, lr = list(net.parameters()), LR[kind]
    def turn():
        for _ in range(EPOCHS):
            for xb, yb in dl:
                loss_func(net(xb), yb).backward()
                with torch.no_grad():
                    for p in params: p.sub_(p.grad, alpha=lr); p.grad = None
        return finish(net, dl, device)
    return turn


def ours(kind, bs, device):
    "The exported function, on the exported forms of both models."
    from dlcourse.foundations.sgd import linear1, train_epoch
    dl, net = batches(bs, device), model_of(kind, device)
    params = list(net.parameters())
    weights, bias = params[0].detach().T.contiguous().requires_grad_(), params[-1].detach().clone().requires_grad_()
    model, params = (lambda xb: linear1(xb, weights, bias), (weights, bias)) if kind == 'linear' else (net, params)
    def turn():
        for _ in range(EPOCHS): train_epoch(model, LR[kind], params, dl)
        return finish(model, dl, device)
    return turn


def fastai(kind, bs, device):
    "fastai's Learner over the same list of batches, no bar, no log, no validation."
    from fastai.basics import SGD, DataLoaders, Learner
    dl, net = batches(bs, device), model_of(kind, device)
    learn = Learner(DataLoaders(dl, [], device=device), net, loss_func=loss_func, opt_func=SGD, lr=LR[kind])
    def turn():
        with learn.no_logging(): learn.fit(EPOCHS, LR[kind])
        return finish(net, dl, device)
    return turn
