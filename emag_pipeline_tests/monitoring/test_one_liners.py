"""The library face, as a program uses it: a process of its own with nothing but the environment."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from emag_pipeline.monitoring import silence
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.cli.commands import environment
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, rows, sync

_ASK = """
import json
from emag_pipeline.monitoring import cleanup_stuck_syncs, find_stuck_syncs, get_sync_health_status
health = get_sync_health_status()
found = [(one.account, one.condition) for one in find_stuck_syncs()]
print(json.dumps({"health": health, "found": found, "recovered": cleanup_stuck_syncs(max_age_hours=0)}))
"""


def _ask(home: Path, database_url: str) -> Any:
    command = [sys.executable, "-c", _ASK]
    given = environment(home, DATABASE_SYNC_URL=database_url)
    return json.loads(subprocess.run(command, env=given, cwd=home, check=True, capture_output=True).stdout)


def test_the_one_liners_find_recover_and_tell_the_health(database: Database, database_url: str, tmp_path: Path) -> None:
    sync(database, [offer(1)])
    begin(database, "main")
    with database.transaction() as tx:
        tx.run("UPDATE emag_offer_syncs SET heartbeat_at = now() - interval '1 hour' WHERE status = 'running'")
    begin(database, "fbe")
    answer = _ask(tmp_path, database_url)
    assert (answer["found"], answer["recovered"]) == ([["main", "dead"]], 2)
    main, fbe = (answer["health"]["accounts"][name] for name in ("main", "fbe"))
    assert (main["state"], main["trouble"], main["stale"]) == ("running", "dead", False)
    assert main["remedy"].startswith("Run `emag-pipeline recover`: the sensor stuck_syncs")  # no sensor has ever ticked
    assert (fbe["phase"], fbe["trouble"], fbe["stale"], fbe["last_publish_at"]) == ("planning", None, True, None)
    assert answer["health"]["sensors"] == dict.fromkeys(silence.SENSORS)
    assert not answer["health"]["healthy"]
    assert not rows(database, "SELECT 1 FROM emag_offer_syncs WHERE status = 'running'")
