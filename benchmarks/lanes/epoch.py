"""A whole shuffled epoch, loader and Learner together, against the bare loop on PyTorch's DataLoader: 60,000 x 784 in memory, 784-50-10.

Each contender shuffles in an order of its own, so the rate is small enough for the order not to matter: all must end at the same loss.
Ours keeps its recorder and accuracy; the bare loop keeps nothing.
"""
from harness import Contender, Group

WHAT = 'A shuffled epoch of training, from tensors in memory'
CLOCK, ROUNDS, QUICK_ROUNDS = 'cpu', 9, 2
SOURCES = ('dlcourse/data/loader.py', 'dlcourse/training/learner.py', 'dlcourse/training/callbacks.py', 'dlcourse/training/progressbar.py',
           'dlcourse/foundations/optimizer.py', 'dlcourse/foundations/metrics.py')
PACKAGES = ('torch', 'fastai')
DEVICES = ('cpu', 'cuda')
SEED, N_ITEMS, N_IN, BS, LR = 42, 60_000, 28*28, 64, .01


def groups(device):
    "One model, one batch size."
    options = {'device': device}
    return [Group('784-50-10, bs 64', (
        Contender("bare loop, torch's DataLoader", 'bare', options),
        Contender('dlcourse DataLoader and Learner', 'ours', options, goal=.65),
        Contender('fastai DataLoader and Learner', 'fastai', options, env='peers'),
    ), baseline="bare loop, torch's DataLoader")]


# --- what runs in a contender's process --------------------------------------------------------------------------------------

def tensors():
    "Random items and classes."
    import torch
    torch.set_num_threads(1); torch.manual_seed(SEED)
    return torch.rand(N_ITEMS, N_IN), torch.randint(0, 10, (N_ITEMS,))


def model_of(device):
    "The model, its weights from the seed."
    import torch
    from torch import nn
    torch.manual_seed(SEED)
    return nn.Sequential(nn.Linear(N_IN, 50), nn.ReLU(), nn.Linear(50, 10)).to(device)


def finish(net, x, y, device):
    "Wait for the device; hand back the check figure: the loss over all items."
    import torch
    from torch.nn import functional as F
    if device != 'cpu': torch.cuda.synchronize()
    def check():
        net.eval()
        with torch.no_grad(): return F.cross_entropy(net(x.to(device)), y.to(device)).item()
    return check


def bare(device):
    "The loop of the tutorials."
    import torch
    from torch.nn import functional as F
    from torch.utils.data import DataLoader, TensorDataset
    (x, y), net = tensors(), model_of(device)
    dl, opt = DataLoader(TensorDataset(x, y), batch_size=BS, shuffle=True), torch.optim.SGD(net.parameters(), lr=LR)
    def turn():
        net.train()
        for xb, yb in dl:
            F.cross_entropy(net(xb.to(device)), yb.to(device)).backward()
            opt.step(); opt.zero_grad()
        return finish(net, x, y, device)
    return turn


def ours(device):
    "The exported pieces, as a reader puts them together. The validation set is one batch, so that it costs nothing."
    from torch.nn import functional as F

    from dlcourse.data.loader import DataLoader, DataLoaders
    from dlcourse.foundations.metrics import accuracy
    from dlcourse.foundations.optimizer import SGD
    from dlcourse.training.learner import Learner
    (x, y), net = tensors(), model_of(device)
    dls = DataLoaders(DataLoader((x, y), BS, shuffle=True), DataLoader((x[:BS], y[:BS]), BS), device=device)
    learn = Learner(dls, net, F.cross_entropy, SGD, LR, metrics=accuracy)
    def turn():
        learn.fit(1)
        return finish(net, x, y, device)
    return turn


def fastai(device):
    "fastai's loader over a list of pairs, and its Learner with its Recorder; no bar, no log."
    from fastai.basics import SGD, DataLoader, DataLoaders, Learner, accuracy
    from torch.nn import functional as F
    (x, y), net = tensors(), model_of(device)
    pairs = list(zip(x, y, strict=True))
    dls = DataLoaders(DataLoader(pairs, bs=BS, shuffle=True, num_workers=0), DataLoader(pairs[:BS], bs=BS, num_workers=0), device=device)
    learn = Learner(dls, net, loss_func=F.cross_entropy, opt_func=SGD, lr=LR, metrics=accuracy)
    def turn():
        with learn.no_logging(): learn.fit(1, LR)
        return finish(net, x, y, device)
    return turn
