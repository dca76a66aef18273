"""The judge of `emag_pipeline.completeness`: its very code scans a model of a listing that moves."""
