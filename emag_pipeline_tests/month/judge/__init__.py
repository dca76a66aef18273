"""What every mart must hold, worked out of the sandbox's truth alone: no rule and no SQL of the pipeline.

Source: emag-api.md, section 5, the sandbox's own list of saleable verdicts, and the data dictionary.
"""
