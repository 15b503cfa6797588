"""From JPEG files to a batch that a model can take: 64 photos of 500 x 375, presized to 460, augmented to 224, normalised. One core.

The least that has to be done is to decode them, here with Pillow, which is everybody's decoder unless told otherwise. Photos are
drawn on the spot: parts of scikit-learn's two photographs, saved as JPEG of quality 90.
"""
import os

from harness import Contender, Group

WHAT = 'Photos from files, presized and augmented, to a normalised batch'
CLOCK, ROUNDS, QUICK_ROUNDS = 'cpu', 9, 2
SOURCES = ('dlcourse/core/device.py', 'dlcourse/core/chance.py', 'dlcourse/data/workers.py', 'dlcourse/data/loader.py', 'dlcourse/data/parts.py',
           'dlcourse/data/datasets.py', 'dlcourse/data/batches.py', 'dlcourse/vision/modes.py', 'dlcourse/vision/images.py',
           'dlcourse/vision/placement.py', 'dlcourse/vision/transforms.py', 'dlcourse/vision/warps.py', 'dlcourse/vision/augment.py',
           'dlcourse/vision/blocks.py')
PACKAGES = ('torch', 'fastai', 'pillow', 'opencv-python-headless')
DEVICES = ('cpu', 'cuda')
SEED, BS, PRESIZE, SIZE = 42, 64, 460, 224
FLOOR = 'decoding alone, Pillow'


def groups(device):
    "The goals: a tenth and a quarter of fastai's time, which is 42 times that of decoding."
    return [Group('64 JPEG of 500 x 375 to 224', (
        Contender(FLOOR, 'decoding'),
        Contender('dlcourse, OpenCV', 'ours', {'device': device, 'fast': True}, goal=4.2),
        Contender('dlcourse, Pillow alone', 'ours', {'device': device, 'fast': False}, goal=10.5),
        Contender('fastai, Pillow', 'fastai', {'device': device}, env='peers'),
    ), baseline=FLOOR)]


# --- what runs in a contender's process --------------------------------------------------------------------------------------

def photos():
    "64 files to train with and one to validate with, made by whoever comes first."
    import tempfile
    from pathlib import Path

    from PIL import Image
    folder = Path(tempfile.gettempdir())/f'dlcourse-bench-photos-{os.getuid() if hasattr(os, "getuid") else 0}'
    if not folder.exists():
        from sklearn.datasets import load_sample_image
        made = Path(tempfile.mkdtemp(dir=folder.parent))
        for i in range(BS + 1):
            whole, (x, y) = Image.fromarray(load_sample_image(('china.jpg', 'flower.jpg')[i % 2])), (5*(i % 8), 3*(i//8 % 8))
            whole.crop((x, y, x + 600, y + 400)).resize((500, 375)).save(made/f'{i:02}{"ab"[i % 2]}.jpg', quality=90)
        try: made.rename(folder)
        except OSError: pass  # another was quicker
    return sorted(folder.glob('*.jpg'))


def one_thread():
    "PyTorch on one thread."
    import torch
    torch.set_num_threads(1); torch.manual_seed(SEED)
    return torch


def synchronised(walk, device):
    "A turn, which on a GPU ends when the GPU has."
    import torch
    def turn():
        x = list(walk())[-1][0]
        if device != 'cpu': torch.cuda.synchronize()
        assert x.shape == (BS, 3, SIZE, SIZE) and x.dtype == torch.float32 and abs(float(x.mean())) < 1.5, (x.shape, x.dtype)
    return turn


def decoding():
    "Nothing but Pillow's decoder."
    from PIL import Image
    files = photos()[:BS]
    def turn():
        for file in files: Image.open(file).load()
    return turn


def our_loader(device, fast, workers=0, times=1):
    "The loader as a DataBlock makes it, and threads if they are asked for."
    os.environ['DLCOURSE_FAST'] = str(int(fast))
    one_thread()
    from dlcourse.data.block import DataBlock
    from dlcourse.data.parts import CategoryBlock
    from dlcourse.vision.augment import presize
    from dlcourse.vision.blocks import ImageBlock
    from dlcourse.vision.images import cv2_or_none
    from dlcourse.vision.transforms import Normalize, imagenet_stats
    if fast and cv2_or_none() is None: raise RuntimeError("OpenCV is not installed: pip install 'dlcourse[fast]'")
    if fast: cv2_or_none().setNumThreads(1)
    tfms, files = presize(PRESIZE, SIZE), photos()
    files = files[:BS]*times + files[BS:]
    block = DataBlock(blocks=(ImageBlock, CategoryBlock), get_y=lambda file: file.stem[-1], splitter=lambda items: (range(len(items) - 1), [len(items) - 1]),
                      item_tfms=tfms.item_tfms, batch_tfms=[*tfms.batch_tfms, Normalize.from_stats(*imagenet_stats)])
    dl = block.dataloaders(files, bs=BS if times == 1 else BS//2, num_workers=0, device=device, seed=SEED).train
    dl.num_workers, dl.threads = workers, True
    return dl


def ours(device, fast):
    "The whole way, in this thread."
    dl = our_loader(device, fast)
    return synchronised(lambda: dl, device)



def fastai_loader(device):
    "The same in fastai, as its course has it."
    import warnings
    warnings.simplefilter('ignore')
    torch = one_thread()
    from fastai.data.block import CategoryBlock, DataBlock
    from fastai.vision.augment import Resize, aug_transforms
    from fastai.vision.core import imagenet_stats
    from fastai.vision.data import ImageBlock, Normalize
    return DataBlock(blocks=(ImageBlock, CategoryBlock), get_y=lambda file: file.stem[-1], splitter=lambda items: (list(range(BS)), [BS]),
                     item_tfms=Resize(PRESIZE), batch_tfms=[*aug_transforms(size=SIZE, min_scale=.75), Normalize.from_stats(*imagenet_stats)]
                     ).dataloaders(photos(), bs=BS, num_workers=0, device=torch.device(device)).train


def fastai(device):
    "The whole way, in this thread."
    dl = fastai_loader(device)
    return synchronised(lambda: dl, device)
