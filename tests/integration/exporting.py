"""A study on a WADO-URI server, and exporters with a template for each level of it.
SPDX-License-Identifier: MIT"""

import pytest

from wado_server import MULTIFRAME, Object, WadoServer

STUDY, A, B = '1.2.3', '1.2.3.1', '1.2.3.2'
OBJECTS = [
    Object(STUDY, A, '1.2.3.1.1'),
    Object(STUDY, A, '1.2.3.1.2', MULTIFRAME, frames=3),
    Object(STUDY, B, '1.2.3.2.1'),
    Object('1.2.4', '1.2.4.1', '1.2.4.1.1'),
]
WADO = '/wado?requestType=WADO'
TEMPLATES = {
    'one': WADO + '&x=y',
    'study': WADO + '&studyUID=[0]',
    'series': WADO + '&studyUID=[0]&seriesUID=[1]',
    'instance': WADO + '&studyUID=[0]&seriesUID=[1]&objectUID=[2]',
    'frame': WADO + '&studyUID=[0]&seriesUID=[1]&objectUID=[2]&frameNumber=[3]',
}


@pytest.fixture
def server():
    with WadoServer(OBJECTS) as started:
        yield started


def ini(server, uri, *keys, more=''):
    lines = '\n'.join(keys)
    return (f'[searcher search]\ntype = qido-rs\nurl = {server.url}/rs\nmax_retries = 1\n'
            'retry_delay = 1ms\n'
            f'[exporter e]\nuri = wado:{server.url}{uri}\nsearcher = search\n{lines}\n{more}')


def fill(template, o, frame=None):
    text = template.replace('[0]', o.study).replace('[1]', o.series).replace('[2]', o.uid)
    return text.replace('[3]', str(frame))


def of_study(template, level):
    """The URLs of the whole study at a level of template."""
    objects = [o for o in OBJECTS if o.study == STUDY]
    if level == 'frame':
        return {fill(template, o, n) for o in objects for n in range(1, (o.frames or 1) + 1)}
    return {fill(template, o) for o in objects}
