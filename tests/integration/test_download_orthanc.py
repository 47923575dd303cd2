"""download through wado-rs from a real Orthanc. SPDX-License-Identifier: MIT"""

import hashlib
import json

import pytest

from program import files_below, outcomes, scratch_files


def check_tree(home, expected, orthanc):
    """Exactly the files of `expected`, each bit for bit as WADO-RS sends it."""
    assert files_below(home) == sorted(instance.in_tree for instance in expected)
    for instance in expected:
        sent = orthanc.instance(instance.study, instance.series, instance.uid)
        assert (home / instance.in_tree).read_bytes() == sent, instance.in_tree
    assert scratch_files(home) == []


def test_query(trolley, web_ini, orthanc, phantoms, home, tmp_path):
    expected = phantoms.of('PHANTOM')
    result = trolley(web_ini, 'download', 'PatientID=PHANTOM', '--report', 'report.jsonl')
    assert result.status == 0, result.stderr
    check_tree(home, expected, orthanc)
    assert result.verdict().startswith(
        'complete: 24 of 24 instances (24 stored, 0 skipped, 0 missing, 0 failed), ')
    lines = outcomes(tmp_path / 'report.jsonl')
    assert sorted((line['study'], line['series'], line['instance']) for line in lines) \
        == sorted((i.study, i.series, i.uid) for i in expected)
    for line in lines:
        path = tmp_path / line['path'] if not line['path'].startswith('/') else line['path']
        data = open(path, 'rb').read()
        assert line['outcome'] == 'stored'
        assert line['downloader'] == 'fetch'
        assert line['bytes'] == len(data)
        assert line['sha256'] == hashlib.sha256(data).hexdigest()
        assert line['transfer_syntax'] == '1.2.840.10008.1.2.1'


def test_second_run_skips_all(trolley, web_ini, orthanc, phantoms, home, tmp_path):
    study = phantoms.studies('PHANTOM')[0]
    assert trolley(web_ini, 'download', '--study', study).status == 0
    times = {path: (home / path).stat().st_mtime_ns for path in files_below(home)}
    again = trolley(web_ini, 'download', '--study', study, '--report', 'report.jsonl')
    assert again.status == 0, again.stderr
    assert again.verdict().startswith(
        'complete: 8 of 8 instances (0 stored, 8 skipped, 0 missing, 0 failed), 0 B in ')
    assert {line['outcome'] for line in outcomes(tmp_path / 'report.jsonl')} == {'skipped'}
    assert {path: (home / path).stat().st_mtime_ns for path in files_below(home)} == times
    check_tree(home, phantoms.of_study(study), orthanc)


def test_resume_fetches_what_is_missing(trolley, web_ini, orthanc, phantoms, home):
    study = phantoms.studies('PHANTOM')[1]
    expected = phantoms.of_study(study)
    assert trolley(web_ini, 'download', '--study', study).status == 0
    for instance in expected[:3]:
        (home / instance.in_tree).unlink()
    again = trolley(web_ini, 'download', '--study', study)
    assert again.status == 0, again.stderr
    assert '(3 stored, 5 skipped, 0 missing, 0 failed)' in again.verdict()
    check_tree(home, expected, orthanc)


@pytest.mark.parametrize('depth', ['study', 'series', 'instance'])
def test_references(trolley, web_ini, orthanc, phantoms, home, depth):
    chosen = phantoms.of('PHANTOM')[0]
    arguments = ['--study', chosen.study]
    expected = phantoms.of_study(chosen.study)
    if depth != 'study':
        arguments += ['--series', chosen.series]
        expected = [i for i in expected if i.series == chosen.series]
    if depth == 'instance':
        arguments += ['--instance', chosen.uid]
        expected = [chosen]
    result = trolley(web_ini, 'download', *arguments)
    assert result.status == 0, result.stderr
    check_tree(home, expected, orthanc)


@pytest.mark.parametrize('form', ['csv', 'jsonl'])
@pytest.mark.parametrize('level', ['study', 'series', 'instance'])
def test_find_piped_into_download(trolley, web_ini, orthanc, phantoms, home, level, form):
    found = trolley(web_ini, 'find', 'PatientID=OTHER', '--level', level, '--format', form)
    assert found.status == 0, found.stderr
    result = trolley(web_ini, 'download', '--from', '-', stdin=found.stdout)
    assert result.status == 0, result.stderr
    check_tree(home, phantoms.of('OTHER'), orthanc)


def test_output_without_storage(trolley, orthanc, phantoms, tmp_path, web_ini):
    ini = web_ini.replace('storage = home\n', '')
    result = trolley(ini, 'download', 'PatientID=OTHER', '--output', 'elsewhere')
    assert result.status == 0, result.stderr
    check_tree(tmp_path / 'elsewhere', phantoms.of('OTHER'), orthanc)
    assert not (tmp_path / 'home').exists()


def test_flat_storage(trolley, web_ini, orthanc, phantoms, home):
    result = trolley(web_ini.replace('type = tree', 'type = flat'), 'download', 'PatientID=OTHER')
    assert result.status == 0, result.stderr
    expected = phantoms.of('OTHER')
    assert [str(path) for path in files_below(home)] == sorted(i.uid + '.dcm' for i in expected)
    for i in expected:
        assert (home / (i.uid + '.dcm')).read_bytes() == orthanc.instance(i.study, i.series, i.uid)


def test_dry_run_writes_nothing(trolley, web_ini, phantoms, home):
    result = trolley(web_ini, 'download', 'PatientID=OTHER', '--dry-run')
    assert result.status == 0, result.stderr
    assert phantoms.studies('OTHER')[0] in result.stdout
    assert not home.exists() or files_below(home) == []


def test_overwrite_replaces(trolley, web_ini, orthanc, phantoms, home, tmp_path):
    expected = phantoms.of('OTHER')
    assert trolley(web_ini, 'download', 'PatientID=OTHER').status == 0
    result = trolley(web_ini, 'download', 'PatientID=OTHER', '--overwrite', '--report',
                     'report.jsonl')
    assert result.status == 0, result.stderr
    lines = outcomes(tmp_path / 'report.jsonl')
    assert [line['outcome'] for line in lines] == ['replaced'] * len(expected)
    for line in lines:
        assert line['previous_sha256'] == line['sha256']
    check_tree(home, expected, orthanc)


def test_verify_tells_a_changed_file(trolley, web_ini, phantoms, home, tmp_path):
    """Other bytes under the same UID are never overwritten silently."""
    expected = phantoms.of('OTHER')
    assert trolley(web_ini, 'download', 'PatientID=OTHER').status == 0
    victim = home / expected[0].in_tree
    victim.chmod(0o640)
    changed = bytearray(victim.read_bytes())
    changed[-1] ^= 1
    victim.write_bytes(changed)
    result = trolley(web_ini, 'download', 'PatientID=OTHER', '--verify', '--report', 'report.jsonl')
    assert victim.read_bytes() == changed
    lines = {line['instance']: line for line in outcomes(tmp_path / 'report.jsonl')}
    assert lines[expected[1].uid]['outcome'] == 'skipped'
    assert lines[expected[0].uid]['outcome'] != 'skipped', result.stderr


def test_missing_instance_is_partial(trolley, web_ini, orthanc, phantoms, home, tmp_path):
    """One of two references is unknown to the server: the other arrives, exit 3."""
    known = phantoms.of('OTHER')[0]
    unknown = known.uid + '.9'
    lines = ['StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID']
    lines += [','.join((known.study, known.series, uid)) for uid in (known.uid, unknown)]
    result = trolley(web_ini, 'download', '--from', '-', '--report', 'report.jsonl',
                     stdin='\n'.join(lines) + '\n')
    assert result.status == 3, result.stderr
    fates = {line['instance']: line['outcome'] for line in outcomes(tmp_path / 'report.jsonl')}
    assert fates == {known.uid: 'stored', unknown: 'missing'}
    assert result.verdict().startswith('partial: 1 of 2 instances (1 stored, 0 skipped, 1 missing')
    check_tree(home, [known], orthanc)


def test_unknown_study_fails(trolley, web_ini, home):
    result = trolley(web_ini, 'download', '--study', '1.2.3.4.5')
    assert result.status == 1, result.stderr
    assert '1.2.3.4.5' in result.stderr
    assert not home.exists() or files_below(home) == []


def test_query_without_match_fails(trolley, web_ini):
    result = trolley(web_ini, 'download', 'PatientID=NOBODY')
    assert result.status == 1, result.stderr


def test_misspelt_key(trolley, web_ini, home):
    """Exit 2 with file, line and the right key, before any I/O."""
    ini = web_ini.replace('min_free = 0', 'min_fre = 0')
    line = ini.splitlines().index('min_fre = 0') + 1
    result = trolley(ini, 'download', 'PatientID=OTHER')
    assert result.status == 2
    assert f'trolley.ini:{line}' in result.stderr
    assert 'min_fre' in result.stderr and 'min_free' in result.stderr.replace('min_fre"', '')
    assert not home.exists()


def test_unverified(trolley, web_ini, orthanc, phantoms, home):
    """Without a searcher nobody says what to expect: complete, and said; or partial if insisted."""
    ini = web_ini.replace('searcher = search\n', '')
    study = phantoms.studies('OTHER')[0]
    result = trolley(ini, 'download', '--study', study)
    assert result.status == 0, result.stderr
    assert result.verdict().startswith('unverified: 2')
    check_tree(home, phantoms.of('OTHER'), orthanc)
    insisted = trolley(ini, 'download', '--study', study, '--output', 'second',
                       '--require-verified')
    assert insisted.status == 3, insisted.stderr


def test_locked_server(trolley, orthanc_locked, web_ini, orthanc, home):
    ini = web_ini.replace(orthanc.dicom_web, orthanc_locked.dicom_web)
    result = trolley(ini, 'download', 'PatientID=OTHER')
    assert result.status == 4, result.stderr
    assert '401' in result.stderr
    assert not home.exists() or files_below(home) == []


def test_real_files(trolley, orthanc_samples, web_ini, orthanc, home):
    """All sample files that Orthanc took: compressed, deflated, big endian, without pixels."""
    ini = web_ini.replace(orthanc.dicom_web, orthanc_samples.dicom_web)
    found = trolley(ini, 'find', '--format', 'jsonl')
    assert found.status == 0, found.stderr
    result = trolley(ini, 'download', '--from', '-', stdin=found.stdout)
    assert result.status == 0, result.stderr
    stored = [json.loads(orthanc_samples.get(f'/instances/{identifier}/simplified-tags'))
              for identifier in json.loads(orthanc_samples.get('/instances'))]
    assert len(stored) > 50
    assert len(files_below(home)) == len(stored)
    for tags in stored:
        uids = tags['StudyInstanceUID'], tags['SeriesInstanceUID'], tags['SOPInstanceUID']
        path = home / uids[0] / uids[1] / (uids[2] + '.dcm')
        assert path.read_bytes() == orthanc_samples.instance(*uids), path
