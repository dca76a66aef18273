"""What has served its time is removed."""
