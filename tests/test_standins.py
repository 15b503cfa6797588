"The sets that need no network: whole, the same every time, small, and in the layout of the real ones."
import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dlcourse.core import ratings, shapes
from dlcourse.core.sketches import PEOPLE
from dlcourse.core.standins import STANDINS, make_standin

ARCHIVES = {'mnist_sample': 'fast-ai-sample/mnist_sample.tgz', 'mnist_png': 'fast-ai-imageclas/mnist_png.tgz',
            'human_numbers': 'fast-ai-sample/human_numbers.tgz', 'movie_lens_sample': 'fast-ai-sample/movie_lens_sample.tgz',
            'oxford-iiit-pet': 'fast-ai-imageclas/oxford-iiit-pet.tgz', 'pascal_2007': 'fast-ai-imagelocal/pascal_2007.tgz',
            'flower_photos': 'example_images/flower_photos.tgz', 'ml-100k': 'datasets/movielens/ml-100k-layout.zip'}


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    "Every stand-in, made once."
    home = tmp_path_factory.mktemp('standins')
    return {name: make_standin(name, home/name) for name in STANDINS}


def files(folder): return sorted(p for p in folder.rglob('*') if p.is_file())


def decoded(path):
    "Pixels of a picture, bytes of anything else: what a reader of the file gets, whatever wrote it."
    if path.suffix not in ('.png', '.jpg'): return path.read_bytes()
    with Image.open(path) as im: return f'{im.mode}{im.size}'.encode() + im.tobytes()


def digest(folder):
    sha = hashlib.sha256()
    for path in files(folder): sha.update(path.relative_to(folder).as_posix().encode() + decoded(path))
    return sha.hexdigest()[:16]


@pytest.mark.parametrize('name', STANDINS)
def test_small_described_and_free_of_junk(made, name):
    assert 0 < sum(p.stat().st_size for p in files(made[name])) < 3_000_000
    assert STANDINS[name].__doc__
    assert not [p for p in made[name].parent.iterdir() if p.name.startswith('.')], 'a temporary folder was left'


@pytest.mark.parametrize('name', STANDINS)
def test_made_twice_is_made_alike(made, name, tmp_path):
    again = make_standin(name, tmp_path/'again')
    assert [p.relative_to(again) for p in files(again)] == [p.relative_to(made[name]) for p in files(made[name])]
    assert all(p.read_bytes() == q.read_bytes() for p, q in zip(files(again), files(made[name]), strict=True))


# The hash of the decoded content, for the sets that rest on whole numbers and on numpy's frozen generator. Drawn pictures are left
# out: how a JPEG file or a polygon's edge is rounded may change with Pillow, and no figure in a lesson hangs on it.
CONTENT = {'mnist_sample': 'd39580f3e9f3b6b1', 'mnist_tiny': 'ce6f31c60b3f1d2e', 'mnist_png': '0c1a2d7c4f9483e4',
           'human_numbers': 'b7bfbe6c9ce4ad81', 'ml-100k': '70bc6e9a6ab30538', 'movie_lens_sample': '4ff7a56fb1384b25'}


@pytest.mark.parametrize('name', CONTENT)
def test_content_is_what_it_always_was(made, name):
    assert digest(made[name]) == CONTENT[name]


def test_global_generators_are_left_alone(tmp_path):
    before = np.random.get_state()[1].tolist()
    make_standin('movie_lens_sample', tmp_path/'a')
    shapes.draw_shapes(['star'])
    assert np.random.get_state()[1].tolist() == before


# Whole or not at all

def test_an_empty_folder_is_taken_and_a_full_one_refused(tmp_path):
    (tmp_path/'set').mkdir()
    assert make_standin('movie_lens_sample', tmp_path/'set') == tmp_path/'set'
    with pytest.raises(FileExistsError, match='not empty'): make_standin('movie_lens_sample', tmp_path/'set')
    (tmp_path/'file').touch()
    with pytest.raises(FileExistsError, match='file is there already'): make_standin('movie_lens_sample', tmp_path/'file')


def test_a_name_that_is_not_known_is_answered_with_those_that_are(tmp_path):
    with pytest.raises(ValueError, match='mnist_sample.*oxford-iiit-pet'): make_standin('imagenet', tmp_path/'x')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('error', [OSError(28, 'No space left on device'), KeyboardInterrupt()])
def test_nothing_is_left_of_a_set_that_failed(tmp_path, monkeypatch, error):
    def full_disk(folder):
        (folder/'one.txt').write_text('1')
        raise error
    monkeypatch.setitem(STANDINS, 'mnist_sample', full_disk)
    with pytest.raises(type(error)): make_standin('mnist_sample', tmp_path/'set')
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == 'nt', reason='Windows has no SIGKILL')
@pytest.mark.alone
def test_killed_half_way(tmp_path):
    code = ('import os, signal\nfrom dlcourse.core.standins import STANDINS, make_standin\n'
            'def die(folder): (folder/"one.txt").touch(); os.kill(os.getpid(), signal.SIGKILL)\n'
            f'STANDINS["shapes"] = die\nmake_standin("shapes", {str(tmp_path/"set")!r})')
    assert subprocess.run([sys.executable, '-c', code]).returncode == -9
    assert not (tmp_path/'set').exists()
    assert len(files(make_standin('movie_lens_sample', tmp_path/'set'))) == 1


@pytest.mark.alone
def test_import_is_light():
    code = ('import sys, dlcourse.core.standins\n'
            'print(*{"torch", "sklearn", "pandas", "matplotlib", "scipy"} & set(sys.modules))')
    assert subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout.strip() == ''


# The layouts

def read_csv(path):
    with open(path, newline='', encoding='utf-8') as f: return list(csv.DictReader(f))


def test_digits(made):
    rows = read_csv(made['mnist_sample']/'labels.csv')
    assert len(rows) == 362 and [sum(r['label'] == k for r in rows) for k in '01'] == [183, 179]
    for row in rows:
        part, folder, name = row['name'].split('/')
        assert {'0': '3', '1': '7'}[row['label']] == folder
    assert {r['name'] for r in rows} == {p.relative_to(made['mnist_sample']).as_posix() for p in files(made['mnist_sample'])} - {'labels.csv'}
    pictures = [np.asarray(Image.open(p)) for p in files(made['mnist_png'])]
    assert {(a.shape, a.dtype.str) for a in pictures} == {((28, 28), '|u1')}
    for a in pictures:  # the centre of mass in the middle, as MNIST has it
        for axis in (0, 1): assert abs((a.sum(axis)*np.arange(28.)).sum()/a.sum() - 14) <= .51


def test_the_sets_of_digits_share_no_picture_between_their_parts(made):
    for name, (train, *rest) in {'mnist_sample': ('train', 'valid'), 'mnist_tiny': ('train', 'valid', 'test'), 'mnist_png': ('training', 'testing')}.items():
        seen = {p.name for p in files(made[name]/train)}
        for part in rest:
            names = {p.name for p in files(made[name]/part)}
            assert names and not names & seen
            seen |= names


def test_nearest_mean_on_the_enlarged_digits(made):
    x = {(part, c): np.stack([np.asarray(Image.open(p), float)/255 for p in files(made['mnist_sample']/part/c)]) for part in ('train', 'valid') for c in '37'}
    means = {c: x['train', c].mean(0) for c in '37'}
    far = {(c, m): abs(x['valid', c] - means[m]).mean((1, 2)) for c in '37' for m in '37'}
    right = (far['3', '3'] < far['3', '7']).mean(), (far['7', '7'] < far['7', '3']).mean()
    assert right == (pytest.approx(31/37), 1.)


def test_human_numbers_are_the_set_itself(made):
    train, valid = ((made['human_numbers']/f'{part}.txt').read_bytes() for part in ('train', 'valid'))
    assert hashlib.sha256(train).hexdigest() == '194a5defcc1e77a1697d94422744f1b8552ddf5ad7f31e9c84cc1956014c16bf'
    assert hashlib.sha256(valid).hexdigest() == '3a3e30cd8eddcd27477ef232bd07bc5d12b34b1ceec6295c607f0faff793ed5e'


def test_pets_answer_to_the_rules_of_the_lessons(made):
    names = [p.name for p in files(made['oxford-iiit-pet']/'images')]
    breeds = {re.match(r'(.+)_\d+.jpg$', name)[1] for name in names}
    assert len(breeds) == 10 and sum(name[0].isupper() for name in names) == 100
    listed = (made['oxford-iiit-pet']/'annotations'/'list.txt').read_text().split('\n')[:-1]
    assert {row.split()[0] + '.jpg' for row in listed} == set(names)
    assert all((row.split()[2] == '1') == row[0].isupper() for row in listed)


def test_pascal_has_several_labels_and_their_boxes(made):
    path = made['pascal_2007']
    rows = {row['fname']: row for row in read_csv(path/'train.csv')}
    assert set(rows) == {p.name for p in files(path/'train')}
    assert {len(row['labels'].split()) for row in rows.values()} == {1, 2, 3}
    for part, held in (('train', 'False'), ('valid', 'True')):
        coco = json.loads((path/f'{part}.json').read_text())
        named = {c['id']: c['name'] for c in coco['categories']}
        for image in coco['images']:
            boxes = [a for a in coco['annotations'] if a['image_id'] == image['id']]
            row = rows[image['file_name']]
            assert row['is_valid'] == held and ' '.join(named[a['category_id']] for a in boxes) == row['labels']
            with Image.open(path/'train'/image['file_name']) as im: assert im.size == (image['width'], image['height'])
            for a in boxes:
                x, y, w, h = a['bbox']
                assert w > 4 and h > 4 and 0 <= x <= x + w <= image['width'] and 0 <= y <= y + h <= image['height'] + 1


def test_heads_are_where_the_lessons_formula_says(made):
    path = made['biwi_head_pose']
    cal = np.genfromtxt(path/'01'/'rgb.cal', skip_footer=6)
    assert cal.shape == (3, 3)
    for image in sorted(path.rglob('*_rgb.jpg')):
        x, y, z = np.genfromtxt(f'{str(image)[:-7]}pose.txt', skip_header=3)
        x, y = x*cal[0][0]/z + cal[0][2], y*cal[1][1]/z + cal[1][2]
        assert 20 < x < 220 and 20 < y < 160
        if '00003' in image.name:
            person = image.parent.name
            drawn = shapes.draw_shapes([person], (240, 180), seed=100*int(person) - 97, difficulty=.15, tilt=20, sketches=PEOPLE)
            assert (x, y) == pytest.approx(drawn.centres[0], abs=.01)
            with Image.open(image) as im: assert abs(np.asarray(im, float) - np.asarray(drawn.image)).mean() < 8
    assert sorted(p.name for p in path.iterdir()) == [f'{i:02}' for i in range(1, 14)]


def test_flowers_and_shapes_are_folders_of_classes(made):
    for name, kinds, n in (('flower_photos', 5, 40), ('shapes', 8, 30), ('shapes_shifted', 8, 10)):
        folders = [p for p in made[name].iterdir() if p.is_dir()]
        assert [len(files(p)) for p in folders] == [n]*kinds
        assert all(p.name.startswith(folder.name) for folder in folders for p in files(folder))


# Drawings

def test_the_truth_about_a_drawing_agrees_with_its_mask():
    for seed in range(20):
        names = list(shapes.SHAPES)[seed % 6:seed % 6 + 1 + seed % 3]
        drawing = shapes.draw_shapes(names, size=(160, 120) if seed % 2 else (90, 150), seed=seed)
        mask = np.asarray(drawing.mask)
        assert sorted(set(mask.flat)) == list(range(len(names) + 1))
        for i, (x0, y0, x1, y1) in enumerate(drawing.boxes, 1):
            ys, xs = np.nonzero(mask == i)
            assert max(abs(xs.min() - x0), abs(xs.max() - x1), abs(ys.min() - y0), abs(ys.max() - y1)) <= 1
            cx, cy = drawing.centres[i - 1]
            assert x0 < cx < x1 and y0 < cy < y1


def test_harder_is_harder_and_shifted_is_darker():
    contrast, grain = [], []
    for difficulty in (0., .5, 1.):
        drawing = shapes.draw_shapes(['circle'], seed=4, difficulty=difficulty)
        pixels, inside = np.asarray(drawing.image, float), np.asarray(drawing.mask) == 1
        contrast.append(np.abs(pixels[inside].mean(0) - pixels[~inside].mean(0)).max()/pixels[~inside].std())
        grain.append(np.diff(pixels, axis=1).std())
    assert contrast[0] > 1.5*contrast[1] > 2.5*contrast[2]
    assert grain[0] + 10 < grain[1] < grain[2] - 10
    day, dusk = (np.mean([np.asarray(shapes.draw_shapes(['circle'], seed=i, shifted=s).image).mean() for i in range(20)]) for s in (False, True))
    assert dusk < 65 < 170 < day


# Ratings

def test_ratings_hold_what_they_were_drawn_from():
    drawn = ratings.draw_ratings(50, 80, 2000, n_factors=3, seed=5)
    assert len(set(zip(drawn.user.tolist(), drawn.item.tolist(), strict=True))) == 2000
    again = 3.5 + drawn.user_bias[drawn.user] + drawn.item_bias[drawn.item] + (drawn.user_factors[drawn.user]*drawn.item_factors[drawn.item]).sum(1)
    assert np.allclose(again, drawn.expected)
    left = drawn.rating - drawn.expected
    inside = abs(drawn.expected - 3) < 1
    assert abs(left[inside].std() - np.hypot(.6, 12**-.5)) < .05 and abs(left[inside].mean()) < .1


# Beside the real sets, where a mirror has them

def archive(name):
    "The real set's files in a mirror folder as a function path -> bytes, and their paths without the outer folder."
    base = next((Path(part.removeprefix('file://')) for part in os.environ.get('DLCOURSE_MIRROR', '').split(os.pathsep)
                 if part and Path(part.removeprefix('file://'), ARCHIVES[name]).is_file()), None)
    if base is None: pytest.skip(f'no mirror folder with {ARCHIVES[name]} in DLCOURSE_MIRROR')
    if name == 'ml-100k':
        z = zipfile.ZipFile(base/ARCHIVES[name])
        return z.namelist(), z.read
    t = tarfile.open(base/ARCHIVES[name])
    return [m.name for m in t if m.isfile()], lambda path: t.extractfile(path).read()


def form(path): return re.sub(r'[A-Za-z_]+_(?=#)', '*_', re.sub(r'\d+', '#', path.split('/', 1)[1]))


@pytest.mark.parametrize('name', [n for n in ARCHIVES if n != 'flower_photos'])
def test_paths_have_the_form_of_the_real_ones(made, name):
    paths, _ = archive(name)
    ours = {form(p.relative_to(made[name].parent).as_posix()) for p in files(made[name])}
    assert ours <= {form(p) for p in paths}


@pytest.mark.parametrize('name, table', [('mnist_sample', 'labels.csv'), ('pascal_2007', 'train.csv'), ('movie_lens_sample', 'ratings.csv')])
def test_tables_have_the_columns_of_the_real_ones(made, name, table):
    _, read = archive(name)
    assert (made[name]/table).read_text().splitlines()[0] == read(f'{name}/{table}').decode().splitlines()[0]


def test_films_have_the_columns_of_the_real_ones(made):
    _, read = archive('ml-100k')
    for table, mark in (('u.data', '\t'), ('u.item', '|'), ('u.genre', '|')):
        ours, real = ([line.count(mark) for line in text.decode('latin-1').splitlines() if line]
                      for text in ((made['ml-100k']/table).read_bytes(), read(f'ml-100k/{table}')))
        assert set(ours) == set(real)


def test_human_numbers_equal_the_mirrors_copy(made):
    _, read = archive('human_numbers')
    for part in ('train.txt', 'valid.txt'): assert (made['human_numbers']/part).read_bytes() == read(f'human_numbers/{part}')


def test_flowers_have_the_real_classes(made):
    paths, _ = archive('flower_photos')
    assert {p.name for p in made['flower_photos'].iterdir() if p.is_dir()} == {p.split('/')[1] for p in paths if p.count('/') == 2}
