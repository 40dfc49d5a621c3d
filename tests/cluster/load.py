"""The load: clients that write and read through both instances and record the outcomes."""

import http.client
import json
import random
import select
import threading
import time
import uuid
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

USERS = 4
WRITERS_PER_INSTANCE = 6
READERS_PER_INSTANCE = 2
SHARED_TASKS_PER_USER = 2
PROBE_PERIOD_SECONDS = 0.05
WRITER_PAUSE_SECONDS = 0.02
RETRY_PAUSE_SECONDS = 0.05
# More than taskhold's own limit for a request, which is 15 s.
CLIENT_TIMEOUT_SECONDS = 20
PASSWORD = "a long password for the cluster test 7301"

REGISTER = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }"
CREATE = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id version } } }"
UPDATE = ("mutation($id: ID!, $title: String!, $expected: Int) {"
          " updateTask(id: $id, input: {title: $title}, expectedVersion: $expected) { task { version } } }")
TOGGLE = ("mutation($id: ID!, $expected: Int) {"
          " toggleTask(id: $id, expectedVersion: $expected) { task { version } } }")
READ = "query($id: ID!) { task(id: $id) { version } }"
LIST = "{ tasks(first: 20) { nodes { id version } } }"


@dataclass(slots=True)
class Request:
    """One request and its response. `outcome` is OK, the error code, or NO_ANSWER."""

    kind: str
    instance: int
    start: float
    end: float
    outcome: str
    task: str | None = None
    title: str | None = None
    expected: int | None = None
    version: int | None = None
    detail: str = ""


class Client:
    """One HTTP connection to one instance, opened again after a failure."""

    def __init__(self, url):
        self.address = urlsplit(url).netloc
        self.connection = None

    def ask(self, document, variables, token=None):
        """The outcome, the data and a detail for the report."""
        body = json.dumps({"query": document, "variables": variables}).encode()
        headers = {"content-type": "application/json"}
        if token:
            headers["authorization"] = "Bearer " + token
        try:
            if self.connection is not None and has_ended(self.connection.sock):
                self.connection.close()
                self.connection = None
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.address, timeout=CLIENT_TIMEOUT_SECONDS)
            self.connection.request("POST", "/graphql", body, headers)
            answer = self.connection.getresponse()
            text = answer.read()
            reply = json.loads(text)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if self.connection:
                self.connection.close()
            self.connection = None
            return "NO_ANSWER", None, repr(error)
        if errors := reply.get("errors"):
            first = errors[0]
            return first["extensions"]["code"], reply.get("data"), first["message"]
        return "OK", reply["data"], ""


def has_ended(sock):
    """Whether the server has closed an idle connection, as it does after 60 s: there is something to read."""
    return sock is None or bool(select.select([sock], [], [], 0)[0])


class Load:
    """All clients. Each runs in its own thread until stop() is called."""

    def __init__(self, urls):
        self.urls = urls
        self.requests = []
        self.versions = {}
        self.recent = deque(maxlen=300)
        self.violations = []
        self.stopping = threading.Event()
        self.threads = []
        self.tokens = []
        self.shared = []

    def start(self):
        client = Client(self.urls[0])
        for number in range(USERS):
            address = f"user{number}@example.com"
            outcome, data, detail = client.ask(REGISTER, {"input": {"email": address, "password": PASSWORD}})
            if outcome != "OK":
                raise RuntimeError(f"register: {outcome} {detail}")
            self.tokens.append(data["register"]["accessToken"])
        for token in self.tokens:
            tasks = [self._create_until_done(Client(self.urls[0]), 0, token, "shared")
                     for _ in range(SHARED_TASKS_PER_USER)]
            self.shared.append(tasks)
        for instance in range(len(self.urls)):
            for number in range(WRITERS_PER_INSTANCE):
                self._run(self._write, instance, number % USERS)
            for number in range(READERS_PER_INSTANCE):
                self._run(self._read, instance, number % USERS)
            self._run(self._probe, instance)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(CLIENT_TIMEOUT_SECONDS + 5)

    def _run(self, body, *arguments):
        def guarded():
            try:
                body(*arguments)
            except Exception as error:  # A client that ends early would make the test pass too easily.
                self.violations.append(f"a client of the test failed: {error!r}")

        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        self.threads.append(thread)

    def _ask(self, client, instance, token, kind, document, variables, **facts):
        start = time.monotonic()
        outcome, data, detail = client.ask(document, variables, token)
        request = Request(kind, instance, start, time.monotonic(), outcome, detail=detail, **facts)
        if outcome == "OK" and kind != "list":
            field = next(iter(data.values()))
            task = field.get("task", field) if field else None
            request.version = task["version"] if task else None
        if outcome == "OK" and kind in ("create", "update", "toggle"):
            known = self.versions.get(request.task, 0)
            self.versions[request.task] = max(known, request.version)
            self.recent.append((request.task, token))
        self.requests.append(request)
        return request

    # -- Writers

    def _write(self, instance, user):
        client = Client(self.urls[instance])
        token = self.tokens[user]
        while not self.stopping.is_set():
            task = self._create_until_done(client, instance, token, "own")
            version = 1
            for _ in range(random.randint(3, 12)):
                self.stopping.wait(WRITER_PAUSE_SECONDS)
                if task is None or self.stopping.is_set():
                    break
                request = self._edit(client, instance, token, task, version)
                if request.outcome != "OK":
                    # It is unknown whether the change was made. The task is not used any more, and the
                    # history in the database shows at the end that the change was made at most once.
                    self.stopping.wait(RETRY_PAUSE_SECONDS)
                    break
                version = request.version
            self._edit_shared(client, instance, token, random.choice(self.shared[user]))

    def _create_until_done(self, client, instance, token, name):
        """A new task; repeated with the same id until it is acknowledged, as the contract allows."""
        task = str(uuid.uuid4())
        title = f"{name} {uuid.uuid4().hex}"
        while not self.stopping.is_set():
            variables = {"input": {"id": task, "title": title}}
            request = self._ask(client, instance, token, "create", CREATE, variables, task=task, title=title)
            if request.outcome == "OK":
                return task
            self.stopping.wait(RETRY_PAUSE_SECONDS)
        return None

    def _edit(self, client, instance, token, task, version):
        kind = random.choice(("update", "toggle", "toggle without expectedVersion"))
        if kind == "update":
            return self._update(client, instance, token, task, version)
        variables = {"id": task}
        # Without an expected version a repeated toggle would undo the first one instead of being refused.
        if kind == "toggle":
            variables["expected"] = version
        return self._ask(client, instance, token, "toggle", TOGGLE, variables, task=task, expected=version)

    def _update(self, client, instance, token, task, version):
        title = f"edited {uuid.uuid4().hex}"
        variables = {"id": task, "title": title, "expected": version}
        return self._ask(client, instance, token, "update", UPDATE, variables,
                         task=task, title=title, expected=version)

    def _edit_shared(self, client, instance, token, task):
        """Several writers change the same task; with expectedVersion one of them succeeds each time."""
        seen = self._ask(client, instance, token, "read", READ, {"id": task}, task=task)
        if seen.outcome == "OK" and seen.version:
            self._update(client, instance, token, task, seen.version)

    # -- Readers

    def _read(self, instance, user):
        client = Client(self.urls[instance])
        while not self.stopping.is_set():
            if random.random() < 0.2:
                self._ask(client, instance, self.tokens[user], "list", LIST, {})
            elif self.recent:
                task, token = random.choice(self.recent)
                known = self.versions[task]
                seen = self._ask(client, instance, token, "read", READ, {"id": task}, task=task)
                if seen.outcome == "OK" and (seen.version or 0) < known:
                    self.violations.append(
                        f"task {task} was acknowledged with version {known} and read with {seen.version}")
            self.stopping.wait(0.04)

    # -- Probe

    def _probe(self, instance):
        """Starts writes at a fixed rate, independent of earlier ones, to find the first success."""
        local = threading.local()
        token = self.tokens[0]

        def write():
            if not hasattr(local, "client"):
                local.client = Client(self.urls[instance])
            task, title = str(uuid.uuid4()), f"probe {uuid.uuid4().hex}"
            variables = {"input": {"id": task, "title": title}}
            self._ask(local.client, instance, token, "create", CREATE, variables, task=task, title=title)

        paced(write, self.stopping, threads=64)


def paced(action, stopping, threads):
    """Starts an action at the rate of the probes, each in its own thread; skips one if all threads are busy."""
    free = threading.Semaphore(threads)

    def run():
        try:
            action()
        finally:
            free.release()

    with ThreadPoolExecutor(threads) as pool:
        while not stopping.wait(PROBE_PERIOD_SECONDS):
            if free.acquire(blocking=False):
                pool.submit(run)
