"Pictures as they turn up: every mode, every way to hold a camera, cut off, damaged, hostile, oddly named. All are made on the spot."
import io
import os
import pickle
import random
import struct
import warnings
import zlib
from datetime import datetime

import numpy as np
import pytest
import torch
from PIL import Image, features

from dlcourse.core.standins import photo
from dlcourse.vision.images import (
    PILImage,
    PILImageBW,
    PILMask,
    UnreadableImage,
    cv2_or_none,
    get_files,
    get_image_files,
    image_extensions,
    image_problem,
    image_problems,
    image_to_tensor,
    mask_to_tensor,
    verify_image,
    verify_images,
)

SCENE = photo().resize((96, 64))
TURNS = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # EXIF's number: how such a camera's pixels lie, as Pillow counts its turns
needs_opencv = pytest.mark.skipif(cv2_or_none() is None, reason='OpenCV is not installed, or switched off')
needs_links = pytest.mark.skipif(os.name == 'nt', reason='links need rights on Windows')


@pytest.fixture(params=['quick', 'Pillow'])
def route(request, monkeypatch):
    "With OpenCV where it is installed, and without."
    monkeypatch.setenv('DLCOURSE_FAST', '0' if request.param == 'Pillow' else '1')
    return request.param


def encoded(kind, image=SCENE, **how):
    image.save(buffer := io.BytesIO(), kind, **how)
    return buffer.getvalue()


def far(a, b): return np.abs(np.asarray(a.convert('RGB'), int) - np.asarray(b.convert('RGB'), int)).mean()


def frames(kind, **how): return encoded(kind, SCENE, save_all=True, append_images=[SCENE.rotate(15), SCENE.rotate(30)], **how)


def sixteen(dtype='<u2'): return (np.asarray(SCENE.convert('L')).astype(dtype)*257)


KINDS = {
    'jpeg': lambda: encoded('JPEG'), 'progressive': lambda: encoded('JPEG', progressive=True), 'grey jpeg': lambda: encoded('JPEG', SCENE.convert('L')),
    'cmyk jpeg': lambda: encoded('JPEG', SCENE.convert('CMYK')), 'mpo': lambda: frames('MPO'), 'png': lambda: encoded('PNG'),
    'palette png': lambda: encoded('PNG', SCENE.quantize(64)), 'png of 16 bits': lambda: encoded('PNG', Image.fromarray(sixteen())), 'apng': lambda: frames('PNG'),
    'gif': lambda: encoded('GIF', SCENE.quantize(64)), 'moving gif': lambda: frames('GIF'), 'bmp': lambda: encoded('BMP'), 'tiff': lambda: encoded('TIFF'),
    'packed tiff': lambda: encoded('TIFF', compression='tiff_lzw'), 'ppm': lambda: encoded('PPM'), 'ico': lambda: encoded('ICO'),
}
if features.check('webp'): KINDS |= {'webp': lambda: encoded('WEBP'), 'lossless webp': lambda: encoded('WEBP', lossless=True), 'moving webp': lambda: frames('WEBP')}
if features.check('jpg_2000'): KINDS |= {'jpeg 2000': lambda: encoded('JPEG2000')}
each_kind = pytest.mark.parametrize('kind', KINDS)


# ---- modes ----

@pytest.mark.parametrize('mode', ['1', 'L', 'LA', 'P', 'PA', 'RGB', 'RGBA', 'RGBX', 'CMYK', 'YCbCr', 'HSV', 'RGBa'])
def test_every_mode_becomes_colour_and_grey(mode):
    image = SCENE.convert({'PA': 'LA', 'RGBa': 'RGBA'}.get(mode, mode)).convert(mode)
    made, grey = PILImage.create(image), PILImageBW.create(image)
    assert (made.mode, made.size, type(made)) == ('RGB', SCENE.size, Image.Image) and (grey.mode, grey.size) == ('L', SCENE.size)
    if mode not in ('1', 'P'): assert far(made, SCENE if mode not in ('L', 'LA', 'PA') else SCENE.convert('L')) < 2


@pytest.mark.parametrize('kind, dtype', [('PNG', '<u2'), ('TIFF', '<u2'), ('TIFF', '>u2')])
def test_sixteen_bits_are_scaled_and_never_clipped(kind, dtype):
    data = encoded(kind, Image.fromarray(sixteen(dtype)))
    assert far(PILImage.create(data), SCENE.convert('L')) == 0 and PILImageBW.create(data).tobytes() == SCENE.convert('L').tobytes()
    between = encoded(kind, Image.fromarray(np.array([[128, 129, 30_000, 65_406, 65_407]], dtype)))
    assert list(PILImageBW.create(between).tobytes()) == [0, 1, 117, 254, 255], 'divided by 257 and rounded'


def test_floats_are_scaled_from_0_to_1_and_refused_elsewhere():
    a = np.asarray(SCENE.convert('L'), np.float32)
    assert far(PILImage.create(encoded('TIFF', Image.fromarray(a/255))), SCENE.convert('L')) == 0
    with pytest.raises(UnreadableImage, match='nobody can tell'): PILImage.create(encoded('TIFF', Image.fromarray(a)))
    with pytest.raises(UnreadableImage, match='int32 numbers'): PILImage.create(encoded('TIFF', Image.fromarray(a.astype(np.int32)*1000)))


def clear_half(image):
    "The left half of a picture, the rest transparent over black."
    half = image.convert('RGBA')
    half.paste((0, 0, 0, 0), (image.width//2, 0, image.width, image.height))
    return half


@pytest.mark.parametrize('data', [
    lambda: encoded('PNG', clear_half(SCENE)), lambda: encoded('PNG', clear_half(SCENE).convert('LA')), lambda: encoded('PNG', clear_half(SCENE).quantize(64)),
    lambda: encoded('GIF', clear_half(SCENE)), lambda: encoded('TIFF', clear_half(SCENE))], ids=['RGBA', 'LA', 'palette', 'gif', 'tiff'])
def test_white_lies_behind_what_is_transparent(data):
    made, grey = PILImage.create(data()), PILImageBW.create(data())
    right = made.crop((SCENE.width//2, 0, *SCENE.size))
    assert set(right.tobytes()) == {255} and set(grey.crop((SCENE.width//2, 0, *SCENE.size)).tobytes()) == {255}
    assert far(made.crop((0, 0, 40, 64)), SCENE.crop((0, 0, 40, 64))) < 40 and 'transparency' not in made.info


def test_a_colour_named_transparent_is_white_as_well():
    "PNG can say: whatever has this colour is transparent."
    data = encoded('PNG', Image.new('RGB', (4, 3), (10, 20, 30)), transparency=(10, 20, 30))
    assert PILImage.create(data).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize('kind', [k for k in KINDS if k in ('mpo', 'apng', 'moving gif', 'moving webp')])
def test_of_an_animation_the_first_frame_is_taken(kind): assert far(PILImage.create(KINDS[kind]()), SCENE) < 12


# ---- orientation ----

@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'TIFF', *(['WEBP'] if features.check('webp') else [])])
@pytest.mark.parametrize('number, turn', TURNS.items())
def test_pictures_stand_upright_however_the_camera_was_held(kind, number, turn, route):
    note = Image.Exif()
    note[0x0112] = number
    lying = SCENE if turn is None else SCENE.transpose(Image.Transpose(turn))
    data = encoded(kind, lying, exif=note, **({'quality': 95} if kind in ('JPEG', 'WEBP') else {}))
    for made in (PILImage.create(data), PILImage.create(Image.open(io.BytesIO(data))), PILImageBW.create(data)):
        assert made.size == SCENE.size and made.info == {} and far(made, SCENE.convert(made.mode)) < 6
    assert PILImage.create(PILImage.create(data)).tobytes() == PILImage.create(data).tobytes(), 'turned once, and not again'


def test_a_damaged_note_does_not_lose_the_picture(route):
    for junk in (b'Exif\0\0II*\0' + b'\xff'*40, b'Exif\0\0', b'Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x63\0\0\0\0\0\0'):
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            assert far(PILImage.create(encoded('JPEG', exif=junk, quality=95)), SCENE) < 6


def test_a_note_that_cannot_be_read_counts_as_none(monkeypatch):
    def broken(self): raise struct.error('unpack requires 4 bytes')
    data = encoded('PNG')
    monkeypatch.setattr(Image.Image, 'getexif', broken)
    assert PILImage.create(data).tobytes() == SCENE.tobytes()


# ---- the quick route ----

@needs_opencv
@pytest.mark.parametrize('how', [{}, {'progressive': True}, {'quality': 30}, {'subsampling': 0}, {'subsampling': 1}, {'restart_marker_rows': 1}], ids=str)
@pytest.mark.parametrize('mode', ['RGB', 'L'])
def test_opencv_gives_the_pixels_that_pillow_gives(how, mode, monkeypatch):
    data = encoded('JPEG', SCENE.convert(mode), **how)
    quick = PILImage.create(data), PILImageBW.create(data)
    monkeypatch.setenv('DLCOURSE_FAST', '0')
    for a, b in zip(quick, (PILImage.create(data), PILImageBW.create(data))):
        off = np.abs(np.asarray(a, int) - np.asarray(b, int))
        assert a.size == b.size and off.max() <= 4 and off.mean() < .2


@needs_opencv
def test_older_versions_of_opencv_give_the_same_colours(monkeypatch):
    "They know blue, green, red only."
    made = PILImage.create(KINDS['jpeg']()).tobytes()
    monkeypatch.delattr(cv2_or_none(), 'IMREAD_COLOR_RGB', raising=False)
    assert PILImage.create(KINDS['jpeg']()).tobytes() == made


@needs_opencv
def test_the_quick_route_is_taken_and_can_be_left(monkeypatch):
    cv2, calls = cv2_or_none(), []
    monkeypatch.setattr(cv2, 'imdecode', lambda *args, real=cv2.imdecode: calls.append(1) or real(*args))
    PILImage.create(KINDS['jpeg']())
    assert len(calls) == 1
    for kind in ('cmyk jpeg', 'png', 'gif', 'mpo'): PILImage.create(KINDS[kind]())
    monkeypatch.setenv('DLCOURSE_FAST', '0')
    PILImage.create(KINDS['jpeg']())
    assert len(calls) == 1


# ---- damage ----

@each_kind
def test_a_file_cut_anywhere_is_refused_or_whole(kind, route):
    "Never a crash, and never silent grey: what is read has every pixel of the whole file."
    data, rng = KINDS[kind](), random.Random(kind)
    whole, refused = PILImage.create(data).tobytes(), 0
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # Pillow's own words about damaged files
        for n in {rng.randrange(len(data)) for _ in range(60)} | {len(data) - k for k in range(1, 8)}:
            try: made = PILImage.create(data[:n])
            except UnreadableImage as e: refused += 'Fetch it again, or remove it' in str(e)
            else: assert made.tobytes() == whole, f'cut at {n} of {len(data)}'
    assert refused >= 10


@pytest.mark.parametrize('kind', ['jpeg', 'progressive', 'grey jpeg', 'png', 'palette png', 'gif'])
def test_a_download_that_was_padded_with_zeros_is_refused(kind, route):
    data, rng = KINDS[kind](), random.Random(1)
    for n in {rng.randrange(len(data)//3, len(data) - 60) for _ in range(20)}:
        with pytest.raises(UnreadableImage): PILImage.create(data[:n] + bytes(len(data) - n))


@each_kind
def test_flipped_bytes_raise_nothing_but_unreadable(kind, route, monkeypatch):
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 1_000_000)
    data, rng = KINDS[kind](), random.Random(kind)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for _ in range(60):
            spoilt = bytearray(data)
            for _ in range(rng.randrange(1, 6)): spoilt[rng.randrange(min(len(spoilt), rng.choice([40, 400, 10**6])))] = rng.randrange(256)
            try: assert PILImage.create(bytes(spoilt)).mode == 'RGB'
            except UnreadableImage: pass


def test_junk_is_refused():
    rng = random.Random(0)
    for n in (1, 2, 10, 100, 5000):
        with pytest.raises(UnreadableImage): PILImage.create(rng.randbytes(n))


@pytest.mark.parametrize('data, says', [
    (b'', 'it is empty'), (b'<!DOCTYPE html><html>', 'web page'), (b'PK\x03\x04' + bytes(30), 'ZIP'), (b'%PDF-1.7', 'PDF'), (bytes(2000), 'nothing but zeros'),
    (b'\0\0\0\x18ftypheic\0\0', 'HEIC'), (b'version https://git-lfs.github.com/spec/v1', 'Git LFS'), (b'<svg xmlns="x"/>', 'SVG'), (b'{"error": "not found"}', 'text')])
def test_what_is_no_picture_is_named(data, says):
    with pytest.raises(UnreadableImage, match=says): PILImage.create(data)


def test_nothing_is_handed_to_an_outside_program():
    "Pillow reads EPS by starting Ghostscript. A file called cat.jpg must not do that."
    with pytest.raises(UnreadableImage, match='no picture begins like this'): PILImage.create(encoded('EPS'))


# ---- bombs ----

def png_header(w, h):
    "A PNG file that promises w x h pixels and holds none."
    def chunk(kind, data): return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', w, h, 8, 2, 0, 0, 0)) + chunk(b'IDAT', zlib.compress(bytes(99))) + chunk(b'IEND', b'')


@pytest.mark.filterwarnings('ignore::PIL.Image.DecompressionBombWarning')
@pytest.mark.parametrize('w, h', [(10_000, 10_000), (60_000, 60_000), (2_000_000_000, 2)])
def test_bombs_are_refused_before_they_are_decoded(w, h, monkeypatch):
    monkeypatch.setattr('dlcourse.vision.images._decoded', lambda *args: pytest.fail('decoded'))
    with pytest.raises(UnreadableImage, match=rf'promises {w*h:,} pixels'): PILImage.create(png_header(w, h))


def test_the_limit_is_the_readers(monkeypatch):
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 96*64 - 1)
    with warnings.catch_warnings(), pytest.raises(UnreadableImage, match='6,144 pixels'):
        warnings.simplefilter('ignore')
        PILImage.create(KINDS['png']())
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', None)
    assert PILImage.create(KINDS['png']()).size == (96, 64)


# ---- what create takes ----

def test_every_source_gives_the_same_picture(tmp_path, route):
    data = KINDS['jpeg']()
    (tmp_path/'a b ü.JPG').write_bytes(data)
    at_its_end = io.BytesIO(data)
    at_its_end.read()
    upload = {'name': 'a.jpg', 'type': 'image/jpeg', 'size': len(data), 'content': memoryview(data)}
    with open(tmp_path/'a b ü.JPG', 'rb') as file:
        sources = [tmp_path/'a b ü.JPG', str(tmp_path/'a b ü.JPG'), data, bytearray(data), memoryview(data), at_its_end, file, upload, Image.open(io.BytesIO(data))]
        made = [PILImage.create(source) for source in sources]
    assert len({im.tobytes() for im in made}) == 1
    array = np.asarray(made[0])
    more = [array, torch.tensor(array).permute(2, 0, 1), torch.tensor(array).permute(2, 0, 1)/255, array.astype(np.int64), array/255]
    assert {PILImage.create(x).tobytes() for x in more} == {made[0].tobytes()}


def test_an_upload_widget_gives_pictures():
    from dlcourse.core.names import widgets
    uploader, data = widgets.FileUpload(), KINDS['png']()
    uploader.value = ({'name': 'x.png', 'type': 'image/png', 'size': len(data), 'content': memoryview(data), 'last_modified': datetime(2026, 1, 1)},)
    assert PILImage.create(uploader.data[0]).tobytes() == PILImage.create(uploader.value[0]).tobytes() == SCENE.tobytes()


def test_a_picture_is_a_new_one():
    source = SCENE.copy()
    PILImage.create(source).putpixel((0, 0), (1, 2, 3))
    assert source.tobytes() == SCENE.tobytes()


def test_a_lazy_picture_that_is_damaged_is_refused_by_name(tmp_path):
    (tmp_path/'half.jpg').write_bytes(KINDS['jpeg']()[:2000])
    with Image.open(tmp_path/'half.jpg') as lazy, pytest.raises(UnreadableImage, match='half.jpg: it ends too early'): PILImage.create(lazy)


@pytest.mark.parametrize('x, error, says', [
    (3, TypeError, 'got int'), (None, TypeError, 'got NoneType'), ('http://example.com/a.jpg', ValueError, 'is an address'), (io.StringIO('x'), TypeError, "'rb'"),
    (torch.zeros(5, 4, 6), UnreadableImage, r'shape \(5, 4, 6\)'), (np.zeros((0, 4, 3)), UnreadableImage, 'no pixels'), (torch.full((3, 2, 2), torch.nan), UnreadableImage, 'nobody can tell')])
def test_what_is_no_source_is_refused(x, error, says):
    with pytest.raises(error, match=says): PILImage.create(x)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError): PILImage.create(tmp_path/'none.jpg')
    with pytest.raises(OSError): PILImage.create(tmp_path)


def test_the_error_travels_between_processes():
    "Workers of a loader send it over."
    try: PILImage.create(b'')
    except UnreadableImage as e: assert str(pickle.loads(pickle.dumps(e))) == str(e)


# ---- masks ----

@pytest.mark.parametrize('mode', ['L', 'P', '1', 'I;16', 'RGB', 'LA', 'RGBA'])
def test_masks_keep_their_numbers(mode):
    classes = np.random.RandomState(0).randint(0, 2 if mode == '1' else 21, (5, 7)).astype(np.uint8)
    image = Image.fromarray(classes.astype(np.uint16)) if mode == 'I;16' else Image.fromarray(classes.astype(bool)) if mode == '1' else Image.fromarray(classes)
    if mode == 'P':
        image = Image.fromarray(classes).convert('P')
        image = Image.frombytes('P', (7, 5), classes.tobytes())
        image.putpalette(np.random.RandomState(1).randint(0, 256, 768).astype(np.uint8).tobytes())
    elif mode in ('RGB', 'LA', 'RGBA'): image = Image.fromarray(classes).convert(mode)
    made = PILMask.create(encoded('PNG', image))
    assert made.mode == 'L' and np.array_equal(np.asarray(made), classes)
    assert torch.equal(mask_to_tensor(made), torch.tensor(classes).long())


def test_masks_refuse_colours_and_turn_with_their_picture(route):
    with pytest.raises(UnreadableImage, match='colours'): PILMask.create(SCENE)
    with pytest.raises(UnreadableImage, match='whole ones'): PILMask.create(torch.zeros(4, 4))
    with pytest.raises(UnreadableImage, match='from 0 to 256'): PILMask.create(np.array([[0, 256]]))
    note = Image.Exif()
    note[0x0112] = 6
    classes = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert np.asarray(PILMask.create(encoded('PNG', Image.fromarray(classes), exif=note))).tolist() == np.rot90(classes, -1).tolist()


# ---- tensors ----

def test_tensors_hold_the_pixels(route):
    made = image_to_tensor(SCENE)
    assert made.dtype == torch.uint8 and made.is_contiguous() and torch.equal(made, torch.tensor(np.asarray(SCENE)).permute(2, 0, 1))
    with torch.device('meta'): assert torch.equal(image_to_tensor(SCENE), made), 'whatever the default device is'
    assert torch.equal(image_to_tensor(SCENE.convert('L')), torch.tensor(np.asarray(SCENE.convert('L')))[None])
    one = SCENE.crop((0, 0, 1, 1))
    assert image_to_tensor(one).shape == (3, 1, 1) and image_to_tensor(one).flatten().tolist() == list(one.getpixel((0, 0)))
    with pytest.raises(ValueError, match='PILImage.create'): image_to_tensor(SCENE.convert('RGBA'))


# ---- folders ----

def folder(root, *names):
    for name in names:
        (root/name).parent.mkdir(parents=True, exist_ok=True)
        (root/name).touch()
    return root


def names(found, root): return [file.relative_to(root).as_posix() for file in found]


def test_pictures_are_found_under_odd_names(tmp_path):
    odd = ['Über den Wolken.JPG', 'a b.jpeg', 'x.jpg/inside.png', 'no ending', 'cat.jpg.part', '.hidden.jpg', '.cache/a.jpg', '._cat.jpg', 'двор/猫.WebP', 'notes.txt', 'z.TIFF']
    root = folder(tmp_path/'my pictures', *odd)
    assert names(get_image_files(root), root) == ['a b.jpeg', 'x.jpg/inside.png', 'z.TIFF', 'Über den Wolken.JPG', 'двор/猫.WebP']
    assert names(get_image_files(str(root), recurse=False), root) == ['a b.jpeg', 'z.TIFF', 'Über den Wolken.JPG']
    assert get_image_files(root) == sorted(get_image_files(root), key=lambda file: file.parts) and {'.jpg', '.png'} < image_extensions


def test_folders_narrow_the_search(tmp_path):
    root = folder(tmp_path, 'train/a/1.jpg', 'valid/a/2.jpg', 'test/3.jpg', '0.jpg', 'train/valid/4.jpg')
    assert names(get_image_files(root, folders=['train', 'test']), root) == ['test/3.jpg', 'train/a/1.jpg', 'train/valid/4.jpg']
    assert names(get_image_files(root, folders=['.', 'test']), root) == ['0.jpg', 'test/3.jpg']
    assert names(get_files(root, extensions=['.JPG'], folders=['valid']), root) == ['valid/a/2.jpg']


@needs_links
def test_links_are_followed_once_and_never_in_circles(tmp_path):
    root, outside = folder(tmp_path/'root', 'b/1.jpg'), folder(tmp_path/'outside', '2.jpg', 'deep/3.jpg')
    for link, to in {root/'a': root/'b', root/'b'/'up': root, root/'far': outside, root/'far again': outside, outside/'back': root, outside/'self': outside}.items():
        link.symlink_to(to, target_is_directory=True)
    (root/'linked.jpg').symlink_to(root/'b'/'1.jpg')
    (root/'broken.jpg').symlink_to(root/'nothing.jpg')
    assert names(get_image_files(root), root) == ['b/1.jpg', 'broken.jpg', 'far/2.jpg', 'far/deep/3.jpg', 'linked.jpg']
    (tmp_path/'door').symlink_to(root, target_is_directory=True)
    assert len(get_image_files(tmp_path/'door')) == 5
    assert list(image_problems([root/'broken.jpg'])) == [root/'broken.jpg']


def test_a_wrong_path_says_what_there_is(tmp_path):
    folder(tmp_path, 'flowers/a.jpg', 'pets/b.jpg')
    with pytest.raises(FileNotFoundError, match='holds: flowers, pets'): get_image_files(tmp_path/'flower')
    with pytest.raises(NotADirectoryError, match='a.jpg is a file'): get_image_files(tmp_path/'flowers'/'a.jpg')
    assert get_image_files(folder(tmp_path/'empty', 'x.txt')) == []


# ---- verify ----

def test_the_broken_ones_are_named_in_order_and_can_be_removed(tmp_path):
    for i in range(40): (tmp_path/f'{i:02}.jpg').write_bytes(KINDS['jpeg']()[:None if i % 4 else 900 + 10*i])
    (tmp_path/'40.jpg').mkdir()
    folder(tmp_path, '41.png')
    failed = verify_images(map(str, get_image_files(tmp_path)))
    assert [file.name for file in failed] == [f'{i:02}.jpg' for i in range(0, 40, 4)] + ['41.png']
    assert image_problem(failed[0]).startswith('it ends too early') and not verify_image(failed[0]) and verify_image(tmp_path/'01.jpg')
    failed.map(type(failed[0]).unlink)
    assert verify_images(get_image_files(tmp_path)) == [] and len(get_image_files(tmp_path)) == 30


def test_what_cannot_be_opened_is_a_problem_too(tmp_path):
    assert list(image_problems([tmp_path/'gone.jpg', tmp_path])) == [tmp_path/'gone.jpg', tmp_path]
