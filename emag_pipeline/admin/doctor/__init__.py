"""`emag-pipeline doctor`: what is wrong and what to do about it, one line each; one module per subject."""

from emag_pipeline.admin.doctor.examine import Diagnosis, diagnose
from emag_pipeline.admin.doctor.finding import Finding, Verdict

__all__ = ["Diagnosis", "Finding", "Verdict", "diagnose"]
