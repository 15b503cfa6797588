"Batches made ahead of time: the same ones whoever makes them, in order, errors whole, nothing left behind."
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from contextlib import suppress

import pytest
import torch
from PIL import Image
from torch import nn

from dlcourse.core.chance import chance
from dlcourse.core.device import seed_everything
from dlcourse.data.block import DataBlock
from dlcourse.data.loader import DataLoader, DataLoaders, ItemError
from dlcourse.data.parts import CategoryBlock
from dlcourse.training.callbacks import Callback
from dlcourse.training.checkpoint import CheckpointCallback
from dlcourse.training.learner import Learner
from dlcourse.vision.augment import presize
from dlcourse.vision.blocks import ImageBlock

WAYS = [(0, False), (1, False), (2, False), (1, True), (3, True)]
each_way = pytest.mark.parametrize('workers,threads', WAYS, ids=lambda x: str(x))


class Turned:
    "Items with a number drawn at random; some take longer than others, and item `broken` cannot be read."
    def __init__(self, n=23, broken=None): self.n, self.broken = n, broken
    def __len__(self): return self.n
    def __getitem__(self, i):
        if i == self.broken: raise OSError('image file is truncated')
        time.sleep(.002*(i % 3))
        return torch.rand(2, generator=chance()), i


class TooShort(RuntimeError):
    "An error that asks for more than its words, and so survives no journey to another process."
    def __init__(self, wanted, had): super().__init__(f'wanted {wanted}, had {had}')


def noisy(batch): return batch[0] + torch.rand(len(batch[0]), 2, generator=chance()), batch[1]
def fussy(batch): raise TooShort(8, len(batch[1]))
def told(dl): return [(xb.tolist(), yb.tolist()) for xb, yb in dl]
def loader(workers, threads, **options): return DataLoader(Turned(), 4, shuffle=True, seed=5, num_workers=workers, threads=threads, after_batch=noisy, **options)
def ours(): return [t for t in threading.enumerate() if t.name.startswith('dlcourse')]


@pytest.fixture(scope='module')
def wanted():
    dl = loader(0, False)
    return [told(dl), told(dl)]


@each_way
def test_same_batches_whoever_makes_them(workers, threads, wanted):
    dl = loader(workers, threads)
    assert [told(dl), told(dl)] == wanted and ours() == []


@each_way
def test_goes_on_in_the_middle_of_a_pass(workers, threads, wanted):
    before, after = loader(2, True), loader(workers, threads)
    walk = iter(before)
    first = [next(walk) for _ in range(2)]
    after.load_state_dict(before.state_dict())
    assert [(x.tolist(), y.tolist()) for x, y in first] + told(after) == wanted[0]
    assert told(after) == wanted[1]


@each_way
def test_a_look_shows_what_the_next_pass_begins_with(workers, threads, wanted):
    dl = loader(workers, threads)
    seed_everything(3)
    state = torch.get_rng_state()
    xb, yb = dl.one_batch()
    assert (xb.tolist(), yb.tolist()) == wanted[0][0] and torch.equal(state, torch.get_rng_state()) and dl.epoch == 0
    assert told(dl) == wanted[0]


def test_unseeded_passes_follow_the_global_seed():
    seed_everything(3)
    plain = [told(dl) for dl in [DataLoader(Turned(), 4, shuffle=True)] for _ in range(2)]
    seed_everything(3)
    assert [told(dl) for dl in [DataLoader(Turned(), 4, shuffle=True, num_workers=3, threads=True)] for _ in range(2)] == plain
    assert plain[0] != plain[1]


@each_way
def test_an_item_that_cannot_be_read_is_named(workers, threads):
    dl, got = DataLoader(Turned(broken=9), 4, num_workers=workers, threads=threads), []
    with pytest.raises(ItemError, match='Item 9 of Turned could not be read. OSError: image file is truncated') as caught:
        for _, yb in dl: got += yb.tolist()
    assert got == list(range(8)), 'what came before it was handed over'
    assert '__getitem__' in ''.join(traceback.format_exception(caught.value)), 'the traceback came along'
    del caught
    gc.collect()
    assert ours() == []


@each_way
def test_a_stage_that_fails_names_the_batch(workers, threads):
    dl = DataLoader(Turned(), 4, num_workers=workers, threads=threads, after_batch=fussy)
    with pytest.raises(ItemError, match=r'after_batch failed on batch 0 .* TooShort: wanted 8, had 4'): next(iter(dl))


class Tagged(ItemError):
    "An item error of another room."


class Named(Turned):
    def __getitem__(self, i): raise Tagged(f'photo-{i}.jpg has no label')


@each_way
def test_an_error_that_has_its_name_keeps_it(workers, threads):
    with pytest.raises(Tagged, match='^photo-0.jpg has no label'): next(iter(DataLoader(Named(), 4, num_workers=workers, threads=threads)))


def test_an_abandoned_walk_leaves_no_thread():
    for end in ('close', 'forget', 'error'):
        walk = iter(loader(3, True))
        next(walk)
        assert len(ours()) == 3
        if end == 'close': walk.close()
        elif end == 'error':
            with pytest.raises(KeyError): walk.throw(KeyError('stop'))
        del walk
        gc.collect()
        assert ours() == [], end


def test_threads_run_only_so_far_ahead():
    class Counted(Turned):
        read = 0
        def __getitem__(self, i):
            Counted.read += 1
            return torch.zeros(2), i
    walk = iter(DataLoader(Counted(200), 1, num_workers=2, threads=True))
    next(walk)
    time.sleep(.2)
    assert Counted.read <= 6
    walk.close()


def test_threads_share_the_work():
    class Slow(Turned):
        def __getitem__(self, i):
            time.sleep(.01)
            return torch.zeros(2), i
    took = []
    for workers in (1, 4):
        start = time.perf_counter()
        told(DataLoader(Slow(80), 4, num_workers=workers, threads=True))
        took.append(time.perf_counter() - start)
    assert took[1] < .6*took[0]


def as_in_a_notebook(lines):
    "What Python says to lines that stand in no file, where a worker is a new Python."
    script = 'import torch\ntorch.multiprocessing.set_start_method("spawn")\n' + textwrap.dedent(lines)
    return subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, timeout=120).stderr


@pytest.mark.parametrize('getter', ['lab', 'partial(lab)', 'lambda x: 2*x', 'Lab().read'], ids=str)
def test_a_function_of_the_notebook_is_named_before_workers_start(getter):
    said = as_in_a_notebook(f'''
        from functools import partial
        from dlcourse.data.block import DataBlock
        from dlcourse.data.parts import RegressionBlock, TransformBlock
        def lab(x): return 2.*x
        class Lab:
            def read(self, x): return 2.*x
        block = DataBlock(blocks=(RegressionBlock, RegressionBlock), get_y={getter})
        next(iter(block.dataloaders([float(i) for i in range(10)], bs=4, num_workers=2, device='cpu').train))
        ''')
    name = {'lambda x: 2*x': '<lambda>', 'Lab().read': 'read'}.get(getter, 'lab')
    assert f'ValueError: {name} cannot be sent to worker processes: Samples needs it, and it lives in this notebook only.' in said, said[-900:]
    assert 'leave num_workers out where a DataBlock' in said and 'takes threads=True' in said


@pytest.mark.parametrize('device', ['gpu', 'cuda:99'])
def test_a_device_that_does_not_work_is_refused(device):
    data = torch.arange(4.), torch.arange(4)
    for make in (lambda: DataLoader(data, 2, device=device), lambda: DataLoaders(DataLoader(data, 2), [], device=device), lambda: DataLoaders(DataLoader(data, 2), []).to(device),
                 lambda: DataBlock().dataloaders([1., 2., 3., 4., 5.], bs=2, device=device)):
        with pytest.raises(ValueError, match=f"The device '{device}' does not work here; '(cpu|cuda|mps)' does."): make()
    assert DataLoaders(DataLoader(data, 2), []).to('cpu').device == torch.device('cpu')


def test_no_address_in_the_words():
    before = torch.multiprocessing.get_start_method()
    torch.multiprocessing.set_start_method('spawn', force=True)
    try:
        with pytest.raises(ValueError, match='cannot be sent') as caught: next(iter(DataLoader([1, 2], 2, num_workers=1, collate_fn=lambda x: x)))
    finally: torch.multiprocessing.set_start_method(before, force=True)
    assert '0x' not in str(caught.value) and '<lambda>' in str(caught.value)


@pytest.mark.skipif(os.name == 'nt', reason='signals of another kind')
@pytest.mark.alone
def test_ctrl_c_ends_it_at_once(tmp_path):
    script = tmp_path/'slow.py'
    script.write_text(textwrap.dedent('''
        import time, torch
        from dlcourse.data.loader import DataLoader
        class Slow:
            def __len__(self): return 1000
            def __getitem__(self, i):
                if i > 3: time.sleep(.3)
                return torch.zeros(2)
        for batch in DataLoader(Slow(), 2, num_workers=3, threads=True): print('batch', flush=True)
    '''), encoding='utf-8')
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(3): assert process.stdout.readline() == 'batch\n'
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert 'KeyboardInterrupt' in said and time.monotonic() - start < 10 and process.returncode != 0


def test_tensors_take_a_stage_too():
    x = torch.arange(8.).view(4, 2)
    dls = DataLoaders(DataLoader((x, torch.arange(4)), 2, after_batch=noisy, seed=1), DataLoader((x, torch.arange(4)), 2))
    (first, _), (plain, _) = dls.train.one_batch(), dls.valid.one_batch()
    assert plain.tolist() == x[:2].tolist() and (first > plain).all() and torch.equal(first, next(iter(dls.train))[0])


@pytest.mark.gpu
def test_a_stage_runs_on_the_gpu():
    places = []
    def stage(batch):
        places.append((batch[0].device.type, threading.current_thread().name))
        return noisy((batch[0].cpu(), batch[1]))
    with_threads = told(DataLoader(Turned(), 4, shuffle=True, seed=5, num_workers=2, threads=True, device='cuda', after_batch=stage))
    assert set(places) == {('cuda', 'MainThread')} and [y for _, y in with_threads] == [y for _, y in told(loader(0, False))]


@pytest.fixture(scope='module')
def photos(tmp_path_factory):
    "24 pictures of noise in files."
    folder, g = tmp_path_factory.mktemp('photos'), torch.Generator().manual_seed(1)
    for i in range(24):
        pixels = torch.randint(0, 256, (40, 50, 3), generator=g, dtype=torch.uint8).numpy()
        Image.fromarray(pixels).save(folder/f'{i:02}{"ab"[i % 2]}.jpg')
    return sorted(folder.iterdir())


def picture_loaders(photos, workers, threads):
    "Random crops, turns and light, as a DataBlock makes them."
    half = presize(24, 16)
    block = DataBlock(blocks=(ImageBlock, CategoryBlock), get_y=letter, splitter=split, item_tfms=half.item_tfms, batch_tfms=half.batch_tfms)
    dls = block.dataloaders(photos, bs=4, num_workers=0, device='cpu', seed=7)
    dls.train.num_workers, dls.train.threads = workers, threads
    return dls


def letter(file): return file.stem[-1]
def split(items): return list(range(18)), list(range(18, 24))


@each_way
def test_pictures_are_turned_alike_whoever_turns_them(photos, workers, threads):
    alone, mine = (picture_loaders(photos, *way).train for way in [(0, False), (workers, threads)])
    passes = [told(dl) for dl in (alone, alone, mine, mine)]
    assert passes[:2] == passes[2:] and passes[0] != passes[1]


@pytest.mark.parametrize('at', [(0, 3), (1, 2), (2, 1)], ids=str)
def test_a_run_on_pictures_goes_on_with_the_same_pictures(photos, tmp_path, at):
    class Stop(Callback):
        def after_batch(self):
            if self.learn.training and (self.learn.epoch, self.learn.iter) == at: raise KeyboardInterrupt

    def weights(*cbs, workers=2):
        torch.manual_seed(0)
        learn = Learner(picture_loaders(photos, workers, True), nn.Sequential(nn.Flatten(), nn.Linear(3*16*16, 2)), lr=.01)
        with learn.no_bar(), suppress(KeyboardInterrupt): learn.fit(3, cbs=cbs)
        return learn.model[1].weight.detach()

    weights(CheckpointCallback(tmp_path/'run.safetensors', every=1), Stop())
    assert ours() == []
    assert torch.equal(weights(CheckpointCallback(tmp_path/'run.safetensors', every=1), workers=3), weights(workers=0))


def test_a_look_by_the_learner_counts_no_pass(photos):
    dls = picture_loaders(photos, 2, True)
    learn = Learner(dls, nn.Sequential(nn.Flatten(), nn.Linear(3*16*16, 2)))
    learn.summary()
    learn.show_results()
    label, index, probs = learn.predict(photos[20])
    assert dls.train.epoch == 0 and dls.valid.epoch == 0
    preds, _ = learn.get_preds()
    assert torch.allclose(preds[2], probs, atol=1e-6) and label == 'ab'[int(index)]
