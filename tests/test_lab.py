"""A learner's copy in JupyterLab, in a real browser: from the stub to done, a wrong answer drawn, a hint, a quiz, and two notebooks at once."""
import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from browser import chromium
from tree import NBS

from dlcourse.workbook.lessons import describe
from dlcourse.workbook.practice import learner_version

pytestmark = [pytest.mark.slow, pytest.mark.alone]
STUB, MEND = '    ...\n', '    if a.shape != b.shape: raise ValueError("shapes differ")\n    return ((a - b)**2).mean().sqrt()\n'
WRONG = '    return ((a - b)**2).mean()\n'


def small_copy(path):
    "Of a learner's copy of tensors: the imports, the exercise rmse and the quiz."
    notebook = json.loads(learner_version(describe(NBS/'4_under_the_hood'/'17_tensors.ipynb')))
    keep = [cell for cell in notebook['cells'] if cell['cell_type'] == 'code' and any(
            word in ''.join(cell['source']) for word in ('import check', 'from torch import Tensor', 'exercise: rmse', "quiz('tensors')"))]
    for cell in keep: cell['outputs'] = []
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook | {'cells': keep}), encoding='utf-8')


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


@contextmanager
def jupyterlab(root, env):
    "The address of a JupyterLab that shows `root`."
    port = free_port()
    words = [f'--ServerApp.root_dir={root}', '--no-browser', f'--port={port}', '--IdentityProvider.token=', '--LabApp.news_url=',
             '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate', '--ServerApp.ip=127.0.0.1', '--allow-root']
    with open(root/'lab.log', 'w') as log:
        lab = subprocess.Popen([sys.executable, '-m', 'jupyterlab', *words], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            for _ in range(200):
                with socket.socket() as s:
                    if s.connect_ex(('127.0.0.1', port)) == 0: break
                assert lab.poll() is None, (root/'lab.log').read_text()
                time.sleep(.3)
            yield f'http://127.0.0.1:{port}'
        finally:
            lab.terminate()
            lab.wait(30)


class Page:
    "A notebook in the browser."
    def __init__(self, browser, address, name):
        self.page = browser.new_page(viewport={'width': 1200, 'height': 1600})
        self.page.goto(f'{address}/doc/tree/{name}', timeout=90_000)
        self.page.wait_for_selector('.jp-Notebook .jp-CodeCell', timeout=90_000)
        self.page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status=idle]', timeout=90_000, state='attached')

    def cell(self, text): return self.page.locator('.jp-CodeCell').filter(has_text=text).first

    def run(self, text, expect, code=None):
        "Run the cell that holds `text`, after typing `code` into it if there is any, until its output holds `expect`."
        cell = self.cell(text)
        cell.locator('.cm-content').click()
        if code:
            self.page.keyboard.press('Control+a')
            self.page.keyboard.insert_text(code)
        self.page.keyboard.press('Control+Enter')
        cell.locator('.jp-OutputArea').filter(has_text=expect).wait_for(timeout=60_000)
        return cell.locator('.jp-OutputArea-output').first


def answer(body, call='check(rmse)'): return f'#| exercise: rmse\ndef rmse(a, b):\n{body}\n{call}'


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    "A folder with two copies, and the environment that their kernels get."
    root = tmp_path_factory.mktemp('lab')
    for name in ('one.ipynb', 'two.ipynb'): small_copy(root/name)
    own = {name: str(root/name.lower()) for name in ('JUPYTER_CONFIG_DIR', 'JUPYTER_DATA_DIR', 'IPYTHONDIR', 'DLCOURSE_HOME')}
    return root, os.environ | own | {'DLCOURSE_PROGRESS': str(root/'progress.sqlite'), 'DLCOURSE_OFFLINE': '1', 'DLCOURSE_MIRROR': ''}


def test_a_learner_in_jupyterlab(place):
    root, env = place
    with jupyterlab(root, env) as address, chromium() as browser:
        one, two = (Page(browser, address, name) for name in ('one.ipynb', 'two.ipynb'))
        for page in (one, two):
            page.cell('from torch import Tensor').locator('.cm-content').click()
            page.page.keyboard.press('Control+Enter')
            page.cell('import check').locator('.cm-content').click()
            page.page.keyboard.press('Control+Enter')
        assert one.run('exercise: rmse', 'not started').inner_text().startswith('rmse: not started')
        refused = one.run('exercise: rmse', 'wrong value', answer(WRONG))
        assert 'The root is missing' in refused.inner_text()
        assert refused.locator('figure').all_inner_texts()[-1].split() == ['expected', 'float32', '()', '2.582']
        assert refused.locator('td[style*=outline]').all_inner_texts() == ['6.667'], 'the wrong number is framed'
        assert 'Hint 1 of' in one.run('exercise: rmse', 'Hint 1', answer(WRONG, 'hint()')).inner_text()
        for page in (one, two):  # both kernels check at once
            cell = page.cell('exercise: rmse')
            cell.locator('.cm-content').click()
            page.page.keyboard.press('Control+a')
            page.page.keyboard.insert_text(answer(MEND))
        for page in (one, two): page.page.keyboard.press('Control+Enter')
        for page in (one, two): page.cell('exercise: rmse').locator('.jp-OutputArea').filter(has_text='rmse: done').wait_for(timeout=60_000)
        two.run("quiz('tensors')", 'What is the rank')
        quiz = two.cell("quiz('tensors')")
        quiz.locator('button').first.click()
        quiz.locator('strong, b').filter(has_text=re.compile('Right|Not this one')).first.wait_for(timeout=30_000)
    said = subprocess.run([sys.executable, '-m', 'dlcourse', 'progress', '--json'], env=env, capture_output=True, text=True, check=True).stdout
    assert 'rmse' in said
    rows = rows_of(env)
    assert [outcome for item, outcome in rows if item == 'rmse'] == ['not started', 'wrong value', 'hint', 'done', 'done'], 'nothing was lost'
    assert len([item for item, _ in rows if item != 'rmse']) == 1, 'and the question'


def rows_of(env):
    "What was recorded, by a process that begins after the kernels have ended."
    code = 'import json; from dlcourse.workbook.progress import progress_file, read_events; print(json.dumps([[e.item, e.outcome] for e in read_events(progress_file())]))'
    out = subprocess.run([sys.executable, '-c', code], env=env, capture_output=True, text=True, check=True).stdout
    return [tuple(row) for row in json.loads(out)]
