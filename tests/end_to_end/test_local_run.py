"""The ground that the other tests of this folder stand on."""

import os
from pathlib import Path

from local.run import LocalRun

LISTENING = "0A"
LOOPBACK_IN_PROC = "0100007F"


def test_the_emulator_listens_on_one_loopback_port(stack: LocalRun) -> None:
    """No other port, and no other interface."""
    listeners = Path("/proc/net/tcp").read_text().splitlines()[1:]
    addresses = {
        fields[9]: fields[1] for line in listeners if (fields := line.split())[3] == LISTENING
    }
    links = (os.readlink(fd) for fd in Path(f"/proc/{stack.emulator.pid}/fd").iterdir())
    own = [addresses[inode] for link in links if (inode := link[8:-1]) in addresses]
    port = int(stack.sandbox.aws_url.rpartition(":")[2])
    assert own == [f"{LOOPBACK_IN_PROC}:{port:04X}"]
