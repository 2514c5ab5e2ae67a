"""Runs inside the sandbox: load a generated Triton or JAX module, make the calls asked for.

    <work>/request.json     which file, which calls, where the arrays lie
    <work>/reply.json       one entry a call: status, message, seconds, shapes and types of results

Arrays are files between guard bands, mapped here and read by the parent afterwards. Stdlib, NumPy
and the target's own library only. Nothing here is trusted: the reply is a claim, the judging
happens outside.
"""

from __future__ import annotations

import importlib.util
import json
import mmap
import os
import sys
import time
import traceback
import zlib
from typing import Any

import numpy as np

_STORAGE = {"bool": "uint8", "bfloat16": "uint16"}


def main() -> None:
    """Make every call; write the reply after each, so that a crash loses only the rest."""
    with open("request.json") as file:
        request = json.load(file)
    replies: list[dict[str, Any]] = []
    try:
        module = _load(request["entry"])
    except BaseException as error:
        message = _message(error)
        replies = [{"status": "failed", "message": f"import: {message}"} for _ in request["calls"]]
        _write(replies)
        return
    for call in request["calls"]:
        began = time.perf_counter()
        try:
            reply = _triton(module, call) if request["kind"] == "triton" else _jax(module, call)
        except ValueError as error:
            reply = {"status": "refused", "message": _message(error)}
        except BaseException as error:
            reply = {"status": "failed", "message": _message(error)}
        reply["seconds"] = time.perf_counter() - began
        if reply["status"] == "ok":
            reply["sums"] = _sums(call)
        replies.append(reply)
        _write(replies)


def _load(path: str) -> Any:
    spec = importlib.util.spec_from_file_location("candidate", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["candidate"] = module
    spec.loader.exec_module(module)
    return module


def _kernel(module: Any, call: dict[str, Any]) -> Any:
    table = getattr(module, "KERNELS", {})
    wanted = _plain(call["kernel"])
    for name, function in table.items():
        if _plain(name) == wanted:
            return function
    function = getattr(module, call["function"], None)
    if function is None:
        raise LookupError(f"the module has no kernel {call['kernel']}")
    return function


def _plain(name: str) -> str:
    return name.replace(" ", "")


def _map(call: dict[str, Any], array: dict[str, Any]) -> np.ndarray[Any, Any]:
    """The contents of an array, shared with the file; the guard bands lie outside the view."""
    handle = os.open(os.path.join(call["folder"], array["file"]), os.O_RDWR)
    try:
        block = mmap.mmap(handle, 0)
    finally:
        os.close(handle)
    storage = np.dtype(_STORAGE.get(array["dtype"], array["dtype"]))
    flat = np.frombuffer(block, dtype=storage, count=array["count"], offset=array["offset"])
    return flat.reshape(array["shape"])


def _arguments(call: dict[str, Any], arrays: dict[str, Any]) -> list[Any]:
    made: list[Any] = []
    for arg in call["args"]:
        if arg["kind"] == "array":
            made.append(arrays[arg["name"]])
        elif arg["kind"] == "scalar":
            made.append(arg["value"])
        elif arg["kind"] == "struct":
            made.append(
                {
                    f["name"]: arrays[f["array"]] if "array" in f else f["value"]
                    for f in arg["fields"]
                }
            )
        else:
            raise LookupError(f"no way to pass a {arg['kind']}")
    return made


def _triton(module: Any, call: dict[str, Any]) -> dict[str, Any]:
    import torch

    on_gpu = torch.cuda.is_available() and not os.environ.get("TRITON_INTERPRET")
    function = _kernel(module, call)
    mapped = {a["name"]: (a, _map(call, a)) for a in call["arrays"]}
    tensors: dict[str, Any] = {}
    for name, (array, values) in mapped.items():
        tensor = torch.from_numpy(values)
        if array["dtype"] == "bfloat16":
            tensor = tensor.view(torch.bfloat16)
        if array["dtype"] == "bool":
            tensor = tensor.view(torch.bool)
        tensors[name] = tensor.cuda() if on_gpu else tensor
    table = getattr(function, "globals", {})
    for name in call["symbols"]:
        table[name] = tensors[name]
    arguments = _arguments(call, tensors)
    function(tuple(call["grid"]), tuple(call["block"]), *arguments, shared_bytes=call["shared"])
    times: list[float] = []
    if on_gpu:
        torch.cuda.synchronize()
    for name, (_, values) in mapped.items():
        tensor = table[name] if name in call["symbols"] else tensors[name]
        if on_gpu or name in call["symbols"]:
            host = tensor.detach().cpu().contiguous()
            raw = host.reshape(-1).view(torch.uint8).numpy()
            np.copyto(values.reshape(-1).view(np.uint8), raw)
    return {"status": "ok", "times_us": times}


def _jax(module: Any, call: dict[str, Any]) -> dict[str, Any]:
    import ml_dtypes

    function = _kernel(module, call)
    mapped = {a["name"]: (a, _map(call, a)) for a in call["arrays"]}
    values: dict[str, Any] = {}
    for name, (array, flat) in mapped.items():
        typed = flat
        if array["dtype"] == "bfloat16":
            typed = flat.view(ml_dtypes.bfloat16)
        if array["dtype"] == "bool":
            typed = flat.view(np.bool_)
        values[name] = typed.copy()
    table = getattr(function, "globals", {})
    for name in call["symbols"]:
        table[name] = values[name]
    arguments = _arguments(call, values)
    result = function(
        tuple(call["grid"]), tuple(call["block"]), *arguments,
        shared_bytes=call["shared"], interpret=True,
    )  # fmt: skip
    results = result if isinstance(result, tuple) else (result,)
    faults: list[str] = []
    if len(results) != len(call["returns"]):
        faults.append(f"{len(results)} arrays were returned, {len(call['returns'])} are written")
    named = list(zip(call["returns"], results, strict=False))
    named += [(name, table[name]) for name in call["symbols"] if name in table]
    for name, value in named:
        array, target = mapped[name]
        host = np.asarray(value)
        expected = "bfloat16" if array["dtype"] == "bfloat16" else array["dtype"]
        if name in call["symbols"]:
            host = host.reshape(-1)
        elif host.dtype.name != expected or list(host.shape) != array["shape"]:
            faults.append(
                f"{name} came back as {host.dtype.name}{list(host.shape)}, "
                f"not {expected}{array['shape']}"
            )
            continue
        np.copyto(
            target.reshape(-1).view(np.uint8), np.ascontiguousarray(host).reshape(-1).view(np.uint8)
        )
    return {"status": "ok", "faults": faults, "times_us": []}


def _sums(call: dict[str, Any]) -> dict[str, int]:
    """What every array holds at the return: what comes later comes too late."""
    found = {}
    for array in call["arrays"]:
        with open(os.path.join(call["folder"], array["file"]), "rb") as file:
            found[array["name"]] = zlib.crc32(file.read())
    return found


def _message(error: BaseException) -> str:
    last = traceback.format_exception_only(error)[-1].strip()
    return last[:2000]


def _write(replies: list[dict[str, Any]]) -> None:
    with open("reply.json.part", "w") as file:
        json.dump(replies, file)
    os.replace("reply.json.part", "reply.json")


if __name__ == "__main__":
    main()
