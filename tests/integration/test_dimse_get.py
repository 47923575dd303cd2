"""download through c-get. SPDX-License-Identifier: MIT"""

import struct

import pydicom
import pytest

from dimse_servers import CT, EXPLICIT, IMPLICIT, Peer, ct, data_set, explicit_ui, hold
from program import files_below, outcomes, report, scratch_files

STUDY, SERIES = '1.2.3', '1.2.3.4'
VIDEO_ENDOSCOPIC = '1.2.840.10008.5.1.4.1.1.77.1.1.1'


def after_meta(path):
    """The bytes behind the file meta information."""
    data = path.read_bytes()
    length, = struct.unpack('<I', data[140:144])
    return data[144 + length:]


def fetch(trolley, ini, *more):
    return trolley(ini.replace('searcher = search\n', ''), 'download', '--study', STUDY,
                   '--series', SERIES, '--report', 'report.jsonl', *more)


def sender(count, final, **more):
    """A script: `count` C-STOREs, then the final status. Keeps the statuses it got."""
    def script(association, message):
        number, request, _ = message
        if request[0x00000100] == b'\xff\x0f':
            return
        for i in range(count):
            statuses.append(association.store(f'1.2.3.4.{i}', ct(STUDY, SERIES, f'1.2.3.4.{i}')))
        counts = {'completed': statuses.count(0), 'failed': count - statuses.count(0)}
        association.respond(number, request, final, **{**counts, **more})
    statuses = []
    script.statuses = statuses
    return script


def test_G1_whole_patient(trolley, qr_ini, phantoms, home):
    """SCP role, one context for each class and syntax; what comes equals what was stored."""
    result = trolley(qr_ini, 'download', 'PatientID=PHANTOM')
    assert result.status == 0, result.stderr
    expected = phantoms.of('PHANTOM')
    assert files_below(home) == sorted(i.in_tree for i in expected)
    for i in expected:
        assert pydicom.dcmread(home / i.in_tree) == pydicom.dcmread(i.path)


def test_G1_transfer_syntaxes_as_stored(trolley, orthanc_samples, listen_port, home, qr_ini, qrscp):
    """Real files, compressed too: element by element what Orthanc holds, in its own syntax."""
    ini = qr_ini.replace(f'port = {qrscp.port}', f'port = {orthanc_samples.dicom_port}')
    syntaxes = check_samples(trolley, ini, orthanc_samples, home, 50)
    assert len(syntaxes) > 5, syntaxes


def pixels(dataset):
    """Pixel data without padding and offset table."""
    data = dataset.get('PixelData')
    if data is None or not dataset.file_meta.TransferSyntaxUID.is_compressed \
            or dataset.file_meta.TransferSyntaxUID == '1.2.840.10008.1.2.1.99':
        return data
    return [piece.rstrip(b'\0') for piece in pydicom.encaps.decode_data_sequence(data)]


def compare(mine, stored):
    """Element by element, but for group lengths and trailing padding (FFFC,FFFC)."""
    skip = {0xfffcfffc, 0x7fe00010}
    tags = {e.tag for e in stored if e.tag.element and e.tag not in skip}
    return (mine.file_meta.TransferSyntaxUID == stored.file_meta.TransferSyntaxUID
            and tags == {e.tag for e in mine if e.tag.element and e.tag not in skip}
            and all(str(mine[tag].value) == str(stored[tag].value) for tag in tags)
            and pixels(mine) == pixels(stored))


def check_samples(trolley, ini, server, home, least, *query):
    found = trolley(ini, 'find', *query, '--format', 'jsonl')
    assert found.status == 0, found.stderr
    result = trolley(ini, 'download', '--from', '-', '--report', 'report.jsonl', stdin=found.stdout)
    paths = files_below(home)
    syntaxes = set()
    for path in paths:
        mine = pydicom.dcmread(home / path)
        stored = pydicom.dcmread(pydicom.filebase.DicomBytesIO(
            server.instance(*path.with_suffix('').parts)))
        syntaxes.add(mine.file_meta.TransferSyntaxUID)
        assert compare(mine, stored), path
    assert len(paths) >= least, result.stderr
    return syntaxes


def test_G1_contexts_offered(trolley, peer_ini, home):
    """Never more than 128; a known class with every transfer syntax."""
    seen = []

    def script(association, message):
        seen.append(dict(association.contexts))
        association.respond(message[0], message[1], 0, completed=0, failed=0)
    with Peer(script) as peer:
        fetch(trolley, peer_ini(peer))
    assert 60 < len(seen[0]) <= 128
    assert (CT, EXPLICIT) in seen[0].values()


def sends(pair, rounds, instance='1.2.3.4.0', data=None):
    """A script: one instance of that class and syntax for whom offers that context; `data` in place of
    a data set made for it. Keeps what was offered at each C-GET."""
    made = ct(STUDY, SERIES, instance).replace(explicit_ui(0x00080016, CT),
                                               explicit_ui(0x00080016, pair[0]))
    if pair[1] == IMPLICIT:
        made = data_set({0x00080016: pair[0], 0x00080018: instance, 0x0020000d: STUDY,
                         0x0020000e: SERIES})

    def script(association, message):
        number, request, _ = message
        rounds.append(set(association.contexts.values()))
        wanted = [key for key, offered in association.contexts.items() if offered == pair]
        if not wanted:
            association.respond(number, request, 0xb000, data_set({0x00080058: instance}),
                                completed=0, failed=1)
            return
        status = association.store(instance, data or made, wanted[0], sop_class=pair[0])
        association.respond(number, request, 0, completed=int(not status), failed=int(status != 0))
    return script


def stored_meta(home):
    path, = files_below(home)
    return pydicom.filereader.read_file_meta_info(home / path)


@pytest.mark.parametrize('sop_class, syntax', [
    (CT, '1.2.840.10008.1.2.4.90'), (CT, '1.2.840.10008.1.2.4.202'),
    (VIDEO_ENDOSCOPIC, '1.2.840.10008.1.2.4.102'), (VIDEO_ENDOSCOPIC, '1.2.840.10008.1.2.4.107'),
    ('1.2.840.10008.5.1.4.1.1.104.3', IMPLICIT)])  # Encapsulated STL
def test_G1_further_associations(trolley, peer_ini, home, sop_class, syntax):
    """What fails for want of a context is asked for in others, on another association."""
    rounds = []
    with Peer(sends((sop_class, syntax), rounds)) as peer:
        result = fetch(trolley, peer_ini(peer))
    assert result.status == 0, result.stderr
    assert len(rounds) > 1
    assert stored_meta(home).TransferSyntaxUID == syntax
    assert stored_meta(home).MediaStorageSOPClassUID == sop_class


def names(sop_classes):
    """Answers of a searcher: one instance of each class, 1.2.3.4.0 and so on."""
    return [data_set({0x00080016: sop_class, 0x00080018: f'1.2.3.4.{i}', 0x00080052: 'IMAGE ',
                      0x0020000d: STUDY, 0x0020000e: SERIES})
            for i, sop_class in enumerate(sop_classes)]


def with_names(get, sop_classes):
    """A script that answers C-FINDs with these names and leaves the rest to `get`."""
    def script(association, message):
        number, request, _ = message
        if request[0x00000100] != b'\x20\0':
            get(association, message)
            return
        for answer in names(sop_classes):
            association.respond(number, request, 0xff00, answer)
        association.respond(number, request, 0)
    return script


@pytest.mark.parametrize('syntax', [
    '1.2.1.98', '1.2.4.53', '1.2.4.92', '1.2.4.106.1', '1.2.4.108', '1.2.4.112', '1.2.4.201',
    '1.2.8.1'])
def test_G1_known_class_in_a_rare_syntax(trolley, peer_ini, home, syntax):
    """The searcher names the class: it is offered in every syntax at once, and taken in it, known to
    DCMTK or not."""
    pair = VIDEO_ENDOSCOPIC, '1.2.840.10008.' + syntax
    rounds = []
    with Peer(with_names(sends(pair, rounds), [VIDEO_ENDOSCOPIC])) as peer:
        result = trolley(peer_ini(peer), 'download', '--study', STUDY, '--series', SERIES)
    assert result.status == 0, result.stderr
    assert len(rounds) == 1
    assert stored_meta(home).TransferSyntaxUID == pair[1]


def test_G1_known_classes_in_further_associations(trolley, peer_ini, home):
    """Six classes, of a series that is there in part, have no room for every syntax: what failed is
    asked for in the others."""
    classes = [VIDEO_ENDOSCOPIC, CT, *(f'1.2.840.10008.5.1.4.1.1.{i}' for i in (1, 4, 7, 20, 128))]
    pair = VIDEO_ENDOSCOPIC, '1.2.840.10008.1.2.4.108'
    rounds = []
    with Peer(sends((CT, EXPLICIT), [], '1.2.3.4.1')) as peer:
        assert fetch(trolley, peer_ini(peer)).status == 0
    with Peer(with_names(sends(pair, rounds), classes)) as peer:
        result = trolley(peer_ini(peer), 'download', '--study', STUDY, '--series', SERIES)
    assert '(1 stored, 1 skipped,' in result.verdict(), result.stderr
    assert [pair in offered for offered in rounds[:2]] == [False, True]
    assert all(len(offered) <= 128 for offered in rounds)
    assert {path.name for path in files_below(home)} == {'1.2.3.4.0.dcm', '1.2.3.4.1.dcm'}


@pytest.mark.parametrize('status, words', [
    (0xa701, 'number of matches'), (0xa702, 'sub-operations'), (0xa900, 'does not match'),
    (0xc000, 'unable to process'), (0xfe00, 'cancelled')])
def test_G3_final_status(trolley, peer_ini, home, status, words):
    with Peer(sender(0, status)) as peer:
        result = fetch(trolley, peer_ini(peer))
    assert result.status == 1, result.stderr
    assert f'{status:04X}' in result.stderr and words in result.stderr


def test_G2_counters_and_failed_list(trolley, peer_ini, home, tmp_path):
    """B000 with two of three: the counters are in the report, the third is asked for no more."""
    def script(association, message):
        number, request, identifier = message
        known = (CT, EXPLICIT) in association.contexts.values() and b'1.2.3.4.0' in identifier
        for i in range(2 if known else 0):
            association.store(f'1.2.3.4.{i}', ct(STUDY, SERIES, f'1.2.3.4.{i}'))
        association.respond(number, request, 0xb000, data_set({0x00080058: '1.2.3.4.2'}),
                            completed=2, failed=1)
    with Peer(script) as peer:
        ini = peer_ini(peer).replace('searcher = search\n', '')
        lines = 'StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID\n' + ''.join(
            f'{STUDY},{SERIES},1.2.3.4.{i}\n' for i in range(3))
        result = trolley(ini, 'download', '--from', '-', '--report', 'report.jsonl', stdin=lines)
    assert result.status == 3, result.stderr
    notes = ' '.join(line['message'] for line in report(tmp_path / 'report.jsonl')
                     if line.get('note'))
    assert '2 completed, 1 failed' in notes
    fates = {line['instance']: line['outcome'] for line in outcomes(tmp_path / 'report.jsonl')}
    assert fates['1.2.3.4.0'] == fates['1.2.3.4.1'] == 'stored'
    assert fates['1.2.3.4.2'] != 'stored'


def test_G2_failed_instance_that_nobody_named(trolley, peer_ini, home, tmp_path):
    """Without a searcher, too, what the PACS says it could not send is missing."""
    def script(association, message):
        number, request, identifier = message
        count = 2 if b'1.2.3.4.2' not in identifier else 0
        for i in range(count):
            association.store(f'1.2.3.4.{i}', ct(STUDY, SERIES, f'1.2.3.4.{i}'))
        association.respond(number, request, 0xb000, data_set({0x00080058: '1.2.3.4.2'}),
                            completed=count, failed=1)
    with Peer(script) as peer:
        result = fetch(trolley, peer_ini(peer))
    assert result.status == 3, result.stderr
    assert result.verdict().startswith('partial: 2 of 3 instances (2 stored, 0 skipped, 1 missing,')
    fates = {line['instance']: line for line in outcomes(tmp_path / 'report.jsonl')}
    assert fates['1.2.3.4.2']['outcome'] == 'missing'
    assert 'B000' in fates['1.2.3.4.2']['message']


@pytest.mark.parametrize('level', ['series', 'study'])
def test_G2_failed_instances_without_a_list(trolley, peer_ini, home, level):
    """The PACS counts a failure and names none, or cannot be told which series it is of."""
    def script(association, message):
        for i in range(2 if (CT, EXPLICIT) in association.contexts.values() else 0):
            association.store(f'1.2.3.4.{i}', ct(STUDY, SERIES, f'1.2.3.4.{i}'))
        listed = data_set({0x00080058: '1.2.3.4.2'}) if level == 'study' else None
        association.respond(message[0], message[1], 0xb000, listed, completed=2, failed=1)
    with Peer(script) as peer:
        more = ['--series', SERIES] if level == 'series' else []
        result = trolley(peer_ini(peer).replace('searcher = search\n', ''), 'download', '--study',
                         STUDY, *more)
    assert result.status == 3, result.stderr
    assert '(2 stored, 0 skipped, 1 missing, 0 failed)' in result.verdict()
    assert 'B000' in result.stderr


def test_G5_no_space(trolley, peer_ini, home):
    """A full storage: the store is answered with A7xx."""
    script = sender(2, 0xb000)
    with Peer(script) as peer:
        ini = peer_ini(peer).replace('min_free = 0', 'min_free = 1000000GB')
        result = fetch(trolley, ini)
    assert result.status == 1, result.stderr
    assert script.statuses and all(status >> 8 == 0xa7 for status in script.statuses)
    assert files_below(home) == []


def test_G5_acknowledged(trolley, peer_ini, home):
    script = sender(3, 0)
    with Peer(script) as peer:
        result = fetch(trolley, peer_ini(peer))
    assert result.status == 0, result.stderr
    assert script.statuses == [0, 0, 0] and len(files_below(home)) == 3


def test_G6_bytes_as_sent(trolley, peer_ini, home):
    """Whatever the data set holds, group lengths and odd padding too, behind a group 2 of ours."""
    odd = (struct.pack('<HH2sHI', 8, 0, b'UL', 4, 999) + ct(STUDY, SERIES, '1.2.3.4.0', 70002)
           + struct.pack('<HH2sH', 0x7fe1, 0x10, b'LO', 6) + b'A  \0\0\0')

    def script(association, message):
        association.store('1.2.3.4.0', odd)
        association.respond(message[0], message[1], 0, completed=1, failed=0)
    with Peer(script) as peer:
        result = fetch(trolley, peer_ini(peer))
    assert result.status == 0, result.stderr
    path, = files_below(home)
    assert after_meta(home / path) == odd
    meta = pydicom.filereader.read_file_meta_info(home / path)
    assert meta.TransferSyntaxUID == EXPLICIT and meta.MediaStorageSOPClassUID == CT
    assert meta.MediaStorageSOPInstanceUID == '1.2.3.4.0'


def test_G6_deflated(trolley, peer_ini, home):
    """Deflated data sets pass through as they are."""
    import zlib
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(ct(STUDY, SERIES, '1.2.3.4.0')) + packer.flush()
    packed += b'\0' * (len(packed) % 2)

    with Peer(sends((CT, '1.2.840.10008.1.2.1.99'), [], data=packed)) as peer:
        result = fetch(trolley, peer_ini(peer))
    assert result.status == 0, result.stderr
    path, = files_below(home)
    assert after_meta(home / path) == packed


@pytest.mark.parametrize('size', ['4KiB', '128KiB'])
def test_G7_pdu_sizes(trolley, qr_ini, phantoms, home, size):
    ini = qr_ini.replace('type = c-get', f'type = c-get\nmax_pdu = {size}')
    result = trolley(ini, 'download', 'PatientID=OTHER')
    assert result.status == 0, result.stderr
    assert len(files_below(home)) == 2


def test_G9_one_association_for_many_chunks(trolley, peer_ini, home):
    """max_parallel = 1: both series come over the association that is open."""
    associations = set()

    def script(association, message):
        number, request, identifier = message
        associations.add(id(association))
        alive.append(association)
        association.respond(number, request, 0, completed=0, failed=0)
    alive = []
    with Peer(script) as peer:
        ini = peer_ini(peer).replace('type = c-get', 'type = c-get\nmax_parallel = 1')
        trolley(ini.replace('searcher = search\n', ''), 'download', '--from', '-', stdin=(
            'StudyInstanceUID,SeriesInstanceUID\n1.2.3,1.2.3.4\n1.2.3,1.2.3.5\n'))
    assert len(peer.requests) >= 2 and len(associations) == 1


def test_G10_padded_uids(trolley, peer_ini, home):
    def script(association, message):
        association.store('1.2.3.4.10 ', ct(STUDY, SERIES, '1.2.3.4.10'))
        association.respond(message[0], message[1], 0, completed=1, failed=0)
    with Peer(script) as peer:
        result = fetch(trolley, peer_ini(peer))
    assert result.status == 0, result.stderr
    path, = files_below(home)
    assert path.name == '1.2.3.4.10.dcm'


def test_hostile_uid_is_refused(trolley, peer_ini, home):
    def script(association, message):
        statuses.append(association.store('../../etc/passwd', ct(STUDY, SERIES, '1.2.3')))
        association.respond(message[0], message[1], 0, completed=0, failed=1)
    statuses = []
    with Peer(script) as peer:
        fetch(trolley, peer_ini(peer))
    assert statuses and statuses[0] != 0
    assert files_below(home) == []


@pytest.mark.parametrize('how', ['abort', 'close', 'silence'])
def test_broken_in_the_middle_of_a_data_set(trolley, peer_ini, home, how):
    """One instance is whole, the second breaks off: nothing half-written stays."""
    def script(association, message):
        association.store('1.2.3.4.0', ct(STUDY, SERIES, '1.2.3.4.0'))
        number = association.context(CT, EXPLICIT)
        association.send(number, {0x00000002: CT, 0x00000100: 1, 0x00000110: 78, 0x00000700: 0,
                                  0x00001000: '1.2.3.4.1'}, b'')
        association.connection.sendall(association.fragment(
            number, 0, ct(STUDY, SERIES, '1.2.3.4.1')[:1500])[:1000 if how != 'abort' else None])
        if how == 'abort':
            association.abort(0, 0)
        if how == 'silence':
            hold(association.connection)
        raise EOFError
    with Peer(script) as peer:
        ini = peer_ini(peer).replace('dimse_timeout = 3s', 'dimse_timeout = 500ms')
        result = fetch(trolley, ini)
    assert result.status in (1, 3), result.stderr
    assert [path.name for path in files_below(home)] == ['1.2.3.4.0.dcm']
    assert scratch_files(home) == []
