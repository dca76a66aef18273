"""The one error of the client that is nobody's fault."""

from emag_pipeline.errors import TransientError


class CallAborted(TransientError):
    """`Marketplace.abort` ended the call, or came before it: this process is stopping."""
