"The rules of the house, each checked: see CONTRIBUTING.md for why they are there."
import ast
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from itertools import takewhile
from pathlib import Path

import pytest
from tree import (
    DEFINITIONS,
    LESSONS,
    MODULES,
    NOTEBOOKS,
    PACKAGE,
    ROOT,
    cells,
    code,
    code_cells,
    default_exp,
    exports,
    has,
    module_name,
    notebook_name,
    parse,
    tracked,
)

each_notebook = pytest.mark.parametrize('path', NOTEBOOKS, ids=notebook_name)
each_lesson = pytest.mark.parametrize('path', LESSONS, ids=notebook_name)
each_module = pytest.mark.parametrize('path', MODULES, ids=module_name)
each_python = pytest.mark.parametrize('path', [*MODULES, *DEFINITIONS], ids=module_name)

TEST = re.compile(r'\b(assert\b|assert_\w+\(|test_\w+\(|expect_error\()')
OPENING = ('You will build', 'You need', 'Where it lives', 'Time')
HOME = r'(?<![\w.>}\]-])/(?:root|home|Users|work)/\w'  # a folder of one person or one machine
MAX_LINES, MAX_ARGS, MAX_KB = 30, 8, 200
FIELD_CALLS = {'aug_transforms'}  # factory calls that keep the field's keywords, however many those are


def outputs(path):
    "Each saved output of a notebook with its cell."
    return [(cell, out) for cell in code_cells(path) for out in cell['outputs']]


def images(path): return [(cell, out) for cell, out in outputs(path) if any(kind.startswith('image/') for kind in out.get('data', {}))]


# ---- notebooks: how they open, what they hold ----

@each_notebook
def test_opens_with_title_and_description_alone(path):
    assert re.fullmatch(r'# [^\n]+\n\n> [^\n]+', cells(path)[0]['source'].strip()), 'first cell: "# Title", an empty line, "> description"'


@each_lesson
def test_lesson_says_what_where_and_how_long(path):
    opening = [cell['source'] for cell in cells(path) if cell['cell_type'] == 'markdown'][1]
    found = [line for line in OPENING if re.search(rf'^(- )?\*\*{line}\*\* \S', opening, re.M)]
    assert found == list(OPENING), 'the second text cell has four lines: **You will build** ... **Time** ...'


@each_notebook
def test_is_small(path):
    assert path.stat().st_size <= MAX_KB*1024


@each_notebook
def test_feeds_one_module_of_its_own_name(path):
    assert 'auto' not in path.stem, 'nbdev loses the links of a notebook with "auto" in its name'
    if exported := default_exp(path): assert exported.split('.')[-1] == re.sub(r'^\d+_', '', path.stem)
    else: assert not any(exports(cell) for cell in cells(path)), 'exports cells, but names no module'


def test_no_module_is_fed_by_two_notebooks():
    fed = Counter(filter(None, map(default_exp, NOTEBOOKS)))
    assert [module for module, times in fed.items() if times > 1] == []


def bound(node):
    "The names that a top-level statement binds, and whether it defines them."
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [] if any('patch' in ast.unparse(d) for d in node.decorator_list) else [(node.name, True)]
    if isinstance(node, (ast.Import, ast.ImportFrom)): return [((a.asname or a.name).split('.')[0], False) for a in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, (ast.AnnAssign, ast.For)) else []
    return [(n.id, isinstance(getattr(node, 'value', None), ast.Lambda)) for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]


@each_notebook
def test_defines_no_name_twice(path):
    "A reader who skips a cell, or runs one again, must not meet another function under the same name."
    found = [pair for cell in code_cells(path) for node in parse(cell).body for pair in bound(node)]
    times, defined = Counter(name for name, _ in found), {name for name, defines in found if defines}
    assert {name for name in defined if times[name] > 1} == set()


def defines(cell): return any(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) for node in parse(cell).body)


@each_notebook
def test_every_export_is_followed_by_its_test(path):
    "The next cell asserts it; where the next one shows a value first, the one after that."
    todo = code_cells(path)
    for i, cell in enumerate(todo):
        if not exports(cell) or not defines(cell): continue
        after = list(takewhile(lambda c: not exports(c), todo[i + 1:i + 3]))
        assert any(TEST.search(c['source']) for c in after), f'no test follows:\n{cell["source"]}'


@each_notebook
def test_cells_are_short_and_explained(path):
    run = 0
    for cell in cells(path):
        run = run + 1 if cell['cell_type'] == 'code' and code(cell) and not has(cell, 'hide') else 0
        assert run <= 4, f'five code cells in a row, no word between them:\n{cell["source"]}'
        if exports(cell): assert len(code(cell).splitlines()) <= MAX_LINES, cell['source']


@each_notebook
def test_imports_by_name(path):
    for node in (node for cell in code_cells(path) for node in ast.walk(parse(cell))):
        if isinstance(node, ast.ImportFrom):
            assert node.module == 'dlcourse.all' or node.names[0].name != '*', ast.unparse(node)
            assert node.module != f'dlcourse.{default_exp(path)}', 'a notebook does not import the module that it makes'


# ---- what readers see in a saved notebook ----

@each_notebook
def test_saved_outputs_are_quiet(path):
    for cell, out in outputs(path):
        assert out['output_type'] != 'error', f'a traceback is saved under:\n{cell["source"]}'
        assert out.get('name') != 'stderr', f'something on stderr is saved under:\n{cell["source"]}'
        text = json.dumps(out.get('text') or {k: v for k, v in out.get('data', {}).items() if k.startswith('text')})
        assert not re.search(r'\w+Warning\b:', text), f'a warning is saved under:\n{cell["source"]}'
        assert not re.search(rf'{HOME}|/tmp/\w', text), f'a path of one machine is saved under:\n{cell["source"]}'


@each_notebook
def test_every_figure_has_an_alternative_text(path):
    for cell, _ in images(path): assert re.search(r'^#\|\s*fig-alt:.{20,}', cell['source'], re.M), f'no "#| fig-alt: ..." in:\n{cell["source"]}'


# ---- modules: what they may hold ----

def functions(path):
    "Every function and method of a module, with whether it is public, and whether it may inherit its docstring."
    def walk(node, public, inherits):
        for child in ast.iter_child_nodes(node):
            shown = public and not getattr(child, 'name', '_').startswith('_')
            if isinstance(child, ast.ClassDef): yield from walk(child, shown, bool(child.bases))
            elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)): yield child, shown, inherits
    return list(walk(ast.parse(path.read_text(encoding='utf-8')), True, False))


def body_lines(node):
    "Lines of a function, its docstring not counted."
    doc = ast.get_docstring(node)
    return node.end_lineno - node.lineno + 1 - (len(doc.splitlines()) if doc else 0)


@each_python
def test_functions_are_small(path):
    for node, _, _ in functions(path):
        args = [a for a in node.args.args + node.args.kwonlyargs if a.arg not in ('self', 'cls')]
        assert body_lines(node) <= MAX_LINES, f'{node.name} has {body_lines(node)} lines'
        assert len(args) <= MAX_ARGS or node.name in FIELD_CALLS, f'{node.name} takes {len(args)} arguments'


@each_module
def test_public_functions_are_documented_and_annotated(path):
    for node, public, inherits in functions(path):
        if not public: continue
        everything = [*node.args.args, *node.args.kwonlyargs, *filter(None, [node.args.vararg, node.args.kwarg])]
        bare = [a.arg for a in everything if not a.annotation and a.arg not in ('self', 'cls')]
        assert inherits or ast.get_docstring(node), f'{node.name} has no docstring'
        assert not bare, f'{node.name}: {bare} have no annotation'
        assert node.returns, f'{node.name} does not say what it returns'


@each_module
def test_public_classes_are_documented(path):
    for node in ast.parse(path.read_text(encoding='utf-8')).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith('_'): assert ast.get_docstring(node), f'{node.name} has no docstring'


@each_python
def test_modules_keep_away_from_danger(path):
    "No star imports, no pickle (it runs code on load), nobody else's class patched."
    tree = ast.parse(path.read_text(encoding='utf-8'))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom): assert node.names[0].name != '*', ast.unparse(node)
        named = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module] if isinstance(node, ast.ImportFrom) else []
        assert not {'pickle', 'cloudpickle', 'dill', 'joblib', 'marshal', 'shelve'} & {str(n).split('.')[0] for n in named}, ast.unparse(node)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == 'torch.load':
            assert any(k.arg == 'weights_only' and ast.unparse(k.value) == 'True' for k in node.keywords), ast.unparse(node)


def owned(path):
    "The public names that a module makes itself; those that it imports and passes on have their owner elsewhere."
    tree = ast.parse(path.read_text(encoding='utf-8'))
    public = {name for node in tree.body for name in re.findall(r"'(\w+)'", ast.unparse(node)) if ast.unparse(node).startswith('__all__')}
    return public - {(a.asname or a.name) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for a in node.names}


def test_every_public_name_has_one_owner():
    names = Counter(name for path in MODULES for name in owned(path))
    assert [name for name, times in names.items() if times > 1] == []


def test_every_module_comes_from_a_notebook():
    "But the definitions of exercises: they say what a lesson asks for, and would give it away in a notebook."
    made = {PACKAGE.joinpath(*default_exp(path).split('.')).with_suffix('.py') for path in NOTEBOOKS if default_exp(path)}
    by_hand = {p for p in PACKAGE.rglob('*.py') if not p.name.startswith('_') and p not in made and p not in DEFINITIONS}
    assert by_hand == set(), 'no notebook makes these'


# ---- the repository ----

def test_no_file_names_a_place_on_one_machine():
    texts = {p: p.read_bytes().decode('utf-8', 'replace') for p in tracked()}
    assert {p.relative_to(ROOT): found[0] for p, text in texts.items() if (found := re.search(HOME + '.*', text))} == {}


def test_the_saved_map_shows_every_room():
    "`nbs/architecture.ipynb` asserts the map when it runs; this is about the one that readers see."
    shown = {word for _, out in outputs(ROOT/'nbs'/'architecture.ipynb') for word in ''.join(out.get('text', '')).split()}
    assert {p.stem for p in MODULES if p.parent != PACKAGE} <= shown, 'run nbs/architecture.ipynb again and save it'


def test_every_wing_has_its_floor():
    "Import-linter knows every wing on disk, and fails where a new one is forgotten."
    contracts = (ROOT/'pyproject.toml').read_text(encoding='utf-8')
    wings = {p.name for p in PACKAGE.iterdir() if p.is_dir() and any(p.glob('*.py'))}
    assert wings == {p.parent.name for p in PACKAGE.glob('*/__init__.py')}, 'a wing has an __init__.py'
    house = re.search(r'containers = \["dlcourse"\]\nlayers = \[(.*?)\]\nexhaustive = true', contracts, re.S)
    assert set(re.findall(r'"(\w+)"', house[1])) == wings | {'all'}


@pytest.mark.alone
@pytest.mark.parametrize('command', ['lint-imports', 'ruff check .', 'mypy'])
def test_checker(command):
    program, *args = command.split()
    program = Path(sys.executable).with_name(program)
    done = subprocess.run([program, *args], cwd=ROOT, capture_output=True, encoding='utf-8', errors='replace')
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope='module')
def copy(tmp_path_factory):
    "The checkout as git would hold it, elsewhere: nothing done to it can hurt the work in the real one."
    dest = tmp_path_factory.mktemp('checkout')
    for path in tracked():
        to = dest/path.relative_to(ROOT)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, to, follow_symlinks=False)
    return dest


def changed(copy, folder):
    "Files below `folder` that are not what they are in the checkout; compiled ones do not count."
    def read(root): return {p.relative_to(root): p.read_bytes() for p in (root/folder).rglob('*')
                            if p.is_file() and '__pycache__' not in p.parts and not p.name.startswith('.')}
    here, there = read(ROOT), read(copy)
    return sorted(str(p) for p in here.keys() | there.keys() if here.get(p) != there.get(p))


def in_copy(copy, command, *args):
    "Run one of nbdev's commands in the copy."
    done = subprocess.run([Path(sys.executable).with_name(command), *args], cwd=copy, capture_output=True, encoding='utf-8', errors='replace')
    assert done.returncode == 0, done.stdout + done.stderr


def test_export_changes_nothing(copy):
    in_copy(copy, 'nbdev-export')
    assert changed(copy, 'dlcourse') == [], 'run: make export, then commit what it changed'


def test_clean_changes_nothing(copy):
    in_copy(copy, 'nbdev-clean')
    assert changed(copy, 'nbs') == [], 'run: nbdev-clean, then commit what it changed'
