"Points, boxes and masks move with their picture: drawn, sent through every transform, and looked for."
import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from dlcourse.core.chance import drawing
from dlcourse.core.recipe import from_recipe, to_recipe
from dlcourse.core.shapes import SHAPES, draw_shapes, shapes_folder
from dlcourse.data.block import DataBlock
from dlcourse.data.datasets import StageError
from dlcourse.data.getters import AttrGetter, ColReader, ItemGetter, RegexLabeller, parent_label, using_attr
from dlcourse.data.parts import CategoryBlock, MultiCategoryBlock, RegressionBlock
from dlcourse.data.splits import IndexSplitter
from dlcourse.training.learner import Learner
from dlcourse.vision.augment import Dihedral, Flip, RandomResizedCropGPU, Rotate, Warp, Zoom, aug_transforms
from dlcourse.vision.blocks import BBoxBlock, BBoxLblBlock, ImageBlock, ImageDataLoaders, MaskBlock, PointBlock
from dlcourse.vision.images import PILImageBW, get_image_files
from dlcourse.vision.transforms import Normalize, RandomResizedCrop, Resize, ResizeMethod, imagenet_stats

MOVES = {'nothing': (), 'flip': [Flip(p=1.)], **{f'dihedral {k}': [Dihedral(p=1., draw=k)] for k in range(8)}, 'turn': [Rotate(40, p=1.)],
         'zoom': [Zoom(1.1, 1.4, p=1.)], 'tilt': [Warp(.3, p=1.)], 'all': [Flip(), Rotate(20, p=1.), Zoom(1., 1.2, p=1.), Warp(.2, p=1.)],
         'crop': [RandomResizedCropGPU((80, 112), min_scale=.5)], 'larger': [Rotate(30, p=1., size=(150, 190))],
         'usual': aug_transforms(size=96, max_lighting=0.)}
ITEMS = {'none': None, 'crop': Resize((96, 120)), 'squish': Resize((96, 120), ResizeMethod.Squish), 'pad': Resize((128, 100), ResizeMethod.Pad, pad_mode='zeros'),
         'part': RandomResizedCrop((90, 120), min_scale=.6)}
SIZE = (192, 144)


def through(blocks, values, tfms=(), item_tfm=None, seed=0, training=True):
    "A batch of one, and its plan."
    with drawing(seed):
        parts = [b.encode(v) for b, v in zip(blocks, values)]
        if item_tfm is not None:
            plan = item_tfm.plan(parts[0], training)
            parts = [b.place(p, plan) for b, p in zip(blocks, parts)]
        batch = tuple(b.collate([b.to_tensor(p, parts[0])]) for b, p in zip(blocks, parts))
        plan = blocks[0].batch_plan(tfms, batch[0], training)
        batch = tuple(b.change(x, plan) for b, x in zip(blocks, batch))
    for i, b in enumerate(blocks): batch = b.tidy(batch, i)
    return batch, plan


def with_dot(at, r=5):
    yy, xx = np.mgrid[:SIZE[1], :SIZE[0]] + .5
    light = np.clip(r + .5 - np.hypot(xx - at[0], yy - at[1]), 0, 1)
    return Image.fromarray(np.repeat(np.uint8(255*light)[..., None], 3, axis=2))


def middle(x):
    "The mean place of all light in a picture (c, h, w), in pixels."
    light = x.float().sum(0)
    yy, xx = torch.meshgrid(torch.arange(x.shape[1]) + .5, torch.arange(x.shape[2]) + .5, indexing='ij')
    return torch.stack([(light*xx).sum(), (light*yy).sum()])/light.sum()


def with_box(box):
    picture = Image.new('RGB', SIZE)
    picture.paste((255, 255, 255), tuple(map(int, box)))
    return picture


def extent(x):
    rows, cols = (x[0] > .5).nonzero().T
    return torch.stack([cols.min(), rows.min(), cols.max() + 1, rows.max() + 1]).float()


def grown(x, by): return torch.nn.functional.max_pool2d(x[None, None].float(), 2*by + 1, 1, by)[0, 0] > 0


def zeros_beyond(tfms): return [Rotate(0, p=0., pad_mode='zeros'), *tfms]  # a mirror image at the edge would be light, too


@pytest.mark.parametrize('item', ITEMS)
@pytest.mark.parametrize('move', MOVES)
def test_a_point_moves_with_its_dot(move, item):
    inside = 0
    for seed in range(6):
        at = (80 + 8*seed, 84 - 6*seed)
        tfms = MOVES[move] if move == 'usual' else zeros_beyond(MOVES[move])
        (x, y), plan = through([ImageBlock(), PointBlock()], [with_dot(at), at], tfms, ITEMS[item], seed)
        h, w = x.shape[2:]
        (px, py), = PointBlock().decode(y[0], plan).tolist()
        if not (14 < px < w - 14 and 14 < py < h - 14): continue  # the dot is cut by the edge
        inside += 1
        assert math.hypot(*(torch.tensor([px, py]) - middle(x[0])).tolist()) < .6
    assert inside >= 2


@pytest.mark.parametrize('item', ITEMS)
@pytest.mark.parametrize('move', [name for name in MOVES if name != 'usual'])
def test_a_box_and_a_mask_move_with_what_they_show(move, item):
    blocks = [ImageBlock(), BBoxBlock(), MaskBlock(['ground', 'thing'])]
    for seed in range(4):
        box = (60 + 4*seed, 44, 112 + 4*seed, 90)
        picture = with_box(box)
        (x, y, mask), plan = through(blocks, [picture, [box], picture.convert('L').point(lambda v: v//255)], zeros_beyond(MOVES[move]), ITEMS[item], seed)
        assert (BBoxBlock().decode(y[0], plan)[0] - extent(x[0])).abs().max() < 2
        light, there = x[0, 0] > .5, mask[0] == 1
        by = 2 if move == 'larger' else 1  # pixels of the stacked picture are larger there
        assert (there <= grown(light, by)).all() and (light <= grown(there, by)).all(), 'the outlines lie within a pixel of each other'
        assert mask.dtype == torch.int64 and set(mask.unique().tolist()) <= {0, 1}


def test_only_what_is_out_of_sight_is_dropped_and_its_label_with_it():
    labels = BBoxLblBlock(['a', 'b', 'c'], add_na=False)
    boxes = [(0, 0, 10, 20), (90, 60, 110, 80), (150, 10, 192, 144)]
    for seed in range(20):
        (x, y, names), plan = through([ImageBlock(), BBoxBlock(), labels], [with_box(boxes[1]), boxes, ['a', 'b', 'c']], MOVES['all'], RandomResizedCrop(96, min_scale=.2), seed)
        kept = labels.decode(names[0])
        assert y.shape[1] == names.shape[1] == len(kept) and kept == sorted(kept)
        assert (y[0, :, 2:] > y[0, :, :2]).all() and (y.abs() <= 1).all()
        if 'b' in kept and (x[0] > .5).sum() > 30: assert (BBoxBlock().decode(y[0], plan)[kept.index('b')] - extent(x[0])).abs().max() < 2.5


def scene_block(**options):
    def scene(i): return draw_shapes(['moon', 'star'][:1 + i % 2], SIZE, seed=i)
    return DataBlock(blocks=(ImageBlock, BBoxBlock, BBoxLblBlock), n_inp=1, get_items=list, splitter=IndexSplitter([0, 1]),
                     getters=[lambda i: scene(i).image, lambda i: scene(i).boxes, lambda i: scene(i).labels], **options)


def test_pictures_with_fewer_boxes_are_filled_up():
    dls = scene_block(item_tfms=Resize((96, 128))).dataloaders(range(10), bs=4, device='cpu', seed=0)
    x, boxes, labels = dls.valid.one_batch()
    assert boxes.shape == (2, 2, 4) and labels.tolist() == [[1, 0], [1, 2]] and (boxes[0, 1] == 0).all()
    assert dls.vocab == ('#na#', 'moon', 'star') and dls.decode((x, boxes, labels))[0][2] == ['moon']
    assert not torch.cat([b.flatten() for _, b, _ in dls.train]).isnan().any()


def test_a_mask_never_holds_a_class_that_was_not_there():
    mask = with_box((60, 44, 112, 90)).convert('L').point(lambda v: 200*(v > 0))
    for item in ITEMS.values():
        (_, y), _ = through([ImageBlock(), MaskBlock()], [with_box((60, 44, 112, 90)), mask], MOVES['all'], item)
        assert y.unique().tolist() == [0, 200]


def test_what_fills_up_is_left_out_by_losses_where_there_is_no_class_for_it():
    labels = BBoxLblBlock(['a', 'b'], add_na=False)
    boxes = torch.tensor([[[0., 0., 1., 1.]]*2, [[0., 0., 1., 1.], [math.nan]*4]])
    batch = (boxes, labels.collate([labels.encode(['a', 'b']), labels.encode(['b'])]))
    for i, block in enumerate((BBoxBlock(), labels)): batch = block.tidy(batch, i)
    assert batch[1].tolist() == [[0, 1], [1, -100]] and labels.decode(batch[1][1]) == ['b']


def test_encoding_leaves_its_input_alone():
    given = torch.tensor([[1., 2.]])
    PointBlock().encode(given).add_(1)
    assert given.tolist() == [[1., 2.]]


def test_no_box_at_all():
    for rows in ([[], []], [[(1, 1, 5, 5)], []]):
        parts = [BBoxBlock().to_tensor(BBoxBlock().encode(r), Image.new('RGB', SIZE)) for r in rows]
        boxes, = BBoxBlock().tidy((BBoxBlock().collate(parts),), 0)
        assert boxes.shape == (2, len(rows[0]), 4) and not boxes.isnan().any()


@pytest.mark.parametrize('threads', [0, 2])
def test_a_whole_batch_through_loaders(threads):
    places = [(60. + 9*i, 40. + 5*i) for i in range(10)]
    block = DataBlock(blocks=(ImageBlock, PointBlock), get_items=list, get_x=with_dot, get_y=tuple, splitter=IndexSplitter([0, 1]),
                      item_tfms=Resize((108, 144)), batch_tfms=[*MOVES['all'], Normalize([.5]*3, [.25]*3)])
    dls = block.datasets(places).dataloaders(bs=4, item_tfms=block.item_tfms, batch_tfms=block.batch_tfms, num_workers=threads, device='cpu', seed=1)
    seen = 0
    for batch in dls.train:
        for picture, points in dls.decode(batch):
            if 14 < points[0, 0] < 130 and 14 < points[0, 1] < 94:
                seen += 1
                assert (middle(picture) - points[0]).norm() < .6
    assert seen >= 4 and dls.c == 2


def test_the_same_seed_moves_alike_and_validation_moves_nothing():
    def batches(seed): return list(scene_block(item_tfms=Resize((96, 128)), batch_tfms=MOVES['all']).dataloaders(range(10), bs=8, device='cpu', seed=seed).train)
    (x, y, _), (x2, y2, _), (x3, _, _) = (batches(s)[0] for s in (3, 3, 4))
    assert torch.equal(x, x2) and torch.equal(y, y2) and not torch.equal(x, x3)
    (x, y), plan = through([ImageBlock(), PointBlock()], [with_dot((50, 60)), (50, 60)], MOVES['all'], training=False)
    assert PointBlock().decode(y[0], plan)[0].tolist() == pytest.approx([50, 60], abs=1e-3)


def test_predictions_are_decoded_as_targets_are():
    (x, y), plan = through([ImageBlock(), PointBlock(1)], [with_dot((50, 60)), (50, 60)], item_tfm=Resize((72, 96)), training=False)
    xy, raw, _ = PointBlock(1).decode_pred(y.flatten(), torch.nn.Identity(), plan)
    assert xy.tolist() == [pytest.approx([25, 30], abs=1e-3)] and raw.shape == (1, 2)
    scores = torch.zeros(3, 4, 5)
    scores[2, 1:3] = 9.
    shown, index, probs = MaskBlock(['a', 'b', 'c']).decode_pred(scores, lambda s: s.softmax(1), None)
    assert shown.tolist() == index.tolist() and set(shown[1].tolist()) == {2} and probs.shape == (3, 4, 5)


def test_pictures_are_decoded_without_their_normalisation():
    picture = draw_shapes(['moon'], SIZE, seed=2).image
    (x,), plan = through([ImageBlock()], [picture], [Normalize([.4, .5, .6], [.2, .25, .3])])
    assert x.min() < 0 and (ImageBlock().decode(x[0], plan) - torch.from_numpy(np.array(picture)).permute(2, 0, 1)/255).abs().max() < 1e-5
    assert ImageBlock(PILImageBW).to_tensor(ImageBlock(PILImageBW).encode(picture), None).shape == (1, 144, 192)


BLOCKS = [ImageBlock(), ImageBlock(PILImageBW), PointBlock(), PointBlock(3), BBoxBlock(), BBoxLblBlock(['#na#', 'cat']), BBoxLblBlock(add_na=False), MaskBlock(), MaskBlock(['a', 'b'])]
GETTERS = [parent_label, RegexLabeller(r'(.+)_\d+', match=True), using_attr(RegexLabeller('(.)'), 'name'), ColReader(['a', 0], label_delim=' '), ItemGetter(1), AttrGetter('name', 'none')]


@pytest.mark.parametrize('value', BLOCKS + GETTERS, ids=lambda v: getattr(v, '__name__', repr(v)))
def test_is_rebuilt_from_its_recipe(value):
    again = from_recipe(json.loads(json.dumps(to_recipe(value))))
    assert again == value and type(again) is type(value) and 'function' not in json.dumps(to_recipe(value)).replace('"name"', '')


def test_another_default_device_does_not_reign():
    try:
        torch.set_default_device('meta')
        lead = Image.new('RGB', SIZE)
        plan = Resize(96).plan(lead, False)
        xy, boxes = PointBlock().encode((50, 60)), BBoxBlock().encode([(1, 2, 30, 40)])
        done = [PointBlock().to_tensor(PointBlock().place(xy, plan), lead), BBoxBlock().to_tensor(BBoxBlock().place(boxes, plan), lead), BBoxLblBlock(['a']).encode(['a'])]
        batch = BBoxBlock().tidy((BBoxBlock().collate([done[1]]), BBoxLblBlock(['a']).collate([done[2]])), 0)
    finally: torch.set_default_device(None)
    assert {x.device.type for x in [*done, *batch]} == {'cpu'}


WRONG = {'three numbers': (PointBlock(), [1, 2, 3], 'pair'), 'another count': (PointBlock(2), [1, 2], 'as many'), 'width and height': (BBoxBlock(), [50, 50, 20, 10], 'COCO'),
         'two corners': (BBoxBlock(), [[1, 2], [3, 4]], 'left, top'), 'one label': (BBoxLblBlock(['cat']), 'cat', 'list'), 'unknown': (BBoxLblBlock(['cat'], add_na=False), ['dog'], "'dog'"),
         'white mask': (MaskBlock(['a', 'b']), Image.new('L', (4, 4), 255), '255')}


@pytest.mark.parametrize('block, value, words', WRONG.values(), ids=WRONG)
def test_what_cannot_be_read_is_named(block, value, words):
    with pytest.raises(ValueError, match=words): block.encode(value)


def test_boxes_and_labels_of_other_counts_are_told():
    block = scene_block(item_tfms=Resize(64))
    odd = DataBlock(blocks=block.blocks, n_inp=1, get_items=list, splitter=IndexSplitter([0]), getters=[*block.getters[:2], lambda i: ['moon']], item_tfms=Resize(64))
    with pytest.raises(StageError, match=r'Picture \d of this batch has 2 boxes and 1 labels; \d of 4 pictures'): odd.dataloaders(range(6), bs=4, device='cpu').one_batch()


class Head(torch.nn.Module):
    "The same outputs for every picture."
    def __init__(self, *outs):
        super().__init__()
        self.outs = torch.nn.ParameterList(torch.tensor(out) for out in outs)
    def forward(self, x):
        outs = tuple(out.expand(len(x), *out.shape) for out in self.outs)
        return outs if len(outs) > 1 else outs[0]


def no_loss(preds, *targs): return (preds[0] if isinstance(preds, tuple) else preds).sum()*0


BOXES = [[-1., -1., 0., 0.], [0., 0., 1., 1.], [0., 0., 0., 0.]]
SCORES = [[0., 3., 1.], [0., 1., 3.], [3., 0., 1.]]


@pytest.mark.parametrize('boxes', [BOXES, [v for box in BOXES for v in box]], ids=['rows', 'flat'])
@pytest.mark.parametrize('named', [False, True])
def test_boxes_are_predicted_through_a_learner(boxes, named):
    import matplotlib
    matplotlib.use('Agg')
    from dlcourse.core.names import plt
    whole = scene_block(item_tfms=Resize((96, 128)))
    block = whole if named else DataBlock((ImageBlock, BBoxBlock), get_items=list, splitter=IndexSplitter([0, 1]), getters=whole.getters[:2], item_tfms=Resize((96, 128)))
    dls = block.dataloaders(range(8), bs=4, device='cpu')
    learn = Learner(dls, Head(boxes, SCORES) if named else Head(boxes), loss_func=no_loss)
    said, index, probs = learn.predict(3)
    found = said[0] if named else said
    assert found.tolist() == [[0, 0, 64, 48], [64, 48, 128, 96]]
    if named: assert said[1] == ['moon', 'star'] and index[1].tolist() == [1, 2, 0] and probs[1].shape == (3, 3)
    learn.show_results()
    axes = plt.gcf().axes
    assert [len(ax.patches) for ax in axes] == [1, 2, 2, 2]
    plt.close('all')


def test_what_a_detection_head_says_is_refused_by_name():
    dls = scene_block(item_tfms=Resize(32)).dataloaders(range(8), bs=4, device='cpu')
    for outs in ([[[BOXES]], SCORES], [BOXES, [[0.]*5]]):
        with pytest.raises(TypeError, match='has to be decoded to boxes first'): Learner(dls, Head(*outs), loss_func=no_loss).predict(3)


# ---- loaders in one call ----

@pytest.fixture(scope='module')
def shapes(tmp_path_factory): return shapes_folder(tmp_path_factory.mktemp('sets')/'shapes', n=3)


COMMON = dict(item_tfms=Resize(32), bs=4, device='cpu', num_workers=0)


def test_image_dataloaders(shapes, tmp_path):
    files, table = get_image_files(shapes), pd.read_csv(shapes/'labels.csv')
    classes = tuple(sorted(SHAPES))
    made = [ImageDataLoaders.from_folder(shapes, valid_pct=.3, seed=2, **COMMON), ImageDataLoaders.from_path_func(shapes, files, parent_label, valid_pct=.3, seed=2, **COMMON),
            ImageDataLoaders.from_name_func(shapes, files, lambda name: name.split('_')[0], valid_pct=.3, seed=2, **COMMON),
            ImageDataLoaders.from_name_re(shapes, files, r'(.+)_\d+', valid_pct=.3, seed=2, **COMMON), ImageDataLoaders.from_path_re(shapes, files, r'/([^/]+)/[^/]+$', valid_pct=.3, seed=2, **COMMON),
            ImageDataLoaders.from_lists(shapes, table['name'].tolist(), table['label'].tolist(), valid_pct=.3, seed=2, **COMMON),
            ImageDataLoaders.from_df(table, shapes, valid_pct=.3, seed=2, **COMMON), ImageDataLoaders.from_csv(shapes, valid_pct=.3, seed=2, **COMMON)]
    for dls in made:
        assert dls.vocab == classes and dls.valid.n == 7 and dls.path == shapes
        assert dls.one_batch()[0].shape == (4, 3, 32, 32)
    assert made[0].valid.one_batch()[1].tolist() == made[1].valid.one_batch()[1].tolist() == made[3].valid.one_batch()[1].tolist()


def test_targets_of_image_dataloaders(shapes):
    table = pd.read_csv(shapes/'labels.csv')
    names = table['name'].tolist()
    floats = ImageDataLoaders.from_lists(shapes, names, table['x'].tolist(), seed=0, **COMMON)
    several = ImageDataLoaders.from_lists(shapes, names, [[x, 'shape'] for x in table['label']], seed=0, **COMMON)
    points = ImageDataLoaders.from_df(table, shapes, label_col=['x', 'y'], y_block=PointBlock, seed=0, **COMMON)
    grey = ImageDataLoaders.from_df(table, shapes, fn_col='name', label_col='label', img_cls=PILImageBW, seed=0, **COMMON)
    kinds = [type(dls.train.blocks[1]) for dls in (floats, several, points, grey)]
    assert kinds == [RegressionBlock, MultiCategoryBlock, PointBlock, CategoryBlock] and (points.c, grey.one_batch()[0].shape[1]) == (2, 1)
    table['tags'], table['held'] = table['label'] + ';all', [i % 3 == 0 for i in range(len(table))]
    cut = ImageDataLoaders.from_df(table, shapes, label_col='tags', label_delim=';', valid_col='held', **COMMON)
    assert 'all' in cut.vocab and cut.valid.n == 8


def test_labels_and_names_come_in_any_form(shapes):
    table = pd.read_csv(shapes/'labels.csv')
    for labels in (table['x'].to_numpy(np.float32), torch.tensor(table['x'].to_numpy()), table[['x', 'y']].to_numpy(np.float32)):
        assert isinstance(ImageDataLoaders.from_lists(shapes, table['name'], labels, seed=0, **COMMON).train.blocks[1], RegressionBlock)
    drawn = ImageDataLoaders.from_lists(shapes, (name for name in table['name']), (label for label in table['label']), seed=0, **COMMON)
    assert drawn.vocab == tuple(sorted(SHAPES)) and drawn.train.n + drawn.valid.n == len(table)


@pytest.mark.parametrize('kind', [int, bool, float])
def test_columns_of_ones_and_zeros_name_their_classes(shapes, kind):
    table = pd.read_csv(shapes/'labels.csv')
    for name in ('moon', 'star'): table[name] = (table['label'] == name).astype(kind)
    dls = ImageDataLoaders.from_df(table, shapes, label_col=['moon', 'star'], seed=0, **COMMON)
    assert dls.vocab == ('moon', 'star') and dls.c == 2
    for item, target in zip(dls.train_ds.items['label'], (dls.train_ds[i][1] for i in range(len(dls.train_ds)))): assert target.tolist() == [item == 'moon', item == 'star']
    assert ImageDataLoaders.from_df(table, shapes, label_col=['label', 'name'], seed=0, **{**COMMON, 'y_block': MultiCategoryBlock(add_na=True)}).vocab[0] == '#na#'


def test_what_is_not_there_is_named(shapes, tmp_path):
    table = pd.read_csv(shapes/'labels.csv')
    (tmp_path/'train').mkdir()
    with pytest.raises(FileNotFoundError, match="no folder 'trian' in .*; there is train. Say folder="): ImageDataLoaders.from_df(table, tmp_path, folder='trian', **COMMON)
    table.to_csv(tmp_path/'tags.csv')
    with pytest.raises(FileNotFoundError, match="no file 'labels.csv' in .*; there is tags.csv. Say csv_fname="): ImageDataLoaders.from_csv(tmp_path, **COMMON)


def test_grey_pictures_and_statistics_of_colours(shapes):
    block = DataBlock((ImageBlock(PILImageBW), CategoryBlock(list(SHAPES))), get_items=get_image_files, get_y=parent_label, item_tfms=Resize(32), batch_tfms=Normalize.from_stats(*imagenet_stats))
    with pytest.raises(StageError, match='Normalize has statistics of 3 channels'): block.dataloaders(shapes, bs=2, device='cpu').one_batch()
    with pytest.raises(ValueError, match='from_stats'): block.new(batch_tfms=Normalize).dataloaders(shapes, device='cpu')


def test_train_and_valid_folders(tmp_path):
    for side, n in (('train', 3), ('holdout', 2)):
        for name in ('moon', 'star'):
            for i in range(n):
                path = tmp_path/side/name/f'{i}.png'
                path.parent.mkdir(parents=True, exist_ok=True)
                draw_shapes([name], (40, 30), seed=i).image.save(path)
    dls = ImageDataLoaders.from_folder(tmp_path, valid='holdout', vocab=['star', 'moon'], **COMMON)
    assert dls.vocab == ('star', 'moon') and (dls.train.n, dls.valid.n) == (6, 4)


# ---- shown, and told ----

def test_every_kind_is_shown():
    import matplotlib
    matplotlib.use('Agg')
    from dlcourse.core.names import plt
    dls = scene_block(item_tfms=Resize(64), batch_tfms=MOVES['all']).dataloaders(range(10), bs=8, device='cpu', seed=0)
    dls.show_batch(max_n=4)
    axes = plt.gcf().axes
    names = [[t.get_text() for t in ax.texts] for ax in axes]
    assert sum(map(len, names)) == sum(len(ax.patches) for ax in axes) > 3 and {t for n in names for t in n} <= {'moon', 'star'}
    for target, get_y in ((PointBlock, lambda i: (90, 60)), (MaskBlock(['a', 'b']), lambda i: draw_shapes(['star'], SIZE, seed=i).mask)):
        block = DataBlock(blocks=(ImageBlock, target), get_items=list, get_x=lambda i: draw_shapes(['star'], SIZE, seed=i).image, get_y=get_y, splitter=IndexSplitter([0]), item_tfms=Resize(64))
        shown = block.dataloaders(range(6), bs=4, device='cpu')
        shown.show_batch(max_n=4)
        xb, yb = shown.valid.one_batch()
        shown.show_results((xb, yb), yb.flatten(1) if target is PointBlock else torch.nn.functional.one_hot(yb, 2).permute(0, 3, 1, 2).float())
        assert plt.gcf().axes
    plt.close('all')


def test_a_drawing_stays_within_the_picture():
    import matplotlib
    matplotlib.use('Agg')
    from dlcourse.core.names import plt
    ax = plt.figure(figsize=(2, 2)).add_subplot()
    ImageBlock().show(Image.new('RGB', SIZE), ax)
    before = ax.get_xlim(), ax.get_ylim()
    PointBlock().show(torch.tensor([[-90., 400.], [20., 30.]]), ax)
    assert (ax.get_xlim(), ax.get_ylim()) == before
    BBoxBlock().show(torch.tensor([[10., 0., 60., 50.], [70., 60., 120., 120.]]), ax)
    BBoxLblBlock(['#na#', 'moon']).show(['moon', 'moon'], ax)
    ax.figure.canvas.draw()
    frame = ax.get_window_extent()
    for text in ax.texts:
        extent = text.get_window_extent()
        assert frame.y0 <= extent.y0 and extent.y1 <= frame.y1
    plt.close('all')


def test_summary_says_every_stage_and_stops_at_the_first_that_fails(shapes):
    block = DataBlock(blocks=(ImageBlock, PointBlock), get_items=get_image_files, get_y=lambda f: (90., 60.), item_tfms=Resize(64), batch_tfms=aug_transforms(size=48))
    told = block.summary(shapes)
    assert told.error is None and '24, the first' in told and 'RGB' in told and 'Tensor (4, 3, 48, 48) float32' in told and '2 outputs' in told and 'flat_mse' in told
    late = DataBlock(blocks=(ImageBlock, CategoryBlock), get_items=get_image_files, get_y=RegexLabeller(r'(star)_\d'), item_tfms=Resize(64)).summary(shapes)
    assert late.error.stage == 'get_y' and 'finds no label' in late and 'stacked' not in late
    ragged = block.new(item_tfms=[]).summary(shapes, bs=24)
    assert 'collate' in ragged.error.stage and 'Resize(' in ragged and 'It stops here' in ragged
    assert block.summary(shapes/'nowhere').error is not None
    assert block.dataloaders(shapes, bs=4, device='cpu').summary().error is None


def test_a_dropped_box_takes_its_label_along_wherever_the_labels_stand():
    boxes, labels, plain = (lambda i: [[0, 0, 5, 10], [200, 20, 260, 60]]), (lambda i: ['a', 'b']), (lambda i: 'xy'[i % 2])
    picture = lambda i: np.zeros((80, 100, 3), np.uint8)  # noqa: E731
    for blocks, getters in (((BBoxLblBlock, BBoxBlock), [labels, boxes]), ((BBoxBlock, CategoryBlock, BBoxLblBlock), [boxes, plain, labels])):
        dls = DataBlock((ImageBlock, *blocks), n_inp=1, get_x=picture, get_y=getters, splitter=IndexSplitter([0]),
                        item_tfms=Resize(40, 'squish')).dataloaders(range(5), bs=2, num_workers=0, device='cpu')
        batch = dls.one_batch()
        found = batch[1 + blocks.index(BBoxLblBlock)]
        assert found.tolist() == [[1], [1]] and batch[1 + blocks.index(BBoxBlock)].shape == (2, 1, 4)
