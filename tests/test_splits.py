"Splits of any items: every item once at most, nothing on both sides, the same again for the same seed; and words for what cannot be split."
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from dlcourse.core.recipe import from_recipe, to_recipe
from dlcourse.data.splits import (
    ColSplitter,
    EndSplitter,
    FileSplitter,
    FuncSplitter,
    GrandparentSplitter,
    GroupSplitter,
    IndexSplitter,
    MaskSplitter,
    RandomSplitter,
    RandomSubsetSplitter,
    TimeSplitter,
    TrainTestSplitter,
    check_splits,
)

SHARES = st.floats(.05, .95)
SEEDS = st.integers(0, 2**32 - 1)


def fits(share, n): assume(0 < int(share*n) < n)


def assert_whole(split, n):
    train, valid = split
    assert train and valid and sorted([*train, *valid]) == list(range(n)) and all(type(i) is int for i in [*train, *valid])


def as_fastai(n, share, seed):
    "fastai 2.8: `torch.manual_seed(seed)`, then the first of `torch.randperm(n)` for validation."
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        order = torch.randperm(n).tolist()
    return order[int(share*n):], order[:int(share*n)]


@given(st.integers(2, 300), SHARES, SEEDS)
def test_a_random_split_is_fastais_and_leaves_the_world_alone(n, share, seed):
    fits(share, n)
    before = torch.get_rng_state()
    assert RandomSplitter(share, seed)(range(n)) == as_fastai(n, share, seed)
    assert_whole(RandomSplitter(share, seed)(range(n)), n)
    assert torch.equal(torch.get_rng_state(), before)


def test_known_splits_stay():
    "Numbers that fastai gave: whoever has trained a model on a split finds it again."
    assert RandomSplitter(.2, seed=42)(range(10)) == ([1, 8, 4, 5, 0, 9, 3, 7], [2, 6])


def test_a_default_device_does_not_reach_a_split():
    with torch.device('meta'): assert RandomSplitter(seed=42)(range(10))[1] == [2, 6]


@given(st.integers(3, 100), st.floats(.05, .6), st.floats(.05, .4), SEEDS)
def test_a_subset_is_cut_from_the_same_order(n, train, valid, seed):
    assume(int(n*train) and int(n*valid))
    a, b = RandomSubsetSplitter(train, valid, seed)(range(n))
    order = sum(as_fastai(n, 0, seed), [])
    assert [*a, *b] == order[:int(n*train) + int(n*valid)] and len(a) == int(n*train)


@given(st.lists(st.sampled_from('abcdefg'), min_size=2, max_size=60), SHARES, SEEDS)
def test_a_group_is_never_torn_apart(groups, share, seed):
    assume(len(set(groups)) > 1)
    train, valid = GroupSplitter(str, share, seed)(groups)
    assert_whole((train, valid), len(groups))
    assert not {groups[i] for i in train} & {groups[i] for i in valid}
    assert GroupSplitter('who', share, seed)(pd.DataFrame({'who': groups})) == (train, valid)


@given(st.integers(2, 60), SHARES, SEEDS)
def test_groups_come_as_near_to_the_share_as_they_can(n, share, seed):
    valid = GroupSplitter(str, share, seed)(range(n))[1]
    assert 1 <= len(valid) < n and abs(len(valid) - min(max(share*n, 1), n - 1)) <= .5 + 1e-6


@given(st.lists(st.integers(0, 30), min_size=2, max_size=60), SHARES)
def test_whatever_is_trained_on_is_earlier(times, share):
    fits(share, len(times))
    start = sorted(times)[-int(share*len(times))]
    if start == min(times):
        with pytest.raises(ValueError, match='no item is earlier'): TimeSplitter(int, share)(times)
        return
    train, valid = TimeSplitter(int, share)(times)
    assert_whole((train, valid), len(times))
    assert max(times[i] for i in train) < min(times[i] for i in valid) and len(valid) >= int(share*len(times))


@given(st.lists(st.booleans(), min_size=2, max_size=40))
def test_all_ways_to_name_the_validation_set_agree(mask):
    assume(any(mask) and not all(mask))
    valid = [i for i, yes in enumerate(mask) if yes]
    table = pd.DataFrame({'is_valid': mask, 'part': ['dev' if yes else 'train' for yes in mask]}, index=range(100, 100 + len(mask)))
    expected = IndexSplitter(valid)(table)
    assert_whole(expected, len(mask))
    assert MaskSplitter(np.array(mask))(table) == ColSplitter()(table) == ColSplitter('part', on='dev')(table) == ColSplitter('part', on=['dev', 'test'])(table) == expected
    assert FuncSplitter(lambda row: row['is_valid'])(table) == FuncSplitter(bool)(mask) == expected


@given(st.integers(2, 100), SHARES)
def test_the_end_and_the_start(n, share):
    fits(share, n)
    cut = int(share*n)
    assert EndSplitter(share)(range(n)) == (range(n - cut), range(n - cut, n))
    assert EndSplitter(share, valid_last=False)(range(n)) == (range(cut, n), range(cut))


def test_each_class_has_its_share():
    labels = ['a']*80 + ['b']*20
    for seed in range(5): assert sum(labels[i] == 'b' for i in TrainTestSplitter(.25, seed, stratify=str)(labels)[1]) == 5


FILES = [Path('x')/side/kind/'1.jpg' for side in ('train', 'valid') for kind in ('cat', 'dog')]
TABLE = pd.DataFrame({'a': [1, 2, 3]})


@pytest.mark.parametrize('split, items, words', [
    (RandomSplitter(), range(4), 'validation set is empty'),
    (RandomSplitter(), [], 'no items'),
    (EndSplitter(), range(3), 'larger valid_pct'),
    (RandomSubsetSplitter(.1, .5), range(5), 'training set is empty'),
    (IndexSplitter([1, 1]), 'abc', 'twice'),
    (IndexSplitter([-1]), 'abc', 'Index -1'),
    (IndexSplitter(range(3)), 'abc', 'training set is empty'),
    (IndexSplitter([]), 'abc', 'validation set is empty'),
    (MaskSplitter([True]), 'abc', 'has 1 values, and there are 3 items'),
    (MaskSplitter([False]*3), 'abc', 'must hold True and False'),
    (GrandparentSplitter(valid_name='test'), FILES, "'train' (2), 'valid' (2)"),
    (GrandparentSplitter('train', 'train'), FILES, 'Item 0 is in the training set and in the validation set'),
    (GrandparentSplitter(), [3, 4], 'Item 0, 3'),
    (ColSplitter(), TABLE, "There is no column 'is_valid'. There are: 'a'"),
    (ColSplitter('a'), TABLE, 'Row 1 of the column'),
    (ColSplitter('a', on=9), TABLE, 'holds: 1 (1), 2 (1), 3 (1)'),
    (ColSplitter(), ['x.jpg'], 'no table'),
    (FuncSplitter(str), 'abc', 'said True of every item'),
    (FuncSplitter(lambda x: x == 'z'), 'abc', 'said False of every item'),
    (FuncSplitter(lambda x: x/0), [1, 2], 'Item 0, 1: the function that splits raised ZeroDivisionError'),
    (GroupSplitter(str), 'aaa', 'All 3 items are of one group'),
    (GroupSplitter(str), [], 'no items'),
    (GroupSplitter('person'), TABLE, "no column 'person'"),
    (GroupSplitter(lambda x: None), 'abc', 'Item 0 has no value'),
    (GroupSplitter(lambda x: pd.NA), 'abc', 'Item 0 has no value'),
    (GroupSplitter(lambda x: [x]), 'abc', 'list'),
    (TimeSplitter(lambda x: x), [1, 'b', 3, 4, 5], 'cannot be compared'),
    (TimeSplitter(lambda x: float('nan')), range(9), 'Item 0 has no value'),
    (TimeSplitter(str), 'abc', 'less than one'),
    (TimeSplitter(str), [], 'no items'),
    (TrainTestSplitter(stratify=['a', 'b']), 'abc', 'inconsistent'),
])
def test_what_cannot_be_split_is_told_in_words(split, items, words):
    with pytest.raises(ValueError) as caught: split(items)
    assert words in str(caught.value)


@pytest.mark.parametrize('make', [lambda: RandomSplitter(20), lambda: RandomSplitter(0), lambda: RandomSplitter(1.), lambda: RandomSplitter(True), lambda: TimeSplitter(str, -1),
                                  lambda: GroupSplitter(str, float('nan')), lambda: RandomSubsetSplitter(.8, .3), lambda: IndexSplitter([.5]), lambda: IndexSplitter([True]), lambda: MaskSplitter([0, 2]), lambda: MaskSplitter(['True'])])
def test_a_splitter_that_makes_no_sense_is_not_made(make):
    with pytest.raises(ValueError): make()


def test_a_list_in_a_file(tmp_path):
    (listing := tmp_path/'list.txt').write_text('valid/dog/1.jpg\r\n\r\n  train\\cat\\1.jpg  \nnowhere.jpg\n', encoding='utf-8')
    assert FileSplitter(listing)(FILES) == ([1, 2], [0, 3])
    listing.write_text('og/1.jpg\n', encoding='utf-8')
    with pytest.raises(ValueError, match='list.txt lists 1 names'): FileSplitter(listing)(FILES)


@pytest.mark.parametrize('splitter', [RandomSplitter(.3, 7), IndexSplitter(np.array([2, 1])), MaskSplitter(torch.tensor([True, False])), EndSplitter(.1, False), GrandparentSplitter('train', ['a', 'b']),
                                      ColSplitter('part', on=['dev']), FuncSplitter(len), FileSplitter(Path('a.txt')), GroupSplitter('who', .1, 3), TimeSplitter('when'), RandomSubsetSplitter(.1, .2),
                                      TrainTestSplitter(stratify=pd.Series(['a', 'b']))])
def test_a_splitter_is_a_value_and_a_recipe(splitter):
    assert from_recipe(to_recipe(splitter)) == splitter and splitter in {splitter}


@given(st.lists(st.lists(st.integers(-2, 8), max_size=6), min_size=1, max_size=4), st.integers(0, 7))
def test_the_check_lets_through_what_is_a_split_and_nothing_else(sides, n):
    flat = [i for side in sides for i in side]
    good = n > 0 and all(sides) and len(set(flat)) == len(flat) and all(0 <= i < n for i in flat)
    if good: assert list(map(list, check_splits(sides, n))) == sides
    else:
        with pytest.raises(ValueError): check_splits(sides, n)
