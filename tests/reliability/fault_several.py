# SPDX-License-Identifier: Apache-2.0
"""Faults that need more than one coordinator, or more than one moment."""


def several(full):
    return ()
