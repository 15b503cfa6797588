"""Augmentation alone: 64 pictures of 460 x 460 bytes, flipped, tilted, turned, enlarged, cut, lit, to 224 x 224 floats.

The baseline is what PyTorch itself needs for one homography: all pictures to floats, a grid of places, one `grid_sample` of the whole
batch, no light. It draws nothing. The others draw by the course's settings, or by the nearest that a library has. Random pictures
cannot agree in their pixels, so the check figure only says that as many finite numbers came out. OpenCV's warp with a lookup table goes
by our own matrices, and its pixels are within 0.0025 of ours: it is here to show what a second route would bring. Where memory is kept
that is a third of the time; where it is not, nothing.
"""
from harness import Contender, Group

WHAT = 'Augmenting a batch of 64 pictures, 460 to 224 pixels, bytes in, floats out'
CLOCK, ROUNDS, QUICK_ROUNDS = 'cpu', 11, 2
SOURCES = ('dlcourse/vision/warps.py', 'dlcourse/vision/augment.py', 'dlcourse/core/chance.py', 'dlcourse/core/device.py')
PACKAGES = ('torch', 'fastai', 'kornia', 'torchvision', 'albumentations', 'opencv-python-headless')
DEVICES = ('cpu', 'cuda')
SEED, BS, START, SIZE = 42, 64, 460, 224
# Results of 39 MB come from fresh pages or from kept ones, as the heap happens to lie: all contenders keep them.
ENV = {'MALLOC_MMAP_THRESHOLD_': str(2**27), 'MALLOC_TRIM_THRESHOLD_': str(2**30)}
BASE = 'one homography, one grid_sample'


def groups(device):
    "With a crop of its own for each picture, and without."
    return [group(min_scale, device) for min_scale in (.75, 1.)]


def group(min_scale, device):
    "Who races."
    options, alone = {'min_scale': min_scale, 'device': device}, {'min_scale': min_scale, 'device': 'cpu'}
    others = (Contender('kornia', 'kornia', alone, env='peers'), Contender('torchvision v2, per item', 'torchvision', alone, env='peers'),
              Contender('albumentations, per item', 'albumentations', alone, env='peers')) if min_scale < 1 else ()
    return Group(f'aug_transforms(size=224, min_scale={min_scale:g})', (
        Contender(BASE, 'bare', options),
        Contender('dlcourse', 'ours', options, goal=.5),
        Contender('dlcourse, normalised too', 'ours_normalised', options),
        Contender('our matrices, OpenCV warp and table', 'by_opencv', alone, env='peers'),
        Contender('fastai', 'fastai', alone, env='peers'),
    ) + others, baseline=BASE)


# --- what runs in a contender's process --------------------------------------------------------------------------------------

def pictures(device):
    "Random bytes, (64, 3, 460, 460)."
    import torch
    torch.set_num_threads(1); torch.manual_seed(SEED)
    return torch.randint(0, 256, (BS, 3, START, START), dtype=torch.uint8).to(device)


def turn_of(change, device='cpu'):
    "A function that makes one batch; its check figure counts the finite numbers that came out, and their shape must be right."
    import torch
    x = pictures(device)
    def turn():
        y = change(x)
        if device != 'cpu': torch.cuda.synchronize()
        assert y.shape == (BS, 3, SIZE, SIZE) and y.dtype == torch.float32
        return lambda: float(y.isfinite().sum())
    return turn


def bare(min_scale, device):
    "Everything at once, as one would write it down."
    import torch
    from torch.nn import functional as F
    pictures('cpu')
    turn = torch.eye(3).repeat(BS, 1, 1) + .05*torch.randn(BS, 3, 3).clamp(-2, 2)*torch.tensor([1., 1, .5])[:, None]
    turn = turn.to(device)
    places = F.affine_grid(torch.eye(3, device=device)[None, :2], (1, 1, SIZE, SIZE), align_corners=False).view(-1, 2)
    places = torch.cat([places, torch.ones_like(places[:, :1])], 1)
    def change(x):
        seen = places @ turn.mT
        return F.grid_sample(x.float()/255, (seen[..., :2]/seen[..., 2:]).view(BS, SIZE, SIZE, 2), padding_mode='reflection', align_corners=False)
    return turn_of(change, device)


def ours(min_scale, device, normalised=False):
    "A plan for the batch, and the batch."
    from dlcourse.vision.augment import aug_transforms
    from dlcourse.vision.warps import plan_batch
    tfms = aug_transforms(size=SIZE, min_scale=min_scale)
    if normalised:
        from dlcourse.vision.transforms import Normalize, imagenet_stats
        tfms = [*tfms, Normalize.from_stats(*imagenet_stats)]
    return turn_of(lambda x: plan_batch(tfms, x, True).image(x), device)


def ours_normalised(min_scale, device):
    "The same, with ImageNet's mean and spread taken off."
    return ours(min_scale, device, normalised=True)


def by_opencv(min_scale, device):
    "Our matrices, a warp of bytes, and a table of 256 floats for each picture."
    import cv2
    import numpy as np
    import torch

    from dlcourse.vision.augment import aug_transforms
    from dlcourse.vision.warps import plan_batch
    cv2.setNumThreads(1)
    tfms, levels = aug_transforms(size=SIZE, min_scale=min_scale), np.arange(256, dtype=np.float32)/255
    to_pixels, to_places = np.array([[START/2, 0, START/2 - .5], [0, START/2, START/2 - .5], [0, 0, 1]]), np.array([[2/SIZE, 0, 1/SIZE - 1], [0, 2/SIZE, 1/SIZE - 1], [0, 0, 1]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    def change(x):
        plan, y = plan_batch(tfms, x, True), torch.empty(BS, 3, SIZE, SIZE)
        for image, out, m, gain, offset in zip(x.numpy(), y.numpy(), plan.matrix.double().numpy(), plan.gain.flatten(), plan.offset.flatten(), strict=True):
            seen = cv2.warpPerspective(cv2.merge(list(image)), to_pixels @ m @ to_places, (SIZE, SIZE), flags=flags, borderMode=cv2.BORDER_REFLECT)
            table = (levels*gain.item() + offset.item()).clip(0, 1)
            for plane, to in zip(cv2.split(seen), out, strict=True): cv2.LUT(plane, table, dst=to)
        return y
    return turn_of(change)


def fastai(min_scale, device):
    "fastai's own, after its conversion to floats, as its DataLoaders apply them."
    from fastai.data.transforms import IntToFloatTensor
    from fastai.vision.augment import aug_transforms
    from fastai.vision.core import TensorImage
    from fasttransform import Pipeline
    pipe = Pipeline([IntToFloatTensor(), *aug_transforms(size=SIZE, min_scale=min_scale)], split_idx=0)
    return turn_of(lambda x: plain(pipe(TensorImage(x))))


def plain(x):
    "A tensor of a class of its own, as a tensor."
    import torch
    return x.as_subclass(torch.Tensor)


def kornia(min_scale, device):
    "Its sequence composes what it can."
    import kornia.augmentation as K
    seq = K.AugmentationSequential(
        K.RandomHorizontalFlip(p=.5), K.RandomPerspective(.2, p=.75), K.RandomRotation(10., p=.75),
        K.RandomResizedCrop((SIZE, SIZE), scale=(min_scale, 1.), ratio=(1., 1.)), K.ColorJiggle(.1, .2, p=.75), data_keys=['input'])
    return turn_of(lambda x: seq(x.float()/255))


def torchvision(min_scale, device):
    "One picture after the other, as in its own dataset pipelines."
    import torch
    from torchvision.transforms import v2
    seq = v2.Compose([v2.RandomHorizontalFlip(), v2.RandomPerspective(.2, p=.75), v2.RandomRotation(10, v2.InterpolationMode.BILINEAR),
                      v2.RandomResizedCrop(SIZE, (min_scale, 1.), (1., 1.)), v2.ColorJitter(.1, .2), v2.ToDtype(torch.float32, scale=True)])
    return turn_of(lambda x: torch.stack([seq(image) for image in x]))


def albumentations(min_scale, device):
    "One picture after the other, by OpenCV."
    import albumentations as A
    import cv2
    import numpy as np
    import torch
    cv2.setNumThreads(1)
    seq = A.Compose([A.HorizontalFlip(p=.5), A.Perspective((0., .1), keep_size=True, border_mode=cv2.BORDER_REFLECT, p=.75),
                     A.Rotate(10, border_mode=cv2.BORDER_REFLECT, p=.75), A.RandomResizedCrop((SIZE, SIZE), scale=(min_scale, 1.), ratio=(1., 1.)),
                     A.RandomBrightnessContrast(.1, .2, p=.75)])
    images = []
    def change(x):
        if not images: images.extend(np.ascontiguousarray(i) for i in x.permute(0, 2, 3, 1).numpy())
        y = torch.empty(BS, 3, SIZE, SIZE)
        for to, image in zip(y, images, strict=True): torch.div(torch.from_numpy(seq(image=image)['image']).permute(2, 0, 1), 255, out=to)
        return y
    return turn_of(change)
