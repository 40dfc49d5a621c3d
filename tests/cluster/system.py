"""Small helpers around the operating system: packages, ports, HTTP, process trees."""

import os
import secrets
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

ADDRESS = "127.0.0.1"
PACKAGES = {
    "patroni": "patroni", "patronictl": "patroni", "etcd": "etcd-server", "haproxy": "haproxy", "setpriv": "util-linux",
}


class Failed(Exception):
    """The cluster does not behave as expected, so the test cannot continue."""


def install_missing():
    """Installs missing packages with apt-get. Debian's Patroni depends on psycopg2, which the probes use."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    packages = {package for program, package in PACKAGES.items() if not shutil.which(program)}
    if not list(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        packages.add("postgresql")
    # Patroni's package only recommends the client library for etcd.
    if not Path("/usr/lib/python3/dist-packages/etcd").is_dir():
        packages.add("python3-etcd")
    if not packages:
        return
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *sorted(packages)]
    if os.geteuid() != 0:
        raise Failed("missing programs; run as root: " + " ".join(command))
    print("installing " + " ".join(sorted(packages)), flush=True)
    # RUNLEVEL=1 prevents the packages from starting services.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for step in (["apt-get", "update", "-qq"], command):
        subprocess.run(step, check=True, env=environment, stdout=subprocess.DEVNULL)


def free_ports(number):
    """Free ports outside the range of outgoing connections, which could otherwise take one before it is used."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found = []
    while len(found) < number:
        port = secrets.randbelow(min(first, 32768) - 10000) + 10000
        with socket.socket() as probe:
            try:
                probe.bind((ADDRESS, port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


def wait_for(what, condition, seconds):
    """Waits until the condition is true and returns its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.1)


def fetch(url, timeout=2.0):
    """Status and body of a response; the status is None without a response."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (OSError, ValueError):
        return None, b""


def with_descendants(roots):
    """Processes and their descendants, each once."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = []
    waiting = list(roots)
    while waiting:
        process = waiting.pop(0)
        if process not in found:
            found.append(process)
            waiting += children.get(process, [])
    return found
