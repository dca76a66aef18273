"""The judge of `emag_pipeline.sync.completeness`: its very code scans a model of a listing that moves."""
