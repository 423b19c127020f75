"""Runs a command and writes what it cost to a file: rusage.py OUT COMMAND [ARG ...]

The kernel's own account of the finished process: CPU seconds (user and system, all threads), the largest
resident set in KiB, and when it was started and ended, in seconds of CLOCK_MONOTONIC. SIGTERM and SIGINT are
passed on. The exit code is the command's.
"""

import json
import os
import signal
import subprocess
import sys
import time

out, command = sys.argv[1], sys.argv[2:]
started = time.monotonic()
child = subprocess.Popen(command)
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda got, _frame: child.send_signal(got))
while True:
    try:
        _, status, usage = os.wait4(child.pid, 0)
        break
    except InterruptedError:
        continue
ended = time.monotonic()
cost = {
    "user": usage.ru_utime,
    "system": usage.ru_stime,
    "peakKiB": usage.ru_maxrss,
    "started": started,
    "ended": ended,
}
with open(out, "w", encoding="ascii") as file:
    json.dump(cost, file)
sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
