"""What an administrator does by hand: doctor, backup, export, probe, history and explanation of one offer."""
