"""Runs the program on a pseudo-terminal, and reads what stands there. SPDX-License-Identifier: MIT"""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
import unicodedata

SGR = re.compile(r'\x1b\[[0-9;]*m')


def environment(folder, **extra):
    env = {**os.environ, 'HOME': str(folder), 'TERM': 'xterm', **extra}
    for name in ('COLUMNS', 'NO_COLOR'):
        if name not in extra:
            env.pop(name, None)
    return env


def command(ini, *arguments):
    return [os.environ['TROLLEY'], '--config', str(ini), *map(str, arguments)]


def on_terminal(ini, columns, *arguments, during=None, lines=24, **extra):
    """Runs with standard output and standard error on a terminal of that size. `during(child,
    text)` is called as text comes. Returns the exit status and all that was sent."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', lines, columns, 0, 0))
    child = subprocess.Popen(command(ini, *arguments), cwd=ini.parent, stdin=slave, stdout=slave,
                             stderr=slave, env=environment(ini.parent, **extra))
    os.close(slave)
    data = b''
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if not select.select([master], [], [], 1)[0]:
            continue
        try:
            data += os.read(master, 65536)
        except OSError:     # the other end is closed
            break
        if during:
            during(child, data.decode('utf-8', 'replace'))
    os.close(master)
    return child.wait(timeout=60), data.decode('utf-8')


def width(text):
    """Columns of text, by what Unicode says of its characters."""
    return sum(0 if unicodedata.category(c) in ('Mn', 'Me', 'Cf') else
               2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in text)


def screen(text):
    """The lines that a terminal shows in the end. Any control but those the program may use fails."""
    lines, row, column = [''], 0, 0
    for part in re.findall(r'\x1b\[[0-9;]*[A-Za-z]|\r|\n|[^\r\n\x1b]+|\x1b', SGR.sub('', text)):
        if part == '\r':
            column = 0
        elif part == '\n':
            row, column = row + 1, 0
            lines += [''] * (row + 1 - len(lines))
        elif part == '\x1b[K':
            lines[row] = lines[row][:column]
        elif part == '\x1b[A':
            assert row > 0
            row -= 1
        else:
            assert part.isprintable(), repr(part)
            lines[row] = lines[row][:column] + part + lines[row][column + len(part):]
            column += len(part)
    return lines
