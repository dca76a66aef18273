"""Reference data of a marketplace: categories, VAT rates and handling times, read and merged."""
