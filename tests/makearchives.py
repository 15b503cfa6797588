"Archives for tests: honest ones, and the kinds that somebody who means harm would make."
import io
import stat
import tarfile
import zipfile

PAYLOAD = b'hello'


def entry(name, kind=tarfile.REGTYPE, link='', size=0):
    e = tarfile.TarInfo(name)
    e.type, e.linkname, e.size = kind, link, size
    return e


def make_tar(path, *entries, mode='w:gz'):
    "A tar of names (small files) and of `entry`s."
    with tarfile.open(path, mode) as tar:
        for e in entries:
            if isinstance(e, str): e = entry(e, size=len(PAYLOAD))
            tar.addfile(e, io.BytesIO(PAYLOAD.ljust(e.size, b'\0')) if e.size else None)
    return path


def make_zip(path, *entries):
    "A zip of names (small files) and of (name, kind, bytes)."
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as z:
        for e in entries:
            name, kind, data = (e, stat.S_IFREG, PAYLOAD) if isinstance(e, str) else e
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr, info.compress_type = 3, (kind | 0o644) << 16, zipfile.ZIP_DEFLATED
            z.writestr(info, data)
    return path


def many(n): return [f'set/{i % 7}/{i}.txt' for i in range(n)]
