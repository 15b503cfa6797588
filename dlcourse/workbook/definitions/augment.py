"Exercises of the lesson augment: what to write, what it is held against, what is refused."
import torch
from torch import tensor
from torch.nn import functional as F

from ..contract import Case, Exercise, Wrong

# What several exercises need

def shears(g, bs):
    "Matrices (bs, 3, 3) that turn, stretch and shift, each in its own way; no two of them commute."
    m = torch.eye(3).repeat(bs, 1, 1)
    m[:, :2] += .6*torch.rand(bs, 2, 3, generator=g) - .3
    return m

def pictures(g, bs, n): return torch.rand(bs, 2, n, n, generator=g)

HALF_RIGHT = tensor([[[1., 0., .5], [0., 1., 0.], [0., 0., 1.]]])
MIRROR = tensor([[[-1., 0., 0.], [0., 1., 0.], [0., 0., 1.]]])

# compose: which one stands on the left

def compose(first, then):
    "One matrix for two changes, each (bs, 3, 3), from output to input: `first` happens first."
    return first @ then

def compose_by_einsum(first, then): return torch.einsum('bij,bjk->bik', first, then)

def compose_by_sums(first, then):
    rows = [[sum(first[:, i, j]*then[:, j, k] for j in range(3)) for k in range(3)] for i in range(3)]
    return torch.stack([torch.stack(row, 1) for row in rows], 1)

def compose_cases(g):
    return [Case((HALF_RIGHT, MIRROR), 'a shift, then a mirror'), Case((shears(g, 1), shears(g, 1)), 'one picture'),
            Case((shears(g, 4), shears(g, 4)), 'four pictures'), Case((shears(g, 2).double(), shears(g, 2).double()), 'double precision')]

def compose_in_place(first, then):
    product = first.clone() @ then
    first.data.copy_(product.data)
    return product

COMPOSE = Exercise(
    name='compose', task='One matrix (bs, 3, 3) for two changes that happen one after the other, each given as matrices (bs, 3, 3) from output to input.',
    reference=compose, alternative=compose_by_einsum, spec=compose_by_sums, cases=compose_cases,
    hints=('Start at a place of the output. Which of the two changes was the last one, and so is undone first?',
           'The place goes through `then` first, and what comes out goes through `first`. In a product the matrix that is used first stands on the right.',
           'first @ then. @ multiplies matrices, one for each item of the batch.'),
    wrong=(Wrong(lambda first, then: then @ first, 'value', 'Reversed: that would be so if the matrices led from input to output. These look back, so the last change is undone first.'),
           Wrong(lambda first, then: first*then, 'value', '* multiplies number by number. Rows times columns is @.'),
           Wrong(lambda first, then: first + then, 'value', 'A sum of matrices is no matrix of both changes.'),
           Wrong(lambda first, then: first[:1] @ then, 'value', 'The first picture has given its change to all. Each item has its own.'),
           Wrong(lambda first, then: (first @ then)[:, :2], 'shape', 'The last row is gone, so nothing can be composed with the result any more.'),
           Wrong(lambda first, then: (first.double() @ then.double()), 'dtype', 'The numbers are right, in another dtype than that of the matrices.'),
           Wrong(compose_in_place, 'inputs', "The product was written into the caller's first matrix."),
           Wrong(lambda first, then: (first @ then).detach(), 'gradient', 'The numbers are right, and detach cut the way back to the matrices.')),
    grad=True)

# zoom_at: out to in is one over the factor

def zoom_at(factors, fixed):
    "Matrices (bs, 3, 3), from output to input: picture i grows `factors[i]` times, the place `fixed[i]` stays where it is."
    s = 1/factors
    m = torch.diag_embed(torch.stack([s, s, torch.ones_like(s)], 1))
    m[:, :2, 2] = (1 - s)[:, None]*fixed
    return m

def zoom_by_rows(factors, fixed):
    zero, one, s = torch.zeros_like(factors), torch.ones_like(factors), factors.reciprocal()
    x, y = fixed.unbind(1)
    return torch.stack([s, zero, x - s*x, zero, s, y - s*y, zero, zero, one], 1).view(-1, 3, 3)

def zoom_by_loop(factors, fixed):
    out = []
    for f, (x, y) in zip(factors, fixed, strict=True):
        zero, one = 0*f, 0*f + 1
        out.append(torch.stack([one/f, zero, x - x/f, zero, one/f, y - y/f, zero, zero, one]).view(3, 3))
    return torch.stack(out)

def zoom_cases(g):
    return [Case((tensor([2.]), tensor([[.5, -1.]])), 'twice as large, about a place at the upper edge'),
            Case((1 + torch.rand(4, generator=g), torch.rand(4, 2, generator=g)*2 - 1), 'four pictures'),
            Case((tensor([.5, 1., 3.]), torch.rand(3, 2, generator=g)), 'smaller, as it was, larger'),
            Case((1 + torch.rand(2, generator=g).double(), torch.rand(2, 2, generator=g).double()), 'double precision')]

def zoom_on_default(factors, fixed):
    m = torch.eye(3, dtype=factors.dtype).repeat(len(factors), 1, 1)
    m[:, 0, 0] = m[:, 1, 1] = 1/factors
    m[:, :2, 2] = (1 - 1/factors)[:, None]*fixed
    return m

ZOOM_AT = Exercise(
    name='zoom_at', task='Matrices (bs, 3, 3), from output to input, that enlarge picture i by factors[i] about the place fixed[i], which stays where it is; factors (bs,), fixed (bs, 2) as x and y.',
    reference=zoom_at, alternative=zoom_by_rows, spec=zoom_by_loop, cases=zoom_cases,
    hints=('The picture grows twofold. How much of the input does the output then show: twice as much, or half as much?',
           'Stretching by 1/factor about the middle, then a shift (the last column) that brings the fixed place back: s*x + shift must be x again.',
           'With s = 1/factors the diagonal is s, s, 1, and the last column holds (1 - s) times x and y.'),
    wrong=(Wrong(lambda f, p: zoom_by_rows(1/f, p), 'value', 'The factor itself: the matrix leads from output to input, so a larger picture looks at a smaller part.'),
           Wrong(lambda f, p: zoom_by_rows(f, torch.zeros_like(p)), 'value', 'Enlarged about the middle: the fixed place has moved.'),
           Wrong(lambda f, p: zoom_by_rows(f, -p), 'value', 'The shift has the wrong sign: the place on the other side stays.'),
           Wrong(lambda f, p: zoom_by_rows(f, p.flip(1)), 'value', 'x and y have changed places: x belongs in the first row.'),
           Wrong(lambda f, p: zoom_by_rows(f[:1].expand_as(f), p), 'value', 'The first factor for all. Each picture has its own.'),
           Wrong(lambda f, p: zoom_at(f, p)[:, :2], 'shape', 'Two rows only: it cannot be multiplied with another matrix. The last row is 0, 0, 1.'),
           Wrong(lambda f, p: zoom_at(f, p).float(), 'dtype', 'The numbers are right, but always in float32, whatever came in.'),
           Wrong(zoom_on_default, 'device', 'torch.eye made the matrices on the default device. Make them where the factors are.'),
           Wrong(lambda f, p: f.new_tensor(zoom_at(f, p).tolist()), 'gradient', 'Python numbers carry no gradient: the way back to the factors is cut.')),
    grad=True)

# true_turn: the bug lab. A turn knows how wide and how high the picture is

def careless_turn(degrees, size):
    "Matrices (bs, 3, 3), from output to input, that turn pictures of `size` (h, w) clockwise."
    a = degrees.deg2rad()
    zero, one = torch.zeros_like(a), torch.ones_like(a)
    rows = [a.cos(), a.sin(), zero, -a.sin(), a.cos(), zero, zero, zero, one]
    return torch.stack(rows, 1).view(-1, 3, 3)

def true_turn(degrees, size):
    "Matrices (bs, 3, 3), from output to input, that turn pictures of `size` (h, w) clockwise."
    (h, w), a = size, degrees.deg2rad()
    zero, one = torch.zeros_like(a), torch.ones_like(a)
    rows = [a.cos(), a.sin()*h/w, zero, -a.sin()*w/h, a.cos(), zero, zero, zero, one]
    return torch.stack(rows, 1).view(-1, 3, 3)

def turn_in_pixels(degrees, size):
    "To pixels, turn, and back."
    h, w = size
    scale = torch.diag(degrees.new_tensor([w, h, 1.]))
    return torch.linalg.inv(scale) @ careless_turn(degrees, size) @ scale

def turn_by_loop(degrees, size):
    h, w = size
    out = []
    for d in degrees:
        c, s, zero, one = torch.cos(d*torch.pi/180), torch.sin(d*torch.pi/180), 0*d, 0*d + 1
        out.append(torch.stack([c, s*h/w, zero, -s*w/h, c, zero, zero, zero, one]).view(3, 3))
    return torch.stack(out)

def turn_cases(g):
    return [Case((tensor([90.]), (100, 200)), 'a quarter turn of a picture twice as wide as high'), Case((torch.rand(3, generator=g)*40 - 20, (64, 48)), 'a tall picture'),
            Case((torch.rand(2, generator=g)*40 - 20, (50, 50)), 'a square one'), Case((tensor([0., 30.]).double(), (30, 40)), 'double precision')]

def turn_in_place(degrees, size):
    turn = true_turn(degrees.clone(), size)
    degrees.data.mul_(torch.pi/180)
    return turn

TRUE_TURN = Exercise(
    name='true_turn', task='Matrices (bs, 3, 3), from output to input in places from -1 to 1, that turn pictures of size (h, w) clockwise by degrees (bs,), and do nothing else.',
    reference=true_turn, alternative=turn_in_pixels, spec=turn_by_loop, cases=turn_cases,
    hints=('In a wide picture the step from 0 to 1 is longer to the right than down. What does a turn do that does not know it?',
           'Think in pixels: x*w/2 and y*h/2 are turned. Divide by w/2 again to get back x: which factor is left at the sine in the first row?',
           'The sine of the first row times h/w, the one of the second row times w/h.'),
    wrong=(Wrong(lambda d, size: true_turn(d, size[::-1]), 'value', 'Width and height have changed places: size is (h, w), and it leans the other way now.'),
           Wrong(lambda d, size: true_turn(-d, size), 'value', 'The other way round: that is anticlockwise.'),
           Wrong(lambda d, size: turn_in_pixels(d*180/torch.pi, size), 'value', 'The angle was turned into radians twice, or not at all: sin and cos take radians.'),
           Wrong(lambda d, size: careless_turn(d, size)*d.new_tensor([[size[0]/size[1]], [size[1]/size[0]], [1.]]), 'value', 'The cosines got the factor too. Straight up stays straight up: only what goes from x to y, or back, is scaled.'),
           Wrong(lambda d, size: true_turn(d, size)[0], 'shape', 'One matrix only. Each picture has its own angle.'),
           Wrong(lambda d, size: true_turn(d.float(), size), 'dtype', 'The numbers are right, in another dtype than that of the angles.'),
           Wrong(turn_in_place, 'inputs', "mul_ wrote radians into the caller's angles.")),
    bug=careless_turn, grad=True)

# augment: a draw of its own for each item, one resampling

def augment(x, degrees, flips):
    "Pictures (bs, c, n, n), turned by `degrees` (bs,) clockwise and then mirrored where `flips` (bs,) is true; looked up once."
    a, sign = degrees.deg2rad(), 1 - 2*flips.to(degrees.dtype)
    zero = torch.zeros_like(a)
    m = torch.stack([a.cos()*sign, a.sin(), zero, -a.sin()*sign, a.cos(), zero], 1).view(-1, 2, 3)
    return F.grid_sample(x, F.affine_grid(m, x.shape, align_corners=False), padding_mode='reflection', align_corners=False)

def turns(degrees):
    a = degrees.deg2rad()
    zero, one = torch.zeros_like(a), torch.ones_like(a)
    return torch.stack([a.cos(), a.sin(), zero, -a.sin(), a.cos(), zero, zero, zero, one], 1).view(-1, 3, 3)

def mirrors(flips, like):
    sign = 1 - 2*flips.to(like.dtype)
    return torch.diag_embed(torch.stack([sign, torch.ones_like(sign), torch.ones_like(sign)], 1))

def looked_up(x, m): return F.grid_sample(x, F.affine_grid(m[:, :2], x.shape, align_corners=False), padding_mode='reflection', align_corners=False)

def augment_by_matrices(x, degrees, flips): return looked_up(x, turns(degrees) @ mirrors(flips, degrees))

def augment_by_item(x, degrees, flips):
    "A mirror costs no resampling: it only turns the row of pixels round."
    turned = torch.cat([looked_up(x[i:i + 1], turns(degrees[i:i + 1])) for i in range(len(x))])
    return torch.stack([t.flip(-1) if f else t for t, f in zip(turned, flips.tolist(), strict=True)])

def augment_cases(g):
    return [Case((torch.arange(8.).view(2, 1, 2, 2), tensor([0., 90.]), tensor([True, False])), 'one mirrored, one turned by a quarter'),
            Case((pictures(g, 1, 5), tensor([20.]), tensor([True])), 'a batch of one'),
            Case((pictures(g, 4, 6), torch.rand(4, generator=g)*60 - 30, tensor([True, False, False, True])), 'four pictures, each with a draw of its own'),
            Case((pictures(g, 2, 4).double(), torch.rand(2, generator=g).double()*30, tensor([False, True])), 'double precision')]

def augment_twice(x, degrees, flips): return looked_up(looked_up(looked_up(x, turns(degrees/2)), turns(degrees/2)), mirrors(flips, degrees))

AUGMENT = Exercise(
    name='augment', task='Turn square pictures (bs, c, n, n) clockwise by degrees (bs,), then mirror left and right those where flips (bs,) is true; one bilinear resampling, reflection beyond the edges, pixel centres (align_corners=False).',
    reference=augment, alternative=augment_by_matrices, spec=augment_by_item, cases=augment_cases,
    hints=('Two matrices, one product, one grid_sample. Which of them stands on the left?',
           'F.affine_grid makes places from matrices (bs, 2, 3): the upper two rows. The turn stands on the left of the mirror, whose diagonal is -1, 1, 1 where it mirrors.',
           'turn @ mirror only multiplies the first column of the turn by -1. Then F.grid_sample(x, F.affine_grid(m, x.shape, align_corners=False), padding_mode="reflection", align_corners=False).'),
    wrong=(Wrong(lambda x, d, f: augment_by_item(x, d[:1].expand_as(d), f[:1].expand_as(f)), 'value', 'One draw is shared by the whole batch. Each picture has its own.'),
           Wrong(augment_twice, 'value', 'The right movement by several resamplings: each of them has blurred the picture. Multiply the matrices first.'),
           Wrong(lambda x, d, f: looked_up(x, mirrors(f, d) @ turns(d)), 'value', 'Mirrored first and turned after. The matrix of what happens first stands on the left.'),
           Wrong(lambda x, d, f: augment_by_item(x, -d, f), 'value', 'Anticlockwise.'),
           Wrong(lambda x, d, f: F.grid_sample(x, F.affine_grid((turns(d) @ mirrors(f, d))[:, :2], x.shape, align_corners=False), align_corners=False), 'value', 'Beyond the edges it is black: padding_mode is zeros unless you say reflection.'),
           Wrong(lambda x, d, f: F.grid_sample(x, F.affine_grid((turns(d) @ mirrors(f, d))[:, :2], x.shape, align_corners=True), padding_mode='reflection', align_corners=True), 'value', 'align_corners=True puts -1 and 1 on the centres of the outer pixels, and the edges bend a little. The lesson measures from edge to edge.'),
           Wrong(lambda x, d, f: augment_by_item(x, d, f)[0], 'shape', 'Only the first picture came back.'),
           Wrong(lambda x, d, f: augment_by_item(x.float(), d.float(), f), 'dtype', 'The pictures came back as float32, whatever they were.'),
           Wrong(lambda x, d, f: x.copy_(augment_by_item(x.clone(), d, f)), 'inputs', "The result was written into the caller's pictures."),
           Wrong(lambda x, d, f: augment_by_item(x, d, f) + 0*torch.rand(()), 'random', 'It drew a number of its own. The draws are given here, so nothing is left to chance.')))

# flip_points: a mirror changes x

def flip_points(xy):
    "Points (bs, n, 2), x and y from -1 to 1, of a picture that was mirrored left and right."
    return torch.stack([-xy[..., 0], xy[..., 1]], -1)

def points_by_sign(xy): return xy*xy.new_tensor([-1, 1])

def points_by_loop(xy):
    x, y = xy.unbind(-1)
    return torch.cat([(0*x - x)[..., None], y[..., None]], dim=-1)

def points_cases(g):
    return [Case((tensor([[[.5, .2], [-1., .8]]]),), 'two points of one picture'), Case((torch.rand(3, 1, 2, generator=g)*2 - 1,), 'three pictures with one point'),
            Case((torch.rand(2, 4, 2, generator=g).double(),), 'double precision')]

def points_in_place(xy):
    flipped = flip_points(xy.clone())
    xy.data[..., 0] *= -1
    return flipped

FLIP_POINTS = Exercise(
    name='flip_points', task='Where points (bs, n, 2), x and y from -1 to 1, are after their picture was mirrored left and right.',
    reference=flip_points, alternative=points_by_sign, spec=points_by_loop, cases=points_cases,
    hints=('A point on the right edge has x = 1. Where is it in the mirror?', 'x changes its sign, y stays. Zero, the middle, stays where it is.', 'torch.stack([-xy[..., 0], xy[..., 1]], -1)'),
    wrong=(Wrong(lambda xy: torch.stack([xy[..., 0], -xy[..., 1]], -1), 'value', 'y changed its sign: that is a mirror of up and down.'),
           Wrong(lambda xy: torch.stack([1 - xy[..., 0], xy[..., 1]], -1), 'value', '1 - x is the mirror of places from 0 to 1. These go from -1 to 1, with the middle at 0.'),
           Wrong(lambda xy: -xy, 'value', 'Both changed: that is a turn by 180 degrees.'),
           Wrong(lambda xy: xy.flip(-1), 'value', 'x and y have changed places: that is a mirror along the diagonal.'),
           Wrong(lambda xy: xy.flip(1)*xy.new_tensor([-1, 1]), 'value', 'The points came back in another order: which one is the left eye must not change.'),
           Wrong(lambda xy: -xy[..., 0], 'shape', 'Only x came back. A point has two numbers.'),
           Wrong(lambda xy: flip_points(xy).float(), 'dtype', 'The points came back as float32, whatever they were.'),
           Wrong(lambda xy: torch.tensor(flip_points(xy).tolist(), dtype=xy.dtype), 'device', 'By way of Python lists, and so to the default device, wherever the points are.'),
           Wrong(points_in_place, 'inputs', "*= turned the sign in the caller's points."),
           Wrong(lambda xy: flip_points(xy.detach()), 'gradient', 'The points are right, and detach cut the way back to them.')),
    grad=True)

EXERCISES = [COMPOSE, ZOOM_AT, TRUE_TURN, AUGMENT, FLIP_POINTS]
