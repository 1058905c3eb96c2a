"""What a failed, missed or unmeasurable item shows: pure text, at most 40 lines unless everything is asked for."""

from .gate import failed_gate, failed_grade, unmeasurable
from .sample import metric_error, sample, summary

__all__ = ["failed_gate", "failed_grade", "metric_error", "sample", "summary", "unmeasurable"]
