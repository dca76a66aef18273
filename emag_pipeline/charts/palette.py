"""The colours of all charts, after Okabe and Ito: told apart by colour-blind people, and in grey by their lightness."""

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
