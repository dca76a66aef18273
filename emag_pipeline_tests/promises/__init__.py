"""The guarantees G1 to G13, a file each: what the pipeline promises its users.

They alone prove a guarantee at its edge, at the very moment at which it would break: a run killed while its publish
waits for a lock, a commit whose answer is lost, a frozen owner of the lease, a price that cannot be read. The other
harnesses meet such moments by chance or not at all. Runs that are killed or signalled are processes (workers.py);
others are in this process.
"""
