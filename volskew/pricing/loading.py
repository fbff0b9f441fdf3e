"""A lock around the first import of the kernels.

The kernels are imported where they are first needed, so that importing the library does not start numba. A
child forked while another thread is in that import would wait forever for a thread that it does not have; so
a fork waits until the import is done. (`volskew.pricing.compiled` does the same for compiling.)
"""

from __future__ import annotations

import os
import threading

__all__ = ["importing"]

importing = threading.RLock()
"""Held by ``with importing: from volskew.pricing import ...`` inside a function."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=importing.acquire, after_in_parent=importing.release, after_in_child=importing.release
    )
