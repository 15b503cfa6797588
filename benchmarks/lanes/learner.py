"""`Learner.fit`, with its recorder and accuracy, against a bare PyTorch loop: same weights, same batches, same loss, plain SGD.

The batches are made beforehand, so only the loop is timed; both train on them and, after each epoch, work out the loss and the
accuracy on a sixth as many others. The bare loop adds these up without waiting for a batch, too. Every contender must end at the same loss, or the
harness refuses to compare them.
"""
from harness import Contender, Group

WHAT = 'Training and validating for an epoch, on batches made beforehand'
CLOCK, ROUNDS, QUICK_ROUNDS = 'cpu', 15, 2
SOURCES = ('dlcourse/training/learner.py', 'dlcourse/training/callbacks.py', 'dlcourse/training/progressbar.py',
           'dlcourse/foundations/optimizer.py', 'dlcourse/foundations/metrics.py')
PACKAGES = ('torch', 'fastai', 'skorch', 'lightning')
DEVICES = ('cpu', 'cuda')
SEED, BS, LR = 42, 64, .1
N_TRAIN = {'mlp50': 12_288, 'mlp30': 12_288, 'cnn': 3_072}
EPOCHS = 2   # of one turn
NAMES = {'mlp50': '784-50-10, bs 64', 'mlp30': '784-30-1, bs 64', 'cnn': 'small CNN, bs 64'}
GOALS = {'mlp50': .95, 'mlp30': .95, 'cnn': 1.}


def groups(device):
    "Three models."
    return [group(kind, device) for kind in NAMES]


def group(kind, device):
    "Who races on one model."
    options = {'kind': kind, 'device': device}
    return Group(NAMES[kind], (
        Contender('bare PyTorch loop', 'bare', options),
        Contender('dlcourse Learner', 'ours', options, goal=GOALS[kind]),
        Contender('dlcourse Learner, torch.optim.SGD', 'ours_with_torch', options),
        Contender('fastai Learner', 'fastai', options, env='peers'),
        Contender('lightning Trainer', 'lightning', options, env='peers'),
    ), baseline='bare PyTorch loop')


# --- what runs in a contender's process --------------------------------------------------------------------------------------

def batches(kind, device, n, seed):
    "Random items and classes, as a list of batches."
    import torch
    g = torch.Generator().manual_seed(seed)
    x = torch.rand(n, *((1, 28, 28) if kind == 'cnn' else (28*28,)), generator=g)
    y = torch.randint(0, 2, (n, 1), generator=g).float() if kind == 'mlp30' else torch.randint(0, 10, (n,), generator=g)
    return list(zip(x.to(device).split(BS), y.to(device).split(BS), strict=True))


def data(kind, device):
    "Batches to train on and batches to validate on."
    return batches(kind, device, N_TRAIN[kind], SEED), batches(kind, device, N_TRAIN[kind]//6, SEED + 1)


def loss_of(kind):
    "PyTorch's loss for a model's targets."
    from torch.nn import functional as F
    return F.binary_cross_entropy_with_logits if kind == 'mlp30' else F.cross_entropy


def share_right(preds, targets):
    "Accuracy, for one output or for ten."
    return ((preds > 0) == (targets == 1)).float().mean() if targets.ndim == 2 else (preds.argmax(1) == targets).float().mean()


def model_of(kind, device):
    "The model, its weights from the seed."
    import torch
    from torch import nn
    torch.set_num_threads(1); torch.manual_seed(SEED)
    if kind == 'cnn':
        net = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(16*7*7, 10))
    else: net = nn.Sequential(nn.Linear(28*28, 50), nn.ReLU(), nn.Linear(50, 10)) if kind == 'mlp50' else nn.Sequential(nn.Linear(28*28, 30), nn.ReLU(), nn.Linear(30, 1))
    return net.to(device)


def finish(kind, model, valid, device):
    "Wait for the device; hand back the check figure: the loss over the validation batches."
    import torch
    if device != 'cpu': torch.cuda.synchronize()
    def check():
        model.eval()
        with torch.no_grad(): return sum(loss_of(kind)(model(x), y).item() for x, y in valid)/len(valid)
    return check


def bare(kind, device):
    "The loop as one writes it who knows that `.item()` makes a device wait."
    import torch
    (train, valid), net, loss_func = data(kind, device), model_of(kind, device), loss_of(kind)
    opt = torch.optim.SGD(net.parameters(), lr=LR)
    def turn():
        for _ in range(EPOCHS):
            net.train()
            for xb, yb in train:
                loss_func(net(xb), yb).backward()
                opt.step(); opt.zero_grad()
            net.eval()
            loss, right, n = 0., 0., 0
            with torch.no_grad():
                for xb, yb in valid:
                    preds = net(xb)
                    loss += loss_func(preds, yb)*len(xb); right += share_right(preds, yb)*len(xb); n += len(xb)
            float(loss)/n, float(right)/n
        return finish(kind, net, valid, device)
    return turn


def with_optimizer(kind, device, opt_func):
    "Our Learner, with its recorder, accuracy and progress as they are by default."
    from dlcourse.data.loader import DataLoaders
    from dlcourse.foundations.metrics import accuracy
    from dlcourse.training.learner import Learner
    (train, valid), net = data(kind, device), model_of(kind, device)
    metric = share_right if kind == 'mlp30' else accuracy
    learn = Learner(DataLoaders(train, valid, device=device), net, loss_of(kind), opt_func, LR, metrics=metric)
    def turn():
        learn.fit(EPOCHS)
        return finish(kind, net, valid, device)
    return turn


def ours(kind, device):
    "With our SGD."
    from dlcourse.foundations.optimizer import SGD
    return with_optimizer(kind, device, SGD)


def ours_with_torch(kind, device):
    "With PyTorch's SGD: what the loop alone costs."
    import torch
    return with_optimizer(kind, device, torch.optim.SGD)


def fastai(kind, device):
    "fastai's Learner with its Recorder and accuracy, no bar, no log."
    from fastai.basics import SGD, AvgMetric, DataLoaders, Learner
    (train, valid), net = data(kind, device), model_of(kind, device)
    learn = Learner(DataLoaders(train, valid, device=device), net, loss_func=loss_of(kind), opt_func=SGD, lr=LR, metrics=AvgMetric(share_right))
    def turn():
        with learn.no_logging(): learn.fit(EPOCHS, LR)
        return finish(kind, net, valid, device)
    return turn


class Walk:
    "A list of batches, for those who take a list for several loaders."
    def __init__(self, batches): self.batches = batches
    def __len__(self): return len(self.batches)
    def __iter__(self): return iter(self.batches)


def lightning(kind, device):
    "Lightning's Trainer; it logs losses and accuracy, without bar, files or model summary."
    import logging
    import warnings

    import torch
    from lightning.pytorch import LightningModule, Trainer
    warnings.filterwarnings('ignore'); logging.getLogger('lightning.pytorch').setLevel(logging.ERROR)
    (train, valid), net, loss_func = data(kind, device), model_of(kind, device), loss_of(kind)
    class Module(LightningModule):
        def __init__(self): super().__init__(); self.net = net
        def configure_optimizers(self): return torch.optim.SGD(self.net.parameters(), lr=LR)
        def training_step(self, batch, i):
            loss = loss_func(self.net(batch[0]), batch[1])
            self.log('loss', loss, on_step=False, on_epoch=True, batch_size=len(batch[0]))
            return loss
        def validation_step(self, batch, i):
            preds = self.net(batch[0])
            self.log_dict({'valid_loss': loss_func(preds, batch[1]), 'accuracy': share_right(preds, batch[1])}, batch_size=len(batch[0]))
    def turn():
        trainer = Trainer(max_epochs=EPOCHS, accelerator='gpu' if device == 'cuda' else 'cpu', devices=1, logger=False, enable_progress_bar=False,
                          enable_model_summary=False, enable_checkpointing=False, num_sanity_val_steps=0)
        trainer.fit(Module(), Walk(train), Walk(valid))
        return finish(kind, net.to(device), valid, device)
    return turn
