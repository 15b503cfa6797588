"The quizzes: what is written in the definitions, and what a person meets in a notebook's cell, in a terminal, in a pipe."
import os
import re
import subprocess
import sys
from collections import Counter

import pytest
from tree import LESSONS, ROOT, cells

from dlcourse.workbook import questions as room
from dlcourse.workbook.form import Form, form_html, form_text
from dlcourse.workbook.lessons import UnknownName
from dlcourse.workbook.markup import VIEW
from dlcourse.workbook.progress import standing
from dlcourse.workbook.questions import Sitting, find_question, question_files, questions, sit
from dlcourse.workbook.quiz import take_quiz

FILES = question_files()
EVERY = [q for lesson in FILES for q in questions(lesson, lab=True)]
each_lesson = pytest.mark.parametrize('lesson', FILES)
each_question = pytest.mark.parametrize('question', EVERY, ids=lambda q: q.id)


def notebook(lesson): return next(path for path in LESSONS if path.stem.partition('_')[2] == lesson)
def letters(q, right): return [letter for letter, answer in q.lettered.items() if answer.right == right]


@pytest.fixture(autouse=True)
def own_record(tmp_path, monkeypatch): monkeypatch.setenv('DLCOURSE_PROGRESS', str(tmp_path/'record.sqlite'))


# What is written

def test_every_file_belongs_to_a_lesson():
    assert FILES and set(FILES) <= {path.stem.partition('_')[2] for path in LESSONS}


def test_no_id_is_used_twice():
    assert [id for id, times in Counter(q.id for q in EVERY).items() if times > 1] == []


@each_lesson
def test_a_lesson_asks_at_least_eight(lesson):
    assert len(questions(lesson)) >= 8


@each_question
def test_its_cell_is_in_the_lesson_and_stands_under_a_heading(question):
    assert question.cell in {cell['id'] for cell in cells(notebook(question.lesson))}, f'{question.lesson} has no cell {question.cell}'
    assert room.section_of(question)


@each_question
def test_every_answer_has_its_own_reason(question):
    assert re.fullmatch(r'[a-z0-9]+(-[a-z0-9]+)*', question.id)
    assert 3 <= len(question.answers) <= 4 and [answer.right for answer in question.answers].count(True) == 1
    reasons = [answer.why for answer in question.answers]
    assert len(set(reasons)) == len(reasons) and all(len(why.split()) >= 4 for why in reasons)


@each_question
def test_text_is_a_line_with_code_and_no_other_mark(question):
    for text in [question.ask, *(part for answer in question.answers for part in answer[:2])]:
        assert '\n' not in text and text == text.strip() and text.count('`') % 2 == 0, text
        prose = re.sub(r'`[^`]+`', '', text)
        assert not re.search(r'\*\*|__|\]\(|</?\w+>|\$', prose), f'mark-up in: {text}'


def test_the_right_answer_may_be_any_letter():
    found = Counter(letters(q, True)[0] for q in EVERY)
    assert set('abc') <= set(found) and max(found.values()) <= .5*len(EVERY), found


def test_the_right_answer_is_not_told_by_its_length():
    longest = sum(max(q.answers, key=lambda answer: len(answer.text)).right for q in EVERY)
    assert longest <= .6*len(EVERY), f'in {longest} of {len(EVERY)} questions the right answer is the longest'


def asked_in(path):
    "The names that a notebook hands to quiz() and ask()."
    source = '\n'.join(cell['source'] for cell in cells(path) if cell['cell_type'] == 'code')
    return re.findall(r'^quiz\([\'"]([\w-]+)[\'"]', source, re.M), re.findall(r'^ask\([\'"]([\w-]+)[\'"]', source, re.M)


@each_lesson
def test_a_lesson_asks_what_was_written_for_it(lesson):
    quizzes, alone = asked_in(notebook(lesson))
    assert quizzes == [lesson], f'{lesson} ends with a cell quiz({lesson!r})'
    assert set(alone) == {q.id for q in questions(lesson, lab=True) if q.lab}


def test_a_lesson_saves_forms_and_no_buttons():
    for path in LESSONS:
        shown = [out.get('data', {}) for cell in cells(path) if re.match(r'(quiz|ask)\(', cell['source']) for out in cell['outputs']]
        assert all('text/html' in data and VIEW not in data for data in shown), f'{path.name}: save it from a run without a browser'


# What is shown

@each_lesson
def test_views_ask_the_same_and_only_the_fold_tells(lesson):
    asked = questions(lesson)
    html, text = form_html(asked), form_text(asked)
    assert re.findall(r'data-question="([^"]+)"', html) == [q.id for q in asked] and '<details open' not in html
    assert html.count('<details>') == html.count('<summary>') == sum(len(q.answers) for q in asked)
    for q in asked:
        assert q.ask in text and all(answer.text in text for answer in q.answers)
        assert not any(answer.why in text for answer in q.answers)
    looks = {re.sub(r'\w\. .*', '', summary) for summary in re.findall(r'<details>(<summary>.*?)</summary>', html)}
    assert looks == {'<summary>'}, 'a line to open must not say whether it is right'


def test_buttons_are_drawn_only_where_somebody_looks(monkeypatch):
    import IPython
    shell = type('Shell', (), {'kernel': object(), 'user_ns': {}})()
    form = Form(EVERY[:2])
    monkeypatch.delenv('JPY_SESSION_NAME', raising=False)
    assert VIEW not in form.views(), 'no kernel'
    monkeypatch.setattr(IPython, 'get_ipython', lambda: shell)
    assert VIEW not in form.views(), 'a kernel that nobody looks at'
    monkeypatch.setenv('JPY_SESSION_NAME', 'lesson.ipynb')
    assert set(form.views()) == {VIEW, 'text/html', 'text/plain'}
    monkeypatch.delenv('JPY_SESSION_NAME')
    shell.user_ns['__vsc_ipynb_file__'] = 'lesson.ipynb'
    assert VIEW in form.views()


def test_a_page_of_a_run_shows_the_form(tmp_path):
    "Even where a run inherits from a notebook's kernel that somebody looks."
    import nbformat

    from dlcourse.workbook.page import page
    from dlcourse.workbook.runs import Run
    new = nbformat.v4
    data = {VIEW: {'model_id': 'gone', 'version_major': 2, 'version_minor': 0}, 'text/html': form_html(EVERY[:1]), 'text/plain': 'x'}
    nb = new.new_notebook(cells=[new.new_code_cell('quiz("x")', outputs=[new.new_output('display_data', data=data)])])
    html = page(Run(nb), 'x')
    assert '<details><summary>a. ' in html and 'This one moves in JupyterLab' not in html


# In a terminal

def typist(*lines):
    waiting = list(lines)
    def read():
        if not waiting: raise EOFError
        line = waiting.pop(0)
        if isinstance(line, BaseException): raise line
        return line
    return read


def test_whatever_is_typed_only_letters_answer():
    said, q = [], questions('tensors')[0]
    sitting = take_quiz('tensors', typist('', '7', 'abc', 'z', ' ' + letters(q, True)[0].upper() + '. '), said.append)
    assert list(sitting.given) == [q.id] and sum(text.startswith('Type a, b') for text in said) == 4
    assert any(text.startswith('Right. ') for text in said)


@pytest.mark.parametrize('end', ['q', 'quit', KeyboardInterrupt(), EOFError()], ids=repr)
def test_stopping_keeps_what_was_answered(end):
    first, second = questions('tensors')[:2]
    said, lines = [], typist(letters(first, True)[0], letters(second, False)[0], end)
    if isinstance(end, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt, match='kept'): take_quiz('tensors', lines, said.append)
    else: take_quiz('tensors', lines, said.append)
    assert f'1 not right yet, {len(questions("tensors")) - 2} left. To go on: dlcourse quiz tensors' in said[-1]
    assert (standing()['tensors', first.id].best, standing()['tensors', second.id].best) == ('right', 'wrong')
    assert sit('tensors').questions == questions('tensors')[1:], 'a second run asks what is not yet right'
    assert sit('tensors', again=True).questions == questions('tensors')


def test_at_the_end_stands_what_to_read_again():
    asked, said = questions('tensors'), []
    take_quiz('tensors', typist(*(letters(q, i != 1)[0] for i, q in enumerate(asked))), said.append)
    ending = '\n'.join(said[-3:])
    assert f'{len(asked)} of {len(asked)} answered, {len(asked) - 1} right at the first try' in ending
    assert room.section_of(asked[1]).replace('`', '') in ending and '1 not right yet. To go on: ' in ending and ' left' not in ending


def test_right_stays_right():
    q = questions('tensors')[0]
    sitting = Sitting([q])
    for letter in [letters(q, True)[0], letters(q, False)[0]]: sitting.give(q, letter)
    assert standing()['tensors', q.id].last == 'right' and standing()['tensors', q.id].tries == 1


def test_a_record_that_cannot_be_written_stops_no_quiz(tmp_path, monkeypatch):
    (tmp_path/'bad').write_text('this is no database, and longer than a header would be: ' * 20)
    monkeypatch.setenv('DLCOURSE_PROGRESS', str(tmp_path/'bad'))
    sitting = take_quiz('tensors', typist('a', 'a'), lambda text: None)
    assert len(sitting.given) == 2


def test_unknown_names_get_a_suggestion():
    with pytest.raises(UnknownName, match='Did you mean tensors'): questions('tensor')
    with pytest.raises(UnknownName, match=f'Did you mean {EVERY[0].id}'): find_question(EVERY[0].id[:-1])


def test_a_file_being_written_is_read_again(tmp_path, monkeypatch):
    text = '[[question]]\nid = "x"\ncell = "y"\nask = "{}?"\nright = ["1", "one"]\nwrong = [["2", "two"]]\n'
    file = tmp_path/'toy.toml'
    monkeypatch.setattr(room, 'question_files', lambda: {'toy': file})
    for i, word in enumerate(['Old', 'New']):
        file.write_text(text.format(word))
        os.utime(file, (i, i))
        assert questions('toy')[0].ask == f'{word}?'


@pytest.mark.alone
def test_asking_loads_nothing_heavy():
    code = ('import sys, dlcourse.workbook.quiz as room; room.take_quiz("tensors", lambda: "q", lambda text: None); '
            'print([m for m in ("torch", "numpy", "IPython", "ipywidgets", "matplotlib", "nbformat") if m in sys.modules])')
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'
