"""The process in which GPU code runs: crashes and endless loops end here, not in the caller.

Started by device.py with one end of a socket. A request is one line of JSON and a memory file that
holds the launch, its code and all its buffers; the answer is one line of JSON, the results are in
the memory file. This file imports nothing of crossport but the record layouts beside it.
"""

import array
import ctypes
import importlib.util
import json
import mmap
import os
import socket
import sys
import threading
import time

_SPEC = importlib.util.spec_from_file_location(
    "records", os.path.join(os.path.dirname(os.path.abspath(__file__)), "records.py")
)
assert _SPEC is not None and _SPEC.loader is not None
r = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(r)


class Machine:
    """The compiled core and the instruction bodies loaded so far."""

    def __init__(self) -> None:
        self.cores: dict[str, ctypes.CDLL] = {}
        self.libraries: dict[str, ctypes.CDLL] = {}
        self.pointers: dict[str, int] = {}
        self.keep: list[object] = []

    def core(self, path: str) -> ctypes.CDLL:
        if path not in self.cores:
            core = ctypes.CDLL(path)
            sizes = [core.structure_size(k) for k in range(len(r.SHARED))]
            if sizes != [ctypes.sizeof(s) for s in r.SHARED]:
                raise RuntimeError(f"record layouts differ: {sizes}")
            self.cores[path] = core
        return self.cores[path]

    def pointer(self, symbol: str, path: str) -> int:
        if symbol not in self.pointers:
            if path not in self.libraries:
                self.libraries[path] = ctypes.CDLL(path)
            function = getattr(self.libraries[path], symbol)
            self.pointers[symbol] = ctypes.cast(function, ctypes.c_void_p).value or 0
        return self.pointers[symbol]


def run(machine: Machine, request: dict[str, object], memory: mmap.mmap) -> dict[str, object]:
    """Carry out one launch."""
    base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    core = machine.core(str(request["core"]))
    launch = r.Launch.from_buffer(memory, 0)
    for name in (
        "ops",
        "at_offset",
        "constants",
        "regions",
        "trace",
        "positions",
        "findings",
        "synchronised",
        "printed",
    ):
        if getattr(launch, name):
            setattr(launch, name, base + getattr(launch, name))
    for name in ("initial_v", "initial_s", "final_v", "final_s", "lds_in", "lds_out"):
        if getattr(launch, name):
            setattr(launch, name, base + getattr(launch, name))
    regions = (r.Region * launch.region_count).from_address(launch.regions)
    for region in regions:
        region.host = base + region.host
        region.shadow = base + region.shadow if region.shadow else 0
    symbols = request["symbols"]
    assert isinstance(symbols, list)
    table = (ctypes.c_uint64 * (len(symbols) + 1))()
    for k, (symbol, path) in enumerate(symbols):
        table[k + 1] = machine.pointer(symbol, path)
    core.link_operations(ctypes.c_void_p(launch.ops), launch.op_count, table)
    counters_at = request["counters"]
    assert isinstance(counters_at, int)
    started = time.monotonic()
    cpu: list[float] = []

    def work(thread: int) -> None:
        own = counters_at + thread * launch.op_count * ctypes.sizeof(r.Counter)
        counters = ctypes.c_void_p(base + own if counters_at else None)
        core.run_thread(ctypes.byref(launch), ctypes.byref(launch), counters, thread)
        cpu.append(time.thread_time())

    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(launch.threads)]
    for thread in threads:
        thread.start()
    seconds = request["seconds"]
    assert isinstance(seconds, (int, float))
    for thread in threads:
        thread.join(max(0.0, seconds - (time.monotonic() - started)))
    late = any(thread.is_alive() for thread in threads)
    if late:
        launch.stop = 3
        for thread in threads:
            thread.join()
    return {"seconds": time.monotonic() - started, "cpu": sum(cpu), "late": late}


def serve(link: socket.socket) -> None:
    """Answer requests until the other side closes."""
    machine = Machine()
    size = array.array("i", [0]).itemsize
    while True:
        data, extra, _, _ = link.recvmsg(1 << 20, socket.CMSG_SPACE(size))
        if not data:
            return
        descriptor = array.array("i")
        for level, kind, payload in extra:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptor.frombytes(payload[:size])
        while not data.endswith(b"\n"):
            more = link.recv(1 << 20)
            if not more:
                return
            data += more
        request = json.loads(data)
        flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
        memory = mmap.mmap(descriptor[0], int(request["size"]), flags=flags)
        os.close(descriptor[0])
        try:
            answer = run(machine, request, memory)
        except Exception as problem:
            answer = {"error": f"{type(problem).__name__}: {problem}"}
        machine.keep.append(memory)
        _drop(machine.keep)
        link.sendall(json.dumps(answer).encode() + b"\n")


def _drop(keep: list[object]) -> None:
    """Unmap launches that are over; a mapping that is still referenced goes at the next one."""
    remaining: list[object] = []
    for memory in keep:
        assert isinstance(memory, mmap.mmap)
        try:
            memory.close()
        except BufferError:
            remaining.append(memory)
    keep[:] = remaining


if __name__ == "__main__":
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(socket.socket(fileno=int(sys.argv[1])))
