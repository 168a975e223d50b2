"""The reports. In memory: this is an example of guards, not of storage."""

from dataclasses import dataclass, replace
from threading import Lock


@dataclass(frozen=True, slots=True)
class Report:
    id: str
    title: str
    figures: str
    published: bool = False


class Library:
    """Safe for threads."""

    def __init__(self) -> None:
        reports = (Report("sales", "Sales", "412 lamps, 97 chairs"), Report("salaries", "Salaries", "12 people"))
        self._reports = {report.id: report for report in reports}
        self._lock = Lock()

    def all(self) -> list[Report]:
        return list(self._reports.values())

    def find(self, report_id: str) -> Report | None:
        return self._reports.get(report_id)

    def publish(self, report_id: str) -> Report | None:
        """None when there is no such report. May be repeated."""
        with self._lock:
            report = self._reports.get(report_id)
            if report is not None:
                report = self._reports[report_id] = replace(report, published=True)
            return report
