"""When runs happen by themselves: the job, its schedules, the sensor for stale accounts."""
