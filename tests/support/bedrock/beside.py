"""Run a command with a Bedrock on the wire beside it: `python -m tests.support.bedrock.beside COMMAND …`."""

import os
import subprocess
import sys

from tests.support.bedrock.client import BedrockWire

if __name__ == "__main__":
    with BedrockWire() as wire:
        print(f"Bedrock on the wire: {wire.base_url} (what it was asked: {wire.base_url}/requests)")
        settings = {"CHAT_MODEL": os.environ.get("CHAT_MODEL", "amazon.nova-lite-v1:0")}
        try:
            sys.exit(subprocess.call(sys.argv[1:], env={**os.environ, **wire.environment(**settings)}))
        except KeyboardInterrupt:
            sys.exit(130)
