"""Mutation testing of the kernel: one small change of the code at a time, which some test has to see."""
