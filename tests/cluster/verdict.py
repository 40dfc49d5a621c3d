"""The rules that requests and the database must satisfy after the failovers."""

from bisect import bisect_right
from collections import Counter, defaultdict

# The first write must succeed within this time after new connections accept writes.
FIRST_WRITE_SECONDS = 1.0
# The same for /readyz, which is polled every 0.1 s and may first run its own check.
READY_SECONDS = 2.0
# REQUEST_TIMEOUT of taskhold and a margin for a busy machine.
ANSWER_SECONDS = 15.0 + 1.0
# A slower write of the database probe counts as an outage, like a failed one.
SLOW_PROBE_SECONDS = 0.5
UNAVAILABLE = ("SERVICE_UNAVAILABLE", "TIMEOUT")
WRITES = ("create", "update", "toggle")


def first_success(requests, instance, after):
    """Seconds from `after` to the next write that the instance acknowledged; None without one."""
    # The probe writes every 50 ms, so a client can be a little earlier.
    ends = [each.end for each in requests if each.instance == instance and each.kind in WRITES
            and each.outcome == "OK" and each.end >= after - 0.1]
    return max(0.0, min(ends) - after) if ends else None


def outages(attempts, faults):
    """Times in which a request may fail, merged, from the probes and the failovers (begin, accepted)."""
    spans = [(each.start, each.end + FIRST_WRITE_SECONDS) for each in attempts
             if each.port is None or each.end - each.start > SLOW_PROBE_SECONDS]
    spans += [(begin, accepted + FIRST_WRITE_SECONDS) for begin, accepted in faults]
    merged = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def overlaps(spans, start, end):
    """Whether a time overlaps one of the merged spans."""
    before = bisect_right(spans, (end, float("inf")))
    return before > 0 and spans[before - 1][1] >= start


def check_answers(requests, shared, spans, began):
    """The faults in the responses, one sentence for each kind."""
    faults = defaultdict(list)
    for each in requests:
        if each.end - each.start > ANSWER_SECONDS:
            faults[f"{each.kind} was not answered within its time limit ({each.outcome})"].append(each)
        if each.outcome == "OK" or (each.outcome == "CONFLICT" and each.task in shared):
            continue
        if each.outcome not in UNAVAILABLE:
            faults[f"{each.kind} was answered with {each.outcome} ({each.detail})"].append(each)
        elif not overlaps(spans, each.start, each.end):
            faults[f"{each.kind} failed with {each.outcome} while the database worked ({each.detail})"].append(each)
    return [f"{len(found)} times: {text}, first {found[0].start - began:.1f} s after the start"
            for text, found in faults.items()]


def check_probes(attempts, rows):
    """Whether the database has all rows that it acknowledged; otherwise the cluster is at fault."""
    lost = [each.id for each in attempts if each.port is not None and each.id not in rows]
    return [f"PostgreSQL lost {len(lost)} acknowledged rows of the probe: {lost[:5]}"] if lost else []


def check_history(requests, history, tasks):
    """Compares every change in the database with every request: none may be lost or made twice.

    `history` has (task, version, title, status) in the order of the changes, `tasks` has task: (version, title).
    """
    wrong = []
    changes = defaultdict(list)
    for task, version, title, status in history:
        changes[task].append((version, title, status))
    attempts = defaultdict(list)
    for each in requests:
        if each.kind in WRITES and each.task:
            attempts[each.task].append(each)
    for task, asked in attempts.items():
        made = sorted(changes.get(task, []))
        wrong += [f"task {task}: {text}" for text in check_task(asked, made, tasks.get(task))]
    for task in changes.keys() - attempts.keys():
        wrong.append(f"task {task}: nobody asked for it")
    return wrong


def check_task(asked, made, now):
    """The faults of one task, from its requests, its changes in order, and its current state."""
    versions = [version for version, _, _ in made]
    if versions != list(range(1, len(made) + 1)):
        return [f"its versions are {versions}"]
    wrong = []
    if now != (made[-1][:2] if made else None):
        wrong.append(f"it is {now}, and its last change is {made[-1:]}")
    explained = set()
    acknowledged = [each for each in asked if each.outcome == "OK"]
    for each in acknowledged:
        if each.version > len(made):
            wrong.append(f"{each.kind} to version {each.version} was acknowledged and is lost")
        elif not explains(each, each.version, made):
            wrong.append(f"{each.kind} to version {each.version} was acknowledged, but another change is there")
        elif each.version in explained and each.kind != "create":
            wrong.append(f"version {each.version} was acknowledged twice")
        explained.add(each.version)
    possible = [each for each in asked if each.outcome in UNAVAILABLE or each.outcome == "NO_ANSWER"]
    for version in set(versions) - explained:
        cause = next((each for each in possible if explains(each, version, made)), None)
        if cause is None:
            wrong.append(f"version {version} is a change that no request explains, or was made twice")
        elif cause.kind != "create":
            possible.remove(cause)
    titles = Counter(title for _, title, _ in made)
    for each in asked:
        # Toggles keep the title; an update made twice would restore its title after later updates.
        if each.kind == "update" and titles[each.title]:
            first = next(version for version, title, _ in made if title == each.title)
            if first != each.expected + 1:
                wrong.append(f"the update that expected version {each.expected} became version {first}")
    return wrong


def explains(request, version, made):
    """Whether the change to a version matches the request."""
    _, title, status = made[version - 1]
    if request.kind == "create":
        return version == 1 and title == request.title
    if version == 1 or request.expected != version - 1:
        return False
    _, title_before, status_before = made[version - 2]
    if request.kind == "toggle":
        return title == title_before and status != status_before
    return title == request.title and status == status_before
