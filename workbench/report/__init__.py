"""Reports: a list of results on one self-contained page."""

from workbench.report.report import Report

__all__ = ["Report"]
