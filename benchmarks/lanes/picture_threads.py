"""The way of the lane `pictures`, made by one thread and by two, on two cores: how well do threads share it?

Photos from files to normalised batches, in batches of 16, so that two threads always have two to make.
"""
import os

from harness import Contender, Group
from lanes import pictures

WHAT = 'Photos to batches by one thread and by two'
CLOCK, ROUNDS, QUICK_ROUNDS = 'wall', 9, 2
SOURCES, PACKAGES, DEVICES, SEED = (*pictures.SOURCES, 'benchmarks/lanes/pictures.py'), ('torch', 'pillow', 'opencv-python-headless'), ('cpu', 'cuda'), pictures.SEED


def groups(device):
    "With OpenCV and without. No thread, on a GPU: then nothing is read while the GPU is at work."
    return [Group(f'64 JPEG of 500 x 375 to 224, {name}', (
        Contender('one thread', 'threads', {'device': device, 'fast': fast, 'workers': 1}),
        Contender('two threads', 'threads', {'device': device, 'fast': fast, 'workers': 2}, goal=1/1.8),
        Contender('no thread', 'threads', {'device': device, 'fast': fast, 'workers': 0}),
    ), baseline='one thread') for name, fast in [('OpenCV', True), ('Pillow', False)]]


def threads(device, fast, workers):
    "The loader with so many threads, on every core that there is."
    if hasattr(os, 'sched_setaffinity'): os.sched_setaffinity(0, range(os.cpu_count()))
    import torch
    dl = pictures.our_loader(device, fast, workers, bs=16)
    def turn():
        n = 0
        for _ in range(2):
            for x, _ in dl: n += len(x)
        if device != 'cpu': torch.cuda.synchronize()
        assert n == 2*pictures.BS
    return turn
