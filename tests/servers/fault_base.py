# SPDX-License-Identifier: MIT
"""What a fault of a DICOMweb origin may change, and the register of all by name."""

FAULTS = {}


class Fault:
    """What may go wrong; this one does nothing. A subclass names itself and changes some of it."""
    ignores_offset = False
    always = False  # not only in the first answer

    def prepare(self, server):
        """Called once, before anything is served."""

    def before_search(self, handler, nth):
        """Answers the nth search in its own way and returns True, or leaves it to the origin."""
        return False

    def before_retrieve(self, handler, nth):
        return False

    def records(self, handler, level, rows):
        return rows

    def parts(self, handler, parts, single, nth):
        return parts

    def send(self, handler, parts, single, nth):
        handler.send_parts(parts)


def fault(name, always=None):
    """Registers a class under a name, and another under `always` that never stops doing so."""
    def register(cls):
        FAULTS[name] = cls
        if always:
            FAULTS[always] = type(cls.__name__ + "Always", (cls,), {"always": True})
        return cls
    return register


def first_or(self, nth):
    return self.always or nth == 1


def instance_at(handler, uid):
    """The number of an instance within its study, from 0."""
    state = handler.server.state
    study = next(held.study for held in state.held if held.uid == uid)
    return [held.uid for held in state.held if held.study == study].index(uid)


fault("none")(Fault)
