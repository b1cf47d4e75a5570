"""Run a command that must not outlive its parent: ``guard.py MODE PARENT_PID COMMAND …``. Standard library only.

``exec`` (Linux): ask the kernel to kill us when the thread that started us ends, then become the command.
``watch`` (elsewhere, and where a thread other than the main one starts it): run the command in our process group, look
after the parent five times a second, and kill the group when it is gone.
"""

import contextlib
import os
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1
PARENT_GONE = 113
LOOK_SECONDS = 0.2


def become(parent: int, command: list[str]) -> None:
    """Die with the parent (prctl(2), PR_SET_PDEATHSIG; it survives execve), and run ``command`` in our place."""
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we had asked
        os._exit(PARENT_GONE)
    os.execvp(command[0], command)  # noqa: S606  # a list from our own code, never a shell


def watch(parent: int, command: list[str], inherited: tuple[int, ...]) -> int:
    """Run ``command`` until it ends, or until the parent does: then everything in our process group is killed."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # it goes to the whole group: the command decides, we wait
    child = subprocess.Popen(command, preexec_fn=_default_signals, pass_fds=inherited)  # noqa: PLW1509  # one thread
    while os.getppid() == parent:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = child.wait(LOOK_SECONDS)
            return code if code >= 0 else 128 - code
    os.killpg(0, signal.SIGKILL)
    return PARENT_GONE


def _default_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def main(arguments: list[str]) -> int:
    """Run as the module's text says."""
    mode, parent, fds, *command = arguments
    try:
        if mode == "exec":
            become(int(parent), command)
        return watch(int(parent), command, tuple(int(fd) for fd in fds.split(",") if fd))
    except OSError as error:
        sys.stderr.write(f"can't be started: {command[0]}: {error}\n")
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
