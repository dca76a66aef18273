"""What every mart must hold, worked out of the sandbox's truth alone: no rule and no SQL of the pipeline.

Source: docs/marketplace-api.md, "When an offer can be bought", the sandbox's own list of saleable verdicts, and
docs/data-dictionary.md.
"""
