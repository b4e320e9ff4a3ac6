# SPDX-License-Identifier: Apache-2.0
"""The power of the host is cut: at each point of each write of the record, and at writes of the disk, whoever made them."""

import dataclasses
import itertools
import random
import subprocess
import tempfile

import power_programs
from matrix import Case
from power_disk import BLOCK, Disk, Image
from power_machine import Died, Lab, fresh_image, program
from power_world import TOKENS_MAX, World

TITLE = "Power cut"
METHOD = """A virtual machine (qemu, without KVM) enrolls on a disk with a write cache of its own; what is to be remembered stands outside.
When the power is cut, the disk takes nothing any more and qemu is killed: what was in the kernel's memory is lost, and of what the disk
had not been told to flush, all, nothing or a part survives. A second machine goes on with what is left, to the end. That a cut
loses what was not synced has cases of its own, and so has an agent that doesn't sync: its loss has to be seen.

There are three kinds. *Write N of the record*: the machine holds the agent's own state machine, record and replacing of
files, stops before and behind each of their system calls, and is cut there. *Every write of the disk*: an undisturbed enrollment's
writes are kept with their flushes, and the disk is put together as it would have been after each of them: in order, with
some of the unflushed blocks missing, or with half of the last write. *Agent and keeper*: the machine holds the real programs,
installer's script and all, and is cut with the N-th write of its disk, whoever made it; coordinator and container engine stand
outside."""

POINTS = {
    # what the disk must have after a cut there: the record before this write, or the one that is being written
    "unwritten": ("old", "before it"),
    "written": ("old", "written, not synced"),
    "synced": ("old", "synced, not renamed"),
    "renamed": ("old or new", "renamed, directory not synced"),
    "directory-synced": ("new", "directory synced"),
}
SECTOR = 512
SAMPLES = 3
DISKS_MAX = 20  # a machine has room for a few more


def survivals(seed):
    """What of the disk's own cache reaches the medium."""
    chance = random.Random(seed)
    return (lambda position: True, lambda position: False, lambda position: chance.random() < 0.5)


@dataclasses.dataclass
class Story:
    """What an enrollment has said about itself."""

    found: str = ""
    saves: list = dataclasses.field(default_factory=list)  # (digest, state), the first one is number 1
    left: dict = dataclasses.field(default_factory=dict)  # files beside the record, with their first word
    end: str = ""


def play(line, worlds, cut_at=None, on_point=None):
    """Answers for the worlds (one a disk) until the machine is off or at cut_at: (number of the save, point), or ("do", deed) for
    the moment in which the world has done what an action asked for, or what happens by itself, and the machine has not heard of
    it. A Story for each."""
    stories = [Story() for _ in worlds]
    number = 0
    while True:
        word, *rest = line.hear()
        story, world = stories[number], worlds[number]
        if word == "off":
            return stories
        if word == "disk":
            number = int(rest[0])
        elif word == "found":
            story.found = rest[0]
        elif word == "save":
            story.saves.append((rest[1], rest[2]))
        elif word == "left":
            story.left[rest[0]] = rest[1] if len(rest) > 1 else ""
        elif word == "end":
            story.end = rest[0]
        elif word == "at":
            if on_point:
                on_point(int(rest[0]), rest[1], story)
            if cut_at == (int(rest[0]), rest[1]):
                return stories
            line.say("go")
        else:
            answer = world.answer(rest[0] if word == "do" else "idle")
            deed = rest[0] if word == "do" else answer.split()[0]
            if on_point:
                on_point(0, deed, story)
            if cut_at == ("do", deed):
                return stories
            line.say(answer)


class Rehearsal:
    """The same program on this machine, without a disk of its own: which writes are there?"""

    def __init__(self, folder):
        self.process = subprocess.Popen([program(), folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def hear(self):
        line = self.process.stdout.readline()
        if not line or line.startswith("bad"):
            raise Died(line or "power-host ended")
        return line.split()

    def say(self, line):
        print(line, file=self.process.stdin, flush=True)


def rehearse():
    """The states of the saves of an undisturbed enrollment."""
    with tempfile.TemporaryDirectory(prefix="power-") as folder:
        line = Rehearsal(folder)
        story = play(line, [World()])[0]
        line.process.wait()
    return [state for _, state in story.saves]


# --- One cut ----------------------------------------------------------------------------------------------------------------


def cut_at(lab, image, task, point):
    """A machine that enrolls until it is there. The disk, the world, and what was told until then."""
    disk, world = Disk(image), World()
    with lab.boot(task, [disk]) as machine:
        story = play(machine, [world], point)[0]
        machine.cut()
    if story.end:
        raise Died("the enrollment was over before %s" % (point,))
    world.power_cut()
    return disk, world, story


def name_of(found, story):
    """Is the record that was found the one before the last save, or that one?"""
    digests = ["nothing"] + [digest for digest, _ in story.saves]
    return {digests[-1]: "new", digests[-2]: "old"}.get(found, "of another time" if found in digests else found)


def verdict(story, world, record):
    installers = "%d installer%s" % (world.successes, "" if world.successes == 1 else "s")
    trouble = [world.broken] if world.broken else []
    trouble += ["a container is left"] if world.container else []
    trouble += ["%d tokens" % world.tokens] if world.tokens > TOKENS_MAX else []
    return ", ".join([story.end or "no end", installers, "record " + record, *trouble])


def go_on(lab, disks, worlds):
    """Enrolls on each disk to its end."""
    with lab.boot("enroll", disks) as machine:
        stories = play(machine, worlds)
        machine.process.wait()
    return stories


def seen_after_cut(lab, image, point, expected_record):
    disk, world, before = cut_at(lab, image, "enroll", point)
    disks = [Disk(disk.image_after_cut(survives)) for survives in survivals(repr(point))]
    worlds = [world.copy() for _ in disks]
    seen = []
    for story, after in zip(go_on(lab, disks, worlds), worlds):
        record = name_of(story.found, before)
        seen.append(verdict(story, after, expected_record if record in expected_record.split(" or ") else record))
    return "; ".join(sorted(set(seen)))


def deed_case(deed, what, tokens):
    """Between two writes: the world has done it, and only the record from before knows."""

    def run():
        with Lab() as lab:
            disk, world, before = cut_at(lab, fresh_image(), "enroll", ("do", deed))
            after = world.copy()
            story = go_on(lab, [Disk(disk.image_after_cut(lambda position: False))], [after])[0]
            return "%s, %d token%s" % (verdict(story, after, name_of(story.found, before)), after.tokens, "s" * (after.tokens > 1))

    return Case(what, "ENROLLED, 1 installer, record new, %d token%s" % (tokens, "s" * (tokens > 1)), run)


def cut_case(number, state, point, file_system="ext4"):
    record, when = POINTS[point]

    def run():
        with Lab(file_system) as lab:
            return seen_after_cut(lab, fresh_image(file_system), (number, point), record)

    return Case("write %d of the record (%s), %s%s" % (number, state, when, "" if file_system == "ext4" else ", on " + file_system),
                "ENROLLED, 1 installer, record " + record, run)


# --- Every write of the disk --------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Moment:
    """The disk as a cut at a certain moment leaves it."""

    image: Image
    world: World
    records: set  # digests, one of which has to be on it


def undisturbed(lab, image):
    """The log of a disk over an enrollment without a fault, marked with what stood outside at each moment."""
    disk, world = Disk(image), World()

    def mark(number, point, story):
        digests = ["nothing"] + [digest for digest, _ in story.saves]
        # While nothing is being written only the last one will do; while something is, the one before as well.
        writing = number and point != "directory-synced"
        disk.mark((world.copy(), set(digests[-2:] if writing else digests[-1:])))

    with lab.boot("enroll", [disk]) as machine:
        story = play(machine, [world], on_point=mark)[0]
    if story.end != "ENROLLED":
        raise Died("the undisturbed enrollment has ended as " + story.end)
    return disk


def in_order(durable, cache):
    """The last write has reached the medium, and all before it."""
    image = durable.copy()
    for offset, data in cache:
        image.write(offset, data)
    yield image


def out_of_order(durable, cache):
    """Of what is not flushed, some blocks have reached the medium, whenever they were written: by chance, several times."""
    chance = random.Random("%d writes, the last at %d" % (len(cache), cache[-1][0]))
    pieces = [(offset + at, data[at:at + BLOCK]) for offset, data in cache for at in range(0, len(data), BLOCK)]
    for _ in range(min(2 ** len(pieces) - 2, SAMPLES)):
        image = durable.copy()
        for piece in pieces:
            if chance.random() < 0.5:
                image.write(*piece)
        yield image


def torn(durable, cache):
    """Of the last write, only sectors in the front have reached the medium, or only sectors in the back."""
    image = durable.copy()
    for offset, data in cache[:-1]:
        image.write(offset, data)
    offset, data = cache[-1]
    middle = len(data) // 2 // SECTOR * SECTOR
    for start, end in ((0, middle), (middle, len(data))):
        if 0 < end - start < len(data):
            half = image.copy()
            half.write(offset + start, data[start:end])
            yield half


def moments(disk, damage):
    """A Moment for each way in which the damage can be had after each write of the log."""
    durable, cache = disk.first.copy(), []
    world, records = World(), {"nothing"}
    for kind, *rest in disk.log:
        if kind == "mark":
            world, records = rest[0]
        elif kind == "write":
            cache.append(rest)
            for image in damage(durable, cache):
                yield Moment(image, world, records)
        else:
            for write in cache:
                durable.write(*write)
            cache.clear()


def batches(items, size):
    items = iter(items)
    while batch := list(itertools.islice(items, size)):
        yield batch


def seen_at_moments(lab, wanted, enough):
    """Every disk is taken to its end; the verdicts, without doubles, behind the number of cuts."""
    count, seen = 0, set()
    for batch in batches(wanted, DISKS_MAX):
        worlds = [moment.world.copy() for moment in batch]
        for world in worlds:
            world.power_cut()
        stories = go_on(lab, [Disk(moment.image) for moment in batch], worlds)
        for story, moment, world in zip(stories, batch, worlds):
            record = "old or new" if story.found in moment.records else story.found
            seen.add(verdict(story, world, record))
        count += len(batch)
    return "%s: %s" % ("%d and more cuts" % enough if count >= enough else "only %d cuts" % count, "; ".join(sorted(seen)))


def moments_case(what, damage, enough, file_system="ext4"):
    def run():
        with Lab(file_system) as lab:
            disk = undisturbed(lab, fresh_image(file_system))
            return seen_at_moments(lab, moments(disk, damage), enough)

    return Case("every write of the disk (%s): %s" % (file_system, what),
                "%d and more cuts: ENROLLED, 1 installer, record old or new" % enough, run, limit_s=400)


# --- That a cut is one --------------------------------------------------------------------------------------------------------


def forgotten(point):
    """First words of the two files after a cut there, for a disk that kept its cache and for one that lost it."""
    with Lab() as lab:
        disk = Disk(fresh_image())
        with lab.boot("forget", [disk]) as machine:
            play(machine, [World()], (0, point))
            machine.cut()
        kept, lost, _ = survivals(point)
        disks = [Disk(disk.image_after_cut(survives)) for survives in (kept, lost)]
        with lab.boot("list", disks) as machine:
            stories = play(machine, [World() for _ in disks])
            machine.process.wait()
    return "; ".join("%s: kernel's %s, disk's %s" % (name, story.left.get("in-kernel") or "lost", story.left.get("in-disk"))
                     for name, story in zip(("cache kept", "cache lost"), stories))


def careless():
    """An agent that doesn't sync, cut when it believes that its fourth record is safe."""
    with Lab() as lab:
        disk, _, before = cut_at(lab, fresh_image(), "careless", (4, "directory-synced"))
        image = disk.image_after_cut(lambda position: True)
        story = go_on(lab, [Disk(image)], [World()])[0]
    return "record " + ("new" if name_of(story.found, before) == "new" else "lost")


CONTROLS = (
    Case("control: content that was not synced", "cache kept: kernel's lost, disk's new; cache lost: kernel's lost, disk's old",
         lambda: forgotten("unsynced")),
    Case("control: content that was synced", "cache kept: kernel's new, disk's new; cache lost: kernel's new, disk's new",
         lambda: forgotten("all-synced")),
    Case("control: an agent that does not sync", "record lost", careless),
)


DEEDS = (
    deed_case("MINT", "a token is minted and not yet here", 2),
    deed_case("INSTALL", "the installer is running", 2),
    deed_case("INSTALL_EXITED", "the installer has just ended", 1),
)
# Without --full: all points where an installer is about to start, and a few of those where little or much is done already.
BOUNDED = {("LOADING", "renamed"), ("MINTING", "directory-synced"), ("VERIFYING", "renamed"),
           *(("INSTALLING", point) for point in POINTS)}


def cases(full):
    yield from CONTROLS
    yield moments_case("out of order", out_of_order, 30)
    yield from power_programs.cases(full)
    yield from DEEDS if full else DEEDS[1:2]
    states = rehearse()
    for number, state in enumerate(states, 1):
        for point in POINTS:
            if full or (state, point) in BOUNDED:
                yield cut_case(number, state, point)
            if full and (state, point) in BOUNDED:
                yield cut_case(number, state, point, "xfs")
    if full:
        yield moments_case("in order", in_order, 40)
        yield moments_case("torn", torn, 60)
        yield moments_case("in order", in_order, 20, "xfs")
        yield moments_case("out of order", out_of_order, 8, "xfs")
        yield moments_case("torn", torn, 30, "xfs")
