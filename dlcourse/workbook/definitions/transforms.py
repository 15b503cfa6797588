"Exercises of the lesson transforms: what to write, what it is held against, what is refused."
import torch
from torch import tensor

from ..contract import Case, Exercise, Wrong

# center_square: the largest square in the middle

def center_square(w, h):
    "The box (left, top, right, bottom) of the largest square in the middle of a picture `w` wide and `h` high, in whole pixels."
    side = min(w, h)
    left, top = (w - side)//2, (h - side)//2
    return left, top, left + side, top + side

def square_by_cutting(w, h):
    left, top, right, bottom = 0, 0, w, h
    while right - left != bottom - top:  # cut a pixel off the end, then one off the beginning
        if right - left > bottom - top: right, left = (right - 1, left) if (right - left - h) % 2 else (right, left + 1)
        else: bottom, top = (bottom - 1, top) if (bottom - top - w) % 2 else (bottom, top + 1)
    return left, top, right, bottom

def square_by_cases(w, h):
    if w > h: return (w - h)//2, 0, (w - h)//2 + h, h
    return 0, (h - w)//2, w, (h - w)//2 + w

def square_cases(g):
    return [Case((6, 4), '6 wide, 4 high'), Case((4, 6), '4 wide, 6 high'), Case((5, 2), 'an odd number left over'), Case((7, 10), 'odd and upright'),
            Case((640, 427), 'a photo'), Case((9, 9), 'a square already'), Case((1, 1), 'one pixel'), Case((1, 1000), 'a thin strip')]

def as_array_has_it(w, h):
    left, top, right, bottom = center_square(w, h)
    return top, left, bottom, right

CENTER_SQUARE = Exercise(
    name='center_square', task='The box (left, top, right, bottom), whole numbers, of the largest square in the middle of a picture w wide and h high; of an odd rest the smaller half goes left, or to the top.',
    reference=center_square, alternative=square_by_cutting, spec=square_by_cases, cases=square_cases,
    hints=('How long is the side of the largest square that fits? How much is left over, across and down?',
           'The side is min(w, h). Half of what is left over, w - side and h - side, stands before the square; // keeps it whole.',
           'left = (w - side)//2, top = (h - side)//2, and the other two corners are one side further.'),
    wrong=(Wrong(lambda w, h: (0, 0, min(w, h), min(w, h)), 'value', 'The square is at the top left. Half of what is left over belongs in front of it.'),
           Wrong(as_array_has_it, 'value', 'The axes are swapped: left and right count across, and come first and third.'),
           Wrong(lambda w, h: ((w - min(w, h))//2, (h - min(w, h))//2, min(w, h), min(w, h)), 'value', 'That is left, top, width, height. The last two are to be the right and the bottom edge.'),
           Wrong(lambda w, h: ((w - min(w, h) + 1)//2, (h - min(w, h) + 1)//2, (w - min(w, h) + 1)//2 + min(w, h), (h - min(w, h) + 1)//2 + min(w, h)), 'value', 'Of an odd rest, the larger half stands in front. The smaller one should.'),
           Wrong(lambda w, h: ((w - min(w, h))//2, (h - min(w, h))//2, w - (w - min(w, h))//2, h - (h - min(w, h))//2), 'value', 'Where the rest is odd, this box is no square: it has taken the same half off both ends.'),
           Wrong(lambda w, h: (0, 0, w, h), 'value', 'That is the whole picture.'),
           Wrong(lambda w, h: ((w - min(w, h))/2, (h - min(w, h))/2, (w + min(w, h))/2, (h + min(w, h))/2), 'shape', 'Pixels are whole: / makes floats, // stays with whole numbers.'),
           Wrong(lambda w, h: tensor(center_square(w, h)), 'shape', 'Right, as a tensor. Four plain numbers are asked for.'),
           Wrong(lambda w, h: center_square(w, h)[:2], 'shape', 'Only left and top. A box has four numbers.')))

# fit_inside: what padding leaves of a picture

def fit_inside(w, h, side):
    "(width, height) of the largest copy of a `w` x `h` picture that fits into a square of `side`, rounded, at least 1."
    scale = side/max(w, h)
    return max(1, round(w*scale)), max(1, round(h*scale))

def fit_by_cases(w, h, side):
    if w > h: return side, max(1, int(h*side/w + .5))
    return max(1, int(w*side/h + .5)), side

def fit_by_ratio(w, h, side):
    long, short = max(w, h), min(w, h)
    other = round(side*short/long) or 1
    return (side, other) if w >= h else (other, side)

def fit_cases(g):
    return [Case((6, 4, 3), '6 wide, 4 high, into 3'), Case((4, 6, 3), '4 wide, 6 high, into 3'), Case((640, 427, 128), 'a photo'), Case((310, 500, 224), 'an upright photo'),
            Case((7, 7, 5), 'a square'), Case((4000, 10, 128), 'a panorama'), Case((1, 9000, 64), 'a thin strip'), Case((30, 20, 96), 'a small picture, enlarged')]

FIT_INSIDE = Exercise(
    name='fit_inside', task='(width, height), whole numbers, of the largest copy of a w x h picture that fits into a square of that side: rounded, at least 1.',
    reference=fit_inside, alternative=fit_by_cases, spec=fit_by_ratio, cases=fit_cases,
    hints=('Which side decides whether the picture fits: the longer or the shorter one?',
           'One scale for both sides, so that nothing is squeezed: side divided by the longer of the two. Then round.',
           'scale = side/max(w, h), and then max(1, round(w*scale)) and the same with h.'),
    wrong=(Wrong(lambda w, h, side: (max(1, round(w*side/min(w, h))), max(1, round(h*side/min(w, h)))), 'value', 'The shorter side fills the square, and the longer one sticks out. That is what a crop starts from.'),
           Wrong(lambda w, h, side: (side, side), 'value', 'Both sides are as long as the square: that squeezes the picture.'),
           Wrong(lambda w, h, side: fit_inside(w, h, side)[::-1], 'value', 'Height and width are swapped.'),
           Wrong(lambda w, h, side: (max(1, int(w*side/max(w, h))), max(1, int(h*side/max(w, h)))), 'value', 'int() cuts off what is behind the point. round() goes to the nearest whole number.'),
           Wrong(lambda w, h, side: (round(w*side/max(w, h)), round(h*side/max(w, h))), 'value', 'A very long picture becomes 0 pixels high, and cannot be drawn. One pixel is the least.'),
           Wrong(lambda w, h, side: (min(w, fit_inside(w, h, side)[0]), min(h, fit_inside(w, h, side)[1])), 'value', 'A small picture stays small here. The largest copy that fits is asked for: it is enlarged.'),
           Wrong(lambda w, h, side: (w*side/max(w, h), h*side/max(w, h)), 'shape', 'Pixels are whole: round both.'),
           Wrong(lambda w, h, side: fit_inside(w, h, side)[1], 'shape', 'Only one side. Width and height are asked for.')))

# moved_points: shift, then scale

def moved_points(xy, box, size):
    "Where points (n, 2) of a picture are once `box` (left, top, right, bottom) fills a picture of `size` (width, height)."
    left, top, right, bottom = box
    x = (xy[:, 0] - left)*size[0]/(right - left)
    y = (xy[:, 1] - top)*size[1]/(bottom - top)
    return torch.stack([x, y], dim=1)

def moved_at_once(xy, box, size):
    corner, far = xy.new_tensor(box[:2]), xy.new_tensor(box[2:])
    return (xy - corner)/(far - corner)*xy.new_tensor(size)

def moved_one_by_one(xy, box, size):
    out = torch.empty_like(xy)
    for i, point in enumerate(xy):
        for axis in (0, 1): out[i, axis] = (point[axis] - box[axis])/(box[axis + 2] - box[axis])*size[axis]
    return out

def points_cases(g):
    return [Case((tensor([[60., 50.], [10., 20.]]), (10, 20, 110, 60), (50, 20)), 'half the size, from a box that begins at (10, 20)'),
            Case((tensor([[3., 4.]]), (0, 0, 6, 8), (12, 4)), 'a whole picture, squeezed'), Case((100*torch.rand(5, 2, generator=g), (-20., 10., 80., 60.), (224, 160)), 'a box that reaches beyond the edge'),
            Case((torch.zeros(0, 2), (1, 2, 3, 4), (5, 6)), 'no points'), Case((50*torch.rand(2, 2, generator=g).double(), (3, 5, 40, 30), (64, 64)), 'double precision')]

def points_in_place(xy, box, size):
    moved = moved_points(xy.clone(), box, size)
    xy -= xy.new_tensor(box[:2])
    return moved

MOVED_POINTS = Exercise(
    name='moved_points', task='Where points (n, 2), x and y, are once box (left, top, right, bottom) fills a picture of size (width, height); n may be 0; the dtype stays.',
    reference=moved_points, alternative=moved_at_once, spec=moved_one_by_one, cases=points_cases,
    hints=('Where is a point, counted from the left edge of the box? And as a share of the width of the box?',
           'Shift first: take off left (or top). Then scale by size[0]/(right - left), or size[1]/(bottom - top).',
           'x = (xy[:, 0] - left)*size[0]/(right - left), likewise y, and torch.stack([x, y], dim=1).'),
    wrong=(Wrong(lambda xy, box, size: torch.stack([xy[:, 0]*size[0]/(box[2] - box[0]), xy[:, 1]*size[1]/(box[3] - box[1])], 1), 'value', 'Scaled, and not shifted: a point at the corner of the box must come to (0, 0).'),
           Wrong(lambda xy, box, size: torch.stack([xy[:, 0] - box[0], xy[:, 1] - box[1]], 1), 'value', 'Shifted, and not scaled: the box becomes a picture of another size.'),
           Wrong(lambda xy, box, size: torch.stack([xy[:, 0]*size[0]/(box[2] - box[0]) - box[0], xy[:, 1]*size[1]/(box[3] - box[1]) - box[1]], 1), 'value', 'Scaled first and shifted after: the corner of the box is given in pixels of the source, so it has to go first.'),
           Wrong(lambda xy, box, size: moved_points(xy, box, size[::-1]), 'value', 'Width and height of the result are swapped: size is (width, height).'),
           Wrong(lambda xy, box, size: moved_points(xy, (*box[:2], box[2] + box[0], box[3] + box[1]), size), 'value', 'The last two numbers of a box are its right and bottom edge. The width is right - left.'),
           Wrong(lambda xy, box, size: torch.stack([(xy[:, 0] - box[0])*size[0]/(box[2] - box[0]), (xy[:, 1] - box[1])*size[0]/(box[2] - box[0])], 1), 'value', 'One scale for both axes. A squeezed picture has two.'),
           Wrong(lambda xy, box, size: moved_points(xy, box, size).round(), 'value', 'Rounded to whole pixels. A place may lie between two.'),
           Wrong(lambda xy, box, size: moved_points(xy, box, size).T, 'shape', 'All x in one row and all y in the other. Each point should be a row: dim=1.'),
           Wrong(lambda xy, box, size: tensor([[(x - box[0])*size[0]/(box[2] - box[0]), (y - box[1])*size[1]/(box[3] - box[1])] for x, y in xy.tolist()], dtype=xy.dtype), 'shape', 'Made from a list, no points have the shape (0,). Calculating with the tensor keeps (0, 2).'),
           Wrong(lambda xy, box, size: moved_points(xy.double(), box, size), 'dtype', 'The places are right, in another dtype than that of the points.'),
           Wrong(lambda xy, box, size: torch.tensor(moved_points(xy, box, size).tolist(), dtype=xy.dtype).reshape(-1, 2), 'device', 'A tensor made afresh lands on the default device, and the points may be on another one.'),
           Wrong(points_in_place, 'inputs', "-= moved the caller's own points.")))

# rrc_box: a share of the area, not of the side

def rrc_box(w, h, share, ratio, u, v):
    "The box (left, top, right, bottom) with that share of the area of a `w` x `h` picture and that ratio of width to height; `u`, `v` in [0, 1) choose the place."
    cw, ch = round((w*h*share*ratio)**.5), round((w*h*share/ratio)**.5)
    left, top = int(u*(w - cw + 1)), int(v*(h - ch + 1))
    return left, top, left + cw, top + ch

def rrc_by_height(w, h, share, ratio, u, v):
    height = (share*w*h/ratio)**.5  # as width = ratio*height
    cw, ch = int(ratio*height + .5), int(height + .5)
    left, top = int(u*(w - cw + 1)//1), int(v*(h - ch + 1)//1)
    return left, top, left + cw, top + ch

def rrc_by_search(w, h, share, ratio, u, v):
    cw = min(range(1, w + 1), key=lambda n: abs(n - (share*w*h*ratio)**.5))
    ch = min(range(1, h + 1), key=lambda n: abs(n - (share*w*h/ratio)**.5))
    left = next(i for i in range(w) if u*(w - cw + 1) < i + 1)
    top = next(i for i in range(h) if v*(h - ch + 1) < i + 1)
    return left, top, left + cw, top + ch

def rrc_cases(g):
    return [Case((600, 400, .25, 1., 0., 0.), 'a quarter of 600 x 400, square, at the top left'), Case((600, 400, .25, 4/3, .5, .5), 'a quarter, 4 to 3, about the middle'),
            Case((400, 600, .3, 3/4, .999, .999), 'as far to the lower right as it goes'), Case((640, 427, .08, .9, .31, .77), 'the smallest share'),
            Case((500, 375, .5, 1.2, .9, .1), 'half of it'), Case((50, 50, 1., 1., .7, .2), 'all of a square'), Case((640, 480, .6, 4/3, .05, .93), 'the shape of the picture')]

def rrc_sides(w, h, cw, ch, u, v):
    left, top = int(u*(w - cw + 1)), int(v*(h - ch + 1))
    return left, top, left + cw, top + ch

def rrc_swapped(w, h, share, ratio, u, v):
    left, top, right, bottom = rrc_box(w, h, share, ratio, u, v)
    return top, left, bottom, right

RRC_BOX = Exercise(
    name='rrc_box', task='The box (left, top, right, bottom), whole numbers: share of the area of w x h, ratio = width/height, sides rounded; left is the whole part of u*(w - side + 1), top likewise with v.',
    reference=rrc_box, alternative=rrc_by_height, spec=rrc_by_search, cases=rrc_cases,
    hints=('Width times height is share*w*h, and width divided by height is ratio. Two equations for two unknowns: multiply them.',
           'width = sqrt(share*w*h*ratio), height = sqrt(share*w*h/ratio), both rounded. Only then is it known how far the box can slide.',
           'cw = round((w*h*share*ratio)**.5), ch with / instead of *, left = int(u*(w - cw + 1)), top = int(v*(h - ch + 1)).'),
    wrong=(Wrong(lambda w, h, s, r, u, v: rrc_sides(w, h, min(w, round(w*s*r**.5)), min(h, round(h*s/r**.5)), u, v), 'value', 'A share of the sides: half of each side is a quarter of the area. The square root is missing.'),
           Wrong(lambda w, h, s, r, u, v: rrc_sides(w, h, round((w*h*s)**.5), round((w*h*s)**.5), u, v), 'value', 'Always a square: ratio has not been used.'),
           Wrong(lambda w, h, s, r, u, v: rrc_sides(w, h, round((w*h*s/r)**.5), round((w*h*s*r)**.5), u, v), 'value', 'Upright where it should be wide: ratio is width divided by height.'),
           Wrong(lambda w, h, s, r, u, v: rrc_sides(w, h, round(w*(s*r)**.5), round(h*(s/r)**.5), u, v), 'value', 'The ratio is that of the picture times the one asked for: w and h belong under the root together.'),
           Wrong(lambda w, h, s, r, u, v: (lambda b: (int(u*w), int(v*h), int(u*w) + b[2] - b[0], int(v*h) + b[3] - b[1]))(rrc_box(w, h, s, r, 0, 0)), 'value', 'The corner may be anywhere in the picture, so the box sticks out of it. It can slide only by w minus its own width.'),
           Wrong(lambda w, h, s, r, u, v: (lambda b: (int(u*(w - b[2])), int(v*(h - b[3])), int(u*(w - b[2])) + b[2], int(v*(h - b[3])) + b[3]))(rrc_box(w, h, s, r, 0, 0)), 'value', 'The last place is never reached: with room for n pixels there are n + 1 places.'),
           Wrong(lambda w, h, s, r, u, v: rrc_box(w, h, s, r, .5, .5), 'value', 'Always in the middle: u and v choose the place.'),
           Wrong(rrc_swapped, 'value', 'The axes are swapped: left and right count across, and come first and third.'),
           Wrong(lambda w, h, s, r, u, v: (lambda b: (b[0], b[1], b[2] - b[0], b[3] - b[1]))(rrc_box(w, h, s, r, u, v)), 'value', 'That is left, top, width, height. The last two are to be the right and the bottom edge.'),
           Wrong(lambda w, h, s, r, u, v: tuple(map(float, rrc_box(w, h, s, r, u, v))), 'shape', 'Pixels are whole: round the sides, and take the whole part of the place.'),
           Wrong(lambda w, h, s, r, u, v: (torch.rand(2), rrc_box(w, h, s, r, u, v))[1], 'random', 'Something is drawn in here. Share, ratio and place have been drawn already: u and v are given.')))

# normalized: along the channels

def normalized(x, mean, std):
    "A batch (bs, c, h, w) with `mean` (c,) taken off each channel, divided by `std` (c,); a ValueError where they are not of c channels."
    if x.shape[1] != len(mean) or len(mean) != len(std): raise ValueError(f'{x.shape[1]} channels, {len(mean)} means, {len(std)} standard deviations')
    return (x - mean[:, None, None])/std[:, None, None]

def normalized_last(x, mean, std):
    if not x.shape[1] == len(mean) == len(std): raise ValueError('channels')
    return ((x.movedim(1, -1) - mean)/std).movedim(-1, 1)

def normalized_by_channel(x, mean, std):
    if x.shape[1] != len(mean) or x.shape[1] != len(std): raise ValueError('channels')
    return torch.stack([(x[:, c] - mean[c])/std[c] for c in range(x.shape[1])], dim=1)

def normalized_cases(g):
    return [Case((tensor([[[[.2, .5]], [[.1, .9]]]]), tensor([.2, .5]), tensor([.1, .4])), 'one picture of two channels, two pixels each'),
            Case((torch.rand(2, 3, 4, 3, generator=g), tensor([.2, .4, .6]), tensor([.1, .2, .5])), 'three channels, three pixels wide'),
            Case((torch.rand(1, 3, 3, 5, generator=g), tensor([.5, .4, .3]), tensor([.3, .2, .1])), 'a batch of one, three pixels high'),
            Case((torch.rand(4, 1, 2, 5, generator=g), tensor([.1]), tensor([.3])), 'grey pictures'),
            Case((torch.rand(3, 3, 2, 2, generator=g).double(), tensor([.5, .4, .3]).double(), tensor([.3, .2, .1]).double()), 'double precision, three pictures')]

def normalized_refuses(g):
    return [Case((torch.rand(2, 1, 4, 3, generator=g), tensor([.2, .4, .6]), tensor([.1, .2, .5])), 'grey pictures, three means'),
            Case((torch.rand(2, 3, 4, 3, generator=g), tensor([.2]), tensor([.1])), 'colour pictures, one mean')]

def normalized_in_place(x, mean, std):
    done = normalized(x, mean, std)
    x.data -= mean[:, None, None]
    return done

def own_statistics(x, mean, std): return normalized(x, x.mean((0, 2, 3)), x.std((0, 2, 3)))

NORMALIZED = Exercise(
    name='normalized', task='(x - mean)/std for each channel of a batch (bs, c, h, w); mean and std are (c,). A ValueError where the number of channels differs.',
    reference=normalized, alternative=normalized_last, spec=normalized_by_channel, cases=normalized_cases,
    hints=('Shapes are lined up from the right. Which axis of (bs, c, h, w) does a mean of shape (c,) meet?',
           'mean[:, None, None] has the shape (c, 1, 1): its c now meets the axis of the channels.',
           'Compare x.shape[1], len(mean) and len(std) first; then (x - mean[:, None, None])/std[:, None, None].'),
    wrong=(Wrong(lambda x, mean, std: normalized(x, mean, std**2), 'value', 'Divided by the variance. The spread of the result is 1 only if you divide by the standard deviation.'),
           Wrong(lambda x, mean, std: (x - mean)/std if x.shape[-1] == len(mean) else normalized(x, mean, std), 'value', 'The three means met the last axis, the columns: in a picture three pixels wide nothing complains.'),
           Wrong(lambda x, mean, std: (x - mean[:, None])/std[:, None] if x.shape[-2] == len(mean) else normalized(x, mean, std), 'value', 'One None too few: the means met the rows.'),
           Wrong(own_statistics, 'value', "These are the batch's own mean and spread. The given ones are to be used, else the same picture looks different in every batch."),
           Wrong(lambda x, mean, std: normalized(x, mean, torch.ones_like(std)), 'value', 'The mean is off, and nothing was divided.'),
           Wrong(lambda x, mean, std: normalized(x, torch.zeros_like(mean), std) - mean[:, None, None], 'value', 'Divided first. The mean has to go first: (x - mean)/std.'),
           Wrong(lambda x, mean, std: normalized(x, mean.mean().expand(len(mean)), std.mean().expand(len(std))), 'value', 'One mean for all channels. Red, green and blue have each their own.'),
           Wrong(lambda x, mean, std: x*std[:, None, None] + mean[:, None, None], 'value', 'That is the way back.'),
           Wrong(lambda x, mean, std: (x - mean[:, None, None])/std[:, None, None], 'refusal', 'One channel and three means: PyTorch stretches the channel to three, and nobody notices. Compare the numbers first.'),
           Wrong(lambda x, mean, std: normalized(x, mean, std)[0], 'shape', 'Only the first picture. The whole batch is asked for.'),
           Wrong(lambda x, mean, std: normalized(x.double(), mean, std), 'dtype', 'The values are right, in another dtype than that of x.'),
           Wrong(lambda x, mean, std: normalized(x.detach(), mean, std), 'gradient', 'The values are right, and no gradient comes back to x: detach cuts the way.'),
           Wrong(normalized_in_place, 'inputs', "-= wrote into the caller's pictures.")),
    grad=True, refuses=normalized_refuses)

# steady_input: the bug lab

def careless_input(picture, mean, std):
    "A batch of one, as the model was trained: uint8 (c, h, w) becomes float32 (1, c, h, w), normalised by `mean` and `std`, both (c,)."
    x = picture.float()
    return ((x - mean[:, None, None])/std[:, None, None]).unsqueeze(0)

def steady_input(picture, mean, std):
    "A batch of one, as the model was trained: uint8 (c, h, w) becomes float32 (1, c, h, w), normalised by `mean` and `std`, both (c,)."
    x = picture.float()/255
    return ((x - mean[:, None, None])/std[:, None, None]).unsqueeze(0)

def steady_by_statistics(picture, mean, std):
    "The statistics made larger, instead of the picture smaller."
    return (picture[None].float() - 255*mean[:, None, None])/(255*std[:, None, None])

def steady_by_channel(picture, mean, std):
    return torch.stack([(channel.float()/255 - m)/s for channel, m, s in zip(picture, mean, std)])[None]

def a_picture(g, c, h, w): return torch.randint(256, (c, h, w), generator=g).to(torch.uint8)

def steady_cases(g):
    return [Case((tensor([[[0, 255]], [[51, 102]]], dtype=torch.uint8), tensor([.5, .2]), tensor([.5, .1])), 'two channels of two pixels'),
            Case((a_picture(g, 3, 4, 3), tensor([.2, .4, .6]), tensor([.1, .2, .5])), 'three channels, three pixels wide'),
            Case((a_picture(g, 1, 3, 5), tensor([.3]), tensor([.2])), 'a grey picture'), Case((a_picture(g, 3, 3, 6), tensor([.485, .456, .406]), tensor([.229, .224, .225])), "ImageNet's statistics")]

def steady_own(picture, mean, std):
    x = picture.float()/255
    return steady_input(picture, x.mean((1, 2)), x.std((1, 2)))

STEADY_INPUT = Exercise(
    name='steady_input', task='The batch of one, float32 (1, c, h, w), that the model was trained on: bytes divided by 255, then (x - mean)/std for each channel.',
    reference=steady_input, alternative=steady_by_statistics, spec=steady_by_channel, cases=steady_cases, bug=careless_input,
    hints=('From where to where do the numbers of a normalised picture run? And what goes in here?',
           'mean and std were measured on values from 0 to 1. What range does picture.float() have?',
           'x = picture.float()/255; the rest is right.'),
    wrong=(Wrong(lambda p, mean, std: (p.float()/255).unsqueeze(0), 'value', 'From 0 to 1 now, and no longer normalised. The model was trained on (x - mean)/std.'),
           Wrong(steady_own, 'value', "Normalised with the picture's own statistics: a dark picture and a bright one become alike. The model was trained with one pair for all."),
           Wrong(lambda p, mean, std: ((p.float() - mean[:, None, None])/std[:, None, None]/255).unsqueeze(0), 'value', 'Divided at the end: the mean, a number below 1, was taken off values up to 255.'),
           Wrong(lambda p, mean, std: steady_input(p, mean, std**2), 'value', 'Divided by the variance, and not by the standard deviation.'),
           Wrong(lambda p, mean, std: steady_input(p, mean, std)*255, 'value', 'Multiplied by 255 after all.'),
           Wrong(lambda p, mean, std: ((p//255).float() - mean[:, None, None]).div(std[:, None, None]).unsqueeze(0), 'value', '// keeps whole numbers: all bytes below 255 have become 0.'),
           Wrong(lambda p, mean, std: steady_input(p, mean, std)[0], 'shape', 'The first axis, that of the batch, is gone. A model takes (bs, c, h, w).'),
           Wrong(lambda p, mean, std: steady_input(p, mean, std).movedim(1, -1), 'shape', 'Channels last. The model has them right after the batch axis.'),
           Wrong(lambda p, mean, std: steady_input(p.double(), mean, std).double(), 'dtype', 'Double precision. The model works in float32.'),
           Wrong(lambda p, mean, std: (steady_input(p, mean, std), mean.mul_(255))[0], 'inputs', 'The statistics were changed in place: the next picture meets others.')))

EXERCISES = [CENTER_SQUARE, FIT_INSIDE, MOVED_POINTS, RRC_BOX, NORMALIZED, STEADY_INPUT]
