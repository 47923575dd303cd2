"""find through mint on a server that speaks both dialects, and badly on demand. The numbers are
those of the statements that the plugin keeps (see its README). SPDX-License-Identifier: MIT"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'servers'))

import mint_server  # noqa: E402  pylint: disable=wrong-import-position

INI = """[searcher s]
type = mint
url = {url}
{options}
[trolley t]
searcher = s
"""
UIDS = [f'1.2.826.0.1.3680043.10.999.{i}' for i in (1, 2, 3)]
SPACE = '{' + mint_server.SPACE + '}'


@pytest.fixture(scope='module')
def server():
    with mint_server.MintServer() as running:
        yield running


@pytest.fixture
def find(trolley, server):
    """find('/vitrea', 'PatientID=x', ..., options='key = value'): result and the requests made."""
    def call(path, *arguments, options='', command='find'):
        del server.requests[:]
        ini = INI.format(url=server.url + path, options=options)
        if path.endswith('reference'):
            ini = ini.replace('type = mint', 'type = mint\ndialect = reference')
        result = trolley(ini, command, *arguments)
        return result, list(server.requests)
    return call


def rows(result, status=0):
    assert result.status == status, result.stderr
    return result.lines()


def studies(result, status=0):
    return [row['StudyInstanceUID'] for row in rows(result, status)]


# ---- Vitrea's dialect ----

def test_mint_1_parameters_once_and_as_keywords(find):
    result, requests = find('/vitrea', 'PatientName=Ünal*', 'PatientID=MINT2', 'limit=7')
    assert studies(result) == [UIDS[1]]
    [(path, pairs)] = requests
    assert path == '/vitrea/studies'
    assert ('PatientName', 'Ünal*') in pairs and ('PatientID', 'MINT2') in pairs
    assert len({name for name, _ in pairs}) == len(pairs)


@pytest.mark.parametrize('key, value', [
    ('StudyInstanceUID', UIDS[0]), ('AccessionNumber', 'ACC1'), ('PatientID', 'MINT1'),
    ('StudyDescription', 'a*'), ('SeriesInstanceUID', UIDS[0] + '.1'), ('SeriesDescription', 'S1'),
    ('ModalitiesInStudy', 'CT'), ('InstitutionName', 'H*'), ('PatientSex', 'F'),
    ('InstitutionalDepartmentName', 'R'), ('PatientBirthDate', '19700101')])
def test_mint_1_every_key(find, key, value):
    result, [(_, pairs)] = find('/vitrea', f'{key}={value}')
    assert result.status == 0, result.stderr
    assert (key, value) in pairs


def test_mint_1_several_values_are_several_requests(find):
    result, requests = find('/vitrea', 'PatientID=MINT1\\MINT3')
    assert studies(result) == [UIDS[0], UIDS[2]]
    assert [dict(pairs)['PatientID'] for _, pairs in requests] == ['MINT1', 'MINT3']


@pytest.mark.parametrize('level, count', [('study', 3), ('series', 6), ('instance', 12)])
def test_mint_2_levels_and_fields(find, level, count):
    result, [(_, pairs)] = find('/vitrea', '--level', level, '--include', 'PatientName,StudyDate')
    assert len(rows(result)) == count
    asked = dict(pairs)
    assert asked['QueryLevel'] == level.upper()
    assert asked['IncludeFields'] == 'PatientName,StudyDate'
    assert 'limit' not in asked and 'minStudyDate' not in asked
    assert rows(result)[0]['PatientName'] == 'Ünal^Nr1'


@pytest.mark.parametrize('dates, first, last, found', [
    ('20200302', '20200302', '20200302', [UIDS[1]]),
    ('20200302-20200303', '20200302', '20200303', UIDS[1:]),
    ('20200302-', '20200302', '29991231', UIDS[1:]),
    ('-20200302', '19000101', '20200302', UIDS[:2])])
def test_mint_2_dates_both_or_neither(find, dates, first, last, found):
    result, [(_, pairs)] = find('/vitrea', 'StudyDate=' + dates)
    assert studies(result) == found
    assert dict(pairs)['minStudyDate'] == first and dict(pairs)['maxStudyDate'] == last


@pytest.mark.parametrize('options, name', [
    ('dialect = dicomtrolley', 'min_study_date'), ('param.min_study_date = from', 'from'),
    ('param.minStudyDate = from', 'from')])
def test_mint_2_names_by_option(find, options, name):
    _, [(_, pairs)] = find('/vitrea', 'StudyDate=20200302', options=options)
    assert dict(pairs)[name] == '20200302'


def test_mint_2_misspelt_name_is_refused(find):
    result, requests = find('/vitrea', 'PatientID=x', options='param.PatientIDs = x')
    assert result.status == 2 and 'did you mean param.PatientID' in result.stderr
    assert requests == []


@pytest.mark.parametrize('keys, found', [
    (['StudyInstanceUID=' + UIDS[1]], [UIDS[1]]), (['StudyDate=20200303'], [UIDS[2]])])
def test_mint_3_ignored_parameters_are_checked_here(find, keys, found):
    result, [(_, pairs)] = find('/ignore/vitrea', *keys, 'limit=1')
    assert studies(result) == found
    assert '2 studies do not match' in result.stderr
    if 'StudyDate' in keys[0]:
        assert 'StudyDate' in dict(pairs)['IncludeFields'].split(',')


@pytest.mark.parametrize('fault', ['', '/behind', '/twice'])
def test_mint_4_order_of_the_answer_does_not_matter(find, fault):
    plain, _ = find('/vitrea', '--level', 'instance', '--include', 'PatientName,Modality')
    other, _ = find(fault + '/vitrea', '--level', 'instance', '--include', 'PatientName,Modality')
    assert rows(other) == rows(plain)
    assert len(rows(other)) == 12


def test_mint_4_uuid_and_modification_are_kept(find):
    result, _ = find('/vitrea', '--format', 'dicom-json', 'PatientID=MINT2')
    assert result.status == 0, result.stderr
    assert '00000000-0000-0000-0000-000000000002' in result.stdout
    assert '2026-11-02T20:29:02.498Z' in result.stdout


def test_mint_5_nodes_without_uid_are_left_out(find):
    result, _ = find('/nouid/vitrea', '--level', 'instance')
    found = rows(result)
    assert {row['StudyInstanceUID'] for row in found} == set(UIDS[1:])
    assert {row['SOPInstanceUID'] for row in found} == {uid + '.2.2' for uid in UIDS[1:]}
    assert 'without a UID were left out' in result.stderr


def test_mint_5_same_study_twice_is_one(find):
    result, _ = find('/twice/vitrea', 'limit=2')
    assert studies(result) == UIDS[:2]


def test_mint_6_field_of_a_deeper_level(find):
    result, requests = find('/vitrea', '--include', 'Modality')
    assert result.status == 2, result.stderr
    assert 'Modality needs a query of level series' in result.stderr
    assert requests == []
    result, [(_, pairs)] = find('/vitrea', '--include', 'Modality', options='include_check = warn')
    assert len(rows(result)) == 3
    assert 'Modality needs a query of level series' in result.stderr
    assert dict(pairs)['IncludeFields'] == 'Modality'


FIELDS = {
    'study': """PatientID IssuerOfPatientID IssuerOfPatientIDQualifiersSequence PatientName PatientSex
        PatientBirthDate PatientBirthTime StudyInstanceUID AccessionNumber
        IssuerOfAccessionNumberSequence StudyID StudyDate StudyTime ModalitiesInStudy
        ReferringPhysicianName RequestedProcedureID StudyDescription InstanceAvailability
        InstitutionName StudyStatusID ConfidentialityCode ProcedureCodeSequence
        ReasonForPerformedProcedureCodeSequence OtherPatientIDsSequence
        InstitutionalDepartmentName NumberOfStudyRelatedSeries NumberOfStudyRelatedInstances
        SOPClassesInStudy CurrentPatientLocation SourceApplicationEntityTitle""".split(),
    'series': """SeriesInstanceUID Modality SeriesDate SeriesTime SeriesDescription Laterality
        AnatomicRegionSequence BodyPartExamined FrameOfReferenceUID
        PerformedProcedureStepDescription ProtocolName PerformingPhysicianName
        PerformedProcedureStepStartDate PerformedProcedureStepStartTime OperatorsName
        PerformedProcedureStepStatus PresentationIntentType SeriesNumber SeriesType
        SmallestPixelValueInSeries SpatialResolution NumberOfSeriesRelatedInstances Manufacturer
        ManufacturerModelName CorrectedImage DeviceSerialNumber InstitutionAddress SoftwareVersions
        StationName DateOfLastCalibration TimeOfLastCalibration""".split(),
    'instance': """SOPInstanceUID SOPClassUID Rows Columns NumberOfFrames BitsAllocated ContentDate
        ContentTime ObservationDateTime ConceptNameCodeSequence ContentLabel ContentDescription
        PresentationCreationDate PresentationCreationTime ContentCreatorName RetrieveURI
        TransferSyntaxUID InstanceNumber PixelPaddingValue""".split(),
}


@pytest.mark.parametrize('level', list(FIELDS))
def test_mint_6_every_field_of_a_level_is_taken(find, level):
    """Those of the levels above too."""
    levels = list(FIELDS)[:list(FIELDS).index(level) + 1]
    fields = [field for one in levels for field in FIELDS[one]]
    result, [(_, pairs)] = find('/vitrea', '--level', level, '--include', ','.join(fields))
    assert len(rows(result)) == {'study': 3, 'series': 6, 'instance': 12}[level]
    assert dict(pairs)['IncludeFields'].split(',') == fields


@pytest.mark.parametrize('level, deeper', [('study', 'series'), ('study', 'instance'),
                                           ('series', 'instance')])
def test_mint_6_every_field_of_a_deeper_level_is_refused(find, level, deeper):
    for field in FIELDS[deeper]:
        result, requests = find('/vitrea', '--level', level, '--include', field)
        assert result.status == 2, (field, result.stderr)
        assert f'{field} needs a query of level {deeper}' in result.stderr
        assert requests == []


def test_mint_6_unknown_field(find):
    result, requests = find('/vitrea', '--level', 'instance', '--include', 'PixelSpacing')
    assert result.status == 2 and 'PixelSpacing' in result.stderr
    assert requests == []


@pytest.mark.parametrize('fault, status, said', [
    ('denied', 4, ['401', 'Please log in']), ('fault', 1, ['500', 'Please log in']),
    ('login', 1, ['text/html', 'its title is "Please log in"']),
    ('odd', 1, ['application/xml', 'its title is "Please log in"'])])
def test_mint_7_html_pages(find, fault, status, said):
    result, _ = find(f'/{fault}/vitrea', options='max_retries = 0')
    assert result.status == status, result.stderr
    assert all(word in result.stderr for word in said), result.stderr


# ---- the reference dialect ----

def test_mint_8_parameters_and_what_cannot_be_asked(find):
    result, requests = find('/reference', 'PatientID=MINT2', 'AccessionNumber=ACC2',
                            'StudyInstanceUID=' + UIDS[1])
    assert studies(result) == [UIDS[1]]
    assert requests[0][0] == '/reference/studies'
    assert sorted(requests[0][1]) == [
        ('accessionNumber', 'ACC2'), ('limit', '50'), ('offset', '1'), ('patientID', 'MINT2'),
        ('studyInstanceUID', UIDS[1])]
    for key in ('PatientName=Ü*', 'PatientID=MINT*', 'SeriesDescription=S1'):
        result, requests = find('/reference', key)
        assert result.status == 2 and 'client_filter = yes' in result.stderr
        assert requests == []


@pytest.mark.parametrize('key, found', [
    ('PatientName=ünal^nr2', [UIDS[1]]), ('PatientID=*3', [UIDS[2]]), ('SeriesDescription=S2', UIDS),
    ('ModalitiesInStudy=SR', UIDS), ('ModalitiesInStudy=MR', []), ('InstitutionName=*SR', UIDS),
    ('InstitutionName=none', [])])
def test_mint_8_client_filter(find, key, found):
    result, _ = find('/reference', key, options='client_filter = yes')
    assert studies(result) == found


def test_mint_8_client_filter_of_series(find):
    result, _ = find('/reference', 'SeriesDescription=S2', '--level', 'series',
                     options='client_filter = yes')
    assert [row['SeriesInstanceUID'] for row in rows(result)] == [uid + '.2' for uid in UIDS]


def test_mint_8_dates_are_of_upload_there_and_of_the_study_here(find):
    result, requests = find('/reference', 'StudyDate=20200228-20200302')
    assert requests[0][1][:2] == [('minStudyDate', '20200228'), ('maxStudyDate', '20200303')]
    assert studies(result) == [] and 'the day of upload' in result.stderr
    result, requests = find('/reference', 'StudyDate=20200302-', options='study_date = filter')
    assert studies(result) == UIDS[1:]
    assert '1 studies do not match' in result.stderr
    assert [name for name, _ in requests[0][1]] == ['limit', 'offset']


def test_mint_9_pages(find):
    result, requests = find('/reference', options='page_size = 2')
    assert studies(result) == UIDS
    searches = [dict(pairs) for path, pairs in requests if path == '/reference/studies']
    assert searches == [{'limit': '2', 'offset': '1'}, {'limit': '2', 'offset': '2'}]
    result, requests = find('/reference', 'limit=1')
    assert studies(result) == UIDS[:1]
    assert len(requests) == 2


@pytest.mark.parametrize('fault, said', [('shift', ''), ('repeat', 'brought no new study')])
def test_mint_9_repeated_uuids(find, fault, said):
    result, requests = find(f'/{fault}/reference', options='page_size = 2')
    assert studies(result) == (UIDS if fault == 'shift' else UIDS[:2])
    assert said in result.stderr
    asked = [path for path, _ in requests if path.endswith('/summary')]
    assert len(asked) == len(set(asked))


def test_mint_10_second_requests(find):
    result, requests = find('/reference', 'PatientID=MINT1', '--level', 'series')
    assert [row['Modality'] for row in rows(result)] == ['CT', 'SR']
    uuid = '00000000-0000-0000-0000-000000000001'
    assert requests[1][0] == f'/reference/studies/{uuid}/DICOM/summary'
    result, requests = find('/reference', 'PatientID=MINT1', '--level', 'instance')
    found = rows(result)
    assert requests[1][0] == f'/reference/studies/{uuid}/DICOM/metadata'
    assert len(found) == 4
    assert found[0]['StudyDate'] == '20200301' and found[0]['Modality'] == 'CT'


@pytest.mark.parametrize('fault', ['gone404', 'gone410'])
def test_mint_10_gone_in_between(find, fault):
    result, _ = find(f'/{fault}/reference')
    assert studies(result) == UIDS[1:]
    assert '1 studies were gone' in result.stderr


def test_mint_10_a_study_that_fails_is_no_success(find):
    result, _ = find('/broken/reference', options='max_retries = 0')
    assert result.status == 1 and '500' in result.stderr


def test_mint_11_uuids_are_escaped_or_refused(find, server, monkeypatch):
    result, requests = find('/evil/reference', 'PatientID=MINT1')
    assert studies(result) == UIDS[:1]
    assert '3 studies were left out: their studyUUID' in result.stderr
    assert len(requests) == 2
    odd = mint_server.archive(1)
    odd[0].uuid = 'a b?c#d%2e'
    monkeypatch.setattr(server, 'studies', odd)
    result, requests = find('/reference')
    assert studies(result) == UIDS[:1]
    assert requests[1][0] == '/reference/studies/a%20b%3Fc%23d%252e/DICOM/summary'


@pytest.mark.parametrize('fault, said', [
    ('bomb', 'document type'), ('external', 'document type'), ('nested', 'nested too deep'),
    ('huge', 'value is too long'), ('cut', 'GET'), ('short', 'too early')])
def test_mint_12_hostile_answers(find, fault, said):
    result, _ = find(f'/{fault}/vitrea', options='max_retries = 0')
    assert result.status in (1, 3), result.stderr
    assert said in result.stderr


def test_mint_12_what_came_before_a_cut_is_shown(find):
    result, _ = find('/short/vitrea', '--level', 'instance', options='max_retries = 0')
    assert studies(result, 3)[:4] == UIDS[:1] * 4


# ---- ping, and the fixture itself ----

@pytest.mark.parametrize('path', ['/vitrea', '/reference'])
def test_ping(find, path):
    result, [(asked, pairs)] = find(path, command='ping')
    assert result.status == 0, result.stderr
    assert asked == path + '/studies' and dict(pairs)['limit'] == '1'
    result, _ = find('/login' + path, command='ping')
    assert result.status == 1 and 'Please log in' in result.stderr + result.stdout


def shape(element):
    """Names of elements and attributes, as nested tuples without repetitions."""
    return (element.tag, tuple(sorted(element.attrib)),
            tuple(dict.fromkeys(shape(child) for child in element)))


def recorded(name):
    return ElementTree.fromstring((mint_server.RECORDED / name).read_bytes())


def test_the_fixture_answers_as_the_recorded_server():
    reference = mint_server.Reference(mint_server.archive(4), '')
    ours = ElementTree.fromstring(reference.search({'limit': '1'}).encode())
    assert shape(ours) == shape(recorded('search-limit1.body'))
    assert {**ours.attrib} == recorded('search-limit1.body').attrib
    assert shape(ElementTree.fromstring(reference.search({'limit': '1', 'offset': '9'}).encode())) \
        == shape(recorded('search-off9.body'))
    assert shape(ElementTree.fromstring(reference.search({'nonsense': '1'}).encode())) \
        == shape(recorded('search-unknownparam.body'))


def recorded_values(name, path):
    found = {}
    for attr in recorded(name).iterfind('/'.join(SPACE + step for step in path)):
        found[attr.get('tag')] = attr.get('val', '')
    return found


@pytest.mark.parametrize('level, name', [('series', 'summary-study.xml'),
                                         ('instance', 'metadata-study.xml'),
                                         ('instance', 'metadata-all-vr.xml')])
def test_mint_10_recorded_documents_are_read(find, server, monkeypatch, level, name):
    text = (mint_server.RECORDED / name).read_text(encoding='utf-8')
    monkeypatch.setattr(mint_server.Reference, 'document', lambda *_: text)
    result, _ = find('/reference', '--level', level, '--format', 'dicom-json', 'limit=1')
    assert result.status == 0, result.stderr
    document = recorded(name)
    tag = {'series': 'series', 'instance': 'instance'}[level]
    for element in document.iter(SPACE + tag):
        uid = element.get('seriesInstanceUID') or element.get('sopInstanceUID')
        assert f'"{uid}"' in result.stdout
    for value in recorded_values(name, ['attributes', 'attr']).values():
        if value and value.isalnum():
            assert value in result.stdout
