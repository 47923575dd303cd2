#!/usr/bin/env python3
"""An imaging document source: answers RAD-69 (IHE RAD TF-2 4.69) with the DICOM files of a folder.

Requests are checked against the profile (see check_request); one that breaks it is answered with a
SOAP fault and kept in `complaints`. How it answers is the fault mode in the URL's path, `/MODE` or
`/MODE/ARGUMENT`; `/ok` follows the profile. SPDX-License-Identifier: MIT
"""

import base64
import http.server
import re
import threading
import urllib.parse
import uuid
import xml.etree.ElementTree as etree
from dataclasses import dataclass, field

import pydicom

SOAP = 'http://www.w3.org/2003/05/soap-envelope'
ADDRESSING = 'http://www.w3.org/2005/08/addressing'
IMAGING = 'urn:ihe:rad:xdsi-b:2009'
XDS = 'urn:ihe:iti:xds-b:2007'
REGISTRY = 'urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0'
XOP = 'http://www.w3.org/2004/08/xop/include'
ACTION = 'urn:ihe:rad:2009:RetrieveImagingDocumentSet'
STATUS = 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:'
SEVERITY = 'urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:'
PARTIAL = 'urn:ihe:iti:2007:ResponseStatusType:PartialSuccess'

for _prefix, _uri in (('soap', SOAP), ('wsa', ADDRESSING), ('xds', XDS), ('rs', REGISTRY),
                      ('xop', XOP)):
    etree.register_namespace(_prefix, _uri)


@dataclass
class Request:
    """One RetrieveImagingDocumentSetRequest as it was understood."""
    message_id: str
    to: str
    documents: list  # of (study, series, community, repository, instance)
    syntaxes: list
    body: bytes
    headers: dict

    @property
    def series(self):
        return sorted({document[:2] for document in self.documents})

    @property
    def instances(self):
        return [document[4] for document in self.documents]


def expect(condition, what):
    if not condition:
        raise ValueError(what)


def only(parent, space, name):
    children = parent.findall(f'{{{space}}}{name}')
    expect(len(children) == 1, f'{len(children)} elements {name} in {parent.tag}')
    return children[0]


def children(parent, space, *names):
    """All children, whose names must be these."""
    for child in parent:
        expect(child.tag in [f'{{{space}}}{name}' for name in names],
               f'{child.tag} in {parent.tag}')
    return list(parent)


def read_document(element, study, series):
    texts = {child.tag.rpartition('}')[2]: child.text or '' for child in children(
        element, XDS, 'HomeCommunityId', 'RepositoryUniqueId', 'DocumentUniqueId')}
    order = [child.tag.rpartition('}')[2] for child in element]
    expect(order == [name for name in ('HomeCommunityId', 'RepositoryUniqueId',
                                       'DocumentUniqueId') if name in order],
           f'order of {order}')
    return (study, series, texts.get('HomeCommunityId'), texts['RepositoryUniqueId'],
            texts['DocumentUniqueId'])


def check_request(headers, body):
    """What RAD TF-2 4.69.4.1.2 and SOAP 1.2 ask of the message. Raises ValueError."""
    kind, _, rest = headers['Content-Type'].partition(';')
    expect(kind == 'application/soap+xml', f'Content-Type {kind}')
    expect(f'action="{ACTION}"' in rest, f'no action in Content-Type: {rest}')
    expect('multipart/related' in headers.get('Accept', ''), 'Accept has no multipart/related')
    envelope = etree.fromstring(body)
    expect(envelope.tag == f'{{{SOAP}}}Envelope', envelope.tag)
    header, content = only(envelope, SOAP, 'Header'), only(envelope, SOAP, 'Body')
    action = only(header, ADDRESSING, 'Action')
    expect(action.text == ACTION, f'action {action.text}')
    expect(action.get(f'{{{SOAP}}}mustUnderstand') == '1', 'mustUnderstand of the action')
    message_id = only(header, ADDRESSING, 'MessageID').text
    expect(message_id == f'urn:uuid:{uuid.UUID(message_id[9:])}', f'MessageID {message_id}')
    request = only(content, IMAGING, 'RetrieveImagingDocumentSetRequest')
    expect([child.tag for child in request][-1] == f'{{{IMAGING}}}TransferSyntaxUIDList',
           'TransferSyntaxUIDList is not the last')
    documents = [
        read_document(document, study.attrib['studyInstanceUID'],
                      series.attrib['seriesInstanceUID'])
        for study in request.findall(f'{{{IMAGING}}}StudyRequest')
        for series in children(study, IMAGING, 'SeriesRequest')
        for document in children(series, XDS, 'DocumentRequest')]
    expect(documents, 'nothing is asked for')
    syntaxes = [child.text for child in children(
        only(request, IMAGING, 'TransferSyntaxUIDList'), IMAGING, 'TransferSyntaxUID')]
    expect(syntaxes, 'no transfer syntax')
    return Request(message_id, only(header, ADDRESSING, 'To').text, documents, syntaxes, body,
                   dict(headers.items()))


@dataclass
class Answer:
    """An answer in the making; fault modes change it before or after it is written."""
    documents: list  # of (instance, cid, bytes)
    status: str = STATUS + 'Success'
    errors: list = field(default_factory=list)  # of (code, context, severity, location)
    http: int = 200
    hrefs: dict = field(default_factory=dict)  # of an instance, when not "cid:" and its cid
    content_id: object = '<{}>'.format
    inline: bool = False
    root_last: bool = False
    start: bool = True
    part_fields: list = field(default_factory=list)
    boundary: str = 'uuid:0ca0e16e-feb1-426c-97d8-c4508ada5e82'

    def envelope(self):
        envelope = etree.Element(f'{{{SOAP}}}Envelope')
        header = etree.SubElement(envelope, f'{{{SOAP}}}Header')
        etree.SubElement(header, f'{{{ADDRESSING}}}Action').text = ACTION + 'Response'
        body = etree.SubElement(envelope, f'{{{SOAP}}}Body')
        response = etree.SubElement(body, f'{{{XDS}}}RetrieveDocumentSetResponse')
        registry = etree.SubElement(response, f'{{{REGISTRY}}}RegistryResponse',
                                    status=self.status)
        if self.errors:
            errors = etree.SubElement(registry, f'{{{REGISTRY}}}RegistryErrorList')
            for code, context, severity, location in self.errors:
                etree.SubElement(errors, f'{{{REGISTRY}}}RegistryError', errorCode=code,
                                 codeContext=context, severity=SEVERITY + severity,
                                 location=location)
        for instance, cid, data in self.documents:
            document = etree.SubElement(response, f'{{{XDS}}}DocumentResponse')
            etree.SubElement(document, f'{{{XDS}}}RepositoryUniqueId').text = '1.3.6.1.4.1000'
            etree.SubElement(document, f'{{{XDS}}}DocumentUniqueId').text = instance
            etree.SubElement(document, f'{{{XDS}}}mimeType').text = 'application/dicom'
            content = etree.SubElement(document, f'{{{XDS}}}Document')
            if self.inline:
                content.text = base64.encodebytes(data).decode()
            else:
                etree.SubElement(content, f'{{{XOP}}}Include',
                                 href=self.hrefs.get(instance, 'cid:' + cid))
        return envelope

    def root(self):
        return etree.tostring(self.envelope(), encoding='UTF-8', xml_declaration=True)

    @property
    def content_type(self):
        start = '; start="<root.message@trolley>"' if self.start else ''
        return (f'multipart/related; type="application/xop+xml"; boundary="{self.boundary}"{start}'
                '; start-info="application/soap+xml"')

    def parts(self, root=None):
        """Header fields and body of each part, the root among them."""
        root = (['Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"',
                 'Content-Transfer-Encoding: binary',
                 'Content-ID: <root.message@trolley>'], self.root() if root is None else root)
        parts = [(['Content-Type: application/dicom', 'Content-Transfer-Encoding: binary',
                   f'Content-ID: {self.content_id(cid)}', *self.part_fields], data)
                 for _, cid, data in ([] if self.inline else self.documents)]
        return [*parts, root] if self.root_last else [root, *parts]

    def body(self, root=None):
        delimiter = b'--' + self.boundary.encode()
        out = []
        for fields, data in self.parts(root):
            out += [delimiter, b'\r\n', *(line.encode() + b'\r\n' for line in fields), b'\r\n',
                    data, b'\r\n']
        return b''.join(out) + delimiter + b'--\r\n'


def fault(code, reason, subcode=None):
    envelope = etree.Element(f'{{{SOAP}}}Envelope')
    element = etree.SubElement(etree.SubElement(envelope, f'{{{SOAP}}}Body'), f'{{{SOAP}}}Fault')
    outer = etree.SubElement(element, f'{{{SOAP}}}Code')
    etree.SubElement(outer, f'{{{SOAP}}}Value').text = 'soap:' + code
    if subcode:
        inner = etree.SubElement(outer, f'{{{SOAP}}}Subcode')
        etree.SubElement(inner, f'{{{SOAP}}}Value').text = subcode
    text = etree.SubElement(etree.SubElement(element, f'{{{SOAP}}}Reason'), f'{{{SOAP}}}Text')
    text.text = reason
    text.set('{http://www.w3.org/XML/1998/namespace}lang', 'en')
    return etree.tostring(envelope, encoding='UTF-8', xml_declaration=True)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            pass

    def send(self, code, kind, body, cut=None):
        """`cut`: so many bytes of the body, then the connection is closed."""
        self.send_response(code)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.wfile.flush()
            self.close_connection = True

    def do_GET(self):
        self.send(405, 'text/plain', b'SOAP takes POST\n')

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        path = urllib.parse.urlsplit(self.path).path
        mode, _, argument = path.strip('/').partition('/')
        try:
            request = check_request(self.headers, body)
            expect(request.to == self.server.owner.front + self.path, f'To {request.to}')
        except (ValueError, KeyError, IndexError, etree.ParseError) as error:
            self.server.owner.complaints.append(f'{error}: {body!r}')
            self.send(400, 'application/soap+xml', fault('Sender', str(error)))
            return
        with self.server.owner.lock:
            self.server.owner.requests.append(request)
        getattr(self, 'mode_' + mode.replace('-', '_'))(request, *([argument] if argument else []))

    def answer(self, request):
        return self.server.owner.answer(request.instances)

    def give(self, answer, root=None):
        self.send(answer.http, answer.content_type, answer.body(root))

    def first_request(self):
        return len(self.server.owner.requests) == 1

    # ---- what the profile says

    def mode_ok(self, request):
        answer = self.answer(request)
        absent = [uid for uid in request.instances if uid not in self.server.owner.files]
        answer.errors = [('XDSMissingDocument', f'No document with UID {uid}.', 'Error', 'here')
                         for uid in absent]
        if absent:
            answer.status = PARTIAL if answer.documents else STATUS + 'Failure'
        self.give(answer)

    # ---- shapes of a good answer

    def mode_shuffled(self, request):
        """Parts in another order than the documents of the message."""
        answer = self.answer(request)
        parts, body = answer.parts, answer.body
        answer.parts = lambda root=None: [parts(root)[0], *reversed(parts(root)[1:])]
        self.send(200, answer.content_type, body())

    def mode_root_last(self, request):
        answer = self.answer(request)
        answer.root_last = True
        self.give(answer)

    def mode_no_start(self, request):
        answer = self.answer(request)
        answer.start = False
        self.give(answer)

    def mode_percent(self, request):
        """The usual urn:uuid in an email-like id, percent-encoded in the href as RFC 2392 asks."""
        answer = self.answer(request)
        answer.documents = [(uid, f'1.urn:uuid:{uid}@a+b', data)
                            for uid, _, data in answer.documents]
        answer.hrefs = {uid: 'cid:' + urllib.parse.quote(cid, safe='')
                        for uid, cid, _ in answer.documents}
        self.give(answer)

    def mode_no_brackets(self, request):
        answer = self.answer(request)
        answer.content_id = str
        self.give(answer)

    def mode_inline(self, request):
        answer = self.answer(request)
        answer.inline = True
        self.give(answer)

    def mode_inline_soap(self, request):
        """Without MTOM at all."""
        answer = self.answer(request)
        answer.inline = True
        self.send(200, 'application/soap+xml; charset=UTF-8', answer.root())

    def mode_base64_parts(self, request):
        answer = self.answer(request)
        parts = [(uid, cid, base64.encodebytes(data)) for uid, cid, data in answer.documents]
        answer.documents = parts
        body = answer.body().replace(
            b'Content-Type: application/dicom\r\nContent-Transfer-Encoding: binary',
            b'Content-Type: application/dicom\r\nContent-Transfer-Encoding: base64')
        self.send(200, answer.content_type, body)

    def mode_octets(self, request):
        answer = self.answer(request)
        self.send(200, answer.content_type,
                  answer.body().replace(b'application/dicom\r\n', b'application/octet-stream\r\n'))

    # ---- what servers say of what they do not bring

    def mode_silent_gap(self, request, uid):
        """The document is not there, under Success, without an error."""
        answer = self.answer(request)
        answer.documents = [document for document in answer.documents if document[0] != uid]
        self.give(answer)

    def mode_partial(self, request, code='XDSMissingDocument'):
        """PartialSuccess: the first document of the request is missing, and an error tells it."""
        answer = self.answer(request)
        uid = answer.documents.pop(0)[0]
        answer.status = PARTIAL
        answer.errors = [(code, f'Document {uid} is not here', 'Error', f'urn:oid:{uid}'),
                         ('XDSRepositoryMetadataError', 'index is old', 'Warning', '')]
        self.give(answer)

    def mode_failure(self, request, code='XDSMissingDocument'):
        answer = self.answer(request)
        answer.documents = []
        answer.status = STATUS + 'Failure'
        answer.errors = [(code, 'nothing <found> & "nowhere"', 'Error', '')]
        self.give(answer)

    def mode_failure_of_series(self, request, series):
        """A plain SOAP error document for one series, the others are answered."""
        if request.series[0][1] != series:
            self.mode_ok(request)
            return
        answer = Answer([], STATUS + 'Failure', [('XDSMissingDocument', 'no such series', 'Error',
                                                  '')])
        self.send(200, 'application/soap+xml; charset=UTF-8', answer.root())

    def mode_failure_without_reason(self, request):
        answer = Answer([], STATUS + 'Failure')
        self.give(answer)

    def mode_busy_once(self, request):
        if not self.first_request():
            self.mode_ok(request)
            return
        answer = Answer([], STATUS + 'Failure', [('XDSRepositoryBusy', 'later', 'Error', '')])
        self.send(200, 'application/soap+xml', answer.root())

    def mode_lost_part(self, request):
        """The message announces a part that the answer does not have."""
        answer = self.answer(request)
        root = answer.root()
        answer.documents.pop()
        self.give(answer, root)

    def mode_fault(self, request, code='500'):
        status = int(code)
        self.send(status, 'application/soap+xml; charset=UTF-8',
                  fault('Receiver' if status >= 500 else 'Sender', 'database is down',
                        'tns:Internal'))

    def mode_fault_11(self, request):
        text = ('<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault>'
                '<faultcode>e:Client</faultcode><faultstring>old soap</faultstring>'
                '</e:Fault></e:Body></e:Envelope>')
        self.send(500, 'text/xml; charset=utf-8', text.encode())

    # ---- broken and hostile answers

    def mode_malformed(self, request):
        """The message is no XML; the parts are good."""
        answer = self.answer(request)
        self.give(answer, answer.root().replace(b'</xds:RetrieveDocumentSetResponse>', b'</oops>'))

    def mode_malformed_alone(self, request):
        self.send(200, 'application/soap+xml', b'<soap:Envelope><unclosed>')

    def mode_bomb(self, request):
        bomb = b'<!DOCTYPE a [<!ENTITY l0 "lol">' + b''.join(
            b'<!ENTITY l%d "%s">' % (n, b'&l%d;' % (n - 1) * 10) for n in range(1, 10))
        self.give(self.answer(request), bomb + b']><a>&l9;</a>')

    def mode_deep(self, request):
        self.give(self.answer(request), b'<a>' * 100000 + b'</a>' * 100000)

    def mode_wide(self, request):
        self.give(self.answer(request), b'<a b="' + b'x' * 10000000 + b'"/>')

    def mode_endless_message(self, request):
        self.give(self.answer(request), b'<a>' + b'<b>words</b>' * 2500000 + b'</a>')

    def mode_html(self, request):
        self.send(200, 'text/html; charset=utf-8', b'<!DOCTYPE html><title>Log in</title>\n<p>')

    def mode_no_boundary(self, request):
        self.send(200, 'multipart/related; type="application/xop+xml"', b'--x\r\n')

    def mode_not_dicom(self, request):
        answer = self.answer(request)
        uid, cid, _ = answer.documents[0]
        answer.documents[0] = (uid, cid, b'not DICOM at all, but long enough to be read' * 20)
        self.give(answer)

    def mode_bad_base64(self, request):
        answer = self.answer(request)
        answer.inline = True
        root = answer.root()
        start = root.index(b'<xds:Document>') + 200
        self.give(answer, root[:start] + b'*' + root[start:])

    def mode_cut(self, request, place):
        """The first answer is cut off after so many bytes (from its end when negative)."""
        answer = self.answer(request)
        body = answer.body()
        cut = int(place) % len(body) if self.first_request() else None
        self.send(200, answer.content_type, body, cut)

    def mode_cut_always(self, request, place):
        answer = self.answer(request)
        self.send(200, answer.content_type, answer.body(), int(place))

    def mode_unclosed(self, request):
        """Whole by Content-Length, but without the closing delimiter, each time."""
        answer = self.answer(request)
        body = answer.body()
        self.send(200, answer.content_type, body[:body.rindex(b'\r\n--')])

    def mode_unclosed_with_lengths(self, request):
        answer = self.answer(request)
        delimiter = b'\r\n--' + answer.boundary.encode()
        body = re.sub(rb'Content-ID: <\d+\.([0-9.]+)@trolley>\r\n', self.with_length,
                      answer.body())
        self.send(200, answer.content_type, body[:body.rindex(delimiter)])

    def with_length(self, match):
        length = len(self.server.owner.files[match[1].decode()])
        return match[0] + b'Content-Length: %d\r\n' % length


class Rad69Server:
    """`with Rad69Server(files) as server: server.url + '/ok'`. `files`: paths of DICOM files."""

    def __init__(self, files):
        self.files = {}
        for path in files:
            header = pydicom.dcmread(path, stop_before_pixels=True)
            if 'SOPInstanceUID' in header:
                self.files.setdefault(str(header.SOPInstanceUID), path.read_bytes())
        self.lock = threading.Lock()
        self.requests = []
        self.complaints = []
        self.listener = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.listener.daemon_threads = True
        self.listener.owner = self
        self.url = f'http://127.0.0.1:{self.listener.server_address[1]}'
        self.front = self.url  # as the client knows it, when something stands in front

    def answer(self, instances):
        return Answer([(uid, f'{number}.{uid}@trolley', self.files[uid])
                       for number, uid in enumerate(instances) if uid in self.files])

    def reset(self):
        """Forgets requests, so that each test sees its own."""
        self.requests, self.complaints = [], []

    def __enter__(self):
        threading.Thread(target=self.listener.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown()
        self.listener.server_close()
