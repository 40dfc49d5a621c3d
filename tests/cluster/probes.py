"""Probes: whether the database accepts writes, and the results of taskhold's health checks."""

import itertools
import threading
import time
from dataclasses import dataclass

import psycopg2

from load import paced
from system import fetch

# One row for each change of a task, written by the transaction that makes the change.
TABLES = """
CREATE SCHEMA test;
CREATE TABLE test.probe (id bigint PRIMARY KEY);
CREATE TABLE test.history (number bigserial PRIMARY KEY, task uuid, version int, title text, status text);
CREATE FUNCTION test.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO test.history (task, version, title, status) VALUES (NEW.id, NEW.version, NEW.title, NEW.status);
    RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION test.note();
"""


@dataclass(slots=True)
class Attempt:
    """One attempt to write a row directly into the database."""

    start: float
    end: float
    id: int
    port: int | None  # of the PostgreSQL that committed; None if the write failed
    detail: str = ""


class DatabaseProbe:
    """Opens a connection through HAProxy and writes one row, at a fixed rate."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.attempts = []
        self.numbers = itertools.count(1)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=paced, args=(self._write, self.stopping, 50), daemon=True)

    def start(self):
        connection = self.cluster.connect()
        with connection:
            connection.cursor().execute(TABLES)
        connection.close()
        self.thread.start()

    def stop(self):
        self.stopping.set()
        self.thread.join(30)

    def _write(self):
        self.attempts.append(self.write_once())

    def write_once(self, port=None):
        """Writes a row through HAProxy, or directly to the node with that port."""
        number = next(self.numbers)
        start = time.monotonic()
        connection = None
        try:
            connection = self.cluster.connect(port=port, timeout=3)
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute("INSERT INTO test.probe VALUES (%s) RETURNING inet_server_port()", (number,))
            server, detail = cursor.fetchone()[0], ""
            # A commit that was not replicated is a success with a warning.
            if any("synchronous replication" in notice for notice in connection.notices):
                server, detail = None, "not replicated"
        except psycopg2.Error as error:
            server, detail = None, str(error).strip()
        finally:
            if connection:
                connection.close()
        return Attempt(start, time.monotonic(), number, server, detail)


class HealthProbe:
    """Polls /readyz and /healthz of one instance."""

    def __init__(self, url):
        self.url = url
        self.ready = []
        self.alive = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()

    def stop(self):
        self.stopping.set()
        self.thread.join(30)

    def _run(self):
        while not self.stopping.wait(0.1):
            start = time.monotonic()
            status = fetch(self.url + "/readyz", 20)[0]
            self.ready.append((start, time.monotonic(), status))
            if len(self.ready) % 10 == 0:
                start = time.monotonic()
                status = fetch(self.url + "/healthz", 20)[0]
                self.alive.append((start, time.monotonic(), status))
