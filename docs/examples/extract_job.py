"""Start the studio, let it extract the faces of a side, wait for that, and tell what came of it.

python extract_job.py FOLDER_OF_WORKSPACES WORKSPACE SIDE
"""

import json
import re
import signal
import subprocess
import sys
from urllib.parse import quote
from urllib.request import Request, urlopen

folder, workspace, side = sys.argv[1:]
studio = subprocess.Popen(
    [sys.executable, "-m", "lookalike", "studio", folder], stdout=subprocess.PIPE, text=True, encoding="utf-8"
)
address, token = re.search(r"(http://\S+?)/\?token=(\S+)", studio.stdout.readline()).groups()


def ask(path, body=None):
    """Ask the studio; what is sent is sent by POST, as JSON."""
    data = None if body is None else json.dumps(body).encode()
    return urlopen(Request(address + path, data, {"Authorization": f"Bearer {token}"}))


try:
    place = f"/api/w/{quote(workspace)}"
    job = {"kind": "extract", "side": side, "options": {"size": 128}}
    number = json.load(ask(f"{place}/jobs", job))["number"]
    for line in ask("/api/events"):  # server-sent events: every change of the jobs
        if line.startswith(b"data:"):
            mine = next(one for one in json.loads(line[5:])["jobs"] if one["number"] == number)
            print(f"{mine['state']} {mine['done']:.0f}/{mine['total']:.0f}")
            if mine["state"] not in ("waiting", "running", "stopping"):
                break
    print(mine["error"] or mine["lines"][-1])
    print(json.load(ask(f"{place}/videos"))["sides"][side]["faces"], "faces")
finally:
    studio.send_signal(signal.SIGINT)
    studio.wait()
