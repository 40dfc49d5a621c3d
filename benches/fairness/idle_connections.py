#!/usr/bin/env python3
"""Measures whether idle connections of one address block other addresses.

Starts the program in an empty folder, opens many connections from 127.0.0.1 that send nothing, and requests
/healthz from 127.0.0.2 at the same time. Then connections are opened, used once and closed in bursts, as a
check of the accept path. Needs Python 3 and Linux; takes less than a minute.

    benches/fairness/idle_connections.py target/dist/taskhold [another program ...]
"""

import os
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

IDLE_CONNECTIONS = 4100
ASKS = 20
ASK_TIMEOUT = 3
BURSTS = 3
BURST_CONNECTIONS = 2000
BURST_THREADS = 16
REQUEST = b"GET /healthz HTTP/1.1\r\nhost: bench\r\n\r\n"


def start(program, folder):
    """Starts the program on a free port; returns the process and the address."""
    environment = {"PATH": os.environ["PATH"], "PORT": "0", "LOG_FORMAT": "json", "RUST_LOG": "taskhold=info"}
    log = open(os.path.join(folder, "log"), "w+b")
    process = subprocess.Popen([os.path.abspath(program)], cwd=folder, env=environment, stdout=log)
    for _ in range(300):
        found = re.search(rb"open http://([0-9.]+):(\d+)/", open(log.name, "rb").read())
        if found:
            return process, (found[1].decode(), int(found[2]))
        time.sleep(0.1)
    raise SystemExit(f"{program} does not get ready")


def ask(address, source):
    """Requests /healthz on a new connection; returns the latency in seconds, None without a response."""
    begun = time.monotonic()
    try:
        with socket.create_connection(address, ASK_TIMEOUT, (source, 0)) as connection:
            connection.sendall(REQUEST)
            return time.monotonic() - begun if connection.recv(1000).startswith(b"HTTP/1.1 200") else None
    except OSError:
        return None


def open_idle(address):
    connections = []
    for _ in range(IDLE_CONNECTIONS):
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex(address)
        connections.append(connection)
        if len(connections) % 100 == 0:
            # The backlog of the listener is limited; beyond it a client retries only after a second.
            time.sleep(0.05)
    return connections


def idle(address):
    begun = time.monotonic()
    connections = open_idle(address)
    opened = time.monotonic() - begun
    # Idle connections are closed after ten seconds without a request, so the measurement ends before that.
    answers = []
    while len(answers) < ASKS and time.monotonic() - begun < 9:
        answers.append(ask(address, "127.0.0.2"))
    for connection in connections:
        connection.close()
    times = [answer * 1000 for answer in answers if answer is not None]
    shown = f"median {statistics.median(times):.1f} ms, most {max(times):.1f} ms" if times else "no answer"
    print(f"  {IDLE_CONNECTIONS} idle connections of 127.0.0.1, opened in {opened:.1f} s:")
    print(f"    /healthz from 127.0.0.2: {len(times)} of {len(answers)} answered in {ASK_TIMEOUT} s; {shown}")


def burst(address):
    failures = []

    def work():
        for _ in range(BURST_CONNECTIONS // BURST_THREADS):
            if ask(address, "127.0.0.1") is None:
                failures.append(1)

    threads = [threading.Thread(target=work) for _ in range(BURST_THREADS)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - begun
    rate = BURST_CONNECTIONS / seconds
    print(f"  {BURST_CONNECTIONS} connections, each with one request: {rate:.0f} a second, {len(failures)} failed")


def main():
    programs = sys.argv[1:] or ["target/dist/taskhold"]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))
    for program in programs:
        print(program)
        with tempfile.TemporaryDirectory() as folder:
            process, address = start(program, folder)
            try:
                idle(address)
                time.sleep(1)
                for _ in range(BURSTS):
                    burst(address)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(30)


if __name__ == "__main__":
    main()
