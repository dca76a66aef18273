"""A sandbox that responds in the shapes of a probed account: `emag-pipeline sandbox --like FILE`.

FILE is written by `emag-pipeline probe` or by hand. These keys are read, all but the first two optional:

format       1
offers       {"rows": number of offers seen, "fields": {path: figures}, "others": "absent" | "usual"}
             others: fields without a path are omitted (as in a probe's file), or served as usual (by hand)
count        the same for the responses to counts: whether their numbers are text
parameters   {"obeyed": "top" | "data" | "both" | "neither"}: where pagination and filters are accepted
order        {"ids_ascend": bool, "ids_descend": bool}: both false means shuffled
calls        [{"milliseconds": n, "rows": n | null}, …]: latency of a response, and of each row

A path leads from an offer to a value: `name`, `stock[].value` (in each item of a list), `x.*` (under any key of an
object whose keys are data, which PHP can make of a list: type `map`), `message.{locale}` (under `ro_RO`, …). Its
figures:

types           how often each type was seen: null boolean integer decimal text list map object
absent          how many of the objects that could have it did not
empty           by type, how many texts, lists and objects were empty
length          by type, least and most: characters of texts, items of lists and maps
digits          by type of number, least and most digits before the point; decimals: after it
zero, negative  by type of number, how many were zero or negative
numeric_texts   {"text": how many texts are a number}

The figures are reproduced as exactly as possible: among as many consecutive offers as were seen, each path has each
type equally often. A value is the offer's own if the type can express it, else that of another offer, else an invented
one. `id` is always served. The truth is what a correct reader must conclude from what is served: null if a value has no
meaning.
"""

from emag_pipeline.sandbox.like.likeness import Likeness, LikenessError, read

__all__ = ["Likeness", "LikenessError", "read"]
