"""The Grafana dashboard as code: `python -m deploy.grafana.dashboard` rewrites dashboards/emag_pipeline.json."""

import sys
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, QueryVariable, Row
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, VariableRefresh, VariableSort

from deploy.grafana import rows
from deploy.grafana.panels import SOURCE

PATH = Path(__file__).parent / "dashboards" / "emag_pipeline.json"


def dashboard() -> Dashboard:
    """The whole dashboard, ready to be built."""
    board = (
        Dashboard("emag_pipeline")
        .uid("emag-pipeline")
        .description("An exact copy of the seller's eMAG offers: is it current, does it come in, what is in the way.")
        .tags(["emag"])
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .refresh("1m")
        .time("now-24h", "now")
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(_accounts())
    )
    for title, panels in rows.ROWS.items():
        board = board.with_row(Row(title))
        for panel in panels:
            board = board.with_panel(panel)
    return board


def text() -> str:
    """The dashboard as Grafana reads it from its file."""
    return JSONEncoder(sort_keys=True, indent=1).encode(dashboard().build()) + "\n"


def main() -> None:
    """Rewrite the file."""
    PATH.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{PATH}\n")


def _accounts() -> QueryVariable:
    return (
        QueryVariable("account")
        .label("Account")
        .datasource(SOURCE)
        .query("label_values(emag_sync_run_status, account_type)")
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
    )


if __name__ == "__main__":
    main()
