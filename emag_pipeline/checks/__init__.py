"""What stands between staging and publishing, and what the data team reviews."""
