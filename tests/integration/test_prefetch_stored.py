"""Exports into storages. P12 and P13 are acceptance tests of prefetching. SPDX-License-Identifier: MIT"""

import time

from exporting import A, B, OBJECTS, STUDY, TEMPLATES, ini, server  # noqa: F401  (a fixture)
from prefetch_driver import export, finish, start
from program import files_below
from wado_server import Object, body

STORED = '[storage s]\ntype = tree\npath = kept\nmin_free = 0\n'


def test_bodies_are_stored(server, tmp_path):
    """What the server sent, bit for bit, each under a name of its own."""
    text = ini(server, TEMPLATES['frame'], f'url.1 = {server.url}{TEMPLATES["frame"]}&rows=64',
               'storage = s', more=STORED)
    done = export(tmp_path, text, 'e', STUDY)
    assert (done.outcome, done.succeeded) == ('COMPLETED', 10)
    kept = sorted((tmp_path / 'kept').rglob('*.jpg'))
    wanted = [body(o.uid, n, rows) for o in OBJECTS if o.study == STUDY
              for n in range(1, (o.frames or 1) + 1) for rows in ('full', 64)]
    assert sorted(path.read_bytes() for path in kept) == sorted(wanted)
    assert done.bytes == sum(map(len, wanted))
    assert (tmp_path / 'kept' / STUDY / A / '1.2.3.1.2.frame3.wado-1.jpg').read_bytes() == \
        body('1.2.3.1.2', 3, 64)
    # Once more, changed: it takes the place of what was there.
    server.state.version = 2
    export(tmp_path, text, 'e', STUDY)
    again = sorted((tmp_path / 'kept').rglob('*.jpg'))
    assert again == kept
    assert (tmp_path / 'kept' / STUDY / B / '1.2.3.2.1.frame1.wado.jpg').read_bytes() == \
        body('1.2.3.2.1', 1, 'full', 2)


def test_storage_that_takes_nothing(server, tmp_path):
    """A root that cannot be written: nothing is requested, and the words are the storage's."""
    (tmp_path / 'kept').write_text('no folder')
    done = export(tmp_path, ini(server, TEMPLATES['frame'], 'storage = s', more=STORED), 'e', STUDY)
    assert (done.outcome, done.requested) == ('FAILED', 0) and server.asked() == []
    assert 'kept' in done.message


def test_disk_full(server, tmp_path):
    """No room left: it ends at once, and nothing is half there."""
    text = ini(server, TEMPLATES['frame'], 'storage = s',
               more=STORED.replace('min_free = 0', 'min_free = 1000000TiB'))
    done = export(tmp_path, text, 'e', STUDY)
    assert done.outcome == 'FAILED' and done.unfinished, done.message
    assert files_below(tmp_path / 'kept') == []


TEMPLATE = """
[storage {name}]
type = template
path = {name}
path_format = {format}
min_free = 0
check_mount_file = NO_MOUNT
"""
FORMAT = '{0020000D}/{0020000E}/{00080018}/{00081160}.jpeg'


def test_p12_paths_of_dcm4chee(server, tmp_path):
    """Full images and thumbnails lie where the path formats say, metadata beside them."""
    text = ini(server, TEMPLATES['frame'], f'url.1 = {server.url}{TEMPLATES["frame"]}&rows=64',
               f'url.2 = {server.url}/rs/studies/[0]/metadata', 'accept.2 = application/json',
               'storage = full', 'storage.1 = small', 'storage.2 = meta',
               more=TEMPLATE.format(name='full', format=FORMAT) +
               TEMPLATE.format(name='small', format='{00080018,hash}-{00081160,number,000}.jpeg') +
               TEMPLATE.format(name='meta', format='{0020000D}.json'))
    done = export(tmp_path, text, 'e', STUDY)
    assert (done.outcome, done.succeeded) == ('COMPLETED', 11), done.message
    full = {f'{o.study}/{o.series}/{o.uid}/{n}.jpeg': body(o.uid, n, 'full')
            for o in OBJECTS if o.study == STUDY for n in range(1, (o.frames or 1) + 1)}
    assert {str(path): (tmp_path / 'full' / path).read_bytes()
            for path in files_below(tmp_path / 'full')} == full
    assert len(files_below(tmp_path / 'small')) == 5
    assert [str(path) for path in files_below(tmp_path / 'meta')] == [f'{STUDY}.json']
    # Changed, and once more: each takes its own place.
    server.state.version = 2
    export(tmp_path, text, 'e', STUDY)
    assert len(files_below(tmp_path / 'full')) == 5 and len(files_below(tmp_path / 'small')) == 5
    path = tmp_path / 'full' / STUDY / A / '1.2.3.1.2' / '2.jpeg'
    assert path.read_bytes() == body('1.2.3.1.2', 2, 'full', 2)


def test_p13_mount_is_gone(server, tmp_path):
    """The file that marks an empty mount point is there: nothing is requested or written."""
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full/NO_MOUNT').write_text('')
    text = ini(server, TEMPLATES['frame'], 'storage = full',
               more=TEMPLATE.format(name='full', format=FORMAT))
    done = export(tmp_path, text, 'e', STUDY)
    assert (done.outcome, done.requested, done.unfinished) == ('FAILED', 0, True)
    assert 'NO_MOUNT' in done.message and server.asked() == []
    assert sorted(path.name for path in (tmp_path / 'full').rglob('*')) == ['NO_MOUNT']
    (tmp_path / 'full/NO_MOUNT').unlink()
    assert export(tmp_path, text, 'e', STUDY).outcome == 'COMPLETED'


def test_p13_mount_goes_in_mid_task(server, tmp_path):
    """It fails with the storage's words, and a run later does it all."""
    server.state.objects = [Object(STUDY, A, f'1.2.3.1.{n}') for n in range(1, 100)]
    text = ini(server, TEMPLATES['frame'], 'storage = full', 'parallel_requests = 2',
               more=TEMPLATE.format(name='full', format=FORMAT))
    server.state.gate.clear()
    process = start(tmp_path, text, 'e', STUDY)
    end = time.monotonic() + 60
    while not server.asked() and time.monotonic() < end:
        time.sleep(0.02)
    (tmp_path / 'full/NO_MOUNT').write_text('')
    server.state.gate.set()
    done = finish(process)
    assert (done.outcome, done.unfinished) == ('FAILED', True)
    assert 'NO_MOUNT' in done.message and len(server.asked()) < 20
    (tmp_path / 'full/NO_MOUNT').unlink()
    again = export(tmp_path, text, 'e', STUDY)
    assert (again.outcome, len(files_below(tmp_path / 'full'))) == ('COMPLETED', 99)
