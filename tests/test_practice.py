"Lessons as learners get them: every answer a stub, every stub for an exercise that is defined, and nothing that gives the answer away."
import argparse
import ast
import functools
import importlib
import json
import re
import statistics
import textwrap
from pathlib import Path

import pytest
from tree import DEFINITIONS, LESSONS, MODULES, NOTEBOOKS, cells, code_cells, exports, notebook_name, parse

from dlcourse.workbook.lessons import describe
from dlcourse.workbook.practice import Marker, exercises_of, head, learner_version, marker, stub, to_mend

each_lesson = pytest.mark.parametrize('path', LESSONS, ids=notebook_name)
ANSWERS = [(path, cell, mark) for path in LESSONS for cell in code_cells(path) if (mark := marker(cell['source']))]
each_answer = pytest.mark.parametrize('path, cell, mark', ANSWERS, ids=[f'{notebook_name(path)}-{mark.name}' for path, _, mark in ANSWERS])


def function(text, name): return next(node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == name)


def learner_cell(path, id):
    "A cell of a lesson as a learner is given it, its source joined."
    cell = next(cell for cell in json.loads(learner_version(describe(path)))['cells'] if cell['id'] == id)
    return cell | {'source': ''.join(cell['source'])}


def statements(node):
    "What a function does, statement by statement, without its docstring."
    return [ast.unparse(part) for part in node.body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) and isinstance(part.value.value, str))]


class Bare(ast.NodeTransformer):
    "A function as it computes: no docstring, no annotations."
    def visit_arg(self, node): node.annotation = None; return node

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        if ast.get_docstring(node) is not None: node.body = node.body[1:]
        node.returns = None
        return node


def bare(node): return ast.unparse(ast.fix_missing_locations(Bare().visit(node)))


# Every notebook, every lesson, every answer

@pytest.mark.parametrize('path', NOTEBOOKS, ids=notebook_name)
def test_answers_stand_in_lessons_and_are_never_exported(path):
    marks = [(cell, mark) for cell in code_cells(path) if (mark := marker(cell['source']))]
    assert not [cell['source'] for cell, mark in marks if exports(cell) or mark.kind == 'exercise' or path not in LESSONS]


@each_answer
def test_an_answer_leaves_a_stub(path, cell, mark):
    given = learner_cell(path, cell['id'])
    ours, theirs = function(cell['source'], mark.name), function(given['source'], mark.name)
    assert given['outputs'] == [] and given['execution_count'] is None
    assert marker(given['source']) == ('exercise', mark.name, '') and f'check({mark.name})' in given['source']
    assert ast.get_docstring(ours) and ast.get_docstring(theirs), 'a stub without a docstring does not say what to write'
    if mark.kind == 'answer': assert statements(theirs) == ['...'] and ast.dump(theirs.args) == ast.dump(ours.args)
    else: assert bare(theirs) != bare(ours), 'what is to be mended is the answer'


@each_answer
def test_a_stub_does_not_hold_the_answer(path, cell, mark):
    given = ast.unparse(ast.parse(learner_cell(path, cell['id'])['source']))
    done = ' '.join(statements(function(cell['source'], mark.name)))
    if mark.kind == 'answer': assert not [line for line in statements(function(cell['source'], mark.name)) if line in given]
    else: assert done not in ' '.join(statements(function(given, mark.name)))


@each_answer
def test_a_lesson_answers_as_its_definition_does(path, cell, mark):
    file = next(p for p in DEFINITIONS if p.stem == describe(path).name)
    ours, theirs = function(cell['source'], mark.name), function(file.read_text(encoding='utf-8'), mark.name)
    assert ast.get_docstring(ours) == ast.get_docstring(theirs), 'the reference has the docstring that the stub shows'
    assert bare(ours) == bare(theirs)


@each_lesson
def test_a_lesson_asks_for_what_is_defined(path):
    name, asked = describe(path).name, [task.name for task in exercises_of(path)]
    defined = importlib.import_module(f'dlcourse.workbook.definitions.{name}').EXERCISES
    assert sorted(asked) == sorted(exercise.name for exercise in defined)


@each_lesson
def test_no_other_cell_needs_what_a_learner_writes(path):
    "With a stub it gives None. A call of check, hint or solution is not a need."
    asked = {task.name: task.cell for task in exercises_of(path)}
    for cell in code_cells(path):
        free = [node.args[0] for node in ast.walk(parse(cell)) if isinstance(node, ast.Call) and ast.unparse(node.func) in ('check', 'hint', 'solution') and node.args]
        used = {node.id for node in ast.walk(parse(cell)) if isinstance(node, ast.Name) and node not in free}
        assert not {name for name in used & set(asked) if asked[name] != cell['id']}, cell['source']


@each_lesson
def test_nothing_but_exercises_and_questions_is_changed(path):
    before, after = json.loads(path.read_bytes()), json.loads(learner_version(describe(path)))
    assert {k: v for k, v in before.items() if k != 'cells'} == {k: v for k, v in after.items() if k != 'cells'}
    assert [cell['id'] for cell in before['cells']] == [cell['id'] for cell in after['cells']]
    for old, new in zip(before['cells'], after['cells'], strict=True):
        source = ''.join(old['source'])
        if old['cell_type'] == 'code' and (marker(source) or re.search(r'^(ask|quiz)\(', source, re.M)): assert new['outputs'] == []
        else: assert new == old
    assert learner_version(describe(path)) == learner_version(describe(path))


@each_lesson
def test_a_lesson_is_rewritten_as_jupyter_would_write_it(path):
    "So a copy differs from its lesson in the lines of its exercises only."
    for data in (path.read_bytes(), learner_version(describe(path))):
        assert (json.dumps(json.loads(data), indent=1, ensure_ascii=False) + '\n').encode() == data


@each_lesson
def test_a_copy_and_its_lesson_ask_for_the_same(path, tmp_path):
    (tmp_path/path.name).write_bytes(learner_version(describe(path)))
    assert exercises_of(tmp_path/path.name) == exercises_of(path)


def test_there_is_an_exercise_to_test(): assert len(ANSWERS) >= 15 and {mark.kind for _, _, mark in ANSWERS} == {'answer', 'mend'}


# Any function at all

SOURCES = [*MODULES, *DEFINITIONS, *(Path(module.__file__) for module in (textwrap, statistics, functools, argparse))]


@pytest.mark.parametrize('file', SOURCES, ids=lambda p: f'{p.parent.name}.{p.stem}')
def test_any_function_leaves_its_head_and_nothing_else(file):
    text = file.read_text(encoding='utf-8')
    for node in (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)):
        own = '\n'.join(text.split('\n')[min(part.lineno for part in (node, *node.decorator_list)) - 1:node.end_lineno])
        left = stub(own + '\n\nafterwards()', node.name)
        made = function(left, node.name)
        assert ast.dump(made.args) == ast.dump(node.args) and statements(made) == ['...'], left
        assert list(map(ast.dump, made.decorator_list)) == list(map(ast.dump, node.decorator_list)) and ast.unparse(made).split(':\n')[0] == ast.unparse(node).split(':\n')[0]
        assert ast.get_docstring(made) == ast.get_docstring(node) and left.endswith('    ...\n\nafterwards()')
        assert own.startswith(head(own)) and left.startswith(head(own))


@pytest.mark.parametrize('text', ['@f("def g(x): ")\ndef g(x): pass', 'def g(x=lambda a, b=":": {a: b}, *, y: "a:b" = ":") -> "x:y": pass',
                                  'def g(x, # one: first\n      y, # two\n     ): # three: last\n    pass', 'def g(\n    x,\n):\n    pass', 'def g ( ) :pass', '@lambda f: f\ndef g(x): pass'])
def test_a_head_ends_at_its_own_colon(text):
    assert ast.dump(function(stub(text, 'g'), 'g').args) == ast.dump(function(text, 'g').args) and 'pass' not in stub(text, 'g')
    assert text.count('# ') == stub(text, 'g').count('# ')


def test_what_is_to_be_mended_comes_with_its_own_decorators():
    given = to_mend('@torch.no_grad()\ndef good(x): return x', Marker('mend', 'good', 'bad'), ['y = 1\n@cache\ndef bad(x): return bad(0)\n\nbad(1)'])
    assert given == '@cache\ndef good(x): return good(0)'


def test_a_lesson_without_exercises_is_given_byte_for_byte(tmp_path):
    (path := tmp_path/'01_x.ipynb').write_text(json.dumps({'cells': [{'cell_type': 'markdown', 'source': '# \u00e9'}]}, indent=3))
    assert learner_version(describe(path)) == path.read_bytes()


@pytest.mark.parametrize('cell', ['#| export\n#| answer: f\ndef f(): 0', '#| exporti\n#| answer: f\ndef f(): 0', '#| answer: f\ndef f(): 0\n\n#| answer: g'])
def test_a_marker_in_the_wrong_place_is_refused(tmp_path, cell):
    (path := tmp_path/'01_x.ipynb').write_text(json.dumps({'cells': [{'cell_type': 'code', 'id': 'ab12', 'source': cell}]}))
    for ask in (exercises_of, lambda path: learner_version(describe(path))):
        with pytest.raises(ValueError, match='01_x.ipynb, cell ab12: #| '): ask(path)


def test_two_answers_of_one_name_are_refused_in_a_lesson_and_the_last_counts_in_a_copy(tmp_path):
    def twice(kind): return [{'cell_type': 'code', 'id': i, 'source': f'#| {kind}: f\ndef f(): 0', 'outputs': []} for i in 'ab']
    (path := tmp_path/'01_x.ipynb').write_text(json.dumps({'cells': twice('answer')}))
    with pytest.raises(ValueError, match='cell b: there is another exercise f'): learner_version(describe(path))
    path.write_text(json.dumps({'cells': twice('exercise')}))
    assert [task.cell for task in exercises_of(path)] == ['b']


def test_the_cells_of_a_notebook_keep_their_order():
    for path in LESSONS:
        ids = [cell['id'] for cell in cells(path)]
        order = [ids.index(task.cell) for task in exercises_of(path)]
        assert order == sorted(order)
