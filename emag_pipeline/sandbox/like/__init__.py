"""A sandbox that answers in the shapes of an account that was probed: `emag-pipeline sandbox --like FILE`.

FILE is what `emag-pipeline probe` writes, or written by hand. Read are, all but the first two optional:

format       1
offers       {"rows": number of offers seen, "fields": {path: figures}, "others": "absent" | "usual"}
             others: fields that no path names are left out (as in a probe's file), or served as usual (by hand)
count        the same of the answers to counts: are their numbers text?
parameters   {"obeyed": "top" | "data" | "both" | "neither"}: where pagination and filters are looked for
order        {"ids_ascend": bool, "ids_descend": bool}: neither of them is shuffled
calls        [{"milliseconds": n, "rows": n | null}, …]: latency of an answer, and of each row

A path leads from an offer to a value: `name`, `stock[].value` (in each item of a list), `x.*` (under any key of an
object whose keys are data, as PHP makes of a list: type `map`), `message.{locale}` (under `ro_RO`, …). Its figures:

types           how often each was met: null boolean integer decimal text list map object
absent          how many of the objects that could hold it did not
empty           by type, how many texts, lists and objects were empty
length          by type, least and most: characters of texts, items of lists and maps
digits          by type of number, least and most digits before the point; decimals: behind it
zero, negative  by type of number, how many were so
numeric_texts   {"text": how many texts are a number}

The figures are kept as exactly as can be: of as many offers in a row as were seen, each path has each type as often. A
value is the offer's own where the type can express it, else that of another offer, else an invented one. `id` is always
served. The truth is what a correct reader must make of what is served: null where it says nothing.
"""

from emag_pipeline.sandbox.like.likeness import Likeness, LikenessError, read

__all__ = ["Likeness", "LikenessError", "read"]
