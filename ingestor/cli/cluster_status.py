"""What ``ingest status`` says of the workers of a cluster."""

from __future__ import annotations

from dataclasses import asdict

from rich.console import Console
from rich.text import Text

from ingestor.store.cluster_overview import ClusterState


def as_document(state: ClusterState | None) -> dict[str, object]:
    """Return the workers as they stand in ``status --json``."""
    return {"cluster": asdict(state) if state else None}


def show(state: ClusterState | None) -> None:
    """Say who works, and what waits."""
    if state is None:
        return
    console = Console()
    names = f": {', '.join(state.names)}" if state.names else ""
    console.print(Text(f"workers {state.workers} alive{names}"))
    for name, queue in state.queues.items():
        again = f" ({queue.again} again)" if queue.again else ""
        console.print(
            Text(
                f"queue   {name}: {queue.waiting} waiting{again}, "
                f"{queue.running} running, {queue.failed} failed"
            )
        )
    for kind, counts in state.assignments.items():
        said = ", ".join(f"{number} {what}" for what, number in counts.items())
        console.print(Text(f"days    {kind}: {said}"))
    for job in state.stalled:
        console.print(Text(f"stalled {job}: its worker is gone; another one does it"))
