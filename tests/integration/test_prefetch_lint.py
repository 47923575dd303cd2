"""What `check` has to say about settings before they run. SPDX-License-Identifier: MIT"""

import pytest

from prefetch_driver import export

SEARCH = '[searcher search]\ntype = qido-rs\nurl = http://pacs.invalid/rs\n'
TREE = '[storage tree]\ntype = tree\npath = kept\nmin_free = 0\n'
FRAME = 'http://proxy.invalid/wado?o=[2]&f=[3]'
CLEAN = ('accept = image/jpeg\ncache_control = no-cache\nsearcher = search\nqueue = q\n' + SEARCH +
         '[queue q]\nmax_retries = 3\n')
RULE = '[rule r]\nentity = Series\nexporter = e\n'
WATCH = '[watch w]\nsearcher = search\n'
ERROR, WARNING, INFO = 1, 2, 3


def lint(folder, text):
    done = export(folder, text, 'e', '1.2', options=['-l'])
    assert done.stderr == '', done.stderr
    return done, [(f['severity'], f['section'], f['finding']) for f in done.findings]


def test_nothing_to_say(tmp_path):
    done, findings = lint(tmp_path, f'{RULE}[exporter e]\nuri = {FRAME}\n{CLEAN}{WATCH}')
    assert (done.status, findings) == (0, [])
    assert done.urls == ['http://proxy.invalid/wado?o=1.2.3.4.5&f=1']


def test_urls_of_an_example(tmp_path):
    text = (f'[exporter e]\nuri = wado:http://x/s/[0]/[1]/[2]/[3]?a=%2F\nurl.1 = http://x/s/[0]\n'
            f'url.2 = http://x/\n{CLEAN}')
    done, _ = lint(tmp_path, text)
    assert done.urls == ['http://x/s/1.2.3/1.2.3.4/1.2.3.4.5/1?a=%2F', 'http://x/s/1.2.3', 'http://x/']


CASES = [
    # keys of the exporter, other sections, what is found
    ('', '', (INFO, 'no rule names it')),
    ('url.1 = http://x/[4]', RULE, (WARNING, 'url.1: [4] is no placeholder')),
    ('url.1 = http://x/[0]/[12]', RULE, (WARNING, 'url.1: [12] is no placeholder')),
    ('url.1 = http://pacs[0].invalid/', RULE, (WARNING, 'url.1: a placeholder in the name')),
    ('url.1 = http://x/[1]?f=[3]', RULE, (WARNING, 'url.1: it asks for a frame ([3]) without')),
    ('accept_encoding = gzip, br;q=1', RULE, (WARNING, 'uri: accept_encoding = gzip, br;q=1')),
    ('url.1 = http://x/[0]\naccept.1 =', RULE, (INFO, 'url.1: without accept')),
    ('url.1 = http://x/[0]\ncache_control.1 =', RULE, (WARNING, 'url.1: nothing is stored')),
    ('url.1 = http://x/[0]\nstorage.1 = tree', RULE + TREE, (ERROR, 'url.1: [storage tree] names')),
    ('storage = gone', RULE + '[storage gone]\ntype = nosuchtype\npath = x\n', (ERROR, 'nosuchtype')),
    ('session = s', RULE + '[session s]\nauth = basic\nuser = u\n', (INFO, 'it logs in as')),
    ('session = s', RULE + '[session s]\nauth = nosuchauth\n', (ERROR, 'nosuchauth')),
    ('', RULE + '[rule b]\nentity = Study\nexporter = e\n', (WARNING, '[rule r] and [rule b]')),
]


@pytest.mark.parametrize('keys, more, wanted', CASES)
def test_findings(tmp_path, keys, more, wanted):
    text = f'[exporter e]\nuri = {FRAME}\n{keys}\n{CLEAN}{WATCH}{more}'
    done, findings = lint(tmp_path, text)
    found = [(severity, message) for severity, section, message in findings
             if section == 'exporter e']
    assert len(found) == 1, findings
    assert found[0][0] == wanted[0] and wanted[1] in found[0][1], findings
    assert done.status == (1 if wanted[0] == ERROR else 0)


def test_rules_without_a_trigger(tmp_path):
    _, findings = lint(tmp_path, f'{RULE}[exporter e]\nuri = {FRAME}\n{CLEAN}')
    assert [(f[0], f[1]) for f in findings] == [(WARNING, 'prefetch')]
    assert 'nothing triggers the rules' in findings[0][2]
    _, findings = lint(tmp_path,
                       f'[prefetch]\non_download = yes\n{RULE}[exporter e]\nuri = {FRAME}\n{CLEAN}')
    assert findings == []


def test_watches_without_a_rule(tmp_path):
    _, findings = lint(tmp_path, f'[exporter e]\nuri = {FRAME}\n{CLEAN}{WATCH}')
    assert any('there is no [rule]' in f[2] for f in findings)


def test_searcher_that_cannot(tmp_path):
    """MINT's searcher names instances; a type that is none is told."""
    text = f'{RULE}[exporter e]\nuri = {FRAME}\n{CLEAN}{WATCH}'.replace('type = qido-rs',
                                                                        'type = nosuchtype')
    done, findings = lint(tmp_path, text)
    assert done.status == 1 and (ERROR, 'exporter e') in [f[:2] for f in findings]


def test_queue_without_retries(tmp_path):
    text = f'{RULE}[exporter e]\nuri = {FRAME}\n{CLEAN}{WATCH}'.replace('max_retries = 3\n', '')
    _, findings = lint(tmp_path, text)
    assert [f[0] for f in findings] == [INFO] and 'max_retries = 0' in findings[0][2]
