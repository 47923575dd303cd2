"""Small disks, and programs that have no right to write. SPDX-License-Identifier: MIT"""

import contextlib
import ctypes
import os
import subprocess

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1


def mount(folder, options):
    return os.geteuid() == 0 and subprocess.run(
        ['mount', '-t', 'tmpfs', '-o', options, 'none', folder], capture_output=True,
        check=False).returncode == 0


@contextlib.contextmanager
def small_disk(folder, options):
    """A file system with those options of tmpfs on a new folder. Yields whether one could be mounted:
    an ordinary user may not."""
    folder.mkdir()
    mounted = mount(folder, options)
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(['umount', folder], check=True)


def grow(folder, size):
    subprocess.run(['mount', '-o', f'remount,size={size}', folder], check=True)


def obey_permissions():
    """Root without its right to pass by them; to be called in a new process."""
    if os.geteuid() == 0:
        ctypes.CDLL(None, use_errno=True).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)
