"""Audits: a plan, attacks beside their floors, recovery of planted data, and one result."""

from workbench.audit.plan import AuditPlan
from workbench.audit.run import run_audit

__all__ = ["AuditPlan", "run_audit"]
