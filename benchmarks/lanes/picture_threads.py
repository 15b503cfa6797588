"""The way of the lane `pictures`, made by one thread and by two, on two cores: how well do threads share it?

Eight batches of 32 in one pass: at its end one of the two may have nothing left to do, as in any pass.
"""
import os

from harness import Contender, Group
from lanes import pictures

WHAT = 'Photos to batches by one thread and by two'
CLOCK, ROUNDS, QUICK_ROUNDS = 'wall', 9, 2
SOURCES, PACKAGES, DEVICES, SEED = (*pictures.SOURCES, 'benchmarks/lanes/pictures.py'), ('torch', 'pillow', 'opencv-python-headless'), ('cpu', 'cuda'), pictures.SEED


def groups(device):
    "With OpenCV and without. No thread, on a GPU: then nothing is read while the GPU is at work."
    return [Group(f'256 JPEG of 500 x 375 to 224, {name}', (
        Contender('one thread', 'threads', {'device': device, 'fast': fast, 'workers': 1}),
        Contender('two threads', 'threads', {'device': device, 'fast': fast, 'workers': 2}, goal=.56),
        Contender('no thread', 'threads', {'device': device, 'fast': fast, 'workers': 0}),
    ), baseline='one thread') for name, fast in [('OpenCV', True), ('Pillow', False)]]


def threads(device, fast, workers):
    "The loader with so many threads, on every core that there is."
    if hasattr(os, 'sched_setaffinity'): os.sched_setaffinity(0, range(os.cpu_count()))
    import torch
    dl = pictures.our_loader(device, fast, workers, times=4)
    def turn():
        n = sum(len(x) for x, _ in dl)
        if device != 'cpu': torch.cuda.synchronize()
        assert n == 4*pictures.BS
    return turn
