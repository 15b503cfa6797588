"""What starting costs: each statement in a fresh process, processor time and peak memory.

Files are in the system's cache after the warm-up, and importing uses one thread: on an idle machine both clocks agree, and on a busy
one only processor time means something.
"""
from harness import Contender, Group

WHAT = 'Importing, in a fresh process'
CLOCK, ROUNDS, QUICK_ROUNDS = 'cpu', 11, 2
SOURCES = ('dlcourse/**/*.py',)
PACKAGES = ('torch', 'fastcore', 'fastai', 'lightning', 'matplotlib')
DEVICES = ('cpu',)


def groups(device):
    "Our three ways in, and what the peers' readers wait for, against `import torch`."
    return [Group('import', (
        Contender('import torch', 'import torch'),
        Contender('import dlcourse', 'import dlcourse', goal=0.2),
        Contender('import dlcourse.workbook.cli', 'import dlcourse.workbook.cli', goal=0.2),
        Contender('from dlcourse.all import *', 'from dlcourse.all import *', goal=1.05),
        Contender('import torch (the peers\' environment)', 'import torch', env='peers'),
        Contender('import lightning', 'import lightning', env='peers'),
        Contender('from fastai.vision.all import *', 'from fastai.vision.all import *', env='peers'),
    ), baseline='import torch', fresh=True)]
