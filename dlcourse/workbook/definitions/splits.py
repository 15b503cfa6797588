"Exercises of the lesson splits: what to write, what it is held against, what is refused."
import torch
from torch import tensor

from ..contract import Case, Exercise, Wrong


def numbers(part):
    "A collection of indices as a sorted list of Python numbers, whatever kind of collection it is."
    return sorted(int(i) for i in (part.tolist() if isinstance(part, torch.Tensor) else part))

def two_sides(pair): return isinstance(pair, (tuple, list)) and len(pair) == 2 and all(hasattr(part, '__len__') for part in pair)

def mixer(seed): return torch.Generator().manual_seed(seed)

# random_split: disjoint, complete, drawn by the seed

def random_split(n, valid_pct, seed):
    "Indices 0 to n-1 as (train, valid): int(valid_pct*n) of them, drawn by the seed, in valid; a ValueError for an empty side."
    order, cut = torch.randperm(n, generator=torch.Generator().manual_seed(seed)), int(valid_pct*n)
    if not 0 < cut < n: raise ValueError(f'{valid_pct} of {n} items leaves one side empty')
    return order[cut:], order[:cut]

def random_split_by_keys(n, valid_pct, seed):
    cut = int(valid_pct*n)
    if cut in (0, n): raise ValueError('one side is empty')
    drawn = torch.rand(n, generator=mixer(seed)).argsort()[:cut].tolist()
    return [i for i in range(n) if i not in drawn], drawn

def random_split_one_by_one(n, valid_pct, seed):
    "Out of a hat, one after the other."
    g, hat = mixer(seed), list(range(n))
    valid: list[int] = []
    while len(valid) < int(valid_pct*n): valid.append(hat.pop(int(torch.randint(len(hat), (1,), generator=g))))
    return hat, valid

def facts_of_split(f, n, valid_pct, seed):
    "How many are on each side, all indices, sorted, and what the seed decides."
    with torch.device('cpu'):  # where an order is made does not matter
        split = f(n, valid_pct, seed)
        if not two_sides(split): return split
        train, valid = map(numbers, split)
        again = [numbers(part) for part in f(n, valid_pct, seed)] == [train, valid]
        others = {tuple(numbers(f(n, valid_pct, s)[1])) for s in range(seed, seed + 6)}
        in_order = others in ({tuple(range(len(valid)))}, {tuple(range(n - len(valid), n))})
        return (f'{len(train)} in train, {len(valid)} in valid', f'all indices: {sorted(train + valid)}', f'items on both sides: {sorted(set(train) & set(valid))}',
                f'the same when asked again: {again}', f'another split for another seed: {len(others) > 1}', f'file order: {in_order}')

def random_split_cases(g): return [Case((10, .2, 42), '10 items, a fifth aside: the sizes, all indices sorted, then what holds'), Case((23, .3, 0), '23 items'), Case((9, .5, 7), '9 items, half aside')]

def random_split_refuses(g): return [Case((4, .2, 1), 'a fifth of 4 items'), Case((5, 0., 1), 'nothing aside'), Case((5, 1., 1), 'everything aside')]

def split_by_draws(n, valid_pct, seed):
    draws = torch.randint(n, (n,), generator=mixer(seed))
    return draws[int(valid_pct*n):], draws[:int(valid_pct*n)]

def split_for_the_world(n, valid_pct, seed):
    if not 0 < int(valid_pct*n) < n: raise ValueError('one side is empty')
    torch.manual_seed(seed)
    order = torch.randperm(n)
    return order[int(valid_pct*n):], order[:int(valid_pct*n)]

def split_from_the_front(n, valid_pct, seed): return range(int(valid_pct*n), n), range(int(valid_pct*n))

def split_unasked(n, valid_pct, seed):
    order = torch.randperm(n, generator=mixer(seed))
    return order[int(valid_pct*n):], order[:int(valid_pct*n)]

RANDOM_SPLIT = Exercise(
    name='random_split', task='Two collections of indices, (train, valid): each of 0 to n-1 once, int(valid_pct*n) of them in valid, drawn as the seed says. A ValueError where a side would be empty. The global random numbers stay as they are.',
    reference=random_split, alternative=random_split_by_keys, spec=random_split_one_by_one, cases=random_split_cases, refuses=random_split_refuses, observe=facts_of_split,
    hints=('One random order of all indices, and one cut through it. What must be asked before you cut?', 'torch.randperm(n, generator=...) with a generator of your own; cut = int(valid_pct*n) belongs to valid.',
           'order = torch.randperm(n, generator=torch.Generator().manual_seed(seed)), then order[cut:], order[:cut]; before it a ValueError unless 0 < cut < n.'),
    wrong=(Wrong(split_by_draws, 'value', 'Drawn with replacement: some items come twice, and may be on both sides; others are on none.'),
           Wrong(lambda n, pct, seed: random_split(n, pct, seed)[::-1], 'value', 'The sides are swapped: first comes what is trained on.'),
           Wrong(lambda n, pct, seed: random_split(n, pct, 0), 'value', 'The seed has no say: everybody gets the same split.'),
           Wrong(split_from_the_front, 'value', 'The first items in file order are put aside. Files are sorted by class, so mix first.'),
           Wrong(lambda n, pct, seed: (torch.arange(n), random_split(n, pct, seed)[1]), 'value', 'Training has all items, those for validation included.'),
           Wrong(lambda n, pct, seed: (random_split(n, pct, seed)[0] + 1, random_split(n, pct, seed)[1] + 1), 'value', 'From 1 to n. Indices begin at 0, and n is one too many.'),
           Wrong(lambda n, pct, seed: random_split(n, pct, seed)[1], 'shape', 'Only one side. What is there to train on?'),
           Wrong(split_unasked, 'refusal', 'A fifth of four items is none: int(0.8) is 0. An empty side has to be refused, or somebody will divide by 0.'),
           Wrong(split_for_the_world, 'random', "torch.manual_seed sets everybody's random numbers: all that is drawn later repeats. A generator of your own leaves them alone.")))

# on_both_sides: which items leak

def on_both_sides(train, valid):
    "The indices, in rising order, that stand in both of two lists: a list of numbers, each once."
    return sorted(set(train) & set(valid))

def on_both_by_looking(train, valid): return [i for i in sorted(set(valid)) if i in train]

def on_both_one_by_one(train, valid):
    found = []
    for i in range(200):
        if i in train and i in valid: found.append(i)
    return found

def on_both_cases(g):
    return [Case(([0, 5, 3, 2], [2, 4, 5, 1]), 'two lists of four'), Case(([0, 1, 2], [3, 4]), 'none on both sides'), Case(([7, 7, 1], [1, 7, 7]), 'some of them twice'), Case(([100, 20, 3], [3, 100, 20]), 'the same three')]

ON_BOTH_SIDES = Exercise(
    name='on_both_sides', task='A list of the indices that stand in both lists, each once, from small to large.',
    reference=on_both_sides, alternative=on_both_by_looking, spec=on_both_one_by_one, cases=on_both_cases, observe=lambda f, train, valid: listed_as_text(f(train, valid)),
    hints=('Python has a type for collections in which everything is once, and a sign for what two of them share.', 'set(a) & set(b) is the intersection. In which order does a set give its members?', 'sorted(set(train) & set(valid))'),
    wrong=(Wrong(lambda train, valid: [i for i in train if i in valid], 'value', 'As they come in train: not sorted, and a repeated one is there twice.'),
           Wrong(lambda train, valid: sorted(set(train) | set(valid)), 'value', 'That is what stands in one or the other. It is about both.'),
           Wrong(lambda train, valid: sorted(set(train) ^ set(valid)), 'value', 'These stand in one list only: the very ones that do no harm.'),
           Wrong(lambda train, valid: [a for a, b in zip(train, valid) if a == b], 'value', 'Compared place by place. The same item may stand in quite another place.'),
           Wrong(lambda train, valid: len(set(train) & set(valid)), 'shape', 'How many there are, but not which.')))

def listed_as_text(found): return repr([int(i) for i in found]) if isinstance(found, (list, tuple)) else found

# honest_report: chosen on one set, reported from another

def honest_report(valid_scores, test_scores):
    "The pair (number of the model to choose, score to report); the higher a score, the better."
    best = int(valid_scores.argmax())
    return best, float(test_scores[best])

def honest_by_sorting(valid_scores, test_scores):
    best = valid_scores.argsort()[-1].item()
    return best, test_scores[best].item()

def honest_by_looking(valid_scores, test_scores):
    best = 0
    for i, score in enumerate(valid_scores.tolist()):
        if score > valid_scores[best]: best = i
    return best, test_scores.tolist()[best]

def facts_of_report(f, valid_scores, test_scores):
    found = f(valid_scores, test_scores)
    if not isinstance(found, (tuple, list)) or len(found) != 2: return found
    try: return int(found[0]), float(found[1])
    except (TypeError, ValueError): return found

def honest_cases(g):
    return [Case((tensor([.80, .91, .86]), tensor([.81, .84, .88])), 'three models'), Case((torch.rand(7, generator=g), torch.rand(7, generator=g)), 'seven models'), Case((tensor([.7]), tensor([.6])), 'a single one'),
            Case((tensor([.3, .2, .1, .9]), tensor([.9, .2, .3, .1])), 'a winner that was lucky')]

HONEST_REPORT = Exercise(
    name='honest_report', task='The pair (number of the model that you choose, score that you report). Choosing may look at the validation scores only. The higher a score, the better.',
    reference=honest_report, alternative=honest_by_sorting, spec=honest_by_looking, cases=honest_cases, observe=facts_of_report,
    hints=('Which set is there to choose with? And which has taken no part in the choice?', 'argmax tells where the highest one is. Use that place in the other list.', 'best = int(valid_scores.argmax()), then (best, float(test_scores[best])).'),
    wrong=(Wrong(lambda valid, test: (int(valid.argmax()), float(valid.max())), 'value', 'Right choice, wrong score: the validation score of the winner is too good, because it was chosen for that score.'),
           Wrong(lambda valid, test: (int(test.argmax()), float(test.max())), 'value', 'Chosen by the test set, which makes it a second validation set. Nothing is left that is fair.'),
           Wrong(lambda valid, test: (int(valid.argmax()), float(test.max())), 'value', 'The highest test score, but of another model than the one that you chose.'),
           Wrong(lambda valid, test: (int((valid + test).argmax()), float(test[(valid + test).argmax()])), 'value', 'Chosen by both together: the test set has taken part in the choice.'),
           Wrong(lambda valid, test: (int(valid.argmin()), float(test[valid.argmin()])), 'value', 'The worst model. These are scores, not losses: higher is better.'),
           Wrong(lambda valid, test: float(test[valid.argmax()]), 'shape', 'The score alone. Which model is it of?')))

# clean_sets: first split, then copy

def leaky_sets(x, y, copies, seed):
    "The sets ((x, y) to train on, with three copies of each picture, (x, y) to validate with): the seed draws a fifth for the latter."
    x, y = torch.cat([x, copies(x)]), y.repeat(4)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    valid, train = order[:len(x)//5], order[len(x)//5:]
    return (x[train], y[train]), (x[valid], y[valid])

def clean_sets(x, y, copies, seed):
    "The sets ((x, y) to train on, with three copies of each picture, (x, y) to validate with): the seed draws a fifth for the latter."
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    valid, train = order[:len(x)//5], order[len(x)//5:]
    return (torch.cat([x[train], copies(x[train])]), y[train].repeat(4)), (x[valid], y[valid])

def clean_by_keys(x, y, copies, seed):
    order = torch.rand(len(x), generator=torch.Generator().manual_seed(seed)).argsort()
    train_x, train_y = x[order[len(x)//5:]], y[order[len(x)//5:]]
    more = copies(train_x)
    return [torch.cat([more, train_x]), torch.cat([train_y, train_y, train_y, train_y])], [x[order[:len(x)//5]], y[order[:len(x)//5]]]

def clean_one_by_one(x, y, copies, seed):
    train, valid = random_split_one_by_one(len(x), .2, seed)
    train_x, train_y = torch.stack([x[i] for i in train]), torch.stack([y[i] for i in train])
    return (torch.cat([train_x, copies(train_x)]), train_y.repeat(4)), (torch.stack([x[i] for i in valid]), torch.stack([y[i] for i in valid]))

def marked_copies(x):
    "Three copies that can be told from the picture and traced back to it: 1000, 2000, 3000 more."
    return torch.cat([x + 1000*k for k in (1, 2, 3)])

def four_tensors(sets): return all(two_sides(side) for side in sets) and all(isinstance(part, torch.Tensor) for side in sets for part in side)

def facts_of_sets(f, x, y, seed):
    "The shapes; which pictures validation has; what holds of twins, copies, labels and seeds."
    with torch.device('cpu'):
        sets = f(x.clone(), y.clone(), marked_copies, seed)
        if not two_sides(sets) or not four_tensors(sets): return sets
        (train_x, train_y), (valid_x, valid_y) = sets
        first, number = [part.reshape(len(part), -1)[:, 0].tolist() for part in (train_x, valid_x)], dict(zip(x.reshape(len(x), -1)[:, 0].tolist(), y.tolist()))
        sources = [[v % 1000 for v in side] for side in first]
        right = all(number.get(s) == label for side, labels in zip(sources, (train_y, valid_y)) for s, label in zip(side, labels.tolist()))
        wanted = sorted(s + 1000*k for s in set(number) - set(sources[1]) for k in range(4))
        runs = [sorted((f(x.clone(), y.clone(), marked_copies, s)[1][0]).reshape(-1).tolist()) for s in (seed, *range(seed, seed + 6))]
        return (f'shapes: {tuple(train_x.shape)} and {tuple(train_y.shape)}, {tuple(valid_x.shape)} and {tuple(valid_y.shape)}', f'pictures with a twin on the other side: {len(set(sources[0]) & set(sources[1]))}',
                f'copies in validation: {sum(v >= 1000 for v in first[1])}', f'training has each of its pictures and the copies: {sorted(first[0]) == wanted}', f'labels belong to their pictures: {right}',
                f'the same for the same seed: {runs[0] == runs[1]}', f'other pictures for another seed: {len(set(map(tuple, runs))) > 1}')

def sets_case(g, n, *shape):
    x = torch.rand(n, *shape, generator=g)
    x.view(n, -1)[:, 0] = torch.arange(1., n + 1)
    return Case((x, torch.randperm(n, generator=g), 3), f'{n} pictures of shape {shape}: the shapes, then what holds')

def sets_cases(g): return [sets_case(g, 10, 2, 3), sets_case(g, 15, 1, 2, 4), sets_case(g, 23, 3)]

def copied_for_all(x, y, copies, seed):
    (_, _), (valid_x, valid_y) = clean_sets(x, y, copies, seed)
    return (torch.cat([x, copies(x)]), y.repeat(4)), (valid_x, valid_y)

def copied_on_both_sides(x, y, copies, seed):
    train, (valid_x, valid_y) = clean_sets(x, y, copies, seed)
    return train, (torch.cat([valid_x, copies(valid_x)]), valid_y.repeat(4))

def interleaved_labels(x, y, copies, seed):
    (train_x, _), valid = clean_sets(x, y, copies, seed)
    order = torch.randperm(len(x), generator=mixer(seed))
    return (train_x, y[order[len(x)//5:]].repeat_interleave(4)), valid

def set_by_the_world(x, y, copies, seed):
    torch.manual_seed(seed)
    order = torch.randperm(len(x))
    valid, train = order[:len(x)//5], order[len(x)//5:]
    return (torch.cat([x[train], copies(x[train])]), y[train].repeat(4)), (x[valid], y[valid])

def valid_originals_only(x, y, copies, seed):
    "The leak with a fig leaf: copies taken out of validation after the split."
    many, labels = torch.cat([x, copies(x)]), y.repeat(4)
    order = torch.randperm(len(many), generator=mixer(seed))
    valid = order[order < len(x)][:len(x)//5]
    train = torch.tensor([i for i in order.tolist() if i not in valid.tolist()])
    return (many[train], labels[train]), (many[valid], labels[valid])

CLEAN_SETS = Exercise(
    name='clean_sets', task='Mend leaky_sets: ((x, y) to train on, (x, y) to validate with). A fifth of the pictures (len(x)//5), drawn by the seed, is for validation, as they are. Training has the others and the three copies of each. Labels stay with their pictures.',
    reference=clean_sets, alternative=clean_by_keys, spec=clean_one_by_one, cases=sets_cases, bug=leaky_sets, observe=facts_of_sets,
    hints=('When are the copies made: before or after the split? Where can a copy land, then?', 'Split the hundred pictures first. Then call copies on one of the two sides.',
           'order over the pictures alone; valid, train as before; then torch.cat([x[train], copies(x[train])]) with y[train].repeat(4).'),
    wrong=(Wrong(valid_originals_only, 'value', 'No copy is in validation now, but the copies of its pictures are still trained on: the twins sit on the other side.'),
           Wrong(copied_for_all, 'value', 'All pictures and copies are trained on, those for validation included.'),
           Wrong(copied_on_both_sides, 'value', 'No twin is on both sides, but validation has copies, too. It is asked about pictures as they are, and each of them once.'),
           Wrong(interleaved_labels, 'value', 'repeat_interleave gives a, a, a, a, b ...; the copies come as all pictures once, then all again. The labels belong to others.'),
           Wrong(lambda x, y, copies, seed: clean_sets(x, y, lambda kept: kept.repeat(3, *[1]*(kept.ndim - 1)), seed), 'value', 'Each picture four times as it is: `copies` was not asked.'),
           Wrong(lambda x, y, copies, seed: ((clean_sets(x, y, copies, seed)[0][0][:len(x) - len(x)//5], clean_sets(x, y, copies, seed)[0][1][:len(x) - len(x)//5]), clean_sets(x, y, copies, seed)[1]), 'value', 'No leak, and no copies either. They are welcome in training.'),
           Wrong(lambda x, y, copies, seed: clean_sets(x, y, copies, 0), 'value', 'The seed has no say: everybody gets the same split.'),
           Wrong(lambda x, y, copies, seed: clean_sets(x, y, copies, seed)[0], 'shape', 'Only the training set. What is the model asked about?'),
           Wrong(set_by_the_world, 'random', "torch.manual_seed sets everybody's random numbers. Keep the generator of your own.")))

# group_split: a group is never torn apart

def group_split(groups, valid_pct, seed):
    "Indices as (train, valid): all items of int(valid_pct*k) of the k groups, at least one, drawn by the seed, are in valid."
    names = list(dict.fromkeys(groups))
    if len(names) < 2: raise ValueError('one group cannot be on two sides')
    order = torch.randperm(len(names), generator=torch.Generator().manual_seed(seed)).tolist()
    drawn = {names[i] for i in order[:max(1, int(valid_pct*len(names)))]}
    return [i for i, group in enumerate(groups) if group not in drawn], [i for i, group in enumerate(groups) if group in drawn]

def group_split_by_numbers(groups, valid_pct, seed):
    names = sorted(set(groups))
    if len(names) == 1: raise ValueError('a single group')
    keys = torch.rand(len(names), generator=mixer(seed))
    drawn = keys.argsort()[:max(1, int(valid_pct*len(names)))]
    number = tensor([names.index(group) for group in groups])
    aside = torch.isin(number, drawn)
    return (~aside).nonzero()[:, 0], aside.nonzero()[:, 0]

def group_split_one_by_one(groups, valid_pct, seed):
    g, hat, drawn = mixer(seed), sorted(set(groups)), []
    train: list[int] = []
    valid: list[int] = []
    for _ in range(max(1, int(valid_pct*len(hat)))): drawn.append(hat.pop(int(torch.randint(len(hat), (1,), generator=g))))
    for i, group in enumerate(groups): (valid if group in drawn else train).append(i)
    return train, valid

def facts_of_groups(f, groups, valid_pct, seed):
    "All indices, sorted, how many groups are in valid, and whether one is torn apart."
    with torch.device('cpu'):
        split = f(list(groups), valid_pct, seed)
        if not two_sides(split): return split
        try: train, valid = map(numbers, split)
        except (TypeError, ValueError): return tuple(map(str, split))
        if not set(train + valid) <= set(range(len(groups))): return tuple(f'indices {part}' for part in (train, valid))
        sides = [{groups[i] for i in side} for side in (train, valid)]
        runs = [tuple(numbers(f(list(groups), valid_pct, s)[1])) for s in (seed, *range(seed, seed + 8))]
        return (f'all indices: {sorted(train + valid)}', f'groups torn apart: {sorted(sides[0] & sides[1])}', f'groups in valid: {len(sides[1])}',
                f'the same when asked again: {runs[0] == runs[1] == tuple(valid)}', f'other groups for another seed: {len(set(runs)) > 1}')

def group_cases(g):
    return [Case((['Ann', 'Ann', 'Bo', 'Bo', 'Cy'], .4, 1), 'five pictures of three people: all indices, sorted, then what holds'), Case((list('abcabcabcdefghij'), .3, 0), 'ten groups, mixed up'),
            Case((['x']*9 + ['y'], .2, 5), 'two groups: at least one is for validation'), Case((list('aabbccdd')*3, .5, 2), 'four groups, half of them aside')]

def group_refuses(g): return [Case((['Ann']*5, .2, 1), 'one group')]

def groups_row_by_row(groups, valid_pct, seed):
    order = torch.randperm(len(groups), generator=mixer(seed)).tolist()
    cut = max(1, int(valid_pct*len(groups)))
    return order[cut:], order[:cut]

def groups_as_names(groups, valid_pct, seed):
    train, valid = group_split(groups, valid_pct, seed)
    return sorted({groups[i] for i in train}), sorted({groups[i] for i in valid})

def groups_one_of_each(groups, valid_pct, seed):
    train, valid = group_split(groups, valid_pct, seed)
    kept = [valid[0]]
    return [i for i in range(len(groups)) if i not in kept], kept

def groups_for_the_world(groups, valid_pct, seed):
    if len(set(groups)) < 2: raise ValueError('a single group')
    torch.manual_seed(seed)
    names = sorted(set(groups))
    drawn = [names[i] for i in torch.randperm(len(names))[:max(1, int(valid_pct*len(names)))].tolist()]
    return [i for i, group in enumerate(groups) if group not in drawn], [i for i, group in enumerate(groups) if group in drawn]

def groups_unasked(groups, valid_pct, seed):
    return group_split(groups, valid_pct, seed) if len(set(groups)) > 1 else ([], list(range(len(groups))))

def groups_first_ones(groups, valid_pct, seed):
    names = list(dict.fromkeys(groups))
    drawn = names[:max(1, int(valid_pct*len(names)))]
    return [i for i, group in enumerate(groups) if group not in drawn], [i for i, group in enumerate(groups) if group in drawn]

GROUP_SPLIT = Exercise(
    name='group_split', task='Two collections of indices, (train, valid): int(valid_pct*k) of the k groups, at least one, are drawn by the seed, and all their items are in valid. A ValueError for fewer than two groups. The global random numbers stay as they are.',
    reference=group_split, alternative=group_split_by_numbers, spec=group_split_one_by_one, cases=group_cases, refuses=group_refuses, observe=facts_of_groups,
    hints=('What is drawn here: items or groups? And what is returned?', 'List the names of the groups, each once. Draw some of them. Then go through the items: is its group among the drawn ones?',
           'names = list(dict.fromkeys(groups)); drawn = the first max(1, int(valid_pct*len(names))) of them in a random order; two list comprehensions over enumerate(groups).'),
    wrong=(Wrong(groups_row_by_row, 'value', 'Split row by row: people are on both sides, and the model need only recognise them.'),
           Wrong(groups_as_names, 'shape', 'These are names of groups. A splitter returns the indices of the items.'),
           Wrong(groups_one_of_each, 'value', 'One item of the drawn group is aside, and its brothers are trained on. All of a group go together.'),
           Wrong(groups_first_ones, 'value', 'Always the first groups: the seed has no say.'),
           Wrong(lambda groups, pct, seed: group_split(groups, pct, seed)[::-1], 'value', 'The sides are swapped: first comes what is trained on.'),
           Wrong(lambda groups, pct, seed: group_split(groups, pct, seed)[1], 'shape', 'Only one side. What is there to train on?'),
           Wrong(groups_unasked, 'refusal', 'With a single group everything is on one side. Somebody must be told.'),
           Wrong(groups_for_the_world, 'random', "torch.manual_seed sets everybody's random numbers. A generator of your own leaves them alone.")))

# time_split: the latest, wherever they stand

def time_split(times, valid_pct):
    "Indices as (train, valid): the int(valid_pct*n) latest items are in valid, wherever they stand."
    order = times.argsort()
    cut = len(times) - int(valid_pct*len(times))
    return order[:cut], order[cut:]

def time_split_by_topk(times, valid_pct):
    valid = times.topk(int(valid_pct*len(times))).indices.tolist()
    return [i for i in range(len(times)) if i not in valid], valid

def time_split_one_by_one(times, valid_pct):
    later = [sum(other > t for other in times.tolist()) for t in times.tolist()]
    n_valid = int(valid_pct*len(times))
    return [i for i, n in enumerate(later) if n >= n_valid], [i for i, n in enumerate(later) if n < n_valid]

def facts_of_times(f, times, valid_pct):
    split = f(times, valid_pct)
    if not two_sides(split): return split
    try: train, valid = map(numbers, split)
    except (TypeError, ValueError): return tuple(map(str, split))
    return f'train {train}', f'valid {valid}'

def time_cases(g):
    return [Case((tensor([30., 20., 50., 10., 40.]), .4), 'five items, in no order'), Case((torch.randperm(17, generator=g).double()*1.5 + 2000, .3), 'seventeen items'),
            Case((tensor([5, 4, 3, 2, 1, 0]), .5), 'the latest first'), Case((tensor([-1., -3., 2., -2.]), .25), 'one aside')]

def times_random(times, valid_pct):
    order = torch.randperm(len(times), generator=mixer(0))
    return order[int(valid_pct*len(times)):], order[:int(valid_pct*len(times))]

def times_last_rows(times, valid_pct):
    cut = len(times) - int(valid_pct*len(times))
    return range(cut), range(cut, len(times))

def times_earliest(times, valid_pct):
    order, cut = times.argsort(), int(valid_pct*len(times))
    return order[cut:], order[:cut]

def times_themselves(times, valid_pct):
    cut = len(times) - int(valid_pct*len(times))
    return times.sort().values[:cut], times.sort().values[cut:]

def times_by_rank(times, valid_pct):
    ranks = times.argsort().argsort()
    cut = len(times) - int(valid_pct*len(times))
    return ranks[:cut], ranks[cut:]

def times_shifted(times, valid_pct):
    found = time_split(times, valid_pct)
    times -= times.min()
    return found

TIME_SPLIT = Exercise(
    name='time_split', task='Two collections of indices, (train, valid): the int(valid_pct*n) latest items are in valid. Times come in any order, no two alike.',
    reference=time_split, alternative=time_split_by_topk, spec=time_split_one_by_one, cases=time_cases, observe=facts_of_times,
    hints=('Where does the latest item stand? Anywhere. Which function lists the places from the earliest to the latest?', 'times.argsort() gives indices, from the earliest to the latest. Where is the cut?', 'order = times.argsort(); cut = len(times) - int(valid_pct*len(times)); order[:cut], order[cut:].'),
    wrong=(Wrong(times_random, 'value', 'A random split: the model is asked about days between days that it knows.'),
           Wrong(times_last_rows, 'value', 'The last rows. That is right only if somebody has sorted them by time.'),
           Wrong(times_earliest, 'value', 'The earliest ones are aside: that asks for the past, with the future known.'),
           Wrong(times_themselves, 'value', 'These are the times. A splitter returns the indices of the items.'),
           Wrong(times_by_rank, 'value', 'argsort of argsort gives ranks: how many are earlier. What is needed is where the items stand.'),
           Wrong(lambda times, pct: time_split(times, pct)[::-1], 'value', 'The sides are swapped: first comes what is trained on.'),
           Wrong(lambda times, pct: time_split(times, pct)[1], 'shape', 'Only one side. What is there to train on?'),
           Wrong(times_shifted, 'inputs', 'The split is right, and the times were changed in place: whoever called it has other dates now.')))

# folds: each item aside once

def folds(n, k, seed):
    "A list of k pairs (train, valid) of indices: each item is in valid once, as the seed says; a ValueError for k below 2 or above n."
    if not 2 <= k <= n: raise ValueError(f'{n} items cannot be cut into {k} folds')
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()
    return [([i for j, i in enumerate(order) if j % k != fold], order[fold::k]) for fold in range(k)]

def folds_by_chunks(n, k, seed):
    if k < 2 or k > n: raise ValueError('too few, or too many')
    parts = torch.rand(n, generator=mixer(seed)).argsort().tensor_split(k)
    return [(torch.cat([*parts[:i], *parts[i + 1:]]), part) for i, part in enumerate(parts)]

def folds_one_by_one(n, k, seed):
    hands: list[list[int]] = [[] for _ in range(k)]
    for turn, card in enumerate(random_split_one_by_one(n, 1, seed)[1]): hands[turn % k].append(card)
    return [(sorted(set(range(n)) - set(hand)), hand) for hand in hands]

def facts_of_folds(f, n, k, seed):
    "How large the folds are; all valid indices, sorted; whether train is the rest, and what the seed decides."
    with torch.device('cpu'):
        pairs = f(n, k, seed)
        if not isinstance(pairs, (list, tuple)) or not pairs or not all(map(two_sides, pairs)): return pairs
        sides = [(numbers(train), numbers(valid)) for train, valid in pairs]
        valids = [tuple(valid) for _, valid in sides]
        rest = all(train == sorted(set(range(n)) - set(valid)) for train, valid in sides)
        runs = [{tuple(numbers(valid)) for _, valid in f(n, k, s)} for s in (seed, *range(seed, seed + 4))]
        return (f'sizes of the folds: {sorted(map(len, valids))}', f'aside in all: {sorted(sum(map(list, valids), []))}', f'each train is all the rest: {rest}',
                f'the same when asked again: {runs[0] == runs[1] == set(valids)}', f'other folds for another seed: {k == n or any(run != runs[0] for run in runs)}',
                f'file order: {k < n and all(run == {tuple(part.tolist()) for part in torch.arange(n).tensor_split(k)} for run in runs)}')

def folds_cases(g): return [Case((6, 3, 1), '6 items in 3 folds: their sizes, all that is aside, sorted, then what holds'), Case((11, 4, 0), '11 items in 4 folds'), Case((5, 5, 2), 'each item a fold of its own'), Case((13, 2, 3), 'two halves')]

def folds_refuses(g): return [Case((6, 1, 0), 'a single fold'), Case((3, 4, 0), 'more folds than items'), Case((5, 0, 0), 'no fold')]

def folds_drawn_anew(n, k, seed): return [(r[n//k:].tolist(), r[:n//k].tolist()) for r in (torch.randperm(n, generator=mixer(seed + i)) for i in range(k))]

def folds_without_tail(n, k, seed):
    order, size = torch.randperm(n, generator=mixer(seed)).tolist(), n//k
    return [(order[:i*size] + order[(i + 1)*size:], order[i*size:(i + 1)*size]) for i in range(k)]

def folds_long_tail(n, k, seed):
    found = folds_without_tail(n, k, seed)
    order, size = torch.randperm(n, generator=mixer(seed)).tolist(), n//k
    return [*found[:-1], (order[:(k - 1)*size], order[(k - 1)*size:])]

def folds_in_order(n, k, seed): return [(sorted(set(range(n)) - set(part.tolist())), part) for part in torch.arange(n).tensor_split(k)]

def folds_for_the_world(n, k, seed):
    if not 2 <= k <= n: raise ValueError('too few, or too many')
    torch.manual_seed(seed)
    order = torch.randperm(n).tolist()
    return [([i for j, i in enumerate(order) if j % k != fold], order[fold::k]) for fold in range(k)]

def folds_unasked(n, k, seed): return folds(n, min(max(k, 2), n), seed)

FOLDS = Exercise(
    name='folds', task='A list of k pairs (train, valid) of indices: each of 0 to n-1 in exactly one valid, all others in the train beside it, the sizes of the valids at most 1 apart, mixed as the seed says. A ValueError for k below 2 or above n. The global random numbers stay as they are.',
    reference=folds, alternative=folds_by_chunks, spec=folds_one_by_one, cases=folds_cases, refuses=folds_refuses, observe=facts_of_folds,
    hints=('One random order. How do you deal cards to k players so that no hand is more than one card larger?', 'order[fold::k] takes every k-th from `fold` on. What is left of `order` is for training.',
           'A list comprehension over fold in range(k): the pair ([i for j, i in enumerate(order) if j % k != fold], order[fold::k]).'),
    wrong=(Wrong(folds_drawn_anew, 'value', 'A new draw for every fold: some items are aside twice, others never.'),
           Wrong(folds_without_tail, 'value', 'The tail is lost: where k does not divide n, the last items are never asked about.'),
           Wrong(folds_long_tail, 'value', 'The last fold takes all that is left over. The sizes may differ by 1 at most.'),
           Wrong(folds_in_order, 'value', 'In file order: a fold may hold one class only. Mix first, as the seed says.'),
           Wrong(lambda n, k, seed: [(list(range(n)), valid) for _, valid in folds(n, k, seed)], 'value', 'Each model trains on all items, those that it is asked about included.'),
           Wrong(lambda n, k, seed: [pair[::-1] for pair in folds(n, k, seed)], 'value', 'The sides are swapped: trained on one fold, asked about all others.'),
           Wrong(lambda n, k, seed: folds(n, k, seed)[:1], 'value', 'A single split. Cross-validation needs one for each fold.'),
           Wrong(lambda n, k, seed: folds(n, k, 0), 'value', 'The seed has no say: everybody gets the same folds.'),
           Wrong(lambda n, k, seed: [valid for _, valid in folds(n, k, seed)], 'shape', 'The folds alone. Each needs what to train on beside it.'),
           Wrong(folds_unasked, 'refusal', 'Another number of folds than was asked for. Say so with a ValueError instead.'),
           Wrong(folds_for_the_world, 'random', "torch.manual_seed sets everybody's random numbers. A generator of your own leaves them alone.")))

EXERCISES = [RANDOM_SPLIT, ON_BOTH_SIDES, HONEST_REPORT, CLEAN_SETS, GROUP_SPLIT, TIME_SPLIT, FOLDS]
