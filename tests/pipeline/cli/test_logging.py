"""Logs: lines of JSON wherever no terminal is, whatever ends the process."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

ENDS = {
    "raised": "raise ValueError('x')",
    "thread": "import threading\nt = threading.Thread(target=lambda: 1 / 0, name='worker')\nt.start(); t.join()",
    "warned": "import warnings\nwarnings.warn('take care')",
    "failed": "from pipeline.cli.common import tell_failure\ntell_failure('reading failed')",
    "logged": "import logging\nlogging.getLogger('a').warning('said', extra={'fields': {'article_id': 'é\\n'}})",
}
SET_UP = (
    "from config.settings import load_settings\n"
    "from pipeline.cli.common import set_up_logging\n"
    "set_up_logging(load_settings(), serving={serving})\n"
)


def said(program, *, serving=True, **env):
    """What a program says on stderr, which is no terminal."""
    code = SET_UP.format(serving=serving) + program
    run = subprocess.run(
        [sys.executable, "-c", code],
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **env},
    )
    return run.stderr.splitlines()


@pytest.mark.parametrize("end", ENDS)
def test_every_line_is_json(end):
    """A collector of logs must not meet half a trace, nor lose the last words."""
    (line,) = said(ENDS[end])
    told = json.loads(line)
    assert {"time", "level", "logger", "message"} <= told.keys()
    text = json.dumps(told)
    assert {"raised": "ValueError", "thread": "ZeroDivisionError", "warned": "take care", "failed": "reading failed",
            "logged": "article_id"}[end] in text  # fmt: skip


def test_a_person_is_told_in_words():
    """A command that somebody has typed says what failed as it always did."""
    assert said(ENDS["failed"], serving=False) == ["brinkwatch: reading failed"]


def test_the_level_is_a_setting():
    """What is below it is not said."""
    assert said(ENDS["logged"], BRINKWATCH_LOG_LEVEL="error") == []
