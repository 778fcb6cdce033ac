"""Runs one command and whatever it starts as a process group that ends with the process that asked for it.

    python orrery_supervise.py '{"timeout": 60.0, "memory": 1000000000}' command argument…

Standard input is a line of life: when it closes (also by kill -9 of the other end) the whole group is killed. What the command
prints goes to standard output, errors among it in order. How it ended is written to file descriptor 3 as JSON. This process must
lead its own process group. Standard library only.
"""

import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time

LINUX = sys.platform.startswith("linux")
PR_SET_PDEATHSIG = 1
REPORT = 3
WAKE_MS = 50
# On Linux a look at the group costs a few milliseconds; elsewhere it starts `ps`.
MEASURE_SECONDS = 0.2 if LINUX else 1.0


def main():
    limits = json.loads(sys.argv[1])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: kill_group())
    started = time.monotonic()
    try:
        child = subprocess.Popen(
            sys.argv[2:], stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, preexec_fn=die_with_parent()
        )
    except OSError as error:
        report({"outcome": "not-started", "message": str(error)})
        return
    outcome, peak = watch(child, started, limits.get("timeout"), limits.get("memory"))
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1024 if LINUX else 1)
    report(
        {
            "outcome": outcome,
            "code": child.returncode if child.returncode is not None and child.returncode >= 0 else None,
            "signal": signal.Signals(-child.returncode).name if child.returncode is not None and child.returncode < 0 else None,
            "seconds": time.monotonic() - started,
            "peak": max(peak, largest),
        }
    )
    kill_group()


def watch(child, started, timeout, memory):
    """Until the command ends or must end: (how, the most memory seen)."""
    life = select.poll()
    life.register(0, select.POLLIN | select.POLLHUP)
    measured, peak = 0.0, 0
    while True:
        if child.poll() is not None:
            return "exited", peak
        if life.poll(WAKE_MS) and os.read(0, 4096) == b"":
            kill_group()
        now = time.monotonic()
        if timeout is not None and now - started > timeout:
            return "timeout", peak
        if now - measured < MEASURE_SECONDS:
            continue
        measured, used = now, group_memory()
        if memory is not None and used > memory:
            # Pages that forked processes share were counted once for each.
            used = min(used, group_memory(shared_once=True))
        peak = max(peak, used)
        if memory is not None and used > memory:
            return "memory", peak


def report(what):
    os.write(REPORT, json.dumps(what).encode())


def kill_group():
    os.killpg(0, signal.SIGKILL)


def die_with_parent():
    """What a child does before it becomes the command, so that it goes with this process even where this one cannot see to it."""
    if not LINUX:
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def prepare():
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        try:
            # Where memory runs out, the kernel ends the trainer and not what serves predictions beside it.
            with open("/proc/self/oom_score_adj", "w") as score:
                score.write("800")
        except OSError:
            pass

    return prepare


def group_memory(shared_once=False):
    """Resident bytes of all processes in this group, this one left out."""
    group, own = os.getpgrp(), os.getpid()
    if not LINUX:
        listed = subprocess.run(["ps", "-axo", "pid=,pgid=,rss="], capture_output=True, text=True).stdout.splitlines()
        rows = [[int(field) for field in line.split()] for line in listed]
        return sum(rss * 1024 for pid, pgid, rss in rows if pgid == group and pid != own)
    total = 0
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == own:
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as stat:
                # The command's name, in parentheses, may hold anything.
                fields = stat.read().rpartition(b")")[2].split()
            if int(fields[2]) != group:
                continue
            total += proportional_memory(name) if shared_once else int(fields[21]) * resource.getpagesize()
        except (OSError, IndexError):
            continue
    return total


def proportional_memory(pid):
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return sum(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Pss:"))


main()
