"Exercises of the lesson loader: what to write, what it is held against, what is refused."
import torch
from torch import tensor

from ..contract import Case, Exercise, Wrong

# collated: a new axis in front, dtypes as they were

def collated(items):
    "A pair: all inputs and all labels of a list of pairs of tensors, each stacked along a new first axis."
    inputs, labels = zip(*items)
    return torch.stack(inputs), torch.stack(labels)

def collated_by_cat(items):
    return torch.cat([x[None] for x, _ in items]), torch.cat([y[None] for _, y in items])

def collated_by_filling(items):
    x, y = items[0]
    inputs, labels = x.new_empty((len(items), *x.shape)), y.new_empty(len(items))
    for i, (a, b) in enumerate(items): inputs[i], labels[i] = a, b
    return inputs, labels

def pairs_of(g, n, *shape): return [(torch.randn(*shape, generator=g), tensor(label)) for label in range(10, 10 + n)]

def collated_cases(g):
    by_hand = [(tensor([1., 2.]), tensor(7)), (tensor([3., 4.]), tensor(3)), (tensor([5., 6.]), tensor(7))]
    bytes_ = [(tensor([[1, 2, 3], [4, 5, 6]], dtype=torch.uint8), tensor(1)), (tensor([[7, 8, 9], [0, 1, 2]], dtype=torch.uint8), tensor(0))]
    return [Case((by_hand,), 'three items of two numbers'), Case((pairs_of(g, 4, 2, 3),), 'four items of shape (2, 3)'),
            Case((pairs_of(g, 1, 3),), 'a batch of one'), Case((bytes_,), 'two pictures of bytes')]

def collated_glued(items):
    inputs, labels = zip(*items)
    return torch.cat(inputs), torch.stack(labels)

COLLATED = Exercise(
    name='collated', task='The pair (inputs, labels) of a list of pairs of tensors, each stacked along a new first axis, with the dtypes they had.',
    reference=collated, alternative=collated_by_cat, spec=collated_by_filling, cases=collated_cases,
    hints=('First bring the inputs together, and the labels. Then join each of the two.', 'zip(*items) turns a list of pairs into a pair of lists. Which of stack and cat makes a new axis?',
           'inputs, labels = zip(*items), then torch.stack of each.'),
    wrong=(Wrong(collated_glued, 'shape', 'cat glues the inputs end to end: nobody can tell where an item begins. A batch has a new axis.'),
           Wrong(lambda items: (collated(items)[0], collated(items)[1][:, None]), 'shape', 'The labels became a column. Stacking labels of shape () gives (bs,).'),
           Wrong(lambda items: collated(items)[0], 'shape', 'The labels are lost: a batch has inputs and labels.'),
           Wrong(lambda items: list(zip(*items)), 'shape', 'Sorted into columns, but not joined: a model multiplies one tensor, not a list of them.'),
           Wrong(lambda items: [torch.stack([x.flatten() for x, _ in items]), collated(items)[1]], 'shape', 'Flattened on the way. An item keeps the shape it has.'),
           Wrong(lambda items: (collated(items)[0], collated(items)[1].float()), 'dtype', 'The labels became floats. A class number is an index, and an index is a whole number.'),
           Wrong(lambda items: (collated(items)[0].float(), collated(items)[1]), 'dtype', 'The inputs became floats. Bytes stay bytes until somebody asks for floats: they take a quarter of the room.'),
           Wrong(lambda items: (collated(items)[0], tensor([int(y) for _, y in items])), 'device', 'Made anew from Python numbers, the labels land on the default device, wherever they were.'),
           Wrong(lambda items: collated(items[::-1]), 'value', 'The right items in reverse order. They stay as they came.'),
           Wrong(lambda items: collated([items[0]]*len(items)), 'value', 'Each row is the first item.')))

# batches_of: in order, the short tail kept

def batches_of(indices, batch_size):
    "A list of tensors: `indices` cut into batches in order, the short last one kept; a ValueError for a batch size below 1."
    if batch_size < 1: raise ValueError(f'a batch holds at least one item; got {batch_size}')
    return [indices[i:i + batch_size] for i in range(0, len(indices), batch_size)]

def batches_by_split(indices, batch_size):
    if batch_size < 1: raise ValueError('too small')
    return list(indices.split(batch_size))

def batches_one_by_one(indices, batch_size):
    if batch_size < 1: raise ValueError('too small')
    batches = []
    for i, index in enumerate(indices):
        if i % batch_size == 0: batches.append(index[None])
        else: batches[-1] = torch.cat([batches[-1], index[None]])
    return batches

def batches_case(n, batch_size): return Case(((torch.arange(n)*37 + 5) % 101, batch_size), f'{n} indices in batches of {batch_size}')

def batches_cases(g): return [batches_case(5, 2), batches_case(7, 3), batches_case(6, 3), batches_case(4, 9), batches_case(1, 1), batches_case(10, 4)]

def batches_refuses(g): return [Case((torch.arange(5), size), f'a batch size of {size}') for size in (0, -1)]

def batches_wrapped(indices, batch_size):
    if batch_size < 1: raise ValueError('too small')
    lacking = -len(indices) % batch_size
    return list(indices.repeat(1 + batch_size)[:len(indices) + lacking].split(batch_size))

def batches_padded(indices, batch_size):
    if batch_size < 1: raise ValueError('too small')
    return list(torch.nn.functional.pad(indices, (0, -len(indices) % batch_size)).split(batch_size))

BATCHES_OF = Exercise(
    name='batches_of', task='A list of tensors: the indices cut into batches, in order, the short last one kept. A ValueError for a batch size below 1.',
    reference=batches_of, alternative=batches_by_split, spec=batches_one_by_one, cases=batches_cases,
    hints=('Where does the second batch of 3 begin, and the third? Where does each end?', 'range(0, len(indices), batch_size) gives the beginnings. A slice that reaches beyond the end is simply shorter.',
           '[indices[i:i + batch_size] for i in range(...)], and before it: if batch_size < 1: raise ValueError.'),
    wrong=(Wrong(lambda indices, bs: [b for b in batches_of(indices, bs) if len(b) == bs], 'shape', 'The short tail is dropped: its items are never seen.'),
           Wrong(batches_wrapped, 'shape', 'The tail is filled up from the beginning: those items are seen twice, and count twice.'),
           Wrong(batches_padded, 'shape', 'The tail is filled up with zeros. 0 is an index, too: item 0 is seen again and again.'),
           Wrong(lambda indices, bs: list(indices.chunk(bs)) if bs > 0 else batches_of(indices, bs), 'shape', 'chunk(n) cuts into n pieces. Here n is the size of a piece, not their number.'),
           Wrong(lambda indices, bs: [b.tolist() for b in batches_of(indices, bs)], 'shape', 'Lists of numbers. The contract asks for tensors, which can pick rows at once.'),
           Wrong(lambda indices, bs: [b.flip(0) for b in batches_of(indices, bs)], 'value', 'Each batch is back to front: its indices stay in order.'),
           Wrong(lambda indices, bs: batches_of(torch.arange(len(indices), device=indices.device), bs), 'value', 'These are the places 0, 1, 2 ..., and not the indices that stand there. A shuffled order would be lost.'),
           Wrong(lambda indices, bs: batches_of(indices.sort().values, bs), 'value', 'Sorted first, so a shuffled order is undone.'),
           Wrong(lambda indices, bs: list(indices.split(bs)) if bs else [], 'refusal', 'A size of 0 gives no batch at all: an epoch would end at once, and nobody would know why.')),
    refuses=batches_refuses)

# shuffled: an order that seed and epoch decide

def shuffled(n, seed, epoch):
    "A random order of 0 ... n-1 that seed and epoch decide; the global random numbers stay as they are."
    g = torch.Generator().manual_seed(1_000_003*seed + epoch)
    return torch.randperm(n, generator=g)

def shuffled_by_keys(n, seed, epoch):
    return torch.rand(n, generator=torch.Generator().manual_seed(hash((seed, epoch)) % 2**40)).argsort()

def shuffled_by_swaps(n, seed, epoch):
    "Fisher and Yates: from behind, swap each with one at or before it."
    g, order = torch.Generator().manual_seed(seed*100_000 + epoch), list(range(n))
    for i in range(n - 1, 0, -1):
        j = int(torch.randint(i + 1, (1,), generator=g))
        order[i], order[j] = order[j], order[i]
    return tensor(order)

def facts_of_orders(f, n, seed, epoch):
    "What `f` gives, sorted; then whether it repeats, and whether epochs and seeds have orders of their own."
    with torch.device('cpu'):  # where an order is made does not matter
        order = f(n, seed, epoch)
        if not isinstance(order, torch.Tensor): return order
        again = torch.equal(f(n, seed, epoch), order)
        epochs = {tuple(f(n, seed, e).tolist()) for e in range(epoch, epoch + 4)}
        seeds = {tuple(f(n, s, epoch).tolist()) for s in range(seed, seed + 4)}
        in_order = order.tolist() == list(range(n)) and len(epochs) == 1
        return order.sort().values, f'the same when asked again: {again}', f'another order in another epoch: {len(epochs) > 1}', f'for another seed: {len(seeds) > 1}', f'file order: {in_order}'

def shuffled_cases(g):
    return [Case((8, 42, 0), '8 items, seed 42, epoch 0: its numbers sorted, then what holds of several orders'), Case((23, 0, 3), '23 items, seed 0, epoch 3'), Case((50, 7, 1), '50 items, seed 7, epoch 1')]

def shuffled_by_the_world(n, seed, epoch):
    torch.manual_seed(1_000_003*seed + epoch)
    return torch.randperm(n)

def shuffled_with_repeats(n, seed, epoch): return torch.randint(n, (n,), generator=torch.Generator().manual_seed(1_000_003*seed + epoch))

SHUFFLED = Exercise(
    name='shuffled', task='A tensor with 0 ... n-1 in a random order: the same for the same seed and epoch, another one for the next epoch and the next seed. The global random numbers stay as they are.',
    reference=shuffled, alternative=shuffled_by_keys, spec=shuffled_by_swaps, cases=shuffled_cases, observe=facts_of_orders,
    hints=('torch.randperm takes a generator of your own. What must its seed depend on?', 'torch.Generator().manual_seed(...) wants one number, and you have two. Make one of them, so that pairs rarely meet.',
           'g = torch.Generator().manual_seed(1_000_003*seed + epoch), then torch.randperm(n, generator=g).'),
    wrong=(Wrong(shuffled_with_repeats, 'value', 'Drawn with replacement: some items come twice, a third of them not at all.'),
           Wrong(lambda n, seed, epoch: shuffled(n, seed, 0), 'value', 'The same order in every epoch: batches are always made of the same items.'),
           Wrong(lambda n, seed, epoch: shuffled(n, 0, epoch), 'value', 'The seed has no say: every run has the same orders.'),
           Wrong(lambda n, seed, epoch: torch.arange(n), 'value', 'This is the order in which the items lie on the disk.'),
           Wrong(lambda n, seed, epoch: shuffled(n, seed, epoch) + 1, 'value', 'From 1 to n: the first item is never seen, and the last index is one too many.'),
           Wrong(lambda n, seed, epoch: shuffled(n, seed, epoch).tolist(), 'shape', 'A list. The contract asks for a tensor.'),
           Wrong(lambda n, seed, epoch: shuffled(n - 1, seed, epoch), 'shape', 'One item is missing: randperm(n) already ends at n-1.'),
           Wrong(lambda n, seed, epoch: shuffled(n, seed, epoch).float(), 'dtype', 'Floats cannot be indices.'),
           Wrong(shuffled_by_the_world, 'random', "torch.manual_seed sets everybody's random numbers: after each epoch the caller's dropout and weights begin anew from there.")))

# rows_of: a batch of several tensors in one go

def rows_of(tensors, index):
    "A tuple: of each tensor the rows that `index` names, in its order."
    return tuple(t.index_select(0, index) for t in tensors)

def rows_by_brackets(tensors, index): return tuple(t[index] for t in tensors)

def rows_one_by_one(tensors, index):
    found = []
    for t in tensors: found.append(torch.stack([t[i] for i in index.tolist()]))
    return tuple(found)

def rows_cases(g):
    by_hand = (tensor([[1., 2.], [3., 4.], [5., 6.]]), tensor([7, 8, 9]))
    three = (torch.randn(6, 2, 3, generator=g), torch.arange(6), torch.rand(6, generator=g))
    return [Case((by_hand, tensor([2, 0])), 'rows 2 and 0 of two tensors'), Case((three, tensor([3, 3, 0, 5])), 'an index that is repeated'),
            Case((three, tensor([4])), 'a batch of one'), Case(((torch.randn(4, 4, generator=g),), tensor([1, 0, 3])), 'a single tensor, square')]

def rows_on_the_input(tensors, index):
    found = rows_of(tensors, index)
    index += 1
    return found

ROWS_OF = Exercise(
    name='rows_of', task='A tuple: of each tensor the rows that index names, in that order and as often as it names them. No loop over the items is needed.',
    reference=rows_of, alternative=rows_by_brackets, spec=rows_one_by_one, cases=rows_cases,
    hints=('What was timed in the cell above takes one tensor. Here are several.', 'Do the same with each tensor, and make a tuple of what comes out.', 'tuple(t.index_select(0, index) for t in tensors), or t[index].'),
    wrong=(Wrong(lambda tensors, index: tuple(t[index.sort().values] for t in tensors), 'value', 'Sorted on the way: the random order is gone. The rows come as index names them.'),
           Wrong(lambda tensors, index: tuple(t[torch.isin(torch.arange(len(t), device=t.device), index)] for t in tensors), 'shape', 'A mask says only which rows: order and repetition are lost.'),
           Wrong(lambda tensors, index: tuple(t[:len(index)] for t in tensors), 'value', 'As many rows as asked for, but always the first ones.'),
           Wrong(lambda tensors, index: tensors[0][index], 'shape', 'Only the first tensor: the labels stay behind.'),
           Wrong(lambda tensors, index: (tensors[0][index], *tensors[1:]), 'shape', 'The inputs are picked, the labels are all there still: they no longer belong together.'),
           Wrong(lambda tensors, index: tuple(t[index].float() for t in tensors), 'dtype', 'Everything became float: labels stay whole numbers.'),
           Wrong(lambda tensors, index: tuple(tensor(t[index].tolist(), dtype=t.dtype) for t in tensors), 'device', 'By way of Python lists, and so to the default device, wherever the tensors are.'),
           Wrong(rows_on_the_input, 'inputs', 'The rows are right, and the index was changed in place: the caller meant to use it again.')))

# read_item: an error that says which

def read_item(dataset, i):
    "Item `i` of a dataset; where it cannot be read, a ValueError that names `i` and the dataset's type, and keeps the cause."
    try: return dataset[i]
    except Exception as e: raise ValueError(f'item {i} of {type(dataset).__name__}: {e}') from e

class Album:
    "A dataset, one item of which cannot be read."
    def __init__(self, items, broken, error): self.items, self.broken, self.error = items, broken, error
    def __len__(self): return len(self.items)
    def __getitem__(self, i):
        if i == self.broken: raise {'OSError': OSError, 'KeyError': KeyError, 'RuntimeError': RuntimeError}[self.error]('truncated')
        return self.items[i]

def read_by_result(dataset, i):
    failed = None
    try: found = dataset[i]
    except Exception as e: failed = e
    if failed: raise ValueError(f'{type(dataset)!r} {i}') from failed
    return found

def read_by_cause(dataset, i):
    try: return dataset[i]
    except Exception as e:
        told = ValueError(f'{dataset.__class__.__name__} {i}')
        told.__cause__ = e
        raise told

def facts_of_reading(f, items, broken, error, i):
    "What `f` returns, or what holds of its error."
    try: return f(Album(items, broken, error), i)
    except ValueError as e:
        said = str(e)
        return f'ValueError: true, names the item: {str(i) in said}, the type: {"Album" in said}, keeps the cause: {type(e.__cause__).__name__ == error}'
    except Exception as e: return f'ValueError: false, it is a {type(e).__name__}'

def read_cases(g):
    photos = torch.randn(40, 3, generator=g)
    return [Case((tensor([5., 6., 7.]), 1, 'OSError', 1), 'item 1 of 3, and it is broken'), Case((tensor([5., 6., 7.]), 1, 'OSError', 2), 'item 2, and it is whole'),
            Case((photos, 37, 'KeyError', 37), 'item 37, broken in another way'), Case((photos, 30, 'RuntimeError', 30), 'item 30, broken in a third way'), Case((photos, 37, 'KeyError', 0), 'item 0, whole')]

def read_carelessly(dataset, i): return dataset[i]

def read_without_cause(dataset, i):
    try: return dataset[i]
    except Exception as e: raise ValueError(f'item {i} of {type(dataset).__name__}: {e}') from None

def read_without_type(dataset, i):
    try: return dataset[i]
    except Exception as e: raise ValueError(f'item {i}: {e}') from e

def read_without_number(dataset, i):
    try: return dataset[i]
    except Exception as e: raise ValueError(f'{type(dataset).__name__}: {e}') from e

def read_only_oserror(dataset, i):
    try: return dataset[i]
    except OSError as e: raise ValueError(f'item {i} of {type(dataset).__name__}: {e}') from e

def read_silently(dataset, i):
    try: return dataset[i]
    except Exception: return None

def read_loudly(dataset, i):
    if i == getattr(dataset, 'broken', None): raise ValueError('broken')
    return str(dataset[i])

READ_ITEM = Exercise(
    name='read_item', task='dataset[i]. If that raises anything, a ValueError whose message names i and the type of the dataset, with the first error as its cause.',
    reference=read_item, alternative=read_by_result, spec=read_by_cause, cases=read_cases, observe=facts_of_reading,
    hints=('try: return dataset[i]. What follows?', 'except Exception as e: catches whatever a dataset may raise. type(dataset).__name__ is its type in words.',
           "raise ValueError(f'item {i} of {type(dataset).__name__}: {e}') from e"),
    wrong=(Wrong(read_carelessly, 'value', 'The error goes through as it came: nobody learns which item it was.'),
           Wrong(read_without_number, 'value', 'The message does not say which item. That is what the person needs most.'),
           Wrong(read_without_type, 'value', 'The message does not say which kind of dataset it was: with training and validation sets about, that is a riddle.'),
           Wrong(read_without_cause, 'value', 'The first error is gone: what was wrong with the item, and in which line? Write `from e`.'),
           Wrong(read_only_oserror, 'value', 'Only OSError is caught. A dataset may raise anything: KeyError, RuntimeError ...'),
           Wrong(read_silently, 'shape', 'The error is swallowed. None will fail somewhere else, later, and more darkly.'),
           Wrong(read_loudly, 'shape', 'A good item comes back as it is, not as text.')))

# mixed_batches: the bug lab

def sorted_batches(x, y, batch_size, seed):
    "A list of batches (xb, yb) that holds every item once, in a random order that `seed` decides."
    order = torch.arange(len(x))
    return [(x[i], y[i]) for i in order.split(batch_size)]

def mixed_batches(x, y, batch_size, seed):
    "A list of batches (xb, yb) that holds every item once, in a random order that `seed` decides."
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    return [(x[i], y[i]) for i in order.split(batch_size)]

def mixed_by_keys(x, y, batch_size, seed):
    order = torch.rand(len(x), generator=torch.Generator().manual_seed(seed)).argsort()
    return list(zip(x[order].split(batch_size), y[order].split(batch_size)))

def mixed_one_by_one(x, y, batch_size, seed):
    order = shuffled_by_swaps(len(x), seed, 0).tolist()
    batches = [order[i:i + batch_size] for i in range(0, len(order), batch_size)]
    return [(torch.stack([x[i] for i in batch]), torch.stack([y[i] for i in batch])) for batch in batches]

def facts_of_batches(f, x, y, batch_size, seed):
    "The sizes of the batches; all items, sorted; whether x and y belong together; whether batches are mixed, and the seed decides how."
    with torch.device('cpu'):  # where an order is made does not matter
        batches = f(x.clone(), y.clone(), batch_size, seed)
        if not isinstance(batches, (list, tuple)) or not all(isinstance(b, (list, tuple)) and len(b) == 2 for b in batches): return batches
        sizes = torch.tensor([len(xb) for xb, _ in batches])
        seen, labels = (torch.cat(part) for part in zip(*batches))
        tables = [dict(zip(table[0].tolist(), table[1].flatten().tolist())) for table in [(x[:, 0], y), (seen[:, 0], labels)]]
        again = torch.equal(torch.cat([xb for xb, _ in f(x.clone(), y.clone(), batch_size, seed)]), seen)
        runs = [f(x.clone(), y.clone(), batch_size, s) for s in range(seed, seed + 4)]
        mixed = any(len(yb.unique()) > 1 for run in runs for _, yb in run)
        moved = any(sorted(run[0][0][:, 0].tolist()) != list(range(len(run[0][0]))) for run in runs)
        others = len({tuple(torch.cat([xb[:, 0] for xb, _ in run]).tolist()) for run in runs}) > 1
        return (sizes, seen[:, 0].sort().values, f'x and y belong together: {tables[0] == tables[1]}', f'batches of both classes: {mixed}', f'items move from batch to batch: {moved}',
                f'the same for the same seed: {again}', f'another order for another seed: {others}')

def mixed_case(g, n, batch_size):
    x = torch.cat([torch.arange(2.*n)[:, None], torch.randn(2*n, 2, generator=g)], 1)
    return Case((x, torch.tensor([1]*n + [0]*n)[:, None], batch_size, 3), f'{n} threes, then {n} sevens, batches of {batch_size}: the sizes, the items sorted, then what holds')

def mixed_cases(g): return [mixed_case(g, 8, 4), mixed_case(g, 10, 5), mixed_case(g, 9, 4)]

def mixed_apart(x, y, batch_size, seed):
    g = torch.Generator().manual_seed(seed)
    xs, ys = x[torch.randperm(len(x), generator=g)], y[torch.randperm(len(y), generator=g)]
    return list(zip(xs.split(batch_size), ys.split(batch_size)))

def mixed_only_batches(x, y, batch_size, seed):
    batches = sorted_batches(x, y, batch_size, seed)
    whole = [b for b in batches if len(b[0]) == batch_size]
    order = torch.randperm(len(whole), generator=torch.Generator().manual_seed(seed))
    return [whole[i] for i in order.tolist()] + batches[len(whole):]

def mixed_within(x, y, batch_size, seed):
    g = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(len(xb), generator=g) for xb, _ in sorted_batches(x, y, batch_size, seed)]
    return [(xb[o], yb[o]) for (xb, yb), o in zip(sorted_batches(x, y, batch_size, seed), orders)]

def mixed_with_repeats(x, y, batch_size, seed):
    order = torch.randint(len(x), (len(x),), generator=torch.Generator().manual_seed(seed))
    return [(x[i], y[i]) for i in order.split(batch_size)]

def mixed_by_the_world(x, y, batch_size, seed):
    torch.manual_seed(seed)
    return [(x[i], y[i]) for i in torch.randperm(len(x)).split(batch_size)]

MIXED_BATCHES = Exercise(
    name='mixed_batches', task='Mend sorted_batches: a list of batches (xb, yb) with every item once and in a random order that the seed decides, y still with its x. The global random numbers stay as they are.',
    reference=mixed_batches, alternative=mixed_by_keys, spec=mixed_one_by_one, cases=mixed_cases, bug=sorted_batches, observe=facts_of_batches,
    hints=('What is in the first batch, and what in the last? Which line decides that?', 'One random order for both x and y. torch.randperm takes a generator of your own.',
           'order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed)); the last line stays.'),
    wrong=(Wrong(mixed_apart, 'value', 'x and y are shuffled each by itself, so pictures have the labels of others. Both need one order.'),
           Wrong(mixed_only_batches, 'value', 'The batches change places, and what is in them does not: each still holds one class.'),
           Wrong(mixed_within, 'value', 'The items change places within their batch, and the batch is the same: still one class.'),
           Wrong(mixed_with_repeats, 'value', 'Drawn with replacement: some items come twice, others not at all.'),
           Wrong(lambda x, y, bs, seed: mixed_batches(x, y, bs, 0), 'value', 'The seed has no say: each epoch has the same order.'),
           Wrong(lambda x, y, bs, seed: [b for b in mixed_batches(x, y, bs, seed) if len(b[0]) == bs], 'shape', 'The short tail is lost: every item once, says the contract.'),
           Wrong(lambda x, y, bs, seed: mixed_batches(x, y, bs, seed)[0], 'shape', 'One batch. The contract asks for the list of all.'),
           Wrong(mixed_by_the_world, 'random', "torch.manual_seed sets everybody's random numbers. A generator of your own leaves them alone.")))

EXERCISES = [COLLATED, BATCHES_OF, MIXED_BATCHES, SHUFFLED, ROWS_OF, READ_ITEM]
