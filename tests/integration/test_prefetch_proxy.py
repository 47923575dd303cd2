"""Prefetching through a real nginx with the sample file conf/nginx-wado-cache.conf, in front of a real
Orthanc, and of servers whose answers no cache keeps. P14 is an acceptance test of prefetching.
SPDX-License-Identifier: MIT"""

import json

import pydicom
import pytest

import orthanc as orthanc_server
from prefetch_driver import export
from wado_proxy import wado_proxy
from wado_server import Object, WadoServer

WADO = '/wado?requestType=WADO&studyUID=[0]&seriesUID=[1]&objectUID=[2]&contentType=image/jpeg'
BROWSER = 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8'


@pytest.fixture(scope='module')
def origin(tmp_path_factory, phantoms):
    """An Orthanc of this module's own, since studies change here."""
    server = orthanc_server.Orthanc(tmp_path_factory.mktemp('origin')).start()
    try:
        server.upload([instance.path for instance in phantoms.instances])
        yield server
    finally:
        server.stop()


@pytest.fixture
def proxy(origin, tmp_path):
    with wado_proxy(tmp_path / 'nginx', origin.root) as site:
        yield site


def ini(origin, proxy, uri, *keys, more=''):
    lines = '\n'.join(keys)
    return (f'[searcher search]\ntype = qido-rs\nurl = {origin.dicom_web}\n'
            f'[exporter e]\nuri = wado:{proxy.url}{uri}\nsearcher = search\n{lines}\n{more}')


def fill(uri, i):
    return uri.replace('[0]', i.study).replace('[1]', i.series).replace('[2]', i.uid)


def changed(instance, folder):
    """The same instance with other pixels."""
    data = pydicom.dcmread(instance.path)
    data.PixelData = bytes(255 - byte for byte in data.PixelData)
    path = folder / 'changed.dcm'
    data.save_as(path)
    return path


def test_p14_miss_then_hit(origin, proxy, phantoms, tmp_path):
    """What a series' export has requested is a HIT for the viewer, with the origin's bytes."""
    instance = phantoms.instances[0]
    series = [i for i in phantoms.instances if i.series == instance.series]
    done = export(tmp_path, ini(origin, proxy, WADO, 'accept = image/jpeg'), 'e', instance.study,
                  instance.series)
    assert (done.outcome, done.succeeded, done.miss) == \
        ('COMPLETED', len(series), len(series)), done.message
    for i in series:
        path = fill(WADO, i)
        assert proxy.view(path, Accept=BROWSER) == ('HIT', origin.get(path))
    other = next(i for i in phantoms.instances if i.series != instance.series)
    assert proxy.view(fill(WADO, other))[0] == 'MISS'
    again = export(tmp_path, ini(origin, proxy, WADO, 'accept = image/jpeg'), 'e', instance.study,
                   instance.series)
    assert again.hit == len(series)


def test_p14_bypass_then_hit_with_new_bytes(origin, proxy, phantoms, tmp_path):
    """A study that changed: the old bytes until it is exported with no-cache, then the new ones."""
    instance = phantoms.of('OTHER')[0]
    path = fill(WADO, instance)
    text = ini(origin, proxy, WADO, 'accept = image/jpeg', 'cache_control = no-cache')
    assert export(tmp_path, text, 'e', instance.study).bypass == 2
    old = proxy.view(path)
    assert old == ('HIT', origin.get(path))
    assert origin.upload([changed(instance, tmp_path)]) in (0, 1)
    new = origin.get(path)
    assert new != old[1]
    assert proxy.view(path) == old
    # A browser's reload may not empty the cache for others, but trolley's address is the tests'.
    done = export(tmp_path, text, 'e', instance.study)
    assert (done.outcome, done.bypass, done.hit, done.miss) == ('COMPLETED', 2, 0, 0)
    assert proxy.view(path) == ('HIT', new)


def test_p14_viewers_do_not_renew(origin, phantoms, tmp_path):
    """no-cache from an address that is not the exporter's: served from the cache."""
    path = fill(WADO, phantoms.instances[0])
    with wado_proxy(tmp_path / 'nginx', origin.root, ('127.0.0.1/32 1;', '192.0.2.1 1;')) as proxy:
        assert proxy.view(path)[0] == 'MISS'
        assert proxy.view(path, Cache_Control='no-cache')[0] == 'HIT'


def test_p14_metadata(origin, proxy, phantoms, tmp_path):
    """WADO-RS: the spellings of one media type share an entry, other media types do not."""
    study = phantoms.instances[0].study
    uri = '/dicom-web/studies/[0]/metadata'
    done = export(tmp_path, ini(origin, proxy, uri, 'accept = application/json'), 'e', study)
    assert (done.outcome, done.succeeded, done.miss) == ('COMPLETED', 1, 1)
    path = uri.replace('[0]', study)
    status, body = proxy.view(path, Accept='application/dicom+json')
    assert status == 'HIT' and len(json.loads(body)) == len(phantoms.of_study(study))
    assert proxy.view(path, Accept='*/*')[0] == 'MISS'


def test_p14_searches_are_not_kept(origin, proxy):
    for _ in range(2):
        assert proxy.view('/dicom-web/studies', Accept='application/dicom+json')[0] is None


def test_p14_rendered_frames(origin, proxy, phantoms, tmp_path):
    """DICOMweb's frames, which Orthanc does tell apart."""
    instance = phantoms.instances[0]
    uri = '/dicom-web/studies/[0]/series/[1]/instances/[2]/frames/[3]/rendered'
    done = export(tmp_path, ini(origin, proxy, uri, 'accept = image/jpeg'), 'e', instance.study,
                  instance.series)
    assert (done.outcome, done.miss) == ('COMPLETED', 4), done.message
    path = fill(uri, instance).replace('[3]', '1')
    assert proxy.view(path, Accept='image/jpeg')[0] == 'HIT'


# ---- check --probe ----

def probe(folder, text, *scope):
    done = export(folder, text, 'e', *scope, options=['-p'])
    return done, done.probed[0] if done.probed else None


def test_p14_probe_kept(origin, proxy, phantoms, tmp_path):
    study = phantoms.studies('PHANTOM')[1]
    text = ini(origin, proxy, WADO, 'accept = image/jpeg', 'cache_control = no-cache',
               f'url.1 = {proxy.url}/dicom-web/studies/[0]/metadata', 'accept.1 = application/json')
    done, first = probe(tmp_path, text, study)
    assert done.status == 0, (done.stderr, done.probed)
    assert [(p['number'], p['kept'], p['first_cache'], p['second_cache'], p['reasons'])
            for p in done.probed] == [(0, True, 'BYPASS', 'HIT', []), (1, True, 'BYPASS', 'HIT', [])]
    assert (first['first'], first['second'], first['anonymous']) == (200, 200, 0)


NO_VALIDITY = ('proxy_cache_valid 200 30d;', '')
HEEDS = ('proxy_ignore_headers X-Accel-Expires Expires Cache-Control Set-Cookie Vary;', '')
SHOWS = ('proxy_hide_header Set-Cookie;', '')


def test_p14_probe_no_validity(origin, phantoms, tmp_path):
    with wado_proxy(tmp_path / 'nginx', origin.root, NO_VALIDITY) as proxy:
        done, first = probe(tmp_path, ini(origin, proxy, WADO, 'accept = image/jpeg'),
                            phantoms.instances[0].study)
    assert done.status == 1 and not first['kept'] and first['second_cache'] == 'MISS'
    assert any('proxy_cache_valid' in reason for reason in first['reasons'])


def test_p14_probe_no_proxy(origin, phantoms, tmp_path):
    class Direct:
        url = origin.root
    done, first = probe(tmp_path, ini(origin, Direct, WADO), phantoms.instances[0].study)
    assert done.status == 1 and not first['kept']
    assert any('no X-Cache-Status' in reason for reason in first['reasons'])


def test_p14_probe_bypassed(origin, phantoms, tmp_path):
    with wado_proxy(tmp_path / 'nginx', origin.root,
                    ('proxy_cache_bypass $wado_renew;', 'proxy_cache_bypass 1;')) as proxy:
        done, first = probe(tmp_path, ini(origin, proxy, WADO), phantoms.instances[0].study)
    assert (done.status, first['second_cache']) == (1, 'BYPASS')
    assert any('proxy_cache_bypass' in reason for reason in first['reasons'])


STUDY, SERIES, UID = '1.2.3', '1.2.3.1', '1.2.3.1.1'
SENT = [
    ([('Set-Cookie', 'a=b')], 'Set-Cookie:', False),
    ([('Cache-Control', 'private, max-age=60')], '(private)', False),
    ([('Cache-Control', 'no-store')], '(no-store)', False),
    ([('Cache-Control', 'no-cache')], '(no-cache)', False),
    ([('Cache-Control', 'max-age=0')], 'no time to live', False),
    ([('Expires', '0')], 'Expires: 0', False),
    ([('Vary', '*')], 'Vary: *', False),
    ([('Vary', 'Origin, Cookie')], 'Vary: Origin, Cookie', True),
    ([('Cache-Control', 'public, max-age=600')], None, True),
    ([('Cache-Control', 'max-age=0, s-maxage=60')], None, True),
]


@pytest.mark.parametrize('fields, reason, kept', SENT)
def test_p14_probe_explains(tmp_path, fields, reason, kept):
    """A proxy that heeds what the origin says of its answers."""
    with WadoServer([Object(STUDY, SERIES, UID)]) as server:
        server.state.fields = fields
        with wado_proxy(tmp_path / 'nginx', server.url, HEEDS, SHOWS) as proxy:
            text = (f'[searcher search]\ntype = qido-rs\nurl = {server.url}/rs\n'
                    f'[exporter e]\nuri = {proxy.url}{WADO}\nsearcher = search\n')
            done, first = probe(tmp_path, text, STUDY)
    assert first['kept'] is kept, first
    assert done.status == (0 if kept else 1)
    if reason:
        assert any(reason in told for told in first['reasons']), first
    else:
        assert first['reasons'] == []


def test_p14_probe_anonymous(orthanc_locked, phantoms, tmp_path):
    """One export with a log-in fills the cache for everybody: it is said."""
    with wado_proxy(tmp_path / 'nginx', orthanc_locked.root) as proxy:
        text = (f'[searcher search]\ntype = qido-rs\nurl = {orthanc_locked.dicom_web}\nsession = s\n'
                f'[exporter e]\nuri = {proxy.url}{WADO}\nsearcher = search\nsession = s\n'
                '[session s]\nauth = basic\nuser = reader\npassword = secret\n')
        done, first = probe(tmp_path, text, phantoms.of('OTHER')[0].study)
    assert (first['kept'], first['anonymous'], first['anonymous_cache']) == (True, 200, 'HIT')
    assert any('without any log-in' in reason for reason in first['reasons'])


def test_p14_probe_nothing_there(origin, proxy, tmp_path):
    done, first = probe(tmp_path, ini(origin, proxy, WADO), '9.9.9')
    assert first is None and done.status == 1 and 'nothing to request' in done.stderr
