"""The many-seed runs behind the figures that lessons assert: `python benchmarks/bands.py [--check] [--only real|standin]`.

Without options (`make bands`) every row runs on the real set and on its stand-in, once per seed, and benchmarks/results/bands.json
is written. `--check` runs one seed of each quick row on the sets at hand, and fails if a figure leaves its band, or if a source
that the figures depend on has changed since they were measured.
"""
from __future__ import annotations

import argparse
import atexit
import hashlib
import json
import math
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness import FORMAT, RESULTS, BenchError, machine, now, versions, write_json
from sources import source_hash

# What the figures depend on. A change in one of these asks for `make bands`.
SOURCES = (*(f'dlcourse/foundations/{room}.py' for room in ('tensors', 'sgd', 'losses', 'optimizer')), 'benchmarks/bands.py')
FILE = RESULTS/'bands.json'
KINDS = ('real', 'standin')
BATCH_SIZE = 256
QUICK = 12       # seconds: what takes longer is left to `make bands`
FLOOR = 0.002    # no other band is narrower: other machines round other ways
CEILING = 0.05   # a wider one would catch nothing, so none is given; unless so few pictures leave more than that to luck
EXACT = 0.00005  # half-width of a figure that knows no chance


@dataclass(frozen=True)
class Row:
    "A figure: which experiment gives it, and what others published."
    what: str          # its name, the `what` of a lesson's assert_band
    run: Callable[[Any, int], float]  # the figure from a set and a seed
    n_seeds: int       # how many seeds `make bands` runs
    published: str = ''  # the published figure, or 'LOW to HIGH'
    source: str = ''     # and where it stands
    reproduced: str = '' # the same, reproduced by others over several seeds
    task: str = 'threes and sevens'  # one of TASKS


@dataclass(frozen=True)
class Task:
    "What is told apart, on which sets."
    url: str               # its name in URLs
    standin: str           # its name in STANDINS
    names: tuple[str, str] # what the real set and the stand-in are called
    load: Callable[[Path], Any]  # a set's folder to what the rows run on


@dataclass(frozen=True)
class Digits:
    "3s and 7s, as pictures (n, 28, 28) between 0 and 1, by split."
    train: tuple[Any, Any]  # threes, sevens
    valid: tuple[Any, Any]
    pixels: str             # sha256 of all pixels, which no re-packing of an archive changes

    def flat(self, split: str) -> tuple[Any, Any]:
        "Inputs (n, 784) and labels (n, 1), 1 for a three."
        import torch
        threes, sevens = getattr(self, split)
        return torch.cat([threes, sevens]).flatten(1), torch.cat([torch.ones(len(threes), 1), torch.zeros(len(sevens), 1)])

    def size(self, split: str) -> int: return sum(map(len, getattr(self, split)))


@dataclass(frozen=True)
class Pictures:
    "Small grey pictures (n, 1, 28, 28) between 0 and 1 and their classes (n,), 0 to 9, by split."
    train: tuple[Any, Any]
    valid: tuple[Any, Any]
    pixels: str

    def size(self, split: str) -> int: return len(getattr(self, split)[0])


@dataclass(frozen=True)
class Photos:
    "Photographs in files, a fifth of them held out, each named by a function of its path."
    files: list[Path]
    label: Callable[[Path], str]
    pixels: str  # sha256 of the files' names and bytes

    def size(self, split: str) -> int: return len(self.split()[split == 'valid'])
    def split(self) -> tuple[Any, Any]:
        from dlcourse.data.splits import RandomSplitter
        return RandomSplitter(seed=42)(self.files)


class Batches:
    "Batches in a new order at every pass, as a shuffling loader gives them."
    def __init__(self, x: Any, y: Any): self.x, self.y = x, y
    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        import torch
        for ids in torch.randperm(len(self.x)).split(BATCH_SIZE): yield self.x[ids], self.y[ids]


# --- the experiments --------------------------------------------------------------------------------------------------------

def nearest_mean(of: str, distance: str) -> Callable[[Digits, int], float]:
    "Accuracy of \"which average digit is nearer?\" on one validation class, or the mean of both."
    def run(digits: Digits, seed: int) -> float:
        import torch

        from dlcourse.foundations import tensors
        means = torch.stack([x.mean(0) for x in digits.train])
        f = getattr(tensors, f'{distance}_distance')
        right = [(tensors.nearest_mean(x, means, f) == label).double().mean().item() for label, x in enumerate(digits.valid)]
        return {'3s': right[0], '7s': right[1], 'mean': (right[0]+right[1])/2}[of]
    return run


def trained(model: str, *, lr: float, epochs: int, sigmoid: bool = True) -> Callable[[Digits, int], float]:
    "Accuracy after training one model with the exported loop, with or without the sigmoid in its loss."
    def run(digits: Digits, seed: int) -> float:
        import torch

        from dlcourse.foundations.sgd import mnist_loss, train_epoch, validate_epoch
        torch.manual_seed(seed)
        f, params = MODELS[model]()
        dl, loss_func = Batches(*digits.flat('train')), mnist_loss if sigmoid else loss_without_sigmoid
        for _ in range(epochs): train_epoch(f, lr, params, dl, loss_func)
        return validate_epoch(f, [digits.flat('valid')])
    return run


def loss_without_sigmoid(predictions: Any, targets: Any) -> Any:
    "The loss that a published edition shipped: scores are taken for probabilities, so it has no lowest value."
    import torch
    return torch.where(targets == 1, 1-predictions, predictions).mean()


def linear(std: float = 1.) -> tuple[Any, Any]:
    "The hand-written linear model and its parameters, normal with deviation `std`."
    from dlcourse.foundations.sgd import init_params, linear1
    weights, bias = init_params((28*28, 1), std), init_params(1, std)
    return lambda xb: linear1(xb, weights, bias), [weights, bias]


def line() -> tuple[Any, Any]:
    "PyTorch's linear layer, which starts from small weights."
    from torch import nn
    model = nn.Linear(28*28, 1)
    return model, list(model.parameters())


def net() -> tuple[Any, Any]:
    "The network 784-30-1."
    from dlcourse.foundations.sgd import simple_net
    model = simple_net()
    return model, list(model.parameters())


def by_learner(model: Callable[[], Any], bs: int, *phases: tuple[int, float]) -> Callable[[Pictures, int], float]:
    "Accuracy of a classifier of ten classes, trained by the Learner with Adam: so many epochs at such a rate, then the next."
    def run(pictures: Pictures, seed: int) -> float:
        import torch

        from dlcourse.data.loader import DataLoader, DataLoaders
        from dlcourse.foundations.losses import cross_entropy
        from dlcourse.foundations.metrics import accuracy
        from dlcourse.training.learner import Learner
        torch.manual_seed(seed)
        dls = DataLoaders(DataLoader(pictures.train, bs=bs, shuffle=True), DataLoader(pictures.valid, bs=512))
        learn = Learner(dls, model(), cross_entropy, metrics=accuracy)
        with learn.no_bar():
            for n_epoch, lr in phases: learn.fit(n_epoch, lr)
        return learn.recorder.values[-1][-1]
    return run


def by_block(*phases: tuple[int, float]) -> Callable[[Photos, int], float]:
    "Accuracy of a small CNN on photographs: a DataBlock, presized to 96 pixels, then the Learner."
    def run(photos: Photos, seed: int) -> float:
        import torch

        from dlcourse.data.block import DataBlock
        from dlcourse.data.parts import CategoryBlock
        from dlcourse.foundations.metrics import accuracy
        from dlcourse.training.learner import Learner
        from dlcourse.vision.augment import presize
        from dlcourse.vision.blocks import ImageBlock
        item_tfms, batch_tfms = presize(125, 96, min_scale=.6)
        block = DataBlock((ImageBlock, CategoryBlock), get_y=photos.label, splitter=lambda files: photos.split(), item_tfms=item_tfms, batch_tfms=batch_tfms)
        dls = block.dataloaders(photos.files, bs=16, num_workers=0, device='cpu')
        torch.manual_seed(seed)
        learn = Learner(dls, photo_cnn(len(dls.vocab)), metrics=accuracy)
        with learn.no_bar():
            for n_epoch, lr in phases: learn.fit(n_epoch, lr)
        return learn.recorder.values[-1][-1]
    return run


def mlp() -> Any:
    "The network 784-50-10."
    from torch import nn

    from dlcourse.foundations.sgd import simple_net
    return nn.Sequential(nn.Flatten(), simple_net(28*28, 50, 10))


def convs(*channels: int) -> list[Any]:
    "Convolutions of stride 2, each with batch norm and a ReLU."
    from torch import nn
    return [nn.Sequential(nn.Conv2d(i, o, 3, 2, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU()) for i, o in zip(channels, channels[1:])]


def small_cnn() -> Any:
    "Four convolutions, 8 to 64 channels, and a linear layer."
    from torch import nn
    return nn.Sequential(*convs(1, 8, 16, 32, 64), nn.Flatten(), nn.Linear(64*4, 10))


def photo_cnn(n_classes: int) -> Any:
    "Four convolutions, 16 to 64 channels, their mean over the picture, and a linear layer."
    from torch import nn
    return nn.Sequential(*convs(3, 16, 32, 64, 64), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, n_classes))


MODELS = {'linear': linear, 'quiet': partial(linear, .1), 'line': line, 'net': net}
BOOK, MINIAI, NUMPY = 'fastbook, chapter 4', 'miniai, lessons 12 to 14', 'reproduced in plain NumPy'
ROWS = (
    Row('threes, nearest mean, L1', nearest_mean('3s', 'l1'), 1, '0.9168', BOOK),
    Row('sevens, nearest mean, L1', nearest_mean('7s', 'l1'), 1, '0.9854', BOOK),
    Row('nearest mean, L1', nearest_mean('mean', 'l1'), 1, '0.9511', BOOK),
    Row('nearest mean, L2', nearest_mean('mean', 'l2'), 1, '0.9661', NUMPY),
    Row('linear model, 21 epochs', trained('linear', lr=1., epochs=21), 10, '0.9696', BOOK, '0.973 ± 0.003 (10 seeds)'),
    Row('linear, quiet start', trained('quiet', lr=1., epochs=21), 5),
    Row('straight line, 40 epochs', trained('line', lr=.1, epochs=40), 5),
    Row('simple_net, 40 epochs', trained('net', lr=.1, epochs=40), 5, '0.9828', BOOK, '0.9829 ± 0.0002 (5 seeds)'),
    Row('linear without sigmoid', trained('linear', lr=1., epochs=21, sigmoid=False), 5, '0.9529', NUMPY),
    Row('network without sigmoid', trained('net', lr=1., epochs=40, sigmoid=False), 5, '0.5044', NUMPY),
    Row('ten digits, MLP-50, 5 epochs', by_learner(mlp, 64, (5, 3e-3)), 5, '0.968 to 0.973', NUMPY, task='ten digits'),
    Row('ten garments, small CNN, 5 epochs', by_learner(small_cnn, 128, (3, 3e-3), (2, 3e-4)), 5, '0.906', MINIAI, task='ten garments'),
    Row('three breeds, small CNN from scratch', by_block((20, 2e-3), (5, 2e-4)), 5, task='three breeds'),
    Row('five flowers, small CNN from scratch', by_block((15, 2e-3), (5, 2e-4)), 5, task='five flowers'),
)


# --- the sets ---------------------------------------------------------------------------------------------------------------

def load(path: Path) -> Digits:
    "The 3s and 7s below a folder in the MNIST sample's layout."
    from dlcourse.foundations.tensors import stack_images
    splits = {split: tuple(stack_images(sorted((path/split/digit).iterdir())) for digit in '37') for split in ('train', 'valid')}
    return Digits(splits['train'], splits['valid'], digest(*splits['train'], *splits['valid']))


def digest(*images: Any) -> str:
    "The sha256 of all pixels, which no re-packing of an archive changes."
    total = hashlib.sha256()
    for batch in images: total.update((batch*255).round().byte().numpy().tobytes())
    return total.hexdigest()


def load_folders(path: Path) -> Pictures:
    "Ten digits, each split and class in a folder of its own."
    import torch

    from dlcourse.foundations.tensors import stack_images
    def part(split: str) -> tuple[Any, Any]:
        found = [stack_images(sorted((path/split/str(d)).iterdir())) for d in range(10)]
        return torch.cat(found)[:, None], torch.arange(10).repeat_interleave(torch.tensor([len(x) for x in found]))
    train, valid = part('training'), part('testing')
    return Pictures(train, valid, digest(train[0], valid[0]))


def load_idx(path: Path) -> Pictures:
    "Ten garments, in idx files."
    from dlcourse.core.idx import read_idx
    def part(name: str) -> tuple[Any, Any]:
        pictures, labels = (read_idx(path/f'{name}-{what}-ubyte.gz') for what in ('images-idx3', 'labels-idx1'))
        return pictures[:, None].float()/255, labels.long()
    train, valid = part('train'), part('t10k')
    return Pictures(train, valid, digest(train[0], valid[0]))


def photos(files: list[Path], label: Callable[[Path], str]) -> Photos:
    "Photographs, with the sum of their files."
    total = hashlib.sha256()
    for file in files: total.update(file.name.encode() + file.read_bytes())
    return Photos(files, label, total.hexdigest())


def load_breeds(path: Path) -> Photos:
    "Two breeds of cats and one of dogs, those that the subset has most of."
    from dlcourse.data.getters import RegexLabeller, using_attr
    from dlcourse.vision.images import get_image_files
    breed = using_attr(RegexLabeller(r'(.+)_\d+.jpg$'), 'name')
    return photos([f for f in get_image_files(path/'images') if breed(f) in ('Abyssinian', 'Bengal', 'american_bulldog')], breed)


def load_flowers(path: Path) -> Photos:
    "Five kinds of flowers, a folder each."
    from dlcourse.data.getters import parent_label
    from dlcourse.vision.images import get_image_files
    return photos(list(get_image_files(path)), parent_label)


TASKS = {
    'threes and sevens': Task('MNIST_SAMPLE', 'mnist_sample', ('MNIST sample: the 3s and 7s', "stand-in: scikit-learn's 3s and 7s, enlarged"), load),
    'ten digits': Task('MNIST', 'mnist_png', ('MNIST', "stand-in: scikit-learn's digits, enlarged"), load_folders),
    'ten garments': Task('FASHION_MNIST', 'fashion_mnist', ('Fashion-MNIST', 'stand-in: drawn garments'), load_idx),
    'three breeds': Task('PETS', 'oxford-iiit-pet', ('Pets: the three large breeds of a subset', 'stand-in: drawn pets'), load_breeds),
    'five flowers': Task('FLOWER_PHOTOS', 'flower_photos', ('flower photographs: a subset', 'stand-in: drawn flowers'), load_flowers),
}


def real(task: Task) -> Any:
    "The real set, or None where neither cache, mirror nor source has it."
    from dlcourse.core.files import URLs, is_standin, untar_data
    path = untar_data(getattr(URLs, task.url))
    return None if is_standin(path) else task.load(path)


def standin(task: Task) -> Any:
    "The stand-in, made anew; its files stay until this process ends."
    from dlcourse.core.standins import make_standin
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return task.load(make_standin(task.standin, Path(folder)/task.standin))


def sets(only: str | None = None) -> dict[tuple[str, str], Any]:
    "The sets at hand, by task and kind."
    found = {(name, kind): get(task) for name, task in TASKS.items() for kind, get in (('real', real), ('standin', standin)) if only in (None, kind)}
    return {key: data for key, data in found.items() if data is not None}


# --- measuring --------------------------------------------------------------------------------------------------------------

def band(values: list[float], n_valid: int) -> tuple[float, float] | None:
    """Centre and half-width: four standard deviations, every seed well inside, and room for one picture and a half.
    A figure without chance, a single value, is exact on a set of thousands. None where seeds differ so much that no band is worth it:
    by more than CEILING, and than two standard errors of a share of so many pictures."""
    centre = round(statistics.fmean(values), 4)
    if len(values) == 1 and n_valid > 1000: return centre, EXACT
    spread = max(4*statistics.pstdev(values), *(1.5*abs(v-centre) for v in values), FLOOR, 1.5/n_valid)
    half = math.ceil(round(spread*1e3, 6))/1e3
    luck = 2*math.sqrt(max(centre*(1-centre), 0)/n_valid)
    return (centre, half) if half <= max(CEILING, luck) else None


def measure(row: Row, kind: str, data: Any) -> dict[str, Any]:
    "A row on one set, over its seeds."
    start, seeds = time.process_time(), list(range(row.n_seeds))
    values = [row.run(data, seed) for seed in seeds]
    took = (time.process_time()-start)/len(seeds)
    sd = statistics.stdev(values) if len(values) > 1 else None
    return {'what': row.what, 'task': row.task, 'set': kind, 'seeds': seeds, 'values': [round(v, 6) for v in values], 'mean': statistics.fmean(values),
            'sd': sd, 'band': band(values, data.size('valid')), 'seconds': round(took, 2),
            'published': row.published, 'source': row.source, 'reproduced': row.reproduced}


def measure_all(found: dict[tuple[str, str], Any]) -> dict[str, Any]:
    "Every row on every set, printed on the way."
    rows, about = [], []
    for (task, kind), data in found.items():
        about.append({'task': task, 'set': kind, 'name': TASKS[task].names[KINDS.index(kind)], 'pixels': data.pixels,
                      'train': data.size('train'), 'valid': data.size('valid')})
        for row in (r for r in ROWS if r.task == task):
            rows.append(got := measure(row, kind, data))
            print(in_words(got), flush=True)
    return {'format': FORMAT, 'lane': 'bands', 'date': now(), 'machine': machine(), 'versions': {'ours': versions(sys.executable, ['torch'])},
            'sources': source_hash(SOURCES), 'sets': about, 'rows': rows}


def in_words(row: dict[str, Any]) -> str:
    "A measured row as a line."
    spread = '' if row['sd'] is None else f' ± {row["sd"]:.4f} over {len(row["seeds"])} seeds'
    published = f'   published {row["published"]}, {row["source"]}' if row['published'] and row['set'] == 'real' else ''
    spread += '' if row['band'] else '   (too wide for a band)'
    return f'{row["set"]:<8} {row["what"]:<34} {row["mean"]:.4f}{spread}   {row["seconds"]:.1f} s each{published}'


# --- checking ---------------------------------------------------------------------------------------------------------------

def read() -> dict[str, Any]:
    "The saved bands."
    if not FILE.exists(): raise BenchError('benchmarks/results/bands.json is not there. Run `make bands`.')
    return json.loads(FILE.read_text(encoding='utf-8'))


def outdated(saved: dict[str, Any], found: dict[tuple[str, str], Any]) -> list[str]:
    "Why the saved bands cannot be trusted any more."
    why = [] if saved['sources'] == source_hash(SOURCES) else [f'one of {", ".join(SOURCES)} has changed since the bands were measured']
    pixels = {(s['task'], s['set']): s['pixels'] for s in saved['sets']}
    why += [f'the pixels of the real set of {task} have changed' for (task, kind), data in found.items()
            if kind == 'real' and pixels.get((task, kind)) != data.pixels]
    return [f'{w}. Run `make bands` and look at what moved.' for w in why]


def one_seed(saved: dict[str, Any], found: dict[tuple[str, str], Any]) -> list[str]:
    "Run the first seed of each quick row that has a band; the rows that left it."
    rows, lost = {(r['what'], r['set']): r for r in saved['rows']}, []
    for (task, kind), data in found.items():
        for row in (r for r in ROWS if r.task == task):
            known = rows[row.what, kind]
            if not known['band']: continue
            if known['seconds'] > QUICK: print(f'{kind}: {row.what}: {known["seconds"]:.0f} s, left to `make bands`'); continue
            (centre, half), value = known['band'], row.run(data, 0)
            ok = abs(value-centre) <= half+1e-9
            text = f'{kind}: {row.what}: expected {centre:.4f} ± {half:.4f}, seed 0 gave {value:.4f}'
            print(text, flush=True)
            lost += [] if ok else [text]
    return lost


def check(only: str | None = None) -> list[str]:
    "What is wrong with the saved bands: nothing, if the list is empty."
    saved, found = read(), sets(only)
    return outdated(saved, found) or one_seed(saved, found)


def main(argv: list[str] | None = None) -> int:
    "Measure or check; 0 if all is well."
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--check', action='store_true', help='run one seed and compare; write nothing')
    p.add_argument('--only', choices=KINDS, help='with --check: the real sets, or the stand-ins')
    args = p.parse_args(argv)
    import torch
    torch.set_num_threads(1)
    if args.check:
        wrong = check(args.only)
        for problem in wrong: print(f'error: {problem}', file=sys.stderr)
        return bool(wrong)
    found = sets()
    missing = [task for task in TASKS if (task, 'real') not in found]
    if missing: print(f'error: the real set of {missing[0]} is out of reach. Set DLCOURSE_MIRROR or go online.', file=sys.stderr); return 2
    write_json(FILE, measure_all(found)); print(f'saved to benchmarks/results/{FILE.name}')
    return 0


if __name__ == '__main__': sys.exit(main())
