# SPDX-License-Identifier: Apache-2.0
"""kill -9, a long stop, and a reboot, of each program at each step that it writes down and at random instants."""

import os
import random
import signal
import time

from matrix import Case, Skip
from reboot import new_boot
from scene import FAILS, JOINS, RETRIES, SCENARIOS, WORKS_LONG, Scene, need_root, not_here, until_it_hits
from tracer import calls_in, need_strace, strace

TITLE = "kill -9, SIGSTOP and reboot"
METHOD = """\
A step is one replacement of the agent's record.json or the keeper's attempt.json. How many there are is counted in an
undisturbed enrollment, traced by strace. The kill is strace's: a SIGKILL as renameat() is entered, so that the old record
stands (before), or as the directory's fsync() is entered, so that the new one stands and nothing of what it announces
has been done (after). That it hit is read from the log, whose last call has no result. Random instants are uniform over
the time that an undisturbed enrollment took a moment before; SEED repeats them, and whoever was to be killed was there.
Agent and keeper are started again as their units would, `ece-enroll run` by calling it again."""

BEFORE, AFTER = "before", "after"
RENAME, SYNC = "renameat", "fsync"
ENTERED = {BEFORE: RENAME, AFTER: SYNC}
INSTANTS, INSTANTS_BOUNDED = 200, 30
STOPS, STOPS_BOUNDED = 24, 4
STOP_S = 3
EARLIER = 0.8


# Undisturbed

class Course:
    """An undisturbed enrollment: how many steps each program writes down, and how long it takes untraced."""

    def __init__(self, how, scenario):
        self.how, self.scenario = how, scenario
        self.agent, self.keeper = self._steps()
        with Scene(how, scenario) as scene:
            scene.begin()
            self.duration_s = scene.to_the_end()

    def _steps(self):
        with Scene(self.how, self.scenario) as scene:
            scene.begin(lambda start: watch(scene, "agent", start), lambda start: watch(scene, "keeper", start))
            scene.to_the_end()
            return tuple(len(replacements(scene.tracing / ("%s-1" % who), name))
                         for who, name in (("agent", "record.json"), ("keeper", "attempt.json")))


def watched_directory(scene, who):
    return scene.bench.state if who == "agent" else scene.keeper_directory


def watch(scene, who, start, inject=None):
    user = scene.bench.user.pw_name if who == "keeper" else None
    return strace(scene.tracing / ("%s-%d" % (who, start)), (RENAME, SYNC), inject,
                  only_path=watched_directory(scene, who), user=user)


def replacements(log, name):
    return [rest for call, rest in calls_in(log) if call == RENAME and '"%s"' % name in rest]


# At a step

class Victims:
    """Who is killed: the program that was at its step, and who dies with it."""

    def __init__(self, who, with_both):
        self.who, self.with_both = who, with_both

    def words(self, how) -> str:
        if how == "run":
            return "the run and its keeper" if self.with_both else "the run"
        other = "keeper" if self.who == "agent" else "agent"
        return "the %s%s" % (self.who, " and the " + other if self.with_both else "")


def was_killed(log, number, when) -> bool:
    """Is the last call of the log the one at which it was to die, and has it no result?"""
    calls = [(name, rest) for name, rest in calls_in(log) if name in (RENAME, SYNC)]
    entered = [rest for name, rest in calls if name == ENTERED[when]]
    return bool(calls) and calls[-1][0] == ENTERED[when] and len(entered) == number and entered[-1].endswith("= ?")


def kill_at_step(how, scenario, victims, number, when, then=lambda scene: None) -> str:
    need_strace()
    inject = "%s:signal=KILL:when=%d" % (ENTERED[when], number)
    with Scene(how, scenario) as scene:
        log = scene.tracing / (victims.who + "-1")

        def wrap(who):
            return lambda start: watch(scene, who, start, inject) if who == victims.who and start == 1 else ()

        def hit():
            return was_killed(log, number, when)

        scene.begin(wrap("agent"), wrap("keeper"))
        scene.until_hit(hit)
        if victims.with_both:
            scene.kill_keeper() if victims.who == "agent" else scene.agent.kill()
        then(scene)
        scene.to_the_end()
        return scene.verdict()


def step_case(course, victims, number, when, then=None, what="kill -9 of") -> Case:
    how, scenario = course.how, course.scenario
    total = course.agent if victims.who == "agent" else course.keeper
    fault = "%s, %s: %s %s %s the %s's write %d of %d" % (
        how, scenario.name, what, victims.words(how), when, victims.who, number, total)

    def run():
        return until_it_hits(lambda _: kill_at_step(how, scenario, victims, number, when, *([then] if then else [])))

    return Case(fault, scenario.expects(how), run)


def steps(course):
    """Every step of the course before and after, alone and with the other program."""
    whose = [("agent", course.agent)] + ([("keeper", course.keeper)] if course.how == "service" else [])
    for who, total in whose:
        for number in range(1, total + 1):
            for when in (BEFORE, AFTER):
                for with_both in (False, True):
                    yield Victims(who, with_both), number, when


def bounded(course, victims, number, when) -> bool:
    """The choice for everyday: each step of an enrollment once, and the writes around the installer of the others."""
    if course.scenario is JOINS and course.how == "service":
        return when == AFTER and not victims.with_both
    if course.scenario is WORKS_LONG and course.how == "service" and victims.who == "keeper":
        return when == AFTER and 2 <= number <= 3
    return when == AFTER and victims.with_both and victims.who == "agent" and number % 3 == 0


def worthwhile(course, victims, number, when) -> bool:
    """A long installation differs from a short one only while it goes on: who dies then is what matters."""
    return course.scenario is not WORKS_LONG or (course.how == "service" and when == AFTER)


# At an instant

def kill_agent(scene) -> bool:
    return scene.agent.kill()


def kill_keeper(scene) -> bool:
    return scene.kill_keeper()


def kill_both(scene) -> bool:
    """The keeper is not always there; the agent is."""
    scene.kill_keeper()
    return scene.agent.kill()


VICTIMS = {("service", "the agent"): kill_agent, ("service", "the keeper"): kill_keeper,
           ("service", "both"): kill_both, ("run", "the run"): kill_agent, ("run", "the run and its keeper"): kill_both}


def wait_until(instant) -> None:
    time.sleep(max(0.0, instant - time.monotonic()))


def at_instant(how, scenario, instant_s, act, tried=0) -> str:
    """act(scene): does it, and says whether there was somebody to do it to; earlier, when that has failed."""
    with Scene(how, scenario) as scene:
        scene.begin()
        wait_until(scene.began + instant_s * EARLIER ** tried)
        scene.until_hit(lambda: act(scene))
        scene.to_the_end()
        return scene.verdict()


def instants(courses, count, seed):
    dice = random.Random(seed)
    for number in range(1, count + 1):
        how, whom = dice.choice(list(VICTIMS))
        course = courses[how, dice.choice(SCENARIOS).name]
        yield number, course, whom, dice.uniform(0, course.duration_s)


def instant_cases(courses, count, seed):
    for number, course, whom, instant_s in instants(courses, count, seed):
        act = VICTIMS[course.how, whom]
        yield Case("%s, %s: kill -9 of %s at instant %d, %.3f s of %.3f s" % (
                       course.how, course.scenario.name, whom, number, instant_s, course.duration_s),
                   course.scenario.expects(course.how),
                   lambda c=course, i=instant_s, a=act: until_it_hits(
                       lambda tried: at_instant(c.how, c.scenario, i, a, tried)))


# Stopped for a while

def stop_then_go_on(whom):
    def act(scene) -> bool:
        stop = {"the agent": (scene.agent.kill,), "the keeper": (scene.kill_keeper,),
                "both": (scene.agent.kill, scene.kill_keeper)}[whom]
        if not all([each(signal.SIGSTOP) for each in stop]):
            for each in stop:
                each(signal.SIGCONT)
            return False
        time.sleep(STOP_S)
        for each in stop:
            each(signal.SIGCONT)
        return True
    return act


def stop_cases(course, count, seed):
    dice = random.Random(seed)
    for number in range(1, count + 1):
        whom, instant_s = ("the agent", "the keeper", "both")[number % 3], dice.uniform(0, course.duration_s)
        yield Case("service, joins: %s stopped for %d s at instant %d, %.3f s" % (whom, STOP_S, number, instant_s),
                   course.scenario.expects("service"),
                   lambda i=instant_s, w=whom: until_it_hits(
                       lambda tried: at_instant("service", JOINS, i, stop_then_go_on(w), tried)))


# A reboot

def reboot_cases(courses, full):
    for scenario in (JOINS, RETRIES, FAILS, WORKS_LONG):
        course = courses["service", scenario.name]
        for number in range(1, course.agent + 1):
            if full or (scenario is JOINS and number % 2 == 0) or number == course.agent // 2:
                yield step_case(course, Victims("agent", True), number, AFTER, new_boot, "reboot, with a kill of")


# All

def cases(full):
    try:
        need_strace()
        need_root("have another boot id")
    except Skip as missing:
        yield not_here(missing)
        return
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
    print("# kills: SEED=%d repeats the random instants" % seed, flush=True)
    courses = {(how, scenario.name): Course(how, scenario) for how in ("service", "run") for scenario in SCENARIOS}
    for course in courses.values():
        for step in steps(course):
            if bounded(course, *step) or (full and worthwhile(course, *step)):
                yield step_case(course, *step)
    yield from instant_cases(courses, INSTANTS if full else INSTANTS_BOUNDED, seed)
    yield from stop_cases(courses["service", "joins"], STOPS if full else STOPS_BOUNDED, seed)
    yield from reboot_cases(courses, full)
