"""What face work costs in one checkout; run by that checkout's Python, told what to do as JSON.

    python clean_cost_of.py '{"engine": "dlib", "files": [...], "processes": 1}'

Reads versions since 7aafdcd, where faces were looked at by other modules. Prints JSON: seconds of
start-up, CPU and wall seconds of looking at all pictures and of embedding the largest faces, and
the peak of the memory of all processes. With `processes` of 0 the work is done in this one.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def cpu_s() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def spent(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return CPU seconds, wall seconds and what the work returns."""
    cpu, wall = cpu_s(), time.perf_counter()
    result = work()
    return cpu_s() - cpu, time.perf_counter() - wall, result


class Today:
    """Face work as it is since `vision` knows nothing of the catalogue."""

    def __init__(self, engine: str, files: Sequence[Path]) -> None:
        from celebcollect.pictures.decode import inspect
        from celebcollect.pictures.file import PictureFile
        from celebcollect.vision import dlib_engine, onnx_engine

        self.spec: Any = (
            dlib_engine.DlibSpec() if engine == "dlib" else onnx_engine.yunet_sface_spec()
        )
        self._smallest_px = self.spec.numbers.smallest_face_px
        self.pictures: list[Any] = []
        for number, file in enumerate(files):
            seen = inspect(file.read_bytes(), max_pixels=10**9)
            self.pictures.append(PictureFile(str(number), file, seen.width_px, seen.height_px))

    def jobs(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """Return what looks at a picture, and what embeds a face."""
        from functools import partial

        from celebcollect.vision import looking

        # `measure` also takes the fingerprint, where there is one.
        embed = getattr(looking, "measure", looking.embed)
        return partial(looking.detect, smallest_px=self._smallest_px), embed

    def faces(self, looked: dict[str, Any]) -> list[Any]:
        """Return the largest face of each picture in which one is found."""
        from celebcollect.vision.looking import FaceInPicture

        return [
            FaceInPicture(picture, looked[picture.id].faces[0])
            for picture in self.pictures
            if getattr(looked[picture.id], "faces", ())
        ]

    def workers(self, count: int) -> tuple[Any, Callable[..., Any]]:
        """Return processes, and how they are handed work."""
        from celebcollect.vision.workers import Workers

        workers = Workers(self.spec, count)
        return workers, workers.run


class Then:
    """Face work of version 7aafdcd."""

    def __init__(self, engine: str, files: Sequence[Path]) -> None:
        from celebcollect.checks.vision.dlib_engine import DlibSpec  # type: ignore[import-not-found]
        from clean_pictures import picture_of

        if engine != "dlib":
            raise ValueError(f"{engine} did not exist")
        self.spec: Any = DlibSpec()
        self.pictures: list[Any] = [picture_of(file) for file in files]

    def jobs(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """Return what looks at a picture, and what embeds a face."""
        from celebcollect.checks.vision import looking  # type: ignore[import-not-found]

        return looking.detect, looking.embed

    def faces(self, looked: dict[str, Any]) -> list[Any]:
        """Return the pictures in which a face is found."""
        from clean_pictures import with_facts

        return [
            with_facts(picture, "faces", looked[picture.image.id])
            for picture in self.pictures
            if looked[picture.image.id].get("faces")
        ]

    def workers(self, count: int) -> tuple[Any, Callable[..., Any]]:
        """Return processes, and how they are handed work."""
        from celebcollect.checks.vision.workers import Workers  # type: ignore[import-not-found]

        workers = Workers(self.spec, count)
        return workers, workers.measure


def measure(engine: str, files: Sequence[Path], processes: int) -> dict[str, float]:
    """Return the figures."""
    start_cpu, start_wall = cpu_s(), time.perf_counter()
    try:
        version: Any = Today(engine, files)
    except ImportError:
        version = Then(engine, files)
    detect, embed = version.jobs()
    begun = time.perf_counter()
    if processes:
        workers, run = version.workers(processes)
        dict(run(detect, version.pictures[: 4 * processes]))  # models are loaded now
    else:
        loaded = version.spec.load()

        def run(job: Callable[..., Any], tasks: Sequence[Any]) -> Any:
            return [(key(task), job(loaded, task)) for task in tasks]

    start = {"start_s": time.perf_counter() - begun, "import_s": begun - start_wall}
    start["start_cpu_s"] = cpu_s() - start_cpu
    looking_cpu, looking_wall, looked = spent(lambda: dict(run(detect, version.pictures)))
    faces = version.faces(looked)
    embedding_cpu, embedding_wall, _ = spent(lambda: list(run(embed, faces)))
    if processes:
        workers.close()
    return {
        **start,
        "pictures": len(files),
        "faces": len(faces),
        "looking_cpu_s": looking_cpu,
        "embedding_cpu_s": embedding_cpu,
        "wall_s": looking_wall + embedding_wall,
        "peak_mb": max(
            resource.getrusage(who).ru_maxrss / 1024
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        ),
    }


def key(task: Any) -> str:
    """Return what a task is called."""
    return str(task.id) if hasattr(task, "id") else str(task.image.id)


def main() -> None:
    """Measure what is asked for."""
    asked = json.loads(sys.argv[1])
    files = [Path(file) for file in asked["files"]]
    print(json.dumps(measure(asked["engine"], files, asked["processes"])))


if __name__ == "__main__":
    main()
