"""Runs Cloud Custodian with the policies of a file and says what it found and took, as one JSON object."""

import json
import pathlib
import resource
import sys
import tempfile

from c7n.cli import main

with tempfile.TemporaryDirectory() as home:
    sys.argv = ["custodian", "run", "--cache-period", "0", "-s", home, "-r", "us-east-1", sys.argv[1]]
    try:
        main()
    except SystemExit:
        pass
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        path.parent.name: len(json.loads(path.read_text()))
        for path in pathlib.Path(home).rglob("resources.json")
    }
    print(
        json.dumps(
            {"cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss * 1024 / 1e6, "found": found}
        )
    )
