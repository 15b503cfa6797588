"Exercises of the lesson tensors: what to write, what it is held against, what is refused."
import torch
from torch import tensor
from torch.nn import functional as F

from ..contract import Case, Exercise, Wrong

UINT8 = torch.uint8


# ---- rank: one line ----

def rank(t):
    "The number of axes of any tensor, as a plain int."
    return len(t.shape)

def rank_by_size(t): return sum(1 for _ in t.size())

def rank_spec(t): return 0 if t.shape == () else 1 + rank_spec(t[0])

def rank_cases(g):
    return [Case((torch.arange(12.).view(3, 4),), 'a table of three rows'), Case((tensor([4., 0., -2.]),), 'a point'), Case((tensor(3.),), 'a single number'),
            Case((torch.randn(1, 3, 2, generator=g),), 'a batch of one'), Case((torch.randint(9, (2, 1, 3, 4), generator=g),), 'four axes'),
            Case((torch.randn(1, 2, 1, 3, 2, generator=g),), 'five axes')]

RANK = Exercise(
    name='rank', task='The number of axes of any tensor, as a plain `int`, read from its shape: without `ndim` and `dim()`.',
    reference=rank, alternative=rank_by_size, spec=rank_spec, cases=rank_cases, forbidden=('ndim', 'dim', 'ndimension'),
    hints=('Look at what `t.shape` shows for a picture, and for a point.', 'The shape has one entry for each axis.', 'How long is the shape? Python\'s `len` says it.'),
    wrong=(Wrong(lambda t: t.numel(), 'value', 'You counted the numbers in the tensor. Rank counts its axes.'),
           Wrong(lambda t: t.shape[0] if t.shape else 0, 'value', 'That is the size of the first axis. Rank asks how many axes there are.'),
           Wrong(lambda t: len(t.squeeze().shape), 'value', 'An axis of size 1 is an axis as well; do not drop it.'),
           Wrong(lambda t: len(t), 'error', 'The length of a tensor is the size of its first axis, and a single number has no axis at all. Take the length of its shape.'),
           Wrong(lambda t: t.shape[0], 'error', 'That is the size of the first axis, and a single number has none. Rank asks how many axes there are.'),
           Wrong(lambda t: t.shape, 'shape', 'That is the shape itself. Its length is asked for.'),
           Wrong(lambda t: t.ndim, 'calls', 'Right, and PyTorch counted. Here you are to count, from the shape.')))


# ---- brighten: dtype, and nothing changed in place ----

def brighten(picture, by):
    "A uint8 picture with `by` added to every pixel; what would leave 0 to 255 stops there."
    return (picture.int() + by).clamp(0, 255).to(torch.uint8)

def brighten_by_where(picture, by):
    wide = picture.float() + by
    wide = torch.where(wide > 255, 255., wide)
    return torch.where(wide < 0, 0., wide).byte()

def brighten_spec(picture, by):
    return tensor([min(max(pixel + by, 0), 255) for pixel in picture.flatten().tolist()], dtype=UINT8).view(picture.shape)

def brighten_cases(g):
    return [Case((tensor([[0, 100, 200], [254, 255, 10]], dtype=UINT8), 100), 'two rows of pixels, 100 brighter'),
            Case((tensor([[0, 100, 200], [254, 255, 10]], dtype=UINT8), -60), 'two rows of pixels, 60 darker'),
            Case((torch.randint(256, (1, 4, 3), generator=g, dtype=UINT8), 1000), 'a batch of one, 1000 brighter')]

def brighten_in_place(picture, by): return picture.copy_(brighten(picture, by))

BRIGHTEN = Exercise(
    name='brighten', task='A new uint8 picture, where the old one is (on the same device), with `by`, a whole number that may be negative, added to every pixel. '
                          'What would leave 0 to 255 stops there. The picture given stays as it is.',
    reference=brighten, alternative=brighten_by_where, spec=brighten_spec, cases=brighten_cases,
    hints=('Where does 200 + 100 become 44? Do the addition in a dtype that has room.', '`picture.int()` has room. `clamp` then holds both ends.',
           'Three steps: widen, add, clamp; and `.to(torch.uint8)` at the end.'),
    wrong=(Wrong(lambda picture, by: (picture + by).clamp(0, 255), 'value', 'The sum was in uint8, and went round at 256, before `clamp` could stop it. Add in a dtype that has room, clamp there, and come back to uint8 last.'),
           Wrong(lambda picture, by: (picture.int() + by).clamp(max=255).to(UINT8), 'value',
                 'The bright end stops, the dark end does not: below 0, uint8 goes round to 255.'),
           Wrong(lambda picture, by: (picture.int() + by).clamp(0, 255), 'dtype', 'The numbers are right, but a picture that comes as uint8 should leave as uint8.'),
           Wrong(brighten_in_place, 'inputs', 'You wrote into the picture that you were given. Whoever lent it to you wants it as it was.'),
           Wrong(brighten_spec, 'device', 'The new picture is made on the default device, and not where the old one is.')))


# ---- rmse: the order of square, mean and root; a pair refused ----

def rmse(a, b):
    "Root mean squared error of two tensors of one shape; a ValueError for any other pair."
    if a.shape != b.shape: raise ValueError(f'shapes {tuple(a.shape)} and {tuple(b.shape)}')
    return ((a - b)**2).mean().sqrt()

def rmse_by_torch(a, b):
    if a.size() == b.size(): return F.mse_loss(a, b).sqrt()
    raise ValueError('two shapes')

def rmse_spec(a, b):
    squares = [(x - y)**2 for x, y in zip(a.flatten(), b.flatten())]
    return (sum(squares)/len(squares))**.5

def rmse_cases(g):
    return [Case((tensor([1., 2., 6.]), tensor([1., 4., 2.])), 'three numbers'),
            Case((torch.randn(2, 3, generator=g), torch.randn(2, 3, generator=g)), 'two rows'),
            Case((torch.randn(1, generator=g), torch.randn(1, generator=g)), 'one number each'),
            Case((torch.randn(4, 1, 2, generator=g).double(), torch.randn(4, 1, 2, generator=g).double()), 'float64')]

def rmse_refuses(g):
    return [Case((tensor([[1.], [2.], [3.]]), tensor([1., 2., 3.])), 'a column and a row'),
            Case((torch.randn(2, 3, generator=g), torch.randn(3, generator=g)), 'two rows and one'),
            Case((torch.randn(2, 3, generator=g), torch.randn(2, 1, generator=g)), 'two rows of three and a column of two'),
            Case((torch.randn(2, 3, generator=g), torch.randn(1, 3, generator=g)), 'two rows of three and a table of one row'),
            Case((torch.randn(2, 3, generator=g), torch.randn(3, 2, generator=g)), 'two rows and two columns')]

def rmse_by_rank(a, b):
    if a.ndim != b.ndim: raise ValueError
    return (a - b).square().mean().sqrt()

def rmse_in_place(a, b):
    if a.shape != b.shape: raise ValueError
    a -= b
    return (a**2).mean().sqrt()

RMSE = Exercise(
    name='rmse', task='The root mean squared error of two tensors of one shape: a tensor of one number, of their dtype and where they are. Any other pair is refused with a `ValueError`.',
    reference=rmse, alternative=rmse_by_torch, spec=rmse_spec, cases=rmse_cases, refuses=rmse_refuses,
    hints=('Read the name from the right: first the error, then squared, then mean, then root.', 'Compare `a.shape` with `b.shape` before you calculate.',
           '`raise ValueError(...)` if the shapes differ; else `.mean().sqrt()` of the squares.'),
    wrong=(Wrong(lambda a, b: (a - b).square().sqrt().mean(), 'value', 'You took the root before the mean. What is left is the mean absolute difference, L1.'),
           Wrong(lambda a, b: (a - b).square().mean(), 'value', 'The root is missing: this is in squared units.'),
           Wrong(lambda a, b: (a - b).square().sum().sqrt(), 'value', 'You added the squares up. Their mean is asked for, so that size does not matter.'),
           Wrong(lambda a, b: F.mse_loss(a, b).sqrt().item(), 'shape', 'A plain Python number came back. Later lessons need the tensor: leave `.item()` out.'),
           Wrong(lambda a, b: (a.float() - b.float()).square().mean().sqrt(), 'dtype', 'float64 went in and float32 came out: do not change the dtype.'),
           Wrong(rmse_in_place, 'inputs', '`a -= b` writes into the tensor that you were given. `a - b` makes a new one.'),
           Wrong(lambda a, b: (a - b).square().mean().sqrt(), 'refusal', 'The pair was broadcast and a number came back. Look at both shapes first.'),
           Wrong(rmse_by_rank, 'refusal', 'As many axes do not make one shape: a size of 1 was stretched. Compare all the sizes, `a.shape` with `b.shape`.'),
           Wrong(lambda a, b: tensor(rmse_spec(a, b).item(), dtype=a.dtype), 'device', 'A new tensor is made on the default device, and not where the two are.')))


# ---- nearest: one subtraction for all pictures and all means ----

def nearest(x, means):
    "For each picture of `x` (bs, h, w), the number of the nearest of `means` (n_classes, h, w), by mean absolute difference."
    difference = x[:, None] - means  # (bs, n_classes, h, w)
    return difference.abs().mean((-2, -1)).argmin(1)

def nearest_by_loop(x, means): return torch.stack([(means - picture).abs().sum(2).sum(1).argmin() for picture in x])

def nearest_spec(x, means):
    def distance(a, b): return sum(abs(p - q) for p, q in zip(a.flatten().tolist(), b.flatten().tolist()))
    return tensor([min(range(len(means)), key=lambda i: distance(picture, means[i])) for picture in x])

def nearest_cases(g):
    return [Case((tensor([[[6., 1.]], [[2., 2.]], [[3., 0.]], [[1., 4.]]]), tensor([[[2., 7.]], [[6., 6.]]])), 'four pictures of two pixels, two means'),
            Case((torch.randn(5, 2, 3, generator=g), torch.randn(4, 2, 3, generator=g)), 'five pictures, four means'),
            Case((torch.randn(1, 3, 2, generator=g), torch.randn(3, 3, 2, generator=g)), 'a batch of one')]

def nearest_filled(x, means):
    out = torch.zeros(len(x), dtype=torch.int64)
    for i, picture in enumerate(x): out[i] = (picture - means).abs().mean((-2, -1)).argmin()
    return out

def nearest_seeded(x, means):
    torch.manual_seed(42)
    return nearest(x, means)

NEAREST = Exercise(
    name='nearest', task='For each picture of `x`, shape (bs, h, w), the index of the nearest of `means`, shape (n_classes, h, w), by mean absolute difference: int64, shape (bs,), where `x` is. '
                         'Try it without a loop: one subtraction will do. (An answer with a loop passes as well.)',
    reference=nearest, alternative=nearest_by_loop, spec=nearest_spec, cases=nearest_cases,
    hints=('The shapes (bs, h, w) and (n_classes, h, w) do not fit. Which axis must `x` get, and where?', '`x[:, None] - means` has shape (bs, n_classes, h, w).',
           'Absolute value, mean over the last two axes, then `argmin` over the classes, which are axis 1.'),
    wrong=(Wrong(lambda x, means: (x[:, None] - means).abs().mean((-2, -1)).argmax(1), 'value', 'That is the farthest mean.'),
           Wrong(lambda x, means: (x[:, None] - means).square().mean((-2, -1)).argmin(1), 'value', 'You squared the differences: that is L2. L1 is asked for.'),
           Wrong(lambda x, means: (x[:, None] - means).abs().amax((-2, -1)).argmin(1), 'value', 'The largest single difference decided. Their mean is to decide.'),
           Wrong(lambda x, means: (x[:, None] - means).mean((-2, -1)).abs().argmin(1), 'value', 'You averaged before the absolute value, so too bright cancels too dark.'),
           Wrong(lambda x, means: (x - means).abs().mean((-2, -1)).argmin(1), 'error',
                 'As they are, the pictures stand against the means one to one, and their numbers differ. Give `x` a new axis behind that of the pictures, so that every picture meets every mean.'),
           Wrong(lambda x, means: (x[:, None] - means).mean((-2, -1)).argmin(1), 'value', 'Too bright cancels too dark. Take the absolute value before the mean.'),
           Wrong(lambda x, means: torch.stack([(x - mean).abs().mean() for mean in means]).argmin(), 'shape',
                 '`mean()` without axes took the pictures along: one answer for the whole batch.'),
           Wrong(lambda x, means: (x[:, None] - means).abs().mean((-2, -1)).argmin(0), 'shape', 'You chose a picture for each mean. Choose a mean for each picture.'),
           Wrong(lambda x, means: nearest(x, means).unsqueeze(1), 'shape', 'A column came back. One axis, as long as the batch, is asked for.'),
           Wrong(lambda x, means: nearest(x, means).float(), 'dtype', 'The classes are right, but as float32 they cannot be used as indices.'),
           Wrong(nearest_filled, 'device', 'The answers are in a tensor that was made on the default device, and not where the pictures are.'),
           Wrong(nearest_seeded, 'random', 'Nothing here is drawn by chance, yet the random state that everybody in the program shares is another one afterwards.')))


# ---- pick: a pair of index lists ----

def pick(table, columns):
    "From each row of `table` (n, m) the number in the column that `columns` (n,) names for it, shape (n,)."
    return table[range(len(columns)), columns]

def pick_by_gather(table, columns): return table.gather(1, columns.unsqueeze(1)).squeeze(1)

def pick_spec(table, columns): return torch.stack([row[i] for row, i in zip(table, columns.tolist())])

def pick_cases(g):
    return [Case((tensor([[.1, .2, .7], [.6, .3, .1], [.4, .5, .1]]), tensor([1, 0, 2])), 'three rows'),
            Case((torch.randn(4, 5, generator=g), tensor([1, 1, 4, 0])), 'four rows of five'),
            Case((torch.randint(99, (1, 3), generator=g), tensor([2])), 'one row of whole numbers')]

PICK = Exercise(
    name='pick', task='From each row of `table`, shape (n, m), the number in the column that `columns`, shape (n,), names for that row: shape (n,), of the dtype of `table` and where it is.',
    reference=pick, alternative=pick_by_gather, spec=pick_spec, cases=pick_cases,
    hints=('A pair of index lists picks one number for each pair.', 'You have the list of columns. Which list of rows goes with it?', '`range(len(columns))` counts the rows.'),
    wrong=(Wrong(lambda table, columns: table[:, columns], 'shape', '`:` means all rows, so every row gave every wanted column. Pair each row with its own column.'),
           Wrong(lambda table, columns: table[columns], 'error', '`table[columns]` chooses whole rows by these numbers, and there are not so many rows. Name the rows as well as the columns.'),
           Wrong(lambda table, columns: table[columns % len(table)], 'shape', 'The columns were used to choose rows.'),
           Wrong(lambda table, columns: table.max(1).values, 'value', 'You took the largest of each row. The wanted column need not be the largest.'),
           Wrong(lambda table, columns: tensor([row[i].item() for row, i in zip(table, columns)], dtype=table.dtype), 'device',
                 'The numbers picked are in a new tensor on the default device, and not where the table is.')))


# ---- contact_sheet: the longest ----

def contact_sheet(pictures, n_cols):
    "Pictures (n, h, w) laid out as one picture, `n_cols` to a row, in reading order; places left over are 0."
    black = torch.zeros_like(pictures[:1])
    while len(pictures) % n_cols: pictures = torch.cat([pictures, black])
    rows = []
    for i in range(0, len(pictures), n_cols):
        rows.append(torch.cat(list(pictures[i:i + n_cols]), dim=1))
    return torch.cat(rows, dim=0)

def contact_sheet_by_slices(pictures, n_cols):
    n, h, w = pictures.shape
    sheet = pictures.new_zeros((n + n_cols - 1)//n_cols*h, n_cols*w)
    for i in range(n):
        top, left = i//n_cols*h, i % n_cols*w
        sheet[top:top + h, left:left + w] = pictures[i]
    return sheet

def contact_sheet_spec(pictures, n_cols):
    n, h, w = pictures.shape
    sheet = torch.zeros(-(-n//n_cols)*h, n_cols*w, dtype=pictures.dtype)
    for i, r, c in [(i, r, c) for i in range(n) for r in range(h) for c in range(w)]:
        sheet[i//n_cols*h + r, i % n_cols*w + c] = pictures[i, r, c]
    return sheet

def contact_sheet_cases(g):
    return [Case((torch.arange(1., 11.).view(5, 2, 1), 3), 'five pictures, two pixels high and one wide, three to a row'),
            Case((torch.randint(256, (7, 2, 3), generator=g, dtype=UINT8), 2), 'seven uint8 pictures, two to a row'),
            Case((torch.randn(4, 3, 2, generator=g), 2), 'four pictures, two to a row'),
            Case((torch.randn(1, 2, 3, generator=g), 2), 'a batch of one, two to a row')]

def sheet_by_view(pictures, n_cols):
    while len(pictures) % n_cols: pictures = torch.cat([pictures, torch.zeros_like(pictures[:1])])
    return pictures.view(-1, n_cols*pictures.shape[2])

def sheet_downwards(pictures, n_cols):
    n_rows = -(-len(pictures)//n_cols)
    order = [col*n_rows + row for row in range(n_rows) for col in range(n_cols)]
    filled = torch.cat([pictures, torch.zeros_like(pictures[:1]).repeat(n_rows*n_cols - len(pictures), 1, 1)])
    return contact_sheet(filled[order], n_cols)

def sheet_turned(pictures, n_cols): return contact_sheet(pictures.transpose(1, 2), n_cols).T

CONTACT_SHEET = Exercise(
    name='contact_sheet', task='Pictures of shape (n, h, w) laid out as one picture, `n_cols` to a row, in reading order, of their dtype and where they are (on their device). Places left over in the last row are 0.',
    reference=contact_sheet, alternative=contact_sheet_by_slices, spec=contact_sheet_spec, cases=contact_sheet_cases,
    hints=('`torch.cat` with `dim=1` puts pictures beside each other, with `dim=0` below each other.',
           'Fill up first: while the number of pictures is no multiple of `n_cols`, add `torch.zeros_like(pictures[:1])`.',
           'Then `torch.cat(list(pictures[i:i + n_cols]), dim=1)` is one row; collect the rows, and join them.'),
    wrong=(Wrong(sheet_by_view, 'value', '`view` leaves the numbers in their order, so each row of the sheet runs on inside one picture. Pixels have to move.'),
           Wrong(sheet_downwards, 'value', 'You filled columns from top to bottom. Reading order goes along the rows.'),
           Wrong(sheet_turned, 'shape', 'Rows and columns of the sheet are swapped: `dim=1` is beside, `dim=0` is below.'),
           Wrong(lambda pictures, n_cols: contact_sheet(pictures[:len(pictures)//n_cols*n_cols or n_cols], n_cols), 'shape', 'The last pictures are lost, those that do not fill a row.'),
           Wrong(lambda pictures, n_cols: contact_sheet(pictures, n_cols).float(), 'dtype', 'uint8 pictures came back as float32, as they do from a sheet of plain `torch.zeros`.'),
           Wrong(contact_sheet_spec, 'device', 'The sheet is made on the default device, as by plain `torch.zeros`, and not where the pictures are.')))


# ---- fair_accuracy: the bug lab ----

def careless_accuracy(pred, targ):
    "Share of right predictions. `pred` (n, 1) or (n,): above 0 says class 1; `targ` (n,): the classes, 0 or 1."
    return ((pred > 0) == targ).float().mean()

def fair_accuracy(pred, targ):
    "Share of right predictions. `pred` (n, 1) or (n,): above 0 says class 1; `targ` (n,): the classes, 0 or 1."
    if len(pred) != len(targ): raise ValueError(f'{len(pred)} predictions for {len(targ)} targets')
    return ((pred.view(-1) > 0) == targ).float().mean()

def fair_accuracy_by_columns(pred, targ):
    if pred.numel() != targ.numel(): raise ValueError('not one prediction for each target')
    says_1, is_1 = pred.reshape(-1, 1) > 0, targ.unsqueeze(1).bool()
    return 1 - (says_1 != is_1).float().mean()

def fair_accuracy_spec(pred, targ):
    hits = [(p > 0) == (t == 1) for p, t in zip(pred.flatten().tolist(), targ.tolist())]
    return tensor(sum(hits)/len(hits))

def fair_accuracy_cases(g):
    flat = torch.randn(7, generator=g)
    return [Case((tensor([[.9], [.2], [.3], [-.4], [.6]]), tensor([1, 1, 1, 1, 0])), 'a column of five'),
            Case((flat, tensor([1, 1, 0, 1, 0, 0, 1])), 'seven, flat'),
            Case((flat.double().unsqueeze(1), tensor([0, 1, 1, 1, 0, 0, 1])), 'a column of seven, float64'),
            Case((tensor([1.5, 0., -2.]), tensor([1, 0, 1])), 'three, flat, one of them at 0'),
            Case((tensor([[-2.]]), tensor([0])), 'a batch of one')]

def fair_accuracy_refuses(g):
    return [Case((torch.randn(4, 1, generator=g), tensor([1])), 'four predictions, one target'),
            Case((torch.randn(1, 1, generator=g), tensor([1, 0, 0])), 'one prediction, three targets'),
            Case((torch.randn(3, generator=g), tensor([1, 0])), 'three predictions, two targets')]

def accuracy_squeezed_in_place(pred, targ):
    if pred.ndim == 2: pred.squeeze_(1)
    return fair_accuracy(pred, targ)

def accuracy_of_equal_shapes(pred, targ):
    if pred.shape != targ.shape: raise ValueError(f'{tuple(pred.shape)} and {tuple(targ.shape)}')
    return careless_accuracy(pred, targ)

FAIR_ACCURACY = Exercise(
    name='fair_accuracy', task='The share of right predictions, as a float32 tensor of one number, where the predictions are; for a column (n, 1) as for a flat (n,). '
                               'Another number of predictions than targets is refused with a `ValueError`.',
    reference=fair_accuracy, alternative=fair_accuracy_by_columns, spec=fair_accuracy_spec, cases=fair_accuracy_cases, refuses=fair_accuracy_refuses,
    bug=careless_accuracy,
    hints=('What shape has `(pred > 0) == targ` for three predictions in a column?', 'Give both sides one shape before they meet: `pred.view(-1)`.',
           'Then compare the lengths, and `raise ValueError(...)` if they differ.'),
    wrong=(Wrong(lambda pred, targ: ((pred.view(-1) > .5) == targ).float().mean(), 'value', 'Half is the border between probabilities. These predictions change sides at 0.'),
           Wrong(lambda pred, targ: ((pred.view(-1) >= 0) == targ).float().mean(), 'value', 'A prediction of 0 is not above 0: it says class 0.'),
           Wrong(lambda pred, targ: ((pred.view(-1) > 0) != targ).float().mean(), 'value', 'That is the share of wrong ones, the error rate.'),
           Wrong(lambda pred, targ: ((pred > 0) == targ).float().mean(0), 'shape', 'Each target still meets every prediction; now there is one number for each target.'),
           Wrong(lambda pred, targ: ((pred.view(-1) > 0) == targ).float().mean().item(), 'shape', 'A plain Python number came back; a tensor of one number is asked for.'),
           Wrong(lambda pred, targ: ((pred.view(-1) > 0) == targ).mean(), 'error', 'True and False have no mean until `.float()` makes them 1 and 0.'),
           Wrong(lambda pred, targ: ((pred.squeeze(1) > 0) == targ).float().mean(), 'error', 'This mends the column and breaks the flat one: it has no axis 1 to squeeze. `view(-1)` flattens both.'),
           Wrong(lambda pred, targ: ((pred > 0) == targ.unsqueeze(1)).float().mean(), 'value',
                 'This mends the column and breaks the flat one, which now meets a column of targets: again every prediction meets every target.'),
           Wrong(accuracy_of_equal_shapes, 'error', 'A column is a fair way to hand in predictions. Bring both to one shape instead of refusing it.'),
           Wrong(lambda pred, targ: ((pred.view(-1) > 0) == targ).double().mean(), 'dtype', 'The share is right, but it is float64, and float32 was asked for.'),
           Wrong(accuracy_squeezed_in_place, 'inputs', '`squeeze_` with an underscore reshapes the tensor of whoever called you. `squeeze` gives a new one.'),
           Wrong(lambda pred, targ: ((pred.view(-1) > 0) == targ).float().mean(), 'refusal', 'A single target was broadcast to all predictions. Compare the lengths first.')))


EXERCISES = [RANK, BRIGHTEN, RMSE, NEAREST, PICK, CONTACT_SHEET, FAIR_ACCURACY]
