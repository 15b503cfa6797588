"Exercises of the lesson blocks: what to write, what it is held against, what is refused."
import torch
from torch import tensor

from ..contract import Case, Exercise, Wrong

# many_hot: several labels as ones and zeros

def many_hot(labels, vocab):
    "A list with a 1.0 for each class of `vocab` that is among `labels`, else 0.0; a ValueError for a label that is no class."
    row = [0.]*len(vocab)
    for label in labels: row[vocab.index(label)] = 1.
    return row

def hot_by_asking(labels, vocab):
    if set(labels) - set(vocab): raise ValueError('a label that is no class')
    return [float(name in labels) for name in vocab]

def hot_by_loop(labels, vocab):
    row = []
    for name in vocab: row.append(1. if any(label == name for label in labels) else 0.)
    for label in labels:
        if label not in vocab: raise ValueError(label)
    return row

THINGS = ['star', 'circle', 'moon', 'square', 'heart']

def hot_cases(g):
    picks = [[THINGS[i] for i in torch.randperm(5, generator=g)[:n].tolist()] for n in (2, 3)]
    return [Case((['star', 'moon'], ['circle', 'moon', 'star']), 'two labels of three classes'), Case(([], THINGS), 'no label at all'),
            *(Case((labels, THINGS), ' and '.join(labels)) for labels in picks), Case((['moon'], ['moon']), 'one class, and it is there'),
            Case((['star', 'star'], ['circle', 'star']), 'a label twice: it is there, once')]

def hot_refuses(g): return [Case((['sun'], THINGS), 'a label that is no class'), Case((['moon', 'sun'], THINGS), 'a known label and an unknown one')]

def hot_counted(labels, vocab):
    many_hot(labels, vocab)
    return [float(labels.count(name)) for name in vocab]

def hot_softly(labels, vocab): return [v/max(len(set(labels)), 1) for v in many_hot(labels, vocab)]

def hot_consuming(labels, vocab):
    row = [0.]*len(vocab)
    while labels: row[vocab.index(labels.pop())] = 1.
    return row

MANY_HOT = Exercise(
    name='many_hot', task='A list of as many floats as vocab has classes: 1.0 where the class is among labels, else 0.0. A ValueError for a label that vocab does not have. Both arguments are lists of names.',
    reference=many_hot, alternative=hot_by_asking, spec=hot_by_loop, cases=hot_cases,
    hints=('Begin with as many zeros as there are classes. Which method of a list tells the place of a name?',
           'vocab.index(label) is the place, and raises the ValueError by itself.',
           'row = [0.]*len(vocab), then for each label row[vocab.index(label)] = 1.'),
    wrong=(Wrong(hot_softly, 'value', 'Shares that add up to 1. These are no shares: two things may both be there, each with a 1 of its own.'),
           Wrong(lambda labels, vocab: many_hot(labels[:1], vocab) if not set(labels) - set(vocab) else many_hot(labels, vocab), 'value', 'Only the first label got its 1.'),
           Wrong(hot_counted, 'value', 'A label that comes twice was counted twice. The question is whether it is there: 1 or 0.'),
           Wrong(lambda labels, vocab: [1 - v for v in many_hot(labels, vocab)], 'value', 'Upside down: 1 means that it is there.'),
           Wrong(lambda labels, vocab: many_hot(labels, sorted(vocab)), 'value', 'The classes were sorted first. Their order is the one that vocab has.'),
           Wrong(lambda labels, vocab: [vocab.index(x) for x in labels], 'shape', 'These are places in vocab, as many as there are labels. One number for each class is asked for.'),
           Wrong(lambda labels, vocab: [x in labels for x in vocab], 'shape', 'True and False. The loss reckons with numbers: 1.0 and 0.0.'),
           Wrong(hot_consuming, 'inputs', "pop() emptied the caller's list of labels."),
           Wrong(lambda labels, vocab: [float(name in labels) for name in vocab], 'refusal', 'A label that vocab does not know is passed over in silence. That is a spelling mistake that nobody will find.')),
    refuses=hot_refuses)

# unit_points: pixels to numbers from -1 to 1

def unit_points(points, size):
    "Points (n, 2) in pixels of a picture of `size` (width, height), as float32 from -1 to 1."
    return 2*points.float()/torch.tensor(size, device=points.device) - 1

def unit_by_columns(points, size):
    x, y = points.to(torch.float32).T
    w, h = size
    return torch.stack([(x - w/2)/(w/2), (y - h/2)/(h/2)], dim=1)

def unit_by_loop(points, size):
    return tensor([[2*float(x)/size[0] - 1, 2*float(y)/size[1] - 1] for x, y in points.tolist()], dtype=torch.float32, device=points.device).reshape(-1, 2)

def unit_cases(g):
    return [Case((tensor([[0., 0.], [4., 2.], [3., .5]]), (4, 2)), 'two corners and a point, on 4 x 2 pixels'), Case((tensor([[192., 36.]]), (192, 144)), 'a single point on the right edge'),
            Case((200*torch.rand(5, 2, generator=g), (320, 240)), 'five points'), Case((tensor([[3, 1], [1, 1]]), (4, 2)), 'whole numbers'),
            Case((tensor([[-2., 5.]]), (4, 4)), 'a point outside: it stays outside'), Case((30*torch.rand(2, 2, generator=g).double(), (30, 50)), 'double precision in')]

def unit_in_place(points, size):
    if points.dtype != torch.float32: return unit_points(points, size)
    points *= 2/torch.tensor(size)
    points -= 1
    return points

UNIT_POINTS = Exercise(
    name='unit_points', task='Points (n, 2), x and y in pixels of a picture of size (width, height), as float32 from -1 to 1: (0, 0) becomes (-1, -1), (width, height) becomes (1, 1). Points outside stay outside.',
    reference=unit_points, alternative=unit_by_columns, spec=unit_by_loop, cases=unit_cases,
    hints=('First shares from 0 to 1: divide x by the width and y by the height. What makes 0 to 1 into -1 to 1?',
           'size has the same order as a point, width first, so points/torch.tensor(size) divides both at once. Then times 2, minus 1.',
           '2*points.float()/torch.tensor(size, device=points.device) - 1.'),
    wrong=(Wrong(lambda p, s: 2*p.float()/torch.tensor(s[::-1], device=p.device) - 1, 'value', 'x was divided by the height and y by the width. A size of PIL is (width, height), in the order of (x, y).'),
           Wrong(lambda p, s: p.float()/torch.tensor(s, device=p.device), 'value', 'These run from 0 to 1. Numbers from -1 to 1 are asked for.'),
           Wrong(lambda p, s: 2*p.float()/(torch.tensor(s, device=p.device) - 1) - 1, 'value', 'Divided by the number of steps between pixels. The edges of a picture lie at 0 and at its width, so divide by the width itself.'),
           Wrong(lambda p, s: 2*p.float()/max(s) - 1, 'value', 'One side for both. Then a wide picture would not reach from -1 to 1 in height.'),
           Wrong(lambda p, s: unit_points(p, s).clamp(-1, 1), 'value', 'A point outside was pulled to the edge. It is not there: after a crop, the nose may be out of sight.'),
           Wrong(lambda p, s: unit_points(p, s).flip(1), 'value', 'y came first in the result. A point stays (x, y).'),
           Wrong(lambda p, s: unit_points(p, s).mean(0), 'shape', 'One point is left of all of them.'),
           Wrong(lambda p, s: unit_points(p, s).T, 'shape', 'That is transposed: (2, n). Each row is a point.'),
           Wrong(lambda p, s: 2*p/torch.tensor(s, device=p.device) - 1, 'dtype', 'Double precision stayed double. A batch holds float32, whatever the file had.'),
           Wrong(lambda p, s: tensor([[2*x/s[0] - 1, 2*y/s[1] - 1] for x, y in p.tolist()], dtype=torch.float32), 'device', 'A new tensor was made on the default device. The points may be elsewhere: compute with them, or name their device.'),
           Wrong(unit_in_place, 'inputs', "*= and -= wrote into the caller's points.")))

# carry_points: with the inverse of the matrix, and the third number divided away

def carry_points(points, matrix):
    "Where `points` (n, 2) are once a picture was filled through `matrix` (3, 3), which leads from new places to old."
    with_one = torch.cat([points, torch.ones_like(points[:, :1])], dim=1)
    moved = with_one @ torch.linalg.inv(matrix).T
    return moved[:, :2]/moved[:, 2:]

def carry_by_solving(points, matrix):
    solved = torch.linalg.solve(matrix, torch.cat([points.T, points.new_ones(1, len(points))]))
    return (solved[:2]/solved[2]).T

def carry_by_rows(points, matrix):
    inverse, rows = torch.linalg.inv(matrix), []
    for x, y in points:
        u, v, w = (inverse[i, 0]*x + inverse[i, 1]*y + inverse[i, 2] for i in range(3))
        rows.append(torch.stack([u/w, v/w]))
    return torch.stack(rows)

QUARTER = [[0., .5, .25], [-1., 0., 0.], [0., 0., 1.]]

def carry_cases(g):
    tilt = torch.eye(3) + .2*torch.rand(3, 3, generator=g)
    return [Case((tensor([[-1., 1.], [.5, 0.]]), tensor(QUARTER)), 'a quarter turn, enlarged and shifted'), Case((tensor([[.5, -.25]]), tensor([[-1., 0., 0.], [0., 1., 0.], [0., 0., 1.]])), 'one point, flipped'),
            Case((tensor([[.4, -.2], [0., 0.]]), tensor([[.5, 0., .1], [0., .8, 0.], [0., 0., 1.]])), 'zoomed and shifted'),
            Case((torch.rand(3, 2, generator=g) - .5, tilt), 'tilted: the third number is not 1'), Case((torch.rand(2, 2, generator=g).double() - .5, tilt.double()), 'double precision')]

def carry(points, matrix, divide=True):
    moved = torch.cat([points, torch.ones_like(points[:, :1])], dim=1) @ matrix.T
    return moved[:, :2]/moved[:, 2:] if divide else moved[:, :2]

def carry_in_place(points, matrix):
    moved = carry_points(points.clone(), matrix)
    points.data += 1
    return moved

CARRY_POINTS = Exercise(
    name='carry_points', task='Points (n, 2) from -1 to 1 and a matrix (3, 3) that leads from places (x, y, 1) of the new picture to places of the old one. Return where the points are in the new picture, (n, 2), in their dtype.',
    reference=carry_points, alternative=carry_by_solving, spec=carry_by_rows, cases=carry_cases,
    hints=('The matrix says for each new place where to look in the old picture. A point is an old place, and its new one is asked for: the other way round.',
           'torch.linalg.inv(matrix). Give every point a third number, 1, multiply, and divide the first two by the third.',
           'with_one = torch.cat([points, torch.ones_like(points[:, :1])], dim=1), then moved = with_one @ torch.linalg.inv(matrix).T, then moved[:, :2]/moved[:, 2:].'),
    wrong=(Wrong(carry, 'value', 'Moved by the matrix itself, which leads from new to old. With a flip nobody notices; a turn goes the wrong way.'),
           Wrong(lambda p, m: carry(p, torch.linalg.inv(m), False), 'value', 'The third number was thrown away. Where the picture is tilted it is not 1, and has to be divided by.'),
           Wrong(lambda p, m: carry(p, torch.linalg.inv(m).T), 'value', 'The inverse was transposed once too often: points are rows here, so with_one @ inverse.T.'),
           Wrong(lambda p, m: carry(p, m.T), 'value', 'The transpose is the inverse of a pure turn only. Zooming and tilting need torch.linalg.inv.'),
           Wrong(lambda p, m: p @ torch.linalg.inv(m)[:2, :2].T, 'value', 'Only the 2x2 corner was used, so nothing is ever shifted.'),
           Wrong(lambda p, m: carry_points(p.flip(1), m).flip(1), 'value', 'x and y changed places on the way. The matrix wants (x, y, 1).'),
           Wrong(lambda p, m: torch.cat([carry_points(p, m), torch.ones_like(p[:, :1])], 1), 'shape', 'The third number is still there. A point is (x, y).'),
           Wrong(lambda p, m: carry_points(p.double(), m.double()), 'dtype', 'The places are right, in another dtype than that of the points.'),
           Wrong(lambda p, m: carry_points(p.detach(), m), 'gradient', 'The places are right, and no gradient comes back to the points.'),
           Wrong(carry_in_place, 'inputs', "The caller's points were changed. Leave them as they are.")),
    grad=True)

# box_around: least and greatest, whatever the order of the corners

def box_around(corners):
    "The upright boxes (n, 4): left, top, right, bottom, around corners (n, 4, 2)."
    return torch.cat([corners.amin(1), corners.amax(1)], dim=1)

def around_by_sorting(corners):
    x, y = corners[..., 0].sort(1).values, corners[..., 1].sort(1).values
    return torch.stack([x[:, 0], y[:, 0], x[:, -1], y[:, -1]], dim=1)

def around_by_loop(corners):
    rows = [[min(x for x, _ in box), min(y for _, y in box), max(x for x, _ in box), max(y for _, y in box)] for box in corners.tolist()]
    return corners.new_tensor(rows).reshape(-1, 4)

def around_cases(g):
    return [Case((tensor([[[3., 1.], [1., 1.], [1., 2.], [3., 2.]]]),), 'one box, flipped: its first corner is on the right'), Case((torch.randn(3, 4, 2, generator=g),), 'three boxes, turned somehow'),
            Case((torch.randn(1, 4, 2, generator=g).double(),), 'double precision'), Case((torch.zeros(0, 4, 2),), 'no box at all')]

def around_in_place(corners):
    corners[:] = corners.sort(1).values
    return torch.cat([corners[:, 0], corners[:, -1]], dim=1)

BOX_AROUND = Exercise(
    name='box_around', task='Corners (n, 4, 2) of n boxes that were moved somehow, in any order. Return the smallest upright boxes around them, (n, 4): left, top, right, bottom, in their dtype.',
    reference=box_around, alternative=around_by_sorting, spec=around_by_loop, cases=around_cases,
    hints=('Left is the least x of the four corners, whichever corner has it. And top?', 'amin and amax along the axis of the four corners give (n, 2) each.',
           'torch.cat([corners.amin(1), corners.amax(1)], dim=1).'),
    wrong=(Wrong(lambda c: torch.cat([c[:, 0], c[:, 2]], 1), 'value', 'The first and third corner. After a flip or a turn they are no longer the upper left and the lower right one.'),
           Wrong(lambda c: torch.cat([c.amin(1), c.amax(1) - c.amin(1)], 1), 'value', 'Left, top, width and height. Right and bottom are asked for.'),
           Wrong(lambda c: torch.cat([c.amin(1), c.amax(1)], 1)[:, [1, 0, 3, 2]], 'value', 'y came first. A box is left, top, right, bottom.'),
           Wrong(lambda c: torch.stack([c.amin(1), c.amax(1)], 2).flatten(1), 'value', 'Left, right, top, bottom: another order than the one asked for.'),
           Wrong(lambda c: torch.cat([c.mean(1) - .5*(c[:, 0] - c[:, 2]).abs(), c.mean(1) + .5*(c[:, 0] - c[:, 2]).abs()], 1), 'value', 'As wide as one diagonal. After a turn the other one may be wider.'),
           Wrong(lambda c: torch.stack([c.amin(1), c.amax(1)], 1), 'shape', 'Two points for each box, shape (n, 2, 2). Four numbers in a row are asked for.'),
           Wrong(lambda c: torch.cat([c.flatten(0, 1).amin(0), c.flatten(0, 1).amax(0)]) if c.numel() else c.new_zeros(4), 'shape', 'One box around all of them. Each has its own.'),
           Wrong(lambda c: box_around(c.float()), 'dtype', 'The numbers are right, in another dtype than that of the corners.'),
           Wrong(around_in_place, 'inputs', "The caller's corners were sorted.")))

# still_there: what is left of boxes, with their labels

def still_there(boxes, labels, size):
    "What is left of `boxes` (n, 4) in a picture of `size` (width, height), and the labels of those that are left."
    limit = boxes.new_tensor([*size, *size])
    cut = boxes.clamp(min=0).minimum(limit)
    left = (cut[:, 2:] > cut[:, :2]).all(1)
    return cut[left], labels[left]

def there_by_columns(boxes, labels, size):
    w, h = size
    cut = torch.stack([boxes[:, 0].clamp(0, w), boxes[:, 1].clamp(0, h), boxes[:, 2].clamp(0, w), boxes[:, 3].clamp(0, h)], dim=1)
    area = (cut[:, 2] - cut[:, 0])*(cut[:, 3] - cut[:, 1])
    return cut[area > 0], labels[area > 0]

def there_by_loop(boxes, labels, size):
    kept, kinds = [], []
    for (x0, y0, x1, y1), label in zip(boxes.tolist(), labels.tolist()):
        x0, x1 = (min(max(x, 0.), float(size[0])) for x in (x0, x1))
        y0, y1 = (min(max(y, 0.), float(size[1])) for y in (y0, y1))
        if x1 > x0 and y1 > y0:
            kept.append([x0, y0, x1, y1])
            kinds.append(label)
    return boxes.new_tensor(kept).reshape(-1, 4), labels.new_tensor(kinds)

def there_cases(g):
    corner, side = 40*torch.rand(6, 2, generator=g) - 10, 15*torch.rand(6, 2, generator=g) + 1
    return [Case((tensor([[-3., 1., -1., 2.], [1., 1., 3., 2.], [3., 0., 6., 2.]]), tensor([7, 8, 9]), (4, 2)), 'one outside, one inside, one half outside'),
            Case((torch.cat([corner, corner + side], 1), torch.randint(9, (6,), generator=g), (24, 16)), 'six boxes'),
            Case((tensor([[5., 5., 9., 9.]]), tensor([1]), (4, 4)), 'a single box, and it is gone'),
            Case((tensor([[1., 5., 2., 9.], [1., 1., 2., 3.]]), tensor([1, 2]), (8, 4)), 'one is gone below, though not at the sides'),
            Case((tensor([[-2., -1., 30., 40.]]).double(), tensor([3]), (24, 16)), 'a box that is larger than the picture')]

def there_without_labels(boxes, labels, size): return still_there(boxes, labels, size)[0], labels[:len(still_there(boxes, labels, size)[0])]

def there_whole(boxes, labels, size):
    left = (boxes[:, 2] > 0) & (boxes[:, 3] > 0) & (boxes[:, 0] < size[0]) & (boxes[:, 1] < size[1])
    return boxes[left], labels[left]

def there_inside(boxes, labels, size):
    left = (boxes >= 0).all(1) & (boxes[:, 2] <= size[0]) & (boxes[:, 3] <= size[1])
    return boxes[left], labels[left]

def there_all(boxes, labels, size): return boxes.clamp(min=0).minimum(boxes.new_tensor([*size, *size])), labels.clone()

def there_in_place(boxes, labels, size):
    boxes.clamp_(min=0)
    return still_there(boxes, labels, size)

STILL_THERE = Exercise(
    name='still_there', task='Boxes (n, 4): left, top, right, bottom in pixels, labels (n,), size (width, height). Return two tensors: what of the boxes lies in the picture, those of no area left out; and the labels of these, in their order.',
    reference=still_there, alternative=there_by_columns, spec=there_by_loop, cases=there_cases,
    hints=('Cut first: no number below 0, no x beyond the width, no y beyond the height. Which boxes have nothing left then?',
           'limit = boxes.new_tensor([*size, *size]), and cut = boxes.clamp(min=0).minimum(limit). A box is left where right > left and bottom > top; the same mask of booleans picks boxes and labels.',
           'left = (cut[:, 2:] > cut[:, :2]).all(1), then return cut[left], labels[left].'),
    wrong=(Wrong(there_without_labels, 'value', 'The boxes are right, and the labels are simply the first few: every label after a lost box now belongs to the box before it.'),
           Wrong(there_whole, 'value', 'Boxes that reach out of the picture were kept whole. What is out of sight has to be cut off.'),
           Wrong(lambda b, l, s: still_there(b, l, (s[1], s[0])), 'shape', 'Width and height changed places: size is (width, height), and x goes with the width.'),
           Wrong(lambda b, l, s: tuple(t.flip(0) for t in still_there(b, l, s)), 'value', 'The order is another one than before.'),
           Wrong(there_inside, 'shape', 'Boxes that reach out of the picture were dropped. What is left of them should stay.'),
           Wrong(there_all, 'shape', 'Everything is cut, nothing is dropped: boxes without area, and their labels, are still there.'),
           Wrong(lambda b, l, s: (still_there(b, l, s)[0], l.clone()), 'shape', 'Boxes were dropped, and their labels stayed.'),
           Wrong(lambda b, l, s: still_there(b, l, s)[0], 'shape', 'Only the boxes came back. Return the labels as well.'),
           Wrong(lambda b, l, s: (still_there(b, l, s)[0], still_there(b, l, s)[1].float()), 'dtype', 'The labels became floats. They are places in a list of classes: whole numbers.'),
           Wrong(there_in_place, 'inputs', "clamp_ cut the caller's boxes.")))

# centre_of: a bug lab. Rows come first in an array, x comes first in a point

def swapped_centre(mask):
    "The middle (x, y), in pixels, of what is not 0 in a mask (h, w): float32, shape (2,)."
    return mask.nonzero().float().mean(0) + .5

def centre_of(mask):
    "The middle (x, y), in pixels, of what is not 0 in a mask (h, w): float32, shape (2,)."
    return mask.nonzero().float().mean(0).flip(0) + .5

def centre_by_axes(mask):
    rows, columns = torch.where(mask != 0)
    return torch.stack([columns.float().mean() + .5, rows.float().mean() + .5])

def centre_by_loop(mask):
    found = [(x + .5, y + .5) for y, row in enumerate(mask.tolist()) for x, v in enumerate(row) if v]
    return tensor([sum(x for x, _ in found)/len(found), sum(y for _, y in found)/len(found)], dtype=torch.float32, device=mask.device)

def blob(h, w, top, left, bottom, right, value=1, dtype=torch.uint8):
    mask = torch.zeros(h, w, dtype=dtype)
    mask[top:bottom, left:right] = value
    return mask

def centre_cases(g):
    return [Case((blob(3, 6, 0, 4, 2, 5),), 'a strip on the right'), Case((blob(8, 12, 2, 8, 4, 10),), 'a blob on the right'), Case((blob(5, 4, 4, 0, 5, 1, 2),), 'one pixel, of class 2, on the lower left'),
            Case(((torch.rand(7, 9, generator=g) > .5).long(),), 'scattered, int64'), Case((blob(4, 9, 1, 2, 4, 3, 255),), 'values of 255')]

CENTRE_OF = Exercise(
    name='centre_of', task='The mean place (x, y) of the pixels of a mask (h, w) that are not 0: float32, shape (2,). The middle of the pixel in the upper left corner is (0.5, 0.5).',
    reference=centre_of, alternative=centre_by_axes, spec=centre_by_loop, cases=centre_cases,
    hints=('nonzero gives pairs. Which of the two numbers is it that counts rows?', 'Rows count downwards, so the row is y. A tensor is asked by [row, column]; a point is (x, y).',
           'mask.nonzero().float().mean(0).flip(0) + .5.'),
    wrong=(Wrong(lambda m: m.nonzero().float().mean(0).flip(0), 'value', 'Half a pixel off: a pixel reaches from 0 to 1, so its middle has .5 in it.'),
           Wrong(lambda m: swapped_centre(m.flip(0)), 'value', 'The mask was turned upside down. It is the two numbers that have to change places.'),
           Wrong(lambda m: swapped_centre(m.long() & 1).flip(0) if (m.long() & 1).any() else m.new_zeros(2, dtype=torch.float32), 'value', 'Only odd values count here. Whatever is not 0 belongs to the thing.'),
           Wrong(lambda m: (m.nonzero().amin(0) + m.nonzero().amax(0)).float().flip(0)/2 + .5, 'value', 'That is the middle of the box around it. The mean of all its pixels is asked for.'),
           Wrong(lambda m: (m.float()[..., None]*torch.ones(2)).mean((0, 1)), 'value', 'That is the mean value of the mask, and says nothing about places.'),
           Wrong(lambda m: centre_of(m)[None], 'shape', 'One point too deep: shape (2,) is asked for, and this is (1, 2).'),
           Wrong(lambda m: tuple(centre_of(m).tolist()), 'shape', 'Two Python numbers. A tensor is asked for.'),
           Wrong(lambda m: m.nonzero().double().mean(0).flip(0) + .5, 'dtype', 'Double precision. A batch holds float32.')),
    bug=swapped_centre)

EXERCISES = [MANY_HOT, UNIT_POINTS, CARRY_POINTS, BOX_AROUND, STILL_THERE, CENTRE_OF]
