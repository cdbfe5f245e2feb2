"""httpx, without its command line.

Where click is installed, httpx imports that, and with it rich and pygments: as much again as the
rest of it, which each start of a pass and of the daemon would pay.
"""

from __future__ import annotations

import sys

if "click" in sys.modules:
    import httpx
else:
    sys.modules["click"] = None  # type: ignore[assignment]
    try:
        import httpx
    finally:
        del sys.modules["click"]

__all__ = ["httpx"]
