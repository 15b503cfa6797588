"""Run a notebook's cells as its test, in this process and with no network: `python tests/run_notebook.py NOTEBOOK [FLAG ...]`.

FLAGs are nbdev test flags to run although `tst_flags` in pyproject.toml leaves them out, such as gpu.
"""
import os
import sys
from pathlib import Path

from nbdev.config import get_config
from nbdev.test import test_nb as run_cells
from offline import forbid_network


def main(notebook, *flags):
    "Exit with 0 if every cell that is not left out ran."
    forbid_network()
    os.environ['DLCOURSE_PROGRESS'] = ''  # the answers stand in the lessons, so what they check is nobody's progress
    path = Path(notebook).resolve()
    passed, seconds = run_cells(path, skip_flags=get_config(path.parent).tst_flags.split(), force_flags=flags, profile=False)
    print(f'{path.name}: {seconds:.1f} s')
    sys.exit(0 if passed else 1)


if __name__ == '__main__': main(*sys.argv[1:])
