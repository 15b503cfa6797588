"Augmentation: one resampling, the field's distributions, the same again by seed, and everything that is in a picture moves with it."
import json
import math
import threading

import pytest
import torch
from torch.nn import functional as F

from dlcourse.core.chance import drawing
from dlcourse.core.device import device_works
from dlcourse.core.recipe import from_recipe, to_recipe
from dlcourse.core.testing import assert_tensor
from dlcourse.data.block import DataBlock
from dlcourse.data.parts import CategoryBlock
from dlcourse.vision import augment, warps
from dlcourse.vision.augment import (
    Brightness,
    Contrast,
    Dihedral,
    Flip,
    Hue,
    RandomResizedCropGPU,
    Rotate,
    Saturation,
    Squish,
    Warp,
    Zoom,
    aug_transforms,
    presize,
)
from dlcourse.vision.blocks import ImageBlock
from dlcourse.vision.transforms import Normalize, Resize, imagenet_stats
from dlcourse.vision.warps import composed, places, plan_batch, sample, warp_boxes, warp_points

GEOMETRIC = [Flip(), Dihedral(1.), Rotate(30, 1.), Zoom(1., 1.5, 1.), Zoom(.7, 1., 1.), Warp(.3, 1.), RandomResizedCropGPU((20, 30), .3), Squish(24)]
LIGHTS = [Brightness(.4, 1.), Contrast(.4, 1.), Saturation(.4, 1.), Hue(.2, 1.)]
DEVICES = [*filter(device_works, ['cpu', 'mps']), pytest.param('cuda', marks=pytest.mark.gpu)]
each_device = pytest.mark.parametrize('device', DEVICES)
each_move = pytest.mark.parametrize('tfm', GEOMETRIC, ids=lambda t: type(t).__name__)


def bytes_of(bs=4, h=40, w=60, c=3, seed=0): return torch.randint(0, 256, (bs, c, h, w), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def smooth(bs=4, h=40, w=60):
    "Pictures without edges, which any good resampling agrees on."
    y, x = torch.meshgrid(torch.linspace(0, 3, h), torch.linspace(0, 2, w), indexing='ij')
    return torch.stack([(x + i).sin()*(y - i).cos() for i in range(3*bs)]).view(bs, 3, h, w)/2 + .5


def planned(tfms, x, seed=1, training=True):
    with drawing(seed): return plan_batch(tfms, x, training)


# ---- one resampling ----

@pytest.fixture
def counted(monkeypatch):
    "How many pictures pass through a resampling."
    passed, real = [], F.grid_sample
    def counting(x, *args, **kwargs):
        passed.append(len(x))
        return real(x, *args, **kwargs)
    monkeypatch.setattr(F, 'grid_sample', counting)
    return passed


@pytest.mark.parametrize('tfms', [aug_transforms(size=24), aug_transforms(size=24, min_scale=.5, flip_vert=True), presize(60, 24).batch_tfms, GEOMETRIC + LIGHTS,
                                  [*aug_transforms(), Normalize.from_stats(*imagenet_stats)]])
@each_device
def test_every_picture_is_resampled_once(counted, tfms, device):
    x = bytes_of(5).to(device)
    planned(tfms, x).image(x)
    assert sum(counted) == 5


def test_nothing_is_resampled_where_nothing_moves(counted):
    x = bytes_of()
    assert_tensor(planned(aug_transforms(), x, training=False).image(x), x/255)
    assert_tensor(planned(LIGHTS, x, training=False).image(x), x/255)
    planned(LIGHTS, x).image(x)
    assert counted == []


def test_a_mask_is_resampled_once_and_points_never(counted):
    x = bytes_of()
    plan = planned(aug_transforms(size=24), x)
    plan.points(torch.zeros(4, 2, 2)); plan.boxes(torch.zeros(4, 2, 4))
    assert counted == []
    plan.mask(x[:, 0])
    assert sum(counted) == 4


def test_one_step_equals_many_where_the_picture_is_smooth():
    x = smooth(h=200, w=300)
    plan = planned([Rotate(10, 1.), Warp(.1, 1.), Zoom(1.1, 1.3, 1.)], x)
    many = x
    with drawing(1):
        for t in (Rotate(10, 1.), Warp(.1, 1.), Zoom(1.1, 1.3, 1.)): many = sample(many, t.matrix(4, (200, 300), True), (200, 300))
    gap = (plan.image(x) - many)[..., 30:-30, 30:-30].abs().max()
    assert gap < 3e-3, 'the order of the matrices is the order of the list'


# ---- against PyTorch's own grid ----

def test_places_are_those_of_affine_grid():
    g = torch.Generator().manual_seed(0)
    m = torch.eye(3).repeat(6, 1, 1)
    m[:, :2] += torch.rand(6, 2, 3, generator=g) - .5
    assert_tensor(places(m, (7, 9)), F.affine_grid(m[:, :2], (6, 1, 7, 9), align_corners=False), rtol=0, atol=1e-5)


@pytest.mark.parametrize('pad_mode', ['zeros', 'border', 'reflection'])
@pytest.mark.parametrize('mode', ['bilinear', 'nearest', 'bicubic'])
@each_device
def test_sample_is_grid_sample_in_lots(mode, pad_mode, device):
    x = bytes_of(5).to(device)
    m = planned([Rotate(40, 1.), Zoom(.6, 1.5, 1.)], x).matrix
    want = F.grid_sample(x.float(), F.affine_grid(m[:, :2].to(device), (5, 3, 30, 20), align_corners=False), mode=mode, padding_mode=pad_mode, align_corners=False)
    got = sample(x, m, (30, 20), mode=mode, pad_mode=pad_mode)
    different = (got - want).abs() > .05  # nearest may choose the other neighbour where both are as near
    assert different.float().mean() < (.002 if mode == 'nearest' else 1e-6)


@pytest.mark.parametrize('threads', [1, 2, 3])
def test_lots_of_any_size_give_the_same(threads):
    x, before = bytes_of(7), torch.get_num_threads()
    tfms = [*aug_transforms(size=24), Saturation(), Normalize.from_stats(*imagenet_stats)]
    want = planned(tfms, x).image(x)
    torch.set_num_threads(threads)
    try: assert_tensor(planned(tfms, x).image(x), want)
    finally: torch.set_num_threads(before)


def test_any_memory_layout_and_no_input_is_changed():
    x = bytes_of()
    tfms = [*aug_transforms(size=24), Normalize.from_stats(*imagenet_stats)]
    want, before = planned(tfms, x).image(x), x.clone()
    assert_tensor(planned(tfms, x).image(x.contiguous(memory_format=torch.channels_last)), want)
    assert_tensor(planned(tfms, x).image(x.flip(3).flip(3)), want)
    floats = x/255
    kept = floats.clone()
    assert_tensor(planned(tfms, floats).image(floats), want, rtol=0, atol=1e-4)
    planned([Brightness(p=1.), tfms[-1]], floats).image(floats)
    assert_tensor(x, before); assert_tensor(floats, kept)


@pytest.mark.parametrize('bs, c', [(1, 1), (1, 3), (3, 1), (3, 4), (0, 3)])
def test_batches_of_one_of_none_and_other_channels(bs, c):
    x = bytes_of(bs, c=c)
    got = planned(aug_transforms(size=(10, 20), min_scale=.5), x).image(x)
    assert got.shape == (bs, c, 10, 20) and got.isfinite().all()


# ---- training and validation ----

def test_validation_pictures_are_never_augmented():
    x = bytes_of(h=40, w=40)
    for tfms in (aug_transforms(size=20), aug_transforms(size=20, min_scale=.5), presize(40, 20).batch_tfms, [*GEOMETRIC[:5], *LIGHTS, Squish(20)]):
        want = F.grid_sample(x.float()/255, places(torch.eye(3).repeat(4, 1, 1), (20, 20)), padding_mode='reflection', align_corners=False)
        for seed in (1, 2): assert_tensor(planned(tfms, x, seed, training=False).image(x), want)


def test_validation_draws_nothing_at_all():
    with drawing(3) as source:
        before = source.get_state()
        plan_batch([*aug_transforms(size=20, min_scale=.5), Hue()], bytes_of(), False)
        assert torch.equal(before, source.get_state())


def test_a_crop_takes_the_middle_in_validation():
    x = bytes_of(2, 40, 60)
    got = planned(aug_transforms(size=20, min_scale=.5), x, training=False).image(x)
    middle = F.grid_sample(x[..., 10:50].float()/255, places(torch.eye(3).repeat(2, 1, 1), (20, 20)), padding_mode='reflection', align_corners=False)
    assert_tensor(got, middle, rtol=0, atol=1e-4)
    squeezed = planned(aug_transforms(size=20), x, training=False)
    assert_tensor(squeezed.matrix, torch.eye(3).repeat(2, 1, 1))


# ---- the same again ----

def test_a_seed_decides_and_the_global_state_is_left_alone():
    x, tfms = bytes_of(), [*aug_transforms(size=24, min_scale=.5), Saturation(), Hue()]
    state = torch.get_rng_state()
    one, again, other = (planned(tfms, x, seed).image(x) for seed in (5, 5, 6))
    assert_tensor(again, one)
    assert (other - one).abs().amax((1, 2, 3)).min() > .02
    assert torch.equal(torch.get_rng_state(), state)


def test_threads_do_not_disturb_each_other():
    x, tfms, got = bytes_of(), aug_transforms(size=24, min_scale=.5), {}
    def work(seed): got[seed] = planned(tfms, x, seed).image(x)
    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for w in workers: w.start()
    for w in workers: w.join()
    for seed in range(8): assert_tensor(got[seed], planned(tfms, x, seed).image(x))


@each_device
@pytest.mark.parametrize('dtype, tol', [(torch.float16, 2e-3), (torch.bfloat16, 2e-2), (torch.float32, 1e-3), (torch.float64, 1e-3)])
def test_the_same_views_on_every_device_in_every_precision(device, dtype, tol):
    if device == 'mps' and dtype == torch.float64: pytest.skip('no double precision there')
    x, tfms = bytes_of(), [*aug_transforms(size=24, min_scale=.5), Saturation()]
    want = planned(tfms, x).image(x)
    there = (x/255).to(device, dtype)
    got = planned(tfms, there).image(there)
    assert got.dtype == dtype and got.device.type == device
    assert_tensor(got.cpu().float(), want, rtol=0, atol=tol)


def test_autocast_and_other_defaults_change_nothing():
    x, tfms = bytes_of(), [*aug_transforms(size=24, min_scale=.5, flip_vert=True), Saturation(), Hue(), Normalize.from_stats(*imagenet_stats)]
    want = planned(tfms, x).image(x)
    with torch.autocast('cpu', torch.bfloat16): assert_tensor(planned(tfms, x).image(x), want)
    torch.set_default_dtype(torch.float64)
    try: assert_tensor(planned(tfms, x).image(x), want, rtol=0, atol=1e-5)
    finally: torch.set_default_dtype(torch.float32)
    with torch.device('meta'): plan, calm = planned(tfms, x), planned(tfms, x, training=False)
    assert_tensor(plan.image(x), want)
    assert calm.matrix.device.type == plan.matrix.device.type == 'cpu'


@pytest.mark.parametrize('tfm', [Rotate(40, 1.), Dihedral(1.), Flip(1.)], ids=lambda t: type(t).__name__)
def test_turns_and_mirrors_keep_lengths_in_pixels(tfm):
    with drawing(4): m = tfm.matrix(50, (40, 60), True)
    scale = torch.diag(torch.tensor([30., 20, 1]))
    pixels = (scale @ m @ torch.linalg.inv(scale))[:, :2, :2]
    assert_tensor(pixels @ pixels.mT, torch.eye(2).repeat(50, 1, 1), rtol=0, atol=1e-5)


def test_the_horizon_is_no_division_by_zero():
    tilted = torch.tensor([[[1., 0, 0], [0, 1, 0], [0, 2, 1]]])   # w is 0 at y = -0.5, the centre of the upper row of two
    assert places(tilted, (2, 2)).abs().max() <= 1/.05


# ---- points, boxes and masks ----

@each_move
def test_points_go_where_their_pixels_go(tfm):
    "A bright spot is found again where its point went."
    h, w = 60, 90
    x, at = torch.zeros(6, 1, h, w), torch.tensor([[.3, -.2]]).repeat(6, 1, 1)
    y, x_ = torch.meshgrid(warps.centres(h, x.device), warps.centres(w, x.device), indexing='ij')
    x[:] = torch.exp(-(((x_ - .3)*w/2)**2 + ((y + .2)*h/2)**2)/18)
    plan = planned(tfm, x)
    seen, moved = plan.image(x)[:, 0], plan.points(at)[:, 0]
    high, wide = plan.size
    for picture, (px, py) in zip(seen, moved.tolist(), strict=True):
        if max(abs(px), abs(py)) > .9: continue
        row, col = divmod(int(picture.argmax()), wide)
        assert abs((px + 1)*wide/2 - .5 - col) < 1.5 and abs((py + 1)*high/2 - .5 - row) < 1.5


@each_move
def test_points_come_back_by_the_matrix(tfm):
    xy = torch.rand(5, 7, 2, generator=torch.Generator().manual_seed(0))*2 - 1
    with drawing(2): m = tfm.matrix(5, (40, 60), True)
    there = torch.cat([warp_points(xy, m), torch.ones(5, 7, 1)], 2) @ m.mT
    assert_tensor(there[..., :2]/there[..., 2:], xy, rtol=0, atol=1e-4)


def test_boxes_hold_their_points_and_stay_in_the_frame():
    boxes = torch.tensor([[-.5, -.6, .2, .3], [.8, .8, 1., 1.]]).repeat(50, 1, 1)
    with drawing(2): m = composed([Rotate(30, 1.).matrix(50, (40, 60), True), Zoom(1., 2., 1.).matrix(50, (40, 60), True)])
    moved = warp_boxes(boxes, m)
    assert (moved.abs() <= 1).all() and (moved[..., :2] <= moved[..., 2:]).all()
    inside = warp_points(boxes[:, :, [[0, 1], [2, 3]]].mean(2), m)
    here = (inside.abs() < 1).all(2)
    assert ((inside >= moved[..., :2]) & (inside <= moved[..., 2:])).all(2)[here].all()


@pytest.mark.parametrize('dtype', [torch.uint8, torch.int64, torch.bool, torch.float32])
def test_masks_keep_their_numbers_and_fit_their_pictures(dtype):
    classes = torch.zeros(4, 40, 60, dtype=torch.int64)
    classes[:, 5:25, 10:40] = 1
    classes[:, 28:, 30:] = 1 if dtype == torch.bool else 200
    mask, x = classes.to(dtype), (classes > 0).float()[:, None]
    plan = planned(aug_transforms(size=(50, 70), mult=2), x)
    moved = plan.mask(mask)
    assert moved.dtype == dtype and moved.shape == (4, 50, 70) and set(moved.long().unique().tolist()) <= set(classes.unique().tolist())
    bright = sample(x, plan.matrix, (50, 70))[:, 0]
    assert ((bright > .5) == (moved > 0)).float().mean() > .995
    assert_tensor(plan.mask(mask[:, None])[:, 0], moved)


# ---- the field's distributions ----

N = 40_000


def uniform(values, low, high):
    "The largest gap between the values' distribution and an even one, in units that do not depend on how many there are."
    share = ((values.double() - low)/(high - low)).sort().values
    assert share.min() > -1e-4 and share.max() < 1 + 1e-4
    steps = torch.arange(1, len(share) + 1)/len(share)
    return (share - steps).abs().max().item()*math.sqrt(len(share))


def drawn(tfm, h=50, w=50):
    with drawing(11): return tfm.matrix(N, (h, w), True)


def test_turns_are_even_and_happen_with_p():
    m = drawn(Rotate(20, .75))
    degrees = torch.atan2(m[:, 0, 1], m[:, 0, 0]).rad2deg()
    turned = degrees[degrees != 0]
    assert abs(len(turned)/N - .75) < .01 and uniform(turned, -20, 20) < 1.95


def test_zooms_are_even_and_so_are_their_places():
    m = drawn(Zoom(1., 1.5, .75))
    factor = 1/m[:, 0, 0]
    zoomed = m[factor > 1]
    assert abs(len(zoomed)/N - .75) < .01 and uniform(1/zoomed[:, 0, 0], 1, 1.5) < 1.95
    for i in (0, 1): assert uniform(zoomed[:, i, 2]/(1 - zoomed[:, 0, 0]), -1, 1) < 2.2


def test_tilts_are_even_and_independent():
    m = drawn(Warp(.2, .75))
    corner = warp_points(torch.ones(1, 1, 2).expand(N, 1, 2), m)[:, 0]   # (1, 1) goes to (1 - y, 1 - x)
    for i in (0, 1):
        tilt = 1 - corner[:, i]
        tilted = tilt[tilt.abs() > 1e-6]
        assert abs(len(tilted)/N - .75) < .01 and uniform(tilted, -.2, .2) < 1.95
    assert abs(torch.corrcoef(corner.T)[0, 1]) < .02


def test_mirrors_and_tiles():
    assert abs((drawn(Flip(.3))[:, 0, 0] < 0).float().mean() - .3) < .01
    kinds, times = drawn(Dihedral(.5)).flatten(1).unique(dim=0, return_counts=True)
    assert len(kinds) == 8 and (torch.linalg.det(kinds.view(-1, 3, 3)).abs() - 1).abs().max() < 1e-5
    shares = torch.tensor([1/16]*7 + [9/16])
    assert ((times/N).sort().values - shares).abs().max() < .01, 'half of the time the plain one, and an eighth of the other half'


@pytest.mark.parametrize('h, w, ratio', [(300, 400, (3/4, 4/3)), (460, 460, (1., 1.)), (100, 400, (3/4, 4/3))])
def test_crops_are_even_in_area_and_in_the_logarithm_of_the_ratio(h, w, ratio):
    m = drawn(RandomResizedCropGPU(224, .08, ratio), h, w)
    wide, high = m[:, 0, 0]*w, m[:, 1, 1]*h
    assert (m[:, :2, 2].abs() <= 1 - m[:, [0, 1], [0, 1]] + 1e-5).all(), 'every part lies in its picture'
    fits = (math.sqrt(h*w*ratio[1]) <= w) and (math.sqrt(h*w/ratio[0]) <= h)
    if fits: assert uniform(wide*high/(h*w), .08, 1) < 1.95
    assert (wide/high).log().min() >= math.log(ratio[0]) - 1e-3 and (wide/high).log().max() <= math.log(ratio[1]) + 1e-3
    small = wide*high < .25*h*w
    if ratio[0] < ratio[1] and h > 200: assert uniform((wide/high).log()[small], *map(math.log, ratio)) < 2.2


def test_light_has_the_ranges_of_the_field():
    with drawing(12): lift, spread = (t.light(N, True) for t in (Brightness(.2), Contrast(.2)))
    level, factor = .5 + lift[1].flatten(), spread[0].flatten()
    changed = level[level != .5]
    assert abs(len(changed)/N - .75) < .01 and uniform(changed, .4, .6) < 1.95 and (lift[0] == 1).all()
    changed = factor[factor != 1].log()
    assert abs(len(changed)/N - .75) < .01 and uniform(changed, math.log(.8), -math.log(.8)) < 1.95
    assert_tensor(spread[0]*.5 + spread[1], torch.full((N, 1, 1, 1), .5), rtol=0, atol=1e-6)


def test_a_draw_for_each_picture_or_one_for_the_batch():
    for t in [*aug_transforms(size=9, min_scale=.5), Dihedral(1.)]:
        get = (lambda t: t.matrix(64, (30, 40), True)) if hasattr(t, 'matrix') else (lambda t: torch.cat(t.light(64, True), 1))
        with drawing(3): own = get(t)
        with drawing(3): shared = get(type(t)(**{**t.__dict__, 'batch': True}))
        assert len(own.flatten(1).unique(dim=0)) > 1 and len(shared.flatten(1).unique(dim=0)) == 1, t


# ---- light ----

def test_light_is_one_line_and_cut_at_both_ends():
    x = smooth()
    tfms = [Brightness(.4, 1.), Contrast(.4, 1.), Saturation(.5, 1.), Brightness(.2, 1.)]
    got = planned(tfms, x).image(x)
    with drawing(1):
        for t in tfms:
            gain, offset = t.light(4, True)
            x = (torch.einsum('bij,bjhw->bihw', gain, x) if gain.ndim == 3 else gain*x) + offset
    assert_tensor(got, x.clamp(0, 1), rtol=0, atol=1e-5)
    assert got.min() >= 0 and got.max() <= 1


def test_normalised_is_what_the_transform_itself_gives():
    x, norm = bytes_of(), Normalize.from_stats(*imagenet_stats)
    plain = planned(aug_transforms(size=24), x).image(x)
    assert_tensor(planned([*aug_transforms(size=24), norm], x).image(x), norm(plain), rtol=0, atol=1e-5)
    assert_tensor(norm.undo(planned([*aug_transforms(size=24), norm], x).image(x)), plain, rtol=0, atol=1e-5)


@pytest.mark.parametrize('light', [False, True])
@pytest.mark.parametrize('dtype', [torch.uint8, torch.float32])
def test_bicubic_stays_between_black_and_white(dtype, light):
    x = (torch.rand(4, 3, 24, 24, generator=torch.Generator().manual_seed(0)) > .5).to(dtype)*(255 if dtype == torch.uint8 else 1)
    raw = sample(x, planned([Rotate(30, 1.)], x).matrix, (24, 24), mode='bicubic')
    assert raw.min() < 0 and raw.max() > x.max(), 'bicubic reaches beyond'
    got = planned([Rotate(30, 1., mode='bicubic'), *([Brightness(.2)] if light else [])], x).image(x)
    assert got.min() >= 0 and got.max() <= 1


def test_functions_in_front_of_normalize_run_in_front_of_it():
    x, norm = bytes_of(), Normalize.from_stats(*imagenet_stats)
    plain = planned(aug_transforms(size=24), x).image(x)
    got = planned([torch.square, *aug_transforms(size=24), torch.sqrt, norm, torch.neg], x).image(x)
    assert_tensor(got, -norm(plain.square().sqrt()), rtol=0, atol=1e-5)
    assert_tensor(planned([norm, torch.square], x).image(x), norm(x/255).square(), rtol=0, atol=1e-5)
    grey = planned([lambda y: y.mean(1, keepdim=True), Normalize([.5], [.2])], x).image(x)
    assert_tensor(grey, ((x/255).mean(1, keepdim=True) - .5)/.2, rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match='statistics of 3 channels'): planned([lambda y: y.mean(1, keepdim=True), norm], x).image(x)
    with pytest.raises(ValueError, match='statistics of 1 channels'): planned([Normalize([.5], [.5])], x)
    half = planned([torch.square, norm], x.half()/255).image(x.half()/255)
    assert half.dtype == torch.float16


# ---- values ----

def test_every_transform_is_rebuilt_from_json_equal():
    changed = [Flip(.3, batch=True), Rotate(7, draw=(1, 2)), Warp(.1, draw_x=.05), RandomResizedCropGPU((3, 4), .2, (.5, 2), mode='nearest'), Contrast(.3, draw=.9)]
    for t in [*GEOMETRIC, *LIGHTS, *changed, *aug_transforms(size=24, min_scale=.5)]:
        again = from_recipe(json.loads(json.dumps(to_recipe(t))))
        assert again == t and type(again) is type(t) and hash(again) == hash(t)
    assert to_recipe(Rotate())['is'] == 'vision.augment.Rotate'


def test_presize_is_a_pair_under_the_names_of_a_data_block():
    both = presize(460, 224, tfms=[Flip()])
    items, batches = both
    assert dict(**both) == {'item_tfms': Resize(460), 'batch_tfms': [Flip(), RandomResizedCropGPU(224, .75, (1, 1))]} == {'item_tfms': items, 'batch_tfms': batches}
    assert from_recipe(json.loads(json.dumps(to_recipe(both)))) == both == presize(460, 224, tfms=[Flip()]) != presize(460, 224)
    block = DataBlock((ImageBlock, CategoryBlock)).new(**presize(128, 64))
    assert block.item_tfms == (Resize(128),) and block.batch_tfms[-1] == RandomResizedCropGPU(64, .75, (1, 1))
    with pytest.raises(KeyError): both['bs']
    with pytest.raises(AttributeError): both.item_tfms = ()


@pytest.mark.parametrize('make, words', [
    (lambda: Rotate(p=1.5), 'Rotate: p is a probability'), (lambda: Contrast(p=-.1), 'Contrast: p is a probability'),
    (lambda: Squish((8, 0)), 'Squish: size must be a whole number of at least 1'), (lambda: Flip(pad_mode='reflect'), "pad_mode is one of"), (lambda: Warp(.5), 'magnitude goes from 0 to 0.4'), (lambda: Warp(draw_x=.5), 'draw_x goes from -0.4 to 0.4'), (lambda: Warp(draw_y=(.1, -.5)), 'draw_y'),
    (lambda: Warp(-.1), 'magnitude'), (lambda: Rotate(math.nan), 'Rotate: max_deg must be finite'), (lambda: Rotate(draw=(1., math.inf)), 'Rotate: draw must be finite'),
    (lambda: Brightness(draw=math.nan), 'Brightness: draw'), (lambda: Contrast(draw=-1.).light(2, True), 'Contrast: draw is a factor'), (lambda: Flip(size=True), 'Flip: size must'),
    (lambda: Squish((5, 6, 7)), 'Squish: size must'), (lambda: RandomResizedCropGPU(8, 2), '0 < min_scale <= max_scale <= 1'), (lambda: RandomResizedCropGPU(8, -1), '0 < min_scale'),
    (lambda: RandomResizedCropGPU(8, .9, max_scale=.5), '0 < min_scale'), (lambda: RandomResizedCropGPU(8, ratio=(2, .5)), 'ratio must be (lowest, highest)'),
    (lambda: presize((100, 300), (200, 100)), 'presize((400, 200), (200, 100))'),
    (lambda: Zoom(0, 1), '0 < min_zoom'), (lambda: Brightness(1.), 'below 1'), (lambda: aug_transforms(min_scale=.5), 'aug_transforms(size=224'),
    (lambda: presize(100, 224), 'from large to small'), (lambda: plan_batch(Resize(4), bytes_of(), True), 'item_tfms=Resize'),
    (lambda: plan_batch([Hue()], bytes_of(c=1), True), 'Hue mixes 3 channels, and these pictures have 1'),
    (lambda: plan_batch([Normalize.from_stats(*imagenet_stats)], bytes_of(c=1), True), 'Normalize has statistics of 3 channels, for pictures of shape (bs, 3, h, w); got'),
    (lambda: plan_batch([Flip(mode='nearest'), Rotate(mode='bilinear')], bytes_of(), True), 'so one mode'),
    (lambda: plan_batch([aug_transforms()], bytes_of(), True), 'with a star'), (lambda: sample(bytes_of()[0], None, (4, 4)), 'pass x[None]')])
def test_errors_say_what_mends_them(make, words):
    with pytest.raises(ValueError) as error: make()
    assert words in str(error.value)


def test_a_horizon_in_the_picture_does_no_harm():
    x = bytes_of(64, 30, 30)
    plan = planned([Warp(.4, 1.), Rotate(180, 1.), Zoom(.3, .5, 1.)], x)
    got = plan.image(x)
    assert got.isfinite().all() and got.min() >= 0 and got.max() <= 1 + 1e-5


@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('tfms, big', [(presize((200, 400), (100, 200), tfms=[]).batch_tfms, (200, 400)), (presize(300, (100, 200), tfms=[]).batch_tfms, (300, 300)),
                                       (aug_transforms(max_rotate=0, max_zoom=1., max_warp=0, max_lighting=0, size=(100, 200), min_scale=.75), (240, 240)),
                                       (presize(240, 120, tfms=[]).batch_tfms, (240, 240))])
def test_a_crop_of_any_shape_keeps_circles_round(tfms, big, training):
    (h, w), n = big, 20
    y, x = torch.meshgrid(torch.arange(h) - h/2 + .5, torch.arange(w) - w/2 + .5, indexing='ij')
    disc = (y.hypot(x) < 30).float().expand(n, 1, h, w)
    seen = planned(tfms, disc, training=training).image(disc)[:, 0] > .5
    high, wide = seen.any(2).sum(1), seen.any(1).sum(1)
    assert (high - wide).abs().max() <= 1 and high.min() >= 20


def test_no_tilt_reaches_behind_the_horizon():
    edge = torch.tensor([[a, b] for a in (-.4, .4) for b in (-.4, .4)])
    with drawing(5): m = torch.cat([Warp(.4, 1.).matrix(20_000, (9, 9), True), Warp(p=1., draw_x=edge[:, 0], draw_y=edge[:, 1]).matrix(4, (9, 9), True)])
    corners = torch.tensor([[-1., -1], [1, -1], [-1, 1], [1, 1]])
    there = torch.cat([warp_points(corners.expand(len(m), 4, 2), m), torch.ones(len(m), 4, 1)], 2)
    assert (there[..., :2].abs() <= 1.4 + 1e-4).all() and ((there @ m.mT)[..., 2] > 0).all(), 'every corner of the picture lies before the eye'
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, 9)]*2, indexing='ij')
    u, v, w = (torch.stack([x, y, torch.ones_like(x)], -1).view(1, -1, 3) @ m.mT).unbind(-1)
    assert (torch.maximum(u.abs(), v.abs())[w < .05] > .05).all(), 'what lies behind is not looked up in the picture'


def test_a_transform_of_ones_own_needs_one_method():
    class Shift:
        def matrix(self, bs, size, training): return torch.tensor([[1., 0, .5], [0, 1, 0], [0, 0, 1]]).repeat(bs, 1, 1)
    x = bytes_of(w=8)
    assert_tensor(planned([Shift(), torch.neg], x).image(x)[..., :6], -(x[..., 2:]/255), rtol=0, atol=1e-3)
    assert augment.__all__
