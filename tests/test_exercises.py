"""The checker is itself checked: for every exercise of the course, the stub, the answers that must pass, the answers that must not.

And the checks are checked: with any one kind of check switched off, some listed wrong answer gets through. So no kind is there for show.
"""
import inspect
import os
import re
import sys
import warnings

import pytest
import torch
from tree import LESSONS, code_cells

from dlcourse.workbook.contract import seeded, untouched
from dlcourse.workbook.exercise import exercises, findings, verdict
from dlcourse.workbook.judge import KINDS, judge

EXERCISES = {name: exercise for name, (_, exercise) in exercises().items()}
WRONG = [(name, i) for name, exercise in EXERCISES.items() for i in range(len(exercise.wrong))]
each_exercise = pytest.mark.parametrize('exercise', EXERCISES.values(), ids=EXERCISES)


def lesson_of(path): return path.stem.partition('_')[2]
def of_lesson(lesson): return [x for where, x in exercises().values() if where == lesson]


@pytest.mark.parametrize('lesson', [lesson_of(path) for path in LESSONS])
def test_each_lesson_has_five_and_a_bug_lab(lesson):
    assert len(of_lesson(lesson)) >= 5
    assert [x.name for x in of_lesson(lesson) if x.bug] != [], 'one is a silently wrong run to mend'


@pytest.mark.parametrize('path', LESSONS, ids=lesson_of)
def test_each_lesson_imports_what_its_verdicts_point_to(path):
    "A verdict ends in `hint(name)` or `solution(name)`: the reader must be able to run that."
    found = re.findall(r'^from dlcourse\.workbook\.exercise import (.+)$', '\n'.join(cell['source'] for cell in code_cells(path)), re.M)
    assert {name.strip() for line in found for name in line.split(',')} >= {'check', 'hint', 'solution'}


def test_names_differ_throughout_the_course():
    found = [x for lesson in map(lesson_of, LESSONS) for x in of_lesson(lesson)]
    assert len(found) == len(EXERCISES) == len({x.name for x in found})


@each_exercise
def test_is_whole(exercise):
    assert len(exercise.wrong) >= 3 and len(exercise.hints) >= 2 and exercise.task.rstrip(')').endswith(('.', '?', '!'))
    assert len({w.says for w in exercise.wrong}) == len(exercise.wrong), 'each wrong answer has a sentence of its own'
    assert all(w.kind in KINDS and w.says.endswith(('.', '?', '!', ')')) for w in exercise.wrong)
    assert exercise.reference.__name__ == exercise.name and exercise.reference.__doc__
    assert inspect.signature(exercise.alternative).parameters.keys() == inspect.signature(exercise.reference).parameters.keys()
    assert all(case.says for case in seeded(exercise, exercise.cases)), 'a failing call is shown under its words'


@each_exercise
def test_the_stub_is_not_started(exercise):
    space = {}
    exec(f'def {exercise.name}{inspect.signature(exercise.reference)}:\n    "Words."\n    ...', vars(inspect.getmodule(exercise.reference)) | space, space)
    stub = exercise.bug or space[exercise.name]
    assert untouched(stub, exercise) and verdict(stub, exercise.name).state == 'not started'


@each_exercise
@pytest.mark.parametrize('which', ['reference', 'alternative'])
def test_right_answers_pass(exercise, which):
    assert verdict(getattr(exercise, which), exercise.name).state == 'done'


@each_exercise
def test_a_lesson_solves_it_another_way_than_its_specification(exercise):
    codes = {f.__code__.co_code for f in (exercise.reference, exercise.alternative, exercise.spec)}
    assert len(codes) >= 2, 'the specification must not be the answer itself'


@pytest.mark.parametrize('name, i', WRONG, ids=[f'{name}-{i}' for name, i in WRONG])
def test_wrong_answers_are_refused_with_their_sentence(name, i):
    wrong, found = EXERCISES[name].wrong[i], verdict(EXERCISES[name].wrong[i].f, name)
    assert found.state == ('wrong shape' if wrong.kind == 'shape' else 'wrong value')
    assert (found.kind, found.says) == (wrong.kind, wrong.says)


@each_exercise
def test_a_bug_is_silently_wrong(exercise):
    if exercise.bug: assert judge(exercise.bug, exercise), 'the code handed out must not pass'


@pytest.mark.parametrize('kind', KINDS)
def test_every_kind_of_check_is_needed(kind):
    through = [(name, w.says) for name, x in EXERCISES.items() for w in x.wrong if w.kind == kind and judge(w.f, x, skip=[kind]) is None]
    assert through, f'without the check of {kind}, no listed wrong answer gets through: list one that only this check can see'


@each_exercise
def test_inputs_are_asymmetric(exercise):
    "Equal numbers and square shapes let a transposed answer pass."
    cases = [case for case in seeded(exercise, exercise.cases) for x in case.args if isinstance(x, torch.Tensor) and x.numel() > 1]
    tensors = [x for case in cases for x in case.args if isinstance(x, torch.Tensor) and x.numel() > 1]
    assert not tensors or any(len(x.unique()) > 1 for x in tensors)
    flat = [x for x in tensors if x.ndim == 2]
    assert not flat or any(x.shape[0] != x.shape[1] for x in flat)


@each_exercise
def test_checking_twice_says_the_same(exercise):
    before = torch.get_rng_state()
    found = [findings(exercise.wrong[0].f, exercise) for _ in range(2)]
    assert found[0] == found[1] and torch.equal(torch.get_rng_state(), before)


# ---- whatever the notebook has set, and whatever comes back ----

SETTINGS = {'no gradients': lambda: torch.set_grad_enabled(False), 'float64': lambda: torch.set_default_dtype(torch.float64),
            'elsewhere': lambda: torch.set_default_device('meta'), 'warnings are errors': lambda: warnings.simplefilter('error')}


@pytest.fixture
def as_before():
    "What PyTorch and warnings were set to comes back."
    with warnings.catch_warnings():
        yield
        torch.set_grad_enabled(True)
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)


@pytest.mark.parametrize('setting', SETTINGS)
@pytest.mark.parametrize('name', ['fair_accuracy', 'slope_at', 'stable_sigmoid'])
def test_right_answers_pass_whatever_the_notebook_has_set(name, setting, as_before):
    SETTINGS[setting]()
    assert verdict(EXERCISES[name].reference, name).state == 'done'


def holds_itself():
    nested = []
    nested.append(nested)
    return nested


def unprintable():
    class Odd:
        def __repr__(self): raise RuntimeError('no words')
    return Odd()


@pytest.mark.parametrize('make', [lambda: 1j, lambda: torch.ones(())*1j, lambda: torch.eye(2).to_sparse(), lambda: 10**5000, holds_itself, unprintable,
                                  lambda: torch.zeros(1).expand(10**10), lambda: (x for x in 'ab'), lambda: {'a': 1}, lambda: print('\ud800')])
def test_whatever_comes_back_gets_a_verdict(make):
    found = verdict(lambda t: make(), 'rank')
    assert found.state in ('wrong shape', 'wrong value') and str(found) and found._repr_html_()


@pytest.mark.skipif(sys.platform != 'linux', reason='only a forked child can be left to die')
@pytest.mark.parametrize('deed', [lambda: os._exit(3), lambda: os.kill(os.getpid(), 9), lambda: bytearray(2**45), sys.exit])
def test_the_kernel_outlives_the_answer(deed, as_before):
    torch.set_grad_enabled(False)
    here = os.getpid()
    assert verdict(lambda t: deed() and 2, 'rank').state == 'wrong value' and os.getpid() == here
