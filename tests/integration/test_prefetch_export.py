"""Exports against a WADO-URI server that tells frames and sizes apart: what is requested, with which
header fields, and what counts as having come. P5 to P7 are acceptance tests of prefetching.
SPDX-License-Identifier: MIT"""

import time

import pytest

from exporting import (A, B, OBJECTS, STUDY, TEMPLATES, WADO, ini, of_study,
                       server)  # noqa: F401  (a fixture)
from prefetch_driver import export, finish, start
from program import files_below
from wado_server import CT, MULTIFRAME, SR, Object, WadoServer

SCOPES = {
    'Study': ((STUDY,), lambda url: True),
    'Series': ((STUDY, A), lambda url: B not in url),
    'Instance': ((STUDY, A, '1.2.3.1.2'), lambda url: B not in url and '1.2.3.1.1' not in url),
}


@pytest.mark.parametrize('level', TEMPLATES)
@pytest.mark.parametrize('entity', SCOPES)
def test_p5_urls(server, tmp_path, entity, level):
    """Each entity of a rule times each level of a template: the exact list of URLs."""
    scope, keep = SCOPES[entity]
    wanted = sorted(filter(keep, of_study(TEMPLATES[level], level)))
    text = ini(server, TEMPLATES[level])
    rehearsed = export(tmp_path, text, 'e', *scope, options=['-n'])
    assert sorted(rehearsed.urls) == [server.url + url for url in wanted]
    assert server.asked() == []
    done = export(tmp_path, text, 'e', *scope)
    assert server.asked() == wanted
    assert (done.outcome, done.status) == ('COMPLETED', 'ok') or done.outcome == 'COMPLETED'
    assert (done.requested, done.succeeded) == (len(wanted), len(wanted))
    assert f'{len(wanted)} of {len(wanted)} requests' in done.message


def test_p5_several_urls(server, tmp_path):
    text = ini(server, TEMPLATES['frame'], f'url.1 = wado:{server.url}{TEMPLATES["frame"]}&rows=64',
               f'url.2 = {server.url}{TEMPLATES["study"]}')
    export(tmp_path, text, 'e', STUDY)
    frames = of_study(TEMPLATES['frame'], 'frame')
    assert server.asked() == sorted(frames | {url + '&rows=64' for url in frames} |
                                    of_study(TEMPLATES['study'], 'study'))
    assert server.twice == []


def test_p5_other_bytes_stay(server, tmp_path):
    """What is no placeholder goes out as it stands: escapes, apostrophes, brackets, order."""
    uri = "/wado?b=%2Fa%2f&a='x'&c=[4]&d=[0]&e=a,b;c/d&f=%5B0%5D"
    export(tmp_path, ini(server, uri), 'e', STUDY)
    assert server.asked() == [uri.replace('[0]', STUDY)]


def test_p5_objects_without_pixels(server, tmp_path):
    """Reports have no frames: by their class, or as the only ones without Rows."""
    server.state.objects = [
        Object(STUDY, A, '1.2.3.1.1', SR, rows=None),
        Object(STUDY, A, '1.2.3.1.2'),
        Object(STUDY, A, '1.2.3.1.3', CT, rows=None),
        Object(STUDY, A, '1.2.3.1.4', None, rows=None, frames=2),
        Object(STUDY, B, '1.2.3.2.1', None, rows=None),
    ]
    done = export(tmp_path, ini(server, WADO + '&objectUID=[2]&frameNumber=[3]'), 'e', STUDY)
    assert server.asked() == [WADO + '&objectUID=1.2.3.1.2&frameNumber=1',
                              WADO + '&objectUID=1.2.3.1.4&frameNumber=1',
                              WADO + '&objectUID=1.2.3.1.4&frameNumber=2']
    assert done.outcome == 'COMPLETED' and done.remarks == []


def test_p5_rows_seen_later(server, tmp_path):
    """A series without Rows waits for what the next one shows."""
    server.state.objects = [Object(STUDY, A, '1.2.3.1.1', None, rows=None),
                            Object(STUDY, B, '1.2.3.2.1')]
    done = export(tmp_path, ini(server, WADO + '&objectUID=[2]&frameNumber=[3]'), 'e', STUDY)
    assert server.asked() == [WADO + '&objectUID=1.2.3.2.1&frameNumber=1']
    assert done.remarks == []


def test_p5_frames_unknown(server, tmp_path):
    """A server that never returns Rows: each object counts as one frame, and it is said."""
    server.state.objects = [Object(STUDY, A, '1.2.3.1.1', CT, rows=None),
                            Object(STUDY, B, '1.2.3.2.1', None, rows=None),
                            Object(STUDY, B, '1.2.3.2.2', SR, rows=None)]
    done = export(tmp_path, ini(server, WADO + '&objectUID=[2]&frameNumber=[3]'), 'e', STUDY)
    assert server.asked() == [WADO + '&objectUID=1.2.3.1.1&frameNumber=1',
                              WADO + '&objectUID=1.2.3.2.1&frameNumber=1']
    assert len([r for r in done.remarks if r.startswith('frames unknown')]) == 2
    assert done.outcome == 'COMPLETED'


def test_p5_metadata_tells(server, tmp_path):
    """Where the searcher returns no Rows, the metadata is asked, once a series."""
    kinds = {'1.2.3.1.1': {'00280004': ('CS', 'MONOCHROME2'), '00280008': ('IS', '3')},
             '1.2.3.1.2': {}, '1.2.3.1.3': {'00280004': ('CS', 'RGB')}}
    server.state.objects = [Object(STUDY, A, uid, None, rows=None) for uid in kinds]
    server.state.metadata = [
        {'00080016': {'vr': 'UI', 'Value': [CT]}, '00080018': {'vr': 'UI', 'Value': [uid]},
         '0020000D': {'vr': 'UI', 'Value': [STUDY]}, '0020000E': {'vr': 'UI', 'Value': [A]},
         **{tag: {'vr': vr, 'Value': [value]} for tag, (vr, value) in more.items()}}
        for uid, more in kinds.items()]
    text = ini(server, WADO + '&objectUID=[2]&frameNumber=[3]', 'metadata = m',
               more=f'[downloader m]\ntype = wado-rs-metadata\nurl = {server.url}/rs\n')
    done = export(tmp_path, text, 'e', STUDY)
    assert server.asked() == [WADO + f'&objectUID=1.2.3.1.1&frameNumber={n}' for n in (1, 2, 3)] + \
        [WADO + '&objectUID=1.2.3.1.3&frameNumber=1'], done.remarks
    assert len([path for path in server.asked('/rs') if path.endswith('metadata')]) == 1
    assert (done.outcome, done.remarks) == ('COMPLETED', [])


def test_p5_reports_alone(server, tmp_path):
    """Nothing to request, rightly."""
    server.state.objects = [Object(STUDY, A, '1.2.3.1.1', SR, rows=None)]
    done = export(tmp_path, ini(server, WADO + '&objectUID=[2]&frameNumber=[3]'), 'e', STUDY)
    assert (done.outcome, done.requested) == ('COMPLETED', 0)
    assert done.message.startswith('0 of 0 requests')


def test_p5_nothing_found(server, tmp_path):
    done = export(tmp_path, ini(server, TEMPLATES['frame']), 'e', '9.9.9')
    assert (done.outcome, done.requested) == ('WARNING', 0)
    assert 'nothing was found to request' in done.message


def test_p5_named_twice_requested_once(server, tmp_path):
    server.state.objects = OBJECTS + OBJECTS
    export(tmp_path, ini(server, TEMPLATES['frame']), 'e', STUDY)
    assert server.asked() == sorted(of_study(TEMPLATES['frame'], 'frame'))


@pytest.mark.parametrize('scope', [('../x',), ('1.2', 'a'), ('1.2', '1.3', '1/4'), ('',)])
def test_p5_no_uids(server, tmp_path, scope):
    done = export(tmp_path, ini(server, TEMPLATES['study']), 'e', *scope)
    assert done.outcomes[-1]['status'] == 'invalid argument' and server.asked() == []


def test_p6_headers(server, tmp_path):
    text = ini(server, TEMPLATES['study'], 'accept = image/jpeg', 'cache_control = no-cache',
               'accept_encoding = gzip', 'header = X-One: 1', 'header = X-Two:  two: 2',
               f'url.1 = {server.url}{TEMPLATES["study"]}&n=1', 'accept.1 = image/*;q=0.5, text/plain',
               'cache_control.1 = max-age=0', 'accept_encoding.1 = identity',
               f'url.2 = {server.url}{TEMPLATES["study"]}&n=2', 'cache_control.2 =')
    export(tmp_path, text, 'e', STUDY)
    sent = [server.headers(TEMPLATES['study'].replace('[0]', STUDY) + more)[-1]
            for more in ('&n=1', '&n=2')]
    main = [h for h in server.headers() if h['accept'] == 'image/jpeg' and 'cache-control' in h][0]
    assert (main['cache-control'], main['accept-encoding']) == ('no-cache', 'gzip')
    assert (main['x-one'], main['x-two']) == ('1', 'two: 2')
    assert sent[0]['accept'] == 'image/*;q=0.5, text/plain'
    assert (sent[0]['cache-control'], sent[0]['accept-encoding']) == ('max-age=0', 'identity')
    assert sent[0]['x-one'] == '1'
    assert sent[1]['accept'] == 'image/jpeg' and 'cache-control' not in sent[1]


def test_p6_nothing_asked_for(server, tmp_path):
    export(tmp_path, ini(server, TEMPLATES['study']), 'e', STUDY)
    sent = server.headers()[-1]
    assert sent['accept'] == '*/*' and 'cache-control' not in sent
    assert sent['user-agent'].startswith('trolley/')


ONE = '1.2.3.1.1'
BAD = [(code, code) for code in (400, 401, 403, 404, 406, 410, 500, 503)] + [
    (206, '206'), ('page', 'HTML page'), ('cut', 'cut off'), ('chunk-cut', 'cut off'),
    (('type', 'application/json'), 'application/json came and not image/jpeg'),
    ((304, []), '304'), ((302, []), '302'),
]


@pytest.mark.parametrize('fault, told', BAD)
def test_p7_failures(server, tmp_path, fault, told):
    server.faults[ONE] = fault
    text = ini(server, TEMPLATES['instance'], 'accept = image/jpeg', 'storage = s', more=(
        '[storage s]\ntype = tree\npath = kept\nmin_free = 0\n'))
    done = export(tmp_path, text, 'e', STUDY)
    assert [line['instance'] for line in done.failed] == [ONE]
    assert str(told) in done.failed[0]['failed'], done.failed
    if fault == 401:  # no use in going on
        assert done.outcome == 'FAILED' and done.unfinished
        return
    assert done.outcome == 'WARNING' and not done.unfinished
    assert (done.requested, done.succeeded, done.failed_count) == (3, 2, 1)
    assert '1 failed' in done.message and done.failed[0]['failed'][:60] in done.message
    assert len(files_below(tmp_path / 'kept')) == 2
    assert [p for p in (tmp_path / 'kept/.trolley').rglob('*') if p.stat().st_size > 100] == []


FINE = [None, 'mute', ('type', 'image/jpeg'), ('type', 'IMAGE/JPEG; q=1'),
        ('type', 'image/png'),  # its bytes are JPEG's, as Orthanc has it
        ('type', 'application/dicom+json')]


@pytest.mark.parametrize('fault', FINE)
def test_p7_fits(server, tmp_path, fault):
    server.faults['*'] = fault
    accept = 'text/plain, application/json;q=0.9' if fault and fault[1].endswith('json') \
        else 'image/jpeg'
    done = export(tmp_path, ini(server, TEMPLATES['instance'], f'accept = {accept}'), 'e', STUDY)
    assert (done.outcome, done.succeeded) == ('COMPLETED', 3), done.message


def test_p7_html_that_is_wanted(server, tmp_path):
    server.faults['*'] = 'page'
    for keys in (['accept = text/html'], ['accept = text/*']):
        assert export(tmp_path, ini(server, TEMPLATES['instance'], *keys), 'e', STUDY).outcome == \
            'COMPLETED'
    uri = TEMPLATES['instance'] + '&contentType=text/html'
    assert export(tmp_path, ini(server, uri), 'e', STUDY).outcome == 'COMPLETED'
    done = export(tmp_path, ini(server, TEMPLATES['instance'], 'accept = */*'), 'e', STUDY)
    assert done.outcome == 'FAILED' and 'log-in page' in done.message


def test_p7_not_found_is_neutral(server, tmp_path):
    server.faults.update({ONE: 404, '1.2.3.1.2': 410})
    text = ini(server, TEMPLATES['instance'], 'ignore_not_found = yes')
    done = export(tmp_path, text, 'e', STUDY)
    assert (done.outcome, done.succeeded, done.failed_count, done.not_found) == \
        ('COMPLETED', 1, 0, 2)
    assert '2 not found' in done.message
    server.faults['*'] = 500
    assert export(tmp_path, text, 'e', STUDY).outcome == 'FAILED'


@pytest.mark.parametrize('code', [429, 503])
def test_p7_retry_after(server, tmp_path, code):
    server.faults.update({ONE: (code, [('Retry-After', '7')]),
                          '1.2.3.2.1': (code, [('Retry-After', '90')])})
    done = export(tmp_path, ini(server, TEMPLATES['instance']), 'e', STUDY)
    assert (done.outcome, done.retry_after_ms) == ('WARNING', 90000)


def test_p7_too_large(server, tmp_path):
    server.faults[ONE] = 'large'
    done = export(tmp_path, ini(server, TEMPLATES['instance'], 'max_bytes = 100KB'), 'e', STUDY)
    assert done.outcome == 'WARNING' and 'max_bytes' in done.failed[0]['failed']


SESSION = '[session s]\nauth = basic\nuser = u\npassword = p\nheader = X-Key: k\nheader = Cookie: c=1\n'


def test_p7_redirect_drops_credentials(server, tmp_path):
    server.faults[ONE] = ['elsewhere', None]
    text = ini(server, TEMPLATES['instance'], 'session = s', more=SESSION)
    done = export(tmp_path, text, 'e', STUDY, A, ONE)
    assert done.outcome == 'COMPLETED'
    asked, followed = server.headers('/wado')[-1], server.headers('/elsewhere')[-1]
    assert asked['authorization'].startswith('Basic ')
    assert (asked['x-key'], asked['cookie']) == ('k', 'c=1')
    assert not {'authorization', 'x-key', 'cookie'} & set(followed)


def test_p7_one_login_again(server, tmp_path):
    """A token that has expired in mid-task: one log-in more, and nothing fails."""
    script = tmp_path / 'token'
    script.write_text('#!/bin/sh\necho x >>count\necho token-$(wc -l <count)\n')
    script.chmod(0o755)
    (tmp_path / 'count').write_text('')
    server.state.bearer = 'token-2'
    text = ini(server, TEMPLATES['frame'], 'session = s', 'parallel_requests = 4',
               more=f'[session s]\nauth = bearer\ntoken_command = {script}\n')
    done = export(tmp_path, text, 'e', STUDY)
    assert (done.outcome, done.succeeded) == ('COMPLETED', 5), done.message
    assert (tmp_path / 'count').read_text() == 'x\nx\n'
    server.state.bearer = 'token-9'
    done = export(tmp_path, text, 'e', STUDY)
    assert (done.outcome, done.unfinished) == ('FAILED', True) and '401' in done.message


def test_p7_retry_of_what_failed(server, tmp_path):
    text = ini(server, TEMPLATES['frame'])
    server.faults.update({ONE: 500, '1.2.3.1.2': [None, 503, None, 503, None]})
    first = export(tmp_path, text, 'e', STUDY, options=['-f', 'failed'])
    assert first.outcome == 'WARNING' and first.failed_count >= 2
    wanted = sorted(line['instance'] + '/' + str(line['frame']) for line in first.failed)
    server.faults.clear()
    server.forget()
    done = export(tmp_path, text, 'e', STUDY, options=['-a', 'failed'])
    assert (done.outcome, done.requested) == ('COMPLETED', len(wanted))
    assert sorted(url.split('objectUID=')[1].replace('&frameNumber=', '/')
                  for url in server.asked()) == wanted
    assert server.asked('/rs') == []  # nothing is searched for again
    server.forget()
    export(tmp_path, ini(server, TEMPLATES['frame'], 'retry_scope = all'), 'e', STUDY,
           options=['-a', 'failed'])
    assert len(server.asked()) == 5


def test_p7_search_fails(server, tmp_path):
    server.faults['search'] = 500
    done = export(tmp_path, ini(server, TEMPLATES['instance']), 'e', STUDY)
    assert (done.outcome, done.requested, done.unfinished) == ('FAILED', 0, True)
    assert '500' in done.message
    server.faults['search'] = [500, None]  # once: the searcher's own retries help
    assert export(tmp_path, ini(server, TEMPLATES['instance']), 'e', STUDY).outcome == 'COMPLETED'


def test_p7_server_is_down(tmp_path):
    with WadoServer(OBJECTS) as gone:
        text = ini(gone, TEMPLATES['study'])
    done = export(tmp_path, text, 'e', STUDY)
    assert (done.outcome, done.failed_count, done.unfinished) == ('FAILED', 1, False)


def test_cancel_between_requests(server, tmp_path):
    server.faults['*'] = 500
    server.state.objects = [Object(STUDY, A, f'1.2.3.1.{n}') for n in range(1, 200)]
    text = ini(server, TEMPLATES['instance'], 'parallel_requests = 2')
    done = export(tmp_path, text, 'e', STUDY, options=['-c', '5'])
    assert done.outcomes[-1]['status'] == 'cancelled' and done.unfinished
    assert 5 <= len(server.asked()) < 20
    assert done.requested == len(server.asked())  # those in hand were finished


def test_parallel_requests(server, tmp_path):
    """Three at a time, never more."""
    server.state.objects = [Object(STUDY, A, f'1.2.3.1.{n}') for n in range(1, 30)]
    server.state.gate.clear()
    process = start(tmp_path, ini(server, TEMPLATES['instance'], 'parallel_requests = 3'), 'e',
                    STUDY)
    end = time.monotonic() + 60
    while len(server.asked()) < 3 and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.5)
    assert len(server.asked()) == 3
    server.state.gate.set()
    done = finish(process)
    assert (done.outcome, done.succeeded) == ('COMPLETED', 29)


def test_cache_status_is_counted(server, tmp_path):
    for word, name in (('HIT', 'hit'), ('MISS', 'miss'), ('EXPIRED', 'miss'), ('BYPASS', 'bypass')):
        server.state.fields = [('X-Cache-Status', word)]
        done = export(tmp_path, ini(server, TEMPLATES['instance']), 'e', STUDY)
        assert done.outcomes[-1][name] == 3 and f'3 {name.upper()}' in done.message


def test_same_bodies_are_told(server, tmp_path):
    server.faults['*'] = 'same'
    keys = [f'url.1 = {server.url}{TEMPLATES["frame"]}&rows=64', 'verify_unique = warn']
    done = export(tmp_path, ini(server, TEMPLATES['frame'], *keys), 'e', STUDY)
    assert (done.outcome, done.same) == ('COMPLETED', 10 - 3)
    assert 'the same as another frame or size' in done.message
    assert any('1.2.3.1.2: frame' in r and 'same bytes' in r for r in done.remarks)
    server.faults.clear()
    done = export(tmp_path, ini(server, TEMPLATES['frame'], *keys), 'e', STUDY)
    assert (done.same, done.remarks) == (0, [])


def test_hundred_thousand_frames(server, tmp_path):
    """They are made out one by one: memory does not grow with them."""
    server.state.objects = [Object(STUDY, A, ONE, MULTIFRAME, frames=100000)]
    done = export(tmp_path, ini(server, TEMPLATES['frame']), 'e', STUDY, options=['-n'])
    assert len(done.urls) == 100000 and done.urls[99999].endswith('&frameNumber=100000')


def test_several_runs_share_what_is_open(server, tmp_path):
    done = export(tmp_path, ini(server, TEMPLATES['frame']), 'e', STUDY, options=['-t', '3'])
    assert [o['succeeded'] for o in done.outcomes] == [5, 5, 5]
