"Exercises of the lesson images: what to write, what it is held against, what is refused."
import io

import numpy as np
import torch
from PIL import Image, ImageOps

from ..contract import Case, Exercise, Wrong


def numbered(g, *shape): return torch.randint(256, shape, dtype=torch.uint8, generator=g)

def picture(g, w, h, mode='RGB'):
    "Random pixels of a mode."
    made = Image.fromarray(numbered(g, h, w, 3).numpy())
    return made.quantize(6) if mode == 'P' else made.convert(mode)

# to_array: height before width, bytes, three channels

def to_array(image):
    "The pixels of a PIL image as a NumPy array of bytes, (h, w, 3)."
    return np.array(image.convert('RGB'))

def array_by_bytes(image):
    w, h = image.size
    return np.frombuffer(image.convert('RGB').tobytes(), np.uint8).reshape(h, w, 3)

def array_by_pixel(image):
    rgb = image.convert('RGB')
    rows = [[rgb.getpixel((x, y)) for x in range(rgb.width)] for y in range(rgb.height)]
    return np.array(rows, dtype=np.uint8)

def numbers_of(f, image):
    "What an array holds, as a tensor, which the judge can compare."
    a = f(image)
    return torch.from_numpy(a.copy()) if isinstance(a, np.ndarray) else [type(a).__name__]

def array_cases(g):
    by_hand = Image.new('RGB', (3, 1), (1, 2, 3))
    by_hand.putpixel((2, 0), (200, 100, 50))
    return [Case((by_hand,), 'a picture 3 wide and 1 high'), Case((picture(g, 5, 3),), '5 wide and 3 high'), Case((picture(g, 4, 2, 'L'),), 'a grey picture, 4 wide and 2 high'),
            Case((picture(g, 2, 6, 'P'),), 'a picture with a palette, 2 wide and 6 high')]

TO_ARRAY = Exercise(
    name='to_array', task='The pixels of a PIL image as a NumPy array of bytes, (h, w, 3), whatever mode the image has.',
    reference=to_array, alternative=array_by_bytes, spec=array_by_pixel, cases=array_cases, observe=numbers_of,
    hints=('First the mode, then the numbers. What gives you the picture in RGB?', "image.convert('RGB') has three channels for each pixel. NumPy makes an array of it in one call.", "np.array(image.convert('RGB'))."),
    wrong=(Wrong(lambda image: to_array(image).transpose(1, 0, 2), 'shape', 'Width first. An array names its rows first: (h, w, 3), although size says (w, h).'),
           Wrong(lambda image: to_array(image).transpose(2, 0, 1), 'shape', 'Channels first. That comes later; Pillow and NumPy keep the three numbers of a pixel together.'),
           Wrong(np.array, 'shape', 'A grey picture or one with a palette has one number for each pixel. Convert to RGB first.'),
           Wrong(lambda image: to_array(image).tolist(), 'shape', 'Lists. An array is asked for.'),
           Wrong(lambda image: to_array(image).astype(np.float32), 'dtype', 'Floats take four times the room. Pixels stay bytes until the very end.'),
           Wrong(lambda image: to_array(image).astype(np.int64), 'dtype', 'Whole numbers of eight bytes each, for what fits into one.'),
           Wrong(lambda image: to_array(image)[..., ::-1], 'value', 'Blue, green, red: that is how OpenCV keeps them. Pillow and models say red, green, blue.'),
           Wrong(lambda image: to_array(image)[::-1], 'value', 'Upside down: row 0 is the topmost.'),
           Wrong(lambda image: to_array(image).transpose(1, 0, 2).reshape(image.height, image.width, 3), 'value', 'The shape is right, the pixels are not: reshape does not swap axes, it goes on counting.')))

# brightened: bytes wrap round

def lighter(pixels, by):
    "Pixels (bytes) with `by` added to each, as bytes; what leaves the range 0 to 255 stays at its end."
    return pixels + by

def brightened(pixels, by):
    "Pixels (bytes) with `by` added to each, as bytes; what leaves the range 0 to 255 stays at its end."
    return (pixels.int() + by).clamp(0, 255).to(torch.uint8)

def brightened_by_where(pixels, by):
    total = pixels.float() + by
    return torch.where(total > 255, 255., torch.where(total < 0, 0., total)).byte()

def brightened_one_by_one(pixels, by):
    flat = [min(255, max(0, value + by)) for value in pixels.flatten().tolist()]
    return torch.tensor(flat, dtype=torch.uint8).view(pixels.shape)

def brightened_cases(g):
    by_hand = torch.tensor([[[0, 100, 200], [250, 255, 165]]], dtype=torch.uint8)
    return [Case((by_hand, 90), 'two pixels, 90 added'), Case((by_hand, -120), 'the same two, 120 taken away'), Case((numbered(g, 3, 4, 3), 60), '3 by 4 pixels, 60 added'), Case((numbered(g, 2, 3, 1), -30), 'a grey picture, 30 taken away')]

def brightened_in_place(pixels, by):
    made = brightened(pixels, by)
    return pixels.copy_(made)

BRIGHTENED = Exercise(
    name='brightened', task='Mend lighter: add `by` to each byte, as bytes; what would leave the range 0 to 255 stays at its end, upwards and downwards. What came in stays as it was.',
    reference=brightened, alternative=brightened_by_where, spec=brightened_one_by_one, cases=brightened_cases, bug=lighter,
    hints=('Where is the sum still too large for a byte, and where is it cut? Both must happen before bytes come back.', 'pixels.int() has room for 345. clamp(0, 255) cuts both ends.', '(pixels.int() + by).clamp(0, 255).to(torch.uint8).'),
    wrong=(Wrong(lambda pixels, by: (pixels + by).clamp(0, 255), 'value', 'The sum has gone round in its byte, and 44 is within the range: cut while there is room, and turn to bytes last.'),
           Wrong(lambda pixels, by: (pixels.int() + by).clamp(max=255).to(torch.uint8), 'value', 'The upper end holds. Below 0 bytes go round as well: -20 becomes 236.'),
           Wrong(lambda pixels, by: (pixels.float()*(1 + by/255)).clamp(0, 255).to(torch.uint8), 'value', 'Multiplied: black stays black. The task is to add.'),
           Wrong(lambda pixels, by: (pixels.int() + by).clamp(0, 255), 'dtype', 'Right numbers, and no longer bytes: this picture takes four times the room.'),
           Wrong(lambda pixels, by: (pixels.float() + by).clamp(0, 255), 'dtype', 'Floats came out, where bytes went in.'),
           Wrong(lambda pixels, by: brightened(pixels, by).flatten(), 'shape', 'The pixels are in one row. A picture keeps its shape.'),
           Wrong(brightened_one_by_one, 'device', 'Made anew from Python numbers, the picture lands on the default device, wherever it was.'),
           Wrong(brightened_in_place, 'inputs', 'The picture that came in is lighter now, too.')))

# to_chw: permute, not reshape

def to_chw(pixels):
    "Pixels (h, w, c) with the channels first: (c, h, w), each number still at its row and column."
    return pixels.permute(2, 0, 1)

def chw_by_stacking(pixels): return torch.stack(pixels.unbind(-1))

def chw_one_by_one(pixels):
    h, w, c = pixels.shape
    out = pixels.new_zeros(c, h, w)
    for y in range(h):
        for x in range(w):
            for channel in range(c): out[channel, y, x] = pixels[y, x, channel]
    return out

def chw_cases(g):
    by_hand = torch.tensor([[[1, 10, 100], [2, 20, 200]]], dtype=torch.uint8)
    return [Case((by_hand,), 'two pixels side by side'), Case((numbered(g, 2, 4, 3),), '2 rows of 4 pixels'), Case((numbered(g, 3, 5, 3),), '3 rows of 5 pixels'),
            Case((numbered(g, 3, 2, 7),), 'seven channels, as from a satellite'), Case((torch.rand(4, 2, 1, generator=g),), 'a grey picture of floats')]

TO_CHW = Exercise(
    name='to_chw', task='Pixels (h, w, c) with the channels first, (c, h, w); each number keeps its row, column and channel. Any number of channels, any dtype.',
    reference=to_chw, alternative=chw_by_stacking, spec=chw_one_by_one, cases=chw_cases,
    hints=('The numbers stay; the axes get other places. Which method does that?', 'permute takes the old axes in their new order. Which old axis is to come first?', 'pixels.permute(2, 0, 1).'),
    wrong=(Wrong(lambda pixels: pixels.reshape(pixels.shape[2], *pixels.shape[:2]), 'value', 'reshape goes on counting in the old order and cuts anew: the channels are mixed. Axes change places with permute.'),
           Wrong(lambda pixels: pixels.permute(2, 1, 0), 'shape', 'Height and width have changed places as well: (c, w, h). On a square picture that would go unnoticed.'),
           Wrong(lambda pixels: pixels.transpose(1, 2), 'shape', 'transpose swaps two axes, and here three have to move: (h, c, w) came out.'),
           Wrong(lambda pixels: pixels, 'shape', 'Still channels last.'),
           Wrong(lambda pixels: pixels.permute(2, 0, 1)[:3], 'shape', 'Three channels only. Others are lost.'),
           Wrong(lambda pixels: pixels.permute(2, 0, 1).flip(0), 'value', 'The channels came out in reverse: blue first.'),
           Wrong(lambda pixels: pixels.permute(2, 0, 1).float(), 'dtype', 'Bytes became floats. Only the axes were to move.')))

# upright: which way does rot90 turn?

def upright(pixels, orientation):
    "Pixels (h, w, c) turned as EXIF's number asks for: 1, 3, 6 or 8; a ValueError for others."
    turns = {1: 0, 3: 2, 6: -1, 8: 1}
    if orientation not in turns: raise ValueError(f'EXIF orientation {orientation}')
    return torch.rot90(pixels, turns[orientation], dims=(0, 1))

def upright_by_flips(pixels, orientation):
    if orientation == 1: return pixels
    if orientation == 3: return pixels.flip(0, 1)
    if orientation == 6: return pixels.flip(0).transpose(0, 1)
    if orientation == 8: return pixels.transpose(0, 1).flip(0)
    raise ValueError('not one of the four')

def upright_by_pillow(pixels, orientation):
    "By way of a file's note and Pillow, channel by channel."
    if orientation not in (1, 3, 6, 8): raise ValueError(orientation)
    note, turned = Image.Exif(), []
    note[0x0112] = orientation
    for channel in pixels.unbind(-1):
        image = Image.fromarray(channel.numpy())
        image.info['exif'] = note.tobytes()
        turned.append(torch.from_numpy(np.array(ImageOps.exif_transpose(image))))
    return torch.stack(turned, -1)

def upright_cases(g):
    by_hand = torch.tensor([[[1], [2], [3]], [[4], [5], [6]]], dtype=torch.uint8)
    return [Case((by_hand, n), f'2 rows of 3 grey pixels, number {n}') for n in (6, 1, 3, 8)] + [Case((numbered(g, 3, 5, 3), n), f'3 rows of 5 pixels in colour, number {n}') for n in (8, 6)]

def upright_refuses(g): return [Case((numbered(g, 2, 3, 3), n), f'number {n}') for n in (0, 9, 2)]

UPRIGHT = Exercise(
    name='upright', task="Pixels (h, w, c) as they should be seen by EXIF's number: 1 upright, 3 upside down, 6 turn it clockwise by 90 degrees, 8 the other way. A ValueError for any other number.",
    reference=upright, alternative=upright_by_flips, spec=upright_by_pillow, cases=upright_cases, refuses=upright_refuses,
    hints=('Two of the four are easy: 1 is nothing, 3 is two quarter turns. For 6, take a picture of 2 rows and 3 columns and turn the paper.', 'torch.rot90(pixels, k, dims=(0, 1)) makes k quarter turns against the clock. A negative k goes with it.',
           'turns = {1: 0, 3: 2, 6: -1, 8: 1}; raise a ValueError if the number is not in it, then torch.rot90(pixels, turns[orientation], dims=(0, 1)).'),
    wrong=(Wrong(lambda pixels, n: upright(pixels, {6: 8, 8: 6}.get(n, n)), 'value', '6 and 8 have changed places: rot90 turns against the clock, and 6 wants it clockwise.'),
           Wrong(lambda pixels, n: upright(pixels, n) if n != 3 else pixels.flip(0), 'value', 'A flip of the rows alone shows a mirrored picture: writing could not be read. Upside down is half a turn.'),
           Wrong(lambda pixels, n: upright(pixels, n) if n in (1, 3) else pixels.transpose(0, 1), 'value', 'Swapping rows and columns mirrors along the diagonal. A turn is a swap and a flip.'),
           Wrong(lambda pixels, n: upright(pixels, n) if n in (1, 3) else upright(pixels, n).reshape(pixels.shape), 'shape', 'A quarter turn makes a wide picture tall.'),
           Wrong(lambda pixels, n: pixels if n == 1 else torch.rot90(pixels, {3: 2, 6: -1, 8: 1}.get(n, 0), dims=(0, 2)), 'shape', 'Turned within rows and channels. The picture lies in the axes 0 and 1.'),
           Wrong(lambda pixels, n: upright(pixels, n).float(), 'dtype', 'Bytes became floats. They only had to move.'),
           Wrong(lambda pixels, n: torch.rot90(pixels, {3: 2, 6: -1, 8: 1}.get(n, 0), dims=(0, 1)), 'refusal', 'An unknown number leaves the picture as it is, and nobody hears of it. The contract asks for a ValueError.')))

# picture_names: endings in any case, no hidden files

def picture_names(names):
    "Those that end in .jpg, .jpeg or .png, in any case, and are not hidden; sorted."
    return sorted(name for name in names if name.lower().endswith(('.jpg', '.jpeg', '.png')) and not name.startswith('.'))

def names_by_path(names):
    from pathlib import PurePosixPath
    return sorted(name for name in names if PurePosixPath(name).suffix.lower() in {'.jpg', '.jpeg', '.png'} and name[0] != '.')

def names_one_by_one(names):
    kept = []
    for name in names:
        parts = name.split('.')
        if len(parts) > 1 and parts[0] and parts[-1].lower() in ('jpg', 'jpeg', 'png'): kept.append(name)
    return sorted(kept)

def names_cases(g):
    return [Case((['cat.jpg', 'Boat.JPG', 'notes.txt', '._cat.jpg', 'ant.jpeg'],), 'five names'), Case((['b.png', 'a.PNG', 'c.Jpeg'],), 'three endings'),
            Case((['jpg', 'my.jpg.zip', 'png.txt', 'a.b.png'],), 'names that are nearly pictures'), Case(([],), 'no names at all')]

NAMES = ('.jpg', '.jpeg', '.png')

def names_with_hidden(names): return sorted(name for name in names if name.lower().endswith(NAMES))

PICTURE_NAMES = Exercise(
    name='picture_names', task='Of a list of file names those that end in .jpg, .jpeg or .png, in capitals or not, and do not begin with a dot; sorted, as a list.',
    reference=picture_names, alternative=names_by_path, spec=names_one_by_one, cases=names_cases,
    hints=('Two questions for each name: how does it end, and how does it begin?', "endswith takes a tuple of endings. Which method makes 'Boat.JPG' end in '.jpg'?", "sorted(name for name in names if name.lower().endswith(('.jpg', '.jpeg', '.png')) and not name.startswith('.'))."),
    wrong=(Wrong(lambda names: sorted(n for n in names if n.endswith(NAMES) and not n.startswith('.')), 'shape', 'Capitals are lost: many cameras write .JPG.'),
           Wrong(names_with_hidden, 'shape', 'Hidden files came along. A Mac puts ._cat.jpg beside cat.jpg, and it is no picture.'),
           Wrong(lambda names: sorted(n for n in names if any(e[1:] in n.lower() for e in NAMES) and not n.startswith('.')), 'shape', "'jpg' somewhere in the name is not enough: my.jpg.zip is an archive."),
           Wrong(lambda names: sorted(n for n in names if n.lower().endswith(('.jpg', '.png')) and not n.startswith('.')), 'shape', 'The ending .jpeg is missing.'),
           Wrong(lambda names: [n for n in names if n in picture_names(names)], 'value', 'In the order in which they came. Folders list their files in another order on each system, so sort them.'),
           Wrong(lambda names: sorted(n.lower() for n in picture_names(names)), 'value', 'The names came back in small letters, and no file on Linux is called that.')))

# find_broken: opening is not reading

def find_broken(files):
    "The positions, from 0, of the files in the list whose pixels cannot all be decoded."
    broken = []
    for i, file in enumerate(files):
        try: Image.open(file).load()
        except (OSError, SyntaxError): broken.append(i)
    return broken

def is_whole(file):
    try: return bool(np.asarray(Image.open(file)).size)
    except Exception: return False

def broken_by_asking(files): return [i for i, file in enumerate(files) if not is_whole(file)]

def broken_one_by_one(files):
    found = []
    for i, file in enumerate(files):
        try: Image.open(file).convert('RGB').tobytes()
        except Exception: found.append(i)
    return found

def file_of(image, kind='JPEG', keep=1.):
    "An open file in memory that holds so much of the picture."
    image.save(written := io.BytesIO(), kind)
    data = written.getvalue()
    return io.BytesIO(data[:int(len(data)*keep)])

def broken_cases(g):
    a, b, c = (picture(g, 40, 30) for _ in range(3))
    text, empty = io.BytesIO(b'<html>not found</html>'), io.BytesIO()
    return [Case(([file_of(a), file_of(b, keep=.6), file_of(c, 'PNG'), file_of(c, 'PNG', .5)],), 'a whole JPEG, one cut off, a whole PNG, one cut off'),
            Case(([text, file_of(a), empty, file_of(b, 'PNG')],), 'a web page, a whole picture, an empty file, a whole picture'), Case(([file_of(a, keep=.7), file_of(b, 'GIF')],), 'one cut off, and a whole one')]

def opens(file):
    try: return bool(Image.open(file))
    except Exception: return False

def verifies(file):
    try: Image.open(file).verify()
    except Exception: return False
    return True

def broken_to_the_first(files): return find_broken(files)[:1]

FIND_BROKEN = Exercise(
    name='find_broken', task='Of a list of open files the positions, from 0, of those whose pixels cannot all be decoded: cut off, empty, or no picture at all. As a list, in order.',
    reference=find_broken, alternative=broken_by_asking, spec=broken_one_by_one, cases=broken_cases,
    hints=('Image.open reads the header only. What makes Pillow read the pixels?', 'Image.open(file).load() raises an OSError for a broken file. Catch it, note the position, go on with the next.',
           'for i, file in enumerate(files): try: Image.open(file).load(), except (OSError, SyntaxError): broken.append(i).'),
    wrong=(Wrong(lambda files: [i for i, file in enumerate(files) if not opens(file)], 'shape', 'Opening reads the header and no pixel, so files that were cut off pass. Load them.'),
           Wrong(lambda files: [i for i, file in enumerate(files) if not verifies(file)], 'shape', 'verify looks at checksums, which JPEG has none of. Only decoding finds a JPEG that was cut off.'),
           Wrong(broken_to_the_first, 'shape', 'It stops at the first broken file. All of them are asked for.'),
           Wrong(lambda files: [not is_whole(file) for file in files], 'shape', 'One answer for each file. The positions of the broken ones are asked for.'),
           Wrong(lambda files: [i for i, file in enumerate(files) if is_whole(file)], 'value', 'These are the files that are whole.'),
           Wrong(lambda files: [i + 1 for i in find_broken(files)], 'value', 'Counted from 1. Python counts positions from 0.'),
           Wrong(lambda files: [i for i, file in enumerate(files) if Image.open(file).load() is None], 'error', 'The first broken file ends the search with its error. Catch it, and go on.')))

EXERCISES = [TO_ARRAY, BRIGHTENED, TO_CHW, UPRIGHT, PICTURE_NAMES, FIND_BROKEN]
