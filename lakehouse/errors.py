"""Errors for the person who must act. Each carries the exit code the command line ends with."""

from __future__ import annotations


class LakehouseError(Exception):
    """What is wrong, where, and what to do about it. Shown without a traceback."""

    exit_code = 1


class Findings(LakehouseError):
    """Something in the data must be acted on."""


class Misuse(LakehouseError):
    """A command, a setting or a document is wrong."""

    exit_code = 2


class Busy(LakehouseError):
    """Another writer holds the lease, or the store cannot be reached: a retry may help."""

    exit_code = 3
