"""From a source to batches: every mistake named and mended, the same batches for every kind of worker, classes from training alone,

and a block that is the same after a journey through JSON.
"""
import ast
import json
import math
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

from dlcourse.core.chance import chance, drawing
from dlcourse.core.names import plt
from dlcourse.core.recipe import from_recipe, to_recipe
from dlcourse.core.shapes import SHAPES, shapes_folder
from dlcourse.core.testing import assert_tensor
from dlcourse.data import splits
from dlcourse.data.block import DataBlock
from dlcourse.data.datasets import Datasets, StageError, transformed
from dlcourse.data.getters import ColReader, ItemGetter, RegexLabeller, parent_label, using_attr
from dlcourse.data.loader import DataLoader, DataLoaders
from dlcourse.data.parts import CategoryBlock, MultiCategoryBlock, RegressionBlock, TransformBlock
from dlcourse.data.splits import ColSplitter, GrandparentSplitter, IndexSplitter, RandomSplitter
from dlcourse.training.learner import Learner
from dlcourse.vision.augment import Rotate, aug_transforms
from dlcourse.vision.blocks import BBoxBlock, BBoxLblBlock, ImageBlock, MaskBlock, PointBlock
from dlcourse.vision.images import PILImage, PILImageBW, get_image_files
from dlcourse.vision.transforms import Normalize, RandomResizedCrop, Resize, ResizeMethod, imagenet_stats

KINDS = ('circle', 'moon', 'star')


@pytest.fixture(scope='module')
def album(tmp_path_factory):
    return shapes_folder(tmp_path_factory.mktemp('data')/'shapes', 8, sketches={name: SHAPES[name] for name in KINDS})


def shapes(**changes):
    "A block for the album."
    given = dict(blocks=(ImageBlock, CategoryBlock), get_items=get_image_files, splitter=RandomSplitter(valid_pct=.25, seed=42), get_y=parent_label, item_tfms=Resize(32))
    return DataBlock(**(given | changes))


def batches(dls): return [tuple(part.clone() for part in batch) for batch in dls.train]


def same(a, b): return len(a) == len(b) and all(torch.equal(x, y) for one, other in zip(a, b) for x, y in zip(one, other))


# ---- the calls of the course ----

def test_the_calls_of_the_lesson(album):
    bears = DataBlock(blocks=(ImageBlock, CategoryBlock), get_items=get_image_files, splitter=RandomSplitter(valid_pct=0.2, seed=42),
                      get_y=parent_label, item_tfms=Resize(128))
    dls = bears.dataloaders(album)
    dls.valid.show_batch(max_n=4, nrows=1)
    assert dls.vocab == KINDS
    bears = bears.new(item_tfms=Resize(128, ResizeMethod.Squish))
    bears = bears.new(item_tfms=RandomResizedCrop(128, min_scale=0.3))
    dls = bears.dataloaders(album)
    dls.train.show_batch(max_n=4, nrows=1, unique=True)
    pets = DataBlock(blocks=(ImageBlock, CategoryBlock), get_items=get_image_files, splitter=RandomSplitter(seed=42),
                     get_y=using_attr(RegexLabeller(r'(.+)_\d+.jpg$'), 'name'), item_tfms=Resize(460), batch_tfms=aug_transforms(size=224, min_scale=0.75))
    assert pets.summary(album).error is None
    x, y = pets.dataloaders(album, bs=4).one_batch()
    assert x.shape == (4, 3, 224, 224) and y.shape == (4,)
    plt.close('all')


def test_the_middle_way_and_tables():
    a = list('abc')
    dss = Datasets(a, [[str.upper], [ord]])
    assert dss[1] == ('B', 98) and [x for x, _ in dss[:]] == ['A', 'B', 'C']
    df = pd.DataFrame({'fname': [f'{i}.jpg' for i in range(10)], 'labels': ['chair', 'car person']*5})
    dsets = DataBlock(get_x=lambda r: r['fname'], get_y=lambda r: r['labels']).datasets(df)
    fname, labels = dsets.train[0]
    assert df.set_index('fname').labels[fname] == labels and len(dsets.train) == 8 and len(dsets.valid) == 2
    row, again = DataBlock().datasets(df).train[0]
    assert row is again or row.equals(again), 'without getters both parts are the item'


# ---- every mistake has a name, an item and a cure ----

def refused(block, source, *words, act=None):
    "The error that the block ends in, for which `summary` and the loaders agree."
    with pytest.raises(StageError) as caught: (act or (lambda: block.dataloaders(source, bs=8)))()
    for word in words: assert word in str(caught.value), str(caught.value)
    report = block.summary(source)
    assert report.error is not None and report.error.stage == caught.value.stage
    return caught.value


def test_no_items_says_what_there_is(tmp_path):
    for name in ('a.txt', 'b.TXT', 'c.csv', 'README'): (tmp_path/name).write_text('')
    e = refused(shapes(), tmp_path, 'holds 4 files: 2 .txt, 1 .csv, 1 without an ending', 'get_items=get_image_files')
    assert e.stage == 'get_items' and e.item == tmp_path
    (tmp_path/'empty').mkdir()
    refused(shapes(), tmp_path/'empty', 'is empty')
    refused(shapes(), tmp_path/'nowhere', 'no such folder')
    refused(shapes(), str(tmp_path/'nowhere'), 'no such folder')
    refused(DataBlock(), [], 'The source is empty: it holds no items')
    refused(DataBlock(), None, 'the source is None')
    refused(shapes(), None, 'the source is None')
    refused(DataBlock(), 7, 'holds no items')
    refused(DataBlock(), 'a folder', 'holds no items', 'get_items=get_image_files')


def test_a_label_function_that_fails(tmp_path, album):
    for i, f in enumerate(get_image_files(album)[:10]): (tmp_path/('strange.jpg' if i == 4 else f.name)).write_bytes(f.read_bytes())
    for one in (IndexSplitter([0]), IndexSplitter(range(5, 10)), IndexSplitter(range(5))):  # on either side
        block = shapes(get_y=using_attr(RegexLabeller(r'(.+)_\d+.jpg$'), 'name'), splitter=one)
        e = refused(block, tmp_path, 'strange.jpg', r'_\\d+.jpg$', 'it is the only one')
        assert (e.stage, e.item.name) == ('get_y', 'strange.jpg')
    block = shapes(get_y=using_attr(RegexLabeller(r'(.+)-\d+.jpg$'), 'name'), splitter=IndexSplitter([0, 1]))
    refused(block, tmp_path, '8 of 8 training items fail here')


def test_an_error_of_your_own_function_shows_your_line(album):
    def second_part(path): return path.stem.split('_')[2]
    e = refused(shapes(get_y=second_part), album, 'IndexError: list index out of range', "return path.stem.split('_')[2]", 'in second_part', '18 of 18')
    assert e.stage == 'get_y' and isinstance(e.__cause__, StageError)
    refused(shapes(get_x=second_part, get_y=None, blocks=(ImageBlock,)), album, 'Stage get_x', act=lambda: shapes(get_x=second_part, get_y=None, blocks=(ImageBlock,)).dataloaders(album, bs=4).one_batch())


def test_sizes_that_differ(album):
    block = shapes(item_tfms=None)
    e = refused(block, album, 'Tensor (3, 1', 'has', 'in this batch are not like the first', 'item_tfms=Resize(224)', act=lambda: block.dataloaders(album, bs=8, num_workers=0).one_batch())
    assert e.stage == 'ImageBlock.collate' and e.item.suffix == '.jpg'
    assert str(e).count('.jpg') == 3, 'it names both files'
    assert block.new(item_tfms=Resize(32)).summary(album).error is None


@pytest.mark.parametrize('given, words', [
    (dict(blocks=(ImageBlock, CategoryBlock, CategoryBlock), get_y=parent_label), 'get_x has 0 functions, and there are 2 inputs (ImageBlock, CategoryBlock). Give one for each, get_x=[...]; n_inp=... says how many of the blocks are inputs. If only the first is one: n_inp=1.'),
    (dict(blocks=(ImageBlock, CategoryBlock, CategoryBlock), get_y=parent_label, n_inp=1), 'get_y has 1 function, and there are 2 targets'),
    (dict(get_y=[parent_label, parent_label]), 'get_y has 2 functions, and there is 1 target (CategoryBlock)'),
    (dict(blocks=(ImageBlock,), get_y=parent_label), 'there are 0 targets (none)'),
    (dict(getters=[parent_label], get_y=None), 'getters has 1 function, and there are 2 blocks'),
    (dict(getters=[parent_label, parent_label]), 'Say it once')])
def test_numbers_of_blocks_and_functions(given, words):
    with pytest.raises(ValueError) as caught: shapes(**given)
    assert words in str(caught.value), str(caught.value)


def test_functions_say_where_the_inputs_end():
    assert shapes(blocks=(ImageBlock, CategoryBlock, CategoryBlock), get_y=[parent_label, parent_label]).n_inp == 1
    assert shapes(blocks=(ImageBlock, ImageBlock, CategoryBlock), get_x=[ItemGetter(0), ItemGetter(1)], get_y=ItemGetter(2)).n_inp == 2
    assert shapes(blocks=(ImageBlock,), get_y=None).n_inp == 1


def test_what_is_no_block():
    with pytest.raises(TypeError, match='is no block'): shapes(blocks=('image', 'class'))
    with pytest.raises(TypeError, match='is a class, and it cannot be made without arguments'): Datasets([1, 2, 3], splits=([0, 1], [2])).dataloaders(item_tfms=Resize)


def test_an_empty_side(album):
    for splitter in (RandomSplitter(.01), IndexSplitter([]), lambda items: ([*range(len(items))], [])):
        assert refused(shapes(splitter=splitter), album, 'The validation set is empty, of 24 items').stage == 'splitter'
    refused(shapes(splitter=lambda items: ([], [0, 1])), album, 'The training set is empty')
    refused(shapes(splitter=lambda items: ([0, 1, 2], [2, 3])), album, 'Item 2 is in the training set and in the validation set')
    refused(shapes(splitter=lambda items: ([0, 1], [99])), album, 'there are 24 items')
    refused(shapes(splitter=GrandparentSplitter()), album, 'Stage splitter')


def test_a_class_that_only_validation_has(album):
    block = shapes(splitter=IndexSplitter(range(14, 24)))  # two moons and all stars
    e = refused(block, album, "'star' is none of the 2 classes: circle, moon", '8 of 10 validation items fail here', 'vocab=[...]', 'add_na=True')
    assert e.stage == 'CategoryBlock.encode' and e.item.parent.name == 'star'
    assert replace(block, blocks=(ImageBlock, CategoryBlock(KINDS))).dataloaders(album, bs=4).vocab == KINDS
    unknown = replace(block, blocks=(ImageBlock, CategoryBlock(add_na=True))).dataloaders(album, bs=16)
    assert unknown.vocab == ('#na#', 'circle', 'moon') and unknown.valid.one_batch()[1].tolist().count(0) == 8


def test_a_given_vocab_that_lacks_a_class(album):
    for splitter in (RandomSplitter(valid_pct=.25, seed=42), IndexSplitter(range(16, 24))):  # on both sides; in validation alone
        block = shapes(blocks=(ImageBlock, CategoryBlock(['circle', 'moon'])), splitter=splitter)
        e = refused(block, album, "'star' is none of the 2 classes: circle, moon", 'the vocab that was given lacks it', 'items fail here')
        assert e.item.parent.name == 'star' and 'training items:' not in str(e)
    assert shapes(blocks=(ImageBlock, CategoryBlock([*KINDS, 'sun']))).datasets(album).vocab == (*KINDS, 'sun')


def test_a_forgotten_get_y(album):
    e = refused(shapes(get_y=None), album, 'No get_y was given, so each item is its own class: get_y=parent_label')
    assert 'stratify' not in str(e)
    e = refused(shapes(get_y=lambda f: f.stem), album, 'each of the 18 training items is a class of its own: is get_y right?')
    assert 'stratify' not in str(e)


def test_a_forgotten_label_delim():
    df = pd.DataFrame({'x': range(5), 'labels': ['car', 'boat', 'boat dog', 'car dog', 'boat car']})
    block = DataBlock(blocks=(TransformBlock, CategoryBlock), get_x=ColReader('x'), get_y=ColReader('labels'), splitter=IndexSplitter([4]))
    refused(block, df, "if 'boat car' is several labels", "label_delim=' '", 'MultiCategoryBlock')
    refused(block, df.assign(labels=['a', 'b', 'c', 'a', 'golden owl']), "stratify")


def test_the_line_named_is_yours():
    def get_y(row): return row['label']
    block = DataBlock(blocks=(TransformBlock, CategoryBlock), get_y=get_y, splitter=IndexSplitter([0, 1]))
    e = refused(block, pd.DataFrame({'x': range(6)}), "KeyError: 'label' (line", "in get_y: def get_y(row): return row['label']). 4 of 4 training items fail here")
    assert 'get_loc' not in str(e)


def test_generators_are_items(album):
    files = get_image_files(album)
    dsets = Datasets((f for f in files), [[parent_label, CategoryBlock]])
    assert len(dsets) == len(dsets.train) == 24 and dsets.vocab == KINDS and dsets.train[0] == (0,) and dsets.items[3] == files[3]
    assert shapes(get_items=None).datasets(f for f in files).vocab == shapes(get_items=lambda path: iter(files)).datasets(album).vocab == KINDS


def test_a_vocab_takes_indices_as_in_the_book(album):
    dsets = shapes().datasets(album)
    idxs = (torch.tensor([0., 2., 1.]) > .5).nonzero().flatten()
    assert dsets.train.vocab[idxs] == ['moon', 'star'] and dsets.vocab[[0]] == ['circle'] and dsets.vocab[torch.tensor(2)] == 'star'
    dls = shapes().dataloaders(album, bs=4)
    assert dls.vocab.o2i == {'circle': 0, 'moon': 1, 'star': 2} and dls.train.vocab[torch.tensor([1])] == ['moon'] and dls.vocab == KINDS
    assert around(tuple(dls.train.blocks)) == dls.train.blocks


@pytest.mark.parametrize('given, words', [
    (dict(splitter=RandomSplitter), 'splitter=RandomSplitter(...)'), (dict(splitter=[0, 1]), 'IndexSplitter'),
    (dict(get_items=['a.jpg', 'b.jpg']), 'get_items=get_image_files; a list of items is a source itself'),
    (dict(get_y='label'), "get_y=ColReader('label')"), (dict(get_x='file'), "get_x=ColReader('file')"), (dict(get_y=ColReader), 'get_y=ColReader(...)'),
    (dict(getters=['file', 'label'], get_y=None), "ColReader('file')")])
def test_a_result_where_a_function_was_meant(given, words):
    with pytest.raises(TypeError) as caught: shapes(**given)
    assert words in str(caught.value), str(caught.value)


@pytest.mark.parametrize('given, words', [
    (dict(item_tfms=[Resize(32), Rotate()]), 'It changes batches: batch_tfms=[Rotate(...)]'), (dict(batch_tfms=aug_transforms), 'Call it: batch_tfms=aug_transforms()'),
    (dict(item_tfms=[32]), 'is no transform for item_tfms'), (dict(batch_tfms=[aug_transforms()]), 'or several in one list')])
def test_what_is_no_transform(album, given, words):
    with pytest.raises(TypeError) as caught: shapes(**given).dataloaders(album)
    assert words in str(caught.value), str(caught.value)
    assert words in shapes(**given).summary(album)


def test_an_empty_side_by_a_splitter_of_your_own(album):
    assert '([0, 2], [1])' in refused(shapes(splitter=lambda items: ([*range(24)], [])), album, 'The validation set is empty').mend


def test_one_class_is_doubted(album):
    flat = shapes(get_y=lambda f: 'images')
    with pytest.warns(UserWarning, match="Every label is 'images': is get_y right") as caught: flat.dataloaders(album)
    assert caught[0].filename == __file__
    assert "Every label is 'images': is get_y right?" in flat.summary(album)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        shapes().dataloaders(album), shapes(blocks=(ImageBlock, MultiCategoryBlock), get_y=lambda f: ['sky']).dataloaders(album)
        shapes(blocks=(ImageBlock, BBoxBlock, BBoxLblBlock(add_na=False)), get_y=[lambda f: [[1, 2, 3, 4]], lambda f: ['star']]).dataloaders(album)
    assert 'doubt' not in shapes().summary(album)


def test_short_names_of_loaders(album):
    dls = shapes().dataloaders(album, bs=5, device='cpu')
    assert (dls.bs, dls.n, dls.classes, dls.cpu().device.type) == (5, 18, KINDS, 'cpu') and callable(dls.cuda)


def test_summary_of_boxes(album):
    boxes = shapes(blocks=(ImageBlock, BBoxBlock, BBoxLblBlock), get_y=[lambda f: [[1, 2, 30, 40]]*(1 + int(f.stem[-1]) % 2), lambda f: ['star']*(1 + int(f.stem[-1]) % 2)])
    report = boxes.summary(album, bs=8)
    assert report.error is None and 'nan' not in report and 'Learner(..., loss_func=...)' in report and 'needs' not in report
    assert 'the loss is cross_entropy' in shapes().summary(album)


def test_numbers_that_are_text():
    block = DataBlock(blocks=(TransformBlock, RegressionBlock), get_y=lambda i: 'cold', splitter=IndexSplitter([0]))
    refused(block, [1, 2, 3], "'cold' is no number", 'CategoryBlock')


def test_a_file_that_is_not_there(album, tmp_path):
    files = [tmp_path/'gone'/'below'/f'{i}.jpg' for i in range(3)] + [album/'circle'/'nobody.jpg']
    for at, words in ((0, f"the folder {tmp_path/'gone'} does not exist"), (3, 'nobody.jpg; its folder exists')):
        block = shapes(get_items=None, get_y=lambda f: 'a', splitter=IndexSplitter([(at + 1) % 4]))
        with pytest.raises(StageError, match='There is no file') as caught: block.datasets(files)[at]
        assert words in str(caught.value)


def test_a_missing_label():
    df = pd.DataFrame({'x': range(6), 'label': ['a', 'b', None, 'a', 'b', 'a']})
    block = DataBlock(blocks=(TransformBlock, CategoryBlock), get_x=ColReader('x'), get_y=ColReader('label'), splitter=IndexSplitter([0, 1]))
    refused(block, df, 'row 2', 'The label is missing')
    assert replace(block, blocks=(TransformBlock, CategoryBlock(add_na=True))).datasets(df).vocab == ('#na#', 'a', 'b')


@pytest.mark.parametrize('label, words', [(['a', 'b'], 'is not one label'), ({'a'}, 'is not one label'), (torch.tensor([1, 2]), 'is not one label')])
def test_labels_that_are_several(label, words):
    with pytest.raises(StageError, match=words): DataBlock(blocks=(TransformBlock, CategoryBlock), get_y=lambda i: label, splitter=IndexSplitter([0])).datasets([1, 2, 3])


def test_a_text_is_no_list_of_labels():
    df = pd.DataFrame({'x': range(4), 'labels': ['car person', 'car', 'person', '']})
    block = DataBlock(blocks=(TransformBlock, MultiCategoryBlock), get_x=ColReader('x'), get_y=ColReader('labels'), splitter=IndexSplitter([0]))
    refused(block, df, "label_delim=' '", 'row 1')
    dls = replace(block, get_y=ColReader('labels', label_delim=' ')).dataloaders(df, bs=3)
    assert dls.vocab == ('car', 'person') and sorted(dls.train_ds[:][i][1].sum().item() for i in range(3)) == [0, 1, 1]


def test_a_number_that_is_none():
    block = DataBlock(blocks=(TransformBlock, RegressionBlock), get_y=lambda i: math.nan if i == 3 else float(i), splitter=IndexSplitter([0]))
    with pytest.raises(StageError, match='One nan makes every weight nan'): list(block.dataloaders([1, 2, 3], bs=2).train)


def test_a_damaged_picture_is_named(tmp_path, album):
    for f in get_image_files(album)[:6]: (tmp_path/f.name).write_bytes(f.read_bytes()[:600 if f.stem.endswith('_2') else None])
    block = shapes(get_y=lambda f: f.stem.split('_')[0], splitter=IndexSplitter([0]))
    with pytest.raises(StageError) as caught: list(block.dataloaders(tmp_path, bs=1).train)
    assert caught.value.stage == 'ImageBlock.encode' and caught.value.item.stem.endswith('_2')


def test_transforms_that_fail_are_named(album):
    def crop(img): return img.nonsense()
    with pytest.raises(StageError, match=r'(?s)item_tfms, crop.*It had Image.*AttributeError') as caught: shapes(item_tfms=[Resize(32), crop]).dataloaders(album, bs=4).one_batch()
    assert caught.value.item.suffix == '.jpg'
    with pytest.raises(StageError, match=r'(?s)batch_tfms.*a batch of Tensor \(4, 3, 32, 32\)'): shapes(batch_tfms=lambda x: x.view(1)).dataloaders(album, bs=4).one_batch()


def test_a_lambda_does_not_reach_a_new_python(album):
    before = torch.multiprocessing.get_start_method()
    torch.multiprocessing.set_start_method('spawn', force=True)
    try:
        with pytest.raises(ValueError, match='cannot be sent to worker processes'): next(iter(shapes(get_y=lambda f: f.parent.name).dataloaders(album, bs=4, num_workers=1).train))
    finally: torch.multiprocessing.set_start_method(before, force=True)
    assert len(next(iter(shapes(get_y=lambda f: f.parent.name).dataloaders(album, bs=4).train))) == 2, 'threads share this one'


@pytest.mark.skipif(torch.multiprocessing.get_start_method() != 'fork', reason='a worker process would start as a new Python')
def test_an_error_comes_whole_from_every_kind_of_worker(album):
    block = shapes(item_tfms=None)
    def said(dls):
        with pytest.raises(StageError) as caught: list(dls.train)
        return str(caught.value), caught.value.stage, caught.value.item, caught.value.mend
    assert said(block.dataloaders(album, bs=4, num_workers=0, seed=1)) == said(block.dataloaders(album, bs=4, num_workers=2, seed=1)) == said(block.dataloaders(album, bs=4, seed=1))


# ---- what is learned, and from whom ----

def test_classes_come_from_the_training_items_alone():
    labels = dict(enumerate(['b', 'a', 'b', 'c', 'a', 'c', 'b']))
    asked = []
    def get_y(i): asked.append(i); return labels[i]
    block = DataBlock(blocks=(TransformBlock, CategoryBlock), get_y=get_y, splitter=IndexSplitter([3, 5]))
    with pytest.raises(StageError, match="'c' is none of the 2 classes"): block.datasets(range(7))
    assert asked[:5] == [0, 1, 2, 4, 6], 'training items first, in their order'
    assert replace(block, splitter=IndexSplitter([0, 1])).datasets(range(7)).vocab == ('a', 'b', 'c')
    assert replace(block, blocks=(TransformBlock, CategoryBlock(sort=False)), splitter=IndexSplitter([4])).datasets(range(7)).vocab == ('b', 'a', 'c')


@pytest.mark.parametrize('labels, vocab', [([True, False], (False, True)), ([3, 10, 2], (2, 3, 10)), (['b', 'B', 'a'], ('B', 'a', 'b')), ([1, 'a'], (1, 'a'))])
def test_labels_of_every_kind(labels, vocab):
    dsets = Datasets(labels*2, [[TransformBlock], [CategoryBlock]], splits=([*range(len(labels))], [len(labels)]))
    assert dsets.vocab == vocab and [dsets.vocab[int(y)] for _, y in dsets[:]] == labels*2
    assert from_recipe(json.loads(json.dumps(to_recipe(dsets.blocks)))) == dsets.blocks


# ---- written down and read again ----

def around(x): return from_recipe(json.loads(json.dumps(to_recipe(x))))


@pytest.mark.parametrize('block', [
    TransformBlock(), CategoryBlock(), CategoryBlock(['b', 'a'], sort=False), CategoryBlock(add_na=True), MultiCategoryBlock(), MultiCategoryBlock(encoded=True, vocab=['x', 'y']),
    RegressionBlock(), RegressionBlock(4), ImageBlock(), ImageBlock(cls=PILImageBW), ImageBlock(item_tfms=(Resize(32),)), CategoryBlock([True, False])], ids=repr)
def test_blocks_are_equal_after_a_journey(block): assert around(block) == block and type(around(block)) is type(block)


def test_a_block_gives_the_same_batches_after_a_journey(album):
    block = shapes(item_tfms=RandomResizedCrop(32, min_scale=.3), batch_tfms=[*aug_transforms(size=24), Normalize.from_stats(*imagenet_stats)])
    assert around(block) == block and hash(around(block).splitter) == hash(block.splitter)
    assert same(batches(around(block).dataloaders(album, bs=4, seed=3)), batches(block.dataloaders(album, bs=4, seed=3)))
    learned = block.datasets(album).blocks
    assert around(learned) == learned and learned[1].vocab == KINDS


def test_a_function_of_your_own_is_saved_by_name(album):
    def first_part(path): return path.stem.split('_')[0]
    back = around(shapes(get_y=first_part))
    assert back == shapes(get_y=first_part)
    with pytest.raises(StageError, match='first_part was not saved'): back.datasets(album)
    assert replace(back, get_y=first_part).datasets(album).vocab == KINDS


# ---- the same seed, the same batches ----

@pytest.mark.parametrize('workers', [0, 1, 2])
def test_seeds_decide_whatever_the_workers(album, workers):
    block = shapes(item_tfms=RandomResizedCrop(32, min_scale=.3), batch_tfms=aug_transforms(size=24))
    dsets = block.datasets(album)
    def loaders(seed, **how): return dsets.dataloaders(5, item_tfms=block.item_tfms, batch_tfms=block.batch_tfms, seed=seed, device='cpu', **how)
    wanted = batches(loaders(7, num_workers=0))
    torch.manual_seed(workers)
    by_threads = loaders(7)
    by_threads.train.num_workers, by_threads.train.threads = max(workers, 1), True
    assert same(batches(by_threads), wanted) and not same(batches(loaders(8, num_workers=0)), wanted)
    if torch.multiprocessing.get_start_method() == 'fork': assert same(batches(loaders(7, num_workers=workers)), wanted)
    dls = loaders(7, num_workers=0)
    first, second = batches(dls), batches(dls)
    assert same(first, wanted) and not same(second, first), 'each epoch has lots of its own'


def test_validation_is_without_chance(album):
    dls = shapes(item_tfms=RandomResizedCrop(32, min_scale=.3), batch_tfms=aug_transforms(size=24)).dataloaders(album, bs=8)
    a, b = ([part for batch in dls.valid for part in batch] for _ in range(2))
    assert all(map(torch.equal, a, b)) and len(dls.valid.dsets) == 6 and not dls.valid.training and not dls.valid.shuffle


# ---- loaders ----

def test_what_loaders_know(album):
    dls = shapes().dataloaders(album, path=album, bs=7, val_bs=4, device='cpu')
    assert dls.vocab == KINDS and dls.c == 3 and dls.n_inp == 1 and dls.path == album and dls.loss_func.__name__ == 'cross_entropy'
    assert (len(dls.train_ds), len(dls.valid_ds), len(dls.items)) == (18, 6, 18) and [len(b[0]) for b in dls.valid] == [4, 2]
    assert [len(b[0]) for b in dls.train] == [7, 7], 'a short last batch is left out in training'
    assert [len(b[0]) for b in shapes().dataloaders(album, bs=64).train] == [18], 'but not if it is the only one'
    assert dls.train.threads and 1 <= dls.train.num_workers <= 4 and not shapes().dataloaders(album, num_workers=0).train.num_workers
    assert isinstance(dls.train_ds[0][0], Image.Image) and dls.train_ds[0][1].dtype == torch.int64


def test_new_keeps_what_was_set(album):
    dls = shapes().dataloaders(album, bs=6, device='cpu')
    dls.vocab = ['kreis', 'mond', 'stern']
    other = dls.new(bs=3, item_tfms=Resize(16))
    assert other.one_batch()[0].shape == (3, 3, 16, 16) and dls.one_batch()[0].shape == (6, 3, 32, 32)
    assert other.vocab == ['kreis', 'mond', 'stern'] and other.loss_func is dls.loss_func and other.n_inp == 1 and other.device == dls.device
    assert dls.valid.new(item_tfms=()).item_tfms == () and dls.train.new(bs=100).drop_last is False


def test_new_items_go_the_way_of_validation(album):
    dls = shapes(item_tfms=RandomResizedCrop(32, min_scale=.3), batch_tfms=aug_transforms(size=24)).dataloaders(album, bs=8, device='cpu')
    files = list(dls.valid_ds.items)
    test = dls.test_dl(files)
    assert torch.equal(test.one_batch()[0], dls.valid.one_batch()[0]) and len(test.one_batch()) == 1
    assert torch.equal(dls.test_dl(files, with_labels=True).one_batch()[1], dls.valid.one_batch()[1])
    for item in (str(files[0]), PILImage.create(files[0]), files[0].read_bytes()): assert torch.equal(dls.test_dl([item]).one_batch()[0][0], test.one_batch()[0][0])
    with pytest.raises(ValueError, match='no items to predict'): dls.test_dl([])


def test_new_items_where_items_are_rows(album):
    files = get_image_files(album)
    df = pd.DataFrame({'fname': [f'{f.parent.name}/{f.name}' for f in files], 'labels': [f.parent.name for f in files], 'is_valid': [i % 4 == 0 for i in range(len(files))]})
    block = DataBlock(blocks=(ImageBlock, CategoryBlock), splitter=ColSplitter(), get_x=ColReader('fname', pref=album), get_y=ColReader('labels'), item_tfms=Resize(32))
    dls = block.dataloaders(df, bs=6, device='cpu')
    assert dls.vocab == KINDS and dls.valid_ds.items.is_valid.all() and len(dls.valid_ds) == 6
    by_row, by_file = dls.test_dl(df.iloc[[0]]).one_batch()[0], dls.test_dl([album/df.iloc[0]['fname']]).one_batch()[0]
    assert_tensor(by_file, by_row)


def test_loaders_of_plain_numbers_say_what_they_lack():
    dls = DataLoaders(DataLoader([1, 2, 3]), DataLoader([4]))
    assert dls.vocab is dls.c is None
    for call in (dls.show_batch, lambda: dls.test_dl([1]), lambda: dls.items, lambda: dls.train_ds, lambda: dls.valid_ds, dls.new, lambda: dls.decode([1]), lambda: dls.show_results([1], 2)):
        with pytest.raises(TypeError, match='it holds numbers'): call()


def model_for(dls, n_out): return Learner(dls, nn.Sequential(nn.Flatten(), nn.Linear(3*32*32, n_out)))


def test_predictions_are_decoded_by_the_block(album):
    file = get_image_files(album)[0]
    learn = model_for(shapes().dataloaders(album, bs=4, device='cpu'), 3)
    name, index, probs = learn.predict(file)
    assert name == KINDS[int(index)] and int(index) == int(probs.argmax()) and probs.shape == (3,)
    for item in (str(file), file.read_bytes(), PILImage.create(file)): assert_tensor(learn.predict(item)[2], probs)
    several = shapes(blocks=(ImageBlock, MultiCategoryBlock), get_y=lambda f: [f.parent.name, f.stem[-1]]).dataloaders(album, bs=4, device='cpu')
    names, there, probs = model_for(several, several.c).predict(file)
    assert names == [n for n, yes in zip(several.vocab, there) if yes] and there.dtype == torch.bool and there.tolist() == (probs > .5).tolist()
    number = shapes(blocks=(ImageBlock, RegressionBlock), get_y=lambda f: len(f.stem)).dataloaders(album, bs=4, device='cpu')
    value, same_value, _ = model_for(number, number.c).predict(file)
    assert number.c == 1 and value == same_value.tolist() and number.loss_func.__name__ == 'flat_mse'


def test_a_block_feeds_a_learner(album):
    learn = model_for(shapes().dataloaders(album, bs=6, device='cpu', seed=0), 3)
    with learn.no_bar(): learn.fit(3, 1e-3)
    assert learn.loss_func is learn.dls.loss_func and learn.recorder.values[-1][0] < learn.recorder.values[0][0]
    preds, targs = learn.get_preds()
    assert preds.shape == (6, 3) and targs.tolist() == [KINDS.index(f.parent.name) for f in learn.dls.valid_ds.items]
    assert learn.get_preds(learn.dls.test_dl(learn.dls.valid_ds.items))[1] is None


# ---- what is shown ----

@pytest.mark.parametrize('how, n, shape', [({}, 8, (2, 4)), (dict(max_n=4), 4, (2, 2)), (dict(max_n=4, nrows=1), 4, (1, 4)), (dict(max_n=3, ncols=1), 3, (3, 1)),
                                           (dict(max_n=5, nrows=2), 5, (2, 3)), (dict(max_n=6, unique=True), 6, (2, 3)), (dict(max_n=1), 1, (1, 1))])
def test_show_batch_fills_a_grid(album, how, n, shape):
    dls = shapes().dataloaders(album, bs=8, device='cpu', seed=5)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    dls.train.show_batch(**how)
    axes = plt.gcf().axes
    assert axes[0].get_subplotspec().get_gridspec().get_geometry() == shape and sum(bool(ax.images) for ax in axes) == n
    titles = [ax.get_title() for ax in axes if ax.images]
    assert set(titles) <= set(KINDS) and (len(set(titles)) == 1 or not how.get('unique'))
    assert torch.equal(torch.get_rng_state(), before) and dls.train.epoch == 0, 'looking counts for nothing'
    plt.close('all')


def test_unique_shows_one_item_as_chance_has_it(album):
    dls = shapes(item_tfms=RandomResizedCrop(32, min_scale=.2)).dataloaders(album, bs=8, device='cpu')
    dls.show_batch(max_n=4, unique=True)
    pictures = [ax.images[0].get_array().tobytes() for ax in plt.gcf().axes]
    assert len(set(pictures)) == 4
    plt.close('all')
    dls.valid.show_batch(max_n=4, unique=True)
    assert len({ax.images[0].get_array().tobytes() for ax in plt.gcf().axes}) == 1, 'no chance in validation'
    plt.close('all')


def test_decoding_undoes_normalising(album):
    plain, normal = shapes(), shapes(batch_tfms=Normalize.from_stats(*imagenet_stats))
    one, other = (block.dataloaders(album, bs=4, device='cpu', seed=1) for block in (plain, normal))
    assert not torch.equal(one.one_batch()[0], other.one_batch()[0])
    for (a, label), (b, named) in zip(one.decode(one.one_batch()), other.decode(other.one_batch())):
        assert label == named and torch.allclose(torch.as_tensor(a).float(), torch.as_tensor(b).float(), atol=1e-5)


def test_show_results_puts_the_answer_below(album):
    dls = shapes().dataloaders(album, bs=8, device='cpu')
    batch = dls.valid.one_batch()
    dls.show_results(batch, torch.eye(3)[batch[1]].roll(1, 1), max_n=4)
    for ax, y in zip(plt.gcf().axes, batch[1].tolist()): assert ax.get_title() == f'{KINDS[y]}\n{KINDS[(y + 1) % 3]}'
    plt.close('all')


# ---- the house ----

def test_data_is_blind_to_what_an_item_is():
    "No room of the wing imports anything that opens a picture."
    from pathlib import Path
    for module in Path(splits.__file__).parent.glob('*.py'):
        tree = ast.parse(module.read_text(encoding='utf-8'))
        named = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
        named += [node.module or '' for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        assert not [n for n in named if n.split('.')[0] in ('PIL', 'cv2', 'torchvision') or 'vision' in n], module.name


# ---- several pictures in a sample ----

def ramp(w, h):
    "A picture that grows brighter to the right (red) and downwards (green)."
    x, y = np.meshgrid((np.arange(w) + .5)/w, (np.arange(h) + .5)/h)
    return Image.fromarray(np.stack([x*255, y*255, 0*x], -1).round().astype(np.uint8))


def two_pictures(block, one, other, tfm, training=True, seed=0):
    "Both parts of a sample after an item transform."
    sample = tuple(b.encode(x) for b, x in zip((ImageBlock(), block), (one, other)))
    with drawing(seed): return transformed(sample, (ImageBlock(), block), tfm, training)


@pytest.mark.parametrize('tfm', [Resize(8, 'squish'), Resize(8, 'pad', pad_mode='border')], ids=repr)
def test_a_second_picture_of_another_shape_is_placed_by_its_own_size(tfm):
    for sizes in (((200, 400), (400, 200)), ((400, 200), (200, 400)), ((300, 300), (30, 90))):
        both = two_pictures(ImageBlock(), *(ramp(*size) for size in sizes), tfm, training=False)
        for shown, size in zip(both, sizes): assert np.array_equal(np.asarray(shown), np.asarray(tfm(ramp(*size))))
    assert np.asarray(both[1])[..., 0].max() > 200, 'it is seen up to its right edge'


@pytest.mark.parametrize('tfm', [Resize(48), Resize(48, 'squish'), Resize(48, 'pad', pad_mode='zeros'), RandomResizedCrop(48, min_scale=.3), Resize((24, 60))], ids=repr)
@pytest.mark.parametrize('size', [(150, 100), (600, 400), (75, 50), (151, 100)])
def test_a_mask_of_another_size_agrees_with_its_picture(tfm, size):
    for seed in range(12):
        mask = ramp(*size).getchannel(0)
        photo, placed = two_pictures(MaskBlock(), ramp(300, 200), mask, tfm, seed=seed)
        apart = np.abs(np.asarray(photo)[..., 0].astype(int) - np.asarray(placed).astype(int))
        assert photo.size == placed.size and np.percentile(apart, 95) <= 6, (seed, apart.max())


def test_chance_goes_on_as_if_there_were_one_picture():
    after = []
    for other in (ramp(60, 40), ramp(30, 20), ramp(40, 60)):
        with drawing(3):
            transformed((ramp(60, 40), other), (ImageBlock(), ImageBlock()), RandomResizedCrop(8), True)
            after.append(torch.rand(1, generator=chance()).item())
    assert len(set(after)) == 1


def test_points_keep_to_the_first_picture():
    blocks = ImageBlock(), ImageBlock(), PointBlock()
    sample = tuple(b.encode(x) for b, x in zip(blocks, (ramp(200, 400), ramp(400, 200), [[100., 100.]])))
    assert_tensor(transformed(sample, blocks, Resize(8, 'squish'), False)[2], [[4., 2.]])
