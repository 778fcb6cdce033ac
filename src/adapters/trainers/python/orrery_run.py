"""Runs a trainer in its environment: python orrery_run.py <script or package.module:function>; ORRERY_SPEC names the spec's file.

What it raised is written beside its output, so that a message can name it. Standard library only.
"""

import json
import os
import runpy
import sys
import traceback


class ProgramMissing(Exception):
    def __str__(self):
        return self.args[0]


def main(program):
    with open(os.environ["ORRERY_SPEC"], encoding="utf-8") as file:
        failure = json.load(file)["output"]["failure"]
    try:
        run(program)
    except SystemExit:
        raise
    except BaseException as error:
        # The first frames are this file's and runpy's.
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename not in (__file__, runpy.__file__) and "<frozen" not in frame.filename]
        print("".join(["Traceback (most recent call last):\n", *traceback.format_list(own)]), end="", file=sys.stderr)
        lines = traceback.format_exception_only(type(error), error)
        print("".join(lines), end="", file=sys.stderr)
        # Where it went wrong in the project's own code, rather than in the library that it called.
        project = [frame for frame in own if frame.filename.startswith(os.getcwd() + os.sep)] or own
        place = f"{os.path.basename(project[-1].filename)}:{project[-1].lineno}" if project else None
        with open(failure, "w", encoding="utf-8") as file:
            message = str(error) if isinstance(error, ProgramMissing) else lines[-1].strip()
            json.dump({"type": type(error).__name__, "message": message, "place": place}, file)
        sys.exit(1)


def run(program):
    if program.endswith(".py"):
        sys.argv = [program]
        sys.path.insert(0, os.path.dirname(program))
        runpy.run_path(program, run_name="__main__")
        return
    from importlib import import_module

    from orrery_trainer import load

    name, _, function = program.partition(":")
    # As `python -m` does: the folder it was started in.
    sys.path.insert(0, os.getcwd())
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        # One that the module itself imports is the program's own fault.
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise ProgramMissing(f"there is no module {name}") from None
    if not hasattr(module, function):
        raise ProgramMissing(f"the module {name} has no {function}")
    getattr(module, function)(load())


main(sys.argv[1])
