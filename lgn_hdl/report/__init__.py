"""What was built, as a JSON document with a schema and as a page to read."""

from .document import (
    SCHEMA_VERSION,
    BlockResources,
    BoardSection,
    ModelSection,
    PipelineSection,
    ProofSection,
    Report,
    ResourceSection,
    SiliconSection,
    SparseSection,
    StreamingSection,
    TimingSection,
    schema,
)
from .event import event_svg
from .markdown import to_markdown

__all__ = [
    "SCHEMA_VERSION",
    "BlockResources",
    "BoardSection",
    "ModelSection",
    "PipelineSection",
    "ProofSection",
    "Report",
    "ResourceSection",
    "SiliconSection",
    "SparseSection",
    "StreamingSection",
    "TimingSection",
    "event_svg",
    "schema",
    "to_markdown",
]
