"Resizing, random crops and normalising: the same lots as the field's, points that move with pixels, strange pictures, settings written down."
import json
import math
import random
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from dlcourse.core.chance import drawing
from dlcourse.core.recipe import RecipeError, described, from_recipe, to_recipe
from dlcourse.core.standins import photo
from dlcourse.core.testing import assert_tensor
from dlcourse.vision import placement
from dlcourse.vision.images import cv2_or_none
from dlcourse.vision.placement import PadMode, Placement
from dlcourse.vision.transforms import Normalize, RandomResizedCrop, Resize, ResizeMethod, imagenet_stats

MODES = (PadMode.Zeros, PadMode.Border, PadMode.Reflection)
METHODS = (ResizeMethod.Crop, ResizeMethod.Squish, ResizeMethod.Pad)
SHARES = (.05, .25, .5, .75, .95)
# Quantiles of torchvision's RandomResizedCrop.get_params, scale=(min_scale, 1), ratio=(3/4, 4/3): 40,000 boxes drawn with version 0.28's own code.
FIELD = {(640, 427, .08): {'area': (.108, .229, .380, .530, .725), 'ratio': (-.248, -.106, .049, .175, .266), 'left': (.022, .108, .220, .362, .558)},
         (640, 427, .35): {'area': (.366, .432, .515, .619, .766), 'ratio': (-.230, -.064, .083, .193, .270), 'left': (.017, .087, .177, .284, .422)},
         (200, 1000, .08): {'area': (.088, .120, .162, .243), 'ratio': (), 'left': ()}}


def boxes(transform, size, n, seed=0):
    "n boxes (left, top, right, bottom) for a picture of that size."
    img = Image.new('L', size)
    with drawing(seed): return np.array([transform.plan(img, True).box for _ in range(n)])


def measured(b, size):
    return {'area': (b[:, 2] - b[:, 0])*(b[:, 3] - b[:, 1])/(size[0]*size[1]), 'ratio': np.log((b[:, 2] - b[:, 0])/(b[:, 3] - b[:, 1])), 'left': b[:, 0]/size[0]}


def distance(a, b):
    "Largest gap between the cumulated shares of two samples."
    at = np.concatenate([a, b])
    return abs(np.searchsorted(np.sort(a), at, 'right')/len(a) - np.searchsorted(np.sort(b), at, 'right')/len(b)).max()


# ---- the lots ----

@pytest.mark.parametrize('size', FIELD, ids=str)
def test_boxes_are_drawn_like_torchvision(size):
    *wh, min_scale = size
    found = measured(boxes(RandomResizedCrop(64, min_scale), tuple(wh), 4000), wh)
    for what, quantiles in FIELD[size].items():
        for share, q in zip(SHARES, quantiles): assert abs((found[what] <= q).mean() - share) < .03, (what, share)


def documented(rng, W, H, scale, ratio):
    "The procedure as torchvision documents it: an independent twin, with another source of random numbers."
    for _ in range(10):
        area, shape = W*H*rng.uniform(*scale), math.exp(rng.uniform(*map(math.log, ratio)))
        w, h = round(math.sqrt(area*shape)), round(math.sqrt(area/shape))
        if 0 < w <= W and 0 < h <= H:
            left, top = rng.randint(0, W - w), rng.randint(0, H - h)
            return left, top, left + w, top + h
    w, h = (W, round(W/ratio[0])) if W/H < ratio[0] else (round(H*ratio[1]), H) if W/H > ratio[1] else (W, H)
    return (W - w)//2, (H - h)//2, (W - w)//2 + w, (H - h)//2 + h


@pytest.mark.parametrize('size, scale, ratio', [((640, 427), (.08, 1), (3/4, 4/3)), ((427, 640), (.35, 1), (3/4, 4/3)), ((50, 37), (.2, .6), (1/2, 3)), ((1000, 90), (.3, 1), (3/4, 4/3))])
def test_boxes_are_drawn_as_documented(size, scale, ratio):
    rng, n = random.Random(1), 4000
    ours = boxes(RandomResizedCrop(64, scale[0], ratio, max_scale=scale[1]), size, n, seed=1)
    theirs = np.array([documented(rng, *size, scale, ratio) for _ in range(n)])
    for side in range(4): assert distance(ours[:, side], theirs[:, side]) < 1.95*math.sqrt(2/n)
    for what, values in measured(ours, size).items(): assert distance(values, measured(theirs, size)[what]) < 1.95*math.sqrt(2/n), what


def test_places_of_a_box_are_equally_likely():
    "Chi-square over all places: 11 across and 6 down, 65 degrees of freedom, 99.9% below 107."
    b = boxes(RandomResizedCrop(8, .25, (1, 1), max_scale=.25), (20, 20), 1) # 10x10 in 20x20 has 11x11 places
    assert b[0, 2] - b[0, 0] == 10
    b = boxes(RandomResizedCrop(8, .5, (2, 2), max_scale=.5), (20, 10), 6600)  # 14x7: 7 by 4 places
    counts = np.unique(b[:, 0]*100 + b[:, 1], return_counts=True)[1]
    assert len(counts) == 7*4 and ((counts - 6600/28)**2/(6600/28)).sum() < 55.5  # 27 degrees, 99.9%


def test_a_crop_slides_along_the_long_side_alone():
    b = boxes(Resize(10), (24, 20), 5000)
    assert set(b[:, 1]) == {0} and set(b[:, 2] - b[:, 0]) == {20}
    counts = np.unique(b[:, 0], return_counts=True)
    assert counts[0].tolist() == [0, 1, 2, 3, 4] and ((counts[1] - 1000)**2/1000).sum() < 18.5  # 4 degrees, 99.9%


def test_half_the_field_is_chosen_by_the_logarithm():
    b = boxes(RandomResizedCrop(8, .05, (1/4, 4), max_scale=.05), (1000, 1000), 3000)
    wide = (b[:, 2] - b[:, 0] > b[:, 3] - b[:, 1]).mean()
    assert abs(wide - .5) < .03


@pytest.mark.parametrize('way', [Resize(32), Resize(32, 'pad'), RandomResizedCrop(32)], ids=lambda w: type(w).__name__)
def test_chance_comes_from_the_drawing_alone(way):
    img = Image.new('RGB', (50, 40))
    def draw(seed):
        with drawing(seed): return [way.plan(img, True).box for _ in range(5)]
    torch.manual_seed(3)
    state, numpy, python = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    assert draw(1) == draw(1) != draw(2)
    with ThreadPoolExecutor(4) as pool: assert list(pool.map(draw, [5]*8)) == [draw(5)]*8
    assert torch.equal(torch.get_rng_state(), state) and (np.random.get_state()[1] == numpy).all() and random.getstate() == python


def test_validation_draws_nothing():
    state = torch.get_rng_state()
    for way in (*(Resize(32, m) for m in METHODS), RandomResizedCrop(32)):
        assert way.plan(Image.new('L', (50, 40)), False) == way.plan(Image.new('L', (50, 40)), False)
    assert torch.equal(torch.get_rng_state(), state)


# ---- where things go ----

def centroid(img):
    a = np.asarray(img, float)
    return torch.tensor([(a*(np.arange(img.width) + .5)).sum(), (a*(np.arange(img.height) + .5)[:, None]).sum()]).double()/a.sum()


def blob(w, h, x, y, r=9):
    "A soft white dot whose middle is known."
    yy, xx = np.mgrid[:h, :w] + .5
    return Image.fromarray((255*np.exp(-((xx - x)**2 + (yy - y)**2)/(2*(r/3)**2))).round().astype(np.uint8))


@pytest.mark.parametrize('seed', range(25))
def test_points_move_with_the_pixels(seed, monkeypatch):
    rng = np.random.RandomState(seed)
    monkeypatch.setenv('DLCOURSE_FAST', str(seed % 2))
    w, h = rng.randint(60, 200, 2).tolist()
    x, y = rng.uniform(25, w - 25), rng.uniform(25, h - 25)
    img = blob(w, h, x, y)
    size = tuple(rng.randint(40, 160, 2).tolist())
    ways = [Resize(size[::-1], m, PadMode.Zeros) for m in METHODS] + [RandomResizedCrop(size[::-1], .6)]
    with drawing(seed): plans = [way.plan(img, training) for way in ways for training in (True, False)]
    plans.append(Placement((*rng.uniform(-30, 10, 2), w + rng.uniform(-5, 30), h + rng.uniform(-5, 30)), size, PadMode.Zeros))
    for plan in plans:
        at = plan.points(torch.tensor([x, y]).double())
        margin = torch.tensor(plan.scale)*12 + 1
        if ((at > margin) & (at < torch.tensor(size) - margin)).all(): assert (centroid(plan.image(img)) - at).abs().max() < .15, plan


def test_corners_of_the_box_are_the_corners_of_the_result():
    plan = Placement((-3.5, 2.25, 40, 99), (31, 17))
    assert_tensor(plan.points(torch.tensor([[-3.5, 2.25], [40., 99.]])), [[0., 0.], [31., 17.]])
    assert plan.points(torch.zeros(0, 2)).shape == (0, 2) and plan.points(torch.zeros(3, 2, 2, dtype=torch.float64)).dtype == torch.float64
    xy = torch.ones(2, 2)
    plan.points(xy)
    assert_tensor(xy, torch.ones(2, 2))


def test_masks_keep_their_numbers_and_their_places():
    "A mask and a picture of the same scene agree about where the border is."
    a = np.zeros((90, 130), np.uint8)
    a[30:70, 50:110] = 7
    img, mask = Image.fromarray(a*36), Image.fromarray(a)
    for method in METHODS:
        with drawing(2): plan = Resize((50, 60), method, PadMode.Zeros).plan(img, True)
        bright, label = np.asarray(plan.image(img)) > 126, np.asarray(plan.mask(mask))
        assert set(np.unique(label)) == {0, 7} and (bright != (label == 7)).mean() < .04


@pytest.mark.parametrize('size', [(1, 1), (1, 5000), (5000, 1), (3, 2), (2, 700)], ids=str)
@pytest.mark.parametrize('training', [True, False])
def test_strange_pictures_become_whole_ones(size, training):
    start = time.perf_counter()
    for mode in ('RGB', 'L'):
        img = Image.new(mode, size, (9,)*len(mode) if mode == 'RGB' else 9)
        for out in (1, 7, (30, 224)):
            for way in (*(Resize(out, m, p) for m in METHODS for p in MODES[1:]), RandomResizedCrop(out)):
                plan = way.plan(img, training)
                h, w = way.size
                done = plan.image(img)
                assert done.size == (w, h) and done.mode == mode and set(np.asarray(done).flatten()) == {9}, way
                assert plan.mask(img.convert('L')).size == (w, h)
    assert time.perf_counter() - start < 20


def test_padding_fills_what_is_asked():
    img = Image.fromarray(np.arange(1, 13, dtype=np.uint8).reshape(3, 4))
    by = {mode: np.asarray(Resize(4, 'pad', mode).plan(Image.new('L', (4, 2)), False).image(Image.fromarray(np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.uint8)))).tolist() for mode in MODES}
    assert by[PadMode.Zeros] == [[0]*4, [1, 2, 3, 4], [5, 6, 7, 8], [0]*4]
    assert by[PadMode.Border] == by[PadMode.Reflection] == [[1, 2, 3, 4], [1, 2, 3, 4], [5, 6, 7, 8], [5, 6, 7, 8]]
    assert np.asarray(Placement((-2, 0, 4, 3), (6, 3)).image(img))[0].tolist() == [2, 1, 1, 2, 3, 4]
    row = Image.fromarray(np.array([[10, 20, 30]], np.uint8))  # three pixels to a cell; the first holds two beyond the edge
    cells = {mode: np.asarray(Placement((-2, 0, 4, 1), (2, 1), mode).image(row, Image.Resampling.BOX))[0].tolist() for mode in MODES}
    assert cells == {PadMode.Zeros: [3, 17], PadMode.Border: [10, 27], PadMode.Reflection: [13, 27]}


@pytest.mark.parametrize('mode', MODES)
def test_margins_equal_those_of_a_picture_padded_first(mode):
    "The slow way: pad the source as far as needed, then resize a box of it. Copied cells stand up to half a pixel off, so the picture is a soft one."
    img, kind = photo().resize((64, 43)).filter(ImageFilter.GaussianBlur(3)), {'zeros': 'constant', 'border': 'edge', 'reflection': 'symmetric'}[mode]
    big = Image.fromarray(np.pad(np.asarray(img), ((100, 100), (100, 100), (0, 0)), kind))
    for seed in range(20):
        rng = np.random.RandomState(seed)
        (x0, y0), (x1, y1) = rng.randint(-40, 30, 2).tolist(), rng.randint(50, 120, 2).tolist()
        size = tuple(rng.randint(60, 120, 2).tolist())
        got = np.asarray(Placement((x0, y0, x1, y1), size, mode).image(img, Image.Resampling.BOX), float)
        want = np.asarray(big.resize(size, Image.Resampling.BOX, box=(x0 + 100, y0 + 100, x1 + 100, y1 + 100)), float)
        assert np.abs(got - want).mean() < 6, (seed, np.abs(got - want).mean())


# ---- two routes ----

def routes(plan, img, monkeypatch):
    found = []
    for fast in '10':
        monkeypatch.setenv('DLCOURSE_FAST', fast)
        found.append(np.asarray(plan.image(img), float))
    return found


@pytest.mark.parametrize('out', [(460, 460), (224, 224), (64, 100), (700, 500)], ids=str)
@pytest.mark.parametrize('name', ['china', 'flower'])
def test_opencv_and_pillow_give_near_equal_pixels(out, name, monkeypatch):
    monkeypatch.setenv('DLCOURSE_FAST', '1')
    if cv2_or_none() is None: pytest.skip('OpenCV is not installed')
    img = photo(name)
    with drawing(4): plans = [way.plan(img, True) for way in (*(Resize(out, m) for m in METHODS), RandomResizedCrop(out, .3))]
    for plan in plans:
        fast, slow = routes(plan, img, monkeypatch)
        assert fast.shape == slow.shape and np.abs(fast - slow).mean() < 4 and np.quantile(np.abs(fast - slow), .99) < 26, plan
        assert abs(fast.mean() - slow.mean()) < .6


def test_the_draws_are_the_same_on_both_routes(monkeypatch):
    found = []
    for fast in '10':
        monkeypatch.setenv('DLCOURSE_FAST', fast)
        found.append(boxes(RandomResizedCrop(64), (640, 427), 50))
    assert (found[0] == found[1]).all()


def test_shrinking_averages(monkeypatch):
    "Fine stripes become grey on both routes, and no moire."
    stripes = Image.fromarray((np.arange(512) % 2*255).astype(np.uint8)[None].repeat(512, 0))
    for fast in '10':
        monkeypatch.setenv('DLCOURSE_FAST', fast)
        low, high = Resize(64)(stripes).getextrema()
        assert 120 <= low <= high <= 135


def test_one_resampling_for_a_picture(monkeypatch):
    "Whatever the plan: Pillow's or OpenCV's resize is called once, and not at all where the sizes agree."
    calls, img = [], photo().resize((90, 60))
    monkeypatch.setattr(placement, '_by_opencv', lambda *args: None)
    resize = Image.Image.resize
    monkeypatch.setattr(Image.Image, 'resize', lambda self, *args, **kw: calls.append(1) or resize(self, *args, **kw))
    for plan in (Placement((0, 0, 50, 50), (32, 32)), Placement((-9.3, -4, 120, 70), (32, 48)), Resize(20, 'pad').plan(img, False), RandomResizedCrop(30).plan(img, True)):
        calls.clear()
        plan.image(img)
        assert len(calls) == 1, plan
    calls.clear()
    assert Placement((10, 5, 42, 37), (32, 32)).image(img).tobytes() == img.crop((10, 5, 42, 37)).tobytes() and not calls


def test_pictures_are_left_as_they_were():
    img = photo().resize((60, 40))
    before = img.tobytes()
    for way in (*(Resize(33, m, p) for m in METHODS for p in MODES), RandomResizedCrop(33)): way(img, training=True)
    assert img.tobytes() == before


# ---- normalising ----

@pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize('shape', [(2, 3, 4, 3), (1, 3, 3, 5), (3, 2, 2)], ids=str)
def test_normalize_and_back(dtype, shape):
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    norm, before = Normalize.from_stats(*imagenet_stats), x.clone()
    mean, std = (torch.tensor(s, dtype=dtype)[:, None, None] for s in imagenet_stats)
    loose = dict(rtol=0, atol={torch.float16: 5e-3, torch.bfloat16: 4e-2}.get(dtype, 1e-5))
    assert_tensor(norm(x), (x - mean)/std, **loose)
    assert_tensor(norm.undo(norm(x)), x, **loose)
    assert_tensor(x, before)


def test_normalize_says_what_it_cannot_take():
    norm, pd = Normalize.from_stats(*imagenet_stats), pytest.importorskip('pandas')
    for x, error, words in [(torch.zeros(1, 3, 2, 2, dtype=torch.uint8), TypeError, 'x.float()/255'), (torch.zeros(1, 4, 2, 2), ValueError, '(1, 4, 2, 2)'), (torch.zeros(3), ValueError, '(3,)'),
                            (pd.DataFrame({'age': [1, 2]}), TypeError, 'table'), (np.zeros((1, 3, 2, 2)), TypeError, 'ndarray'), (Image.new('RGB', (2, 2)), TypeError, 'Image')]:
        for f in (norm, norm.undo):
            with pytest.raises(error) as found: f(x)
            assert words in str(found.value)
    for mean, std in [((.5,), (0.,)), ((.5,), (-1.,)), ((.5,), (float('nan'),)), ((), ()), ((.5, .5), (.2,)), ((float('inf'),), (1,))]:
        with pytest.raises(ValueError): Normalize(mean, std)


def test_normalize_takes_lists_and_tensors():
    assert Normalize(torch.tensor([.5, .25]), [.5, 1]) == Normalize((.5, .25), (.5, 1.)) and hash(Normalize((.5,), (1,)))


# ---- settings ----

VALUES = [Resize(128), Resize((60, 90), 'pad', 'zeros'), Resize(8, 'squish', resamples=(3, 0)), RandomResizedCrop(224, .35, (1, 2), val_xtra=0, max_scale=.9), Normalize.from_stats(*imagenet_stats),
          Placement((-1.5, 0, 3.25, 1e6), (3, 4), 'border')]


@pytest.mark.parametrize('value', VALUES, ids=lambda v: type(v).__name__)
def test_each_describes_itself_and_is_rebuilt(value):
    text = json.dumps(to_recipe(value), allow_nan=False)
    back = from_recipe(json.loads(text))
    assert back == value and hash(back) == hash(value) and type(back) is type(value) and json.dumps(to_recipe(back)) == text
    assert json.loads(text)['is'].startswith('vision.')
    with pytest.raises(AttributeError): value.size = 3


@pytest.mark.parametrize('size', [0, -1, 2.5, True, None, '128', (128,), (1, 2, 3), (0, 5), (5, 1.5), [], {}, float('nan')], ids=str)
def test_what_is_no_size_is_refused(size):
    for kind in (Resize, RandomResizedCrop):
        with pytest.raises(ValueError, match='size must be a whole number'): kind(size)


def test_resamples_are_two_of_pillows():
    assert Resize(8, resamples=[Image.Resampling.BICUBIC, 0]) == Resize(8, resamples=(3, 0)) and repr(Resize(8)).endswith('resamples=(2, 0))')
    for kind in (Resize, RandomResizedCrop):
        for wrong in ((2,), (99, 0), (2, 0, 0)):
            with pytest.raises(ValueError): kind(8, resamples=wrong)


@pytest.mark.parametrize('settings', [dict(min_scale=0), dict(min_scale=1.01), dict(min_scale=30), dict(min_scale=.5, max_scale=.4), dict(max_scale=2), dict(ratio=(4/3, 3/4)), dict(ratio=(0, 1)),
                                      dict(ratio=(1,)), dict(val_xtra=-.1), dict(min_scale=float('nan'))], ids=str)
def test_what_cannot_be_drawn_is_refused(settings):
    with pytest.raises(ValueError): RandomResizedCrop(64, **settings)


@pytest.mark.parametrize('part', [torch.zeros(3, 4, 5), np.zeros((4, 5, 3)), 'cat.jpg', None, (Image.new('L', (2, 2)),)], ids=lambda p: type(p).__name__)
def test_only_pictures_are_planned(part):
    for way in (Resize(4), RandomResizedCrop(4)):
        with pytest.raises(TypeError, match=type(part).__name__): way.plan(part, True)


# ---- recipes ----

@pytest.mark.parametrize('recipe', [{'is': 'os.system', 'command': 'x'}, {'is': 'core.recipe.importlib'}, {'is': 'vision.transforms.Image'}, {'is': 'vision.transforms.torch'}, {'is': 'itself', 'name': 'builtins.eval'},
                                    {'is': 'workbook.cli.main'}, {'is': 'own.nobody'}, {'is': '../x'}, {'is': 'vision..Resize'}, {'is': 'vision.transforms.Resize.plan'}], ids=str)
def test_a_recipe_reaches_described_names_only(recipe):
    for nested in (recipe, [recipe], {'a': recipe}, {'is': 'vision.transforms.Resize', 'size': recipe}):
        with pytest.raises(RecipeError): from_recipe(nested)


def test_a_recipe_with_wrong_settings_is_an_error_with_its_place():
    with pytest.raises(RecipeError, match='size must be a whole number'): from_recipe([{'is': 'vision.transforms.Resize', 'size': [0, 3]}])
    with pytest.raises(RecipeError, match="no field 'sise'"): from_recipe({'is': 'vision.transforms.Resize', 'sise': 3})


def test_own_functions_come_back_where_they_are_described_again():
    def later(x): return x + 1
    kept = to_recipe([later])
    assert from_recipe(kept)[0] == later
    with pytest.raises(RecipeError, match='later was not saved'): from_recipe(kept)[0](1)
    described(later)
    assert from_recipe(kept)[0](1) == 2
