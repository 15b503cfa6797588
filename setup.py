"Package metadata, read from settings.ini. Tool settings are in pyproject.toml, the version in dlcourse/__init__.py."
import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
STATUSES = ['1 - Planning', '2 - Pre-Alpha', '3 - Alpha', '4 - Beta', '5 - Production/Stable']


def settings():
    "The [DEFAULT] section of settings.ini."
    parser = ConfigParser(delimiters=['='])
    parser.read(ROOT/'settings.ini', encoding='utf-8')
    return parser['DEFAULT']


def lines(text):
    "The non-empty lines of a multi-line setting."
    return [line.strip() for line in text.splitlines() if line.strip()]


def version():
    "The version, read without importing the package."
    text = (ROOT/'dlcourse'/'__init__.py').read_text(encoding='utf-8')
    return re.search(r"^__version__ = ['\"](.+)['\"]$", text, re.M)[1]


def extras(cfg):
    "One extra for each `*_requirements` setting; `dev` has them all."
    found = {key.removesuffix('_requirements'): lines(value) for key, value in cfg.items() if key.endswith('_requirements')}
    found['dev'] = sorted({req for reqs in found.values() for req in reqs})
    return found


def classifiers(cfg):
    "Trove classifiers from the status, audience and Python settings."
    return [f'Development Status :: {STATUSES[int(cfg["status"]) - 1]}', f'Intended Audience :: {cfg["audience"]}',
            f'Natural Language :: {cfg["language"]}', 'Programming Language :: Python :: 3',
            'Topic :: Scientific/Engineering :: Artificial Intelligence', 'Framework :: Jupyter']


cfg = settings()
setup(
    name=cfg['lib_name'],
    version=version(),
    description=cfg['description'],
    long_description=(ROOT/'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    author=cfg['author'],
    author_email=cfg['author_email'],
    license_expression=cfg['license'],
    keywords=cfg['keywords'].split(),
    classifiers=classifiers(cfg),
    python_requires=f'>={cfg["min_python"]}',
    install_requires=lines(cfg['requirements']),
    extras_require=extras(cfg),
    # The lesson notebooks travel in the wheel as the data of `dlcourse.notebooks`.
    packages=[*find_packages(include=['dlcourse', 'dlcourse.*']), 'dlcourse.notebooks'],
    package_dir={'dlcourse.notebooks': 'nbs'},
    package_data={'dlcourse': ['py.typed', '**/static/*', '**/static/**/*', '**/definitions/*.toml'],
                  'dlcourse.notebooks': ['[0-9]_*/*.ipynb', '*.ipynb', '*.yml', '*.css']},
    entry_points={'console_scripts': lines(cfg['console_scripts']), 'nbdev': [f'{cfg["lib_name"]}={cfg["lib_name"]}._modidx:d']},
    zip_safe=False,
)
