"""find through dicom-qr. SPDX-License-Identifier: MIT"""

import ssl
import subprocess
import time

import pytest

from dimse_servers import Peer, data_set, hold, parse, pdu, reject

STUDY_ROOT = b'1.2.840.10008.5.1.4.1.2.2.1'


def answers(count, final, **more):
    """A script: `count` pending studies, then the final status."""
    def script(association, message):
        number, request, _ = message
        for i in range(count):
            association.respond(number, request, 0xff00, data_set(
                {0x00080052: 'STUDY', 0x0020000d: f'1.2.3.{i + 1}', 0x00100020: 'P'}))
        association.respond(number, request, final, **more)
    return script


def test_F1_complete(trolley, qr_ini, phantoms):
    result = trolley(qr_ini, 'find', 'PatientID=PHANTOM', '--format', 'csv')
    assert result.status == 0, result.stderr
    assert sorted(row['StudyInstanceUID'] for row in result.rows()) == phantoms.studies('PHANTOM')


def test_F1_patient_root(trolley, qr_ini, phantoms):
    ini = qr_ini.replace('type = dicom-qr', 'type = dicom-qr\nmodel = patient')
    result = trolley(ini, 'find', '--level', 'series', '--format', 'csv')
    assert result.status == 0, result.stderr
    assert {row['SeriesInstanceUID'] for row in result.rows()} == \
        {i.series for i in phantoms.instances}


@pytest.mark.parametrize('status, words', [
    (0xa700, 'out of resources'), (0xa900, 'identifier does not match SOP class'),
    (0xc000, 'unable to process'), (0xc123, 'unable to process'), (0xfe00, 'cancelled'),
    (0xb000, 'failures')])
def test_F1_final_status(trolley, peer_ini, status, words):
    """Not 0000: said in words, what came is printed and partial."""
    with Peer(answers(2, status, comment='index \x1b broken')) as peer:
        result = trolley(peer_ini(peer), 'find', '--format', 'csv')
    assert result.status == 3, result.stderr
    assert len(result.rows()) == 2
    assert f'{status:04X}' in result.stderr and words in result.stderr
    assert '\x1b' not in result.stderr


def test_F1_lost_association(trolley, peer_ini):
    def script(association, message):
        answers(1, 0xff00)(association, message)
        association.connection.close()
    with Peer(script) as peer:
        result = trolley(peer_ini(peer), 'find', '--format', 'csv')
    assert result.status in (1, 3), result.stderr
    assert 'C-FIND after' in result.stderr


@pytest.mark.parametrize('level', ['series', 'instance'])
def test_F2_walks_the_hierarchy(trolley, qr_ini, phantoms, level):
    """Without upper UIDs, with a key of an upper level; upper UIDs are in every row."""
    result = trolley(qr_ini, 'find', 'PatientID=PHANTOM', '--level', level, '--include',
                     'PatientID', '--format', 'csv')
    assert result.status == 0, result.stderr
    expected = {(i.study, i.series) + ((i.uid,) if level == 'instance' else ())
                for i in phantoms.of('PHANTOM')}
    names = ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID'][:len(next(iter(expected)))]
    assert {tuple(row[name] for name in names) for row in result.rows()} == expected
    assert {row['PatientID'] for row in result.rows()} == {'PHANTOM'}


def test_F2_unique_keys_always_asked(trolley, peer_ini):
    with Peer(answers(0, 0)) as peer:
        trolley(peer_ini(peer), 'find', 'StudyInstanceUID=1.2.3', 'SeriesInstanceUID=1.2.3.4',
                '--level', 'instance', '--include', 'InstanceNumber')
    (_, command, identifier), = peer.requests
    assert command[0x00000002].rstrip(b'\0') == STUDY_ROOT
    keys = parse(identifier)
    for tag, value in ((0x0020000d, b'1.2.3'), (0x0020000e, b'1.2.3.4'), (0x00080018, b'')):
        assert keys[tag].rstrip(b'\0') == value


def hierarchy(association, message):
    """A script: one object at the level asked for, with the unique keys down to it."""
    number, request, identifier = message
    asked = parse(identifier)
    unique = {0x00100020: 'P', 0x0020000d: '1.2.3', 0x0020000e: '1.2.3.4', 0x00080018: '1.2.3.4.5'}
    association.respond(number, request, 0xff00, data_set(
        {tag: unique[tag] for tag in asked if tag in unique}))
    association.respond(number, request, 0)


def levels_asked(peer):
    return [parse(identifier)[0x00080052].decode().strip() for _, _, identifier in peer.requests]


EXTENDED = b'\x56\0\0\x1e\0\x1b' + STUDY_ROOT + b'\1'


def test_F2_relational_accepted(trolley, peer_ini):
    """One C-FIND with the keys of all levels, and the upper UIDs to be told."""
    with Peer(hierarchy, answer_extended=b'\1') as peer:
        result = trolley(peer_ini(peer), 'find', 'PatientID=P', 'Modality=MR', '--level', 'instance',
                         '--include', 'StudyDate,InstanceNumber', '--format', 'csv')
    assert result.status == 0, result.stderr
    assert peer.extended == [EXTENDED]
    assert levels_asked(peer) == ['IMAGE']
    keys = {tag: value.strip(b' \0') for tag, value in parse(peer.requests[0][2]).items()}
    assert keys == {0x00080052: b'IMAGE', 0x00100020: b'P', 0x00080060: b'MR', 0x00080020: b'',
                    0x0020000d: b'', 0x0020000e: b'', 0x00080018: b'', 0x00200013: b''}
    row, = result.rows()
    assert (row['StudyInstanceUID'], row['SeriesInstanceUID'], row['SOPInstanceUID']) == (
        '1.2.3', '1.2.3.4', '1.2.3.4.5')


@pytest.mark.parametrize('answer', [None, b'\0', b''], ids=['no answer', 'refused', 'empty'])
def test_F2_relational_not_accepted(trolley, peer_ini, answer):
    with Peer(hierarchy, answer_extended=answer) as peer:
        result = trolley(peer_ini(peer), 'find', 'PatientID=P', '--level', 'instance', '--format',
                         'csv')
    assert result.status == 0, result.stderr
    assert peer.extended == [EXTENDED]
    assert levels_asked(peer) == ['STUDY', 'SERIES', 'IMAGE']
    assert len(result.rows()) == 1


def test_F2_relational_not_offered(trolley, peer_ini):
    with Peer(hierarchy, answer_extended=b'\1') as peer:
        ini = peer_ini(peer).replace('type = dicom-qr', 'type = dicom-qr\nrelational = no')
        result = trolley(ini, 'find', 'PatientID=P', '--level', 'series')
    assert result.status == 0, result.stderr
    assert peer.extended == [] and levels_asked(peer) == ['STUDY', 'SERIES']


def test_F2_relational_below_a_known_study(trolley, peer_ini):
    """Its UID is a key, nothing else of it is asked for; a series below one is none of relations."""
    with Peer(hierarchy, answer_extended=b'\1') as peer:
        for level in ('instance', 'series'):
            assert trolley(peer_ini(peer), 'find', 'StudyInstanceUID=1.2.3', '--level', level,
                           '--include', 'SeriesNumber').status == 0
    assert levels_asked(peer) == ['IMAGE', 'SERIES']
    for tag, value in ((0x0020000d, b'1.2.3'), (0x0020000e, b''), (0x00200011, b'')):
        assert [parse(identifier)[tag].strip(b' \0') for _, _, identifier in peer.requests] == [
            value, value]


def test_F2_relational_in_patient_root(trolley, peer_ini):
    with Peer(hierarchy, answer_extended=b'\1') as peer:
        ini = peer_ini(peer).replace('type = dicom-qr', 'type = dicom-qr\nmodel = patient')
        result = trolley(ini, 'find', '--level', 'study', '--include', 'PatientID', '--format', 'csv')
    assert levels_asked(peer) == ['STUDY'] and b'.5.1.4.1.2.1.1\1' in peer.extended[0]
    assert [row['PatientID'] for row in result.rows()] == ['P'], result.stderr


@pytest.mark.parametrize('term, raw, text', [
    ('ISO_IR 100', b'M\xfcller^J\xf6rg', 'Müller^Jörg'),
    ('ISO_IR 192', 'Müller^Jörg'.encode(), 'Müller^Jörg'),
    ('ISO_IR 144', 'Люкceмбypг'.encode('iso8859-5'), 'Люкceмбypг'),
    ('\\ISO 2022 IR 87', b'Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B',
     'Yamada^Tarou=山田^太郎'),
    ('ISO_IR 192', b'M\xfcller', 'M\ufffdller')])
def test_F3_charsets(trolley, peer_ini, term, raw, text):
    def script(association, message):
        number, request, _ = message
        association.respond(number, request, 0xff00, data_set({
            0x00080005: term.encode() + b' ' * (len(term) % 2), 0x0020000d: '1.2.3',
            0x00100010: raw + b' ' * (len(raw) % 2)}))
        association.respond(number, request, 0)
    with Peer(script) as peer:
        result = trolley(peer_ini(peer), 'find', '--format', 'csv', '--include', 'PatientName')
    assert result.status == 0, result.stderr
    assert result.rows()[0]['PatientName'] == text


def test_F3_request_in_utf8(trolley, peer_ini):
    with Peer(answers(0, 0)) as peer:
        assert trolley(peer_ini(peer), 'find', 'PatientName=Jörg*').status == 0
    identifier = peer.requests[0][2]
    assert b'ISO_IR 192' in identifier and 'Jörg*'.encode() in identifier


def test_F3_charset_option(trolley, peer_ini):
    def script(association, message):
        number, request, _ = message
        association.respond(number, request, 0xff00, data_set(
            {0x0020000d: '1.2.3', 0x00100010: b'M\xfcller'}))
        association.respond(number, request, 0)
    with Peer(script) as peer:
        ini = peer_ini(peer).replace('type = dicom-qr', 'type = dicom-qr\ncharset = ISO_IR 100')
        result = trolley(ini, 'find', '--format', 'csv', '--include', 'PatientName')
    assert result.rows()[0]['PatientName'] == 'Müller', result.stderr


@pytest.mark.parametrize('given, sent', [
    ('20150301-20150401', b'20150301-20150401'), ('20150301-', b'20150301-'),
    ('-20150401', b'-20150401'), ('20150301', b'20150301')])
def test_F4_dates(trolley, peer_ini, given, sent):
    with Peer(answers(0, 0)) as peer:
        assert trolley(peer_ini(peer), 'find', 'StudyDate=' + given).status == 0
    assert parse(peer.requests[0][2])[0x00080020].strip() == sent


def test_F5_limit_cancels(trolley, peer_ini):
    """C-CANCEL goes out, answers behind it are drained, FE00 then is no error."""
    def script(association, message):
        number, request, _ = message
        if request[0x00000100] == b'\xff\x0f':
            for i in range(7):
                association.respond(number, find[0], 0xff00,
                                    data_set({0x0020000d: f'1.2.4.{i}'}))
            association.respond(number, find[0], 0xfe00)
            return
        find.append(request)
        for i in range(4):
            association.respond(number, request, 0xff00, data_set({0x0020000d: f'1.2.3.{i}'}))
    find = []
    with Peer(script) as peer:
        result = trolley(peer_ini(peer), 'find', 'limit=3', '--format', 'csv')
    assert result.status == 0, result.stderr
    assert len(result.rows()) == 3
    assert peer.requests[1][1][0x00000120] == find[0][0x00000110]


def test_F6_ping(trolley, qr_ini):
    result = trolley(qr_ini, 'ping')
    assert result.status == 0, result.stderr
    assert 'dicom-qr search: ok' in result.stdout + result.stderr


def test_F7_ae_titles_are_checked(trolley, qr_ini):
    for bad in ('A' * 17, 'A\\\\B'):
        result = trolley(qr_ini.replace('called_ae = PACS', 'called_ae = ' + bad), 'find')
        assert result.status == 2, result.stderr


def test_F7_unknown_calling_ae(trolley, qr_ini):
    ini = qr_ini.replace('called_ae = PACS', 'called_ae = PACS\ncalling_ae = STRANGER')
    result = trolley(ini, 'find')
    assert result.status != 0
    assert 'STRANGER' in result.stderr or 'rejected' in result.stderr, result.stderr


@pytest.mark.parametrize('parts, words, exit_status', [
    ((1, 1, 1), 'no reason given', 1), ((1, 1, 2), 'application context name', 1),
    ((1, 1, 3), 'calling AE title not recognized', 4),
    ((1, 1, 7), 'called AE title not recognized', 4),
    ((1, 2, 2), 'protocol version not supported', 1),
    ((2, 3, 1), 'temporary congestion', 1), ((2, 3, 2), 'local limit exceeded', 1)])
def test_F7_rejections(trolley, peer_ini, parts, words, exit_status):
    with Peer(raw=reject(*parts)) as peer:
        result = trolley(peer_ini(peer), 'find')
    assert result.status == exit_status, result.stderr
    assert words in result.stderr and 'source: service' in result.stderr


def test_F7_abort_says_source_and_reason(trolley, peer_ini):
    with Peer(lambda association, _: association.abort(2, 2)) as peer:
        result = trolley(peer_ini(peer), 'find')
    assert result.status == 1
    assert 'source: service provider' in result.stderr and 'unexpected PDU' in result.stderr


def test_F7_timeouts(trolley, peer_ini):
    """Silence before the A-ASSOCIATE-AC and after the C-FIND have limits of their own."""
    with Peer(raw=hold) as peer:
        ini = peer_ini(peer).replace('acse_timeout = 3s', 'acse_timeout = 300ms')
        began = time.monotonic()
        result = trolley(ini, 'find')
        assert result.status == 1 and '300 ms' in result.stderr, result.stderr
        assert time.monotonic() - began < 3
    with Peer(lambda association, _: hold(association.connection)) as peer:
        ini = peer_ini(peer).replace('dimse_timeout = 3s', 'dimse_timeout = 400ms')
        result = trolley(ini, 'find')
        assert result.status == 1 and '400 ms' in result.stderr, result.stderr


def test_F7_stall_within_a_pdu(trolley, peer_ini):
    def script(association, _):
        association.connection.sendall(pdu(4, bytes(1000))[:20])
        hold(association.connection)
    with Peer(script) as peer:
        ini = peer_ini(peer).replace('dimse_timeout = 3s', 'dimse_timeout = 400ms')
        began = time.monotonic()
        result = trolley(ini, 'find')
    assert result.status == 1 and 'silent for 400 ms' in result.stderr, result.stderr
    assert time.monotonic() - began < 4


def test_F8_user_identity(trolley, peer_ini):
    with Peer(answers(0, 0)) as peer:
        ini = peer_ini(peer).replace('type = dicom-qr',
                                     'type = dicom-qr\nuser = reader\npassword = secret')
        assert trolley(ini, 'find').status == 0
    sent = peer.user_information[0]
    assert b'\x58' in sent and b'\0\x06reader\0\x06secret' in sent


@pytest.fixture(scope='module')
def certificates(tmp_path_factory):
    """Self-signed certificates: `good` for localhost, `wrong` for another name, `client`."""
    folder = tmp_path_factory.mktemp('certificates')
    for name, subject in (('good', 'localhost'), ('wrong', 'pacs.example'), ('client', 'reader')):
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                        'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
                        '/CN=' + subject, '-addext', 'subjectAltName=DNS:' + subject,
                        '-keyout', folder / (name + '.key'), '-out', folder / (name + '.pem')],
                       check=True, capture_output=True, timeout=60)
    return folder


def secure(certificates, name, client=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / (name + '.pem'), certificates / (name + '.key'))
    if client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates / 'client.pem')
    return context


def tls_find(trolley, ini, *keys):
    lines = '\n'.join(('type = dicom-qr', 'tls = yes') + keys)
    return trolley(ini.replace('type = dicom-qr', lines).replace('host = 127.0.0.1',
                                                                 'host = localhost'), 'find')


def test_F8_tls_own_ca(trolley, peer_ini, certificates):
    with Peer(answers(1, 0), tls=secure(certificates, 'good')) as peer:
        result = tls_find(trolley, peer_ini(peer), f'ca_file = {certificates}/good.pem')
        assert result.status == 0 and '1.2.3.1' in result.stdout, result.stderr


@pytest.mark.parametrize('served, trusted', [('wrong', 'wrong'), ('good', 'wrong')])
def test_F8_tls_refused(trolley, peer_ini, certificates, served, trusted):
    """Another host's name, and a certificate that nobody vouches for."""
    with Peer(answers(1, 0), tls=secure(certificates, served)) as peer:
        result = tls_find(trolley, peer_ini(peer), f'ca_file = {certificates}/{trusted}.pem')
        assert result.status == 4 and 'TLS' in result.stderr, result.stderr
        assert peer.requests == []
        unchecked = tls_find(trolley, peer_ini(peer), 'verify = no')
        assert unchecked.status == 0, unchecked.stderr


def test_F8_client_certificate(trolley, peer_ini, certificates):
    ca = f'ca_file = {certificates}/good.pem'
    with Peer(answers(1, 0), tls=secure(certificates, 'good', client=True)) as peer:
        result = tls_find(trolley, peer_ini(peer), ca, f'client_cert = {certificates}/client.pem',
                          f'client_key = {certificates}/client.key')
        assert result.status == 0, result.stderr
        assert tls_find(trolley, peer_ini(peer), ca).status != 0


def test_file_meta_information_is_not_returned(trolley, qr_ini):
    """TransferSyntaxUID may be included elsewhere; here it is refused by name."""
    result = trolley(qr_ini, 'find', 'PatientID=PHANTOM', '--level', 'instance', '--include',
                     'TransferSyntaxUID')
    assert result.status == 2, result.stderr
    assert 'TransferSyntaxUID: C-FIND returns no file meta information' in result.stderr
