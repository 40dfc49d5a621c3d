"""The processes: etcd, Patroni with PostgreSQL, HAProxy and taskhold, on loopback, in one temporary folder.

Every process is started with a parent-death signal, so that none outlives the test even when it is killed.
"""

import json
import os
import pwd
import secrets
import shutil
import signal
import string
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from system import ADDRESS, fetch, free_ports, wait_for, with_descendants

HERE = Path(__file__).resolve().parent
NODES = ("node1", "node2", "node3")


class Cluster:
    """Three nodes of PostgreSQL with one address in front, and two instances of taskhold that use it."""

    def __init__(self, binary, keep_sessions=False):
        self.binary = binary
        self.keep_sessions = keep_sessions
        self.folder = Path(tempfile.mkdtemp(prefix="taskhold-cluster-"))
        self.children = {}
        self.logs = []
        # PostgreSQL refuses to run as root.
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.ports = {}
        names = ["haproxy", "taskhold1", "taskhold2"]
        for node in NODES:
            names += [f"{node}.{kind}" for kind in ("postgres", "patroni", "etcd", "etcd_peer")]
        self.ports = dict(zip(names, free_ports(len(names))))
        self.passwords = {name: secrets.token_hex(16) for name in ("postgres", "replicator", "taskhold")}
        self.secret = secrets.token_hex(32)

    # -- Start and stop

    def start(self):
        os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        for node in NODES:
            self._write_files(node)
        for node in NODES:
            self._start_etcd(node)
        wait_for("etcd", lambda: fetch(self._etcd_url(NODES[0]) + "/health")[0] == 200, 30)
        for node in NODES:
            self.start_patroni(node)
        self._start_haproxy()
        self.wait_until_whole(120)
        self._create_database()
        for instance in (1, 2):
            self._start_taskhold(instance)
        for url in self.taskhold_urls():
            wait_for("taskhold", lambda: fetch(url + "/readyz")[0] == 200, 30)

    def stop(self):
        """Ends everything that was started, in the reverse order, and removes the folder."""
        for node in NODES:
            self.signal_node(node, signal.SIGCONT)
        for name in reversed(list(self.children)):
            if not name.startswith("node"):
                self._end(name, 10)
        # All nodes are stopped together, because each needs some seconds to stop its PostgreSQL.
        patronis = [name for name in self.children if name.startswith("node")]
        for name in patronis:
            self.children[name].terminate()
        for name in patronis:
            self._end(name, 15)
        for node in NODES:
            self.signal_node(node, signal.SIGKILL)
        for name in [name for name in self.children if name.startswith("etcd")]:
            self._end(name, 10)
        for log in self.logs:
            log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def keep_logs(self, folder):
        """Copies the logs of all processes to another folder."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        for log in self.folder.glob("*.log"):
            shutil.copy(log, folder)

    def _end(self, name, seconds):
        child = self.children.pop(name)
        child.terminate()
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _spawn(self, name, command, environment=None, as_user=True):
        wrapper = ["setpriv", "--pdeathsig", "TERM"]
        if as_user and os.geteuid() == 0:
            wrapper += ["--reuid", str(self.user.pw_uid), "--regid", str(self.user.pw_gid), "--clear-groups"]
        log = open(self.folder / f"{name}.log", "ab")
        self.logs.append(log)
        base = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(self.folder)}
        self.children[name] = subprocess.Popen(
            [*wrapper, *command], cwd=self.folder, env={**base, **(environment or {})},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )

    def _write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        os.chown(path, self.user.pw_uid, self.user.pw_gid)
        path.chmod(0o600)

    def _fill(self, template, values):
        return string.Template((HERE / template).read_text()).substitute(values)

    def _write_files(self, node):
        values = {
            "name": node, "address": ADDRESS, "network": ADDRESS + "/32",
            "etcd_section": etcd_section(), "etcd_data": self.folder / f"{node}-etcd",
            "etcd_members": ",".join(f"{each}=http://{ADDRESS}:{self.ports[each + '.etcd_peer']}" for each in NODES),
            "etcd_hosts": ",".join(f"{ADDRESS}:{self.ports[each + '.etcd']}" for each in NODES),
            "postgres_data": self.data(node), "postgres_programs": postgres_programs(),
            "pgpass": self.folder / f"{node}.pgpass", "socket_folder": self.folder,
            "superuser_password": self.passwords["postgres"],
            "replication_password": self.passwords["replicator"],
            **{f"{kind}_port": self.ports[f"{node}.{kind}"] for kind in ("postgres", "patroni", "etcd", "etcd_peer")},
        }
        self._write(f"{node}.yml", self._fill("patroni.yml", values))
        self._write(f"{node}.env", self._fill("etcd.env", values))

    def _start_etcd(self, node):
        lines = (self.folder / f"{node}.env").read_text().splitlines()
        options = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        self._spawn(f"etcd-{node}", ["etcd"], options)

    def _start_haproxy(self):
        text = self._fill("haproxy.cfg", {
            "haproxy_address": ADDRESS, "haproxy_port": self.ports["haproxy"],
            **{node: ADDRESS for node in NODES},
            **{f"{node}_{kind}_port": self.ports[f"{node}.{kind}"]
               for node in NODES for kind in ("postgres", "patroni")},
        })
        if self.keep_sessions:
            text = text.replace(" on-marked-down shutdown-sessions", "")
        self._write("haproxy.cfg", text)
        self._spawn("haproxy", ["haproxy", "-db", "-f", str(self.folder / "haproxy.cfg")])

    def start_patroni(self, node):
        # Debian's interpreter, for which Patroni is installed; PATH may contain another one first.
        command = ["/usr/bin/python3", shutil.which("patroni"), str(self.folder / f"{node}.yml")]
        self._spawn(node, command)

    def _start_taskhold(self, instance):
        self._spawn(f"taskhold{instance}", [str(self.binary), "serve"], {
            "DATABASE_URL": self.database_url(), "BETTER_AUTH_SECRET": self.secret,
            "PORT": str(self.ports[f"taskhold{instance}"]), "LIMIT_CREDENTIALS_PER_MINUTE": "0",
            "LOG_FORMAT": "json", "RUST_LOG": "warn",
        }, as_user=False)

    def _create_database(self):
        connection = self.connect("postgres", "postgres")
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("CREATE ROLE taskhold LOGIN PASSWORD %s", (self.passwords["taskhold"],))
        cursor.execute("CREATE DATABASE taskhold OWNER taskhold")
        connection.close()

    # -- Addresses

    def _etcd_url(self, node):
        return f"http://{ADDRESS}:{self.ports[node + '.etcd']}"

    def taskhold_urls(self):
        return [f"http://{ADDRESS}:{self.ports[name]}" for name in ("taskhold1", "taskhold2")]

    def database_url(self):
        return f"postgres://taskhold:{self.passwords['taskhold']}@{ADDRESS}:{self.ports['haproxy']}/taskhold"

    def connect(self, user="taskhold", database="taskhold", port=None, timeout=5):
        """A connection through HAProxy, or directly to the node with that port."""
        import psycopg2
        return psycopg2.connect(
            host=ADDRESS, port=port or self.ports["haproxy"], user=user, dbname=database,
            password=self.passwords[user], connect_timeout=timeout,
        )

    def data(self, node):
        return self.folder / f"{node}-data"

    def node_of_port(self, port):
        return next((node for node in NODES if self.ports[f"{node}.postgres"] == port), None)

    # -- State

    def members(self):
        """The members of the cluster according to a running Patroni; empty if no Patroni responds."""
        for node in NODES:
            status, body = fetch(f"http://{ADDRESS}:{self.ports[node + '.patroni']}/cluster")
            if status == 200:
                return {member["name"]: member for member in json.loads(body)["members"]}
        return {}

    def primary(self):
        return self._with_role("leader")

    def synchronous_standby(self):
        return self._with_role("sync_standby")

    def _with_role(self, role):
        return next((name for name, member in self.members().items() if member["role"] == role), None)

    def is_whole(self):
        """Whether all nodes run, and one of them is the synchronous standby."""
        members = self.members()
        good = [member for member in members.values()
                if member["state"] in ("running", "streaming") and member.get("lag", 0) == 0
                or member["role"] == "leader" and member["state"] == "running"]
        timelines = {member.get("timeline") for member in members.values()}
        roles = [member["role"] for member in members.values()]
        return (len(good) == len(NODES) and len(timelines) == 1
                and roles.count("leader") == 1 and roles.count("sync_standby") == 1)

    def wait_until_whole(self, seconds):
        wait_for("all three nodes run, one as synchronous standby", self.is_whole, seconds)

    # -- Faults

    def switchover(self, primary, candidate):
        """Requests a planned switchover from Patroni and returns without waiting for its end."""
        command = ["/usr/bin/python3", shutil.which("patronictl"), "-c", str(self.folder / f"{primary}.yml"),
                   "switchover", "--leader", primary, "--candidate", candidate, "--force", "taskhold"]
        log = open(self.folder / "patronictl.log", "ab")
        self.logs.append(log)
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(self.folder)})

    def restart_postgres(self, node):
        """Requests a restart of the PostgreSQL of a node from Patroni."""
        request = urllib.request.Request(
            f"http://{ADDRESS}:{self.ports[node + '.patroni']}/restart", data=b"{}", method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()

    def processes(self, node):
        """The process ids of Patroni and of PostgreSQL of a node, parents first."""
        found = []
        child = self.children.get(node)
        if child and child.poll() is None:
            found.append(child.pid)
        try:
            postmaster = int((self.data(node) / "postmaster.pid").read_text().split()[0])
            arguments = Path(f"/proc/{postmaster}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError, IndexError):
            return with_descendants(found)
        # The file may be outdated, so that the id belongs to another process.
        if any(str(self.data(node)).encode() in argument for argument in arguments):
            found.append(postmaster)
        return with_descendants(found)

    def signal_node(self, node, number):
        """Sends a signal to all processes of a node, as if it happened to its machine."""
        for process in self.processes(node):
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass

    def crash(self, node):
        """Kills all processes of a node."""
        self.signal_node(node, signal.SIGKILL)
        self.children.pop(node).wait()


def postgres_programs():
    """The folder of the newest PostgreSQL."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    return max(folders, key=lambda folder: int(folder.parent.name))


def etcd_section():
    """The section of patroni.yml for etcd; the reason is in patroni.yml."""
    words = subprocess.run(["/usr/bin/python3", shutil.which("patroni"), "--version"],
                           check=True, capture_output=True, text=True).stdout.split()
    version = tuple(int(number) for number in words[-1].split(".")[:3])
    return "etcd3" if version >= (3, 0, 3) else "etcd"
