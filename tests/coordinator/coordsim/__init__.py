# SPDX-License-Identifier: Apache-2.0
"""A simulator of the ECE coordinator's REST API, for tests.

It is written from what is publicly known of the API, not from what our agent sends: where the two
disagree, the agent is wrong. Where the public sources are silent the simulator is strict, and
where they contradict each other a fault rule shows the other answer.

Layers, each importing only those above it:

    jwt, pki                 crypto: tokens, certificate chains
    accounts, state          who may ask; what the platform knows
    faults                   scripted lies and failures
    views, api               shapes of replies; operations and their routes
    server, join, control    the three doors: HTTPS, stand-in hosts, the test itself
    cli                      options, files, life cycle
"""
