"""Lets Python 3.7 and later load version 3.6.1 of the Python agent. The installed files stay as they are.

- `async` is a keyword since Python 3.7, and the agent has a parameter of this name. The name is replaced while a module
  of the agent is compiled; lines keep their numbers.
- Python 3.11 removed two functions of `inspect`. The agent's copy of wrapt imports both, and calls only the first.

Python loads this module at its start if this folder is in `PYTHONPATH`.
"""

import importlib.machinery
import inspect
import re

compile_unchanged = importlib.machinery.SourceFileLoader.source_to_code


def source_to_code(loader, source, path, **options):
    try:
        return compile_unchanged(loader, source, path, **options)
    except SyntaxError:
        if loader.name != "opbeat" and not loader.name.startswith("opbeat."):
            raise
        return compile_unchanged(loader, re.sub(rb"\basync\b", b"async_", source), path, **options)


importlib.machinery.SourceFileLoader.source_to_code = source_to_code
if not hasattr(inspect, "getargspec"):
    inspect.getargspec = lambda function: inspect.getfullargspec(function)[:4]
    inspect.formatargspec = None
