"""The job that brings one account up to date: scan, audit, publish; and its schedules."""
