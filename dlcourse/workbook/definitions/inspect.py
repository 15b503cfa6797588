"Exercises of the lesson inspect: what to write, what it is held against, what is refused."
import torch
from torch import tensor

from ..contract import Case, Exercise, Wrong

# dhash_bits: brighter than the left neighbour, then than the upper one

def dhash_bits(grid):
    "The difference hash of a grid of greys (h, w), bool: brighter than the left neighbour, then brighter than the upper one."
    right = grid[:-1, 1:] > grid[:-1, :-1]
    down = grid[1:, :-1] > grid[:-1, :-1]
    return torch.cat([right.flatten(), down.flatten()])

def bits_by_pairs(grid):
    corner = grid[:-1, :-1]
    return torch.stack([corner < grid[:-1, 1:], corner < grid[1:, :-1]]).flatten()

def bits_one_by_one(grid):
    h, w = grid.shape
    right = [bool(grid[i, j + 1] > grid[i, j]) for i in range(h - 1) for j in range(w - 1)]
    down = [bool(grid[i + 1, j] > grid[i, j]) for i in range(h - 1) for j in range(w - 1)]
    return tensor(right + down, dtype=torch.bool, device=grid.device)

def greys(g, *shape): return torch.randint(0, 256, shape, generator=g, dtype=torch.uint8)

def bits_cases(g):
    by_hand = tensor([[10, 20, 15], [12, 20, 30]], dtype=torch.uint8)
    return [Case((by_hand,), 'two rows of three greys'), Case((greys(g, 4, 6),), 'a grid of bytes, (4, 6)'), Case((greys(g, 9, 9),), 'nine by nine'),
            Case((torch.rand(3, 5, generator=g),), 'greys as floats, (3, 5)'), Case((greys(g, 6, 4)//100,), 'with many equal neighbours, (6, 4)')]

def bits_of_all(grid): return torch.cat([(grid[:, 1:] > grid[:, :-1]).flatten(), (grid[1:] > grid[:-1]).flatten()])

def bits_by_difference(grid):
    return torch.cat([(grid[:-1, 1:] - grid[:-1, :-1] > 0).flatten(), (grid[1:, :-1] - grid[:-1, :-1] > 0).flatten()])

DHASH_BITS = Exercise(
    name='dhash_bits', task='The difference hash of a grid of greys (h, w), of any dtype: a bool tensor of 2(h-1)(w-1) bits. First, row by row and without the last row: brighter than the left neighbour? '
                            'Then, without the last column: brighter than the upper neighbour?',
    reference=dhash_bits, alternative=bits_by_pairs, spec=bits_one_by_one, cases=bits_cases,
    hints=('Compare the grid with itself, moved by one. Which slice leaves out the first column, which the last?',
           'grid[:-1, 1:] > grid[:-1, :-1] are the bits to the right. The ones downwards have the same shape.', 'torch.cat([right.flatten(), down.flatten()])'),
    wrong=(Wrong(bits_of_all, 'shape', 'These are bits of the last row and the last column, too. Each half has (h-1)(w-1) bits.'),
           Wrong(lambda grid: dhash_bits(grid)[:(grid.shape[0] - 1)*(grid.shape[1] - 1)], 'shape', 'Only the bits to the right. The ones downwards follow them.'),
           Wrong(lambda grid: (grid > grid.float().mean()).flatten(), 'shape', 'That compares with the mean: an average hash. It changes as soon as half of the picture gets darker.'),
           Wrong(lambda grid: dhash_bits(grid).view(2, -1), 'shape', 'Two rows of bits. The contract asks for one row.'),
           Wrong(lambda grid: dhash_bits(grid).long(), 'dtype', 'Right, but as whole numbers: eight bytes for a bit. Keep them bool.'),
           Wrong(lambda grid: tensor(dhash_bits(grid).tolist()), 'device', 'Made anew from a list, the bits land on the default device, wherever the grid was.'),
           Wrong(bits_by_difference, 'value', 'The sign of a difference: bytes have none. 10 - 20 is 246, which is above 0.'),
           Wrong(lambda grid: torch.cat([(grid[:-1, 1:] >= grid[:-1, :-1]).flatten(), (grid[1:, :-1] >= grid[:-1, :-1]).flatten()]), 'value', 'Equal counts as brighter here. Ask for brighter alone.'),
           Wrong(lambda grid: ~dhash_bits(grid), 'value', 'These say darker or equal.'),
           Wrong(lambda grid: dhash_bits(grid).view(2, -1).flip(0).flatten(), 'value', 'The bits downwards came first. Those to the right do.'),
           Wrong(lambda grid: dhash_bits(grid.flip(0)), 'value', 'Upside down: the first row of the grid is the top of the picture.'),
           Wrong(lambda grid: torch.cat([half.t().flatten() for half in dhash_bits(grid).view(2, grid.shape[0] - 1, -1)]), 'value', 'Column by column. The bits go row by row.')))

# brighter_right: the bug lab

def brighter_right(grid):
    "Is each pixel brighter than its left neighbour? For a grid (h, w) of any dtype: bool (h, w-1)."
    return grid[:, 1:] > grid[:, :-1]

def wrapped_right(grid):
    "Is each pixel brighter than its left neighbour? For a grid (h, w) of any dtype: bool (h, w-1)."
    return (grid[:, 1:] - grid[:, :-1]) > 0

def right_by_lt(grid):
    left, right = grid.narrow(1, 0, grid.shape[1] - 1), grid.narrow(1, 1, grid.shape[1] - 1)
    return torch.lt(left, right)

def right_one_by_one(grid):
    h, w = grid.shape
    return tensor([[bool(grid[i, j + 1] > grid[i, j]) for j in range(w - 1)] for i in range(h)], dtype=torch.bool, device=grid.device)

def right_cases(g):
    by_hand = tensor([[10, 20, 30], [30, 20, 10]], dtype=torch.uint8)
    return [Case((by_hand,), 'a row that gets lighter, one that gets darker'), Case((greys(g, 5, 3),), 'bytes, (5, 3)'), Case((torch.randn(2, 4, generator=g),), 'floats, (2, 4)'),
            Case((greys(g, 1, 6),), 'a single row'), Case((greys(g, 4, 7)//80,), 'with equal neighbours, (4, 7)')]

BRIGHTER_RIGHT = Exercise(
    name='brighter_right', task='Is each pixel brighter than its left neighbour? Bool (h, w-1), right for grids of any dtype, bytes included.',
    reference=brighter_right, alternative=right_by_lt, spec=right_one_by_one, cases=right_cases, bug=wrapped_right,
    hints=('What is tensor(10, dtype=torch.uint8) - tensor(20, dtype=torch.uint8)?', 'Bytes go round: a difference below 0 comes out as a large number. Do you need a difference at all?', 'grid[:, 1:] > grid[:, :-1]'),
    wrong=(Wrong(lambda grid: (grid[:, 1:] - grid[:, :-1]) != 0, 'value', 'That says whether they differ, in either direction.'),
           Wrong(lambda grid: (grid.to(torch.int8)[:, 1:] - grid.to(torch.int8)[:, :-1]) > 0, 'value', 'int8 ends at 127: a light grey turns into a negative number. There is a way without any subtraction.'),
           Wrong(lambda grid: grid[:, 1:] >= grid[:, :-1], 'value', 'Equal neighbours count as brighter here.'),
           Wrong(lambda grid: grid[:, 1:] < grid[:, :-1], 'value', 'This says darker than the left neighbour.'),
           Wrong(lambda grid: grid.byte()[:, 1:] > grid.byte()[:, :-1], 'value', 'As bytes, floats lose all that lies between whole numbers, and negative ones go round.'),
           Wrong(lambda grid: torch.cat([torch.zeros_like(grid[:, :1], dtype=torch.bool), brighter_right(grid)], 1), 'shape', 'The first column has no left neighbour, so there is no bit for it.'),
           Wrong(lambda grid: grid[1:] > grid[:-1], 'shape', 'That compares with the pixel above. Columns are the second axis.'),
           Wrong(lambda grid: brighter_right(grid).to(torch.uint8), 'dtype', 'Right, but as bytes: the contract says bool.')))

# hamming: how many bits differ

def hamming(a, b):
    "How many bits differ, int64 (n, m), of hashes a (n, bits) and b (m, bits), both bool; a ValueError for another number of bits."
    if a.shape[1] != b.shape[1]: raise ValueError(f'{a.shape[1]} bits against {b.shape[1]}')
    return (a[:, None] != b[None]).sum(2)

def hamming_by_products(a, b):
    if a.shape[1] != b.shape[1]: raise ValueError('another number of bits')
    x, y = a.long(), b.long()
    return x.sum(1, keepdim=True) + y.sum(1) - 2*(x @ y.t())

def hamming_one_by_one(a, b):
    if a.shape[1] != b.shape[1]: raise ValueError('another number of bits')
    return tensor([[sum(bool(p) != bool(q) for p, q in zip(x, y)) for y in b] for x in a], dtype=torch.long, device=a.device)

def bools(g, *shape): return torch.rand(shape, generator=g) < .5

def hamming_cases(g):
    by_hand = (tensor([[True, False, True, True], [False, False, False, True]]), tensor([[True, False, False, True], [True, True, True, True], [False, True, False, False]]))
    return [Case(by_hand, 'two hashes of four bits against three'), Case((bools(g, 3, 16), bools(g, 5, 16)), '3 against 5, 16 bits'),
            Case((bools(g, 1, 128), bools(g, 4, 128)), 'one against 4, 128 bits'), Case((bools(g, 1, 300) | True, bools(g, 3, 300) & tensor([[False], [True], [True]])), '300 bits, all of which may differ')]

def hamming_refuses(g): return [Case((bools(g, 3, 8), bools(g, 2, 1)), '8 bits against one'), Case((bools(g, 3, 8), bools(g, 2, 4)), '8 bits against 4')]

def hamming_in_place(a, b):
    found = hamming(a, b)
    a ^= a[:1].clone()
    return found

HAMMING = Exercise(
    name='hamming', task='From hashes a (n, bits) and b (m, bits), both bool: how many bits differ between each of a and each of b, int64 (n, m). A ValueError for another number of bits. No loop is needed.',
    reference=hamming, alternative=hamming_by_products, spec=hamming_one_by_one, cases=hamming_cases, refuses=hamming_refuses,
    hints=('Give a an axis in the middle and b one in front. What shape has a[:, None] != b[None]?', 'It is (n, m, bits). Which axis is to be counted away?', '(a[:, None] != b[None]).sum(2), and before it the check of shape[1].'),
    wrong=(Wrong(lambda a, b: hamming(a, b).t(), 'shape', 'Rows belong to b here. The first axis is that of a.'),
           Wrong(lambda a, b: hamming(a, b).diagonal(), 'shape', 'Only the first with the first, the second with the second. Each is compared with each.'),
           Wrong(lambda a, b: hamming(a, b)/a.shape[1], 'dtype', 'The share of bits. Asked is their number.'),
           Wrong(lambda a, b: hamming(a, b).int(), 'dtype', 'Right, but int32. Sums of bools are int64 in PyTorch; so is the contract.'),
           Wrong(lambda a, b: tensor(hamming(a, b).tolist()), 'device', 'By way of a list, and so to the default device.'),
           Wrong(lambda a, b: a.shape[1] - hamming(a, b), 'value', 'The bits that agree. Twins would be far apart.'),
           Wrong(lambda a, b: (a[:, None] & b[None]).sum(2) + 0*hamming(a, b), 'value', 'The ones that both have. Differing means: a one here, a zero there.'),
           Wrong(lambda a, b: hamming(a, b) % 256, 'value', 'Counted in bytes: from 256 on they go round.'),
           Wrong(lambda a, b: (a[:, None] != b[None]).sum(2), 'refusal', 'A hash of one bit is stretched to the length of the other, and no error tells.'),
           Wrong(hamming_in_place, 'inputs', 'The distances are right, and a was changed on the way.')), )

# across_splits: pairs with one item on each side

def across_splits(pairs, is_valid):
    "The rows of pairs (n, 2) with one item for training and one for validation, as the bool tensor is_valid (items,) says."
    sides = is_valid[pairs]
    return pairs[sides[:, 0] != sides[:, 1]]

def across_by_columns(pairs, is_valid):
    first, second = pairs.unbind(1)
    return pairs[is_valid[first] ^ is_valid[second]]

def across_one_by_one(pairs, is_valid):
    found = [[a, b] for a, b in pairs.tolist() if bool(is_valid[a]) != bool(is_valid[b])]
    return tensor(found, dtype=torch.long, device=pairs.device).view(-1, 2)

def pairs_among(g, n, items): return torch.stack([torch.randint(0, items, (n,), generator=g), torch.randint(0, items, (n,), generator=g)], 1)

def across_cases(g):
    by_hand = (tensor([[0, 1], [0, 2], [3, 2], [1, 3]]), tensor([False, True, False, True]))
    return [Case(by_hand, 'four pairs of four items'), Case((pairs_among(g, 9, 6), bools(g, 6)), 'nine pairs of six items'),
            Case((tensor([[4, 2], [0, 1]]), tensor([True, True, True, False, True])), 'no pair is across'), Case((torch.zeros(0, 2, dtype=torch.long), bools(g, 3)), 'no pairs'),
            Case((tensor([[1, 0], [2, 0]]), tensor([False, False, True])), 'the first item is for validation')]

ACROSS_SPLITS = Exercise(
    name='across_splits', task='The rows of pairs, int64 (n, 2), that have one item for training and one for validation, in their order. is_valid, bool (items,), says of each item whether it is for validation.',
    reference=across_splits, alternative=across_by_columns, spec=across_one_by_one, cases=across_cases,
    hints=('On which side is the first of each pair, and the second? is_valid can be indexed by a tensor.', 'is_valid[pairs] has the shape of pairs. A row is wanted where its two differ.', 'sides = is_valid[pairs]; pairs[sides[:, 0] != sides[:, 1]]'),
    wrong=(Wrong(lambda pairs, is_valid: pairs[is_valid[pairs].any(1)], 'shape', 'Pairs that lie in validation with both items are there, too. They are no leak.'),
           Wrong(lambda pairs, is_valid: pairs[is_valid[pairs].all(1)], 'shape', 'Both items in validation: that is no leak, but a picture that counts twice.'),
           Wrong(lambda pairs, is_valid: pairs[~is_valid[pairs[:, 0]] & is_valid[pairs[:, 1]]], 'shape', 'Only pairs whose first item is for training. The other way round is a leak as well.'),
           Wrong(lambda pairs, is_valid: is_valid[pairs[:, 0]] != is_valid[pairs[:, 1]], 'shape', 'A mask: it says which rows. Asked are the rows.'),
           Wrong(lambda pairs, is_valid: across_splits(pairs, is_valid).flatten(), 'shape', 'The items of the pairs in one row: nobody knows any more who is whose twin.'),
           Wrong(lambda pairs, is_valid: across_splits(pairs, is_valid).to(torch.int32), 'dtype', 'Right, but int32. Item numbers stay int64, as they came.'),
           Wrong(lambda pairs, is_valid: tensor(across_splits(pairs, is_valid).tolist(), dtype=torch.long).view(-1, 2), 'device', 'By way of a list, and so to the default device.'),
           Wrong(lambda pairs, is_valid: across_splits(pairs, is_valid).flip(0), 'value', 'In reverse order. They stay as they came.'),
           Wrong(lambda pairs, is_valid: across_splits(pairs, is_valid).sort(1).values, 'value', 'The smaller number was put first. A pair stays as it was.')))

# class_share: how much of a set each class is

def class_share(labels, n_classes):
    "The share of each class among class numbers `labels` (n,): float32 (n_classes,), all 0 where there are no labels."
    return torch.bincount(labels, minlength=n_classes).float()/max(1, len(labels))

def share_by_comparing(labels, n_classes):
    hits = labels[:, None] == torch.arange(n_classes, device=labels.device)
    return hits.float().sum(0)/max(1, len(labels))

def share_one_by_one(labels, n_classes):
    found = labels.tolist()
    return tensor([found.count(c)/max(1, len(found)) for c in range(n_classes)], dtype=torch.float32, device=labels.device)

def share_cases(g):
    return [Case((tensor([0, 2, 2, 0, 2]), 4), 'five labels, two of four classes'), Case((torch.randint(0, 3, (7,), generator=g), 5), '7 labels, 5 classes'),
            Case((tensor([1]), 2), 'one label'), Case((torch.randint(0, 6, (40,), generator=g), 6), '40 labels, 6 classes')]

def share_extremes(g): return [Case((torch.zeros(0, dtype=torch.long), 3), 'no labels')]

CLASS_SHARE = Exercise(
    name='class_share', task='The share of each class among the class numbers labels (n,): float32 (n_classes,). A class that does not occur has 0; without any label all shares are 0.',
    reference=class_share, alternative=share_by_comparing, spec=share_one_by_one, cases=share_cases, extremes=share_extremes,
    hints=('torch.bincount counts whole numbers. How long is its result if the last classes do not occur?', 'minlength=n_classes makes it long enough. What do you divide by, and what if there are no labels?',
           'torch.bincount(labels, minlength=n_classes).float()/max(1, len(labels))'),
    wrong=(Wrong(lambda labels, n_classes: torch.bincount(labels).float()/max(1, len(labels)), 'shape', 'bincount ends at the largest label that occurs: the classes after it are missing.'),
           Wrong(lambda labels, n_classes: labels.unique(return_counts=True)[1].float()/max(1, len(labels)), 'shape', 'Only the classes that occur: nobody can tell which is which.'),
           Wrong(lambda labels, n_classes: torch.bincount(labels, minlength=n_classes), 'dtype', 'How many of each. Asked is their share.'),
           Wrong(lambda labels, n_classes: torch.bincount(labels, minlength=n_classes).double()/max(1, len(labels)), 'dtype', 'Right, but float64.'),
           Wrong(lambda labels, n_classes: tensor(class_share(labels, n_classes).tolist()), 'device', 'By way of a list, and so to the default device.'),
           Wrong(lambda labels, n_classes: torch.bincount(labels, minlength=n_classes).float()/n_classes, 'value', 'Divided by the number of classes. Shares are of the labels, and add up to 1.'),
           Wrong(lambda labels, n_classes: torch.bincount(labels, minlength=n_classes).float().softmax(0), 'value', 'softmax adds up to 1 as well, but it takes exponents first: the frequent class gets nearly everything.'),
           Wrong(lambda labels, n_classes: 100*class_share(labels, n_classes), 'value', 'In per cent. A share lies between 0 and 1.'),
           Wrong(lambda labels, n_classes: torch.bincount(labels, minlength=n_classes).float()/len(labels), 'extremes', 'Without labels this is 0/0, which is nan.')))

# unseen_classes: in validation alone

def unseen_classes(train, valid):
    "The class numbers in `valid` (m,) that are not in `train` (n,): each once, sorted, int64."
    found = valid.unique()
    return found[~torch.isin(found, train)]

def unseen_by_comparing(train, valid):
    lost = ~(valid[:, None] == train[None]).any(1)
    return torch.unique(valid[lost], sorted=True)

def unseen_by_sets(train, valid): return tensor(sorted(set(valid.tolist()) - set(train.tolist())), dtype=torch.long, device=valid.device)

def unseen_cases(g):
    return [Case((tensor([0, 1, 1, 3]), tensor([5, 1, 2, 5, 2])), 'classes 0, 1 and 3 in training'), Case((torch.randint(0, 8, (5,), generator=g), torch.randint(0, 10, (12,), generator=g)), '5 labels against 12'),
            Case((tensor([2, 0]), tensor([0, 2, 2])), 'nothing is lost'), Case((tensor([4]), tensor([9, 7])), 'everything is lost'), Case((tensor([1, 1, 0]), torch.zeros(0, dtype=torch.long)), 'nothing to validate with')]

UNSEEN_CLASSES = Exercise(
    name='unseen_classes', task='The class numbers that occur in valid (m,) and not in train (n,): each once, from small to large, int64; perhaps none.',
    reference=unseen_classes, alternative=unseen_by_comparing, spec=unseen_by_sets, cases=unseen_cases,
    hints=('First: which classes does validation have, each once? There is a method for that.', 'torch.isin(found, train) says which of them training has.', 'found = valid.unique(); found[~torch.isin(found, train)]'),
    wrong=(Wrong(lambda train, valid: valid[~torch.isin(valid, train)], 'shape', 'Each item of a lost class is there. Each class is wanted once.'),
           Wrong(lambda train, valid: unseen_classes(valid, train), 'shape', 'These are the classes that training has and validation has not: they are learned, but not measured.'),
           Wrong(lambda train, valid: torch.cat([unseen_classes(train, valid), unseen_classes(valid, train)]).unique(), 'shape', 'The classes that one side lacks, whichever. Only those that training lacks are asked for.'),
           Wrong(lambda train, valid: ~torch.isin(valid.unique(), train), 'shape', 'A mask: it says which. Asked are the numbers.'),
           Wrong(lambda train, valid: valid.unique()[valid.unique() > train.max()], 'shape', 'Only numbers above the largest in training. A class in between can be missing, too.'),
           Wrong(lambda train, valid: unseen_classes(train, valid).tolist(), 'shape', 'A list. The contract asks for a tensor.'),
           Wrong(lambda train, valid: unseen_classes(train, valid).float(), 'dtype', 'Class numbers as floats cannot be indices.'),
           Wrong(lambda train, valid: tensor(unseen_classes(train, valid).tolist(), dtype=torch.long), 'device', 'By way of a list, and so to the default device.'),
           Wrong(lambda train, valid: unseen_classes(train, valid).flip(0), 'value', 'From large to small. Sorted means from small to large.')))

EXERCISES = [DHASH_BITS, BRIGHTER_RIGHT, HAMMING, ACROSS_SPLITS, CLASS_SHARE, UNSEEN_CLASSES]
