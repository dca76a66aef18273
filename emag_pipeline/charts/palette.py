"""The colours of all charts, after Okabe and Ito: colour-blind people tell them apart.

No chart says by colour alone what it says: a label, a dash or a place says it too, so that it can be read in grey.
"""

INK = "#1c2430"
MUTED = "#5b6675"
GRID = "#dfe3e9"
PAPER = "#ffffff"
BLUE = "#0072b2"
SKY = "#56b4e9"
ORANGE = "#b64a00"
YELLOW = "#f0c34e"
GREY = "#9aa3af"

#: Under which name a page may replace each colour, e.g. in the dark: `--chart-ink`.
NAMES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    PAPER: "paper",
    BLUE: "blue",
    SKY: "sky",
    ORANGE: "orange",
    YELLOW: "yellow",
    GREY: "grey",
}
