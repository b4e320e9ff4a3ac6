# SPDX-License-Identifier: Apache-2.0
"""The Pareto front of {delay when nothing is wrong, busiest second, requests and connections per host, time until 99 % are members}: less is better."""

MEASURES = ("delay", "peak", "effort", "enrolled_99")
NO_WORSE, CLEARLY = 1.02, 0.9


def vector(measured):
    """A fleet that never gets there is worse than any that does."""
    return [float("inf") if measured[name] is None else measured[name] for name in MEASURES]


def beats(a, b):
    return all(x <= y for x, y in zip(a, b)) and any(x < y for x, y in zip(a, b))


def of(measured):
    """Names of those that nobody beats."""
    vectors = {name: vector(m) for name, m in measured.items()}
    return {name for name, v in vectors.items() if not any(beats(other, v) for other in vectors.values())}


def clearly_better(measured, name):
    """Those that are a tenth better in one measure at least, and in none worse by more than the noise of chance: a fiftieth."""
    own = vector(measured[name])
    return [other for other, m in measured.items() if other != name and
            all(x <= y * NO_WORSE for x, y in zip(vector(m), own)) and any(x <= y * CLEARLY for x, y in zip(vector(m), own))]
