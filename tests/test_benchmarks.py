"The benchmarks' own arithmetic, order and files. Nothing here is timed: a busy machine must not turn a test red."
import ast
import json
import math
import os
import sys
from pathlib import Path

import pytest
from conftest import MIRROR
from tree import LESSONS, ROOT, code_cells

BENCHMARKS = ROOT/'benchmarks'
sys.path.insert(0, str(BENCHMARKS))

import bands  # noqa: E402
import harness  # noqa: E402
import run  # noqa: E402
import sources  # noqa: E402
from harness import BenchError, Contender, Fresh, Group, Sample, Worker  # noqa: E402

RESULTS = sorted((BENCHMARKS/'results').glob('*.json'))
SPEED = [p for p in RESULTS if not p.name.startswith('bands')]


def sample(wall, **kwargs): return Sample(wall=wall, cpu=wall, **kwargs)


class Turns:
    "A contender made of prepared samples; an error among them is raised. It writes its name on the log at each turn."
    def __init__(self, name, samples, log): self.name, self.samples, self.log = name, iter(samples), log
    def turn(self):
        self.log.append(self.name)
        got = next(self.samples)
        if isinstance(got, Exception): raise got
        return got


# ---- arithmetic ----

def test_summary_gives_median_and_quartiles():
    assert harness.summary([5, 1, 3, 2, 4]) == {'median': 3, 'q1': 2, 'q3': 4}
    assert harness.summary([7]) == {'median': 7, 'q1': 7, 'q3': 7}


def test_ratios_pair_the_samples_of_a_round():
    slow_second_round = [1, 10, 1], [2, 20, 2]
    assert harness.ratios(slow_second_round[1], slow_second_round[0])['median'] == 2
    assert harness.ratios([3, 30, 4], [1, 10, 1])['median'] == 3, 'the median of the rounds, not of all samples'
    with pytest.raises(BenchError, match='incomplete'): harness.ratios([1, 2], [1])


# ---- the race ----

def test_contenders_take_turns_and_the_warm_up_is_thrown_away():
    log = []
    runners = {n: Turns(n, [sample(99), sample(1), sample(2)], log) for n in 'ABC'}
    samples, errors = harness.race(runners, 2)
    assert log == list('ABCABCABC') and not errors
    assert [s.wall for s in samples['B']] == [1, 2]


def test_a_contender_that_fails_drops_out_with_its_error_and_the_rest_go_on():
    log = []
    runners = {'A': Turns('A', [sample(1)]*4, log), 'B': Turns('B', [sample(1), sample(1), BenchError('B: out of memory')], log)}
    samples, errors = harness.race(runners, 3)
    assert log == list('ABABABA') and errors == {'B': 'out of memory'}
    assert len(samples['A']) == 3 and 'B' not in samples


def test_contenders_that_did_different_work_are_not_compared():
    same = {'A': [sample(1, check=.5)], 'B': [sample(1, check=.50001)]}
    harness.same_work(same, 'A')
    with pytest.raises(BenchError, match='B came to 0.7, A to 0.5'): harness.same_work(same | {'B': [sample(1, check=.7)]}, 'A')
    with pytest.raises(BenchError, match='B came to None'): harness.same_work(same | {'B': [sample(1)]}, 'A')
    with pytest.raises(BenchError, match='nan'): harness.same_work(same | {'B': [sample(1, check=math.nan)]}, 'A')


# ---- processes ----

def worker(statement, **kwargs): return Worker(sys.executable, ['statement', statement, '{}'], 'mine', **kwargs)


def test_a_turn_measures_both_clocks_and_memory_and_keeps_what_is_printed_apart():
    with worker('print("noise"); sum(range(1000))') as w: got = [w.turn(), w.turn()]
    assert all(s.wall > 0 and s.cpu > 0 for s in got)
    if sys.platform == 'linux': assert got[0].peak_mb > 1


def test_every_fresh_turn_has_a_process_of_its_own():
    statement = 'import sys; assert not hasattr(sys, "seen"), "seen before"; sys.seen = True'
    with worker(statement) as warm:
        warm.turn()
        with pytest.raises(BenchError, match='seen before'): warm.turn()
    fresh = Fresh(lambda: worker(statement))
    fresh.turn(); fresh.turn()


@pytest.mark.parametrize('statement, words', [
    ('import no_such_library', "mine: ModuleNotFoundError: No module named 'no_such_library'"),
    ('import os; os._exit(3)', 'mine: ended with exit status 3: it wrote nothing'),
    ('import sys, os; print("out of luck", file=sys.stderr, flush=True); os._exit(4)', 'exit status 4: out of luck')])
def test_a_contender_that_fails_says_so_in_its_own_words(statement, words):
    with worker(statement) as w, pytest.raises(BenchError, match=words): w.turn()


def test_a_contender_that_hangs_is_ended():
    with worker('import time; time.sleep(60)', timeout=1) as w:
        with pytest.raises(BenchError, match='gave no answer within 1 s'): w.turn()
        assert w.process.wait(10) is not None


def test_contenders_run_on_one_thread_and_see_this_package():
    env = harness.one_thread_env(0)
    assert env['OMP_NUM_THREADS'] == env['MKL_NUM_THREADS'] == '1' and env['BENCH_CORE'] == '0' and env['PYTHONPATH'] == str(ROOT)
    with worker('import os, dlcourse; assert os.environ["OMP_NUM_THREADS"] == "1"') as w: w.turn()


def small_group(*contenders): return Group('sums', (Contender('base', 'sum(range(10**5))'), *contenders), baseline='base', fresh=True)


def run_small(group): return harness.run_group(group, 'none', harness.pythons(), rounds=1, clock='wall')


def test_a_group_reports_rows_and_who_is_missing():
    got = run_small(small_group(Contender('ours', 'no_such_name'), Contender('theirs', 'pass', env='peers')))
    assert [r['name'] for r in got['rows']] == ['base'] and got['rows'][0]['ratio']['median'] == 1
    assert [(x['name'], x['why']) for x in got['not_measured']] == [
        ('ours', "NameError: name 'no_such_name' is not defined"), ('theirs', 'no environment with the peers was given')]
    assert harness.missing({'groups': [got]}) == ['sums: "ours": NameError: name \'no_such_name\' is not defined']


def test_without_its_baseline_a_group_is_an_error():
    group = Group('sums', (Contender('base', 'no_such_name'), Contender('ours', 'pass')), baseline='base', fresh=True)
    with pytest.raises(BenchError, match='baseline "base" failed.*no_such_name'): run_small(group)


def test_a_folder_that_is_no_environment_is_refused(tmp_path):
    with pytest.raises(BenchError, match='neither bin/python'): harness.peer_python(tmp_path)


# ---- the command ----

def fake_result(**changes):
    row = {'name': 'base', 'env': 'ours', 'seconds': harness.summary([.5]), 'ratio': harness.summary([1.]), 'goal': 1.05,
           'other_clock_seconds': .5, 'peak_mb': 10.}
    group = {'name': 'import', 'baseline': 'base', 'rows': [row], 'not_measured': []} | changes
    return {'format': 1, 'lane': 'imports', 'what': 'Importing', 'clock': 'wall', 'rounds': 1, 'machine': harness.machine(),
            'groups': [group]}


def test_the_table_names_goals_and_labels_figures_measured_before():
    text = run.table(fake_result())
    assert 'goal 1.05x: met' in text and '1.000x' in text
    assert 'from fastai.vision.all import *' in text and '(measured before: fastai 2.8.12' in text


def test_a_result_with_a_gap_is_not_saved(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(run, 'RESULTS', tmp_path)
    gap = fake_result(not_measured=[{'name': 'ours', 'env': 'ours', 'why': 'ImportError: no'}])
    assert run.keep(gap, run.parser().parse_args([])) == 1
    assert 'not saved' in (err := capsys.readouterr().err) and 'ImportError: no' in err and not list(tmp_path.iterdir())
    assert run.keep(fake_result(), run.parser().parse_args(['--quick'])) == 0 and not list(tmp_path.iterdir())
    assert run.keep(fake_result(), run.parser().parse_args([])) == 0 and [p.name for p in tmp_path.iterdir()] == ['imports.json']


def test_an_unknown_lane_is_refused(capsys):
    assert run.main(['importz']) == 2
    assert 'no lane is called importz; there are imports, train_epoch' in capsys.readouterr().err


def test_a_device_that_does_not_work_is_refused(monkeypatch, capsys):
    monkeypatch.setattr('dlcourse.core.device.device_works', lambda device: False)
    assert run.main(['train_epoch', '--device', 'cuda']) == 1
    assert 'cuda does not work here' in capsys.readouterr().err


@pytest.mark.parametrize('name', run.LANES)
def test_each_lane_declares_what_the_runner_needs(name):
    lane = run.lane_module(name)
    assert lane.WHAT and lane.CLOCK in harness.CLOCKS and lane.ROUNDS > lane.QUICK_ROUNDS > 0
    for group in lane.groups('cpu'):
        names = [c.name for c in group.contenders]
        assert len(set(names)) == len(names) and group.baseline in names
        assert next(c for c in group.contenders if c.name == group.baseline).env == 'ours'
        assert group.fresh or all(hasattr(lane, c.entry) for c in group.contenders)


# ---- files ----

def test_results_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path/'results'/'lane.json'
    harness.write_json(path, {'a': 1})
    with pytest.raises(TypeError): harness.write_json(path, {'a': object()})
    with pytest.raises(ValueError): harness.write_json(path, {'a': math.nan})
    def no_space(*_): raise OSError(28, 'No space left on device')
    monkeypatch.setattr(os, 'replace', no_space)
    with pytest.raises(OSError): harness.write_json(path, {'a': 2})
    assert json.loads(path.read_text()) == {'a': 1} and [p.name for p in path.parent.iterdir()] == ['lane.json']


CODE = '''"Module text."
import os  # why

def f(x):
    """What f does,
    at length."""
    # a thought
    return '# not a comment' + x   # trailing

class C:
    "What C is."
    n = 1
'''


def test_words_do_not_change_the_hash_but_code_does(tmp_path):
    def hash_of(text):
        (tmp_path/'a.py').write_text(text, encoding='utf-8')
        return sources.source_hash(['a.py'], root=tmp_path)
    first = hash_of(CODE)
    reworded = CODE.replace('Module text', 'Other words').replace('# why', '').replace('at length', 'briefly')
    reworded = reworded.replace('    # a thought\n', '\n\n')
    assert hash_of(reworded) == first and hash_of(CODE.replace('\n', '\r\n')) == first
    assert hash_of(CODE.replace('n = 1', 'n = (1)')) == hash_of(CODE.replace('n = 1', 'n = (\n        1)')) != first
    assert hash_of(CODE.replace('n = 1', "n = f'{1}'")) != hash_of(CODE.replace('n = 1', "n = f'{2}'"))
    assert hash_of(CODE.replace('n = 1', 'n = 2')) != first and hash_of(CODE.replace('# not a', '# a')) != first


def test_a_source_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='gone.py names no source file'): sources.source_hash(['gone.py'], root=tmp_path)


def numbers(s): return {'median', 'q1', 'q3'} == set(s) and 0 < s['q1'] <= s['median'] <= s['q3'] < math.inf


@pytest.mark.parametrize('path', SPEED, ids=lambda p: p.name)
def test_a_results_file_has_all_that_its_readers_need(path):
    result = json.loads(path.read_text(encoding='utf-8'))
    assert {'format', 'lane', 'what', 'clock', 'date', 'machine', 'versions', 'sources', 'seeds', 'rounds', 'groups'} == set(result)
    assert result['format'] == harness.FORMAT and result['clock'] in harness.CLOCKS and len(result['sources']) == 64
    assert path == run.result_file(result['lane'], result['machine']['device'], path.parent)
    assert {'device', 'device_name', 'cpu', 'threads'} <= set(result['machine']) and result['machine']['threads'] == 1
    assert {'python', 'torch'} <= set(result['versions']['ours'])
    assert not harness.missing(result)
    for group in result['groups']:
        rows = {r['name']: r for r in group['rows']}
        assert rows[group['baseline']]['ratio']['median'] == 1
        assert all(numbers(r['ratio']) and numbers(r['seconds']) for r in rows.values())


def test_no_results_file_names_a_machine_or_its_folders():
    for path in [*RESULTS, BENCHMARKS/'peers.json']:
        text = path.read_text(encoding='utf-8')
        assert str(Path.home()) not in text and str(ROOT) not in text and '/tmp' not in text, path.name


# ---- the bands behind the lessons' figures ----

def saved_bands(): return {(r['what'], r['set']): r for r in bands.read()['rows']}


def test_a_band_holds_every_seed_and_is_never_too_narrow_or_useless():
    assert bands.band([.98, .9802, .9798], 2038) == (.98, bands.FLOOR)
    assert bands.band([.951124], 2038) == (.9511, bands.EXACT)
    assert bands.band([.9189], 73) == (.9189, .021), 'one picture and a half of 73'
    centre, half = bands.band([.97, .98], 2038)
    assert centre == .975 and half == .02
    assert bands.band([.5, 1.], 73) is None
    assert bands.band([.65, .68], 160) == (.665, .06) and bands.band([.65, .68], 10_000) is None, 'two standard errors of 160 pictures are 0.075'


def test_bands_have_all_that_their_readers_need():
    saved = bands.read()
    assert {'format', 'lane', 'date', 'machine', 'versions', 'sources', 'sets', 'rows'} == set(saved) and saved['lane'] == 'bands'
    wanted = [(row.what, kind) for task in bands.TASKS for kind in bands.KINDS for row in bands.ROWS if row.task == task]
    assert [(r['what'], r['set']) for r in saved['rows']] == wanted
    assert [(s['task'], s['set']) for s in saved['sets']] == [(task, kind) for task in bands.TASKS for kind in bands.KINDS]
    for row in saved['rows']:
        assert len(row['values']) == len(row['seeds']) and abs(row['mean'] - sum(row['values'])/len(row['values'])) < 1e-6
        assert row['set'] == 'standin' or row['band'], f'{row["what"]}: a figure on the real set needs a band'
        assert not row['band'] or all(abs(v - row['band'][0]) <= row['band'][1] for v in row['values'])


def test_published_figures_lie_in_the_bands_of_the_real_set():
    for (what, kind), row in saved_bands().items():
        if kind == 'real' and row['published']: assert any(abs(float(x) - row['band'][0]) <= row['band'][1] for x in row['published'].split(' to ')), what


def test_bands_are_as_old_as_their_sources():
    assert bands.outdated(bands.read(), {}) == []


def test_a_changed_source_or_set_is_noticed():
    saved = bands.read()
    assert 'make bands' in bands.outdated(saved | {'sources': 'other'}, {})[0]
    other = bands.Digits((), (), 'other pixels')
    assert 'pixels of the real set' in bands.outdated(saved, {('threes and sevens', 'real'): other})[0]


@pytest.fixture
def one_thread():
    "Small products are quicker on one thread, and several workers share the cores."
    import torch
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures('one_thread')
@pytest.mark.parametrize('kind', bands.KINDS)
def test_one_seed_of_each_row_lies_in_its_band(kind):
    if kind == 'real' and not MIRROR: pytest.skip('no real sets: DLCOURSE_MIRROR is not set')
    found = bands.sets(kind)
    assert bands.outdated(bands.read(), found) == [] and bands.one_seed(bands.read(), found) == []


def test_a_figure_outside_its_band_is_named(monkeypatch, capsys):
    row = bands.Row('coin', lambda digits, seed: .5, 2)
    monkeypatch.setattr(bands, 'ROWS', (row,))
    saved = {'rows': [{'what': 'coin', 'set': 'standin', 'band': [.6, .01], 'seconds': 1}]}
    assert bands.one_seed(saved, {(row.task, 'standin'): None}) == ['standin: coin: expected 0.6000 ± 0.0100, seed 0 gave 0.5000']
    slow = {'rows': [saved['rows'][0] | {'seconds': bands.QUICK + 1}]}
    assert bands.one_seed(slow, {(row.task, 'standin'): None}) == [] and 'left to `make bands`' in capsys.readouterr().out


def stated_bands():
    "Each band that a lesson states in numbers: (notebook, what, set, centre, half-width)."
    for path in LESSONS:
        for cell in code_cells(path):
            if 'assert_band(' not in cell['source']: continue
            for call in (n for n in ast.walk(ast.parse(without_magics(cell['source']))) if is_assert_band(n)):
                given = {k.arg: k.value for k in call.keywords}
                what = ast.literal_eval(given['what']) if 'what' in given else 'accuracy'
                for kind in given.keys() & set(bands.KINDS): yield path.name, what, kind, *ast.literal_eval(given[kind])


def without_magics(source): return '\n'.join(line for line in source.splitlines() if not line.lstrip().startswith(('%', '!')))


def is_assert_band(node): return isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'assert_band'


def test_a_lesson_states_the_bands_that_were_measured():
    saved, stated = saved_bands(), list(stated_bands())
    known = [s for s in stated if saved.get((s[1], s[2]), {}).get('band')]  # else a lesson's band is for its own seed alone
    for name, what, kind, centre, half in known:
        mean, (_, widest) = saved[what, kind]['mean'], saved[what, kind]['band']
        assert abs(centre - mean) <= half, f'{name}: {what} on {kind}: its band misses the measured mean {mean:.4f}'
        assert half <= 2*widest, f'{name}: {what} on {kind}: ± {half} is wide enough to hide a fault; measured ± {widest}'


# ---- the page made from them ----

def page():
    "All that the saved Numbers page shows, as one text."
    cells = json.loads((ROOT/'nbs'/'numbers.ipynb').read_text(encoding='utf-8'))['cells']
    shown = (data for cell in cells for out in cell.get('outputs', []) for data in out.get('data', {}).values() if isinstance(data, (str, list)))
    return '\n'.join(map(''.join, shown))


@pytest.mark.parametrize('path', RESULTS, ids=lambda p: p.name)
def test_the_numbers_page_shows_the_figures_that_are_saved(path):
    result, shown = json.loads(path.read_text(encoding='utf-8')), page()
    assert f'| {path.stem} | {result["date"]} |' in shown and result['sources'][:8] in shown, 'run nbs/numbers.ipynb again and save it'
    for row in result.get('rows', []): assert f'| {row["what"]} | {100*row["mean"]:.2f}%' in shown
    for row in (row for group in result.get('groups', []) for row in group['rows']):
        assert f'| {row["ratio"]["median"]:.2f} [' in shown, row['name']


def test_the_numbers_page_says_what_is_not_yet_measured():
    for name in ('bands', 'imports', 'train_epoch', 'optimizer', 'loader', 'learner', 'epoch', 'augment', 'pictures', 'picture_threads', 'learner.cuda'):
        if not (BENCHMARKS/'results'/f'{name}.json').exists(): assert f'| {name} | not yet measured |' in page()
