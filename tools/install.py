"""Build .venv and install this checkout into it, once: `python tools/install.py lab`.

The stamp of a finished install is written last and keyed by everything the install depends on, so that a second call
returns at once and an interrupted one is never trusted. Standard library only: it runs before anything is installed.
"""
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT/'.venv'
LOCK = ROOT/'.cache'/'install.lock'     # one install at a time
LOG = ROOT/'.cache'/'install.log'       # everything pip said
UNFINISHED = VENV/'.unfinished'         # there while an install is under way
MADE_FOR = VENV/'.made-for'             # the Python, the place and the kind of torch that .venv was built for
CPU_ONLY = Path('constraints')/'cpu.txt'


def gpu_answers():
    "Whether an NVIDIA driver lists a card when asked."
    try: found = subprocess.run(['nvidia-smi', '-L'], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired): return False
    return found.returncode == 0 and 'GPU' in found.stdout


def made_for(gpu):
    "What a venv cannot outlive: another Python, another folder, another kind of torch."
    return f'{platform.python_implementation()} {platform.python_version()} | {"gpu" if gpu else "cpu"} | {ROOT}'


def fingerprint(target):
    "A hash of everything that decides what is installed."
    paths = [ROOT/name for name in ('settings.ini', 'setup.py', 'pyproject.toml')] + sorted((ROOT/'constraints').glob('*.txt'))
    digest = hashlib.sha256(target.encode())
    for path in paths: digest.update(path.name.encode() + b'\0' + path.read_bytes() + b'\0')
    return digest.hexdigest()


def read(path):
    "The text of a file, or nothing where there is none."
    return path.read_text(encoding='utf-8') if path.is_file() else ''


def stamp(extra): return VENV/f'.installed-{extra}'


def python():
    "The venv's interpreter."
    return VENV/('Scripts/python.exe' if os.name == 'nt' else 'bin/python')


def is_installed(extra, key):
    "Whether `extra`, or `dev` which holds every extra, is installed as `key` says."
    return not UNFINISHED.exists() and python().exists() and key in (read(stamp(extra)), read(stamp('dev')))


def why_rebuild(target):
    "Why the .venv that is there will not do; empty where it will."
    if not VENV.exists(): return 'there is none yet'
    if UNFINISHED.exists(): return 'the last install did not finish'
    if read(MADE_FOR) not in ('', target): return f'the old one was built for another machine ({read(MADE_FOR)})'
    works = python().exists() and subprocess.run([python(), '-m', 'pip', '--version'], capture_output=True).returncode == 0
    return '' if works else 'its Python does not start'


def build_venv():
    "An empty .venv that says, until the install is done, that it is unfinished."
    if VENV.exists(): shutil.rmtree(VENV)
    VENV.mkdir()
    UNFINISHED.touch()
    subprocess.run([sys.executable, '-m', 'venv', VENV], check=True)


def pip_install(extra, gpu):
    "Install the checkout, editable, with one moving line on a terminal and the whole story in the log."
    command = [str(python()), '-m', 'pip', 'install', '--disable-pip-version-check', '--progress-bar', 'off',
               '--config-settings', 'editable_mode=compat', '-e', f'.[{extra}]']  # compat: found even beside a clone named dlcourse
    if not gpu: command += ['-c', str(CPU_ONLY)]
    pip = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           encoding='utf-8', errors='replace')
    with LOG.open('w', encoding='utf-8') as log:
        for line in pip.stdout:
            log.write(line)
            if sys.stdout.isatty(): print('\r\033[K  ' + line.strip()[:76], end='', flush=True)
    if sys.stdout.isatty(): print('\r\033[K', end='')
    if pip.wait() != 0:
        raise SystemExit(''.join(LOG.read_text(encoding='utf-8').splitlines(keepends=True)[-12:]) +
                         f'\nThe install failed; the whole story is in {LOG.relative_to(ROOT)}. Nothing is lost: run the same command again.')


@contextmanager
def one_at_a_time():
    "Hold a lock that the system frees even if this process is killed (on Windows: no lock)."
    LOCK.parent.mkdir(exist_ok=True)
    with LOCK.open('w') as file:
        if os.name != 'nt':
            import fcntl
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def install(extra):
    "Bring .venv up to date for `extra`, doing nothing where it already is."
    gpu = gpu_answers()
    target = made_for(gpu)
    key = fingerprint(target)
    with one_at_a_time():
        if is_installed(extra, key): return
        if reason := why_rebuild(target):
            print(f'Building .venv with Python {platform.python_version()}: {reason}.', flush=True)
            build_venv()
        UNFINISHED.touch()
        print(f'Installing dlcourse[{extra}] with {"the ordinary torch" if gpu else "a torch for the CPU"}: '
              'one to five minutes the first time ...', flush=True)
        pip_install(extra, gpu)
        MADE_FOR.write_text(target, encoding='utf-8')
        UNFINISHED.unlink()
        stamp(extra).write_text(key, encoding='utf-8')


if __name__ == '__main__':
    if sys.prefix != sys.base_prefix:  # an activated venv: build ours with the Python below it
        raise SystemExit(subprocess.call([sys._base_executable, __file__, *sys.argv[1:]]))
    try: install(sys.argv[1])
    except KeyboardInterrupt: raise SystemExit('\nStopped. Run the same command again to go on.')
