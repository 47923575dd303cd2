#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A MINT server: /vitrea speaks Vitrea Connection's dialect, /reference that of the reference server
1.x, whose recorded answers lie in mint/. A fault is asked for by a word in front of the dialect:

    /ignore/vitrea         parameters are ignored: everything is answered
    /behind/vitrea         a node's attributes stand behind its children
    /twice/vitrea          every study is listed twice
    /nouid/vitrea          the first study, series and instance have no UID
    /cut/vitrea            the connection closes within the answer, whose length was told
    /short/vitrea          the answer ends too early, by its own length
    /bomb/ /external/      a document type with entities; /nested/ 100,000 elements deep
    /huge/vitrea           an attribute of 10 MB
    /login/ /odd/          an HTML page with 200 (odd: called XML); /denied/ 401, /fault/ 500
    /repeat/reference      offset is ignored; /shift/reference each page repeats one study
    /gone404/ /gone410/    a listed study is gone; /broken/ it is answered with 500
    /evil/reference        UUIDs that must not enter a path

`with MintServer(studies) as server:` has url and requests, a list of (path, parameters).
"""
import http.server
import json
import pathlib
import threading
import urllib.parse
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

from pydicom import datadict, dcmread
from pydicom.multival import MultiValue

SPACE = 'http://medical.nema.org/mint'
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n' \
       '<?xml-stylesheet type="text/xsl" href="style.xsl"?>\n'
RECORDED = pathlib.Path(__file__).resolve().parent / 'mint'
LEVELS = ('STUDY', 'SERIES', 'INSTANCE')
UIDS = ('StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID')


@dataclass
class Node:
    """A study, a series or an instance: values by keyword."""
    values: dict
    children: list = field(default_factory=list)
    uuid: str = ''
    modified: str = ''


def archive(studies=3, series=2, instances=2, patient='MINT'):
    """Studies of 1, 2, 3 March 2020 and so on."""
    made = []
    for i in range(1, studies + 1):
        uid = f'1.2.826.0.1.3680043.10.999.{i}'
        study = Node({'StudyInstanceUID': uid, 'PatientID': f'{patient}{i}',
                      'PatientName': f'Ünal^Nr{i}', 'AccessionNumber': f'ACC{i}',
                      'StudyDate': f'202003{i:02}', 'StudyDescription': 'a & "b" <c> \\ d'},
                     [], f'00000000-0000-0000-0000-{i:012}', f'2026-11-{i:02}T20:29:02.498Z')
        for j in range(1, series + 1):
            one = Node({'SeriesInstanceUID': f'{uid}.{j}', 'Modality': 'CT' if j == 1 else 'SR',
                        'SeriesDescription': f'S{j}'})
            one.children = [Node({'SOPInstanceUID': f'{uid}.{j}.{k}',
                                  'TransferSyntaxUID': '1.2.840.10008.1.2.1',
                                  'SOPClassUID': '1.2.840.10008.5.1.4.1.1.2',
                                  'InstanceNumber': str(k)}) for k in range(1, instances + 1)]
            study.children.append(one)
        made.append(study)
    return made


STUDY_WORDS = ('StudyInstanceUID', 'PatientID', 'PatientName', 'AccessionNumber', 'StudyDate',
               'StudyDescription', 'PatientSex', 'InstitutionName')
SERIES_WORDS = ('SeriesInstanceUID', 'Modality', 'SeriesDescription', 'SeriesNumber')
INSTANCE_WORDS = ('SOPInstanceUID', 'SOPClassUID', 'InstanceNumber')


def values_of(header, keywords):
    """Values as text, several joined by backslashes."""
    found = {}
    for keyword in keywords:
        value = header.get(keyword)
        several = value if isinstance(value, (list, MultiValue)) else [value]
        found[keyword] = '\\'.join(str(one) for one in several if one is not None)
    return found


def archive_of(paths):
    """The studies of these DICOM files."""
    studies, series = {}, {}
    for path in paths:
        header = dcmread(path, stop_before_pixels=True)
        uids = [str(header[keyword].value) for keyword in UIDS]
        if uids[0] not in studies:
            number = len(studies) + 1
            studies[uids[0]] = Node(values_of(header, STUDY_WORDS), [],
                                    f'00000000-0000-0000-0000-{number:012}',
                                    '2026-11-01T20:29:02.498Z')
        if tuple(uids[:2]) not in series:
            series[tuple(uids[:2])] = Node(values_of(header, SERIES_WORDS))
            studies[uids[0]].children.append(series[tuple(uids[:2])])
        syntax = str(header.file_meta.TransferSyntaxUID)
        series[tuple(uids[:2])].children.append(
            Node({**values_of(header, INSTANCE_WORDS), 'TransferSyntaxUID': syntax}))
    return list(studies.values())


def attr(keyword, value):
    tag = datadict.tag_for_keyword(keyword)
    return f'<attr tag="{tag:08x}" vr="{datadict.dictionary_VR(tag)}" val={quoteattr(value)}/>'


def wildcard(pattern, value):
    if '*' not in pattern:
        return pattern == value
    return value.startswith(pattern.split('*')[0])


class Vitrea:
    """The search of Vitrea Connection: all in one answer."""

    def __init__(self, studies, fault):
        self.studies, self.fault = studies, fault

    def matches(self, study, asked):
        if self.fault == 'ignore':
            return True
        date = study.values['StudyDate']
        if not asked.get('minStudyDate', '') <= date <= asked.get('maxStudyDate', '9'):
            return False
        values = dict(study.values)
        for series in study.children:
            for keyword in ('SeriesInstanceUID', 'SeriesDescription'):
                if wildcard(asked.get(keyword, '*'), series.values[keyword]):
                    values[keyword] = asked.get(keyword, '')
        return all(wildcard(asked[key], values.get(key, '')) for key in asked
                   if datadict.tag_for_keyword(key))

    def node(self, node, level, deepest, fields):
        name = ('study', 'series', 'instance')[level]
        shown = {UIDS[level]} | fields | ({'TransferSyntaxUID'} if level == 2 else set())
        if self.fault == 'nouid' and node.values[UIDS[level]].endswith('.1'):
            shown.discard(UIDS[level])
        own = ''.join(attr(key, value) for key, value in node.values.items() if key in shown)
        below = ''.join(self.node(child, level + 1, deepest, fields) for child in node.children) \
            if level < deepest else ''
        head = f' studyUUID="{node.uuid}" lastModified="{node.modified}" version="1"' \
            if level == 0 else ''
        inner = below + own if self.fault == 'behind' else own + below
        return f'<{name}{head}>{inner}</{name}>'

    def search(self, asked):
        deepest = LEVELS.index(asked.get('QueryLevel', 'STUDY'))
        if self.fault == 'nouid':
            deepest = 2
        fields = set(filter(None, asked.get('IncludeFields', '').split(',')))
        found = [study for study in self.studies if self.matches(study, asked)]
        if int(asked.get('limit', 0)) and self.fault != 'ignore':
            found = found[:int(asked['limit'])]
        if self.fault == 'twice':
            found = [study for study in found for _ in range(2)]
        echo = ''.join(attr(key, value) for key, value in asked.items()
                       if datadict.tag_for_keyword(key))
        body = ''.join(self.node(study, 0, deepest, fields) for study in found)
        if self.fault == 'huge':
            body = f'<study>{attr("StudyDescription", "x" * 10_000_000)}</study>'
        return f'{HEAD}<studySearchResults xmlns="{SPACE}">{echo}{body}</studySearchResults>'


class Reference:
    """The reference server 1.x: a search lists UUIDs, summary and metadata tell the rest."""
    KEYS = {'studyInstanceUID': 'StudyInstanceUID', 'accessionNumber': 'AccessionNumber',
            'patientID': 'PatientID'}

    def __init__(self, studies, fault):
        self.studies, self.fault = studies, fault

    def matches(self, study, asked):
        day = study.modified[:10].replace('-', '')
        if not asked.get('minStudyDate', '0') <= day:
            return False
        if not day < asked.get('maxStudyDate', '9'):
            return False
        return all(asked[key] == study.values[keyword] for key, keyword in self.KEYS.items()
                   if key in asked)

    def search(self, asked):
        limit, page = int(asked.get('limit', 50)), int(asked.get('offset', 1))
        found = [study for study in self.studies if self.matches(study, asked)]
        begin = 0 if self.fault == 'repeat' else (page - 1) * limit
        if self.fault == 'shift':
            begin = max(begin - (page - 1), 0)
        listed = ''.join(
            f'  <study studyUUID={quoteattr(uuid)} lastModified="{study.modified}" version="0"/>\n'
            for study in found[begin:begin + limit]
            for uuid in ((study.uuid, '', '..', 'a/../b') if self.fault == 'evil'
                         else (study.uuid,)))
        inner = f'>\n{listed}</studySearchResults>\n' if listed else '/>\n'
        return f'{HEAD}<studySearchResults xmlns="{SPACE}" timeZone="GMT" offset="{page}" ' \
               f'limit="{limit}"{inner}'

    @staticmethod
    def attributes(values, name='attributes'):
        return f'<{name}>{"".join(attr(key, value) for key, value in values.items())}</{name}>'

    def document(self, study, whole):
        series = ''
        for node in study.children:
            instances = ''.join(
                f'<instance sopInstanceUID="{child.values["SOPInstanceUID"]}" '
                f'transferSyntaxUID="{child.values["TransferSyntaxUID"]}">'
                f'{self.attributes(child.values)}</instance>' for child in node.children)
            below = self.attributes({'InstitutionName': 'Hospital ' + node.values['Modality']},
                                    'normalizedInstanceAttributes') \
                + f'<instances>{instances}</instances>' if whole else ''
            series += f'<series seriesInstanceUID="{node.values["SeriesInstanceUID"]}" ' \
                      f'instanceCount="{len(node.children)}">{self.attributes(node.values)}' \
                      f'{below}</series>'
        uid = study.values['StudyInstanceUID']
        return f'{HEAD}<study xmlns="{SPACE}" studyInstanceUID="{uid}" type="DICOM" version="0">' \
               f'{self.attributes(study.values)}<seriesList>{series}</seriesList></study>'


WHOLE = {
    'bomb': '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>'
            f'<studySearchResults xmlns="{SPACE}">&c;</studySearchResults>',
    'external': '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
                f'<studySearchResults xmlns="{SPACE}">&a;</studySearchResults>',
    'nested': f'<studySearchResults xmlns="{SPACE}">' + '<study>' * 100_000,
}
LOGIN = '<!DOCTYPE html>\n<html><head>\n<title>Please log in</title></head><body></body></html>'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def reply(self, status, text, content_type='application/xml', cut=False):
        body = text if isinstance(text, bytes) else text.encode()
        self.send_response(status)
        if content_type:
            self.send_header('Content-Type', content_type)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body[:len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut

    def study(self, reference, parts):
        name = {'gone404': 'metadata-404.body', 'gone410': 'deleted.body'}.get(reference.fault)
        found = [study for study in reference.studies if study.uuid == parts[0]]
        if name and found == reference.studies[:1]:
            return self.reply(404 if '404' in name else 410, (RECORDED / name).read_bytes(),
                              'text/html')
        if reference.fault == 'broken':
            return self.reply(500, LOGIN, 'text/html')
        if not found or parts[1:2] != ['DICOM'] or parts[2] not in ('summary', 'metadata'):
            return self.reply(404, (RECORDED / 'metadata-404.body').read_bytes(), 'text/html')
        return self.reply(200, reference.document(found[0], parts[2] == 'metadata'), 'text/xml')

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        pairs = urllib.parse.parse_qsl(url.query, keep_blank_values=True)
        self.server.owner.requests.append((url.path, pairs))
        parts = [urllib.parse.unquote(part) for part in url.path.strip('/').split('/')]
        fault = parts.pop(0) if parts[0] not in ('vitrea', 'reference') else ''
        dialect = {'vitrea': Vitrea, 'reference': Reference}[parts[0]](
            self.server.owner.studies, fault)
        if fault in ('denied', 'fault'):
            return self.reply({'denied': 401, 'fault': 500}[fault], LOGIN, 'text/html')
        if fault in ('login', 'odd'):
            return self.reply(200, LOGIN, 'text/html' if fault == 'login' else 'application/xml')
        if len(parts) > 2:
            return self.study(dialect, parts[2:])
        if parts[0] == 'reference' and not dict(pairs).get('minStudyDate', '0').isdigit():
            return self.reply(400, (RECORDED / 'search-baddate.body').read_bytes(), 'text/html')
        text = WHOLE.get(fault) or dialect.search(dict(pairs))
        if fault == 'short':
            text = text[:len(text) // 2]
        return self.reply(200, text, '' if parts[0] == 'reference' else 'application/xml;v=1',
                          fault == 'cut')


class MintServer:
    def __init__(self, studies=None):
        self.studies = archive() if studies is None else studies
        self.requests = []
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.server.owner = self
        self.url = f'http://127.0.0.1:{self.server.server_port}'

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


if __name__ == '__main__':
    with MintServer() as running:
        print(json.dumps({'url': running.url}), flush=True)
        input()
