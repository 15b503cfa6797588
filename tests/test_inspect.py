"The data inspector: planted faults are found and nothing else, whatever the seed, the order, the format and where the set comes from."
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image, ImageOps

from dlcourse.core.shapes import SHAPES, SIZES, draw_shapes, shapes_folder
from dlcourse.data.block import DataBlock
from dlcourse.data.getters import RegexLabeller, parent_label, using_attr
from dlcourse.data.parts import CategoryBlock, RegressionBlock, TransformBlock
from dlcourse.data.splits import GroupSplitter, IndexSplitter
from dlcourse.vision import inspect as room
from dlcourse.vision.blocks import BBoxBlock, BBoxLblBlock, ImageBlock, ImageDataLoaders
from dlcourse.vision.facts import Facts, Listing, as_listing, facts_of, read_facts
from dlcourse.vision.images import get_image_files, verify_images
from dlcourse.vision.inspect import dhash, inspect_data, likeness, near_slices, report_on, twin_groups, twin_pairs
from dlcourse.vision.transforms import Resize

NAMES = list(SHAPES)


def drawn(seed, difficulty=0.): return draw_shapes([NAMES[seed % len(NAMES)]], SIZES[seed//len(NAMES) % 4], seed=seed, difficulty=difficulty).image


def again(im, how, seed):
    "The picture as somebody else might have saved it."
    rng, (w, h) = np.random.RandomState(seed), im.size
    if how == 'smaller': return im.resize((w//2, h//2))
    if how == 'larger': return im.resize((w*2, h*2))
    if how == 'cropped': return im.crop((w//50, h//50, w - w//50, h - h//50))
    if how == 'noisy': return Image.fromarray((np.asarray(im) + rng.normal(0, 5, (h, w, 3))).clip(0, 255).astype(np.uint8))
    return im  # 'lossy': saved with less quality


def grid(im): return np.asarray(im.convert('L').resize((9, 9), Image.Resampling.BILINEAR))


# ---- how many twins are found, and how many strangers are taken for twins ----

@pytest.mark.parametrize('difficulty', [0., .3])
def test_strangers_are_not_twins(difficulty):
    "At most one in 25,000 pairs of different drawings, of which the easy ones are much alike."
    found = pairs = 0
    for start in (0, 1_000):
        grids = np.stack([grid(drawn(seed, difficulty)) for seed in range(start, start + 320)])
        found, pairs = found + len(twin_pairs(grids)), pairs + 320*319//2
    assert found <= pairs/25_000, f'{found} of {pairs}'


@pytest.mark.parametrize(('how', 'share'), [('lossy', .98), ('smaller', .98), ('larger', .98), ('noisy', .95), ('cropped', .9)])
def test_twins_are_found(how, share, tmp_path):
    for seed in range(100):
        drawn(seed).save(tmp_path/f'{seed:03}a.jpg', quality=90)
        again(drawn(seed), how, seed).save(tmp_path/f'{seed:03}b.jpg', quality=45 if how == 'lossy' else 85)
    pairs = inspect_data(tmp_path).pairs
    right = (pairs['first'] + 1 == pairs['second']) & (pairs['first'] % 2 == 0)
    assert right.sum() >= 100*share and (~right).sum() <= 5, 'of 19,800 pairs of strangers'


@pytest.mark.parametrize('seed', range(3))
def test_hashes_are_compared_as_one_by_one(seed):
    rng = np.random.RandomState(seed)
    hashes = rng.randint(0, 2**63, (60, 2)).astype(np.uint64)
    hashes[30:] = hashes[:30] ^ (np.uint64(1) << rng.randint(0, 63, (30, 1)).astype(np.uint64))
    number = [(int(a) << 64) | int(b) for a, b in hashes]
    expected = [[i, j, bin(number[i] ^ number[j]).count('1')] for i in range(60) for j in range(i + 1, 60)]
    for within in (0, 2, 50, 128): assert np.concatenate([*near_slices(hashes, within)]).tolist() == [row for row in expected if row[2] <= within]


def test_a_hash_says_who_is_brighter():
    "With many equal neighbours, which are not brighter."
    grids = np.random.RandomState(0).randint(0, 3, (20, 9, 9)).astype(np.uint8)
    for g, words in zip(grids.tolist(), dhash(grids)):
        bits = [g[i][j + 1] > g[i][j] for i in range(8) for j in range(8)] + [g[i + 1][j] > g[i][j] for i in range(8) for j in range(8)]
        assert np.unpackbits(words.view(np.uint8)).tolist() == bits


def test_ones_are_counted_without_numpy_2(monkeypatch):
    words = np.random.RandomState(0).randint(0, 2**63, (4, 5)).astype(np.uint64)
    expected = [[bin(int(x)).count('1') for x in row] for row in words]
    assert room._ones(words).tolist() == expected
    monkeypatch.setattr(room, 'np', type('NumPy1', (), {name: getattr(np, name) for name in ('uint8',)}))
    assert room._ones(words).tolist() == expected


def test_slices_meet(monkeypatch):
    "Many more pictures than fit into one slice."
    hashes = np.random.RandomState(0).randint(0, 2**63, (3_000, 2)).astype(np.uint64)
    hashes[2_999] = hashes[5]
    assert np.concatenate([*near_slices(hashes, 3)]).tolist() == [[5, 2_999, 0]] and len([*near_slices(hashes, 3)]) > 5


def test_a_hash_does_not_mind_light_and_likeness_no_contrast():
    a = np.random.RandomState(0).randint(20, 120, (7, 9, 9)).astype(np.uint8)
    assert (dhash(a) == dhash(a*2)).all() and (dhash(a) == dhash(a + 30)).all() and (dhash(a) != dhash(255 - a)).any(1).all()
    assert np.allclose(likeness(a, a*2), 1, atol=1e-5) and np.allclose(likeness(a, 255 - a), -1, atol=1e-5)


@pytest.mark.parametrize('seed', range(4))
def test_groups_are_what_hangs_together(seed):
    rng = np.random.RandomState(seed)
    pairs = rng.randint(0, 60, (40, 2))
    parent = list(range(60))
    def root(i): return i if parent[i] == i else root(parent[i])
    for a, b in pairs.tolist(): parent[max(root(a), root(b))] = min(root(a), root(b))
    assert twin_groups(60, pairs).tolist() == [root(i) for i in range(60)]


# ---- planted faults ----

def planted(seed, folder):
    "A set with faults in it: files, labels, splits, and by name of the finding the items that it must be about."
    rng, rows, faults = random.Random(seed), [], {}
    def add(name, label, split, *fault):
        for kind in fault: faults.setdefault(kind, set()).add(len(rows))
        rows.append((folder/name, label, split))
        return folder/name
    for i in range(80): drawn(1000*seed + i, .2).save(add(f'{i:02}.jpg', NAMES[i % len(NAMES)], 'valid' if i % 5 == 0 else 'train'), quality=88)
    twins = rng.sample([i for i in range(80) if i % 5], 12)
    for i in twins[:6]: again(drawn(1000*seed + i, .2), rng.choice(['smaller', 'lossy']), i).save(add(f'small{i}.jpg', rows[i][1], 'valid', 'leaked twins'), quality=70)
    for i in twins[6:9]: shutil.copy(rows[i][0], add(f'copy{i}.jpg', rows[i][1], 'valid', 'leaked copies'))
    for i in twins[9:]: shutil.copy(rows[i][0], add(f'more{i}.jpg', rows[i][1], 'train', 'copies'))
    data = rows[2][0].read_bytes()
    add('cut.jpg', NAMES[0], 'train', 'unreadable').write_bytes(data[:rng.randrange(300, len(data) - 200)])
    add('empty.png', NAMES[0], 'valid', 'unreadable').write_bytes(b'')
    Image.new('RGB', (150, 140), (rng.randrange(256),)*3).save(add('flat.png', NAMES[1], 'train', 'one grey'))
    drawn(1000*seed + 900, .2).save(add('lost.jpg', 'dodo', 'valid', 'only in valid'))
    drawn(1000*seed + 901, .2).resize((16, 14)).save(add('small.png', NAMES[2], 'train', 'small'))
    drawn(1000*seed + 902, .2).resize((400, 100)).save(add('long.jpg', NAMES[3], 'train', 'long'))
    held = Image.Exif()
    held[0x0112] = rng.randrange(2, 9)
    drawn(1000*seed + 903, .2).save(add('held.jpg', NAMES[4], 'train', 'turned'), exif=held)
    frames = [drawn(1000*seed + 904 + k, .2).convert('P') for k in range(3)]
    frames[0].save(add('film.gif', NAMES[5], 'train', 'films'), save_all=True, append_images=[im.resize(frames[0].size) for im in frames[1:]])
    return [list(column) for column in zip(*rows)], faults


@pytest.mark.parametrize('seed', range(4))
def test_planted_faults_are_found_and_nothing_else(seed, tmp_path):
    (files, labels, splits), faults = planted(seed, tmp_path)
    report = inspect_data(files, labels, splits)
    found = {finding.name: set(finding.items) for finding in report.findings if finding.name not in ('sizes', 'modes')}
    assert found == faults
    assert report.files('unreadable') == verify_images(files)
    levels = [finding.level for finding in report.findings]
    assert levels == sorted(levels, key=['mend', 'look', 'know'].index)
    for finding in report.findings: assert finding.name in str(report) and finding.mend and len(report.files(finding.name)) == len(finding.items)
    assert sum(len(ax.images) for ax in report.show_pairs('leaked twins', max_n=3).flat) == 6


@pytest.mark.parametrize('seed', range(4))
def test_a_split_by_groups_leaves_no_leak(seed, tmp_path):
    (files, labels, splits), _ = planted(seed, tmp_path)
    before = inspect_data(files, labels, splits)
    after = inspect_data(files, labels, GroupSplitter(before.group_of, seed=seed)(files))
    assert before['leaked twins'] and before['leaked copies'] and not after['leaked twins'] and not after['leaked copies']


def test_the_order_of_the_files_does_not_matter(tmp_path):
    (files, labels, splits), faults = planted(7, tmp_path)
    order = random.Random(0).sample(range(len(files)), len(files))
    report = inspect_data(*([column[i] for i in order] for column in (files, labels, splits)))
    for name in set(faults) - {'copies'}: assert set(report.files(name)) == {files[i] for i in faults[name]}, name
    assert len(report.files('copies')) == 3, 'which of two equal files is the copy is a matter of order'


def test_twins_that_disagree_are_shown(tmp_path):
    drawn(3).save(tmp_path/'a.jpg')
    drawn(3).resize((90, 70)).save(tmp_path/'b.png')
    report = inspect_data([tmp_path/'a.jpg', tmp_path/'b.png'], ['cat', 'dog'])
    assert report['contradictions'].items == (0, 1) and '1 pair of twins' in report['contradictions'].says
    assert inspect_data([tmp_path/'a.jpg', tmp_path/'b.png'], [('x', 'y'), ['x', 'y']])['contradictions'] is None


def test_doubtful_pairs_are_shown_first(tmp_path):
    rng = random.Random(0)
    for i in range(30):
        drawn(i, .3).save(tmp_path/f'{i:02}a.jpg', quality=90)
        again(drawn(i, .3), rng.choice(['cropped', 'noisy', 'smaller']), i).save(tmp_path/f'{i:02}b.jpg', quality=60)
    report = inspect_data(tmp_path)
    shown = [int(ax.get_title().split('\n')[2].split()[0]) for ax in report.show_pairs(max_n=5).flat if 'bits' in ax.get_title()]
    assert shown == sorted(report.pairs.distance, reverse=True)[:5] and shown[0] > shown[-1]


# ---- files of all kinds ----

@pytest.mark.parametrize('seed', range(12))
def test_what_is_unreadable_is_what_verify_images_says(seed, tmp_path):
    "Cut anywhere, or with bytes changed: both read it, or neither."
    rng, kind = random.Random(seed), ['jpg', 'png', 'gif', 'webp'][seed % 4]
    drawn(seed).save(tmp_path/f'a.{kind}')
    data = bytearray((tmp_path/f'a.{kind}').read_bytes())
    files = [tmp_path/f'{i}.{kind}' for i in range(12)]
    for i, file in enumerate(files):
        hurt = bytearray(data)
        if i % 2: hurt = hurt[:rng.randrange(len(data))]
        else: hurt[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        file.write_bytes(hurt)
    known = [fact.error != '' for fact in read_facts(files)]
    broken = set(verify_images(files))
    assert known == [file in broken for file in files]


@pytest.mark.parametrize('orientation', range(1, 9))
def test_a_picture_is_seen_as_it_was_held(orientation, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    drawn(1).save(tmp_path/'a.jpg', exif=exif)
    ImageOps.exif_transpose(Image.open(tmp_path/'a.jpg')).save(tmp_path/'b.png')
    a, b = read_facts([tmp_path/'a.jpg', tmp_path/'b.png'])
    assert a.size == b.size and a.turned == (orientation > 1) and np.abs(a.grid.astype(int) - b.grid).max() <= 4
    assert len(inspect_data([tmp_path/'a.jpg', tmp_path/'b.png']).pairs) == 1


@pytest.mark.parametrize(('mode', 'kind'), [('L', 'png'), ('LA', 'png'), ('P', 'png'), ('RGBA', 'png'), ('1', 'png'), ('CMYK', 'jpg'), ('L', 'jpg'), ('I;16', 'png'), ('RGB', 'webp'), ('RGB', 'bmp')])
def test_every_mode_has_its_facts(mode, kind, tmp_path):
    im = drawn(2)
    im = Image.fromarray(np.asarray(im.convert('L')).astype(np.uint16)*257) if mode == 'I;16' else im.convert(mode)
    im.save(tmp_path/f'a.{kind}')
    drawn(2).save(tmp_path/'b.png')
    a, b = read_facts([tmp_path/f'a.{kind}', tmp_path/'b.png'])
    assert not a.error and a.size == b.size and likeness(a.grid[None], b.grid[None])[0] > .95
    assert a.mode in (mode, 'I;16B', 'I')


def test_no_warning_and_no_decoding_of_a_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 100)
    drawn(0).save(tmp_path/'a.jpg')
    assert 'pixels' in facts_of(tmp_path/'a.jpg').error


# ---- where a set comes from ----

@pytest.fixture
def folder(tmp_path):
    for i in range(12):
        (tmp_path/'set'/'ab'[i % 2]).mkdir(parents=True, exist_ok=True)
        drawn(i).save(tmp_path/'set'/'ab'[i % 2]/f'{i}.jpg')
    return tmp_path/'set'


def test_every_source_gives_the_same(folder):
    files = get_image_files(folder)
    labels, split = [file.parent.name for file in files], IndexSplitter([1, 8])
    block = DataBlock((TransformBlock, CategoryBlock), get_items=get_image_files, get_y=parent_label, splitter=split)
    table = pd.DataFrame({'file': map(str, files), 'label': labels})
    rows = DataBlock((TransformBlock, CategoryBlock), get_x=lambda row: row.file, get_y=lambda row: row.label, splitter=split)
    ways = [inspect_data(files, labels, split(files)), inspect_data(block, folder), inspect_data(block.datasets(folder)), inspect_data(rows, table), inspect_data(rows.datasets(table))]
    block = DataBlock((ImageBlock, CategoryBlock), get_items=get_image_files, get_y=parent_label, splitter=split, item_tfms=Resize(32))
    ways.append(inspect_data(block.dataloaders(folder, bs=4)))
    for report in ways:
        assert sorted(zip(map(str, report.items.file), report.items.label, report.items.split)) == sorted(zip(map(str, ways[0].items.file), labels, ways[0].items.split))
        assert str(report) == str(ways[0])
    assert str(ways[0]).startswith('12 pictures: 10 train, 2 valid. 2 classes')
    plain = inspect_data(folder)
    assert set(plain.items.label) == {'a', 'b'} and set(plain.items.split) == {'all'} and plain.classes['all'].to_dict() == {'a': 6, 'b': 6}


def facts_for(n, **different): return [Facts((100, 90), 'RGB', False, (0, 255), str(i), np.random.RandomState(i).randint(0, 256, (9, 9)).astype(np.uint8))._replace(**different) for i in range(n)]


@pytest.mark.parametrize('labels', [None, [None]*6, [.5, .2, .1, 1., 2., 3.], [torch.tensor([1., 2.])]*6, [(1., 2.)]*6, [['a', 'b'], ['b'], [], ['a'], ['c'], []], [1, 'x', 2, 'x', None, 3],
                                    [True, False]*3, np.array([1, 2, 3, 1, 2, 3]), [float('nan'), *'abcde']])
def test_labels_of_every_kind(labels):
    report = report_on(as_listing([f'{i}.jpg' for i in range(6)], labels, ([0, 1, 2], [3, 4, 5])), facts_for(6))
    assert str(report) and report._repr_html_() and len(report.items) == 6
    if len(report.classes): assert report.class_weights().shape == (len(report.classes),) and report.class_weights().dtype == torch.float32


def test_weights_even_out_the_classes():
    labels = ['a']*6 + ['b']*2 + ['c']
    report = report_on(Listing([Path(f'{i}') for i in range(9)], labels, ['train']*9), facts_for(9))
    weighted = {name: n*weight for (name, n), weight in zip(report.classes.train.items(), report.class_weights().tolist())}
    assert max(weighted.values()) - min(weighted.values()) < 1e-5 and report['imbalance']


@pytest.mark.parametrize('n', [0, 1, 2])
def test_few_or_no_pictures(n, tmp_path):
    files = [tmp_path/f'{i}.jpg' for i in range(n)]
    for i, file in enumerate(files): drawn(i).save(file)
    for splits in (None, ['train']*n, ['valid']*n, ['test']*n): assert str(inspect_data(files, list('ab'[:n]), splits)).startswith(f'{n} pictures')
    assert inspect_data(tmp_path).show_pairs.__doc__
    with pytest.raises(ValueError, match='no twins'): inspect_data(tmp_path).show_pairs()


def test_all_of_them_broken(tmp_path):
    for i in range(3): (tmp_path/f'{i}.jpg').write_bytes(b'no picture')
    report = inspect_data(tmp_path)
    assert [(f.name, f.items) for f in report.findings] == [('unreadable', (0, 1, 2))] and len(report.pairs) == 0 and list(report.items.group) == [0, 1, 2]


def test_equal_files_and_films_do_not_explode():
    same = [fact._replace(checksum='x') for fact in facts_for(5_000)[:1]*5_000]
    report = report_on(Listing([Path(f'{i}') for i in range(5_000)], [None]*5_000, ['train']*5_000), same)
    assert len(report.pairs) == 4_999 and set(report.items.group) == {0}
    assert len(twin_pairs(np.repeat(same[0].grid[None], 2_000, 0), most=10_000)) == 10_000


# ---- the room's name ----

@pytest.mark.alone
def test_python_keeps_its_own_inspect(tmp_path):
    "A room called inspect stands in nobody's way: inside a package names are whole."
    code = ('import dlcourse.vision.inspect as room, inspect, dataclasses\n'
            'assert inspect is not room and inspect.signature(room.inspect_data) and "vision" not in inspect.__file__\n'
            'import dlcourse.vision\nassert dlcourse.vision.inspect is room')
    subprocess.run([sys.executable, '-c', code], check=True, cwd=tmp_path)
    assert not hasattr(room, 'inspect') and 'inspect' not in room.__all__


# ---- labels of several kinds, and copies that disagree ----

@pytest.fixture
def flat(tmp_path):
    for i in range(48): drawn(i, .3).save(tmp_path/f'pug_{i:02}.png')
    return sorted(tmp_path.glob('*.png'))


def test_several_labels_are_inspected_from_loaders_too(flat):
    "A set of several labels, in which many pictures have one, and the sides are given."
    table = pd.DataFrame({'name': [file.name for file in flat], 'tags': ['star' if i % 9 == 0 else 'moon' if i % 2 else 'moon sky' for i in range(48)], 'is_valid': [i % 2 == 1 for i in range(48)]})
    report = inspect_data(ImageDataLoaders.from_df(table, flat[0].parent, label_delim=' ', valid_col='is_valid', item_tfms=Resize(32), device='cpu'))
    assert report.classes.train.to_dict() == {'moon': 21, 'sky': 21, 'star': 3} and 'cross_entropy' not in str(report)
    assert report['imbalance'].mend == 'report.classes' and 'by itself' in report['imbalance'].says


def test_classes_of_boxes_are_counted(flat):
    block = DataBlock((ImageBlock, BBoxBlock, BBoxLblBlock), n_inp=1, get_y=[lambda file: [(1, 1, 9, 9)]*2, lambda file: ['cat', 'dog']], splitter=IndexSplitter([0, 1]), item_tfms=Resize(32))
    for report in (inspect_data(block, flat), inspect_data(block.dataloaders(flat, device='cpu'))):
        assert report.classes.train.to_dict() == {'cat': 46, 'dog': 46} and not report['one class']
    with pytest.raises(TypeError, match='its source'): inspect_data(block)


@pytest.mark.filterwarnings('ignore')  # the loaders say it, too
def test_one_class_for_all_is_found(flat, tmp_path):
    block = DataBlock((ImageBlock, CategoryBlock), get_items=get_image_files, get_y=parent_label, splitter=IndexSplitter([0]), item_tfms=Resize(32))
    report = inspect_data(block.dataloaders(tmp_path, device='cpu'))
    assert report.findings[0].name == 'one class' and report['one class'].level == 'mend' and 'RegexLabeller' in report['one class'].mend
    mended = DataBlock((ImageBlock, CategoryBlock), get_items=get_image_files, get_y=eval(report['one class'].mend.removeprefix('get_y='), {'using_attr': using_attr, 'RegexLabeller': RegexLabeller}), splitter=IndexSplitter([0]))
    assert inspect_data(mended, tmp_path).classes.train.to_dict() == {'pug': 47}, 'the line runs'
    assert not inspect_data(flat, ['a']*47 + ['b'])['one class'] and not inspect_data(flat, [.5]*48)['one class'] and not inspect_data(flat)['one class']


@pytest.mark.parametrize('labels, copies, disputed', [('aab', [1], []), ('abb', [], [0, 1, 2]), ('aba', [], [0, 1, 2]), ([['a', 'b'], ['b', 'a'], ['b', 'a']], [1, 2], []), ([.1, .2, .2], [], [0, 1, 2])])
def test_copies_that_disagree_are_not_for_deletion(labels, copies, disputed, tmp_path):
    files = [tmp_path/f'{i}.png' for i in range(3)]
    for i, file in enumerate(files): drawn(labels == 'aab' and i == 2).save(file)
    report = inspect_data(files, list(labels))
    assert report.files('copies') == [files[i] for i in copies] and report.files('disputed copies') == [files[i] for i in disputed]
    if disputed: assert report['disputed copies'].level == 'mend' and len(report.show_pairs('disputed copies').flat) == 4


def test_a_file_that_is_listed_twice_is_no_copy(tmp_path):
    drawn(0).save(tmp_path/'a.png')
    report = inspect_data([tmp_path/'a.png']*2, ['a', 'a'])
    assert report['copies'] is None and report['listed twice'].items == (1,)


def test_a_turned_picture_is_told_with_what_its_points_must_fit(tmp_path):
    held = Image.Exif()
    held[0x0112] = 6
    drawn(0).save(tmp_path/'a.jpg', exif=held)
    assert 'Points, boxes and masks must fit the upright picture' in inspect_data(tmp_path)['turned'].says


def test_numbers_to_be_predicted_are_no_classes(flat):
    for ages in (lambda file: 34, lambda file: '34'):
        report = inspect_data(DataBlock((ImageBlock, RegressionBlock), get_y=ages, splitter=IndexSplitter([0])), flat)
        assert not len(report.classes) and not report['one class']


def test_a_split_of_several_labels_is_mended_by_another_draw(flat):
    labels = [['a', 'b']]*40 + [['c']]*8
    assert 'RandomSplitter' in inspect_data(flat, labels, (range(40), range(40, 48)))['only in valid'].mend


def test_names_of_splits_are_understood_and_overlaps_refused(tmp_path):
    folder = shapes_folder(tmp_path/'set', 2)
    files = list(get_image_files(folder))
    for names in (('training', 'validation'), ('Train', 'Valid'), ('train', 'valid')):
        report = inspect_data(files + files, ['a']*2*len(files), [names[0]]*len(files) + [names[1]]*len(files))
        assert 'leaked copies' in [finding.name for finding in report.findings], names
    with pytest.raises(ValueError, match='each item belongs to one side'): inspect_data(files, ['a']*len(files), ([0, 1, 2], [2, 3]))
