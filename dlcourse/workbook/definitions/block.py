"Exercises of the lesson block: what to write, what it is held against, what is refused."
import re
from pathlib import Path

import torch
from torch import tensor

from ..contract import Case, Exercise, Wrong

# label: the name of the folder


def label(path):
    "The name of the folder that the file lies in, as text."
    return path.parent.name

def label_by_parts(path): return path.parts[-2]

def label_by_text(path): return str(path).replace('\\', '/').split('/')[-2]

def label_cases(g):
    names = ['pets/images/beagle/dog_7.jpg', 'bears/grizzly/1.jpg', 'a/b/c/great pyrenees/12.tar.gz', 'teddy/bear.png']
    return [Case((Path(name),), name) for name in names]

LABEL = Exercise(
    name='label', task='The name of the folder that the file lies in, as text.',
    reference=label, alternative=label_by_parts, spec=label_by_text, cases=label_cases,
    hints=('A path knows the folder it lies in, and every path knows its own last name.', 'path.parent is a path again. What is its last part called?', 'path.parent.name'),
    wrong=(Wrong(lambda path: path.stem, 'value', "That is the file's own name without its ending. The label is the folder's name."),
           Wrong(lambda path: path.name, 'value', "That is the file's own name. The label is the folder's name."),
           Wrong(lambda path: path.parent.parent.name, 'value', 'One folder too far up: the grandparent.'),
           Wrong(lambda path: str(path.parent), 'value', 'The whole way to the folder: two albums would never share a class.')))

# breed: before the last underscore and a number


def breed(name):
    "The breed in a file's name: what stands before the last underscore and a number; a ValueError where there is none."
    found = re.search(r'^(.+)_\d+\.\w+$', name)
    if found is None: raise ValueError(f'no breed and number in {name!r}')
    return found[1]

def breed_by_cuts(name):
    stem, _, ending = name.rpartition('.')
    front, _, number = stem.rpartition('_')
    if not (front and number.isdigit() and ending): raise ValueError(name)
    return front

def breed_from_behind(name):
    i = len(name) - 1
    while i >= 0 and name[i] != '.': i -= 1
    end = i
    while i >= 1 and name[i - 1].isdigit(): i -= 1
    if not (1 < i < end and name[i - 1] == '_'): raise ValueError('no number')
    return name[:i - 1]

def breed_cases(g): return [Case((name,), name) for name in ('great_pyrenees_12.jpg', 'Abyssinian_1.jpg', 'american_pit_bull_terrier_191.jpeg', 'pug_7.png', 'K9_team_3.jpg')]

def breed_refuses(g): return [Case((name,), name) for name in ('great_pyrenees.jpg', 'unknown.jpg', '12.jpg', 'pug_.jpg')]

def breed_checked(name, then):
    breed(name)
    return then(name)

BREED = Exercise(
    name='breed', task="The breed in a file's name such as great_pyrenees_12.jpg: what stands before the last underscore and a number. The ending may be any. A ValueError for a name without a number at its end.",
    reference=breed, alternative=breed_by_cuts, spec=breed_from_behind, cases=breed_cases, refuses=breed_refuses,
    hints=('Build the pattern from behind: the ending, before it the number, before it an underscore. What is left is the breed.', r'A dot is \., a number \d+, letters of an ending \w+, and $ is the end. Parentheses remember.',
           r"found = re.search(r'^(.+)_\d+\.\w+$', name); if it is None, raise ValueError; else found[1]."),
    wrong=(Wrong(lambda name: breed_checked(name, lambda n: n.split('_')[0]), 'value', 'Cut at the first underscore: the great pyrenees became a great. Breeds have underscores, too.'),
           Wrong(lambda name: breed_checked(name, lambda n: n.rsplit('.', 1)[0]), 'value', 'The number is still there, so each picture would be a class of its own.'),
           Wrong(lambda name: breed_checked(name, lambda n: breed(n) + '_'), 'value', 'The underscore came along: it stands inside the parentheses.'),
           Wrong(lambda name: breed_checked(name, lambda n: re.sub(r'\d+', '', breed(n))), 'value', 'All digits are gone, also those of the breed. Only the last number is a number of the picture.'),
           Wrong(lambda name: re.findall(r'(.+)_\d+.jpg$', name)[0], 'error', 'Where nothing is found there is no first find. And not every ending is .jpg.'),
           Wrong(lambda name: [breed(name)], 'shape', 'A list with the breed in it: findall and groups give several things. The label is the text itself.'),
           Wrong(lambda name: found[1] if (found := re.search(r'^(.+?)_?\d*\.\w+$', name)) else name, 'refusal', 'A name without a number slips through, and gets a class that nobody meant.')))

# vocab: each label once, sorted


def vocab(labels):
    "The different labels, sorted, as a list."
    return sorted(set(labels))

def vocab_by_dict(labels):
    found = list(dict.fromkeys(labels))
    found.sort()
    return found

def vocab_by_insertion(labels):
    found: list[str] = []
    for x in labels:
        at = 0
        while at < len(found) and found[at] < x: at += 1
        if at == len(found) or found[at] != x: found.insert(at, x)
    return found

def vocab_cases(g):
    drawn = [f'class {i}' for i in torch.randint(7, (20,), generator=g).tolist()]
    return [Case((['star', 'circle', 'star', 'moon'],), 'four labels'), Case((drawn,), 'twenty labels'), Case((['teddy'],), 'one label'), Case((['b', 'a', 'c', 'a', 'b', 'a'],), 'six labels of three classes')]

VOCAB = Exercise(
    name='vocab', task='The different labels, each once, sorted, as a list.',
    reference=vocab, alternative=vocab_by_dict, spec=vocab_by_insertion, cases=vocab_cases,
    hints=('Two jobs: throw repeats away, then bring the rest into order.', 'set(...) keeps each once, in no order. sorted(...) makes a list.', 'sorted(set(labels))'),
    wrong=(Wrong(lambda labels: list(dict.fromkeys(labels)), 'value', 'In the order met: another split, another order, and yesterday’s model answers with the wrong names.'),
           Wrong(lambda labels: sorted(labels), 'shape', 'Repeats are still there: the model would get several outputs for one class.'),
           Wrong(lambda labels: len(set(labels)), 'shape', 'That is how many classes there are, and not which.'),
           Wrong(lambda labels: sorted(set(labels), reverse=True), 'value', 'Sorted the other way round.')))

# numbered_together: one vocab for both sides


def numbered_apart(train_labels, valid_labels):
    "Labels of both sides as tensors of class indices, the classes being those of the training labels."
    train_classes, valid_classes = sorted(set(train_labels)), sorted(set(valid_labels))
    return tensor([train_classes.index(x) for x in train_labels]), tensor([valid_classes.index(x) for x in valid_labels])

def numbered_together(train_labels, valid_labels):
    "Labels of both sides as tensors of class indices, the classes being those of the training labels."
    train_classes = sorted(set(train_labels))
    return tensor([train_classes.index(x) for x in train_labels]), tensor([train_classes.index(x) for x in valid_labels])

def numbered_by_dict(train_labels, valid_labels):
    index = {x: i for i, x in enumerate(sorted(set(train_labels)))}
    unknown = set(valid_labels) - set(index)
    if unknown: raise ValueError(f'not in training: {unknown}')
    return tuple(tensor([index[x] for x in labels]) for labels in (train_labels, valid_labels))

def numbered_by_counting(train_labels, valid_labels):
    "An index is the number of different training labels that come before."
    if any(x not in train_labels for x in valid_labels): raise ValueError('unknown')
    return tuple(tensor([len({y for y in train_labels if y < x}) for x in labels]) for labels in (train_labels, valid_labels))

def on_the_cpu(f, *args):
    "There is no input tensor to follow: where the result is made does not matter."
    with torch.device('cpu'): return f(*args)

def numbered_cases(g):
    drawn = [f'class {i}' for i in torch.randint(6, (15,), generator=g).tolist()]
    return [Case((['star', 'circle', 'moon', 'star'], ['star', 'moon']), 'no circle in validation'), Case((drawn, drawn[3:9:2]), 'fifteen labels, three of them again'),
            Case((['b', 'a'], ['b']), 'one label to validate with'), Case((['a', 'b', 'c'], ['c', 'a', 'b', 'c']), 'every class on both sides')]

def numbered_refuses(g): return [Case((['circle', 'moon'], ['moon', 'star']), 'a star, which training does not have'), Case((['b', 'c'], ['a']), 'a class that sorts first')]

def numbered_from_all(train_labels, valid_labels):
    classes = sorted({*train_labels, *valid_labels})
    return tuple(tensor([classes.index(x) for x in labels]) for labels in (train_labels, valid_labels))

def numbered_as_met(train_labels, valid_labels):
    classes = list(dict.fromkeys(train_labels))
    return tuple(tensor([classes.index(x) for x in labels]) for labels in (train_labels, valid_labels))

def numbered_with_minus_one(train_labels, valid_labels):
    classes = sorted(set(train_labels))
    return tuple(tensor([classes.index(x) if x in classes else -1 for x in labels]) for labels in (train_labels, valid_labels))

NUMBERED_TOGETHER = Exercise(
    name='numbered_together', task='Labels of both sides as two tensors of class indices, int64, both by the sorted classes of the training labels. A ValueError for a validation label that training does not have.',
    reference=numbered_together, alternative=numbered_by_dict, spec=numbered_by_counting, cases=numbered_cases, refuses=numbered_refuses, observe=on_the_cpu, bug=numbered_apart,
    hints=('Print both lists of classes, for a validation set without circles. Which number has moon in each?', 'There must be one list of classes. From which labels may it be learned?', 'Use train_classes for both; list.index raises a ValueError by itself.'),
    wrong=(Wrong(numbered_as_met, 'value', 'One list for both, but in the order met, not sorted.'),
           Wrong(lambda a, b: numbered_together(a, b)[::-1], 'shape', 'Training comes first, then validation.'),
           Wrong(lambda a, b: tuple(map(torch.Tensor.float, numbered_together(a, b))), 'dtype', 'Floats. An index is a whole number.'),
           Wrong(lambda a, b: tuple(t.int() for t in numbered_together(a, b)), 'dtype', 'Class indices are int64: losses ask for it.'),
           Wrong(lambda a, b: tuple(t.tolist() for t in numbered_together(a, b)), 'shape', 'Lists. The contract asks for tensors.'),
           Wrong(numbered_from_all, 'refusal', 'The classes of both sides. A class that only validation has gets an output that nobody ever trains, and validation has told training something.'),
           Wrong(numbered_with_minus_one, 'refusal', 'A number was made up for an unknown class. -1 is an index, too: that of the last class.')))

# label_row: ones and zeros


def label_row(labels, classes):
    "A float32 tensor (len(classes),): 1 for each class among the labels, 0 for the others; a ValueError for an unknown label."
    row = torch.zeros(len(classes))
    for name in labels: row[list(classes).index(name)] = 1.
    return row

def row_by_asking(labels, classes):
    if not set(labels) <= set(classes): raise ValueError('unknown')
    return tensor([float(name in labels) for name in classes])

def row_by_adding(labels, classes):
    rows = torch.eye(len(classes))
    total = torch.zeros(len(classes))
    for name in sorted(set(labels)): total = total + rows[classes.index(name)]
    return total

def row_cases(g):
    things = ['car', 'chair', 'dog', 'person']
    return [Case((['person', 'chair'], things), 'two of four'), Case(([], things), 'nothing of all this'), Case((['car'], things), 'one of four'),
            Case((['dog', 'dog'], things), 'a label that is written twice'), Case((['a', 'b', 'c'], ['a', 'b', 'c']), 'all of them')]

def row_refuses(g): return [Case((['dragon'], ['car', 'dog']), 'a label that the vocab does not have')]

def row_counted(labels, vocab):
    row = torch.zeros(len(vocab))
    for name in labels: row[vocab.index(name)] += 1.
    return row

def row_of_known(labels, vocab): return tensor([float(name in labels) for name in vocab])

LABEL_ROW = Exercise(
    name='label_row', task='A float32 tensor with a number for each class of the vocab: 1 where it is among the labels, else 0. A ValueError for a label that the vocab does not have.',
    reference=label_row, alternative=row_by_asking, spec=row_by_adding, cases=row_cases, refuses=row_refuses, observe=on_the_cpu,
    hints=('Begin with a row of zeros. How long is it?', 'For each label, at which place does a 1 belong? A list can tell you the place of a value.', 'row = torch.zeros(len(vocab)), then row[vocab.index(name)] = 1. for each name.'),
    wrong=(Wrong(lambda labels, vocab: tensor([vocab.index(x) for x in labels]), 'shape', 'The indices of the labels: as many as there are labels, so rows of a batch would differ in length.'),
           Wrong(lambda labels, vocab: label_row(labels, vocab)[None], 'shape', 'An axis too many: the batch comes later.'),
           Wrong(lambda labels, vocab: label_row(labels, vocab).tolist(), 'shape', 'A list. The contract asks for a tensor.'),
           Wrong(lambda labels, vocab: label_row(labels, vocab).long(), 'dtype', 'Whole numbers. The loss compares them with probabilities, and wants floats.'),
           Wrong(lambda labels, vocab: label_row(labels, vocab).bool(), 'dtype', 'True and False. The loss computes with them, and wants floats.'),
           Wrong(row_counted, 'value', 'Labels were counted: a dog that is written twice is still there once, and a target of 2 is no probability.'),
           Wrong(lambda labels, vocab: label_row(labels, vocab)/max(1, len(set(labels))), 'value', 'The ones were shared out, as if the picture showed a class by half. Each class is a yes or a no by itself.'),
           Wrong(row_of_known, 'refusal', 'An unknown label was left out in silence: a typing error would become a picture with nothing on it.')))

EXERCISES = [LABEL, BREED, VOCAB, NUMBERED_TOGETHER, LABEL_ROW]
