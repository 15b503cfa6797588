"""A shuffled pass over 60,000 x 784 numbers in memory, against one `index_select` per tensor and batch: the least that has to be done.

Nothing is trained. Every contender hands out every item once, in a new order for each pass; the check figure is the sum of the
labels that it handed out, taken off the clock from one more pass.
"""
from harness import Contender, Group

WHAT = 'A shuffled pass over a set in memory'
CLOCK, ROUNDS, QUICK_ROUNDS = 'cpu', 15, 2
SOURCES = ('dlcourse/data/loader.py', 'dlcourse/data/workers.py', 'dlcourse/core/chance.py', 'dlcourse/core/device.py')
PACKAGES = ('torch', 'fastai')
DEVICES = ('cpu', 'cuda')
SEED, N_ITEMS, N_IN = 42, 60_000, 28*28
# Batches of 3 MB lie where glibc either keeps memory or hands it back and fetches it anew for each batch, as the heap happens to
# lie: 30,000 page faults a pass or none, a factor of three, for any contender. All keep it.
ENV = {'MALLOC_MMAP_THRESHOLD_': str(2**25), 'MALLOC_TRIM_THRESHOLD_': str(2**28)}


def groups(device):
    "Two batch sizes."
    return [group(bs, device) for bs in (64, 1024)]


def group(bs, device):
    "Who races at one batch size."
    options = {'bs': bs, 'device': device}
    return Group(f'60,000 x 784, bs {bs}', (
        Contender('one index_select per batch', 'bare', options),
        Contender('dlcourse DataLoader', 'ours', options, goal=1.15),
        Contender('torch DataLoader, __getitems__', 'torch_at_once', options),
        Contender('torch DataLoader', 'torch_loader', options),
        Contender('fastai DataLoader', 'fastai', options, env='peers'),
    ), baseline='one index_select per batch')


# --- what runs in a contender's process --------------------------------------------------------------------------------------

def tensors(device):
    "Random items and their numbers as labels: (60000, 784), (60000,)."
    import torch
    torch.set_num_threads(1); torch.manual_seed(SEED)
    return torch.rand(N_ITEMS, N_IN).to(device), torch.arange(N_ITEMS).to(device)


def walk(dl, device):
    "A function that walks through a pass; its check figure is the sum of all labels."
    import torch
    def turn():
        for _ in dl: pass
        if device != 'cpu': torch.cuda.synchronize()
        return lambda: float(sum(int(yb.sum()) for _, yb in dl))
    return turn


class Bare:
    "The loop that the goal speaks of."
    def __init__(self, x, y, bs): self.x, self.y, self.bs = x, y, bs

    def __iter__(self):
        import torch
        for index in torch.randperm(len(self.x)).to(self.x.device).split(self.bs):
            yield self.x.index_select(0, index), self.y.index_select(0, index)


def bare(bs, device):
    "A permutation, cut up, and two `index_select`."
    return walk(Bare(*tensors(device), bs), device)


def ours(bs, device):
    "The exported loader over the two tensors."
    from dlcourse.data.loader import DataLoader
    return walk(DataLoader(tensors(device), bs, shuffle=True), device)


def torch_loader(bs, device):
    "PyTorch's loader over a TensorDataset, as its documentation has it; a batch on a GPU is moved as tutorials do."
    from torch.utils.data import DataLoader, TensorDataset
    return walk(Moved(DataLoader(TensorDataset(*tensors('cpu')), batch_size=bs, shuffle=True), device), device)


def torch_at_once(bs, device):
    "PyTorch's loader over a dataset that picks a whole batch at a time."
    from torch.utils.data import DataLoader
    return walk(Moved(DataLoader(AtOnce(*tensors('cpu')), batch_size=bs, shuffle=True, collate_fn=lambda batch: batch), device), device)


class AtOnce:
    "A dataset with PyTorch's `__getitems__`."
    def __init__(self, x, y): self.x, self.y = x, y
    def __len__(self): return len(self.x)
    def __getitem__(self, i): return self.x[i], self.y[i]
    def __getitems__(self, indices): return self.x[indices], self.y[indices]


class Moved:
    "Batches of a loader, on a device."
    def __init__(self, dl, device): self.dl, self.device = dl, device

    def __iter__(self):
        if self.device == 'cpu': return iter(self.dl)
        return ((xb.to(self.device), yb.to(self.device)) for xb, yb in self.dl)


def fastai(bs, device):
    "fastai's loader over a list of pairs, as its fourth chapter has it."
    import torch
    from fastai.data.load import DataLoader
    x, y = tensors('cpu')
    return walk(Moved(DataLoader(list(zip(x, y, strict=True)), bs=bs, shuffle=True, num_workers=0, device=torch.device('cpu')), device), device)
