"""Pictures from numbers: small SVG charts for the UI and the report. Knows no database and no Dagster."""
