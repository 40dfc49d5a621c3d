#!/usr/bin/env python3
"""Works off a task list, as the script `work` does, with the standard library only.

    TASKHOLD_KEY=taskhold_key_… examples/scripts/work.py LIST COMMAND…
"""
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timezone

KEY = os.environ["TASKHOLD_KEY"]
URL = os.environ.get("TASKHOLD_URL", "http://127.0.0.1:8000") + "/graphql"
WORKER = os.environ.get("TASKHOLD_WORKER", f"{socket.gethostname()}-{os.getpid()}")
LIST, *COMMAND = sys.argv[1:]

CLAIM = """mutation($input: ClaimNextTaskInput!) {
  claimNextTask(input: $input) { claim { id task { text } } reason retryAt }
}"""
COMPLETE = "mutation($id: ID!) { completeClaim(id: $id) { task { id } } }"


def ask(document, variables, attempts=6):
    """The value of the only field of an operation. A request whose response was lost is sent again."""
    body = json.dumps({"query": document, "variables": variables}).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(URL, body, headers), timeout=30) as response:
            result = json.load(response)
    except OSError as error:
        if attempts == 1 or isinstance(error, urllib.error.HTTPError) and error.code < 429:
            raise
        time.sleep(2 ** (6 - attempts))
        return ask(document, variables, attempts - 1)
    if "errors" in result:
        raise SystemExit(result["errors"][0]["message"])
    return next(iter(result["data"].values()))


def seconds_until(time_text):
    return (datetime.fromisoformat(time_text.replace("Z", "+00:00")) - datetime.now(timezone.utc)).total_seconds()


while True:
    step = ask(CLAIM, {"input": {"listId": LIST, "worker": WORKER, "id": str(uuid.uuid4())}})
    if step["claim"]:
        subprocess.run([*COMMAND, step["claim"]["task"]["text"]], check=True)
        ask(COMPLETE, {"id": step["claim"]["id"]})
    elif step["reason"] == "DONE":
        break
    else:
        # A claim can end before it expires, so the worker asks again after five seconds at the latest.
        time.sleep(max(1, min(5, seconds_until(step["retryAt"]) if step["retryAt"] else 5)))
