"""The site, built once and walked through in a real browser: every page, every link, light and dark, wide and on a phone.

Nothing here is ever skipped. Without Chromium these tests fail and say how to get it.
"""
import functools
import hashlib
import http.server
import os
import re
import shutil
import threading
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from browser import chromium
from tree import ROOT

from dlcourse.workbook.docs import build_site, readme
from dlcourse.workbook.form import form_html
from dlcourse.workbook.lessons import describe
from dlcourse.workbook.markup import VIEW
from dlcourse.workbook.practice import learner_version
from dlcourse.workbook.questions import Answer, Question, find_question, question_files, questions
from dlcourse.workbook.weave import address, read_site, unlisted

SITE = read_site(ROOT)
PAGES = [address(path) for path in SITE.pages]
LESSONS = [path for path in SITE.pages if re.match('[0-8]_', path)]
SHOTS = ROOT/'.cache'/'site-screenshots'
VIEWS = {'wide': {'width': 1440, 'height': 1000}, 'phone': {'width': 390, 'height': 844}}


# The site and its pages as files

def sources_hash():
    "A name for the state of all that the site is made of."
    found = [ROOT/'_quarto.yml', ROOT/'pyproject.toml', *(ROOT/'nbs').rglob('*.ipynb'), *(ROOT/'dlcourse').rglob('*.py'),
             *(p for p in (ROOT/'dlcourse/workbook/static').rglob('*') if p.is_file())]
    total = hashlib.sha256()
    for path in sorted(found): total.update(path.as_posix().encode() + path.read_bytes())
    return total.hexdigest()[:12]


@pytest.fixture(scope='session')
def site():
    "The folder of the site, built unless this very state was built before."
    out = ROOT/'.cache'/f'site-{sources_hash()}'
    if not (out/'llms.txt').exists():
        for old in out.parent.glob('site-????????????'):
            if time.time() - old.stat().st_mtime > 3600: shutil.rmtree(old, ignore_errors=True)  # not from under another run
        build_site(out, by='sphinx')
    return out


class Page(HTMLParser):
    "What a test asks of a page's HTML: ids, links, the text of its title."
    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.images, self.title, self.within = [], [], [], '', ''
        self.html = path.read_text(encoding='utf-8')
        self.feed(self.html)

    def handle_starttag(self, tag, attrs):
        attrs, self.within = dict(attrs), tag
        if attrs.get('id'): self.ids.append(attrs['id'])
        if tag == 'img': self.images.append(attrs)
        if found := attrs.get('href') or attrs.get('src'): self.links.append((tag, found, attrs.get('rel', ''), attrs.get('class') or ''))

    def handle_data(self, data):
        if self.within == 'title': self.title += data

    def handle_endtag(self, tag): self.within = ''


@functools.cache
def parsed(path): return Page(path)


def test_every_notebook_is_in_the_sidebar():
    new, gone = unlisted(SITE)
    assert not new, f'add to website/sidebar/contents of _quarto.yml: {new}'
    assert not gone, f'_quarto.yml lists what is not there: {gone}'


def test_readme_is_made_from_the_home_page():
    assert (ROOT/'README.md').read_text(encoding='utf-8') == readme(SITE), 'README.md is not what nbs/index.ipynb makes: type make readme'


def test_every_page_has_a_title_of_its_own(site):
    titles = {page: parsed(site/page).title.strip() for page in PAGES}
    assert all(titles.values()) and len(set(titles.values())) == len(PAGES), titles


@pytest.mark.parametrize('page', PAGES)
def test_ids_are_unique_and_figures_have_words(site, page):
    found = parsed(site/page)
    twice = {name for name in found.ids if found.ids.count(name) > 1}
    assert not twice, f'two elements have the same id: {twice}'
    mute = [image.get('src') for image in found.images if (image.get('alt') or 'Figure') == 'Figure']
    assert not mute, f'{len(mute)} figures without words: begin their cells with "#| fig-alt: what is to be seen"'


@pytest.mark.parametrize('page', [*PAGES, 'search.html'])
def test_every_link_and_anchor_leads_somewhere(site, page):
    for tag, link, rel, _ in parsed(site/page).links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc or link.startswith('data:'):
            assert tag == 'a' or rel in ('canonical', 'me'), f'<{tag}> asks another machine for {link}'
            continue
        target = ((site/page).parent/unquote(parts.path)).resolve() if parts.path else site/page
        if target.is_dir(): target = target/'index.html'
        assert target.is_file() and target.is_relative_to(site), f'{link} leads nowhere'
        if parts.fragment and target.suffix == '.html':
            assert unquote(parts.fragment) in parsed(target).ids, f'{link}: no such anchor on that page'


@pytest.mark.parametrize('path', LESSONS)
def test_lessons_can_be_opened_in_colab_and_downloaded(site, path):
    links = [link for _, link, _, _ in parsed(site/address(path)).links]
    assert f'https://colab.research.google.com/github/dlcourse/dlcourse/blob/main/nbs/{path}' in links
    saved = [link for link in links if link.endswith(f'notebooks/{path}')]
    assert saved and ((site/address(path)).parent/saved[0]).resolve().read_bytes() == learner_version(describe(ROOT/'nbs'/path)), 'a download is a copy to work in'


def test_entries_lead_to_their_source(site):
    count = 0
    for page in PAGES:
        for name, line in re.findall(r'<h3>([\w.]+)<a.+?</h3>\s*<p class="entry">.*?<a href="[^"]+/blob/main/([^"]+)">', parsed(site/page).html, re.S):
            file, number = line.split('#L')
            cell = '\n'.join((ROOT/file).read_text(encoding='utf-8').splitlines()[int(number) - 1:]).partition('# %%')[0]
            assert re.search(rf'(def|class) {name.split(".")[-1]}\b', cell), f'{page}: {name} is not at {line}'
            count += 1
    assert count > 20


def test_previous_and_next_go_through_all_pages(site):
    def follow(page, way):
        link = next((link for tag, link, _, kind in parsed(site/page).links if kind == way), None)
        return os.path.relpath((site/page).parent/link, site).replace(os.sep, '/') if link else None
    for way, order in [('right-next', PAGES), ('left-prev', PAGES[::-1])]:
        walked = [order[0]]
        while onward := follow(walked[-1], way): walked.append(onward)
        assert walked == order


def test_llms_txt_lists_every_page(site):
    text = (site/'llms.txt').read_text(encoding='utf-8')
    links = re.findall(rf'\({re.escape(SITE.website["site-url"])}(.+?)\)', text)
    assert links == [f'{page}.md' for page in PAGES]
    assert all((site/link).read_text(encoding='utf-8').startswith('# ') for link in links)


def test_text_companions_keep_the_answers_to_themselves(site):
    reasons = [answer.why for lesson in question_files() for q in questions(lesson, lab=True) for answer in q.answers]
    for path in [site/'llms.txt', *(site/f'{page}.md' for page in PAGES)]:
        text = path.read_text(encoding='utf-8')
        assert [why for why in reasons if why in text] == [], f'{path.name} tells why'


# The site in a browser

@pytest.fixture(scope='session')
def browser():
    "Chromium, driven by Playwright."
    with chromium() as browser:
        yield browser
        window.cache_clear()


def serve(folder):
    "Serve `folder` on this machine; the address, and a function that stops it."
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args): pass
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f'http://127.0.0.1:{server.server_port}/', server.shutdown


@pytest.fixture(scope='session')
def base(site):
    url, stop = serve(site)
    yield url
    stop()


@functools.cache
def window(browser, view, scheme):
    "A browser window of that size; one for all tests, so that a script is fetched once."
    return browser.new_context(viewport=VIEWS[view], color_scheme=scheme, permissions=['clipboard-read', 'clipboard-write'])


class Watched:
    "A browser page that notes what must not happen: errors, missing files, requests to other machines."
    def __init__(self, browser, base, view='wide', scheme='light'):
        self.base, self.trouble = base, []
        self.page = window(browser, view, scheme).new_page()
        self.page.on('console', lambda m: m.type == 'error' and self.trouble.append(f'console: {m.text}'))
        self.page.on('pageerror', lambda e: self.trouble.append(f'error: {e}'))
        self.page.on('response', lambda r: r.status >= 400 and self.trouble.append(f'{r.status}: {r.url}'))
        self.page.on('request', lambda r: r.url.startswith((base, 'data:', 'blob:')) or self.trouble.append(f'left the machine: {r.url}'))

    def open(self, where):
        self.page.goto(self.base + where)
        self.page.wait_for_load_state('networkidle')
        return self.page

    def __enter__(self): return self

    def __exit__(self, error, *_):
        self.page.close()
        if not error: assert not self.trouble, self.trouble


LOOK = '''() => {
  const rgb = s => (s.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v/255).map(v => v <= .04045 ? v/12.92 : ((v + .055)/1.055)**2.4)
                                .reduce((sum, v, i) => sum + v*[.2126, .7152, .0722][i], 0);
  const back = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length == 3) return c; } return [255, 255, 255]; };
  const contrast = e => { const [a, b] = [light(rgb(getComputedStyle(e).color)), light(back(e))].sort((x, y) => y - x); return (a + .05)/(b + .05); };
  const worst = q => Math.min(21, ...[...document.querySelectorAll(q)].filter(e => e.offsetParent && e.textContent.trim()).slice(0, 400).map(contrast));
  const boxed = [...document.querySelectorAll('article div.cell_output img')].filter(e => rgb(getComputedStyle(e).backgroundColor)[3] !== 0);
  return { ground: light(back(document.querySelector('article'))), prose: worst('article p, article li, article h1, article h2, article td:not([id^="T_"])'),
           coloured: worst('article td[id^="T_"]'),
           code: worst('article div.highlight pre span'), links: worst('article a, nav a'), boxed: boxed.length,
           wide: document.documentElement.scrollWidth - innerWidth, h1: document.querySelectorAll('article h1').length };
}'''


@pytest.mark.parametrize('view,scheme', [('wide', 'light'), ('phone', 'dark')], ids=lambda v: v)
@pytest.mark.parametrize('page', PAGES)
def test_page_opens(browser, base, page, view, scheme):
    with Watched(browser, base, view, scheme) as watched:
        look = watched.open(page).evaluate(LOOK)
        SHOTS.mkdir(parents=True, exist_ok=True)
        watched.page.screenshot(path=SHOTS/f'{view}-{scheme}-{page.replace("/", "_").removesuffix(".html")}.png')
    assert look['wide'] <= 0, f'the page scrolls sideways by {look["wide"]} pixels'
    assert look['h1'] == 1 and look['boxed'] == 0, look
    assert look['ground'] < .05 if scheme == 'dark' else look['ground'] > .8, look
    assert look['prose'] >= 7 and look['code'] >= 4.5 and look['links'] >= 4.5, look
    assert look['coloured'] >= 4, 'cells of a table that pandas has coloured'


@pytest.mark.parametrize('view,scheme', [('wide', 'dark'), ('phone', 'light')], ids=lambda v: v)
def test_other_views_of_the_home_page(browser, base, view, scheme):
    test_page_opens(browser, base, 'index.html', view, scheme)


@pytest.mark.parametrize('word', ['sigmoid', 'softmax'])
def test_search_finds(browser, base, word):
    with Watched(browser, base) as watched:
        page = watched.open(f'search.html?q={word}')
        page.wait_for_selector('#search-results ul.search li a', timeout=10_000)
        found = page.eval_on_selector_all('#search-results ul.search li a', 'links => links.map(a => a.href)')
    assert any(address(path) in link for link in found for path in SITE.pages), found


def test_search_box_opens_from_any_page(browser, base):
    with Watched(browser, base) as watched:
        page = watched.open(PAGES[-1])
        page.keyboard.press('Control+k')
        page.keyboard.type('device')
        page.keyboard.press('Enter')
        page.wait_for_selector('#search-results ul.search li a')


def test_theme_can_be_switched(browser, base):
    with Watched(browser, base) as watched:
        page = watched.open(PAGES[-1])
        for scheme in ['dark', 'light']:
            page.locator('button.theme-switch-button:visible').first.click()
            page.locator(f'button.theme-change-button[data-mode={scheme}]:visible').click()
            assert page.evaluate('document.documentElement.dataset.theme') == scheme


def test_sidebar_slides_in_on_a_phone(browser, base):
    with Watched(browser, base, 'phone') as watched:
        page = watched.open(PAGES[-1])
        link = page.locator(f'.bd-sidebar-primary a[href$="{Path(PAGES[1]).name}"], dialog a[href$="{Path(PAGES[1]).name}"]').first
        assert not link.is_visible()
        page.locator('button.primary-toggle:visible').first.click()
        link.wait_for(state='visible', timeout=5_000)
        link.click()
        page.wait_for_url(f'**/{PAGES[1]}')


def test_contents_of_a_page_are_beside_it(browser, base):
    with Watched(browser, base) as watched:
        page = watched.open(PAGES[-1])
        links = page.eval_on_selector_all('.bd-sidebar-secondary nav a', 'links => links.map(a => a.hash.slice(1))')
        headings = page.eval_on_selector_all('article section section', 'parts => parts.map(s => s.id)')
    assert links and set(links) <= set(headings) and len(links) >= page_headings(PAGES[-1])


def page_headings(page):
    "How many second-level headings the notebook of `page` has."
    path = next(p for p in SITE.pages if address(p) == page)
    return sum(len(re.findall(r'^## ', cell.source, re.M)) for cell in nbformat.read(ROOT/'nbs'/path, 4).cells if cell.cell_type == 'markdown')


def test_code_can_be_copied(browser, base):
    with Watched(browser, base) as watched:
        page = watched.open('index.html')
        page.locator('div.highlight', has_text='make course').first.hover()
        page.locator('div.highlight:has-text("make course") button.copybtn').first.click()
        assert page.evaluate('navigator.clipboard.readText()').splitlines()[0] == 'make course'


# What the real pages may not have yet: a small project with a formula, a folded hint, a figure and live widgets

LIVE = '''#| exec_doc
import anywidget, traitlets
class Count(anywidget.AnyWidget):
    _esm = """export default { render({ model, el }) {
      const button = document.createElement("button"); button.id = "count-button";
      const show = () => button.textContent = "clicked " + model.get("n");
      button.onclick = () => { model.set("n", model.get("n") + 1); model.save_changes(); };
      model.on("change:n", show); show(); el.append(button); } }"""
    n = traitlets.Int(0).tag(sync=True)
Count(n=3)'''


ASKED = [Question(f'small-{i}', 'small', 'gone', f'Is {i} odd, `{i} % 2`?', tuple(Answer(text, f'because {i}', (text == 'yes') == bool(i % 2))
                  for text in ('yes', 'no', 'perhaps' * 9)), False) for i in (1, 2)]
FORM = nbformat.v4.new_output('display_data', data={VIEW: {'model_id': 'gone', 'version_major': 2, 'version_minor': 0},
                                                    'text/html': form_html(ASKED), 'text/plain': 'questions'})


HALF = '#| answer: half\ndef half(x):\n    "Half of it."\n    return x/2\n\ncheck(half)'
INTENDED = '\u250c\u2500 this error is intended \u2500\u2500\n' + '\u2502 ValueError: ' + 'and so on ' * 8 + 'until\n\u2502 it ends\n\u2502 here\n\u2514\u2500\u2500\n'


@pytest.fixture(scope='module')
def small(tmp_path_factory):
    "A project of two pages, built as the real one is."
    root, new = tmp_path_factory.mktemp('small'), nbformat.v4
    lesson = [new.new_markdown_cell('# Small\n\n> A page.'), new.new_code_cell('#| default_exp small'),
              new.new_markdown_cell('**You will build** a page  \n**Time** no time'),
              new.new_markdown_cell('Inline $x^2$.\n\n$$\\sum_i \\frac{x_i}{n}$$\n\n<details><summary>Hint</summary>\n\nHidden *words*.\n\n</details>'),
              new.new_code_cell("quiz('small')", outputs=[FORM]),
              new.new_markdown_cell('## Your turn: `half`'), new.new_code_cell(HALF, outputs=[new.new_output('stream', text='done, as its author ran it')]),
              new.new_code_cell('long = "' + 'word ' * 40 + '"', outputs=[new.new_output('stream', text=INTENDED)]), new.new_code_cell(LIVE), new.new_code_cell('#| exec_doc\nimport ipywidgets\nipywidgets.IntSlider(7, description="slide")')]
    for name, cells in {'index': [new.new_markdown_cell('# Home\n\n> Sweet.')], '1_one/01_small': lesson}.items():
        path = root/'nbs'/f'{name}.ipynb'
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(new.new_notebook(cells=cells, metadata={'kernelspec': {'name': 'python3', 'language': 'python', 'display_name': 'x'}}), path)
    (root/'_quarto.yml').write_text((ROOT/'_quarto.yml').read_text().partition('    contents:')[0] + '    contents:\n      - index.ipynb\n'
                                    '      - section: One\n        contents: [1_one/01_small.ipynb]\n')
    (root/'pyproject.toml').write_text((ROOT/'pyproject.toml').read_text())
    (root/'dlcourse').mkdir()
    here = os.getcwd()
    os.chdir(root)
    try: out = build_site(by='sphinx')
    finally: os.chdir(here)
    url, stop = serve(out)
    yield url
    stop()


def test_formulas_are_drawn_and_hints_unfold(browser, small):
    with Watched(browser, small) as watched:
        page = watched.open('1_one/small.html')
        assert page.locator('mjx-container').count() == 2 and page.locator('mjx-container').last.bounding_box()['height'] > 20
        assert not page.get_by_text('Hidden words').is_visible()
        page.get_by_text('Hint').click()
        assert page.get_by_text('Hidden words').is_visible()
        assert page.locator('div.facts li').count() == 2


def test_an_answer_is_folded_and_its_marker_and_verdict_are_nowhere(browser, small):
    with Watched(browser, small) as watched:
        page = watched.open('1_one/small.html')
        assert not page.get_by_text('return x/2').is_visible()
        assert 'answer:' not in page.content() and 'as its author ran it' not in page.content()
        page.get_by_text('One answer').locator('visible=true').click()
        assert page.locator('pre', has_text='return x/2').is_visible()
        text = page.request.get(f'{small}1_one/small.html.md').text()
        assert 'x/2' not in text and '"Half of it."\n    ...\n\ncheck(half)' in text


@pytest.mark.parametrize('view', VIEWS)
def test_code_and_an_intended_error_fit_any_screen(browser, small, view):
    with Watched(browser, small, view) as watched:
        page = watched.open('1_one/small.html')
        box = page.locator('div.intended pre')
        assert box.inner_text().endswith('until it ends\nhere') and '\u2502' not in page.content()
        assert box.evaluate('e => e.scrollWidth - e.clientWidth') <= 0
        code = page.locator('div.cell_input pre', has_text='word word')
        assert (code.evaluate('e => e.scrollWidth - e.clientWidth') <= 0) == (view == 'phone')


def test_widgets_are_alive_without_a_kernel(browser, small):
    with Watched(browser, small) as watched:
        page = watched.open('1_one/small.html')
        button = page.locator('#count-button')
        button.wait_for(timeout=15_000)
        button.click()
        assert button.text_content() == 'clicked 4'
        assert page.locator('.widget-readout').text_content() == '7'


# A quiz on a page

@pytest.fixture
def asked(browser, small):
    "The small project's page with nothing answered yet."
    with Watched(browser, small) as watched:
        watched.open('1_one/small.html').evaluate('localStorage.clear()')
        yield watched.open('1_one/small.html')


def line(page, question, answer): return page.locator('.dl-question').nth(question).locator('details').nth(answer)
def press(page, question, answer, key='Enter'):
    line(page, question, answer).locator('summary').focus()
    page.keyboard.press(key)
def tried(page): return page.locator('.dl-quiz details').evaluate_all('all => all.map(answer => answer.dataset.tried || "").join()')
def ticks(page): return page.locator('.bd-sidebar-primary .dl-tick').count()


def test_quiz_is_taken_by_keyboard_and_kept(asked):
    press(asked, 0, 1)
    press(asked, 0, 0, 'Space')
    assert line(asked, 0, 1).get_by_text('Not this one.').is_visible() and line(asked, 0, 0).get_by_text('Right.').is_visible()
    assert asked.get_by_role('status').text_content() == '1 of 2 answered, 0 right at the first try.'
    asked.reload()
    assert tried(asked) == 'right,wrong,,,,' and line(asked, 0, 0).get_by_text('because 1').is_visible() and ticks(asked) == 0
    press(asked, 1, 1)
    assert asked.get_by_role('status').text_content() == '2 of 2 answered, 1 right at the first try. All are found: this quiz is finished.'
    assert ticks(asked) == 1
    asked.goto(asked.url.replace('1_one/small', 'index'))
    assert ticks(asked) == 1, 'a finished quiz is ticked on every page'


def test_quiz_is_cleared_by_keyboard(asked):
    button = asked.get_by_role('button', name='Clear my answers')
    assert not button.is_visible(), 'there is nothing to clear yet'
    press(asked, 0, 0)
    press(asked, 1, 1)
    button.focus()
    asked.keyboard.press('Enter')
    for _ in range(2):
        assert tried(asked) == ',,,,,' and asked.locator('.dl-quiz details[open]').count() == 0 and ticks(asked) == 0
        asked.reload()


@pytest.mark.parametrize('left', ['[1, {', '[]', 'null', '"x"', '{"small": 5}', '{"small": {"given": [2]}}', '{"small": {"given": {"small-1": "zq"}}}'])
def test_quiz_survives_what_it_finds_in_the_browser(asked, left):
    asked.evaluate('left => localStorage.setItem("dlcourse.quiz", left)', left)
    asked.reload()
    press(asked, 1, 1)
    assert tried(asked) == ',,,,right,'


def test_two_tabs_lose_no_answer(asked):
    other = asked.context.new_page()
    other.goto(asked.url)
    press(asked, 0, 0)
    press(other, 1, 0)
    for page in (asked, other): page.wait_for_function('document.querySelectorAll(".dl-quiz details[data-tried]").length == 2')
    other.close()


def test_quiz_unfolds_without_a_script(browser, small):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(small + '1_one/small.html')
    assert not page.get_by_text('because 2').first.is_visible()
    press(page, 1, 0)
    assert page.get_by_text('because 2').first.is_visible()
    context.close()


def test_an_answer_on_another_page_leads_to_its_cell(browser, base):
    "The workshop's page on forms shows a question about another page."
    with Watched(browser, base) as watched:
        page = watched.open('9_workshop/form.html')
        question = find_question(page.locator('.dl-question').get_attribute('data-question'))
        press(page, 0, 0)
        page.locator('.dl-quiz details[open] a').click()
        page.wait_for_url(f'**/{question.lesson}.html#cell-id={question.cell}')
        cell = page.locator(f'[id="cell-id={question.cell}"] + *')
        assert 0 < cell.bounding_box()['y'] < 500


@pytest.mark.parametrize('view', VIEWS)
@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_quiz_is_legible(browser, small, view, scheme):
    with Watched(browser, small, view, scheme) as watched:
        page = watched.open('1_one/small.html')
        page.evaluate('document.querySelectorAll(".dl-quiz details").forEach(answer => answer.open = true)')
        look = page.evaluate(LOOK.replace('article p, article li, article h1, article h2, article td', '.dl-quiz p, .dl-quiz summary').replace(
            'article div.highlight pre span', '.dl-quiz strong, .dl-quiz code'))
        heights = page.locator('.dl-quiz summary').evaluate_all('all => all.map(line => line.getBoundingClientRect().height)')
        page.locator('.dl-quiz').screenshot(path=SHOTS/f'quiz-{view}-{scheme}.png')
    assert look['prose'] >= 7 and look['code'] >= 4.5 and look['wide'] <= 0, look
    assert min(heights) >= 40, 'a finger needs room'
