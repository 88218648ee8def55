"""Run the server: `python -m tests.support.bedrock --port 8123`."""

import argparse
import asyncio
import contextlib
import sys

from tests.support.bedrock.server import BedrockServer


async def _serve(host: str, port: int, *, with_parent: bool) -> None:
    server = await BedrockServer().listen(host, port)
    at = server.sockets[0].getsockname()[1]
    sys.stdout.write(f"Bedrock on the wire: http://{host}:{at}\n")
    sys.stdout.flush()
    await (_end_of_input() if with_parent else server.serve_forever())


async def _end_of_input() -> None:
    """Return when the process that started this one is gone: its end of our standard input closes then."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.bedrock", description="A Bedrock on the wire.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free port; the line printed tells which")
    parser.add_argument("--with-parent", action="store_true", help="stop when standard input ends")
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(arguments.host, arguments.port, with_parent=arguments.with_parent))


if __name__ == "__main__":
    main()
