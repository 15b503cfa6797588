"What starting costs: nothing heavy is imported before it is used."
import subprocess
import sys

import pytest
from tree import ROOT


def loaded(code):
    "Top-level packages loaded in a fresh Python after running `code`."
    report = 'import sys; print("\\n" + " ".join({name.partition(".")[0] for name in sys.modules}))'
    done = subprocess.run([sys.executable, '-c', f'{code}\n{report}'], cwd=ROOT, capture_output=True, encoding='utf-8')
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split('\n')[-2].split())


def run_command(*args):
    "Python code that runs the `dlcourse` command and carries on when it exits."
    return f'''
import contextlib, sys
sys.argv = ["dlcourse", *{args!r}]
from dlcourse.workbook.cli import main
with contextlib.suppress(SystemExit): main()'''


def test_the_package_alone_loads_next_to_nothing():
    assert not {'torch', 'numpy', 'fastcore', 'PIL', 'matplotlib'} & loaded('import dlcourse')


@pytest.mark.parametrize('args', [['--help'], ['--version'], ['lessons']], ids=' '.join)
def test_the_command_starts_without_torch(args):
    assert not {'torch', 'pandas', 'matplotlib', 'ipywidgets', 'sklearn', 'IPython'} & loaded(run_command(*args))


def test_all_names_cost_no_more_than_torch_until_used():
    names = loaded('from dlcourse.all import *')
    assert 'torch' in names
    assert not {'pandas', 'matplotlib', 'ipywidgets', 'sklearn', 'IPython', 'requests'} & names


@pytest.mark.parametrize('use, library', [('pd.DataFrame', 'pandas'), ('plt.figure', 'matplotlib'), ('widgets.IntSlider', 'ipywidgets')])
def test_touching_a_lazy_name_loads_its_library(use, library):
    assert library in loaded(f'from dlcourse.all import *\n{use}')


def test_using_torch_does_not_load_the_lazy_libraries():
    "The trap of `importlib.util.LazyLoader`: making an optimizer walks over every loaded module."
    code = 'from dlcourse.all import *\ntorch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.)'
    assert not {'pandas', 'ipywidgets'} & loaded(code)


def test_all_lists_its_names():
    code = '''
import dlcourse.all as a
assert set(a.__all__) <= set(vars(a)), set(a.__all__) - set(vars(a))
assert {'torch', 'nn', 'F', 'np', 'pd', 'plt', 'Path', 'L', 'first', 'partial', 're', 'string', 'Image', 'array', 'tensor', 'widgets'} <= set(a.__all__)'''
    assert 'torch' in loaded(code)
