#!/usr/bin/env python3
"""Measures how one very active account or client network affects others, on SQLite.

    benches/fairness/accounts.py PROGRAM [sessions] [deletion] [flood]

PROGRAM is a taskhold binary; without names all three run, in about a minute. Each starts the program in a
temporary folder on a free port of the loopback interface and ends it.

sessions   an account with 100,000 sessions lists them
deletion   another user creates tasks while an account with 50,000 tasks is deleted
flood      one client network keeps 200 connections busy with logins; another one signs in
"""

import http.client
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

PASSWORD = "correct-horse-1"
SESSIONS = 100_000
TASKS = 50_000
QUIET_SECONDS = 5
MAX_SECONDS = 30
FLOOD_CONNECTIONS = 200
FLOOD_SECONDS = 10

REGISTER = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }"
LOGIN = """mutation($who: String!, $password: String!) {
    login(input: { usernameOrEmail: $who, password: $password }) { accessToken } }"""
CREATE = "mutation($title: String!) { createTask(input: { title: $title }) { task { id } } }"
DELETE = "mutation($password: String!) { deleteAccount(password: $password) { deletedUserId } }"
NUMBERS = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n)"


class Server:
    """A server process in its own folder."""

    def __init__(self, program, folder, **options):
        environment = {"PATH": os.environ["PATH"], "PORT": "0", "LIMIT_CREDENTIALS_PER_MINUTE": "0", **options}
        self.process = subprocess.Popen(
            [os.path.abspath(program)], cwd=folder, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.port = None
        for line in self.process.stdout:
            found = re.search(r"open http://127\.0\.0\.1:(\d+)/graphql", line)
            if found:
                self.port = int(found.group(1))
                break
        if self.port is None:
            sys.exit("the program did not start")
        # The log is read continuously, so that the server never waits for a reader.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)


def post(connection, query, variables=None, token=None, address=None):
    """The parsed response, its size in bytes, and its latency in seconds."""
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = "Bearer " + token
    if address:
        headers["x-forwarded-for"] = address
    begun = time.monotonic()
    connection.request("POST", "/graphql", json.dumps({"query": query, "variables": variables}), headers)
    body = connection.getresponse().read()
    return json.loads(body), len(body), time.monotonic() - begun


def register(server, name):
    made = {"input": {"email": name + "@example.com", "password": PASSWORD}}
    return post(server.connect(), REGISTER, made)[0]["data"]["register"]["accessToken"]


def database(folder):
    return sqlite3.connect(os.path.join(folder, "data", "taskhold.db"), timeout=30)


def figures(seconds):
    ordered = sorted(seconds)
    at = lambda share: ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3
    return f"n {len(ordered)}, median {at(0.5):.1f} ms, p99 {at(0.99):.1f} ms, max {ordered[-1] * 1e3:.1f} ms"


def sessions(program):
    with tempfile.TemporaryDirectory() as folder:
        with Server(program, folder) as server:
            token = register(server, "ann")
        with database(folder) as rows:
            rows.execute(f"""INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, refreshes,
                refreshed_at) SELECT randomblob(16), user_id, created_at, last_used_at, expires_at, 0, refreshed_at
                FROM sessions, {NUMBERS}""", (SESSIONS - 1,))
            rows.execute("UPDATE sessions SET last_used_at = replace(last_used_at, substr(last_used_at, 1, 4), '2099')"
                         " WHERE rowid = (SELECT min(rowid) FROM sessions)")
        rows.close()
        with Server(program, folder) as server:
            for when, pause in (("at once", 0), ("5 s later", 5)):
                time.sleep(pause)
                answer, size, seconds = post(server.connect(), "{ me { sessions { id } } }", token=token)
                listed = answer.get("data") and len(answer["data"]["me"]["sessions"])
                with database(folder) as rows:
                    left = rows.execute("SELECT count(*) FROM sessions").fetchone()[0]
                rows.close()
                print(f"  {when}: {listed} sessions, {size} bytes in {seconds * 1e3:.0f} ms; {left} stored", flush=True)


def deletion(program):
    with tempfile.TemporaryDirectory() as folder:
        with Server(program, folder) as server:
            ann, bob = register(server, "ann"), register(server, "bob")
            post(server.connect(), CREATE, {"title": "ann's"}, ann)
        columns = """owner_id, title, title_key, description, status, priority, labels, labels_key, search_key,
            created_at, updated_at, version"""
        with database(folder) as rows:
            rows.execute(f"""INSERT INTO tasks (id, {columns}) SELECT randomblob(16), {columns}
                FROM tasks, {NUMBERS}""", (TASKS - 1,))
            rows.execute("""INSERT INTO checklist_items (id, task_id, position, section, text, done)
                SELECT randomblob(16), id, 1, 'ACTION', 'an item', FALSE FROM tasks""")
        rows.close()
        with Server(program, folder) as server:
            over, quiet, felt, failed = threading.Event(), [], [], {}
            times = quiet

            def work():
                connection = server.connect()
                while not over.is_set():
                    answer, _, seconds = post(connection, CREATE, {"title": "bob's"}, bob)
                    times.append(seconds)
                    if "errors" in answer:
                        code = answer["errors"][0]["extensions"]["code"]
                        failed[code] = failed.get(code, 0) + 1
                    time.sleep(0.005)

            workers = [threading.Thread(target=work) for _ in range(2)]
            for worker in workers:
                worker.start()
            time.sleep(QUIET_SECONDS)
            times = felt
            answer, _, seconds = post(server.connect(), DELETE, {"password": PASSWORD}, ann)
            outcome = answer["errors"][0]["extensions"]["code"] if "errors" in answer else "success"
            left, deadline, rows = 1, time.monotonic() + MAX_SECONDS, database(folder)
            begun = time.monotonic()
            while left and time.monotonic() < deadline:
                time.sleep(0.2)
                left = rows.execute("SELECT count(*) FROM tasks WHERE title = 'ann''s'").fetchone()[0]
            gone = time.monotonic() - begun
            over.set()
            for worker in workers:
                worker.join()
            rows.close()
            print(f"  deleteAccount of {TASKS} tasks answered {outcome} in {seconds * 1e3:.0f} ms; its rows were gone "
                  f"{gone:.1f} s later ({left} left)")
            print(f"  createTask of others, quiet: {figures(quiet)}")
            print(f"  createTask of others meanwhile: {figures(felt)}; {failed or 'none'} failed", flush=True)


def flood(program):
    with tempfile.TemporaryDirectory() as folder:
        with Server(program, folder, TRUSTED_PROXIES="127.0.0.0/8") as server:
            register(server, "ann")
            over, refused, taken, errors = threading.Event(), [], [], []

            def attack(number):
                connection, host = server.connect(), f"198.51.100.{number % 250 + 1}"
                while not over.is_set():
                    try:
                        answer, _, _ = post(connection, LOGIN, {"who": f"nobody{number}", "password": PASSWORD},
                                            address=host)
                        code = answer["errors"][0]["extensions"]["code"]
                        (refused if code == "SERVICE_UNAVAILABLE" else taken).append(code)
                        # A client that sends many requests without keeping the machine itself busy.
                        time.sleep(0.05)
                    except OSError as error:
                        errors.append(error)
                        connection = server.connect()

            attackers = [threading.Thread(target=attack, args=(n,), daemon=True) for n in range(FLOOD_CONNECTIONS)]
            for attacker in attackers:
                attacker.start()
            time.sleep(1)
            good, bad, times = 0, {}, []
            deadline, connection = time.monotonic() + FLOOD_SECONDS, server.connect()
            while time.monotonic() < deadline:
                answer, _, seconds = post(connection, LOGIN, {"who": "ann", "password": PASSWORD}, address="192.0.2.1")
                if "errors" in answer:
                    code = answer["errors"][0]["extensions"]["code"]
                    bad[code] = bad.get(code, 0) + 1
                else:
                    good += 1
                    times.append(seconds)
                time.sleep(0.1)
            over.set()
            for attacker in attackers:
                attacker.join(timeout=10)
            print(f"  logins of the flood: {len(taken)} hashed or limited, {len(refused)} refused, {len(errors)} cut off")
            print(f"  logins of another network: {good} succeeded, {bad or 'none'} failed"
                  + (f"; {figures(times)}" if times else ""), flush=True)


def main():
    if len(sys.argv) < 2 or not os.path.isfile(sys.argv[1]):
        sys.exit(__doc__)
    scenarios = {"sessions": sessions, "deletion": deletion, "flood": flood}
    for name in sys.argv[2:] or scenarios:
        print(name, flush=True)
        scenarios[name](sys.argv[1])


if __name__ == "__main__":
    main()
