"""Nothing is lost or doubled when the writer is killed. TELLER_KILLS sets how often (1000 for a thorough run)."""

import json
import os
import subprocess
import sys

from tests.support.ledger import Target

KILLS = os.environ.get("TELLER_KILLS", "40")
SEED = os.environ.get("TELLER_SEED", "1")


def test_a_writer_killed_at_random_moments_loses_and_doubles_nothing(target: Target) -> None:
    command = [sys.executable, "-m", "tests.faults.kill_writer", str(target), "--kills", KILLS, "--seed", SEED]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, (SEED, done.stdout, done.stderr[-2000:])
    sys.stdout.write(done.stdout)  # for the record: pytest -rA shows it
    found = json.loads(done.stdout)
    assert (found["lost"], found["doubled"], found["broken"]) == (0, 0, 0)
    assert found["before"] > 0, "no kill came before the commit: the harness proves nothing"
