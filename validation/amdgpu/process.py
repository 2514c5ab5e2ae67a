"""The process in which GPU code runs, seen from the caller: start, ask, notice its death."""

import array
import json
import socket
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.validation.amdgpu.memory_image import MemoryFile


class Worker:
    """The process that runs launches, and the socket to it."""

    def __init__(self) -> None:
        self.link, theirs = socket.socketpair()
        script = Path(__file__).resolve().parent / "worker.py"
        self.process = subprocess.Popen(
            [sys.executable, "-E", "-s", "-B", str(script), str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        theirs.close()
        self._finalizer = weakref.finalize(self, _end, self.process, self.link)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None and self.link.fileno() >= 0

    def request(self, file: MemoryFile, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Send a launch and wait for its answer."""
        payload = json.dumps({**request, "size": file.size}).encode() + b"\n"
        descriptors = array.array("i", [file.descriptor])
        self.link.settimeout(seconds + 60)
        data = b""
        try:
            sent = self.link.sendmsg(
                [payload], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)]
            )
            self.link.sendall(payload[sent:])
            while not data.endswith(b"\n"):
                more = self.link.recv(1 << 16)
                if not more:
                    break
                data += more
        except BaseException as problem:
            self.close()
            if not isinstance(problem, OSError):
                raise
        if not data:
            self.close()
            code = self.process.returncode
            raise PortError(
                Diagnostic(
                    Code.EMULATOR_CRASHED,
                    f"the emulator's process ended without an answer (exit code {code})",
                    help="the next launch starts a new one; please report the kernel",
                )
            )
        answer: dict[str, Any] = json.loads(data)
        if "error" in answer:
            raise PortError(
                Diagnostic(
                    Code.EMULATOR_CRASHED, f"the emulator cannot run this launch: {answer['error']}"
                )
            )
        return answer

    def close(self) -> None:
        self._finalizer()


def _end(process: "subprocess.Popen[bytes]", link: socket.socket) -> None:
    link.close()
    try:
        process.wait(0.2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
